#!/bin/sh
# Spark reads the lake through s3a as Databricks does: three data frames, whose counts and contents are
# those of the ledger's rows. It also writes back, renames and deletes through s3a.
set -eu
cd "$(dirname "$0")/../.."
PINPIPE=${PINPIPE:-$PWD/build/release/pinpipe}
rows=${ROWS:-400}
work=$(mktemp -d)
trap 'kill $(cat "$work/pid" 2>/dev/null) 2>/dev/null || true; rm -rf "$work"' EXIT

python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check 'pyspark==3.5.*'
# The jars that s3a needs, by Maven into its own folder.
cat >"$work/pom.xml" <<'XML'
<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>local</groupId><artifactId>jars</artifactId><version>1</version><packaging>pom</packaging>
<dependencies>
<dependency><groupId>org.apache.hadoop</groupId><artifactId>hadoop-aws</artifactId><version>3.3.4</version></dependency>
</dependencies></project>
XML
mvn -q -B -f "$work/pom.xml" dependency:copy-dependencies -DincludeArtifactIds=hadoop-aws,aws-java-sdk-bundle,wildfly-openssl -DoutputDirectory="$work/jars"
url_of() { sed -n "s/.*\"$1\": \"\([^\"]*\)\".*/\1/p" "$work/ready"; }

"$PINPIPE" serve --ephemeral --data "$work/data" --ready-file "$work/ready" --log warn \
    --credentials AKIDEXAMPLE:peer/test+secret 2>"$work/serve.log" &
echo $! >"$work/pid"
until [ -f "$work/ready" ]; do sleep 0.05; done
"$PINPIPE" connect create --data "$work/data" >/dev/null
"$PINPIPE" data generate --data "$work/data" >/dev/null 2>&1
"$PINPIPE" emulate batch --rows "$rows" --order sequential --data "$work/data" >/dev/null 2>&1
"$work/venv/bin/python" tests/peers/spark_read.py "$(url_of s3_url)" "$work/data/rds.db" "$work/data/ledger.db" "$work/jars"
