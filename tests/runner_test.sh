#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Tests of runner.sh and lib/report: bad input, tests that crash, hang or skip, damaged
# results, a killed runner, known issues.  The tests it runs are copies of fake_test,
# which does what FAKE_PLAN says.  Prints KTAP; exits 0 or 1.
set -u
export LC_ALL=C

here=$(cd -- "$(dirname -- "$0")/.." && pwd)
RANDOM=${SEED:-$$}
printf '# SEED=%s\n' "${SEED:-$$}"

work=$(mktemp -d "${TMPDIR:-/tmp}/runner_test.XXXXXX") || exit 2
trap 'rm -rf -- "$work"' EXIT
scratch=$work
# shellcheck source=tests/checking.sh
source "$here/tests/checking.sh"

# An install folder with two tests, and a kernel log that is a file.
install=$work/install
fake_suite "$install" alpha_test beta_test
fake=$install/x86/alpha_test report=$install/bin/kmc-report
mkdir -p "$work/path"
export KMC_KMSG=$work/kmsg FAKE_KMSG=$work/kmsg FAKE_PLAN=''
printf '#!/bin/sh\ncat "%s"\n' "$work/kmsg" >"$work/path/dmesg"
chmod +x "$work/path/dmesg"
PATH=$work/path:$PATH
: >"$work/kmsg"
test_bin=$fake

# Runs a function as one subtest.
subtest() {
	rm -rf -- "$install/results"
	FAKE_PLAN='' "$@"
	check "$1"
}

runner() { "$install/runner.sh" "$@"; }
summary() { cat "$install/results/latest/summary.json"; }

# KTAP as the kernel's documentation has it: version, plan, numbered results, totals that agree.
well_formed() {
	local line n=0 plan='' first='' pass=0 fail=0 skip=0 xfail=0 last=''
	while IFS= read -r line; do
		[[ -n $first ]] || first=$line
		last=$line
		case $line in
		'1..'*) plan=${line#1..} ;;
		'# '* | 'KTAP version 1') ;;
		*)
			[[ $line =~ ^(not )?ok\ ([0-9]+)\ [^\ ]+(\ #\ .*)?$ ]] || problem "no KTAP: $line"
			((BASH_REMATCH[2] == ++n)) || problem "not number $n: $line"
			case $line in
			'not ok'*) ((fail++)) ;;
			*' # SKIP'*) ((skip++)) ;;
			*' # XFAIL'*) ((xfail++)) ;;
			*) ((pass++)) ;;
			esac
			;;
		esac
	done <<<"$1"
	[[ $first == 'KTAP version 1' ]] || problem "first line: $first"
	[[ $plan == "$n" ]] || problem "plan $plan, results $n"
	[[ $last == "# Totals: pass:$pass fail:$fail xfail:$xfail xpass:0 skip:$skip error:0" ]] ||
		problem "totals: $last"
}

#
# The subtests
#
runner_refuses_bad_input() {
	refuse "unknown option '--bogus'" runner --bogus
	refuse "needs an argument" runner --tag
	refuse "unknown tag 'nope'" runner --tag nope
	refuse "unknown test or command 'nope'" runner nope
	refuse "needs a number" runner --time-limit x
	refuse "above 0" runner --time-limit 0
	refuse "needs a number" runner --seed=1x
	refuse "needs a number" runner --max-failures -1
	refuse "needs I/N" runner --shard 3/2
	refuse "needs I/N" runner --shard 1
	refuse "needs a name" runner --run-name ../x
	refuse "needs a name" runner --run-name latest
	refuse "no subtest matches" runner --filter 'zzz*'
	refuse "needs the one TEST" runner --case a/b
	refuse "malformed case id" runner --case bad alpha_test
	refuse "cannot write results" runner --results "$test_bin/x"
	: >"$work/file"
	refuse "cannot write results" runner --results "$work/file"
	mkdir -p "$work/empty/lib"
	cp "$here/runner.sh" "$work/empty/"
	refuse "is missing" "$work/empty/runner.sh"
	cp -r "$here/lib/runner" "$work/empty/lib/"
	refuse "nothing is built" "$work/empty/runner.sh"
}

