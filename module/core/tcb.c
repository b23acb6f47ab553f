// SPDX-License-Identifier: GPL-2.0
/*
 * The life of a Transmission Control Block: fresh, with its sequence numbers,
 * with the peer's options, established, emptied.  Never raises an event, never
 * sets a timer.  Called by the glue where a connection starts and ends.
 */
#include <linux/minmax.h>
#include <linux/string.h>

#include "tcb.h"
#include "cc.h"

#define RTO_MIN_DEFAULT		(200 * XTCP_NSEC_PER_MSEC)
#define RTO_MAX_DEFAULT		(120 * XTCP_NSEC_PER_SEC)
#define DELACK_MAX_DEFAULT	(40 * XTCP_NSEC_PER_MSEC)
#define QUICK_ACKS_FIRST	10	/* the peer's initial window */

/* What belongs to the user, not to the connection. */
struct settings {
	const struct xtcp_cc_ops *cc;
	u64 rto_min;
	u64 rto_max;
	u64 rto_floor;
	u64 delack_max;
	u64 ack_delay;
	u32 gso_max;
	u8 state;
	u8 nodelay;
	u8 cork;
	u8 quickack;
	u8 no_idle_restart;
	u8 no_tlp;
	u8 no_frto;
};

static void save_settings(struct settings *s, const struct xtcp_tcb *tcb)
{
	s->cc = tcb->cc ? tcb->cc : &xtcp_cc_reno;
	s->rto_min = tcb->rto_min ? tcb->rto_min : RTO_MIN_DEFAULT;
	s->rto_max = tcb->rto_max ? tcb->rto_max : RTO_MAX_DEFAULT;
	s->rto_floor = tcb->rto_floor;
	s->delack_max = tcb->delack_max ? tcb->delack_max : DELACK_MAX_DEFAULT;
	s->ack_delay = tcb->ack_delay;
	s->gso_max = tcb->gso_max;
	s->state = tcb->state;
	s->nodelay = tcb->nodelay;
	s->cork = tcb->cork;
	s->quickack = tcb->quickack;
	s->no_idle_restart = tcb->no_idle_restart;
	s->no_tlp = tcb->no_tlp;
	s->no_frto = tcb->no_frto;
}

static void restore_settings(struct xtcp_tcb *tcb, const struct settings *s)
{
	tcb->cc = s->cc;
	tcb->rto_min = s->rto_min;
	tcb->rto_max = s->rto_max;
	tcb->rto_floor = s->rto_floor;
	tcb->delack_max = s->delack_max;
	tcb->ack_delay = s->ack_delay;
	tcb->gso_max = s->gso_max;
	tcb->state = s->state;
	tcb->nodelay = s->nodelay;
	tcb->cork = s->cork;
	tcb->quickack = s->quickack;
	tcb->no_idle_restart = s->no_idle_restart;
	tcb->no_tlp = s->no_tlp;
	tcb->no_frto = s->no_frto;
}

void xtcp_tcb_init(struct xtcp_tcb *tcb)
{
	struct settings user;

	save_settings(&user, tcb);
	memset(tcb, 0, sizeof(*tcb));
	restore_settings(tcb, &user);
	tcb->map = RB_ROOT;
	tcb->lost = RB_ROOT;
	tcb->sacked = RB_ROOT;
	tcb->ofo = RB_ROOT;
	INIT_LIST_HEAD(&tcb->by_time);
	tcb->snd_mss = XTCP_MSS_DEFAULT;
	tcb->rcv_mss = XTCP_MSS_DEFAULT;
	tcb->rto = XTCP_RTO_INIT;	/* RFC 6298 2.1 */
	tcb->cwnd = xtcp_cc_initial_window(tcb);
	tcb->ssthresh = XTCP_SSTHRESH_INIT;
}

void xtcp_tcb_set_iss(struct xtcp_tcb *tcb, u32 iss)
{
	tcb->iss = iss;
	tcb->snd_una = iss;
	tcb->snd_nxt = iss;
	tcb->write_seq = iss + 1;	/* the SYN takes ISS */
	tcb->push_seq = iss;
	tcb->snd_up = iss;
	tcb->snd_sml = iss;
	tcb->recovery_point = iss;	/* RFC 6582 3.2: "recover" starts at ISS */
	tcb->high_sacked = iss;
	tcb->dsack_round = iss;
	tcb->syn_out = 1;
}

