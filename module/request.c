// SPDX-License-Identifier: GPL-2.0
/*
 * Requests: passive connections in SYN-RECEIVED, small until the handshake is
 * complete.  A request answers with SYN,ACK, again after a timeout (RFC 6298) or
 * a repeated SYN, and judges every other segment by the rules of the core
 * (RFC 9293 3.10.7.4).  An acceptable ACK makes it a child (listen.c).
 *
 * One segment or timeout at a time: req->lock.  The end of a request is decided
 * under it, once (req->dropped).  The table, the armed timer and every
 * lookup hold a reference each; the request holds one on its listener.
 */
#include "xtcp.h"
#include "trace.h"

static struct kmem_cache *cache;

static const struct xtcp_sysctl *ctl_of(const struct xtcp_request *req)
{
	return &xtcp_pernet(req->ep.net)->sysctl;
}

/* ---- birth and death ---- */

static struct xtcp_request *request_alloc(struct sock *sk, const struct xtcp_key *key)
{
	size_t keep = offsetofend(struct xtcp_request, ep.node);
	struct xtcp_request *req = kmem_cache_alloc(cache, GFP_ATOMIC | __GFP_NOWARN);

	if (!req)
		return NULL;
	/* a lookup on its way may still follow ep.node.next */
	memset((u8 *)req + keep, 0, sizeof(*req) - keep);
	req->ep.node.pprev = NULL;
	req->ep.key = *key;
	req->ep.kind = XTCP_EP_REQUEST;
	req->ep.net = sock_net(sk);
	INIT_LIST_HEAD(&req->node);
	req->dropped = 1;	/* until xtcp_request_start() */
	spin_lock_init(&req->lock);
	sock_hold(sk);
	req->listener = sk;
	return req;
}

void xtcp_request_free(struct xtcp_request *req)
{
	kfree(req->opt);
	sock_put(req->listener);
	kmem_cache_free(cache, req);
}

/* What the SYN offers and the namespace allows (RFC 7323, RFC 2018, core/nego.c). */
static void negotiate(struct xtcp_request *req, const struct xtcp_options *o)
{
	const struct xtcp_sysctl *ctl = ctl_of(req);

	req->sack_ok = READ_ONCE(ctl->sack) && o->present & XTCP_HAS_SACK_PERM;
	req->ts_ok = READ_ONCE(ctl->timestamps) && o->present & XTCP_HAS_TS;
	req->wscale_ok = READ_ONCE(ctl->window_scaling) && o->present & XTCP_HAS_WSCALE;
	if (req->ts_ok)
		req->ts_recent = o->tsval;
	if (req->wscale_ok)
		req->snd_wscale = min_t(u8, o->wscale, XTCP_MAX_WSCALE);
	if (o->present & XTCP_HAS_MSS)
		req->peer_mss = max_t(u16, o->mss, XTCP_MSS_MIN);
	req->nego_ok = xtcp_negotiates(req->listener) && o->present & XTCP_HAS_NEGO;
	if (req->nego_ok) {
		req->peer_delay = o->ack_delay;
		req->ts_us = req->ts_ok && o->ts_unit == XTCP_UNIT_US;
	}
	if (o->present & XTCP_BAD_NEGO)
		xtcp_mib_inc(req->ep.net, XTCP_NEGO_IGNORED);
}

/* RFC 3168 6.1.1: a SYN is not ECN-capable itself; one that is comes from a broken host,
 * or from one whose controller wants it so, as ours then.
 */
static bool may_use_ecn(const struct sock *sk, const struct dst_entry *dst,
			const struct xtcp_segment *seg)
{
	if (xtcp_wants_ecn(sk, dst))
		return true;
	return READ_ONCE(xtcp_sknet(sk)->sysctl.ecn) && !seg->ecn;
}

static bool find_route(struct xtcp_request *req, const struct sock *sk,
		       const struct xtcp_segment *seg)
{
	const struct xtcp_af_ops *ops = req->v6 ? &xtcp_v6_ops : &xtcp_v4_ops;
	struct dst_entry *dst;
	u8 wscale;

	dst = req->v6 ? xtcp_v6_request_route(sk, req) : xtcp_v4_request_route(sk, req);
	if (!dst)
		return false;
	req->ecn_ok = xtcp_ecn_setup_syn(seg->flags) && may_use_ecn(sk, dst, seg);
	req->mss = xtcp_advertised_mss(ops, dst, READ_ONCE(xtcp_sk(sk)->user_mss));
	dst_release(dst);
	req->rcv_wnd = xtcp_initial_window(sk, req->mss, req->wscale_ok, &wscale);
	if (req->wscale_ok)
		req->rcv_wscale = wscale;
	return true;
}

