// SPDX-License-Identifier: GPL-2.0
/*
 * Memory that can't be had, by the kernel's fault injection: every allocation
 * of every call fails once, and the call gives an error or does without, and
 * works when it is repeated; a transfer goes on while allocations fail all the
 * time, and no acknowledged byte is lost.  Debian's kernels inject no faults:
 * there the tests are skipped.
 */
#include "stack.h"

STACK_FIXTURE(nomem);

#define DEBUG	"/sys/kernel/debug/"
#define CALLS	400		/* more allocations than any call makes */

static const char * const kinds[] = { "failslab/", "fail_page_alloc/" };

static bool injects(void)
{
	return !access(DEBUG "failslab/probability", W_OK) &&
	       !access("/proc/thread-self/fail-nth", W_OK);
}

/* Kernel TCP waits for hours where a FIN has found no memory, and is not asked. */
#define NEEDS_INJECTION() do {						\
	if (!st->xtcp) {						\
		SKIP(return, "reference: not asked of kernel TCP");	\
	}								\
	if (!injects()) {						\
		SKIP(return, "reference: this kernel injects no faults"); \
	}								\
} while (0)

static void fault_set(const char *name, const char *val)
{
	char path[128];
	unsigned int i;

	for (i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), DEBUG "%s%s", kinds[i], name);
		if (!access(path, W_OK))
			MUST(file_write(path, val));
	}
}

/* All kinds of allocation may fail, also those that could wait for memory. */
static void faults_everywhere(void)
{
	fault_set("probability", "0");
	fault_set("verbose", "0");
	fault_set("times", "-1");
	fault_set("ignore-gfp-wait", "N");
	fault_set("ignore-gfp-highmem", "N");
	fault_set("min-order", "0");
}

/* ---- one failure in a call ---- */

/* What the calls need and leave */
struct life {
	union addr at;
	int lfd, fd[2], file;
};

struct op {
	const char *name;
	void (*before)(struct life *l);		/* undisturbed */
	long (*call)(struct life *l);		/* -1 or what it did */
	bool (*works)(struct life *l);		/* undisturbed, after it was repeated */
};

static void ready(struct life *l)
{
	l->lfd = listener(&l->at, 8);
	l->fd[0] = xsocket(0);
	l->fd[1] = -1;
}

static void connected(struct life *l)
{
	l->lfd = listener(&l->at, 8);
	pair_on(l->lfd, l->fd);
}

static bool moves_data(struct life *l)
{
	char c = 0;

	return send(l->fd[0], "a", 1, 0) == 1 && recv(l->fd[1], &c, 1, 0) == 1 && c == 'a' &&
	       send(l->fd[1], "b", 1, 0) == 1 && recv(l->fd[0], &c, 1, 0) == 1 && c == 'b';
}

static void nothing(struct life *l)
{
	l->lfd = l->fd[0] = l->fd[1] = -1;
}

static long call_socket(struct life *l)
{
	l->fd[0] = socket(st->domain, SOCK_STREAM, st->proto);
	return l->fd[0];
}

static bool works_socket(struct life *l)
{
	l->lfd = listener(&l->at, 1);
	return !do_connect(l->fd[0], &l->at);
}

static void unbound(struct life *l)
{
	nothing(l);
	l->fd[0] = xsocket(0);
	l->at = addr_loop(0);
}

static long call_bind(struct life *l)
{
	return do_bind(l->fd[0], &l->at);
}

static bool works_bind(struct life *l)
{
	return local_port(l->fd[0]) && !listen(l->fd[0], 1);
}

static long call_listen(struct life *l)
{
	return listen(l->fd[0], 1);
}

static bool works_listen(struct life *l)
{
	l->at = local_addr(l->fd[0]);
	l->fd[1] = connect_to(&l->at);
	return accept(l->fd[0], NULL, NULL) >= 0;
}

static long call_connect(struct life *l)
{
	return do_connect(l->fd[0], &l->at);
}

static bool works_connect(struct life *l)
{
	l->fd[1] = accept(l->lfd, NULL, NULL);
	return l->fd[1] >= 0 && moves_data(l);
}

static void waiting(struct life *l)
{
	l->lfd = listener(&l->at, 8);
	l->fd[0] = connect_to(&l->at);
	l->fd[1] = -1;
}

