// SPDX-License-Identifier: GPL-2.0
/*
 * The receiving side: RCV.NXT, the intervals beyond it, the SACK blocks that report
 * them, the window to advertise, and when to acknowledge.  Knows which numbers are
 * there, never the bytes: the caller keeps the buffers, in the same intervals.
 * Called by input.c for text and FIN, by output.c for the window, by rcvbuf.c when
 * it drops buffers.
 *
 * tcb->sack[] holds [has_dsack] duplicate report, then intervals of tcb->ofo, the
 * most recently changed first (RFC 2018 4); each of those equals one in the tree.
 */
#include <linux/kernel.h>

#include "tcb.h"

#define MAX_RCV_RTT	(60 * XTCP_NSEC_PER_SEC)

static struct xtcp_hole_end *to_hole(struct rb_node *n)
{
	return n ? rb_entry(n, struct xtcp_hole_end, node) : NULL;
}

static struct xtcp_hole_end *next_hole(struct xtcp_hole_end *h)
{
	return to_hole(rb_next(&h->node));
}

/* Leftmost interval that ends at or behind @seq, in O(log n) */
static struct xtcp_hole_end *find_end(const struct xtcp_tcb *tcb, u32 seq)
{
	struct rb_node *n = tcb->ofo.rb_node;
	struct xtcp_hole_end *best = NULL;

	while (n) {
		struct xtcp_hole_end *h = to_hole(n);

		if (before(h->end_seq, seq)) {
			n = n->rb_right;
		} else {
			best = h;
			n = n->rb_left;
		}
	}
	return best;
}

/* ---- SACK blocks to send ---- */

/* Forget the blocks inside [seq, end_seq); the duplicate report stays */
static void sack_remove(struct xtcp_tcb *tcb, u32 seq, u32 end_seq)
{
	unsigned int i, n = tcb->has_dsack;

	for (i = n; i < tcb->nr_sack; i++) {
		if (before(tcb->sack[i].seq, seq) || after(tcb->sack[i].end_seq, end_seq))
			tcb->sack[n++] = tcb->sack[i];
	}
	tcb->nr_sack = n;
}

/* Put a block in at @at; the last one falls off where there is no room */
static void sack_insert(struct xtcp_tcb *tcb, unsigned int at, u32 seq, u32 end_seq)
{
	unsigned int i;

	if (tcb->nr_sack < XTCP_MAX_SACK)
		tcb->nr_sack++;
	for (i = tcb->nr_sack - 1; i > at; i--)
		tcb->sack[i] = tcb->sack[i - 1];
	tcb->sack[at].seq = seq;
	tcb->sack[at].end_seq = end_seq;
}

/* RFC 2018 4: the interval with the latest segment is the first block */
static void sack_newest(struct xtcp_tcb *tcb, const struct xtcp_hole_end *h)
{
	if (!tcb->sack_ok)
		return;
	sack_remove(tcb, h->seq, h->end_seq);
	sack_insert(tcb, tcb->has_dsack, h->seq, h->end_seq);
}

static bool sack_has(const struct xtcp_tcb *tcb, const struct xtcp_hole_end *h)
{
	unsigned int i;

	for (i = tcb->has_dsack; i < tcb->nr_sack; i++) {
		if (tcb->sack[i].seq == h->seq)
			return true;
	}
	return false;
}

/* RFC 2018 4: as many blocks as possible; older intervals that had fallen off the
 * list come back from the left.  Looks at eight intervals at the most.
 */
static void sack_refill(struct xtcp_tcb *tcb)
{
	struct xtcp_hole_end *h;
	unsigned int full;

	if (!tcb->sack_ok || !tcb->ofo_nr)
		return;
	full = min_t(u32, XTCP_MAX_SACK, tcb->ofo_nr + tcb->has_dsack);
	for (h = to_hole(rb_first(&tcb->ofo)); h && tcb->nr_sack < full; h = next_hole(h)) {
		if (!sack_has(tcb, h))
			sack_insert(tcb, tcb->nr_sack, h->seq, h->end_seq);
	}
}

