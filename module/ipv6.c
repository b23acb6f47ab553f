// SPDX-License-Identifier: GPL-2.0
/*
 * XTCP over IPv6: segments in from the IP layer, ICMPv6 errors, routes, segments
 * out, the addresses of connect() and of a new child.  An AF_INET6 socket that
 * connects to a v4-mapped address is switched to xtcp_v4_ops and goes on
 * in ipv4.c.
 *
 * A connection's flow is kept in inet->cork.fl and its route in sk_dst_cache
 * together with np->dst_cookie, without which the route is never found valid.
 */
#include <linux/icmpv6.h>
#include <linux/seg6.h>
#include <net/addrconf.h>
#include <net/dsfield.h>
#include <net/inet_common.h>
#include <net/ip6_checksum.h>
#include <net/ip6_route.h>
#include <net/ipv6.h>
#include <net/ndisc.h>
#include <net/protocol.h>
#include <net/transp_v6.h>
#include "xtcp.h"

/* ---- segments in ---- */

/* The table keeps IPv4 addresses in the mapped form; on the wire of IPv6 they
 * are a forgery (RFC 4038 8, draft-itojun-v6ops-v4mapped-harmful).
 */
static bool is_unicast(const struct sk_buff *skb)
{
	const struct ipv6hdr *h = ipv6_hdr(skb);

	if (skb->pkt_type != PACKET_HOST)
		return false;
	return !ipv6_addr_is_multicast(&h->daddr) && !ipv6_addr_is_multicast(&h->saddr) &&
	       !ipv6_addr_v4mapped(&h->daddr) && !ipv6_addr_v4mapped(&h->saddr);
}

/* The value is always 0: any other asks the IP layer to deliver once more. */
static int v6_rcv(struct sk_buff *skb)
{
	struct xtcp_key key;

	if (unlikely(!is_unicast(skb))) {
		xtcp_drop(dev_net(skb->dev), skb, XTCP_DROP_NOT_UNICAST);
		return 0;
	}
	if (unlikely(!xtcp_check(skb)))
		return 0;
	key.laddr = ipv6_hdr(skb)->daddr;
	key.raddr = ipv6_hdr(skb)->saddr;
	key.lport = tcp_hdr(skb)->dest;
	key.rport = tcp_hdr(skb)->source;
	xtcp_rcv(skb, &key, inet6_iif(skb), inet6_sdif(skb));
	return 0;
}

/* ---- ICMPv6 ---- */

static void icmp_sock(struct sock *sk, struct sk_buff *skb, u8 type, u8 code,
		      u32 seq, u32 info)
{
	int err;

	if (type == ICMPV6_PKT_TOOBIG) {
		xtcp_icmp_mtu(sk, seq, info);
		return;
	}
	if (type == NDISC_REDIRECT) {
		xtcp_icmp_redirect(sk, seq, skb);
		return;
	}
	icmpv6_err_convert(type, code, &err);
	xtcp_icmp_error(sk, seq, err);
}

/* A SYN,ACK that cannot arrive ends its request; soft errors may pass. */
static void icmp_request(struct xtcp_request *req, u8 type, u8 code, u32 seq)
{
	int err;

	if (type == ICMPV6_PKT_TOOBIG || type == NDISC_REDIRECT)
		return;
	if (icmpv6_err_convert(type, code, &err))
		xtcp_request_icmp(req, seq);
}

/* skb->data is the quoted IPv6 header, @offset leads to ours: 8 bytes are there. */
static int v6_err(struct sk_buff *skb, struct inet6_skb_parm *opt, u8 type, u8 code,
		  int offset, __be32 info)
{
	const struct ipv6hdr *h = (const struct ipv6hdr *)skb->data;
	const struct tcphdr *th = (const void *)(skb->data + offset);
	struct xtcp_key key = {
		.laddr = h->saddr, .raddr = h->daddr,
		.lport = th->source, .rport = th->dest,
	};
	struct net *net = dev_net(skb->dev);
	u32 seq = ntohl(th->seq);
	struct xtcp_ep *ep;

	xtcp_mib_inc(net, XTCP_ICMP_IN);
	ep = xtcp_lookup(net, &key, inet6_iif(skb), inet6_sdif(skb));
	if (!ep)
		return -ENOENT;
	if (ep->kind == XTCP_EP_SOCK)
		icmp_sock(xtcp_ep_sk(ep), skb, type, code, seq, ntohl(info));
	else if (ep->kind == XTCP_EP_REQUEST)
		icmp_request(container_of(ep, struct xtcp_request, ep), type, code, seq);
	xtcp_ep_put(ep);
	return 0;
}

