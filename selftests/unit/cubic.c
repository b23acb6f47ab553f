// SPDX-License-Identifier: GPL-2.0
/*
 * CUBIC against points of the curve computed by hand from the equations of RFC 9438 4,
 * and against the same equations in floating point with random figures.
 */
#include "sender.h"

#define SEC	XTCP_NSEC_PER_SEC

/* A connection in congestion avoidance's place: cwnd bytes in flight, no round trip */
static void cubic_init_flow(struct sender *s, u32 cwnd)
{
	sender_init(s, 1);
	xtcp_cc_assign(&s->tcb, &xtcp_cc_cubic, s->now);
	s->tcb.cwnd = cwnd;
	s->tcb.snd_nxt = s->tcb.snd_una + cwnd;
	s->tcb.srtt = 0;
}

static void congest(struct sender *s, enum xtcp_cc_cause why)
{
	s->tcb.snd_nxt = s->tcb.snd_una + s->tcb.cwnd;
	xtcp_cc_congestion(&s->tcb, why, s->now);
	s->tcb.cwnd = s->tcb.ssthresh;
}

static void ack_bytes(struct sender *s, u32 len)
{
	struct xtcp_cc_ack a = { .acked = len, .delivered = len, .limited = true };

	s->tcb.cc->on_ack(&s->tcb, &a, s->now);
}

#define ASSERT_NEAR(want, is, by) do {				\
	ASSERT_LE((s64)(want) - (s64)(by), (s64)(is));		\
	ASSERT_LE((s64)(is), (s64)(want) + (s64)(by));		\
} while (0)

/* 4.6: beta 0.7 of cwnd, whatever FlightSize is, at least 2 SMSS; cwnd is the caller's */
TEST(decrease)
{
	static const struct {
		u32 flight, cwnd, ssthresh;
	} v[] = {
		{ 100000, 100000, 70000 },
		{ 50000, 100000, 70000 },
		{ 110000, 100000, 70000 },	/* without limited transmit */
		{ 2000, 2000, 2000 },
		{ 100, 10000, 7000 },		/* the end of a message */
		{ 1u << 30, 1u << 30, 751619276 },
	};
	enum xtcp_cc_cause why;
	struct sender s;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(v); i++) {
		for (why = XTCP_CC_LOSS; why <= XTCP_CC_RTO; why += XTCP_CC_RTO - XTCP_CC_LOSS) {
			cubic_init_flow(&s, v[i].cwnd);
			s.tcb.snd_nxt = s.tcb.snd_una + v[i].flight;
			s.tcb.cc->on_congestion(&s.tcb, why, s.now);
			ASSERT_EQ(v[i].ssthresh, s.tcb.ssthresh);
			ASSERT_EQ(v[i].cwnd, s.tcb.cwnd);
		}
		s.tcb.snd_nxt = s.tcb.snd_una;	/* a mark: of cwnd (RFC 3168 6.1.2) */
		s.tcb.cc->on_congestion(&s.tcb, XTCP_CC_ECN_MARK, s.now);
		ASSERT_EQ(max(v[i].cwnd / 10 * 7 + v[i].cwnd % 10 * 7 / 10, 2u * MSS),
			  s.tcb.ssthresh);
	}
}

/* RFC 5681 4.3: a timeout in fast recovery is a second reduction, of what the first has left,
 * not of the cwnd that is on its way there (RFC 9937); W_max is that as well
 */
TEST(decrease_in_recovery)
{
	struct sender s;

	cubic_init_flow(&s, 100000);
	s.tcb.cc->on_congestion(&s.tcb, XTCP_CC_LOSS, s.now);
	s.tcb.recovery = XTCP_RECOVERY;
	s.tcb.cwnd = 5000;
	s.tcb.cc->on_congestion(&s.tcb, XTCP_CC_RTO, s.now);
	ASSERT_EQ(49000, s.tcb.ssthresh);
	ASSERT_EQ(5000, s.tcb.cwnd);
}

/*
 * W_max 100, cwnd_epoch 70: K = cubic_root (30 / 0.4) = 4.21716 s.
 * W (1) = 0.4 * (1 - 4.21716)^3 + 100 = 86.681; W (3) = 99.278; W (K) = 100;
 * W (6) = 102.267; W (2 K) = 130; W (10) = 177.353, but at most 1.5 times cwnd an ACK
 */
