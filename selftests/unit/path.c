// SPDX-License-Identifier: GPL-2.0
/*
 * What holds over any path: a sender, a receiver as RFC 2018, 2883, 7323 and 9293 have
 * it, and between them loss, reordering, duplicates, lost ACKs, a window that shuts,
 * a smaller MTU, a peer that drops what it SACKed.  After each step: pipe is not
 * negative, cwnd is a segment at least, what waits has a timer, nothing that the
 * sender was told of is sent again.  In the end, over a good path, all arrives.
 */
#include "sender.h"

#define UNIT	100			/* bytes; every segment is a multiple */
#define UNITS	600
#define QUEUE	1024
#define HALF	(10 * MS)		/* one way */

struct data {
	u64 at;
	u32 from, to, tsval;		/* in units; from = to: a probe */
};

struct answer {
	u64 at;
	u32 ack, wnd, tsecr, nr, block[8];
};

static struct path {
	struct sender s;
	bool have[UNITS + 1];		/* what the receiver holds */
	bool told[UNITS + 1];		/* what the sender knows of it */
	u32 next;			/* RCV.NXT */
	u32 ts_recent;
	u64 shut_until;
	struct data data[QUEUE];
	struct answer answer[QUEUE];
	u32 nr_data, nr_answer;

	u32 timeouts;			/* and probes */
	bool forgot, unfounded;		/* the peer has reneged; the sender thinks so and errs */
	bool good;
	u32 loss, ack_loss, twice;	/* per mille */
	u64 jitter;
} p;

static u64 travel(void)
{
	u64 more = p.good || !p.jitter ? 0 : unit_rand64() % p.jitter;

	return p.s.now + HALF + more;
}

static bool happens(u32 per_mille)
{
	return !p.good && unit_below(1000) < per_mille;
}

/* ---- the receiver ---- */

static u32 block_around(u32 *b, u32 at)
{
	b[0] = at;
	b[1] = at;
	while (b[0] && p.have[b[0] - 1])
		b[0]--;
	while (b[1] < UNITS && p.have[b[1]])
		b[1]++;
	return 1;
}

/* RFC 2018 4: the latest block first, then others; RFC 2883: before it a duplicate */
static void fill_blocks(struct answer *a, const struct data *d, bool duplicate)
{
	u32 most = p.s.tcb.ts_ok ? 3 : 4, at;

	if (duplicate && d->from != d->to) {
		a->block[0] = d->from;
		a->block[1] = d->to;
		a->nr = 1;
	}
	if (d->from > p.next && d->from != d->to)
		a->nr += block_around(&a->block[2 * a->nr], d->from);
	for (at = p.next; at < UNITS && a->nr < most; at++)
		if (p.have[at] && unit_below(2)) {
			a->nr += block_around(&a->block[2 * a->nr], at);
			at = a->block[2 * a->nr - 1];
		}
}

static void send_answer(const struct data *d, bool duplicate)
{
	struct answer a = { .tsecr = p.ts_recent };

	a.ack = p.next;
	a.wnd = p.s.now < p.shut_until && !p.good ? 0 : 1000000;
	if (p.s.tcb.sack_ok)
		fill_blocks(&a, d, duplicate);
	if (happens(p.ack_loss) || p.nr_answer == QUEUE)
		return;
	a.at = travel();
	p.answer[p.nr_answer++] = a;
}

static void receive(const struct data *d)
{
	bool duplicate = true;
	u32 i;

	if (d->from <= p.next && !before(d->tsval, p.ts_recent))	/* RFC 7323 4.3 */
		p.ts_recent = d->tsval;
	for (i = d->from; i < d->to; i++) {
		if (!p.have[i])
			duplicate = false;
		p.have[i] = true;
	}
	while (p.have[p.next])
		p.next++;
	send_answer(d, duplicate);
}

/* RFC 2018 8 */
static void forget(void)
{
	p.forgot = true;
	memset(p.have + p.next, 0, UNITS - p.next);
	memset(p.told + p.next, 0, UNITS - p.next);
}

/* ---- the sender ---- */

static void travels(u32 from, u32 to)
{
	u32 times = 1 + happens(p.twice);

	if (happens(p.loss))
		return;
	for (; times && p.nr_data < QUEUE; times--)
		p.data[p.nr_data++] = (struct data){
			.at = travel(), .from = from, .to = to,
			.tsval = xtcp_ts_now(&p.s.tcb, p.s.now),
		};
}

