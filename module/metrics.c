// SPDX-License-Identifier: GPL-2.0
/*
 * Where connections leave what later ones to the same destination should know (RFC
 * 9040; the values are those of core/share.c).  Per namespace, by address and bound
 * device; at most SETS * WAYS destinations, in sets of which the one longest untouched
 * gives way; what is older than FRESH counts no more.
 *
 * A set is allocated when a destination first falls into it and stays until the
 * namespace goes, when no socket and no segment of it is left; so there is nothing to
 * count and no grace period to wait for.  Entries are read and written under their set's
 * lock, copied in and out, and never leave it.  It is the innermost lock.
 */
#include "xtcp.h"

#define SETS		256u
#define WAYS		4u
#define FRESH		(600 * NSEC_PER_SEC)

struct entry {
	struct in6_addr addr;
	int bound_if;
	u64 at;				/* last written; 0 = free */
	u64 raised_at;			/* floor_shift was, or has sunk since */
	struct xtcp_metrics m;
};

struct xtcp_metrics_set {
	spinlock_t lock;		/* all below */
	struct entry way[WAYS];
};

static bool is_fresh(const struct entry *e, u64 now)
{
	return e->at && now - e->at < FRESH;
}

/* One doubling of the floor is forgotten in each such time in which none was added. */
static void sink_floor(struct entry *e, u64 now)
{
	while (e->m.floor_shift && now - e->raised_at >= FRESH) {
		e->m.floor_shift--;
		e->raised_at += FRESH;
	}
}

static struct entry *find(struct xtcp_metrics_set *set, const struct in6_addr *addr, int bound_if)
{
	unsigned int i;

	for (i = 0; i < WAYS; i++) {
		struct entry *e = &set->way[i];

		if (e->at && e->bound_if == bound_if && ipv6_addr_equal(&e->addr, addr))
			return e;
	}
	return NULL;
}

static struct entry *oldest(struct xtcp_metrics_set *set)
{
	struct entry *e = &set->way[0];
	unsigned int i;

	for (i = 1; i < WAYS; i++)
		if (set->way[i].at < e->at)
			e = &set->way[i];
	return e;
}

/* The entry that is there, or one made new in the place of the oldest */
static struct entry *find_or_take(struct xtcp_metrics_set *set, const struct in6_addr *addr,
				  int bound_if, u64 now)
{
	struct entry *e = find(set, addr, bound_if);

	if (e && is_fresh(e, now)) {
		sink_floor(e, now);
		return e;
	}
	if (!e)
		e = oldest(set);
	memset(e, 0, sizeof(*e));
	e->addr = *addr;
	e->bound_if = bound_if;
	e->raised_at = now;
	return e;
}

static struct xtcp_metrics_set **slot_of(struct net *net, const struct in6_addr *addr)
{
	return &xtcp_pernet(net)->metrics[xtcp_addr_hash(addr) % SETS];
}

/* The set of an address; made if there is none.  Return: NULL without memory */
static struct xtcp_metrics_set *get_set(struct net *net, const struct in6_addr *addr)
{
	struct xtcp_metrics_set **slot = slot_of(net, addr), *set, *won;

	/* pairs with cmpxchg_release() below: the lock is initialized before it is seen */
	set = smp_load_acquire(slot);
	if (set)
		return set;
	set = kzalloc(sizeof(*set), GFP_ATOMIC | __GFP_NOWARN);
	if (!set)
		return NULL;
	spin_lock_init(&set->lock);
	won = cmpxchg_release(slot, NULL, set);
	if (!won)
		return set;
	kfree(set);
	/* somebody was faster; pairs with cmpxchg_release() there */
	return smp_load_acquire(slot);
}

static bool is_off(struct net *net)
{
	return READ_ONCE(xtcp_pernet(net)->sysctl.no_metrics_save);
}

/**
 * xtcp_metrics_get() - what is known of a destination
 * @net: namespace
 * @addr: of the peer, IPv4 as ::ffff:a.b.c.d
 * @bound_if: device the connection is bound to, 0 = any
 * @m: the result, all zero where nothing is known
 *
 * Context: any.  Return: is an RTT known?
 */
