/* Bodies on their way in: framings, digests, checksums, and everything that can be wrong with them
 * (specs/aws-s3.md section 6). */
#include "s3_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MD5_HELLO    "XUFAKrxLKna5cZ2REBfFkg=="
#define SHA256_HELLO "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
#define SHA256_EMPTY "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

#define UNSIGNED_TRAILER "x-amz-content-sha256: STREAMING-UNSIGNED-PAYLOAD-TRAILER"
#define DECODED_5        "x-amz-decoded-content-length: 5"
#define TRAILER_CRC32    "x-amz-trailer: x-amz-checksum-crc32"

enum { case_headers_max = 6 };

struct body_case {
    const char *headers[case_headers_max];
    const char *body;
    int status;
    const char *code;    /* of an error */
    const char *message; /* NULL: any */
};

static void put_case(struct s3_fixture *f, const struct body_case *row, size_t piece_bytes)
{
    struct s3_ask ask = {.method = "PUT",
                         .target = "/bkt/k",
                         .body = span_from_cstr(row->body),
                         .piece_bytes = piece_bytes};
    for (size_t i = 0; i < case_headers_max && row->headers[i] != NULL; i++) {
        ask.headers[i] = row->headers[i];
    }
    s3_ask(f, &ask);
}

/* Each case whole and byte by byte; what is refused leaves nothing behind. */
static void run_cases(struct s3_fixture *f, const struct body_case *rows, size_t count)
{
    static const size_t pieces[] = {0, 1, 3};
    for (size_t i = 0; i < count; i++) {
        for (size_t p = 0; p < ARRAY_COUNT(pieces); p++) {
            s3_do(f, "DELETE", "/bkt/k");
            put_case(f, &rows[i], pieces[p]);
            if (f->status != rows[i].status) {
                fail_msg("case %zu in pieces of %zu: %d %s", i, pieces[p], f->status,
                         buf_cstr(&f->body));
            }
            if (rows[i].status == 200) {
                s3_get(f, "/bkt/k");
                s3_assert_body(f, "hello");
                continue;
            }
            s3_assert_error(f, rows[i].status, rows[i].code);
            if (rows[i].message != NULL) {
                s3_assert_element(f, "Message", rows[i].message);
            }
            s3_get(f, "/bkt/k");
            s3_assert_error(f, 404, "NoSuchKey");
        }
    }
}

static void plain_bodies_hold_what_their_headers_promise(void **state)
{
    static const struct body_case rows[] = {
        {{"Content-MD5: " MD5_HELLO}, "hello", 200, NULL, NULL},
        {{"Content-MD5: 1B2M2Y8AsgTpgAmY7PhCfg=="},
         "hello",
         400,
         "BadDigest",
         "The Content-MD5 you specified did not match what we received."},
        {{"Content-MD5: not base64"}, "hello", 400, "InvalidDigest", NULL},
        {{"Content-MD5: aGVsbG8="}, "hello", 400, "InvalidDigest", NULL},
        {{"Content-MD5:"}, "hello", 400, "InvalidDigest", NULL},
        {{"x-amz-content-sha256: " SHA256_HELLO}, "hello", 200, NULL, NULL},
        {{"x-amz-content-sha256: UNSIGNED-PAYLOAD"}, "hello", 200, NULL, NULL},
        {{"x-amz-content-sha256: " SHA256_EMPTY},
         "hello",
         400,
         "XAmzContentSHA256Mismatch",
         "The provided 'x-amz-content-sha256' header does not match what was computed."},
        {{"x-amz-content-sha256: abc"}, "hello", 400, "InvalidArgument", NULL},
        {{"x-amz-content-sha256: STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD"},
         "hello",
         400,
         "InvalidArgument",
         NULL},
        {{"Content-Length: {absent}"},
         "",
         411,
         "MissingContentLength",
         "You must provide the Content-Length HTTP header."},
        {{"Transfer-Encoding: chunked"}, "hello", 501, "NotImplemented", NULL},
        {{"Content-Length: 5368709121"},
         "hello",
         400,
         "EntityTooLarge",
         "Your proposed upload exceeds the maximum allowed size"},
        {{"Content-Length: 6"}, "hello", 400, "IncompleteBody", NULL},
    };
    run_cases(*state, rows, ARRAY_COUNT(rows));
}

