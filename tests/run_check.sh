#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# make check: builds and runs the tests of the suite itself, as many at a time as there
# are CPUs.  Ends with "N passed, N failed, N skipped", counted from the results that
# each part printed.  A part that dies, takes too long or prints no KTAP has failed.
#
#   run_check.sh [PART...]    all parts, or those whose name matches one of the globs
#   run_check.sh --source     the part "source" itself
#
# build/check/PART.log has all that a part said.
set -u
export LC_ALL=C

here=$(cd -- "$(dirname -- "$0")/.." && pwd)
cd -- "$here" || exit 2
# What make hands down (job server, SAN=1, HOST=) is not meant for the makes below.
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES
readonly logs=build/check

#
# The part "source": what can be said about the files without running anything
#
number=0 objected=0

# objections NAME TEXT: a result, not ok if there is a text.
objections() {
	((++number))
	if [[ -n $2 ]]; then
		printf '# %s\nnot ' "${2//$'\n'/$'\n'# }"
		objected=1
	fi
	printf 'ok %d %s\n' "$number" "$1"
}

check_shell_scripts() { shellcheck -x -f gcc "${shell_files[@]}"; }
check_licences() { grep -L 'SPDX-License-Identifier: GPL-2.0-only' "${text_files[@]}"; }
check_blanks() { grep -nE '[[:blank:]]+$' "${text_files[@]}"; }
check_lengths() { wc -l "${text_files[@]}" | awk '$1 > 500 && $2 != "total" { print $2 ": " $1 " lines" }'; }

