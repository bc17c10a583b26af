#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The same mistakes in KVM, on the same emulated hosts, for kvm-unit-tests, the kernel's own
# selftests and this suite: who notices?  See docs/mutants.md.  What is compared with is
# the user's checkout; nothing of it is here.
set -u

usage()
{
	cat <<'END'
Usage: lab/side-by-side.sh --kut CHECKOUT [OPTION...] [MUTANT|AREA...]
  --kut DIR             a checkout of kvm-unit-tests; built in a copy unless it is
  --kselftest DIR       a kernel tree, whose tools/testing/selftests/kvm is built
  --host NAME           host to run on, until one notices (may be repeated;
                        those of the area, or svm-shadow, then svm-npt)
  --kernel NAME         kernel to break (6.1)
  --test-limit SECONDS  for each of their tests (60); with a mistake three times that, so that
                        one that only just kept to it is not taken for one that notices
  --time-limit SECONDS  for each boot (1800)
  --only GLOB           of their tests those with such a name
  --ours ARGUMENTS      what is run of this suite (--quick)
  --results DIR         where results go (results/)
  --run-name NAME       name of the folder there (time and "side-by-side")
  --help                this text
First everything runs with KVM as it is: what of theirs does not pass there, or not
within its limit, is not counted for them; this suite must pass.  A mistake is noticed when
a test fails that passed, the host's kernel warns, or the host does not survive.
Of kvm-unit-tests all that its x86/unittests.cfg runs, with the arguments it has there;
the machine is tests/flat/flat_vm.c: one CPU, with all that KVM offers.
Exit status: 0, 2 if one does not build or something could not start, 130 if
interrupted.
END
}

# shellcheck source=common.sh
. "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/common.sh"
# shellcheck source=mutant_source.sh
. "$here/mutant_source.sh"

# --- what is carried into the guest

# Rows "kut NAME FILE ARGUMENT..." of a unittests.cfg: this architecture, image there.
kut_rows()
{
	awk -v images="$1/x86" '
		function row() {
			if (name != "" && arch != "i386" && file != "" && !system("test -f \"" images "/" file "\""))
				print "kut", name, file, arguments
		}
		/^[ \t]*#/ { next }
		/^\[/ { row(); name = substr($0, 2, index($0, "]") - 2); file = arguments = arch = ""; next }
		{
			key = $0; sub(/[ \t]*=.*/, "", key)
			value = $0; sub(/^[^=]*=[ \t]*/, "", value)
		}
		key == "file" { file = value }
		key == "arch" { arch = value }
		key == "test_args" || key == "extra_params" && sub(/.*-append +/, "", value) {
			gsub(/\047|"/, "", value)
			arguments = value
		}
		END { row() }' "$1/x86/unittests.cfg"
}

build_kut()
{
	local tree=$kut

	if ! compgen -G "$kut/x86/*.flat" >/dev/null; then
		note "building kvm-unit-tests"
		tree=$tmp/kut
		cp -r "$kut" "$tree" || die_writing "copying kvm-unit-tests" "$tmp"
		(cd "$tree" && ./configure --arch=x86_64 && in_background make -j"$(nproc)") >"$tmp/log" 2>&1 ||
			die "kvm-unit-tests cannot be built: $(grep -m1 -E 'error:|\*\*\*' "$tmp/log")"
	fi
	mkdir -p "$tmp/carry/kut"
	kut_rows "$tree" >>"$tmp/carry/all"
	awk '$1 == "kut" { print $3 }' "$tmp/carry/all" | sort -u |
		xargs -I{} cp "$tree/x86/{}" "$tmp/carry/kut/" || die_writing "copying images" "$tmp"
}

build_kselftest()
{
	local file

	note "building the kernel's selftests"
	mkdir -p "$tmp/kself" "$tmp/carry/kselftest"
	# Some need headers that "make headers" makes in that tree, or a newer C library.
	in_background make -k -j"$(nproc)" -C "$kselftest/tools/testing/selftests/kvm" OUTPUT="$tmp/kself" >"$tmp/log" 2>&1 ||
		note "not all of the selftests can be built: $(grep -m1 -E 'error:|\*\*\*' "$tmp/log")"
	while IFS= read -r file; do
		cp "$file" "$tmp/carry/kselftest/" || die_writing "copying selftests" "$tmp"
		echo "kselftest ${file##*/} ${file##*/}"
	done < <(find "$tmp/kself" -type f -perm -u+x ! -name '*.o' ! -name '*.so' | sort) >>"$tmp/carry/all"
	grep -q '^kselftest ' "$tmp/carry/all" || die "none of the selftests can be built: $(tail -n 1 "$tmp/log")"
}

# In the guest: runs what the list names, one line "theirs: KIND NAME EXIT MILLISECONDS" each;
# 200 is a warning of the kernel.  With the word "first" only until one is not 0.  Memory is limited
# for each alone: some of the selftests take more than the host has, and the host would not survive.
write_guest_script()
{
	cat >"$tmp/carry/run" <<'END'
limit=$1 until=$2
cd /suite/carried
group=/sys/fs/cgroup/theirs
mount -t cgroup2 none "${group%/*}" && echo +memory >"${group%/*}/cgroup.subtree_control" &&
	mkdir "$group" && echo 640M >"$group/memory.max"
while read -r kind name file arguments; do
	dmesg -c >/dev/null
	began=$(date +%s%N)
	case $kind in
	kut) command="../build/bin/flat_vm kut/$file $arguments" ;;
	*) command="kselftest/$file $arguments" ;;
	esac
	(echo "$BASHPID" >"$group/cgroup.procs" && exec timeout -k 5 "$limit" $command) >/tmp/theirs 2>&1 </dev/null
	code=$?
	! dmesg | grep -qE '(WARNING|BUG|Oops|general protection)' || code=200
	echo "theirs: $kind $name $code $((($(date +%s%N) - began) / 1000000))"
	[[ $until != first || $code == 0 ]] || break
done <list
echo "theirs: end"
END
}

