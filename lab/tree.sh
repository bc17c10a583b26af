#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# lab/tree.sh [--update] KERNEL: prints the folder with that kernel's source, as far as its
# selftests for KVM need it, from Debian's package.  For make LIBKVM=... and, in a copy, make
# kselftest-install.
#
#   CACHE/trees/PACKAGE_VERSION/{tree,info}
set -u

# shellcheck source=common.sh
. "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/common.sh"
# shellcheck source=packages.sh
. "$here/packages.sh"
# shellcheck source=kernel.sh
. "$here/kernel.sh"

tree_megabytes=900

# Makefiles and scripts for "make headers", what selftests/kvm includes, and checkpatch.pl's files.
tree_parts='Makefile Kbuild Kconfig arch/x86 include scripts usr tools/arch/x86 tools/build tools/include
	tools/lib tools/scripts tools/testing/selftests'

fetch_tree()
{
	local name=$1 suites=$2 pattern=$3 wanted folder part members=()

	begin_fetch "the source of kernel $name" "$tree_megabytes" "$suites"
	wanted=$(newest_kernel "$pattern") || die "no source in $suites matches $pattern"
	folder=${wanted/ /_}
	if [[ ! -e $cache/trees/$folder/info ]]; then
		get_packages <<<"$wanted"
		mkdir "$fetch_tmp/new/tree" || die_writing "writing to the cache" "$cache"
		for part in $tree_parts; do
			members+=("${wanted% *}/$part")
		done
		tar -C "$fetch_tmp/new/tree" --strip-components=1 -xf "$fetch_tmp/root/usr/src/${wanted% *}.tar.xz" \
			"${members[@]}" 2>"$fetch_tmp/log" ||
			die_writing "unpacking ${wanted% *}" "$cache" "$fetch_tmp/log"
	fi
	end_fetch trees "$folder" "$name"
}

update=no
if [[ ${1-} == --update ]]; then
	update=yes
	shift
fi
(($# == 1)) || die "which kernel's source? One of: $(rows trees | cut -d';' -f1 | paste -sd' ')"
find_row tree "$1"
pattern=${row[1]}
find_row kernel "$1"
cached trees "$1" fetch_tree "$1" "${row[1]}" "$pattern"
readlink -f "$cache/trees/$1/tree"
