#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Tests of tdx_shared_bit_test with a TD that is played to it (tests/played/played_td.c): a right one
# passes, mistakes in KVM or in the TDX module are found, an error at each step of making a TD is
# named, and nothing is left open.  Prints KTAP; exits 0 or 1.
set -u
export LC_ALL=C

here=$(cd -- "$(dirname -- "$0")/.." && pwd)
test=${PLAYED_DIR:-$here/build/tests/played}/tdx_shared_bit_test
[[ -x $test ]] || { printf 'played_td_test.sh: %s is not built\n' "$test" >&2 && exit 2; }
scratch=$(mktemp -d "${TMPDIR:-/tmp}/played_td.XXXXXX") || exit 2
trap 'rm -rf -- "$scratch"' EXIT
# shellcheck source=tests/checking.sh
source "$here/tests/checking.sh"
# A host without files.
export STANDIN_ROOT=$scratch/root STANDIN=''
mkdir "$STANDIN_ROOT"

# ends CODE FILTER SETTING TEXT...: 99 is something left open.
ends() {
	local code=$1 filter=$2 text
	STANDIN=$3
	run "$code" "$test" --filter "$filter" --verbose
	[[ -z $err ]] || problem "on stderr: $err"
	for text in "${@:4}"; do has "$text" "$out"; done
}

right() {
	ends 0 'td/*' '' 'pass:8 fail:0' 'td, GPAW 52' 'td, GPAW 48'
	check 'a TD at both widths, with 4 and 5 levels, pages of 4 KBytes and 2 MBytes'
	ends 0 'td/*/4level/4k' ept5=0 'td/gpaw52/4level/4k # SKIP KVM_TDX_INIT_VM: no TD with GPAW 52 here' 'pass:1'
	mkdir "$STANDIN_ROOT/proc"
	printf 'vmx flags\t: ept ept_5level\n' >"$STANDIN_ROOT/proc/cpuinfo"
	ends 1 'td/*/4level/4k' ept5=0 'KVM_TDX_INIT_VM: Invalid argument' 'pass:1'
	check 'without 5-level EPT there is no TD with GPAW 52'
	ends 4 'td/*/4level/4k' vm_types=1 'SKIP not a TDX host'
	ends 4 'td/*/4level/4k' no_kvm=13 'no permission to open'
	check 'without TDX, or without KVM, it is skipped'
}

# An outcome that the story, or the vCPUs together, must find wrong.
mistakes() {
	local name text
	while IFS=: read -r name text; do
		ends 1 td/gpaw52/4level/4k "deviation=$name" "$text"
	done <<-EOT
		keep-private:/there-and-back/
		fault-gpa:/by-access/
		fault-flag:/by-access/
		map-part:/ranges/
		no-ve:/pending/
		r11:/operands/
		leak:/shared/
	EOT
	check 'mistakes in KVM and in the TDX module are found'
}

errors() {
	local step
	for step in KVM_CREATE_VM KVM_TDX_CAPABILITIES KVM_ENABLE_CAP KVM_TDX_INIT_VM KVM_CREATE_VCPU \
		KVM_TDX_GET_CPUID KVM_SET_CPUID2 KVM_TDX_INIT_VCPU KVM_CREATE_GUEST_MEMFD \
		KVM_SET_USER_MEMORY_REGION2 KVM_SET_MEMORY_ATTRIBUTES KVM_TDX_INIT_MEM_REGION KVM_TDX_FINALIZE_VM; do
		ends 1 td/gpaw48/4level/4k "fail=$step:12" "$step" 'Cannot allocate memory'
	done
	ends 1 td/gpaw48/4level/4k fail=KVM_TDX_INIT_VM:22:0xc000010000000045 'status 0xc000010000000045'
	ends 1 td/gpaw48/4level/4k fail=KVM_RUN:5 'Input/output error' 'expected: payload runs'
	check 'an error at each step is named, and everything is given back'
}

printf 'KTAP version 1\n1..5\n'
right
mistakes
errors
totals
((!failures))