check_headers() {
	local header
	for header in include/*.h; do
		gcc -std=gnu11 -D_GNU_SOURCE= -Wall -Wextra -Werror -Iinclude -fsyntax-only -x c \
			- <<<"#include \"${header#include/}\"" || printf '%s\n' "$header"
	done
}

# The model can be lifted out: nothing of the floors above, no I/O, no allocation.
check_model_includes() {
	local own='canonical|control_bits|gpa_outcome|legal_regs|mmu_state|nested|nested_role|nested_translate|nested_variant|page_table|pdpte|role|role_page|role_walk|rule|td_memory|tdx_gpa|tour|types|variant|walk|x86'
	local libc='assert|limits|stdarg|stdbool|stddef|stdint|stdio|string'
	grep -nE '^[[:blank:]]*#[[:blank:]]*include' lib/model/* include/{canonical,mmu_state,nested,nested_role,nested_variant,page_table,role,role_page,role_walk,td_memory,tdx_gpa}.h \
		include/{rule,types,variant,walk,x86}.h |
		grep -vE "include (<($libc)\\.h>|\"($own)\\.h\"|\"(nested|role|role_page|td|walk)_rules\\.def\")"
}

# stdio.h is there for formatting into the caller's buffers; what is called tells.
check_model_calls() {
	nm -u build/lib/model/*.o | awk '$1 == "U" { print $2 }' | sort -u | comm -23 - <(
		nm --defined-only -g build/lib/model/*.o | awk 'NF == 3 { print $3 }' | sort -u
	) | grep -vE '^(mem[a-z]+|str[a-z]+|v?snprintf|__isoc[0-9]+_sscanf|__stack_chk_fail|_GLOBAL_OFFSET_TABLE_)$'
}

# Advice: aligned tables are better left to people.
count_format() {
	local file n=0
	command -v clang-format >/dev/null || return 0
	for file in "${c_files[@]}"; do
		clang-format --dry-run --Werror "$file" >/dev/null 2>&1 || ((++n))
	done
	printf '# clang-format would change %d of %d files\n' "$n" "${#c_files[@]}"
}

check_source() {
	shopt -s nullglob
	shell_files=(runner.sh lib/runner/*.sh setup.sh packaging/*.bash packaging/kselftest/install.sh .ci/run lab/*.sh lab/init tests/*.sh)
	c_files=(include/*.h lib/*/*.c lib/{engine,model,observe,report,vmm}/*.h lib/vmm/libkvm/*.[ch] x86/*.[ch] tests/{,standin/,played/}*.[ch])
	text_files=("${shell_files[@]}" "${c_files[@]}" include/*.def lib/guest/*.[hS] lib/guest/*.inc lib/report/*.{S,css,js}
		Makefile */*.mk tests/*.awk lab/*.conf lab/mutants/*.conf setup.sh .clang-format)
	printf 'KTAP version 1\n1..7\n'
	objections "shellcheck is content" "$(check_shell_scripts 2>&1)"
	objections "every file names its licence" "$(check_licences 2>&1)"
	objections "no blanks at line ends" "$(check_blanks 2>&1)"
	objections "no file over 500 lines" "$(check_lengths 2>&1)"
	objections "every public header compiles by itself" "$(check_headers 2>&1)"
	objections "the model includes nothing else" "$(check_model_includes 2>&1)"
	objections "the model does no I/O and allocates nothing" "$(check_model_calls 2>&1)"
	count_format
	return "$objected"
}

#
# The parts
#
names=() limits=() commands=()

# part NAME SECONDS COMMAND...
part() {
	local name=$1 limit=$2 glob
	shift 2
	for glob in "${wanted[@]}"; do
		# shellcheck disable=SC2053 # a glob it is
		[[ $name == $glob ]] || continue
		names+=("$name") limits+=("$limit") commands+=("$(printf '%q ' "$@")")
		return
	done
}

# Every emulated host, and each kernel at least once; make lab-matrix has all pairs.  All of it
# there takes hours: here every second or fourth subtest of each test.
readonly lab_hosts='vmx-shadow 6.12 4/4
vmx-ept 7 1/4
svm-shadow 6.12 2/2
svm-npt 6.1 1/2'

list_parts() {
	local file name host kernel shard
	part source 300 tests/run_check.sh --source
	# The long ones first.
	while read -r host kernel shard; do
		part "lab-$host" 2100 tests/lab_test.sh "$host" "$kernel" "$shard"
	done <<<"$lab_hosts"
	part this-machine 900 tests/lab_test.sh host
	part lab-endings 400 tests/lab_test.sh endings
	part lab-matrix 300 tests/lab_test.sh matrix
	part lab-fetch 120 tests/lab_fetch_test.sh
	part runner_test 300 tests/runner_test.sh
	part results_test 120 tests/results_test.sh
	part jobs 120 tests/jobs_test.sh
	part quick 120 tests/quick_test.sh
	part mutants 120 tests/mutants_test.sh
	part report-page 120 tests/report_page_test.sh
	part input 120 tests/lab_test.sh input
	part fleet 240 tests/fleet_test.sh
	part lab-fleet 200 tests/fleet_test.sh lab
	part bisect 120 tests/bisect_test.sh
	part fuzz-commands 300 env TEST_DIR="$here/build/san/x86" tests/fuzz_commands.sh 20
	part disk 120 tests/disk_test.sh
	part kill 120 tests/kill_test.sh
	# With the time to fetch a kernel's source, where it is not in the lab's cache.
	part libkvm 600 tests/libkvm_test.sh
	part kselftest 600 tests/libkvm_test.sh kselftest
	part install 120 tests/install_test.sh
	part debian-package 300 tests/install_test.sh package
	part tdx_standin 120 tests/tdx_standin_test.sh
	part played_td 120 tests/played_td_test.sh
	part tdx_layout 120 tests/tdx_layout_test.sh
	part san-played_td 300 env PLAYED_DIR="$here/build/san/tests/played" tests/played_td_test.sh
	part san-tdx_standin 300 env STANDIN_DIR="$here/build/san/tests/standin" tests/tdx_standin_test.sh
	for file in x86/role_model_test.c tests/*_test.c; do
		name=${file##*/} name=${name%.c}
		[[ $name != fake_test ]] || continue
		part "$name" 300 "build/${file%.c}"
		part "san-$name" 900 "build/san/${file%.c}"
	done
	part role_rules_seeded 120 build/tests/role_rules_seeded_test --seeded
	part role_page_seeded 120 build/tests/role_page_seeded_test --seeded
	part nested_model_seeded 120 build/tests/nested_model_seeded_test --seeded
	part td_memory_seeded 120 build/tests/td_memory_seeded_test --seeded
	part san-role_rules_seeded 300 build/san/tests/role_rules_seeded_test --seeded
	part san-role_page_seeded 300 build/san/tests/role_page_seeded_test --seeded
	part san-nested_model_seeded 300 build/san/tests/nested_model_seeded_test --seeded
	part san-td_memory_seeded 300 build/san/tests/td_memory_seeded_test --seeded
	part san-runner_test 600 env FAKE_TEST="$here/build/san/tests/fake_test" \
		KMC_REPORT="$here/build/san/bin/kmc-report" tests/runner_test.sh
	part san-jobs 240 env FAKE_TEST="$here/build/san/tests/fake_test" \
		KMC_REPORT="$here/build/san/bin/kmc-report" tests/jobs_test.sh
	part san-results_test 240 env FAKE_TEST="$here/build/san/tests/fake_test" \
		KMC_REPORT="$here/build/san/bin/kmc-report" tests/results_test.sh
	part san-input 300 env WALK_TEST="$here/build/san/x86/walk_test" \
		OUT_DIR="$logs/results/san" tests/lab_test.sh input
	# Skips all where there is no KVM.
	part san-walk_test 900 build/san/x86/walk_test --known-issues x86/known_issues.json
}

