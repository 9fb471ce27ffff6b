#!/bin/sh
# `pinpipe connect` against the server: the workshop's connector, its text as people paste it, the trap of a comment
# behind a value, and every other verb.
set -u
. "$(dirname "$0")/lib/serve.sh"
bucket=s3://user-workshop-bucket

connect() { "$PINPIPE" connect "$@" --data "$data" >out 2>err; }
# refused CODE WORD COMMAND...: the exit code, and the word on stderr.
refused() {
    code=$1
    word=$2
    shift 2
    connect "$@"
    got=$?
    [ $got -eq "$code" ] || fail "connect $* is exit $code (not $got)" out err
    grep -q -e "$word" err || fail "connect $* says $word" out err
}
has_task() { connect status "$1" && grep -q "task 0  $2" out; }
landed() { "$PINPIPE" s3 ls "$bucket/topics/$1/" --recursive --data "$data" >out 2>err && [ "$(wc -l <out)" -eq "$2" ]; }
post() {
    curl -sf "$(sed -n 's/.*"rest_url": *"\([^"]*\)".*/\1/p' ready.json)/topics/$1" \
        -H 'Content-Type: application/vnd.kafka.json.v2+json' -d "{\"records\":[{\"value\":$2}]}" >/dev/null || fail "a post to $1"
}

start_server
connect list || fail 'no connector is no failure' out err
[ ! -s out ] || fail 'nothing is listed' out
connect plugins || fail 'the plugins are listed' out err
grep -q '^io.confluent.connect.s3.S3SinkConnector  sink  ' out || fail 'the S3 sink is among them' out
connect validate || fail 'the workshop'"'"'s configuration is valid' out err
[ "$(cat out)" = valid ] || fail 'and it says so' out
connect create || fail 'the workshop'"'"'s connector is created' out err
[ "$(head -1 out)" = 'created workshop-connector' ] || fail 'by the workshop'"'"'s name' out
grep -qx '  task 0  RUNNING' out || fail 'with the states of its tasks' out
refused 5 'already exists' create
await 'its task runs' has_task workshop-connector RUNNING
post workshop.pin '{"index":7,"title":"x"}'
await 'the record lands' landed workshop.pin 1
"$PINPIPE" s3 cat $bucket/topics/workshop.pin/partition=0/workshop.pin+0+0000000000.json --data "$data" >out 2>err
[ "$(cat out)" = '{"index":7,"title":"x"}' ] || [ "$(cat out)" = '{"title":"x","index":7}' ] || fail 'as JSON in a line' out err
ok 'create without more is the workshop'"'"'s connector, and it works'

connect list || fail 'it is listed' out err
grep -q '^workshop-connector  *RUNNING  tasks: RUNNING' out || fail 'with its state' out
connect pause || fail 'pause' out err
await 'it pauses' has_task workshop-connector PAUSED
connect resume || fail 'resume' out err
await 'it goes on' has_task workshop-connector RUNNING
connect restart workshop-connector || fail 'restart' out err
connect status --json || fail 'the document' out err
grep -q '"worker_id"' out || fail 'is the API'"'"'s' out
connect delete || fail 'delete' out err
refused 5 'workshop-connector' status
refused 5 'nobody' delete nobody
connect list && [ ! -s out ] || fail 'nothing is listed any more' out
ok 'pause, resume, restart, status and delete do what they say'
cat >nowhere.properties <<'P'
connector.class=io.confluent.connect.s3.S3SinkConnector
topics=workshop.pin
s3.bucket.name=no-such-bucket
s3.region=us-east-1
flush.size=1
storage.class=io.confluent.connect.s3.storage.S3Storage
format.class=io.confluent.connect.s3.format.json.JsonFormat
P
refused 5 'nowhere is there, but has failed.*connect restart' create nowhere --config nowhere.properties
[ "$(head -1 out)" = 'created nowhere' ] && grep -q '^  task 0  FAILED' out && grep -q 'no-such-bucket' out || fail 'the trace of the task is shown' out
connect delete nowhere || fail 'it is there, and can be deleted' out err
refused 5 'has failed' create nowhere --config nowhere.properties --json
grep -q '^{.*"name":"nowhere"' out && [ "$(wc -l <out)" -eq 1 ] || fail 'as JSON it is one document, and the exit code tells' out
connect delete nowhere || fail 'delete' out err
ok 'create tells its tasks'"'"' states, and one that has failed is exit 5'

# As it stands in the console of MSK Connect; one comment is behind a value.
cat >s3-sink.properties <<'P'
connector.class=io.confluent.connect.s3.S3SinkConnector
# same region as our bucket and cluster
s3.region=us-east-1
flush.size=1
schema.compatibility=NONE
tasks.max=3
# include nomeclature of topic name, given here as an example will read all data from topic names starting with msk.topic....
topics.regex=workshop.*
format.class=io.confluent.connect.s3.format.json.JsonFormat
partitioner.class=io.confluent.connect.storage.partitioner.DefaultPartitioner
value.converter.schemas.enable=false
value.converter=org.apache.kafka.connect.json.JsonConverter
storage.class=io.confluent.connect.s3.storage.S3Storage
key.converter=org.apache.kafka.connect.storage.StringConverter
s3.bucket.name=user-workshop-bucket
P
connect create --config s3-sink.properties || fail 'pasted text is taken' out err
grep -q 'line' err && fail 'and nothing is wrong with it' err
post workshop.geo '{"ind":1}'
await 'its records land' landed workshop.geo 1
connect delete || fail 'delete' out err
sed 's/^s3.bucket.name=.*/& # the bucket/' s3-sink.properties >trap.properties
refused 5 'has failed' create trap --config trap.properties
grep -q 'line 15: the value of s3.bucket.name goes on.*# the bucket' err || fail 'and noted' err
grep -q '^connect: there is no bucket user-workshop-bucket # the bucket' err || fail 'the server'"'"'s hint is shown too' err
await 'its task fails' has_task trap FAILED
connect status trap && grep -q 'Error Code: InvalidBucketName' out || fail 'with the trace of the real one' out
connect list && grep -q '^trap  *RUNNING  tasks: FAILED' out || fail 'the connector itself runs, as on AWS' out
connect delete trap || fail 'delete' out err
ok 'the workshop'"'"'s text is taken as pasted; a comment behind a value fails as on AWS, with a hint'

connect create --config - <s3-sink.properties || fail 'from stdin' out err
connect delete || fail 'delete' out err
printf '{"name":"mine","config":{"connector.class":"S3Sink","topics":"workshop.user","tasks.max":"1"}}' >sink.json
connect validate --config sink.json
[ $? -eq 5 ] || fail 'validate of a broken one is exit 5' out err
grep -q '^s3.bucket.name: Missing required configuration' out || fail 'and names each mistake' out
refused 5 'Missing required configuration' create --config sink.json
printf '{"a":' >broken.json
refused 4 'broken.json' create --config broken.json
refused 4 'nowhere.json' create --config nowhere.json
refused 2 'no --nme' create --nme x
stop_server
refused 3 'cannot be reached' list --connect-url http://127.0.0.1:1
ok 'JSON and stdin are taken too; what is wrong is named'
