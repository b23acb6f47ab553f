// SPDX-License-Identifier: GPL-2.0
/*
 * poll(), select() and epoll: the exact event bits in every situation a
 * socket can be in, edges, EPOLLONESHOT and EPOLLEXCLUSIVE, and that whoever
 * waits is woken.
 */
#include "net.h"
#include <sys/epoll.h>
#include <sys/select.h>

STACK_FIXTURE(poll);

#define RD	(POLLIN | POLLRDNORM)
#define WR	(POLLOUT | POLLWRNORM)
#define RDEND	(RD | POLLRDHUP)

static int sel(int fd, int which)
{
	struct timeval tv = {};
	fd_set set;

	FD_ZERO(&set);
	FD_SET(fd, &set);
	return MUST(select(fd + 1, which == 0 ? &set : NULL, which == 1 ? &set : NULL,
			   which == 2 ? &set : NULL, &tv));
}

static int epoll_now(int fd)
{
	struct epoll_event ev = { .events = EV_ALL }, got = {};
	int ep = MUST(epoll_create1(0));

	MUST(epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev));
	MUST(epoll_wait(ep, &got, 1, 0));
	close(ep);
	return got.events;
}

/* Waits until exactly EVENTS stand, then asks select() and epoll as well. */
#define EXPECT_EVENTS(fd, want) do {					\
	int __want = want;						\
	UNTIL(events_now(fd) == __want);				\
	EXPECT_EQ(__want, events_now(fd)) {				\
		TH_LOG("events %#x, not %#x", events_now(fd), __want);	\
	}								\
	EXPECT_EQ(__want, epoll_now(fd));				\
	EXPECT_EQ(!!(__want & (RD | POLLERR | POLLHUP)), sel(fd, 0));	\
	EXPECT_EQ(!!(__want & (WR | POLLERR)), sel(fd, 1));		\
	EXPECT_EQ(!!(__want & POLLPRI), sel(fd, 2));			\
} while (0)

TEST_F(poll, fresh)
{
	EXPECT_EVENTS(xsocket(0), WR | POLLHUP);
}

TEST_F(poll, bound)
{
	union addr a = addr_loop(0);
	int fd = xsocket(0);

	MUST(do_bind(fd, &a));
	EXPECT_EVENTS(fd, WR | POLLHUP);
}

TEST_F(poll, listening)
{
	union addr a;
	int lfd = listener(&a, 2);

	EXPECT_EVENTS(lfd, 0);
	connect_to(&a);
	EXPECT_EVENTS(lfd, RD);
	MUST(accept(lfd, NULL, NULL));
	EXPECT_EVENTS(lfd, 0);
	MUST(shutdown(lfd, SHUT_RD));
	EXPECT_EVENTS(lfd, WR | POLLHUP);
}

TEST_F(poll, connecting)
{
	union addr a = black_hole();
	int fd = xsocket(SOCK_NONBLOCK);

	EXPECT_ERR(EINPROGRESS, do_connect(fd, &a));
	EXPECT_EVENTS(fd, 0);
	MUST(shutdown(fd, SHUT_RDWR));
	EXPECT_TRUE(events_now(fd) & POLLHUP);
}

TEST_F(poll, connected)
{
	int fd[2];

	pair(fd);
	EXPECT_EVENTS(fd[0], WR);
	EXPECT_EVENTS(fd[1], WR);
}

TEST_F(poll, refused)
{
	union addr a = addr_refused();
	int fd = xsocket(SOCK_NONBLOCK);

	EXPECT_ERR(EINPROGRESS, do_connect(fd, &a));
	EXPECT_EVENTS(fd, RDEND | WR | POLLHUP | POLLERR);
	EXPECT_EQ(ECONNREFUSED, so_error(fd));
	EXPECT_EVENTS(fd, RDEND | WR | POLLHUP);
}

TEST_F(poll, readable)
{
	char buf[8];
	int fd[2];

	pair(fd);
	EXPECT_EQ(3, send(fd[0], "abc", 3, 0));
	EXPECT_EVENTS(fd[1], RD | WR);
	EXPECT_EQ(2, recv(fd[1], buf, 2, 0));
	EXPECT_EVENTS(fd[1], RD | WR);
	EXPECT_EQ(1, recv(fd[1], buf, 2, 0));
	EXPECT_EVENTS(fd[1], WR);
}

