// SPDX-License-Identifier: GPL-2.0
/*
 * getsockname() and getpeername() in every state and through both doors
 * (always AF_INET or AF_INET6), short buffers, link-local IPv6 scopes.
 */
#include "net.h"

STACK_FIXTURE_MAPPED(names);
STACK_FIXTURE_V6(names6);

static int peer_err(int fd)
{
	union addr a;
	socklen_t len = sizeof(a);

	return getpeername(fd, &a.sa, &len) ? errno : 0;
}

TEST_F(names, fresh)
{
	union addr a = { .sa.sa_family = 0xff }, none = addr_any(0);
	socklen_t len = sizeof(a);
	int fd = xsocket(0);

	EXPECT_OK(getsockname(fd, &a.sa, &len));
	EXPECT_EQ(addr_len(&none), len);
	EXPECT_EQ(st->af, a.sa.sa_family);
	EXPECT_TRUE(addr_eq(&none, &a));
	EXPECT_EQ(ENOTCONN, peer_err(fd));
}

TEST_F(names, bound_and_listening)
{
	union addr a = addr_loop(0), b;
	int fd = xsocket(0);

	MUST(do_bind(fd, &a));
	b = local_addr(fd);
	EXPECT_NE(0, addr_port(&b));
	addr_set_port(&a, addr_port(&b));
	EXPECT_TRUE(addr_eq(&a, &b));
	EXPECT_EQ(ENOTCONN, peer_err(fd));
	MUST(listen(fd, 1));
	b = local_addr(fd);
	EXPECT_TRUE(addr_eq(&a, &b));
	EXPECT_EQ(ENOTCONN, peer_err(fd));
}

TEST_F(names, connecting)
{
	union addr a = black_hole(), own = addr_of("198.51.100.1", "2001:db8:1::1", 0), b;
	int fd = xsocket(SOCK_NONBLOCK);

	EXPECT_ERR(EINPROGRESS, do_connect(fd, &a));
	b = local_addr(fd);
	EXPECT_NE(0, addr_port(&b));
	addr_set_port(&own, addr_port(&b));
	EXPECT_TRUE(addr_eq(&own, &b));
	EXPECT_EQ(ENOTCONN, peer_err(fd));
}

TEST_F(names, connected)
{
	union addr any = addr_any(0), to, a, b;
	int lfd = listen_at(&any, 1), fd[2];

	to = addr_loop(addr_port(&any));
	fd[0] = connect_to(&to);
	fd[1] = MUST(accept(lfd, NULL, NULL));
	/* Each end's peer is the other; a child has a local address of its own. */
	a = local_addr(fd[0]);
	b = peer_addr(fd[1]);
	EXPECT_TRUE(addr_eq(&a, &b));
	a = peer_addr(fd[0]);
	b = local_addr(fd[1]);
	EXPECT_TRUE(addr_eq(&a, &b));
	EXPECT_TRUE(addr_eq(&to, &b));
	a = local_addr(lfd);
	EXPECT_TRUE(addr_eq(&any, &a));
	EXPECT_EQ(st->af, b.sa.sa_family);
}

TEST_F(names, closing)
{
	union addr a, b;
	int fd[2];

	pair(fd);
	a = peer_addr(fd[1]);
	MUST(shutdown(fd[0], SHUT_WR));
	EXPECT_TRUE(UNTIL(state_of(fd[1]) == CLOSE_WAIT));
	b = peer_addr(fd[1]);
	EXPECT_TRUE(addr_eq(&a, &b));
	EXPECT_EQ(0, peer_err(fd[0]));
	MUST(shutdown(fd[1], SHUT_WR));
	EXPECT_TRUE(UNTIL(state_of(fd[0]) == CLOSED && state_of(fd[1]) == CLOSED));
	EXPECT_EQ(ENOTCONN, peer_err(fd[0]));
	EXPECT_EQ(ENOTCONN, peer_err(fd[1]));
}

TEST_F(names, reset)
{
	int fd[2];

	pair(fd);
	close_rst(fd[0]);
	EXPECT_TRUE(UNTIL(state_of(fd[1]) == CLOSED));
	EXPECT_EQ(ENOTCONN, peer_err(fd[1]));
}

TEST_F(names, buffers)
{
	union addr a, full;
	socklen_t len;
	int fd[2];

	pair(fd);
	full = local_addr(fd[0]);
	memset(&a, 0xff, sizeof(a));
	len = 5;
	EXPECT_OK(getsockname(fd[0], &a.sa, &len));
	EXPECT_EQ(addr_len(&full), len);
	EXPECT_EQ(0, memcmp(&a, &full, 5));
	EXPECT_EQ(0xff, ((unsigned char *)&a)[5]);
	len = 0;
	EXPECT_OK(getpeername(fd[0], &a.sa, &len));
	EXPECT_EQ(addr_len(&full), len);
	len = -1;
	EXPECT_ERR(EINVAL, getsockname(fd[0], &a.sa, &len));
	EXPECT_ERR(EINVAL, getpeername(fd[0], &a.sa, &len));
	len = sizeof(a);
	EXPECT_ERR(EFAULT, getsockname(fd[0], (void *)8, &len));
	EXPECT_ERR(EFAULT, getsockname(fd[0], &a.sa, (void *)8));
	EXPECT_ERR(EBADF, getsockname(-1, &a.sa, &len));
	EXPECT_ERR(ENOTSOCK, getsockname(0, &a.sa, &len));
	EXPECT_ERR(ENOTSOCK, getpeername(0, &a.sa, &len));
}

