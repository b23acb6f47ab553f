// SPDX-License-Identifier: GPL-2.0
/*
 * The send map against a model with one record per byte, under random operations,
 * across the wrap of the sequence numbers, with and without memory.
 */
#include "unit.h"

#define SPAN	4096

struct byte {
	u64 sent_at;
	bool sacked;
	bool lost;
	bool rexmit;
};

struct model {
	struct xtcp_tcb tcb;
	struct byte b[SPAN];	/* b[0] is SND.UNA */
	u32 n;			/* bytes in flight */
	u64 now;
};

static struct model m;

static void model_init(u32 una)
{
	memset(&m, 0, sizeof(m));
	m.tcb.snd_mss = 100;
	m.tcb.snd_una = una;
	m.tcb.snd_nxt = una;
	m.tcb.high_sacked = una;
	INIT_LIST_HEAD(&m.tcb.by_time);
	m.now = 1000;
}

static u32 at(u32 offset)
{
	return m.tcb.snd_una + offset;
}

static void m_add(struct __test_metadata *_metadata, u32 len)
{
	u32 i, nr = m.tcb.map_nr;
	int err = xtcp_map_add(&m.tcb, m.tcb.snd_nxt, m.tcb.snd_nxt + len, m.now);

	if (err) {
		ASSERT_EQ(-1, err);
		ASSERT_EQ(nr, m.tcb.map_nr);
		return;
	}
	m.tcb.snd_nxt += len;
	for (i = 0; i < len; i++)
		m.b[m.n++] = (struct byte){ .sent_at = m.now };
}

static void m_ack(struct __test_metadata *_metadata, u32 len)
{
	struct xtcp_map_acked got = { 0 }, want = { .acked = len };
	u32 i;

	for (i = 0; i < len; i++) {
		if (m.b[i].sacked)
			continue;
		want.delivered++;
		if (m.b[i].rexmit)
			want.rexmit = true;
		else if (!want.sent_at || m.b[i].sent_at < want.sent_at)
			want.sent_at = m.b[i].sent_at;
	}
	xtcp_map_ack(&m.tcb, at(len), &got);
	m.tcb.snd_una += len;
	m.tcb.high_sacked = seq_max(m.tcb.high_sacked, m.tcb.snd_una);
	memmove(m.b, m.b + len, (m.n - len) * sizeof(m.b[0]));
	m.n -= len;
	ASSERT_EQ(want.acked, got.acked);
	ASSERT_EQ(want.delivered, got.delivered);
	ASSERT_EQ(want.rexmit, got.rexmit);
	ASSERT_EQ(want.sent_at, got.sent_at);
	ASSERT_EQ(0, got.newly_sacked);
}

/* SACKed bytes that touch are one range: latest time, resent if any of it was. */
static void join_sacked(void)
{
	u32 i, j, k;

	for (i = 0; i < m.n; i = j) {
		struct byte all = m.b[i];

		for (j = i + 1; all.sacked && j < m.n && m.b[j].sacked; j++) {
			all.sent_at = max(all.sent_at, m.b[j].sent_at);
			all.rexmit |= m.b[j].rexmit;
		}
		for (k = i; k < j; k++)
			m.b[k] = all;
	}
}

static void m_sack(struct __test_metadata *_metadata, u32 a, u32 z)
{
	struct xtcp_map_acked got = { 0 }, want = { 0 };
	u32 i;

	for (i = a; i < z; i++) {
		if (m.b[i].sacked)
			continue;
		want.newly_sacked++;
		if (m.b[i].rexmit)
			want.rexmit = true;
		else if (!want.sent_at || m.b[i].sent_at < want.sent_at)
			want.sent_at = m.b[i].sent_at;
		m.b[i].sacked = true;
		m.b[i].lost = false;
	}
	join_sacked();
	xtcp_map_sack(&m.tcb, at(a), at(z), &got);
	ASSERT_EQ(want.newly_sacked, got.newly_sacked);
	ASSERT_EQ(want.newly_sacked, got.delivered);
	ASSERT_EQ(want.sent_at, got.sent_at);
	ASSERT_EQ(want.rexmit, got.rexmit);
	ASSERT_EQ(0, got.acked);
}

