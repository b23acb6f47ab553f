/* SPDX-License-Identifier: GPL-2.0 */
/*
 * struct xtcp_tcb, the Transmission Control Block (RFC 9293 3.3.1), and the
 * functions of the protocol core on it.
 *
 * Rules of the core: no sock, no skb, no lock, no clock, no allocator but
 * xtcp_seg_alloc().  The caller holds the socket lock for every function that
 * takes a tcb.  @now is in nanoseconds, never 0, read once per entry.  Effects
 * go out as values: results in structs, wishes as bits in tcb->todo, timers as
 * values in tcb->deadline[].
 *
 * Bytes unless _segs, time in u64 ns unless _us or _ms, ranges [seq, end_seq).
 */
#ifndef _XTCP_TCB_H
#define _XTCP_TCB_H

#include <linux/types.h>
#include <linux/list.h>
#include <linux/minmax.h>
#include <linux/rbtree.h>

#include "seq.h"
#include "wire.h"
#include "fsm.h"

/* ---- timers: deadlines in ns, 0 = off; one hrtimer in the glue serves all ---- */

enum xtcp_timer {
	/* the first two before REXMT: a probe due at the same time puts that off */
	XTCP_T_REO,		/* RFC 8985 6.2 reordering timer */
	XTCP_T_TLP,		/* RFC 8985 7.2 tail loss probe */
	XTCP_T_REXMT,		/* RFC 6298 retransmission timeout (SYN and FIN too) */
	XTCP_T_PERSIST,		/* RFC 9293 3.8.6.1 zero-window probe */
	XTCP_T_DELACK,		/* RFC 9293 3.8.6.3 delayed ACK */
	XTCP_T_KEEPALIVE,	/* RFC 9293 3.8.4 */
	XTCP_T_LINGER,		/* FIN-WAIT-2 of an orphan */
	XTCP_T_PACE,		/* pacing: text that may not leave yet (pace.c) */
	XTCP_NR_TIMERS
};

/* ---- wishes: bits of tcb->todo, served by module/output.c xtcp_flush() ---- */

#define XTCP_ACK_NOW		0x01	/* an ACK must leave, with data or alone */
#define XTCP_WAKE_WRITER	0x02	/* room in the send queue came free */
#define XTCP_WAKE_READER	0x04	/* in-order data, FIN or urgent mark arrived */
#define XTCP_PROBE_NOW		0x08	/* a zero-window probe is due */
#define XTCP_SAVE_METRICS	0x40	/* later connections should know of this */

/* ---- for counters: bits of tcb->notes, counted and cleared by the glue ---- */

#define XTCP_N_DSACK		0x0001	/* the peer reports a duplicate (RFC 2883) */
#define XTCP_N_REORDERED	0x0002	/* an original came late (RFC 8985 6.2 step 3) */
#define XTCP_N_RECOVERY		0x0004	/* fast recovery begins */
#define XTCP_N_REO		0x0008	/* the reordering timer found a loss */
#define XTCP_N_LOST_REXMIT	0x0010	/* a retransmission was lost, seen without a timeout */
#define XTCP_N_TLP_REPAIRED	0x0020	/* a tail loss probe repaired a loss */
#define XTCP_N_RENEGED		0x0040	/* SACKed data was dropped (RFC 2018 8) */
#define XTCP_N_BAD_SACK		0x0080	/* a block that cannot be */
#define XTCP_N_UNDO_EIFEL	0x0100	/* a reduction was taken back, by timestamps */
#define XTCP_N_UNDO_FRTO	0x0200	/* by F-RTO */
#define XTCP_N_UNDO_DSACK	0x0400	/* since all retransmissions were duplicates */
#define XTCP_N_UNDO_EARLY	0x0800	/* since nothing had to be sent again */
#define XTCP_N_SPURIOUS_RTO	0x1000	/* and it was that of a timeout */

/* ---- the send map (sendmap.c): what is in flight ---- */

#define XTCP_R_SACKED		0x01	/* the peer holds it (RFC 2018) */
#define XTCP_R_LOST		0x02	/* deemed lost, not yet sent again */
#define XTCP_R_REXMIT		0x04	/* sent more than once (Karn, RFC 6298 3) */

/**
 * struct xtcp_range - one interval of the send map
 * @node: in tcb->sacked when XTCP_R_SACKED, in tcb->lost when XTCP_R_LOST, else (in
 *	flight) in tcb->map, ordered by @seq; the intervals of all three are disjoint
 *	and cover exactly [SND.UNA, SND.NXT).
 *	SACKed intervals that touch are one, so tcb->sacked is what RFC 6675 calls
 *	the discontiguous SACKed sequences.
 * @by_time: in tcb->by_time while in flight, ordered by (@sent_at, @end_seq)
 * @seq: first sequence number; SYN and FIN take one number like a byte
 * @end_seq: behind the last
 * @sent_at: time of the last transmission
 * @flags: XTCP_R_*
 */
struct xtcp_range {
	struct rb_node node;
	struct list_head by_time;
	u32 seq;
	u32 end_seq;
	u64 sent_at;
	u8 flags;
};

/* ---- out-of-order reassembly (rx.c): which intervals beyond RCV.NXT we hold ---- */

#define XTCP_RX_HOLES	1024	/* intervals at the most; further ones are refused */

struct xtcp_hole_end {		/* one received interval beyond RCV.NXT */
	struct rb_node node;
	u32 seq;
	u32 end_seq;
};

/* ---- what a sender with something to send waits for (stats.c) ---- */

enum xtcp_busy {
	XTCP_BUSY_NOT,		/* nothing is queued or in flight */
	XTCP_BUSY,		/* for the network */
	XTCP_BUSY_RWND,		/* for the peer's window */
	XTCP_BUSY_SNDBUF,	/* for the user, who waits for room in the send queue */
	XTCP_NR_BUSY
};

/* ---- congestion control (cc.h) ---- */

struct xtcp_cc_ops;
struct xtcp_tx;
#define XTCP_CC_PRIV_U64	14
#define XTCP_SSTHRESH_INIT	0x7fffffffu	/* arbitrarily high, RFC 5681 3.1 */
#define XTCP_CWND_MAX		(1u << 30)	/* the largest window there is, RFC 7323 2.3 */

/* Recovery phase of the sender, RFC 5681 and 6582/6675 */
enum xtcp_recovery {
	XTCP_OPEN,		/* no loss known */
	XTCP_RECOVERY,		/* fast recovery until SND.UNA passes recovery_point */
	XTCP_RTO_RECOVERY,	/* after a timeout, slow start, until the same */
};

/* What the last reduction of cwnd was for, while it may still be taken back */
enum xtcp_undo {
	XTCP_UNDO_NONE,
	XTCP_UNDO_LOSS,
	XTCP_UNDO_RTO,
};

