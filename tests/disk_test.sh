#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A run on a disk that gets full at every place, runs side by side in one folder, and a run's files
# cut short anywhere: one clear line each, and what was finished is kept.
#
# The full disk is a small tmpfs in a mount namespace of its own (unshare); where that is not
# allowed it is skipped.  Tests are copies of fake_test.  Prints KTAP; exits 0 or 1.
set -u
export LC_ALL=C

here=$(cd -- "$(dirname -- "$0")/.." && pwd)
work=$(mktemp -d "${TMPDIR:-/tmp}/disk_test.XXXXXX") || exit 2
trap '[[ $BASHPID != "$$" ]] || rm -rf -- "$work"' EXIT
scratch=$work
# shellcheck source=tests/checking.sh
source "$here/tests/checking.sh"
suite=$work/suite
fake_suite "$suite" a_test b_test
mkdir -p "$work/mnt" "$work/path"
printf '#!/bin/sh\n' >"$work/path/dmesg"
chmod +x "$work/path/dmesg"
export PATH=$work/path:$PATH KMC_KMSG=$work/kmsg
printf 'KTAP version 1\n1..3\n'

# run_in_full KIBIBYTES LEFT: a run on a tmpfs of which that much is left; afterwards its files in
# work/kept.
run_in_full() {
	# shellcheck disable=SC2016 # the shell in there expands it
	unshare -rm bash -c '
		mount -t tmpfs -o size=1m tmpfs "$1/mnt" || exit 99
		head -c "$((1048576 - $2))" /dev/zero >"$1/mnt/filler"
		FAKE_PLAN="a=pass b=fail:3 c=skip d=pass e=fail:9 f=pass" "$1/suite/runner.sh" --results "$1/mnt/r" --run-name x >"$1/said" 2>"$1/err"
		code=$?
		rm "$1/mnt/filler"
		rm -rf "$1/kept"
		cp -r "$1/mnt/r" "$1/kept" 2>/dev/null
		exit "$code"' - "$work" "$1" </dev/null
}

full_disk() {
	local left code told=0
	if ! unshare -rm mount -t tmpfs tmpfs "$work/mnt" 2>/dev/null; then
		check "a full disk # SKIP no tmpfs can be mounted here"
		return
	fi
	for ((left = 0; left <= 64; left += 4)); do
		run_in_full $((left * 1024))
		code=$?
		[[ $code == [12] ]] || problem "$left KiB left: exit code $code: $(<"$work/err")"
		! grep -nE 'runner.sh: line|lib/runner.*: line|unbound' "$work/err" "$work/said" >"$work/noise" ||
			problem "$left KiB left: $(<"$work/noise")"
		! grep -qE 'No space left|cannot write' "$work/err" "$work/said" || ((++told))
		(($(wc -l <"$work/err") <= 8)) || problem "$left KiB left: $(wc -l <"$work/err") lines: $(<"$work/err")"
		# Where there was room for the results the summary has them, now that there is room again.
		[[ -d $work/kept/x ]] || continue
		"$suite/bin/kmc-report" summary "$work/kept/x" >"$work/said" 2>"$work/err"
		code=$?
		[[ $code == [14] && ! -s $work/err ]] || problem "$left KiB left: summary: exit code $code: $(<"$work/err")"
		[[ -s $work/kept/x/run.jsonl ]] || continue
		code=$(cat "$work/kept/x"/*_test.jsonl 2>/dev/null | grep -c '^{"event":"subtest".*"status":"pass".*}$')
		grep -q "^ *\"passed\": $code,\$" "$work/kept/x/summary.json" || problem "$left KiB left: $code passed, the summary has not"
	done
	((told > 2)) || problem "only $told of 17 said that the disk is full"
	check "a full disk: said in a few lines, nothing hangs, what was written counts"
}

side_by_side() {
	local i pids=() folders
	for ((i = 0; i < 8; i++)); do
		FAKE_PLAN='a=nap:80 b=nap:80 c=pass' "$suite/runner.sh" --results "$work/r" --run-name same >"$work/out.$i" 2>"$work/err.$i" </dev/null &
		pids+=($!)
	done
	for i in "${!pids[@]}"; do
		wait "${pids[i]}" || problem "run $i failed: $(tail -n 3 "$work/out.$i" "$work/err.$i")"
		[[ ! -s $work/err.$i ]] || problem "run $i: $(<"$work/err.$i")"
		[[ $(tail -n 1 "$work/out.$i") == '6 passed, 0 failed, 0 skipped' ]] || problem "run $i: $(tail -n 1 "$work/out.$i")"
		! grep -q 'did not finish' "$work/out.$i" || problem "run $i takes another for dead"
	done
	folders=$(find "$work/r" -mindepth 2 -name summary.json -not -path '*/latest/*' | wc -l)
	((folders == 8)) || problem "$folders summaries of 8 runs"
	[[ -s $work/r/latest/summary.json ]] || problem "latest leads nowhere"
	[[ -z $(find "$work/r" -maxdepth 1 -name '.latest*') ]] || problem "links are left"
	check "eight runs at once in one folder: each has its own, none disturbs another"
}

cut_short() {
	local file size cut step lines
	FAKE_PLAN='a=pass b=fail:2 c=skip' "$suite/runner.sh" --results "$work/c" --run-name x >/dev/null 2>&1 </dev/null
	for file in host.json run.jsonl a_test.jsonl; do
		size=$(stat -c %s "$work/c/x/$file") step=$((size / 40 + 1))
		for ((cut = 0; cut < size; cut += step)); do
			rm -rf "$work/d" && cp -r "$work/c/x" "$work/d" && truncate -s "$cut" "$work/d/$file"
			((cut % 2)) || truncate -s "$size" "$work/d/$file" # zeros behind it
			"$suite/bin/kmc-report" summary "$work/d" >"$work/said" 2>"$work/err"
			[[ $? == 1 && ! -s $work/err ]] || problem "$file cut at $cut: $(<"$work/err")"
			# What the other files say is there.
			[[ $file == a_test.jsonl ]] || grep -q '^2 passed, [234] failed, 2 skipped$' "$work/said" || problem "$file cut at $cut: $(tail -n 1 "$work/said")"
			lines=$(grep -c "^damaged: $file" "$work/said")
			# Between two lines nothing is damaged; zeros are a line.
			((lines <= 1)) || problem "$file cut at $cut: $lines lines: $(grep damaged "$work/said")"
			((lines || cut == 0)) || [[ $file == *.jsonl && $(tail -c 1 "$work/d/$file" | od -An -c) == *'\n'* ]] ||
				problem "$file cut at $cut: not told"
		done
	done
	check "files cut short anywhere, or with zeros in place of their end, are one line each"
}

full_disk
side_by_side
cut_short
totals
((!failures))
