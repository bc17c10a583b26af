#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Does the suite notice when KVM is wrong?  Builds KVM with one mistake after
# the other (mutants/*.conf), boots emulated hosts with it and runs the suite.
# See docs/lab.md.
set -u

usage()
{
	cat <<'END'
Usage: lab/mutants.sh [OPTION...] [MUTANT|AREA...] [-- RUNNER ARGUMENT...]
  --kernel NAME         kernel to break (6.1)
  --host NAME           host to run on, until one notices (may be repeated;
                        those of the area, or svm-shadow, then svm-npt)
  --results DIR         where results go (results/)
  --run-name NAME       name of the folder there (time and "mutants")
  --time-limit SECONDS  for each run of the suite (1800)
  --together N          so many mutants in one boot, one loaded after the other (1)
  --no-control          do not run the suite with KVM as it is first
  --build-only          build every mutant, boot nothing
  --list                list the mutants and what they break
  --help                this text
An area is a file in lab/mutants/; it says what is run for its mutants, one run
after the other until one fails.  Runner arguments take the place of these.
A mutant is killed when the suite fails on it, or when the report says that the
host did not survive.  Exit status: 0 if all are, 1 if one survives, 2 if one
does not build or the lab could not start, 130 if interrupted.
END
}

# shellcheck source=common.sh
. "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/common.sh"
# shellcheck source=mutant_source.sh
. "$here/mutant_source.sh"
# shellcheck source=mutants-together.sh
. "$here/mutants-together.sh"

# The first thing that failed in a run, as "TEST: CASE".
first_failure()
{
	local file record

	for file in "$1"/*.jsonl; do
		record=$(grep -m1 '"verdict":"failed"' "$file") || continue
		echo "$(basename "$file" .jsonl): $(sed -n 's/.*"case":"\([^"]*\)".*/\1/p' <<<"$record")"
		return
	done
	# No case failed: an assertion, or a warning of the host's kernel.
	for file in "$1"/*.ktap; do
		record=$(grep -m1 -B1 '^not ok' "$file") || continue
		echo "$(basename "$file" .ktap): $(sed -nE 's/^not ok [0-9]+ //; s/ #.*//; $p' <<<"$record")$(
			sed -n 's/^# \(.*\)/: \1/p' <<<"$record" | head -n 1 | cut -c1-200)"
		return
	done
	# All cases passed, but the host's kernel warned.
	for file in "$1"/*.dmesg; do
		record=$(grep -m1 -oE '(WARNING|BUG|Oops).*' "$file" 2>/dev/null) || continue
		echo "$(basename "$file" .dmesg): kernel log: $record"
		return
	done
	echo "see $1"
}

# run_suite NAME HOST ARGUMENT...: sets verdict; true if the suite noticed something.
# The run's folder is NAME/HOST, or NAME/HOST-TEST where the first argument is a test, with
# a number where there are several.
run_suite()
{
	local name=$1 host=$2 test="" base out outcome start=$SECONDS code i
	shift 2

	[[ ${1-} != *_test ]] || test=$1
	base=$dir/$name/$host${test:+-$test} out=$base
	for ((i = 2; ; i++)); do
		[[ -e $out ]] || break
		out=$base-$i
	done
	mkdir -p "$dir/$name" || die "cannot write to $dir"
	# After an oops a lock of KVM may be held for good: a panic ends the run at once.  What
	# endangers a host is not to be spared here.
	in_background "$here/run.sh" --host "$host" --kernel "$kernel" --modules-dir "$tmp/modules" \
		--append "oops=panic KMC_DANGEROUS=1" --time-limit "$limit" --results "$dir/$name" --run-name "${out##*/}" -- --skip-tag no-kvm \
		--max-failures 1 "$@" >"$out.log" 2>&1 </dev/null
	code=$?
	outcome_of "$out" "$host, $name"
	if [[ $outcome != finished ]]; then
		verdict="the host $outcome${test:+ in $test} ($host, $((SECONDS - start)) s)"
	elif ((code == 1)); then
		verdict="$(first_failure "$out") ($host, $((SECONDS - start)) s)"
	elif ((code == 0)); then
		verdict="${test:-all} passes ($host, $((SECONDS - start)) s)"
		passed=yes
		return 1
	elif ((code == 4)); then
		verdict="${test:-all} is skipped ($host)"
		return 1
	else
		# Arguments that the runner refused.
		die "$host, $name: the runner ended with exit status $code: $(grep -m1 '^runner.sh: ' "$out/console.log")"
	fi
}

