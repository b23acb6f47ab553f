// SPDX-License-Identifier: GPL-2.0
/*
 * The two doors: which arguments of socket() they take and how they refuse
 * the others, AF_XTCP in the family field of addresses, sockets of both doors
 * talking to each other, kernel TCP beside them, and no leak in any of it.
 */
#include "stack.h"

STACK_FIXTURE(door);

static int failed_create(int domain, int type, int proto)
{
	int fd = socket(domain, type, proto), err = errno;

	if (fd >= 0) {
		close(fd);
		return 0;
	}
	return err;
}

/* References to the module xtcp; 0 where it is not loaded. */
static int module_users(void)
{
	char name[64], line[256];
	int users = 0, n;
	FILE *f = fopen("/proc/modules", "r");

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "%63s %*d %d", name, &n) == 2 && !strcmp(name, "xtcp"))
			users = n;
	if (f)
		fclose(f);
	return users;
}

/* Sockets of the stack in this namespace, as /proc/net/protocols counts. */
static int sockets_in_use(void)
{
	const char *v4 = st->xtcp ? "XTCP" : "TCP", *v6 = st->xtcp ? "XTCPv6" : "TCPv6";
	char name[64], line[256];
	int sum = 0, n;
	FILE *f = fopen("/proc/net/protocols", "r");

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "%63s %*d %d", name, &n) == 2 &&
		    (!strcmp(name, v4) || !strcmp(name, v6)))
			sum += n;
	if (f)
		fclose(f);
	return sum;
}

TEST_F(door, refused_arguments)
{
	int d = st->domain, p = st->proto;

	/* The protocol exists for streams only. */
	if (d == AF_XTCP) {
		EXPECT_EQ(ESOCKTNOSUPPORT, failed_create(d, SOCK_DGRAM, p));
		EXPECT_EQ(ESOCKTNOSUPPORT, failed_create(d, SOCK_RAW, p));
		EXPECT_EQ(ESOCKTNOSUPPORT, failed_create(d, SOCK_SEQPACKET, p));
		EXPECT_EQ(EPROTONOSUPPORT, failed_create(d, SOCK_STREAM, 2));
		EXPECT_EQ(EPROTONOSUPPORT, failed_create(d, SOCK_STREAM, IPPROTO_TCP));
		EXPECT_EQ(EPROTONOSUPPORT, failed_create(d, SOCK_STREAM, IPPROTO_XTCP));
		EXPECT_EQ(EPROTONOSUPPORT, failed_create(d, SOCK_STREAM, 1 << 20));
		EXPECT_NE(0, failed_create(d, SOCK_STREAM, -1));
	} else {
		EXPECT_EQ(EPROTONOSUPPORT, failed_create(d, SOCK_DGRAM, p));
		EXPECT_EQ(ESOCKTNOSUPPORT, failed_create(d, SOCK_SEQPACKET, p));
		EXPECT_EQ(EPROTONOSUPPORT, failed_create(d, SOCK_STREAM, IPPROTO_UDP));
		EXPECT_EQ(EINVAL, failed_create(d, SOCK_STREAM, -1));
	}
	EXPECT_EQ(EINVAL, failed_create(d, 0x7f, p) == EINVAL ? EINVAL : 0);
	EXPECT_EQ(EINVAL, failed_create(d, SOCK_STREAM | 0x1000000, p));
}

TEST_F(door, flags)
{
	int fd = xsocket(SOCK_NONBLOCK | SOCK_CLOEXEC);

	EXPECT_NE(0, fcntl(fd, F_GETFL) & O_NONBLOCK);
	EXPECT_NE(0, fcntl(fd, F_GETFD) & FD_CLOEXEC);
	fd = xsocket(0);
	EXPECT_EQ(0, fcntl(fd, F_GETFL) & O_NONBLOCK);
	EXPECT_EQ(0, fcntl(fd, F_GETFD) & FD_CLOEXEC);
}

TEST_F(door, no_socketpair)
{
	int sv[2];

	EXPECT_ERR(EOPNOTSUPP, socketpair(st->domain, SOCK_STREAM, st->proto, sv));
}

/* Streams need no privilege. */
TEST_F(door, any_user)
{
	MUST(seteuid(65534));
	EXPECT_EQ(0, failed_create(st->domain, SOCK_STREAM, st->proto));
	MUST(seteuid(0));
}

TEST_F(door, create_and_close)
{
	int users = module_users(), in_use = sockets_in_use(), i;

	for (i = 0; i < 2000; i++)
		MUST(close(xsocket(0)));
	EXPECT_EQ(in_use, sockets_in_use());
	EXPECT_TRUE(UNTIL(module_users() <= users));
}

