// SPDX-License-Identifier: GPL-2.0
/*
 * Sending and receiving: every call and MSG_ flag, time limits, low-water
 * mark, faults, ioctls.  bulk.c has what moves more than a few bytes.
 */
#include "stack.h"

STACK_FIXTURE(io);

TEST_F(io, roundtrip)
{
	union addr a = addr_loop(1);
	socklen_t len = sizeof(a);
	char buf[16] = {};
	int fd[2];

	pair(fd);
	EXPECT_EQ(2, send(fd[0], "ab", 2, 0));
	EXPECT_EQ(1, write(fd[0], "c", 1));
	/* The address of a connected stream socket's sendto() is ignored. */
	EXPECT_EQ(1, sendto(fd[0], "d", 1, 0, &a.sa, addr_len(&a)));
	ASSERT_TRUE(wait_inq(fd[1], 4));
	EXPECT_EQ(1, read(fd[1], buf, 1));
	EXPECT_EQ(1, recv(fd[1], buf + 1, 1, 0));
	/* recvfrom(2): a stream gives no address. */
	EXPECT_EQ(2, recvfrom(fd[1], buf + 2, 10, 0, &a.sa, &len));
	EXPECT_EQ(0, len);
	EXPECT_STREQ("abcd", buf);
	EXPECT_EQ(3, send(fd[1], "xyz", 3, 0));
	EXPECT_EQ(3, recv(fd[0], buf, 3, MSG_WAITALL));
	EXPECT_EQ(0, memcmp(buf, "xyz", 3));
}

TEST_F(io, vectors)
{
	char a[3] = {}, b[4] = {}, c[8] = {};
	struct iovec out[] = { { "he", 2 }, { NULL, 0 }, { "llo w", 5 }, { "orld", 4 } };
	struct iovec in[] = { { a, 2 }, { NULL, 0 }, { b, 3 }, { c, 7 } };
	struct sockaddr_storage name;
	struct msghdr m = { .msg_iov = out, .msg_iovlen = 4 };
	char ctl[64];
	int fd[2];

	pair(fd);
	EXPECT_EQ(11, sendmsg(fd[0], &m, 0));
	EXPECT_EQ(11, writev(fd[0], out, 4));
	ASSERT_TRUE(wait_inq(fd[1], 22));
	EXPECT_EQ(12, readv(fd[1], in, 4));
	EXPECT_STREQ("he", a);
	EXPECT_EQ(0, memcmp(b, "llo", 3));
	EXPECT_EQ(0, memcmp(c, " worldh", 7));
	m = (struct msghdr) { .msg_iov = in, .msg_iovlen = 4, .msg_name = &name,
			      .msg_namelen = sizeof(name), .msg_control = ctl,
			      .msg_controllen = sizeof(ctl), .msg_flags = -1 };
	EXPECT_EQ(10, recvmsg(fd[1], &m, 0));
	EXPECT_EQ(0, m.msg_namelen);
	EXPECT_EQ(0, m.msg_controllen);
	EXPECT_EQ(0, m.msg_flags);
	EXPECT_EQ(0, memcmp(c, "world", 5));
}

TEST_F(io, many_messages)
{
	char buf[4][4] = {};
	struct iovec out[4], in[4];
	struct mmsghdr mo[4] = {}, mi[4] = {};
	int fd[2], i;

	for (i = 0; i < 4; i++) {
		out[i] = (struct iovec) { "abcdefgh" + i * 2, 2 };
		in[i] = (struct iovec) { buf[i], 3 };
		mo[i].msg_hdr = (struct msghdr) { .msg_iov = out + i, .msg_iovlen = 1 };
		mi[i].msg_hdr = (struct msghdr) { .msg_iov = in + i, .msg_iovlen = 1 };
	}
	pair(fd);
	EXPECT_EQ(4, sendmmsg(fd[0], mo, 4, 0));
	EXPECT_EQ(2, mo[3].msg_len);
	ASSERT_TRUE(wait_inq(fd[1], 8));
	EXPECT_EQ(3, recvmmsg(fd[1], mi, 4, MSG_WAITFORONE, NULL));
	EXPECT_EQ(3, mi[0].msg_len);
	EXPECT_EQ(2, mi[2].msg_len);
	EXPECT_STREQ("abc", buf[0]);
	EXPECT_STREQ("def", buf[1]);
	EXPECT_STREQ("gh", buf[2]);
	EXPECT_ERR(EAGAIN, recvmmsg(fd[1], mi, 4, MSG_DONTWAIT, NULL));
}