struct xtcp_request *xtcp_request_new(struct sock *sk, struct sk_buff *skb,
				      const struct xtcp_key *key,
				      const struct xtcp_segment *seg, enum xtcp_mib *why)
{
	struct xtcp_request *req = request_alloc(sk, key);

	*why = XTCP_DROP_MEM;
	if (!req)
		return NULL;
	if (xtcp_key_is_v4(key))
		xtcp_v4_request_init(req, sk, skb);
	else
		xtcp_v6_request_init(req, sk, skb);
	req->irs = seg->seq;
	req->iss = xtcp_isn(key, xtcp_now());
	req->ts_offset = xtcp_ts_offset(req->ep.net, key);
	req->txhash = net_tx_rndhash();
	negotiate(req, &seg->opt);
	*why = XTCP_DROP_NO_ROUTE;
	if (!find_route(req, sk, seg)) {
		xtcp_request_free(req);
		return NULL;
	}
	smp_wmb();	/* a lookup may have its pointer from an earlier life */
	refcount_set(&req->ep.refcnt, 1);
	*why = XTCP_KEPT;
	return req;
}

/* ---- segments out ---- */

static void init_reply(const struct xtcp_request *req, struct xtcp_reply *r)
{
	const struct sock *sk = req->listener;

	memset(r, 0, sizeof(*r));
	r->net = req->ep.net;
	r->key = &req->ep.key;
	r->state = TCP_NEW_SYN_RECV;
	r->sk = sk;
	r->oif = req->ep.bound_if;
	r->mark = req->mark;
	r->txhash = req->txhash;
	r->tos = req->v6 ? inet6_sk(sk)->tclass : inet_sk(sk)->tos;
	r->opt = req->opt;
}

static void put_ts(const struct xtcp_request *req, struct xtcp_options *o, u64 now)
{
	if (!req->ts_ok)
		return;
	o->present |= XTCP_HAS_TS;
	o->tsval = xtcp_ts_ticks(now, req->ts_us) + req->ts_offset;
	o->tsecr = req->ts_recent;
}

/* RFC 9293 3.10.7.2, third; RFC 7323 2.2: the window of a SYN is not scaled. */
void xtcp_request_send_syn_ack(struct xtcp_request *req, u64 now)
{
	struct xtcp_options o = { .present = XTCP_HAS_MSS, .mss = req->mss };
	struct xtcp_reply r;

	put_ts(req, &o, now);
	if (req->sack_ok)
		o.present |= XTCP_HAS_SACK_PERM;
	if (req->wscale_ok) {
		o.present |= XTCP_HAS_WSCALE;
		o.wscale = req->rcv_wscale;
	}
	if (req->nego_ok)
		xtcp_nego_fill(READ_ONCE(xtcp_sk(req->listener)->tcb.ack_delay),
			       req->ts_us, &o);
	init_reply(req, &r);
	xtcp_send_reply(&r, XTCP_SYN | XTCP_ACK | (req->ecn_ok ? XTCP_ECE : 0),
			req->iss, req->irs + 1,
			min_t(u32, req->rcv_wnd, XTCP_MAX_WND), &o);
}

static void resend_syn_ack(struct xtcp_request *req, const char *cause, u64 now)
{
	req->sent_at = 0;	/* Karn: RFC 6298 3 */
	req->by_ts = !req->acked;
	xtcp_mib_inc(req->ep.net, XTCP_RETRANS_SEGS);
	xtcp_mib_inc(req->ep.net, XTCP_SYN_RETRANS);
	trace_xtcp_retransmit(&req->ep, req->iss, req->iss + 1, cause);
	xtcp_request_send_syn_ack(req, now);
}

static void send_ack(const struct xtcp_request *req, u64 now)
{
	struct xtcp_options o = { .present = 0 };
	struct xtcp_reply r;

	put_ts(req, &o, now);
	init_reply(req, &r);
	xtcp_send_reply(&r, XTCP_ACK, req->iss + 1, req->irs + 1,
			min_t(u32, req->rcv_wnd >> req->rcv_wscale, XTCP_MAX_WND), &o);
}

static bool may_answer(struct xtcp_request *req, u64 now)
{
	return xtcp_may_answer(req->ep.net, &req->answered_at, now);
}

static void send_challenge(struct xtcp_request *req, u64 now)
{
	if (xtcp_may_challenge(req->ep.net, &req->answered_at, now))
		send_ack(req, now);
}