static long call_accept(struct life *l)
{
	l->fd[1] = accept(l->lfd, NULL, NULL);
	return l->fd[1];
}

static void has_data(struct life *l)
{
	connected(l);
	MUST(send(l->fd[0], "a", 1, 0));
	MUST(wait_inq(l->fd[1], 1) ? 0 : -1);
}

static long call_recv(struct life *l)
{
	char c;

	return recv(l->fd[1], &c, 1, MSG_DONTWAIT);
}

static long call_congestion(struct life *l)
{
	return setsockopt(l->fd[0], SOL_TCP, TCP_CONGESTION, "cubic", 5);
}

static long call_shutdown(struct life *l)
{
	return shutdown(l->fd[0], SHUT_WR);
}

static bool works_shutdown(struct life *l)
{
	char c;

	return recv(l->fd[1], &c, 1, 0) == 0;
}

static long call_disconnect(struct life *l)
{
	struct sockaddr unspec = { .sa_family = AF_UNSPEC };

	return connect(l->fd[0], &unspec, sizeof(unspec));
}

static bool works_disconnect(struct life *l)
{
	MUST(close(l->fd[1]));
	l->fd[1] = -1;
	return !do_connect(l->fd[0], &l->at);
}

static long call_close(struct life *l)
{
	int ret = close(l->fd[0]);

	l->fd[0] = -1;
	return ret;
}

static const struct op ops[] = {
	{ "socket", nothing, call_socket, works_socket },
	{ "bind", unbound, call_bind, works_bind },
	{ "listen", unbound, call_listen, works_listen },
	{ "connect", ready, call_connect, works_connect },
	{ "accept", waiting, call_accept, moves_data },
	{ "recv", has_data, call_recv, moves_data },
	{ "setsockopt", connected, call_congestion, moves_data },
	{ "shutdown", connected, call_shutdown, works_shutdown },
	{ "disconnect", connected, call_disconnect, works_disconnect },
	{ "close", connected, call_close, works_shutdown },
};

static void cleared(struct life *l)
{
	int i;

	for (i = 0; i < 2; i++)
		if (l->fd[i] >= 0)
			close_rst(l->fd[i]);
	if (l->lfd >= 0)
		MUST(close(l->lfd));
}

/* The N-th allocation of this thread fails from here on. */
static void arm(int nth_fd, int n)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%d", n);

	MUST(pwrite(nth_fd, text, len, 0));
}

/* Return: whether it has failed */
static bool disarm(int nth_fd)
{
	char text[16] = "";

	MUST(pread(nth_fd, text, sizeof(text) - 1, 0));
	MUST(pwrite(nth_fd, "0", 1, 0));
	return atoi(text) == 0;
}

/* An error that says what is missing */
static bool honest(int err)
{
	return err == ENOMEM || err == ENOBUFS || err == ENFILE || err == EADDRNOTAVAIL;
}

static int told(const char *fmt, const char *name, int n, const char *what)
{
	fprintf(stderr, "# ");
	fprintf(stderr, fmt, name, n, what);
	fprintf(stderr, "\n");
	return -1;
}

static int one_failure(const struct op *op, int nth_fd, int n, int *failed)
{
	struct life l;
	long ret;
	int err;
	bool hit;

	op->before(&l);
	arm(nth_fd, n);
	ret = op->call(&l);
	err = errno;
	hit = disarm(nth_fd);
	if (ret < 0) {
		++*failed;
		if (!hit || !honest(err))
			return told("%s: allocation %d: %s", op->name, n, strerror(err));
		if (op->call(&l) < 0)
			return told("%s: allocation %d, repeated: %s", op->name, n, strerror(errno));
	}
	if (!op->works(&l))
		return told("%s: allocation %d: does not work after it%s", op->name, n, "");
	cleared(&l);
	return hit;
}

TEST_F(nomem, one_failure_in_a_call)
{
	int nth_fd, n, hit, failed;
	unsigned int i;

	NEEDS_INJECTION();
	faults_everywhere();
	nth_fd = MUST(open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC));
	for (i = 0; i < ARRAY_SIZE(ops); i++) {
		failed = 0;
		for (n = 1, hit = 1; n < CALLS && hit == 1; n++)
			hit = one_failure(&ops[i], nth_fd, n, &failed);
		EXPECT_EQ(0, hit);
		TH_LOG("%s: %d allocations, %d errors", ops[i].name, n - 2, failed);
	}
	stack_traffic = true;
}

