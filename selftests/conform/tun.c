// SPDX-License-Identifier: GPL-2.0
/*
 * The TUN device, see tun.h.  192.0.2.1 and 2001:db8::1 are the stack under
 * test, .2 and ::2 the peer (addresses for documentation, RFC 5737 and 3849).
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <arpa/inet.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <kselftest.h>
#include "peer.h"
#include "tun.h"

struct in6_ifreq {
	struct in6_addr addr;
	uint32_t prefixlen;
	int ifindex;
};

static int tun = -1;
static struct in6_addr ips[2][2];	/* [IPv6][peer] */

static void must(bool ok, const char *what)
{
	if (!ok)
		ksft_exit_fail_msg("%s: %s\n", what, strerror(errno));
}

static void put(const char *path, const char *value)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	must(fd >= 0 && write(fd, value, strlen(value)) > 0, path);
	close(fd);
}

static int open_tun(void)
{
	int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0 && errno == ENOENT) {
		mkdir("/dev/net", 0755);
		mknod("/dev/net/tun", S_IFCHR | 0666, makedev(10, 200));
		fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	}
	must(fd >= 0, "/dev/net/tun");
	return fd;
}

static void set_up(int fd, const char *name)
{
	struct ifreq ifr = {};

	strcpy(ifr.ifr_name, name);
	must(!ioctl(fd, SIOCGIFFLAGS, &ifr), "SIOCGIFFLAGS");
	ifr.ifr_flags |= IFF_UP;
	must(!ioctl(fd, SIOCSIFFLAGS, &ifr), "SIOCSIFFLAGS");
}

static void add_v4(int fd, struct ifreq *ifr, int req, const char *addr)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };

	inet_pton(AF_INET, addr, &sin.sin_addr);
	memcpy(&ifr->ifr_addr, &sin, sizeof(sin));
	must(!ioctl(fd, req, ifr), "IPv4 address");
}

static void add_v6(struct ifreq *ifr)
{
	int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct in6_ifreq req = { .addr = ips[1][0], .prefixlen = 64 };

	must(fd >= 0, "IPv6 socket");
	must(!ioctl(fd, SIOCGIFINDEX, ifr), "SIOCGIFINDEX");
	req.ifindex = ifr->ifr_ifindex;
	must(!ioctl(fd, SIOCSIFADDR, &req), "IPv6 address");
	close(fd);
}

const struct in6_addr *tun_stack_ip(void)
{
	return &ips[family == AF_INET6][0];
}

const struct in6_addr *tun_peer_ip(void)
{
	return &ips[family == AF_INET6][1];
}

void tun_write(const void *pkt, size_t len)
{
	ssize_t n = write(tun, pkt, len);

	if (n != (ssize_t)len)
		fail("write to the TUN device: %s", strerror(errno));
}

/* ---- echo requests as a fence ---- */

static uint16_t echo_seq;
static bool echo_seen;

static bool is_echo_reply(const uint8_t *p, size_t len)
{
	if (len >= 28 && p[0] == 0x45 && p[9] == IPPROTO_ICMP && p[20] == 0)
		return p[26] << 8 == (echo_seq & 0xff00) && p[27] == (echo_seq & 0xff);
	if (len >= 48 && p[0] >> 4 == 6 && p[6] == IPPROTO_ICMPV6 && p[40] == 129)
		return p[46] << 8 == (echo_seq & 0xff00) && p[47] == (echo_seq & 0xff);
	return false;
}

