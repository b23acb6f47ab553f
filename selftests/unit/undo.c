// SPDX-License-Identifier: GPL-2.0
/*
 * What a needless recovery costs: nothing lasting.  Eifel (RFC 3522, 4015), F-RTO
 * (RFC 5682) with and without SACK, DSACK, and what must not be taken back.
 */
#include "sender.h"

#define REXMIT(i, from, to) do {					\
	ASSERT_EQ(XTCP_TX_REXMIT, s.log[i].kind);			\
	ASSERT_EQ(from, sender_rel(&s, s.log[i].seq));			\
	ASSERT_EQ(to, sender_rel(&s, s.log[i].end_seq));		\
} while (0)

#define NEW(i, from, to) do {						\
	ASSERT_EQ(XTCP_TX_NEW, s.log[i].kind);				\
	ASSERT_EQ(from, sender_rel(&s, s.log[i].seq));			\
	ASSERT_EQ(to, sender_rel(&s, s.log[i].end_seq));		\
} while (0)

enum { PLAIN = 0, SACK = 1, TS = 2 };

/* Ten segments out, more waits; cwnd 10, ssthresh 50 segments */
static void ten_out(struct sender *s, int how)
{
	sender_init(s, -4000);
	s->tcb.sack_ok = !!(how & SACK);
	s->tcb.ts_ok = !!(how & TS);
	s->tcb.ts_offset = 0xfffffff0;
	s->tcb.ssthresh = 50 * MSS;
	sender_write(s, 100 * MSS);
	sender_flush(s);
}

static void timeout(struct sender *s)
{
	sender_wait(s, XTCP_T_REXMT);
	xtcp_loss_on_rto(&s->tcb, s->now);
	sender_flush(s);
}

/* An ACK that echoes what was sent @ms_ago */
static void ack_ts(struct sender *s, u32 rel, u32 ms_ago, u32 from, u32 to)
{
	struct xtcp_segment seg = { .flags = XTCP_ACK, .seq = 78, .end_seq = 78 };
	struct xtcp_ack_result res;

	seg.ack = s->tcb.iss + 1 + rel;
	seg.wnd = s->tcb.snd_wnd;
	seg.opt.present = XTCP_HAS_TS;
	seg.opt.tsecr = xtcp_ts_now(&s->tcb, s->now) - ms_ago;
	seg.opt.nr_sack = from != to;
	seg.opt.sack[0].seq = s->tcb.iss + 1 + from;
	seg.opt.sack[0].end_seq = s->tcb.iss + 1 + to;
	xtcp_ack(&s->tcb, &seg, s->now, &res);
}

/* As if nothing had been: RFC 4015 3 */
static void all_restored(struct __test_metadata *_metadata, struct sender *s, u16 how)
{
	ASSERT_EQ(XTCP_OPEN, s->tcb.recovery);
	ASSERT_EQ(how, s->tcb.notes & (XTCP_N_UNDO_EIFEL | XTCP_N_UNDO_FRTO |
				       XTCP_N_UNDO_DSACK | XTCP_N_UNDO_EARLY));
	ASSERT_GE(s->tcb.cwnd, 10 * MSS);
	ASSERT_EQ(50 * MSS, s->tcb.ssthresh);
	ASSERT_EQ(0, s->tcb.lost_bytes);
	ASSERT_EQ(XTCP_UNDO_NONE, s->tcb.undo);
}

static void nothing_restored(struct __test_metadata *_metadata, struct sender *s)
{
	ASSERT_EQ(0, s->tcb.notes & (XTCP_N_UNDO_EIFEL | XTCP_N_UNDO_FRTO |
				     XTCP_N_UNDO_DSACK | XTCP_N_UNDO_EARLY));
	ASSERT_EQ(5 * MSS, s->tcb.ssthresh);
}

/* ---- timestamps ---- */

