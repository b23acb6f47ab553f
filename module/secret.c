// SPDX-License-Identifier: GPL-2.0
/*
 * Keys drawn once when the module is loaded, and the values made from them that
 * nobody outside may predict: initial sequence numbers, timestamp offsets,
 * ephemeral ports, buckets of the tables.  Each use has a key of its own.
 * Holds no state beside the keys; called from everywhere.
 */
#include <linux/siphash.h>
#include <net/netns/hash.h>

#include "xtcp.h"

static siphash_aligned_key_t isn_key __ro_after_init;
static siphash_aligned_key_t ts_key __ro_after_init;
static siphash_aligned_key_t port_key __ro_after_init;
static siphash_aligned_key_t cookie_key __ro_after_init;
static hsiphash_key_t table_key __ro_after_init;

void xtcp_secret_init(void)
{
	get_random_bytes(&isn_key, sizeof(isn_key));
	get_random_bytes(&ts_key, sizeof(ts_key));
	get_random_bytes(&port_key, sizeof(port_key));
	get_random_bytes(&cookie_key, sizeof(cookie_key));
	get_random_bytes(&table_key, sizeof(table_key));
}

static u32 v4_of(const struct in6_addr *a)
{
	return (__force u32)a->s6_addr32[3];
}

static u32 ports_of(const struct xtcp_key *key)
{
	return (__force u32)key->lport << 16 | (__force u32)key->rport;
}

/* RFC 6528 3: ISN = M + F(4-tuple, secret), so the numbers of one 4-tuple grow
 * with time and those of others can't be guessed from them.
 * Deviation: M ticks every 64 ns, not every 4 us (RFC 9293 3.4.1), so that a
 * connection at 15 MB/s is not overtaken by the one before it; M still
 * takes longer than 2MSL to come round.
 */
u32 xtcp_isn(const struct xtcp_key *key, u64 now)
{
	u32 f;

	if (xtcp_key_is_v4(key))
		f = siphash_3u32(v4_of(&key->laddr), v4_of(&key->raddr), ports_of(key),
				 &isn_key);
	else
		f = siphash(key, sizeof(*key), &isn_key);
	return (u32)(now >> 6) + f;
}

/* RFC 7323 7.1: one offset for all connections between two hosts, so that
 * timestamps grow from one to the next (RFC 6191 counts on it).
 */
u32 xtcp_ts_offset(const struct net *net, const struct xtcp_key *key)
{
	struct {
		struct in6_addr laddr;
		struct in6_addr raddr;
		u64 net;
	} __aligned(8) v6;

	if (xtcp_key_is_v4(key))
		return siphash_3u32(v4_of(&key->laddr), v4_of(&key->raddr),
				    net_hash_mix(net), &ts_key);
	v6.laddr = key->laddr;
	v6.raddr = key->raddr;
	v6.net = net_hash_mix(net);
	return siphash(&v6, sizeof(v6), &ts_key);
}

/* RFC 6056 3.3.4: F in the low and G in the high half */
u64 xtcp_port_offset(const struct net *net, const struct xtcp_key *key)
{
	struct {
		struct in6_addr laddr;
		struct in6_addr raddr;
		u32 rport;
		u32 net;
	} __aligned(8) to;

	to.laddr = key->laddr;
	to.raddr = key->raddr;
	to.rport = (__force u32)key->rport;
	to.net = net_hash_mix(net);
	return siphash(&to, sizeof(to), &port_key);
}

/* RFC 4987 3.6: proves that we have sent a SYN,ACK for this SYN at @time. */
u32 xtcp_cookie_mac(const struct xtcp_key *key, u32 irs, u32 time, u32 mss_index)
{
	struct {
		struct xtcp_key key;
		u32 irs;
		u32 time;
		u32 mss_index;
	} __aligned(8) of = { *key, irs, time, mss_index };

	return siphash(&of, sizeof(of), &cookie_key);
}

/* A bucket is not worth more than the fast hash of the family. */
u32 xtcp_key_hash(const struct net *net, const struct xtcp_key *key)
{
	u32 mix = net_hash_mix(net);

	if (xtcp_key_is_v4(key))
		return hsiphash_3u32(v4_of(&key->laddr) ^ mix, v4_of(&key->raddr),
				     ports_of(key), &table_key);
	return hsiphash(key, sizeof(*key), &table_key) ^ mix;
}

u32 xtcp_addr_hash(const struct in6_addr *addr)
{
	return hsiphash(addr, sizeof(*addr), &table_key);
}
