/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The stack under test, for the socket tests: which socket() arguments make
 * it, its loopback addresses, connected pairs, waiting with a deadline, and
 * the proof that a test's traffic ran over the stack meant.  Every program of
 * this directory includes it; net.h has what changes the network namespace.
 *
 * Kernel TCP (tcp4, tcp6, tcpmap) is the reference: a test passes over it
 * unchanged, or has an expectation per stack with the reason beside it.
 * The environment variable STACK=tcp|inet|xtcp (or a list of them, or of
 * variants: "inet6,xtcp") selects variants; without it all of them run.
 */
#ifndef API_STACK_H
#define API_STACK_H

#include "base.h"

struct stack {
	const char *name;
	int domain;		/* socket()'s first argument */
	int proto;		/* socket()'s third argument */
	int af;			/* family of its addresses */
	bool xtcp;
	bool mapped;		/* v6 socket, v4-mapped addresses */
};

union addr {
	struct sockaddr sa;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
	struct sockaddr_storage ss;
};

/* The running test's stack; each test runs in a process of its own. */
__api const struct stack *st;
__api struct {
	unsigned long tcp, xtcp;
} stack_mark;
__api bool stack_traffic;	/* segments must have been sent */
__api int stack_first_ns;	/* the namespace that the program came from */

/* ---- counters and sysctls ---- */

__api unsigned long stack_stat(const char *name)
{
	return st->xtcp ? xtcp_stat(name) : snmp_tcp(name);
}

__api void stack_set_mark(void)
{
	stack_mark.tcp = snmp_tcp("OutSegs");
	stack_mark.xtcp = xtcp_stat("OutSegs");
	stack_traffic = false;
}

#define STACK_CHECK() do {						\
	unsigned long __tcp = snmp_tcp("OutSegs") - stack_mark.tcp;	\
	unsigned long __xtcp = xtcp_stat("OutSegs") - stack_mark.xtcp;	\
	EXPECT_EQ(0, st->xtcp ? __tcp : __xtcp) {			\
		TH_LOG("the other stack sent segments");		\
	}								\
	if (stack_traffic) {						\
		EXPECT_LT(0, st->xtcp ? __xtcp : __tcp) {		\
			TH_LOG("the stack under test sent nothing");	\
		}							\
	}								\
} while (0)

/* The stack's own sysctl: net.ipv4.tcp_NAME or net.xtcp.NAME. */
__api const char *stack_sysctl(const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "/proc/sys/net/%s%s",
		 st->xtcp ? "xtcp/" : "ipv4/tcp_", name);
	return path;
}

__api long stack_sysctl_nth(const char *name, int nth)
{
	char buf[128], *p = buf;
	long val = -1;

	MUST(file_read(stack_sysctl(name), buf, sizeof(buf)));
	while (nth-- >= 0)
		val = strtol(p, &p, 10);
	return val;
}

/* ---- addresses ---- */

__api socklen_t addr_len(const union addr *a)
{
	return a->sa.sa_family == AF_INET ? sizeof(a->in) : sizeof(a->in6);
}

/* Parses TEXT; a v4 address becomes v4-mapped for the mapped variants. */
__api union addr addr_text(const char *text, unsigned int port)
{
	union addr a = {};
	char buf[80];

	if (st->af == AF_INET) {
		a.in.sin_family = AF_INET;
		a.in.sin_port = htons(port);
		if (inet_pton(AF_INET, text, &a.in.sin_addr) != 1)
			abort();
		return a;
	}
	snprintf(buf, sizeof(buf), "%s%s", strchr(text, ':') ? "" : "::ffff:", text);
	a.in6.sin6_family = AF_INET6;
	a.in6.sin6_port = htons(port);
	if (inet_pton(AF_INET6, buf, &a.in6.sin6_addr) != 1)
		abort();
	return a;
}

/* The variant's choice between a v4 and a v6 text. */
__api union addr addr_of(const char *v4, const char *v6, unsigned int port)
{
	return addr_text(st->af == AF_INET6 && !st->mapped ? v6 : v4, port);
}

