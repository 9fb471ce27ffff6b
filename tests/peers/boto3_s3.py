"""boto3 against S3: every operation that the workshop's people, the connector and Spark use.

usage: boto3_s3.py URL signed|anonymous
Prints `ok - ...` lines; an assertion that fails ends it."""
import base64
import datetime
import gzip
import hashlib
import io
import os
import random
import socket
import sys
import threading
import urllib.error
import urllib.request
import zlib

import boto3
import botocore
from boto3.s3.transfer import TransferConfig
from botocore.client import Config
from botocore.exceptions import ClientError

URL, MODE = sys.argv[1], sys.argv[2]
KEYS = dict(aws_access_key_id="AKIDEXAMPLE", aws_secret_access_key="peer/test+secret")
MIB = 1024 * 1024


def client(url=URL, **config):
    config.setdefault("retries", {"max_attempts": 1})
    return boto3.client("s3", endpoint_url=url, region_name="us-east-1", config=Config(**config), **KEYS)


s3 = client()
BUCKET = "peer-test-bucket"


def ok(what):
    print("ok - boto3,", MODE + ":", what, flush=True)


def fails(code, status, call, **kwargs):
    try:
        call(**kwargs)
    except ClientError as error:
        found = error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"]
        assert found == (code, status), (found, (code, status))
        return error.response
    raise AssertionError(f"{call.__name__} {kwargs}: no error, {code} expected")


def keys(**kwargs):
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, **kwargs)
    return [entry["Key"] for page in pages for entry in page.get("Contents", [])]


def buckets():
    s3.create_bucket(Bucket=BUCKET)
    s3.create_bucket(Bucket=BUCKET)  # one's own again: 200 in us-east-1
    names = [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]
    assert BUCKET in names and "user-workshop-bucket" in names, names
    s3.head_bucket(Bucket=BUCKET)
    assert s3.get_bucket_location(Bucket=BUCKET)["LocationConstraint"] is None
    assert s3.get_bucket_acl(Bucket=BUCKET)["Grants"][0]["Permission"] == "FULL_CONTROL"
    assert "Status" not in s3.get_bucket_versioning(Bucket=BUCKET)
    fails("404", 404, s3.head_bucket, Bucket="there-is-none")
    fails("NoSuchBucket", 404, s3.list_objects_v2, Bucket="there-is-none")
    fails("NoSuchBucketPolicy", 404, s3.get_bucket_policy, Bucket=BUCKET)
    fails("NoSuchTagSet", 404, s3.get_bucket_tagging, Bucket=BUCKET)
    fails("NoSuchCORSConfiguration", 404, s3.get_bucket_cors, Bucket=BUCKET)
    fails("NoSuchLifecycleConfiguration", 404, s3.get_bucket_lifecycle_configuration, Bucket=BUCKET)
    ok("buckets are made, found, described; missing ones are errors")


def objects():
    body = "{\"a\":\"grün \U0001F600\"}\n".encode()
    put = s3.put_object(Bucket=BUCKET, Key="a/b c+d=e.json", Body=body, ContentType="application/json",
                        CacheControl="no-cache", Metadata={"Colour": "blue"})
    md5 = hashlib.md5(body).hexdigest()
    assert put["ETag"] == f'"{md5}"'
    got = s3.get_object(Bucket=BUCKET, Key="a/b c+d=e.json")
    assert got["Body"].read() == body and got["ETag"] == put["ETag"] and got["ContentLength"] == len(body)
    assert got["ContentType"] == "application/json" and got["CacheControl"] == "no-cache"
    assert got["Metadata"] == {"colour": "blue"} and got["AcceptRanges"] == "bytes"
    head = s3.head_object(Bucket=BUCKET, Key="a/b c+d=e.json")
    assert head["ContentLength"] == len(body) and head["Metadata"] == {"colour": "blue"}
    age = datetime.datetime.now(datetime.timezone.utc) - head["LastModified"]
    assert abs(age.total_seconds()) < 120
    s3.put_object(Bucket=BUCKET, Key="empty", Body=b"")
    assert s3.get_object(Bucket=BUCKET, Key="empty")["Body"].read() == b""
    assert s3.head_object(Bucket=BUCKET, Key="empty")["ContentType"] == "binary/octet-stream"
    for key in ("..", "../up", "a//b", "/lead", "tail/", "ünï/日本", "per%cent", "plus+plus", "q?m&a=b#h", "\"quoted\"<&>'", "x" * 1024):
        s3.put_object(Bucket=BUCKET, Key=key, Body=key.encode())
        assert s3.get_object(Bucket=BUCKET, Key=key)["Body"].read() == key.encode(), key
        assert key in keys(Prefix=key)
        s3.delete_object(Bucket=BUCKET, Key=key)
        fails("NoSuchKey", 404, s3.get_object, Bucket=BUCKET, Key=key)
    fails("KeyTooLongError", 400, s3.put_object, Bucket=BUCKET, Key="x" * 1025, Body=b"")
    s3.delete_object(Bucket=BUCKET, Key="there-is-none")
    fails("404", 404, s3.head_object, Bucket=BUCKET, Key="there-is-none")
    fails("NoSuchBucket", 404, s3.put_object, Bucket="there-is-none", Key="k", Body=b"x")
    ok("objects with awkward keys go in, out and away")