/* ---- a connection's route ---- */

static struct flowi6 *sk_flow(struct sock *sk)
{
	return &inet_sk(sk)->cork.fl.u.ip6;
}

static struct ipv6_txoptions *sk_options(const struct sock *sk)
{
	return rcu_dereference_protected(inet6_sk(sk)->opt, lockdep_sock_is_held(sk));
}

/* With a routing header (RFC 8200 4.4) the packet first goes to the address that
 * the header names; @final then keeps the peer's.  NULL: there is none.
 */
static struct in6_addr *route_via(struct flowi6 *fl6, const struct ipv6_txoptions *opt,
				  struct in6_addr *final)
{
	const struct ipv6_sr_hdr *srh;

	if (!opt || !opt->srcrt)
		return NULL;
	*final = fl6->daddr;
	switch (opt->srcrt->type) {
	case IPV6_SRCRT_TYPE_2:
		fl6->daddr = ((struct rt0_hdr *)opt->srcrt)->addr[0];
		return final;
	case IPV6_SRCRT_TYPE_4:
		srh = (const struct ipv6_sr_hdr *)opt->srcrt;
		fl6->daddr = srh->segments[srh->first_segment];
		return final;
	}
	return NULL;
}

static void fill_flow(const struct sock *sk, struct flowi6 *fl6)
{
	const struct inet_sock *inet = inet_sk(sk);
	const struct ipv6_pinfo *np = inet6_sk(sk);

	memset(fl6, 0, sizeof(*fl6));
	fl6->flowi6_proto = sk->sk_protocol;
	fl6->daddr = sk->sk_v6_daddr;
	fl6->saddr = np->saddr;
	fl6->flowlabel = np->flow_label;
	fl6->flowi6_oif = sk->sk_bound_dev_if;
	fl6->flowi6_mark = READ_ONCE(sk->sk_mark);
	fl6->fl6_sport = inet->inet_sport;
	fl6->fl6_dport = inet->inet_dport;
	fl6->flowi6_uid = sk->sk_uid;
	security_sk_classify_flow((struct sock *)sk, flowi6_to_flowi_common(fl6));
}

/* Look up a route from the socket's addresses and keep it. NULL: error in @err. */
static struct dst_entry *new_route(struct sock *sk, int *err)
{
	struct flowi6 *fl6 = sk_flow(sk);
	struct in6_addr final, *final_p;
	struct dst_entry *dst;

	fill_flow(sk, fl6);
	final_p = route_via(fl6, sk_options(sk), &final);
	dst = ip6_dst_lookup_flow(sock_net(sk), sk, fl6, final_p);
	if (IS_ERR(dst)) {
		*err = PTR_ERR(dst);
		sk->sk_route_caps = 0;
		return NULL;
	}
	inet6_sk(sk)->dst_cookie = rt6_get_cookie((struct rt6_info *)dst);
	xtcp_setup_caps(sk, dst);
	return dst;
}

static struct dst_entry *v6_route(struct sock *sk)
{
	struct dst_entry *dst = __sk_dst_check(sk, inet6_sk(sk)->dst_cookie);
	int err;

	if (dst)
		return dst;
	dst = new_route(sk, &err);
	if (!dst)
		WRITE_ONCE(sk->sk_err_soft, -err);
	return dst;
}

static int v6_xmit(struct sock *sk, struct sk_buff *skb, u8 ecn)
{
	const struct ipv6_pinfo *np = inet6_sk(sk);
	struct dst_entry *dst = v6_route(sk);
	int err;

	if (!dst) {
		kfree_skb(skb);
		return -EHOSTUNREACH;
	}
	rcu_read_lock();
	skb_dst_set_noref(skb, dst);
	err = ip6_xmit(sk, skb, sk_flow(sk), READ_ONCE(sk->sk_mark),
		       rcu_dereference(np->opt), np->tclass | ecn, READ_ONCE(sk->sk_priority));
	rcu_read_unlock();
	return err;
}

static __sum16 v6_pseudo(const struct sock *sk, u32 len)
{
	return ~csum_ipv6_magic(&inet6_sk(sk)->saddr, &sk->sk_v6_daddr, len,
				xtcp_protocol, 0);
}

static u16 v6_opt_len(const struct sock *sk)
{
	const struct ipv6_txoptions *opt;
	u16 len;

	rcu_read_lock();
	opt = rcu_dereference(inet6_sk(sk)->opt);
	len = opt ? opt->opt_flen + opt->opt_nflen : 0;
	rcu_read_unlock();
	return len;
}

