// SPDX-License-Identifier: GPL-2.0
/*
 * Reading: recvmsg() with all its flags, urgent data, splice.  Takes bytes out of
 * the queue that rcvbuf.c fills, in the order of tcp(7): data first, then the
 * error, then the end of the stream.  Each call holds the socket lock but while it
 * sleeps, and ends with xtcp_flush(), since room may be worth a window update.
 */
#include <net/busy_poll.h>
#include "xtcp.h"

/* recv(MSG_OOB) */
static int read_urgent(struct sock *sk, struct msghdr *msg, size_t len, int flags)
{
	struct xtcp_sock *xs = xtcp_sk(sk);
	char byte = xs->urg_data;

	if (sock_flag(sk, SOCK_URGINLINE) || !xs->urg_data || xs->urg_data & XTCP_URG_READ)
		return -EINVAL;
	if (sk->sk_state == TCP_CLOSE && !sock_flag(sk, SOCK_DONE))
		return -ENOTCONN;
	if (!(xs->urg_data & XTCP_URG_VALID))
		return sk->sk_state == TCP_CLOSE || sk->sk_shutdown & RCV_SHUTDOWN ? 0 : -EAGAIN;
	if (!(flags & MSG_PEEK))
		WRITE_ONCE(xs->urg_data, XTCP_URG_READ);
	msg->msg_flags |= MSG_OOB;
	if (!len) {
		msg->msg_flags |= MSG_TRUNC;
		return 0;
	}
	if (!(flags & MSG_TRUNC) && memcpy_to_msg(msg, &byte, 1))
		return -EFAULT;
	return 1;
}

/* ---- the reader ---- */

/**
 * struct reader - one call of recvmsg()
 * @sk: locked
 * @msg: where bytes go
 * @flags: MSG_*
 * @pos: next sequence number; the same as copied_seq unless it peeks
 * @left: bytes that the user still wants
 * @copied: bytes that the user has got
 * @stamped: last skb read that carries a time, for SO_TIMESTAMP; a reference
 */
struct reader {
	struct sock *sk;
	struct msghdr *msg;
	int flags;
	u32 pos;
	size_t left;
	int copied;
	struct sk_buff *stamped;
};

static void move_to(struct reader *r, u32 pos)
{
	struct xtcp_sock *xs = xtcp_sk(r->sk);

	r->pos = pos;
	if (r->flags & MSG_PEEK)
		return;
	WRITE_ONCE(xs->copied_seq, pos);
	if (unlikely(xs->urg_data) && after(pos, xs->urg_seq)) {
		WRITE_ONCE(xs->urg_data, 0);
		xs->tcb.urg_in = 0;
	}
}

static bool at_mark(const struct reader *r)
{
	const struct xtcp_sock *xs = xtcp_sk(r->sk);

	return unlikely(xs->urg_data) && xs->urg_seq == r->pos;
}

/* How many of @n bytes lie before the urgent mark */
static u32 up_to_mark(const struct reader *r, u32 n)
{
	const struct xtcp_sock *xs = xtcp_sk(r->sk);
	u32 to_mark = xs->urg_seq - r->pos;

	if (likely(!xs->urg_data) || !to_mark)
		return n;
	return min(n, to_mark);
}

static void keep_stamp(struct reader *r, struct sk_buff *skb)
{
	if (!skb->tstamp && !skb_hwtstamps(skb)->hwtstamp)
		return;
	if (!sock_flag(r->sk, SOCK_RCVTSTAMP) && !READ_ONCE(r->sk->sk_tsflags))
		return;
	consume_skb(r->stamped);
	r->stamped = skb_get(skb);
}

/* Take what is wanted of one skb, up to the mark. Return: 0 or -EFAULT. */
static int read_skb(struct reader *r, struct sk_buff *skb)
{
	u32 end_seq = XTCP_SKB_CB(skb)->end_seq, n;
	int err;

	if (at_mark(r) && !sock_flag(r->sk, SOCK_URGINLINE))
		move_to(r, r->pos + 1);
	n = up_to_mark(r, min_t(size_t, end_seq - r->pos, r->left));
	if (!n)
		return 0;
	if (!(r->flags & MSG_TRUNC)) {
		err = skb_copy_datagram_msg(skb, r->pos - XTCP_SKB_CB(skb)->seq, r->msg, n);
		if (err)
			return -EFAULT;
	}
	keep_stamp(r, skb);
	r->copied += n;
	r->left -= n;
	move_to(r, r->pos + n);
	return 0;
}

