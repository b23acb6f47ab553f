/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Everything that differs between the kernels this module builds for, and
 * nothing else.  probe.mk greps the headers and defines XT_*; only this file
 * tests those names, the rest of the module uses the xt_* below.
 *
 * Do not use READ_ONCE() on hop_limit, pmtudisc and srcprefs of ipv6_pinfo:
 * they are bit-fields on old kernels.
 */
#ifndef _XTCP_COMPAT_H
#define _XTCP_COMPAT_H

#include <linux/bpf-cgroup.h>
#include <linux/errqueue.h>
#include <linux/filter.h>
#include <linux/hrtimer.h>
#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/sysctl.h>
#include <net/gro.h>
#include <net/inet_common.h>
#include <net/inet_sock.h>
#include <net/ip.h>
#include <net/ip6_fib.h>
#include <net/ip6_route.h>
#include <net/ipv6.h>
#include <net/net_namespace.h>
#include <net/sock.h>
#include <net/transp_v6.h>

/* headers split off from others */
#if __has_include(<linux/unaligned.h>)
#include <linux/unaligned.h>
#else
#include <asm/unaligned.h>
#endif
#if __has_include(<net/gso.h>)
#include <net/gso.h>
#endif
#if __has_include(<net/proto_memory.h>)
#include <net/proto_memory.h>
#endif
#if __has_include(<net/rps.h>)
#include <net/rps.h>
#endif
#if __has_include(<net/hotdata.h>)
#include <net/hotdata.h>
#endif

/* ------------------------------------------------ addresses of bind(), connect() */

#ifdef XT_SOCKADDR_UNSIZED
typedef struct sockaddr_unsized xt_sockaddr;
#else
typedef struct sockaddr xt_sockaddr;
#endif

/* proto.pre_connect: the cgroup's programs; the value of the function is 0 or -errno */
#ifdef XT_CGROUP_ADDRLEN
#define xt_cgroup_connect4(sk, uaddr, lenp) \
	BPF_CGROUP_RUN_PROG_INET4_CONNECT(sk, uaddr, lenp)
#define xt_cgroup_connect6(sk, uaddr, lenp) \
	BPF_CGROUP_RUN_PROG_INET6_CONNECT(sk, uaddr, lenp)
#else
#define xt_cgroup_connect4(sk, uaddr, lenp) \
	((void)(lenp), BPF_CGROUP_RUN_PROG_INET4_CONNECT(sk, uaddr))
#define xt_cgroup_connect6(sk, uaddr, lenp) \
	((void)(lenp), BPF_CGROUP_RUN_PROG_INET6_CONNECT(sk, uaddr))
#endif

/* ------------------------------------------------ members of struct proto, proto_ops
 *
 * XT_DEFINE_PROTO_x(name, impl) defines a static function @name to put into
 * struct proto; @impl is
 *  ACCEPT:  struct sock *(struct sock *sk, int flags, int *err, bool kern)
 *  IOCTL:   int (struct sock *sk, int cmd, int *value), -ENOIOCTLCMD if not ours
 *  RECVMSG: int (struct sock *sk, struct msghdr *msg, size_t len, int flags)
 */

#ifdef XT_ACCEPT_ARG
#define XT_DEFINE_PROTO_ACCEPT(name, impl)					\
static struct sock *name(struct sock *sk, struct proto_accept_arg *arg)	\
{										\
	return impl(sk, arg->flags, &arg->err, arg->kern);			\
}
#else
#define XT_DEFINE_PROTO_ACCEPT(name, impl)					\
static struct sock *name(struct sock *sk, int flags, int *err, bool kern)	\
{										\
	return impl(sk, flags, err, kern);					\
}
#endif

#ifdef XT_IOCTL_KARG
#define XT_DEFINE_PROTO_IOCTL(name, impl)					\
static int name(struct sock *sk, int cmd, int *karg)				\
{										\
	return impl(sk, cmd, karg);						\
}
#else
#define XT_DEFINE_PROTO_IOCTL(name, impl)					\
static int name(struct sock *sk, int cmd, unsigned long arg)			\
{										\
	int value = 0;								\
	int err = impl(sk, cmd, &value);					\
										\
	return err ?: put_user(value, (int __user *)arg);			\
}
#endif

#ifdef XT_RECVMSG_ADDRLEN
#define XT_DEFINE_PROTO_RECVMSG(name, impl)					\
static int name(struct sock *sk, struct msghdr *msg, size_t len, int flags,	\
		int *addr_len)							\
{										\
	return impl(sk, msg, len, flags);					\
}
#else
#define XT_DEFINE_PROTO_RECVMSG(name, impl)					\
static int name(struct sock *sk, struct msghdr *msg, size_t len, int flags)	\
{										\
	return impl(sk, msg, len, flags);					\
}
#endif

