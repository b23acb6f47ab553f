// SPDX-License-Identifier: GPL-2.0
/*
 * Reassembly against a bitmap: every byte of a small stream has a flag, random
 * segments, FINs, ACKs, prunings and failing allocations are played into both, and
 * after each step the core must say what the bitmap says: RCV.NXT, intervals, verdict,
 * SACK blocks, duplicate report, wishes.  The stream crosses the wrap of the
 * sequence space many times.
 */
#include "unit.h"
#include "rx_model.h"

/* A segment: the next in order, near the window, or far to either side */
static bool random_data(void)
{
	u64 seq = m.nxt, end;

	switch (unit_below(20)) {
	case 0 ... 5:
		break;
	case 6:
		seq -= unit_below(0x7fffff00);
		break;
	case 7:
		seq += unit_below(0x7ffffe00);
		break;
	default:
		seq += unit_below(WINDOW + 40);
		seq -= 30;
	}
	end = seq + 1 + unit_below(unit_below(4) ? 16 : 100);
	return step_data(seq, end, unit_below(8) == 0);
}

static bool random_step(void)
{
	m.step++;
	switch (unit_below(200)) {
	case 0:
		step_prune(m.nxt - 20 + unit_below(WINDOW));
		return true;
	case 1:
		return unit_below(8) || step_fin(m.nxt - 10 + unit_below(WINDOW));
	case 2 ... 40:
		step_ack(unit_below(WINDOW + 1));
		return true;
	default:
		return random_data();
	}
}

static bool random_life(unsigned int steps)
{
	while (steps--) {
		if (!random_step() || !step_fin_due() || !check_state())
			return false;
	}
	xtcp_rx_reset(&tcb);
	CHECK(unit_seg_live == 0 && tcb.ofo_nr == 0 && tcb.nr_sack == 0);
	CHECK(RB_EMPTY_ROOT(&tcb.ofo));
	return true;
}

TEST(random_streams_against_a_bitmap)
{
	unsigned long i;

	for (i = 0; i < 2000 * unit_scale(); i++) {
		unit_srand(i);
		begin((1ULL << 40) + (i % 3 ? 0x100000000ULL : 0x80000000ULL) - unit_below(5000));
		tcb.sack_ok = i % 5 != 0;
		ASSERT_TRUE(random_life(1000)) {
			TH_LOG("life %lu", i);
		}
	}
}

/* ---- RFC 2018 and 2883, by hand ---- */

static enum xtcp_rx_verdict take(u32 seq, u32 end_seq)
{
	u32 keep;

	return xtcp_rx_data(&tcb, seq, end_seq, 1, &keep);
}

static bool blocks_are(unsigned int n, const u32 (*want)[2])
{
	unsigned int i;

	CHECK(tcb.nr_sack == n);
	for (i = 0; i < n; i++)
		CHECK(tcb.sack[i].seq == want[i][0] && tcb.sack[i].end_seq == want[i][1]);
	return true;
}

#define BLOCKS(...) ({							\
	static const u32 _w[][2] = { __VA_ARGS__ };			\
	blocks_are(ARRAY_SIZE(_w), _w); })

static void begin_at_5000(void)
{
	begin(5000);
	tcb.rcv_adv = 5000 + 60000;
}

/* RFC 2018 7, case 2: the first of eight 500-byte segments is lost */
TEST(rfc2018_case_2)
{
	u32 seq;

	begin_at_5000();
	for (seq = 5500; seq <= 8500; seq += 500) {
		EXPECT_EQ(XTCP_RX_OFO, take(seq, seq + 500));
		EXPECT_EQ(1, tcb.nr_sack);
		EXPECT_EQ(5500, tcb.sack[0].seq);
		EXPECT_EQ(seq + 500, tcb.sack[0].end_seq);
	}
	EXPECT_EQ(XTCP_RX_IN_ORDER, take(5000, 5500));
	EXPECT_EQ(9000, tcb.rcv_nxt);
	EXPECT_EQ(0, tcb.nr_sack);
	EXPECT_EQ(0, unit_seg_live);
}

