/* What clients sent, judged: requests signed by botocore are taken, and refused as soon as anything
 * that is signed differs; claims that are not well-formed are named. */
#include "sigv4_claim.h"

#include "signed_request.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int open_crypto(void **state)
{
    *state = signed_request_crypto();
    return 0;
}

static int close_crypto(void **state)
{
    crypto_free(*state);
    return 0;
}

/* Made with botocore 1.44.5 for AKIDEXAMPLE and the secret of the specification. */
static const struct signed_request by_botocore[] = {
    {"boto3 put_object, odd key, blanks in metadata", "s3", "PUT",
     "/user-0a-bucket/topics/u.pin/partition%3D0/"
     "%C3%A9%20%2B%26%E6%97%A5%E6%9C%AC%20%2541~%281%29%27.json",
     "", "e346432021b04179518d9614f3560ccd71354a4ee101ddcb893d6959a9d6301c", "",
     "x-amz-meta-a:x   y\n"
     "x-amz-meta-b-c:z\n"
     "Content-Type:text/plain; charset=utf-8\n"
     "x-amz-checksum-crc32:dOijRg==\n"
     "x-amz-sdk-checksum-algorithm:CRC32\n"
     "host:127.0.0.1:9000\n"
     "X-Amz-Date:20261121T065323Z\n"
     "x-amz-content-sha256:e346432021b04179518d9614f3560ccd71354a4ee101ddcb893d6959a9d6301c\n"
     "Authorization:AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261121/us-east-1/s3/aws4_request, "
     "SignedHeaders=content-type;host;x-amz-checksum-crc32;x-amz-content-sha256;x-amz-date;x-amz-"
     "meta-a;x-amz-meta-b-c;x-amz-sdk-checksum-algorithm, "
     "Signature=a611d978012ce4ce42feb64e8f9493cb699bd2fb246977e44b7748d73c847a74\n"
     "Content-Length:8\n"},
    {"boto3 list_objects_v2", "s3", "GET", "/user-0a-bucket",
     "list-type=2&prefix=a%20b%2F%2B%3D%26&delimiter=%2F&start-after=%C3%A9&max-keys=5&"
     "continuation-token=1x%2B%2F%3D&encoding-type=url",
     "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", "",
     "host:127.0.0.1:9000\n"
     "X-Amz-Date:20261121T065323Z\n"
     "x-amz-content-sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\n"
     "Authorization:AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261121/us-east-1/s3/aws4_request, "
     "SignedHeaders=host;x-amz-content-sha256;x-amz-date, "
     "Signature=63ed273a3ef0a33c61aedf6b9697a12b58bc4bdef499aa06165d1db41d80ab73\n"},
    {"boto3 copy_object, dots and two slashes in the key", "s3", "PUT", "/user-0a-bucket/a//b/../c",
     "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", "",
     "x-amz-copy-source:user-0a-bucket/x%20y%2Bz\n"
     "host:127.0.0.1:9000\n"
     "X-Amz-Date:20261121T065323Z\n"
     "x-amz-content-sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\n"
     "Authorization:AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261121/us-east-1/s3/aws4_request, "
     "SignedHeaders=host;x-amz-content-sha256;x-amz-copy-source;x-amz-date, "
     "Signature=fccf3cb539252504ee406492528e509e98b038fd35ee0ae80e48555ac5661d7c\n"
     "Content-Length:0\n"},
    {"boto3 upload_part with a session token", "s3", "PUT", "/user-0a-bucket/k",
     "partNumber=3&uploadId=u%2B%2F%3Did",
     "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881", "",
     "x-amz-checksum-crc32:jNwWgw==\n"
     "x-amz-sdk-checksum-algorithm:CRC32\n"
     "host:127.0.0.1:9000\n"
     "X-Amz-Security-Token:FQoGZX+/token==\n"
     "X-Amz-Date:20261121T065323Z\n"
     "x-amz-content-sha256:2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881\n"
     "Authorization:AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261121/us-east-1/s3/aws4_request, "
     "SignedHeaders=host;x-amz-checksum-crc32;x-amz-content-sha256;x-amz-date;x-amz-sdk-checksum-"
     "algorithm;x-amz-security-token, "
     "Signature=f74f39282048817686214dd1084252a1709a10062abc12fc7097e042db988c27\n"
     "Content-Length:1\n"},
    {"boto3 get_object, virtual host", "s3", "GET", "/100%25/a%2520b", "",
     "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", "",
     "Range:bytes=0-9\n"
     "x-amz-checksum-mode:ENABLED\n"
     "host:user-0a-bucket.s3.example.com:9000\n"
     "X-Amz-Date:20261121T065323Z\n"
     "x-amz-content-sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\n"
     "Authorization:AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261121/eu-west-1/s3/aws4_request, "
     "SignedHeaders=host;range;x-amz-checksum-mode;x-amz-content-sha256;x-amz-date, "
     "Signature=9f0e33187d77ad49af31908b5a258831030f5d6c17be151a494260463940cf92\n"},
    {"presigned PUT with signed headers and a token", "s3", "PUT", "/user-0a-bucket/a%20b%2Bc",
     "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIDEXAMPLE%2F20261121%2Fus-east-1%2Fs3%"
     "2Faws4_request&X-Amz-Date=20261121T065323Z&X-Amz-SignedHeaders=host%3Bx-amz-acl&X-Amz-"
     "Expires=604800&X-Amz-Security-Token=FQoGZX%2B%2Ftoken%3D%3D&X-Amz-Signature="
     "cdec514bd8145ae19cb8b7d0a32469a4d94e9c9bfa6d1b89d3eaa5ce763c8f33",
     "UNSIGNED-PAYLOAD", "",
     "x-amz-acl:public-read\n"
     "Host:127.0.0.1:9000\n"},
    {"presigned GET with other headers", "s3", "GET", "/user-0a-bucket/%C3%BC",
     "response-content-disposition=attachment%3B%20filename%3D%22a%20b%2Bc.txt%22&X-Amz-Algorithm="
     "AWS4-HMAC-SHA256&X-Amz-Credential=AKIDEXAMPLE%2F20261121%2Fus-east-1%2Fs3%2Faws4_request&X-"
     "Amz-Date=20261121T065323Z&X-Amz-SignedHeaders=host&X-Amz-Expires=60&X-Amz-Signature="
     "ce72c07b487f42842f06d2a551f9d71325b26a3fa24bebd68aeba785eaa39ab8",
     "UNSIGNED-PAYLOAD", "", "Host:127.0.0.1:9000\n"},
    {"dots in the path, repeated headers", "kinesis", "POST", "/a/./b//../c%20d/", "",
     "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a", "",
     "Content-Type:application/x-amz-json-1.1\n"
     "X-Multi:one   two\n"
     "x-multi:  three\n"
     "X-Multi:\n"
     "X-Tab:a \t b\n"
     "X-Amz-Date:20260102T030405Z\n"
     "Authorization:AWS4-HMAC-SHA256 "
     "Credential=AKIDEXAMPLE/20260102/us-east-1/kinesis/aws4_request, "
     "SignedHeaders=content-type;host;x-amz-date;x-multi;x-tab, "
     "Signature=574c94efe84e17aa438c7b643a120e9a931fcdca22bfdeb4ac96872c3e8e7d41\n"
     "Content-Length:2\n"
     "Host:127.0.0.1:4567\n"},
    {"path encoded twice", "execute-api", "POST", "/test/topics/u%20v%2Bw",
     "z=&A=a+b&a=%3D%2F&%C3%A9=%2B",
     "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a", "",
     "Content-Type:application/json\n"
     "X-Amz-Date:20260102T030405Z\n"
     "Authorization:AWS4-HMAC-SHA256 "
     "Credential=AKIDEXAMPLE/20260102/eu-west-2/execute-api/aws4_request, "
     "SignedHeaders=content-type;host;x-amz-date, "
     "Signature=5c08febb1775561049640f7797881acb0c27f85f73292d4b5e5c25673bda5e34\n"
     "Content-Length:2\n"
     "Host:127.0.0.1:8082\n"},
    {"kafka-cluster", "kafka-cluster", "GET", "/",
     "Action=kafka-cluster%3AConnect&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIDEXAMPLE%"
     "2F20260102%2Fus-east-1%2Fkafka-cluster%2Faws4_request&X-Amz-Date=20260102T030405Z&X-Amz-"
     "Expires=900&X-Amz-SignedHeaders=host&X-Amz-Signature="
     "47a2f45d6f30962cc4fa24fb2a4ccb784f97746d1e9b8150c62afd951be7284c",
     "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", "",
     "Host:b-1.pinpipe.kafka.us-east-1.amazonaws.com\n"},
    {"SigV2 URL with a token and overrides", "s3", "GET", "/user-0a-bucket/a%20b%2Bc",
     "response-content-type=text%2Fplain%3B%20x%3Dy&versionId=v%2B1%20%3D&AWSAccessKeyId="
     "AKIDEXAMPLE&Signature=XruHlJWxwzdrmpyq4%2BZQLTFGVdI%3D&x-amz-security-token=FQoGZX%2B%"
     "2Ftoken%3D%3D&Expires=1767323105",
     "UNSIGNED-PAYLOAD", "", "Host:127.0.0.1:9000\n"},
    {"SigV2 URL, virtual host", "s3", "PUT", "/%C3%A9",
     "uploadId=a%2Bb%2F%3D&partNumber=2&AWSAccessKeyId=AKIDEXAMPLE&Signature="
     "WKcep6dMoCOIdC7L25UEk2PCQp0%3D&Expires=1767323105",
     "UNSIGNED-PAYLOAD", "user-0a-bucket", "Host:user-0a-bucket.s3.example.com:9000\n"},
    {"SigV2 URL of a bucket", "s3", "GET", "/user-0a-bucket",
     "location&AWSAccessKeyId=AKIDEXAMPLE&Signature=NT9exGvisi4GNDs3YO4o9VMW%2Fe4%3D&Expires="
     "1767323105",
     "UNSIGNED-PAYLOAD", "", "Host:127.0.0.1:9000\n"},
    {"SigV2 header, repeated x-amz-meta", "s3", "PUT", "/bkt/a%20b",
     "partNumber=2&x=1&uploadId=a%2Bb", "UNSIGNED-PAYLOAD", "",
     "Content-Type:text/plain\n"
     "Content-MD5:XUFAKrxLKna5cZ2REBfFkg==\n"
     "x-amz-meta-b:two   spaces\n"
     "X-Amz-Meta-A:1\n"
     "x-amz-meta-a:2\n"
     "x-amz-security-token:tok+/=\n"
     "Date:Sat, 21 Nov 2026 06:53:23 GMT\n"
     "Authorization:AWS AKIDEXAMPLE:AxHgTJyd7kFR5/Xc7bbuxZD5ImQ=\n"
     "Host:127.0.0.1:9000\n"},
};