static void v6_update_pmtu(struct sock *sk, u32 mtu)
{
	struct dst_entry *dst = v6_route(sk);

	if (!dst)
		return;
	dst->ops->update_pmtu(dst, sk, NULL, mtu, true);
	dst = v6_route(sk);
	if (dst && ip6_sk_accept_pmtu(sk))
		xtcp_sync_mss(sk, dst_mtu(dst));
}

/* ---- connect() ---- */

static int check_address(struct sock *sk, const struct sockaddr_in6 *sin6, int addr_len)
{
	if (addr_len < SIN6_LEN_RFC2133)
		return -EINVAL;
	if (sin6->sin6_family != AF_INET6)
		return -EAFNOSUPPORT;
	if (ipv6_addr_is_multicast(&sin6->sin6_addr))
		return -ENETUNREACH;
	return 0;
}

/* RFC 3493 3.3 and ipv6(7): a flow label must have been leased, if leases are exclusive. */
static int take_flow_label(struct sock *sk, const struct sockaddr_in6 *sin6)
{
	__be32 info = sin6->sin6_flowinfo & IPV6_FLOWINFO_MASK;
	struct ip6_flowlabel *fl;

	if (!xt_sndflow(sk))
		return 0;
	if (info & IPV6_FLOWLABEL_MASK) {
		fl = fl6_sock_lookup(sk, info);
		if (IS_ERR(fl))
			return -EINVAL;
		fl6_sock_release(fl);
	}
	inet6_sk(sk)->flow_label = info;
	return 0;
}

/* RFC 4007 6: a link-local address means something on one link only, so the
 * connection is bound to that link's device.
 */
static int take_scope(struct sock *sk, const struct sockaddr_in6 *sin6, int addr_len)
{
	if (!(ipv6_addr_type(&sin6->sin6_addr) & IPV6_ADDR_LINKLOCAL))
		return 0;
	if (addr_len >= (int)sizeof(*sin6) && sin6->sin6_scope_id) {
		if (!sk_dev_equal_l3scope(sk, sin6->sin6_scope_id))
			return -EINVAL;
		sk->sk_bound_dev_if = sin6->sin6_scope_id;
	}
	return sk->sk_bound_dev_if ? 0 : -EINVAL;
}

/* RFC 3493 3.7.  A socket bound to an IPv6 address is v6-only from bind() on. */
static int connect_mapped(struct sock *sk, const struct in6_addr *daddr, __be16 dport)
{
	struct xtcp_sock *xs = xtcp_sk(sk);
	int err;

	if (ipv6_only_sock(sk))
		return -ENETUNREACH;
	xs->af_ops = &xtcp_v4_ops;
	err = xtcp_v4_connect_to(sk, daddr->s6_addr32[3], dport);
	if (err)
		xs->af_ops = &xtcp_v6_ops;
	return err;
}

static int connect_v6(struct sock *sk, const struct in6_addr *daddr, __be16 dport)
{
	struct inet_sock *inet = inet_sk(sk);
	struct ipv6_pinfo *np = inet6_sk(sk);
	int err;

	xtcp_sk(sk)->af_ops = &xtcp_v6_ops;
	sk->sk_v6_daddr = *daddr;
	np->saddr = sk->sk_v6_rcv_saddr;
	inet->inet_dport = dport;
	if (!new_route(sk, &err))
		goto fail;
	np->saddr = sk_flow(sk)->saddr;
	if (ipv6_addr_any(&sk->sk_v6_rcv_saddr))
		sk->sk_v6_rcv_saddr = np->saddr;
	inet->inet_rcv_saddr = LOOPBACK4_IPV6;
	err = xtcp_connect_start(sk);
	if (!err)
		return 0;
fail:
	xtcp_forget_peer(sk);
	return err;
}

int xtcp_v6_connect(struct sock *sk, xt_sockaddr *uaddr, int addr_len)
{
	const struct sockaddr_in6 *sin6 = (const struct sockaddr_in6 *)uaddr;
	struct in6_addr daddr;
	int err;

	err = check_address(sk, sin6, addr_len);
	if (!err)
		err = take_flow_label(sk, sin6);
	if (!err)
		err = take_scope(sk, sin6, addr_len);
	if (err)
		return err;
	daddr = sin6->sin6_addr;
	if (ipv6_addr_any(&daddr)) {		/* this host, as connect() to 0.0.0.0 */
		if (ipv6_addr_v4mapped(&sk->sk_v6_rcv_saddr))
			ipv6_addr_set_v4mapped(htonl(INADDR_LOOPBACK), &daddr);
		else
			daddr = in6addr_loopback;
	}
	if (ipv6_addr_v4mapped(&daddr))
		return connect_mapped(sk, &daddr, sin6->sin6_port);
	return connect_v6(sk, &daddr, sin6->sin6_port);
}

