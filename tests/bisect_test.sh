#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Tests of runner.sh bisect with stand-ins for building and booting: a commit says in its file
# arch/x86/kvm/state what becomes of it.  lab/bisect-demo.sh is the same with a real kernel.
# Needs git.  Prints KTAP; exits 0 or 1.
set -u
export LC_ALL=C

here=$(cd -- "$(dirname -- "$0")/.." && pwd)
work=$(mktemp -d "${TMPDIR:-/tmp}/bisect_test.XXXXXX") || exit 2
trap '[[ $BASHPID != "$$" ]] || rm -rf -- "$work"' EXIT
scratch=$work
# shellcheck source=tests/checking.sh
source "$here/tests/checking.sh"
# shellcheck source=tests/real_sshd.sh
source "$here/tests/real_sshd.sh"
printf 'KTAP version 1\n'
if ! command -v git >/dev/null; then
	printf '1..1\nok 1 bisect # SKIP git is not installed\n'
	exit 4
fi

#
# The stand-ins
#
suite=$work/suite repo=$work/linux
fake_suite "$suite" walk_test
mkdir -p "$suite/lab" "$work/path" "$work/tmp"

cat >"$suite/lab/kvm_build.sh" <<'END'
#!/bin/bash
[[ $1 != prepare ]] || exit 0
state=$(<"$4/arch/x86/kvm/state")
[[ $state != nobuild ]] || { echo "mmu.c:1: error: no such thing"; exit 1; }
[[ $state != nospace ]] || { echo "lab: no space left"; exit 2; }
mkdir -p "$5" && echo "$state" >"$5/kvm.ko"
END
cat >"$suite/lab/run.sh" <<'END'
#!/bin/bash
if [[ $1 == --list ]]; then
	printf 'hosts:\n  svm-npt      qemu-tcg   NPT\nkernels:\n  6.1          bookworm\n'
	exit 0
fi
echo "$*" >>"$FAKE_LOG"
while [[ $1 != -- ]]; do
	case $1 in --results) results=$2 ;; --run-name) run=$2 ;; --modules-dir) dir=$2 ;; --kernel-dir) dir=$2 ;; esac
	shift
done
state=$(cat "$dir/kvm.ko" "$dir/arch/x86/boot/bzImage" 2>/dev/null)
out=$results/$run outcome=finished code=0
mkdir -p "$out"
echo '{"event":"test_start"}' >"$out/run.jsonl"
case $state in
bad) code=1; printf '# case a/b\n#   expected: #PF(p)\n#   observed: ok\n#   rule:     a-smep\nnot ok 1 a\n' >"$out/walk_test.ktap" ;;
panic) outcome=panicked code=1 ;;
noboot) outcome=hung code=1; rm "$out/run.jsonl" ;;
skip) code=4; echo "ok 1 a # SKIP no such CPU" >"$out/walk_test.ktap" ;;
refused) code=2; echo "runner.sh: unknown test" ;;
nolab) echo "lab: qemu does not start" >&2; exit 2 ;;
slow) echo $$ >"$FAKE_LOG.pid"; sleep 100 ;;
esac
echo "  \"outcome\": \"$outcome\"," >"$out/lab.json"
exit $code
END
# Another machine is this one; "refused" is one that cannot be reached.
cat >"$work/path/ssh" <<'END'
#!/bin/bash
while [[ $1 == -o ]]; do shift 2; done
[[ $1 != refused ]] || { printf "ssh: connect to host refused port 22: Connection refused\r\n" >&2; exit 255; }
shift
[[ ! -e $FAKE_LOG.plan ]] || export FAKE_PLAN=$(<"$FAKE_LOG.plan")
exec bash -c "$*"
END
for tool in insmod rmmod modprobe; do
	# shellcheck disable=SC2016 # the stub expands it
	printf '#!/bin/bash\necho "%s $*" >>"$FAKE_LOG"\n[[ $1 != */kvm.ko || $(<"$1") != unloadable ]]\n' "$tool" >"$work/path/$tool"
