// SPDX-License-Identifier: GPL-2.0
/*
 * The other half of rx.c: the window to advertise (RFC 9293 3.8.6.2.2, 7323 2) as
 * properties over random lives of a receive buffer, and the delayed-ACK policy
 * (RFC 9293 3.8.6.3, 5681 4.2) as cases.
 */
#include "unit.h"

#define MSEC		XTCP_NSEC_PER_MSEC
#define DELAY		(40 * MSEC)

/* ---- window ---- */

struct buffer {
	struct xtcp_tcb tcb;
	u32 unread;		/* bytes in order that the reader has not taken */
	u32 factor;		/* memory per byte, in eighths: 8 is none but the text */
};

static u32 room(const struct buffer *b)
{
	u64 used = (u64)b->unread * b->factor / 8;

	return used < b->tcb.rcv_buf ? b->tcb.rcv_buf - used : 0;
}

#define CHECK(cond)							\
	do {								\
		if (!(cond)) {						\
			printf("# %s: promised %u room %u wnd %u buf %u mss %u scale %u\n", \
			       #cond, promised, room(b), wnd, b->tcb.rcv_buf,	\
			       b->tcb.rcv_mss, b->tcb.rcv_wscale);	\
			return false;					\
		}							\
	} while (0)

/* What must hold for any window that a segment is about to carry */
static bool window_is_right(const struct buffer *b)
{
	const struct xtcp_tcb *t = &b->tcb;
	u32 promised = t->rcv_adv - t->rcv_nxt;
	u32 wnd = xtcp_rx_window(t), unit = 1u << t->rcv_wscale;
	u32 step = t->rcv_buf / 2 < t->rcv_mss ? t->rcv_buf / 2 : t->rcv_mss;
	u32 most = 65535u << t->rcv_wscale;
	u32 usable = (room(b) < most ? room(b) : most) / unit * unit;

	CHECK(wnd % unit == 0 && wnd <= most);
	CHECK(wnd >= promised);				/* SHLD-14 */
	if (wnd > room(b))
		CHECK(wnd - promised < unit);		/* nothing but the old promise */
	if (wnd - promised >= unit)
		CHECK(wnd - promised >= step);		/* silly windows, MUST-39 */
	if (usable > promised && usable - promised >= step)
		CHECK(wnd == usable);			/* nothing is held back */
	if (xtcp_rx_window_update_due(t))
		CHECK(wnd > promised);
	if (promised == 0 && wnd > 0)
		CHECK(xtcp_rx_window_update_due(t));
	if (b->unread == 0 && t->rcv_buf >= 2 * unit && promised == 0)
		CHECK(wnd > 0);				/* no deadlock */
	return true;
}

static void receive(struct buffer *b, u32 len)
{
	u32 keep, nxt = b->tcb.rcv_nxt;

	xtcp_rx_data(&b->tcb, nxt, nxt + len, 1, &keep);
	b->unread += b->tcb.rcv_nxt - nxt;
}

/* The peer sends at most what it may; the reader takes at most what is there */
static void random_use(struct buffer *b)
{
	u32 promised = b->tcb.rcv_adv - b->tcb.rcv_nxt;
	u32 small = unit_below(2) ? 1 + unit_below(3) : b->tcb.rcv_mss;

	switch (unit_below(8)) {
	case 0 ... 2:
		receive(b, small < promised ? small : promised);
		break;
	case 3:
		receive(b, unit_below(promised + 1));
		break;
	case 4:
		b->unread -= small < b->unread ? small : b->unread;
		break;
	case 5:
		b->unread -= unit_below(b->unread + 1);
		break;
	case 6:
		b->unread = 0;
		break;
	default:
		xtcp_rx_sent_ack(&b->tcb, xtcp_rx_window(&b->tcb));
	}
	b->tcb.rcv_space = room(b);
}

static bool random_buffer(struct buffer *b)
{
	struct xtcp_tcb *t = &b->tcb;
	unsigned int i;
	u32 edge;

	memset(b, 0, sizeof(*b));
	b->factor = 8 + unit_below(3) * unit_below(20);
	t->rcv_wscale = unit_below(15);
	t->rcv_buf = 1 + unit_below(1u << (8 + unit_below(20)));
	t->rcv_mss = 88 + unit_below(unit_below(2) ? 1500 : 65000);
	t->rcv_nxt = unit_below(3) ? unit_rand() : 0xffffff00 + unit_below(256);
	t->rcv_adv = t->rcv_nxt;
	t->rcv_acked = t->rcv_nxt;
	t->rcv_space = t->rcv_buf;
	edge = t->rcv_adv;
	for (i = 0; i < 300; i++) {
		random_use(b);
		if (!window_is_right(b) || before(t->rcv_adv, edge))
			return false;
		edge = t->rcv_adv;
	}
	return true;
}