TEST(eifel_spurious_timeout)
{
	struct sender s;
	int sack;

	for (sack = 0; sack <= 1; sack++) {
		ten_out(&s, TS | sack);
		timeout(&s);			/* after 1000 ms */
		REXMIT(0, 0, 1000);
		ASSERT_EQ(MSS, s.tcb.cwnd);
		s.now += 20 * MS;
		ack_ts(&s, 1000, 1020, 0, 0);	/* of the original */
		all_restored(_metadata, &s, XTCP_N_UNDO_EIFEL);
		ASSERT_TRUE(s.tcb.notes & XTCP_N_SPURIOUS_RTO);
		/* nothing is sent again; the ACK lets out what it acknowledged */
		ASSERT_GE(sender_flush(&s), 1);
		NEW(0, 10000, 11000);
		ASSERT_EQ(1, s.tcb.total_retrans);
		ack_ts(&s, 10000, 1020, 0, 0);
		sender_flush(&s);
		ASSERT_EQ(1, s.tcb.total_retrans);
		xtcp_tcb_purge(&s.tcb);
	}
}

/* A device that takes super-packets: one segment of ten is not held back for a second one */
TEST(eifel_spurious_timeout_with_super_packets)
{
	struct sender s;

	ten_out(&s, TS | SACK);
	s.tcb.gso_max = 64000;
	timeout(&s);
	s.now += 20 * MS;
	ack_ts(&s, 1000, 1020, 0, 0);
	all_restored(_metadata, &s, XTCP_N_UNDO_EIFEL);
	ASSERT_EQ(9000, xtcp_pipe(&s.tcb));
	ASSERT_EQ(1, sender_flush(&s));
	ASSERT_EQ(XTCP_TX_NEW, s.log[0].kind);
	ASSERT_EQ(10000, sender_rel(&s, s.log[0].seq));
	/* RFC 4015 3: as much as was acknowledged; slow start adds as much again */
	ASSERT_GE(sender_len(&s, 0), 1000);
	ASSERT_LE(sender_len(&s, 0), 2000);
	xtcp_tcb_purge(&s.tcb);
}

TEST(eifel_true_timeout)
{
	struct sender s;
	int sack;

	for (sack = 0; sack <= 1; sack++) {
		ten_out(&s, TS | sack);
		timeout(&s);
		s.now += 20 * MS;
		ack_ts(&s, 1000, 20, 0, 0);	/* of the retransmission */
		nothing_restored(_metadata, &s);
		ASSERT_EQ(XTCP_RTO_RECOVERY, s.tcb.recovery);
		/* only the first ACK decides (RFC 3522 3.2) */
		s.now += 20 * MS;
		ack_ts(&s, 1500, 1040, 0, 0);
		ASSERT_FALSE(s.tcb.notes & XTCP_N_UNDO_EIFEL);
		xtcp_tcb_purge(&s.tcb);
	}
}

/* The path got longer: several timeouts before the first ACK, all of them wrong */
TEST(eifel_after_several_timeouts)
{
	struct sender s;
	int i;

	ten_out(&s, TS | SACK);
	for (i = 0; i < 4; i++)
		timeout(&s);			/* at 1, 3, 7, 15 s */
	ASSERT_EQ(4, s.tcb.total_retrans);
	s.now += 10 * MS;
	ack_ts(&s, 3000, 15010, 0, 0);
	all_restored(_metadata, &s, XTCP_N_UNDO_EIFEL);
	ASSERT_EQ(4, s.tcb.backoff);		/* RFC 6298 5.7: until there is a sample */
	ack_ts(&s, 5000, 15010, 0, 0);
	ASSERT_EQ(0, s.tcb.backoff);
	ASSERT_EQ(15010 * MS, s.tcb.srtt);
	xtcp_tcb_purge(&s.tcb);
}

