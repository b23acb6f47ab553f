// SPDX-License-Identifier: GPL-2.0
/*
 * RFC 6298 against vectors computed by hand.
 */
#include "unit.h"

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

TEST_HARNESS_MAIN
