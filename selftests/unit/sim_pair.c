// SPDX-License-Identifier: GPL-2.0
/*
 * Two complete ends of the core, joined by a link that loses, delays, reorders and
 * duplicates segments, in virtual time.  Whatever the link does, both streams and
 * their FINs arrive, whole and in order, and everything is acknowledged.
 *
 * The steps of input and flush are those of RFC 9293 3.10.7, as short as possible;
 * memory fails now and then where the round says so.
 */
#include "unit.h"

#define MS		XTCP_NSEC_PER_MSEC
#define IN_FLIGHT	8192
#define STREAM_MAX	400000
#define NEVER		(~0ULL)

struct end {
	struct xtcp_tcb tcb;
	u32 total;		/* bytes that the user sends */
	u32 buf;		/* receive buffer */
	u32 read_seq;		/* the user has read up to here */
	u32 wnd_sent;		/* window in the SYN */
	u16 mss;
	bool held[STREAM_MAX];	/* bytes of the peer that have been kept */
	u64 next_user;		/* when the user reads and writes next */
	u32 user_every_ms;
};

struct packet {
	u64 at;
	u64 nr;			/* of two at the same time the first comes first */
	struct xtcp_segment seg;
	u8 to;
	bool used;
};

struct link {
	u32 loss;		/* percent */
	u32 dup;
	u32 delay_ms;
	u32 jitter_ms;
	u32 queue;		/* packets; more are dropped */
};

static struct sim {
	struct end e[2];
	struct packet p[IN_FLIGHT];
	u32 packets;
	struct link link;
	u64 now;
	u64 sent;
} sim;

/* ---- the link ---- */

static void put(u8 to, const struct xtcp_segment *seg, u64 at)
{
	u32 i;

	if (sim.packets >= sim.link.queue)
		return;
	for (i = 0; i < IN_FLIGHT; i++) {
		if (sim.p[i].used)
			continue;
		sim.p[i] = (struct packet){ at, sim.sent, *seg, to, true };
		sim.packets++;
		return;
	}
}

static void transmit(u8 to, const struct xtcp_segment *seg)
{
	u32 copies = 1 + (unit_below(100) < sim.link.dup);

	sim.sent++;
	if (unit_below(100) < sim.link.loss)
		return;
	while (copies--)
		put(to, seg, sim.now + sim.link.delay_ms * MS +
		    (u64)unit_below(sim.link.jitter_ms * 1000 + 1) * 1000);
}

/* ---- one end: flush ---- */

static void set_space(struct end *e)
{
	e->tcb.rcv_buf = e->buf;
	e->tcb.rcv_space = e->buf - min(e->buf, e->tcb.rcv_nxt - e->read_seq);
}

/* One answer of xtcp_tx_next(), cut into segments as the wire has them */
static void emit(struct end *e, const struct xtcp_tx *what)
{
	struct xtcp_tcb *tcb = &e->tcb;
	u32 seq = what->seq, first = !!(what->flags & XTCP_SYN);
	u32 text_end = what->end_seq - !!(what->flags & XTCP_FIN);
	u8 to = e == &sim.e[0];

	do {
		struct xtcp_segment seg = { .seq = seq, .ack = tcb->rcv_nxt };
		u32 wnd = e->wnd_sent, end = seq_min(text_end, seq + first + tcb->snd_mss);
		bool last = end == text_end;

		seg.len = end - seq - first;
		seg.flags = what->flags & ~(last ? 0 : XTCP_FIN | XTCP_PSH);
		seg.end_seq = last ? what->end_seq : end;
		xtcp_tx_options(tcb, seg.flags, e->mss, sim.now, &seg.opt);
		if (!(seg.flags & XTCP_SYN)) {
			set_space(e);
			wnd = xtcp_rx_window(tcb);
			seg.wnd = wnd >> tcb->rcv_wscale;
		} else {
			seg.wnd = wnd;
		}
		if (seg.flags & XTCP_ACK)
			xtcp_rx_sent_ack(tcb, wnd);
		transmit(to, &seg);
		seq = end;
		first = 0;
	} while (seq != text_end);
}

static void made_room(struct end *e)
{
	set_space(e);
	if (xtcp_rx_window_update_due(&e->tcb))
		e->tcb.todo |= XTCP_ACK_NOW;
}

static void flush(struct end *e)
{
	struct xtcp_tcb *tcb = &e->tcb;
	struct xtcp_tx what;

	while (xtcp_tx_want(tcb, sim.now, &what)) {
		if (xtcp_tx_prepare(tcb, &what, sim.now))
			break;
		emit(e, &what);
	}
	tcb->todo &= ~(XTCP_WAKE_READER | XTCP_WAKE_WRITER);
}

