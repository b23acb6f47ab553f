// SPDX-License-Identifier: GPL-2.0
/*
 * ECN against the rules of RFC 3168 6.1, and DCTCP against RFC 8257 3, with figures made
 * by hand.
 */
#include "sender.h"

static void ecn_init(struct sender *s, const struct xtcp_cc_ops *cc)
{
	sender_init(s, 1);
	xtcp_cc_assign(&s->tcb, cc, s->now);
	xtcp_ecn_start(&s->tcb);
}

/* An ACK of @rel bytes, with ECE if @flags has it */
static struct xtcp_ack_result ack_flags(struct sender *s, u32 rel, u8 flags)
{
	struct xtcp_segment seg = { .flags = XTCP_ACK | flags, .seq = 78, .end_seq = 78,
				    .ack = s->tcb.iss + 1 + rel, .wnd = s->tcb.snd_wnd };
	struct xtcp_ack_result res;

	xtcp_ack(&s->tcb, &seg, s->now, &res);
	return res;
}

TEST(setup)
{
	static const u8 e = XTCP_ECE, c = XTCP_CWR, s = XTCP_SYN, a = XTCP_ACK;

	ASSERT_TRUE(xtcp_ecn_setup_syn(s | e | c));
	ASSERT_FALSE(xtcp_ecn_setup_syn(s | e));
	ASSERT_FALSE(xtcp_ecn_setup_syn(s | c));
	ASSERT_FALSE(xtcp_ecn_setup_syn(s));
	ASSERT_FALSE(xtcp_ecn_setup_syn(s | a | e | c));
	ASSERT_TRUE(xtcp_ecn_setup_syn_ack(s | a | e));
	ASSERT_FALSE(xtcp_ecn_setup_syn_ack(s | a | e | c));	/* an echo of the SYN */
	ASSERT_FALSE(xtcp_ecn_setup_syn_ack(s | a | c));
	ASSERT_FALSE(xtcp_ecn_setup_syn_ack(s | a));
	ASSERT_FALSE(xtcp_ecn_setup_syn_ack(s | e));
}

/* 6.1.1, 6.1.1.1: the SYN, and the SYN once more; 6.1.4, 6.1.5, 6.1.6: who carries ECT */
TEST(marks_of_segments)
{
	struct xtcp_tx syn = { .kind = XTCP_TX_NEW, .flags = XTCP_SYN, .seq = 1, .end_seq = 2 };
	struct xtcp_tx text = { .kind = XTCP_TX_NEW, .flags = XTCP_ACK, .seq = 2, .end_seq = 9 };
	struct xtcp_tcb tcb = { 0 };
	u8 kind;

	ASSERT_EQ(0, xtcp_ecn_flags(&tcb, &syn));
	tcb.ecn_offer = 1;
	ASSERT_EQ(XTCP_ECE | XTCP_CWR, xtcp_ecn_flags(&tcb, &syn));
	ASSERT_EQ(XTCP_ECN_NOT_ECT, xtcp_ecn_codepoint(&tcb, &syn));
	syn.kind = XTCP_TX_REXMIT;
	ASSERT_EQ(XTCP_ECE | XTCP_CWR, xtcp_ecn_flags(&tcb, &syn));
	tcb.ecn_fallback = 1;
	ASSERT_EQ(0, xtcp_ecn_flags(&tcb, &syn));

	ASSERT_EQ(XTCP_ECN_NOT_ECT, xtcp_ecn_codepoint(&tcb, &text));	/* not agreed */
	xtcp_ecn_start(&tcb);
	ASSERT_EQ(XTCP_ECN_ECT_0, xtcp_ecn_codepoint(&tcb, &text));
	ASSERT_EQ(0, xtcp_ecn_flags(&tcb, &text));
	for (kind = XTCP_TX_NONE; kind <= XTCP_TX_ACK; kind++) {
		text.kind = kind;
		ASSERT_EQ(kind == XTCP_TX_NEW ? XTCP_ECN_ECT_0 : XTCP_ECN_NOT_ECT,
			  xtcp_ecn_codepoint(&tcb, &text));
	}
	tcb.ecn_echo = 1;
	ASSERT_EQ(XTCP_ECE, xtcp_ecn_flags(&tcb, &text));
	text.flags = XTCP_RST | XTCP_ACK;
	ASSERT_EQ(0, xtcp_ecn_flags(&tcb, &text));
}