TEST_F(io, not_connected)
{
	int fd = xsocket(0);
	char c = 'x';

	EXPECT_ERR(ENOTCONN, recv(fd, &c, 1, 0));
	EXPECT_ERR(ENOTCONN, recv(fd, &c, 1, MSG_DONTWAIT));
	EXPECT_ERR(EPIPE, send(fd, &c, 1, MSG_NOSIGNAL));
	EXPECT_ERR(ENOTCONN, read(fd, &c, 1));
}

TEST_F(io, dontwait)
{
	size_t sent, got = 0;
	char c, *buf;
	int fd[2];
	ssize_t n;

	pair(fd);
	EXPECT_ERR(EAGAIN, recv(fd[0], &c, 1, MSG_DONTWAIT));
	set_nonblock(fd[0], true);
	EXPECT_ERR(EAGAIN, recv(fd[0], &c, 1, 0));
	EXPECT_ERR(EAGAIN, read(fd[0], &c, 1));
	sent = stuff(fd[0]);
	EXPECT_LT(0, sent);
	EXPECT_ERR(EAGAIN, send(fd[0], &c, 1, 0));
	EXPECT_ERR(EAGAIN, write(fd[0], &c, 1));
	buf = malloc(sent);
	while (got < sent && (n = recv(fd[1], buf + got, sent - got, 0)) > 0)
		got += n;
	EXPECT_EQ(sent, got);
	EXPECT_TRUE(filled(buf, got, 0));
	EXPECT_ERR(EAGAIN, recv(fd[1], &c, 1, MSG_DONTWAIT));
	EXPECT_EQ(POLLOUT, wait_for(fd[0], POLLOUT));
}

TEST_F(io, peek)
{
	char buf[16] = {};
	int fd[2], i;

	pair(fd);
	EXPECT_EQ(3, send(fd[0], "abc", 3, 0));
	ASSERT_TRUE(wait_inq(fd[1], 3));
	EXPECT_EQ(3, send(fd[0], "def", 3, 0));
	ASSERT_TRUE(wait_inq(fd[1], 6));
	for (i = 0; i < 3; i++) {
		memset(buf, 0, sizeof(buf));
		EXPECT_EQ(6, recv(fd[1], buf, 10, MSG_PEEK));
		EXPECT_STREQ("abcdef", buf);
	}
	memset(buf, 0, sizeof(buf));
	EXPECT_EQ(4, recv(fd[1], buf, 4, MSG_PEEK));
	EXPECT_STREQ("abcd", buf);
	EXPECT_EQ(6, recv(fd[1], buf, 10, 0));
	EXPECT_STREQ("abcdef", buf);
	EXPECT_ERR(EAGAIN, recv(fd[1], buf, 1, MSG_PEEK | MSG_DONTWAIT));
	MUST(close(fd[0]));
	EXPECT_EQ(0, recv(fd[1], buf, 1, MSG_PEEK));
	EXPECT_EQ(0, recv(fd[1], buf, 1, 0));
}

struct late {
	int fd, tid;
	const char *text;
};

/* Sends the text when the other thread sleeps in its system call. */
static void *send_late(void *arg)
{
	struct late *l = arg;

	if (UNTIL(is_asleep(l->tid)) && l->text)
		send(l->fd, l->text, strlen(l->text), MSG_NOSIGNAL);
	if (!l->text)
		close(l->fd);
	return NULL;
}

