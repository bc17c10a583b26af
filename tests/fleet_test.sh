#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Tests of runner.sh fleet, and of the job definitions in docs/fleet/.
#
#   fleet_test.sh         machines are stand-ins (an ssh that runs things here; a real one, too, where
#                         there is an sshd), tests are fake_test
#   fleet_test.sh lab     two emulated hosts with a shard each, merged; JOBS=1 one after the other
#
# Needs GNU parallel; yamllint, LAVA's schemas (Debian's lava-common) and tmt where they are
# installed.  Prints KTAP; exits 0, 1, or 4 if all was skipped.
set -u
export LC_ALL=C

here=$(cd -- "$(dirname -- "$0")/.." && pwd)
work=$(mktemp -d "${TMPDIR:-/tmp}/fleet_test.XXXXXX") || exit 2
trap '[[ $BASHPID != "$$" ]] || rm -rf -- "$work"' EXIT
scratch=$work
# shellcheck source=tests/checking.sh
source "$here/tests/checking.sh"
# shellcheck source=tests/real_sshd.sh
source "$here/tests/real_sshd.sh"
printf 'KTAP version 1\n'
if [[ $(parallel --version 2>/dev/null) != 'GNU parallel'* ]]; then
	printf '1..1\nok 1 fleet # SKIP GNU parallel is not installed\n'
	exit 4
fi

in_lab() {
	local out_dir=$here/build/check/results/fleet runs
	rm -rf "$out_dir"
	run 0 "$here/runner.sh" fleet --jobs "${JOBS:-2}" lab:svm-npt lab:svm-npt --results "$out_dir" --run-name f -- --filter '2level/*' walk_test
	runs=("$out_dir"/f/[12]-lab-svm-npt/summary.json)
	[[ -s ${runs[0]} && -s ${runs[1]} ]] || problem "not two runs: $err"
	# Every subtest once, some from each.
	run 0 "$here/build/x86/walk_test" --list --filter '2level/*'
	diff <(sed -n 's/^ok [0-9]* \([^ ]*\).*/\1/p' "$out_dir"/f/[12]-*/walk_test.ktap | sort) <(sort <<<"$out") >"$work/diff" ||
		problem "$(<"$work/diff")"
	[[ -s $out_dir/f/merged/summary.json ]] || problem "not merged"
	check "two emulated hosts run a shard each, merged into one result"
}

if [[ ${1-} == lab ]]; then
	in_lab
	printf '1..%d\n' "$number"
	totals
	exit $((failures > 0))
fi

suite=$work/suite
fake_suite "$suite" a_test b_test
mkdir -p "$work/path" "$work/tmp"
# Another machine is this one; "refused" cannot be reached, "flaky" not at once.  The connection to "broken" and "gone"
# breaks under the run, which the machine does not notice; "gone" cannot be reached any more then.
cat >"$work/path/ssh" <<'END'
#!/bin/bash
while [[ $1 == -o ]]; do shift 2; done
if [[ $1 == refused ]] || { [[ $1 == flaky ]] && mkdir "$FAKE_FLAKY" 2>/dev/null; }; then
	printf 'ssh: connect to host %s port 22: Connection refused\r\n' "$1" >&2
	exit 255
fi
host=$1
shift
[[ $host != gone || ! -e $FAKE_GONE ]] || exit 255
if [[ ($host == broken || $host == gone) && $* == *machine_run.sh* ]]; then
	setsid bash -c "$*" < <(exec sleep 30) >/dev/null 2>&1 &
	sleep 3
	[[ $host != gone ]] || : >"$FAKE_GONE"
	echo 'client_loop: send disconnect: Broken pipe' >&2
	exit 255
fi
exec bash -c "$*"
END
chmod +x "$work/path/ssh"
export PATH=$work/path:$PATH TMPDIR=$work/tmp FAKE_FLAKY=$work/flaky FAKE_GONE=$work/gone FAKE_PLAN='s1=pass:2 s2=pass s3=nap:20 s4=pass s5=skip s6=pass s7=pass'
fleet() {
	rm -rf "$work/results"
	"$suite/runner.sh" fleet --results "$work/results" --run-name f "$@"
}
last_line_but_one() { sed -n 'x;$p' <<<"$out"; }

# nothing_left NAME: ends a check.
nothing_left() {
	[[ -z $(ls -A "$TMPDIR") ]] || problem "left behind: $(ls -A "$TMPDIR")"
	! compgen -G '/tmp/kmc-suite.*/results/[12]-[abotu]*' >/dev/null || problem "left on the machine: $(ls -d /tmp/kmc-suite.*)"
	check "$1"
}

