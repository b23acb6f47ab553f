// SPDX-License-Identifier: GPL-2.0
/*
 * Listeners: listen(), accept(), the SYN that opens a request (RFC 9293
 * 3.10.7.2), the child that a request becomes, and the queue in which children
 * wait for accept().  A child in the queue is an ordinary connection that no
 * process knows; if it dies there it stays until accept() or the end of the
 * listener.  Requests themselves are in request.c.
 *
 * security_inet_conn_request() is not called: it takes the kernel's own struct
 * request_sock, which our requests are not.
 */
#include "xtcp.h"
#include "trace.h"

/* ---- the accept queue ---- */

/* The child takes the place of its request, in the table and in the listener.
 * Return: false where there is nothing to take any more.
 */
static bool enqueue(struct xtcp_request *req, struct sock *child)
{
	struct xtcp_accept *a = xtcp_sk(req->listener)->accept;
	struct xtcp_sock *xs = xtcp_sk(child);
	bool listed = !list_empty(&req->node);	/* not so after a SYN cookie */
	bool ok = false;

	spin_lock_bh(&a->lock);
	if (a->open)
		ok = listed ? xtcp_ep_replace(&req->ep, &xs->ep) :
			      xtcp_ep_insert_unique(&xs->ep);
	if (ok) {
		list_add_tail(&xs->no_owner, &a->queue);
		WRITE_ONCE(a->queued, a->queued + 1);
		sk_acceptq_added(req->listener);
	}
	if (ok && listed) {
		list_del_init(&req->node);
		WRITE_ONCE(a->nr_requests, a->nr_requests - 1);
	}
	spin_unlock_bh(&a->lock);
	return ok;
}

/* The oldest child, out of the queue; its life's reference comes along. */
static struct sock *dequeue(struct sock *sk)
{
	struct xtcp_accept *a = xtcp_sk(sk)->accept;
	struct xtcp_sock *xs;

	spin_lock_bh(&a->lock);
	xs = list_first_entry_or_null(&a->queue, struct xtcp_sock, no_owner);
	if (xs) {
		list_del_init(&xs->no_owner);
		WRITE_ONCE(a->queued, a->queued - 1);
		sk_acceptq_removed(sk);
	}
	spin_unlock_bh(&a->lock);
	return xs ? &xs->inet.sk : NULL;
}

/* ---- listen() ---- */

/* Most sockets never listen, so only those that do have these queues. */
static struct xtcp_accept *accept_alloc(void)
{
	struct xtcp_accept *a = kzalloc(sizeof(*a), GFP_KERNEL_ACCOUNT);

	if (!a)
		return NULL;
	spin_lock_init(&a->lock);
	INIT_LIST_HEAD(&a->queue);
	INIT_LIST_HEAD(&a->requests);
	return a;
}

static int listen_start(struct sock *sk)
{
	struct xtcp_sock *xs = xtcp_sk(sk);
	int err;

	if (!xs->accept)
		xs->accept = accept_alloc();
	if (!xs->accept)
		return -ENOMEM;
	if (!inet_sk(sk)->inet_num) {
		err = xtcp_get_port(sk, 0);
		if (err)
			return err;
		inet_sk(sk)->inet_sport = htons(inet_sk(sk)->inet_num);
	}
	err = xtcp_port_listen(sk);
	if (err)
		return err;
	sk_dst_reset(sk);
	WRITE_ONCE(sk->sk_ack_backlog, 0);
	spin_lock_bh(&xs->accept->lock);
	xs->accept->open = true;
	xs->accept->overflow_at = 0;
	spin_unlock_bh(&xs->accept->lock);
	/* a segment that finds it already waits for the socket lock */
	err = xtcp_listener_hash(sk);
	if (err) {
		xtcp_listen_stop(sk);
		return err;
	}
	xtcp_event(sk, EV_OPEN_PASSIVE);
	return 0;
}

/**
 * xtcp_listen() - listen(); once more changes the backlog
 * @sock: not connected
 * @backlog: children that may wait for accept(); limited by somaxconn
 *
 * Return: 0, -EINVAL (connected, or being so), -EADDRINUSE (somebody listens there)
 */
int xtcp_listen(struct socket *sock, int backlog)
{
	struct sock *sk = sock->sk;
	int most = READ_ONCE(sock_net(sk)->core.sysctl_somaxconn);
	int err = -EINVAL;

	lock_sock(sk);
	if (sock->state != SS_UNCONNECTED || sock->type != SOCK_STREAM)
		goto out;
	if (sk->sk_state != TCP_CLOSE && sk->sk_state != TCP_LISTEN)
		goto out;
	if ((unsigned int)backlog > (unsigned int)most)
		backlog = most;
	WRITE_ONCE(sk->sk_max_ack_backlog, backlog);
	err = sk->sk_state == TCP_LISTEN ? 0 : listen_start(sk);
out:
	release_sock(sk);
	return err;
}

