// SPDX-License-Identifier: GPL-2.0
/*
 * net.xtcp.*: defaults, ranges and rights of every setting, from a table that
 * must have them all; a set for each namespace; and the limits that they put
 * on what a namespace keeps: orphans, TIME-WAIT entries, memory.
 */
#include "stack.h"
#include <dirent.h>
#include <limits.h>

STACK_FIXTURE(limits);

#define DIR_XTCP	"/proc/sys/net/xtcp/"

struct row {
	const char *name;
	long def, min, max;
};

#define BY_MEMORY	LONG_MIN

/* xtcp(7) */
static const struct row rows[] = {
	{ "abort_on_overflow", 0, 0, 1 },
	{ "adv_win_scale", 1, -31, 31 },
	{ "challenge_ack_limit", 1000, 0, INT_MAX },
	{ "delack_max", 40, 0, 499 },
	{ "early_demux", 1, 0, 1 },
	{ "early_retrans", 3, 0, 4 },
	{ "ecn", 2, 0, 2 },
	{ "ecn_fallback", 1, 0, 1 },
	{ "fin_timeout", 60, 1, 120 },
	{ "frto", 2, 0, 2 },
	{ "invalid_ratelimit", 500, 0, INT_MAX },
	{ "keepalive_intvl", 75, 1, 32767 },
	{ "keepalive_probes", 9, 1, 127 },
	{ "keepalive_time", 7200, 1, 32767 },
	{ "max_ack_delay", 1000, 0, 499000 },
	{ "max_orphans", BY_MEMORY, 1, INT_MAX },
	{ "max_syn_backlog", BY_MEMORY, 1, INT_MAX },
	{ "max_tw_buckets", BY_MEMORY, 1, INT_MAX },
	{ "min_snd_mss", 48, 48, 65495 },
	{ "negotiate", 1, 0, 1 },
	{ "no_metrics_save", 0, 0, 1 },
	{ "no_ssthresh_metrics_save", 1, 0, 1 },
	{ "orphan_retries", 0, 0, 127 },
	{ "retries1", 3, 0, 127 },
	{ "retries2", 15, 0, 127 },
	{ "rfc1337", 1, 0, 1 },
	{ "rto_floor", 1000, 0, 1000000 },
	{ "rto_max", 120000, 1000, 120000 },
	{ "rto_min", 200000, 1000, 1000000 },
	{ "sack", 1, 0, 1 },
	{ "slow_start_after_idle", 1, 0, 1 },
	{ "stdurg", 0, 0, 1 },
	{ "syn_retries", 6, 1, 127 },
	{ "synack_retries", 5, 0, 127 },
	{ "syncookies", 1, 0, 2 },
	{ "timestamps", 1, 0, 1 },
	{ "tw_reuse", 1, 0, 1 },
	{ "tw_timeout", 60000, 1, 600000 },
	{ "window_scaling", 1, 0, 1 },
};

/* Those that are no plain number, in tests of their own */
static const char * const others[] = {
	"abort_orphans", "available_congestion_control", "congestion_control", "mem",
	"metrics_flush", "rmem", "wmem",
};

static const char *path_of(const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), DIR_XTCP "%s", name);
	return path;
}

static int put(const char *name, const char *val)
{
	return file_write(path_of(name), val);
}

static int put_long(const char *name, long val)
{
	char text[32];

	snprintf(text, sizeof(text), "%ld", val);
	return put(name, text);
}

static void get(const char *name, char *text, size_t len)
{
	MUST(file_read(path_of(name), text, len));
}

static long get_long(const char *name)
{
	char text[64];

	get(name, text, sizeof(text));
	return atol(text);
}

