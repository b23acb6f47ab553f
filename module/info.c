// SPDX-License-Identifier: GPL-2.0
/*
 * struct tcp_info of a connection (TCP_INFO).  What is not measured here is 0:
 * last_ack_sent, fackets, rehash.  Counts of segments in flight are made from bytes
 * and the MSS, rounded up.
 */
#include <linux/tcp.h>

#include "xtcp.h"

#define INFINITE_SSTHRESH	0x7fffffff	/* as kernel TCP says "not yet known" */

static u32 to_us(u64 ns)
{
	return min_t(u64, div_u64(ns, NSEC_PER_USEC), U32_MAX);
}

/* ms since @at, 0 if it never happened */
static u32 since_ms(u64 at, u64 now)
{
	return at && now > at ? div_u64(now - at, NSEC_PER_MSEC) : 0;
}

static u32 to_segs(const struct xtcp_tcb *tcb, u32 bytes)
{
	return DIV_ROUND_UP(bytes, max_t(u32, tcb->snd_mss, 1));
}

static u8 ca_state(const struct xtcp_tcb *tcb)
{
	if (tcb->recovery == XTCP_RECOVERY)
		return TCP_CA_Recovery;
	if (tcb->recovery == XTCP_RTO_RECOVERY)
		return TCP_CA_Loss;
	return tcb->dupacks || tcb->sacked_bytes ? TCP_CA_Disorder : TCP_CA_Open;
}

static void fill_negotiated(const struct xtcp_tcb *tcb, struct tcp_info *info)
{
	if (tcb->ts_ok)
		info->tcpi_options |= TCPI_OPT_TIMESTAMPS;
	if (tcb->sack_ok)
		info->tcpi_options |= TCPI_OPT_SACK;
	if (tcb->ecn_ok)
		info->tcpi_options |= TCPI_OPT_ECN;
	if (tcb->ecn_seen)
		info->tcpi_options |= TCPI_OPT_ECN_SEEN;
	if (tcb->wscale_ok) {
		info->tcpi_options |= TCPI_OPT_WSCALE;
		info->tcpi_snd_wscale = tcb->snd_wscale;
		info->tcpi_rcv_wscale = tcb->rcv_wscale;
	}
}

static void fill_sender(const struct xtcp_tcb *tcb, struct tcp_info *info)
{
	u32 unsent = tcb->write_seq - tcb->snd_nxt;

	info->tcpi_ca_state = ca_state(tcb);
	info->tcpi_retransmits = tcb->rexmits;
	info->tcpi_probes = tcb->probes + tcb->ka_probes;
	info->tcpi_backoff = tcb->backoff;
	info->tcpi_rto = to_us(xtcp_rto(tcb));
	info->tcpi_snd_mss = tcb->snd_mss;
	info->tcpi_unacked = to_segs(tcb, tcb->snd_nxt - tcb->snd_una);
	info->tcpi_sacked = to_segs(tcb, tcb->sacked_bytes);
	info->tcpi_lost = to_segs(tcb, tcb->lost_bytes);
	info->tcpi_retrans = to_segs(tcb, tcb->rexmit_bytes);
	info->tcpi_rtt = to_us(tcb->srtt);
	info->tcpi_rttvar = to_us(tcb->rttvar);
	info->tcpi_min_rtt = tcb->min_rtt ? to_us(tcb->min_rtt) : U32_MAX;
	info->tcpi_snd_ssthresh = tcb->ssthresh >= XTCP_SSTHRESH_INIT ?
				  INFINITE_SSTHRESH : to_segs(tcb, tcb->ssthresh);
	info->tcpi_snd_cwnd = to_segs(tcb, tcb->cwnd);
	info->tcpi_reordering = XTCP_DUPTHRESH;
	info->tcpi_reord_seen = tcb->reorderings;
	info->tcpi_dsack_dups = tcb->dsacks;
	info->tcpi_snd_wnd = tcb->snd_wnd;
	/* a FIN sent is one beyond the last byte */
	info->tcpi_notsent_bytes = (s32)unsent > 0 ? unsent : 0;
}

static void fill_receiver(const struct xtcp_tcb *tcb, struct tcp_info *info)
{
	info->tcpi_ato = to_us(xtcp_delack(tcb));
	info->tcpi_rcv_mss = tcb->rcv_mss;
	info->tcpi_rcv_ssthresh = tcb->rcv_wnd;
	info->tcpi_rcv_space = tcb->rcv_buf;
	info->tcpi_rcv_rtt = to_us(tcb->rcv_rtt);
	xt_info_rcv_wnd(info, tcb->rcv_wnd);
}

