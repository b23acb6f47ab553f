// SPDX-License-Identifier: GPL-2.0
/*
 * bind(): ephemeral ports, conflicts between wildcard and specific addresses,
 * SO_REUSEADDR and SO_REUSEPORT, privileged ports, wrong addresses, devices,
 * TIME-WAIT, and one source port used towards several destinations.
 */
#include "net.h"

STACK_FIXTURE_MAPPED(bind);
STACK_FIXTURE_V6(bind6);

static int bound(const union addr *a, int reuse)
{
	int fd = xsocket(0);

	if (reuse)
		MUST(set_int(fd, SOL_SOCKET, reuse, 1));
	if (do_bind(fd, a)) {
		int err = errno;

		close(fd);
		errno = err;
		return -1;
	}
	return fd;
}

static void port_range(int lo, int hi)
{
	char buf[32];

	snprintf(buf, sizeof(buf), "%d %d", lo, hi);
	MUST(file_write("/proc/sys/net/ipv4/ip_local_port_range", buf));
}

/* A second loopback address of the variant's family. */
static union addr addr_second(void)
{
	union addr a = addr_of("127.0.0.2", "fd00::2", 0);

	if (st->af == AF_INET6 && !st->mapped)
		add_addr("lo", &a, 128);
	return a;
}

TEST_F(bind, ephemeral_range)
{
	union addr a = addr_loop(0);
	unsigned int i, port;
	bool seen[10] = {};
	int fd;

	fresh_ns();
	port_range(40000, 40009);
	for (i = 0; i < 10; i++) {
		fd = bound(&a, 0);
		ASSERT_LE(0, fd);
		port = local_port(fd);
		ASSERT_LE(40000, port);
		ASSERT_GE(40009, port);
		EXPECT_FALSE(seen[port - 40000]);
		seen[port - 40000] = true;
	}
	EXPECT_ERR(EADDRINUSE, bound(&a, 0));
}

TEST_F(bind, connect_range_exhausted)
{
	union addr a = addr_loop(5000);
	int i, fd;

	fresh_ns();
	port_range(40000, 40003);
	MUST(listen_at(&a, 16));
	for (i = 0; i < 4; i++) {
		fd = connect_to(&a);
		EXPECT_LE(40000, local_port(fd));
		EXPECT_GE(40003, local_port(fd));
	}
	EXPECT_ERR(EADDRNOTAVAIL, do_connect(xsocket(0), &a));
}

TEST_F(bind, same_address_conflicts)
{
	union addr a = addr_loop(0);
	int fd = bound(&a, 0);

	ASSERT_LE(0, fd);
	a = local_addr(fd);
	EXPECT_NE(0, addr_port(&a));
	EXPECT_ERR(EADDRINUSE, bound(&a, 0));
	EXPECT_ERR(EADDRINUSE, bound(&a, SO_REUSEADDR));
	EXPECT_ERR(EADDRINUSE, bound(&a, SO_REUSEPORT));
	MUST(close(fd));
	fd = bound(&a, 0);
	EXPECT_LE(0, fd);
}

TEST_F(bind, wildcard_and_specific)
{
	union addr any = addr_any(0), one = addr_loop(0);
	int fd;

	fd = bound(&any, 0);
	ASSERT_LE(0, fd);
	addr_set_port(&one, local_port(fd));
	EXPECT_ERR(EADDRINUSE, bound(&one, 0));
	MUST(close(fd));
	fd = bound(&one, 0);
	ASSERT_LE(0, fd);
	addr_set_port(&any, local_port(fd));
	EXPECT_ERR(EADDRINUSE, bound(&any, 0));
}

TEST_F(bind, two_specific_addresses)
{
	union addr a = addr_loop(0), b, any;
	int fd;

	fresh_ns();
	b = addr_second();
	fd = bound(&a, 0);
	ASSERT_LE(0, fd);
	addr_set_port(&b, local_port(fd));
	EXPECT_OK(bound(&b, 0));
	any = addr_any(local_port(fd));
	EXPECT_ERR(EADDRINUSE, bound(&any, 0));
}