/* ---- one end: segment in ---- */

static void event(struct __test_metadata *_metadata, struct end *e, enum xtcp_event ev)
{
	u8 next = xtcp_fsm_next(e->tcb.state, ev);

	ASSERT_NE(XTCP_NO_ARROW, next)
		TH_LOG("%s %s", xtcp_state_info[e->tcb.state].name, xtcp_event_name[ev]);
	e->tcb.state = next;
	if (next == TCP_ESTABLISHED)
		xtcp_tcb_established(&e->tcb, sim.now);
}

static void take_ack(struct __test_metadata *_metadata, struct end *e,
		     const struct xtcp_segment *seg)
{
	struct xtcp_ack_result res;
	u32 una = e->tcb.snd_una;

	xtcp_ack(&e->tcb, seg, sim.now, &res);
	ASSERT_EQ(res.acked, e->tcb.snd_una - una);
	if (res.flags & XTCP_A_FIN_ACKED)
		event(_metadata, e, EV_FIN_ACKED);
}

static void wake_user_later(struct end *e)
{
	e->next_user = sim.now + (1 + unit_below(e->user_every_ms)) * MS;
}

/* The peer's text at @seq: every byte once, nothing delivered that did not come */
static void take_text(struct __test_metadata *_metadata, struct end *e,
		      const struct xtcp_segment *seg)
{
	struct xtcp_tcb *tcb = &e->tcb;
	u32 base = tcb->irs + 1, from = seg->seq, to, old = tcb->rcv_nxt, i;
	enum xtcp_rx_verdict v;

	v = xtcp_rx_data(tcb, from, from + seg->len, sim.now, &to);
	if (v == XTCP_RX_IN_ORDER || v == XTCP_RX_OFO)
		for (i = seq_max(from, old); before(i, to); i++)
			e->held[i - base] = true;
	for (i = old; before(i, tcb->rcv_nxt); i++)
		ASSERT_TRUE(e->held[i - base]);
	if (e->next_user == NEVER)
		wake_user_later(e);
	if (v == XTCP_RX_IN_ORDER)
		xtcp_rx_ack_policy(tcb, seg->len, sim.now);
	/* an edge between two steps of the scale is rounded up, each time anew */
	ASSERT_LE(tcb->rcv_nxt - e->read_seq, e->buf + 1 + (tcb->rcv_wscale ? 500 : 0));
}

static void take_rest(struct __test_metadata *_metadata, struct end *e,
		      const struct xtcp_segment *seg)
{
	if (seg->flags & XTCP_FIN)
		xtcp_rx_fin(&e->tcb, seg->seq, seg->seq + seg->len);
	if (seg->len)
		take_text(_metadata, e, seg);
	if (xtcp_rx_fin_due(&e->tcb, sim.now))
		event(_metadata, e, EV_RCV_FIN);
}

/* RFC 9293 3.10.7.3 */
static void in_syn_sent(struct __test_metadata *_metadata, struct end *e,
			const struct xtcp_segment *seg)
{
	struct xtcp_tcb *tcb = &e->tcb;

	if (!(seg->flags & XTCP_SYN))
		return;
	tcb->rcv_wnd = e->wnd_sent;
	xtcp_tcb_set_irs(tcb, seg->seq);
	xtcp_tcb_negotiate(tcb, &seg->opt, sim.now);
	tcb->snd_mss = min(e->mss, tcb->peer_mss) - (tcb->ts_ok ? XTCP_OLEN_TS_PADDED : 0);
	e->read_seq = tcb->rcv_nxt;
	tcb->snd_wnd = seg->wnd;
	tcb->max_snd_wnd = seg->wnd;
	if (seg->flags & XTCP_ACK) {
		take_ack(_metadata, e, seg);
		event(_metadata, e, EV_RCV_SYN_ACK);
		tcb->todo |= XTCP_ACK_NOW;
		return;
	}
	event(_metadata, e, EV_RCV_SYN);
	xtcp_map_mark_lost(tcb, tcb->iss, tcb->iss + 1);
}

static bool acceptable(struct end *e, const struct xtcp_segment *seg)
{
	switch (xtcp_segment_check(&e->tcb, seg, sim.now)) {
	case XTCP_V_OK:
		return true;
	case XTCP_V_DROP_NOACK:
		return false;
	default:
		e->tcb.todo |= XTCP_ACK_NOW;
		return false;
	}
}

static void segment_in(struct __test_metadata *_metadata, struct end *e,
		       const struct xtcp_segment *seg)
{
	struct xtcp_tcb *tcb = &e->tcb;

	if (tcb->state == TCP_CLOSE)
		return;
	if (tcb->state == TCP_SYN_SENT) {
		in_syn_sent(_metadata, e, seg);
	} else if (acceptable(e, seg)) {
		xtcp_ts_update(tcb, seg, sim.now);
		if (tcb->state == TCP_SYN_RECV)
			event(_metadata, e, EV_RCV_ACK);
		take_ack(_metadata, e, seg);
		take_rest(_metadata, e, seg);
	}
	flush(e);
}

