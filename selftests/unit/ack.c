// SPDX-License-Identifier: GPL-2.0
/*
 * xtcp_ack(): SND.UNA, SND.WND, SACK blocks, RTT samples and timers, from RFC 9293
 * 3.10.7.4, RFC 2018, RFC 6298 and RFC 7323.
 */
#include "sender.h"

/* ISS -500: the stream crosses the wrap of the sequence numbers */
static void in_flight(struct sender *s, u32 len)
{
	sender_init(s, -500);
	s->tcb.cwnd = 1000000;
	sender_write(s, len);
	sender_flush(s);
}

TEST(new_ack)
{
	struct xtcp_ack_result res;
	struct sender s;

	in_flight(&s, 3000);
	s.tcb.rexmits = 3;
	s.tcb.stalled_at = 7;
	s.now += 50 * MS;
	res = sender_ack(&s, 2500);
	ASSERT_EQ(2500, res.acked);
	ASSERT_EQ(XTCP_A_DATA_ACKED, res.flags);
	ASSERT_EQ(2500, sender_rel(&s, s.tcb.snd_una));
	ASSERT_EQ(2500, s.tcb.bytes_acked);
	ASSERT_TRUE(s.tcb.todo & XTCP_WAKE_WRITER);
	ASSERT_EQ(0, s.tcb.rexmits);
	ASSERT_EQ(0, s.tcb.stalled_at);
	ASSERT_EQ(500, xtcp_pipe(&s.tcb));
	xtcp_tcb_purge(&s.tcb);
}

TEST(old_and_impossible_acks_change_nothing)
{
	struct xtcp_ack_result res;
	struct sender s;

	in_flight(&s, 3000);
	sender_ack(&s, 2000);
	s.tcb.todo = 0;
	res = sender_ack_wnd(&s, 1000, 5, 0, NULL);
	ASSERT_EQ(0, res.flags);
	ASSERT_EQ(0, res.acked);
	res = sender_ack_wnd(&s, 3001, 5, 0, NULL);
	ASSERT_EQ(0, res.flags);
	ASSERT_EQ(2000, sender_rel(&s, s.tcb.snd_una));
	ASSERT_EQ(1000000, s.tcb.snd_wnd);
	ASSERT_EQ(0, s.tcb.todo);
	xtcp_tcb_purge(&s.tcb);
}

/* RFC 5681 2, duplicate acknowledgment, (a) to (e) */
TEST(duplicate_without_sack)
{
	enum { IDLE = 1, TEXT = 2, FIN = 4, OLD = 8, WINDOW = 16 };
	static const struct {
		int how;
		u8 flags;
	} v[] = {
		{ 0, XTCP_A_DUP }, { IDLE, 0 }, { TEXT, 0 }, { FIN, 0 }, { OLD, 0 },
		{ WINDOW, XTCP_A_WND_UPDATE },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(v); i++) {
		struct xtcp_segment seg = { .flags = XTCP_ACK, .seq = 78 };
		struct xtcp_ack_result res;
		struct sender s;

		in_flight(&s, 2000);
		sender_ack(&s, v[i].how & IDLE ? 2000 : 1000);
		seg.ack = s.tcb.snd_una - (v[i].how & OLD ? 1 : 0);
		seg.wnd = s.tcb.snd_wnd + (v[i].how & WINDOW ? 1 : 0);
		seg.len = v[i].how & TEXT ? 1 : 0;
		seg.flags |= v[i].how & FIN ? XTCP_FIN : 0;
		xtcp_ack(&s.tcb, &seg, s.now, &res);
		EXPECT_EQ(v[i].flags, res.flags)
			TH_LOG("row %u", i);
		xtcp_tcb_purge(&s.tcb);
	}
}

/* RFC 6675 2: a block with news makes it one, whatever else the segment carries */
TEST(duplicate_with_sack)
{
	struct sender s;

	in_flight(&s, 9000);
	s.tcb.sack_ok = 1;
	ASSERT_EQ(0, sender_ack(&s, 0).flags);
	ASSERT_EQ(XTCP_A_DUP, sender_sack(&s, 0, 2000, 3000).flags);
	ASSERT_EQ(0, sender_sack(&s, 0, 2000, 3000).flags);
	ASSERT_EQ(XTCP_A_DUP, sender_sack(&s, 0, 2000, 3001).flags);
	ASSERT_EQ(XTCP_A_DATA_ACKED, sender_sack(&s, 1000, 2000, 4000).flags);
	xtcp_tcb_purge(&s.tcb);
}