static void fill_counters(const struct xtcp_tcb *tcb, struct tcp_info *info)
{
	info->tcpi_total_retrans = tcb->total_retrans;
	info->tcpi_bytes_acked = tcb->bytes_acked;
	info->tcpi_delivered_ce = div_u64(tcb->ce_bytes, max_t(u32, tcb->snd_mss, 1));
	info->tcpi_bytes_received = tcb->bytes_received;
	info->tcpi_bytes_sent = tcb->bytes_sent;
	info->tcpi_bytes_retrans = tcb->bytes_retrans;
	info->tcpi_segs_out = tcb->segs_out;
	info->tcpi_segs_in = tcb->segs_in;
	info->tcpi_data_segs_in = tcb->data_segs_in;
	info->tcpi_data_segs_out = tcb->data_segs_out;
	info->tcpi_rcv_ooopack = tcb->rcv_ooopack;
}

static u64 busy_us(const struct xtcp_tcb *tcb, u8 what, u64 now)
{
	return div_u64(xtcp_stats_busy(tcb, what, now), NSEC_PER_USEC);
}

/* The times limited by something are part of the time busy. */
static void fill_delivery(const struct xtcp_tcb *tcb, struct tcp_info *info, u64 now)
{
	info->tcpi_delivered = tcb->delivered;
	info->tcpi_dsack_dups = tcb->dsack_dups;
	info->tcpi_reord_seen = tcb->reord_events;
	info->tcpi_delivery_rate = tcb->delivery_rate;
	info->tcpi_delivery_rate_app_limited = tcb->delivery_limited;
	info->tcpi_rwnd_limited = busy_us(tcb, XTCP_BUSY_RWND, now);
	info->tcpi_sndbuf_limited = busy_us(tcb, XTCP_BUSY_SNDBUF, now);
	info->tcpi_busy_time = busy_us(tcb, XTCP_BUSY, now) + info->tcpi_rwnd_limited +
			       info->tcpi_sndbuf_limited;
	xt_info_rto(info, tcb->total_rto, tcb->total_rto_recoveries,
		    div_u64(tcb->total_rto_ns + (tcb->rto_since ? now - tcb->rto_since : 0),
			    NSEC_PER_MSEC));
}

static void fill_path(const struct sock *sk, struct tcp_info *info)
{
	unsigned long most = READ_ONCE(sk->sk_max_pacing_rate);

	info->tcpi_pmtu = xtcp_sk(sk)->pmtu;
	info->tcpi_advmss = xtcp_sk(sk)->mss_cache;
	/* what it would be, also where nothing is paced, as there */
	info->tcpi_pacing_rate = xtcp_pace_rate(&xtcp_sk(sk)->tcb) ?: ~0ULL;
	info->tcpi_max_pacing_rate = most != ~0UL ? most : ~0ULL;
}

static void fill_own(const struct xtcp_tcb *tcb, struct xtcp_info *info)
{
	if (tcb->peer_delack)
		info->xtcpi_flags |= XTCP_INFO_NEGOTIATED;
	if (tcb->ts_ok && tcb->ts_us)
		info->xtcpi_flags |= XTCP_INFO_TS_US;
	info->xtcpi_ack_delay = to_us(xtcp_delack(tcb));
	info->xtcpi_peer_ack_delay = to_us(tcb->peer_delack);
	info->xtcpi_rto_floor = to_us(xtcp_rto_floor(tcb));
	info->xtcpi_srtt = tcb->srtt;
	info->xtcpi_rttvar = tcb->rttvar;
	info->xtcpi_rto = xtcp_rto(tcb);
	info->xtcpi_min_rtt = tcb->min_rtt;
}

/**
 * xtcp_get_own_info() - what XTCP_INFO tells
 * @sk: any full socket
 * @info: filled; all but the settings is 0 on a listener
 *
 * Context: process; takes the socket lock.
 */
void xtcp_get_own_info(struct sock *sk, struct xtcp_info *info)
{
	memset(info, 0, sizeof(*info));
	lock_sock(sk);
	fill_own(&xtcp_sk(sk)->tcb, info);
	release_sock(sk);
}

/**
 * xtcp_get_info() - what TCP_INFO tells
 * @sk: any full socket
 * @info: filled; units as kernel TCP has them (us, ms for last_*, bytes, segments)
 *
 * Context: process; takes the socket lock.
 */
void xtcp_get_info(struct sock *sk, struct tcp_info *info)
{
	struct xtcp_tcb *tcb = &xtcp_sk(sk)->tcb;
	u64 now;

	memset(info, 0, sizeof(*info));
	lock_sock(sk);
	now = xtcp_now();
	info->tcpi_state = sk->sk_state;
	if (sk->sk_state == TCP_LISTEN) {
		info->tcpi_unacked = READ_ONCE(sk->sk_ack_backlog);
		info->tcpi_sacked = READ_ONCE(sk->sk_max_ack_backlog);
		goto out;
	}
	fill_negotiated(tcb, info);
	fill_sender(tcb, info);
	fill_receiver(tcb, info);
	fill_counters(tcb, info);
	fill_delivery(tcb, info, now);
	fill_path(sk, info);
	info->tcpi_last_data_sent = since_ms(tcb->last_send_at, now);
	info->tcpi_last_data_recv = since_ms(tcb->rcv_data_at, now);
	info->tcpi_last_ack_recv = since_ms(tcb->rcv_at, now);
out:
	release_sock(sk);
}
