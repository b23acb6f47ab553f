// SPDX-License-Identifier: GPL-2.0
/*
 * shutdown() in its three ways and close(): half close, EPIPE and SIGPIPE,
 * resets for what was never read, SO_LINGER, states on both sides, and what
 * happens to those who are blocked meanwhile.
 */
#include "net.h"

STACK_FIXTURE(shutdown);

static volatile sig_atomic_t got_sigpipe;

static void on_sigpipe(int sig)
{
	got_sigpipe++;
}

TEST_F(shutdown, not_connected)
{
	int fd = xsocket(0);

	EXPECT_ERR(ENOTCONN, shutdown(fd, SHUT_RD));
	EXPECT_ERR(ENOTCONN, shutdown(fd, SHUT_WR));
	EXPECT_ERR(ENOTCONN, shutdown(fd, SHUT_RDWR));
	EXPECT_ERR(EINVAL, shutdown(fd, 3));
	EXPECT_ERR(EINVAL, shutdown(fd, -1));
	EXPECT_ERR(EBADF, shutdown(-1, SHUT_RD));
	EXPECT_ERR(ENOTSOCK, shutdown(0, SHUT_RD));
}

/* RFC 9293 3.6: the side that has closed keeps receiving. */
TEST_F(shutdown, half_close)
{
	size_t total = 1 << 20;
	int fd[2];
	pid_t pid;
	char c;

	pair(fd);
	EXPECT_EQ(1, send(fd[0], "q", 1, 0));
	EXPECT_OK(shutdown(fd[0], SHUT_WR));
	EXPECT_EQ(1, recv(fd[1], &c, 1, 0));
	EXPECT_EQ(0, recv(fd[1], &c, 1, 0));
	EXPECT_TRUE(UNTIL(state_of(fd[0]) == FIN_WAIT2));
	EXPECT_EQ(CLOSE_WAIT, state_of(fd[1]));
	pid = MUST(fork());
	if (!pid)
		_exit(send_pattern(fd[1], total) != total);
	MUST(close(fd[1]));
	EXPECT_EQ(total, recv_pattern(fd[0], total));
	EXPECT_EQ(0, recv(fd[0], &c, 1, 0));
	MUST(waitpid(pid, NULL, 0));
	EXPECT_EQ(CLOSED, state_of(fd[0]));
}

TEST_F(shutdown, write_side)
{
	int fd[2];

	pair(fd);
	signal(SIGPIPE, on_sigpipe);
	EXPECT_OK(shutdown(fd[0], SHUT_WR));
	EXPECT_ERR(EPIPE, send(fd[0], "x", 1, MSG_NOSIGNAL));
	EXPECT_EQ(0, got_sigpipe);
	EXPECT_ERR(EPIPE, send(fd[0], "x", 1, 0));
	EXPECT_EQ(1, got_sigpipe);
	EXPECT_ERR(EPIPE, write(fd[0], "x", 1));
	EXPECT_EQ(2, got_sigpipe);
	EXPECT_ERR(EPIPE, send(fd[0], "x", 1, MSG_DONTWAIT | MSG_NOSIGNAL));
	EXPECT_EQ(2, got_sigpipe);
	EXPECT_OK(shutdown(fd[0], SHUT_WR));
	EXPECT_EQ(0, so_error(fd[0]));
	/* A peer that sends is none the wiser. */
	EXPECT_EQ(1, send(fd[1], "y", 1, 0));
	EXPECT_TRUE(wait_inq(fd[0], 1));
}

