#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The structures handed to KVM are laid out as this machine's headers have them, and as the
# newest that Debian has (its package is fetched once, into the lab's cache; without a network
# that is skipped).  Prints KTAP; exits 0 or 1.
# shellcheck disable=SC2030,SC2031 # what is sourced in a subshell has a "here" of its own
set -u
export LC_ALL=C

here=$(cd -- "$(dirname -- "$0")/.." && pwd)
work=$(mktemp -d "${TMPDIR:-/tmp}/tdx_layout.XXXXXX") || exit 2
trap 'rm -rf -- "$work"' EXIT
scratch=$work
# shellcheck source=tests/checking.sh
source "$here/tests/checking.sh"

# layout INCLUDE-FOLDER GCC-OPTION...: compiles the assertions.
layout() {
	local include=$1
	shift
	gcc -std=gnu11 -D_GNU_SOURCE= -Wall -Wextra -Werror -fsyntax-only -I"$include" "$@" \
		"$here/lib/vmm/tdx_layout.c"
}

# Leaves the headers' folder in cache/headers/newest; in a subshell, as its errors end it.
fetch_newest() (
	# shellcheck source=lab/common.sh
	source "$here/lab/common.sh"
	# The lab's files have a "here" of their own.
	# shellcheck source=lab/packages.sh
	source "$here/packages.sh" || exit 1
	update=no
	trap 'rm -rf -- "${cleanup_paths[@]}"' EXIT
	# shellcheck disable=SC2317 # called by cached
	fetch() {
		local version
		begin_fetch "the newest kernel headers" 100 "trixie-backports"
		version=$(show_packages linux-libc-dev | awk '{ print $2 }' | sort -V | tail -n 1)
		[[ -n $version ]] || die "there is no linux-libc-dev"
		get_packages <<<"linux-libc-dev $version"
		# With its links, some of which lead to /usr/lib.
		mv "$fetch_tmp/root" "$fetch_tmp/new/root" || die "cannot keep the headers"
		end_fetch headers "linux-libc-dev_${version//[^A-Za-z0-9.+-]/_}" newest
	}
	cached headers newest fetch
	printf '%s\n' "$cache/headers/newest"
)

printf 'KTAP version 1\n1..3\n'
run 0 layout "$here/include"
check "this machine's headers"

# Broken on purpose: each of these must be noticed.
cp -r "$here/include" "$work/include"
for edit in 's/u64 reserved\[250\]/u64 reserved[249]/' 's/^\tu64 xfam;$/\tu32 xfam;/' 's/^\tu64 hw_error;/\tu32 hw_error;/' \
	's/^\tTDX_INIT_MEM_REGION,.*//' 's/u64 gpa;  .*/u32 gpa;/'; do
	sed "$edit" "$here/include/tdx.h" >"$work/include/tdx.h"
	cmp -s "$here/include/tdx.h" "$work/include/tdx.h" && problem "does nothing: $edit"
	run 1 layout "$work/include"
	[[ $err == *'static assertion failed'* ]] || problem "noticed for another reason: $edit"
done
check "a layout that is wrong does not compile"

if newest=$(fetch_newest 2>"$work/err"); then
	include=$newest/root/usr/include
	printf '# %s\n' "$(sed -n 's/^package //p' "$newest/info")"
	grep -q 'struct kvm_tdx_cmd' "$include/x86_64-linux-gnu/asm/kvm.h" || problem "these headers know no TDX"
	run 0 layout "$here/include" -isystem "$include" -isystem "$include/x86_64-linux-gnu"
	check "the newest headers"
else
	((++number))
	printf 'ok 3 the newest headers # SKIP %s\n' "$(tail -n 1 "$work/err")"
fi
totals
((!failures))
