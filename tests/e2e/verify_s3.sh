#!/bin/sh
# A whole lake is damaged once per kind, in the server's file or through S3; verify --through s3 must find exactly
# that, name it with its first offender and the stage at which it vanished, and say FAIL.
set -u
. "$(dirname "$0")/lib/damage.sh"
. "$(dirname "$0")/lib/serve.sh"
bucket=s3://user-workshop-bucket
dir=topics/workshop.pin/partition=0

verify() { "$PINPIPE" verify --data "$data" --through s3 "$@" >out 2>err; }

"$PINPIPE" data generate --data "$data" >/dev/null || fail 'rows are generated'
start_server
"$PINPIPE" emulate batch --data "$data" --rows 15 --order sequential >out 2>&1 || fail 'rows are posted' out
verify
[ $? -eq 1 ] || fail 'records without a connector are exit 1' out err
[ "$(tail -n 1 out)" = 'FAIL 45 missing in S3' ] || fail 'they are missing in S3' out
grep -qF "no $dir/workshop.pin+0+0000000000.json; no connector is running: pinpipe connect create" out ||
    fail 'and it says why' out
"$PINPIPE" verify --data "$data" >out 2>err || fail 'the topics alone pass' out err
ok 'without a connector: missing in S3, and what to do'

landed() { [ "$("$PINPIPE" s3 ls $bucket --recursive --data "$data" 2>err | wc -l)" -eq "$1" ]; }
"$PINPIPE" connect create --data "$data" >out 2>err || fail 'the connector is created' out err
await 'what was posted before lands' landed 45
"$PINPIPE" emulate batch --data "$data" --rows 25 --order sequential >out 2>&1 || fail 'more rows are posted' out
verify --json --junit junit.xml || fail 'a whole lake passes' out err
grep -q '"through":"s3"' out && [ "$(json_number out objects)" = 120 ] && [ "$(json_number out lines)" = 120 ] ||
    fail 'with all its objects' out
grep -q 'tests="14" failures="0"' junit.xml || fail '--junit has the kinds of S3' junit.xml
verify || fail 'as text' out err
tail -n 1 out | grep -q '^PASS 120 records .* all in 120 objects of S3$' || fail 'the last line begins with PASS' out
"$PINPIPE" verify --data "$data" --through all >out 2>err || fail '--through all passes' out err
grep -q 'streams are not in this build yet' err || fail '--through all says what it leaves out' err
"$PINPIPE" verify --data "$data" --through s3 --s3-url http://127.0.0.1:1 >out 2>err
[ $? -eq 3 ] || fail 'no S3 is exit 3' out err
ok 'a whole lake passes, as text, JSON and JUnit'
stop_server
keep

pin="(SELECT p.tp FROM partition p JOIN topic t ON t.id = p.topic_id WHERE t.name = 'workshop.pin')"
object() { echo "key = 'topics/workshop.$1/partition=0/workshop.$1+0+00000000$2.json'"; }

damage state "DELETE FROM object WHERE $(object pin 07) OR $(object pin 09)"
must_fail 'missing in S3' 2 "workshop.pin partition 0 offset 7, row 7 of pinterest_data (ledger 22, run 1, triple 7): no $dir/workshop.pin+0+0000000007.json"

damage state "UPDATE object SET body = CAST(replace(CAST(body AS TEXT), '\"country\":\"', '\"country\":\"X') AS BLOB) WHERE $(object geo 05)"
damage state "UPDATE object SET size = length(body) WHERE $(object geo 05)"
must_fail 'altered in S3' 1 'workshop.geo partition 0 offset 5, row 5 of geolocation_data, field country (ledger 17, run 1, triple 5): line 1 of topics/workshop.geo/'

damage state "INSERT INTO object (bucket_id, key, size, etag, modified_ms, body) SELECT bucket_id,
    'topics/workshop.pin/year=2026/workshop.pin+0+0000000003.json', size, etag, modified_ms, body FROM object WHERE $(object pin 03)"
must_fail 'duplicate in S3' 1 'workshop.pin partition 0 offset 3: line 1 of topics/workshop.pin/year=2026/workshop.pin+0+0000000003.json'

damage state "INSERT INTO object (bucket_id, key, size, etag, modified_ms, body) SELECT bucket_id,
    'topics/workshop.pin/partition=0/notes.txt', size, etag, modified_ms, body FROM object WHERE $(object pin 03)"
