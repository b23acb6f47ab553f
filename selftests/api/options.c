// SPDX-License-Identifier: GPL-2.0
/*
 * Socket options, from tables: default, set and get, range, short and long
 * buffers, at SOL_TCP and (XTCP) SOL_XTCP; what TCP_INFO says; what an
 * accepted socket inherits.  An option either works in both directions or
 * gives ENOPROTOOPT; those that the stack must have may not do the latter.
 */
#include "stack.h"

STACK_FIXTURE(options);
STACK_FIXTURE_V6(options6);

#ifndef TCP_RTO_MAX_MS
#define TCP_RTO_MAX_MS 44
#endif

#define ANY	(-0x7fffffff)	/* no check of this value */
#define NB	4

struct opt {
	int level, opt;
	const char *name;
	int def;		/* value of a fresh socket, or ANY */
	const char *sysctl;	/* where the default comes from instead */
	int set, get;		/* a value to set, what is read back */
	int bad[NB], nbad;	/* values refused with EINVAL */
	bool maybe;		/* XTCP may lack it: ENOPROTOOPT both ways */
};

#define O(level, opt) level, opt, #opt
#define BAD(...) { __VA_ARGS__ }, sizeof((int []) { __VA_ARGS__ }) / sizeof(int)

/* tcp(7).  Ranges are those of kernel TCP, which the man page leaves out. */
static const struct opt tcp_opts[] = {
	{ O(SOL_TCP, TCP_NODELAY), 0, NULL, 1, 1 },
	{ O(SOL_TCP, TCP_NODELAY), 0, NULL, 77, 1 },
	{ O(SOL_TCP, TCP_CORK), 0, NULL, 1, 1 },
	{ O(SOL_TCP, TCP_MAXSEG), ANY, NULL, 1000, ANY, BAD(-1, 87, 32768) },
	{ O(SOL_TCP, TCP_KEEPIDLE), 0, "keepalive_time", 99, 99,
	  BAD(-1, 32768, 0) },
	{ O(SOL_TCP, TCP_KEEPINTVL), 0, "keepalive_intvl", 98, 98,
	  BAD(-1, 32768, 0) },
	{ O(SOL_TCP, TCP_KEEPCNT), 0, "keepalive_probes", 97, 97,
	  BAD(-1, 128, 0) },
	{ O(SOL_TCP, TCP_SYNCNT), 0, "syn_retries", 5, 5, BAD(-1, 128, 0) },
	{ O(SOL_TCP, TCP_LINGER2), 0, "fin_timeout", 7, 7 },
	{ O(SOL_TCP, TCP_LINGER2), 0, "fin_timeout", -5, -1 },
	/* Seconds become the number of SYN,ACKs sent within them: 1, 3, 7, 15. */
	{ O(SOL_TCP, TCP_DEFER_ACCEPT), 0, NULL, 1, 1 },
	{ O(SOL_TCP, TCP_DEFER_ACCEPT), 0, NULL, 10, 15 },
	{ O(SOL_TCP, TCP_DEFER_ACCEPT), 0, NULL, -1, 0 },
	{ O(SOL_TCP, TCP_QUICKACK), 1, NULL, 0, 0 },
	{ O(SOL_TCP, TCP_USER_TIMEOUT), 0, NULL, 12345, 12345, BAD(-1) },
	{ O(SOL_TCP, TCP_WINDOW_CLAMP), ANY, NULL, 30000, 30000, .maybe = true },
	{ O(SOL_TCP, TCP_THIN_LINEAR_TIMEOUTS), 0, NULL, 1, 1, BAD(-1, 2), true },
	{ O(SOL_TCP, TCP_NOTSENT_LOWAT), 0, NULL, 5000, 5000 },
	{ O(SOL_TCP, TCP_SAVE_SYN), 0, NULL, 1, 1, BAD(-1, 3), true },
	{ O(SOL_TCP, TCP_INQ), 0, NULL, 1, 1, BAD(-1, 2) },
};

/* xtcp(7): what TCP does not have */
static const struct opt own_opts[] = {
	{ O(SOL_TCP, XTCP_NEGOTIATE), 0, "negotiate", 0, 0, BAD(-1, 2) },
	{ O(SOL_TCP, XTCP_RTO_FLOOR), 0, "rto_floor", 5000, 5000, BAD(-1, 1000001) },
};

static const struct opt socket_opts[] = {
	{ O(SOL_SOCKET, SO_KEEPALIVE), 0, NULL, 5, 1 },
	{ O(SOL_SOCKET, SO_REUSEADDR), 0, NULL, 1, 1 },
	{ O(SOL_SOCKET, SO_REUSEPORT), 0, NULL, 1, 1 },
	{ O(SOL_SOCKET, SO_OOBINLINE), 0, NULL, 1, 1 },
	{ O(SOL_SOCKET, SO_DONTROUTE), 0, NULL, 1, 1 },
	{ O(SOL_SOCKET, SO_BROADCAST), 0, NULL, 1, 1 },
	{ O(SOL_SOCKET, SO_PRIORITY), 0, NULL, 3, 3 },
	{ O(SOL_SOCKET, SO_MARK), 0, NULL, 77, 77 },
	{ O(SOL_SOCKET, SO_RCVLOWAT), 1, NULL, 50, 50 },
	{ O(SOL_SOCKET, SO_TIMESTAMP), 0, NULL, 1, 1 },
	{ O(SOL_SOCKET, SO_BUSY_POLL), ANY, NULL, 0, 0, BAD(-1), true },
	{ O(SOL_SOCKET, SO_LOCK_FILTER), 0, NULL, 1, 1 },
	{ O(SOL_IP, IP_TOS), 0, NULL, 0x10, 0x10 },
	/* A stream's ECN bits are its own. */
	{ O(SOL_IP, IP_TOS), 0, NULL, 0x13, 0x10 },
	{ O(SOL_IP, IP_TTL), 64, NULL, 7, 7, BAD(-2, 256, 0) },
	{ O(SOL_IP, IP_MTU_DISCOVER), IP_PMTUDISC_WANT, NULL, IP_PMTUDISC_DO,
	  IP_PMTUDISC_DO, BAD(-1, 6) },
	{ O(SOL_IP, IP_MINTTL), 0, NULL, 9, 9, BAD(-1, 256) },
	{ O(SOL_IP, IP_RECVERR), 0, NULL, 1, 1 },
	{ O(SOL_IP, IP_FREEBIND), 0, NULL, 1, 1 },
	{ O(SOL_IP, IP_TRANSPARENT), 0, NULL, 1, 1 },
	{ O(SOL_IP, IP_BIND_ADDRESS_NO_PORT), 0, NULL, 1, 1 },
};

