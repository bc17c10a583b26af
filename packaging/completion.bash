# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# Completion for bash.  Options and commands are read from --help, tests and tags from --list.

_kmc_tests() { "$1" --list 2>/dev/null | cut -d' ' -f1; }

# Long options of the program, or of one of its commands.
_kmc_options() { "$@" --help 2>/dev/null | grep -oE '(^|[^a-z-])--[a-z][a-z-]*' | grep -oE -e '--.*'; }

_kmc_commands() { "$1" --help 2>/dev/null | sed -nE '/^Commands/,$s/^  ([a-z][a-z-]*) .*/\1/p'; }

# Names of runs: an installed suite has them elsewhere.
_kmc_runs() {
	local dir
	dir=$(dirname -- "$(readlink -f -- "$(type -P -- "$1")")")
	if [[ -e $dir/installed ]]; then
		dir=${XDG_STATE_HOME:-$HOME/.local/state}/kvm-mmu-conformance
	else
		dir=$dir/results
	fi
	compgen -d -- "$dir/" | sed 's,.*/,,'
}

# What may follow an option, in words; not 0 if it is no option with a value.
_kmc_value() {
	case $2$3 in
	bisect--host) words=$("$(dirname -- "$(readlink -f -- "$(type -P -- "$1")")")/lab/run.sh" --list 2>/dev/null |
		sed -nE '/^hosts:/,/^kernels:/s/^  ([a-z0-9-]+) .*/\1/p') ;;
	*--tag | *--skip-tag) words=$("$1" --list 2>/dev/null | sed -nE 's/^[^[]*\[([^]]*)\].*/\1/p' | tr ', ' '\n') ;;
	*--test) words=$(_kmc_tests "$1") ;;
	*--by) words='host kernel' ;;
	*--crash) words='good bad skip' ;;
	*--results | *--repo) mapfile -t COMPREPLY < <(compgen -d -- "$4") ;;
	*--config | *--output | *--file) mapfile -t COMPREPLY < <(compgen -f -- "$4") ;;
	*--filter | *--case | *--shard | *--max-failures | *--seed | *--time-limit | *--run-name | *--jobs | *--retries | \
		bisect--*) ;;
	*) return 1 ;;
	esac
	((!${#COMPREPLY[@]})) || compopt -o filenames 2>/dev/null
	return 0
}

_kvm_mmu_conformance() {
	local program=${COMP_WORDS[0]} word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
	local command='' words=''
	COMPREPLY=()
	((COMP_CWORD < 2)) || command=$(_kmc_commands "$program" | grep -Fx -e "${COMP_WORDS[1]#--}")
	if ! _kmc_value "$program" "$command" "$before" "$word"; then
		case $command,$word in
		,-*) words=$(_kmc_options "$program") ;;
		*,-*) words=$(_kmc_options "$program" "$command") ;;
		report,* | diff,* | merge,* | known-issues,*) words=$(_kmc_runs "$program") ;;
		fleet,*) words="local $(compgen -A hostname)" ;;
		,*)
			words=$(_kmc_tests "$program")
			((COMP_CWORD > 1)) || words+=" $(_kmc_commands "$program")"
			;;
		esac
	fi
	[[ -z $words ]] || mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word" | sort -u)
	# Folders of runs may be anywhere.
	[[ -z $command || $word == -* || ${#COMPREPLY[@]} != 0 ]] || mapfile -t COMPREPLY < <(compgen -f -- "$word")
}
complete -F _kvm_mmu_conformance kvm-mmu-conformance runner.sh
