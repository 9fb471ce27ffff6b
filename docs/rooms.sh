#!/bin/sh
# Writes the rows of "who may include whom" into docs/architecture.md, between its two marks, from rooms.mk (`make docs`);
# with --check only says whether they are as they should be. What a room is stands in the first line of its README.
cd "$(dirname "$0")/.." || exit 1
page=docs/architecture.md
rows() {
    printf '| room | what it is | sees |\n|---|---|---|\n'
    sed -e :a -e '/\\$/N; s/\\\n//; ta' rooms.mk | sed -n 's/^SEES_\([^ ]*\) *:= */\1 /p' | while read -r room sees; do
        what=$(awk 'NR > 1 && NF { print; exit }' "$room/README.md" 2>/dev/null | sed 's/|/\\|/g; s/[.:;] .*//; s/\.$//')
        printf '| `%s` | %s | %s |\n' "$room" "$what" "$(printf '%s' "${sees:-nothing}" | sed 's|mock_server/||g; s/ \{1,\}/, /g')"
    done
}
made=$(mktemp) || exit 1
trap 'rm -f "$made" "$made.rows"' EXIT INT TERM
rows >"$made.rows"
awk -v rows="$made.rows" '
    /<!-- rooms -->/ { print; while ((getline line < rows) > 0) print line; skip = 1; next }
    /<!-- end of rooms -->/ { skip = 0 } !skip' "$page" >"$made"
if [ "${1:-}" = --check ]; then
    cmp -s "$made" "$page"
else
    cat "$made" >"$page"
fi
