#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Tests of the suite over the kernel's library (make LIBKVM=...), and as a target of the
# kernel's selftests (make kselftest-install).  Prints KTAP; exits 0, 1, or 4 if all was skipped.
#
#   libkvm_test.sh            built on the library, and run
#   libkvm_test.sh kselftest  installed into a copy of the tree, built and run there
#
# KERNEL (6.1): one of lab/trees.conf, whose source the lab fetches.
set -u
export LC_ALL=C

here=$(cd -- "$(dirname -- "$0")/.." && pwd)
cd -- "$here" || exit 2
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES KMC_BUILD
printf 'KTAP version 1\n'
kernel=${KERNEL:-6.1}
mkdir -p build
if ! tree=$(lab/tree.sh "$kernel" 2>build/tree.log); then
	printf '1..1\nok 1 the source of kernel %s # SKIP %s\n' "$kernel" "$(tail -n 1 build/tree.log)"
	exit 4
fi
work=$(mktemp -d "${TMPDIR:-/tmp}/libkvm_test.XXXXXX") || exit 2
trap 'rm -rf -- "$work"' EXIT
scratch=$work
# shellcheck source=tests/checking.sh
source "$here/tests/checking.sh"

readonly libkvm=$tree/tools/testing/selftests/kvm
build=build/libkvm-$(sed -n 's/^\(VERSION\|PATCHLEVEL\) = //p' "$tree/Makefile" | paste -sd.)
readonly build
readonly make=(make --no-print-directory "-j$(nproc)")

# The results, without times.
told() { grep -E '^(not )?ok |^1[.][.]|^[a-z0-9-]+/|^# cases' "$1" | sed -E 's/ time_ms=[0-9]+//'; }

#
# On the library
#
builds() {
	touch "$work/before"
	run 0 "${make[@]}" LIBKVM="$libkvm"
	[[ -x $build/x86/walk_test ]] || problem "no $build/x86/walk_test"
	[[ -z $(find "$tree" -newer "$work/before" ! -type d -print -quit) ]] ||
		problem "written to the kernel tree: $(find "$tree" -newer "$work/before" ! -type d | head -n 3)"
	run 0 "${make[@]}" LIBKVM="$libkvm"
	[[ $out != *' -c -o '* ]] || problem "compiles twice: $out"
	check "make LIBKVM= builds, into a folder of its own"
}

# The same command with either: the same results.
says_the_same() {
	local test=$1 code
	shift
	"build/x86/$test" "$@" >"$work/own" 2>&1 </dev/null
	code=$?
	[[ -n $(told "$work/own") ]] || problem "$test $*: $(<"$work/own")"
	run "$code" "$build/x86/$test" "$@"
	diff <(told "$work/own") <(told "$work/out") >"$work/diff" || problem "$(head -n 20 "$work/diff")"
}

same_results() {
	local known=(--known-issues x86/known_issues.json)
	says_the_same walk_test --list
	says_the_same walk_test --filter '4level/-' "${known[@]}"
	says_the_same role_transition_test --shard 1/40 "${known[@]}"
	says_the_same role_refusal_test --filter '*/4level' "${known[@]}"
	says_the_same gpa_test --shard 1/8 "${known[@]}"
	says_the_same tdx_abi_test "${known[@]}"
	says_the_same tdx_shared_bit_test --shard 1/8 "${known[@]}"
	KVM_DEVICE=/nowhere says_the_same walk_test --filter '4level/-'
	check "the same subtests end in the same way as with our own calls"
}

# With so few descriptors that the library cannot make what it wants.  Where it cannot open
# /dev/kvm, that of 6.1 wants to skip.
assertions_are_failures() {
	local limit found='' skips='' code
	if [[ ! -w /dev/kvm ]]; then
		check "an assertion of the library fails the subtest # SKIP no /dev/kvm"
		check "a skip of the library skips the subtest # SKIP no /dev/kvm"
		return
	fi
	for limit in {4..12}; do
		(ulimit -n "$limit" && exec "$build/x86/walk_test" --filter '4level/-') >"$work/out" 2>"$work/err"
		code=$?
		if grep -q '^ok 1 4level/- # SKIP libkvm: /dev/kvm not available' "$work/out"; then
			skips=yes
			((code == 4)) || problem "exit code $code of a skip"
		fi
		grep -q "libkvm: assertion '" "$work/out" || continue
		found=yes
		((code == 1)) || problem "exit code $code with $limit descriptors"
		grep -q '^not ok 1 4level/-' "$work/out" || problem "no failed subtest: $(<"$work/out")"
		[[ $(grep -c 'libkvm: ' "$work/out") == 1 && ! -s $work/err ]] ||
			problem "not one line: $(cat "$work/out" "$work/err")"
	done
	[[ -n $found ]] || problem "no limit made the library assert: $(<"$work/out")"
	check "an assertion of the library fails the subtest"
	[[ -n $skips || $kernel != 6.1 ]] || problem "no limit made the library skip: $(<"$work/out")"
	check "a skip of the library skips the subtest"
}

