// SPDX-License-Identifier: GPL-2.0
/*
 * The stack under test seen from above, see stack.h.  Owns the list of open
 * descriptors and of changed sysctls, so that each script starts from the same
 * ground.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <netinet/tcp.h>
#include <linux/xtcp.h>
#include <kselftest.h>
#include "script.h"
#include "stack.h"

#define MAX_FDS		4096
#define MAX_SYSCTLS	32

enum stack stack;
int stack_proto;
int family;

static int fds[MAX_FDS], nr_fds;

static struct saved {
	char path[80], value[64];
} saved[MAX_SYSCTLS];
static int nr_saved;

const char *const state_name[NR_STATES] = {
	[CLOSED] = "CLOSED", [LISTEN] = "LISTEN", [SYN_SENT] = "SYN-SENT",
	[SYN_RECEIVED] = "SYN-RECEIVED", [SYN_RECEIVED_ACTIVE] = "SYN-RECEIVED-ACTIVE",
	[ESTABLISHED] = "ESTABLISHED", [FIN_WAIT_1] = "FIN-WAIT-1",
	[FIN_WAIT_2] = "FIN-WAIT-2", [CLOSE_WAIT] = "CLOSE-WAIT",
	[CLOSING] = "CLOSING", [LAST_ACK] = "LAST-ACK", [TIME_WAIT] = "TIME-WAIT",
};

/* Linux numbers, as in /proc and TCP_INFO; 12 is TCP_NEW_SYN_RECV */
static const enum state from_linux[13] = {
	CLOSED, ESTABLISHED, SYN_SENT, SYN_RECEIVED, FIN_WAIT_1, FIN_WAIT_2, TIME_WAIT,
	CLOSED, CLOSE_WAIT, LAST_ACK, LISTEN, CLOSING, SYN_RECEIVED,
};

static int open_door(void)
{
	int type = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;

	if (stack == STACK_XTCP)
		return socket(AF_XTCP, type,
			      family == AF_INET6 ? XTCPPROTO_V6 : XTCPPROTO_V4);
	return socket(family, type, stack_proto);
}

void stack_init(void)
{
	const char *s = getenv("STACK");
	int fd;

	if (!s || !strcmp(s, "tcp"))
		stack = STACK_TCP;
	else if (!strcmp(s, "inet"))
		stack = STACK_INET;
	else if (!strcmp(s, "xtcp"))
		stack = STACK_XTCP;
	else
		ksft_exit_fail_msg("STACK must be tcp, inet or xtcp\n");
	stack_proto = stack == STACK_TCP ? IPPROTO_TCP : IPPROTO_XTCP;
	for (family = AF_INET; family; family = family == AF_INET ? AF_INET6 : 0) {
		fd = open_door();
		if (fd < 0)
			ksft_exit_skip("STACK=%s IPv%d: %s\n", s ? s : "tcp",
				       family == AF_INET ? 4 : 6, strerror(errno));
		close(fd);
	}
}

int stack_own(int fd)
{
	if (fd >= 0 && nr_fds < MAX_FDS)
		fds[nr_fds++] = fd;
	return fd;
}

void stack_forget(int fd)
{
	for (int i = 0; i < nr_fds; i++)
		if (fds[i] == fd)
			fds[i] = -1;
}

int stack_socket(void)
{
	int fd = open_door();

	if (fd < 0)
		fail("socket: %s", strerror(errno));
	return stack_own(fd);
}

void stack_close_all(void)
{
	struct linger now = { .l_onoff = 1 };

	while (nr_fds) {
		int fd = fds[--nr_fds];

		if (fd < 0)
			continue;
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
		close(fd);
	}
}

/* ---- states ---- */

static enum state proc_state(uint16_t port, uint16_t peer_port)
{
	static const char *const names[2][2] = {
		{ "/proc/net/tcp", "/proc/net/tcp6" }, { "/proc/net/xtcp", "/proc/net/xtcp6" },
	};
	const char *path = names[stack != STACK_TCP][family == AF_INET6];
	enum state found = CLOSED;
	unsigned int local, remote, st;
	char line[512];
	FILE *f = fopen(path, "r");

