#!/bin/sh
# The emulator against the real server: the script's rows, order, styles, throttling, exit codes.
set -u
. "$(dirname "$0")/lib/serve.sh"

"$PINPIPE" data generate --data "$data" >/dev/null || fail 'rows are generated'
start_server

"$PINPIPE" emulate batch --data "$data" --rows 12 >out 2>err || fail 'twelve rows are posted' out err
printf '%s\n' 7528 2863 5730 8304 8731 1313 4315 10794 5494 5069 2923 3089 >want
for pair in pin:index geo:ind user:ind; do
    ask "SELECT json_extract(value, '\$.${pair#*:}') FROM records WHERE topic = 'workshop.${pair%:*}'
         ORDER BY \"offset\"" >got
    cmp -s want got || fail "the topic of ${pair%:*} holds the script's rows in its order" want got
done
ok 'the rows that the workshop script visits are in the topics, in its order'

[ "$(ask "SELECT count(*) FROM rows_posted WHERE state = 'acked' AND attempts = 1")" = 36 ] ||
    fail 'the ledger has an acknowledged row a post'
ok 'the ledger has an acknowledged row a post'

ask "SELECT json_extract(value, '\$.timestamp') FROM records WHERE topic = 'workshop.geo'" >got
grep -qv '^....-..-..T..:..:..$' got && fail 'datetimes are written as isoformat() does' got
"$PINPIPE" emulate batch --data "$data" --rows 2 --datetime space >out 2>&1 || fail 'space style' out
ask "SELECT json_extract(value, '\$.date_joined') FROM records WHERE topic = 'workshop.user'
     ORDER BY \"offset\" DESC LIMIT 2" >got
grep -qv '^....-..-.. ..:..:..$' got && fail 'datetimes are written with a blank when asked' got
ok 'datetimes are written as isoformat() does, or with a blank'

last=$(ask 'SELECT max(id) FROM record')
"$PINPIPE" emulate batch --data "$data" --rows 20 --concurrency 1 --order random --seed 7 >out 2>&1 ||
    fail 'one post after the other' out
ask "SELECT t.name FROM record r JOIN partition p ON p.tp = r.tp JOIN topic t ON t.id = p.topic_id
     WHERE r.id > $last ORDER BY r.id" >got
i=0
while [ $i -lt 20 ]; do
    printf 'workshop.pin\nworkshop.geo\nworkshop.user\n'
    i=$((i + 1))
done >want
cmp -s want got || fail 'concurrency 1 posts pin, geo, user in strict turn' want got
ok 'concurrency 1 posts pin, geo, user in strict turn'

"$PINPIPE" emulate batch --data "$data" --json >out 2>err || fail 'the defaults post a thousand rows' out err
[ "$(json_number out acked)" = 3000 ] || fail 'the defaults post a thousand rows' out
[ "$(wc -l <out)" -eq 1 ] || fail '--json is one document' out
ok 'the defaults post a thousand rows'

"$PINPIPE" emulate batch --data "$data" --rows 200 --concurrency 24 --json >out 2>err ||
    fail 'many lanes a topic' out err
[ "$(json_number out lanes_per_topic)" = 8 ] || fail 'many lanes a topic' out
ok 'many posts in flight are acknowledged too'

"$PINPIPE" verify --data "$data" >out 2>&1 || fail 'what was posted verifies' out
ok 'what was posted verifies'
port=$(ready_port gateway_url)
stop_server

"$PINPIPE" emulate batch --data "$data" --invoke-url "http://127.0.0.1:$port/test" >out 2>err
[ $? -eq 3 ] || fail 'nothing listening is exit 3' out err
grep -q 'pinpipe serve' err || fail 'nothing listening names what to start' err
ok 'nothing listening is exit 3 and names what to start'

start_server --throttle 200:5
"$PINPIPE" emulate batch --data "$data" --rows 30 --json >out 2>err || fail 'throttled posts are tried again' out err
[ "$(json_number out acked)" = 90 ] && [ "$(json_number out retries)" -gt 0 ] ||
    fail 'throttled posts are tried again' out err
ok 'throttled posts are tried again until they are acknowledged'
stop_server

start_server --api-key sesame
"$PINPIPE" emulate batch --data "$data" --rows 500 --json >out 2>err
[ $? -eq 5 ] || fail 'a refusal of everything is exit 5' out err
[ "$(json_number out end)" = refused ] && [ "$(json_number out failed)" -le 3 ] && [ "$(json_number out retries)" = 0 ] ||
    fail 'a refusal of everything ends the run early' out err
grep -q 'HTTP 403' err || fail 'the reason is named' err
grep -q 'first post.*hint: ' err || fail 'with the hint of the server' err
"$PINPIPE" emulate batch --data "$data" --rows 5 --api-key sesame >out 2>err || fail 'the key opens' out err
"$PINPIPE" topics delete workshop.user --data "$data" --api-key sesame >out 2>err || fail 'a topic goes' err
"$PINPIPE" emulate batch --data "$data" --rows 500 --api-key sesame --json >out 2>err
[ $? -eq 5 ] && [ "$(json_number out end)" = refused ] && [ "$(json_number out retries)" = 0 ] || fail 'a missing topic' out err
grep -q 'hint: .*pinpipe topics create workshop.user' err || fail 'and what makes it' err
stop_server
start_server --stage prod --permissions workshop
"$PINPIPE" emulate batch --data "$data" --rows 500 --json --iam-username other >out 2>err
[ $? -eq 5 ] && [ "$(json_number out end)" = refused ] && grep -q '40301.*hint: ' err || fail 'a permission that is refused' out err
mkdir fresh && cp "$data/rds.db" fresh/
"$PINPIPE" emulate batch --data fresh --rows 500 --json --invoke-url "http://127.0.0.1:$(ready_port gateway_url)/test" >out 2>err
[ $? -eq 5 ] && [ "$(json_number out end)" = refused ] && grep -q 'HTTP 403.*hint: .*prod' err || fail 'a wrong stage' out err
"$PINPIPE" emulate batch --data fresh --rows 5 --invoke-url "http://127.0.0.1:$(ready_port gateway_url)/prod" >out 2>err ||
    fail 'the right one, with the same ledger' out err
ok 'what would be refused for ever ends the run at the first post, with the hint'
stop_server

rm -f "$data"/state.db*
start_server
"$PINPIPE" emulate batch --data "$data" --rows 5 >out 2>err
[ $? -eq 4 ] || fail "another cluster's ledger is exit 4" out err
grep -q 'cluster' err || fail 'both clusters are named' err
ok "another cluster's ledger is exit 4"
"$PINPIPE" emulate batch --data "$work/none" --invoke-url "http://127.0.0.1:$(ready_port gateway_url)/test" >out 2>err
[ $? -ne 0 ] && grep -q 'data generate' err || fail 'missing tables name the command that makes them' err
ok 'missing tables name the command that makes them'

usage() {
    code=$1
    shift
    "$PINPIPE" emulate "$@" --data "$data" >out 2>err
    [ $? -eq "$code" ] && [ -s err ] || fail "emulate $* is exit $code" out err
}
usage 2 batch --rows 0
usage 2 batch --rows 5 --forever
usage 2 batch --concurrency 0
usage 2 batch --concurrency 257
usage 2 batch --attempts 0
usage 2 batch --rate 0
usage 2 batch --order backwards
usage 2 batch --pace workshop --rate 5
usage 4 stream
usage 4 both
grep -q Kinesis err || fail 'Kinesis is named' err
ok 'mistakes on the command line have their exit codes'