TEST_F(shutdown, read_side)
{
	char buf[8];
	int fd[2];

	pair(fd);
	EXPECT_EQ(2, send(fd[1], "ab", 2, 0));
	ASSERT_TRUE(wait_inq(fd[0], 2));
	EXPECT_OK(shutdown(fd[0], SHUT_RD));
	/* Nothing goes on the wire; what had come is still to be had. */
	EXPECT_EQ(ESTABLISHED, state_of(fd[0]));
	EXPECT_EQ(2, recv(fd[0], buf, 8, 0));
	EXPECT_EQ(0, recv(fd[0], buf, 8, 0));
	EXPECT_EQ(1, send(fd[0], "c", 1, 0));
	EXPECT_EQ(1, recv(fd[1], buf, 1, 0));
	EXPECT_EQ(ESTABLISHED, state_of(fd[1]));
	/* Linux keeps what comes later, too (shutdown(2) leaves it open). */
	EXPECT_EQ(1, send(fd[1], "d", 1, 0));
	EXPECT_TRUE(wait_acked(fd[1]));
	EXPECT_EQ(1, recv(fd[0], buf, 1, 0));
	EXPECT_EQ('d', buf[0]);
	EXPECT_EQ(0, recv(fd[0], buf, 1, 0));
}

TEST_F(shutdown, both_sides)
{
	int fd[2];
	char c;

	pair(fd);
	EXPECT_OK(shutdown(fd[0], SHUT_RDWR));
	EXPECT_EQ(0, recv(fd[0], &c, 1, 0));
	EXPECT_ERR(EPIPE, send(fd[0], &c, 1, MSG_NOSIGNAL));
	EXPECT_EQ(0, recv(fd[1], &c, 1, 0));
	EXPECT_TRUE(UNTIL(state_of(fd[0]) == FIN_WAIT2));
	EXPECT_OK(shutdown(fd[1], SHUT_RDWR));
	EXPECT_TRUE(UNTIL(state_of(fd[0]) == CLOSED));
	EXPECT_TRUE(UNTIL(state_of(fd[1]) == CLOSED));
	EXPECT_ERR(ENOTCONN, shutdown(fd[0], SHUT_WR));
	EXPECT_ERR(ENOTCONN, shutdown(fd[1], SHUT_WR));
	EXPECT_EQ(0, so_error(fd[0]));
	EXPECT_EQ(0, so_error(fd[1]));
}

TEST_F(shutdown, flushes_what_was_sent)
{
	size_t total = 256 << 10;
	int fd[2];
	pid_t pid;
	char c;

	pair(fd);
	pid = MUST(fork());
	if (!pid) {
		MUST(close(fd[1]));
		if (send_pattern(fd[0], total) != total)
			_exit(1);
		shutdown(fd[0], SHUT_WR);
		_exit(0);
	}
	EXPECT_EQ(total, recv_pattern(fd[1], total));
	EXPECT_EQ(0, recv(fd[1], &c, 1, 0));
	MUST(waitpid(pid, NULL, 0));
}

TEST_F(shutdown, while_connecting)
{
	union addr a = black_hole();
	int fd = xsocket(SOCK_NONBLOCK);

	EXPECT_ERR(EINPROGRESS, do_connect(fd, &a));
	EXPECT_OK(shutdown(fd, SHUT_WR));
	EXPECT_EQ(CLOSED, state_of(fd));
}

/* RFC 2525 2.17, RFC 9293 3.6: data nobody will read is answered by a reset. */
TEST_F(shutdown, close_with_unread_data)
{
	int fd[2];
	char c;

	pair(fd);
	EXPECT_EQ(3, send(fd[0], "abc", 3, 0));
	ASSERT_TRUE(wait_inq(fd[1], 3));
	MUST(close(fd[1]));
	EXPECT_ERR(ECONNRESET, recv(fd[0], &c, 1, 0));
	EXPECT_EQ(0, recv(fd[0], &c, 1, 0));
}

/* Data for a socket that is gone altogether: a reset as well. */
TEST_F(shutdown, send_after_peer_closed)
{
	int fd[2];
	char c;

	pair(fd);
	MUST(close(fd[1]));
	EXPECT_EQ(0, recv(fd[0], &c, 1, 0));
	EXPECT_EQ(CLOSE_WAIT, state_of(fd[0]));
	EXPECT_EQ(1, send(fd[0], "x", 1, 0));
	EXPECT_TRUE(wait_for(fd[0], 0) & POLLERR);
	/* RFC 9293 3.10.7.4: reset in CLOSE-WAIT; POSIX names that EPIPE. */
	EXPECT_EQ(EPIPE, so_error(fd[0]));
	EXPECT_ERR(EPIPE, send(fd[0], "x", 1, MSG_NOSIGNAL));
	EXPECT_EQ(0, recv(fd[0], &c, 1, 0));
}