/* F-RTO, RFC 5682 */
enum xtcp_frto {
	XTCP_FRTO_OFF,
	XTCP_FRTO_FIRST,	/* step 2: the first segment was sent again, nothing else is */
	XTCP_FRTO_NEW,		/* step 3: up to two new segments were sent */
};

struct xtcp_tcb {
	/* RFC 9293 3.3.1, send */
	u32 snd_una;
	u32 snd_nxt;
	u32 snd_wnd;		/* scaled: bytes */
	u32 snd_wl1;
	u32 snd_wl2;
	u32 write_seq;		/* behind the last byte the user has queued */
	u32 push_seq;		/* PSH is due on the segment that ends here */
	u32 snd_up;		/* SND.UP: behind the urgent byte; with urg_out */
	u32 iss;
	u32 max_snd_wnd;	/* largest SND.WND seen (3.8.6.2.1, 5961 5.2) */
	u32 snd_sml;		/* behind the last segment shorter than SMSS (Nagle) */

	/* RFC 9293 3.3.1, receive */
	u32 rcv_nxt;
	u32 rcv_wnd;		/* RCV.WND as of the last segment sent */
	u32 rcv_adv;		/* RCV.NXT + RCV.WND as advertised; never moves left */
	u32 rcv_acked;		/* RCV.NXT in the last segment sent (Last.ACK.sent) */
	u32 rcv_up;		/* RCV.UP: sequence of the urgent byte; with urg_in */
	u32 irs;
	u32 rcv_fin;		/* number of the peer's FIN; with rcv_fin_seen */
	u32 rcv_space;		/* free receive buffer, set by the glue before a flush */
	u32 rcv_buf;		/* size of that buffer when it is empty, same */

	u8 state;		/* mirror of sk_state, written by module/state.c only */
	u8 todo;
	u16 notes;		/* what happened since the glue last counted: XTCP_N_* */
	u8 snd_wscale;		/* shift for SEG.WND received (RFC 7323 2) */
	u8 rcv_wscale;		/* shift for SEG.WND sent */

	u8 sack_ok:1,		/* SACK-permitted both ways (RFC 2018) */
	   ts_ok:1,		/* timestamps both ways (RFC 7323) */
	   wscale_ok:1,		/* window scale both ways */
	   fin_queued:1,	/* the user closed; FIN's number is write_seq */
	   rcv_fin_seen:1,	/* a FIN is known (perhaps out of order): rcv_fin */
	   nodelay:1,		/* TCP_NODELAY: no Nagle */
	   cork:1,		/* TCP_CORK */
	   urg_out:1;		/* snd_up is ahead of snd_una */
	u8 urg_in:1,		/* rcv_up not yet passed by the reader */
	   pingpong:1,		/* interactive: ACKs may wait for the answer */
	   quickack:1,		/* TCP_QUICKACK: the next ACKs do not wait */
	   syn_rexmit:1,	/* our SYN was retransmitted (RFC 6298 5.7, 5681 3.1) */
	   more:1,		/* MSG_MORE on the last write: like cork, until the next */
	   wnd_shut:1,		/* last advertised window was 0 */
	   force_rexmit:1;	/* one retransmission is due whatever cwnd says */
	u8 syn_out:1,		/* our SYN is not acknowledged; then SND.UNA == ISS */
	   partial_ack:1,	/* one partial ACK in this recovery (RFC 6582 3.2) */
	   no_idle_restart:1;	/* keep cwnd over idle times (RFC 5681 4.1 not applied) */
	u8 quick_acks;		/* this many ACKs yet without delay (delack_max) */

	/* MSS, RFC 9293 3.7.1: payload bytes of one segment after options */
	u16 snd_mss;
	u16 peer_mss;		/* announced by the peer, 0 = none: default of the family */
	u16 rcv_mss;		/* estimate of the peer's segment size (delayed ACK) */
	u32 gso_max;		/* payload of one super-packet, set by the glue */

	/* RFC 7323; the clock is xtcp_ts_ticks() + ts_offset.  Its unit holds from the SYN
	 * on, unless the peer turns out not to know it (xtcp_nego_take()).
	 */
	u32 ts_offset;
	u64 ts_recent_at;	/* when TS.Recent was set */
	u32 ts_recent;		/* TS.Recent */

	/* what XTCP adds to TCP (nego.c); before the peer's SYN: what ours offers */
	u8 nego_ok:1,		/* the XTCP option both ways */
	   ts_us:1,		/* timestamps count us, not ms */
	   ts_mixed:1,		/* the SYNs before the last told another clock */
	   rto_known:1;		/* first timeout is from an earlier connection (RFC 9040) */
	u8 floor_shift;		/* doublings of rto_floor in force */
	u8 rto_right;		/* timeouts since the last that was taken back; with floor_shift */
	u64 ack_delay;		/* the delay of ACKs that we promise; the user's setting */
	u64 peer_delack;	/* what the peer has promised; 0 = nothing negotiated */
	u64 rto_floor;		/* in place of rto_min where negotiated; the user's setting */
	u32 known_ssthresh;	/* of an earlier connection (RFC 9040), 0 = none */

	/* RFC 6298 */
	u8 backoff;		/* steps of xtcp_rto() in force */
	u8 rexmits;		/* timeouts in a row without progress (R1, R2) */
	u8 probes;		/* zero-window probes in a row without an answer */
	u8 ka_probes;		/* keepalive probes in a row without an answer */
	u64 srtt;		/* 0 = no sample yet */
	u64 rttvar;
	u64 rto;		/* without back-off */
	u64 rto_min;
	u64 rto_max;
	u64 min_rtt;		/* windowed minimum, 0 = none */
	u64 min_rtt_at;
	u64 stalled_at;		/* when the first unanswered transmission left; 0 = none */

	/* congestion control, RFC 5681 */
	const struct xtcp_cc_ops *cc;
	u32 cwnd;
	u32 ssthresh;
	u32 cwnd_acked;		/* bytes counted towards the next increase */
	u32 limited_end;	/* with cwnd_limited: SND.NXT when cwnd last was the limit */
	u64 last_send_at;	/* last data transmission (restart after idle) */
	u64 cc_priv[XTCP_CC_PRIV_U64];
	u8 cwnd_limited:1,	/* SND.UNA was in flight when cwnd was the limit (RFC 7661) */
	   cc_on:1,		/* cc->init() was called, release() is due */
	   cc_cut:1;		/* the last reduction was by cc, which can take it back */