bool xtcp_metrics_get(struct net *net, const struct in6_addr *addr, int bound_if,
		      struct xtcp_metrics *m)
{
	struct xtcp_metrics_set *set;
	u64 now = xtcp_now();
	struct entry *e;

	memset(m, 0, sizeof(*m));
	/* pairs with cmpxchg_release() in get_set() */
	set = smp_load_acquire(slot_of(net, addr));
	if (!set || is_off(net))
		return false;
	spin_lock_bh(&set->lock);
	e = find(set, addr, bound_if);
	if (e && is_fresh(e, now)) {
		sink_floor(e, now);
		*m = e->m;
	}
	spin_unlock_bh(&set->lock);
	if (READ_ONCE(xtcp_pernet(net)->sysctl.no_ssthresh_metrics_save))
		m->ssthresh = 0;
	return m->srtt;
}

/* The entry of the socket's peer, with its set locked, or NULL */
static struct entry *lock_entry(struct sock *sk, struct xtcp_metrics_set **set, u64 now)
{
	const struct in6_addr *addr = &xtcp_sk(sk)->ep.key.raddr;

	if (is_off(sock_net(sk)))
		return NULL;
	*set = get_set(sock_net(sk), addr);
	if (!*set)
		return NULL;
	spin_lock_bh(&(*set)->lock);
	return find_or_take(*set, addr, sk->sk_bound_dev_if, now);
}

/**
 * xtcp_metrics_learn() - keep what this connection has measured
 * @sk: established, or at its end; its key still stands
 *
 * A connection that ends in timeouts has nothing to say of the path any more.
 * Context: socket lock held.
 */
void xtcp_metrics_learn(struct sock *sk)
{
	const struct xtcp_tcb *tcb = &xtcp_sk(sk)->tcb;
	struct xtcp_metrics_set *set;
	u64 now = xtcp_now();
	struct entry *e;

	if (!tcb->srtt || tcb->rexmits)
		return;
	e = lock_entry(sk, &set, now);
	if (!e)
		return;
	xtcp_share_merge(&e->m, tcb);
	e->at = now;
	spin_unlock_bh(&set->lock);
	xtcp_sk_mib_inc(sk, XTCP_METRICS_SAVED);
}

/**
 * xtcp_metrics_raise_floor() - timeouts towards this peer came too soon
 * @sk: its tcb's floor_shift is what later connections should begin with
 *
 * Context: socket lock held.
 */
void xtcp_metrics_raise_floor(struct sock *sk)
{
	const struct xtcp_tcb *tcb = &xtcp_sk(sk)->tcb;
	struct xtcp_metrics_set *set;
	u64 now = xtcp_now();
	struct entry *e = lock_entry(sk, &set, now);

	if (!e)
		return;
	if (tcb->floor_shift > e->m.floor_shift)
		e->m.floor_shift = tcb->floor_shift;
	e->raised_at = now;
	e->at = now;
	spin_unlock_bh(&set->lock);
}

/* sysctl metrics_flush. Context: process */
void xtcp_metrics_flush(struct net *net)
{
	struct xtcp_net *xn = xtcp_pernet(net);
	struct xtcp_metrics_set *set;
	unsigned int i;

	for (i = 0; i < SETS; i++) {
		/* pairs with cmpxchg_release() in get_set() */
		set = smp_load_acquire(&xn->metrics[i]);
		if (!set)
			continue;
		spin_lock_bh(&set->lock);
		memset(set->way, 0, sizeof(set->way));
		spin_unlock_bh(&set->lock);
	}
}

int xtcp_metrics_net_init(struct net *net)
{
	struct xtcp_net *xn = xtcp_pernet(net);

	xn->metrics = kcalloc(SETS, sizeof(*xn->metrics), GFP_KERNEL);
	return xn->metrics ? 0 : -ENOMEM;
}

void xtcp_metrics_net_exit(struct net *net)
{
	struct xtcp_net *xn = xtcp_pernet(net);
	unsigned int i;

	for (i = 0; i < SETS; i++)
		kfree(xn->metrics[i]);
	kfree(xn->metrics);
}