def ranges():
    body = bytes(range(256)) * 1024
    s3.put_object(Bucket=BUCKET, Key="range", Body=body)
    for text, want in (("bytes=0-0", body[:1]), ("bytes=1000-70000", body[1000:70001]), ("bytes=262143-", body[-1:]),
                       ("bytes=-300", body[-300:]), ("bytes=5-99999999", body[5:]), ("bytes=0-1,3-4", body)):
        got = s3.get_object(Bucket=BUCKET, Key="range", Range=text)
        assert got["Body"].read() == want, text
    got = s3.get_object(Bucket=BUCKET, Key="range", Range="bytes=10-19")
    assert got["ContentRange"] == "bytes 10-19/262144" and got["ResponseMetadata"]["HTTPStatusCode"] == 206
    error = fails("InvalidRange", 416, s3.get_object, Bucket=BUCKET, Key="range", Range="bytes=262144-")
    assert error["Error"]["ActualObjectSize"] == "262144"
    ok("ranges")


def conditions():
    etag = s3.put_object(Bucket=BUCKET, Key="cond", Body=b"1")["ETag"]
    then = s3.head_object(Bucket=BUCKET, Key="cond")["LastModified"]
    assert s3.get_object(Bucket=BUCKET, Key="cond", IfMatch=etag)["Body"].read() == b"1"
    fails("PreconditionFailed", 412, s3.get_object, Bucket=BUCKET, Key="cond", IfMatch='"0"')
    fails("304", 304, s3.get_object, Bucket=BUCKET, Key="cond", IfNoneMatch=etag)
    fails("304", 304, s3.get_object, Bucket=BUCKET, Key="cond", IfModifiedSince=then)
    fails("PreconditionFailed", 412, s3.get_object, Bucket=BUCKET, Key="cond", IfUnmodifiedSince=then - datetime.timedelta(days=1))
    fails("PreconditionFailed", 412, s3.put_object, Bucket=BUCKET, Key="cond", Body=b"2", IfNoneMatch="*")
    s3.put_object(Bucket=BUCKET, Key="cond", Body=b"2", IfMatch=etag)
    fails("PreconditionFailed", 412, s3.put_object, Bucket=BUCKET, Key="cond", Body=b"3", IfMatch=etag)
    ok("conditional reads and writes")


def integrity():
    crc = base64.b64encode(zlib.crc32(b"hello").to_bytes(4, "big")).decode()
    assert crc == "NhCmhg=="
    put = s3.put_object(Bucket=BUCKET, Key="sum", Body=b"hello", ChecksumAlgorithm="CRC32")
    assert put["ChecksumCRC32"] == crc
    assert s3.get_object(Bucket=BUCKET, Key="sum", ChecksumMode="ENABLED")["ChecksumCRC32"] == crc
    for algorithm in ("SHA1", "SHA256"):
        put = s3.put_object(Bucket=BUCKET, Key="sum", Body=b"hello", ChecksumAlgorithm=algorithm)
        want = base64.b64encode(hashlib.new(algorithm.lower(), b"hello").digest()).decode()
        assert put["Checksum" + algorithm] == want
    fails("BadDigest", 400, s3.put_object, Bucket=BUCKET, Key="sum", Body=b"hello", ChecksumCRC32="AAAAAA==")
    fails("BadDigest", 400, s3.put_object, Bucket=BUCKET, Key="sum", Body=b"hello", ContentMD5=base64.b64encode(b"0" * 16).decode())
    fails("InvalidDigest", 400, s3.put_object, Bucket=BUCKET, Key="sum", Body=b"hello", ContentMD5="no digest")
    assert s3.get_object(Bucket=BUCKET, Key="sum")["Body"].read() == b"hello"
    ok("digests are checked; what does not fit is not stored")


