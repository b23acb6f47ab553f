// SPDX-License-Identifier: GPL-2.0
/*
 * Ports: who owns which, who may share one, and which one connect() and bind()
 * choose where the user names none (RFC 6056).  A port in use in a namespace
 * has a bucket with its owners: sockets and TIME-WAIT entries.  Which segments
 * they get is no matter of this file (hash.c, listeners.c).
 */
#include <net/l3mdev.h>
#include <net/netns/hash.h>

#include "xtcp.h"

#define CHAINS		4096u
#define INCREMENTS	65536u	/* "table" of RFC 6056 3.3.4 */

struct xtcp_bucket {
	struct hlist_node node;		/* in its chain */
	struct net *net;
	int l3mdev;			/* VRFs have ports of their own */
	u16 port;
	bool by_connect;		/* only connect() has chosen it so far */
	struct hlist_head owners;	/* xs->bind_node */
	struct hlist_head tws;		/* tw->bind_node */
};

struct chain {
	spinlock_t lock;		/* of the buckets and of their lists */
	struct hlist_head head;
};

static struct chain *chains;
static u32 *increments;
static struct kmem_cache *bucket_cache;

static struct chain *chain_of(const struct net *net, u16 port)
{
	return &chains[(port ^ net_hash_mix(net)) % CHAINS];
}

/* ---- buckets; all with the lock of the chain held ---- */

static struct xtcp_bucket *find_bucket(const struct chain *c, const struct net *net,
				       int l3mdev, u16 port)
{
	struct xtcp_bucket *b;

	hlist_for_each_entry(b, &c->head, node)
		if (b->port == port && b->net == net && b->l3mdev == l3mdev)
			return b;
	return NULL;
}

static struct xtcp_bucket *new_bucket(struct chain *c, struct net *net, int l3mdev, u16 port)
{
	struct xtcp_bucket *b = kmem_cache_zalloc(bucket_cache, GFP_ATOMIC | __GFP_NOWARN);

	if (!b)
		return NULL;
	b->net = net;
	b->l3mdev = l3mdev;
	b->port = port;
	hlist_add_head(&b->node, &c->head);
	return b;
}

static void free_if_unused(struct xtcp_bucket *b)
{
	if (!hlist_empty(&b->owners) || !hlist_empty(&b->tws))
		return;
	hlist_del(&b->node);
	kmem_cache_free(bucket_cache, b);
}

static void own(struct sock *sk, struct xtcp_bucket *b)
{
	struct xtcp_sock *xs = xtcp_sk(sk);

	xs->bucket = b;
	inet_sk(sk)->inet_num = b->port;
	hlist_add_head(&xs->bind_node, &b->owners);
}

/* ---- who is in whose way ---- */

enum extent { NONE, ONE, ALL };

/* The local addresses that an endpoint answers for. */
struct cover {
	enum extent v4;
	enum extent v6;
	__be32 addr4;			/* where @v4 is ONE */
	struct in6_addr addr6;		/* where @v6 is ONE */
};

static void cover_v4(struct cover *c, __be32 addr)
{
	c->v6 = NONE;
	c->v4 = addr ? ONE : ALL;
	c->addr4 = addr;
}

static void cover_v6(struct cover *c, const struct in6_addr *addr, bool v6only)
{
	if (ipv6_addr_v4mapped(addr)) {
		cover_v4(c, addr->s6_addr32[3]);
	} else if (ipv6_addr_any(addr)) {
		c->v6 = ALL;
		c->v4 = v6only ? NONE : ALL;
	} else {
		c->v6 = ONE;
		c->v4 = NONE;
		c->addr6 = *addr;
	}
}

static void cover_of(struct cover *c, const struct sock *sk)
{
	if (sk->sk_family == AF_INET)
		cover_v4(c, inet_sk(sk)->inet_rcv_saddr);
	else
		cover_v6(c, inet6_rcv_saddr(sk), ipv6_only_sock(sk));
}

static bool overlap(const struct cover *a, const struct cover *b)
{
	if (a->v4 && b->v4 && (a->v4 == ALL || b->v4 == ALL || a->addr4 == b->addr4))
		return true;
	return a->v6 && b->v6 && (a->v6 == ALL || b->v6 == ALL ||
				  ipv6_addr_equal(&a->addr6, &b->addr6));
}

static bool same_device(int a, int b)
{
	return !a || !b || a == b;
}

/* SO_REUSEADDR where nobody listens, or SO_REUSEPORT of one user */
static bool may_share(const struct sock *sk, const struct sock *other)
{
	if (sk->sk_reuse && other->sk_reuse && !xtcp_sk(other)->is_listening)
		return true;
	return sk->sk_reuseport && other->sk_reuseport &&
	       uid_eq(READ_ONCE(sk->sk_uid), READ_ONCE(other->sk_uid));
}

static bool may_share_tw(const struct sock *sk, const struct xtcp_tw *tw)
{
	return (sk->sk_reuse && tw->reuse) || (sk->sk_reuseport && tw->reuseport);
}

