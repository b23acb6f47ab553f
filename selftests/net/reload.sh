#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Load, traffic, rmmod refused while a socket is open or orphaned, last close, rmmod with TIME-WAIT
# entries, requests and the traffic of strangers still there. ROUNDS times; the arrow counts of each life of the
# module are kept in /out.
. ./lib.sh
ROUNDS=${ROUNDS:-5}
KO=${KO:-/xtcp.ko}
STRANGE=$((ROUNDS < 2 ? ROUNDS : 2))	# rounds with strangers: python takes its time on slow machines
plan $((6 * ROUNDS + 2 * STRANGE + 1))

refused() { ! rmmod xtcp 2>/dev/null && [[ -d /sys/module/xtcp ]]; }
save_arrows() { [[ ! -d /out ]] || cat /proc/net/xtcp_fsm >>/out/fsm.reload; }
unloaded() { rmmod xtcp 2>/dev/null || [[ ! -d /sys/module/xtcp ]]; }
time_wait() { ip netns exec a grep -q ' 06 ' /proc/net/xtcp || ip netns exec b grep -q ' 06 ' /proc/net/xtcp; }

hold_listener() {
	ip netns exec b ./xfer -s -p 7000 -n 10 >/dev/null 2>&1 &
	HOLDER=$!
	until_true 10 ip netns exec b grep -q ':1B58 .* 0A ' /proc/net/xtcp
}
drop_listener() { kill -9 $HOLDER; wait $HOLDER 2>/dev/null; true; }

# A sender killed behind a dead link leaves an orphan that retransmits. It has nothing unread, which
# would make its close a reset.
make_orphan() {
	local server client port=x1B5A zero=x0000000000000000
	ip netns exec b socat -u "SOCKET-LISTEN:2:253:${port}x00000000$zero" OPEN:/dev/null &
	server=$!
	until_true 10 ip netns exec b grep -q ':1B5A .* 0A ' /proc/net/xtcp || return 1
	ip netns exec a socat -u OPEN:/dev/zero "SOCKET-CONNECT:2:253:${port}x0a000102$zero" &
	client=$!
	until_true 10 ip netns exec a grep -q ' 01 ' /proc/net/xtcp || return 1
	ip -n a link set eth-b down
	kill -9 $client $server
	wait $client $server 2>/dev/null
	orphans
}
orphans() { ip netns exec a awk 'FNR > 1 && $4 != "06" && $10 == 0' /proc/net/xtcp | grep -q .; }
abort_orphans() {
	local h
	for h in a b; do ip netns exec $h sysctl -qw net.xtcp.abort_orphans=1 || return 1; done
	ip -n a link set eth-b up
}

# A stranger on the cable: SYNs from addresses that never answer, and data for nobody, without end.
STRANGER='
import itertools, socket, struct, sys, time
v6, port = sys.argv[1] == "6", int(sys.argv[2])
inet = socket.AF_INET6 if v6 else socket.AF_INET
to = socket.inet_pton(inet, "fd00:1::2" if v6 else "10.0.1.2")
s = socket.socket(inet, socket.SOCK_RAW, socket.IPPROTO_RAW)
for n in itertools.count():
    me = socket.inet_pton(inet, ("fd00:1::7:%x" if v6 else "10.0.1.%d") % (100 + n % 100))
    seg = struct.pack("!HHIIBBHHH", 1024 + n % 60000, port, n, n, 5 << 4, 2 if n % 2 else 24, 500, 0, 0)
    sums = me + to + struct.pack("!HH", 253, len(seg)) + seg
    t = sum(struct.unpack("!%dH" % (len(sums) // 2), sums))
    while t >> 16:
        t = (t & 0xffff) + (t >> 16)
    seg = seg[:16] + struct.pack("!H", ~t & 0xffff) + seg[18:]
    if v6:
        ip = struct.pack("!IHBB", 6 << 28, len(seg), 253, 64) + me + to
    else:
        ip = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(seg), 0, 0, 64, 253, 0) + me + to
    try:
        s.sendto(ip + seg, ("fd00:1::2" if v6 else "10.0.1.2", 0))
    except OSError:
        pass
    if n % 20 == 0:
        time.sleep(0.001)
'
requests() { ip netns exec b grep -q ' 03 ' /proc/net/xtcp /proc/net/xtcp6; }

# Requests in SYN-RECEIVED and TIME-WAIT entries there, segments on their way: none of it holds the module.
under_strangers() {
	local family=$1 v6="" stranger status=0
	[[ $family == 4 ]] || v6=-6
	ip -n a addr replace fd00:1::1/64 dev eth-b nodad	# lost when the link was down
	transfer $family inet 1000 1 || return
	ip netns exec b ./xfer -s -p 7000 $v6 -n 10 -c 100 >/dev/null 2>&1 &
	HOLDER=$!
	ip netns exec a python3 -c "$STRANGER" $family 7000 &
	stranger=$!
	if until_true 20 requests; then
		drop_listener
		until_true 20 unloaded || { echo "it stays"; status=1; }
	else
		echo "no request"
		drop_listener
		status=1
	fi
	kill $stranger
	wait $stranger 2>/dev/null
	return $status
}

one_life() {
	check "round $1: insmod" insmod "$KO"
	two_hosts
	check "round $1: traffic" over_xtcp transfer $((4 + 2 * ($1 % 2))) inet 100000 4
	check "round $1: rmmod refused while a socket is open" eval 'hold_listener && refused'
	drop_listener
	check "round $1: rmmod refused while a socket is orphaned" eval 'make_orphan && refused'
	check "round $1: orphans aborted" abort_orphans
	save_arrows
	check "round $1: rmmod with TIME-WAIT left" eval 'transfer 4 inet 1000 1 && time_wait && until_true 20 unloaded'
	if (($1 < STRANGE)); then
		check "round $1: insmod again" insmod "$KO"
		check "round $1: rmmod with requests and strangers' segments" under_strangers $((4 + 2 * ($1 % 2)))
	fi
	ip netns del a
	ip netns del b
	HOSTS=""
}

save_arrows
check "module unloads before the first round" until_true 60 unloaded
for ((r = 0; r < ROUNDS; r++)); do
	((r % 10 || ROUNDS <= 10)) || note "round $r of $ROUNDS"
	one_life $r
done
insmod "$KO"
finished
