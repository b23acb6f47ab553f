// SPDX-License-Identifier: GPL-2.0
/*
 * Reassembly against a bitmap: every byte of a small stream has a flag, random
 * segments, FINs, ACKs, prunings and failing allocations are played into both, and
 * after each step the core must say what the bitmap says: RCV.NXT, intervals, verdict,
 * SACK blocks, duplicate report, wishes.  The stream crosses the wrap of the
 * sequence space many times.
 */
#include "unit.h"

#define RING		4096	/* bytes that the model remembers; a power of two */
#define WINDOW		300

/* Numbers are 64-bit and never wrap; the core sees their low 32 bits. */
struct model {
	u64 nxt, adv;
	u64 fin;		/* 0: none known */
	u64 received;
	bool have[RING];
	u64 stamp[RING];	/* step of the last segment that brought this byte */
	u64 step;
	bool strict;		/* no block ever fell off the list */
	u64 dup_seq, dup_end;	/* expected duplicate report; dup_end 0: none */
};

static struct model m;
static struct xtcp_tcb tcb;

static bool have(u64 pos)
{
	return pos < m.nxt || (pos < m.nxt + WINDOW + 64 && m.have[pos % RING]);
}

static void begin(u64 at)
{
	memset(&m, 0, sizeof(m));
	memset(&tcb, 0, sizeof(tcb));
	m.nxt = at;
	m.adv = at + WINDOW;
	m.strict = true;
	tcb.rcv_nxt = m.nxt;
	tcb.rcv_adv = m.adv;
	tcb.rcv_acked = m.nxt;
	tcb.irs = at - 1;
	tcb.sack_ok = 1;
}

struct run {
	u64 seq, end_seq, stamp;
};

/* The runs of the bitmap beyond RCV.NXT */
static unsigned int runs(struct run *r)
{
	unsigned int n = 0;
	u64 pos;

	for (pos = m.nxt; pos < m.nxt + WINDOW + 8; pos++) {
		if (!m.have[pos % RING])
			continue;
		if (!n || r[n - 1].end_seq != pos)
			r[n++] = (struct run){ .seq = pos };
		r[n - 1].end_seq = pos + 1;
		if (m.stamp[pos % RING] > r[n - 1].stamp)
			r[n - 1].stamp = m.stamp[pos % RING];
	}
	return n;
}