refuses() {
	refuse "which hosts?" fleet
	refuse "'a b' is no host" fleet 'a b'
	refuse "unknown option '-oProxyCommand=x'" fleet -oProxyCommand=x a
	refuse "'a;b' is no host" fleet 'a;b'
	refuse "emulated hosts need the source tree" fleet lab:svm-npt
	refuse "needs a number above 0" fleet --jobs 0 a
	refuse "is the fleet's business" fleet a -- --shard 1/2
	refuse "is the fleet's business" fleet a -- --results x
	refuse "unknown option '--x'" fleet --x y a
	refuse "cannot write results" "$suite/runner.sh" fleet a --results /dev/null/x
	run 0 fleet --help
	nothing_left "bad input is one line"
}

shards() {
	local summary=$work/results/f/merged/summary.json
	run 0 fleet one user@two local
	[[ $(last_line_but_one) == '12 passed, 0 failed, 2 skipped' ]] || problem "$out"
	[[ -s $summary && -s $work/results/f/joblog ]] || problem "no merged summary, or no joblog"
	has "--shard 2/3" "$(<"$work/results/f/2-user-two/run.jsonl")"
	[[ ! -e $work/results/f/merged/a_test.jsonl ]] || problem "merged is no run of its own"
	nothing_left "three hosts run a shard each, merged into one result"
	run 0 fleet --each --jobs 1 one local -- --filter 's[12]' a_test
	[[ $(last_line_but_one) == '2 passed, 0 failed, 0 skipped' ]] || problem "$out"
	[[ $(cat "$work/results/f"/[12]-*/a_test.ktap | grep -c '^ok') == 4 ]] || problem "not all of it on each"
	nothing_left "--each runs all of it on each"
	FAKE_PLAN='a=pass b=fail:2 c=pass' run 1 fleet one two
	has "b: 2 of 2 cases failed" "$out"
	# The machine, and a command that is not in a folder which is gone.
	has "      run:      2-two" "$out"
	has "      replay:   x86/a_test --case" "$out"
	nothing_left "a failure on one host is the fleet's"
}

missing() {
	run 1 fleet one refused three
	has "2-refused"$'\t'"cannot be used: ssh: connect to host refused port 22: Connection refused" "$out"
	has "1 of 3 hosts ran nothing: refused" "$out"
	has "missing: shard 2/3" "$out"
	nothing_left "a host that cannot be used is told, and the fleet fails"
	run 2 fleet refused
	has "no host ran anything" "$err"
	run 0 fleet one flaky --retries 3
	nothing_left "--retries tries such a host again"
}

breaks() {
	local left summary=$work/results/f/merged/summary.json
	export FAKE_PLAN='s1=pass:2 s2=pass s3=nap:60000'
	KMC_COPY_EVERY=1 run 1 fleet broken -- a_test
	has "the connection broke: client_loop: send disconnect: Broken pipe; its results till then are here" "$out"
	[[ $(grep -c '^ok' "$work/results/f/1-broken/a_test.ktap") == 2 ]] || problem "no partial results"
	[[ -s $work/results/f/1-broken/summary.json ]] || problem "the run there has not been ended"
	[[ $(grep -c '"1-broken"' "$summary") != 0 ]] || problem "not merged"
	[[ -z $(pgrep_suite x86/a_test) ]] || problem "goes on there: $(pgrep_suite x86/a_test)"
	nothing_left "a broken connection: what there is so far is fetched, and it is told"
	KMC_COPY_EVERY=1 KMC_COME_BACK=1 run 1 fleet gone -- a_test
	has "the connection broke: " "$out"
	has "; a copy of its results from up to 1 s before is here; gone:/tmp/kmc-suite." "$out"
	[[ $(grep -c '^ok' "$work/results/f/1-gone/a_test.ktap") == 2 ]] || problem "no partial results"
	has "did not finish, last finished subtest: s2, running: s3" "$out"
	left=$(grep -oE '/tmp/kmc-suite\.[A-Za-z0-9]+' <<<"$out")
	[[ -d $left/results/1-gone ]] || problem "$left is not where the results are"
	kill "$(<"$left/pid")" && timeout 20 tail --pid="$(<"$left/pid")" -s 0.1 -f /dev/null
	rm -rf "${left:?}"
	nothing_left "a machine that does not come back: what was copied meanwhile is kept"
}