#define LATER(fd_, text_)						\
	pthread_t __t;							\
	struct late __l = { .fd = fd_, .tid = syscall(SYS_gettid),	\
			    .text = text_ };				\
	MUST(-pthread_create(&__t, NULL, send_late, &__l))
#define LATER_DONE() pthread_join(__t, NULL)

TEST_F(io, recv_blocks_until_data)
{
	char c = 0;
	int fd[2];

	pair(fd);
	LATER(fd[1], "z");
	EXPECT_EQ(1, recv(fd[0], &c, 1, 0));
	EXPECT_EQ('z', c);
	LATER_DONE();
}

TEST_F(io, recv_blocks_until_close)
{
	char c = 0;
	int fd[2];

	pair(fd);
	LATER(fd[1], NULL);
	EXPECT_EQ(0, recv(fd[0], &c, 1, 0));
	LATER_DONE();
}

TEST_F(io, waitall)
{
	char buf[16] = {};
	int fd[2];

	pair(fd);
	EXPECT_EQ(3, send(fd[1], "abc", 3, 0));
	ASSERT_TRUE(wait_inq(fd[0], 3));
	LATER(fd[1], "def");
	EXPECT_EQ(6, recv(fd[0], buf, 6, MSG_WAITALL));
	EXPECT_STREQ("abcdef", buf);
	LATER_DONE();
	/* Without waiting it gives what is there; at the end, what is left. */
	EXPECT_EQ(2, send(fd[1], "gh", 2, 0));
	ASSERT_TRUE(wait_inq(fd[0], 2));
	EXPECT_EQ(1, recv(fd[0], buf, 1, MSG_WAITALL | MSG_DONTWAIT));
	EXPECT_EQ(1, recv(fd[0], buf, 9, MSG_WAITALL | MSG_DONTWAIT));
	EXPECT_EQ(2, send(fd[1], "ij", 2, 0));
	MUST(close(fd[1]));
	EXPECT_EQ(2, recv(fd[0], buf, 9, MSG_WAITALL));
	EXPECT_EQ(0, recv(fd[0], buf, 9, MSG_WAITALL));
}

/* A time limit during MSG_WAITALL: the part that came. */
TEST_F(io, waitall_time_limit)
{
	char buf[16] = {};
	int fd[2];

	pair(fd);
	set_timeo(fd[0], SO_RCVTIMEO, 100);
	EXPECT_EQ(3, send(fd[1], "abc", 3, 0));
	EXPECT_EQ(3, recv(fd[0], buf, 9, MSG_WAITALL));
	EXPECT_ERR(EAGAIN, recv(fd[0], buf, 9, MSG_WAITALL));
}

/* tcp(7): MSG_TRUNC throws the bytes away instead of storing them. */
TEST_F(io, trunc)
{
	char buf[8] = "------";
	int fd[2];

	pair(fd);
	EXPECT_EQ(6, send(fd[0], "abcdef", 6, 0));
	ASSERT_TRUE(wait_inq(fd[1], 6));
	EXPECT_EQ(6, recv(fd[1], NULL, 10, MSG_TRUNC | MSG_PEEK));
	EXPECT_EQ(2, recv(fd[1], buf, 2, MSG_TRUNC));
	EXPECT_STREQ("------", buf);
	EXPECT_EQ(2, recv(fd[1], buf, 2, 0));
	EXPECT_STREQ("cd----", buf);
	EXPECT_EQ(2, recv(fd[1], NULL, 10, MSG_TRUNC));
	EXPECT_ERR(EAGAIN, recv(fd[1], NULL, 10, MSG_TRUNC | MSG_DONTWAIT));
}

