#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# install.sh KERNEL-SOURCE: the suite as tools/testing/selftests/kvm_mmu there, in place of what an earlier call put
# there.  Called by make kselftest-install.
set -eu

die() { echo "kselftest-install: $1" >&2; exit 2; }

[[ -n ${1-} ]] || die "which kernel tree? make kselftest-install KSRC=<kernel source>"
cd -- "$(dirname -- "$(readlink -f -- "$0")")/../.."
tree=$(realpath -e -- "$1") || die "no folder $1"
selftests=$tree/tools/testing/selftests target=$selftests/kvm_mmu
[[ -f $selftests/lib.mk ]] || die "$tree is no kernel tree: it has no tools/testing/selftests/lib.mk"
[[ -f $selftests/kvm/lib/kvm_util.c ]] || die "$selftests has no kvm/lib, on which the suite is built there"
[[ ! -e $target ]] || grep -qs kvm-mmu-conformance "$target/Makefile" ||
	die "$target is something else's: it will not be replaced"

# What reads results again is kmc-report, which the kernel's own runner stands in for; own_calls.c is for builds without
# the library of ../kvm.
left_out='^lib/(report/(kmc_report|junit|known_review|markup|page|page_.*|run_.*|summary.*|tied|unfinished)|vmm/own_calls)[.]|^lib/vmm/libkvm/[.]'

rm -rf "$target"
mkdir -p "$target"
find include lib/{engine,guest,model,observe,report,vmm} x86 -type f -regex '.*[.]\(c\|h\|S\|def\|inc\|mk\)' |
	grep -Ev "$left_out" | tar -cf - -T - | tar -C "$target" -xf -
cp x86/known_issues.json packaging/kselftest/{Makefile,settings,config} "$target/"
cp packaging/kselftest/gitignore "$target/.gitignore"
chmod -R u+w,go-w,a+rX "$target"

# In the list of all targets, behind kvm.
if [[ -f $selftests/Makefile ]] && ! grep -qx 'TARGETS += kvm_mmu' "$selftests/Makefile"; then
	sed -i 's/^TARGETS += kvm$/&\nTARGETS += kvm_mmu/' "$selftests/Makefile"
fi

cat <<END
$target
  make -C $tree headers
  make -C $selftests TARGETS=kvm_mmu run_tests
END
