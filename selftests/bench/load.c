// SPDX-License-Identifier: GPL-2.0
/*
 * Workloads for the benchmarks, the same code for every stack:
 *
 *	load serve PROTO PORT				(until killed)
 *	load bulk  PROTO PORT ADDR SECONDS		bytes per second
 *	load rr    PROTO PORT ADDR SECONDS		1-byte request/response: p50 in us
 *	load crr   PROTO PORT ADDR SECONDS		connect/request/response/close a second
 *	load idle  PROTO PORT ADDR COUNT		slab bytes of a connection, both ends
 *
 * PROTO is 6 or 253, sockets are socket(AF_INET, SOCK_STREAM, PROTO).  The first byte
 * that a client sends names the workload; the server answers accordingly.  Prints one number.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CHUNK		65536
#define MAX_SAMPLES	2000000

static int proto, port;
static char buf[CHUNK];

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

static void nodelay(int fd)
{
	int one = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
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
	struct sockaddr_in in = address(text);
	int fd = socket(AF_INET, SOCK_STREAM, proto);

	if (fd < 0)
		die("socket");
	if (connect(fd, (struct sockaddr *)&in, sizeof(in)))
		die("connect");
	nodelay(fd);
	return fd;
}

/* ---- server: a process a connection, but short ones are served in turn ---- */

static void serve_bulk(int fd)
{
	while (recv(fd, buf, sizeof(buf), 0) > 0)
		;
}

static void serve_rr(int fd)
{
	while (recv(fd, buf, 1, 0) == 1)
		if (send(fd, buf, 1, MSG_NOSIGNAL) != 1)
			break;
}

static void in_child(int fd, void (*serve_one)(int fd))
{
	if (!fork()) {
		nodelay(fd);
		serve_one(fd);
		_exit(0);
	}
}

static void serve(void)
{
	struct sockaddr_in in = address(NULL);
	int one = 1, lfd = socket(AF_INET, SOCK_STREAM, proto), fd;
	char kind;

	if (lfd < 0)
		die("socket");
	setsockopt(lfd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(lfd, (struct sockaddr *)&in, sizeof(in)) || listen(lfd, 4096))
		die("listen");
	signal(SIGCHLD, SIG_IGN);
	while ((fd = accept(lfd, NULL, NULL)) >= 0) {
		if (recv(fd, &kind, 1, 0) != 1)
			kind = 0;
		if (kind == 'b')
			in_child(fd, serve_bulk);
		else if (kind == 'r')
			in_child(fd, serve_rr);
		else if (kind == 'c')
			send(fd, &kind, 1, MSG_NOSIGNAL);
		else if (kind == 'i')
			continue;		/* stays open until this process ends */
		close(fd);
	}
	die("accept");
}

/* ---- clients ---- */

static void bulk(const char *addr, double seconds)
{
	int fd = open_to(addr);
	uint64_t start, end, bytes = 0;

	buf[0] = 'b';
	/* half a second to open the windows */
	for (start = now_ns(); now_ns() - start < 500000000;)
		if (send(fd, buf, sizeof(buf), 0) < 0)
			die("send");
	start = now_ns();
	end = start + seconds * 1e9;
	while (now_ns() < end) {
		ssize_t n = send(fd, buf, sizeof(buf), 0);

		if (n < 0)
			die("send");
		bytes += n;
	}
	printf("%.0f\n", bytes * 1e9 / (now_ns() - start));
}

static int by_value(const void *a, const void *b)
{
	return (*(const uint32_t *)a > *(const uint32_t *)b) -
	       (*(const uint32_t *)a < *(const uint32_t *)b);
}

static void rr(const char *addr, double seconds)
{
	static uint32_t sample[MAX_SAMPLES];
	uint64_t end, t, before;
	int fd = open_to(addr), n = 0, warm = 0;

	if (send(fd, "r", 1, 0) != 1)
		die("send");
	end = now_ns() + seconds * 1e9;
	for (before = now_ns(); before < end && n < MAX_SAMPLES; before = t) {
		if (send(fd, "x", 1, 0) != 1 || recv(fd, buf, 1, 0) != 1)
			die("rr");
		t = now_ns();
		if (warm++ > 100)
			sample[n++] = t - before;
	}
	qsort(sample, n, sizeof(sample[0]), by_value);
	printf("%.3f\n", n ? sample[n / 2] / 1e3 : 0);
}

static void crr(const char *addr, double seconds)
{
	uint64_t start = now_ns(), end = start + seconds * 1e9;
	long n = 0;

	for (; now_ns() < end; n++) {
		int fd = open_to(addr);

		if (send(fd, "c", 1, 0) != 1 || recv(fd, buf, 1, 0) != 1)
			die("crr");
		close(fd);
	}
	printf("%.1f\n", n * 1e9 / (now_ns() - start));
}

/* Bytes in all slab caches and in kmalloc'ed tables, from /proc/slabinfo: active
 * objects times their size.
 */
static double slab_bytes(void)
{
	FILE *f = fopen("/proc/slabinfo", "r");
	double sum = 0;
	char line[512];
	unsigned long active, total, size;

	if (!f)
		die("/proc/slabinfo");
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "%*s %lu %lu %lu", &active, &total, &size) == 3)
			sum += (double)active * size;
	fclose(f);
	return sum;
}

static void settle(void)
{
	FILE *f = fopen("/proc/sys/vm/drop_caches", "w");

	if (f) {
		fputs("2", f);
		fclose(f);
	}
	sleep(2);	/* virtual time: RCU and TIME-WAIT of before are done */
}

static void idle(const char *addr, int count)
{
	struct rlimit files = { 200000, 200000 };
	double before;
	int i;

	setrlimit(RLIMIT_NOFILE, &files);
	settle();
	before = slab_bytes();
	for (i = 0; i < count; i++)
		if (send(open_to(addr), "i", 1, 0) != 1)
			die("send");
	settle();
	printf("%.0f\n", (slab_bytes() - before) / count);
}

int main(int argc, char **argv)
{
	struct rlimit files = { 200000, 200000 };

	if (argc < 4)
		return 2;
	proto = atoi(argv[2]);
	port = atoi(argv[3]);
	if (!strcmp(argv[1], "serve")) {
		setrlimit(RLIMIT_NOFILE, &files);
		serve();
	}
	if (argc < 6)
		return 2;
	if (!strcmp(argv[1], "bulk"))
		bulk(argv[4], atof(argv[5]));
	else if (!strcmp(argv[1], "rr"))
		rr(argv[4], atof(argv[5]));
	else if (!strcmp(argv[1], "crr"))
		crr(argv[4], atof(argv[5]));
	else if (!strcmp(argv[1], "idle"))
		idle(argv[4], atoi(argv[5]));
	else
		return 2;
	return 0;
}
