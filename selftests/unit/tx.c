// SPDX-License-Identifier: GPL-2.0
/*
 * xtcp_tx_next(): what leaves when, as tables for Nagle, cork, silly windows, PSH
 * and FIN (RFC 9293 3.7.4, 3.8.6, 3.9.1), SYN and the zero-window probe.
 */
#include "sender.h"

#define DATA(i, from, to) do {						\
	ASSERT_EQ(from, sender_rel(&s, s.log[i].seq));			\
	ASSERT_EQ(to, sender_rel(&s, s.log[i].end_seq));		\
} while (0)

/* ---- SYN ---- */

static void syn_sent(struct sender *s, u32 iss)
{
	sender_init(s, iss);
	xtcp_tcb_set_iss(&s->tcb, iss);
	s->tcb.state = TCP_SYN_SENT;
	s->tcb.snd_wnd = 0;
	s->tcb.max_snd_wnd = 0;
}

TEST(syn_alone_and_repeated)
{
	u64 wait = 1000 * MS;
	struct sender s;
	int i;

	syn_sent(&s, 0xffffffff);
	sender_write(&s, 5000);			/* no text before the handshake */
	s.tcb.todo |= XTCP_ACK_NOW;		/* nor a bare ACK: there is nothing to ack */
	ASSERT_EQ(1, sender_flush(&s));
	ASSERT_EQ(XTCP_TX_NEW, s.log[0].kind);
	ASSERT_EQ(XTCP_SYN, s.log[0].flags);
	ASSERT_EQ(0xffffffff, s.log[0].seq);
	ASSERT_EQ(0, s.log[0].end_seq);
	for (i = 0; i < 5; i++) {		/* RFC 6298 5.5: 1 2 4 8 16 s */
		ASSERT_EQ(wait, sender_wait(&s, XTCP_T_REXMT));
		xtcp_loss_on_rto(&s.tcb, s.now);
		ASSERT_EQ(1, sender_flush(&s));
		ASSERT_EQ(XTCP_TX_REXMIT, s.log[0].kind);
		ASSERT_EQ(XTCP_SYN, s.log[0].flags);
		ASSERT_EQ(0xffffffff, s.log[0].seq);
		ASSERT_EQ(i + 1, s.tcb.rexmits);
		wait *= 2;
	}
	ASSERT_TRUE(!!s.tcb.syn_rexmit);
	xtcp_tcb_purge(&s.tcb);
}

/* RFC 9293 3.10.7.3: our SYN goes out again, with an ACK; a later ACK is bare, or
 * two ends that answer each other's SYN,ACK would never end.
 */
TEST(simultaneous_open)
{
	struct sender s;

	syn_sent(&s, 500);
	sender_flush(&s);
	s.tcb.state = TCP_SYN_RECV;
	xtcp_map_mark_lost(&s.tcb, 500, 501);
	s.tcb.todo |= XTCP_ACK_NOW;
	ASSERT_EQ(1, sender_flush(&s));
	ASSERT_EQ(XTCP_SYN | XTCP_ACK, s.log[0].flags);
	ASSERT_EQ(500, s.log[0].seq);
	ASSERT_EQ(501, s.log[0].end_seq);
	s.tcb.snd_wnd = 1000;
	s.tcb.todo |= XTCP_ACK_NOW;
	ASSERT_EQ(1, sender_flush(&s));
	ASSERT_EQ(XTCP_ACK, s.log[0].flags);
	ASSERT_EQ(501, s.log[0].seq);
	sender_wait(&s, XTCP_T_REXMT);
	xtcp_loss_on_rto(&s.tcb, s.now);
	ASSERT_EQ(1, sender_flush(&s));
	ASSERT_EQ(XTCP_TX_REXMIT, s.log[0].kind);
	ASSERT_EQ(XTCP_SYN | XTCP_ACK, s.log[0].flags);
	xtcp_tcb_purge(&s.tcb);
}

/* CLOSE in SYN-RECEIVED leads to FIN-WAIT-1 with the SYN still unacknowledged */
TEST(close_before_the_handshake_ends)
{
	struct sender s;

	syn_sent(&s, 500);
	sender_flush(&s);
	s.tcb.state = TCP_FIN_WAIT1;
	s.tcb.fin_queued = 1;
	s.tcb.snd_wnd = 1000;
	ASSERT_EQ(1, sender_flush(&s));
	ASSERT_EQ(XTCP_FIN | XTCP_ACK, s.log[0].flags);
	ASSERT_EQ(501, s.log[0].seq);
	sender_wait(&s, XTCP_T_REXMT);
	xtcp_loss_on_rto(&s.tcb, s.now);
	ASSERT_EQ(2, sender_flush(&s));
	ASSERT_EQ(XTCP_SYN | XTCP_ACK, s.log[0].flags);
	ASSERT_EQ(XTCP_FIN | XTCP_ACK, s.log[1].flags);
	xtcp_tcb_purge(&s.tcb);
}