/* 0 was only late: the fast retransmit was needless, and this path reorders */
TEST(eifel_spurious_fast_retransmit)
{
	struct sender s;

	ten_out(&s, TS | SACK);
	s.now += 100 * MS;
	ack_ts(&s, 0, 100, 1000, 5000);
	ASSERT_EQ(XTCP_RECOVERY, s.tcb.recovery);
	sender_flush(&s);
	REXMIT(0, 0, 1000);
	s.now += 10 * MS;
	ack_ts(&s, 5000, 110, 0, 0);
	all_restored(_metadata, &s, XTCP_N_UNDO_EIFEL);
	ASSERT_FALSE(s.tcb.notes & XTCP_N_SPURIOUS_RTO);
	ASSERT_TRUE(!!s.tcb.reord_seen);
	xtcp_tcb_purge(&s.tcb);
}

/* ---- F-RTO without timestamps ---- */

/* RFC 5682 2.1, 3.1: two ACKs that advance, new data in between */
TEST(frto_spurious)
{
	struct sender s;
	int sack;

	for (sack = 0; sack <= 1; sack++) {
		ten_out(&s, sack);
		timeout(&s);
		ASSERT_EQ(1, s.sent);		/* step 1 */
		REXMIT(0, 0, 1000);
		s.now += 20 * MS;
		sender_ack(&s, 1000);		/* step 2b: new data, not 1000 */
		ASSERT_EQ(2, s.sent = sender_flush(&s));
		NEW(0, 10000, 11000);
		NEW(1, 11000, 12000);
		s.now += 20 * MS;
		sender_ack(&s, 2000);		/* step 3b */
		all_restored(_metadata, &s, XTCP_N_UNDO_FRTO);
		ASSERT_TRUE(s.tcb.notes & XTCP_N_SPURIOUS_RTO);
		ASSERT_EQ(0, s.tcb.backoff);	/* 1000 gave a sample: 1040 ms */
		ASSERT_EQ(1040 * MS, s.tcb.srtt);
		sender_flush(&s);
		ASSERT_EQ(1, s.tcb.total_retrans);
		xtcp_tcb_purge(&s.tcb);
	}
}

/* 3.1 step 3b: a SACK of what was never sent again is as good */
TEST(frto_spurious_by_sack)
{
	struct sender s;

	ten_out(&s, SACK);
	timeout(&s);
	s.now += 20 * MS;
	sender_ack(&s, 1000);
	sender_flush(&s);
	NEW(0, 10000, 11000);
	sender_sack(&s, 1000, 2000, 3000);
	all_restored(_metadata, &s, XTCP_N_UNDO_FRTO);
	xtcp_tcb_purge(&s.tcb);
}

/* Step 3a: a duplicate, or the new data alone, says that the rest was lost */
TEST(frto_true_timeout)
{
	struct sender s;
	int sack;

	for (sack = 0; sack <= 1; sack++) {
		ten_out(&s, sack);
		timeout(&s);
		s.now += 20 * MS;
		sender_ack(&s, 1000);
		ASSERT_EQ(2, sender_flush(&s));
		s.now += 20 * MS;
		if (sack)
			sender_sack(&s, 1000, 10000, 11000);
		else
			sender_ack(&s, 1000);
		nothing_restored(_metadata, &s);
		ASSERT_EQ(XTCP_FRTO_OFF, s.tcb.frto);
		ASSERT_LE(s.tcb.cwnd, 3 * MSS);
		ASSERT_LE(1, sender_flush(&s));
		REXMIT(0, 1000, 2000);
		xtcp_tcb_purge(&s.tcb);
	}
}

/* Step 2a: everything is acknowledged, which says nothing about the first */
TEST(frto_everything_acknowledged)
{
	struct sender s;

	ten_out(&s, SACK);
	timeout(&s);
	sender_ack(&s, 10000);
	nothing_restored(_metadata, &s);
	ASSERT_EQ(XTCP_OPEN, s.tcb.recovery);
	ASSERT_EQ(XTCP_FRTO_OFF, s.tcb.frto);
	xtcp_tcb_purge(&s.tcb);
}

