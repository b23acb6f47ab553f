// SPDX-License-Identifier: GPL-2.0
/*
 * Reno against steps computed by hand from RFC 5681, 3465 and 6928, and the registry.
 */
#include "sender.h"

static void ack_bytes(struct sender *s, u32 len)
{
	s->tcb.cc->on_ack(&s->tcb, len, s->now);
}

TEST(registry)
{
	ASSERT_EQ(&xtcp_cc_reno, xtcp_cc_find("reno"));
	ASSERT_EQ(NULL, xtcp_cc_find("ren"));
	ASSERT_EQ(NULL, xtcp_cc_find("renoo"));
	ASSERT_EQ(NULL, xtcp_cc_find(""));
	ASSERT_EQ(&xtcp_cc_reno, xtcp_cc_nth(0));
	ASSERT_EQ(NULL, xtcp_cc_nth(100));
	ASSERT_EQ(NULL, xtcp_cc_nth(~0u));
}

/* RFC 6928 2: min (10*MSS, max (2*MSS, 14600)); RFC 5681 3.1 after a lost SYN */
TEST(initial_window)
{
	static const struct {
		u32 mss, iw;
	} v[] = {
		{ 536, 5360 }, { 1000, 10000 }, { 1460, 14600 }, { 1461, 14600 },
		{ 4000, 14600 }, { 7300, 14600 }, { 8960, 17920 }, { 88, 880 },
	};
	struct xtcp_tcb tcb = { 0 };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(v); i++) {
		tcb.snd_mss = v[i].mss;
		tcb.syn_rexmit = 0;
		ASSERT_EQ(v[i].iw, xtcp_cc_initial_window(&tcb));
		tcb.syn_rexmit = 1;
		ASSERT_EQ(v[i].mss, xtcp_cc_initial_window(&tcb));
	}
}

/* RFC 5681 3.1, RFC 3465 2.2 with L = 2 */
TEST(slow_start)
{
	struct sender s;

	sender_init(&s, 1);
	ASSERT_EQ(10000, s.tcb.cwnd);
	ack_bytes(&s, 400);
	ASSERT_EQ(10400, s.tcb.cwnd);
	ack_bytes(&s, 1000);
	ASSERT_EQ(11400, s.tcb.cwnd);
	ack_bytes(&s, 2000);
	ASSERT_EQ(13400, s.tcb.cwnd);
	ack_bytes(&s, 9000);		/* a stretch ACK */
	ASSERT_EQ(15400, s.tcb.cwnd);
	s.tcb.recovery = XTCP_RTO_RECOVERY;
	ack_bytes(&s, 2000);		/* L = 1 after a timeout */
	ASSERT_EQ(16400, s.tcb.cwnd);
}

/* One ACK answers one super-packet */
TEST(slow_start_with_super_packets)
{
	struct sender s;

	sender_init(&s, 1);
	s.tcb.gso_max = 8000;
	ack_bytes(&s, 9000);
	ASSERT_EQ(18000, s.tcb.cwnd);
}

/* RFC 3465 2.1: one SMSS per cwnd of acknowledged bytes */
TEST(congestion_avoidance)
{
	struct sender s;
	int i;

	sender_init(&s, 1);
	s.tcb.ssthresh = 10000;
	for (i = 0; i < 9; i++) {
		ack_bytes(&s, 1000);
		ASSERT_EQ(10000, s.tcb.cwnd);
	}
	ack_bytes(&s, 1000);
	ASSERT_EQ(11000, s.tcb.cwnd);
	for (i = 0; i < 5; i++)
		ack_bytes(&s, 2000);
	ASSERT_EQ(11000, s.tcb.cwnd);
	ack_bytes(&s, 1000);
	ASSERT_EQ(12000, s.tcb.cwnd);
}

/* What exceeds one window counts towards the next */
TEST(congestion_avoidance_keeps_the_remainder)
{
	static const u32 cwnd[] = { 10000, 10000, 10000, 11000, 11000, 11000, 12000 };
	struct sender s;
	unsigned int i;

	sender_init(&s, 1);
	s.tcb.ssthresh = 10000;
	for (i = 0; i < ARRAY_SIZE(cwnd); i++) {
		ack_bytes(&s, 3000);
		ASSERT_EQ(cwnd[i], s.tcb.cwnd);
	}
}

TEST(slow_start_ends_at_ssthresh)
{
	struct sender s;

	sender_init(&s, 1);
	s.tcb.ssthresh = 11000;
	ack_bytes(&s, 1000);		/* cwnd < ssthresh */
	ASSERT_EQ(11000, s.tcb.cwnd);
	ack_bytes(&s, 1000);
	ASSERT_EQ(11000, s.tcb.cwnd);
}

/* RFC 5681 (4): max (FlightSize / 2, 2*SMSS) */
TEST(halving)
{
	static const struct {
		u32 flight, cwnd, ssthresh;
	} v[] = {
		{ 20000, 20000, 10000 },
		{ 20000, 40000, 10000 },	/* FlightSize, not cwnd */
		{ 22000, 20000, 10000 },	/* without limited transmit */
		{ 3000, 3000, 2000 },
		{ 0, 10000, 2000 },
	};
	struct sender s;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(v); i++) {
		sender_init(&s, 1);
		s.tcb.snd_nxt = s.tcb.snd_una + v[i].flight;
		s.tcb.cwnd = v[i].cwnd;
		s.tcb.cc->on_rto(&s.tcb, s.now);
		ASSERT_EQ(v[i].ssthresh, s.tcb.ssthresh);
		s.tcb.cc->on_loss(&s.tcb, s.now);
		ASSERT_EQ(v[i].ssthresh, s.tcb.ssthresh);
		ASSERT_EQ(v[i].ssthresh, s.tcb.cwnd);
	}
}

/* RFC 5681 4.1 */
TEST(idle)
{
	struct sender s;

	sender_init(&s, 1);
	s.tcb.cwnd = 100000;
	s.tcb.cc->on_idle(&s.tcb, 5000 * MS, s.now);
	ASSERT_EQ(10000, s.tcb.cwnd);
	s.tcb.cwnd = 4000;
	s.tcb.cc->on_idle(&s.tcb, 5000 * MS, s.now);
	ASSERT_EQ(4000, s.tcb.cwnd);
}

TEST(growth_is_bounded)
{
	struct sender s;
	int i;

	sender_init(&s, 1);
	s.tcb.gso_max = 1u << 29;
	for (i = 0; i < 100; i++)
		ack_bytes(&s, 1u << 29);
	ASSERT_LE(s.tcb.cwnd, XTCP_CWND_MAX + (1u << 29));
}

TEST_HARNESS_MAIN
