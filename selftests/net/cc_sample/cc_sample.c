// SPDX-License-Identifier: GPL-2.0
/*
 * A congestion controller in a module of its own: additive increase of one SMSS for each
 * round trip, halving for a loss, a quarter less for a mark.  It shows all that such a
 * module needs, and counts how often it is asked.  Built and loaded by the network tests:
 *
 *	make -C KERNEL M=XTCP 'XTCP_ALSO=selftests/net/cc_sample/' modules
 *	insmod cc_sample.ko; sysctl net.xtcp.congestion_control=sample
 */
#include <linux/kernel.h>
#include <linux/minmax.h>
#include <linux/module.h>

#include "core/cc.h"

static unsigned int acks, cuts, live;

module_param(acks, uint, 0444);
MODULE_PARM_DESC(acks, "ACKs seen");
module_param(cuts, uint, 0444);
MODULE_PARM_DESC(cuts, "reductions of the congestion window");
module_param(live, uint, 0444);
MODULE_PARM_DESC(live, "connections under this controller");

struct sample {
	u32 acked;		/* bytes towards the next increase */
	u32 was;		/* acked before the last reduction */
};

_Static_assert(sizeof(struct sample) <= sizeof(((struct xtcp_tcb *)0)->cc_priv),
	       "cc_priv is too small");

static struct sample *priv(struct xtcp_tcb *tcb)
{
	return (struct sample *)tcb->cc_priv;
}

static void sample_init(struct xtcp_tcb *tcb, u64 now)
{
	__sync_fetch_and_add(&live, 1);
}

static void sample_release(struct xtcp_tcb *tcb)
{
	__sync_fetch_and_sub(&live, 1);
}

static void sample_on_ack(struct xtcp_tcb *tcb, const struct xtcp_cc_ack *a, u64 now)
{
	struct sample *s = priv(tcb);

	__sync_fetch_and_add(&acks, 1);
	if (!a->limited || tcb->cwnd >= XTCP_CWND_MAX)
		return;
	if (tcb->cwnd < tcb->ssthresh) {
		xtcp_cc_slow_start(tcb, a->acked);
		return;
	}
	s->acked += a->acked;
	if (s->acked < tcb->cwnd)
		return;
	s->acked -= tcb->cwnd;
	tcb->cwnd += xtcp_smss(tcb);
}

static void sample_on_congestion(struct xtcp_tcb *tcb, enum xtcp_cc_cause why, u64 now)
{
	struct sample *s = priv(tcb);
	u32 flight = min(tcb->snd_nxt - tcb->snd_una, tcb->cwnd);
	u32 left = why == XTCP_CC_ECN_MARK ? tcb->cwnd - tcb->cwnd / 4 : flight / 2;

	__sync_fetch_and_add(&cuts, 1);
	tcb->ssthresh = max(left, 2 * xtcp_smss(tcb));
	s->was = s->acked;
	s->acked = 0;
}

static void sample_on_undo(struct xtcp_tcb *tcb, u64 now)
{
	priv(tcb)->acked = priv(tcb)->was;
}

static void sample_on_idle(struct xtcp_tcb *tcb, u64 idle, u64 now)
{
	xtcp_cc_restart_window(tcb);
}

static const struct xtcp_cc_ops sample = {
	.name		= "sample",
	.owner		= THIS_MODULE,
	.init		= sample_init,
	.release	= sample_release,
	.on_ack		= sample_on_ack,
	.on_congestion	= sample_on_congestion,
	.on_undo	= sample_on_undo,
	.on_idle	= sample_on_idle,
};

static int __init sample_module_init(void)
{
	return xtcp_cc_register(&sample);
}

static void __exit sample_module_exit(void)
{
	xtcp_cc_unregister(&sample);
}

module_init(sample_module_init);
module_exit(sample_module_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("sample congestion controller for XTCP");