/* ---- passive connections ---- */

void xtcp_v6_request_init(struct xtcp_request *req, const struct sock *sk, struct sk_buff *skb)
{
	req->v6 = 1;
	req->iif = inet6_iif(skb);
	req->tos = ipv6_get_dsfield(ipv6_hdr(skb));
	req->mark = inet_request_mark(sk, skb);
	req->ep.bound_if = inet_request_bound_dev_if(sk, skb);
	/* a link-local peer is one of that link, also below a VRF device */
	if ((!sk->sk_bound_dev_if || ipv6_l3mdev_skb(IP6CB(skb)->flags)) &&
	    ipv6_addr_type(&ipv6_hdr(skb)->saddr) & IPV6_ADDR_LINKLOCAL)
		req->ep.bound_if = IP6CB(skb)->iif;
	req->opt = NULL;
}

/**
 * xtcp_v6_child_pinfo() - the IPv6 part of a child made from an AF_INET6 listener
 * @child: fresh from sk_clone_lock()
 *
 * The child is a byte copy: it points at the listener's ipv6_pinfo and at lists
 * and options that belong to the listener.
 */
void xtcp_v6_child_pinfo(struct sock *child)
{
	struct ipv6_pinfo *np = &((struct xtcp6_sock *)child)->inet6;

	inet_sk(child)->pinet6 = np;
	RCU_INIT_POINTER(np->opt, NULL);
	RCU_INIT_POINTER(np->ipv6_mc_list, NULL);
	np->ipv6_ac_list = NULL;
	xt_flowlabel_list_init(child);
	np->pktoptions = NULL;
	np->dst_cookie = 0;
	np->mcast_oif = 0;
	np->rcv_flowinfo = 0;
}

static int copy_options(struct sock *child, const struct sock *listener)
{
	struct ipv6_txoptions *opt, *copy = NULL;

	rcu_read_lock();
	opt = rcu_dereference(inet6_sk(listener)->opt);
	if (opt)
		copy = ipv6_dup_options(child, opt);
	rcu_read_unlock();
	if (opt && !copy)
		return -ENOBUFS;
	RCU_INIT_POINTER(inet6_sk(child)->opt, copy);
	return 0;
}

static int v6_child_init(struct sock *child, const struct sock *listener,
			 struct xtcp_request *req, struct sk_buff *skb)
{
	const struct xtcp_key *key = &req->ep.key;
	struct inet_sock *inet = inet_sk(child);
	struct ipv6_pinfo *np;
	int err;

	xtcp_sk(child)->af_ops = &xtcp_v6_ops;
	xtcp_v6_child_pinfo(child);
	RCU_INIT_POINTER(inet->inet_opt, NULL);
	RCU_INIT_POINTER(inet->mc_list, NULL);
	np = inet6_sk(child);
	np->mcast_oif = req->iif;
	np->mcast_hops = ipv6_hdr(skb)->hop_limit;
	np->rcv_flowinfo = ip6_flowinfo(ipv6_hdr(skb));
	if (xt_repflow(child))			/* RFC 6437 3: answer with the peer's label */
		np->flow_label = ip6_flowlabel(ipv6_hdr(skb));
	np->saddr = key->laddr;
	child->sk_v6_rcv_saddr = key->laddr;
	child->sk_v6_daddr = key->raddr;
	inet->inet_saddr = inet->inet_rcv_saddr = inet->inet_daddr = LOOPBACK4_IPV6;
	inet->inet_dport = key->rport;
	inet->inet_sport = key->lport;
	inet->inet_num = ntohs(key->lport);
	child->sk_bound_dev_if = req->ep.bound_if;
	child->sk_mark = req->mark;
	child->sk_txhash = req->txhash;
	err = copy_options(child, listener);
	if (err)
		return err;
	return v6_route(child) ? 0 : -EHOSTUNREACH;
}

/* ---- replies without a socket ---- */