TEST(states_that_send_nothing)
{
	static const u8 silent[] = { TCP_CLOSE, TCP_LISTEN, TCP_SYN_SENT, TCP_SYN_RECV,
				     TCP_FIN_WAIT2, TCP_TIME_WAIT };
	static const u8 sending[] = { TCP_ESTABLISHED, TCP_CLOSE_WAIT, TCP_FIN_WAIT1,
				      TCP_CLOSING, TCP_LAST_ACK };
	struct sender s;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(silent); i++) {
		sender_init(&s, 1);
		s.tcb.state = silent[i];
		sender_write(&s, 5000);
		ASSERT_EQ(0, sender_flush(&s));
	}
	for (i = 0; i < ARRAY_SIZE(sending); i++) {
		sender_init(&s, 1);
		s.tcb.state = sending[i];
		sender_write(&s, 5000);
		ASSERT_EQ(5, sender_flush(&s));
		xtcp_tcb_purge(&s.tcb);
	}
}

/* ---- windows and sizes ---- */

TEST(initial_window_in_whole_segments)
{
	struct sender s;
	unsigned int i;

	sender_init(&s, 0xfffffff0);
	s.tcb.cwnd = 10900;
	sender_write(&s, 50500);
	ASSERT_EQ(10, sender_flush(&s));
	for (i = 0; i < 10; i++)
		DATA(i, i * 1000, (i + 1) * 1000);
	ASSERT_TRUE(!!s.tcb.cwnd_limited);
	ASSERT_EQ(1, s.tcb.map_nr);
	ASSERT_EQ(s.now + 1000 * MS, s.tcb.deadline[XTCP_T_REXMT]);
	ASSERT_EQ(10, s.tcb.data_segs_out);
	ASSERT_EQ(10000, s.tcb.bytes_sent);
	xtcp_tcb_purge(&s.tcb);
}

/* RFC 7661 4.3: a message that fills cwnd and leaves nothing to be sent, in one piece */
TEST(a_message_of_one_window)
{
	struct sender s;

	sender_init(&s, 1);
	s.tcb.gso_max = 65536;
	s.tcb.cwnd = 10000;
	sender_write(&s, 10000);
	ASSERT_EQ(1, sender_flush(&s));
	ASSERT_TRUE(!!s.tcb.cwnd_limited);
	sender_ack(&s, 10000);
	ASSERT_EQ(20000, s.tcb.cwnd);
	xtcp_tcb_purge(&s.tcb);
}

/* RFC 5681 3.1, RFC 7661: what was in flight when cwnd was full shows that the path takes
 * as much, also after the user has nothing more to send; what was sent later does not
 */
TEST(cwnd_was_the_limit_for_a_window)
{
	struct sender s;
	u32 before_it;

	sender_init(&s, 1);
	xtcp_cc_assign(&s.tcb, &xtcp_cc_cubic, s.now);
	s.tcb.cwnd = 5000;
	s.tcb.ssthresh = 5000;
	sender_write(&s, 7000);
	ASSERT_EQ(5, sender_flush(&s));
	sender_ack(&s, 4000);
	ASSERT_EQ(2, sender_flush(&s));		/* pipe is 3 of 5: the end of the message */
	ASSERT_TRUE(!!s.tcb.cwnd_limited);	/* the fifth was the last of a full window */
	before_it = s.tcb.cwnd;
	sender_ack(&s, 5000);
	ASSERT_EQ(0, sender_flush(&s));
	ASSERT_TRUE(!s.tcb.cwnd_limited);
	ASSERT_LE(before_it + 100, s.tcb.cwnd);
	before_it = s.tcb.cwnd;
	sender_ack(&s, 7000);
	ASSERT_EQ(before_it, s.tcb.cwnd);
	xtcp_tcb_purge(&s.tcb);
}

/* With room in cwnd for less than SMSS a short queue may go, a long one not */
TEST(cwnd_never_makes_a_small_segment)
{
	static const struct {
		u32 queued, cwnd, sent;
	} v[] = {
		{ 500, 1000, 500 }, { 1500, 1400, 1000 }, { 1500, 1500, 1500 },
		{ 2500, 2400, 2000 }, { 2500, 2500, 2500 }, { 10000, 999, 1000 },
	};
	struct sender s;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(v); i++) {
		sender_init(&s, 1);
		s.tcb.nodelay = 1;
		s.tcb.cwnd = v[i].cwnd;
		sender_write(&s, v[i].queued);
		sender_flush(&s);
		ASSERT_EQ(v[i].sent, s.tcb.snd_nxt - s.tcb.snd_una);
		xtcp_tcb_purge(&s.tcb);
	}
}