/* 6.1.3: ECE from a mark until CWR; a mark beside CWR starts anew */
TEST(receiver)
{
	static const struct {
		u8 flags, ecn;
		u32 len;
		u8 echo, now;
	} v[] = {
		{ XTCP_ACK, XTCP_ECN_ECT_0, 100, 0, 0 },
		{ XTCP_ACK, XTCP_ECN_CE, 0, 0, 0 },	/* no text: not ECN-capable */
		{ XTCP_ACK, XTCP_ECN_CE, 100, 1, 1 },
		{ XTCP_ACK, XTCP_ECN_ECT_0, 100, 1, 0 },
		{ XTCP_ACK, XTCP_ECN_CE, 100, 1, 0 },
		{ XTCP_ACK | XTCP_CWR, XTCP_ECN_NOT_ECT, 0, 1, 0 },
		{ XTCP_ACK | XTCP_CWR, XTCP_ECN_ECT_0, 100, 0, 0 },
		{ XTCP_ACK, XTCP_ECN_ECT_1, 100, 0, 0 },
		{ XTCP_ACK, XTCP_ECN_CE, 100, 1, 1 },
		{ XTCP_ACK | XTCP_CWR, XTCP_ECN_CE, 100, 1, 1 },
	};
	struct xtcp_segment seg = { .flags = XTCP_ACK, .ecn = XTCP_ECN_CE, .len = 100 };
	struct sender s;
	unsigned int i;

	sender_init(&s, 1);
	xtcp_ecn_rcv(&s.tcb, &seg);		/* not agreed: only noted */
	ASSERT_EQ(0, !!s.tcb.ecn_echo);
	ASSERT_EQ(1, !!s.tcb.ecn_seen);
	xtcp_ecn_start(&s.tcb);
	for (i = 0; i < ARRAY_SIZE(v); i++) {
		seg.flags = v[i].flags;
		seg.ecn = v[i].ecn;
		seg.len = v[i].len;
		s.tcb.todo = 0;
		ASSERT_FALSE(xtcp_ecn_ack_first(&s.tcb, &seg));
		xtcp_ecn_rcv(&s.tcb, &seg);
		ASSERT_EQ(v[i].echo, !!s.tcb.ecn_echo);
		ASSERT_EQ(v[i].now, !!(s.tcb.todo & XTCP_ACK_NOW));
	}
}

/* RFC 8257 3.2: ECE is the last segment's mark; a change acknowledges what came before */
TEST(dctcp_receiver)
{
	struct xtcp_segment seg = { .flags = XTCP_ACK, .ecn = XTCP_ECN_ECT_0, .len = 100 };
	struct sender s;

	ecn_init(&s, &xtcp_cc_dctcp);
	s.tcb.rcv_acked = s.tcb.rcv_nxt;
	ASSERT_FALSE(xtcp_ecn_ack_first(&s.tcb, &seg));
	xtcp_ecn_rcv(&s.tcb, &seg);
	ASSERT_EQ(0, s.tcb.todo & XTCP_ACK_NOW);
	s.tcb.rcv_nxt += 100;			/* its ACK waits */
	seg.ecn = XTCP_ECN_CE;
	ASSERT_TRUE(xtcp_ecn_ack_first(&s.tcb, &seg));
	ASSERT_EQ(0, !!s.tcb.ecn_echo);		/* that one is without */
	s.tcb.rcv_acked = s.tcb.rcv_nxt;
	ASSERT_FALSE(xtcp_ecn_ack_first(&s.tcb, &seg));
	xtcp_ecn_rcv(&s.tcb, &seg);
	ASSERT_EQ(1, !!s.tcb.ecn_echo);
	ASSERT_TRUE(!!(s.tcb.todo & XTCP_ACK_NOW));
	s.tcb.todo = 0;
	s.tcb.rcv_nxt += 100;
	ASSERT_FALSE(xtcp_ecn_ack_first(&s.tcb, &seg));
	xtcp_ecn_rcv(&s.tcb, &seg);
	ASSERT_EQ(0, s.tcb.todo & XTCP_ACK_NOW);
	seg.flags |= XTCP_CWR;			/* means nothing here */
	xtcp_ecn_rcv(&s.tcb, &seg);
	ASSERT_EQ(1, !!s.tcb.ecn_echo);
	seg.ecn = XTCP_ECN_ECT_0;
	ASSERT_TRUE(xtcp_ecn_ack_first(&s.tcb, &seg));
	xtcp_ecn_rcv(&s.tcb, &seg);
	ASSERT_EQ(0, !!s.tcb.ecn_echo);
}

