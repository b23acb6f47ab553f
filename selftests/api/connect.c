// SPDX-License-Identifier: GPL-2.0
/*
 * connect(): blocking and not, refused, unreachable, timed out, interrupted,
 * to itself; breaking an association with AF_UNSPEC and using the socket again.
 */
#include "net.h"

STACK_FIXTURE_MAPPED(connect);
STACK_FIXTURE_V6(connect6);
STACK_FIXTURE(timeout);

static const struct sockaddr unspec = { .sa_family = AF_UNSPEC };

TEST_F(connect, blocking)
{
	union addr a, b;
	int lfd = listener(&a, 1), fd = xsocket(0), sv;

	EXPECT_OK(do_connect(fd, &a));
	stack_traffic = true;
	b = peer_addr(fd);
	EXPECT_TRUE(addr_eq(&a, &b));
	sv = MUST(accept(lfd, NULL, NULL));
	a = local_addr(fd);
	b = peer_addr(sv);
	EXPECT_TRUE(addr_eq(&a, &b));
	EXPECT_EQ(ESTABLISHED, state_of(fd));
	EXPECT_EQ(ESTABLISHED, state_of(sv));
	EXPECT_ERR(EISCONN, do_connect(fd, &a));
	EXPECT_ERR(EISCONN, do_connect(sv, &a));
}

TEST_F(connect, nonblocking)
{
	union addr a;
	int fd = xsocket(SOCK_NONBLOCK);

	listener(&a, 1);
	EXPECT_ERR(EINPROGRESS, do_connect(fd, &a));
	stack_traffic = true;
	EXPECT_EQ(POLLOUT, wait_for(fd, POLLOUT));
	EXPECT_EQ(0, so_error(fd));
	/* The first call after success reports it, later ones EISCONN. */
	EXPECT_OK(do_connect(fd, &a));
	EXPECT_ERR(EISCONN, do_connect(fd, &a));
}

TEST_F(connect, in_progress)
{
	union addr a = black_hole();
	int fd = xsocket(SOCK_NONBLOCK);
	char c = 'x';

	EXPECT_ERR(EINPROGRESS, do_connect(fd, &a));
	EXPECT_ERR(EALREADY, do_connect(fd, &a));
	EXPECT_ERR(EALREADY, do_connect(fd, &a));
	EXPECT_EQ(SYN_SENT, state_of(fd));
	EXPECT_EQ(0, events_now(fd));
	EXPECT_EQ(0, so_error(fd));
	EXPECT_ERR(EAGAIN, send(fd, &c, 1, 0));
	EXPECT_ERR(EAGAIN, recv(fd, &c, 1, 0));
	EXPECT_ERR(EINVAL, listen(fd, 1));
	EXPECT_EQ(1, stack_stat("ActiveOpens"));
}

TEST_F(connect, refused)
{
	union addr a = addr_refused(), b;
	int fd = xsocket(0);

	EXPECT_ERR(ECONNREFUSED, do_connect(fd, &a));
	EXPECT_EQ(CLOSED, state_of(fd));
	EXPECT_EQ(0, so_error(fd));
	EXPECT_ERR(ECONNREFUSED, do_connect(fd, &a));
	/* The socket can be used again. */
	listener(&b, 1);
	EXPECT_OK(do_connect(fd, &b));
	stack_traffic = true;
	EXPECT_EQ(ESTABLISHED, state_of(fd));
}

TEST_F(connect, refused_nonblocking)
{
	union addr a = addr_refused(), b;
	int fd = xsocket(SOCK_NONBLOCK);

	EXPECT_ERR(EINPROGRESS, do_connect(fd, &a));
	stack_traffic = true;
	EXPECT_EQ(POLLOUT | POLLERR | POLLHUP, wait_for(fd, POLLOUT));
	EXPECT_EQ(ECONNREFUSED, so_error(fd));
	EXPECT_EQ(0, so_error(fd));
	/* The failure, taken by SO_ERROR, shows once more as ECONNABORTED. */
	listener(&b, 1);
	EXPECT_ERR(ECONNABORTED, do_connect(fd, &b));
	EXPECT_ERR(EINPROGRESS, do_connect(fd, &b));
	EXPECT_EQ(POLLOUT, wait_for(fd, POLLOUT));
}

