#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The page of runner.sh report in a headless browser (page_in_browser.c says what is tried).
# Needs chromium or chromium-headless-shell, or KMC_BROWSER=PROGRAM; skipped without.  Screenshots
# are left in build/check/report-page/.  Prints KTAP; exits 0, 1, or 4 if skipped.
set -u
export LC_ALL=C

here=$(cd -- "$(dirname -- "$0")/.." && pwd)
driver=$here/build/tests/page_in_browser
[[ -x $driver ]] || { printf 'report_page_test.sh: %s is not built\n' "$driver" >&2 && exit 2; }
browser=${KMC_BROWSER-}
for name in chromium-headless-shell chromium chromium-browser google-chrome; do
	[[ -n $browser ]] || browser=$(command -v "$name")
done
if [[ -z $browser ]]; then
	printf 'KTAP version 1\n1..1\n'
	printf 'ok 1 page_in_browser # SKIP no browser is installed: chromium-headless-shell, chromium\n'
	exit 4
fi
work=$(mktemp -d "${TMPDIR:-/tmp}/report_page.XXXXXX") || exit 2
trap 'rm -rf -- "$work"' EXIT
shots=$here/build/check/report-page
rm -rf -- "$shots"
mkdir -p -- "$shots" "$work/browser" || exit 2

# shellcheck source=tests/run_fixture.sh
source "$here/tests/run_fixture.sh"
record_everything "$work/run"
"$here/runner.sh" report "$work/run" >/dev/null || exit
# Nothing of this machine: no profile, no fonts' cache, no display.
HOME=$work XDG_CACHE_HOME=$work "$driver" "$browser" "$work/browser" "file://$work/run/report.html" 2>"$work/stderr"
code=$?
((!code)) || tail -n 5 "$work/stderr" | sed 's/^/# /'
for name in "$work/browser"/*.png.base64; do
	[[ -f $name ]] || continue
	file=${name##*/}
	base64 -d <"$name" >"$shots/${file%.base64}"
done
exit "$code"
