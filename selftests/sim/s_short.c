// SPDX-License-Identifier: GPL-2.0
/*
 * Request and response on an open connection: how long a round takes where a segment
 * of it is lost, by chance or at the very end of the answer.
 */
#include "net.h"
#include "scenarios.h"

/* ---- 1 % loss both ways ---- */

static const struct rr_row {
	const char *name;
	u64 rtt;
	u64 rate;
	u32 resp;
	bool nego;
	u64 p50;		/* at most, ns */
	u64 p99;
	bool quick;
} rr_rows[] = {
	{ "1 byte, 100 us, classic", 100 * US, GBIT, 1, false, 110 * US, 250 * MS, true },
	{ "1 byte, 100 us, negotiated", 100 * US, GBIT, 1, true, 110 * US, 3500 * US, true },
	{ "10 KB, 100 us, negotiated", 100 * US, GBIT, 10000, true, 220 * US, 3500 * US, true },
	{ "1 byte, 20 ms, negotiated", 20 * MS, GBIT, 1, true, 20500 * US, 45 * MS, true },
	{ "1 byte, 20 ms, classic", 20 * MS, GBIT, 1, false, 20500 * US, 265 * MS, false },
};

static const char *rr_name(unsigned int i, bool all)
{
	return rr_rows[i].quick || all ? rr_rows[i].name : NULL;
}

static void rr_run(unsigned int i, struct result *r)
{
	const struct rr_row *row = &rr_rows[i];
	u32 rounds = sim_all ? 50000 : 10000, spurious;
	struct end_opts o = usual();
	double p50, p99, p999;
	struct conn *c;
	struct pair net;
	struct rr *rr;

	pair_init(&net, row->rate, row->rtt, 0);
	net.there.loss_ppm = 10000;
	net.back.loss_ppm = 10000;
	if (row->nego)
		negotiate(&o);
	c = conn_new(&o, &net.to, &net.from);
	rr = rr_new(c, 1, row->resp, rounds, row->rtt / 2);
	conn_open(c, sim_now);
	sim_run(sim_now + 100000 * SEC);
	p50 = quantile(rr->times, rr->done, 0.5);
	p99 = quantile(rr->times, rr->done, 0.99);
	p999 = quantile(rr->times, rr->done, 0.999);
	spurious = (c->e[0].dup_bytes + c->e[1].dup_bytes) / 1;
	note(r, "p50 %.3f p99 %.3f p99.9 %.3f ms, %llu timeouts, %u bytes twice", p50 / 1e6,
	     p99 / 1e6, p999 / 1e6, (unsigned long long)(c->e[0].rtos + c->e[1].rtos),
	     spurious);
	expect(r, "rounds", rr->done, rounds, rounds);
	expect(r, "p50 in ms", p50 / 1e6, row->rtt / 1e6, row->p50 / 1e6);
	expect(r, "p99 in ms", p99 / 1e6, 0, row->p99 / 1e6);
}

const struct scenario s_rr = {
	"rr", "request and response, 1 % loss each way", ARRAY_SIZE(rr_rows), rr_name, rr_run
};

/* ---- the tail of an answer is lost ---- */

/*
 * The answer's last segments are lost once.  The probe leaves two round trips after
 * the last transmission (RFC 8985 7.2); if more was lost than the probe repairs, its SACK
 * comes a round trip later, the reordering window is a quarter of one (6.2 step 4), and
 * the repair takes half of one.  A round without loss takes one, plus serialisation.
 */
static const struct tail_row {
	const char *name;
	u64 rtt;
	u32 lose;
	bool nego;
	double most;		/* round trips of a round with loss */
	bool quick;
} tail_rows[] = {
	{ "last 1 of 20, 100 us", 100 * US, 1, false, 0, true },
	{ "last 3 of 20, 100 us", 100 * US, 3, false, 0, true },
	{ "last 1 of 20, 20 ms", 20 * MS, 1, false, 0, true },
	{ "last 3 of 20, 20 ms", 20 * MS, 3, false, 0, true },
	{ "last 10 of 20, 20 ms", 20 * MS, 10, false, 0, true },
	{ "all 20, 20 ms", 20 * MS, 20, false, 0, true },
	{ "last 1 of 20, 20 ms, negotiated", 20 * MS, 1, true, 3.6, true },
};

