// SPDX-License-Identifier: GPL-2.0
/*
 * Super-packets: marks them on the way out, and cuts them into segments where a
 * device cannot carry them whole.  The core calls gso_segment, not we.
 *
 * A super-packet is typed as TCP's, so that all code that measures it agrees,
 * with SKB_GSO_SCTP added: software devices claim that bit and pass the packet
 * on, no network card does, and so none takes protocol 253 for TCP and computes
 * a pseudo header for protocol 6.
 */
#include <linux/skbuff.h>
#include <net/ip6_checksum.h>
#include <net/protocol.h>
#include "xtcp.h"

/* What of a packet depends on the family. */
struct family {
	unsigned int gso_type;
	__sum16 (*pseudo)(const struct sk_buff *skb);
};

static __sum16 pseudo_v4(const struct sk_buff *skb)
{
	return ~csum_tcpudp_magic(ip_hdr(skb)->saddr, ip_hdr(skb)->daddr, skb->len,
				  xtcp_protocol, 0);
}

static __sum16 pseudo_v6(const struct sk_buff *skb)
{
	return ~csum_ipv6_magic(&ipv6_hdr(skb)->saddr, &ipv6_hdr(skb)->daddr, skb->len,
				xtcp_protocol, 0);
}

static const struct family family_v4 = { SKB_GSO_TCPV4, pseudo_v4 };
static const struct family family_v6 = { SKB_GSO_TCPV6, pseudo_v6 };

u16 xtcp_gso_type(bool v6)
{
	return (v6 ? SKB_GSO_TCPV6 : SKB_GSO_TCPV4) |
	       (READ_ONCE(xtcp_gso_marker) ? SKB_GSO_SCTP : 0);
}

void xtcp_gso_setup(const struct sock *sk, struct sk_buff *skb, u32 len, u16 mss)
{
	struct skb_shared_info *shinfo = skb_shinfo(skb);

	shinfo->gso_size = mss;
	shinfo->gso_segs = DIV_ROUND_UP(len, mss);
	shinfo->gso_type = sk->sk_gso_type;
	if (tcp_hdr(skb)->cwr)		/* not every device leaves it to the first segment */
		shinfo->gso_type |= SKB_GSO_TCP_ECN;
}

/* Header whole and sane; Return: its length, 0 if it is neither. */
static unsigned int pull_header(struct sk_buff *skb)
{
	unsigned int len;

	if (!pskb_may_pull(skb, sizeof(struct tcphdr)))
		return 0;
	len = tcp_hdr(skb)->doff * 4;
	if (len < sizeof(struct tcphdr) || !pskb_may_pull(skb, len))
		return 0;
	return len;
}

/* A packet that is not waiting for its sum (injected, or mangled on its way) is
 * made to wait for one: every segment needs its own.
 */
static void want_checksum(struct sk_buff *skb, const struct family *f)
{
	if (skb->ip_summed == CHECKSUM_PARTIAL)
		return;
	tcp_hdr(skb)->check = f->pseudo(skb);
	skb->ip_summed = CHECKSUM_PARTIAL;
	skb->csum_start = skb_transport_header(skb) - skb->head;
	skb->csum_offset = offsetof(struct tcphdr, check);
}

/* RFC 1624 on the pseudo header's sum: @old bytes become @new. */
static __sum16 pseudo_resize(__sum16 sum, u32 old, u32 new)
{
	__wsum w = csum_sub(csum_unfold(sum), (__force __wsum)htonl(old));

	return ~csum_fold(csum_add(w, (__force __wsum)htonl(new)));
}

static void fix_flags(struct tcphdr *th, const struct sk_buff *seg, const struct sk_buff *first)
{
	if (seg != first)
		th->cwr = 0;		/* RFC 3168 6.1.2: the first packet only */
	if (seg->next) {
		th->fin = 0;
		th->psh = 0;
	}
}

/* Sequence number, flags and sum of every segment.  @len is the old length of the
 * packet from its transport header on, @sum the sum of its pseudo header.
 */
