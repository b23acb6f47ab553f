// SPDX-License-Identifier: GPL-2.0
/*
 * xtcp_segment_check() against a naive model: RFC 9293 3.4's four cases word by
 * word and the checks of 3.10.7.4 with RFC 5961, all in 64-bit numbers that never
 * wrap.  Position x length x window x flags x ACK, at several places of the
 * circle.  Then PAWS and TS.Recent (RFC 7323).
 */
#include "unit.h"

#define DAY	(24 * 3600 * XTCP_NSEC_PER_SEC)
#define FAR	(1LL << 40)	/* where the model's numbers begin */

struct model {
	s64 nxt, wnd;			/* RCV.NXT, RCV.WND */
	s64 una, snd_nxt, max_wnd;	/* SND.UNA, SND.NXT, MAX.SND.WND */
	bool syn_recv;
};

struct model_seg {
	s64 seq, len, ack;
	u8 flags;
};

/* RFC 9293 3.4, table 6 */
static bool rfc_acceptable(const struct model *m, const struct model_seg *s)
{
	s64 last = s->seq + s->len - 1;

	if (s->len == 0 && m->wnd == 0)
		return s->seq == m->nxt;
	if (s->len == 0 && m->wnd > 0)
		return m->nxt <= s->seq && s->seq < m->nxt + m->wnd;
	if (s->len > 0 && m->wnd == 0)
		return false;
	return (m->nxt <= s->seq && s->seq < m->nxt + m->wnd) ||
	       (m->nxt <= last && last < m->nxt + m->wnd);
}

/* The two deviations that segment.c names */
static bool also_accepted(const struct model *m, const struct model_seg *s)
{
	if (m->wnd == 0)
		return s->len > 0 && s->seq == m->nxt;
	return s->len == 0 && s->seq == m->nxt + m->wnd;
}

static enum xtcp_verdict model_rst(const struct model *m, const struct model_seg *s)
{
	if (s->seq == m->nxt)
		return XTCP_V_RESET;
	if (m->nxt <= s->seq && s->seq < m->nxt + m->wnd)
		return XTCP_V_CHALLENGE_RST;
	return XTCP_V_DROP_RST;
}

static enum xtcp_verdict model_check(const struct model *m, const struct model_seg *s)
{
	if (s->flags & XTCP_RST)
		return model_rst(m, s);
	if (s->flags & XTCP_SYN)
		return XTCP_V_CHALLENGE_SYN;
	if (!rfc_acceptable(m, s) && !also_accepted(m, s))
		return XTCP_V_DROP_SEQ;
	if (!(s->flags & XTCP_ACK))
		return XTCP_V_DROP_NOACK;
	if (s->ack > m->snd_nxt)
		return XTCP_V_DROP_ACK_NEW;
	if (m->syn_recv)
		return s->ack > m->una ? XTCP_V_OK : XTCP_V_DROP_ACK_OLD;
	return s->ack >= m->una - m->max_wnd ? XTCP_V_OK : XTCP_V_DROP_ACK_OLD;
}

static void load(struct xtcp_tcb *tcb, const struct model *m)
{
	memset(tcb, 0, sizeof(*tcb));
	tcb->state = m->syn_recv ? TCP_SYN_RECV : TCP_ESTABLISHED;
	tcb->rcv_nxt = m->nxt;
	tcb->rcv_wnd = m->wnd;
	tcb->rcv_adv = m->nxt + m->wnd;
	tcb->irs = m->nxt - 100000;
	tcb->snd_una = m->una;
	tcb->snd_nxt = m->snd_nxt;
	tcb->max_snd_wnd = m->max_wnd;
}

static bool agrees(const struct model *m, const struct model_seg *s)
{
	struct xtcp_segment seg = {
		.seq = s->seq, .end_seq = s->seq + s->len, .ack = s->ack, .flags = s->flags,
	};
	enum xtcp_verdict got, want = model_check(m, s);
	struct xtcp_tcb tcb, was;

	seg.len = s->len - !!(s->flags & XTCP_SYN) - !!(s->flags & XTCP_FIN);
	load(&tcb, m);
	was = tcb;
	got = xtcp_segment_check(&tcb, &seg, 1);
	if (got == want && !memcmp(&tcb, &was, sizeof(tcb)))
		return true;
	printf("# got %d want %d: seq nxt%+lld len %lld wnd %lld flags %#x ack una%+lld\n",
	       got, want, (long long)(s->seq - m->nxt), (long long)s->len,
	       (long long)m->wnd, s->flags, (long long)(s->ack - m->una));
	return false;
}

