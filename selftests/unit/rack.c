// SPDX-License-Identifier: GPL-2.0
/*
 * RACK: RFC 8985 section 6 and its examples, with times worked out by hand.
 */
#include "sender.h"

#define REXMIT(i, from, to) do {					\
	ASSERT_EQ(XTCP_TX_REXMIT, s.log[i].kind);			\
	ASSERT_EQ(from, sender_rel(&s, s.log[i].seq));			\
	ASSERT_EQ(to, sender_rel(&s, s.log[i].end_seq));		\
} while (0)

/* @n segments, one each ms; the first ACK could arrive now, 100 ms after the first */
static void paced(struct sender *s, u32 n)
{
	u64 start;

	sender_init(s, -3000);
	s->tcb.sack_ok = 1;
	s->tcb.cwnd = 100 * MSS;
	start = s->now;
	while (n--) {
		sender_write(s, MSS);
		sender_flush(s);
		s->now += MS;
	}
	s->now = start + 100 * MS;
}

/* One later segment has arrived, no reordering was seen: lost after min_RTT / 4 */
TEST(one_sack_and_the_timer)
{
	struct sender s;

	paced(&s, 3);
	s.now += MS;				/* 1000 was sent 100 ms ago */
	sender_sack(&s, 0, 1000, 2000);
	ASSERT_EQ(XTCP_OPEN, s.tcb.recovery);
	ASSERT_EQ(0, s.tcb.lost_bytes);
	/* 0 was sent 101 ms ago: due at 100 + 25 */
	ASSERT_EQ(s.now + 24 * MS, s.tcb.deadline[XTCP_T_REO]);
	sender_wait(&s, XTCP_T_REO);
	xtcp_loss_on_reo(&s.tcb, s.now);
	ASSERT_EQ(XTCP_RECOVERY, s.tcb.recovery);
	ASSERT_EQ(1000, s.tcb.lost_bytes);	/* 2000 was sent after */
	ASSERT_EQ(0, s.tcb.deadline[XTCP_T_REO]);
	ASSERT_EQ(1, sender_flush(&s));
	REXMIT(0, 0, 1000);
	xtcp_tcb_purge(&s.tcb);
}

TEST(timer_ends_with_the_hole)
{
	struct sender s;

	paced(&s, 3);
	sender_sack(&s, 0, 1000, 2000);
	ASSERT_NE(0, s.tcb.deadline[XTCP_T_REO]);
	s.now += 10 * MS;
	sender_ack(&s, 2000);
	ASSERT_EQ(0, s.tcb.deadline[XTCP_T_REO]);
	ASSERT_TRUE(!!s.tcb.reord_seen);	/* it came late, but came */
	ASSERT_EQ(XTCP_OPEN, s.tcb.recovery);
	xtcp_loss_on_reo(&s.tcb, s.now);	/* fired all the same: nothing to find */
	ASSERT_EQ(XTCP_OPEN, s.tcb.recovery);
	xtcp_tcb_purge(&s.tcb);
}

/* On a path that reorders, many duplicates are no loss; time is (6.2 step 4) */
TEST(dup_thresh_is_off_once_reordering_was_seen)
{
	struct sender s;
	u32 i;

	paced(&s, 20);
	sender_sack(&s, 0, 1000, 2000);
	s.now += MS;
	sender_ack(&s, 2000);
	ASSERT_TRUE(!!s.tcb.reord_seen);
	for (i = 4; i <= 10; i++) {
		s.now += MS;
		sender_sack(&s, 2000, 3000, i * 1000);
		ASSERT_EQ(XTCP_OPEN, s.tcb.recovery);
	}
	/* sent at 2, RTT 99, window 24.75; now it is 108 */
	ASSERT_EQ(17750 * MS / 1000, sender_wait(&s, XTCP_T_REO));
	xtcp_loss_on_reo(&s.tcb, s.now);
	ASSERT_EQ(XTCP_RECOVERY, s.tcb.recovery);
	ASSERT_EQ(1000, s.tcb.lost_bytes);
	xtcp_tcb_purge(&s.tcb);
}

