// SPDX-License-Identifier: GPL-2.0
/*
 * What must follow from every event in every state, written from the RFCs:
 * RFC 9293 3.10.7 (the steps of "SEGMENT ARRIVES", named here by number),
 * RFC 5961 (blind attacks), RFC 1337 (RST in TIME-WAIT, switched on by sysctl),
 * RFC 9293 3.6.1 (new data after close).  No row comes from a trace of a stack.
 *
 * The error on the socket is ECONNREFUSED where the RFC says "connection
 * refused" and ECONNRESET where it says "connection reset"; where a state's RST
 * tells the user nothing it is 0.
 *
 * Steps of 3.10.7.4: (1) sequence number, (2) RST, (3) security, (4) SYN,
 * (5) ACK, (6) URG, (7) text, (8) FIN.
 */
#include <errno.h>
#include "matrix.h"

#define QUIET(rfc_)	{ .answer = NONE, .next = STAY, .rfc = rfc_ }
#define CHALLENGE(rfc_)	{ .answer = AN_ACK, .next = STAY, .rfc = rfc_ }
#define DROP_ACK(rfc_)	{ .answer = AN_ACK, .next = STAY, .rfc = rfc_ }
#define MAY_ACK(rfc_)	{ .answer = AN_ACK, .next = STAY, .maybe = true, .rfc = rfc_ }
#define RESET(rfc_)	{ .answer = AN_RST, .next = STAY, .rfc = rfc_ }
#define RESET_ACK(rfc_)	{ .answer = AN_RST_ACK, .next = STAY, .rfc = rfc_ }
#define GOTO(state, rfc_) { .answer = NONE, .next = state, .rfc = rfc_ }
#define ACK_GOTO(adv, state, rfc_) \
	{ .answer = AN_ACK, .advance = adv, .next = state, .rfc = rfc_ }
#define DELIVER(rfc_)	{ .answer = AN_ACK, .next = STAY, .advance = 10, .data = 10, .rfc = rfc_ }
#define DIES(err_, rfc_) { .answer = NONE, .next = CLOSED, .err = err_, .rfc = rfc_ }
#define ABORTS(rfc_)	{ .answer = AN_ABORT, .next = CLOSED, .rfc = rfc_ }

/* SYN and RST in every synchronized state are the same rows. */
#define SYNS_ARE_CHALLENGED						\
	[EV_SYN_IN_WINDOW] = CHALLENGE("9293 3.10.7.4(4), 5961 4.2"),	\
	[EV_SYN_EXACT]	= CHALLENGE("9293 3.10.7.4(4), 5961 4.2"),	\
	[EV_SYN_AGAIN]	= DROP_ACK("9293 3.10.7.4(1), 5961 4.2"),	\
	[EV_SYNACK]	= CHALLENGE("9293 3.10.7.4(4), 5961 4.2"),	\
	[EV_SYNACK_AGAIN] = DROP_ACK("9293 3.10.7.4(1), 5961 4.2")

#define RSTS_KILL(err)							\
	[EV_RST_EXACT]	= DIES(err, "9293 3.10.7.4(2), 5961 3.2"),	\
	[EV_RST_IN_WINDOW] = CHALLENGE("9293 3.10.7.4(2), 5961 3.2"),	\
	[EV_RST_BEYOND]	= QUIET("9293 3.10.7.4(2), 5961 3.2"),		\
	[EV_RST_LEFT]	= QUIET("9293 3.10.7.4(2), 5961 3.2"),		\
	[EV_RST_ACK]	= DIES(err, "9293 3.10.7.4(2), 5961 3.2"),	\
	[EV_RST_ACK_BAD] = DIES(err, "9293 3.10.7.4(2): before the ACK"), \
	[EV_XMAS]	= DIES(err, "9293 3.10.7.4(2): before SYN and FIN")

#define BAD_ACKS_ARE_ANSWERED						\
	[EV_ACK_UNSENT]	= DROP_ACK("9293 3.10.7.4(5)"),			\
	[EV_ACK_TOO_OLD] = CHALLENGE("5961 5.2")

/* What is outside the window, and what has no ACK. */
#define UNACCEPTABLE							\
	[EV_DATA_OLD]	= DROP_ACK("9293 3.10.7.4(1)"),			\
	[EV_DATA_BEYOND] = DROP_ACK("9293 3.10.7.4(1)"),		\
	[EV_NO_ACK]	= QUIET("9293 3.10.7.4(5): no ACK bit"),	\
	[EV_NULL]	= QUIET("9293 3.10.7.4(5): no ACK bit")