must_fail 'unexpected in S3' 1 'workshop.pin: topics/workshop.pin/partition=0/notes.txt is no name'

damage state "UPDATE object SET body = CAST((SELECT group_concat(CAST(o.body AS TEXT), '') FROM
    (SELECT body FROM object WHERE $(object pin 00) UNION ALL SELECT body FROM object WHERE $(object pin 02)
    UNION ALL SELECT body FROM object WHERE $(object pin 01)) o) AS BLOB) WHERE $(object pin 00)"
damage state "UPDATE object SET size = length(body) WHERE $(object pin 00)"
damage state "DELETE FROM object WHERE $(object pin 01) OR $(object pin 02)"
must_fail 'out of order in S3' 1 'workshop.pin partition 0 offset 1: line 3 of'

# The stage at which a row vanished: in the topic, or behind it.
damage state "DELETE FROM record WHERE tp = $pin AND offset = 4"
judge
[ $? -eq 1 ] || fail 'a record that is gone behind its object is exit 1' out err
[ "$(tail -n 1 out)" = 'FAIL 1 missing, 1 unexpected in S3' ] || fail 'missing in the topic, and the object is left' out
ok 'a row that vanished from the topic is told from one that never landed'
restore

start_server
"$PINPIPE" connect delete --data "$data" >out 2>err || fail 'the connector is deleted' out err
sed 's/^ *//' >batch.properties <<'P'
    connector.class=io.confluent.connect.s3.S3SinkConnector
    topics.regex=workshop.*
    topics.dir=topics
    tasks.max=1
    flush.size=7
    s3.region=us-east-1
    s3.bucket.name=user-workshop-bucket
    s3.compression.type=gzip
    storage.class=io.confluent.connect.s3.storage.S3Storage
    format.class=io.confluent.connect.s3.format.json.JsonFormat
    value.converter=org.apache.kafka.connect.json.JsonConverter
    value.converter.schemas.enable=false
    key.converter=org.apache.kafka.connect.storage.StringConverter
P
for key in $("$PINPIPE" s3 ls $bucket --recursive --data "$data" | cut -c 32-); do
    curl -sf -X DELETE "http://127.0.0.1:$(ready_port s3_url)/user-workshop-bucket/$key" || fail "$key is deleted"
done
"$PINPIPE" connect create batch --config batch.properties --data "$data" >out 2>err || fail 'one that packs seven lines a file' out err
await 'its files land' landed 15
verify || fail 'packed files of seven lines pass' out err
grep -q 'note  waiting for S3 *15 ' out || fail 'what waits for its file is reported' out
tail -n 1 out | grep -q '^PASS .* all in 15 objects of S3$' || fail 'and passes' out
# The flush.size of a connector that takes other topics excuses nobody.
sed 's/^topics.regex=.*/topics.regex=elsewhere.*/; s/^flush.size=.*/flush.size=1000/' batch.properties >other.properties
"$PINPIPE" connect create other --config other.properties --data "$data" >out 2>err || fail 'one for other topics' out err
key=$("$PINPIPE" s3 ls $bucket/topics/workshop.pin/ --recursive --data "$data" | cut -c 32- | tail -n 1)
"$PINPIPE" s3 get "$bucket/$key" last --data "$data" >out 2>err || fail 'the last object' out err
curl -sf -X DELETE "http://127.0.0.1:$(ready_port s3_url)/user-workshop-bucket/$key" || fail "$key is deleted"
verify
[ $? -eq 1 ] || fail 'more than flush.size are missing at the end' out err
"$PINPIPE" s3 put last "$bucket/$key" --data "$data" >out 2>err || fail 'it is put back' out err
"$PINPIPE" connect delete other --data "$data" >out 2>err || fail 'and the other one deleted' out err
"$PINPIPE" connect pause batch --data "$data" >out 2>err || fail 'pause' out err
"$PINPIPE" emulate batch --data "$data" --rows 5 --order sequential >out 2>&1 || fail 'rows that nobody lands' out
verify
[ $? -eq 1 ] || fail 'a paused connector lands nothing' out err
grep -q 'no connector is running: pinpipe connect status' out || fail 'and it says so' out
ok 'flush.size, gzip and a pause: what waits for its file passes, what nobody lands does not'