TEST(super_packets)
{
	static const struct {
		u32 gso_max, queued, cwnd, wnd;
		u32 sizes[4];
	} v[] = {
		{ 4500, 10000, 20000, 99999, { 4000, 4000, 2000 } },
		{ 4500, 10300, 20000, 99999, { 4000, 4000, 2300 } },
		{ 65000, 10300, 20000, 99999, { 10300 } },
		{ 65000, 10300, 7777, 99999, { 7000 } },
		{ 65000, 10300, 20000, 7777, { 7000 } },
		{ 900, 2000, 20000, 99999, { 1000, 1000 } },
		{ 0, 2000, 20000, 99999, { 1000, 1000 } },
	};
	struct sender s;
	unsigned int i, j;

	for (i = 0; i < ARRAY_SIZE(v); i++) {
		sender_init(&s, 0xffffff00);
		s.tcb.gso_max = v[i].gso_max;
		s.tcb.cwnd = v[i].cwnd;
		s.tcb.snd_wnd = v[i].wnd;
		sender_write(&s, v[i].queued);
		sender_flush(&s);
		for (j = 0; j < 4 && v[i].sizes[j]; j++)
			ASSERT_EQ(v[i].sizes[j], sender_len(&s, j));
		ASSERT_EQ(j, s.sent);
		xtcp_tcb_purge(&s.tcb);
	}
}

/* So much in flight, and the window opens: the whole segments of an eighth of it are awaited,
 * but not more than a millisecond's share of the round trip; where that is less than two, a
 * quarter of a second one.
 */
TEST(no_long_burst_is_saved_up)
{
	static const struct {
		u64 srtt;
		u32 flight, room, leave;	/* segments of 1,000 */
	} t[] = {
		{ MS / 10, 40, 4999, 0 },	/* 44 / 8 = 5.5: five */
		{ MS / 10, 40, 5000, 5 },	/* 45 / 8 = 5.6 */
		{ 8 * MS, 40, 4999, 0 },
		{ 8 * MS, 40, 5000, 5 },
		{ 10 * MS, 40, 3999, 0 },	/* 43 / 10: four */
		{ 10 * MS, 40, 4000, 4 },
		{ 20 * MS, 40, 1999, 0 },	/* 41 / 20: two */
		{ 20 * MS, 40, 2000, 2 },
		{ 21 * MS, 40, 1249, 0 },	/* 41 / 21: one, and a part */
		{ 21 * MS, 40, 1250, 1 },
		{ 100 * MS, 40, 1249, 0 },	/* 41 / 100 */
		{ 100 * MS, 40, 1250, 1 },
		{ 100 * MS, 15, 1249, 0 },	/* 16 / 8 = 2 */
		{ 100 * MS, 14, 1249, 1 },	/* 15 / 8: a small window waits for nothing */
	};
	struct sender s;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(t); i++) {
		sender_init(&s, 9);
		s.tcb.gso_max = 60 * MSS;
		s.tcb.cwnd = t[i].flight * MSS;
		sender_write(&s, 200 * MSS);
		sender_flush(&s);
		ASSERT_EQ(t[i].flight * MSS, s.tcb.snd_nxt - s.tcb.snd_una);
		s.tcb.srtt = t[i].srtt;
		s.tcb.cwnd += t[i].room;
		sender_flush(&s);
		ASSERT_EQ((t[i].flight + t[i].leave) * MSS, s.tcb.snd_nxt - s.tcb.snd_una)
			TH_LOG("row %u", i);
		xtcp_tcb_purge(&s.tcb);
	}
}

/* ---- Nagle, cork ---- */

TEST(short_tail)
{
	enum { NODELAY = 1, CORK = 2, MORE = 4, FIN = 8, URG = 16,
	       SMALL_OUT = 32, FULL_OUT = 64 };
	static const struct {
		int how;
		u32 queued, sent;	/* beyond what is out already */
	} v[] = {
		{ 0, 10, 10 },
		{ 0, 2010, 2010 },
		{ FULL_OUT, 10, 10 },			/* Minshall */
		{ SMALL_OUT, 10, 0 },
		{ SMALL_OUT, 1010, 1000 },
		{ SMALL_OUT, 3000, 3000 },
		{ SMALL_OUT | NODELAY, 10, 10 },
		{ SMALL_OUT | FIN, 10, 11 },
		{ SMALL_OUT | URG, 10, 10 },
		{ CORK, 10, 0 },
		{ CORK, 1010, 1000 },
		{ CORK | NODELAY, 10, 0 },
		{ CORK | FULL_OUT, 10, 0 },
		{ CORK | FIN, 10, 11 },
		{ CORK | FIN, 2010, 2011 },
		{ MORE, 10, 0 },
		{ MORE, 2000, 2000 },
		{ MORE | NODELAY, 1010, 1000 },
	};
	struct sender s;
	unsigned int i;
	u32 nxt;

	for (i = 0; i < ARRAY_SIZE(v); i++) {
		sender_init(&s, -5);
		if (v[i].how & (SMALL_OUT | FULL_OUT)) {
			sender_write(&s, v[i].how & SMALL_OUT ? 100 : 1000);
			ASSERT_EQ(1, sender_flush(&s));
		}
		nxt = s.tcb.snd_nxt;
		s.tcb.nodelay = !!(v[i].how & NODELAY);
		s.tcb.cork = !!(v[i].how & CORK);
		s.tcb.more = !!(v[i].how & MORE);
		s.tcb.urg_out = !!(v[i].how & URG);
		sender_write(&s, v[i].queued);
		if (v[i].how & FIN) {
			s.tcb.fin_queued = 1;
			s.tcb.state = TCP_FIN_WAIT1;
		}
		sender_flush(&s);
		EXPECT_EQ(v[i].sent, s.tcb.snd_nxt - nxt)
			TH_LOG("row %u", i);
		xtcp_tcb_purge(&s.tcb);
	}
}