static struct dst_entry *reply_route(const struct xtcp_reply *r, struct flowi6 *fl6)
{
	memset(fl6, 0, sizeof(*fl6));
	fl6->flowi6_proto = xtcp_protocol;
	fl6->daddr = r->key->raddr;
	fl6->saddr = r->key->laddr;
	fl6->flowlabel = ip6_make_flowinfo(r->tos, r->flowlabel);
	fl6->flowi6_oif = r->oif;
	fl6->flowi6_mark = r->mark;
	fl6->fl6_sport = r->key->lport;
	fl6->fl6_dport = r->key->rport;
	fl6->flowi6_uid = sock_net_uid(r->net, r->sk);
	if (r->sk)
		security_sk_classify_flow((struct sock *)r->sk, flowi6_to_flowi_common(fl6));
	return ip6_dst_lookup_flow(r->net, r->sk, fl6, NULL);
}

static u8 reply_hop_limit(const struct xtcp_reply *r, struct dst_entry *dst)
{
	const struct ipv6_pinfo *np = r->sk ? inet6_sk(r->sk) : NULL;
	int hop_limit = np ? np->hop_limit : -1;

	return hop_limit < 0 ? ip6_dst_hoplimit(dst) : hop_limit;
}

static void reply_header(const struct xtcp_reply *r, struct sk_buff *skb, struct flowi6 *fl6)
{
	__be32 label = ip6_make_flowlabel(r->net, skb, r->flowlabel,
					  ip6_default_np_autolabel(r->net), fl6);
	struct ipv6hdr *h = skb_push(skb, sizeof(*h));

	skb_reset_network_header(skb);
	ip6_flow_hdr(h, r->tos, label);
	h->nexthdr = xtcp_protocol;
	h->hop_limit = reply_hop_limit(r, skb_dst(skb));
	h->saddr = r->key->laddr;
	h->daddr = r->key->raddr;
}

int xtcp_v6_reply(const struct xtcp_reply *r, struct sk_buff *skb)
{
	struct dst_entry *dst;
	struct flowi6 fl6;
	int err;

	dst = reply_route(r, &fl6);
	if (IS_ERR(dst)) {
		kfree_skb(skb);
		return PTR_ERR(dst);
	}
	tcp_hdr(skb)->check = csum_ipv6_magic(&r->key->laddr, &r->key->raddr, skb->len,
					      xtcp_protocol, skb_checksum(skb, 0, skb->len, 0));
	skb->ip_summed = CHECKSUM_NONE;
	skb->mark = r->mark;
	skb_dst_set(skb, dst);
	reply_header(r, skb, &fl6);
	rcu_read_lock();
	err = ip6_local_out(r->net, NULL, skb);
	rcu_read_unlock();
	return net_xmit_eval(err);
}

struct dst_entry *xtcp_v6_request_route(const struct sock *sk, const struct xtcp_request *req)
{
	struct xtcp_reply r = {
		.net = req->ep.net,
		.key = &req->ep.key,
		.sk = sk,
		.oif = req->ep.bound_if,
		.mark = req->mark,
		.tos = inet6_sk(sk)->tclass,
	};
	struct flowi6 fl6;
	struct dst_entry *dst = reply_route(&r, &fl6);

	return IS_ERR(dst) ? NULL : dst;
}

/* ---- registration ---- */

const struct xtcp_af_ops xtcp_v6_ops = {
	.family		= AF_INET6,
	.net_hdr_len	= sizeof(struct ipv6hdr),
	.default_mss	= XTCP_MSS_DEFAULT_V6,
	.route		= v6_route,
	.xmit		= v6_xmit,
	.pseudo		= v6_pseudo,
	.child_init	= v6_child_init,
	.update_pmtu	= v6_update_pmtu,
	.opt_len	= v6_opt_len,
};

static const struct inet6_protocol v6_protocol = {
	.handler	= v6_rcv,
	.err_handler	= v6_err,
	.flags		= INET6_PROTO_NOPOLICY | INET6_PROTO_FINAL,
};

static struct inet_protosw v6_protosw = {
	.type	= SOCK_STREAM,
	.prot	= &xtcpv6_prot,
	.ops	= &xtcpv6_stream_ops,
};

int xtcp_v6_init(void)
{
	int err;

	if (inet6_add_protocol(&v6_protocol, xtcp_protocol)) {
		pr_err("xtcp: IPv6 protocol %d is taken, choose another by protocol=\n",
		       xtcp_protocol);
		return -EBUSY;
	}
	v6_protosw.protocol = xtcp_protocol;
	err = inet6_register_protosw(&v6_protosw);
	if (err)
		inet6_del_protocol(&v6_protocol, xtcp_protocol);
	return err;
}

void xtcp_v6_exit(void)
{
	inet6_unregister_protosw(&v6_protosw);
	inet6_del_protocol(&v6_protocol, xtcp_protocol);
}
