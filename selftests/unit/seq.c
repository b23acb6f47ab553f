// SPDX-License-Identifier: GPL-2.0
/*
 * Sequence-number arithmetic of RFC 9293 3.4 against 64-bit integers: points
 * around every edge of the circle, and random ones.
 */
#include "unit.h"

static const u32 base[] = {
	0, 1, 2, 1000, 0x7ffffffe, 0x7fffffff, 0x80000000, 0x80000001,
	0xfffffffe, 0xffffffff, 0xffff0000, 0x12345678,
};

static const u32 dist[] = {
	1, 2, 3, 535, 1460, 65535, 65536, 0x3fffffff, 0x40000000,
	0x7ffffffe, 0x7fffffff,
};

TEST(before_after_around_every_edge)
{
	unsigned int i, j;

	for (i = 0; i < ARRAY_SIZE(base); i++) {
		EXPECT_FALSE(before(base[i], base[i]));
		EXPECT_FALSE(after(base[i], base[i]));
		for (j = 0; j < ARRAY_SIZE(dist); j++) {
			u32 b = base[i] + dist[j];

			EXPECT_TRUE(before(base[i], b));
			EXPECT_FALSE(before(b, base[i]));
			EXPECT_TRUE(after(b, base[i]));
			EXPECT_FALSE(after(base[i], b));
			EXPECT_EQ(b, seq_max(base[i], b));
			EXPECT_EQ(b, seq_max(b, base[i]));
			EXPECT_EQ(base[i], seq_min(base[i], b));
			EXPECT_EQ(base[i], seq_min(b, base[i]));
		}
	}
}

/* A window of every kind of size at every kind of place: in iff 0 <= d <= size */
TEST(between_is_a_closed_interval)
{
	static const u32 size[] = { 0, 1, 2, 65535, 0x40000000, 0x7fffffff };
	unsigned int i, j;
	s64 d;

	for (i = 0; i < ARRAY_SIZE(base); i++) {
		for (j = 0; j < ARRAY_SIZE(size); j++) {
			s64 n = size[j];

			for (d = -3; d <= 3; d++) {
				EXPECT_EQ(d >= 0 && d <= n,
					  between(base[i] + (u32)d, base[i], base[i] + size[j]));
				EXPECT_EQ(d <= 0 && n + d >= 0,
					  between(base[i] + size[j] + (u32)d, base[i],
						  base[i] + size[j]));
			}
		}
	}
}

TEST(random_pairs_against_64_bits)
{
	unsigned long i;

	unit_srand(1);
	for (i = 0; i < 1000000 * unit_scale(); i++) {
		u64 a = unit_rand64() >> 20;
		s64 d = (s64)(unit_rand64() & 0xffffffff) - 0x80000000LL;
		u64 b = a + d;

		if (d == -0x80000000LL)
			continue;
		ASSERT_EQ(d > 0, before((u32)a, (u32)b));
		ASSERT_EQ(d < 0, after((u32)a, (u32)b));
	}
}

TEST_HARNESS_MAIN