TEST(curve)
{
	static const struct {
		u64 ms;
		u32 cwnd;
	} v[] = {
		{ 1000, 86681 }, { 3000, 99279 }, { 4217, 100000 }, { 6000, 102267 },
		{ 8434, 130000 }, { 10000, 177353 },
	};
	struct sender s;
	unsigned int i;
	u64 t0;

	cubic_init_flow(&s, 100000);
	congest(&s, XTCP_CC_LOSS);
	ASSERT_EQ(70000, s.tcb.cwnd);
	t0 = s.now;
	ack_bytes(&s, 1);
	for (i = 0; i < ARRAY_SIZE(v); i++) {
		s.now = t0 + v[i].ms * MS;
		ack_bytes(&s, s.tcb.cwnd);
		ASSERT_NEAR(v[i].cwnd, s.tcb.cwnd, 25);
	}
	s.now = t0 + 20 * SEC;		/* W (20) = 1671 */
	ack_bytes(&s, s.tcb.cwnd);
	ASSERT_NEAR(177353 * 3 / 2, s.tcb.cwnd, 50);
}

/* 4.2: the target is where the curve will be an RTT later */
TEST(target_is_an_rtt_ahead)
{
	struct sender s;

	cubic_init_flow(&s, 100000);
	s.tcb.srtt = SEC;
	congest(&s, XTCP_CC_LOSS);
	ack_bytes(&s, 1);
	s.now += SEC;
	ack_bytes(&s, s.tcb.cwnd);
	ASSERT_NEAR(95640, s.tcb.cwnd, 25);	/* W (1 + 1) */
}

/* 4.4: (target - cwnd) / cwnd an acknowledged segment; no ACK is too small to count */
TEST(growth_adds_up)
{
	struct sender s;
	int i;

	cubic_init_flow(&s, 100000);
	congest(&s, XTCP_CC_LOSS);
	ack_bytes(&s, 1);
	s.now += SEC;
	ack_bytes(&s, 7000);		/* (86681 - 70000) / 10 */
	ASSERT_NEAR(71668, s.tcb.cwnd, 3);
	cubic_init_flow(&s, 100000);
	congest(&s, XTCP_CC_LOSS);
	ack_bytes(&s, 1);
	s.now += SEC;
	for (i = 0; i < 7000; i++)
		ack_bytes(&s, 1);
	/* 86681 - 16681 * e^(-0.0988): the target stays, cwnd nears it */
	ASSERT_NEAR(71570, s.tcb.cwnd, 30);
}

/*
 * 4.3: below 20 segments the curve is flatter than Reno.  W_est grows by 9/17 of an
 * SMSS for each cwnd of bytes, by a whole one from cwnd_prior on.
 */
TEST(reno_friendly)
{
	struct sender s;
	int i;

	cubic_init_flow(&s, 20000);
	congest(&s, XTCP_CC_LOSS);
	ASSERT_EQ(14000, s.tcb.cwnd);
	for (i = 1; i <= 12; i++) {
		ack_bytes(&s, s.tcb.cwnd);
		ASSERT_NEAR(14000 + i * 9000 / 17, s.tcb.cwnd, 2);
	}
	for (i = 1; i <= 4; i++) {	/* 20352 is beyond */
		ack_bytes(&s, s.tcb.cwnd);
		ASSERT_NEAR(20352 + i * 1000, s.tcb.cwnd, 3);
	}
}

/* Delayed ACKs and stretch ACKs make no difference: bytes count */
TEST(reno_friendly_counts_bytes)
{
	struct sender s;
	int i;

	cubic_init_flow(&s, 20000);
	congest(&s, XTCP_CC_LOSS);
	for (i = 0; i < 1400; i++)
		ack_bytes(&s, 10);
	ASSERT_NEAR(14529, s.tcb.cwnd, 15);
}

/* 4.7: W_max = cwnd * (1 + beta) / 2 where cwnd did not reach the W_max of before */
TEST(fast_convergence)
{
	struct sender s;

	cubic_init_flow(&s, 100000);
	congest(&s, XTCP_CC_LOSS);
	s.tcb.cwnd = 80000;
	congest(&s, XTCP_CC_LOSS);
	ASSERT_EQ(56000, s.tcb.cwnd);
	ack_bytes(&s, 1);
	/* W_max 68: K = cubic_root (12 / 0.4) = 3.10723 s */
	s.now += 3107 * MS;
	ack_bytes(&s, s.tcb.cwnd);
	ASSERT_NEAR(68000, s.tcb.cwnd, 10);
	s.now += 3107 * MS;
	ack_bytes(&s, s.tcb.cwnd);
	ASSERT_NEAR(80000, s.tcb.cwnd, 40);
	/* beyond W_max: none */
	congest(&s, XTCP_CC_LOSS);
	s.now += SEC;
	ack_bytes(&s, 1);
	s.now += 3915 * MS;		/* cubic_root (24 / 0.4) = 3.91487 */
	ack_bytes(&s, s.tcb.cwnd);
	ASSERT_NEAR(80000, s.tcb.cwnd, 50);
}

