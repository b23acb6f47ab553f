// SPDX-License-Identifier: GPL-2.0
/*
 * TIME-WAIT (RFC 9293 3.6): a connection that has said its last ACK lives on as
 * a small entry for 2MSL (sysctl tw_timeout), answers a FIN that comes again,
 * and lets a new SYN through where RFC 6191 allows.  A namespace keeps its
 * entries by expiry, with one timer.
 *
 * The end of an entry belongs to whoever takes it out of the table
 * (xtcp_ep_remove()); everybody else finds it dead.  Entries pin nothing: they
 * go with the namespace or the module.
 */
#include "xtcp.h"
#include "trace.h"

#define EXPIRE_BATCH	256	/* entries per run of the timer */

static struct kmem_cache *cache;

/* ---- by expiry; all with tw_lock held ---- */

static void tree_insert(struct xtcp_net *xn, struct xtcp_tw *tw)
{
	struct rb_node **link = &xn->tw_tree.rb_root.rb_node, *parent = NULL;
	bool first = true, last = true;

	/* as a rule all have the same timeout, and the newest expires last */
	if (xn->tw_last && tw->expires >= xn->tw_last->expires) {
		parent = &xn->tw_last->expiry;
		link = &parent->rb_right;
		first = false;
	}
	while (*link) {
		parent = *link;
		if (tw->expires < rb_entry(parent, struct xtcp_tw, expiry)->expires) {
			link = &parent->rb_left;
			last = false;
		} else {
			link = &parent->rb_right;
			first = false;
		}
	}
	rb_link_node(&tw->expiry, parent, link);
	rb_insert_color_cached(&tw->expiry, &xn->tw_tree, first);
	if (last)
		xn->tw_last = tw;
}

static void tree_erase(struct xtcp_net *xn, struct xtcp_tw *tw)
{
	if (RB_EMPTY_NODE(&tw->expiry))
		return;
	if (xn->tw_last == tw)
		xn->tw_last = rb_entry_safe(rb_prev(&tw->expiry), struct xtcp_tw, expiry);
	rb_erase_cached(&tw->expiry, &xn->tw_tree);
	RB_CLEAR_NODE(&tw->expiry);
}

static struct xtcp_tw *tree_first(struct xtcp_net *xn)
{
	return rb_entry_safe(rb_first_cached(&xn->tw_tree), struct xtcp_tw, expiry);
}

static void arm(struct xtcp_net *xn)
{
	struct xtcp_tw *tw = tree_first(xn);

	if (!tw || (xn->tw_timer_at && xn->tw_timer_at <= tw->expires))
		return;
	xn->tw_timer_at = tw->expires;
	hrtimer_start(&xn->tw_timer, ns_to_ktime(tw->expires), HRTIMER_MODE_ABS_PINNED_SOFT);
}

/* ---- the timer ---- */

/* 2MSL from now. */
static void restart(struct xtcp_tw *tw, u64 now)
{
	struct xtcp_net *xn = xtcp_pernet(tw->ep.net);

	spin_lock_bh(&xn->tw_lock);
	if (!tw->dead) {
		tree_erase(xn, tw);
		tw->expires = now + (u64)READ_ONCE(xn->sysctl.tw_timeout) * NSEC_PER_MSEC;
		tree_insert(xn, tw);
		arm(xn);
	}
	spin_unlock_bh(&xn->tw_lock);
}

/* The entry that expires first, if it does by @until, with a reference: what is
 * in the tree has one, which goes only after the entry has left it.
 */
static struct xtcp_tw *take_first(struct xtcp_net *xn, u64 until)
{
	struct xtcp_tw *tw;

	spin_lock_bh(&xn->tw_lock);
	tw = tree_first(xn);
	if (tw && tw->expires <= until) {
		tree_erase(xn, tw);
		refcount_inc(&tw->ep.refcnt);
	} else {
		tw = NULL;
	}
	spin_unlock_bh(&xn->tw_lock);
	return tw;
}

