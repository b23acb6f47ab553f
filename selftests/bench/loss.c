// SPDX-License-Identifier: GPL-2.0
/*
 * Workloads for networks that lose packets, the same code for every stack:
 *
 *	loss serve   PROTO PORT				(until killed)
 *	loss rr      PROTO PORT ADDR COUNT SIZE		SIZE bytes there and back, one connection
 *	loss flow    PROTO PORT ADDR COUNT SIZE		connect, ask, receive SIZE bytes
 *	loss connect PROTO PORT ADDR COUNT		connect() alone
 *	loss incast  PROTO PORT ADDR COUNT SIZE SENDERS	ask all at once, receive SIZE bytes of each
 *	loss bulk    PROTO PORT ADDR SECONDS		receive until the server, after that time, ends
 *	loss fair    PROTO PORT ADDR SECONDS SEED PROTO PORT ADDR
 *						receive from two, the other up to 2 s later, by SEED
 *
 * PROTO is 6 or 253, sockets are socket(AF_INET, SOCK_STREAM, PROTO).  The environment may name a
 * file to write a 1 to between connections (FORGET): what the host knows of the destination is gone
 * then.  rr, flow, connect, incast: one line of percentiles in ns, then a line of points of
 * the distribution; the first tenth of the samples of rr and incast is not counted.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CHUNK		65536
#define MAX_SENDERS	256

struct hello {			/* a client's first bytes */
	char kind;
	char pad[3];
	uint32_t size;
};

static int proto, port;
static char buf[CHUNK];
static uint64_t *sample;
static int samples;

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

static struct sockaddr_in address(const char *text)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(port) };

	if (text && inet_pton(AF_INET, text, &in.sin_addr) != 1)
		die(text);
	return in;
}

static int open_to(const char *text)
{
	static const int one = 1;
	struct sockaddr_in in = address(text);
	int fd = socket(AF_INET, SOCK_STREAM, proto);

	if (fd < 0)
		die("socket");
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (connect(fd, (struct sockaddr *)&in, sizeof(in)))
		die("connect");
	return fd;
}

static int send_all(int fd, size_t size)
{
	while (size) {
		ssize_t n = send(fd, buf, size < CHUNK ? size : CHUNK, MSG_NOSIGNAL);

		if (n < 0)
			return -1;
		size -= n;
	}
	return 0;
}

static int receive_all(int fd, size_t size)
{
	while (size) {
		ssize_t n = recv(fd, buf, size < CHUNK ? size : CHUNK, 0);

		if (n <= 0)
			return -1;
		size -= n;
	}
	return 0;
}

static void greet(int fd, char kind, uint32_t size)
{
	struct hello hello = { .kind = kind, .size = size };

	if (send(fd, &hello, sizeof(hello), 0) != sizeof(hello))
		die("send");
}

static void forget(void)
{
	const char *file = getenv("FORGET");
	int fd;

	if (!file)
		return;
	fd = open(file, O_WRONLY);
	if (fd < 0 || write(fd, "1", 1) != 1)
		die(file);
	close(fd);
}

/* ---- server: flows in turn, lasting connections in a process each ---- */

static void serve_lasting(int fd, const struct hello *hello)
{
	if (hello->kind == 'b')
		for (uint64_t end = now_ns() + hello->size * 1000000ULL; now_ns() < end;) {
			if (send_all(fd, CHUNK))
				return;
		}
	else if (hello->kind == 'i')
		while (recv(fd, buf, 1, 0) == 1 && !send_all(fd, hello->size))
			;
	else
		while (!receive_all(fd, hello->size) && !send_all(fd, hello->size))
			;
}

static void serve_one(int fd)
{
	static const int one = 1;
	struct hello hello;

	if (recv(fd, &hello, sizeof(hello), MSG_WAITALL) != sizeof(hello))
		return;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (hello.kind == 'f') {
		send_all(fd, hello.size);
	} else if (!fork()) {
		serve_lasting(fd, &hello);
		_exit(0);
	}
}

static void serve(void)
{
	struct sockaddr_in in = address(NULL);
	int one = 1, lfd = socket(AF_INET, SOCK_STREAM, proto), fd;

	if (lfd < 0)
		die("socket");
	setsockopt(lfd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(lfd, (struct sockaddr *)&in, sizeof(in)) || listen(lfd, 4096))
		die("listen");
	signal(SIGCHLD, SIG_IGN);
	while ((fd = accept(lfd, NULL, NULL)) >= 0) {
		serve_one(fd);
		close(fd);
		forget();
	}
	die("accept");
}

/* ---- clients ---- */

static void record(uint64_t start)
{
	sample[samples++] = now_ns() - start;
}

static void rr(const char *addr, int count, uint32_t size)
{
	int fd = open_to(addr), i;

	greet(fd, 'r', size);
	for (i = -count / 10; i < count; i++) {
		uint64_t start = now_ns();

		if (send_all(fd, size) || receive_all(fd, size))
			die("rr");
		if (i >= 0)
			record(start);
	}
}

static void flow(const char *addr, int count, uint32_t size)
{
	while (count--) {
		uint64_t start;
		int fd;

		forget();
		start = now_ns();
		fd = open_to(addr);
		greet(fd, 'f', size);
		if (receive_all(fd, size))
			die("flow");
		record(start);
		while (recv(fd, buf, 1, 0) > 0)
			;
		close(fd);
	}
}

static void connects(const char *addr, int count)
{
	while (count--) {
		uint64_t start;
		int fd;

		forget();
		start = now_ns();
		fd = open_to(addr);
		record(start);
		close(fd);
	}
}

