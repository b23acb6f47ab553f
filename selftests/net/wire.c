// SPDX-License-Identifier: GPL-2.0
/*
 * A cable between two devices that fails exactly as told, and the witness of what
 * went through it: an endless loop over two packet sockets and a heap of frames
 * to deliver.  In virtual time it costs no time itself.
 *
 *	wire [-d US] [-m MBIT] [-j US [-o]] [-s SEED] [-l LOG] DEV-A DEV-B [RULE]...
 *
 *	-d	delay of each direction
 *	-m	rate of each direction
 *	-j	random delay on top, from 0 to US; -o: frames stay in order
 *	-l	each packet of the connection, with its fate, to LOG
 * RULE, one argument each; ab is from A to B; bytes of the stream count from 0:
 *	"ab data FROM TO TIMES"	 drop the first TIMES transmissions of these bytes
 *	"ab syn TIMES", "ba synack TIMES", "ab fin TIMES"
 *	"ba acks FIRST COUNT"	 drop COUNT segments without text, from number FIRST on
 *	"ab slow EVERY US"	 every EVERY-th segment with text takes longer
 *	"ab shift BYTE US"	 the delay, both ways, once this byte has passed
 *
 * It knows one connection at a time, over protocol 253, IPv4 or IPv6; a SYN from A
 * begins it.  Prints `ready`, and at SIGTERM what it saw: `NAME VALUE` lines, the
 * names of a direction begin with ab_ or ba_; times are us after the first SYN.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define FRAME_MAX	70000
#define STREAM_MAX	(64 << 20)	/* bytes of a direction that are followed */
#define MAX_RULES	16
#define PROTOCOL	253

enum { FIN = 0x01, SYN = 0x02, RST = 0x04, ACK = 0x10 };

struct frame {
	uint64_t at, order;
	int to;
	size_t len;
	uint8_t data[];
};

struct packet {			/* what the cable understands of a frame */
	bool known;
	uint8_t flags;
	uint32_t ports;
	uint32_t seq, ack;
	long len;
};

struct rule {
	int dir;
	char what[8];
	long arg[3];
	long seen, dropped;
	uint64_t dropped_at, healed_at;
};

struct side {			/* what comes from it */
	int fd;
	uint64_t busy_until, last_at;
	bool started;
	uint32_t isn;
	uint8_t *sent, *through;	/* of each byte: transmissions, those not dropped */
	long syn, synack, fin, rst, data, again, vain, acks, dropped, bytes;
	uint64_t last_new;
};

static struct side side[2];
static struct rule rules[MAX_RULES];
static int nr_rules;
static uint64_t delay, jitter, nr_frames, random_state = 1, first_syn;
static double rate;		/* bytes a nanosecond, 0 = no limit */
static bool in_order;
static FILE *log_file;
static struct frame **heap;
static size_t heap_len, heap_room;
static volatile sig_atomic_t over;
static uint64_t established;
static uint32_t ports;		/* of the connection, as A sends them */

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

static uint64_t draw(uint64_t below)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return below ? (random_state >> 16) % below : 0;
}

/* ---- frames under way, the earliest first ---- */

static bool earlier(const struct frame *a, const struct frame *b)
{
	return a->at != b->at ? a->at < b->at : a->order < b->order;
}

static void swap(size_t i, size_t j)
{
	struct frame *f = heap[i];

	heap[i] = heap[j];
	heap[j] = f;
}

static void push(struct frame *f)
{
	size_t i = heap_len++;

	if (heap_len > heap_room) {
		heap_room = 2 * heap_len + 64;
		heap = realloc(heap, heap_room * sizeof(*heap));
		if (!heap)
			die("realloc");
	}
	heap[i] = f;
	for (; i && earlier(heap[i], heap[(i - 1) / 2]); i = (i - 1) / 2)
		swap(i, (i - 1) / 2);
}

static struct frame *pop(void)
{
	struct frame *first = heap[0];
	size_t i = 0, next;

	heap[0] = heap[--heap_len];
	while ((next = 2 * i + 1) < heap_len) {
		if (next + 1 < heap_len && earlier(heap[next + 1], heap[next]))
			next++;
		if (!earlier(heap[next], heap[i]))
			break;
		swap(i, next);
		i = next;
	}
	return first;
}

/* ---- packets ---- */

static uint32_t get32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | p[1] << 16 | p[2] << 8 | p[3];
}

