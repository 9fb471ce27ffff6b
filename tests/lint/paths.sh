#!/bin/sh
# What READMEs and docs/ name in backticks must be in the tree: a path that begins with one of our folders, or a name that ends
# as a source file does (`net/loop.c`, `generator*.c`). Run by lint.sh.
set -u
cd "$(dirname "$0")/../.." || exit 1
git ls-files | awk '
    function literal(text) { gsub(/[.+]/, "[&]", text); gsub(/\*/, "[^/]*", text); return text }
    FILENAME == "-" { tree[++files] = $0; top = $0; if (sub(/\/.*/, "", top)) tops[top] = 1; next }
    {
        count = split($0, part, "`")
        for (i = 2; i <= count; i += 2) {
            token = part[i]; sub(/ .*/, "", token)
            if (token !~ /^[A-Za-z0-9_.*\/-]+$/) continue
            top = token; sub(/\/.*/, "", top)
            if (!(token ~ /\// && top in tops) && token !~ /[A-Za-z0-9_*]\.(c|h|sh|def|awk)$/) continue
            sub(/\/$/, "", token)
            if (!(token in known)) {
                known[token] = 0
                pattern = (token ~ /^[*_]/ ? "" : "(^|/)") literal(token) "($|/)"
                for (f = 1; f <= files && !known[token]; f++) known[token] = tree[f] ~ pattern
            }
            if (!known[token]) { print FILENAME ":" FNR ": `" part[i] "` is not in the tree"; bad = 1 }
        }
    }
    END { exit bad }' - $(git ls-files '*README.md' 'docs/*.md' CONTRIBUTING.md)
