/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The Linux side of XTCP: the socket, the small objects beside it, the state of
 * a network namespace, and every function that crosses a file of module/.
 * The protocol itself is in core/.
 *
 * References:
 *  - struct sock: one for the connection's life, dropped by xtcp_destroy();
 *    one for each armed hrtimer; one for each lookup in progress.  The table of
 *    connections holds none: sockets are freed after a grace period
 *    (SOCK_RCU_FREE) and leave the table in xtcp_destroy() at the latest.
 *  - struct xtcp_request: one for the table, one for its armed timer, one for
 *    each lookup; it holds one on its listener.
 *  - struct xtcp_tw: one for the table (dropped by whoever unhashes it), one
 *    for each lookup.
 *  - modules: every struct sock pins the module; requests hang on a listener;
 *    TIME-WAIT entries pin nothing and go with the namespace.
 *
 * Locks, outermost first: socket lock; a request's lock; the lock of its child;
 * listener's accept->lock; bucket locks (bind, then listeners or table);
 * per-namespace TIME-WAIT lock.  The lock of a set of metrics is taken with none but
 * the first three held.
 */
#ifndef _XTCP_H
#define _XTCP_H

#include <linux/hrtimer.h>
#include <linux/net.h>
#include <linux/rculist_nulls.h>
#include <linux/skbuff.h>
#include <linux/tcp.h>
#include <net/inet_sock.h>
#include <net/ip.h>
#include <net/ipv6.h>
#include <net/netns/generic.h>
#include <net/sock.h>
#include <net/tcp_states.h>

#include "compat.h"
#include "core/tcb.h"
#include "core/cc.h"
#include "mib.h"
#include "uapi/linux/xtcp.h"

#define XTCP_MAX_HEADER		L1_CACHE_ALIGN(128 + MAX_HEADER)

/* ---------------------------------------------------------------- endpoints */

/* Addresses and ports as seen from here; IPv4 as ::ffff:a.b.c.d. */
struct xtcp_key {
	struct in6_addr laddr;
	struct in6_addr raddr;
	__be16 lport;
	__be16 rport;
};

enum xtcp_ep_kind {
	XTCP_EP_NONE,
	XTCP_EP_SOCK,
	XTCP_EP_REQUEST,
	XTCP_EP_TW,
};

/**
 * struct xtcp_ep - what is in the table of connections
 * @node: in the bucket of @key; nulls value is the bucket's number
 * @key: constant while hashed
 * @hash: of @key and @net, set when it is hashed
 * @net: namespace, not refcounted here
 * @bound_if: device the connection is bound to, 0 = any (sockets: sk_bound_dev_if
 *	counts instead)
 * @kind: never changes for an object
 * @refcnt: of requests and TIME-WAIT entries; sockets use sk_refcnt
 */
struct xtcp_ep {
	struct hlist_nulls_node node;
	struct xtcp_key key;
	u32 hash;
	struct net *net;
	int bound_if;
	refcount_t refcnt;
	u8 kind;
};

/* Fields of a connection that answer without a socket (RST, SYN,ACK, TIME-WAIT). */
struct xtcp_reply {
	struct net *net;
	const struct xtcp_key *key;
	const struct sock *sk;		/* listener, for its options and LSM label; may be NULL */
	int oif;			/* 0 = by route */
	u32 mark;
	u32 txhash;
	u8 tos;
	u8 state;			/* for the trace, 0 = unknown */
	u32 flowlabel;			/* IPv6, network order in the low 20 bits as in flowi6 */
	const struct ip_options_rcu *opt; /* source route of an IPv4 reply, or NULL */
};

/* ---------------------------------------------------------------- requests */

/* A passive connection in SYN-RECEIVED (listen.c). */
struct xtcp_request {
	struct xtcp_ep ep;		/* first */
	struct sock *listener;
	spinlock_t lock;		/* one segment or timeout at a time; all below */
	struct hrtimer timer;		/* retransmission of SYN,ACK */
	struct list_head node;		/* in the listener's accept->requests */
	u64 rto;			/* of the first SYN,ACK, from then on doubled */
	u64 sent_at;			/* first SYN,ACK (RTT), 0 after a retransmission */
	u32 answered_at;		/* ms: last answer to what was not acceptable */
	u32 iss;
	u32 irs;
	u32 ts_offset;
	u32 ts_recent;
	u32 mark;
	u32 txhash;
	u32 rcv_wnd;			/* window announced in the SYN,ACK */
	u16 mss;			/* announced in the SYN,ACK */
	u16 peer_mss;			/* 0 = none announced */
	u32 peer_delay;			/* us, promised by the peer; with nego_ok */
	u8 snd_wscale;
	u8 rcv_wscale;
	u8 sack_ok:1, ts_ok:1, wscale_ok:1, acked:1, /* acked: DEFER_ACCEPT waits for data */
	   v6:1, dropped:1, nego_ok:1, ecn_ok:1,
	   ts_us:1,	/* timestamps count us */
	   by_ts:1;	/* sent again: only a TSecr tells which one was answered */
	u8 rexmits;			/* timeouts so far */
	u8 tos;				/* of the SYN received */
	int iif;
	struct ip_options_rcu *opt;	/* IPv4: reversed options of the SYN */
};

/* ---------------------------------------------------------------- TIME-WAIT */

