/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The stack under test seen from above: its door (environment variable STACK),
 * sockets, sysctls, states and counters.  Everything that differs between
 * kernel TCP and XTCP outside the wire is in stack.c; peer.c sees only
 * stack_proto.
 *
 *	STACK=tcp	socket(AF_INET*, SOCK_STREAM, 6): the reference (default)
 *	STACK=inet	socket(AF_INET*, SOCK_STREAM, 253)
 *	STACK=xtcp	socket(AF_XTCP, SOCK_STREAM, 0 or 1)
 */
#ifndef CONFORM_STACK_H
#define CONFORM_STACK_H

#include <stdbool.h>
#include <stdint.h>
#include <netinet/in.h>

enum stack { STACK_TCP, STACK_INET, STACK_XTCP };

extern enum stack stack;
extern int stack_proto;		/* 6 or 253: what must be on the wire */
extern int family;		/* AF_INET or AF_INET6 of the running script */

/* RFC 9293 3.3.2; SYN-RECEIVED is two states, see DESIGN.md */
enum state {
	CLOSED, LISTEN, SYN_SENT, SYN_RECEIVED, SYN_RECEIVED_ACTIVE, ESTABLISHED,
	FIN_WAIT_1, FIN_WAIT_2, CLOSE_WAIT, CLOSING, LAST_ACK, TIME_WAIT, NR_STATES,
	STAY = NR_STATES,	/* in a table: no change */
};

extern const char *const state_name[NR_STATES];

void stack_init(void);			/* reads STACK; exits with KSFT_SKIP if absent */
void stack_setup(void);			/* once in the new namespace: sane sysctls */
int stack_socket(void);			/* non-blocking, closed after the script */
int stack_own(int fd);			/* same for a descriptor from accept() */
void stack_forget(int fd);		/* the script closes this one itself */
void stack_close_all(void);

/*
 * The state of the connection (port, peer_port), from /proc/net, and, where a
 * descriptor exists (fd >= 0), checked against TCP_INFO.  CLOSED: no entry.
 */
enum state stack_state(int fd, uint16_t port, uint16_t peer_port);
/* The listener's own: LISTEN or CLOSED. */
enum state stack_listener(uint16_t port);

/* net.ipv4.tcp_NAME or net.xtcp.NAME, put back after the script. */
void sysctl_set(const char *name, long value);
bool sysctl_try(const char *name, const char *value);	/* false: no such file */
long sysctl_get(const char *name);
void sysctl_restore(void);
/* One that only does something when 1 is written to it. */
void sysctl_order(const char *name);

/* A counter of the namespace, 0 if it isn't there (names as in nstat). */
long counter(const char *name);
/* The sum of all counters whose name starts so; XTCP only. */
long counters(const char *prefix);

/* The stack under test has sent something in this namespace, and the other nothing. */
bool stack_was_used(void);

/* Version of the kernel as KV(6, 1): which deviations of kernel TCP to expect. */
#define KV(major, minor) ((major) * 1000 + (minor))
int kernel_version(void);

/* How late a timer of this stack may be, for one that is due after ms. */
double timer_slack(double ms);

#endif