#define CHECK(cond)							\
	do {								\
		if (!(cond)) {						\
			printf("# step %llu: %s\n", (unsigned long long)m.step, #cond); \
			return false;					\
		}							\
	} while (0)

static int newest_first(const void *a, const void *b)
{
	const struct run *x = a, *y = b;

	return x->stamp < y->stamp ? 1 : -1;
}

/* RFC 2018 4: distinct blocks, as many as there is room for, each one a run; as
 * long as none fell off the list, in order of their latest segment
 */
static bool check_sack(struct run *r, unsigned int n)
{
	unsigned int first = tcb.has_dsack, i, j;

	if (!tcb.sack_ok)
		m.dup_end = 0;
	if (!tcb.sack_ok)
		n = 0;
	CHECK(tcb.has_dsack == (m.dup_end != 0));
	CHECK(tcb.nr_sack == (n + first < XTCP_MAX_SACK ? n + first : XTCP_MAX_SACK));
	if (first)
		CHECK(tcb.sack[0].seq == (u32)m.dup_seq && tcb.sack[0].end_seq == (u32)m.dup_end);
	qsort(r, n, sizeof(*r), newest_first);
	if (n + first > XTCP_MAX_SACK)
		m.strict = false;
	if (n == 0)
		m.strict = true;
	if (n > 0 && r[0].stamp == m.step)
		CHECK(tcb.sack[first].seq == (u32)r[0].seq);
	for (i = first; i < tcb.nr_sack; i++) {
		for (j = 0; j < n && (u32)r[j].seq != tcb.sack[i].seq; j++)
			;
		CHECK(j < n && (u32)r[j].end_seq == tcb.sack[i].end_seq);
		if (m.strict)
			CHECK(j == i - first);
		for (j = first; j < i; j++)
			CHECK(tcb.sack[j].seq != tcb.sack[i].seq);
	}
	return true;
}

static bool check_state(void)
{
	struct run r[WINDOW];
	unsigned int n = runs(r), i = 0;
	struct rb_node *node;

	CHECK(tcb.rcv_nxt == (u32)m.nxt);
	CHECK(tcb.rcv_adv == (u32)m.adv);
	CHECK(tcb.bytes_received == m.received);
	CHECK(tcb.ofo_nr == n && unit_seg_live == n);
	for (node = rb_first(&tcb.ofo); node; node = rb_next(node), i++) {
		struct xtcp_hole_end *h = rb_entry(node, struct xtcp_hole_end, node);

		CHECK(i < n && h->seq == (u32)r[i].seq && h->end_seq == (u32)r[i].end_seq);
	}
	CHECK(i == n);
	return check_sack(r, n);
}

static void advance(void)
{
	while (m.have[m.nxt % RING]) {
		m.have[m.nxt % RING] = false;
		m.nxt++;
		m.received++;
	}
}

/* First part of [seq, end) that was there before, RFC 2883 4.2.  Text left of
 * RCV.NXT and the run that touches it are different sub-segments.
 */
static void expect_dup(u64 seq, u64 end)
{
	u64 pos, stop;

	for (pos = seq; pos < end && !have(pos); pos++)
		;
	for (stop = pos; stop < end && have(stop) && (pos >= m.nxt || stop < m.nxt); stop++)
		;
	if (pos == stop)
		return;
	m.dup_seq = pos;
	m.dup_end = stop;
}

static u64 right_edge(void)
{
	return m.fin && m.fin < m.adv ? m.fin : m.adv;
}

static enum xtcp_rx_verdict expect_verdict(u64 seq, u64 end, bool no_mem)
{
	bool touches = have(seq - 1), news = false;
	u64 edge = right_edge(), pos;

	if (seq >= edge)
		return XTCP_RX_BEYOND;
	if (end > edge)
		end = edge;
	for (pos = seq; pos < end; pos++) {
		news |= !have(pos);
		touches |= have(pos);
	}
	if (!news)
		return XTCP_RX_DUP;
	if (seq <= m.nxt)
		return XTCP_RX_IN_ORDER;
	touches |= have(end);
	return no_mem && !touches ? XTCP_RX_NO_MEM : XTCP_RX_OFO;
}

static void model_take(u64 seq, u64 end)
{
	u64 pos;

	for (pos = seq; pos < end; pos++) {
		if (pos >= m.nxt) {
			m.have[pos % RING] = true;
			m.stamp[pos % RING] = m.step;
		}
	}
	advance();
}

static bool step_data(u64 seq, u64 end, bool no_mem)
{
	enum xtcp_rx_verdict want = expect_verdict(seq, end, no_mem), got;
	u64 edge = right_edge(), cut = end < edge ? end : edge, old_dup = m.dup_end;
	bool gap = tcb.ofo_nr != 0, dup;
	u32 keep_end, ooo = tcb.rcv_ooopack;

	if (cut < seq)
		cut = seq;
	m.dup_end = 0;
	expect_dup(seq, cut);
	dup = m.dup_end != 0;
	if (!dup)
		m.dup_end = old_dup;
	tcb.todo = 0;
	unit_seg_budget = no_mem ? 0 : -1;
	got = xtcp_rx_data(&tcb, seq, end, 1, &keep_end);
	unit_seg_budget = -1;
	CHECK(got == want);
	CHECK(keep_end == (u32)cut);
	if (want == XTCP_RX_IN_ORDER || want == XTCP_RX_OFO || want == XTCP_RX_DUP)
		model_take(seq, cut);
	CHECK(tcb.rcv_ooopack == ooo + (want == XTCP_RX_OFO));
	/* RFC 5681 4.2: at once unless it is the next and there is no gap */
	CHECK(!!(tcb.todo & XTCP_ACK_NOW) == (want != XTCP_RX_IN_ORDER || gap || dup));
	CHECK(!!(tcb.todo & XTCP_WAKE_READER) == (want == XTCP_RX_IN_ORDER));
	return true;
}

static bool step_fin(u64 pos)
{
	u64 p;

	tcb.todo = 0;
	xtcp_rx_fin(&tcb, pos);
	CHECK(tcb.todo == XTCP_ACK_NOW);
	for (p = pos; p < m.nxt + WINDOW && !have(p); p++)
		;
	if (!m.fin && pos >= m.nxt && pos <= m.adv && p >= m.nxt + WINDOW)
		m.fin = pos;
	CHECK(tcb.rcv_fin_seen == (m.fin != 0));
	if (m.fin)
		CHECK(tcb.rcv_fin == (u32)m.fin);
	return true;
}

/* RCV.NXT passes the FIN exactly once, when all text before it is there */
static bool step_fin_due(void)
{
	bool due = m.fin && m.nxt == m.fin;

	tcb.todo = 0;
	CHECK(xtcp_rx_fin_due(&tcb) == due);
	CHECK(tcb.todo == (due ? XTCP_ACK_NOW | XTCP_WAKE_READER : 0));
	if (due) {
		m.nxt++;
		m.adv = m.adv < m.nxt ? m.nxt : m.adv;
		CHECK(!xtcp_rx_fin_due(&tcb));
	}
	return true;
}

static void step_ack(u32 wnd)
{
	xtcp_rx_sent_ack(&tcb, wnd);
	if (m.nxt + wnd > m.adv)
		m.adv = m.nxt + wnd;
	m.dup_end = 0;
}

static void step_prune(u64 pos)
{
	u64 p;

	xtcp_rx_prune(&tcb, pos);
	for (p = pos > m.nxt ? pos : m.nxt; p < m.nxt + WINDOW + 8; p++)
		m.have[p % RING] = false;
	m.strict = false;
}

/* A segment: the next in order, near the window, or far to either side */
static bool random_data(void)
{
	u64 seq = m.nxt, end;

	switch (unit_below(20)) {
	case 0 ... 5:
		break;
	case 6:
		seq -= unit_below(0x7fffff00);
		break;
	case 7:
		seq += unit_below(0x7ffffe00);
		break;
	default:
		seq += unit_below(WINDOW + 40);
		seq -= 30;
	}
	end = seq + 1 + unit_below(unit_below(4) ? 16 : 100);
	return step_data(seq, end, unit_below(8) == 0);
}

static bool random_step(void)
{
	m.step++;
	switch (unit_below(200)) {
	case 0:
		step_prune(m.nxt - 20 + unit_below(WINDOW));
		return true;
	case 1:
		return unit_below(8) || step_fin(m.nxt - 10 + unit_below(WINDOW));
	case 2 ... 40:
		step_ack(unit_below(WINDOW + 1));
		return true;
	default:
		return random_data();
	}
}

static bool random_life(unsigned int steps)
{
	while (steps--) {
		if (!random_step() || !step_fin_due() || !check_state())
			return false;
	}
	xtcp_rx_reset(&tcb);
	CHECK(unit_seg_live == 0 && tcb.ofo_nr == 0 && tcb.nr_sack == 0);
	CHECK(RB_EMPTY_ROOT(&tcb.ofo));
	return true;
}

TEST(random_streams_against_a_bitmap)
{
	unsigned long i;

	for (i = 0; i < 2000 * unit_scale(); i++) {
		unit_srand(i);
		begin((1ULL << 40) + (i % 3 ? 0x100000000ULL : 0x80000000ULL) - unit_below(5000));
		tcb.sack_ok = i % 5 != 0;
		ASSERT_TRUE(random_life(1000)) {
			TH_LOG("life %lu", i);
		}
	}
}

/* ---- RFC 2018 and 2883, by hand ---- */

static enum xtcp_rx_verdict take(u32 seq, u32 end_seq)
{
	u32 keep;

	return xtcp_rx_data(&tcb, seq, end_seq, 1, &keep);
}

static bool blocks_are(unsigned int n, const u32 (*want)[2])
{
	unsigned int i;

	CHECK(tcb.nr_sack == n);
	for (i = 0; i < n; i++)
		CHECK(tcb.sack[i].seq == want[i][0] && tcb.sack[i].end_seq == want[i][1]);
	return true;
}

#define BLOCKS(...) ({							\
	static const u32 _w[][2] = { __VA_ARGS__ };			\
	blocks_are(ARRAY_SIZE(_w), _w); })

