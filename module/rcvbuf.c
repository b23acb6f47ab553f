// SPDX-License-Identifier: GPL-2.0
/*
 * The receive queue: in-order skbs for the reader, out-of-order skbs beside them,
 * the memory of both, and the window that is left.  recvmsg.c takes the bytes out.
 *
 * Bytes of in-order skbs lie in sk_receive_queue.  An skb may begin with bytes that
 * an earlier one has too; the reader skips them, nothing is copied to cut them off.
 * The queue never ends beyond RCV.NXT.  In the tree of out-of-order skbs both seq
 * and end_seq rise strictly from left to right.
 *
 * Which intervals are there is decided in core/rx.c, never here; what is dropped
 * here (prune) is told to it.
 */
#include "xtcp.h"

/* ---- memory ---- */

static struct sk_buff *ofo_last(const struct xtcp_sock *xs)
{
	return skb_rb_last(&xs->ofo);
}

static void ofo_unlink(struct xtcp_sock *xs, struct sk_buff *skb)
{
	rb_erase(&skb->rbnode, &xs->ofo);
	RB_CLEAR_NODE(&skb->rbnode);
	skb->dev = NULL;		/* shared the memory of rbnode */
	xs->ofo_truesize -= skb->truesize;
}

/* RFC 2018 8: drop the skb farthest from RCV.NXT, if it begins beyond @floor.  What
 * remains must not reach into what the core forgets.
 */
static bool prune(struct sock *sk, u32 floor)
{
	struct xtcp_sock *xs = xtcp_sk(sk);
	struct sk_buff *skb = ofo_last(xs);
	u32 seq;

	if (!skb || !after(XTCP_SKB_CB(skb)->seq, floor))
		return false;
	do {
		seq = XTCP_SKB_CB(skb)->seq;
		ofo_unlink(xs, skb);
		kfree_skb(skb);
		xtcp_sk_mib_inc(sk, XTCP_OFO_PRUNED);
		skb = ofo_last(xs);
	} while (skb && after(XTCP_SKB_CB(skb)->end_seq, seq));
	xtcp_rx_prune(&xs->tcb, seq);
	return true;
}

/* Is there place behind the bytes of @to, which is @skb's neighbour? */
static bool has_room(const struct sk_buff *to, const struct sk_buff *skb)
{
	return to && skb->len <= skb_tailroom(to) && !skb_cloned(to);
}

/* The rule of the buffer, but a segment for an empty one always has room: the
 * window promised it, and without it nothing would ever move again.
 */
static bool fits(const struct sock *sk, const struct sk_buff *skb)
{
	if (atomic_read(&sk->sk_rmem_alloc) + skb->truesize <= READ_ONCE(sk->sk_rcvbuf) ||
	    has_room(skb_peek_tail(&sk->sk_receive_queue), skb))
		return true;
	return skb_queue_empty(&sk->sk_receive_queue) && !xtcp_sk(sk)->ofo_truesize;
}

/* Where all sockets together are beyond net.xtcp.mem, what comes next in the stream
 * gets in as long as nothing waits for the reader, on credit: if others hold the
 * memory, the peer would give up otherwise.
 */
static bool has_memory(struct sock *sk, struct sk_buff *skb, u32 seq)
{
	return sk_rmem_schedule(sk, skb, skb->truesize) ||
	       (skb_queue_empty(&sk->sk_receive_queue) &&
		!after(seq, xtcp_sk(sk)->tcb.rcv_nxt));
}

/* Context: the XTCP header is still in front of skb->data. */
bool xtcp_rcvbuf_admit(struct sock *sk, struct sk_buff *skb)
{
	u32 seq = ntohl(tcp_hdr(skb)->seq);

	while (!fits(sk, skb) || !has_memory(sk, skb, seq)) {
		if (!prune(sk, seq))
			return false;
	}
	return true;
}

static u32 window_from(const struct sock *sk, int space)
{
	int scale = READ_ONCE(xtcp_sknet(sk)->sysctl.adv_win_scale);

	if (space <= 0)
		return 0;
	return scale <= 0 ? space >> -scale : space - (space >> scale);
}

static bool memory_is_short(const struct sock *sk)
{
	return READ_ONCE(*sk->sk_prot->memory_pressure);
}

