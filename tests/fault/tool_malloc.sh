#!/bin/sh
# Each allocation of every command fails, once and from there on: it ends with a documented exit code and names the
# lack of memory, or its result is as with memory. With a sanitizer's build nothing leaks meanwhile.
#   TOOL_MALLOC_STRIDE (1499): every how many-th; make fault: 97; 1 tries each, for an hour.
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
# The preloaded library stands before the sanitizer's, which is meant; an allocation may fail there too.
export ASAN_OPTIONS="${ASAN_OPTIONS:-}:verify_asan_link_order=0:allocator_may_return_null=1"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM
"$BUILD/tests/tool_fault_client" "$PINPIPE" "$BUILD/tests/malloc_interpose.so" "$work" memory "${TOOL_MALLOC_STRIDE:-1499}"
