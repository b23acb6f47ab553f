// SPDX-License-Identifier: GPL-2.0
/*
 * Options: golden byte strings put together by hand from RFC 9293 3.2, 7323 and
 * 2018, every malformed form, write and parse as inverses, and random bytes in
 * exactly sized heap blocks, where a read or write beyond is an ASan report.
 */
#include "unit.h"

#define GOLD(...) (const u8[]){ __VA_ARGS__ }, sizeof((const u8[]){ __VA_ARGS__ })

static const struct golden {
	const char *name;
	const u8 *p;
	unsigned int len;
	struct xtcp_options o;
} golden[] = {
	{ "nothing", NULL, 0, { 0 } },
	{ "MSS 1460", GOLD(2, 4, 0x05, 0xb4), { .present = XTCP_HAS_MSS, .mss = 1460 } },
	{ "SACK-permitted alone", GOLD(4, 2, 1, 1), { .present = XTCP_HAS_SACK_PERM } },
	{ "window scale 7", GOLD(1, 3, 3, 7), { .present = XTCP_HAS_WSCALE, .wscale = 7 } },
	{ "timestamps, RFC 7323 appendix A",
	  GOLD(1, 1, 8, 10, 0x01, 0x02, 0x03, 0x04, 0xff, 0xfe, 0xfd, 0xfc),
	  { .present = XTCP_HAS_TS, .tsval = 0x01020304, .tsecr = 0xfffefdfc } },
	{ "a whole SYN",
	  GOLD(2, 4, 0x05, 0xb4, 4, 2, 8, 10, 0, 0, 0, 9, 0, 0, 0, 0, 1, 3, 3, 14),
	  { .present = XTCP_HAS_MSS | XTCP_HAS_SACK_PERM | XTCP_HAS_TS | XTCP_HAS_WSCALE,
	    .mss = 1460, .tsval = 9, .wscale = 14 } },
	{ "a SYN without timestamps",
	  GOLD(2, 4, 0xff, 0xff, 4, 2, 1, 1, 1, 3, 3, 0),
	  { .present = XTCP_HAS_MSS | XTCP_HAS_SACK_PERM | XTCP_HAS_WSCALE, .mss = 65535 } },
	{ "the XTCP option: version 1, ms, 1000 us",
	  GOLD(253, 8, 0x58, 0x54, 0x10, 0x00, 0x03, 0xe8),
	  { .present = XTCP_HAS_NEGO, .ts_unit = XTCP_UNIT_MS, .ack_delay = 1000 } },
	{ "the XTCP option: us, one second",
	  GOLD(253, 8, 0x58, 0x54, 0x11, 0x0f, 0x42, 0x40),
	  { .present = XTCP_HAS_NEGO, .ts_unit = XTCP_UNIT_US, .ack_delay = 1000000 } },
	{ "a whole SYN of XTCP",
	  GOLD(2, 4, 0x05, 0xb4, 4, 2, 8, 10, 0, 0, 0, 9, 0, 0, 0, 0, 1, 3, 3, 14,
	       253, 8, 0x58, 0x54, 0x11, 0, 0, 0),
	  { .present = XTCP_HAS_MSS | XTCP_HAS_SACK_PERM | XTCP_HAS_TS | XTCP_HAS_WSCALE |
		       XTCP_HAS_NEGO,
	    .mss = 1460, .tsval = 9, .wscale = 14, .ts_unit = XTCP_UNIT_US } },
	{ "one SACK block", GOLD(1, 1, 5, 10, 0, 0, 0x15, 0x7c, 0, 0, 0x1b, 0x58),
	  { .nr_sack = 1, .sack = { { 5500, 7000 } } } },
	{ "four SACK blocks",
	  GOLD(1, 1, 5, 34, 0, 0, 0, 7, 0, 0, 0, 8, 0, 0, 0, 5, 0, 0, 0, 6,
	       0, 0, 0, 3, 0, 0, 0, 4, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 2),
	  { .nr_sack = 4, .sack = { { 7, 8 }, { 5, 6 }, { 3, 4 }, { 0xffffffff, 2 } } } },
	{ "timestamps and three blocks: the 40 bytes are full",
	  GOLD(1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2, 1, 1, 5, 26, 0, 0, 0, 7, 0, 0, 0, 8,
	       0, 0, 0, 5, 0, 0, 0, 6, 0, 0, 0, 3, 0, 0, 0, 4),
	  { .present = XTCP_HAS_TS, .tsval = 1, .tsecr = 2,
	    .nr_sack = 3, .sack = { { 7, 8 }, { 5, 6 }, { 3, 4 } } } },
};

