/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The scripted peer: the other host of every conversation.
 *
 * It sits on a TUN device in a network namespace of its own and is driven
 * segment by segment:
 *
 *	inject(SYN, .seq = 0, .mss = 1460);
 *	expect(SYN | ACK, .seq = 0, .ack = 1);
 *	inject(ACK, .seq = 1, .ack = 1);
 *	expect_nothing();
 *
 * A script has one conversation, or several that it switches with use().  What
 * isn't TCP or XTCP (neighbour discovery, multicast listener reports) is
 * ignored; a segment under the other protocol number fails the script: each
 * test proves which stack answered.  Nothing here sleeps: expect() polls the
 * device up to a deadline, expect_nothing() sends an echo request behind the
 * segments and reads up to its reply, since the device keeps the order.
 */
#ifndef CONFORM_PEER_H
#define CONFORM_PEER_H

#include "segment.h"
#include "stack.h"
#include "script.h"

#define PEER_WIN	32000		/* the usual window of the peer */
#define MTU		1500
#define MSS_V4		1460
#define MSS_V6		1440
#define MSS		(family == AF_INET ? MSS_V4 : MSS_V6)

struct conv {
	uint16_t port, peer_port;	/* of the stack under test; of the peer */
	int fd;				/* the stack's socket, -1 if none */
	int lfd;			/* its listener, -1 if none */

	uint32_t iss, irs;		/* ISN of the peer; of the stack */
	bool have_irs;
	int win;			/* what inject() advertises */
	bool ts;			/* timestamps negotiated: inject() adds them */
	bool ts_us;			/* in microseconds */
	uint32_t ts_offset, ts_last;	/* the peer's clock; last TSval received */
	int ws;				/* the stack's window shift, 0 if none */

	int rcv_nxt;			/* last ACK of the stack: its RCV.NXT */
	int edge;			/* right edge of the window it offers */
	int snd_nxt;			/* highest sequence number it has used */

	int read_pos, write_pos;	/* of stack_read() and stack_write() in the stream */
	struct packet *queue, **tail;	/* received, not yet expected */
	struct conv *next;
};

extern struct conv *c;		/* the conversation in use */

void peer_init(void);		/* namespace, device, addresses */
void peer_begin(void);		/* before each script: conversation 0, fresh ports */
void peer_end(void);		/* after it: resets whatever is left over */
struct conv *conv_new(void);	/* another conversation; not yet in use */
static inline void use(struct conv *conv)
{
	c = conv;
}

#define WHERE_STR(l)	#l
#define WHERE_LINE(l)	WHERE_STR(l)
#define WHERE		__FILE__ ":" WHERE_LINE(__LINE__)

/* Put a segment of the peer on the wire. */
#define inject(flags_, ...) \
	peer_inject(&(struct seg){ .flags = (flags_), .where = WHERE, ##__VA_ARGS__ })
/*
 * The next segment of the stack is exactly this one: flags (PSH aside), seq, ack
 * and length always, window and options where given.  Returns it.
 */
#define expect(flags_, ...) \
	peer_expect(&(struct seg){ .flags = (flags_), .where = WHERE, ##__VA_ARGS__ })
/* Take the next segment, which must come within ms, whatever it is; or NULL. */
struct seg *peer_next(double ms);
/* The stack has sent nothing (up to now; for so long). */
#define expect_nothing()	peer_expect_nothing(WHERE)
#define expect_nothing_for(ms)	peer_expect_nothing_for(ms, WHERE)

void peer_inject(const struct seg *s);
struct seg *peer_expect(const struct seg *s);
void peer_expect_nothing(const char *where);
void peer_expect_nothing_for(double ms, const char *where);
/* All that the stack has sent in answer so far is queued in c when this returns. */
void peer_fence(void);
bool peer_queued(void);

/* An ICMP error about the stack's segment [seq, ...) of this conversation. */
void inject_icmp(int type, int code, uint32_t info, int seq);
/* Raw bytes behind an IP header of ours; for what struct seg can't express. */
void inject_raw(const void *data, int len);

/* ---- addresses and the socket side of a conversation ---- */

union addr {
	struct sockaddr sa;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

socklen_t peer_addr(union addr *a, uint16_t port);
socklen_t stack_addr(union addr *a, uint16_t port);

void stack_listen(int backlog);		/* c->lfd on a fresh port */
void stack_connect(void);		/* c->fd, non-blocking: expects EINPROGRESS */
void stack_accept(void);		/* c->fd from c->lfd; must be there now */
void stack_close(void);			/* close(c->fd) */
void stack_shutdown(int how);
void stack_write(int len);		/* pattern from where the last write ended */
void stack_read(int len);		/* exactly len bytes of the peer's pattern */
void stack_read_eof(void);
/* recv() gives this error now. */
void stack_read_errno(int err);
int stack_error(void);			/* SO_ERROR */
void stack_opt(int level, int name, int value);
bool stack_readable(double ms);		/* poll() says POLLIN within ms */

#define state_is(s) do {						\
	enum state st_ = stack_state(c->fd, c->port, c->peer_port);	\
	if (st_ != (s))							\
		fail("%s: state %s, expected %s", WHERE,		\
		     state_name[st_], state_name[s]);			\
} while (0)

/* The state becomes s within ms: for timers that show on no wire. */
void state_becomes(enum state s, double ms);

uint64_t now_ns(void);
double since_mark(void);	/* ms since the last inject(), expect() or mark() */
void mark(void);

#endif
