// SPDX-License-Identifier: GPL-2.0
/*
 * Paths that reorder or delay without losing anything.  Nothing is missing, so a good
 * sender loses little of what it has on a steady path: that run comes first, and the
 * figure is the ratio.
 */
#include "net.h"
#include "scenarios.h"

static const struct row {
	const char *name;
	u64 rate;
	u64 rtt;
	u32 reorder_ppm;
	u64 reorder_by;
	u64 jitter;
	bool keep_order;
	double least;		/* of the undisturbed goodput */
	double most_twice;	/* share of needless copies */
	bool quick;
} rows[] = {
	{ "1 % later by RTT/8, 20 ms", 100 * MBIT, 20 * MS, 10000, 2500 * US, 0, false, 0.9, 0.001, true },
	{ "10 % later by RTT/8, 20 ms", 100 * MBIT, 20 * MS, 100000, 2500 * US, 0, false, 0.9, 0.001, true },
	{ "1 % later by 15 ms, 20 ms", 100 * MBIT, 20 * MS, 10000, 15 * MS, 0, false, 0.9, 0.02, true },
	{ "jitter 5 ms, 1 ms", 100 * MBIT, MS, 0, 0, 5 * MS, false, 0.9, 0.001, true },
	{ "jitter 5 ms in order, 20 ms", 100 * MBIT, 20 * MS, 0, 0, 5 * MS, true, 0.9, 0.001, true },
	{ "jitter 5 ms, 20 ms", 100 * MBIT, 20 * MS, 0, 0, 5 * MS, false, 0.9, 0.001, true },
	{ "jitter 10 ms in order, 1 ms", 100 * MBIT, MS, 0, 0, 10 * MS, true, 0.9, 0.001, true },
};

static const char *row_name(unsigned int i, bool all)
{
	return rows[i].quick || all ? rows[i].name : NULL;
}

static double goodput(const struct row *row, bool disturbed, struct result *r)
{
	u64 span = row->rtt < 5 * MS ? 10 * SEC : 20 * SEC;
	struct end_opts o = usual();
	double twice;
	struct pair net;
	struct conn *c;

	pair_init(&net, row->rate, row->rtt + row->jitter / 2, 0);
	net.there.delay = row->rtt / 2;
	/* a window that fills the path at all its delays, and no queue to hide behind */
	o.rcv_buf = bdp(row->rate, row->rtt + row->jitter + row->reorder_by) + 20 * FRAME;
	if (disturbed) {
		net.there.reorder_ppm = row->reorder_ppm;
		net.there.reorder_by = row->reorder_by;
		net.there.jitter = row->jitter;
		net.there.keep_order = row->keep_order;
	} else {
		net.there.delay += row->jitter / 2;
	}
	c = conn_new(&o, &net.to, &net.from);
	c->e[0].app = &app_bulk;
	conn_open(c, sim_now);
	if (disturbed)
		plot_start(&c, 1, &net.there, span / 3000);
	sim_run(sim_now + SEC);
	conn_mark(c);
	sim_run(sim_now + span);
	if (!disturbed)
		return conn_goodput(c, span);
	twice = (double)c->e[1].dup_bytes / c->e[1].tcb.bytes_received;
	note(r, "%u again, %.3f %% twice, %llu recoveries, %llu timeouts; ",
	     c->e[0].tcb.total_retrans, 100 * twice, (unsigned long long)c->e[0].recoveries,
	     (unsigned long long)c->e[0].rtos);
	expect(r, "share of needless copies", twice, 0, row->most_twice);
	return conn_goodput(c, span);
}

static void run(unsigned int i, struct result *r)
{
	const struct row *row = &rows[i];
	double calm = goodput(row, false, r), rough;

	conns_free();
	sim_reset(sim_rand64());
	rough = goodput(row, true, r);
	note(r, "%.1f of %.1f Mbit/s", rough / 1e6, calm / 1e6);
	expect(r, "undisturbed share of the link", calm / row->rate / payload_share(MSS_WIRE), 0.95, 1.01);
	expect(r, "share of the undisturbed", rough / calm, row->least, 1.05);
}

const struct scenario s_order = {
	"order", "reordering and jitter, nothing lost", ARRAY_SIZE(rows), row_name, run
};
