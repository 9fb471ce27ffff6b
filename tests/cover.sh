#!/bin/sh
# Line and branch coverage of our own code after `make VARIANT=cov check`, a file a line and the sum.
# gcov's summary is all it needs.
set -eu
build=$1
list=$(mktemp)
trap 'rm -f "$list" ./*.gcov.gz' EXIT
find "$build/obj/src" "$build/obj/mock_server" -name '*.gcda' | sort | while read -r data; do
    gcov -n -b "$data" 2>/dev/null | awk '
        /^File / { file = $2; gsub(/\047/, "", file); keep = file ~ /^(src|mock_server)\/.*\.c$/ }
        keep && /^Lines executed/ { split($0, a, /[:% ]+/); lines = a[3]; total = a[5] }
        keep && /^Branches executed/ { seen = 1 }
        keep && /^Taken at least once/ { split($0, a, /[:% ]+/); printf "%s %s %s %s %s\n", file, lines, total, a[5], a[7]; keep = 0 }'
done | sort -u >"$list"
awk '{ printf "%-48s lines %6.1f%% of %5d   branches %6.1f%% of %5d\n", $1, $2, $3, $4, $5
       l += $2 * $3; lt += $3; b += $4 * $5; bt += $5 }
     END { printf "%-48s lines %6.1f%% of %5d   branches %6.1f%% of %5d\n", "all", l / lt, lt, b / bt, bt }' "$list"