TEST(window_properties)
{
	struct buffer b;
	unsigned long i;

	for (i = 0; i < 3000 * unit_scale(); i++) {
		unit_srand(i);
		ASSERT_TRUE(random_buffer(&b)) {
			TH_LOG("buffer %lu", i);
		}
	}
}

static struct xtcp_tcb window_tcb(void)
{
	return (struct xtcp_tcb){
		.rcv_nxt = 1000, .rcv_adv = 1000, .rcv_acked = 1000, .rcv_mss = 1000,
		.rcv_space = 10000, .rcv_buf = 10000,
	};
}

/* RFC 9293 3.8.6.2.2 by hand: the window stays shut until min(MSS, buffer / 2) is free */
TEST(window_opens_in_steps)
{
	struct xtcp_tcb t = window_tcb();

	EXPECT_EQ(10000, xtcp_rx_window(&t));
	t.rcv_space = 999;
	EXPECT_EQ(0, xtcp_rx_window(&t));
	t.rcv_space = 1000;
	EXPECT_EQ(1000, xtcp_rx_window(&t));
	t.rcv_buf = 1200;
	t.rcv_space = 599;
	EXPECT_EQ(0, xtcp_rx_window(&t));
	t.rcv_space = 600;
	EXPECT_EQ(600, xtcp_rx_window(&t));
}

/* The buffer is gone but the promise stands; with a scale it is rounded up */
TEST(a_promise_stands)
{
	struct xtcp_tcb t = window_tcb();

	t.rcv_adv = 1000 + 5000;
	t.rcv_space = 0;
	EXPECT_EQ(5000, xtcp_rx_window(&t));
	t.rcv_wscale = 7;
	EXPECT_EQ(5120, xtcp_rx_window(&t));
	t.rcv_space = 5999;
	EXPECT_EQ(5120, xtcp_rx_window(&t));
	t.rcv_space = 6016;
	EXPECT_EQ(6016, xtcp_rx_window(&t));
}

TEST(window_fits_the_field)
{
	struct xtcp_tcb t = window_tcb();

	t.rcv_space = 0x7fffffff;
	t.rcv_buf = 0x7fffffff;
	EXPECT_EQ(65535, xtcp_rx_window(&t));
	t.rcv_wscale = 14;
	EXPECT_EQ(65535u << 14, xtcp_rx_window(&t));
	t.rcv_adv = 1000 + (65535u << 14);
	EXPECT_EQ(65535u << 14, xtcp_rx_window(&t));
}

TEST(window_update)
{
	struct xtcp_tcb t = window_tcb();

	t.rcv_buf = 60000;
	t.rcv_space = 20000;
	t.rcv_adv = 1000 + 10000;
	EXPECT_TRUE(xtcp_rx_window_update_due(&t));	/* little left, 10 MSS more */
	t.rcv_space = 11999;
	EXPECT_FALSE(xtcp_rx_window_update_due(&t));	/* less than 2 MSS */
	t.rcv_space = 12000;
	EXPECT_TRUE(xtcp_rx_window_update_due(&t));
	t.rcv_adv = 1000 + 30000;
	t.rcv_space = 44999;
	EXPECT_FALSE(xtcp_rx_window_update_due(&t));	/* the peer has plenty */
	t.rcv_space = 45000;
	EXPECT_TRUE(xtcp_rx_window_update_due(&t));	/* but a quarter more is news */
	t.rcv_adv = 1000;
	t.rcv_space = 999;
	EXPECT_FALSE(xtcp_rx_window_update_due(&t));
	t.rcv_space = 1000;
	EXPECT_TRUE(xtcp_rx_window_update_due(&t));	/* from zero */
}

/* Behind the peer's FIN no window matters */
TEST(no_window_update_after_fin)
{
	struct xtcp_tcb t = window_tcb();

	EXPECT_TRUE(xtcp_rx_window_update_due(&t));
	xtcp_rx_fin(&t, 1000, 1000);
	EXPECT_TRUE(xtcp_rx_window_update_due(&t));
	EXPECT_TRUE(xtcp_rx_fin_due(&t, 1));
	EXPECT_FALSE(xtcp_rx_window_update_due(&t));
}

TEST(sent_ack_notes_what_left)
{
	struct xtcp_tcb t = window_tcb();

	t.todo = XTCP_ACK_NOW | XTCP_WAKE_READER;
	t.deadline[XTCP_T_DELACK] = 77;
	t.quick_acks = 1;
	xtcp_rx_sent_ack(&t, 5000);
	EXPECT_EQ(5000, t.rcv_wnd);
	EXPECT_EQ(6000, t.rcv_adv);
	EXPECT_EQ(XTCP_WAKE_READER, t.todo);
	EXPECT_EQ(0, t.deadline[XTCP_T_DELACK]);
	EXPECT_EQ(0, t.quick_acks);
	EXPECT_EQ(0, (int)t.wnd_shut);
	t.rcv_nxt = 1500;
	xtcp_rx_sent_ack(&t, 0);
	EXPECT_EQ(6000, t.rcv_adv);
	EXPECT_EQ(1500, t.rcv_acked);
	EXPECT_EQ(0, t.quick_acks);
	EXPECT_EQ(1, (int)t.wnd_shut);
}

