# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A real ssh to this machine, to be sourced by tests whose other machines are stand-ins: a daemon of
# our own with keys of its own, on a free port of 127.0.0.1.

# start_sshd FOLDER NAME=VALUE...: FOLDER/bin/ssh then reaches this machine by any name, and what runs there has
# these variables besides FAKE_*, which are handed over.  Sets sshd_pid; not 0, with why in REPLY, if there is none.
start_sshd() {
	local dir=$1 sshd port i k name
	shift
	sshd=$(PATH=$PATH:/usr/sbin:/sbin type -P sshd) || { REPLY='sshd is not installed' && return 1; }
	((EUID)) || [[ -d /run/sshd ]] || { REPLY='there is no /run/sshd, which sshd wants of root' && return 1; }
	mkdir -p "$dir/bin"
	if ! ssh-keygen -q -t ed25519 -N '' -f "$dir/host" || ! ssh-keygen -q -t ed25519 -N '' -f "$dir/key"; then
		REPLY='no keys can be made'
		return 1
	fi
	cp "$dir/key.pub" "$dir/authorized"
	printf 'Host *\nHostName 127.0.0.1\nIdentityFile %s\nIdentitiesOnly yes\nStrictHostKeyChecking no\nUserKnownHostsFile /dev/null\nLogLevel ERROR\nSendEnv FAKE_*\n' \
		"$dir/key" >"$dir/client"
	printf 'ListenAddress 127.0.0.1\nHostKey %s\nAuthorizedKeysFile %s\nPidFile none\nUsePAM no\nStrictModes no\nPasswordAuthentication no\nAcceptEnv FAKE_*\n' \
		"$dir/host" "$dir/authorized" >"$dir/server"
	((!$#)) || printf 'SetEnv%s\n' "$(printf ' "%s"' "$@")" >>"$dir/server"
	name=$(PATH=/usr/local/bin:/usr/bin:/bin type -P ssh) # not a stand-in
	for ((i = 0; i < 20; i++)); do
		port=$((20000 + RANDOM % 30000))
		"$sshd" -D -e -p "$port" -f "$dir/server" >"$dir/log" 2>&1 </dev/null &
		sshd_pid=$!
		printf '#!/bin/sh\nexec %s -F %s -p %d "$@"\n' "$name" "$dir/client" "$port" >"$dir/bin/ssh"
		chmod +x "$dir/bin/ssh"
		for ((k = 0; k < 20; k++)); do
			sleep 0.3
			kill -0 "$sshd_pid" 2>/dev/null || continue 2
			[[ $("$dir/bin/ssh" -o BatchMode=yes here echo reached 2>"$dir/said" </dev/null) != reached ]] || return 0
		done
		REPLY="no login here: $(tail -n 1 "$dir/said" | tr -d '\r')"
		stop_sshd
		return 1
	done
	REPLY="sshd does not start: $(tail -n 1 "$dir/log")"
	return 1
}

# As a cut cable: the daemon forgets its connections.
cut_connections() { pkill -KILL -P "$sshd_pid"; }

stop_sshd() {
	kill "$sshd_pid" 2>/dev/null
	wait "$sshd_pid" 2>/dev/null
}
