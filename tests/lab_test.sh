#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Tests of the suite end to end, with the real tests.  Prints KTAP; exits 0, 1, or 4 if
# all was skipped.  Everything lands below a folder that is made anew.
#
#   lab_test.sh HOST KERNEL [I/N]        the suite, or a shard, on this emulated host; replays
#   lab_test.sh host                     the whole suite on this machine's /dev/kvm
#   lab_test.sh endings                  guests that panic, hang, die or are killed
#   lab_test.sh matrix                   the table of several runs; a shell in a guest
#   lab_test.sh input                    what walk_test and the lab's commands must refuse; nothing is booted
set -u
export LC_ALL=C

here=$(cd -- "$(dirname -- "$0")/.." && pwd)
part=${1:?which part?} kernel=${2-} shard=${3:-1/1}
walk_test=${WALK_TEST:-$here/build/x86/walk_test} # input only: one with sanitizers, say
out_dir=${OUT_DIR:-$here/build/check/results}/$part${kernel:+-$kernel}
# As many cases as an emulated host has to run in walk_test, or a shard of them.
readonly enough_cases=$((400000 / ${shard#*/}))

rm -rf -- "$out_dir"
mkdir -p -- "$out_dir" || exit 2
cd -- "$here" || exit 2
printf 'KTAP version 1\n'

#
# Checking
#
scratch=$out_dir
# shellcheck source=tests/checking.sh
source "$here/tests/checking.sh"

done_testing() {
	printf '1..%d\n' "$number"
	totals
	exit $((failures > 0))
}

#
# Results
#
# total NAME RUN_DIR, cases_of TEST RUN_DIR: numbers of a summary, -1 if they are not there.
total() { number_in "/\"totals\"/,/}/s/.*\"$1\": \([0-9]*\).*/\1/p" "$2"; }
cases_of() { number_in "/\"name\": \"$1\"/,/\"cases\"/s/.*\"cases\": \([0-9]*\).*/\1/p" "$2"; }
number_in() {
	local text
	text=$(sed -n "$1" "$2/summary.json" 2>/dev/null)
	printf '%s\n' "${text:--1}"
}

# field NAME RECORD: a text of one JSON line; none of those asked for has a quote in it.
# The first of this name: what is inside "detail" comes later.
field() {
	local value
	value=$(grep -o "\"$1\":\"[^\"]*\"" <<<"$2" | head -n 1)
	value=${value#*\":\"}
	printf '%s\n' "${value%\"}"
}

check_results() {
	local dir=$1 ids
	[[ $(total failed "$dir") == 0 ]] || problem "$(total failed "$dir") subtests failed"
	check "no subtest failed"
	(($(total passed "$dir") > 0)) || problem "nothing passed"
	printf '# totals: %d passed, %d failed, %d skipped, %d of the passed known; %d cases\n' \
		"$(total passed "$dir")" "$(total failed "$dir")" "$(total skipped "$dir")" \
		"$(total known "$dir")" "$(total cases "$dir")"
	check "something passed"
	grep -q '^ "stale_known_issues": \[\],*$' "$dir/summary.json" || {
		ids=$(sed -n '/^ "stale_known_issues"/,/^ \]/s/.*"id": //p' "$dir/summary.json")
		problem "stale known issues: ${ids//$'\n'/ }"
	}
	check "no known issue is stale"
	[[ $(readlink "$dir/../latest") == "${dir##*/}" ]] || problem "latest is another run"
	check "results/latest points to the run"
}

# Issues whose cases alone pass or fail otherwise: they take what was done before (docs/findings.md),
# such as the linear address of an earlier exit, or show what the host's own tables happen to hold.
readonly not_alone=' kvm-svm-exitintinfo-not-valid kvm-svm-exitintinfo-not-valid-l2 pvm-upper-half-of-user pvm-nopg-after-pae kvm-nested-ept-exit-addresses kvm-nested-ept-exit-qualification kvm-nested-ept-exit-advanced kvm-nested-ept-walk-writes '

# One recorded failure of each other known issue of each test, as "TEST RECORD".
recorded_failures() {
	local file
	for file in "$1"/*_test.jsonl; do
		grep '"verdict":"known"' "$file" | awk -F'"known_issue":"' \
			-v "test=$(basename "$file" .jsonl)" -v "not_alone=$not_alone" '
			{ split($2, id, "\"") }
			!index(not_alone, " " id[1] " ") && !seen[id[1]]++ { print test, $0 }'
	done
}

# The replay's name as a check.
replay_of() { printf 'replay: %s %s\n' "${1%% *}" "$(field known_issue "$1")"; }

# Without single cases it is the whole subtest that is replayed: then each case is to be told.
replay_command() {
	local replay
	replay=$(field replay "$1")
	[[ $replay != *' --filter '* ]] || replay+=' --verbose'
	printf '%s\n' "$replay"
}

# replay_shows RECORD TEXT: the replay's words are those of the record.
replay_shows() {
	local observed expected
	expected=$(field expected "$1") observed=$(field observed "$1")
	if [[ $expected == 'agent runs'* ]]; then
		# The agent's own test of an access: no case, but the same access fails alike.
		has "${observed##*: }" "$2"
		return
	fi
	if [[ $(field replay "$1") == *' --filter '* ]]; then
		has "# case $(field case "$1")"$'\n'"#   expected: $expected"$'\n'"#   observed: $observed"$'\n' "$2"
		has $'\n'"not ok 1 $(field subtest "$1") " "$2"
		return
	fi
	has "# expected  $expected"$'\n' "$2"
	has "# observed  $observed"$'\n' "$2"
	# A replay's result has the case's name, or its subtest's and says which case it is.
	if [[ $2 != *$'\n'"not ok 1 $(field case "$1")"* ]]; then
		has $'\n'"# case $(field case "$1")"$'\n' "$2"
		has $'\n'"not ok 1 $(field subtest "$1") " "$2"
	fi
}

#
# The parts
#
one_emulated_host() {
	local host=$1 dir=$out_dir/suite record records=() command='' text i again

	run 0 lab/run.sh --host "$host" --kernel "$kernel" --results "$out_dir" --run-name suite \
		-- --skip-tag no-kvm --shard "$shard" --time-limit 1200
	has " passed, 0 failed, " "$out"
	has "lab: $host-$kernel" "$err"
	[[ $out != *$'\r'* && $out != *$'\033'* ]] || problem "control characters in the output"
	check "the suite runs and exits 0 at $host"
	grep -q '"outcome": "finished"' "$dir/lab.json" || problem "no end in lab.json"
	[[ -s $dir/walk_test.ktap && -s $dir/host.json ]] || problem "logs are missing"
	check "results come back"
	check_results "$dir"
	i=$(cases_of walk_test "$dir")
	((i >= enough_cases)) || problem "$i cases"
	check "walk_test runs at least $enough_cases cases"

	mapfile -t records < <(recorded_failures "$dir")
	for i in "${!records[@]}"; do
		command+="echo \"== $i\"; $(replay_command "${records[i]}"); echo \"== exit \$?\"; "
	done
	((${#records[@]})) || problem "no failure was recorded: nothing to replay"
	run 0 lab/run.sh --host "$host" --kernel "$kernel" --results "$out_dir" \
		--run-name replays --cmd "$command"
	text=$out
	for i in "${!records[@]}"; do
		record=$(sed -n "/^== $i$/,/^== exit/p" <<<"$text")
		has "== exit 1" "$record"
		replay_shows "${records[i]}" "$record"
		check "$(replay_of "${records[i]}")"
	done
	# What the runner does not know itself goes to the test.
	again=$(field replay "${records[-1]-}")
	i=${records[-1]-} i=${i%% *}
	again=${again#* } again=${again/ --after/ "$i" -- --after}
	[[ $again == *" $i "* ]] || again+=" $i"
	run 2 make --no-print-directory lab HOST="$host" KERNEL="$kernel" \
		ARGS="--results $out_dir --run-name again $again"
	replay_shows "${records[-1]-}" "$out"
	check "replay through make lab"
}

this_machine() {
	local dir=$out_dir/suite reason record

	if ! reason=$(build/bin/kmc-report kvm); then
		printf '1..1\nok 1 the suite on this machine # SKIP %s\n' "$reason"
		exit 4
	fi
	run 0 ./runner.sh --results "$out_dir" --run-name suite
	has " passed, 0 failed, " "$out"
	check "the suite runs and exits 0 on this machine"
	check_results "$dir"
	while read -r record; do
		run 1 bash -c "$(replay_command "$record")"
		replay_shows "$record" "$out"
		check "$(replay_of "$record")"
	done < <(recorded_failures "$dir")
	if ((!EUID)) && [[ $(stat -c %A /dev/kvm) == *--- ]]; then
		as_nobody
		run 4 "${nobody[@]}" "$scratch/walk_test"
		has "# SKIP no permission to open /dev/kvm: " "$out"
		check "without permission all is skipped"
	fi
}

# A command prefix for somebody without rights, and a walk_test where he finds it.
as_nobody() {
	nobody=(env)
	((EUID)) || nobody=(setpriv --reuid=65534 --regid=65534 --clear-groups)
	# Below /tmp: a build tree may lie in a folder of root's.
	scratch=$(mktemp -d /tmp/lab_test.XXXXXX) && chmod 755 "$scratch" || exit 2
	trap 'rm -rf -- "$scratch"' EXIT
	cp "$walk_test" "$scratch/walk_test"
}

# ended WANTED-OUTCOME WORDS RUN [HOST]: how the lab says that the last run ended.
ended() {
	has "lab: ${4-svm-npt}-6.1: $2" "$err"
	grep -q "\"outcome\": \"$1\"" "$out_dir/$3/lab.json" || problem "lab.json: no outcome $1"
}

kept() { [[ $(<"$out_dir/$1/kept") == results ]] || problem "what was written is lost"; }

# Processes below the one given.
descendants() {
	local file stat child
	for file in /proc/[0-9]*/stat; do
		{ read -r stat <"$file"; } 2>/dev/null || continue
		child=${stat%% *}
		read -r -a stat <<<"${stat##*) }"
		[[ ${stat[1]} == "$1" ]] && printf '%s\n' "$child" && descendants "$child"
	done
}

emulator_below() {
	local pid
	for pid in $(descendants "$1"); do
		[[ $(readlink "/proc/$pid/exe") == */ld-linux-x86-64.so.2 ]] && printf '%s\n' "$pid"
	done
}

# start_lab TEXT ARGUMENT...: in the background, until its console shows the text.
start_lab() {
	local text=$1 i
	shift
	lab/run.sh --host "${lab_host-svm-npt}" --results "$out_dir" "$@" >"$out_dir/out" 2>"$out_dir/err" </dev/null &
	lab_pid=$!
	for ((i = 0; i < 900; i++)); do
		grep -qF "$text" "$out_dir/out" 2>/dev/null && return
		kill -0 "$lab_pid" 2>/dev/null || break
		sleep 0.1
	done
	problem "'$text' is not said: $(tail -n 3 "$out_dir/err")"
}

end_lab() {
	local want=$1 code
	wait "$lab_pid"
	code=$?
	out=$(<"$out_dir/out") err=$(<"$out_dir/err")
	((code == want)) || problem "exit code $code, not $want"
}

# shellcheck disable=SC2016 # the guest expands $RESULTS
endings() {
	local write='echo results >$RESULTS/kept; sync' victim i
	local lab=(lab/run.sh --host svm-npt --results "$out_dir")

	run 1 "${lab[@]}" --run-name panic --cmd "$write; echo c >/proc/sysrq-trigger"
	ended panicked "the guest's kernel panicked: Kernel panic - not syncing: sysrq" panic
	has "last lines of the console" "$err"
	kept panic
	check "a panic is told, results are kept"

	run 1 "${lab[@]}" --run-name reset --cmd "$write; echo b >/proc/sysrq-trigger"
	ended died "the guest ended without a result" reset
	kept reset
	check "a reset is told, results are kept"

	lab[2]=vmx-ept
	run 1 "${lab[@]}" --run-name bochs-panic --cmd "$write; echo c >/proc/sysrq-trigger"
	ended panicked "the guest's kernel panicked: Kernel panic - not syncing: sysrq" bochs-panic vmx-ept
	kept bochs-panic
	run 1 "${lab[@]}" --run-name bochs-reset --cmd "$write; echo b >/proc/sysrq-trigger"
	ended died "the guest ended without a result" bochs-reset vmx-ept
	kept bochs-reset
	check "Bochs, which would boot again, ends as well"
	lab[2]=svm-npt

	run 1 "${lab[@]}" --run-name hang --time-limit 25 --cmd "$write; sleep 1000"
	ended hung "the guest hung: stopped after the time limit of 25 s" hang
	kept hang
	check "a hang is told, results are kept"

	run 0 bash -c 'set -o pipefail; "$@" | head -n 1' - "${lab[@]}" --run-name reader -- --filter 4level/nx walk_test
	(($(total passed "$out_dir/reader") > 0)) || problem "no summary"
	check "a lab whose reader goes away ends as it would"
	mkdir -p "$out_dir"/{bin,tmp}
	printf '#!/bin/bash\n[[ $* != *--preserve* ]] || { echo "cp: no space" >&2; exit 1; }\nexec %s "$@"\n' \
		"$(type -P cp)" >"$out_dir/bin/cp"
	chmod 755 "$out_dir/bin/cp"
	PATH=$out_dir/bin:$PATH TMPDIR=$out_dir/tmp run 2 "${lab[@]}" --run-name full --cmd "$write"
	has "copying the results to $out_dir/full failed: cp: no space" "$err"
	[[ $(debugfs -R "cat full/kept" "$out_dir"/tmp/kmc-results.* 2>/dev/null) == results ]] ||
		problem "what was written is lost"
	check "results that cannot be copied stay on the disk"

	start_lab written --run-name interrupt --cmd "$write; echo written; sleep 1000"
	kill -TERM "$lab_pid"
	end_lab 130
	ended interrupted "interrupted" interrupt
	kept interrupt
	check "an interrupted lab says so, results are kept"

	# With the real runner, so that there are finished subtests to be kept: some after the pause, on a slow machine,
	# too, of a test that takes minutes on a fast one.
	start_lab '[1/' --run-name kill -- emulation_test
	sleep 15
	victim=$(emulator_below "$lab_pid")
	[[ $victim =~ ^[0-9]+$ ]] || problem "no emulator: '$victim'"
	kill -KILL "${victim:-$lab_pid}"
	end_lab 1
	ended killed "the emulator was killed (signal 9)" kill
	has "ran last: {\"event\":\"test_start\",\"test\":\"emulation_test\"" "$err"
	(($(total passed "$out_dir/kill") > 0)) || problem "no finished subtest was kept"
	(($(total failed "$out_dir/kill") == 1)) || problem "the unfinished test is no failure"
	check "a killed emulator is told, finished subtests are kept"
	# A lab that is killed itself takes its emulator with it, Bochs too.
	lab_host=vmx-ept start_lab written --run-name lost --cmd "$write; echo written; sleep 1000"
	victim=$(emulator_below "$lab_pid")
	[[ $victim =~ ^[0-9]+$ ]] || problem "no emulator: '$victim'"
	kill -KILL "$lab_pid"
	wait "$lab_pid" 2>/dev/null
	for ((i = 0; i < 150; i++)); do
		kill -0 "$victim" 2>/dev/null || break
		sleep 0.1
	done
	! kill -0 "$victim" 2>/dev/null || problem "the emulator goes on"
	check "no emulator outlives its lab"

	[[ ! -e $out_dir/latest || $(readlink "$out_dir/latest") == kill ]] ||
		problem "latest is $(readlink "$out_dir/latest")"
	check "debugging runs do not become results/latest"
}

matrix() {
	local table dir=$out_dir/matrix shell=(lab/run.sh --host svm-npt --shell)

	run 0 lab/matrix.sh --help
	run 2 lab/matrix.sh --host svm-none
	has "unknown host 'svm-none'" "$err"
	run 2 lab/matrix.sh --kernel 2.4
	has "unknown kernel '2.4'" "$err"
	run 2 lab/matrix.sh --jobs no
	has "--jobs: 'no' is not a number" "$err"
	run 2 lab/matrix.sh --nonsense
	has "unknown option '--nonsense'" "$err"
	check "lab/matrix.sh refuses what it does not understand"

	run 1 lab/matrix.sh --host svm-npt --kernel 6.1 --kernel 7 --results "$out_dir" \
		--run-name matrix --time-limit 60 -- --filter '4level/nx' walk_test no_such_test
	has "exit status 2" "$out"
	check "a run that fails makes the matrix fail"
	rm -rf "$dir"
	run 0 lab/matrix.sh --host svm-npt --kernel 6.1 --kernel 7 --results "$out_dir" \
		--run-name matrix --time-limit 60 -- --filter '4level/nx' walk_test
	table=$(<"$dir/table.txt")
	has "$table" "$out"
	[[ $(grep -cE '^svm-npt +(6\.1|7) .* 1 +1 +0 +0 +[0-9]{4,} .* ok$' <<<"$table") == 2 ]] ||
		problem "table: $table"
	check "lab/matrix.sh ends with a table of its runs"

	run 2 "${shell[@]}" --cmd true
	has "either --cmd or --shell" "$err"
	run 2 "${shell[@]}"
	has "--shell needs a terminal" "$err"
	check "a shell needs a terminal"
	run 0 bash -c "(sleep 12; echo 'uname -n; exit') |
		script -qec '${shell[*]} --results $out_dir --run-name shell' /dev/null"
	has $'\nsvm-npt-6.1' "$out"
	check "a shell in the guest"
}

input() {
	local case=4level/wp,nx/cpl3/read/4=p,w,u/3=p,w,u/2=p,w,u/1=p,w,u long device

	KVM_DEVICE=/nonexistent run 4 "$walk_test" --case "$case"
	check "a good case id is accepted"

	refuse "needs a case id" "$walk_test" --case ''
	refuse "needs an argument" "$walk_test" --case
	refuse "MODE/FLAGS" "$walk_test" --case nonsense
	refuse "unknown mode" "$walk_test" --case "${case/4level/6level}"
	refuse "unknown mode" "$walk_test" --case "/$case"
	refuse "malformed" "$walk_test" --case "${case/wp/pw}"
	refuse "malformed" "$walk_test" --case "${case/wp/wp,}"
	refuse "malformed" "$walk_test" --case "${case/wp,nx/nx,wp,nx}"
	refuse "malformed" "$walk_test" --case "${case/wp,nx/}"
	# A flag that this mode does not have.
	refuse "malformed" "$walk_test" --case "${case/wp,nx/pse}"
	refuse "cpl0" "$walk_test" --case "${case/cpl3/cpl1}"
	refuse "fetch" "$walk_test" --case "${case/read/reads}"
	check "bad modes, flags, actors and accesses are refused"

	refuse "actor" "$walk_test" --case 4level/wp
	refuse "access is missing" "$walk_test" --case 4level/wp/cpl3
	refuse "an entry is missing" "$walk_test" --case 4level/wp/cpl3/read
	refuse "an entry is missing" "$walk_test" --case "${case%/*}"
	refuse "malformed" "$walk_test" --case "$case/"
	refuse "after the last entry" "$walk_test" --case "$case/0=p"
	refuse "malformed" "$walk_test" --case "$case "
	refuse "LEVEL=BITS" "$walk_test" --case "${case/3=/2=}"
	refuse "malformed" "$walk_test" --case "${case/1=p/1=p,q}"
	refuse "malformed" "$walk_test" --case "${case/1=p/1=p,b64}"
	refuse "malformed" "$walk_test" --case "${case/1=p/1=p,b99999999999}"
	refuse "malformed" "$walk_test" --case "${case/1=p/1=}"
	printf -v long '%050000d' 0
	refuse "malformed" "$walk_test" --case "$long"
	refuse "malformed" "$walk_test" --case "${case/1=p/1=$long}"
	refuse "malformed" "$walk_test" --case "${case/wp/$long}"
	refuse "32-bit code reaches only full entries" "$walk_test" \
		--case compat4/wp,nx/cpl3/read/4=p,w/3=p,w,u/2=p,w,u/1=p,w,u
	check "bad entries are refused"

	refuse "unknown option '--bogus'" "$walk_test" --bogus
	refuse "unknown engine 'x'" "$walk_test" --engine x
	refuse "no subtest matches" "$walk_test" --filter '6level*'
	refuse "unexpected argument" "$walk_test" "$case"
	check "unknown options are refused"
	refuse "malformed case id" ./runner.sh --results "$out_dir" --case 4level walk_test
	refuse "needs the one TEST" ./runner.sh --results "$out_dir" --case "$case" role_model_test
	check "the runner hands a refusal on as one line"

	: >"$out_dir/file"
	for device in "/nonexistent does not exist" "/dev/null is not KVM" "$out_dir/file is not KVM"; do
		KVM_DEVICE=${device%% *} run 4 "$walk_test" --filter '[42]level*'
		has " # SKIP $device" "$out"
		[[ -z $err && $out != *$'\n'ok*ms=* && $out != *$'\nnot ok'* ]] || problem "$device: $err"
	done
	as_nobody
	: >"$scratch/file"
	chmod 600 "$scratch/file"
	((!EUID)) || chmod 0 "$scratch/file"
	KVM_DEVICE=$scratch/file run 4 "${nobody[@]}" "$scratch/walk_test" --filter '4level*'
	has " # SKIP no permission to open $scratch/file: add yourself to group kvm or run as root" "$out"
	check "a device that cannot be used is the reason for a skip"
}

# What the lab's commands must refuse, and what they do before anything boots.
# shellcheck disable=SC2016 # what stands in for programs expands it
lab_input() {
	local run_sh=(lab/run.sh --host svm-npt) tool tmp=$out_dir/tmp bin=$out_dir/bin

	mkdir -p "$tmp" "$bin"
	for tool in "${run_sh[*]}" lab/matrix.sh lab/mutants.sh; do
		read -ra tool <<<"$tool"
		refuse "--run-name: 'latest' is no file name" "${tool[@]}" --run-name latest
		refuse "--run-name: '../x' is no file name" "${tool[@]}" --run-name ../x
		refuse "--time-limit: '0' is not a number of seconds" "${tool[@]}" --time-limit 0
		refuse "unknown option '--bogus'" "${tool[@]}" --bogus
		refuse "cannot write to the results folder" "${tool[@]}" --results /dev/null/x
	done
	check "the lab's commands refuse the same"
	refuse "--cmd and --shell run no runner: what is 'walk_test' for?" "${run_sh[@]}" --cmd true -- walk_test
	refuse "either --kernel or --kernel-dir" "${run_sh[@]}" --kernel 7 --kernel-dir /
	refuse "either --kernel or --kernel-dir" "${run_sh[@]}" --fetch --kernel 7 --kernel-dir /
	run 0 make -n lab KERNEL=7 KERNEL_DIR=/tree
	has "--kernel-dir '/tree' --kernel '7'" "$out"
	run 0 make -n lab KERNEL_DIR=/tree
	[[ $out != *"--kernel '"* ]] || problem "a kernel nobody asked for: $out"
	check "of a kernel and a build tree one is refused"
	run 0 make -n mutants HOST=svm-npt TIME_LIMIT=9 MUTANTS=walk ARGS=walk_test
	has "lab/mutants.sh --host 'svm-npt' --time-limit '9' walk -- walk_test" "${out//  / }"
	check "make mutants hands on what it is told"

	printf '#!/bin/bash\nprintf "Filesystem 1024-blocks Used Available\\nx 9 9 %%s\\n" 61440\n' >"$bin/df"
	chmod 755 "$bin/df"
	PATH=$bin:$PATH TMPDIR=$tmp refuse "no space for the guest's files and results: 60 MB free in $tmp/kmc-lab" \
		"${run_sh[@]}" --results "$out_dir/none"
	PATH=$bin:$PATH TMPDIR=$tmp refuse "no space for KVM's source and modules: 60 MB free" lab/mutants.sh
	rm "$bin/df"
	[[ -z $(ls -A "$tmp") && ! -e $out_dir/none ]] || problem "left behind: $(ls -A "$tmp")"
	check "a temporary folder that is full is one line"
	for tool in "${run_sh[*]}" lab/mutants.sh; do
		read -ra tool <<<"$tool"
		mkdir "$tmp"/kmc-{lab,mutants}.dead
		bash -c 'echo $$' | tee "$tmp/kmc-lab.dead/pid" >"$tmp/kmc-mutants.dead/pid"
		TMPDIR=$tmp refuse "cannot write to the results folder" "${tool[@]}" --results /dev/null/x
		[[ $(ls -A "$tmp") == kmc-*.dead && $(ls -A "$tmp") != *run* ]] || problem "$(ls -A "$tmp")"
		rm -rf "$tmp"/kmc-*
	done
	check "what killed runs have left is removed"
}

case $part in
host) this_machine ;;
endings) endings ;;
matrix) matrix ;;
input) input && lab_input ;;
*) one_emulated_host "$part" ;;
esac
done_testing