# --- runs

# theirs NAME HOST first|all: sets lines, what each of their tests gave, and outcome.
theirs()
{
	local out=$dir/$1/$2-theirs seconds=$test_limit

	mkdir -p "$dir/$1" || die "cannot write to $dir"
	[[ $3 != first ]] || ((seconds *= 3))
	in_background "$here/run.sh" --host "$2" --kernel "$kernel" --modules-dir "$tmp/modules" --carry "$tmp/carry" \
		--append oops=panic --time-limit "$limit" --results "$dir/$1" --run-name "$2-theirs" \
		--cmd "bash carried/run $seconds $3" >"$out.log" 2>&1 </dev/null
	outcome_of "$out" "$2, $1"
	lines=$(tr -d '\r' <"$out.log" | grep -a '^theirs: ')
}

# our_suite NAME HOST: its exit status; 1, too, if the host does not survive.
our_suite()
{
	local out=$dir/$1/$2-ours code outcome

	mkdir -p "$dir/$1" || die "cannot write to $dir"
	in_background "$here/run.sh" --host "$2" --kernel "$kernel" --modules-dir "$tmp/modules" \
		--append "oops=panic KMC_DANGEROUS=1" --time-limit "$limit" --results "$dir/$1" --run-name "$2-ours" \
		-- --skip-tag no-kvm --max-failures 1 "${ours[@]}" >"$out.log" 2>&1 </dev/null
	code=$?
	outcome_of "$out" "$2, $1"
	((code < 2)) || die "$2, $1: the runner ended with exit status $code: see $out"
	return "$code"
}

# With KVM as it is: what of theirs passes on a host is asked there from then on, fast ones first.
control()
{
	local host=$1

	cp "$tmp/carry/all" "$tmp/carry/list"
	theirs control "$host" all
	[[ $outcome == finished && $lines == *'theirs: end' ]] ||
		die "$host: not all of theirs ran without a mistake in KVM ($outcome): see $dir/control"
	awk '$1 == "theirs:" && $4 == 0 { print $5, $2, $3 }' <<<"$lines" | sort -n |
		while read -r _ kind name; do
			awk -v kind="$kind" -v name="$name" '$1 == kind && $2 == name' "$tmp/carry/all"
		done >"$tmp/list.$host"
	awk -v host="$host" '$1 == "theirs:" && NF > 2 { all[$2]++; if ($4 == 0) { passed[$2]++; ms[$2] += $5 } }
		END { for (i in all) printf "control: %s: %d of %d tests of %s pass, %d s\n", host, passed[i], all[i], i, ms[i] / 1000 }' <<<"$lines"
	our_suite control "$host" || die "this suite fails on $host without a mistake in KVM: see $dir/control"
}

# ask_them NAME KIND: sets verdict, the first of theirs that notices, or "-".
ask_them()
{
	local host

	verdict=-
	for host in $(hosts_of "$area"); do
		grep "^$2 " "$tmp/list.$host" >"$tmp/carry/list" || continue
		theirs "$1-$2" "$host" first
		if [[ $outcome == finished && $lines == *'theirs: end' ]]; then
			verdict=$(awk '$1 == "theirs:" && NF > 2 && $4 != 0 { print $3; exit }' <<<"$lines")
			[[ -n $verdict ]] && verdict+=" ($host)" && return
			verdict=-
		else
			verdict="the host $outcome ($host)"
			return
		fi
	done
}

