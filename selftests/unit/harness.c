// SPDX-License-Identifier: GPL-2.0
/*
 * Support for the unit tests: random numbers (splitmix64) and the allocator that
 * the core asks for, which can be told to fail.  Linked into every test.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "tcb.h"
#include "rig.h"

unsigned int unit_seg_live;
long unit_seg_budget = -1;
unsigned int unit_seg_fail_1_in;

static u64 state;

void unit_srand(u64 seed)
{
	const char *env = getenv("UNIT_SEED");

	state = seed;
	if (env)
		state ^= strtoull(env, NULL, 0);
}

u64 unit_rand64(void)
{
	u64 z = state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

unsigned long unit_scale(void)
{
	const char *env = getenv("UNIT_SCALE");
	unsigned long n = env ? strtoul(env, NULL, 0) : 1;

	return n ? n : 1;
}

void *xtcp_seg_alloc(void)
{
	void *p;

	if (unit_seg_fail_1_in && unit_rand64() % unit_seg_fail_1_in == 0)
		return NULL;
	if (unit_seg_budget == 0)
		return NULL;
	if (unit_seg_budget > 0)
		unit_seg_budget--;
	p = malloc(sizeof(union xtcp_seg));
	if (!p)
		abort();
	memset(p, 0xa5, sizeof(union xtcp_seg));
	unit_seg_live++;
	return p;
}

void xtcp_seg_free(void *seg)
{
	if (!seg)
		abort();
	unit_seg_live--;
	free(seg);
}
