// SPDX-License-Identifier: GPL-2.0
/*
 * /proc/net/xtcp and /proc/net/xtcp6: listeners, connections, requests and
 * TIME-WAIT entries of a namespace, in the format of /proc/net/tcp and tcp6, so
 * that tools read them as they are.  An AF_INET6 socket with an IPv4 peer stands
 * in xtcp6.  Reads without locks: a line is a glance, not a snapshot.
 */
#include <linux/proc_fs.h>
#include <linux/seq_file.h>
#include <linux/seq_file_net.h>

#include "xtcp.h"

#define WIDTH_V4	149	/* of a line in /proc/net/tcp, without the newline */

/* values of the column `tr` */
#define TR_NONE		0
#define TR_REXMT	1
#define TR_KEEPALIVE	2
#define TR_TIMEWAIT	3
#define TR_PROBE	4

struct iter {
	struct seq_net_private p;	/* first */
	struct xtcp_walk w;
	bool open;
	loff_t pos;			/* of the object that the walk is at, from 1 */
};

/* The columns that every kind has */
struct line {
	const struct in6_addr *laddr, *raddr;
	u16 lport, rport;
	u8 state;
	u32 tx_queue, rx_queue;
	u8 tr;
	u64 when;			/* ns from now */
	u32 retrnsmt;
	kuid_t uid;
	u32 timeout;
	unsigned long ino;
	int refcnt;
	const void *obj;
};

static unsigned long to_ticks(u64 ns)
{
	return div_u64(ns, NSEC_PER_SEC / USER_HZ);
}

static sa_family_t file_family(const struct seq_file *m)
{
	return (sa_family_t)(unsigned long)pde_data(file_inode(m->file));
}

static void print_endpoint(struct seq_file *m, const struct in6_addr *addr, u16 port)
{
	const __be32 *word = addr->s6_addr32;

	if (file_family(m) == AF_INET)
		seq_printf(m, "%08X:%04X ", word[3], port);
	else
		seq_printf(m, "%08X%08X%08X%08X:%04X ", word[0], word[1], word[2], word[3],
			   port);
}

static void print_line(struct seq_file *m, const struct line *l)
{
	struct iter *it = m->private;

	seq_printf(m, "%4d: ", (int)it->pos - 1);
	print_endpoint(m, l->laddr, l->lport);
	print_endpoint(m, l->raddr, l->rport);
	seq_printf(m, "%02X %08X:%08X %02X:%08lX %08X %5u %8d %lu %d %pK",
		   l->state, l->tx_queue, l->rx_queue, l->tr, to_ticks(l->when),
		   l->retrnsmt, from_kuid_munged(seq_user_ns(m), l->uid), l->timeout,
		   l->ino, l->refcnt, l->obj);
}

/* ---- sockets ---- */

static u64 from_now(u64 at)
{
	u64 now = xtcp_now();

	return at > now ? at - now : 0;
}

static void fill_timer(const struct xtcp_tcb *tcb, struct line *l)
{
	static const struct {
		u8 timer;
		u8 tr;
	} order[] = {
		{ XTCP_T_REXMT, TR_REXMT },
		{ XTCP_T_TLP, TR_REXMT },
		{ XTCP_T_REO, TR_REXMT },
		{ XTCP_T_PERSIST, TR_PROBE },
		{ XTCP_T_KEEPALIVE, TR_KEEPALIVE },
		{ XTCP_T_LINGER, TR_KEEPALIVE },
	};
	u64 at;
	int i;

	l->tr = TR_NONE;
	for (i = 0; i < ARRAY_SIZE(order); i++) {
		at = READ_ONCE(tcb->deadline[order[i].timer]);
		if (!at)
			continue;
		l->tr = order[i].tr;
		l->when = from_now(at);
		return;
	}
}

/* IPv4 addresses of a socket as the table has them */
static void fill_addresses(const struct sock *sk, struct line *l, struct in6_addr buf[2])
{
	const struct inet_sock *inet = inet_sk(sk);

	l->laddr = &buf[0];
	l->raddr = &buf[1];
	l->lport = ntohs(inet->inet_sport);
	l->rport = ntohs(inet->inet_dport);
#if IS_ENABLED(CONFIG_IPV6)
	if (sk->sk_family == AF_INET6) {
		l->laddr = &sk->sk_v6_rcv_saddr;
		l->raddr = &sk->sk_v6_daddr;
		return;
	}
#endif
	ipv6_addr_set_v4mapped(inet->inet_rcv_saddr, &buf[0]);
	ipv6_addr_set_v4mapped(inet->inet_daddr, &buf[1]);
}

static void fill_queues(const struct sock *sk, struct line *l)
{
	const struct xtcp_tcb *tcb = &xtcp_sk(sk)->tcb;
	s32 unacked;

	if (l->state == TCP_LISTEN) {
		l->rx_queue = READ_ONCE(sk->sk_ack_backlog);
		return;
	}
	/* a FIN counts, as there */
	unacked = READ_ONCE(tcb->write_seq) + tcb->fin_queued - READ_ONCE(tcb->snd_una);
	l->tx_queue = max(unacked, 0);
	l->rx_queue = xtcp_rcvbuf_readable(sk);
}