/* The listener on the more specific address gets the connection. */
TEST_F(bind, specific_listener_wins)
{
	union addr any = addr_any(0), one = addr_loop(0), b;
	int l_any, l_one, fd;

	fresh_ns();
	b = addr_second();
	l_any = xsocket(0);
	MUST(set_int(l_any, SOL_SOCKET, SO_REUSEPORT, 1));
	MUST(do_bind(l_any, &any));
	MUST(listen(l_any, 4));
	addr_set_port(&one, local_port(l_any));
	addr_set_port(&b, local_port(l_any));
	l_one = bound(&one, SO_REUSEPORT);
	ASSERT_LE(0, l_one);
	MUST(listen(l_one, 4));
	connect_to(&one);
	EXPECT_EQ(POLLIN, wait_for(l_one, POLLIN));
	EXPECT_EQ(0, poll_for(l_any, POLLIN, 0));
	fd = connect_to(&b);
	EXPECT_LE(0, fd);
	EXPECT_EQ(POLLIN, wait_for(l_any, POLLIN));
}

TEST_F(bind, reuseaddr_until_one_listens)
{
	union addr a = addr_loop(0);
	int fd, fd2;

	fd = bound(&a, SO_REUSEADDR);
	ASSERT_LE(0, fd);
	a = local_addr(fd);
	fd2 = bound(&a, SO_REUSEADDR);
	ASSERT_LE(0, fd2);
	EXPECT_ERR(EADDRINUSE, bound(&a, 0));
	EXPECT_OK(listen(fd, 1));
	EXPECT_ERR(EADDRINUSE, listen(fd2, 1));
	EXPECT_ERR(EADDRINUSE, bound(&a, SO_REUSEADDR));
	a = addr_any(local_port(fd));
	EXPECT_ERR(EADDRINUSE, bound(&a, SO_REUSEADDR));
}

TEST_F(bind, reuseport_spreads)
{
	union addr a = addr_loop(0);
	int fd[2], i, got[2] = {};

	fd[0] = bound(&a, SO_REUSEPORT);
	ASSERT_LE(0, fd[0]);
	a = local_addr(fd[0]);
	fd[1] = bound(&a, SO_REUSEPORT);
	ASSERT_LE(0, fd[1]);
	EXPECT_ERR(EADDRINUSE, bound(&a, 0));
	EXPECT_ERR(EADDRINUSE, bound(&a, SO_REUSEADDR));
	for (i = 0; i < 2; i++) {
		MUST(listen(fd[i], 64));
		set_nonblock(fd[i], true);
	}
	/* A fair choice by hash leaves one side empty once in 2^39. */
	for (i = 0; i < 40; i++)
		connect_to(&a);
	for (i = 0; i < 2; i++)
		EXPECT_TRUE(UNTIL(accept(fd[i], NULL, NULL) >= 0 ? (got[i]++, false) :
				  got[i] > 0));
	EXPECT_EQ(40, got[0] + got[1]);
}

/* Where one member of a group closes, the others still get connections. */
TEST_F(bind, reuseport_member_leaves)
{
	union addr a = addr_loop(0);
	int fd[2], i, n = 0;

	fd[0] = bound(&a, SO_REUSEPORT);
	ASSERT_LE(0, fd[0]);
	a = local_addr(fd[0]);
	fd[1] = bound(&a, SO_REUSEPORT);
	ASSERT_LE(0, fd[1]);
	MUST(listen(fd[0], 32));
	MUST(listen(fd[1], 32));
	MUST(close(fd[0]));
	set_nonblock(fd[1], true);
	for (i = 0; i < 12; i++)
		connect_to(&a);
	EXPECT_TRUE(UNTIL(accept(fd[1], NULL, NULL) >= 0 && ++n == 12));
}

