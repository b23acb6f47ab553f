// SPDX-License-Identifier: GPL-2.0
/*
 * Pacing: rates by hand, a paced sender against the clock, bursts, late timers, and
 * the stamps for a queueing discipline that paces.
 */
#include "sender.h"

#define MB	1000000ULL

static void paced(struct sender *s, u64 most, bool fq)
{
	sender_init(s, 1000);
	s->tcb.gso_max = 64000;
	s->tcb.cwnd = 1000000000;
	s->tcb.snd_wnd = 1000000000;
	s->tcb.max_snd_wnd = 1000000000;
	xtcp_pace_set(&s->tcb, most, fq);
}

/* Bytes that the last flush sent */
static u32 flushed(const struct sender *s)
{
	unsigned int i;
	u32 n = 0;

	for (i = 0; i < s->sent; i++)
		if (s->log[i].kind != XTCP_TX_ACK)
			n += sender_len(s, i);
	return n;
}

TEST(rate_by_hand)
{
	struct sender s;

	sender_init(&s, 1);
	s.tcb.cwnd = 100000;
	EXPECT_EQ(0, xtcp_pace_rate(&s.tcb));		/* no round trip known */
	xtcp_pace_set(&s.tcb, 5 * MB, false);
	EXPECT_EQ(5 * MB, s.tcb.pacing_rate);
	s.tcb.srtt = 100 * MS;
	EXPECT_EQ(2 * MB, xtcp_pace_rate(&s.tcb));	/* slow start: 2 * 100 KB / 100 ms */
	s.tcb.ssthresh = 100000;
	EXPECT_EQ(1200000, xtcp_pace_rate(&s.tcb));	/* 1.2 * */
	xtcp_pace_set(&s.tcb, 1 * MB, false);
	EXPECT_EQ(1 * MB, s.tcb.pacing_rate);
	s.tcb.cc_rate = 400000;				/* the controller's own */
	EXPECT_EQ(400000, xtcp_pace_rate(&s.tcb));
	s.tcb.cc_rate = 3 * MB;
	EXPECT_EQ(1 * MB, xtcp_pace_rate(&s.tcb));
	s.tcb.cc_rate = 0;
	s.tcb.cwnd = XTCP_CWND_MAX;			/* no overflow at either end */
	s.tcb.ssthresh = XTCP_SSTHRESH_INIT;
	s.tcb.pacing_max = 0;
	s.tcb.srtt = 1;
	EXPECT_EQ(2ULL * XTCP_CWND_MAX * 1000000000, xtcp_pace_rate(&s.tcb));
	s.tcb.cwnd = MSS;
	s.tcb.srtt = 60ULL * 1000000000 * 1000000;
	EXPECT_EQ(1, xtcp_pace_rate(&s.tcb));
}

/* The rate follows cwnd and SRTT with each ACK */
TEST(rate_follows_acks)
{
	struct sender s;

	sender_init(&s, 1);
	xtcp_pace_set(&s.tcb, 0, false);
	sender_write(&s, 10000);
	EXPECT_EQ(10, sender_flush(&s));
	s.now += 50 * MS;
	sender_ack(&s, 10000);
	EXPECT_EQ(50 * MS, s.tcb.srtt);
	EXPECT_EQ(2ULL * s.tcb.cwnd * 20, s.tcb.pacing_rate);
	xtcp_tcb_purge(&s.tcb);
}

/* @late: what each timer is late by. Return: ns until all of @total has left */
static u64 run(struct sender *s, u32 total, u64 late, u32 *burst)
{
	u64 from = s->now;
	u32 sent = 0;

	*burst = 0;
	sender_write(s, total);
	while (sent < total) {
		sender_flush(s);
		sent += flushed(s);
		*burst = max(*burst, flushed(s));
		sender_ack(s, sent);
		if (sent == total)
			break;
		if (!s->tcb.deadline[XTCP_T_PACE])
			return 0;
		sender_wait(s, XTCP_T_PACE);
		s->now += late;
	}
	return s->now - from;
}

/* Bytes / rate, and at most 1 ms of text or two segments at once (and once 1 ms more,
 * for a clock that has stood still)
 */
