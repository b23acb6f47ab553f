// SPDX-License-Identifier: GPL-2.0
/*
 * Tail loss probe: RFC 8985 section 7 and its examples, with times worked out by hand.
 */
#include "sender.h"

#define PROBE(from, to) do {						\
	ASSERT_EQ(1, sender_flush(&s));					\
	ASSERT_EQ(XTCP_TX_TLP, s.log[0].kind);				\
	ASSERT_EQ(from, sender_rel(&s, s.log[0].seq));			\
	ASSERT_EQ(to, sender_rel(&s, s.log[0].end_seq));		\
} while (0)

/* One segment was answered after 100 ms: SRTT 100, RTTVAR 50, RTO 300 ms */
static void measured(struct sender *s)
{
	sender_init(s, -1500);
	s->tcb.sack_ok = 1;
	sender_write(s, MSS);
	sender_flush(s);
	s->now += 100 * MS;
	sender_ack(s, MSS);
}

static void send(struct sender *s, u32 len)
{
	sender_write(s, len);
	sender_flush(s);
}

static void fire(struct sender *s)
{
	sender_wait(s, XTCP_T_TLP);
	xtcp_loss_on_tlp(&s->tcb, s->now);
}

/* 7.2: 2 * SRTT, for a short flight what the peer may wait, at most the timeout */
TEST(probe_timeout)
{
	static const struct {
		u32 len;
		u64 srtt, delack, pto;
	} v[] = {
		{ 5000, 100 * MS, 0, 200 * MS },
		{ 2000, 100 * MS, 0, 200 * MS },
		{ 1000, 100 * MS, 0, 300 * MS },	/* 400, but the RTO is 300 */
		{ 1000, 100 * MS, 25 * MS, 225 * MS },
		{ 1000, 20 * MS, 0, 240 * MS },
		{ 1100, 20 * MS, 5 * MS, 45 * MS },	/* two short ones may wait as well */
		{ 5000, 1 * MS / 10, 5 * MS, MS / 5 },
		{ 5000, MS / 50, 5 * MS, MS / 50 + MS / 10 },	/* no timer is that good */
		{ 5000, 2000 * MS, 0, 300 * MS },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(v); i++) {
		struct sender s;

		measured(&s);
		s.tcb.srtt = v[i].srtt;
		s.tcb.peer_delack = v[i].delack;
		s.tcb.rto = 300 * MS;
		send(&s, v[i].len);
		EXPECT_EQ(s.now + v[i].pto, s.tcb.deadline[XTCP_T_TLP])
			TH_LOG("row %u", i);
		xtcp_tcb_purge(&s.tcb);
	}
}

/*
 * Of 1400 bytes sent at 0 the first 1000 are acknowledged after @ack; the peer may wait 25 ms
 * from the arrival of the rest on.  The probe leaves 2 * SRTT after @from.
 */
TEST(delay_runs_from_the_last_segment)
{
	static const struct {
		u64 ack, more, from;	/* @more: 500 bytes are sent at that time */
	} v[] = {
		{ 10 * MS, 0, 25 * MS },
		{ 25 * MS, 0, 25 * MS },
		{ 30 * MS, 0, 30 * MS },	/* the peer has waited */
		{ 30 * MS, 10 * MS, 35 * MS },
		{ 45 * MS, 10 * MS, 45 * MS },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(v); i++) {
		struct sender s;
		u64 start;

		measured(&s);
		start = s.now;
		s.tcb.nodelay = 1;
		s.tcb.peer_delack = 25 * MS;
		send(&s, 1000);
		send(&s, 400);
		if (v[i].more) {
			s.now = start + v[i].more;
			send(&s, 500);
		}
		s.now = start + v[i].ack;
		sender_ack(&s, 2000);
		EXPECT_EQ(start + v[i].from + 2 * s.tcb.srtt, s.tcb.deadline[XTCP_T_TLP])
			TH_LOG("row %u", i);
		xtcp_tcb_purge(&s.tcb);
	}
}