# What is run for the areas: "HOST ARGUMENT...", one line per run.
runs_for()
{
	local of host

	for of; do
		while read -r host; do
			if ((${#runner_args[@]})); then
				echo "$host"
			else
				runs_of "$of" | sed "s/^/$host /"
			fi
		done < <(hosts_of "$of")
	done | awk '!seen[$0]++'
}

# noticed NAME AREA...: runs the areas' tests, or those asked for, on one host after the
# other until one fails; sets verdicts.
noticed()
{
	local name=$1 runs line arguments
	shift

	verdicts="" passed=no
	mapfile -t runs < <(runs_for "$@")
	for line in "${runs[@]}"; do
		read -ra arguments <<<"$line"
		((!${#runner_args[@]})) || arguments+=("${runner_args[@]}")
		if run_suite "$name" "${arguments[@]}"; then
			verdicts=$verdict
			return
		fi
		verdicts+=${verdicts:+, }$verdict
	done
	# A run that ran nothing is no survivor.
	[[ $passed == yes ]] || die "$name: nothing ran: $verdicts"
	return 1
}

hosts=() kernel=6.1 results=$suite/results name="" limit=1800 control=yes list=no build_only=no together=1 ids=()
while (($#)); do
	option=$1
	shift
	case $option in
	--host | --kernel | --results | --run-name | --time-limit | --together)
		[[ -n ${1-} ]] || die "$option needs a value"
		case $option in
		--host) hosts+=("$1") ;;
		--kernel) kernel=$1 ;;
		--results) results=$1 ;;
		--run-name) name=$1 ;;
		--time-limit) limit=$1 ;;
		--together) together=$1 ;;
		esac
		shift
		;;
	--no-control) control=no ;;
	--build-only) build_only=yes ;;
	--list) list=yes ;;
	--help | -h) usage; exit 0 ;;
	--) break ;;
	-*) die "unknown option '$option' (see --help)" ;;
	*) ids+=("$option") ;;
	esac
done
runner_args=("$@")
mapfile -t hosts < <(unique "${hosts[@]+"${hosts[@]}"}")

find_row kernel "$kernel"
rows sources | grep -q "^${kernel//./\\.};" ||
	die "no mutants for kernel '$kernel', only for: $(rows sources | cut -d';' -f1 | paste -sd' ')"
for host in $(for i in $(areas); do hosts_of "$i"; done); do find_host "$host"; done
check_time_limit "$limit"
[[ $together =~ ^[1-9][0-9]?$ ]] || die "--together takes a number from 1 to 99, not '$together'"
check_run_name "$name"
if [[ $list == yes ]]; then
	mutant_rows | awk -F';' '{ printf "%-5s %-32s %s\n", $1, $2, $8 }'
	exit 0
fi
find_mutants "${ids[@]+"${ids[@]}"}"
command -v make >/dev/null || die "make is not installed (Debian package make)"
[[ $build_only == yes ]] || check_built
[[ ${TMPDIR:-/tmp} != *[!A-Za-z0-9/._+-]* ]] || die "kernels cannot be built in $TMPDIR: set TMPDIR to a plain name"

dir=""
trap 'cleanup; [[ -z $dir ]] || rmdir "$dir" 2>/dev/null' EXIT
# shellcheck disable=SC2317 # called by trap
interrupted()
{
	trap '' INT TERM HUP
	# Whatever is under way is ended by cleanup(): a run brings its results back.
	note "interrupted${dir:+; results in $dir}"
	exit 130
}
trap interrupted INT TERM HUP
# The runs and their table are finished even where nobody reads on.
trap '' PIPE

make_tmp kmc-mutants
need_space "KVM's source and modules" 300 "$tmp"
make_results "$name" "$(date +%Y%m%d-%H%M%S)-mutants"
dir=$results/$run
mkdir "$tmp/source" && get_source "$kernel" "$tmp/source"

check_mutants "${ids[@]}"

if [[ $build_only == no && $control == yes ]]; then
	build_modules || die "KVM cannot be built: $(compiler_said)"
	mapfile -t of_areas < <(areas_of "${ids[@]}")
	! noticed control "${of_areas[@]}" ||
		die "the suite fails without a mistake in KVM: $verdicts; see $dir/control"
	echo "control: $verdicts"
fi 2>/dev/null

killed=0 survived=0 unbuilt=0 waiting=()
# tell ID RESULT VERDICTS: a row of the table.
tell()
{
	read_mutant "$1"
	printf '%-30s %-8s %s\n    %s\n' "$1" "$2" "$3" "$what" | tee -p -a "$dir/table.txt" 2>/dev/null
}

for id in "${ids[@]}"; do
	read_mutant "$id"
	# What runs together is of one area, which says on which hosts.
	((!${#waiting[@]})) || [[ $area == "$waiting_area" ]] || run_together
	if ! build_mutant "$id"; then
		result=UNBUILT verdicts=$(compiler_said)
		((++unbuilt))
	elif [[ $build_only == yes ]]; then
		result=builds verdicts=""
	elif ((together > 1)); then
		add_to_boot "$id" "$area"
		result=""
	elif noticed "$id" "$area"; then
		result=killed
		((++killed))
	else
		result=SURVIVED
		((++survived))
	fi
	mend_kvm
	[[ -z $result ]] || tell "$id" "$result" "$verdicts"
	((${#waiting[@]} < together)) || run_together
done
((!${#waiting[@]})) || run_together
if [[ $build_only == no ]]; then
	echo "$killed killed, $survived survived, $unbuilt do not build; results in $dir" 2>/dev/null
fi
((!unbuilt)) || exit 2
((!survived))
