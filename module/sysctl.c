// SPDX-License-Identifier: GPL-2.0
/*
 * /proc/sys/net/xtcp/: a row per setting, named as in net.ipv4.tcp_*, a copy per
 * network namespace that starts from the defaults.  A value outside of its range
 * gives EINVAL and changes nothing.  Users read xtcp_pernet(net)->sysctl with
 * READ_ONCE().
 *
 * Global by the design of struct proto, thus writable in the first namespace
 * only: `mem` and the minima of `rmem` and `wmem`.
 */
#include <linux/mm.h>
#include <linux/swap.h>
#include <linux/sysctl.h>

#include "xtcp.h"

long xtcp_sysctl_mem[3];
int xtcp_rmem_min = 4096;
int xtcp_wmem_min = 4096;

#define MIN_SND_MSS	48	/* room for 40 bytes of options and 8 of text */

struct row {
	const char *name;
	unsigned int offset;		/* in struct xtcp_sysctl */
	int def, min, max;
	proc_handler *handler;		/* NULL: a number and nothing else */
};

static int do_early(xt_ctl_table *ctl, int write, void *buf, size_t *len, loff_t *pos)
{
	struct xtcp_net *xn = container_of((int *)ctl->data, struct xtcp_net, sysctl.early_demux);
	int err = proc_dointvec_minmax(ctl, write, buf, len, pos);

	if (!err && write)
		xtcp_early_switch(xn);
	return err;
}

#define ROW_AS(_name, _field, _def, _min, _max)					\
	{ .name = #_name, .offset = offsetof(struct xtcp_sysctl, _field),	\
	  .def = _def, .min = _min, .max = _max }
#define ROW(_name, _def, _min, _max)	ROW_AS(_name, _name, _def, _min, _max)

/* The default of a row with 0 here and a minimum above it is by memory size. */
static const struct row rows[] = {
	/* options offered: 0, 1 */
	ROW(sack,			1, 0, 1),
	ROW(timestamps,			1, 0, 1),
	ROW(window_scaling,		1, 0, 1),
	ROW(negotiate,			1, 0, 1),		/* the XTCP option */
	/* RFC 3168: 0 never, 1 offer and accept, 2 accept; 6.1.1.1 */
	ROW(ecn,			2, 0, 2),
	ROW(ecn_fallback,		1, 0, 1),
	/* seconds, probes, seconds: RFC 9293 3.8.4, at least two hours by default */
	ROW(keepalive_time,		7200, 1, 32767),
	ROW(keepalive_probes,		9, 1, 127),
	ROW(keepalive_intvl,		75, 1, 32767),
	/* transmissions after the first: RFC 9293 3.8.3 */
	ROW(syn_retries,		6, 1, 127),
	ROW(synack_retries,		5, 0, 127),
	ROW(retries1,			3, 0, 127),
	ROW(retries2,			15, 0, 127),
	ROW(orphan_retries,		0, 0, 127),
	/* objects */
	ROW(max_orphans,		0, 1, INT_MAX),
	ROW(max_tw_buckets,		0, 1, INT_MAX),
	ROW(max_syn_backlog,		0, 1, INT_MAX),
	ROW(fin_timeout,		60, 1, 120),		/* s */
	ROW(tw_timeout,			60000, 1, 600000),	/* ms: 2MSL, RFC 9293 3.4.2 */
	/* RFC 6191; Deviation: net.ipv4.tcp_tw_reuse has 2, loopback only, by default */
	ROW_AS(tw_reuse, reuse_tw,	1, 0, 1),
	/* RFC 1337 3 F1; Deviation: on, as the RFC asks, where Linux has it off */
	ROW(rfc1337,			1, 0, 1),
	ROW(abort_on_overflow,		0, 0, 1),
	ROW(syncookies,			1, 0, 2),		/* 2: always */
	/* receive buffer: 1/2^n is overhead; from 0 down: the window gets 1/2^-n of it */
	ROW(adv_win_scale,		1, -31, 31),
	{ "early_demux", offsetof(struct xtcp_sysctl, early_demux), 1, 0, 1, do_early },
	ROW(stdurg,			0, 0, 1),		/* RFC 6093 */
	/* RFC 8985 7, tail loss probes: 0 none, the others as in Linux mean one */
	ROW(early_retrans,		3, 0, 4),
	ROW(frto,			2, 0, 2),	/* RFC 5682: 0 off */
	ROW(slow_start_after_idle,	1, 0, 1),		/* RFC 5681 4.1 */
	ROW(min_snd_mss,		MIN_SND_MSS, MIN_SND_MSS, 65495), /* bytes */
	/* RFC 5961 7: per second and namespace */
	ROW(challenge_ack_limit,	1000, 0, INT_MAX),
	ROW(invalid_ratelimit,		500, 0, INT_MAX),	/* ms */
	ROW(rto_min,			200000, 1000, 1000000),	/* us */
	ROW(rto_max,			120000, 1000, 120000),	/* ms, RFC 6298 2.5 */
	ROW(delack_max,			40, 0, 499),	/* ms; RFC 9293 MUST-59: below 0.5 s */
	/* us, between two XTCPs: the lower bound, and the delay of ACKs that we promise */
	ROW(rto_floor,			1000, 0, 1000000),
	ROW(max_ack_delay,		1000, 0, 499000),
	/* RFC 9040; ssthresh only on demand, since what was true then ends slow start now */
	ROW(no_metrics_save,		0, 0, 1),
	ROW(no_ssthresh_metrics_save,	1, 0, 1),
};

