// SPDX-License-Identifier: GPL-2.0
/*
 * What both ends of a connection make of the XTCP option.
 */
#include "unit.h"

#define US XTCP_NSEC_PER_USEC
#define MS XTCP_NSEC_PER_MSEC

static void offer(struct xtcp_tcb *tcb, u64 delack_max, u64 ack_delay)
{
	memset(tcb, 0, sizeof(*tcb));
	tcb->delack_max = delack_max;
	tcb->ack_delay = ack_delay;
	xtcp_tcb_init(tcb);
	xtcp_tcb_set_iss(tcb, 1000);
	tcb->state = TCP_SYN_SENT;
	tcb->nego_ok = 1;
}

static void answer(struct xtcp_tcb *tcb, u8 present, u32 delay)
{
	struct xtcp_options o = { .present = present, .ack_delay = delay };

	xtcp_tcb_negotiate(tcb, &o, 1);
}

TEST(the_syn_offers)
{
	struct xtcp_options o;
	struct xtcp_tcb tcb;

	offer(&tcb, 40 * MS, MS);
	xtcp_tx_options(&tcb, XTCP_SYN, 1460, 1, &o);
	EXPECT_EQ(XTCP_HAS_MSS | XTCP_HAS_NEGO, o.present);
	EXPECT_EQ(1000, o.ack_delay);
	xtcp_tx_options(&tcb, XTCP_ACK, 1460, 1, &o);
	EXPECT_EQ(0, o.present);
	tcb.nego_ok = 0;
	xtcp_tx_options(&tcb, XTCP_SYN, 1460, 1, &o);
	EXPECT_EQ(XTCP_HAS_MSS, o.present);
}

/* What is announced is never less than what is kept, nor more than is believed */
TEST(promise_is_rounded_up)
{
	static const struct {
		u64 ns;
		u32 us;
	} v[] = {
		{ 0, 0 }, { 1, 1 }, { 1000, 1 }, { 1001, 2 }, { 999 * US + 1, 1000 },
		{ 1000 * MS, 1000000 }, { 60000 * MS, 1000000 },
	};
	struct xtcp_options o = { 0 };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(v); i++) {
		xtcp_nego_fill(v[i].ns, XTCP_UNIT_US, &o);
		EXPECT_EQ(v[i].us, o.ack_delay);
		EXPECT_EQ(XTCP_UNIT_US, o.ts_unit);
	}
}

TEST(in_force_when_answered)
{
	struct xtcp_tcb tcb;

	offer(&tcb, 40 * MS, MS);
	answer(&tcb, XTCP_HAS_NEGO, 2500);
	EXPECT_EQ(1, !!tcb.nego_ok);
	EXPECT_EQ(2500 * US, tcb.peer_delack);
}

TEST(not_in_force_otherwise)
{
	struct xtcp_tcb tcb;

	offer(&tcb, 40 * MS, MS);
	answer(&tcb, XTCP_HAS_MSS, 2500);
	EXPECT_EQ(0, !!tcb.nego_ok);
	EXPECT_EQ(0, tcb.peer_delack);
	offer(&tcb, 40 * MS, MS);
	answer(&tcb, XTCP_BAD_NEGO, 2500);
	EXPECT_EQ(0, !!tcb.nego_ok);
	offer(&tcb, 40 * MS, MS);
	tcb.nego_ok = 0;	/* not asked for */
	answer(&tcb, XTCP_HAS_NEGO, 2500);
	EXPECT_EQ(0, !!tcb.nego_ok);
	EXPECT_EQ(0, tcb.peer_delack);
}

/* A promise below the error of a timer counts as that */
TEST(promise_below_the_timer_error)
{
	EXPECT_EQ(XTCP_TIMER_ERROR, xtcp_nego_delay(0));
	EXPECT_EQ(XTCP_TIMER_ERROR, xtcp_nego_delay(99));
	EXPECT_EQ(101 * US, xtcp_nego_delay(101));
	EXPECT_EQ(1000 * MS, xtcp_nego_delay(XTCP_ACK_DELAY_MAX));
}

/* The delay and the error of its timer together are never more than was promised */
TEST(own_promise_is_kept)
{
	static const struct {
		u64 max, promised, delay;
	} v[] = {	/* us */
		{ 40000, 1000, 900 }, { 40000, 5000, 4900 }, { 500, 1000, 500 },
		{ 40000, 201, 101 }, { 40000, 200, 100 }, { 40000, 50, 25 }, { 40000, 0, 0 },
	};
	struct xtcp_tcb tcb;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(v); i++) {
		offer(&tcb, v[i].max * US, v[i].promised * US);
		answer(&tcb, XTCP_HAS_NEGO, 1);
		EXPECT_EQ(v[i].delay * US, xtcp_delack(&tcb));
		answer(&tcb, 0, 0);
		EXPECT_EQ(v[i].max * US, xtcp_delack(&tcb));
	}
}

/* ---- the unit of the timestamps ---- */

#define NOON (12 * 3600 * XTCP_NSEC_PER_SEC)

/* A SYN that offers us has left at @at */
static u32 offer_us(struct xtcp_tcb *tcb, u64 at)
{
	struct xtcp_tx what;
	struct xtcp_options o;

	offer(tcb, 40 * MS, MS);
	tcb->ts_ok = 1;
	tcb->ts_us = 1;
	tcb->ts_offset = 0x12345678;
	if (!xtcp_tx_next(tcb, at, &what) || xtcp_tx_prepare(tcb, &what, at))
		abort();
	xtcp_tx_options(tcb, what.flags, 1460, at, &o);
	if (!(o.present & XTCP_HAS_NEGO) || o.ts_unit != XTCP_UNIT_US)
		abort();
	return o.tsval;
}