	/* loss recovery, RFC 5681, 6582, 6675 */
	u8 recovery;		/* enum xtcp_recovery */
	u8 dupacks;
	u32 recovery_point;	/* RecoveryPoint: SND.NXT at the loss */
	struct rb_root map;	/* of struct xtcp_range, in flight */
	struct rb_root lost;	/* of struct xtcp_range, to be sent again */
	struct rb_root sacked;	/* of struct xtcp_range, SACKed */
	struct list_head by_time; /* what is in map, the one sent longest ago first */
	struct xtcp_range *map_last; /* rightmost of map, NULL when empty */
	u32 map_nr;		/* ranges in all three */
	u32 high_sacked;	/* behind the highest SACKed number; == snd_una: none */
	u32 sacked_bytes;
	u32 lost_bytes;
	u32 rexmit_bytes;	/* sent again and in flight */

	/* PRR, RFC 9937 6.1 */
	u32 prr_delivered;
	u32 prr_out;
	u32 recover_fs;

	/* RACK, RFC 8985 5.3; RACK.fack is high_sacked */
	u64 rack_xmit_ts;	/* the latest sent of what has arrived */
	u64 rack_rtt;
	u32 rack_end_seq;
	u32 dsack_round;	/* with dsack_round_on */
	u8 reo_steps;		/* RACK.reo_wnd_mult less 1 */
	u8 reo_persist;		/* recoveries until it is forgotten */
	u8 dsack_round_on:1,
	   reord_seen:1;	/* this path reorders */

	/* TLP, RFC 8985 7.1 */
	u8 tlp_out:1,		/* a probe is not answered yet */
	   tlp_again:1,		/* TLP.is_retrans */
	   tlp_due:1,		/* a probe is to leave */
	   tlp_unsampled:1,	/* no RTT sample since the last one */
	   no_tlp:1;		/* the user wants none */
	u32 tlp_end_seq;	/* TLP.end_seq; with tlp_out */

	/* undo, RFC 3522, 5682; what it restores is prior_* */
	u8 undo;		/* enum xtcp_undo */
	u8 frto;		/* enum xtcp_frto */
	u8 eifel;		/* is eifel_ts set, may it be? */
	u8 undo_resent:1,	/* something was retransmitted in this recovery */
	   no_frto:1;		/* the user wants none */
	u32 undo_una;		/* SND.UNA when it began */
	u32 undo_end;		/* when over, SND.NXT then: duplicates are reported until that */
	u32 undo_bytes;		/* retransmitted, not reported as duplicates yet */
	u32 eifel_ts;		/* TSval of the first retransmission */
	u32 frto_left;		/* bytes of new data that step 3 may still send */
	u32 prior_cwnd;
	u32 prior_ssthresh;

	/* what comes with XTCP_N_DSACK and XTCP_N_REORDERED */
	u32 dsacks;		/* duplicates reported */
	u32 reorderings;	/* originals that came late */

	/* pacing (pace.c); rates in bytes/s */
	u64 pacing_rate;	/* in force, 0 = text leaves as the windows let it */
	u64 pacing_max;		/* the user's limit, 0 = none */
	u64 cc_rate;		/* what the controller asks for, 0 = by cwnd and SRTT */
	u64 pace_next;		/* text may leave from here on, ns */
	u8 pacing:1,		/* wanted by the controller, the user or the qdisc */
	   pace_fq:1;		/* the qdisc holds each segment until its time */

	/* ECN, RFC 3168 (ecn.c) */
	u8 ecn_offer:1,		/* our SYN offers it */
	   ecn_fallback:1,	/* but not again when it is lost (6.1.1.1) */
	   ecn_ok:1,		/* both sides have agreed */
	   ecn_seen:1,		/* a segment with a codepoint other than Not-ECT came in */
	   ecn_echo:1,		/* our ACKs carry ECE; DCTCP.CE of RFC 8257 */
	   ecn_cwr:1;		/* CWR is due on the next new text */
	u32 ecn_point;		/* marks of text left of it are answered */
	u64 ce_bytes;		/* acknowledged by ACKs with ECE */

	/* delayed ACK, RFC 9293 3.8.6.3 and 5681 4.2 */
	u64 delack_max;		/* longest delay */

	/* the receiver's own look at the path (buffer autotuning, quick ACKs) */
	u64 rcv_data_at;	/* last text in order */
	u64 rcv_rtt;		/* round trip as text arrives, 0 = unknown */
	u64 rcv_rtt_at;		/* without timestamps: since when rcv_rtt_seq is waited for */
	u32 rcv_rtt_seq;
	u32 rcv_rtt_tsecr;	/* last echo that a sample was taken from */

	/* reassembly and SACK blocks to send, RFC 2018 4 */
	struct rb_root ofo;	/* of struct xtcp_hole_end */
	u32 ofo_nr;
	u8 nr_sack;
	u8 has_dsack;		/* sack[0] is a duplicate report (RFC 2883) */
	struct xtcp_sack_block sack[XTCP_MAX_SACK]; /* newest first */

	/* delivery, waiting and timeouts (stats.c) */
	u32 delivered;		/* segments, SYN and FIN too */
	u32 dsack_dups;		/* segments reported as duplicates */
	u32 reord_events;
	u32 round_end;		/* its ACK ends the round */
	u64 delivery_rate;	/* bytes/s, 0 = not known */
	u64 round_at;
	u64 round_bytes;	/* delivered since */
	u16 total_rto;
	u16 total_rto_recoveries;
	u8 round_limited:1,	/* the user had nothing to send in this round */
	   delivery_limited:1;	/* nor in the one that delivery_rate is of */
	u8 busy;		/* enum xtcp_busy */
	u64 busy_at;		/* since when */
	u64 busy_ns[XTCP_NR_BUSY - 1]; /* and before; none for XTCP_BUSY_NOT */
	u64 total_rto_ns;	/* time in recovery from timeouts that is over */
	u64 rto_since;		/* first timeout of the one that is not, 0 = none */

	u64 rcv_at;		/* last segment received (keepalive) */
	u64 deadline[XTCP_NR_TIMERS];

	/* counters for tcp_info */
	u64 bytes_acked;
	u64 bytes_received;
	u64 bytes_sent;
	u64 bytes_retrans;
	u32 segs_in;
	u32 segs_out;
	u32 data_segs_in;
	u32 data_segs_out;
	u32 total_retrans;	/* segments */
	u32 rcv_ooopack;
};

/* Memory of the core: the module gives slab objects, the unit tests calloc().
 * xtcp_seg_alloc() may return NULL; it must not sleep.  Both kinds of interval
 * come from it.
 */
union xtcp_seg {
	struct xtcp_range range;
	struct xtcp_hole_end hole;
};

void *xtcp_seg_alloc(void);
void xtcp_seg_free(void *seg);

/* ---- options.c ---- */

