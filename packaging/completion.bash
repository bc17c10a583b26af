# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# Completion for bash.  Options and commands are read from --help, tests and tags from --list.

_kvm_mmu_conformance() {
	local program=${COMP_WORDS[0]} word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
	local words
	COMPREPLY=()
	case $before in
	--results | --repo | --config)
		mapfile -t COMPREPLY < <(compgen -d -- "$word")
		compopt -o filenames 2>/dev/null
		return
		;;
	--tag | --skip-tag) words=$("$program" --list 2>/dev/null | sed -nE 's/^[^[]*\[([^]]*)\].*/\1/p' | tr ', ' '\n') ;;
	--filter | --case | --shard | --max-failures | --seed | --time-limit | --run-name) return ;;
	*)
		case $word in
		-*) words=$("$program" --help 2>/dev/null | grep -oE '(^| )--[a-z][a-z-]*') ;;
		*)
			words=$("$program" --list 2>/dev/null | cut -d' ' -f1)
			((COMP_CWORD > 1)) || words+=" $("$program" --help 2>/dev/null |
				sed -nE 's/^  ([a-z][a-z-]*) .*/\1/p')"
			;;
		esac
		;;
	esac
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word" | sort -u)
	# Folders of runs, for the commands that take them.
	[[ $word == -* || ${#COMPREPLY[@]} != 0 ]] || mapfile -t COMPREPLY < <(compgen -f -- "$word")
}
complete -F _kvm_mmu_conformance kvm-mmu-conformance runner.sh
