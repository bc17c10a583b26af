# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# shellcheck disable=SC2154  # set by run.sh and the back end
# The guest's initramfs, in two parts that are simply appended: a base with
# this machine's bash and small tools, kept in the cache, and what belongs to
# one run: modules, the suite, the command.  Neither needs root to be built;
# /dev/console comes with the kernel, other device nodes with devtmpfs.
#
# A back end chooses by emulator_initrd: "plain" where the emulated CPU unpacks
# slower than it copies, "zstd" where loading a large file is what takes time.

base_tools="bash awk basename cat chmod cmp comm cp cut date dd df diff dirname dmesg
	env false find flock grep head hostname id insmod ln ls lsmod mkdir mknod
	mktemp modprobe mount mv nproc od paste printf readlink realpath rm rmdir rmmod
	sed seq setsid sleep sort stat stty sync tail taskset tee test
	timeout touch tr true tty umount uname uniq wc xargs"

# Copies a file to its place below ROOT, with the libraries it is linked to.
# ROOT has /bin, /lib and /lib64 as links into /usr, whatever this machine has.
install_with_libs()
{
	local root=$1 file=$2 dest=$3 lib path

	mkdir -p "$root/${dest%/*}" && cp -L "$file" "$root/$dest" || return
	# A script or a static binary has none: ldd fails and prints no path.
	while read -r lib; do
		path=/usr/${lib#/}
		path=${path/#\/usr\/usr\//\/usr\/}
		[[ ! -e $root$path ]] || continue
		mkdir -p "$root${path%/*}" && cp -L "$lib" "$root$path" || return
	done < <(ldd "$file" 2>/dev/null | sed -nE 's#^[^/]*(/[^ ]+) \(0x.*#\1#p')
}

# pack DIR FILE LEVEL
pack()
{
	local dir=$1 file=$2 level=$3 squeeze=(cat)

	[[ $emulator_initrd == plain ]] || squeeze=(zstd -q -T0 "-$level")
	(set -o pipefail
	cd "$dir" && find . -mindepth 1 | cpio -o -H newc -R 0:0 --quiet | "${squeeze[@]}") >"$file"
}

# Changes whenever the base would: names, sizes and times of the tools, the
# loader's cache (rewritten when libraries change), init and this file.
base_key()
{
	local here=$1

	{
		stat -L -c '%n %s %Y' /etc/ld.so.cache "${base_files[@]}"
		cat "$here/init" "$here/initramfs.sh"
	} | sha256sum | cut -c1-16
}

build_base()
{
	local here=$1 root=$2 link file real

	mkdir -p "$root"/{dev,etc,proc,sys,tmp,results,suite,lab,root,run} \
		"$root"/usr/{bin,lib,lib64} || return
	for link in bin lib lib64; do
		ln -s "usr/$link" "$root/$link" || return
	done
	ln -s usr/bin "$root/sbin" && ln -s bin "$root/usr/sbin" &&
		ln -s bash "$root/usr/bin/sh" &&
		echo 'root:x:0:0:root:/root:/bin/bash' >"$root/etc/passwd" &&
		echo 'root:x:0:' >"$root/etc/group" || return
	for file in "${base_files[@]}"; do
		# Several names may be one program: kmod, an awk behind a link.
		real=$(readlink -f "$file")
		[[ -e $root/usr/bin/${real##*/} ]] ||
			install_with_libs "$root" "$real" "/usr/bin/${real##*/}" || return
		[[ ${real##*/} == "${file##*/}" ]] ||
			ln -s "${real##*/}" "$root/usr/bin/${file##*/}" || return
	done
	cp "$here/init" "$root/init" && chmod 755 "$root/init"
}

# Sets base_cpio; builds it into the cache, or into TMP where that is read-only.
get_base()
{
	local here=$1 tmp=$2 tool path key

	base_files=()
	for tool in $base_tools ${KMC_LAB_TOOLS-}; do
		path=$(type -P "$tool") || die "$tool is not installed; the guest needs it"
		base_files+=("$path")
	done
	key=$(base_key "$here")
	base_cpio=$cache/base/$key.cpio
	[[ $emulator_initrd == plain ]] || base_cpio+=.zst
	[[ ! -r $base_cpio ]] || return 0

	build_base "$here" "$tmp/base" && pack "$tmp/base" "$tmp/base.cpio" 19 ||
		die_writing "building the initramfs" "$tmp"
	rm -rf "$tmp/base"
	# By rename, so two runs that build it at once do no harm.
	if mkdir -p "$cache/base" 2>/dev/null &&
		cp "$tmp/base.cpio" "$cache/base/.$key.$$" 2>/dev/null &&
		mv "$cache/base/.$key.$$" "$base_cpio"; then
		rm "$tmp/base.cpio"
		find "$cache/base" -name '*.cpio*' -mtime +30 -delete
	else
		rm -f "$cache/base/.$key.$$" 2>/dev/null
		base_cpio=$tmp/base.cpio
	fi
}

# What the guest runs: the suite as it lies in the source tree; KMC_BUILD is build/ there.
# Of build/bin the runner needs kmc-report only.
add_suite()
{
	local root=$1 suite=$2 bin=$3 build=$2/${KMC_BUILD:-build} file

	for file in "$build"/x86/* "$build"/bin/$bin; do
		[[ -f $file && -x $file ]] || continue
		install_with_libs "$root" "$file" "/suite/build/${file#"$build/"}" || return
	done
	for file in runner.sh lib/runner x86/known_issues.json; do
		[[ -e $suite/$file ]] || continue
		mkdir -p "$root/suite/$(dirname "$file")" &&
			cp -r "$suite/$file" "$root/suite/$file" || return
	done
}

# A folder of the user's, with what its programs are linked to, as /suite/carried.
add_carried()
{
	local root=$1 from=$2 file

	[[ -n $from ]] || return 0
	while IFS= read -r file; do
		install_with_libs "$root" "$from/$file" "/suite/carried/$file" || return
	done < <(cd "$from" && find . -type f | cut -c3-)
}

# make_initrd HERE TMP INITRD: the base, and what belongs to this run.  Reads the
# options of run.sh, sets builtin_modules.
make_initrd()
{
	local here=$1 tmp=$2 initrd=$3 guest=$2/guest modules module parameters live=no bin=kmc-report

	get_base "$here" "$tmp"
	mkdir -p "$guest"/{etc/modprobe.d,lab,suite} || die_writing "writing to $tmp" "$tmp"
	# Progress that overwrites itself is for a terminal, in the guest as here.
	[[ ! -t 1 ]] || live=yes
	# ext4 for the results, where it is not part of the kernel.
	modules="$emulator_modules ext4"
	while read -r module parameters; do
		modules+=" $module"
		[[ -z $parameters ]] || echo "options $module $parameters"
	done >"$guest/etc/modprobe.d/lab.conf" < <(tr ',' '\n' <<<"$host_modules")
	cat >"$guest/etc/fstab" <<-'END'
		devtmpfs /dev devtmpfs defaults 0 0
		sysfs /sys sysfs defaults 0 0
		tracefs /sys/kernel/tracing tracefs defaults 0 0
		debugfs /sys/kernel/debug debugfs defaults 0 0
		tmpfs /tmp tmpfs defaults 0 0
	END
	printf '%s=%q\n' lab_name "$name" lab_modules "$modules" \
		lab_disk "$emulator_disk" lab_console "$emulator_console" lab_live "$live" \
		>"$guest/lab/config"
	if [[ -n $cmd ]]; then
		bin='*'
		printf 'export RESULTS=/results/%q\n' "$run"
		printf '%s\n' "mkdir -p \"\$RESULTS\"" "$cmd"
	else
		printf '%q ' exec /suite/runner.sh --results /results --run-name "$run" --no-summary \
			"${runner_args[@]}"
		echo
	fi >"$guest/lab/command"
	add_modules "$guest" "$modules" 2>"$tmp/log" && add_suite "$guest" "$suite" "$bin" 2>"$tmp/log" &&
		add_carried "$guest" "$carry" 2>"$tmp/log" && pack "$guest" "$tmp/guest.cpio" 9 2>"$tmp/log" &&
		cat "$base_cpio" "$tmp/guest.cpio" >"$initrd" 2>"$tmp/log" ||
		die_writing "building the initramfs" "$tmp" "$tmp/log"
	rm -rf "$guest" "$tmp/guest.cpio"
}
