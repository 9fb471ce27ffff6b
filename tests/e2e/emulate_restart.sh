#!/bin/sh
# A server that is killed under load and comes back, and an emulator that is killed.
set -u
. "$(dirname "$0")/lib/serve.sh"

"$PINPIPE" data generate --data "$data" --rows 400 >/dev/null || fail 'rows are generated'
start_server
port=$(ready_port gateway_url)
rest_port=$(ready_port rest_url)

some_are_in() { [ "$(ask 'SELECT count(*) FROM record')" -gt "$1" ]; }

"$PINPIPE" emulate batch --data "$data" --order sequential --rate 600 --json \
    --invoke-url "http://127.0.0.1:$port/test" >out 2>err &
pid=$!
await 'some posts are acknowledged' some_are_in 100
stop_server KILL
sleep 0.3
start_server --gateway "$port" --rest "$rest_port"
wait $pid || fail 'posts are tried again until the server is back' out err
[ "$(json_number out acked)" = 1200 ] && [ "$(json_number out retries)" -gt 0 ] ||
    fail 'posts are tried again until the server is back' out err
grep -q 'trying again' err || fail 'a retry is told' err
ok 'posts are tried again until a killed server is back'
"$PINPIPE" verify --data "$data" >out 2>&1 || fail 'nothing is lost, nothing is doubled without a retry' out
ok 'nothing is lost, and no copy is without its retry'

before=$(ask 'SELECT count(*) FROM record')
"$PINPIPE" emulate batch --data "$data" --order random --forever >out 2>err &
pid=$!
await 'the second run is under way' some_are_in $((before + 200))
kill -KILL $pid
wait $pid 2>/dev/null
[ "$(ask "SELECT count(*) FROM rows_posted WHERE state = 'intent'")" -gt 0 ] || fail 'a killed emulator leaves intents'
records=$(ask 'SELECT count(*) FROM record')
[ "$(ask "SELECT count(*) FROM rows_posted WHERE state IN ('acked', 'intent')")" -ge "$records" ] ||
    fail 'every record was meant before it was sent'
"$PINPIPE" verify --data "$data" >out 2>&1 || fail 'what a killed emulator left is settled by the topics' out
ok 'a killed emulator leaves intents, which the topics settle'

"$PINPIPE" emulate batch --data "$data" --rows 50 >out 2>err || fail 'the ledger goes on after a kill' out err
ok 'the ledger goes on after a kill'

# The ports of the server that is gone, since another one may hold the usual ones.
stop_server KILL
"$PINPIPE" emulate batch --data "$data" --rows 5 --invoke-url "http://127.0.0.1:$port/test" --rest-url "http://127.0.0.1:$rest_port" \
    >out 2>err
[ $? -eq 3 ] || fail 'a server that is gone is exit 3' out err
ok 'a server that is gone is exit 3'
