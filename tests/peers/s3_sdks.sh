#!/bin/sh
# Amazon's own SDKs for JavaScript (v3) and Java (v1 and v2), signed: streams in aws-chunked within HTTP's chunks, signed
# chunks with and without a trailer, multipart uploads, TransferManager, presigned URLs, paths and virtual hosts.
set -eu
cd "$(dirname "$0")/../.."
PINPIPE=${PINPIPE:-$PWD/build/release/pinpipe}
work=$(mktemp -d)
trap 'kill $(cat "$work/pid" 2>/dev/null) 2>/dev/null || true; rm -rf "$work"' EXIT

npm install --silent --no-fund --no-audit --no-update-notifier --prefix "$work/js" \
    @aws-sdk/client-s3 @aws-sdk/lib-storage @aws-sdk/s3-request-presigner >/dev/null
cp tests/peers/s3_sdks.mjs "$work/js/"
cat >"$work/pom.xml" <<'XML'
<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>local</groupId><artifactId>jars</artifactId><version>1</version><packaging>pom</packaging>
<dependencies>
<dependency><groupId>com.amazonaws</groupId><artifactId>aws-java-sdk-s3</artifactId><version>1.12.780</version></dependency>
<dependency><groupId>javax.xml.bind</groupId><artifactId>jaxb-api</artifactId><version>2.3.1</version></dependency>
<dependency><groupId>software.amazon.awssdk</groupId><artifactId>s3</artifactId><version>2.31.50</version>
<exclusions><exclusion><groupId>software.amazon.awssdk</groupId><artifactId>netty-nio-client</artifactId></exclusion></exclusions>
</dependency>
</dependencies></project>
XML
mvn -q -B -f "$work/pom.xml" dependency:copy-dependencies -DoutputDirectory="$work/jars"

"$PINPIPE" serve --ephemeral --data "$work/data" --ready-file "$work/ready" --log warn \
    --credentials AKIDEXAMPLE:peer/test+secret 2>"$work/serve.log" &
echo $! >"$work/pid"
until [ -f "$work/ready" ]; do sleep 0.05; done
port=$(sed -n 's/.*"s3_url": "[^"]*:\([0-9]*\)".*/\1/p' "$work/ready")

export NODE_NO_WARNINGS=1 AWS_JAVA_V1_DISABLE_DEPRECATION_ANNOUNCEMENT=true
node "$work/js/s3_sdks.mjs" "http://127.0.0.1:$port" path
node "$work/js/s3_sdks.mjs" "http://s3.localhost:$port" host
for sdk in S3SdkV1 S3SdkV2; do
    java -cp "$work/jars/*" "tests/peers/$sdk.java" "http://127.0.0.1:$port" 2>"$work/java.log" || { cat "$work/java.log"; exit 1; }
done