/* RFC 9293 3.8.6.2.2: RCV.BUFF and what of it is free, less the share for overhead. */
void xtcp_rcvbuf_space(struct sock *sk)
{
	struct xtcp_sock *xs = xtcp_sk(sk);
	struct xtcp_tcb *tcb = &xs->tcb;
	int size = READ_ONCE(sk->sk_rcvbuf);
	u32 buf = window_from(sk, size);
	u32 space = window_from(sk, size - atomic_read(&sk->sk_rmem_alloc));

	if (xs->window_clamp) {
		buf = min(buf, xs->window_clamp);
		space = min(space, xs->window_clamp);
	}
	if (unlikely(memory_is_short(sk)))
		space = min(space, 4 * max_t(u32, tcb->rcv_mss, XTCP_MSS_DEFAULT));
	tcb->rcv_buf = buf;
	tcb->rcv_space = space;
}

/* ---- queueing ---- */

/* Behind the last byte in the queue */
static u32 queue_end(const struct sock *sk)
{
	const struct sk_buff *tail = skb_peek_tail(&sk->sk_receive_queue);

	return tail ? XTCP_SKB_CB(tail)->end_seq : xtcp_sk(sk)->copied_seq;
}

/* The urgent byte may be read out of order, so it is noted when it arrives. */
static void find_urgent_byte(struct xtcp_sock *xs, const struct sk_buff *skb)
{
	u32 off = xs->urg_seq - XTCP_SKB_CB(skb)->seq;
	u8 byte;

	if (xs->urg_data & XTCP_URG_NOTYET && off < skb->len &&
	    !skb_copy_bits(skb, off, &byte, 1))
		WRITE_ONCE(xs->urg_data, XTCP_URG_VALID | byte);
}

/* From here on the skb is only bytes. */
static void strip(struct sock *sk, struct sk_buff *skb)
{
	skb_dst_drop(skb);
	skb_ext_reset(skb);
	find_urgent_byte(xtcp_sk(sk), skb);
}

static bool follows(const struct sk_buff *to, const struct sk_buff *skb)
{
	return to && XTCP_SKB_CB(to)->end_seq == XTCP_SKB_CB(skb)->seq;
}

/* Put the bytes of @skb into @to, if they follow on them and there is a way: by
 * their pages, or by copying.  Frees @skb on success.
 */
static bool coalesce(struct sock *sk, struct sk_buff *to, struct sk_buff *skb)
{
	bool stolen = false;
	int delta = 0;

	if (!follows(to, skb))
		return false;
	if (has_room(to, skb)) {
		if (skb_copy_bits(skb, 0, skb_tail_pointer(to), skb->len))
			return false;
		skb_put(to, skb->len);
	} else if (!skb_try_coalesce(to, skb, &stolen, &delta)) {
		return false;
	}
	atomic_add(delta, &sk->sk_rmem_alloc);
	sk_mem_charge(sk, delta);
	XTCP_SKB_CB(to)->end_seq = XTCP_SKB_CB(skb)->end_seq;
	to->tstamp = skb->tstamp;
	kfree_skb_partial(skb, stolen);
	return true;
}

/* The window is half of the buffer, so the promise of a window stands only while
 * text costs at most twice its size.  An skb that costs more, behind another one,
 * moves to a page with room for those that will follow.
 */
static struct sk_buff *repack(struct sock *sk, const struct sk_buff *left, struct sk_buff *skb)
{
	struct sk_buff *new;

	if (skb->truesize <= 2 * skb->len || !follows(left, skb))
		return skb;
	new = alloc_skb(SKB_MAX_ORDER(0, 0), GFP_ATOMIC | __GFP_NOWARN);
	if (!new)
		return skb;
	if (skb->len > skb_tailroom(new) || !sk_rmem_schedule(sk, new, new->truesize) ||
	    skb_copy_bits(skb, 0, new->data, skb->len)) {
		kfree_skb(new);
		return skb;
	}
	skb_put(new, skb->len);
	*XTCP_SKB_CB(new) = *XTCP_SKB_CB(skb);
	new->tstamp = skb->tstamp;
	consume_skb(skb);
	return new;
}

/* Cut off what the queue has, if that takes no copying. */
static void skip_overlap(const struct sock *sk, struct sk_buff *skb)
{
	u32 n = queue_end(sk) - XTCP_SKB_CB(skb)->seq;

	if (n && n < skb->len && n <= skb_headlen(skb)) {
		__skb_pull(skb, n);
		XTCP_SKB_CB(skb)->seq += n;
	}
}