static const struct opt ipv6_opts[] = {
	{ O(SOL_IPV6, IPV6_V6ONLY), 0, NULL, 1, 1 },
	{ O(SOL_IPV6, IPV6_UNICAST_HOPS), 64, NULL, 7, 7, BAD(-2, 256) },
	{ O(SOL_IPV6, IPV6_TCLASS), 0, NULL, 0x10, 0x10, BAD(-2, 256) },
	{ O(SOL_IPV6, IPV6_TCLASS), 0, NULL, 0x13, 0x10 },
	{ O(SOL_IPV6, IPV6_MTU_DISCOVER), IPV6_PMTUDISC_WANT, NULL, IPV6_PMTUDISC_DO,
	  IPV6_PMTUDISC_DO, BAD(-1, 6) },
	{ O(SOL_IPV6, IPV6_RECVERR), 0, NULL, 1, 1 },
	{ O(SOL_IPV6, IPV6_DONTFRAG), 0, NULL, 1, 1 },
	{ O(SOL_IPV6, IPV6_FREEBIND), 0, NULL, 1, 1 },
	{ O(SOL_IPV6, IPV6_TRANSPARENT), 0, NULL, 1, 1 },
	{ O(SOL_IPV6, IPV6_MINHOPCOUNT), 0, NULL, 9, 9, BAD(-1, 256) },
};

/* Options whose absence is XTCP's present state, said in its man page. */
static const struct opt absent[] = {
	{ O(SOL_TCP, TCP_ULP) }, { O(SOL_TCP, TCP_MD5SIG) }, { O(SOL_TCP, TCP_MD5SIG_EXT) },
	{ O(SOL_TCP, TCP_REPAIR) }, { O(SOL_TCP, TCP_REPAIR_QUEUE) },
	{ O(SOL_TCP, TCP_REPAIR_OPTIONS) }, { O(SOL_TCP, TCP_REPAIR_WINDOW) },
	{ O(SOL_TCP, TCP_QUEUE_SEQ) }, { O(SOL_TCP, TCP_FASTOPEN) },
	{ O(SOL_TCP, TCP_FASTOPEN_CONNECT) }, { O(SOL_TCP, TCP_FASTOPEN_KEY) },
	{ O(SOL_TCP, TCP_FASTOPEN_NO_COOKIE) }, { O(SOL_TCP, TCP_ZEROCOPY_RECEIVE) },
};

static bool lacks(int fd, int level, const struct opt *o)
{
	char buf[256] = {};
	socklen_t len = 4;

	return setsockopt(fd, level, o->opt, buf, 4) && errno == ENOPROTOOPT &&
	       getsockopt(fd, level, o->opt, buf, &len) && errno == ENOPROTOOPT;
}

#define EXPECT_OPT(want, got, o) do {					\
	int __w = want, __g = got;					\
	EXPECT_EQ(__w, __g) {						\
		TH_LOG("%s at level %d, set to %d", (o)->name, level, (o)->set); \
	}								\
} while (0)

static void check_lengths(struct __test_metadata *_metadata, int level, const struct opt *o)
{
	unsigned char big[64] = {}, *b = big;
	int fd = xsocket(0), want;
	socklen_t len;

	/* Longer buffers are fine and only an int of them is used. */
	memcpy(big, &o->set, sizeof(int));
	EXPECT_OPT(0, setsockopt(fd, level, o->opt, big, sizeof(big)), o);
	want = get_int(fd, level, o->opt);
	memset(big, 0xee, sizeof(big));
	len = sizeof(big);
	EXPECT_OPT(0, getsockopt(fd, level, o->opt, big, &len), o);
	EXPECT_OPT(4, len, o);
	EXPECT_OPT(0, memcmp(big, &want, 4), o);
	EXPECT_OPT(0xee, b[4], o);
	EXPECT_ERR(EFAULT, setsockopt(fd, level, o->opt, (void *)8, 4));
	EXPECT_ERR(EINVAL, setsockopt(fd, level, o->opt, big, -1));
	if (o->level != SOL_TCP)
		return;
	EXPECT_ERR(EINVAL, setsockopt(fd, level, o->opt, big, 3));
	EXPECT_ERR(EINVAL, setsockopt(fd, level, o->opt, big, 0));
	memset(big, 0xee, sizeof(big));
	len = 2;
	EXPECT_OPT(0, getsockopt(fd, level, o->opt, big, &len), o);
	EXPECT_OPT(2, len, o);
	EXPECT_OPT(0, memcmp(big, &want, 2), o);
	EXPECT_OPT(0xee, b[2], o);
	len = -1;
	EXPECT_ERR(EINVAL, getsockopt(fd, level, o->opt, big, &len));
	len = 4;
	EXPECT_ERR(EFAULT, getsockopt(fd, level, o->opt, (void *)8, &len));
	EXPECT_ERR(EFAULT, getsockopt(fd, level, o->opt, big, (void *)8));
	close(fd);
}