/* ---- the end of a listener ---- */

static struct xtcp_request *first_request(struct xtcp_accept *a)
{
	struct xtcp_request *req;

	spin_lock_bh(&a->lock);
	req = list_first_entry_or_null(&a->requests, struct xtcp_request, node);
	if (req)	/* who drops it takes it off the list before its reference goes */
		refcount_inc(&req->ep.refcnt);
	spin_unlock_bh(&a->lock);
	return req;
}

/* RFC 9293 3.10.5: nobody will ever own this connection. */
static void abort_child(struct sock *child)
{
	sock_hold(child);
	local_bh_disable();
	bh_lock_sock(child);
	sock_orphan(child);
	if (child->sk_state == TCP_CLOSE) {
		xtcp_destroy(child);
	} else {
		xtcp_send_reset(child);
		xtcp_event(child, EV_ABORT);
	}
	bh_unlock_sock(child);
	local_bh_enable();
	sock_put(child);
}

/**
 * xtcp_listen_stop() - no more connections; those not yet accepted are reset
 * @sk: the listener
 *
 * Context: process, socket lock held.  The caller moves the state.
 */
void xtcp_listen_stop(struct sock *sk)
{
	struct xtcp_sock *xs = xtcp_sk(sk);
	struct xtcp_request *req;
	struct sock *child;

	xtcp_listener_unhash(sk);
	if (xs->is_listening)
		xtcp_port_unlisten(sk);
	spin_lock_bh(&xs->accept->lock);
	xs->accept->open = false;
	spin_unlock_bh(&xs->accept->lock);
	while ((req = first_request(xs->accept))) {
		xtcp_request_drop(req, EV_ABORT);
		xtcp_ep_put(&req->ep);
		cond_resched();
	}
	while ((child = dequeue(sk))) {
		abort_child(child);
		cond_resched();
	}
}

/* ---- accept() ---- */

/* Until there is a child. Return: 0 or the error of accept(). */
static int wait_for_child(struct sock *sk, long timeo)
{
	struct xtcp_accept *a = xtcp_sk(sk)->accept;
	DEFINE_WAIT(wait);
	int err = 0;

	while (!READ_ONCE(a->queued)) {
		if (!timeo) {
			err = -EAGAIN;
			break;
		}
		/* one child wakes one process */
		prepare_to_wait_exclusive(sk_sleep(sk), &wait, TASK_INTERRUPTIBLE);
		release_sock(sk);
		if (!READ_ONCE(a->queued))
			timeo = schedule_timeout(timeo);
		sched_annotate_sleep();
		lock_sock(sk);
		if (READ_ONCE(a->queued))
			break;
		if (sk->sk_state != TCP_LISTEN)
			err = -EINVAL;
		else if (signal_pending(current))
			err = sock_intr_errno(timeo);
		if (err)
			break;
	}
	finish_wait(sk_sleep(sk), &wait);
	return err;
}

struct sock *xtcp_accept_sk(struct sock *sk, int flags, int *err, bool kern)
{
	struct sock *child = NULL;

	lock_sock(sk);
	*err = -EINVAL;
	if (sk->sk_state == TCP_LISTEN)
		*err = wait_for_child(sk, sock_rcvtimeo(sk, flags & O_NONBLOCK));
	if (!*err)
		child = dequeue(sk);
	release_sock(sk);
	return child;
}

/* ---- the child ---- */

/* The clone is a byte copy: what belongs to the listener alone must go, before
 * anything can fail, and options stay.
 */
static void reset_clone(struct sock *child, const struct sock *listener)
{
	struct xtcp_sock *xs = xtcp_sk(child);

	xtcp_init_xs(child);
	xtcp_cong_inherit(child, listener);
	xtcp_state_inherit(child, TCP_SYN_RECV);
	RCU_INIT_POINTER(xs->inet.inet_opt, NULL);
	RCU_INIT_POINTER(xs->inet.mc_list, NULL);
	RCU_INIT_POINTER(child->sk_rx_dst, NULL);
	atomic64_set(&child->sk_cookie, 0);
	child->sk_shutdown = 0;
	child->sk_ack_backlog = 0;
	child->sk_max_ack_backlog = 0;
	memset(&child->sk_frag, 0, sizeof(child->sk_frag));
	xs->answered_at = 0;
	xs->urg_data = 0;
}