static struct packet understand(const uint8_t *p, size_t len)
{
	struct packet pkt = { .known = false };
	size_t ip, total;

	if (len < 34)
		return pkt;
	if (p[12] == 0x08 && p[13] == 0x00 && p[14 + 9] == PROTOCOL) {
		ip = (p[14] & 15) * 4;
		total = p[16] << 8 | p[17];
	} else if (p[12] == 0x86 && p[13] == 0xdd && len >= 54 && p[14 + 6] == PROTOCOL) {
		ip = 40;
		total = 40 + (p[18] << 8 | p[19]);
	} else {
		return pkt;
	}
	p += 14 + ip;
	if (len < 14 + ip + 20 || len < 14 + total)
		return pkt;
	pkt.known = true;
	pkt.ports = get32(p);
	pkt.seq = get32(p + 4);
	pkt.ack = get32(p + 8);
	pkt.flags = p[13];
	pkt.len = (long)total - (long)ip - (p[12] >> 4) * 4;
	return pkt;
}

/* Where the text of @pkt lies in the stream; -1 where there is none to follow. */
static long position(const struct side *s, const struct packet *pkt)
{
	long pos = (uint32_t)(pkt->seq - s->isn - 1);

	return s->started && pkt->len > 0 && pos + pkt->len <= STREAM_MAX ? pos : -1;
}

static void begin(struct side *s, uint32_t isn)
{
	if (s->started && s->isn == isn)
		return;
	s->started = true;
	s->isn = isn;
	free(s->sent);
	free(s->through);
	s->sent = calloc(STREAM_MAX, 1);
	s->through = calloc(STREAM_MAX, 1);
	if (!s->sent || !s->through)
		die("calloc");
}

/* ---- rules ---- */

static bool rule_is(const struct rule *r, int dir, const char *what)
{
	return r->dir == dir && !strcmp(r->what, what);
}

/* Fewest earlier transmissions among the bytes of [from, to) in this segment */
static long times_sent(const struct side *s, long pos, long len, long from, long to)
{
	long i, low = 255;

	for (i = pos > from ? pos : from; i < pos + len && i < to; i++)
		if (s->sent[i] < low)
			low = s->sent[i];
	return low;
}

static bool covers(const struct rule *r, long pos, long len)
{
	return pos >= 0 && pos < r->arg[1] && pos + len > r->arg[0];
}

static bool matches(struct rule *r, int dir, const struct packet *pkt)
{
	const struct side *s = &side[dir];
	bool syn = pkt->flags & SYN, ack = pkt->flags & ACK;
	long pos = position(s, pkt);

	if (r->dir != dir)
		return false;
	if (rule_is(r, dir, "data"))
		return covers(r, pos, pkt->len) &&
		       times_sent(s, pos, pkt->len, r->arg[0], r->arg[1]) < r->arg[2];
	if (rule_is(r, dir, "syn"))
		return syn && !ack && r->seen++ < r->arg[0];
	if (rule_is(r, dir, "synack"))
		return syn && ack && r->seen++ < r->arg[0];
	if (rule_is(r, dir, "fin"))
		return pkt->flags & FIN && r->seen++ < r->arg[0];
	if (rule_is(r, dir, "acks") && ack && !(pkt->flags & (SYN | FIN | RST)) && !pkt->len) {
		long n = r->seen++;

		return n >= r->arg[0] && n < r->arg[0] + r->arg[1];
	}
	return false;
}

static bool dropped(int dir, const struct packet *pkt, uint64_t now)
{
	bool drop = false;

	for (struct rule *r = rules; r < rules + nr_rules; r++) {
		if (!matches(r, dir, pkt))
			continue;
		if (!r->dropped++)
			r->dropped_at = now;
		drop = true;
	}
	return drop;
}

/* What a rule adds to the delay of this packet; a shift changes the cable itself. */
static uint64_t slowed(int dir, const struct packet *pkt)
{
	long pos = position(&side[dir], pkt);
	uint64_t extra = 0;

	for (struct rule *r = rules; r < rules + nr_rules; r++) {
		if (rule_is(r, dir, "slow") && pkt->len > 0 && ++r->seen % r->arg[0] == 0)
			extra += r->arg[1] * 1000ULL;
		if (rule_is(r, dir, "shift") && pos >= 0 && pos + pkt->len > r->arg[0])
			delay = r->arg[1] * 1000ULL;
	}
	return extra;
}