/* A socket is counted while it is there; a listener is, in kernel TCP, too. */
TEST_F(door, counted)
{
	int users = module_users(), in_use = sockets_in_use(), fd[20], i;
	union addr a;

	for (i = 0; i < 20; i++)
		fd[i] = listener(&a, 1);
	EXPECT_EQ(in_use + 20, sockets_in_use());
	if (st->xtcp)
		EXPECT_LE(users + 20, module_users());
	for (i = 0; i < 20; i++)
		MUST(close(fd[i]));
	EXPECT_EQ(in_use, sockets_in_use());
	EXPECT_TRUE(UNTIL(module_users() <= users));
}

/* Sockets that were made but got no descriptor: all undone. */
TEST_F(door, failed_creates)
{
	struct rlimit { unsigned long cur, max; } none = { 0, 4096 };
	int users = module_users(), in_use = sockets_in_use(), i;
	FILE *f;

	MUST(syscall(SYS_prlimit64, 0, 7 /* RLIMIT_NOFILE */, &none, NULL));
	for (i = 0; i < 2000; i++)
		ASSERT_EQ(EMFILE, failed_create(st->domain, SOCK_STREAM, st->proto));
	if (st->domain == AF_XTCP) {
		for (i = 0; i < 2000; i++)
			ASSERT_EQ(EPROTONOSUPPORT, failed_create(AF_XTCP, SOCK_STREAM, 99));
	}
	none.cur = 1024;
	MUST(syscall(SYS_prlimit64, 0, 7, &none, NULL));
	f = fopen("/dev/null", "r");
	ASSERT_NE(NULL, f);
	EXPECT_EQ(in_use, sockets_in_use());
	EXPECT_TRUE(UNTIL(module_users() <= users));
}

/* The AF_XTCP door takes AF_XTCP in the family field too, and never gives it. */
TEST_F(door, family_field)
{
	union addr a = addr_loop(0), b = {};
	socklen_t len = sizeof(b);
	int lfd = xsocket(0), fd = xsocket(0);

	if (st->domain == AF_XTCP)
		a.sa.sa_family = AF_XTCP;
	EXPECT_OK(bind(lfd, &a.sa, st->af == AF_INET ? sizeof(a.in) : sizeof(a.in6)));
	MUST(listen(lfd, 2));
	b = local_addr(lfd);
	EXPECT_EQ(st->af, b.sa.sa_family);
	if (st->domain == AF_XTCP)
		b.sa.sa_family = AF_XTCP;
	EXPECT_OK(connect(fd, &b.sa, st->af == AF_INET ? sizeof(a.in) : sizeof(a.in6)));
	stack_traffic = true;
	EXPECT_OK(accept(lfd, &b.sa, &len));
	EXPECT_EQ(st->af, b.sa.sa_family);
	b = peer_addr(fd);
	EXPECT_EQ(st->af, b.sa.sa_family);
}

/* The same socket of the other door (of kernel TCP: the same again). */
static int other_door(void)
{
	if (!st->xtcp)
		return xsocket(0);
	if (st->domain == AF_XTCP)
		return MUST(socket(st->af, SOCK_STREAM, IPPROTO_XTCP));
	return MUST(socket(AF_XTCP, SOCK_STREAM, st->af == AF_INET ? XTCPPROTO_V4 :
			   XTCPPROTO_V6));
}

TEST_F(door, doors_meet)
{
	union addr a;
	int lfd = listener(&a, 2), fd = other_door(), sv;
	char c = 'x';

	EXPECT_OK(do_connect(fd, &a));
	stack_traffic = true;
	sv = MUST(accept(lfd, NULL, NULL));
	EXPECT_EQ(1, send(fd, &c, 1, 0));
	EXPECT_EQ(1, recv(sv, &c, 1, 0));
	EXPECT_EQ(1, send(sv, &c, 1, 0));
	EXPECT_EQ(1, recv(fd, &c, 1, 0));
	/* One port space behind both. */
	EXPECT_ERR(EADDRINUSE, do_bind(other_door(), &a));
}

/* Kernel TCP and XTCP have ports of their own and do not hear each other. */
TEST_F(door, apart_from_the_other_stack)
{
	union addr a;
	int other = MUST(socket(st->af, SOCK_STREAM, st->xtcp ? IPPROTO_TCP : 0));
	int lfd;

	if (st->xtcp) {
		lfd = listener(&a, 2);
		/* Same port for kernel TCP: no conflict. */
		EXPECT_OK(do_bind(other, &a));
		EXPECT_OK(listen(other, 1));
		connect_to(&a);
		EXPECT_EQ(POLLIN, wait_for(lfd, POLLIN));
		EXPECT_EQ(0, poll_for(other, POLLIN, 0));
		return;
	}
	MUST(close(other));
	listener(&a, 2);
	connect_to(&a);
}

TEST_F(door, bpf_filter_applies)
{
	int fd[2];

	pair(fd);
	drop_input(fd[1]);
	EXPECT_EQ(1, send(fd[0], "x", 1, 0));
	EXPECT_EQ(0, poll_for(fd[1], POLLIN, 20));
	EXPECT_EQ(1, ({ int n; MUST(ioctl(fd[0], SIOCOUTQ, &n)); n; }));
}

TEST_HARNESS_MAIN
