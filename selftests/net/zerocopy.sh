#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Streams sent without a copy arrive whole: SHA-256 of what sendfile() sends in both directions at once, under
# loss, duplication and corruption, for devices that cannot sum or segment, and segment by segment.
. ./lib.sh
BYTES=$((MEGABYTES << 19))

CASES=(
#	how family door MTU   impairment
	"file 4 inet 1500"
	"file 6 xtcp 1500"
	"file 4 xtcp 576"
	"file 6 inet 9000"
	"file 4 xtcp 1500 loss 1% delay 2ms"
	"file 6 inet 9000 loss 3%"
	"file 6 xtcp 1500 delay 2ms 1ms loss 1% duplicate 2% corrupt 0.5%"
)
PLAIN=(
	"file 4 xtcp 1500 loss 1%"
	"file 6 inet 1500"
)
plan $((${#CASES[@]} + ${#PLAIN[@]}))
two_hosts

# without_copy HOW COMMAND...: the counter of bytes that were not copied moves by BYTES (and the seed's 8)
without_copy() {
	local counter=SplicedBytes
	moved $((BYTES + 8)) a $counter "${@:2}"
}

run_case() {
	local how family door mtu impairment
	read -r how family door mtu impairment <<<"$1"
	heal
	set_mtu "$mtu"
	# shellcheck disable=SC2086
	[[ -z $impairment ]] || impair $impairment || { fail "$1: netem"; return; }
	check "$how IPv$family $door MTU $mtu ${impairment:-undisturbed}$2" \
		without_copy "$how" over_xtcp transfer "$family" "$door" "$BYTES" 1 "$how"
}

for case in "${CASES[@]}"; do
	run_case "$case" ""
done
ip netns exec a ethtool -K eth-b tso off gso off tx-sctp-segmentation off tx off >/dev/null 2>&1
ip netns exec b ethtool -K eth-a tso off gso off tx-sctp-segmentation off tx off >/dev/null 2>&1
for case in "${PLAIN[@]}"; do
	run_case "$case" ", summed in software"
done
finished