static void show_sock(struct seq_file *m, struct sock *sk)
{
	const struct xtcp_tcb *tcb = &xtcp_sk(sk)->tcb;
	u32 mss = max_t(u32, READ_ONCE(tcb->snd_mss), 1);
	u32 ssthresh = READ_ONCE(tcb->ssthresh);
	struct in6_addr buf[2];
	struct line l = {
		.state = inet_sk_state_load(sk),
		.retrnsmt = READ_ONCE(tcb->rexmits),
		.uid = xt_sk_uid(sk),
		.timeout = READ_ONCE(tcb->probes) + READ_ONCE(tcb->ka_probes),
		.ino = sock_i_ino(sk),
		.refcnt = refcount_read(&sk->sk_refcnt) - 1,	/* the walk's */
		.obj = sk,
	};

	fill_addresses(sk, &l, buf);
	fill_queues(sk, &l);
	fill_timer(tcb, &l);
	print_line(m, &l);
	seq_printf(m, " %lu %lu %u %u %d", to_ticks(xtcp_rto(tcb)),
		   to_ticks(xtcp_delack(tcb)),
		   tcb->quick_acks << 1 | tcb->pingpong, READ_ONCE(tcb->cwnd) / mss,
		   ssthresh >= XTCP_SSTHRESH_INIT ? -1 : (int)(ssthresh / mss));
}

/* ---- the small objects ---- */

static void fill_key(const struct xtcp_ep *ep, struct line *l)
{
	l->laddr = &ep->key.laddr;
	l->raddr = &ep->key.raddr;
	l->lport = ntohs(ep->key.lport);
	l->rport = ntohs(ep->key.rport);
	l->obj = ep;
}

static void show_request(struct seq_file *m, struct xtcp_request *req)
{
	struct line l = {
		.state = TCP_SYN_RECV,
		.tr = TR_REXMT,
		.when = max_t(s64, ktime_to_ns(hrtimer_expires_remaining(&req->timer)), 0),
		.retrnsmt = READ_ONCE(req->rexmits),
		.uid = xt_sk_uid(req->listener),
	};

	fill_key(&req->ep, &l);
	print_line(m, &l);
}

static void show_tw(struct seq_file *m, struct xtcp_tw *tw)
{
	struct line l = {
		.state = TCP_TIME_WAIT,
		.tr = TR_TIMEWAIT,
		.when = from_now(READ_ONCE(tw->expires)),
		.uid = GLOBAL_ROOT_UID,
		.refcnt = refcount_read(&tw->ep.refcnt) - 1,
	};

	fill_key(&tw->ep, &l);
	print_line(m, &l);
}

static void show_ep(struct seq_file *m, struct xtcp_ep *ep)
{
	switch (ep->kind) {
	case XTCP_EP_SOCK:
		show_sock(m, xtcp_ep_sk(ep));
		break;
	case XTCP_EP_REQUEST:
		show_request(m, container_of(ep, struct xtcp_request, ep));
		break;
	case XTCP_EP_TW:
		show_tw(m, container_of(ep, struct xtcp_tw, ep));
		break;
	}
}

/* ---- the file ---- */

static void *found(struct iter *it, bool more)
{
	return more ? it : NULL;
}

/* The walk keeps its place between two reads, if the next one begins where the
 * last one ended; otherwise it starts anew.
 */
static void *line_start(struct seq_file *m, loff_t *pos)
{
	struct iter *it = m->private;
	bool more;

	it->open = true;
	if (*pos && *pos == it->pos && it->w.offset) {
		it->w.offset--;
		return found(it, xtcp_walk_next(&it->w));
	}
	it->w = (struct xtcp_walk){ .net = seq_file_net(m), .family = file_family(m) };
	it->pos = *pos;
	if (!*pos)
		return SEQ_START_TOKEN;
	more = xtcp_walk_first(&it->w);
	for (it->pos = 1; more && it->pos < *pos; it->pos++)
		more = xtcp_walk_next(&it->w);
	return found(it, more);
}

static void *line_next(struct seq_file *m, void *v, loff_t *pos)
{
	struct iter *it = m->private;

	it->pos = ++*pos;
	return found(it, v == SEQ_START_TOKEN ? xtcp_walk_first(&it->w) :
						xtcp_walk_next(&it->w));
}

static void line_stop(struct seq_file *m, void *v)
{
	struct iter *it = m->private;

	if (it->open)
		xtcp_walk_end(&it->w);
	it->open = false;
}

static void print_header(struct seq_file *m)
{
	if (file_family(m) == AF_INET)
		seq_puts(m, "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode");
	else
		seq_puts(m, "  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode");
}

static int line_show(struct seq_file *m, void *v)
{
	struct iter *it = m->private;

	seq_setwidth(m, file_family(m) == AF_INET ? WIDTH_V4 : 0);
	if (v == SEQ_START_TOKEN)
		print_header(m);
	else if (it->w.listener)
		show_sock(m, it->w.listener);
	else
		show_ep(m, it->w.ep);
	seq_pad(m, '\n');
	return 0;
}

static const struct seq_operations line_ops = {
	.start = line_start,
	.next = line_next,
	.stop = line_stop,
	.show = line_show,
};

static bool create(struct net *net, const char *name, unsigned long family)
{
	return proc_create_net_data(name, 0444, net->proc_net, &line_ops,
				    sizeof(struct iter), (void *)family);
}

int xtcp_diag_net_init(struct net *net)
{
	if (!create(net, "xtcp", AF_INET))
		return -ENOMEM;
	if (create(net, "xtcp6", AF_INET6))
		return 0;
	remove_proc_entry("xtcp", net->proc_net);
	return -ENOMEM;
}

void xtcp_diag_net_exit(struct net *net)
{
	remove_proc_entry("xtcp6", net->proc_net);
	remove_proc_entry("xtcp", net->proc_net);
}