TEST(nagle_lets_go_when_the_small_one_is_acknowledged)
{
	struct sender s;

	sender_init(&s, 0x7fffffff);
	sender_write(&s, 100);
	ASSERT_EQ(1, sender_flush(&s));
	sender_write(&s, 100);
	ASSERT_EQ(0, sender_flush(&s));
	ASSERT_EQ(0, s.tcb.deadline[XTCP_T_PERSIST]);	/* the ACK will come */
	sender_ack(&s, 100);
	ASSERT_EQ(1, sender_flush(&s));
	DATA(0, 100, 200);
	xtcp_tcb_purge(&s.tcb);
}

/* A cork ends by itself, as the 200 ms of tcp(7) */
TEST(cork_has_a_ceiling)
{
	struct sender s;

	sender_init(&s, 3);
	s.tcb.cork = 1;
	sender_write(&s, 1100);
	ASSERT_EQ(1, sender_flush(&s));
	ASSERT_EQ(0, s.tcb.deadline[XTCP_T_PERSIST]);
	sender_ack(&s, 1000);
	ASSERT_EQ(0, sender_flush(&s));
	ASSERT_EQ(0, sender_flush(&s));
	ASSERT_EQ(200 * MS, sender_wait(&s, XTCP_T_PERSIST));
	ASSERT_EQ(0, s.tcb.stalled_at);
	xtcp_tx_persist(&s.tcb, s.now);
	ASSERT_EQ(1, sender_flush(&s));
	DATA(0, 1000, 1100);
	ASSERT_EQ(0, s.tcb.deadline[XTCP_T_PERSIST]);
	ASSERT_EQ(0, s.tcb.probes);
	ASSERT_EQ(0, s.tcb.backoff);
	xtcp_tcb_purge(&s.tcb);
}

/* ---- silly windows, RFC 9293 3.8.6.2.1 ---- */

TEST(silly_windows)
{
	static const struct {
		u32 in_flight, wnd_left, max_wnd, queued, nodelay, sent;
	} v[] = {
		{ 0, 1000, 9999, 5000, 0, 1000 },	/* (1) a full segment */
		{ 0, 999, 9999, 5000, 0, 0 },
		{ 0, 1999, 9999, 5000, 0, 1000 },
		{ 0, 300, 9999, 300, 0, 300 },		/* (2) all of it fits */
		{ 0, 300, 9999, 301, 0, 0 },
		{ 0, 300, 600, 5000, 0, 300 },		/* (3) half of the largest window */
		{ 0, 299, 600, 5000, 0, 0 },
		{ 1000, 300, 600, 5000, 0, 0 },		/* (3) in brackets: with Nagle */
		{ 1000, 300, 600, 5000, 1, 300 },
		{ 0, 0, 9999, 5000, 1, 0 },
	};
	struct sender s;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(v); i++) {
		u32 nxt;

		sender_init(&s, -1000);
		s.tcb.snd_wnd = v[i].in_flight;
		if (v[i].in_flight) {
			sender_write(&s, v[i].in_flight);
			ASSERT_EQ(1, sender_flush(&s));
		}
		nxt = s.tcb.snd_nxt;
		s.tcb.snd_wnd += v[i].wnd_left;
		s.tcb.max_snd_wnd = v[i].max_wnd;
		s.tcb.nodelay = v[i].nodelay;
		sender_write(&s, v[i].queued);
		sender_flush(&s);
		EXPECT_EQ(v[i].sent, s.tcb.snd_nxt - nxt)
			TH_LOG("row %u", i);
		/* something waits and nothing is in flight: only a timer can help */
		EXPECT_EQ(nxt == s.tcb.snd_una && !v[i].sent,
			  !!s.tcb.deadline[XTCP_T_PERSIST])
			TH_LOG("row %u", i);
		xtcp_tcb_purge(&s.tcb);
	}
}

