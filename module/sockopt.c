// SPDX-License-Identifier: GPL-2.0
/*
 * Socket options: a row each, with numbers, ranges, units and errors of kernel
 * TCP's, at the levels SOL_TCP and SOL_XTCP.  What has no row here gives ENOPROTOOPT.
 * SOL_IP and SOL_IPV6 go to the network layer; SOL_SOCKET never comes here.
 * Options of a listener are its children's, which are clones.
 */
#include <net/ip.h>
#include <net/ipv6.h>

#include "xtcp.h"

#define MAX_KEEPALIVE	32767		/* s */
#define MAX_LINGER2	120		/* s; more is cut to it */
#define MAX_USER_MSS	32767
#define MIN_CLAMP	(SOCK_MIN_RCVBUF / 2)

union value {
	int number;
	char name[XTCP_CC_NAME_MAX];
	struct tcp_info info;
	struct xtcp_info own_info;
};

/**
 * struct option - one socket option
 * @name: TCP_*
 * @min: smallest number that is taken, less is EINVAL
 * @max: largest
 * @get: the number; socket not locked
 * @set: take a number in the range; socket locked. Return: 0 or -errno
 * @read: instead of @get: fills the value, returns its size
 * @write: instead of @set: takes the user's buffer; socket locked
 */
struct option {
	int name;
	int min, max;
	int (*get)(const struct sock *sk);
	int (*set)(struct sock *sk, int val);
	int (*read)(struct sock *sk, union value *v);
	int (*write)(struct sock *sk, sockptr_t val, unsigned int len);
};

static const struct xtcp_sysctl *ctl_of(const struct sock *sk)
{
	return &xtcp_sknet(sk)->sysctl;
}

static bool is_open(const struct sock *sk)
{
	u8 state = inet_sk_state_load(sk);

	return state != TCP_CLOSE && state != TCP_LISTEN;
}

/* ---- sending ---- */

static int get_nodelay(const struct sock *sk)
{
	return xtcp_sk(sk)->tcb.nodelay;
}

/* Both switches send at once what they no longer hold back. */
static int set_nodelay(struct sock *sk, int val)
{
	xtcp_sk(sk)->tcb.nodelay = !!val;
	if (val)
		xtcp_flush(sk, xtcp_now());
	return 0;
}

static int get_cork(const struct sock *sk)
{
	return xtcp_sk(sk)->tcb.cork;
}

static int set_cork(struct sock *sk, int val)
{
	struct xtcp_tcb *tcb = &xtcp_sk(sk)->tcb;

	tcb->cork = !!val;
	if (val)
		return 0;
	tcb->push_seq = tcb->write_seq;
	xtcp_flush(sk, xtcp_now());
	return 0;
}

static int get_maxseg(const struct sock *sk)
{
	if (is_open(sk))
		return READ_ONCE(xtcp_sk(sk)->tcb.snd_mss);
	return READ_ONCE(xtcp_sk(sk)->user_mss) ?: XTCP_MSS_DEFAULT;
}

static int set_maxseg(struct sock *sk, int val)
{
	if (val && val < XTCP_MSS_MIN)
		return -EINVAL;
	WRITE_ONCE(xtcp_sk(sk)->user_mss, val);
	return 0;
}

static int get_notsent_lowat(const struct sock *sk)
{
	return READ_ONCE(xtcp_sk(sk)->notsent_lowat);
}

static int set_notsent_lowat(struct sock *sk, int val)
{
	WRITE_ONCE(xtcp_sk(sk)->notsent_lowat, val);
	sk->sk_write_space(sk);
	return 0;
}

static int get_user_timeout(const struct sock *sk)
{
	return READ_ONCE(xtcp_sk(sk)->user_timeout);
}

static int set_user_timeout(struct sock *sk, int val)
{
	WRITE_ONCE(xtcp_sk(sk)->user_timeout, val);
	return 0;
}

/* ---- opening and closing ---- */

static int get_syncnt(const struct sock *sk)
{
	return READ_ONCE(xtcp_sk(sk)->syn_retries) ?: READ_ONCE(ctl_of(sk)->syn_retries);
}

static int set_syncnt(struct sock *sk, int val)
{
	WRITE_ONCE(xtcp_sk(sk)->syn_retries, val);
	return 0;
}

static int get_linger2(const struct sock *sk)
{
	return READ_ONCE(xtcp_sk(sk)->linger2) ?: READ_ONCE(ctl_of(sk)->fin_timeout);
}

static int set_linger2(struct sock *sk, int val)
{
	WRITE_ONCE(xtcp_sk(sk)->linger2, val < 0 ? -1 : min(val, MAX_LINGER2));
	return 0;
}

/* DEFER_ACCEPT is given in seconds and kept as the number of SYN,ACKs whose
 * back-off (1, 2, 4 ... s, at most rto_max) covers them.
 */
static int backoff_seconds(int n)
{
	int i, period = 1, sum = 0;

	for (i = 0; i < n; i++) {
		sum += period;
		period = min_t(int, 2 * period, 120);
	}
	return sum;
}