/* ---- end; all with req->lock held ---- */

/* It is out of the table: the timer goes, and the table's reference. */
static void finish(struct xtcp_request *req)
{
	req->dropped = 1;
	if (xtcp_hrtimer_dequeue(&req->timer))
		xtcp_ep_put(&req->ep);	/* a callback that runs drops its own */
	xtcp_ep_put(&req->ep);
}

static bool drop_locked(struct xtcp_request *req, enum xtcp_event ev)
{
	struct xtcp_accept *a = xtcp_sk(req->listener)->accept;

	if (req->dropped || !xtcp_ep_remove(&req->ep))
		return false;
	spin_lock(&a->lock);
	list_del_init(&req->node);
	WRITE_ONCE(a->nr_requests, a->nr_requests - 1);
	spin_unlock(&a->lock);
	xtcp_event_small(&req->ep, TCP_NEW_SYN_RECV, ev);
	finish(req);
	return true;
}

bool xtcp_request_drop(struct xtcp_request *req, enum xtcp_event ev)
{
	bool dropped;

	spin_lock_bh(&req->lock);
	dropped = drop_locked(req, ev);
	spin_unlock_bh(&req->lock);
	return dropped;
}

/* ---- timeout ---- */

/* RFC 6298 2.1, or what earlier connections have measured (RFC 9040) */
static u64 first_timeout(const struct xtcp_request *req)
{
	struct xtcp_metrics known;

	if (!xtcp_metrics_get(req->ep.net, &req->ep.key.raddr, req->ep.bound_if, &known))
		return XTCP_RTO_INIT;
	if (!req->nego_ok)
		known.peer_delack = 0;
	xtcp_mib_inc(req->ep.net, XTCP_METRICS_USED);
	return xtcp_share_rto(&known, &xtcp_sk(req->listener)->tcb);
}

/* Timeouts so far; those that came before one of RFC 6298 2.1 would do not count. */
static unsigned int timeouts(const struct xtcp_request *req)
{
	unsigned int early = 0;

	while (early < req->rexmits && req->rto << early < XTCP_RTO_INIT)
		early++;
	return req->rexmits - early;
}

/* RFC 9293 3.8.3: R2 of a SYN,ACK.  With TCP_DEFER_ACCEPT one that the peer has
 * acknowledged waits for text as long as the user wants.
 */
static bool is_over(const struct xtcp_request *req)
{
	const struct xtcp_sock *xs = xtcp_sk(req->listener);
	u8 limit = READ_ONCE(xs->syn_retries) ?: READ_ONCE(ctl_of(req)->synack_retries);

	if (req->rexmits == U8_MAX)	/* early ones do not count, but must end too */
		return true;
	if (timeouts(req) < limit)
		return false;
	return !req->acked || timeouts(req) >= READ_ONCE(xs->defer_accept);
}

/* An acknowledged one is asked again only at the end of that time: the answer
 * opens the connection without text.
 */
static bool is_resend_due(const struct xtcp_request *req)
{
	u8 defer = READ_ONCE(xtcp_sk(req->listener)->defer_accept);

	return !req->acked || timeouts(req) >= defer;
}

static u64 timeout_of(const struct xtcp_request *req)
{
	u64 max = (u64)READ_ONCE(ctl_of(req)->rto_max) * NSEC_PER_MSEC;

	return min(req->rto << min_t(u8, req->rexmits, 20), max);	/* RFC 6298 5.5 */
}

/* Return: true where the timer is armed again and keeps its reference */
static bool timed_out(struct xtcp_request *req)
{
	if (req->dropped)
		return false;
	if (is_over(req)) {
		drop_locked(req, EV_TIMEOUT);
		return false;
	}
	req->rexmits++;
	if (is_resend_due(req))
		resend_syn_ack(req, "timeout", xtcp_now());
	/* under the lock, so that who ends the request finds it in the queue */
	hrtimer_start(&req->timer, ns_to_ktime(timeout_of(req)), HRTIMER_MODE_REL_PINNED_SOFT);
	return true;
}

static enum hrtimer_restart on_timer(struct hrtimer *timer)
{
	struct xtcp_request *req = container_of(timer, struct xtcp_request, timer);
	bool again;

	spin_lock(&req->lock);
	again = timed_out(req);
	spin_unlock(&req->lock);
	if (!again)
		xtcp_ep_put(&req->ep);
	return HRTIMER_NORESTART;
}

/* ---- start ---- */

