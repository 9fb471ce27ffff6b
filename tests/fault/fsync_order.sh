#!/bin/sh
# No 2xx before its fsync, none after a failed one: the real binary under an interposed fsync.
set -eu
. "$(dirname "$0")/lib/interposed.sh"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM
if ! "$BUILD/tests/fsync_client" "$PINPIPE" "$BUILD/tests/fsync_interpose.so" "$work"; then
    tail -20 "$work/server.log"
    exit 1
fi