/* 6.1.2: one reduction for each window, CWR on the first new text after it */
TEST(sender_answers_once)
{
	struct xtcp_ack_result res;
	struct sender s;

	ecn_init(&s, &xtcp_cc_reno);
	s.tcb.cwnd = 20000;
	sender_write(&s, 200000);
	ASSERT_EQ(20, sender_flush(&s));
	ASSERT_EQ(0, s.log[0].flags & XTCP_CWR);
	res = ack_flags(&s, 1000, XTCP_ECE);
	ASSERT_TRUE(!!(res.flags & XTCP_A_ECN_CUT));
	ASSERT_EQ(10000, s.tcb.ssthresh);
	ASSERT_EQ(10000, s.tcb.cwnd);
	ASSERT_EQ(0, sender_flush(&s));		/* 19000 in flight */
	res = ack_flags(&s, 10000, XTCP_ECE);	/* the same window */
	ASSERT_FALSE(!!(res.flags & XTCP_A_ECN_CUT));
	ASSERT_EQ(10000, s.tcb.cwnd);
	ack_flags(&s, 12000, XTCP_ECE);
	ASSERT_EQ(2, sender_flush(&s));
	ASSERT_TRUE(!!(s.log[0].flags & XTCP_CWR));
	ASSERT_FALSE(!!(s.log[1].flags & XTCP_CWR));
	res = ack_flags(&s, 20000, 0);
	ASSERT_EQ(0, !!s.tcb.ecn_cwr);
	sender_flush(&s);
	res = ack_flags(&s, 21000, XTCP_ECE);	/* a mark of the next window */
	ASSERT_TRUE(!!(res.flags & XTCP_A_ECN_CUT));
	ASSERT_EQ(5000, s.tcb.cwnd);
	ASSERT_EQ(1000 + 9000 + 2000 + 1000, s.tcb.ce_bytes);
}

/* Without agreement ECE means nothing; at two segments there is nothing left to give */
TEST(sender_bounds)
{
	struct xtcp_ack_result res;
	struct sender s;
	u32 rel = 0;
	int i;

	sender_init(&s, 1);
	sender_write(&s, 200000);
	sender_flush(&s);
	res = ack_flags(&s, 1000, XTCP_ECE);
	ASSERT_FALSE(!!(res.flags & XTCP_A_ECN_CUT));
	ASSERT_EQ(11000, s.tcb.cwnd);
	ASSERT_EQ(0, s.tcb.ce_bytes);

	ecn_init(&s, &xtcp_cc_cubic);
	sender_write(&s, 200000);
	for (i = 0; i < 20; i++) {
		sender_flush(&s);
		rel = sender_rel(&s, s.tcb.snd_nxt);
		ack_flags(&s, rel, XTCP_ECE);
	}
	ASSERT_EQ(2000, s.tcb.cwnd);
}

