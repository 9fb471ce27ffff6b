import com.amazonaws.auth.AWSStaticCredentialsProvider;
import com.amazonaws.auth.BasicAWSCredentials;
import com.amazonaws.client.builder.AwsClientBuilder.EndpointConfiguration;
import com.amazonaws.services.s3.AmazonS3;
import com.amazonaws.services.s3.AmazonS3ClientBuilder;
import com.amazonaws.services.s3.model.*;
import com.amazonaws.services.s3.transfer.TransferManagerBuilder;
import java.io.ByteArrayInputStream;
import java.io.InputStream;
import java.net.HttpURLConnection;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.*;

/** The AWS SDK for Java v1, as the S3 sink connector and Hadoop 3.3 use it: its streams are signed chunk by chunk. */
public class S3SdkV1 {
    static final String BUCKET = "java-v1";
    static final String KEY = "topics/u.pin/partition=0/u.pin+0+0000000000 \u00fc.json";
    static final int MIB = 1 << 20;
    static AmazonS3 s3;

    static void check(boolean good, String what) {
        if (!good) throw new AssertionError(what);
    }

    static void ok(String words) {
        System.out.println("ok - java v1: " + words);
    }

    static byte[] bytes(int count) {
        byte[] result = new byte[count];
        new Random(count).nextBytes(result);
        return result;
    }

    static InputStream stream(byte[] data) {
        return new ByteArrayInputStream(data);
    }

    static byte[] read(GetObjectRequest request) throws Exception {
        try (S3Object object = s3.getObject(request)) {
            return object.getObjectContent().readAllBytes();
        }
    }

    static void buckets() {
        s3.createBucket(BUCKET);
        check(s3.doesBucketExistV2(BUCKET) && !s3.doesBucketExistV2("no-such-bucket"), "exists");
        check(s3.listBuckets().stream().anyMatch(b -> b.getName().equals(BUCKET) && b.getCreationDate() != null), "listed");
        check(s3.getBucketAcl(BUCKET).getGrantsAsList().get(0).getPermission() == Permission.FullControl, "acl");
        check(s3.getBucketLocation(BUCKET).equals("US"), "location");
        ok("buckets");
    }

    static void objects() throws Exception {
        byte[] data = bytes(1_000_000);
        ObjectMetadata metadata = new ObjectMetadata();
        metadata.setContentLength(data.length);
        metadata.setContentEncoding("gzip");
        metadata.addUserMetadata("Foo", "bar");
        s3.putObject(BUCKET, KEY, "{\"a\":1}\n");
        check(s3.getObjectAsString(BUCKET, KEY).equals("{\"a\":1}\n"), "text");
        String tag = s3.putObject(BUCKET, "stream", stream(data), metadata).getETag();
        ObjectMetadata got = s3.getObjectMetadata(BUCKET, "stream");
        check(got.getContentLength() == data.length && "bar".equals(got.getUserMetaDataOf("foo")), "metadata");
        check("gzip".equals(got.getContentEncoding()), "aws-chunked is taken off: " + got.getContentEncoding());
        check(Arrays.equals(read(new GetObjectRequest(BUCKET, "stream")), data), "bytes");
        check(read(new GetObjectRequest(BUCKET, "stream").withRange(10, 19)).length == 10, "range");
        check(s3.getObject(new GetObjectRequest(BUCKET, "stream").withNonmatchingETagConstraint(tag)) == null, "304");
        check(s3.getObject(new GetObjectRequest(BUCKET, "stream").withMatchingETagConstraint("x")) == null, "412");
        s3.copyObject(BUCKET, "stream", BUCKET, "copy \u00fc+");
        ok("put in signed chunks, got, copied");
    }

    static UploadPartRequest part(String id, int number, byte[] data) {
        return new UploadPartRequest().withBucketName(BUCKET).withKey("parts").withUploadId(id).withPartNumber(number)
            .withPartSize(data.length).withInputStream(stream(data));
    }

