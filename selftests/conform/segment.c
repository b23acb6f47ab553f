// SPDX-License-Identifier: GPL-2.0
/*
 * Segments to bytes and back, see segment.h.  Written from RFC 9293 3.1 (header
 * and checksum), RFC 7323 2 and 3 (window scale, timestamps) and RFC 2018 2
 * and 3 (SACK).  Shares no code with the stack under test, on purpose: an error
 * in one of them must show as a difference.
 */
#include <stdio.h>
#include <string.h>
#include <arpa/inet.h>
#include "segment.h"

enum { OPT_EOL, OPT_NOP, OPT_MSS, OPT_WS, OPT_SACKOK, OPT_SACK, OPT_TS = 8, OPT_EXP = 253 };

#define EXID 0x5854	/* of XTCP, RFC 6994 */

static void put16(uint8_t *p, uint16_t v)
{
	p[0] = v >> 8;
	p[1] = v;
}

static void put32(uint8_t *p, uint32_t v)
{
	put16(p, v >> 16);
	put16(p + 2, v);
}

static uint16_t get16(const uint8_t *p)
{
	return p[0] << 8 | p[1];
}

static uint32_t get32(const uint8_t *p)
{
	return (uint32_t)get16(p) << 16 | get16(p + 2);
}

char seg_pattern(int seq)
{
	/* 251 is prime: a shift by any power of two shows */
	return 1 + (uint32_t)seq % 251;
}

/* RFC 1071, over what is already in network byte order */
uint16_t ip_checksum(const void *data, size_t len, uint32_t sum)
{
	const uint8_t *p = data;

	for (; len > 1; len -= 2, p += 2)
		sum += get16(p);
	if (len)
		sum += p[0] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}

/* RFC 9293 3.1 for IPv4, RFC 8200 8.1 for IPv6 */
static uint32_t pseudo_header(const struct flow *f, size_t len)
{
	size_t alen = f->family == AF_INET ? 4 : 16;
	uint32_t sum = f->proto + (len >> 16) + (len & 0xffff);

	sum += (uint16_t)~ip_checksum(&f->src, alen, 0);
	sum += (uint16_t)~ip_checksum(&f->dst, alen, 0);
	return sum;
}

static size_t put_option(uint8_t *p, uint8_t kind, uint8_t len)
{
	p[0] = kind;
	p[1] = len;
	return len;
}

static size_t build_options(uint8_t *p, const struct flow *f, const struct seg *s)
{
	size_t n = 0;
	int i;

	if (s->opt) {
		memcpy(p, s->opt, s->optlen);
		n = s->optlen;
	}
	if (s->mss > 0) {
		put16(p + n + 2, s->mss);
		n += put_option(p + n, OPT_MSS, 4);
	}
	if (s->ws > 0) {
		p[n + 2] = s->ws - 1;
		n += put_option(p + n, OPT_WS, 3);
	}
	if (s->sackok > 0)
		n += put_option(p + n, OPT_SACKOK, 2);
	if (s->ts > 0) {
		put32(p + n + 2, s->tsval);
		put32(p + n + 6, s->tsecr);
		n += put_option(p + n, OPT_TS, 10);
	}
	if (s->nego > 0) {
		put16(p + n + 2, EXID);
		put32(p + n + 4, 1u << 28 | (s->unit == US) << 24 | s->delay);
		n += put_option(p + n, OPT_EXP, 8);
	}
	for (i = 0; i < s->nsack; i++) {
		put32(p + n + 2 + 8 * i, f->irs + s->sack[i].start);
		put32(p + n + 6 + 8 * i, f->irs + s->sack[i].end);
	}
	if (s->nsack)
		n += put_option(p + n, OPT_SACK, 2 + 8 * s->nsack);
	while (n % 4)
		p[n++] = OPT_NOP;
	return n;
}

static void build_ip(uint8_t *p, const struct flow *f, int ecn, size_t len)
{
	if (f->family == AF_INET) {
		memset(p, 0, 20);
		p[0] = 0x45;
		p[1] = ecn;
		put16(p + 2, 20 + len);
		put16(p + 6, 0x4000);		/* don't fragment */
		p[8] = 64;
		p[9] = f->proto;
		memcpy(p + 12, &f->src, 4);
		memcpy(p + 16, &f->dst, 4);
		put16(p + 10, ip_checksum(p, 20, 0));
		return;
	}
	put32(p, 6u << 28 | ecn << 20);
	put16(p + 4, len);
	p[6] = f->proto;
	p[7] = 64;
	memcpy(p + 8, &f->src, 16);
	memcpy(p + 24, &f->dst, 16);
}

size_t seg_build(uint8_t *pkt, size_t size, const struct flow *f, const struct seg *s)
{
	size_t iphl = f->family == AF_INET ? 20 : 40, hlen, len, i;
	uint8_t *p = pkt + iphl;
	uint16_t sum;

	memset(pkt, 0, size);
	put16(p, f->sport);
	put16(p + 2, s->dport ? s->dport : f->dport);
	put32(p + 4, f->iss + s->seq);
	if (s->flags & ACK || s->ack)
		put32(p + 8, f->irs + s->ack);
	p[13] = s->flags;
	put16(p + 14, s->win == ZERO ? 0 : s->win);
	put16(p + 18, s->urg);
	hlen = 20 + build_options(p + 20, f, s);
	p[12] = (s->doff ? s->doff : (int)hlen / 4) << 4;
	len = hlen + s->len;
	for (i = 0; i < (size_t)s->len; i++)
		p[hlen + i] = s->data ? s->data[i] : seg_pattern(s->seq + !!(s->flags & SYN) + i);
	len -= s->cut;
	sum = ip_checksum(p, len, pseudo_header(f, len));
	if (s->bad_csum)
		sum ^= 0x5a5a;
	if (len >= 18)
		put16(p + 16, sum);
	build_ip(pkt, f, s->ecn, len);
	return iphl + len + s->extra;
}