/* Step 2 without SACK: a duplicate first means the usual recovery */
TEST(frto_duplicate_first)
{
	struct sender s;

	ten_out(&s, PLAIN);
	timeout(&s);
	sender_ack(&s, 0);
	ASSERT_EQ(XTCP_FRTO_OFF, s.tcb.frto);
	sender_ack(&s, 1000);
	sender_flush(&s);
	REXMIT(0, 1000, 2000);
	xtcp_tcb_purge(&s.tcb);
}

/* Step 2b: without new data recovery goes on with the old, at once */
TEST(frto_without_new_data)
{
	struct sender s;

	ten_out(&s, SACK);
	s.tcb.write_seq = s.tcb.snd_nxt;
	timeout(&s);
	s.now += 20 * MS;
	sender_ack(&s, 1000);
	ASSERT_LE(1, sender_flush(&s));
	REXMIT(0, 1000, 2000);
	ASSERT_EQ(XTCP_FRTO_OFF, s.tcb.frto);
	xtcp_tcb_purge(&s.tcb);

	ten_out(&s, SACK);			/* or the window is full */
	timeout(&s);
	s.now += 20 * MS;
	sender_ack_wnd(&s, 1000, 9000, 0, NULL);
	ASSERT_LE(1, sender_flush(&s));
	REXMIT(0, 1000, 2000);
	xtcp_tcb_purge(&s.tcb);
}

/* The timeout fires again: only the first segment each time, then as before */
TEST(frto_repeated_timeout)
{
	struct sender s;
	int i;

	ten_out(&s, SACK);
	for (i = 0; i < 3; i++) {
		timeout(&s);
		ASSERT_EQ(1, s.sent);
		REXMIT(0, 0, 1000);
	}
	sender_ack(&s, 1000);
	sender_flush(&s);
	NEW(0, 10000, 11000);
	timeout(&s);				/* in step 3: no second try */
	ASSERT_EQ(XTCP_FRTO_OFF, s.tcb.frto);
	REXMIT(0, 1000, 2000);
	xtcp_tcb_purge(&s.tcb);
}

TEST(frto_off)
{
	struct sender s;

	ten_out(&s, SACK);
	s.tcb.no_frto = 1;
	timeout(&s);
	sender_ack(&s, 1000);
	sender_flush(&s);
	REXMIT(0, 1000, 2000);
	xtcp_tcb_purge(&s.tcb);
}

/* ---- DSACK ---- */

/* All that was sent again is reported as a duplicate, a round trip after the recovery */
TEST(dsack_after_a_fast_recovery)
{
	static const u32 holes[] = { 4000, 10000, 1000, 3000 };
	struct sender s;

	ten_out(&s, SACK);
	s.tcb.write_seq = s.tcb.snd_nxt;
	s.now += 100 * MS;
	sender_ack_wnd(&s, 0, s.tcb.snd_wnd, 2, holes);
	sender_flush(&s);
	ASSERT_EQ(2, s.sent);			/* 0 and 3000 */
	s.now += 10 * MS;
	sender_ack(&s, 10000);			/* the originals were late */
	ASSERT_EQ(XTCP_OPEN, s.tcb.recovery);
	nothing_restored(_metadata, &s);
	s.now += 90 * MS;
	sender_sack(&s, 10000, 0, 1000);
	nothing_restored(_metadata, &s);	/* one of two */
	sender_sack(&s, 10000, 3000, 4000);
	all_restored(_metadata, &s, XTCP_N_UNDO_DSACK);
	ASSERT_EQ(1, s.tcb.reo_steps);
	xtcp_tcb_purge(&s.tcb);
}

TEST(dsack_after_a_timeout)
{
	struct sender s;

	ten_out(&s, SACK);
	timeout(&s);
	sender_ack(&s, 10000);			/* only the ACKs were late */
	nothing_restored(_metadata, &s);
	sender_sack(&s, 10000, 0, 1000);
	all_restored(_metadata, &s, XTCP_N_UNDO_DSACK);
	ASSERT_TRUE(s.tcb.notes & XTCP_N_SPURIOUS_RTO);
	xtcp_tcb_purge(&s.tcb);
}

