/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Modular comparison of sequence numbers (RFC 9293 3.4): the only place that
 * compares them.  Valid for numbers less than 2^31 apart.
 */
#ifndef _XTCP_SEQ_H
#define _XTCP_SEQ_H

#include <linux/types.h>

static inline bool before(u32 a, u32 b)
{
	return (s32)(a - b) < 0;
}

static inline bool after(u32 a, u32 b)
{
	return before(b, a);
}

/* low =< seq =< high on the circle */
static inline bool between(u32 seq, u32 low, u32 high)
{
	return high - low >= seq - low;
}

static inline u32 seq_max(u32 a, u32 b)
{
	return after(a, b) ? a : b;
}

static inline u32 seq_min(u32 a, u32 b)
{
	return before(a, b) ? a : b;
}

#endif
