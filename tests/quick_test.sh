#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Tests of runner.sh --quick, of how its table is made (lab/quick.sh), and of runner.sh
# repeat.  The tests that are run are copies of fake_test.  Prints KTAP; exits 0 or 1.
set -u
export LC_ALL=C

here=$(cd -- "$(dirname -- "$0")/.." && pwd)
fake=$here/build/tests/fake_test
for file in "$fake" "$here/build/bin/kmc-report" "$here/build/x86/walk_test"; do
	[[ -x $file ]] || { printf 'quick_test.sh: %s is not built\n' "$file" >&2 && exit 2; }
done
scratch=$(mktemp -d "${TMPDIR:-/tmp}/quick_test.XXXXXX") || exit 2
trap 'rm -rf -- "$scratch"' EXIT
# shellcheck source=tests/checking.sh
source "$here/tests/checking.sh"

# A source tree with three tests, two mutants' areas and a table of kills.
tree=$scratch/tree
mkdir -p "$tree"/{lab/mutants,lib,x86,build/x86,build/bin,real}
cp "$here/runner.sh" "$tree/"
cp -r "$here/lib/runner" "$tree/lib/"
cp "$here/lab/quick.sh" "$tree/lab/"
cp "$here/build/bin/kmc-report" "$tree/build/bin/"
for i in alpha beta gamma; do cp "$fake" "$tree/build/x86/${i}_test"; done
export FAKE_PLAN='a=pass b=pass c/x,y=pass d=pass'
printf '%s ; 6.1 ; f.c ; f ; a ; b ; breaks\n' one two three >"$tree/lab/mutants/first.conf"
printf '%s\n' 'hosts ; h' 'runs ; alpha_test' 'four ; 6.1 ; f.c ; f ; a ; b ; breaks' >"$tree/lab/mutants/second.conf"
kills() { printf '%s\n' '# kills' "$@" >"$tree/lab/kills.conf"; }
chosen() { grep -v '^#' "$tree/lib/runner/quick.conf" | paste -sd, | sed 's/ ; /:/g'; }
# repeat takes --results itself.
runner() {
	if [[ ${1-} == repeat ]]; then
		"$tree/runner.sh" "$@"
	else
		"$tree/runner.sh" --results "$scratch/results" "$@"
	fi
}

the_table_of_this_suite() {
	run 0 "$here/lab/quick.sh" --check
	[[ -z $out ]] || problem "$out"
}

the_fewest_are_chosen() {
	# alpha_test a has two; then b of beta_test has both that are left, not one each.
	kills 'one ; alpha_test a' 'two ; alpha_test a ; alpha_test b' 'three ; alpha_test b ; beta_test b' \
		'four ; beta_test b ; beta_test a'
	run 0 "$tree/lab/quick.sh"
	[[ $(chosen) == 'alpha_test:a,beta_test:b' ]] || problem "chosen: $(chosen)"
	# Of two that notice the same the one with fewer cases.
	kills 'one ; alpha_test a ; beta_test b' 'cases ; alpha_test a ; 900' 'cases ; beta_test b ; 20'
	run 0 "$tree/lab/quick.sh"
	[[ $(chosen) == 'beta_test:b' ]] || problem "chosen: $(chosen)"
	# What was chosen first, and what comes later has made needless, goes.
	kills 'one ; alpha_test a ; beta_test a' 'two ; alpha_test a ; beta_test b' 'three ; alpha_test a ; beta_test a' \
		'four ; alpha_test a ; beta_test b' 'cases ; alpha_test a ; 3000' 'cases ; beta_test a ; 1' 'cases ; beta_test b ; 1'
	run 0 "$tree/lab/quick.sh"
	[[ $(chosen) == 'beta_test:a,beta_test:b' ]] || problem "chosen: $(chosen)"
}

what_is_not_there_is_objected_to() {
	kills 'one ; alpha_test a' 'five ; alpha_test a' 'two ; delta_test a' 'three ; alpha_test z'
	run 0 "$tree/lab/quick.sh"
	run 1 "$tree/lab/quick.sh" --check
	has 'there is no mutant five' "$out"
	has 'there is no test delta_test' "$out"
	has 'alpha_test has no subtest z' "$out"
	kills 'one ; alpha_test a'
	run 1 "$tree/lab/quick.sh" --check
	[[ $out == 'lib/runner/quick.conf is not what lab/quick.sh writes' ]] || problem "says: $out"
	run 0 "$tree/lab/quick.sh"
	run 0 "$tree/lab/quick.sh" --check
}