static void check_opt(struct __test_metadata *_metadata, int level, const struct opt *o)
{
	int fd = xsocket(0), was, i;

	if (st->xtcp && o->maybe && lacks(fd, level, o)) {
		close(fd);
		return;
	}
	was = get_int(fd, level, o->opt);
	if (o->sysctl)
		EXPECT_OPT(stack_sysctl_nth(o->sysctl, 0), was, o);
	else if (o->def != ANY)
		EXPECT_OPT(o->def, was, o);
	for (i = 0; i < o->nbad; i++) {
		EXPECT_OPT(-1, set_int(fd, level, o->opt, o->bad[i]), o);
		EXPECT_OPT(EINVAL, errno, o);
		EXPECT_OPT(was, get_int(fd, level, o->opt), o);
	}
	EXPECT_OPT(0, set_int(fd, level, o->opt, o->set), o);
	if (o->get != ANY)
		EXPECT_OPT(o->get, get_int(fd, level, o->opt), o);
	close(fd);
	check_lengths(_metadata, level, o);
}

TEST_F(options, tcp_level)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(tcp_opts); i++) {
		check_opt(_metadata, SOL_TCP, &tcp_opts[i]);
		if (st->xtcp)
			check_opt(_metadata, SOL_XTCP, &tcp_opts[i]);
	}
}

TEST_F(options, own)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(own_opts); i++) {
		if (st->xtcp) {
			check_opt(_metadata, SOL_TCP, &own_opts[i]);
			check_opt(_metadata, SOL_XTCP, &own_opts[i]);
		} else {
			EXPECT_TRUE(lacks(xsocket(0), SOL_TCP, &own_opts[i]));
		}
	}
}

TEST_F(options, socket_level)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(socket_opts); i++)
		check_opt(_metadata, socket_opts[i].level, &socket_opts[i]);
}

TEST_F(options6, ipv6_level)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(ipv6_opts); i++)
		check_opt(_metadata, SOL_IPV6, &ipv6_opts[i]);
}

/* The same options set on a connected socket. */
TEST_F(options, connected)
{
	const struct opt *o;
	unsigned int i;
	int fd[2], level = SOL_TCP;

	pair(fd);
	for (i = 0; i < ARRAY_SIZE(tcp_opts); i++) {
		o = &tcp_opts[i];
		/* What is for closed or listening sockets, or in flow meanwhile. */
		if (o->maybe || o->opt == TCP_MAXSEG)
			continue;
		EXPECT_OPT(0, set_int(fd[i & 1], level, o->opt, o->set), o);
		EXPECT_OPT(o->get, get_int(fd[i & 1], level, o->opt), o);
	}
	EXPECT_EQ(1, send(fd[0], "x", 1, 0));
	EXPECT_TRUE(wait_inq(fd[1], 1) || get_int(fd[0], SOL_TCP, TCP_CORK));
}

/* SOL_TCP and SOL_XTCP are two names of one option. */
TEST_F(options, levels_agree)
{
	int fd = xsocket(0);

	if (st->xtcp) {
		EXPECT_OK(set_int(fd, SOL_XTCP, TCP_KEEPIDLE, 55));
		EXPECT_EQ(55, get_int(fd, SOL_TCP, TCP_KEEPIDLE));
	} else {
		EXPECT_ERR(ENOPROTOOPT, set_int(fd, SOL_XTCP, TCP_KEEPIDLE, 55));
	}
	EXPECT_OK(set_int(fd, SOL_TCP, TCP_KEEPIDLE, 44));
	EXPECT_EQ(44, get_int(fd, SOL_TCP, TCP_KEEPIDLE));
	EXPECT_ERR(ENOPROTOOPT, set_int(fd, IPPROTO_UDP, 1, 1));
	EXPECT_ERR(ENOPROTOOPT, set_int(fd, 0x7ffe, 1, 1));
}

static int get_err(int fd, int level, int opt)
{
	char buf[256];
	socklen_t len = sizeof(buf);

	return getsockopt(fd, level, opt, buf, &len) ? errno : 0;
}

TEST_F(options, unknown)
{
	static const int opts[] = { -1, 0, 119, 0x7ffe, 0x7fffffff };
	static const int levels[] = { SOL_TCP, SOL_XTCP, SOL_IP, SOL_SOCKET };
	unsigned int i, l;
	int fd = xsocket(0);

	for (l = 0; l < ARRAY_SIZE(levels); l++)
		for (i = 0; i < ARRAY_SIZE(opts); i++) {
			if (levels[l] == SOL_XTCP && !st->xtcp)
				continue;
			EXPECT_EQ(-1, set_int(fd, levels[l], opts[i], 1));
			EXPECT_EQ(ENOPROTOOPT, errno) {
				TH_LOG("level %d option %d", levels[l], opts[i]);
			}
			EXPECT_EQ(ENOPROTOOPT, get_err(fd, levels[l], opts[i]));
		}
}

TEST_F(options, read_only)
{
	static const int opts[] = { SO_TYPE, SO_PROTOCOL, SO_DOMAIN, SO_ERROR, SO_ACCEPTCONN };
	unsigned int i;
	int fd = xsocket(0);

	for (i = 0; i < ARRAY_SIZE(opts); i++)
		EXPECT_ERR(ENOPROTOOPT, set_int(fd, SOL_SOCKET, opts[i], 1));
	EXPECT_EQ(1, get_int(fd, SOL_SOCKET, SO_SNDLOWAT));
	EXPECT_ERR(ENOPROTOOPT, set_int(fd, SOL_SOCKET, SO_SNDLOWAT, 2));
}

