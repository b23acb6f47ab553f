// SPDX-License-Identifier: GPL-2.0
/*
 * One segment in, for a socket (demux.c has found it): the steps of RFC 9293 3.10.7 in
 * their order.  The steps raise events and ask the core; they never name a next state.
 * A function that returns enum xtcp_mib has consumed the skb if it returns
 * XTCP_KEPT; otherwise its caller drops it and counts that reason.
 */
#include <net/inet_ecn.h>
#include "xtcp.h"
#include "trace.h"

/* ---- reading the header ---- */

/* RFC 3168 5 */
static u8 codepoint(const struct sk_buff *skb)
{
	if (skb->protocol == htons(ETH_P_IP))
		return ip_hdr(skb)->tos & INET_ECN_MASK;
	return ipv6_get_dsfield(ipv6_hdr(skb)) & INET_ECN_MASK;
}

bool xtcp_parse(const struct sk_buff *skb, struct xtcp_segment *seg)
{
	const struct tcphdr *th = tcp_hdr(skb);
	const u8 *opt = (const u8 *)(th + 1);
	u32 hlen = th->doff * 4;

	seg->flags = ((const u8 *)th)[13];
	seg->ecn = codepoint(skb);
	seg->seq = ntohl(th->seq);
	seg->ack = ntohl(th->ack_seq);
	seg->len = skb->len - hlen;
	seg->end_seq = seg->seq + seg->len + th->syn + th->fin;
	seg->wnd = ntohs(th->window);
	seg->up = ntohs(th->urg_ptr);
	seg->opt.present = 0;
	seg->opt.nr_sack = 0;
	hlen -= sizeof(*th);
	if (!hlen || xtcp_options_ts_fast(opt, hlen, &seg->opt))
		return true;
	return xtcp_options_parse(opt, hlen, th->syn, &seg->opt) == 0;
}

void xtcp_drop(struct net *net, struct sk_buff *skb, enum xtcp_mib why)
{
	xtcp_mib_inc(net, why);
	kfree_skb_reason(skb, xtcp_drop_reason(why));
}

/* ---- answers to what is not acceptable ---- */

static void challenge_ack(struct sock *sk, u64 now)
{
	if (xtcp_may_challenge(sock_net(sk), &xtcp_sk(sk)->answered_at, now))
		xtcp_send_ack(sk, now);
}

/* RFC 9293 3.10.7.4: an unacceptable segment is answered with an ACK; one with text
 * always, since it is no answer to ours.
 */
static void ack_out_of_window(struct sock *sk, const struct xtcp_segment *seg, u64 now)
{
	if ((seg->len && !(seg->flags & XTCP_SYN)) ||
	    xtcp_may_answer(sock_net(sk), &xtcp_sk(sk)->answered_at, now))
		xtcp_send_ack(sk, now);
}

static void reset_back(struct sock *sk, struct sk_buff *skb, const struct xtcp_segment *seg)
{
	xtcp_reset_segment(sock_net(sk), skb, &xtcp_sk(sk)->ep.key, seg, sk,
			   sk->sk_bound_dev_if);
}

/* RFC 9293 3.10.7.4, second: what the user hears depends on the state. */
static void on_reset(struct sock *sk)
{
	int err = ECONNRESET;

	if (sk->sk_state == TCP_SYN_SENT || sk->sk_state == TCP_SYN_RECV)
		err = ECONNREFUSED;
	else if (sk->sk_state == TCP_CLOSE_WAIT)
		err = EPIPE;
	xtcp_fail(sk, err, EV_RCV_RST);
}

/* RFC 2883 4: text that was here before is reported. */
static void note_duplicate(struct sock *sk, const struct xtcp_segment *seg, u64 now)
{
	struct xtcp_tcb *tcb = &xtcp_sk(sk)->tcb;
	u32 end_seq = seg->seq + seg->len;

	if (seg->len && !after(end_seq, tcb->rcv_nxt))
		xtcp_rx_data(tcb, seg->seq, end_seq, now, &end_seq);
}

