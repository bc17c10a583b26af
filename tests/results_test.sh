#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Tests of what is made of results: the page (but for what needs a browser, see
# report_page_test.sh), JUnit XML, nested KTAP, diff, merge, known-issues.  They work on recorded
# runs (run_fixture.sh) and on runs of fake_test.  Prints KTAP; exits 0 or 1.
#
# Would catch: text that becomes markup, results lost or counted twice, a failure that diff does
# not see, a missing shard that nobody names, documents that a strict reader refuses.
set -u
export LC_ALL=C

here=$(cd -- "$(dirname -- "$0")/.." && pwd)
work=$(mktemp -d "${TMPDIR:-/tmp}/results_test.XXXXXX") || exit 2
trap 'rm -rf -- "$work"' EXIT

scratch=$work
# shellcheck source=tests/checking.sh
source "$here/tests/checking.sh"
# shellcheck source=tests/run_fixture.sh
source "$here/tests/run_fixture.sh"

# An install folder with two tests.
install=$work/install
fake_suite "$install" alpha_test beta_test
report=$install/bin/kmc-report

runner() { "$install/runner.sh" "$@"; }

#
# The page
#
page_is_complete() {
	local page text
	record_everything "$work/all"
	run 0 runner report "$work/all"
	[[ $out == "$work/all/report.html" ]] || problem "said $out"
	page=$(<"$work/all/report.html")
	for text in '<b>4</b> failed' '<b>1</b> skipped' 'kvm_amd NPT, 6.12.9-test' \
		'4level/wp,smep/cpl0/fetch/1=p,w,u,a,d' 'ok page=0x1000000' 'SDM 3A 4.6.1; APM2 5.6' \
		'update_permission_bitmask' '<b>PML4E</b>' '<code>0x80010031</code>' \
		'<span class=bit>SMEP</span>' 'supervisor writes need the R/W bit' \
		'build/x86/walk_test --case 4level/wp,smep/cpl0/fetch' 'build/x86/walk_test --engine all --case 4level' 'the CPU offers no LA57' \
		'came from</dt><dd>4level/wp by sregs' "native (the guest's CPU)" \
		'&lt;script&gt;alert(1)&lt;/script&gt;' 'A CPU &lt;b&gt;&amp;&lt;/b&gt; more' \
		'&lt;i&gt;extra&lt;/i&gt;' 'Registers of state pae/wp' '<b>level 1</b> <code>entry</code>'; do
		has "$text" "${page//\&#39;/\'}"
	done
	hasnt '<script>alert' "$page"
	hasnt '<img' "$page"
	hasnt $'\x01' "$page"
	# Both engines' answers stand with the case of either.
	(($(grep -c '<th scope=row>forced</th>' <<<"$page") == 2)) || problem "forced is not with native"
	# Nothing of the page lies elsewhere.
	! grep -nE '(src|href)="?(https?:|//|[a-z]+\.)' <<<"$page" || problem "the page needs other files"
	# Each link within the page leads somewhere.
	grep -o 'href="#[^"]*"' <<<"$page" | sort -u | sed 's/href="#//; s/"$//' >"$work/links"
	while read -r text; do
		grep -q -e " id=${text}[ >]" -e " id=\"$text\"" <<<"$page" || problem "nothing has id $text"
	done <"$work/links"
	(($(wc -l <"$work/links") > 10)) || problem "hardly a link"
	# What a test records is there, too.
	FAKE_alpha_test='a=fail' run 1 runner --results "$work/r" alpha_test
	run 0 runner report --output - "$work/r/latest"
	has "Ask every engine:</span> <code>$install/x86/alpha_test --engine all --case a/case-0</code>" "$out"
}

