/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The tables of the matrix: what arrives (event), in which state, and what the
 * RFCs say must follow (struct outcome).
 */
#ifndef CONFORM_MATRIX_H
#define CONFORM_MATRIX_H

#include "known.h"
#include "states.h"

/* The peer's segment; U, N, R are SND.UNA, SND.NXT, RCV.NXT of the stack. */
enum event {
	EV_SYN_IN_WINDOW,	/* SYN at R+10 */
	EV_SYN_EXACT,		/* SYN at R */
	EV_SYN_AGAIN,		/* the SYN that opened the connection */
	EV_SYNACK,		/* SYN+ACK at R that acknowledges N */
	EV_SYNACK_AGAIN,	/* SYN+ACK at the peer's ISN that acknowledges our SYN */
	EV_ACK,			/* of all that was sent */
	EV_ACK_UNSENT,		/* of N+100 */
	EV_ACK_TOO_OLD,		/* of U-70000: more than the largest window below */
	EV_DATA,		/* 10 bytes at R */
	EV_DATA_AHEAD,		/* 10 bytes at R+100: in the window, out of order */
	EV_DATA_OLD,		/* 10 bytes at R-20: left of the window */
	EV_DATA_BEYOND,		/* 10 bytes right of the window */
	EV_FIN,			/* the peer's (only or repeated) FIN, acknowledges U */
	EV_FIN_ACK,		/* same, acknowledges N: our FIN too, where one was sent */
	EV_RST_EXACT,		/* RST at R */
	EV_RST_IN_WINDOW,	/* RST at R+10 */
	EV_RST_BEYOND,		/* RST right of the window */
	EV_RST_LEFT,		/* RST at R-1 */
	EV_RST_ACK,		/* RST+ACK at R that acknowledges N */
	EV_RST_ACK_BAD,		/* RST+ACK at R that acknowledges N+100 */
	EV_URG,			/* 10 bytes at R, urgent up to the fifth */
	EV_NO_ACK,		/* 10 bytes at R, no flag but PSH */
	EV_XMAS,		/* all six flags at R, acknowledges N */
	EV_NULL,		/* no flag, no text, at R */
	NR_EVENTS,
};

extern const char *const event_name[NR_EVENTS];

enum answer {
	NONE,			/* silence */
	AN_ACK,			/* <SEQ=SND.NXT><ACK=RCV.NXT><CTL=ACK> */
	AN_SYNACK,		/* <SEQ=ISS><ACK=SEG.SEQ+1><CTL=SYN,ACK> */
	AN_RST,			/* <SEQ=SEG.ACK><CTL=RST> */
	AN_RST_ACK,		/* <SEQ=0><ACK=SEG.SEQ+SEG.LEN><CTL=RST,ACK> */
	AN_ABORT,		/* RST, at SEG.ACK or SND.NXT, with or without an ACK */
};

struct outcome {
	enum answer answer;
	enum state next;
	int advance;		/* of RCV.NXT, in the answer */
	int data;		/* bytes that the user gets */
	int err;		/* SO_ERROR */
	bool maybe;		/* the RFCs allow the answer and don't demand it */
	const char *rfc;
};

/* With a descriptor, and what is different for an orphan (rfc NULL: nothing). */
extern const struct outcome expected[NR_STATES][NR_EVENTS];
extern const struct outcome expected_orphan[NR_STATES][NR_EVENTS];

#define BIT(n)		(1u << (n))

/*
 * A cell of the matrix where a stack does other than the RFC says, and why that
 * is so.  The run demands the difference of the stacks in "who", and of the
 * other one the RFC's behaviour.
 */
struct known_cell {
	const char *name, *why;
	unsigned int who;
	unsigned int states, events, held;	/* bit masks */
	int since, until;	/* kernels that do so, until excluded; 0: all */
	struct outcome outcome;
};

extern const struct known_cell known_cells[];
extern const int nr_known_cells;

#endif
