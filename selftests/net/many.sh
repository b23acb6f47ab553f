#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Two hundred connections at once, both directions each, undisturbed and with loss; afterwards nothing
# is left but TIME-WAIT, and the memory is back.
. ./lib.sh
COUNT=200
[[ -z ${XTCP_SLOW:-} ]] || COUNT=50
plan 6
two_hosts

# pages, of both families together (each line shows the same account)
memory() { awk '$1 == "XTCP" { print $4 }' /proc/net/protocols; }
only_time_wait() { ! ip netns exec "$1" awk 'FNR > 1 && $4 != "06" { print; found = 1 } END { exit !found }' /proc/net/xtcp /proc/net/xtcp6; }
# each CPU may keep 1 MB of pages in reserve, in either direction
memory_back() { echo "$(memory) pages"; (($(memory) <= 256 * $(nproc))); }

check "$COUNT connections IPv4" over_xtcp transfer 4 inet 100000 $COUNT
check "$COUNT connections IPv6" over_xtcp transfer 6 xtcp 100000 $COUNT
impair delay 1ms loss 1%
check "$COUNT connections IPv4, 1 % loss" over_xtcp transfer 4 xtcp 50000 $COUNT
check "$COUNT connections IPv6, 1 % loss" over_xtcp transfer 6 inet 50000 $COUNT
heal
check "only TIME-WAIT is left" until_true 60 eval 'only_time_wait a && only_time_wait b'
check "memory is back" until_true 20 memory_back
finished