/* RFC 2883 4: the first block of the next ACK reports the duplicate, once */
static void set_dsack(struct xtcp_tcb *tcb, u32 seq, u32 end_seq)
{
	if (!tcb->sack_ok || !before(seq, end_seq))
		return;
	if (!tcb->has_dsack)
		sack_insert(tcb, 0, seq, end_seq);
	tcb->has_dsack = 1;
	tcb->sack[0].seq = seq;
	tcb->sack[0].end_seq = end_seq;
}

static void clear_dsack(struct xtcp_tcb *tcb)
{
	unsigned int i;

	if (!tcb->has_dsack)
		return;
	tcb->has_dsack = 0;
	tcb->nr_sack--;
	for (i = 0; i < tcb->nr_sack; i++)
		tcb->sack[i] = tcb->sack[i + 1];
	sack_refill(tcb);
}

/* ---- intervals ---- */

static void remove_hole(struct xtcp_tcb *tcb, struct xtcp_hole_end *h)
{
	sack_remove(tcb, h->seq, h->end_seq);
	rb_erase(&h->node, &tcb->ofo);
	tcb->ofo_nr--;
	xtcp_seg_free(h);
}

/* A new interval that touches no other, or NULL */
static struct xtcp_hole_end *add_hole(struct xtcp_tcb *tcb, u32 seq, u32 end_seq)
{
	struct rb_node **link = &tcb->ofo.rb_node, *parent = NULL;
	struct xtcp_hole_end *h;

	if (tcb->ofo_nr >= XTCP_RX_HOLES)
		return NULL;
	h = xtcp_seg_alloc();
	if (!h)
		return NULL;
	while (*link) {
		parent = *link;
		link = before(seq, to_hole(parent)->seq) ? &parent->rb_left : &parent->rb_right;
	}
	h->seq = seq;
	h->end_seq = end_seq;
	rb_link_node(&h->node, parent, link);
	rb_insert_color(&h->node, &tcb->ofo);
	tcb->ofo_nr++;
	return h;
}

/* Let @h, which touches [seq, end_seq), grow over it and what that reaches */
static void grow_hole(struct xtcp_tcb *tcb, struct xtcp_hole_end *h, u32 seq, u32 end_seq)
{
	struct xtcp_hole_end *n;

	sack_remove(tcb, h->seq, h->end_seq);
	h->seq = seq_min(h->seq, seq);
	h->end_seq = seq_max(h->end_seq, end_seq);
	while ((n = next_hole(h)) && !after(n->seq, h->end_seq)) {
		h->end_seq = seq_max(h->end_seq, n->end_seq);
		remove_hole(tcb, n);
	}
}

/* ---- when the peer may be in recovery ---- */

/*
 * Something was lost, reordered or sent twice: the peer's window may be down to one
 * segment (RFC 5681 3.1), and its estimate of what is missing depends on our answers.
 */
#define QUICK_ACKS_AGAIN 8

static void quick_again(struct xtcp_tcb *tcb)
{
	tcb->quick_acks = max_t(u8, tcb->quick_acks, QUICK_ACKS_AGAIN);
	tcb->pingpong = 0;
	tcb->todo |= XTCP_ACK_NOW;
}

/* RFC 2883 4.2: report the first part of [seq, end_seq) that was there before, at
 * once (RFC 9293 3.10.7.4, first)
 */
static void note_duplicate(struct xtcp_tcb *tcb, u32 seq, u32 end_seq)
{
	struct xtcp_hole_end *h;

	if (before(seq, tcb->rcv_nxt)) {
		quick_again(tcb);
		set_dsack(tcb, seq, seq_min(end_seq, tcb->rcv_nxt));
		return;
	}
	h = find_end(tcb, seq + 1);
	if (!h || !before(h->seq, end_seq))
		return;
	quick_again(tcb);
	set_dsack(tcb, seq_max(seq, h->seq), seq_min(end_seq, h->end_seq));
}

/* ---- text and FIN ---- */