static void flush(struct __test_metadata *_metadata, u32 seed)
{
	struct xtcp_tcb *tcb = &p.s.tcb;
	u32 i, k, mss = tcb->snd_mss / UNIT;

	ASSERT_LT(sender_flush(&p.s), LOG);
	for (i = 0; i < p.s.sent; i++) {
		const struct xtcp_tx *what = &p.s.log[i];
		u32 from = sender_rel(&p.s, what->seq) / UNIT;
		u32 to = sender_rel(&p.s, what->end_seq) / UNIT;

		if (what->kind == XTCP_TX_PROBE) {
			travels(0, 0);
			continue;
		}
		ASSERT_LT(from, to);
		ASSERT_FALSE(before(what->seq, tcb->snd_una))
			TH_LOG("seed %u: acknowledged, and sent again", seed);
		for (k = from; k < to; k++)
			ASSERT_FALSE(p.told[k])
				TH_LOG("seed %u: SACKed, and sent again: %u", seed, k);
		for (; from < to; from += min(mss, to - from))
			travels(from, min(from + mss, to));
	}
}

static void take(const struct answer *a)
{
	struct xtcp_segment seg = { .flags = XTCP_ACK, .seq = 78, .end_seq = 78 };
	struct xtcp_tcb *tcb = &p.s.tcb;
	struct xtcp_ack_result res;
	u32 i, k;

	seg.ack = tcb->iss + 1 + a->ack * UNIT;
	seg.wnd = a->wnd;
	seg.opt.present = tcb->ts_ok ? XTCP_HAS_TS : 0;
	seg.opt.tsecr = a->tsecr;
	seg.opt.nr_sack = a->nr;
	for (i = 0; i < a->nr; i++) {
		seg.opt.sack[i].seq = tcb->iss + 1 + a->block[2 * i] * UNIT;
		seg.opt.sack[i].end_seq = tcb->iss + 1 + a->block[2 * i + 1] * UNIT;
	}
	xtcp_ack(tcb, &seg, p.s.now, &res);
	/* what begins at SND.UNA is from before the peer dropped it: RFC 2018 3 */
	for (i = 0; i < a->nr; i++)
		for (k = a->block[2 * i]; k < a->block[2 * i + 1]; k++)
			if (a->block[2 * i] > sender_rel(&p.s, tcb->snd_una) / UNIT)
				p.told[k] = p.have[k];
}

static void timer(enum xtcp_timer t)
{
	struct xtcp_tcb *tcb = &p.s.tcb;

	tcb->deadline[t] = 0;
	p.timeouts += t == XTCP_T_TLP || t == XTCP_T_REXMT;
	if (t == XTCP_T_REO)
		xtcp_loss_on_reo(tcb, p.s.now);
	else if (t == XTCP_T_TLP)
		xtcp_loss_on_tlp(tcb, p.s.now);
	else if (t == XTCP_T_REXMT)
		xtcp_loss_on_rto(tcb, p.s.now);
	else if (t == XTCP_T_PERSIST)
		xtcp_tx_persist(tcb, p.s.now);
	/* RFC 2018 8: after a timeout that has shown reneging, the sender knows nothing */
	p.unfounded |= tcb->notes & XTCP_N_RENEGED && !p.forgot;
	if (tcb->notes & XTCP_N_RENEGED)
		memset(p.told, 0, sizeof(p.told));
	tcb->notes = 0;
}

/* ---- time ---- */

static u64 earliest(u32 *data, u32 *answer, enum xtcp_timer *t)
{
	u64 at = ~0ULL;
	u32 i;

	*data = *answer = QUEUE;
	*t = XTCP_NR_TIMERS;
	for (i = 0; i < p.nr_data; i++)
		if (p.data[i].at < at) {
			at = p.data[i].at;
			*data = i;
		}
	for (i = 0; i < p.nr_answer; i++)
		if (p.answer[i].at < at) {
			at = p.answer[i].at;
			*answer = i;
		}
	for (i = 0; i < XTCP_NR_TIMERS; i++)
		if (p.s.tcb.deadline[i] && p.s.tcb.deadline[i] < at) {
			at = p.s.tcb.deadline[i];
			*t = i;
		}
	return at;
}

/* Return: false where nothing will ever happen again */
static bool step(void)
{
	struct answer a;
	struct data d;
	enum xtcp_timer t;
	u32 i, k;
	u64 at = earliest(&i, &k, &t);

	if (at == ~0ULL)
		return false;
	p.s.now = max(p.s.now, at);
	if (t != XTCP_NR_TIMERS) {
		timer(t);
	} else if (k != QUEUE) {
		a = p.answer[k];
		memmove(&p.answer[k], &p.answer[k + 1], (--p.nr_answer - k) * sizeof(a));
		take(&a);
	} else {
		d = p.data[i];
		memmove(&p.data[i], &p.data[i + 1], (--p.nr_data - i) * sizeof(d));
		receive(&d);
	}
	return true;
}