/* The retransmission is lost as well: what was sent after it shows it (RFC 8985 3.3) */
TEST(lost_retransmission)
{
	struct sender s;

	paced(&s, 10);
	s.now += 4 * MS;
	sender_sack(&s, 0, 1000, 5000);
	sender_write(&s, 5000);
	ASSERT_EQ(1, sender_flush(&s));
	REXMIT(0, 0, 1000);
	s.now += 6 * MS;
	sender_sack(&s, 0, 1000, 10000);	/* sent before the retransmission */
	ASSERT_EQ(0, s.tcb.lost_bytes);
	ASSERT_EQ(4, sender_flush(&s));
	ASSERT_EQ(10000, sender_rel(&s, s.log[0].seq));
	s.now += 95 * MS;
	sender_sack(&s, 0, 1000, 11000);	/* sent after it */
	ASSERT_EQ(XTCP_RECOVERY, s.tcb.recovery);
	ASSERT_EQ(1000, s.tcb.lost_bytes);
	ASSERT_LE(1, sender_flush(&s));
	REXMIT(0, 0, 1000);
	ASSERT_EQ(0, s.tcb.rexmits);		/* and no timeout was needed */
	xtcp_tcb_purge(&s.tcb);
}

/* 6.2 step 2: an ACK that may be for the original says nothing about time */
TEST(retransmission_ambiguity)
{
	static const struct {
		int wait_ms, tsecr_ms;		/* after the retransmission; TSecr 0: none */
		bool counts;
	} v[] = {
		{ 102, 0, false },		/* less than min_RTT */
		{ 103, 0, true },
		{ 150, -1, false },		/* echoes what was sent before it */
		{ 150, 1, true },
		{ 102, 1, false },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(v); i++) {
		struct xtcp_segment seg = { .flags = XTCP_ACK, .seq = 78, .wnd = 60000 };
		struct xtcp_ack_result res;
		struct sender s;
		u64 resent_at;

		paced(&s, 10);
		s.now += 4 * MS;
		sender_sack(&s, 0, 1000, 5000);
		sender_flush(&s);
		REXMIT(0, 0, 1000);
		ASSERT_EQ(103 * MS, s.tcb.min_rtt);
		resent_at = s.now;
		s.tcb.ts_ok = 1;
		s.now += v[i].wait_ms * MS;
		seg.ack = s.tcb.snd_una + 5000;
		if (v[i].tsecr_ms)
			seg.opt.present = XTCP_HAS_TS;
		seg.opt.tsecr = xtcp_ts_now(&s.tcb, resent_at) + v[i].tsecr_ms;
		xtcp_ack(&s.tcb, &seg, s.now, &res);
		EXPECT_EQ(v[i].counts, s.tcb.rack_xmit_ts == resent_at)
			TH_LOG("row %u", i);
		xtcp_tcb_purge(&s.tcb);
	}
}

/* The ACK of what lies behind a hole echoes an old timestamp: that says nothing */
TEST(retransmission_sacked_behind_a_hole)
{
	struct xtcp_segment seg = { .flags = XTCP_ACK, .seq = 78, .wnd = 60000 };
	struct xtcp_ack_result res;
	struct sender s;

	paced(&s, 3);
	s.tcb.ts_ok = 1;
	sender_ack(&s, 1000);
	s.now += 200 * MS;
	xtcp_loss_on_tlp(&s.tcb, s.now);
	sender_flush(&s);
	ASSERT_EQ(XTCP_TX_TLP, s.log[0].kind);
	s.now += 100 * MS;
	seg.ack = s.tcb.snd_una;
	seg.opt.present = XTCP_HAS_TS;
	seg.opt.tsecr = xtcp_ts_now(&s.tcb, s.now) - 400;
	seg.opt.nr_sack = 1;
	seg.opt.sack[0].seq = s.tcb.snd_una + 1000;
	seg.opt.sack[0].end_seq = s.tcb.snd_una + 2000;
	xtcp_ack(&s.tcb, &seg, s.now, &res);
	ASSERT_EQ(XTCP_RECOVERY, s.tcb.recovery);
	ASSERT_EQ(1000, s.tcb.lost_bytes);
	xtcp_tcb_purge(&s.tcb);
}

