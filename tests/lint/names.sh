#!/bin/sh
# Names that a reader must be able to tell apart, in the product's code (src, mock_server, include):
#
# 1. A static function's name is defined in one file only, so that a backtrace and a search find one place.
# 2. A comment begins with its subject. It fails when its first word is
#      It, Its, They, Their, Them, That, Those, These, This, Such, Whose, Which    always
#      One     before a word that makes it a pronoun (of, that, which, is, with ...): "One line an event" may stand
#      What    unless a noun follows (the, a, an, every, no, a name): "What the files of the store share" may stand
#
# Prints the places, exits 1 if there are any. --count prints a line a rule and room, and exits 0.
# Exceptions stand in tests/lint/names.txt, a line each: the name or file, then a sentence why.
set -u
cd "$(dirname "$0")/../.." || exit 1
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT INT TERM
exceptions=tests/lint/names.txt
[ -f "$exceptions" ] || exceptions=/dev/null

git ls-files 'src/*.[ch]' 'mock_server/*.[ch]' >"$work/files"
# "name file" of every static function that is defined (inline ones of headers too).
xargs awk '
    FNR == 1 { head = "" }
    /^static / && !/=/ { head = $0; if (head ~ /\(/) look() ; else head = ""; next }
    head != "" { head = head " " $0; look() }
    function look(   text) {
        if (head !~ /\)[^()]*$/ && head !~ /;$/) { if (length(head) > 2000) head = ""; return }
        if (head ~ /;[ ]*$/) { head = ""; return }
        text = head
        gsub(/PP_[A-Z_]+\([^)]*\)|__attribute__\(\([^)]*\)\)/, "", text)
        sub(/\(.*/, "", text); sub(/.*[ *]/, "", text)
        if (text != "") print text, FILENAME
        head = ""
    }' <"$work/files" | sort -u >"$work/statics"
awk 'FILENAME == ARGV[1] { excepted[$1] = 1; next } { files[$1] = files[$1] " " $2; n[$1]++ }
     END { for (name in n) if (n[name] > 1 && !(name in excepted)) print name ":" files[name] }' "$exceptions" "$work/statics" |
    sort >"$work/names"

{ cat "$work/files"; git ls-files 'include/*.h' 'src/*.def' 'mock_server/*.def' 'include/*.def'; } | sort -u | xargs awk '
    FNR == 1 { inside = 0 }
    {
        line = $0
        # A comment may begin behind code; strings that hold a comment mark do not occur.
        if (!inside && match(line, /\/\*+[ ]*/)) {
            text = substr(line, RSTART + RLENGTH)
            at = FNR
            inside = line !~ /\*\//
            if (text == "") next
            judge(text)
        } else if (inside) {
            if (at == FNR - 1 && text == "") { text = line; sub(/^[ *]+/, "", text); judge(text) }
            if (line ~ /\*\//) inside = 0
        }
    }
    function judge(words,   first, second) {
        split(words, w, /[ ]+/)
        first = w[1]; second = w[2]
        sub(/[^A-Za-z].*$/, "", first)
        if (first ~ /^(It|Its|They|Their|Them|That|Those|These|This|Such|Whose|Which)$/ ||
            (first == "One" && second ~ /^(of|that|which|who|whose|is|was|has|had|can|cannot|may|must|shall|will|would|does|more|with|without|to|in|on|at|by|for|from|after|before|behind|beside|until|than|as|and|or|other)?[,;:.]*$/) ||
            (first == "One" && w[1] != "One") ||
            (first == "What" && second !~ /^(the|a|an|every|no|[A-Z].*)$/))
            print FILENAME ":" FNR ": " substr(words, 1, 80)
    }' | awk -v EXCEPTIONS="$exceptions" '
    BEGIN { while ((getline line < EXCEPTIONS) > 0) { split(line, w, " "); excepted[w[1]] = 1 } }
    { place = $1; sub(/:[0-9]+:$/, "", place); if (!(place in excepted)) print }' >"$work/comments"

if [ "${1:-}" = --count ]; then
    printf '%s static names in more than one file\n' "$(wc -l <"$work/names" | tr -d ' ')"
    awk '{ for (i = 2; i <= NF; i++) { sub(/\/[^\/]*$/, "", $i); if (!((NR, $i) in seen)) { seen[NR, $i] = 1; n[$i]++ } } }
         END { for (room in n) printf "  %4d  %s\n", n[room], room }' "$work/names" | sort -k2
    printf '%s comments that do not begin with their subject\n' "$(wc -l <"$work/comments" | tr -d ' ')"
    sed 's|/[^/]*:.*||' "$work/comments" | sort | uniq -c | awk '{ printf "  %4d  %s\n", $1, $2 }'
    exit 0
fi
sed 's/^/static name in more than one file: /' "$work/names"
sed 's/$/  <- does not begin with its subject/' "$work/comments"
[ ! -s "$work/names" ] && [ ! -s "$work/comments" ]