__api union addr addr_loop(unsigned int port)
{
	return addr_of("127.0.0.1", "::1", port);
}

__api union addr addr_any(unsigned int port)
{
	return addr_text(st->af == AF_INET6 ? "::" : "0.0.0.0", port);
}

__api unsigned int addr_port(const union addr *a)
{
	return ntohs(a->sa.sa_family == AF_INET ? a->in.sin_port : a->in6.sin6_port);
}

__api void addr_set_port(union addr *a, unsigned int port)
{
	if (a->sa.sa_family == AF_INET)
		a->in.sin_port = htons(port);
	else
		a->in6.sin6_port = htons(port);
}

/* Same family, address and port? */
__api bool addr_eq(const union addr *a, const union addr *b)
{
	if (a->sa.sa_family != b->sa.sa_family || addr_port(a) != addr_port(b))
		return false;
	if (a->sa.sa_family == AF_INET)
		return a->in.sin_addr.s_addr == b->in.sin_addr.s_addr;
	return !memcmp(&a->in6.sin6_addr, &b->in6.sin6_addr, 16);
}

__api union addr local_addr(int fd)
{
	union addr a = {};
	socklen_t len = sizeof(a);

	MUST(getsockname(fd, &a.sa, &len));
	return a;
}

__api union addr peer_addr(int fd)
{
	union addr a = {};
	socklen_t len = sizeof(a);

	MUST(getpeername(fd, &a.sa, &len));
	return a;
}

__api unsigned int local_port(int fd)
{
	union addr a = local_addr(fd);

	return addr_port(&a);
}

/* ---- sockets ---- */

__api int xsocket(int flags)
{
	return MUST(socket(st->domain, SOCK_STREAM | flags, st->proto));
}

__api int do_bind(int fd, const union addr *a)
{
	return bind(fd, &a->sa, addr_len(a));
}

__api int do_connect(int fd, const union addr *a)
{
	return connect(fd, &a->sa, addr_len(a));
}

__api int so_error(int fd)
{
	return get_int(fd, SOL_SOCKET, SO_ERROR);
}

__api void set_nonblock(int fd, bool on)
{
	int fl = MUST(fcntl(fd, F_GETFL));

	MUST(fcntl(fd, F_SETFL, on ? fl | O_NONBLOCK : fl & ~O_NONBLOCK));
}

__api void set_timeo(int fd, int opt, int ms)
{
	struct timeval tv = { ms / 1000, ms % 1000 * 1000 };

	MUST(setsockopt(fd, SOL_SOCKET, opt, &tv, sizeof(tv)));
}

__api void set_linger(int fd, int onoff, int secs)
{
	struct linger l = { onoff, secs };

	MUST(setsockopt(fd, SOL_SOCKET, SO_LINGER, &l, sizeof(l)));
}

/* Close with a RST (SO_LINGER with zero seconds). */
__api void close_rst(int fd)
{
	set_linger(fd, 1, 0);
	MUST(close(fd));
}

/* State as TCP_INFO says it; values of enum in <linux/tcp_states.h>. */
enum {
	ESTABLISHED = 1, SYN_SENT, SYN_RECV, FIN_WAIT1, FIN_WAIT2, TIME_WAIT,
	CLOSED, CLOSE_WAIT, LAST_ACK, LISTENING, CLOSING, NEW_SYN_RECV,
};

__api int state_of(int fd)
{
	struct tcp_info ti = {};
	socklen_t len = sizeof(ti);

	MUST(getsockopt(fd, SOL_TCP, TCP_INFO, &ti, &len));
	return ti.tcpi_state;
}

/* A listener bound to A; its address with the port is stored back. */
__api int listen_at(union addr *a, int backlog)
{
	int fd = xsocket(0);

	MUST(do_bind(fd, a));
	MUST(listen(fd, backlog));
	*a = local_addr(fd);
	return fd;
}

