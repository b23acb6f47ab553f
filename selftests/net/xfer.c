// SPDX-License-Identifier: GPL-2.0
/*
 * Moves bytes both ways over N connections at once and proves by SHA-256 that
 * what arrived is what was sent.  One process, one poll loop; the network
 * tests start it twice, as server and as client.
 *
 *	xfer -s -p PORT [-d DOOR] [-6] [-n BYTES] [-c CONNECTIONS] [-m HOW] [-a ADDR]
 *	xfer    -p PORT [-d DOOR] [-6] [-n BYTES] [-c CONNECTIONS] [-m HOW] -a ADDR
 *
 * DOOR is tcp, inet or xtcp.  HOW bytes are sent: copy (by send()) or file (by sendfile(),
 * out of memory that is written only once).  Each stream starts with its seed, so that the
 * receiver can make the same bytes and compare; FIN must come exactly behind
 * the last byte.  Prints `ok BYTES SHA256` for each stream received, and exits
 * with 0 only if every stream of every connection was right.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <openssl/evp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <linux/xtcp.h>

#define CHUNK 65536

struct stream {			/* a generator of bytes, and their hash */
	uint64_t state;
	uint64_t done;
	EVP_MD_CTX *sha;
};

struct conn {
	int fd;
	bool sending, receiving, seeded;
	struct stream out, in, expected;
	uint8_t *chunk;
	size_t off, len;	/* of chunk: not yet sent */
	int file;		/* chunk lies in it, at @at */
	off_t at;
	uint8_t seed[8];
	size_t seed_len;
};

static const char *door = "inet", *addr;
static int family = AF_INET, port, connections = 1;
static uint64_t bytes = 10 << 20;
static bool server;
static enum { COPY, SENDFILE } how;
static int failed;

static void die(const char *what)
{
	perror(what);
	exit(1);
}

/* ---- streams ---- */

/* xorshift64*: quick, and any byte lost, doubled or moved shows */
static void generate(struct stream *s, uint8_t *p, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if ((s->done + i) % 8 == 0) {
			s->state ^= s->state >> 12;
			s->state ^= s->state << 25;
			s->state ^= s->state >> 27;
		}
		p[i] = (s->state * 0x2545f4914f6cdd1dULL) >> (8 * ((s->done + i) % 8));
	}
	s->done += len;
	EVP_DigestUpdate(s->sha, p, len);
}

static void stream_init(struct stream *s, uint64_t seed)
{
	s->state = seed | 1;
	s->done = 0;
	s->sha = EVP_MD_CTX_new();
	EVP_DigestInit_ex(s->sha, EVP_sha256(), NULL);
}

static void digest(struct stream *s, char *hex)
{
	uint8_t md[EVP_MAX_MD_SIZE];
	unsigned int n;

	EVP_DigestFinal_ex(s->sha, md, &n);
	for (unsigned int i = 0; i < n; i++)
		sprintf(hex + 2 * i, "%02x", md[i]);
	EVP_MD_CTX_free(s->sha);
}

/* ---- connections ---- */

/* A place for chunks: for one, used again and again, or in a file for all that is to be sent */
static void make_room(struct conn *c)
{
	size_t size = bytes + 8;

	if (how == COPY) {
		c->chunk = malloc(CHUNK);
		return;
	}
	c->file = memfd_create("xfer", 0);
	if (c->file < 0 || ftruncate(c->file, size))
		die("memfd");
	c->chunk = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, c->file, 0);
	if (c->chunk == MAP_FAILED)
		die("mmap");
}

static void next_chunk(struct conn *c)
{
	if (how != COPY) {
		c->chunk += c->off;
		c->at += c->off;
	}
	c->len = bytes - c->out.done < CHUNK ? bytes - c->out.done : CHUNK;
	c->off = 0;
	generate(&c->out, c->chunk, c->len);
}

static ssize_t send_chunk(struct conn *c)
{
	off_t off = c->at + c->off;

	if (how == SENDFILE)
		return sendfile(c->fd, c->file, &off, c->len);
	return send(c->fd, c->chunk + c->off, c->len, MSG_NOSIGNAL);
}