static struct xtcp_sysctl defaults;

static int *row_data(struct xtcp_sysctl *ctl, const struct row *row)
{
	return (void *)ctl + row->offset;
}

/* ---- handlers of what is more than a number ---- */

/* rmem, wmem: bytes, three numbers set together */
static int do_triple(xt_ctl_table *ctl, int write, void *buf, size_t *len, loff_t *pos)
{
	static const int one = 1;
	const struct xtcp_net *xn = ctl->extra2;
	int *at = ctl->data, *global_min = ctl->extra1;
	int i, err, v[3] = { READ_ONCE(*global_min), at[1], at[2] };
	struct ctl_table tmp = {
		.procname = ctl->procname,
		.data = v,
		.maxlen = sizeof(v),
		.mode = ctl->mode,
		.extra1 = (void *)&one,
	};

	err = proc_dointvec_minmax(&tmp, write, buf, len, pos);
	if (err || !write)
		return err;
	if (v[0] != *global_min && !net_eq(xn->net, &init_net))
		return -EPERM;
	WRITE_ONCE(*global_min, v[0]);
	for (i = 0; i < 3; i++)
		WRITE_ONCE(at[i], v[i]);
	return 0;
}

/* mem: pages, three numbers set together */
static int do_mem(xt_ctl_table *ctl, int write, void *buf, size_t *len, loff_t *pos)
{
	long v[3] = { xtcp_sysctl_mem[0], xtcp_sysctl_mem[1], xtcp_sysctl_mem[2] };
	struct ctl_table tmp = {
		.procname = ctl->procname,
		.data = v,
		.maxlen = sizeof(v),
		.mode = ctl->mode,
	};
	int i, err = proc_doulongvec_minmax(&tmp, write, buf, len, pos);

	if (err || !write)
		return err;
	for (i = 0; i < 3; i++)
		if (v[i] < 0)
			return -EINVAL;
	for (i = 0; i < 3; i++)
		WRITE_ONCE(xtcp_sysctl_mem[i], v[i]);
	return 0;
}

static int do_cc(xt_ctl_table *ctl, int write, void *buf, size_t *len, loff_t *pos)
{
	struct xtcp_net *xn = ctl->data;
	char name[XTCP_CC_NAME_MAX];
	struct ctl_table tmp = { .procname = ctl->procname, .data = name,
				 .maxlen = sizeof(name), .mode = ctl->mode };
	int err;

	xtcp_cong_default_name(xn, name);
	err = proc_dostring(&tmp, write, buf, len, pos);
	if (err || !write)
		return err;
	return xtcp_cong_set_default(xn, name);
}

static int do_available_cc(xt_ctl_table *ctl, int write, void *buf, size_t *len, loff_t *pos)
{
	char names[256] = "";
	struct ctl_table tmp = { .procname = ctl->procname, .data = names,
				 .maxlen = sizeof(names), .mode = ctl->mode };

	xtcp_cong_names(names, sizeof(names));
	return proc_dostring(&tmp, write, buf, len, pos);
}

/* Writing 1 does something to the namespace. */
static int do_order(xt_ctl_table *ctl, int write, void *buf, size_t *len, loff_t *pos)
{
	static const int one = 1;
	struct xtcp_net *xn = ctl->data;
	void (*order)(struct net *net) = ctl->extra1;
	int v = 0;
	struct ctl_table tmp = { .procname = ctl->procname, .data = &v, .maxlen = sizeof(v),
				 .mode = ctl->mode, .extra1 = (void *)&one,
				 .extra2 = (void *)&one };
	int err = proc_dointvec_minmax(&tmp, write, buf, len, pos);

	if (!err && write)
		order(xn->net);
	return err;
}

/* ---- the table of a namespace ---- */

#define NR_SPECIAL	7

