#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The programs that README and man page print, as they stand there: each client sends its line to the man
# page's server. (The C programs are cut out and compiled where the tests are built.)
. ./lib.sh
plan 3
host a b
link a b 0				# the addresses that the texts have

python_of() { sed -n '/^```python$/,/^```$/{/^```/d;p}' ../../README.md; }
server_of() { sed -n '/^A server in Python:/,/^\.EE/{/^from/,/^\.EE/{/^\.EE/d;p}}' ../../module/uapi/xtcp.7; }
python_of >"$TMP/client.py"
server_of >"$TMP/server.py"

listening() { ip netns exec b grep -q ':1388 .* 0A ' /proc/net/xtcp; }
says_hello() {
	local server
	ip netns exec b python3 "$TMP/server.py" >"$TMP/said" 2>&1 &
	server=$!
	until_true 20 listening || { cat "$TMP/server.py" "$TMP/said"; return 1; }
	ip netns exec a timeout 30 "$@" || return
	wait $server
	cat "$TMP/said"
	[[ $(<"$TMP/said") == "b'hello\\n'" ]]
}
ip netns exec a sysctl -qw net.xtcp.tw_timeout=1
ip netns exec b sysctl -qw net.xtcp.tw_timeout=1
port_is_free() { ! ip netns exec b grep -q ':1388 ' /proc/net/xtcp; }

check "README: the client in C" over_xtcp says_hello ./readme_client
until_true 20 port_is_free
check "README: the client in Python" over_xtcp says_hello python3 "$TMP/client.py"
until_true 20 port_is_free
check "xtcp(7): the client in C" over_xtcp says_hello ./manual_client
finished
