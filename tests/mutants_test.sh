#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What lab/mutants.sh and lab/side-by-side.sh make of runs of the suite: who has noticed a mistake, who
# has not, and what is the lab's fault and counts for nothing.  Runs are played: lab/run.sh, the
# compiler and KVM's source are none.  Prints KTAP; exits 0 or 1.
set -u
export LC_ALL=C

here=$(cd -- "$(dirname -- "$0")/.." && pwd)
scratch=$(mktemp -d "${TMPDIR:-/tmp}/mutants_test.XXXXXX") || exit 2
trap 'rm -rf -- "$scratch"' EXIT
# shellcheck source=tests/checking.sh
source "$here/tests/checking.sh"

# A source tree with four mutants of one function, two of them in an area with a host of its own.
tree=$scratch/tree
export KMC_CACHE=$scratch/cache PLAN=$scratch/plan TMPDIR=$scratch/tmp PATH=$scratch/bin:$PATH
unset KMC_BUILD
mkdir -p "$tree"/build/{x86,bin} "$scratch"/{bin,tmp}
cp -r "$here/lab" "$tree/"
rm "$tree"/lab/mutants/*
for i in one two; do
	printf '%s ; 6.1 ; kvm.c ; f ; %s ; broken ; breaks %s\n' "$i" "$i" "$i"
done >"$tree/lab/mutants/first.conf"
echo 'runs ; alpha_test' >>"$tree/lab/mutants/first.conf"
printf '%s\n' 'hosts ; svm-npt' 'runs ; alpha_test' 'three ; 6.1 ; kvm.c ; f ; three ; broken ; breaks three' \
	'four ; 6.1 ; kvm.c ; f ; four ; broken ; breaks four' >"$tree/lab/mutants/second.conf"
touch "$tree/build/x86/alpha_test" "$tree/build/bin/flat_vm"
chmod 755 "$tree/build/bin/flat_vm"
fake_kvm "$KMC_CACHE"
printf 'int f(void)\n{\n\tone, two;\n\tthree, four;\n}\n' >"$REPLY/kvm.c"
cat >"$scratch/bin/make" <<'END'
#!/bin/bash
for arg; do [[ $arg != M=* ]] || dir=${arg#M=}; done
touch "$dir/kvm.ko"
END
printf '#!/bin/bash\n' | tee "$scratch/bin/strip" >"$scratch/bin/objcopy"

# A line of the plan for each run: "OUTCOME BOOT-SECONDS EXIT [MUTANT=STATUS...]", or what their tests
# gave, "OUTCOME BOOT-SECONDS EXIT theirs NAME=STATUS...".  MUTANT= has begun and not ended.
cat >"$tree/lab/run.sh" <<'END'
#!/bin/bash
while [[ ${1---} != -- ]]; do
	case $1 in
	--results) results=$2 ;;
	--run-name) name=$2 ;;
	--time-limit | --host) echo "$*" | grep -oE -- "^$1 [^ ]*" >>"$PLAN.asked" ;;
	esac
	shift
done
read -r outcome boot code runs <"$PLAN"
sed -i 1d "$PLAN"
out=$results/$name
mkdir -p "$out"
[[ $code == 0 || $code == 4 ]] || echo '{"verdict":"failed","case":"a/case"}' >"$out/alpha_test.jsonl"
for i in $runs; do
	case $runs in
	theirs*) [[ $i == theirs ]] || echo "theirs: kut ${i/=/ } 10"; continue ;;
	esac
	mkdir -p "$out/${i%=*}/1"
	[[ -n ${i#*=} ]] || continue
	echo "${i#*=}" >"$out/${i%=*}/1.status"
	touch "$out/${i%=*}/end"
	echo '{"verdict":"failed","case":"a/case"}' >"$out/${i%=*}/1/alpha_test.jsonl"
done
[[ $runs != theirs* || $outcome != finished ]] || echo "theirs: end"
printf '{\n  "outcome": "%s",\n  "boot_seconds": %s\n}\n' "$outcome" "$boot" >"$out/lab.json"
echo "lab: $outcome as planned"
exit "$code"
END
chmod 755 "$tree/lab/run.sh" "$scratch"/bin/*

printf 'KTAP version 1\n1..5\n'
plan() { printf '%s\n' "$@" >"$PLAN" && : >"$PLAN.asked"; }
mutants() { "$tree/lab/mutants.sh" --results "$scratch/results" --no-control "$@"; }
played() { [[ ! -s $PLAN ]] || problem "not asked for: $(<"$PLAN")"; }
# told PATTERN...: words of a row of the table that was printed.
told() {
	local i
	for i; do grep -qE "^$i" <<<"$out" || problem "no row is '$i': $out"; done
}

plan 'finished 5 0' 'finished 5 1'
run 0 mutants one
told 'one +killed +alpha_test: a/case \(svm-npt'
has '1 killed, 0 survived, 0 do not build' "$out"
plan 'finished 5 0' 'finished 5 4'
run 1 mutants one
told 'one +SURVIVED +alpha_test passes \(svm-shadow, .*, alpha_test is skipped \(svm-npt\)'
plan 'finished 5 0' 'finished 5 1'
run 1 mutants --host svm-npt one three
told 'one +SURVIVED' 'three +killed'
has '1 killed, 1 survived' "$out"
played
check "what fails has noticed, on whichever host; what passes has not"

for i in panicked hung died; do
	plan "$i 5 1"
	run 0 mutants --host svm-npt one
	told "one +killed +the host $i in alpha_test \\(svm-npt"
done
plan 'panicked null 1'
run 0 mutants --host svm-npt one
check "a host that does not survive has noticed"

for i in 'interrupted 5 130' 'killed 5 1' 'failed 5 1' 'died null 1' 'hung null 1' 'finished 5 2'; do
	plan 'finished 5 1' "$i"
	run 2 mutants --host svm-npt one two
	told 'one +killed'
	hasnt two "$out"
done
plan 'finished 5 4' 'finished 5 4'
run 2 mutants one
has 'one: nothing ran: ' "$err"
plan 'finished 5 1'
run 2 "$tree/lab/mutants.sh" --results "$scratch/results" one
has 'the suite fails without a mistake in KVM' "$err"
check "what is the lab's fault counts for nothing"

plan 'finished 5 0 one=0 two=1' 'finished 5 0 one=0'
run 1 mutants --together 9 first
told 'one +SURVIVED +all passes \(svm-shadow\), all passes \(svm-npt\)' 'two +killed +alpha_test: a/case \(svm-shadow\)'
has '1 killed, 1 survived' "$out"
has "--time-limit $((2 * 1800))" "$(<"$PLAN.asked")"
plan 'panicked 5 1 three=' 'finished 5 0 four=0'
run 1 mutants --together 2 second
told 'three +killed +the host panicked in run 1 \(svm-npt\)' 'four +SURVIVED +all passes \(svm-npt\)'
played
plan 'finished 5 0 one=1' 'killed 5 1'
run 2 mutants --together 2 first
told 'one +killed'
hasnt two "$out"
plan 'finished 5 0'
run 2 mutants --together 2 second
has 'no mutant was loaded' "$err"
plan 'finished 5 0 three=4 four=0'
run 2 mutants --together 2 second
has 'three: nothing ran: all is skipped (svm-npt)' "$err"
check "several in one boot: each is told of as soon as it is noticed, and none that has not run"

mkdir -p "$scratch/a checkout/x86"
printf '[%s]\nfile = %s.flat\n' x x y y >"$scratch/a checkout/x86/unittests.cfg"
touch "$scratch/a checkout/x86/x.flat" "$scratch/a checkout/x86/y.flat"
side() { "$tree/lab/side-by-side.sh" --results "$scratch/results" --kut "$scratch/a checkout" "$@"; }
plan 'finished 5 0 theirs x=0 y=1' 'finished 5 0' 'finished 5 0 theirs x=1' 'finished 5 0'
run 0 side three
has 'control: svm-npt: 1 of 2 tests of kut pass' "$out"
told 'three +x \(svm-npt\) +-'
last_line "of 1 mistakes: kvm-unit-tests 1, this suite (--quick) 0; results in $(ls -d "$scratch"/results/*-side-by-side)"
[[ $(grep -c -- '--host svm-npt' "$PLAN.asked") == 4 ]] || problem "hosts asked: $(<"$PLAN.asked")"
plan 'finished 5 0 theirs x=1 y=1' 'finished 5 0'
run 2 side three
has 'none of the tests of kut passes without a mistake in KVM' "$err"
for i in 'killed 5 1' 'died null 1' 'finished 5 2'; do
	plan 'finished 5 0 theirs x=0 y=0' 'finished 5 0' 'finished 5 0 theirs x=0 y=0' "$i"
	run 2 side three
	hasnt 'three' "$out"
done
plan 'finished 5 0 theirs x=0 y=0' 'finished 5 0' 'panicked 5 1 theirs x=0' 'finished 5 1'
run 0 side three
told 'three +the host panicked \(svm-npt\) +noticed \(svm-npt\)'
played
check "side by side: the same, for theirs and for ours"
totals
((!failures))