/* Names that say nothing about the door, but for SO_PROTOCOL. */
TEST_F(names, domain_type_protocol)
{
	int fd = xsocket(0);

	EXPECT_EQ(st->af, get_int(fd, SOL_SOCKET, SO_DOMAIN));
	EXPECT_EQ(SOCK_STREAM, get_int(fd, SOL_SOCKET, SO_TYPE));
	EXPECT_EQ(st->xtcp ? IPPROTO_XTCP : IPPROTO_TCP,
		  get_int(fd, SOL_SOCKET, SO_PROTOCOL));
	EXPECT_EQ(0, get_int(fd, SOL_SOCKET, SO_ACCEPTCONN));
	MUST(listen(fd, 1));
	EXPECT_EQ(1, get_int(fd, SOL_SOCKET, SO_ACCEPTCONN));
}

/* ---- link-local addresses: only an interface makes them unique ---- */

static union addr link_local(int port)
{
	union addr a = addr_text("fe80::1", port);

	fresh_ns();
	add_addr("lo", &a, 64);
	a.in6.sin6_scope_id = if_nametoindex("lo");
	return a;
}

TEST_F(names6, scope)
{
	union addr a = link_local(0), b;
	unsigned int lo = if_nametoindex("lo");
	int lfd = listen_at(&a, 2), fd[2];

	EXPECT_EQ(lo, a.in6.sin6_scope_id);
	fd[0] = connect_to(&a);
	fd[1] = MUST(accept(lfd, NULL, NULL));
	b = peer_addr(fd[0]);
	EXPECT_TRUE(addr_eq(&a, &b));
	EXPECT_EQ(lo, b.in6.sin6_scope_id);
	b = local_addr(fd[0]);
	EXPECT_EQ(lo, b.in6.sin6_scope_id);
	b = local_addr(fd[1]);
	EXPECT_EQ(lo, b.in6.sin6_scope_id);
	b = peer_addr(fd[1]);
	EXPECT_EQ(lo, b.in6.sin6_scope_id);
	EXPECT_EQ(1, send(fd[0], "x", 1, 0));
	EXPECT_TRUE(wait_inq(fd[1], 1));
	/* Other addresses have none. */
	pair(fd);
	b = peer_addr(fd[0]);
	EXPECT_EQ(0, b.in6.sin6_scope_id);
}

/* A wildcard listener learns the interface from the SYN. */
TEST_F(names6, scope_of_wildcard_listener)
{
	union addr a = link_local(0), any = addr_any(0), b = {};
	socklen_t len = sizeof(b);
	int lfd = listen_at(&any, 2), fd;

	addr_set_port(&a, addr_port(&any));
	connect_to(&a);
	fd = accept(lfd, &b.sa, &len);
	ASSERT_LE(0, fd);
	EXPECT_EQ(if_nametoindex("lo"), b.in6.sin6_scope_id);
	b = local_addr(fd);
	EXPECT_EQ(if_nametoindex("lo"), b.in6.sin6_scope_id);
	EXPECT_EQ(1, send(fd, "x", 1, 0));
	EXPECT_TRUE(wait_acked(fd));
}

TEST_F(names6, scope_missing)
{
	union addr a = link_local(5);

	a.in6.sin6_scope_id = 0;
	EXPECT_ERR(EINVAL, do_bind(xsocket(0), &a));
	EXPECT_ERR(EINVAL, do_connect(xsocket(0), &a));
	a.in6.sin6_scope_id = 4711;
	EXPECT_ERR(ENODEV, do_bind(xsocket(0), &a));
}

TEST_F(names6, scope_against_device)
{
	union addr a = link_local(5);
	char dev[IFNAMSIZ] = "";
	socklen_t len = sizeof(dev);
	int fd = xsocket(0);

	add_veth("v0", "v1");
	if_flags("v0", IFF_UP, IFF_UP);
	MUST(setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "v0", 3));
	EXPECT_ERR(EINVAL, do_connect(fd, &a));
	/* In bind() the scope overrides the device. */
	EXPECT_OK(do_bind(fd, &a));
	EXPECT_OK(getsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, dev, &len));
	EXPECT_STREQ("lo", dev);
	/* Bound to the device, the scope need not be said. */
	fd = xsocket(0);
	MUST(setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "lo", 3));
	a.in6.sin6_scope_id = 0;
	addr_set_port(&a, 6);
	EXPECT_OK(do_bind(fd, &a));
}

TEST_F(names6, v6only_option)
{
	union addr any = addr_any(0);
	int fd = xsocket(0);

	EXPECT_EQ(0, get_int(fd, SOL_IPV6, IPV6_V6ONLY));
	EXPECT_OK(set_int(fd, SOL_IPV6, IPV6_V6ONLY, 1));
	EXPECT_EQ(1, get_int(fd, SOL_IPV6, IPV6_V6ONLY));
	EXPECT_OK(set_int(fd, SOL_IPV6, IPV6_V6ONLY, 0));
	MUST(do_bind(fd, &any));
	EXPECT_ERR(EINVAL, set_int(fd, SOL_IPV6, IPV6_V6ONLY, 1));
	EXPECT_EQ(0, get_int(fd, SOL_IPV6, IPV6_V6ONLY));
}

TEST_HARNESS_MAIN
