// SPDX-License-Identifier: GPL-2.0
/*
 * Loss recovery: the scenarios of RFC 5681, 6582, 8985 and 6298 step by step with
 * the numbers that the RFCs give, then random ACK and SACK streams against what
 * must always hold.
 */
#include <stdio.h>
#include <time.h>
#include "sender.h"

#define DATA(i, from, to) do {						\
	ASSERT_EQ(from, sender_rel(&s, s.log[i].seq));			\
	ASSERT_EQ(to, sender_rel(&s, s.log[i].end_seq));		\
} while (0)

#define REXMIT(i, from, to) do {					\
	ASSERT_EQ(XTCP_TX_REXMIT, s.log[i].kind);			\
	DATA(i, from, to);						\
} while (0)

/* Ten segments are out, more waits, cwnd is 10 segments */
static void ten_out(struct sender *s, int sack)
{
	sender_init(s, -5000);
	s->tcb.sack_ok = sack;
	sender_write(s, 100000);
	sender_flush(s);
	s->now += 100 * MS;
}

static void timeout(struct sender *s)
{
	sender_wait(s, XTCP_T_REXMT);
	xtcp_loss_on_rto(&s->tcb, s->now);
}

/* ---- without SACK: RFC 5681 3.2, RFC 3042, RFC 6582 3.2 ---- */

TEST(newreno_one_loss)
{
	struct sender s;
	int i;

	ten_out(&s, 0);
	/* RFC 3042: each of the first two duplicates lets one new segment out */
	ASSERT_EQ(XTCP_A_DUP, sender_ack(&s, 0).flags);
	ASSERT_EQ(1, sender_flush(&s));
	DATA(0, 10000, 11000);
	sender_ack(&s, 0);
	ASSERT_EQ(1, sender_flush(&s));
	DATA(0, 11000, 12000);
	ASSERT_EQ(XTCP_OPEN, s.tcb.recovery);
	/* the third: ssthresh = 10000 / 2 without limited transmit, cwnd = that + 3 */
	sender_ack(&s, 0);
	ASSERT_EQ(XTCP_RECOVERY, s.tcb.recovery);
	ASSERT_EQ(5000, s.tcb.ssthresh);
	ASSERT_EQ(8000, s.tcb.cwnd);
	ASSERT_EQ(1, sender_flush(&s));
	REXMIT(0, 0, 1000);
	ASSERT_EQ(12000, sender_rel(&s, s.tcb.recovery_point));
	/* each further one inflates; 12 are out, so new data from cwnd = 13 on */
	for (i = 1; i <= 8; i++) {
		sender_ack(&s, 0);
		ASSERT_EQ(8000 + i * 1000, s.tcb.cwnd);
		ASSERT_EQ(i >= 5, sender_flush(&s));
	}
	/* full ACK: min (ssthresh, max (FlightSize, SMSS) + SMSS), FlightSize = 4000 */
	sender_ack(&s, 12000);
	ASSERT_EQ(XTCP_OPEN, s.tcb.recovery);
	ASSERT_EQ(5000, s.tcb.cwnd);
	ASSERT_EQ(0, s.tcb.lost_bytes);
	ASSERT_EQ(1, sender_flush(&s));
	DATA(0, 16000, 17000);
	xtcp_tcb_purge(&s.tcb);
}