static const struct body_case checksum_rows[] = {
    {{"x-amz-checksum-crc32: NhCmhg=="}, "hello", 200, NULL, NULL},
    {{"x-amz-checksum-crc32c: mnG7TA=="}, "hello", 200, NULL, NULL},
    {{"x-amz-checksum-sha1: qvTGHdzF6KLavt4PO0gs2a6pQ00="}, "hello", 200, NULL, NULL},
    {{"x-amz-checksum-sha256: LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ="},
     "hello",
     200,
     NULL,
     NULL},
    {{"x-amz-checksum-crc32: NhCmhg==", "x-amz-sdk-checksum-algorithm: CRC32"},
     "hello",
     200,
     NULL,
     NULL},
    {{"x-amz-checksum-crc32: AAAAAA=="},
     "hello",
     400,
     "BadDigest",
     "The CRC32 you specified did not match the calculated checksum."},
    {{"x-amz-checksum-crc32c: NhCmhg=="},
     "hello",
     400,
     "BadDigest",
     "The CRC32C you specified did not match the calculated checksum."},
    {{"x-amz-checksum-crc64nvme: AAAAAAAAAAA="},
     "hello",
     400,
     "BadDigest",
     "The CRC64NVME you specified did not match the calculated checksum."},
    {{"x-amz-checksum-sha256: 47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="},
     "hello",
     400,
     "BadDigest",
     "The SHA256 you specified did not match the calculated checksum."},
    {{"x-amz-checksum-crc32: NhCmhg"},
     "hello",
     400,
     "InvalidRequest",
     "Value for x-amz-checksum-crc32 header is invalid."},
    {{"x-amz-checksum-sha1: NhCmhg=="},
     "hello",
     400,
     "InvalidRequest",
     "Value for x-amz-checksum-sha1 header is invalid."},
    {{"x-amz-checksum-crc32: NhCmhg==", "x-amz-checksum-crc32c: mnG7TA=="},
     "hello",
     400,
     "InvalidRequest",
     "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed."},
    {{"x-amz-sdk-checksum-algorithm: CRC32"},
     "hello",
     400,
     "InvalidRequest",
     "x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or "
     "x-amz-trailer headers were found."},
    {{"x-amz-sdk-checksum-algorithm: SHA1", "x-amz-checksum-crc32: NhCmhg=="},
     "hello",
     400,
     "InvalidRequest",
     "Value for x-amz-sdk-checksum-algorithm header is invalid."},
    {{"x-amz-sdk-checksum-algorithm: MD5", "x-amz-checksum-crc32: NhCmhg=="},
     "hello",
     400,
     "InvalidRequest",
     "Value for x-amz-sdk-checksum-algorithm header is invalid."},
    {{TRAILER_CRC32}, "hello", 400, "MalformedTrailerError", NULL},
};

static void checksums_are_checked(void **state)
{
    run_cases(*state, checksum_rows, ARRAY_COUNT(checksum_rows));
}

