/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the socket tests change in their network namespace: veth pairs, VRFs,
 * addresses, routes, and a host that swallows every segment.  rtnetlink by
 * hand, so that the programs need no other program on the machine.
 */
#ifndef API_NET_H
#define API_NET_H

#include "stack.h"
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>

struct nl_req {
	struct nlmsghdr nh;
	char body[1024];
};

__api void *nl_tail(struct nl_req *r)
{
	return (char *)r + NLMSG_ALIGN(r->nh.nlmsg_len);
}

__api struct rtattr *nl_attr(struct nl_req *r, int type, const void *data, int len)
{
	struct rtattr *a = nl_tail(r);

	a->rta_type = type;
	a->rta_len = RTA_LENGTH(len);
	if (len)
		memcpy(RTA_DATA(a), data, len);
	r->nh.nlmsg_len = NLMSG_ALIGN(r->nh.nlmsg_len) + RTA_ALIGN(a->rta_len);
	return a;
}

__api void nl_nest_end(struct nl_req *r, struct rtattr *a)
{
	a->rta_len = (char *)nl_tail(r) - (char *)a;
}

__api void nl_init(struct nl_req *r, int type, int flags, const void *hdr, int len)
{
	memset(r, 0, sizeof(*r));
	r->nh.nlmsg_type = type;
	r->nh.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | flags;
	r->nh.nlmsg_len = NLMSG_LENGTH(len);
	memcpy(NLMSG_DATA(&r->nh), hdr, len);
}