/**
 * xtcp_options_parse() - read the options of a segment
 * @p: first option byte
 * @len: bytes of options, at most 40
 * @syn: the segment carries SYN (MSS, window scale, SACK-permitted count only there)
 * @o: the result
 *
 * Unknown kinds are skipped (RFC 9293 3.1, MUST-6), the last of a repeated kind wins.
 * Return: 0, or -1 where a length is below 2, wrong for its kind or beyond @len
 * (MUST-7); @o then holds what stood before the fault.
 */
int xtcp_options_parse(const u8 *p, unsigned int len, bool syn,
		       struct xtcp_options *o);

/**
 * xtcp_options_ts_fast() - the common layout NOP NOP TS, and nothing else
 * Return: true and fills @o (present = XTCP_HAS_TS, nr_sack = 0) if @len is 12 and the
 * layout is that.
 */
bool xtcp_options_ts_fast(const u8 *p, unsigned int len, struct xtcp_options *o);

/**
 * xtcp_options_len() - bytes that xtcp_options_write() will write for @o
 * Return: a multiple of 4, at most 40.
 */
unsigned int xtcp_options_len(const struct xtcp_options *o);

/**
 * xtcp_options_write() - build the option bytes: MSS, SACK-permitted, TS,
 * window scale, XTCP, SACK, each aligned with NOPs as RFC 7323 appendix A asks
 * @p: at least xtcp_options_len(@o) bytes
 * Return: bytes written.
 */
unsigned int xtcp_options_write(u8 *p, const struct xtcp_options *o);

/* ---- segment.c: is this segment acceptable in a synchronized state? ---- */

enum xtcp_verdict {
	XTCP_V_OK,		/* go on with the steps */
	XTCP_V_DROP_PAWS,	/* RFC 7323 5.3 R1: drop, answer with an ACK (not a RST) */
	XTCP_V_DROP_SEQ,	/* outside the window: drop, answer with an ACK (not to RST) */
	XTCP_V_DROP_RST,	/* RST outside the window: drop silently */
	XTCP_V_RESET,		/* RST exactly at RCV.NXT: the connection is reset */
	XTCP_V_CHALLENGE_RST,	/* RFC 5961 3.2: RST in the window but not exact */
	XTCP_V_CHALLENGE_SYN,	/* RFC 5961 4.2: SYN in a synchronized state */
	XTCP_V_DROP_NOACK,	/* no ACK bit (RFC 9293 3.10.7.4, fifth): drop silently */
	XTCP_V_DROP_ACK_OLD,	/* RFC 5961 5.2: ACK left of SND.UNA - MAX.SND.WND: challenge ACK */
	XTCP_V_DROP_ACK_NEW,	/* ACK of what was never sent: drop, answer with an ACK */
};

/**
 * xtcp_segment_check() - RFC 9293 3.10.7.4, first to fifth (without their effects)
 * @tcb: synchronized, or SYN-RECEIVED of an active open
 * @seg: the segment
 * @now: ns
 *
 * Order: PAWS (not for RST), sequence, RST (5961 3.2), SYN (5961 4.2), ACK
 * bit, ACK range (5961 5.2).  A zero window accepts a segment at RCV.NXT; its
 * ACK, URG and FIN are processed (RFC 9293 3.4), its text is cut to nothing by
 * xtcp_rx_data().  The right edge is rcv_adv, which never moves left.
 *
 * In TCP_SYN_RECV both XTCP_V_DROP_ACK_* mean <SEQ=SEG.ACK><CTL=RST>, and the SYN,ACK of
 * a simultaneous open gives XTCP_V_OK: it has no text and its ACK covers our SYN.
 * Changes nothing in @tcb.
 */
enum xtcp_verdict xtcp_segment_check(const struct xtcp_tcb *tcb,
				     const struct xtcp_segment *seg, u64 now);

/**
 * xtcp_ts_update() - RFC 7323 4.3 (2): record TS.Recent from an acceptable segment
 */
void xtcp_ts_update(struct xtcp_tcb *tcb, const struct xtcp_segment *seg, u64 now);

/**
 * xtcp_ts_rtt() - the round trip that a TSecr measures (RFC 7323 4)
 * Return: ns, a tick at least; 0 where it says nothing.
 */
u64 xtcp_ts_rtt(const struct xtcp_tcb *tcb, const struct xtcp_options *o, u64 now);

/** xtcp_ts_ticks() - @now in ticks of @unit (XTCP_UNIT_*), modulo 2^32 */
u32 xtcp_ts_ticks(u64 now, u8 unit);

/** xtcp_ts_now() - the timestamp clock, with the connection's offset */
u32 xtcp_ts_now(const struct xtcp_tcb *tcb, u64 now);

/* ---- rx.c: RCV.NXT, reassembly, window and ACK policy ---- */

enum xtcp_rx_verdict {
	XTCP_RX_IN_ORDER,	/* queue; RCV.NXT has moved, perhaps over older intervals */
	XTCP_RX_OFO,		/* keep aside, an interval beyond a hole */
	XTCP_RX_DUP,		/* nothing new in it: drop (an ACK is due) */
	XTCP_RX_NO_MEM,		/* no interval to be had: drop, as if lost */
	XTCP_RX_BEYOND,		/* wholly beyond the window or the peer's FIN: drop */
};

/**
 * xtcp_rx_data() - take the text of an acceptable segment into account
 * @tcb: the connection
 * @seq: in: first number; may lie left of RCV.NXT (an overlap)
 * @end_seq: behind the last byte of text (FIN not counted); cut to the right
 *	edge of the window and to a known FIN by this function
 * @now: ns
 * @keep_end: out: the end after that cut; the caller trims its buffer to it
 *
 * May be called for a wholly old segment (XTCP_V_DROP_SEQ) as well: XTCP_RX_DUP, and
 * the next ACK reports it (RFC 2883).  No text (@seq == @end_seq) changes nothing.
 * Updates rcv_nxt, the intervals, the SACK blocks (RFC 2018 4: newest first;
 * RFC 2883 for duplicates), and asks for an ACK at once where RFC 5681 4.2 wants it.
 */
enum xtcp_rx_verdict xtcp_rx_data(struct xtcp_tcb *tcb, u32 seq, u32 end_seq,
				  u64 now, u32 *keep_end);

/**
 * xtcp_rx_fin() - note the peer's FIN at @fin_seq (in the window), of a segment from @seq on
 * A FIN at another number than one noted before, or left of text already received, is ignored.
 */
void xtcp_rx_fin(struct xtcp_tcb *tcb, u32 seq, u32 fin_seq);

/**
 * xtcp_rx_fin_due() - has RCV.NXT reached the peer's FIN?
 * Moves RCV.NXT over it, asks for an ACK now or soon, and returns true exactly once.
 */
bool xtcp_rx_fin_due(struct xtcp_tcb *tcb, u64 now);

/** xtcp_rx_prune() - forget the intervals at and beyond @seq: their buffers were dropped */
void xtcp_rx_prune(struct xtcp_tcb *tcb, u32 seq);