/* Behind the last number that may be taken: the window, and no text behind a FIN */
static u32 right_edge(const struct xtcp_tcb *tcb)
{
	if (tcb->rcv_fin_seen)
		return seq_min(tcb->rcv_adv, tcb->rcv_fin);
	return tcb->rcv_adv;
}

static enum xtcp_rx_verdict take_in_order(struct xtcp_tcb *tcb, u32 end_seq)
{
	struct xtcp_hole_end *h;
	u32 old = tcb->rcv_nxt;

	tcb->rcv_nxt = end_seq;
	if (tcb->ofo_nr)
		quick_again(tcb);	/* fills a gap, RFC 5681 4.2 */
	while ((h = to_hole(rb_first(&tcb->ofo))) && !after(h->seq, tcb->rcv_nxt)) {
		tcb->rcv_nxt = seq_max(tcb->rcv_nxt, h->end_seq);
		remove_hole(tcb, h);
	}
	sack_refill(tcb);
	tcb->bytes_received += tcb->rcv_nxt - old;
	tcb->todo |= XTCP_WAKE_READER;
	return XTCP_RX_IN_ORDER;
}

static enum xtcp_rx_verdict take_ofo(struct xtcp_tcb *tcb, u32 seq, u32 end_seq)
{
	struct xtcp_hole_end *h = find_end(tcb, seq);
	enum xtcp_rx_verdict verdict = XTCP_RX_OFO;

	quick_again(tcb);		/* RFC 5681 4.2: a duplicate ACK at once */
	if (!h || before(end_seq, h->seq)) {
		h = add_hole(tcb, seq, end_seq);
		if (!h)
			return XTCP_RX_NO_MEM;
	} else if (between(seq, h->seq, h->end_seq) && between(end_seq, h->seq, h->end_seq)) {
		verdict = XTCP_RX_DUP;
	} else {
		grow_hole(tcb, h, seq, end_seq);
	}
	sack_newest(tcb, h);
	sack_refill(tcb);
	if (verdict == XTCP_RX_OFO)
		tcb->rcv_ooopack++;
	return verdict;
}

enum xtcp_rx_verdict xtcp_rx_data(struct xtcp_tcb *tcb, u32 seq, u32 end_seq,
				  u64 now, u32 *keep_end)
{
	u32 end = seq_min(end_seq, right_edge(tcb));

	*keep_end = seq_max(seq, end);
	if (seq == end_seq)
		return XTCP_RX_DUP;
	if (!before(seq, end)) {
		tcb->todo |= XTCP_ACK_NOW;	/* RFC 9293 3.10.7.4, first */
		return XTCP_RX_BEYOND;
	}
	note_duplicate(tcb, seq, end);
	if (!after(end, tcb->rcv_nxt))
		return XTCP_RX_DUP;
	if (after(seq, tcb->rcv_nxt))
		return take_ofo(tcb, seq, end);
	return take_in_order(tcb, end);
}

/* Deviation: RFC 9293 3.10.7.4 trims a FIN behind the right edge of the window.  It
 * needs no buffer, so one exactly at the edge is taken, even of a zero window.
 */
void xtcp_rx_fin(struct xtcp_tcb *tcb, u32 seq, u32 fin_seq)
{
	struct xtcp_hole_end *last = to_hole(rb_last(&tcb->ofo));
	bool taken = !tcb->rcv_fin_seen && between(fin_seq, tcb->rcv_nxt, tcb->rcv_adv) &&
		     !(last && after(last->end_seq, fin_seq));

	if (taken) {
		tcb->rcv_fin_seen = 1;
		tcb->rcv_fin = fin_seq;
	}
	if (!taken || seq != tcb->rcv_nxt)
		tcb->todo |= XTCP_ACK_NOW;	/* RFC 5681 4.2 */
}