TEST_F(poll, full)
{
	static char buf[65536];
	int fd[2];

	pair(fd);
	stuff(fd[0]);
	EXPECT_EVENTS(fd[0], 0);
	EXPECT_EQ(1, send(fd[1], "x", 1, 0));
	EXPECT_EVENTS(fd[0], RD);
	while (recv(fd[1], buf, sizeof(buf), MSG_DONTWAIT) > 0 ||
	       poll_for(fd[1], POLLIN, 50))
		;
	EXPECT_EVENTS(fd[0], RD | WR);
}

TEST_F(poll, peer_half_closed)
{
	int fd[2];
	char c;

	pair(fd);
	EXPECT_EQ(1, send(fd[0], "a", 1, 0));
	MUST(shutdown(fd[0], SHUT_WR));
	EXPECT_EVENTS(fd[0], WR);
	EXPECT_EVENTS(fd[1], RDEND | WR);
	EXPECT_EQ(1, recv(fd[1], &c, 1, 0));
	EXPECT_EQ(0, recv(fd[1], &c, 1, 0));
	EXPECT_EVENTS(fd[1], RDEND | WR);
}

TEST_F(poll, own_read_side_shut)
{
	int fd[2];

	pair(fd);
	MUST(shutdown(fd[0], SHUT_RD));
	EXPECT_EVENTS(fd[0], RDEND | WR);
	EXPECT_EVENTS(fd[1], WR);
}

/* A shut write side is writable: the next send() fails at once. */
TEST_F(poll, full_then_shut)
{
	int fd[2];

	pair(fd);
	stuff(fd[0]);
	EXPECT_EVENTS(fd[0], 0);
	MUST(shutdown(fd[0], SHUT_WR));
	EXPECT_EVENTS(fd[0], WR);
}

TEST_F(poll, both_closed)
{
	int fd[2];

	pair(fd);
	MUST(shutdown(fd[0], SHUT_WR));
	EXPECT_TRUE(wait_for(fd[1], POLLRDHUP) & POLLRDHUP);
	MUST(shutdown(fd[1], SHUT_WR));
	EXPECT_EVENTS(fd[0], RDEND | WR | POLLHUP);
	EXPECT_EVENTS(fd[1], RDEND | WR | POLLHUP);
}

TEST_F(poll, shut_both_ways)
{
	int fd[2];

	pair(fd);
	MUST(shutdown(fd[0], SHUT_RDWR));
	EXPECT_EVENTS(fd[0], RDEND | WR | POLLHUP);
	EXPECT_EVENTS(fd[1], RDEND | WR);
}

TEST_F(poll, reset)
{
	int fd[2];

	pair(fd);
	close_rst(fd[0]);
	EXPECT_EVENTS(fd[1], RDEND | WR | POLLHUP | POLLERR);
	EXPECT_EQ(ECONNRESET, so_error(fd[1]));
	EXPECT_EVENTS(fd[1], RDEND | WR | POLLHUP);
}

TEST_F(poll, disconnected)
{
	struct sockaddr unspec = { .sa_family = AF_UNSPEC };
	int fd[2];

	pair(fd);
	MUST(connect(fd[0], &unspec, sizeof(unspec)));
	so_error(fd[0]);
	EXPECT_EVENTS(fd[0], WR | POLLHUP);
}

TEST_F(poll, urgent)
{
	int fd[2];
	char c;

	pair(fd);
	EXPECT_EQ(1, send(fd[0], "!", 1, MSG_OOB));
	/* The urgent byte itself is no data to read. */
	EXPECT_EVENTS(fd[1], WR | POLLPRI);
	EXPECT_EQ(1, send(fd[0], "a", 1, 0));
	EXPECT_EVENTS(fd[1], RD | WR | POLLPRI);
	EXPECT_EQ(1, recv(fd[1], &c, 1, MSG_OOB));
	EXPECT_EVENTS(fd[1], RD | WR);
}

TEST_F(poll, urgent_inline)
{
	int fd[2];
	char c;

	pair(fd);
	MUST(set_int(fd[1], SOL_SOCKET, SO_OOBINLINE, 1));
	EXPECT_EQ(1, send(fd[0], "!", 1, MSG_OOB));
	EXPECT_EVENTS(fd[1], RD | WR | POLLPRI);
	EXPECT_EQ(1, recv(fd[1], &c, 1, 0));
	EXPECT_EVENTS(fd[1], WR);
}