TEST(newreno_two_losses_and_the_impatient_timer)
{
	struct sender s;
	u64 deadline;
	int i;

	ten_out(&s, 0);
	for (i = 0; i < 3; i++)
		sender_ack(&s, 0);
	ASSERT_EQ(1, sender_flush(&s));		/* no flush before: no limited transmit */
	REXMIT(0, 0, 1000);
	s.now += 50 * MS;
	/* partial ACK of 3: cwnd = 8000 - 3000 + 1000, the next hole leaves at once */
	sender_ack(&s, 3000);
	ASSERT_EQ(XTCP_RECOVERY, s.tcb.recovery);
	ASSERT_EQ(6000, s.tcb.cwnd);
	ASSERT_EQ(1, sender_flush(&s));
	REXMIT(0, 3000, 4000);
	deadline = s.tcb.deadline[XTCP_T_REXMT];
	ASSERT_EQ(s.now + xtcp_rto(&s.tcb), deadline);
	s.now += 50 * MS;
	sender_ack(&s, 6000);
	ASSERT_EQ(4000, s.tcb.cwnd);
	ASSERT_EQ(deadline, s.tcb.deadline[XTCP_T_REXMT]);
	ASSERT_EQ(1, sender_flush(&s));
	REXMIT(0, 6000, 7000);
	sender_ack(&s, 10000);
	ASSERT_EQ(XTCP_OPEN, s.tcb.recovery);
	ASSERT_EQ(2000, s.tcb.cwnd);		/* max (0, 1000) + 1000 */
	xtcp_tcb_purge(&s.tcb);
}

/* RFC 6582 3.2 step 2: not again for what the last recovery sent */
TEST(newreno_avoids_a_second_fast_retransmit)
{
	struct sender s;
	int i;

	ten_out(&s, 0);
	timeout(&s);
	ASSERT_EQ(1, sender_flush(&s));
	sender_ack(&s, 10000);			/* it was only late */
	ASSERT_EQ(XTCP_OPEN, s.tcb.recovery);
	sender_flush(&s);
	for (i = 0; i < 5; i++)
		sender_ack(&s, 10000);
	ASSERT_EQ(XTCP_OPEN, s.tcb.recovery);
	ASSERT_EQ(0, s.tcb.lost_bytes);
	sender_ack(&s, 11000);			/* covers more than recover */
	for (i = 0; i < 3; i++)
		sender_ack(&s, 11000);
	ASSERT_EQ(XTCP_RECOVERY, s.tcb.recovery);
	xtcp_tcb_purge(&s.tcb);
}

/* The very first segment is lost, also after a lost SYN */
TEST(newreno_first_segment_of_all)
{
	struct xtcp_segment seg = { .flags = XTCP_ACK | XTCP_SYN, .seq = 77, .wnd = 60000 };
	struct xtcp_ack_result res;
	struct sender s;
	int i, child;

	for (child = 0; child < 2; child++) {
		sender_init(&s, 99);
		xtcp_tcb_set_iss(&s.tcb, 99 + child);
		s.tcb.state = TCP_SYN_SENT;
		if (!child) {
			sender_flush(&s);
			timeout(&s);
			sender_flush(&s);
			seg.ack = 100;
			xtcp_ack(&s.tcb, &seg, s.now, &res);
		}
		s.tcb.iss = 99;
		s.tcb.write_seq = 100;
		s.tcb.syn_out = 0;
		s.tcb.state = TCP_ESTABLISHED;
		xtcp_tcb_established(&s.tcb, s.now);
		s.tcb.cwnd = 10000;
		sender_write(&s, 10000);
		ASSERT_EQ(10, sender_flush(&s));
		for (i = 0; i < 3; i++)
			sender_ack(&s, 0);
		ASSERT_EQ(XTCP_RECOVERY, s.tcb.recovery);
		sender_flush(&s);
		REXMIT(0, 0, 1000);
		xtcp_tcb_purge(&s.tcb);
	}
}

/* ---- timeout: RFC 6298 5.4 to 5.6, RFC 5681 3.1 ---- */

