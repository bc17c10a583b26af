#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
#: bisect ARGUMENTS    which commit of a kernel tree made a case fail
#
# See docs/bisect.md.  The user's tree is read only: a clone that shares its objects is
# checked out, built and thrown away, also when this script is killed.
#
# git bisect run calls this script with --step for each commit; what a step needs is in
# $work/settings.  How a kernel is built and run is in bisect_step.sh.
set -u
export LC_ALL=C

suite=${KMC_SUITE:?is set by runner.sh}
here=$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")

usage() {
	cat <<-'EOT'
	Usage: runner.sh bisect --repo TREE --good REV --bad REV WHAT WHERE [-- TEST ARGUMENT...]

	Finds the first commit of a Linux tree with which a test fails.

	WHAT    --test NAME         the test
	        --case ID           one case of it is replayed
	        --filter GLOB       or these subtests are run
	WHERE   --host NAME         on an emulated host (lab/run.sh --list)
	        --ssh HOST          on this machine, as root, which runs the kernel KERNEL
	        --kernel NAME       KVM's modules are built for, and loaded by, this one (6.1)
	        --config FILE       instead: a whole kernel with this configuration
	        --deploy COMMAND    boots a whole kernel on the machine of --ssh
	        --build COMMAND     what builds a whole kernel, instead of make
	        --time-limit N      seconds for each boot and run (900)
	        --crash good|bad|skip  what it means when the host does not survive (skip)
	        --no-check          do not try GOOD and BAD first
	        --results DIR, --run-name NAME   where logs go

	Exit codes: 0 found, 1 not found, 2 bad usage or a host that cannot be used, 130/143 interrupted.
	EOT
}

say() { printf '%s\n' "$*"; }

# shellcheck disable=SC2034 # for run_folder.sh
command_name=bisect
# shellcheck source=lib/runner/run_folder.sh
source "$here/run_folder.sh"
# shellcheck source=lib/runner/machine.sh
source "$here/machine.sh"
# shellcheck source=lib/runner/bisect_step.sh
source "$here/bisect_step.sh"

#
# Options
#
repo='' good='' bad='' test='' case_id='' filter='' host='' ssh='' kernel='' config='' deploy='' build=''
time_limit=900 crash=skip check=1 results=${KMC_RESULTS:-$suite/results} run_name='' test_args=()

take_option() {
	case $1 in
	--repo) repo=$2 ;;
	--good) good=$2 ;;
	--bad) bad=$2 ;;
	--test) test=$2 ;;
	--case) case_id=$2 ;;
	--filter) filter=$2 ;;
	--host) host=$2 ;;
	--ssh) ssh=$2 ;;
	--kernel) kernel=$2 ;;
	--config) config=$2 ;;
	--deploy) deploy=$2 ;;
	--build) build=$2 ;;
	--time-limit) time_limit=$2 ;;
	--crash) crash=$2 ;;
	--results) results=$2 ;;
	--run-name) run_name=$2 ;;
	*) die "unknown option '$1', see --help" ;;
	esac
}

parse_options() {
	local option
	while (($#)); do
		option=$1
		shift
		case $option in
		--help | -h) usage && exit 0 ;;
		--no-check) check=0 ;;
		--) test_args=("$@") && return ;;
		--*=*) take_option "${option%%=*}" "${option#*=}" ;;
		--*)
			(($#)) || die "option '$option' needs an argument"
			take_option "$option" "$1"
			shift
			;;
		*) die "unexpected argument '$option', see --help" ;;
		esac
	done
}

# The commit that a revision is, in REPLY.
commit_of() {
	[[ -n $2 ]] || die "--good REV and --bad REV are needed: commits with which the test passes, and fails"
	REPLY=$(git -C "$repo" rev-parse -q --verify --end-of-options "$2^{commit}" 2>/dev/null) ||
		die "--$1: $repo has no commit '${2//[^[:print:]]/?}'"
}

