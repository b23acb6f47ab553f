/* SPDX-License-Identifier: GPL-2.0 */
/*
 * User-space stand-in for the kernel's 64-bit divisions, which exist because a
 * plain one does not link on 32-bit machines.  Used by the unit tests only.
 */
#ifndef _UNIT_LINUX_MATH64_H
#define _UNIT_LINUX_MATH64_H

#include <linux/types.h>

static inline u64 div_u64(u64 dividend, u32 divisor)
{
	return dividend / divisor;
}

static inline u64 div64_u64(u64 dividend, u64 divisor)
{
	return dividend / divisor;
}

#endif
