#!/bin/sh
# Each call to a file fails once, EIO or ENOSPC: of the server, in a new directory and in one that is there, and of every
# command. Nothing acknowledged is lost, the error names file and cause, nothing ends with 0 that is not whole.
#   FILE_STRIDE (31): every how many-th call of the server; TOOL_FILE_STRIDE (997): of each command, a few at least.
set -eu
. "$(dirname "$0")/lib/interposed.sh"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM
mkdir "$work/server" "$work/tools"
if ! "$BUILD/tests/file_fault_client" "$PINPIPE" "$BUILD/tests/file_interpose.so" "$work/server" "${FILE_STRIDE:-31}"; then
    tail -20 "$work/server/server.log"
    exit 1
fi
"$BUILD/tests/tool_fault_client" "$PINPIPE" "$BUILD/tests/file_interpose.so" "$work/tools" files "${TOOL_FILE_STRIDE:-997}"
