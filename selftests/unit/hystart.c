// SPDX-License-Identifier: GPL-2.0
/*
 * HyStart++ against the phases of RFC 9406 4.2, step by step, and against CUBIC's use
 * of it.
 */
#include "sender.h"
#include "hystart.h"

struct flow {
	struct xtcp_tcb tcb;
	struct xtcp_hystart hs;
	u64 rtt;
};

static void flow_init(struct flow *f)
{
	memset(f, 0, sizeof(*f));
	f->tcb.snd_mss = MSS;
	f->tcb.cwnd = 10 * MSS;
	f->tcb.ssthresh = XTCP_SSTHRESH_INIT;
	f->tcb.snd_una = f->tcb.snd_nxt = 1;
	f->rtt = 100 * MS;
	xtcp_hystart_init(&f->hs, &f->tcb);
}

static void one_ack(struct flow *f, u32 len, u64 rtt)
{
	struct xtcp_cc_ack a = { .acked = len, .delivered = len, .rtt = rtt, .limited = true };

	f->tcb.snd_una += len;
	xtcp_hystart_on_ack(&f->hs, &f->tcb, &a);
}

/*
 * A round: what is in flight is acknowledged, a segment an ACK, and cwnd is filled
 * again before the last ACK, as a sender does it.
 */
static void one_round(struct flow *f, unsigned int acks, u64 rtt)
{
	unsigned int i;

	f->tcb.snd_nxt = f->tcb.snd_una + acks * MSS;
	f->hs.window_end = f->tcb.snd_nxt;
	for (i = 0; i < acks; i++) {
		if (i == acks - 1)
			f->tcb.snd_nxt += 100 * MSS;
		one_ack(f, MSS, rtt);
	}
}

TEST(due_in_the_first_slow_start_only)
{
	struct xtcp_tcb tcb = { .ssthresh = XTCP_SSTHRESH_INIT };

	ASSERT_TRUE(xtcp_hystart_due(&tcb));
	tcb.recovery = XTCP_RTO_RECOVERY;
	ASSERT_FALSE(xtcp_hystart_due(&tcb));
	tcb.recovery = XTCP_OPEN;
	tcb.ssthresh = 1u << 30;
	ASSERT_FALSE(xtcp_hystart_due(&tcb));
}

/* L = 8 */
TEST(growth)
{
	struct xtcp_cc_ack idle = { .acked = 1000, .delivered = 1000 };
	struct flow f;

	flow_init(&f);
	one_ack(&f, 500, 0);
	ASSERT_EQ(10500, f.tcb.cwnd);
	one_ack(&f, 8000, 0);
	ASSERT_EQ(18500, f.tcb.cwnd);
	one_ack(&f, 8001, 0);
	ASSERT_EQ(26500, f.tcb.cwnd);
	xtcp_hystart_on_ack(&f.hs, &f.tcb, &idle);	/* cwnd was not the limit */
	ASSERT_EQ(26500, f.tcb.cwnd);
	f.tcb.gso_max = 60000;
	one_ack(&f, 60000, 0);
	ASSERT_EQ(86500, f.tcb.cwnd);
	f.tcb.pacing_rate = 1000000;	/* L is infinity */
	one_ack(&f, 86500, 0);
	ASSERT_EQ(173000, f.tcb.cwnd);
}

/* RttThresh = max (4 ms, min (lastRoundMinRTT / 8, 16 ms)) */
TEST(threshold)
{
	static const struct {
		u64 last, now;		/* us */
		bool css;
	} v[] = {
		{ 20, 4019, false }, { 20, 4020, true },
		{ 32000, 35999, false }, { 32000, 36000, true },
		{ 100000, 112499, false }, { 100000, 112500, true },
		{ 128000, 143999, false }, { 128000, 144000, true },
		{ 2000000, 2015999, false }, { 2000000, 2016000, true },
		{ 100000, 50000, false },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(v); i++) {
		struct flow f;

		flow_init(&f);
		one_round(&f, 10, v[i].last * 1000);
		one_round(&f, 10, v[i].now * 1000);
		ASSERT_EQ(v[i].css, !!f.hs.css_base);
		ASSERT_EQ(XTCP_SSTHRESH_INIT, f.tcb.ssthresh);
	}
}

