#!/bin/sh
# kill -9 while the sink works: sink_crash.sh [ROUNDS] [SEED]. Two connectors read the same topics, one
# with flush.size=1, one with 7. After each kill the file alone must already be right: with 1 exactly one
# object a record, with 7 exactly the whole sevens, and the committed offset where the objects end. Then
# the server starts again and goes on from there.
set -eu
cd "$(dirname "$0")/../.."
PINPIPE=${PINPIPE:-$PWD/build/release/pinpipe}
case $PINPIPE in /*) ;; *) PINPIPE=$PWD/$PINPIPE ;; esac
rounds=${1:-3}
seed=${2:-$(date +%s)}
. tests/e2e/lib/serve.sh
echo "# seed $seed"

ask() { "$PINPIPE" sql --data "$data" --csv "$1" | tail -n 1 | tr -d '\r'; }
must_be() { # WHAT QUERY VALUE
    found=$(ask "$2")
    [ "$found" = "$3" ] || fail "$1: $found instead of $3 (round $round; again with: tests/fault/sink_crash.sh $rounds $seed)"
}
make_connector() { # NAME FLUSH_SIZE TOPICS_DIR
    cat >"$work/$1.properties" <<T
connector.class=io.confluent.connect.s3.S3SinkConnector
s3.region=us-east-1
flush.size=$2
topics.dir=$3
tasks.max=3
topics.regex=workshop.*
format.class=io.confluent.connect.s3.format.json.JsonFormat
partitioner.class=io.confluent.connect.storage.partitioner.DefaultPartitioner
value.converter.schemas.enable=false
value.converter=org.apache.kafka.connect.json.JsonConverter
storage.class=io.confluent.connect.s3.storage.S3Storage
key.converter=org.apache.kafka.connect.storage.StringConverter
s3.bucket.name=user-workshop-bucket
T
    "$PINPIPE" connect create "$1" --config "$work/$1.properties" --data "$data" >/dev/null
}
key="'/partition=' || r.partition || '/' || r.topic || '+' || r.partition || '+' || printf('%010d', r.offset) || '.json'"
check() {
    must_be 'a record without its object' \
        "SELECT count(*) FROM records r WHERE NOT EXISTS (SELECT 1 FROM objects o WHERE o.bucket = 'user-workshop-bucket' AND o.key = 'ones/' || r.topic || $key)" 0
    must_be 'objects without a record' \
        "SELECT (SELECT count(*) FROM objects WHERE key LIKE 'ones/%') - (SELECT count(*) FROM records)" 0
    must_be 'sevens that are missing or too many' \
        "SELECT (SELECT count(*) FROM objects WHERE key LIKE 'sevens/%') - (SELECT sum(records / 7) FROM topics)" 0
    must_be 'sevens that are not seven whole lines' \
        "SELECT count(*) FROM objects WHERE key LIKE 'sevens/%' AND length(body) - length(replace(body, char(10), '')) <> 7" 0
    must_be 'an offset that is not where its objects end' \
        "SELECT count(*) FROM group_offsets g JOIN topics t ON t.topic = g.topic
         WHERE g.offset <> CASE g.group_name WHEN 'connect-ones' THEN t.records ELSE t.records / 7 * 7 END" 0
}

"$PINPIPE" data generate --data "$data" >/dev/null 2>&1
round=0
start_server --log warn
make_connector ones 1 ones
make_connector sevens 7 sevens
while [ $round -lt "$rounds" ]; do
    round=$((round + 1))
    "$PINPIPE" emulate batch --forever --concurrency 6 --data "$data" >/dev/null 2>&1 &
    load=$!
    sleep "$(awk "BEGIN { srand($seed + $round); printf \"%.3f\", 0.05 + rand() * 0.4 }")"
    kill -9 "$server_pid"
    wait "$server_pid" 2>/dev/null || true
    server_pid=
    kill -9 $load 2>/dev/null || true
    wait $load 2>/dev/null || true
    check
    start_server --log warn
    check
done
must_be 'nothing was posted' "SELECT count(*) > 0 FROM records" 1
ok "sink: $rounds times kill -9, $(ask 'SELECT count(*) FROM records') records, each in one object; offsets and objects move together"
stop_server