/* 7.2: only with SACK, a sample, and nothing that says more */
TEST(when_there_is_none)
{
	struct sender s;

	measured(&s);
	s.tcb.sack_ok = 0;
	send(&s, 5000);
	ASSERT_EQ(0, s.tcb.deadline[XTCP_T_TLP]);
	xtcp_tcb_purge(&s.tcb);

	measured(&s);
	s.tcb.no_tlp = 1;
	send(&s, 5000);
	ASSERT_EQ(0, s.tcb.deadline[XTCP_T_TLP]);
	xtcp_tcb_purge(&s.tcb);

	sender_init(&s, 1);
	s.tcb.sack_ok = 1;
	send(&s, 5000);				/* never measured */
	ASSERT_EQ(0, s.tcb.deadline[XTCP_T_TLP]);
	xtcp_tcb_purge(&s.tcb);

	measured(&s);
	send(&s, 5000);
	ASSERT_NE(0, s.tcb.deadline[XTCP_T_TLP]);
	sender_sack(&s, 1000, 2000, 3000);	/* RACK's business from here on */
	ASSERT_EQ(0, s.tcb.deadline[XTCP_T_TLP]);
	xtcp_tcb_purge(&s.tcb);

	measured(&s);
	send(&s, 5000);
	sender_ack(&s, 6000);			/* nothing left to ask for */
	ASSERT_EQ(0, s.tcb.deadline[XTCP_T_TLP]);
	xtcp_tcb_purge(&s.tcb);
}

/* 7.3: the last segment again; the timeout starts anew; one probe for a sample */
TEST(last_segment_once)
{
	struct sender s;

	measured(&s);
	send(&s, 3400);
	fire(&s);
	ASSERT_EQ(s.now + 300 * MS, s.tcb.deadline[XTCP_T_REXMT]);
	PROBE(4000, 4400);
	ASSERT_EQ(0, s.tcb.deadline[XTCP_T_TLP]);
	ASSERT_EQ(1, s.tcb.total_retrans);
	ASSERT_EQ(10000, s.tcb.cwnd);
	ASSERT_EQ(3400, xtcp_pipe(&s.tcb));
	ASSERT_EQ(0, sender_flush(&s));
	send(&s, 100);				/* no second one, whatever is sent */
	ASSERT_EQ(0, s.tcb.deadline[XTCP_T_TLP]);
	xtcp_loss_on_tlp(&s.tcb, s.now);
	ASSERT_FALSE(!!s.tcb.tlp_due);
	xtcp_tcb_purge(&s.tcb);
}

/* 7.3: new data is the better probe, also beyond cwnd and in spite of Nagle */
TEST(new_data_first)
{
	struct sender s;

	measured(&s);
	s.tcb.cwnd = 3000;
	sender_write(&s, 5500);
	ASSERT_EQ(3, sender_flush(&s));
	fire(&s);
	ASSERT_EQ(1, sender_flush(&s));
	ASSERT_EQ(XTCP_TX_NEW, s.log[0].kind);
	ASSERT_EQ(4000, sender_rel(&s, s.log[0].seq));
	ASSERT_EQ(1000, sender_len(&s, 0));
	ASSERT_EQ(0, s.tcb.total_retrans);
	/* all of it arrives: the probe is forgotten, nothing was lost */
	s.now += 10 * MS;
	sender_ack(&s, 5000);
	ASSERT_FALSE(!!s.tcb.tlp_out);
	ASSERT_EQ(XTCP_SSTHRESH_INIT, s.tcb.ssthresh);
	xtcp_tcb_purge(&s.tcb);

	measured(&s);
	send(&s, 2100);				/* the short one leaves */
	send(&s, 200);				/* the next waits for its ACK */
	ASSERT_EQ(0, s.sent);
	fire(&s);
	ASSERT_EQ(1, sender_flush(&s));
	ASSERT_EQ(XTCP_TX_NEW, s.log[0].kind);
	ASSERT_EQ(200, sender_len(&s, 0));
	xtcp_tcb_purge(&s.tcb);
}

/* The last three of ten are lost: the probe's SACK shows the other two (RFC 8985 3.4) */
TEST(three_at_the_end)
{
	struct sender s;

	measured(&s);
	send(&s, 10000);
	s.now += 100 * MS;
	sender_ack(&s, 8000);
	ASSERT_EQ(s.now + 2 * s.tcb.srtt, s.tcb.deadline[XTCP_T_TLP]);
	fire(&s);
	PROBE(10000, 11000);
	s.now += 100 * MS;
	sender_sack(&s, 8000, 10000, 11000);
	/* sent long before the probe, which came back after 100 ms: lost at once */
	ASSERT_EQ(XTCP_RECOVERY, s.tcb.recovery);
	ASSERT_EQ(2000, s.tcb.lost_bytes);
	xtcp_tcb_purge(&s.tcb);
}