static bool fits(struct crypto *crypto, const struct sigv4_request *request, const char *bucket)
{
    return signed_request_fits(crypto, request, span_from_cstr(bucket), SPAN_LIT(TEST_SECRET));
}

static bool is_v2(const struct signed_request *texts)
{
    return strstr(texts->query, "AWSAccessKeyId") != NULL ||
           strstr(texts->headers, "Authorization:AWS ") != NULL;
}

static bool is_signed_header(const struct signed_request *texts, struct span name)
{
    struct arena arena;
    struct sigv4_claim claim;
    struct parsed_request parsed;
    const char *what;
    bool found = false;
    arena_init(&arena, 1 << 16);
    signed_request_parse(texts, &parsed);
    assert_int_equal(sigv4_claim_parse(&parsed.request, &arena, &claim, &what), SIGV4_SOUND);
    struct span part;
    while (span_next_part(&claim.signed_headers, ';', &part)) {
        found = found || span_equal_nocase(part, name);
    }
    arena_release(&arena);
    return found;
}

static void requests_of_botocore_are_taken(void **state)
{
    for (size_t i = 0; i < ARRAY_COUNT(by_botocore); i++) {
        struct parsed_request parsed;
        signed_request_parse(&by_botocore[i], &parsed);
        if (!fits(*state, &parsed.request, by_botocore[i].bucket)) {
            fail_msg("%s", by_botocore[i].label);
        }
    }
}

