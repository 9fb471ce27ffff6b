#!/bin/sh
# What nobody uses, in the product's code (src, mock_server), seen in the objects of a variant that has been built with its
# tests (BUILD, by default build/release; `make check-build`):
#
#   unused           a function or table that nothing uses
#   static           one that only its own file uses: it should be static
#   tests only       one that besides its own file only tests use; told, not wrong: a seam may be for tests
#   named once       a member of a struct or enum, or a macro, that stands once in the whole product and in no test
#
# What include/ declares is the public interface and is left out. Exceptions stand in tests/lint/dead.txt, a line each: the
# name, then a sentence why. Exits 1 if anything but "tests only" is found.
set -u
cd "$(dirname "$0")/../.." || exit 1
variant=${BUILD:-build/release}
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT INT TERM
exceptions=tests/lint/dead.txt
[ -f "$exceptions" ] || exceptions=/dev/null

find "$variant/obj/src" "$variant/obj/mock_server" "$variant/obj/tests" "$variant/obj/gen" -name '*.o' | while read -r object; do
    source=${object#"$variant/obj/"}
    source=${source%.o}.c
    case $source in gen/*) ;; *) [ -f "$source" ] || continue ;; esac # of a file that has moved since
    nm -g "$object" | awk -v file="$source" 'NF == 3 && $2 ~ /[TDRBV]/ { print "D", file, $3 } $1 == "U" { print "U", file, $2 }'
done >"$work/symbols"

# Product code without comments, strings and what a file includes; tests as they are.
git ls-files 'src/*.[ch]' 'mock_server/*.[ch]' 'src/*.def' 'mock_server/*.def' 'include/*' | grep -v README >"$work/product"
git ls-files 'tests/*.[ch]' >"$work/tests"
xargs awk '
    FNR == 1 { comment = 0 }
    /^#include/ { next }
    {
        line = $0
        while (1) {
            if (comment) {
                if (!(i = index(line, "*/"))) { line = ""; break }
                line = substr(line, i + 2); comment = 0
            }
            gsub(/"([^"\\]|\\.)*"/, " ", line)
            if (!(i = index(line, "/*"))) break
            print FILENAME, substr(line, 1, i - 1)
            line = substr(line, i + 2); comment = 1
        }
        if (line != "") print FILENAME, line
    }' <"$work/product" >"$work/text"

awk -v EXCEPTIONS="$exceptions" '
    BEGIN { while ((getline line < EXCEPTIONS) > 0) { split(line, w, " "); excepted[w[1]] = 1 } }
    FILENAME == ARGV[1] {
        if ($1 == "D" && $2 !~ /^tests\//) home[$3] = $2
        else if ($1 == "U" && $2 ~ /^tests\//) tested[$3] = 1
        else if ($1 == "U") used[$3] = 1
        next
    }
    FILENAME == ARGV[2] {
        file = $1; sub(/^[^ ]+ /, "")
        if (file ~ /^include\//) { n = split($0, w, /[^A-Za-z0-9_]+/); for (i = 1; i <= n; i++) public_name[w[i]] = 1 }
        if ($0 ~ /^}/) block = 0
        # ROOM_OF_##ID uses every name that begins so.
        for (rest = $0; match(rest, /[A-Za-z0-9_]+_##/); rest = substr(rest, RSTART + RLENGTH)) prefix[substr(rest, RSTART, RLENGTH - 2)] = 1
        n = split($0, w, /[^A-Za-z0-9_]+/)
        for (i = 1; i <= n; i++) if (w[i] ~ /^[A-Za-z_]/) {
            count[w[i]]++; own[file, w[i]]++
            if ((block && $0 ~ "[^A-Za-z0-9_]" w[i] "[ ]*([[;,=:]|[)][(]|$)") || $0 ~ "^#define " w[i] "([^A-Za-z0-9_]|$)") where[w[i]] = file
            # A name of a .def is pasted behind a prefix.
            m = split(w[i], part, "_"); tail = ""
            for (k = m; k > 1; k--) { tail = part[k] (tail == "" ? "" : "_" tail); pasted[tail] = 1 }
        }
        if ($0 ~ /^(static |const |typedef )*(struct|enum|union)[ A-Za-z0-9_]*[{]$/) block = 1
        next
    }
    { n = split($0, w, /[^A-Za-z0-9_]+/); for (i = 1; i <= n; i++) in_tests[w[i]] = 1 }
    END {
        for (name in home) {
            if (home[name] ~ /^gen\// || name in public_name || name == "main" || name in used || name in excepted) continue
            if (own[home[name], name] > 1) kind = name in tested ? "" : "static"
            else kind = name in tested ? "tests only" : "unused"
            if (kind != "") print kind ": " name " in " home[name]
            if (kind != "") told[name] = 1
        }
        for (name in count) {
            if (count[name] != 1 || !(name in where) || name in told || name in in_tests || name in public_name || name in excepted) continue
            for (begin in prefix) if (index(name, begin) == 1) pasted[name] = 1
            if (where[name] ~ /\.def$/ || name ~ /^PINPIPE_|^_|^EMBEDDED_/ || name in pasted) continue
            print "named once: " name " in " where[name]
        }
    }' "$work/symbols" "$work/text" $(cat "$work/tests") | sort >"$work/found"
cat "$work/found"
! grep -qv '^tests only' "$work/found"