/* Into the table, unless this connection is there already. */
static bool insert(struct xtcp_request *req)
{
	struct xtcp_accept *a = xtcp_sk(req->listener)->accept;
	bool ok;

	spin_lock(&a->lock);
	ok = a->open && xtcp_ep_insert_unique(&req->ep);
	if (ok) {
		refcount_inc(&req->ep.refcnt);
		list_add_tail(&req->node, &a->requests);
		WRITE_ONCE(a->nr_requests, a->nr_requests + 1);
	}
	spin_unlock(&a->lock);
	return ok;
}

enum xtcp_mib xtcp_request_start(struct xtcp_request *req)
{
	u64 now = xtcp_now();
	bool ok;

	spin_lock(&req->lock);
	ok = insert(req);
	if (ok) {
		req->dropped = 0;
		xtcp_event_small(&req->ep, TCP_LISTEN, EV_RCV_SYN);
		req->sent_at = now;
		req->rto = first_timeout(req);
		refcount_inc(&req->ep.refcnt);
		xt_hrtimer_setup(&req->timer, on_timer, CLOCK_MONOTONIC,
				 HRTIMER_MODE_REL_PINNED_SOFT);
		hrtimer_start(&req->timer, ns_to_ktime(timeout_of(req)),
			      HRTIMER_MODE_REL_PINNED_SOFT);
		xtcp_request_send_syn_ack(req, now);
	}
	spin_unlock(&req->lock);
	return ok ? XTCP_KEPT : XTCP_DROP_REQUEST;
}

/* ---- segments in: RFC 9293 3.10.7.4 for SYN-RECEIVED; req->lock held ---- */

/* The request as the core sees a connection: SND.UNA = SND.NXT lets it take
 * nothing but the ACK of our SYN.
 */
static void to_tcb(const struct xtcp_request *req, struct xtcp_tcb *tcb, u64 now)
{
	memset(tcb, 0, sizeof(*tcb));
	tcb->state = TCP_NEW_SYN_RECV;
	tcb->snd_una = req->iss + 1;
	tcb->snd_nxt = req->iss + 1;
	tcb->rcv_nxt = req->irs + 1;
	tcb->rcv_acked = tcb->rcv_nxt;
	tcb->rcv_adv = tcb->rcv_nxt + req->rcv_wnd;
	tcb->ts_ok = req->ts_ok;
	tcb->ts_us = req->ts_us;
	tcb->ts_recent = req->ts_recent;
	tcb->ts_recent_at = now;
}

/* TCP_DEFER_ACCEPT: is this ACK to be ignored, since it brings nothing? */
static bool is_deferred(const struct xtcp_request *req, const struct xtcp_segment *seg)
{
	return timeouts(req) < READ_ONCE(xtcp_sk(req->listener)->defer_accept) &&
	       seg->end_seq == req->irs + 1;
}

/* Nobody accepts: the handshake waits, or ends if the user wants it so. */
static enum xtcp_mib overflow(struct xtcp_request *req, struct sk_buff *skb,
			      const struct xtcp_segment *seg)
{
	struct sock *sk = req->listener;

	req->acked = 1;
	if (READ_ONCE(ctl_of(req)->abort_on_overflow)) {
		xtcp_reset_segment(req->ep.net, skb, &req->ep.key, seg, sk, req->ep.bound_if);
		drop_locked(req, EV_ABORT);
	}
	return XTCP_DROP_ACCEPT_QUEUE;
}

static enum xtcp_mib on_ack(struct xtcp_request *req, struct sk_buff *skb,
			    const struct xtcp_segment *seg, struct sock **child)
{
	if (is_deferred(req, seg)) {
		req->acked = 1;
		req->sent_at = 0;	/* what comes later measures the user */
		req->by_ts = 0;
		return XTCP_DROP_DEFER_ACCEPT;
	}
	if (xtcp_accept_full(req->listener))
		return overflow(req, skb, seg);
	*child = xtcp_child_create(req, skb, seg);
	if (!*child)
		return XTCP_DROP_LISTEN;
	finish(req);
	return XTCP_KEPT;
}

