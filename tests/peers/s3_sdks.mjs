// node s3_sdks.mjs URL path|host: the AWS SDK for JavaScript v3 against the server, bucket in the path or in the host.
import * as S3 from "@aws-sdk/client-s3";
import { Upload } from "@aws-sdk/lib-storage";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import assert from "node:assert";
import { createHash, randomBytes } from "node:crypto";
import http from "node:http";
import { Readable } from "node:stream";

const [endpoint, style] = process.argv.slice(2);
const MiB = 1 << 20;
const Bucket = `js-${style}`;
const md5 = (bytes) => createHash("md5").update(bytes).digest("hex");
const ok = (words) => console.log(`ok - js, bucket in the ${style}: ${words}`);
// Whatever the name, it is this machine.
const lookup = (name, options, done) =>
  options.all ? done(null, [{ address: "127.0.0.1", family: 4 }]) : done(null, "127.0.0.1", 4);
const httpAgent = new http.Agent({ keepAlive: true, lookup });
const client = new S3.S3Client({
  endpoint, region: "us-east-1", forcePathStyle: style === "path", maxAttempts: 1, requestHandler: { httpAgent },
  credentials: { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "peer/test+secret" },
});
const call = (operation, input = {}) => client.send(new S3[`${operation}Command`]({ Bucket, ...input }));
async function refused(promise, status, name) {
  const error = await promise.then(() => assert.fail(`no ${status}`), (e) => e);
  assert.equal(error.$metadata?.httpStatusCode, status, error);
  if (name) assert.equal(error.name, name);
  return error;
}
const plain = (method, url, body, headers = {}) => new Promise((resolve, reject) => {
  const request = http.request(url, { method, headers, agent: httpAgent }, (response) => {
    response.resume().on("end", () => resolve(response));
  });
  request.on("error", reject).end(body);
});

// Buckets.
await call("CreateBucket");
await call("HeadBucket");
const { Buckets } = await client.send(new S3.ListBucketsCommand({}));
assert(Buckets.some((b) => b.Name === Bucket && b.CreationDate instanceof Date));
assert.equal((await call("GetBucketLocation")).LocationConstraint, undefined);
assert.equal((await call("GetBucketAcl")).Grants[0].Permission, "FULL_CONTROL");
ok("buckets");

// Objects, with every checksum, under a name that each client spells differently.
const Key = "topics/u.pin/partition=0/u.pin+0+0000000000 ü'()*!~.json";
const text = '{"a":1}\n';
for (const ChecksumAlgorithm of [undefined, "CRC32", "CRC32C", "SHA1", "SHA256"]) {
  const put = await call("PutObject", { Key, Body: text, Metadata: { Foo: "bar" }, ContentType: "application/json", ChecksumAlgorithm });
  assert.equal(put.ETag, `"${md5(text)}"`);
  assert.equal(put.ServerSideEncryption, "AES256");
  const got = await call("GetObject", { Key, ChecksumMode: "ENABLED" });
  assert.equal(await got.Body.transformToString(), text);
  assert.equal(got.Metadata.foo, "bar");
  assert.equal(got[`Checksum${ChecksumAlgorithm ?? "CRC32"}`], put[`Checksum${ChecksumAlgorithm ?? "CRC32"}`]);
}
ok("put and get with every checksum");

// A stream has no hash beforehand: aws-chunked with a trailer, in HTTP's own chunks.
const big = randomBytes(3 * MiB);
const stream = () => Readable.from([big.subarray(0, 1000), big.subarray(1000)]);
assert.equal((await call("PutObject", { Key: "stream", Body: stream(), ContentLength: big.length, ContentEncoding: "gzip" })).ETag, `"${md5(big)}"`);
const streamed = await call("GetObject", { Key: "stream", ChecksumMode: "ENABLED" });
assert.equal(streamed.ContentEncoding, "gzip");
assert.equal(md5(await streamed.Body.transformToByteArray()), md5(big));
const piece = await call("GetObject", { Key: "stream", Range: "bytes=10-19" });
assert.equal(piece.ContentRange, `bytes 10-19/${big.length}`);
assert.deepEqual(Buffer.from(await piece.Body.transformToByteArray()), big.subarray(10, 20));
ok("a stream in aws-chunked within chunked");

