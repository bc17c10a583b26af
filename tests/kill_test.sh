#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Kills the runner at random moments.  Nothing that a test had finished may be missing
# from the summary, nothing of the run may be alive afterwards.
#
#   kill_test.sh [COUNT]      COUNT kills (40), one after the other; SEED=N for the same ones again
#
# In turn: SIGINT, SIGTERM, SIGKILL, and a loss of power, which is SIGKILL for all, and each
# file then loses what was written to it after its last sync: the tests and sync(1) say when
# that was (FAKE_SYNC_LOG).  The rest is cut off at a random place, or reads as zeros, as
# file systems with delayed allocation do it; a file never synced may be gone.
#
# The tests are copies of fake_test.  Prints KTAP; exits 0 or 1.
set -u
export LC_ALL=C

here=$(cd -- "$(dirname -- "$0")/.." && pwd)
count=${1:-40}
seed=${SEED:-$$}
RANDOM=$seed
printf 'KTAP version 1\n# SEED=%s\n' "$seed"
work=$(mktemp -d "${TMPDIR:-/tmp}/kill_test.XXXXXX") || exit 2
# Not in a child that is killed before it has become the runner: bash runs the trap there, too.
trap '[[ $BASHPID != "$$" ]] || rm -rf -- "$work"' EXIT
scratch=$work
# shellcheck source=tests/checking.sh
source "$here/tests/checking.sh"

install=$work/install
fake_suite "$install" alpha_test beta_test
mkdir -p "$work/bin"
# A sync(1) that notes what is safe from then on.
# shellcheck disable=SC2016 # the stub expands it
printf '%s\n' '#!/bin/bash' '[[ $1 == -d ]] && shift' 'size=$(stat -c %s "$1")' \
	"$(command -v sync)"' "$1" && printf "%s %s\n" "$size" "$(readlink -f "$1")" >>"$FAKE_SYNC_LOG"' >"$work/bin/sync"
printf '#!/bin/sh\n' >"$work/bin/dmesg"
chmod +x "$work/bin"/*
export PATH=$work/bin:$PATH KMC_KMSG=$work/kmsg FAKE_SYNC_LOG=$work/synced
export FAKE_PLAN='a=pass b=nap:15 c=skip d=nap:25 e=pass f=nap:10 g=pass'
: >"$work/kmsg"

results=$work/results
declare -A done_by=() hit=()

# A number below the one given; RANDOM has 15 bits.
random() { REPLY=$(((RANDOM << 15 | RANDOM) % $1)); }

live_processes() {
	local file text
	for file in /proc/[0-9]*/cmdline; do
		text=$(tr '\0' ' ' <"$file") 2>/dev/null
		[[ $text == *"$install/"* ]] && printf '%s\n' "$text"
	done 2>/dev/null
}

start_runner() {
	rm -rf -- "$results"
	: >"$FAKE_SYNC_LOG"
	env --default-signal=INT "$install/runner.sh" --results "$results" >"$work/said" 2>&1 </dev/null &
	victim=$!
}

# In microseconds: how long a run takes that nobody ends.
measure() {
	local start=${EPOCHREALTIME/./}
	start_runner
	wait "$victim" || problem "the run to be killed fails by itself: $(<"$work/said")"
	duration=$((${EPOCHREALTIME/./} - start))
}

all_gone() {
	local i
	for ((i = 0; i < 100; i++)); do
		[[ -z $(live_processes) ]] && return
		sleep 0.05
	done
	problem "alive after 5 s: $(live_processes)"
}

# What a loss of power leaves of a file: LOSE_TAIL FILE SYNCED-BYTES.
lose_tail() {
	local size keep
	size=$(stat -c %s "$1")
	random $((size - $2 + 1))
	keep=$(($2 + REPLY))
	random 6
	if ((REPLY == 0 && $2 == 0)); then
		rm -- "$1"
		return
	fi
	truncate -s "$keep" "$1"
	((REPLY > 2)) || truncate -s "$size" "$1"
}