static void another_secret_or_method_is_refused(void **state)
{
    for (size_t i = 0; i < ARRAY_COUNT(by_botocore); i++) {
        struct parsed_request parsed;
        signed_request_parse(&by_botocore[i], &parsed);
        assert_false(signed_request_fits(*state, &parsed.request,
                                         span_from_cstr(by_botocore[i].bucket),
                                         SPAN_LIT(TEST_SECRET "x")));
        parsed.request.method = SPAN_LIT("DELETE");
        assert_false(fits(*state, &parsed.request, by_botocore[i].bucket));
    }
}

/* A 'q' is no hex digit and no separator, so wherever it replaces a byte the meaning differs. */
static void assert_every_byte_counts(struct crypto *crypto, const struct signed_request *texts,
                                     struct parsed_request *parsed, struct span *field)
{
    struct span good = *field;
    char bytes[1024];
    assert_true(good.len <= sizeof(bytes));
    for (size_t i = 0; i < good.len; i++) {
        memcpy(bytes, good.ptr, good.len);
        if (bytes[i] == 'q' || bytes[i] == ' ' || bytes[i] == '\t') {
            continue;
        }
        bytes[i] = 'q';
        *field = span_from(bytes, good.len);
        if (fits(crypto, &parsed->request, texts->bucket)) {
            fail_msg("%s: taken with %.*s", texts->label, SPAN_ARG(*field));
        }
    }
    *field = good;
}

static void every_byte_of_path_and_query_counts(void **state)
{
    for (size_t i = 0; i < ARRAY_COUNT(by_botocore); i++) {
        struct parsed_request parsed;
        signed_request_parse(&by_botocore[i], &parsed);
        if (!is_v2(&by_botocore[i])) {
            assert_every_byte_counts(*state, &by_botocore[i], &parsed, &parsed.request.query);
        }
        /* Segments that the canonical path drops ("a/./b//../c") may differ unseen. */
        if (strstr(by_botocore[i].path, "/./") == NULL) {
            assert_every_byte_counts(*state, &by_botocore[i], &parsed, &parsed.request.path);
        }
    }
}

static void every_byte_of_signed_headers_and_payload_hash_counts(void **state)
{
    for (size_t i = 0; i < ARRAY_COUNT(by_botocore); i++) {
        struct parsed_request parsed;
        if (is_v2(&by_botocore[i])) {
            continue;
        }
        signed_request_parse(&by_botocore[i], &parsed);
        assert_every_byte_counts(*state, &by_botocore[i], &parsed, &parsed.request.payload_hash);
        for (size_t h = 0; h < parsed.request.header_count; h++) {
            if (is_signed_header(&by_botocore[i], parsed.headers[h].name)) {
                assert_every_byte_counts(*state, &by_botocore[i], &parsed,
                                         &parsed.headers[h].value);
            }
        }
    }
}

static void the_signature_and_the_scope_count_and_the_keys_name_does_not(void **state)
{
    static const struct {
        const char *from; /* in the first vector's Authorization */
        const char *to;
        bool fits;
    } cases[] = {
        {"AKIDEXAMPLE/", "AKIDEXAMPLF/", true}, /* the caller finds the secret by it */
        {"us-east-1", "us-east-2", false},
        {"/s3/", "/s4/", false},
        {"aws4_request", "aws5_request", false},
        {"SignedHeaders=content-type;", "SignedHeaders=", false},
        {";x-amz-date;", ";x-amz-date;x-amz-date;", false},
        {"Signature=a6", "Signature=A6", false},
        {"Signature=a6", "Signature=a7", false},
        {"Signature=a611", "Signature=a61", false},
        {", SignedHeaders", ",SignedHeaders", true},
        {", Signature=", " ,   Signature=", true},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct parsed_request parsed;
        char text[1024];
        signed_request_parse(&by_botocore[0], &parsed);
        for (size_t h = 0; h < parsed.request.header_count; h++) {
            struct span value = parsed.headers[h].value;
            if (!span_equal_cstr(parsed.headers[h].name, "Authorization")) {
                continue;
            }
            snprintf(text, sizeof(text), "%.*s", SPAN_ARG(value));
            const char *at = strstr(text, cases[i].from);
            assert_non_null(at);
            char changed[1024];
            snprintf(changed, sizeof(changed), "%.*s%s%s", (int)(at - text), text, cases[i].to,
                     at + strlen(cases[i].from));
            memcpy(text, changed, sizeof(text));
            parsed.headers[h].value = span_from_cstr(text);
        }
        if (fits(*state, &parsed.request, "") != cases[i].fits) {
            fail_msg("%s to %s", cases[i].from, cases[i].to);
        }
    }
}

/* --- paths that clients spell differently --- */

