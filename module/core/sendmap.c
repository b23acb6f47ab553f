// SPDX-License-Identifier: GPL-2.0
/*
 * The send map: what is in flight, as intervals.  Owns tcb->map, tcb->sacked and
 * the byte counters of both.  Two trees, so that a walk over what is missing never
 * crosses what has arrived, and the SACKed intervals can be counted from the right
 * (RFC 6675 IsLost) without a walk.  Never decides that something is lost, never
 * sends.  Called by ack.c, loss.c and tx.c.
 */
#include <linux/minmax.h>
#include <linux/string.h>

#include "tcb.h"

static struct xtcp_range *range_of(struct rb_node *n)
{
	return rb_entry_safe(n, struct xtcp_range, node);
}

static u32 len_of(const struct xtcp_range *r)
{
	return r->end_seq - r->seq;
}

static u32 *range_counter(struct xtcp_tcb *tcb, const struct xtcp_range *r)
{
	if (r->flags & XTCP_R_SACKED)
		return &tcb->sacked_bytes;
	return r->flags & XTCP_R_LOST ? &tcb->lost_bytes : NULL;
}

static void count(struct xtcp_tcb *tcb, const struct xtcp_range *r)
{
	u32 *c = range_counter(tcb, r);

	if (c)
		*c += len_of(r);
}

static void uncount(struct xtcp_tcb *tcb, const struct xtcp_range *r)
{
	u32 *c = range_counter(tcb, r);

	if (c)
		*c -= len_of(r);
}

/* Leftmost range of @root that ends right of @seq. */
static struct xtcp_range *find_ending_after(const struct rb_root *root, u32 seq)
{
	struct rb_node *n = root->rb_node;
	struct xtcp_range *best = NULL;

	while (n) {
		struct xtcp_range *r = range_of(n);

		if (after(r->end_seq, seq)) {
			best = r;
			n = n->rb_left;
		} else {
			n = n->rb_right;
		}
	}
	return best;
}

static void link_into(struct rb_root *root, struct xtcp_range *r)
{
	struct rb_node **p = &root->rb_node, *parent = NULL;

	while (*p) {
		parent = *p;
		p = before(r->seq, range_of(parent)->seq) ?
			&parent->rb_left : &parent->rb_right;
	}
	rb_link_node(&r->node, parent, p);
	rb_insert_color(&r->node, root);
}

/* Append to the map: the rightmost node has no right child. */
static void link_last(struct xtcp_tcb *tcb, struct xtcp_range *r)
{
	struct xtcp_range *last = tcb->map_last;

	if (last)
		rb_link_node(&r->node, &last->node, &last->node.rb_right);
	else
		rb_link_node(&r->node, NULL, &tcb->map.rb_node);
	rb_insert_color(&r->node, &tcb->map);
	tcb->map_last = r;
}

static void unlink_unsacked(struct xtcp_tcb *tcb, struct xtcp_range *r)
{
	if (tcb->map_last == r)
		tcb->map_last = range_of(rb_prev(&r->node));
	if (tcb->map_lost == r)
		tcb->map_lost = range_of(rb_next(&r->node));
	rb_erase(&r->node, &tcb->map);
}

static void drop(struct xtcp_tcb *tcb, struct xtcp_range *r)
{
	xtcp_seg_free(r);
	tcb->map_nr--;
}

/*
 * A peer may SACK at any byte.  Splits are bounded by what honest segments can
 * need, so that memory stays in proportion to what is in flight.
 */
static bool may_split(const struct xtcp_tcb *tcb)
{
	u32 mss = max_t(u32, tcb->snd_mss, XTCP_MSS_MIN);

	return tcb->map_nr < 64 + 2 * ((tcb->snd_nxt - tcb->snd_una) / mss);
}

/* Cut an unSACKed range in two at @seq inside it.  Return: the right part, or NULL. */
static struct xtcp_range *split(struct xtcp_tcb *tcb, struct xtcp_range *r, u32 seq)
{
	struct xtcp_range *right = may_split(tcb) ? xtcp_seg_alloc() : NULL;

	if (!right)
		return NULL;
	*right = *r;
	right->seq = seq;
	r->end_seq = seq;
	if (tcb->map_last == r)
		link_last(tcb, right);
	else
		link_into(&tcb->map, right);
	tcb->map_nr++;
	return right;
}

