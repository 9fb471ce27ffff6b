#!/bin/sh
# A full disk: with an interposed ENOSPC everywhere on Linux, and on a real file system of 8 MiB where
# this user may mount one.
set -eu
cd "$(dirname "$0")/../.."
BUILD=${BUILD:-build/release}
PINPIPE=${PINPIPE:-$BUILD/pinpipe}
case $BUILD in /*) ;; *) BUILD=$PWD/$BUILD ;; esac
case $PINPIPE in /*) ;; *) PINPIPE=$PWD/$PINPIPE ;; esac
export ASAN_OPTIONS="${ASAN_OPTIONS:-}:verify_asan_link_order=0"
work=$(mktemp -d)
mounted=
# shellcheck disable=SC2317
leave() {
    [ -z "$mounted" ] || umount "$work/disk" || true
    rm -rf "$work"
}
trap leave EXIT
trap 'exit 1' INT TERM
fail() {
    printf 'not ok - %s\n' "$*"
    tail -20 "$work"/server.log "$work"/disk/server.log 2>/dev/null || true
    exit 1
}

mkdir "$work/disk" "$work/interposed"
if [ "$(uname)" = Linux ]; then
    "$BUILD/tests/disk_client" "$PINPIPE" "$BUILD/tests/fsync_interpose.so" "$work/interposed" || {
        tail -20 "$work/interposed/server.log"
        exit 1
    }
else
    echo 'ok - skipped: interposing needs LD_PRELOAD and /proc'
fi
if ! mount -t tmpfs -o size=8m tmpfs "$work/disk" 2>/dev/null; then
    echo 'ok - skipped: this user may not mount a small file system'
    exit 0
fi
mounted=yes
"$BUILD/tests/disk_client" "$PINPIPE" - "$work/disk" || fail 'see above'

# A first start without room: named, exit 5, and nothing half made is left.
rm -rf "$work/disk/data"
mkdir "$work/disk/data"
cat /dev/zero >"$work/disk/ballast" 2>/dev/null || true
code=0
"$PINPIPE" serve --data "$work/disk/data" --ephemeral >"$work/out" 2>&1 || code=$?
[ "$code" -eq 5 ] || fail "a start on a full disk ended with $code: $(cat "$work/out")"
grep -qiE 'full|no space' "$work/out" || fail "the message does not name the disk: $(cat "$work/out")"
rm "$work/disk/ballast"
"$PINPIPE" serve --data "$work/disk/data" --ephemeral --ready-file "$work/ready" >"$work/out" 2>&1 &
pid=$!
for _ in $(seq 400); do
    [ ! -s "$work/ready" ] || break
    kill -0 "$pid" 2>/dev/null || fail "with room it does not start: $(cat "$work/out")"
    sleep 0.05
done
[ -s "$work/ready" ] || fail 'with room it does not start'
kill "$pid"
wait "$pid" || fail "it ended with $?"
echo 'ok - a start on a full disk exits 5 and says so; with room the same directory works'