static bool fits_signed_as(struct crypto *crypto, enum sigv4_path signer_style,
                           enum sigv4_path verifier_style, const char *path, const char *sent)
{
    struct sigv4_header headers[3] = {
        {SPAN_LIT("host"), SPAN_LIT("h")},
        {SPAN_LIT("x-amz-date"), SPAN_LIT("20260102T030405Z")},
    };
    struct sigv4_request request = {.method = SPAN_LIT("GET"),
                                    .path = span_from_cstr(path),
                                    .headers = headers,
                                    .header_count = 2,
                                    .payload_hash = SPAN_LIT(EMPTY_SHA256),
                                    .path_style = signer_style};
    struct sigv4_signer signer = {crypto,
                                  {SPAN_LIT("AK"), SPAN_LIT(TEST_SECRET), SPAN_EMPTY},
                                  SPAN_LIT("us-east-1"),
                                  SPAN_LIT("s3")};
    struct buf header;
    buf_init(&header, 4096);
    sigv4_authorization(&signer, &request, headers[1].value, &header);
    headers[2] = (struct sigv4_header){SPAN_LIT("Authorization"), buf_span(&header)};
    request.header_count = 3;
    request.path = span_from_cstr(sent);
    request.path_style = verifier_style;
    bool result = fits(crypto, &request, "");
    buf_release(&header);
    return result;
}

static void paths_are_taken_as_written_and_as_encoded_again(void **state)
{
    static const struct {
        enum sigv4_path signer;
        enum sigv4_path verifier;
        const char *signed_path;
        const char *sent;
        bool fits;
    } cases[] = {
        {SIGV4_PATH_RAW, SIGV4_PATH_S3, "/b/a+0=1", "/b/a+0=1", true},
        {SIGV4_PATH_S3, SIGV4_PATH_S3, "/b/a+0=1", "/b/a+0=1", true},
        {SIGV4_PATH_S3, SIGV4_PATH_S3, "/b/a%2B0%3D1", "/b/a+0=1", true},
        {SIGV4_PATH_RAW, SIGV4_PATH_S3, "/b/a%2b0%3d1", "/b/a%2b0%3d1", true},
        {SIGV4_PATH_RAW, SIGV4_PATH_S3, "/b/a+0=1", "/b/a%2B0%3D1", false},
        {SIGV4_PATH_RAW, SIGV4_PATH_S3, "/b/a%2Fc", "/b/a%2Fc", true},
        {SIGV4_PATH_RAW, SIGV4_PATH_S3, "/b/a/../c", "/b/c", false},
        {SIGV4_PATH_DOUBLE, SIGV4_PATH_S3, "/b/a%20c", "/b/a%20c", false},
        {SIGV4_PATH_DOUBLE, SIGV4_PATH_DOUBLE, "/b/a%20c", "/b/a%20c", true},
        {SIGV4_PATH_RAW, SIGV4_PATH_DOUBLE, "/b/a%20c", "/b/a%20c", true},
        {SIGV4_PATH_RAW, SIGV4_PATH_DOUBLE, "/b/a%20c", "/b/a%20d", false},
        {SIGV4_PATH_RAW, SIGV4_PATH_RAW, "/b/a+c", "/b/a+c", true},
        {SIGV4_PATH_S3, SIGV4_PATH_RAW, "/b/a+c", "/b/a+c", false},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        if (fits_signed_as(*state, cases[i].signer, cases[i].verifier, cases[i].signed_path,
                           cases[i].sent) != cases[i].fits) {
            fail_msg("case %zu: %s sent as %s", i, cases[i].signed_path, cases[i].sent);
        }
    }
}

