// SPDX-License-Identifier: GPL-2.0
/*
 * Life of a socket: create, connect, shutdown, close, disconnect, destroy, and
 * the tables of functions that generic socket code calls.  What a segment or a
 * timer does to it is in input.c and timer.c; poll and ioctl are in poll.c.
 */
#include <net/xfrm.h>
#include "xtcp.h"

struct percpu_counter xtcp_sockets_allocated;
static atomic_long_t memory_allocated;
static DEFINE_PER_CPU(int, memory_per_cpu_fw_alloc);
static unsigned long memory_pressure;

/* What a connection may add to struct inet_sock and its timer.  With those of 6.1 it makes 2304
 * bytes, as kernel TCP's socket has: 14 to a slab of 32 KB.
 */
#define SOCK_PART_MAX	1248

int xtcp_sock_init(void)
{
	BUILD_BUG_ON(IS_ENABLED(CONFIG_64BIT) &&
		     sizeof(struct xtcp_sock) - sizeof(struct inet_sock) -
		     sizeof(struct hrtimer) > SOCK_PART_MAX);
	return percpu_counter_init(&xtcp_sockets_allocated, 0, GFP_KERNEL);
}

void xtcp_sock_exit(void)
{
	percpu_counter_destroy(&xtcp_sockets_allocated);
}

/* The core ends it by itself when enough is free again. */
static void enter_memory_pressure(struct sock *sk)
{
	if (READ_ONCE(memory_pressure))
		return;
	if (!xchg(&memory_pressure, 1))
		xtcp_sk_mib_inc(sk, XTCP_MEM_PRESSURE);
}

/* ---- creation and destruction ---- */

/* What a fresh socket and a child of a listener have in common. */
void xtcp_init_xs(struct sock *sk)
{
	struct xtcp_sock *xs = xtcp_sk(sk);

	xs->ep.kind = XTCP_EP_SOCK;
	xs->ep.net = sock_net(sk);
	xs->ep.node.pprev = NULL;
	xs->is_listening = 0;
	xs->bucket = NULL;
	INIT_HLIST_NODE(&xs->bind_node);
	xs->listen_node.pprev = NULL;
	INIT_LIST_HEAD(&xs->no_owner);
	xs->accept = NULL;
	xs->dead = 0;
	xs->orphan_listed = 0;
	xs->ofo = RB_ROOT;
	xs->ofo_truesize = 0;
	xs->tuned_at = 0;
	xtcp_sndbuf_init(sk);
	xtcp_timer_init(sk);
	xtcp_tcb_init(&xs->tcb);
	atomic_inc(&xtcp_sknet(sk)->sockets);
}

static void init_from_sysctls(struct sock *sk)
{
	struct xtcp_net *xn = xtcp_sknet(sk);
	struct xtcp_tcb *tcb = &xtcp_sk(sk)->tcb;

	sk->sk_sndbuf = READ_ONCE(xn->sysctl.wmem[1]);
	sk->sk_rcvbuf = READ_ONCE(xn->sysctl.rmem[1]);
	tcb->cc = xtcp_cong_get_default(xn);
	tcb->rto_min = (u64)READ_ONCE(xn->sysctl.rto_min) * NSEC_PER_USEC;
	tcb->rto_max = (u64)READ_ONCE(xn->sysctl.rto_max) * NSEC_PER_MSEC;
	tcb->delack_max = (u64)READ_ONCE(xn->sysctl.delack_max) * NSEC_PER_MSEC;
	tcb->rto_floor = (u64)READ_ONCE(xn->sysctl.rto_floor) * NSEC_PER_USEC;
	tcb->ack_delay = min((u64)READ_ONCE(xn->sysctl.max_ack_delay) * NSEC_PER_USEC,
			     tcb->delack_max);
	tcb->no_tlp = !READ_ONCE(xn->sysctl.early_retrans);
	tcb->no_frto = !READ_ONCE(xn->sysctl.frto);
	tcb->no_idle_restart = !READ_ONCE(xn->sysctl.slow_start_after_idle);
}