check_options() {
	command -v git >/dev/null || die "git is not installed"
	[[ -n $repo ]] || die "which tree? --repo TREE"
	[[ -n $test ]] || die "which test? --test NAME, see runner.sh --list"
	[[ $test != *[!a-z0-9_]* && -x ${KMC_TEST_DIR:?}/$test ]] ||
		die "--test: there is no '${test//[^[:print:]]/?}', see runner.sh --list"
	[[ -z $case_id || -z $filter ]] || die "either --case or --filter"
	[[ -n $host$ssh && (-z $host || -z $ssh) ]] || die "where? --host NAME or --ssh HOST"
	[[ -z $host || $host =~ ^[a-z0-9][a-z0-9-]*$ ]] || die "--host: '${host//[^[:print:]]/?}' is no emulated host"
	[[ -z $ssh || $ssh != -* ]] || die "--ssh: '$ssh' is no host"
	[[ $time_limit =~ ^[1-9][0-9]{0,6}$ ]] || die "--time-limit: '$time_limit' is not a number of seconds"
	[[ $crash == good || $crash == bad || $crash == skip ]] || die "--crash is good, bad or skip, not '$crash'"
	[[ -z $run_name || ($run_name =~ ^[A-Za-z0-9_][A-Za-z0-9_.:+-]*$ && $run_name != latest) ]] ||
		die "--run-name: '$run_name' is no file name"
	[[ -z $config || -r $config ]] || die "--config: $config cannot be read"
	[[ -z $kernel || -z $config$build ]] || die "a whole kernel, or modules for --kernel, not both"
	[[ -z $ssh || -z $config$build || -n $deploy ]] || die "--deploy COMMAND must say how $ssh boots a whole kernel"
	[[ -x $suite/lab/run.sh || (-z $host && -n $config$build) ]] ||
		die "emulated hosts, and modules for packaged kernels, need the suite's source tree"
	[[ -z $config ]] || config=$(readlink -f -- "$config")
	what=modules
	[[ -z $config$build ]] || what=kernel
	[[ $what == kernel ]] || kernel=${kernel:-6.1}
	git -C "$repo" rev-parse --git-dir >/dev/null 2>&1 || die "--repo: $repo is no git repository"
	check_names
	commit_of good "$good" && good=$REPLY
	commit_of bad "$bad" && bad=$REPLY
	[[ $good != "$bad" ]] || die "--good and --bad are the same commit"
	git -C "$repo" merge-base "$good" "$bad" >/dev/null || die "--good and --bad have no common ancestor"
	[[ $what == kernel ]] || git -C "$repo" cat-file -e "$good:arch/x86/kvm" 2>/dev/null ||
		die "--repo: $repo is no Linux tree: commit ${good:0:12} has no arch/x86/kvm"
}

# listed TITLE NAME: is it in the lab's list?
listed() {
	"$suite/lab/run.sh" --list |
		title="$1:" name=$2 awk '/^[^ ]/ { on = $0 == ENVIRON["title"] } on && $1 == ENVIRON["name"] { found = 1 }
			END { exit !found }'
}

# What would be noticed only after the first build.
check_names() {
	local said
	[[ -z $host ]] || listed hosts "$host" || die "--host: there is no emulated host '$host', see lab/run.sh --list"
	[[ $what == kernel ]] || listed kernels "$kernel" ||
		die "--kernel: there is no kernel '${kernel//[^[:print:]]/?}', see lab/run.sh --list"
	# Without KVM the test says no more than whether it takes these.
	if [[ -n $case_id ]]; then
		said=$(KVM_DEVICE=/nonexistent timeout 20 "$KMC_TEST_DIR/$test" --case "$case_id" \
			"${test_args[@]+"${test_args[@]}"}" 2>&1 >/dev/null </dev/null)
		(($? != 2)) || die "--case: ${said##*$'\n'}"
	elif [[ -n $filter ]]; then
		"$KMC_TEST_DIR/$test" --list --filter "$filter" >/dev/null 2>&1 </dev/null
		(($? != 2)) || die "--filter: no subtest of $test matches '${filter//[^[:print:]]/?}'"
	fi
}

#
# What is left behind: nothing, whatever ends us
#
work='' session=''

# The living processes of the session.
in_session() {
	local file line stat
	for file in /proc/[0-9]*/stat; do
		{ read -r line <"$file"; } 2>/dev/null || continue
		# Behind the name: state, parent, group, session.
		read -r -a stat <<<"${line##*) }"
		[[ ${stat[3]} == "$session" && ${stat[0]} != [ZX] ]] && printf '%s ' "${line%% *}"
	done
}

end_session() {
	local i pids
	[[ -n $session ]] || return 0
	pids=$(in_session)
	# shellcheck disable=SC2086 # words they are
	[[ -z $pids ]] || kill -TERM $pids 2>/dev/null
	# An emulated host brings its results back first.
	for ((i = 0; i < 300; i++)); do
		pids=$(in_session)
		[[ -n $pids ]] || return 0
		sleep 0.1
	done
	# shellcheck disable=SC2086
	kill -KILL $pids 2>/dev/null
}

# Outlives this script: in a session of its own, and tail(1) waits for our end.
start_janitor() {
	setsid bash "$here/bisect.sh" --janitor $$ "$work" >/dev/null 2>&1 </dev/null 3>&- 4>&- &
	disown
}

janitor() {
	tail --pid="$1" -s 0.3 -f /dev/null
	work=$2
	session=$(cat "$work/session" 2>/dev/null)
	end_session
	clean_up
}

clean_up() {
	local dir
	dir=$(cat "$work/remote" 2>/dev/null)
	if [[ $dir == /tmp/kmc-suite.* ]]; then
		# shellcheck disable=SC1091 # written by prepare()
		source "$work/settings"
		on_machine "$ssh" "rm -rf $dir" 2>/dev/null </dev/null
	fi
	rm -rf -- "$work"
}