static unsigned int kill_until(struct xtcp_net *xn, u64 until, enum xtcp_event ev,
			       unsigned int max)
{
	struct xtcp_tw *tw;
	unsigned int n;

	for (n = 0; n < max; n++) {
		tw = take_first(xn, until);
		if (!tw)
			break;
		xtcp_tw_kill(tw, ev);
		xtcp_ep_put(&tw->ep);
	}
	return n;
}

static enum hrtimer_restart on_timer(struct hrtimer *timer)
{
	struct xtcp_net *xn = container_of(timer, struct xtcp_net, tw_timer);

	kill_until(xn, xtcp_now(), EV_TIMEOUT, EXPIRE_BATCH);
	spin_lock_bh(&xn->tw_lock);
	xn->tw_timer_at = 0;
	arm(xn);
	spin_unlock_bh(&xn->tw_lock);
	return HRTIMER_NORESTART;
}

/* ---- start ---- */

static struct xtcp_tw *tw_alloc(struct xtcp_net *xn)
{
	struct xtcp_tw *tw = NULL;

	if (atomic_inc_return(&xn->tw_count) <= READ_ONCE(xn->sysctl.max_tw_buckets))
		tw = kmem_cache_alloc(cache, GFP_ATOMIC | __GFP_NOWARN);
	if (!tw) {
		atomic_dec(&xn->tw_count);
		xtcp_mib_inc(xn->net, XTCP_TW_OVERFLOW);
	}
	return tw;
}

void xtcp_tw_free(struct xtcp_tw *tw)
{
	atomic_dec(&xtcp_pernet(tw->ep.net)->tw_count);
	kmem_cache_free(cache, tw);
}

static void take_socket(struct xtcp_tw *tw, const struct sock *sk)
{
	const struct xtcp_sock *xs = xtcp_sk(sk);

	tw->ep.key = xs->ep.key;
	tw->ep.net = sock_net(sk);
	tw->ep.bound_if = sk->sk_bound_dev_if;
	tw->ep.kind = XTCP_EP_TW;
	tw->ep.node.pprev = NULL;	/* next is for those still on their way */
	tw->mark = sk->sk_mark;
	tw->txhash = sk->sk_txhash;
	tw->tos = inet_sk(sk)->tos;
	tw->flowlabel = 0;
	tw->reuse = !!sk->sk_reuse;
	tw->reuseport = sk->sk_reuseport;
	tw->v6 = sk->sk_family == AF_INET6;
	if (tw->v6 && !xtcp_key_is_v4(&xs->ep.key)) {
		tw->tos = inet6_sk(sk)->tclass;
		tw->flowlabel = (__force u32)inet6_sk(sk)->flow_label;
	}
}

static void take_tcb(struct xtcp_tw *tw, const struct xtcp_tcb *tcb)
{
	tw->snd_nxt = tcb->snd_nxt;
	tw->rcv_nxt = tcb->rcv_nxt;
	tw->rcv_wnd = after(tcb->rcv_adv, tcb->rcv_nxt) ? tcb->rcv_adv - tcb->rcv_nxt : 0;
	tw->rcv_wscale = tcb->rcv_wscale;
	tw->ts_ok = tcb->ts_ok;
	tw->ts_us = tcb->ts_us;
	tw->ts_offset = tcb->ts_offset;
	tw->ts_recent = tcb->ts_recent;
	tw->ts_recent_at = tcb->ts_recent_at;
}