page_of_a_run_without_end() {
	local page
	record_everything "$work/cut"
	sed -i '$d' "$work/cut/run.jsonl" # run_end
	truncate -s -10 "$work/cut/odd_test.jsonl"
	sed -i '4s/.*/garbage/' "$work/cut/walk_test.jsonl"
	rm "$work/cut/host.json"
	run 0 runner report "$work/cut"
	page=$(<"$work/cut/report.html")
	has 'This run did not finish' "$page"
	has 'odd_test.jsonl line 4: the line is cut short' "$page"
	has 'walk_test.jsonl line 4' "$page"
	has '1 of 35 subtest results are missing' "$page"
	has 'its card (host.json) is missing' "$page"
	has 'emulation_test' "$page"
	: >"$work/cut/run.jsonl"
	run 0 runner report "$work/cut"
}

page_of_very_many_failures() {
	local i
	record_run "$work/many" 6.1 walk_test
	for ((i = 0; i < 600; i++)); do
		printf '{"event":"failure","subtest":"4level/wp","case":"4level/wp/%d","expected":"e","observed":"o","rule":"r","verdict":"failed","replay":"x"}\n' "$i"
	done >>"$work/many/walk_test.jsonl"
	record_failure "$work/many" walk_test 4level/nx 4level/nx/last
	record_subtest "$work/many" walk_test 4level/wp fail 600
	record_subtest "$work/many" walk_test 4level/nx fail 1
	end_run "$work/many" walk_test
	run 0 runner report --output "$work/many.html" "$work/many"
	has '590 more are recorded' "$(<"$work/many.html")"
	has '4level/nx/last' "$(<"$work/many.html")"
}

bad_input_is_one_line() {
	local dir=$work/bad name
	mkdir -p "$dir/empty"
	printf '{"format": 1,\n"run": ' >"$dir/cut.json"
	printf '[]' >"$dir/list.json"
	printf '{"format":1,"tests":[],"failures":{}}' >"$dir/shape.json"
	record_run "$dir/run" 6.1 walk_test
	for name in report diff merge known-issues; do
		run 0 runner "$name" --help
		refuse "unknown option '--bogus'" runner "$name" --bogus
	done
	refuse "there is no run" runner report "$dir/none"
	refuse "is no run" runner report "$dir/empty"
	refuse "line 2" runner report --output - "$dir/cut.json"
	refuse "'format' is not 1" runner report --output - "$dir/list.json"
	refuse "a list is missing" runner report --output - "$dir/shape.json"
	refuse "--output FILE is needed" runner report "$dir/cut.json"
	refuse "one run at a time" runner report "$dir/run" "$dir/run"
	refuse "needs an argument" runner report --output
	refuse "cannot write" runner report --output "$dir/none/x" "$dir/run"
	refuse "two runs are needed" runner diff "$dir/run"
	refuse "needs host or kernel" runner diff --by day "$dir/run" "$dir/run"
	refuse "there is no run in it" runner diff "$dir/run" "$dir/empty"
	refuse "OUT and at least one run" runner merge "$dir/new"
	refuse "is there already" runner merge "$dir/run" "$dir/run"
	# OUT was forgotten: a run of that name is no place for another.
	mkdir -p "$install/results/part-1"
	refuse "part-1 is there already: OUT, which comes first" runner merge part-1 "$dir/run"
	rmdir "$install/results/part-1"
	refuse "cannot make" runner merge "$dir/none/new" "$dir/run"
	run 1 runner report --output /dev/full "$dir/run"
	[[ $err == *"cannot write"* && $err != *$'\n'* ]] || problem "not one line: $err"
}