TEST(timeout_goes_back_and_slow_starts)
{
	struct sender s;

	ten_out(&s, 0);
	s.tcb.no_frto = 1;
	sender_ack(&s, 0);			/* two duplicates are not a loss */
	sender_ack(&s, 0);
	ASSERT_EQ(900 * MS, sender_wait(&s, XTCP_T_REXMT));
	xtcp_loss_on_rto(&s.tcb, s.now);
	ASSERT_EQ(5000, s.tcb.ssthresh);
	ASSERT_EQ(1000, s.tcb.cwnd);
	ASSERT_EQ(1, s.tcb.rexmits);
	ASSERT_EQ(1000 * MS, s.tcb.stalled_at);
	ASSERT_EQ(s.now + 2000 * MS, s.tcb.deadline[XTCP_T_REXMT]);
	ASSERT_EQ(1, sender_flush(&s));
	REXMIT(0, 0, 1000);
	sender_ack(&s, 1000);			/* L = 1: cwnd 2 */
	ASSERT_EQ(2000, s.tcb.cwnd);
	ASSERT_EQ(2, sender_flush(&s));
	REXMIT(0, 1000, 2000);
	REXMIT(1, 2000, 3000);
	sender_ack(&s, 3000);
	ASSERT_EQ(3, sender_flush(&s));
	REXMIT(2, 5000, 6000);
	sender_ack(&s, 10000);
	ASSERT_EQ(XTCP_OPEN, s.tcb.recovery);
	ASSERT_EQ(4, sender_flush(&s));
	ASSERT_EQ(XTCP_TX_NEW, s.log[0].kind);
	xtcp_tcb_purge(&s.tcb);
}

/* RFC 5681 3.1: ssthresh is held when the same segment times out again */
TEST(lost_retransmission_times_out_again)
{
	struct sender s;
	u64 wait = 1000 * MS;
	int i;

	ten_out(&s, 0);
	s.now -= 100 * MS;
	for (i = 1; i <= 4; i++) {
		ASSERT_EQ(wait, sender_wait(&s, XTCP_T_REXMT));
		xtcp_loss_on_rto(&s.tcb, s.now);
		ASSERT_EQ(1, sender_flush(&s));
		REXMIT(0, 0, 1000);
		ASSERT_EQ(5000, s.tcb.ssthresh);
		ASSERT_EQ(1000, s.tcb.cwnd);
		ASSERT_EQ(i, s.tcb.rexmits);
		ASSERT_EQ(1000 * MS, s.tcb.stalled_at);
		wait *= 2;
	}
	sender_ack(&s, 1000);
	ASSERT_EQ(0, s.tcb.rexmits);
	ASSERT_EQ(0, s.tcb.stalled_at);
	xtcp_tcb_purge(&s.tcb);
}

/* cwnd is not a multiple of SMSS: whole segments all the same */
TEST(retransmission_in_whole_segments)
{
	struct sender s;

	ten_out(&s, 0);
	timeout(&s);
	s.tcb.cwnd = 2700;
	s.tcb.gso_max = 64000;
	ASSERT_EQ(1, sender_flush(&s));
	REXMIT(0, 0, 2000);
	xtcp_tcb_purge(&s.tcb);
}

/* ---- with SACK: RFC 8985, and RFC 9937 for the window (tables in prr.c) ---- */

TEST(sack_one_loss)
{
	struct sender s;
	u32 i;

	ten_out(&s, 1);
	sender_sack(&s, 0, 1000, 2000);
	ASSERT_EQ(1, sender_flush(&s));		/* limited transmit: pipe is 9 of 10 */
	DATA(0, 10000, 11000);
	sender_sack(&s, 0, 1000, 3000);
	ASSERT_EQ(1, sender_flush(&s));
	DATA(0, 11000, 12000);
	ASSERT_EQ(XTCP_OPEN, s.tcb.recovery);
	s.now += MS;
	sender_sack(&s, 0, 1000, 4000);		/* DupThresh */
	ASSERT_EQ(XTCP_RECOVERY, s.tcb.recovery);
	ASSERT_EQ(5000, s.tcb.ssthresh);
	ASSERT_EQ(8000, xtcp_pipe(&s.tcb));	/* 12 - 3 SACKed - 1 lost */
	ASSERT_EQ(1, sender_flush(&s));
	REXMIT(0, 0, 1000);
	ASSERT_EQ(9000, xtcp_pipe(&s.tcb));
	for (i = 5; i <= 12; i++) {
		s.now += MS;
		sender_sack(&s, 0, 1000, i * 1000);
		sender_flush(&s);
		ASSERT_EQ(1000, s.tcb.bytes_retrans);
	}
	s.now += 90 * MS;
	sender_ack(&s, 12000);
	ASSERT_EQ(XTCP_OPEN, s.tcb.recovery);
	ASSERT_EQ(5000, s.tcb.cwnd);
	ASSERT_EQ(0, s.tcb.sacked_bytes);
	xtcp_tcb_purge(&s.tcb);
}

