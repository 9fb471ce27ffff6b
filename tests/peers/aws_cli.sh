#!/bin/sh
# The workshop's fourth milestone with the aws CLI: the plugin's zip into the bucket, plugin and
# connector made, rows posted, "check the data has been ingested"; then sync, cp, mv, rm, presign.
set -eu
cd "$(dirname "$0")/../.."
PINPIPE=${PINPIPE:-$PWD/build/release/pinpipe}
work=$(mktemp -d)
trap 'kill $(cat "$work/pid" 2>/dev/null) 2>/dev/null || true; rm -rf "$work"' EXIT
ok() { printf 'ok - %s\n' "$1"; }
fail() { printf 'not ok - %s\n' "$1"; tail -5 "$work/serve.log"; exit 1; }

python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check awscli
aws() { "$work/venv/bin/aws" "$@"; }
url_of() { sed -n "s/.*\"$1\": \"\([^\"]*\)\".*/\1/p" "$work/ready"; }

"$PINPIPE" serve --ephemeral --data "$work/data" --ready-file "$work/ready" --log warn \
    --credentials AKIDEXAMPLE:peer/test+secret 2>"$work/serve.log" &
echo $! >"$work/pid"
until [ -f "$work/ready" ]; do sleep 0.05; done
export AWS_ACCESS_KEY_ID=AKIDEXAMPLE AWS_SECRET_ACCESS_KEY=peer/test+secret AWS_DEFAULT_REGION=us-east-1 AWS_PAGER=
AWS_ENDPOINT_URL_S3=$(url_of s3_url)
AWS_ENDPOINT_URL_KAFKACONNECT=$(url_of msk_connect_url)
export AWS_ENDPOINT_URL_S3 AWS_ENDPOINT_URL_KAFKACONNECT
bucket=user-workshop-bucket

aws s3 ls | grep -q " $bucket$" || fail 'the bucket is there from the start'
python3 - "$work/plugin.zip" <<'PY'
import sys, zipfile
with zipfile.ZipFile(sys.argv[1], "w") as z:
    z.writestr("confluentinc-kafka-connect-s3-10.0.3/lib/kafka-connect-s3-10.0.3.jar", "PK")
    z.writestr("confluentinc-kafka-connect-s3-10.0.3/filler.bin", bytes(12 * 1024 * 1024))
PY
aws s3 cp --only-show-errors "$work/plugin.zip" "s3://$bucket/kafka-connect-s3/confluentinc-kafka-connect-s3-10.0.3.zip"
plugin=$(aws kafkaconnect create-custom-plugin --name workshop-plugin --content-type ZIP --query customPluginArn --output text \
    --location "s3Location={bucketArn=arn:aws:s3:::$bucket,fileKey=kafka-connect-s3/confluentinc-kafka-connect-s3-10.0.3.zip}")
cat >"$work/connector.json" <<JSON
{"connectorName": "workshop-connector", "kafkaConnectVersion": "2.7.1",
 "capacity": {"provisionedCapacity": {"mcuCount": 1, "workerCount": 1}},
 "connectorConfiguration": {
  "connector.class": "io.confluent.connect.s3.S3SinkConnector", "s3.region": "us-east-1", "flush.size": "1",
  "schema.compatibility": "NONE", "tasks.max": "3", "topics.regex": "workshop.*",
  "format.class": "io.confluent.connect.s3.format.json.JsonFormat",
  "partitioner.class": "io.confluent.connect.storage.partitioner.DefaultPartitioner",
  "value.converter.schemas.enable": "false", "value.converter": "org.apache.kafka.connect.json.JsonConverter",
  "storage.class": "io.confluent.connect.s3.storage.S3Storage",
  "key.converter": "org.apache.kafka.connect.storage.StringConverter", "s3.bucket.name": "$bucket"},
 "kafkaCluster": {"apacheKafkaCluster": {"bootstrapServers": "b-1.x:9098", "vpc": {"subnets": ["subnet-1"], "securityGroups": ["sg-1"]}}},
 "kafkaClusterClientAuthentication": {"authenticationType": "IAM"}, "kafkaClusterEncryptionInTransit": {"encryptionType": "TLS"},
 "plugins": [{"customPlugin": {"customPluginArn": "$plugin", "revision": 1}}],
 "serviceExecutionRoleArn": "arn:aws:iam::123456789012:role/workshop-ec2-access-role"}
JSON
connector=$(aws kafkaconnect create-connector --cli-input-json "file://$work/connector.json" --query connectorArn --output text)
state=CREATING
while [ "$state" = CREATING ]; do
    state=$(aws kafkaconnect describe-connector --connector-arn "$connector" --query connectorState --output text)
done
[ "$state" = RUNNING ] || fail "the connector is $state"
ok 'aws CLI: the plugin from the zip in S3, the connector runs'

"$PINPIPE" data generate --data "$work/data" >/dev/null 2>&1
"$PINPIPE" emulate batch --rows 300 --data "$work/data" >/dev/null 2>&1
for table in pin geo user; do
    count=$(aws s3 ls "s3://$bucket/topics/workshop.$table/partition=0/" | grep -c "workshop.$table+0+0000000[0-9]*.json$")
    [ "$count" -eq 300 ] || fail "$count objects of $table instead of 300"
done
aws s3 cp --only-show-errors "s3://$bucket/topics/workshop.pin/partition=0/workshop.pin+0+0000000000.json" - >"$work/first.json"
grep -q '^{"is_image_or_video":.*,"unique_id":"[0-9a-f-]*".*,"downloaded":[01]}$' "$work/first.json" || fail 'the first pin as the connector writes it'
ok 'aws CLI: the data has been ingested'

aws s3 sync --only-show-errors "s3://$bucket/topics" "$work/down"
[ "$(find "$work/down" -type f | wc -l)" -eq 900 ] || fail 'sync brings every object'
aws s3 sync --only-show-errors "$work/down" "s3://$bucket/back"
[ "$(aws s3 ls --recursive "s3://$bucket/back/" | wc -l)" -eq 900 ] || fail 'and takes it back'
[ -z "$(aws s3 sync "s3://$bucket/topics" "$work/down")" ] || fail 'a second sync does nothing'
head -c 30000000 /dev/urandom >"$work/large"
aws s3 cp --only-show-errors "$work/large" "s3://$bucket/large"
aws s3 mv --only-show-errors "s3://$bucket/large" "s3://$bucket/moved"
aws s3 cp --only-show-errors "s3://$bucket/moved" "$work/again"
cmp "$work/large" "$work/again"
curl -fsS "$(aws s3 presign "s3://$bucket/moved")" | cmp - "$work/large"
aws s3 rm --only-show-errors --recursive "s3://$bucket/back/"
[ -z "$(aws s3 ls "s3://$bucket/back/" || true)" ] || fail 'rm --recursive leaves nothing'
aws s3 mb s3://another-bucket >/dev/null
aws s3 rb s3://another-bucket >/dev/null
ok 'aws CLI: sync, cp, mv, presign, rm, mb, rb'