TEST_F(bind, reuseport_other_user)
{
	union addr a = addr_loop(0);
	int fd = bound(&a, SO_REUSEPORT);

	ASSERT_LE(0, fd);
	a = local_addr(fd);
	MUST(seteuid(65534));
	EXPECT_ERR(EADDRINUSE, bound(&a, SO_REUSEPORT));
	MUST(seteuid(0));
	EXPECT_OK(bound(&a, SO_REUSEPORT));
}

TEST_F(bind, privileged_port)
{
	union addr a = addr_loop(80);

	fresh_ns();
	MUST(seteuid(65534));
	EXPECT_ERR(EACCES, bound(&a, 0));
	addr_set_port(&a, 1023);
	EXPECT_ERR(EACCES, bound(&a, 0));
	addr_set_port(&a, 1024);
	EXPECT_OK(bound(&a, 0));
	MUST(seteuid(0));
	addr_set_port(&a, 80);
	EXPECT_OK(bound(&a, 0));
}

TEST_F(bind, wrong_lengths)
{
	union addr a = addr_loop(0);
	int fd = xsocket(0), min = st->af == AF_INET ? 16 : 24;

	EXPECT_ERR(EINVAL, bind(fd, &a.sa, 0));
	EXPECT_ERR(EINVAL, bind(fd, &a.sa, 1));
	EXPECT_ERR(EINVAL, bind(fd, &a.sa, min - 1));
	EXPECT_ERR(EINVAL, bind(fd, &a.sa, -1));
	EXPECT_ERR(EINVAL, bind(fd, &a.sa, sizeof(a.ss) + 1));
	EXPECT_ERR(EFAULT, bind(fd, (void *)8, addr_len(&a)));
	EXPECT_ERR(EBADF, bind(-1, &a.sa, addr_len(&a)));
	EXPECT_ERR(ENOTSOCK, bind(0, &a.sa, addr_len(&a)));
	/* Nothing of that bound it.  24 bytes are RFC 2133's sockaddr_in6. */
	EXPECT_EQ(0, local_port(fd));
	EXPECT_OK(bind(fd, &a.sa, min));
	EXPECT_NE(0, local_port(fd));
	EXPECT_ERR(EINVAL, bind(fd, &a.sa, min));
}

TEST_F(bind, wrong_families)
{
	union addr a = addr_loop(0);
	int fd = xsocket(0);

	a.sa.sa_family = st->af == AF_INET ? AF_INET6 : AF_INET;
	EXPECT_ERR(EAFNOSUPPORT, bind(fd, &a.sa, sizeof(a.in6)));
	a.sa.sa_family = AF_UNIX;
	EXPECT_ERR(EAFNOSUPPORT, bind(fd, &a.sa, sizeof(a.in6)));
	a.sa.sa_family = AF_UNSPEC;
	EXPECT_ERR(EAFNOSUPPORT, bind(fd, &a.sa, sizeof(a.in6)));
	EXPECT_EQ(0, local_port(fd));
	/* ip(7): AF_UNSPEC with INADDR_ANY is taken, on IPv4 only. */
	memset(&a, 0, sizeof(a));
	if (st->af == AF_INET)
		EXPECT_OK(bind(fd, &a.sa, sizeof(a.in)));
	else
		EXPECT_ERR(EAFNOSUPPORT, bind(fd, &a.sa, sizeof(a.in6)));
}

TEST_F(bind, not_a_local_address)
{
	union addr a = addr_of("192.0.2.1", "2001:db8::1", 0), b;
	union addr mc = addr_of("224.0.0.1", "ff02::1", 0);
	int fd = xsocket(0), level = SOL_IP, opt = IP_FREEBIND;

	EXPECT_ERR(EADDRNOTAVAIL, do_bind(fd, &a));
	if (st->af == AF_INET6 && !st->mapped)
		EXPECT_ERR(EINVAL, do_bind(fd, &mc));
	EXPECT_OK(set_int(fd, level, opt, 1));
	EXPECT_OK(do_bind(fd, &a));
	b = local_addr(fd);
	addr_set_port(&a, addr_port(&b));
	EXPECT_TRUE(addr_eq(&a, &b));
}