	if (!f)
		fail("%s: %s", path, strerror(errno));
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, " %*d: %*[0-9A-F]:%x %*[0-9A-F]:%x %x", &local, &remote, &st) != 3)
			continue;
		if (local != port || remote != peer_port || st >= ARRAY_SIZE(from_linux))
			continue;
		found = from_linux[st];
	}
	fclose(f);
	return found;
}

static enum state fd_state(int fd)
{
	struct tcp_info info = {};
	socklen_t len = sizeof(info);

	if (getsockopt(fd, SOL_TCP, TCP_INFO, &info, &len))
		fail("TCP_INFO: %s", strerror(errno));
	if (info.tcpi_state >= ARRAY_SIZE(from_linux))
		fail("TCP_INFO: state %d", info.tcpi_state);
	return from_linux[info.tcpi_state];
}

enum state stack_state(int fd, uint16_t port, uint16_t peer_port)
{
	enum state state, info;
	int tries = 2;		/* a timer may fire between the two looks */

	do {
		state = proc_state(port, peer_port);
		if (fd < 0)
			return state;
		info = fd_state(fd);
		/* A TIME-WAIT entry lives apart from the descriptor, which is CLOSED */
		if (info == state || (info == CLOSED && state == TIME_WAIT))
			break;
	} while (--tries);
	if (!tries)
		fail("TCP_INFO says %s, /proc/net %s", state_name[info], state_name[state]);
	return state;
}

enum state stack_listener(uint16_t port)
{
	return proc_state(port, 0);
}

/* ---- sysctls ---- */

static bool read_file(const char *path, char *buf, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, buf, size - 1);

	if (fd >= 0)
		close(fd);
	buf[n > 0 ? n : 0] = 0;
	return n >= 0;
}

static bool write_file(const char *path, const char *value)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool ok = fd >= 0 && write(fd, value, strlen(value)) == (ssize_t)strlen(value);

	if (fd >= 0)
		close(fd);
	return ok;
}

static void sysctl_path(char *path, size_t size, const char *name)
{
	snprintf(path, size, stack == STACK_TCP ? "/proc/sys/net/ipv4/tcp_%s" :
		 "/proc/sys/net/xtcp/%s", name);
}

bool sysctl_try(const char *name, const char *value)
{
	struct saved *s = &saved[nr_saved];

	sysctl_path(s->path, sizeof(s->path), name);
	if (access(s->path, F_OK))
		return false;
	if (!read_file(s->path, s->value, sizeof(s->value)) || !write_file(s->path, value))
		fail("%s = %s: %s", s->path, value, strerror(errno));
	if (nr_saved < MAX_SYSCTLS - 1)
		nr_saved++;
	return true;
}

void sysctl_set(const char *name, long value)
{
	char buf[24];

	snprintf(buf, sizeof(buf), "%ld", value);
	if (!sysctl_try(name, buf))
		fail("no sysctl %s", name);
}

void sysctl_order(const char *name)
{
	char path[80];

	sysctl_path(path, sizeof(path), name);
	if (!write_file(path, "1"))
		fail("%s = 1: %s", path, strerror(errno));
}

long sysctl_get(const char *name)
{
	char path[80], buf[64];

	sysctl_path(path, sizeof(path), name);
	if (!read_file(path, buf, sizeof(buf)))
		fail("no sysctl %s", name);
	return atol(buf);
}

void sysctl_restore(void)
{
	while (nr_saved) {
		nr_saved--;
		write_file(saved[nr_saved].path, saved[nr_saved].value);
	}
}

/*
 * The ground that all scripts start from: plain Reno (RFC 5681), none of the
 * algorithms that a script about something else would have to know of (tail
 * loss probes, RACK, metrics of earlier connections), no SYN cookies.
 */
