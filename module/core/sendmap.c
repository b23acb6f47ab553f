// SPDX-License-Identifier: GPL-2.0
/*
 * The send map: what is in flight, as intervals.  Owns tcb->map, tcb->lost,
 * tcb->sacked, tcb->by_time and their byte counters.  Three trees, so that no walk
 * over one kind ever crosses another, and a list of what is in flight in order of
 * time (RFC 8985 6.2), so that a look for losses costs only what it finds.  Never
 * decides that something is lost, never sends.  Called by ack.c, loss.c, rack.c, tx.c.
 */
#include <linux/list.h>
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
	if (r->flags & XTCP_R_LOST)
		return &tcb->lost_bytes;
	return r->flags & XTCP_R_REXMIT ? &tcb->rexmit_bytes : NULL;
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

/* Newest last; of one instant in order of sequence, as several flushes may share it. */
static void queue_by_time(struct xtcp_tcb *tcb, struct xtcp_range *r)
{
	struct list_head *at = tcb->by_time.prev;

	while (at != &tcb->by_time) {
		const struct xtcp_range *o = list_entry(at, struct xtcp_range, by_time);

		if (!xtcp_sent_after(o->sent_at, o->end_seq, r->sent_at, r->end_seq))
			break;
		at = at->prev;
	}
	list_add(&r->by_time, at);
}

static void link_flying(struct xtcp_tcb *tcb, struct xtcp_range *r)
{
	if (tcb->map_last && before(r->seq, tcb->map_last->seq))
		link_into(&tcb->map, r);
	else
		link_last(tcb, r);
	queue_by_time(tcb, r);
}

/* Take an unSACKed range out of where it is; its bytes no longer count there. */
static void unlink_unsacked(struct xtcp_tcb *tcb, struct xtcp_range *r)
{
	uncount(tcb, r);
	if (r->flags & XTCP_R_LOST) {
		rb_erase(&r->node, &tcb->lost);
		return;
	}
	if (tcb->map_last == r)
		tcb->map_last = range_of(rb_prev(&r->node));
	rb_erase(&r->node, &tcb->map);
	list_del(&r->by_time);
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
	tcb->map_nr++;
	if (r->flags & XTCP_R_LOST) {
		link_into(&tcb->lost, right);
		return right;
	}
	if (tcb->map_last == r)
		link_last(tcb, right);
	else
		link_into(&tcb->map, right);
	list_add(&right->by_time, &r->by_time);
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
	queue_by_time(tcb, r);
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
	unlink_unsacked(tcb, r);
	uncount(tcb, left);
	left->end_seq = r->end_seq;
	count(tcb, left);
	drop(tcb, r);
}

/* All of @r left again. */
static void fly_again(struct xtcp_tcb *tcb, struct xtcp_range *r, u64 now)
{
	unlink_unsacked(tcb, r);
	r->flags = XTCP_R_REXMIT;
	r->sent_at = now;
	link_flying(tcb, r);
	count(tcb, r);
	merge_resent(tcb, r);
}

void xtcp_map_resent(struct xtcp_tcb *tcb, u32 seq, u32 end_seq, u64 now)
{
	struct xtcp_range *r = find_ending_after(&tcb->lost, seq), *right;

	if (!r || !before(r->seq, end_seq))
		return;
	if (before(r->seq, seq)) {
		right = split(tcb, r, seq);
		r = right ? right : r;
	}
	if (after(r->end_seq, end_seq))
		split(tcb, r, end_seq);
	fly_again(tcb, r, now);
}

void xtcp_map_probed(struct xtcp_tcb *tcb, u32 seq, u64 now)
{
	struct xtcp_range *r = tcb->map_last, *right;

	if (!r || !before(seq, r->end_seq))
		return;
	if (before(r->seq, seq)) {
		right = split(tcb, r, seq);
		r = right ? right : r;
	}
	fly_again(tcb, r, now);
}

/*
 * RFC 8985 6.2 step 2: is the ACK for an earlier transmission than the last?
 * Deviation: TSecr is asked only where SND.UNA passes the range.  The ACK of a segment
 * behind a hole echoes one from before the hole (RFC 7323 4.3), so each probe
 * and each retransmission that is SACKed would look like its original.
 *
 * If not because the last can't have been answered yet, but by the timestamp alone, then
 * the last may also have brought out an ACK whose first copy was lost: of a duplicate
 * the receiver keeps no timestamp (RFC 7323 5.3 R2), and what it echoes is old.
 */
static bool ambiguous(const struct xtcp_tcb *tcb, struct xtcp_map_acked *res,
		      const struct xtcp_range *r)
{
	bool too_soon = xtcp_age(r->sent_at, res->now) < tcb->min_rtt;

	if (res->has_tsecr && !res->selective &&
	    before(res->tsecr, xtcp_ts_now(tcb, r->sent_at))) {
		if (!too_soon)
			res->old_echo = true;
		return true;
	}
	return too_soon;
}

/* Book what is acknowledged of @r up to @end (RFC 6298 3: Karn's rule). */
static void account(const struct xtcp_tcb *tcb, struct xtcp_map_acked *res,
		    const struct xtcp_range *r, u32 end)
{
	if (r->flags & XTCP_R_REXMIT) {
		res->rexmit = true;
		if (ambiguous(tcb, res, r))
			return;
	} else {
		res->original += end - r->seq;
		if (!res->sent_at || r->sent_at < res->sent_at)
			res->sent_at = r->sent_at;
		/* RFC 8985 6.2 step 3: an original below what has arrived before */
		if (before(r->seq, res->fack))
			res->reordered = true;
	}
	if (xtcp_sent_after(r->sent_at, end, res->last_sent_at, res->last_end_seq)) {
		res->last_sent_at = r->sent_at;
		res->last_end_seq = end;
	}
}

