#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A router between the hosts: super-packets cross it whole, and where it says that its next link is
# narrower, the sender cuts smaller (RFC 1191, RFC 8201), also in the middle of a connection.
. ./lib.sh
plan 14
host a r b
link a r 1
link r b 2
LINK=2
BYTES=$((2 << 20)) RATE=5mbit
[[ -z ${XTCP_SLOW:-} ]] || BYTES=$((1 << 19)) RATE=1mbit
ip netns exec r sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
ip -n a route add 10.0.2.0/24 via 10.0.1.2
ip -n a -6 route add fd00:2::/64 via fd00:1::2
ip -n b route add 10.0.1.0/24 via 10.0.2.1
ip -n b -6 route add fd00:1::/64 via fd00:2::1

# narrow MTU: what the router sends to b, while a, b and the links know nothing of it
narrow() {
	ip -n r route replace 10.0.2.0/24 dev eth-b src 10.0.2.1 mtu lock "$1" &&
		ip -n r -6 route replace fd00:2::/64 dev eth-b metric 1 mtu lock "$1"
}
forget() { ip -n a route flush cache && ip -n a -6 route flush cache; }
path_mtu() { [[ $(ip -n a -o route get "$(address "$1" 2)") == *" mtu $2"* ]]; }

sent() { (($(stat a OutSegs) > $1)); }

# The path narrows when some segments have left, and long before the last.
narrows_meanwhile() {
	local before job status=0
	before=$(stat a OutSegs)
	tc -n r qdisc add dev eth-b root netem limit 10000 rate $RATE
	transfer "$1" inet $BYTES 1 &
	job=$!
	until_true 20 sent $((before + 20)) && narrow 1280 || status=1
	wait $job || status=1
	tc -n r qdisc del dev eth-b root
	return $status
}

for family in 4 6; do
	check "IPv$family: bytes cross a router" over_xtcp transfer $family inet $BYTES 2
	check "IPv$family: in super-packets" moved + b InSuperPackets transfer $family xtcp $BYTES 1
	check "the way from the router on is narrower" narrow 1400
	check "IPv$family: it says so" moved + a IcmpIn transfer $family inet $BYTES 1
	check "IPv$family: the path MTU is known" path_mtu $family 1400
	check "IPv$family: narrower still in the middle of a connection" moved + a IcmpIn narrows_meanwhile $family
	check "IPv$family: and known" path_mtu $family 1280
	narrow 1500
	forget
done
finished
