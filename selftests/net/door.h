/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A socket by one of the two doors, and an address, for the programs that serve tests which
 * change or watch the network below a connection.
 */
#ifndef _NET_DOOR_H
#define _NET_DOOR_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <linux/xtcp.h>

static const char *door = "inet";	/* or xtcp */
static bool v6;

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static int make_socket(void)
{
	int fd, one = 1;

	if (!strcmp(door, "xtcp"))
		fd = socket(AF_XTCP, SOCK_STREAM, v6 ? XTCPPROTO_V6 : XTCPPROTO_V4);
	else
		fd = socket(v6 ? AF_INET6 : AF_INET, SOCK_STREAM, IPPROTO_XTCP);
	if (fd < 0)
		die("socket");
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return fd;
}

/* @addr may be NULL: any */
static socklen_t make_addr(struct sockaddr_storage *ss, const char *addr, int at)
{
	struct sockaddr_in *in = (void *)ss;
	struct sockaddr_in6 *in6 = (void *)ss;

	memset(ss, 0, sizeof(*ss));
	ss->ss_family = v6 ? AF_INET6 : AF_INET;
	if (v6) {
		in6->sin6_port = htons(at);
		if (addr && inet_pton(AF_INET6, addr, &in6->sin6_addr) != 1)
			die(addr);
		return sizeof(*in6);
	}
	in->sin_port = htons(at);
	if (addr && inet_pton(AF_INET, addr, &in->sin_addr) != 1)
		die(addr);
	return sizeof(*in);
}

#endif
