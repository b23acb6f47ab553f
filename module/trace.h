/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tracepoints: what a ladder diagram of a connection needs.  Sequence numbers
 * are raw, addresses are those of struct xtcp_key (IPv4 as ::ffff:a.b.c.d), the
 * local end first; `ns` is the inode of the network namespace; the time is the
 * trace clock's.  A state of 0 is unknown and prints as `-`.
 *
 *	xtcp_state	every arrow taken
 *	xtcp_seg_in	every segment with a good checksum, when its fate is known
 *	xtcp_seg_out	every segment or super-packet handed to the network layer
 *	xtcp_retransmit	before the xtcp_seg_out of data sent again; cause is one of
 *			timeout, fast, syn, probe
 *	xtcp_timer	a deadline that is served, and how late
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM xtcp

#if !defined(_XTCP_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _XTCP_TRACE_H

#include <linux/tracepoint.h>

#include "xtcp.h"

#ifndef _XTCP_TRACE_HELPERS
#define _XTCP_TRACE_HELPERS

const char *xtcp_trace_state(u8 state);
const char *xtcp_trace_event(u8 event);
const char *xtcp_trace_timer(u8 timer);

#define xtcp_print_flags(flags)						\
	__print_flags(flags, "|",						\
		      { 0x02, "SYN" }, { 0x01, "FIN" }, { 0x04, "RST" },	\
		      { 0x08, "PSH" }, { 0x10, "ACK" }, { 0x20, "URG" },	\
		      { 0x40, "ECE" }, { 0x80, "CWR" })

#define XTCP_KEY_FIELDS								\
	__field(u32, ns)							\
	__array(u8, laddr, 16)							\
	__array(u8, raddr, 16)							\
	__field(u16, lport)							\
	__field(u16, rport)

#define xtcp_assign_key(_net, _key)						\
	do {									\
		__entry->ns = (_net)->ns.inum;					\
		memcpy(__entry->laddr, &(_key)->laddr, 16);			\
		memcpy(__entry->raddr, &(_key)->raddr, 16);			\
		__entry->lport = ntohs((_key)->lport);				\
		__entry->rport = ntohs((_key)->rport);				\
	} while (0)

#define XTCP_KEY_FMT	"ns=%u local=[%pI6c]:%u remote=[%pI6c]:%u "
#define XTCP_KEY_ARGS	__entry->ns, __entry->laddr, __entry->lport,		\
			__entry->raddr, __entry->rport
#endif

TRACE_EVENT(xtcp_state,
	TP_PROTO(const struct xtcp_ep *ep, u8 old, u8 new, u8 event),
	TP_ARGS(ep, old, new, event),
	TP_STRUCT__entry(
		XTCP_KEY_FIELDS
		__field(u8, old)
		__field(u8, new)
		__field(u8, event)
	),
	TP_fast_assign(
		xtcp_assign_key(ep->net, &ep->key);
		__entry->old = old;
		__entry->new = new;
		__entry->event = event;
	),
	TP_printk(XTCP_KEY_FMT "old=%s new=%s event=%s", XTCP_KEY_ARGS,
		  xtcp_trace_state(__entry->old), xtcp_trace_state(__entry->new),
		  xtcp_trace_event(__entry->event))
);

/* @before, @after: state of the endpoint; @why: XTCP_KEPT or the reason to drop */
TRACE_EVENT(xtcp_seg_in,
	TP_PROTO(const struct net *net, const struct xtcp_key *key, u8 before, u8 after,
		 const struct xtcp_segment *seg, enum xtcp_mib why),
	TP_ARGS(net, key, before, after, seg, why),
	TP_STRUCT__entry(
		XTCP_KEY_FIELDS
		__field(u8, before)
		__field(u8, after)
		__field(u8, flags)
		__field(u8, why)
		__field(u32, seq)
		__field(u32, ack)
		__field(u32, len)
		__field(u32, wnd)
	),
	TP_fast_assign(
		xtcp_assign_key(net, key);
		__entry->before = before;
		__entry->after = after;
		__entry->flags = seg->flags;
		__entry->why = why;
		__entry->seq = seg->seq;
		__entry->ack = seg->ack;
		__entry->len = seg->len;
		__entry->wnd = seg->wnd;
	),
	TP_printk(XTCP_KEY_FMT
		  "state=%s after=%s flags=%s seq=%u ack=%u len=%u wnd=%u drop=%s",
		  XTCP_KEY_ARGS,
		  xtcp_trace_state(__entry->before), xtcp_trace_state(__entry->after),
		  xtcp_print_flags(__entry->flags), __entry->seq, __entry->ack,
		  __entry->len, __entry->wnd, xtcp_mib_name(__entry->why))
);

TRACE_EVENT(xtcp_seg_out,
	TP_PROTO(const struct net *net, const struct xtcp_key *key, u8 state, u8 flags,
		 u32 seq, u32 ack, u32 len, u32 wnd),
	TP_ARGS(net, key, state, flags, seq, ack, len, wnd),
	TP_STRUCT__entry(
		XTCP_KEY_FIELDS
		__field(u8, state)
		__field(u8, flags)
		__field(u32, seq)
		__field(u32, ack)
		__field(u32, len)
		__field(u32, wnd)
	),
	TP_fast_assign(
		xtcp_assign_key(net, key);
		__entry->state = state;
		__entry->flags = flags;
		__entry->seq = seq;
		__entry->ack = ack;
		__entry->len = len;
		__entry->wnd = wnd;
	),
	TP_printk(XTCP_KEY_FMT "state=%s flags=%s seq=%u ack=%u len=%u wnd=%u",
		  XTCP_KEY_ARGS,
		  xtcp_trace_state(__entry->state), xtcp_print_flags(__entry->flags),
		  __entry->seq, __entry->ack, __entry->len, __entry->wnd)
);

TRACE_EVENT(xtcp_retransmit,
	TP_PROTO(const struct xtcp_ep *ep, u32 seq, u32 end_seq, const char *cause),
	TP_ARGS(ep, seq, end_seq, cause),
	TP_STRUCT__entry(
		XTCP_KEY_FIELDS
		__field(u32, seq)
		__field(u32, end_seq)
		__array(char, cause, 12)
	),
	TP_fast_assign(
		xtcp_assign_key(ep->net, &ep->key);
		__entry->seq = seq;
		__entry->end_seq = end_seq;
		strscpy(__entry->cause, cause, sizeof(__entry->cause));
	),
	TP_printk(XTCP_KEY_FMT "seq=%u end_seq=%u cause=%s", XTCP_KEY_ARGS,
		  __entry->seq, __entry->end_seq, __entry->cause)
);

/* @which: XTCP_T_*; @at: deadline, @now: ns */
TRACE_EVENT(xtcp_timer,
	TP_PROTO(const struct xtcp_ep *ep, u8 which, u64 at, u64 now),
	TP_ARGS(ep, which, at, now),
	TP_STRUCT__entry(
		XTCP_KEY_FIELDS
		__field(u8, which)
		__field(u64, at)
		__field(u64, late)
	),
	TP_fast_assign(
		xtcp_assign_key(ep->net, &ep->key);
		__entry->which = which;
		__entry->at = at;
		__entry->late = now - at;
	),
	TP_printk(XTCP_KEY_FMT "timer=%s at=%llu late_ns=%llu", XTCP_KEY_ARGS,
		  xtcp_trace_timer(__entry->which), __entry->at, __entry->late)
);

#endif

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