static void begin_at_5000(void)
{
	begin(5000);
	tcb.rcv_adv = 5000 + 60000;
}

/* RFC 2018 7, case 2: the first of eight 500-byte segments is lost */
TEST(rfc2018_case_2)
{
	u32 seq;

	begin_at_5000();
	for (seq = 5500; seq <= 8500; seq += 500) {
		EXPECT_EQ(XTCP_RX_OFO, take(seq, seq + 500));
		EXPECT_EQ(1, tcb.nr_sack);
		EXPECT_EQ(5500, tcb.sack[0].seq);
		EXPECT_EQ(seq + 500, tcb.sack[0].end_seq);
	}
	EXPECT_EQ(XTCP_RX_IN_ORDER, take(5000, 5500));
	EXPECT_EQ(9000, tcb.rcv_nxt);
	EXPECT_EQ(0, tcb.nr_sack);
	EXPECT_EQ(0, unit_seg_live);
}

/* RFC 2018 7, case 3: the 2nd, 4th, 6th and 8th are lost; then the 4th and 2nd come */
TEST(rfc2018_case_3)
{
	begin_at_5000();
	EXPECT_EQ(XTCP_RX_IN_ORDER, take(5000, 5500));
	EXPECT_EQ(XTCP_RX_OFO, take(6000, 6500));
	EXPECT_TRUE(BLOCKS({ 6000, 6500 }));
	EXPECT_EQ(XTCP_RX_OFO, take(7000, 7500));
	EXPECT_TRUE(BLOCKS({ 7000, 7500 }, { 6000, 6500 }));
	EXPECT_EQ(XTCP_RX_OFO, take(8000, 8500));
	EXPECT_TRUE(BLOCKS({ 8000, 8500 }, { 7000, 7500 }, { 6000, 6500 }));
	EXPECT_EQ(XTCP_RX_OFO, take(6500, 7000));
	EXPECT_TRUE(BLOCKS({ 6000, 7500 }, { 8000, 8500 }));
	EXPECT_EQ(XTCP_RX_IN_ORDER, take(5500, 6000));
	EXPECT_EQ(7500, tcb.rcv_nxt);
	EXPECT_TRUE(BLOCKS({ 8000, 8500 }));
	xtcp_rx_reset(&tcb);
}

