#!/bin/sh
# Each allocation of every command fails, once and from there on: it ends with a documented exit code and names the
# lack of memory, or its result is as with memory. With a sanitizer's build nothing leaks meanwhile.
#   TOOL_MALLOC_STRIDE (1499): every how many-th; make fault: 97; 1 tries each, for an hour.
set -eu
. "$(dirname "$0")/lib/interposed.sh"
export ASAN_OPTIONS="$ASAN_OPTIONS:allocator_may_return_null=1" # an allocation may fail there too
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM
"$BUILD/tests/tool_fault_client" "$PINPIPE" "$BUILD/tests/malloc_interpose.so" "$work" memory "${TOOL_MALLOC_STRIDE:-1499}"