/* Until the user closes as well its ACK may wait, for our FIN to carry it (RFC 9293 3.8.6.3). */
static void ack_fin(struct xtcp_tcb *tcb, u64 now)
{
	u64 delay = xtcp_delack(tcb);

	if (tcb->state != TCP_ESTABLISHED || tcb->quickack || !delay)
		tcb->todo |= XTCP_ACK_NOW;
	else if (!tcb->deadline[XTCP_T_DELACK])
		tcb->deadline[XTCP_T_DELACK] = now + delay;
}

bool xtcp_rx_fin_due(struct xtcp_tcb *tcb, u64 now)
{
	if (!tcb->rcv_fin_seen || tcb->rcv_nxt != tcb->rcv_fin)
		return false;
	tcb->rcv_nxt++;
	tcb->rcv_adv = seq_max(tcb->rcv_adv, tcb->rcv_nxt);
	tcb->todo |= XTCP_WAKE_READER;
	ack_fin(tcb, now);
	return true;
}

/* RFC 2018 8 allows to forget what was SACKed; it is not acknowledged yet */
void xtcp_rx_prune(struct xtcp_tcb *tcb, u32 seq)
{
	struct xtcp_hole_end *h;

	while ((h = to_hole(rb_last(&tcb->ofo))) && after(h->end_seq, seq)) {
		if (before(h->seq, seq)) {
			sack_remove(tcb, h->seq, h->end_seq);
			h->end_seq = seq;
		} else {
			remove_hole(tcb, h);
		}
	}
	sack_refill(tcb);
}

void xtcp_rx_reset(struct xtcp_tcb *tcb)
{
	struct rb_node *n;

	while ((n = rb_first(&tcb->ofo)))
		remove_hole(tcb, to_hole(n));
	tcb->has_dsack = 0;
	tcb->nr_sack = 0;
}

/* ---- window, RFC 9293 3.8.6 ---- */

u32 xtcp_rx_window(const struct xtcp_tcb *tcb)
{
	u32 promised = tcb->rcv_adv - tcb->rcv_nxt;
	u32 unit = 1u << tcb->rcv_wscale;
	u32 most = XTCP_MAX_WND << tcb->rcv_wscale;
	u32 room = min(tcb->rcv_space, most) & ~(unit - 1);
	u32 step = min_t(u32, tcb->rcv_buf / 2, tcb->rcv_mss);

	if (room > promised && room - promised >= step)
		return room;
	/* rounding up keeps the right edge from moving left (SHLD-14) */
	return min((promised + unit - 1) & ~(unit - 1), most);
}

bool xtcp_rx_window_update_due(const struct xtcp_tcb *tcb)
{
	u32 promised = tcb->rcv_adv - tcb->rcv_nxt;
	u32 wnd = xtcp_rx_window(tcb);
	u32 grow = wnd - promised;

	if (wnd <= promised)
		return false;
	if (tcb->rcv_fin_seen && after(tcb->rcv_nxt, tcb->rcv_fin))
		return false;		/* nothing more to come */
	if (!promised || tcb->wnd_shut)
		return true;
	if (grow < min_t(u32, 2 * tcb->rcv_mss, tcb->rcv_buf / 2))
		return false;
	/* a peer with much window left will hear of more with its next ACK */
	return grow >= tcb->rcv_buf / 4 || promised <= tcb->rcv_buf / 4;
}

void xtcp_rx_sent_ack(struct xtcp_tcb *tcb, u32 wnd)
{
	tcb->rcv_wnd = wnd;
	tcb->rcv_adv = seq_max(tcb->rcv_adv, tcb->rcv_nxt + wnd);
	tcb->rcv_acked = tcb->rcv_nxt;
	tcb->wnd_shut = wnd == 0;
	tcb->todo &= ~XTCP_ACK_NOW;
	tcb->deadline[XTCP_T_DELACK] = 0;
	if (tcb->quick_acks)
		tcb->quick_acks--;
	clear_dsack(tcb);
}

/* ---- delayed ACK, RFC 9293 3.8.6.3, RFC 5681 4.2 ---- */

/* The peer's full-sized segment is the largest seen, from 536 on.  A super-packet
 * is longer than a segment: the estimate ends at our own MSS, which on most paths is
 * the peer's as well.  Too low an estimate means more ACKs.
 */