/* Sends the request; the kernel's answer: 0, or -1 with errno. */
__api int nl_ask(struct nl_req *r)
{
	int fd = MUST(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
	struct { struct nlmsghdr nh; struct nlmsgerr err; char more[1024]; } ans;

	MUST(send(fd, r, r->nh.nlmsg_len, 0));
	MUST(recv(fd, &ans, sizeof(ans), 0));
	close(fd);
	errno = -ans.err.error;
	return ans.nh.nlmsg_type != NLMSG_ERROR || ans.err.error ? -1 : 0;
}

/* A refusal by the kernel is fatal. */
__api void nl_talk(struct nl_req *r)
{
	MUST(nl_ask(r));
}

/* Changes interface flags: FLAGS of CHANGE. */
__api void if_flags(const char *dev, unsigned int flags, unsigned int change)
{
	struct ifinfomsg ifi = { .ifi_index = if_nametoindex(dev),
				 .ifi_flags = flags, .ifi_change = change };
	struct nl_req r;

	nl_init(&r, RTM_NEWLINK, 0, &ifi, sizeof(ifi));
	nl_talk(&r);
}

__api void add_veth(const char *a, const char *b)
{
	struct ifinfomsg ifi = {};
	struct rtattr *info, *data, *peer;
	struct nl_req r;

	nl_init(&r, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &ifi, sizeof(ifi));
	nl_attr(&r, IFLA_IFNAME, a, strlen(a) + 1);
	info = nl_attr(&r, IFLA_LINKINFO, NULL, 0);
	nl_attr(&r, IFLA_INFO_KIND, "veth", 4);
	data = nl_attr(&r, IFLA_INFO_DATA, NULL, 0);
	peer = nl_attr(&r, VETH_INFO_PEER, &ifi, sizeof(ifi));
	nl_attr(&r, IFLA_IFNAME, b, strlen(b) + 1);
	nl_nest_end(&r, peer);
	nl_nest_end(&r, data);
	nl_nest_end(&r, info);
	nl_talk(&r);
}

/* A VRF with this routing table; false where the kernel has none. */
__api bool add_vrf(const char *name, uint32_t table)
{
	struct ifinfomsg ifi = {};
	struct rtattr *info, *data;
	struct nl_req r;

	nl_init(&r, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &ifi, sizeof(ifi));
	nl_attr(&r, IFLA_IFNAME, name, strlen(name) + 1);
	info = nl_attr(&r, IFLA_LINKINFO, NULL, 0);
	nl_attr(&r, IFLA_INFO_KIND, "vrf", 3);
	data = nl_attr(&r, IFLA_INFO_DATA, NULL, 0);
	nl_attr(&r, IFLA_VRF_TABLE, &table, sizeof(table));
	nl_nest_end(&r, data);
	nl_nest_end(&r, info);
	if (!nl_ask(&r))
		return true;
	if (errno != EOPNOTSUPP)
		MUST(-1);
	return false;
}

__api void if_master(const char *dev, const char *master)
{
	struct ifinfomsg ifi = { .ifi_index = if_nametoindex(dev) };
	uint32_t index = if_nametoindex(master);
	struct nl_req r;

	nl_init(&r, RTM_NEWLINK, 0, &ifi, sizeof(ifi));
	nl_attr(&r, IFLA_MASTER, &index, sizeof(index));
	nl_talk(&r);
}

/* The device into the namespace NS. */
__api void if_to_ns(const char *dev, int ns)
{
	struct ifinfomsg ifi = { .ifi_index = if_nametoindex(dev) };
	struct nl_req r;

	nl_init(&r, RTM_NEWLINK, 0, &ifi, sizeof(ifi));
	nl_attr(&r, IFLA_NET_NS_FD, &ns, sizeof(ns));
	nl_talk(&r);
}

/* ADDR of the variant's real family (v4 for the mapped variants). */
__api int raw_addr(const union addr *a, const void **p)
{
	if (a->sa.sa_family == AF_INET) {
		*p = &a->in.sin_addr;
		return AF_INET;
	}
	*p = &a->in6.sin6_addr;
	if (!IN6_IS_ADDR_V4MAPPED(&a->in6.sin6_addr))
		return AF_INET6;
	*p = &a->in6.sin6_addr.s6_addr[12];
	return AF_INET;
}

/* An address of the device, which is in the VRF if one is named. */
__api void add_addr_in(const char *dev, const char *vrf, const union addr *a, int plen)
{
	const void *p;
	int af = raw_addr(a, &p);
	int len = af == AF_INET ? 4 : 16;
	struct ifaddrmsg ifa = { .ifa_family = af, .ifa_prefixlen = plen,
				 .ifa_flags = IFA_F_NODAD,
				 .ifa_index = if_nametoindex(dev) };
	struct nl_req r;

	nl_init(&r, RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, &ifa, sizeof(ifa));
	nl_attr(&r, IFA_LOCAL, p, len);
	nl_attr(&r, IFA_ADDRESS, p, len);
	nl_talk(&r);
	if (af == AF_INET6)
		wait_routed(dev, vrf, &a->in6.sin6_addr);
}

__api void add_addr(const char *dev, const union addr *a, int plen)
{
	add_addr_in(dev, NULL, a, plen);
}

/* A route of TYPE (RTN_UNREACHABLE, RTN_PROHIBIT ...) to the host A. */
__api void add_route(int type, const union addr *a)
{
	const void *p;
	int af = raw_addr(a, &p);
	int len = af == AF_INET ? 4 : 16;
	struct rtmsg rt = { .rtm_family = af, .rtm_dst_len = len * 8,
			    .rtm_table = RT_TABLE_MAIN, .rtm_type = type,
			    .rtm_protocol = RTPROT_STATIC,
			    .rtm_scope = RT_SCOPE_UNIVERSE };
	struct nl_req r;

	nl_init(&r, RTM_NEWROUTE, NLM_F_CREATE, &rt, sizeof(rt));
	nl_attr(&r, RTA_DST, p, len);
	nl_talk(&r);
}

/*
 * A fresh namespace with the device "hole": what is sent to the address
 * returned leaves the host and never gets an answer (the far end of the veth
 * pair sees frames that are for another MAC address).
 */
__api union addr black_hole(void)
{
	union addr own = addr_of("198.51.100.1", "2001:db8:1::1", 0);

	fresh_ns();
	add_veth("hole", "far");
	if_flags("hole", IFF_NOARP, IFF_NOARP);
	if_flags("far", IFF_UP, IFF_UP);
	if_flags("hole", IFF_UP, IFF_UP);
	add_addr("hole", &own, st->af == AF_INET || st->mapped ? 24 : 64);
	return addr_of("198.51.100.2", "2001:db8:1::2", 7);
}

/* The same for two addresses of one device; returns the n-th (2, 3, 4 ...). */
__api union addr hole_addr(int n)
{
	char v4[32], v6[32];

	snprintf(v4, sizeof(v4), "198.51.100.%d", n);
	snprintf(v6, sizeof(v6), "2001:db8:1::%d", n);
	return addr_of(v4, v6, 7);
}

#endif