/* Rule (4): the override timeout, 0.1 to 1 s */
TEST(sliver_leaves_by_timeout)
{
	struct sender s;
	u64 waited;

	sender_init(&s, 3);
	s.tcb.snd_wnd = 400;
	sender_write(&s, 5000);
	ASSERT_EQ(0, sender_flush(&s));
	waited = sender_wait(&s, XTCP_T_PERSIST);
	ASSERT_GE(waited, 100 * MS);
	ASSERT_LE(waited, 1000 * MS);
	xtcp_tx_persist(&s.tcb, s.now);
	ASSERT_EQ(1, sender_flush(&s));
	DATA(0, 0, 400);
	ASSERT_EQ(XTCP_TX_NEW, s.log[0].kind);
	xtcp_tcb_purge(&s.tcb);
}

/* RFC 9293 3.8.6 (SHLD-15, SHLD-16): a shrunken window */
TEST(shrunken_window)
{
	struct sender s;

	sender_init(&s, -2000);
	s.tcb.no_frto = 1;
	s.tcb.snd_wnd = 5000;
	sender_write(&s, 9000);
	ASSERT_EQ(5, sender_flush(&s));
	sender_ack_wnd(&s, 1000, 1500, 0, NULL);	/* the edge was 5000, is 2500 */
	ASSERT_EQ(0, sender_flush(&s));
	s.tcb.todo |= XTCP_ACK_NOW;
	ASSERT_EQ(1, sender_flush(&s));
	DATA(0, 2500, 2500);				/* an ACK that the peer will take */
	sender_wait(&s, XTCP_T_REXMT);
	xtcp_loss_on_rto(&s.tcb, s.now);
	ASSERT_EQ(1, sender_flush(&s));
	DATA(0, 1000, 2000);
	ASSERT_EQ(XTCP_TX_REXMIT, s.log[0].kind);
	s.tcb.cwnd = 10000;
	ASSERT_EQ(1, sender_flush(&s));
	DATA(0, 2000, 2500);
	ASSERT_EQ(0, sender_flush(&s));
	sender_ack_wnd(&s, 2500, 99999, 0, NULL);
	ASSERT_EQ(7, sender_flush(&s));
	DATA(0, 2500, 3500);
	DATA(2, 4500, 5000);
	DATA(3, 5000, 6000);
	ASSERT_EQ(XTCP_TX_NEW, s.log[3].kind);
	xtcp_tcb_purge(&s.tcb);
}

/* ---- zero window, RFC 9293 3.8.6.1 ---- */

TEST(zero_window_is_probed_with_back_off)
{
	struct sender s;
	u64 wait;
	int i;

	sender_init(&s, 0);
	sender_write(&s, 1000);
	sender_flush(&s);
	s.now += 100 * MS;
	sender_ack_wnd(&s, 1000, 0, 0, NULL);
	sender_write(&s, 3000);
	ASSERT_EQ(0, sender_flush(&s));
	ASSERT_EQ(0, s.tcb.deadline[XTCP_T_REXMT]);
	wait = xtcp_rto(&s.tcb);
	ASSERT_EQ(300 * MS, wait);
	for (i = 1; i <= 5; i++) {
		ASSERT_EQ(wait, sender_wait(&s, XTCP_T_PERSIST));
		xtcp_tx_persist(&s.tcb, s.now);
		ASSERT_EQ(i, s.tcb.probes);
		ASSERT_EQ(1, sender_flush(&s));
		ASSERT_EQ(XTCP_TX_PROBE, s.log[0].kind);
		ASSERT_EQ(XTCP_ACK, s.log[0].flags);
		ASSERT_EQ(s.tcb.snd_una - 1, s.log[0].seq);
		ASSERT_EQ(s.tcb.snd_una - 1, s.log[0].end_seq);
		wait *= 2;
	}
	ASSERT_NE(0, s.tcb.stalled_at);
	/* an answer: the peer lives (MUST-37), the interval still grows */
	sender_ack_wnd(&s, 1000, 0, 0, NULL);
	ASSERT_EQ(0, s.tcb.probes);
	ASSERT_EQ(0, sender_flush(&s));
	ASSERT_EQ(wait, sender_wait(&s, XTCP_T_PERSIST));
	xtcp_tx_persist(&s.tcb, s.now);
	ASSERT_EQ(1, sender_flush(&s));
	/* the window opens */
	sender_ack_wnd(&s, 1000, 9000, 0, NULL);
	ASSERT_EQ(0, s.tcb.deadline[XTCP_T_PERSIST]);
	ASSERT_EQ(0, s.tcb.backoff);
	ASSERT_EQ(0, s.tcb.stalled_at);
	ASSERT_EQ(3, sender_flush(&s));
	DATA(0, 1000, 2000);
	ASSERT_NE(0, s.tcb.deadline[XTCP_T_REXMT]);
	xtcp_tcb_purge(&s.tcb);
}