def lists():
    names = sorted([f"list/{i % 7}/{i:04d}+x.json" for i in range(1234)] + ["list/z", "list"])
    threads = [threading.Thread(target=lambda part: [s3.put_object(Bucket=BUCKET, Key=n, Body=b"x") for n in part], args=(names[i::8],)) for i in range(8)]
    [t.start() for t in threads], [t.join() for t in threads]
    assert keys(Prefix="list") == names
    assert keys(Prefix="list", PaginationConfig={"PageSize": 100}) == names
    assert keys(Prefix="list/3/") == [n for n in names if n.startswith("list/3/")]
    assert keys(Prefix="list", StartAfter="list/5/") == [n for n in names if n > "list/5/"]
    page = s3.list_objects_v2(Bucket=BUCKET, Prefix="list/", Delimiter="/")
    assert [p["Prefix"] for p in page["CommonPrefixes"]] == [f"list/{i}/" for i in range(7)]
    assert [c["Key"] for c in page["Contents"]] == ["list/z"] and page["KeyCount"] == 8 and not page["IsTruncated"]
    pages = list(s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix="list/", Delimiter="/", PaginationConfig={"PageSize": 3}))
    assert sum(len(p.get("CommonPrefixes", [])) for p in pages) == 7 and len(pages) == 3
    old = [c["Key"] for p in s3.get_paginator("list_objects").paginate(Bucket=BUCKET, Prefix="list") for c in p["Contents"]]
    assert old == names
    assert s3.list_objects_v2(Bucket=BUCKET, MaxKeys=0)["IsTruncated"] is False
    fails("InvalidArgument", 400, s3.list_objects_v2, Bucket=BUCKET, ContinuationToken="nonsense")
    entry = s3.list_objects_v2(Bucket=BUCKET, Prefix="list/z", FetchOwner=True)["Contents"][0]
    assert entry["ETag"] == '"9dd4e461268c8034f5c8564e155c67a6"' and entry["Size"] == 1 and entry["Owner"]["ID"]
    # As clean-up tools do: each version is listed, and deleted as that version.
    versions = [v for p in s3.get_paginator("list_object_versions").paginate(Bucket=BUCKET, Prefix="list") for v in p["Versions"]]
    assert [v["Key"] for v in versions] == names and all(v["VersionId"] == "null" and v["IsLatest"] for v in versions)
    for start in range(0, len(names), 1000):
        objects = [{"Key": v["Key"], "VersionId": v["VersionId"]} for v in versions[start:start + 1000]]
        gone = s3.delete_objects(Bucket=BUCKET, Delete={"Objects": objects})
        assert len(gone["Deleted"]) == len(names[start:start + 1000])
    assert keys(Prefix="list") == []
    ok("lists in both versions, pages, delimiters; many deleted at once")


def copies():
    s3.put_object(Bucket=BUCKET, Key="from ü+", Body=b"copied", ContentType="text/x", Metadata={"m": "1"})
    copy = s3.copy_object(Bucket=BUCKET, Key="to", CopySource={"Bucket": BUCKET, "Key": "from ü+"})
    assert copy["CopyObjectResult"]["ETag"] == f'"{hashlib.md5(b"copied").hexdigest()}"'
    got = s3.get_object(Bucket=BUCKET, Key="to")
    assert got["Body"].read() == b"copied" and got["ContentType"] == "text/x" and got["Metadata"] == {"m": "1"}
    s3.copy_object(Bucket=BUCKET, Key="to", CopySource={"Bucket": BUCKET, "Key": "from ü+"}, MetadataDirective="REPLACE", Metadata={"n": "2"})
    assert s3.head_object(Bucket=BUCKET, Key="to")["Metadata"] == {"n": "2"}
    fails("NoSuchKey", 404, s3.copy_object, Bucket=BUCKET, Key="to", CopySource={"Bucket": BUCKET, "Key": "none"})
    fails("InvalidRequest", 400, s3.copy_object, Bucket=BUCKET, Key="to", CopySource={"Bucket": BUCKET, "Key": "to"})
    ok("copies")


