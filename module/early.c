// SPDX-License-Identifier: GPL-2.0
/*
 * Early demultiplexing: a connection remembers the route by which its segments come in, so
 * that IP need not look it up for every one of them.  The kernel finds the sockets of TCP and
 * UDP before the route; for other protocols the only place for that is a hook at PRE_ROUTING,
 * here behind all others, so that addresses are those after NAT.  It runs for every packet of
 * its namespace, whatever the protocol, so it is there only once an XTCP socket was opened, and
 * not with net.xtcp.early_demux=0.
 *
 * The socket travels in skb->sk, with a reference that is ours to be known by its destructor,
 * and so the second lookup is saved too.  The hook only ever proposes: xtcp_rcv() looks at the
 * key once more, and a route that has changed is not valid any more (dst_check()).
 *
 * As with the kernel's TCP, a segment that takes this way is not subject to what comes with the
 * lookup: the reverse path filter, and rules by mark or TOS.  Segments of a VRF pass the
 * hook twice, with two devices: they go the usual way.
 *
 * Called by sock.c (first socket), sysctl.c, main.c (end of a namespace) and demux.c.
 */
#include <linux/netfilter.h>
#include <uapi/linux/netfilter_ipv4.h>
#include <uapi/linux/netfilter_ipv6.h>

#include "xtcp.h"

static DEFINE_MUTEX(hooks_mutex);	/* early_used, early_hooked of all namespaces */

/* ---- the way to the socket ---- */

static void put_early(struct sk_buff *skb)
{
	sock_put(skb->sk);
}

/* A route of the other family would be fatal; only a socket that was used again while we
 * looked could have one.
 */
static struct dst_entry *known_route(const struct sock *sk, const struct sk_buff *skb, u8 family)
{
	struct dst_entry *dst = rcu_dereference(sk->sk_rx_dst);

	if (!dst || READ_ONCE(sk->sk_rx_dst_ifindex) != skb->skb_iif ||
	    dst->ops->family != family)
		return NULL;
	return dst_check(dst, READ_ONCE(sk->sk_rx_dst_cookie));
}

static void attach(struct sk_buff *skb, struct sock *sk, const struct nf_hook_state *state)
{
	struct dst_entry *dst = known_route(sk, skb, state->pf);

	skb->sk = sk;
	skb->destructor = put_early;
	if (!dst)
		return;
	skb_dst_set_noref(skb, dst);
	xtcp_sk_mib_inc(sk, XTCP_EARLY_DEMUX);
}

/* The IP header has @len bytes, no options and no extensions.  SYNs are for no connection that
 * knows its route.  May move the headers.
 */
static bool eligible(struct sk_buff *skb, const struct nf_hook_state *state, int len)
{
	if (skb->pkt_type != PACKET_HOST || skb_dst(skb) || skb->sk ||
	    netif_is_l3_slave(state->in) || netif_is_l3_master(state->in))
		return false;
	return skb_transport_offset(skb) == len &&
	       pskb_may_pull(skb, len + sizeof(struct tcphdr)) && !tcp_hdr(skb)->syn;
}

static void demux(struct sk_buff *skb, const struct nf_hook_state *state)
{
	struct xtcp_key key;
	struct xtcp_ep *ep;

	xtcp_key_from_skb(skb, &key);
	ep = xtcp_lookup(state->net, &key, state->in->ifindex, 0);
	if (!ep)
		return;
	if (ep->kind == XTCP_EP_SOCK)
		attach(skb, xtcp_ep_sk(ep), state);
	else
		xtcp_ep_put(ep);
}

/* ---- the hooks ---- */

static unsigned int v4_hook(void *priv, struct sk_buff *skb, const struct nf_hook_state *state)
{
	if (ip_hdr(skb)->protocol == xtcp_protocol && !ip_is_fragment(ip_hdr(skb)) &&
	    eligible(skb, state, sizeof(struct iphdr)))
		demux(skb, state);
	return NF_ACCEPT;
}

/* An IPv4-mapped address on the wire would find a connection over IPv4: see ipv6.c. */
static unsigned int v6_hook(void *priv, struct sk_buff *skb, const struct nf_hook_state *state)
{
	if (ipv6_hdr(skb)->nexthdr == xtcp_protocol &&
	    !ipv6_addr_v4mapped(&ipv6_hdr(skb)->daddr) &&
	    eligible(skb, state, sizeof(struct ipv6hdr)))
		demux(skb, state);
	return NF_ACCEPT;
}

