// SPDX-License-Identifier: GPL-2.0
/*
 * What an ACK costs, counted in steps and not in time: comparisons of sequence numbers
 * and moves along a tree or list in the send map and in RACK, whose loops are the only
 * ones that could grow with what is in flight.  The peer is an attacker who chooses
 * every block (CVE-2019-11477 and its kin).
 */
#include <stdio.h>
#include <linux/rbtree.h>
#include "seq.h"

static unsigned long steps;

#define before(a, b)	(steps++, (before)(a, b))
#define after(a, b)	(steps++, (after)(a, b))
#define rb_next(n)	(steps++, (rb_next)(n))
#define rb_prev(n)	(steps++, (rb_prev)(n))
#define rb_first(n)	(steps++, (rb_first)(n))
#define rb_last(n)	(steps++, (rb_last)(n))

#include "../../module/core/sendmap.c"
#include "../../module/core/rack.c"
#include "sender.h"

#define HOLES	10000

/*
 * A red-black tree of n nodes is at most 2 * log2(n + 1) deep, 30 for 20,000.  One block
 * is looked for in two trees, may be cut at both ends, is put into a third and marks
 * what it shows to be lost; up to two comparisons a level.  A mark or a retransmission
 * is one descent more each.
 */
#define DESCENT		60
#define PER_ACK		(4 * DESCENT)

struct worst {
	unsigned long ack, tx;
};

/* 2 * HOLES segments in flight as one super-packet; cwnd and window are no limit */
static void flight(struct sender *s)
{
	sender_init(s, -1000000);
	s->tcb.sack_ok = 1;
	s->tcb.snd_wnd = 1u << 30;
	s->tcb.max_snd_wnd = 1u << 30;
	s->tcb.cwnd = 1u << 30;
	s->tcb.gso_max = 1u << 25;
	sender_write(s, 2 * HOLES * MSS);
	sender_flush(s);
	s->now += 50 * MS;
}

/* The steps of one ACK, without those for what it newly found lost or acknowledged */
static void one_ack(struct sender *s, struct worst *w, u32 ack, u32 nr, const u32 *blocks)
{
	u32 lost = s->tcb.lost_bytes, una = s->tcb.snd_una, marked;
	unsigned long n;

	s->now += 1000;
	steps = 0;
	sender_ack_wnd(s, ack, s->tcb.snd_wnd, nr, blocks);
	marked = s->tcb.lost_bytes > lost ? (s->tcb.lost_bytes - lost) / MSS + 1 : 0;
	marked += (s->tcb.snd_una - una) / MSS;
	n = steps - min(steps, (unsigned long)marked * DESCENT);
	w->ack = max(w->ack, n);
}

/* One flush, for each segment that left */
static void one_flush(struct sender *s, struct worst *w)
{
	steps = 0;
	sender_flush(s);
	w->tx = max(w->tx, steps / (s->sent + 1));
}

/* The reordering timer, for each segment that it finds lost */
static void one_reo(struct sender *s, struct worst *w)
{
	u32 lost = s->tcb.lost_bytes;

	if (!s->tcb.deadline[XTCP_T_REO])
		return;
	sender_wait(s, XTCP_T_REO);
	steps = 0;
	xtcp_loss_on_reo(&s->tcb, s->now);
	w->tx = max(w->tx, steps / ((s->tcb.lost_bytes - lost) / MSS + 1));
}

static void judge(struct __test_metadata *_metadata, const char *what, const struct worst *w)
{
	printf("# %s: at most %lu steps an ACK, %lu a segment\n", what, w->ack, w->tx);
	fflush(stdout);
	EXPECT_LE(w->ack, PER_ACK)
		TH_LOG("%s", what);
	EXPECT_LE(w->tx, 5 * DESCENT)
		TH_LOG("%s", what);
}

static u32 order_of(int how, u32 i)
{
	if (how == 0)
		return i;
	if (how == 1)
		return HOLES - 1 - i;
	return i * 7919 % HOLES;
}

