#!/bin/sh
# Each allocation of a session over every service fails, once and from there on, in the real server.
#   MALLOC_STRIDE (23): every how many-th; 1 tries each (make fault).
set -eu
cd "$(dirname "$0")/../.."
BUILD=${BUILD:-build/release}
PINPIPE=${PINPIPE:-$BUILD/pinpipe}
case $(uname) in
Linux) ;;
*)
    echo "ok - skipped: interposing needs LD_PRELOAD and glibc"
    exit 0
    ;;
esac
case $BUILD in /*) ;; *) BUILD=$PWD/$BUILD ;; esac
case $PINPIPE in /*) ;; *) PINPIPE=$PWD/$PINPIPE ;; esac
if nm -u "$PINPIPE" | grep -q __asan; then
    echo 'ok - skipped: the sanitizer has its own malloc'
    exit 0
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM
if ! "$BUILD/tests/malloc_client" "$PINPIPE" "$BUILD/tests/malloc_interpose.so" "$work" "${MALLOC_STRIDE:-23}"; then
    tail -20 "$work/server.log"
    exit 1
fi