/* Four blocks fit; the fifth pushes the oldest out, and a merge lets one back in */
TEST(blocks_beyond_four)
{
	begin_at_5000();
	take(6000, 6100);
	take(7000, 7100);
	take(8000, 8100);
	take(9000, 9100);
	take(10000, 10100);
	EXPECT_TRUE(BLOCKS({ 10000, 10100 }, { 9000, 9100 }, { 8000, 8100 }, { 7000, 7100 }));
	take(9100, 10000);
	EXPECT_TRUE(BLOCKS({ 9000, 10100 }, { 8000, 8100 }, { 7000, 7100 }, { 6000, 6100 }));
	xtcp_rx_reset(&tcb);
	EXPECT_EQ(0, unit_seg_live);
}

/* RFC 2883 4.1.1: a full duplicate below RCV.NXT is the only block, once */
TEST(dsack_below_the_ack)
{
	begin_at_5000();
	take(5000, 6000);
	EXPECT_EQ(XTCP_RX_DUP, take(5000, 5500));
	EXPECT_EQ(1, tcb.has_dsack);
	EXPECT_TRUE(BLOCKS({ 5000, 5500 }));
	xtcp_rx_sent_ack(&tcb, 60000);
	EXPECT_EQ(0, tcb.has_dsack);
	EXPECT_EQ(0, tcb.nr_sack);
}

/* RFC 2883 4.1.2 and 4.1.3: a duplicate out of order; the second block is the run
 * it lies in, and other blocks follow
 */
TEST(dsack_out_of_order)
{
	begin_at_5000();
	take(6000, 7000);
	take(8000, 8500);
	EXPECT_EQ(XTCP_RX_DUP, take(6500, 7000));
	EXPECT_TRUE(BLOCKS({ 6500, 7000 }, { 6000, 7000 }, { 8000, 8500 }));
	xtcp_rx_sent_ack(&tcb, 60000);
	EXPECT_TRUE(BLOCKS({ 6000, 7000 }, { 8000, 8500 }));
	xtcp_rx_reset(&tcb);
}

/* RFC 2883 4.2.1: partly old; the report names the old part only */
TEST(dsack_partial)
{
	begin_at_5000();
	take(5000, 6000);
	EXPECT_EQ(XTCP_RX_IN_ORDER, take(5500, 6500));
	EXPECT_TRUE(BLOCKS({ 5500, 6000 }));
	xtcp_rx_sent_ack(&tcb, 60000);
	take(7000, 7500);
	EXPECT_EQ(XTCP_RX_OFO, take(6900, 7600));
	EXPECT_TRUE(BLOCKS({ 7000, 7500 }, { 6900, 7600 }));
	xtcp_rx_reset(&tcb);
}

/* The peer did not offer SACK: no block is ever kept */
TEST(no_blocks_without_sack)
{
	begin_at_5000();
	tcb.sack_ok = 0;
	take(6000, 7000);
	take(6000, 7000);
	EXPECT_EQ(0, tcb.nr_sack);
	EXPECT_EQ(0, tcb.has_dsack);
	xtcp_rx_reset(&tcb);
}

/* No text is no duplicate and asks for nothing */
TEST(empty_text)
{
	begin_at_5000();
	EXPECT_EQ(XTCP_RX_DUP, take(5000, 5000));
	EXPECT_EQ(0, tcb.todo);
	EXPECT_EQ(0, tcb.nr_sack);
}