/* Bytes not yet sent after a short send with FLAGS; -1 if they went out. */
static int held_back(int flags)
{
	int fd[2], n = 0, i;

	/* The hold has a time limit of 200 ms: a slow machine may need tries. */
	for (i = 0; i < 5; i++) {
		pair(fd);
		if (send(fd[0], "abc", 3, flags) != 3 || ioctl(fd[0], SIOCOUTQNSD, &n))
			return -1;
		if (n)
			break;
	}
	if (send(fd[0], "def", 3, 0) != 3 || !wait_inq(fd[1], 6))
		return -1;
	return n;
}

TEST_F(io, more)
{
	EXPECT_EQ(0, held_back(0));
	EXPECT_EQ(3, held_back(MSG_MORE));
}

/* What MSG_MORE held back leaves on its own after a while, and at close. */
TEST_F(io, more_ends)
{
	int fd[2];
	char c;

	pair(fd);
	EXPECT_EQ(1, send(fd[0], "a", 1, MSG_MORE));
	EXPECT_TRUE(wait_inq(fd[1], 1));
	EXPECT_EQ(1, send(fd[0], "b", 1, MSG_MORE));
	MUST(close(fd[0]));
	EXPECT_EQ(1, recv(fd[1], &c, 1, 0));
	EXPECT_EQ(1, recv(fd[1], &c, 1, 0));
	EXPECT_EQ('b', c);
	EXPECT_EQ(0, recv(fd[1], &c, 1, 0));
}

TEST_F(io, rcvtimeo)
{
	struct timeval tv = { 0, 1000000 };
	socklen_t len = sizeof(tv);
	int fd[2];
	long t;
	char c;

	pair(fd);
	EXPECT_ERR(EDOM, setsockopt(fd[0], SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)));
	EXPECT_ERR(EINVAL, setsockopt(fd[0], SOL_SOCKET, SO_RCVTIMEO, &tv, 4));
	set_timeo(fd[0], SO_RCVTIMEO, 2000);
	EXPECT_OK(getsockopt(fd[0], SOL_SOCKET, SO_RCVTIMEO, &tv, &len));
	EXPECT_EQ(2, tv.tv_sec);
	EXPECT_EQ(0, tv.tv_usec);
	set_timeo(fd[0], SO_RCVTIMEO, 100);
	t = now_ms();
	EXPECT_ERR(EAGAIN, recv(fd[0], &c, 1, 0));
	EXPECT_LE(ABOUT(100), now_ms() - t);
	EXPECT_EQ(1, send(fd[1], "a", 1, 0));
	EXPECT_EQ(1, recv(fd[0], &c, 1, 0));
}

TEST_F(io, sndtimeo)
{
	static char buf[1 << 20];
	int fd[2];
	ssize_t n;
	long t;

	pair(fd);
	set_timeo(fd[0], SO_SNDTIMEO, 100);
	/* A blocked send that got rid of something tells how much. */
	t = now_ms();
	while ((n = send(fd[0], buf, sizeof(buf), 0)) == sizeof(buf))
		t = now_ms();
	EXPECT_LT(0, n);
	EXPECT_GT(sizeof(buf), n);
	EXPECT_LE(ABOUT(100), now_ms() - t);
	stuff(fd[0]);
	t = now_ms();
	EXPECT_ERR(EAGAIN, send(fd[0], buf, sizeof(buf), 0));
	EXPECT_LE(ABOUT(100), now_ms() - t);
}

static void on_alarm(int sig)
{
}

TEST_F(io, interrupted)
{
	struct itimerval it = { { 0, 20000 }, { 0, 20000 } };
	struct sigaction sa = { .sa_handler = on_alarm };
	static char buf[1 << 20];
	char c[8];
	int fd[2];
	ssize_t n;

	pair(fd);
	MUST(sigaction(SIGALRM, &sa, NULL));
	MUST(setitimer(ITIMER_REAL, &it, NULL));
	EXPECT_ERR(EINTR, recv(fd[0], c, 8, 0));
	/* A part is better than an error. */
	EXPECT_EQ(3, send(fd[1], "abc", 3, 0));
	ASSERT_TRUE(wait_inq(fd[0], 3));
	EXPECT_EQ(3, recv(fd[0], c, 8, MSG_WAITALL));
	stuff(fd[0]);
	while ((n = send(fd[0], buf, sizeof(buf), 0)) > 0)
		;
	EXPECT_EQ(-1, n);
	EXPECT_EQ(EINTR, errno);
}