/* Bytes that a rule dropped have come through, at @at. */
static void heal(int dir, const struct packet *pkt, uint64_t at)
{
	long pos = position(&side[dir], pkt);

	for (struct rule *r = rules; r < rules + nr_rules; r++)
		if (r->dropped && rule_is(r, dir, "data") && covers(r, pos, pkt->len) && at > r->healed_at)
			r->healed_at = at;
}

/* ---- the account ---- */

/* Counts @pkt and says in a word what it is. */
static const char *account(int dir, const struct packet *pkt, bool drop, uint64_t at)
{
	struct side *s = &side[dir];
	long pos = position(s, pkt), i, old = 0, held = 0;

	s->dropped += drop;
	s->rst += !!(pkt->flags & RST);
	s->fin += !!(pkt->flags & FIN);
	if (pkt->flags & SYN)
		return pkt->flags & ACK ? (s->synack++, "syn,ack") : (s->syn++, "syn");
	if (pos < 0)
		return (s->acks += !pkt->len && !(pkt->flags & (FIN | RST))), pkt->flags & FIN ? "fin" : "ack";
	for (i = pos; i < pos + pkt->len; i++) {
		old += !!s->sent[i];
		held += !!s->through[i];
		s->sent[i] += s->sent[i] < 255;
		s->through[i] |= !drop;
	}
	s->data++;
	s->again += old > 0;
	s->vain += held == pkt->len;
	if (!drop && held < pkt->len) {
		s->bytes += pkt->len - held;
		s->last_new = at;
	}
	return held == pkt->len ? "in vain" : old ? "again" : "data";
}

static void tell(int dir, const struct packet *pkt, const char *what, bool drop, uint64_t now, uint64_t at)
{
	if (log_file)
		fprintf(log_file, "%10.1f %s %-8s seq %ld len %ld ack %ld%s -> %.1f\n", (now - first_syn) / 1e3,
			dir ? "<-" : "->", what, (long)(uint32_t)(pkt->seq - side[dir].isn), pkt->len,
			(long)(uint32_t)(pkt->ack - side[!dir].isn), drop ? " DROPPED" : "",
			drop ? 0.0 : (at - first_syn) / 1e3);
}

/* ---- one frame ---- */

static uint64_t arrival(int dir, size_t len, uint64_t now, uint64_t extra)
{
	struct side *s = &side[dir];
	uint64_t start = s->busy_until > now ? s->busy_until : now, at;

	s->busy_until = start + (rate > 0 ? (uint64_t)(len / rate) : 0);
	at = s->busy_until + delay + draw(jitter + 1) + extra;
	if (in_order && at < s->last_at)
		at = s->last_at;
	if (!extra)
		s->last_at = at;
	return at;
}

static void frame_in(int dir, const uint8_t *data, size_t len, uint64_t now)
{
	struct packet pkt = understand(data, len);
	bool drop = false;
	struct frame *f;
	uint64_t at;

	if (pkt.known && pkt.flags & SYN && !dir && !first_syn) {
		first_syn = now;
		ports = pkt.ports;
	}
	/* what an earlier connection still has to say passes unseen */
	if (pkt.known && pkt.ports != (dir ? ports << 16 | ports >> 16 : ports))
		pkt.known = false;
	if (pkt.known && pkt.flags & SYN)
		begin(&side[dir], pkt.seq);
	else if (pkt.known && !dir && !established)
		established = now;
	if (pkt.known)
		drop = dropped(dir, &pkt, now);
	at = arrival(dir, len, now, pkt.known ? slowed(dir, &pkt) : 0);
	if (pkt.known) {
		if (!drop)
			heal(dir, &pkt, at);
		tell(dir, &pkt, account(dir, &pkt, drop, at), drop, now, at);
	}
	if (drop)
		return;
	f = malloc(sizeof(*f) + len);
	if (!f)
		die("malloc");
	*f = (struct frame){ .at = at, .order = nr_frames++, .to = !dir, .len = len };
	memcpy(f->data, data, len);
	push(f);
}

static void take_frames(int dir)
{
	static uint8_t buf[FRAME_MAX];
	struct sockaddr_ll from;
	socklen_t size;
	ssize_t n;

	while (size = sizeof(from),
	       (n = recvfrom(side[dir].fd, buf, sizeof(buf), MSG_DONTWAIT, (void *)&from, &size)) >= 0)
		if (from.sll_pkttype != PACKET_OUTGOING)
			frame_in(dir, buf, n, now_ns());
}