TEST_F(poll, closed_descriptor)
{
	struct pollfd p = { .events = POLLIN };

	p.fd = xsocket(0);
	MUST(close(p.fd));
	EXPECT_EQ(1, poll(&p, 1, 0));
	EXPECT_EQ(POLLNVAL, p.revents);
}

/* ---- epoll ---- */

struct ep {
	int fd;
	struct epoll_event got;
};

static struct ep ep_new(int fd, unsigned int events)
{
	struct ep ep = { .fd = MUST(epoll_create1(0)) };
	struct epoll_event ev = { .events = events };

	MUST(epoll_ctl(ep.fd, EPOLL_CTL_ADD, fd, &ev));
	return ep;
}

static int ep_wait(struct ep *ep, int ms)
{
	ep->got.events = 0;
	MUST(epoll_wait(ep->fd, &ep->got, 1, ms));
	return ep->got.events;
}

TEST_F(poll, edge_in)
{
	char buf[8];
	struct ep ep;
	int fd[2];

	pair(fd);
	ep = ep_new(fd[1], EPOLLIN | EPOLLET | EPOLLRDHUP);
	EXPECT_EQ(0, ep_wait(&ep, 0));
	EXPECT_EQ(1, send(fd[0], "a", 1, 0));
	EXPECT_EQ(EPOLLIN, ep_wait(&ep, DEADLINE_MS));
	EXPECT_EQ(0, ep_wait(&ep, 0));
	/* More data is a new edge although the old was not read. */
	EXPECT_EQ(1, send(fd[0], "b", 1, 0));
	EXPECT_EQ(EPOLLIN, ep_wait(&ep, DEADLINE_MS));
	EXPECT_EQ(0, ep_wait(&ep, 0));
	EXPECT_EQ(1, recv(fd[1], buf, 1, 0));
	EXPECT_EQ(0, ep_wait(&ep, 0));
	EXPECT_EQ(1, recv(fd[1], buf, 1, 0));
	EXPECT_EQ(1, send(fd[0], "c", 1, 0));
	EXPECT_EQ(EPOLLIN, ep_wait(&ep, DEADLINE_MS));
	MUST(close(fd[0]));
	EXPECT_EQ(EPOLLIN | EPOLLRDHUP, ep_wait(&ep, DEADLINE_MS));
}

/* The edge of writability comes when there is room again, and only then. */
TEST_F(poll, edge_out)
{
	static char buf[65536];
	struct ep ep;
	int fd[2];

	pair(fd);
	ep = ep_new(fd[0], EPOLLOUT | EPOLLET);
	EXPECT_EQ(EPOLLOUT, ep_wait(&ep, DEADLINE_MS));
	EXPECT_EQ(0, ep_wait(&ep, 0));
	stuff(fd[0]);
	/* Room that came and went while it filled up may have left one. */
	ep_wait(&ep, 0);
	EXPECT_EQ(0, ep_wait(&ep, 0));
	while (recv(fd[1], buf, sizeof(buf), MSG_DONTWAIT) > 0 ||
	       poll_for(fd[1], POLLIN, 50))
		;
	EXPECT_EQ(EPOLLOUT, ep_wait(&ep, DEADLINE_MS));
}

TEST_F(poll, edge_connect)
{
	union addr a, no = addr_refused();
	struct ep ep;
	int fd = xsocket(SOCK_NONBLOCK);

	listener(&a, 1);
	EXPECT_ERR(EINPROGRESS, do_connect(fd, &a));
	ep = ep_new(fd, EPOLLOUT | EPOLLET);
	EXPECT_EQ(EPOLLOUT, ep_wait(&ep, DEADLINE_MS));
	fd = xsocket(SOCK_NONBLOCK);
	EXPECT_ERR(EINPROGRESS, do_connect(fd, &no));
	ep = ep_new(fd, EPOLLOUT | EPOLLET);
	EXPECT_EQ(EPOLLOUT | EPOLLERR | EPOLLHUP, ep_wait(&ep, DEADLINE_MS));
}