static const char *parse_options(const uint8_t *p, size_t len, struct seg *s)
{
	size_t i = 0, n;

	while (i < len && p[i] != OPT_EOL) {
		if (p[i] == OPT_NOP) {
			i++;
			continue;
		}
		n = i + 1 < len ? p[i + 1] : 0;
		if (n < 2 || i + n > len)
			return "bad option length";
		if (p[i] == OPT_MSS && n == 4) {
			s->mss = get16(p + i + 2);
		} else if (p[i] == OPT_WS && n == 3) {
			s->ws = WS(p[i + 2]);
		} else if (p[i] == OPT_SACKOK && n == 2) {
			s->sackok = 1;
		} else if (p[i] == OPT_TS && n == 10) {
			s->ts = 1;
			s->tsval = get32(p + i + 2);
			s->tsecr = get32(p + i + 6);
		} else if (p[i] == OPT_SACK && n >= 10 && n % 8 == 2) {
			for (n -= 2; n >= 8; n -= 8, s->nsack++) {
				s->sack[s->nsack].start = get32(p + i + 2 + 8 * s->nsack);
				s->sack[s->nsack].end = get32(p + i + 6 + 8 * s->nsack);
			}
			n = p[i + 1];
		} else if (p[i] == OPT_EXP && n == 8 && get16(p + i + 2) == EXID) {
			if (p[i + 4] >> 4 != 1)
				return "XTCP option of another version";
			s->nego = 1;
			s->unit = p[i + 4] & 15 ? US : MS;
			s->delay = get32(p + i + 4) & 0xffffff;
		} else if (p[i] != 253 && p[i] != 254) {	/* RFC 6994 experiments */
			return "unknown or malformed option";
		}
		i += n;
	}
	for (; i < len; i++)
		if (p[i])
			return "option padding is not zero (RFC 9293 3.1)";
	return NULL;
}

/* Protocol and addresses of an IP packet; returns its header length, 0 if none. */
static size_t parse_ip(const uint8_t *p, size_t len, struct flow *f, int *ecn)
{
	if (len >= 20 && p[0] == 0x45) {
		f->family = AF_INET;
		f->proto = p[9];
		*ecn = p[1] & 3;
		memcpy(&f->src, p + 12, 4);
		memcpy(&f->dst, p + 16, 4);
		return 20;
	}
	if (len >= 40 && p[0] >> 4 == 6) {
		f->family = AF_INET6;
		f->proto = p[6];
		*ecn = p[1] >> 4 & 3;
		memcpy(&f->src, p + 8, 16);
		memcpy(&f->dst, p + 24, 16);
		return 40;
	}
	return 0;
}

const char *seg_parse(const uint8_t *pkt, size_t len, struct flow *f, struct seg *s,
		      uint32_t *seq, uint32_t *ack)
{
	size_t iphl = parse_ip(pkt, len, f, &s->ecn), hlen;
	const uint8_t *p = pkt + iphl;

	if (!iphl || (f->proto != 6 && f->proto != 253))
		return "not for us";
	len -= iphl;
	if (len < 20)
		return "shorter than a header";
	if (ip_checksum(p, len, pseudo_header(f, len)))
		return "bad checksum";
	hlen = (p[12] >> 4) * 4;
	if (hlen < 20 || hlen > len)
		return "bad data offset";
	if (p[12] & 0x0f)
		return "reserved bits set";
	f->sport = get16(p);
	f->dport = get16(p + 2);
	*seq = get32(p + 4);
	*ack = get32(p + 8);
	s->flags = p[13];
	s->win = get16(p + 14);
	s->urg = get16(p + 18);
	s->len = len - hlen;
	if (s->len > (int)sizeof(s->text))
		return "larger than the MTU";
	memcpy(s->text, p + hlen, s->len);
	return parse_options(p + 20, hlen - 20, s);
}

const char *flags_print(int flags)
{
	static const char names[] = "FSRP.UEW";
	static char buf[2][12];
	static int turn;
	char *p = buf[turn ^= 1];
	int i, n = 0;

	for (i = 0; i < 8; i++)
		if (flags & 1 << i)
			p[n++] = names[i];
	if (!n)
		p[n++] = '-';
	p[n] = 0;
	return p;
}

const char *seg_print(const struct seg *s)
{
	static char buf[2][320];
	static int turn;
	char *p = buf[turn ^= 1], *end = p + sizeof(buf[0]);
	int i, n;

	n = snprintf(p, 320, "%s %d:%d(%d)", flags_print(s->flags), s->seq, s->seq + s->len, s->len);
#define add(...) (n += snprintf(p + n, end - p - n, __VA_ARGS__))
	if (s->flags & ACK)
		add(" ack %d", s->ack);
	add(" win %d", s->win == ZERO ? 0 : s->win);
	if (s->urg)
		add(" urg %d", s->urg);
	if (s->mss > 0)
		add(" mss %d", s->mss);
	if (s->ws > 0)
		add(" ws %d", s->ws - 1);
	if (s->sackok > 0)
		add(" sackOK");
	if (s->ts > 0)
		add(" ts %u/%u", s->tsval, s->tsecr);
	if (s->nego > 0)
		add(" xtcp %s delay %u", s->unit == US ? "us" : "ms", s->delay);
	for (i = 0; i < s->nsack; i++)
		add(" sack %d:%d", s->sack[i].start, s->sack[i].end);
#undef add
	return p;
}
