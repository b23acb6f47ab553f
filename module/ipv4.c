// SPDX-License-Identifier: GPL-2.0
/*
 * XTCP over IPv4: segments in from the IP layer, ICMP errors, routes, segments
 * out, the addresses of connect() and of a new child.  Also serves AF_INET6
 * sockets whose peer is an IPv4 address (ipv6.c switches them over).  Never looks
 * at sequence numbers.
 */
#include <linux/icmp.h>
#include <net/icmp.h>
#include <net/inet_common.h>
#include <net/ip.h>
#include <net/protocol.h>
#include <net/route.h>
#include "xtcp.h"

static void set_key(struct xtcp_key *key, __be32 laddr, __be32 raddr,
		    __be16 lport, __be16 rport)
{
	ipv6_addr_set_v4mapped(laddr, &key->laddr);
	ipv6_addr_set_v4mapped(raddr, &key->raddr);
	key->lport = lport;
	key->rport = rport;
}

static __be32 key_laddr(const struct xtcp_key *key)
{
	return key->laddr.s6_addr32[3];
}

static __be32 key_raddr(const struct xtcp_key *key)
{
	return key->raddr.s6_addr32[3];
}

/* ---- segments in ---- */

/* RFC 9293 3.9.2.3 (MUST-57): nothing but unicast.  On a device without
 * link-layer broadcast only the route knows.
 */
static bool is_unicast(const struct sk_buff *skb)
{
	const struct rtable *rt = skb_rtable(skb);

	if (skb->pkt_type != PACKET_HOST)
		return false;
	return !rt || !(rt->rt_flags & (RTCF_BROADCAST | RTCF_MULTICAST));
}

/* The value is always 0: any other asks the IP layer to deliver once more. */
static int v4_rcv(struct sk_buff *skb)
{
	struct xtcp_key key;

	if (unlikely(!is_unicast(skb))) {
		xtcp_drop(dev_net(skb->dev), skb, XTCP_DROP_NOT_UNICAST);
		return 0;
	}
	if (unlikely(!xtcp_check(skb)))
		return 0;
	set_key(&key, ip_hdr(skb)->daddr, ip_hdr(skb)->saddr,
		tcp_hdr(skb)->dest, tcp_hdr(skb)->source);
	xtcp_rcv(skb, &key, inet_iif(skb), inet_sdif(skb));
	return 0;
}

/* ---- ICMP ---- */

/* RFC 1122 4.2.3.9, RFC 9293 3.9.2.2; 0: of no interest, such as source quench
 * (RFC 6633 3).
 */
static int icmp_errno(u8 type, u8 code, bool *fatal)
{
	*fatal = false;
	switch (type) {
	case ICMP_DEST_UNREACH:
		if (code > NR_ICMP_UNREACH)
			return 0;
		*fatal = icmp_err_convert[code].fatal;
		return icmp_err_convert[code].errno;
	case ICMP_TIME_EXCEEDED:
		return EHOSTUNREACH;
	case ICMP_PARAMETERPROB:
		return EPROTO;
	}
	return 0;
}

static void icmp_sock(struct sock *sk, struct sk_buff *skb, u32 seq, u32 info)
{
	u8 type = icmp_hdr(skb)->type, code = icmp_hdr(skb)->code;
	bool fatal;
	int err;

	if (type == ICMP_DEST_UNREACH && code == ICMP_FRAG_NEEDED) {
		xtcp_icmp_mtu(sk, seq, info);
		return;
	}
	if (type == ICMP_REDIRECT) {
		xtcp_icmp_redirect(sk, seq, skb);
		return;
	}
	err = icmp_errno(type, code, &fatal);
	if (err)
		xtcp_icmp_error(sk, seq, err);
}

/* A SYN,ACK that cannot arrive ends its request; soft errors may pass. */
static void icmp_request(struct xtcp_request *req, const struct sk_buff *skb, u32 seq)
{
	bool fatal;

	if (icmp_hdr(skb)->type == ICMP_DEST_UNREACH &&
	    icmp_hdr(skb)->code == ICMP_FRAG_NEEDED)
		return;
	if (icmp_errno(icmp_hdr(skb)->type, icmp_hdr(skb)->code, &fatal) && fatal)
		xtcp_request_icmp(req, seq);
}