/* All flags and interesting ACKs for one position */
static bool sweep_flags(const struct model *m, s64 seq, s64 text)
{
	const s64 acks[] = {
		m->una - m->max_wnd - 1, m->una - m->max_wnd, m->una - 1, m->una,
		m->una + 1, m->snd_nxt, m->snd_nxt + 1, m->una - 0x7fff0000LL + m->max_wnd,
		m->snd_nxt + 0x7fff0000LL,
	};
	unsigned int flags, i;

	for (flags = 0; flags < 0x40; flags++) {
		struct model_seg s = { .seq = seq, .flags = flags };

		s.len = text + !!(flags & XTCP_SYN) + !!(flags & XTCP_FIN);
		for (i = 0; i < ARRAY_SIZE(acks); i++) {
			s.ack = acks[i];
			if (!agrees(m, &s))
				return false;
		}
	}
	return true;
}

/* All positions and lengths around both edges of one window */
static bool sweep_window(const struct model *m)
{
	const s64 text[] = { 0, 1, 2, 1460, m->wnd - 1, m->wnd, m->wnd + 1 };
	const s64 start[] = { -70000, -1461, -1460, -3, 0, m->wnd / 2, m->wnd, m->wnd + 70000 };
	unsigned int i, j;
	s64 d;

	for (i = 0; i < ARRAY_SIZE(text); i++) {
		if (text[i] < 0 || text[i] > 65535)
			continue;
		for (j = 0; j < ARRAY_SIZE(start); j++) {
			for (d = -3; d <= 3; d++) {
				if (!sweep_flags(m, m->nxt + start[j] + d, text[i]))
					return false;
			}
		}
	}
	return true;
}

static const s64 places[] = {
	FAR + 5000, FAR + 0x7ffffff0LL, FAR + 0x80000000LL,
	FAR + 0xfffffff0LL, FAR + 0xffffffffLL, FAR + 0x100000000LL,
};

TEST(position_window_flags)
{
	static const s64 wnd[] = { 0, 1, 2, 1460, 65535, 65535LL << 14 };
	unsigned int i, j;

	for (i = 0; i < ARRAY_SIZE(places); i++) {
		for (j = 0; j < ARRAY_SIZE(wnd); j++) {
			struct model m = {
				.nxt = places[i], .wnd = wnd[j], .una = places[5 - i] + 77,
				.max_wnd = wnd[5 - j],
			};

			m.snd_nxt = m.una + (j & 1 ? 5000 : 1);
			ASSERT_TRUE(sweep_window(&m));
		}
	}
}

/* SYN-RECEIVED of an active open: only an ACK of our SYN is acceptable */
TEST(syn_received)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(places); i++) {
		struct model m = {
			.nxt = places[i], .wnd = 65535, .una = places[i] + 999,
			.snd_nxt = places[i] + 1000, .max_wnd = 65535, .syn_recv = true,
		};

		ASSERT_TRUE(sweep_window(&m));
	}
}

/* RFC 9293 figure 8, line 6: the peer's SYN,ACK in SYN-RECEIVED completes the
 * handshake; any other SYN gets the challenge.
 */
TEST(simultaneous_open)
{
	struct xtcp_tcb tcb = {
		.state = TCP_SYN_RECV, .irs = 0xffffffff, .rcv_nxt = 0, .rcv_adv = 65535,
		.iss = 99, .snd_una = 99, .snd_nxt = 100, .max_snd_wnd = 65535,
	};
	struct xtcp_segment good = {
		.seq = 0xffffffff, .end_seq = 0, .ack = 100, .flags = XTCP_SYN | XTCP_ACK,
	}, seg;

	EXPECT_EQ(XTCP_V_OK, xtcp_segment_check(&tcb, &good, 1));
	seg = good;
	seg.flags = XTCP_SYN;
	EXPECT_EQ(XTCP_V_CHALLENGE_SYN, xtcp_segment_check(&tcb, &seg, 1));
	seg = good;
	seg.ack = 99;
	EXPECT_EQ(XTCP_V_CHALLENGE_SYN, xtcp_segment_check(&tcb, &seg, 1));
	seg = good;
	seg.ack = 101;
	EXPECT_EQ(XTCP_V_CHALLENGE_SYN, xtcp_segment_check(&tcb, &seg, 1));
	seg = good;
	seg.end_seq = 1;
	seg.len = 1;
	EXPECT_EQ(XTCP_V_CHALLENGE_SYN, xtcp_segment_check(&tcb, &seg, 1));
	tcb.state = TCP_ESTABLISHED;
	EXPECT_EQ(XTCP_V_CHALLENGE_SYN, xtcp_segment_check(&tcb, &good, 1));
	tcb.state = TCP_SYN_RECV;
	tcb.rcv_nxt = 1;
	EXPECT_EQ(XTCP_V_CHALLENGE_SYN, xtcp_segment_check(&tcb, &good, 1));
}

