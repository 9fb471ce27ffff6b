#!/bin/sh
# Each call to a file fails once, EIO or ENOSPC: of the server, in a new directory and in one that is there, and of every
# command. Nothing acknowledged is lost, the error names file and cause, nothing ends with 0 that is not whole.
#   FILE_STRIDE (31): every how many-th call of the server; TOOL_FILE_STRIDE (997): of each command, a few at least.
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
case $PINPIPE in /*) ;; *) PINPIPE=$PWD/$PINPIPE ;; esac
# The preloaded library stands before the sanitizer's, which is meant.
export ASAN_OPTIONS="${ASAN_OPTIONS:-}:verify_asan_link_order=0"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM
mkdir "$work/server" "$work/tools"
if ! "$BUILD/tests/file_fault_client" "$PINPIPE" "$BUILD/tests/file_interpose.so" "$work/server" "${FILE_STRIDE:-31}"; then
    tail -20 "$work/server/server.log"
    exit 1
fi
"$BUILD/tests/tool_fault_client" "$PINPIPE" "$BUILD/tests/file_interpose.so" "$work/tools" files "${TOOL_FILE_STRIDE:-997}"
