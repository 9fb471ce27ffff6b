#!/bin/sh
# kill -9 under load: crash.sh [ROUNDS [SEED [PAIRS]]]. After PAIRS of the rounds the server is killed again while it recovers. Three
# rounds in the quick suite, hundreds in `make crash`.
set -eu
cd "$(dirname "$0")/../.."
BUILD=${BUILD:-build/release}
PINPIPE=${PINPIPE:-$BUILD/pinpipe}
rounds=${1:-3}
seed=${2:-$(date +%s)}
pairs=${3:-$(((rounds + 3) / 4))}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM
echo "# seed $seed"
for durability in full normal off; do
    if ! "$BUILD/tests/crash_client" "$PINPIPE" "$work" "$rounds" "$seed" "$durability" "$pairs"; then
        echo "# again with: tests/fault/crash.sh $rounds $seed $pairs; the server said:"
        tail -20 "$work/server.log"
        exit 1
    fi
done
