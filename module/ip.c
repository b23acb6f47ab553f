// SPDX-License-Identifier: GPL-2.0
/*
 * What IPv4 and IPv6 have in common: the first look at a segment, and the few
 * steps with routes and addresses that do not depend on the family.  Called by
 * ipv4.c and ipv6.c.  Never looks at sequence numbers.
 */
#include <net/ip.h>
#include <net/ip6_checksum.h>
#include "xtcp.h"

/* Header and options into the linear part; @skb->data is at the header. */
static enum xtcp_mib pull_header(struct sk_buff *skb)
{
	unsigned int len;

	if (!pskb_may_pull(skb, sizeof(struct tcphdr)))
		return XTCP_DROP_SHORT;
	len = tcp_hdr(skb)->doff * 4;
	if (len < sizeof(struct tcphdr))
		return XTCP_DROP_HEADER;
	if (!pskb_may_pull(skb, len))
		return XTCP_DROP_SHORT;
	return XTCP_KEPT;
}

static __wsum compute_pseudo(struct sk_buff *skb, int proto)
{
	if (skb->protocol == htons(ETH_P_IP))
		return inet_compute_pseudo(skb, proto);
	return ip6_compute_pseudo(skb, proto);
}

static enum xtcp_mib check_segment(struct sk_buff *skb)
{
	enum xtcp_mib why = pull_header(skb);

	if (why)
		return why;
	if (skb_checksum_init(skb, xtcp_protocol, compute_pseudo) ||
	    skb_checksum_complete(skb))
		return XTCP_DROP_CSUM;
	return XTCP_KEPT;
}

/**
 * xtcp_check() - is this a whole segment?
 * @skb: transport header set, skb->data at it
 *
 * Too short, a data offset below the header's own size (RFC 9293 3.1) or a wrong
 * checksum: dropped and counted as an error.  Return: false if so.
 */
bool xtcp_check(struct sk_buff *skb)
{
	struct net *net = dev_net(skb->dev);
	enum xtcp_mib why = check_segment(skb);

	if (likely(why == XTCP_KEPT))
		return true;
	xtcp_mib_inc(net, XTCP_IN_SEGS);
	xtcp_mib_inc(net, XTCP_IN_ERRS);
	xtcp_drop(net, skb, why);
	return false;
}

/**
 * xtcp_setup_caps() - keep the connection's route
 * @sk: the connection
 * @dst: its route; the reference is taken over
 *
 * sk_setup_caps() adds NETIF_F_HW_CSUM whenever GSO is possible.  For us the bit
 * must mean that the device sums any protocol, since one that knows TCP by its
 * number alone would sum our segments wrongly.
 */
void xtcp_setup_caps(struct sock *sk, struct dst_entry *dst)
{
	netdev_features_t features = dst->dev->features;

	sk->sk_gso_type = xtcp_gso_type(xtcp_sk(sk)->af_ops->family == AF_INET6);
	sk_setup_caps(sk, dst);
	if (!(features & NETIF_F_HW_CSUM))
		sk->sk_route_caps &= ~NETIF_F_HW_CSUM;
}

/**
 * xtcp_forget_peer() - undo what a failed connect() has set
 * @sk: the socket
 *
 * The route goes as well, and the local address unless bind() chose it.
 */
void xtcp_forget_peer(struct sock *sk)
{
	struct inet_sock *inet = inet_sk(sk);

	inet->inet_dport = 0;
	inet->inet_daddr = 0;
	if (sk->sk_family == AF_INET6)
		sk->sk_v6_daddr = in6addr_any;
	if (!(sk->sk_userlocks & SOCK_BINDADDR_LOCK))
		inet_reset_saddr(sk);
	__sk_dst_reset(sk);
	sk->sk_route_caps = 0;
}

/**
 * xtcp_reply_oif() - the device that an answer to a segment must leave by
 * @net: namespace
 * @key: of the answer
 * @dif: device the segment came by
 *
 * Return: @dif where addresses mean something on that link or in that VRF only,
 * otherwise 0: the routing table decides.
 */
int xtcp_reply_oif(struct net *net, const struct xtcp_key *key, int dif)
{
	if (ipv6_addr_type(&key->raddr) & IPV6_ADDR_LINKLOCAL ||
	    ipv6_addr_type(&key->laddr) & IPV6_ADDR_LINKLOCAL)
		return dif;
	return netif_index_is_l3_master(net, dif) ? dif : 0;
}