/* Build and write an ICMP message of the peer's: 8 bytes of header, then body. */
void tun_icmp(int type, int code, uint32_t info, const void *quoted, size_t len)
{
	bool v6 = family == AF_INET6;
	uint8_t pkt[512] = {}, *p = pkt + (v6 ? 40 : 20);
	uint32_t sum = 0, be_info = htonl(info);

	memcpy(p + 8, quoted, len);
	memcpy(p + 4, &be_info, 4);
	p[0] = type;
	p[1] = code;
	len += 8;
	if (v6) {
		pkt[0] = 0x60;
		pkt[5] = len;
		pkt[6] = IPPROTO_ICMPV6;
		pkt[7] = 64;
		memcpy(pkt + 8, &ips[1][1], 16);
		memcpy(pkt + 24, &ips[1][0], 16);
		sum = (uint16_t)~ip_checksum(pkt + 8, 32, 0) + IPPROTO_ICMPV6 + len;
	} else {
		pkt[0] = 0x45;
		pkt[3] = 20 + len;
		pkt[8] = 64;
		pkt[9] = IPPROTO_ICMP;
		memcpy(pkt + 12, &ips[0][1], 4);
		memcpy(pkt + 16, &ips[0][0], 4);
		sum = ip_checksum(pkt, 20, 0);
		pkt[10] = sum >> 8;
		pkt[11] = sum;
		sum = 0;
	}
	sum = ip_checksum(p, len, sum);
	p[2] = sum >> 8;
	p[3] = sum;
	tun_write(pkt, (v6 ? 40 : 20) + len);
}

void tun_fence(void)
{
	uint64_t deadline = now_ns() + 5000000000ULL;

	echo_seq++;
	echo_seen = false;
	tun_icmp(family == AF_INET6 ? 128 : 8, 0, 0xc0de0000 | echo_seq, "", 0);
	while (!echo_seen)
		if (!tun_read(deadline))
			fail("no echo reply: is the stack's host alive?");
}

/*
 * Wait for a packet, but not beyond the deadline.  The kernel may wake us late by
 * a thousandth of a long time (its timer slack), so the last part is a short one.
 */
static void wait_for_packet(uint64_t ns)
{
	struct pollfd pfd = { .fd = tun, .events = POLLIN };
	struct timespec left;

	if (ns > 2000000)
		ns -= ns / 64;
	left.tv_sec = ns / 1000000000;
	left.tv_nsec = ns % 1000000000;
	ppoll(&pfd, 1, &left, NULL);
}

bool tun_read(uint64_t deadline)
{
	uint8_t pkt[4096];
	uint64_t now;
	ssize_t n;

	for (;;) {
		n = read(tun, pkt, sizeof(pkt));
		if (n > 0)
			break;
		now = now_ns();
		if (now >= deadline)
			return false;
		wait_for_packet(deadline - now);
	}
	if (is_echo_reply(pkt, n))
		echo_seen = true;
	else
		peer_receive(pkt, n, now_ns());
	return true;
}

/* IPv6 needs a moment before it answers; ask until it does. */
static void wait_for_address(void)
{
	uint64_t end = now_ns() + 5000000000ULL;

	echo_seq++;
	for (echo_seen = false; !echo_seen; tun_read(now_ns() + 2000000)) {
		if (now_ns() > end)
			ksft_exit_fail_msg("no echo reply from the new namespace\n");
		tun_icmp(family == AF_INET6 ? 128 : 8, 0, 0xc0de0000 | echo_seq, "", 0);
	}
}

void tun_init(void)
{
	struct ifreq ifr = { .ifr_flags = IFF_TUN | IFF_NO_PI };
	int fd;

	inet_pton(AF_INET, "192.0.2.1", &ips[0][0]);
	inet_pton(AF_INET, "192.0.2.2", &ips[0][1]);
	inet_pton(AF_INET6, "2001:db8::1", &ips[1][0]);
	inet_pton(AF_INET6, "2001:db8::2", &ips[1][1]);
	must(!unshare(CLONE_NEWNET), "unshare(CLONE_NEWNET), needs root");
	tun = open_tun();
	strcpy(ifr.ifr_name, "tun0");
	must(!ioctl(tun, TUNSETIFF, &ifr), "TUNSETIFF");
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	must(fd >= 0, "socket");
	put("/proc/sys/net/ipv6/conf/tun0/addr_gen_mode", "1");	/* no link-local one */
	put("/proc/sys/net/ipv6/conf/tun0/accept_ra", "0");
	add_v4(fd, &ifr, SIOCSIFADDR, "192.0.2.1");
	add_v4(fd, &ifr, SIOCSIFNETMASK, "255.255.255.0");
	set_up(fd, "lo");
	set_up(fd, "tun0");
	add_v6(&ifr);
	close(fd);
	for (family = AF_INET; family; family = family == AF_INET ? AF_INET6 : 0)
		wait_for_address();
}
