#!/bin/bash
# Runs every ```sh block of README.md, in order, in one shell, on a clean clone of HEAD: the first ten
# minutes must stay true. Blocks without a language are expected output and are looked for in what the block
# before them printed (a block without a language right behind text is an illustration). Needs the usual ports.
set -eu
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
git clone -q . "$work/clone"
awk -v work="$work" '
    /^```sh$/ { n++; kind = "sh"; file = work "/block." n; next }
    /^```$/ && kind == "" { kind = "out"; file = work (behind ? "/expect." : "/shown.") n; next }
    /^```$/ { behind = kind == "sh"; kind = ""; close(file); next }
    kind == "" && /[^ ]/ { behind = 0 }
    kind != "" { print > file }' README.md
cd "$work/clone"
script=$work/all.sh
# A block that fails leaves no server behind.
{ echo 'set -e'; echo "trap 'for data in .pinpipe ci-data; do build/release/pinpipe stop --data \$data || true; done >/dev/null 2>&1' EXIT"; } >"$script"
n=1
while [ -f "$work/block.$n" ]; do
    { echo "exec >$work/out.$n 2>&1"; cat "$work/block.$n"; } >>"$script"
    n=$((n + 1))
done
if ! timeout 900 bash "$script"; then
    for out in "$work"/out.*; do echo "--- $out"; cat "$out"; done
    echo 'not ok - a block of the README failed'
    exit 1
fi
i=1
while [ $i -lt $n ]; do
    if [ -f "$work/expect.$i" ] && ! grep -qF "$(cat "$work/expect.$i")" "$work/out.$i"; then
        echo "not ok - block $i of the README printed:"; cat "$work/out.$i"
        exit 1
    fi
    i=$((i + 1))
done
grep -q '^PASS' "$work/out.1" || { echo 'not ok - make demo did not PASS'; cat "$work/out.1"; exit 1; }
echo "ok - $((n - 1)) blocks of the README run on a clean clone"