TEST(zero_window_holds_the_fin)
{
	struct sender s;

	sender_init(&s, 0);
	s.tcb.snd_wnd = 0;
	s.tcb.fin_queued = 1;
	s.tcb.state = TCP_FIN_WAIT1;
	ASSERT_EQ(0, sender_flush(&s));
	sender_wait(&s, XTCP_T_PERSIST);
	xtcp_tx_persist(&s.tcb, s.now);
	ASSERT_EQ(1, sender_flush(&s));
	ASSERT_EQ(XTCP_TX_PROBE, s.log[0].kind);
	sender_ack_wnd(&s, 0, 1, 0, NULL);
	ASSERT_EQ(1, sender_flush(&s));
	ASSERT_EQ(XTCP_FIN | XTCP_ACK, s.log[0].flags);
	xtcp_tcb_purge(&s.tcb);
}

/* The peer shuts its window over data in flight (MUST-35, SHLD-17) */
TEST(window_shut_over_data_in_flight)
{
	struct sender s;
	int i;

	sender_init(&s, 0);
	sender_write(&s, 3000);
	sender_flush(&s);
	sender_ack_wnd(&s, 0, 0, 0, NULL);
	for (i = 0; i < 4; i++) {
		sender_wait(&s, XTCP_T_REXMT);
		xtcp_loss_on_rto(&s.tcb, s.now);
		ASSERT_EQ(1, sender_flush(&s));
		ASSERT_EQ(XTCP_TX_PROBE, s.log[0].kind);
		ASSERT_EQ(1, s.tcb.rexmits);
		sender_ack_wnd(&s, 0, 0, 0, NULL);
		ASSERT_EQ(0, s.tcb.rexmits);
	}
	sender_ack_wnd(&s, 0, 5000, 0, NULL);
	ASSERT_EQ(1, sender_flush(&s));
	ASSERT_EQ(XTCP_TX_REXMIT, s.log[0].kind);
	DATA(0, 0, 1000);
	xtcp_tcb_purge(&s.tcb);
}

TEST(persist_with_nothing_to_send_is_silent)
{
	struct sender s;

	sender_init(&s, 0);
	s.tcb.snd_wnd = 0;
	s.tcb.deadline[XTCP_T_PERSIST] = 1;
	xtcp_tx_persist(&s.tcb, s.now);
	ASSERT_EQ(0, s.tcb.deadline[XTCP_T_PERSIST]);
	ASSERT_EQ(0, sender_flush(&s));
}

/* ---- PSH, FIN ---- */

TEST(psh)
{
	struct sender s;

	sender_init(&s, -1500);
	sender_write(&s, 2500);		/* PSH ends here */
	s.tcb.write_seq += 2000;	/* more text, not yet pushed */
	s.tcb.cwnd = 4000;
	ASSERT_EQ(4, sender_flush(&s));
	ASSERT_EQ(XTCP_ACK, s.log[0].flags);
	ASSERT_EQ(XTCP_ACK, s.log[1].flags);
	ASSERT_EQ(XTCP_ACK | XTCP_PSH, s.log[2].flags);
	ASSERT_EQ(XTCP_ACK, s.log[3].flags);
	s.tcb.cwnd = 9000;
	ASSERT_EQ(1, sender_flush(&s));
	ASSERT_EQ(XTCP_ACK | XTCP_PSH, s.log[0].flags);	/* MUST-61: no more queued */
	/* a retransmission carries it as well */
	sender_wait(&s, XTCP_T_REXMT);
	xtcp_loss_on_rto(&s.tcb, s.now);
	s.tcb.gso_max = 9000;
	s.tcb.cwnd = 9000;
	sender_flush(&s);
	ASSERT_EQ(XTCP_ACK | XTCP_PSH, s.log[0].flags);
	xtcp_tcb_purge(&s.tcb);
}

