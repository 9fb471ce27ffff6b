#!/bin/sh
# No 2xx before its fsync, none after a failed one: the real binary under an interposed fsync.
set -eu
cd "$(dirname "$0")/../.."
BUILD=${BUILD:-build/release}
PINPIPE=${PINPIPE:-$BUILD/pinpipe}
case $(uname) in
Linux) ;;
*)
    echo "ok - skipped: interposing needs LD_PRELOAD and /proc"
    exit 0
    ;;
esac
case $BUILD in /*) ;; *) BUILD=$PWD/$BUILD ;; esac
# The preloaded library stands before the sanitizer's, which is meant.
export ASAN_OPTIONS="${ASAN_OPTIONS:-}:verify_asan_link_order=0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM
if ! "$BUILD/tests/fsync_client" "$PINPIPE" "$BUILD/tests/fsync_interpose.so" "$work"; then
    tail -20 "$work/server.log"
    exit 1
fi