/* RFC 9293 3.10.7.4: SND.WL1 < SEG.SEQ, or equal and SND.WL2 =< SEG.ACK */
TEST(window_update)
{
	static const struct {
		s32 seq, ack;
		u32 wnd;		/* SND.WND was 5000, WL1 = 78, WL2 = una */
	} v[] = {
		{ 0, 0, 7000 }, { 1, 0, 7000 }, { 0, 10, 7000 },
		{ -1, 0, 5000 }, { -1, 10, 7000 }, { 0, -10, 5000 },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(v); i++) {
		struct xtcp_segment seg = { .flags = XTCP_ACK, .wnd = 7000 };
		struct xtcp_ack_result res;
		struct sender s;

		in_flight(&s, 2000);
		sender_ack_wnd(&s, 1000, 5000, 0, NULL);
		seg.seq = 78 + v[i].seq;
		seg.ack = s.tcb.snd_una + v[i].ack;
		xtcp_ack(&s.tcb, &seg, s.now, &res);
		EXPECT_EQ(v[i].wnd, s.tcb.snd_wnd)
			TH_LOG("row %u", i);
		EXPECT_EQ(v[i].wnd == 7000, !!(res.flags & XTCP_A_WND_UPDATE));
		ASSERT_EQ(1000000, s.tcb.max_snd_wnd);
		xtcp_tcb_purge(&s.tcb);
	}
}

/* RFC 7323 2.2: the window of a SYN is never scaled, any other is */
TEST(window_scale)
{
	struct xtcp_segment seg = { .flags = XTCP_ACK | XTCP_SYN, .seq = 77 };
	struct xtcp_ack_result res;
	struct sender s;

	sender_init(&s, -1);
	xtcp_tcb_set_iss(&s.tcb, -1);
	s.tcb.state = TCP_SYN_SENT;
	s.tcb.snd_wscale = 7;
	sender_flush(&s);
	s.now += 30 * MS;
	seg.ack = 0;
	seg.wnd = 1000;
	xtcp_ack(&s.tcb, &seg, s.now, &res);
	ASSERT_EQ(XTCP_A_DATA_ACKED | XTCP_A_SYN_ACKED | XTCP_A_WND_UPDATE, res.flags);
	ASSERT_EQ(1, res.acked);
	ASSERT_EQ(1000, s.tcb.snd_wnd);
	ASSERT_EQ(0, s.tcb.bytes_acked);
	ASSERT_EQ(30 * MS, s.tcb.srtt);		/* the SYN was measured */
	ASSERT_EQ(0, s.tcb.deadline[XTCP_T_REXMT]);
	s.tcb.state = TCP_ESTABLISHED;
	sender_ack_wnd(&s, 0, 1000, 0, NULL);
	ASSERT_EQ(128000, s.tcb.snd_wnd);
}

/* SND.UNA passes ISS again after 4 GB: that is no SYN */
TEST(iss_comes_round_again)
{
	struct sender s;

	sender_init(&s, 1000);
	s.tcb.snd_una = 500;
	s.tcb.snd_nxt = 500;
	s.tcb.write_seq = 500;
	sender_write(&s, 500);
	ASSERT_EQ(1, sender_flush(&s));
	ASSERT_EQ(XTCP_A_DATA_ACKED, sender_ack(&s, -1).flags);
	ASSERT_EQ(1000, s.tcb.snd_una);
	sender_write(&s, 700);
	ASSERT_EQ(1, sender_flush(&s));
	ASSERT_EQ(0, s.log[0].flags & XTCP_SYN);
	ASSERT_EQ(700, sender_len(&s, 0));
	ASSERT_EQ(XTCP_A_DATA_ACKED, sender_ack(&s, 699).flags);
	ASSERT_EQ(0, s.tcb.map_nr);
}

TEST(fin_acked_exactly_once)
{
	struct sender s;

	in_flight(&s, 100);
	s.tcb.fin_queued = 1;
	s.tcb.state = TCP_FIN_WAIT1;
	sender_flush(&s);
	ASSERT_EQ(XTCP_A_DATA_ACKED, sender_ack(&s, 100).flags);
	ASSERT_EQ(XTCP_A_DATA_ACKED | XTCP_A_FIN_ACKED, sender_ack(&s, 101).flags);
	ASSERT_EQ(100, s.tcb.bytes_acked);
	ASSERT_EQ(0, sender_ack(&s, 101).flags);
}