static void a_refusal_shows_what_the_service_would_have_signed(void **state)
{
    static const struct {
        enum sigv4_path style;
        const char *canonical_start;
    } cases[] = {
        {SIGV4_PATH_S3, "GET\n/b/a%2B%20c\n\nhost:h\n\nhost\n"},
        {SIGV4_PATH_DOUBLE, "GET\n/b/a%2B%2520c\n\nhost:h\n\nhost\n"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct sigv4_header header = {SPAN_LIT("Host"), SPAN_LIT("h")};
        struct sigv4_request request = {.method = SPAN_LIT("GET"),
                                        .path = SPAN_LIT("/b/a+%20c"),
                                        .headers = &header,
                                        .header_count = 1,
                                        .payload_hash = SPAN_LIT(EMPTY_SHA256),
                                        .path_style = cases[i].style};
        struct sigv4_claim claim = {
            .kind = SIGV4_HEADER,
            .scope = {SPAN_LIT("20260102"), SPAN_LIT("us-east-1"), SPAN_LIT("s3")},
            .signed_headers = SPAN_LIT("host"),
            .signature = SPAN_LIT("no"),
            .date_time = SPAN_LIT("20260102T030405Z")};
        struct sigv4_check check = {*state, &claim, &request, SPAN_LIT(TEST_SECRET)};
        struct buf canonical;
        struct buf text;
        buf_init(&canonical, 4096);
        buf_init(&text, 4096);
        buf_append_cstr(&canonical, "of an earlier request");
        buf_append_cstr(&text, "of an earlier request");
        assert_false(sigv4_claim_verify(&check, &canonical, &text));
        assert_true(
            span_starts_with(buf_span(&canonical), span_from_cstr(cases[i].canonical_start)));
        assert_true(span_starts_with(
            buf_span(&text),
            SPAN_LIT("AWS4-HMAC-SHA256\n20260102T030405Z\n20260102/us-east-1/s3/aws4_request\n")));
        buf_release(&canonical);
        buf_release(&text);
    }
}

static void a_text_that_does_not_fit_its_buffer_is_refused(void **state)
{
    for (size_t max = 0; max < 300; max += 23) {
        struct arena arena;
        struct sigv4_claim claim;
        struct parsed_request parsed;
        struct buf canonical;
        struct buf text;
        const char *what;
        struct sigv4_check check = {*state, &claim, &parsed.request, SPAN_LIT(TEST_SECRET)};
        arena_init(&arena, 1 << 16);
        buf_init(&canonical, max);
        buf_init(&text, 4096);
        signed_request_parse(&by_botocore[0], &parsed);
        assert_int_equal(sigv4_claim_parse(&parsed.request, &arena, &claim, &what), SIGV4_SOUND);
        assert_false(sigv4_claim_verify(&check, &canonical, &text));
        buf_release(&canonical);
        buf_release(&text);
        arena_release(&arena);
    }
}

/* --- taking claims apart --- */

#define CREDENTIAL "AKIDEXAMPLE/20260102/us-east-1/s3/aws4_request"
#define SIGNATURE  "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define DATE       "x-amz-date:20260102T030405Z\n"
#define AUTH       "Authorization:AWS4-HMAC-SHA256 "
#define GOOD_REST  ",SignedHeaders=host,Signature=" SIGNATURE "\n" DATE
#define QUERY_START                                                                                \
    "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIDEXAMPLE%2F20260102%2Fus-east-1%2Fs3"    \
    "%2Faws4_request&X-Amz-Signature=" SIGNATURE
#define LONG_NAME "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" /* 65 */

static enum sigv4_flaw parse(const char *query, const char *headers, struct arena *arena,
                             struct sigv4_claim *claim, const char **what)
{
    struct signed_request texts = {.service = "s3",
                                   .method = "GET",
                                   .path = "/",
                                   .query = query,
                                   .payload_hash = "",
                                   .headers = headers};
    struct parsed_request parsed;
    signed_request_parse(&texts, &parsed);
    return sigv4_claim_parse(&parsed.request, arena, claim, what);
}

static const struct claim_case {
    const char *query;
    const char *headers;
    enum sigv4_flaw flaw;
    const char *what;
} claim_cases[] = {
    {"", "", SIGV4_SOUND, ""},
    {"a=1&x-amz-signature=x", "Host:h\n", SIGV4_SOUND, ""},
    {"", AUTH "Credential=" CREDENTIAL GOOD_REST, SIGV4_SOUND, ""},
    {"",
     "authorization:  AWS4-HMAC-SHA256   Signature=" SIGNATURE ", Credential=" CREDENTIAL
     " ,SignedHeaders=host;x-a,Other=1 \n" DATE,
     SIGV4_SOUND, ""},
    {"", "Authorization:\n", SIGV4_UNKNOWN_ALGORITHM, "Authorization"},
    {"", "Authorization:Basic dTpw\n", SIGV4_UNKNOWN_ALGORITHM, "Authorization"},
    {"", "Authorization:AWS4-ECDSA-P256-SHA256 Credential=x\n", SIGV4_UNKNOWN_ALGORITHM,
     "Authorization"},
    {"", "Authorization:AWS4-HMAC-SHA256\n", SIGV4_MALFORMED_HEADER, "Credential"},
    {"", AUTH "Credential=" CREDENTIAL ",Credential=" CREDENTIAL GOOD_REST, SIGV4_MALFORMED_HEADER,
     "Authorization"},
    {"", AUTH "SignedHeaders=host,Signature=" SIGNATURE "\n" DATE, SIGV4_MALFORMED_HEADER,
     "Credential"},
    {"", AUTH "Credential=" GOOD_REST, SIGV4_MALFORMED_HEADER, "Credential"},
    {"", AUTH "Credential=20260102/us-east-1/s3/aws4_request" GOOD_REST, SIGV4_MALFORMED_HEADER,
     "Credential"},
    {"", AUTH "Credential=/20260102/us-east-1/s3/aws4_request" GOOD_REST, SIGV4_MALFORMED_HEADER,
     "Credential"},
    {"", AUTH "Credential=A/2026010/us-east-1/s3/aws4_request" GOOD_REST, SIGV4_MALFORMED_HEADER,
     "Credential"},
    {"", AUTH "Credential=A/2026010x/us-east-1/s3/aws4_request" GOOD_REST, SIGV4_MALFORMED_HEADER,
     "Credential"},
    {"", AUTH "Credential=A/20260102/us-east-1//aws4_request" GOOD_REST, SIGV4_MALFORMED_HEADER,
     "Credential"},
    {"", AUTH "Credential=A/20260102/us-east-1/s3/aws4_requesT" GOOD_REST, SIGV4_MALFORMED_HEADER,
     "Credential"},
    {"", AUTH "Credential=A/20260102/" LONG_NAME "/s3/aws4_request" GOOD_REST,
     SIGV4_MALFORMED_HEADER, "Credential"},
    {"", AUTH "Credential=A/20260102/us-east-1/" LONG_NAME "/aws4_request" GOOD_REST,
     SIGV4_MALFORMED_HEADER, "Credential"},
    {"", AUTH "Credential=" LONG_NAME LONG_NAME "/20260102/us-east-1/s3/aws4_request" GOOD_REST,
     SIGV4_MALFORMED_HEADER, "Credential"},
    {"", AUTH "Credential=A B/20260102/us-east-1/s3/aws4_request" GOOD_REST, SIGV4_MALFORMED_HEADER,
     "Credential"},
    {"", AUTH "Credential=" CREDENTIAL ",SignedHeaders=host\n" DATE, SIGV4_MALFORMED_HEADER,
     "Signature"},
    {"", AUTH "Credential=" CREDENTIAL ",Signature=" SIGNATURE "\n" DATE, SIGV4_MALFORMED_HEADER,
     "SignedHeaders"},
    {"", AUTH "Credential=" CREDENTIAL ",SignedHeaders=x-amz-date,Signature=" SIGNATURE "\n" DATE,
     SIGV4_MALFORMED_HEADER, "SignedHeaders"},
    {"", AUTH "Credential=" CREDENTIAL ",SignedHeaders=Host,Signature=" SIGNATURE "\n" DATE,
     SIGV4_MALFORMED_HEADER, "SignedHeaders"},
    {"", AUTH "Credential=" CREDENTIAL ",SignedHeaders=host;;a,Signature=" SIGNATURE "\n" DATE,
     SIGV4_MALFORMED_HEADER, "SignedHeaders"},
    {"", AUTH "Credential=" CREDENTIAL ",SignedHeaders=host,Signature=" SIGNATURE "\n",
     SIGV4_BAD_DATE, "Date"},
    {"",
     AUTH "Credential=" CREDENTIAL ",SignedHeaders=host,Signature=" SIGNATURE
          "\nx-amz-date:2026-01-02T03:04:05Z\n",
     SIGV4_BAD_DATE, "X-Amz-Date"},
    {"",
     AUTH "Credential=" CREDENTIAL ",SignedHeaders=host,Signature=" SIGNATURE
          "\nx-amz-date:20260103T030405Z\n",
     SIGV4_BAD_DATE, "Credential"},
    {"", AUTH "Credential=" CREDENTIAL GOOD_REST AUTH "Credential=" CREDENTIAL "\n",
     SIGV4_AMBIGUOUS, "Authorization"},
    {"X-Amz-Algorithm=AWS4-HMAC-SHA256", AUTH "Credential=" CREDENTIAL GOOD_REST, SIGV4_AMBIGUOUS,
     "Authorization"},
    {"AWSAccessKeyId=A&X-Amz-Signature=x", "", SIGV4_AMBIGUOUS, "Authorization"},
    {QUERY_START "&X-Amz-Date=20260102T030405Z&X-Amz-Expires=60&X-Amz-SignedHeaders=host", "",
     SIGV4_SOUND, ""},
    {QUERY_START "&X-Amz-Date=20260102T030405Z&X-Amz-Expires=604800&X-Amz-SignedHeaders=host", "",
     SIGV4_SOUND, ""},
    {"X-Amz-Credential=x", "", SIGV4_MALFORMED_QUERY, "X-Amz-Algorithm"},
    {"X-Amz-Algorithm=", "", SIGV4_MALFORMED_QUERY, "X-Amz-Algorithm"},
    {"X-Amz-Algorithm=AWS3", "", SIGV4_UNKNOWN_ALGORITHM, "X-Amz-Algorithm"},
    {"X-Amz-Algorithm=AWS4-HMAC-SHA256", "", SIGV4_MALFORMED_QUERY, "X-Amz-Credential"},
    {"X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=A", "", SIGV4_MALFORMED_QUERY,
     "X-Amz-Credential"},
    {"X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=A%00/20260102/r/s3/aws4_request", "",
     SIGV4_MALFORMED_QUERY, "X-Amz-Credential"},
    {"X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=A/20260102/r/s3/aws4_request", "",
     SIGV4_MALFORMED_QUERY, "X-Amz-Signature"},
    {QUERY_START "&X-Amz-Date=20260102T030405Z&X-Amz-Expires=60", "", SIGV4_MALFORMED_QUERY,
     "X-Amz-SignedHeaders"},
    {QUERY_START "&X-Amz-SignedHeaders=host&X-Amz-Expires=60", "", SIGV4_MALFORMED_QUERY,
     "X-Amz-Date"},
    {QUERY_START "&X-Amz-SignedHeaders=host&X-Amz-Date=20260102T030405Z", "", SIGV4_MALFORMED_QUERY,
     "X-Amz-Expires"},
    {QUERY_START "&X-Amz-SignedHeaders=host&X-Amz-Date=20260102T030405Z&X-Amz-Expires=60"
                 "&X-Amz-Security-Token=",
     "", SIGV4_MALFORMED_QUERY, "X-Amz-Security-Token"},
    {QUERY_START "&X-Amz-SignedHeaders=host&X-Amz-Date=20260102T030405Z&X-Amz-Expires=0", "",
     SIGV4_BAD_EXPIRES, "X-Amz-Expires"},
    {QUERY_START "&X-Amz-SignedHeaders=host&X-Amz-Date=20260102T030405Z&X-Amz-Expires=604801", "",
     SIGV4_BAD_EXPIRES, "X-Amz-Expires"},
    {QUERY_START "&X-Amz-SignedHeaders=host&X-Amz-Date=20260102T030405Z&X-Amz-Expires=-1", "",
     SIGV4_BAD_EXPIRES, "X-Amz-Expires"},
    {QUERY_START "&X-Amz-SignedHeaders=host&X-Amz-Date=20260102T030405Z&X-Amz-Expires=1h", "",
     SIGV4_BAD_EXPIRES, "X-Amz-Expires"},
    {QUERY_START "&X-Amz-SignedHeaders=host&X-Amz-Date=20260102&X-Amz-Expires=60", "",
     SIGV4_BAD_DATE, "X-Amz-Date"},
    {QUERY_START "&X-Amz-SignedHeaders=host&X-Amz-Date=20260103T000000Z&X-Amz-Expires=60", "",
     SIGV4_BAD_DATE, "Credential"},
    {"AWSAccessKeyId=A&Signature=x&Expires=1", "", SIGV4_SOUND, ""},
    {"AWSAccessKeyId=A&Expires=1", "", SIGV4_MALFORMED_QUERY, "Signature"},
    {"Signature=x&Expires=1", "", SIGV4_MALFORMED_QUERY, "AWSAccessKeyId"},
    {"AWSAccessKeyId=A&Signature=x", "", SIGV4_MALFORMED_QUERY, "Expires"},
    {"AWSAccessKeyId=A&Signature=x&Expires=soon", "", SIGV4_BAD_EXPIRES, "Expires"},
    {"AWSAccessKeyId=A&Signature=x&Expires=-1", "", SIGV4_BAD_EXPIRES, "Expires"},
    {"AWSAccessKeyId=A&Signature=x&Expires=0", "", SIGV4_SOUND, ""},
    {"AWSAccessKeyId=" LONG_NAME LONG_NAME "&Signature=x&Expires=1", "", SIGV4_MALFORMED_QUERY,
     "AWSAccessKeyId"},
    {"AWSAccessKeyId=A&Signature=x&Expires=1&x-amz-security-token=", "", SIGV4_MALFORMED_QUERY,
     "x-amz-security-token"},
    {"", "Authorization:AWS A:sig=\nDate:Fri, 02 Jan 2026 03:04:05 GMT\n", SIGV4_SOUND, ""},
    {"", "Authorization:AWS A:sig=\n", SIGV4_BAD_DATE, "Date"},
    {"", "Authorization:AWS A\n", SIGV4_MALFORMED_HEADER, "Authorization"},
    {"", "Authorization:AWS :sig\n", SIGV4_MALFORMED_HEADER, "Authorization"},
    {"", "Authorization:AWS A:\n", SIGV4_MALFORMED_HEADER, "Authorization"},
    {"", "Authorization:AWS A B:c\n", SIGV4_MALFORMED_HEADER, "Authorization"},
    {"", "Authorization:AWS A\x7f:c\n", SIGV4_MALFORMED_HEADER, "Authorization"},
    {"", "Authorization:AWS " LONG_NAME LONG_NAME ":c\n" DATE, SIGV4_MALFORMED_HEADER,
     "Authorization"},
    {"", "Authorization:AWS A:sig=\nDate:Sun, 06 Nov 0994 08:49:37 GMT\n", SIGV4_BAD_DATE, "Date"},
};

static void claims_that_are_not_well_formed_are_named(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(claim_cases); i++) {
        struct arena arena;
        struct sigv4_claim claim;
        const char *what = NULL;
        arena_init(&arena, 1 << 16);
        enum sigv4_flaw flaw =
            parse(claim_cases[i].query, claim_cases[i].headers, &arena, &claim, &what);
        if (flaw != claim_cases[i].flaw || strcmp(what, claim_cases[i].what) != 0) {
            fail_msg("flaw %d, %s: %s | %s", (int)flaw, what, claim_cases[i].query,
                     claim_cases[i].headers);
        }
        arena_release(&arena);
    }
}

