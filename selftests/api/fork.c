// SPDX-License-Identifier: GPL-2.0
/*
 * One socket, several users: processes and threads that accept, send and
 * receive together, duplicated and passed descriptors, a process that dies.
 */
#include "stack.h"

STACK_FIXTURE(fork);

#define CLIENTS 24

/* Accepts forever; each client is told who took it. */
static pid_t acceptor(int lfd, int who)
{
	pid_t pid = MUST(fork());
	char c = who;
	int fd;

	if (pid)
		return pid;
	MUST(prctl(PR_SET_PDEATHSIG, SIGKILL));
	while ((fd = accept(lfd, NULL, NULL)) >= 0) {
		if (write(fd, &c, 1) != 1)
			_exit(1);
		close(fd);
	}
	_exit(0);
}

TEST_F(fork, accept_in_processes)
{
	int lfd, fd[CLIENTS], i, got[4] = {};
	union addr a;
	pid_t pid[4];
	char c;

	lfd = listener(&a, CLIENTS);
	for (i = 0; i < 4; i++)
		pid[i] = acceptor(lfd, i);
	for (i = 0; i < CLIENTS; i++)
		fd[i] = connect_to(&a);
	for (i = 0; i < CLIENTS; i++) {
		/* Exactly one of them took it: one byte, then the end. */
		ASSERT_EQ(1, recv(fd[i], &c, 1, 0));
		ASSERT_GT(4, (unsigned char)c);
		got[(int)c]++;
		EXPECT_EQ(0, recv(fd[i], &c, 1, 0));
	}
	EXPECT_EQ(CLIENTS, got[0] + got[1] + got[2] + got[3]);
	for (i = 0; i < 4; i++) {
		kill(pid[i], SIGKILL);
		MUST(waitpid(pid[i], NULL, 0));
	}
	/* This process still listens. */
	EXPECT_EQ(LISTENING, state_of(lfd));
}

static void *accept_one(void *arg)
{
	int lfd = *(int *)arg;

	return (void *)(long)accept(lfd, NULL, NULL);
}

TEST_F(fork, accept_in_threads)
{
	int lfd, i, j, cl[8];
	pthread_t t[8];
	void *fd[8];
	union addr a;

	lfd = listener(&a, 8);
	for (i = 0; i < 8; i++)
		MUST(-pthread_create(&t[i], NULL, accept_one, &lfd));
	for (i = 0; i < 8; i++)
		cl[i] = connect_to(&a);
	for (i = 0; i < 8; i++) {
		pthread_join(t[i], &fd[i]);
		EXPECT_LE(0, (long)fd[i]);
		for (j = 0; j < i; j++)
			EXPECT_NE(fd[i], fd[j]);
	}
	for (i = 0; i < 8; i++)
		close(cl[i]);
}

#define RECORDS 400
#define RECORD 97

struct job {
	int fd, byte;
	size_t count;
	pthread_t t;
};

static void *send_records(void *arg)
{
	struct job *j = arg;
	char buf[RECORD];
	int i;

	memset(buf, j->byte, sizeof(buf));
	for (i = 0; i < RECORDS; i++)
		for (size_t off = 0; off < sizeof(buf);) {
			ssize_t n = send(j->fd, buf + off, sizeof(buf) - off, MSG_NOSIGNAL);

			if (n <= 0)
				return NULL;
			off += n;
			j->count += n;
		}
	return NULL;
}

static void *count_bytes(void *arg)
{
	struct job *j = arg;
	char buf[1024];
	ssize_t n;

	while ((n = recv(j->fd, buf, sizeof(buf), 0)) > 0)
		j->count += n;
	return NULL;
}

/* What several threads send into one socket arrives whole, in some order. */
TEST_F(fork, send_in_threads)
{
	size_t got[4] = {}, all = 0, i;
	struct job j[4] = {};
	char buf[4096];
	int fd[2];
	ssize_t n;

	pair(fd);
	for (i = 0; i < 4; i++) {
		j[i].fd = fd[0];
		j[i].byte = i;
		MUST(-pthread_create(&j[i].t, NULL, send_records, &j[i]));
	}
	while (all < 4 * RECORDS * RECORD && (n = recv(fd[1], buf, sizeof(buf), 0)) > 0) {
		for (i = 0; i < (size_t)n; i++)
			got[(int)buf[i] & 3]++;
		all += n;
	}
	for (i = 0; i < 4; i++) {
		pthread_join(j[i].t, NULL);
		EXPECT_EQ(RECORDS * RECORD, got[i]);
	}
}

/* And each byte is received by one of several readers. */
TEST_F(fork, recv_in_threads)
{
	struct job r[3] = {}, s = {};
	size_t sum = 0, i;
	int fd[2];

	pair(fd);
	for (i = 0; i < 3; i++) {
		r[i].fd = fd[1];
		MUST(-pthread_create(&r[i].t, NULL, count_bytes, &r[i]));
	}
	s.fd = fd[0];
	send_records(&s);
	MUST(shutdown(fd[0], SHUT_WR));
	for (i = 0; i < 3; i++) {
		pthread_join(r[i].t, NULL);
		sum += r[i].count;
	}
	EXPECT_EQ(RECORDS * RECORD, s.count);
	EXPECT_EQ(s.count, sum);
}