static void ack_unsacked(struct xtcp_tcb *tcb, struct rb_root *root, u32 ack,
			 struct xtcp_map_acked *res)
{
	struct xtcp_range *r;

	while ((r = range_of(rb_first(root))) && before(r->seq, ack)) {
		u32 end = seq_min(r->end_seq, ack);

		account(tcb, res, r, end);
		res->acked += end - r->seq;
		res->delivered += end - r->seq;
		if (end != r->end_seq) {
			uncount(tcb, r);
			r->seq = end;
			count(tcb, r);
			return;
		}
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
	ack_unsacked(tcb, &tcb->map, ack, res);
	if (tcb->lost_bytes)
		ack_unsacked(tcb, &tcb->lost, ack, res);
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

	account(tcb, res, r, r->end_seq);
	res->newly_sacked += len;
	res->delivered += len;
	unlink_unsacked(tcb, r);
	r->flags = XTCP_R_SACKED | (r->flags & XTCP_R_REXMIT);
	tcb->sacked_bytes += len;
	tcb->high_sacked = seq_max(tcb->high_sacked, r->end_seq);
	insert_sacked(tcb, r);
}

static void sack_tree(struct xtcp_tcb *tcb, const struct rb_root *root, u32 seq,
		      u32 end_seq, struct xtcp_map_acked *res)
{
	struct xtcp_range *r = find_ending_after(root, seq), *next;

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

void xtcp_map_sack(struct xtcp_tcb *tcb, u32 seq, u32 end_seq,
		   struct xtcp_map_acked *res)
{
	res->selective = true;
	sack_tree(tcb, &tcb->map, seq, end_seq, res);
	if (tcb->lost_bytes)
		sack_tree(tcb, &tcb->lost, seq, end_seq, res);
}

void xtcp_map_mark(struct xtcp_tcb *tcb, struct xtcp_range *r)
{
	unlink_unsacked(tcb, r);
	r->flags |= XTCP_R_LOST;
	link_into(&tcb->lost, r);
	count(tcb, r);
}

u32 xtcp_map_mark_lost(struct xtcp_tcb *tcb, u32 seq, u32 end_seq)
{
	struct xtcp_range *r = find_ending_after(&tcb->map, seq), *next;
	u32 marked = tcb->lost_bytes;

	for (; r && before(r->seq, end_seq); r = next) {
		next = xtcp_map_next(r);
		if (before(r->seq, seq)) {
			r = split(tcb, r, seq);
			if (!r)
				continue;
		}
		if (after(r->end_seq, end_seq) && !split(tcb, r, end_seq))
			break;
		xtcp_map_mark(tcb, r);
	}
	return tcb->lost_bytes - marked;
}

void xtcp_map_unmark(struct xtcp_tcb *tcb)
{
	const struct xtcp_range *oldest = list_first_entry_or_null(&tcb->by_time,
						struct xtcp_range, by_time);
	u64 limit = oldest ? oldest->sent_at - 1 : ~0ULL, newest = 0;
	struct list_head *at = &tcb->by_time;
	struct xtcp_range *r;

	while ((r = range_of(rb_first(&tcb->lost)))) {
		unlink_unsacked(tcb, r);
		r->flags &= ~XTCP_R_LOST;
		/* Older than all that is in flight, and in order: a time that is
		 * not is moved, which makes a loss be found later at the most.
		 */
		newest = max(newest, min(r->sent_at, limit));
		r->sent_at = newest;
		if (tcb->map_last && before(r->seq, tcb->map_last->seq))
			link_into(&tcb->map, r);
		else
			link_last(tcb, r);
		list_add(&r->by_time, at);
		at = &r->by_time;
		count(tcb, r);
	}
}

void xtcp_map_renege(struct xtcp_tcb *tcb)
{
	struct xtcp_range *r;

	while ((r = range_of(rb_first(&tcb->sacked)))) {
		rb_erase(&r->node, &tcb->sacked);
		uncount(tcb, r);
		r->flags = XTCP_R_LOST | (r->flags & XTCP_R_REXMIT);
		link_into(&tcb->lost, r);
		count(tcb, r);
	}
	tcb->high_sacked = tcb->snd_una;
}

struct xtcp_range *xtcp_map_first(const struct xtcp_tcb *tcb)
{
	struct xtcp_range *r = range_of(rb_first(&tcb->map));
	struct xtcp_range *l = xtcp_map_first_lost(tcb);

	if (!r || !l)
		return r ? r : l;
	return before(r->seq, l->seq) ? r : l;
}

struct xtcp_range *xtcp_map_next(const struct xtcp_range *r)
{
	return range_of(rb_next(&r->node));
}

struct xtcp_range *xtcp_map_first_lost(const struct xtcp_tcb *tcb)
{
	return range_of(rb_first(&tcb->lost));
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
	free_all(&tcb->lost);
	free_all(&tcb->sacked);
	INIT_LIST_HEAD(&tcb->by_time);
	tcb->map_last = NULL;
	tcb->map_nr = 0;
	tcb->sacked_bytes = 0;
	tcb->lost_bytes = 0;
	tcb->rexmit_bytes = 0;
}