static void a_header_claim_gives_its_parts(void **state)
{
    (void)state;
    struct arena arena;
    struct sigv4_claim claim;
    const char *what;
    arena_init(&arena, 1 << 16);
    assert_int_equal(parse("",
                           AUTH "Credential=a/b/20260102/eu-west-1/s3/aws4_request, "
                                "SignedHeaders=host;x-amz-date, Signature=" SIGNATURE
                                "\nDate:Thu, 01 Jan 1970 00:00:00 GMT\nX-Amz-Date: "
                                "20260102T030405Z \nX-Amz-Security-Token: to+/k= \n",
                           &arena, &claim, &what),
                     SIGV4_SOUND);
    assert_int_equal(claim.kind, SIGV4_HEADER);
    assert_true(span_equal_cstr(claim.access_key, "a/b"));
    assert_true(span_equal_cstr(claim.scope.date, "20260102"));
    assert_true(span_equal_cstr(claim.scope.region, "eu-west-1"));
    assert_true(span_equal_cstr(claim.scope.service, "s3"));
    assert_true(span_equal_cstr(claim.signed_headers, "host;x-amz-date"));
    assert_true(span_equal_cstr(claim.signature, SIGNATURE));
    assert_true(span_equal_cstr(claim.date_time, "20260102T030405Z"));
    assert_true(span_equal_cstr(claim.session_token, "to+/k="));
    assert_int_equal(claim.signed_at_s, 1767323045);
    arena_release(&arena);
}