static enum xtcp_mib refuse(struct xtcp_request *req, struct sk_buff *skb,
			    const struct xtcp_segment *seg, enum xtcp_verdict v, u64 now)
{
	switch (v) {
	case XTCP_V_DROP_PAWS:
	case XTCP_V_DROP_SEQ:
		if (may_answer(req, now))
			send_ack(req, now);
		return v == XTCP_V_DROP_PAWS ? XTCP_DROP_PAWS : XTCP_DROP_REQUEST;
	case XTCP_V_DROP_RST:
		return XTCP_DROP_RST_SEQ;
	case XTCP_V_RESET:
		xtcp_mib_inc(req->ep.net, XTCP_ATTEMPT_FAILS);
		drop_locked(req, EV_RCV_RST);
		return XTCP_DROP_RST;
	case XTCP_V_CHALLENGE_RST:
		send_challenge(req, now);
		return XTCP_DROP_CHALLENGE_RST;
	case XTCP_V_CHALLENGE_SYN:
		send_challenge(req, now);
		return XTCP_DROP_CHALLENGE_SYN;
	case XTCP_V_DROP_NOACK:
		return XTCP_DROP_NO_ACK;
	default:	/* fifth: an ACK of something else, answered by a RST */
		xtcp_reset_segment(req->ep.net, skb, &req->ep.key, seg, req->listener,
				   req->ep.bound_if);
		return v == XTCP_V_DROP_ACK_OLD ? XTCP_DROP_OLD_ACK : XTCP_DROP_UNSENT_ACK;
	}
}

static bool is_syn_again(const struct xtcp_request *req, const struct xtcp_segment *seg)
{
	return (seg->flags & (XTCP_SYN | XTCP_ACK | XTCP_RST)) == XTCP_SYN &&
	       seg->seq == req->irs;
}

static enum xtcp_mib on_segment(struct xtcp_request *req, struct sk_buff *skb,
				const struct xtcp_segment *seg, struct sock **child)
{
	enum xtcp_verdict v;
	struct xtcp_tcb tcb;
	u64 now = xtcp_now();

	if (is_syn_again(req, seg)) {	/* our SYN,ACK was lost */
		if (may_answer(req, now))
			resend_syn_ack(req, "syn", now);
		return XTCP_KEPT;
	}
	to_tcb(req, &tcb, now);
	v = xtcp_segment_check(&tcb, seg, now);
	if (v != XTCP_V_OK)
		return refuse(req, skb, seg, v, now);
	xtcp_ts_update(&tcb, seg, now);
	req->ts_recent = tcb.ts_recent;
	return on_ack(req, skb, seg, child);
}

/* The request became a child, or nothing, while we were on the way to it. */
static void look_again(struct xtcp_request *req, struct sk_buff *skb,
		       const struct xtcp_key *key, int dif, int sdif)
{
	xtcp_ep_put(&req->ep);
	xtcp_demux(skb, key, dif, sdif);
}

void xtcp_request_rcv(struct xtcp_request *req, struct sk_buff *skb,
		      const struct xtcp_key *key, int dif, int sdif)
{
	enum xtcp_mib why = xtcp_admit(req->listener, skb);
	struct net *net = req->ep.net;
	struct sock *child = NULL;
	struct xtcp_segment seg;

	if (why == XTCP_KEPT && !xtcp_parse(skb, &seg))
		why = XTCP_DROP_OPTION;
	if (why == XTCP_KEPT) {
		spin_lock(&req->lock);
		if (req->dropped) {
			spin_unlock(&req->lock);
			look_again(req, skb, key, dif, sdif);
			return;
		}
		why = on_segment(req, skb, &seg, &child);
		spin_unlock(&req->lock);
		if (!child)
			trace_xtcp_seg_in(net, key, TCP_NEW_SYN_RECV,
					  req->dropped ? TCP_CLOSE : TCP_NEW_SYN_RECV,
					  &seg, why);
	}
	if (child)
		xtcp_child_start(child, req->listener, skb, &seg);
	else if (why == XTCP_KEPT)
		consume_skb(skb);
	else
		xtcp_drop(net, skb, why);
	xtcp_ep_put(&req->ep);
}

/* RFC 1122 4.2.3.9, RFC 5927 4.1: a hard error for our SYN,ACK */
void xtcp_request_icmp(struct xtcp_request *req, u32 seq)
{
	spin_lock(&req->lock);
	if (seq == req->iss)
		drop_locked(req, EV_ABORT);
	else
		xtcp_mib_inc(req->ep.net, XTCP_ICMP_OUT_OF_WINDOW);
	spin_unlock(&req->lock);
}

/* ---- start and end of the module ---- */

int xtcp_request_init(void)
{
	cache = kmem_cache_create("xtcp_request", sizeof(struct xtcp_request), 0,
				  SLAB_TYPESAFE_BY_RCU | SLAB_HWCACHE_ALIGN, NULL);
	return cache ? 0 : -ENOMEM;
}

void xtcp_request_exit(void)
{
	kmem_cache_destroy(cache);
}