#
# For CI
#
junit_is_valid() {
	command -v xmllint >/dev/null || { printf '# no xmllint: the schema is not checked\n' && return; }
	record_everything "$work/junit"
	sed -i 's/"outcome":"exited","exit":0/"outcome":"timeout","exit":124,"time_limit":600/' \
		"$work/junit/run.jsonl"
	run 0 runner report --junit "$work/junit"
	run 0 xmllint --noout --schema "$here/tests/junit.xsd" "$work/junit/junit.xml"
	[[ $(xmllint --xpath 'concat(/*/@tests, " ", /*/@failures, " ", /*/@errors, " ", /*/@skipped)' \
		"$work/junit/junit.xml") == '44 4 4 1' ]] || problem "counts: $(sed -n 2p "$work/junit/junit.xml")"
	[[ $(xmllint --xpath 'count(//testcase[failure])' "$work/junit/junit.xml") == 4 ]] ||
		problem "not 4 failures"
	has 'timed out after 600 s' "$(xmllint --xpath 'string(//error/@message)' "$work/junit/junit.xml")"
	has '<script>' "$(xmllint --xpath 'string(//testcase[@name="a&b"]/failure)' "$work/junit/junit.xml")"
	# As the page says it: a test that was skipped, one that never started.
	FAKE_alpha_test=skip FAKE_beta_test='a=pass b=exit:3' run 1 runner --results "$work/r"
	run 0 runner report --junit "$work/r/latest"
	run 0 xmllint --noout --schema "$here/tests/junit.xsd" "$work/r/latest/junit.xml"
}

# strict FILE [CODE]: what ktap_strict.awk makes of it.
strict() {
	run "${2:-0}" awk -f "$here/tests/ktap_strict.awk" "$1"
	[[ ${2:-0} == 1 || $out == passed* ]] || problem "$out"
}

ktap_is_strict() {
	local file
	record_everything "$work/ktap"
	run 0 runner report --ktap "$work/ktap"
	strict "$work/ktap/run.ktap"
	last_line 'passed 35 failed 4 skipped 1'
	FAKE_alpha_test='a=pass:3 b=fail:5 c=skip d=assert e=note f=known:2' \
		FAKE_beta_test='a=pass b=crash c=pass' run 1 runner --results "$work/r"
	run 0 runner report --ktap "$work/r/latest"
	strict "$work/r/latest/run.ktap"
	last_line 'passed 3 failed 4 skipped 1'
	strict "$work/r/latest/alpha_test.ktap"
	FAKE_alpha_test=skip FAKE_beta_test='a=skip' run 4 runner --results "$work/r"
	run 0 runner report --ktap "$work/r/latest"
	strict "$work/r/latest/run.ktap"
	last_line 'passed 0 failed 0 skipped 2'
	# Is it strict?
	file=$work/broken.ktap
	while read -r expression; do
		sed "$expression" "$work/ktap/run.ktap" >"$file"
		strict "$file" 1
	done <<-'END'
		1d
		2d
		3d
		5d
		6d
		$d
		s/^  ok 2 /  ok 3 /
		s/^not ok 1 walk/ok 1 walk/
		s/^  ok/   ok/
		6s/ # cases.*/ # LATER/
		6s/ok/fine/
		6s/ok [0-9]*.*/ok 1/
		7s/^/  /
		s/^1\.\..*/1..9/
	END
}