int xtcp_map_add(struct xtcp_tcb *tcb, u32 seq, u32 end_seq, u64 now)
{
	struct xtcp_range *r = tcb->map_last;

	/* Never with the SYN: it alone is sent in other states. */
	if (r && r->end_seq == seq && r->sent_at == now && !r->flags &&
	    !tcb->syn_out) {
		r->end_seq = end_seq;
		return 0;
	}
	r = xtcp_seg_alloc();
	if (!r)
		return -1;
	r->seq = seq;
	r->end_seq = end_seq;
	r->sent_at = now;
	r->flags = 0;
	link_last(tcb, r);
	tcb->map_nr++;
	return 0;
}

/* One pass of a flush sends neighbours: they are one range again. */
static void merge_resent(struct xtcp_tcb *tcb, struct xtcp_range *r)
{
	struct xtcp_range *left = range_of(rb_prev(&r->node));

	if (!left || left->end_seq != r->seq || left->sent_at != r->sent_at ||
	    left->flags != r->flags)
		return;
	left->end_seq = r->end_seq;
	unlink_unsacked(tcb, r);
	drop(tcb, r);
}

void xtcp_map_resent(struct xtcp_tcb *tcb, u32 seq, u32 end_seq, u64 now)
{
	struct xtcp_range *r = find_ending_after(&tcb->map, seq), *right;

	if (!r || !(r->flags & XTCP_R_LOST))
		return;
	if (before(r->seq, seq)) {
		right = split(tcb, r, seq);
		r = right ? right : r;
	}
	if (after(r->end_seq, end_seq))
		split(tcb, r, end_seq);
	uncount(tcb, r);
	r->flags = XTCP_R_REXMIT;
	r->sent_at = now;
	merge_resent(tcb, r);
}

/* Book what is acknowledged of @r up to @ack (RFC 6298 3: Karn's rule). */
static void account(struct xtcp_map_acked *res, const struct xtcp_range *r)
{
	if (r->flags & XTCP_R_REXMIT)
		res->rexmit = true;
	else if (!res->sent_at || r->sent_at < res->sent_at)
		res->sent_at = r->sent_at;
}

static void ack_unsacked(struct xtcp_tcb *tcb, u32 ack, struct xtcp_map_acked *res)
{
	struct xtcp_range *r;

	while ((r = xtcp_map_first(tcb)) && before(r->seq, ack)) {
		u32 end = seq_min(r->end_seq, ack);

		account(res, r);
		res->acked += end - r->seq;
		res->delivered += end - r->seq;
		uncount(tcb, r);
		r->seq = end;
		count(tcb, r);
		if (r->seq != r->end_seq)
			return;
		unlink_unsacked(tcb, r);
		drop(tcb, r);
	}
}

static void ack_sacked(struct xtcp_tcb *tcb, u32 ack, struct xtcp_map_acked *res)
{
	struct xtcp_range *r;

	while ((r = range_of(rb_first(&tcb->sacked))) && before(r->seq, ack)) {
		u32 end = seq_min(r->end_seq, ack);

		res->acked += end - r->seq;
		tcb->sacked_bytes -= end - r->seq;
		r->seq = end;
		if (r->seq != r->end_seq)
			return;
		rb_erase(&r->node, &tcb->sacked);
		drop(tcb, r);
	}
}

void xtcp_map_ack(struct xtcp_tcb *tcb, u32 ack, struct xtcp_map_acked *res)
{
	ack_unsacked(tcb, ack, res);
	if (tcb->sacked_bytes)
		ack_sacked(tcb, ack, res);
}

/* Put a range just taken out of the map among the SACKed, one with those it touches. */
static void insert_sacked(struct xtcp_tcb *tcb, struct xtcp_range *r)
{
	struct rb_node **p = &tcb->sacked.rb_node, *parent = NULL;
	struct xtcp_range *left = NULL, *right = NULL;

	while (*p) {
		parent = *p;
		if (before(r->seq, range_of(parent)->seq)) {
			right = range_of(parent);
			p = &parent->rb_left;
		} else {
			left = range_of(parent);
			p = &parent->rb_right;
		}
	}
	if (right && right->seq == r->end_seq) {
		right->seq = r->seq;
		right->flags |= r->flags;
		right->sent_at = max(right->sent_at, r->sent_at);
		drop(tcb, r);
		r = right;
	} else if (!left || left->end_seq != r->seq) {
		rb_link_node(&r->node, parent, p);
		rb_insert_color(&r->node, &tcb->sacked);
		return;
	}
	if (!left || left->end_seq != r->seq)
		return;
	left->end_seq = r->end_seq;
	left->flags |= r->flags;
	left->sent_at = max(left->sent_at, r->sent_at);
	if (r == right)
		rb_erase(&r->node, &tcb->sacked);
	drop(tcb, r);
}