/* A row or a file without its counterpart: somebody forgot the test. */
TEST(every_one_is_known)
{
	unsigned int i, known = 0, files = 0;
	struct dirent *e;
	DIR *dir;

	fresh_ns();
	dir = opendir(DIR_XTCP);
	ASSERT_NE(NULL, dir);
	while ((e = readdir(dir))) {
		if (e->d_name[0] == '.')
			continue;
		files++;
		for (i = 0; i < ARRAY_SIZE(rows); i++)
			known += !strcmp(rows[i].name, e->d_name);
		for (i = 0; i < ARRAY_SIZE(others); i++)
			known += !strcmp(others[i], e->d_name);
	}
	closedir(dir);
	EXPECT_EQ(files, known);
	EXPECT_EQ(ARRAY_SIZE(rows) + ARRAY_SIZE(others), files);
}

TEST(defaults)
{
	unsigned int i;

	fresh_ns();
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		long val = get_long(rows[i].name);

		EXPECT_TRUE(rows[i].def == BY_MEMORY ? val >= 128 : val == rows[i].def) {
			TH_LOG("%s is %ld", rows[i].name, val);
		}
	}
}

TEST(ranges)
{
	const struct row *r;
	unsigned int i;
	long before;

	fresh_ns();
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		r = &rows[i];
		before = get_long(r->name);
		EXPECT_ERR(EINVAL, put_long(r->name, r->min - 1));
		EXPECT_ERR(EINVAL, put_long(r->name, r->max + 1));
		EXPECT_ERR(EINVAL, put(r->name, "one"));
		EXPECT_ERR(EINVAL, put(r->name, "99999999999999999999"));
		EXPECT_EQ(before, get_long(r->name)) {
			TH_LOG("%s has changed", r->name);
		}
		EXPECT_OK(put_long(r->name, r->min));
		EXPECT_EQ(r->min, get_long(r->name));
		EXPECT_OK(put_long(r->name, r->max));
		EXPECT_EQ(r->max, get_long(r->name));
	}
}

TEST(of_a_namespace)
{
	unsigned int i;
	int own;

	fresh_ns();
	own = MUST(open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC));
	for (i = 0; i < ARRAY_SIZE(rows); i++)
		MUST(put_long(rows[i].name, rows[i].max));
	MUST(put("congestion_control", "reno"));
	fresh_ns();
	for (i = 0; i < ARRAY_SIZE(rows); i++)
		if (rows[i].def != BY_MEMORY)
			EXPECT_EQ(rows[i].def, get_long(rows[i].name));
	MUST(setns(own, CLONE_NEWNET));
	for (i = 0; i < ARRAY_SIZE(rows); i++)
		EXPECT_EQ(rows[i].max, get_long(rows[i].name));
}

TEST(of_root)
{
	unsigned int i;

	fresh_ns();
	MUST(seteuid(65534));
	for (i = 0; i < ARRAY_SIZE(rows); i++)
		EXPECT_ERR(EACCES, put_long(rows[i].name, rows[i].min));
	EXPECT_ERR(EACCES, put("abort_orphans", "1"));
	MUST(seteuid(0));
}

TEST(congestion_control)
{
	char text[64];

	fresh_ns();
	get("congestion_control", text, sizeof(text));
	EXPECT_STREQ("cubic\n", text);
	EXPECT_ERR(ENOENT, put("congestion_control", "nonsense"));
	get("congestion_control", text, sizeof(text));
	EXPECT_STREQ("cubic\n", text);
	EXPECT_OK(put("congestion_control", "reno"));
	get("congestion_control", text, sizeof(text));
	EXPECT_STREQ("reno\n", text);
	get("available_congestion_control", text, sizeof(text));
	EXPECT_NE(NULL, strstr(text, "cubic"));
}

TEST(orders)
{
	static const char * const names[] = { "abort_orphans", "metrics_flush" };
	char text[8];
	unsigned int i;

	fresh_ns();
	for (i = 0; i < ARRAY_SIZE(names); i++) {
		EXPECT_ERR(EINVAL, put(names[i], "0"));
		EXPECT_ERR(EINVAL, put(names[i], "2"));
		EXPECT_OK(put(names[i], "1"));
		MUST(seteuid(65534));
		EXPECT_ERR(EACCES, file_read(path_of(names[i]), text, sizeof(text)));
		MUST(seteuid(0));
	}
}