/* ---- one end: user and timers ---- */

static void user(struct __test_metadata *_metadata, struct end *e)
{
	struct xtcp_tcb *tcb = &e->tcb;
	u32 written = tcb->write_seq - tcb->iss - 1, n;

	wake_user_later(e);
	if (tcb->irs && tcb->rcv_nxt != e->read_seq) {
		e->read_seq += 1 + unit_below(tcb->rcv_nxt - e->read_seq);
		made_room(e);
	}
	if (!tcb->fin_queued) {
		n = min(e->total - written, 1 + unit_below(unit_below(2) ? 100 : 20000));
		tcb->write_seq += n;
		tcb->push_seq = tcb->write_seq;
		tcb->more = unit_below(10) == 0;
		if (written + n == e->total && xtcp_state_info[tcb->state].synchronized) {
			tcb->fin_queued = 1;
			event(_metadata, e, EV_CLOSE);
		}
	}
	if (tcb->fin_queued && tcb->rcv_nxt == e->read_seq)
		e->next_user = NEVER;
	flush(e);
}

static void timer(struct end *e, enum xtcp_timer t)
{
	e->tcb.deadline[t] = 0;
	if (t == XTCP_T_REXMT)
		xtcp_loss_on_rto(&e->tcb, sim.now);
	else if (t == XTCP_T_REO)
		xtcp_loss_on_reo(&e->tcb, sim.now);
	else if (t == XTCP_T_TLP)
		xtcp_loss_on_tlp(&e->tcb, sim.now);
	else if (t == XTCP_T_PERSIST)
		xtcp_tx_persist(&e->tcb, sim.now);
	else if (t == XTCP_T_DELACK)
		e->tcb.todo |= XTCP_ACK_NOW;
	flush(e);
}

static void check(struct __test_metadata *_metadata, const struct end *e)
{
	const struct xtcp_tcb *tcb = &e->tcb;
	u32 flight = tcb->snd_nxt - tcb->snd_una;

	ASSERT_LE(tcb->sacked_bytes + tcb->lost_bytes, flight);
	if (tcb->state != TCP_SYN_SENT && tcb->state != TCP_SYN_RECV)
		ASSERT_GE(tcb->cwnd, tcb->snd_mss);
	ASSERT_TRUE(!flight || tcb->deadline[XTCP_T_REXMT]);
	ASSERT_FALSE(after(tcb->snd_nxt, tcb->write_seq + tcb->fin_queued));
}

/* ---- events in order of time ---- */

static u64 next_timer(struct end *e, u32 *which)
{
	u64 best = NEVER;
	u32 t;

	for (t = 0; t < XTCP_NR_TIMERS; t++) {
		if (!e->tcb.deadline[t] || e->tcb.deadline[t] >= best)
			continue;
		best = e->tcb.deadline[t];
		*which = t;
	}
	return best;
}

static bool earlier(const struct packet *a, const struct packet *b)
{
	return a->at != b->at ? a->at < b->at : a->nr < b->nr;
}

static struct packet *next_packet(void)
{
	struct packet *best = NULL;
	u32 i, seen = 0;

	for (i = 0; i < IN_FLIGHT && seen < sim.packets; i++) {
		if (!sim.p[i].used)
			continue;
		seen++;
		if (!best || earlier(&sim.p[i], best))
			best = &sim.p[i];
	}
	return best;
}

static void step(struct __test_metadata *_metadata)
{
	struct packet *p = next_packet();
	u64 at = p ? p->at : NEVER;
	struct end *who = NULL;
	u32 i, which = 0, t = 0;
	int what = 0;

	for (i = 0; i < 2; i++) {
		u64 timer_at = next_timer(&sim.e[i], &t);

		if (timer_at < at) {
			at = timer_at;
			who = &sim.e[i];
			which = t;
			what = 1;
		}
		if (sim.e[i].next_user < at) {
			at = sim.e[i].next_user;
			who = &sim.e[i];
			what = 2;
		}
	}
	sim.now = max(sim.now, at);
	if (what == 1) {
		timer(who, which);
	} else if (what == 2) {
		user(_metadata, who);
	} else {
		p->used = false;
		sim.packets--;
		who = &sim.e[p->to];
		segment_in(_metadata, who, &p->seg);
	}
	check(_metadata, who);
}

static bool finished(const struct end *e)
{
	return e->tcb.state == TCP_TIME_WAIT || e->tcb.state == TCP_CLOSE;
}

