// SPDX-License-Identifier: GPL-2.0
/*
 * The table of connections (sockets, requests, TIME-WAIT entries) of all
 * namespaces.  Lookups take no lock, only RCU: sockets are freed after a grace
 * period, requests and TIME-WAIT entries may be freed and used again at any time
 * (SLAB_TYPESAFE_BY_RCU), so a lookup checks the key once more when it holds
 * its reference, and starts again where the list ended in another bucket.
 * Listeners are in listeners.c, ports in bind.c.
 */
#include <linux/mm.h>
#include <net/l3mdev.h>

#include "xtcp.h"

#define TABLE_MIN	1024u		/* buckets */
#define TABLE_MAX	(512u * 1024)
#define TABLE_LIMIT	(16u * 1024 * 1024)	/* as module parameter */

static struct hlist_nulls_head *table;
static spinlock_t *locks;		/* lock_mask + 1, each for many buckets */
static unsigned int table_mask, lock_mask;

/* ---- references ---- */

static bool ep_get(struct xtcp_ep *ep)
{
	refcount_t *refcnt = &ep->refcnt;

	if (ep->kind == XTCP_EP_SOCK)
		refcnt = &xtcp_ep_sk(ep)->sk_refcnt;
	if (!refcount_inc_not_zero(refcnt))
		return false;
	smp_acquire__after_ctrl_dep();	/* the key was written before the count */
	return true;
}

void xtcp_ep_put(struct xtcp_ep *ep)
{
	switch (ep->kind) {
	case XTCP_EP_SOCK:
		sock_put(xtcp_ep_sk(ep));
		break;
	case XTCP_EP_REQUEST:
		if (refcount_dec_and_test(&ep->refcnt))
			xtcp_request_free(container_of(ep, struct xtcp_request, ep));
		break;
	case XTCP_EP_TW:
		if (refcount_dec_and_test(&ep->refcnt))
			xtcp_tw_free(container_of(ep, struct xtcp_tw, ep));
		break;
	}
}

/* ---- keys ---- */

static bool key_equal(const struct xtcp_key *a, const struct xtcp_key *b)
{
	return !((a->lport ^ b->lport) | (a->rport ^ b->rport)) &&
	       ipv6_addr_equal(&a->raddr, &b->raddr) &&
	       ipv6_addr_equal(&a->laddr, &b->laddr);
}

static int ep_device(struct xtcp_ep *ep)
{
	if (ep->kind == XTCP_EP_SOCK)
		return READ_ONCE(xtcp_ep_sk(ep)->sk_bound_dev_if);
	return ep->bound_if;
}

static bool ep_match(struct xtcp_ep *ep, struct net *net, const struct xtcp_key *key,
		     int dif, int sdif)
{
	return key_equal(&ep->key, key) && ep->net == net &&
	       inet_sk_bound_dev_eq(net, ep_device(ep), dif, sdif);
}

bool xtcp_ep_is_for(struct xtcp_ep *ep, struct net *net, const struct xtcp_key *key,
		    int dif, int sdif)
{
	return !hlist_nulls_unhashed_lockless(&ep->node) && ep_match(ep, net, key, dif, sdif);
}

void xtcp_key_from_sk(struct sock *sk)
{
	struct xtcp_key *key = &xtcp_sk(sk)->ep.key;
	const struct inet_sock *inet = inet_sk(sk);

	if (sk->sk_family == AF_INET6) {
		key->laddr = sk->sk_v6_rcv_saddr;
		key->raddr = sk->sk_v6_daddr;
	} else {
		ipv6_addr_set_v4mapped(inet->inet_rcv_saddr, &key->laddr);
		ipv6_addr_set_v4mapped(inet->inet_daddr, &key->raddr);
	}
	key->lport = htons(inet->inet_num);
	key->rport = inet->inet_dport;
}

void xtcp_key_from_skb(const struct sk_buff *skb, struct xtcp_key *key)
{
	const struct tcphdr *th = tcp_hdr(skb);

	if (skb->protocol == htons(ETH_P_IP)) {
		ipv6_addr_set_v4mapped(ip_hdr(skb)->daddr, &key->laddr);
		ipv6_addr_set_v4mapped(ip_hdr(skb)->saddr, &key->raddr);
	} else {
		key->laddr = ipv6_hdr(skb)->daddr;
		key->raddr = ipv6_hdr(skb)->saddr;
	}
	key->lport = th->dest;
	key->rport = th->source;
}

/* ---- the table of connections ---- */

/* For one that stands there, or did last. */
static unsigned int bucket_of(const struct xtcp_ep *ep)
{
	return ep->hash & table_mask;
}

/* For one that is to stand there. */
static unsigned int choose_bucket(struct xtcp_ep *ep)
{
	ep->hash = xtcp_key_hash(ep->net, &ep->key);
	return bucket_of(ep);
}