/* RFC 6298 5: never again sooner than one RTO after the last transmission, whenever the
 * timer was started; what recovery sends further right does not put it off
 */
TEST(fast_retransmission_restarts_the_timer)
{
	struct sender s;
	u64 at;

	ten_out(&s, 1);
	s.now += 200 * MS;
	sender_sack(&s, 0, 1000, 4000);
	s.tcb.write_seq = s.tcb.snd_nxt;
	ASSERT_EQ(1, sender_flush(&s));
	REXMIT(0, 0, 1000);
	at = s.now + xtcp_rto(&s.tcb);
	ASSERT_EQ(at, s.tcb.deadline[XTCP_T_REXMT]);
	s.now += 10 * MS;
	xtcp_map_mark_lost(&s.tcb, s.tcb.snd_una + 4000, s.tcb.snd_una + 5000);
	ASSERT_EQ(1, sender_flush(&s));
	REXMIT(0, 4000, 5000);
	ASSERT_EQ(at, s.tcb.deadline[XTCP_T_REXMT]);
	xtcp_tcb_purge(&s.tcb);
}

TEST(sack_two_losses_and_a_partial_ack)
{
	static const u32 both[] = { 4000, 10000, 1000, 3000 };
	struct sender s;

	ten_out(&s, 1);
	sender_ack_wnd(&s, 0, s.tcb.snd_wnd, 2, both);
	ASSERT_EQ(XTCP_RECOVERY, s.tcb.recovery);
	ASSERT_EQ(2000, s.tcb.lost_bytes);
	ASSERT_EQ(0, xtcp_pipe(&s.tcb));
	/* PRR: min (ssthresh, what was delivered): both holes, then three new segments */
	ASSERT_EQ(5, sender_flush(&s));
	REXMIT(0, 0, 1000);
	REXMIT(1, 3000, 4000);
	DATA(2, 10000, 11000);
	DATA(4, 12000, 13000);
	s.now += 100 * MS;
	sender_ack_wnd(&s, 3000, s.tcb.snd_wnd, 1, both);
	ASSERT_EQ(XTCP_RECOVERY, s.tcb.recovery);
	ASSERT_EQ(1, sender_flush(&s));		/* nothing a second time */
	ASSERT_EQ(XTCP_TX_NEW, s.log[0].kind);
	s.now += MS;
	sender_ack(&s, 10000);
	ASSERT_EQ(XTCP_OPEN, s.tcb.recovery);
	xtcp_tcb_purge(&s.tcb);
}

/* RFC 6675 4: DupThresh discontiguous sequences, however short */
TEST(sack_three_discontiguous)
{
	static const u32 b[] = { 1000, 1010, 2000, 2010, 3000, 3010 };
	struct sender s;

	ten_out(&s, 1);
	sender_ack_wnd(&s, 0, s.tcb.snd_wnd, 2, b);
	ASSERT_EQ(XTCP_OPEN, s.tcb.recovery);
	sender_ack_wnd(&s, 0, s.tcb.snd_wnd, 3, b);
	ASSERT_EQ(XTCP_RECOVERY, s.tcb.recovery);
	ASSERT_EQ(2980, s.tcb.lost_bytes);	/* all that left before 3000 .. 3010 */
	xtcp_tcb_purge(&s.tcb);
}