static struct xtcp_tcb ts_tcb(u32 ts_recent, u64 at)
{
	return (struct xtcp_tcb){
		.state = TCP_ESTABLISHED, .rcv_nxt = 1000, .rcv_adv = 2000, .rcv_acked = 900,
		.ts_ok = 1, .ts_recent = ts_recent, .ts_recent_at = at,
	};
}

static struct xtcp_segment ts_seg(u32 seq, u32 tsval)
{
	return (struct xtcp_segment){
		.seq = seq, .end_seq = seq + 10, .len = 10, .flags = XTCP_ACK,
		.opt = { .present = XTCP_HAS_TS, .tsval = tsval },
	};
}

/* RFC 7323 5.3 R1: older is dropped, equal and newer pass, over the wrap as well */
TEST(paws)
{
	static const u32 recent[] = { 0, 1, 5, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff };
	static const u32 dist[] = { 1, 2, 1000, 0x7ffffffe, 0x7fffffff };
	unsigned int i, j;

	for (i = 0; i < ARRAY_SIZE(recent); i++) {
		struct xtcp_tcb tcb = ts_tcb(recent[i], 50);
		struct xtcp_segment seg = ts_seg(1000, recent[i]);

		EXPECT_EQ(XTCP_V_OK, xtcp_segment_check(&tcb, &seg, 60));
		for (j = 0; j < ARRAY_SIZE(dist); j++) {
			seg.opt.tsval = recent[i] + dist[j];
			EXPECT_EQ(XTCP_V_OK, xtcp_segment_check(&tcb, &seg, 60));
			seg.opt.tsval = recent[i] - dist[j];
			EXPECT_EQ(XTCP_V_DROP_PAWS, xtcp_segment_check(&tcb, &seg, 60));
		}
	}
}

/* An ACK that others have overtaken is taken for a timeout's time, text never */
TEST(paws_takes_a_late_ack)
{
	struct xtcp_tcb tcb = ts_tcb(5000, 50);
	struct xtcp_segment seg = ts_seg(1000, 4800);

	seg.end_seq = seg.seq;
	seg.len = 0;
	tcb.rto_min = 200 * XTCP_NSEC_PER_MSEC;
	EXPECT_EQ(XTCP_V_OK, xtcp_segment_check(&tcb, &seg, 60));
	seg.opt.tsval = 4799;
	EXPECT_EQ(XTCP_V_DROP_PAWS, xtcp_segment_check(&tcb, &seg, 60));
	tcb.rto = 201 * XTCP_NSEC_PER_MSEC;
	EXPECT_EQ(XTCP_V_OK, xtcp_segment_check(&tcb, &seg, 60));
	tcb.ts_us = 1;
	seg.opt.tsval = 4000;
	EXPECT_EQ(XTCP_V_OK, xtcp_segment_check(&tcb, &seg, 60));
	seg.end_seq = seg.seq + 1;
	EXPECT_EQ(XTCP_V_DROP_PAWS, xtcp_segment_check(&tcb, &seg, 60));
	seg.end_seq = ++seg.seq;	/* not at RCV.NXT */
	EXPECT_EQ(XTCP_V_DROP_PAWS, xtcp_segment_check(&tcb, &seg, 60));
	xtcp_ts_update(&tcb, &seg, 60);
	EXPECT_EQ(5000, tcb.ts_recent);
}

/* PAWS comes before everything but RST, which it never stops (RFC 7323 5.2) */
TEST(paws_comes_first_but_not_for_rst)
{
	struct xtcp_tcb tcb = ts_tcb(5000, 50);
	struct xtcp_segment seg = ts_seg(5000, 4999);	/* also out of the window */

	EXPECT_EQ(XTCP_V_DROP_PAWS, xtcp_segment_check(&tcb, &seg, 60));
	seg.flags = XTCP_SYN;
	EXPECT_EQ(XTCP_V_DROP_PAWS, xtcp_segment_check(&tcb, &seg, 60));
	seg = ts_seg(1000, 4999);
	seg.flags = 0;
	EXPECT_EQ(XTCP_V_DROP_PAWS, xtcp_segment_check(&tcb, &seg, 60));
	seg.flags = XTCP_RST;
	EXPECT_EQ(XTCP_V_RESET, xtcp_segment_check(&tcb, &seg, 60));
	seg.seq = 1001;
	EXPECT_EQ(XTCP_V_CHALLENGE_RST, xtcp_segment_check(&tcb, &seg, 60));
}