TEST_F(io, rcvlowat)
{
	char buf[300] = {}, text[111] = {};
	int fd[2];

	pair(fd);
	EXPECT_EQ(1, get_int(fd[1], SOL_SOCKET, SO_RCVLOWAT));
	EXPECT_OK(set_int(fd[1], SOL_SOCKET, SO_RCVLOWAT, 0));
	EXPECT_EQ(1, get_int(fd[1], SOL_SOCKET, SO_RCVLOWAT));
	EXPECT_OK(set_int(fd[1], SOL_SOCKET, SO_RCVLOWAT, 100));
	EXPECT_EQ(100, get_int(fd[1], SOL_SOCKET, SO_RCVLOWAT));
	EXPECT_EQ(99, send(fd[0], buf, 99, 0));
	ASSERT_TRUE(wait_inq(fd[1], 99));
	EXPECT_EQ(0, events_now(fd[1]) & POLLIN);
	/* One who does not wait may have it all the same. */
	EXPECT_EQ(9, recv(fd[1], buf, 9, MSG_DONTWAIT));
	EXPECT_EQ(10, send(fd[0], buf, 10, 0));
	EXPECT_EQ(POLLIN, wait_for(fd[1], POLLIN));
	EXPECT_EQ(100, recv(fd[1], buf, 300, 0));
	EXPECT_EQ(5, send(fd[0], buf, 5, 0));
	ASSERT_TRUE(wait_inq(fd[1], 5));
	memset(text, 'x', 110);
	LATER(fd[0], text);
	EXPECT_LE(100, recv(fd[1], buf, 300, 0));
	LATER_DONE();
	/* The end counts as data. */
	EXPECT_EQ(1, send(fd[0], buf, 1, 0));
	MUST(close(fd[0]));
	EXPECT_TRUE(wait_for(fd[1], POLLIN) & POLLIN);
}

TEST_F(io, zero_length)
{
	struct iovec iov = { NULL, 0 };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 0 };
	int fd[2], n = -1;
	char c = 'x';

	pair(fd);
	EXPECT_EQ(0, send(fd[0], &c, 0, 0));
	EXPECT_EQ(0, write(fd[0], &c, 0));
	EXPECT_EQ(0, sendmsg(fd[0], &m, 0));
	m.msg_iovlen = 1;
	EXPECT_EQ(0, sendmsg(fd[0], &m, 0));
	/* read() of nothing is nothing; recv() waits for data first. */
	EXPECT_EQ(0, read(fd[1], &c, 0));
	EXPECT_ERR(EAGAIN, recv(fd[1], &c, 0, MSG_DONTWAIT));
	EXPECT_ERR(EAGAIN, recvmsg(fd[1], &m, MSG_DONTWAIT));
	EXPECT_EQ(1, send(fd[0], &c, 1, 0));
	ASSERT_TRUE(wait_inq(fd[1], 1));
	EXPECT_EQ(0, recv(fd[1], &c, 0, 0));
	EXPECT_OK(ioctl(fd[1], SIOCINQ, &n));
	EXPECT_EQ(1, n);
}

TEST_F(io, faults)
{
	char buf[8] = {};
	int fd[2];

	pair(fd);
	EXPECT_ERR(EFAULT, send(fd[0], (void *)8, 10, 0));
	EXPECT_ERR(EFAULT, sendmsg(fd[0], (void *)8, 0));
	EXPECT_ERR(EFAULT, recvmsg(fd[0], (void *)8, 0));
	EXPECT_EQ(3, send(fd[0], "abc", 3, 0));
	ASSERT_TRUE(wait_inq(fd[1], 3));
	/* A fault loses nothing. */
	EXPECT_ERR(EFAULT, recv(fd[1], (void *)8, 3, 0));
	EXPECT_EQ(3, recv(fd[1], buf, 8, 0));
	EXPECT_STREQ("abc", buf);
	EXPECT_ERR(EBADF, send(-1, buf, 1, 0));
	EXPECT_ERR(EBADF, recv(-1, buf, 1, 0));
}