TEST_F(bind, device)
{
	union addr a = addr_any(0), l = addr_loop(0);
	char dev[IFNAMSIZ] = "";
	socklen_t len = sizeof(dev);
	int fd[3];

	fresh_ns();
	add_veth("v0", "v1");
	fd[0] = xsocket(0);
	EXPECT_ERR(ENODEV, setsockopt(fd[0], SOL_SOCKET, SO_BINDTODEVICE, "nope", 5));
	EXPECT_OK(setsockopt(fd[0], SOL_SOCKET, SO_BINDTODEVICE, "v0", 3));
	EXPECT_OK(getsockopt(fd[0], SOL_SOCKET, SO_BINDTODEVICE, dev, &len));
	EXPECT_STREQ("v0", dev);
	EXPECT_OK(do_bind(fd[0], &a));
	EXPECT_OK(listen(fd[0], 1));
	addr_set_port(&a, local_port(fd[0]));
	addr_set_port(&l, local_port(fd[0]));
	/* Not on that device: nobody listens. */
	EXPECT_ERR(ECONNREFUSED, do_connect(xsocket(0), &l));
	/* No device conflicts with any device, another device does not. */
	fd[1] = xsocket(0);
	EXPECT_ERR(EADDRINUSE, do_bind(fd[1], &a));
	fd[2] = xsocket(0);
	EXPECT_OK(setsockopt(fd[2], SOL_SOCKET, SO_BINDTODEVICE, "lo", 3));
	EXPECT_OK(do_bind(fd[2], &a));
	EXPECT_OK(listen(fd[2], 1));
	connect_to(&l);
	EXPECT_EQ(POLLIN, wait_for(fd[2], POLLIN));
	EXPECT_EQ(0, poll_for(fd[0], POLLIN, 0));
}

TEST_F(bind, address_no_port)
{
	union addr a = addr_loop(0), to[2], b;
	int fd[3], i;

	fresh_ns();
	port_range(40000, 40000);
	for (i = 0; i < 2; i++) {
		to[i] = addr_loop(5000 + i);
		MUST(listen_at(&to[i], 2));
	}
	for (i = 0; i < 3; i++) {
		fd[i] = xsocket(0);
		EXPECT_OK(set_int(fd[i], SOL_IP, IP_BIND_ADDRESS_NO_PORT, 1));
		EXPECT_EQ(1, get_int(fd[i], SOL_IP, IP_BIND_ADDRESS_NO_PORT));
		EXPECT_OK(do_bind(fd[i], &a));
		EXPECT_EQ(0, local_port(fd[i]));
	}
	for (i = 0; i < 2; i++) {
		EXPECT_OK(do_connect(fd[i], &to[i]));
		b = local_addr(fd[i]);
		EXPECT_EQ(40000, addr_port(&b));
		addr_set_port(&b, 0);
		EXPECT_TRUE(addr_eq(&a, &b));
	}
	EXPECT_ERR(EADDRNOTAVAIL, do_connect(fd[2], &to[0]));
}

/* Ports chosen by connect() are shared between destinations. */
TEST_F(bind, one_port_many_destinations)
{
	union addr to[4];
	int fd, i;

	fresh_ns();
	port_range(40000, 40000);
	for (i = 0; i < 4; i++) {
		to[i] = addr_loop(5000 + i);
		MUST(listen_at(&to[i], 2));
	}
	for (i = 0; i < 4; i++) {
		fd = xsocket(0);
		EXPECT_OK(do_connect(fd, &to[i]));
		EXPECT_EQ(40000, local_port(fd));
	}
	EXPECT_ERR(EADDRNOTAVAIL, do_connect(xsocket(0), &to[0]));
	/* The port is taken for bind(). */
	to[0] = addr_loop(40000);
	EXPECT_ERR(EADDRINUSE, bound(&to[0], 0));
}