#
# Comparing
#
diff_tells_what_changed() {
	local a=$work/a b=$work/b
	record_run "$a" 6.1.5-old walk_test gone_test
	record_run "$b" 6.12.9-new walk_test new_test
	record_subtest "$a" walk_test s/same pass && record_subtest "$b" walk_test s/same pass
	record_subtest "$a" walk_test s/breaks known && record_subtest "$b" walk_test s/breaks fail 1
	record_failure "$b" walk_test s/breaks s/breaks/case-7
	record_subtest "$a" walk_test s/mended fail 1 && record_subtest "$b" walk_test s/mended pass
	record_subtest "$a" walk_test s/skipped pass && record_subtest "$b" walk_test s/skipped skip 0 'no SMEP'
	record_subtest "$a" walk_test s/left pass && record_subtest "$b" walk_test s/came pass
	record_subtest "$a" walk_test s/both fail 1 && record_subtest "$b" walk_test s/both fail 2
	record_failure "$a" walk_test s/both s/both/old
	record_failure "$b" walk_test s/both s/both/old
	record_failure "$b" walk_test s/both s/both/more
	record_subtest "$a" gone_test x pass
	record_subtest "$b" new_test y pass
	end_run "$a" walk_test gone_test
	end_run "$b" walk_test new_test
	sed -i 's/"subtests":0/"subtests":6/' "$a/walk_test.jsonl" "$b/walk_test.jsonl"
	run 1 runner diff "$a" "$b"
	last_line '2 newly failing, 1 newly passing, 1 newly skipped, 2 gone, 2 new'
	has 'kvm_amd NPT, 6.1.5-old' "$out"
	has 'kvm_amd NPT, 6.12.9-new' "$out"
	has 's/breaks/case-7' "$out"
	has 's/both/more' "$out"
	hasnt 's/both/old' "$out"
	has 'walk_test s/skipped: no SMEP' "$out"
	has 'walk_test s/mended' "$out"
	hasnt 's/same' "$out"
	has 'gone_test x, was pass' "$out"
	hasnt 'gone_test, was' "$out" # its subtest says it
	hasnt 'nothing is in both' "$out"
	run 0 runner diff "$a" "$a"
	last_line '0 newly failing, 0 newly passing, 0 newly skipped, 0 gone, 0 new'
	# Not all cases of A are on record: then it cannot be told which are new.
	sed -i 's/\("name":"s.both".*\)"failed":1/\1"failed":5/' "$a/walk_test.jsonl"
	run 1 runner diff "$a" "$b"
	hasnt 's/both' "$out"
	# A test that dies has newly failed.
	sed -i '/"test_end","test":"walk_test"/s/"exited","exit":0/"signal","exit":139,"signal":11/' \
		"$b/run.jsonl"
	run 1 runner diff "$a" "$b"
	has 'walk_test, was pass: killed by signal 11 (SIGSEGV)' "$out"
}

# two_hosts DIR STATUS-SHADOW STATUS-NPT [KERNEL]
two_hosts() {
	local host
	for host in shadow npt; do
		record_run "$1/$host" "${4:-6.1}" walk_test
		[[ $host == npt ]] || sed -i 's/"tdp": true/"tdp": false/' "$1/$host/host.json"
	done
	record_subtest "$1/shadow" walk_test 4level/wp "$2"
	record_subtest "$1/npt" walk_test 4level/wp "$3"
	end_run "$1/shadow" walk_test
	end_run "$1/npt" walk_test
}

diff_by_host_and_kernel() {
	two_hosts "$work/old" pass fail 6.1
	two_hosts "$work/new" fail fail 7.3
	run 1 runner diff --by host "$work/old" "$work/new"
	last_line '1 newly failing, 0 newly passing, 0 newly skipped, 0 gone, 0 new'
	has 'kvm_amd shadow: walk_test 4level/wp, was pass' "$out"
	# Other kernels: nothing is the same.
	run 1 runner diff "$work/old" "$work/new"
	has ' 2 gone, ' "$out"
	has 'nothing is in both: other hosts or kernels? --by host ' "$out"
	# By kernel the worst host counts, and one failed before.
	two_hosts "$work/later" fail pass 6.1
	run 0 runner diff --by kernel "$work/old" "$work/later"
	run 1 runner diff "$work/old" "$work/later"
	last_line '1 newly failing, 1 newly passing, 0 newly skipped, 0 gone, 0 new'
}

