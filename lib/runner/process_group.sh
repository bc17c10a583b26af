# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# The processes of a test, which are one group: a part of runner.sh.

# Is a process of the group alive?  Zombies that nobody reaps do not count.
# (Under a trap a bare "return" gives the status from before the trap.)
group_alive() {
	local file stat
	kill -0 -- "-$1" 2>/dev/null || return 1
	for file in /proc/[0-9]*/stat; do
		{ read -r stat <"$file"; } 2>/dev/null || continue
		read -r -a stat <<<"${stat##*) }"
		[[ ${stat[2]} == "$1" && ${stat[0]} != [ZX] ]] && return 0
	done
	return 1
}

# Ends all processes of a test; not 0 if one is stuck in the kernel.
kill_group() {
	local signal i
	for signal in TERM KILL; do
		group_alive "$1" || return 0
		kill -"$signal" -- "-$1" 2>/dev/null
		for ((i = 0; i < 20; i++)); do
			group_alive "$1" || return 0
			sleep 0.1
		done
	done
	return 1
}