/* RFC 6675 5 (1): DupThresh duplicate ACKs of short segments */
TEST(sack_three_duplicates)
{
	struct sender s;
	u32 i;

	sender_init(&s, 1);
	s.tcb.sack_ok = 1;
	s.tcb.nodelay = 1;
	for (i = 0; i < 5; i++) {
		sender_write(&s, 100);
		ASSERT_EQ(1, sender_flush(&s));
		s.now++;
	}
	s.now += 100 * MS;
	sender_sack(&s, 0, 100, 200);
	sender_sack(&s, 0, 100, 300);
	ASSERT_EQ(XTCP_OPEN, s.tcb.recovery);
	sender_sack(&s, 0, 100, 400);
	ASSERT_EQ(XTCP_RECOVERY, s.tcb.recovery);
	ASSERT_EQ(1, sender_flush(&s));
	REXMIT(0, 0, 100);
	sender_ack(&s, 500);
	ASSERT_EQ(XTCP_OPEN, s.tcb.recovery);
	ASSERT_EQ(0, s.tcb.map_nr);
}

/* RFC 6675 5: what was SACKED is never sent again, not after a timeout either */
TEST(sack_lost_retransmission)
{
	static const u32 b[] = { 1000, 4000, 6000, 9000 };
	struct sender s;

	ten_out(&s, 1);
	sender_ack_wnd(&s, 0, s.tcb.snd_wnd, 2, b);
	s.tcb.write_seq = s.tcb.snd_nxt;	/* no new data */
	ASSERT_EQ(3, sender_flush(&s));
	REXMIT(0, 0, 1000);
	REXMIT(1, 4000, 5000);
	REXMIT(2, 5000, 6000);
	timeout(&s);
	ASSERT_EQ(XTCP_RTO_RECOVERY, s.tcb.recovery);
	ASSERT_EQ(4000, s.tcb.lost_bytes);
	ASSERT_EQ(1, sender_flush(&s));
	REXMIT(0, 0, 1000);
	sender_ack_wnd(&s, 4000, s.tcb.snd_wnd, 1, b + 2);
	ASSERT_EQ(2, sender_flush(&s));
	REXMIT(0, 4000, 5000);
	REXMIT(1, 5000, 6000);
	sender_ack(&s, 9000);
	ASSERT_EQ(1, sender_flush(&s));
	REXMIT(0, 9000, 10000);
	sender_ack(&s, 10000);
	ASSERT_EQ(XTCP_OPEN, s.tcb.recovery);
	ASSERT_EQ(0, s.tcb.map_nr);
}

/* RFC 2018 8: the peer dropped what it had SACKed */
TEST(sack_reneging)
{
	struct sender s;
	unsigned int i;

	ten_out(&s, 1);
	s.tcb.write_seq = s.tcb.snd_nxt;
	sender_sack(&s, 0, 1000, 10000);
	sender_flush(&s);
	sender_ack(&s, 1000);			/* and not 10000: it is gone */
	ASSERT_EQ(9000, s.tcb.sacked_bytes);
	timeout(&s);
	ASSERT_EQ(0, s.tcb.sacked_bytes);
	ASSERT_EQ(9000, s.tcb.lost_bytes);
	for (i = 1; i < 10; i++) {
		ASSERT_GE(sender_flush(&s), i == 1);
		sender_ack(&s, (i + 1) * 1000);
	}
	ASSERT_EQ(0, s.tcb.map_nr);
	ASSERT_EQ(10, s.tcb.total_retrans);	/* the first hole and the nine */
}