/* States in which text still comes in. */
#define TEXT_IS_DELIVERED						\
	[EV_DATA]	= DELIVER("9293 3.10.7.4(7)"),			\
	[EV_DATA_AHEAD]	= DROP_ACK("9293 3.10.7.4(7), 5681 4.2"),	\
	[EV_URG]	= DELIVER("9293 3.10.7.4(6,7)")

/* States after the peer's FIN. */
#define TEXT_IS_IGNORED							\
	[EV_DATA]	= QUIET("9293 3.10.7.4(7): after FIN"),		\
	[EV_DATA_AHEAD]	= QUIET("9293 3.10.7.4(7): after FIN"),		\
	[EV_URG]	= QUIET("9293 3.10.7.4(6,7): after FIN")

const struct outcome expected[NR_STATES][NR_EVENTS] = {
	[CLOSED] = {
		[EV_SYN_IN_WINDOW] = RESET_ACK("9293 3.10.7.1"),
		[EV_SYN_EXACT]	= RESET_ACK("9293 3.10.7.1"),
		[EV_SYN_AGAIN]	= RESET_ACK("9293 3.10.7.1"),
		[EV_SYNACK]	= RESET("9293 3.10.7.1"),
		[EV_SYNACK_AGAIN] = RESET("9293 3.10.7.1"),
		[EV_ACK]	= RESET("9293 3.10.7.1"),
		[EV_ACK_UNSENT]	= RESET("9293 3.10.7.1"),
		[EV_ACK_TOO_OLD] = RESET("9293 3.10.7.1"),
		[EV_DATA]	= RESET("9293 3.10.7.1"),
		[EV_DATA_AHEAD]	= RESET("9293 3.10.7.1"),
		[EV_DATA_OLD]	= RESET("9293 3.10.7.1"),
		[EV_DATA_BEYOND] = RESET("9293 3.10.7.1"),
		[EV_FIN]	= RESET("9293 3.10.7.1"),
		[EV_FIN_ACK]	= RESET("9293 3.10.7.1"),
		[EV_RST_EXACT]	= QUIET("9293 3.10.7.1"),
		[EV_RST_IN_WINDOW] = QUIET("9293 3.10.7.1"),
		[EV_RST_BEYOND]	= QUIET("9293 3.10.7.1"),
		[EV_RST_LEFT]	= QUIET("9293 3.10.7.1"),
		[EV_RST_ACK]	= QUIET("9293 3.10.7.1"),
		[EV_RST_ACK_BAD] = QUIET("9293 3.10.7.1"),
		[EV_URG]	= RESET("9293 3.10.7.1"),
		[EV_NO_ACK]	= RESET_ACK("9293 3.10.7.1"),
		[EV_XMAS]	= QUIET("9293 3.10.7.1: RST"),
		[EV_NULL]	= RESET_ACK("9293 3.10.7.1"),
	},
	[LISTEN] = {
#define ANSWER_SYN { .answer = AN_SYNACK, .next = SYN_RECEIVED, .rfc = "9293 3.10.7.2(3)" }
		[EV_SYN_IN_WINDOW] = ANSWER_SYN,
		[EV_SYN_EXACT]	= ANSWER_SYN,
		[EV_SYN_AGAIN]	= ANSWER_SYN,
		[EV_SYNACK]	= RESET("9293 3.10.7.2(2)"),
		[EV_SYNACK_AGAIN] = RESET("9293 3.10.7.2(2)"),
		[EV_ACK]	= RESET("9293 3.10.7.2(2)"),
		[EV_ACK_UNSENT]	= RESET("9293 3.10.7.2(2)"),
		[EV_ACK_TOO_OLD] = RESET("9293 3.10.7.2(2)"),
		[EV_DATA]	= RESET("9293 3.10.7.2(2)"),
		[EV_DATA_AHEAD]	= RESET("9293 3.10.7.2(2)"),
		[EV_DATA_OLD]	= RESET("9293 3.10.7.2(2)"),
		[EV_DATA_BEYOND] = RESET("9293 3.10.7.2(2)"),
		[EV_FIN]	= RESET("9293 3.10.7.2(2)"),
		[EV_FIN_ACK]	= RESET("9293 3.10.7.2(2)"),
		[EV_RST_EXACT]	= QUIET("9293 3.10.7.2(1)"),
		[EV_RST_IN_WINDOW] = QUIET("9293 3.10.7.2(1)"),
		[EV_RST_BEYOND]	= QUIET("9293 3.10.7.2(1)"),
		[EV_RST_LEFT]	= QUIET("9293 3.10.7.2(1)"),
		[EV_RST_ACK]	= QUIET("9293 3.10.7.2(1)"),
		[EV_RST_ACK_BAD] = QUIET("9293 3.10.7.2(1)"),
		[EV_URG]	= RESET("9293 3.10.7.2(2)"),
		[EV_NO_ACK]	= QUIET("9293 3.10.7.2(4)"),
		[EV_XMAS]	= QUIET("9293 3.10.7.2(1)"),
		[EV_NULL]	= QUIET("9293 3.10.7.2(4)"),
	},
	[SYN_SENT] = {
#define CROSSED_SYN { .answer = AN_SYNACK, .next = SYN_RECEIVED_ACTIVE, \
		      .rfc = "9293 3.10.7.3(4), figure 8" }
#define CONNECTED { .answer = AN_ACK, .advance = 1, .next = ESTABLISHED, .rfc = "9293 3.10.7.3(4)" }
		[EV_SYN_IN_WINDOW] = CROSSED_SYN,
		[EV_SYN_EXACT]	= CROSSED_SYN,
		[EV_SYN_AGAIN]	= CROSSED_SYN,
		[EV_SYNACK]	= CONNECTED,
		[EV_SYNACK_AGAIN] = CONNECTED,
		[EV_ACK]	= QUIET("9293 3.10.7.3(5)"),
		[EV_ACK_UNSENT]	= RESET("9293 3.10.7.3(1)"),
		[EV_ACK_TOO_OLD] = RESET("9293 3.10.7.3(1)"),
		[EV_DATA]	= QUIET("9293 3.10.7.3(5)"),
		[EV_DATA_AHEAD]	= QUIET("9293 3.10.7.3(5)"),
		[EV_DATA_OLD]	= QUIET("9293 3.10.7.3(5)"),
		[EV_DATA_BEYOND] = QUIET("9293 3.10.7.3(5)"),
		[EV_FIN]	= QUIET("9293 3.10.7.3(5)"),
		[EV_FIN_ACK]	= QUIET("9293 3.10.7.3(5)"),
		[EV_RST_EXACT]	= QUIET("9293 3.10.7.3(2): no ACK"),
		[EV_RST_IN_WINDOW] = QUIET("9293 3.10.7.3(2): no ACK"),
		[EV_RST_BEYOND]	= QUIET("9293 3.10.7.3(2): no ACK"),
		[EV_RST_LEFT]	= QUIET("9293 3.10.7.3(2): no ACK"),
		[EV_RST_ACK]	= DIES(ECONNREFUSED, "9293 3.10.7.3(2)"),
		[EV_RST_ACK_BAD] = QUIET("9293 3.10.7.3(1): RST"),
		[EV_URG]	= QUIET("9293 3.10.7.3(5)"),
		[EV_NO_ACK]	= QUIET("9293 3.10.7.3(5)"),
		[EV_XMAS]	= DIES(ECONNREFUSED, "9293 3.10.7.3(2)"),
		[EV_NULL]	= QUIET("9293 3.10.7.3(5)"),
	},
	[SYN_RECEIVED] = {
		[EV_SYN_IN_WINDOW] = GOTO(LISTEN, "9293 3.10.7.4(4)"),
		[EV_SYN_EXACT]	= GOTO(LISTEN, "9293 3.10.7.4(4)"),
		[EV_SYN_AGAIN]	= DROP_ACK("9293 3.10.7.4(1)"),
		[EV_SYNACK]	= GOTO(LISTEN, "9293 3.10.7.4(4)"),
		[EV_SYNACK_AGAIN] = DROP_ACK("9293 3.10.7.4(1)"),
		[EV_ACK]	= GOTO(ESTABLISHED, "9293 3.10.7.4(5)"),
		[EV_ACK_UNSENT]	= RESET("9293 3.10.7.4(5)"),
		[EV_ACK_TOO_OLD] = RESET("9293 3.10.7.4(5)"),
		[EV_DATA]	= { AN_ACK, ESTABLISHED, 10, 10, .rfc = "9293 3.10.7.4(5,7)" },
		[EV_DATA_AHEAD]	= ACK_GOTO(0, ESTABLISHED, "9293 3.10.7.4(5,7), 5681 4.2"),
		[EV_FIN]	= ACK_GOTO(1, CLOSE_WAIT, "9293 3.10.7.4(5,8)"),
		[EV_FIN_ACK]	= ACK_GOTO(1, CLOSE_WAIT, "9293 3.10.7.4(5,8)"),
		[EV_RST_EXACT]	= GOTO(LISTEN, "9293 3.10.7.4(2), 5961 3.2"),
		[EV_RST_IN_WINDOW] = CHALLENGE("9293 3.10.7.4(2), 5961 3.2"),
		[EV_RST_BEYOND]	= QUIET("9293 3.10.7.4(2), 5961 3.2"),
		[EV_RST_LEFT]	= QUIET("9293 3.10.7.4(2), 5961 3.2"),
		[EV_RST_ACK]	= GOTO(LISTEN, "9293 3.10.7.4(2), 5961 3.2"),
		[EV_RST_ACK_BAD] = GOTO(LISTEN, "9293 3.10.7.4(2): before the ACK"),
		[EV_URG]	= { AN_ACK, ESTABLISHED, 10, 10, .rfc = "9293 3.10.7.4(5,6,7)" },
		[EV_XMAS]	= GOTO(LISTEN, "9293 3.10.7.4(2): before SYN and FIN"),
		UNACCEPTABLE,
	},
	[SYN_RECEIVED_ACTIVE] = {
		SYNS_ARE_CHALLENGED,
		[EV_SYNACK_AGAIN] = { AN_ACK, ESTABLISHED, .maybe = true,
				      .rfc = "9293 3.5, figure 8, line 6" },
		[EV_ACK]	= GOTO(ESTABLISHED, "9293 3.10.7.4(5)"),
		[EV_ACK_UNSENT]	= RESET("9293 3.10.7.4(5)"),
		[EV_ACK_TOO_OLD] = RESET("9293 3.10.7.4(5)"),
		[EV_DATA]	= { AN_ACK, ESTABLISHED, 10, 10, .rfc = "9293 3.10.7.4(5,7)" },
		[EV_DATA_AHEAD]	= ACK_GOTO(0, ESTABLISHED, "9293 3.10.7.4(5,7), 5681 4.2"),
		[EV_FIN]	= ACK_GOTO(1, CLOSE_WAIT, "9293 3.10.7.4(5,8)"),
		[EV_FIN_ACK]	= ACK_GOTO(1, CLOSE_WAIT, "9293 3.10.7.4(5,8)"),
		RSTS_KILL(ECONNREFUSED),
		[EV_URG]	= { AN_ACK, ESTABLISHED, 10, 10, .rfc = "9293 3.10.7.4(5,6,7)" },
		UNACCEPTABLE,
	},
	[ESTABLISHED] = {
		SYNS_ARE_CHALLENGED,
		[EV_ACK]	= QUIET("9293 3.10.7.4(5)"),
		BAD_ACKS_ARE_ANSWERED,
		TEXT_IS_DELIVERED,
		[EV_FIN]	= ACK_GOTO(1, CLOSE_WAIT, "9293 3.10.7.4(8)"),
		[EV_FIN_ACK]	= ACK_GOTO(1, CLOSE_WAIT, "9293 3.10.7.4(8)"),
		RSTS_KILL(ECONNRESET),
		UNACCEPTABLE,
	},
	[FIN_WAIT_1] = {
		SYNS_ARE_CHALLENGED,
		[EV_ACK]	= GOTO(FIN_WAIT_2, "9293 3.10.7.4(5)"),
		BAD_ACKS_ARE_ANSWERED,
		TEXT_IS_DELIVERED,
		[EV_FIN]	= ACK_GOTO(1, CLOSING, "9293 3.10.7.4(8)"),
		[EV_FIN_ACK]	= ACK_GOTO(1, TIME_WAIT, "9293 3.10.7.4(5,8)"),
		RSTS_KILL(ECONNRESET),
		UNACCEPTABLE,
	},
	[FIN_WAIT_2] = {
		SYNS_ARE_CHALLENGED,
		[EV_ACK]	= QUIET("9293 3.10.7.4(5)"),
		BAD_ACKS_ARE_ANSWERED,
		TEXT_IS_DELIVERED,
		[EV_FIN]	= ACK_GOTO(1, TIME_WAIT, "9293 3.10.7.4(8)"),
		[EV_FIN_ACK]	= ACK_GOTO(1, TIME_WAIT, "9293 3.10.7.4(8)"),
		RSTS_KILL(ECONNRESET),
		UNACCEPTABLE,
	},
	[CLOSE_WAIT] = {
		SYNS_ARE_CHALLENGED,
		[EV_ACK]	= QUIET("9293 3.10.7.4(5)"),
		BAD_ACKS_ARE_ANSWERED,
		TEXT_IS_IGNORED,
		[EV_FIN]	= DROP_ACK("9293 3.10.7.4(1)"),
		[EV_FIN_ACK]	= DROP_ACK("9293 3.10.7.4(1)"),
		RSTS_KILL(ECONNRESET),
		UNACCEPTABLE,
	},
	[CLOSING] = {
		SYNS_ARE_CHALLENGED,
		[EV_ACK]	= GOTO(TIME_WAIT, "9293 3.10.7.4(5)"),
		BAD_ACKS_ARE_ANSWERED,
		TEXT_IS_IGNORED,
		[EV_FIN]	= DROP_ACK("9293 3.10.7.4(1)"),
		[EV_FIN_ACK]	= DROP_ACK("9293 3.10.7.4(1)"),
		RSTS_KILL(0),
		UNACCEPTABLE,
	},
	[LAST_ACK] = {
		SYNS_ARE_CHALLENGED,
		[EV_ACK]	= GOTO(CLOSED, "9293 3.10.7.4(5)"),
		BAD_ACKS_ARE_ANSWERED,
		TEXT_IS_IGNORED,
		[EV_FIN]	= DROP_ACK("9293 3.10.7.4(1)"),
		[EV_FIN_ACK]	= DROP_ACK("9293 3.10.7.4(1)"),
		RSTS_KILL(0),
		UNACCEPTABLE,
	},
	[TIME_WAIT] = {
		/* No listener: nobody could accept a new incarnation (RFC 6191) */
		SYNS_ARE_CHALLENGED,
		[EV_ACK]	= QUIET("9293 3.10.7.4(5)"),
		/* (5) names no check of the number in TIME-WAIT, RFC 5961 does */
		[EV_ACK_UNSENT]	= MAY_ACK("9293 3.10.7.4(5), 5961 5.2"),
		[EV_ACK_TOO_OLD] = MAY_ACK("9293 3.10.7.4(5), 5961 5.2"),
		TEXT_IS_IGNORED,
		[EV_FIN]	= DROP_ACK("9293 3.10.7.4(1,8)"),
		[EV_FIN_ACK]	= DROP_ACK("9293 3.10.7.4(1,8)"),
		[EV_RST_EXACT]	= QUIET("1337 4, fix F1"),
		[EV_RST_IN_WINDOW] = QUIET("1337 4, fix F1"),
		[EV_RST_BEYOND]	= QUIET("1337 4, fix F1"),
		[EV_RST_LEFT]	= QUIET("1337 4, fix F1"),
		[EV_RST_ACK]	= QUIET("1337 4, fix F1"),
		[EV_RST_ACK_BAD] = QUIET("1337 4, fix F1"),
		[EV_XMAS]	= QUIET("1337 4, fix F1"),
		UNACCEPTABLE,
	},
};

