# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# shellcheck disable=SC2154  # here, cache: common.sh; kernel_tree: run.sh
# hosts.conf, kernels.conf, emulators.conf; sources.conf and mutants/*.conf have the same form.

# Rows of a .conf file, fields without the blanks around them.
rows()
{
	sed -E '/^[[:space:]]*(#|$)/d; s/[[:space:]]*;[[:space:]]*/;/g' "$here/$1.conf"
}

# Sets the array row to the row NAME of a .conf file.
find_row()
{
	local table=$1 name=$2 line

	line=$(rows "${table}s" | awk -F';' -v name="$name" '$1 == name')
	[[ -n $line ]] || die "unknown $table '$name', there is: $(rows "${table}s" |
		cut -d';' -f1 | paste -sd' ')"
	IFS=';' read -ra row <<<"$line"
}

# Sets the array row to the row of a host, which is one that can be used.
find_host()
{
	find_row host "$1"
	((${#row[@]} >= 3)) && [[ ${row[1]} =~ ^[a-z0-9-]{1,64}$ && -r $here/emulator-${row[1]}.sh ]] ||
		die "lab/hosts.conf: the row of $1 is not: name ; emulator ; modules ; what it offers"
}

# What of a row is in the cache.
in_cache()
{
	local kind=$1 link=$2 key=$3

	if [[ -e $cache/$kind/$link/info ]]; then
		get_info "$kind" "$link" "$key" | cut -d' ' -f1,2 | paste -sd, | sed 's/,/, /g'
	else
		echo "not fetched yet"
	fi
}

list()
{
	local name emulator offers suites

	echo "hosts:"
	while IFS=';' read -r name emulator _ offers; do
		printf '  %-12s %-10s %s\n' "$name" "$emulator" "$offers"
	done < <(rows hosts)
	echo "kernels:"
	while IFS=';' read -r name suites _; do
		printf '  %-12s %-28s %s\n' "$name" "$suites" "$(in_cache kernels "$name" package)"
	done < <(rows kernels)
	echo "emulators:"
	while IFS=';' read -ra row; do
		printf '  %-12s %-28s %s\n' "${row[0]}" "${row[1]-}" \
			"$(in_cache emulators "$(emulator_link "${row[0]}")" main)"
	done < <(rows emulators)
}

# fetch HOST KERNEL: fills the cache, for days without a network.
fetch()
{
	local host=$1 kernels=$2 emulators="" name
	[[ -n $kernels || -n $kernel_tree ]] || kernels=$(rows kernels | cut -d';' -f1)

	if [[ -n $host ]]; then
		find_host "$host"
		emulators=${row[1]}
	fi
	for name in $kernels; do
		get_kernel "$name"
		note "kernel $name: $kernel_packages"
	done
	for name in ${emulators:-$(rows emulators | cut -d';' -f1)}; do
		get_emulator "$name"
		note "emulator $name: $emulator_packages"
	done
}
