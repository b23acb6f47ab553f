// SPDX-License-Identifier: GPL-2.0
/*
 * listen() and accept(): the backlog and what happens beyond it, errors and
 * flags of accept, waiting with a time limit or until a signal, shutdown and
 * close of a listener, children that are aborted before they are accepted.
 */
#include "net.h"

STACK_FIXTURE(listen);
STACK_FIXTURE_V6(listen6);

/* Backlog and queue length of a listener, as ss shows them. */
static struct tcp_info info_of(int fd)
{
	struct tcp_info ti = {};
	socklen_t len = sizeof(ti);

	MUST(getsockopt(fd, SOL_TCP, TCP_INFO, &ti, &len));
	return ti;
}

/* A non-blocking connect under way. */
static int start_connect(const union addr *a)
{
	int fd = xsocket(SOCK_NONBLOCK);

	if (!do_connect(fd, a) || errno != EINPROGRESS)
		MUST(-1);
	stack_traffic = true;
	return fd;
}

TEST_F(listen, unbound_gets_a_port)
{
	union addr a, any = addr_any(0);
	int fd = xsocket(0);

	EXPECT_OK(listen(fd, 1));
	a = local_addr(fd);
	EXPECT_NE(0, addr_port(&a));
	addr_set_port(&any, addr_port(&a));
	EXPECT_TRUE(addr_eq(&any, &a));
	EXPECT_EQ(LISTENING, state_of(fd));
	a = addr_loop(addr_port(&a));
	connect_to(&a);
	EXPECT_OK(accept(fd, NULL, NULL));
}

TEST_F(listen, twice_changes_the_backlog)
{
	union addr a;
	int fd = listener(&a, 7);

	EXPECT_EQ(7, info_of(fd).tcpi_sacked);
	EXPECT_OK(listen(fd, 3));
	EXPECT_EQ(3, info_of(fd).tcpi_sacked);
	EXPECT_EQ(0, info_of(fd).tcpi_unacked);
	connect_to(&a);
	connect_to(&a);
	EXPECT_TRUE(UNTIL(info_of(fd).tcpi_unacked == 2));
	MUST(accept(fd, NULL, NULL));
	EXPECT_EQ(1, info_of(fd).tcpi_unacked);
}

TEST_F(listen, somaxconn_bounds_the_backlog)
{
	union addr a;
	int fd;

	fresh_ns();
	MUST(file_write("/proc/sys/net/core/somaxconn", "5"));
	fd = listener(&a, 100);
	EXPECT_EQ(5, info_of(fd).tcpi_sacked);
	/* listen(2): a negative backlog is the largest one. */
	EXPECT_OK(listen(fd, -1));
	EXPECT_EQ(5, info_of(fd).tcpi_sacked);
	EXPECT_OK(listen(fd, 0));
	EXPECT_EQ(0, info_of(fd).tcpi_sacked);
}

TEST_F(listen, wrong_states)
{
	union addr a;
	int fd[2], lfd = listener(&a, 1);

	pair_on(lfd, fd);
	EXPECT_ERR(EINVAL, listen(fd[0], 1));
	EXPECT_ERR(EINVAL, listen(fd[1], 1));
	EXPECT_ERR(EBADF, listen(-1, 1));
	EXPECT_ERR(ENOTSOCK, listen(0, 1));
	EXPECT_ERR(EINVAL, accept(fd[0], NULL, NULL));
	EXPECT_ERR(EINVAL, accept(xsocket(0), NULL, NULL));
	EXPECT_ERR(EBADF, accept(-1, NULL, NULL));
	EXPECT_ERR(ENOTSOCK, accept(0, NULL, NULL));
	EXPECT_ERR(EISCONN, do_connect(lfd, &a));
	EXPECT_ERR(ENOTCONN, recv(lfd, fd, 1, 0));
	EXPECT_ERR(EPIPE, send(lfd, fd, 1, MSG_NOSIGNAL));
}

/* accept(2) promises the order of arrival only by custom, and all rely on it. */
TEST_F(listen, accepts_in_order)
{
	int lfd, fd, i, cl[5];
	union addr a, b;

	lfd = listener(&a, 5);
	for (i = 0; i < 5; i++)
		cl[i] = connect_to(&a);
	for (i = 0; i < 5; i++) {
		fd = MUST(accept(lfd, NULL, NULL));
		a = peer_addr(fd);
		b = local_addr(cl[i]);
		EXPECT_TRUE(addr_eq(&a, &b));
	}
}

