// SPDX-License-Identifier: GPL-2.0
/*
 * Everything that leaves.  xtcp_flush() is the one exit of a live connection:
 * it sends what the core's xtcp_tx_next() wants, then wakes sleepers and arms the
 * timer.  Segments are built fresh from the send queue, as GSO super-packets
 * where they are longer than the MSS; a retransmission is no different.
 */
#include "xtcp.h"
#include "trace.h"

#define COPYBREAK	256	/* text up to this is copied behind the header */
#define COPY_AT_MOST	3072	/* more would need several contiguous pages */

/* ---- header ---- */

struct header {
	u8 flags;
	u32 seq;
	u32 ack;
	u16 wnd;		/* as on the wire */
	u16 up;
	const struct xtcp_options *opt;
	unsigned int optlen;
};

static void put_header(struct sk_buff *skb, __be16 sport, __be16 dport,
		       const struct header *h)
{
	struct tcphdr *th = skb_push(skb, sizeof(*th) + h->optlen);

	skb_reset_transport_header(skb);
	th->source = sport;
	th->dest = dport;
	th->seq = htonl(h->seq);
	th->ack_seq = htonl(h->ack);
	((u8 *)th)[12] = (sizeof(*th) + h->optlen) << 2;
	((u8 *)th)[13] = h->flags;
	th->window = htons(h->wnd);
	th->check = 0;
	th->urg_ptr = htons(h->up);
	if (h->optlen)
		xtcp_options_write((u8 *)(th + 1), h->opt);
}

/* RFC 6093 2.2: the pointer names the byte behind the urgent one, with sysctl
 * stdurg the urgent one itself (RFC 9293 3.8.5, MUST-62).
 */
static u16 urgent_pointer(const struct sock *sk, u32 seq, u8 *flags)
{
	const struct xtcp_tcb *tcb = &xtcp_sk(sk)->tcb;
	u32 up = tcb->snd_up - seq - !!READ_ONCE(xtcp_sknet(sk)->sysctl.stdurg);

	if (!tcb->urg_out || !after(tcb->snd_up, seq))
		return 0;
	*flags |= XTCP_URG;
	return min_t(u32, up, 0xffff);
}

/* RFC 7323 2.2: the window of a segment with SYN is never scaled. */
static u16 wire_window(const struct xtcp_tcb *tcb, u8 flags, u32 wnd)
{
	if (!(flags & XTCP_SYN))
		wnd >>= tcb->rcv_wscale;
	return min_t(u32, wnd, XTCP_MAX_WND);
}

/* ---- text ---- */

/* The part of [seq, end_seq) that is text: SYN and FIN are not. */
static void text_range(const struct xtcp_tcb *tcb, const struct xtcp_tx *what,
		       u32 *seq, u32 *end_seq)
{
	*seq = what->seq;
	*end_seq = what->end_seq;
	if (what->flags & XTCP_SYN)
		(*seq)++;
	if (what->flags & XTCP_FIN)
		(*end_seq)--;
}

static struct sk_buff *alloc_segment(u32 linear)
{
	struct sk_buff *skb = alloc_skb(XTCP_MAX_HEADER + linear, GFP_ATOMIC | __GFP_NOWARN);

	if (skb)
		skb_reserve(skb, XTCP_MAX_HEADER);
	return skb;
}

static struct sk_buff *alloc_text(struct sock *sk, u32 seq, u32 end_seq)
{
	u32 len = end_seq - seq;
	bool copy = len <= COPYBREAK ||
		    xtcp_sndbuf_reach(sk, seq, end_seq) != end_seq;
	struct sk_buff *skb = alloc_segment(copy ? len : 0);

	if (!skb || !len)
		return skb;
	if (copy)
		xtcp_sndbuf_copy(sk, skb_put(skb, len), seq, end_seq);
	else
		xtcp_sndbuf_fill(sk, skb, seq, end_seq);
	return skb;
}