/* What each verdict of xtcp_segment_check() costs the segment. */
static enum xtcp_mib refuse(struct sock *sk, struct sk_buff *skb,
			    const struct xtcp_segment *seg, enum xtcp_verdict v, u64 now)
{
	switch (v) {
	case XTCP_V_DROP_PAWS:
		ack_out_of_window(sk, seg, now);
		return XTCP_DROP_PAWS;
	case XTCP_V_DROP_SEQ:
		note_duplicate(sk, seg, now);
		ack_out_of_window(sk, seg, now);
		return XTCP_DROP_SEQ;
	case XTCP_V_DROP_RST:
		return XTCP_DROP_RST_SEQ;
	case XTCP_V_RESET:
		on_reset(sk);
		return XTCP_DROP_RST;
	case XTCP_V_CHALLENGE_RST:
		challenge_ack(sk, now);
		return XTCP_DROP_CHALLENGE_RST;
	case XTCP_V_CHALLENGE_SYN:
		challenge_ack(sk, now);
		return XTCP_DROP_CHALLENGE_SYN;
	case XTCP_V_DROP_NOACK:
		return XTCP_DROP_NO_ACK;
	case XTCP_V_DROP_ACK_OLD:
	case XTCP_V_DROP_ACK_NEW:
		/* RFC 9293 3.10.7.4, fifth: in SYN-RECEIVED a RST, later an ACK */
		if (sk->sk_state == TCP_SYN_RECV)
			reset_back(sk, skb, seg);
		else
			challenge_ack(sk, now);
		return v == XTCP_V_DROP_ACK_OLD ? XTCP_DROP_OLD_ACK : XTCP_DROP_UNSENT_ACK;
	default:
		return XTCP_KEPT;
	}
}

/* ---- fifth: ACK ---- */

static void establish(struct sock *sk, const struct xtcp_segment *seg)
{
	struct xtcp_tcb *tcb = &xtcp_sk(sk)->tcb;

	tcb->snd_wl1 = seg->seq;
	tcb->snd_wl2 = seg->ack;
	tcb->snd_wnd = seg->wnd;
	if (!(seg->flags & XTCP_SYN))
		tcb->snd_wnd <<= tcb->snd_wscale;
	tcb->max_snd_wnd = tcb->snd_wnd;
}

static void take_ack(struct sock *sk, const struct xtcp_segment *seg, u64 now)
{
	struct xtcp_sock *xs = xtcp_sk(sk);
	struct xtcp_ack_result res;

	xtcp_ack(&xs->tcb, seg, now, &res);
	if (res.flags & XTCP_A_ECN_CUT)
		xtcp_sk_mib_inc(sk, XTCP_ECN_CUTS);
	/* closed in SYN-RECEIVED, so the handshake ends in FIN-WAIT-1 */
	if (res.flags & XTCP_A_SYN_ACKED && sk->sk_state == TCP_FIN_WAIT1)
		xtcp_tcb_established(&xs->tcb, now);
	if (res.flags & XTCP_A_DATA_ACKED) {
		xtcp_sndbuf_acked(sk, xs->tcb.snd_una);
		if (xs->tcb.urg_out && !after(xs->tcb.snd_up, xs->tcb.snd_una))
			xs->tcb.urg_out = 0;
		xtcp_sndbuf_expand(sk);
		sk_dst_confirm(sk);
		WRITE_ONCE(sk->sk_err_soft, 0);
	}
	if (res.flags & XTCP_A_FIN_ACKED && sk->sk_state != TCP_ESTABLISHED)
		xtcp_event(sk, EV_FIN_ACKED);
}

/* RFC 9293 3.10.7.4, fifth, SYN-RECEIVED: the handshake is complete. */
static void finish_handshake(struct sock *sk, const struct xtcp_segment *seg)
{
	if (sk->sk_state != TCP_SYN_RECV)
		return;
	establish(sk, seg);
	xtcp_event(sk, EV_RCV_ACK);
}

/* ---- seventh: text ---- */

/* RFC 9293 3.6.1 (MUST-17): text for a user who can no longer read it. */
static bool reset_after_close(struct sock *sk, const struct xtcp_segment *seg)
{
	const struct xtcp_tcb *tcb = &xtcp_sk(sk)->tcb;

	/* shutdown(SHUT_RD) alone closes nothing: the user may still read */
	if (!(sk->sk_shutdown & RCV_SHUTDOWN) || sk->sk_state == TCP_ESTABLISHED ||
	    tcb->rcv_fin_seen)
		return false;
	if (!after(seg->seq + seg->len, tcb->rcv_nxt))
		return false;
	xtcp_sk_mib_inc(sk, XTCP_ABORT_ON_DATA);
	xtcp_send_reset(sk);
	xtcp_fail(sk, ECONNRESET, EV_ABORT);
	return true;
}

/* Text beyond the advertised edge or the peer's FIN is cut off. */
static bool cut_to_window(const struct xtcp_tcb *tcb, struct sk_buff *skb, u32 seq, u32 *end_seq)
{
	u32 edge = tcb->rcv_adv;

	if (tcb->rcv_fin_seen)
		edge = seq_min(edge, tcb->rcv_fin);
	if (!after(*end_seq, edge))
		return true;
	*end_seq = edge;
	return after(edge, seq) && !pskb_trim(skb, edge - seq);
}