static void round_of(struct pollfd *pfd, int senders, uint32_t size)
{
	static uint32_t left[MAX_SENDERS];
	int busy = senders, i;

	for (i = 0; i < senders; i++) {
		left[i] = size;
		if (send(pfd[i].fd, "x", 1, 0) != 1)
			die("send");
		pfd[i].events = POLLIN;
	}
	while (busy) {
		if (poll(pfd, senders, -1) < 0)
			die("poll");
		for (i = 0; i < senders; i++) {
			ssize_t n;

			if (!pfd[i].revents)
				continue;
			n = recv(pfd[i].fd, buf, CHUNK, 0);
			if (n <= 0)
				die("incast");
			left[i] -= n;
			if (!left[i]) {
				pfd[i].events = 0;
				busy--;
			}
		}
	}
}

static void incast(const char *addr, int count, uint32_t size, int senders)
{
	static struct pollfd pfd[MAX_SENDERS];
	int i;

	if (senders > MAX_SENDERS)
		exit(2);
	for (i = 0; i < senders; i++) {
		pfd[i].fd = open_to(addr);
		greet(pfd[i].fd, 'i', size);
	}
	for (i = -count / 10; i < count; i++) {
		uint64_t start = now_ns();

		round_of(pfd, senders, size);
		if (i >= 0)
			record(start);
	}
}

static void bulk(const char *addr, double seconds)
{
	uint64_t start = now_ns(), bytes = 0;
	int fd = open_to(addr);
	ssize_t n;

	greet(fd, 'b', seconds * 1000);
	while ((n = recv(fd, buf, sizeof(buf), 0)) > 0)
		bytes += n;
	if (n < 0)
		die("bulk");
	printf("bytes %llu ns %llu\n", (unsigned long long)bytes,
	       (unsigned long long)(now_ns() - start));
}

/* Until @end: what each of both has sent. */
static void receive_both(struct pollfd *pfd, uint64_t end, uint64_t *bytes)
{
	uint64_t now;

	while ((now = now_ns()) < end) {
		if (poll(pfd, 2, (end - now) / 1000000 + 1) < 0)
			die("poll");
		for (int i = 0; i < 2; i++) {
			ssize_t n;

			if (!pfd[i].revents)
				continue;
			n = recv(pfd[i].fd, buf, CHUNK, 0);
			if (n <= 0)
				die("fair");
			bytes[i] += n;
		}
	}
}

/* Two flows: counted from the second one's first byte on. */
static void fair(char **arg)
{
	struct pollfd pfd[2] = { { -1, POLLIN, 0 }, { -1, POLLIN, 0 } };
	uint64_t bytes[2] = { 0 }, start;
	double seconds = atof(arg[1]);

	srand48(atoi(arg[2]));
	pfd[0].fd = open_to(arg[0]);
	greet(pfd[0].fd, 'b', (seconds + 10) * 1000);
	receive_both(pfd, now_ns() + drand48() * 2e9, bytes);
	proto = atoi(arg[3]);
	port = atoi(arg[4]);
	pfd[1].fd = open_to(arg[5]);
	greet(pfd[1].fd, 'b', (seconds + 10) * 1000);
	while (!bytes[1])
		receive_both(pfd, now_ns() + 1000000, bytes);
	bytes[0] = bytes[1] = 0;
	start = now_ns();
	receive_both(pfd, start + seconds * 1e9, bytes);
	printf("first %llu second %llu ns %llu\n", (unsigned long long)bytes[0],
	       (unsigned long long)bytes[1], (unsigned long long)(now_ns() - start));
}

/* ---- results ---- */

static int by_value(const void *a, const void *b)
{
	return (*(const uint64_t *)a > *(const uint64_t *)b) -
	       (*(const uint64_t *)a < *(const uint64_t *)b);
}

static uint64_t percentile(double share)
{
	int i = samples * share;

	return sample[i < samples ? i : samples - 1];
}

static void report(void)
{
	double sum = 0;
	int i;

	qsort(sample, samples, sizeof(*sample), by_value);
	for (i = 0; i < samples; i++)
		sum += sample[i];
	printf("n %d mean %.0f p50 %llu p90 %llu p99 %llu p999 %llu max %llu\n", samples,
	       sum / samples, (unsigned long long)percentile(0.5),
	       (unsigned long long)percentile(0.9), (unsigned long long)percentile(0.99),
	       (unsigned long long)percentile(0.999), (unsigned long long)percentile(1));
	printf("points");
	/* ten points a decade of the share above: 1, 0.79, ... 0.0001 */
	for (i = 0; i <= 40; i++) {
		double above = 1;

		for (int k = 0; k < i; k++)
			above *= 0.7943282347;
		printf(" %.5f:%llu", above, (unsigned long long)percentile(1 - above));
	}
	printf("\n");
}

static int client(int argc, char **argv)
{
	const char *kind = argv[1], *addr = argv[4];
	int count = atoi(argv[5]);
	uint32_t size = argc > 6 ? strtoul(argv[6], NULL, 0) : 1;

	sample = calloc(count + 1, sizeof(*sample));
	if (!strcmp(kind, "bulk"))
		bulk(addr, atof(argv[5]));
	else if (!strcmp(kind, "fair") && argc > 9)
		fair(argv + 4);
	else if (!strcmp(kind, "rr"))
		rr(addr, count, size);
	else if (!strcmp(kind, "flow"))
		flow(addr, count, size);
	else if (!strcmp(kind, "connect"))
		connects(addr, count);
	else if (!strcmp(kind, "incast") && argc > 7)
		incast(addr, count, size, atoi(argv[7]));
	else
		return 2;
	if (samples)
		report();
	return 0;
}

int main(int argc, char **argv)
{
	if (argc < 4)
		return 2;
	proto = atoi(argv[2]);
	port = atoi(argv[3]);
	if (!strcmp(argv[1], "serve"))
		serve();
	return argc < 6 ? 2 : client(argc, argv);
}
