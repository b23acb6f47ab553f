// SPDX-License-Identifier: GPL-2.0
/*
 * The send queue: the user's bytes in page frags, in a ring ordered by sequence
 * number.  sendmsg() appends, xtcp_sndbuf_fill() lends any range of it to an skb,
 * an ACK frees from the front.  It knows nothing of segments.
 *
 * Why bytes and not a queue of skbs to clone from: measured over veth, building an
 * skb for each transmission takes 9 % fewer instructions a byte than cloning, and
 * queued bytes of short writes cost 2 % on top instead of 58 %.
 */
#include <linux/sched/signal.h>
#include "xtcp.h"

/* What a frag costs beside its bytes, at least: a place in the ring, and a share of a
 * page that it keeps from being freed.  Or small writes to two sockets in turn
 * would take many times the memory that SO_SNDBUF allows.
 */
#define FRAG_COST	512

/* What a frag can count; less than a page frag only where pages have 64 KB. */
#define FRAG_MOST	U16_MAX
static_assert(PAGE_SIZE - 1 <= FRAG_MOST);

static struct page *page_of(const struct xtcp_frag *f)
{
	return (struct page *)(f->page & ~XTCP_FRAG_SHARED);
}

static struct xtcp_frag *frag_at(const struct xtcp_sndbuf *b, u32 i)
{
	return &b->ring[i & (b->size - 1)];
}

static u32 frag_end(const struct xtcp_frag *f)
{
	return f->seq + f->len;
}

/* Index of the frag that holds @seq; it is in the queue. */
static u32 find(const struct xtcp_sndbuf *b, u32 seq)
{
	u32 low = b->head, high = b->tail - 1;

	while (low != high) {
		u32 mid = low + (high - low) / 2;

		if (before(seq, frag_end(frag_at(b, mid))))
			high = mid;
		else
			low = mid + 1;
	}
	return low;
}

static bool grow(struct xtcp_sndbuf *b)
{
	u32 size = b->size * 2, i;
	struct xtcp_frag *ring = kvmalloc_array(size, sizeof(*ring), GFP_KERNEL);

	if (!ring)
		return false;
	for (i = b->head; i != b->tail; i++)
		ring[i & (size - 1)] = *frag_at(b, i);
	if (b->ring != b->inline_ring)
		kvfree(b->ring);
	b->ring = ring;
	b->size = size;
	return true;
}

/* Empty and inline: the state in which an idle connection rests. */
void xtcp_sndbuf_init(struct sock *sk)
{
	struct xtcp_sndbuf *b = &xtcp_sk(sk)->snd;

	b->ring = b->inline_ring;
	b->size = XTCP_FRAGS_INLINE;
	b->head = 0;
	b->tail = 0;
}

static void shrink_if_empty(struct xtcp_sndbuf *b)
{
	if (b->head != b->tail || b->ring == b->inline_ring)
		return;
	kvfree(b->ring);
	b->ring = b->inline_ring;
	b->size = XTCP_FRAGS_INLINE;
}

/* Without giving pages back: sk_mem_reclaim() is the caller's, when all is done that
 * may need them again.
 */
static void uncharge(struct sock *sk, u32 len)
{
	sk_wmem_queued_add(sk, -(int)len);
	sk_forward_alloc_add(sk, len);
}

/* ---- for output ---- */

u32 xtcp_sndbuf_reach(const struct sock *sk, u32 seq, u32 end_seq)
{
	const struct xtcp_sndbuf *b = &xtcp_sk(sk)->snd;
	u32 last;

	if (seq == end_seq)
		return end_seq;
	last = find(b, seq) + MAX_SKB_FRAGS - 1;
	if ((s32)(last - b->tail) >= 0)
		return end_seq;
	return seq_min(frag_end(frag_at(b, last)), end_seq);
}