/* skb->data is the quoted IP header; 8 bytes behind it are there (RFC 792). */
static int v4_err(struct sk_buff *skb, u32 info)
{
	const struct iphdr *iph = (const struct iphdr *)skb->data;
	const struct tcphdr *th = (const void *)(skb->data + iph->ihl * 4);
	struct net *net = dev_net(skb->dev);
	u32 seq = ntohl(th->seq);
	struct xtcp_key key;
	struct xtcp_ep *ep;

	xtcp_mib_inc(net, XTCP_ICMP_IN);
	set_key(&key, iph->saddr, iph->daddr, th->source, th->dest);
	ep = xtcp_lookup(net, &key, inet_iif(skb), inet_sdif(skb));
	if (!ep)
		return -ENOENT;
	if (ep->kind == XTCP_EP_SOCK)
		icmp_sock(xtcp_ep_sk(ep), skb, seq, info);
	else if (ep->kind == XTCP_EP_REQUEST)
		icmp_request(container_of(ep, struct xtcp_request, ep), skb, seq);
	xtcp_ep_put(ep);
	return 0;
}

/* ---- a connection's route ---- */

/* The address to route to: the first hop of a source route (RFC 9293 3.9.2.1). */
static __be32 first_hop(const struct sock *sk, __be32 daddr)
{
	const struct ip_options_rcu *opt;

	opt = rcu_dereference_protected(inet_sk(sk)->inet_opt, lockdep_sock_is_held(sk));
	return opt && opt->opt.srr ? opt->opt.faddr : daddr;
}

static struct dst_entry *v4_route(struct sock *sk)
{
	struct dst_entry *dst = __sk_dst_check(sk, 0);
	struct inet_sock *inet = inet_sk(sk);
	struct rtable *rt;

	if (dst)
		return dst;
	rt = ip_route_connect(&inet->cork.fl.u.ip4, first_hop(sk, inet->inet_daddr),
			      inet->inet_saddr, sk->sk_bound_dev_if, sk->sk_protocol,
			      inet->inet_sport, inet->inet_dport, sk);
	if (IS_ERR(rt)) {
		sk->sk_route_caps = 0;
		WRITE_ONCE(sk->sk_err_soft, -PTR_ERR(rt));
		return NULL;
	}
	xtcp_setup_caps(sk, &rt->dst);
	return &rt->dst;
}

static int v4_xmit(struct sock *sk, struct sk_buff *skb, u8 ecn)
{
	return __ip_queue_xmit(sk, skb, &inet_sk(sk)->cork.fl, READ_ONCE(inet_sk(sk)->tos) | ecn);
}

static __sum16 v4_pseudo(const struct sock *sk, u32 len)
{
	const struct inet_sock *inet = inet_sk(sk);

	return ~csum_tcpudp_magic(inet->inet_saddr, inet->inet_daddr, len,
				  xtcp_protocol, 0);
}

static u16 v4_opt_len(const struct sock *sk)
{
	const struct ip_options_rcu *opt;
	u16 len;

	rcu_read_lock();
	opt = rcu_dereference(inet_sk(sk)->inet_opt);
	len = opt ? opt->opt.optlen : 0;
	rcu_read_unlock();
	return len;
}

static void v4_update_pmtu(struct sock *sk, u32 mtu)
{
	struct dst_entry *dst = v4_route(sk);

	if (!dst)
		return;
	dst->ops->update_pmtu(dst, sk, NULL, mtu, true);
	dst = v4_route(sk);
	if (!dst || !ip_sk_accept_pmtu(sk))
		return;
	if (READ_ONCE(inet_sk(sk)->pmtudisc) != IP_PMTUDISC_DONT)
		xtcp_sync_mss(sk, dst_mtu(dst));
}

/* ---- connect() ---- */

/* An AF_INET6 socket keeps its IPv4 addresses in the mapped form as well. */
static void mirror_addresses(struct sock *sk)
{
	struct inet_sock *inet = inet_sk(sk);

	if (sk->sk_family != AF_INET6)
		return;
	ipv6_addr_set_v4mapped(inet->inet_daddr, &sk->sk_v6_daddr);
	ipv6_addr_set_v4mapped(inet->inet_rcv_saddr, &sk->sk_v6_rcv_saddr);
	ipv6_addr_set_v4mapped(inet->inet_saddr, &inet6_sk(sk)->saddr);
}

/**
 * xtcp_v4_connect_to() - connect() to an IPv4 peer, for both families of socket
 * @sk: the socket
 * @daddr: the peer, 0 means this host
 * @dport: its port
 *
 * Return: 0 (the SYN left) or -errno.  Context: socket lock held.
 */
