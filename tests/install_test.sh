#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Tests of make install, uninstall and dist, of the man page and the completion, and of the
# Debian package.  Prints KTAP; exits 0, 1, or 4 if all was skipped.
#
#   install_test.sh           all but the package; needs make, git and what make check has built
#   install_test.sh package   dpkg-buildpackage on a copy of the tree, and lintian; what
#                             make check has built is used: "make deb" builds it anew
set -u
export LC_ALL=C

here=$(cd -- "$(dirname -- "$0")/.." && pwd)
work=$(mktemp -d "${TMPDIR:-/tmp}/install_test.XXXXXX") || exit 2
trap 'rm -rf -- "$work"' EXIT
cd -- "$here" || exit 2
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES
scratch=$work
# shellcheck source=tests/checking.sh
source "$here/tests/checking.sh"

readonly name=kvm-mmu-conformance
make=(make --no-print-directory)

# The files git knows, as they are now: with what is not committed.
copy_tree() {
	git ls-files -z | tar --null --ignore-failed-read -T - -cf - 2>/dev/null | tar -C "$1" -xf -
}

#
# The checks
#
installs_and_runs() {
	local root=$work/root program home=$work/home file
	mkdir -p "$home"
	run 0 "${make[@]}" install DESTDIR="$root" PREFIX=/usr
	program=$root/usr/bin/$name
	[[ -L $program && $(readlink "$program") != /* ]] || problem "the link is no relative one"
	run 0 "$program" --list
	has "walk_test" "$out"
	run 0 env HOME="$home" XDG_STATE_HOME= "$program" --skip-tag kvm --filter 'nopg*' role_model_test
	[[ -s $home/.local/state/$name/latest/summary.json ]] || problem "no results below HOME"
	run 0 env XDG_STATE_HOME="$work/state" "$program" --filter 'nopg*' role_model_test
	[[ -s $work/state/$name/latest/summary.json ]] || problem "no results in XDG_STATE_HOME"
	for file in fleet/lava-job.yaml fleet/tmt/plan.fmf fleet/tmt/.fmf/version fleets.md; do
		[[ -s $root/usr/share/doc/$name/docs/$file ]] || problem "no docs/$file, of which the documents speak"
	done
	[[ -z $(find "$root" -name results) ]] || problem "results beside the installed suite"
	refuse "are for the source tree" "$program" --setup
	run 0 "$program" --help
	has "(~/.local/state/$name)" "$out"
	check "make install: the suite runs from there, its results are elsewhere"
}

needs_no_libraries() {
	local file
	for file in "$work/root/usr/lib/$name"/{bin,x86}/*; do
		[[ $file == *.json ]] || ! readelf -lW "$file" | grep -q INTERP || problem "${file##*/} is not static"
	done
	[[ -n ${file-} ]] || problem "nothing is installed"
	check "what is installed needs no library"
}

uninstalls() {
	: >"$work/root/usr/bin/other"
	run 0 "${make[@]}" uninstall DESTDIR="$work/root" PREFIX=/usr
	[[ $(find "$work/root" ! -type d) == "$work/root/usr/bin/other" ]] ||
		problem "left: $(find "$work/root" ! -type d)"
	check "make uninstall takes all of it away and nothing else"
}

dist_is_reproducible() {
	local archive first
	if ! git rev-parse -q --verify HEAD >/dev/null 2>&1; then
		check "make dist # SKIP no git repository"
		return
	fi
	run 0 "${make[@]}" dist
	archive=${out##*$'\n'} first=$(sha256sum <"$archive")
	sleep 1.1
	run 0 "${make[@]}" dist
	[[ $(sha256sum <"$archive") == "$first" ]] || problem "two archives of one commit differ"
	diff <(tar -tf "$archive" | grep -v '/$' | sed "s,^[^/]*/,," | sort) \
		<(git ls-tree -r --name-only HEAD | sort) >"$work/diff" || problem "$(<"$work/diff")"
	check "make dist gives the same bytes twice, and all of HEAD"
}

versions_agree() {
	local version
	version=$(sed -n 's/^VERSION := //p' packaging/install.mk)
	[[ $(sed -n '1s/.*(\(.*\)).*/\1/p' debian/changelog) == "$version" ]] || problem "debian/changelog"
	grep -q "^\.TH .* \"$name $version\"" docs/$name.1 || problem "the man page"
	check "Makefile, man page and package have one version"
}

man_page_has_the_options() {
	local help
	help=$(./runner.sh --help)
	diff <(sed '/^Commands/,$d' <<<"$help" | grep -oE -- '--[a-z][a-z-]*' | grep -v -- '--help' | sort -u) \
		<(sed -n '/^\.SH OPTIONS/,/^\.SH COMMANDS/s/^\.BI* \(\\-\\-[a-z\\-]*\).*/\1/p' docs/$name.1 |
			tr -d '\134' | grep -v -- '--help' | sort -u) >"$work/diff" || problem "$(<"$work/diff")"
	diff <(sed -nE '/^Commands/,$s/^  ([a-z][a-z-]*) .*/\1/p' <<<"$help") \
		<(sed -n '/^\.SH COMMANDS/,/^\.SH EXIT/s/^\.B[IR]* \([a-z\\-]*\).*/\1/p' docs/$name.1 | tr -d '\134') \
		>"$work/diff" || problem "$(<"$work/diff")"
	check "the man page and --help name the same options and commands"
	if command -v man >/dev/null; then
		run 0 man --warnings -E ascii -P cat -l docs/$name.1
		[[ -z $err ]] || problem "$err"
	fi
	check "the man page can be set"
}

# completions WORD...: what follows "runner.sh WORD...", the last of them being begun.
completions() {
	COMP_WORDS=("$here/runner.sh" "$@") COMP_CWORD=$#
	COMPREPLY=()
	_kvm_mmu_conformance
	printf '%s\n' "${COMPREPLY[@]+"${COMPREPLY[@]}"}"
}

completion_completes() {
	# shellcheck source=packaging/completion.bash
	source packaging/completion.bash
	[[ $(completions walk_) == walk_test ]] || problem "walk_: $(completions walk_)"
	[[ $(completions --max) == --max-failures ]] || problem "--max: $(completions --max)"
	has walk "$(completions --tag '')"
	has docs "$(completions --results "do")"
	[[ -z $(completions --seed '') ]] || problem "--seed: $(completions --seed '')"
	# Of a command its own options, and runs.
	[[ $(completions report --ju) == --junit ]] || problem "report --ju: $(completions report --ju)"
	[[ -z $(completions report --shard) ]] || problem "report --shard: $(completions report --shard)"
	[[ $(completions --report --kt) == --ktap ]] || problem "--report --kt: $(completions --report --kt)"
	[[ $(completions bisect --test walk_) == walk_test ]] || problem "bisect --test: $(completions bisect --test walk_)"
	has svm-npt "$(completions bisect --host '')"
	[[ $(completions diff --by k) == kernel ]] || problem "diff --by k: $(completions diff --by k)"
	[[ $(completions diff READ) == README.md ]] || problem "diff READ: $(completions diff READ)"
	check "the completion knows tests, tags and options"
}

package() {
	local tree=$work/tree/$name tool said
	printf 'KTAP version 1\n'
	for tool in dpkg-buildpackage dh lintian; do
		command -v "$tool" >/dev/null && continue
		printf '1..1\nok 1 the Debian package # SKIP %s is not installed\n' "$tool"
		exit 4
	done
	mkdir -p "$tree"
	copy_tree "$tree"
	run 0 env -C "$work/tree" dpkg-source -b "$name"
	[[ -s $(echo "$work/tree/${name}"_*.dsc) ]] || problem "no .dsc: $out"
	check "a source package is made"
	# Its objects are newer than the copied files, so nothing is compiled again.
	cp -a build "$tree/" 2>/dev/null
	rm -rf "$tree/build/check" "$tree/build/san"
	find "$tree" -path "$tree/build" -prune -o -type f -exec touch -d 2020-01-01 {} +
	run 0 env -C "$tree" DEB_BUILD_OPTIONS=noautodbgsym dpkg-buildpackage -us -uc -b -nc -d
	printf '%s\n' "$out" "$err" | tail -n 30 | sed 's/^/# /'
	has "dpkg-deb: building package '$name'" "$out"
	check "the package builds"
	run 0 dpkg-deb -c "$work/tree/${name}"_*.deb
	for tool in usr/bin/$name usr/lib/$name/runner.sh usr/lib/$name/x86/walk_test \
		usr/share/man/man1/$name.1.gz usr/share/bash-completion/completions/$name; do
		has " ./$tool" "$out"
	done
	check "the package has what make install puts there"
	said=$(lintian --allow-root --tag-display-limit 0 "$work/tree/${name}"_*.{changes,dsc} 2>&1)
	printf '# lintian: %s\n' "${said//$'\n'/, }"
	! grep -q '^E:' <<<"$said" || problem "$(grep '^E:' <<<"$said")"
	check "lintian finds no error"
}

if [[ ${1-} == package ]]; then
	package
else
	printf 'KTAP version 1\n'
	installs_and_runs
	needs_no_libraries
	uninstalls
	dist_is_reproducible
	versions_agree
	man_page_has_the_options
	completion_completes
fi
printf '1..%d\n' "$number"
totals
((!failures))