/* A full accept queue: the next one waits for its SYN's retransmission. */
TEST_F(listen, overflow_waits)
{
	union addr a;
	int lfd = listener(&a, 1), cl[3], i;

	for (i = 0; i < 2; i++) {
		cl[i] = start_connect(&a);
		EXPECT_EQ(POLLOUT, wait_for(cl[i], POLLOUT));
		EXPECT_EQ(0, so_error(cl[i]));
	}
	EXPECT_TRUE(UNTIL(info_of(lfd).tcpi_unacked == 2));
	cl[2] = start_connect(&a);
	EXPECT_EQ(0, poll_for(cl[2], POLLOUT, 100));
	EXPECT_EQ(2, info_of(lfd).tcpi_unacked);
	EXPECT_OK(accept(lfd, NULL, NULL));
	EXPECT_OK(accept(lfd, NULL, NULL));
	EXPECT_EQ(POLLOUT, wait_for(cl[2], POLLOUT));
	EXPECT_EQ(0, so_error(cl[2]));
	EXPECT_EQ(POLLIN, wait_for(lfd, POLLIN));
	EXPECT_OK(accept(lfd, NULL, NULL));
}

TEST_F(listen, accept_nonblocking)
{
	union addr a;
	int lfd = listener(&a, 1), fd;

	set_nonblock(lfd, true);
	EXPECT_ERR(EAGAIN, accept(lfd, NULL, NULL));
	connect_to(&a);
	EXPECT_EQ(POLLIN, wait_for(lfd, POLLIN));
	fd = accept(lfd, NULL, NULL);
	ASSERT_LE(0, fd);
	/* accept(2): the flags are not inherited. */
	EXPECT_EQ(0, fcntl(fd, F_GETFL) & O_NONBLOCK);
	EXPECT_EQ(0, fcntl(fd, F_GETFD) & FD_CLOEXEC);
	EXPECT_ERR(EAGAIN, accept(lfd, NULL, NULL));
}

TEST_F(listen, accept4_flags)
{
	union addr a;
	int lfd = listener(&a, 4), fd;

	connect_to(&a);
	EXPECT_ERR(EINVAL, accept4(lfd, NULL, NULL, 1));
	fd = accept4(lfd, NULL, NULL, SOCK_NONBLOCK);
	ASSERT_LE(0, fd);
	EXPECT_NE(0, fcntl(fd, F_GETFL) & O_NONBLOCK);
	EXPECT_EQ(0, fcntl(fd, F_GETFD) & FD_CLOEXEC);
	connect_to(&a);
	fd = accept4(lfd, NULL, NULL, SOCK_CLOEXEC);
	ASSERT_LE(0, fd);
	EXPECT_EQ(0, fcntl(fd, F_GETFL) & O_NONBLOCK);
	EXPECT_NE(0, fcntl(fd, F_GETFD) & FD_CLOEXEC);
}

TEST_F(listen, accept_address)
{
	union addr a, b, peer = {};
	socklen_t len = sizeof(peer);
	int lfd = listener(&a, 4), cl;

	cl = connect_to(&a);
	EXPECT_OK(accept(lfd, &peer.sa, &len));
	EXPECT_EQ(addr_len(&a), len);
	b = local_addr(cl);
	EXPECT_TRUE(addr_eq(&b, &peer));

	/* Short buffer: cut off, with the full length. */
	connect_to(&a);
	memset(&peer, 0xff, sizeof(peer));
	len = 4;
	EXPECT_OK(accept(lfd, &peer.sa, &len));
	EXPECT_EQ(addr_len(&a), len);
	EXPECT_EQ(st->af, peer.sa.sa_family);
	EXPECT_EQ(0xff, ((unsigned char *)&peer)[4]);

	connect_to(&a);
	len = -1;
	EXPECT_ERR(EINVAL, accept(lfd, &peer.sa, &len));
	connect_to(&a);
	EXPECT_ERR(EFAULT, accept(lfd, (void *)8, (void *)8));
}

TEST_F(listen, accept_time_limit)
{
	union addr a;
	int lfd = listener(&a, 1);
	long t = now_ms();

	set_timeo(lfd, SO_RCVTIMEO, 100);
	EXPECT_ERR(EAGAIN, accept(lfd, NULL, NULL));
	EXPECT_LE(ABOUT(100), now_ms() - t);
	connect_to(&a);
	EXPECT_OK(accept(lfd, NULL, NULL));
}

