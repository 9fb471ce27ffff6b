#!/bin/sh
# The console consumer through the gateway: order, limits, groups, following, Ctrl-C, lost instances.
set -u
. "$(dirname "$0")/lib/serve.sh"

"$PINPIPE" data generate --data "$data" >/dev/null || fail 'rows are generated'
start_server --journal 1000
"$PINPIPE" emulate batch --data "$data" --rows 5 --order sequential >out 2>&1 || fail 'rows are posted' out
consume() { "$PINPIPE" consume --data "$data" "$@"; }

# Every instance that was created is deleted again: the journal has as many DELETEs as POSTs.
instances_left() {
    ask "SELECT sum(CASE WHEN method = 'POST' AND path LIKE '%/consumers/%' AND path NOT LIKE '%/instances/%'
                 AND status = 200 THEN 1 WHEN method = 'DELETE' AND status = 204 THEN -1 ELSE 0 END) AS n
         FROM requests WHERE service = 'gateway'"
}
no_instance_left() { [ "$(instances_left)" = 0 ]; }

consume workshop.geo --from-beginning --max-messages 5 --timeout 500 >out 2>err || fail 'five records are printed' out err
[ "$(wc -l <out)" -eq 5 ] || fail 'one value a line' out
head -n 1 out | grep -q '^{"ind":0,"timestamp":"' || fail 'values in order, as they are stored' out
grep -q 'consume: 5 records of workshop.geo' err || fail 'the count is on stderr' err
[ "$(grep -c 'base_uri names http://ec2-kafka-rest.internal' err)" -eq 1 ] ||
    fail 'a base_uri that points elsewhere is mentioned once' err
ok 'the values of a topic come one a line, in order'

consume workshop.user --from-beginning --max-messages 2 --json --timeout 500 >out 2>err || fail 'json' out err
head -n 1 out | grep -q '^{"topic":"workshop.user","partition":0,"offset":0,"key":null,"value":{"ind":0,' ||
    fail '--json prints objects' out
[ "$(wc -l <out)" -eq 2 ] || fail '--max-messages counts records, not pages' out
ok '--json prints topic, partition, offset, key and value'

consume workshop.user --timeout 300 >out 2>err || fail 'the group goes on' out err
[ "$(wc -l <out)" -eq 3 ] || fail 'a group goes on behind what it has printed' out err
consume workshop.user --timeout 300 >out 2>err || fail 'nothing new' out err
[ ! -s out ] || fail 'what was printed is committed' out
consume workshop.user --timeout 300 --from-beginning >out 2>err || fail 'again' out err
[ "$(wc -l <out)" -eq 5 ] || fail '--from-beginning does not mind what the group has read' out err
ok 'a group goes on where it stopped; --from-beginning reads all again'

consume workshop.pin --group mine --timeout 300 >out 2>err || fail 'a new group' out err
[ ! -s out ] || fail 'a new group begins at the end' out
ok 'a new group without --from-beginning sees only what comes'

"$PINPIPE" consume --data "$data" workshop.pin --group follower >out 2>err &
follower=$!
await 'the follower has joined' sh -c "'$PINPIPE' sql --data '$data' --csv \"SELECT count(*) FROM requests
    WHERE path LIKE '%follower%/records%'\" | grep -q '^[2-9]'"
"$PINPIPE" emulate batch --data "$data" --rows 3 --order sequential >/dev/null 2>&1
await 'the records arrive' sh -c '[ "$(wc -l <out)" -eq 3 ]'
kill -INT "$follower"
wait "$follower" || fail 'Ctrl-C is a clean end' out err
grep -q 'consume: 3 records of workshop.pin (stopped)' err || fail 'Ctrl-C prints the count' err
ok 'a follower prints what comes and ends cleanly at Ctrl-C'

await 'no instance is left behind' no_instance_left
ok 'every instance was deleted'

consume nosuch.topic >out 2>err
[ $? -eq 5 ] || fail 'an unknown topic is exit 5' out err
grep -q 'pinpipe topics create nosuch.topic' err || fail 'an unknown topic names the fix' err
consume >out 2>err
[ $? -eq 2 ] || fail 'no topic is exit 2' out err
consume workshop.pin --max-messages 0 >out 2>err
[ $? -eq 2 ] || fail '--max-messages 0 is exit 2' out err
ok 'an unknown topic and wrong usage name the fix'

"$PINPIPE" consume --data "$data" workshop.pin --group lost >out 2>err &
follower=$!
await 'it has joined' sh -c "'$PINPIPE' sql --data '$data' --csv \"SELECT count(*) FROM requests
    WHERE path LIKE '%/lost/%/records%'\" | grep -q '^[1-9]'"
port=$(ready_port gateway_url)
stop_server
wait "$follower"
[ $? -eq 3 ] || fail 'a server that goes away is exit 3' out err
ok 'a server that goes away is exit 3'
consume workshop.pin --invoke-url "http://127.0.0.1:$port/test" >out 2>err
[ $? -eq 3 ] || fail 'no server is exit 3' out err
grep -q 'pinpipe serve' err || fail 'no server names what to start' err
ok 'no server is exit 3 and names what to start'

start_server --permissions workshop
consume workshop.pin --group wrong --timeout 300 >out 2>err
[ $? -eq 4 ] || fail 'a group that the policy refuses is exit 4' out err
grep -q 'wrong' err || fail 'the refused group is named' err
ok 'a group that the policy refuses is exit 4'
stop_server

start_server --api-key secret-key-of-a-plan-1234
consume workshop.pin --timeout 300 >out 2>err
[ $? -eq 4 ] || fail 'a missing API key is exit 4' out err
consume workshop.pin --timeout 300 --api-key secret-key-of-a-plan-1234 >out 2>err || fail 'with the key' out err
ok 'the API key goes along'

kill -STOP "$server_pid"
"$PINPIPE" consume workshop.pin --data "$data" --api-key secret-key-of-a-plan-1234 >out 2>err &
hanging=$!
sleep 0.3
kill -TERM "$hanging"
wait "$hanging" 2>/dev/null
code=$?
kill -CONT "$server_pid"
[ "$code" -eq 5 ] && grep -q stopped err || fail 'a signal ends what a silent server holds up' err
ok 'a signal ends what a silent server holds up'
