// SPDX-License-Identifier: GPL-2.0
/*
 * One connection, text in one direction, for tests that watch the cable:
 *
 *	oneway -s -p PORT [-d DOOR] [-6] [-b BUFFER]		takes all until the end
 *	oneway    -p PORT [-d DOOR] [-6] -a ADDR -n BYTES [-w WRITE:US]
 *
 * DOOR is inet or xtcp.  -w: WRITE bytes at a time, US microseconds between them.
 * -b: SO_RCVBUF.  The client ends the stream when all is acknowledged, so that the
 * FIN comes alone, and waits for the server's; the server prints `ok BYTES`
 * after the end of the stream if each byte was the right one.
 */
#include <errno.h>
#include <linux/sockios.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "door.h"

static const char *addr;
static bool server;
static long bytes, portion, pause_us;
static int buffer;
static int port;
static uint8_t buf[65536];

/* The byte at a place of the stream; the period is prime, so a shift shows. */
static uint8_t pattern(long at)
{
	return at % 251;
}

static int serve(void)
{
	struct sockaddr_storage ss;
	socklen_t len = make_addr(&ss, addr, port);
	int lfd = make_socket(), fd;
	long at = 0;
	ssize_t n;

	if (buffer)
		setsockopt(lfd, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof(buffer));
	if (bind(lfd, (void *)&ss, len) || listen(lfd, 1))
		die("listen");
	printf("listening\n");
	fflush(stdout);
	fd = accept(lfd, NULL, NULL);
	if (fd < 0)
		die("accept");
	while ((n = recv(fd, buf, sizeof(buf), 0)) > 0)
		for (ssize_t i = 0; i < n; i++, at++)
			if (buf[i] != pattern(at)) {
				fprintf(stderr, "oneway: byte %ld is wrong\n", at);
				return 1;
			}
	if (n < 0)
		die("recv");
	printf("ok %ld\n", at);
	return 0;
}

static void send_range(int fd, long at, long end)
{
	while (at < end) {
		long n = end - at < (long)sizeof(buf) ? end - at : (long)sizeof(buf);
		ssize_t sent;

		for (long i = 0; i < n; i++)
			buf[i] = pattern(at + i);
		sent = send(fd, buf, n, MSG_NOSIGNAL);
		if (sent < 0)
			die("send");
		at += sent;
	}
}

static void all_acknowledged(int fd)
{
	struct timespec ms = { 0, 1000000 };
	int left;

	while (!ioctl(fd, SIOCOUTQ, &left) && left)
		nanosleep(&ms, NULL);
}

static void client(void)
{
	struct timespec ts = { pause_us / 1000000, pause_us % 1000000 * 1000 };
	struct sockaddr_storage ss;
	socklen_t len = make_addr(&ss, addr, port);
	int fd = make_socket();

	if (connect(fd, (void *)&ss, len))
		die("connect");
	if (!portion)
		portion = bytes;
	for (long at = 0; at < bytes; at += portion) {
		if (at)
			nanosleep(&ts, NULL);
		send_range(fd, at, at + portion < bytes ? at + portion : bytes);
	}
	all_acknowledged(fd);
	shutdown(fd, SHUT_WR);
	/* the server closes after our FIN */
	if (recv(fd, buf, 1, 0) < 0)
		die("recv");
}

int main(int argc, char **argv)
{
	int o;

	prctl(PR_SET_TIMERSLACK, 1);
	while ((o = getopt(argc, argv, "s6p:d:n:a:w:b:")) != -1) {
		switch (o) {
		case 's':
			server = true;
			break;
		case '6':
			v6 = true;
			break;
		case 'p':
			port = atoi(optarg);
			break;
		case 'd':
			door = optarg;
			break;
		case 'n':
			bytes = atol(optarg);
			break;
		case 'a':
			addr = optarg;
			break;
		case 'b':
			buffer = atoi(optarg);
			break;
		case 'w':
			if (sscanf(optarg, "%ld:%ld", &portion, &pause_us) != 2)
				return 2;
			break;
		default:
			return 2;
		}
	}
	if (server)
		return serve();
	if (!addr)
		return 2;
	client();
	return 0;
}
