// SPDX-License-Identifier: GPL-2.0
/*
 * Loading and unloading: the module's parts in the order in which they start,
 * unwound in reverse; the same for a network namespace; the module parameters;
 * and the memory of the protocol core (xtcp_seg_alloc()).
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/module.h>

#include "xtcp.h"

int xtcp_protocol = IPPROTO_XTCP;
module_param_named(protocol, xtcp_protocol, int, 0444);
MODULE_PARM_DESC(protocol, "IP protocol number, 1 to 254 (default 253)");

int xtcp_family = AF_XTCP;
module_param_named(family, xtcp_family, int, 0444);
MODULE_PARM_DESC(family, "address family number of AF_XTCP (default 19)");

unsigned int xtcp_ehash_entries;
module_param_named(ehash_entries, xtcp_ehash_entries, uint, 0444);
MODULE_PARM_DESC(ehash_entries, "buckets of the connection table (default 0: by memory size)");

bool xtcp_gso_marker = true;
module_param_named(gso_marker, xtcp_gso_marker, bool, 0644);
MODULE_PARM_DESC(gso_marker,
		 "mark super-packets so that only software devices take them whole (default Y)");

unsigned int xtcp_net_id;

/* ---- memory of the core ---- */

static struct kmem_cache *seg_cache;

/* The last one that was freed serves the next segment: a quarter of the instructions.  Not
 * where KASAN shall see who uses it in between.
 */
static DEFINE_PER_CPU(void *, seg_spare);

void *xtcp_seg_alloc(void)
{
	void *seg = this_cpu_xchg(seg_spare, NULL);

	return seg ?: kmem_cache_alloc(seg_cache, GFP_ATOMIC | __GFP_NOWARN);
}

void xtcp_seg_free(void *seg)
{
	if (!IS_ENABLED(CONFIG_KASAN))
		seg = this_cpu_xchg(seg_spare, seg);
	if (seg)
		kmem_cache_free(seg_cache, seg);
}

static int seg_init(void)
{
	seg_cache = kmem_cache_create("xtcp_seg", sizeof(union xtcp_seg), 0, 0, NULL);
	return seg_cache ? 0 : -ENOMEM;
}

static void seg_exit(void)
{
	int cpu;

	for_each_possible_cpu(cpu)
		if (per_cpu(seg_spare, cpu))
			kmem_cache_free(seg_cache, per_cpu(seg_spare, cpu));
	kmem_cache_destroy(seg_cache);
}

/* ---- network namespaces ---- */

static int state_net_init(struct net *net)
{
	struct xtcp_net *xn = xtcp_pernet(net);

	xn->net = net;
	spin_lock_init(&xn->orphan_lock);
	INIT_LIST_HEAD(&xn->orphans);
	spin_lock_init(&xn->challenge_lock);
	xn->challenge_second = U64_MAX;	/* no second yet, not even the first after boot */
	return 0;
}

static const struct net_part {
	int (*init)(struct net *net);
	void (*exit)(struct net *net);
} net_parts[] = {
	{ state_net_init,	NULL },
	{ xtcp_mib_net_init,	xtcp_mib_net_exit },
	{ xtcp_metrics_net_init, xtcp_metrics_net_exit },
	{ xtcp_sysctl_net_init,	xtcp_sysctl_net_exit },
	{ xtcp_tw_net_init,	xtcp_tw_net_exit },
	{ xtcp_diag_net_init,	xtcp_diag_net_exit },
};

static void net_stop(struct net *net, int n)
{
	while (n--)
		if (net_parts[n].exit)
			net_parts[n].exit(net);
}

static int __net_init net_start(struct net *net)
{
	int i, err;

	for (i = 0; i < ARRAY_SIZE(net_parts); i++) {
		err = net_parts[i].init(net);
		if (err) {
			net_stop(net, i);
			return err;
		}
	}
	return 0;
}

static void __net_exit net_end(struct net *net)
{
	net_stop(net, ARRAY_SIZE(net_parts));
}

/* What comes with packets ends first; a grace period follows before net_end(). */
static struct pernet_operations net_ops = {
	.init = net_start,
	.pre_exit = xtcp_early_net_pre_exit,
	.exit = net_end,
	.id = &xtcp_net_id,
	.size = sizeof(struct xtcp_net),
};