bool xtcp_tw_start(struct sock *sk)
{
	struct xtcp_net *xn = xtcp_sknet(sk);
	struct xtcp_sock *xs = xtcp_sk(sk);
	struct xtcp_tw *tw = tw_alloc(xn);

	if (!tw)
		return false;
	take_socket(tw, sk);
	take_tcb(tw, &xs->tcb);
	tw->bucket = NULL;
	tw->answered_at = 0;
	tw->dead = 0;
	tw->expires = 0;
	RB_CLEAR_NODE(&tw->expiry);
	smp_wmb();	/* a lookup may have its pointer from an earlier life */
	refcount_set(&tw->ep.refcnt, 2);	/* the table's, and ours */
	xtcp_bind_tw(sk, tw);
	if (!xtcp_ep_replace(&xs->ep, &tw->ep)) {
		xtcp_unbind_tw(tw);
		xtcp_ep_put(&tw->ep);
		xtcp_ep_put(&tw->ep);
		return false;
	}
	xtcp_mib_inc(xn->net, XTCP_TW);
	restart(tw, xtcp_now());
	xtcp_ep_put(&tw->ep);
	return true;
}

/* ---- end ---- */

void xtcp_tw_retire(struct xtcp_tw *tw, enum xtcp_event ev)
{
	struct xtcp_net *xn = xtcp_pernet(tw->ep.net);

	spin_lock_bh(&xn->tw_lock);
	tw->dead = 1;
	tree_erase(xn, tw);
	spin_unlock_bh(&xn->tw_lock);
	xtcp_unbind_tw(tw);
	xtcp_event_small(&tw->ep, TCP_TIME_WAIT, ev);
	xtcp_ep_put(&tw->ep);
}

bool xtcp_tw_kill(struct xtcp_tw *tw, enum xtcp_event ev)
{
	if (!xtcp_ep_remove(&tw->ep))
		return false;
	xtcp_tw_retire(tw, ev);
	return true;
}

/* ---- connect() over an old connection ---- */

static bool offers_us(const struct sock *sk)
{
	return xtcp_negotiates(sk) && READ_ONCE(xtcp_sknet(sk)->sysctl.timestamps);
}

/* Timestamps tell the peer which connection a segment is of, if the clock has
 * moved on since the last one (RFC 6191 2, RFC 7323 appendix B.2).  A user who
 * bound the port wants just this one; for others sysctl tw_reuse says whether an
 * entry may give way that was idle for a second.  If the clock's unit changes, a peer that
 * knows it goes by the sequence number.
 */
bool xtcp_tw_reusable(const struct xtcp_tw *tw, const struct sock *sk)
{
	u64 idle = xtcp_now() - READ_ONCE(tw->ts_recent_at);

	if (!tw->ts_ok)
		return false;
	if (tw->ts_us != offers_us(sk) &&
	    !after(xtcp_isn(&tw->ep.key, xtcp_now()), tw->snd_nxt))
		return false;
	if (sk->sk_userlocks & SOCK_BINDPORT_LOCK)
		return idle > 2 * NSEC_PER_MSEC;
	return READ_ONCE(xtcp_sknet(sk)->sysctl.reuse_tw) && idle >= NSEC_PER_SEC;
}

/* ---- segments: RFC 9293 3.10.7.4 ---- */

static void send_ack(struct xtcp_tw *tw, u64 now)
{
	struct xtcp_reply r = {
		.net = tw->ep.net,
		.key = &tw->ep.key,
		.state = TCP_TIME_WAIT,
		.oif = tw->ep.bound_if,
		.mark = tw->mark,
		.txhash = tw->txhash,
		.tos = tw->tos,
		.flowlabel = tw->flowlabel,
	};
	struct xtcp_options o = { .present = 0 };
	u32 wnd = min_t(u32, tw->rcv_wnd >> tw->rcv_wscale, XTCP_MAX_WND);

	if (tw->ts_ok) {
		o.present = XTCP_HAS_TS;
		o.tsval = xtcp_ts_ticks(now, tw->ts_us) + tw->ts_offset;
		o.tsecr = READ_ONCE(tw->ts_recent);
	}
	xtcp_send_reply(&r, XTCP_ACK, tw->snd_nxt, tw->rcv_nxt, wnd, &o);
}

static void send_ack_rarely(struct xtcp_tw *tw, const struct xtcp_segment *seg, u64 now)
{
	if (seg->len || xtcp_may_answer(tw->ep.net, &tw->answered_at, now))
		send_ack(tw, now);
}

