#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Parameters of the module: numbers of its own choice, and a sentence in the kernel log where one is out
# of range or taken; what could not start leaves nothing behind. Nothing loads the module by itself.
. ./lib.sh
KO=${KO:-/xtcp.ko}
plan 19

save_arrows() { [[ ! -d /out ]] || cat /proc/net/xtcp_fsm >>/out/fsm.module; }
unloaded() { rmmod xtcp 2>/dev/null || [[ ! -d /sys/module/xtcp ]]; }

# refused REASON SENTENCE PARAMETER...: insmod says why, the kernel log says it better, and nothing is left
refused() {
	local reason=$1 sentence=$2 out
	dmesg -C
	if out=$(insmod "$KO" "${@:3}" 2>&1); then echo "it was loaded"; return 1; fi
	dmesg
	[[ $out == *"$reason"* ]] || { echo "insmod said: $out"; return 1; }
	[[ ! -d /sys/module/xtcp && ! -e /proc/net/xtcp && ! -d /proc/sys/net/xtcp ]] || return 1
	dmesg | grep -qF "xtcp: $sentence"
}

# works FAMILY PROTOCOL: a byte from host a to host b through each door, over both IP versions
works() {
	local v ns
	for v in 4 6; do
		ip netns exec b python3 - "$@" $v "$(address $v 2)" server >"$TMP/server" 2>&1 <<<"$PROGRAM" &
		until_true 20 grep -q listening "$TMP/server" || { cat "$TMP/server"; return 1; }
		ip netns exec a python3 - "$@" $v "$(address $v 2)" client <<<"$PROGRAM" || return
		wait $! || { cat "$TMP/server"; return 1; }
	done
	(($(stat a OutSegs) > 0 && $(stat b OutSegs) > 0))
}
PROGRAM='
import socket, sys
family, protocol, version, host, role = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4], sys.argv[5]
inet = socket.AF_INET if version == "4" else socket.AF_INET6
def door(n):
    if n:
        return socket.socket(inet, socket.SOCK_STREAM, protocol)
    s = socket.socket(family, socket.SOCK_STREAM, int(version == "6"))
    return socket.socket(fileno=s.detach())
for n in (0, 1):
    s = door(n)
    if role == "server":
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.bind((host, 6000 + n))
        s.listen()
        print("listening" if n else "", flush=True)
        doors = [] if n == 0 else doors
        doors.append(s)
    else:
        s.settimeout(30)
        s.connect((host, 6000 + n))
        s.sendall(b"x")
        assert s.recv(1) == b"x"
if role == "server":
    for s in doors:
        c = s.accept()[0]
        c.sendall(c.recv(1))
        c.close()
'
no_socket() { ! python3 -c "import socket; socket.socket($1, socket.SOCK_STREAM, $2)" 2>/dev/null; }

save_arrows
check "module unloads" until_true 60 unloaded
check "no alias loads it" eval '[[ ! $(modinfo -F alias "$KO") ]]'
for p in protocol family ehash_entries gso_marker; do
	check "parameter $p is described" eval 'modinfo -F parm "$KO" | grep -q "^$p:...*"'
done
check "no socket without it" eval 'no_socket 2 253 && no_socket 19 0 && [[ ! -d /sys/module/xtcp ]]'
for n in 0 -1 255; do
	check "protocol=$n: out of range" refused "Invalid" "protocol=$n is not" protocol=$n
done
for n in 0 46; do
	check "family=$n: out of range" refused "Invalid" "family=$n is not" family=$n
done
check "protocol=6: taken" refused "busy" "IP protocol 6 is taken" protocol=6
check "protocol=17: taken" refused "busy" "IP protocol 17 is taken" protocol=17
check "family=2: taken" refused "busy" "address family 2 is taken" family=2
check "protocol=254 family=20: loads" insmod "$KO" protocol=254 family=20
two_hosts
check "protocol=254 family=20: both doors" works 20 254
check "protocol=254 family=20: the default numbers are free" eval 'no_socket 2 253 && no_socket 19 0'
for h in a b; do ip netns del $h; done
HOSTS=""
save_arrows
check "unloads, and loads with the default numbers" eval 'until_true 60 unloaded && insmod "$KO"'
finished
