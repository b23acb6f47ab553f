/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The state machine of RFC 9293 3.3.2 as data: states, the events that move
 * them, and what a state permits.  fsm.c holds the table; module/state.c is
 * the only one who walks it for a live connection.
 *
 * States are the TCP_* values of <net/tcp_states.h>, since generic socket code
 * tests them.  SYN-RECEIVED has two rows: TCP_NEW_SYN_RECV for a passive open
 * (a small request object) and TCP_SYN_RECV for an active one (simultaneous
 * open).
 */
#ifndef _XTCP_FSM_H
#define _XTCP_FSM_H

#include <linux/types.h>
#include <net/tcp_states.h>

enum xtcp_event {
	EV_OPEN_PASSIVE,	/* listen() */
	EV_OPEN_ACTIVE,		/* connect() */
	EV_CLOSE,		/* close() or shutdown(SHUT_WR): a FIN is queued */
	EV_ABORT,		/* the local side gives up: RST or silent removal */
	EV_RCV_SYN,
	EV_RCV_SYN_ACK,		/* SYN with an acceptable ACK of our SYN */
	EV_RCV_ACK,		/* acceptable ACK of our SYN in SYN-RECEIVED */
	EV_FIN_ACKED,		/* our FIN is acknowledged */
	EV_RCV_FIN,		/* the peer's FIN is in order */
	EV_RCV_RST,		/* acceptable RST */
	EV_TIMEOUT,		/* R2, user timeout, FIN-WAIT-2 or 2MSL is over */
	XTCP_NR_EVENTS
};

#define XTCP_NR_STATES		(TCP_NEW_SYN_RECV + 1)
#define XTCP_NO_ARROW		0	/* no TCP_* state has this value */

/**
 * struct xtcp_state_info - what a state permits
 * @name: the RFC's name, with the row for SYN-RECEIVED
 * @can_send: the user may queue data (RFC 9293 3.10.2)
 * @can_recv: segment text is taken (RFC 9293 3.10.7.4, seventh)
 * @synchronized: both sequence numbers are known (RFC 9293 3.5.2)
 * @fin_sent: our FIN is queued or sent
 */
struct xtcp_state_info {
	const char *name;
	bool can_send;
	bool can_recv;
	bool synchronized;
	bool fin_sent;
};

extern const struct xtcp_state_info xtcp_state_info[XTCP_NR_STATES];
extern const char * const xtcp_event_name[XTCP_NR_EVENTS];

/**
 * xtcp_fsm_next() - where an event leads
 * @state: current state (TCP_*)
 * @ev: what happened
 *
 * Return: the next state, or XTCP_NO_ARROW where the RFC has no such arrow or nothing
 * can take it.
 */
u8 xtcp_fsm_next(u8 state, enum xtcp_event ev);

/**
 * xtcp_fsm_unreachable() - is this arrow in the RFC but nothing can take it?
 * Context: any; the reason stands beside the arrow in fsm.c.
 */
bool xtcp_fsm_unreachable(u8 state, enum xtcp_event ev);

#endif
