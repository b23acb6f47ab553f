// SPDX-License-Identifier: GPL-2.0
/*
 * RFC 6298 against vectors computed by hand.
 */
#include "unit.h"

#define US XTCP_NSEC_PER_USEC
#define MS XTCP_NSEC_PER_MSEC

static void fresh(struct xtcp_tcb *tcb, u64 rto_min)
{
	memset(tcb, 0, sizeof(*tcb));
	xtcp_tcb_init(tcb);
	tcb->rto_min = rto_min;
}

/* RFC 6298 2.1 */
TEST(first_timeout_is_one_second)
{
	struct xtcp_tcb tcb;

	fresh(&tcb, 200 * MS);
	ASSERT_EQ(1000 * MS, xtcp_rto(&tcb));
}

/* 2.2: SRTT = R, RTTVAR = R/2, RTO = SRTT + 4 * RTTVAR
 * 2.3: RTTVAR = 3/4 RTTVAR + 1/4 |SRTT - R'|, then SRTT = 7/8 SRTT + 1/8 R'
 */
TEST(estimator)
{
	static const struct {
		u64 rtt, srtt, rttvar, rto;
	} v[] = {	/* in microseconds */
		{ 80000,  80000, 40000, 240000 },
		{ 80000,  80000, 30000, 200000 },
		{ 160000, 90000, 42500, 260000 },	/* 22500 + 80000/4; 70000 + 20000 */
		{ 10000,  80000, 51875, 287500 },	/* 31875 + 80000/4; 78750 + 1250 */
	};
	struct xtcp_tcb tcb;
	unsigned int i;

	fresh(&tcb, 1);
	for (i = 0; i < ARRAY_SIZE(v); i++) {
		xtcp_rtt_sample(&tcb, v[i].rtt * 1000, 1000 + i);
		ASSERT_EQ(v[i].srtt * 1000, tcb.srtt);
		ASSERT_EQ(v[i].rttvar * 1000, tcb.rttvar);
		ASSERT_EQ(v[i].rto * 1000, tcb.rto);
	}
}

/* 2.4: a lower bound; it takes the place of G, so a steady path keeps that distance */
TEST(lower_bound)
{
	struct xtcp_tcb tcb;
	int i;

	fresh(&tcb, 200 * MS);
	xtcp_rtt_sample(&tcb, MS, 1);
	ASSERT_EQ(201 * MS, xtcp_rto(&tcb));
	for (i = 0; i < 1000; i++)
		xtcp_rtt_sample(&tcb, 300 * MS, 2 + i);
	ASSERT_GE(xtcp_rto(&tcb), 499 * MS);
	ASSERT_LE(xtcp_rto(&tcb), 501 * MS);
}

/* 2.5: an upper bound */
TEST(upper_bound)
{
	struct xtcp_tcb tcb;

	fresh(&tcb, 200 * MS);
	tcb.rto_max = 60000 * MS;
	xtcp_rtt_sample(&tcb, 50000 * MS, 1);
	ASSERT_EQ(60000 * MS, xtcp_rto(&tcb));
	tcb.backoff = 255;
	ASSERT_EQ(60000 * MS, xtcp_rto(&tcb));
}

/* 5.5: doubles; 5.7: a measurement ends it */
TEST(back_off)
{
	struct xtcp_tcb tcb;
	u64 want = 1000 * MS;
	int i;

	fresh(&tcb, 200 * MS);
	for (i = 0; i < 20; i++) {
		ASSERT_EQ(min(want, (u64)120000 * MS), xtcp_rto(&tcb));
		want *= 2;
		tcb.backoff++;
	}
	xtcp_rtt_sample(&tcb, 100 * MS, 1);
	ASSERT_EQ(0, tcb.backoff);
	ASSERT_EQ(300 * MS, xtcp_rto(&tcb));
}

TEST(extremes_do_not_overflow)
{
	struct xtcp_tcb tcb;

	fresh(&tcb, 1);
	xtcp_rtt_sample(&tcb, 0, 1);
	ASSERT_EQ(1, tcb.srtt);
	ASSERT_GE(xtcp_rto(&tcb), 1);
	xtcp_rtt_sample(&tcb, 1ULL << 52, 2);
	ASSERT_EQ(tcb.rto_max, xtcp_rto(&tcb));
}