/* ---- delayed ACK ---- */

static struct xtcp_tcb ack_tcb(void)
{
	return (struct xtcp_tcb){
		.rcv_nxt = 1000, .rcv_adv = 61000, .rcv_acked = 1000, .rcv_wnd = 60000,
		.rcv_mss = 536, .snd_mss = 1460, .delack_max = DELAY,
		.rto = 200 * MSEC, .rto_min = 200 * MSEC, .rto_max = 1000 * MSEC,
	};
}

/* One segment in order at @now: is an ACK due at once? */
static bool acks_at_once(struct xtcp_tcb *t, u32 len, u64 now)
{
	u32 keep;

	xtcp_rx_data(t, t->rcv_nxt, t->rcv_nxt + len, now, &keep);
	xtcp_rx_ack_policy(t, len, now);
	return t->todo & XTCP_ACK_NOW;
}

/* RFC 5681 4.2: at least every second full-sized segment */
TEST(every_second_full_sized_segment)
{
	struct xtcp_tcb t = ack_tcb();
	unsigned int i;

	for (i = 0; i < 10; i++) {
		EXPECT_FALSE(acks_at_once(&t, 1460, 1 + i));
		EXPECT_EQ(1 + i + DELAY, t.deadline[XTCP_T_DELACK]);
		EXPECT_TRUE(acks_at_once(&t, 1460, 2 + i));
		xtcp_rx_sent_ack(&t, 60000);
		EXPECT_EQ(0, t.deadline[XTCP_T_DELACK]);
	}
	EXPECT_EQ(1460, t.rcv_mss);
}

/* Small segments wait, but the first deadline stays: RFC 9293 3.8.6.3 bounds the
 * delay of the oldest
 */
TEST(small_segments_share_one_deadline)
{
	struct xtcp_tcb t = ack_tcb();

	EXPECT_FALSE(acks_at_once(&t, 1, 1 * MSEC));
	EXPECT_FALSE(acks_at_once(&t, 1, 20 * MSEC));
	EXPECT_FALSE(acks_at_once(&t, 1, 39 * MSEC));
	EXPECT_EQ(41 * MSEC, t.deadline[XTCP_T_DELACK]);
	xtcp_rx_sent_ack(&t, 60000);
	EXPECT_FALSE(acks_at_once(&t, 1, 60 * MSEC));
	EXPECT_EQ(100 * MSEC, t.deadline[XTCP_T_DELACK]);
}

TEST(quick_acks_count_down)
{
	struct xtcp_tcb t = ack_tcb();

	t.quick_acks = 2;
	EXPECT_TRUE(acks_at_once(&t, 1, 1));
	xtcp_rx_sent_ack(&t, 60000);
	EXPECT_TRUE(acks_at_once(&t, 1, 2));
	xtcp_rx_sent_ack(&t, 60000);
	EXPECT_FALSE(acks_at_once(&t, 1, 3));
}

/* Request and answer: the ACK may ride on the answer even while quick ACKs last */
TEST(pingpong_waits)
{
	struct xtcp_tcb t = ack_tcb();

	t.quick_acks = 2;
	t.pingpong = 1;
	EXPECT_FALSE(acks_at_once(&t, 1, 1));
	t.quickack = 1;
	EXPECT_TRUE(acks_at_once(&t, 1, 1));
}

TEST(delack_max_zero_is_no_delay)
{
	struct xtcp_tcb t = ack_tcb();

	t.delack_max = 0;
	EXPECT_TRUE(acks_at_once(&t, 1, 1));
}

/* A window of less than two segments: the peer is waiting after one */
TEST(small_window)
{
	struct xtcp_tcb t = ack_tcb();

	t.rcv_mss = 1460;
	t.rcv_wnd = 2000;
	t.rcv_adv = 3000;
	EXPECT_FALSE(acks_at_once(&t, 999, 1));
	EXPECT_TRUE(acks_at_once(&t, 1, 1));
}

/* A super-packet is more than two segments and does not pass for one */
TEST(super_packet)
{
	struct xtcp_tcb t = ack_tcb();

	EXPECT_TRUE(acks_at_once(&t, 14600, 1));
	EXPECT_EQ(1460, t.rcv_mss);
	xtcp_rx_sent_ack(&t, 45400);
	EXPECT_FALSE(acks_at_once(&t, 1460, 1));
}

