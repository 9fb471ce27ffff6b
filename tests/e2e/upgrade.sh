#!/bin/sh
# Data directories of 0.2.0 open as they are: what 0.2.0 answered about them (tests/fixtures) is what this program answers,
# over the wire and by SQL, and work goes on with them.
set -u
: "${PINPIPE:?set PINPIPE to the program}"
fixtures=$(cd "$(dirname "$0")/../fixtures" && pwd)
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT INT TERM

for name in stopped killed; do
    sh "$fixtures/questions.sh" "$fixtures/0.2.0/$name.tar.gz" >"$work/$name" 2>&1 ||
        { tail -n 30 "$work/$name"; echo "not ok - a $name server's directory can be used"; exit 1; }
    diff "$fixtures/0.2.0/$name.answers" "$work/$name" ||
        { echo "not ok - a $name server's directory answers as 0.2.0 did (< then, > now)"; exit 1; }
    echo "ok - the directory of a 0.2.0 that was $name answers as it did, and takes more"
done

# A start that is refused leaves the files as they were: what can be refused is, before the store is opened and made anew.
dir=$work/refused
mkdir "$dir" && tar xzf "$fixtures/0.2.0/stopped.tar.gz" -C "$dir" || exit 1
# Its lock is written by whoever starts there.
sums() { (cd "$dir" && for file in *; do case $file in server.lock | server.json) ;; *) cksum "$file" ;; esac; done); }
sums >"$work/before"
# refused WHAT ARGUMENT...
refused() {
    what=$1
    shift
    "$PINPIPE" serve --ephemeral --data "$dir" "$@" >"$work/out" 2>&1 &&
        { cat "$work/out"; echo "not ok - $what is refused"; exit 1; }
    sums | diff "$work/before" - || { cat "$work/out"; echo "not ok - $what leaves a 0.2.0 directory as it was"; exit 1; }
}
refused 'an address that is none' --bind my-laptop
refused 'an address of another machine' --bind 203.0.113.7
refused 'an odd stage' --stage 'a b'
refused 'an odd user id' --iam-username 'a/b'
refused 'an upstream that is no URL' --gateway-upstream nonsense
refused 'an API key that is too long' --api-key "$(printf '%0200d' 0)"
refused 'a throttle beyond reason' --throttle 1:1e300
refused 'an odd log' --log loud
refused 'a ready file in no directory' --ready-file "$work/nowhere/ready.json"
refused 'a ready file that is a directory' --ready-file "$work"
port=$((20000 + $$ % 10000))
refused 'one port for two services' --s3 "$port" --rest "$port"
mkdir "$dir/server.json" || exit 1
refused 'a server.json that is a directory'
rmdir "$dir/server.json"
"$PINPIPE" serve --ephemeral --data "$work/other" --ready-file "$work/ready.json" >"$work/out" 2>&1 &
server=$!
tries=0
until [ -f "$work/ready.json" ]; do
    tries=$((tries + 1))
    [ $tries -lt 500 ] || { cat "$work/out"; echo 'not ok - a server is ready'; exit 1; }
    sleep 0.02
done
port=$(sed -n 's/.*"s3_url": "[^"]*:\([0-9]*\)".*/\1/p' "$work/ready.json")
refused 'a taken port' --s3 "$port"
kill "$server"
wait "$server"
echo 'ok - a start that is refused leaves a directory of 0.2.0 byte for byte as it was'