/* 6.1.2: a loss in a window that was cut for a mark, and a mark in recovery */
TEST(mark_and_loss)
{
	struct sender s;

	ecn_init(&s, &xtcp_cc_reno);
	s.tcb.sack_ok = 1;
	s.tcb.cwnd = 20000;
	sender_write(&s, 200000);
	sender_flush(&s);
	ack_flags(&s, 1000, XTCP_ECE);
	ASSERT_EQ(10000, s.tcb.ssthresh);
	sender_sack(&s, 1000, 3000, 9000);
	ASSERT_EQ(XTCP_RECOVERY, s.tcb.recovery);
	ASSERT_EQ(10000, s.tcb.ssthresh);

	ecn_init(&s, &xtcp_cc_reno);
	s.tcb.sack_ok = 1;
	s.tcb.cwnd = 20000;
	sender_write(&s, 200000);
	sender_flush(&s);
	sender_sack(&s, 1000, 3000, 9000);
	ASSERT_EQ(XTCP_RECOVERY, s.tcb.recovery);
	ASSERT_TRUE(s.tcb.ssthresh <= 10000);
	ASSERT_TRUE(!!s.tcb.ecn_cwr);		/* any reduction is told */
	s.tcb.ssthresh = 9999;
	ASSERT_FALSE(!!(ack_flags(&s, 2000, XTCP_ECE).flags & XTCP_A_ECN_CUT));
	ASSERT_EQ(9999, s.tcb.ssthresh);
}

/* After more than 2^31 bytes without a mark or a loss the point still lies behind */
TEST(after_two_gigabytes)
{
	struct xtcp_ack_result res;
	struct sender s;
	u32 i, rel = 0;

	ecn_init(&s, &xtcp_cc_reno);
	s.tcb.sack_ok = 1;
	s.tcb.snd_wnd = 1u << 28;
	s.tcb.cwnd = 1u << 28;
	s.tcb.gso_max = 1u << 28;
	for (i = 0; i < 9; i++) {		/* 2.25 GiB */
		sender_write(&s, 1u << 28);
		sender_flush(&s);
		rel = sender_rel(&s, s.tcb.snd_nxt);
		s.tcb.cwnd = 1u << 28;
		ack_flags(&s, rel, 0);
	}
	ASSERT_GT(rel, 1u << 31);
	sender_write(&s, 200000);
	s.tcb.cwnd = 20000;
	sender_flush(&s);
	res = ack_flags(&s, rel + 1000, XTCP_ECE);
	ASSERT_TRUE(!!(res.flags & XTCP_A_ECN_CUT));
	ASSERT_EQ(10000, s.tcb.ssthresh);
	xtcp_tcb_purge(&s.tcb);
}

/* A loss that was none, and then one in the same window: that is answered */
TEST(loss_after_undo)
{
	struct xtcp_segment seg = { .flags = XTCP_ACK, .seq = 78, .end_seq = 78 };
	struct xtcp_ack_result res;
	struct sender s;

	ecn_init(&s, &xtcp_cc_reno);
	s.tcb.sack_ok = 1;
	s.tcb.ts_ok = 1;
	s.tcb.cwnd = 20000;
	sender_write(&s, 200000);
	sender_flush(&s);
	s.now += 20 * MS;
	sender_sack(&s, 0, 3000, 9000);
	ASSERT_EQ(XTCP_RECOVERY, s.tcb.recovery);
	ASSERT_EQ(10000, s.tcb.ssthresh);
	sender_flush(&s);
	seg.ack = s.tcb.iss + 1 + 9000;		/* the echo is that of the originals */
	seg.wnd = s.tcb.snd_wnd;
	seg.opt.present = XTCP_HAS_TS;
	seg.opt.tsecr = xtcp_ts_now(&s.tcb, s.now) - 20;
	xtcp_ack(&s.tcb, &seg, s.now, &res);
	ASSERT_EQ(XTCP_OPEN, s.tcb.recovery);
	ASSERT_EQ(XTCP_SSTHRESH_INIT, s.tcb.ssthresh);
	ASSERT_EQ(0, !!s.tcb.ecn_cwr);		/* nothing was reduced */
	s.now += 20 * MS;
	sender_sack(&s, 9000, 10000, 19000);
	s.now += 20 * MS;
	if (s.tcb.deadline[XTCP_T_REO])
		xtcp_loss_on_reo(&s.tcb, s.now);
	ASSERT_EQ(XTCP_RECOVERY, s.tcb.recovery);
	ASSERT_LE(s.tcb.ssthresh, 20000);
	xtcp_tcb_purge(&s.tcb);
}

/* ---- DCTCP, RFC 8257 3.3 ---- */

