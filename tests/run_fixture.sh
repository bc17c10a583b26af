# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Small recorded runs for the tests of what reads runs, to be sourced: written as runner.sh and
# the tests write them, so that an outcome can be anything.

# record_run DIR KERNEL TEST...: a run folder without its end; each TEST's records follow.
record_run() {
	local dir=$1 kernel=$2 name list=''
	shift 2
	mkdir -p "$dir"
	for name; do
		list+=${list:+,}\"$name\"
	done
	cat >"$dir/host.json" <<-END
		{"kernel": "$kernel", "backend": "kvm_amd", "tdp": true, "emulator": "none",
		 "cpu_vendor": "AuthenticAMD", "cpu_model": "A CPU <b>&</b> more", "maxphyaddr": 48,
		 "smep": true, "la57": false, "kvm_error": null}
	END
	printf '{"event":"run","run":"%s","tests":[%s],"started":"2026-01-02T03:04:05Z","arguments":""}\n' \
		"${dir##*/}" "$list" >"$dir/run.jsonl"
	for name; do
		printf '{"event":"test_start","test":"%s","time_limit":600}\n' "$name" >>"$dir/run.jsonl"
		printf '{"event":"test_end","test":"%s","outcome":"exited","exit":0,"time_ms":1234}\n' \
			"$name" >>"$dir/run.jsonl"
		printf '{"event":"start","test":"%s","subtests":0,"of_subtests":9,"seed":null}\n' "$name" \
			>"$dir/$name.jsonl"
	done
}

# record_subtest DIR TEST NAME STATUS [FAILED [REASON]]: its result.
record_subtest() {
	printf '{"event":"subtest","name":"%s","status":"%s","reason":"%s","cases":100,"failed":%d,"known":%d,"time_ms":7,"known_issues":{%s}}\n' \
		"$3" "$4" "${6-}" "${5:-0}" "$([[ $4 == known ]] && echo 3 || echo 0)" \
		"$([[ $4 == known ]] && echo '"an-issue":3')" >>"$1/$2.jsonl"
}

# record_failure DIR TEST SUBTEST CASE [EXPECTED OBSERVED [MEMBERS]]: a case in full.
record_failure() {
	printf '{"event":"failure","subtest":"%s","case":"%s","expected":"%s","observed":"%s","rule":"a-smep","verdict":"failed"%s,"replay":"build/x86/%s --case %s","replay_all":"build/x86/%s --engine all --case %s"}\n' \
		"$3" "$4" "${5:-#PF(p)}" "${6:-ok page=0x1000000}" "${7:+,$7}" "$2" "$4" "$2" "$4" >>"$1/$2.jsonl"
}

# end_run DIR TEST...: the run and these tests came to their ends.
end_run() {
	local dir=$1 name
	shift
	for name; do
		printf '{"event":"end","status":"pass"}\n' >>"$dir/$name.jsonl"
	done
	printf '{"event":"run_end","time":"2026-01-02T03:14:15Z"}\n' >>"$dir/run.jsonl"
}

# What a record of walk_test holds, in full.
readonly full_detail='"detail":{"engine":"native","pass":"careful","ad_checked":true,
"role":"level=4 access=7 efer_nx cr0_wp valid cr4_smep efer_lma","rule":{"says":"a supervisor fetch from a user page faults","manual":"SDM 3A 4.6.1; APM2 5.6","kernel":"update_permission_bitmask"},
"path":["PML4E 0x000000000005e067  table 0x5e000, bits p,w,u,a,d","PTE   0x0000000001000067  page  0x1000000, bits p,w,u,a,d"],
"gva":"0x50000000200","cr0":"0x80010031","cr3":"0x5f000","cr4":"0x100020","efer":"0xd00","pkru":"0xc",
"extra":"<i>extra</i>"}'

# record_everything DIR: a run with every outcome, two engines, transitions, and names that would be markup.
record_everything() {
	local dir=$1 mode flags i=0 detail=${full_detail//$'\n'/}
	record_run "$dir" 6.12.9-test walk_test emulation_test role_transition_test odd_test
	for mode in 4level 5level pae nopg 2level compat4 compat5; do
		for flags in - wp smep wp,smep wp,smep,nx; do
			case $((i++)) in
			3)
				record_failure "$dir" walk_test "$mode/$flags" \
					4level/wp,smep/cpl0/fetch/1=p,w,u,a,d '#PF(p,fetch)' 'ok page=0x1000000' "$detail"
				record_subtest "$dir" walk_test "$mode/$flags" fail 1
				;;
			5) record_subtest "$dir" walk_test "$mode/$flags" skip 0 'the CPU offers no LA57' ;;
			6) record_subtest "$dir" walk_test "$mode/$flags" known ;;
			*) record_subtest "$dir" walk_test "$mode/$flags" pass ;;
			esac
		done
	done
	record_failure "$dir" emulation_test forced/4level/wp,smep \
		4level/wp,smep/cpl0/fetch/1=p,w,u,a,d '#PF(p,fetch)' '#UD' \
		'"detail":{"engine":"forced","native":{"observed":"ok page=0x1000000","as_expected":false}}'
	record_subtest "$dir" emulation_test forced/4level/wp,smep fail 1
	record_subtest "$dir" emulation_test string/4level/wp,smep pass
	record_failure "$dir" role_transition_test sregs/4level-pae pae/wp/cpl0/read/1=p,w \
		'#PF(p)' 'ok page=0' '"detail":{"came_from":"4level/wp","path_taken":"sregs"}'
	record_subtest "$dir" role_transition_test sregs/4level-pae fail 12
	record_subtest "$dir" role_transition_test sregs/pae-4level pass
	record_failure "$dir" odd_test 'a&b' '<script>alert(1)</script>' "'\\\\\\\"'" '</code><img src=x>'
	record_subtest "$dir" odd_test 'a&b' fail 2000 '<b>odd</b> \u0001'
	end_run "$dir" walk_test emulation_test role_transition_test odd_test
	sed -i 's/"subtests":0/"subtests":35/' "$dir/walk_test.jsonl"
	sed -i 's/"subtests":0/"subtests":2/' "$dir"/{emulation,role_transition}_test.jsonl
	sed -i 's/"subtests":0/"subtests":1/' "$dir/odd_test.jsonl"
}