static void fill_row(struct ctl_table *t, const struct row *row, struct xtcp_net *xn)
{
	t->procname = row->name;
	t->data = row_data(&xn->sysctl, row);
	t->maxlen = sizeof(int);
	t->mode = 0644;
	t->proc_handler = row->handler ?: proc_dointvec_minmax;
	t->extra1 = (void *)&row->min;
	t->extra2 = (void *)&row->max;
}

static void fill_special(struct ctl_table *t, struct xtcp_net *xn)
{
	const struct ctl_table special[NR_SPECIAL] = {
		{ .procname = "rmem", .data = xn->sysctl.rmem, .mode = 0644,
		  .proc_handler = do_triple, .extra1 = &xtcp_rmem_min, .extra2 = xn },
		{ .procname = "wmem", .data = xn->sysctl.wmem, .mode = 0644,
		  .proc_handler = do_triple, .extra1 = &xtcp_wmem_min, .extra2 = xn },
		{ .procname = "mem", .data = xn,
		  .mode = net_eq(xn->net, &init_net) ? 0644 : 0444, .proc_handler = do_mem },
		{ .procname = "congestion_control", .data = xn, .mode = 0644,
		  .maxlen = XTCP_CC_NAME_MAX, .proc_handler = do_cc },
		{ .procname = "available_congestion_control", .data = xn, .mode = 0444,
		  .maxlen = XTCP_CC_NAME_MAX, .proc_handler = do_available_cc },
		{ .procname = "abort_orphans", .data = xn, .mode = 0200,
		  .proc_handler = do_order, .extra1 = xtcp_abort_orphans },
		{ .procname = "metrics_flush", .data = xn, .mode = 0200,
		  .proc_handler = do_order, .extra1 = xtcp_metrics_flush },
	};

	memcpy(t, special, sizeof(special));
}

int xtcp_sysctl_net_init(struct net *net)
{
	struct xtcp_net *xn = xtcp_pernet(net);
	size_t i, n = ARRAY_SIZE(rows) + NR_SPECIAL;
	struct ctl_table *t;

	xn->sysctl = defaults;
	xn->cc = xtcp_cc_nth(0);
	t = kcalloc(n + 1, sizeof(*t), GFP_KERNEL);
	if (!t)
		return -ENOMEM;
	for (i = 0; i < ARRAY_SIZE(rows); i++)
		fill_row(&t[i], &rows[i], xn);
	fill_special(&t[i], xn);
	xn->sysctl_table = t;
	xn->sysctl_hdr = xt_register_net_sysctl(net, "net/xtcp", t, n);
	if (xn->sysctl_hdr)
		return 0;
	kfree(t);
	return -ENOMEM;
}

void xtcp_sysctl_net_exit(struct net *net)
{
	struct xtcp_net *xn = xtcp_pernet(net);

	unregister_net_sysctl_table(xn->sysctl_hdr);
	xtcp_cong_put(xn->cc);
	kfree(xn->sysctl_table);
}

/* ---- defaults ---- */

/* Objects by memory size: one per 256 KiB, as Linux allows */
static void size_tables(unsigned long pages)
{
	unsigned long n = clamp(pages >> (18 - PAGE_SHIFT), 256UL, 262144UL);

	defaults.max_orphans = n;
	defaults.max_tw_buckets = n;
	defaults.max_syn_backlog = max(128UL, n / 64);
}

/* Pressure begins at 6 % of memory and ends at 4.7 %; 9.4 % is the limit. */
static void size_mem(unsigned long pages)
{
	unsigned long sixteenth = max(pages / 16, 128UL);

	xtcp_sysctl_mem[0] = sixteenth / 4 * 3;
	xtcp_sysctl_mem[1] = sixteenth;
	xtcp_sysctl_mem[2] = xtcp_sysctl_mem[0] * 2;
}

/* One connection gets at most 1/128 of memory. */
static void size_buffers(unsigned long pages)
{
	unsigned long most = pages << (PAGE_SHIFT - 7);

	defaults.rmem[0] = xtcp_rmem_min;
	defaults.rmem[1] = 131072;
	defaults.rmem[2] = clamp(most, 131072UL, 6UL << 20);
	defaults.wmem[0] = xtcp_wmem_min;
	defaults.wmem[1] = 16384;
	defaults.wmem[2] = clamp(most, 65536UL, 4UL << 20);
}

int xtcp_sysctl_init(void)
{
	unsigned long pages = nr_free_buffer_pages();
	int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++)
		*row_data(&defaults, &rows[i]) = rows[i].def;
	size_tables(pages);
	size_mem(pages);
	size_buffers(pages);
	return 0;
}
