# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154  # for back ends and run.sh; cache, fetch_tmp, row: run.sh's and packages.sh's
# The emulator, from Debian's packages, whatever this machine has installed:
#
#   CACHE/emulators/NAME_VERSION_KEY/{root,info}
#
# root has what emulators.conf says is kept and the libraries it needs, and is
# started through its own dynamic loader.
#
# get_emulator sets, for the back ends:
#   emulator_root      where the packages are unpacked
#   emulator_loader    array, to be put before a program of emulator_root
#   emulator_packages  name and version of the main package

emulator_megabytes=600
# Debian's folder for libraries; the closure is always amd64's.
emulator_lib=usr/lib/x86_64-linux-gnu

# Sets emulator_loader for a root.  Libraries of this machine must not fill a
# gap unnoticed: its loader cache is not asked.
set_loader()
{
	local lib=$1/$emulator_lib

	emulator_loader=("$lib/ld-linux-x86-64.so.2" --inhibit-cache --library-path "$lib")
}

# Copies what matches the PATTERNS, and what it is linked to, from the
# unpacked packages to new/root.
keep_files()
{
	local name=$1 from=$fetch_tmp/root to=$fetch_tmp/new/root file files patterns pattern
	read -ra patterns <<<"$2"

	set_loader "$from"
	[[ -f ${emulator_loader[0]} ]] || die "the packages of $name have no dynamic loader: libc6 is not among them"
	mkdir -p "$to/$emulator_lib" && cp "${emulator_loader[0]}" "$to/$emulator_lib/" ||
		die_writing "writing to the cache" "$cache"
	for pattern in "${patterns[@]}"; do
		# extglob must be on when this is parsed; IFS: nothing is split.
		mapfile -t files < <(bash -O extglob -c 'cd "$1" || exit; IFS=
			for file in $2; do [[ ! -e $file ]] || echo "$file"; done' - "$from" "$pattern")
		[[ -n ${files[0]-} ]] || die "the packages of $name have no $pattern"
		(cd "$from" && cp -a --parents -t "$to" "${files[@]}") 2>"$fetch_tmp/log" ||
			die_writing "writing to the cache" "$cache" "$fetch_tmp/log"
	done
	file=$(find "$to" -type l \( -lname '/*' -o -xtype l \) -print -quit)
	[[ -z $file ]] || die "$name: ${file#"$to/"} is a link to what is not kept"
	while read -r -d '' file; do
		cmp -s -n 4 "$file" <(printf '\177ELF') || continue
		keep_libraries "$name" "$from" "$to" "$file"
	done < <(find "$to/usr" -path "$to/$emulator_lib/*.so.*" -prune -o -type f -print0)
}

# A library that is in none of the packages has no path or one of this machine.
keep_libraries()
{
	local name=$1 from=$2 to=$3 file=$4 line lib

	"${emulator_loader[@]}" --list "$file" >"$fetch_tmp/log" 2>&1 || [[ -s $fetch_tmp/log ]] ||
		die "the loader of $name cannot read ${file##*/}"
	while IFS= read -r line; do
		case $line in
		*" => $from/"*) ;;
		*" => "* | *"cannot open shared object"*)
			die "$name: ${file##*/} needs a library that was left out: ${line#$'\t'}"
			;;
		*) continue ;;
		esac
		lib=${line#* => } lib=${lib% (0x*}
		[[ -e $to/${lib#"$from/"} ]] || (cd "$from" && cp -L --parents -t "$to" "${lib#"$from/"}") ||
			die_writing "writing to the cache" "$cache"
	done <"$fetch_tmp/log"
}

fetch_emulator()
{
	local name=$1 suites=$2 packages=$3 left_out=$4 kept=$5 key=$6 all version

	begin_fetch "emulator $name" "$emulator_megabytes" "$suites"
	# shellcheck disable=SC2086  # a list of names
	all=$(with_dependencies "$left_out" $packages) ||
		die_writing "resolving $packages in $suites" "$cache" "$fetch_tmp/log"
	version=$(sed -n "s/^${packages%% *} //p" <<<"$all")
	# Without an epoch: library paths must not contain colons.
	local folder=${name}_${version#*:}_$key
	if [[ ! -e $cache/emulators/$folder/info ]]; then
		get_packages <<<"$all"
		keep_files "$name" "$kept"
		echo "main ${packages%% *} $version" >>"$fetch_tmp/new/info" ||
			die_writing "writing to the cache" "$cache"
	fi
	end_fetch emulators "$folder" "$name-$key"
}

# Which emulator of the cache belongs to the row: NAME-KEY, changes with the row.
emulator_link() { echo "$1-$(printf '%s\n' "${row[@]}" | sha256sum | cut -c1-8)"; }

# The emulator NAME, from the cache or from Debian.
get_emulator()
{
	local name=$1 link

	[[ $cache != *[:\;]* ]] || die "the cache's path $cache has a ':' or ';', which library paths cannot (set KMC_CACHE)"
	find_row emulator "$name"
	link=$(emulator_link "$name")
	cached emulators "$link" fetch_emulator "${row[@]:0:5}" "${link##*-}"
	emulator_root=$(readlink -f "$cache/emulators/$link/root")
	emulator_packages=$(get_info emulators "$link" main)
	set_loader "$emulator_root"
	[[ -x ${emulator_loader[0]} && -n $emulator_packages ]] ||
		die "$(readlink -f "$cache/emulators/$link") is damaged: remove it and run again"
}