/* 4.8: slow start to ssthresh, then K = 0 and W_max = cwnd */
TEST(timeout)
{
	struct sender s;
	int i;

	cubic_init_flow(&s, 20000);
	congest(&s, XTCP_CC_RTO);
	ASSERT_EQ(14000, s.tcb.ssthresh);
	s.tcb.recovery = XTCP_RTO_RECOVERY;
	s.tcb.cwnd = MSS;
	for (i = 0; i < 13; i++)
		ack_bytes(&s, MSS);
	ASSERT_EQ(14000, s.tcb.cwnd);
	s.tcb.recovery = XTCP_OPEN;
	ack_bytes(&s, 1);
	s.now += 3 * SEC;
	ack_bytes(&s, s.tcb.cwnd);	/* W (3) = 14 + 0.4 * 27 = 24.8, at most 21 now */
	ASSERT_NEAR(21000, s.tcb.cwnd, 5);
	ack_bytes(&s, s.tcb.cwnd);
	ASSERT_NEAR(24800, s.tcb.cwnd, 20);
}

/* 4.9: after an undone reduction the curve goes on as if there had been none */
TEST(undo)
{
	struct sender a, b;

	cubic_init_flow(&a, 100000);
	congest(&a, XTCP_CC_LOSS);
	ack_bytes(&a, 1);
	a.now += 2 * SEC;
	ack_bytes(&a, 30000);
	b = a;
	congest(&b, XTCP_CC_LOSS);
	b.now += SEC;
	ack_bytes(&b, 10000);
	b.tcb.cwnd = a.tcb.cwnd;	/* as loss.c does it */
	b.tcb.ssthresh = a.tcb.ssthresh;
	xtcp_cc_undo(&b.tcb, b.now);
	a.now += 3 * SEC;
	b.now = a.now;
	ack_bytes(&a, 50000);
	ack_bytes(&b, 50000);
	ASSERT_NEAR(a.tcb.cwnd, b.tcb.cwnd, 1);
}

/* A loss in a window that was cut for a mark: what is taken back is not the mark's cut */
TEST(undo_keeps_the_cut_for_a_mark)
{
	struct sender a, b;

	cubic_init_flow(&a, 100000);
	xtcp_ecn_start(&a.tcb);
	congest(&a, XTCP_CC_ECN_MARK);
	b = a;
	xtcp_cc_congestion(&b.tcb, XTCP_CC_LOSS, b.now);
	ASSERT_EQ(a.tcb.ssthresh, b.tcb.ssthresh);
	xtcp_cc_undo(&b.tcb, b.now);
	ASSERT_EQ(a.tcb.ecn_point, b.tcb.ecn_point);
	ASSERT_TRUE(!!b.tcb.ecn_cwr);
	ack_bytes(&a, 1);
	ack_bytes(&b, 1);
	a.now += SEC;
	b.now += SEC;
	ack_bytes(&a, 50000);
	ack_bytes(&b, 50000);
	ASSERT_EQ(a.tcb.cwnd, b.tcb.cwnd);
}

/* 5.8: a minute in which cwnd was not the limit, and a minute of silence, are no time */
TEST(application_limited)
{
	struct xtcp_cc_ack slack = { .acked = 10, .delivered = 10, .rtt = MS };
	struct xtcp_cc_ack used = { .limited = true };
	struct sender s;
	u32 una;
	int i;

	cubic_init_flow(&s, 100000);
	congest(&s, XTCP_CC_LOSS);
	ack_bytes(&s, 1);
	for (i = 0; i < 600; i++) {
		s.tcb.cc->on_ack(&s.tcb, &slack, s.now);
		ASSERT_EQ(70000, s.tcb.cwnd);
		s.now += 100 * MS;
	}
	s.tcb.cc->on_ack(&s.tcb, &slack, s.now);
	s.now += SEC;
	used.acked = s.tcb.cwnd;
	used.rtt = SEC;
	s.tcb.cc->on_ack(&s.tcb, &used, s.now);
	ASSERT_NEAR(86681, s.tcb.cwnd, 25);

	una = s.tcb.snd_una;
	s.tcb.snd_una = s.tcb.snd_nxt;	/* the last ACK, then nothing for a minute */
	ack_bytes(&s, 1);
	s.tcb.snd_una = una;
	s.now += 60 * SEC + 2 * SEC;
	used.acked = s.tcb.cwnd;
	used.rtt = 2 * SEC;		/* sent two seconds ago */
	s.tcb.cc->on_ack(&s.tcb, &used, s.now);
	ASSERT_NEAR(99279, s.tcb.cwnd, 25);	/* W (3) */
}

