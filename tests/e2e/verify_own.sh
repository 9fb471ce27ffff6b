#!/bin/sh
# Somebody's own script posts rows of the tables, with curl and in spellings of its own; verify judges it without a ledger, names
# the first row that was lost and where, and says in one line whose records they were.
set -u
. "$(dirname "$0")/lib/damage.sh"
. "$(dirname "$0")/lib/serve.sh"
user=0e36c8cd403d
verify() { "$PINPIPE" verify --data "$data" "$@" >out 2>err; }

# post TOPIC: each line of stdin is a value; the answers' statuses are checked.
post() {
    while read -r value; do
        printf '{"records":[{"value":%s}]}' "$value" >body
        curl -s -o answer -w '%{http_code}\n' "$gateway/topics/$1" -H 'Content-Type: application/vnd.kafka.json.v2+json' \
            --data-binary @body
    done >codes
    grep -qvx 200 codes && fail "every post to $1 is a 200" codes answer
}
# rows TABLE KEY FIRST COUNT: as JSON, a line each.
rows() {
    "$PINPIPE" sql --data "$data" --json "SELECT * FROM $1 WHERE $2 >= $3 ORDER BY $2 LIMIT $4" |
        sed -n 's/^\({.*}\),\{0,1\}$/\1/p'
}
# script FIRST COUNT: the rows of all three, table by table.
script() {
    rows pinterest_data '"index"' "$1" "$2" | post $user.pin
    rows geolocation_data ind "$1" "$2" | post $user.geo
    rows user_data ind "$1" "$2" | post $user.user
}
# must_say CODE LAST-LINE: that verdict, and nothing else in the last line.
must_say() {
    verify
    [ $? -eq "$1" ] || fail "exit $1" out err
    [ "$(tail -n 1 out)" = "$2" ] || fail "the last line is '$2'" out
}
restart() {
    start_server --iam-username $user
    gateway=$(sed -n 's/.*"gateway_url": *"\([^"]*\)".*/\1/p' ready.json)
}

"$PINPIPE" data generate --data "$data" >out 2>err || fail 'rows are generated' err
restart
verify
[ $? -eq 4 ] || fail 'nothing posted is exit 4' out err
grep -q "nothing to judge: $user.pin, $user.geo and $user.user hold no records yet" err || fail 'and says so' err
"$PINPIPE" connect create --data "$data" >out 2>err || fail 'the connector is created' out err
script 100 20
must_say 0 'PASS 60 records of your own script in 3 topics, all in 60 objects of S3'
verify --json && grep -q '"own":60,"whose":"own"' out || fail 'as JSON' out err
verify --strict
[ $? -eq 4 ] || fail '--strict wants a ledger' out err
ok 'twenty rows posted by a script pass, in the topics and in S3'
stop_server
keep

topic() { echo "(SELECT p.tp FROM partition p JOIN topic t ON t.id = p.topic_id WHERE t.name = '$user.$1')"; }
damage state "DELETE FROM record WHERE tp = $(topic geo) AND offset = 7"
damage state "DELETE FROM object WHERE key = 'topics/$user.geo/partition=0/$user.geo+0+0000000007.json'"
restart
must_say 1 "FAIL 1 incomplete, with 59 records of your own script; first: $user.geo partition 0 offset 7, row 107 of \
geolocation_data: lost here; its pin is at offset 7, its user at offset 7"
stop_server
restore
ok 'a record that its topic lost: the row, and where'

damage state "DELETE FROM record WHERE tp = $(topic user) AND offset = 19"
restart
must_say 1 "FAIL 1 unexpected in S3, with 59 records of your own script; first: $user.user partition 0 offset 19: \
topics/$user.user/partition=0/$user.user+0+0000000019.json begins beyond the topic's end"
grep -q "first: $user.user, row 119 of user_data: not there yet" out || fail 'and the row is named' out
stop_server
restore
ok 'the last record of all, which S3 still has'

damage state "DELETE FROM object WHERE key = 'topics/$user.pin/partition=0/$user.pin+0+0000000003.json'"
restart
must_say 1 "FAIL 1 missing in S3, with 60 records of your own script; first: $user.pin partition 0 offset 3, row 103 of \
pinterest_data: no topics/$user.pin/partition=0/$user.pin+0+0000000003.json"
stop_server
restore
ok 'a record that S3 lost: the row, and which object'

damage state "UPDATE object SET body = CAST(replace(CAST(body AS TEXT), '\"country\":\"', '\"country\":\"X') AS BLOB)
    WHERE key = 'topics/$user.geo/partition=0/$user.geo+0+0000000005.json'"
damage state "UPDATE object SET size = length(body) WHERE key = 'topics/$user.geo/partition=0/$user.geo+0+0000000005.json'"
restart
verify
[ $? -eq 1 ] || fail 'an altered object is exit 1' out err
grep -q "first: $user.geo partition 0 offset 5, row 105 of geolocation_data, field country: line 1 of topics" out ||
    fail 'with row and field' out
