// SPDX-License-Identifier: GPL-2.0
/*
 * The socket side of a conversation, see peer.h: the calls of the user above
 * the stack under test.  All sockets are non-blocking; what must wait, polls
 * with a deadline.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>
#include <sys/socket.h>
#include "peer.h"
#include "tun.h"

static socklen_t fill_addr(union addr *a, const struct in6_addr *ip, uint16_t port)
{
	memset(a, 0, sizeof(*a));
	if (family == AF_INET) {
		a->v4.sin_family = AF_INET;
		a->v4.sin_port = htons(port);
		memcpy(&a->v4.sin_addr, ip, 4);
		return sizeof(a->v4);
	}
	a->v6.sin6_family = AF_INET6;
	a->v6.sin6_port = htons(port);
	a->v6.sin6_addr = *ip;
	return sizeof(a->v6);
}

socklen_t peer_addr(union addr *a, uint16_t port)
{
	return fill_addr(a, tun_peer_ip(), port);
}

socklen_t stack_addr(union addr *a, uint16_t port)
{
	return fill_addr(a, tun_stack_ip(), port);
}

void stack_listen(int backlog)
{
	int one = 1;
	union addr a;
	socklen_t len = stack_addr(&a, c->port);

	c->lfd = stack_socket();
	setsockopt(c->lfd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(c->lfd, &a.sa, len))
		fail("bind: %s", strerror(errno));
	if (listen(c->lfd, backlog))
		fail("listen: %s", strerror(errno));
	note("           | listen(%d)\n", backlog);
}

void stack_connect(void)
{
	union addr a;
	socklen_t len = peer_addr(&a, c->peer_port);

	if (c->fd < 0)
		c->fd = stack_socket();
	mark();
	if (!connect(c->fd, &a.sa, len) || errno != EINPROGRESS)
		fail("connect: %s, expected EINPROGRESS", strerror(errno));
	len = sizeof(a);
	if (getsockname(c->fd, &a.sa, &len))
		fail("getsockname: %s", strerror(errno));
	c->port = ntohs(a.v4.sin_port);
	note("           | connect()\n");
}

void stack_accept(void)
{
	struct pollfd pfd = { .fd = c->lfd, .events = POLLIN };
	union addr a;
	socklen_t len = sizeof(a);

	poll(&pfd, 1, 1000);
	c->fd = stack_own(accept4(c->lfd, &a.sa, &len, SOCK_NONBLOCK | SOCK_CLOEXEC));
	if (c->fd < 0)
		fail("accept: %s", strerror(errno));
	note("           | accept()\n");
	if (a.sa.sa_family != family || ntohs(a.v4.sin_port) != c->peer_port)
		fail("accept() gave port %u, expected %u", ntohs(a.v4.sin_port), c->peer_port);
}

void stack_close(void)
{
	note("           | close()\n");
	mark();
	stack_forget(c->fd);
	close(c->fd);
	c->fd = -1;
}

void stack_shutdown(int how)
{
	note("           | shutdown(%d)\n", how);
	mark();
	if (shutdown(c->fd, how))
		fail("shutdown: %s", strerror(errno));
}

void stack_write(int len)
{
	char buf[65536];
	int n, i;

	note("           | write %d bytes\n", len);
	mark();
	while (len) {
		n = len < (int)sizeof(buf) ? len : (int)sizeof(buf);
		for (i = 0; i < n; i++)
			buf[i] = seg_pattern(c->write_pos + i);
		n = send(c->fd, buf, n, MSG_NOSIGNAL);
		if (n <= 0)
			fail("send: %s with %d bytes left", strerror(errno), len);
		c->write_pos += n;
		len -= n;
	}
}

void stack_read(int len)
{
	static char buf[65536];
	int n, i;

	note("           | read %d bytes\n", len);
	while (len) {
		n = recv(c->fd, buf, len < (int)sizeof(buf) ? len : (int)sizeof(buf), 0);
		if (n <= 0)
			fail("recv: %s with %d bytes still to come", n ? strerror(errno) :
			     "end of file", len);
		for (i = 0; i < n; i++)
			if (buf[i] != seg_pattern(c->read_pos + i))
				fail("wrong byte at %d of the stream", c->read_pos + i);
		c->read_pos += n;
		len -= n;
	}
}

void stack_read_eof(void)
{
	char b;
	int n = recv(c->fd, &b, 1, 0);

	if (n)
		fail("recv: %s, expected end of file", n < 0 ? strerror(errno) : "a byte");
}

void stack_read_errno(int err)
{
	char b;
	int n = recv(c->fd, &b, 1, 0);

	if (n >= 0 || errno != err)
		fail("recv: %s, expected %s", n < 0 ? strerror(errno) : n ? "a byte" :
		     "end of file", strerror(err));
}

int stack_error(void)
{
	int err = 0;
	socklen_t len = sizeof(err);

	if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &err, &len))
		fail("SO_ERROR: %s", strerror(errno));
	return err;
}

void stack_opt(int level, int name, int value)
{
	int fd = c->fd >= 0 ? c->fd : c->lfd;

	if (setsockopt(fd, level, name, &value, sizeof(value)))
		fail("setsockopt(%d, %d, %d): %s", level, name, value, strerror(errno));
}

bool stack_readable(double ms)
{
	struct pollfd pfd = { .fd = c->fd, .events = POLLIN };

	return poll(&pfd, 1, (int)ms) == 1 && pfd.revents & POLLIN;
}

void state_becomes(enum state s, double ms)
{
	uint64_t deadline = now_ns() + ms * 1e6;
	enum state now;

	for (;;) {
		now = stack_state(c->fd, c->port, c->peer_port);
		if (now == s)
			return;
		if (now_ns() >= deadline)
			fail("state %s, expected %s after %.0f ms", state_name[now],
			     state_name[s], ms);
		poll(NULL, 0, 1);
	}
}
