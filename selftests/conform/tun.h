/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The wire between the stack under test and the scripted peer: a TUN device in
 * a network namespace of the process.  Knows IP addresses and ICMP, nothing of
 * TCP; only peer.c calls it.
 */
#ifndef CONFORM_TUN_H
#define CONFORM_TUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <netinet/in.h>

void tun_init(void);
const struct in6_addr *tun_stack_ip(void);	/* of the running family */
const struct in6_addr *tun_peer_ip(void);

void tun_write(const void *pkt, size_t len);
/* Hand one packet to peer_receive(); false: none came before the deadline (ns). */
bool tun_read(uint64_t deadline);
/*
 * Send an echo request and read up to its reply: the stack has then done with
 * all that was written before, and its answers have been received.
 */
void tun_fence(void);
void tun_icmp(int type, int code, uint32_t info, const void *quoted, size_t len);

/* In peer.c: what the device received. */
void peer_receive(const uint8_t *pkt, size_t len, uint64_t time);

#endif
