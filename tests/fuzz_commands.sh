#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Malformed input to commands: options of runner.sh and of its commands, case ids of every
# test, the lab's tables.  tests/fuzz_test.c has what can be tried without a process each.
#
#   fuzz_commands.sh [COUNT]   COUNT inputs for each (20); SEED=N for the same ones again
#                              TEST_DIR=build/san/x86 for tests with sanitizers
#
# Each must end by itself within seconds, with an exit code that is documented, and without
# a word of bash's, awk's or a sanitizer's.  No /dev/kvm is used, no network, nothing is booted.
# Prints KTAP; exits 0 or 1.
set -u
export LC_ALL=C KVM_DEVICE=/nonexistent
# A test that finds no KVM jumps out of what it was setting up and ends: memory and all.
export ASAN_OPTIONS=detect_leaks=0

here=$(cd -- "$(dirname -- "$0")/.." && pwd)
count=${1:-20}
seed=${SEED:-$$}
test_dir=$(readlink -f -- "${TEST_DIR:-$here/build/x86}")
printf 'KTAP version 1\n# SEED=%s\n' "$seed"
work=$(mktemp -d "${TMPDIR:-/tmp}/fuzz_commands.XXXXXX") || exit 2
trap 'rm -rf -- "$work"' EXIT
scratch=$work
# shellcheck source=tests/checking.sh
source "$here/tests/checking.sh"
cd -- "$work" || exit 2

readonly trouble='line [0-9]+: |unbound variable|syntax error|[mg]?awk: |sed: |AddressSanitizer|runtime error|LeakSanitizer|core dumped|Segmentation'

# mutated TEXT...: sets inputs, COUNT of them.
mutated() { mapfile -d '' -t inputs < <("$here/build/tests/fuzz_test" --mutate $((seed + number)) "$count" "$@"); }

# survives INPUT CODES COMMAND...: ends with one of the exit codes, and no trouble is said.
survives() {
	local input=$1 codes=$2 code
	shift 2
	timeout -k 1 20 "$@" >"$work/out" 2>"$work/err" </dev/null
	code=$?
	[[ " $codes " == *" $code "* ]] || problem "exit code $code with $(printf '%q' "${input:0:500}"): $(tail -n 3 "$work/err")"
	# What is quoted from the input is not what was said of it.
	! grep -aqE "$trouble" "$work/err" || problem "with $(printf '%q' "${input:0:500}"): $(grep -aE -m1 "$trouble" "$work/err")"
}

#
# What is tried
#
# An install folder whose tests do nothing.
make_install() {
	# No other machine is asked for anything.
	mkdir -p "$work/path"
	printf '#!/bin/sh\nexit 255\n' >"$work/path/ssh"
	chmod +x "$work/path/ssh"
	PATH=$work/path:$PATH
	fake_suite "$work/install" alpha_test
}

runner_options() {
	local input words
	mutated '--tag fake alpha_test' '--filter a* --shard 1/3' '--max-failures 3 --seed 9' '--list --host' \
		'--time-limit 5 --run-name x' '--case a/b alpha_test -- --verbose' '--skip-tag fake --results r' '--no-summary --help'
	for input in "${inputs[@]}"; do
		read -r -d '' -a words <<<"$input"
		survives "$input" '0 1 2 4' "$work/install/runner.sh" "${words[@]+"${words[@]}"}"
	done
	check "options of runner.sh: ${#inputs[@]} inputs"
}

# Is one of the words a folder that is not ours?  All runs below / takes its time to look for.
leads_elsewhere() {
	local word
	for word in "${words[@]+"${words[@]}"}"; do
		word=${word#--*=}
		[[ -d $word && $(readlink -f -- "$word")/ != "$work"/* ]] && return
	done
	return 1
}

# Every command that --help lists, with what looks like its arguments.
command_options() {
	local input words name
	for name in $("$work/install/runner.sh" --help | sed -nE 's/^  ([a-z][a-z-]*) .*/\1/p'); do
		mutated '--help' "$work/none $work/none2" '--results x --host svm-npt' '--good a --bad b --repo c --test t' \
			'--case a/b/c --ssh host' '--junit --html --output x' 'results/latest'
		for input in "${inputs[@]}"; do
			read -r -d '' -a words <<<"$input"
			leads_elsewhere && continue
			survives "$input" '0 1 2 4' "$work/install/runner.sh" "$name" "${words[@]+"${words[@]}"}"
		done
		check "arguments of runner.sh $name: ${#inputs[@]} inputs"
	done
}

case_ids() {
	local file name input
	for file in "$test_dir"/*_test; do
		name=${file##*/}
		[[ $("$file" --about) == *'cases: yes'* ]] || continue
		mutated 4level/wp,nx/cpl3/read/4=p,w,u/3=p,w,u/2=p,w,u/1=p,w,u cpu-phys36,no-1g/pae/-/cpl0/write/3=p/2=p/1=p \
			pae/wp/over/4level/nx/cpl0/read/page/3=p/2=p/1=p nopg/-/cpl0/write/ept4/data/4=r/3=r,w/2=x/1=r,w,x \
			sregs/4level/nx/cr4-b21 mov-cr3/pae/wp/0=b63 "$("$file" --list | head -n 1)" "$("$file" --list | tail -n 1)/1/2"
		for input in "${inputs[@]}"; do
			survives "$input" '2 4' "$file" --case "$input"
			survives "$input" '2 4' "$file" --case 4level/wp,nx/cpl3/read/4=p,w,u/3=p,w,u/2=p,w,u/1=p,w,u --after "$input"
		done
		check "case ids of $name: ${#inputs[@]} inputs, and as --after"
	done
}

# A copy of the lab whose table is replaced: TABLE COMMAND...
lab_table() {
	local table=$1 input rows
	shift
	mapfile -t rows < <(grep -v '^#' "$here/lab/$table.conf")
	mutated "${rows[@]:0:20}" "${rows[0]}"$'\n'"${rows[1]-}"
	for input in "${inputs[@]}"; do
		printf '%s\n' "$input" >"$work/lab/$table.conf"
		survives "$input" '0 2' "$@"
	done
	cp "$here/lab/$table.conf" "$work/lab/$table.conf"
	check "the lab's $table.conf: ${#inputs[@]} inputs"
}

lab_tables() {
	local run=("$work/lab/run.sh" --results /dev/null/x --host)
	cp -r "$here/lab" "$work/lab"
	lab_table hosts "${run[@]}" svm-npt
	lab_table kernels "${run[@]}" svm-npt --kernel 6.12
	lab_table emulators "$work/lab/run.sh" --list
	lab_table sources "$work/lab/mutants.sh" --list
	lab_table mutants/role "$work/lab/mutants.sh" --list
}

make_install
runner_options
command_options
case_ids
lab_tables
printf '1..%d\n' "$number"
totals
((!failures))
