#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Does the suite notice when KVM is wrong?  Builds KVM with one mistake after
# the other (mutants.conf), boots emulated hosts with it and runs the suite.
# See docs/lab.md.
set -u

usage()
{
	cat <<'END'
Usage: lab/mutants.sh [OPTION...] [MUTANT...] [-- RUNNER ARGUMENT...]
  --kernel NAME         kernel to break (6.1)
  --host NAME           host to run on, until one notices (may be repeated;
                        svm-shadow, then svm-npt)
  --results DIR         where results go (results/)
  --run-name NAME       name of the folder there (time and "mutants")
  --time-limit SECONDS  for each run of the suite (1800)
  --no-control          do not run the suite with KVM as it is first
  --list                list the mutants and what they break
  --help                this text
A mutant is killed when the suite fails on it, or when the report says that the
host did not survive.  Exit status: 0 if all are, 1 if one survives, 2 if the
lab could not start, 130 if interrupted.
END
}

note() { echo "lab: $*" >&2; }
die() { note "$*"; exit 2; }

here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
suite=$(dirname "$here")
# shellcheck disable=SC2034 # for packages.sh
cache=${KMC_CACHE:-${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/kvm-mmu-conformance}
# shellcheck disable=SC2034
update=no
PATH=$PATH:/usr/sbin:/sbin
# shellcheck source=tables.sh
. "$here/tables.sh"
# shellcheck source=packages.sh
. "$here/packages.sh"
# shellcheck source=kernel.sh
. "$here/kernel.sh"
# shellcheck source=source.sh
. "$here/source.sh"

mutant_rows() { rows mutants | awk -F';' -v kernel="$kernel" '(" " $2 " ") ~ (" " kernel " ")'; }

# break_kvm FILE FUNCTION FROM TO: in exactly one place, or not at all.
break_kvm()
{
	FUNCTION=$2 FROM=$3 TO=$4 awk '
		BEGIN { from = ENVIRON["FROM"] }
		/^[^[:space:]#}\/*]/ && index($0, ENVIRON["FUNCTION"] "(") && !/;$/ { inside = 1 }
		/^}/ { inside = 0 }
		inside && (i = index($0, from)) {
			$0 = substr($0, 1, i - 1) ENVIRON["TO"] substr($0, i + length(from))
			found++
		}
		{ print }
		END { exit found != 1 }' "$1" >"$1.broken" && mv "$1.broken" "$1"
}

# The first thing that failed in a run, as "TEST: CASE".
first_failure()
{
	local file record

	for file in "$1"/*.jsonl; do
		record=$(grep -m1 '"verdict":"failed"' "$file") || continue
		echo "$(basename "$file" .jsonl): $(sed -n 's/.*"case":"\([^"]*\)".*/\1/p' <<<"$record")"
		return
	done
	for file in "$1"/*.ktap; do
		record=$(grep -m1 '^not ok' "$file") || continue
		echo "$(basename "$file" .ktap): $(sed -E 's/^not ok [0-9]+ //; s/ #.*//' <<<"$record")"
		return
	done
	echo "see $1"
}

# run_suite NAME HOST: sets verdict; true if the suite noticed something.
run_suite()
{
	local name=$1 host=$2 out=$dir/$1/$2 outcome start=$SECONDS code

	mkdir -p "$dir/$name" || die "cannot write to $dir"
	"$here/run.sh" --host "$host" --kernel "$kernel" --modules-dir "$tmp/modules" \
		--time-limit "$limit" --results "$dir/$name" --run-name "$host" -- --skip-tag no-kvm \
		--max-failures 3 "${runner_args[@]+"${runner_args[@]}"}" >"$out.log" 2>&1 </dev/null
	code=$?
	[[ -e $out/lab.json ]] || die "$(tail -n 1 "$out.log" | sed 's/^lab: //')"
	outcome=$(sed -n 's/.*"outcome": "\(.*\)".*/\1/p' "$out/lab.json")
	if [[ $outcome == interrupted || $outcome == killed || $outcome == failed ]]; then
		# That is the lab's fault, and says nothing of the mutant.
		die "$host, $name: $(tail -n 1 "$out.log" | sed 's/^lab: //')"
	elif [[ $outcome != finished ]]; then
		verdict="the host $outcome ($host, $((SECONDS - start)) s)"
	elif ((code == 1)); then
		verdict="$(first_failure "$out") ($host, $((SECONDS - start)) s)"
	elif ((code == 0)); then
		verdict="passes ($host, $((SECONDS - start)) s)"
		return 1
	else
		# Everything skipped, or arguments that the runner refused.
		die "$host, $name: the runner ended with exit status $code: $(grep -m1 '^runner.sh: ' "$out/console.log")"
	fi
}

build_modules()
{
	build_kvm >"$tmp/log" 2>&1 || return
	rm -rf "$tmp/modules"
	mkdir "$tmp/modules" && cp "$source_kvm"/*.ko "$tmp/modules/" || die_writing "copying modules" "$tmp"
}

hosts=() kernel=6.1 results=$suite/results name="" limit=1800 control=yes list=no ids=()
while (($#)); do
	option=$1
	shift
	case $option in
	--host | --kernel | --results | --run-name | --time-limit)
		[[ -n ${1-} ]] || die "$option needs a value"
		case $option in
		--host) hosts+=("$1") ;;
		--kernel) kernel=$1 ;;
		--results) results=$1 ;;
		--run-name) name=$1 ;;
		--time-limit) limit=$1 ;;
		esac
		shift
		;;
	--no-control) control=no ;;
	--list) list=yes ;;
	--help | -h) usage; exit 0 ;;
	--) break ;;
	-*) die "unknown option '$option' (see --help)" ;;
	*) ids+=("$option") ;;
	esac
done
runner_args=("$@")
((${#hosts[@]})) || hosts=(svm-shadow svm-npt)
# Twice the same is once.
mapfile -t hosts < <(printf '%s\n' "${hosts[@]}" | awk '!seen[$0]++')

find_row kernel "$kernel"
find_row source "$kernel"
for host in "${hosts[@]}"; do find_row host "$host"; done
[[ $limit =~ ^[1-9][0-9]{0,6}$ ]] || die "--time-limit: '$limit' is not a number of seconds"
[[ -z $name || $name =~ ^[A-Za-z0-9][A-Za-z0-9._-]*$ ]] || die "--run-name: '$name' is no file name"
if [[ $list == yes ]]; then
	mutant_rows | awk -F';' '{ printf "%-30s %s\n", $1, $7 }'
	exit 0
fi
known=$(mutant_rows | cut -d';' -f1)
((${#ids[@]})) || mapfile -t ids <<<"$known"
mapfile -t ids < <(printf '%s\n' "${ids[@]}" | awk '!seen[$0]++')
for id in "${ids[@]}"; do
	grep -qxF -- "$id" <<<"$known" || die "unknown mutant '$id' of kernel $kernel (see --list)"
done
command -v make >/dev/null || die "make is not installed (Debian package make)"
compgen -G "$suite/build/x86/*_test" >/dev/null || die "nothing is built in build/x86: run make first"
dir=$results/${name:-$(date +%Y%m%d-%H%M%S)-mutants}
mkdir -p "$results" 2>/dev/null && mkdir "$dir" 2>/dev/null || die "cannot create $dir"

# shellcheck disable=SC2034 # apt_pid: packages.sh's
cleanup_paths=() apt_pid=""
cleanup()
{
	rm -rf "${cleanup_paths[@]}"
	rmdir "$dir" 2>/dev/null
}
trap cleanup EXIT
trap 'note "interrupted; results in ${dir-$results}"; kill $(jobs -p) 2>/dev/null; exit 130' INT TERM HUP
[[ ${TMPDIR:-/tmp} != *[!A-Za-z0-9/._+-]* ]] || die "kernels cannot be built in $TMPDIR: set TMPDIR to a plain name"
tmp=$(mktemp -d "${TMPDIR:-/tmp}/kmc-mutants.XXXXXX" 2>/dev/null) || die "cannot write to ${TMPDIR:-/tmp}"
cleanup_paths+=("$tmp")
mkdir "$tmp/source" && get_source "$kernel" "$tmp/source"

if [[ $control == yes ]]; then
	build_modules || die "KVM cannot be built: $(grep -m1 error "$tmp/log")"
	for host in "${hosts[@]}"; do
		! run_suite control "$host" || die "the suite fails without a mistake in KVM: $verdict; see $dir/control"
		echo "control: passes ($host)"
	done
fi

killed=0 survived=0
for id in "${ids[@]}"; do
	IFS=';' read -r _ _ file function from to what < <(mutant_rows | awk -F';' -v id="$id" '$1 == id')
	cp -p "$source_kvm/$file" "$tmp/original"
	break_kvm "$source_kvm/$file" "$function" "$from" "$to" ||
		die "mutant $id: '$from' is not there once in $function() of $file"
	if ! build_modules; then
		die "mutant $id does not build: $(grep -m1 error "$tmp/log")"
	fi
	result=SURVIVED verdicts=""
	for host in "${hosts[@]}"; do
		if run_suite "$id" "$host"; then
			result=killed verdicts=$verdict
			break
		fi
		verdicts+=${verdicts:+, }$verdict
	done
	# Newer than what was built from the broken one.
	cat "$tmp/original" >"$source_kvm/$file"
	if [[ $result == killed ]]; then ((++killed)); else ((++survived)); fi
	printf '%-30s %-8s %s\n    %s\n' "$id" "$result" "$verdicts" "$what" | tee -a "$dir/table.txt"
done
echo "$killed killed, $survived survived; results in $dir"
((!survived))
