#!/bin/sh
# Every golden transcript against a server of which one in so many allocations fails: any answer is good, silence is not, and
# it ends when it is told to.
#   STARVE_ROUNDS (1): each lets others fail; make cover: 10. With MALLOC_STRIDE=1 (make fault): 40.
set -eu
. "$(dirname "$0")/lib/interposed.sh"
needs_own_malloc
said=$(mktemp)
trap 'rm -f "$said"' EXIT INT TERM
usual=1
[ "${MALLOC_STRIDE:-}" != 1 ] || usual=40
rounds=${STARVE_ROUNDS:-$usual}
round=1
while [ "$round" -le "$rounds" ]; do
    # From one in 5 to one in 61, so that both what comes first and what comes late gets its turn.
    one_in=$((5 + round * 23 % 57))
    if ! "$BUILD/golden/replay" --starve "$BUILD/tests/starve_interpose.so" "$one_in:$round" "$PINPIPE" tests/golden >"$said" 2>&1; then
        cat "$said"
        echo "not ok - starving, one in $one_in, seed $round"
        exit 1
    fi
    round=$((round + 1))
done
echo "ok - $rounds times all transcripts in a server that lacks memory: each request got an answer or an end, each server ended when told to"
