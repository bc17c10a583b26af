# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# shellcheck disable=SC2154  # cache, cleanup_paths: common.sh
# Debian packages for the guest's kernels and for the emulators: resolved by
# apt with a configuration of its own, checked against the signed package
# index, unpacked into the cache and never installed.
#
#   CACHE/KIND/FOLDER/{info,...}   KIND is kernels or emulators
#   CACHE/KIND/LINK -> FOLDER      the newest one fetched for a row of KIND.conf
#
# A folder appears by rename, so it is whole or absent; whoever writes holds
# CACHE/lock, and reading needs no lock.

keyring=/usr/share/keyrings/debian-archive-keyring.gpg

# What a failed command said, on one line: the first complaint is the cause.
complaint()
{
	local line

	line=$(grep -m1 -E '^(E|W|Err|dpkg[^:]*|tar|cp|cpio|mke2fs): ' "$1")
	echo "${line:-$(tail -n 1 "$1")}"
}

# die, with the reason a full disk hides behind other messages.
die_writing()
{
	local what=$1 where=$2 log=${3-} free

	free=$(free_megabytes "$where")
	if [[ -n $free ]] && ((free < 20)); then
		die "$what failed: no space left, $free MB free in $where"
	fi
	die "$what failed${log:+: $(complaint "$log")}"
}

# --- the cache

# cached KIND LINK COMMAND...: has the command fetch it if it is not there yet
# or an update is asked for; one run at a time.
cached()
{
	local kind=$1 link=$2
	shift 2

	[[ $update == yes || ! -e $cache/$kind/$link/info ]] || return 0
	mkdir -p "$cache/$kind" 2>/dev/null && [[ -w $cache && -w $cache/$kind ]] &&
		{ exec {cache_lock}>"$cache/lock"; } 2>/dev/null ||
		die "cannot write to the cache $cache (set KMC_CACHE)"
	if ! flock -n "$cache_lock"; then
		note "waiting for another run that is filling the cache"
		flock "$cache_lock" || die "cannot lock $cache/lock"
	fi
	# Somebody else may have fetched it while we waited.
	[[ $update != yes && -e $cache/$kind/$link/info ]] || "$@"
	exec {cache_lock}>&-
}

# begin_fetch WHAT MEGABYTES SUITES: sets fetch_tmp, a folder in the cache, and
# prepares apt.  The space is asked for beforehand: apt, when there is none
# left, goes round in circles instead of saying so.
begin_fetch()
{
	local what=$1 megabytes=$2 suites=$3

	# Whoever left these behind was killed: the lock is ours.
	rm -rf "$cache"/tmp.*
	need_space "$what" "$megabytes" "$cache"
	fetch_tmp=$(mktemp -d "$cache/tmp.XXXXXX") || die_writing "writing to the cache" "$cache"
	cleanup_paths+=("$fetch_tmp")
	note "fetching $what from Debian's $suites (once)"
	apt_private "$fetch_tmp/apt" "$suites"
}

# end_fetch KIND FOLDER LINK: what is in fetch_tmp/new becomes the folder,
# unless that is there already.
end_fetch()
{
	local kind=$1 folder=$2 link=$3

	if [[ ! -e $cache/$kind/$folder/info ]]; then
		rm -rf "${cache:?}/$kind/$folder"
		# Folders of packages and mktemp come with all sorts of modes.
		chmod -R u+w,go-w,a+rX "$fetch_tmp/new" &&
			mv -T "$fetch_tmp/new" "$cache/$kind/$folder" ||
			die_writing "writing to the cache" "$cache"
	fi
	ln -sfn "$folder" "$fetch_tmp/link" && mv -T "$fetch_tmp/link" "$cache/$kind/$link" ||
		die_writing "writing to the cache" "$cache"
	rm -rf "$fetch_tmp"
}

# --- apt

# run_apt LOG SECONDS COMMAND...: ends with us, and keeps no lock if we are killed:
# whoever comes next throws away what it was writing.
run_apt()
{
	local log=$1 seconds=$2 status
	shift 2

	timeout "$seconds" "$@" >>"$log" 2>&1 {cache_lock}>&- &
	child=$!
	wait "$child"
	status=$?
	child=""
	return "$status"
}

# Debian's repositories as this machine reaches them: "URI SUITE" per line.
# KMC_DEBIAN_MIRROR names one where the machine's own apt configuration has none.
machine_sources()
{
	local lists=$1

	if [[ -n ${KMC_DEBIAN_MIRROR-} ]]; then
		echo "${KMC_DEBIAN_MIRROR%/} any"
		return
	fi
	apt-get -o Dir::State::Lists="$lists" update --print-uris 2>/dev/null |
		sed -n "s#^'\(.*\)/dists/\([^']*\)/InRelease'.*#\1 \2#p"
}