static int get_defer_accept(const struct sock *sk)
{
	return backoff_seconds(READ_ONCE(xtcp_sk(sk)->defer_accept));
}

static int set_defer_accept(struct sock *sk, int val)
{
	int n = 0;

	while (n < U8_MAX && backoff_seconds(n) < val)
		n++;
	WRITE_ONCE(xtcp_sk(sk)->defer_accept, n);
	return 0;
}

/* ---- between two XTCPs ---- */

static int get_negotiate(const struct sock *sk)
{
	return xtcp_negotiates(sk);
}

static int set_negotiate(struct sock *sk, int val)
{
	WRITE_ONCE(xtcp_sk(sk)->negotiate, val);
	return 0;
}

static int get_rto_floor(const struct sock *sk)
{
	return div_u64(READ_ONCE(xtcp_sk(sk)->tcb.rto_floor), NSEC_PER_USEC);
}

static int set_rto_floor(struct sock *sk, int val)
{
	WRITE_ONCE(xtcp_sk(sk)->tcb.rto_floor, (u64)val * NSEC_PER_USEC);
	xtcp_rto_update(&xtcp_sk(sk)->tcb);
	return 0;
}

static int read_own_info(struct sock *sk, union value *v)
{
	xtcp_get_own_info(sk, &v->own_info);
	return sizeof(v->own_info);
}

/* ---- keepalive ---- */

static int get_keepidle(const struct sock *sk)
{
	return READ_ONCE(xtcp_sk(sk)->keepalive_time) ?:
	       READ_ONCE(ctl_of(sk)->keepalive_time);
}

static int set_keepidle(struct sock *sk, int val)
{
	struct xtcp_sock *xs = xtcp_sk(sk);
	u64 *at = &xs->tcb.deadline[XTCP_T_KEEPALIVE];

	WRITE_ONCE(xs->keepalive_time, val);
	if (!is_open(sk) || !*at)
		return 0;
	*at = max(xs->tcb.rcv_at + (u64)val * NSEC_PER_SEC, xtcp_now());
	xtcp_timer_arm(sk);
	return 0;
}

static int get_keepintvl(const struct sock *sk)
{
	return READ_ONCE(xtcp_sk(sk)->keepalive_intvl) ?:
	       READ_ONCE(ctl_of(sk)->keepalive_intvl);
}

static int set_keepintvl(struct sock *sk, int val)
{
	WRITE_ONCE(xtcp_sk(sk)->keepalive_intvl, val);
	return 0;
}

static int get_keepcnt(const struct sock *sk)
{
	return READ_ONCE(xtcp_sk(sk)->keepalive_probes) ?:
	       READ_ONCE(ctl_of(sk)->keepalive_probes);
}

static int set_keepcnt(struct sock *sk, int val)
{
	WRITE_ONCE(xtcp_sk(sk)->keepalive_probes, val);
	return 0;
}

/* ---- receiving ---- */

static int get_clamp(const struct sock *sk)
{
	return READ_ONCE(xtcp_sk(sk)->window_clamp);
}

static int set_clamp(struct sock *sk, int val)
{
	if (val <= 0 && (val || sk->sk_state != TCP_CLOSE))
		return -EINVAL;
	WRITE_ONCE(xtcp_sk(sk)->window_clamp, val ? max_t(int, val, MIN_CLAMP) : 0);
	return 0;
}

static int get_quickack(const struct sock *sk)
{
	return !xtcp_sk(sk)->tcb.pingpong;
}

/* 0: ACKs may wait for data to go with.  Otherwise none waits, one that does leaves
 * now, and after that an even number is as good as 0.
 */
static int set_quickack(struct sock *sk, int val)
{
	struct xtcp_tcb *tcb = &xtcp_sk(sk)->tcb;

	tcb->quickack = !!val;
	tcb->pingpong = !val;
	if (!val || !is_open(sk) || !tcb->deadline[XTCP_T_DELACK])
		return 0;
	tcb->quickack = val & 1;
	tcb->pingpong = !(val & 1);
	tcb->todo |= XTCP_ACK_NOW;
	xtcp_flush(sk, xtcp_now());
	return 0;
}

static int get_inq(const struct sock *sk)
{
	return READ_ONCE(xtcp_sk(sk)->recvmsg_inq);
}

static int set_inq(struct sock *sk, int val)
{
	WRITE_ONCE(xtcp_sk(sk)->recvmsg_inq, val);
	return 0;
}

/* ---- what is not a number ---- */

static int read_info(struct sock *sk, union value *v)
{
	xtcp_get_info(sk, &v->info);
	return sizeof(v->info);
}

static int read_cc(struct sock *sk, union value *v)
{
	xtcp_cong_name(sk, v->name);
	return sizeof(v->name);
}

static int write_cc(struct sock *sk, sockptr_t val, unsigned int len)
{
	char name[XTCP_CC_NAME_MAX] = "";

	if (!len)
		return -EINVAL;
	if (copy_from_sockptr(name, val, min_t(size_t, len, sizeof(name) - 1)))
		return -EFAULT;
	return xtcp_cong_set(sk, name);
}

/* ---- the table ---- */