/* A connection in TIME-WAIT (timewait.c); no sock_common, at most 192 bytes. */
struct xtcp_tw {
	struct xtcp_ep ep;		/* first */
	struct hlist_node bind_node;	/* in bucket->tws */
	struct xtcp_bucket *bucket;
	struct rb_node expiry;		/* in the namespace's tw_tree, empty when not */
	u64 expires;			/* ns */
	u32 snd_nxt;
	u32 rcv_nxt;
	u32 rcv_wnd;			/* bytes */
	u32 ts_offset;
	u32 ts_recent;
	u64 ts_recent_at;
	u32 mark;
	u32 txhash;
	u32 flowlabel;
	u32 answered_at;		/* ms: last answer to what was not acceptable */
	u8 rcv_wscale;
	u8 tos;
	u8 ts_ok:1, ts_us:1, v6:1, reuse:1, reuseport:1; /* v6: of an AF_INET6 socket */
	u8 dead;			/* by the namespace's tw_lock */
};

/* ---------------------------------------------------------------- the socket */

#define XTCP_FRAGS_INLINE	4

/* in xtcp_frag.page: others may write to the page while it is queued */
#define XTCP_FRAG_SHARED	1ul

/* One run of bytes of the send queue in a page, or in several of a compound page (sndbuf.c).
 * @off + @len is below 64 KB: our own page frags are not larger than 32 KB, or one page where
 * that is larger, and the pages of others are taken one by one (zerocopy.c).
 */
struct xtcp_frag {
	unsigned long page;		/* struct page *, and XTCP_FRAG_SHARED */
	u32 seq;			/* of its first byte */
	u16 off;
	u16 len;
};

/**
 * struct xtcp_sndbuf - the send queue: a ring of page frags in sequence order
 * @ring: @size entries, a power of two; @inline_ring until it overflows
 * @head: index of the oldest frag (free running)
 * @tail: behind the newest
 * The bytes of the frags cover [first unacknowledged, write_seq) without gaps.
 */
struct xtcp_sndbuf {
	struct xtcp_frag *ring;
	u32 size;
	u32 head;
	u32 tail;
	struct xtcp_frag inline_ring[XTCP_FRAGS_INLINE];
};

/* The queues of a socket that listens, or did (listen.c); freed with it. */
struct xtcp_accept {
	spinlock_t lock;		/* protects all below */
	bool open;			/* false once the listener stops */
	struct list_head queue;		/* children ready for accept(), by xs->no_owner */
	struct list_head requests;
	u32 queued;			/* children in @queue; also sk_ack_backlog */
	u32 nr_requests;
	u64 overflow_at;		/* last SYN cookie sent, 0 = none */
};

/* bits of xtcp_sock.deferred: what release_cb must do */
#define XTCP_DEFER_TIMER	0
#define XTCP_DEFER_MTU		1

struct xtcp_sock {
	struct inet_sock inet;		/* first */
	struct xtcp_ep ep;
	struct xtcp_net *xn;		/* of its namespace, which it keeps */
	const struct xtcp_af_ops *af_ops;
	struct xtcp_tcb tcb;

	/* send */
	struct xtcp_sndbuf snd;
	u16 user_mss;			/* TCP_MAXSEG, 0 = none */
	u16 mss_cache;			/* mss from the path MTU without options */
	u32 pmtu;			/* path MTU that mss_cache was made from */

	/* receive (rcvbuf.c); in-order skbs are in sk_receive_queue */
	struct rb_root ofo;		/* out-of-order skbs by sequence number */
	u32 ofo_truesize;		/* charged for them */
	u32 copied_seq;			/* next byte for the reader */
	u32 window_clamp;		/* 0 = none */
	u32 tuned_seq;			/* copied_seq when the buffer was last looked at */
	u64 tuned_at;			/* and the time of that */
	u32 tuned_taken;		/* bytes taken per round trip then */
	u32 urg_seq;			/* sequence of the urgent byte */
	u16 urg_data;			/* XTCP_URG_* | byte */

	/* timers, and what waits for the owner of the socket lock */
	u8 timer_ref;			/* an expiry to come holds a reference */
	u8 rto_defers;			/* timeouts put off in a row: still in this host */
	u32 mtu_info;			/* with XTCP_DEFER_MTU: what ICMP tells */
	struct hrtimer timer;
	u64 timer_at;			/* expiry programmed, 0 = not armed */
	unsigned long deferred;		/* XTCP_DEFER_* */

	/* ports (hash.c) */
	struct xtcp_bucket *bucket;
	struct hlist_node bind_node;	/* in bucket->owners */

	/* listener */
	struct xtcp_accept *accept;	/* NULL until the first listen() */
	struct hlist_nulls_node listen_node; /* RCU, in the table of listeners */

	/* options (sockopt.c); 0 = the namespace's */
	u16 keepalive_time;		/* s */
	u16 keepalive_intvl;		/* s */
	u8 keepalive_probes;
	u8 syn_retries;
	s8 negotiate;			/* XTCP_NEGOTIATE, -1 = the namespace's */
	u8 recvmsg_inq;			/* TCP_INQ: tell what is left with each recvmsg() */
	u32 user_timeout;		/* ms, 0 = none */
	s32 linger2;			/* s; -1 = no FIN-WAIT-2 */
	u32 notsent_lowat;		/* a writer waits while more is unsent, 0 = off */
	u8 defer_accept;		/* SYN,ACK retransmissions to wait, 0 = off */

	/* where it stands */
	u8 is_listening;		/* by the lock of the port's chain */
	u8 in_time_wait;		/* closed, and an entry stands in its place */
	u8 dead:1, orphan_listed:1;
	u32 answered_at;		/* ms: last answer to what was not acceptable */
	struct list_head no_owner;	/* waits for accept(), or is an orphan of the namespace */
};

struct xtcp6_sock {
	struct xtcp_sock xs;
	struct ipv6_pinfo inet6;	/* last; see KERNELS: pinfo location */
};