static void send_challenge(struct xtcp_tw *tw, u64 now)
{
	if (xtcp_may_challenge(tw->ep.net, &tw->answered_at, now))
		send_ack(tw, now);
}

/* The entry as the core sees a connection. */
static void to_tcb(const struct xtcp_tw *tw, struct xtcp_tcb *tcb)
{
	memset(tcb, 0, sizeof(*tcb));
	tcb->state = TCP_TIME_WAIT;
	tcb->snd_una = tw->snd_nxt;
	tcb->snd_nxt = tw->snd_nxt;
	tcb->max_snd_wnd = XTCP_MAX_WND;
	tcb->rcv_nxt = tw->rcv_nxt;
	tcb->rcv_acked = tw->rcv_nxt;
	tcb->rcv_adv = tw->rcv_nxt + tw->rcv_wnd;
	tcb->ts_ok = tw->ts_ok;
	tcb->ts_us = tw->ts_us;
	tcb->ts_recent = READ_ONCE(tw->ts_recent);
	tcb->ts_recent_at = READ_ONCE(tw->ts_recent_at);
}

/* RFC 1337 3 (F1): a RST must not cut TIME-WAIT short, unless sysctl rfc1337 is 0. */
static enum xtcp_mib on_rst(struct xtcp_tw *tw)
{
	if (READ_ONCE(xtcp_pernet(tw->ep.net)->sysctl.rfc1337))
		return XTCP_DROP_TIMEWAIT_RST;
	xtcp_tw_kill(tw, EV_RCV_RST);
	return XTCP_DROP_RST;
}

/* RFC 9293 3.10.7.4, fifth and eighth: the peer did not get our ACK of its FIN. */
static bool is_fin_again(const struct xtcp_tw *tw, const struct xtcp_segment *seg)
{
	return (seg->flags & (XTCP_FIN | XTCP_SYN | XTCP_RST)) == XTCP_FIN &&
	       seg->end_seq == tw->rcv_nxt;
}

static enum xtcp_mib on_segment(struct xtcp_tw *tw, const struct xtcp_segment *seg, u64 now)
{
	enum xtcp_verdict v;
	struct xtcp_tcb tcb;

	to_tcb(tw, &tcb);
	v = xtcp_segment_check(&tcb, seg, now);
	switch (v) {
	case XTCP_V_DROP_PAWS:
		send_ack_rarely(tw, seg, now);
		return XTCP_DROP_PAWS;
	case XTCP_V_DROP_SEQ:
		if (!is_fin_again(tw, seg)) {
			send_ack_rarely(tw, seg, now);
			return XTCP_DROP_TIMEWAIT;
		}
		restart(tw, now);
		send_ack(tw, now);
		return XTCP_KEPT;
	case XTCP_V_RESET:
		return on_rst(tw);
	case XTCP_V_DROP_RST:
	case XTCP_V_CHALLENGE_RST:
		return XTCP_DROP_TIMEWAIT_RST;
	case XTCP_V_CHALLENGE_SYN:
		send_challenge(tw, now);
		return XTCP_DROP_CHALLENGE_SYN;
	case XTCP_V_DROP_NOACK:
		return XTCP_DROP_NO_ACK;
	default:
		break;
	}
	xtcp_ts_update(&tcb, seg, now);
	WRITE_ONCE(tw->ts_recent, tcb.ts_recent);
	WRITE_ONCE(tw->ts_recent_at, tcb.ts_recent_at);
	if (v == XTCP_V_OK)	/* seventh: text cannot be meant for us any more */
		return seg->len ? XTCP_DROP_TIMEWAIT : XTCP_KEPT;
	send_ack_rarely(tw, seg, now);
	return XTCP_DROP_TIMEWAIT;
}

/* RFC 6191 2: a timestamp greater than the last, or else a sequence number
 * beyond the last, shows a new connection.  Timestamps of two units can't be compared.
 * In the second case RFC 9293 3.6.1
 * wants our new ISN beyond our old numbers as well.
 */