/* Sent in recovery and lost: the next recovery, with its own reduction */
TEST(sack_loss_above_the_recovery_point)
{
	static const u32 late[] = { 11000, 15000 };
	struct sender s;

	ten_out(&s, 1);
	sender_sack(&s, 0, 1000, 10000);
	ASSERT_EQ(5, sender_flush(&s));		/* the hole and 10000 .. 14000 */
	s.now += 100 * MS;
	sender_ack(&s, 10000);
	ASSERT_EQ(XTCP_OPEN, s.tcb.recovery);
	ASSERT_EQ(1, sender_flush(&s));
	s.now += MS;
	sender_ack_wnd(&s, 10000, s.tcb.snd_wnd, 1, late);
	ASSERT_EQ(XTCP_RECOVERY, s.tcb.recovery);
	ASSERT_EQ(2500, s.tcb.ssthresh);
	sender_flush(&s);
	REXMIT(0, 10000, 11000);
	xtcp_tcb_purge(&s.tcb);
}

TEST(reordering_below_the_threshold_is_no_loss)
{
	struct sender s;

	ten_out(&s, 1);
	sender_sack(&s, 0, 1000, 3000);
	sender_ack(&s, 3000);
	ASSERT_EQ(XTCP_OPEN, s.tcb.recovery);
	ASSERT_EQ(0, s.tcb.total_retrans);
	ASSERT_EQ(0, s.tcb.dupacks);
	xtcp_tcb_purge(&s.tcb);
}

/* A super-packet: only what was lost of it is sent again, in whole segments */
TEST(hole_in_a_super_packet)
{
	static const u32 b[] = { 1000, 5000, 8000, 20000 };
	struct sender s;

	sender_init(&s, -5000);
	s.tcb.sack_ok = 1;
	s.tcb.gso_max = 64000;
	s.tcb.cwnd = 20000;
	sender_write(&s, 20000);
	ASSERT_EQ(1, sender_flush(&s));
	sender_ack_wnd(&s, 0, s.tcb.snd_wnd, 2, b);
	ASSERT_EQ(2, sender_flush(&s));
	REXMIT(0, 0, 1000);
	REXMIT(1, 5000, 8000);
	xtcp_tcb_purge(&s.tcb);
}

/* ---- what holds under any ACK stream ---- */

#define SEGS	64

struct truth {
	struct sender s;
	bool sacked[SEGS];	/* told to the sender, per segment of the stream */
	u32 una;		/* in segments */
	u32 resent;		/* of the last flush */
	bool starved;		/* memory was missing: some SACKs could not be noted */
};

static struct truth t;

static void check_flush(struct __test_metadata *_metadata)
{
	unsigned int i;
	u32 seg, flight;

	t.resent = 0;
	sender_flush(&t.s);
	for (i = 0; i < t.s.sent && i < LOG; i++) {
		u32 from = sender_rel(&t.s, t.s.log[i].seq);
		u32 to = sender_rel(&t.s, t.s.log[i].end_seq);

		if (t.s.log[i].kind != XTCP_TX_REXMIT && t.s.log[i].kind != XTCP_TX_TLP)
			continue;
		ASSERT_GE(from, t.una * MSS);
		ASSERT_LT(from, to);
		for (seg = from / MSS; seg * MSS < to; seg++)
			ASSERT_FALSE(t.sacked[seg] && !t.starved);
		t.resent += to - from;
	}
	flight = t.s.tcb.snd_nxt - t.s.tcb.snd_una;
	ASSERT_LE(t.s.tcb.sacked_bytes + t.s.tcb.lost_bytes, flight);
	ASSERT_LE(xtcp_pipe(&t.s.tcb), flight);
	ASSERT_GE(t.s.tcb.cwnd, MSS);
	ASSERT_TRUE(t.s.tcb.snd_una == t.s.tcb.snd_nxt ||
		    t.s.tcb.deadline[XTCP_T_REXMT]);
}