/* One skb holds a limited number of frags: a longer answer is sent in parts, of
 * whole segments if they reach that far.  Short ones can be copied instead.
 */
static void fit_to_frags(struct sock *sk, struct xtcp_tx *what)
{
	const struct xtcp_tcb *tcb = &xtcp_sk(sk)->tcb;
	u32 seq, end_seq, reach;

	text_range(tcb, what, &seq, &end_seq);
	if (end_seq - seq <= COPY_AT_MOST)
		return;
	reach = xtcp_sndbuf_reach(sk, seq, end_seq) - seq;
	if (reach == end_seq - seq)
		return;
	if (reach > tcb->snd_mss)
		reach = rounddown(reach, tcb->snd_mss);
	what->end_seq = what->seq + max_t(u32, reach, min_t(u32, tcb->snd_mss, COPY_AT_MOST));
	what->flags &= ~(XTCP_FIN | XTCP_PSH);
}

/* ---- checksum and hand-over ---- */

/* The sum is left to a device only if that device sums any protocol; the core
 * would pass csum_offset 16 to an engine that knows TCP by its number alone.
 * Super-packets are summed segment by segment in offload.c.
 */
static bool checksum(const struct sock *sk, struct sk_buff *skb)
{
	struct tcphdr *th = tcp_hdr(skb);

	th->check = xtcp_sk(sk)->af_ops->pseudo(sk, skb->len);
	skb->ip_summed = CHECKSUM_PARTIAL;
	skb->csum_start = skb_transport_header(skb) - skb->head;
	skb->csum_offset = offsetof(struct tcphdr, check);
	if (!(sk->sk_route_caps & NETIF_F_HW_CSUM) && !skb_is_gso(skb))
		return !skb_checksum_help(skb);
	return true;
}

static void transmit(struct sock *sk, struct sk_buff *skb, const struct xtcp_tx *what,
		     u32 len, u16 mss)
{
	struct xtcp_sock *xs = xtcp_sk(sk);
	u32 segs = 1;

	if (len > mss) {
		xtcp_gso_setup(sk, skb, len, mss);
		segs = skb_shinfo(skb)->gso_segs;
		xtcp_sk_mib_inc(sk, XTCP_OUT_SUPER);
	}
	xtcp_sk_mib_add(sk, XTCP_OUT_SEGS, segs);
	skb_set_owner_w(skb, sk);
	skb_set_hash_from_sk(skb, sk);
	skb->priority = READ_ONCE(sk->sk_priority);
	if (xs->tcb.pace_fq)
		xt_set_delivery_time(skb, what->at);
	/* a new route first, with what its device can do, or IP would look for one
	 * behind our back and take HW_CSUM for granted (xtcp_setup_caps())
	 */
	xs->af_ops->route(sk);
	if (checksum(sk, skb))
		xs->af_ops->xmit(sk, skb, xtcp_ecn_codepoint(&xs->tcb, what));
	else
		kfree_skb(skb);		/* no memory: as if lost */
}

/* Header, options, window; then out.  @skb holds the text. */
static void send_segment(struct sock *sk, struct sk_buff *skb,
			 const struct xtcp_tx *what, u64 now)
{
	struct xtcp_sock *xs = xtcp_sk(sk);
	struct xtcp_tcb *tcb = &xs->tcb;
	u32 len = skb->len, wnd = tcb->rcv_wnd;
	struct xtcp_options opt;
	struct header h = { .flags = what->flags | xtcp_ecn_flags(tcb, what),
			    .seq = what->seq, .opt = &opt };
	u16 mss = tcb->snd_mss;

	if (h.flags & XTCP_ACK)
		h.ack = tcb->rcv_nxt;
	if (!(h.flags & XTCP_SYN)) {
		xtcp_rcvbuf_space(sk);
		wnd = xtcp_rx_window(tcb);
		h.up = urgent_pointer(sk, h.seq, &h.flags);
	}
	h.wnd = wire_window(tcb, h.flags, wnd);
	xtcp_tx_options(tcb, h.flags, xs->mss_cache, now, &opt);
	h.optlen = xtcp_options_len(&opt);
	/* SND.MSS allows for timestamps only; SACK blocks shorten the text */
	mss -= h.optlen - (tcb->ts_ok ? XTCP_OLEN_TS_PADDED : 0);
	if (h.flags & XTCP_SYN)
		mss = max_t(u16, mss, len);
	put_header(skb, xs->inet.inet_sport, xs->inet.inet_dport, &h);
	if (h.flags & XTCP_ACK)
		xtcp_rx_sent_ack(tcb, wnd);
	trace_xtcp_seg_out(sock_net(sk), &xs->ep.key, sk->sk_state, h.flags, h.seq,
			   h.ack, len, h.wnd);
	transmit(sk, skb, what, len, mss);
}