static void on_alarm(int sig)
{
}

static void alarm_every_20ms(int flags)
{
	struct itimerval it = { { 0, 20000 }, { 0, 20000 } };
	struct sigaction sa = { .sa_handler = on_alarm, .sa_flags = flags };

	MUST(sigaction(SIGALRM, &sa, NULL));
	MUST(setitimer(ITIMER_REAL, &it, NULL));
}

TEST_F(listen, accept_interrupted)
{
	union addr a;
	int lfd = listener(&a, 1);

	alarm_every_20ms(0);
	EXPECT_ERR(EINTR, accept(lfd, NULL, NULL));
	/* signal(7): with a time limit, also where SA_RESTART is set. */
	alarm_every_20ms(SA_RESTART);
	set_timeo(lfd, SO_RCVTIMEO, DEADLINE_MS);
	EXPECT_ERR(EINTR, accept(lfd, NULL, NULL));
	EXPECT_EQ(LISTENING, state_of(lfd));
}

static void *accept_thread(void *arg)
{
	int *lfd = arg;

	lfd[1] = syscall(SYS_gettid);
	errno = 0;
	lfd[2] = accept(lfd[0], NULL, NULL);
	lfd[3] = errno;
	return NULL;
}

TEST_F(listen, accept_woken_by_connection)
{
	volatile int v[4] = {};
	union addr a;
	pthread_t t;

	v[0] = listener(&a, 1);
	MUST(-pthread_create(&t, NULL, accept_thread, (void *)v));
	ASSERT_TRUE(UNTIL(v[1] && is_asleep(v[1])));
	connect_to(&a);
	pthread_join(t, NULL);
	EXPECT_LE(0, v[2]);
}

/* SHUT_RD takes a listener back to CLOSED, wakes accept, and keeps the port. */
TEST_F(listen, shutdown_wakes_accept)
{
	volatile int v[4] = {};
	union addr a = addr_refused();
	pthread_t t;

	v[0] = listen_at(&a, 1);
	MUST(-pthread_create(&t, NULL, accept_thread, (void *)v));
	ASSERT_TRUE(UNTIL(v[1] && is_asleep(v[1])));
	EXPECT_OK(shutdown(v[0], SHUT_WR));
	EXPECT_EQ(LISTENING, state_of(v[0]));
	EXPECT_OK(shutdown(v[0], SHUT_RD));
	pthread_join(t, NULL);
	EXPECT_EQ(-1, v[2]);
	EXPECT_EQ(EINVAL, v[3]);
	EXPECT_EQ(CLOSED, state_of(v[0]));
	EXPECT_ERR(ECONNREFUSED, do_connect(xsocket(0), &a));
	EXPECT_OK(listen(v[0], 1));
	EXPECT_EQ(addr_port(&a), local_port(v[0]));
	connect_to(&a);
	EXPECT_OK(accept(v[0], NULL, NULL));
}

/* RFC 9293 3.10.4: connections that nobody will ever accept are reset. */
TEST_F(listen, close_resets_pending)
{
	union addr a;
	int lfd = listener(&a, 4), cl[2], fd;
	char c = 'x';

	fd = connect_to(&a);
	MUST(accept(lfd, NULL, NULL));
	cl[0] = connect_to(&a);
	cl[1] = connect_to(&a);
	EXPECT_EQ(1, send(cl[1], &c, 1, 0));
	EXPECT_TRUE(UNTIL(info_of(lfd).tcpi_unacked == 2));
	MUST(close(lfd));
	EXPECT_ERR(ECONNRESET, recv(cl[0], &c, 1, 0));
	EXPECT_ERR(ECONNRESET, recv(cl[1], &c, 1, 0));
	/* The accepted one lives on; new ones find nobody. */
	EXPECT_EQ(0, poll_for(fd, POLLIN, 0));
	EXPECT_EQ(ESTABLISHED, state_of(fd));
	EXPECT_ERR(ECONNREFUSED, do_connect(xsocket(0), &a));
}

