// SPDX-License-Identifier: GPL-2.0
/*
 * TCP options: bytes to struct xtcp_options and back (RFC 9293 3.1 and 3.2, 7323,
 * 2018, 6994).  Reads and writes bytes only: what an option means for a connection is
 * decided by the callers, input.c (parse) and output.c (write).  Safe on any
 * bytes; never looks beyond the length it is given.
 */
#include "tcb.h"

static u16 get16(const u8 *p)
{
	return p[0] << 8 | p[1];
}

static u32 get32(const u8 *p)
{
	return (u32)get16(p) << 16 | get16(p + 2);
}

static u8 *put8(u8 *p, u8 v)
{
	*p = v;
	return p + 1;
}

static u8 *put16(u8 *p, u16 v)
{
	return put8(put8(p, v >> 8), v & 0xff);
}

static u8 *put32(u8 *p, u32 v)
{
	return put16(put16(p, v >> 16), v & 0xffff);
}

/* RFC 2018 3: 1 to 4 blocks of two edges */
static bool sack_len_ok(unsigned int len)
{
	return len >= 2 + 8 && len <= 2 + 8 * XTCP_MAX_SACK && (len - 2) % 8 == 0;
}

/* RFC 9293 3.2: is @len right for @kind?  Kinds we do not know may have any. */
static bool length_ok(u8 kind, unsigned int len)
{
	switch (kind) {
	case XTCP_OPT_MSS:
		return len == XTCP_OLEN_MSS;
	case XTCP_OPT_WSCALE:
		return len == XTCP_OLEN_WSCALE;
	case XTCP_OPT_SACK_PERM:
		return len == XTCP_OLEN_SACK_PERM;
	case XTCP_OPT_TS:
		return len == XTCP_OLEN_TS;
	case XTCP_OPT_SACK:
		return sack_len_ok(len);
	default:
		return true;
	}
}

static void take_sack(const u8 *p, unsigned int len, struct xtcp_options *o)
{
	unsigned int i;

	o->nr_sack = (len - 2) / 8;
	for (i = 0; i < o->nr_sack; i++) {
		o->sack[i].seq = get32(p + 2 + 8 * i);
		o->sack[i].end_seq = get32(p + 6 + 8 * i);
	}
}

static bool nego_valid(const u8 *p, unsigned int len)
{
	return len == XTCP_OLEN_NEGO && p[4] >> 4 == XTCP_NEGO_VERSION &&
	       (p[4] & 0x0f) <= XTCP_UNIT_US &&
	       (get32(p + 4) & 0xffffff) <= XTCP_ACK_DELAY_MAX;
}

/* An experiment of RFC 6994.  Those of others are none of our business; one with our
 * ExID that we do not understand whole is as good as none, and is counted.
 */
static void take_experiment(const u8 *p, unsigned int len, struct xtcp_options *o)
{
	if (len < 4 || get16(p + 2) != XTCP_EXID)
		return;
	o->present &= ~(XTCP_HAS_NEGO | XTCP_BAD_NEGO);
	if (!nego_valid(p, len)) {
		o->present |= XTCP_BAD_NEGO;
		return;
	}
	o->present |= XTCP_HAS_NEGO;
	o->ts_unit = p[4] & 0x0f;
	o->ack_delay = get32(p + 4) & 0xffffff;
}

/* Options that only a SYN may carry: RFC 9293 3.2 (MSS), 7323 2.2, 2018 2 */
static void take_syn(const u8 *p, unsigned int len, struct xtcp_options *o)
{
	switch (p[0]) {
	case XTCP_OPT_MSS:
		o->mss = get16(p + 2);
		o->present |= XTCP_HAS_MSS;
		break;
	case XTCP_OPT_WSCALE:
		o->wscale = p[2];
		o->present |= XTCP_HAS_WSCALE;
		break;
	case XTCP_OPT_SACK_PERM:
		o->present |= XTCP_HAS_SACK_PERM;
		break;
	case XTCP_OPT_EXP:
		take_experiment(p, len, o);
		break;
	}
}

/* One option of right length */
static void take(const u8 *p, unsigned int len, bool syn, struct xtcp_options *o)
{
	switch (p[0]) {
	case XTCP_OPT_TS:
		o->tsval = get32(p + 2);
		o->tsecr = get32(p + 6);
		o->present |= XTCP_HAS_TS;
		break;
	case XTCP_OPT_SACK:
		take_sack(p, len, o);
		break;
	default:
		if (syn)
			take_syn(p, len, o);
	}
}

int xtcp_options_parse(const u8 *p, unsigned int len, bool syn,
		       struct xtcp_options *o)
{
	unsigned int i = 0, olen;