static spinlock_t *lock_of(unsigned int bucket)
{
	return &locks[bucket & lock_mask];
}

/* /proc/net/protocols counts the sockets in tables. */
static void count_socket(struct xtcp_ep *ep, int n)
{
	if (ep->kind == XTCP_EP_SOCK)
		sock_prot_inuse_add(ep->net, xtcp_ep_sk(ep)->sk_prot, n);
}

static void insert_locked(struct xtcp_ep *ep, unsigned int bucket)
{
	hlist_nulls_add_head_rcu(&ep->node, &table[bucket]);
	count_socket(ep, 1);
}

static void remove_locked(struct xtcp_ep *ep)
{
	hlist_nulls_del_init_rcu(&ep->node);
	count_socket(ep, -1);
}

void xtcp_ep_insert(struct xtcp_ep *ep)
{
	unsigned int bucket = choose_bucket(ep);

	spin_lock_bh(lock_of(bucket));
	insert_locked(ep, bucket);
	spin_unlock_bh(lock_of(bucket));
}

bool xtcp_ep_remove(struct xtcp_ep *ep)
{
	unsigned int bucket = bucket_of(ep);
	bool hashed;

	spin_lock_bh(lock_of(bucket));
	hashed = !hlist_nulls_unhashed(&ep->node);
	if (hashed)
		remove_locked(ep);
	spin_unlock_bh(lock_of(bucket));
	return hashed;
}

/* @new stands where @old stood, so that no lookup on its way finds neither. */
static void replace_node(struct hlist_nulls_node *old, struct hlist_nulls_node *new)
{
	struct hlist_nulls_node *next = old->next;

	new->next = next;
	new->pprev = old->pprev;
	rcu_assign_pointer(*(struct hlist_nulls_node __rcu **)new->pprev, new);
	if (!is_a_nulls(next))
		WRITE_ONCE(next->pprev, &new->next);
	WRITE_ONCE(old->pprev, NULL);
}

bool xtcp_ep_replace(struct xtcp_ep *old, struct xtcp_ep *new)
{
	unsigned int bucket = bucket_of(old);
	bool hashed;

	spin_lock_bh(lock_of(bucket));
	hashed = !hlist_nulls_unhashed(&old->node);
	if (hashed) {
		new->hash = old->hash;
		replace_node(&old->node, &new->node);
		count_socket(old, -1);
		count_socket(new, 1);
	}
	spin_unlock_bh(lock_of(bucket));
	return hashed;
}

/* The bucket is locked: what is in the way of @ep? */
static struct xtcp_ep *occupant(struct xtcp_ep *ep, unsigned int bucket)
{
	int dif = ep_device(ep);
	int sdif = l3mdev_master_ifindex_by_index(ep->net, dif);
	struct hlist_nulls_node *node;
	struct xtcp_ep *other;

	hlist_nulls_for_each_entry(other, node, &table[bucket], node)
		if (other->hash == ep->hash && ep_match(other, ep->net, &ep->key, dif, sdif))
			return other;
	return NULL;
}

bool xtcp_ep_insert_unique(struct xtcp_ep *ep)
{
	unsigned int bucket = choose_bucket(ep);
	bool free;

	spin_lock_bh(lock_of(bucket));
	free = !occupant(ep, bucket);
	if (free)
		insert_locked(ep, bucket);
	spin_unlock_bh(lock_of(bucket));
	return free;
}

static struct xtcp_tw *reusable_tw(struct xtcp_ep *other, struct xtcp_ep *ep)
{
	struct xtcp_tw *tw = container_of(other, struct xtcp_tw, ep);

	if (other->kind != XTCP_EP_TW || !xtcp_tw_reusable(tw, xtcp_ep_sk(ep)))
		return NULL;
	return tw;
}

bool xtcp_ep_insert_connect(struct xtcp_ep *ep, struct xtcp_tw **tw)
{
	unsigned int bucket = choose_bucket(ep);
	struct xtcp_ep *other;

	*tw = NULL;
	spin_lock_bh(lock_of(bucket));
	other = occupant(ep, bucket);
	if (other)
		*tw = reusable_tw(other, ep);
	if (*tw)
		remove_locked(other);
	if (!other || *tw)
		insert_locked(ep, bucket);
	spin_unlock_bh(lock_of(bucket));
	return !other || *tw;
}

struct xtcp_ep *xtcp_lookup(struct net *net, const struct xtcp_key *key, int dif, int sdif)
{
	u32 hash = xtcp_key_hash(net, key), bucket = hash & table_mask;
	struct hlist_nulls_node *node;
	struct xtcp_ep *ep;