static void m_lost(struct __test_metadata *_metadata, u32 a, u32 z)
{
	u32 i, want = 0;

	for (i = a; i < z; i++) {
		want += !m.b[i].sacked && !m.b[i].lost;
		m.b[i].lost = !m.b[i].sacked;
	}
	ASSERT_EQ(want, xtcp_map_mark_lost(&m.tcb, at(a), at(z)));
}

/* Send part of one lost range again, mostly its beginning. */
static void m_resent(struct __test_metadata *_metadata)
{
	struct xtcp_range *r = xtcp_map_first_lost(&m.tcb);
	u32 a, z, i;

	if (!r)
		return;
	a = r->seq - m.tcb.snd_una;
	z = r->end_seq - m.tcb.snd_una;
	if (unit_below(4) == 0)
		a += unit_below(z - a);
	if (unit_below(2))
		z = a + 1 + unit_below(z - a);
	for (i = a; i < z; i++)
		m.b[i] = (struct byte){ .sent_at = m.now, .rexmit = true };
	xtcp_map_resent(&m.tcb, at(a), at(z), m.now);
}

static void m_renege(void)
{
	u32 i;

	for (i = 0; i < m.n; i++) {
		m.b[i].lost |= m.b[i].sacked;
		m.b[i].sacked = false;
	}
	xtcp_map_renege(&m.tcb);
}

/* RFC 8985 7.3: the tail once more */
static void m_probed(u32 a)
{
	u32 i;

	if (!m.tcb.map_last)
		return;
	a = max(a, m.tcb.map_last->seq - m.tcb.snd_una);
	for (i = a; i < m.tcb.map_last->end_seq - m.tcb.snd_una; i++)
		m.b[i] = (struct byte){ .sent_at = m.now, .rexmit = true };
	xtcp_map_probed(&m.tcb, at(a), m.now);
}

/* What is lost is in flight again; its times are moved into the order of the list */
static void m_unmark(void)
{
	u64 limit = ~0ULL, newest = 0;
	u32 i;

	for (i = 0; i < m.n; i++)
		if (!m.b[i].sacked && !m.b[i].lost)
			limit = min(limit, m.b[i].sent_at - 1);
	for (i = 0; i < m.n; i++) {
		if (!m.b[i].lost)
			continue;
		m.b[i].lost = false;
		newest = max(newest, min(m.b[i].sent_at, limit));
		m.b[i].sent_at = newest;
	}
	xtcp_map_unmark(&m.tcb);
}

/* ---- what must hold after each operation ---- */

static struct xtcp_range *first_in(const struct rb_root *root)
{
	return rb_entry_safe(rb_first(root), struct xtcp_range, node);
}

static struct xtcp_range *lower(struct xtcp_range *x, struct xtcp_range *y)
{
	if (!x || !y)
		return x ? x : y;
	return before(x->seq, y->seq) ? x : y;
}

static void check_range(struct __test_metadata *_metadata, const struct xtcp_range *r)
{
	u32 i, a = r->seq - m.tcb.snd_una, z = r->end_seq - m.tcb.snd_una;

	ASSERT_LT(a, z);
	ASSERT_LE(z, m.n);
	for (i = a; i < z; i++) {
		const struct byte *b = &m.b[i];

		ASSERT_EQ(b->sacked, !!(r->flags & XTCP_R_SACKED));
		ASSERT_EQ(b->lost, !!(r->flags & XTCP_R_LOST));
		if (b->sacked)
			continue;
		ASSERT_EQ(b->rexmit, !!(r->flags & XTCP_R_REXMIT));
		ASSERT_EQ(b->sent_at, r->sent_at);
	}
}

/* The list holds what is in flight and nothing else, the oldest first. */
static void check_by_time(struct __test_metadata *_metadata, u32 flying)
{
	const struct xtcp_range *last = NULL, *r;

	list_for_each_entry(r, &m.tcb.by_time, by_time) {
		ASSERT_EQ(0, r->flags & (XTCP_R_LOST | XTCP_R_SACKED));
		ASSERT_TRUE(!last || xtcp_sent_after(r->sent_at, r->end_seq,
						     last->sent_at, last->end_seq));
		last = r;
		ASSERT_NE(0, flying--);
	}
	ASSERT_EQ(0, flying);
}

