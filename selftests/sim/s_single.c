// SPDX-License-Identifier: GPL-2.0
/*
 * One sender, one link with a queue of one bandwidth-delay product: after slow start it
 * is never idle, since a window halved from twice the product still fills it.  So the
 * goodput is the link's, less the headers, or a window each round trip where the
 * largest window there is (2^30 bytes, RFC 7323 2.3) is shorter.  Where slow start has
 * gone to four times the product the window is halved twice in a row, and may
 * end below it (Reno, which grows back in hours there).
 */
#include <math.h>
#include "net.h"
#include "scenarios.h"

static const struct row {
	const char *name;
	const char *cc;
	u64 rate;
	u64 rtt;
	bool quick;
	double least;
} rows[] = {
	{ "reno, 1 Mbit/s, 20 us", "reno", MBIT, 20 * US, true, 0.97 },
	{ "reno, 1 Mbit/s, 20 ms", "reno", MBIT, 20 * MS, true, 0.97 },
	{ "reno, 1 Mbit/s, 600 ms", "reno", MBIT, 600 * MS, true, 0.97 },
	{ "reno, 10 Mbit/s, 1 ms", "reno", 10 * MBIT, MS, false, 0.97 },
	{ "reno, 10 Mbit/s, 100 ms", "reno", 10 * MBIT, 100 * MS, true, 0.97 },
	{ "reno, 100 Mbit/s, 100 us", "reno", 100 * MBIT, 100 * US, false, 0.97 },
	{ "reno, 100 Mbit/s, 20 ms", "reno", 100 * MBIT, 20 * MS, true, 0.97 },
	{ "reno, 100 Mbit/s, 600 ms", "reno", 100 * MBIT, 600 * MS, true, 0.97 },
	{ "reno, 1 Gbit/s, 20 us", "reno", GBIT, 20 * US, false, 0.97 },
	{ "reno, 1 Gbit/s, 1 ms", "reno", GBIT, MS, true, 0.97 },
	{ "reno, 1 Gbit/s, 100 ms", "reno", GBIT, 100 * MS, false, 0.97 },
	{ "reno, 10 Gbit/s, 20 us", "reno", 10 * GBIT, 20 * US, true, 0.97 },
	{ "reno, 10 Gbit/s, 100 us", "reno", 10 * GBIT, 100 * US, true, 0.97 },
	{ "reno, 10 Gbit/s, 20 ms", "reno", 10 * GBIT, 20 * MS, false, 0.7 },
	{ "reno, 100 Gbit/s, 20 us", "reno", 100 * GBIT, 20 * US, true, 0.97 },
	{ "reno, 100 Gbit/s, 1 ms", "reno", 100 * GBIT, MS, true, 0.97 },
	{ "reno, 100 Gbit/s, 100 ms", "reno", 100 * GBIT, 100 * MS, false, 0.97 },
	{ "reno, 100 Gbit/s, 600 ms", "reno", 100 * GBIT, 600 * MS, false, 0.97 },
	{ "cubic, 1 Mbit/s, 20 us", "cubic", MBIT, 20 * US, true, 0.97 },
	{ "cubic, 1 Mbit/s, 20 ms", "cubic", MBIT, 20 * MS, true, 0.97 },
	{ "cubic, 1 Mbit/s, 600 ms", "cubic", MBIT, 600 * MS, true, 0.97 },
	{ "cubic, 10 Mbit/s, 1 ms", "cubic", 10 * MBIT, MS, false, 0.97 },
	{ "cubic, 10 Mbit/s, 100 ms", "cubic", 10 * MBIT, 100 * MS, true, 0.97 },
	{ "cubic, 100 Mbit/s, 100 us", "cubic", 100 * MBIT, 100 * US, false, 0.97 },
	{ "cubic, 100 Mbit/s, 20 ms", "cubic", 100 * MBIT, 20 * MS, true, 0.97 },
	{ "cubic, 100 Mbit/s, 600 ms", "cubic", 100 * MBIT, 600 * MS, true, 0.97 },
	{ "cubic, 1 Gbit/s, 20 us", "cubic", GBIT, 20 * US, false, 0.97 },
	{ "cubic, 1 Gbit/s, 1 ms", "cubic", GBIT, MS, true, 0.97 },
	{ "cubic, 1 Gbit/s, 100 ms", "cubic", GBIT, 100 * MS, false, 0.97 },
	{ "cubic, 10 Gbit/s, 20 us", "cubic", 10 * GBIT, 20 * US, true, 0.97 },
	{ "cubic, 10 Gbit/s, 100 us", "cubic", 10 * GBIT, 100 * US, true, 0.97 },
	{ "cubic, 10 Gbit/s, 20 ms", "cubic", 10 * GBIT, 20 * MS, false, 0.97 },
	{ "cubic, 100 Gbit/s, 20 us", "cubic", 100 * GBIT, 20 * US, true, 0.97 },
	{ "cubic, 100 Gbit/s, 1 ms", "cubic", 100 * GBIT, MS, true, 0.97 },
	{ "cubic, 100 Gbit/s, 100 ms", "cubic", 100 * GBIT, 100 * MS, false, 0.97 },
	{ "cubic, 100 Gbit/s, 600 ms", "cubic", 100 * GBIT, 600 * MS, false, 0.97 },
};

static const char *row_name(unsigned int i, bool all)
{
	return rows[i].quick || all ? rows[i].name : NULL;
}

static void run(unsigned int i, struct result *r)
{
	const struct row *row = &rows[i];
	struct end_opts o = usual();
	u64 product = bdp(row->rate, row->rtt), queue, rtt, warm, span;
	struct conn *c;
	struct pair net;
	double ideal;

	o.cc = row->cc;
	o.train = row->rate > 10 * GBIT;
	queue = max_t(u64, product, o.train ? 20 * 65536 : 20 * FRAME);
	pair_init(&net, row->rate, row->rtt, queue);
	o.rcv_buf = min_t(u64, 1 << 30, max_t(u64, 4 * (product + queue), 1 << 18));
	c = conn_new(&o, &net.to, &net.from);
	c->e[0].app = &app_bulk;
	conn_open(c, sim_now);

	rtt = row->rtt + (u64)(queue * 8e9 / row->rate);
	warm = 60 * rtt + 2 * SEC;
	span = max_t(u64, 100 * rtt, 300 * FRAME * 8e9 / row->rate);
	if (row->rate >= GBIT)
		warm = 60 * rtt + 300 * MS;
	plot_start(&c, 1, &net.there, (warm + span) / 4000);
	sim_run(sim_now + warm);
	conn_mark(c);
	sim_run(sim_now + span);
	ideal = min(row->rate * payload_share(o.mss), 8e9 * (1 << 30) / row->rtt);
	note(r, "%6.2f %% of ideal, %u retransmitted, %llu timeouts",
	     100 * conn_goodput(c, span) / ideal, c->e[0].tcb.total_retrans,
	     (unsigned long long)c->e[0].rtos);
	expect(r, "share of ideal", conn_goodput(c, span) / ideal, row->least, 1.01);
}

const struct scenario s_single = {
	"single", "goodput of one flow, as a share of the link's", ARRAY_SIZE(rows), row_name, run
};