/** xtcp_rx_reset() - free all intervals (the connection ends) */
void xtcp_rx_reset(struct xtcp_tcb *tcb);

/**
 * xtcp_rx_window() - RCV.WND for a segment about to be sent, RFC 9293 3.8.6.2.2
 *
 * From rcv_space, never moving the right edge left (a promise stands), in
 * steps of at least min(rcv_buf / 2, rcv_mss), a multiple of 1 << rcv_wscale, at most
 * 65535 << rcv_wscale.
 * Changes nothing.
 */
u32 xtcp_rx_window(const struct xtcp_tcb *tcb);

/**
 * xtcp_rx_sent_ack() - a segment with ACK and window @wnd left: note rcv_wnd,
 * rcv_adv, rcv_acked; delayed-ACK state back to rest
 */
void xtcp_rx_sent_ack(struct xtcp_tcb *tcb, u32 wnd);

/**
 * xtcp_rx_ack_policy() - in-order text was queued: ACK now or soon?
 * RFC 9293 3.8.6.3: at least every second full-sized segment at once, otherwise
 * within xtcp_delack(); at once while quickack, or quick_acks without pingpong, last,
 * and when half of the window is used up.  Keeps the estimate rcv_mss.
 */
void xtcp_rx_ack_policy(struct xtcp_tcb *tcb, u32 len, u64 now);

/**
 * xtcp_rx_rtt() - @seg brought text in order: an estimate of the round trip for who only
 * receives, by timestamps (RFC 7323 3) or by windows; in rcv_rtt
 */
void xtcp_rx_rtt(struct xtcp_tcb *tcb, const struct xtcp_segment *seg, u64 now);

/**
 * xtcp_rx_window_update_due() - the reader took data: is a window update worth a segment?
 * RFC 9293 3.8.6.2.2: only from zero, or when the edge can move by min(2 * rcv_mss,
 * rcv_buf / 2) and either moves by a quarter of the buffer or has less than that left.
 */
bool xtcp_rx_window_update_due(const struct xtcp_tcb *tcb);

/**
 * xtcp_rx_window_narrow() - a cheap look before that: could an empty buffer, of the size as
 * last known, make an update due?
 */
static inline bool xtcp_rx_window_narrow(const struct xtcp_tcb *tcb)
{
	u32 promised = tcb->rcv_adv - tcb->rcv_nxt;

	return tcb->wnd_shut || !promised || promised >= tcb->rcv_buf ||
	       tcb->rcv_buf - promised >= min_t(u32, 2 * tcb->rcv_mss, tcb->rcv_buf / 2);
}

/* ---- sendmap.c ---- */

/**
 * xtcp_map_add() - [seq, end_seq) was sent for the first time; seq is SND.NXT of before
 * Merges with the last range where that is indistinguishable (same sent_at and flags).
 * Return: 0, or -1 without memory: then nothing has changed and nothing may be sent.
 */
int xtcp_map_add(struct xtcp_tcb *tcb, u32 seq, u32 end_seq, u64 now);

/**
 * xtcp_map_resent() - [seq, end_seq) inside one lost range was sent again
 * The rest of the range stays lost; where a split finds no memory it counts as in
 * flight, for the next timeout to find.
 */
void xtcp_map_resent(struct xtcp_tcb *tcb, u32 seq, u32 end_seq, u64 now);

/**
 * xtcp_map_probed() - what is in flight from @seq to the last byte was sent once more
 * Where a split finds no memory all of the last range counts as sent now.
 */
void xtcp_map_probed(struct xtcp_tcb *tcb, u32 seq, u64 now);

/**
 * struct xtcp_map_acked - what a cumulative or selective ACK did to the map
 * @now: in: ns
 * @tsecr: in: TSecr of the ACK; with @has_tsecr
 * @selective: from here on it is the SACK blocks that tell
 * @fack: in: tcb->high_sacked before the ACK (RACK.fack, RFC 8985 5.3)
 * @acked: bytes newly below SND.UNA
 * @newly_sacked: bytes newly SACKed
 * @delivered: bytes that reached the peer by this ACK and were not known to have
 * @sent_at: earliest sent_at of the newly acknowledged ranges that were never
 *	retransmitted, 0 = none (the RTT sample: with the receiver's delay in it,
 *	as RFC 7323 4.2 wants it for the timeout)
 * @rexmit: a retransmitted range was among them: no sample (Karn, RFC 6298 3)
 * @old_echo: the time since @tsecr is perhaps longer than a round trip by a timeout
 * @last_sent_at: of the newly acknowledged range that was sent last and is known to
 *	have arrived by that transmission (RFC 8985 6.2 step 2), 0 = none
 * @last_end_seq: behind it
 * @original: bytes of @delivered that were never retransmitted
 * @reordered: one that was never retransmitted lay below @fack (6.2 step 3)
 * @dsack: the ACK reports [@dsack_seq, @dsack_end) as a duplicate (RFC 2883)
 */
struct xtcp_map_acked {
	u64 now;
	u32 tsecr;
	u32 fack;
	u32 acked;
	u32 newly_sacked;
	u32 delivered;
	u32 original;
	u32 last_end_seq;
	u64 sent_at;
	u64 last_sent_at;
	u32 dsack_seq;
	u32 dsack_end;
	bool has_tsecr;
	bool selective;
	bool rexmit;
	bool old_echo;
	bool reordered;
	bool dsack;
};

/** xtcp_map_ack() - drop what lies below @ack; called before snd_una moves */
void xtcp_map_ack(struct xtcp_tcb *tcb, u32 ack, struct xtcp_map_acked *res);

/**
 * xtcp_map_sack() - apply one valid SACK block inside [SND.UNA, SND.NXT]
 * O(log n + ranges newly covered).  Where a split finds no memory the part stays unSACKed.
 */
void xtcp_map_sack(struct xtcp_tcb *tcb, u32 seq, u32 end_seq,
		   struct xtcp_map_acked *res);

/**
 * xtcp_map_mark_lost() - everything unSACKed in [seq, end_seq) is lost
 * Where a split finds no memory the part stays unmarked.
 * Return: bytes newly marked.
 */
u32 xtcp_map_mark_lost(struct xtcp_tcb *tcb, u32 seq, u32 end_seq);

/** xtcp_map_mark() - @r, which is in flight, is lost */
void xtcp_map_mark(struct xtcp_tcb *tcb, struct xtcp_range *r);

/** xtcp_map_unmark() - what is lost and was not sent again is in flight after all */
void xtcp_map_unmark(struct xtcp_tcb *tcb);

/** xtcp_map_renege() - the peer dropped what it SACKed (RFC 2018 8): all of it is lost */
void xtcp_map_renege(struct xtcp_tcb *tcb);

