#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Runs the suite's tests and keeps what they said, also when one of them hangs,
# when this script is killed, or when the host goes down under it.
#
# Needs bash, coreutils and, for the kernel log, dmesg: it runs in an initramfs.
# What a shell cannot do well (JSON, the host card) is in kmc-report.
#
# results/RUN/:  host.json     what host this was
#                run.jsonl     one line per thing done, synced before a test starts
#                TEST.ktap, TEST.stderr, TEST.jsonl, TEST.dmesg (only after a warning)
#                summary.json  written last: a run without one did not finish
set -u
export LC_ALL=C

here=$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")
readonly here

# In the source tree the binaries are under build/, or KMC_BUILD; an install folder may have them beside us.
if [[ -d $here/${KMC_BUILD:=build}/x86 || ! -d $here/bin ]]; then
	readonly test_dir=$here/$KMC_BUILD/x86 report=$here/$KMC_BUILD/bin/kmc-report
else
	readonly test_dir=$here/x86 report=$here/bin/kmc-report
fi

# An installed suite (make install) is no place for results.
results=$here/results results_are='results, beside runner.sh'
if [[ -e $here/installed ]]; then
	results=${XDG_STATE_HOME:-${HOME:-/var/tmp}/.local/state}/kvm-mmu-conformance
	# shellcheck disable=SC2088 # for people
	results_are='~/.local/state/kvm-mmu-conformance'
fi

die() {
	printf 'runner.sh: %s\n' "$1" >&2
	exit 2
}

need_built() { [[ -x $report ]] || die "nothing is built: run make, or $0 --setup"; }

# Parts of this script.
[[ -r $here/lib/runner/selection.sh ]] || die "$here/lib/runner is missing: it belongs beside this script"
# shellcheck source=lib/runner/selection.sh
source "$here/lib/runner/selection.sh"
# shellcheck source=lib/runner/quick.sh
source "$here/lib/runner/quick.sh"
# shellcheck source=lib/runner/recording.sh
source "$here/lib/runner/recording.sh"
# shellcheck source=lib/runner/kernel_log.sh
source "$here/lib/runner/kernel_log.sh"
# shellcheck source=lib/runner/process_group.sh
source "$here/lib/runner/process_group.sh"