static const char *why_again(const struct xtcp_tcb *tcb, const struct xtcp_tx *what)
{
	if (what->flags & XTCP_SYN)
		return "syn";
	if (what->kind == XTCP_TX_TLP)
		return "probe";
	if (tcb->recovery == XTCP_RECOVERY)
		return "fast";
	return "timeout";
}

static void count_rexmit(struct sock *sk, const struct xtcp_tx *what)
{
	struct xtcp_sock *xs = xtcp_sk(sk);
	u32 segs = DIV_ROUND_UP(what->end_seq - what->seq, xs->tcb.snd_mss);

	trace_xtcp_retransmit(&xs->ep, what->seq, what->end_seq, why_again(&xs->tcb, what));
	xtcp_sk_mib_add(sk, XTCP_RETRANS_SEGS, segs);
	if (xs->tcb.recovery == XTCP_RECOVERY)
		xtcp_sk_mib_add(sk, XTCP_FAST_RETRANS, segs);
}

/* Without memory for a segment: try again when there may be some. */
static void retry_later(struct sock *sk, u64 now)
{
	struct xtcp_tcb *tcb = &xtcp_sk(sk)->tcb;
	u64 *at = &tcb->deadline[tcb->snd_una == tcb->snd_nxt ? XTCP_T_PERSIST : XTCP_T_REXMT];

	if (!*at)
		*at = now + xtcp_rto(tcb);
}

/* Text that follows soon on a segment received is its answer: the next ACKs can
 * wait for one to travel on.
 */
static void note_answer(struct xtcp_tcb *tcb, u64 now)
{
	if (!tcb->pingpong && now - tcb->rcv_at < xtcp_delack(tcb))
		tcb->pingpong = 1;
}

static bool send_one(struct sock *sk, struct xtcp_tx *what, u64 now)
{
	struct xtcp_tcb *tcb = &xtcp_sk(sk)->tcb;
	struct sk_buff *skb;
	u32 seq, end_seq;

	fit_to_frags(sk, what);
	text_range(tcb, what, &seq, &end_seq);
	skb = alloc_text(sk, seq, end_seq);
	if (unlikely(!skb))
		goto no_mem;
	if (what->kind == XTCP_TX_REXMIT || what->kind == XTCP_TX_TLP)
		count_rexmit(sk, what);
	if (unlikely(xtcp_tx_prepare(tcb, what, now))) {
		kfree_skb(skb);
		goto no_mem;
	}
	if (seq != end_seq) {
		note_answer(tcb, now);
		if (unlikely(xtcp_sk(sk)->notsent_lowat))
			tcb->todo |= XTCP_WAKE_WRITER;
	}
	send_segment(sk, skb, what, now);
	return true;
no_mem:
	retry_later(sk, now);
	return false;
}