TEST_F(poll, oneshot)
{
	struct epoll_event ev = { .events = EPOLLIN | EPOLLONESHOT };
	struct ep ep;
	int fd[2];

	pair(fd);
	ep = ep_new(fd[1], EPOLLIN | EPOLLONESHOT);
	EXPECT_EQ(1, send(fd[0], "a", 1, 0));
	EXPECT_EQ(EPOLLIN, ep_wait(&ep, DEADLINE_MS));
	EXPECT_EQ(1, send(fd[0], "b", 1, 0));
	ASSERT_TRUE(wait_inq(fd[1], 2));
	EXPECT_EQ(0, ep_wait(&ep, 0));
	MUST(epoll_ctl(ep.fd, EPOLL_CTL_MOD, fd[1], &ev));
	EXPECT_EQ(EPOLLIN, ep_wait(&ep, DEADLINE_MS));
}

/* ERR and HUP come without being asked for. */
TEST_F(poll, unasked)
{
	struct ep ep;
	int fd[2];

	pair(fd);
	ep = ep_new(fd[1], 0);
	EXPECT_EQ(0, ep_wait(&ep, 0));
	close_rst(fd[0]);
	EXPECT_EQ(EPOLLERR | EPOLLHUP, ep_wait(&ep, DEADLINE_MS));
}

struct waiter {
	int ep, tid, events;
	pthread_t t;
};

static void *waiter(void *arg)
{
	struct epoll_event got = {};
	struct waiter *w = arg;

	__atomic_store_n(&w->tid, syscall(SYS_gettid), __ATOMIC_SEQ_CST);
	epoll_wait(w->ep, &got, 1, DEADLINE_MS);
	__atomic_store_n(&w->events, got.events, __ATOMIC_SEQ_CST);
	return NULL;
}

#define WOKEN(w) __atomic_load_n(&(w).events, __ATOMIC_SEQ_CST)

static bool start_waiter(struct waiter *w)
{
	MUST(-pthread_create(&w->t, NULL, waiter, w));
	return UNTIL(__atomic_load_n(&w->tid, __ATOMIC_SEQ_CST) && is_asleep(w->tid));
}

/* Of those who wait exclusively for one listener, one connection wakes one. */
TEST_F(poll, exclusive)
{
	unsigned int ev = EPOLLIN | EPOLLEXCLUSIVE;
	struct waiter w[2] = {};
	union addr a;
	int lfd, i;

	lfd = listener(&a, 4);
	for (i = 0; i < 2; i++) {
		w[i].ep = ep_new(lfd, ev).fd;
		ASSERT_TRUE(start_waiter(&w[i]));
	}
	connect_to(&a);
	EXPECT_TRUE(UNTIL(WOKEN(w[0]) || WOKEN(w[1])));
	EXPECT_EQ(EPOLLIN, WOKEN(w[0]) | WOKEN(w[1]));
	EXPECT_NE(WOKEN(w[0]), WOKEN(w[1]));
	connect_to(&a);
	EXPECT_TRUE(UNTIL(WOKEN(w[0]) && WOKEN(w[1])));
}

/* Without exclusive waiting, all are woken. */
TEST_F(poll, everyone)
{
	struct waiter w[2] = {};
	int fd[2], i;

	pair(fd);
	for (i = 0; i < 2; i++) {
		w[i].ep = ep_new(fd[1], EPOLLIN).fd;
		ASSERT_TRUE(start_waiter(&w[i]));
	}
	EXPECT_EQ(1, send(fd[0], "x", 1, 0));
	EXPECT_TRUE(UNTIL(WOKEN(w[0]) && WOKEN(w[1])));
}

/* What ends a wait that has begun. */
static bool wakes(int fd, unsigned int events, unsigned int want,
		  void (*act)(int, int), int arg, int arg2)
{
	struct waiter w = { .ep = ep_new(fd, events | EPOLLET).fd };
	struct epoll_event got;

	/* Drop what stands already. */
	epoll_wait(w.ep, &got, 1, 0);
	if (!start_waiter(&w))
		return false;
	act(arg, arg2);
	if (!UNTIL(WOKEN(w)))
		return false;
	return (w.events & want) == want;
}

static void act_connect(int lfd, int unused)
{
	union addr a = local_addr(lfd);

	connect_to(&a);
}

static void act_send(int fd, int flags)
{
	MUST(send(fd, "x", 1, flags));
}

static void act_shutdown(int fd, int how)
{
	MUST(shutdown(fd, how));
}

static void act_rst(int fd, int unused)
{
	close_rst(fd);
}

static void act_drain(int fd, int unused)
{
	static char buf[65536];

	while (recv(fd, buf, sizeof(buf), MSG_DONTWAIT) > 0 || poll_for(fd, POLLIN, 50))
		;
}

