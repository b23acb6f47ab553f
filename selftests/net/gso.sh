#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Writes of 64 KB cross veth and loopback in one piece, and are cut in software for a device without
# the marker; the bytes are the same.
. ./lib.sh
plan 14
two_hosts
BYTES=$((2 << 20))

# The MTU of loopback is 64 KB, so a segment is that long without GSO.
few_segments() {
	local before segs
	before=$(stat a OutSegs)
	"$@" || return
	segs=$(($(stat a OutSegs) - before))
	((2 * BYTES / segs > 10000)) || { echo "$segs segments for $((2 * BYTES)) bytes"; return 1; }
}
loopback() {
	local v6="" server addr=127.0.0.1
	[[ $1 == 4 ]] || { v6=-6 addr=::1; }
	PORT=$((PORT + 1))
	: >"$TMP/server"
	ip netns exec a ./xfer -s -p $PORT $v6 -n $BYTES >"$TMP/server" 2>&1 &
	server=$!
	until_true 20 grep -q listening "$TMP/server" || return
	ip netns exec a ./xfer -p $PORT $v6 -n $BYTES -a $addr && wait $server
}

for family in 4 6; do
	check "IPv$family veth: sent in super-packets" moved + a OutSuperPackets transfer $family inet $BYTES 1
	check "IPv$family veth: received in super-packets" moved + b InSuperPackets transfer $family inet $BYTES 1
	check "IPv$family veth: not segmented on the way" moved 0 a GsoSegmented transfer $family inet $BYTES 1
	check "IPv$family loopback: segments of 64 KB" few_segments loopback $family
done
for host in a b; do
	ip netns exec $host ethtool -K eth-$([[ $host == a ]] && echo b || echo a) tso off gso off tx-sctp-segmentation off >/dev/null 2>&1
done
for family in 4 6; do
	check "IPv$family device without segmentation: cut in software" moved + a GsoSegmented transfer $family xtcp $BYTES 1
	check "IPv$family the segments fit into the window announced" moved 0 b DropRcvBuf transfer $family xtcp $BYTES 1
done
for host in a b; do
	ip netns exec $host ethtool -K eth-$([[ $host == a ]] && echo b || echo a) tx off >/dev/null 2>&1
done
for family in 4 6; do
	check "IPv$family device without checksums: summed in software" moved + a GsoSoftwareCsum transfer $family xtcp $BYTES 1
done
finished