/* A connection reset before it was accepted is accepted, and says so then. */
TEST_F(listen, child_reset_before_accept)
{
	union addr a, b;
	socklen_t len = sizeof(b);
	int lfd = listener(&a, 4), fd;
	unsigned long before;
	char c;

	before = stack_stat("EstabResets");
	fd = connect_to(&a);
	EXPECT_TRUE(UNTIL(info_of(lfd).tcpi_unacked == 1));
	close_rst(fd);
	EXPECT_TRUE(UNTIL(stack_stat("EstabResets") >= before + 2));
	fd = accept(lfd, NULL, NULL);
	ASSERT_LE(0, fd);
	EXPECT_ERR(ENOTCONN, getpeername(fd, &b.sa, &len));
	EXPECT_ERR(ECONNRESET, recv(fd, &c, 1, 0));
	EXPECT_EQ(0, recv(fd, &c, 1, 0));
}

TEST_F(listen, child_done_before_accept)
{
	union addr a;
	int lfd = listener(&a, 4), fd;
	char buf[8] = {};

	fd = connect_to(&a);
	EXPECT_EQ(5, send(fd, "hello", 5, 0));
	MUST(close(fd));
	fd = accept(lfd, NULL, NULL);
	ASSERT_LE(0, fd);
	EXPECT_EQ(5, recv(fd, buf, sizeof(buf), MSG_WAITALL));
	EXPECT_STREQ("hello", buf);
	EXPECT_EQ(CLOSE_WAIT, state_of(fd));
}

/* tcp(7): a listener with TCP_DEFER_ACCEPT is ready when data has come. */
TEST_F(listen, deferred_until_data)
{
	union addr a;
	int lfd = listener(&a, 4), fd;
	char c = 'x';

	MUST(set_int(lfd, SOL_TCP, TCP_DEFER_ACCEPT, 30));
	fd = connect_to(&a);
	EXPECT_EQ(0, poll_for(lfd, POLLIN, 50));
	EXPECT_EQ(1, send(fd, &c, 1, 0));
	EXPECT_EQ(POLLIN, wait_for(lfd, POLLIN));
	fd = MUST(accept(lfd, NULL, NULL));
	EXPECT_EQ(1, recv(fd, &c, 1, MSG_DONTWAIT));
}

/* Two hosts on a link, "near" fe80::1 and "far" fe80::2; returns the namespace of
 * the far one, the caller is in the near one.
 */
static int link_local_hosts(void)
{
	union addr near = addr_text("fe80::1", 0), far = addr_text("fe80::2", 0);
	int near_ns, far_ns;

	fresh_ns();
	far_ns = MUST(open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC));
	fresh_ns();
	near_ns = MUST(open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC));
	add_veth("near", "far");
	if_to_ns("far", far_ns);
	if_flags("near", IFF_UP, IFF_UP);
	MUST(setns(far_ns, CLONE_NEWNET));
	if_flags("far", IFF_UP, IFF_UP);
	add_addr("far", &far, 64);
	MUST(setns(near_ns, CLONE_NEWNET));
	add_addr("near", &near, 64);
	close(near_ns);
	return far_ns;
}

/* RFC 9293 3.10.7.2, RFC 4007 9: a stray ACK is answered on the link it came from. */
TEST_F(listen6, reset_to_link_local)
{
	union addr any = addr_any(0), near = addr_text("fe80::1", 0);
	int far_ns = link_local_hosts(), raw;
	uint8_t seg[20] = { [7] = 1, [11] = 77, [12] = 5 << 4, [13] = 0x10 }, got[60];

	listen_at(&any, 1);
	MUST(setns(far_ns, CLONE_NEWNET));
	raw = MUST(socket(AF_INET6, SOCK_RAW, st->xtcp ? IPPROTO_XTCP : IPPROTO_TCP));
	MUST(set_int(raw, SOL_IPV6, IPV6_CHECKSUM, 16));
	near.in6.sin6_scope_id = if_nametoindex("far");
	seg[0] = 0x80;				/* port 0x8063 to the listener's */
	seg[2] = addr_port(&any) >> 8;
	seg[3] = addr_port(&any);
	seg[1] = 0x63;
	MUST(sendto(raw, seg, sizeof(seg), 0, &near.sa, sizeof(near.in6)));
	ASSERT_EQ(POLLIN, wait_for(raw, POLLIN));
	ASSERT_LE(20, recv(raw, got, sizeof(got), 0));
	EXPECT_EQ(0x04, got[13]);		/* RST, with SEQ = SEG.ACK */
	EXPECT_EQ(77, got[7]);
	EXPECT_EQ(0x63, got[3]);
}

TEST_HARNESS_MAIN