/* 7.4.2: what the ACK of the probe tells */
TEST(answers_to_a_probe)
{
	enum { DSACK = 1, TEXT = 2, FRESH = 4 };
	static const struct {
		int how;
		u32 ack;
		bool out, reduced;
	} v[] = {
		{ 0, 5000, true, false },	/* may be the original's: wait */
		{ DSACK, 5000, false, false },	/* both arrived */
		{ FRESH, 6000, false, true },	/* one of them was lost */
		{ FRESH | DSACK, 6000, false, false },
		{ 0, 4000, true, false },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(v); i++) {
		struct sender s;

		measured(&s);
		send(&s, 4000);
		fire(&s);
		PROBE(4000, 5000);
		if (v[i].how & FRESH)
			send(&s, 1000);
		s.now += 100 * MS;
		if (v[i].how & DSACK)
			sender_sack(&s, v[i].ack, 4000, 5000);
		else
			sender_ack(&s, v[i].ack);
		EXPECT_EQ(v[i].out, !!s.tcb.tlp_out)
			TH_LOG("row %u", i);
		EXPECT_EQ(v[i].reduced, s.tcb.ssthresh != XTCP_SSTHRESH_INIT)
			TH_LOG("row %u", i);
		EXPECT_EQ(0, s.tcb.reo_steps);		/* no mistake of RACK */
		xtcp_tcb_purge(&s.tcb);
	}
}

/* The original's ACK comes first, the probe's is a duplicate with nothing in it */
TEST(duplicate_ack_without_sack)
{
	struct sender s;

	measured(&s);
	send(&s, 4000);
	fire(&s);
	PROBE(4000, 5000);
	sender_ack(&s, 5000);
	ASSERT_TRUE(!!s.tcb.tlp_out);
	sender_ack(&s, 5000);
	ASSERT_FALSE(!!s.tcb.tlp_out);
	ASSERT_EQ(XTCP_SSTHRESH_INIT, s.tcb.ssthresh);
	xtcp_tcb_purge(&s.tcb);
}

TEST(fin)
{
	struct sender s;

	measured(&s);
	s.tcb.fin_queued = 1;
	s.tcb.state = TCP_FIN_WAIT1;
	sender_flush(&s);
	fire(&s);
	PROBE(1000, 1001);
	ASSERT_TRUE(s.log[0].flags & XTCP_FIN);
	xtcp_tcb_purge(&s.tcb);

	measured(&s);
	s.tcb.fin_queued = 1;
	s.tcb.state = TCP_FIN_WAIT1;
	send(&s, 2300);
	fire(&s);
	PROBE(3000, 3301);
	ASSERT_TRUE(s.log[0].flags & XTCP_FIN);
	xtcp_tcb_purge(&s.tcb);
}

/* A super-packet: one segment of it */
TEST(last_of_a_super_packet)
{
	struct sender s;

	measured(&s);
	s.tcb.gso_max = 64000;
	s.tcb.cwnd = 64000;
	sender_write(&s, 20000);
	ASSERT_EQ(1, sender_flush(&s));
	fire(&s);
	PROBE(20000, 21000);
	xtcp_tcb_purge(&s.tcb);
}

/* The window was shut over what is in flight: RFC 9293 3.8.6, the timeout asks */
TEST(shut_window)
{
	struct sender s;

	measured(&s);
	send(&s, 4000);
	sender_ack_wnd(&s, 2000, 0, 0, NULL);
	fire(&s);
	ASSERT_EQ(0, sender_flush(&s));
	ASSERT_FALSE(!!s.tcb.tlp_due);
	ASSERT_NE(0, s.tcb.deadline[XTCP_T_REXMT]);
	xtcp_tcb_purge(&s.tcb);
}

/* A timeout and a fast recovery have the last word */
TEST(forgotten_in_recovery)
{
	struct sender s;

	measured(&s);
	send(&s, 4000);
	fire(&s);
	PROBE(4000, 5000);
	sender_wait(&s, XTCP_T_REXMT);
	xtcp_loss_on_rto(&s.tcb, s.now);
	ASSERT_FALSE(!!s.tcb.tlp_out);
	ASSERT_EQ(0, s.tcb.deadline[XTCP_T_TLP]);
	sender_flush(&s);
	ASSERT_EQ(XTCP_TX_REXMIT, s.log[0].kind);
	xtcp_tcb_purge(&s.tcb);
}

TEST_HARNESS_MAIN
