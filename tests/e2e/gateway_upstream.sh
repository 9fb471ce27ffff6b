#!/bin/sh
# The gateway of one pinpipe in front of the REST proxy of another: records go through it, errors of
# the way come out as API Gateway's, and a URL that is no URL is a configuration error.
set -eu
PINPIPE=${PINPIPE:?the program to test}
work=$(mktemp -d)
pids=
cleanup() {
    for pid in $pids; do
        kill "$pid" 2>/dev/null || true
        wait "$pid" 2>/dev/null || true
    done
    rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 1' INT TERM

ok() {
    echo "ok - gateway upstream: $1"
}
fail() {
    echo "not ok - gateway upstream: $1" >&2
    shift
    for text in "$@"; do
        printf '%s\n' "$text" >&2
    done
    exit 1
}
# start NAME FLAG...: a server of its own; its pid in $pid, its addresses in $work/NAME.json
start() {
    name=$1
    shift
    "$PINPIPE" serve --ephemeral --data :memory: --ready-file "$work/$name.json" "$@" \
        >"$work/$name.out" 2>&1 &
    pid=$!
    pids="$pids $pid"
    tries=0
    while [ ! -s "$work/$name.json" ]; do
        tries=$((tries + 1))
        if [ $tries -gt 500 ] || ! kill -0 "$pid" 2>/dev/null; then
            fail "the server \"$name\" did not start" "$(cat "$work/$name.out")"
        fi
        sleep 0.01
    done
}
# value NAME KEY: from the ready file
value() {
    tr ',{}' '\n\n\n' <"$work/$1.json" | sed -n 's/^ *"'"$2"'" *: *"\(.*\)" *$/\1/p'
}
# ask METHOD URL [BODY]: the status in $status, headers and body in files
ask() {
    status=$(curl -s -o "$work/body" -D "$work/head" -w '%{http_code}' -X "$1" \
        -H 'Content-Type: application/vnd.kafka.json.v2+json' ${3+--data-binary "$3"} "$2")
}
look() {
    status=$(curl -s -o "$work/body" -w '%{http_code}' "$1")
}
head_has() {
    tr -d '\r' <"$work/head" | grep -q -i "$1" || fail "no header like $1" "$(cat "$work/head")"
}
expect() {
    [ "$status" = "$2" ] || fail "$1: status $status" "$(cat "$work/body")"
    [ "$(cat "$work/body")" = "$3" ] || fail "$1: another body" "$(cat "$work/body")"
}

start behind
behind=$pid
rest=$(value behind rest_url)
start front --gateway-upstream "$rest"
url=$(value front gateway_url)

receipt='{"offsets":[{"partition":0,"offset":0,"error_code":null,"error":null}],"key_schema_id":null,"value_schema_id":null}'
ask POST "$url/topics/workshop.pin" '{"records":[{"value":{"index":7,"title":"caf\u00e9"}}]}'
expect "a record" 200 "$receipt"
head_has '^x-amzn-RequestId: [0-9a-f-]\{36\}$'
head_has '^x-amz-apigw-id: .\{15\}=$'
head_has '^x-amzn-Remapped-Content-Length: '
ok "a record posted through it is acknowledged by the proxy behind"

ask GET "$rest/topics/workshop.pin/partitions/0/offsets"
[ "$status" = 415 ] || fail "the proxy's own port takes no such Content-Type on GET" "$status"
look "$rest/topics/workshop.pin/partitions/0/offsets"
expect "the offsets behind" 200 '{"beginning_offset":0,"end_offset":1}'
look "$(value front rest_url)/topics/workshop.pin/partitions/0/offsets"
expect "the offsets of the server in front" 200 '{"beginning_offset":0,"end_offset":0}'
ok "the record is behind, not in front"

curl -s -X POST -H 'Content-Type: application/vnd.kafka.v2+json' \
    -d '{"name":"c1","format":"json"}' "$url/consumers/students" >"$work/body"
expect "base_uri" 200 "{\"instance_id\":\"c1\",\"base_uri\":\"$rest/consumers/students/instances/c1\"}"
ok "base_uri names the upstream's host"

ask GET "$url/nothing/here"
expect "an unknown path" 404 '{"error_code":404,"message":"HTTP 404 Not Found"}'
ask POST "$url"
expect "the root" 403 '{"message":"Missing Authentication Token"}'
head_has '^x-amzn-ErrorType: MissingAuthenticationTokenException$'
ok "errors of the proxy pass, errors of the gateway are its own"

lines=0
while [ $lines -lt 50 ]; do
    lines=$((lines + 1))
    printf 'url = "%s/topics/workshop.geo"\ndata = "{\\"records\\":[{\\"value\\":%d}]}"\n' "$url" $lines
    printf 'header = "Content-Type: application/vnd.kafka.json.v2+json"\noutput = "/dev/null"\n'
    printf 'write-out = "%%{http_code}\\n"\nsilent\nnext\n'
done >"$work/many"
sed -i.bak '$d' "$work/many"
[ "$(curl -K "$work/many" | sort | uniq -c | tr -s ' ')" = " 50 200" ] || fail "50 posts on one connection"
look "$rest/topics/workshop.geo/partitions/0/offsets"
expect "50 posts" 200 '{"beginning_offset":0,"end_offset":50}'
ok "many requests on one connection arrive once each"

kill "$behind"
wait "$behind" 2>/dev/null || true
ask POST "$url/topics/workshop.pin" '{"records":[{"value":1}]}'
expect "a stopped upstream" 504 '{"message":"Network error communicating with endpoint"}'
head_has '^x-amzn-ErrorType: InternalServerErrorException$'
head_has '^X-Pinpipe-Hint: nothing listens at '
ok "a stopped upstream is 504"

code=0
"$PINPIPE" serve --ephemeral --data :memory: --gateway-upstream ftp://127.0.0.1 2>"$work/body" || code=$?
[ "$code" = 4 ] || fail "an upstream that is no http URL exits $code" "$(cat "$work/body")"
grep -q 'not an http or https URL' "$work/body" || fail "the message names no cause" "$(cat "$work/body")"
ok "an upstream that is not http(s) is a configuration error"