	rcu_read_lock();
again:
	hlist_nulls_for_each_entry_rcu(ep, node, &table[bucket], node) {
		if (ep->hash != hash || !ep_match(ep, net, key, dif, sdif))
			continue;
		if (!ep_get(ep))
			goto again;
		if (likely(ep_match(ep, net, key, dif, sdif)))
			goto out;
		xtcp_ep_put(ep);
		goto again;
	}
	if (get_nulls_value(node) != bucket)
		goto again;
	ep = NULL;
out:
	rcu_read_unlock();
	return ep;
}

/* ---- struct proto ---- */

int xtcp_hash(struct sock *sk)
{
	if (xtcp_sk(sk)->is_listening)
		return xtcp_listener_hash(sk);
	xtcp_key_from_sk(sk);
	xtcp_ep_insert(&xtcp_sk(sk)->ep);
	return 0;
}

void xtcp_unhash(struct sock *sk)
{
	struct xtcp_sock *xs = xtcp_sk(sk);

	xtcp_listener_unhash(sk);
	if (!hlist_nulls_unhashed(&xs->ep.node))
		xtcp_ep_remove(&xs->ep);
}

/* ---- walks ---- */

static sa_family_t ep_family(struct xtcp_ep *ep)
{
	bool v6;

	if (ep->kind == XTCP_EP_SOCK)
		return xtcp_ep_sk(ep)->sk_family;
	v6 = ep->kind == XTCP_EP_TW ? container_of(ep, struct xtcp_tw, ep)->v6 :
				      container_of(ep, struct xtcp_request, ep)->v6;
	return v6 ? AF_INET6 : AF_INET;
}

static bool walk_table_bucket(struct xtcp_walk *w)
{
	struct hlist_nulls_node *node;
	struct xtcp_ep *ep;
	loff_t i = 0;

	hlist_nulls_for_each_entry_rcu(ep, node, &table[w->bucket], node) {
		if (ep->net != w->net || ep_family(ep) != w->family || i++ < w->offset)
			continue;
		if (!ep_get(ep))
			continue;
		if (ep->net == w->net) {
			w->ep = ep;
			w->offset = i;
			return true;
		}
		xtcp_ep_put(ep);
	}
	return false;
}

void xtcp_walk_end(struct xtcp_walk *w)
{
	if (w->ep)
		xtcp_ep_put(w->ep);
	if (w->listener)
		sock_put(w->listener);
	w->ep = NULL;
	w->listener = NULL;
}

/* The first bucket that has one, from the current position on. */
static bool walk_phase(struct xtcp_walk *w, unsigned int buckets,
		       bool (*walk_bucket)(struct xtcp_walk *w))
{
	for (; w->bucket < buckets; w->bucket++, w->offset = 0)
		if (walk_bucket(w))
			return true;
	return false;
}

bool xtcp_walk_next(struct xtcp_walk *w)
{
	bool found = false;

	xtcp_walk_end(w);
	rcu_read_lock();
	if (w->phase == 0) {
		found = walk_phase(w, XTCP_LISTEN_BUCKETS, xtcp_listeners_walk);
		if (!found) {
			w->phase = 1;
			w->bucket = 0;
			w->offset = 0;
		}
	}
	if (!found)
		found = walk_phase(w, table_mask + 1, walk_table_bucket);
	rcu_read_unlock();
	return found;
}

bool xtcp_walk_first(struct xtcp_walk *w)
{
	w->phase = 0;
	w->bucket = 0;
	w->offset = 0;
	w->ep = NULL;
	w->listener = NULL;
	return xtcp_walk_next(w);
}

/* ---- start and end ---- */

static unsigned int table_size(void)
{
	unsigned long n = xtcp_ehash_entries;

	if (!n)	/* one bucket for 128 KB of memory */
		n = clamp_t(unsigned long, totalram_pages() >> (17 - PAGE_SHIFT),
			    TABLE_MIN, TABLE_MAX);
	return roundup_pow_of_two(min_t(unsigned long, n, TABLE_LIMIT));
}

int xtcp_hash_init(void)
{
	unsigned int i, n = table_size();
	unsigned int nr_locks = min_t(unsigned int, n,
				      roundup_pow_of_two(64 * num_possible_cpus()));
	int err = xtcp_bind_init();

	if (err)
		return err;
	table = kvmalloc_array(n, sizeof(*table), GFP_KERNEL);
	locks = kvmalloc_array(nr_locks, sizeof(*locks), GFP_KERNEL);
	if (!table || !locks) {
		xtcp_hash_exit();
		return -ENOMEM;
	}
	table_mask = n - 1;
	lock_mask = nr_locks - 1;
	for (i = 0; i < n; i++)
		INIT_HLIST_NULLS_HEAD(&table[i], i);
	for (i = 0; i < nr_locks; i++)
		spin_lock_init(&locks[i]);
	xtcp_listeners_init();
	return 0;
}

void xtcp_hash_exit(void)
{
	kvfree(locks);
	kvfree(table);
	locks = NULL;
	table = NULL;
	xtcp_bind_exit();
}