/* @alone: any owner of the address is in the way, whatever its options */
static bool owner_in_way(const struct sock *sk, const struct cover *mine,
			 const struct xtcp_bucket *b, bool alone)
{
	const struct xtcp_sock *xs;
	struct cover theirs;

	hlist_for_each_entry(xs, &b->owners, bind_node) {
		const struct sock *other = &xs->inet.sk;

		if (other == sk || (!alone && may_share(sk, other)) ||
		    !same_device(sk->sk_bound_dev_if, READ_ONCE(other->sk_bound_dev_if)))
			continue;
		cover_of(&theirs, other);
		if (overlap(mine, &theirs))
			return true;
	}
	return false;
}

static bool tw_in_way(const struct sock *sk, const struct cover *mine,
		      const struct xtcp_bucket *b, bool alone)
{
	const struct xtcp_tw *tw;
	struct cover theirs;

	hlist_for_each_entry(tw, &b->tws, bind_node) {
		if ((!alone && may_share_tw(sk, tw)) ||
		    !same_device(sk->sk_bound_dev_if, tw->ep.bound_if))
			continue;
		cover_v6(&theirs, &tw->ep.key.laddr, true);
		if (overlap(mine, &theirs))
			return true;
	}
	return false;
}

static bool in_way(const struct sock *sk, const struct xtcp_bucket *b, bool alone)
{
	struct cover mine;

	cover_of(&mine, sk);
	return owner_in_way(sk, &mine, b, alone) || tw_in_way(sk, &mine, b, alone);
}

/* ---- bind() and listen() ---- */

static bool claim(struct sock *sk, u16 port, bool alone)
{
	struct net *net = sock_net(sk);
	struct chain *c = chain_of(net, port);
	int l3mdev = inet_sk_bound_l3mdev(sk);
	struct xtcp_bucket *b;

	spin_lock_bh(&c->lock);
	b = find_bucket(c, net, l3mdev, port);
	if (!b)
		b = new_bucket(c, net, l3mdev, port);
	else if (in_way(sk, b, alone))
		b = NULL;
	if (b) {
		b->by_connect = false;
		own(sk, b);
	}
	spin_unlock_bh(&c->lock);
	return b;
}

/* RFC 6056 3.3.1: from a random port on, the next that is free. */
static int claim_any(struct sock *sk)
{
	struct net *net = sock_net(sk);
	u32 i, count, first;
	int low, high;

	xt_local_port_range(sk, &low, &high);
	count = high - low + 1;
	first = get_random_u32() % count;
	for (i = 0; i < count; i++) {
		u16 port = low + (first + i) % count;

		if (!inet_is_local_reserved_port(net, port) && claim(sk, port, true))
			return 0;
		cond_resched();
	}
	return -EADDRINUSE;
}

int xtcp_get_port(struct sock *sk, unsigned short snum)
{
	if (!snum)
		return claim_any(sk);
	return claim(sk, snum, false) ? 0 : -EADDRINUSE;
}

/* Of several sockets that share a port by SO_REUSEADDR one may listen. */
int xtcp_port_listen(struct sock *sk)
{
	struct chain *c = chain_of(sock_net(sk), inet_sk(sk)->inet_num);
	struct xtcp_sock *xs = xtcp_sk(sk);
	int err = -EADDRINUSE;

	spin_lock_bh(&c->lock);
	if (!in_way(sk, xs->bucket, false)) {
		xs->is_listening = 1;
		err = 0;
	}
	spin_unlock_bh(&c->lock);
	return err;
}

void xtcp_port_unlisten(struct sock *sk)
{
	struct chain *c = chain_of(sock_net(sk), inet_sk(sk)->inet_num);

	spin_lock_bh(&c->lock);
	xtcp_sk(sk)->is_listening = 0;
	spin_unlock_bh(&c->lock);
}

void xtcp_put_port(struct sock *sk)
{
	struct chain *c = chain_of(sock_net(sk), inet_sk(sk)->inet_num);
	struct xtcp_sock *xs = xtcp_sk(sk);

	spin_lock_bh(&c->lock);
	if (xs->bucket) {
		hlist_del_init(&xs->bind_node);
		free_if_unused(xs->bucket);
		xs->bucket = NULL;
		inet_sk(sk)->inet_num = 0;
	}
	spin_unlock_bh(&c->lock);
}

/* ---- those who come to share a port without asking ---- */

bool xtcp_inherit_port(const struct sock *parent, struct sock *child)
{
	struct chain *c = chain_of(sock_net(child), inet_sk(child)->inet_num);
	struct xtcp_bucket *b;

	spin_lock_bh(&c->lock);
	/* a listener that has moved on may have a bucket of another chain, which this
	 * lock does not keep alive: compare, do not look into it
	 */
	hlist_for_each_entry(b, &c->head, node)
		if (b == READ_ONCE(xtcp_sk(parent)->bucket))
			break;
	if (b && b->port == inet_sk(child)->inet_num)
		own(child, b);
	else
		b = NULL;
	spin_unlock_bh(&c->lock);
	return b;
}