# shellcheck disable=SC2016 # the command expands it
commands_are_found() {
	local command=$install/lib/runner/fake-command.sh
	printf '#!/bin/bash\n#: fake-command X   what it does\n' >"$command"
	printf 'echo "$KMC_SUITE $KMC_REPORT $KMC_TEST_DIR: $*"\nexit 3\n' >>"$command"
	run 3 runner fake-command --tag 'b  c'
	[[ $out == "$install $install/bin/kmc-report $install/x86: --tag b  c" ]] || problem "said $out"
	run 3 runner --fake-command
	run 0 runner --help
	has '  fake-command X   what it does' "$out"
	(($(wc -l <<<"$out") <= 50)) || problem "--help has $(wc -l <<<"$out") lines"
	[[ $out =~ [^$'\n']{81} ]] && problem "--help has a line over 80 columns: ${BASH_REMATCH[0]}"
	# A part of the runner is no command.
	refuse "unknown test or command 'kernel_log'" runner kernel_log
	refuse "unknown test or command 'nope'" runner nope
	rm "$command"
}

results_folder_without_permission() {
	local dir=$work/locked
	mkdir -p "$dir"
	chmod 555 "$dir"
	if ((EUID)); then
		refuse "Permission denied" runner --results "$dir"
	elif command -v setpriv >/dev/null; then
		chmod 755 "$work"
		refuse "Permission denied" setpriv --reuid=65534 --regid=65534 --clear-groups \
			"$install/runner.sh" --results "$dir"
	fi
}

test_refuses_bad_input() {
	refuse "unknown option '--bogus'" "$test_bin" --bogus
	refuse "unknown option '-x'" "$test_bin" -x
	refuse "needs an argument" "$test_bin" --filter
	refuse "unexpected argument 'x'" "$test_bin" x
	refuse "needs a number" "$test_bin" --seed 12x
	refuse "needs a number" "$test_bin" --max-failures ''
	refuse "needs I/N" "$test_bin" --shard 0/1
	refuse "needs I/N" "$test_bin" --shard 1/2x
	refuse "unknown engine 'x': one of native, other, all" "$test_bin" --engine x
	refuse "--engine all goes with --case" "$test_bin" --engine all
	refuse "No such file" "$test_bin" --known-issues "$work/none"
	refuse "cannot write results" "$test_bin" --results "$work/none/x"
	refuse "no subtest matches" "$test_bin" --filter zzz
	refuse "no subtest matches" "$test_bin" --list --filter zzz
	run 0 "$test_bin" --about
	has "name: alpha_test" "$out"
	has "tags: fake,no-kvm" "$out"
	run 0 "$test_bin" --help
	has "--max-failures" "$out"
}

kvm_device_errors() {
	KVM_DEVICE=$work/none run 4 "$report" kvm
	has "does not exist" "$out"
	KVM_DEVICE=/dev/null run 4 "$report" kvm
	has "is not KVM" "$out"
	: >"$work/file"
	KVM_DEVICE=$work/file run 4 "$report" kvm
	has "is not KVM" "$out"
	if ((!EUID)) && command -v setpriv >/dev/null; then
		chmod 755 "$work"
		chmod 600 "$work/file"
		KVM_DEVICE=$work/file run 4 setpriv --reuid=65534 --regid=65534 --clear-groups \
			"$install/bin/kmc-report" kvm
		has "add yourself to group kvm or run as root" "$out"
	fi
	KVM_DEVICE=$work/none run 0 "$report" host --json
	has '"kvm_error": "' "$out"
	run 2 "$report" bogus
	run 2 "$report" summary "$work/none"
}