/* RFC 6298 5.1, 5.2, 5.3 */
TEST(retransmission_timer)
{
	struct sender s;

	in_flight(&s, 3000);
	ASSERT_EQ(s.now + 1000 * MS, s.tcb.deadline[XTCP_T_REXMT]);
	s.now += 100 * MS;
	sender_ack(&s, 1000);
	ASSERT_EQ(300 * MS, xtcp_rto(&s.tcb));
	ASSERT_EQ(s.now + 300 * MS, s.tcb.deadline[XTCP_T_REXMT]);
	s.now += 10 * MS;
	sender_ack_wnd(&s, 1000, 2000000, 0, NULL);	/* no new data: not restarted */
	ASSERT_EQ(s.now + 290 * MS, s.tcb.deadline[XTCP_T_REXMT]);
	sender_ack(&s, 3000);
	ASSERT_EQ(0, s.tcb.deadline[XTCP_T_REXMT]);
}

/* ---- RTT ---- */

TEST(sample_of_the_first_segment_with_the_delay_of_the_ack)
{
	struct sender s;

	in_flight(&s, 1000);
	s.now += 10 * MS;
	sender_write(&s, 1000);
	sender_flush(&s);
	s.now += 20 * MS;
	sender_ack(&s, 2000);
	ASSERT_EQ(30 * MS, s.tcb.srtt);
}

static void resent(struct sender *s)
{
	in_flight(s, 2000);
	sender_wait(s, XTCP_T_REXMT);
	xtcp_loss_on_rto(&s->tcb, s->now);
	sender_flush(s);
}

/* RFC 6298 3, Karn; the back-off stays until there is a sample (5.7) */
TEST(karn)
{
	struct sender s;

	resent(&s);
	s.now += 70 * MS;
	sender_ack(&s, 1000);
	ASSERT_EQ(0, s.tcb.srtt);
	ASSERT_EQ(1, s.tcb.backoff);
	sender_flush(&s);
	s.now += 70 * MS;
	sender_ack(&s, 2000);
	ASSERT_EQ(0, s.tcb.srtt);
	sender_write(&s, 1000);
	sender_flush(&s);
	s.now += 70 * MS;
	sender_ack(&s, 3000);
	ASSERT_EQ(70 * MS, s.tcb.srtt);
	ASSERT_EQ(0, s.tcb.backoff);
}

/* RFC 7323 4.1: timestamps where Karn leaves nothing, only when SND.UNA advances */
TEST(timestamps)
{
	static const struct {
		u32 rel;
		s32 ms_ago;
		bool no_option;
		u64 srtt;
	} v[] = {
		{ 1000, 70, false, 70 * MS },
		{ 1000, 0, false, 1 * MS },		/* one tick at least */
		{ 1000, -5, false, 0 },			/* never sent */
		{ 1000, 70, true, 0 },
		{ 0, 70, false, 0 },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(v); i++) {
		struct xtcp_segment seg = { .flags = XTCP_ACK, .seq = 78 };
		struct xtcp_ack_result res;
		struct sender s;

		resent(&s);
		s.tcb.ts_ok = 1;
		s.tcb.ts_offset = 0xfffffff0;
		s.now += 70 * MS;
		seg.wnd = s.tcb.snd_wnd;
		seg.ack = s.tcb.iss + 1 + v[i].rel;
		seg.opt.present = v[i].no_option ? 0 : XTCP_HAS_TS;
		seg.opt.tsecr = xtcp_ts_now(&s.tcb, s.now) - v[i].ms_ago;
		xtcp_ack(&s.tcb, &seg, s.now, &res);
		EXPECT_EQ(v[i].srtt, s.tcb.srtt)
			TH_LOG("row %u", i);
		xtcp_tcb_purge(&s.tcb);
	}
}

/* The ACK of the first retransmission was lost: the second is a duplicate, which the
 * receiver answers with the timestamp of the first (RFC 7323 5.3 R2).  That is no round
 * trip; but it is one where the ACK came sooner than the second can have been answered.
 */
TEST(echo_of_a_copy_whose_ack_was_lost)
{
	static const struct {
		u64 after;
		u64 srtt;
		u8 backoff;
	} v[] = {
		{ 70 * MS, 50 * MS, 2 },
		{ 20 * MS, (7 * 50 + 420) * MS / 8, 0 },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(v); i++) {
		struct xtcp_segment seg = { .flags = XTCP_ACK, .seq = 78 };
		struct xtcp_ack_result res;
		struct sender s;

		resent(&s);
		s.tcb.ts_ok = 1;
		s.tcb.srtt = 50 * MS;
		s.tcb.min_rtt = 50 * MS;
		seg.opt.tsecr = xtcp_ts_now(&s.tcb, s.now);
		s.now += 400 * MS;
		xtcp_loss_on_rto(&s.tcb, s.now);
		sender_flush(&s);
		s.now += v[i].after;
		seg.wnd = s.tcb.snd_wnd;
		seg.ack = s.tcb.iss + 1 + 1000;
		seg.opt.present = XTCP_HAS_TS;
		xtcp_ack(&s.tcb, &seg, s.now, &res);
		EXPECT_EQ(v[i].srtt, s.tcb.srtt)
			TH_LOG("row %u", i);
		EXPECT_EQ(v[i].backoff, s.tcb.backoff)
			TH_LOG("row %u", i);
		xtcp_tcb_purge(&s.tcb);
	}
}