/* Kernel TCP has them; XTCP not yet, and says so in both directions. */
TEST_F(options, not_built)
{
	unsigned int i;
	int fd = xsocket(0);

	for (i = 0; i < ARRAY_SIZE(absent); i++) {
		if (st->xtcp) {
			EXPECT_TRUE(lacks(fd, SOL_TCP, &absent[i])) {
				TH_LOG("%s", absent[i].name);
			}
			EXPECT_TRUE(lacks(fd, SOL_XTCP, &absent[i]));
		} else {
			EXPECT_FALSE(lacks(fd, SOL_TCP, &absent[i]) &&
				     absent[i].opt == TCP_REPAIR);
		}
	}
}

TEST_F(options, congestion)
{
	char name[64] = "", def[64] = "";
	socklen_t len = sizeof(name);
	int fd = xsocket(0), n;

	n = MUST(file_read(stack_sysctl("congestion_control"), def, sizeof(def)));
	def[n - 1] = 0;
	EXPECT_OK(getsockopt(fd, SOL_TCP, TCP_CONGESTION, name, &len));
	EXPECT_EQ(16, len);
	EXPECT_STREQ(def, name);
	EXPECT_OK(setsockopt(fd, SOL_TCP, TCP_CONGESTION, "reno", 4));
	len = 3;
	memset(name, 0xee, sizeof(name));
	EXPECT_OK(getsockopt(fd, SOL_TCP, TCP_CONGESTION, name, &len));
	EXPECT_EQ(3, len);
	EXPECT_EQ(0, memcmp(name, "ren\xee", 4));
	EXPECT_ERR(ENOENT, setsockopt(fd, SOL_TCP, TCP_CONGESTION, "nosuch", 6));
	EXPECT_ERR(EINVAL, setsockopt(fd, SOL_TCP, TCP_CONGESTION, "reno", 0));
	EXPECT_ERR(EFAULT, setsockopt(fd, SOL_TCP, TCP_CONGESTION, (void *)8, 4));
	len = sizeof(name);
	EXPECT_OK(getsockopt(fd, SOL_TCP, TCP_CONGESTION, name, &len));
	EXPECT_STREQ("reno", name);
	/* Every one that is named as available can be set. */
	MUST(file_read(stack_sysctl("available_congestion_control"), def, sizeof(def)));
	for (char *s, *t = strtok_r(def, " \n", &s); t; t = strtok_r(NULL, " \n", &s)) {
		EXPECT_OK(setsockopt(fd, SOL_TCP, TCP_CONGESTION, t, strlen(t)));
		len = sizeof(name);
		EXPECT_OK(getsockopt(fd, SOL_TCP, TCP_CONGESTION, name, &len));
		EXPECT_STREQ(t, name);
	}
}

/* On a live connection too: the bytes go on, whoever has the window. */
TEST_F(options, congestion_of_a_live_connection)
{
	char names[256] = "", name[64], chunk[20000] = "";
	socklen_t len;
	int fd[2], round = 0, got, n;

	pair(fd);
	n = MUST(file_read(stack_sysctl("available_congestion_control"), names, sizeof(names) - 1));
	names[n] = 0;
	for (char *s, *t = strtok_r(names, " \n", &s); t; t = strtok_r(NULL, " \n", &s)) {
		EXPECT_OK(setsockopt(fd[0], SOL_TCP, TCP_CONGESTION, t, strlen(t)));
		EXPECT_OK(setsockopt(fd[1], SOL_TCP, TCP_CONGESTION, t, strlen(t)));
		len = sizeof(name);
		EXPECT_OK(getsockopt(fd[0], SOL_TCP, TCP_CONGESTION, name, &len));
		EXPECT_STREQ(t, name);
		memset(chunk, ++round, sizeof(chunk));
		EXPECT_EQ(sizeof(chunk), send(fd[round % 2], chunk, sizeof(chunk), 0));
		memset(chunk, 0, sizeof(chunk));
		for (n = 0; n < (int)sizeof(chunk); n += got) {
			got = MUST(recv(fd[!(round % 2)], chunk + n, sizeof(chunk) - n, 0));
			if (!got)
				break;
		}
		EXPECT_EQ(sizeof(chunk), n);
		EXPECT_EQ(round, chunk[0]);
		EXPECT_EQ(round, chunk[sizeof(chunk) - 1]);
	}
	EXPECT_ERR(ENOENT, setsockopt(fd[0], SOL_TCP, TCP_CONGESTION, "nosuch", 6));
}

/* RFC 3168: offered where the sysctl is 1, and then both ends say so. */
TEST_F(options, ecn)
{
	struct tcp_info info;
	socklen_t len;
	int fd[2], on, i;

	for (on = 0; on <= 1; on++) {
		MUST(file_write(stack_sysctl("ecn"), on ? "1" : "2"));
		pair(fd);
		MUST(send(fd[0], "x", 1, 0));
		MUST(recv(fd[1], &info, 1, 0));
		for (i = 0; i < 2; i++) {
			len = sizeof(info);
			EXPECT_OK(getsockopt(fd[i], SOL_TCP, TCP_INFO, &info, &len));
			EXPECT_EQ(on ? TCPI_OPT_ECN : 0, info.tcpi_options & TCPI_OPT_ECN);
		}
		/* the text had a codepoint */
		EXPECT_EQ(on ? TCPI_OPT_ECN_SEEN : 0, info.tcpi_options & TCPI_OPT_ECN_SEEN);
	}
	EXPECT_ERR(EINVAL, file_write(stack_sysctl("ecn"), "-1"));
}