#
# Commands: lib/runner/NAME.sh, with a line "#: NAME ARGUMENTS   what it does" for --help
#
list_commands() {
	local file line
	for file in "$here"/lib/runner/*.sh; do
		while IFS= read -r line; do
			[[ $line == '#: '* ]] && printf '  %s\n' "${line#'#: '}"
		done <"$file"
	done
}

# Does not come back if the first argument is a command's name, with or without --.
run_command() {
	local name=${1-} file
	name=${name#--} file=$here/lib/runner/$name.sh
	[[ $name =~ ^[a-z][a-z0-9-]*$ && -f $file && $(<"$file") == *$'\n#: '* ]] || return 0
	shift
	[[ " $* " == *' --help '* ]] || need_built
	KMC_SUITE=$here KMC_REPORT=$report KMC_TEST_DIR=$test_dir KMC_RESULTS=$results exec bash "$file" "$@"
}

usage() {
	cat <<-EOT
	Usage: runner.sh [options] [TEST...] [-- TEST ARGUMENTS]
	       runner.sh COMMAND ...
	Runs all tests, or those named, and ends with "N passed, N failed, N skipped".

	  --list, --host      print the tests with tags; print what host this is
	  --tag TAG           run the tests with this tag (may be repeated)
	  --skip-tag TAG      but not those with this one (may be repeated)
	  --filter GLOB       run the subtests whose name matches
	  --quick             run the few subtests that notice what all of them do
	  --case ID           replay one case of one TEST and explain it
	  --shard I/N         run every Nth subtest of each test, from the Ith on
	  --max-failures N    stop each test after N failing cases
	  --seed N            shuffle the order of the subtests
	  --jobs N            run N subtests of a test at a time (1)
	  --time-limit N      seconds each test may take (600)
	  --results DIR       folder of the runs ($results_are)
	  --run-name NAME     name of this run (time and host name)
	  --no-summary        leave it, and the verdict, to kmc-report summary RUN
	  --setup             install what is missing, build, then run: here if /dev/kvm
	                      can be used, else on the emulated host
	  --self-test         run the suite's own tests; --setup installs what they need
	Commands, each with --help:
	$(list_commands)
	Exit: 0 passed, 1 failed, 2 bad usage, 4 all skipped, 130/143 interrupted.
	EOT
}

#
# Options
#
names=() tags=() skip_tags=() test_args=() pass_on=() run_args=() selection=()
mode=run setup=0 quick=0 case_id='' time_limit=600 run_name='' summarize=1

need_number() { # OPTION TEXT [1 [MOST]]: above 0 with the 1
	[[ $2 =~ ^[0-9]{1,18}$ ]] && ((10#$2 >= ${3-0} && 10#$2 <= ${4-10#$2})) && return
	die "option '$1' needs a number${3:+ above 0}${4:+, $4 at most}, not '$2'"
}

need_shard() {
	[[ $2 =~ ^([1-9][0-9]{0,3})/([0-9]{1,4})$ ]] && ((BASH_REMATCH[1] <= 10#${BASH_REMATCH[2]})) && return
	die "option '$1' needs I/N with I from 1 to N, not '$2'"
}

parse_value() {
	case $1 in
	--tag) tags+=("$2") ;;
	--skip-tag) skip_tags+=("$2") ;;
	--filter) pass_on+=("$1" "$2") selection+=("$1" "$2") ;;
	--case) case_id=$2 pass_on+=(--case "$2") ;;
	--shard) need_shard "$1" "$2" && pass_on+=("$1" "$2") selection+=("$1" "$2") ;;
	--max-failures | --seed) need_number "$1" "$2" && pass_on+=("$1" "$2") ;;
	--jobs) need_number "$1" "$2" 1 4096 && pass_on+=("$1" "$2") ;;
	--time-limit) need_number "$1" "$2" 1 && time_limit=$((10#$2)) ;;
	--results) results=$2 ;;
	--run-name)
		[[ $2 =~ ^[A-Za-z0-9_][A-Za-z0-9_.:+-]*$ && $2 != latest ]] ||
			die "option '$1' needs a name of letters, digits and _.:+-, not '$2'"
		run_name=$2
		;;
	*) die "unknown option '$1', see --help" ;;
	esac
}

parse_options() {
	local option
	run_args=("$@")
	while (($#)); do
		option=$1
		shift
		case $option in
		--list | --host | --self-test) mode=${option#--} ;;
		--setup) setup=1 ;;
		--quick) quick=1 ;;
		--help | -h) usage && exit 0 ;;
		--no-summary) summarize=0 ;;
		--*=*) parse_value "${option%%=*}" "${option#*=}" ;;
		--tag | --skip-tag | --filter | --case | --shard | --max-failures | --seed | --jobs | \
			--time-limit | --results | --run-name)
			(($#)) || die "option '$option' needs an argument"
			parse_value "$option" "$1"
			shift
			;;
		--) test_args=("$@") && break ;;
		-*) die "unknown option '$option', see --help" ;;
		*) names+=("${option##*/}") ;;
		esac
	done
}

# Where /dev/kvm cannot be used (kmc-report has said why) an emulated host runs the same.
run_in_lab() {
	local arg args=()
	printf 'running on the emulated host instead\n'
	"$here/setup.sh" lab || exit
	for arg in "${run_args[@]}"; do
		[[ $arg == --setup ]] || args+=("$arg")
	done
	exec "$here/lab/run.sh" --host svm-npt -- "${args[@]+"${args[@]}"}"
}