/* RFC 5681 4.2: out of order, and filling a gap, are answered at once */
TEST(gaps_do_not_wait)
{
	struct xtcp_tcb t = ack_tcb();
	u32 keep;

	EXPECT_EQ(XTCP_RX_OFO, xtcp_rx_data(&t, 1010, 1020, 1, &keep));
	EXPECT_TRUE(t.todo & XTCP_ACK_NOW);
	xtcp_rx_sent_ack(&t, 60000);
	EXPECT_TRUE(acks_at_once(&t, 5, 1));	/* part of the gap */
	xtcp_rx_sent_ack(&t, 60000);
	EXPECT_TRUE(acks_at_once(&t, 5, 1));	/* the rest of it */
	xtcp_rx_sent_ack(&t, 60000);
	EXPECT_EQ(1020, t.rcv_nxt);
	t.quick_acks = 0;
	EXPECT_FALSE(acks_at_once(&t, 5, 1));
}

/* The peer may go on with one segment after another, each of them an answer to an ACK */
TEST(quick_acks_after_trouble)
{
	struct xtcp_tcb t = ack_tcb();
	unsigned int i;
	u32 keep;

	t.pingpong = 1;
	EXPECT_EQ(XTCP_RX_OFO, xtcp_rx_data(&t, 1010, 1020, 1, &keep));
	xtcp_rx_sent_ack(&t, 60000);
	EXPECT_TRUE(acks_at_once(&t, 10, 1));		/* the gap is filled */
	xtcp_rx_sent_ack(&t, 60000);
	for (i = 0; i < 7; i++) {
		EXPECT_TRUE(acks_at_once(&t, 10, 1));
		xtcp_rx_sent_ack(&t, 60000);
	}
	EXPECT_FALSE(acks_at_once(&t, 10, 1));
	EXPECT_EQ(XTCP_RX_DUP, xtcp_rx_data(&t, 1000, 1010, 1, &keep));
	xtcp_rx_sent_ack(&t, 60000);
	EXPECT_TRUE(acks_at_once(&t, 10, 1));		/* and after a duplicate */
}

/* A pause longer than a timeout: what comes may be a retransmission */
TEST(quick_ack_after_a_pause)
{
	struct xtcp_tcb t = ack_tcb();

	EXPECT_FALSE(acks_at_once(&t, 10, 1000 * MSEC));
	xtcp_rx_sent_ack(&t, 60000);
	EXPECT_FALSE(acks_at_once(&t, 10, 1190 * MSEC));
	xtcp_rx_sent_ack(&t, 60000);
	EXPECT_TRUE(acks_at_once(&t, 10, 1391 * MSEC));
	xtcp_rx_sent_ack(&t, 60000);
	t.pingpong = 1;					/* there an answer takes it along */
	EXPECT_FALSE(acks_at_once(&t, 10, 2000 * MSEC));
}

/* ---- the receiver's round trip ---- */

static void full_segment(struct xtcp_tcb *t, u32 tsecr, u64 now)
{
	struct xtcp_segment seg = {
		.len = 1460, .opt = { .present = XTCP_HAS_TS, .tsecr = tsecr },
	};

	t->rcv_nxt += 1460;
	xtcp_rx_rtt(t, &seg, now);
}

TEST(round_trip_by_timestamps)
{
	struct xtcp_tcb t = ack_tcb();

	t.ts_ok = 1;
	t.ts_offset = 0xffffff00;
	t.rcv_mss = 1460;
	full_segment(&t, 0xffffff00 + 1000, 1100 * MSEC);
	EXPECT_EQ(100 * MSEC, t.rcv_rtt);
	full_segment(&t, 0xffffff00 + 1000, 1180 * MSEC);	/* the same echo: no sample */
	EXPECT_EQ(100 * MSEC, t.rcv_rtt);
	full_segment(&t, 0xffffff00 + 1160, 1220 * MSEC);	/* shorter: at once */
	EXPECT_EQ(60 * MSEC, t.rcv_rtt);
	full_segment(&t, 0xffffff00 + 1200, 1340 * MSEC);	/* longer: an eighth of it */
	EXPECT_EQ(70 * MSEC, t.rcv_rtt);
	full_segment(&t, 0xffffff00 + 2000, 1340 * MSEC);	/* from the future */
	EXPECT_EQ(70 * MSEC, t.rcv_rtt);
}

/* 40 segments fill the window in 20 ms: the round trip is not longer than that */
TEST(round_trip_by_windows)
{
	struct xtcp_tcb t = ack_tcb();
	unsigned int i;

	for (i = 0; i < 84; i++) {
		full_segment(&t, 0, (1000 + i / 2) * MSEC);
		xtcp_rx_sent_ack(&t, 60000);
	}
	EXPECT_LE(19 * MSEC, t.rcv_rtt);
	EXPECT_GE(22 * MSEC, t.rcv_rtt);
}

TEST_HARNESS_MAIN