await refused(call("GetObject", { Key: "stream", Range: `bytes=${big.length}-` }), 416, "InvalidRange");
await refused(call("GetObject", { Key: "none" }), 404, "NoSuchKey");
await refused(call("HeadObject", { Key: "none" }), 404, "NotFound");
await refused(call("GetObject", { Key: "none", Bucket: "no-such-bucket" }), 404, "NoSuchBucket");
await refused(call("PutObject", { Key: "stream", Body: "x", IfNoneMatch: "*" }), 412, "PreconditionFailed");
await refused(call("GetObject", { Key: "stream", IfMatch: '"x"' }), 412, "PreconditionFailed");
await refused(call("GetObject", { Key: "stream", IfNoneMatch: `"${md5(big)}"` }), 304);
ok("errors and conditions");

// Uploads in parts.
await call("CopyObject", { Key: "copy ü+", CopySource: encodeURI(`${Bucket}/stream`) });
const done = await new Upload({
  client, partSize: 5 * MiB, queueSize: 3,
  params: { Bucket, Key: "upload", Body: Readable.from([randomBytes(6 * MiB), randomBytes(6 * MiB)]) },
}).done();
assert.match(done.ETag, /^"[0-9a-f]{32}-3"$/);
assert.equal((await call("HeadObject", { Key: "upload" })).ContentLength, 12 * MiB);
assert.equal((await call("HeadObject", { Key: "upload", PartNumber: 3 })).PartsCount, 3);
for (const [ChecksumAlgorithm, ChecksumType] of [["CRC32", "COMPOSITE"], ["CRC32", "FULL_OBJECT"], ["SHA256", "COMPOSITE"]]) {
  const { UploadId } = await call("CreateMultipartUpload", { Key: "parts", ChecksumAlgorithm, ChecksumType });
  const Parts = [];
  for (const [PartNumber, size] of [[1, 5 * MiB], [2, 100]]) {
    const part = await call("UploadPart", { Key: "parts", UploadId, PartNumber, Body: randomBytes(size), ChecksumAlgorithm });
    Parts.push({ PartNumber, ETag: part.ETag, [`Checksum${ChecksumAlgorithm}`]: part[`Checksum${ChecksumAlgorithm}`] });
  }
  assert.equal((await call("ListParts", { Key: "parts", UploadId })).Parts.length, 2);
  assert.equal((await call("ListMultipartUploads")).Uploads.length, 1);
  const completed = await call("CompleteMultipartUpload", { Key: "parts", UploadId, MultipartUpload: { Parts } });
  assert.equal(completed.ChecksumType, ChecksumType);
}
const { UploadId } = await call("CreateMultipartUpload", { Key: "aborted" });
const copied = await call("UploadPartCopy", { Key: "aborted", UploadId, PartNumber: 1, CopySource: `${Bucket}/upload`, CopySourceRange: "bytes=0-6000000" });
assert(copied.CopyPartResult.LastModified instanceof Date);
await call("AbortMultipartUpload", { Key: "aborted", UploadId });
assert.equal((await refused(call("ListParts", { Key: "aborted", UploadId }), 404, "NoSuchUpload")).UploadId, UploadId);
ok("uploads in parts, copied, listed, aborted");

// Lists.
await call("PutObject", { Key: 'dir/x&<>"y', Body: "" });
const dir = await call("ListObjectsV2", { Prefix: "dir/", Delimiter: "/" });
assert.deepEqual(dir.Contents.map((c) => c.Key), ['dir/x&<>"y']);
const names = [];
for await (const page of S3.paginateListObjectsV2({ client, pageSize: 2 }, { Bucket })) names.push(...page.Contents.map((c) => c.Key));
const sorted = [...names].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
assert.deepEqual(names, sorted);
assert(names.includes(Key) && names.includes("copy ü+"));
const first = await call("ListObjects", { Delimiter: "/", MaxKeys: 2 });
assert(first.IsTruncated && first.NextMarker);
ok("lists of both versions");

const getUrl = await getSignedUrl(client, new S3.GetObjectCommand({ Bucket, Key, ResponseContentType: "text/x" }), { expiresIn: 60 });
const got = await plain("GET", getUrl);
assert.deepEqual([got.statusCode, got.headers["content-type"]], [200, "text/x"]);
const putUrl = await getSignedUrl(client, new S3.PutObjectCommand({ Bucket, Key: "presigned put" }), { expiresIn: 60 });
assert.equal((await plain("PUT", putUrl, "hi", { "Content-Length": 2 })).statusCode, 200);
assert.equal((await plain("GET", getUrl.replace(/Signature=..../, "Signature=0000"))).statusCode, 403);
ok("presigned URLs");

await refused(call("DeleteBucket"), 409, "BucketNotEmpty");
const gone = await call("DeleteObjects", { Delete: { Objects: [...names, "presigned put"].map((k) => ({ Key: k })) } });
assert.equal(gone.Deleted.length, names.length + 1);
await call("DeleteBucket");
ok("deletes");
