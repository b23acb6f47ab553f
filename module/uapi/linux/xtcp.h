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

/* Defaults; the module parameters "family" and "protocol" change them. */
#define AF_XTCP			19	/* address family of the first door */
#define PF_XTCP			AF_XTCP
#define IPPROTO_XTCP		253	/* IP protocol number, RFC 3692 */
#define SOL_XTCP		253	/* option level; SOL_TCP works as well */

/* The protocol argument of socket(AF_XTCP, SOCK_STREAM, ...). */
#define XTCPPROTO_V4		0
#define XTCPPROTO_V6		1

#endif