ok 'a line that S3 altered: the row, and the field'

stop_server
restore
restart
rows geolocation_data ind 200 3 | sed 's/"ind"/"index"/; s/\([0-9]\{4\}\)-\([0-9][0-9]\)-\([0-9][0-9]\) \([0-9:]\{8\}\)/\2\/\3\/\1, \4/' |
    post $user.geo
rows pinterest_data '"index"' 200 3 | sed 's/.*/[&]/' | post $user.pin
rows user_data ind 200 3 | sed 's/\([0-9]\) \([0-9][0-9]:\)/\1T\2/' | post $user.user
must_say 0 'PASS 69 records of your own script in 3 topics, all in 69 objects of S3'
grep -q 'note  other spelling *6 ' out || fail 'what trips a notebook is noted' out
ok 'renamed keys, lists and dates of every kind are the rows all the same'

rows pinterest_data '"index"' 300 1 | post $user.pin
must_say 0 'PASS 70 records of your own script in 3 topics, all in 70 objects of S3; 1 row at the end is not whole yet'
grep -q "first: $user.geo, row 300 of geolocation_data: not there yet; its pin is at offset 23" out ||
    fail 'a script stopped within a row is noted' out
"$PINPIPE" emulate batch --data "$data" --rows 10 >out 2>&1 || fail 'the emulator beside it' out
must_say 0 'PASS 100 records in 3 topics: 30 accounted for by 30 posts of the emulator, 70 records of your own script, all in 100 objects of S3; 1 row at the end is not whole yet'
verify --strict
[ $? -eq 1 ] || fail '--strict takes the ledger only' out err
grep -q 'FAIL  unexplained *70 ' out || fail 'and the rest is unexplained' out
ok 'beside the emulator both are judged; --strict takes the ledger only'

echo '{"no":"row"}' | post $user.pin
verify
[ $? -eq 1 ] || fail 'what is no row spoils the verdict' out err
verify --since last-start
[ $? -eq 1 ] || fail 'also since the start' out err
verify --since 1h
[ $? -eq 1 ] || fail 'and since an hour' out err
stop_server
verify --since last-start --timeout 1
[ $? -eq 4 ] || fail 'without a server --since last-start is exit 4' out err
verify --since yesterday
[ $? -eq 2 ] || fail 'no time is exit 2' out err
grep -q 'write 10:32' err || fail 'and says how a time is written' err
restart
verify --since last-start
[ $? -eq 4 ] || fail 'nothing since the start is exit 4' out err
grep -q 'no record of .* is younger than --since' err || fail 'and says so' err
script 400 2
verify --since last-start || fail 'what came since the start passes' out err
[ "$(tail -n 1 out)" = 'PASS 6 records of your own script in 3 topics, all in 6 objects of S3' ] || fail 'and nothing else is judged' out
ok '--since: what is older is not judged'

curl -sf -X PUT "$(sed -n 's/.*"s3_url": *"\([^"]*\)".*/\1/p' ready.json)/my-own-bucket" || fail 'a bucket of another name'
"$PINPIPE" connect delete --data "$data" >out 2>err || fail 'the connector is deleted' out err
cat >mine.properties <<P
connector.class=io.confluent.connect.s3.S3SinkConnector
topics.regex=$user.*
flush.size=1
s3.region=us-east-1
s3.bucket.name=my-own-bucket
storage.class=io.confluent.connect.s3.storage.S3Storage
format.class=io.confluent.connect.s3.format.json.JsonFormat
value.converter=org.apache.kafka.connect.json.JsonConverter
value.converter.schemas.enable=false
key.converter=org.apache.kafka.connect.storage.StringConverter
P
"$PINPIPE" connect create mine --config mine.properties --data "$data" >out 2>err || fail 'one that lands in it' out err
landed() { [ "$("$PINPIPE" s3 ls s3://my-own-bucket --recursive --data "$data" 2>err | wc -l)" -eq 107 ]; }
await 'everything lands there' landed
verify --since last-start || fail 'the bucket of the connector is looked into' out err
[ "$(tail -n 1 out)" = 'PASS 6 records of your own script in 3 topics, all in 6 objects of S3' ] || fail 'and all is there' out
ok 'the bucket is that of the connector'

"$PINPIPE" topics create other.pin --data "$data" >out 2>err || fail 'another user has a topic' out err
echo '{"no":"row"}' | post other.pin
verify --since last-start || fail 'it spoils nothing' out err
verify --iam-username other
[ $? -eq 1 ] || fail 'the other one has a verdict of its own' out err
[ "$(tail -n 1 out)" = 'FAIL 1 unexplained; first: other.pin partition 0 offset 0: it is no row of a table, and nobody noted down posting it' ] ||
    fail 'about its own record' out
ok 'one user spoils no other verdict'
