#!/bin/sh
# Lists each row of the specs' tables beside the transcript that shows it (spec_rows.txt). Fails when
# a row has none, or names a transcript or unit test that is not there; when a section has fewer rows
# than its tables gave when they were gone through; also when a transcript of the REST proxy or the
# gateway stands in no row. -v prints the whole list.
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
        unit/*/*.c:*)
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

# Rows by section; raise a number with the spec, never lower it to be rid of a row.
while read -r spec section least; do
    count=$(grep -c "^$spec $section | " "$rows")
    [ "$count" -ge "$least" ] || printf '%s %s -> MISSING: %s rows of %s\n' "$spec" "$section" "$count" "$least"
done >> "$report" << 'END'
api-gateway 1 7
api-gateway 2 7
api-gateway 3 3
api-gateway 4 22
api-gateway 6 1
api-gateway 7 1
aws-s3 2 5
aws-s3 3 3
aws-s3 4 38
aws-s3 5 32
aws-s3 6 5
aws-s3 7 5
design 5 2
kafka-rest-v2 0 10
kafka-rest-v2 1 22
kafka-rest-v2 1.0 7
kafka-rest-v2 1.2 7
kafka-rest-v2 1.5 14
kafka-rest-v2 2.1 53
kafka-rest-v2 2.2 9
kafka-rest-v2 3.1 2
kafka-rest-v2 3.2 1
kafka-rest-v2 3.3 1
kafka-rest-v2 3.4 2
kafka-rest-v2 3.5 1
kafka-rest-v2 3.6 1
kafka-rest-v2 4 7
kafka-rest-v2 5 22
kafka-rest-v2 6 1
kafka-rest-v2 7 1
s3-sink-connector 8 24
s3-sink-connector 9 4
workshop 7 4
END

[ "${1:-}" = -v ] && cat "$report"
bad=$(grep -c -e '-> MISSING' -e '-> NO PLACE' "$report")
if [ "$bad" -gt 0 ]; then
    grep -e '-> MISSING' -e '-> NO PLACE' "$report" >&2
    echo "not ok - golden coverage: $bad rows or transcripts without their other half" >&2
    exit 1
fi
echo "ok - golden coverage: $(grep -c . "$report") rows of the specs, $(grep -c 'left out: ' "$report") left out with a reason"