TEST_F(connect, refused_nonblocking_seen_by_connect)
{
	union addr a = addr_refused();
	int fd = xsocket(SOCK_NONBLOCK);

	EXPECT_ERR(EINPROGRESS, do_connect(fd, &a));
	EXPECT_TRUE(wait_for(fd, POLLOUT) & POLLERR);
	EXPECT_ERR(ECONNREFUSED, do_connect(fd, &a));
	EXPECT_EQ(0, so_error(fd));
}

/* RFC 9293 3.5.2: port 0 names no connection; the answer is a reset. */
TEST_F(connect, port_zero)
{
	union addr a = addr_loop(0);

	EXPECT_ERR(ECONNREFUSED, do_connect(xsocket(0), &a));
}

TEST_F(connect, time_limit)
{
	union addr a = black_hole();
	int fd = xsocket(0);
	long t = now_ms();

	set_timeo(fd, SO_SNDTIMEO, 100);
	EXPECT_ERR(EINPROGRESS, do_connect(fd, &a));
	EXPECT_LE(ABOUT(100), now_ms() - t);
	EXPECT_EQ(SYN_SENT, state_of(fd));
	stack_traffic = true;
}

/* A SYN and one more, then the end (RFC 9293 3.8.3: R2). */
TEST_F(timeout, handshake)
{
	union addr a = black_hole();
	int fd = xsocket(0);

	MUST(set_int(fd, SOL_TCP, TCP_SYNCNT, 1));
	EXPECT_ERR(ETIMEDOUT, do_connect(fd, &a));
	EXPECT_EQ(CLOSED, state_of(fd));
	EXPECT_EQ(1, stack_stat("AttemptFails"));
	EXPECT_LE(1, stack_stat("RetransSegs"));
	stack_traffic = true;
}

/*
 * tcp(7) has TCP_USER_TIMEOUT for synchronized states, Linux counts it from the SYN
 * on: the wait after the first retransmission, at 1 s, ends early.
 */
TEST_F(timeout, handshake_user_timeout)
{
	union addr a = black_hole();
	long t = now_ms();
	int fd = xsocket(0);

	MUST(set_int(fd, SOL_TCP, TCP_USER_TIMEOUT, 1500));
	EXPECT_ERR(ETIMEDOUT, do_connect(fd, &a));
	EXPECT_LE(ABOUT(1500), now_ms() - t);
	EXPECT_GT(1900, now_ms() - t);
	EXPECT_EQ(CLOSED, state_of(fd));
	stack_traffic = true;
}

static void on_alarm(int sig)
{
}

TEST_F(connect, interrupted)
{
	struct itimerval it = { { 0, 20000 }, { 0, 20000 } };
	struct sigaction sa = { .sa_handler = on_alarm };
	union addr a = black_hole();
	int fd = xsocket(0);

	MUST(sigaction(SIGALRM, &sa, NULL));
	MUST(setitimer(ITIMER_REAL, &it, NULL));
	EXPECT_ERR(EINTR, do_connect(fd, &a));
	/* connect(2): the attempt goes on. */
	EXPECT_EQ(SYN_SENT, state_of(fd));
	set_nonblock(fd, true);
	EXPECT_ERR(EALREADY, do_connect(fd, &a));
}

static int connect_err(const union addr *a)
{
	int fd = xsocket(0), err;

	err = do_connect(fd, a) ? errno : 0;
	close(fd);
	return err;
}

