# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154  # for mutants.sh and side-by-side.sh; here, tmp, kernel, hosts: theirs
# The mutants of mutants/*.conf, and KVM's source with one of them in it. To be sourced behind
# common.sh; what gets the source comes with it.
# shellcheck source=source.sh
. "$here/source.sh"
# shellcheck source=modules.sh
. "$here/modules.sh"

areas() { (cd "$here/mutants" && printf '%s\n' *.conf) | sed 's/\.conf$//'; }

# All mutants of the kernel, the area in front: "AREA;ID;KERNELS;FILE;...".
mutant_rows()
{
	local area

	for area in $(areas); do
		rows "mutants/$area" | awk -F';' -v area="$area" -v kernel="$kernel" \
			'$1 != "runs" && $1 != "hosts" && index(" " $2 " ", " " kernel " ") { print area ";" $0 }'
	done
}

# row_of AREA KEY: the values of that row of the area's file, one per line.
row_of()
{
	rows "mutants/$1" | awk -F';' -v key="$2" '$1 == key { for (i = 2; i <= NF; i++) print $i }'
}

# What the runner is to run for an area's mutants: one line of arguments per run, the
# run most likely to notice first.
runs_of() { row_of "$1" runs; }

# The hosts asked for, or those that show an area's mutants, one per line.
hosts_of()
{
	if ((${#hosts[@]})); then
		printf '%s\n' "${hosts[@]}"
	else
		row_of "$1" hosts | grep . || printf '%s\n' svm-shadow svm-npt
	fi
}

# areas_of MUTANT...: the areas that these are in, one per line.
areas_of()
{
	printf '%s\n' "$@" | awk -F';' 'NR == FNR { asked[$0] = 1; next } $2 in asked { print $1 }' - <(echo "$all") | sort -u
}

# read_mutant ID: sets area, file, function, from, to and what from its row.
read_mutant()
{
	# shellcheck disable=SC2154 # all is in "all"
	IFS=';' read -r area _ _ file function from to what < <(awk -F';' -v id="$1" '$2 == id' <<<"$all")
}

# break_kvm FILE FUNCTION FROM TO: in exactly one place, or not at all.  FUNCTION may be
# "NAME > TEXT": the first place behind the line with that text.
break_kvm()
{
	FUNCTION=${2%% > *} BEHIND=${2#"${2%% > *}"} FROM=$3 TO=$4 awk '
		# Not as the end of another name.
		function defines(line, i) {
			i = index(line, ENVIRON["FUNCTION"] "(")
			return i && substr(" " line, i, 1) !~ /[A-Za-z0-9_]/
		}
		BEGIN {
			from = ENVIRON["FROM"]
			behind = substr(ENVIRON["BEHIND"], 4)
		}
		/^[^[:space:]#}\/*]/ && defines($0) && !/;$/ { inside = 1 }
		/^}/ { inside = armed = 0 }
		inside && (behind == "" || armed && !found) && (i = index($0, from)) {
			$0 = substr($0, 1, i - 1) ENVIRON["TO"] substr($0, i + length(from))
			found++
		}
		inside && behind != "" && index($0, behind) { armed = 1 }
		{ print }
		END { exit found != 1 }' "$1" >"$1.broken" && mv "$1.broken" "$1"
}

# find_mutants [MUTANT|AREA...]: those asked for, or all; sets all, their rows, and ids.
find_mutants()
{
	local id asked=() found

	all=$(mutant_rows)
	for id; do
		mapfile -t found < <(awk -F';' -v id="$id" '$1 == id || $2 == id { print $2 }' <<<"$all")
		((${#found[@]})) || die "unknown mutant '$id' of kernel $kernel (see --list)"
		asked+=("${found[@]}")
	done
	((${#asked[@]})) || mapfile -t asked < <(cut -d';' -f2 <<<"$all")
	mapfile -t ids < <(unique "${asked[@]}")
}

# check_mutants MUTANT...: can each be made? Told before any of them runs.
check_mutants()
{
	local id

	for id; do
		read_mutant "$id"
		cp "$source_kvm/$file" "$tmp/try" || die_writing "copying $file" "$tmp"
		break_kvm "$tmp/try" "$function" "$from" "$to" ||
			die "mutant $id: '$from' is not there once in $function() of $file"
	done
}

# A build outside the kernel's tree makes no BTF, without which role words cannot be read.  As
# a mutant changes no type, that of the packaged module describes the built one, too.
add_btf()
{
	local packaged

	packaged=$(find "$kernel_dir/lib/modules/$kernel_release" -name 'kvm.ko*' -print -quit)
	read_module "$packaged" >"$tmp/packaged.ko" &&
		objcopy -O binary --only-section=.BTF --set-section-flags .BTF=alloc "$tmp/packaged.ko" "$tmp/btf" 2>/dev/null &&
		objcopy --add-section .BTF="$tmp/btf" "$1"
}

build_modules()
{
	build_kvm >"$tmp/log" 2>&1 || return
	rm -rf "$tmp/modules"
	mkdir "$tmp/modules" && cp "$source_kvm"/*.ko "$tmp/modules/" || die_writing "copying modules" "$tmp"
	add_btf "$tmp/modules/kvm.ko" || note "no BTF for the built kvm.ko: tests that read role words are skipped"
}

compiler_said() { grep -m1 -E '(error|Error)' "$tmp/log"; }

# build_mutant MUTANT: modules with that mistake; mend_kvm is to follow.
build_mutant()
{
	read_mutant "$1"
	cp -p "$source_kvm/$file" "$tmp/original" || die_writing "copying $file" "$tmp"
	break_kvm "$source_kvm/$file" "$function" "$from" "$to" || die_writing "breaking $file" "$tmp"
	build_modules
}

# Newer than what was built from the broken one.
mend_kvm() { cat "$tmp/original" >"$source_kvm/$file" || die_writing "restoring $file" "$tmp"; }

# outcome_of OUT WHAT: sets outcome, what became of the host whose results are in OUT.  What is the lab's
# fault says nothing of a mutant, and ends us: so does a host that never got as far as the suite.
outcome_of()
{
	local said

	said=$(tail -n 1 "$1.log" | sed 's/^lab: //')
	[[ -e $1/lab.json ]] || die "$said"
	outcome=$(sed -n 's/.*"outcome": "\(.*\)".*/\1/p' "$1/lab.json")
	case $outcome in
	interrupted | killed | failed) die "$2: $said" ;;
	died | hung) ! grep -q '"boot_seconds": null' "$1/lab.json" || die "$2: not booted: $said" ;;
	esac
}
