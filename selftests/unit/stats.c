// SPDX-License-Identifier: GPL-2.0
/*
 * What struct tcp_info tells of a sender: delivery, waiting, timeouts, by hand.
 */
#include "sender.h"

static void flushed(struct sender *s, bool user_waits)
{
	sender_flush(s);
	xtcp_stats_flushed(&s->tcb, user_waits, s->now);
}

/* SYN, then one segment each: as kernel TCP counts */
TEST(delivered_segments)
{
	struct sender s;

	sender_init(&s, 1);
	EXPECT_EQ(1, s.tcb.delivered);
	sender_write(&s, 5);
	flushed(&s, false);
	sender_ack(&s, 5);
	EXPECT_EQ(2, s.tcb.delivered);
	sender_write(&s, 2500);
	flushed(&s, false);
	sender_ack(&s, 2505);
	EXPECT_EQ(5, s.tcb.delivered);
	xtcp_tcb_purge(&s.tcb);
}

/* What is SACKed is delivered, and not once more by the cumulative ACK */
TEST(delivered_by_sack)
{
	struct sender s;

	sender_init(&s, 1);
	s.tcb.sack_ok = 1;
	sender_write(&s, 4000);
	flushed(&s, false);
	sender_sack(&s, 0, 1000, 3000);
	EXPECT_EQ(3, s.tcb.delivered);
	sender_ack(&s, 4000);
	EXPECT_EQ(5, s.tcb.delivered);
	xtcp_tcb_purge(&s.tcb);
}

/* RFC 2883: the peer has got a segment twice; RFC 8985: one that came late */
TEST(duplicates_and_reordering)
{
	struct sender s;

	sender_init(&s, 1);
	s.tcb.sack_ok = 1;
	sender_write(&s, 6000);
	flushed(&s, false);
	s.now += 10 * MS;
	sender_sack(&s, 0, 1000, 2000);
	EXPECT_EQ(0, s.tcb.reord_events);
	sender_ack(&s, 2000);			/* the first one, never sent again */
	EXPECT_EQ(1, s.tcb.reord_events);
	EXPECT_EQ(0, s.tcb.dsack_dups);
	sender_sack(&s, 4000, 1000, 3000);	/* below the ACK */
	EXPECT_EQ(2, s.tcb.dsack_dups);
	sender_ack(&s, 6000);
	EXPECT_EQ(1, s.tcb.reord_events);
	EXPECT_EQ(7, s.tcb.delivered);
	xtcp_tcb_purge(&s.tcb);
}

/* 10 segments of 1000 bytes in 50 ms: 20 KB in each round of 100 ms, 200 KB/s */
TEST(delivery_rate)
{
	struct sender s;
	unsigned int i;

	sender_init(&s, 1);
	s.tcb.cwnd = 20000;
	s.tcb.ssthresh = 1;
	sender_write(&s, 1000000);
	flushed(&s, false);
	s.now += 100 * MS;
	for (i = 1; i <= 100; i++) {
		sender_ack(&s, i * 1000);
		s.tcb.cwnd = 20000;
		flushed(&s, false);
		s.now += 5 * MS;
	}
	EXPECT_LE(180000, s.tcb.delivery_rate);
	EXPECT_GE(220000, s.tcb.delivery_rate);
	EXPECT_EQ(0, (int)s.tcb.delivery_limited);
	xtcp_tcb_purge(&s.tcb);
}

/* One segment per round trip since there is no more: a rate that the user limits, and
 * the pause between two of them is no part of it
 */
TEST(delivery_limited_by_user)
{
	struct sender s;
	unsigned int i;

	sender_init(&s, 1);
	for (i = 1; i <= 10; i++) {
		sender_write(&s, 1000);
		flushed(&s, false);
		s.now += 10 * MS;
		sender_ack(&s, i * 1000);
		flushed(&s, false);
		s.now += 1000 * MS;
	}
	EXPECT_EQ(100000, s.tcb.delivery_rate);
	EXPECT_EQ(1, (int)s.tcb.delivery_limited);
	xtcp_tcb_purge(&s.tcb);
}

static u64 ms_in(const struct sender *s, u8 what)
{
	return xtcp_stats_busy(&s->tcb, what, s->now) / MS;
}

TEST(what_it_waits_for)
{
	struct sender s;

	sender_init(&s, 1);
	s.now += 7 * MS;
	sender_write(&s, 1000);			/* the network */
	flushed(&s, false);
	s.now += 10 * MS;
	EXPECT_EQ(10, ms_in(&s, XTCP_BUSY));
	sender_ack(&s, 1000);
	flushed(&s, false);			/* nothing */
	s.now += 100 * MS;
	EXPECT_EQ(10, ms_in(&s, XTCP_BUSY));
	s.tcb.snd_wnd = 2000;			/* the peer's window */
	sender_write(&s, 5000);
	flushed(&s, false);
	s.now += 20 * MS;
	EXPECT_EQ(20, ms_in(&s, XTCP_BUSY_RWND));
	sender_ack_wnd(&s, 3000, 100000, 0, NULL);
	flushed(&s, true);			/* all has left, and the user is asleep */
	s.now += 30 * MS;
	EXPECT_EQ(30, ms_in(&s, XTCP_BUSY_SNDBUF));
	EXPECT_EQ(20, ms_in(&s, XTCP_BUSY_RWND));
	EXPECT_EQ(10, ms_in(&s, XTCP_BUSY));
	sender_write(&s, 100000);		/* cwnd is the limit */
	flushed(&s, true);
	s.now += 40 * MS;
	EXPECT_EQ(50, ms_in(&s, XTCP_BUSY));
	xtcp_tcb_purge(&s.tcb);
}

TEST(timeouts)
{
	struct sender s;
	unsigned int i;

	sender_init(&s, 1);
	sender_write(&s, 1000);
	flushed(&s, false);
	for (i = 0; i < 3; i++) {		/* RFC 6298: 1, 2, 4 s */
		sender_wait(&s, XTCP_T_REXMT);
		xtcp_loss_on_rto(&s.tcb, s.now);
		xtcp_stats_rto(&s.tcb, s.now);
		flushed(&s, false);
	}
	s.now += 500 * MS;
	sender_ack(&s, 1000);
	flushed(&s, false);
	EXPECT_EQ(3, s.tcb.total_rto);
	EXPECT_EQ(1, s.tcb.total_rto_recoveries);
	EXPECT_EQ(6500 * MS, s.tcb.total_rto_ns);	/* from the first one on */
	EXPECT_EQ(0, s.tcb.rto_since);
	xtcp_tcb_purge(&s.tcb);
}

TEST_HARNESS_MAIN
