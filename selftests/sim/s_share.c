// SPDX-License-Identifier: GPL-2.0
/*
 * Several equal flows on one link with a queue of one bandwidth-delay product.  Additive
 * increase and multiplicative decrease converge to equal shares (Chiu and Jain, 1989),
 * so over many times the length of a cycle Jain's index approaches 1.  A cycle of CUBIC
 * is long where the window is large (RFC 9438 4.2: K grows with its cube root).
 */
#include "net.h"
#include "scenarios.h"

#define MOST	8

static const struct row {
	const char *name;
	unsigned int flows;
	const char *cc;
	u64 rate;
	u64 rtt;
	u64 span;
	bool quick;
	double least;		/* Jain's index */
} rows[] = {
	{ "2 reno, 20 Mbit/s, 20 ms", 2, "reno", 20 * MBIT, 20 * MS, 120 * SEC, true, 0.95 },
	{ "8 reno, 50 Mbit/s, 20 ms", 8, "reno", 50 * MBIT, 20 * MS, 120 * SEC, true, 0.95 },
	{ "2 reno, 100 Mbit/s, 1 ms", 2, "reno", 100 * MBIT, MS, 20 * SEC, false, 0.95 },
	{ "8 reno, 1 Gbit/s, 1 ms", 8, "reno", GBIT, MS, 10 * SEC, false, 0.95 },
	{ "2 cubic, 20 Mbit/s, 20 ms", 2, "cubic", 20 * MBIT, 20 * MS, 120 * SEC, true, 0.95 },
	{ "8 cubic, 50 Mbit/s, 20 ms", 8, "cubic", 50 * MBIT, 20 * MS, 120 * SEC, true, 0.95 },
	{ "2 cubic, 100 Mbit/s, 50 ms", 2, "cubic", 100 * MBIT, 50 * MS, 300 * SEC, true, 0.95 },
	{ "2 cubic, 100 Mbit/s, 1 ms", 2, "cubic", 100 * MBIT, MS, 20 * SEC, false, 0.95 },
	{ "8 cubic, 1 Gbit/s, 1 ms", 8, "cubic", GBIT, MS, 10 * SEC, false, 0.95 },
	{ "8 cubic, 1 Gbit/s, 20 ms", 8, "cubic", GBIT, 20 * MS, 200 * SEC, false, 0.85 },
};

static const char *row_name(unsigned int i, bool all)
{
	return rows[i].quick || all ? rows[i].name : NULL;
}

static void run(unsigned int i, struct result *r)
{
	const struct row *row = &rows[i];
	u64 queue = max_t(u64, bdp(row->rate, row->rtt), 20 * FRAME);
	struct end_opts o = usual();
	struct conn *c[MOST];
	double share[MOST], sum = 0;
	struct pair net;
	unsigned int k;

	pair_init(&net, row->rate, row->rtt, queue);
	net.there.jitter = row->rtt / 50;	/* breaks the lock-step of equal flows */
	net.there.keep_order = true;
	o.cc = row->cc;
	for (k = 0; k < row->flows; k++) {
		c[k] = conn_new(&o, &net.to, &net.from);
		c[k]->e[0].app = &app_bulk;
		conn_open(c[k], sim_now + sim_below64(50 * row->rtt));
	}
	plot_start(c, row->flows, &net.there, row->span / 3000);
	sim_run(sim_now + row->span / 10);
	for (k = 0; k < row->flows; k++)
		conn_mark(c[k]);
	sim_run(sim_now + row->span);
	for (k = 0; k < row->flows; k++) {
		share[k] = conn_goodput(c[k], row->span) / row->rate / payload_share(o.mss);
		sum += share[k];
	}
	note(r, "Jain %.4f, link %5.1f %%, shares", jain(share, row->flows), 100 * sum);
	for (k = 0; k < row->flows; k++)
		note(r, " %.1f", 100 * share[k]);
	expect(r, "Jain's index", jain(share, row->flows), row->least, 1.0001);
	expect(r, "use of the link", sum, 0.95, 1.01);
}

const struct scenario s_share = {
	"share", "equal flows share a link", ARRAY_SIZE(rows), row_name, run
};