static void check_structure(struct __test_metadata *_metadata)
{
	struct xtcp_range *next[3] = { first_in(&m.tcb.map), first_in(&m.tcb.lost),
				       first_in(&m.tcb.sacked) };
	static const u8 flag[3] = { 0, XTCP_R_LOST, XTCP_R_SACKED };
	u32 edge = m.tcb.snd_una, bytes[3] = { 0 }, nr[3] = { 0 }, rexmit = 0, k;
	struct xtcp_range *r, *last = NULL;
	bool left_sacked = false;

	while ((r = lower(lower(next[0], next[1]), next[2]))) {
		k = r == next[0] ? 0 : r == next[1] ? 1 : 2;
		ASSERT_EQ(edge, r->seq);
		ASSERT_TRUE(before(r->seq, r->end_seq));
		ASSERT_EQ(flag[k], r->flags & (XTCP_R_LOST | XTCP_R_SACKED));
		ASSERT_FALSE(k == 2 && left_sacked);
		left_sacked = k == 2;
		edge = r->end_seq;
		bytes[k] += r->end_seq - r->seq;
		nr[k]++;
		if (!k) {
			last = r;
			if (r->flags & XTCP_R_REXMIT)
				rexmit += r->end_seq - r->seq;
		}
		next[k] = xtcp_map_next(r);
	}
	ASSERT_EQ(edge, m.tcb.snd_nxt);
	ASSERT_EQ(bytes[2], m.tcb.sacked_bytes);
	ASSERT_EQ(bytes[1], m.tcb.lost_bytes);
	ASSERT_EQ(rexmit, m.tcb.rexmit_bytes);
	ASSERT_EQ(nr[0] + nr[1] + nr[2], m.tcb.map_nr);
	ASSERT_EQ(m.tcb.map_nr, unit_seg_live);
	ASSERT_EQ(last, m.tcb.map_last);
	ASSERT_EQ(first_in(&m.tcb.lost), xtcp_map_first_lost(&m.tcb));
	ASSERT_EQ(lower(first_in(&m.tcb.map), first_in(&m.tcb.lost)), xtcp_map_first(&m.tcb));
	ASSERT_EQ(xtcp_pipe(&m.tcb), bytes[0]);
	check_by_time(_metadata, nr[0]);
}

static void check_bytes(struct __test_metadata *_metadata)
{
	struct rb_root *root[3] = { &m.tcb.map, &m.tcb.lost, &m.tcb.sacked };
	u32 i, high = m.tcb.snd_una;
	struct xtcp_range *r;

	for (i = 0; i < 3; i++)
		for (r = first_in(root[i]); r; r = xtcp_map_next(r))
			check_range(_metadata, r);
	for (i = 0; i < m.n; i++)
		if (m.b[i].sacked)
			high = at(i + 1);
	ASSERT_EQ(high, m.tcb.high_sacked);
}

static void random_op(struct __test_metadata *_metadata)
{
	u32 a = m.n ? unit_below(m.n) : 0;
	u32 z = m.n ? a + 1 + unit_below(min(m.n - a, 1 + unit_below(400))) : 0;

	m.now += unit_below(2);
	switch (unit_below(m.tcb.map_nr > 60 ? 1 : 12)) {
	case 0:
		m_ack(_metadata, m.n ? unit_below(m.n + 1) : 0);
		break;
	case 1:
		m_lost(_metadata, a, z);
		break;
	case 2:
	case 3:
		m_resent(_metadata);
		break;
	case 4:
	case 5:
		m_sack(_metadata, a, z);
		break;
	case 6:
		if (unit_below(10) == 0)
			m_renege();
		break;
	case 7:
		m_probed(a);
		break;
	case 8:
		if (unit_below(5) == 0)
			m_unmark();
		break;
	default:
		if (m.n + 300 < SPAN)
			m_add(_metadata, 1 + unit_below(300));
	}
}

TEST(random_operations_equal_the_byte_model)
{
	unsigned long round, op;

	for (round = 0; round < 60 * unit_scale(); round++) {
		unit_srand(round);
		model_init(round % 2 ? unit_rand() : -unit_below(2000));
		for (op = 0; op < 400; op++) {
			random_op(_metadata);
			check_structure(_metadata);
			check_bytes(_metadata);
		}
		xtcp_map_reset(&m.tcb);
		ASSERT_EQ(0, unit_seg_live);
		ASSERT_EQ(0, m.tcb.map_nr);
		ASSERT_EQ(NULL, m.tcb.map_last);
	}
}