/* N_RTT_SAMPLE = 8 in a round before anything is concluded; the minimum counts */
TEST(samples)
{
	struct flow f;
	int i;

	flow_init(&f);
	one_round(&f, 10, 100 * MS);
	one_round(&f, 7, 200 * MS);
	ASSERT_FALSE(!!f.hs.css_base);
	one_round(&f, 8, 400 * MS);
	ASSERT_TRUE(!!f.hs.css_base);

	flow_init(&f);
	one_round(&f, 10, 100 * MS);
	f.tcb.snd_nxt = f.tcb.snd_una + 20 * MSS;
	f.hs.window_end = f.tcb.snd_nxt;
	one_ack(&f, MSS, 105 * MS);
	for (i = 0; i < 15; i++)
		one_ack(&f, MSS, 200 * MS);
	ASSERT_FALSE(!!f.hs.css_base);

	flow_init(&f);			/* ACKs without a sample are none */
	one_round(&f, 10, 100 * MS);
	f.tcb.snd_nxt = f.tcb.snd_una + 20 * MSS;
	f.hs.window_end = f.tcb.snd_nxt;
	for (i = 0; i < 7; i++)
		one_ack(&f, MSS, 200 * MS);
	one_ack(&f, MSS, 0);
	ASSERT_FALSE(!!f.hs.css_base);
	one_ack(&f, MSS, 200 * MS);
	ASSERT_TRUE(!!f.hs.css_base);
}

/* CSS: a quarter of the growth, five rounds with the one it began in, then ssthresh = cwnd */
TEST(css_to_congestion_avoidance)
{
	struct flow f;
	u32 cwnd;
	int round;

	flow_init(&f);
	one_round(&f, 10, 100 * MS);
	ASSERT_EQ(20000, f.tcb.cwnd);
	/* the eighth ACK sees it: 8 whole, 12 quarters */
	one_round(&f, 20, 120 * MS);
	ASSERT_EQ(20000 + 8 * 1000 + 12 * 250, f.tcb.cwnd);
	for (round = 2; round <= 5; round++) {
		ASSERT_EQ(XTCP_SSTHRESH_INIT, f.tcb.ssthresh);
		cwnd = f.tcb.cwnd;
		one_round(&f, 20, 130 * MS);
		ASSERT_EQ(cwnd + 20 * 250, f.tcb.cwnd);
	}
	ASSERT_EQ(f.tcb.cwnd, f.tcb.ssthresh);
}

/* The round trip is shorter again: the growth was jitter, slow start goes on */
TEST(css_to_slow_start)
{
	struct flow f;
	u32 cwnd;

	flow_init(&f);
	one_round(&f, 10, 100 * MS);
	one_round(&f, 10, 120 * MS);
	ASSERT_TRUE(!!f.hs.css_base);
	one_round(&f, 10, 120 * MS);		/* not below the baseline */
	ASSERT_TRUE(!!f.hs.css_base);
	one_round(&f, 10, 119 * MS);
	ASSERT_FALSE(!!f.hs.css_base);
	cwnd = f.tcb.cwnd;
	one_round(&f, 10, 119 * MS);
	ASSERT_EQ(cwnd + 10 * 1000, f.tcb.cwnd);
	one_round(&f, 10, 140 * MS);		/* and may end again: 119 + 119 / 8 = 133.9 */
	ASSERT_TRUE(!!f.hs.css_base);
	ASSERT_EQ(1, f.hs.css_rounds - 1);	/* one is complete */
}

/* CUBIC goes on from there with K = 0 and W_max = cwnd (RFC 9438 4.10) */
TEST(cubic_after_css)
{
	struct xtcp_cc_ack a = { .limited = true };
	struct sender s;
	int round, i;

	sender_init(&s, 1);
	xtcp_cc_assign(&s.tcb, &xtcp_cc_cubic, s.now);
	for (round = 0; s.tcb.ssthresh == XTCP_SSTHRESH_INIT; round++) {
		ASSERT_LE(round, 8);
		a.rtt = (round < 2 ? 50 : 80) * MS;
		for (i = 0; i < 10 && s.tcb.ssthresh == XTCP_SSTHRESH_INIT; i++) {
			if (!i || i == 9)
				s.tcb.snd_nxt = s.tcb.snd_una + 11 * MSS;
			s.tcb.snd_una += MSS;
			a.acked = a.delivered = MSS;
			s.tcb.cc->on_ack(&s.tcb, &a, s.now);
		}
		s.now += a.rtt;
	}
	ASSERT_EQ(s.tcb.cwnd, s.tcb.ssthresh);
	s.tcb.snd_nxt += 100 * MSS;
	s.tcb.srtt = 0;
	a.acked = 1;
	s.tcb.cc->on_ack(&s.tcb, &a, s.now);
	s.now += 2000 * MS;
	a.acked = s.tcb.cwnd;
	s.tcb.cc->on_ack(&s.tcb, &a, s.now);
	/* 0.4 * 2^3 segments */
	ASSERT_LE(s.tcb.ssthresh + 3190, s.tcb.cwnd);
	ASSERT_LE(s.tcb.cwnd, s.tcb.ssthresh + 3201);
}

TEST_HARNESS_MAIN