static bool same(const struct xtcp_options *a, const struct xtcp_options *b)
{
	unsigned int i;

	if (a->present != b->present || a->nr_sack != b->nr_sack)
		return false;
	if ((a->present & XTCP_HAS_MSS) && a->mss != b->mss)
		return false;
	if ((a->present & XTCP_HAS_WSCALE) && a->wscale != b->wscale)
		return false;
	if ((a->present & XTCP_HAS_TS) && (a->tsval != b->tsval || a->tsecr != b->tsecr))
		return false;
	if ((a->present & XTCP_HAS_NEGO) &&
	    (a->ts_unit != b->ts_unit || a->ack_delay != b->ack_delay))
		return false;
	for (i = 0; i < a->nr_sack; i++) {
		if (a->sack[i].seq != b->sack[i].seq || a->sack[i].end_seq != b->sack[i].end_seq)
			return false;
	}
	return true;
}

/* Parse from a heap block of exactly that size */
static int parse(const u8 *p, unsigned int len, bool syn, struct xtcp_options *o)
{
	u8 *copy = malloc(len ? len : 1);
	int ret;

	memset(o, 0x5a, sizeof(*o));
	if (len)
		memcpy(copy, p, len);
	ret = xtcp_options_parse(len ? copy : copy + 1, len, syn, o);
	free(copy);
	return ret;
}

TEST(golden_parse)
{
	struct xtcp_options o;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(golden); i++) {
		EXPECT_EQ(0, parse(golden[i].p, golden[i].len, true, &o));
		EXPECT_TRUE(same(&golden[i].o, &o)) {
			TH_LOG("%s", golden[i].name);
		}
	}
}

TEST(golden_write)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(golden); i++) {
		unsigned int len = xtcp_options_len(&golden[i].o);
		u8 *p = malloc(len + 1);

		ASSERT_EQ(golden[i].len, len);
		EXPECT_EQ(len, xtcp_options_write(p, &golden[i].o));
		EXPECT_TRUE(!len || !memcmp(p, golden[i].p, len)) {
			TH_LOG("%s", golden[i].name);
		}
		free(p);
	}
}

/* Without SYN: MSS, window scale and SACK-permitted are read over */
TEST(syn_options_count_only_in_a_syn)
{
	const u8 all[] = { 2, 4, 5, 0xb4, 4, 2, 8, 10, 0, 0, 0, 9, 0, 0, 0, 3, 1, 3, 3, 14 };
	struct xtcp_options o;

	EXPECT_EQ(0, parse(all, sizeof(all), false, &o));
	EXPECT_EQ(XTCP_HAS_TS, o.present);
	EXPECT_EQ(9, o.tsval);
	EXPECT_EQ(3, o.tsecr);
}

/* RFC 9293 3.1 MUST-5: options may begin on any octet, NOPs are not required */
TEST(any_alignment_and_order)
{
	static const struct {
		u8 p[XTCP_MAX_OPT];
		unsigned int len;
	} v[] = {
		{ { 3, 3, 9, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2, 2, 4, 2, 0 }, 17 },
		{ { 1, 1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2, 3, 3, 9, 1, 2, 4, 2, 0 }, 21 },
		{ { 2, 4, 2, 0, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2, 1, 1, 1, 3, 3, 9, 0, 8 }, 22 },
	};
	static const struct xtcp_options want = {
		.present = XTCP_HAS_WSCALE | XTCP_HAS_TS | XTCP_HAS_MSS,
		.wscale = 9, .mss = 512, .tsval = 1, .tsecr = 2,
	};
	struct xtcp_options o;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(v); i++) {
		EXPECT_EQ(0, parse(v[i].p, v[i].len, true, &o));
		EXPECT_TRUE(same(&want, &o));
	}
}