/* TCP_MAXSEG bounds what both ends put into a segment (RFC 9293 3.7.1). */
TEST_F(options, maxseg)
{
	union addr a = addr_loop(0);
	int lfd = xsocket(0), fd[2], mss;

	MUST(do_bind(lfd, &a));
	MUST(listen(lfd, 2));
	pair_on(lfd, fd);
	mss = get_int(fd[0], SOL_TCP, TCP_MAXSEG);
	EXPECT_LT(1000, mss);
	EXPECT_OK(set_int(lfd, SOL_TCP, TCP_MAXSEG, 800));
	pair_on(lfd, fd);
	EXPECT_GE(800, get_int(fd[0], SOL_TCP, TCP_MAXSEG));
	EXPECT_LE(700, get_int(fd[0], SOL_TCP, TCP_MAXSEG));
	EXPECT_EQ(5000, send_pattern(fd[0], 5000));
	EXPECT_EQ(5000, recv_pattern(fd[1], 5000));
}

static struct tcp_info info_of(int fd)
{
	struct tcp_info ti = {};
	socklen_t len = sizeof(ti);

	MUST(getsockopt(fd, SOL_TCP, TCP_INFO, &ti, &len));
	return ti;
}

TEST_F(options, info_lengths)
{
	unsigned char full[1024] = {}, part[1024];
	socklen_t all = sizeof(full), len;
	int fd[2], i;

	pair(fd);
	EXPECT_OK(getsockopt(fd[0], SOL_TCP, TCP_INFO, full, &all));
	/* At least what Linux had when this project began, at most what is asked. */
	EXPECT_LE(104, all);
	EXPECT_GE(sizeof(full), all);
	for (i = 0; i <= (int)all; i++) {
		memset(part, 0xee, sizeof(part));
		len = i;
		ASSERT_EQ(0, getsockopt(fd[0], SOL_TCP, TCP_INFO, part, &len));
		ASSERT_EQ(i, len);
		ASSERT_EQ(0xee, part[i]);
		if (i)
			ASSERT_EQ(ESTABLISHED, part[0]);
	}
	len = -1;
	EXPECT_ERR(EINVAL, getsockopt(fd[0], SOL_TCP, TCP_INFO, part, &len));
	len = 8;
	EXPECT_ERR(EFAULT, getsockopt(fd[0], SOL_TCP, TCP_INFO, (void *)8, &len));
	EXPECT_ERR(ENOPROTOOPT, setsockopt(fd[0], SOL_TCP, TCP_INFO, part, 104));
	if (st->xtcp) {
		len = sizeof(part);
		EXPECT_OK(getsockopt(fd[0], SOL_XTCP, TCP_INFO, part, &len));
		EXPECT_EQ(all, len);
	}
}

TEST_F(options, info_fields)
{
	struct tcp_info c, s;
	int fd[2];

	pair(fd);
	EXPECT_EQ(20000, send_pattern(fd[0], 20000));
	EXPECT_EQ(20000, recv_pattern(fd[1], 20000));
	EXPECT_TRUE(wait_acked(fd[0]));
	c = info_of(fd[0]);
	s = info_of(fd[1]);
	EXPECT_EQ(ESTABLISHED, c.tcpi_state);
	EXPECT_EQ(TCPI_OPT_TIMESTAMPS | TCPI_OPT_SACK | TCPI_OPT_WSCALE,
		  c.tcpi_options & (TCPI_OPT_TIMESTAMPS | TCPI_OPT_SACK | TCPI_OPT_WSCALE));
	EXPECT_TRUE(c.tcpi_snd_wscale == s.tcpi_rcv_wscale);
	EXPECT_TRUE(c.tcpi_rcv_wscale == s.tcpi_snd_wscale);
	EXPECT_EQ(0, c.tcpi_unacked);
	EXPECT_EQ(0, c.tcpi_retransmits);
	EXPECT_EQ(0, c.tcpi_total_retrans);
	EXPECT_EQ(0, c.tcpi_probes);
	EXPECT_EQ(0, c.tcpi_backoff);
	EXPECT_EQ(get_int(fd[0], SOL_TCP, TCP_MAXSEG), c.tcpi_snd_mss);
	EXPECT_LT(500, c.tcpi_snd_mss);
	EXPECT_LT(500, c.tcpi_advmss);
	EXPECT_LT(c.tcpi_snd_mss, c.tcpi_pmtu);
	/* RFC 6928: two segments where, as on loopback, they are huge. */
	EXPECT_LE(2, c.tcpi_snd_cwnd);
	EXPECT_LT(0, c.tcpi_rto);
	EXPECT_LE(c.tcpi_rtt, c.tcpi_rto);
	/* The SYN may count as an octet (RFC 4898 leaves it to the stack). */
	EXPECT_LE(20000, c.tcpi_bytes_acked);
	EXPECT_GE(20001, c.tcpi_bytes_acked);
	EXPECT_EQ(20000, s.tcpi_bytes_received);
	EXPECT_EQ(0, c.tcpi_bytes_received);
	EXPECT_LE(3, c.tcpi_segs_out);
	EXPECT_LE(3, s.tcpi_segs_in);
	EXPECT_LE(1, c.tcpi_data_segs_out);
	EXPECT_EQ(c.tcpi_data_segs_out, s.tcpi_data_segs_in);
	EXPECT_EQ(0, s.tcpi_data_segs_out);
	EXPECT_EQ(0, c.tcpi_notsent_bytes);
	EXPECT_GT(DEADLINE_MS, c.tcpi_last_data_sent);
}