TEST(minimum_rtt_is_windowed)
{
	struct xtcp_tcb tcb;
	u64 sec = XTCP_NSEC_PER_SEC;

	fresh(&tcb, 1);
	xtcp_rtt_sample(&tcb, 50 * MS, sec);
	xtcp_rtt_sample(&tcb, 30 * MS, 2 * sec);
	xtcp_rtt_sample(&tcb, 90 * MS, 3 * sec);
	ASSERT_EQ(30 * MS, tcb.min_rtt);
	xtcp_rtt_sample(&tcb, 90 * MS, 400 * sec);
	ASSERT_EQ(90 * MS, tcb.min_rtt);
}

/* 5.7: after a lost SYN and without a sample the data phase starts at 3 s */
TEST(lost_syn)
{
	struct xtcp_tcb tcb;

	fresh(&tcb, 200 * MS);
	tcb.syn_rexmit = 1;
	tcb.backoff = 2;
	xtcp_tcb_established(&tcb, 1);
	ASSERT_EQ(3000 * MS, xtcp_rto(&tcb));
	fresh(&tcb, 200 * MS);
	tcb.syn_rexmit = 1;
	xtcp_rtt_sample(&tcb, 100 * MS, 1);
	xtcp_tcb_established(&tcb, 1);
	ASSERT_EQ(300 * MS, xtcp_rto(&tcb));
}

/* ---- with a peer that has promised how long it delays an ACK ---- */

static void negotiated(struct xtcp_tcb *tcb, u64 floor, u64 delay)
{
	fresh(tcb, 200 * MS);
	tcb->nego_ok = 1;
	tcb->rto_floor = floor;
	tcb->peer_delack = delay;
}

/* RTO = SRTT + max(G, 4 * RTTVAR, floor) + delay; in us, computed by hand */
TEST(negotiated_timeout)
{
	static const struct {
		u64 floor, delay, rtt, rto;
	} v[] = {
		{ 1000, 1000, 100, 100 + 1000 + 1000 },		/* the floor */
		{ 1000, 1000, 20, 20 + 1000 + 1000 },
		{ 0, 100, 40, 40 + 100 + 100 },			/* G: 4 * 20 is less */
		{ 0, 100, 100, 100 + 200 + 100 },		/* 4 * 50 */
		{ 1000, 500, 80000, 80000 + 160000 + 500 },	/* 4 * 40000 */
		{ 500000, 100, 100, 100 + 500000 + 100 },	/* above the classic minimum */
	};
	struct xtcp_tcb tcb;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(v); i++) {
		negotiated(&tcb, v[i].floor * US, v[i].delay * US);
		xtcp_rtt_sample(&tcb, v[i].rtt * US, 1);
		EXPECT_EQ(v[i].rto * US, xtcp_rto(&tcb));
	}
}

/* A path that keeps its RTT for long: SRTT and RTTVAR go to it, whatever its size */
TEST(resolution)
{
	static const u64 rtts[] = { 20 * US, 21 * US, 150 * US, 33 * MS, 2000 * MS };
	struct xtcp_tcb tcb;
	unsigned int i, n;

	for (i = 0; i < ARRAY_SIZE(rtts); i++) {
		negotiated(&tcb, 0, 100 * US);
		xtcp_rtt_sample(&tcb, 3 * rtts[i], 1);
		for (n = 0; n < 300; n++)
			xtcp_rtt_sample(&tcb, rtts[i], 2 + n);
		EXPECT_LE(tcb.srtt, rtts[i] + 8);
		EXPECT_GE(tcb.srtt, rtts[i] - 8);
		EXPECT_LE(tcb.rttvar, 8);
		EXPECT_LE(xtcp_rto(&tcb), rtts[i] + 200 * US + 8);
		/* and a step of one part in a hundred is seen */
		for (n = 0; n < 40; n++)
			xtcp_rtt_sample(&tcb, rtts[i] + rtts[i] / 100, 400 + n);
		EXPECT_GE(tcb.srtt, rtts[i] + rtts[i] / 110);
	}
}