void xtcp_rcvbuf_queue(struct sock *sk, struct sk_buff *skb)
{
	struct sk_buff *tail = skb_peek_tail(&sk->sk_receive_queue);

	strip(sk, skb);
	skip_overlap(sk, skb);
	if (coalesce(sk, tail, skb))
		return;
	skb = repack(sk, tail, skb);
	skb_set_owner_r(skb, sk);
	__skb_queue_tail(&sk->sk_receive_queue, skb);
}

/* Place for @seq in the tree; Return: the skb to the left of it or NULL. */
static struct sk_buff *ofo_place(struct xtcp_sock *xs, u32 seq,
				 struct rb_node ***link, struct rb_node **parent)
{
	struct sk_buff *left = NULL;

	*link = &xs->ofo.rb_node;
	*parent = NULL;
	while (**link) {
		*parent = **link;
		if (before(seq, XTCP_SKB_CB(rb_to_skb(*parent))->seq)) {
			*link = &(*parent)->rb_left;
		} else {
			left = rb_to_skb(*parent);
			*link = &(*parent)->rb_right;
		}
	}
	return left;
}

/* Drop what lies to the right of @skb and inside of it. */
static void ofo_swallow(struct xtcp_sock *xs, struct sk_buff *skb)
{
	struct sk_buff *next;

	while ((next = skb_rb_next(skb)) &&
	       !after(XTCP_SKB_CB(next)->end_seq, XTCP_SKB_CB(skb)->end_seq)) {
		ofo_unlink(xs, next);
		kfree_skb(next);
	}
}

void xtcp_rcvbuf_ofo(struct sock *sk, struct sk_buff *skb)
{
	struct xtcp_sock *xs = xtcp_sk(sk);
	u32 seq = XTCP_SKB_CB(skb)->seq, old_size;
	struct rb_node **link, *parent;
	struct sk_buff *left;

	strip(sk, skb);
	left = ofo_place(xs, seq, &link, &parent);
	if (left && !after(XTCP_SKB_CB(skb)->end_seq, XTCP_SKB_CB(left)->end_seq)) {
		consume_skb(skb);
		return;
	}
	if (left) {
		old_size = left->truesize;
		if (coalesce(sk, left, skb)) {
			xs->ofo_truesize += left->truesize - old_size;
			ofo_swallow(xs, left);
			return;
		}
		skb = repack(sk, left, skb);
	}
	skb_set_owner_r(skb, sk);
	rb_link_node(&skb->rbnode, parent, link);
	rb_insert_color(&skb->rbnode, &xs->ofo);
	xs->ofo_truesize += skb->truesize;
	if (left && XTCP_SKB_CB(left)->seq == seq) {
		ofo_unlink(xs, left);		/* begins as the new one, ends before it */
		kfree_skb(left);
	}
	ofo_swallow(xs, skb);
}

void xtcp_rcvbuf_collect(struct sock *sk)
{
	struct xtcp_sock *xs = xtcp_sk(sk);
	struct sk_buff *skb;

	while ((skb = skb_rb_first(&xs->ofo)) &&
	       !after(XTCP_SKB_CB(skb)->seq, queue_end(sk))) {
		ofo_unlink(xs, skb);
		if (!after(XTCP_SKB_CB(skb)->end_seq, queue_end(sk)))
			kfree_skb(skb);
		else if (!coalesce(sk, skb_peek_tail(&sk->sk_receive_queue), skb))
			__skb_queue_tail(&sk->sk_receive_queue, skb);
	}
}

/* The reader is done with the first skb; it may still hold a reference. */
void xtcp_rcvbuf_eat(struct sock *sk, struct sk_buff *skb)
{
	__skb_unlink(skb, &sk->sk_receive_queue);
	consume_skb(skb);
}

void xtcp_rcvbuf_purge(struct sock *sk)
{
	struct xtcp_sock *xs = xtcp_sk(sk);
	struct sk_buff *skb;

	WRITE_ONCE(xs->copied_seq, queue_end(sk));
	__skb_queue_purge(&sk->sk_receive_queue);
	while ((skb = ofo_last(xs))) {
		ofo_unlink(xs, skb);
		kfree_skb(skb);
	}
	xtcp_rx_prune(&xs->tcb, xs->tcb.rcv_nxt);
	WRITE_ONCE(xs->urg_data, 0);
}

