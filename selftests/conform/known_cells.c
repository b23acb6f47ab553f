// SPDX-License-Identifier: GPL-2.0
/*
 * Where kernel TCP (BY_LINUX) or XTCP (BY_XTCP) does other than the RFC says in a
 * cell of the matrix, and why.  A run demands each difference of the stack that
 * it is listed for, so that an entry can't outlive its reason, and of the other
 * one the RFC's behaviour.  The first entry that matches counts.  Differences
 * outside the matrix: known.c.
 */
#include <errno.h>
#include <kselftest.h>
#include "matrix.h"

#define ANY_STATE	(~0u)
#define BOTH		(BIT(BY_FD) | BIT(ORPHAN))
#define RSTS_EXACT	(BIT(EV_RST_EXACT) | BIT(EV_RST_ACK) | BIT(EV_RST_ACK_BAD) | BIT(EV_XMAS))

const struct known_cell known_cells[] = {
	{
		.name = "ACK of unsent data is dropped unanswered",
		.who = BY_LINUX,
		.why = "In ESTABLISHED only: the fast receive path has nowhere to answer from. "
		       "Newer kernels do as RFC 9293 3.10.7.4(5).",
		.states = BIT(ESTABLISHED), .events = BIT(EV_ACK_UNSENT), .held = BOTH,
		.until = KV(6, 17),
		.outcome = { NONE, STAY },
	}, {
		.name = "SYN+ACK again on SYN again",
		.who = BY_LINUX | BY_XTCP,
		.why = "A repeated SYN says that the SYN+ACK was lost; a bare ACK, as RFC 9293 "
		       "3.10.7.4(1) has it, would not open the peer's connection. All stacks "
		       "repeat the SYN+ACK, which is that ACK and more.",
		.states = BIT(SYN_RECEIVED), .events = BIT(EV_SYN_AGAIN), .held = BOTH,
		.outcome = { AN_SYNACK, STAY },
	}, {
		.name = "SYN never removes a request",
		.who = BY_XTCP,
		.why = "RFC 9293 3.10.7.4(4) goes back to LISTEN, so a forged SYN in the window "
		       "would undo a handshake; a challenge ACK (RFC 5961 4.2) costs nothing.",
		.states = BIT(SYN_RECEIVED), .held = BOTH,
		.events = BIT(EV_SYN_IN_WINDOW) | BIT(EV_SYN_EXACT) | BIT(EV_SYNACK),
		.outcome = { AN_ACK, STAY },
	}, {
		.name = "bad SYN in SYN-RECEIVED is reset",
		.who = BY_LINUX,
		.why = "The request is forgotten as the RFC says (back to LISTEN), and the "
		       "sender is told, although it may be a third party.",
		.states = BIT(SYN_RECEIVED),
		.events = BIT(EV_SYN_IN_WINDOW) | BIT(EV_SYN_EXACT), .held = BOTH,
		.outcome = { AN_RST_ACK, LISTEN },
	}, {
		.name = "bad SYN+ACK in SYN-RECEIVED is reset",
		.who = BY_LINUX,
		.why = "The same, for a segment with an ACK.",
		.states = BIT(SYN_RECEIVED), .events = BIT(EV_SYNACK), .held = BOTH,
		.outcome = { AN_RST, LISTEN },
	}, {
		.name = "ECONNRESET from SYN-RECEIVED",
		.who = BY_LINUX,
		.why = "Linux says \"connection refused\" only from SYN-SENT; RFC 9293 "
		       "3.10.7.4(2) says it from an actively opened SYN-RECEIVED too.",
		.states = BIT(SYN_RECEIVED_ACTIVE), .events = RSTS_EXACT, .held = BOTH,
		.outcome = { NONE, CLOSED, .err = ECONNRESET },
	}, {
		.name = "EPIPE from CLOSE-WAIT",
		.who = BY_LINUX | BY_XTCP,
		.why = "After the peer's FIN only sending is left, so Linux reports a reset as "
		       "a broken pipe; a matter of the API, and users of sockets know it so.",
		.states = BIT(CLOSE_WAIT), .events = RSTS_EXACT, .held = BOTH,
		.outcome = { NONE, CLOSED, .err = EPIPE },
	}, {
		.name = "ECONNRESET from CLOSING and LAST-ACK",
		.who = BY_LINUX | BY_XTCP,
		.why = "RFC 9293 3.10.7.4(2) tells the user nothing in these states; whoever "
		       "still holds the descriptor and asks, gets the error. A matter of the "
		       "API, so XTCP does the same.",
		.states = BIT(CLOSING) | BIT(LAST_ACK), .events = RSTS_EXACT,
		.held = BIT(BY_FD),
		.outcome = { NONE, CLOSED, .err = ECONNRESET },
	}, {
		.name = "RST at RCV.NXT-1 after FIN",
		.who = BY_LINUX,
		.why = "Some systems send their RST with the number of their FIN; Linux takes "
		       "it as exact once the FIN has arrived. RFC 5961 3.2 has no such case.",
		.states = BIT(CLOSE_WAIT), .events = BIT(EV_RST_LEFT), .held = BOTH,
		.outcome = { NONE, CLOSED, .err = EPIPE },
	}, {
		.name = "RST at RCV.NXT-1 after FIN, both sides closed",
		.who = BY_LINUX,
		.why = "The same.",
		.states = BIT(CLOSING) | BIT(LAST_ACK), .events = BIT(EV_RST_LEFT),
		.held = BIT(BY_FD),
		.outcome = { NONE, CLOSED, .err = ECONNRESET },
	}, {
		.name = "RST at RCV.NXT-1 after FIN, orphan",
		.who = BY_LINUX,
		.why = "The same.",
		.states = BIT(CLOSING) | BIT(LAST_ACK), .events = BIT(EV_RST_LEFT),
		.held = BIT(ORPHAN),
		.outcome = { NONE, CLOSED },
	}, {
		.name = "ACK on a repeated FIN counts, CLOSING",
		.who = BY_LINUX,
		.why = "Linux takes a segment that ends at RCV.NXT for acceptable and uses its "
		       "ACK; RFC 9293 3.10.7.4(1) answers and drops it, and leaves the state to "
		       "the next ACK.",
		.states = BIT(CLOSING), .events = BIT(EV_FIN_ACK), .held = BOTH,
		.outcome = { NONE, TIME_WAIT },
	}, {
		.name = "ACK on a repeated FIN counts, LAST-ACK",
		.who = BY_LINUX,
		.why = "The same.",
		.states = BIT(LAST_ACK), .events = BIT(EV_FIN_ACK), .held = BOTH,
		.outcome = { NONE, CLOSED },
	}, {
		.name = "text in TIME-WAIT is answered",
		.who = BY_LINUX,
		.why = "Linux's TIME-WAIT entry answers all but exact empty segments with an "
		       "ACK; RFC 9293 3.10.7.4(7) ignores text there.",
		.states = BIT(TIME_WAIT),
		.events = BIT(EV_DATA) | BIT(EV_DATA_AHEAD) | BIT(EV_URG) | BIT(EV_NO_ACK),
		.held = BOTH,
		.outcome = { AN_ACK, STAY },
	}, {
		.name = "small FIN-WAIT-2: SYN is reset",
		.who = BY_LINUX,
		.why = "Linux keeps an orphan in FIN-WAIT-2 as a TIME-WAIT entry, which knows "
		       "no challenge ACK (RFC 5961 4.2).",
		.states = BIT(FIN_WAIT_2), .events = BIT(EV_SYN_IN_WINDOW) | BIT(EV_SYN_EXACT),
		.held = BIT(ORPHAN),
		.outcome = { AN_RST_ACK, CLOSED },
	}, {
		.name = "small FIN-WAIT-2: SYN+ACK is reset",
		.who = BY_LINUX,
		.why = "The same.",
		.states = BIT(FIN_WAIT_2), .events = BIT(EV_SYNACK), .held = BIT(ORPHAN),
		.outcome = { AN_RST, CLOSED },
	}, {
		.name = "small FIN-WAIT-2: ACK isn't checked",
		.who = BY_LINUX,
		.why = "The same: nothing is left to acknowledge, so it doesn't look.",
		.states = BIT(FIN_WAIT_2), .events = BIT(EV_ACK_UNSENT) | BIT(EV_ACK_TOO_OLD),
		.held = BIT(ORPHAN),
		.outcome = { NONE, STAY },
	}, {
		.name = "small FIN-WAIT-2: RST in window kills",
		.who = BY_LINUX,
		.why = "The same: no challenge ACK (RFC 5961 3.2).",
		.states = BIT(FIN_WAIT_2), .events = BIT(EV_RST_IN_WINDOW), .held = BIT(ORPHAN),
		.outcome = { NONE, CLOSED },
	}, {
		.name = "small FIN-WAIT-2: RST out of window is answered",
		.who = BY_LINUX,
		.why = "The same: it asks for the window before it asks for RST.",
		.states = BIT(FIN_WAIT_2), .events = BIT(EV_RST_BEYOND) | BIT(EV_RST_LEFT),
		.held = BIT(ORPHAN),
		.outcome = { AN_ACK, STAY },
	},
};

const int nr_known_cells = ARRAY_SIZE(known_cells);