/* Not negotiated, or not in this segment: PAWS has no say */
TEST(paws_needs_timestamps)
{
	struct xtcp_tcb tcb = ts_tcb(5000, 50);
	struct xtcp_segment seg = ts_seg(1000, 4999);

	seg.opt.present = 0;
	EXPECT_EQ(XTCP_V_OK, xtcp_segment_check(&tcb, &seg, 60));
	seg.opt.present = XTCP_HAS_TS;
	tcb.ts_ok = 0;
	EXPECT_EQ(XTCP_V_OK, xtcp_segment_check(&tcb, &seg, 60));
}

/* RFC 7323 5.5: after 24 days TS.Recent is void; the next value is taken as it is */
TEST(paws_after_24_days)
{
	struct xtcp_tcb tcb = ts_tcb(5000, 50);
	struct xtcp_segment seg = ts_seg(1000, 4999);

	EXPECT_EQ(XTCP_V_DROP_PAWS, xtcp_segment_check(&tcb, &seg, 50 + 24 * DAY));
	EXPECT_EQ(XTCP_V_OK, xtcp_segment_check(&tcb, &seg, 50 + 24 * DAY + 1));
	seg.seq = 900;
	xtcp_ts_update(&tcb, &seg, 50 + 24 * DAY);
	EXPECT_EQ(5000, tcb.ts_recent);
	xtcp_ts_update(&tcb, &seg, 50 + 24 * DAY + 1);
	EXPECT_EQ(4999, tcb.ts_recent);
	EXPECT_EQ(50 + 24 * DAY + 1, tcb.ts_recent_at);
	EXPECT_EQ(XTCP_V_OK, xtcp_segment_check(&tcb, &seg, 50 + 24 * DAY + 2));
}

/* RFC 7323 4.3 (2): SEG.TSval >= TS.Recent and SEG.SEQ <= Last.ACK.sent */
TEST(ts_recent_update)
{
	static const struct {
		u32 seq, tsval, want;
	} v[] = {
		{ 900, 0xffffffff, 0xffffffff },	/* equal */
		{ 900, 3, 3 },				/* newer, over the wrap */
		{ 899, 4, 4 },
		{ 901, 9, 4 },				/* right of Last.ACK.sent */
		{ 1000, 9, 4 },
		{ 900, 2, 4 },				/* older */
	};
	struct xtcp_tcb tcb = ts_tcb(0xffffffff, 50);
	struct xtcp_segment seg;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(v); i++) {
		u32 old = tcb.ts_recent;
		u64 old_at = tcb.ts_recent_at;

		seg = ts_seg(v[i].seq, v[i].tsval);
		xtcp_ts_update(&tcb, &seg, 100 + i);
		EXPECT_EQ(v[i].want, tcb.ts_recent);
		EXPECT_EQ(old != v[i].want || i == 0 ? 100 + i : old_at, tcb.ts_recent_at);
	}
	seg = ts_seg(900, 100);
	seg.opt.present = 0;
	xtcp_ts_update(&tcb, &seg, 1000);
	EXPECT_EQ(4, tcb.ts_recent);
	seg.opt.present = XTCP_HAS_TS;
	tcb.ts_ok = 0;
	xtcp_ts_update(&tcb, &seg, 1000);
	EXPECT_EQ(4, tcb.ts_recent);
}

/* A tick is a millisecond (RFC 7323 5.4: between 1 ms and 1 s), and wraps */
TEST(timestamp_clock)
{
	struct xtcp_tcb tcb = { .ts_offset = 0xfffffff0 };

	EXPECT_EQ(0xfffffff0, xtcp_ts_now(&tcb, 1));
	EXPECT_EQ(0xfffffff0, xtcp_ts_now(&tcb, 999999));
	EXPECT_EQ(0xfffffff1, xtcp_ts_now(&tcb, 1000000));
	EXPECT_EQ(0, xtcp_ts_now(&tcb, 16 * 1000000ULL));
	EXPECT_EQ(0xfffffff0, xtcp_ts_now(&tcb, 1000000ULL << 32));
	EXPECT_EQ(0x7fffffff, xtcp_ts_now(&(struct xtcp_tcb){ 0 }, 0x7fffffffULL * 1000000));
}