create_run() {
	local base n=1 error list='' name
	error=$(mkdir -p -- "$results" 2>&1) || die "cannot write results: ${error#mkdir: }"
	results=$(cd -- "$results" && pwd) || die "cannot enter results folder $results"
	"$report" unfinished "$results"
	base=${run_name:-$(date -u +%Y%m%dT%H%M%SZ)-${HOSTNAME//[^A-Za-z0-9_.-]/_}}
	run_name=$base
	until error=$(mkdir -- "$results/$run_name" 2>&1); do
		[[ -e $results/$run_name ]] || die "cannot write results: ${error#mkdir: }"
		run_name=$base-$((++n))
	done
	run_dir=$results/$run_name
	for name in "${tests[@]}"; do
		json "$name"
		list+=${list:+,}$REPLY
	done
	set -- tests "[$list]" runner "$("$report" process $$)" started "\"$(now)\""
	json "$run_name" && set -- run "$REPLY" "$@"
	json "${run_args[*]-}" && set -- "$@" arguments "$REPLY"
	json "$case_id" && set -- "$@" case "$REPLY"
	record run "$@"
	((!write_failed)) || exit 2
	"$report" host --json >"$run_dir/host.json" || write_failed=1
	ln -s -- "$run_name" "$results/.latest.$$" && mv -T -- "$results/.latest.$$" "$results/latest" ||
		printf 'runner.sh: cannot update %s\n' "$results/latest" >&2
}

#
# Running
#
group='' current='' ended='' began=0 busy=0 pending='' replay_refused=0

# Follows a test's output on a terminal: one line, overwritten.
show_progress() {
	local line part='' fd
	exec {fd}<"$run_dir/$2.ktap"
	while kill -0 "$1" 2>/dev/null; do
		while IFS= read -r -u "$fd" line; do
			line=$part$line part=''
			[[ $line =~ ^(not )?ok\ [0-9]+ ]] && printf '\r\033[K  %.76s' "$line"
		done
		part+=$line
		sleep 0.2
	done
	exec {fd}<&-
	printf '\r\033[K'
}

# How the test ended: exit code of timeout(1), which is the test's own, or 124 / 128 + signal.
record_end() {
	local code=$1 outcome=$2 extra=() ms
	ended="exit code $code"
	ms=$(((${EPOCHREALTIME/./} - began) / 1000))
	if [[ -z $outcome ]]; then
		outcome=exited
		if ((code == 124 || (code == 137 && ms >= time_limit * 1000))); then
			outcome=timeout ended='timed out'
		elif ((code > 128)); then
			outcome=signal ended="signal $((code - 128))"
			extra+=(signal $((code - 128)))
		fi
	fi
	kill_group "$group" || extra+=(stuck '"a process of it cannot be killed"')
	group=''
	check_kernel_log "$current"
	if [[ -n $REPLY ]]; then
		json "$REPLY"
		extra+=(kernel_log "$REPLY")
	fi
	json "$current"
	record test_end test "$REPLY" outcome "\"$outcome\"" exit "$code" time_ms "$ms" \
		time_limit "$time_limit" "${extra[@]+"${extra[@]}"}"
}

count_results() {
	local line passed=0 failed=0 skipped=0
	while IFS= read -r line; do
		case $line in
		'not ok '*) ((failed++)) ;;
		'ok '*' # SKIP'*) ((skipped++)) ;;
		'ok '*) ((passed++)) ;;
		esac
	done <"$run_dir/$1.ktap"
	printf '  %s: %d passed, %d failed, %d skipped, %s\n' "$1" $passed $failed $skipped "$ended"
}

