#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Which subtests runner.sh --quick runs: the fewest cases that notice every mistake that
# any subtest has been seen to notice (kills.conf).  See docs/mutants.md.
set -u
export LC_ALL=C

usage()
{
	cat <<'END'
Usage: lab/quick.sh [--check | --add RESULTS...]
  Without an option lib/runner/quick.conf is written anew from lab/kills.conf.
  --check               is it what would be written, and is all there that is named?
                        One line per objection; exit status 1 if there is one
  --add RESULTS...      first add to lab/kills.conf what folders of results of
                        lab/mutants.sh say: which subtests failed with which mutant
END
}

here=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
suite=$(dirname "$here")
kills=$here/kills.conf
quick=$suite/lib/runner/quick.conf

# known_mutants: the names of all in mutants/*.conf.
known_mutants() { sed -nE 's/^([a-z0-9][a-z0-9-]*) ; .*/\1/p' "$here"/mutants/*.conf | grep -vxE 'runs|hosts'; }

# Greedy set cover: the subtest with the most mutants not yet noticed for its cases, a subtest
# by itself counting as 2,000; then without those that the later ones have made needless.
choose()
{
	awk -F' ; ' '
		/^#/ || NF < 2 { next }
		$1 == "cases" { cases[$2] = $3; next }
		{
			for (i = 2; i <= NF; i++)
				by[$i] = by[$i] " " $1
			left[$1] = 1
			nr_left++
		}
		function gain(subtest, words, n, i, nr) {
			n = split(by[subtest], words, " ")
			for (i = 1; i <= n; i++)
				nr += words[i] in left
			return nr / (2000 + cases[subtest])
		}
		END {
			while (nr_left) {
				best = ""
				for (s in by) {
					g = gain(s)
					if (best == "" || g > most || g == most && s < best) {
						best = s
						most = g
					}
				}
				order[++nr_chosen] = best
				n = split(by[best], words, " ")
				for (i = 1; i <= n; i++) {
					if (words[i] in left) {
						delete left[words[i]]
						nr_left--
					}
					times[words[i]]++
				}
			}
			for (c = 1; c <= nr_chosen; c++) {
				n = split(by[order[c]], words, " ")
				needed = 0
				for (i = 1; i <= n; i++)
					needed += times[words[i]] == 1
				if (needed) {
					print order[c]
					continue
				}
				for (i = 1; i <= n; i++)
					times[words[i]]--
			}
		}' "$kills" | sort | sed 's/ / ; /'
}

# What quick.conf should be.
table()
{
	local chosen

	chosen=$(choose)
	printf '%s\n' '# SPDX-License-Identifier: GPL-2.0-only' \
		'# What runner.sh --quick runs: test ; subtest. Written by lab/quick.sh from lab/kills.conf,' \
		"# that every one of the $(grep -cvE '^(#|cases ;|$)' "$kills") mistakes there is noticed on one host or another." \
		"$chosen"
}

check()
{
	local id test subtest known objections=0

	known=$(known_mutants)
	while read -r id; do
		grep -qxF -- "$id" <<<"$known" || { echo "kills.conf: there is no mutant $id" && objections=1; }
	done < <(grep -vE '^(#|cases ;|$)' "$kills" | sed 's/ ; .*//')
	while IFS= read -r line; do
		test=${line%% *} subtest=${line#* }
		[[ -x $suite/build/x86/$test ]] || { echo "kills.conf: there is no test $test" && objections=1 && continue; }
		"$suite/build/x86/$test" --list </dev/null 2>/dev/null | grep -qxF -- "$subtest" ||
			{ echo "kills.conf: $test has no subtest $subtest" && objections=1; }
	done < <(grep -vE '^(#|$)' "$kills" | sed -E 's/^cases ; ([^;]*) ; .*/x ; \1/; s/^[^;]* ; //' | awk -F' ; ' '{ for (i = 1; i <= NF; i++) if (!seen[$i]++) print $i }')
	cmp -s <(table) "$quick" || { echo "lib/runner/quick.conf is not what lab/quick.sh writes" && objections=1; }
	return "$objections"
}

# "MUTANT TEST SUBTEST CASES" for each subtest that failed in RESULTS, CASES 0; and for each that was run
# whole, with "-" for the mutant.
results_say()
{
	local file id known

	known=" $(known_mutants | tr '\n' ' ')"
	find "$@" -name '*_test.jsonl' | while IFS= read -r file; do
		id=$(tr '/' '\n' <<<"$file" | while read -r i; do [[ $known != *" $i "* ]] || echo "$i"; done | head -n 1)
		sed -nE '/^\{"event":"subtest"/ s/.*"name":"([^"]*)","status":"([a-z]*)".*"cases":([0-9]+).*/\2 \1 \3/p' "$file" |
			awk -v id="${id:--}" -v test="$(basename "$file" .jsonl)" '
				$1 == "fail" && id != "-" { print id, test, $2, 0 }
				$1 ~ /^(pass|known)$/ { print "-", test, $2, $3 }'
	done
}

add()
{
	local new i

	for i; do
		[[ -d $i ]] || { echo "lab/quick.sh: $i is no folder of results" >&2 && return 2; }
	done
	new=$(results_say "$@")
	[[ -n $new ]] || { echo "lab/quick.sh: no subtest passed or failed in $*" >&2 && return 2; }
	{
		grep -E '^#' "$kills"
		{
			grep -vE '^(#|$)' "$kills" | awk -F' ; ' '$1 == "cases" { print "-", $2, $3; next }
				{ for (i = 2; i <= NF; i++) print $1, $i, 0 }'
			printf '%s\n' "$new"
		} | awk 'NF == 4 && $1 == "-" { cases[$2 " " $3] = $4; next }
			NF == 4 && !seen[$1, $2, $3]++ { kills[$1] = kills[$1] " ; " $2 " " $3; used[$2 " " $3] = 1 }
			END {
				for (i in kills) print i kills[i]
				for (s in used) print "cases ; " s " ; " cases[s] + 0
			}' | sort
	} >"$kills.new" && mv "$kills.new" "$kills"
}

case ${1-} in
--help | -h) usage ;;
--check) check ;;
--add)
	shift
	(($#)) || { usage >&2 && exit 2; }
	add "$@" && table >"$quick.new" && mv "$quick.new" "$quick"
	;;
"") table >"$quick.new" && mv "$quick.new" "$quick" ;;
*) usage >&2 && exit 2 ;;
esac