/* What the core has noticed since the last time */
static void count_notes(struct sock *sk)
{
	static const struct {
		u16 note, mib;
	} v[] = {
		{ XTCP_N_DSACK, XTCP_DSACK_RECV },
		{ XTCP_N_REORDERED, XTCP_SACK_REORDER },
		{ XTCP_N_RECOVERY, XTCP_SACK_RECOVERY },
		{ XTCP_N_REO, XTCP_REO_LOSSES },
		{ XTCP_N_LOST_REXMIT, XTCP_LOST_RETRANSMIT },
		{ XTCP_N_TLP_REPAIRED, XTCP_LOSS_PROBE_RECOVERY },
		{ XTCP_N_RENEGED, XTCP_SACK_RENEGING },
		{ XTCP_N_BAD_SACK, XTCP_SACK_INVALID },
		{ XTCP_N_UNDO_EIFEL, XTCP_UNDO_EIFEL },
		{ XTCP_N_UNDO_FRTO, XTCP_UNDO_FRTO },
		{ XTCP_N_UNDO_DSACK, XTCP_UNDO_DSACK },
		{ XTCP_N_UNDO_EARLY, XTCP_UNDO_EARLY },
		{ XTCP_N_SPURIOUS_RTO, XTCP_SPURIOUS_RTOS },
	};
	struct xtcp_tcb *tcb = &xtcp_sk(sk)->tcb;
	int i;

	for (i = 0; i < ARRAY_SIZE(v); i++)
		if (tcb->notes & v[i].note)
			xtcp_sk_mib_inc(sk, v[i].mib);
	tcb->notes = 0;
}

static void wake(struct sock *sk)
{
	struct xtcp_tcb *tcb = &xtcp_sk(sk)->tcb;
	u8 todo = tcb->todo;

	tcb->todo &= ~(XTCP_WAKE_READER | XTCP_WAKE_WRITER);
	if (sock_flag(sk, SOCK_DEAD))
		return;
	/* paired with poll.c: room was made before the flag is looked at */
	smp_mb();
	if (todo & XTCP_WAKE_READER && xtcp_rcvbuf_target_reached(sk))
		sk->sk_data_ready(sk);
	if (todo & XTCP_WAKE_WRITER && sk->sk_socket &&
	    test_bit(SOCK_NOSPACE, &sk->sk_socket->flags))
		sk->sk_write_space(sk);
}

static bool user_waits(const struct sock *sk)
{
	return sk->sk_socket && test_bit(SOCK_NOSPACE, &sk->sk_socket->flags);
}

/* ---- pacing ---- */

/* Who wants it: the controller, the user (SO_MAX_PACING_RATE), or the qdisc fq, which
 * says so in sk_pacing_status when it meets the socket.
 */
static void follow_pacing(struct sock *sk)
{
	struct xtcp_tcb *tcb = &xtcp_sk(sk)->tcb;
	unsigned long most = READ_ONCE(sk->sk_max_pacing_rate);
	bool fq;

	/* paired with fq_classify() */
	fq = smp_load_acquire(&sk->sk_pacing_status) == SK_PACING_FQ;
	if (!fq && most == ~0UL && !(tcb->cc->flags & XTCP_CC_PACE)) {
		if (!tcb->pacing)
			return;
		xtcp_pace_off(tcb);
	} else if (!tcb->pacing || tcb->pace_fq != fq ||
		   tcb->pacing_max != (most == ~0UL ? 0 : max(most, 1UL))) {
		xtcp_pace_set(tcb, most == ~0UL ? 0 : max(most, 1UL), fq);
	}
	WRITE_ONCE(sk->sk_pacing_rate, min_t(u64, tcb->pacing_rate ?: ~0UL, ~0UL));
}

static void send_all(struct sock *sk, u64 now)
{
	struct xtcp_tcb *tcb = &xtcp_sk(sk)->tcb;
	struct xtcp_tx what;

	follow_pacing(sk);
	while (xtcp_tx_want(tcb, now, &what) && send_one(sk, &what, now))
		;
}