# As -include'd, against exits that the library has and the suite must not take.
takes_over() {
	run 0 nm -u "$build/libkvm.o"
	! grep -qwE 'exit|_exit' <<<"$out" || problem "exit() is called: $out"
	! objdump -h "$build/libkvm.o" | grep -qE 'init_array|ctors' || problem "a constructor"
	[[ -z $(nm -g --defined-only "$build/libkvm.o" | awk '$3 !~ /^vmm_/') ]] || problem "names of its own"
	check "of the library no exit, no constructor and no name is left"
}

refuses() {
	run 2 make LIBKVM=/nowhere
	has "no lib/kvm_util.c there" "$err"
	check "make LIBKVM= says where there is no library"
}

#
# In the kernel tree
#
installs() {
	copy=$work/tree
	# No file is changed in place: links will do, where the cache is on the same file system.
	cp -al "$tree" "$copy" 2>/dev/null || { rm -rf "$copy"; cp -a "$tree" "$copy"; }
	target=$copy/tools/testing/selftests/kvm_mmu
	run 0 make kselftest-install KSRC="$copy"
	run 0 make kselftest-install KSRC="$copy"
	[[ $(grep -c '^TARGETS += kvm_mmu$' "$copy/tools/testing/selftests/Makefile") == 1 ]] ||
		problem "TARGETS += kvm_mmu is not there once"
	! grep -q kvm_mmu "$tree/tools/testing/selftests/Makefile" || problem "the tree it was copied from has changed"
	run 2 make kselftest-install
	has "which kernel tree?" "$err"
	run 2 make kselftest-install KSRC="$work"
	has "is no kernel tree" "$err"
	echo all: >"$target/Makefile"
	run 2 make kselftest-install KSRC="$copy"
	has "is something else's" "$err"
	rm -rf "$target"
	run 0 make kselftest-install KSRC="$copy"
	check "make kselftest-install puts it there, and twice is once"
}

# What is left out, and why: packaging/kselftest/checkpatch.
style() {
	local said
	said=$(cd "$target" && find . -name '*.[chS]' | sort |
		xargs -P "$(nproc)" -n 40 perl "$copy/scripts/checkpatch.pl" --no-tree --no-summary --show-types --terse \
			--ignore "$(sed -n 's/^checkpatch-ignore: //p' "$here/packaging/kselftest/checkpatch" | paste -sd,)" -f)
	[[ -z $said ]] || problem "$(head -n 20 <<<"$said")"
	check "checkpatch.pl has nothing to say"
}

runs() {
	local test n
	n=$(echo x86/*_test.c | wc -w)
	run 0 "${make[@]}" -C "$copy/tools/testing/selftests" TARGETS=kvm_mmu
	[[ -x $target/walk_test ]] || problem "no walk_test: ${err: -600}"
	check "it builds there"
	for test in "$target"/*_test; do
		test=${test##*/}
		export "KSELFTEST_${test^^}_ARGS=--shard 1/300"
	done
	run 0 make -C "$copy/tools/testing/selftests" TARGETS=kvm_mmu run_tests
	has $'\n1..'"$n"$'\n' "$out"
	[[ $(grep -cE '^ok [0-9]+ selftests: kvm_mmu: [a-z0-9_]+_test( # SKIP)?$' <<<"$out") == "$n" ]] ||
		problem "$(grep -E '^not ok|^# not ok' <<<"$out")"
	has '# ok 1 nopg/intel-52-1g # cases=' "$out"
	check "the kernel's runner runs it, and takes its KTAP"
}

if [[ ${1-} == kselftest ]]; then
	printf '1..4\n'
	installs
	style
	runs
else
	printf '1..6\n'
	refuses
	builds
	takes_over
	same_results
	assertions_are_failures
fi
totals
exit $((failures > 0))