/* Three numbers; the first is one for all namespaces and belongs to the first of them. */
TEST(buffers)
{
	static const char * const names[] = { "rmem", "wmem" };
	char before[64], after[64];
	unsigned int i;

	fresh_ns();
	for (i = 0; i < ARRAY_SIZE(names); i++) {
		get(names[i], before, sizeof(before));
		EXPECT_EQ(0, strncmp(before, "4096\t", 5));
		EXPECT_ERR(EINVAL, put(names[i], "4096 0 100000"));
		EXPECT_ERR(EINVAL, put(names[i], "4096 -1 100000"));
		EXPECT_ERR(EINVAL, put(names[i], "4096 5000 9999999999"));
		EXPECT_ERR(EPERM, put(names[i], "5000 6000 7000"));
		get(names[i], after, sizeof(after));
		EXPECT_STREQ(before, after);
		EXPECT_OK(put(names[i], "4096 6000 7000"));
		get(names[i], after, sizeof(after));
		EXPECT_STREQ("4096\t6000\t7000\n", after);
	}
}

/* One set for all namespaces, to be changed in the first one */
TEST(memory)
{
	char before[64], after[64];

	fresh_ns();
	get("mem", before, sizeof(before));
	EXPECT_ERR(EACCES, put("mem", "1 2 3"));
	MUST(setns(stack_first_ns, CLONE_NEWNET));
	get("mem", after, sizeof(after));
	EXPECT_STREQ(before, after);
	EXPECT_ERR(EINVAL, put("mem", "one"));
	EXPECT_OK(put("mem", "1000 2000 3000"));
	get("mem", after, sizeof(after));
	EXPECT_STREQ("1000\t2000\t3000\n", after);
	EXPECT_OK(put("mem", before));
	get("mem", after, sizeof(after));
	EXPECT_STREQ(before, after);
}

/* ---- limits ---- */

#define FOR_XTCP() do {							\
	if (!st->xtcp) {						\
		SKIP(return, "reference: net.ipv4 has it elsewhere");	\
	}								\
	fresh_ns();							\
} while (0)

/* One more than the limit: the connection is reset, not kept. */
TEST_F(limits, max_orphans)
{
	int fd[2][2], i;
	char c;

	FOR_XTCP();
	MUST(put("max_orphans", "1"));
	for (i = 0; i < 2; i++) {
		pair(fd[i]);
		EXPECT_EQ(1, send(fd[i][0], "x", 1, 0));
		EXPECT_EQ(1, recv(fd[i][1], &c, 1, 0));
	}
	EXPECT_TRUE(wait_acked(fd[0][0]) && wait_acked(fd[1][0]));
	for (i = 0; i < 2; i++)
		MUST(close(fd[i][0]));
	EXPECT_EQ(1, xtcp_stat("CurrOrphans"));
	EXPECT_EQ(0, recv(fd[0][1], &c, 1, 0));
	EXPECT_EQ(0, so_error(fd[0][1]));
	/* A reset after the FIN. */
	EXPECT_EQ(EPIPE, so_error(fd[1][1]));
	MUST(close(fd[0][1]));
	EXPECT_TRUE(UNTIL(xtcp_stat("CurrOrphans") == 0));
}

TEST_F(limits, abort_orphans)
{
	int fd[2];
	char c;

	FOR_XTCP();
	pair(fd);
	MUST(close(fd[0]));
	EXPECT_EQ(0, recv(fd[1], &c, 1, 0));
	EXPECT_EQ(1, xtcp_stat("CurrOrphans"));
	MUST(put("abort_orphans", "1"));
	EXPECT_EQ(0, xtcp_stat("CurrOrphans"));
	EXPECT_EQ(ECONNRESET, UNTIL(so_error(fd[1])) ? ECONNRESET : 0);
}