static inline struct xtcp_sock *xtcp_sk(const struct sock *sk)
{
	return (struct xtcp_sock *)sk;
}

static inline struct sock *xtcp_ep_sk(struct xtcp_ep *ep)
{
	return &container_of(ep, struct xtcp_sock, ep)->inet.sk;
}

static inline u64 xtcp_now(void)
{
	return ktime_get_ns();
}

/* Control block of an skb in a receive or out-of-order queue. */
struct xtcp_skb_cb {
	u32 seq;			/* of skb->data[0] */
	u32 end_seq;			/* behind the last byte (no FIN) */
};

#define XTCP_SKB_CB(skb) ((struct xtcp_skb_cb *)(skb)->cb)

/* What differs between IPv4 and IPv6 for a full socket. */
struct xtcp_af_ops {
	u16 family;			/* on the wire: AF_INET or AF_INET6 */
	u16 net_hdr_len;
	u16 default_mss;		/* 536 or 1220 */
	/* Route of the connection: cached if still valid, else looked up again.
	 * NULL: no route, error in sk->sk_err_soft.  Socket lock held.
	 */
	struct dst_entry *(*route)(struct sock *sk);
	/* Hand to the network layer; consumes @skb. Checksum field holds the
	 * pseudo-header sum (xtcp_output does it through ->pseudo).
	 */
	int (*xmit)(struct sock *sk, struct sk_buff *skb, u8 ecn);
	/* complement of the pseudo-header sum over @len bytes, protocol included */
	__sum16 (*pseudo)(const struct sock *sk, u32 len);
	/* Fill addresses and IP-level state of a child from its request. Return 0 or -errno. */
	int (*child_init)(struct sock *child, const struct sock *listener,
			  struct xtcp_request *req, struct sk_buff *skb);
	/* Lower the path MTU; then xtcp_sync_mss(). */
	void (*update_pmtu)(struct sock *sk, u32 mtu);
	/* bytes of IP options or extension headers in front of the segment */
	u16 (*opt_len)(const struct sock *sk);
};

extern const struct xtcp_af_ops xtcp_v4_ops;		/* IPv4 peer, sockets of both families */
extern const struct xtcp_af_ops xtcp_v6_ops;		/* IPv6 peer */

/* ---------------------------------------------------------------- namespace */

struct xtcp_sysctl {
	int sack, timestamps, window_scaling;
	int ecn, ecn_fallback;		/* RFC 3168 */
	int rmem[3], wmem[3];
	int fin_timeout;		/* s */
	int keepalive_time, keepalive_probes, keepalive_intvl;	/* s, -, s */
	int syn_retries, synack_retries, retries1, retries2, orphan_retries;
	int max_orphans, max_syn_backlog, abort_on_overflow, rfc1337, stdurg;
	int reuse_tw, max_tw_buckets, min_snd_mss, challenge_ack_limit;
	int invalid_ratelimit;		/* ms */
	int slow_start_after_idle, syncookies, early_retrans, frto;
	int tw_timeout;			/* ms: 2MSL */
	int rto_min;			/* us */
	int rto_max;			/* ms */
	int delack_max;			/* ms */
	int negotiate;
	int rto_floor, max_ack_delay;	/* us */
	int no_metrics_save, no_ssthresh_metrics_save;
	int adv_win_scale;		/* see sysctl.c */
	int early_demux;
};

struct xtcp_net {
	struct net *net;
	struct xtcp_sysctl sysctl;
	const struct xtcp_cc_ops *cc;	/* default controller */
	struct ctl_table_header *sysctl_hdr;
	struct ctl_table *sysctl_table;
	unsigned long __percpu *mib;	/* XTCP_NR_MIBS each */

	/* TIME-WAIT (timewait.c) */
	spinlock_t tw_lock;
	struct rb_root_cached tw_tree;	/* by expiry */
	struct xtcp_tw *tw_last;	/* rightmost of it */
	struct hrtimer tw_timer;
	u64 tw_timer_at;
	atomic_t tw_count;

	struct xtcp_metrics_set **metrics; /* metrics.c */

	/* orphans (sock.c) */
	spinlock_t orphan_lock;
	struct list_head orphans;
	atomic_t orphan_count;

	/* challenge ACKs, RFC 5961 7 */
	spinlock_t challenge_lock;
	u64 challenge_second;
	u32 challenge_left;

	atomic_t sockets;		/* full sockets alive, for /proc */
	bool early_used, early_hooked;	/* early.c */
};

extern unsigned int xtcp_net_id;

static inline struct xtcp_net *xtcp_pernet(const struct net *net)
{
	return net_generic(net, xtcp_net_id);
}

static inline struct xtcp_net *xtcp_sknet(const struct sock *sk)
{
	return xtcp_sk(sk)->xn;
}

static inline void xtcp_mib_add(struct net *net, enum xtcp_mib id, unsigned long n)
{
	this_cpu_add(xtcp_pernet(net)->mib[id], n);
}

static inline void xtcp_mib_inc(struct net *net, enum xtcp_mib id)
{
	this_cpu_inc(xtcp_pernet(net)->mib[id]);
}

static inline void xtcp_sk_mib_add(const struct sock *sk, enum xtcp_mib id, unsigned long n)
{
	this_cpu_add(xtcp_sknet(sk)->mib[id], n);
}

static inline void xtcp_sk_mib_inc(const struct sock *sk, enum xtcp_mib id)
{
	this_cpu_inc(xtcp_sknet(sk)->mib[id]);
}

/* ---------------------------------------------------------------- main.c */