void stack_setup(void)
{
	static const char *const ground[][2] = {
		{ "congestion_control", "reno" }, { "no_metrics_save", "1" },
		{ "early_retrans", "0" }, { "recovery", "0" }, { "syncookies", "0" },
		{ "syn_linear_timeouts", "0" }, { "challenge_ack_limit", "1000000" },
		{ "ecn", "2" }, { "fastopen", "0" }, { "autocorking", "0" },
		{ "timestamps", "1" }, { "sack", "1" }, { "window_scaling", "1" },
		{ "rfc1337", "1" }, { "tw_reuse", "0" }, { "syn_retries", "6" },
		{ "synack_retries", "5" }, { "orphan_retries", "0" }, { "fin_timeout", "60" },
		{ "comp_sack_nr", "0" }, { "moderate_rcvbuf", "0" },
		{ "rmem", "4096 131072 6291456" }, { "wmem", "4096 16384 4194304" },
		{ "max_syn_backlog", "256" }, { "abort_on_overflow", "0" },
		{ "tso_win_divisor", "0" }, { "invalid_ratelimit", "500" }, { "stdurg", "0" }, { "dsack", "0" },
	};
	char path[80];
	size_t i;

	/* What a kernel doesn't have, or keeps to its first namespace, is left. */
	for (i = 0; i < ARRAY_SIZE(ground); i++) {
		sysctl_path(path, sizeof(path), ground[i][0]);
		write_file(path, ground[i][1]);
	}
}

/* ---- counters ---- */

/* Pairs of lines "Tcp: names" and "Tcp: values" (snmp, netstat) */
static long pair_counter(const char *path, const char *name)
{
	static char names[8192], values[8192];
	char *n, *v, *sn, *sv;
	long sum = 0;
	FILE *f = fopen(path, "r");

	while (f && fgets(names, sizeof(names), f) && fgets(values, sizeof(values), f)) {
		n = strtok_r(names, " \n", &sn);
		v = strtok_r(values, " \n", &sv);
		if (!n || strncmp(n, "Tcp", 3))
			continue;
		for (; n && v; n = strtok_r(NULL, " \n", &sn), v = strtok_r(NULL, " \n", &sv))
			if (!strcmp(n, name))
				sum += atol(v);
	}
	if (f)
		fclose(f);
	return sum;
}

static long line_counters(const char *prefix, bool exact)
{
	FILE *f = fopen("/proc/net/xtcp_stat", "r");
	char name[64];
	long value, sum = 0;

	while (f && fscanf(f, "%63s %ld", name, &value) == 2)
		if (exact ? !strcmp(name, prefix) : !strncmp(name, prefix, strlen(prefix)))
			sum += value;
	if (f)
		fclose(f);
	return sum;
}

long counter(const char *name)
{
	if (stack != STACK_TCP)
		return line_counters(name, true);
	return pair_counter("/proc/net/snmp", name) + pair_counter("/proc/net/netstat", name);
}

long counters(const char *prefix)
{
	return line_counters(prefix, false);
}

bool stack_was_used(void)
{
	long tcp = pair_counter("/proc/net/snmp", "OutSegs");
	long xtcp = line_counters("OutSegs", true);

	ksft_print_msg("OutSegs: TCP %ld, XTCP %ld\n", tcp, xtcp);
	return stack == STACK_TCP ? tcp && !xtcp : xtcp && !tcp;
}

int kernel_version(void)
{
	struct utsname u;
	int major = 0, minor = 0;

	uname(&u);
	return sscanf(u.release, "%d.%d", &major, &minor) == 2 ? KV(major, minor) : 0;
}

/*
 * Kernel TCP's timers are on the timer wheel: one part in eight late, a jiffy of
 * up to 10 ms more at each end, and a jiffy too much in the RTO doubles with it.
 * XTCP's are hrtimers.  Both get 25 ms for a busy machine, which virtual time
 * never needs.
 */
double timer_slack(double ms)
{
	return stack == STACK_TCP ? ms / 4 + 45 : ms / 100 + 25;
}
