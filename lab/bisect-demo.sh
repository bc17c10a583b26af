#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Shows runner.sh bisect: makes a repository of KVM's files from Debian's kernel source, with
# harmless commits, one that does not build, and one that breaks a role rule (CR4.SMEP is no
# longer in the CPU's role), and has the case bisected that fails from there on.
#
#   lab/bisect-demo.sh [--host svm-shadow] [--kernel 6.1]     exit status 0 if the commit is found
set -u

# shellcheck source=common.sh
. "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/common.sh"
# shellcheck source=source.sh
. "$here/source.sh"

host=svm-shadow kernel=6.1 case_id=4level/wp,smep/cpl0/fetch/4=p,w,u,a,d/3=p,w,u,a,d/2=p,w,u,a,d/1=p,w,u,a,d
while (($#)); do
	case $1 in
	--host | --kernel)
		[[ -n ${2-} ]] || die "$1 needs a value"
		[[ $1 == --host ]] && host=$2 || kernel=$2
		shift 2
		;;
	*) die "unknown option '$1': --host NAME, --kernel NAME" ;;
	esac
done
check_built
make_tmp kmc-bisect-demo
repo=$tmp/linux
git_in_repo() { git -C "$repo" -c user.name=demo -c user.email=demo@localhost -c commit.gpgsign=false "$@"; }

# commit SUBJECT FILE FROM TO: a change by sed, which must change something.
commit()
{
	cp "$repo/$2" "$tmp/before"
	sed -i "s|$3|$4|" "$repo/$2"
	! cmp -s "$repo/$2" "$tmp/before" || die "'$3' is not in $2"
	git_in_repo commit -qam "$1" || die "git commit failed"
}

mkdir "$tmp/source" && get_source "$kernel" "$tmp/source"
mkdir "$repo"
(cd "${source_kvm%/arch/x86/kvm}" && find arch/x86/kvm virt -type f \( -name '*.[chS]' -o -name 'Makefile*' -o -name Kconfig \) \
	! -name '*.mod.c' ! -name kvm-asm-offsets.h -print0 | tar --null -T - -cf -) | tar -C "$repo" -xf - ||
	die_writing "copying KVM's files" "$tmp"
rm -rf "$tmp/source"

git_in_repo init -q -b main && git_in_repo add -A && git_in_repo commit -qm "KVM of kernel $kernel" || die "git failed"
git_in_repo tag good
commit "mmu: say what a page fault path returns" arch/x86/kvm/mmu/mmu.c '^static int direct_page_fault(' '/* RET_PF_*. */\n&'
commit "x86: a comment above kvm_set_cr4" arch/x86/kvm/x86.c '^int kvm_set_cr4(' '/* Called for MOV to CR4. */\n&'
commit "lapic: a comment" arch/x86/kvm/lapic.c '^int kvm_create_lapic(' '/* One per vCPU. */\n&'
commit "mmu: half a change, does not build" arch/x86/kvm/mmu/mmu.c '^static int direct_page_fault(' 'static int direct_page_fault_not_there(void) { return missing; }\n&'
commit "mmu: the other half of it" arch/x86/kvm/mmu/mmu.c '^static int direct_page_fault_not_there.*' ''
commit "mmu: compute the role of a CPU with fewer steps" arch/x86/kvm/mmu/mmu.c \
	'role\.ext\.cr4_smep = ____is_cr4_smep(regs);' 'role.ext.cr4_smep = 0;'
planted=$(git_in_repo rev-parse HEAD)
commit "emulate: a comment" arch/x86/kvm/emulate.c '^int x86_decode_insn(' '/* The bytes are fetched as needed. */\n&'
commit "mtrr: a comment" arch/x86/kvm/mtrr.c '^u8 kvm_mtrr_get_guest_memory_type(' '/* Of one page. */\n&'
before=$(git_in_repo show-ref; find "$repo" -newer "$tmp/before" -type f | sort)

note "$(git_in_repo rev-list --count good..main) commits, ${planted:0:12} breaks a rule"
"$suite/runner.sh" bisect --repo "$repo" --good good --bad main --test walk_test --case "$case_id" \
	--host "$host" --kernel "$kernel" --results "$suite/results" | tee "$tmp/said"
[[ ${PIPESTATUS[0]} == 0 ]] || die "the bisect failed"
grep -qx "first bad commit: $planted" "$tmp/said" || die "another commit was found than $planted"
[[ $(git_in_repo show-ref; find "$repo" -newer "$tmp/before" -type f | sort) == "$before" ]] ||
	die "the bisect changed the repository"
note "found; the repository is as it was"