ktap_is_well_formed() {
	export FAKE_PLAN='a=pass:7 b=fail:5 c=skip d=assert e=note f=pass'
	run 1 "$test_bin"
	well_formed "$out"
	has "not ok 2 b # cases=5 failed=5" "$out"
	has "# ... and 2 more" "$out"
	has "ok 3 c # SKIP this host has no fake feature" "$out"
	has "# cases: 16" "$out"
	run 1 "$test_bin" --verbose
	hasnt "more" "$out"
	run 1 "$test_bin" --max-failures 2
	well_formed "$out"
	has "failed=2" "$out"
	has "ok 6 f # SKIP not run: --max-failures reached" "$out"
	run 1 "$test_bin" --shard 2/4
	has "1..2" "$out"
	has "not ok 1 b" "$out"
	has "ok 2 f" "$out"
	run 0 "$test_bin" --filter '[ae]'
	well_formed "$out"
	FAKE_PLAN='a=skip b=skip' run 4 "$test_bin"
	well_formed "$out"
	run 1 "$test_bin" --seed 1
	well_formed "$out"
	local once=$out
	run 1 "$test_bin" --seed 1
	[[ ${once//time_ms=+([0-9])/} == "${out//time_ms=+([0-9])/}" ]] || problem "a seed gives two orders"
	run 1 "$test_bin" --seed 2
	[[ ${once%%# cases*} != "${out%%# cases*}" ]] || problem "two seeds give one order"
}

results_that_cannot_be_written() {
	FAKE_PLAN='a=pass b=pass' run 1 "$test_bin" --results /dev/full
	well_formed "$out"
	[[ $err == *"No space left"* && $err != *$'\n'* ]] || problem "not one line: $err"
}

totals_and_exit_codes() {
	export FAKE_PLAN='a=pass:3 b=skip'
	run 0 runner
	last_line '2 passed, 0 failed, 2 skipped'
	has '"passed": 2' "$(summary)"
	has '"cases": 8' "$(summary)"
	FAKE_beta_test='a=fail:2' run 1 runner
	last_line '1 passed, 1 failed, 1 skipped'
	has '"case": "a/case-1"' "$(summary)"
	has '--case a/case-0' "$out"
	FAKE_PLAN='skip' run 4 runner
	last_line '0 passed, 0 failed, 2 skipped'
	has 'no fake anything' "$(summary)"
	run 0 runner --filter a alpha_test -- --verbose
	last_line '1 passed, 0 failed, 0 skipped'
	run 0 runner --case a/b alpha_test
	has 'replaying a/b' "$out"
	hasnt '0 cases' "$out"
	run 4 runner --case skip/b alpha_test
	has 'SKIPPED alpha_test: 1: the CPU offers no fake' "$out"
	run 1 runner --case fail/b alpha_test
	has 'FAILED alpha_test: the case fails' "$out"
	# Its summary is left to others, but it did finish.
	run 0 runner --no-summary alpha_test
	run 0 runner alpha_test
	hasnt 'did not finish' "$out"
	run 0 runner --list
	run 0 runner --run-name twice
	run 0 runner --run-name twice
	[[ -f $install/results/twice-2/summary.json ]] || problem "no second run folder"
	[[ $(readlink "$install/results/latest") == twice-2 ]] || problem "latest is not the last run"
}

crash_and_early_exit() {
	FAKE_alpha_test='a=pass b=crash c=pass' FAKE_beta_test='a=pass b=exit:0' run 1 runner
	last_line '2 passed, 2 failed, 0 skipped'
	has 'killed by signal 11 (SIGSEGV), last finished subtest: a, running: b' "$out"
	has 'exit code 0 before its end' "$out"
}

hang_is_ended() {
	FAKE_alpha_test='a=pass b=hang' FAKE_beta_test='a=orphan b=pass' run 1 runner --time-limit 1
	last_line '3 passed, 1 failed, 0 skipped'
	has 'timed out after 1 s, last finished subtest: a' "$out"
	has 'ok 1 a # cases=1 ' "$(<"$install/results/latest/alpha_test.ktap")"
	sleep 0.2
	[[ -z $(live_tests) ]] || problem "left running: $(live_tests)"
}

# Command lines of our tests that are still alive.
live_tests() {
	local file text
	for file in /proc/[0-9]*/cmdline; do
		text=$(tr '\0' ' ' <"$file") 2>/dev/null
		[[ $text == *"$install/x86/"*_test\ * ]] && printf '%s\n' "$text"
	done 2>/dev/null
}

kernel_log_fails_a_test() {
	FAKE_alpha_test='a=kmsg:WARNING: b=pass' FAKE_beta_test='a=pass' run 1 runner
	last_line '3 passed, 1 failed, 0 skipped'
	has 'FAILED alpha_test: kernel log: [ 1.1] WARNING:' "$out"
	has 'harmless' "$(<"$install/results/latest/alpha_test.dmesg")"
	FAKE_PLAN='a=kmsg:DEBUG:' run 1 runner alpha_test # for its "Call Trace:"
	printf '#!/bin/sh\nexit 1\n' >"$work/path/dmesg"
	FAKE_PLAN='a=pass' run 0 runner
	has 'the kernel log is not readable' "$out"
	printf '#!/bin/sh\ncat "%s"\n' "$work/kmsg" >"$work/path/dmesg"
}

damaged_results_keep_the_rest() {
	local dir file size
	FAKE_PLAN='a=pass b=fail c=pass' run 1 runner
	dir=$(readlink -f "$install/results/latest") file=$dir/alpha_test.jsonl
	size=$(stat -c %s "$file")
	truncate -s $((size - 10)) "$file"
	run 1 "$report" summary "$dir"
	has 'damaged: alpha_test.jsonl line 9: the line is cut short' "$out"
	has '"line": 9' "$(<"$dir/summary.json")"
	truncate -s "$size" "$file" # zeros, as after a host crash
	run 1 "$report" summary "$dir"
	has 'damaged: alpha_test.jsonl line 9' "$out"
	sed -i '3s/.*/{"event":/;5s/.*/[1]/' "$dir/beta_test.jsonl"
	run 1 "$report" summary "$dir"
	has 'damaged: beta_test.jsonl line 3' "$out"
	has 'damaged: beta_test.jsonl line 5: the line is no event' "$out"
	has '1 of 3 subtest results are missing' "$out"
	sed -i '1s/^/garbage/' "$dir/run.jsonl"
	: >"$dir/host.json"
	run 1 "$report" summary "$dir"
	has 'damaged: run.jsonl line 1' "$out"
	has 'damaged: host.json' "$out"
	last_line '3 passed, 4 failed, 0 skipped'
}

# start_runner ARGUMENTS: in the background, its process id in victim.
start_runner() {
	# A shell starts background jobs with SIGINT ignored, which cannot be trapped away.
	env --default-signal=INT "$install/runner.sh" "$@" >"$work/out" 2>"$work/err" </dev/null &
	victim=$!
	disown "$victim"
}

# Until the run that replaces the run folder given has started a test.
wait_started() {
	local i
	for ((i = 0; i < 300; i++)); do
		[[ $(readlink -f "$install/results/latest") != "$1" ]] &&
			grep -q test_start "$install/results/latest/run.jsonl" 2>/dev/null && return
		sleep 0.1
	done
	problem "no test was started: $(<"$work/err")"
}

last_run() { readlink -f "$install/results/latest"; }
random_nap() { sleep "0.$((RANDOM % 6))"; }

wait_gone() {
	local i
	for ((i = 0; i < 100; i++)); do
		kill -0 "$1" 2>/dev/null || return
		sleep 0.1
	done
	problem "process $1 does not end"
}

# Every subtest that a test finished must be in the summary.
check_kept() {
	local dir=$1 finished
	[[ -f $dir/summary.json ]] || { problem "no summary in $dir" && return; }
	finished=$(cat "$dir"/*_test.jsonl 2>/dev/null | grep -c '"event":"subtest".*"status":"pass".*}$')
	grep -q "\"passed\": $finished,\$" "$dir/summary.json" ||
		problem "$finished finished, summary has: $(grep '"passed"' "$dir/summary.json")"
}

interrupted_run_is_summarized() {
	local signal before
	export FAKE_PLAN='a=nap:100 b=nap:100 c=nap:100 d=nap:100 e=hang'
	for signal in INT TERM INT; do
		before=$(last_run)
		start_runner
		wait_started "$before"
		random_nap
		kill -"$signal" "$victim"
		wait_gone "$victim"
		out=$(<"$work/out")
		check_kept "$install/results/latest"
		has '"interrupted": true' "$(summary)"
		has "interrupted by SIG$signal: 1 test was not started" "$out"
		has " passed, 1 failed, 0 skipped" "${out##*$'\n'}"
		[[ -z $(live_tests) ]] || problem "left running: $(live_tests)"
	done
	# timeout(1) hands on the exit code of what it had to interrupt.
	run 130 env --default-signal=INT timeout --foreground --preserve-status -s INT 1 \
		"$install/runner.sh"
	run 143 timeout --foreground --preserve-status -s TERM 1 "$install/runner.sh"
}

killed_run_is_noticed() {
	local i dir before
	for i in 1 2 3 4; do
		before=$(last_run)
		FAKE_PLAN='a=nap:100 b=nap:100 c=nap:100 d=nap:100 e=hang' start_runner
		wait_started "$before"
		random_nap
		kill -KILL "$victim"
		wait_gone "$victim"
		dir=$(last_run)
		[[ ! -e $dir/summary.json ]] || problem "killed run $i has a summary"
		FAKE_PLAN='a=pass' run 0 runner
		has "previous run ${dir##*/} did not finish; last started: alpha_test" "$out"
		check_kept "$dir"
		[[ -z $(live_tests) ]] || problem "left running: $(live_tests)"
		FAKE_PLAN='a=pass' run 0 runner
		hasnt "did not finish" "$out"
	done
	# So early that there may be no run folder yet, or half of one.
	for i in 1 2 3 4 5 6; do
		FAKE_PLAN='e=hang' start_runner
		sleep "0.0$((RANDOM % 10))"
		kill -KILL "$victim" 2>/dev/null
		wait_gone "$victim"
		FAKE_PLAN='a=pass' run 0 runner
		[[ -z $err ]] || problem "after an early kill: $err"
	done
}

running_run_is_left_alone() {
	local dir
	FAKE_PLAN='a=nap:3000' start_runner alpha_test
	wait_started "$(last_run)"
	dir=$(last_run)
	FAKE_PLAN='a=pass' run 0 runner
	hasnt "did not finish" "$out"
	[[ ! -e $dir/summary.json ]] || problem "a running run was given a summary"
	wait_gone "$victim"
	has "1 passed, 0 failed, 0 skipped" "$(<"$work/out")"
}

progress_on_a_terminal() {
	command -v script >/dev/null || return
	FAKE_PLAN='a=pass b=nap:900 c=crash' run 1 script -qec "$install/runner.sh alpha_test" /dev/null
	has 'ok 1 a' "$out"
	hasnt 'runner.sh: line' "$out"
	[[ $(summary) == *'"failed": 1'* ]] || problem "no failure in the summary"
}

bare_host_is_enough() {
	local tool dir=$work/bare
	mkdir -p "$dir"
	for tool in bash cat date dirname ln mkdir mv readlink sleep sync timeout; do
		ln -sf "$(command -v "$tool")" "$dir/$tool"
	done
	ln -sf "$(command -v sh)" "$dir/sh"
	cp "$work/path/dmesg" "$dir/"
	FAKE_PLAN='a=pass' PATH=$dir run 0 "$install/runner.sh"
	[[ -z $err ]] || problem "$err"
	last_line '2 passed, 0 failed, 0 skipped'
}

# shellcheck disable=SC2016 # the stubs expand it
setup_installs_what_is_missing() {
	local tree=$work/tree stubs=$work/stubs log=$work/log tool
	mkdir -p "$tree/build/x86" "$tree/build/bin" "$tree/lab" "$tree/lib" "$stubs"
	cp "$here/runner.sh" "$here/setup.sh" "$tree/"
	cp -r "$here/lib/runner" "$tree/lib/"
	cp "$report" "$tree/build/bin/kmc-report"
	cp "$fake" "$tree/build/x86/alpha_test"
	for tool in apt-get make sudo; do
		printf '#!/bin/bash\nprintf "%%s %%s\\n" %s "$*" >>"%s"\n' "$tool" "$log" >"$stubs/$tool"
	done
	printf '[[ $1 == apt-get ]] && shift\n' >>"$stubs/sudo"
	printf '#!/bin/bash\nprintf "lab/run.sh %%s\\n" "$*" >>"%s"\n' "$log" >"$tree/lab/run.sh"
	printf '#!/bin/bash\n[[ $MISSING == *"${*: -1} "* ]] || printf installed\n' >"$stubs/dpkg-query"
	chmod +x "$stubs"/* "$tree/lab/run.sh"
	export FAKE_PLAN='a=pass' MISSING='' PATH=$stubs:$PATH

	KVM_DEVICE=$work/none run 0 "$tree/runner.sh" --setup --filter a alpha_test -- --verbose
	has 'lab/run.sh --host svm-npt -- --filter a alpha_test -- --verbose' "$(<"$log")"
	hasnt 'apt-get' "$(<"$log")"
	[[ -e $tree/results ]] && problem "ran here too"
	: >"$log"
	MISSING='libnuma-dev cpio ' KVM_DEVICE=$work/none run 0 "$tree/runner.sh" --setup
	has 'libnuma-dev' "$(<"$log")"
	has 'cpio' "$(<"$log")"
	hasnt 'gcc' "$(<"$log")"
	: >"$log"
	MISSING='clang-format cpio ' run 0 "$tree/runner.sh" --setup --self-test
	has 'cpio clang-format' "$(<"$log")"
	has "make --no-print-directory -C $tree check" "$(<"$log")"
	if "$report" kvm >/dev/null; then
		: >"$log"
		run 0 "$tree/runner.sh" --setup
		hasnt 'lab/run.sh' "$(<"$log")"
		last_line '1 passed, 0 failed, 0 skipped'
	fi
	PATH=${PATH#"$stubs:"}
}

# shellcheck source=tests/known_issues_cases.sh
source "$here/tests/known_issues_cases.sh"

shopt -s extglob
subtests=(runner_refuses_bad_input commands_are_found results_folder_without_permission test_refuses_bad_input
	kvm_device_errors ktap_is_well_formed results_that_cannot_be_written totals_and_exit_codes
	crash_and_early_exit hang_is_ended kernel_log_fails_a_test damaged_results_keep_the_rest
	interrupted_run_is_summarized killed_run_is_noticed running_run_is_left_alone
	progress_on_a_terminal bare_host_is_enough setup_installs_what_is_missing "${known_issue_subtests[@]}")
printf 'KTAP version 1\n1..%d\n' "${#subtests[@]}"
for name in "${subtests[@]}"; do
	# An argument picks by glob; the plan is that of a full run.
	# shellcheck disable=SC2053
	[[ $name == ${1:-*} ]] && subtest "$name"
done
totals
((!failures))