/* Between two XTCPs a microsecond, which comes round in 71.6 minutes */
TEST(timestamp_clock_in_us)
{
	struct xtcp_tcb tcb = { .ts_offset = 0xfffffff0, .ts_us = 1 };

	EXPECT_EQ(0xfffffff0, xtcp_ts_now(&tcb, 999));
	EXPECT_EQ(0xfffffff1, xtcp_ts_now(&tcb, 1000));
	EXPECT_EQ(0, xtcp_ts_now(&tcb, 16000));
	EXPECT_EQ(0xfffffff0, xtcp_ts_now(&tcb, 1000ULL << 32));
	EXPECT_EQ(1000 * xtcp_ts_ticks(3600 * XTCP_NSEC_PER_SEC, XTCP_UNIT_MS),
		  xtcp_ts_ticks(3600 * XTCP_NSEC_PER_SEC, XTCP_UNIT_US));
}

/* 2^31 us are 35.8 minutes: TS.Recent is void after 30.  Forty idle minutes later the
 * peer's clock looks older than before, and its segment counts all the same.
 */
TEST(paws_in_us)
{
	const u64 minute = 60 * XTCP_NSEC_PER_SEC;
	struct xtcp_tcb tcb = ts_tcb(5000, 50);
	struct xtcp_segment seg = ts_seg(900, 4999);

	tcb.ts_us = 1;
	EXPECT_EQ(XTCP_V_DROP_PAWS, xtcp_segment_check(&tcb, &seg, 50 + 30 * minute));
	seg = ts_seg(1000, 5000 + 40 * 60 * 1000000u);
	EXPECT_EQ(1, before(seg.opt.tsval, tcb.ts_recent));
	EXPECT_EQ(XTCP_V_OK, xtcp_segment_check(&tcb, &seg, 50 + 40 * minute));
	seg.seq = 900;
	xtcp_ts_update(&tcb, &seg, 50 + 30 * minute);
	EXPECT_EQ(5000, tcb.ts_recent);
	xtcp_ts_update(&tcb, &seg, 50 + 40 * minute);
	EXPECT_EQ(5000 + 40 * 60 * 1000000u, tcb.ts_recent);
	/* in ms nothing is that old */
	tcb = ts_tcb(5000, 50);
	seg = ts_seg(1000, 4999);
	EXPECT_EQ(XTCP_V_DROP_PAWS, xtcp_segment_check(&tcb, &seg, 50 + 40 * minute));
}

/* The wrap in mid-flow: what is newer stays newer, in either unit */
TEST(paws_over_the_wrap_in_us)
{
	struct xtcp_tcb tcb = ts_tcb(0xffffff00, 50);
	struct xtcp_segment seg = ts_seg(900, 0x100);

	tcb.ts_us = 1;
	xtcp_ts_update(&tcb, &seg, 50 + 512000);
	EXPECT_EQ(0x100, tcb.ts_recent);
	seg = ts_seg(1000, 0xffffff80);
	EXPECT_EQ(XTCP_V_DROP_PAWS, xtcp_segment_check(&tcb, &seg, 60 + 512000));
}

TEST(round_trip_by_echo)
{
	struct xtcp_tcb tcb = ts_tcb(1, 50);
	struct xtcp_options o = { .present = XTCP_HAS_TS };
	u64 now = 7 * XTCP_NSEC_PER_SEC;

	tcb.ts_us = 1;
	tcb.ts_offset = 0u - xtcp_ts_ticks(now, XTCP_UNIT_US) + 100;	/* wrapped 100 us ago */
	o.tsecr = xtcp_ts_now(&tcb, now) - 250;
	EXPECT_EQ(250 * XTCP_NSEC_PER_USEC, xtcp_ts_rtt(&tcb, &o, now));
	o.tsecr = xtcp_ts_now(&tcb, now);
	EXPECT_EQ(XTCP_NSEC_PER_USEC, xtcp_ts_rtt(&tcb, &o, now));	/* a tick at least */
	o.tsecr++;
	EXPECT_EQ(0, xtcp_ts_rtt(&tcb, &o, now));	/* from the future */
	tcb.ts_us = 0;
	tcb.ts_offset = 77;
	o.tsecr = xtcp_ts_now(&tcb, now) - 3;
	EXPECT_EQ(3 * XTCP_NSEC_PER_MSEC, xtcp_ts_rtt(&tcb, &o, now));
	o.tsecr = 0;					/* RFC 7323 3.2: not valid */
	EXPECT_EQ(0, xtcp_ts_rtt(&tcb, &o, now));
}

TEST_HARNESS_MAIN
