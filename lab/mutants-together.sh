# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154  # mutants.sh has the rest
# Several mutants in one boot, for mutants.sh --together: the guest loads the modules of one after
# the other (mutants-guest.sh).  A host that does not survive one is booted again for the others.

# add_to_boot ID AREA: the modules just built wait for a boot.
add_to_boot()
{
	mkdir -p "$tmp/files/$1" && cp "$tmp/modules"/*.ko "$tmp/files/$1/" &&
		strip --strip-debug "$tmp/files/$1"/*.ko || die_writing "copying modules" "$tmp"
	waiting+=("$1") waiting_area=$2
}

# judge ID HOST OUT OUTCOME: sets verdict; 0: noticed, 1: not noticed, 2: the boot did not get there.
judge()
{
	local id=$1 host=$2 out=$3/$1 n=1

	[[ -d $out ]] || return 2
	while [[ -e $out/$((n + 1)).status || -d $out/$((n + 1)) ]]; do ((n++)); done
	if [[ ! -e $out/end ]]; then
		verdict="the host $4 in run $n ($host)"
		return 0
	fi
	case $(<"$out/$n.status") in
	1) verdict="$(first_failure "$out/$n") ($host)" ;;
	0 | 4) verdict="all passes ($host)" && return 1 ;;
	# Arguments that the runner refused.
	*) die "$host, $id: $(grep -m1 '^runner.sh: ' "$3/console.log")" ;;
	esac
}

# boot_together HOST: one boot for those that wait; sets verdict_of of those that are noticed, and
# passed_on of those that are not, and takes them from waiting.
boot_together()
{
	local host=$1 id out left=() outcome

	out=$dir/boot-$host-$((++boots))
	in_background "$here/run.sh" --host "$host" --kernel "$kernel" --carry "$tmp/files" \
		--append "oops=panic KMC_DANGEROUS=1" --time-limit "$limit" --results "$dir" \
		--run-name "${out##*/}" --cmd 'bash carried/mutants-guest.sh' >"$out.log" 2>&1 </dev/null
	[[ -e $out/lab.json ]] || die "$(tail -n 1 "$out.log" | sed 's/^lab: //')"
	outcome=$(sed -n 's/.*"outcome": "\(.*\)".*/\1/p' "$out/lab.json")
	[[ $outcome != @(interrupted|killed|failed) ]] || die "$host: $(tail -n 1 "$out.log" | sed 's/^lab: //')"
	for id in "${waiting[@]}"; do
		judge "$id" "$host" "$out" "$outcome"
		case $? in
		0) noticed_by[$id]=$verdict ;;
		1) passes[$id]+="${passes[$id]:+, }$verdict" ;;
		2) left+=("$id") && continue ;;
		esac
		rm -rf "$tmp/files/$id"
	done
	((${#left[@]} < ${#waiting[@]})) || die "$host: no mutant was loaded, see $out/console.log"
	waiting=("${left[@]}")
}

# All that wait, on one host of their area after the other; tells what became of them.
run_together()
{
	local host id all_of=("${waiting[@]}")
	local -A noticed_by=() passes=()

	cp "$here/mutants-guest.sh" "$tmp/files/" && cp -r "$tmp/files" "$tmp/kept" ||
		die_writing "copying modules" "$tmp"
	if ((${#runner_args[@]})); then
		echo "${runner_args[*]}"
	else
		runs_of "$waiting_area"
	fi >"$tmp/files/runs"
	for host in $(hosts_of "$waiting_area"); do
		while ((${#waiting[@]})); do boot_together "$host"; done
		for id in "${all_of[@]}"; do
			[[ -z ${noticed_by[$id]-} ]] || continue
			waiting+=("$id") && cp -r "$tmp/kept/$id" "$tmp/files/"
		done
	done
	for id in "${all_of[@]}"; do
		if [[ -n ${noticed_by[$id]-} ]]; then
			((++killed)) && tell "$id" killed "${passes[$id]:+${passes[$id]}, }${noticed_by[$id]}"
		else
			((++survived)) && tell "$id" SURVIVED "${passes[$id]}"
		fi
	done
	waiting=()
	rm -rf "$tmp/files" "$tmp/kept"
}
boots=0
