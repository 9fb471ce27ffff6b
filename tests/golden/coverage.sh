#!/bin/sh
# Lists each row of the specs' tables beside the transcript that shows it (spec_rows.txt). Fails when
# a row has none, or names a transcript or unit test that is not there; also when a transcript of the
# REST proxy or the gateway stands in no row. -v prints the whole list.
set -u
cd "$(dirname "$0")/../.." || exit 2
rows=tests/golden/spec_rows.txt
report=$(mktemp) || exit 2
trap 'rm -f "$report"' EXIT

# The row's text may hold a bar of its own: the first and the last one cut.
awk -F ' [|] ' '
/^#/ || /^[ \t]*$/ { next }
{ place = $NF; row = $2; for (i = 3; i < NF; i++) row = row " | " $i
  print (NF < 3 ? "malformed" : place) "\t" $1 "\t" row }' "$rows" |
while IFS="$(printf '\t')" read -r place section row; do
    case $place in
        malformed) state="NO PLACE" ;;
        '- '?*) state="left out: ${place#- }" ;;
        unit/*.c:*)
            file=tests/${place%%:*}
            grep -q "void ${place##*:}(" "$file" 2>/dev/null && state=$place || state="MISSING $place" ;;
        *.http) [ -s "tests/golden/$place" ] && state=$place || state="MISSING $place" ;;
        *) state="NO PLACE" ;;
    esac
    printf '%s  %s -> %s\n' "$section" "$row" "$state"
done > "$report"

find tests/golden -name '*.http' | sort | while read -r file; do
    name=${file#tests/golden/}
    grep -qF "| $name" "$rows" || printf '%s -> MISSING: no row of spec_rows.txt names it\n' "$name"
done >> "$report"

[ "${1:-}" = -v ] && cat "$report"
bad=$(grep -c -e '-> MISSING' -e '-> NO PLACE' "$report")
if [ "$bad" -gt 0 ]; then
    grep -e '-> MISSING' -e '-> NO PLACE' "$report" >&2
    echo "not ok - golden coverage: $bad rows or transcripts without their other half" >&2
    exit 1
fi
echo "ok - golden coverage: $(grep -c . "$report") rows of the specs, $(grep -c 'left out: ' "$report") left out with a reason"