/** xtcp_map_first() - leftmost unSACKed range or NULL */
struct xtcp_range *xtcp_map_first(const struct xtcp_tcb *tcb);

/** xtcp_map_next() - the next one to the right of the same kind, or NULL */
struct xtcp_range *xtcp_map_next(const struct xtcp_range *r);

/** xtcp_map_first_lost() - leftmost range with XTCP_R_LOST, or NULL */
struct xtcp_range *xtcp_map_first_lost(const struct xtcp_tcb *tcb);

/** xtcp_sent_after() - RACK_sent_after() of RFC 8985 6.2: was 1 sent after 2? */
static inline bool xtcp_sent_after(u64 t1, u32 end1, u64 t2, u32 end2)
{
	return t1 > t2 || (t1 == t2 && after(end1, end2));
}

/** xtcp_age() - ns since @at, which may lie ahead where a qdisc paces */
static inline u64 xtcp_age(u64 at, u64 now)
{
	return now > at ? now - at : 0;
}

/** xtcp_map_reset() - free all ranges */
void xtcp_map_reset(struct xtcp_tcb *tcb);

/** xtcp_pipe() - bytes in the network by the sender's estimate (RFC 6675 4) */
static inline u32 xtcp_pipe(const struct xtcp_tcb *tcb)
{
	return tcb->snd_nxt - tcb->snd_una - tcb->sacked_bytes - tcb->lost_bytes;
}

/** xtcp_smss() - SMSS of RFC 5681 2, never 0 */
static inline u32 xtcp_smss(const struct xtcp_tcb *tcb)
{
	return tcb->snd_mss ? tcb->snd_mss : XTCP_MSS_DEFAULT;
}

/* ---- nego.c: the XTCP option ---- */

/*
 * G of RFC 6298 2: how much later than asked a timer of this stack may act.  50 us is
 * the slack it is started with (module/timer.c); the rest is for an interrupt that
 * is served late and the soft interrupt behind it.
 */
#define XTCP_TIMER_ERROR	(100 * XTCP_NSEC_PER_USEC)

/** xtcp_nego_fill() - the XTCP option of our SYN or SYN,ACK */
void xtcp_nego_fill(u64 ack_delay, u8 ts_unit, struct xtcp_options *o);

/**
 * xtcp_nego_delay() - the ACK delay to expect of a peer that promises @us
 * Return: ns, never below XTCP_TIMER_ERROR: its timer is no better than ours.
 */
u64 xtcp_nego_delay(u32 us);

/**
 * xtcp_nego_take() - the peer's SYN has come: is anything of our offer in force?
 * Where timestamps in us are not, the clock goes on in ms from the value of our last SYN:
 * the peer's PAWS never sees it go back.
 */
void xtcp_nego_take(struct xtcp_tcb *tcb, const struct xtcp_options *o, u64 now);

/** xtcp_delack() - the longest time to hold back an ACK, ns; 0 = none */
u64 xtcp_delack(const struct xtcp_tcb *tcb);

/* ---- rtt.c ---- */

/**
 * xtcp_rtt_sample() - RFC 6298 2.2, 2.3 with one measurement @rtt (ns; 0 counts as 1);
 * resets backoff
 */
void xtcp_rtt_sample(struct xtcp_tcb *tcb, u64 rtt, u64 now);

/**
 * xtcp_rto() - the timeout in force, at most rto_max
 * backoff times doubled; where negotiated, each step below rto_min is one of a quarter.
 */
u64 xtcp_rto(const struct xtcp_tcb *tcb);

/** xtcp_rto_again() - the timeout after one that has fired: where negotiated, up to 1/4 longer */
u64 xtcp_rto_again(const struct xtcp_tcb *tcb, u64 now);

/** xtcp_rto_update() - make rto from SRTT, RTTVAR and its bounds again; a setting has changed */
void xtcp_rto_update(struct xtcp_tcb *tcb);

/** xtcp_rto_floor() - lower bound (ns) of max(G, K*RTTVAR) with a peer that negotiates */
u64 xtcp_rto_floor(const struct xtcp_tcb *tcb);

/**
 * xtcp_rto_undone() - a timeout turned out to be spurious and was undone
 * Doubles the floor for this destination, up to rto_min.
 */
void xtcp_rto_undone(struct xtcp_tcb *tcb);

/** xtcp_rto_confirmed() - a timeout was right: a few of them in a row halve a raised floor */
void xtcp_rto_confirmed(struct xtcp_tcb *tcb);

/**
 * xtcp_rto_early() - timeouts of a row that come before one of @classic ns would
 * Those do not count as attempts (RFC 9293 3.8.3: R2 is meant as a time of 100 s and
 * more, 3 minutes for a SYN), so that a short timeout does not make us give up sooner.
 */
unsigned int xtcp_rto_early(const struct xtcp_tcb *tcb, u64 classic);

/* ---- pace.c ---- */

/** xtcp_pace_rate() - the rate that pacing would have now: twice a window per round trip
 * in slow start, 1.2 afterwards, or what the controller asks for; at most the user's limit
 * Return: bytes/s, 0 = not known yet
 */
u64 xtcp_pace_rate(const struct xtcp_tcb *tcb);

/**
 * xtcp_pace_set() - pace from now on
 * @most: the user's limit in bytes/s, 0 = none
 * @fq: a queueing discipline holds segments back until the time they are stamped with
 */
void xtcp_pace_set(struct xtcp_tcb *tcb, u64 most, bool fq);

/** xtcp_pace_off() - text leaves as the windows let it */
void xtcp_pace_off(struct xtcp_tcb *tcb);

/** xtcp_pace_update() - cwnd or SRTT have changed */
static inline void xtcp_pace_update(struct xtcp_tcb *tcb)
{
	if (tcb->pacing)
		tcb->pacing_rate = xtcp_pace_rate(tcb);
}

/* How far a qdisc that paces may be filled ahead */
#define XTCP_PACE_AHEAD		(2 * XTCP_NSEC_PER_MSEC)

/** xtcp_pace_full() - must text wait now? */
static inline bool xtcp_pace_full(const struct xtcp_tcb *tcb, u64 now)
{
	return tcb->pace_next > now + (tcb->pace_fq ? XTCP_PACE_AHEAD : 0);
}

/** xtcp_pace_hold() - the same for text that would leave; where it must wait, PACE is set */
static inline bool xtcp_pace_hold(struct xtcp_tcb *tcb, u64 now)
{
	if (!xtcp_pace_full(tcb, now))
		return false;
	/* with a qdisc, half of what may wait there is still there when we come again */
	tcb->deadline[XTCP_T_PACE] = tcb->pace_next - (tcb->pace_fq ? XTCP_PACE_AHEAD / 2 : 0);
	return true;
}