/* RFC 9293 3.1: nothing behind the end of list counts, not even garbage */
TEST(end_of_list_ends)
{
	const u8 p[] = { 1, 0, 8, 1, 2, 4, 5, 0xb4 };
	struct xtcp_options o;

	EXPECT_EQ(0, parse(p, sizeof(p), true, &o));
	EXPECT_EQ(0, o.present);
	EXPECT_EQ(0, o.nr_sack);
}

/* RFC 9293 3.1 MUST-6: any kind we do not know, of any length, is skipped */
TEST(unknown_kinds_are_skipped)
{
	unsigned int kind, len;
	struct xtcp_options o;
	u8 p[XTCP_MAX_OPT];

	for (kind = 0; kind < 256; kind++) {
		if (kind <= XTCP_OPT_SACK || kind == XTCP_OPT_TS)
			continue;
		for (len = 2; len <= XTCP_MAX_OPT - 4; len++) {
			memset(p, 0xff, sizeof(p));
			p[0] = kind;
			p[1] = len;
			memcpy(p + len, "\x02\x04\x02\x00", 4);
			EXPECT_EQ(0, parse(p, len + 4, true, &o));
			EXPECT_EQ(XTCP_HAS_MSS, o.present);
			EXPECT_EQ(512, o.mss);
		}
	}
}

TEST(the_last_of_a_kind_wins)
{
	const u8 p[] = { 2, 4, 0, 1, 3, 3, 1, 3, 3, 2, 2, 4, 0, 2 };
	struct xtcp_options o;

	EXPECT_EQ(0, parse(p, sizeof(p), true, &o));
	EXPECT_EQ(2, o.mss);
	EXPECT_EQ(2, o.wscale);
}

/* The lengths that each kind may have, from its RFC */
static bool legal_len(unsigned int kind, unsigned int len)
{
	switch (kind) {
	case 2:
		return len == 4;
	case 3:
		return len == 3;
	case 4:
		return len == 2;
	case 5:
		return len == 10 || len == 18 || len == 26 || len == 34;
	case 8:
		return len == 10;
	default:
		return len >= 2;
	}
}

/* Every kind with every length byte, cut at every place: MUST-7.  What stands
 * before it survives.
 */
TEST(every_malformed_form)
{
	unsigned int kind, len, room;
	struct xtcp_options o;
	u8 p[XTCP_MAX_OPT];

	for (kind = 2; kind < 256; kind++) {
		for (len = 0; len < 256; len++) {
			for (room = 1; room <= XTCP_MAX_OPT - 4; room += room < 12 ? 1 : 8) {
				bool ok = legal_len(kind, len) && len <= room && room > 1;

				memset(p, 1, sizeof(p));
				memcpy(p, "\x02\x04\x02\x01", 4);
				p[4] = kind;
				p[5] = len;
				EXPECT_EQ(ok ? 0 : -1, parse(p, 4 + room, true, &o)) {
					TH_LOG("kind %u length %u room %u", kind, len, room);
				}
				EXPECT_TRUE(o.present & XTCP_HAS_MSS);
				if (!ok) {
					EXPECT_EQ(XTCP_HAS_MSS, o.present);
					EXPECT_EQ(513, o.mss);
					EXPECT_EQ(0, o.nr_sack);
				}
			}
		}
	}
}

/* An illegal length counts also where the option itself would not (no SYN) */
TEST(bad_length_without_syn)
{
	const u8 p[] = { 2, 5, 0, 1, 0 };
	struct xtcp_options o;

	EXPECT_EQ(-1, parse(p, sizeof(p), false, &o));
}