def multipart():
    parts = [os.urandom(5 * MIB), os.urandom(6 * MIB), b"the end"]
    upload = s3.create_multipart_upload(Bucket=BUCKET, Key="multi", ContentType="x/y")["UploadId"]
    etags = [s3.upload_part(Bucket=BUCKET, Key="multi", UploadId=upload, PartNumber=i + 1, Body=p)["ETag"] for i, p in enumerate(parts)]
    assert etags == [f'"{hashlib.md5(p).hexdigest()}"' for p in parts]
    listed = s3.list_parts(Bucket=BUCKET, Key="multi", UploadId=upload)["Parts"]
    assert [(p["PartNumber"], p["Size"], p["ETag"]) for p in listed] == [(i + 1, len(p), etags[i]) for i, p in enumerate(parts)]
    assert [u["UploadId"] for u in s3.list_multipart_uploads(Bucket=BUCKET)["Uploads"]] == [upload]
    assert "multi" not in keys()
    wanted = [{"PartNumber": i + 1, "ETag": e} for i, e in enumerate(etags)]
    complete = lambda parts: s3.complete_multipart_upload(Bucket=BUCKET, Key="multi", UploadId=upload, MultipartUpload={"Parts": parts})
    fails("InvalidPartOrder", 400, complete, parts=wanted[::-1])
    fails("InvalidPart", 400, complete, parts=[{"PartNumber": 1, "ETag": etags[1]}])
    fails("EntityTooSmall", 400, complete, parts=wanted[2:] + [{"PartNumber": 4, "ETag": s3.upload_part(Bucket=BUCKET, Key="multi", UploadId=upload, PartNumber=4, Body=b"x")["ETag"]}])
    done = complete(wanted)
    want = hashlib.md5(b"".join(hashlib.md5(p).digest() for p in parts)).hexdigest() + "-3"
    assert done["ETag"] == f'"{want}"', done
    assert complete(wanted)["ETag"] == done["ETag"]  # again, with the same parts
    assert s3.get_object(Bucket=BUCKET, Key="multi")["Body"].read() == b"".join(parts)
    middle = s3.get_object(Bucket=BUCKET, Key="multi", Range=f"bytes={5 * MIB - 3}-{11 * MIB + 2}")["Body"].read()
    assert middle == b"".join(parts)[5 * MIB - 3:11 * MIB + 3]
    again = s3.create_multipart_upload(Bucket=BUCKET, Key="copied")["UploadId"]
    source = {"Bucket": BUCKET, "Key": "multi"}
    first = s3.upload_part_copy(Bucket=BUCKET, Key="copied", UploadId=again, PartNumber=1, CopySource=source)["CopyPartResult"]["ETag"]
    second = s3.upload_part_copy(Bucket=BUCKET, Key="copied", UploadId=again, PartNumber=2, CopySource=source, CopySourceRange="bytes=100-199")["CopyPartResult"]["ETag"]
    s3.complete_multipart_upload(Bucket=BUCKET, Key="copied", UploadId=again, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": first}, {"PartNumber": 2, "ETag": second}]})
    whole = b"".join(parts)
    assert s3.get_object(Bucket=BUCKET, Key="copied")["Body"].read() == whole + whole[100:200]
    left = s3.create_multipart_upload(Bucket=BUCKET, Key="left")["UploadId"]
    s3.upload_part(Bucket=BUCKET, Key="left", UploadId=left, PartNumber=1, Body=b"x")
    s3.abort_multipart_upload(Bucket=BUCKET, Key="left", UploadId=left)
    fails("NoSuchUpload", 404, s3.list_parts, Bucket=BUCKET, Key="left", UploadId=left)
    fails("NoSuchUpload", 404, s3.upload_part, Bucket=BUCKET, Key="left", UploadId=left, PartNumber=1, Body=b"x")
    assert "Uploads" not in s3.list_multipart_uploads(Bucket=BUCKET)
    ok("multipart uploads: parts, order, errors, copies, completion twice, abort")


def transfers():
    body = random.Random(1).randbytes(40 * MIB + 12345)
    config = TransferConfig(multipart_threshold=8 * MIB, multipart_chunksize=8 * MIB, max_concurrency=6)
    s3.upload_fileobj(io.BytesIO(body), BUCKET, "transfer", Config=config)
    out = io.BytesIO()
    s3.download_fileobj(BUCKET, "transfer", out, Config=config)
    assert out.getvalue() == body
    ok("40 MiB up and down in concurrent parts")


def presigned():
    s3.put_object(Bucket=BUCKET, Key="pre signed+", Body=b"seen")
    for version in ("s3v4", "s3"):
        url = client(signature_version=version).generate_presigned_url("get_object", Params={"Bucket": BUCKET, "Key": "pre signed+"}, ExpiresIn=60)
        assert urllib.request.urlopen(url).read() == b"seen", version
        if MODE == "signed":
            try:
                urllib.request.urlopen(url.replace("Signature=", "Signature=0"))
                raise AssertionError("a false signature was accepted")
            except urllib.error.HTTPError as error:
                assert error.code == 403 and b"SignatureDoesNotMatch" in error.read()
    url = client(signature_version="s3v4").generate_presigned_url("put_object", Params={"Bucket": BUCKET, "Key": "pre put"}, ExpiresIn=60)
    urllib.request.urlopen(urllib.request.Request(url, data=b"put", method="PUT"))
    assert s3.get_object(Bucket=BUCKET, Key="pre put")["Body"].read() == b"put"
    ok("presigned URLs of both versions")


def credentials():
    wrong = boto3.client("s3", endpoint_url=URL, region_name="us-east-1", aws_access_key_id="AKIDEXAMPLE", aws_secret_access_key="wrong")
    stranger = boto3.client("s3", endpoint_url=URL, region_name="us-east-1", aws_access_key_id="AKIDOTHER", aws_secret_access_key="wrong")
    anonymous = boto3.client("s3", endpoint_url=URL, region_name="us-east-1", config=Config(signature_version=botocore.UNSIGNED))
    elsewhere = boto3.client("s3", endpoint_url=URL, region_name="eu-west-1", **KEYS)
    if MODE == "signed":
        fails("SignatureDoesNotMatch", 403, wrong.list_buckets)
        fails("InvalidAccessKeyId", 403, stranger.list_buckets)
        fails("AccessDenied", 403, anonymous.list_objects_v2, Bucket=BUCKET)
        fails("AuthorizationHeaderMalformed", 400, elsewhere.list_buckets)
        fails("SignatureDoesNotMatch", 403, wrong.put_object, Bucket=BUCKET, Key="k", Body=b"x" * MIB)
        ok("wrong, unknown, missing credentials and a wrong region are refused")
    else:
        for each in (wrong, stranger, anonymous):
            each.list_objects_v2(Bucket=BUCKET)
        ok("without credentials configured everybody may")


def encodings():
    # Chunked and trailers, as over https: botocore asked to do so over http by a stream without a length.
    text = gzip.compress(b"x" * 100000)
    s3.put_object(Bucket=BUCKET, Key="gz", Body=text, ContentEncoding="gzip")
    got = s3.get_object(Bucket=BUCKET, Key="gz")
    assert got["ContentEncoding"] == "gzip" and got["Body"].read() == text
    ok("content encodings stay")


def virtual_host():
    port = URL.rsplit(":", 1)[1]
    real = socket.getaddrinfo
    socket.getaddrinfo = lambda host, *rest, **kw: real("127.0.0.1" if str(host).endswith("localhost") else host, *rest, **kw)
    there = client(url=f"http://localhost:{port}", s3={"addressing_style": "virtual"})
    there.put_object(Bucket=BUCKET, Key="virtual/host+", Body=b"v")
    assert there.get_object(Bucket=BUCKET, Key="virtual/host+")["Body"].read() == b"v"
    assert s3.get_object(Bucket=BUCKET, Key="virtual/host+")["Body"].read() == b"v"
    assert there.list_objects_v2(Bucket=BUCKET, Prefix="virtual")["KeyCount"] == 1
    socket.getaddrinfo = real
    ok("virtual hosts")


def end():
    fails("BucketNotEmpty", 409, s3.delete_bucket, Bucket=BUCKET)
    everything = keys()
    s3.delete_objects(Bucket=BUCKET, Delete={"Objects": [{"Key": key} for key in everything], "Quiet": True})
    s3.delete_bucket(Bucket=BUCKET)
    fails("404", 404, s3.head_bucket, Bucket=BUCKET)
    ok("an empty bucket goes, a full one stays")


for test in (buckets, objects, ranges, conditions, integrity, lists, copies, multipart, transfers, presigned, credentials, encodings, virtual_host, end):
    test()