/* RFC 9293 3.10.7.4, fifth, SYN-RECEIVED: both SYNs are acknowledged. */
static void fill_tcb(struct sock *child, const struct xtcp_request *req,
		     const struct xtcp_segment *seg, u64 now)
{
	struct xtcp_sock *xs = xtcp_sk(child);
	struct xtcp_tcb *tcb = &xs->tcb;
	struct xtcp_metrics known;
	u64 rtt;

	xtcp_tcb_set_iss(tcb, req->iss + 1);
	tcb->iss = req->iss;
	tcb->write_seq = req->iss + 1;
	tcb->syn_out = 0;
	xtcp_tcb_set_irs(tcb, req->irs);
	tcb->rcv_wnd = req->rcv_wnd;
	tcb->rcv_adv = tcb->rcv_nxt + req->rcv_wnd;
	tcb->snd_wscale = req->snd_wscale;
	tcb->rcv_wscale = req->rcv_wscale;
	tcb->wscale_ok = req->wscale_ok;
	tcb->sack_ok = req->sack_ok;
	tcb->ts_ok = req->ts_ok;
	tcb->ts_us = req->ts_us;
	tcb->ts_offset = req->ts_offset;
	tcb->ts_recent = req->ts_recent;
	tcb->ts_recent_at = now;
	tcb->peer_mss = req->peer_mss;
	tcb->nego_ok = req->nego_ok;
	if (req->nego_ok) {
		tcb->peer_delack = xtcp_nego_delay(req->peer_delay);
		xtcp_sk_mib_inc(child, XTCP_NEGOTIATED);
	}
	if (req->ecn_ok) {
		xtcp_ecn_start(tcb);
		xtcp_sk_mib_inc(child, XTCP_ECN_AGREED);
	}
	tcb->snd_wl1 = seg->seq;
	tcb->snd_wl2 = seg->ack;
	tcb->snd_wnd = seg->wnd << req->snd_wscale;
	tcb->max_snd_wnd = tcb->snd_wnd;
	tcb->syn_rexmit = req->rexmits > 0;
	tcb->segs_in = 1;		/* the SYN */
	tcb->segs_out = 1 + req->rexmits;
	xs->copied_seq = tcb->rcv_nxt;
	xs->urg_seq = tcb->rcv_nxt;
	xtcp_metrics_get(req->ep.net, &req->ep.key.raddr, req->ep.bound_if, &known);
	xtcp_share_start(tcb, &known);
	rtt = req->sent_at ? now - req->sent_at : 0;
	if (req->by_ts)
		rtt = xtcp_ts_rtt(tcb, &seg->opt, now);
	if (rtt)
		xtcp_rtt_sample(tcb, rtt, now);
}

static bool settle(struct sock *child, struct xtcp_request *req, struct sk_buff *skb)
{
	const struct xtcp_af_ops *ops = req->v6 ? &xtcp_v6_ops : &xtcp_v4_ops;
	struct xtcp_sock *xs = xtcp_sk(child);
	const struct dst_entry *dst;

	if (ops->child_init(child, req->listener, req, skb))
		return false;
	xs->ep.key = req->ep.key;
	if (!xtcp_inherit_port(req->listener, child))
		return false;
	dst = __sk_dst_get(child);
	xtcp_sync_mss(child, dst ? dst_mtu(dst) : IPV6_MIN_MTU);
	return enqueue(req, child);
}

/* It was in no queue, so this is the end of it. */
static void discard(struct sock *child)
{
	sock_set_flag(child, SOCK_DEAD);
	xtcp_state_inherit(child, TCP_CLOSE);
	bh_unlock_sock(child);
	sock_put(child);
}

struct sock *xtcp_child_create(struct xtcp_request *req, struct sk_buff *skb,
			       const struct xtcp_segment *seg)
{
	struct sock *child = sk_clone_lock(req->listener, GFP_ATOMIC);

	if (!child)
		return NULL;
	reset_clone(child, req->listener);
	fill_tcb(child, req, seg, xtcp_now());
	if (!settle(child, req, skb)) {
		discard(child);
		return NULL;
	}
	xtcp_sk_mib_inc(child, XTCP_PASSIVE_OPENS);
	xtcp_state_inherit(child, xtcp_event_small(&req->ep, TCP_NEW_SYN_RECV, EV_RCV_ACK));
	return child;
}

void xtcp_child_start(struct sock *child, struct sock *listener, struct sk_buff *skb,
		      struct xtcp_segment *seg)
{
	skb->dev = NULL;
	xtcp_child_rcv(child, skb, seg);
	bh_unlock_sock(child);
	listener->sk_data_ready(listener);
	sock_put(child);
}