/*
 * An orphan has nobody to deliver to: "if new data is received after CLOSE is
 * called, its TCP SHOULD send a RST to show that data was lost" (9293 3.6.1).
 */
#define NEW_DATA_ABORTS							\
	[EV_DATA]	= ABORTS("9293 3.6.1, MUST-12"),			\
	[EV_DATA_AHEAD]	= ABORTS("9293 3.6.1, MUST-12"),			\
	[EV_URG]	= ABORTS("9293 3.6.1, MUST-12")

/* Nobody is left to read an error either. */
#define RSTS_END							\
	[EV_RST_EXACT]	= DIES(0, "9293 3.10.7.4(2), 5961 3.2"),	\
	[EV_RST_ACK]	= DIES(0, "9293 3.10.7.4(2), 5961 3.2"),	\
	[EV_RST_ACK_BAD] = DIES(0, "9293 3.10.7.4(2): before the ACK"),	\
	[EV_XMAS]	= DIES(0, "9293 3.10.7.4(2): before SYN and FIN")

const struct outcome expected_orphan[NR_STATES][NR_EVENTS] = {
	[FIN_WAIT_1] = { NEW_DATA_ABORTS, RSTS_END },
	[FIN_WAIT_2] = { NEW_DATA_ABORTS, RSTS_END },
};