/* Super-packets: a short burst waits for a longer one, up to an eighth of the window */
TEST(short_bursts_wait)
{
	static const struct {
		u32 flight, cwnd, wnd, len;
	} v[] = {
		{ 9, 10000, 99000, 1000 },	/* an eighth is one segment: none waits */
		{ 15, 15999, 99000, 0 },	/* no whole segment */
		{ 14, 15999, 99000, 1000 },
		{ 15, 16000, 99000, 0 },	/* an eighth is two */
		{ 14, 16000, 99000, 2000 },
		{ 37, 40000, 99000, 3000 },	/* five of 40; all that is queued is 3 */
		{ 36, 40000, 99000, 0 },
		{ 35, 40000, 99000, 5000 },
		{ 38, 90000, 40000, 0 },	/* the peer's window counts as well */
		{ 7, 90000, 8000, 1000 },
		{ 0, 40000, 99000, 40000 },	/* nothing in flight: no ACK will come */
	};
	struct sender s;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(v); i++) {
		sender_init(&s, -700);
		s.tcb.cwnd = v[i].flight * MSS;
		sender_write(&s, v[i].flight * MSS);
		ASSERT_EQ(v[i].flight, sender_flush(&s));
		s.tcb.gso_max = 64000;
		s.tcb.cwnd = v[i].cwnd;
		s.tcb.snd_wnd = v[i].wnd;
		s.tcb.max_snd_wnd = v[i].wnd;
		sender_write(&s, v[i].len == 3000 ? 3000 : 100 * MSS);
		ASSERT_EQ(!!v[i].len, sender_flush(&s))
			TH_LOG("row %u", i);
		if (v[i].len)
			ASSERT_EQ(v[i].len, sender_len(&s, 0))
				TH_LOG("row %u", i);
		xtcp_tcb_purge(&s.tcb);
	}
}

TEST(fin)
{
	static const struct {
		u32 queued, cwnd, wnd, gso;
		u32 lens[4];		/* FIN counted */
	} v[] = {
		{ 0, 10000, 9999, 0, { 1 } },
		{ 0, 10000, 1, 0, { 1 } },
		{ 0, 10000, 0, 0, { 0 } },
		{ 500, 10000, 9999, 0, { 501 } },
		{ 500, 10000, 501, 0, { 501 } },
		{ 500, 10000, 500, 0, { 500 } },	/* the FIN is beyond the window */
		{ 1000, 10000, 9999, 0, { 1001 } },
		{ 1500, 10000, 9999, 0, { 1000, 501 } },
		{ 1500, 1000, 9999, 0, { 1000 } },
		{ 1000, 1000, 9999, 0, { 1001 } },
		{ 1500, 10000, 9999, 5000, { 1501 } },
		{ 4000, 10000, 9999, 4000, { 4001 } },
		{ 5000, 10000, 9999, 4000, { 4000, 1001 } },
	};
	struct sender s;
	unsigned int i, j;

	for (i = 0; i < ARRAY_SIZE(v); i++) {
		sender_init(&s, -700);
		s.tcb.cwnd = v[i].cwnd;
		s.tcb.snd_wnd = v[i].wnd;
		s.tcb.gso_max = v[i].gso;
		sender_write(&s, v[i].queued);
		s.tcb.fin_queued = 1;
		s.tcb.state = TCP_FIN_WAIT1;
		sender_flush(&s);
		for (j = 0; j < 4 && v[i].lens[j]; j++) {
			bool last = s.log[j].end_seq == s.tcb.write_seq + 1;

			EXPECT_EQ(v[i].lens[j], sender_len(&s, j))
				TH_LOG("row %u", i);
			EXPECT_EQ(last, !!(s.log[j].flags & XTCP_FIN));
		}
		EXPECT_EQ(j, s.sent)
			TH_LOG("row %u", i);
		ASSERT_EQ(0, sender_flush(&s));
		xtcp_tcb_purge(&s.tcb);
	}
}

TEST(fin_is_repeated_with_its_data)
{
	struct sender s;

	sender_init(&s, -700);
	sender_write(&s, 1500);
	s.tcb.fin_queued = 1;
	s.tcb.state = TCP_FIN_WAIT1;
	sender_flush(&s);
	sender_wait(&s, XTCP_T_REXMT);
	xtcp_loss_on_rto(&s.tcb, s.now);
	ASSERT_EQ(1, sender_flush(&s));
	DATA(0, 0, 1000);
	ASSERT_EQ(0, s.log[0].flags & XTCP_FIN);
	sender_ack(&s, 1000);
	ASSERT_EQ(1, sender_flush(&s));
	DATA(0, 1000, 1501);
	ASSERT_EQ(XTCP_FIN | XTCP_PSH | XTCP_ACK, s.log[0].flags);
	sender_wait(&s, XTCP_T_REXMT);
	xtcp_loss_on_rto(&s.tcb, s.now);
	ASSERT_EQ(XTCP_A_DATA_ACKED, sender_ack(&s, 1500).flags);
	ASSERT_EQ(1, sender_flush(&s));
	DATA(0, 1500, 1501);			/* the FIN alone */
	ASSERT_EQ(XTCP_FIN | XTCP_ACK, s.log[0].flags);
	ASSERT_EQ(XTCP_A_DATA_ACKED | XTCP_A_FIN_ACKED, sender_ack(&s, 1501).flags);
	ASSERT_EQ(0, s.tcb.deadline[XTCP_T_REXMT]);
	ASSERT_EQ(0, sender_flush(&s));
	ASSERT_EQ(0, s.tcb.map_nr);
}

/* ---- bare ACK, idle, memory, options ---- */