#
# Counting
#
passed=0 failed=0 skipped=0

# count_part NAME EXIT-CODE SECONDS TIME-LIMIT: reads the part's log.
count_part() {
	local name=$1 code=$2 seconds=$3 line trouble='' plan='' p=0 f=0 s=0
	while IFS= read -r line; do
		case $line in
		'1..'*) plan=${line#1..} ;;
		'not ok '*) ((f++)) ;;
		'ok '*' # SKIP'*) ((s++)) ;;
		'ok '*) ((p++)) ;;
		esac
	done <"$logs/$name.log"
	if ((code == 124 || (code == 137 && seconds >= $4))); then
		trouble="took longer than $4 s"
	elif ((code > 128)); then
		trouble="killed by signal $((code - 128))"
	elif ((!(p + f + s))); then
		trouble="exit code $code, and no result"
	elif [[ $plan != $((p + f + s)) ]]; then
		trouble="exit code $code, $((p + f + s)) results of ${plan:-unknown}"
	elif ((code && !f && !(code == 4 && !p))); then
		trouble="exit code $code, but no failed result"
	elif ((!code && f)); then
		trouble="exit code 0 in spite of failures"
	fi
	[[ -z $trouble ]] || ((++f))
	((passed += p, failed += f, skipped += s))
	printf '[%d/%d] %-22s %4d passed, %d failed, %d skipped, %d s%s\n' $((++finished)) \
		"${#names[@]}" "$name" $p $f $s "$seconds" "${trouble:+: $trouble}"
	# What failed, with the diagnostics above it; or how it ended.
	if ((f)); then
		awk '/^#/ { said = said "  " $0 "\n"; next } /^not ok/ { printf "%s  %s\n", said, $0 }
			{ said = "" }' "$logs/$name.log" | tail -n 60
		[[ -z $trouble ]] || tail -n 10 "$logs/$name.log" | sed 's/^/  /'
		printf '  all of it: %s\n' "$logs/$name.log"
	else
		grep -E '^# (totals:|cases:|clang-format)' "$logs/$name.log" | sed 's/^#/ /'
	fi
}

# Counts as one result.
build() {
	local name=$1 start=$SECONDS
	shift
	if make -j"$(nproc)" "$@" check-build >"$logs/$name.log" 2>&1 </dev/null; then
		printf '%s: done, %d s\n' "$name" $((SECONDS - start))
		((++passed))
		return
	fi
	((++failed))
	printf '%s: FAILED\n' "$name"
	grep -E 'error|Error|undefined' "$logs/$name.log" | head -n 20 | sed 's/^/  /'
	printf '  all of it: %s\n' "$logs/$name.log"
}

#
# Running
#
declare -A running=() since=()
finished=0

start_part() {
	local i=$1
	# timeout gives each part a process group of its own, and ends all of it.
	eval "timeout --kill-after=20 ${limits[i]} ${commands[i]}" >"$logs/${names[i]}.log" 2>&1 </dev/null &
	running[$!]=$i since[$!]=$SECONDS
}

wait_for_part() {
	local pid='' code i
	wait -n -p pid
	code=$?
	[[ -n $pid && -n ${running[$pid]-} ]] || return
	i=${running[$pid]}
	unset "running[$pid]"
	count_part "${names[i]}" "$code" $((SECONDS - ${since[$pid]})) "${limits[i]}"
}

# shellcheck disable=SC2317 # called by trap
interrupted() {
	trap '' INT TERM HUP
	((!${#running[@]})) || kill -TERM "${!running[@]}" 2>/dev/null
	wait
	printf 'interrupted; %d of %d parts had finished\n' "$finished" "${#names[@]}"
	exit 130
}

main() {
	local i cpus
	if [[ ${1-} == --source ]]; then
		check_source
		exit
	fi
	wanted=("${@:-*}")
	list_parts
	((${#names[@]})) || { printf 'run_check.sh: no part matches: %s\n' "$*" >&2 && exit 2; }
	rm -rf -- "$logs"
	mkdir -p -- "$logs" || exit 2
	build build
	build build-san SAN=1
	trap interrupted INT TERM HUP
	cpus=$(nproc)
	for i in "${!names[@]}"; do
		((${#running[@]} < cpus)) || wait_for_part
		start_part "$i"
	done
	while ((${#running[@]})); do
		wait_for_part
	done
	printf '%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
	((!failed && passed))
	exit
}

main "$@"
