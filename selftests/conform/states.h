/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Parking a connection in each state: the peer's next segment is held back.
 */
#ifndef CONFORM_STATES_H
#define CONFORM_STATES_H

#include "peer.h"

/* RFC 9293 3.3.1, of the stack under test, relative; set by enter() */
struct vars {
	int snd_una, snd_nxt, rcv_nxt;
	int peer_fin;		/* where the peer's FIN is, or would be */
};

extern struct vars vars;

/* How the connection is held: by a descriptor, or by nobody (an orphan). */
enum held { BY_FD, ORPHAN, NR_HELD };

bool state_exists(enum state s, enum held held);
/* From nothing to this state, every segment on the way checked. */
void enter(enum state s, enum held held);

/* Shorthands of the scripts; options as negotiated by establish() are none. */
void establish(void);			/* active open */
void establish_passive(void);
/* Both with these options in the peer's SYN (.mss, .ws, .sackok, .ts) */
#define establish_with(...) establish_opt(&(struct seg){ __VA_ARGS__ })
#define establish_passive_with(...) establish_passive_opt(&(struct seg){ __VA_ARGS__ })
void establish_opt(const struct seg *opt);
void establish_passive_opt(const struct seg *opt);

#endif
