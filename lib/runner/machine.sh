# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Running the suite on another machine over ssh: what bisect and fleet share, to be sourced.
# Keys, no passwords; the folder there goes away again, and what runs there ends when the
# connection does.

readonly ssh_options=(-o BatchMode=yes -o ConnectTimeout=20 -o ServerAliveInterval=10 -o ServerAliveCountMax=6)

# The last line of a file, or of stdin; ssh ends its own with a carriage return.
last_line() { tail -n 1 "$@" | tr -d '\r'; }

# on_machine HOST COMMAND
on_machine() {
	# shellcheck disable=SC2029 # what it is told is expanded here
	ssh "${ssh_options[@]}" "$@"
}

# stage_suite FOLDER TEST...: the suite as an install folder, with these tests or all.
stage_suite() {
	local stage=$1 suite=${KMC_SUITE:?} tests=("${@:2}")
	((${#tests[@]})) || mapfile -t tests < <(cd -- "${KMC_TEST_DIR:?}" && printf "%s\n" *_test)
	rm -rf "$stage"
	mkdir -p "$stage"/{bin,x86,lib,modules} && cp "$suite/runner.sh" "$stage/" &&
		cp -r "$suite/lib/runner" "$stage/lib/" && cp "${KMC_REPORT:?}" "$stage/bin/kmc-report" &&
		(cd -- "${KMC_TEST_DIR:?}" && cp "${tests[@]}" "$stage/x86/") || return
	[[ ! -e $suite/x86/known_issues.json ]] || cp "$suite/x86/known_issues.json" "$stage/x86/"
}

# send_suite HOST STAGE LOG: sets machine_dir, the folder there; not 0, with the last line of
# LOG as the reason, if the machine cannot be used.
send_suite() {
	machine_dir=$(on_machine "$1" 'mktemp -d /tmp/kmc-suite.XXXXXX' 2>"$3" </dev/null)
	[[ $machine_dir == /tmp/kmc-suite.* ]] || { machine_dir='' && return 1; }
	tar -C "$2" -cf - . | on_machine "$1" "tar -C $machine_dir -xf -" 2>"$3"
}

# run_there HOST SECONDS HOLD LOG NAME RUNNER-ARGUMENT...: the run is called NAME; exit code as the runner's, 3 if modules do
# not load, 124 if it takes too long, 255 if the connection breaks.  HOLD is a fifo to be made: the
# stdin there, which ends when we do.  child is meanwhile the process to end, for a trap.
run_there() {
	local host=$1 seconds=$2 hold=$3 log=$4 words fd code replay_dir=${KMC_TEST_DIR:?}
	# shellcheck disable=SC2034 # for who sources this
	shift 4
	printf -v words ' %q' "$@"
	# The folder there will be gone when somebody replays a case: as it is called here.
	[[ -e ${KMC_SUITE:?}/installed ]] || replay_dir=${replay_dir#"$KMC_SUITE"/}
	printf -v replay_dir %q "$replay_dir"
	rm -f "$hold" && mkfifo "$hold" && exec {fd}<>"$hold" || return 255
	timeout "$seconds" ssh "${ssh_options[@]}" "$host" \
		"KMC_REPLAY_DIR=$replay_dir bash $machine_dir/lib/runner/machine_run.sh $machine_dir$words" <&"$fd" >"$log" 2>&1 {fd}>&- &
	child=$!
	wait "$child"
	code=$?
	child=''
	exec {fd}>&-
	return "$code"
}

# copy_results HOST FOLDER: what the run with the folder's name has left there by now takes the folder's
# place; 9 if there is nothing, 1 if not all of it comes here, and the folder is as it was.
copy_results() {
	local copy=$2.copy codes
	rm -rf "$copy"
	mkdir -p "$copy" || return
	on_machine "$1" "cd $machine_dir/results/${2##*/} || exit 9; tar -cf - ." 2>/dev/null </dev/null |
		tar -C "$copy" -xf - 2>/dev/null
	codes=("${PIPESTATUS[@]}")
	# 1 is tar's word for a file that grows while it is read.
	if ((codes[0] > 1 || codes[1])) || [[ ! -s $copy/run.jsonl ]]; then
		rm -rf "$copy"
		return $((codes[0] == 9 ? 9 : 1))
	fi
	rm -rf "$2" && mv -T "$copy" "$2"
}

# Behind a broken connection the machine may not have noticed yet.
end_run_there() {
	on_machine "$1" "pid=\$(cat $machine_dir/pid) && kill \$pid && timeout 30 tail --pid=\$pid -s 0.2 -f /dev/null" \
		>/dev/null 2>&1 </dev/null
}

remove_there() { on_machine "$1" "rm -rf $machine_dir" 2>/dev/null </dev/null; }

# fetch_results HOST FOLDER: the results, and the folder there goes away.
fetch_results() {
	local code
	copy_results "$@"
	code=$?
	remove_there "$1"
	machine_dir=''
	return "$code"
}
