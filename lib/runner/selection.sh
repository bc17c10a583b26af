# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # shared with runner.sh, of which this is a part
#
# Which tests there are, and which of them are to be run.
declare -A about_proves=() about_tags=() about_cases=()
tests=()

command_names() { list_commands | cut -c3- | cut -d' ' -f1 | paste -sd' '; }

read_about() {
	local file name key value
	need_built
	for file in "$test_dir"/*_test; do
		[[ -f $file && -x $file ]] || continue
		name=${file##*/}
		tests+=("$name")
		about_tags[$name]='' about_proves[$name]='' about_cases[$name]=no
		while IFS= read -r value; do
			key=${value%%:*} value=${value#*:} value=${value# }
			case $key in
			proves) about_proves[$name]=$value ;;
			tags) about_tags[$name]=${value// /} ;;
			cases) about_cases[$name]=$value ;;
			esac
		done < <("$file" --about 2>/dev/null </dev/null)
	done
	((${#tests[@]})) || die "no test is built in $test_dir: run make, or $0 --setup"
}

# Keeps in tests() those for which the command given holds.
keep_tests() {
	local name kept=()
	for name in "${tests[@]}"; do
		"$@" "$name" && kept+=("$name")
	done
	tests=("${kept[@]+"${kept[@]}"}")
}

# shellcheck disable=SC2317 # these are called through keep_tests
is_named() { [[ " ${names[*]} " == *" $1 "* ]]; }
# shellcheck disable=SC2317
has_cases() { [[ ${about_cases[$1]} == yes ]]; }
# shellcheck disable=SC2317 # tagged TAGS TEST: has it one of these tags, which some test has?
tagged() { [[ ,${about_tags[$2]}, =~ ,(${1// /|}), ]]; }
# shellcheck disable=SC2317
untagged() { ! tagged "$@"; }
# Only "no subtest matches" is a reason to leave a test out; else it speaks for itself.
# shellcheck disable=SC2317
has_subtest() {
	"$test_dir/$1" --list "${selection[@]}" >/dev/null 2>&1 </dev/null
	[[ $? != 2 ]]
}

select_tests() {
	local name tag known
	for name in "${names[@]+"${names[@]}"}"; do
		[[ " ${tests[*]} " == *" $name "* ]] ||
			die "unknown test or command '$name', see --help; commands: $(command_names); tests: ${tests[*]}"
	done
	known=",$(IFS=,; printf %s "${about_tags[*]}"),"
	for tag in "${tags[@]+"${tags[@]}"}" "${skip_tags[@]+"${skip_tags[@]}"}"; do
		[[ -n $tag && $known == *",$tag,"* ]] || die "unknown tag '$tag', see --list"
	done
	((!${#names[@]})) || keep_tests is_named
	((!${#tags[@]})) || keep_tests tagged "${tags[*]}"
	((!${#skip_tags[@]})) || keep_tests untagged "${skip_tags[*]}"
	((${#tests[@]})) || die "no test is both named and tagged so"
	((!quick)) || select_quick
	if ((${#selection[@]})); then
		keep_tests has_subtest
		((${#tests[@]})) || die "no subtest matches ${selection[*]}"
	fi
	if [[ -n $case_id ]]; then
		keep_tests has_cases
		((${#tests[@]} == 1)) || die "--case needs the one TEST whose case '$case_id' is"
	fi
}
