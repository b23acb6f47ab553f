// SPDX-License-Identifier: GPL-2.0
/*
 * What an ICMP error does to a connection, whichever IP it came by: a smaller
 * MTU, a better first hop, an error that the user hears of.  ipv4.c and ipv6.c
 * read the messages.
 */
#include "xtcp.h"

/* RFC 5927 4.1: only what quotes a segment in flight is believed. */
static bool quotes_in_flight(const struct sock *sk, u32 seq)
{
	const struct xtcp_tcb *tcb = &xtcp_sk(sk)->tcb;

	if (!before(seq, tcb->snd_una) && before(seq, tcb->snd_nxt))
		return true;
	xtcp_sk_mib_inc(sk, XTCP_ICMP_OUT_OF_WINDOW);
	return false;
}

/**
 * xtcp_mtu_reduced() - act on xs->mtu_info: RFC 1191 6.3, RFC 8201 5.2
 * @sk: the connection
 *
 * What is in flight was cut for the old MTU and did not get through, so it is
 * sent again at once, under the same cwnd: no congestion was seen.
 * Context: socket lock held; by the ICMP error or by release_cb.
 */
void xtcp_mtu_reduced(struct sock *sk)
{
	struct xtcp_sock *xs = xtcp_sk(sk);
	struct xtcp_tcb *tcb = &xs->tcb;
	u16 mss = tcb->snd_mss;

	if (sk->sk_state == TCP_CLOSE || sk->sk_state == TCP_LISTEN)
		return;
	xs->af_ops->update_pmtu(sk, READ_ONCE(xs->mtu_info));
	if (sk->sk_state == TCP_SYN_SENT || tcb->snd_mss >= mss)
		return;
	xtcp_loss_on_mtu(tcb);
	xtcp_flush(sk, xtcp_now());
}

/**
 * xtcp_icmp_mtu() - a router could not forward a segment
 * @sk: its connection
 * @seq: its sequence number
 * @mtu: of the router's next hop, 0 if it did not say
 *
 * Context: softirq, socket not locked, a reference held.
 */
void xtcp_icmp_mtu(struct sock *sk, u32 seq, u32 mtu)
{
	struct xtcp_sock *xs = xtcp_sk(sk);

	bh_lock_sock(sk);
	if (quotes_in_flight(sk, seq)) {
		WRITE_ONCE(xs->mtu_info, mtu);
		if (sock_owned_by_user(sk))
			set_bit(XTCP_DEFER_MTU, &xs->deferred);
		else
			xtcp_mtu_reduced(sk);
	}
	bh_unlock_sock(sk);
}

/**
 * xtcp_icmp_redirect() - a router knows a better first hop
 * @sk: the connection
 * @seq: of the segment that it forwarded
 * @skb: the ICMP message
 *
 * Context: as xtcp_icmp_mtu(); a user-owned socket learns it another time.
 */
void xtcp_icmp_redirect(struct sock *sk, u32 seq, struct sk_buff *skb)
{
	struct dst_entry *dst;

	bh_lock_sock(sk);
	if (quotes_in_flight(sk, seq) && !sock_owned_by_user(sk)) {
		dst = __sk_dst_get(sk);
		if (dst)
			dst->ops->redirect(dst, sk, skb);
	}
	bh_unlock_sock(sk);
}

/**
 * xtcp_icmp_error() - a segment could not be delivered
 * @sk: its connection
 * @seq: its sequence number
 * @err: errno of the message
 *
 * Deviation: RFC 9293 3.9.2.2 lets only some errors end an attempt to connect; all do
 * here (RFC 5461 3.1), since its user can try another address and has nothing to
 * lose.  Afterwards all are soft.
 * Context: softirq, socket not locked, a reference held.
 */
void xtcp_icmp_error(struct sock *sk, u32 seq, int err)
{
	bh_lock_sock(sk);
	if (sk->sk_state == TCP_CLOSE || sk->sk_state == TCP_LISTEN)
		goto out;
	if (!quotes_in_flight(sk, seq))
		goto out;
	if (sock_owned_by_user(sk)) {
		WRITE_ONCE(sk->sk_err_soft, err);
		goto out;
	}
	if (sk->sk_state == TCP_SYN_SENT || sk->sk_state == TCP_SYN_RECV) {
		xtcp_fail(sk, err, EV_ABORT);
	} else if (xtcp_sk(sk)->af_ops->family == AF_INET6 ? xt_recverr6(sk) : xt_recverr(sk)) {
		WRITE_ONCE(sk->sk_err, err);
		sk_error_report(sk);
	} else {
		WRITE_ONCE(sk->sk_err_soft, err);
	}
out:
	bh_unlock_sock(sk);
}