/* One segment after another: what was delivered, how fast, and how long it took */
TEST_F(options, info_of_delivery)
{
	struct tcp_info c, s;
	int fd[2], i;
	long t;
	char b;

	pair(fd);
	EXPECT_EQ(1, info_of(fd[0]).tcpi_delivered);	/* the SYN, or SYN,ACK */
	EXPECT_EQ(1, info_of(fd[1]).tcpi_delivered);
	t = now_ms();
	for (i = 0; i < 5; i++) {
		EXPECT_EQ(1, send(fd[0], "x", 1, 0));
		EXPECT_EQ(1, recv(fd[1], &b, 1, 0));
		EXPECT_TRUE(wait_acked(fd[0]));
	}
	c = info_of(fd[0]);
	s = info_of(fd[1]);
	EXPECT_EQ(6, c.tcpi_delivered);
	EXPECT_EQ(1, s.tcpi_delivered);
	EXPECT_EQ(0, c.tcpi_delivered_ce);
	/* where time is virtual, loopback takes none for a clock of us */
	EXPECT_TRUE(!st->xtcp || c.tcpi_delivery_rate);
	EXPECT_TRUE(!!c.tcpi_delivery_rate_app_limited);
	EXPECT_GE(1000 * (now_ms() - t + 1), c.tcpi_busy_time);
	EXPECT_EQ(0, c.tcpi_rwnd_limited);
	EXPECT_EQ(0, c.tcpi_sndbuf_limited);
	EXPECT_EQ(0, c.tcpi_dsack_dups);
	EXPECT_EQ(0, c.tcpi_reord_seen);
	EXPECT_LT(0, c.tcpi_pacing_rate);
	EXPECT_EQ(~0ULL, c.tcpi_max_pacing_rate);
	usleep(150000);
	EXPECT_LE(ABOUT(150), info_of(fd[0]).tcpi_last_data_sent);
	EXPECT_LE(ABOUT(150), info_of(fd[1]).tcpi_last_data_recv);
	EXPECT_LE(ABOUT(150), info_of(fd[0]).tcpi_last_ack_recv);
}

/* A peer that does not read: the time that its window is shut is counted */
TEST_F(options, info_of_waiting)
{
	struct tcp_info c;
	int fd[2];

	pair(fd);
	stuff(fd[0]);
	c = info_of(fd[0]);
	usleep(200000);
	EXPECT_LE(c.tcpi_rwnd_limited + 1000 * ABOUT(200), info_of(fd[0]).tcpi_rwnd_limited);
	EXPECT_LE(c.tcpi_busy_time + 1000 * ABOUT(200), info_of(fd[0]).tcpi_busy_time);
	c = info_of(fd[0]);
	EXPECT_LE(c.tcpi_rwnd_limited, c.tcpi_busy_time);
}

/* SO_MAX_PACING_RATE: no transfer is faster */
TEST_F(options, pacing_rate)
{
	uint64_t rate = 200000, got = 0;
	socklen_t len = sizeof(got);
	int fd[2], lfd;
	union addr a;
	long t;

	lfd = listener(&a, 1);
	MUST(set_int(lfd, SOL_TCP, TCP_MAXSEG, 1000));
	pair_on(lfd, fd);
	MUST(setsockopt(fd[0], SOL_SOCKET, SO_MAX_PACING_RATE, &rate, sizeof(rate)));
	MUST(getsockopt(fd[0], SOL_SOCKET, SO_MAX_PACING_RATE, &got, &len));
	EXPECT_EQ(rate, got);
	EXPECT_EQ(rate, info_of(fd[0]).tcpi_max_pacing_rate);
	MUST(set_int(fd[0], SOL_SOCKET, SO_SNDBUF, 400000));
	t = now_ms();
	EXPECT_EQ(200000, send_pattern(fd[0], 200000));
	EXPECT_EQ(200000, recv_pattern(fd[1], 200000));
	/* kernel TCP does not pace the first ten segments */
	EXPECT_LE(900, now_ms() - t);
	EXPECT_GE(rate, info_of(fd[0]).tcpi_pacing_rate);
	rate = ~0ULL;
	MUST(setsockopt(fd[0], SOL_SOCKET, SO_MAX_PACING_RATE, &rate, sizeof(rate)));
	EXPECT_EQ(~0ULL, info_of(fd[0]).tcpi_max_pacing_rate);
	t = now_ms();
	EXPECT_EQ(200000, send_pattern(fd[0], 200000));
	EXPECT_EQ(200000, recv_pattern(fd[1], 200000));
	EXPECT_GE(DEADLINE_MS, now_ms() - t);
}

/* The fields that speak of trouble. */
TEST_F(options, info_of_loss)
{
	struct tcp_info ti;
	int fd[2];

	pair(fd);
	drop_input(fd[1]);
	EXPECT_EQ(1, send(fd[0], "x", 1, 0));
	EXPECT_TRUE(UNTIL(info_of(fd[0]).tcpi_retransmits >= 2));
	ti = info_of(fd[0]);
	EXPECT_LE(2, ti.tcpi_total_retrans);
	EXPECT_EQ(1, ti.tcpi_unacked);
	EXPECT_LE(1, ti.tcpi_backoff);
	/* RFC 6298 5.5, twice; between two XTCPs from rto_floor and their ACK delay on, by a
	 * quarter each time
	 */
	EXPECT_LE(st->xtcp ? 25 * 2000 / 16 : 200000, ti.tcpi_rto);
	EXPECT_EQ(4 /* TCP_CA_Loss */, ti.tcpi_ca_state);
}

static socklen_t own_info(int fd, struct xtcp_info *info)
{
	socklen_t len = sizeof(*info);

	memset(info, 0xee, sizeof(*info));
	return getsockopt(fd, SOL_XTCP, XTCP_INFO, info, &len) ? 0 : len;
}

