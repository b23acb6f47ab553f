// SPDX-License-Identifier: GPL-2.0
/*
 * Pages in place of bytes: sendfile, splice, vmsplice and tee into a socket, at every offset,
 * between copied bytes, with a full buffer, and with pages that change or vanish on their way.
 * For XTCP the counter SplicedBytes proves that nothing was copied.
 */
#include "stack.h"
#include <sys/sendfile.h>

#ifndef SO_MEMINFO
#define SO_MEMINFO 55
#endif

#define PAGE	4096

STACK_FIXTURE(sendfile);

static size_t spliced;		/* the counter when the test began to look */

static void count_from_here(void)
{
	spliced = xtcp_stat("SplicedBytes");
}

/* XTCP has taken N bytes as pages since then; the reference has no such counter. */
static bool counted(size_t n)
{
	return !st->xtcp || xtcp_stat("SplicedBytes") - spliced == n;
}

/* Bytes that wait in the send queue, overhead included; 0 when all is acknowledged. */
static unsigned int queued(int fd)
{
	unsigned int v[16] = {};
	socklen_t len = sizeof(v);

	MUST(getsockopt(fd, SOL_SOCKET, SO_MEMINFO, v, &len));
	return v[5];
}

/* A file in memory that holds the pattern. */
static int pattern_file(size_t total)
{
	int fd = MUST(memfd_create("pattern", MFD_CLOEXEC));
	static unsigned char buf[65536];
	size_t off, n;

	for (off = 0; off < total; off += n) {
		n = total - off < sizeof(buf) ? total - off : sizeof(buf);
		fill(buf, n, off);
		if (write(fd, buf, n) != n)
			MUST(-1);
	}
	MUST(lseek(fd, 0, SEEK_SET));
	return fd;
}

/* Sends [off, off + len) of the file; bytes sent. */
static size_t send_range(int fd, int file, off_t off, size_t len)
{
	size_t sent = 0;
	ssize_t n;

	while (sent < len && (n = sendfile(fd, file, &off, len - sent)) > 0)
		sent += n;
	return sent;
}

/* The next LEN bytes are the pattern from OFF on. */
static bool receives(int fd, size_t len, size_t off)
{
	static unsigned char buf[65536];
	size_t n;
	ssize_t got;

	while (len) {
		n = len < sizeof(buf) ? len : sizeof(buf);
		got = recv(fd, buf, n, MSG_WAITALL);
		if (got != n || !filled(buf, n, off))
			return false;
		len -= n;
		off += n;
	}
	return true;
}