/* RFC 2018 7, case 3: the 2nd, 4th, 6th and 8th are lost; then the 4th and 2nd come */
TEST(rfc2018_case_3)
{
	begin_at_5000();
	EXPECT_EQ(XTCP_RX_IN_ORDER, take(5000, 5500));
	EXPECT_EQ(XTCP_RX_OFO, take(6000, 6500));
	EXPECT_TRUE(BLOCKS({ 6000, 6500 }));
	EXPECT_EQ(XTCP_RX_OFO, take(7000, 7500));
	EXPECT_TRUE(BLOCKS({ 7000, 7500 }, { 6000, 6500 }));
	EXPECT_EQ(XTCP_RX_OFO, take(8000, 8500));
	EXPECT_TRUE(BLOCKS({ 8000, 8500 }, { 7000, 7500 }, { 6000, 6500 }));
	EXPECT_EQ(XTCP_RX_OFO, take(6500, 7000));
	EXPECT_TRUE(BLOCKS({ 6000, 7500 }, { 8000, 8500 }));
	EXPECT_EQ(XTCP_RX_IN_ORDER, take(5500, 6000));
	EXPECT_EQ(7500, tcb.rcv_nxt);
	EXPECT_TRUE(BLOCKS({ 8000, 8500 }));
	xtcp_rx_reset(&tcb);
}

/* Four blocks fit; the fifth pushes the oldest out, and a merge lets one back in */
TEST(blocks_beyond_four)
{
	begin_at_5000();
	take(6000, 6100);
	take(7000, 7100);
	take(8000, 8100);
	take(9000, 9100);
	take(10000, 10100);
	EXPECT_TRUE(BLOCKS({ 10000, 10100 }, { 9000, 9100 }, { 8000, 8100 }, { 7000, 7100 }));
	take(9100, 10000);
	EXPECT_TRUE(BLOCKS({ 9000, 10100 }, { 8000, 8100 }, { 7000, 7100 }, { 6000, 6100 }));
	xtcp_rx_reset(&tcb);
	EXPECT_EQ(0, unit_seg_live);
}

/* RFC 2883 4.1.1: a full duplicate below RCV.NXT is the only block, once */
TEST(dsack_below_the_ack)
{
	begin_at_5000();
	take(5000, 6000);
	EXPECT_EQ(XTCP_RX_DUP, take(5000, 5500));
	EXPECT_EQ(1, tcb.has_dsack);
	EXPECT_TRUE(BLOCKS({ 5000, 5500 }));
	xtcp_rx_sent_ack(&tcb, 60000);
	EXPECT_EQ(0, tcb.has_dsack);
	EXPECT_EQ(0, tcb.nr_sack);
}

/* RFC 2883 4.1.2 and 4.1.3: a duplicate out of order; the second block is the run
 * it lies in, and other blocks follow
 */
TEST(dsack_out_of_order)
{
	begin_at_5000();
	take(6000, 7000);
	take(8000, 8500);
	EXPECT_EQ(XTCP_RX_DUP, take(6500, 7000));
	EXPECT_TRUE(BLOCKS({ 6500, 7000 }, { 6000, 7000 }, { 8000, 8500 }));
	xtcp_rx_sent_ack(&tcb, 60000);
	EXPECT_TRUE(BLOCKS({ 6000, 7000 }, { 8000, 8500 }));
	xtcp_rx_reset(&tcb);
}

/* RFC 2883 4.2.1: partly old; the report names the old part only */
TEST(dsack_partial)
{
	begin_at_5000();
	take(5000, 6000);
	EXPECT_EQ(XTCP_RX_IN_ORDER, take(5500, 6500));
	EXPECT_TRUE(BLOCKS({ 5500, 6000 }));
	xtcp_rx_sent_ack(&tcb, 60000);
	take(7000, 7500);
	EXPECT_EQ(XTCP_RX_OFO, take(6900, 7600));
	EXPECT_TRUE(BLOCKS({ 7000, 7500 }, { 6900, 7600 }));
	xtcp_rx_reset(&tcb);
}

/* RFC 2883 4.1.1: two ACKs are lost, the first segment comes again */
TEST(rfc2883_4_1_1)
{
	begin(3000);
	tcb.rcv_adv = 60000;
	take(3000, 3500);
	xtcp_rx_sent_ack(&tcb, 50000);
	take(3500, 4000);
	xtcp_rx_sent_ack(&tcb, 50000);
	EXPECT_EQ(XTCP_RX_DUP, take(3000, 3500));
	EXPECT_EQ(4000, tcb.rcv_nxt);
	EXPECT_TRUE(BLOCKS({ 3000, 3500 }));
}

/* 4.1.2: a segment is missing, one beyond it is there, one before it comes again */
TEST(rfc2883_4_1_2)
{
	begin(3000);
	tcb.rcv_adv = 60000;
	take(3000, 3500);
	take(4000, 4500);
	EXPECT_TRUE(BLOCKS({ 4000, 4500 }));
	xtcp_rx_sent_ack(&tcb, 50000);
	take(3000, 3500);
	EXPECT_EQ(3500, tcb.rcv_nxt);
	EXPECT_TRUE(BLOCKS({ 3000, 3500 }, { 4000, 4500 }));
	xtcp_rx_reset(&tcb);
}

