// SPDX-License-Identifier: GPL-2.0
/*
 * The state machine of RFC 9293 3.3.2 (figure 5) as one table, an arrow a line,
 * and what each state permits.  The table knows conditions, not segments: the
 * steps of RFC 9293 3.10 raise them one by one, so an ACK of our FIN that carries
 * the peer's FIN is FIN_ACKED, then RCV_FIN.  module/state.c walks it; nobody else
 * names a next state.  Nothing here has an effect.
 */
#include <linux/kernel.h>

#include "tcb.h"

/* 3.x.y is RFC 9293.  A zero is no arrow. */
static const u8 next[XTCP_NR_STATES][XTCP_NR_EVENTS] = {
	[TCP_CLOSE] = {
		[EV_OPEN_PASSIVE]	= TCP_LISTEN,		/* 3.10.1 */
		[EV_OPEN_ACTIVE]	= TCP_SYN_SENT,		/* 3.10.1 */
	},
	[TCP_LISTEN] = {
		/* 3.10.7.2 third: the new connection's state; the listener stays */
		[EV_RCV_SYN]		= TCP_NEW_SYN_RECV,
		[EV_CLOSE]		= TCP_CLOSE,		/* 3.10.4 */
	},
	[TCP_SYN_SENT] = {
		[EV_RCV_SYN_ACK]	= TCP_ESTABLISHED,	/* 3.10.7.3 fourth */
		/* simultaneous open, 3.5 figure 7 and 3.10.7.3 fourth */
		[EV_RCV_SYN]		= TCP_SYN_RECV,
		[EV_RCV_RST]		= TCP_CLOSE,		/* 3.10.7.3 second */
		[EV_CLOSE]		= TCP_CLOSE,		/* 3.10.4 */
		[EV_ABORT]		= TCP_CLOSE,		/* 3.10.5 */
		[EV_TIMEOUT]		= TCP_CLOSE,		/* 3.8.3, R2 of the SYN */
	},
	[TCP_NEW_SYN_RECV] = {	/* SYN-RECEIVED of a passive open */
		[EV_RCV_ACK]		= TCP_ESTABLISHED,	/* 3.10.7.4 fifth */
		[EV_RCV_RST]		= TCP_LISTEN,		/* 3.10.7.4 second */
		[EV_ABORT]		= TCP_CLOSE,		/* 3.10.5: the listener closes */
		[EV_TIMEOUT]		= TCP_CLOSE,		/* 3.8.3, R2 of the SYN+ACK */
	},
	[TCP_SYN_RECV] = {	/* SYN-RECEIVED of an active open */
		[EV_RCV_ACK]		= TCP_ESTABLISHED,	/* 3.10.7.4 fifth */
		[EV_CLOSE]		= TCP_FIN_WAIT1,	/* 3.10.4 */
		[EV_RCV_RST]		= TCP_CLOSE,		/* 3.10.7.4 second */
		[EV_ABORT]		= TCP_CLOSE,		/* 3.10.5 */
		[EV_TIMEOUT]		= TCP_CLOSE,		/* 3.8.3, R2 of the SYN */
	},
	[TCP_ESTABLISHED] = {
		[EV_CLOSE]		= TCP_FIN_WAIT1,	/* 3.10.4 */
		[EV_RCV_FIN]		= TCP_CLOSE_WAIT,	/* 3.10.7.4 eighth */
		[EV_RCV_RST]		= TCP_CLOSE,		/* 3.10.7.4 second */
		[EV_ABORT]		= TCP_CLOSE,		/* 3.10.5 */
		[EV_TIMEOUT]		= TCP_CLOSE,		/* 3.10.8, 3.8.3, 3.8.4 */
	},
	[TCP_FIN_WAIT1] = {
		[EV_FIN_ACKED]		= TCP_FIN_WAIT2,	/* 3.10.7.4 fifth */
		[EV_RCV_FIN]		= TCP_CLOSING,		/* 3.10.7.4 eighth */
		[EV_RCV_RST]		= TCP_CLOSE,		/* 3.10.7.4 second */
		[EV_ABORT]		= TCP_CLOSE,		/* 3.10.5 */
		[EV_TIMEOUT]		= TCP_CLOSE,		/* 3.10.8, 3.8.3 */
	},
	[TCP_FIN_WAIT2] = {
		[EV_RCV_FIN]		= TCP_TIME_WAIT,	/* 3.10.7.4 eighth */
		[EV_RCV_RST]		= TCP_CLOSE,		/* 3.10.7.4 second */
		[EV_ABORT]		= TCP_CLOSE,		/* 3.10.5 */
		/* Deviation: an orphan waits for the FIN for fin_timeout only; with
		 * its user gone it would wait for ever (3.8.4 on half-open ones)
		 */
		[EV_TIMEOUT]		= TCP_CLOSE,
	},
	[TCP_CLOSE_WAIT] = {
		[EV_CLOSE]		= TCP_LAST_ACK,		/* 3.10.4 */
		[EV_RCV_RST]		= TCP_CLOSE,		/* 3.10.7.4 second */
		[EV_ABORT]		= TCP_CLOSE,		/* 3.10.5 */
		[EV_TIMEOUT]		= TCP_CLOSE,		/* 3.10.8, 3.8.3, 3.8.4 */
	},
	[TCP_CLOSING] = {
		[EV_FIN_ACKED]		= TCP_TIME_WAIT,	/* 3.10.7.4 fifth */
		[EV_RCV_RST]		= TCP_CLOSE,		/* 3.10.7.4 second */
		[EV_ABORT]		= TCP_CLOSE,		/* 3.10.5 */
		[EV_TIMEOUT]		= TCP_CLOSE,		/* 3.10.8, 3.8.3 */
	},
	[TCP_LAST_ACK] = {
		[EV_FIN_ACKED]		= TCP_CLOSE,		/* 3.10.7.4 fifth */
		[EV_RCV_RST]		= TCP_CLOSE,		/* 3.10.7.4 second */
		[EV_ABORT]		= TCP_CLOSE,		/* 3.10.5 */
		[EV_TIMEOUT]		= TCP_CLOSE,		/* 3.10.8, 3.8.3 */
	},
	[TCP_TIME_WAIT] = {
		[EV_TIMEOUT]		= TCP_CLOSE,		/* 3.10.8, 2MSL */
		/* RFC 6191 2: the entry goes, the SYN is a new connection's */
		[EV_RCV_SYN]		= TCP_CLOSE,
		/* Deviation: RFC 1337 3 (F1) ignores it; taken with sysctl rfc1337 off */
		[EV_RCV_RST]		= TCP_CLOSE,
		[EV_ABORT]		= TCP_CLOSE,		/* 3.10.5 */
	},
};