static void sack_range(struct xtcp_tcb *tcb, struct xtcp_range *r,
		       struct xtcp_map_acked *res)
{
	u32 len = len_of(r);

	account(res, r);
	res->newly_sacked += len;
	res->delivered += len;
	uncount(tcb, r);
	unlink_unsacked(tcb, r);
	r->flags = XTCP_R_SACKED | (r->flags & XTCP_R_REXMIT);
	tcb->sacked_bytes += len;
	tcb->high_sacked = seq_max(tcb->high_sacked, r->end_seq);
	insert_sacked(tcb, r);
}

void xtcp_map_sack(struct xtcp_tcb *tcb, u32 seq, u32 end_seq,
		   struct xtcp_map_acked *res)
{
	struct xtcp_range *r = find_ending_after(&tcb->map, seq), *next;

	for (; r && before(r->seq, end_seq); r = next) {
		next = xtcp_map_next(r);
		if (before(r->seq, seq)) {
			r = split(tcb, r, seq);
			if (!r)
				continue;
		}
		if (after(r->end_seq, end_seq) && !split(tcb, r, end_seq))
			return;
		sack_range(tcb, r, res);
	}
}

u32 xtcp_map_mark_lost(struct xtcp_tcb *tcb, u32 seq, u32 end_seq)
{
	struct xtcp_range *r = find_ending_after(&tcb->map, seq), *next;
	u32 marked = tcb->lost_bytes;

	for (; r && before(r->seq, end_seq); r = next) {
		next = xtcp_map_next(r);
		if (r->flags & XTCP_R_LOST)
			continue;
		if (before(r->seq, seq)) {
			r = split(tcb, r, seq);
			if (!r)
				continue;
		}
		if (after(r->end_seq, end_seq) && !split(tcb, r, end_seq))
			break;
		r->flags |= XTCP_R_LOST;
		count(tcb, r);
		if (!tcb->map_lost || before(r->seq, tcb->map_lost->seq))
			tcb->map_lost = r;
	}
	return tcb->lost_bytes - marked;
}

void xtcp_map_unsack(struct xtcp_tcb *tcb)
{
	struct xtcp_range *r;

	while ((r = range_of(rb_first(&tcb->sacked)))) {
		rb_erase(&r->node, &tcb->sacked);
		r->flags &= ~XTCP_R_SACKED;
		if (tcb->map_last && before(r->seq, tcb->map_last->seq))
			link_into(&tcb->map, r);
		else
			link_last(tcb, r);
	}
	tcb->sacked_bytes = 0;
	tcb->high_sacked = tcb->snd_una;
}

struct xtcp_range *xtcp_map_first(const struct xtcp_tcb *tcb)
{
	return range_of(rb_first(&tcb->map));
}

struct xtcp_range *xtcp_map_next(const struct xtcp_range *r)
{
	return range_of(rb_next(&r->node));
}

struct xtcp_range *xtcp_map_first_lost(struct xtcp_tcb *tcb)
{
	struct xtcp_range *r;

	if (!tcb->lost_bytes)
		return NULL;
	r = tcb->map_lost ? tcb->map_lost : xtcp_map_first(tcb);
	while (r && !(r->flags & XTCP_R_LOST))
		r = xtcp_map_next(r);
	tcb->map_lost = r;
	return r;
}

static void free_all(struct rb_root *root)
{
	struct xtcp_range *r;

	while ((r = range_of(rb_first(root)))) {
		rb_erase(&r->node, root);
		xtcp_seg_free(r);
	}
}

void xtcp_map_reset(struct xtcp_tcb *tcb)
{
	free_all(&tcb->map);
	free_all(&tcb->sacked);
	tcb->map_last = NULL;
	tcb->map_lost = NULL;
	tcb->map_nr = 0;
	tcb->sacked_bytes = 0;
	tcb->lost_bytes = 0;
}