/* ---- without memory: what the map holds is still true, only less precise ---- */

/* Take over what the map says, after checking that it claims nothing it may not. */
static void adopt(struct __test_metadata *_metadata, const struct byte *allowed)
{
	struct rb_root *root[2] = { &m.tcb.map, &m.tcb.lost };
	struct xtcp_range *r;
	u32 i, k;

	for (i = 0; i < m.n; i++)
		m.b[i].sacked = true;
	for (k = 0; k < 2; k++)
		for (r = first_in(root[k]); r; r = xtcp_map_next(r))
			for (i = r->seq - m.tcb.snd_una; i < r->end_seq - m.tcb.snd_una; i++)
				m.b[i] = (struct byte){ r->sent_at, false,
					r->flags & XTCP_R_LOST, r->flags & XTCP_R_REXMIT };
	for (i = 0; i < m.n; i++) {
		if (m.b[i].sacked)
			ASSERT_TRUE(allowed[i].sacked);
		if (m.b[i].lost)
			ASSERT_TRUE(allowed[i].lost);
	}
}

static void starved_op(struct __test_metadata *_metadata, struct byte *allowed)
{
	u32 a = unit_below(m.n), z = a + 1 + unit_below(m.n - a), i;
	struct xtcp_map_acked got = { 0 };
	struct xtcp_range *r;

	memcpy(allowed, m.b, sizeof(m.b));
	switch (unit_below(3)) {
	case 0:
		for (i = a; i < z; i++)
			allowed[i].sacked = true;
		xtcp_map_sack(&m.tcb, at(a), at(z), &got);
		ASSERT_LE(got.newly_sacked, z - a);
		break;
	case 1:
		for (i = a; i < z; i++)
			allowed[i].lost = true;
		ASSERT_LE(xtcp_map_mark_lost(&m.tcb, at(a), at(z)), z - a);
		break;
	default:
		r = xtcp_map_first_lost(&m.tcb);
		if (!r)
			return;
		z = r->seq + 1 + unit_below(r->end_seq - r->seq);
		m.now++;
		xtcp_map_resent(&m.tcb, r->seq, z, m.now);
		i = r->seq - m.tcb.snd_una;
		ASSERT_TRUE(!m.tcb.lost_bytes ||
			    !before(xtcp_map_first_lost(&m.tcb)->seq, z));
	}
}

TEST(without_memory_nothing_is_lost_or_invented)
{
	static struct byte allowed[SPAN];
	unsigned long round, op;

	for (round = 0; round < 60 * unit_scale(); round++) {
		unit_srand(round);
		model_init(-unit_below(2000));
		unit_seg_fail_1_in = 1 + round % 3;
		for (op = 0; op < 300; op++) {
			if (m.n + 300 < SPAN && unit_below(3) == 0)
				m_add(_metadata, 1 + unit_below(300));
			if (m.n && unit_below(20) == 0)
				m_ack(_metadata, unit_below(m.n + 1));
			m.now++;
			if (m.n) {
				starved_op(_metadata, allowed);
				adopt(_metadata, allowed);
			}
			check_structure(_metadata);
		}
		unit_seg_fail_1_in = 0;
		xtcp_map_reset(&m.tcb);
		ASSERT_EQ(0, unit_seg_live);
	}
}

TEST(add_without_memory_changes_nothing)
{
	model_init(-50);
	m_add(_metadata, 100);
	m.now++;
	unit_seg_budget = 0;
	ASSERT_EQ(-1, xtcp_map_add(&m.tcb, at(100), at(200), m.now));
	ASSERT_EQ(1, m.tcb.map_nr);
	ASSERT_EQ(100, m.tcb.map_last->end_seq - m.tcb.snd_una);
	check_structure(_metadata);
	unit_seg_budget = -1;
	xtcp_map_reset(&m.tcb);
}

/* ---- particular cases ---- */

TEST(one_flush_makes_one_range)
{
	u32 i;

	model_init(7);
	for (i = 0; i < 10; i++)
		m_add(_metadata, 100);
	ASSERT_EQ(1, m.tcb.map_nr);
	m.now++;
	m_add(_metadata, 100);
	ASSERT_EQ(2, m.tcb.map_nr);
	check_structure(_metadata);
	check_bytes(_metadata);
	xtcp_map_reset(&m.tcb);
}