/* Both ends agree on what was negotiated; any length of the buffer is fine. */
TEST_F(options, own_info)
{
	unsigned char part[sizeof(struct xtcp_info) + 1];
	struct xtcp_info c, s;
	unsigned int i;
	socklen_t len;
	int fd[2];

	if (!st->xtcp)
		return;
	pair(fd);
	EXPECT_EQ(2000, send_pattern(fd[0], 2000));
	EXPECT_TRUE(wait_acked(fd[0]));
	ASSERT_EQ(sizeof(c), own_info(fd[0], &c));
	ASSERT_EQ(sizeof(s), own_info(fd[1], &s));
	EXPECT_EQ(c.xtcpi_flags, s.xtcpi_flags);
	EXPECT_EQ(XTCP_INFO_NEGOTIATED | XTCP_INFO_TS_US, c.xtcpi_flags);
	EXPECT_EQ(stack_sysctl_nth("max_ack_delay", 0), (int)c.xtcpi_peer_ack_delay);
	EXPECT_LE(s.xtcpi_ack_delay, c.xtcpi_peer_ack_delay);
	EXPECT_EQ(stack_sysctl_nth("rto_floor", 0), (int)c.xtcpi_rto_floor);
	EXPECT_LT(0, c.xtcpi_srtt);
	EXPECT_LE(c.xtcpi_min_rtt, c.xtcpi_srtt + 4 * c.xtcpi_rttvar);
	EXPECT_LT(c.xtcpi_srtt, c.xtcpi_rto);
	for (i = 0; i <= sizeof(c); i++) {
		memset(part, 0xee, sizeof(part));
		len = i;
		ASSERT_EQ(0, getsockopt(fd[0], SOL_XTCP, XTCP_INFO, part, &len));
		ASSERT_EQ(i, len);
		ASSERT_EQ(0xee, part[i]);
	}
	EXPECT_ERR(ENOPROTOOPT, setsockopt(fd[0], SOL_XTCP, XTCP_INFO, &c, sizeof(c)));
	/* a listener and a fresh socket know no peer */
	ASSERT_EQ(sizeof(c), own_info(xsocket(0), &c));
	EXPECT_FALSE(c.xtcpi_flags & XTCP_INFO_NEGOTIATED);
}

/* Who does not want it, or whose peer does not, has plain TCP. */
TEST_F(options, not_negotiated)
{
	union addr a = addr_loop(0);
	struct xtcp_info info;
	int lfd = xsocket(0), fd[2], i;

	if (!st->xtcp)
		return;
	MUST(set_int(lfd, SOL_XTCP, XTCP_NEGOTIATE, 0));
	MUST(do_bind(lfd, &a));
	MUST(listen(lfd, 1));
	pair_on(lfd, fd);
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(sizeof(info), own_info(fd[i], &info));
		EXPECT_EQ(0, info.xtcpi_flags & XTCP_INFO_NEGOTIATED);
		EXPECT_EQ(0, info.xtcpi_peer_ack_delay);
	}
	EXPECT_EQ(0, get_int(fd[1], SOL_XTCP, XTCP_NEGOTIATE));	/* inherited */
	EXPECT_EQ(1, get_int(fd[0], SOL_XTCP, XTCP_NEGOTIATE));
}

/* sysctls that switch options off. */
TEST_F(options, info_without_options)
{
	struct tcp_info ti;
	int fd[2];

	fresh_ns();
	MUST(file_write(stack_sysctl("timestamps"), "0"));
	MUST(file_write(stack_sysctl("sack"), "0"));
	MUST(file_write(stack_sysctl("window_scaling"), "0"));
	pair(fd);
	ti = info_of(fd[0]);
	EXPECT_EQ(0, ti.tcpi_options & (TCPI_OPT_TIMESTAMPS | TCPI_OPT_SACK | TCPI_OPT_WSCALE));
	EXPECT_FALSE(ti.tcpi_snd_wscale > 0);
	EXPECT_EQ(30000, send_pattern(fd[0], 30000));
	EXPECT_EQ(30000, recv_pattern(fd[1], 30000));
}

/* The defaults of a namespace become those of its sockets. */
TEST_F(options, defaults_from_sysctl)
{
	int fd;

	fresh_ns();
	MUST(file_write(stack_sysctl("keepalive_time"), "123"));
	MUST(file_write(stack_sysctl("keepalive_intvl"), "12"));
	MUST(file_write(stack_sysctl("keepalive_probes"), "4"));
	MUST(file_write(stack_sysctl("syn_retries"), "3"));
	MUST(file_write(stack_sysctl("fin_timeout"), "33"));
	fd = xsocket(0);
	EXPECT_EQ(123, get_int(fd, SOL_TCP, TCP_KEEPIDLE));
	EXPECT_EQ(12, get_int(fd, SOL_TCP, TCP_KEEPINTVL));
	EXPECT_EQ(4, get_int(fd, SOL_TCP, TCP_KEEPCNT));
	EXPECT_EQ(3, get_int(fd, SOL_TCP, TCP_SYNCNT));
	EXPECT_EQ(33, get_int(fd, SOL_TCP, TCP_LINGER2));
	EXPECT_ERR(EINVAL, file_write(stack_sysctl("syn_retries"), "300"));
	EXPECT_ERR(EINVAL, file_write(stack_sysctl("keepalive_time"), "abc"));
	EXPECT_EQ(3, stack_sysctl_nth("syn_retries", 0));
}

