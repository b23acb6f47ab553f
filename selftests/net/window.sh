#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Buffers that grow by themselves: a path of 100 ms and 1 Gbit/s holds 12.5 MB, and one flow fills it.
. ./lib.sh
only_in_virtual_time "a window for 1 Gbit/s over 100 ms"
plan 4
two_hosts
for host in a b; do
	ip netns exec $host sysctl -qw net.xtcp.rmem="4096 131072 134217728" \
		net.xtcp.wmem="4096 16384 134217728"
done
# the memory for it, of all sockets together, in pages
sysctl -qw net.xtcp.mem="262144 327680 393216"

# fills FAMILY DOOR BYTES PERCENT: the second half moves at so much of the link's rate
fills() {
	over_xtcp flow "$1" "$2" -n "$3" || return
	echo "$RATE bytes/s in all, $LATE in the second half, $RETRANS retransmitted"
	((LATE >= 125000000 / 100 * $4))
}

# the far end's buffer is one that stays as it is: its window is all that a round trip carries
fixed() {
	ip netns exec b sysctl -qw net.xtcp.rmem="4096 131072 131072"
	over_xtcp flow "$1" inet -n 3000000
	ip netns exec b sysctl -qw net.xtcp.rmem="4096 131072 134217728"
	echo "$RATE bytes/s with a window of 64 KB"
	((RATE <= 1310720))
}

impair delay 50ms rate 1gbit limit 100000
for family in 4 6; do
	check "IPv$family: 1 Gbit/s over 100 ms" fills $family inet 800000000 90
	check "IPv$family: not without room to grow" fixed $family
done
finished