/* No reference is left, so no request of a listener either. */
static void free_sock(struct sock *sk)
{
	kfree(xtcp_sk(sk)->accept);
	if (sk->sk_family == AF_INET6)
		inet6_sock_destruct(sk);
	else
		inet_sock_destruct(sk);
}

static int init_sock(struct sock *sk)
{
	bool v6 = sk->sk_family == AF_INET6;

	xtcp_sk(sk)->xn = xtcp_pernet(sock_net(sk));
	sock_set_flag(sk, SOCK_RCU_FREE);
	sock_set_flag(sk, SOCK_USE_WRITE_QUEUE);
	sk->sk_write_space = xtcp_write_space;
	sk->sk_destruct = free_sock;
	sk->sk_gso_type = xtcp_gso_type(v6);
	xtcp_sk(sk)->negotiate = -1;
	xtcp_sk(sk)->af_ops = v6 ? &xtcp_v6_ops : &xtcp_v4_ops;
	init_from_sysctls(sk);
	xtcp_init_xs(sk);
	xtcp_early_start(xtcp_sknet(sk));
	sk_sockets_allocated_inc(sk);
	return 0;
}

/* proto.destroy: everything but the tables; also for a socket that failed to be
 * created, which has nothing yet.
 */
static void destroy_sock(struct sock *sk)
{
	struct xtcp_sock *xs = xtcp_sk(sk);

	xtcp_timer_stop(sk);
	xtcp_sndbuf_purge(sk);
	xtcp_rcvbuf_purge(sk);
	xtcp_tcb_purge(&xs->tcb);
	xtcp_cong_put(xs->tcb.cc);
	if (xs->bucket)
		xtcp_put_port(sk);
	atomic_dec(&xtcp_sknet(sk)->sockets);
	sk_sockets_allocated_dec(sk);
}

static void orphan_unlist(struct sock *sk)
{
	struct xtcp_sock *xs = xtcp_sk(sk);
	struct xtcp_net *xn = xtcp_sknet(sk);

	spin_lock_bh(&xn->orphan_lock);
	if (xs->orphan_listed) {
		list_del_init(&xs->no_owner);
		xs->orphan_listed = 0;
		atomic_dec(&xn->orphan_count);
	}
	spin_unlock_bh(&xn->orphan_lock);
}

void xtcp_destroy(struct sock *sk)
{
	struct xtcp_sock *xs = xtcp_sk(sk);

	if (xs->dead)
		return;
	xs->dead = 1;
	orphan_unlist(sk);
	xtcp_unhash(sk);
	destroy_sock(sk);
	sk_stream_kill_queues(sk);
	xfrm_sk_free_policy(sk);
	sock_put(sk);
}

/* ---- orphans: closed by the user, alive for the peer ---- */

int xtcp_orphan_retries(struct sock *sk, bool alive)
{
	int n = READ_ONCE(xtcp_sknet(sk)->sysctl.orphan_retries);

	/* an unreachable peer is given up at once, a slow one after about 100 s */
	if (READ_ONCE(sk->sk_err_soft) && !alive)
		return 0;
	return n ?: 8;
}

static bool too_many_orphans(struct sock *sk)
{
	struct xtcp_net *xn = xtcp_sknet(sk);

	return atomic_read(&xn->orphan_count) >= READ_ONCE(xn->sysctl.max_orphans) ||
	       (sk->sk_wmem_queued > SOCK_MIN_SNDBUF &&
		sk_memory_allocated(sk) > sk_prot_mem_limits(sk, 2));
}

static void orphan_list(struct sock *sk)
{
	struct xtcp_sock *xs = xtcp_sk(sk);
	struct xtcp_net *xn = xtcp_sknet(sk);

	spin_lock_bh(&xn->orphan_lock);
	list_add_tail(&xs->no_owner, &xn->orphans);
	xs->orphan_listed = 1;
	atomic_inc(&xn->orphan_count);
	spin_unlock_bh(&xn->orphan_lock);
}