ask_us()
{
	local host

	verdict=-
	for host in $(hosts_of "$area"); do
		our_suite "$1" "$host" || { verdict="noticed ($host)" && return; }
	done
}

kut="" kselftest="" hosts=() kernel=6.1 test_limit=60 limit=1800 only='*' ours=(--quick) results=$suite/results name="" ids=()
while (($#)); do
	option=$1
	shift
	case $option in
	--kut | --kselftest | --host | --kernel | --test-limit | --time-limit | --only | --ours | --results | --run-name)
		[[ -n ${1-} ]] || die "$option needs a value"
		case $option in
		--kut) kut=$1 ;;
		--kselftest) kselftest=$1 ;;
		--host) hosts+=("$1") ;;
		--kernel) kernel=$1 ;;
		--test-limit) test_limit=$1 ;;
		--time-limit) limit=$1 ;;
		--only) only=$1 ;;
		--ours) read -ra ours <<<"$1" ;;
		--results) results=$1 ;;
		--run-name) name=$1 ;;
		esac
		shift
		;;
	--help | -h) usage; exit 0 ;;
	-*) die "unknown option '$option' (see --help)" ;;
	*) ids+=("$option") ;;
	esac
done
[[ -n $kut ]] || die "which checkout of kvm-unit-tests? --kut DIR (see --help)"
[[ -f $kut/x86/unittests.cfg ]] || die "--kut: $kut is no checkout of kvm-unit-tests"
[[ -z $kselftest || -d $kselftest/tools/testing/selftests/kvm ]] || die "--kselftest: $kselftest is no kernel tree"
mapfile -t hosts < <(unique "${hosts[@]+"${hosts[@]}"}")
for i in "${hosts[@]}"; do find_host "$i"; done
find_row kernel "$kernel"
check_time_limit "$limit"
check_time_limit "$test_limit" --test-limit
check_run_name "$name"
find_mutants "${ids[@]+"${ids[@]}"}"
check_built
[[ -x $suite/build/bin/flat_vm ]] || die "build/bin/flat_vm is not built: run make build/bin/flat_vm, or make side-by-side"

dir=""
trap 'cleanup; [[ -z $dir ]] || rmdir "$dir" 2>/dev/null' EXIT
trap 'trap "" INT TERM HUP; note "interrupted${dir:+; results in $dir}"; exit 130' INT TERM HUP
make_tmp kmc-side
need_space "KVM's source, modules and what is compared with" 600 "$tmp"
make_results "$name" "$(date +%Y%m%d-%H%M%S)-side-by-side"
dir=$results/$run
mkdir "$tmp/source" "$tmp/carry"
build_kut
[[ -z $kselftest ]] || build_kselftest
# shellcheck disable=SC2053 # a glob
while read -r kind i rest; do
	[[ $i != $only ]] || echo "$kind $i $rest"
done <"$tmp/carry/all" >"$tmp/wanted" && mv "$tmp/wanted" "$tmp/carry/all"
[[ -s $tmp/carry/all ]] || die "--only: none of their tests is named '$only'"
write_guest_script
get_source "$kernel" "$tmp/source"
check_mutants "${ids[@]}"

build_modules || die "KVM cannot be built: $(compiler_said)"
mapfile -t needed < <(for i in $(areas_of "${ids[@]}"); do hosts_of "$i"; done)
for i in $(unique "${needed[@]}"); do control "$i"; done

kinds=(kut)
[[ -z $kselftest ]] || kinds+=(kselftest)
for i in "${kinds[@]}"; do
	! grep -q "^$i " "$tmp/carry/all" || grep -q "^$i " "$tmp"/list.* ||
		die "none of the tests of $i passes without a mistake in KVM: see $dir/control"
done
declare -A score=([kut]=0 [kselftest]=0 [ours]=0)
nr_mutants=0 unbuilt=0
for id in "${ids[@]}"; do
	if ! build_mutant "$id"; then
		mend_kvm
		note "$id does not build: $(compiler_said)"
		((++unbuilt))
		continue
	fi
	((++nr_mutants))
	text=$(printf '%-30s' "$id")
	for kind in "${kinds[@]}"; do
		ask_them "$id" "$kind"
		[[ $verdict == - ]] || ((++score[$kind]))
		text+=$(printf ' %-28s' "$verdict")
	done
	ask_us "$id"
	[[ $verdict == - ]] || ((++score[ours]))
	mend_kvm
	echo "$text $verdict" | tee -a "$dir/table.txt"
done
printf 'of %d mistakes: kvm-unit-tests %d, %sthis suite (%s) %d; results in %s\n' "$nr_mutants" "${score[kut]}" \
	"${kselftest:+kernel selftests ${score[kselftest]}, }" "${ours[*]}" "${score[ours]}" "$dir"
((!unbuilt)) || exit 2