done
chmod +x "$suite/lab"/*.sh "$work/path"/*
export PATH=$work/path:$PATH TMPDIR=$work/tmp FAKE_LOG=$work/log FAKE_PLAN='a=pass' KMC_MODULES=$work/modules
printf 'kvm_amd 1 0 - Live 0x0\n' >"$KMC_MODULES"

git_in_repo() { git -C "$repo" -c user.name=t -c user.email=t@localhost -c commit.gpgsign=false "$@"; }

# history STATE...: a repository with a commit for each; c1 is the tag of the first.
history() {
	local n=0 state
	rm -rf "$repo"
	mkdir -p "$repo/arch/x86/kvm" && git_in_repo init -q -b main
	for state; do
		printf '%s\n' "$state" >"$repo/arch/x86/kvm/state"
		printf '%d\n' $((++n)) >"$repo/arch/x86/kvm/number"
		# shellcheck disable=SC2016 # make and its shell expand it
		printf 'all:\n\ttest "$$(cat arch/x86/kvm/state)" != nobuild\n\tmkdir -p $(KMC_BUILD)/arch/x86/boot\n\tcp arch/x86/kvm/state $(KMC_BUILD)/arch/x86/boot/bzImage\n' >"$repo/Makefile"
		git_in_repo add -A && git_in_repo commit -qm "commit $n is $state" && git_in_repo tag "c$n"
	done
	before=$(repo_state)
}

repo_state() { (cd "$repo" && git show-ref; GIT_OPTIONAL_LOCKS=0 git status --short; find . -printf '%p %T@\n' | grep -v '/index ' | sort); }

# left_alone NAME: ends a check, with what every bisect must leave behind.
left_alone() {
	local i
	for ((i = 0; i < 60; i++)); do
		[[ -z $(ls -A "$TMPDIR") ]] && break
		sleep 0.1
	done
	[[ -z $(ls -A "$TMPDIR") ]] || problem "left behind: $(ls -A "$TMPDIR")"
	[[ $(repo_state) == "$before" ]] || problem "the repository has changed: $(diff <(repo_state) <(printf '%s\n' "$before"))"
	check "$1"
}

bisect() {
	rm -rf "$work/results"
	: >"$FAKE_LOG"
	"$suite/runner.sh" bisect --repo "$repo" --good c1 --bad main --test walk_test --results "$work/results" --run-name b "$@"
}
in_lab=(--host svm-npt --case a/b)
commit_id() { git_in_repo rev-parse "c$1"; }

#
# The checks
#
refuses() {
	history good bad
	local tool=("$suite/runner.sh" bisect)
	refuse "which tree?" "${tool[@]}"
	refuse "needs an argument" "${tool[@]}" --repo
	refuse "unknown option '--x'" "${tool[@]}" --x y
	refuse "unexpected argument 'x'" "${tool[@]}" x
	refuse "no git repository" "${tool[@]}" --repo "$work" --test walk_test --host svm-npt
	tool+=(--repo "$repo")
	refuse "which test?" "${tool[@]}"
	refuse "--test: there is no '../runner.sh'" "${tool[@]}" --test ../runner.sh
	refuse "there is no 'walk_tst'" "${tool[@]}" --test walk_tst
	tool+=(--test walk_test)
	refuse "where?" "${tool[@]}"
	refuse "where?" "${tool[@]}" --host svm-npt --ssh x
	refuse "either --case or --filter" "${tool[@]}" --case a --filter b
	tool+=(--host svm-npt)
	refuse "--good REV and --bad REV are needed" "${tool[@]}"
	refuse "there is no emulated host 'svm'" "${tool[@]/svm-npt/svm}" --good c1 --bad main
	refuse "there is no kernel '5.4'" "${tool[@]}" --good c1 --bad main --kernel 5.4
	refuse "malformed case id 'foo'" "${tool[@]}" --good c1 --bad main --case foo
	refuse "no subtest of walk_test matches 'nope*'" "${tool[@]}" --good c1 --bad main --filter 'nope*'
	refuse "--good: $repo has no commit 'zzz'" "${tool[@]}" --good zzz --bad main
	refuse "--bad: $repo has no commit '--all'" "${tool[@]}" --good c1 --bad --all
	refuse "the same commit" "${tool[@]}" --good c2 --bad main
	refuse "is not a number" "${tool[@]}" --time-limit 0
	refuse "good, bad or skip" "${tool[@]}" --crash x
	refuse "cannot be read" "${tool[@]}" --config "$work/none"
	: >"$work/log"
	refuse "not both" "${tool[@]}" --config "$work/log" --kernel 6.1
	refuse "--deploy COMMAND must say" "$suite/runner.sh" bisect --repo "$repo" --test walk_test --ssh x --build make
	run 0 "${tool[@]}" --help
	left_alone "bad input is one line"
}

finds() {
	history good good good nobuild good bad bad bad
	run 0 bisect "${in_lab[@]}"
	has "first bad commit: $(commit_id 6)" "$out"
	has "# case a/b"$'\n'"#   expected: #PF(p)"$'\n'"#   observed: ok" "$out"
	has "skip commit 4 is nobuild: does not build: mmu.c:1: error: no such thing" "$out"
	has "bad  commit 6 is bad: ok" "$out"
	[[ -z $err ]] || problem "$err"
	has "--kernel 6.1 --modules-dir" "$(<"$FAKE_LOG")"
	has "--max-failures 1 --case a/b walk_test" "$(<"$FAKE_LOG")"
	has "git bisect" "$(<"$work/results/b/bisect.log")"
	left_alone "the first bad commit is found, with the failing case"
	run 0 bisect --host svm-npt --filter 'a*' --no-check -- --seed 3
	has "--filter a* walk_test -- --seed 3" "$(<"$FAKE_LOG")"
	left_alone "a filter, and arguments for the test"
}

cannot_be_told() {
	history good nobuild skip noboot bad
	run 1 bisect "${in_lab[@]}"
	has "not found: what is left could not be judged" "$out"
	has "  $(git_in_repo log -1 --format='%h %s' c3)" "$out"
	has "nothing ran: no such CPU" "$out"
	has "the host hung, before the test began" "$out"
	left_alone "commits that cannot be judged are skipped"
	history good panic bad
	run 0 bisect "${in_lab[@]}" --crash bad
	has "first bad commit: $(commit_id 2)" "$out"
	has "# the host did not survive: the host panicked" "$out"
	run 1 bisect "${in_lab[@]}"
	run 0 bisect "${in_lab[@]}" --crash good
	has "first bad commit: $(commit_id 3)" "$out"
	left_alone "a host that does not survive is what --crash says"
}

stops() {
	history bad bad
	run 2 bisect "${in_lab[@]}"
	has "--good $(commit_id 1) is bad: there is nothing to bisect" "$err"
	history good good
	run 2 bisect "${in_lab[@]}"
	has "is good: there is nothing to bisect" "$err"
	history good nobuild
	run 2 bisect "${in_lab[@]}"
	has "--bad $(commit_id 2) cannot be judged" "$err"
	left_alone "ends that are not what is claimed are told"
	history good nospace nolab refused bad
	run 2 bisect "${in_lab[@]}"
	[[ $err == 'runner.sh bisect: qemu does not start' ]] || problem "$err"
	git_in_repo tag -f c1 c3 >/dev/null && git_in_repo checkout -q c4 && before=$(repo_state)
	run 2 bisect "${in_lab[@]}" --no-check
	has "the runner ended with exit code 2: runner.sh: unknown test" "$err"
	left_alone "trouble that is no commit's ends the bisect with one line"
}

ends_when_killed() {
	local signal pid i code
	history good slow bad
	for signal in INT TERM KILL; do
		rm -rf "$work/results" "$FAKE_LOG.pid"
		env --default-signal=INT "$suite/runner.sh" bisect --repo "$repo" --good c1 --bad main --test walk_test \
			--results "$work/results" --run-name b "${in_lab[@]}" >"$work/out" 2>&1 </dev/null &
		pid=$!
		for ((i = 0; i < 200; i++)); do
			[[ -s $FAKE_LOG.pid ]] && break
			sleep 0.1
		done
		kill -"$signal" "$pid"
		wait "$pid" 2>/dev/null
		code=$?
		[[ $signal:$code == @(INT:130|TERM:143|KILL:137) ]] || problem "SIG$signal: exit code $code: $(<"$work/out")"
		for ((i = 0; i < 100; i++)); do
			kill -0 "$(<"$FAKE_LOG.pid")" 2>/dev/null || break
			sleep 0.1
		done
		! kill -0 "$(<"$FAKE_LOG.pid")" 2>/dev/null || problem "SIG$signal: the emulated host goes on"
		left_alone "SIG$signal leaves no process, no file and the repository as it was"
	done
}

whole_kernels() {
	history good nobuild good bad
	# shellcheck disable=SC2016
	run 0 bisect --host svm-npt --case a/b --build 'make KMC_BUILD=$KMC_BUILD'
	has "first bad commit: $(commit_id 4)" "$out"
	has "--kernel-dir $TMPDIR/kmc-bisect." "$(<"$FAKE_LOG")"
	left_alone "a whole kernel is built and booted"
}

# over_ssh WHICH: with the stand-in, or the real one.
over_ssh() {
	local logs=$work/results/b
	history good nobuild good bad bad
	# What "boots" says what the fake test there will do.
	# shellcheck disable=SC2016 # that command expands it
	run 0 bisect --ssh there --build 'make KMC_BUILD=$KMC_BUILD' \
		--deploy '[[ $(<"$KMC_BUILD/arch/x86/boot/bzImage") == good ]] && echo "a=pass" >"$FAKE_LOG.plan" || echo "a=fail:3" >"$FAKE_LOG.plan"'
	rm -f "$FAKE_LOG.plan"
	has "first bad commit: $(commit_id 4)" "$out"
	[[ -s $logs/$(commit_id 4 | cut -c1-12)/summary.json ]] || problem "no results came back"
	left_alone "a machine over $1 boots whole kernels"
	history good unloadable
	run 2 bisect --ssh there
	has "cannot be judged" "$err"
	has "its modules cannot be loaded: the modules of this commit do not load" "$(<"$logs/table.txt")"
	[[ $(tail -n 1 "$FAKE_LOG") == 'modprobe kvm_amd' ]] || problem "the machine's own modules are not loaded again"
	left_alone "a machine over $1 gets the modules, and its own ones back"
}

ssh_refuses() {
	run 2 bisect --ssh refused
	[[ $err == *'refused cannot be used: ssh: connect to host refused port 22: Connection refused' && $err != *$'\n'* ]] ||
		problem "not one line: $err"
	left_alone "a machine that refuses is one line"
}

# Loading modules stays a stand-in: the machine is this one.
over_real_ssh() {
	if ! start_sshd "$work/real" "PATH=$PATH" "KMC_MODULES=$KMC_MODULES"; then
		check "a machine over a real ssh # SKIP $REPLY"
		return
	fi
	# shellcheck disable=SC2016 # it expands it
	printf '#!/bin/bash\n[[ ! -e $FAKE_LOG.plan ]] || export FAKE_PLAN=$(<"$FAKE_LOG.plan")\nexec %s "$@"\n' \
		"$work/real/bin/ssh" >"$work/path/ssh"
	over_ssh "a real ssh"
	stop_sshd
}

shopt -s extglob
refuses
finds
cannot_be_told
stops
ends_when_killed
whole_kernels
over_ssh ssh
ssh_refuses
over_real_ssh
printf '1..%d\n' "$number"
totals
((!failures))