static void abort_connection(struct sock *sk, enum xtcp_mib why)
{
	xtcp_sk_mib_inc(sk, why);
	xtcp_send_reset(sk);
	xtcp_event(sk, EV_ABORT);
}

static struct sock *first_orphan(struct xtcp_net *xn)
{
	struct xtcp_sock *xs;
	struct sock *sk = NULL;

	spin_lock_bh(&xn->orphan_lock);
	xs = list_first_entry_or_null(&xn->orphans, struct xtcp_sock, no_owner);
	if (xs) {
		sk = &xs->inet.sk;
		sock_hold(sk);
	}
	spin_unlock_bh(&xn->orphan_lock);
	return sk;
}

void xtcp_abort_orphans(struct net *net)
{
	struct xtcp_net *xn = xtcp_pernet(net);
	struct sock *sk;

	while ((sk = first_orphan(xn))) {
		lock_sock(sk);
		if (sk->sk_state != TCP_CLOSE)
			abort_connection(sk, XTCP_ABORT_ON_CLOSE);
		release_sock(sk);
		sock_put(sk);
		cond_resched();
	}
}

/* ---- failure ---- */

void xtcp_fail(struct sock *sk, int err, enum xtcp_event ev)
{
	WRITE_ONCE(sk->sk_err, err);
	if (!sock_flag(sk, SOCK_DEAD))
		sk_error_report(sk);
	xtcp_event(sk, ev);
}

/* ---- connect ---- */

bool xtcp_wants_ecn(const struct sock *sk, const struct dst_entry *dst)
{
	return READ_ONCE(xtcp_sk(sk)->tcb.cc)->flags & XTCP_CC_ECN ||
	       (dst && dst_feature(dst, RTAX_FEATURE_ECN));
}

static void offer(struct sock *sk, u64 now)
{
	struct xtcp_sock *xs = xtcp_sk(sk);
	const struct xtcp_sysctl *ctl = &xtcp_sknet(sk)->sysctl;
	struct xtcp_tcb *tcb = &xs->tcb;
	struct dst_entry *dst = __sk_dst_get(sk);
	struct xtcp_metrics known;
	u8 wscale;

	xtcp_tcb_init(tcb);
	tcb->sack_ok = !!READ_ONCE(ctl->sack);
	tcb->ts_ok = !!READ_ONCE(ctl->timestamps);
	tcb->wscale_ok = !!READ_ONCE(ctl->window_scaling);
	tcb->nego_ok = xtcp_negotiates(sk);
	tcb->ts_us = tcb->nego_ok && tcb->ts_ok;
	if (xtcp_metrics_get(sock_net(sk), &xs->ep.key.raddr, sk->sk_bound_dev_if, &known))
		xtcp_sk_mib_inc(sk, XTCP_METRICS_USED);
	xtcp_share_start(tcb, &known);
	tcb->ts_offset = xtcp_ts_offset(sock_net(sk), &xs->ep.key);
	xtcp_tcb_set_iss(tcb, xtcp_isn(&xs->ep.key, now));
	xtcp_sync_mss(sk, dst ? dst_mtu(dst) : IPV6_MIN_MTU);
	tcb->rcv_wnd = xtcp_initial_window(sk, xs->mss_cache, tcb->wscale_ok, &wscale);
	tcb->rcv_wscale = wscale;
	tcb->ecn_offer = xtcp_wants_ecn(sk, dst) || READ_ONCE(ctl->ecn) == 1;
	tcb->ecn_fallback = !!READ_ONCE(ctl->ecn_fallback);
}