/* What a writer was told to be taken arrives, and nothing else. */
TEST_F(nomem, one_failure_in_send)
{
	static unsigned char buf[20000];
	int nth_fd, n, err = 0, fd[2];
	bool hit = true;
	ssize_t sent;

	NEEDS_INJECTION();
	faults_everywhere();
	nth_fd = MUST(open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC));
	for (n = 1; n < CALLS && hit; n++) {
		pair(fd);
		fill(buf, sizeof(buf), 0);
		arm(nth_fd, n);
		sent = send(fd[0], buf, sizeof(buf), MSG_DONTWAIT);
		err = errno;
		hit = disarm(nth_fd);
		if (sent < 0) {
			EXPECT_TRUE(hit);
			EXPECT_TRUE(honest(err) || err == EAGAIN);
			sent = 0;
		}
		fill(buf, sizeof(buf), sent);
		EXPECT_EQ(sizeof(buf), send(fd[0], buf, sizeof(buf), 0));
		ASSERT_EQ(sent + sizeof(buf), recv_pattern(fd[1], sent + sizeof(buf)));
		close_rst(fd[0]);
		close_rst(fd[1]);
	}
	EXPECT_FALSE(hit);
	stack_traffic = true;
}

/* ---- failures all the time ---- */

/* Sends while memory is missing: what is refused is tried again. */
static bool send_stubbornly(int fd, size_t total)
{
	static unsigned char buf[65536];
	size_t off = 0, len;
	ssize_t n;

	while (off < total) {
		len = total - off < sizeof(buf) ? total - off : sizeof(buf);
		fill(buf, len, off);
		n = send(fd, buf, len, MSG_NOSIGNAL);
		if (n < 0 && !honest(errno))
			return false;
		if (n < 0)
			usleep(1000);
		else
			off += n;
	}
	return !shutdown(fd, SHUT_WR);
}

static bool one_way(int fd[2], size_t total)
{
	int status = -1;
	pid_t pid;
	bool ok;
	char c;

	pid = MUST(fork());
	if (!pid)
		_exit(!send_stubbornly(fd[0], total));
	ok = recv_pattern(fd[1], total) == total && !recv(fd[1], &c, 1, 0);
	MUST(waitpid(pid, &status, 0));
	close(fd[0]);
	close(fd[1]);
	return ok && !status;
}

/* Both ends' atomic allocations, whoever asks for them: one in ten fails. */
TEST_F(nomem, transfer)
{
	int i, fd[2];
	bool ok;

	NEEDS_INJECTION();
	faults_everywhere();
	fault_set("ignore-gfp-wait", "Y");
	for (i = 0; i < 8; i++) {
		pair(fd);
		fault_set("probability", "10");
		ok = one_way(fd, 300000);
		fault_set("probability", "0");
		EXPECT_TRUE(ok);
	}
	stack_traffic = true;
}

/* Connections, one after the other, come about and go; a SYN lost costs a second or more. */
TEST_F(nomem, connections)
{
	struct sockaddr unspec = { .sa_family = AF_UNSPEC };
	int i, fd, lfd, got;
	union addr a;
	char c;

	NEEDS_INJECTION();
	faults_everywhere();
	fault_set("ignore-gfp-wait", "Y");
	lfd = listener(&a, 64);
	for (i = 0; i < 20; i++) {
		fault_set("probability", "5");
		fd = xsocket(0);
		while (do_connect(fd, &a) && honest(errno))
			connect(fd, &unspec, sizeof(unspec));
		while ((got = accept(lfd, NULL, NULL)) < 0 && honest(errno))
			usleep(1000);
		ASSERT_LE(0, got);
		EXPECT_EQ(1, send(fd, "x", 1, 0));
		EXPECT_EQ(1, recv(got, &c, 1, 0));
		EXPECT_OK(shutdown(fd, SHUT_WR));
		EXPECT_EQ(0, recv(got, &c, 1, 0));
		EXPECT_OK(close(got));
		EXPECT_EQ(0, recv(fd, &c, 1, 0));
		EXPECT_OK(close(fd));
		fault_set("probability", "0");
	}
	stack_traffic = true;
}

TEST_HARNESS_MAIN