/* A buffer that ends in the middle: what was taken is what arrives. */
TEST_F(io, fault_in_the_middle)
{
	long page = sysconf(_SC_PAGESIZE);
	char got[8192], *p;
	int fd[2], lens[] = { 1, 100, 4095 }, i;
	ssize_t n;

	p = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	MUST(p == MAP_FAILED ? -1 : 0);
	MUST(mprotect(p + page, page, PROT_NONE));
	memset(p, 'p', page);
	pair(fd);
	for (i = 0; i < 3; i++) {
		n = send(fd[0], p + page - lens[i], lens[i] + 1000, 0);
		if (n < 0) {
			EXPECT_EQ(EFAULT, errno);
			n = 0;
		}
		EXPECT_GE(lens[i], n);
		EXPECT_EQ(1, send(fd[0], "|", 1, 0));
		ASSERT_TRUE(wait_inq(fd[1], n + 1));
		ASSERT_EQ(n + 1, recv(fd[1], got, sizeof(got), 0));
		EXPECT_EQ('|', got[n]);
		EXPECT_EQ(got + n, memchr(got, '|', n + 1));
	}
	/* The same on the receiving side. */
	EXPECT_EQ(3, send(fd[0], "abc", 3, 0));
	ASSERT_TRUE(wait_inq(fd[1], 3));
	n = recv(fd[1], p + page - 1, 3, 0);
	if (n < 0) {
		EXPECT_EQ(EFAULT, errno);
		n = 0;
	}
	EXPECT_GE(1, n);
	EXPECT_EQ(3 - n, recv(fd[1], got, 3, 0));
	EXPECT_EQ(0, memcmp("abc" + n, got, 3 - n));
}

TEST_F(io, ioctls)
{
	union addr a;
	int fd[2], n, lfd = listener(&a, 1);
	size_t sent;

	pair(fd);
	n = -1;
	EXPECT_OK(ioctl(fd[0], SIOCINQ, &n));
	EXPECT_EQ(0, n);
	n = -1;
	EXPECT_OK(ioctl(fd[0], SIOCOUTQ, &n));
	EXPECT_EQ(0, n);
	EXPECT_EQ(5, send(fd[0], "abcde", 5, 0));
	ASSERT_TRUE(wait_inq(fd[1], 5));
	EXPECT_OK(ioctl(fd[1], FIONREAD, &n));
	EXPECT_EQ(5, n);
	EXPECT_TRUE(wait_acked(fd[0]));
	/* SIOCOUTQ counts all that is not acknowledged, SIOCOUTQNSD the unsent. */
	sent = stuff(fd[0]);
	EXPECT_OK(ioctl(fd[0], SIOCOUTQ, &n));
	EXPECT_LT(0, n);
	EXPECT_GE(sent, n);
	EXPECT_OK(ioctl(fd[1], SIOCINQ, &n));
	EXPECT_LT(0, n);
	EXPECT_OK(ioctl(fd[0], SIOCOUTQNSD, &n));
	EXPECT_LT(0, n);
	EXPECT_EQ(sent + 5, ({
		size_t all = 0;
		ssize_t k;
		static char buf[65536];

		while (all < sent + 5 && (k = recv(fd[1], buf, sizeof(buf), 0)) > 0)
			all += k;
		all; }));
	EXPECT_TRUE(wait_acked(fd[0]));
	EXPECT_OK(ioctl(fd[0], SIOCOUTQNSD, &n));
	EXPECT_EQ(0, n);
	/* A FIN is no byte to read. */
	EXPECT_EQ(2, send(fd[0], "xy", 2, 0));
	MUST(shutdown(fd[0], SHUT_WR));
	EXPECT_TRUE(wait_for(fd[1], POLLRDHUP) & POLLRDHUP);
	EXPECT_OK(ioctl(fd[1], SIOCINQ, &n));
	EXPECT_EQ(2, n);

	EXPECT_ERR(EINVAL, ioctl(lfd, SIOCINQ, &n));
	EXPECT_ERR(EINVAL, ioctl(lfd, SIOCOUTQ, &n));
	EXPECT_ERR(EINVAL, ioctl(lfd, SIOCOUTQNSD, &n));
	EXPECT_ERR(EFAULT, ioctl(fd[0], SIOCINQ, 8));
	EXPECT_ERR(ENOTTY, ioctl(fd[0], 0x5499, &n));
}