    static void uploads() {
        String id = s3.initiateMultipartUpload(new InitiateMultipartUploadRequest(BUCKET, "parts")).getUploadId();
        List<PartETag> tags = new ArrayList<>();
        tags.add(s3.uploadPart(part(id, 1, bytes(5 * MIB))).getPartETag());
        tags.add(s3.copyPart(new CopyPartRequest().withSourceBucketName(BUCKET).withSourceKey("stream")
            .withDestinationBucketName(BUCKET).withDestinationKey("parts").withUploadId(id).withPartNumber(2)
            .withFirstByte(0L).withLastByte(99L)).getPartETag());
        check(s3.listParts(new ListPartsRequest(BUCKET, "parts", id)).getParts().size() == 2, "parts");
        check(s3.listMultipartUploads(new ListMultipartUploadsRequest(BUCKET)).getMultipartUploads().size() == 1, "uploads");
        String tag = s3.completeMultipartUpload(new CompleteMultipartUploadRequest(BUCKET, "parts", id, tags)).getETag();
        check(tag.endsWith("-2") && s3.getObjectMetadata(BUCKET, "parts").getContentLength() == 5 * MIB + 100, "whole");
        String other = s3.initiateMultipartUpload(new InitiateMultipartUploadRequest(BUCKET, "aborted")).getUploadId();
        s3.abortMultipartUpload(new AbortMultipartUploadRequest(BUCKET, "aborted", other));
        ok("uploads in parts, copied, aborted");
    }

    /* Up in parts, down by partNumber. */
    static void transfer() throws Exception {
        Path up = Files.createTempFile("up", null);
        Path down = Files.createTempFile("down", null);
        var manager = TransferManagerBuilder.standard().withS3Client(s3).withMinimumUploadPartSize(5L * MIB)
            .withMultipartUploadThreshold(5L * MIB).build();
        try {
            Files.write(up, bytes(12 * MIB));
            manager.upload(BUCKET, "transfer", up.toFile()).waitForCompletion();
            manager.download(BUCKET, "transfer", down.toFile()).waitForCompletion();
            check(Files.mismatch(up, down) == -1, "the same");
        } finally {
            manager.shutdownNow(false);
            Files.delete(up);
            Files.delete(down);
        }
        ok("TransferManager");
    }

    static List<String> lists() {
        List<String> names = new ArrayList<>();
        ListObjectsV2Request request = new ListObjectsV2Request().withBucketName(BUCKET).withMaxKeys(2);
        ListObjectsV2Result page;
        do {
            page = s3.listObjectsV2(request);
            page.getObjectSummaries().forEach(o -> names.add(o.getKey()));
            request.setContinuationToken(page.getNextContinuationToken());
        } while (page.isTruncated());
        check(names.size() == 5 && names.contains(KEY) && names.contains("copy \u00fc+"), names.toString());
        ObjectListing first = s3.listObjects(new ListObjectsRequest(BUCKET, null, null, "/", 2));
        check(first.isTruncated() && !s3.listNextBatchOfObjects(first).getObjectSummaries().isEmpty(), "version 1");
        ok("lists of both versions");
        return names;
    }

    static void errors() throws Exception {
        try {
            s3.getObject(BUCKET, "none");
            check(false, "there is none");
        } catch (AmazonS3Exception e) {
            check(e.getErrorCode().equals("NoSuchKey") && e.getStatusCode() == 404, e.toString());
            check(e.getRequestId() != null && e.getExtendedRequestId() != null, "ids");
        }
        var url = s3.generatePresignedUrl(BUCKET, KEY, new Date(System.currentTimeMillis() + 60_000));
        check(((HttpURLConnection) url.openConnection()).getResponseCode() == 200, "presigned");
        ok("errors, presigned");
    }

    static void deletes(List<String> names) {
        try {
            s3.deleteBucket(BUCKET);
            check(false, "it is not empty");
        } catch (AmazonS3Exception e) {
            check(e.getErrorCode().equals("BucketNotEmpty"), e.toString());
        }
        var request = new DeleteObjectsRequest(BUCKET).withKeys(names.toArray(new String[0]));
        check(s3.deleteObjects(request).getDeletedObjects().size() == names.size(), "deleted");
        s3.deleteBucket(BUCKET);
        ok("deletes");
    }

    public static void main(String[] arguments) throws Exception {
        var credentials = new BasicAWSCredentials("AKIDEXAMPLE", "peer/test+secret");
        s3 = AmazonS3ClientBuilder.standard().withPathStyleAccessEnabled(true)
            .withCredentials(new AWSStaticCredentialsProvider(credentials))
            .withEndpointConfiguration(new EndpointConfiguration(arguments[0], "us-east-1")).build();
        buckets();
        objects();
        uploads();
        transfer();
        errors();
        deletes(lists());
    }
}
