# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# shellcheck disable=SC2154 # the settings are bisect.sh's
#
# One commit of a bisect: builds it, runs it, judges it.  A part of bisect.sh.
#
# Exit codes, as git bisect run takes them: 0 good, 1 bad, 125 cannot be judged, 255 stop.

# Prints one line for the commit, and ends the step.  verdict GOOD|BAD|SKIP|STOP WHY
verdict() {
	local -A codes=([good]=0 [bad]=1 [skip]=125)
	local why=${2//[[:cntrl:]]/?}
	if [[ $1 == stop ]]; then
		# Not a matter of this commit: told once, at the end.
		printf '%s\n' "$why" >"$work/stopped"
		exit 255
	fi
	# 3 is where bisect.sh's own output goes.
	printf '%s %-4s %s%s, %d s\n' "$short" "$1" "$(git log -1 --format=%s)" "${why:+: $why}" \
		$((SECONDS - began)) | tee -a "$out/table.txt" >&3
	exit "${codes[$1]}"
}

#
# Building: each ends the step if there is nothing to run then
#
build_modules() {
	local said
	rm -rf "$work/modules"
	said=$("$suite/lab/kvm_build.sh" build "$kernel" "$work/source" "$work/tree" "$work/modules" 2>&1)
	case $? in
	0) ;;
	1) verdict skip "does not build: ${said##*/}" ;;
	*) verdict stop "${said#lab: }" ;;
	esac
}

build_kernel() {
	local dir=$work/build
	mkdir -p "$dir"
	if [[ -n $build ]]; then
		KMC_BUILD=$dir bash -c "$build"
	else
		cp "$config" "$dir/.config" && make O="$dir" olddefconfig &&
			make O="$dir" -j"$(nproc)" bzImage modules
	fi >"$out/$short.build" 2>&1 </dev/null ||
		verdict skip "does not build: $(grep -m1 -E '(error|Error)' "$out/$short.build" || tail -n 1 "$out/$short.build")"
}

#
# Running
#
# What the runner is told, but where results go.
runner_args() {
	args=(--max-failures 1)
	[[ -z $case_id ]] || args+=(--case "$case_id")
	[[ -z $filter ]] || args+=(--filter "$filter")
	args+=("$test")
	((!${#test_args[@]})) || args+=(-- "${test_args[@]}")
}

# The first failing case, as the test told it.
failing_case() {
	awk '
		/^# case / { case_of = 1; print; next }
		case_of && /^#   / { print; next }
		case_of { exit }
		/^# (expected|observed|rule)  / && !seen[$2]++ { said = said $0 "\n" }
		/^not ok / && said != "" { sub(/^not ok [0-9]+ /, ""); print "# case " $0; printf "%s", said; exit }
		/^not ok / { print "# " $0; exit }' "$out/$short/$test.ktap" 2>/dev/null
}

# judge EXIT-CODE-OF-THE-RUNNER
judge() {
	case $1 in
	0) verdict good '' ;;
	1)
		failing_case >"$out/$short.failure"
		verdict bad "$(sed -nE 's/^# +observed:? +//p' "$out/$short.failure" | head -n 1)"
		;;
	4) verdict skip "nothing ran: $(sed -n 's/.*# SKIP //p' "$out/$short"/*.ktap 2>/dev/null | head -n 1)" ;;
	*) verdict stop "the runner ended with exit code $1: $(grep -ahE -m1 "^(runner.sh|$test|malformed|case)[: ]" "$out/$short.log" || tail -n 1 "$out/$short.log")" ;;
	esac
}

# The host went down: under the test, or before?
judge_crash() {
	grep -qs test_start "$out/$short/run.jsonl" || verdict skip "$1, before the test began"
	[[ $crash != bad ]] || printf '# the host did not survive: %s\n' "$1" >"$out/$short.failure"
	verdict "$crash" "$1"
}

run_in_lab() {
	local code outcome args where=(--kernel "$kernel" --modules-dir "$work/modules") dir=$work/build
	if [[ $what == kernel ]]; then
		[[ -e $dir/arch/x86/boot/bzImage ]] || dir=$work/tree
		where=(--kernel-dir "$dir")
	fi
	runner_args
	"$suite/lab/run.sh" --host "$host" "${where[@]}" --time-limit "$time_limit" --results "$out" \
		--run-name "$short" -- "${args[@]}" >"$out/$short.log" 2>&1 </dev/null
	code=$?
	outcome=$(sed -n 's/.*"outcome": "\(.*\)".*/\1/p' "$out/$short/lab.json" 2>/dev/null)
	case $outcome in
	finished) judge "$code" ;;
	panicked | hung | died) judge_crash "the host $outcome" ;;
	interrupted) exit 255 ;;
	*) verdict stop "$(tail -n 1 "$out/$short.log" | sed 's/^lab: //')" ;;
	esac
}

# Over a connection that is gone nothing can be told: does the machine come back?
wait_for_machine() {
	local end=$((SECONDS + time_limit))
	while ((SECONDS < end)); do
		on_machine "$ssh" true 2>/dev/null </dev/null && return
		sleep 5
	done
	return 1
}

run_over_ssh() {
	local code args machine_dir
	stage_suite "$work/stage" "$test" || verdict stop "cannot write to $work"
	if [[ $what == kernel ]]; then
		KMC_SSH=$ssh KMC_BUILD=$work/build KMC_TREE=$work/tree timeout "$time_limit" bash -c "$deploy" \
			>"$out/$short.deploy" 2>&1 </dev/null || verdict skip "does not boot: $(tail -n 1 "$out/$short.deploy")"
	else
		cp "$work/modules"/*.ko "$work/stage/modules/" || verdict stop "cannot write to $work"
	fi
	send_suite "$ssh" "$work/stage" "$out/$short.log" ||
		verdict stop "$ssh cannot be used: $(last_line "$out/$short.log")"
	printf '%s\n' "$machine_dir" >"$work/remote"
	runner_args
	run_there "$ssh" "$time_limit" "$work/hold" "$out/$short.log" "$short" "${args[@]}"
	code=$?
	if ((code == 255)) && ! on_machine "$ssh" true 2>/dev/null </dev/null; then
		wait_for_machine || verdict stop "$ssh does not come back after $short"
		judge_crash "the host went down"
	fi
	fetch_results "$ssh" "$out/$short"
	: >"$work/remote"
	((code != 124)) || judge_crash "the machine took longer than $time_limit s"
	((code != 3)) || verdict skip "its modules cannot be loaded: $(sed -n 's/^machine_run: //p' "$out/$short.log" | head -n 1)"
	judge "$code"
}

#
# The step
#
bisect_step() {
	local short began=$SECONDS
	cd -- "$work/tree" || exit 255
	short=$(git rev-parse HEAD)
	short=${short:0:12}
	rm -rf "${out:?}/$short"
	"build_$what"
	if [[ -n $host ]]; then
		run_in_lab
	else
		run_over_ssh
	fi
}

# Once, before the first commit.
prepare_steps() {
	local said
	if [[ -n $ssh ]]; then
		said=$(on_machine "$ssh" true 2>&1 </dev/null) || { say "runner.sh bisect: $ssh cannot be used: $(last_line <<<"$said")" >&4 && return 2; }
	fi
	[[ $what == modules ]] || return 0
	"$suite/lab/kvm_build.sh" prepare "$kernel" "$work/source" >&4 2>&4
}