TEST_F(connect, unreachable)
{
	union addr a = black_hole();

	a = addr_of("192.0.2.1", "2001:db8:2::1", 9);
	EXPECT_EQ(ENETUNREACH, connect_err(&a));
	add_route(RTN_UNREACHABLE, &a);
	EXPECT_EQ(EHOSTUNREACH, connect_err(&a));
	a = addr_of("192.0.2.2", "2001:db8:2::2", 9);
	add_route(RTN_PROHIBIT, &a);
	EXPECT_EQ(EACCES, connect_err(&a));
	a = addr_of("192.0.2.3", "2001:db8:2::3", 9);
	add_route(RTN_BLACKHOLE, &a);
	EXPECT_EQ(EINVAL, connect_err(&a));
	/* A stream has one peer: no broadcast, no multicast. */
	a = addr_of("198.51.100.255", "ff02::1", 9);
	if (st->af == AF_INET6 && !st->mapped)
		a.in6.sin6_scope_id = if_nametoindex("hole");
	EXPECT_EQ(ENETUNREACH, connect_err(&a));
}

/* A local address that cannot reach the peer's is no reason to hang. */
TEST_F(connect, failure_leaves_socket_usable)
{
	union addr far = addr_of("192.0.2.1", "2001:db8:2::1", 9), a;
	int fd = xsocket(0);

	EXPECT_ERR(ENETUNREACH, do_connect(fd, &far));
	EXPECT_EQ(CLOSED, state_of(fd));
	listener(&a, 1);
	EXPECT_OK(do_connect(fd, &a));
	stack_traffic = true;
}

TEST_F(connect, wrong_addresses)
{
	union addr a;
	int fd = xsocket(0), min = st->af == AF_INET ? 16 : 24;

	listener(&a, 1);
	EXPECT_ERR(EINVAL, connect(fd, &a.sa, 0));
	EXPECT_ERR(EINVAL, connect(fd, &a.sa, 1));
	EXPECT_ERR(EINVAL, connect(fd, &a.sa, min - 1));
	EXPECT_ERR(EINVAL, connect(fd, &a.sa, -1));
	EXPECT_ERR(EINVAL, connect(fd, &a.sa, sizeof(a.ss) + 1));
	EXPECT_ERR(EFAULT, connect(fd, (void *)8, addr_len(&a)));
	EXPECT_ERR(EBADF, connect(-1, &a.sa, addr_len(&a)));
	EXPECT_ERR(ENOTSOCK, connect(0, &a.sa, addr_len(&a)));
	a.sa.sa_family = st->af == AF_INET ? AF_INET6 : AF_INET;
	EXPECT_ERR(EAFNOSUPPORT, connect(fd, &a.sa, sizeof(a.in6)));
	a.sa.sa_family = AF_UNIX;
	EXPECT_ERR(EAFNOSUPPORT, connect(fd, &a.sa, sizeof(a.in6)));
	EXPECT_EQ(CLOSED, state_of(fd));
	a.sa.sa_family = st->af;
	EXPECT_OK(connect(fd, &a.sa, min));
	stack_traffic = true;
}

/* The unspecified address is this host. */
TEST_F(connect, unspecified_address)
{
	union addr a = addr_any(0), b;
	int lfd = listen_at(&a, 2), fd;

	fd = connect_to(&a);
	b = peer_addr(fd);
	EXPECT_EQ(addr_port(&a), addr_port(&b));
	EXPECT_OK(accept(lfd, NULL, NULL));
}