static enum xtcp_mib not_queued(enum xtcp_rx_verdict v)
{
	switch (v) {
	case XTCP_RX_DUP:
		return XTCP_DROP_OLD_DATA;
	case XTCP_RX_NO_MEM:
		return XTCP_DROP_OFO;
	default:
		return XTCP_DROP_OVERWINDOW;
	}
}

static enum xtcp_mib take_text(struct sock *sk, struct sk_buff *skb,
			       const struct xtcp_segment *seg, u64 now)
{
	struct xtcp_tcb *tcb = &xtcp_sk(sk)->tcb;
	u32 seq = seg->seq + !!(seg->flags & XTCP_SYN);
	u32 end_seq = seq + seg->len;
	enum xtcp_rx_verdict v;
	bool ofo;

	__skb_pull(skb, tcp_hdrlen(skb));
	if (!cut_to_window(tcb, skb, seq, &end_seq)) {
		tcb->todo |= XTCP_ACK_NOW;	/* a window probe, RFC 9293 3.8.6.1 */
		return XTCP_DROP_OVERWINDOW;
	}
	if (!xtcp_rcvbuf_admit(sk, skb)) {
		tcb->todo |= XTCP_ACK_NOW | XTCP_WAKE_READER;	/* only reading makes room */
		return XTCP_DROP_RCVBUF;
	}
	ofo = tcb->ofo_nr;
	v = xtcp_rx_data(tcb, seq, end_seq, now, &end_seq);
	if (v != XTCP_RX_IN_ORDER && v != XTCP_RX_OFO)
		return not_queued(v);
	XTCP_SKB_CB(skb)->seq = seq;
	XTCP_SKB_CB(skb)->end_seq = end_seq;
	if (v == XTCP_RX_OFO) {
		xtcp_sk_mib_inc(sk, XTCP_OFO_QUEUE);
		xtcp_rcvbuf_ofo(sk, skb);
		return XTCP_KEPT;
	}
	xtcp_rx_ack_policy(tcb, end_seq - seq, now);
	xtcp_rx_rtt(tcb, seg, now);
	xtcp_rcvbuf_queue(sk, skb);
	if (ofo)
		xtcp_rcvbuf_collect(sk);
	tcb->todo |= XTCP_WAKE_READER;
	return XTCP_KEPT;
}

/* ---- eighth: FIN ---- */

static void on_fin(struct sock *sk, u64 now)
{
	WRITE_ONCE(sk->sk_shutdown, sk->sk_shutdown | RCV_SHUTDOWN);
	sock_set_flag(sk, SOCK_DONE);
	/* the socket ends with TIME-WAIT, so its last ACK leaves before */
	if (sk->sk_state == TCP_FIN_WAIT2)
		xtcp_send_ack(sk, now);
	if (!xtcp_event(sk, EV_RCV_FIN) || sock_flag(sk, SOCK_DEAD))
		return;
	sk->sk_state_change(sk);
	sk_wake_async(sk, SOCK_WAKE_WAITD, sk->sk_shutdown == SHUTDOWN_MASK ? POLL_HUP : POLL_IN);
}

/* Devices share the route to a local address. */
static void learn_route(struct sock *sk, const struct sk_buff *skb)
{
	if (unlikely(skb_dst(skb) != rcu_access_pointer(sk->sk_rx_dst) ||
		     skb->skb_iif != sk->sk_rx_dst_ifindex))
		xtcp_early_learn(sk, skb);
}

/* Sixth to eighth: urgent pointer, text, FIN. */
static enum xtcp_mib sixth_to_eighth(struct sock *sk, struct sk_buff *skb,
				     const struct xtcp_segment *seg, u64 now)
{
	struct xtcp_tcb *tcb = &xtcp_sk(sk)->tcb;
	enum xtcp_mib why = XTCP_KEPT;

	if (sk->sk_state == TCP_ESTABLISHED)
		learn_route(sk, skb);
	if (!xtcp_state_info[sk->sk_state].can_recv) {
		/* CLOSE-WAIT, CLOSING, LAST-ACK: text behind the peer's FIN is ignored */
		consume_skb(skb);
		return XTCP_KEPT;
	}
	if (seg->len && reset_after_close(sk, seg))
		return XTCP_DROP_AFTER_CLOSE;
	if (seg->flags & XTCP_URG)
		xtcp_urg_rcv(sk, skb, seg);
	if (seg->flags & XTCP_FIN)
		xtcp_rx_fin(tcb, seg->seq, seg->end_seq - 1);
	if (seg->len)
		why = take_text(sk, skb, seg, now);
	else
		consume_skb(skb);
	if (tcb->rcv_fin_seen && xtcp_rx_fin_due(tcb, now))
		on_fin(sk, now);
	return why;
}