static void deliver(void)
{
	while (heap_len && heap[0]->at <= now_ns()) {
		struct frame *f = pop();

		if (send(side[f->to].fd, f->data, f->len, 0) < 0 && errno != ENETDOWN && errno != ENOBUFS)
			die("send");
		free(f);
	}
}

static void run(void)
{
	struct pollfd pfd[2] = { { side[0].fd, POLLIN, 0 }, { side[1].fd, POLLIN, 0 } };
	sigset_t none;

	sigemptyset(&none);
	while (!over) {
		uint64_t now = now_ns(), wait = heap_len && heap[0]->at > now ? heap[0]->at - now : 0;
		struct timespec ts = { wait / 1000000000, wait % 1000000000 };

		if (ppoll(pfd, 2, heap_len ? &ts : NULL, &none) < 0 && errno != EINTR)
			die("ppoll");
		take_frames(0);
		take_frames(1);
		deliver();
	}
}

/* ---- begin and end ---- */

static int open_device(const char *name)
{
	struct sockaddr_ll ll = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL),
				  .sll_ifindex = if_nametoindex(name) };
	int room = 16 << 20, fd = socket(AF_PACKET, SOCK_RAW, htons(ETH_P_ALL));

	if (fd < 0 || !ll.sll_ifindex || bind(fd, (void *)&ll, sizeof(ll)))
		die(name);
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room));
	setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof(room));
	return fd;
}

static void add_rule(const char *text)
{
	struct rule *r = &rules[nr_rules++];
	char dir[3];

	if (nr_rules > MAX_RULES ||
	    sscanf(text, "%2s %7s %ld %ld %ld", dir, r->what, &r->arg[0], &r->arg[1], &r->arg[2]) < 3 ||
	    (strcmp(dir, "ab") && strcmp(dir, "ba"))) {
		fprintf(stderr, "wire: what is '%s'?\n", text);
		exit(2);
	}
	r->dir = !strcmp(dir, "ba");
}

static double after_syn(uint64_t at)
{
	return at ? (at - first_syn) / 1e3 : 0;
}

static void summary(void)
{
	printf("established %.0f\n", after_syn(established));
	for (int d = 0; d < 2; d++) {
		const char *name = d ? "ba" : "ab";
		struct side *s = &side[d];

		printf("%s_syn %ld\n%s_synack %ld\n%s_fin %ld\n%s_rst %ld\n%s_acks %ld\n", name, s->syn, name,
		       s->synack, name, s->fin, name, s->rst, name, s->acks);
		printf("%s_data %ld\n%s_again %ld\n%s_vain %ld\n%s_dropped %ld\n%s_bytes %ld\n%s_done %.0f\n", name,
		       s->data, name, s->again, name, s->vain, name, s->dropped, name, s->bytes, name,
		       after_syn(s->last_new));
	}
	for (int i = 0; i < nr_rules; i++)
		printf("rule%d_dropped %ld\nrule%d_healed %.0f\n", i, rules[i].dropped, i,
		       rules[i].healed_at ? (rules[i].healed_at - rules[i].dropped_at) / 1e3 : 0);
}

static void stop(int sig)
{
	(void)sig;
	over = 1;
}

int main(int argc, char **argv)
{
	struct sigaction end = { .sa_handler = stop };
	sigset_t term;
	int o;

	while ((o = getopt(argc, argv, "d:m:j:os:l:")) != -1) {
		switch (o) {
		case 'd':
			delay = atol(optarg) * 1000ULL;
			break;
		case 'm':
			rate = atof(optarg) / 8e3;
			break;
		case 'j':
			jitter = atol(optarg) * 1000ULL;
			break;
		case 'o':
			in_order = true;
			break;
		case 's':
			random_state = atol(optarg) * 0x9e3779b97f4a7c15ULL | 1;
			break;
		case 'l':
			log_file = fopen(optarg, "w");
			break;
		default:
			return 2;
		}
	}
	if (argc - optind < 2)
		return 2;
	for (int i = optind + 2; i < argc; i++)
		add_rule(argv[i]);
	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	sigprocmask(SIG_BLOCK, &term, NULL);	/* comes in while polling only */
	sigaction(SIGTERM, &end, NULL);
	prctl(PR_SET_TIMERSLACK, 1);
	side[0].fd = open_device(argv[optind]);
	side[1].fd = open_device(argv[optind + 1]);
	printf("ready\n");
	fflush(stdout);
	run();
	summary();
	if (log_file)
		fclose(log_file);
	return 0;
}
