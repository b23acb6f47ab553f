# shellcheck shell=bash
# Shared by the scripts of this directory: where the tree and the cache are, messages, locks, package
# sources. It is sourced, never run, and never writes outside the cache.
set -euo pipefail

TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
CACHE=${XTCP_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/xtcp}
KERNEL_NAMES="6.1 6.12 7.2 uml debug"
export LC_ALL=C
mkdir -p "$CACHE/lock" "$CACHE/log" "$CACHE/tmp"
CACHE=$(cd "$CACHE" && pwd)

say() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }
die() { say "$*"; exit 1; }

# quietly LOG COMMAND...: output goes to LOG, and its end is shown only where the command fails.
quietly() {
	local log=$1
	shift
	mkdir -p "$(dirname "$log")"
	"$@" </dev/null >"$log" 2>&1 || {
		tail -n 40 "$log" >&2
		die "failed: $* (whole log: $log)"
	}
}

# Only one process at a time passes for the same NAME; the lock ends with the calling shell.
lock() {
	local fd
	exec {fd}>"$CACHE/lock/$1"
	flock "$fd"
}

as_root() {
	if ((EUID == 0)); then "$@"; else sudo "$@"; fi
}

is_kernel() {
	[[ " $KERNEL_NAMES " == *" $1 "* ]] || die "unknown kernel '$1' (one of: $KERNEL_NAMES)"
}

# younger_than MINUTES FILE
younger_than() {
	[[ -n $(find "$2" -maxdepth 0 -mmin "-$1" 2>/dev/null) ]]
}

# Debian's archive as this host reaches it, or the public address.
mirror() {
	local path=$1 uri
	uri=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 2>/dev/null |
		grep -E "/$path/?\$" | head -n 1) || true
	printf '%s\n' "${uri:-http://deb.debian.org/$path}"
}

# sources SUITE: lines for a sources.list
sources() {
	local key="[signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]"
	printf 'deb %s %s %s main\n' "$key" "$(mirror debian)" "$1"
	[[ $1 == bookworm ]] || return 0
	printf 'deb %s %s %s main\n' "$key" "$(mirror debian)" bookworm-updates
	printf 'deb %s %s %s main\n' "$key" "$(mirror debian-security)" bookworm-security
}

# pack_cpio DIR: the folder as an archive for the kernel; equal contents give equal bytes.
pack_cpio() {
	find "$1" -exec touch -h -d @0 {} +
	(cd "$1" && find . | sort | cpio -o -H newc -R 0:0 --reproducible --quiet)
}