/* ---- what there is to read ---- */

/* Bytes behind copied_seq, the peer's FIN not counted; also without the lock. */
static u32 unread(const struct xtcp_sock *xs)
{
	const struct xtcp_tcb *tcb = &xs->tcb;
	u32 end = READ_ONCE(tcb->rcv_nxt);

	if (tcb->rcv_fin_seen && end == tcb->rcv_fin + 1)
		end--;
	return max_t(s32, end - READ_ONCE(xs->copied_seq), 0);
}

/* The urgent byte is not part of the stream (no SO_OOBINLINE) and comes next. */
static bool urgent_is_next(const struct sock *sk)
{
	const struct xtcp_sock *xs = xtcp_sk(sk);

	return READ_ONCE(xs->urg_data) && !sock_flag(sk, SOCK_URGINLINE) &&
	       READ_ONCE(xs->urg_seq) == READ_ONCE(xs->copied_seq);
}

u32 xtcp_rcvbuf_readable(const struct sock *sk)
{
	const struct xtcp_sock *xs = xtcp_sk(sk);
	u32 n = unread(xs), to_mark = xs->urg_seq - xs->copied_seq;

	if (sk->sk_state == TCP_SYN_SENT || sk->sk_state == TCP_SYN_RECV)
		return 0;
	/* a read stops at the urgent mark, so that is what it can take */
	if (xs->urg_data && !sock_flag(sk, SOCK_URGINLINE) && to_mark < n)
		return to_mark;
	return n;
}

bool xtcp_rcvbuf_unread(const struct sock *sk)
{
	return !skb_queue_empty(&sk->sk_receive_queue);
}

int xtcp_rcvbuf_target_reached(struct sock *sk)
{
	const struct xtcp_sock *xs = xtcp_sk(sk);
	int size = READ_ONCE(sk->sk_rcvbuf);
	u32 n = unread(xs);

	if (urgent_is_next(sk))
		n -= min_t(u32, n, 1);
	if (!n)
		return 0;
	if (n >= sock_rcvlowat(sk, 0, INT_MAX) || memory_is_short(sk))
		return 1;
	/* little more, if any, can come before the reader makes room */
	return atomic_read(&sk->sk_rmem_alloc) > size - (size >> 3) ||
	       xs->tcb.rcv_adv - xs->tcb.rcv_nxt <= xs->tcb.rcv_mss;
}

/* ---- urgent data: RFC 9293 3.8.5, RFC 6093 ---- */

/* The mark moves on while the reader stands at the old one: the old byte was never
 * meant for the stream.
 */
static void skip_old_urgent(struct sock *sk)
{
	struct xtcp_sock *xs = xtcp_sk(sk);
	struct sk_buff *skb = skb_peek(&sk->sk_receive_queue);

	if (!urgent_is_next(sk) || !unread(xs))
		return;
	WRITE_ONCE(xs->copied_seq, xs->copied_seq + 1);
	if (skb && !after(XTCP_SKB_CB(skb)->end_seq, xs->copied_seq))
		xtcp_rcvbuf_eat(sk, skb);
}

/* RFC 6093 2.2: the pointer names the byte behind the urgent one, whatever RFC 1122
 * says, unless the sysctl asks for that.  Called before RCV.NXT moves over @seg.
 */
void xtcp_urg_rcv(struct sock *sk, struct sk_buff *skb, const struct xtcp_segment *seg)
{
	struct xtcp_sock *xs = xtcp_sk(sk);
	struct xtcp_tcb *tcb = &xs->tcb;
	u32 up = seg->seq + seg->up;

	if (seg->up && !READ_ONCE(xtcp_sknet(sk)->sysctl.stdurg))
		up--;
	if (before(up, xs->copied_seq) || before(up, tcb->rcv_nxt))
		return;			/* that byte has been there before */
	if (xs->urg_data && !after(up, xs->urg_seq))
		return;
	skip_old_urgent(sk);
	WRITE_ONCE(xs->urg_seq, up);
	WRITE_ONCE(xs->urg_data, XTCP_URG_NOTYET);
	tcb->rcv_up = up;
	tcb->urg_in = 1;
	tcb->todo |= XTCP_WAKE_READER;
	sk_send_sigurg(sk);		/* RFC 9293 3.8.5 (MUST-32) */
}