static const struct option options[] = {
	/* name			   range			get, set */
	{ TCP_NODELAY,		   INT_MIN, INT_MAX,		get_nodelay, set_nodelay },
	{ TCP_CORK,		   INT_MIN, INT_MAX,		get_cork, set_cork },
	{ TCP_MAXSEG,		   0, MAX_USER_MSS,		get_maxseg, set_maxseg },
	{ TCP_KEEPIDLE,		   1, MAX_KEEPALIVE,		get_keepidle, set_keepidle },
	{ TCP_KEEPINTVL,	   1, MAX_KEEPALIVE,		get_keepintvl, set_keepintvl },
	{ TCP_KEEPCNT,		   1, 127,			get_keepcnt, set_keepcnt },
	{ TCP_SYNCNT,		   1, 127,			get_syncnt, set_syncnt },
	{ TCP_LINGER2,		   INT_MIN, INT_MAX,		get_linger2, set_linger2 },
	{ TCP_DEFER_ACCEPT,	   INT_MIN, INT_MAX,	get_defer_accept, set_defer_accept },
	{ TCP_WINDOW_CLAMP,	   INT_MIN, INT_MAX,		get_clamp, set_clamp },
	{ TCP_QUICKACK,		   INT_MIN, INT_MAX,		get_quickack, set_quickack },
	{ TCP_USER_TIMEOUT,	   0, INT_MAX,		get_user_timeout, set_user_timeout },
	{ XTCP_NEGOTIATE,	   0, 1,		get_negotiate, set_negotiate },
	{ XTCP_RTO_FLOOR,	   0, USEC_PER_SEC,	get_rto_floor, set_rto_floor },
	{ .name = XTCP_INFO,	   .read = read_own_info },
	{ TCP_NOTSENT_LOWAT,	   INT_MIN, INT_MAX,	get_notsent_lowat, set_notsent_lowat },
	{ TCP_INQ,		   0, 1,			get_inq, set_inq },
	{ .name = TCP_INFO,	   .read = read_info },
	{ .name = TCP_CONGESTION,  .read = read_cc, .write = write_cc },
};

static const struct option *find(int name)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(options); i++)
		if (options[i].name == name)
			return &options[i];
	return NULL;
}

static bool our_level(int level)
{
	return level == SOL_TCP || level == SOL_XTCP;
}

/* ---- set ---- */

static int set_number(struct sock *sk, const struct option *opt, sockptr_t val,
		      unsigned int len)
{
	int err, number;

	if (len < sizeof(number))
		return -EINVAL;
	if (copy_from_sockptr(&number, val, sizeof(number)))
		return -EFAULT;
	if (!opt || !opt->set)
		return -ENOPROTOOPT;
	if (number < opt->min || number > opt->max)
		return -EINVAL;
	lock_sock(sk);
	err = opt->set(sk, number);
	release_sock(sk);
	return err;
}

static int setopt_ours(struct sock *sk, int name, sockptr_t val, unsigned int len)
{
	const struct option *opt = find(name);
	int err;

	if (!opt || !opt->write)
		return set_number(sk, opt, val, len);
	lock_sock(sk);
	err = opt->write(sk, val, len);
	release_sock(sk);
	return err;
}

/* IP options and extension headers take room from the segment. */
static void sync_mss(struct sock *sk)
{
	lock_sock(sk);
	if (is_open(sk) && xtcp_sk(sk)->pmtu)
		xtcp_sync_mss(sk, xtcp_sk(sk)->pmtu);
	release_sock(sk);
}

int xtcp_setsockopt(struct sock *sk, int level, int name, sockptr_t val, unsigned int len)
{
	int err;

	if (our_level(level))
		return setopt_ours(sk, name, val, len);
	if (level == SOL_IP)
		err = ip_setsockopt(sk, level, name, val, len);
	else if (level == SOL_IPV6 && sk->sk_family == AF_INET6)
		err = ipv6_setsockopt(sk, level, name, val, len);
	else
		return -ENOPROTOOPT;
	if (!err)
		sync_mss(sk);
	return err;
}

/* ---- get ---- */

static int getopt_ours(struct sock *sk, int name, char __user *val, int __user *lenp)
{
	const struct option *opt = find(name);
	union value v;
	int len, size = sizeof(v.number);

	if (get_user(len, lenp))
		return -EFAULT;
	if (len < 0)
		return -EINVAL;
	if (!opt)
		return -ENOPROTOOPT;
	if (opt->read)
		size = opt->read(sk, &v);
	else
		v.number = opt->get(sk);
	len = min(len, size);
	if (put_user(len, lenp) || copy_to_user(val, &v, len))
		return -EFAULT;
	return 0;
}

int xtcp_getsockopt(struct sock *sk, int level, int name, char __user *val, int __user *len)
{
	if (our_level(level))
		return getopt_ours(sk, name, val, len);
	if (level == SOL_IP)
		return ip_getsockopt(sk, level, name, val, len);
	if (level == SOL_IPV6 && sk->sk_family == AF_INET6)
		return ipv6_getsockopt(sk, level, name, val, len);
	return -ENOPROTOOPT;
}