/* ---- SYN-SENT: RFC 9293 3.10.7.3 ---- */

static void accept_offer(struct sock *sk, const struct xtcp_segment *seg, u64 now)
{
	struct xtcp_sock *xs = xtcp_sk(sk);

	xtcp_tcb_set_irs(&xs->tcb, seg->seq);
	xtcp_tcb_negotiate(&xs->tcb, &seg->opt, now);
	if (xs->tcb.nego_ok)
		xtcp_sk_mib_inc(sk, XTCP_NEGOTIATED);
	if (seg->opt.present & XTCP_BAD_NEGO)
		xtcp_sk_mib_inc(sk, XTCP_NEGO_IGNORED);
	xs->copied_seq = xs->tcb.rcv_nxt;
	xs->urg_seq = xs->copied_seq;
}

static enum xtcp_mib open_by_syn_ack(struct sock *sk, struct sk_buff *skb,
				     const struct xtcp_segment *seg, u64 now)
{
	struct xtcp_tcb *tcb = &xtcp_sk(sk)->tcb;

	accept_offer(sk, seg, now);
	establish(sk, seg);
	take_ack(sk, seg, now);
	xtcp_event(sk, EV_RCV_SYN_ACK);
	xtcp_sync_mss(sk, xtcp_sk(sk)->pmtu);
	tcb->cwnd = xtcp_cc_initial_window(tcb);	/* by the MSS that holds now */
	if (tcb->ecn_offer && xtcp_ecn_setup_syn_ack(seg->flags)) {
		xtcp_ecn_start(tcb);
		xtcp_sk_mib_inc(sk, XTCP_ECN_AGREED);
	}
	xtcp_sndbuf_expand(sk);
	tcb->todo |= XTCP_ACK_NOW;
	return sixth_to_eighth(sk, skb, seg, now);
}

/* Simultaneous open: our SYN goes out again, with an ACK of the peer's.
 * Deviation: text in that SYN is not kept for later as RFC 9293 3.10.7.3 has
 * it; it was not acknowledged, so it comes again.
 */
static enum xtcp_mib open_by_syn(struct sock *sk, struct sk_buff *skb,
				 const struct xtcp_segment *seg, u64 now)
{
	struct xtcp_tcb *tcb = &xtcp_sk(sk)->tcb;

	accept_offer(sk, seg, now);
	establish(sk, seg);
	xtcp_event(sk, EV_RCV_SYN);
	xtcp_sync_mss(sk, xtcp_sk(sk)->pmtu);
	xtcp_map_mark_lost(tcb, tcb->iss, tcb->iss + 1);
	consume_skb(skb);
	return XTCP_KEPT;
}

static enum xtcp_mib in_syn_sent(struct sock *sk, struct sk_buff *skb,
				 const struct xtcp_segment *seg, u64 now)
{
	struct xtcp_tcb *tcb = &xtcp_sk(sk)->tcb;
	bool ack = seg->flags & XTCP_ACK;

	if (ack && (!after(seg->ack, tcb->iss) || after(seg->ack, tcb->snd_nxt))) {
		reset_back(sk, skb, seg);
		return XTCP_DROP_BAD_SYN_ACK;
	}
	if (seg->flags & XTCP_RST) {
		/* RFC 5961 3.2 and 9293: only one that acknowledges our SYN counts */
		if (ack)
			on_reset(sk);
		return XTCP_DROP_RST;
	}
	if (!(seg->flags & XTCP_SYN))
		return XTCP_DROP_FLAGS;
	return ack ? open_by_syn_ack(sk, skb, seg, now) : open_by_syn(sk, skb, seg, now);
}

/* ---- the other states: RFC 9293 3.10.7.4 ---- */

/* Header prediction: the next segment in order, or a pure ACK, with nothing in
 * its header that could be refused.
 */
static bool as_expected(const struct xtcp_tcb *tcb, const struct xtcp_segment *seg)
{
	if ((seg->flags & ~XTCP_PSH) != XTCP_ACK || seg->seq != tcb->rcv_nxt ||
	    tcb->state != TCP_ESTABLISHED)
		return false;
	if (after(seg->end_seq, tcb->rcv_adv) || !between(seg->ack, tcb->snd_una, tcb->snd_nxt))
		return false;
	if (seg->opt.present != (tcb->ts_ok ? XTCP_HAS_TS : 0))
		return false;
	return !tcb->ts_ok || !before(seg->opt.tsval, tcb->ts_recent);
}