TEST(syn_is_never_merged_with_data)
{
	model_init(7);
	m.tcb.syn_out = 1;
	m_add(_metadata, 1);
	m_add(_metadata, 100);
	ASSERT_EQ(2, m.tcb.map_nr);
	xtcp_map_reset(&m.tcb);
}

/* CVE-2019-11478: a peer that SACKs every second byte must not cost memory without bound. */
TEST(splits_are_bounded)
{
	u32 i, len = 1000 * 1460;
	struct xtcp_map_acked got = { 0 };

	model_init(1);
	m.tcb.snd_mss = 1460;
	ASSERT_EQ(0, xtcp_map_add(&m.tcb, at(0), at(len), m.now));
	m.tcb.snd_nxt = at(len);
	for (i = 1; i < len; i += 2)
		xtcp_map_sack(&m.tcb, at(i), at(i + 1), &got);
	ASSERT_LE(m.tcb.map_nr, 64 + 2 * 1000 + 1);
	ASSERT_GE(m.tcb.map_nr, 1000);
	ASSERT_EQ(got.newly_sacked, m.tcb.sacked_bytes);
	/* the rest of the stream is still served */
	xtcp_map_ack(&m.tcb, m.tcb.snd_nxt, &got);
	m.tcb.snd_una = m.tcb.snd_nxt;
	ASSERT_EQ(len, got.acked);
	ASSERT_EQ(0, m.tcb.map_nr);
	ASSERT_EQ(0, unit_seg_live);
}

/* An honest peer with a hole before every segment is never refused a split. */
TEST(honest_holes_always_fit)
{
	u32 i, mss = 1460, n = 5000;
	struct xtcp_map_acked got = { 0 };

	model_init(-1000);
	m.tcb.snd_mss = mss;
	ASSERT_EQ(0, xtcp_map_add(&m.tcb, at(0), at(n * mss), m.now));
	m.tcb.snd_nxt = at(n * mss);
	for (i = 1; i < n; i += 2)
		xtcp_map_sack(&m.tcb, at(i * mss), at((i + 1) * mss), &got);
	ASSERT_EQ(n / 2 * mss, m.tcb.sacked_bytes);
	ASSERT_EQ(n / 2 * mss, xtcp_map_mark_lost(&m.tcb, m.tcb.snd_una, m.tcb.snd_nxt));
	for (i = 0; i < n; i += 2) {
		ASSERT_EQ(at(i * mss), xtcp_map_first_lost(&m.tcb)->seq);
		xtcp_map_resent(&m.tcb, at(i * mss), at((i + 1) * mss), m.now);
	}
	ASSERT_EQ(0, m.tcb.lost_bytes);
	xtcp_map_reset(&m.tcb);
}

TEST(resent_without_memory_counts_as_in_flight)
{
	model_init(-5);
	m_add(_metadata, 1000);
	m_lost(_metadata, 0, 1000);
	unit_seg_budget = 0;
	xtcp_map_resent(&m.tcb, at(0), at(100), m.now + 1);
	ASSERT_EQ(0, m.tcb.lost_bytes);
	ASSERT_EQ(XTCP_R_REXMIT, xtcp_map_first(&m.tcb)->flags);
	ASSERT_EQ(1000, xtcp_map_mark_lost(&m.tcb, at(0), at(1000)));
	unit_seg_budget = -1;
	xtcp_map_reset(&m.tcb);
}

TEST(nothing_of_the_peer_is_trusted_beyond_the_map)
{
	struct xtcp_map_acked got = { 0 };

	model_init(10);
	m_add(_metadata, 100);
	xtcp_map_resent(&m.tcb, at(0), at(50), m.now);	/* not lost: no effect */
	xtcp_map_sack(&m.tcb, at(100), at(200), &got);	/* beyond: no effect */
	ASSERT_EQ(0, got.newly_sacked);
	ASSERT_EQ(0, xtcp_map_mark_lost(&m.tcb, at(100), at(200)));
	check_structure(_metadata);
	check_bytes(_metadata);
	xtcp_map_reset(&m.tcb);
}

TEST_HARNESS_MAIN