/* 4.1.3: a duplicate of one that is out of order; the block it lies in follows */
TEST(rfc2883_4_1_3)
{
	begin(3500);
	tcb.rcv_adv = 60000;
	take(3500, 4000);
	take(4500, 5000);
	take(5000, 5500);
	EXPECT_TRUE(BLOCKS({ 4500, 5500 }));
	xtcp_rx_sent_ack(&tcb, 50000);
	take(5000, 5500);
	EXPECT_EQ(4000, tcb.rcv_nxt);
	EXPECT_TRUE(BLOCKS({ 5000, 5500 }, { 4500, 5500 }));
	xtcp_rx_reset(&tcb);
}

/* 4.2.1: a longer segment whose middle was there, and which fills the gap before it */
TEST(rfc2883_4_2_1)
{
	begin(500);
	tcb.rcv_adv = 60000;
	take(500, 1000);
	take(1500, 2000);
	EXPECT_TRUE(BLOCKS({ 1500, 2000 }));
	xtcp_rx_sent_ack(&tcb, 50000);
	take(1000, 2000);
	EXPECT_EQ(2000, tcb.rcv_nxt);
	EXPECT_TRUE(BLOCKS({ 1500, 2000 }));
}

/* 4.2.2: two parts of it were there; only the first is reported, the cumulative ACK
 * covers both
 */
TEST(rfc2883_4_2_2)
{
	begin(500);
	tcb.rcv_adv = 60000;
	take(500, 1000);
	take(1500, 2000);
	take(2500, 3000);
	xtcp_rx_sent_ack(&tcb, 50000);
	take(1000, 3500);
	EXPECT_EQ(3500, tcb.rcv_nxt);
	EXPECT_TRUE(BLOCKS({ 1500, 2000 }));
}

/* 4.2.3: the same beyond a gap; the second block is what all of it became */
TEST(rfc2883_4_2_3)
{
	begin(500);
	tcb.rcv_adv = 60000;
	take(500, 1000);
	take(2000, 2500);
	take(3000, 3500);
	xtcp_rx_sent_ack(&tcb, 50000);
	take(1500, 4000);
	EXPECT_EQ(1000, tcb.rcv_nxt);
	EXPECT_TRUE(BLOCKS({ 2000, 2500 }, { 1500, 4000 }));
	xtcp_rx_reset(&tcb);
}

/* The peer did not offer SACK: no block is ever kept */
TEST(no_blocks_without_sack)
{
	begin_at_5000();
	tcb.sack_ok = 0;
	take(6000, 7000);
	take(6000, 7000);
	EXPECT_EQ(0, tcb.nr_sack);
	EXPECT_EQ(0, tcb.has_dsack);
	xtcp_rx_reset(&tcb);
}

/* No text is no duplicate and asks for nothing */
TEST(empty_text)
{
	begin_at_5000();
	EXPECT_EQ(XTCP_RX_DUP, take(5000, 5000));
	EXPECT_EQ(0, tcb.todo);
	EXPECT_EQ(0, tcb.nr_sack);
}

/* A peer that sends every other byte gets so many intervals and no more; what
 * needs no new interval is still taken
 */
TEST(hole_limit)
{
	unsigned int i;

	begin_at_5000();
	for (i = 0; i < XTCP_RX_HOLES; i++)
		ASSERT_EQ(XTCP_RX_OFO, take(5002 + 2 * i, 5003 + 2 * i));
	EXPECT_EQ(XTCP_RX_NO_MEM, take(5002 + 2 * i, 5003 + 2 * i));
	EXPECT_EQ(XTCP_RX_HOLES, tcb.ofo_nr);
	EXPECT_EQ(XTCP_RX_HOLES, unit_seg_live);
	EXPECT_EQ(XTCP_RX_OFO, take(5003, 5004));
	EXPECT_EQ(XTCP_RX_HOLES - 1, tcb.ofo_nr);
	EXPECT_EQ(XTCP_RX_OFO, take(5002 + 2 * i, 5003 + 2 * i));
	EXPECT_EQ(XTCP_RX_IN_ORDER, take(5000, 5002 + 2 * i));
	EXPECT_EQ(5003 + 2 * i, tcb.rcv_nxt);
	EXPECT_EQ(0, unit_seg_live);
}

/* Each allocation of a run of segments fails once: a range may be missing then,
 * nothing else changes, and a retransmission completes the stream
 */
