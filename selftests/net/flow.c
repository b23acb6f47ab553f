// SPDX-License-Identifier: GPL-2.0
/*
 * One flow of zeros in one direction, and how fast it was.
 *
 *	flow -s -p PORT [-d DOOR] [-6]
 *	flow    -p PORT [-d DOOR] [-6] [-n BYTES] [-r RATE] -a ADDR
 *
 * DOOR is tcp, inet or xtcp; RATE is for SO_MAX_PACING_RATE.  The server takes one
 * connection and prints
 *	flow BYTES SECONDS RATE LATE
 * RATE over all of it and LATE over its second half, in bytes/s.  The client prints
 *	sender BYTES RETRANSMITTED
 * when all is acknowledged.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <linux/xtcp.h>

#define CHUNK (256 << 10)

static const char *door = "inet", *addr;
static int family = AF_INET, port;
static uint64_t bytes = 10 << 20, rate;
static bool server;
static char buf[CHUNK];

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static int make_socket(void)
{
	bool v6 = family == AF_INET6;
	int fd;

	if (!strcmp(door, "xtcp"))
		fd = socket(AF_XTCP, SOCK_STREAM, v6 ? XTCPPROTO_V6 : XTCPPROTO_V4);
	else
		fd = socket(family, SOCK_STREAM, strcmp(door, "tcp") ? IPPROTO_XTCP : 0);
	if (fd < 0)
		die("socket");
	return fd;
}

static socklen_t make_addr(struct sockaddr_storage *ss)
{
	struct sockaddr_in *in = (void *)ss;
	struct sockaddr_in6 *in6 = (void *)ss;

	memset(ss, 0, sizeof(*ss));
	ss->ss_family = family;
	if (family == AF_INET) {
		in->sin_port = htons(port);
		if (addr && inet_pton(AF_INET, addr, &in->sin_addr) != 1)
			die(addr);
		return sizeof(*in);
	}
	in6->sin6_port = htons(port);
	if (addr && inet_pton(AF_INET6, addr, &in6->sin6_addr) != 1)
		die(addr);
	return sizeof(*in6);
}

/* The second half begins where half of what the client has announced is there. */
static void serve(void)
{
	struct sockaddr_storage ss;
	socklen_t len = make_addr(&ss);
	int one = 1, lfd = make_socket(), fd;
	uint64_t total, got = 0, at_half = 0;
	double start = 0, half = 0, end;
	ssize_t n;

	setsockopt(lfd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(lfd, (struct sockaddr *)&ss, len) || listen(lfd, 1))
		die("listen");
	printf("listening\n");
	fflush(stdout);
	fd = accept(lfd, NULL, NULL);
	if (fd < 0)
		die("accept");
	if (recv(fd, &total, sizeof(total), MSG_WAITALL) != sizeof(total))
		die("recv");
	start = now();
	while ((n = recv(fd, buf, sizeof(buf), 0)) > 0) {
		got += n;
		if (!half && got >= total / 2) {
			half = now();
			at_half = got;
		}
	}
	end = now();
	if (n < 0 || got != total)
		die("recv");
	printf("flow %llu %.3f %.0f %.0f\n", (unsigned long long)got, end - start,
	       got / (end - start), (got - at_half) / (end - half));
}

static void send_all(int fd)
{
	struct tcp_info ti;
	socklen_t len = sizeof(ti);
	uint64_t left = bytes;
	int queued = 1;
	ssize_t n;

	if (send(fd, &bytes, sizeof(bytes), 0) != sizeof(bytes))
		die("send");
	for (; left; left -= n) {
		n = send(fd, buf, left < CHUNK ? left : CHUNK, MSG_NOSIGNAL);
		if (n < 0)
			die("send");
	}
	while (!ioctl(fd, SIOCOUTQ, &queued) && queued)
		usleep(10000);
	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &ti, &len))
		die("TCP_INFO");
	printf("sender %llu %u\n", (unsigned long long)bytes, ti.tcpi_total_retrans);
}

static void run_client(void)
{
	struct sockaddr_storage ss;
	socklen_t len = make_addr(&ss);
	int fd = make_socket();

	if (rate && setsockopt(fd, SOL_SOCKET, SO_MAX_PACING_RATE, &rate, sizeof(rate)))
		die("SO_MAX_PACING_RATE");
	if (connect(fd, (struct sockaddr *)&ss, len))
		die("connect");
	send_all(fd);
	close(fd);
}

int main(int argc, char **argv)
{
	int o;

	while ((o = getopt(argc, argv, "s6p:d:n:r:a:")) != -1) {
		switch (o) {
		case 's': server = true; break;
		case '6': family = AF_INET6; break;
		case 'p': port = atoi(optarg); break;
		case 'd': door = optarg; break;
		case 'n': bytes = strtoull(optarg, NULL, 0); break;
		case 'r': rate = strtoull(optarg, NULL, 0); break;
		case 'a': addr = optarg; break;
		default: exit(2);
		}
	}
	if (!port || (!server && !addr))
		exit(2);
	if (server)
		serve();
	else
		run_client();
	return 0;
}