int xtcp_connect_start(struct sock *sk)
{
	u64 now = xtcp_now();
	int err = xtcp_hash_connect(sk);

	if (err)
		return err;
	sk_set_txhash(sk);
	offer(sk, now);
	WRITE_ONCE(sk->sk_err, 0);
	sock_reset_flag(sk, SOCK_DONE);
	xtcp_sk_mib_inc(sk, XTCP_ACTIVE_OPENS);
	xtcp_event(sk, EV_OPEN_ACTIVE);
	xtcp_flush(sk, now);
	return 0;
}

/* ---- shutdown and close ---- */

/* RFC 9293 3.10.4: queue a FIN behind what is there. */
static void queue_fin(struct sock *sk)
{
	struct xtcp_tcb *tcb = &xtcp_sk(sk)->tcb;

	tcb->fin_queued = 1;
	tcb->more = 0;
	tcb->push_seq = tcb->write_seq;
	xtcp_event(sk, EV_CLOSE);
	xtcp_flush(sk, xtcp_now());
}

static bool may_queue_fin(const struct sock *sk)
{
	return sk->sk_state == TCP_ESTABLISHED || sk->sk_state == TCP_SYN_RECV ||
	       sk->sk_state == TCP_CLOSE_WAIT;
}

void xtcp_shutdown(struct sock *sk, int how)
{
	if (how & SEND_SHUTDOWN && may_queue_fin(sk))
		queue_fin(sk);
}

/* What close() does to the connection itself. */
static void close_connection(struct sock *sk)
{
	switch (sk->sk_state) {
	case TCP_LISTEN:
		xtcp_listen_stop(sk);
		xtcp_event(sk, EV_CLOSE);
		return;
	case TCP_CLOSE:
		return;
	case TCP_SYN_SENT:
		xtcp_event(sk, EV_CLOSE);
		return;
	}
	if (xtcp_rcvbuf_unread(sk)) {
		/* RFC 2525 2.17: the peer must learn that its data was lost */
		abort_connection(sk, XTCP_ABORT_ON_CLOSE);
	} else if (sock_flag(sk, SOCK_LINGER) && !sk->sk_lingertime) {
		abort_connection(sk, XTCP_ABORT_ON_DATA);
	} else if (may_queue_fin(sk)) {
		queue_fin(sk);
	}
}

/* SO_LINGER: wait until the peer has acknowledged everything, or the time is over. */
static void wait_for_close(struct sock *sk, long timeout)
{
	DEFINE_WAIT_FUNC(wait, woken_wake_function);

	if (!timeout)
		return;
	add_wait_queue(sk_sleep(sk), &wait);
	do {
		bool closing = sk->sk_state == TCP_FIN_WAIT1 || sk->sk_state == TCP_CLOSING ||
			       sk->sk_state == TCP_LAST_ACK;

		if (!closing || signal_pending(current))
			break;
		release_sock(sk);
		timeout = wait_woken(&wait, TASK_INTERRUPTIBLE, timeout);
		lock_sock(sk);
	} while (timeout);
	remove_wait_queue(sk_sleep(sk), &wait);
}

/* No process knows the socket from here on. */
static void become_orphan(struct sock *sk)
{
	struct xtcp_sock *xs = xtcp_sk(sk);

	if (sk->sk_state == TCP_FIN_WAIT2) {
		if (xs->linger2 < 0) {
			abort_connection(sk, XTCP_ABORT_ON_LINGER);
			return;
		}
		xtcp_linger_start(sk);
	}
	if (too_many_orphans(sk)) {
		abort_connection(sk, XTCP_ABORT_ON_MEMORY);
		return;
	}
	orphan_list(sk);
}

void xtcp_close(struct sock *sk, long timeout)
{
	lock_sock(sk);
	WRITE_ONCE(sk->sk_shutdown, SHUTDOWN_MASK);
	close_connection(sk);
	xtcp_rcvbuf_purge(sk);
	wait_for_close(sk, timeout);

	sock_hold(sk);
	sock_orphan(sk);
	if (sk->sk_state == TCP_CLOSE)
		xtcp_destroy(sk);
	else
		become_orphan(sk);
	/* the backlog runs here and may find it closed: state.c destroys it then */
	release_sock(sk);
	sock_put(sk);
}

