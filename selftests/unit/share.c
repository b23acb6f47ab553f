// SPDX-License-Identifier: GPL-2.0
/*
 * TCB sharing: what a destination is remembered by, and the first timeout made of it.
 */
#include "unit.h"

#define US XTCP_NSEC_PER_USEC
#define MS XTCP_NSEC_PER_MSEC

static void fresh(struct xtcp_tcb *tcb)
{
	memset(tcb, 0, sizeof(*tcb));
	tcb->rto_min = 200 * MS;
	tcb->rto_floor = MS;
	xtcp_tcb_init(tcb);
}

static void learn(struct xtcp_metrics *m, u64 srtt, u64 rttvar, u64 delay, u32 ssthresh)
{
	struct xtcp_tcb tcb;

	fresh(&tcb);
	tcb.srtt = srtt;
	tcb.rttvar = rttvar;
	tcb.peer_delack = delay;
	tcb.ssthresh = ssthresh;
	xtcp_share_merge(m, &tcb);
}

TEST(first_connection_is_taken_as_it_is)
{
	struct xtcp_metrics m = { 0 };

	learn(&m, 100 * US, 50 * US, MS, XTCP_SSTHRESH_INIT);
	EXPECT_EQ(100 * US, m.srtt);
	EXPECT_EQ(50 * US, m.rttvar);
	EXPECT_EQ(MS, m.peer_delack);
	EXPECT_EQ(0, m.ssthresh);
}

/* A longer time counts at once, a shorter one by half; the latest promise is the one */
TEST(later_ones_are_merged)
{
	struct xtcp_metrics m = { 0 };

	learn(&m, 100 * US, 50 * US, MS, 20000);
	learn(&m, 500 * US, 90 * US, 0, 40000);
	EXPECT_EQ(500 * US, m.srtt);
	EXPECT_EQ(90 * US, m.rttvar);
	EXPECT_EQ(0, m.peer_delack);
	EXPECT_EQ(30000, m.ssthresh);
	learn(&m, 100 * US, 10 * US, 2 * MS, XTCP_SSTHRESH_INIT);
	EXPECT_EQ(300 * US, m.srtt);
	EXPECT_EQ(50 * US, m.rttvar);
	EXPECT_EQ(2 * MS, m.peer_delack);
	EXPECT_EQ(30000, m.ssthresh);
}

/* By hand: SRTT + max(bound, 4 * RTTVAR) + delay, never below 4 ms */
TEST(first_timeout_of_a_known_destination)
{
	static const struct {
		u64 srtt, rttvar, delay, shift, rto;	/* us */
	} v[] = {
		{ 100, 50, 1000, 0, 4000 },
		{ 100, 50, 3000, 0, 4100 },			/* 100 + 1000 + 3000 */
		{ 20000, 1000, 1000, 0, 25000 },		/* 20000 + 4000 + 1000 */
		{ 20000, 100, 1000, 3, 29000 },			/* 20000 + 8000 + 1000 */
		{ 20000, 100, 1000, 20, 221000 },		/* 20000 + rto_min + 1000 */
		{ 100, 50, 0, 0, 200100 },			/* plain: the classic minimum */
		{ 2000000, 200000, 0, 0, 2800000 },		/* above the classic second */
		{ 90000000, 20000000, 0, 0, 3000000 },	/* RFC 6298 5.7; no minutes for a SYN */
	};
	struct xtcp_tcb tcb;
	unsigned int i;

	fresh(&tcb);
	for (i = 0; i < ARRAY_SIZE(v); i++) {
		struct xtcp_metrics m = {
			.srtt = v[i].srtt * US, .rttvar = v[i].rttvar * US,
			.peer_delack = v[i].delay * US, .floor_shift = v[i].shift,
		};

		EXPECT_EQ(v[i].rto * US, xtcp_share_rto(&m, &tcb)) {
			TH_LOG("case %u", i);
		}
	}
}

TEST(start)
{
	struct xtcp_metrics m = {
		.srtt = 20 * MS, .rttvar = MS, .peer_delack = MS, .floor_shift = 1,
		.ssthresh = 12345,
	};
	struct xtcp_tcb tcb;

	fresh(&tcb);
	tcb.nego_ok = 1;
	xtcp_share_start(&tcb, &m);
	EXPECT_EQ(25 * MS, xtcp_rto(&tcb));
	EXPECT_EQ(1, tcb.floor_shift);
	EXPECT_EQ(0, tcb.srtt);		/* its own first sample counts whole, 2.2 */
	xtcp_tcb_established(&tcb, 1);
	EXPECT_EQ(12345, tcb.ssthresh);
	/* who does not negotiate can't count on the promise */
	fresh(&tcb);
	xtcp_share_start(&tcb, &m);
	EXPECT_EQ(220 * MS, xtcp_rto(&tcb));
	/* nothing known */
	memset(&m, 0, sizeof(m));
	fresh(&tcb);
	xtcp_share_start(&tcb, &m);
	EXPECT_EQ(XTCP_RTO_INIT, xtcp_rto(&tcb));
	EXPECT_EQ(0, !!tcb.rto_known);
	xtcp_tcb_established(&tcb, 1);
	EXPECT_EQ(XTCP_SSTHRESH_INIT, tcb.ssthresh);
}

/* RFC 5681 3.1: never below two segments */
TEST(tiny_ssthresh)
{
	struct xtcp_metrics m = { .ssthresh = 1 };
	struct xtcp_tcb tcb;

	fresh(&tcb);
	xtcp_share_start(&tcb, &m);
	xtcp_tcb_established(&tcb, 1);
	EXPECT_EQ(2 * xtcp_smss(&tcb), tcb.ssthresh);
}

/* RFC 6298 5.7 is about a first RTT that nobody knows */
TEST(lost_syn_of_a_known_destination)
{
	struct xtcp_metrics m = { .srtt = 20 * MS, .rttvar = MS, .peer_delack = MS };
	struct xtcp_tcb tcb;

	fresh(&tcb);
	tcb.nego_ok = 1;
	xtcp_share_start(&tcb, &m);
	tcb.syn_rexmit = 1;
	xtcp_tcb_established(&tcb, 1);
	EXPECT_EQ(25 * MS, xtcp_rto(&tcb));
}

/* The timeouts of a SYN to a known destination that does not answer, with syn_retries =
 * 6, last about as long as those to an unknown one: 1 + 2 + ... + 64 = 127 s.
 */
TEST(syn_gives_up_no_sooner)
{
	static const u64 rtts[] = { 20 * US, 300 * US, 20 * MS, 250 * MS };
	struct xtcp_metrics m = { .peer_delack = MS };
	struct xtcp_tcb tcb;
	unsigned int i, n;
	u64 sum;

	for (i = 0; i < ARRAY_SIZE(rtts); i++) {
		m.srtt = rtts[i];
		fresh(&tcb);
		tcb.nego_ok = 1;
		xtcp_share_start(&tcb, &m);
		sum = 0;
		for (n = 0; n <= 6 + xtcp_rto_early(&tcb, XTCP_RTO_INIT); n++) {
			sum += xtcp_rto(&tcb);
			tcb.backoff++;
		}
		EXPECT_GE(sum, 120 * XTCP_NSEC_PER_SEC);
		EXPECT_LE(sum, 260 * XTCP_NSEC_PER_SEC);
	}
}

TEST_HARNESS_MAIN
