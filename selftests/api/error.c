// SPDX-License-Identifier: GPL-2.0
/*
 * Errors that arrive by themselves: which call reports them, how often, what
 * the socket does afterwards; resets, time-outs, keepalive.
 */
#include "net.h"

STACK_FIXTURE(error);

TEST_F(error, so_error_option)
{
	int fd[2], val = 1;
	socklen_t len = 2;

	pair(fd);
	EXPECT_EQ(0, so_error(fd[0]));
	EXPECT_ERR(ENOPROTOOPT, setsockopt(fd[0], SOL_SOCKET, SO_ERROR, &val, sizeof(val)));
	/* A short buffer gets a part (socket(7)), and has read the error. */
	close_rst(fd[1]);
	EXPECT_TRUE(wait_for(fd[0], 0) & POLLERR);
	EXPECT_OK(getsockopt(fd[0], SOL_SOCKET, SO_ERROR, &val, &len));
	EXPECT_EQ(2, len);
	EXPECT_EQ(0, so_error(fd[0]));
}

TEST_F(error, reset_seen_by_recv)
{
	int fd[2];
	char c;

	pair(fd);
	close_rst(fd[1]);
	EXPECT_TRUE(wait_for(fd[0], 0) & POLLERR);
	EXPECT_EQ(CLOSED, state_of(fd[0]));
	EXPECT_ERR(ECONNRESET, recv(fd[0], &c, 1, 0));
	EXPECT_EQ(0, events_now(fd[0]) & POLLERR);
	EXPECT_EQ(0, so_error(fd[0]));
	EXPECT_EQ(0, recv(fd[0], &c, 1, 0));
	EXPECT_ERR(EPIPE, send(fd[0], &c, 1, MSG_NOSIGNAL));
	EXPECT_EQ(0, recv(fd[0], &c, 1, 0));
}

TEST_F(error, reset_seen_by_send)
{
	int fd[2];
	char c;

	pair(fd);
	close_rst(fd[1]);
	EXPECT_TRUE(wait_for(fd[0], 0) & POLLERR);
	EXPECT_ERR(ECONNRESET, send(fd[0], &c, 1, MSG_NOSIGNAL));
	EXPECT_ERR(EPIPE, send(fd[0], &c, 1, MSG_NOSIGNAL));
	EXPECT_EQ(0, recv(fd[0], &c, 1, 0));
}

TEST_F(error, reset_seen_by_so_error)
{
	int fd[2];
	char c;

	pair(fd);
	close_rst(fd[1]);
	EXPECT_TRUE(wait_for(fd[0], 0) & POLLERR);
	EXPECT_EQ(ECONNRESET, so_error(fd[0]));
	EXPECT_EQ(0, so_error(fd[0]));
	EXPECT_EQ(0, recv(fd[0], &c, 1, 0));
	EXPECT_ERR(EPIPE, send(fd[0], &c, 1, MSG_NOSIGNAL));
}

/* What had been received before the reset can still be read. */
TEST_F(error, reset_after_data)
{
	char buf[8];
	int fd[2];

	pair(fd);
	EXPECT_EQ(5, send(fd[1], "hello", 5, 0));
	ASSERT_TRUE(wait_inq(fd[0], 5));
	close_rst(fd[1]);
	EXPECT_TRUE(wait_for(fd[0], 0) & POLLERR);
	EXPECT_EQ(5, recv(fd[0], buf, 8, 0));
	EXPECT_ERR(ECONNRESET, recv(fd[0], buf, 8, 0));
	EXPECT_EQ(0, recv(fd[0], buf, 8, 0));
}

/* A reset in CLOSE-WAIT is EPIPE: the peer had said that it was done. */
TEST_F(error, reset_in_close_wait)
{
	int fd[2];
	char c;

	pair(fd);
	MUST(shutdown(fd[1], SHUT_WR));
	EXPECT_EQ(0, recv(fd[0], &c, 1, 0));
	EXPECT_EQ(CLOSE_WAIT, state_of(fd[0]));
	close_rst(fd[1]);
	EXPECT_TRUE(wait_for(fd[0], 0) & POLLERR);
	EXPECT_EQ(CLOSED, state_of(fd[0]));
	EXPECT_EQ(EPIPE, so_error(fd[0]));
	EXPECT_EQ(0, recv(fd[0], &c, 1, 0));
}

TEST_F(error, reset_in_fin_wait_2)
{
	int fd[2];
	char c;

	pair(fd);
	MUST(shutdown(fd[0], SHUT_WR));
	EXPECT_TRUE(UNTIL(state_of(fd[0]) == FIN_WAIT2));
	close_rst(fd[1]);
	EXPECT_TRUE(wait_for(fd[0], 0) & POLLERR);
	EXPECT_ERR(ECONNRESET, recv(fd[0], &c, 1, 0));
	EXPECT_EQ(0, recv(fd[0], &c, 1, 0));
}