static void dctcp_start(struct sender *s)
{
	sender_init(s, 1);
	xtcp_ecn_start(&s->tcb);
	s->tcb.ssthresh = 1000;
	s->tcb.snd_nxt = s->tcb.snd_una + 20000;
	xtcp_cc_assign(&s->tcb, &xtcp_cc_dctcp, s->now);
}

/* One window of 20 segments, acknowledged one by one; the first @marked with ECE; the
 * pipe is full again before the last.
 */
static void one_window(struct sender *s, u32 marked)
{
	struct xtcp_cc_ack a = { .acked = 1000, .delivered = 1000, .limited = true };
	u32 i;

	for (i = 1; i <= 20; i++) {
		s->tcb.snd_una += 1000;
		s->tcb.bytes_acked += 1000;
		s->tcb.ce_bytes += i <= marked ? 1000 : 0;
		if (i == 20)
			s->tcb.snd_nxt = s->tcb.snd_una + 20000;
		s->tcb.cc->on_ack(&s->tcb, &a, s->now);
	}
	s->tcb.cwnd = 1000000;
	s->tcb.cc->on_congestion(&s->tcb, XTCP_CC_ECN_MARK, s->now);
}

#define ASSERT_NEAR(want, is, by) do {				\
	ASSERT_LE((s64)(want) - (s64)(by), (s64)(is));		\
	ASSERT_LE((s64)(is), (s64)(want) + (s64)(by));		\
} while (0)

/* alpha after n windows without a mark: (15/16)^n; cwnd is cut by alpha / 2 */
TEST(dctcp_alpha)
{
	struct sender s;
	int i;

	ecn_init(&s, &xtcp_cc_dctcp);
	sender_write(&s, 20000);
	s.tcb.cwnd = 20000;
	sender_flush(&s);
	ack_flags(&s, 1000, XTCP_ECE);		/* alpha 1: like Reno */
	ASSERT_EQ(10000, s.tcb.cwnd);

	dctcp_start(&s);
	one_window(&s, 0);
	ASSERT_NEAR(1000000 - 937500 / 2, s.tcb.ssthresh, 2);
	for (i = 1; i < 16; i++)
		one_window(&s, 0);
	ASSERT_NEAR(1000000 - 356074 / 2, s.tcb.ssthresh, 20);	/* (15/16)^16 = 0.356074 */
	for (i = 0; i < 400; i++)
		one_window(&s, 0);
	ASSERT_EQ(1000000, s.tcb.ssthresh);	/* it decays to nothing */
	one_window(&s, 20);
	ASSERT_NEAR(1000000 - 62500 / 2, s.tcb.ssthresh, 2);	/* 1/16 */
	one_window(&s, 10);			/* 1/16 * 15/16 + 1/32 = 0.0898438 */
	ASSERT_NEAR(1000000 - 89844 / 2, s.tcb.ssthresh, 2);
}

/* A quarter marked for long: alpha is 1/4 */
TEST(dctcp_alpha_follows_the_share)
{
	struct sender s;
	int i;

	dctcp_start(&s);
	for (i = 0; i < 300; i++)
		one_window(&s, 5);
	ASSERT_NEAR(875000, s.tcb.ssthresh, 20);
}

/* 3.5: loss is answered as Reno answers it, a mark before it or not */
TEST(dctcp_loss)
{
	struct sender s;
	int i;

	dctcp_start(&s);
	for (i = 0; i < 400; i++)
		one_window(&s, 0);
	s.tcb.cwnd = 20000;
	xtcp_ecn_reduced(&s.tcb);
	s.tcb.cc->on_congestion(&s.tcb, XTCP_CC_ECN_MARK, s.now);
	ASSERT_EQ(20000, s.tcb.ssthresh);
	s.tcb.cc->on_congestion(&s.tcb, XTCP_CC_RTO, s.now);
	ASSERT_EQ(10000, s.tcb.ssthresh);
	s.tcb.ssthresh = 1;
	xtcp_cc_congestion(&s.tcb, XTCP_CC_LOSS, s.now);
	ASSERT_EQ(10000, s.tcb.ssthresh);
}

TEST_HARNESS_MAIN
