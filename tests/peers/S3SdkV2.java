import java.io.ByteArrayInputStream;
import java.net.URI;
import java.util.*;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.core.sync.RequestBody;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.model.*;

/** The AWS SDK for Java v2, as Hadoop 3.4 uses it: signed chunks with a checksum in the trailer. */
public class S3SdkV2 {
    static final String BUCKET = "java-v2";
    static final String KEY = "topics/u.pin/partition=0/u.pin+0+0000000000 \u00fc.json";
    static final int MIB = 1 << 20;
    static S3Client s3;

    static void check(boolean good, String what) {
        if (!good) throw new AssertionError(what);
    }

    static void ok(String words) {
        System.out.println("ok - java v2: " + words);
    }

    static byte[] bytes(int count) {
        byte[] result = new byte[count];
        new Random(count).nextBytes(result);
        return result;
    }

    static void objects() {
        byte[] data = bytes(1_000_000);
        var algorithms = new ChecksumAlgorithm[] {null, ChecksumAlgorithm.CRC32, ChecksumAlgorithm.SHA1, ChecksumAlgorithm.SHA256};
        for (ChecksumAlgorithm algorithm : algorithms) {
            var put = s3.putObject(r -> r.bucket(BUCKET).key(KEY).checksumAlgorithm(algorithm).metadata(Map.of("foo", "bar")),
                RequestBody.fromBytes(data));
            var got = s3.getObjectAsBytes(r -> r.bucket(BUCKET).key(KEY).checksumMode(ChecksumMode.ENABLED));
            check(Arrays.equals(got.asByteArray(), data), "bytes");
            check(put.eTag().equals(got.response().eTag()) && "bar".equals(got.response().metadata().get("foo")), "headers");
        }
        s3.putObject(r -> r.bucket(BUCKET).key("stream").contentEncoding("gzip"),
            RequestBody.fromInputStream(new ByteArrayInputStream(data), data.length));
        check("gzip".equals(s3.headObject(r -> r.bucket(BUCKET).key("stream")).contentEncoding()), "aws-chunked is taken off");
        s3.copyObject(r -> r.sourceBucket(BUCKET).sourceKey(KEY).destinationBucket(BUCKET).destinationKey("copy \u00fc+"));
        ok("put in signed chunks with a trailer, got, copied");
    }

    static void uploads() {
        var id = s3.createMultipartUpload(r -> r.bucket(BUCKET).key("parts").checksumAlgorithm(ChecksumAlgorithm.CRC32)).uploadId();
        List<CompletedPart> parts = new ArrayList<>();
        for (int number = 1; number <= 2; number++) {
            int n = number;
            var part = s3.uploadPart(
                r -> r.bucket(BUCKET).key("parts").uploadId(id).partNumber(n).checksumAlgorithm(ChecksumAlgorithm.CRC32),
                RequestBody.fromBytes(bytes(n == 1 ? 5 * MIB : 10)));
            parts.add(CompletedPart.builder().partNumber(n).eTag(part.eTag()).checksumCRC32(part.checksumCRC32()).build());
        }
        var done = s3.completeMultipartUpload(r -> r.bucket(BUCKET).key("parts").uploadId(id).multipartUpload(m -> m.parts(parts)));
        check(done.eTag().endsWith("-2\"") && done.checksumCRC32().endsWith("-2"), "tags");
        var whole = s3.getObjectAsBytes(r -> r.bucket(BUCKET).key("parts").checksumMode(ChecksumMode.ENABLED));
        check(whole.asByteArray().length == 5 * MIB + 10, "length");
        ok("uploads in parts");
    }

    static void errors() {
        try {
            s3.getObject(r -> r.bucket(BUCKET).key("none"));
            check(false, "there is none");
        } catch (NoSuchKeyException e) {
            check(e.statusCode() == 404, e.toString());
        }
        try {
            s3.putObject(r -> r.bucket(BUCKET).key(KEY).ifNoneMatch("*"), RequestBody.fromString("x"));
            check(false, "it is there");
        } catch (S3Exception e) {
            check(e.statusCode() == 412 && e.awsErrorDetails().errorCode().equals("PreconditionFailed"), e.toString());
        }
        ok("errors");
    }

    static void deletes() {
        List<ObjectIdentifier> names = new ArrayList<>();
        s3.listObjectsV2Paginator(r -> r.bucket(BUCKET).maxKeys(2)).contents()
            .forEach(o -> names.add(ObjectIdentifier.builder().key(o.key()).build()));
        check(names.size() == 4 && names.stream().anyMatch(n -> n.key().equals(KEY)), names.toString());
        check(s3.deleteObjects(r -> r.bucket(BUCKET).delete(d -> d.objects(names))).deleted().size() == 4, "deleted");
        s3.deleteBucket(r -> r.bucket(BUCKET));
        ok("lists, deletes");
    }

    public static void main(String[] arguments) {
        var credentials = AwsBasicCredentials.create("AKIDEXAMPLE", "peer/test+secret");
        s3 = S3Client.builder().endpointOverride(URI.create(arguments[0])).region(Region.US_EAST_1).forcePathStyle(true)
            .credentialsProvider(StaticCredentialsProvider.create(credentials)).build();
        s3.createBucket(r -> r.bucket(BUCKET));
        s3.headBucket(r -> r.bucket(BUCKET));
        objects();
        uploads();
        errors();
        deletes();
    }
}