void xtcp_bind_tw(struct sock *sk, struct xtcp_tw *tw)
{
	struct chain *c = chain_of(sock_net(sk), inet_sk(sk)->inet_num);

	spin_lock_bh(&c->lock);
	tw->bucket = xtcp_sk(sk)->bucket;
	if (tw->bucket)
		hlist_add_head(&tw->bind_node, &tw->bucket->tws);
	spin_unlock_bh(&c->lock);
}

void xtcp_unbind_tw(struct xtcp_tw *tw)
{
	struct chain *c = chain_of(tw->ep.net, ntohs(tw->ep.key.lport));

	spin_lock_bh(&c->lock);
	if (tw->bucket) {
		hlist_del(&tw->bind_node);
		free_if_unused(tw->bucket);
		tw->bucket = NULL;
	}
	spin_unlock_bh(&c->lock);
}

/* ---- connect() ---- */

/* The connection enters the table if no other has its four numbers. */
static bool enter(struct sock *sk, struct xtcp_tw **tw)
{
	struct xtcp_sock *xs = xtcp_sk(sk);

	inet_sk(sk)->inet_sport = htons(inet_sk(sk)->inet_num);
	xtcp_key_from_sk(sk);
	return xtcp_ep_insert_connect(&xs->ep, tw);
}

static void tw_gives_way(struct xtcp_tw *tw)
{
	if (!tw)
		return;
	xtcp_mib_inc(tw->ep.net, XTCP_TW_RECYCLED);
	xtcp_tw_retire(tw, EV_ABORT);
}

/* One port serves many destinations, but not one that bind() has taken.
 * Return: 1 got it, 0 another port may do, -ENOMEM
 */
static int try_port(struct sock *sk, u16 port, int l3mdev)
{
	struct net *net = sock_net(sk);
	struct chain *c = chain_of(net, port);
	struct xtcp_tw *tw = NULL;
	struct xtcp_bucket *b;
	int got = 0;

	spin_lock_bh(&c->lock);
	b = find_bucket(c, net, l3mdev, port);
	if (b && !b->by_connect)
		goto out;
	if (!b) {
		b = new_bucket(c, net, l3mdev, port);
		got = -ENOMEM;
		if (!b)
			goto out;
		b->by_connect = true;
	}
	inet_sk(sk)->inet_num = port;
	got = enter(sk, &tw);
	if (got) {
		own(sk, b);
	} else {
		inet_sk(sk)->inet_num = 0;
		inet_sk(sk)->inet_sport = 0;
		free_if_unused(b);
	}
out:
	spin_unlock_bh(&c->lock);
	tw_gives_way(tw);
	return got;
}

/* RFC 6056 3.3.4 (double hash); the increments are random as in 3.3.5, so that
 * one destination learns little from the ports used towards others.
 */
static int choose_port(struct sock *sk)
{
	struct net *net = sock_net(sk);
	int l3mdev = inet_sk_bound_l3mdev(sk);
	u32 i, count, first, *increment;
	int low, high, got;
	u64 hash;

	xtcp_key_from_sk(sk);
	hash = xtcp_port_offset(net, &xtcp_sk(sk)->ep.key);
	increment = &increments[(hash >> 32) % INCREMENTS];
	xt_local_port_range(sk, &low, &high);
	count = high - low + 1;
	first = (u32)hash + READ_ONCE(*increment);
	for (i = 0; i < count; i++) {
		u16 port = low + (first + i) % count;

		if (inet_is_local_reserved_port(net, port))
			continue;
		got = try_port(sk, port, l3mdev);
		if (got < 0)
			return got;
		if (got) {
			WRITE_ONCE(*increment, *increment + i + 1 + get_random_u32() % 8);
			return 0;
		}
		cond_resched();
	}
	return -EADDRNOTAVAIL;
}

int xtcp_hash_connect(struct sock *sk)
{
	struct xtcp_tw *tw;

	if (!inet_sk(sk)->inet_num)
		return choose_port(sk);
	if (!enter(sk, &tw))
		return -EADDRNOTAVAIL;
	tw_gives_way(tw);
	return 0;
}

/* ---- start and end ---- */

int xtcp_bind_init(void)
{
	unsigned int i;

	bucket_cache = kmem_cache_create("xtcp_bucket", sizeof(struct xtcp_bucket), 0,
					 SLAB_HWCACHE_ALIGN, NULL);
	chains = kvmalloc_array(CHAINS, sizeof(*chains), GFP_KERNEL);
	increments = kvmalloc_array(INCREMENTS, sizeof(*increments), GFP_KERNEL);
	if (!bucket_cache || !chains || !increments) {
		xtcp_bind_exit();
		return -ENOMEM;
	}
	for (i = 0; i < CHAINS; i++) {
		spin_lock_init(&chains[i].lock);
		INIT_HLIST_HEAD(&chains[i].head);
	}
	get_random_bytes(increments, INCREMENTS * sizeof(*increments));
	return 0;
}

void xtcp_bind_exit(void)
{
	kvfree(increments);
	kvfree(chains);
	kmem_cache_destroy(bucket_cache);
}