/* MSG_ERRQUEUE */
static inline int xt_recv_error(struct sock *sk, struct msghdr *msg, size_t len)
{
#ifdef XT_RECVERR_ADDRLEN
	int addr_len = 0;
	int err = inet_recv_error(sk, msg, len, &addr_len);

	if (err >= 0)
		msg->msg_namelen = addr_len;
	return err;
#else
	return inet_recv_error(sk, msg, len);
#endif
}

/* sendfile(): page by page, or by sendmsg(MSG_SPLICE_PAGES) and a word when the file has ended */
#ifdef XT_SENDPAGE
#define XT_OPS_SPLICE							\
	.sendpage = xtcp_sendpage,
#else
#define XT_OPS_SPLICE							\
	.splice_eof = xtcp_splice_eof,
#endif
#ifndef MSG_SPLICE_PAGES
#define MSG_SPLICE_PAGES	0x8000000
#endif
#ifndef MSG_SENDPAGE_NOTLAST
#define MSG_SENDPAGE_NOTLAST	0
#endif

/* struct proto must say where the ipv6_pinfo is, if it can; it is last anyhow */
#ifdef XT_PINFO_OFFSET
#define XT_PROTO_PINFO(type, member) .ipv6_pinfo_offset = offsetof(type, member),
#else
#define XT_PROTO_PINFO(type, member)
#endif

/* ------------------------------------------------ flags of struct inet_sock, ipv6_pinfo */

#ifdef XT_INET_FLAGS
#define XT_INET_FLAG(name, old, NEW)						\
static inline bool xt_##name(const struct sock *sk)				\
{										\
	return inet_test_bit(NEW, sk);						\
}
#define XT_INET6_FLAG XT_INET_FLAG
#else
#define XT_INET_FLAG(name, old, NEW)						\
static inline bool xt_##name(const struct sock *sk)				\
{										\
	return inet_sk(sk)->old;						\
}
#define XT_INET6_FLAG(name, old, NEW)						\
static inline bool xt_##name(const struct sock *sk)				\
{										\
	return inet6_sk(sk)->old;						\
}
#endif

XT_INET_FLAG(freebind, freebind, FREEBIND)
XT_INET_FLAG(transparent, transparent, TRANSPARENT)
XT_INET_FLAG(recverr, recverr, RECVERR)
XT_INET_FLAG(bind_no_port, bind_address_no_port, BIND_ADDRESS_NO_PORT)
XT_INET6_FLAG(recverr6, recverr, RECVERR6)
XT_INET6_FLAG(sndflow, sndflow, SNDFLOW)
XT_INET6_FLAG(repflow, repflow, REPFLOW)
XT_INET6_FLAG(autoflowlabel, autoflowlabel, AUTOFLOWLABEL)

static inline unsigned long xt_cmsg_flags(const struct sock *sk)
{
#ifdef XT_INET_FLAGS
	return inet_cmsg_flags(inet_sk(sk));
#else
	return inet_sk(sk)->cmsg_flags;
#endif
}

/* ------------------------------------------------ sockets */

/* 0 = root for a socket without an owner, as in /proc/net/tcp */
static inline kuid_t xt_sk_uid(struct sock *sk)
{
#ifdef XT_SK_UID
	return sk->sk_socket ? sk_uid(sk) : GLOBAL_ROOT_UID;
#else
	return sock_i_uid(sk);
#endif
}

/* may the skb pass the socket's filter? */
static inline bool xt_sk_filter(struct sock *sk, struct sk_buff *skb, unsigned int cap)
{
	return !sk_filter_trim_cap(sk, skb, cap);
}

/* Return: true where the socket has a range of its own */
static inline bool xt_local_port_range(const struct sock *sk, int *low, int *high)
{
#ifdef XT_PORT_RANGE_BOOL
	return inet_sk_get_local_port_range(sk, low, high);
#else
	inet_sk_get_local_port_range(sk, low, high);
	return inet_sk(sk)->local_port_range.lo || inet_sk(sk)->local_port_range.hi;
#endif
}

/* a child has none of its listener's flow labels */
static inline void xt_flowlabel_list_init(struct sock *sk)
{
#ifdef XT_FL_IN_INET_SOCK
	RCU_INIT_POINTER(inet_sk(sk)->ipv6_fl_list, NULL);
#else
	RCU_INIT_POINTER(inet6_sk(sk)->ipv6_fl_list, NULL);
#endif
}

/* route and its cookie into an IPv6 socket; consumes the reference on @dst */
static inline void xt_ip6_dst_store(struct sock *sk, struct dst_entry *dst)
{
	inet6_sk(sk)->dst_cookie = rt6_get_cookie((struct rt6_info *)dst);
	sk_setup_caps(sk, dst);
}