TEST(bytes_by_rate)
{
	static const struct {
		u64 rate;
		u32 bytes;
		u32 burst;
	} t[] = {
		{ 100000, 200000, 2000 },
		{ MB, 2000000, 2000 },
		{ 10 * MB, 20000000, 10000 },
		{ 125 * MB, 100000000, 64000 },
	};
	static const u64 late[] = { 0, 50000, 900000 };
	unsigned int i, j;
	struct sender s;
	u64 took, ideal;
	u32 burst;

	for (i = 0; i < ARRAY_SIZE(t); i++) {
		for (j = 0; j < ARRAY_SIZE(late); j++) {
			paced(&s, t[i].rate, false);
			took = run(&s, t[i].bytes, late[j], &burst);
			ideal = t[i].bytes * 1000000000ULL / t[i].rate;
			EXPECT_LE(ideal * 95 / 100, took);
			EXPECT_GE(ideal * 105 / 100, took) {
				TH_LOG("%zu bytes/s, %zu late", (size_t)t[i].rate, (size_t)late[j]);
			}
			EXPECT_GE(2 * t[i].burst + t[i].rate / 1000, burst);
			xtcp_tcb_purge(&s.tcb);
		}
	}
}

/* Steady state: one piece per firing, as long as one burst */
TEST(one_piece_each_time)
{
	struct sender s;
	unsigned int i;

	paced(&s, 10 * MB, false);
	sender_write(&s, 10000000);
	sender_flush(&s);
	for (i = 0; i < 50; i++) {
		u64 waited = sender_wait(&s, XTCP_T_PACE);

		ASSERT_EQ(1, sender_flush(&s));
		ASSERT_EQ(10000, sender_len(&s, 0));
		if (i)
			ASSERT_EQ(MS, waited);
	}
	xtcp_tcb_purge(&s.tcb);
}

TEST(piece_length)
{
	struct sender s;

	paced(&s, MB, false);
	EXPECT_EQ(2000, xtcp_pace_burst(&s.tcb, 64000, 1000));	/* two segments at least */
	EXPECT_EQ(1000, xtcp_pace_burst(&s.tcb, 1000, 1000));	/* what the device takes */
	xtcp_pace_set(&s.tcb, 30 * MB, false);
	EXPECT_EQ(30000, xtcp_pace_burst(&s.tcb, 64000, 1000));	/* 1 ms */
	xtcp_pace_set(&s.tcb, 1000 * MB, false);
	EXPECT_EQ(64000, xtcp_pace_burst(&s.tcb, 64000, 1000));
	xtcp_pace_off(&s.tcb);
	EXPECT_EQ(64000, xtcp_pace_burst(&s.tcb, 64000, 1000));
}

/* An idle connection saves nothing up but what a late timer is forgiven */
TEST(no_burst_after_idle)
{
	struct sender s;
	u32 burst;

	paced(&s, 10 * MB, false);
	s.tcb.no_idle_restart = 1;
	run(&s, 100000, 0, &burst);
	s.now += 10000 * MS;
	sender_write(&s, 1000000);
	sender_flush(&s);
	EXPECT_GE(20000, flushed(&s));
	EXPECT_LE(10000, flushed(&s));
	xtcp_tcb_purge(&s.tcb);
}

TEST(nothing_to_send_no_timer)
{
	struct sender s;

	paced(&s, MB, false);
	sender_write(&s, 2000);
	sender_flush(&s);
	EXPECT_EQ(0, s.tcb.deadline[XTCP_T_PACE]);
	s.tcb.cwnd = 2000;			/* cwnd is what stops it */
	sender_write(&s, 2000);
	EXPECT_EQ(0, sender_flush(&s));
	EXPECT_EQ(0, s.tcb.deadline[XTCP_T_PACE]);
	xtcp_tcb_purge(&s.tcb);
}

