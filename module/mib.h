/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Every counter of a network namespace: its index, its name in
 * /proc/net/xtcp_stat and, for a reason to drop, the skb drop reason.
 * To add one, add its line here; mib.c prints them all.
 *
 * C(id, name)		an event
 * D(id, name, reason)	a reason to drop a segment; functions that may drop
 *			return it, 0 (XTCP_KEPT) is "taken"
 */
#ifndef _XTCP_MIB_H
#define _XTCP_MIB_H

#define XTCP_MIBS(C, D)							\
	C(ACTIVE_OPENS, "ActiveOpens")					\
	C(PASSIVE_OPENS, "PassiveOpens")				\
	C(ATTEMPT_FAILS, "AttemptFails")				\
	C(ESTAB_RESETS, "EstabResets")					\
	C(IN_SEGS, "InSegs")						\
	C(OUT_SEGS, "OutSegs")						\
	C(RETRANS_SEGS, "RetransSegs")					\
	C(IN_ERRS, "InErrs")						\
	C(OUT_RSTS, "OutRsts")						\
	C(SPLICED_BYTES, "SplicedBytes")				\
	C(OUT_SUPER, "OutSuperPackets")					\
	C(IN_SUPER, "InSuperPackets")					\
	C(EARLY_DEMUX, "EarlyDemux")					\
	C(GSO_SEGMENTED, "GsoSegmented")				\
	C(GSO_SW_CSUM, "GsoSoftwareCsum")				\
	C(HP_HITS, "HPHits")						\
	C(HP_ACKS, "HPAcks")						\
	C(TIMEOUTS, "Timeouts")						\
	C(SYN_RETRANS, "SynRetrans")					\
	C(FAST_RETRANS, "FastRetrans")					\
	C(RTO_DEFERRED, "RtoDeferredInHost")				\
	C(TLP_DEFERRED, "TlpDeferredInHost")				\
	C(LOSS_PROBES, "LossProbes")					\
	C(LOSS_PROBE_RECOVERY, "LossProbeRecovery")			\
	C(SACK_RECOVERY, "FastRecovery")				\
	C(REO_LOSSES, "ReoTimerLosses")					\
	C(LOST_RETRANSMIT, "LostRetransmit")				\
	C(DSACK_RECV, "DSACKRecv")					\
	C(SACK_REORDER, "SACKReorder")					\
	C(SACK_RENEGING, "SACKReneging")				\
	C(SACK_INVALID, "SACKDiscard")					\
	C(UNDO_EIFEL, "UndoEifel")					\
	C(UNDO_FRTO, "UndoFrto")					\
	C(UNDO_DSACK, "UndoDSACK")					\
	C(UNDO_EARLY, "UndoEarly")					\
	C(SPURIOUS_RTOS, "SpuriousRTOs")				\
	C(ZERO_WINDOW_PROBES, "ZeroWindowProbes")			\
	C(KEEPALIVES, "KeepAlive")					\
	C(DELAYED_ACKS, "DelayedACKs")					\
	C(CHALLENGE_ACKS, "ChallengeACK")				\
	C(CHALLENGE_LIMITED, "ChallengeACKLimited")			\
	C(OFO_QUEUE, "OFOQueue")					\
	C(OFO_PRUNED, "OfoPruned")					\
	C(ABORT_ON_DATA, "AbortOnData")					\
	C(ABORT_ON_CLOSE, "AbortOnClose")				\
	C(ABORT_ON_MEMORY, "AbortOnMemory")				\
	C(ABORT_ON_TIMEOUT, "AbortOnTimeout")				\
	C(ABORT_ON_LINGER, "AbortOnLinger")				\
	C(ABORT_FAILED, "AbortFailed")					\
	C(TW, "TW")							\
	C(TW_RECYCLED, "TWRecycled")					\
	C(TW_OVERFLOW, "TWOverflow")					\
	C(MEM_PRESSURE, "MemoryPressures")				\
	C(ILLEGAL_EVENT, "IllegalEvent")				\
	C(ICMP_IN, "IcmpIn")						\
	C(ICMP_OUT_OF_WINDOW, "IcmpOutOfWindow")			\
	C(NEGOTIATED, "Negotiated")					\
	C(NEGO_IGNORED, "NegotiationIgnored")				\
	C(ECN_AGREED, "EcnAgreed")					\
	C(ECN_MARKS, "EcnMarks")					\
	C(ECN_CUTS, "EcnReductions")					\
	C(METRICS_SAVED, "MetricsSaved")				\
	C(METRICS_USED, "MetricsUsed")					\
	C(SYN_COOKIES_SENT, "SyncookiesSent")				\
	C(SYN_COOKIES_RECV, "SyncookiesRecv")				\
	C(SYN_COOKIES_FAILED, "SyncookiesFailed")			\
	D(DROP_SHORT, "DropShort", PKT_TOO_SMALL)			\
	D(DROP_HEADER, "DropHeader", PKT_TOO_SMALL)			\
	D(DROP_CSUM, "InCsumErrors", TCP_CSUM)				\
	D(DROP_OPTION, "DropOption", NOT_SPECIFIED)			\
	D(DROP_NO_SOCKET, "DropNoSocket", NO_SOCKET)			\
	D(DROP_NOT_UNICAST, "DropNotUnicast", NOT_SPECIFIED)		\
	D(DROP_POLICY, "DropPolicy", XFRM_POLICY)			\
	D(DROP_FILTER, "DropFilter", SOCKET_FILTER)			\
	D(DROP_TTL, "DropMinTTL", NOT_SPECIFIED)			\
	D(DROP_BACKLOG, "DropBacklog", SOCKET_BACKLOG)			\
	D(DROP_FLAGS, "DropFlags", TCP_FLAGS)				\
	D(DROP_PAWS, "DropPAWS", TCP_RFC7323_PAWS)			\
	D(DROP_SEQ, "DropSequence", TCP_INVALID_SEQUENCE)		\
	D(DROP_RST_SEQ, "DropRstSequence", TCP_INVALID_SEQUENCE)	\
	D(DROP_RST, "DropReset", TCP_RESET)				\
	D(DROP_CHALLENGE_RST, "DropChallengeRst", TCP_RESET)		\
	D(DROP_CHALLENGE_SYN, "DropChallengeSyn", TCP_INVALID_SYN)	\
	D(DROP_NO_ACK, "DropNoAck", TCP_FLAGS)				\
	D(DROP_OLD_ACK, "DropOldAck", TCP_TOO_OLD_ACK)			\
	D(DROP_UNSENT_ACK, "DropUnsentAck", TCP_ACK_UNSENT_DATA)	\
	D(DROP_BAD_SYN_ACK, "DropBadSynAck", TCP_ACK_UNSENT_DATA)	\
	D(DROP_OLD_DATA, "DropOldData", TCP_OLD_DATA)			\
	D(DROP_OVERWINDOW, "DropOverWindow", TCP_OVERWINDOW)		\
	D(DROP_RCVBUF, "DropRcvBuf", SOCKET_RCVBUFF)			\
	D(DROP_MEM, "DropMemory", PROTO_MEM)				\
	D(DROP_OFO, "DropOfo", TCP_OFO_DROP)				\
	D(DROP_AFTER_CLOSE, "DropAfterClose", TCP_CLOSE)		\
	D(DROP_CLOSED, "DropClosed", TCP_CLOSE)				\
	D(DROP_LISTEN_FLAGS, "DropListenFlags", TCP_FLAGS)		\
	D(DROP_SYN_QUEUE, "DropSynQueueFull", NOT_SPECIFIED)		\
	D(DROP_ACCEPT_QUEUE, "ListenOverflows", NOT_SPECIFIED)		\
	D(DROP_LISTEN, "ListenDrops", NOT_SPECIFIED)			\
	D(DROP_REQUEST, "DropRequest", TCP_INVALID_SEQUENCE)		\
	D(DROP_DEFER_ACCEPT, "DropDeferAccept", NOT_SPECIFIED)		\
	D(DROP_TIMEWAIT, "DropTimeWait", TCP_INVALID_SEQUENCE)		\
	D(DROP_TIMEWAIT_RST, "DropTimeWaitRst", TCP_RESET)		\
	D(DROP_NO_ROUTE, "DropNoRoute", IP_OUTNOROUTES)

#define XTCP_KEPT 0

enum xtcp_mib {
	XTCP_MIB_NONE = XTCP_KEPT,
#define XTCP_C(id, name)		XTCP_##id,
#define XTCP_D(id, name, reason)	XTCP_##id,
	XTCP_MIBS(XTCP_C, XTCP_D)
#undef XTCP_C
#undef XTCP_D
	XTCP_NR_MIBS
};

#endif