TEST_F(fork, both_ways_in_threads)
{
	struct job s[2] = {}, r[2] = {};
	int fd[2], i;

	pair(fd);
	for (i = 0; i < 2; i++) {
		s[i].fd = r[i].fd = fd[i];
		MUST(-pthread_create(&s[i].t, NULL, send_records, &s[i]));
		MUST(-pthread_create(&r[i].t, NULL, count_bytes, &r[i]));
	}
	for (i = 0; i < 2; i++) {
		pthread_join(s[i].t, NULL);
		MUST(shutdown(fd[i], SHUT_WR));
	}
	for (i = 0; i < 2; i++) {
		pthread_join(r[i].t, NULL);
		EXPECT_EQ(RECORDS * RECORD, r[i].count);
	}
}

TEST_F(fork, duplicated)
{
	int fd[2], d;
	char c;

	pair(fd);
	d = MUST(dup(fd[0]));
	/* Flags of the open file are shared, the connection lives with the last. */
	set_nonblock(d, true);
	EXPECT_ERR(EAGAIN, recv(fd[0], &c, 1, 0));
	MUST(close(fd[0]));
	EXPECT_EQ(1, send(d, "x", 1, 0));
	EXPECT_EQ(1, recv(fd[1], &c, 1, 0));
	EXPECT_EQ(ESTABLISHED, state_of(fd[1]));
	MUST(close(d));
	EXPECT_EQ(0, recv(fd[1], &c, 1, 0));
}

TEST_F(fork, shutdown_reaches_all)
{
	int fd[2], d;
	char c;

	pair(fd);
	d = MUST(dup(fd[0]));
	MUST(shutdown(d, SHUT_WR));
	EXPECT_ERR(EPIPE, send(fd[0], "x", 1, MSG_NOSIGNAL));
	EXPECT_EQ(0, recv(fd[1], &c, 1, 0));
}

TEST_F(fork, child_keeps_the_connection)
{
	int fd[2], p[2];
	pid_t pid;
	char c;

	pair(fd);
	MUST(pipe(p));
	pid = MUST(fork());
	if (!pid) {
		close(p[1]);
		close(fd[1]);
		/* Until the parent says so. */
		if (read(p[0], &c, 1) != 1 || send(fd[0], "c", 1, 0) != 1)
			_exit(1);
		_exit(0);
	}
	MUST(close(fd[0]));
	EXPECT_EQ(0, poll_for(fd[1], POLLIN | POLLRDHUP, 20));
	EXPECT_EQ(1, write(p[1], "", 1));
	EXPECT_EQ(1, recv(fd[1], &c, 1, 0));
	EXPECT_EQ(0, recv(fd[1], &c, 1, 0));
	MUST(waitpid(pid, NULL, 0));
}

/* A process killed: its connections are closed like any other. */
TEST_F(fork, killed)
{
	int fd[2];
	pid_t pid;
	char c;

	pair(fd);
	pid = MUST(fork());
	if (!pid) {
		close(fd[1]);
		recv(fd[0], &c, 1, 0);
		_exit(0);
	}
	MUST(close(fd[0]));
	EXPECT_TRUE(UNTIL(is_asleep(pid)));
	kill(pid, SIGKILL);
	MUST(waitpid(pid, NULL, 0));
	EXPECT_EQ(0, recv(fd[1], &c, 1, 0));
}

TEST_F(fork, passed_descriptor)
{
	char ctl[CMSG_SPACE(sizeof(int))] = {}, c = 0;
	struct iovec iov = { &c, 1 };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = ctl,
			    .msg_controllen = sizeof(ctl) };
	struct cmsghdr *cm = CMSG_FIRSTHDR(&m);
	int fd[2], u[2], got;

	pair(fd);
	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, u));
	cm->cmsg_level = SOL_SOCKET;
	cm->cmsg_type = SCM_RIGHTS;
	cm->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(cm), &fd[0], sizeof(int));
	EXPECT_EQ(1, sendmsg(u[0], &m, 0));
	MUST(close(fd[0]));
	/* In flight, the descriptor keeps the connection. */
	EXPECT_EQ(0, poll_for(fd[1], POLLIN, 0));
	EXPECT_EQ(1, recvmsg(u[1], &m, 0));
	memcpy(&got, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof(int));
	EXPECT_EQ(1, send(got, "x", 1, 0));
	EXPECT_EQ(1, recv(fd[1], &c, 1, 0));
	EXPECT_EQ('x', c);
	MUST(close(got));
	EXPECT_EQ(0, recv(fd[1], &c, 1, 0));
}

/* Connections come and go: 300 of them leave nothing but TIME-WAIT. */
TEST_F(fork, churn)
{
	union addr a;
	int lfd = listener(&a, 8), fd[2], i;
	unsigned long before = stack_stat("CurrEstab");
	char c;

	for (i = 0; i < 300; i++) {
		pair_on(lfd, fd);
		ASSERT_EQ(1, send(fd[i & 1], "x", 1, 0));
		ASSERT_EQ(1, recv(fd[!(i & 1)], &c, 1, 0));
		MUST(close(fd[0]));
		MUST(close(fd[1]));
	}
	EXPECT_TRUE(UNTIL(stack_stat("CurrEstab") == before));
}

TEST_HARNESS_MAIN
