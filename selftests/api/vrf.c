// SPDX-License-Identifier: GPL-2.0
/*
 * VRFs and devices: a host with two customers that have the same addresses,
 * each behind a device in a VRF of its own.  Whom a listener hears, what a
 * connect() reaches, ports that each VRF has for itself, and two connections
 * with the same four numbers.  The same for link-local addresses, which only
 * the device tells apart.
 */
#include "net.h"

STACK_FIXTURE_MAPPED(vrf);
STACK_FIXTURE_V6(vrf6);

#define PORT	5000

static int home, customer[2];

static const char * const vrf_dev[] = { "vrf0", "vrf1" };
static const char * const own_dev[] = { "own0", "own1" };
static const char * const far_dev[] = { "far0", "far1" };

static int new_ns(void)
{
	int ns;

	fresh_ns();
	ns = MUST(open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC));
	MUST(setns(home, CLONE_NEWNET));
	return ns;
}

static union addr ours(int port)
{
	return addr_of("198.51.100.1", "2001:db8:1::1", port);
}

static union addr theirs(int port)
{
	return addr_of("198.51.100.2", "2001:db8:1::2", port);
}

static int prefix(void)
{
	return st->af == AF_INET || st->mapped ? 24 : 64;
}

/* Both ends of the link to a customer, with these addresses. */
static void customer_link(int n, const union addr *here, const union addr *there, int plen)
{
	add_veth(own_dev[n], far_dev[n]);
	if_to_ns(far_dev[n], customer[n]);
	if_flags(own_dev[n], IFF_UP, IFF_UP);
	MUST(setns(customer[n], CLONE_NEWNET));
	if_flags(far_dev[n], IFF_UP, IFF_UP);
	add_addr(far_dev[n], there, plen);
	MUST(setns(home, CLONE_NEWNET));
	add_addr(own_dev[n], here, plen);
}

static void two_hosts(void)
{
	int i;

	fresh_ns();
	home = MUST(open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC));
	for (i = 0; i < 2; i++)
		customer[i] = new_ns();
}

/* False where the kernel has no VRF */
static bool two_customers(void)
{
	union addr here = ours(0), there = theirs(0);
	int i;

	two_hosts();
	for (i = 0; i < 2; i++) {
		if (!add_vrf(vrf_dev[i], 1000 + i))
			return false;
		if_flags(vrf_dev[i], IFF_UP, IFF_UP);
		add_veth(own_dev[i], far_dev[i]);
		if_master(own_dev[i], vrf_dev[i]);
		if_to_ns(far_dev[i], customer[i]);
		if_flags(own_dev[i], IFF_UP, IFF_UP);
		MUST(setns(customer[i], CLONE_NEWNET));
		if_flags(far_dev[i], IFF_UP, IFF_UP);
		add_addr(far_dev[i], &there, prefix());
		MUST(setns(home, CLONE_NEWNET));
		add_addr_in(own_dev[i], vrf_dev[i], &here, prefix());
	}
	stack_set_mark();
	return true;
}

#define TWO_CUSTOMERS() do {						\
	if (!two_customers()) {						\
		SKIP(return, "reference: this kernel has no VRF");	\
	}								\
} while (0)

static int bound_to(const char *dev)
{
	int fd = xsocket(0);

	MUST(set_int(fd, SOL_SOCKET, SO_REUSEADDR, 1));
	if (dev)
		MUST(setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, dev, strlen(dev) + 1));
	return fd;
}

static int listener_on(const char *dev, const union addr *a)
{
	int fd = bound_to(dev);

	MUST(do_bind(fd, a));
	MUST(listen(fd, 8));
	return fd;
}

/* A socket of the customer's, from a port of its choice. */
static int socket_of(int n, int port)
{
	union addr me = theirs(port);
	int fd;

	MUST(setns(customer[n], CLONE_NEWNET));
	fd = bound_to(NULL);
	MUST(do_bind(fd, &me));
	MUST(setns(home, CLONE_NEWNET));
	return fd;
}

static int listener_of(int n, int port)
{
	union addr me = theirs(port);
	int fd;

	MUST(setns(customer[n], CLONE_NEWNET));
	fd = listener_on(NULL, &me);
	MUST(setns(home, CLONE_NEWNET));
	return fd;
}

static bool says(int from, int to, char what)
{
	char c = 0;

	return send(from, &what, 1, 0) == 1 && recv(to, &c, 1, 0) == 1 && c == what;
}

static const char *device_of(int fd)
{
	static char dev[IFNAMSIZ];
	socklen_t len = sizeof(dev);

	dev[0] = 0;
	MUST(getsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, dev, &len));
	return dev;
}