TEST_F(connect, unspec_ends_it)
{
	socklen_t len = sizeof(union addr);
	union addr a, b;
	int lfd = listener(&a, 4), fd[2];
	char c = 'x';

	pair_on(lfd, fd);
	EXPECT_ERR(EINVAL, connect(fd[0], &unspec, 1));
	EXPECT_OK(connect(fd[0], &unspec, sizeof(unspec)));
	EXPECT_EQ(CLOSED, state_of(fd[0]));
	EXPECT_ERR(ENOTCONN, getpeername(fd[0], &b.sa, &len));
	/* Whoever else used the socket learns that the connection is gone. */
	EXPECT_EQ(ECONNRESET, so_error(fd[0]));
	EXPECT_ERR(EPIPE, send(fd[0], &c, 1, MSG_NOSIGNAL));
	EXPECT_ERR(ECONNRESET, recv(fd[1], &c, 1, 0));

	/* And a new life of the same socket, twice. */
	EXPECT_OK(do_connect(fd[0], &a));
	fd[1] = MUST(accept(lfd, NULL, NULL));
	EXPECT_EQ(1, send(fd[0], &c, 1, 0));
	EXPECT_EQ(1, recv(fd[1], &c, 1, 0));
	EXPECT_OK(connect(fd[0], &unspec, sizeof(unspec)));
	EXPECT_OK(connect(fd[0], &unspec, sizeof(unspec)));
	EXPECT_OK(do_connect(fd[0], &a));
	EXPECT_EQ(POLLIN, wait_for(lfd, POLLIN));
}

/* Data of the old association does not show up in the new one. */
TEST_F(connect, unspec_forgets_data)
{
	union addr a;
	int lfd = listener(&a, 4), fd[2];
	char c = 'o';

	pair_on(lfd, fd);
	EXPECT_EQ(1, send(fd[1], &c, 1, 0));
	ASSERT_TRUE(wait_inq(fd[0], 1));
	stuff(fd[0]);
	EXPECT_OK(connect(fd[0], &unspec, sizeof(unspec)));
	EXPECT_OK(do_connect(fd[0], &a));
	fd[1] = MUST(accept(lfd, NULL, NULL));
	c = 'n';
	EXPECT_EQ(1, send(fd[0], &c, 1, 0));
	EXPECT_EQ(1, send(fd[1], &c, 1, 0));
	c = 0;
	EXPECT_EQ(1, recv(fd[1], &c, 1, 0));
	EXPECT_EQ('n', c);
	c = 0;
	EXPECT_EQ(1, recv(fd[0], &c, 1, 0));
	EXPECT_EQ('n', c);
	EXPECT_ERR(EAGAIN, recv(fd[0], &c, 1, MSG_DONTWAIT));
	EXPECT_ERR(EAGAIN, recv(fd[1], &c, 1, MSG_DONTWAIT));
}

TEST_F(connect, unspec_keeps_bound_port)
{
	union addr a, me = addr_refused();
	int fd = xsocket(0);

	listener(&a, 4);
	MUST(do_bind(fd, &me));
	EXPECT_OK(do_connect(fd, &a));
	stack_traffic = true;
	EXPECT_OK(connect(fd, &unspec, sizeof(unspec)));
	EXPECT_EQ(addr_port(&me), local_port(fd));
	EXPECT_OK(do_connect(fd, &a));
	EXPECT_EQ(addr_port(&me), local_port(fd));
}

TEST_F(connect, unspec_in_other_states)
{
	union addr a, hole;
	int fd = xsocket(0), lfd = listener(&a, 1);

	EXPECT_OK(connect(fd, &unspec, sizeof(unspec)));
	EXPECT_OK(connect(lfd, &unspec, sizeof(unspec)));
	EXPECT_EQ(CLOSED, state_of(lfd));
	EXPECT_ERR(ECONNREFUSED, do_connect(fd, &a));
	hole = black_hole();
	fd = xsocket(SOCK_NONBLOCK);
	EXPECT_ERR(EINPROGRESS, do_connect(fd, &hole));
	EXPECT_OK(connect(fd, &unspec, sizeof(unspec)));
	EXPECT_EQ(CLOSED, state_of(fd));
	EXPECT_EQ(ECONNRESET, so_error(fd));
	EXPECT_EQ(0, so_error(fd));
}