void xtcp_flush(struct sock *sk, u64 now)
{
	struct xtcp_tcb *tcb = &xtcp_sk(sk)->tcb;

	if (sk->sk_state == TCP_CLOSE || sk->sk_state == TCP_LISTEN)
		return;
	if (!xtcp_tx_idle(tcb) || tcb->cwnd_limited)
		send_all(sk, now);
	if (tcb->todo & XTCP_SAVE_METRICS) {
		tcb->todo &= ~XTCP_SAVE_METRICS;
		xtcp_metrics_raise_floor(sk);
	}
	xtcp_stats_flushed(tcb, user_waits(sk), now);
	if (tcb->todo & (XTCP_WAKE_READER | XTCP_WAKE_WRITER))
		wake(sk);
	if (unlikely(tcb->notes))
		count_notes(sk);
	xtcp_timer_arm(sk);
}

/* ---- segments with nothing behind them ---- */

/* Return: false without memory for it */
static bool send_bare(struct sock *sk, u8 flags, u32 seq, u64 now)
{
	struct xtcp_tx what = { .kind = XTCP_TX_ACK, .flags = flags,
				.seq = seq, .end_seq = seq, .at = now };
	struct sk_buff *skb = alloc_segment(0);

	if (!skb)
		return false;
	xtcp_sk(sk)->tcb.segs_out++;
	send_segment(sk, skb, &what, now);
	return true;
}

void xtcp_send_ack(struct sock *sk, u64 now)
{
	struct xtcp_tcb *tcb = &xtcp_sk(sk)->tcb;

	tcb->todo &= ~XTCP_ACK_NOW;
	send_bare(sk, XTCP_ACK, tcb->snd_nxt, now);
}

void xtcp_send_keepalive(struct sock *sk, u64 now)
{
	send_bare(sk, XTCP_ACK, xtcp_sk(sk)->tcb.snd_una - 1, now);
}

void xtcp_send_reset(struct sock *sk)
{
	struct xtcp_tcb *tcb = &xtcp_sk(sk)->tcb;

	xtcp_sk_mib_inc(sk, XTCP_OUT_RSTS);
	if (!send_bare(sk, XTCP_RST | XTCP_ACK, tcb->snd_nxt, xtcp_now()))
		xtcp_sk_mib_inc(sk, XTCP_ABORT_FAILED);
}

/* ---- segments without a socket ---- */

void xtcp_send_reply(const struct xtcp_reply *r, u8 flags, u32 seq, u32 ack,
		     u32 wnd, const struct xtcp_options *o)
{
	struct header h = { .flags = flags, .seq = seq, .ack = ack, .wnd = wnd, .opt = o };
	struct sk_buff *skb = alloc_segment(0);

	if (!skb)
		return;
	if (o)
		h.optlen = xtcp_options_len(o);
	put_header(skb, r->key->lport, r->key->rport, &h);
	skb->mark = r->mark;
	if (r->txhash)
		skb_set_hash(skb, r->txhash, PKT_HASH_TYPE_L4);
	trace_xtcp_seg_out(r->net, r->key, r->state, flags, seq, ack, 0, wnd);
	xtcp_mib_inc(r->net, XTCP_OUT_SEGS);
	if (flags & XTCP_RST)
		xtcp_mib_inc(r->net, XTCP_OUT_RSTS);
	if (xtcp_key_is_v4(r->key))
		xtcp_v4_reply(r, skb);
	else
		xtcp_v6_reply(r, skb);
}

/* RFC 9293 3.10.7.1: a RST is never answered; with an ACK the answer takes its
 * number from there, without one it acknowledges what came.
 */
void xtcp_reset_segment(struct net *net, const struct sk_buff *skb,
			const struct xtcp_key *key, const struct xtcp_segment *seg,
			const struct sock *sk, int oif)
{
	struct xtcp_reply r = { .net = net, .key = key, .sk = sk, .oif = oif,
				.state = TCP_CLOSE };

	if (seg->flags & XTCP_RST)
		return;
	if (READ_ONCE(net->ipv4.sysctl_fwmark_reflect))
		r.mark = skb->mark;
	if (seg->flags & XTCP_ACK)
		xtcp_send_reply(&r, XTCP_RST, seg->ack, 0, 0, NULL);
	else
		xtcp_send_reply(&r, XTCP_RST | XTCP_ACK, 0, seg->end_seq, 0, NULL);
}