TEST_F(vrf, listener_of_one)
{
	union addr a = addr_any(PORT), to = ours(PORT);
	int lfd, fd, got;

	TWO_CUSTOMERS();
	lfd = listener_on("vrf0", &a);
	fd = socket_of(0, 0);
	EXPECT_OK(do_connect(fd, &to));
	stack_traffic = true;
	got = accept(lfd, NULL, NULL);
	ASSERT_LE(0, got);
	EXPECT_STREQ("vrf0", device_of(got));
	EXPECT_TRUE(says(fd, got, 'x'));
	EXPECT_TRUE(says(got, fd, 'y'));
	/* The reset finds its way through the other VRF. */
	EXPECT_ERR(ECONNREFUSED, do_connect(socket_of(1, 0), &to));
	EXPECT_EQ(0, poll_for(lfd, POLLIN, 0));
}

TEST_F(vrf, listener_on_the_device)
{
	union addr a = addr_any(PORT), to = ours(PORT);
	int lfd, fd, got;

	TWO_CUSTOMERS();
	lfd = listener_on("own1", &a);
	fd = socket_of(1, 0);
	EXPECT_OK(do_connect(fd, &to));
	stack_traffic = true;
	got = accept(lfd, NULL, NULL);
	ASSERT_LE(0, got);
	EXPECT_STREQ("own1", device_of(got));
	EXPECT_TRUE(says(fd, got, 'x'));
	EXPECT_TRUE(says(got, fd, 'y'));
	EXPECT_ERR(ECONNREFUSED, do_connect(socket_of(0, 0), &to));
}

/* ip-sysctl: tcp_l3mdev_accept = 0: who is bound to no device hears no VRF */
TEST_F(vrf, listener_of_none)
{
	union addr a = addr_any(PORT), to = ours(PORT);
	int i;

	TWO_CUSTOMERS();
	listener_on(NULL, &a);
	for (i = 0; i < 2; i++)
		EXPECT_ERR(ECONNREFUSED, do_connect(socket_of(i, 0), &to));
	stack_traffic = true;
}

/* = 1: hears all of them, and the connection belongs to the VRF it came from */
TEST_F(vrf, listener_of_all)
{
	union addr a = addr_any(PORT), to = ours(PORT);
	int lfd, fd, got, i;

	TWO_CUSTOMERS();
	MUST(file_write("/proc/sys/net/ipv4/tcp_l3mdev_accept", "1"));
	lfd = listener_on(NULL, &a);
	for (i = 0; i < 2; i++) {
		fd = socket_of(i, 4000);
		EXPECT_OK(do_connect(fd, &to));
		got = accept(lfd, NULL, NULL);
		ASSERT_LE(0, got);
		EXPECT_STREQ(vrf_dev[i], device_of(got));
		EXPECT_TRUE(says(fd, got, 'x'));
		EXPECT_TRUE(says(got, fd, 'y'));
	}
	stack_traffic = true;
}

/* Four equal numbers, twice, and both connections live and end on their own. */
static void same_numbers(struct __test_metadata *_metadata)
{
	union addr a = addr_any(PORT), to = ours(PORT);
	int lfd[2], fd[2], got[2], i;
	char c;

	for (i = 0; i < 2; i++)
		lfd[i] = listener_on(vrf_dev[i], &a);
	for (i = 0; i < 2; i++) {
		fd[i] = socket_of(i, 4000);
		EXPECT_OK(do_connect(fd[i], &to));
		got[i] = accept(lfd[i], NULL, NULL);
		ASSERT_LE(0, got[i]);
	}
	for (i = 0; i < 2; i++) {
		EXPECT_TRUE(says(fd[i], got[i], 'a' + i));
		EXPECT_TRUE(says(got[i], fd[i], 'A' + i));
	}
	/* The first ends here, in TIME-WAIT; the second does not notice. */
	EXPECT_OK(shutdown(got[0], SHUT_WR));
	EXPECT_EQ(0, recv(fd[0], &c, 1, 0));
	MUST(close(fd[0]));
	EXPECT_EQ(0, recv(got[0], &c, 1, 0));
	MUST(close(got[0]));
	EXPECT_TRUE(says(fd[1], got[1], 'z'));
	close_rst(fd[1]);
	EXPECT_TRUE(wait_for(got[1], POLLERR) & POLLERR);
	MUST(close(got[1]));
	MUST(close(lfd[0]));
	MUST(close(lfd[1]));
	stack_traffic = true;
}

TEST_F(vrf, same_numbers)
{
	TWO_CUSTOMERS();
	same_numbers(_metadata);
}

TEST_F(vrf, same_numbers_by_cookie)
{
	TWO_CUSTOMERS();
	MUST(file_write(stack_sysctl("syncookies"), "2"));
	same_numbers(_metadata);
}

