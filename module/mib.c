// SPDX-License-Identifier: GPL-2.0
/*
 * The counters of a network namespace, summed over the CPUs, in
 * /proc/net/xtcp_stat ("Name value", a line each), and how often each arrow of
 * the state machine was taken since the module was loaded, in /proc/net/xtcp_fsm
 * ("OLD EVENT NEW count"; first namespace only).  The list of counters is in mib.h.
 */
#include <linux/proc_fs.h>
#include <linux/seq_file.h>
#include <linux/seq_file_net.h>

#include "xtcp.h"

#define XTCP_C(id, name)		[XTCP_##id] = name,
#define XTCP_D(id, name, reason)	[XTCP_##id] = name,
static const char * const mib_name[XTCP_NR_MIBS] = {
	XTCP_MIBS(XTCP_C, XTCP_D)
};
#undef XTCP_C
#undef XTCP_D

#define XTCP_C(id, name)		[XTCP_##id] = SKB_DROP_REASON_NOT_SPECIFIED,
#define XTCP_D(id, name, reason)	[XTCP_##id] = SKB_DROP_REASON_##reason,
static const u16 drop_reason[XTCP_NR_MIBS] = {
	XTCP_MIBS(XTCP_C, XTCP_D)
};
#undef XTCP_C
#undef XTCP_D

const char *xtcp_mib_name(enum xtcp_mib id)
{
	return id < XTCP_NR_MIBS && mib_name[id] ? mib_name[id] : "-";
}

int xtcp_drop_reason(enum xtcp_mib id)
{
	return drop_reason[id];
}

unsigned long xtcp_mib_read(struct net *net, enum xtcp_mib id)
{
	const struct xtcp_net *xn = xtcp_pernet(net);
	unsigned long sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += per_cpu_ptr(xn->mib, cpu)[id];
	return sum;
}

/* RFC 4022 tcpCurrEstab: connections in ESTABLISHED or CLOSE-WAIT */
static unsigned long count_established(struct net *net, sa_family_t family)
{
	struct xtcp_walk w = { .net = net, .family = family };
	unsigned long n = 0;
	bool more;
	u8 state;

	for (more = xtcp_walk_first(&w); more; more = xtcp_walk_next(&w)) {
		if (!w.ep || w.ep->kind != XTCP_EP_SOCK)
			continue;
		state = inet_sk_state_load(xtcp_ep_sk(w.ep));
		n += state == TCP_ESTABLISHED || state == TCP_CLOSE_WAIT;
	}
	xtcp_walk_end(&w);
	return n;
}

/* What there is now, beside the counters of what there was */
static void show_current(struct seq_file *m, struct net *net)
{
	const struct xtcp_net *xn = xtcp_pernet(net);

	seq_printf(m, "CurrEstab %lu\n",
		   count_established(net, AF_INET) + count_established(net, AF_INET6));
	seq_printf(m, "CurrSockets %d\n", atomic_read(&xn->sockets));
	seq_printf(m, "CurrOrphans %d\n", atomic_read(&xn->orphan_count));
	seq_printf(m, "CurrTimeWait %d\n", atomic_read(&xn->tw_count));
}

static int stat_show(struct seq_file *m, void *v)
{
	struct net *net = seq_file_single_net(m);
	int i;

	for (i = XTCP_KEPT + 1; i < XTCP_NR_MIBS; i++)
		seq_printf(m, "%s %lu\n", mib_name[i], xtcp_mib_read(net, i));
	show_current(m, net);
	return 0;
}

static int fsm_show(struct seq_file *m, void *v)
{
	u8 state, ev, next;

	for (state = 0; state < XTCP_NR_STATES; state++) {
		for (ev = 0; ev < XTCP_NR_EVENTS; ev++) {
			next = xtcp_fsm_next(state, ev);
			if (next == XTCP_NO_ARROW)
				continue;
			seq_printf(m, "%s %s %s %lu\n", xtcp_state_info[state].name,
				   xtcp_event_name[ev], xtcp_state_info[next].name,
				   xtcp_arrow_count(state, ev));
		}
	}
	seq_printf(m, "illegal %lu\n", xtcp_illegal_count());
	return 0;
}

static int proc_init(struct net *net)
{
	if (!proc_create_net_single("xtcp_stat", 0444, net->proc_net, stat_show, NULL))
		return -ENOMEM;
	if (!net_eq(net, &init_net) ||
	    proc_create_single("xtcp_fsm", 0444, net->proc_net, fsm_show))
		return 0;
	remove_proc_entry("xtcp_stat", net->proc_net);
	return -ENOMEM;
}

int xtcp_mib_net_init(struct net *net)
{
	struct xtcp_net *xn = xtcp_pernet(net);
	int err;

	xn->mib = __alloc_percpu(XTCP_NR_MIBS * sizeof(*xn->mib), __alignof__(*xn->mib));
	if (!xn->mib)
		return -ENOMEM;
	err = proc_init(net);
	if (err)
		free_percpu(xn->mib);
	return err;
}

void xtcp_mib_net_exit(struct net *net)
{
	if (net_eq(net, &init_net))
		remove_proc_entry("xtcp_fsm", net->proc_net);
	remove_proc_entry("xtcp_stat", net->proc_net);
	free_percpu(xtcp_pernet(net)->mib);
}