static void measure_mss(struct xtcp_tcb *tcb, u32 len)
{
	u32 most = max_t(u32, tcb->snd_mss, XTCP_MSS_DEFAULT);

	if (len > tcb->rcv_mss)
		tcb->rcv_mss = min(len, most);
}

static bool may_delay(const struct xtcp_tcb *tcb, u64 delay)
{
	if (tcb->quickack || !delay)
		return false;
	return !tcb->quick_acks || tcb->pingpong;
}

/* Two full-sized segments, or half of a window that holds hardly more: there the
 * peer may have to stop and wait for us
 */
static bool much_unacked(const struct xtcp_tcb *tcb)
{
	u32 unacked = tcb->rcv_nxt - tcb->rcv_acked;

	return unacked >= 2u * tcb->rcv_mss || unacked >= tcb->rcv_wnd / 2;
}

/*
 * After a pause that is longer than a timeout the peer starts with a small window, by a
 * timeout (RFC 5681 3.1) or after idling (4.1).
 */
static void note_pause(struct xtcp_tcb *tcb, u64 now)
{
	if (tcb->rcv_data_at && now - tcb->rcv_data_at > xtcp_rto(tcb))
		tcb->quick_acks = max_t(u8, tcb->quick_acks, QUICK_ACKS_AGAIN);
	tcb->rcv_data_at = now;
}

void xtcp_rx_ack_policy(struct xtcp_tcb *tcb, u32 len, u64 now)
{
	u64 delay = xtcp_delack(tcb);

	measure_mss(tcb, len);
	note_pause(tcb, now);
	if (!may_delay(tcb, delay) || much_unacked(tcb))
		tcb->todo |= XTCP_ACK_NOW;
	else if (!tcb->deadline[XTCP_T_DELACK])
		tcb->deadline[XTCP_T_DELACK] = now + delay;
}

/* ---- the round trip as the receiver sees it ---- */

/*
 * A sample is a round trip and what the peer has waited before it sent, so a shorter one
 * is believed at once, a longer one by and by.
 */
static void rtt_seen(struct xtcp_tcb *tcb, u64 rtt)
{
	rtt = min_t(u64, max_t(u64, rtt, 1), MAX_RCV_RTT);
	if (!tcb->rcv_rtt || rtt < tcb->rcv_rtt)
		tcb->rcv_rtt = rtt;
	else
		tcb->rcv_rtt += (rtt - tcb->rcv_rtt) / 8;
}

/* RFC 7323 3: the peer echoes our timestamp.  Only the first segment with a new one is
 * an answer to it, and only a full one was not held back.
 */
static void rtt_by_timestamp(struct xtcp_tcb *tcb, const struct xtcp_segment *seg, u64 now)
{
	u64 rtt = xtcp_ts_rtt(tcb, &seg->opt, now);

	if (!(seg->opt.present & XTCP_HAS_TS) || seg->opt.tsecr == tcb->rcv_rtt_tsecr)
		return;
	tcb->rcv_rtt_tsecr = seg->opt.tsecr;
	if (seg->len >= tcb->rcv_mss && rtt)
		rtt_seen(tcb, rtt);
}

/* Without timestamps: the peer can't send more than the window in one round trip, so the
 * time that a window's worth of text takes is not shorter.
 */
static void rtt_by_window(struct xtcp_tcb *tcb, u64 now)
{
	if (tcb->rcv_rtt_at && before(tcb->rcv_nxt, tcb->rcv_rtt_seq))
		return;
	if (tcb->rcv_rtt_at)
		rtt_seen(tcb, now - tcb->rcv_rtt_at);
	tcb->rcv_rtt_seq = tcb->rcv_adv;
	tcb->rcv_rtt_at = now;
}

void xtcp_rx_rtt(struct xtcp_tcb *tcb, const struct xtcp_segment *seg, u64 now)
{
	if (tcb->ts_ok)
		rtt_by_timestamp(tcb, seg, now);
	else
		rtt_by_window(tcb, now);
}