/** xtcp_pace_leaves() - when text that is sent now leaves this host: not before now */
static inline u64 xtcp_pace_leaves(const struct xtcp_tcb *tcb, u64 now)
{
	return tcb->pace_fq ? max(now, tcb->pace_next) : now;
}

/** xtcp_pace_burst() - how much text leaves in one piece at @tcb->pacing_rate, if @most may */
u32 xtcp_pace_burst(const struct xtcp_tcb *tcb, u32 most, u32 mss);

/** xtcp_pace_sent() - @bytes of text were sent: when may the next leave? */
void xtcp_pace_sent(struct xtcp_tcb *tcb, u32 bytes, u64 now);

/* ---- share.c: what connections to one destination share, RFC 9040 ---- */

/**
 * struct xtcp_metrics - what earlier connections know of a destination
 * @srtt: ns, 0 = nothing known
 * @rttvar: ns
 * @peer_delack: ns, what the peer promised; 0 = it is a plain TCP
 * @ssthresh: bytes, 0 = no loss was seen
 * @floor_shift: doublings of rto_floor
 */
struct xtcp_metrics {
	u64 srtt;
	u64 rttvar;
	u64 peer_delack;
	u32 ssthresh;
	u8 floor_shift;
};

/** xtcp_share_merge() - add what @tcb has measured (RFC 9040 4); its srtt is not 0 */
void xtcp_share_merge(struct xtcp_metrics *m, const struct xtcp_tcb *tcb);

/**
 * xtcp_share_rto() - the timeout of a SYN or SYN,ACK to a known destination
 * @m: srtt not 0; peer_delack 0 if the new connection does not negotiate
 * @by: rto_min, rto_max and rto_floor of the user
 */
u64 xtcp_share_rto(const struct xtcp_metrics *m, const struct xtcp_tcb *by);

/** xtcp_share_start() - a connection begins: nego_ok says whether it offers the XTCP option */
void xtcp_share_start(struct xtcp_tcb *tcb, const struct xtcp_metrics *m);

/* ---- ack.c ---- */

#define XTCP_A_DATA_ACKED	0x01	/* SND.UNA moved */
#define XTCP_A_FIN_ACKED	0x02	/* our FIN is acknowledged by this ACK */
#define XTCP_A_WND_UPDATE	0x04	/* SND.WND changed */
#define XTCP_A_DUP		0x08	/* duplicate ACK, RFC 5681 2 */
#define XTCP_A_SYN_ACKED	0x10	/* our SYN is acknowledged by this ACK */
#define XTCP_A_ECN_CUT		0x40	/* cwnd was reduced for its ECE */

struct xtcp_ack_result {
	u32 acked;		/* bytes newly acknowledged, SYN and FIN counted */
	u8 flags;		/* XTCP_A_* */
};

/**
 * xtcp_ack() - RFC 9293 3.10.7.4, fifth: consume an ACK that passed xtcp_segment_check()
 *
 * Moves SND.UNA and the window (SND.WL1/WL2), applies SACK blocks, takes an RTT
 * sample (timestamps, RFC 7323 4.1, or Karn), runs loss detection and congestion
 * control, and sets or clears the REXMT and PERSIST deadlines (RFC 6298 5.2, 5.3).
 * Raises XTCP_WAKE_WRITER in todo when something was acknowledged.
 */
void xtcp_ack(struct xtcp_tcb *tcb, const struct xtcp_segment *seg, u64 now,
	      struct xtcp_ack_result *res);

/* ---- ecn.c: RFC 3168, RFC 8257 3.2 ---- */

/** xtcp_ecn_setup_syn() - do the control bits of a SYN offer ECN? */
bool xtcp_ecn_setup_syn(u8 flags);

/** xtcp_ecn_setup_syn_ack() - do the control bits of a SYN,ACK agree to it? */
bool xtcp_ecn_setup_syn_ack(u8 flags);

/** xtcp_ecn_start() - both sides have agreed; the sequence numbers are set */
void xtcp_ecn_start(struct xtcp_tcb *tcb);

/**
 * xtcp_ecn_ack_first() - must an ACK of what came before leave before xtcp_ecn_rcv()?
 * RFC 8257 3.2: its ECE is the state that @seg is about to change.
 */
bool xtcp_ecn_ack_first(const struct xtcp_tcb *tcb, const struct xtcp_segment *seg);

/** xtcp_ecn_rcv() - codepoint and CWR of an acceptable segment; before its text is taken */
void xtcp_ecn_rcv(struct xtcp_tcb *tcb, const struct xtcp_segment *seg);

/** xtcp_ecn_flags() - control bits that @what carries besides its own (CWR of text is in those) */
u8 xtcp_ecn_flags(const struct xtcp_tcb *tcb, const struct xtcp_tx *what);

/** xtcp_ecn_codepoint() - XTCP_ECN_* for the IP header of @what */
u8 xtcp_ecn_codepoint(const struct xtcp_tcb *tcb, const struct xtcp_tx *what);

/** xtcp_ecn_reduced() - cwnd was reduced, for whatever reason: tell the peer (RFC 3168 6.1.2) */
void xtcp_ecn_reduced(struct xtcp_tcb *tcb);

/** xtcp_ecn_undone() - that was taken back: nothing to tell, and the next loss counts again */
void xtcp_ecn_undone(struct xtcp_tcb *tcb);

/** xtcp_ecn_on_echo() - an ACK carried ECE; Return: cwnd was reduced for it */
bool xtcp_ecn_on_echo(struct xtcp_tcb *tcb, u64 now);

/* ---- loss.c: RFC 5681, 6582, 8985, 6298; the rest is in loss.h ---- */

/**
 * xtcp_loss_on_rto() - the retransmission timer fired: RFC 6298 5.4 to 5.7, 5681 (4)
 * What is overdue is lost (without SACK everything), cwnd is one SMSS, back-off
 * doubles, the timer is set again.  The caller has checked R2.
 */
void xtcp_loss_on_rto(struct xtcp_tcb *tcb, u64 now);

/**
 * xtcp_loss_on_mtu() - the path takes only shorter segments: all that is in flight is lost
 * Not by congestion, so cwnd stays (RFC 1191 6.5), and none of it was only late.
 */
void xtcp_loss_on_mtu(struct xtcp_tcb *tcb);

/** xtcp_loss_on_tlp() - the probe timer fired: RFC 8985 7.3; xtcp_tx_next() gives the probe */
void xtcp_loss_on_tlp(struct xtcp_tcb *tcb, u64 now);

/** xtcp_loss_on_reo() - the reordering timer fired: RFC 8985 6.2 step 5 */
void xtcp_loss_on_reo(struct xtcp_tcb *tcb, u64 now);

/* ---- tx.c: the one answer to "what do I send now?" ---- */

