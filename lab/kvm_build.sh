#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Builds KVM's modules from any tree for a packaged kernel, one commit after the other:
#
#   lab/kvm_build.sh prepare KERNEL DIR         KVM's source for that kernel, built, into DIR
#   lab/kvm_build.sh build KERNEL DIR TREE OUT  with KVM's files of TREE: *.ko into OUT
#
# Exit status: 0, 1 if TREE does not build (the compiler's words are on stdout), 2 for anything
# else.  For runner.sh bisect; lab/mutants.sh edits its copy in place instead.
set -u

# shellcheck source=common.sh
. "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/common.sh"
# shellcheck source=source.sh
. "$here/source.sh"

# What of a kernel tree belongs to KVM on x86, and is compiled with it or into it.
kvm_paths()
{
	(cd "$1" && find arch/x86/kvm virt/kvm virt/lib virt/Makefile arch/x86/include/asm/kvm*.h \
		arch/x86/include/asm/{svm,vmx,vmxfeatures}.h arch/x86/include/uapi/asm/{kvm,svm,vmx}*.h \
		include/linux/kvm*.h include/uapi/linux/kvm*.h include/trace/events/kvm.h \
		-type f \( -name '*.[chS]' -o -name 'Makefile*' -o -name Kconfig \) \
		! -name '*.mod.c' ! -name kvm-asm-offsets.h 2>/dev/null) | sort
}

# Only what differs is copied, so that only that is compiled.
take_files()
{
	local tree=$1 common=$2 file

	while read -r file; do
		[[ -e $tree/$file ]] || rm "$common/$file" || return
	done < <(kvm_paths "$common" | grep -E '^(arch/x86/kvm|virt)/')
	while read -r file; do
		cmp -s "$tree/$file" "$common/$file" && continue
		mkdir -p "$common/$(dirname "$file")" && cp --remove-destination "$tree/$file" "$common/$file" &&
			touch "$common/$file" || return
	done < <(kvm_paths "$tree")
}

(($# == 3 || $# == 5)) || die "prepare KERNEL DIR, or build KERNEL DIR TREE OUT"
action=$1 kernel=$2 dir=$3
find_row kernel "$kernel"
rows sources | grep -q "^${kernel//./\\.};" ||
	die "KVM cannot be built for kernel '$kernel', only for: $(rows sources | cut -d';' -f1 | paste -sd' ')"
command -v make >/dev/null || die "make is not installed (Debian package make)"
case $action in
prepare)
	[[ $dir != *[!A-Za-z0-9/._+-]* ]] || die "kernels cannot be built in $dir: set TMPDIR to a plain name"
	mkdir -p "$dir" || die "cannot write to $dir"
	get_source "$kernel" "$dir"
	;;
build)
	tree=$4 out=$5
	[[ -f $tree/arch/x86/kvm/Makefile && -d $tree/virt/kvm ]] ||
		die "$tree is no kernel tree: arch/x86/kvm or virt/kvm is missing"
	get_kernel "$kernel"
	source_paths "$dir"
	take_files "$tree" "${source_kvm%/arch/x86/kvm}" || die_writing "copying KVM's files" "$dir"
	rm -f "$source_kvm"/*.ko
	if ! build_kvm >"$dir/log" 2>&1; then
		grep -m1 -E '(error|Error)' "$dir/log" || tail -n 1 "$dir/log"
		exit 1
	fi
	mkdir -p "$out" && cp "$source_kvm"/*.ko "$out/" || die_writing "copying modules" "$out"
	;;
*) die "prepare or build, not '$action'" ;;
esac