/* Read without sleeping: to the end of the queue, of the wish, or to the mark. */
static int read_queue(struct reader *r)
{
	struct sk_buff_head *q = &r->sk->sk_receive_queue;
	struct sk_buff *skb, *tmp;
	int err;

	skb_queue_walk_safe(q, skb, tmp) {
		while (after(XTCP_SKB_CB(skb)->end_seq, r->pos)) {
			if (!r->left || (at_mark(r) && r->copied))
				return 0;
			err = read_skb(r, skb);
			if (err)
				return err;
		}
		if (!(r->flags & MSG_PEEK))
			xtcp_rcvbuf_eat(r->sk, skb);
	}
	return 0;
}

/* Nothing to read, nothing read: an error, 0 for the end of the stream, or 1 where
 * it is worth to wait.
 */
static int why_nothing(struct sock *sk, long timeo)
{
	if (sock_flag(sk, SOCK_DONE))
		return 0;
	if (sk->sk_err)
		return sock_error(sk);
	if (sk->sk_shutdown & RCV_SHUTDOWN)
		return 0;
	if (sk->sk_state == TCP_CLOSE)
		return -ENOTCONN;	/* never connected */
	if (!timeo)
		return -EAGAIN;
	if (signal_pending(current))
		return sock_intr_errno(timeo);
	return 1;
}

/* Some bytes were read, but fewer than the target: no use to wait for more? */
static bool no_more(const struct sock *sk, long timeo)
{
	return sk->sk_err || sk->sk_state == TCP_CLOSE || sk->sk_shutdown & RCV_SHUTDOWN ||
	       !timeo || signal_pending(current);
}

/* The reader made room: a window update may be due. */
static void made_room(struct sock *sk)
{
	struct xtcp_tcb *tcb = &xtcp_sk(sk)->tcb;
	u64 now = xtcp_now();

	xtcp_rcvbuf_autotune(sk, now);
	if (!xtcp_rx_window_narrow(tcb))
		return;
	xtcp_rcvbuf_space(sk);
	if (!xtcp_rx_window_update_due(tcb))
		return;
	tcb->todo |= XTCP_ACK_NOW;
	xtcp_flush(sk, now);
}

/* Return: 0, or -EPIPE where another thread has disconnected the socket */
static int wait_for_data(struct reader *r, long *timeo)
{
	struct sock *sk = r->sk;
	int err;

	if (r->copied && !(r->flags & MSG_PEEK))
		made_room(sk);
	err = sk_wait_data(sk, timeo, skb_peek_tail(&sk->sk_receive_queue));
	if (err < 0)
		return err;
	/* another thread may have read what this one peeks at */
	if (before(r->pos, xtcp_sk(sk)->copied_seq))
		r->pos = xtcp_sk(sk)->copied_seq;
	return 0;
}

static int read_stream(struct reader *r)
{
	struct sock *sk = r->sk;
	int target = sock_rcvlowat(sk, r->flags & MSG_WAITALL, r->left);
	long timeo = sock_rcvtimeo(sk, r->flags & MSG_DONTWAIT);
	int err;

	for (;;) {
		if (at_mark(r) && !r->copied && signal_pending(current))
			return timeo ? sock_intr_errno(timeo) : -EAGAIN;
		err = read_queue(r);
		if (err)
			return r->copied ?: err;
		if (!r->left && (r->copied || xtcp_rcvbuf_unread(sk)))
			return r->copied;
		if (at_mark(r) && r->copied)
			return r->copied;
		if (r->copied >= target && !READ_ONCE(sk->sk_backlog.tail))
			return r->copied;
		if (r->copied && no_more(sk, timeo))
			return r->copied;
		err = r->copied ? 1 : why_nothing(sk, timeo);
		if (err <= 0)
			return err;
		err = 0;
		if (r->copied >= target)
			sk_flush_backlog(sk);
		else
			err = wait_for_data(r, &timeo);
		if (err)
			return r->copied ?: err;
	}
}

/* What is due after a read: times, place of the next peek, window. */
static void finish_read(struct reader *r)
{
	struct sock *sk = r->sk;

	if (r->stamped) {
		sock_recv_timestamp(r->msg, sk, r->stamped);
		consume_skb(r->stamped);
	}
	if (r->copied <= 0)
		return;
	if (r->flags & MSG_PEEK) {
		sk_peek_offset_fwd(sk, r->copied);
		return;
	}
	sk_peek_offset_bwd(sk, r->copied);
	made_room(sk);
}