/* Each spurious timeout doubles the floor, up to rto_min and not beyond */
TEST(undone_timeouts_raise_the_floor)
{
	static const u64 floors[] = { 2, 4, 8, 16, 32, 64, 128, 200, 200, 200 };
	struct xtcp_tcb tcb;
	unsigned int i;

	negotiated(&tcb, MS, MS);
	xtcp_rtt_sample(&tcb, 100 * US, 1);
	for (i = 0; i < ARRAY_SIZE(floors); i++) {
		tcb.todo = 0;
		xtcp_rto_undone(&tcb);
		EXPECT_EQ(floors[i] * MS, xtcp_rto_floor(&tcb));
		EXPECT_EQ(100 * US + floors[i] * MS + MS, xtcp_rto(&tcb));
		EXPECT_EQ(i < 8 ? XTCP_SAVE_METRICS : 0, tcb.todo);
	}
	negotiated(&tcb, 0, MS);	/* no floor: G is what doubles */
	xtcp_rto_undone(&tcb);
	EXPECT_EQ(200 * US, xtcp_rto_floor(&tcb));
	negotiated(&tcb, 300 * MS, MS);	/* the user's is higher anyhow */
	xtcp_rto_undone(&tcb);
	EXPECT_EQ(300 * MS, xtcp_rto_floor(&tcb));
}

TEST(plain_tcp_keeps_the_classic_minimum)
{
	struct xtcp_tcb tcb;

	negotiated(&tcb, MS, 0);
	tcb.nego_ok = 0;
	xtcp_rtt_sample(&tcb, 100 * US, 1);
	EXPECT_EQ(200 * MS + 100 * US, xtcp_rto(&tcb));
	xtcp_rto_undone(&tcb);
	EXPECT_EQ(0, tcb.floor_shift);
	EXPECT_EQ(200 * MS + 100 * US, xtcp_rto(&tcb));
}

/* Four timeouts in a row that were right lower a raised floor by a step, one that was taken
 * back starts the count again
 */
TEST(right_timeouts_lower_the_floor)
{
	struct xtcp_tcb tcb;
	int i;

	fresh(&tcb, 200 * MS);
	tcb.nego_ok = 1;
	tcb.peer_delack = MS;
	tcb.rto_floor = MS;
	for (i = 0; i < 100; i++)
		xtcp_rtt_sample(&tcb, MS, 1 + i);
	xtcp_rto_undone(&tcb);
	xtcp_rto_undone(&tcb);
	EXPECT_EQ(6 * MS, tcb.rto);
	for (i = 0; i < 3; i++)
		xtcp_rto_confirmed(&tcb);
	EXPECT_EQ(6 * MS, tcb.rto);
	xtcp_rto_undone(&tcb);
	for (i = 0; i < 3; i++)
		xtcp_rto_confirmed(&tcb);
	EXPECT_EQ(10 * MS, tcb.rto);
	xtcp_rto_confirmed(&tcb);
	EXPECT_EQ(6 * MS, tcb.rto);
	for (i = 0; i < 8; i++)
		xtcp_rto_confirmed(&tcb);
	EXPECT_EQ(3 * MS, tcb.rto);
	for (i = 0; i < 100; i++)
		xtcp_rto_confirmed(&tcb);
	EXPECT_EQ(3 * MS, tcb.rto);
	EXPECT_EQ(0, tcb.floor_shift);
}

/*
 * Between two XTCPs a quarter more up to rto_min (RFC 8961 4 (4)), and from there on
 * twice as much, as without
 */