/* fields of struct tcp_info that came later */
#ifdef XT_TCPI_RCV_WND
#define xt_info_rcv_wnd(info, wnd)	((info)->tcpi_rcv_wnd = (wnd))
#else
#define xt_info_rcv_wnd(info, wnd)	do { } while (0)
#endif
#ifdef XT_TCPI_TOTAL_RTO
#define xt_info_rto(info, n, recoveries, ms)					\
do {										\
	(info)->tcpi_total_rto = (n);						\
	(info)->tcpi_total_rto_recoveries = (recoveries);			\
	(info)->tcpi_total_rto_time = (ms);					\
} while (0)
#else
#define xt_info_rto(info, n, recoveries, ms)	do { } while (0)
#endif

/* ------------------------------------------------ ICMP errors for the error queue
 *
 * ip_icmp_error() and ipv6_icmp_error() are exported since inet_flags came.
 */

#ifdef XT_INET_FLAGS
#define xt_ip_icmp_error	ip_icmp_error
#define xt_ipv6_icmp_error	ipv6_icmp_error
#else
static inline void xt_queue_icmp_error(struct sock *sk, struct sk_buff *skb, u8 *payload)
{
	if (!skb_pull(skb, payload - skb->data))
		goto free;
	skb_reset_transport_header(skb);
	if (!sock_queue_err_skb(sk, skb))
		return;
free:
	kfree_skb(skb);
}

static inline void xt_ip_icmp_error(struct sock *sk, struct sk_buff *quote, int err,
				    __be16 port, u32 info, u8 *payload)
{
	const struct icmphdr *icmp = icmp_hdr(quote);
	struct sk_buff *skb = skb_clone(quote, GFP_ATOMIC);
	struct sock_exterr_skb *ee;

	if (!skb)
		return;
	ee = SKB_EXT_ERR(skb);
	memset(ee, 0, sizeof(*ee));
	ee->ee.ee_errno = err;
	ee->ee.ee_origin = SO_EE_ORIGIN_ICMP;
	ee->ee.ee_type = icmp->type;
	ee->ee.ee_code = icmp->code;
	ee->ee.ee_info = info;
	ee->addr_offset = (u8 *)&((struct iphdr *)(icmp + 1))->daddr -
			  skb_network_header(skb);
	ee->port = port;
	xt_queue_icmp_error(sk, skb, payload);
}

static inline void xt_ipv6_icmp_error(struct sock *sk, struct sk_buff *quote, int err,
				      __be16 port, u32 info, u8 *payload)
{
	const struct icmp6hdr *icmp = icmp6_hdr(quote);
	struct sk_buff *skb;
	struct sock_exterr_skb *ee;

	if (!inet6_sk(sk)->recverr)
		return;
	skb = skb_clone(quote, GFP_ATOMIC);
	if (!skb)
		return;
	ee = SKB_EXT_ERR(skb);
	memset(ee, 0, sizeof(*ee));
	ee->ee.ee_errno = err;
	ee->ee.ee_origin = SO_EE_ORIGIN_ICMP6;
	ee->ee.ee_type = icmp->icmp6_type;
	ee->ee.ee_code = icmp->icmp6_code;
	ee->ee.ee_info = info;
	ee->addr_offset = (u8 *)&((struct ipv6hdr *)(icmp + 1))->daddr -
			  skb_network_header(skb);
	ee->port = port;
	xt_queue_icmp_error(sk, skb, payload);
}
#endif

/* ------------------------------------------------ segments that leave later */

/* @at: ns of CLOCK_MONOTONIC; the argument that says so was a bool once */
#define xt_set_delivery_time(skb, at)	skb_set_delivery_time(skb, ns_to_ktime(at), 1)

/* ------------------------------------------------ memory */

/* the @n-th page behind @page, where the pages of a frag may not be in one array */
#ifndef nth_page
#define nth_page(page, n)	((page) + (n))
#endif

/* ------------------------------------------------ timers */

static inline void xt_hrtimer_setup(struct hrtimer *timer,
				    enum hrtimer_restart (*fn)(struct hrtimer *),
				    clockid_t clock, enum hrtimer_mode mode)
{
#ifdef XT_HRTIMER_SETUP
	hrtimer_setup(timer, fn, clock, mode);
#else
	hrtimer_init(timer, clock, mode);
	timer->function = fn;
#endif
}

/* ------------------------------------------------ sysctls */

#ifdef XT_CTL_CONST
typedef const struct ctl_table xt_ctl_table;
#else
typedef struct ctl_table xt_ctl_table;
#endif

/* @table has @n entries and an empty one behind them */
static inline struct ctl_table_header *
xt_register_net_sysctl(struct net *net, const char *path, struct ctl_table *table, size_t n)
{
#ifdef XT_SYSCTL_SZ
	return register_net_sysctl_sz(net, path, table, n);
#else
	return register_net_sysctl(net, path, table);
#endif
}

#endif