extern int xtcp_protocol;		/* IP protocol number in use */
extern int xtcp_family;			/* address family in use */
extern bool xtcp_gso_marker;
extern unsigned int xtcp_ehash_entries;	/* wanted size of the table, 0 = by memory size */

/* ---------------------------------------------------------------- af_xtcp.c */

int xtcp_family_init(void);
void xtcp_family_exit(void);

/* ---------------------------------------------------------------- sock.c */

extern struct proto xtcp_prot, xtcpv6_prot;
extern const struct proto_ops xtcp_stream_ops, xtcpv6_stream_ops;
extern struct percpu_counter xtcp_sockets_allocated;

int xtcp_sock_init(void);
void xtcp_sock_exit(void);
void xtcp_init_xs(struct sock *sk);
int xtcp_disconnect(struct sock *sk, int flags);
/* second half of connect(): addresses, dport and route are set; socket lock held.
 * Chooses the port, the ISN and what to offer, sends the SYN.  Return: 0 or -errno
 */
int xtcp_connect_start(struct sock *sk);
/* ECN whatever the sysctl says: the controller needs it, or the route has the feature */
bool xtcp_wants_ecn(const struct sock *sk, const struct dst_entry *dst);
void xtcp_close(struct sock *sk, long timeout);
void xtcp_shutdown(struct sock *sk, int how);
/* fail the connection: set sk_err, report, move to CLOSED by @ev; socket lock held */
void xtcp_fail(struct sock *sk, int err, enum xtcp_event ev);
/* last step of a dead and closed socket; drops the connection's reference */
void xtcp_destroy(struct sock *sk);
/* abort every orphan of a namespace. Context: process */
void xtcp_abort_orphans(struct net *net);
int xtcp_orphan_retries(struct sock *sk, bool alive);
void xtcp_get_info(struct sock *sk, struct tcp_info *info);
void xtcp_get_own_info(struct sock *sk, struct xtcp_info *info);

/* ---------------------------------------------------------------- cong.c */

/* the controller of a new socket, with a reference on its module */
const struct xtcp_cc_ops *xtcp_cong_get_default(struct xtcp_net *xn);
/* that of a child, a clone of @listener, with a reference of its own */
void xtcp_cong_inherit(struct sock *child, const struct sock *listener);
void xtcp_cong_put(const struct xtcp_cc_ops *ops);
/* TCP_CONGESTION; socket lock held. Return: 0 or -ENOENT */
int xtcp_cong_set(struct sock *sk, const char *name);
/* XTCP_CC_NAME_MAX bytes, padded with zeros */
void xtcp_cong_name(const struct sock *sk, char *name);
int xtcp_cong_set_default(struct xtcp_net *xn, const char *name);
void xtcp_cong_default_name(const struct xtcp_net *xn, char *name);
void xtcp_cong_names(char *names, size_t size);

/* ---------------------------------------------------------------- poll.c */

__poll_t xtcp_poll(struct file *file, struct socket *sock, poll_table *wait);
int xtcp_ioctl(struct sock *sk, int cmd, int *value);
int xtcp_set_rcvlowat(struct sock *sk, int val);

/* ---------------------------------------------------------------- state.c */

/**
 * xtcp_event() - the only writer of a full socket's state
 * Socket lock held. Looks up the arrow, sets sk_state and tcb.state, counts and
 * traces it, then runs the entry action of the new state.  CLOSED: the socket
 * leaves the tables, timers and queues go, sleepers wake; if it is an orphan
 * it is destroyed (the caller then must hold a reference of its own to go on using it).
 * Return: false where there is no such arrow (counted, nothing changes).
 */
bool xtcp_event(struct sock *sk, enum xtcp_event ev);
/* The same for requests and TIME-WAIT entries, which hold no state of their own:
 * counts and traces the arrow, returns the next state or XTCP_NO_ARROW.
 */
u8 xtcp_event_small(struct xtcp_ep *ep, u8 state, enum xtcp_event ev);
/* A child made from a request starts in the state its request's arrow led to. */
void xtcp_state_inherit(struct sock *child, u8 state);
unsigned long xtcp_arrow_count(u8 state, enum xtcp_event ev);
unsigned long xtcp_illegal_count(void);

/* ---------------------------------------------------------------- demux.c */

/* One checksummed segment with addresses and ports known. Consumes @skb.
 * Transport header set, skb->data at it, header with options in the linear part.
 * @sdif: L3 master's slave, as inet_sdif().
 */
void xtcp_rcv(struct sk_buff *skb, struct xtcp_key *key, int dif, int sdif);
/* may @skb reach @sk (listener of a request, or NULL)? TTL, policy, filter */
enum xtcp_mib xtcp_admit(struct sock *sk, struct sk_buff *skb);
/* xtcp_rcv() of a segment that was counted before */
void xtcp_demux(struct sk_buff *skb, const struct xtcp_key *key, int dif, int sdif);

/* ---------------------------------------------------------------- input.c */

/* header and options to host order; false: malformed options */
bool xtcp_parse(const struct sk_buff *skb, struct xtcp_segment *seg);
/* backlog_rcv, and the locked half of xtcp_rcv(); consumes @skb */
int xtcp_do_rcv(struct sock *sk, struct sk_buff *skb);
/* steps of RFC 9293 3.10.7.4 on a fresh child with the segment that made it;
 * child locked; consumes @skb
 */
void xtcp_child_rcv(struct sock *child, struct sk_buff *skb, struct xtcp_segment *seg);
void xtcp_drop(struct net *net, struct sk_buff *skb, enum xtcp_mib why);

/* ---------------------------------------------------------------- limit.c */