static struct xtcp_options ts_answer(u8 present, u8 unit, u32 tsecr)
{
	return (struct xtcp_options){ .present = present | XTCP_HAS_TS, .ts_unit = unit,
				      .tsval = 1, .tsecr = tsecr };
}

TEST(us_on_both_sides)
{
	struct xtcp_options o;
	struct xtcp_tcb tcb;
	u32 syn = offer_us(&tcb, NOON);

	o = ts_answer(XTCP_HAS_NEGO, XTCP_UNIT_US, syn);
	xtcp_tcb_negotiate(&tcb, &o, NOON + MS);
	EXPECT_EQ(1, !!tcb.ts_us);
	EXPECT_EQ(syn + 1000, xtcp_ts_now(&tcb, NOON + MS));
	EXPECT_EQ(syn + 5000000, xtcp_ts_now(&tcb, NOON + 5000 * MS));
	xtcp_tcb_purge(&tcb);
}

/* A peer that answers in ms, or nothing: our clock goes on from the SYN, in ms */
TEST(us_offered_in_vain)
{
	static const u8 present[] = { 0, XTCP_HAS_NEGO, XTCP_BAD_NEGO };
	struct xtcp_options o;
	struct xtcp_tcb tcb;
	unsigned int i;
	u32 syn;

	for (i = 0; i < ARRAY_SIZE(present); i++) {
		syn = offer_us(&tcb, NOON);
		o = ts_answer(present[i], XTCP_UNIT_MS, syn);
		xtcp_tcb_negotiate(&tcb, &o, NOON + 7 * MS);
		EXPECT_EQ(0, !!tcb.ts_us);
		EXPECT_EQ(syn, xtcp_ts_now(&tcb, NOON));
		EXPECT_EQ(syn + 7, xtcp_ts_now(&tcb, NOON + 7 * MS));
		EXPECT_EQ(syn + 3600000, xtcp_ts_now(&tcb, NOON + 3600 * 1000 * MS));
		EXPECT_EQ(7 * MS, xtcp_ts_rtt(&tcb, &o, NOON + 7 * MS));
		xtcp_tcb_purge(&tcb);
	}
}

/* Two SYNs, a second apart, and the first is answered, in 1100 ms: the clock goes on
 * from the second, and the echo is read by the one it was made with.
 */
TEST(us_offered_twice_in_vain)
{
	struct xtcp_options o;
	struct xtcp_tx what;
	struct xtcp_tcb tcb;
	u32 first = offer_us(&tcb, NOON);
	u64 at = NOON + 1000 * MS;

	xtcp_loss_on_rto(&tcb, at);
	ASSERT_EQ(1, xtcp_tx_next(&tcb, at, &what));
	ASSERT_EQ(0, xtcp_tx_prepare(&tcb, &what, at));
	ASSERT_EQ(first + 1000000, xtcp_ts_now(&tcb, at));
	o = ts_answer(0, 0, first);
	xtcp_tcb_negotiate(&tcb, &o, at + 100 * MS);
	EXPECT_EQ(1100 * MS, tcb.srtt);
	EXPECT_EQ(first + 1000000 + 100, xtcp_ts_now(&tcb, at + 100 * MS));
	EXPECT_EQ(0, xtcp_ts_rtt(&tcb, &o, at + 100 * MS));	/* not twice */
	xtcp_tcb_established(&tcb, at + 100 * MS);
	o.tsecr = xtcp_ts_now(&tcb, at + 100 * MS);
	EXPECT_EQ(20 * MS, xtcp_ts_rtt(&tcb, &o, at + 120 * MS));
	xtcp_tcb_purge(&tcb);
}

/* RFC 3522: which of two SYNs was answered decides whether one was lost, RFC 5681 3.1 */
TEST(spurious_syn)
{
	struct xtcp_options o;
	struct xtcp_tx what;
	struct xtcp_tcb tcb;
	u64 at = NOON + 4 * MS;
	u32 first;
	int i;

	for (i = 0; i < 4; i++) {	/* first or second; us or ms */
		first = offer_us(&tcb, NOON);
		xtcp_loss_on_rto(&tcb, at);
		ASSERT_EQ(1, xtcp_tx_next(&tcb, at, &what));
		ASSERT_EQ(0, xtcp_tx_prepare(&tcb, &what, at));
		o = ts_answer(i & 2 ? XTCP_HAS_NEGO : 0, i & 2 ? XTCP_UNIT_US : XTCP_UNIT_MS,
			      i & 1 ? first + 4000 : first);
		xtcp_tcb_negotiate(&tcb, &o, at + MS);
		EXPECT_EQ(i & 1, !!tcb.syn_rexmit);
		xtcp_tcb_purge(&tcb);
	}
}

TEST(peer_without_timestamps)
{
	struct xtcp_options o = { .present = XTCP_HAS_NEGO, .ts_unit = XTCP_UNIT_US };
	struct xtcp_tcb tcb;

	offer_us(&tcb, NOON);
	xtcp_tcb_negotiate(&tcb, &o, NOON + MS);
	EXPECT_EQ(0, !!tcb.ts_ok);
	EXPECT_EQ(1, !!tcb.nego_ok);
	xtcp_tcb_purge(&tcb);
}

TEST_HARNESS_MAIN