/* Now and then an echo of any age, and a report of a duplicate of anything */
static void ack_with_options(u32 nr, const u32 *b)
{
	struct xtcp_segment seg = { .flags = XTCP_ACK, .seq = 78, .end_seq = 78 };
	struct xtcp_options *o = &seg.opt;
	struct xtcp_ack_result res;
	u32 i;

	seg.ack = t.s.tcb.iss + 1 + t.una * MSS;
	seg.wnd = t.s.tcb.snd_wnd;
	if (t.s.tcb.sack_ok && t.una && nr < 4 && unit_below(8) == 0) {
		o->sack[0].seq = t.s.tcb.iss + 1 + unit_below(t.una) * MSS;
		o->sack[0].end_seq = o->sack[0].seq + MSS;
		o->nr_sack = 1;
	}
	for (i = 0; i < nr; i++, o->nr_sack++) {
		o->sack[o->nr_sack].seq = t.s.tcb.iss + 1 + b[2 * i];
		o->sack[o->nr_sack].end_seq = t.s.tcb.iss + 1 + b[2 * i + 1];
	}
	o->present = t.s.tcb.ts_ok ? XTCP_HAS_TS : 0;
	o->tsecr = xtcp_ts_now(&t.s.tcb, t.s.now) - unit_below(100) + unit_below(5);
	if (unit_below(50) == 0)
		o->tsecr = unit_rand();
	xtcp_ack(&t.s.tcb, &seg, t.s.now, &res);
}

static void random_timer(void)
{
	u64 at = unit_below(2) ? t.s.tcb.deadline[XTCP_T_REO] : t.s.tcb.deadline[XTCP_T_TLP];

	if (!at)
		return;
	t.s.now = max(t.s.now, at);
	if (at == t.s.tcb.deadline[XTCP_T_REO])
		xtcp_loss_on_reo(&t.s.tcb, t.s.now);
	else
		xtcp_loss_on_tlp(&t.s.tcb, t.s.now);
}

static void random_ack(void)
{
	u32 nxt = sender_rel(&t.s, t.s.tcb.snd_nxt) / MSS, b[8], nr = 0, i;

	if (unit_below(3) == 0)
		t.una += unit_below(nxt - t.una + 1);
	while (t.una < SEGS && t.sacked[t.una])
		t.una++;
	while (t.s.tcb.sack_ok && nr < unit_below(5) && t.una + 1 < nxt) {
		u32 from = t.una + 1 + unit_below(nxt - t.una - 1);
		u32 to = from + 1 + unit_below(min(nxt - from, 4u));

		for (i = from; i < to && i < nxt; i++)
			t.sacked[i] = true;
		b[2 * nr] = from * MSS;
		b[2 * nr + 1] = min(to, nxt) * MSS;
		nr++;
	}
	ack_with_options(nr, b);
}

static void note_resent(bool *again)
{
	unsigned int i;
	u32 seg;

	for (i = 0; i < t.s.sent && i < LOG; i++)
		for (seg = sender_rel(&t.s, t.s.log[i].seq) / MSS;
		     seg * MSS < sender_rel(&t.s, t.s.log[i].end_seq); seg++)
			again[seg] = true;
}

static bool all_missing_came_again(const bool *again)
{
	u32 seg, end = sender_rel(&t.s, t.s.tcb.snd_nxt) / MSS;

	for (seg = t.una; seg < end; seg++)
		if (!t.sacked[seg] && !again[seg])
			return false;
	return true;
}

/* Nothing answers any more: timeouts send all that is missing, nothing else. */
static void check_all_comes_again(struct __test_metadata *_metadata)
{
	bool again[SEGS] = { false };
	int timeouts = 0;

	t.s.tcb.write_seq = t.s.tcb.snd_nxt;
	t.s.tcb.no_frto = 1;	/* it would send the first again and again */
	while (!all_missing_came_again(again)) {
		timeout(&t.s);
		ASSERT_NE(0, t.s.tcb.lost_bytes);
		t.s.tcb.cwnd = SEGS * MSS;
		check_flush(_metadata);
		note_resent(again);
		ASSERT_LT(++timeouts, 20);
	}
	sender_ack(&t.s, sender_rel(&t.s, t.s.tcb.snd_nxt));
	ASSERT_EQ(0, t.s.tcb.map_nr);
	ASSERT_EQ(0, unit_seg_live);
}