/* ---- disconnect: connect(AF_UNSPEC), a failed connect, a listener shut down ---- */

/* RFC 9293 3.10.5: states in which the peer is told */
static bool abort_needs_reset(const struct sock *sk)
{
	switch (sk->sk_state) {
	case TCP_SYN_RECV:
	case TCP_ESTABLISHED:
	case TCP_FIN_WAIT1:
	case TCP_FIN_WAIT2:
	case TCP_CLOSE_WAIT:
		return true;
	default:
		return false;
	}
}

static void drop_connection(struct sock *sk)
{
	if (sk->sk_state == TCP_LISTEN) {
		xtcp_listen_stop(sk);
		xtcp_event(sk, EV_CLOSE);
	} else if (sk->sk_state == TCP_SYN_SENT) {
		WRITE_ONCE(sk->sk_err, ECONNRESET);
		xtcp_event(sk, EV_ABORT);
	} else if (sk->sk_state != TCP_CLOSE) {
		if (abort_needs_reset(sk))
			xtcp_send_reset(sk);
		xtcp_fail(sk, ECONNRESET, EV_ABORT);
	}
}

/* Everything of the last connection goes; options stay. */
static void forget_connection(struct sock *sk)
{
	struct xtcp_sock *xs = xtcp_sk(sk);

	inet_sk(sk)->inet_dport = 0;
	if (!(sk->sk_userlocks & SOCK_BINDADDR_LOCK))
		inet_reset_saddr(sk);
	if (sk->sk_family == AF_INET6)
		xs->af_ops = &xtcp_v6_ops;
	WRITE_ONCE(sk->sk_shutdown, 0);
	sock_reset_flag(sk, SOCK_DONE);
	xtcp_rcvbuf_purge(sk);
	xtcp_tcb_init(&xs->tcb);
	xs->copied_seq = 0;
	xs->tuned_at = 0;
	xs->urg_data = 0;
	sk->sk_err_soft = 0;
	if (sk->sk_frag.page) {
		put_page(sk->sk_frag.page);
		sk->sk_frag.page = NULL;
		sk->sk_frag.offset = 0;
	}
	sk_dst_reset(sk);
	dst_release(xtcp_early_forget(sk));
}

int xtcp_disconnect(struct sock *sk, int flags)
{
	drop_connection(sk);
	forget_connection(sk);
	sk_error_report(sk);
	return 0;
}

/* ---- the tables ---- */

static int pre_connect_v4(struct sock *sk, xt_sockaddr *uaddr, int addr_len)
{
	if (addr_len < sizeof(struct sockaddr_in))
		return -EINVAL;
	return xt_cgroup_connect4(sk, uaddr, &addr_len);
}

static int pre_connect_v6(struct sock *sk, xt_sockaddr *uaddr, int addr_len)
{
	if (uaddr->sa_family == AF_INET)
		return pre_connect_v4(sk, uaddr, addr_len);
	if (addr_len < SIN6_LEN_RFC2133)
		return -EINVAL;
	return xt_cgroup_connect6(sk, uaddr, &addr_len);
}

/* Work that came while a process owned the socket. */
static void release_cb(struct sock *sk)
{
	struct xtcp_sock *xs = xtcp_sk(sk);

	if (!READ_ONCE(xs->deferred))
		return;
	if (test_and_clear_bit(XTCP_DEFER_TIMER, &xs->deferred))
		xtcp_timer_run(sk, xtcp_now());
	if (test_and_clear_bit(XTCP_DEFER_MTU, &xs->deferred))
		xtcp_mtu_reduced(sk);
}

XT_DEFINE_PROTO_ACCEPT(accept_sk, xtcp_accept_sk)
XT_DEFINE_PROTO_IOCTL(ioctl_sk, xtcp_ioctl)
XT_DEFINE_PROTO_RECVMSG(recvmsg_sk, xtcp_recvmsg_common)