	o->present = 0;
	o->nr_sack = 0;
	while (i < len && p[i] != XTCP_OPT_EOL) {
		if (p[i] == XTCP_OPT_NOP) {
			i++;
			continue;
		}
		if (len - i < 2)
			return -1;
		olen = p[i + 1];
		if (olen < 2 || olen > len - i || !length_ok(p[i], olen))
			return -1;
		take(p + i, olen, syn, o);
		i += olen;
	}
	return 0;
}

bool xtcp_options_ts_fast(const u8 *p, unsigned int len, struct xtcp_options *o)
{
	if (len != XTCP_OLEN_TS_PADDED || p[0] != XTCP_OPT_NOP || p[1] != XTCP_OPT_NOP ||
	    p[2] != XTCP_OPT_TS || p[3] != XTCP_OLEN_TS)
		return false;
	o->present = XTCP_HAS_TS;
	o->nr_sack = 0;
	o->tsval = get32(p + 4);
	o->tsecr = get32(p + 8);
	return true;
}

/* Bytes of all but SACK, with padding.  SACK-permitted takes the place of the
 * two NOPs before a timestamp, so that all three options of a SYN fit in 20.
 */
static unsigned int fixed_len(const struct xtcp_options *o)
{
	unsigned int len = 0;

	if (o->present & XTCP_HAS_MSS)
		len += XTCP_OLEN_MSS;
	if (o->present & XTCP_HAS_TS)
		len += XTCP_OLEN_TS_PADDED;
	else if (o->present & XTCP_HAS_SACK_PERM)
		len += 4;
	if (o->present & XTCP_HAS_WSCALE)
		len += 4;
	if (o->present & XTCP_HAS_NEGO)
		len += XTCP_OLEN_NEGO;
	return len;
}

/* How many SACK blocks find room: RFC 2018 3, three beside a timestamp */
static unsigned int sack_fit(const struct xtcp_options *o)
{
	unsigned int room = (XTCP_MAX_OPT - fixed_len(o) - 4) / 8;

	return o->nr_sack < room ? o->nr_sack : room;
}

unsigned int xtcp_options_len(const struct xtcp_options *o)
{
	unsigned int n = sack_fit(o);

	return fixed_len(o) + (n ? 4 + 8 * n : 0);
}

/* RFC 7323 appendix A: the values of a timestamp on a word boundary */
static u8 *write_sackperm_ts(u8 *p, const struct xtcp_options *o)
{
	if (!(o->present & (XTCP_HAS_SACK_PERM | XTCP_HAS_TS)))
		return p;
	if (o->present & XTCP_HAS_SACK_PERM)
		p = put8(put8(p, XTCP_OPT_SACK_PERM), XTCP_OLEN_SACK_PERM);
	else
		p = put8(put8(p, XTCP_OPT_NOP), XTCP_OPT_NOP);
	if (!(o->present & XTCP_HAS_TS))
		return put8(put8(p, XTCP_OPT_NOP), XTCP_OPT_NOP);
	p = put8(put8(p, XTCP_OPT_TS), XTCP_OLEN_TS);
	return put32(put32(p, o->tsval), o->tsecr);
}

static u8 *write_sack(u8 *p, const struct xtcp_options *o)
{
	unsigned int i, n = sack_fit(o);

	if (!n)
		return p;
	p = put8(put8(p, XTCP_OPT_NOP), XTCP_OPT_NOP);
	p = put8(put8(p, XTCP_OPT_SACK), 2 + 8 * n);
	for (i = 0; i < n; i++)
		p = put32(put32(p, o->sack[i].seq), o->sack[i].end_seq);
	return p;
}

static u8 *write_nego(u8 *p, const struct xtcp_options *o)
{
	p = put16(put8(put8(p, XTCP_OPT_EXP), XTCP_OLEN_NEGO), XTCP_EXID);
	return put32(p, (u32)(XTCP_NEGO_VERSION << 4 | o->ts_unit) << 24 | o->ack_delay);
}

unsigned int xtcp_options_write(u8 *p, const struct xtcp_options *o)
{
	u8 *start = p;

	if (o->present & XTCP_HAS_MSS)
		p = put16(put8(put8(p, XTCP_OPT_MSS), XTCP_OLEN_MSS), o->mss);
	p = write_sackperm_ts(p, o);
	if (o->present & XTCP_HAS_WSCALE) {
		p = put8(put8(p, XTCP_OPT_NOP), XTCP_OPT_WSCALE);
		p = put8(put8(p, XTCP_OLEN_WSCALE), o->wscale);
	}
	if (o->present & XTCP_HAS_NEGO)
		p = write_nego(p, o);
	return write_sack(p, o) - start;
}