/* xtcp(7): what net.ipv4.tcp_* does not have */
TEST_F(options, own_sysctls)
{
	int fd;

	if (!st->xtcp)
		return;
	fresh_ns();
	EXPECT_EQ(1, stack_sysctl_nth("negotiate", 0));
	EXPECT_EQ(1000, stack_sysctl_nth("rto_floor", 0));
	EXPECT_EQ(1000, stack_sysctl_nth("max_ack_delay", 0));
	EXPECT_EQ(0, stack_sysctl_nth("no_metrics_save", 0));
	EXPECT_EQ(1, stack_sysctl_nth("no_ssthresh_metrics_save", 0));
	EXPECT_ERR(EINVAL, file_write(stack_sysctl("negotiate"), "2"));
	EXPECT_ERR(EINVAL, file_write(stack_sysctl("rto_floor"), "1000001"));
	EXPECT_ERR(EINVAL, file_write(stack_sysctl("max_ack_delay"), "499001"));
	EXPECT_ERR(EINVAL, file_write(stack_sysctl("metrics_flush"), "0"));
	EXPECT_LE(0, file_write(stack_sysctl("metrics_flush"), "1"));
	MUST(file_write(stack_sysctl("negotiate"), "0"));
	MUST(file_write(stack_sysctl("rto_floor"), "7000"));
	fd = xsocket(0);
	EXPECT_EQ(0, get_int(fd, SOL_XTCP, XTCP_NEGOTIATE));
	EXPECT_EQ(7000, get_int(fd, SOL_XTCP, XTCP_RTO_FLOOR));
}

/* accept(2) on Linux: all of this comes from the listener. */
static const struct opt inherited[] = {
	{ O(SOL_TCP, TCP_NODELAY), 0, NULL, 1, 1 },
	{ O(SOL_TCP, TCP_KEEPIDLE), 0, NULL, 99, 99 },
	{ O(SOL_TCP, TCP_KEEPINTVL), 0, NULL, 98, 98 },
	{ O(SOL_TCP, TCP_KEEPCNT), 0, NULL, 97, 97 },
	{ O(SOL_TCP, TCP_LINGER2), 0, NULL, 7, 7 },
	{ O(SOL_TCP, TCP_SYNCNT), 0, NULL, 5, 5 },
	{ O(SOL_TCP, TCP_USER_TIMEOUT), 0, NULL, 54321, 54321 },
	{ O(SOL_SOCKET, SO_KEEPALIVE), 0, NULL, 1, 1 },
	{ O(SOL_SOCKET, SO_OOBINLINE), 0, NULL, 1, 1 },
	{ O(SOL_SOCKET, SO_REUSEADDR), 0, NULL, 1, 1 },
	{ O(SOL_SOCKET, SO_RCVLOWAT), 0, NULL, 9, 9 },
	{ O(SOL_SOCKET, SO_SNDBUF), 0, NULL, 30000, 60000 },
	{ O(SOL_SOCKET, SO_RCVBUF), 0, NULL, 40000, 80000 },
	{ O(SOL_IP, IP_TTL), 0, NULL, 7, 7 },
	{ O(SOL_IP, IP_TOS), 0, NULL, 0x10, 0x10 },
};

TEST_F(options, inherited)
{
	struct linger l = { 1, 9 };
	const struct opt *o;
	union addr a = addr_loop(0);
	char name[16] = "";
	socklen_t len = sizeof(l);
	int lfd = xsocket(0), fd[2], level;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(inherited); i++) {
		o = &inherited[i];
		MUST(set_int(lfd, o->level, o->opt, o->set));
	}
	set_linger(lfd, 1, 9);
	MUST(setsockopt(lfd, SOL_TCP, TCP_CONGESTION, "reno", 4));
	MUST(do_bind(lfd, &a));
	MUST(listen(lfd, 1));
	pair_on(lfd, fd);
	for (i = 0; i < ARRAY_SIZE(inherited); i++) {
		o = &inherited[i];
		level = o->level;
		EXPECT_OPT(o->get, get_int(fd[1], level, o->opt), o);
	}
	EXPECT_OK(getsockopt(fd[1], SOL_SOCKET, SO_LINGER, &l, &len));
	EXPECT_EQ(1, l.l_onoff);
	EXPECT_EQ(9, l.l_linger);
	len = sizeof(name);
	EXPECT_OK(getsockopt(fd[1], SOL_TCP, TCP_CONGESTION, name, &len));
	EXPECT_STREQ("reno", name);
	/* The client's are its own. */
	EXPECT_EQ(0, get_int(fd[0], SOL_TCP, TCP_NODELAY));
}

/* The route's MTU, once there is a route. */
TEST_F(options, mtu)
{
	int fd[2], level = st->af == AF_INET ? SOL_IP : SOL_IPV6;
	int opt = st->af == AF_INET ? IP_MTU : IPV6_MTU;

	EXPECT_EQ(ENOTCONN, get_err(xsocket(0), level, opt));
	pair(fd);
	EXPECT_LE(1280, get_int(fd[0], level, opt));
}

/* A v6 socket does not turn into a v4 one under XTCP; nor for a v6 peer. */
TEST_F(options6, addrform)
{
	int fd[2];

	pair(fd);
	EXPECT_EQ(-1, set_int(fd[0], SOL_IPV6, IPV6_ADDRFORM, AF_INET));
	EXPECT_EQ(AF_INET6, get_int(fd[0], SOL_SOCKET, SO_DOMAIN));
	EXPECT_EQ(1, send(fd[0], "x", 1, 0));
	EXPECT_TRUE(wait_inq(fd[1], 1));
}

/* Uncorking sends what was held back. */
TEST_F(options, uncork)
{
	int fd[2];
	char c;

	pair(fd);
	MUST(set_int(fd[0], SOL_TCP, TCP_CORK, 1));
	EXPECT_EQ(1, send(fd[0], "x", 1, 0));
	MUST(set_int(fd[0], SOL_TCP, TCP_CORK, 0));
	EXPECT_EQ(1, recv(fd[1], &c, 1, 0));
	EXPECT_EQ(1, send(fd[0], "y", 1, 0));
	EXPECT_EQ(1, recv(fd[1], &c, 1, 0));
}

TEST_HARNESS_MAIN
