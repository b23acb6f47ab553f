// SPDX-License-Identifier: GPL-2.0
/*
 * Reno against steps computed by hand from RFC 5681, 3465 and 6928, and the registry.
 */
#include "sender.h"

static void ack_bytes(struct sender *s, u32 len)
{
	struct xtcp_cc_ack a = { .acked = len, .delivered = len, .limited = true };

	s->tcb.cc->on_ack(&s->tcb, &a, s->now);
}

TEST(registry)
{
	ASSERT_EQ(&xtcp_cc_reno, xtcp_cc_find("reno"));
	ASSERT_EQ(NULL, xtcp_cc_find("ren"));
	ASSERT_EQ(NULL, xtcp_cc_find("renoo"));
	ASSERT_EQ(NULL, xtcp_cc_find(""));
	ASSERT_EQ(&xtcp_cc_cubic, xtcp_cc_find("cubic"));
	ASSERT_EQ(&xtcp_cc_cubic, xtcp_cc_nth(0));	/* the default */
	ASSERT_EQ(&xtcp_cc_reno, xtcp_cc_nth(1));
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
	enum xtcp_cc_cause why;
	struct sender s;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(v); i++) {
		sender_init(&s, 1);
		s.tcb.snd_nxt = s.tcb.snd_una + v[i].flight;
		s.tcb.cwnd = v[i].cwnd;
		for (why = XTCP_CC_LOSS; why <= XTCP_CC_RTO; why += XTCP_CC_RTO - XTCP_CC_LOSS) {
			s.tcb.ssthresh = 1;
			s.tcb.cc->on_congestion(&s.tcb, why, s.now);
			ASSERT_EQ(v[i].ssthresh, s.tcb.ssthresh);
			ASSERT_EQ(v[i].cwnd, s.tcb.cwnd);	/* the caller's */
		}
	}
}

/* RFC 5681 4.1; RFC 7661 4.4: ssthresh at least 3/4 of cwnd */
TEST(idle_remembers_capacity)
{
	struct sender s;

	sender_init(&s, 1);
	s.tcb.cwnd = 100000;
	s.tcb.ssthresh = 20000;
	s.tcb.cc->on_idle(&s.tcb, 5000 * MS, s.now);
	ASSERT_EQ(10000, s.tcb.cwnd);
	ASSERT_EQ(75000, s.tcb.ssthresh);
	s.tcb.ssthresh = 90000;
	s.tcb.cc->on_idle(&s.tcb, 5000 * MS, s.now);
	ASSERT_EQ(90000, s.tcb.ssthresh);
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

/* RFC 3168 6.1.2: half of cwnd; the ACK with the echo may have emptied the pipe */
TEST(halving_for_a_mark)
{
	struct sender s;

	sender_init(&s, 1);
	s.tcb.cwnd = 30000;
	s.tcb.cc->on_congestion(&s.tcb, XTCP_CC_ECN_MARK, s.now);
	ASSERT_EQ(15000, s.tcb.ssthresh);
}

/* RFC 7661 4.3: cwnd that was not the limit proves nothing */
TEST(no_growth_without_use)
{
	struct xtcp_cc_ack a = { .acked = 1000, .delivered = 1000 };
	struct sender s;

	sender_init(&s, 1);
	s.tcb.cc->on_ack(&s.tcb, &a, s.now);
	ASSERT_EQ(10000, s.tcb.cwnd);
}

static unsigned int inits, releases;

static void fake_init(struct xtcp_tcb *tcb, u64 now)
{
	inits++;
	tcb->cc_priv[0] = now;
}

static void fake_release(struct xtcp_tcb *tcb)
{
	releases++;
}

/* A controller finds its memory empty, whoever had it before */
TEST(assign)
{
	static const struct xtcp_cc_ops fake = {
		.name = "fake", .init = fake_init, .release = fake_release,
	};
	struct sender s;

	sender_init(&s, 1);
	s.tcb.cc_priv[1] = 5;
	xtcp_cc_assign(&s.tcb, &fake, 42);
	ASSERT_EQ(1, inits);
	ASSERT_EQ(42, s.tcb.cc_priv[0]);
	ASSERT_EQ(0, s.tcb.cc_priv[1]);
	xtcp_cc_undo(&s.tcb, 43);	/* optional */
	s.tcb.cc_rate = 4711;		/* what it wants, its successor need not */
	xtcp_cc_assign(&s.tcb, &xtcp_cc_reno, 44);
	ASSERT_EQ(0, s.tcb.cc_rate);
	ASSERT_EQ(1, releases);
	ASSERT_EQ(0, s.tcb.cc_priv[0]);
	ASSERT_EQ(&xtcp_cc_reno, s.tcb.cc);
	xtcp_cc_assign(&s.tcb, &fake, 45);
	xtcp_tcb_purge(&s.tcb);
	xtcp_tcb_purge(&s.tcb);
	ASSERT_EQ(2, releases);
	xtcp_tcb_init(&s.tcb);		/* used again: the choice is the user's */
	ASSERT_EQ(&fake, s.tcb.cc);
	ASSERT_EQ(2, inits);
	xtcp_cc_assign(&s.tcb, &xtcp_cc_reno, 46);	/* before it begins */
	ASSERT_EQ(2, releases);
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
