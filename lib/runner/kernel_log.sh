# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # shared with runner.sh, of which this is a part
#
# The kernel log: what a test caused there.
readonly kmsg=${KMC_KMSG:-/dev/kmsg} # replaced by the suite's own tests
marker='' log_readable=1

mark_kernel_log() {
	local log=()
	marker="kvm-mmu-conformance: $run_name starting $1"
	[[ -w $kmsg ]] && { printf '<6>%s\n' "$marker" >"$kmsg"; } 2>/dev/null && return
	# No marker of ours: the last line so far has to do.
	((log_readable)) && mapfile -t log < <(dmesg 2>/dev/null)
	marker=''
	((${#log[@]})) && marker=${log[-1]}
}

# The first line of trouble since the marker in REPLY, or nothing; all lines go to a file.
check_kernel_log() {
	local log=() from i trouble='(^|[^[:alpha:]])(WARNING:|BUG:|kernel BUG at|Oops|general protection fault|KASAN|UBSAN)|[Cc]all [Tt]race'
	REPLY=''
	((log_readable)) || return
	mapfile -t log < <(dmesg 2>/dev/null)
	for ((from = ${#log[@]}; from > 0; from--)); do
		[[ -n $marker && ${log[from - 1]} == *"$marker"* ]] && break
	done
	for ((i = from; i < ${#log[@]}; i++)); do
		# "traps:" is a process that crashed, not the kernel.
		[[ ${log[i]} =~ $trouble && ${log[i]} != *"traps: "* ]] || continue
		REPLY=${log[i]}
		printf '%s\n' "${log[@]:from:2000}" >"$run_dir/$1.dmesg"
		return
	done
}
