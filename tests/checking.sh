# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What the shell tests share, to be sourced: problems are collected, one KTAP result ends
# a group of them.  The sourcing script sets here, the top of the tree, and scratch, a folder for
# what commands say.
here=${here:?is to be set by who sources this}
scratch=${scratch:?is to be set by who sources this}
number=0 failures=0 problems=()

problem() { problems+=("$1"); }

# check NAME: ends one check; what problem() has collected since the last decides.
check() {
	local text
	((++number))
	for text in "${problems[@]+"${problems[@]}"}"; do
		printf '# %s\n' "${text//$'\n'/$'\n'# }"
	done
	if ((${#problems[@]})); then
		((++failures))
		printf 'not '
	fi
	printf 'ok %d %s\n' "$number" "$1"
	problems=()
}

# fake_suite DIR TEST...: an install folder with the runner; its tests are copies of fake_test,
# which does what FAKE_PLAN says.  KMC_REPORT, FAKE_TEST: the programs, e.g. with sanitizers.
fake_suite() {
	local dir=$1 name
	local report=${KMC_REPORT:-$here/build/bin/kmc-report} fake=${FAKE_TEST:-$here/build/tests/fake_test}
	shift
	for name in "$report" "$fake"; do
		[[ -x $name ]] || { printf '%s: %s is not built\n' "${0##*/}" "$name" >&2 && exit 2; }
	done
	mkdir -p "$dir"/{bin,x86,lib} && cp "$here/runner.sh" "$dir/" && cp -r "$here/lib/runner" "$dir/lib/" &&
		cp "$report" "$dir/bin/kmc-report" || exit 2
	for name; do
		cp "$fake" "$dir/x86/$name" || exit 2
	done
}

# fake_kvm CACHE: a kernel 6.1 of the lab's and KVM's source for it, of which nothing is real; leaves
# the folder of KVM's files in REPLY.
fake_kvm() {
	local release=6.1.0-1-test kernel=$1/kernels/6.1 source=$1/sources/6.1
	REPLY=$source/headers/usr/src/linux-headers-x-common/arch/x86/kvm
	mkdir -p "$kernel/lib/modules/$release" "$source/headers/usr/src/linux-headers-$release" "$REPLY" || exit 2
	touch "$kernel/vmlinuz" "$kernel/lib/modules/$release/kvm.ko"
	printf 'package linux-image 1 x\nrelease %s\n' "$release" | tee "$kernel/info" >"$source/info"
}

totals() { printf '# Totals: pass:%d fail:%d\n' $((number - failures)) "$failures"; }

# run CODE COMMAND...: leaves out and err.
run() {
	local want=$1 code
	shift
	"$@" >"$scratch/out" 2>"$scratch/err" </dev/null
	code=$?
	out=$(<"$scratch/out") err=$(<"$scratch/err")
	((code == want)) || { end_of "$err" && problem "exit code $code, not $want: $* ($REPLY)"; }
}

# refuse TEXT COMMAND...: bad input; exit code 2, nothing on stdout, one line on stderr with TEXT.
refuse() {
	local text=$1
	shift
	run 2 "$@"
	[[ -z $out ]] || problem "says more than it should: $*: $out"
	[[ -n $err && $err != *$'\n'* ]] || problem "not one line: $*: $err"
	[[ $err == *"$text"* ]] || problem "'$text' is not in: $err"
}

# The last 600 characters of a text, in REPLY.
end_of() {
	REPLY=$1
	((${#1} <= 600)) || REPLY=${1: -600}
}
has() { [[ $2 == *"$1"* ]] || { end_of "$2" && problem "'$1' is not in: $REPLY"; }; }
hasnt() { [[ $2 != *"$1"* ]] || { end_of "$2" && problem "'$1' is in: $REPLY"; }; }
# last_line TEXT: of what run() had on stdout.
last_line() { [[ ${out##*$'\n'} == "$1" ]] || problem "last line is '${out##*$'\n'}', not '$1'"; }