#define PROTO_COMMON						\
	.owner			= THIS_MODULE,			\
	.close			= xtcp_close,			\
	.disconnect		= xtcp_disconnect,		\
	.accept			= accept_sk,			\
	.ioctl			= ioctl_sk,			\
	.init			= init_sock,			\
	.destroy		= destroy_sock,			\
	.shutdown		= xtcp_shutdown,		\
	.setsockopt		= xtcp_setsockopt,		\
	.getsockopt		= xtcp_getsockopt,		\
	.keepalive		= xtcp_set_keepalive,		\
	.sendmsg		= xtcp_sendmsg,			\
	.stream_memory_free	= xtcp_stream_memory_free,	\
	.recvmsg		= recvmsg_sk,			\
	.backlog_rcv		= xtcp_do_rcv,			\
	.release_cb		= release_cb,			\
	.hash			= xtcp_hash,			\
	.unhash			= xtcp_unhash,			\
	.get_port		= xtcp_get_port,		\
	.put_port		= xtcp_put_port,		\
	.memory_allocated	= &memory_allocated,		\
	.per_cpu_fw_alloc	= &memory_per_cpu_fw_alloc,	\
	.sockets_allocated	= &xtcp_sockets_allocated,	\
	.memory_pressure	= &memory_pressure,		\
	.enter_memory_pressure	= enter_memory_pressure,	\
	.sysctl_mem		= xtcp_sysctl_mem,		\
	.sysctl_wmem		= &xtcp_wmem_min,			\
	.sysctl_rmem		= &xtcp_rmem_min,			\
	.max_header		= XTCP_MAX_HEADER,		\
	.no_autobind		= true

struct proto xtcp_prot = {
	PROTO_COMMON,
	.name			= "XTCP",
	.pre_connect		= pre_connect_v4,
	.connect		= xtcp_v4_connect,
	.obj_size		= sizeof(struct xtcp_sock),
};

struct proto xtcpv6_prot = {
	PROTO_COMMON,
	.name			= "XTCPv6",
	.pre_connect		= pre_connect_v6,
	.connect		= xtcp_v6_connect,
	.obj_size		= sizeof(struct xtcp6_sock),
	XT_PROTO_PINFO(struct xtcp6_sock, inet6)
};

#define OPS_COMMON						\
	.owner		= THIS_MODULE,				\
	.connect	= inet_stream_connect,			\
	.socketpair	= sock_no_socketpair,			\
	.accept		= inet_accept,				\
	.poll		= xtcp_poll,				\
	.gettstamp	= sock_gettstamp,			\
	.listen		= xtcp_listen,				\
	.shutdown	= inet_shutdown,			\
	.setsockopt	= sock_common_setsockopt,		\
	.getsockopt	= sock_common_getsockopt,		\
	.sendmsg	= inet_sendmsg,				\
	.recvmsg	= inet_recvmsg,				\
	.mmap		= sock_no_mmap,				\
	.splice_read	= xtcp_splice_read,			\
	.set_peek_off	= sk_set_peek_off,			\
	.sendmsg_locked	= xtcp_sendmsg_locked,			\
	XT_OPS_SPLICE						\
	.set_rcvlowat	= xtcp_set_rcvlowat

const struct proto_ops xtcp_stream_ops = {
	.family		= PF_INET,
	OPS_COMMON,
	.release	= inet_release,
	.bind		= inet_bind,
	.getname	= inet_getname,
	.ioctl		= inet_ioctl,
};

const struct proto_ops xtcpv6_stream_ops = {
	.family		= PF_INET6,
	OPS_COMMON,
	.release	= inet6_release,
	.bind		= inet6_bind,
	.getname	= inet6_getname,
	.ioctl		= inet6_ioctl,
#ifdef CONFIG_COMPAT
	.compat_ioctl	= inet6_compat_ioctl,
#endif
};
