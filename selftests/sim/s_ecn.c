// SPDX-License-Identifier: GPL-2.0
/*
 * Queues that mark.  DCTCP keeps the queue near the marking threshold and the link busy
 * where the threshold is at least a seventh of the bandwidth-delay product (Alizadeh et
 * al., 2010, section 3.3); with RFC 3168's answer the queue must hold what a halved
 * window leaves.  Nothing is lost in either case.
 */
#include "net.h"
#include "scenarios.h"

#define MOST	8

static const struct row {
	const char *name;
	const char *cc;
	unsigned int flows;
	u64 rate;
	u64 rtt;
	u64 mark;		/* frames */
	double least;		/* of the link */
	double most;		/* longest queue after slow start, in marking thresholds */
	bool quick;
} rows[] = {
	{ "2 dctcp, 1 Gbit/s, 200 us, mark at 20", "dctcp", 2, GBIT, 200 * US, 20, 0.97, 3, true },
	{ "8 dctcp, 1 Gbit/s, 200 us, mark at 20", "dctcp", 8, GBIT, 200 * US, 20, 0.97, 3, true },
	{ "2 dctcp, 10 Gbit/s, 100 us, mark at 65", "dctcp", 2, 10 * GBIT, 100 * US, 65, 0.97, 4, false },
	{ "1 reno, 100 Mbit/s, 2 ms, mark at 30", "reno", 1, 100 * MBIT, 2 * MS, 30, 0.95, 3, true },
	{ "2 cubic, 100 Mbit/s, 2 ms, mark at 20", "cubic", 2, 100 * MBIT, 2 * MS, 20, 0.95, 3, true },
};

static const char *row_name(unsigned int i, bool all)
{
	return rows[i].quick || all ? rows[i].name : NULL;
}

static void run(unsigned int i, struct result *r)
{
	const struct row *row = &rows[i];
	struct end_opts o = usual();
	u64 span = row->rate > GBIT ? SEC : 3 * SEC, lost;
	double share[MOST], sum = 0;
	struct conn *c[MOST];
	struct pair net;
	unsigned int k;

	pair_init(&net, row->rate, row->rtt, 1000 * FRAME);
	net.there.mark = row->mark * FRAME;
	net.there.jitter = row->rtt / 50;
	net.there.keep_order = true;
	o.cc = row->cc;
	o.ecn = true;
	negotiate(&o);
	for (k = 0; k < row->flows; k++) {
		c[k] = conn_new(&o, &net.to, &net.from);
		c[k]->e[0].app = &app_bulk;
		conn_open(c[k], sim_now + sim_below64(50 * row->rtt));
	}
	plot_start(c, row->flows, &net.there, span / 3000);
	sim_run(sim_now + span / 2);
	lost = net.there.dropped_queue;
	net.there.max_backlog = 0;
	for (k = 0; k < row->flows; k++)
		conn_mark(c[k]);
	sim_run(sim_now + span);
	lost = net.there.dropped_queue - lost;
	for (k = 0; k < row->flows; k++) {
		share[k] = conn_goodput(c[k], span) / row->rate / payload_share(o.mss);
		sum += share[k];
	}
	note(r, "link %5.1f %%, Jain %.4f, longest queue %.1f frames, %.1f %% marked, %llu lost",
	     100 * sum, jain(share, row->flows), (double)net.there.max_backlog / FRAME,
	     100.0 * net.there.marked / net.there.packets, (unsigned long long)lost);
	expect(r, "use of the link", sum, row->least, 1.01);
	expect(r, "Jain's index", jain(share, row->flows), 0.9, 1.0001);
	expect(r, "longest queue", (double)net.there.max_backlog / net.there.mark, 0.5, row->most);
	expect(r, "losses", lost, 0, 0);
}

const struct scenario s_ecn = {
	"ecn", "queues that mark", ARRAY_SIZE(rows), row_name, run
};