/* A listener on loopback, any port. */
__api int listener(union addr *a, int backlog)
{
	*a = addr_loop(0);
	return listen_at(a, backlog);
}

__api int connect_to(const union addr *a)
{
	int fd = xsocket(0);

	MUST(do_connect(fd, a));
	stack_traffic = true;
	return fd;
}

/* fd[0] connects to the listener, fd[1] is what it accepts. */
__api void pair_on(int lfd, int fd[2])
{
	union addr a = local_addr(lfd);

	fd[0] = connect_to(&a);
	fd[1] = MUST(accept(lfd, NULL, NULL));
}

__api void pair(int fd[2])
{
	union addr a;
	int lfd = listener(&a, 8);

	pair_on(lfd, fd);
	MUST(close(lfd));
}

/* A port on loopback on which nobody listens. */
__api union addr addr_refused(void)
{
	union addr a = addr_loop(0);
	int fd = xsocket(0);

	MUST(do_bind(fd, &a));
	a = local_addr(fd);
	MUST(close(fd));
	return a;
}

/* Drops every segment that reaches FD from now on: its peer hears nothing. */
__api void drop_input(int fd)
{
	struct { uint16_t code; uint8_t jt, jf; uint32_t k; } ret0 = { .code = 6 };
	struct { uint16_t len; void *filter; } prog = { 1, &ret0 };

	MUST(setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &prog, sizeof(prog)));
}

/* ---- variants ---- */

__api bool stack_selected(const char *variant)
{
	const char *want = getenv("STACK");
	char buf[128], *tok, *save;

	if (!want || !*want)
		return true;
	snprintf(buf, sizeof(buf), "%s", want);
	for (tok = strtok_r(buf, ", ", &save); tok; tok = strtok_r(NULL, ", ", &save))
		if (!strncmp(variant, tok, strlen(tok)))
			return true;
	return false;
}

/* One datagram from the address to itself, within a VRF if one is named. */
__api bool echoes(const struct sockaddr_in6 *a, const char *vrf)
{
	int fd = MUST(socket(AF_INET6, SOCK_DGRAM, 0));
	struct sockaddr_in6 self;
	socklen_t len = sizeof(self);
	char c = 0;
	bool ok;

	if (vrf)
		MUST(setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, vrf, strlen(vrf) + 1));
	ok = !bind(fd, (void *)a, sizeof(*a)) &&
	     !getsockname(fd, (void *)&self, &len) &&
	     !connect(fd, (void *)&self, sizeof(self)) &&
	     send(fd, &c, 1, 0) == 1 && recv(fd, &c, 1, MSG_DONTWAIT) == 1;
	close(fd);
	return ok;
}

/* IPv6 routes an address of its own from a work item: wait until it has. */
__api void wait_routed(const char *dev, const char *vrf, const struct in6_addr *a)
{
	struct sockaddr_in6 sin6 = { .sin6_family = AF_INET6, .sin6_addr = *a,
				     .sin6_scope_id = if_nametoindex(dev) };

	if (!UNTIL(echoes(&sin6, vrf)))
		MUST(-1);
}

/* A namespace of its own, with loopback up. */
__api void fresh_ns(void)
{
	struct ifreq ifr = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int fd;

	MUST(unshare(CLONE_NEWNET));
	fd = MUST(socket(AF_INET, SOCK_DGRAM, 0));
	MUST(ioctl(fd, SIOCSIFFLAGS, &ifr));
	close(fd);
	wait_routed("lo", NULL, &in6addr_loopback);
	/* The reference shall not pace (BBR would). */
	MUST(file_write("/proc/sys/net/ipv4/tcp_congestion_control", "reno"));
	stack_set_mark();
}

__api void stack_setup(const struct stack *s)
{
	st = s;
	/* Nothing outlives the program, however that ends. */
	MUST(prctl(PR_SET_PDEATHSIG, SIGKILL));
	signal(SIGPIPE, SIG_IGN);
	stack_set_mark();
}

/*
 * Ends by a reset what a test leaves open: no orphan of it sends a segment
 * while the next one runs.
 */