TEST_F(vrf, ports_of_their_own)
{
	union addr a = addr_any(PORT);
	int fd[3], i;

	TWO_CUSTOMERS();
	for (i = 0; i < 3; i++)
		fd[i] = xsocket(0);
	for (i = 0; i < 2; i++) {
		MUST(setsockopt(fd[i], SOL_SOCKET, SO_BINDTODEVICE, vrf_dev[i], 5));
		EXPECT_OK(do_bind(fd[i], &a));
	}
	EXPECT_OK(do_bind(fd[2], &a));
	fd[0] = xsocket(0);
	MUST(setsockopt(fd[0], SOL_SOCKET, SO_BINDTODEVICE, vrf_dev[0], 5));
	EXPECT_ERR(EADDRINUSE, do_bind(fd[0], &a));
}

TEST_F(vrf, connect)
{
	union addr to = theirs(PORT), closed = theirs(PORT + 1);
	int lfd[2], fd[2], got, i;

	TWO_CUSTOMERS();
	for (i = 0; i < 2; i++)
		lfd[i] = listener_of(i, PORT);
	for (i = 0; i < 2; i++) {
		fd[i] = bound_to(vrf_dev[i]);
		EXPECT_OK(do_connect(fd[i], &to));
		got = accept(lfd[i], NULL, NULL);
		ASSERT_LE(0, got);
		EXPECT_TRUE(says(fd[i], got, 'x'));
		EXPECT_TRUE(says(got, fd[i], 'y'));
		EXPECT_ERR(ECONNREFUSED, do_connect(bound_to(vrf_dev[i]), &closed));
	}
	stack_traffic = true;
	/* Outside of the VRFs there is no way to them. */
	EXPECT_ERR(ENETUNREACH, do_connect(bound_to(NULL), &to));
}

/* ---- link-local ---- */

TEST_F(vrf6, same_link_local_addresses)
{
	union addr here = addr_text("fe80::1", 0), there = addr_text("fe80::2", 0);
	union addr to, me, b;
	int lfd[2], fd[2], got[2], i;

	two_hosts();
	for (i = 0; i < 2; i++)
		customer_link(i, &here, &there, 64);
	stack_set_mark();
	for (i = 0; i < 2; i++) {
		MUST(setns(customer[i], CLONE_NEWNET));
		to = there;
		to.in6.sin6_scope_id = if_nametoindex(far_dev[i]);
		addr_set_port(&to, PORT);
		lfd[i] = listener_on(NULL, &to);
		MUST(setns(home, CLONE_NEWNET));
	}
	for (i = 0; i < 2; i++) {
		fd[i] = xsocket(0);
		me = here;
		addr_set_port(&me, 4000);
		me.in6.sin6_scope_id = if_nametoindex(own_dev[i]);
		EXPECT_OK(do_bind(fd[i], &me));
		addr_set_port(&to, PORT);
		to.in6.sin6_scope_id = me.in6.sin6_scope_id;
		EXPECT_OK(do_connect(fd[i], &to));
		got[i] = accept(lfd[i], NULL, NULL);
		ASSERT_LE(0, got[i]);
	}
	for (i = 0; i < 2; i++) {
		EXPECT_TRUE(says(fd[i], got[i], 'a' + i));
		EXPECT_TRUE(says(got[i], fd[i], 'A' + i));
		b = peer_addr(fd[i]);
		EXPECT_EQ(if_nametoindex(own_dev[i]), b.in6.sin6_scope_id);
	}
	stack_traffic = true;
}

/* A listener on any address answers each link on its own. */
TEST_F(vrf6, link_local_listener)
{
	union addr here = addr_text("fe80::1", 0), there = addr_text("fe80::2", 0);
	union addr any = addr_any(PORT), to = here, me = there, b = {};
	int lfd, fd[2], got[2], i;
	socklen_t len;

	two_hosts();
	for (i = 0; i < 2; i++)
		customer_link(i, &here, &there, 64);
	stack_set_mark();
	lfd = listener_on(NULL, &any);
	addr_set_port(&to, PORT);
	addr_set_port(&me, 4000);
	for (i = 0; i < 2; i++) {
		MUST(setns(customer[i], CLONE_NEWNET));
		me.in6.sin6_scope_id = if_nametoindex(far_dev[i]);
		to.in6.sin6_scope_id = me.in6.sin6_scope_id;
		fd[i] = xsocket(0);
		MUST(do_bind(fd[i], &me));
		MUST(setns(home, CLONE_NEWNET));
		EXPECT_OK(do_connect(fd[i], &to));
		len = sizeof(b);
		got[i] = accept(lfd, &b.sa, &len);
		ASSERT_LE(0, got[i]);
		EXPECT_EQ(if_nametoindex(own_dev[i]), b.in6.sin6_scope_id);
	}
	for (i = 0; i < 2; i++) {
		EXPECT_TRUE(says(fd[i], got[i], 'a' + i));
		EXPECT_TRUE(says(got[i], fd[i], 'A' + i));
	}
	stack_traffic = true;
}

TEST_HARNESS_MAIN