# A private apt configuration with nothing but the suites asked for, so that
# the machine may be any Debian release and nothing of its own is touched.
# Sets the array apt_options.
apt_private()
{
	local dir=$1 suites=$2 sources bases base suite uri security

	[[ -r $keyring ]] ||
		die "$keyring is missing (Debian package debian-archive-keyring)"
	mkdir -p "$dir/state/lists/partial" "$dir/cache/archives/partial" "$dir/empty" &&
		# The machine's proxy is wanted, its hooks and cleaning are not.
		printf '#clear %s;\n' APT::Update::{Pre,Post}-Invoke{,-Success} >"$dir/apt.conf" ||
		die_writing "creating $dir" "$cache"
	apt_options=(
		-q
		-c "$dir/apt.conf"
		-o Dir::Etc::SourceList="$dir/sources.list"
		-o Dir::Etc::SourceParts="$dir/empty"
		-o Dir::Etc::Preferences=/dev/null
		-o Dir::Etc::PreferencesParts="$dir/empty"
		-o Dir::State="$dir/state"
		-o Dir::State::Lists="$dir/state/lists"
		-o Dir::State::status=/dev/null
		-o Dir::Cache="$dir/cache"
		-o Dir::Cache::pkgcache=pkgcache.bin
		-o Dir::Cache::srcpkgcache=srcpkgcache.bin
		-o APT::Architecture=amd64
		-o APT::Sandbox::User=root
		-o APT::Update::Error-Mode=any
		-o APT::Install-Recommends=false
		-o Acquire::Retries=2
		-o Acquire::http::Timeout=30
		-o Acquire::https::Timeout=30
	)

	sources=$(machine_sources "$dir/state/lists")
	[[ -n $sources ]] ||
		die "this machine's apt has no package source; set KMC_DEBIAN_MIRROR to a Debian mirror's address"
	security=$(awk '$2 ~ /-security$/ { print $1; exit }' <<<"$sources")

	# Other vendors' repositories use Debian's suite names too; only Debian's
	# own passes the signature check, so try one after the other.
	: >"$dir/log"
	mapfile -t bases < <(awk '$2 !~ /-security$/ && !seen[$1]++ { print $1 }' <<<"$sources")
	for base in "${bases[@]}"; do
		for suite in $suites; do
			uri=$base
			[[ $suite != *-security ]] || uri=${security:-$base-security}
			echo "deb [arch=amd64 target=Packages signed-by=$keyring] $uri $suite main"
		done >"$dir/sources.list" || die_writing "writing $dir/sources.list" "$cache"
		run_apt "$dir/log" 600 apt-get "${apt_options[@]}" update && return
	done
	die_writing "reading the package index of $suites (no network?)" "$cache" "$dir/log"
}

# All versions of the packages named: "NAME VERSION SHA256" per line.
show_packages()
{
	apt-cache "${apt_options[@]}" show "$@" 2>/dev/null | awk '
		/^Package: / { name = $2 }
		/^Version: / { version = $2 }
		/^SHA256: / && !seen[name, version]++ { print name, version, $2 }'
}

# with_dependencies LEFT-OUT PACKAGE...: "NAME VERSION" of each and of all they
# depend on, without those whose name matches one of the expressions left out.
with_dependencies()
{
	local left_out=$1
	shift

	apt-get "${apt_options[@]}" --simulate install "$@" >"$fetch_tmp/log" 2>&1 || return
	sed -n 's/^Inst \([^ :]*\)[^ ]* (\([^ ]*\) .*/\1 \2/p' "$fetch_tmp/log" |
		awk -v out="^(${left_out// /|})\$" '$1 !~ out'
}

# get_packages: reads "NAME VERSION" per line, unpacks them below
# fetch_tmp/root and adds to fetch_tmp/new/info.  apt has compared the hashes
# itself; doing it again costs nothing and guards against a configuration that
# allows unauthenticated packages.
get_packages()
{
	local wanted deb

	mkdir -p "$fetch_tmp"/{deb,new} || die_writing "writing to the cache" "$cache"
	mapfile -t wanted < <(sed 's/ /=/')
	rm -f "$fetch_tmp/log"
	run_apt "$fetch_tmp/log" 1200 env -C "$fetch_tmp/deb" \
		apt-get "${apt_options[@]}" download "${wanted[@]}" ||
		die_writing "downloading ${wanted[0]%%=*}" "$cache" "$fetch_tmp/log"
	show_packages "${wanted[@]}" | sed 's/^/package /' >>"$fetch_tmp/new/info" ||
		die_writing "writing to the cache" "$cache"
	sha256sum "$fetch_tmp"/deb/*.deb | cut -d' ' -f1 | sort |
		cmp -s - <(awk '$1 == "package" { print $4 }' "$fetch_tmp/new/info" | sort) ||
		die "${wanted[0]}: a package's SHA256 differs from the signed index"
	unpack_root
	for deb in "$fetch_tmp"/deb/*.deb; do
		unpack_package "$deb"
		rm "$deb"
	done
}

# Some packages have their files in /lib, some in /usr/lib: here it is one.
unpack_root()
{
	local link

	mkdir -p "$fetch_tmp"/root/usr/{bin,sbin,lib,lib64} ||
		die_writing "writing to the cache" "$cache"
	for link in bin sbin lib lib64; do
		ln -s "usr/$link" "$fetch_tmp/root/$link" || die_writing "writing to the cache" "$cache"
	done
}

# Not by dpkg -x, which would replace the links.
unpack_package()
{
	local deb=$1

	(set -o pipefail
	dpkg --fsys-tarfile "$deb" | tar -x -C "$fetch_tmp/root" --no-same-owner \
		--keep-directory-symlink --exclude='./usr/share/doc' --exclude='./usr/share/man' \
		--exclude='./usr/share/locale' --exclude='./var') 2>"$fetch_tmp/log" ||
		die_writing "unpacking ${deb##*/}" "$cache" "$fetch_tmp/log"
}

# get_info KIND LINK KEY: the values of a key, one per line.
get_info() { sed -n "s/^$3 //p" "$cache/$1/$2/info"; }
