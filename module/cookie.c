// SPDX-License-Identifier: GPL-2.0
/*
 * SYN cookies (RFC 4987 3.6): when the SYN queue is full, the SYN,ACK carries all
 * that we must know of the SYN, and nothing is kept.  The ISN holds the time,
 * the MSS and a keyed hash of the connection; a timestamp, if there is one, holds
 * window scale and SACK.  Without a timestamp these two are lost.  The XTCP option is
 * not answered.
 *
 *	ISN:	31..27 time in units of 2^36 ns, 26..24 MSS, 23..0 hash
 *	TSval:	5 unused, 4 SACK permitted, 3..0 window scale (15: none)
 *
 * Called by listen.c with the listener locked; keeps no state but the time of
 * the last cookie in the listener.
 */
#include "xtcp.h"

#define UNIT_SHIFT	36		/* 2^36 ns = 68.7 s */
#define MAX_AGE		2		/* units that an ACK may take */
#define TIME_BITS	5
#define MAC_BITS	24
#define TS_BITS		6
#define TS_MASK		((1u << TS_BITS) - 1)
#define TS_SACK		0x10u
#define TS_NO_WSCALE	0x0fu

/* What the peer's MSS is rounded down to: the usual ones, for both families. */
static const u16 mss_table[8] = { XTCP_MSS_MIN, 536, 966, 1220, 1360, 1440, 1460, 8940 };

static u32 time_unit(u64 now)
{
	return now >> UNIT_SHIFT;
}

static u32 mss_index(const struct xtcp_request *req)
{
	u16 mss = req->peer_mss ?: (req->v6 ? XTCP_MSS_DEFAULT_V6 : XTCP_MSS_DEFAULT);
	u32 i = ARRAY_SIZE(mss_table) - 1;

	while (i && mss_table[i] > mss)
		i--;
	return i;
}

bool xtcp_cookie_wanted(const struct sock *sk, bool full)
{
	int mode = READ_ONCE(xtcp_sknet(sk)->sysctl.syncookies);

	return mode == 2 || (mode == 1 && full);
}

bool xtcp_cookie_expected(const struct sock *sk)
{
	u64 at = READ_ONCE(xtcp_sk(sk)->accept->overflow_at);

	return at && time_unit(xtcp_now()) - time_unit(at) <= MAX_AGE;
}

/* ---- SYN,ACK ---- */

static u32 make(const struct xtcp_request *req, u64 now)
{
	u32 time = time_unit(now), index = mss_index(req);
	u32 mac = xtcp_cookie_mac(&req->ep.key, req->irs, time, index);

	return time << (32 - TIME_BITS) | index << MAC_BITS | (mac & ((1u << MAC_BITS) - 1));
}

/* The low bits of the timestamp are ours; it must not run ahead of the clock, or
 * the connection's own timestamps would look old (RFC 7323 5.2).
 */
static void hide_in_timestamp(struct xtcp_request *req, u64 now)
{
	u32 clock = xtcp_ts_ticks(now, XTCP_UNIT_MS) + req->ts_offset;
	u32 bits = req->wscale_ok ? req->snd_wscale : TS_NO_WSCALE;
	u32 ts;

	if (req->sack_ok)
		bits |= TS_SACK;
	ts = (clock & ~TS_MASK) | bits;
	if (after(ts, clock))
		ts -= TS_MASK + 1;
	req->ts_offset += ts - clock;
}

void xtcp_cookie_send(struct xtcp_request *req)
{
	u64 now = xtcp_now();

	req->nego_ok = 0;	/* there is no room to keep it */
	req->ts_us = 0;
	req->ecn_ok = 0;
	if (req->ts_ok) {
		hide_in_timestamp(req, now);
	} else {
		req->wscale_ok = 0;
		req->rcv_wscale = 0;
		req->sack_ok = 0;
	}
	req->iss = make(req, now);
	WRITE_ONCE(xtcp_sk(req->listener)->accept->overflow_at, now);
	xtcp_mib_inc(req->ep.net, XTCP_SYN_COOKIES_SENT);
	xtcp_request_send_syn_ack(req, now);
}

/* ---- ACK ---- */

/* Return: the index of the MSS, or -1 where the number is no cookie of ours */
static int verify(const struct xtcp_key *key, const struct xtcp_segment *seg)
{
	u32 cookie = seg->ack - 1, irs = seg->seq - 1;
	u32 index = cookie >> MAC_BITS & (ARRAY_SIZE(mss_table) - 1);
	u32 time = time_unit(xtcp_now()), age;

	age = (time - (cookie >> (32 - TIME_BITS))) & ((1u << TIME_BITS) - 1);
	if (age > MAX_AGE)
		return -1;
	if ((xtcp_cookie_mac(key, irs, time - age, index) ^ cookie) << (32 - MAC_BITS))
		return -1;
	return index;
}

/* The SYN as it must have been. */
static void restore_syn(struct xtcp_segment *syn, const struct xtcp_segment *ack, int index)
{
	u32 bits = ack->opt.tsecr & TS_MASK;

	memset(syn, 0, sizeof(*syn));
	syn->flags = XTCP_SYN;
	syn->seq = ack->seq - 1;
	syn->end_seq = ack->seq;
	syn->opt.present = XTCP_HAS_MSS;
	syn->opt.mss = mss_table[index];
	if (!(ack->opt.present & XTCP_HAS_TS))
		return;
	syn->opt.present |= XTCP_HAS_TS;
	syn->opt.tsval = ack->opt.tsval;
	if (bits & TS_SACK)
		syn->opt.present |= XTCP_HAS_SACK_PERM;
	if ((bits & TS_NO_WSCALE) != TS_NO_WSCALE) {
		syn->opt.present |= XTCP_HAS_WSCALE;
		syn->opt.wscale = bits & TS_NO_WSCALE;
	}
}

struct xtcp_request *xtcp_cookie_check(struct sock *sk, struct sk_buff *skb,
				       const struct xtcp_key *key,
				       const struct xtcp_segment *seg)
{
	int index = verify(key, seg);
	struct xtcp_request *req;
	struct xtcp_segment syn;
	enum xtcp_mib why;

	if (index < 0) {
		xtcp_sk_mib_inc(sk, XTCP_SYN_COOKIES_FAILED);
		return NULL;
	}
	restore_syn(&syn, seg, index);
	req = xtcp_request_new(sk, skb, key, &syn, &why);
	if (!req)
		return NULL;
	xtcp_sk_mib_inc(sk, XTCP_SYN_COOKIES_RECV);
	req->iss = seg->ack - 1;
	/* the arrow that the SYN could not leave a trace of */
	xtcp_event_small(&req->ep, TCP_LISTEN, EV_RCV_SYN);
	return req;
}