run_test() {
	local name=$1 args=(--results "$run_dir/$1.jsonl") code
	[[ -f $here/x86/known_issues.json ]] && args+=(--known-issues "$here/x86/known_issues.json")
	((!quick)) || args+=(--filter "${quick_filter[$name]}")
	args+=("${pass_on[@]+"${pass_on[@]}"}" "${test_args[@]+"${test_args[@]}"}")
	[[ -n $case_id ]] || printf '[%d/%d] %s\n' "$2" "${#tests[@]}" "$name"
	busy=1 current=$name began=${EPOCHREALTIME/./}
	mark_kernel_log "$name"
	json "$name"
	record test_start test "$REPLY" time "\"$(now)\"" time_limit "$time_limit"
	: >"$run_dir/$name.ktap" # there before anybody follows it
	sync "$run_dir" 2>/dev/null
	# Job control for this line only: it gives the test a process group of its own.
	set -m
	"$report" tied $$ timeout --kill-after=10 "$time_limit" "$test_dir/$name" "${args[@]}" \
		</dev/null >"$run_dir/$name.ktap" 2>"$run_dir/$name.stderr" &
	group=$!
	set +m
	let_signals_in
	# bash itself comments on jobs that crash: hence no stderr here.
	[[ -t 1 ]] && show_progress "$group" "$name" 2>/dev/null
	wait "$group" 2>/dev/null
	code=$?
	busy=1
	record_end "$code" ''
	let_signals_in
	if [[ -z $case_id ]]; then
		count_results "$name"
		return
	fi
	# A replay is for reading; a refused one is one line.
	((code != 2)) || replay_refused=1
	((replay_refused)) || cat -- "$run_dir/$name.ktap"
	cat -- "$run_dir/$name.stderr" >&2
}

finish() {
	local code
	record run_end time "\"$(now)\""
	if ((replay_refused)); then
		"$report" summary "$run_dir" >/dev/null
		return 2
	fi
	# A replay ends with the test's own verdict, and what it says is short.
	((summarize)) || [[ -n $case_id ]] || return "$write_failed"
	"$report" summary "$run_dir"
	code=$?
	((write_failed && code != 1)) && code=1
	return "$code"
}

# shellcheck disable=SC2317 # called by trap
interrupted() {
	# Not between starting a test and knowing its group, nor while its end is recorded.
	((busy)) && pending="$1 $2" && return
	trap '' INT TERM HUP PIPE
	[[ $1 == PIPE ]] && exec >/dev/null # nobody reads any more
	printf '\ninterrupted by SIG%s\n' "$1"
	if [[ -n $group ]]; then
		kill_group "$group"
		record_end 0 interrupted
	fi
	record interrupted signal "\"SIG$1\""
	finish
	exit "$2"
}

let_signals_in() {
	busy=0
	# shellcheck disable=SC2086 # two words
	[[ -z $pending ]] || interrupted $pending
}

main() {
	local i
	run_command "$@"
	parse_options "$@"
	[[ -e $here/setup.sh || ($setup == 0 && $mode != self-test) ]] ||
		die "--setup and --self-test are for the source tree"
	((!setup)) || "$here/setup.sh" "$mode" || exit
	case $mode in
	# Not a word of make's after the counts.
	self-test) exec make --no-print-directory -C "$here" check ;;
	run) ((!setup)) || "$report" kvm || run_in_lab ;;
	host)
		need_built
		exec "$report" host
		;;
	esac
	read_about
	if [[ $mode == list ]]; then
		for i in "${tests[@]}"; do
			printf '%-24s [%s] %s\n' "$i" "${about_tags[$i]}" "${about_proves[$i]}"
		done
		exit 0
	fi
	select_tests
	create_run
	trap 'interrupted INT 130' INT
	trap 'interrupted TERM 143' TERM
	trap 'interrupted HUP 129' HUP
	trap 'interrupted PIPE 141' PIPE
	if [[ -z $case_id ]]; then
		"$report" host
		printf '%d test%s, results in %s\n' "${#tests[@]}" "$( ((${#tests[@]} == 1)) || echo s)" "$run_dir"
	fi
	if ! dmesg >/dev/null 2>&1; then
		log_readable=0
		note 'the kernel log is not readable: warnings that tests cause go unseen'
	fi
	for ((i = 0; i < ${#tests[@]}; i++)); do
		run_test "${tests[i]}" $((i + 1))
	done
	# The summary is short work: finished even if somebody is impatient now.
	trap '' INT TERM HUP PIPE
	finish
	exit
}

main "$@"
