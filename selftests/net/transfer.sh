#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The stream arrives whole under loss, duplication, reordering, corruption, delay and every MTU:
# SHA-256 of MEGABYTES in both directions at once. Impairment, MTU, family and door are combined
# pairwise, not as a full product.
. ./lib.sh
BYTES=$((MEGABYTES << 20))

CASES=(
#	family door MTU   impairment
	"4 inet 1500"
	"6 inet 1500"
	"4 xtcp 1500"
	"6 xtcp 1500"
	"4 xtcp 576"
	"6 inet 1280"
	"4 inet 9000"
	"6 xtcp 9000"
	"4 inet 1500 loss 1%"
	"6 xtcp 1500 loss 1%"
	"4 xtcp 9000 loss 3%"
	"6 inet 1280 loss 3%"
	"4 inet 576 loss 1% delay 2ms"
	"4 xtcp 1500 duplicate 5%"
	"6 inet 9000 duplicate 5%"
	"6 xtcp 1500 delay 2ms reorder 75% 50%"
	"4 inet 9000 delay 2ms reorder 75% 50%"
	"4 inet 1500 corrupt 1%"
	"6 xtcp 1280 corrupt 1%"
	"4 xtcp 1500 delay 20ms 2ms"
	"6 inet 1500 delay 2ms 1ms loss 1% duplicate 2% corrupt 0.5%"
	"4 xtcp 1500 delay 2ms 1ms loss 1% duplicate 2% corrupt 0.5%"
)
# on the slowest machine, one of each kind of impairment
[[ -z ${XTCP_SLOW:-} ]] || CASES=("${CASES[0]}" "${CASES[3]}" "${CASES[10]}" "${CASES[14]}" "${CASES[15]}"
	"${CASES[17]}" "${CASES[20]}" "${CASES[21]}")
plan ${#CASES[@]}
note "$MEGABYTES MB in each direction"
two_hosts
for case in "${CASES[@]}"; do
	read -r family door mtu impairment <<<"$case"
	heal
	set_mtu "$mtu"
	# shellcheck disable=SC2086
	[[ -z $impairment ]] || impair $impairment || { fail "$case: netem"; continue; }
	check "IPv$family $door MTU $mtu ${impairment:-undisturbed}" \
		over_xtcp transfer "$family" "$door" "$BYTES" 1
done
finished