/* The same with bind() and SO_REUSEADDR; a 4-tuple exists only once. */
TEST_F(bind, reuseaddr_many_destinations)
{
	union addr a = addr_loop(0), to[2];
	int fd[3], i;

	for (i = 0; i < 2; i++)
		listener(&to[i], 2);
	for (i = 0; i < 3; i++) {
		fd[i] = bound(&a, SO_REUSEADDR);
		ASSERT_LE(0, fd[i]);
		a = local_addr(fd[i]);
	}
	EXPECT_OK(do_connect(fd[0], &to[0]));
	EXPECT_OK(do_connect(fd[1], &to[1]));
	EXPECT_ERR(EADDRNOTAVAIL, do_connect(fd[2], &to[0]));
}

/* The server that closed first left its port in TIME-WAIT. */
TEST_F(bind, timewait)
{
	union addr a = addr_loop(0);
	int fd[2], lfd;
	char c;

	lfd = bound(&a, SO_REUSEADDR);
	ASSERT_LE(0, lfd);
	MUST(listen(lfd, 1));
	a = local_addr(lfd);
	pair_on(lfd, fd);
	MUST(close(fd[1]));
	EXPECT_EQ(0, recv(fd[0], &c, 1, 0));
	MUST(close(fd[0]));
	MUST(close(lfd));
	EXPECT_ERR(EADDRINUSE, bound(&a, 0));
	EXPECT_ERR(EADDRINUSE, bound(&a, SO_REUSEPORT));
	lfd = bound(&a, SO_REUSEADDR);
	ASSERT_LE(0, lfd);
	EXPECT_OK(listen(lfd, 1));
	pair_on(lfd, fd);
}

/* Closes FD[0] first, so that its address pair goes into TIME-WAIT. */
static void end_in_timewait(int fd[2])
{
	char c;

	MUST(shutdown(fd[0], SHUT_WR));
	MUST(recv(fd[1], &c, 1, 0));
	MUST(close(fd[1]));
	MUST(recv(fd[0], &c, 1, 0));
	MUST(close(fd[0]));
}

/* A time stamp of the first second after boot is 0, and for kernel TCP no time stamp at all. */
static void leave_first_second(void)
{
	struct timespec now;

	while (MUST(clock_gettime(CLOCK_MONOTONIC, &now)), now.tv_sec < 2)
		usleep(100000);
}

/* RFC 6191: the client takes its last port again, if it has waited a second. */
TEST_F(bind, timewait_and_connect)
{
	union addr to = addr_loop(5000);
	int lfd, fd[2];
	char c;

	fresh_ns();
	leave_first_second();
	port_range(40000, 40000);
	lfd = listen_at(&to, 4);
	MUST(file_write(stack_sysctl("tw_reuse"), "0"));
	pair_on(lfd, fd);
	end_in_timewait(fd);
	usleep(2100000);
	EXPECT_ERR(EADDRNOTAVAIL, do_connect(xsocket(0), &to));
	MUST(file_write(stack_sysctl("tw_reuse"), "1"));
	pair_on(lfd, fd);
	EXPECT_EQ(40000, local_port(fd[0]));
	EXPECT_EQ(1, send(fd[0], "x", 1, 0));
	EXPECT_EQ(1, recv(fd[1], &c, 1, 0));
	end_in_timewait(fd);
	/* Too soon. */
	EXPECT_ERR(EADDRNOTAVAIL, do_connect(xsocket(0), &to));
}