/* Much more than the buffer holds: it blocks, and the memory is given back. */
TEST_F(sendfile, longer_than_the_buffer)
{
	size_t total = (2 << 20) + 777;
	int fd[2], file = pattern_file(total);
	pid_t pid;
	int status;

	pair(fd);
	MUST(set_int(fd[0], SOL_SOCKET, SO_SNDBUF, 32768));
	pid = MUST(fork());
	if (!pid)
		_exit(recv_pattern(fd[1], total) != total);
	count_from_here();
	EXPECT_EQ(total, send_range(fd[0], file, 0, total));
	EXPECT_TRUE(counted(total));
	MUST(waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_TRUE(wait_acked(fd[0]));
	EXPECT_TRUE(UNTIL(!queued(fd[0])));
}

TEST_F(sendfile, every_offset)
{
	static const struct { int off, len; } v[] = {
		{ 0, PAGE }, { 0, 1 }, { 1, 1 }, { 1, PAGE - 1 }, { PAGE - 1, 2 }, { PAGE - 1, 1 },
		{ 1, PAGE }, { PAGE + 1, 100000 }, { 123, 65536 }, { 3 * PAGE, 2 * PAGE },
		{ 65535, 3 }, { 65537, 65535 }, { 5000, 200 }, { 199999, 1 }, { 0, 200000 },
	};
	int fd[2], file = pattern_file(200000), i;

	pair(fd);
	for (i = 0; i < sizeof(v) / sizeof(*v); i++) {
		count_from_here();
		EXPECT_EQ(v[i].len, send_range(fd[0], file, v[i].off, v[i].len));
		EXPECT_TRUE(counted(v[i].len));
		ASSERT_TRUE(receives(fd[1], v[i].len, v[i].off)) {
			TH_LOG("%d bytes from %d on", v[i].len, v[i].off);
		}
	}
}

/* A part is taken, then nothing; what was taken arrives, and then there is room again. */
TEST_F(sendfile, nonblocking)
{
	size_t total = 4 << 20, sent = 0, got = 0, n;
	int fd[2], file = pattern_file(total);
	off_t off = 0;
	ssize_t ret;

	pair(fd);
	MUST(set_int(fd[0], SOL_SOCKET, SO_SNDBUF, 65536));
	MUST(set_int(fd[1], SOL_SOCKET, SO_RCVBUF, 65536));
	set_nonblock(fd[0], true);
	ret = sendfile(fd[0], file, &off, total);
	EXPECT_LT(0, ret);
	EXPECT_GT(total, ret);
	for (; sent < total; sent = off) {
		ret = sendfile(fd[0], file, &off, total - off);
		if (ret > 0)
			continue;
		ASSERT_EQ(-1, ret);
		ASSERT_EQ(EAGAIN, errno);
		/* SO_SNDBUF is doubled, and one more run of pages goes over it */
		EXPECT_GT(3 * 65536, queued(fd[0]));
		n = off - got;
		ASSERT_TRUE(receives(fd[1], n, got));
		got += n;
		ASSERT_TRUE(wait_for(fd[0], POLLOUT) & POLLOUT);
	}
	EXPECT_EQ(total, off);
	EXPECT_TRUE(receives(fd[1], total - got, got));
}

/* What a wrong length held back for more leaves all the same. */
TEST_F(sendfile, shorter_file)
{
	int fd[2], file = pattern_file(10000);
	off_t off = 0;

	pair(fd);
	EXPECT_EQ(10000, sendfile(fd[0], file, &off, 1 << 20));
	EXPECT_EQ(0, sendfile(fd[0], file, &off, 1 << 20));
	EXPECT_TRUE(receives(fd[1], 10000, 0));
}

/* Copied bytes and pages in turns, both short: nothing is written into a page of others. */
TEST_F(sendfile, between_copies)
{
	int fd[2], file = pattern_file(65536), i, n;
	unsigned char text[600];
	size_t off = 0;

	pair(fd);
	for (i = 0; i < 300; i++) {
		n = 1 + i * 37 % 600;
		fill(text, n, off);
		ASSERT_EQ(n, send(fd[0], text, n, i % 2 ? MSG_MORE : 0));
		off += n;
		n = 1 + i * 53 % 3000;
		if (off + n > 65536)
			break;
		ASSERT_EQ(n, send_range(fd[0], file, off, n));
		off += n;
	}
	EXPECT_LT(60000, off);
	EXPECT_TRUE(receives(fd[1], off, 0));
	/* and the file is what it was */
	ASSERT_EQ(65536, send_range(fd[0], file, 0, 65536));
	EXPECT_TRUE(receives(fd[1], 65536, 0));
}

/*
 * The pages change, and then the file is cut to nothing, before the peer has read: as many
 * bytes arrive, each of them old or new, and what follows is whole.
 */
TEST_F(sendfile, file_changes)
{
	size_t len = 300000, got, i;
	unsigned char *buf = malloc(len);
	int fd[2], file = pattern_file(len), bad = 0;
	ssize_t sent;
	off_t off = 0;

	pair(fd);
	MUST(set_int(fd[1], SOL_SOCKET, SO_RCVBUF, 20000));
	set_nonblock(fd[0], true);
	sent = sendfile(fd[0], file, &off, len);
	ASSERT_LT(20000, sent);
	memset(buf, 0xa5, len);
	ASSERT_EQ(len, pwrite(file, buf, len, 0));
	MUST(ftruncate(file, 100));
	MUST(ftruncate(file, 0));
	set_nonblock(fd[0], false);
	for (got = 0; got < sent; got += i) {
		i = recv(fd[1], buf + got, sent - got, 0);
		ASSERT_LT(0, (ssize_t)i);
	}
	for (i = 0; i < got; i++)
		bad += buf[i] != 0xa5 && buf[i] && buf[i] != pattern(i);
	EXPECT_EQ(0, bad);
	EXPECT_EQ(1000, send_pattern(fd[0], 1000));
	EXPECT_TRUE(receives(fd[1], 1000, 0));
}

static void *anonymous(size_t len)
{
	char *p = mmap(NULL, len + (2 << 20), PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	MUST(p == MAP_FAILED ? -1 : 0);
	p += (2 << 20) - ((unsigned long)p & ((2 << 20) - 1));
	madvise(p, len, MADV_HUGEPAGE);		/* no matter if there are none */
	fill(p, len, 0);
	return p;
}

/* The user's memory, in huge pages where the kernel has them, through a pipe. */
TEST_F(sendfile, vmsplice)
{
	static const int at[] = { 0, 1, 65535, 65536, 65537, 100000, 1 << 20, (2 << 20) - 9000 };
	size_t len = 2 << 20, done;
	char *mem = anonymous(len);
	struct iovec iov;
	int fd[2], p[2], i;
	ssize_t n, m;

	pair(fd);
	MUST(pipe(p));
	for (i = 0; i < sizeof(at) / sizeof(*at); i++) {
		iov = (struct iovec) { mem + at[i], 9000 };
		n = vmsplice(p[1], &iov, 1, 0);
		ASSERT_EQ(9000, n);
		count_from_here();
		for (done = 0; done < n; done += m) {
			m = splice(p[0], NULL, fd[0], NULL, n - done, SPLICE_F_MORE);
			ASSERT_LT(0, m);
		}
		EXPECT_TRUE(counted(n));
		EXPECT_TRUE(receives(fd[1], n, at[i]));
	}
}

/* The same pages to two sockets, and a third copy left in a pipe. */
TEST_F(sendfile, tee)
{
	int a[2], b[2], p[2], q[2], file = pattern_file(3 * PAGE);
	char buf[3 * PAGE];
	loff_t off = 0;

	pair(a);
	pair(b);
	MUST(pipe(p));
	MUST(pipe(q));
	ASSERT_EQ(3 * PAGE, splice(file, &off, p[1], NULL, 3 * PAGE, 0));
	ASSERT_EQ(3 * PAGE, tee(p[0], q[1], 3 * PAGE, 0));
	EXPECT_EQ(3 * PAGE, splice(p[0], NULL, a[0], NULL, 3 * PAGE, 0));
	ASSERT_EQ(3 * PAGE, tee(q[0], p[1], 3 * PAGE, 0));
	EXPECT_EQ(3 * PAGE, splice(q[0], NULL, b[0], NULL, 3 * PAGE, 0));
	EXPECT_EQ(3 * PAGE, send_pattern(a[0], 3 * PAGE));
	EXPECT_TRUE(receives(a[1], 3 * PAGE, 0));
	EXPECT_TRUE(receives(b[1], 3 * PAGE, 0));
	EXPECT_TRUE(receives(a[1], 3 * PAGE, 0));
	EXPECT_EQ(sizeof(buf), read(p[0], buf, sizeof(buf)));
	EXPECT_TRUE(filled(buf, sizeof(buf), 0));
}

/* A relay without copies: what comes in at one socket leaves by another, in the pages that
 * the sender, who goes on writing, has put it into.
 */
TEST_F(sendfile, relay)
{
	int in[2], out[2], p[2], i, len;
	unsigned char buf[2000];
	size_t off = 0;
	ssize_t n, m;

	pair(in);
	pair(out);
	MUST(pipe(p));
	for (i = 0; i < 200; i++) {
		len = 1 + i * 97 % 2000;
		fill(buf, len, off);
		ASSERT_EQ(len, send(in[0], buf, len, 0));
		off += len;
		for (n = 0; n < len; n += m) {
			m = splice(in[1], NULL, p[1], NULL, len - n, 0);
			ASSERT_LT(0, m);
			ASSERT_EQ(m, splice(p[0], NULL, out[0], NULL, m, 0));
		}
		/* bytes of its own in the same page frag */
		ASSERT_EQ(1, send(out[0], "x", 1, 0));
		ASSERT_EQ(len, recv(out[1], buf, len, MSG_WAITALL));
		ASSERT_TRUE(filled(buf, len, off - len));
		ASSERT_EQ(1, recv(out[1], buf, 1, 0));
		ASSERT_EQ('x', buf[0]);
	}
}

static void on_alarm(int sig)
{
}

TEST_F(sendfile, interrupted)
{
	struct itimerval it = { { 0, 20000 }, { 0, 20000 } };
	struct sigaction sa = { .sa_handler = on_alarm };
	int fd[2], file = pattern_file(1 << 20);
	ssize_t n;

	pair(fd);
	stuff(fd[0]);
	MUST(sigaction(SIGALRM, &sa, NULL));
	MUST(setitimer(ITIMER_REAL, &it, NULL));
	while ((n = sendfile(fd[0], file, NULL, 1 << 20)) > 0)
		lseek(file, 0, SEEK_SET);
	EXPECT_EQ(-1, n);
	EXPECT_EQ(EINTR, errno);
}

TEST_F(sendfile, errors)
{
	int fd[2], file = pattern_file(100000);
	off_t off = 0;

	EXPECT_ERR(EPIPE, sendfile(xsocket(0), file, &off, 10));
	pair(fd);
	close_rst(fd[1]);
	EXPECT_TRUE(wait_for(fd[0], POLLHUP) & POLLHUP);
	EXPECT_ERR(ECONNRESET, sendfile(fd[0], file, &off, 10));
	EXPECT_ERR(EPIPE, sendfile(fd[0], file, &off, 10));
	EXPECT_EQ(0, off);
}

/* The peer never answers again: the queue goes with its pages, whoever closes. */
TEST_F(sendfile, closed_with_pages_queued)
{
	int fd[2], file = pattern_file(1 << 20), i;
	ssize_t n;

	for (i = 0; i < 2; i++) {
		pair(fd);
		drop_input(fd[1]);
		set_nonblock(fd[0], true);
		n = sendfile(fd[0], file, NULL, 1 << 20);
		EXPECT_LT(0, n);
		MUST(lseek(file, 0, SEEK_SET));
		EXPECT_LT(0, queued(fd[0]));
		if (i)
			close_rst(fd[0]);
		else
			MUST(close(fd[0]));
		close_rst(fd[1]);
	}
}

TEST_HARNESS_MAIN
