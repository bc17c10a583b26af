# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154  # for mutants.sh; cache, fetch_tmp, row, kernel_*: packages.sh's and kernel.sh's
# KVM's source for a packaged kernel, built once, so that an edit costs seconds:
#
#   CACHE/sources/NAME_VERSION/{headers/usr/src/...,info}
#
# KVM lies in the headers' arch/x86/kvm, where its includes expect it.  To be sourced behind
# common.sh; what fetches packages and kernels comes with it.
# shellcheck source=packages.sh
. "$here/packages.sh"
# shellcheck source=kernel.sh
. "$here/kernel.sh"
update=no

source_megabytes=2500

fetch_source()
{
	local name=$1 header_packages=$2 source=$3 abi version tree suites wanted folder common
	abi=${kernel_release%-amd64} abi=${abi%-cloud}
	version=$(get_info kernels "$name" package | awk 'NR == 1 { print $2 }')
	folder=${source}_$version

	find_row kernel "$name"
	suites=${row[1]}
	begin_fetch "KVM's source for kernel $name" "$source_megabytes" "$suites"
	header_packages=${header_packages//%ABI/$abi}
	wanted=$(tr ' ' '\n' <<<"${header_packages//%/$kernel_release} $source" | sed "s/\$/ $version/")
	get_packages <<<"$wanted"
	tree=$fetch_tmp/root/usr/src
	common=$tree/linux-headers-$abi-common
	note "unpacking and building KVM for kernel $name (once)"
	tar -C "$fetch_tmp" -xf "$tree/$source.tar.xz" "$source/arch/x86/kvm" "$source/virt" \
		2>"$fetch_tmp/log" || die_writing "unpacking $source" "$cache" "$fetch_tmp/log"
	rm "$tree/$source.tar.xz"
	mv "$fetch_tmp/$source/arch/x86/kvm" "$common/arch/x86/" &&
		mv "$fetch_tmp/$source/virt" "$common/" || die_writing "writing to the cache" "$cache"
	# Wherever the tree is copied to.
	# shellcheck disable=SC2016 # for make
	sed -i 's#^include .*/\(linux-headers-.*/Makefile\)#include $(dir $(lastword $(MAKEFILE_LIST)))../\1#' \
		"$tree/linux-headers-$kernel_release/Makefile"
	mv "$fetch_tmp/root" "$fetch_tmp/new/headers"
	source_paths "$fetch_tmp/new"
	build_kvm >"$fetch_tmp/log" 2>&1 ||
		die "building KVM for kernel $name failed: $(grep -m1 -E 'error|Error|not found' "$fetch_tmp/log")"
	end_fetch sources "$folder" "$name"
}

# Where things are in a copy of the cached folder.
source_paths()
{
	local common

	source_build=$1/headers/usr/src/linux-headers-$kernel_release
	common=$(echo "$1"/headers/usr/src/linux-headers-*-common)
	source_kvm=$common/arch/x86/kvm
}

build_kvm() { in_background make -j"$(nproc)" -C "$source_build" M="$source_kvm" modules; }

# get_source NAME TO: a built copy of the source for that kernel, below TO, to
# be edited.  Sets source_kvm, the folder of KVM's files; build_kvm builds it.
get_source()
{
	local name=$1 to=$2

	get_kernel "$name"
	find_row source "$name"
	cached sources "$name" fetch_source "${row[@]:0:3}"
	[[ $(get_info sources "$name" package | awk 'NR == 1 { print $2 }') == \
		"$(get_info kernels "$name" package | awk 'NR == 1 { print $2 }')" ]] ||
		die "the source of kernel $name is of another version than the kernel: use --update"
	cp -a "$(readlink -f "$cache/sources/$name")/." "$to/" ||
		die_writing "copying KVM's source" "$to"
	source_paths "$to"
}