static void fix_segments(struct sk_buff *segs, unsigned int mss, u32 len, __sum16 sum)
{
	u32 seq = ntohl(tcp_hdr(segs)->seq);
	struct sk_buff *seg;
	struct tcphdr *th;

	for (seg = segs; seg; seg = seg->next, seq += mss) {
		th = tcp_hdr(seg);
		th->seq = htonl(seq);
		fix_flags(th, seg, segs);
		th->check = pseudo_resize(sum, len, seg->len - skb_transport_offset(seg));
		if (seg->ip_summed != CHECKSUM_PARTIAL)
			th->check = gso_make_checksum(seg, 0);
	}
}

static void count(const struct sk_buff *segs)
{
	struct net *net = dev_net(segs->dev);

	xtcp_mib_inc(net, XTCP_GSO_SEGMENTED);
	if (segs->ip_summed != CHECKSUM_PARTIAL)
		xtcp_mib_inc(net, XTCP_GSO_SW_CSUM);
}

/* Every segment is charged to the sender by itself.  skb_segment() would put the
 * whole packet's charge on the last one, which then, received on this host, would
 * seem to need as much of the receive buffer.
 */
static struct sk_buff *cut(struct sk_buff *skb, netdev_features_t features)
{
	bool charged = skb->destructor == sock_wfree;
	struct sk_buff *segs, *seg;

	if (!charged)
		return skb_segment(skb, features);
	skb->destructor = NULL;
	segs = skb_segment(skb, features);
	skb->destructor = sock_wfree;
	if (!IS_ERR(segs))
		for (seg = segs; seg; seg = seg->next)
			skb_set_owner_w(seg, skb->sk);
	return segs;
}

/* Only a device that sums any protocol may do so for us. */
#define NO_FEATURES (NETIF_F_GSO_PARTIAL | NETIF_F_IP_CSUM | NETIF_F_IPV6_CSUM)

static struct sk_buff *segment(struct sk_buff *skb, netdev_features_t features,
			       const struct family *f)
{
	unsigned int mss = skb_shinfo(skb)->gso_size;
	unsigned int hdr_len = pull_header(skb);
	u32 len = skb->len;
	struct sk_buff *segs;
	__sum16 sum;

	if (!hdr_len || !(skb_shinfo(skb)->gso_type & f->gso_type))
		return ERR_PTR(-EINVAL);
	if (!mss || len - hdr_len <= mss)
		return ERR_PTR(-EINVAL);
	want_checksum(skb, f);
	sum = tcp_hdr(skb)->check;
	__skb_pull(skb, hdr_len);
	if (skb_gso_ok(skb, features | NETIF_F_GSO_ROBUST)) {
		/* the device takes it, but nobody has counted the segments */
		skb_shinfo(skb)->gso_segs = DIV_ROUND_UP(skb->len, mss);
		return NULL;
	}
	segs = cut(skb, features & ~NO_FEATURES);
	if (IS_ERR(segs))
		return segs;
	fix_segments(segs, mss, len, sum);
	count(segs);
	return segs;
}

static struct sk_buff *segment_v4(struct sk_buff *skb, netdev_features_t features)
{
	return segment(skb, features, &family_v4);
}

static struct sk_buff *segment_v6(struct sk_buff *skb, netdev_features_t features)
{
	return segment(skb, features, &family_v6);
}

static const struct net_offload offload_v4 = {
	.callbacks = { .gso_segment = segment_v4 },
};

static const struct net_offload offload_v6 = {
	.callbacks = { .gso_segment = segment_v6 },
};

int xtcp_offload_init(void)
{
	if (inet_add_offload(&offload_v4, xtcp_protocol))
		return -EBUSY;
	if (inet6_add_offload(&offload_v6, xtcp_protocol)) {
		inet_del_offload(&offload_v4, xtcp_protocol);
		return -EBUSY;
	}
	return 0;
}

void xtcp_offload_exit(void)
{
	inet6_del_offload(&offload_v6, xtcp_protocol);
	inet_del_offload(&offload_v4, xtcp_protocol);
}