int xtcp_v4_connect_to(struct sock *sk, __be32 daddr, __be16 dport)
{
	struct inet_sock *inet = inet_sk(sk);
	struct flowi4 *fl4 = &inet->cork.fl.u.ip4;
	__be32 hop = first_hop(sk, daddr);
	struct rtable *rt;
	int err;

	if (hop != daddr && !daddr)
		return -EINVAL;
	rt = ip_route_connect(fl4, hop, inet->inet_saddr, sk->sk_bound_dev_if,
			      sk->sk_protocol, inet->inet_sport, dport, sk);
	if (IS_ERR(rt))
		return PTR_ERR(rt);
	if (rt->rt_flags & (RTCF_MULTICAST | RTCF_BROADCAST)) {
		ip_rt_put(rt);
		return -ENETUNREACH;
	}
	if (!inet->inet_saddr)
		inet->inet_saddr = inet->inet_rcv_saddr = fl4->saddr;
	inet->inet_daddr = hop == daddr ? fl4->daddr : daddr;
	inet->inet_dport = dport;
	mirror_addresses(sk);
	atomic_set(&inet->inet_id, get_random_u32() & 0xffff);
	xtcp_setup_caps(sk, &rt->dst);
	err = xtcp_connect_start(sk);
	if (err)
		xtcp_forget_peer(sk);
	return err;
}

int xtcp_v4_connect(struct sock *sk, xt_sockaddr *uaddr, int addr_len)
{
	const struct sockaddr_in *sin = (const struct sockaddr_in *)uaddr;

	if (addr_len < (int)sizeof(*sin))
		return -EINVAL;
	if (sin->sin_family != AF_INET)
		return -EAFNOSUPPORT;
	return xtcp_v4_connect_to(sk, sin->sin_addr.s_addr, sin->sin_port);
}

/* ---- passive connections ---- */

/* RFC 9293 3.9.2.1 (MUST-52), RFC 1122 3.2.1.8 (c): a source route that brought
 * the SYN leads back in reverse.  Of the gateways recorded, the last is the first
 * hop; the others follow, and then the peer.
 */
static struct ip_options_rcu *reverse_route(const struct sk_buff *skb)
{
	const struct ip_options *in = &IPCB(skb)->opt;
	const u8 *rec = skb_network_header(skb) + in->srr;
	struct ip_options_rcu *opt;
	u8 *to;
	int n;

	if (!in->srr)
		return NULL;
	n = (min_t(int, rec[2], rec[1] + 1) - 4) / 4;
	if (n <= 0)
		return NULL;
	opt = kzalloc(sizeof(*opt) + 4 + 4 * n, GFP_ATOMIC);
	if (!opt)
		return NULL;
	opt->opt.srr = sizeof(struct iphdr);
	opt->opt.is_strictroute = in->is_strictroute;
	opt->opt.optlen = 4 + 4 * n;		/* the end of options behind it */
	to = opt->opt.__data;
	to[0] = rec[0];
	to[1] = 3 + 4 * n;
	to[2] = 4;
	memcpy(&opt->opt.faddr, rec + 3 + 4 * --n, 4);
	for (to += 3; n; to += 4)
		memcpy(to, rec + 3 + 4 * --n, 4);
	memcpy(to, &ip_hdr(skb)->saddr, 4);
	return opt;
}

void xtcp_v4_request_init(struct xtcp_request *req, const struct sock *sk, struct sk_buff *skb)
{
	req->v6 = 0;
	req->iif = inet_iif(skb);
	req->tos = ip_hdr(skb)->tos;
	req->mark = inet_request_mark(sk, skb);
	req->ep.bound_if = inet_request_bound_dev_if(sk, skb);
	req->opt = reverse_route(skb);
}

/* @child is of either family. */
static int v4_child_init(struct sock *child, const struct sock *listener,
			 struct xtcp_request *req, struct sk_buff *skb)
{
	const struct xtcp_key *key = &req->ep.key;
	struct inet_sock *inet = inet_sk(child);

	xtcp_sk(child)->af_ops = &xtcp_v4_ops;
	if (child->sk_family == AF_INET6)
		xtcp_v6_child_pinfo(child);
	inet->inet_daddr = key_raddr(key);
	inet->inet_saddr = inet->inet_rcv_saddr = key_laddr(key);
	inet->inet_dport = key->rport;
	inet->inet_sport = key->lport;
	inet->inet_num = ntohs(key->lport);
	RCU_INIT_POINTER(inet->inet_opt, req->opt);
	req->opt = NULL;
	RCU_INIT_POINTER(inet->mc_list, NULL);
	inet->mc_index = req->iif;
	inet->mc_ttl = ip_hdr(skb)->ttl;
	inet->rcv_tos = ip_hdr(skb)->tos;
	atomic_set(&inet->inet_id, get_random_u32() & 0xffff);
	child->sk_bound_dev_if = req->ep.bound_if;
	child->sk_mark = req->mark;
	child->sk_txhash = req->txhash;
	mirror_addresses(child);
	return v4_route(child) ? 0 : -EHOSTUNREACH;
}

/* ---- replies without a socket ---- */

static struct rtable *reply_route(const struct xtcp_reply *r, struct flowi4 *fl4)
{
	struct sock *sk = (struct sock *)r->sk;

