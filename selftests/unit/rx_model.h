/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The naive oracle of rx.c: a flag for every byte of a small stream.  Each step_*()
 * plays one thing into the bitmap and into the core and says whether they agree;
 * check_state() compares all that can be seen.  Included by the unit test, which
 * plays random steps, and by the fuzzer.
 */
#ifndef _UNIT_RX_MODEL_H
#define _UNIT_RX_MODEL_H

#include <stdio.h>
#include <stdlib.h>
#include <linux/kernel.h>
#include <linux/string.h>
#include "tcb.h"
#include "rig.h"

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

	bool taken = false;

	tcb.todo = 0;
	xtcp_rx_fin(&tcb, pos, pos);
	for (p = pos; p < m.nxt + WINDOW && !have(p); p++)
		;
	if (!m.fin && pos >= m.nxt && pos <= m.adv && p >= m.nxt + WINDOW) {
		m.fin = pos;
		taken = true;
	}
	CHECK(tcb.todo == (taken && pos == m.nxt ? 0 : XTCP_ACK_NOW));
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
	CHECK(xtcp_rx_fin_due(&tcb, 1) == due);
	CHECK(tcb.todo == (due ? XTCP_ACK_NOW | XTCP_WAKE_READER : 0));
	if (due) {
		m.nxt++;
		m.adv = m.adv < m.nxt ? m.nxt : m.adv;
		CHECK(!xtcp_rx_fin_due(&tcb, 1));
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

#endif
