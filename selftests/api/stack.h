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

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <linux/xtcp.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "kselftest_harness.h"

/* Slow emulated machines run these programs too: limits are generous. */
#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT	180
#define DEADLINE_MS		15000

#ifndef SOL_TCP
#define SOL_TCP 6
#endif

#define __api __attribute__((unused)) static

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

/* A failed precondition ends the test: it counts as failed. */
#define MUST(call) ({							\
	__typeof__(call) __must = (call);				\
	if ((long)__must < 0) {						\
		fprintf(stderr, "# %s:%d: %s: %s\n", __FILE__,		\
			__LINE__, #call, strerror(errno));		\
		abort();						\
	}								\
	__must; })

#define EXPECT_OK(call) do {						\
	errno = 0;							\
	long __ret = (call);						\
	int __err = errno;						\
	EXPECT_LE(0, __ret) {						\
		TH_LOG("%s: %s", #call, strerror(__err));		\
	}								\
} while (0)

#define EXPECT_ERR(err, call) do {					\
	errno = 0;							\
	long __ret = (call);						\
	int __err = errno;						\
	EXPECT_EQ(-1, __ret) {						\
		TH_LOG("%s should fail with %s", #call, strerror(err));	\
	}								\
	if (__ret == -1) {						\
		EXPECT_EQ(err, __err) {					\
			TH_LOG("%s: %s", #call, strerror(__err));	\
		}							\
	}								\
} while (0)

/* ---- time ---- */

__api long now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

#define UNTIL(cond) ({							\
	long __end = now_ms() + DEADLINE_MS;				\
	bool __true;							\
	while (!(__true = (cond)) && now_ms() < __end)			\
		usleep(1000);						\
	__true; })

/* ---- counters ---- */

/* Value of the named column of the "Tcp:" lines of /proc/net/snmp. */
__api unsigned long snmp_tcp(const char *name)
{
	char head[512] = "", vals[512] = "", *h, *v, *hs, *vs;
	unsigned long val = 0;
	FILE *f = fopen("/proc/net/snmp", "r");

	if (!f)
		MUST(-1);
	while (fgets(head, sizeof(head), f) && strncmp(head, "Tcp:", 4))
		;
	if (!fgets(vals, sizeof(vals), f))
		MUST(-1);
	fclose(f);
	h = strtok_r(head, " \n", &hs);
	v = strtok_r(vals, " \n", &vs);
	while (h && v && strcmp(h, name)) {
		h = strtok_r(NULL, " \n", &hs);
		v = strtok_r(NULL, " \n", &vs);
	}
	if (h && v)
		val = strtoul(v, NULL, 10);
	return val;
}

/* Value of a line of /proc/net/xtcp_stat; 0 without the module. */
__api unsigned long xtcp_stat(const char *name)
{
	char key[64];
	unsigned long val, found = 0;
	FILE *f = fopen("/proc/net/xtcp_stat", "r");

	if (!f)
		return 0;
	while (fscanf(f, "%63s %lu", key, &val) == 2)
		if (!strcmp(key, name))
			found = val;
	fclose(f);
	return found;
}

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

/* ---- sysctls ---- */

__api int file_write(const char *path, const char *val)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	int ret = fd < 0 ? -1 : (int)write(fd, val, strlen(val));
	int err = errno;

	if (fd >= 0)
		close(fd);
	errno = err;
	return ret;
}

__api int file_read(const char *path, char *buf, size_t len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int ret = fd < 0 ? -1 : (int)read(fd, buf, len - 1);

	if (fd >= 0)
		close(fd);
	buf[ret < 0 ? 0 : ret] = 0;
	return ret;
}

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

__api int set_int(int fd, int level, int opt, int val)
{
	return setsockopt(fd, level, opt, &val, sizeof(val));
}

__api int get_int(int fd, int level, int opt)
{
	int val = -1;
	socklen_t len = sizeof(val);

	MUST(getsockopt(fd, level, opt, &val, &len));
	return val;
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

/* ---- waiting ---- */

#define EV_ALL (POLLIN | POLLPRI | POLLOUT | POLLRDNORM | POLLRDBAND | \
		POLLWRNORM | POLLWRBAND | POLLRDHUP)

/* Every event bit that stands now. */
__api int events_now(int fd)
{
	struct pollfd p = { fd, EV_ALL, 0 };

	MUST(poll(&p, 1, 0));
	return p.revents;
}

__api int poll_for(int fd, int events, int ms)
{
	struct pollfd p = { fd, events, 0 };
	long end = now_ms() + ms, left = ms;
	int n;

	while ((n = poll(&p, 1, left)) < 0 && errno == EINTR) {
		left = end - now_ms();
		if (left < 0)
			left = 0;
	}
	MUST(n);
	return p.revents;
}

