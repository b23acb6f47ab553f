/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The bench that the core runs on outside the kernel: a repeatable random source
 * and the core's allocator with failure injection.  Shared by the unit tests and
 * the fuzzers.  Nothing here knows a protocol.
 */
#ifndef _UNIT_RIG_H
#define _UNIT_RIG_H

#include <linux/types.h>

/* Allocations of xtcp_seg_alloc() that are not yet freed */
extern unsigned int unit_seg_live;

/* The allocation after so many successful ones fails, and each one after it;
 * negative: none does.
 */
extern long unit_seg_budget;

/* Each allocation fails with probability 1 / this; 0: none does. */
extern unsigned int unit_seg_fail_1_in;

/* Random source: same numbers in every run, unless UNIT_SEED is set. */
void unit_srand(u64 seed);
u64 unit_rand64(void);

static inline u32 unit_rand(void)
{
	return (u32)unit_rand64();
}

/* 0 .. n - 1 */
static inline u32 unit_below(u32 n)
{
	return (u32)((unit_rand64() >> 32) * n >> 32);
}

/* Scale factor of random tests: UNIT_SCALE in the environment, default 1 */
unsigned long unit_scale(void);

#endif
