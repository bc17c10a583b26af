#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Kills the runner with real tests under it, at random moments, by SIGINT, SIGTERM and SIGKILL in
# turn: afterwards no test is alive, no VM (nobody has /dev/kvm open), no tracing instance of
# ours is left, and mounts are what they were.
#
#   kill_real.sh [COUNT] [TEST...]     in the suite's folder (20, role_word_test walk_test)
#
# Needs /dev/kvm, and for the tracing part root and tracefs.  Also run on emulated hosts:
#   lab/run.sh --host svm-npt --cmd "$(cat tests/kill_real.sh)"
# Prints KTAP; exits 0, 1, or 4 if /dev/kvm cannot be used.
set -u

count=${1:-20}
shift
tests=("${@:-role_word_test}")
(($#)) || tests+=(walk_test)
RANDOM=${SEED:-$$}
results=$(mktemp -d "${TMPDIR:-/tmp}/kill_real.XXXXXX") || exit 2
trap '[[ $BASHPID != "$$" ]] || rm -rf -- "$results"' EXIT
printf 'KTAP version 1\n1..3\n# SEED=%s\n' "${SEED:-$$}"
if ! reason=$(build/bin/kmc-report kvm); then
	printf 'ok %d # SKIP %s\n' 1 "$reason" 2 "$reason" 3 "$reason"
	exit 4
fi

instances() { compgen -G '/sys/kernel/tracing/instances/kmc-roles-*' || compgen -G '/sys/kernel/debug/tracing/instances/kmc-roles-*'; }

# Processes that are tests of ours, or have /dev/kvm open, as everybody with a VM does.  Without a
# process for each question: in an emulated host that would take seconds.
alive() {
	local dir fd test
	for dir in /proc/[0-9]*; do
		for test in "${tests[@]}"; do
			[[ ! $dir/exe -ef build/x86/$test ]] || { printf '%s ' "${dir#/proc/}" && continue 2; }
		done
		for fd in "$dir"/fd/*; do
			[[ ! $fd -ef ${KVM_DEVICE:-/dev/kvm} ]] || { printf '%s ' "${dir#/proc/}" && break; }
		done
	done 2>/dev/null
}

bad=0
# Looking there may mount tracefs on debugfs, by itself.
instances >/dev/null
before=$(</proc/mounts)
others=$(alive)
signals=(INT TERM KILL)
failed=('' '' '')
times=(0 0 0)
traced=0 ran=0
for ((i = 0; i < count; i++)); do
	signal=${signals[i % 3]} wrong=''
	env --default-signal=INT ./runner.sh --results "$results" "${tests[@]}" >/dev/null 2>&1 </dev/null &
	victim=$!
	sleep "$((RANDOM % 4)).$((RANDOM % 10))"
	[[ -z $(instances) ]] || ((++traced))
	[[ $(alive) == "$others" ]] || ((++ran))
	kill -"$signal" "$victim" 2>/dev/null
	wait "$victim" 2>/dev/null
	for ((n = 0; n < 100; n++)); do
		[[ $(alive) == "$others" && -z $(instances) ]] && break
		sleep 0.1
	done
	[[ $(alive) == "$others" ]] || wrong+=" alive: $(alive)"
	[[ -z $(instances) ]] || wrong+=" tracing: $(instances)"
	[[ $(</proc/mounts) == "$before" ]] || wrong+=" mounts have changed"
	((++times[i % 3]))
	failed[i % 3]+=${wrong:+"kill $i:$wrong. "}
done
printf '# %d hit a running test, %d with a tracing instance\n' "$ran" "$traced"
for i in 0 1 2; do
	[[ -z ${failed[i]} ]] || { printf '# %s\nnot ' "${failed[i]}" && bad=1; }
	printf 'ok %d nothing is left by %s: %d times\n' $((i + 1)) "${signals[i]}" "${times[i]}"
done
exit "$bad"