TEST(every_allocation_fails_once)
{
	unsigned int fail, i;

	for (fail = 0; fail < 8; fail++) {
		begin_at_5000();
		for (i = 1; i <= 8; i++) {
			unit_seg_budget = i - 1 == fail ? 0 : -1;
			EXPECT_EQ(i - 1 == fail ? XTCP_RX_NO_MEM : XTCP_RX_OFO,
				  take(5000 + 200 * i, 5100 + 200 * i));
		}
		unit_seg_budget = 0;	/* in order needs none */
		EXPECT_EQ(XTCP_RX_IN_ORDER, take(5000, 5200 + 200 * fail));
		EXPECT_EQ(5200 + 200 * fail, tcb.rcv_nxt);
		EXPECT_EQ(XTCP_RX_IN_ORDER, take(tcb.rcv_nxt, 6700));
		EXPECT_EQ(6700, tcb.rcv_nxt);
		EXPECT_EQ(0, unit_seg_live);
		unit_seg_budget = -1;
	}
}

/* A second FIN, one left of text, one outside the window: ignored */
TEST(odd_fins)
{
	begin_at_5000();
	take(6000, 7000);
	xtcp_rx_fin(&tcb, 6500, 6500);
	EXPECT_EQ(0, (int)tcb.rcv_fin_seen);
	xtcp_rx_fin(&tcb, 65001, 65001);
	EXPECT_EQ(0, (int)tcb.rcv_fin_seen);
	xtcp_rx_fin(&tcb, 4999, 4999);
	EXPECT_EQ(0, (int)tcb.rcv_fin_seen);
	xtcp_rx_fin(&tcb, 7000, 7000);
	EXPECT_EQ(1, (int)tcb.rcv_fin_seen);
	xtcp_rx_fin(&tcb, 7001, 7001);
	EXPECT_EQ(7000, tcb.rcv_fin);
	EXPECT_EQ(XTCP_RX_BEYOND, take(7000, 7001));
	EXPECT_FALSE(xtcp_rx_fin_due(&tcb, 1));
	EXPECT_EQ(XTCP_RX_IN_ORDER, take(5000, 6000));
	EXPECT_TRUE(xtcp_rx_fin_due(&tcb, 1));
	EXPECT_FALSE(xtcp_rx_fin_due(&tcb, 1));
	EXPECT_EQ(7001, tcb.rcv_nxt);
	EXPECT_EQ(2000, tcb.bytes_received);
	EXPECT_EQ(XTCP_RX_BEYOND, take(7001, 7002));
}

/* RFC 9293 3.8.6.3: the ACK of a FIN in its place waits for ours, where nothing is against it */
TEST(ack_of_the_fin)
{
	static const struct {
		u8 state;
		bool quickack, early, now;
	} v[] = {
		{ TCP_ESTABLISHED, false, false, false },
		{ TCP_ESTABLISHED, true, false, true },
		{ TCP_ESTABLISHED, false, true, true },		/* it came before its text */
		{ TCP_FIN_WAIT1, false, false, true },
		{ TCP_FIN_WAIT2, false, false, true },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(v); i++) {
		begin(5000);
		tcb.state = v[i].state;
		tcb.delack_max = 1000000;
		tcb.quickack = v[i].quickack;
		tcb.deadline[XTCP_T_DELACK] = 0;
		if (v[i].early) {
			xtcp_rx_fin(&tcb, 5100, 5100);
			EXPECT_EQ(XTCP_RX_IN_ORDER, take(5000, 5100));
		} else {
			xtcp_rx_fin(&tcb, 5000, 5000);
		}
		EXPECT_TRUE(xtcp_rx_fin_due(&tcb, 1000));
		EXPECT_EQ(v[i].now, !!(tcb.todo & XTCP_ACK_NOW));
		if (!v[i].now)
			EXPECT_EQ(1000 + xtcp_delack(&tcb), tcb.deadline[XTCP_T_DELACK]);
	}
}

/* The FIN takes no room: exactly at the edge of a full window it is taken */
TEST(fin_into_a_zero_window)
{
	begin(5000);
	tcb.rcv_adv = 5100;
	EXPECT_EQ(XTCP_RX_IN_ORDER, take(5000, 5200));
	EXPECT_EQ(5100, tcb.rcv_nxt);
	EXPECT_EQ(XTCP_RX_BEYOND, take(5100, 5200));
	xtcp_rx_fin(&tcb, 5100, 5100);
	EXPECT_TRUE(xtcp_rx_fin_due(&tcb, 1));
	EXPECT_EQ(5101, tcb.rcv_nxt);
	EXPECT_EQ(5101, tcb.rcv_adv);
}

TEST_HARNESS_MAIN
