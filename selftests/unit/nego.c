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

TEST_HARNESS_MAIN