lose_power() {
	local file synced had
	had=$(($(finished pass "$run") + $(finished skip "$run")))
	[[ -n $run ]] || return 0
	# Written whole and synced before it gets its name: there or not there.
	random 2
	((REPLY)) || rm -f "$run/summary.json"
	for file in "$run"/*.{jsonl,ktap,stderr} "$run/host.json"; do
		[[ -f $file ]] || continue
		synced=$(awk -v path="$file" '{ size = $1; sub(/^[0-9]+ /, "") } $0 == path && size > most { most = size }
			END { print most + 0 }' "$FAKE_SYNC_LOG")
		lose_tail "$file" "$synced"
		# What was synced is what counts as finished.
		head -c "$synced" "$file" 2>/dev/null >"$work/safe/${file##*/}"
	done
	had=$((had - $(finished pass "$work/safe") - $(finished skip "$work/safe")))
	# The next subtest begins with a sync.
	((had <= 1)) || problem "$had finished subtests were not synced"
}

# Whole lines that say so: STATUS FOLDER.
finished() { cat "$2"/*_test.jsonl 2>/dev/null | grep -ac "^{\"event\":\"subtest\".*\"status\":\"$1\".*}\$"; }
in_summary() { grep -c "\"status\": \"$1\"" "$run/summary.json"; }

# kill_once SIGNAL
kill_once() {
	local kind=$1 signal=$1 code status safe
	[[ $kind != POWER ]] || signal=KILL
	start_runner
	random "$duration"
	sleep "$(printf '0.%06d' $((REPLY % 1000000)))"
	kill -"$signal" "$victim" 2>/dev/null
	wait "$victim" 2>/dev/null
	code=$?
	all_gone
	case $kind:$code in
	*:0 | INT:130 | TERM:143 | INT:1 | TERM:1 | KILL:137 | POWER:137) ;;
	*) problem "exit code $code: $(tail -n 3 "$work/said")" ;;
	esac
	run=$(find "$results" -mindepth 1 -maxdepth 1 -type d 2>/dev/null)
	where="before the first test"
	[[ -z $run ]] || ! grep -aq test_start "$run/run.jsonl" 2>/dev/null || where="in a test or between"
	[[ -z $run ]] || ! grep -aq run_end "$run/run.jsonl" 2>/dev/null || where="while summing up or later"
	((++hit["$where"]))
	rm -rf "$work/safe" && mkdir "$work/safe"
	if [[ $kind == POWER ]]; then
		lose_power
		safe=$work/safe
	else
		safe=$run
	fi
	[[ -n $run ]] || return 0
	if [[ $kind != POWER ]] && grep -aq test_start "$run/run.jsonl" 2>/dev/null; then
		[[ $kind == KILL || -f $run/summary.json ]] || problem "no summary after SIG$kind"
		# What a test has told is recorded.
		code=$(cat "$run"/*.ktap 2>/dev/null | grep -c '^ok [0-9]* [^ ]* #')
		((code <= $(finished pass "$run") + $(finished skip "$run"))) || problem "told, but not recorded"
	fi
	run 0 "$install/bin/kmc-report" unfinished "$results"
	[[ -z $err ]] || problem "kmc-report says: $err"
	while IFS= read -r code; do
		[[ $code == "previous run "*" did not finish; last started: "* ]] || problem "not one clear line: $code"
	done <<<"${out:-previous run  did not finish; last started: }"
	if [[ ! -f $run/summary.json ]]; then
		[[ ! -s $safe/run.jsonl ]] || problem "no summary"
		return
	fi
	for status in pass skip; do
		(($(in_summary $status) >= $(finished $status "$safe"))) ||
			problem "of $(finished $status "$safe") with status $status $(in_summary $status) are in the summary"
	done
}

printf '1..5\n'
run=''
measure
printf '# a run takes %d ms\n' $((duration / 1000))
check "a run that nobody kills passes"
before=$(</proc/mounts)
kinds=(INT TERM KILL POWER)
declare -A failed_in=()
for ((i = 0; i < count; i++)); do
	kind=${kinds[i % 4]}
	kill_once "$kind"
	((++done_by[$kind]))
	for text in "${problems[@]+"${problems[@]}"}"; do
		failed_in[$kind]+="kill $i: $text"$'\n'
	done
	problems=()
done
for kind in "${kinds[@]}"; do
	[[ -z ${failed_in[$kind]-} ]] || problem "${failed_in[$kind]:0:2000}"
	[[ $(</proc/mounts) == "$before" ]] || problem "mounts have changed"
	check "nothing is lost and nothing is left by $kind: ${done_by[$kind]-0} times"
done
for where in "${!hit[@]}"; do
	printf '# %d hit it %s\n' "${hit[$where]}" "$where"
done
totals
((!failures))