TEST(random_ack_streams)
{
	unsigned long round, step;

	for (round = 0; round < 3000 * unit_scale(); round++) {
		unit_srand(round);
		memset(&t, 0, sizeof(t));
		sender_init(&t.s, unit_below(2) ? -unit_below(SEGS * MSS) : unit_rand());
		t.s.tcb.sack_ok = round % 2;
		t.s.tcb.ts_ok = unit_below(2);
		t.s.tcb.gso_max = unit_below(2) ? 0 : 8000;
		sender_write(&t.s, SEGS * MSS);
		for (step = 0; step < 60 && t.una < SEGS; step++) {
			t.s.now += unit_below(40) * MS;
			check_flush(_metadata);
			if (unit_below(15) == 0 && t.s.tcb.deadline[XTCP_T_REXMT])
				timeout(&t.s);
			else if (unit_below(6) == 0)
				random_timer();
			else
				random_ack();
			if (round % 4 == 3 && unit_below(30) == 0) {
				unit_seg_fail_1_in = unit_below(4);
				t.starved = true;
			}
		}
		unit_seg_fail_1_in = 0;
		check_flush(_metadata);
		check_all_comes_again(_metadata);
	}
}

/* ---- cost: printed, not judged ---- */

static u64 clock_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * XTCP_NSEC_PER_SEC + ts.tv_nsec;
}

static void print_cost(const char *what, u64 since, u32 n)
{
	printf("# %s: %llu ns each\n", what, (unsigned long long)(clock_ns() - since) / n);
	fflush(stdout);		/* the harness leaves by _exit() */
}

static void sack_segment(struct sender *s, u32 nr)
{
	sender_sack(s, 0, nr * MSS, (nr + 1) * MSS);
}

/* 10,000 holes; CVE-2019-11477 and its kin were walks over them for each ACK */
TEST(holes_are_cheap)
{
	u32 i, n = 10000;
	struct sender s;
	u64 t;

	sender_init(&s, 1);
	s.tcb.sack_ok = 1;
	s.tcb.snd_wnd = 1u << 30;
	s.tcb.cwnd = 1u << 30;
	s.tcb.gso_max = 1u << 25;
	sender_write(&s, 2 * n * MSS);
	sender_flush(&s);
	t = clock_ns();
	for (i = 0; i < n; i++)
		sack_segment(&s, 2 * i + 1);
	print_cost("new SACK block, 10000 holes", t, n);
	ASSERT_EQ(n * MSS, s.tcb.sacked_bytes);
	ASSERT_EQ(n, s.tcb.map_nr - n);
	t = clock_ns();
	for (i = 0; i < 10 * n; i++)
		sack_segment(&s, 2 * (i * 7919 % n) + 1);
	print_cost("known SACK block, 10000 holes", t, 10 * n);
	ASSERT_EQ(n * MSS, s.tcb.sacked_bytes);
	t = clock_ns();
	sender_flush(&s);
	print_cost("retransmission, 10000 holes", t, s.sent);
	ASSERT_EQ(0, s.tcb.lost_bytes);
	xtcp_tcb_purge(&s.tcb);
}

/* The undisturbed path: a super-packet out, its ACK in */
TEST(undisturbed_path)
{
	u32 i, n = 100000, rel = 0;
	struct sender s;
	u64 t;

	sender_init(&s, 1);
	s.tcb.gso_max = 64000;
	s.tcb.cwnd = 1000000;
	t = clock_ns();
	for (i = 0; i < n; i++) {
		sender_write(&s, 64000);
		sender_flush(&s);
		s.now += 1000;
		rel += 64000;
		sender_ack(&s, rel);
	}
	print_cost("super-packet and its ACK", t, n);
	ASSERT_EQ(0, s.tcb.map_nr);
	ASSERT_EQ(0, s.tcb.total_retrans);
}

TEST_HARNESS_MAIN