__api void stack_cleanup(void)
{
	struct linger l = { 1, 0 };
	union addr a;
	socklen_t len;
	int fd;

	for (fd = 3; fd < 512; fd++) {
		len = sizeof(a);
		if (getsockname(fd, &a.sa, &len) ||
		    (a.sa.sa_family != AF_INET && a.sa.sa_family != AF_INET6))
			continue;
		setsockopt(fd, SOL_SOCKET, SO_DETACH_FILTER, &l, sizeof(int));
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &l, sizeof(l));
		close(fd);
	}
}

#define __STACK(f, n, d, p, a, x, m)					\
	FIXTURE_VARIANT_ADD(f, n) {					\
		.st = { #n, d, p, a, x, m },				\
	}

#define __STACK_FIXTURE(f)						\
FIXTURE(f) {								\
	int unused;							\
};									\
FIXTURE_VARIANT(f) {							\
	struct stack st;						\
};									\
FIXTURE_SETUP(f)							\
{									\
	stack_setup(&variant->st);					\
}									\
FIXTURE_TEARDOWN(f)							\
{									\
	stack_cleanup();						\
	STACK_CHECK();							\
}									\
struct __stack_##f

/* Kernel TCP, the AF_INET(6)/253 door, the AF_XTCP door. */
#define STACK_FIXTURE_V6(f)						\
__STACK_FIXTURE(f);							\
__STACK(f, tcp6, AF_INET6, IPPROTO_TCP, AF_INET6, false, false);	\
__STACK(f, inet6, AF_INET6, IPPROTO_XTCP, AF_INET6, true, false);	\
__STACK(f, xtcp6, AF_XTCP, XTCPPROTO_V6, AF_INET6, true, false)

#define STACK_FIXTURE(f)						\
STACK_FIXTURE_V6(f);							\
__STACK(f, tcp4, AF_INET, IPPROTO_TCP, AF_INET, false, false);		\
__STACK(f, inet4, AF_INET, IPPROTO_XTCP, AF_INET, true, false);		\
__STACK(f, xtcp4, AF_XTCP, XTCPPROTO_V4, AF_INET, true, false)

/* And with v4-mapped addresses on v6 sockets, where that matters. */
#define STACK_FIXTURE_MAPPED(f)						\
STACK_FIXTURE(f);							\
__STACK(f, tcpmap, AF_INET6, IPPROTO_TCP, AF_INET6, false, true);	\
__STACK(f, inetmap, AF_INET6, IPPROTO_XTCP, AF_INET6, true, true);	\
__STACK(f, xtcpmap, AF_XTCP, XTCPPROTO_V6, AF_INET6, true, true)

/* The AF_INET socket of the same stack and door. */
__api int v4_socket(void)
{
	if (st->domain == AF_XTCP)
		return MUST(socket(AF_XTCP, SOCK_STREAM, XTCPPROTO_V4));
	return MUST(socket(AF_INET, SOCK_STREAM, st->proto));
}

/* Drops the variants that $STACK does not select from a fixture's list. */
__api void stack_filter(struct __fixture_metadata *f)
{
	struct __fixture_variant_metadata *v = f->variant, *next;
	struct __fixture_variant_metadata **tail = &f->variant;
	bool any = false;

	for (; v; v = next) {
		next = v->next;
		if (!stack_selected(v->name))
			continue;
		*tail = v;
		tail = &v->next;
		any = true;
	}
	*tail = NULL;
	if (!any)
		f->tests = NULL;
}

int harness_main(int argc, char **argv);

int main(int argc, char **argv)
{
	struct __fixture_metadata *f;

	for (f = __fixture_list; f; f = f->next)
		if (f->variant)
			stack_filter(f);
	setvbuf(stdout, NULL, _IOLBF, 0);
	stack_first_ns = MUST(open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC));
	fresh_ns();
	return harness_main(argc, argv);
}

/* TEST_HARNESS_MAIN defines this one. */
#define main harness_main

#endif
