// SPDX-License-Identifier: GPL-2.0
/*
 * The table of listeners of all namespaces, by port: which socket gets a SYN.
 * Lookups take no lock, only RCU (listeners are freed after a grace period); a
 * list that ends in another bucket is walked again, since a socket may stop
 * listening and start again elsewhere meanwhile.  What a listener does with the
 * SYN is in listen.c.
 */
#include <net/netns/hash.h>
#include <net/sock_reuseport.h>

#include "xtcp.h"

struct listen_bucket {
	spinlock_t lock;		/* for who writes; readers have RCU */
	struct hlist_nulls_head head;
};

static struct listen_bucket listeners[XTCP_LISTEN_BUCKETS];

static unsigned int listen_bucket_of(const struct net *net, u16 port)
{
	return (port ^ net_hash_mix(net)) % XTCP_LISTEN_BUCKETS;
}

/* How well does the address that @sk is bound to fit? 0 not, 1 wildcard, 2 exactly */
static int address_fit(const struct sock *sk, const struct xtcp_key *key)
{
	bool v4 = xtcp_key_is_v4(key);
	const struct in6_addr *rcv;

	if (sk->sk_family == AF_INET) {
		__be32 addr = inet_sk(sk)->inet_rcv_saddr;

		if (!v4)
			return 0;
		if (!addr)
			return 1;
		return addr == key->laddr.s6_addr32[3] ? 2 : 0;
	}
	rcv = inet6_rcv_saddr(sk);
	if (ipv6_addr_any(rcv))
		return !(v4 && ipv6_only_sock(sk));
	if (ipv6_addr_v4mapped(rcv) && !rcv->s6_addr32[3])
		return v4;
	return ipv6_addr_equal(rcv, &key->laddr) ? 2 : 0;
}

/* A specific address beats a device, that the family, that the CPU. */
static int score(const struct sock *sk, struct net *net, const struct xtcp_key *key,
		 int dif, int sdif)
{
	int bound = READ_ONCE(sk->sk_bound_dev_if);
	int fit, points = 1;

	if (!net_eq(sock_net(sk), net) || inet_sk(sk)->inet_num != ntohs(key->lport))
		return 0;
	fit = address_fit(sk, key);
	if (!fit || !inet_sk_bound_dev_eq(net, bound, dif, sdif))
		return 0;
	if (fit == 2)
		points += 8;
	if (bound)
		points += 4;
	if (sk->sk_family == (xtcp_key_is_v4(key) ? AF_INET : AF_INET6))
		points += 2;
	if (READ_ONCE(sk->sk_incoming_cpu) == raw_smp_processor_id())
		points++;
	return points;
}

static struct sock *best_listener(struct net *net, const struct xtcp_key *key,
				  int dif, int sdif)
{
	unsigned int bucket = listen_bucket_of(net, ntohs(key->lport));
	struct hlist_nulls_node *node;
	struct sock *best;
	struct xtcp_sock *xs;
	int most, points;

again:
	best = NULL;
	most = 0;
	hlist_nulls_for_each_entry_rcu(xs, node, &listeners[bucket].head, listen_node) {
		points = score(&xs->inet.sk, net, key, dif, sdif);
		if (points > most) {
			most = points;
			best = &xs->inet.sk;
		}
	}
	if (get_nulls_value(node) != bucket)
		goto again;
	return best;
}

static struct sock *of_group(struct sock *sk, struct net *net, const struct xtcp_key *key,
			     struct sk_buff *skb)
{
	struct sock *chosen;

	if (!sk->sk_reuseport)
		return sk;
	chosen = reuseport_select_sock(sk, xtcp_key_hash(net, key), skb, tcp_hdrlen(skb));
	return IS_ERR_OR_NULL(chosen) ? sk : chosen;
}

struct sock *xtcp_lookup_listener(struct net *net, const struct xtcp_key *key,
				  int dif, int sdif, struct sk_buff *skb)
{
	struct sock *sk;

	rcu_read_lock();
	while ((sk = best_listener(net, key, dif, sdif))) {
		sk = of_group(sk, net, key, skb);
		if (!refcount_inc_not_zero(&sk->sk_refcnt))
			continue;
		if (score(sk, net, key, dif, sdif))
			break;
		sock_put(sk);	/* it listens elsewhere by now */
	}
	rcu_read_unlock();
	return sk;
}

