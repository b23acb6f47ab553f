// SPDX-License-Identifier: GPL-2.0
/*
 * Urgent data as sockets show it (RFC 9293 3.8.5, RFC 6093): MSG_OOB,
 * SO_OOBINLINE, the mark in the stream, SIOCATMARK, SIGURG, POLLPRI.
 */
#include "stack.h"

STACK_FIXTURE(urgent);

static int at_mark(int fd)
{
	int n = -1;

	MUST(ioctl(fd, SIOCATMARK, &n));
	return n;
}

static bool wait_pri(int fd)
{
	return wait_for(fd, POLLPRI) & POLLPRI;
}

/* The last byte of a MSG_OOB send is the urgent one. */
TEST_F(urgent, out_of_band)
{
	char buf[16] = {};
	int fd[2];

	pair(fd);
	EXPECT_EQ(3, send(fd[0], "ab!", 3, MSG_OOB));
	EXPECT_EQ(3, send(fd[0], "cde", 3, 0));
	ASSERT_TRUE(wait_inq(fd[1], 2));
	EXPECT_TRUE(wait_pri(fd[1]));
	EXPECT_EQ(1, recv(fd[1], buf, 5, MSG_OOB));
	EXPECT_EQ('!', buf[0]);
	EXPECT_EQ(0, at_mark(fd[1]));
	/* Reading stops at the mark, and goes on behind the urgent byte. */
	EXPECT_EQ(2, recv(fd[1], buf, 16, 0));
	EXPECT_EQ(0, memcmp(buf, "ab", 2));
	EXPECT_EQ(1, at_mark(fd[1]));
	EXPECT_EQ(3, recv(fd[1], buf, 3, MSG_WAITALL));
	EXPECT_EQ(0, memcmp(buf, "cde", 3));
	EXPECT_EQ(0, at_mark(fd[1]));
}

/* The mark stands, too, when the urgent byte was not fetched. */
TEST_F(urgent, left_unread)
{
	char buf[16] = {};
	int fd[2];

	pair(fd);
	EXPECT_EQ(1, send(fd[0], "a", 1, 0));
	EXPECT_EQ(1, send(fd[0], "!", 1, MSG_OOB));
	EXPECT_EQ(1, send(fd[0], "b", 1, 0));
	EXPECT_TRUE(wait_pri(fd[1]));
	EXPECT_EQ(1, recv(fd[1], buf, 16, 0));
	EXPECT_EQ('a', buf[0]);
	EXPECT_EQ(1, at_mark(fd[1]));
	EXPECT_EQ(1, recv(fd[1], buf, 16, 0));
	EXPECT_EQ('b', buf[0]);
	EXPECT_ERR(EINVAL, recv(fd[1], buf, 1, MSG_OOB));
}

TEST_F(urgent, peek)
{
	char buf[4] = {};
	int fd[2], i;

	pair(fd);
	EXPECT_EQ(1, send(fd[0], "!", 1, MSG_OOB));
	EXPECT_TRUE(wait_pri(fd[1]));
	for (i = 0; i < 2; i++) {
		buf[0] = 0;
		EXPECT_EQ(1, recv(fd[1], buf, 1, MSG_OOB | MSG_PEEK));
		EXPECT_EQ('!', buf[0]);
	}
	EXPECT_EQ(1, recv(fd[1], buf, 1, MSG_OOB));
	EXPECT_ERR(EINVAL, recv(fd[1], buf, 1, MSG_OOB));
	EXPECT_ERR(EINVAL, recv(fd[1], buf, 1, MSG_OOB | MSG_PEEK));
}

TEST_F(urgent, none)
{
	char buf[4];
	int fd[2];

	pair(fd);
	EXPECT_ERR(EINVAL, recv(fd[0], buf, 1, MSG_OOB));
	EXPECT_EQ(0, at_mark(fd[0]));
	EXPECT_EQ(1, send(fd[0], "a", 1, 0));
	ASSERT_TRUE(wait_inq(fd[1], 1));
	EXPECT_ERR(EINVAL, recv(fd[1], buf, 1, MSG_OOB));
	EXPECT_EQ(0, at_mark(fd[1]));
}

/* The queue's length does not count the byte that recv() leaves out. */
TEST_F(urgent, queue_length)
{
	char buf[4];
	int fd[2], n;

	pair(fd);
	EXPECT_EQ(3, send(fd[0], "ab!", 3, MSG_OOB));
	EXPECT_TRUE(wait_pri(fd[1]));
	MUST(ioctl(fd[1], SIOCINQ, &n));
	EXPECT_EQ(2, n);
	EXPECT_EQ(2, recv(fd[1], buf, 4, 0));
	MUST(ioctl(fd[1], SIOCINQ, &n));
	EXPECT_EQ(0, n);
	EXPECT_ERR(EAGAIN, recv(fd[1], buf, 4, MSG_DONTWAIT));
}

