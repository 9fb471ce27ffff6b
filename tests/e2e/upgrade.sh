#!/bin/sh
# Data directories of 0.2.0 open as they are: what 0.2.0 answered about them (tests/fixtures) is what this program answers,
# over the wire and by SQL, and work goes on with them.
set -u
: "${PINPIPE:?set PINPIPE to the program}"
fixtures=$(cd "$(dirname "$0")/../fixtures" && pwd)
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT INT TERM

for name in stopped killed; do
    sh "$fixtures/questions.sh" "$fixtures/0.2.0/$name.tar.gz" >"$work/$name" 2>&1 ||
        { tail -n 30 "$work/$name"; echo "not ok - a $name server's directory can be used"; exit 1; }
    diff "$fixtures/0.2.0/$name.answers" "$work/$name" ||
        { echo "not ok - a $name server's directory answers as 0.2.0 did (< then, > now)"; exit 1; }
    echo "ok - the directory of a 0.2.0 that was $name answers as it did, and takes more"
done