/* A port that bind() has named is not asked how long ago. */
TEST_F(bind, timewait_and_bound_connect)
{
	union addr to, me = addr_refused();
	int lfd = listener(&to, 4), fd[2], i;
	char c;

	for (i = 0; i < 3; i++) {
		fd[0] = bound(&me, SO_REUSEADDR);
		ASSERT_LE(0, fd[0]);
		EXPECT_OK(do_connect(fd[0], &to));
		fd[1] = accept(lfd, NULL, NULL);
		ASSERT_LE(0, fd[1]);
		EXPECT_EQ(1, send(fd[0], "x", 1, 0));
		EXPECT_EQ(1, recv(fd[1], &c, 1, 0));
		end_in_timewait(fd);
		usleep(10000);
	}
	stack_traffic = true;
}

/* A socket with children alive: the port stays taken without SO_REUSEADDR. */
TEST_F(bind, children_hold_the_port)
{
	union addr a;
	int fd[2], lfd = listener(&a, 1);

	pair_on(lfd, fd);
	MUST(close(lfd));
	EXPECT_ERR(EADDRINUSE, bound(&a, 0));
	close_rst(fd[1]);
	EXPECT_TRUE(wait_for(fd[0], POLLERR) & POLLERR);
	EXPECT_OK(bound(&a, 0));
}

static int bound_v6(const char *text, unsigned int port, int v6only)
{
	struct sockaddr_in6 a = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	int fd = xsocket(0), err;

	MUST(set_int(fd, SOL_IPV6, IPV6_V6ONLY, v6only));
	if (inet_pton(AF_INET6, text, &a.sin6_addr) != 1)
		abort();
	if (!bind(fd, (void *)&a, sizeof(a)))
		return fd;
	err = errno;
	close(fd);
	errno = err;
	return -1;
}

/* v6 and v4-mapped binds of one port, with and without IPV6_V6ONLY. */
TEST_F(bind6, v6only)
{
	int fd, port;

	fd = bound_v6("::", 0, 1);
	ASSERT_LE(0, fd);
	port = local_port(fd);
	EXPECT_ERR(EINVAL, set_int(fd, SOL_IPV6, IPV6_V6ONLY, 0));
	EXPECT_EQ(1, get_int(fd, SOL_IPV6, IPV6_V6ONLY));
	EXPECT_ERR(EADDRINUSE, bound_v6("::", port, 0));
	EXPECT_ERR(EADDRINUSE, bound_v6("::1", port, 1));
	EXPECT_OK(bound_v6("::ffff:127.0.0.1", port, 0));
	EXPECT_ERR(EINVAL, bound_v6("::ffff:127.0.0.1", 0, 1));

	fd = bound_v6("::", 0, 0);
	ASSERT_LE(0, fd);
	port = local_port(fd);
	EXPECT_ERR(EADDRINUSE, bound_v6("::ffff:127.0.0.1", port, 0));
	EXPECT_ERR(EADDRINUSE, bound_v6("::ffff:0.0.0.0", port, 0));

	fd = bound_v6("::ffff:0.0.0.0", 0, 0);
	ASSERT_LE(0, fd);
	port = local_port(fd);
	EXPECT_ERR(EADDRINUSE, bound_v6("::", port, 0));
	EXPECT_OK(bound_v6("::", port, 1));
}

/* v4-mapped and plain v4 sockets share one port space. */
TEST_F(bind6, mapped_and_v4)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	int fd, fd4;

	fd = bound_v6("::ffff:127.0.0.1", 0, 0);
	ASSERT_LE(0, fd);
	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	a.sin_port = htons(local_port(fd));
	fd4 = v4_socket();
	EXPECT_ERR(EADDRINUSE, bind(fd4, (void *)&a, sizeof(a)));
	a.sin_addr.s_addr = htonl(INADDR_ANY);
	EXPECT_ERR(EADDRINUSE, bind(fd4, (void *)&a, sizeof(a)));
	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1);
	EXPECT_OK(bind(fd4, (void *)&a, sizeof(a)));
}

TEST_HARNESS_MAIN