TEST(gentle_back_off)
{
	static const u64 want[] = {
		2 * MS, 2500000, 3125000, 3906250, 4882813, 6103517, 7629397, 9536747,
		11920934, 23841868, 47683736,
	};
	struct xtcp_tcb tcb;
	unsigned int i;

	fresh(&tcb, 10 * MS);
	tcb.rto = 2 * MS;
	for (i = 0; i < ARRAY_SIZE(want); i++) {
		tcb.backoff = i;
		tcb.nego_ok = 1;
		EXPECT_EQ(want[i], xtcp_rto(&tcb));
		tcb.syn_out = 1;	/* nothing is agreed yet */
		EXPECT_EQ(2 * MS << i, xtcp_rto(&tcb));
		tcb.syn_out = 0;
		tcb.nego_ok = 0;
		EXPECT_EQ(2 * MS << i, xtcp_rto(&tcb));
	}
	/* it grows whatever it starts with, and ends at rto_max */
	tcb.nego_ok = 1;
	tcb.rto = 1;
	tcb.backoff = 1;
	EXPECT_EQ(2, xtcp_rto(&tcb));
	tcb.backoff = 255;
	EXPECT_EQ(tcb.rto_max, xtcp_rto(&tcb));
}

/* 1.25^20 is 86.7, 1.25^21 is 108.4: so many steps from 2 ms to 200 ms */
TEST(early_timeouts)
{
	struct xtcp_tcb tcb;

	negotiated(&tcb, MS, 900 * US);
	xtcp_rtt_sample(&tcb, 100 * US, 1);
	ASSERT_EQ(2 * MS, tcb.rto);
	EXPECT_EQ(21, xtcp_rto_early(&tcb, 200 * MS));
	EXPECT_EQ(0, xtcp_rto_early(&tcb, 2 * MS));
	EXPECT_EQ(1, xtcp_rto_early(&tcb, 2 * MS + 1));
	fresh(&tcb, 200 * MS);
	EXPECT_EQ(0, xtcp_rto_early(&tcb, XTCP_RTO_INIT));
	tcb.rto = 0;
	EXPECT_LE(xtcp_rto_early(&tcb, XTCP_RTO_INIT), 30);
}

/* RFC 9293 3.8.3: the retransmissions of retries2 = 15 last for 100 s at least, the
 * early ones included, where all of them are lost.
 */
TEST(r2_is_a_time)
{
	struct xtcp_tcb tcb;
	u64 sum = 0;
	unsigned int i;

	negotiated(&tcb, 0, 100 * US);
	xtcp_rtt_sample(&tcb, 20 * US, 1);
	for (i = 0; i <= 15 + xtcp_rto_early(&tcb, 200 * MS); i++) {
		sum += xtcp_rto(&tcb);
		tcb.backoff++;
	}
	EXPECT_GE(sum, 100 * XTCP_NSEC_PER_SEC);
	EXPECT_LE(sum, 2000 * XTCP_NSEC_PER_SEC);
}

/* Equal timeouts of many that fired together part; none becomes shorter, none of plain TCP
 * changes
 */
TEST(timeouts_part)
{
	u64 at = 5000 * MS, least = ~0ULL, most = 0, sum = 0, rto;
	struct xtcp_tcb tcb;
	unsigned int i;

	fresh(&tcb, 200 * MS);
	tcb.rto_floor = MS;
	tcb.backoff = 1;
	tcb.rto = 2 * MS;
	ASSERT_EQ(4 * MS, xtcp_rto_again(&tcb, at));
	tcb.nego_ok = 1;	/* 2.5 ms, up to a quarter longer */
	for (i = 0; i < 1000; i++) {
		tcb.iss = i * 12345;
		rto = xtcp_rto_again(&tcb, at);
		least = min(least, rto);
		most = max(most, rto);
		sum += rto;
	}
	ASSERT_GE(least, 2500 * US);
	ASSERT_LE(most, 3125 * US);
	ASSERT_GT(most - least, 593 * US);
	ASSERT_GT(sum / 1000, 2781 * US);	/* the mean of an even spread is 2.8125 */
	ASSERT_LT(sum / 1000, 2844 * US);
	tcb.syn_out = 1;
	ASSERT_EQ(4 * MS, xtcp_rto_again(&tcb, at));
	tcb.syn_out = 0;
	tcb.backoff = 60;
	ASSERT_EQ(tcb.rto_max, xtcp_rto_again(&tcb, at));
}

TEST_HARNESS_MAIN