/* RFC 2883: a block below SEG.ACK.  Each round with one widens the window, once */
TEST(dsack_widens_the_window_for_16_recoveries)
{
	struct sender s;
	u32 i, at;

	paced(&s, 1);
	sender_ack(&s, 1000);
	at = 1000;
	for (i = 1; i <= 3; i++) {
		sender_write(&s, 1000);
		sender_flush(&s);
		s.now += 100 * MS;
		sender_sack(&s, at, 0, 1000);
		ASSERT_EQ(i, s.tcb.reo_steps);
		sender_sack(&s, at, 0, 1000);	/* the same round */
		ASSERT_EQ(i, s.tcb.reo_steps);
		at += 1000;
		sender_ack(&s, at);
	}
	/* one loss each; the window is (3 + 1) * min_RTT / 4 = 100 ms */
	for (i = 1; i <= 16; i++) {
		ASSERT_EQ(3, s.tcb.reo_steps);
		s.tcb.reord_seen = 1;
		sender_write(&s, 2000);
		sender_flush(&s);
		s.now += 100 * MS;
		sender_sack(&s, at, at + 1000, at + 2000);
		ASSERT_EQ(s.now + min(s.tcb.srtt + s.tcb.rttvar, 100 * MS),
			  s.tcb.deadline[XTCP_T_REO]);
		sender_wait(&s, XTCP_T_REO);
		xtcp_loss_on_reo(&s.tcb, s.now);
		ASSERT_EQ(XTCP_RECOVERY, s.tcb.recovery);
		sender_flush(&s);
		s.now += 100 * MS;
		at += 2000;
		sender_ack(&s, at);
		ASSERT_EQ(XTCP_OPEN, s.tcb.recovery);
	}
	ASSERT_EQ(0, s.tcb.reo_steps);
	xtcp_tcb_purge(&s.tcb);
}

/* The window never exceeds SRTT + RTTVAR, whatever the peer reports */
TEST(dsack_window_is_bounded)
{
	struct sender s;
	u32 i;

	paced(&s, 1);
	sender_ack(&s, 1000);
	for (i = 1; i < 600; i++) {
		sender_write(&s, 1000);
		sender_flush(&s);
		s.now += 100 * MS;
		sender_sack(&s, i * 1000, 0, 1000);
		sender_ack(&s, i * 1000 + 1000);
	}
	ASSERT_EQ(254, s.tcb.reo_steps);
	s.tcb.reord_seen = 1;
	sender_write(&s, 2000);
	sender_flush(&s);
	s.now += 100 * MS;
	sender_sack(&s, 600000, 601000, 602000);
	ASSERT_EQ(s.now + s.tcb.srtt + s.tcb.rttvar, s.tcb.deadline[XTCP_T_REO]);
	xtcp_tcb_purge(&s.tcb);
}

/* 6.3: the first one, and what was sent longer ago than the round trip */
TEST(timeout_spares_what_was_sent_just_now)
{
	struct sender s;

	paced(&s, 1);
	sender_ack(&s, 1000);			/* RACK.rtt = 100 ms */
	sender_write(&s, 2000);
	sender_flush(&s);
	s.now = s.tcb.deadline[XTCP_T_REXMT] - 50 * MS;
	sender_write(&s, 3000);
	ASSERT_EQ(3, sender_flush(&s));
	sender_wait(&s, XTCP_T_REXMT);
	xtcp_loss_on_rto(&s.tcb, s.now);
	ASSERT_EQ(2000, s.tcb.lost_bytes);
	ASSERT_EQ(3000, xtcp_pipe(&s.tcb));
	ASSERT_EQ(1, sender_flush(&s));
	REXMIT(0, 1000, 2000);
	xtcp_tcb_purge(&s.tcb);
}

TEST(timeout_marks_the_first_however_young)
{
	struct sender s;

	paced(&s, 4);
	sender_sack(&s, 0, 1000, 4000);
	sender_flush(&s);
	REXMIT(0, 0, 1000);
	xtcp_loss_on_rto(&s.tcb, s.now + MS);
	ASSERT_EQ(1000, s.tcb.lost_bytes);
	xtcp_tcb_purge(&s.tcb);
}

TEST_HARNESS_MAIN
