/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where a stack does other than the RFC says, outside the matrix.  A script asks
 * by name and has an expectation for either answer, so a run demands the
 * difference of the stacks that it is listed for, and the RFC of the other:
 *
 *	if (known("empty zero-window probe"))
 *		expect(ACK, .seq = 0, .ack = 1);
 *	else
 *		expect(ACK, .seq = 1, .ack = 1, .len = 1);
 */
#ifndef CONFORM_KNOWN_H
#define CONFORM_KNOWN_H

#include <stdbool.h>

/* Who does so: kernel TCP, XTCP (on purpose, and its man page says so), or both. */
#define BY_LINUX	1
#define BY_XTCP		2

/* Is it listed for the stack under test and this kernel? */
bool known_for(unsigned int who, int since, int until);
/* The same by the name of an entry in known.c; fails for a name not in it. */
bool known(const char *name);

#endif