TEST_F(shutdown, close_flushes)
{
	size_t total = 64 << 10;
	int fd[2];
	char c;

	pair(fd);
	EXPECT_EQ(total, send_pattern(fd[0], total));
	MUST(close(fd[0]));
	EXPECT_EQ(total, recv_pattern(fd[1], total));
	EXPECT_EQ(0, recv(fd[1], &c, 1, 0));
}

/* The receiver was full when the sender closed: nothing is lost. */
TEST_F(shutdown, close_flushes_later)
{
	int fd[2];
	size_t n;
	char c;

	pair(fd);
	n = stuff(fd[0]);
	MUST(close(fd[0]));
	EXPECT_EQ(n, recv_pattern(fd[1], n));
	EXPECT_EQ(0, recv(fd[1], &c, 1, 0));
}

TEST_F(shutdown, linger_zero_resets)
{
	int fd[2];
	char c;

	pair(fd);
	EXPECT_EQ(3, send(fd[1], "abc", 3, 0));
	stuff(fd[0]);
	close_rst(fd[0]);
	EXPECT_TRUE(UNTIL(state_of(fd[1]) == CLOSED));
	EXPECT_TRUE(wait_for(fd[1], 0) & POLLERR);
	EXPECT_EQ(ECONNRESET, so_error(fd[1]));
	EXPECT_ERR(EPIPE, send(fd[1], &c, 1, MSG_NOSIGNAL));
}

