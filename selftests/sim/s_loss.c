// SPDX-License-Identifier: GPL-2.0
/*
 * One flow, losses by chance.  Reno's mean window at a loss rate p is sqrt(3/2p)
 * segments where losses come at equal distances (Mathis et al., 1997), sqrt(2/p) times
 * 0.93 where they come at random (Ott et al., 1996: 1.31/sqrt(p)); timeouts, which come
 * at small windows, make it less (RFC 5348 3.1 has the formula with them).  CUBIC's is
 * that of RFC 9438 5.1 where it is larger.
 */
#include <math.h>
#include "net.h"
#include "scenarios.h"

static const struct row {
	const char *name;
	const char *cc;
	u64 rtt;
	u32 loss_ppm;
	bool quick;
} rows[] = {
	{ "reno, 0.1 %, 20 ms", "reno", 20 * MS, 1000, true },
	{ "reno, 1 %, 20 ms", "reno", 20 * MS, 10000, true },
	{ "reno, 3 %, 20 ms", "reno", 20 * MS, 30000, true },
	{ "reno, 0.1 %, 1 ms", "reno", MS, 1000, false },
	{ "reno, 1 %, 1 ms", "reno", MS, 10000, false },
	{ "reno, 1 %, 200 ms", "reno", 200 * MS, 10000, false },
	{ "cubic, 1 %, 20 ms", "cubic", 20 * MS, 10000, true },
	{ "cubic, 0.1 %, 20 ms", "cubic", 20 * MS, 1000, true },
	{ "cubic, 0.1 %, 1 ms", "cubic", MS, 1000, false },
	{ "cubic, 0.01 %, 100 ms", "cubic", 100 * MS, 100, true },
	{ "cubic, 0.001 %, 100 ms", "cubic", 100 * MS, 10, false },
	{ "cubic, 0.01 %, 20 ms", "cubic", 20 * MS, 100, false },
};

static const char *row_name(unsigned int i, bool all)
{
	return rows[i].quick || all ? rows[i].name : NULL;
}

/* RFC 5348 3.1 with b = 1 (byte counting), segments a second */
static double with_timeouts(double rtt, double p, double rto)
{
	return 1 / (rtt * sqrt(2 * p / 3) +
		    rto * 3 * sqrt(3 * p / 8) * p * (1 + 32 * p * p));
}

/* RFC 9438 5.1, segments; where that is less than Reno's, it is Reno's (4.3) */
static double of_cubic(double rtt, double p)
{
	return pow(0.4 * (3 + 0.7) / (4 * (1 - 0.7)), 0.25) * pow(rtt / p, 0.75);
}

static void run(unsigned int i, struct result *r)
{
	const struct row *row = &rows[i];
	double p = row->loss_ppm / 1e6, rtt = row->rtt / 1e9, low, high, got;
	u64 span = max_t(u64, 3000 / p * 8, 20000) * row->rtt / 30;
	struct end_opts o = usual();
	struct conn *c;
	struct pair net;
	u32 mss = o.mss - XTCP_OLEN_TS_PADDED;

	pair_init(&net, 10 * GBIT, row->rtt, 0);
	net.there.loss_ppm = row->loss_ppm;
	o.cc = row->cc;
	c = conn_new(&o, &net.to, &net.from);
	c->e[0].app = &app_bulk;
	conn_open(c, sim_now);
	span = min_t(u64, span, 4000 * SEC);
	plot_start(&c, 1, &net.there, span / 3000);
	sim_run(sim_now + 200 * row->rtt);
	conn_mark(c);
	sim_run(sim_now + span);
	got = conn_goodput(c, span) / 8 / mss;
	high = 1.31 / sqrt(p) / rtt;
	low = with_timeouts(rtt, p, max(0.2, 4 * rtt));
	if (!strcmp(row->cc, "cubic") && of_cubic(rtt, p) > high * rtt)
		high = low = of_cubic(rtt, p) / rtt;
	note(r, "window %5.1f segments (formulas: %5.1f without timeouts, %5.1f with), %llu timeouts",
	     got * rtt, high * rtt, low * rtt, (unsigned long long)c->e[0].rtos);
	expect(r, "share of the formula without timeouts", got / high, 0, 1.2);
	expect(r, "share of the formula with timeouts", got / low, 0.8, 10);
}

const struct scenario s_loss = {
	"loss", "response to random loss", ARRAY_SIZE(rows), row_name, run
};
