# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# shellcheck disable=SC2154 # shared with runner.sh, of which this is a part
#
# runner.sh --quick: quick.conf says which subtests of which tests are run.
declare -A quick_filter=()

# quick_filter[TEST]: one glob for all its rows.
read_quick() {
	local line test subtest
	while IFS= read -r line; do
		[[ $line != '#'* && $line == *' ; '* ]] || continue
		test=${line%% ; *} subtest=${line#* ; }
		quick_filter[$test]+=${quick_filter[$test]+|}$subtest
	done <"$here/lib/runner/quick.conf"
	for test in "${!quick_filter[@]}"; do
		quick_filter[$test]="@(${quick_filter[$test]})"
	done
}

# shellcheck disable=SC2317 # called through keep_tests
is_quick() { [[ -n ${quick_filter[$1]-} ]]; }

select_quick() {
	[[ -z $case_id && " ${selection[*]-} " != *' --filter '* ]] ||
		die "--quick has a selection of its own: no --filter and no --case with it"
	read_quick
	keep_tests is_quick
	((${#tests[@]})) || die "--quick runs nothing of what is named and tagged so"
}