static const char *tail_name(unsigned int i, bool all)
{
	return tail_rows[i].quick || all ? tail_rows[i].name : NULL;
}

#define TAIL_CONNS	20
#define TAIL_ROUNDS	8
#define TAIL_SEGS	20

static u32 tail_resp;

/* Of each connection's last answer the first copies of its last drop_arg segments */
static bool drop_tail_of(struct link *l, const struct packet *p)
{
	u32 off = p->seg.seq - p->to->tcb.irs - 1;

	if (!p->seg.len || p->again || off < (TAIL_ROUNDS - 1) * tail_resp)
		return false;
	return tail_resp - off % tail_resp <= l->drop_arg * p->seg.len;
}

static void tail_run(unsigned int i, struct result *r)
{
	const struct tail_row *row = &tail_rows[i];
	struct end_opts o = usual();
	u64 clean = 0, lossy = 0, rtos = 0;
	struct rr *rr[TAIL_CONNS];
	u32 k, done = 0, twice = 0;
	struct conn *c;
	struct pair net;

	pair_init(&net, 10 * GBIT, row->rtt, 0);
	if (row->nego)
		negotiate(&o);
	tail_resp = TAIL_SEGS * (MSS_WIRE - XTCP_OLEN_TS_PADDED);
	net.back.drop = drop_tail_of;
	net.back.drop_arg = row->lose;
	for (k = 0; k < TAIL_CONNS; k++) {
		c = conn_new(&o, &net.to, &net.from);
		rr[k] = rr_new(c, 100, tail_resp, TAIL_ROUNDS, row->rtt);
		conn_open(c, sim_now + sim_below64(SEC));
	}
	sim_run(sim_now + 1000 * SEC);
	for (k = 0; k < TAIL_CONNS; k++) {
		clean = max(clean, rr[k]->times[TAIL_ROUNDS - 2]);
		lossy = max(lossy, rr[k]->times[TAIL_ROUNDS - 1]);
		done += rr[k]->done;
		rtos += rr[k]->conn->e[1].rtos;
		twice += rr[k]->conn->e[0].dup_bytes;
	}
	note(r, "clean %.2f, lossy %.2f round trips (%.3f ms), %llu timeouts in %u, %u bytes twice",
	     (double)clean / row->rtt, (double)lossy / row->rtt, lossy / 1e6,
	     (unsigned long long)rtos, TAIL_CONNS, twice);
	expect(r, "rounds", done, TAIL_CONNS * TAIL_ROUNDS, TAIL_CONNS * TAIL_ROUNDS);
	if (row->most)
		expect(r, "lossy round in round trips", (double)lossy / row->rtt, 1, row->most);
	else
		expect(r, "lossy round in ms", lossy / 1e6, 0, (clean + 6 * row->rtt) / 1e6 + 290);
}

const struct scenario s_tail = {
	"tail", "the last segments of an answer are lost", ARRAY_SIZE(tail_rows), tail_name, tail_run
};

/* ---- incast ---- */

/*
 * All servers answer one client at once, through a switch with little memory.  The
 * ideal round is the link at its rate for all the answers, with headers.  In the row `phase`
 * what an ACK sets free arrives soon after a place in the queue is free, and finds it so, unlike
 * what a timer sends.
 */
static const struct incast_row {
	const char *name;
	u32 servers;
	u32 resp;
	u64 rate;
	u64 queue;
	u64 wire;		/* of each server, one way */
	bool nego;
	double least;		/* share of the link */
	bool quick;
} incast_rows[] = {
	{ "8 x 64 KB, 100 Mbit/s, classic", 8, 65536, 100 * MBIT, 48000, 25 * US, false, 0.15, true },
	{ "32 x 64 KB, 100 Mbit/s, classic", 32, 65536, 100 * MBIT, 48000, 25 * US, false, 0.2, true },
	{ "8 x 64 KB, 100 Mbit/s, negotiated", 8, 65536, 100 * MBIT, 48000, 25 * US, true, 0.9, true },
	{ "32 x 64 KB, 100 Mbit/s, negotiated", 32, 65536, 100 * MBIT, 48000, 25 * US, true, 0.8, true },
	{ "32 x 256 KB, 100 Mbit/s, phase", 32, 262144, 100 * MBIT, 48000, 65 * US, true, 0.96, true },
	{ "10 x 64 KB, 1 Gbit/s", 10, 65536, GBIT, 128000, 25 * US, true, 0.8, true },
	{ "100 x 64 KB, 1 Gbit/s", 100, 65536, GBIT, 128000, 25 * US, true, 0.65, true },
	{ "500 x 64 KB, 1 Gbit/s", 500, 65536, GBIT, 128000, 25 * US, true, 0.5, false },
	{ "2000 x 64 KB, 1 Gbit/s", 2000, 65536, GBIT, 128000, 25 * US, true, 0.5, false },
	{ "2000 x 20 KB, 10 Gbit/s", 2000, 20000, 10 * GBIT, 1000000, 25 * US, true, 0.5, true },
};