TEST(bare_ack_only_when_nothing_carries_it)
{
	struct sender s;

	sender_init(&s, 9);
	s.tcb.todo |= XTCP_ACK_NOW;
	ASSERT_EQ(1, sender_flush(&s));
	ASSERT_EQ(XTCP_TX_ACK, s.log[0].kind);
	DATA(0, 0, 0);
	s.tcb.todo |= XTCP_ACK_NOW;
	sender_write(&s, 10);
	ASSERT_EQ(1, sender_flush(&s));
	ASSERT_EQ(XTCP_TX_NEW, s.log[0].kind);
	xtcp_tcb_purge(&s.tcb);
}

/* RFC 5681 4.1 */
TEST(restart_after_idle)
{
	struct sender s;
	int keep;

	for (keep = 0; keep < 2; keep++) {
		sender_init(&s, 9);
		s.tcb.no_idle_restart = keep;
		sender_write(&s, 1000);
		sender_flush(&s);
		sender_ack(&s, 1000);
		s.tcb.cwnd = 50000;
		s.now += s.tcb.rto;
		sender_write(&s, 1000);		/* not longer than an RTO */
		ASSERT_EQ(1, sender_flush(&s));
		ASSERT_EQ(50000, s.tcb.cwnd);
		sender_ack(&s, 2000);
		s.now += s.tcb.rto + 1;
		sender_write(&s, 100000);
		ASSERT_EQ(keep ? 50 : 10, sender_flush(&s));
		xtcp_tcb_purge(&s.tcb);
	}
}

TEST(without_memory_nothing_leaves_and_a_timer_comes_back)
{
	struct sender s;
	struct xtcp_tx what;

	sender_init(&s, 9);
	sender_write(&s, 3000);
	unit_seg_budget = 0;
	ASSERT_TRUE(xtcp_tx_next(&s.tcb, s.now, &what));
	ASSERT_EQ(-1, xtcp_tx_prepare(&s.tcb, &what, s.now));
	ASSERT_EQ(s.tcb.snd_una, s.tcb.snd_nxt);
	ASSERT_EQ(0, s.tcb.bytes_sent);
	ASSERT_NE(0, s.tcb.deadline[XTCP_T_REXMT]);
	unit_seg_budget = -1;
	sender_wait(&s, XTCP_T_REXMT);
	xtcp_loss_on_rto(&s.tcb, s.now);
	ASSERT_EQ(XTCP_OPEN, s.tcb.recovery);
	ASSERT_EQ(0, s.tcb.rexmits);
	ASSERT_EQ(3, sender_flush(&s));
	xtcp_tcb_purge(&s.tcb);
}

TEST(options_of_a_segment)
{
	struct xtcp_options o;
	struct sender s;

	sender_init(&s, 9);
	xtcp_tx_options(&s.tcb, XTCP_SYN, 1460, s.now, &o);
	ASSERT_EQ(XTCP_HAS_MSS, o.present);
	ASSERT_EQ(1460, o.mss);
	s.tcb.sack_ok = 1;
	s.tcb.ts_ok = 1;
	s.tcb.wscale_ok = 1;
	s.tcb.rcv_wscale = 9;
	s.tcb.ts_recent = 0x1234;
	s.tcb.ts_offset = 100;
	xtcp_tx_options(&s.tcb, XTCP_SYN, 1460, s.now, &o);
	ASSERT_EQ(XTCP_HAS_MSS | XTCP_HAS_SACK_PERM | XTCP_HAS_TS | XTCP_HAS_WSCALE,
		  o.present);
	ASSERT_EQ(9, o.wscale);
	ASSERT_EQ(1100, o.tsval);
	ASSERT_EQ(0, o.tsecr);			/* RFC 7323 3.2: no ACK, no TSecr */
	xtcp_tx_options(&s.tcb, XTCP_SYN | XTCP_ACK, 1460, s.now, &o);
	ASSERT_EQ(0x1234, o.tsecr);
	s.tcb.nr_sack = 4;
	xtcp_tx_options(&s.tcb, XTCP_ACK, 1460, s.now, &o);
	ASSERT_EQ(XTCP_HAS_TS, o.present);
	ASSERT_EQ(3, o.nr_sack);		/* RFC 2018 3: three beside timestamps */
	ASSERT_LE(xtcp_options_len(&o), XTCP_MAX_OPT);
	s.tcb.ts_ok = 0;
	xtcp_tx_options(&s.tcb, XTCP_ACK, 1460, s.now, &o);
	ASSERT_EQ(0, o.present);
	ASSERT_EQ(4, o.nr_sack);
	ASSERT_LE(xtcp_options_len(&o), XTCP_MAX_OPT);
	s.tcb.sack_ok = 0;
	xtcp_tx_options(&s.tcb, XTCP_ACK, 1460, s.now, &o);
	ASSERT_EQ(0, o.nr_sack);
}

TEST_HARNESS_MAIN