/* What is not exactly our option is none, and no error of the segment; where it has our
 * ExID it is counted.
 */
TEST(xtcp_option_malformed)
{
	static const struct {
		u8 p[12];
		u8 len;
		u8 present;
	} v[] = {
		{ { 253, 8, 0x58, 0x54, 0x10, 0, 0, 1 }, 8, XTCP_HAS_NEGO },
		{ { 254, 8, 0x58, 0x54, 0x10, 0, 0, 1 }, 8, 0 },	/* another kind */
		{ { 253, 8, 0x58, 0x55, 0x10, 0, 0, 1 }, 8, 0 },	/* another's ExID */
		{ { 253, 2 }, 2, 0 },					/* no ExID at all */
		{ { 253, 3, 0x58 }, 3, 0 },
		{ { 253, 4, 0x58, 0x54 }, 4, XTCP_BAD_NEGO },
		{ { 253, 7, 0x58, 0x54, 0x10, 0, 0 }, 7, XTCP_BAD_NEGO },
		{ { 253, 9, 0x58, 0x54, 0x10, 0, 0, 1, 0 }, 9, XTCP_BAD_NEGO },
		{ { 253, 8, 0x58, 0x54, 0x00, 0, 0, 1 }, 8, XTCP_BAD_NEGO },	/* version */
		{ { 253, 8, 0x58, 0x54, 0x20, 0, 0, 1 }, 8, XTCP_BAD_NEGO },
		{ { 253, 8, 0x58, 0x54, 0x12, 0, 0, 1 }, 8, XTCP_BAD_NEGO },	/* unit */
		{ { 253, 8, 0x58, 0x54, 0x10, 0x0f, 0x42, 0x41 }, 8, XTCP_BAD_NEGO },
		{ { 253, 8, 0x58, 0x54, 0x10, 0xff, 0xff, 0xff }, 8, XTCP_BAD_NEGO },
	};
	struct xtcp_options o;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(v); i++) {
		EXPECT_EQ(0, parse(v[i].p, v[i].len, true, &o));
		EXPECT_EQ(v[i].present, o.present) {
			TH_LOG("case %u", i);
		}
		EXPECT_EQ(0, parse(v[i].p, v[i].len, false, &o));
		EXPECT_EQ(0, o.present);	/* in a SYN only */
	}
}

/* Of two the last counts, be it good or bad */
TEST(xtcp_option_twice)
{
	u8 p[] = { 253, 8, 0x58, 0x54, 0x10, 0, 0, 1, 253, 8, 0x58, 0x54, 0x11, 0, 0, 2 };
	struct xtcp_options o;

	EXPECT_EQ(0, parse(p, sizeof(p), true, &o));
	EXPECT_EQ(XTCP_HAS_NEGO, o.present);
	EXPECT_EQ(XTCP_UNIT_US, o.ts_unit);
	EXPECT_EQ(2, o.ack_delay);
	p[12] = 0;
	EXPECT_EQ(0, parse(p, sizeof(p), true, &o));
	EXPECT_EQ(XTCP_BAD_NEGO, o.present);
	p[4] = 0;
	p[12] = 0x10;
	EXPECT_EQ(0, parse(p, sizeof(p), true, &o));
	EXPECT_EQ(XTCP_HAS_NEGO, o.present);
}