TEST_F(urgent, inline)
{
	char buf[16] = {};
	int fd[2];

	pair(fd);
	EXPECT_EQ(0, get_int(fd[1], SOL_SOCKET, SO_OOBINLINE));
	MUST(set_int(fd[1], SOL_SOCKET, SO_OOBINLINE, 1));
	EXPECT_EQ(1, get_int(fd[1], SOL_SOCKET, SO_OOBINLINE));
	EXPECT_EQ(3, send(fd[0], "ab!", 3, MSG_OOB));
	EXPECT_EQ(2, send(fd[0], "cd", 2, 0));
	ASSERT_TRUE(wait_inq(fd[1], 5));
	EXPECT_TRUE(wait_pri(fd[1]));
	EXPECT_ERR(EINVAL, recv(fd[1], buf, 1, MSG_OOB));
	EXPECT_EQ(0, at_mark(fd[1]));
	/* Reading stops before the urgent byte, which comes in its place. */
	EXPECT_EQ(2, recv(fd[1], buf, 16, 0));
	EXPECT_EQ(0, memcmp(buf, "ab", 2));
	EXPECT_EQ(1, at_mark(fd[1]));
	EXPECT_EQ(3, recv(fd[1], buf, 16, 0));
	EXPECT_EQ(0, memcmp(buf, "!cd", 3));
	EXPECT_EQ(0, at_mark(fd[1]));
}

/* RFC 6093 3.1: there is one urgent pointer; a later one replaces it. */
TEST_F(urgent, replaced)
{
	char buf[16] = {};
	int fd[2];

	pair(fd);
	MUST(set_int(fd[1], SOL_SOCKET, SO_OOBINLINE, 1));
	EXPECT_EQ(2, send(fd[0], "a1", 2, MSG_OOB));
	ASSERT_TRUE(wait_inq(fd[1], 2));
	EXPECT_EQ(2, send(fd[0], "b2", 2, MSG_OOB));
	ASSERT_TRUE(wait_inq(fd[1], 4));
	EXPECT_EQ(3, recv(fd[1], buf, 16, 0));
	EXPECT_STREQ("a1b", buf);
	EXPECT_EQ(1, at_mark(fd[1]));
	EXPECT_EQ(1, recv(fd[1], buf, 16, 0));
	EXPECT_EQ('2', buf[0]);
}

/* Urgent mode needs no room: it is announced through a closed window. */
TEST_F(urgent, announced_through_full_window)
{
	int fd[2];

	pair(fd);
	stuff(fd[0]);
	/* No room for the byte itself: send() says so, or takes it. */
	send(fd[0], "!", 1, MSG_OOB | MSG_DONTWAIT | MSG_NOSIGNAL);
	EXPECT_EQ(0, so_error(fd[0]));
	EXPECT_EQ(ESTABLISHED, state_of(fd[0]));
	EXPECT_EQ(ESTABLISHED, state_of(fd[1]));
}

static sigset_t block_signal(int sig)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, sig);
	MUST(sigprocmask(SIG_BLOCK, &set, NULL));
	return set;
}

static int wait_signal(const sigset_t *set, int ms)
{
	struct timespec ts = { ms / 1000, ms % 1000 * 1000000 };

	return sigtimedwait(set, NULL, &ts);
}

TEST_F(urgent, sigurg)
{
	sigset_t set = block_signal(SIGURG);
	int fd[2];
	char c;

	pair(fd);
	/* Nobody owns it: no signal. */
	EXPECT_EQ(1, send(fd[0], "1", 1, MSG_OOB));
	EXPECT_TRUE(wait_pri(fd[1]));
	EXPECT_EQ(-1, wait_signal(&set, 0));
	EXPECT_EQ(1, recv(fd[1], &c, 1, MSG_OOB));

	EXPECT_OK(fcntl(fd[1], F_SETOWN, getpid()));
	EXPECT_EQ(getpid(), fcntl(fd[1], F_GETOWN));
	EXPECT_EQ(1, send(fd[0], "2", 1, MSG_OOB));
	EXPECT_EQ(SIGURG, wait_signal(&set, DEADLINE_MS));
	EXPECT_EQ(1, recv(fd[1], &c, 1, MSG_OOB));
	EXPECT_EQ('2', c);
	/* Ordinary data is no reason. */
	EXPECT_EQ(1, send(fd[0], "3", 1, 0));
	EXPECT_EQ(POLLIN, wait_for(fd[1], POLLIN));
	EXPECT_EQ(-1, wait_signal(&set, 0));
}

TEST_F(urgent, sigurg_by_ioctl)
{
	sigset_t set = block_signal(SIGURG);
	int fd[2], pid = getpid(), got = 0;

	pair(fd);
	EXPECT_OK(ioctl(fd[1], SIOCSPGRP, &pid));
	EXPECT_OK(ioctl(fd[1], SIOCGPGRP, &got));
	EXPECT_EQ(pid, got);
	EXPECT_EQ(1, send(fd[0], "!", 1, MSG_OOB));
	EXPECT_EQ(SIGURG, wait_signal(&set, DEADLINE_MS));
}

TEST_F(urgent, not_connected)
{
	int fd = xsocket(0);
	char c = '!';

	EXPECT_ERR(EPIPE, send(fd, &c, 1, MSG_OOB | MSG_NOSIGNAL));
	EXPECT_ERR(EINVAL, recv(fd, &c, 1, MSG_OOB));
}

/* After the end of the stream there is nothing urgent left. */
TEST_F(urgent, after_eof)
{
	int fd[2];
	char c;

	pair(fd);
	MUST(close(fd[0]));
	EXPECT_EQ(0, recv(fd[1], &c, 1, 0));
	EXPECT_ERR(EINVAL, recv(fd[1], &c, 1, MSG_OOB));
}

TEST_HARNESS_MAIN