enum xtcp_tx_kind {
	XTCP_TX_NONE,
	XTCP_TX_REXMIT,		/* lost range, or part of it */
	XTCP_TX_PROBE,		/* zero-window probe */
	XTCP_TX_NEW,		/* new data, perhaps with FIN; SYN */
	XTCP_TX_ACK,		/* pure ACK */
	XTCP_TX_TLP,		/* tail loss probe: the last segment once more */
};

/**
 * struct xtcp_tx - one segment (or GSO super-packet) to send
 * @kind: XTCP_TX_*
 * @flags: control bits to set, XTCP_ACK included where it belongs
 * @seq: first number
 * @end_seq: behind the last; SYN and FIN count
 * @at: when it shall leave the host; later than now only with tcb->pace_fq
 *
 * Bytes of text are the part of [seq, end_seq) that is neither SYN (iss) nor
 * FIN (write_seq).  A probe has seq = end_seq = SND.UNA - 1 and no text: the
 * peer cannot accept it and answers with its window.
 * Deviation: RFC 9293 3.8.6.1 sends an octet of new data.
 */
struct xtcp_tx {
	u8 kind;
	u8 flags;
	u32 seq;
	u32 end_seq;
	u64 at;
};

/** xtcp_tx_idle() - is there nothing that xtcp_tx_next() could want to send? */
static inline bool xtcp_tx_idle(const struct xtcp_tcb *tcb)
{
	return tcb->snd_nxt == tcb->write_seq + tcb->fin_queued && !tcb->lost_bytes &&
	       !tcb->tlp_due && !(tcb->todo & (XTCP_ACK_NOW | XTCP_PROBE_NOW));
}

/** xtcp_tx_rests() - nothing is to be sent: is cwnd still what limits the sender? */
void xtcp_tx_rests(struct xtcp_tcb *tcb, u64 now);

/**
 * xtcp_tx_next() - decide: lost > probe > new data (with FIN) > FIN > pure ACK,
 * under cwnd, SND.WND, Nagle (RFC 9293 3.7.4), sender SWS avoidance (3.8.6.2.1),
 * cork and more.  A range of several SMSS is a multiple of snd_mss unless it ends the queue.
 * Sets the PERSIST deadline when the window stops it with nothing in flight.
 * Return: true and fills @what, or false: nothing to send.
 */
bool xtcp_tx_next(struct xtcp_tcb *tcb, u64 now, struct xtcp_tx *what);

/**
 * xtcp_tx_want() - the same, with a cheap look before the thorough one
 * To be asked until it says no: then cwnd_limited is up to date.
 */
static inline bool xtcp_tx_want(struct xtcp_tcb *tcb, u64 now, struct xtcp_tx *what)
{
	if (!xtcp_tx_idle(tcb))
		return xtcp_tx_next(tcb, now, what);
	xtcp_tx_rests(tcb, now);
	return false;
}

/**
 * xtcp_tx_prepare() - book @what before it is handed to the network layer
 * Adds to the map, moves SND.NXT, starts REXMT (RFC 6298 5.1), counts.
 * Return: 0, or -1 without memory: do not send, try again with the next event
 * (REXMT is set so that there is one).
 */
int xtcp_tx_prepare(struct xtcp_tcb *tcb, const struct xtcp_tx *what, u64 now);

/** xtcp_tx_persist() - PERSIST fired: asks for a probe, backs off (RFC 9293 3.8.6.1) */
void xtcp_tx_persist(struct xtcp_tcb *tcb, u64 now);

/** xtcp_tx_options() - the options of a segment of this connection
 * @flags: control bits of the segment (SYN: the negotiation is offered from the
 *	sack_ok, ts_ok, wscale_ok, nego_ok, rcv_wscale of @tcb; @mss is announced)
 * @now: ns
 * @o: the result; SACK blocks are included as room allows
 */
void xtcp_tx_options(struct xtcp_tcb *tcb, u8 flags, u16 mss, u64 now,
		     struct xtcp_options *o);

/* ---- stats.c ---- */

/** xtcp_stats_sent() - @what, never sent before, leaves; SND.NXT has not moved yet */
void xtcp_stats_sent(struct xtcp_tcb *tcb, const struct xtcp_tx *what);

/** xtcp_stats_acked() - an ACK, and what it did to the map */
void xtcp_stats_acked(struct xtcp_tcb *tcb, const struct xtcp_map_acked *m, u64 now);

/** xtcp_stats_duplicate() - the peer has got @bytes twice (RFC 2883) */
void xtcp_stats_duplicate(struct xtcp_tcb *tcb, u32 bytes);

/** xtcp_stats_flushed() - what could leave has left: what does the rest wait for?
 * @user_waits: for room in the send queue
 */
void xtcp_stats_flushed(struct xtcp_tcb *tcb, bool user_waits, u64 now);

/** xtcp_stats_busy() - ns spent in @what (enum xtcp_busy, not XTCP_BUSY_NOT) until @now */
u64 xtcp_stats_busy(const struct xtcp_tcb *tcb, u8 what, u64 now);

/** xtcp_stats_rto() - a retransmission timeout; xtcp_stats_rto_over(): its recovery ends */
void xtcp_stats_rto(struct xtcp_tcb *tcb, u64 now);
void xtcp_stats_rto_over(struct xtcp_tcb *tcb, u64 now);

/* ---- tcb.c ---- */

/**
 * xtcp_tcb_init() - a fresh block: RFC defaults, no sequence numbers yet; keeps the user's
 * settings (nodelay, cork, quickack, rto_min, rto_max, rto_floor, delack_max, ack_delay, cc)
 */
void xtcp_tcb_init(struct xtcp_tcb *tcb);

/** xtcp_tcb_set_iss() - all send variables to @iss */
void xtcp_tcb_set_iss(struct xtcp_tcb *tcb, u32 iss);

/**
 * xtcp_tcb_set_irs() - all receive variables from the peer's SYN; rcv_wnd is what
 * our SYN has advertised, 0 if none was sent yet
 */
void xtcp_tcb_set_irs(struct xtcp_tcb *tcb, u32 irs);

/** xtcp_tcb_negotiate() - take the peer's SYN options: what both offer holds from here on
 * @tcb: ts_ok, sack_ok, wscale_ok, nego_ok say what we offered; the result says what is in force
 */
void xtcp_tcb_negotiate(struct xtcp_tcb *tcb, const struct xtcp_options *o, u64 now);

/** xtcp_tcb_established() - first window of congestion (RFC 6928), quick ACKs, RTO state */
void xtcp_tcb_established(struct xtcp_tcb *tcb, u64 now);

/** xtcp_tcb_purge() - free everything that hangs on it, all deadlines off */
void xtcp_tcb_purge(struct xtcp_tcb *tcb);

#endif