bool xtcp_may_answer(struct net *net, u32 *last, u64 now);
bool xtcp_may_challenge(struct net *net, u32 *last, u64 now);

/* ---------------------------------------------------------------- output.c */

/* the one exit: send what xtcp_tx_next() wants, then ACK, wake-ups, timer */
void xtcp_flush(struct sock *sk, u64 now);
void xtcp_send_ack(struct sock *sk, u64 now);
/* RST of a live connection with SEQ = SND.NXT (RFC 9293 3.10.4, 3.10.5) */
void xtcp_send_reset(struct sock *sk);
/* keepalive probe: SEQ = SND.UNA - 1, no text (RFC 9293 3.8.4) */
void xtcp_send_keepalive(struct sock *sk, u64 now);
/* answer a segment that belongs to nothing: RFC 9293 3.10.7.1 and 3.5.2 */
void xtcp_reset_segment(struct net *net, const struct sk_buff *skb,
			const struct xtcp_key *key, const struct xtcp_segment *seg,
			const struct sock *sk, int oif);
/* any segment without a socket: SYN,ACK of a request, ACK of TIME-WAIT */
void xtcp_send_reply(const struct xtcp_reply *r, u8 flags, u32 seq, u32 ack,
		     u32 wnd, const struct xtcp_options *o);
/* effective MSS from path MTU, options, user and peer; socket lock held */
void xtcp_sync_mss(struct sock *sk, u32 pmtu);
void xtcp_follow_pmtu(struct sock *sk);
/* the MSS to announce to a peer reached through @dst */
u16 xtcp_advertised_mss(const struct xtcp_af_ops *ops, const struct dst_entry *dst,
			u16 user_mss);
/* window to announce in a SYN or SYN,ACK, and the scale for it */
u32 xtcp_initial_window(const struct sock *sk, u16 mss, bool scaling, u8 *wscale);

/* ---------------------------------------------------------------- timer.c */

bool xtcp_hrtimer_dequeue(struct hrtimer *timer);
void xtcp_timer_init(struct sock *sk);
/* program the hrtimer for the earliest deadline, if that is earlier than what
 * is programmed; socket lock held
 */
void xtcp_timer_arm(struct sock *sk);
void xtcp_timer_stop(struct sock *sk);
/* serve every deadline that has passed; socket lock held */
void xtcp_timer_run(struct sock *sk, u64 now);
void xtcp_set_keepalive(struct sock *sk, int on);
void xtcp_keepalive_restart(struct sock *sk, u64 now);
/* an orphan in FIN-WAIT-2 waits TCP_LINGER2 or fin_timeout for the peer's FIN */
void xtcp_linger_start(struct sock *sk);

/* ---------------------------------------------------------------- sndbuf.c */

int xtcp_sendmsg(struct sock *sk, struct msghdr *msg, size_t len);
int xtcp_sendmsg_locked(struct sock *sk, struct msghdr *msg, size_t len);
/* the bytes [seq, end_seq) as frags of @skb, a page reference each */
void xtcp_sndbuf_fill(struct sock *sk, struct sk_buff *skb, u32 seq, u32 end_seq);
/* the same bytes to @to */
void xtcp_sndbuf_copy(const struct sock *sk, void *to, u32 seq, u32 end_seq);
/* free what lies below @una */
void xtcp_sndbuf_acked(struct sock *sk, u32 una);
void xtcp_sndbuf_purge(struct sock *sk);
void xtcp_sndbuf_init(struct sock *sk);
/* more room for the writer as cwnd grows, up to wmem[2] */
void xtcp_sndbuf_expand(struct sock *sk);
void xtcp_write_space(struct sock *sk);
/* TCP_NOTSENT_LOWAT: may more be queued?  With @wake, is it worth to wake a writer? */
bool xtcp_stream_memory_free(const struct sock *sk, int wake);
/* how far from @seq a single skb can reach: frag count limit */
u32 xtcp_sndbuf_reach(const struct sock *sk, u32 seq, u32 end_seq);
/* is there room for the writer, and a place in the ring for @frags more? */
bool xtcp_sndbuf_room(struct sock *sk, u32 frags);
/* memory for @n bytes in @frags frags? */
bool xtcp_sndbuf_memory(struct sock *sk, u32 n, u32 frags);
bool xtcp_sndbuf_append(struct sock *sk, struct page *page, u32 off, u32 n, bool shared);
/* copy some bytes of @msg. Return: bytes taken, 0 = no room now, -EFAULT */
int xtcp_sndbuf_take(struct sock *sk, struct msghdr *msg);

/* ---------------------------------------------------------------- zerocopy.c */

/* the same without a copy */
int xtcp_splice_take(struct sock *sk, struct msghdr *msg);
ssize_t xtcp_sendpage(struct socket *sock, struct page *page, int off, size_t len, int flags);
void xtcp_splice_eof(struct socket *sock);

/* ---------------------------------------------------------------- rcvbuf.c */

/* queue text [seq, end) of an in-order skb / put aside; consume @skb */
void xtcp_rcvbuf_queue(struct sock *sk, struct sk_buff *skb);
void xtcp_rcvbuf_ofo(struct sock *sk, struct sk_buff *skb);
/* move what has become in-order from ofo to the queue */
void xtcp_rcvbuf_collect(struct sock *sk);
/* memory for @skb under rcvbuf and net.xtcp.mem? prunes ofo if needed */
bool xtcp_rcvbuf_admit(struct sock *sk, struct sk_buff *skb);
void xtcp_rcvbuf_purge(struct sock *sk);
/* sets tcb.rcv_space and rcv_buf */
void xtcp_rcvbuf_space(struct sock *sk);
/* bytes a reader can take now */
u32 xtcp_rcvbuf_readable(const struct sock *sk);
int xtcp_rcvbuf_target_reached(struct sock *sk);
/* bytes of any kind that nobody has read? (the urgent one counts) */
bool xtcp_rcvbuf_unread(const struct sock *sk);
/* free the first skb of the queue */
void xtcp_rcvbuf_eat(struct sock *sk, struct sk_buff *skb);