/* Waits (bounded) for any of EVENTS, POLLERR or POLLHUP. */
__api int wait_for(int fd, int events)
{
	return poll_for(fd, events, DEADLINE_MS);
}

/* Waits (bounded) until N bytes can be read. */
__api bool wait_inq(int fd, int n)
{
	int have;

	return UNTIL(!ioctl(fd, SIOCINQ, &have) && have >= n);
}

/* Waits (bounded) until all that was sent is acknowledged. */
__api bool wait_acked(int fd)
{
	int left;

	return UNTIL(!ioctl(fd, SIOCOUTQ, &left) && !left);
}

/* Is the thread (of this process) or process asleep in a system call? */
__api bool is_asleep(int tid)
{
	char path[64], buf[256], *p;

	snprintf(path, sizeof(path), "/proc/%d/stat", tid);
	if (file_read(path, buf, sizeof(buf)) <= 0)
		return false;
	p = strrchr(buf, ')');
	return p && p[2] == 'S';
}

/* ---- data ---- */

__api unsigned char pattern(size_t i)
{
	return i * 7 + (i >> 8) * 13 + (i >> 16) * 31;
}

__api void fill(void *buf, size_t len, size_t off)
{
	unsigned char *p = buf;
	size_t i;

	for (i = 0; i < len; i++)
		p[i] = pattern(off + i);
}

__api bool filled(const void *buf, size_t len, size_t off)
{
	const unsigned char *p = buf;
	size_t i;

	for (i = 0; i < len; i++)
		if (p[i] != pattern(off + i))
			return false;
	return true;
}

/* Sends TOTAL bytes of the pattern (blocking); bytes sent. */
__api size_t send_pattern(int fd, size_t total)
{
	static unsigned char buf[65536];
	size_t off = 0, len;
	ssize_t n;

	while (off < total) {
		len = total - off < sizeof(buf) ? total - off : sizeof(buf);
		fill(buf, len, off);
		n = send(fd, buf, len, MSG_NOSIGNAL);
		if (n <= 0)
			break;
		off += n;
	}
	return off;
}

/* Receives up to TOTAL bytes; how many came before EOF, error or a wrong byte. */
__api size_t recv_pattern(int fd, size_t total)
{
	static unsigned char buf[65536];
	size_t off = 0, len;
	ssize_t n;

	while (off < total) {
		len = total - off < sizeof(buf) ? total - off : sizeof(buf);
		n = recv(fd, buf, len, 0);
		if (n <= 0 || !filled(buf, n, off))
			break;
		off += n;
	}
	return off;
}

/* Bytes sent that the peer has not acknowledged. */
__api int in_flight(int fd)
{
	int all = 0, unsent = 0;

	MUST(ioctl(fd, SIOCOUTQ, &all));
	MUST(ioctl(fd, SIOCOUTQNSD, &unsent));
	return all - unsent;
}

/*
 * Fills the way to the peer without blocking; bytes taken.  It is full when
 * nothing more is taken while all that was sent is acknowledged (but for a
 * window probe's byte), or for longer than an ACK may be delayed.
 */
__api size_t stuff(int fd)
{
	static unsigned char buf[65536];
	int tries = 0, quiet = 0;
	size_t off = 0;
	ssize_t n;

	MUST(set_int(fd, SOL_SOCKET, SO_SNDBUF, 65536));
	while (quiet < 2 && tries < 30) {
		bool still = in_flight(fd) <= 1;

		fill(buf, sizeof(buf), off);
		n = send(fd, buf, sizeof(buf), MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n < 0)
			n = send(fd, buf, 1, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n < 0) {
			quiet = still ? quiet + 1 : 0;
			tries++;
			poll_for(fd, POLLOUT, 10);
			continue;
		}
		quiet = tries = 0;
		off += n;
	}
	return off;
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

/* One datagram from the address to itself. */
__api bool echoes(const struct sockaddr_in6 *a)
{
	int fd = MUST(socket(AF_INET6, SOCK_DGRAM, 0));
	struct sockaddr_in6 self;
	socklen_t len = sizeof(self);
	char c = 0;
	bool ok;

	ok = !bind(fd, (void *)a, sizeof(*a)) &&
	     !getsockname(fd, (void *)&self, &len) &&
	     !connect(fd, (void *)&self, sizeof(self)) &&
	     send(fd, &c, 1, 0) == 1 && recv(fd, &c, 1, MSG_DONTWAIT) == 1;
	close(fd);
	return ok;
}

/* IPv6 routes an address of its own from a work item: wait until it has. */
__api void wait_routed(const char *dev, const struct in6_addr *a)
{
	struct sockaddr_in6 sin6 = { .sin6_family = AF_INET6, .sin6_addr = *a,
				     .sin6_scope_id = if_nametoindex(dev) };

	if (!UNTIL(echoes(&sin6)))
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
	wait_routed("lo", &in6addr_loopback);
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