static void a_query_claim_gives_its_decoded_parts(void **state)
{
    (void)state;
    struct arena arena;
    struct sigv4_claim claim;
    const char *what;
    arena_init(&arena, 1 << 16);
    assert_int_equal(parse(QUERY_START
                           "&X-Amz-SignedHeaders=host%3Bx-amz-acl&X-Amz-Date=20260102T030405Z"
                           "&X-Amz-Expires=900&X-Amz-Security-Token=to%2B%2Fk+%3D",
                           "", &arena, &claim, &what),
                     SIGV4_SOUND);
    assert_int_equal(claim.kind, SIGV4_QUERY);
    assert_true(span_equal_cstr(claim.access_key, "AKIDEXAMPLE"));
    assert_true(span_equal_cstr(claim.signed_headers, "host;x-amz-acl"));
    assert_true(span_equal_cstr(claim.session_token, "to+/k+="));
    assert_int_equal(claim.expires_s, 900);
    assert_int_equal(claim.signed_at_s, 1767323045);
    arena_release(&arena);
}

static void claims_of_the_older_signature_give_their_parts(void **state)
{
    (void)state;
    struct arena arena;
    struct sigv4_claim claim;
    const char *what;
    arena_init(&arena, 1 << 16);
    assert_int_equal(parse("AWSAccessKeyId=A%2FB&Signature=a%2Bb+c%3D&Expires=1767323105"
                           "&x-amz-security-token=t%2Fk",
                           "", &arena, &claim, &what),
                     SIGV4_SOUND);
    assert_int_equal(claim.kind, SIGV2_QUERY);
    assert_true(span_equal_cstr(claim.access_key, "A/B"));
    assert_true(span_equal_cstr(claim.signature, "a+b+c="));
    assert_true(span_equal_cstr(claim.session_token, "t/k"));
    assert_int_equal(claim.expires_s, 1767323105);
    assert_int_equal(parse("", "Authorization:AWS A:B:sig=\nDate:Fri, 02 Jan 2026 03:04:05 GMT\n",
                           &arena, &claim, &what),
                     SIGV4_SOUND);
    assert_int_equal(claim.kind, SIGV2_HEADER);
    assert_true(span_equal_cstr(claim.access_key, "A:B"));
    assert_true(span_equal_cstr(claim.signature, "sig="));
    assert_int_equal(claim.signed_at_s, 1767323045);
    arena_release(&arena);
}

