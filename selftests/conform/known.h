/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where kernel TCP does other than the RFC says outside the matrix.  A script
 * asks by name and has an expectation for either answer, so a run over kernel
 * TCP demands the difference, and one over XTCP the RFC (or, where as_linux, the
 * same difference):
 *
 *	if (linux_does("empty zero-window probe"))
 *		expect(ACK, .seq = 0, .ack = 1);
 *	else
 *		expect(ACK, .seq = 1, .ack = 1, .len = 1);
 */
#ifndef CONFORM_KNOWN_H
#define CONFORM_KNOWN_H

#include <stdbool.h>

struct known {
	const char *name, *why;
	int since, until;	/* kernels that do so, until excluded; 0: all */
	bool as_linux;		/* XTCP does so too, on purpose */
};

/* Does the stack under test show this difference?  Fails for an unknown name. */
bool linux_does(const char *name);

#endif
