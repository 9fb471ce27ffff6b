"""boto3 against MSK Connect: the workshop's console steps as a script.

usage: boto3_msk_connect.py MSK_CONNECT_URL S3_URL signed|anonymous"""
import io
import sys
import time
import zipfile

import boto3
from botocore.client import Config
from botocore.exceptions import ClientError

MSK_URL, S3_URL, MODE = sys.argv[1:4]
KEYS = dict(region_name="us-east-1", aws_access_key_id="AKIDEXAMPLE", aws_secret_access_key="peer/test+secret", config=Config(retries={"max_attempts": 1}))
kc = boto3.client("kafkaconnect", endpoint_url=MSK_URL, **KEYS)
s3 = boto3.client("s3", endpoint_url=S3_URL, **KEYS)
BUCKET = "user-workshop-bucket"
CONFIGURATION = {
    "connector.class": "io.confluent.connect.s3.S3SinkConnector", "s3.region": "us-east-1", "flush.size": "1",
    "schema.compatibility": "NONE", "tasks.max": "3", "topics.regex": "workshop.*",
    "format.class": "io.confluent.connect.s3.format.json.JsonFormat",
    "partitioner.class": "io.confluent.connect.storage.partitioner.DefaultPartitioner",
    "value.converter.schemas.enable": "false", "value.converter": "org.apache.kafka.connect.json.JsonConverter",
    "storage.class": "io.confluent.connect.s3.storage.S3Storage",
    "key.converter": "org.apache.kafka.connect.storage.StringConverter", "s3.bucket.name": BUCKET,
}


def ok(what):
    print("ok - boto3,", MODE + ":", what, flush=True)


def fails(code, call, **kwargs):
    try:
        call(**kwargs)
    except ClientError as error:
        assert error.response["Error"]["Code"] == code, error.response["Error"]
        return
    raise AssertionError(f"{call.__name__}: no error, {code} expected")


def await_state(want, describe, key):
    for _ in range(200):
        state = describe()[key]
        if state == want:
            return
        time.sleep(0.02)
    raise AssertionError(f"{state} instead of {want}")


def plugin():
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as zip_file:
        zip_file.writestr("confluentinc-kafka-connect-s3-10.5.13/manifest.json", "{}")
        zip_file.writestr("confluentinc-kafka-connect-s3-10.5.13/lib/kafka-connect-s3-10.5.13.jar", "PK")
    key = "kafka-connect-s3/confluentinc-kafka-connect-s3-10.5.13.zip"
    s3.put_object(Bucket=BUCKET, Key=key, Body=archive.getvalue())
    location = {"s3Location": {"bucketArn": f"arn:aws:s3:::{BUCKET}", "fileKey": key}}
    made = kc.create_custom_plugin(name="workshop-plugin", contentType="ZIP", location=location)
    arn = made["customPluginArn"]
    await_state("ACTIVE", lambda: kc.describe_custom_plugin(customPluginArn=arn), "customPluginState")
    fails("ConflictException", kc.create_custom_plugin, name="workshop-plugin", contentType="ZIP", location=location)
    listed = [p["name"] for p in kc.list_custom_plugins()["customPlugins"]]
    assert listed == ["workshop-plugin"], listed
    fails("NotFoundException", kc.describe_custom_plugin, customPluginArn=arn.replace("workshop-plugin", "other-plugin"))
    ok("a custom plugin from the zip in S3")
    return arn


def connector(plugin_arn):
    made = kc.create_connector(
        connectorName="workshop-connector", connectorConfiguration=CONFIGURATION, kafkaConnectVersion="2.7.1",
        capacity={"provisionedCapacity": {"mcuCount": 1, "workerCount": 1}},
        kafkaCluster={"apacheKafkaCluster": {"bootstrapServers": "b-1.x:9098", "vpc": {"subnets": ["subnet-1"], "securityGroups": ["sg-1"]}}},
        kafkaClusterClientAuthentication={"authenticationType": "IAM"}, kafkaClusterEncryptionInTransit={"encryptionType": "TLS"},
        plugins=[{"customPlugin": {"customPluginArn": plugin_arn, "revision": 1}}],
        serviceExecutionRoleArn="arn:aws:iam::123456789012:role/workshop-ec2-access-role")
    assert made["connectorState"] == "CREATING" and made["connectorName"] == "workshop-connector"
    arn = made["connectorArn"]
    await_state("RUNNING", lambda: kc.describe_connector(connectorArn=arn), "connectorState")
    described = kc.describe_connector(connectorArn=arn)
    assert described["connectorConfiguration"] == CONFIGURATION and described["kafkaConnectVersion"] == "2.7.1"
    assert described["capacity"]["provisionedCapacity"]["workerCount"] == 1
    assert described["plugins"][0]["customPlugin"]["customPluginArn"] == plugin_arn
    assert [c["connectorArn"] for c in kc.list_connectors(connectorNamePrefix="workshop")["connectors"]] == [arn]
    assert kc.list_connectors(connectorNamePrefix="other")["connectors"] == []
    assert kc.delete_connector(connectorArn=arn)["connectorState"] == "DELETING"
    for _ in range(200):
        try:
            kc.describe_connector(connectorArn=arn)
            time.sleep(0.02)
        except ClientError as error:
            assert error.response["Error"]["Code"] == "NotFoundException"
            break
    else:
        raise AssertionError("the connector does not go")
    ok("a connector is made, runs, is described, goes")


plugin_arn = plugin()
connector(plugin_arn)
assert kc.delete_custom_plugin(customPluginArn=plugin_arn)["customPluginState"] == "DELETING"
if MODE == "signed":
    other = boto3.client("kafkaconnect", endpoint_url=MSK_URL, region_name="us-east-1", aws_access_key_id="AKIDEXAMPLE", aws_secret_access_key="wrong")
    try:
        other.list_connectors()
        raise AssertionError("a false signature was accepted")
    except ClientError as error:
        assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 403
    ok("MSK Connect refuses a false signature")
