#!/bin/sh
# boto3 runs the whole list of S3 operations, and MSK Connect's, against the real binary: once where
# everybody may, once with credentials.
set -eu
cd "$(dirname "$0")/../.."
PINPIPE=${PINPIPE:-$PWD/build/release/pinpipe}
work=$(mktemp -d)
trap 'kill $(cat "$work/pid" 2>/dev/null) 2>/dev/null || true; rm -rf "$work"' EXIT

python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check boto3
url_of() { sed -n "s/.*\"$1\": \"\([^\"]*\)\".*/\1/p" "$work/ready"; }

for mode in anonymous signed; do
    credentials=
    [ $mode = anonymous ] || credentials='--credentials AKIDEXAMPLE:peer/test+secret'
    rm -f "$work/ready"
    # shellcheck disable=SC2086
    "$PINPIPE" serve --ephemeral --data "$work/$mode" --ready-file "$work/ready" --log warn $credentials 2>"$work/serve.log" &
    echo $! >"$work/pid"
    until [ -f "$work/ready" ]; do sleep 0.05; done
    "$work/venv/bin/python" tests/peers/boto3_s3.py "$(url_of s3_url)" $mode
    "$work/venv/bin/python" tests/peers/boto3_msk_connect.py "$(url_of msk_connect_url)" "$(url_of s3_url)" $mode
    kill "$(cat "$work/pid")"
    wait "$(cat "$work/pid")"
    rm -f "$work/pid"
done
