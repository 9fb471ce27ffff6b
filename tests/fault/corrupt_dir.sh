#!/bin/sh
# Data directories that cannot be used: the real binary names the cause and the fix, exits 4, and
# leaves what it found as it was.
set -eu
cd "$(dirname "$0")/../.."
BUILD=${BUILD:-build/release}
PINPIPE=${PINPIPE:-$BUILD/pinpipe}
case $PINPIPE in /*) ;; *) PINPIPE=$PWD/$PINPIPE ;; esac
work=$(mktemp -d)
chmod 755 "$work"
pid=
# shellcheck disable=SC2317
leave() {
    [ -z "$pid" ] || kill "$pid" 2>/dev/null || true
    chmod -R u+w "$work" 2>/dev/null || true
    rm -rf "$work"
}
trap leave EXIT
trap 'exit 1' INT TERM
fail() {
    printf 'not ok - %s\n' "$*"
    exit 1
}

start() { # DIR: starts a server on it and waits until it is ready
    rm -f "$work/ready"
    "$PINPIPE" serve --data "$1" --ephemeral --ready-file "$work/ready" >"$work/server.log" 2>&1 &
    pid=$!
    for _ in $(seq 400); do
        [ ! -s "$work/ready" ] || return 0
        kill -0 "$pid" 2>/dev/null || fail "no start on $1: $(cat "$work/server.log")"
        sleep 0.05
    done
    fail "not ready on $1"
}

stop() {
    kill "$pid"
    wait "$pid" || fail "the server ended with $?"
    pid=
}

post() { # one record, so that the file has been acknowledged from
    url=$(sed -n 's/.*"rest_url": "\([^"]*\)".*/\1/p' "$work/ready")
    "$PINPIPE" topics create "kept$1" --rest-url "$url" >"$work/out" 2>&1 || fail "topics create: $(cat "$work/out")"
}

refused() { # WHAT DIR WORDS [RUNNER...]: serve must exit 4 with WORDS and the --data hint
    what=$1 dir=$2 words=$3
    shift 3
    code=0
    "$@" "$PINPIPE" serve --data "$dir" --ephemeral >"$work/out" 2>&1 || code=$?
    [ "$code" -eq 4 ] || fail "$what: exit $code: $(cat "$work/out")"
    grep -q -- "$words" "$work/out" || fail "$what: does not say \"$words\": $(cat "$work/out")"
    grep -q -- '--data' "$work/out" || fail "$what: names no fix: $(cat "$work/out")"
    echo "ok - $what: exit 4, cause and fix"
}

good=$work/good
start "$good"
post 1
stop
patched() { # NAME: a copy of the good directory
    cp -R "$good" "$work/$1"
    printf '%s' "$work/$1"
}

# Another program's SQLite file: an application id that is not ours.
dir=$(patched foreign)
printf 'THEM' | dd of="$dir/state.db" bs=1 seek=68 conv=notrunc 2>/dev/null
before=$(cksum <"$dir/state.db")
refused 'the file of another program' "$dir" 'of another program'
[ "$before" = "$(cksum <"$dir/state.db")" ] || fail 'the foreign file was changed'

dir=$(patched newer)
printf '\000\000\000\011' | dd of="$dir/state.db" bs=1 seek=60 conv=notrunc 2>/dev/null
refused 'a newer format' "$dir" 'newer pinpipe'

dir=$(patched text)
printf 'Dear diary,\n' >"$dir/state.db"
refused 'a text file' "$dir" 'not an SQLite file'
[ "$(cat "$dir/state.db")" = 'Dear diary,' ] || fail 'the text file was changed'

dir=$(patched truncated)
dd if="$good/state.db" of="$dir/state.db" bs=4096 count=2 2>/dev/null
refused 'a file cut off' "$dir" 'damaged'

dir=$(patched zeros)
dd if=/dev/zero of="$dir/state.db" bs=4096 count=10 2>/dev/null
refused 'a file of zeros' "$dir" 'damaged'

dir=$(patched page)
tr '\000' '\356' </dev/zero | dd of="$dir/state.db" bs=4096 seek=1 count=2 conv=notrunc 2>/dev/null
refused 'a damaged page' "$dir" 'damaged'

dir=$(patched emptied)
: >"$dir/state.db"
printf 'something' >"$dir/state.db-wal"
refused 'an emptied file with a log' "$dir" 'restore state.db from a copy'

printf 'x' >"$work/file"
refused 'a file in the place of the directory' "$work/file" "$work/file"
refused 'a directory below a file' "$work/file/below" "$work/file"

# Unwritable: for root nothing is, so another user tries.
dir=$(patched readonly)
runner=
if [ "$(id -u)" -eq 0 ]; then
    for candidate in 'setpriv --reuid=65534 --regid=65534 --clear-groups' 'runuser -u nobody --'; do
        # shellcheck disable=SC2086
        if $candidate test -x "$PINPIPE" 2>/dev/null; then
            runner=$candidate
            break
        fi
    done
fi
chmod 555 "$dir"
chmod 444 "$dir"/*
if [ "$(id -u)" -ne 0 ] || [ -n "$runner" ]; then
    # shellcheck disable=SC2086
    refused 'a directory that is not writable' "$dir" "$dir" $runner
    mkdir "$work/closed"
    chmod 700 "$work/closed"
    [ "$(id -u)" -eq 0 ] || chmod 000 "$work/closed"
    # shellcheck disable=SC2086
    refused 'a directory that may not be entered' "$work/closed/data" "$work/closed" $runner
else
    echo 'ok - skipped: no other user to try an unwritable directory with'
fi

# A second server: names the first one's pid; the first one is not disturbed.
start "$good"
refused 'a directory in use' "$good" "$pid"
post 2
stop

# After all that the good directory still works, and so does one whose server was killed.
start "$good"
kill -9 "$pid"
wait "$pid" 2>/dev/null || true
start "$good"
post 3
stop
echo 'ok - a directory whose server was killed starts again'