/* the reader took data: does the path carry more than the buffer lets it? (autotune.c) */
void xtcp_rcvbuf_autotune(struct sock *sk, u64 now);

/* urgent data, RFC 9293 3.8.5, RFC 6093 (rcvbuf.c) */
#define XTCP_URG_VALID	0x0100
#define XTCP_URG_NOTYET	0x0200
#define XTCP_URG_READ	0x0400
void xtcp_urg_rcv(struct sock *sk, struct sk_buff *skb, const struct xtcp_segment *seg);

/* ---------------------------------------------------------------- recvmsg.c */

int xtcp_recvmsg_common(struct sock *sk, struct msghdr *msg, size_t len, int flags);
ssize_t xtcp_splice_read(struct socket *sock, loff_t *ppos,
			 struct pipe_inode_info *pipe, size_t len, unsigned int flags);
int xtcp_read_sock(struct sock *sk, read_descriptor_t *desc, sk_read_actor_t actor);

/* ---------------------------------------------------------------- hash.c */

int xtcp_hash_init(void);
void xtcp_hash_exit(void);
/* into the table; bottom halves may run */
void xtcp_ep_insert(struct xtcp_ep *ep);
/* Return: true if it was hashed (the caller then owns the table's reference) */
bool xtcp_ep_remove(struct xtcp_ep *ep);
/* @new takes the place of @old (same key) atomically; false if @old was not hashed */
bool xtcp_ep_replace(struct xtcp_ep *old, struct xtcp_ep *new);
/* insert @ep unless a connection with its key is there; false then */
bool xtcp_ep_insert_unique(struct xtcp_ep *ep);
/* the same for connect(); a TIME-WAIT entry that xtcp_tw_reusable() leaves the table
 * and is returned in *@tw with the table's reference
 */
bool xtcp_ep_insert_connect(struct xtcp_ep *ep, struct xtcp_tw **tw);
/* RCU lookup; a reference is held on what is returned */
struct xtcp_ep *xtcp_lookup(struct net *net, const struct xtcp_key *key, int dif, int sdif);
void xtcp_ep_put(struct xtcp_ep *ep);
/* proto.hash / proto.unhash: unhash removes from whichever table */
int xtcp_hash(struct sock *sk);
void xtcp_unhash(struct sock *sk);
/* is @ep, found before, still in the table and the one for @key? */
bool xtcp_ep_is_for(struct xtcp_ep *ep, struct net *net, const struct xtcp_key *key,
		    int dif, int sdif);
/* the endpoint that a segment is for */
void xtcp_key_from_skb(const struct sk_buff *skb, struct xtcp_key *key);
/* xs->ep.key from the inet_sock's addresses and ports */
void xtcp_key_from_sk(struct sock *sk);
/* walk for /proc: the @pos-th object of the namespace; see diag.c */
struct xtcp_walk {
	struct net *net;
	sa_family_t family;
	int phase;			/* listeners, then the table */
	unsigned int bucket;
	loff_t offset;
	struct xtcp_ep *ep;		/* current, reference held */
	struct sock *listener;		/* current, reference held */
};

bool xtcp_walk_first(struct xtcp_walk *w);
bool xtcp_walk_next(struct xtcp_walk *w);
void xtcp_walk_end(struct xtcp_walk *w);

/* ---------------------------------------------------------------- listeners.c */

#define XTCP_LISTEN_BUCKETS	256u

void xtcp_listeners_init(void);
int xtcp_listener_hash(struct sock *sk);
void xtcp_listener_unhash(struct sock *sk);
/* best listener by address, device, family; reuseport groups; reference held */
struct sock *xtcp_lookup_listener(struct net *net, const struct xtcp_key *key,
				  int dif, int sdif, struct sk_buff *skb);
/* the next one in bucket w->bucket behind w->offset; RCU read side */
bool xtcp_listeners_walk(struct xtcp_walk *w);

/* ---------------------------------------------------------------- bind.c */

int xtcp_bind_init(void);
void xtcp_bind_exit(void);
/* bind(): @snum, or a port that nobody uses if that is 0; 0 or -EADDRINUSE */
int xtcp_get_port(struct sock *sk, unsigned short snum);
void xtcp_put_port(struct sock *sk);
/* may @sk listen at its port? Sets is_listening; 0 or -EADDRINUSE */
int xtcp_port_listen(struct sock *sk);
void xtcp_port_unlisten(struct sock *sk);
/* child of a listener shares its port; false: the listener has none any more */
bool xtcp_inherit_port(const struct sock *parent, struct sock *child);
/* TIME-WAIT entry stands at the socket's port as well */
void xtcp_bind_tw(struct sock *sk, struct xtcp_tw *tw);
void xtcp_unbind_tw(struct xtcp_tw *tw);
/* connect(): choose a port if there is none (RFC 6056), fill xs->ep and insert it;
 * 0, -EADDRNOTAVAIL or -ENOMEM
 */
int xtcp_hash_connect(struct sock *sk);

/* ---------------------------------------------------------------- secret.c */