TEST_F(io, fionbio)
{
	int fd[2], on = 1;
	char c;

	pair(fd);
	EXPECT_OK(ioctl(fd[0], FIONBIO, &on));
	EXPECT_NE(0, fcntl(fd[0], F_GETFL) & O_NONBLOCK);
	EXPECT_ERR(EAGAIN, recv(fd[0], &c, 1, 0));
	on = 0;
	EXPECT_OK(ioctl(fd[0], FIONBIO, &on));
	EXPECT_EQ(0, fcntl(fd[0], F_GETFL) & O_NONBLOCK);
}

/* sendmsg(2): unknown control messages are refused by none, SOL_SOCKET's are read. */
TEST_F(io, control_messages)
{
	char ctl[CMSG_SPACE(sizeof(int))] = {};
	struct iovec iov = { "a", 1 };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = ctl,
			    .msg_controllen = sizeof(ctl) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);
	int fd[2];

	pair(fd);
	c->cmsg_len = CMSG_LEN(sizeof(int));
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = 0x7fff;
	EXPECT_ERR(EINVAL, sendmsg(fd[0], &m, 0));
	c->cmsg_level = SOL_IP;
	EXPECT_EQ(1, sendmsg(fd[0], &m, 0));
	c->cmsg_len = 1;
	EXPECT_ERR(EINVAL, sendmsg(fd[0], &m, 0));
}

/* recvmsg() of LEN bytes: the value of TCP_CM_INQ, -1 without one */
static int recv_inq(int fd, size_t len)
{
	char buf[100], ctl[CMSG_SPACE(sizeof(int))];
	struct iovec iov = { buf, len };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = ctl,
			    .msg_controllen = sizeof(ctl) };
	struct cmsghdr *c;
	int inq;

	MUST(recvmsg(fd, &m, 0));
	c = CMSG_FIRSTHDR(&m);
	if (!c || c->cmsg_level != SOL_TCP || c->cmsg_type != TCP_CM_INQ)
		return -1;
	memcpy(&inq, CMSG_DATA(c), sizeof(inq));
	return inq;
}

/* tcp(7): what is left to read comes with each recvmsg(); a FIN counts one */
TEST_F(io, inq)
{
	int fd[2];

	pair(fd);
	EXPECT_EQ(100, send_pattern(fd[0], 100));
	EXPECT_TRUE(wait_inq(fd[1], 100));
	EXPECT_EQ(-1, recv_inq(fd[1], 10));
	MUST(set_int(fd[1], SOL_TCP, TCP_INQ, 1));
	EXPECT_EQ(70, recv_inq(fd[1], 20));
	EXPECT_EQ(0, recv_inq(fd[1], 70));
	EXPECT_EQ(10, send_pattern(fd[0], 10));
	MUST(shutdown(fd[0], SHUT_WR));
	EXPECT_TRUE(wait_for(fd[1], POLLRDHUP) & POLLRDHUP);
	EXPECT_EQ(5, recv_inq(fd[1], 6));
	EXPECT_EQ(1, recv_inq(fd[1], 4));
	EXPECT_EQ(1, recv_inq(fd[1], 4));
}

TEST_HARNESS_MAIN