static void holds(struct __test_metadata *_metadata, u32 seed)
{
	const struct xtcp_tcb *tcb = &p.s.tcb;
	u32 flight = tcb->snd_nxt - tcb->snd_una;

	ASSERT_LE((u64)tcb->sacked_bytes + tcb->lost_bytes, flight)
		TH_LOG("seed %u: pipe is negative", seed);
	ASSERT_LE(tcb->rexmit_bytes, xtcp_pipe(tcb));
	ASSERT_FALSE(p.unfounded)
		TH_LOG("seed %u: no SACKed data was dropped", seed);
	ASSERT_GE(tcb->cwnd, tcb->snd_mss)
		TH_LOG("seed %u", seed);
	ASSERT_TRUE(!flight || tcb->deadline[XTCP_T_REXMT])
		TH_LOG("seed %u: in flight, and no timer", seed);
	ASSERT_TRUE(flight || tcb->snd_nxt == tcb->write_seq || tcb->deadline[XTCP_T_PERSIST])
		TH_LOG("seed %u: nothing will ever happen", seed);
}

/* ---- streams ---- */

static void start(u32 seed)
{
	unit_srand(seed);
	memset(&p, 0, sizeof(p));
	sender_init(&p.s, unit_below(2) ? -unit_below(UNITS * UNIT) : unit_rand());
	p.s.tcb.sack_ok = !!unit_below(4);
	p.s.tcb.ts_ok = unit_below(2);
	p.s.tcb.no_frto = !unit_below(4);
	p.s.tcb.no_tlp = !unit_below(4);
	p.s.tcb.gso_max = unit_below(2) ? 0 : 8000;
	p.ts_recent = xtcp_ts_now(&p.s.tcb, p.s.now);
	sender_write(&p.s, UNITS * UNIT);
}

static void something_else(void)
{
	struct xtcp_tcb *tcb = &p.s.tcb;

	switch (unit_below(60)) {
	case 0:
		p.shut_until = p.s.now + unit_below(1000) * MS;
		break;
	case 1:
		if (tcb->snd_mss > 300) {
			tcb->snd_mss = 300 + UNIT * unit_below((tcb->snd_mss - 300) / UNIT);
			xtcp_loss_on_mtu(tcb);
		}
		break;
	case 2:
		if (tcb->sack_ok && unit_below(4) == 0)
			forget();
		break;
	default:
		break;
	}
}

static void finish(struct __test_metadata *_metadata, u32 seed)
{
	struct xtcp_tcb *tcb = &p.s.tcb;
	u32 steps = 0;

	p.good = true;
	while (tcb->snd_una != tcb->write_seq) {
		ASSERT_LT(steps++, 4000)
			TH_LOG("seed %u: no end", seed);
		ASSERT_TRUE(step())
			TH_LOG("seed %u: nothing will ever happen", seed);
		flush(_metadata, seed);
		holds(_metadata, seed);
	}
	ASSERT_EQ(UNITS, p.next);
	ASSERT_EQ(0, tcb->map_nr);
	ASSERT_EQ(0, unit_seg_live);
	ASSERT_EQ(XTCP_OPEN, tcb->recovery);
	ASSERT_EQ(0, tcb->deadline[XTCP_T_REXMT]);
	ASSERT_EQ(0, tcb->deadline[XTCP_T_TLP]);
	ASSERT_EQ(0, tcb->deadline[XTCP_T_REO]);
}

TEST(any_path)
{
	u32 seed, i, resent = 0;

	for (seed = 0; seed < 400 * unit_scale(); seed++) {
		start(seed);
		p.loss = unit_below(3) ? unit_below(200) : 0;
		p.ack_loss = unit_below(3) ? unit_below(300) : 0;
		p.twice = unit_below(3) ? 0 : unit_below(100);
		p.jitter = unit_below(2) ? 0 : unit_below(50) * MS;
		flush(_metadata, seed);
		for (i = 0; i < 400 && p.s.tcb.snd_una != p.s.tcb.write_seq; i++) {
			ASSERT_TRUE(step())
				TH_LOG("seed %u: nothing will ever happen", seed);
			something_else();
			flush(_metadata, seed);
			holds(_metadata, seed);
		}
		finish(_metadata, seed);
		resent += p.s.tcb.total_retrans;
	}
	ASSERT_GT(resent, 400);		/* or nothing was tried */
}

/* RFC 5681 3.2, RFC 8985 6.2: without a reason nothing is sent again */
TEST(good_path)
{
	u32 seed;

	for (seed = 0; seed < 50; seed++) {
		start(seed);
		p.good = true;
		flush(_metadata, seed);
		finish(_metadata, seed);
		ASSERT_EQ(0, p.s.tcb.total_retrans)
			TH_LOG("seed %u", seed);
	}
}

/* ACKs are lost, and nothing else: a later one says it all; else one copy for each timer */
TEST(only_acks_are_lost)
{
	u32 seed;

	for (seed = 0; seed < 200; seed++) {
		start(seed);
		p.ack_loss = 100;
		flush(_metadata, seed);
		while (p.s.tcb.snd_una != p.s.tcb.write_seq) {
			ASSERT_TRUE(step());
			flush(_metadata, seed);
			holds(_metadata, seed);
		}
		ASSERT_LE(p.s.tcb.total_retrans, p.timeouts)
			TH_LOG("seed %u", seed);
		finish(_metadata, seed);
	}
}

TEST_HARNESS_MAIN