	flowi4_init_output(fl4, r->oif, r->mark, r->tos & INET_DSCP_MASK,
			   RT_SCOPE_UNIVERSE, xtcp_protocol,
			   sk ? inet_sk_flowi_flags(sk) : 0,
			   r->opt ? r->opt->opt.faddr : key_raddr(r->key),
			   key_laddr(r->key),
			   r->key->rport, r->key->lport,
			   sock_net_uid(r->net, sk));
	if (sk)
		security_sk_classify_flow(sk, flowi4_to_flowi_common(fl4));
	return ip_route_output_flow(r->net, fl4, sk);
}

static u8 reply_ttl(const struct xtcp_reply *r, const struct dst_entry *dst)
{
	int ttl = r->sk ? inet_sk(r->sk)->uc_ttl : -1;

	return ttl < 0 ? ip4_dst_hoplimit(dst) : ttl;
}

/* Not fragmented, so the identification means nothing (RFC 6864 4.1). */
static void reply_header(const struct xtcp_reply *r, struct sk_buff *skb)
{
	unsigned int optlen = r->opt ? r->opt->opt.optlen : 0;
	struct iphdr *iph = skb_push(skb, sizeof(*iph) + optlen);

	skb_reset_network_header(skb);
	if (optlen)
		memcpy(iph + 1, r->opt->opt.__data, optlen);
	iph->version = 4;
	iph->ihl = (sizeof(*iph) + optlen) / 4;
	iph->tos = r->tos;
	iph->id = 0;
	iph->frag_off = htons(IP_DF);
	iph->ttl = reply_ttl(r, skb_dst(skb));
	iph->protocol = xtcp_protocol;
	iph->saddr = key_laddr(r->key);
	iph->daddr = r->opt ? r->opt->opt.faddr : key_raddr(r->key);
}

int xtcp_v4_reply(const struct xtcp_reply *r, struct sk_buff *skb)
{
	struct flowi4 fl4;
	struct rtable *rt;
	int err;

	rt = reply_route(r, &fl4);
	if (IS_ERR(rt)) {
		kfree_skb(skb);
		return PTR_ERR(rt);
	}
	tcp_hdr(skb)->check = csum_tcpudp_magic(key_laddr(r->key), key_raddr(r->key), skb->len,
						xtcp_protocol, skb_checksum(skb, 0, skb->len, 0));
	skb->ip_summed = CHECKSUM_NONE;
	skb->mark = r->mark;
	skb_dst_set(skb, &rt->dst);
	reply_header(r, skb);
	rcu_read_lock();
	err = ip_local_out(r->net, NULL, skb);
	rcu_read_unlock();
	return net_xmit_eval(err);
}

struct dst_entry *xtcp_v4_request_route(const struct sock *sk, const struct xtcp_request *req)
{
	struct xtcp_reply r = {
		.net = req->ep.net,
		.key = &req->ep.key,
		.sk = sk,
		.oif = req->ep.bound_if,
		.mark = req->mark,
		.tos = inet_sk(sk)->tos,
		.opt = req->opt,
	};
	struct flowi4 fl4;
	struct rtable *rt = reply_route(&r, &fl4);

	return IS_ERR(rt) ? NULL : &rt->dst;
}

/* ---- registration ---- */

const struct xtcp_af_ops xtcp_v4_ops = {
	.family		= AF_INET,
	.net_hdr_len	= sizeof(struct iphdr),
	.default_mss	= XTCP_MSS_DEFAULT,
	.route		= v4_route,
	.xmit		= v4_xmit,
	.pseudo		= v4_pseudo,
	.child_init	= v4_child_init,
	.update_pmtu	= v4_update_pmtu,
	.opt_len	= v4_opt_len,
};

static const struct net_protocol v4_protocol = {
	.handler	= v4_rcv,
	.err_handler	= v4_err,
	.no_policy	= 1,
	.icmp_strict_tag_validation = 1,
};

static struct inet_protosw v4_protosw = {
	.type	= SOCK_STREAM,
	.prot	= &xtcp_prot,
	.ops	= &xtcp_stream_ops,
};

int xtcp_v4_init(void)
{
	if (inet_add_protocol(&v4_protocol, xtcp_protocol)) {
		pr_err("xtcp: IPv4 protocol %d is taken, choose another by protocol=\n",
		       xtcp_protocol);
		return -EBUSY;
	}
	v4_protosw.protocol = xtcp_protocol;
	inet_register_protosw(&v4_protosw);
	return 0;
}

void xtcp_v4_exit(void)
{
	inet_unregister_protosw(&v4_protosw);
	inet_del_protocol(&v4_protocol, xtcp_protocol);
}