void xtcp_sndbuf_fill(struct sock *sk, struct sk_buff *skb, u32 seq, u32 end_seq)
{
	const struct xtcp_sndbuf *b = &xtcp_sk(sk)->snd;
	u32 len = end_seq - seq, i = find(b, seq), n;

	for (; seq != end_seq; seq += n, i++) {
		const struct xtcp_frag *f = frag_at(b, i);
		u32 skip = seq - f->seq;

		n = min(f->len - skip, end_seq - seq);
		get_page(page_of(f));
		skb_fill_page_desc_noacc(skb, skb_shinfo(skb)->nr_frags, page_of(f),
					 f->off + skip, n);
		/* who sums it must copy it first, or the sum could be another's */
		if (unlikely(f->page & XTCP_FRAG_SHARED))
			skb_shinfo(skb)->flags |= SKBFL_SHARED_FRAG;
	}
	skb->len += len;
	skb->data_len += len;
	skb->truesize += len;
}

/* Our own page frags are in low memory and contiguous; the pages of others need not be. */
static void copy_frag(void *to, const struct xtcp_frag *f, u32 off, u32 n)
{
	u32 part;

	if (likely(!(f->page & XTCP_FRAG_SHARED))) {
		memcpy(to, page_address(page_of(f)) + off, n);
		return;
	}
	for (; n; n -= part, to += part, off += part) {
		part = min_t(u32, n, PAGE_SIZE - offset_in_page(off));
		memcpy_from_page(to, nth_page(page_of(f), off >> PAGE_SHIFT),
				 offset_in_page(off), part);
	}
}

void xtcp_sndbuf_copy(const struct sock *sk, void *to, u32 seq, u32 end_seq)
{
	const struct xtcp_sndbuf *b = &xtcp_sk(sk)->snd;
	u32 i = find(b, seq), n;

	for (; seq != end_seq; seq += n, to += n, i++) {
		const struct xtcp_frag *f = frag_at(b, i);
		u32 skip = seq - f->seq;

		n = min(f->len - skip, end_seq - seq);
		copy_frag(to, f, f->off + skip, n);
	}
}

void xtcp_sndbuf_acked(struct sock *sk, u32 una)
{
	struct xtcp_sndbuf *b = &xtcp_sk(sk)->snd;

	while (b->head != b->tail) {
		struct xtcp_frag *f = frag_at(b, b->head);
		u32 n;

		if (!after(una, f->seq))
			return;
		n = min_t(u32, una - f->seq, f->len);
		uncharge(sk, n);
		f->off += n;
		f->seq += n;
		f->len -= n;
		if (f->len)
			return;
		put_page(page_of(f));
		uncharge(sk, FRAG_COST);
		b->head++;
	}
	shrink_if_empty(b);
}

void xtcp_sndbuf_purge(struct sock *sk)
{
	struct xtcp_sndbuf *b = &xtcp_sk(sk)->snd;

	for (; b->head != b->tail; b->head++) {
		uncharge(sk, frag_at(b, b->head)->len + FRAG_COST);
		put_page(page_of(frag_at(b, b->head)));
	}
	shrink_if_empty(b);
	sk_mem_reclaim(sk);
}

/* ---- sendmsg ---- */

/* Does [@off, @off + n) of @page follow the bytes of @f in the same page? */
static bool follows(const struct xtcp_frag *f, struct page *page, u32 off, bool shared)
{
	u32 end = f->off + f->len;

	if (!shared)
		return f->page == (unsigned long)page && end == off;
	return f->page & XTCP_FRAG_SHARED && offset_in_page(end) == off &&
	       nth_page(page_of(f), end >> PAGE_SHIFT) == page &&
	       compound_head(page) == compound_head(page_of(f));
}

/**
 * xtcp_sndbuf_append() - bytes become the end of the queue
 * @sk: locked; xtcp_sndbuf_room() and xtcp_sndbuf_memory() have said yes
 * @page: where they are; below PAGE_SIZE if @shared
 * @off: place in it
 * @n: bytes
 * @shared: others may write there
 *
 * Bytes that follow the last ones in the same page make its frag longer.
 * Return: true if the queue now needs a reference on @page, which is the caller's to give.
 */