static bool same_address(const struct sock *a, const struct sock *b)
{
	if (a->sk_family == AF_INET)
		return inet_sk(a)->inet_rcv_saddr == inet_sk(b)->inet_rcv_saddr;
	return ipv6_addr_equal(inet6_rcv_saddr(a), inet6_rcv_saddr(b));
}

/* May @a and @b share the connections to their port (SO_REUSEPORT)? */
static bool same_group(const struct sock *a, const struct sock *b)
{
	return b->sk_reuseport && a->sk_family == b->sk_family &&
	       net_eq(sock_net(a), sock_net(b)) &&
	       inet_sk(a)->inet_num == inet_sk(b)->inet_num &&
	       ipv6_only_sock(a) == ipv6_only_sock(b) &&
	       a->sk_bound_dev_if == b->sk_bound_dev_if &&
	       uid_eq(READ_ONCE(a->sk_uid), READ_ONCE(b->sk_uid)) && same_address(a, b);
}

static int join_group(struct sock *sk, struct listen_bucket *lb)
{
	bool any = sk->sk_family == AF_INET ? !inet_sk(sk)->inet_rcv_saddr :
					      ipv6_addr_any(inet6_rcv_saddr(sk));
	struct hlist_nulls_node *node;
	struct xtcp_sock *xs;

	hlist_nulls_for_each_entry(xs, node, &lb->head, listen_node)
		if (same_group(sk, &xs->inet.sk))
			return reuseport_add_sock(sk, &xs->inet.sk, any);
	return reuseport_alloc(sk, any);
}

int xtcp_listener_hash(struct sock *sk)
{
	struct listen_bucket *lb;
	int err = 0;

	lb = &listeners[listen_bucket_of(sock_net(sk), inet_sk(sk)->inet_num)];
	spin_lock_bh(&lb->lock);
	if (sk->sk_reuseport)
		err = join_group(sk, lb);
	if (!err) {
		hlist_nulls_add_head_rcu(&xtcp_sk(sk)->listen_node, &lb->head);
		sock_prot_inuse_add(sock_net(sk), sk->sk_prot, 1);
	}
	spin_unlock_bh(&lb->lock);
	return err;
}

/* The port is still the one it was hashed by: its owner holds the socket lock. */
void xtcp_listener_unhash(struct sock *sk)
{
	struct xtcp_sock *xs = xtcp_sk(sk);
	struct listen_bucket *lb;

	if (hlist_nulls_unhashed(&xs->listen_node))
		return;
	lb = &listeners[listen_bucket_of(sock_net(sk), inet_sk(sk)->inet_num)];
	spin_lock_bh(&lb->lock);
	if (rcu_access_pointer(sk->sk_reuseport_cb))
		reuseport_detach_sock(sk);
	hlist_nulls_del_init_rcu(&xs->listen_node);
	sock_prot_inuse_add(sock_net(sk), sk->sk_prot, -1);
	spin_unlock_bh(&lb->lock);
}

bool xtcp_listeners_walk(struct xtcp_walk *w)
{
	struct hlist_nulls_node *node;
	struct xtcp_sock *xs;
	struct sock *sk;
	loff_t i = 0;

	hlist_nulls_for_each_entry_rcu(xs, node, &listeners[w->bucket].head, listen_node) {
		sk = &xs->inet.sk;
		if (sock_net(sk) != w->net || sk->sk_family != w->family || i++ < w->offset)
			continue;
		if (refcount_inc_not_zero(&sk->sk_refcnt)) {
			w->listener = sk;
			w->offset = i;
			return true;
		}
	}
	return false;
}

void xtcp_listeners_init(void)
{
	unsigned int i;

	for (i = 0; i < XTCP_LISTEN_BUCKETS; i++) {
		spin_lock_init(&listeners[i].lock);
		INIT_HLIST_NULLS_HEAD(&listeners[i].head, i);
	}
}
