# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# shellcheck disable=SC2154  # cache, kernel_*: set by run.sh and kernel.sh
# The guest's initramfs, in two parts that are simply appended: a base with
# this machine's bash and small tools, kept in the cache, and what belongs to
# one run: modules, the suite, the command.  Neither needs root to be built;
# /dev/console comes with the kernel, other device nodes with devtmpfs.
#
# Uncompressed on purpose: the emulated CPU unpacks slower than it copies.

base_tools="bash awk basename cat chmod cmp comm cp cut date dd df diff dirname dmesg
	env expr false find flock grep head hostname id insmod ln ls lsmod mkdir mknod
	mktemp modprobe mount mv nproc od paste printf readlink realpath rm rmdir rmmod
	sed seq setsid sha256sum sleep sort stat stty sync tail taskset tee test
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

pack()
{
	(cd "$1" && find . -mindepth 1 | cpio -o -H newc -R 0:0 --quiet) >"$2"
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
	[[ ! -r $base_cpio ]] || return 0

	build_base "$here" "$tmp/base" && pack "$tmp/base" "$tmp/base.cpio" ||
		die_writing "building the initramfs" "$tmp"
	rm -rf "$tmp/base"
	# By rename, so two runs that build it at once do no harm.
	if mkdir -p "$cache/base" 2>/dev/null &&
		cp "$tmp/base.cpio" "$cache/base/.$key.$$" 2>/dev/null &&
		mv "$cache/base/.$key.$$" "$base_cpio"; then
		rm "$tmp/base.cpio"
		find "$cache/base" -name '*.cpio' -mtime +30 -delete
	else
		rm -f "$cache/base/.$key.$$" 2>/dev/null
		base_cpio=$tmp/base.cpio
	fi
}

# The modules asked for and what they depend on, as a small module tree of
# their own with dependencies and parameters, so that one modprobe loads all
# and "modprobe -r kvm_amd; modprobe kvm_amd npt=0" works inside.
add_modules()
{
	local root=$1 modules=$2 tree=$1/usr/lib/modules/$kernel_release
	local module file unpacked

	mkdir -p "$tree" "$root/etc/modprobe.d" || return
	for module in $modules; do
		while read -r _ file _; do
			unpacked=$tree/${file##*/}
			case $file in
			*.xz) xz -dc "$file" >"${unpacked%.xz}" || return ;;
			*) cp "$file" "$tree/" || return ;;
			esac
		done < <(modprobe -d "$kernel_dir" -S "$kernel_release" --show-depends \
			--ignore-install "$module" | grep '^insmod ')
	done
	# Here "builtin" is a file name, not a module; depmod wants it present.
	cp "$kernel_dir/lib/modules/$kernel_release"/modules.{builtin,order} "$tree/" &&
		ln -s usr/lib "$root/lib" &&
		depmod -b "$root" "$kernel_release" && rm "$root/lib"
}

# What the guest runs: the suite as it lies in the source tree.
add_suite()
{
	local root=$1 suite=$2 file

	for file in "$suite"/build/x86/* "$suite"/build/bin/*; do
		[[ -f $file && -x $file ]] || continue
		install_with_libs "$root" "$file" "/suite/${file#"$suite/"}" || return
	done
	for file in runner.sh x86/known_issues.json; do
		[[ -e $suite/$file ]] || continue
		mkdir -p "$root/suite/$(dirname "$file")" &&
			cp "$suite/$file" "$root/suite/$file" || return
	done
}
