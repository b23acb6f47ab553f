#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Load, traffic, rmmod refused while a socket is open or orphaned, last close, rmmod with TIME-WAIT
# entries and traffic of strangers still there. ROUNDS times; the arrow counts of each life of the
# module are kept in /out.
. ./lib.sh
ROUNDS=${ROUNDS:-5}
KO=${KO:-/xtcp.ko}
plan $((6 * ROUNDS + 1))

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