/* Who closes first keeps the address pair, if there is room for it. */
TEST_F(limits, max_tw_buckets)
{
	int fd[2], i;
	char c;

	FOR_XTCP();
	MUST(put("max_tw_buckets", "2"));
	for (i = 0; i < 4; i++) {
		pair(fd);
		MUST(shutdown(fd[0], SHUT_WR));
		EXPECT_EQ(0, recv(fd[1], &c, 1, 0));
		MUST(close(fd[1]));
		EXPECT_EQ(0, recv(fd[0], &c, 1, 0));
		MUST(close(fd[0]));
		EXPECT_TRUE(UNTIL(xtcp_stat("CurrSockets") == 0));
		EXPECT_EQ(i < 2 ? i + 1 : 2, xtcp_stat("CurrTimeWait"));
	}
}

/* Pages that all sockets of the machine hold */
static long pages_in_use(void)
{
	char name[64], line[256];
	long mem, pages = 0;
	FILE *f = fopen("/proc/net/protocols", "r");

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "%63s %*d %*d %ld", name, &mem) == 2 && !strcmp(name, "XTCP"))
			pages = mem;
	if (f)
		fclose(f);
	return pages;
}

static void set_mem(const char *val, int mine)
{
	MUST(setns(stack_first_ns, CLONE_NEWNET));
	MUST(put("mem", val));
	MUST(setns(mine, CLONE_NEWNET));
}

/* As much as is taken, within a second of nothing more being taken */
static size_t push(int fd)
{
	static unsigned char buf[65536];
	size_t off = 0;
	ssize_t n;

	do {
		fill(buf, sizeof(buf), off);
		n = send(fd, buf, sizeof(buf), MSG_DONTWAIT | MSG_NOSIGNAL);
		off += n > 0 ? n : 0;
	} while (n > 0 || poll_for(fd, POLLOUT, 1000) & POLLOUT);
	return off;
}

#define PAIRS	4

/*
 * mem: four connections want 40 MB and get about one.  What was taken from the
 * writers arrives, when there is memory again.
 */
TEST_F(limits, mem)
{
	/* each processor keeps up to 1 MB in reserve */
	long reserve = (1 << 20) / sysconf(_SC_PAGESIZE) * sysconf(_SC_NPROCESSORS_CONF);
	int fd[PAIRS][2], i, mine;
	size_t n[PAIRS];
	char before[64];

	FOR_XTCP();
	get("mem", before, sizeof(before));
	mine = MUST(open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC));
	for (i = 0; i < PAIRS; i++)
		pair(fd[i]);
	set_mem("64 128 256", mine);
	for (i = 0; i < PAIRS; i++)
		n[i] = push(fd[i][0]);
	EXPECT_GE(256 + 128 + reserve, pages_in_use());
	EXPECT_LT(0, xtcp_stat("MemoryPressures"));
	set_mem(before, mine);
	for (i = 0; i < PAIRS; i++) {
		EXPECT_LT(0, n[i]);
		EXPECT_EQ(n[i], recv_pattern(fd[i][1], n[i]));
	}
}

/* The same in little memory from beginning to end: slow, and whole. */
TEST_F(limits, mem_is_short)
{
	int fd[2], mine, status = -1;
	size_t total = 3000000;
	char before[64];
	pid_t pid;

	FOR_XTCP();
	get("mem", before, sizeof(before));
	mine = MUST(open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC));
	pair(fd);
	set_mem("1 2 3", mine);
	pid = MUST(fork());
	if (!pid)
		_exit(send_pattern(fd[0], total) != total);
	EXPECT_EQ(total, recv_pattern(fd[1], total));
	set_mem(before, mine);
	MUST(waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
}

TEST_HARNESS_MAIN
