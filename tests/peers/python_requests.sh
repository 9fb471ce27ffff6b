#!/bin/sh
# Python's requests and random against the real binary: a workshop script posts and reads back
# unchanged, and our emulator visits exactly the rows that it visits.
set -eu
cd "$(dirname "$0")/../.."
PINPIPE=${PINPIPE:-$PWD/build/release/pinpipe}
work=$(mktemp -d)
trap 'kill $(cat "$work/pid" 2>/dev/null) 2>/dev/null || true; rm -rf "$work"' EXIT
rounds=300

python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check requests

start() {
    rm -f "$work/ready"
    "$PINPIPE" serve --ephemeral --data "$1" --ready-file "$work/ready" --log warn 2>"$work/serve.log" &
    echo $! >"$work/pid"
    until [ -f "$work/ready" ]; do sleep 0.05; done
    gateway=$("$work/venv/bin/python" -c 'import json,sys; print(json.load(open(sys.argv[1]))["gateway_url"])' "$work/ready")
}
stop() { kill "$(cat "$work/pid")"; wait "$(cat "$work/pid")"; rm -f "$work/pid"; }

"$PINPIPE" data generate --data "$work/theirs" >/dev/null
mkdir -p "$work/ours"
cp "$work/theirs/rds.db" "$work/ours/"

start "$work/theirs"
"$work/venv/bin/python" tests/peers/workshop_script.py "$gateway" workshop "$work/theirs/rds.db" $rounds >"$work/their-rows"
stop
echo 'ok - a workshop script posts and reads back with requests, unchanged'

start "$work/ours"
"$PINPIPE" emulate batch --rows $rounds --data "$work/ours" >/dev/null 2>"$work/emulate.log" || { cat "$work/emulate.log"; exit 1; }
"$PINPIPE" sql --data "$work/ours" --csv "SELECT row FROM rows_posted WHERE kind = 'pin' ORDER BY triple" | tr -d '\r' | sed 1d >"$work/our-rows"
"$PINPIPE" verify --data "$work/ours" >"$work/verdict" || { cat "$work/verdict"; exit 1; }
stop
cmp "$work/their-rows" "$work/our-rows"
echo "ok - the emulator visits the $rounds rows that Python's random visits"

# The same rows through two different clients leave the same bytes in the topics.
for side in theirs ours; do
    "$PINPIPE" sql --data "$work/$side" --csv 'SELECT topic, partition, offset, value FROM records ORDER BY 1, 2, 3' >"$work/$side.csv"
done
cmp "$work/theirs.csv" "$work/ours.csv"
echo 'ok - json.dumps with escapes and our raw UTF-8 leave the same bytes in the topics'