bool xtcp_sndbuf_append(struct sock *sk, struct page *page, u32 off, u32 n, bool shared)
{
	struct xtcp_sock *xs = xtcp_sk(sk);
	struct xtcp_sndbuf *b = &xs->snd;
	struct xtcp_frag *f = frag_at(b, b->tail - 1);
	bool fresh = b->head == b->tail || f->off + f->len + n > FRAG_MOST ||
		     !follows(f, page, off, shared);
	u32 cost = n;

	if (fresh) {
		f = frag_at(b, b->tail++);
		f->page = (unsigned long)page | (shared ? XTCP_FRAG_SHARED : 0);
		f->off = off;
		f->len = n;
		f->seq = xs->tcb.write_seq;
		cost += FRAG_COST;
	} else {
		f->len += n;
	}
	xs->tcb.write_seq += n;
	sk_wmem_queued_add(sk, cost);
	sk_mem_charge(sk, cost);
	return fresh;
}

bool xtcp_sndbuf_room(struct sock *sk, u32 frags)
{
	struct xtcp_sndbuf *b = &xtcp_sk(sk)->snd;

	if (READ_ONCE(sk->sk_sndbuf) <= sk->sk_wmem_queued || !xtcp_stream_memory_free(sk, 0))
		return false;
	while (b->size - (b->tail - b->head) < frags)
		if (!grow(b))
			return false;
	return true;
}

bool xtcp_sndbuf_memory(struct sock *sk, u32 n, u32 frags)
{
	/* on credit where nothing is queued, or a writer could wait for others for ever */
	return sk_wmem_schedule(sk, n + frags * FRAG_COST) || !sk->sk_wmem_queued;
}

int xtcp_sndbuf_take(struct sock *sk, struct msghdr *msg)
{
	struct page_frag *pfrag = sk_page_frag(sk);
	size_t n;

	if (!xtcp_sndbuf_room(sk, 1) || !sk_page_frag_refill(sk, pfrag))
		return 0;
	n = min3(msg_data_left(msg), (size_t)(pfrag->size - pfrag->offset), (size_t)FRAG_MOST);
	if (!xtcp_sndbuf_memory(sk, n, 1))
		return 0;
	if (copy_page_from_iter(pfrag->page, pfrag->offset, n, &msg->msg_iter) != n)
		return -EFAULT;
	if (xtcp_sndbuf_append(sk, pfrag->page, pfrag->offset, n, false))
		get_page(pfrag->page);
	pfrag->offset += n;
	return n;
}

/* Start sending while the user's buffer is still being copied. */
static bool worth_a_flush(const struct xtcp_tcb *tcb, u32 flushed)
{
	return tcb->write_seq - flushed >= max(tcb->gso_max, tcb->max_snd_wnd / 2);
}

static void mark_urgent(struct xtcp_tcb *tcb)
{
	tcb->snd_up = tcb->write_seq;
	tcb->urg_out = 1;
}

static int wait_for_room(struct sock *sk, long *timeo)
{
	bool full = !sk_stream_memory_free(sk);

	if (sk->sk_socket)
		set_bit(SOCK_NOSPACE, &sk->sk_socket->flags);
	xtcp_sk(sk)->tcb.push_seq = xtcp_sk(sk)->tcb.write_seq;
	xtcp_flush(sk, xtcp_now());
	if (full && sk_stream_memory_free(sk))
		return 0;		/* what has left now made room */
	return sk_stream_wait_memory(sk, timeo);
}

static int wait_until_connected(struct sock *sk, long *timeo)
{
	if (xtcp_state_info[sk->sk_state].can_send && sk->sk_state != TCP_SYN_SENT &&
	    sk->sk_state != TCP_SYN_RECV)
		return 0;
	return sk_stream_wait_connect(sk, timeo);
}

static int send_prerequisites(struct sock *sk, struct msghdr *msg, long *timeo)
{
	struct sockcm_cookie sockc;
	int err;

	if (msg->msg_controllen) {
		sockcm_init(&sockc, sk);
		err = sock_cmsg_send(sk, msg, &sockc);
		if (err)
			return err;
	}
	err = wait_until_connected(sk, timeo);
	if (err)
		return err;
	sk_clear_bit(SOCKWQ_ASYNC_NOSPACE, sk);
	if (sk->sk_err || sk->sk_shutdown & SEND_SHUTDOWN)
		return -EPIPE;
	return 0;
}