static void a_date_header_serves_where_x_amz_date_is_absent(void **state)
{
    (void)state;
    static const struct {
        const char *date;
        int64_t seconds; /* -1: refused */
    } cases[] = {
        {"Fri, 02 Jan 2026 03:04:05 GMT", 1767323045},
        {"Fri, 02 Jan 2026 03:04:05 +0000", 1767323045},
        {"20260102T030405Z", 1767323045},
        {"Fri, 02 Jan 2026 03:04:05 +0100", -1},
        {"Fri, 32 Jan 2026 03:04:05 GMT", -1},
        {"Fri, 02 Jax 2026 03:04:05 GMT", -1},
        {"Fri, 02 Jan 2026 24:04:05 GMT", -1},
        {"Fri, 02 Jan 2026 03:60:05 GMT", -1},
        {"Fri, 02 Jan 2026 03:04:05 CET", -1},
        {"Fri, 02-Jan-2026 03:04:05", -1},
        {"20260230T030405Z", -1},
        {"20260102T240405Z", -1},
        {"20260102T036005Z", -1},
        {"20260102T030460Z", -1},
        {"20260102T235960Z", -1},
        {"20260100T030405Z", -1},
        {"20261302T030405Z", -1},
        {"20260102t030405z", -1},
        {"", -1},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct arena arena;
        struct sigv4_claim claim;
        const char *what;
        char headers[512];
        arena_init(&arena, 1 << 16);
        snprintf(headers, sizeof(headers),
                 AUTH "Credential=" CREDENTIAL ",SignedHeaders=host,Signature=" SIGNATURE
                      "\nDate:%s\n",
                 cases[i].date);
        enum sigv4_flaw flaw = parse("", headers, &arena, &claim, &what);
        if (flaw != (cases[i].seconds < 0 ? SIGV4_BAD_DATE : SIGV4_SOUND)) {
            fail_msg("%s: %d", cases[i].date, (int)flaw);
        }
        if (flaw == SIGV4_SOUND) {
            assert_int_equal(claim.signed_at_s, cases[i].seconds);
            assert_true(span_equal_cstr(claim.date_time, "20260102T030405Z"));
        }
        arena_release(&arena);
    }
}

static void more_signed_headers_than_a_request_can_have_are_refused(void **state)
{
    (void)state;
    struct arena arena;
    struct sigv4_claim claim;
    struct buf header;
    const char *what;
    arena_init(&arena, 1 << 16);
    buf_init(&header, 4096);
    BUF_APPEND_LIT(&header,
                   AUTH "Credential=" CREDENTIAL ",Signature=" SIGNATURE ",SignedHeaders=host");
    for (int i = 0; i < 127; i++) {
        BUF_APPEND_LIT(&header, ";a");
    }
    size_t len = header.len;
    BUF_APPEND_LIT(&header, "\n" DATE);
    assert_int_equal(parse("", buf_cstr(&header), &arena, &claim, &what), SIGV4_SOUND);
    header.len = len;
    BUF_APPEND_LIT(&header, ";a\n" DATE);
    assert_int_equal(parse("", buf_cstr(&header), &arena, &claim, &what), SIGV4_MALFORMED_HEADER);
    buf_release(&header);
    arena_release(&arena);
}

static void a_full_arena_refuses_the_claim(void **state)
{
    (void)state;
    struct arena arena;
    struct sigv4_claim claim;
    const char *what;
    arena_init(&arena, 16);
    assert_int_equal(parse(QUERY_START, "", &arena, &claim, &what), SIGV4_NO_MEMORY);
    assert_int_equal(parse("", "Authorization:AWS A:sig=\nDate:Fri, 02 Jan 2026 03:04:05 GMT\n",
                           &arena, &claim, &what),
                     SIGV4_NO_MEMORY);
    assert_int_equal(parse("", "Authorization:AWS A:sig=\nDate:Friday\n", &arena, &claim, &what),
                     SIGV4_BAD_DATE);
    arena_release(&arena);
}

static void amz_headers_that_nobody_signed_are_named_once(void **state)
{
    (void)state;
    struct signed_request texts = {
        .service = "s3",
        .method = "GET",
        .path = "/",
        .query = "",
        .payload_hash = "",
        .headers = "Host:h\nX-Amz-Date:d\nX-Amz-Meta-B:1\nx-amz-meta-b:2\nx-other:3\nX-AMZ-A:4\n"};
    struct sigv4_claim claim = {.signed_headers = SPAN_LIT("host;x-amz-date")};
    struct parsed_request parsed;
    struct buf names;
    buf_init(&names, 256);
    signed_request_parse(&texts, &parsed);
    assert_true(sigv4_unsigned_headers(&parsed.request, &claim, &names));
    assert_string_equal(buf_cstr(&names), "x-amz-meta-b, x-amz-a");
    buf_reset(&names);
    claim.signed_headers = SPAN_LIT("host;x-amz-a;x-amz-date;x-amz-meta-b");
    assert_false(sigv4_unsigned_headers(&parsed.request, &claim, &names));
    assert_int_equal(names.len, 0);
    buf_release(&names);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_of_botocore_are_taken),
        cmocka_unit_test(another_secret_or_method_is_refused),
        cmocka_unit_test(every_byte_of_path_and_query_counts),
        cmocka_unit_test(every_byte_of_signed_headers_and_payload_hash_counts),
        cmocka_unit_test(the_signature_and_the_scope_count_and_the_keys_name_does_not),
        cmocka_unit_test(paths_are_taken_as_written_and_as_encoded_again),
        cmocka_unit_test(a_refusal_shows_what_the_service_would_have_signed),
        cmocka_unit_test(a_text_that_does_not_fit_its_buffer_is_refused),
        cmocka_unit_test(claims_that_are_not_well_formed_are_named),
        cmocka_unit_test(a_header_claim_gives_its_parts),
        cmocka_unit_test(a_query_claim_gives_its_decoded_parts),
        cmocka_unit_test(claims_of_the_older_signature_give_their_parts),
        cmocka_unit_test(a_date_header_serves_where_x_amz_date_is_absent),
        cmocka_unit_test(more_signed_headers_than_a_request_can_have_are_refused),
        cmocka_unit_test(a_full_arena_refuses_the_claim),
        cmocka_unit_test(amz_headers_that_nobody_signed_are_named_once),
    };
    return cmocka_run_group_tests(tests, open_crypto, close_crypto);
}