/* After an error the socket can connect again. */
TEST_F(error, reset_and_connect_again)
{
	struct sockaddr unspec = { .sa_family = AF_UNSPEC };
	union addr a;
	int lfd = listener(&a, 4), fd[2];

	pair_on(lfd, fd);
	close_rst(fd[1]);
	EXPECT_TRUE(wait_for(fd[0], 0) & POLLERR);
	EXPECT_EQ(ECONNRESET, so_error(fd[0]));
	EXPECT_ERR(EISCONN, do_connect(fd[0], &a));
	EXPECT_OK(connect(fd[0], &unspec, sizeof(unspec)));
	EXPECT_OK(do_connect(fd[0], &a));
	EXPECT_OK(accept(lfd, NULL, NULL));
}

/* RFC 9293 3.9.1.1, tcp(7): the user timeout bounds how long data may wait. */
TEST_F(error, user_timeout)
{
	unsigned long before;
	int fd[2];
	char c;

	pair(fd);
	drop_input(fd[1]);
	MUST(set_int(fd[0], SOL_TCP, TCP_USER_TIMEOUT, 250));
	before = stack_stat("RetransSegs");
	EXPECT_EQ(1, send(fd[0], "x", 1, 0));
	EXPECT_TRUE(wait_for(fd[0], 0) & POLLERR);
	EXPECT_LT(before, stack_stat("RetransSegs"));
	EXPECT_EQ(CLOSED, state_of(fd[0]));
	EXPECT_ERR(ETIMEDOUT, recv(fd[0], &c, 1, 0));
	EXPECT_EQ(0, recv(fd[0], &c, 1, 0));
	EXPECT_ERR(EPIPE, send(fd[0], &c, 1, MSG_NOSIGNAL));
}

TEST_F(error, user_timeout_wakes_send)
{
	static char buf[1 << 20];
	int fd[2];
	ssize_t n;

	pair(fd);
	drop_input(fd[1]);
	MUST(set_int(fd[0], SOL_TCP, TCP_USER_TIMEOUT, 250));
	do {
		n = send(fd[0], buf, sizeof(buf), MSG_NOSIGNAL);
	} while (n == sizeof(buf));
	/* A part that was taken comes first, the error with the next call. */
	if (n >= 0)
		n = send(fd[0], buf, 1, MSG_NOSIGNAL);
	EXPECT_EQ(-1, n);
	EXPECT_EQ(ETIMEDOUT, errno);
	EXPECT_ERR(EPIPE, send(fd[0], buf, 1, MSG_NOSIGNAL));
}

/* RFC 9293 3.8.4: an idle peer that answers no probe is given up. */
TEST_F(error, keepalive)
{
	int fd[2];
	char c;
	long t;

	pair(fd);
	MUST(set_int(fd[0], SOL_TCP, TCP_KEEPIDLE, 1));
	MUST(set_int(fd[0], SOL_TCP, TCP_KEEPINTVL, 1));
	MUST(set_int(fd[0], SOL_TCP, TCP_KEEPCNT, 1));
	drop_input(fd[1]);
	t = now_ms();
	MUST(set_int(fd[0], SOL_SOCKET, SO_KEEPALIVE, 1));
	EXPECT_ERR(ETIMEDOUT, recv(fd[0], &c, 1, 0));
	EXPECT_LE(1900, now_ms() - t);
	EXPECT_EQ(0, recv(fd[0], &c, 1, 0));
	/* The peer never heard of it. */
	EXPECT_EQ(ESTABLISHED, state_of(fd[1]));
}

/* A peer that answers keeps the connection alive. */
TEST_F(error, keepalive_answered)
{
	unsigned long in;
	int fd[2];

	pair(fd);
	MUST(set_int(fd[0], SOL_TCP, TCP_KEEPIDLE, 1));
	MUST(set_int(fd[0], SOL_TCP, TCP_KEEPINTVL, 1));
	MUST(set_int(fd[0], SOL_TCP, TCP_KEEPCNT, 1));
	in = stack_stat("InSegs");
	MUST(set_int(fd[0], SOL_SOCKET, SO_KEEPALIVE, 1));
	/* A probe and its answer, and no more. */
	EXPECT_TRUE(UNTIL(stack_stat("InSegs") >= in + 2));
	EXPECT_EQ(ESTABLISHED, state_of(fd[0]));
	EXPECT_EQ(POLLOUT | POLLWRNORM, events_now(fd[0]));
}

/* Retransmission goes on until the way is free again: nothing is lost. */
TEST_F(error, interruption_survived)
{
	int fd[2];
	char c;

	pair(fd);
	drop_input(fd[1]);
	EXPECT_EQ(1, send(fd[0], "x", 1, 0));
	EXPECT_TRUE(UNTIL(stack_stat("RetransSegs") > 0));
	MUST(setsockopt(fd[1], SOL_SOCKET, SO_DETACH_FILTER, &c, sizeof(int)));
	EXPECT_EQ(1, recv(fd[1], &c, 1, 0));
	EXPECT_EQ('x', c);
	EXPECT_TRUE(wait_acked(fd[0]));
	EXPECT_EQ(0, so_error(fd[0]));
}

TEST_HARNESS_MAIN