static int take(struct sock *sk, struct msghdr *msg)
{
	if (unlikely(msg->msg_flags & MSG_SPLICE_PAGES) && iov_iter_is_bvec(&msg->msg_iter))
		return xtcp_splice_take(sk, msg);
	return xtcp_sndbuf_take(sk, msg);
}

static int take_all(struct sock *sk, struct msghdr *msg, long *timeo, size_t *copied)
{
	struct xtcp_tcb *tcb = &xtcp_sk(sk)->tcb;
	u32 flushed = tcb->write_seq;
	int n, err;

	while (msg_data_left(msg)) {
		n = take(sk, msg);
		if (n < 0)
			return n;
		*copied += n;
		if (!n) {
			err = wait_for_room(sk, timeo);
			if (err)
				return err;
			if (sk->sk_err || sk->sk_shutdown & SEND_SHUTDOWN)
				return -EPIPE;
			flushed = tcb->write_seq;
		} else if (msg_data_left(msg) && worth_a_flush(tcb, flushed)) {
			xtcp_flush(sk, xtcp_now());
			flushed = tcb->write_seq;
		}
	}
	return 0;
}

/* MSG_SENDPAGE_NOTLAST: the next page comes at once */
static void finish_send(struct sock *sk, int flags)
{
	struct xtcp_tcb *tcb = &xtcp_sk(sk)->tcb;
	bool soon = flags & MSG_SENDPAGE_NOTLAST;

	tcb->more = soon || flags & MSG_MORE;
	if (flags & MSG_OOB)
		mark_urgent(tcb);
	if (!tcb->more)
		tcb->push_seq = tcb->write_seq;
	if (!soon || worth_a_flush(tcb, tcb->snd_nxt))
		xtcp_flush(sk, xtcp_now());
}

int xtcp_sendmsg_locked(struct sock *sk, struct msghdr *msg, size_t len)
{
	int flags = msg->msg_flags, err;
	long timeo = sock_sndtimeo(sk, flags & MSG_DONTWAIT);
	size_t copied = 0;

	err = send_prerequisites(sk, msg, &timeo);
	if (!err) {
		xtcp_follow_pmtu(sk);
		err = take_all(sk, msg, &timeo, &copied);
	}
	if (copied) {
		finish_send(sk, flags);
		return copied;
	}
	if (!err)
		return 0;
	err = sk_stream_error(sk, flags, err);
	/* an edge-triggered poller must hear of room that came free meanwhile */
	if (err == -EAGAIN)
		sk->sk_write_space(sk);
	return err;
}

int xtcp_sendmsg(struct sock *sk, struct msghdr *msg, size_t len)
{
	int ret;

	lock_sock(sk);
	ret = xtcp_sendmsg_locked(sk, msg, len);
	release_sock(sk);
	return ret;
}

/* ---- room for the writer ---- */

/* A writer that waits is woken at half of the limit, or it would be for each segment. */
bool xtcp_stream_memory_free(const struct sock *sk, int wake)
{
	const struct xtcp_sock *xs = xtcp_sk(sk);
	u32 limit = READ_ONCE(xs->notsent_lowat);
	s32 unsent;

	if (likely(!limit))
		return true;
	unsent = READ_ONCE(xs->tcb.write_seq) - READ_ONCE(xs->tcb.snd_nxt);
	return unsent <= 0 || (u64)unsent << wake < limit;
}

void xtcp_write_space(struct sock *sk)
{
	struct socket_wq *wq;

	if (!sk->sk_socket || !__sk_stream_is_writeable(sk, 1))
		return;
	clear_bit(SOCK_NOSPACE, &sk->sk_socket->flags);
	rcu_read_lock();
	wq = rcu_dereference(sk->sk_wq);
	if (skwq_has_sleeper(wq))
		wake_up_interruptible_poll(&wq->wait, EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND);
	if (wq && wq->fasync_list && !(sk->sk_shutdown & SEND_SHUTDOWN))
		sock_wake_async(wq, SOCK_WAKE_SPACE, POLL_OUT);
	rcu_read_unlock();
}
