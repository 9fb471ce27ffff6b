#!/bin/sh
# Kafka Connect's own converter beside our sink: what lies in the lake is, byte for byte, what
# connect-json 2.8.1 and its Jackson make of the records, random ones and the workshop's.
set -eu
cd "$(dirname "$0")/../.."
PINPIPE=${PINPIPE:-$PWD/build/release/pinpipe}
work=$(mktemp -d)
trap 'kill $(cat "$work/pid" 2>/dev/null) 2>/dev/null || true; rm -rf "$work"' EXIT
values=4000
rows=300

cat >"$work/pom.xml" <<'XML'
<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>local</groupId><artifactId>jars</artifactId><version>1</version><packaging>pom</packaging>
<dependencies>
<dependency><groupId>org.apache.kafka</groupId><artifactId>connect-json</artifactId><version>2.8.1</version></dependency>
<dependency><groupId>org.slf4j</groupId><artifactId>slf4j-nop</artifactId><version>1.7.30</version></dependency>
</dependencies></project>
XML
mvn -q -B -f "$work/pom.xml" dependency:copy-dependencies -DoutputDirectory="$work/jars"
javac -d "$work" -cp "$work/jars/*" tests/peers/SinkValue.java
java_peer() { java -cp "$work:$work/jars/*" SinkValue "$@"; }
url_of() { sed -n "s/.*\"$1\": \"\([^\"]*\)\".*/\1/p" "$work/ready"; }

"$PINPIPE" serve --ephemeral --data "$work/data" --ready-file "$work/ready" --durability normal --log error 2>"$work/serve.log" &
echo $! >"$work/pid"
until [ -f "$work/ready" ]; do sleep 0.05; done
# What is no JSON is skipped, and so are tombstones.
curl -sS --fail-with-body -o "$work/created" -H 'Content-Type: application/json' "$(url_of connect_url)/connectors" -d '{"name": "peer", "config": {
  "connector.class": "io.confluent.connect.s3.S3SinkConnector", "s3.region": "us-east-1", "flush.size": "1", "tasks.max": "3",
  "topics.regex": "workshop.*", "format.class": "io.confluent.connect.s3.format.json.JsonFormat",
  "value.converter": "org.apache.kafka.connect.json.JsonConverter", "value.converter.schemas.enable": "false",
  "key.converter": "org.apache.kafka.connect.storage.StringConverter", "storage.class": "io.confluent.connect.s3.storage.S3Storage",
  "s3.bucket.name": "user-workshop-bucket", "errors.tolerance": "all", "behavior.on.null.values": "ignore"}}'
"$PINPIPE" topics create workshop.values --data "$work/data" >/dev/null
"$PINPIPE" data generate --data "$work/data" >/dev/null 2>&1
"$PINPIPE" emulate batch --rows "$rows" --data "$work/data" >/dev/null 2>&1

java_peer make 1 "$values" | awk -v n=200 '
    NR % n == 1 { printf "%s{\"records\":[", (NR > 1 ? "]}\n" : "") }
    { printf "%s{\"value\":\"%s\"}", (NR % n == 1 ? "" : ","), $0 }
    END { print "]}" }' >"$work/bodies"
while read -r body; do
    printf '%s' "$body" | curl -sS --fail-with-body -o "$work/answer" -H 'Content-Type: application/vnd.kafka.binary.v2+json' \
        --data-binary @- "$(url_of rest_url)/topics/workshop.values"
done <"$work/bodies"

# Each record beside its object, by the object's name.
pairs() {
    "$PINPIPE" sql --data "$work/data" --csv "SELECT hex(r.value) AS value, iif(o.id IS NULL, '-', hex(o.body)) AS object
        FROM topic t CROSS JOIN partition p ON p.topic_id = t.id CROSS JOIN record r ON r.tp = p.tp
        LEFT JOIN object o ON o.bucket_id = 1 AND o.dead = 0
            AND o.key = printf('topics/%s/partition=%d/%s+%d+%010d.json', t.name, p.number, t.name, p.number, r.offset)
        WHERE t.name IN ($1) ORDER BY r.id" | tr -d '\r"' | sed 1d
}
pairs "'workshop.values'" >"$work/random"
pairs "'workshop.pin', 'workshop.geo', 'workshop.user'" >"$work/rows"
[ "$(wc -l <"$work/random")" -eq "$values" ]
[ "$(wc -l <"$work/rows")" -eq $((3 * rows)) ]
said=$(java_peer check <"$work/random") || { echo "$said"; exit 1; }
echo "ok - random values are written as Connect writes them: $said"
said=$(java_peer check <"$work/rows") || { echo "$said"; exit 1; }
case $said in *' 0 of them skipped'*) ;; *) echo "$said"; exit 1 ;; esac
echo "ok - the workshop's rows are written as Connect writes them: $said"