/* Every second segment, from the left, from the right, and criss-cross */
TEST(ten_thousand_holes)
{
	static const char * const name[] = { "ascending", "descending", "scattered" };
	struct sender s;
	u32 i, b[2];
	int how;

	for (how = 0; how < 3; how++) {
		struct worst w = { 0 };

		flight(&s);
		for (i = 0; i < HOLES; i++) {
			b[0] = (2 * order_of(how, i) + 1) * MSS;
			b[1] = b[0] + MSS;
			one_ack(&s, &w, 0, 1, b);
		}
		ASSERT_EQ(HOLES * MSS, s.tcb.sacked_bytes);
		for (i = 0; i < HOLES; i++) {	/* all of it again: nothing new */
			b[0] = (2 * order_of(2, i) + 1) * MSS;
			b[1] = b[0] + MSS;
			one_ack(&s, &w, 0, 1, b);
		}
		one_reo(&s, &w);
		ASSERT_EQ(HOLES * MSS, s.tcb.lost_bytes);
		s.tcb.cwnd = 1u << 30;
		one_flush(&s, &w);
		ASSERT_EQ(HOLES, s.tcb.total_retrans);
		judge(_metadata, name[how], &w);
		xtcp_tcb_purge(&s.tcb);
	}
}

/* Four blocks an ACK: whole, overlapping, reversed, beyond, below, in crumbs */
TEST(blocks_of_any_kind)
{
	struct worst w = { 0 };
	struct sender s;
	u32 i, k, b[8], end = 2 * HOLES * MSS;

	unit_srand(1);
	flight(&s);
	for (i = 0; i < 3 * HOLES; i++) {
		for (k = 0; k < 4; k++) {
			b[2 * k] = unit_below(5) ? unit_below(end) : unit_rand();
			b[2 * k + 1] = unit_below(5) ? b[2 * k] + unit_below(3 * MSS) : unit_rand();
			if (b[2 * k + 1] - b[2 * k] > 100 * MSS && b[2 * k + 1] <= end)
				b[2 * k + 1] = b[2 * k];	/* would end it too early */
		}
		one_ack(&s, &w, 0, 4, b);
		ASSERT_LE(s.tcb.sacked_bytes + s.tcb.lost_bytes,
			  s.tcb.snd_nxt - s.tcb.snd_una);
	}
	w.ack /= 4;
	judge(_metadata, "any blocks, each", &w);
	xtcp_tcb_purge(&s.tcb);
}

/* Divided ACKs: a byte at a time */
TEST(divided_acks)
{
	struct worst w = { 0 };
	struct sender s;
	u32 i;

	flight(&s);
	for (i = 1; i <= 5 * MSS; i++) {
		one_ack(&s, &w, i, 0, NULL);
		if (i % 100 == 0)
			one_flush(&s, &w);
	}
	ASSERT_LE(s.tcb.cwnd, 1u << 30);
	judge(_metadata, "divided", &w);
	xtcp_tcb_purge(&s.tcb);
}

/*
 * Everything is sent again, and then what is oldest is made to look lost again and
 * again: between it and the next range to send lies all that is in flight.
 */
TEST(lost_retransmissions_at_the_left)
{
	struct worst w = { 0 };
	struct sender s;
	u32 i, b[2];

	flight(&s);
	for (i = 0; i < HOLES; i++) {
		b[0] = (2 * i + 1) * MSS;
		b[1] = b[0] + MSS;
		one_ack(&s, &w, 0, 1, b);
	}
	s.tcb.cwnd = 1u << 30;
	for (i = 0; i < HOLES - 1; i++) {	/* each retransmission at a time of its own */
		struct xtcp_range *r = xtcp_map_first_lost(&s.tcb);

		if (!r)
			break;
		s.now += 1000;
		xtcp_map_resent(&s.tcb, r->seq, seq_min(r->seq + MSS, r->end_seq), s.now);
	}
	s.now += 60 * MS;
	for (i = 1; i < HOLES / 2; i++) {
		b[0] = 2 * i * MSS;
		b[1] = b[0] + MSS;
		one_ack(&s, &w, 0, 1, b);
		s.tcb.cwnd = xtcp_pipe(&s.tcb) + MSS;
		one_flush(&s, &w);
		s.now += 60 * MS;
	}
	ASSERT_NE(0, s.tcb.notes & XTCP_N_LOST_REXMIT);
	judge(_metadata, "lost again", &w);
	xtcp_tcb_purge(&s.tcb);
}

TEST_HARNESS_MAIN
