#!/bin/sh
# Crowds that hold connections, and somebody honest among them: crowd.sh [CONNECTIONS [ASKS [MIB]]]. 500 connections in the quick
# suite, with the least memory that there is; `make crowd` brings 10 000. Prints each crowd's peak of the server's memory and how
# long others waited. Fails on a wrong answer, a refusal, a crash and a peak above MIB, which is what serve --memory is told.
set -eu
cd "$(dirname "$0")/../.."
BUILD=${BUILD:-build/release}
PINPIPE=${PINPIPE:-$BUILD/pinpipe}
connections=${1:-500}
asks=${2:-10}
memory_mib=${3:-48}
judged=judged
# A sanitizer's own memory is nobody's promise.
if nm "$PINPIPE" 2>/dev/null | grep -qE '__(asan|tsan)_init'; then judged=unjudged; fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM
if ! "$BUILD/tests/crowd_client" "$PINPIPE" "$work" "$connections" "$asks" "$memory_mib" "$judged"; then
    echo '# the server said:'
    grep -v ' info  ' "$work/server.log" | tail -20
    exit 1
fi