static bool opens_anew(const struct xtcp_tw *tw, const struct xtcp_segment *seg, u64 now)
{
	bool us = seg->opt.present & XTCP_HAS_NEGO && seg->opt.ts_unit == XTCP_UNIT_US;
	bool stamps = tw->ts_ok && seg->opt.present & XTCP_HAS_TS && us == tw->ts_us;
	u32 recent = READ_ONCE(tw->ts_recent);

	if ((seg->flags & (XTCP_SYN | XTCP_ACK | XTCP_RST)) != XTCP_SYN)
		return false;
	if (stamps && seg->opt.tsval != recent)
		return after(seg->opt.tsval, recent);
	return after(seg->seq, tw->rcv_nxt) &&
	       after(xtcp_isn(&tw->ep.key, now), tw->snd_nxt);
}

/* Is there a listener?  Then the entry goes, and the SYN to that. */
static bool to_listener(struct xtcp_tw *tw, struct sk_buff *skb, const struct xtcp_key *key,
			int dif, int sdif)
{
	struct sock *sk = xtcp_lookup_listener(tw->ep.net, key, dif, sdif, skb);

	if (!sk)
		return false;
	sock_put(sk);
	xtcp_tw_kill(tw, EV_RCV_SYN);
	xtcp_ep_put(&tw->ep);
	xtcp_demux(skb, key, dif, sdif);
	return true;
}

void xtcp_tw_rcv(struct xtcp_tw *tw, struct sk_buff *skb, const struct xtcp_key *key,
		 int dif, int sdif)
{
	enum xtcp_mib why = xtcp_admit(NULL, skb);
	struct net *net = tw->ep.net;
	struct xtcp_segment seg;
	u64 now = xtcp_now();

	if (why == XTCP_KEPT && !xtcp_parse(skb, &seg))
		why = XTCP_DROP_OPTION;
	if (why == XTCP_KEPT) {
		if (opens_anew(tw, &seg, now) && to_listener(tw, skb, key, dif, sdif))
			return;
		why = on_segment(tw, &seg, now);
		trace_xtcp_seg_in(net, key, TCP_TIME_WAIT,
				  READ_ONCE(tw->dead) ? TCP_CLOSE : TCP_TIME_WAIT, &seg, why);
	}
	xtcp_ep_put(&tw->ep);
	if (why == XTCP_KEPT)
		consume_skb(skb);
	else
		xtcp_drop(net, skb, why);
}

/* ---- start and end of namespace and module ---- */

int xtcp_tw_net_init(struct net *net)
{
	struct xtcp_net *xn = xtcp_pernet(net);

	spin_lock_init(&xn->tw_lock);
	xn->tw_tree = RB_ROOT_CACHED;
	xn->tw_last = NULL;
	xn->tw_timer_at = 0;
	atomic_set(&xn->tw_count, 0);
	xt_hrtimer_setup(&xn->tw_timer, on_timer, CLOCK_MONOTONIC,
			 HRTIMER_MODE_ABS_PINNED_SOFT);
	return 0;
}

/* No socket and no segment of the namespace is left to make another entry. */
void xtcp_tw_net_exit(struct net *net)
{
	struct xtcp_net *xn = xtcp_pernet(net);

	while (kill_until(xn, U64_MAX, EV_ABORT, EXPIRE_BATCH))
		cond_resched();
	hrtimer_cancel(&xn->tw_timer);
}

int xtcp_tw_init(void)
{
	BUILD_BUG_ON(sizeof(struct xtcp_tw) > 192);
	cache = kmem_cache_create("xtcp_tw", sizeof(struct xtcp_tw), 0,
				  SLAB_TYPESAFE_BY_RCU | SLAB_HWCACHE_ALIGN, NULL);
	return cache ? 0 : -ENOMEM;
}

void xtcp_tw_exit(void)
{
	kmem_cache_destroy(cache);
}
