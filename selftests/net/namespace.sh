#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A namespace goes away under traffic: sockets, requests, orphans and TIME-WAIT entries with it, and
# nothing is left of it.
. ./lib.sh
ROUNDS=5
[[ -z ${XTCP_SLOW:-} ]] || ROUNDS=2
plan $((2 * ROUNDS + 1))

# Traffic of every kind between two hosts, then both go with their processes.
round() {
	local family=$1 v6="" i ns pids=()
	[[ $family == 4 ]] || v6=-6
	host x y
	link x y 9
	# a rate, or all would have arrived at once where code costs no time
	tc -n x qdisc add dev eth-y root netem rate 200mbit limit 10000 || return 1
	# what is orphaned by the kill gives up after a second or two, not two minutes
	# (and little is under way, or round trips and timeouts are long where the CPU is slow)
	for ns in x y; do
		ip netns exec $ns sysctl -qw net.xtcp.orphan_retries=2 net.xtcp.wmem="4096 16384 65536" \
			net.xtcp.rmem="4096 65536 65536" || return 1
	done
	ip netns exec y ./xfer -s -p 7000 $v6 -n 100000000 -c 20 >/dev/null 2>&1 &
	pids+=($!)
	ip netns exec y ./xfer -s -p 7001 $v6 -n 1000 -c 20 >/dev/null 2>&1 &
	pids+=($!)
	until_true 10 listening y 7000 && until_true 10 listening y 7001 || return 1
	ip netns exec x ./xfer -p 7001 $v6 -n 1000 -c 20 -a "$(address "$family" 2 9)" >/dev/null 2>&1 || return 1
	ip netns exec x ./xfer -p 7000 $v6 -n 100000000 -c 20 -a "$(address "$family" 2 9)" >/dev/null 2>&1 &
	pids+=($!)
	# a request that stays half open: the SYN,ACK goes nowhere
	until_true 10 eval '(( $(stat x OutSegs) > 500 ))' || return 1
	ip netns exec x awk 'FNR > 1 && $4 == "01"' /proc/net/xtcp /proc/net/xtcp6 | grep -q . || return 1
	ip -n x link set eth-y down
	for ((i = 0; i < 3; i++)); do kill -9 "${pids[i]}" 2>/dev/null; done
	wait "${pids[@]}" 2>/dev/null
	ip netns del x
	ip netns del y
}

listening() {
	local hex
	hex=$(printf ':%04X ' "$2")
	ip netns exec "$1" grep -q "$hex.* 0A " /proc/net/xtcp /proc/net/xtcp6
}

for ((r = 0; r < ROUNDS; r++)); do
	for family in 4 6; do
		check "round $r IPv$family: namespaces deleted under traffic" round $family
	done
done
# every socket pins the module, in whatever namespace it is
sockets_gone() { (($(cat /sys/module/xtcp/refcnt) == 0)); }
check "no socket is left" until_true 100 sockets_gone
finished