/* RFC 9293 3.5: a simultaneous open with oneself is legal. */
TEST_F(connect, to_itself)
{
	union addr a = addr_loop(0), b;
	int fd = xsocket(0);
	char buf[4] = {};

	MUST(do_bind(fd, &a));
	a = local_addr(fd);
	EXPECT_OK(do_connect(fd, &a));
	stack_traffic = true;
	EXPECT_EQ(ESTABLISHED, state_of(fd));
	b = peer_addr(fd);
	EXPECT_TRUE(addr_eq(&a, &b));
	EXPECT_EQ(3, send(fd, "abc", 3, 0));
	EXPECT_EQ(3, recv(fd, buf, 3, MSG_WAITALL));
	EXPECT_STREQ("abc", buf);
	EXPECT_OK(shutdown(fd, SHUT_WR));
	EXPECT_EQ(0, recv(fd, buf, 3, 0));
}

/* The peer's queue holds what was sent before it accepted. */
TEST_F(connect, closed_right_away)
{
	union addr a;
	int lfd = listener(&a, 4), i, fd;
	char c;

	for (i = 0; i < 4; i++) {
		MUST(close(connect_to(&a)));
		fd = MUST(accept(lfd, NULL, NULL));
		EXPECT_EQ(0, recv(fd, &c, 1, 0));
		MUST(close(fd));
	}
}

/* A v6-only socket reaches no v4-mapped peer, and is reached by none. */
TEST_F(connect6, v6only)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET };
	union addr any = addr_any(0), a;
	int fd = xsocket(0), lfd = xsocket(0);

	MUST(set_int(lfd, SOL_IPV6, IPV6_V6ONLY, 1));
	MUST(do_bind(lfd, &any));
	MUST(listen(lfd, 1));
	a = addr_text("::ffff:127.0.0.1", local_port(lfd));
	EXPECT_ERR(ECONNREFUSED, do_connect(fd, &a));
	MUST(set_int(fd, SOL_IPV6, IPV6_V6ONLY, 1));
	EXPECT_ERR(ENETUNREACH, do_connect(fd, &a));
	v4.sin_port = a.in6.sin6_port;
	v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	EXPECT_ERR(ECONNREFUSED, connect(v4_socket(), (void *)&v4, sizeof(v4)));
	stack_traffic = true;
}

/* bind() to a v6 address makes the socket v6-only. */
TEST_F(connect6, bound_to_v6)
{
	union addr any = addr_any(0), own = addr_loop(0), a;
	int fd = xsocket(0);

	listen_at(&any, 2);
	MUST(do_bind(fd, &own));
	a = addr_text("::ffff:127.0.0.1", addr_port(&any));
	EXPECT_ERR(ENETUNREACH, do_connect(fd, &a));
	a = addr_loop(addr_port(&any));
	EXPECT_OK(do_connect(fd, &a));
	stack_traffic = true;
}

/* A wildcard v6 listener takes v4 peers and names them v4-mapped. */
TEST_F(connect6, dual)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET };
	union addr any = addr_any(0), peer = {}, want;
	socklen_t len = sizeof(peer);
	int lfd = listen_at(&any, 2), fd, sv;
	char c = 'x';

	v4.sin_port = any.in6.sin6_port;
	v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	fd = v4_socket();
	EXPECT_OK(connect(fd, (void *)&v4, sizeof(v4)));
	sv = accept(lfd, &peer.sa, &len);
	ASSERT_LE(0, sv);
	EXPECT_EQ(sizeof(peer.in6), len);
	want = addr_text("::ffff:127.0.0.1", local_port(fd));
	EXPECT_TRUE(addr_eq(&want, &peer));
	want = addr_text("::ffff:127.0.0.1", addr_port(&any));
	peer = local_addr(sv);
	EXPECT_TRUE(addr_eq(&want, &peer));
	EXPECT_EQ(1, send(fd, &c, 1, 0));
	EXPECT_EQ(1, recv(sv, &c, 1, 0));
	EXPECT_EQ(1, send(sv, &c, 1, 0));
	EXPECT_EQ(1, recv(fd, &c, 1, 0));
	stack_traffic = true;
}

TEST_HARNESS_MAIN