/* An ACK waits for nobody; a lost segment waits as a new one does */
TEST(what_is_held)
{
	struct sender s;
	unsigned int i;

	paced(&s, 100000, false);
	s.tcb.sack_ok = 1;
	sender_write(&s, 8000);
	for (i = 0; i < 4; i++) {
		sender_flush(&s);
		sender_wait(&s, XTCP_T_PACE);
	}
	s.tcb.todo |= XTCP_ACK_NOW;
	xtcp_map_mark_lost(&s.tcb, s.tcb.iss + 1, s.tcb.iss + 1001);
	s.tcb.pace_next = s.now + 5 * MS;
	ASSERT_EQ(1, sender_flush(&s));
	EXPECT_EQ(XTCP_TX_ACK, s.log[0].kind);
	EXPECT_EQ(s.now + 5 * MS, s.tcb.deadline[XTCP_T_PACE]);
	sender_wait(&s, XTCP_T_PACE);
	ASSERT_LE(1, sender_flush(&s));
	EXPECT_EQ(XTCP_TX_REXMIT, s.log[0].kind);
	xtcp_tcb_purge(&s.tcb);
}

/* The initial window is not paced by a guess, but by what the user has set */
TEST(initial_window)
{
	struct sender s;

	sender_init(&s, 1);
	s.tcb.srtt = 100 * MS;
	xtcp_pace_set(&s.tcb, 0, false);
	sender_write(&s, 50000);
	ASSERT_EQ(10, sender_flush(&s));
	xtcp_tcb_purge(&s.tcb);
	sender_init(&s, 1);
	s.tcb.srtt = 100 * MS;
	xtcp_pace_set(&s.tcb, 100000, false);
	sender_write(&s, 50000);
	ASSERT_GE(2, sender_flush(&s));
	ASSERT_NE(0, s.tcb.deadline[XTCP_T_PACE]);
	xtcp_tcb_purge(&s.tcb);
}

/* RFC 7661: pacing is not what cwnd's growth is judged by */
TEST(still_limited_by_cwnd)
{
	struct sender s;

	paced(&s, 10 * MB, false);
	s.tcb.cwnd = 10000;
	s.tcb.ssthresh = 10000;
	sender_write(&s, 100000);
	sender_flush(&s);
	EXPECT_EQ(1, (int)s.tcb.cwnd_limited);
	s.tcb.pace_next = s.now + MS;
	sender_ack(&s, 5000);
	EXPECT_EQ(0, sender_flush(&s));
	EXPECT_EQ(1, (int)s.tcb.cwnd_limited);
	xtcp_tcb_purge(&s.tcb);
}

/* fq: each piece carries its time, a burst apart; no more than 2 ms of them wait there,
 * and the round trip counts from the stamp
 */
TEST(stamps_for_a_qdisc)
{
	u64 at = 0, took;
	struct sender s;
	unsigned int i;
	u32 burst;

	paced(&s, 10 * MB, true);
	sender_write(&s, 1000000);
	ASSERT_LE(2, sender_flush(&s));
	for (i = 0; i < s.sent; i++) {
		EXPECT_LE(s.now, s.log[i].at);
		EXPECT_GE(s.now + 2 * MS, s.log[i].at);
		if (i > 1)
			EXPECT_EQ(at + MS, s.log[i].at);
		at = s.log[i].at;
	}
	EXPECT_LT(s.now, s.tcb.deadline[XTCP_T_PACE]);
	EXPECT_EQ(at, s.tcb.map_last->sent_at);
	xtcp_tcb_purge(&s.tcb);
	paced(&s, 10 * MB, true);
	took = run(&s, 10000000, 900000, &burst);
	EXPECT_LE(950 * MS, took);
	EXPECT_GE(1050 * MS, took);
	xtcp_tcb_purge(&s.tcb);
}

/* A limit that was nearly zero is forgotten when the user lifts it */
TEST(limit_lifted)
{
	struct sender s;

	paced(&s, 1, false);
	sender_write(&s, 100000);
	sender_flush(&s);
	EXPECT_LT(s.now + 1000000 * MS, s.tcb.pace_next);
	xtcp_pace_set(&s.tcb, MB, false);
	EXPECT_LE(1, sender_flush(&s));
	xtcp_pace_off(&s.tcb);
	EXPECT_LE(1, sender_flush(&s));
	EXPECT_EQ(s.tcb.write_seq, s.tcb.snd_nxt);
	EXPECT_EQ(0, s.tcb.deadline[XTCP_T_PACE]);
	xtcp_tcb_purge(&s.tcb);
}

TEST_HARNESS_MAIN