#
# Merging
#
merge_of_shards() {
	local i all
	export FAKE_alpha_test='a=pass b=fail:2 c=skip d=pass e=pass' FAKE_beta_test='x=pass'
	run 1 runner --results "$work/s" --run-name all
	all=$(runner report --ktap --output - "$work/s/all" | awk -f "$here/tests/ktap_strict.awk")
	for i in 1 2 3; do
		runner --results "$work/s" --run-name "part-$i" --shard "$i/3" >/dev/null
	done
	run 1 runner merge "$work/s/merged" "$work/s/part-1" "$work/s/part-2" "$work/s/part-3"
	last_line '4 passed, 1 failed, 1 skipped'
	hasnt 'missing' "$out"
	[[ $(runner report --ktap --output - "$work/s/merged" | awk -f "$here/tests/ktap_strict.awk") == "$all" ]] ||
		problem "the merged run is not the whole one: $all"
	run 0 runner diff "$work/s/all" "$work/s/merged"
	last_line '0 newly failing, 0 newly passing, 0 newly skipped, 0 gone, 0 new'
	# Each once, also if a part is there twice, and a merged run is a run.
	run 1 runner merge "$work/s/again" "$work/s/part-1" "$work/s/merged" "$work/s/part-1"
	last_line '4 passed, 1 failed, 1 skipped'
	hasnt 'missing' "$out"
	FAKE_alpha_test='a=pass' run 0 runner --results "$work/s" --run-name good --shard 1/3 alpha_test
	run 1 runner merge "$work/s/two" "$work/s/good" "$work/s/part-3"
	has 'missing: shard 2/3 on ' "$out"
	has ': alpha_test' "$out"
	hasnt 'beta_test' "$out" # has but one subtest
	run 0 runner report "$work/s/two"
	has '<b>Missing:</b> shard 2/3' "$(<"$work/s/two/report.html")"
	# Nobody failed, but a shard is missing.
	run 1 runner merge "$work/s/lacking" "$work/s/part-3"
	last_line '0 passed, 0 failed, 1 skipped'
}

merge_of_hosts() {
	two_hosts "$work/h" pass fail
	record_failure "$work/h/npt" walk_test 4level/wp 4level/wp/cpl0/read/1=p
	run 1 runner merge "$work/hosts" "$work/h"
	last_line '1 passed, 1 failed, 0 skipped'
	run 0 runner report "$work/hosts"
	has 'on kvm_amd shadow, 6.1' "$(<"$work/hosts/report.html")"
	has 'On kvm_amd NPT, 6.1' "$(<"$work/hosts/report.html")"
	# Which machine it was is told with the case, also merged again.
	has '<p>In run npt</p>' "$(<"$work/hosts/report.html")"
	run 0 runner report --junit "$work/hosts"
	has '  run: npt' "$(<"$work/hosts/junit.xml")"
	# Readers take test cases of one class and name for one.
	[[ -z $(grep -o '<testcase [^>]*' "$work/hosts/junit.xml" | sed 's/ time=.*//' | sort | uniq -d) ]] ||
		problem "test cases of two hosts have one name"
	hasnt 'lab/run.sh' "$(<"$work/hosts/report.html")"
	run 0 runner report --ktap --output "$work/hosts.ktap" "$work/hosts"
	strict "$work/hosts.ktap"
	last_line 'passed 1 failed 1 skipped 0'
	run 0 runner diff "$work/hosts" "$work/h"
	# The worst of several results is kept.
	two_hosts "$work/h2" skip pass
	printf '{"host": "svm-npt", "kernel": "6.1"}' >"$work/h/npt/lab.json"
	run 1 runner merge "$work/hosts1" "$work/h"
	run 1 runner merge "$work/hosts2" "$work/hosts1" "$work/h2"
	last_line '1 passed, 1 failed, 0 skipped'
	has '      run:      npt' "$out"
	run 0 runner report "$work/hosts2"
	has '<p>In run npt</p>' "$(<"$work/hosts2/report.html")"
	has 'lab/run.sh --host svm-npt --kernel 6.1 --cmd' "$(<"$work/hosts2/report.html")"
}

