// SPDX-License-Identifier: GPL-2.0
/*
 * Proportional Rate Reduction: RFC 9937 worked out by hand in bytes, one row an ACK:
 * what arrives, what is in flight before anything is sent, and what leaves.
 */
#include "sender.h"

struct row {
	u32 ack, from, to;	/* in segments */
	u32 pipe;		/* in segments, as the ACK leaves it */
	u32 resent, fresh;	/* segments that leave */
};

/* 20 segments at once, more queued, cwnd is 20 segments, the round trip 50 ms */
static void twenty_out(struct sender *s)
{
	sender_init(s, -7000);
	s->tcb.sack_ok = 1;
	s->tcb.cwnd = 20 * MSS;
	sender_write(s, 100 * MSS);
	sender_flush(s);
	s->now += 50 * MS;
}

static void run(struct __test_metadata *_metadata, struct sender *s, const struct row *v, u32 n)
{
	u32 i, k, resent;

	for (i = 0; i < n; i++) {
		s->now += MS;
		sender_sack(s, v[i].ack * MSS, v[i].from * MSS, v[i].to * MSS);
		EXPECT_EQ(v[i].pipe * MSS, xtcp_pipe(&s->tcb))
			TH_LOG("row %u", i);
		sender_flush(s);
		for (k = 0, resent = 0; k < s->sent; k++)
			resent += s->log[k].kind == XTCP_TX_REXMIT;
		EXPECT_EQ(v[i].resent, resent)
			TH_LOG("row %u", i);
		EXPECT_EQ(v[i].fresh, s->sent - resent)
			TH_LOG("row %u", i);
	}
}

/*
 * Segment 0 is lost.  RecoverFS = 22 - 3 + 1 = 20, ssthresh = 10: while more than that
 * is in flight, half a segment for each delivered one; then one for one.
 */
TEST(one_loss)
{
	static const struct row v[] = {
		{ 0, 1, 2, 19, 0, 1 }, { 0, 1, 3, 19, 0, 1 },	/* limited transmit */
		{ 0, 1, 4, 18, 1, 0 },		/* recovery: the fast retransmit */
		{ 0, 1, 5, 18, 0, 0 },		/* 4: ceil(2000 * 10 / 20) - 1000 = 0 */
		{ 0, 1, 6, 17, 0, 0 },		/* 500: no whole segment */
		{ 0, 1, 7, 16, 0, 1 }, { 0, 1, 8, 16, 0, 0 },
		{ 0, 1, 9, 15, 0, 1 }, { 0, 1, 10, 15, 0, 0 },
		{ 0, 1, 11, 14, 0, 1 }, { 0, 1, 12, 14, 0, 0 },
		{ 0, 1, 13, 13, 0, 1 }, { 0, 1, 14, 13, 0, 0 },
		{ 0, 1, 15, 12, 0, 1 }, { 0, 1, 16, 12, 0, 0 },
		{ 0, 1, 17, 11, 0, 1 }, { 0, 1, 18, 11, 0, 0 },
		{ 0, 1, 19, 10, 0, 0 },		/* ssthresh is reached */
		{ 0, 1, 20, 9, 0, 1 }, { 0, 1, 21, 9, 0, 1 }, { 0, 1, 22, 9, 0, 1 },
	};
	struct sender s;

	twenty_out(&s);
	run(_metadata, &s, v, ARRAY_SIZE(v));
	ASSERT_EQ(10 * MSS, s.tcb.ssthresh);
	ASSERT_EQ(XTCP_RECOVERY, s.tcb.recovery);
	s.now += 30 * MS;
	sender_ack(&s, 22 * MSS);
	ASSERT_EQ(XTCP_OPEN, s.tcb.recovery);
	ASSERT_EQ(10 * MSS, s.tcb.cwnd);
	xtcp_tcb_purge(&s.tcb);
}

/*
 * 0 to 14 are lost: pipe falls below ssthresh at once.  CRB: one for one; as soon as
 * the cumulative ACK moves without a further loss, SSRB: one more for each.
 */
TEST(fifteen_losses)
{
	static const struct row v[] = {
		{ 0, 15, 16, 19, 0, 1 }, { 0, 15, 17, 19, 0, 1 },
		{ 0, 15, 18, 4, 1, 0 },		/* 22 - 3 - 15 */
		{ 0, 15, 19, 4, 1, 0 }, { 0, 15, 20, 4, 1, 0 },
		{ 0, 15, 21, 4, 1, 0 }, { 0, 15, 22, 4, 1, 0 },
		/* the retransmissions arrive: safe */
		{ 1, 15, 22, 4, 2, 0 }, { 2, 15, 22, 5, 2, 0 }, { 3, 15, 22, 6, 2, 0 },
		{ 4, 15, 22, 7, 2, 0 }, { 5, 15, 22, 8, 2, 0 },
		{ 6, 15, 22, 9, 0, 1 }, { 7, 15, 22, 9, 0, 1 },
	};
	struct sender s;

	twenty_out(&s);
	run(_metadata, &s, v, 7);
	s.now += 45 * MS;
	run(_metadata, &s, v + 7, ARRAY_SIZE(v) - 7);
	ASSERT_EQ(XTCP_RECOVERY, s.tcb.recovery);
	xtcp_tcb_purge(&s.tcb);
}

/* An ACK without news changes nothing: nobody can pump cwnd with repeated ACKs */
TEST(nothing_delivered_nothing_sent)
{
	static const struct row v[] = {
		{ 0, 15, 16, 19, 0, 1 }, { 0, 15, 17, 19, 0, 1 }, { 0, 15, 18, 4, 1, 0 },
		{ 0, 15, 18, 5, 0, 0 }, { 0, 15, 18, 5, 0, 0 }, { 0, 16, 17, 5, 0, 0 },
	};
	struct sender s;

	twenty_out(&s);
	run(_metadata, &s, v, ARRAY_SIZE(v));
	xtcp_tcb_purge(&s.tcb);
}

/* Whatever arrives, cwnd is a segment at least, and counts do not wrap */
TEST(crumbs)
{
	struct sender s;
	u32 i;

	twenty_out(&s);
	for (i = 1; i < 3000; i++) {
		s.now += MS / 100;
		sender_sack(&s, 0, 1000, 1000 + i);
		sender_flush(&s);
		ASSERT_GE(s.tcb.cwnd, MSS);
		ASSERT_LE(xtcp_pipe(&s.tcb), 21 * MSS);
	}
	xtcp_tcb_purge(&s.tcb);
}

TEST_HARNESS_MAIN