static int pernet_init(void)
{
	return register_pernet_subsys(&net_ops);
}

static void pernet_exit(void)
{
	unregister_pernet_subsys(&net_ops);
}

/* ---- the module ---- */

static int secret_init(void)
{
	xtcp_secret_init();
	return 0;
}

static int v4_proto_init(void)
{
	return proto_register(&xtcp_prot, 1);
}

static void v4_proto_exit(void)
{
	proto_unregister(&xtcp_prot);
}

static int v6_proto_init(void)
{
	return proto_register(&xtcpv6_prot, 1);
}

static void v6_proto_exit(void)
{
	proto_unregister(&xtcpv6_prot);
}

/* the first to find a protocol number taken */
static int offload_init(void)
{
	int err = xtcp_offload_init();

	if (err == -EBUSY)
		pr_err("IP protocol %d is taken, choose another by protocol=\n", xtcp_protocol);
	return err;
}

/* Callbacks of call_rcu() run code of this module and free into its caches. */
static void wait_for_callbacks(void)
{
	rcu_barrier();
}

/* In the order of starting.  The doors come last and go first: first no socket
 * can be opened, then no segment comes in, then what the namespaces still
 * hold (TIME-WAIT) goes, then the memory.
 */
static const struct part {
	const char *name;
	int (*init)(void);
	void (*exit)(void);
} parts[] = {
	{ "segment cache",	seg_init,		seg_exit },
	{ "secrets",		secret_init,		NULL },
	{ "limits",		xtcp_sysctl_init,	NULL },
	{ "tables",		xtcp_hash_init,		xtcp_hash_exit },
	{ "requests",		xtcp_request_init,	xtcp_request_exit },
	{ "TIME-WAIT",		xtcp_tw_init,		xtcp_tw_exit },
	{ "sockets",		xtcp_sock_init,		xtcp_sock_exit },
	{ "IPv4 sockets",	v4_proto_init,		v4_proto_exit },
	{ "IPv6 sockets",	v6_proto_init,		v6_proto_exit },
	{ "grace period",	NULL,			wait_for_callbacks },
	{ "namespaces",		pernet_init,		pernet_exit },
	{ "offload",		offload_init,		xtcp_offload_exit },
	{ "IPv4",		xtcp_v4_init,		xtcp_v4_exit },
	{ "IPv6",		xtcp_v6_init,		xtcp_v6_exit },
	{ "address family",	xtcp_family_init,	xtcp_family_exit },
};

static void stop(int n)
{
	while (n--)
		if (parts[n].exit)
			parts[n].exit();
}

static int start(int i)
{
	int err = parts[i].init ? parts[i].init() : 0;

	if (!err)
		return 0;
	/* who finds a number taken says so itself */
	if (err != -EBUSY)
		pr_err("%s: cannot start, error %d\n", parts[i].name, err);
	return err;
}

static int check_parameters(void)
{
	if (xtcp_protocol < 1 || xtcp_protocol > 254) {
		pr_err("protocol=%d is not an IP protocol number from 1 to 254\n",
		       xtcp_protocol);
		return -EINVAL;
	}
	if (xtcp_family < 1 || xtcp_family >= AF_MAX) {
		pr_err("family=%d is not an address family number from 1 to %d\n",
		       xtcp_family, AF_MAX - 1);
		return -EINVAL;
	}
	return 0;
}

static int __init xtcp_init(void)
{
	int i, err = check_parameters();

	BUILD_BUG_ON(sizeof(struct xtcp_skb_cb) > sizeof_field(struct sk_buff, cb));
	for (i = 0; !err && i < ARRAY_SIZE(parts); i++) {
		err = start(i);
		if (err)
			stop(i);
	}
	return err;
}

static void __exit xtcp_exit(void)
{
	stop(ARRAY_SIZE(parts));
}

module_init(xtcp_init);
module_exit(xtcp_exit);

MODULE_DESCRIPTION("XTCP: TCP (RFC 9293) under an IP protocol number of its own");
MODULE_LICENSE("GPL");
MODULE_VERSION("0.1");