# The same kernel on two CPUs: neither speaks for the other.
merge_of_cpus() {
	local name
	for name in one two more; do
		record_run "$work/c/$name" 6.1 walk_test
		record_subtest "$work/c/$name" walk_test 4level/wp pass
		end_run "$work/c/$name" walk_test
	done
	sed -i 's/"A CPU[^"]*"/"Another"/; s/"maxphyaddr": 48/"maxphyaddr": 46/; s/"la57": false/"la57": true/' "$work/c/two/host.json"
	run 0 runner merge "$work/cpus" "$work/c"
	last_line '2 passed, 0 failed, 0 skipped'
	run 0 runner report --ktap --output - "$work/cpus"
	has 'walk_test on kvm_amd NPT, A CPU <b>&</b> more, maxphyaddr 48, no la57, 6.1' "$out"
	has 'walk_test on kvm_amd NPT, Another, maxphyaddr 46, la57, 6.1' "$out"
	run 0 runner report --junit --output - "$work/cpus"
	has 'name="walk_test on kvm_amd NPT, Another, maxphyaddr 46, la57, 6.1"' "$out"
	run 0 runner merge "$work/cpus-again" "$work/cpus" "$work/c/two"
	last_line '2 passed, 0 failed, 0 skipped'
	run 0 runner merge "$work/cpu" "$work/cpus" "$work/c/more"
	run 0 runner report --ktap --output - "$work/cpu"
	has 'Another' "$out"
	run 0 runner merge "$work/same" "$work/c/one" "$work/c/more"
	last_line '1 passed, 0 failed, 0 skipped'
	run 0 runner report "$work/same"
	hasnt ' on kvm_amd NPT' "$(<"$work/same/report.html")"
}

#
# Known issues
#
known_issues_are_reviewed() {
	local file=$work/known.json id
	{
		printf '{"format": 1, "known_issues": ['
		for id in an-issue never "kernel\": \">=99" old; do
			printf '%s{"id": "%s", "tests": ["walk_test"], "host": {"kernel": ">=%s"}, "cases": "*", "mismatch": "x", "reason": "r", "link": "docs/findings.md", "evidence": "e", "expires": "%s"}' \
				"$([[ $id == an-issue ]] || printf ,)" "${id%%\"*}" \
				"$([[ $id == kernel* ]] && echo 99 || echo 6)" \
				"$([[ $id == old ]] && echo 2020-02-02 || echo 2999-12-31)"
		done
		printf ']}\n'
	} >"$file"
	record_everything "$work/known"
	run 1 runner known-issues --file "$file" "$work/known"
	hasnt 'an-issue' "$out"
	has 'never: matched no case, though 1 of these tests ran' "$out"
	has $'none of these runs is of a host and test that these are for:\n  kernel\n' "$out"
	has 'old: expired, it was to be looked at again after 2020-02-02' "$out"
	last_line '4 entries: 1 matched, 2 never matched, 1 for other hosts or tests, 1 expired'
	# The test itself says it, too.
	sed -i 's/walk_test/alpha_test/; s/">=6"/">=1"/' "$file"
	sed -i 's/walk_test/alpha_test/g; s/">=6"/">=1"/g' "$file"
	FAKE_alpha_test='a=pass' run 0 "$install/x86/alpha_test" --known-issues "$file" --filter a
	has '# expired known issue: old was to be looked at again after 2020-02-02' "$out"
	cp "$file" "$install/x86/known_issues.json"
	FAKE_alpha_test='a=pass' run 0 runner --results "$work/r" alpha_test
	rm "$install/x86/known_issues.json"
	has 'expired known issue: old (2020-02-02) of alpha_test' "$out"
	sed -i 's/2020-02-02/2020-2-2/' "$file"
	refuse "'expires' must be a day" runner known-issues --file "$file" "$work/known"
	run 0 "$report" known-issues "$here/x86/known_issues.json" "$work/many"
}

subtests=(page_is_complete page_of_a_run_without_end page_of_very_many_failures bad_input_is_one_line
	junit_is_valid ktap_is_strict diff_tells_what_changed diff_by_host_and_kernel merge_of_shards
	merge_of_hosts merge_of_cpus known_issues_are_reviewed)
printf 'KTAP version 1\n1..%d\n' "${#subtests[@]}"
for name in "${subtests[@]}"; do
	# An argument picks by glob; the plan is that of a full run.
	# shellcheck disable=SC2053
	[[ $name == ${1:-*} ]] || continue
	"$name"
	check "$name"
done
totals
((!failures))
