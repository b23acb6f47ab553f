// SPDX-License-Identifier: GPL-2.0
/*
 * Megabytes: one way, both ways, in odd sizes, byte by byte, out of files and
 * pipes (sendfile, splice, tee), every byte checked.
 * API_BULK_KB bounds the large transfers on slow machines (default 8192).
 */
#include "stack.h"
#include <sys/sendfile.h>

STACK_FIXTURE(bulk);

static size_t bulk_bytes(void)
{
	const char *kb = getenv("API_BULK_KB");

	return (kb ? strtoul(kb, NULL, 10) : 8192) * 1024;
}

/* A child that sends the pattern and leaves. */
static pid_t child_sends(int fd, int other, size_t total)
{
	pid_t pid = MUST(fork());

	if (pid)
		return pid;
	close(other);
	_exit(send_pattern(fd, total) != total);
}

static int child_status(pid_t pid)
{
	int status = -1;

	MUST(waitpid(pid, &status, 0));
	return status;
}

TEST_F(bulk, one_way)
{
	size_t total = bulk_bytes();
	int fd[2];
	pid_t pid;
	char c;

	pair(fd);
	pid = child_sends(fd[0], fd[1], total);
	MUST(close(fd[0]));
	EXPECT_EQ(total, recv_pattern(fd[1], total));
	EXPECT_EQ(0, recv(fd[1], &c, 1, 0));
	EXPECT_EQ(0, child_status(pid));
}

/* Both directions at once, each end sending from a process of its own. */
TEST_F(bulk, both_ways)
{
	size_t total = bulk_bytes() / 2;
	pid_t pid[3];
	int fd[2];

	pair(fd);
	pid[0] = child_sends(fd[0], -1, total);
	pid[1] = child_sends(fd[1], -1, total);
	pid[2] = MUST(fork());
	if (!pid[2])
		_exit(recv_pattern(fd[0], total) != total);
	EXPECT_EQ(total, recv_pattern(fd[1], total));
	EXPECT_EQ(0, child_status(pid[0]));
	EXPECT_EQ(0, child_status(pid[1]));
	EXPECT_EQ(0, child_status(pid[2]));
}

/* Sizes that fit nothing: odd writes in, odd reads out. */
TEST_F(bulk, odd_sizes)
{
	static const int in[] = { 1, 2, 3, 7, 536, 1447, 1449, 4095, 4097, 9001, 65537 };
	static unsigned char buf[65537], got[65537];
	size_t off = 0, roff = 0;
	int fd[2], i, j = 0;
	ssize_t n;

	pair(fd);
	for (i = 0; i < 110; i++) {
		fill(buf, in[i % 11], off);
		n = send(fd[0], buf, in[i % 11], MSG_DONTWAIT);
		off += n < 0 ? 0 : n;
		while ((n = recv(fd[1], got, in[(j * 5 + 3) % 11], MSG_DONTWAIT)) > 0) {
			ASSERT_TRUE(filled(got, n, roff));
			roff += n;
			j++;
		}
	}
	while (roff < off && (n = recv(fd[1], got, sizeof(got), 0)) > 0) {
		ASSERT_TRUE(filled(got, n, roff));
		roff += n;
	}
	EXPECT_EQ(off, roff);
	EXPECT_LT(100000, off);
}

TEST_F(bulk, one_byte_writes)
{
	unsigned char c;
	int fd[2], i;

	pair(fd);
	MUST(set_int(fd[0], SOL_TCP, TCP_NODELAY, 1));
	for (i = 0; i < 1000; i++) {
		c = pattern(i);
		ASSERT_EQ(1, send(fd[0], &c, 1, 0));
	}
	EXPECT_EQ(1000, recv_pattern(fd[1], 1000));
}

/* A file in memory that holds the pattern. */
static int pattern_file(size_t total)
{
	int fd = MUST(memfd_create("pattern", MFD_CLOEXEC));
	static unsigned char buf[65536];
	size_t off;

	for (off = 0; off < total; off += sizeof(buf)) {
		fill(buf, sizeof(buf), off);
		if (write(fd, buf, sizeof(buf)) != sizeof(buf))
			MUST(-1);
	}
	return fd;
}