/* Arrows of RFC 9293 that nothing here can take, and why */
static const struct {
	u8 state;
	u8 event;
	u8 next;
	const char *why;
} unreachable[] = {
	{ TCP_LISTEN, EV_OPEN_ACTIVE, TCP_SYN_SENT,	/* 3.10.1, 3.10.2 */
	  "connect() and send() on a listener are errors (EISCONN, EPIPE)" },
	{ TCP_LISTEN, EV_ABORT, TCP_CLOSE,		/* 3.10.5 */
	  "a listener has no peer to reset: it ends by CLOSE" },
	{ TCP_NEW_SYN_RECV, EV_CLOSE, TCP_FIN_WAIT1,	/* 3.10.4 */
	  "no user owns a connection before accept(): it can only be aborted" },
	{ TCP_NEW_SYN_RECV, EV_RCV_SYN, TCP_LISTEN,	/* 3.10.7.4 fourth */
	  "Deviation: a SYN for a request at hand never removes it (RFC 5961 4)" },
	{ TCP_NEW_SYN_RECV, EV_RCV_FIN, TCP_CLOSE_WAIT,	/* 3.10.7.4 eighth */
	  "the ACK that a FIN comes with has led to ESTABLISHED (fifth)" },
	{ TCP_SYN_RECV, EV_RCV_FIN, TCP_CLOSE_WAIT,	/* 3.10.7.4 eighth */
	  "the ACK that a FIN comes with has led to ESTABLISHED (fifth)" },
};

#define STATE(_name, _send, _recv, _sync, _fin)				\
	{ .name = _name, .can_send = _send, .can_recv = _recv,		\
	  .synchronized = _sync, .fin_sent = _fin }

const struct xtcp_state_info xtcp_state_info[XTCP_NR_STATES] = {
	/*					  send	recv  sync  fin_sent */
	[TCP_CLOSE]	   = STATE("CLOSED",	     0,    0,    0,    0),
	[TCP_LISTEN]	   = STATE("LISTEN",	     0,    0,    0,    0),
	[TCP_SYN_SENT]	   = STATE("SYN-SENT",	     1,    0,    0,    0),
	[TCP_NEW_SYN_RECV] = STATE("SYN-RECEIVED",   1,    0,    0,    0),
	[TCP_SYN_RECV]	   = STATE("SYN-RECEIVED-ACTIVE", 1, 0,  0,    0),
	[TCP_ESTABLISHED]  = STATE("ESTABLISHED",    1,    1,    1,    0),
	[TCP_FIN_WAIT1]	   = STATE("FIN-WAIT-1",     0,    1,    1,    1),
	[TCP_FIN_WAIT2]	   = STATE("FIN-WAIT-2",     0,    1,    1,    1),
	[TCP_CLOSE_WAIT]   = STATE("CLOSE-WAIT",     1,    0,    1,    0),
	[TCP_CLOSING]	   = STATE("CLOSING",	     0,    0,    1,    1),
	[TCP_LAST_ACK]	   = STATE("LAST-ACK",	     0,    0,    1,    1),
	[TCP_TIME_WAIT]	   = STATE("TIME-WAIT",	     0,    0,    1,    1),
};

const char * const xtcp_event_name[XTCP_NR_EVENTS] = {
	[EV_OPEN_PASSIVE]	= "OPEN_PASSIVE",
	[EV_OPEN_ACTIVE]	= "OPEN_ACTIVE",
	[EV_CLOSE]		= "CLOSE",
	[EV_ABORT]		= "ABORT",
	[EV_RCV_SYN]		= "RCV_SYN",
	[EV_RCV_SYN_ACK]	= "RCV_SYN_ACK",
	[EV_RCV_ACK]		= "RCV_ACK",
	[EV_FIN_ACKED]		= "FIN_ACKED",
	[EV_RCV_FIN]		= "RCV_FIN",
	[EV_RCV_RST]		= "RCV_RST",
	[EV_TIMEOUT]		= "TIMEOUT",
};

u8 xtcp_fsm_next(u8 state, enum xtcp_event ev)
{
	if (state >= XTCP_NR_STATES || (unsigned int)ev >= XTCP_NR_EVENTS)
		return XTCP_NO_ARROW;
	return next[state][ev];
}

bool xtcp_fsm_unreachable(u8 state, enum xtcp_event ev)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(unreachable); i++) {
		if (unreachable[i].state == state && unreachable[i].event == ev)
			return true;
	}
	return false;
}