/* secrets and what is made from them */
void xtcp_secret_init(void);
u32 xtcp_isn(const struct xtcp_key *key, u64 now);		/* RFC 6528 */
u32 xtcp_ts_offset(const struct net *net, const struct xtcp_key *key); /* RFC 7323 7.1 */
/* RFC 6056 3.3.4: F and G */
u64 xtcp_port_offset(const struct net *net, const struct xtcp_key *key);
u32 xtcp_cookie_mac(const struct xtcp_key *key, u32 irs, u32 time, u32 mss_index);
u32 xtcp_key_hash(const struct net *net, const struct xtcp_key *key);
u32 xtcp_addr_hash(const struct in6_addr *addr);

/* ---------------------------------------------------------------- listen.c */

int xtcp_listen(struct socket *sock, int backlog);
void xtcp_listen_stop(struct sock *sk);
struct sock *xtcp_accept_sk(struct sock *sk, int flags, int *err, bool kern);
/* a segment for a listener; socket lock (bh) held; Return: XTCP_KEPT or why to drop */
enum xtcp_mib xtcp_listen_rcv(struct sock *sk, struct sk_buff *skb, struct xtcp_segment *seg);
/* the connection of @req, with the segment that completed its handshake: in the
 * table in place of the request, and in the accept queue.  Return: the child, locked
 * (bh), with a reference for the caller; NULL without memory or if the listener stops
 */
struct sock *xtcp_child_create(struct xtcp_request *req, struct sk_buff *skb,
			       const struct xtcp_segment *seg);
/* the rest of that segment is the child's; unlocks it and drops the reference.
 * Consumes @skb, wakes @listener
 */
void xtcp_child_start(struct sock *child, struct sock *listener, struct sk_buff *skb,
		      struct xtcp_segment *seg);

static inline bool xtcp_accept_full(const struct sock *sk)
{
	return READ_ONCE(sk->sk_ack_backlog) > READ_ONCE(sk->sk_max_ack_backlog);
}

/* ---------------------------------------------------------------- request.c */

int xtcp_request_init(void);
void xtcp_request_exit(void);
/* a SYN made a request: fields from the SYN, a reference for the caller, not yet
 * in the table; NULL: see @why
 */
struct xtcp_request *xtcp_request_new(struct sock *sk, struct sk_buff *skb,
				      const struct xtcp_key *key,
				      const struct xtcp_segment *seg, enum xtcp_mib *why);
/* into the table and the listener's list, send SYN,ACK, start the timer */
enum xtcp_mib xtcp_request_start(struct xtcp_request *req);
void xtcp_request_send_syn_ack(struct xtcp_request *req, u64 now);
/* a segment for a request; consumes @skb and the caller's reference on @req */
void xtcp_request_rcv(struct xtcp_request *req, struct sk_buff *skb,
		      const struct xtcp_key *key, int dif, int sdif);
/* drop the request: unhash, stop its timer; @ev for the arrow. Return: false if
 * someone else did; the caller holds a reference
 */
bool xtcp_request_drop(struct xtcp_request *req, enum xtcp_event ev);
void xtcp_request_free(struct xtcp_request *req);
/* ICMP error for a SYN,ACK: RFC 1122 */
void xtcp_request_icmp(struct xtcp_request *req, u32 seq);

/* ---------------------------------------------------------------- cookie.c */

/* may the listener answer by cookie, or has it lately? */
bool xtcp_cookie_wanted(const struct sock *sk, bool full);
bool xtcp_cookie_expected(const struct sock *sk);
/* answer the SYN of @req, which is then forgotten, by a cookie */
void xtcp_cookie_send(struct xtcp_request *req);
/* the request that an ACK of a cookie stands for, as xtcp_request_new() gives it */
struct xtcp_request *xtcp_cookie_check(struct sock *sk, struct sk_buff *skb,
				       const struct xtcp_key *key,
				       const struct xtcp_segment *seg);

/* ---------------------------------------------------------------- metrics.c */

int xtcp_metrics_net_init(struct net *net);
void xtcp_metrics_net_exit(struct net *net);
bool xtcp_metrics_get(struct net *net, const struct in6_addr *addr, int bound_if,
		      struct xtcp_metrics *m);
void xtcp_metrics_learn(struct sock *sk);
void xtcp_metrics_raise_floor(struct sock *sk);
void xtcp_metrics_flush(struct net *net);

/* ---------------------------------------------------------------- timewait.c */

int xtcp_tw_init(void);
void xtcp_tw_exit(void);
int xtcp_tw_net_init(struct net *net);
void xtcp_tw_net_exit(struct net *net);
/* connection enters TIME-WAIT: an entry takes its place in the tables.
 * Return: false where none could be had (the connection is just closed)
 */
bool xtcp_tw_start(struct sock *sk);
/* a segment for a TIME-WAIT entry; consumes @skb and the reference on @tw.
 * A new SYN that may reuse it (RFC 6191) kills @tw and goes to the listener.
 */
void xtcp_tw_rcv(struct xtcp_tw *tw, struct sk_buff *skb, const struct xtcp_key *key,
		 int dif, int sdif);
/* unhashed by the caller, who has the table's reference: the rest of its end */
void xtcp_tw_retire(struct xtcp_tw *tw, enum xtcp_event ev);
/* unhash and drop; @ev for the arrow. Return: false if someone else did */
bool xtcp_tw_kill(struct xtcp_tw *tw, enum xtcp_event ev);
/* may connect() take the place of @tw now? RFC 6191, sysctl tw_reuse */
bool xtcp_tw_reusable(const struct xtcp_tw *tw, const struct sock *sk);
void xtcp_tw_free(struct xtcp_tw *tw);

