# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# shellcheck disable=SC2154  # cache: set by run.sh
# Kernels from Debian packages: fetched once, checked against the signed
# package index, unpacked into the cache and never installed.
#
#   CACHE/kernels/PACKAGE_VERSION/{vmlinuz,lib/modules/RELEASE,info}
#   CACHE/kernels/NAME -> the newest one fetched for that row of kernels.conf
#
# A folder appears by rename, so it is whole or absent; whoever writes holds
# CACHE/lock, and reading needs no lock.

keyring=/usr/share/keyrings/debian-archive-keyring.gpg

# What a fetch needs at its peak: index, package, unpacked package.  Asked for
# beforehand: apt, out of space, goes round in circles instead of saying so.
fetch_megabytes=300

free_megabytes() { df -Pk "$1" 2>/dev/null | awk 'NR == 2 { print int($4 / 1024) }'; }

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
	mkdir -p "$dir/state/lists/partial" "$dir/cache/archives/partial" "$dir/empty" ||
		die_writing "creating $dir" "$cache"
	apt_options=(
		-q
		-o Dir::Etc::SourceList="$dir/sources.list"
		-o Dir::Etc::SourceParts="$dir/empty"
		-o Dir::Etc::Preferences=/dev/null
		-o Dir::Etc::PreferencesParts="$dir/empty"
		-o Dir::State="$dir/state"
		-o Dir::State::Lists="$dir/state/lists"
		-o Dir::State::status=/dev/null
		-o Dir::Cache="$dir/cache"
		-o APT::Architecture=amd64
		-o APT::Sandbox::User=root
		-o APT::Update::Error-Mode=any
		-o APT::Update::Post-Invoke::=true
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
		timeout 600 apt-get "${apt_options[@]}" update >>"$dir/log" 2>&1 && return
	done
	die_writing "reading the package index of $suites (no network?)" "$cache" "$dir/log"
}

# Newest package whose name matches; prints "PACKAGE VERSION".
newest_package()
{
	local pattern=$1 package version

	package=$(apt-cache "${apt_options[@]}" pkgnames | grep -xE "$pattern" |
		sort -V | tail -n 1)
	[[ -n $package ]] || return 1
	version=$(apt-cache "${apt_options[@]}" show --no-all-versions "$package" |
		sed -n 's/^Version: //p')
	echo "$package $version"
}

# Downloads one package into DIR and checks it against the index.  apt has
# compared the hashes itself; doing it again costs nothing and guards against
# a configuration that allows unauthenticated packages.
download_package()
{
	local dir=$1 package=$2 version=$3 wanted found

	(cd "$dir" && timeout 600 apt-get "${apt_options[@]}" download "$package=$version") \
		>"$dir/log" 2>&1 || die_writing "downloading $package" "$cache" "$dir/log"
	wanted=$(apt-cache "${apt_options[@]}" show "$package=$version" |
		sed -n 's/^SHA256: //p' | head -n 1)
	found=$(sha256sum "$dir"/*.deb | cut -d' ' -f1)
	[[ -n $wanted && $found == "$wanted" ]] ||
		die "$package $version: SHA256 differs from the signed package index"
	echo "$wanted"
}

# Unpacks a .deb below ROOT, in the layout where /lib is in /usr or not.
unpack_package()
{
	local deb=$1 root=$2 log=$3

	dpkg -x "$deb" "$root" 2>"$log" ||
		die_writing "unpacking $(basename "$deb")" "$cache" "$log"
	rm -f "$deb"
}

# Fetches the kernel of one row and makes it the current one.
fetch_kernel()
{
	local name=$1 suites=$2 patterns=$3
	local tmp pattern package version sha first="" info="" image release free

	# Left behind by runs that were killed; nobody else writes, we have the lock.
	rm -rf "$cache"/tmp.*
	free=$(free_megabytes "$cache")
	[[ -z $free ]] || ((free >= fetch_megabytes)) ||
		die "no space for the kernel: $free MB free in $cache, $fetch_megabytes are needed"
	tmp=$(mktemp -d "$cache/tmp.XXXXXX") || die_writing "writing to the cache" "$cache"
	cleanup_paths+=("$tmp")

	note "fetching kernel $name from Debian's $suites (once)"
	apt_private "$tmp/apt" "$suites"
	mkdir "$tmp/deb" "$tmp/root" || die_writing "writing to the cache" "$cache"
	for pattern in $patterns; do
		read -r package version < <(newest_package "$pattern") ||
			die "no package in $suites matches $pattern"
		if [[ -z $first ]]; then
			first=${package}_$version
			# Another row or an older run may have it already.
			[[ ! -e $cache/kernels/$first/info ]] || break
		fi
		sha=$(download_package "$tmp/deb" "$package" "$version") || exit
		unpack_package "$tmp/deb"/*.deb "$tmp/root" "$tmp/log"
		info+="package $package $version $sha"$'\n'
	done

	if [[ ! -e $cache/kernels/$first/info ]]; then
		image=$(echo "$tmp"/root/boot/vmlinuz-*)
		[[ -f $image ]] || die "$first carries no kernel image"
		release=${image##*/vmlinuz-}
		mkdir -p "$tmp/kernel/lib/modules" "$cache/kernels" &&
			mv "$image" "$tmp/kernel/vmlinuz" &&
			mv "$tmp"/root/{usr/,}lib/modules/"$release" "$tmp/kernel/lib/modules/" 2>/dev/null
		[[ -d $tmp/kernel/lib/modules/$release/kernel ]] ||
			die_writing "unpacking the modules of $first" "$cache"
		depmod -b "$tmp/kernel" "$release" 2>"$tmp/log" ||
			die_writing "depmod for $first" "$cache" "$tmp/log"
		printf 'release %s\n%s' "$release" "$info" >"$tmp/kernel/info" ||
			die_writing "writing to the cache" "$cache"
		rm -rf "$cache/kernels/$first"
		mv -T "$tmp/kernel" "$cache/kernels/$first" ||
			die_writing "writing to the cache" "$cache"
	fi
	ln -sfn "$first" "$tmp/current" && mv -T "$tmp/current" "$cache/kernels/$name" ||
		die_writing "writing to the cache" "$cache"
	rm -rf "$tmp"
}

# The kernel NAME, from the cache or from Debian.  Sets kernel_dir,
# kernel_release, kernel_packages.
get_kernel()
{
	local name=$1 suites=$2 patterns=$3 update=$4 key value

	if [[ $update == yes || ! -e $cache/kernels/$name/info ]]; then
		mkdir -p "$cache" 2>/dev/null && [[ -w $cache ]] ||
			die "cannot write to the cache $cache (set KMC_CACHE)"
		exec {lock}>"$cache/lock" || die "cannot write to the cache $cache (set KMC_CACHE)"
		if ! flock -n "$lock"; then
			note "waiting for another run that is filling the cache"
			flock "$lock" || die "cannot lock $cache/lock"
		fi
		# Somebody else may have fetched it while we waited.
		[[ $update != yes && -e $cache/kernels/$name/info ]] ||
			fetch_kernel "$name" "$suites" "$patterns"
		exec {lock}>&-
	fi
	kernel_dir=$(readlink -f "$cache/kernels/$name")
	kernel_packages=""
	while read -r key value; do
		case $key in
		release) kernel_release=$value ;;
		package) kernel_packages+=${kernel_packages:+, }$value ;;
		esac
	done <"$kernel_dir/info"
	[[ -r $kernel_dir/vmlinuz && -n ${kernel_release-} ]] ||
		die "$kernel_dir is damaged: remove it and run again"
}
