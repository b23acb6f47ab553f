// SPDX-License-Identifier: GPL-2.0
/*
 * Connections of every kind over paths of every kind, one after the other: whatever
 * the network does short of being down for ever, both streams and both FINs arrive,
 * nothing waits without a timer, and the time it takes is bounded.
 */
#include <stdio.h>
#include "net.h"
#include "scenarios.h"

#define CONNS_QUICK	1500
#define CONNS_LONG	15000

static const char * const kinds[] = { "calm", "lossy", "reordering", "broken", "any" };

static const char *row_name(unsigned int i, bool all)
{
	return kinds[i];
}

static struct pair net;

struct user {
	u32 total;
	u32 written;
	u64 every;		/* between two looks */
	u64 finished_at;
	bool slow;
};

static struct user users[2];

static bool over(const struct end *e)
{
	return e->tcb.state == TCP_TIME_WAIT || e->tcb.state == TCP_CLOSE;
}

static void write_more(struct end *e, struct user *u)
{
	u32 n = min(u->total - u->written, 1 + sim_below(sim_below(2) ? 200 : 60000));

	u->written += n;
	if (n)
		end_write(e, n);
	if (u->written == u->total && xtcp_state_info[e->tcb.state].synchronized)
		end_close(e);
}

/* The user comes now and then: reads some, writes some, closes at the end */
static void user_look(void *obj, u64 arg)
{
	struct end *e = obj;
	struct user *u = &users[e == &e->conn->e[1]];
	u32 wait = e->tcb.irs ? end_unread(e) : 0;

	if (wait)
		end_read(e, u->slow ? 1 + sim_below(wait) : wait);
	if (!e->tcb.fin_queued && e->tcb.state != TCP_LISTEN)
		write_more(e, u);
	if (!over(e) || end_unread(e))
		sim_at(sim_now + 1 + sim_below64(2 * u->every), user_look, e, 0);
}

/* The path changes, or is gone for a while */
static u64 normal_delay, normal_loss;

static void repair(void *obj, u64 arg)
{
	net.there.loss_ppm = normal_loss;
	net.back.loss_ppm = normal_loss;
}

static void disturb(void *obj, u64 arg)
{
	if (sim_below(2)) {
		net.there.delay = normal_delay * (1 + sim_below(20));
	} else {
		net.there.loss_ppm = 1000000;
		if (sim_below(2))
			net.back.loss_ppm = 1000000;
		sim_at(sim_now + sim_below64(20 * SEC), repair, NULL, 0);
	}
}

static u64 pick(u64 a, u64 b, u64 c, u64 d)
{
	const u64 of[] = { a, b, c, d };

	return of[sim_below(4)];
}

static struct end_opts some_opts(void)
{
	struct end_opts o = usual();
	unsigned int n = 0;

	while (xtcp_cc_nth(n))
		n++;
	o.cc = xtcp_cc_nth(sim_below(n))->name;
	o.mss = pick(536, 1460, 1460, 8960);
	o.rcv_buf = pick(4000, 65535, 300000, 4 << 20);
	o.gso_max = sim_below(2) ? 0 : 64000;
	o.train = sim_below(4) == 0;
	o.no_sack = sim_below(5) == 0;
	o.no_ts = sim_below(5) == 0;
	o.nodelay = sim_below(2);
	o.nego = sim_below(2);
	o.ecn = sim_below(2);
	o.ack_delay = pick(0, 500 * US, 5 * MS, 40 * MS);
	o.rto_floor = pick(MS, MS, 5 * MS, 200 * MS);
	o.slack = pick(0, 0, 50 * US, MS);
	o.pace = pick(0, 0, 0, 1000000);
	o.manual_read = true;
	return o;
}