static const struct body_case chunked_rows[] = {
    /* As captured from boto3 over https. */
    {{UNSIGNED_TRAILER, DECODED_5, TRAILER_CRC32, "Content-Encoding: aws-chunked",
      "x-amz-sdk-checksum-algorithm: CRC32"},
     "5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n",
     200,
     NULL,
     NULL},
    /* In HTTP's own chunks, as aws-sdk-js does; without Content-Encoding, as SDK v1. */
    {{UNSIGNED_TRAILER, DECODED_5, TRAILER_CRC32, "Transfer-Encoding: chunked"},
     "2\r\nhe\r\n3\r\nllo\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n",
     200,
     NULL,
     NULL},
    /* Nobody checks the signatures of chunks where nobody has credentials. */
    {{"x-amz-content-sha256: STREAMING-AWS4-HMAC-SHA256-PAYLOAD", DECODED_5},
     "5;chunk-signature=f1dd53fe72972c2afb9e5a49f2d3f5b07d4156c17589096f94b45eabb7d251ff\r\n"
     "hello\r\n"
     "0;chunk-signature=0000000000000000000000000000000000000000000000000000000000000000\r\n"
     "\r\n",
     200,
     NULL,
     NULL},
    {{"Content-Encoding: aws-chunked", DECODED_5}, "5\r\nhello\r\n0\r\n\r\n", 200, NULL, NULL},
    /* A missing last line end is forgiven. */
    {{UNSIGNED_TRAILER, DECODED_5}, "5\r\nhello\r\n0\r\n", 200, NULL, NULL},
    {{UNSIGNED_TRAILER, DECODED_5, TRAILER_CRC32},
     "5\r\nhello\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n",
     400,
     "BadDigest",
     "The CRC32 you specified did not match the calculated checksum."},
    {{UNSIGNED_TRAILER, DECODED_5, TRAILER_CRC32},
     "5\r\nhello\r\n0\r\nx-amz-checksum-crc32:nonsense\r\n\r\n",
     400,
     "InvalidRequest",
     "Value for x-amz-checksum-crc32 trailing header is invalid."},
    {{UNSIGNED_TRAILER, DECODED_5, TRAILER_CRC32},
     "5\r\nhello\r\n0\r\n\r\n",
     400,
     "MalformedTrailerError",
     NULL},
    {{UNSIGNED_TRAILER, DECODED_5, "x-amz-trailer: x-amz-meta-a"},
     "5\r\nhello\r\n0\r\n\r\n",
     400,
     "InvalidRequest",
     "The value specified in the x-amz-trailer header is not supported"},
    {{UNSIGNED_TRAILER, DECODED_5, TRAILER_CRC32, "x-amz-checksum-crc32: NhCmhg=="},
     "5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n",
     400,
     "InvalidRequest",
     NULL},
    {{UNSIGNED_TRAILER}, "5\r\nhello\r\n0\r\n\r\n", 411, "MissingContentLength", NULL},
    {{UNSIGNED_TRAILER, "x-amz-decoded-content-length: x"},
     "5\r\nhello\r\n0\r\n\r\n",
     411,
     "MissingContentLength",
     NULL},
    {{UNSIGNED_TRAILER, "x-amz-decoded-content-length: 5368709121"},
     "5\r\nhello\r\n0\r\n\r\n",
     400,
     "EntityTooLarge",
     NULL},
    {{UNSIGNED_TRAILER, "x-amz-decoded-content-length: 4"},
     "5\r\nhello\r\n0\r\n\r\n",
     400,
     "IncompleteBody",
     NULL},
    {{UNSIGNED_TRAILER, "x-amz-decoded-content-length: 6"},
     "5\r\nhello\r\n0\r\n\r\n",
     400,
     "IncompleteBody",
     NULL},
    {{UNSIGNED_TRAILER, DECODED_5}, "5\r\nhel", 400, "IncompleteBody", NULL},
    {{UNSIGNED_TRAILER, DECODED_5}, "5\r\nhello\r\n", 400, "IncompleteBody", NULL},
    {{UNSIGNED_TRAILER, DECODED_5}, "hello", 400, "IncompleteBody", NULL},
    {{UNSIGNED_TRAILER, DECODED_5},
     "ffffffffffffffff\r\nhello\r\n0\r\n\r\n",
     400,
     "IncompleteBody",
     NULL},
    {{UNSIGNED_TRAILER, DECODED_5}, "5\r\nhelloXX0\r\n\r\n", 400, "IncompleteBody", NULL},
    {{UNSIGNED_TRAILER, DECODED_5}, "", 400, "IncompleteBody", NULL},
};

static void chunked_uploads_are_taken_out_of_their_framing(void **state)
{
    run_cases(*state, chunked_rows, ARRAY_COUNT(chunked_rows));
}

static void mismatches_show_both_digests(void **state)
{
    struct s3_fixture *f = *state;
    struct body_case sha = {
        {"x-amz-content-sha256: " SHA256_EMPTY}, "hello", 400, "XAmzContentSHA256Mismatch", NULL};
    put_case(f, &sha, 0);
    s3_assert_element(f, "ClientComputedContentSHA256", SHA256_EMPTY);
    s3_assert_element(f, "S3ComputedContentSHA256", SHA256_HELLO);
    struct body_case md5 = {
        {"Content-MD5: 1B2M2Y8AsgTpgAmY7PhCfg=="}, "hello", 400, "BadDigest", NULL};
    put_case(f, &md5, 0);
    s3_assert_element(f, "ExpectedDigest", "1B2M2Y8AsgTpgAmY7PhCfg==");
    s3_assert_element(f, "CalculatedDigest", MD5_HELLO);
}

static void checksum_is_echoed_stored_and_given_when_asked_for(void **state)
{
    struct s3_fixture *f = *state;
    struct body_case put = {{"x-amz-checksum-crc32: NhCmhg=="}, "hello", 200, NULL, NULL};
    put_case(f, &put, 0);
    s3_assert_header(f, "x-amz-checksum-crc32", "NhCmhg==");
    s3_assert_header(f, "x-amz-checksum-type", "FULL_OBJECT");
    s3_get(f, "/bkt/k");
    s3_assert_header(f, "x-amz-checksum-crc32", "");
    struct s3_ask get = {.method = "GET",
                         .target = "/bkt/k",
                         .headers = {"x-amz-checksum-mode: ENABLED"},
                         .body = SPAN_EMPTY};
    s3_ask(f, &get);
    s3_assert_header(f, "x-amz-checksum-crc32", "NhCmhg==");
    s3_assert_header(f, "x-amz-checksum-type", "FULL_OBJECT");
    get.headers[1] = "Range: bytes=0-3";
    s3_ask(f, &get);
    s3_assert_status(f, 206);
    s3_assert_header(f, "x-amz-checksum-crc32", "");
    struct s3_ask copy = {.method = "PUT",
                          .target = "/bkt/copy",
                          .headers = {"x-amz-copy-source: bkt/k"},
                          .body = SPAN_EMPTY};
    s3_ask(f, &copy);
    s3_assert_element(f, "ChecksumCRC32", "NhCmhg==");
    s3_assert_element(f, "ChecksumType", "FULL_OBJECT");
}