static void conn_init(struct conn *c, int fd, uint64_t seed)
{
	c->fd = fd;
	c->sending = true;
	c->receiving = true;
	stream_init(&c->out, seed);
	make_room(c);
	memcpy(c->chunk, &c->out.state, 8);
	c->len = 8;
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

static void fail(struct conn *c, const char *what)
{
	fprintf(stderr, "xfer: %s after %llu bytes in, %llu out: %s\n", what,
		(unsigned long long)c->in.done, (unsigned long long)c->out.done,
		strerror(errno));
	failed++;
	close(c->fd);
	c->fd = -1;
}

static void finish(struct conn *c)
{
	char got[80], want[80];
	uint64_t n = c->in.done;

	digest(&c->in, got);
	digest(&c->expected, want);
	if (n != bytes || strcmp(got, want)) {
		fprintf(stderr, "xfer: %llu bytes %s, expected %s\n",
			(unsigned long long)n, got, want);
		failed++;
	} else {
		printf("ok %llu %s\n", (unsigned long long)n, got);
	}
}

static void send_some(struct conn *c)
{
	ssize_t n;

	if (!c->len)
		next_chunk(c);
	if (c->len) {
		n = send_chunk(c);
		if (n < 0) {
			if (errno != EAGAIN)
				fail(c, "send");
			return;
		}
		c->off += n;
		c->len -= n;
	}
	if (!c->len && c->out.done == bytes) {
		c->sending = false;
		shutdown(c->fd, SHUT_WR);
	}
}

static void take(struct conn *c, const uint8_t *p, size_t n)
{
	static uint8_t ref[CHUNK];

	while (n && c->seed_len < 8) {
		c->seed[c->seed_len++] = *p++;
		n--;
	}
	if (c->seed_len == 8 && !c->seeded) {
		uint64_t seed;

		memcpy(&seed, c->seed, 8);
		stream_init(&c->in, 0);
		stream_init(&c->expected, seed);
		c->seeded = true;
	}
	if (!n)
		return;
	EVP_DigestUpdate(c->in.sha, p, n);
	c->in.done += n;
	generate(&c->expected, ref, n);
}

static void receive_some(struct conn *c)
{
	static uint8_t buf[CHUNK];
	ssize_t n = recv(c->fd, buf, sizeof(buf), 0);

	if (n > 0) {
		take(c, buf, n);
	} else if (n == 0) {
		c->receiving = false;
		if (c->seeded) {
			finish(c);
		} else {
			errno = 0;
			fail(c, "end of stream");
		}
	} else if (errno != EAGAIN) {
		fail(c, "recv");
	}
}

/* ---- sockets ---- */

static int make_socket(void)
{
	bool v6 = family == AF_INET6;
	int fd;

	if (!strcmp(door, "xtcp"))
		fd = socket(AF_XTCP, SOCK_STREAM, v6 ? XTCPPROTO_V6 : XTCPPROTO_V4);
	else
		fd = socket(family, SOCK_STREAM, strcmp(door, "tcp") ? IPPROTO_XTCP : 0);
	if (fd < 0)
		die("socket");
	return fd;
}

static socklen_t make_addr(struct sockaddr_storage *ss)
{
	struct sockaddr_in *in = (void *)ss;
	struct sockaddr_in6 *in6 = (void *)ss;

	memset(ss, 0, sizeof(*ss));
	ss->ss_family = family;
	if (family == AF_INET) {
		in->sin_port = htons(port);
		if (addr && inet_pton(AF_INET, addr, &in->sin_addr) != 1)
			die(addr);
		return sizeof(*in);
	}
	in6->sin6_port = htons(port);
	if (addr && inet_pton(AF_INET6, addr, &in6->sin6_addr) != 1)
		die(addr);
	return sizeof(*in6);
}

static void accept_all(struct conn **conns, uint64_t seed)
{
	struct sockaddr_storage ss;
	socklen_t len = make_addr(&ss);
	int one = 1, lfd = make_socket();

	setsockopt(lfd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(lfd, (struct sockaddr *)&ss, len))
		die("bind");
	if (listen(lfd, connections))
		die("listen");
	printf("listening\n");
	fflush(stdout);
	for (int i = 0; i < connections; i++) {
		int fd = accept(lfd, NULL, NULL);

		if (fd < 0)
			die("accept");
		conn_init(conns[i], fd, seed + 2 * i);
	}
	close(lfd);
}

static void connect_all(struct conn **conns, uint64_t seed)
{
	struct sockaddr_storage ss;
	socklen_t len = make_addr(&ss);

	for (int i = 0; i < connections; i++) {
		int fd = make_socket();

		fcntl(fd, F_SETFL, O_NONBLOCK);
		if (connect(fd, (struct sockaddr *)&ss, len) && errno != EINPROGRESS)
			die("connect");
		conn_init(conns[i], fd, seed + 2 * i);
	}
}

/* ---- the loop ---- */

static int fill(struct pollfd *pfd, struct conn **conns)
{
	int open = 0;

	for (int i = 0; i < connections; i++) {
		struct conn *c = conns[i];

		if (c->fd >= 0 && !c->sending && !c->receiving) {
			close(c->fd);
			c->fd = -1;
		}
		pfd[i].fd = c->fd;
		pfd[i].events = (c->sending ? POLLOUT : 0) | (c->receiving ? POLLIN : 0);
		open += c->fd >= 0;
	}
	return open;
}

static void run(struct conn **conns)
{
	struct pollfd *pfd = calloc(connections, sizeof(*pfd));

	while (fill(pfd, conns)) {
		if (poll(pfd, connections, -1) < 0)
			die("poll");
		for (int i = 0; i < connections; i++) {
			struct conn *c = conns[i];

			if (pfd[i].revents & (POLLIN | POLLERR | POLLHUP) && c->receiving)
				receive_some(c);
			if (c->fd >= 0 && pfd[i].revents & POLLOUT && c->sending)
				send_some(c);
		}
	}
	free(pfd);
}

static void parse(int argc, char **argv)
{
	int o;

	while ((o = getopt(argc, argv, "s6p:d:n:c:m:a:")) != -1) {
		switch (o) {
		case 's':
			server = true;
			break;
		case '6':
			family = AF_INET6;
			break;
		case 'p':
			port = atoi(optarg);
			break;
		case 'd':
			door = optarg;
			break;
		case 'n':
			bytes = strtoull(optarg, NULL, 0);
			break;
		case 'c':
			connections = atoi(optarg);
			break;
		case 'm':
			how = strcmp(optarg, "file") ? COPY : SENDFILE;
			break;
		case 'a':
			addr = optarg;
			break;
		default:
			exit(2);
		}
	}
	if (!port || connections < 1 || (!server && !addr))
		exit(2);
}

int main(int argc, char **argv)
{
	uint64_t seed;
	struct conn **conns;

	parse(argc, argv);
	seed = (uint64_t)time(NULL) << 20 ^ (uint64_t)getpid() << 4 ^ server;
	conns = calloc(connections, sizeof(*conns));
	for (int i = 0; i < connections; i++)
		conns[i] = calloc(1, sizeof(**conns));
	if (server)
		accept_all(conns, seed);
	else
		connect_all(conns, seed);
	run(conns);
	return failed ? 1 : 0;
}
