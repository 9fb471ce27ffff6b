#!/bin/sh
# Half of what the server can take, for hours: soak.sh [MINUTES [CSV]], 480 when nothing is said. Too long for the quick suite; CI
# runs ten minutes. The CSV has a line a minute (every 10 s in a short run): memory, descriptors, latency.
set -eu
cd "$(dirname "$0")/../.."
BUILD=${BUILD:-build/release}
PINPIPE=${PINPIPE:-$BUILD/pinpipe}
minutes=${1:-480}
csv=${2:-$BUILD/soak.csv}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM
# A copy: a build meanwhile must not change what is running.
cp "$PINPIPE" "$work/pinpipe"
cp "$BUILD/tests/soak_client" "$work/soak_client"
if ! "$work/soak_client" "$work/pinpipe" "$work" $((minutes * 60)) "$csv"; then
    echo '# the server said:'
    tail -20 "$work/server.log"
    exit 1
fi
echo "# $csv"