static int read_locked(struct sock *sk, struct msghdr *msg, size_t len, int flags)
{
	struct xtcp_sock *xs = xtcp_sk(sk);
	struct reader r = {
		.sk = sk, .msg = msg, .flags = flags, .pos = xs->copied_seq,
		.left = min_t(size_t, len, INT_MAX),
	};
	int ret;

	if (sk->sk_state == TCP_LISTEN)
		return -ENOTCONN;
	if (flags & MSG_OOB)
		return read_urgent(sk, msg, len, flags);
	if (flags & MSG_PEEK)
		r.pos += max(sk_peek_offset(sk, flags), 0);
	ret = read_stream(&r);
	finish_read(&r);
	return ret;
}

/* TCP_INQ: what can still be read; 1 for the end of the stream, which is worth a read too */
static void tell_inq(struct sock *sk, struct msghdr *msg)
{
	const struct xtcp_sock *xs = xtcp_sk(sk);
	int inq = xs->tcb.rcv_nxt - xs->copied_seq;

	if (!inq && sock_flag(sk, SOCK_DONE))
		inq = 1;
	put_cmsg(msg, SOL_TCP, TCP_CM_INQ, sizeof(inq), &inq);
}

int xtcp_recvmsg_common(struct sock *sk, struct msghdr *msg, size_t len, int flags)
{
	int ret;

	if (flags & MSG_ERRQUEUE)
		return xt_recv_error(sk, msg, len);
	if (sk_can_busy_loop(sk) && skb_queue_empty_lockless(&sk->sk_receive_queue) &&
	    sk->sk_state == TCP_ESTABLISHED)
		sk_busy_loop(sk, flags & MSG_DONTWAIT);
	lock_sock(sk);
	ret = read_locked(sk, msg, len, flags);
	if (unlikely(xtcp_sk(sk)->recvmsg_inq) && ret >= 0)
		tell_inq(sk, msg);
	release_sock(sk);
	return ret;
}

/* ---- reading by callback: splice ---- */

int xtcp_read_sock(struct sock *sk, read_descriptor_t *desc, sk_read_actor_t actor)
{
	struct reader r = { .sk = sk, .pos = xtcp_sk(sk)->copied_seq };
	struct sk_buff *skb;
	int n = 0;

	if (sk->sk_state == TCP_LISTEN)
		return -ENOTCONN;
	while ((skb = skb_peek(&sk->sk_receive_queue))) {
		if (at_mark(&r) && !sock_flag(sk, SOCK_URGINLINE))
			move_to(&r, r.pos + 1);
		n = XTCP_SKB_CB(skb)->end_seq - r.pos;
		if (n > 0) {
			n = actor(desc, skb, r.pos - XTCP_SKB_CB(skb)->seq, up_to_mark(&r, n));
			if (n <= 0)
				break;
			move_to(&r, r.pos + n);
			r.copied += n;
		} else {
			n = 0;
		}
		if (!after(XTCP_SKB_CB(skb)->end_seq, r.pos))
			xtcp_rcvbuf_eat(sk, skb);
		if (!desc->count || at_mark(&r))
			break;
	}
	if (r.copied)
		made_room(sk);
	return r.copied ?: min(n, 0);
}

struct splice {
	struct pipe_inode_info *pipe;
	unsigned int flags;
};

static int splice_skb(read_descriptor_t *desc, struct sk_buff *skb,
		      unsigned int offset, size_t len)
{
	struct splice *s = desc->arg.data;
	int n = skb_splice_bits(skb, skb->sk, offset, s->pipe, min(desc->count, len), s->flags);

	if (n > 0)
		desc->count -= n;
	return n;
}

/* Splice what is there; wait only for the first byte. */
static ssize_t splice_locked(struct sock *sk, read_descriptor_t *desc, long timeo)
{
	int n, err;

	for (;;) {
		n = xtcp_read_sock(sk, desc, splice_skb);
		if (n)
			return n;
		if (!skb_queue_empty(&sk->sk_receive_queue))
			return timeo ? 0 : -EAGAIN;	/* the pipe is full */
		err = why_nothing(sk, timeo);
		if (err <= 0)
			return err;
		err = sk_wait_data(sk, &timeo, NULL);
		if (err < 0)
			return err;
	}
}

ssize_t xtcp_splice_read(struct socket *sock, loff_t *ppos,
			 struct pipe_inode_info *pipe, size_t len, unsigned int flags)
{
	struct sock *sk = sock->sk;
	struct splice s = { .pipe = pipe, .flags = flags };
	read_descriptor_t desc = { .arg.data = &s, .count = len };
	ssize_t n;

	if (unlikely(*ppos))
		return -ESPIPE;
	if (!len)
		return 0;
	lock_sock(sk);
	n = splice_locked(sk, &desc, sock_rcvtimeo(sk, sock->file->f_flags & O_NONBLOCK));
	release_sock(sk);
	return n;
}
