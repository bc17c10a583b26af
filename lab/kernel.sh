# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154  # for run.sh; cache, apt_options, fetch_tmp, row: run.sh's and packages.sh's
# The guest's kernel, from Debian's packages:
#
#   CACHE/kernels/PACKAGE_VERSION/{vmlinuz,lib/modules/RELEASE,info}
#
# or from a build tree.  Both get_kernel and built_kernel set kernel_image,
# kernel_dir (modules are in its lib/modules), kernel_release, kernel_packages.

# What a fetch needs at its peak: index, packages, unpacked packages.
kernel_megabytes=300

# Of the newest kernel that has all packages of its row: "NAME VERSION" of each.
newest_kernel()
{
	local release name version packages patterns found
	read -ra patterns <<<"$1"

	while read -r release name; do
		version=$(show_packages "$name" | cut -d' ' -f2 | sort -V | tail -n 1)
		packages=("$name" "${patterns[@]:1}")
		packages=("${packages[@]//%/"$release"}")
		found=$(show_packages "${packages[@]/%/"=$version"}" | cut -d' ' -f1,2)
		(($(wc -l <<<"$found") == ${#packages[@]})) || continue
		echo "$found"
		return
	done < <(apt-cache "${apt_options[@]}" pkgnames | while read -r name; do
		[[ $name =~ ^${patterns[0]}$ ]] && echo "${BASH_REMATCH[1]} $name"
	done | sort -rV)
	return 1
}

fetch_kernel()
{
	local name=$1 suites=$2 wanted folder release tree

	begin_fetch "kernel $name" "$kernel_megabytes" "$suites"
	wanted=$(newest_kernel "$3") || die "no kernel in $suites matches $3"
	# "NAME VERSION" of the first one.
	folder=${wanted%%$'\n'*}
	folder=${folder/ /_}
	# Another row or an older run may have it already.
	if [[ ! -e $cache/kernels/$folder/info ]]; then
		get_packages <<<"$wanted"
		tree=$(echo "$fetch_tmp"/root/usr/lib/modules/*)
		release=${tree##*/}
		[[ -d $tree/kernel ]] || die "$folder carries no modules"
		# Until 6.x in /boot, then beside the modules.
		mv "$fetch_tmp/root/boot/vmlinuz-$release" "$fetch_tmp/new/vmlinuz" 2>/dev/null ||
			mv "$tree/vmlinuz" "$fetch_tmp/new/vmlinuz" 2>/dev/null ||
			die "$folder carries no kernel image"
		mkdir -p "$fetch_tmp/new/lib/modules" && mv "$tree" "$fetch_tmp/new/lib/modules/" ||
			die_writing "writing to the cache" "$cache"
		depmod -b "$fetch_tmp/new" "$release" 2>"$fetch_tmp/log" ||
			die_writing "depmod for $folder" "$cache" "$fetch_tmp/log"
		echo "release $release" >>"$fetch_tmp/new/info" ||
			die_writing "writing to the cache" "$cache"
	fi
	end_fetch kernels "$folder" "$name"
}

# The kernel NAME, from the cache or from Debian.
get_kernel()
{
	local name=$1

	find_row kernel "$name"
	cached kernels "$name" fetch_kernel "${row[@]:0:3}"
	kernel_dir=$(readlink -f "$cache/kernels/$name")
	kernel_image=$kernel_dir/vmlinuz
	kernel_release=$(get_info kernels "$name" release)
	kernel_packages=$(get_info kernels "$name" package | cut -d' ' -f1,2 | paste -sd, | sed 's/,/, /g')
	[[ -r $kernel_image && -n $kernel_release && -d $kernel_dir/lib/modules/$kernel_release ]] ||
		die "$kernel_dir is damaged: remove it and run again"
}

# The release a bzImage says it is, see Documentation/arch/x86/boot.rst.
image_release()
{
	local image=$1 offset

	[[ $(tail -c +515 "$image" | head -c 4 | tr -d '\0') == HdrS ]] || return
	offset=$(od -An -tu2 -j526 -N2 "$image")
	tail -c +$((offset + 513)) "$image" | head -c 128 | tr '\0' '\n' | sed 's/ .*//;q'
}

# The kernel of a build TREE, where its modules need not be installed:
# modules.order names them.  DIR is for a module tree that points there.
built_kernel()
{
	local tree dir=$2 said
	tree=$(readlink -f "$1")

	kernel_image=$tree/arch/x86/boot/bzImage
	kernel_dir=$dir
	[[ -r $kernel_image ]] || die "no arch/x86/boot/bzImage in $1: not a kernel's build tree, or not built"
	kernel_release=$(image_release "$kernel_image")
	[[ $kernel_release =~ ^[0-9A-Za-z._+-]+$ ]] || die "$1/arch/x86/boot/bzImage is no kernel image"
	said=$(cat "$tree/include/config/kernel.release" 2>/dev/null)
	[[ -z $said || $said == "$kernel_release" ]] ||
		die "$1: the image is $kernel_release, the rest of the tree is $said: build it again"
	said=$(basename "$tree")
	kernel_packages="built: ${said//[^A-Za-z0-9._+-]/_}"

	dir+=/lib/modules/$kernel_release
	mkdir -p "$dir/kernel" && ln -s "$tree" "$2/tree" && touch "$dir"/modules.{order,builtin} || die_writing "writing to $2" "$2"
	for said in modules.order modules.builtin modules.builtin.modinfo; do
		[[ ! -r $tree/$said ]] || cp "$tree/$said" "$dir/" || die_writing "writing to $2" "$2"
	done
	# One name per line: kernel/X.ko, X.ko or X.o, as kernels became younger.
	sed -E "s|^(kernel/)?|$2/tree/|; s|\\.o\$|.ko|" "$dir/modules.order" |
		xargs -r -d '\n' cp -s --parents -t "$dir/kernel" 2>"$2/log" ||
		die "modules of $1 are missing, build them: $(complaint "$2/log" | sed "s|$2/tree/||")"
	depmod -b "$2" "$kernel_release" 2>"$2/log" || die "depmod for $1 failed: $(complaint "$2/log")"
}