results_are_added() {
	local to=$scratch/mutants/two/svm-npt-beta_test
	kills 'one ; alpha_test a'
	mkdir -p "$to"
	printf '{"event":"subtest","name":"%s","status":"%s","reason":"","cases":%d,"failed":0}\n' a pass 70 c/x,y fail 3 >"$to/beta_test.jsonl"
	mkdir "$scratch/nothing"
	refuse 'no folder of results' "$tree/lab/quick.sh" --add "$scratch/mutants" "$scratch/none"
	refuse 'no subtest passed or failed' "$tree/lab/quick.sh" --add "$scratch/nothing"
	[[ $(grep -c . "$tree/lab/kills.conf") == 2 ]] || problem "kills.conf changed"
	run 0 "$tree/lab/quick.sh" --add "$scratch/mutants"
	has 'two ; beta_test c/x,y' "$(<"$tree/lab/kills.conf")"
	has 'one ; alpha_test a' "$(<"$tree/lab/kills.conf")"
	[[ $(chosen) == 'alpha_test:a,beta_test:c/x,y' ]] || problem "chosen: $(chosen)"
}

quick_runs_its_rows() {
	kills 'one ; alpha_test a' 'two ; alpha_test c/x,y' 'three ; gamma_test d'
	run 0 "$tree/lab/quick.sh"
	run 0 runner --quick --run-name quick
	has '3 passed, 0 failed, 0 skipped' "$out"
	[[ ! -e $scratch/results/quick/beta_test.ktap ]] || problem "beta_test ran"
	grep -q 'c/x,y' "$scratch/results/quick/alpha_test.ktap" || problem "c/x,y did not run"
	! grep -q 'ok [0-9]* b' "$scratch/results/quick/alpha_test.ktap" || problem "b ran"
	run 0 runner --quick gamma_test
	has '1 passed, 0 failed, 0 skipped' "$out"
	FAKE_alpha_test='a=fail:2 c/x,y=pass' run 1 runner --quick alpha_test
	has '1 passed, 1 failed, 0 skipped' "$out"
	refuse 'runs nothing' runner --quick beta_test
	refuse 'a selection of its own' runner --quick --filter a
	refuse 'a selection of its own' runner --quick --case a alpha_test
}

filters_may_be_alternatives() {
	run 0 "$tree/build/x86/alpha_test" --list --filter '@(a|c/*)'
	[[ $out == a$'\n'c/x,y ]] || problem "listed: $out"
}

the_same_is_the_same() {
	run 0 runner repeat 3 --results "$scratch/repeat" alpha_test
	has 'run 1: exit code 0, 4 passed, 0 failed, 0 skipped' "$out"
	has '3 runs of 4 subtests, 0 differ from the first' "$out"
	[[ $(find "$scratch/repeat" -mindepth 1 -maxdepth 1 -type d | wc -l) == 1 ]] || problem "not one run is left"
	FAKE_alpha_test='a=skip b=pass' run 0 runner repeat 2 --results "$scratch/repeat" alpha_test
	has '2 runs of 2 subtests (1 skipped), 0 differ from the first' "$out"
	# Failing each time is no difference.
	FAKE_alpha_test='a=fail:1 b=pass' run 0 runner repeat 2 --results "$scratch/repeat" alpha_test
	run 0 runner repeat --in-order --keep 2 --results "$scratch/kept" --seed 7 alpha_test
	[[ $(find "$scratch/kept" -mindepth 1 -maxdepth 1 -type d | wc -l) == 2 ]] || problem "not kept"
}

# The third time, one subtest ends otherwise.
a_flake_is_found() {
	mv "$tree/build/x86/alpha_test" "$tree/real/"
	cat >"$tree/build/x86/alpha_test" <<-END
		#!/bin/bash
		[[ " \$* " != *' --results '* ]] || echo >>"$scratch/count"
		[[ \$(wc -l <"$scratch/count") != 3 ]] || export FAKE_PLAN='a=pass b=fail:1 c/x,y=pass d=pass'
		exec "$tree/real/alpha_test" "\$@"
	END
	chmod +x "$tree/build/x86/alpha_test"
	: >"$scratch/count"
	run 1 runner repeat 4 --results "$scratch/flaky" alpha_test
	has 'run 3 differs: exit code 1, was 0' "$out"
	has '(--seed 3)' "$out"
	has '4 runs of 4 subtests, 1 differ from the first' "$out"
	grep -q '"name":"b","status":"fail"' "$scratch"/flaky/repeat-*-3/differs || problem "no file says what differs"
	mv "$tree/real/alpha_test" "$tree/build/x86/"
}

repeat_refuses() {
	refuse 'how many times' runner repeat
	refuse 'how many times' runner repeat 0
	refuse 'seeds of their own' runner repeat 2 --seed 3
	refuse 'not for runs that are compared' runner repeat 2 --run-name x
	refuse 'unknown test' runner repeat 2 --results "$scratch/refused" no_such_test
	run 0 runner repeat --help
}

printf 'TAP version 13\n1..9\n'
for i in the_table_of_this_suite the_fewest_are_chosen what_is_not_there_is_objected_to results_are_added \
	quick_runs_its_rows filters_may_be_alternatives the_same_is_the_same a_flake_is_found repeat_refuses; do
	"$i"
	check "${i//_/ }"
done
totals
((!failures))