/* What was SACKED long ago says nothing about the path now */
TEST(sacked_data_gives_its_sample_when_sacked)
{
	struct sender s;

	in_flight(&s, 2000);
	s.tcb.sack_ok = 1;
	s.now += 40 * MS;
	sender_sack(&s, 0, 1000, 2000);
	ASSERT_EQ(40 * MS, s.tcb.srtt);
	sender_wait(&s, XTCP_T_REXMT);
	xtcp_loss_on_rto(&s.tcb, s.now);
	sender_flush(&s);
	s.now += 40 * MS;
	sender_ack(&s, 2000);
	ASSERT_EQ(40 * MS, s.tcb.srtt);
}

/* ---- SACK blocks of all kinds ---- */

TEST(sack_blocks)
{
	static const struct {
		u32 from, to, sacked;
	} v[] = {	/* SND.UNA = 1000, SND.NXT = 9000 */
		{ 2000, 3000, 1000 },
		{ 8000, 9000, 1000 },
		{ 1001, 9000, 7999 },
		{ 3000, 2000, 0 },			/* reversed */
		{ 3000, 3000, 0 },
		{ 8000, 9001, 0 },			/* beyond SND.NXT */
		{ 9000, 9500, 0 },
		{ 20000, 30000, 0 },
		{ 0, 500, 0 },				/* below: a duplicate report */
		{ 500, 1500, 0 },
		{ 1000, 2000, 0 },			/* at SND.UNA: would be the ACK itself */
		{ 2000, 0x80002000, 0 },
		{ 0x80000000, 3000, 0 },
	};
	struct sender s;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(v); i++) {
		in_flight(&s, 9000);
		s.tcb.sack_ok = 1;
		sender_ack(&s, 1000);
		sender_sack(&s, 1000, v[i].from, v[i].to);
		EXPECT_EQ(v[i].sacked, s.tcb.sacked_bytes)
			TH_LOG("row %u", i);
		xtcp_tcb_purge(&s.tcb);
	}
}

TEST(sack_without_permission_is_ignored)
{
	struct sender s;

	in_flight(&s, 9000);
	sender_sack(&s, 0, 2000, 3000);
	ASSERT_EQ(0, s.tcb.sacked_bytes);
	xtcp_tcb_purge(&s.tcb);
}

TEST(four_blocks_overlapping)
{
	static const u32 b[] = { 5000, 6000, 2000, 3000, 2500, 4000, 5500, 5600 };
	struct sender s;

	in_flight(&s, 9000);
	s.tcb.sack_ok = 1;
	sender_ack_wnd(&s, 0, s.tcb.snd_wnd, 4, b);
	ASSERT_EQ(3000, s.tcb.sacked_bytes);
	ASSERT_EQ(6000, sender_rel(&s, s.tcb.high_sacked));
	xtcp_tcb_purge(&s.tcb);
}

/* ---- congestion window, urgent mark ---- */

/* RFC 7661: no growth where the application is the limit */
TEST(cwnd_grows_only_when_it_was_the_limit)
{
	struct sender s;

	sender_init(&s, 1);
	sender_write(&s, 50000);
	sender_flush(&s);
	sender_ack(&s, 2000);
	ASSERT_EQ(12000, s.tcb.cwnd);
	xtcp_tcb_purge(&s.tcb);
	sender_init(&s, 1);
	sender_write(&s, 3000);
	sender_flush(&s);
	sender_ack(&s, 2000);
	ASSERT_EQ(10000, s.tcb.cwnd);
	xtcp_tcb_purge(&s.tcb);
}

TEST(urgent_mark_ends_when_acknowledged)
{
	struct sender s;

	in_flight(&s, 3000);
	s.tcb.urg_out = 1;
	s.tcb.snd_up = s.tcb.snd_una + 2000;
	sender_ack(&s, 1999);
	ASSERT_TRUE(!!s.tcb.urg_out);
	sender_ack(&s, 2000);
	ASSERT_FALSE(!!s.tcb.urg_out);
	xtcp_tcb_purge(&s.tcb);
}

TEST_HARNESS_MAIN