/* RFC 3168 6.1.3.  A mark on a super-packet is one of all its segments. */
static void take_ecn(struct sock *sk, const struct sk_buff *skb, const struct xtcp_segment *seg,
		     u64 now)
{
	struct xtcp_tcb *tcb = &xtcp_sk(sk)->tcb;

	if (seg->ecn == XTCP_ECN_CE && seg->len)
		xtcp_sk_mib_add(sk, XTCP_ECN_MARKS,
				max_t(u16, 1, skb_shinfo(skb)->gso_segs));
	if (xtcp_ecn_ack_first(tcb, seg))
		xtcp_send_ack(sk, now);
	xtcp_ecn_rcv(tcb, seg);
}

static enum xtcp_mib in_order_of_steps(struct sock *sk, struct sk_buff *skb,
				       struct xtcp_segment *seg, u64 now)
{
	struct xtcp_sock *xs = xtcp_sk(sk);
	struct xtcp_tcb *tcb = &xs->tcb;
	enum xtcp_verdict v;

	if (as_expected(tcb, seg)) {
		xtcp_sk_mib_inc(sk, seg->len ? XTCP_HP_HITS : XTCP_HP_ACKS);
	} else {
		v = xtcp_segment_check(tcb, seg, now);
		if (v != XTCP_V_OK)
			return refuse(sk, skb, seg, v, now);
	}
	tcb->rcv_at = now;
	tcb->ka_probes = 0;
	xtcp_ts_update(tcb, seg, now);
	finish_handshake(sk, seg);
	if (tcb->ecn_ok)
		take_ecn(sk, skb, seg, now);
	take_ack(sk, seg, now);
	if (sk->sk_state == TCP_CLOSE) {
		consume_skb(skb);
		return XTCP_KEPT;
	}
	return sixth_to_eighth(sk, skb, seg, now);
}

static enum xtcp_mib process(struct sock *sk, struct sk_buff *skb,
			     struct xtcp_segment *seg, u64 now)
{
	struct xtcp_tcb *tcb = &xtcp_sk(sk)->tcb;
	u32 segs = max_t(u16, 1, skb_shinfo(skb)->gso_segs);
	enum xtcp_mib why;

	tcb->segs_in += segs;
	if (seg->len)
		tcb->data_segs_in += segs;
	if (sk->sk_state == TCP_SYN_SENT)
		why = in_syn_sent(sk, skb, seg, now);
	else
		why = in_order_of_steps(sk, skb, seg, now);
	/* what an ACK has freed may have served the text behind it */
	sk_mem_reclaim(sk);
	return why;
}

/* What a connection is in, seen from outside: the entry in a socket's place counts. */
static u8 state_of(const struct sock *sk)
{
	return sk->sk_state == TCP_CLOSE && xtcp_sk(sk)->in_time_wait ? TCP_TIME_WAIT :
								       sk->sk_state;
}

int xtcp_do_rcv(struct sock *sk, struct sk_buff *skb)
{
	struct net *net = sock_net(sk);
	struct xtcp_segment seg;
	u8 state = sk->sk_state;
	u64 now = xtcp_now();
	enum xtcp_mib why;

	if (!xtcp_parse(skb, &seg)) {
		xtcp_drop(net, skb, XTCP_DROP_OPTION);
		return 0;
	}
	if (state == TCP_LISTEN)
		why = xtcp_listen_rcv(sk, skb, &seg);
	else if (state == TCP_CLOSE)
		/* Closed while the segment waited: no RST (RFC 9293 3.10.7.1), since the
		 * connection may be in TIME-WAIT, or the socket was a listener.  What
		 * comes again is answered by whoever stands in the table then.
		 */
		why = XTCP_DROP_CLOSED;
	else
		why = process(sk, skb, &seg, now);
	if (state != TCP_LISTEN)
		trace_xtcp_seg_in(net, &xtcp_sk(sk)->ep.key, state, state_of(sk), &seg, why);
	xtcp_flush(sk, now);
	if (why != XTCP_KEPT)
		xtcp_drop(net, skb, why);
	return 0;
}

void xtcp_child_rcv(struct sock *child, struct sk_buff *skb, struct xtcp_segment *seg)
{
	u8 state = child->sk_state;
	u64 now = xtcp_now();
	enum xtcp_mib why = process(child, skb, seg, now);

	trace_xtcp_seg_in(sock_net(child), &xtcp_sk(child)->ep.key, state,
			  child->sk_state, seg, why);
	xtcp_flush(child, now);
	if (why != XTCP_KEPT)
		xtcp_drop(sock_net(child), skb, why);
}
