// SPDX-License-Identifier: GPL-2.0
/*
 * Several equal flows on one link with a queue of one bandwidth-delay product.  Additive
 * increase and multiplicative decrease converge to equal shares (Chiu and Jain, 1989),
 * so over many times the length of a cycle Jain's index approaches 1.  A cycle of CUBIC
 * is long where the window is large (RFC 9438 4.2: K grows with its cube root).
 *
 * Where windows are small CUBIC does as Reno does (RFC 9438 4.3), so beside one another
 * both kinds get about the same.
 */
#include "net.h"
#include "scenarios.h"

#define MOST	8

static const struct row {
	const char *name;
	unsigned int flows;
	const char *cc;
	const char *cc2;		/* of every second flow, NULL: the same */
	u64 rate;
	u64 rtt;
	u64 span;
	bool quick;
	double least;		/* Jain's index, or the share of the second kind */
	double most;
} rows[] = {
	{ "2 reno, 20 Mbit/s, 20 ms", 2, "reno", NULL, 20 * MBIT, 20 * MS, 120 * SEC, true, 0.95, 0 },
	{ "8 reno, 50 Mbit/s, 20 ms", 8, "reno", NULL, 50 * MBIT, 20 * MS, 120 * SEC, true, 0.95, 0 },
	{ "2 reno, 100 Mbit/s, 1 ms", 2, "reno", NULL, 100 * MBIT, MS, 20 * SEC, false, 0.95, 0 },
	{ "8 reno, 1 Gbit/s, 1 ms", 8, "reno", NULL, GBIT, MS, 10 * SEC, false, 0.95, 0 },
	{ "2 cubic, 20 Mbit/s, 20 ms", 2, "cubic", NULL, 20 * MBIT, 20 * MS, 120 * SEC, true, 0.95, 0 },
	{ "8 cubic, 50 Mbit/s, 20 ms", 8, "cubic", NULL, 50 * MBIT, 20 * MS, 120 * SEC, true, 0.95, 0 },
	{ "2 cubic, 100 Mbit/s, 50 ms", 2, "cubic", NULL, 100 * MBIT, 50 * MS, 300 * SEC, true, 0.95, 0 },
	{ "2 cubic, 100 Mbit/s, 1 ms", 2, "cubic", NULL, 100 * MBIT, MS, 20 * SEC, false, 0.95, 0 },
	{ "8 cubic, 1 Gbit/s, 1 ms", 8, "cubic", NULL, GBIT, MS, 10 * SEC, false, 0.95, 0 },
	{ "8 cubic, 1 Gbit/s, 20 ms", 8, "cubic", NULL, GBIT, 20 * MS, 200 * SEC, false, 0.85, 0 },
	{ "reno and cubic, 20 Mbit/s, 10 ms", 2, "reno", "cubic", 20 * MBIT, 10 * MS, 120 * SEC, true, 0.4, 0.65 },
	{ "4 reno and 4 cubic, 50 Mbit/s, 10 ms", 8, "reno", "cubic", 50 * MBIT, 10 * MS, 120 * SEC, true, 0.4, 0.65 },
	{ "reno and cubic, 100 Mbit/s, 1 ms", 2, "reno", "cubic", 100 * MBIT, MS, 20 * SEC, false, 0.4, 0.65 },
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
	double share[MOST], sum = 0, second = 0;
	struct pair net;
	unsigned int k;

	pair_init(&net, row->rate, row->rtt, queue);
	/* Without it packets come exactly when one has left, and the queue's one free
	 * place always misses the same flow (Floyd and Jacobson, phase effects, 1992)
	 */
	net.there.jitter = row->rtt / 50;
	net.there.keep_order = true;
	net.back.jitter = row->rtt / 50;
	net.back.keep_order = true;
	for (k = 0; k < row->flows; k++) {
		o.cc = k % 2 && row->cc2 ? row->cc2 : row->cc;
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
		second += k % 2 ? share[k] : 0;
	}
	note(r, "Jain %.4f, link %5.1f %%, shares", jain(share, row->flows), 100 * sum);
	for (k = 0; k < row->flows; k++)
		note(r, " %.1f", 100 * share[k]);
	if (row->cc2)
		expect(r, "share of the second kind", second / sum, row->least, row->most);
	else
		expect(r, "Jain's index", jain(share, row->flows), row->least, 1.0001);
	expect(r, "use of the link", sum, 0.95, 1.01);
}

const struct scenario s_share = {
	"share", "equal flows share a link", ARRAY_SIZE(rows), row_name, run
};