/* RFC 5681 4.1, 9438 4.2: after a restart slow start, and then a new epoch */
TEST(idle)
{
	struct sender s;

	cubic_init_flow(&s, 100000);
	congest(&s, XTCP_CC_LOSS);
	ack_bytes(&s, 1);
	s.now += 60 * SEC;
	s.tcb.cc->on_idle(&s.tcb, 60 * SEC, s.now);
	ASSERT_EQ(10000, s.tcb.cwnd);
	ASSERT_EQ(70000, s.tcb.ssthresh);
	while (s.tcb.cwnd < s.tcb.ssthresh)
		ack_bytes(&s, 1000);
	ack_bytes(&s, 1);
	ASSERT_NEAR(70000, s.tcb.cwnd, 1);
	s.now += SEC;
	ack_bytes(&s, s.tcb.cwnd);
	ASSERT_NEAR(86681, s.tcb.cwnd, 25);
}

/* ---- the same in floating point ---- */

static double root3(double a)
{
	double x = a > 1 ? a : 1;
	int i;

	for (i = 0; a > 0 && i < 200; i++)
		x = (2 * x + a / (x * x)) / 3;
	return a > 0 ? x : 0;
}

struct model {
	double w_max, k, w_est, cwnd, prior, mss;
};

static double model_w(const struct model *m, double t)
{
	double w = 0.4 * (t - m->k) * (t - m->k) * (t - m->k) * m->mss + m->w_max;

	return w > 0 ? w : 0;
}

/* Return: false where both curves meet, and a rounding decides which one leads */
static bool model_ack(struct model *m, double acked, double t, double rtt)
{
	double target, w, gap;

	m->w_est += (m->w_est >= m->prior ? 1 : 9.0 / 17) * m->mss * acked / m->cwnd;
	gap = model_w(m, t) - m->w_est;
	if (acked > 1 && gap * gap < 1e-6 * m->cwnd * m->cwnd)
		return false;
	if (model_w(m, t) < m->w_est) {
		if (m->cwnd < m->w_est)
			m->cwnd = m->w_est;
	} else {
		w = model_w(m, t + rtt);
		target = w < m->cwnd ? m->cwnd : w > 1.5 * m->cwnd ? 1.5 * m->cwnd : w;
		m->cwnd += (target - m->cwnd) * acked / m->cwnd;
	}
	if (m->cwnd > (1u << 30))
		m->cwnd = 1u << 30;
	return true;
}

/* RTT 20 us to 2 s, SMSS 88 to 9000, cwnd to 2^30 */
TEST(model)
{
	unsigned int i, j, steps = 0;

	unit_srand(9438);
	for (i = 0; i < 3000; i++) {
		struct sender s;
		struct model m = { 0 };
		u32 cwnd = 20000u << unit_below(16);
		u64 rtt = 20000ull << unit_below(17), t0;

		cwnd = min_t(u32, cwnd + unit_below(cwnd), 1u << 30);
		cubic_init_flow(&s, cwnd);
		s.tcb.snd_mss = 88 + unit_below(8912);
		if (cwnd < 4 * s.tcb.snd_mss)
			continue;
		m.mss = s.tcb.snd_mss;
		m.w_max = m.prior = cwnd;
		congest(&s, XTCP_CC_LOSS);
		m.cwnd = m.w_est = s.tcb.cwnd;
		m.k = root3((m.w_max - m.cwnd) / m.mss / 0.4);
		s.tcb.srtt = rtt;
		t0 = s.now;
		for (j = 0; j < 60; j++) {
			u32 acked = j ? 1 + unit_below(s.tcb.cwnd) : 1;
			u64 t = s.now - t0;

			ack_bytes(&s, acked);
			if (!model_ack(&m, acked, t / 1e9, rtt / 1e9))
				break;
			steps++;
			ASSERT_NEAR(m.cwnd, s.tcb.cwnd, 20 + m.cwnd / 1000);
			ASSERT_LE(s.tcb.cwnd, XTCP_CWND_MAX);
			s.now += rtt;
		}
	}
	ASSERT_LE(30000, steps);
}

/* A day later, an ACK of everything: bounded, and no step back */
TEST(extremes)
{
	struct sender s;
	u32 before_it;
	int i;

	cubic_init_flow(&s, 1u << 30);
	s.tcb.snd_mss = 36;
	congest(&s, XTCP_CC_LOSS);
	for (i = 0; i < 100; i++) {
		before_it = s.tcb.cwnd;
		ack_bytes(&s, 1u << 30);
		ASSERT_LE(before_it, s.tcb.cwnd);
		ASSERT_LE(s.tcb.cwnd, XTCP_CWND_MAX);
		s.now += 86400 * SEC;
	}
	ASSERT_EQ(XTCP_CWND_MAX, s.tcb.cwnd);
	s.tcb.snd_mss = 65495;
	cubic_init_flow(&s, 2 * 65495);
	congest(&s, XTCP_CC_RTO);
	for (i = 0; i < 100; i++) {
		ack_bytes(&s, 1u << 30);
		s.now += 86400 * SEC;
	}
	ASSERT_LE(s.tcb.cwnd, XTCP_CWND_MAX);
}

TEST_HARNESS_MAIN