ends_when_killed() {
	local victim i signal left
	for signal in TERM KILL; do
		rm -rf "$work/results"
		FAKE_PLAN='a=nap:60000 b=nap:60000' "$suite/runner.sh" fleet one two --results "$work/results" --run-name f \
			>"$work/out" 2>&1 </dev/null &
		victim=$!
		for ((i = 0; i < 100; i++)); do
			(($(pgrep_suite x86/a_test | wc -l) < 4)) || break # timeout and test, twice
			sleep 0.1
		done
		((i < 100)) || problem "nothing runs: $(<"$work/out")"
		kill -"$signal" "$victim"
		wait "$victim" 2>/dev/null
		for ((i = 0; i < 300; i++)); do
			mapfile -t left < <(pgrep_suite _test fleet.sh)
			((${#left[@]})) || break
			sleep 0.1
		done
		((!${#left[@]})) || problem "SIG$signal: processes go on: $(ps -o pid,ppid,etime,args -p "${left[*]}")"
		for ((i = 0; i < 40; i++)); do
			[[ -z $(ls -A "$TMPDIR") ]] && break
			sleep 0.1
		done
		nothing_left "SIG$signal ends what runs on the machines, too"
	done
}

# Processes of ours that run one of these.
pgrep_suite() {
	local file text name
	for file in /proc/[0-9]*/cmdline; do
		text=$(tr '\0' ' ' <"$file") 2>/dev/null
		for name; do
			[[ ($text == *kmc-suite.* || $text == *"$suite"*) && $text == *"$name"* ]] && printf '%s\n' "${file//[^0-9]/}"
		done
	done 2>/dev/null
}

by_real_ssh() {
	local i fleet
	if ! start_sshd "$work/real"; then
		check "by a real ssh, two machines run a shard each # SKIP $REPLY"
		check "a real connection is cut # SKIP $REPLY"
		return
	fi
	export PATH=$work/real/bin:$PATH FAKE_PLAN='s1=pass:2 s2=pass s3=skip s4=pass'
	run 0 fleet alpha beta
	[[ $(last_line_but_one) == '6 passed, 0 failed, 2 skipped' ]] || problem "$out"
	nothing_left "by a real ssh, two machines run a shard each"
	export FAKE_PLAN='s1=pass:2 s2=pass s3=nap:60000'
	fleet alpha -- a_test >"$work/out" 2>&1 </dev/null &
	fleet=$!
	for ((i = 0; i < 100; i++)); do
		[[ -z $(pgrep_suite x86/a_test) ]] || break
		sleep 0.1
	done
	sleep 0.5
	cut_connections
	wait "$fleet"
	(($? == 1)) || problem "exit code: $(<"$work/out")"
	has "the connection broke: " "$(<"$work/out")"
	has "; its results till then are here" "$(<"$work/out")"
	[[ $(grep -c '^ok' "$work/results/f/1-alpha/a_test.ktap") == 2 ]] || problem "no partial results"
	nothing_left "a real connection is cut"
	stop_sshd
}

lava_schema() {
	"$1" -c '
import sys, yaml
from lava_common.schemas import validate
from lava_common.schemas.test import testdef
job = yaml.safe_load(open(sys.argv[1]))
validate(job)
testdef.validate(job["actions"][2]["test"]["definitions"][0]["repository"])' "$2"
}

definitions() {
	local python=python3 files=("$here"/docs/fleet/*.yaml "$here"/docs/fleet/tmt/*.fmf)
	if command -v yamllint >/dev/null; then
		run 0 yamllint -d '{extends: default, rules: {line-length: {max: 120}, document-start: disable, indentation: disable}}' "${files[@]}"
		[[ -z $out ]] || problem "$out"
		check "the definitions are YAML"
	else
		check "the definitions are YAML # SKIP yamllint is not installed"
	fi
	# Debian's python has Debian's packages.
	[[ ! -x /usr/bin/python3 ]] || python=/usr/bin/python3
	if "$python" -c 'import lava_common.schemas, yaml' 2>/dev/null; then
		run 0 lava_schema "$python" "$here/docs/fleet/lava-job.yaml"
		check "LAVA takes the job"
	else
		check "LAVA takes the job # SKIP lava-common is not installed"
	fi
	if command -v tmt >/dev/null; then
		run 0 tmt --root "$here/docs/fleet/tmt" lint
		check "tmt takes the plans"
	else
		check "tmt takes the plans # SKIP tmt is not installed"
	fi
}

refuses
shards
missing
breaks
ends_when_killed
by_real_ssh
definitions
printf '1..%d\n' "$number"
totals
((!failures))