/* Lingering ends when the data is acknowledged. */
TEST_F(shutdown, linger_waits_for_the_ack)
{
	int fd[2], p[2], status = -1;
	size_t n;
	pid_t pid;
	long t;
	char c;

	pair(fd);
	MUST(pipe(p));
	n = stuff(fd[0]);
	set_linger(fd[0], 1, DEADLINE_MS / 1000);
	pid = MUST(fork());
	if (!pid) {
		close(fd[0]);
		MUST(write(p[1], "", 1));
		if (recv_pattern(fd[1], n) != n)
			_exit(1);
		_exit(recv(fd[1], &c, 1, 0) != 0);
	}
	MUST(close(fd[1]));
	/* Only the last close() lingers: the child's copy must be gone. */
	MUST(read(p[0], &c, 1));
	t = now_ms();
	EXPECT_OK(close(fd[0]));
	EXPECT_GT(DEADLINE_MS - 1000, now_ms() - t);
	MUST(waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
}

/* And after its time when it is not; the rest goes on in the background. */
TEST_F(shutdown, linger_has_a_limit)
{
	int fd[2];
	size_t n;
	long t;
	char c;

	pair(fd);
	n = stuff(fd[0]);
	set_linger(fd[0], 1, 1);
	t = now_ms();
	EXPECT_OK(close(fd[0]));
	EXPECT_LE(ABOUT(1000), now_ms() - t);
	EXPECT_GT(DEADLINE_MS, now_ms() - t);
	EXPECT_EQ(n, recv_pattern(fd[1], n));
	EXPECT_EQ(0, recv(fd[1], &c, 1, 0));
}

TEST_F(shutdown, linger_option)
{
	struct linger l = { 1, 7 };
	socklen_t len = sizeof(l);
	int fd = xsocket(0);

	EXPECT_OK(getsockopt(fd, SOL_SOCKET, SO_LINGER, &l, &len));
	EXPECT_EQ(0, l.l_onoff);
	set_linger(fd, 1, 7);
	EXPECT_OK(getsockopt(fd, SOL_SOCKET, SO_LINGER, &l, &len));
	EXPECT_EQ(1, l.l_onoff);
	EXPECT_EQ(7, l.l_linger);
	EXPECT_ERR(EINVAL, setsockopt(fd, SOL_SOCKET, SO_LINGER, &l, 4));
	/* Nothing to wait for on a socket that was never connected. */
	EXPECT_OK(close(fd));
}

/* ---- those who are blocked meanwhile ---- */

struct blocked {
	int fd, tid, err;
	ssize_t ret;
	pthread_t t;
	char buf[1 << 20];
};

static void *blocked_recv(void *arg)
{
	struct blocked *b = arg;

	__atomic_store_n(&b->tid, syscall(SYS_gettid), __ATOMIC_SEQ_CST);
	errno = 0;
	b->ret = recv(b->fd, b->buf, 1, 0);
	b->err = errno;
	return NULL;
}

static void *blocked_send(void *arg)
{
	struct blocked *b = arg;

	__atomic_store_n(&b->tid, syscall(SYS_gettid), __ATOMIC_SEQ_CST);
	do {
		errno = 0;
		b->ret = send(b->fd, b->buf, sizeof(b->buf), MSG_NOSIGNAL);
	} while (b->ret > 0);
	b->err = errno;
	return NULL;
}

static struct blocked *block(int fd, void *(*fn)(void *))
{
	struct blocked *b = calloc(1, sizeof(*b));

	b->fd = fd;
	MUST(-pthread_create(&b->t, NULL, fn, b));
	if (!UNTIL(__atomic_load_n(&b->tid, __ATOMIC_SEQ_CST) && is_asleep(b->tid)))
		MUST(-1);
	return b;
}

TEST_F(shutdown, wakes_recv)
{
	struct blocked *b;
	int fd[2];

	pair(fd);
	b = block(fd[0], blocked_recv);
	EXPECT_OK(shutdown(fd[0], SHUT_RD));
	pthread_join(b->t, NULL);
	EXPECT_EQ(0, b->ret);
}

TEST_F(shutdown, wakes_send)
{
	struct blocked *b;
	int fd[2];

	pair(fd);
	stuff(fd[0]);
	b = block(fd[0], blocked_send);
	EXPECT_OK(shutdown(fd[0], SHUT_WR));
	pthread_join(b->t, NULL);
	EXPECT_EQ(-1, b->ret);
	EXPECT_EQ(EPIPE, b->err);
}

TEST_F(shutdown, reset_wakes_recv)
{
	struct blocked *b;
	int fd[2];

	pair(fd);
	b = block(fd[0], blocked_recv);
	close_rst(fd[1]);
	pthread_join(b->t, NULL);
	EXPECT_EQ(-1, b->ret);
	EXPECT_EQ(ECONNRESET, b->err);
}

TEST_F(shutdown, reset_wakes_send)
{
	struct blocked *b;
	int fd[2];

	pair(fd);
	stuff(fd[0]);
	b = block(fd[0], blocked_send);
	close_rst(fd[1]);
	pthread_join(b->t, NULL);
	EXPECT_EQ(-1, b->ret);
	EXPECT_EQ(ECONNRESET, b->err);
}

/* A blocked call holds the socket: close() in another thread ends neither. */
TEST_F(shutdown, close_under_recv)
{
	struct blocked *b;
	int fd[2];
	char c;

	pair(fd);
	b = block(fd[0], blocked_recv);
	MUST(close(fd[0]));
	EXPECT_EQ(0, poll_for(fd[1], POLLIN, 20));
	EXPECT_EQ(1, send(fd[1], "x", 1, 0));
	pthread_join(b->t, NULL);
	EXPECT_EQ(1, b->ret);
	EXPECT_EQ('x', b->buf[0]);
	/* The last user is gone now. */
	EXPECT_EQ(0, recv(fd[1], &c, 1, 0));
}

TEST_F(shutdown, disconnect_under_recv)
{
	struct sockaddr unspec = { .sa_family = AF_UNSPEC };
	struct blocked *b;
	int fd[2], ret;

	pair(fd);
	b = block(fd[0], blocked_recv);
	ret = connect(fd[0], &unspec, sizeof(unspec));
	/* Linux from 6.9 on refuses this while another thread waits. */
	if (ret) {
		EXPECT_EQ(EBUSY, errno);
		MUST(shutdown(fd[0], SHUT_RDWR));
	}
	pthread_join(b->t, NULL);
	EXPECT_GE(0, b->ret);
}

TEST_HARNESS_MAIN