TEST_F(poll, wakeups)
{
	union addr a;
	int lfd = listener(&a, 4), fd[2];

	EXPECT_TRUE(wakes(lfd, EPOLLIN, EPOLLIN, act_connect, lfd, 0));
	pair(fd);
	EXPECT_TRUE(wakes(fd[1], EPOLLIN, EPOLLIN, act_send, fd[0], 0));
	EXPECT_TRUE(wakes(fd[1], EPOLLPRI, EPOLLPRI, act_send, fd[0], MSG_OOB));
	EXPECT_TRUE(wakes(fd[1], EPOLLRDHUP, EPOLLRDHUP, act_shutdown, fd[0], SHUT_WR));
	EXPECT_TRUE(wakes(fd[1], EPOLLRDHUP, EPOLLHUP, act_shutdown, fd[1], SHUT_WR));
	pair(fd);
	EXPECT_TRUE(wakes(fd[1], 0, EPOLLERR | EPOLLHUP, act_rst, fd[0], 0));
	pair(fd);
	EXPECT_TRUE(wakes(fd[1], EPOLLIN, EPOLLIN, act_shutdown, fd[1], SHUT_RD));
	pair(fd);
	stuff(fd[0]);
	EXPECT_TRUE(wakes(fd[0], EPOLLOUT, EPOLLOUT, act_drain, fd[1], 0));
}

/* tcp(7): no more than so much unsent, for poll and for send */
TEST_F(poll, notsent_lowat)
{
	static char buf[65536];
	size_t taken = 0, read = 0;
	int fd[2], unsent;
	ssize_t n;

	pair(fd);
	MUST(set_int(fd[1], SOL_SOCKET, SO_RCVBUF, 20000));
	MUST(set_int(fd[0], SOL_SOCKET, SO_SNDBUF, 4 << 20));
	MUST(set_int(fd[0], SOL_TCP, TCP_NOTSENT_LOWAT, 100000));
	set_nonblock(fd[0], true);
	EXPECT_TRUE(events_now(fd[0]) & POLLOUT);
	while ((n = send(fd[0], buf, sizeof(buf), 0)) > 0)
		taken += n;
	EXPECT_EQ(EAGAIN, errno);
	EXPECT_FALSE(events_now(fd[0]) & POLLOUT);
	MUST(ioctl(fd[0], SIOCOUTQNSD, &unsent));
	/* the last piece may be one skb or page frag more */
	EXPECT_LE(100000, unsent);
	EXPECT_GE(100000 + 65536, unsent);
	while (read < taken && (n = recv(fd[1], buf, sizeof(buf), MSG_DONTWAIT)) != 0) {
		if (n > 0)
			read += n;
		else
			poll_for(fd[1], POLLIN, 100);
		if (events_now(fd[0]) & POLLOUT)
			break;
	}
	EXPECT_TRUE(wait_for(fd[0], POLLOUT) & POLLOUT);
	MUST(ioctl(fd[0], SIOCOUTQNSD, &unsent));
	EXPECT_GT(100000, unsent);
	/* lifted, the send buffer is the limit again */
	MUST(set_int(fd[0], SOL_TCP, TCP_NOTSENT_LOWAT, 0));
	while (send(fd[0], buf, sizeof(buf), 0) > 0)
		;
	MUST(ioctl(fd[0], SIOCOUTQNSD, &unsent));
	EXPECT_LT(200000, unsent);
}

static void *slow_reader(void *arg)
{
	static char buf[65536];
	size_t left = 2 << 20;
	ssize_t n;

	while (left && (n = recv(*(int *)arg, buf, sizeof(buf), 0)) > 0)
		left -= n;
	return left ? arg : NULL;
}

/* A blocking sender gets on, whoever makes the room */
TEST_F(poll, notsent_lowat_blocking)
{
	pthread_t reader;
	int fd[2];
	void *ret;

	pair(fd);
	MUST(set_int(fd[0], SOL_TCP, TCP_NOTSENT_LOWAT, 16384));
	MUST(set_int(fd[0], SOL_SOCKET, SO_SNDBUF, 4 << 20));
	ASSERT_EQ(0, pthread_create(&reader, NULL, slow_reader, &fd[1]));
	EXPECT_EQ(2 << 20, send_pattern(fd[0], 2 << 20));
	pthread_join(reader, &ret);
	EXPECT_TRUE(!ret);
}

TEST_HARNESS_MAIN
