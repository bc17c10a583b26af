#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What runner.sh --setup does first: installs the packages that are missing, builds.
#
#   setup.sh run|list|host   install what the build needs, and build
#   setup.sh lab             install what the emulated host needs
#   setup.sh self-test       install what make check needs
set -u

# The one list of what has to be installed (Debian's names).
readonly build_packages=(gcc make libc6-dev libnuma-dev libjansson-dev libtracefs-dev libtraceevent-dev libbpf-dev libelf-dev zlib1g-dev libzstd-dev)
readonly lab_packages=(cpio kmod e2fsprogs xz-utils zstd debian-archive-keyring)
readonly check_packages=(shellcheck clang-format dpkg-dev debhelper lintian parallel yamllint lava-common libxml2-utils)
readonly browser_package=chromium-headless-shell # for one test, which is skipped without

die() {
	printf 'setup.sh: %s\n' "$1" >&2
	exit 2
}

install_missing() {
	local package missing=() as_root=()
	if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
		printf 'No apt here, nothing is installed. Needed (Debian names): %s\n' "$*"
		return
	fi
	for package; do
		[[ $(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null) == installed ]] ||
			missing+=("$package")
	done
	((${#missing[@]})) || return 0
	if ((EUID)); then
		command -v sudo >/dev/null ||
			die "run as root or install yourself: ${missing[*]}"
		as_root=(sudo)
	fi
	printf 'installing: %s\n' "${missing[*]}"
	"${as_root[@]+"${as_root[@]}"}" apt-get update -q ||
		printf 'apt-get update failed: trying with the lists that are there\n' >&2
	"${as_root[@]+"${as_root[@]}"}" env DEBIAN_FRONTEND=noninteractive \
		apt-get install -q -y --no-install-recommends "${missing[@]}" ||
		die "could not install: ${missing[*]}"
}

# Any of these will do.
have_browser() {
	local name
	for name in chromium-headless-shell chromium chromium-browser google-chrome; do
		command -v "$name" >/dev/null && return
	done
	return 1
}

here=$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")
case ${1-} in
lab) install_missing "${lab_packages[@]}" ;;
self-test)
	install_missing "${build_packages[@]}" "${lab_packages[@]}" "${check_packages[@]}"
	have_browser || (install_missing "$browser_package") ||
		printf 'going on without a browser: the test of the page will be skipped\n' >&2
	;;
run | list | host)
	install_missing "${build_packages[@]}"
	make -C "$here" -j"$(nproc)" || die "the build failed"
	;;
*) die "called by runner.sh --setup, with run, list, host, lab or self-test" ;;
esac
