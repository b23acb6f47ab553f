// SPDX-License-Identifier: GPL-2.0
/*
 * Whom is a segment for?  A connection, a request, a TIME-WAIT entry, a listener or nobody;
 * what may not come in (policy, filter, distance) is dropped here, and what finds its
 * socket at work waits in the backlog.
 */
#include <net/xfrm.h>
#include "xtcp.h"
#include "trace.h"

static bool policy_ok(struct sock *sk, struct sk_buff *skb)
{
	if (skb->protocol == htons(ETH_P_IP))
		return xfrm4_policy_check(sk, XFRM_POLICY_IN, skb);
	return xfrm6_policy_check(sk, XFRM_POLICY_IN, skb);
}

/* RFC 5082: IP_MINTTL and IPV6_MINHOPCOUNT */
static bool ttl_ok(const struct sock *sk, const struct sk_buff *skb)
{
	if (skb->protocol == htons(ETH_P_IP))
		return ip_hdr(skb)->ttl >= READ_ONCE(inet_sk(sk)->min_ttl);
	return ipv6_hdr(skb)->hop_limit >= READ_ONCE(inet6_sk(sk)->min_hopcount);
}

enum xtcp_mib xtcp_admit(struct sock *sk, struct sk_buff *skb)
{
	if (sk && !ttl_ok(sk, skb))
		return XTCP_DROP_TTL;
	if (!policy_ok(sk, skb))
		return XTCP_DROP_POLICY;
	nf_reset_ct(skb);
	if (sk && !xt_sk_filter(sk, skb, tcp_hdrlen(skb)))
		return XTCP_DROP_FILTER;
	return XTCP_KEPT;
}

/* A process that holds the socket for long finds in the backlog all that the window
 * let through, and while it works that off more comes: what is queued counts twice.
 */
static u32 backlog_limit(const struct sock *sk)
{
	return 2 * READ_ONCE(sk->sk_rcvbuf) + (READ_ONCE(sk->sk_sndbuf) >> 1) + 64 * 1024;
}

/* Consumes the reference on @sk. */
static void to_socket(struct sock *sk, struct sk_buff *skb)
{
	struct net *net = sock_net(sk);
	enum xtcp_mib why = xtcp_admit(sk, skb);

	if (why != XTCP_KEPT) {
		xtcp_drop(net, skb, why);
		sock_put(sk);
		return;
	}
	skb->dev = NULL;
	bh_lock_sock_nested(sk);
	if (!sock_owned_by_user(sk)) {
		xtcp_do_rcv(sk, skb);
	} else {
		skb_dst_force(skb);
		if (unlikely(sk_add_backlog(sk, skb, backlog_limit(sk))))
			xtcp_drop(net, skb, XTCP_DROP_BACKLOG);
	}
	bh_unlock_sock(sk);
	sock_put(sk);
}

static void to_nobody(struct net *net, struct sk_buff *skb,
		      const struct xtcp_key *key, int dif)
{
	enum xtcp_mib why = xtcp_admit(NULL, skb);
	struct xtcp_segment seg;

	if (why == XTCP_KEPT)
		why = xtcp_parse(skb, &seg) ? XTCP_DROP_NO_SOCKET : XTCP_DROP_OPTION;
	if (why == XTCP_DROP_NO_SOCKET) {
		trace_xtcp_seg_in(net, key, TCP_CLOSE, TCP_CLOSE, &seg, why);
		xtcp_reset_segment(net, skb, key, &seg, NULL,
				   xtcp_reply_oif(net, key, dif));
	}
	xtcp_drop(net, skb, why);
}

void xtcp_demux(struct sk_buff *skb, const struct xtcp_key *key, int dif, int sdif)
{
	struct net *net = dev_net(skb->dev);
	struct xtcp_ep *ep = xtcp_lookup(net, key, dif, sdif);
	struct sock *sk;

	if (ep && ep->kind == XTCP_EP_SOCK) {
		to_socket(xtcp_ep_sk(ep), skb);
	} else if (ep && ep->kind == XTCP_EP_REQUEST) {
		xtcp_request_rcv(container_of(ep, struct xtcp_request, ep), skb,
				 key, dif, sdif);
	} else if (ep) {
		xtcp_tw_rcv(container_of(ep, struct xtcp_tw, ep), skb, key, dif, sdif);
	} else {
		sk = xtcp_lookup_listener(net, key, dif, sdif, skb);
		if (sk)
			to_socket(sk, skb);
		else
			to_nobody(net, skb, key, dif);
	}
}

void xtcp_rcv(struct sk_buff *skb, struct xtcp_key *key, int dif, int sdif)
{
	struct net *net = dev_net(skb->dev);
	struct sock *sk;

	xtcp_mib_add(net, XTCP_IN_SEGS, max_t(u16, 1, skb_shinfo(skb)->gso_segs));
	if (skb_is_gso(skb))
		xtcp_mib_inc(net, XTCP_IN_SUPER);
	sk = xtcp_early_take(skb, key, dif, sdif);
	if (sk)
		to_socket(sk, skb);
	else
		xtcp_demux(skb, key, dif, sdif);
}
