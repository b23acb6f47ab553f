// SPDX-License-Identifier: GPL-2.0
/*
 * Questions and answers over connections that stay, for tests that change the
 * network below them:
 *
 *	ask -s -p PORT [-d DOOR] [-6]			answers each byte with itself
 *	ask    -p PORT [-d DOOR] [-6] -a ADDR [-a ADDR]
 *
 * DOOR is inet or xtcp.  The client has a connection to each ADDR, all from one and the
 * same local port.  For a line `N MS` of its input it asks N times over each of them,
 * with other bytes each time, and prints `ok`; or `late` if an answer is not there MS
 * milliseconds after its question, which is then waited for by the next line.
 */
#include <poll.h>
#include <unistd.h>

#include "door.h"

#define MOST 8		/* connections */
#define SIZE 64		/* of a question */

struct talk {
	int fd;
	bool waiting;			/* for the rest of an answer */
	unsigned int question, got;
};

static int port;

/* ---- the server ---- */

static bool answer(int fd)
{
	char buf[4096];
	ssize_t n = recv(fd, buf, sizeof(buf), 0);

	return n > 0 && send(fd, buf, n, MSG_NOSIGNAL) == n;
}

static void serve(void)
{
	struct pollfd p[1 + MOST] = { { .fd = make_socket(), .events = POLLIN } };
	struct sockaddr_storage ss;
	socklen_t len = make_addr(&ss, NULL, port);
	int i, n = 1;

	if (bind(p[0].fd, (void *)&ss, len) || listen(p[0].fd, MOST))
		die("listen");
	printf("listening\n");
	fflush(stdout);
	for (;;) {
		if (poll(p, n, -1) < 0)
			die("poll");
		for (i = 1; i < n; i++)
			if (p[i].revents && !answer(p[i].fd)) {
				close(p[i].fd);
				p[i--] = p[--n];
			}
		if (!(p[0].revents & POLLIN) || n > MOST)
			continue;
		p[n] = (struct pollfd){ .fd = accept(p[0].fd, NULL, NULL), .events = POLLIN };
		if (p[n++].fd < 0)
			die("accept");
	}
}

/* ---- the client ---- */

static void begin(struct talk *t, const char *addr)
{
	static int local;		/* chosen by the first */
	struct sockaddr_storage ss;
	socklen_t len = make_addr(&ss, NULL, local);

	t->fd = make_socket();
	if (bind(t->fd, (void *)&ss, len))
		die("bind");
	len = make_addr(&ss, addr, port);
	if (connect(t->fd, (void *)&ss, len))
		die("connect");
	len = sizeof(ss);
	if (getsockname(t->fd, (void *)&ss, &len))
		die("getsockname");
	local = ntohs(((struct sockaddr_in *)&ss)->sin_port);
}

/* Byte @i of the question: its text says whose it is, and which. */
static char text(int who, const struct talk *t, int i)
{
	return who * 101 + t->question * 7 + i;
}

static void question(int who, struct talk *t)
{
	char buf[SIZE];
	int i;

	t->question++;
	t->got = 0;
	t->waiting = true;
	for (i = 0; i < SIZE; i++)
		buf[i] = text(who, t, i);
	if (send(t->fd, buf, SIZE, MSG_NOSIGNAL) != SIZE)
		die("send");
}

/* Return: false when the time is over. */
static bool hear(int who, struct talk *t, int ms)
{
	struct pollfd p = { .fd = t->fd, .events = POLLIN };
	char buf[SIZE];
	ssize_t i, n;

	while (t->got < SIZE) {
		if (poll(&p, 1, ms) == 0)
			return false;
		n = recv(t->fd, buf, SIZE - t->got, 0);
		if (n <= 0)
			die("recv");
		for (i = 0; i < n; i++, t->got++)
			if (buf[i] != text(who, t, t->got)) {
				fprintf(stderr, "ask: a wrong answer on connection %d\n", who);
				exit(1);
			}
	}
	t->waiting = false;
	return true;
}

static bool ask_all(struct talk *talks, int n, int ms)
{
	bool all = true;
	int i;

	for (i = 0; i < n; i++)
		if (!talks[i].waiting)
			question(i, &talks[i]);
	for (i = 0; i < n; i++)
		all &= hear(i, &talks[i], ms);
	return all;
}

static void ask(struct talk *talks, int n)
{
	char line[64];
	int times, ms;

	printf("connected\n");
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin) && sscanf(line, "%d %d", &times, &ms) == 2) {
		while (times && ask_all(talks, n, ms))
			times--;
		printf(times ? "late\n" : "ok\n");
		fflush(stdout);
	}
}

int main(int argc, char **argv)
{
	struct talk talks[MOST] = {};
	const char *addrs[MOST];
	bool server = false;
	int i, n = 0, c;

	while ((c = getopt(argc, argv, "sp:d:6a:")) != -1) {
		if (c == 's')
			server = true;
		else if (c == 'p')
			port = atoi(optarg);
		else if (c == 'd')
			door = optarg;
		else if (c == '6')
			v6 = true;
		else if (c == 'a' && n < MOST)
			addrs[n++] = optarg;
		else
			return 2;
	}
	if (server)
		serve();
	for (i = 0; i < n; i++)
		begin(&talks[i], addrs[i]);
	ask(talks, n);
	return 0;
}