TEST_F(bulk, sendfile)
{
	size_t total = 1 << 20, sent = 0;
	int fd[2], file = pattern_file(total);
	off_t off = 0;
	ssize_t n;
	pid_t pid;

	pair(fd);
	pid = MUST(fork());
	if (!pid)
		_exit(recv_pattern(fd[1], total) != total);
	while (sent < total && (n = sendfile(fd[0], file, &off, total - sent)) > 0)
		sent += n;
	EXPECT_EQ(total, sent);
	EXPECT_EQ(total, off);
	EXPECT_EQ(0, sendfile(fd[0], file, &off, 1));
	EXPECT_EQ(0, child_status(pid));
	MUST(shutdown(fd[0], SHUT_WR));
	off = 0;
	EXPECT_ERR(EPIPE, sendfile(fd[0], file, &off, 1));
}

/* Pipe to socket and socket to pipe. */
TEST_F(bulk, splice)
{
	size_t total = 256 << 10, in = 0, out = 0, sent = 0;
	int fd[2], p[2], q[2], file = pattern_file(total);
	static unsigned char buf[65536];
	loff_t off = 0;
	ssize_t n;

	pair(fd);
	MUST(pipe(p));
	MUST(pipe(q));
	/* SPLICE_F_NONBLOCK is about the pipe; the socket has its own flag. */
	set_nonblock(fd[1], true);
	EXPECT_ERR(EAGAIN, splice(fd[1], NULL, q[1], NULL, 10, 0));
	set_nonblock(fd[1], false);
	while (out < total) {
		if (in < total) {
			n = splice(file, &off, p[1], NULL, 16384, 0);
			ASSERT_LT(0, n);
			in += n;
		}
		while (sent < in) {
			n = splice(p[0], NULL, fd[0], NULL, in - sent, 0);
			ASSERT_LT(0, n);
			sent += n;
		}
		n = splice(fd[1], NULL, q[1], NULL, 16384, 0);
		ASSERT_LT(0, n);
		ASSERT_EQ(n, read(q[0], buf, n));
		ASSERT_TRUE(filled(buf, n, out));
		out += n;
	}
	EXPECT_EQ(total, sent);
	MUST(close(fd[0]));
	EXPECT_EQ(0, splice(fd[1], NULL, q[1], NULL, 10, 0));
}

TEST_F(bulk, splice_to_closed_peer)
{
	int fd[2], p[2];

	pair(fd);
	MUST(pipe(p));
	EXPECT_EQ(3, write(p[1], "abc", 3));
	MUST(shutdown(fd[0], SHUT_WR));
	EXPECT_ERR(EPIPE, splice(p[0], NULL, fd[0], NULL, 3, 0));
	EXPECT_ERR(ENOTCONN, splice(xsocket(0), NULL, p[1], NULL, 3, 0));
}

/* What was spliced out of a socket can be tee'd: it stays what it was. */
TEST_F(bulk, tee)
{
	int fd[2], p[2], q[2];
	char buf[16] = {};

	pair(fd);
	MUST(pipe(p));
	MUST(pipe(q));
	EXPECT_EQ(6, send(fd[0], "abcdef", 6, 0));
	ASSERT_TRUE(wait_inq(fd[1], 6));
	EXPECT_EQ(6, splice(fd[1], NULL, p[1], NULL, 100, 0));
	EXPECT_EQ(6, tee(p[0], q[1], 100, 0));
	EXPECT_EQ(6, send(fd[0], "ghijkl", 6, 0));
	EXPECT_EQ(6, splice(p[0], NULL, fd[1], NULL, 6, 0));
	MUST(close(p[1]));
	EXPECT_EQ(6, read(q[0], buf, 16));
	EXPECT_STREQ("abcdef", buf);
	EXPECT_EQ(6, recv(fd[0], buf, 6, MSG_WAITALL));
	EXPECT_STREQ("abcdef", buf);
}

TEST_HARNESS_MAIN
