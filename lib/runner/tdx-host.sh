#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#: tdx-host            is this host set up for TDX? what is wrong, what to change
#
# Runs tdx_host_test and writes down what it says.  Needs bash and nothing else; can also be run by itself.
set -u
export LC_ALL=C

suite=${KMC_SUITE:-$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd)}
test_dir=${KMC_TEST_DIR:-$suite/build/x86}
[[ -d $test_dir ]] || test_dir=$suite/x86
readonly suite test_dir

die() {
	printf 'runner.sh tdx-host: %s\n' "$1" >&2
	exit 2
}

usage() {
	cat <<-EOT
	Usage: runner.sh tdx-host [--all]

	Is this host set up for TDX?  Prints one page: the steps of setting it up, which of them are
	right, and for each that is not what was read, what that means and what to change.  Only reads.

	  --all      every check with what was read, also those that are right

	Exit codes: 0 set up rightly, 1 set up wrongly, 2 bad usage, 4 not a TDX host or nobody can tell.
	EOT
}

all=0
while (($#)); do
	case $1 in
	--all) all=1 ;;
	--help | -h) usage && exit 0 ;;
	*) die "unexpected argument '$1', see --help" ;;
	esac
	shift
done
[[ -x $test_dir/tdx_host_test ]] || die "$test_dir/tdx_host_test is not built: run make"

#
# What the test says: per check the result, and the lines read, means and change
#
checks=() why=''
declare -A result=() reason=() said=() change=()

read_line() {
	local name
	case $1 in
	'# host: '*) why=${1#'# host: '} ;;
	'#   change: '*) change[.]=${1#'#   change: '} said[.]+="   ${1#'#   '}"$'\n' ;;
	'#   '[rm]*': '*)
		# "read:", "means:"; the others are of the record of a failing case.
		[[ $1 == '#   read: '* || $1 == '#   means: '* ]] && said[.]+="   ${1#'#   '}"$'\n'
		;;
	'ok '* | 'not ok '*)
		name=${1#*ok } name=${name#* } name=${name%% *}
		checks+=("$name")
		result[$name]=ok reason[$name]=${1#*# SKIP }
		[[ $1 != *'# SKIP '* ]] || result[$name]=skipped
		[[ $1 != 'not '* ]] || result[$name]=WRONG
		[[ ${reason[$name]} != 'cannot tell: '* ]] || result[$name]='cannot tell'
		[[ ${reason[$name]} != 'not yet: '* ]] || result[$name]='not yet'
		said[$name]=${said[.]-} change[$name]=${change[.]-}
		said[.]='' change[.]=''
		;;
	esac
}

run_test() {
	local line
	while IFS= read -r line; do
		read_line "$line"
	done < <("$test_dir/tdx_host_test" </dev/null)
	wait $!
	code=$?
	((${#checks[@]})) || die "tdx_host_test said nothing (exit code $code)"
}

#
# The page
#
stage_title() {
	case $1 in
	cpu) REPLY='CPU' ;;
	msr) REPLY='BIOS, as MSRs show it' ;;
	log | kernel) REPLY='what the kernel found at boot' ;;
	kvm_intel) REPLY='kvm_intel' ;;
	module) REPLY='TDX module' ;;
	capability) REPLY="KVM's capability" ;;
	run) REPLY='what TDs run out of' ;;
	*) REPLY='' ;;
	esac
}

# One line per stage: how many of its checks are what.
print_stages() {
	local name kind last='' counts
	declare -A count=()
	for name in "${checks[@]}" end/; do
		stage_title "${name%%/*}"
		if [[ $REPLY != "$last" && -n $last ]]; then
			counts=''
			for kind in ok WRONG 'cannot tell' 'not yet'; do
				[[ -z ${count[$kind]-} ]] || counts+=${counts:+, }"${count[$kind]} $kind"
			done
			printf '  %-32s %s\n' "$last" "$counts"
			count=()
		fi
		last=$REPLY
		[[ $name == end/ ]] || ((count[${result[$name]}] += 1))
	done
}

print_checks() { # RESULT TITLE
	local name n=0
	for name in "${checks[@]}"; do
		[[ ${result[$name]} == "$1" ]] || continue
		((n++)) || printf '\n%s\n' "$2"
		printf '\n%d. %s\n%s' "$n" "$name" "${said[$name]}"
	done
}

# What cannot be seen for one reason is told together.
print_unknown() {
	local name why order=()
	declare -A names=()
	for name in "${checks[@]}"; do
		[[ ${result[$name]} == 'cannot tell' ]] || continue
		why="${reason[$name]#cannot tell: }${change[$name]:+ (${change[$name]})}"
		[[ -n ${names[$why]-} ]] || order+=("$why")
		names[$why]+=${names[$why]:+, }$name
	done
	((!${#order[@]})) || printf '\nNot to be seen:\n'
	for why in "${order[@]+"${order[@]}"}"; do
		printf '  %s\n     %s\n' "${names[$why]}" "$why"
	done
}

# For a host that could be one: each thing to change, once.
print_changes() {
	local name n=0 listed=$'\n'
	for name in "${checks[@]}"; do
		[[ -n ${change[$name]} && $listed != *$'\n'"${change[$name]}"$'\n'* ]] || continue
		listed+=${change[$name]}$'\n'
		((n++)) || printf '\nTo make it one:\n'
		printf '  %d. %s\n     (%s)\n' "$n" "${change[$name]}" "$name"
	done
}

print_all() {
	local name
	for name in "${checks[@]}"; do
		printf '\n%s: %s\n%s' "$name" "${result[$name]}" "${said[$name]}"
	done
}

count_of() {
	local name
	REPLY=0
	for name in "${checks[@]}"; do
		[[ ${result[$name]} != "$1" ]] || ((++REPLY))
	done
}

main() {
	local wrong unseen
	run_test
	printf 'TDX on %s, kernel %s\n' "${HOSTNAME-this host}" "$(uname -r 2>/dev/null)"
	((!all)) || print_all
	if ((code == 4)); then
		printf '\nVerdict: %s\n' "${reason[host/kind]}"
		case ${reason[host/kind]} in
		'not a TDX host'*) ;;
		*) print_changes ;;
		esac
		exit 4
	fi
	((code == 0 || code == 1)) || die "tdx_host_test ended with exit code $code"
	printf '\n'
	print_stages
	print_checks WRONG 'What is wrong. Begin with the first: what comes later may follow from it.'
	print_unknown
	count_of WRONG
	wrong=$REPLY
	count_of 'cannot tell'
	unseen=$REPLY
	if ((wrong)); then
		printf '\nVerdict: a TDX host (%s), set up wrongly: %d of %d checks.\n' "$why" "$wrong" "${#checks[@]}"
	elif ((unseen)); then
		printf '\nVerdict: a TDX host (%s), with nothing wrong in what could be seen.\n' "$why"
	else
		printf '\nVerdict: a TDX host (%s), set up rightly. Next: runner.sh tdx_abi_test\n' "$why"
	fi
	exit "$code"
}

main