/* Both FINs have come through; the last ACK may still be on its way */
static bool both_complete(void)
{
	const struct end *a = &sim.e[0], *b = &sim.e[1];

	return finished(a) && finished(b);
}

static u32 pick(const u32 *from, u32 n)
{
	return from[unit_below(n)];
}

static void setup_end(struct end *e, u32 total)
{
	static const u32 mss[] = { 100, 536, 1460, 8960 };
	static const u32 buf[] = { 1000, 4000, 20000, 60000, 200000 };

	memset(e, 0, sizeof(*e));
	e->tcb.rto_min = 200 * MS;
	xtcp_tcb_init(&e->tcb);
	xtcp_tcb_set_iss(&e->tcb, unit_below(2) ? -unit_below(200000) : unit_rand());
	e->tcb.state = TCP_SYN_SENT;
	e->mss = pick(mss, ARRAY_SIZE(mss));
	e->buf = pick(buf, ARRAY_SIZE(buf));
	e->wnd_sent = min(e->buf, XTCP_MAX_WND);
	e->total = total;
	e->user_every_ms = 1 + unit_below(20);
	e->tcb.sack_ok = unit_below(4) != 0;
	e->tcb.ts_ok = unit_below(4) != 0;
	e->tcb.wscale_ok = unit_below(4) != 0;
	e->tcb.rcv_wscale = e->tcb.wscale_ok ? 2 : 0;
	e->tcb.ts_offset = unit_rand();
	e->tcb.nodelay = unit_below(2);
	e->tcb.gso_max = unit_below(2) ? 0 : 65000;
	e->next_user = 0;
}

static void setup(unsigned long round)
{
	static const u32 loss[] = { 0, 0, 1, 3, 10, 25 };
	static const u32 jitter[] = { 0, 1, 5, 50 };
	static const u32 queue[] = { 12, 50, 1000, IN_FLIGHT };

	unit_srand(round);
	memset(sim.p, 0, sizeof(sim.p));
	sim.packets = 0;
	sim.sent = 0;
	sim.now = 1000 * MS;
	sim.link.loss = pick(loss, ARRAY_SIZE(loss));
	sim.link.dup = unit_below(3) ? 0 : 5;
	sim.link.delay_ms = 1 + unit_below(100);
	sim.link.jitter_ms = pick(jitter, ARRAY_SIZE(jitter));
	sim.link.queue = pick(queue, ARRAY_SIZE(queue));
	setup_end(&sim.e[0], 1 + unit_below(100000));
	setup_end(&sim.e[1], unit_below(2) ? 1 : 1 + unit_below(100000));
	/* one of them knocks first; the other's SYN crosses it or answers */
	sim.e[1].next_user = sim.now + unit_below(2) * 500 * MS;
	unit_seg_fail_1_in = round % 8 == 7 ? 20 : 0;
}

/* Nothing is lost or overtaken: then nothing is sent twice either */
static bool clean_link(void)
{
	return !sim.link.loss && !sim.link.jitter_ms && !sim.link.dup &&
	       sim.link.queue == IN_FLIGHT && !unit_seg_fail_1_in;
}

static void round_of(struct __test_metadata *_metadata, unsigned long round)
{
	unsigned long steps = 0;
	u32 i;

	setup(round);
	while (!both_complete()) {
		step(_metadata);
		ASSERT_LT(++steps, 2000000)
			TH_LOG("round %lu: no end, states %s and %s", round,
			       xtcp_state_info[sim.e[0].tcb.state].name,
			       xtcp_state_info[sim.e[1].tcb.state].name);
	}
	for (i = 0; i < 2; i++) {
		struct xtcp_tcb *tcb = &sim.e[i].tcb;

		ASSERT_EQ(tcb->irs + 2 + sim.e[!i].total, tcb->rcv_nxt);
		ASSERT_EQ(tcb->write_seq + 1, tcb->snd_una);
		ASSERT_EQ(0, tcb->map_nr);
		ASSERT_EQ(0, tcb->ofo_nr);
		ASSERT_EQ(sim.e[i].total, tcb->bytes_acked);
		ASSERT_EQ(sim.e[!i].total, tcb->bytes_received);
		if (clean_link())
			ASSERT_EQ(0, tcb->bytes_retrans)
				TH_LOG("round %lu: needless retransmission", round);
		xtcp_tcb_purge(tcb);
	}
	ASSERT_EQ(0, unit_seg_live);
}

TEST(both_streams_always_complete)
{
	unsigned long round;

	for (round = 0; round < 2000 * unit_scale(); round++)
		round_of(_metadata, round);
	unit_seg_fail_1_in = 0;
}

TEST_HARNESS_MAIN
