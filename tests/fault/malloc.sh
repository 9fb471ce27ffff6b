#!/bin/sh
# Each allocation of a session over every service fails, once and from there on, in the real server.
#   MALLOC_STRIDE (23): every how many-th; 1 tries each (make fault).
set -eu
. "$(dirname "$0")/lib/interposed.sh"
needs_own_malloc
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM
if ! "$BUILD/tests/malloc_client" "$PINPIPE" "$BUILD/tests/malloc_interpose.so" "$work" "${MALLOC_STRIDE:-23}"; then
    tail -20 "$work/server.log"
    exit 1
fi