static const char *incast_name(unsigned int i, bool all)
{
	return incast_rows[i].quick || all ? incast_rows[i].name : NULL;
}

static struct incast {
	struct rr *rr[2000];
	struct link nic[2000];
	u32 servers;
	u32 left;		/* answers of this round */
	u32 rounds;
	u64 started;
	u64 total;
	u64 worst;
	unsigned int slowest;	/* connection */
} in;

static void incast_round(void *obj, u64 arg)
{
	u32 k;

	in.left = in.servers;
	in.started = sim_now;
	for (k = 0; k < in.servers; k++)
		rr_ask(in.rr[k]);
}

static void incast_answered(struct rr *rr)
{
	u64 took = sim_now - in.started;

	if (--in.left)
		return;
	in.total += took;
	if (took > in.worst) {
		in.worst = took;
		in.slowest = rr->conn->nr;
	}
	if (--in.rounds)
		sim_at(sim_now + 10 * MS, incast_round, NULL, 0);
	else
		sim_stop();
}

static void incast_run(unsigned int i, struct result *r)
{
	const struct incast_row *row = &incast_rows[i];
	u32 rounds = row->servers > 100 && !sim_all ? 3 : 30, k, again = 0;
	struct end_opts o = usual();
	u64 rtos = 0, twice = 0;
	struct link out, back;
	double ideal, share;

	memset(&in, 0, sizeof(in));
	memset(&out, 0, sizeof(out));
	in.servers = row->servers;
	in.rounds = rounds;
	out.rate = row->rate;
	out.delay = 25 * US;
	out.queue = row->queue;
	back = out;
	back.queue = 0;
	if (row->nego)
		negotiate(&o);
	o.slack = 50 * US;
	for (k = 0; k < row->servers; k++) {
		struct route to = { .hop = { &back }, .nr = 1 };
		struct route from = { .hop = { &in.nic[k], &out }, .nr = 2 };
		struct conn *c;

		in.nic[k].rate = 10 * row->rate;
		in.nic[k].delay = row->wire;
		c = conn_new(&o, &to, &from);
		in.rr[k] = rr_new(c, 100, row->resp, rounds, 0);
		in.rr[k]->finished = incast_answered;
		conn_open(c, sim_now + sim_below64(row->servers * 20 * US));
	}
	sim_at(sim_now + 5 * SEC, incast_round, NULL, 0);
	sim_run(sim_now + 1000 * SEC);
	for (k = 0; k < row->servers; k++) {
		rtos += in.rr[k]->conn->e[1].rtos;
		again += in.rr[k]->conn->e[1].tcb.total_retrans;
		twice += in.rr[k]->conn->e[0].dup_bytes;
	}
	ideal = 8e3 * row->servers * row->resp / row->rate / payload_share(o.mss);
	share = ideal * rounds / (in.total / 1e6 + 1e-9);
	note(r, "mean round %.1f ms, worst %.1f (by %u), ideal %.1f: %.1f %% of the link; %llu timeouts, %u again, %.2f %% twice",
	     in.total / 1e6 / rounds, in.worst / 1e6, in.slowest, ideal, 100 * share,
	     (unsigned long long)rtos, again,
	     100.0 * twice / ((double)row->servers * row->resp * rounds));
	expect(r, "rounds to go", in.rounds, 0, 0);
	expect(r, "share of the link", share, row->least, 1.01);
	/* senders that back off in lock-step need many times the ideal */
	if (row->nego)
		expect(r, "worst round in ideal ones", in.worst / 1e6 / ideal, 1, 3);
}

const struct scenario s_incast = {
	"incast", "all answer at once; delays are 50 us there and back", ARRAY_SIZE(incast_rows),
	incast_name, incast_run
};