/* ---- MSS and window ---- */

static u16 payload_of(const struct xtcp_af_ops *ops, u32 pmtu, u16 ip_opts)
{
	u32 overhead = ops->net_hdr_len + ip_opts + sizeof(struct tcphdr);

	return pmtu > overhead ? min_t(u32, pmtu - overhead, U16_MAX) : 0;
}

/* RFC 9293 3.7.1: what the path carries, what the peer takes, what the user
 * allows; the timestamp option comes off, as it is on every segment.
 */
void xtcp_sync_mss(struct sock *sk, u32 pmtu)
{
	struct xtcp_sock *xs = xtcp_sk(sk);
	struct xtcp_tcb *tcb = &xs->tcb;
	u32 mss = payload_of(xs->af_ops, pmtu, xs->af_ops->opt_len(sk));
	u32 room = IP_MAX_MTU - XTCP_MAX_HEADER;

	xs->pmtu = pmtu;
	xs->mss_cache = xtcp_advertised_mss(xs->af_ops, __sk_dst_get(sk), xs->user_mss);
	if (sk->sk_state != TCP_CLOSE && sk->sk_state != TCP_SYN_SENT)
		mss = min_t(u32, mss, tcb->peer_mss ?: xs->af_ops->default_mss);
	if (xs->user_mss)
		mss = min_t(u32, mss, xs->user_mss);
	mss = max_t(u32, mss, READ_ONCE(xtcp_sknet(sk)->sysctl.min_snd_mss));
	if (tcb->ts_ok)
		mss -= XTCP_OLEN_TS_PADDED;
	tcb->snd_mss = mss;
	tcb->gso_max = max(rounddown(room, mss), mss);
}

/* The route may have got a longer MTU, by a new path or by age (RFC 1191 6.3). */
void xtcp_follow_pmtu(struct sock *sk)
{
	const struct dst_entry *dst = __sk_dst_get(sk);

	if (dst && dst_mtu(dst) != xtcp_sk(sk)->pmtu)
		xtcp_sync_mss(sk, dst_mtu(dst));
}

u16 xtcp_advertised_mss(const struct xtcp_af_ops *ops, const struct dst_entry *dst,
			u16 user_mss)
{
	u16 mss = ops->default_mss;

	if (dst)
		mss = min_t(u32, dst_metric_advmss(dst), U16_MAX);
	return user_mss ? min(mss, user_mss) : mss;
}

/* The scale must cover the largest buffer that this socket may ever get, since
 * RFC 7323 2.2 fixes it with the SYN.
 */
u32 xtcp_initial_window(const struct sock *sk, u16 mss, bool scaling, u8 *wscale)
{
	u32 space = READ_ONCE(sk->sk_rcvbuf) / 2;
	u32 most = space;

	*wscale = 0;
	if (scaling) {
		if (!(sk->sk_userlocks & SOCK_RCVBUF_LOCK))
			most = max_t(u32, most, READ_ONCE(xtcp_sknet(sk)->sysctl.rmem[2]));
		if (xtcp_sk(sk)->window_clamp)
			most = min(most, xtcp_sk(sk)->window_clamp);
		while (most > XTCP_MAX_WND && *wscale < XTCP_MAX_WSCALE) {
			most >>= 1;
			(*wscale)++;
		}
	}
	if (xtcp_sk(sk)->window_clamp)
		space = min(space, xtcp_sk(sk)->window_clamp);
	if (space > mss)
		space = rounddown(space, mss);
	return min_t(u32, space, XTCP_MAX_WND);
}