TEST(fast_timestamp_layout)
{
	u8 p[16] = { 1, 1, 8, 10, 0, 0, 0, 5, 0x80, 0, 0, 6, 0 };
	struct xtcp_options o, old;
	unsigned int i, v;

	memset(&o, 0x5a, sizeof(o));
	EXPECT_TRUE(xtcp_options_ts_fast(p, 12, &o));
	EXPECT_EQ(XTCP_HAS_TS, o.present);
	EXPECT_EQ(0, o.nr_sack);
	EXPECT_EQ(5, o.tsval);
	EXPECT_EQ(0x80000006, o.tsecr);
	for (i = 0; i <= 16; i++)
		EXPECT_EQ(i == 12, xtcp_options_ts_fast(p, i, &o));
	memset(&o, 0x5a, sizeof(o));
	memset(&old, 0x5a, sizeof(old));
	for (i = 0; i < 4; i++) {
		u8 keep = p[i];

		for (v = 0; v < 256; v++) {
			p[i] = v;
			if (v != keep)
				EXPECT_FALSE(xtcp_options_ts_fast(p, 12, &o));
		}
		p[i] = keep;
	}
	EXPECT_EQ(0, memcmp(&o, &old, sizeof(o)));
}

static void random_options(struct xtcp_options *o)
{
	unsigned int i;

	memset(o, 0, sizeof(*o));
	o->present = unit_below(32);
	o->ts_unit = unit_below(2);
	o->ack_delay = unit_below(XTCP_ACK_DELAY_MAX + 1);
	o->nr_sack = unit_below(XTCP_MAX_SACK + 1);
	o->wscale = unit_rand();
	o->mss = unit_rand();
	o->tsval = unit_rand();
	o->tsecr = unit_rand();
	for (i = 0; i < o->nr_sack; i++) {
		o->sack[i].seq = unit_rand();
		o->sack[i].end_seq = unit_rand();
	}
}

/* Write into exactly as many bytes as announced, parse it back.  SACK blocks
 * that find no room are the last ones (RFC 2018 4: the first matter most).
 */
TEST(round_trip)
{
	unsigned long i;

	unit_srand(2);
	for (i = 0; i < 100000 * unit_scale(); i++) {
		struct xtcp_options o, back;
		unsigned int len;
		u8 *p;

		random_options(&o);
		len = xtcp_options_len(&o);
		ASSERT_LE(len, XTCP_MAX_OPT);
		ASSERT_EQ(0, len % 4);
		p = malloc(len + !len);
		ASSERT_EQ(len, xtcp_options_write(len ? p : p + 1, &o));
		ASSERT_EQ(0, parse(p, len, true, &back));
		free(p);
		ASSERT_LE(back.nr_sack, o.nr_sack);
		if (back.nr_sack < o.nr_sack)
			ASSERT_GT(len + 8 + (back.nr_sack ? 0 : 4), XTCP_MAX_OPT);
		o.nr_sack = back.nr_sack;
		ASSERT_TRUE(same(&o, &back));
	}
}

/* Raw noise, or good options with up to three bytes changed and the end cut */
static unsigned int random_wire(u8 *p)
{
	unsigned int len = unit_below(XTCP_MAX_OPT + 1), i;
	struct xtcp_options o;

	for (i = 0; i < len; i++)
		p[i] = unit_rand();
	if (unit_below(4) == 0)
		return len;
	random_options(&o);
	len = xtcp_options_write(p, &o);
	for (i = unit_below(4); i && len; i--)
		p[unit_below(len)] = unit_below(2) ? unit_rand() : unit_below(12);
	return len ? len - unit_below(unit_below(3) ? 1 : len) : 0;
}

/* Any bytes: no report, and the result is what a second parse says */
TEST(random_bytes)
{
	unsigned long i, n = 200000 * unit_scale(), good = 0;
	struct xtcp_options a, b;
	u8 p[XTCP_MAX_OPT];

	unit_srand(3);
	for (i = 0; i < n; i++) {
		unsigned int len = random_wire(p);
		int ret = parse(p, len, i & 1, &a);

		ASSERT_EQ(ret, parse(p, len, i & 1, &b));
		ASSERT_TRUE(same(&a, &b));
		ASSERT_LE(a.nr_sack, XTCP_MAX_SACK);
		if (!(i & 1))
			ASSERT_EQ(0, a.present & ~XTCP_HAS_TS);
		good += !ret;
	}
	EXPECT_GT(good, n / 10);
	EXPECT_LT(good, n - n / 10);
}

TEST_HARNESS_MAIN