void xtcp_tcb_set_irs(struct xtcp_tcb *tcb, u32 irs)
{
	tcb->irs = irs;
	tcb->rcv_nxt = irs + 1;
	tcb->rcv_acked = irs + 1;
	/* our SYN promised this much, unscaled (RFC 7323 2.2) */
	tcb->rcv_adv = irs + 1 + min_t(u32, tcb->rcv_wnd, XTCP_MAX_WND);
	tcb->rcv_up = irs;
	tcb->snd_wl1 = irs;
}

static void negotiate_wscale(struct xtcp_tcb *tcb, const struct xtcp_options *o)
{
	/* RFC 7323 2.2: both or none; 2.3: at most 14 */
	tcb->wscale_ok = tcb->wscale_ok && o->present & XTCP_HAS_WSCALE;
	if (tcb->wscale_ok) {
		tcb->snd_wscale = min_t(u8, o->wscale, XTCP_MAX_WSCALE);
		return;
	}
	tcb->snd_wscale = 0;
	tcb->rcv_wscale = 0;
}

/* RFC 3522, for a SYN: the echo is that of the first, so it was not lost, but slower than
 * what an earlier connection knew of the path.
 */
static bool first_syn_answered(const struct xtcp_tcb *tcb, const struct xtcp_options *o)
{
	return tcb->syn_rexmit && tcb->ts_ok && o->present & XTCP_HAS_TS && tcb->stalled_at &&
	       o->tsecr == xtcp_ts_now(tcb, tcb->stalled_at);
}

void xtcp_tcb_negotiate(struct xtcp_tcb *tcb, const struct xtcp_options *o, u64 now)
{
	bool spurious = first_syn_answered(tcb, o);

	xtcp_nego_take(tcb, o, now);
	negotiate_wscale(tcb, o);
	tcb->sack_ok = tcb->sack_ok && o->present & XTCP_HAS_SACK_PERM;
	tcb->ts_ok = tcb->ts_ok && o->present & XTCP_HAS_TS;	/* RFC 7323 3.2 */
	if (tcb->ts_ok) {
		tcb->ts_recent = o->tsval;
		tcb->ts_recent_at = now;
	}
	tcb->peer_mss = 0;
	if (o->present & XTCP_HAS_MSS)
		tcb->peer_mss = max_t(u16, o->mss, XTCP_MSS_MIN);
	if (spurious)	/* RFC 5681 3.1 is about a SYN that was lost */
		tcb->syn_rexmit = 0;
}

void xtcp_tcb_established(struct xtcp_tcb *tcb, u64 now)
{
	if (tcb->snd_una != tcb->iss)
		tcb->syn_out = 0;
	/* nothing that was lost in the handshake delays a fast retransmit */
	tcb->ts_mixed = 0;
	tcb->recovery = XTCP_OPEN;
	tcb->recovery_point = tcb->snd_una - 1;
	tcb->force_rexmit = 0;
	tcb->cwnd = xtcp_cc_initial_window(tcb);
	tcb->ssthresh = XTCP_SSTHRESH_INIT;
	if (tcb->known_ssthresh)
		tcb->ssthresh = max(tcb->known_ssthresh, 2 * xtcp_smss(tcb));
	tcb->cwnd_acked = 0;
	tcb->rcv_data_at = now;		/* pauses count from here */
	if (tcb->rto_since)
		xtcp_stats_rto_over(tcb, now);
	tcb->delivered = 1;		/* the SYN or SYN,ACK */
	tcb->quick_acks = QUICK_ACKS_FIRST;
	xtcp_cc_start(tcb, now);
	/* RFC 6298 5.7: a lost SYN and nothing measured; a sample overrides by 2.2.
	 * What an earlier connection has measured is as good (RFC 9040).
	 */
	if (tcb->syn_rexmit && !tcb->srtt && !tcb->rto_known &&
	    tcb->rto < XTCP_RTO_INIT_FALLBACK) {
		tcb->rto = XTCP_RTO_INIT_FALLBACK;
		tcb->backoff = 0;
	}
}

void xtcp_tcb_purge(struct xtcp_tcb *tcb)
{
	xtcp_cc_stop(tcb);
	xtcp_map_reset(tcb);
	xtcp_rx_reset(tcb);
	memset(tcb->deadline, 0, sizeof(tcb->deadline));
	tcb->todo = 0;
}