# shellcheck disable=SC2317 # called by trap
interrupted() {
	trap '' INT TERM HUP
	end_session
	say "interrupted; logs in $out"
	exit "$1"
}

#
# Bisecting
#

# In its own session, so that all of it can be found and ended.
in_own_session() {
	setsid --wait "$@" </dev/null &
	local pid=$! code
	# setsid(1) forks only if it leads a group, which a job of a script does not.
	session=$pid
	printf '%s\n' "$pid" >"$work/session"
	wait "$pid"
	code=$?
	session=''
	: >"$work/session"
	return "$code"
}

prepare() {
	new_folder "$results" "${run_name:-bisect-$(date -u +%Y%m%dT%H%M%SZ)}"
	out=$REPLY
	work=$(mktemp -d "${TMPDIR:-/tmp}/kmc-bisect.XXXXXX") || die "cannot write to ${TMPDIR:-/tmp}"
	start_janitor
	trap clean_up EXIT
	trap 'interrupted 130' INT
	trap 'interrupted 143' TERM HUP
	git clone -q --shared --no-checkout --no-tags \
		"$(git -C "$repo" rev-parse --path-format=absolute --git-common-dir)" "$work/tree" 2>"$out/git.log" ||
		die "cannot clone $repo: $(tail -n 1 "$out/git.log")"
	paths=()
	if [[ $what == modules ]]; then
		# Only this is compiled: a checkout of all would take longer than the build.
		paths=(arch/x86/kvm virt arch/x86/include/asm arch/x86/include/uapi/asm include/linux/kvm*.h
			include/uapi/linux include/trace/events/kvm.h)
		git -C "$work/tree" sparse-checkout set --no-cone "${paths[@]/#//}" >>"$out/git.log" 2>&1
	fi
	declare -p suite work out what test case_id filter host ssh kernel config deploy build time_limit \
		crash test_args >"$work/settings"
}

# try_endpoint NAME COMMIT VERDICT: is it what the user says it is?
try_endpoint() {
	local code verdict=([0]=good [1]=bad [125]=skip)
	git -C "$work/tree" checkout -q --force "$2" 2>>"$out/git.log" || die "cannot check out $2: $(tail -n 1 "$out/git.log")"
	in_own_session bash "$here/bisect.sh" --step "$work"
	code=$?
	[[ ! -s $work/stopped ]] || die "$(<"$work/stopped")"
	[[ ${verdict[code]-} != "$3" ]] || return 0
	((code == 125)) && die "--$1 $2 cannot be judged, see $out"
	die "--$1 $2 is ${verdict[code]:-not to be judged}: there is nothing to bisect"
}

tell_result() {
	local first
	first=$(git -C "$work/tree" rev-parse -q --verify refs/bisect/bad) || die "git bisect failed: $(tail -n 1 "$out/git.log")"
	if ! grep -q "is the first bad commit" "$out/git.log"; then
		say "not found: what is left could not be judged. The first bad commit is one of:"
		sed -nE 's/^([0-9a-f]{40})$/\1/p' "$out/git.log" |
			git -C "$work/tree" log --no-walk=unsorted --stdin --format='  %h %s'
		say "logs in $out"
		exit 1
	fi
	say "first bad commit: $first"
	git -C "$work/tree" log -1 --format='  %s%n  %an, %as' "$first"
	[[ ! -s $out/${first:0:12}.failure ]] || cat "$out/${first:0:12}.failure"
	say "logs in $out"
}

# shellcheck disable=SC2317 # bisect_step ends the process
main() {
	case ${1-} in
	--step)
		# shellcheck disable=SC1091 # written by prepare()
		source "$2/settings"
		bisect_step
		exit
		;;
	--prepare)
		# shellcheck disable=SC1091
		source "$2/settings"
		prepare_steps
		exit
		;;
	--janitor) janitor "$2" "$3" && exit ;;
	esac
	# Where steps below git speak.
	exec 3>&1 4>&2
	parse_options "$@"
	check_options
	prepare
	in_own_session bash "$here/bisect.sh" --prepare "$work" || exit 2
	if ((check)); then
		try_endpoint good "$good" good
		try_endpoint bad "$bad" bad
	fi
	git -C "$work/tree" bisect start "$bad" "$good" -- "${paths[@]+"${paths[@]}"}" >>"$out/git.log" 2>&1 ||
		die "git bisect failed: $(tail -n 1 "$out/git.log")"
	# What git says goes to a file, what the steps say comes through.
	in_own_session env -C "$work/tree" git bisect run bash "$here/bisect.sh" --step "$work" >>"$out/git.log" 2>&1
	git -C "$work/tree" bisect log >"$out/bisect.log" 2>/dev/null
	[[ ! -s $work/stopped ]] || die "$(<"$work/stopped")"
	tell_result
}

main "$@"