static void checksum_of_a_trailer_is_echoed_too(void **state)
{
    struct s3_fixture *f = *state;
    struct body_case put = {{UNSIGNED_TRAILER, DECODED_5, TRAILER_CRC32},
                            "5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n",
                            200,
                            NULL,
                            NULL};
    put_case(f, &put, 0);
    s3_assert_header(f, "x-amz-checksum-crc32", "NhCmhg==");
}

/* What waits in memory for the rest of its chunk is counted while it does. */
static void a_body_is_counted_while_it_comes_in(void **state)
{
    static char bytes[100 * 1024];
    struct s3_fixture *f = *state;
    const struct service *service = s3_service(f->s3);
    const size_t *used = &f->turn.budget.shares[BUDGET_REQUESTS].used_bytes;
    struct exchange *e = &f->exchange;
    s3_do(f, "GET", "/bkt");
    for (int fails = 0; fails < 2; fails++) {
        struct http_header headers[] = {{SPAN_LIT("Content-Length"), SPAN_LIT("1000000")}};
        exchange_sent(e);
        exchange_reset(e, service);
        e->request.method = METHOD_PUT;
        e->request.method_name = SPAN_LIT("PUT");
        e->request.target = e->request.path = SPAN_LIT("/bkt/k");
        e->request.host = SPAN_LIT(S3_FIXTURE_HOST);
        e->request.headers = headers;
        e->request.header_count = 1;
        assert_int_equal(service->body_begin(service->ctx, e), BODY_STREAM);
        assert_int_equal(service->body_piece(service->ctx, e, span_from(bytes, 40000)),
                         BODY_STREAM);
        assert_in_range(*used, 40000, 64 * 1024 + 1024);
        if (fails) {
            (service->fail)(service->ctx, e, EXCHANGE_OVERLOADED);
            assert_int_equal(e->reply.status, 503);
            assert_int_equal(*used, 0);
        }
        exchange_sent(e);
        assert_int_equal(*used, 0);
    }
}

static void xml_bodies_are_checked_like_objects(void **state)
{
    static const char xml[] = "<CreateBucketConfiguration><LocationConstraint>eu-west-1"
                              "</LocationConstraint></CreateBucketConfiguration>";
    static const char *const wrong[] = {
        "Content-MD5: " MD5_HELLO,
        "x-amz-content-sha256: " SHA256_HELLO,
        "x-amz-checksum-crc32: NhCmhg==",
    };
    static const char *const codes[] = {"BadDigest", "XAmzContentSHA256Mismatch", "BadDigest"};
    struct s3_fixture *f = *state;
    for (size_t i = 0; i < ARRAY_COUNT(wrong); i++) {
        struct s3_ask ask = {.method = "PUT",
                             .target = "/irish",
                             .headers = {wrong[i]},
                             .body = span_from_cstr(xml)};
        s3_ask(f, &ask);
        s3_assert_error(f, 400, codes[i]);
        s3_do(f, "HEAD", "/irish");
        s3_assert_status(f, 404);
    }
    char chunked[512];
    char decoded[64];
    snprintf(chunked, sizeof(chunked), "%zx\r\n%s\r\n0\r\n\r\n", sizeof(xml) - 1, xml);
    snprintf(decoded, sizeof(decoded), "x-amz-decoded-content-length: %zu", sizeof(xml) - 1);
    struct s3_ask ask = {.method = "PUT",
                         .target = "/irish",
                         .headers = {UNSIGNED_TRAILER, decoded},
                         .body = span_from_cstr(chunked)};
    s3_ask(f, &ask);
    s3_assert_status(f, 200);
    s3_do(f, "HEAD", "/irish");
    s3_assert_header(f, "x-amz-bucket-region", "eu-west-1");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, s3_fixture_setup, s3_fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(plain_bodies_hold_what_their_headers_promise),
        TEST(checksums_are_checked),
        TEST(chunked_uploads_are_taken_out_of_their_framing),
        TEST(mismatches_show_both_digests),
        TEST(checksum_is_echoed_stored_and_given_when_asked_for),
        TEST(checksum_of_a_trailer_is_echoed_too),
        TEST(a_body_is_counted_while_it_comes_in),
        TEST(xml_bodies_are_checked_like_objects),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