/* Reports of anything else, or too late, take nothing back */
TEST(dsack_of_something_else)
{
	struct sender s;

	ten_out(&s, SACK);
	sender_ack(&s, 2000);
	sender_flush(&s);
	timeout(&s);
	sender_ack(&s, s.tcb.snd_nxt - s.tcb.iss - 1);
	sender_sack(&s, sender_rel(&s, s.tcb.snd_una), 0, 1000);	/* before it began */
	ASSERT_FALSE(s.tcb.notes & XTCP_N_UNDO_DSACK);
	sender_flush(&s);
	sender_ack(&s, sender_rel(&s, s.tcb.snd_nxt));
	sender_flush(&s);
	sender_ack(&s, sender_rel(&s, s.tcb.snd_nxt));	/* a round trip later */
	sender_sack(&s, sender_rel(&s, s.tcb.snd_una), 2000, 3000);
	ASSERT_FALSE(s.tcb.notes & XTCP_N_UNDO_DSACK);
	xtcp_tcb_purge(&s.tcb);
}

/* ---- nothing had to be sent again ---- */

TEST(late_before_anything_was_resent)
{
	struct sender s;

	ten_out(&s, SACK);
	s.tcb.write_seq = s.tcb.snd_nxt;
	s.now += 100 * MS;
	sender_sack(&s, 0, 1000, 10000);
	ASSERT_EQ(XTCP_RECOVERY, s.tcb.recovery);	/* no flush: say, no memory */
	sender_ack(&s, 10000);
	all_restored(_metadata, &s, XTCP_N_UNDO_EARLY);
	xtcp_tcb_purge(&s.tcb);
}

/* ---- the controller hears of it, once ---- */

static unsigned int undone;

static void count_undo(struct xtcp_tcb *tcb, u64 now)
{
	undone++;
}

TEST(controller_is_told)
{
	static struct xtcp_cc_ops ops;
	struct sender s;

	ops = xtcp_cc_reno;
	ops.on_undo = count_undo;
	undone = 0;
	ten_out(&s, TS | SACK);
	s.tcb.cc = &ops;
	timeout(&s);
	s.now += 20 * MS;
	ack_ts(&s, 1000, 1020, 0, 0);
	ASSERT_EQ(1, undone);
	ack_ts(&s, 2000, 1020, 0, 1000);	/* a duplicate is reported as well */
	ASSERT_EQ(1, undone);
	s.tcb.cc = &xtcp_cc_reno;
	xtcp_tcb_purge(&s.tcb);
}

/*
 * The network has duplicated a segment, and a timeout is taken back for it.  The next one
 * of the same segment is a first one again: a reduction, and F-RTO that goes on.
 */
TEST(timeout_after_undone_timeout)
{
	static const u32 dsack[] = { 1000, 2000, 1000, 3000 };
	struct sender s;

	ten_out(&s, SACK);
	s.now += 100 * MS;
	sender_sack(&s, 0, 1000, 3000);
	timeout(&s);
	REXMIT(0, 0, 1000);
	s.now += 10 * MS;
	sender_ack_wnd(&s, 0, s.tcb.snd_wnd, 2, dsack);
	ASSERT_TRUE(!!(s.tcb.notes & XTCP_N_UNDO_DSACK));
	ASSERT_EQ(XTCP_OPEN, s.tcb.recovery);
	ASSERT_EQ(50 * MSS, s.tcb.ssthresh);
	timeout(&s);
	REXMIT(0, 0, 1000);
	ASSERT_LE(s.tcb.ssthresh, 10 * MSS);	/* RFC 5681 (4) */
	s.now += 100 * MS;
	sender_ack(&s, 3000);
	ASSERT_GE(sender_flush(&s), 1);		/* RFC 5682 3.1 step 2 */
	xtcp_tcb_purge(&s.tcb);
}

TEST_HARNESS_MAIN
