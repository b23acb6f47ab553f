/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * What a user program may rely on: the numbers of XTCP's two doors and of its
 * own socket options.  Everything that TCP has too (TCP_NODELAY, struct
 * tcp_info, ...) keeps the number and layout of <linux/tcp.h>.
 *
 *	fd = socket(AF_XTCP, SOCK_STREAM, 0);			IPv4
 *	fd = socket(AF_XTCP, SOCK_STREAM, XTCPPROTO_V6);	IPv6
 *	fd = socket(AF_INET, SOCK_STREAM, IPPROTO_XTCP);	IPv4
 *	fd = socket(AF_INET6, SOCK_STREAM, IPPROTO_XTCP);	IPv6
 */
#ifndef _UAPI_LINUX_XTCP_H
#define _UAPI_LINUX_XTCP_H

#include <linux/types.h>

/* Defaults; the module parameters "family" and "protocol" change them. */
#define AF_XTCP			19	/* address family of the first door */
#define PF_XTCP			AF_XTCP
#define IPPROTO_XTCP		253	/* IP protocol number, RFC 3692 */
#define SOL_XTCP		253	/* option level; SOL_TCP works as well */

/* The protocol argument of socket(AF_XTCP, SOCK_STREAM, ...). */
#define XTCPPROTO_V4		0
#define XTCPPROTO_V6		1

/* Socket options that TCP does not have; int unless something else is said. */
#define XTCP_NEGOTIATE		1024	/* offer and answer the XTCP option: 0, 1 */
#define XTCP_RTO_FLOOR		1025	/* us: lower bound of the timeout with such a peer */
#define XTCP_INFO		1026	/* struct xtcp_info, read only */

#define XTCP_INFO_NEGOTIATED	0x01	/* the peer has answered the XTCP option */
#define XTCP_INFO_TS_US		0x02	/* timestamps count microseconds */

/* What TCP_INFO has no field for.  It may grow at its end; a shorter buffer gets its
 * beginning.  A time of 0 ns is not known.
 */
struct xtcp_info {
	__u32	xtcpi_flags;		/* XTCP_INFO_* */
	__u32	xtcpi_ack_delay;	/* us: longest delay of our ACKs that is in force */
	__u32	xtcpi_peer_ack_delay;	/* us: that of the peer's; 0 = nothing promised */
	__u32	xtcpi_rto_floor;	/* us: in force, doublings included */
	__u64	xtcpi_srtt;		/* ns, RFC 6298 */
	__u64	xtcpi_rttvar;		/* ns */
	__u64	xtcpi_rto;		/* ns, back-off included */
	__u64	xtcpi_min_rtt;		/* ns */
};

#endif
