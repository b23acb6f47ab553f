/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The seam between loss recovery and a congestion controller.  A controller is
 * one file with one struct xtcp_cc_ops and one line in cc.c.
 */
#ifndef _XTCP_CC_H
#define _XTCP_CC_H

#include "tcb.h"

#define XTCP_CC_NAME_MAX	16	/* as TCP_CA_NAME_MAX */

/**
 * struct xtcp_cc_ops - a congestion controller
 * @name: for TCP_CONGESTION and the sysctl
 * @init: take over a connection, also a live one; private state in tcb->cc_priv
 * @on_ack: @acked bytes were acknowledged outside of recovery and cwnd was the
 *	limit; may raise tcb->cwnd
 * @on_loss: a loss was detected by SACK or dupACK: set ssthresh and cwnd (RFC 5681 (4))
 * @on_rto: a retransmission timeout: set ssthresh; cwnd is set by the caller
 * @on_idle: restart after idle longer than RTO (RFC 5681 4.1); may lower cwnd
 *
 * All with the socket lock held, none may sleep.
 */
struct xtcp_cc_ops {
	char name[XTCP_CC_NAME_MAX];
	void (*init)(struct xtcp_tcb *tcb);
	void (*on_ack)(struct xtcp_tcb *tcb, u32 acked, u64 now);
	void (*on_loss)(struct xtcp_tcb *tcb, u64 now);
	void (*on_rto)(struct xtcp_tcb *tcb, u64 now);
	void (*on_idle)(struct xtcp_tcb *tcb, u64 idle, u64 now);
};

extern const struct xtcp_cc_ops xtcp_cc_reno;

/** xtcp_cc_find() - by name; NULL if there is none */
const struct xtcp_cc_ops *xtcp_cc_find(const char *name);

/** xtcp_cc_nth() - enumerate: the @i-th controller or NULL */
const struct xtcp_cc_ops *xtcp_cc_nth(unsigned int i);

/** xtcp_cc_initial_window() - RFC 6928 2, and one SMSS after a lost SYN (RFC 5681 3.1) */
u32 xtcp_cc_initial_window(const struct xtcp_tcb *tcb);

#endif