/* ---------------------------------------------------------------- ipv4.c ipv6.c */

int xtcp_v4_init(void);
void xtcp_v4_exit(void);
int xtcp_v6_init(void);
void xtcp_v6_exit(void);
int xtcp_v4_connect(struct sock *sk, xt_sockaddr *uaddr, int addr_len);
int xtcp_v6_connect(struct sock *sk, xt_sockaddr *uaddr, int addr_len);
/* transmit a reply without a socket: adds IP header and route, consumes @skb;
 * skb->data at the XTCP header, checksum field zero
 */
int xtcp_v4_reply(const struct xtcp_reply *r, struct sk_buff *skb);
int xtcp_v6_reply(const struct xtcp_reply *r, struct sk_buff *skb);
/* route towards a request's peer, for its MSS; NULL: none. Reference held. */
struct dst_entry *xtcp_v4_request_route(const struct sock *sk, const struct xtcp_request *req);
struct dst_entry *xtcp_v6_request_route(const struct sock *sk, const struct xtcp_request *req);
/* take IP options, tos, iif... of a SYN into its request */
void xtcp_v4_request_init(struct xtcp_request *req, const struct sock *sk, struct sk_buff *skb);
void xtcp_v6_request_init(struct xtcp_request *req, const struct sock *sk, struct sk_buff *skb);

/* for ipv6.c: a socket of either family and an IPv4 peer */
int xtcp_v4_connect_to(struct sock *sk, __be32 daddr, __be16 dport);
/* for ipv4.c: the IPv6 part of a child with an IPv4 peer */
void xtcp_v6_child_pinfo(struct sock *child);

/* ---------------------------------------------------------------- ip.c */

bool xtcp_check(struct sk_buff *skb);
void xtcp_setup_caps(struct sock *sk, struct dst_entry *dst);
void xtcp_forget_peer(struct sock *sk);
int xtcp_reply_oif(struct net *net, const struct xtcp_key *key, int dif);

/* ---------------------------------------------------------------- early.c */

#ifdef CONFIG_NETFILTER
void xtcp_early_start(struct xtcp_net *xn);
void xtcp_early_switch(struct xtcp_net *xn);
void xtcp_early_net_pre_exit(struct net *net);
struct sock *xtcp_early_take(struct sk_buff *skb, const struct xtcp_key *key, int dif, int sdif);
void xtcp_early_learn(struct sock *sk, const struct sk_buff *skb);
#else
static inline void xtcp_early_start(struct xtcp_net *xn) { }
static inline void xtcp_early_switch(struct xtcp_net *xn) { }
static inline void xtcp_early_net_pre_exit(struct net *net) { }
static inline void xtcp_early_learn(struct sock *sk, const struct sk_buff *skb) { }

static inline struct sock *xtcp_early_take(struct sk_buff *skb, const struct xtcp_key *key,
					   int dif, int sdif)
{
	return NULL;
}
#endif

/* Return: the route that was remembered, its reference is the caller's; or NULL */
static inline struct dst_entry *xtcp_early_forget(struct sock *sk)
{
	return unrcu_pointer(xchg(&sk->sk_rx_dst, NULL));
}

/* ---------------------------------------------------------------- icmp.c */

void xtcp_icmp_mtu(struct sock *sk, u32 seq, u32 mtu);
void xtcp_icmp_redirect(struct sock *sk, u32 seq, struct sk_buff *skb);
void xtcp_icmp_error(struct sock *sk, u32 seq, int err);
/* the path MTU of an ICMP error noted in mtu_info, once the socket is ours */
void xtcp_mtu_reduced(struct sock *sk);

static inline bool xtcp_key_is_v4(const struct xtcp_key *key)
{
	return ipv6_addr_v4mapped(&key->raddr);
}

/* ---------------------------------------------------------------- offload.c */

int xtcp_offload_init(void);
void xtcp_offload_exit(void);
/* fill gso_size, gso_segs, gso_type of a super-packet with @len bytes of text */
void xtcp_gso_setup(const struct sock *sk, struct sk_buff *skb, u32 len, u16 mss);
u16 xtcp_gso_type(bool v6);

/* ---------------------------------------------------------------- sockopt.c */

int xtcp_setsockopt(struct sock *sk, int level, int name, sockptr_t val, unsigned int len);
int xtcp_getsockopt(struct sock *sk, int level, int name, char __user *val, int __user *len);

/* does this socket offer and answer the XTCP option? */
static inline bool xtcp_negotiates(const struct sock *sk)
{
	s8 own = READ_ONCE(xtcp_sk(sk)->negotiate);

	return own >= 0 ? own : READ_ONCE(xtcp_sknet(sk)->sysctl.negotiate);
}

/* ---------------------------------------------------------------- sysctl.c mib.c diag.c */

/* global, for struct proto: sysctl_mem; sysctl_rmem, sysctl_wmem (their minima) */
extern long xtcp_sysctl_mem[3];
extern int xtcp_rmem_min, xtcp_wmem_min;
int xtcp_sysctl_init(void);
int xtcp_sysctl_net_init(struct net *net);
void xtcp_sysctl_net_exit(struct net *net);
int xtcp_mib_net_init(struct net *net);
void xtcp_mib_net_exit(struct net *net);
unsigned long xtcp_mib_read(struct net *net, enum xtcp_mib id);
const char *xtcp_mib_name(enum xtcp_mib id);	/* "-" for XTCP_KEPT */
int xtcp_drop_reason(enum xtcp_mib id);		/* enum skb_drop_reason */
int xtcp_diag_net_init(struct net *net);
void xtcp_diag_net_exit(struct net *net);

#endif