/* A peer that sends every other byte gets so many intervals and no more; what
 * needs no new interval is still taken
 */
TEST(hole_limit)
{
	unsigned int i;

	begin_at_5000();
	for (i = 0; i < XTCP_RX_HOLES; i++)
		ASSERT_EQ(XTCP_RX_OFO, take(5002 + 2 * i, 5003 + 2 * i));
	EXPECT_EQ(XTCP_RX_NO_MEM, take(5002 + 2 * i, 5003 + 2 * i));
	EXPECT_EQ(XTCP_RX_HOLES, tcb.ofo_nr);
	EXPECT_EQ(XTCP_RX_HOLES, unit_seg_live);
	EXPECT_EQ(XTCP_RX_OFO, take(5003, 5004));
	EXPECT_EQ(XTCP_RX_HOLES - 1, tcb.ofo_nr);
	EXPECT_EQ(XTCP_RX_OFO, take(5002 + 2 * i, 5003 + 2 * i));
	EXPECT_EQ(XTCP_RX_IN_ORDER, take(5000, 5002 + 2 * i));
	EXPECT_EQ(5003 + 2 * i, tcb.rcv_nxt);
	EXPECT_EQ(0, unit_seg_live);
}

/* Each allocation of a run of segments fails once: a range may be missing then,
 * nothing else changes, and a retransmission completes the stream
 */
TEST(every_allocation_fails_once)
{
	unsigned int fail, i;

	for (fail = 0; fail < 8; fail++) {
		begin_at_5000();
		for (i = 1; i <= 8; i++) {
			unit_seg_budget = i - 1 == fail ? 0 : -1;
			EXPECT_EQ(i - 1 == fail ? XTCP_RX_NO_MEM : XTCP_RX_OFO,
				  take(5000 + 200 * i, 5100 + 200 * i));
		}
		unit_seg_budget = 0;	/* in order needs none */
		EXPECT_EQ(XTCP_RX_IN_ORDER, take(5000, 5200 + 200 * fail));
		EXPECT_EQ(5200 + 200 * fail, tcb.rcv_nxt);
		EXPECT_EQ(XTCP_RX_IN_ORDER, take(tcb.rcv_nxt, 6700));
		EXPECT_EQ(6700, tcb.rcv_nxt);
		EXPECT_EQ(0, unit_seg_live);
		unit_seg_budget = -1;
	}
}

/* A second FIN, one left of text, one outside the window: ignored */
TEST(odd_fins)
{
	begin_at_5000();
	take(6000, 7000);
	xtcp_rx_fin(&tcb, 6500);
	EXPECT_EQ(0, (int)tcb.rcv_fin_seen);
	xtcp_rx_fin(&tcb, 65001);
	EXPECT_EQ(0, (int)tcb.rcv_fin_seen);
	xtcp_rx_fin(&tcb, 4999);
	EXPECT_EQ(0, (int)tcb.rcv_fin_seen);
	xtcp_rx_fin(&tcb, 7000);
	EXPECT_EQ(1, (int)tcb.rcv_fin_seen);
	xtcp_rx_fin(&tcb, 7001);
	EXPECT_EQ(7000, tcb.rcv_fin);
	EXPECT_EQ(XTCP_RX_BEYOND, take(7000, 7001));
	EXPECT_FALSE(xtcp_rx_fin_due(&tcb));
	EXPECT_EQ(XTCP_RX_IN_ORDER, take(5000, 6000));
	EXPECT_TRUE(xtcp_rx_fin_due(&tcb));
	EXPECT_FALSE(xtcp_rx_fin_due(&tcb));
	EXPECT_EQ(7001, tcb.rcv_nxt);
	EXPECT_EQ(2000, tcb.bytes_received);
	EXPECT_EQ(XTCP_RX_BEYOND, take(7001, 7002));
}

/* The FIN takes no room: exactly at the edge of a full window it is taken */
TEST(fin_into_a_zero_window)
{
	begin(5000);
	tcb.rcv_adv = 5100;
	EXPECT_EQ(XTCP_RX_IN_ORDER, take(5000, 5200));
	EXPECT_EQ(5100, tcb.rcv_nxt);
	EXPECT_EQ(XTCP_RX_BEYOND, take(5100, 5200));
	xtcp_rx_fin(&tcb, 5100);
	EXPECT_TRUE(xtcp_rx_fin_due(&tcb));
	EXPECT_EQ(5101, tcb.rcv_nxt);
	EXPECT_EQ(5101, tcb.rcv_adv);
}

TEST_HARNESS_MAIN
