/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The seam between loss recovery and a congestion controller.  A controller is
 * one file with one struct xtcp_cc_ops and one line in cc.c.
 */
#ifndef _XTCP_CC_H
#define _XTCP_CC_H

#include "tcb.h"

#define XTCP_CC_NAME_MAX	16	/* as TCP_CA_NAME_MAX */

struct module;

/* xtcp_cc_ops.flags */
#define XTCP_CC_ECN	0x01	/* wants ECN and gives its own answer to it */
#define XTCP_CC_PACE	0x02	/* wants its segments paced */

enum xtcp_cc_cause {
	XTCP_CC_LOSS,		/* fast recovery begins (RFC 5681 3.2) */
	XTCP_CC_ECN_MARK,	/* the peer echoed a mark (RFC 3168 6.1.2) */
	XTCP_CC_RTO,		/* a retransmission timeout, the first in a row */
};

/**
 * struct xtcp_cc_ack - what one ACK tells a controller
 * @acked: bytes newly below SND.UNA, SYN and FIN not counted
 * @delivered: bytes now known to have arrived and not known to before, SACKed ones too
 * @rtt: ns, sample of this ACK, 0 = none
 * @ce_bytes: the part of @acked that the peer says was marked
 * @ece: the ACK carried ECE
 * @limited: cwnd was the limit (RFC 7661 4.3); where it was not, cwnd must not grow
 */
struct xtcp_cc_ack {
	u32 acked;
	u32 delivered;
	u64 rtt;
	u32 ce_bytes;
	bool ece;
	bool limited;
};

/**
 * struct xtcp_cc_ops - a congestion controller
 * @name: for TCP_CONGESTION and the sysctl
 * @flags: XTCP_CC_*
 * @owner: the module it comes from, NULL where it is built in; means nothing to the core
 * @init: take over a connection, also a live one; private state in tcb->cc_priv, which
 *	is all zero then
 * @on_ack: bytes were acknowledged outside of fast recovery (in the recovery from a
 *	timeout slow start goes on through it); may raise tcb->cwnd
 * @on_congestion: sets ssthresh, at least 2 SMSS, and private state; the caller moves cwnd
 * @on_undo: optional: the last reduction was wrong; cwnd and ssthresh are restored by the
 *	caller, private state here
 * @on_idle: restart after idle longer than RTO (RFC 5681 4.1); may lower cwnd
 * @release: optional: the connection leaves this controller, after each @init
 *
 * All with the socket lock held, none may sleep.
 */
struct xtcp_cc_ops {
	char name[XTCP_CC_NAME_MAX];
	u32 flags;
	struct module *owner;
	void (*init)(struct xtcp_tcb *tcb, u64 now);
	void (*on_ack)(struct xtcp_tcb *tcb, const struct xtcp_cc_ack *a, u64 now);
	void (*on_congestion)(struct xtcp_tcb *tcb, enum xtcp_cc_cause why, u64 now);
	void (*on_undo)(struct xtcp_tcb *tcb, u64 now);
	void (*on_idle)(struct xtcp_tcb *tcb, u64 idle, u64 now);
	void (*release)(struct xtcp_tcb *tcb);
};

extern const struct xtcp_cc_ops xtcp_cc_cubic;
extern const struct xtcp_cc_ops xtcp_cc_reno;
extern const struct xtcp_cc_ops xtcp_cc_dctcp;

/* ---- controllers of other modules (module/cong.c) ---- */

/**
 * xtcp_cc_register() - make a controller of another module known
 * @ops: static in that module, with its owner; on_undo and release may be NULL
 *
 * Sockets that use it hold a reference on the module.
 * Return: 0, -EINVAL (incomplete), -EEXIST (the name is taken), -ENOMEM.  Context: process.
 */
int xtcp_cc_register(const struct xtcp_cc_ops *ops);

/**
 * xtcp_cc_unregister() - from the exit of that module: nobody can use it any more
 * Context: process.
 */
void xtcp_cc_unregister(const struct xtcp_cc_ops *ops);

/* ---- the table ---- */

/** xtcp_cc_find() - by name; NULL if there is none */
const struct xtcp_cc_ops *xtcp_cc_find(const char *name);

/** xtcp_cc_nth() - enumerate: the @i-th controller or NULL */
const struct xtcp_cc_ops *xtcp_cc_nth(unsigned int i);

/** xtcp_cc_start() - the connection begins: tcb->cc takes it over with empty memory */
void xtcp_cc_start(struct xtcp_tcb *tcb, u64 now);

/** xtcp_cc_stop() - the connection ends */
void xtcp_cc_stop(struct xtcp_tcb *tcb);

/** xtcp_cc_assign() - @cc instead of the controller before; a live connection goes on with it */
void xtcp_cc_assign(struct xtcp_tcb *tcb, const struct xtcp_cc_ops *cc, u64 now);

/** xtcp_cc_congestion() - ask the controller for ssthresh; the caller then moves cwnd */
void xtcp_cc_congestion(struct xtcp_tcb *tcb, enum xtcp_cc_cause why, u64 now);

/** xtcp_cc_undo() - the last reduction was wrong: the controller's private state goes back */
void xtcp_cc_undo(struct xtcp_tcb *tcb, u64 now);

/** xtcp_cc_initial_window() - RFC 6928 2, and one SMSS after a lost SYN (RFC 5681 3.1) */
u32 xtcp_cc_initial_window(const struct xtcp_tcb *tcb);

/** xtcp_cc_slow_start() - for controllers: cwnd grows by @acked, bounded for one ACK (RFC 3465) */
void xtcp_cc_slow_start(struct xtcp_tcb *tcb, u32 acked);

/** xtcp_cc_restart_window() - for controllers: cwnd after an idle time (RFC 5681 4.1) */
void xtcp_cc_restart_window(struct xtcp_tcb *tcb);

#endif