/* ---- segments for a listener: RFC 9293 3.10.7.2 ---- */

/* SYNs without an answer to their SYN,ACK */
static bool syn_queue_full(const struct sock *sk)
{
	u32 n = READ_ONCE(xtcp_sk(sk)->accept->nr_requests);

	return n > READ_ONCE(sk->sk_max_ack_backlog) ||
	       n >= READ_ONCE(xtcp_sknet(sk)->sysctl.max_syn_backlog);
}

static void show(struct sock *sk, const struct xtcp_key *key, const struct xtcp_segment *seg,
		 u8 after, enum xtcp_mib why)
{
	trace_xtcp_seg_in(sock_net(sk), key, TCP_LISTEN, after, seg, why);
}

/* Third: a SYN.  Text and FIN in it are not kept: they are not acknowledged and
 * come again.
 */
static enum xtcp_mib on_syn(struct sock *sk, struct sk_buff *skb,
			    const struct xtcp_key *key, struct xtcp_segment *seg)
{
	bool full = syn_queue_full(sk), cookie = xtcp_cookie_wanted(sk, full);
	struct xtcp_request *req;
	enum xtcp_mib why;

	if (full && !cookie)
		return XTCP_DROP_SYN_QUEUE;
	if (xtcp_accept_full(sk))
		return XTCP_DROP_ACCEPT_QUEUE;
	req = xtcp_request_new(sk, skb, key, seg, &why);
	if (!req)
		return why;
	show(sk, key, seg, cookie ? TCP_LISTEN : TCP_NEW_SYN_RECV, XTCP_KEPT);
	if (cookie)
		xtcp_cookie_send(req);
	else
		why = xtcp_request_start(req);
	xtcp_ep_put(&req->ep);
	if (why == XTCP_KEPT)
		consume_skb(skb);
	return why;
}

static int incoming_if(const struct sk_buff *skb)
{
	return skb->protocol == htons(ETH_P_IP) ? inet_iif(skb) : inet6_iif(skb);
}

/* A reset to a link-local peer goes back to the link that it is on. */
static enum xtcp_mib refuse_ack(struct sock *sk, struct sk_buff *skb,
				const struct xtcp_key *key, const struct xtcp_segment *seg)
{
	int oif = sk->sk_bound_dev_if ?: xtcp_reply_oif(sock_net(sk), key, incoming_if(skb));

	xtcp_reset_segment(sock_net(sk), skb, key, seg, sk, oif);
	return XTCP_DROP_LISTEN_FLAGS;
}

/* Second: an ACK can only be one of a SYN cookie; any other is bad. */
static enum xtcp_mib on_ack(struct sock *sk, struct sk_buff *skb,
			    const struct xtcp_key *key, struct xtcp_segment *seg)
{
	struct xtcp_request *req;
	struct sock *child;

	if (seg->flags & XTCP_SYN || !xtcp_cookie_expected(sk))
		return refuse_ack(sk, skb, key, seg);
	if (xtcp_accept_full(sk))
		return XTCP_DROP_ACCEPT_QUEUE;
	req = xtcp_cookie_check(sk, skb, key, seg);
	if (!req)
		return refuse_ack(sk, skb, key, seg);
	child = xtcp_child_create(req, skb, seg);
	xtcp_ep_put(&req->ep);
	if (!child)
		return XTCP_DROP_LISTEN;
	xtcp_child_start(child, sk, skb, seg);
	return XTCP_KEPT;
}

static enum xtcp_mib in_listen(struct sock *sk, struct sk_buff *skb, struct xtcp_segment *seg)
{
	enum xtcp_mib why = XTCP_DROP_LISTEN_FLAGS;
	struct xtcp_key key;

	xtcp_key_from_skb(skb, &key);
	if (seg->flags & XTCP_RST)
		why = XTCP_DROP_RST;		/* first */
	else if (seg->flags & XTCP_ACK)
		why = on_ack(sk, skb, &key, seg);
	else if (seg->flags & XTCP_SYN)
		why = on_syn(sk, skb, &key, seg);
	if (why != XTCP_KEPT)
		show(sk, &key, seg, TCP_LISTEN, why);
	return why;
}

enum xtcp_mib xtcp_listen_rcv(struct sock *sk, struct sk_buff *skb, struct xtcp_segment *seg)
{
	enum xtcp_mib why;

	/* segments of the backlog are served in process context */
	rcu_read_lock();
	local_bh_disable();
	why = in_listen(sk, skb, seg);
	local_bh_enable();
	rcu_read_unlock();
	return why;
}