static void some_path(unsigned int kind)
{
	u64 rate = pick(MBIT, 10 * MBIT, GBIT, 100 * GBIT);
	u64 rtt = pick(20 * US, MS, 20 * MS, 300 * MS);
	u64 queue = pick(10 * 9100, 200000, 5000000, 0);

	pair_init(&net, rate, rtt, queue);
	if (kind == 1 || (kind == 4 && sim_below(2))) {
		net.there.loss_ppm = pick(1000, 10000, 50000, 200000);
		net.back.loss_ppm = pick(0, 1000, 50000, 200000);
		net.there.dup_ppm = pick(0, 0, 1000, 50000);
	}
	if (kind == 2 || (kind == 4 && sim_below(2))) {
		net.there.reorder_ppm = pick(0, 1000, 10000, 300000);
		net.there.reorder_by = pick(rtt / 8, rtt / 2, 3 * rtt, 50 * MS);
		net.there.jitter = pick(0, rtt / 4, 5 * MS, 50 * MS);
		net.back.jitter = pick(0, rtt / 4, 5 * MS, 50 * MS);
		net.there.keep_order = sim_below(3) == 0;
	}
	if (sim_below(2))
		net.there.mark = net.back.mark = 20 * FRAME;
	normal_delay = net.there.delay;
	normal_loss = net.there.loss_ppm;
	if (kind == 3 || (kind == 4 && sim_below(2))) {
		sim_at(sim_now + sim_below64(2 * SEC), disturb, NULL, 0);
		sim_at(sim_now + sim_below64(10 * SEC), disturb, NULL, 0);
	}
}

static void limit_loss(u32 most)
{
	net.there.loss_ppm = min(net.there.loss_ppm, most);
	net.back.loss_ppm = min(net.back.loss_ppm, most);
	normal_loss = net.there.loss_ppm;
}

static void complain(const char *what, unsigned int k, const struct conn *c)
{
	char before[sizeof(sim_fault)];
	int i;

	snprintf(before, sizeof(before), "%s", sim_fault);
	snprintf(sim_fault, sizeof(sim_fault), "connection %u: %.200s", k, before[0] ? before : what);
	for (i = 0; i < 2 && !before[0]; i++) {
		const struct xtcp_tcb *t = &c->e[i].tcb;
		size_t n = strlen(sim_fault);

		snprintf(sim_fault + n, sizeof(sim_fault) - n, "; %s flight %u unsent %u lost %u cwnd %u",
			 xtcp_state_info[t->state].name, t->snd_nxt - t->snd_una,
			 t->write_seq - t->snd_nxt, t->lost_bytes, t->cwnd);
	}
}

/* Return: ns that it took */
static u64 one(unsigned int kind, unsigned int k, u64 *rtos)
{
	struct end_opts o;
	struct conn *c;
	u64 start = sim_now;
	int i;

	some_path(kind);
	o = some_opts();
	/* without timestamps an ACK of what was sent twice ends no back-off (RFC 6298 3),
	 * so at a high loss rate the timeout stays at its maximum for hours
	 */
	if (o.no_ts)
		limit_loss(20000);
	c = conn_new(&o, &net.to, &net.from);
	c->nr = k;
	conn_open(c, sim_now);
	for (i = 0; i < 2; i++) {
		users[i] = (struct user){
			.total = sim_below(sim_below(4) ? 30000 : 600000),
			.every = pick(100 * US, 2 * MS, 20 * MS, 500 * MS),
			.slow = sim_below(3) == 0,
		};
		sim_at(sim_now, user_look, &c->e[i], 0);
	}
	while ((!over(&c->e[0]) || !over(&c->e[1])) && !sim_fault[0] &&
	       sim_now < start + 4000 * SEC && sim_run(sim_now + SEC))
		;
	*rtos += c->e[0].rtos + c->e[1].rtos;
	for (i = 0; i < 2 && !sim_fault[0]; i++) {
		const struct xtcp_tcb *t = &c->e[i].tcb;

		if (!over(&c->e[i]))
			complain("never ends", k, c);
		else if (t->bytes_received != users[!i].total || t->bytes_acked != users[i].total)
			complain("bytes are missing", k, c);
	}
	if (sim_fault[0] && strncmp(sim_fault, "connection", 10))
		complain("", k, c);
	return sim_now - start;
}

static void run(unsigned int kind, struct result *r)
{
	unsigned int k, which = 0, conns = sim_all ? CONNS_LONG : CONNS_QUICK;
	u64 base = sim_rand64(), took, longest = 0, total = 0, rtos = 0;

	for (k = 0; k < conns && !sim_fault[0]; k++) {
		sim_reset(base + k * 0x1234567ULL);
		took = one(kind, k, &rtos);
		if (took > longest)
			which = k;
		longest = max(longest, took);
		total += took;
		conns_free();
	}
	note(r, "%u connections, %.1f h, the longest (%u) %.1f s, %llu timeouts", k, total / 3.6e12,
	     which, longest / 1e9, (unsigned long long)rtos);
}

const struct scenario s_torture = {
	"torture", "streams and FINs arrive whatever the path does", ARRAY_SIZE(kinds), row_name, run
};