static const struct nf_hook_ops hooks[] = {
	{ .hook = v4_hook, .pf = NFPROTO_IPV4, .hooknum = NF_INET_PRE_ROUTING,
	  .priority = NF_IP_PRI_LAST },
	{ .hook = v6_hook, .pf = NFPROTO_IPV6, .hooknum = NF_INET_PRE_ROUTING,
	  .priority = NF_IP6_PRI_LAST },
};

/* Where they cannot be had everything works without them. */
static void hook_or_unhook(struct xtcp_net *xn)
{
	bool wanted = xn->early_used && READ_ONCE(xn->sysctl.early_demux);

	if (wanted && !xn->early_hooked) {
		xn->early_hooked = !nf_register_net_hooks(xn->net, hooks, ARRAY_SIZE(hooks));
	} else if (!wanted && xn->early_hooked) {
		nf_unregister_net_hooks(xn->net, hooks, ARRAY_SIZE(hooks));
		xn->early_hooked = false;
	}
}

/**
 * xtcp_early_start() - a socket is opened: from now on the hooks are worth their cost
 * @xn: its namespace
 *
 * Context: process, no locks held.
 */
void xtcp_early_start(struct xtcp_net *xn)
{
	if (likely(READ_ONCE(xn->early_used)))
		return;
	mutex_lock(&hooks_mutex);
	WRITE_ONCE(xn->early_used, true);
	hook_or_unhook(xn);
	mutex_unlock(&hooks_mutex);
}

/**
 * xtcp_early_switch() - the sysctl was written
 * @xn: the namespace
 */
void xtcp_early_switch(struct xtcp_net *xn)
{
	mutex_lock(&hooks_mutex);
	hook_or_unhook(xn);
	mutex_unlock(&hooks_mutex);
}

/**
 * xtcp_early_net_pre_exit() - the namespace ends, or the module
 * @net: the namespace; no socket can be opened in it any more, but its sysctls are still there
 *
 * A grace period must pass until what the hooks use is freed: that follows upon the pre_exit
 * of pernet_operations.
 */
void xtcp_early_net_pre_exit(struct net *net)
{
	struct xtcp_net *xn = xtcp_pernet(net);

	mutex_lock(&hooks_mutex);
	xn->early_used = false;
	hook_or_unhook(xn);
	mutex_unlock(&hooks_mutex);
}

/* ---- the socket ---- */

/**
 * xtcp_early_take() - the socket that was found before the route
 * @skb: a segment that has reached us
 * @key: its addresses and ports now
 * @dif: and its devices
 * @sdif: see xtcp_rcv()
 *
 * Return: the socket, with a reference for the caller, @skb is nobody's then; NULL where the
 * hook found none, or where that one is out of date: a queue in user space (NFQUEUE) may have
 * held the segment for long, or NAT on input changed it.
 */
struct sock *xtcp_early_take(struct sk_buff *skb, const struct xtcp_key *key, int dif, int sdif)
{
	struct sock *sk = skb->sk;

	if (skb->destructor != put_early)
		return NULL;
	skb->sk = NULL;
	skb->destructor = NULL;
	if (likely(xtcp_ep_is_for(&xtcp_sk(sk)->ep, dev_net(skb->dev), key, dif, sdif)))
		return sk;
	sock_put(sk);
	return NULL;
}

/**
 * xtcp_early_learn() - remember the route by which a segment of this connection came
 * @sk: the connection, socket lock held
 * @skb: acceptable, with its route and device
 */
void xtcp_early_learn(struct sock *sk, const struct sk_buff *skb)
{
	struct dst_entry *old, *dst = skb_dst(skb);

	if (!READ_ONCE(xtcp_sknet(sk)->sysctl.early_demux) || !dst || !dst_hold_safe(dst))
		return;
	old = xtcp_early_forget(sk);
	WRITE_ONCE(sk->sk_rx_dst_ifindex, skb->skb_iif);
	if (dst->ops->family == AF_INET6)
		WRITE_ONCE(sk->sk_rx_dst_cookie, rt6_get_cookie((struct rt6_info *)dst));
	rcu_assign_pointer(sk->sk_rx_dst, dst);
	dst_release(old);
}
