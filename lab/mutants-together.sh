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
	local id=$1 host=$2 out=$3/$1 n=1 code

	[[ -d $out ]] || return 2
	while [[ -e $out/$((n + 1)).status || -d $out/$((n + 1)) ]]; do ((n++)); done
	if [[ ! -e $out/end ]]; then
		verdict="the host $4 in run $n ($host)"
		return 0
	fi
	code=$(<"$out/$n.status")
	if ((code == 1)); then
		verdict="$(first_failure "$out/$n") ($host)"
	elif ((code != 0 && code != 4)); then
		# Arguments that the runner refused.
		die "$host, $id: $(grep -m1 '^runner.sh: ' "$3/console.log")"
	else
		verdict="all is skipped ($host)"
		! grep -qx 0 "$out"/*.status || verdict="all passes ($host)" passed_somewhere[$id]=yes
		return 1
	fi
}

# boot_together HOST: one boot for those that wait; tells of those that are noticed, sets passes of those
# that are not, and takes both from waiting.
boot_together()
{
	local host=$1 id out left=() outcome each

	out=$dir/boot-$host-$((++boots))
	# The limit is one run's.
	each=$((limit * ${#waiting[@]} * $(wc -l <"$tmp/files/runs")))
	in_background "$here/run.sh" --host "$host" --kernel "$kernel" --carry "$tmp/files" \
		--append "oops=panic KMC_DANGEROUS=1" --time-limit "$((each > 9999999 ? 9999999 : each))" --results "$dir" \
		--run-name "${out##*/}" --cmd 'bash carried/mutants-guest.sh' >"$out.log" 2>&1 </dev/null
	outcome_of "$out" "$host"
	for id in "${waiting[@]}"; do
		judge "$id" "$host" "$out" "$outcome"
		case $? in
		0)
			noticed[$id]=yes
			((++killed))
			tell "$id" killed "$verdict"
			;;
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
	local -A noticed=() passes=() passed_somewhere=()

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
			[[ -z ${noticed[$id]-} ]] || continue
			waiting+=("$id") && cp -r "$tmp/kept/$id" "$tmp/files/"
		done
	done
	for id in "${all_of[@]}"; do
		[[ -z ${noticed[$id]-} ]] || continue
		# What ran nothing is no survivor.
		[[ -n ${passed_somewhere[$id]-} ]] || die "$id: nothing ran: ${passes[$id]}"
		((++survived))
		tell "$id" SURVIVED "${passes[$id]}"
	done
	waiting=()
	rm -rf "$tmp/files" "$tmp/kept"
}
boots=0
