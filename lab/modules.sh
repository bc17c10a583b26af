# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154  # for run.sh; kernel_*: set by kernel.sh
# The guest's kernel modules, from the kernel's own or from a folder whose
# modules take their place (--modules-dir).

declare -A replaced=() placed=()
# Asked for, but part of the kernel: their parameters go onto its command line.
builtin_modules=""

plain_name()
{
	local name=${1##*/}

	name=${name%%.ko*}
	echo "${name//-/_}"
}

# Modules of this folder, in any depth, are preferred to the kernel's own.
replace_modules()
{
	local dir=$1 file

	while IFS= read -r -d '' file; do
		replaced[$(plain_name "$file")]=$file
	done < <(find "$(readlink -f "$dir")" -name '*.ko' -type f -print0 2>/dev/null)
	((${#replaced[@]})) || die "no *.ko in the modules folder $dir"
}

# A module's file, compressed or not, to stdout.
read_module()
{
	case $1 in
	*.xz) xz -dc "$1" ;;
	*.zst) zstd -qdc "$1" ;;
	*.gz) gzip -dc "$1" ;;
	*) cat "$1" ;;
	esac
}

place_module()
{
	local file=$1 tree=$2 name=${1##*/}

	placed[$(plain_name "$file")]=1
	read_module "$file" >"$tree/${name%.ko*}.ko"
}

# A module and what it depends on.
add_module()
{
	local module=${1//-/_} tree=$2 needed line file

	[[ -z ${placed[$module]-} ]] || return 0
	if [[ -n ${replaced[$module]-} ]]; then
		# What it depends on is its own affair, too.
		place_module "${replaced[$module]}" "$tree" || return
		needed=$(modinfo -F depends "${replaced[$module]}") || return
		for file in ${needed//,/ }; do
			add_module "$file" "$tree" || return
		done
		return
	fi
	# Without this machine's own modprobe.d.
	needed=$(modprobe -C /dev/null -d "$kernel_dir" -S "$kernel_release" --show-depends \
		"$module" 2>/dev/null) || die "kernel $kernel_release has no module $module"
	while IFS= read -r line; do
		case $line in
		"builtin "*) builtin_modules+=" ${line#* }" && continue ;;
		"insmod "*) file=${line#insmod } file=${file% } ;;
		*) continue ;;
		esac
		if [[ -n ${replaced[$(plain_name "$file")]-} ]]; then
			add_module "$(plain_name "$file")" "$tree" || return
		elif [[ -z ${placed[$(plain_name "$file")]-} ]]; then
			place_module "$file" "$tree" || return
		fi
	done <<<"$needed"
}

# The kernel would refuse it, on a console that nobody reads by then.
check_modules()
{
	local tree=$1 file magic

	while IFS= read -r file && IFS= read -r magic <&3; do
		[[ ${magic%% *} == "$kernel_release" ]] ||
			die "module ${file##*/} is built for ${magic%% *}, the kernel is $kernel_release"
	done < <(printf '%s\n' "$tree"/*.ko) 3< <(modinfo -F vermagic "$tree"/*.ko)
}

# The modules asked for and what they depend on, as a small module tree of
# their own with dependencies, so that one modprobe loads all and
# "modprobe -r kvm_amd; modprobe kvm_amd npt=0" works inside.
add_modules()
{
	local root=$1 modules=$2 tree=$1/usr/lib/modules/$kernel_release
	local module used=""

	mkdir -p "$tree" || return
	for module in $modules; do
		add_module "$module" "$tree" || return
	done
	if ((${#replaced[@]})); then
		for module in "${!replaced[@]}"; do
			[[ -z ${placed[$module]-} ]] || used+=" $module"
		done
		[[ -n $used ]] ||
			die "none of the modules in the modules folder is loaded here:$(printf ' %s' "${!replaced[@]}")"
		kernel_packages+=", replaced:$used"
	fi
	! compgen -G "$tree/*.ko" >/dev/null || check_modules "$tree"
	# Here "builtin" is a file name, not a module; depmod wants it present.
	cp "$kernel_dir/lib/modules/$kernel_release"/modules.{builtin,order} "$tree/" &&
		ln -s usr/lib "$root/lib" &&
		depmod -b "$root" "$kernel_release" && rm "$root/lib"
}

# The parameters of a host's modules that are part of the kernel, as they go
# onto its command line.
builtin_parameters()
{
	local module parameters parameter

	while read -r module parameters; do
		[[ " $builtin_modules " == *" $module "* ]] || continue
		for parameter in $parameters; do
			printf ' %s.%s' "$module" "$parameter"
		done
	done < <(tr ',' '\n' <<<"$1")
}
