#include "alloc_fault.h"
#include "sigv4.h"
#include "sigv4_chunks.h"

#include "checksum.h"
#include "signed_request.h"

#include <setjmp.h>
#include <stdarg.h>
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

/* --- the canonical request --- */

/* The canonical request's lines; `line` counts from 0. */
static void assert_canonical_line(const struct sigv4_request *request, const char *signed_headers,
                                  size_t line, const char *expected)
{
    struct buf canonical;
    struct span rest;
    buf_init(&canonical, 1 << 16);
    sigv4_canonical_request(request, span_from_cstr(signed_headers), SPAN_LIT("X-Amz-Signature"),
                            &canonical);
    assert_true(buf_ok(&canonical));
    rest = buf_span(&canonical);
    for (size_t i = 0; i < line; i++) {
        rest = span_skip(rest, span_find_byte(rest, '\n') + 1);
    }
    struct span text = span_first(rest, span_find_byte(rest, '\n'));
    if (!span_equal_cstr(text, expected)) {
        fail_msg("%.*s instead of %s", SPAN_ARG(text), expected);
    }
    buf_release(&canonical);
}

static void queries_are_decoded_encoded_and_sorted(void **state)
{
    (void)state;
    static const struct {
        const char *query;
        const char *canonical;
    } cases[] = {
        {"", ""},
        {"uploads", "uploads="},
        {"uploads=", "uploads="},
        {"b=2&a=1", "a=1&b=2"},
        {"a=2&a=1", "a=1&a=2"},
        {"a=1&&b=2&", "a=1&b=2"},
        {"&", ""},
        {"=", "="},
        {"a=2&A=1&B=3", "A=1&B=3&a=2"},
        {"a-b=1&a=2", "a=2&a-b=1"},
        {"%61=1", "a=1"},
        {"list-type=2&prefix=topics%2Fa%20b&delimiter=%2F",
         "delimiter=%2F&list-type=2&prefix=topics%2Fa%20b"},
        {"p=topics/a", "p=topics%2Fa"},
        {"p=a%2fb", "p=a%2Fb"},
        {"p=a+b", "p=a%20b"},
        {"p=a%2Bb", "p=a%2Bb"},
        {"p=a=b", "p=a%3Db"},
        {"p=%zz%1%", "p=%25zz%251%25"},
        {"p=%00%ff", "p=%00%FF"},
        {"p=~-._!*'()", "p=~-._%21%2A%27%28%29"},
        {"p=\xc3\xa9", "p=%C3%A9"},
        {"a=1&X-Amz-Signature=beef&b=2", "a=1&b=2"},
        {"X-Amz-Signature=beef", ""},
        {"x-amz-signature=beef", "x-amz-signature=beef"},
        {"X-Amz-Credential=AK%2F20260102%2Fr", "X-Amz-Credential=AK%2F20260102%2Fr"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct sigv4_request request = {.method = SPAN_LIT("GET"),
                                        .path = SPAN_LIT("/"),
                                        .query = span_from_cstr(cases[i].query),
                                        .payload_hash = SPAN_LIT("x")};
        assert_canonical_line(&request, "", 2, cases[i].canonical);
    }
}

static void paths_follow_the_style_of_their_service(void **state)
{
    (void)state;
    static const struct {
        enum sigv4_path style;
        const char *path;
        const char *canonical;
    } cases[] = {
        {SIGV4_PATH_S3, "", "/"},
        {SIGV4_PATH_S3, "/", "/"},
        {SIGV4_PATH_S3, "/bkt/a%20b", "/bkt/a%20b"},
        {SIGV4_PATH_S3, "/bkt/a+b=c", "/bkt/a%2Bb%3Dc"},
        {SIGV4_PATH_S3, "/bkt/a%2bb%3d", "/bkt/a%2Bb%3D"},
        {SIGV4_PATH_S3, "/bkt//a/./../b/", "/bkt//a/./../b/"},
        {SIGV4_PATH_S3, "/bkt/%41%7E%2Fx", "/bkt/A~/x"},
        {SIGV4_PATH_S3, "/bkt/100%", "/bkt/100%25"},
        {SIGV4_PATH_RAW, "", "/"},
        {SIGV4_PATH_RAW, "/bkt/a+b=%2b//../c", "/bkt/a+b=%2b//../c"},
        {SIGV4_PATH_DOUBLE, "", "/"},
        {SIGV4_PATH_DOUBLE, "/", "/"},
        {SIGV4_PATH_DOUBLE, "//", "/"},
        {SIGV4_PATH_DOUBLE, "/a%20b", "/a%2520b"},
        {SIGV4_PATH_DOUBLE, "/a/./b/../c", "/a/c"},
        {SIGV4_PATH_DOUBLE, "/a//b/", "/a/b/"},
        {SIGV4_PATH_DOUBLE, "/..", "/"},
        {SIGV4_PATH_DOUBLE, "/../../a", "/a"},
        {SIGV4_PATH_DOUBLE, "/a/..", "/"},
        {SIGV4_PATH_DOUBLE, "/a/../", "/"},
        {SIGV4_PATH_DOUBLE, "/a+b~c", "/a%2Bb~c"},
        {SIGV4_PATH_DOUBLE, "/...", "/..."},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct sigv4_request request = {.method = SPAN_LIT("GET"),
                                        .path = span_from_cstr(cases[i].path),
                                        .payload_hash = SPAN_LIT("x"),
                                        .path_style = cases[i].style};
        assert_canonical_line(&request, "", 1, cases[i].canonical);
    }
}

static void header_values_are_trimmed_folded_and_joined(void **state)
{
    (void)state;
    static const struct {
        const char *headers;
        const char *name;
        const char *line;
    } cases[] = {
        {"Host:127.0.0.1:9000\n", "host", "host:127.0.0.1:9000"},
        {"HOST:  a  \n", "host", "host:a"},
        {"x-a:one   two\t three\n", "x-a", "x-a:one two three"},
        {"x-a: \t \n", "x-a", "x-a:"},
        {"x-a:1\nX-B:9\nX-A: 2 \nx-A:\n", "x-a", "x-a:1,2,"},
        {"x-ab:1\n", "x-a", "x-a:"},
        {"x-a:\"q   r\"\n", "x-a", "x-a:\"q r\""},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct signed_request texts = {.service = "s3",
                                       .method = "GET",
                                       .path = "/",
                                       .query = "",
                                       .payload_hash = "x",
                                       .headers = cases[i].headers};
        struct parsed_request parsed;
        signed_request_parse(&texts, &parsed);
        assert_canonical_line(&parsed.request, cases[i].name, 3, cases[i].line);
    }
}

static void the_canonical_request_stands_as_documented(void **state)
{
    (void)state;
    struct signed_request texts = {.service = "s3",
                                   .method = "PUT",
                                   .path = "/bkt/k",
                                   .query = "acl",
                                   .payload_hash = SIGV4_UNSIGNED_PAYLOAD,
                                   .headers = "X-Amz-Date:20260102T030405Z\nHost:h:1\nAccept:x\n"};
    struct parsed_request parsed;
    struct buf canonical;
    signed_request_parse(&texts, &parsed);
    buf_init(&canonical, 4096);
    sigv4_canonical_request(&parsed.request, SPAN_LIT("host;x-amz-date"), SPAN_EMPTY, &canonical);
    assert_string_equal(buf_cstr(&canonical), "PUT\n/bkt/k\nacl=\nhost:h:1\n"
                                              "x-amz-date:20260102T030405Z\n\nhost;x-amz-date\n"
                                              "UNSIGNED-PAYLOAD");
    buf_release(&canonical);
}

static void a_canonical_request_beyond_the_ceiling_fails_its_buffer(void **state)
{
    (void)state;
    struct sigv4_request request = {.method = SPAN_LIT("GET"),
                                    .path = SPAN_LIT("/a%20b"),
                                    .query = SPAN_LIT("a=1&b=2"),
                                    .payload_hash = SPAN_LIT("x")};
    for (size_t max = 0; max < 24; max++) {
        struct buf canonical;
        buf_init(&canonical, max);
        sigv4_canonical_request(&request, SPAN_LIT("host"), SPAN_EMPTY, &canonical);
        assert_false(buf_ok(&canonical));
        assert_true(canonical.len <= max);
        buf_release(&canonical);
    }
}

/* --- signing --- */

#define TEXT_BODY_SHA256 "e346432021b04179518d9614f3560ccd71354a4ee101ddcb893d6959a9d6301c"
#define AWS_SECRET       "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"

/* Requests whose signatures others have computed: botocore, and Amazon's own documentation (the
 * "examplebucket" ones: API reference of S3, "Signature calculations"). */
static const struct vector {
    struct signed_request request;
    enum sigv4_path style;
    const char *date;
    const char *secret;
    const char *signature;
} vectors[] = {
    {{"kinesis ListStreams", "kinesis", "POST", "/", "",
      "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a", "",
      "X-Amz-Target:Kinesis_20131202.ListStreams\nHost:127.0.0.1:4567\n"
      "Content-Type:application/x-amz-json-1.1\nX-Amz-Date:20260102T030405Z\n"},
     SIGV4_PATH_DOUBLE,
     "20260102T030405Z",
     TEST_SECRET,
     "4ef8d505056a94774c83ead8e79ac9210e0e8c468c9e0eb100bab7b7f1e15e8c"},
    {{"s3 list", "s3", "GET", "/bkt", "list-type=2&prefix=topics%2Fa%20b&delimiter=%2F",
      EMPTY_SHA256, "",
      "host:127.0.0.1:9000\nx-amz-content-sha256:" EMPTY_SHA256 "\nx-amz-date:20260102T030405Z\n"},
     SIGV4_PATH_S3,
     "20260102T030405Z",
     TEST_SECRET,
     "d539cb4593493289c74dccc69c95a1b57161057023ac400ea81b930a5b05a12b"},
    {{"s3 put of a sink's key, signed as it is written", "s3", "PUT",
      "/bkt/topics/u.pin/partition=0/u.pin+0+0000000000.json", "", TEXT_BODY_SHA256, "",
      "host:127.0.0.1:9000\nx-amz-content-sha256:" TEXT_BODY_SHA256
      "\nx-amz-date:20260102T030405Z\n"},
     SIGV4_PATH_RAW,
     "20260102T030405Z",
     TEST_SECRET,
     "519001d2a4e32323aea8e04523a475d474bc47754f843e3d2ad2e159a943fb13"},
    {{"execute-api produce", "execute-api", "POST", "/test/topics/u.pin", "",
      "1b8b4c0b6f6ad1d32565952720bc004eeb1f188f62045e4d5525ae2af8c78432", "",
      "host:127.0.0.1:8082\nx-amz-date:20260102T030405Z\n"
      "content-type:application/vnd.kafka.json.v2+json\n"},
     SIGV4_PATH_DOUBLE,
     "20260102T030405Z",
     TEST_SECRET,
     "6b6a469e4730e68951615dd2554eac13e5731d881cae929cabaaa86285b9bd1b"},
    {{"s3 streaming put: the seed", "s3", "PUT", "/bkt/k", "", SIGV4_STREAMING_SIGNED, "",
      "host:127.0.0.1:9000\nx-amz-content-sha256:" SIGV4_STREAMING_SIGNED
      "\nx-amz-date:20260102T030405Z\ncontent-encoding:aws-chunked\n"
      "x-amz-decoded-content-length:5\n"},
     SIGV4_PATH_S3,
     "20260102T030405Z",
     TEST_SECRET,
     "39d3d6c6a601c0d8ee25e0c7ce7e25f4e23936937e878874fdedd785c997ef73"},
    {{"examplebucket: get with a range", "s3", "GET", "/test.txt", "", EMPTY_SHA256, "",
      "Host:examplebucket.s3.amazonaws.com\nRange:bytes=0-9\nx-amz-content-sha256:" EMPTY_SHA256
      "\nx-amz-date:20130524T000000Z\n"},
     SIGV4_PATH_S3,
     "20130524T000000Z",
     AWS_SECRET,
     "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"},
    {{"examplebucket: put", "s3", "PUT", "/test$file.text", "",
      "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072", "",
      "Host:examplebucket.s3.amazonaws.com\nDate:Fri, 24 May 2013 00:00:00 GMT\n"
      "x-amz-date:20130524T000000Z\nx-amz-storage-class:REDUCED_REDUNDANCY\n"
      "x-amz-content-sha256:"
      "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072\n"},
     SIGV4_PATH_S3,
     "20130524T000000Z",
     AWS_SECRET,
     "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"},
    {{"examplebucket: lifecycle", "s3", "GET", "/", "lifecycle", EMPTY_SHA256, "",
      "Host:examplebucket.s3.amazonaws.com\nx-amz-content-sha256:" EMPTY_SHA256
      "\nx-amz-date:20130524T000000Z\n"},
     SIGV4_PATH_S3,
     "20130524T000000Z",
     AWS_SECRET,
     "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"},
    {{"examplebucket: list", "s3", "GET", "/", "max-keys=2&prefix=J", EMPTY_SHA256, "",
      "Host:examplebucket.s3.amazonaws.com\nx-amz-content-sha256:" EMPTY_SHA256
      "\nx-amz-date:20130524T000000Z\n"},
     SIGV4_PATH_S3,
     "20130524T000000Z",
     AWS_SECRET,
     "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"},
};

static struct sigv4_signer signer_of(struct crypto *crypto, const char *service, const char *secret)
{
    return (struct sigv4_signer){
        .crypto = crypto,
        .credentials = {SPAN_LIT("AKIDEXAMPLE"), span_from_cstr(secret), SPAN_EMPTY},
        .region = SPAN_LIT("us-east-1"),
        .service = span_from_cstr(service),
    };
}

static void headers_are_signed_as_others_sign_them(void **state)
{
    for (size_t i = 0; i < ARRAY_COUNT(vectors); i++) {
        const struct vector *v = &vectors[i];
        struct sigv4_signer signer = signer_of(*state, v->request.service, v->secret);
        struct parsed_request parsed;
        struct buf header;
        buf_init(&header, 4096);
        signed_request_parse(&v->request, &parsed);
        parsed.request.path_style = v->style;
        sigv4_authorization(&signer, &parsed.request, span_from_cstr(v->date), &header);
        assert_true(buf_ok(&header));
        if (!span_ends_with(buf_span(&header), span_from_cstr(v->signature))) {
            fail_msg("%s: %s", v->request.label, buf_cstr(&header));
        }
        buf_release(&header);
    }
}

static void what_the_signer_writes_the_verifier_takes(void **state)
{
    for (size_t i = 0; i < ARRAY_COUNT(vectors); i++) {
        const struct vector *v = &vectors[i];
        struct sigv4_signer signer = signer_of(*state, v->request.service, v->secret);
        struct parsed_request parsed;
        struct buf header;
        buf_init(&header, 4096);
        signed_request_parse(&v->request, &parsed);
        parsed.request.path_style = v->style;
        sigv4_authorization(&signer, &parsed.request, span_from_cstr(v->date), &header);
        parsed.headers[parsed.request.header_count++] =
            (struct sigv4_header){SPAN_LIT("Authorization"), buf_span(&header)};
        assert_true(
            signed_request_fits(*state, &parsed.request, SPAN_EMPTY, span_from_cstr(v->secret)));
        assert_false(signed_request_fits(*state, &parsed.request, SPAN_EMPTY, SPAN_LIT("other")));
        buf_release(&header);
    }
}

static void the_authorization_header_is_written_as_documented(void **state)
{
    const struct vector *v = &vectors[5];
    struct sigv4_signer signer = signer_of(*state, "s3", v->secret);
    struct parsed_request parsed;
    struct buf header;
    buf_init(&header, 4096);
    signed_request_parse(&v->request, &parsed);
    sigv4_authorization(&signer, &parsed.request, span_from_cstr(v->date), &header);
    assert_string_equal(
        buf_cstr(&header),
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20130524/us-east-1/s3/aws4_request, "
        "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date, "
        "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
    buf_release(&header);
}

static void repeated_headers_are_named_once(void **state)
{
    struct signed_request texts = {
        .service = "s3",
        .method = "GET",
        .path = "/",
        .query = "",
        .payload_hash = EMPTY_SHA256,
        .headers = "X-B:1\nHost:h\nx-b:2\nx-amz-date:20260102T030405Z\nX-b:3\n"};
    struct sigv4_signer signer = signer_of(*state, "s3", TEST_SECRET);
    struct parsed_request parsed;
    struct buf header;
    buf_init(&header, 4096);
    signed_request_parse(&texts, &parsed);
    sigv4_authorization(&signer, &parsed.request, SPAN_LIT("20260102T030405Z"), &header);
    assert_non_null(strstr(buf_cstr(&header), "SignedHeaders=host;x-amz-date;x-b,"));
    buf_release(&header);
}

static void the_signing_key_is_that_of_the_specification(void **state)
{
    struct sigv4_scope scope = {SPAN_LIT("20260102"), SPAN_LIT("us-east-1"), SPAN_LIT("s3")};
    struct digest_value key = sigv4_signing_key(*state, SPAN_LIT(TEST_SECRET), &scope);
    char hex[DIGEST_HEX_BYTES_MAX];
    digest_hex(&key, hex);
    assert_string_equal(hex, "800caa73b73676f285e7d2e8c7fcb1e6f8815b32c9950c0f621c2e2cacf3885e");
}

/* Made with Python's hmac. */
static void a_secret_of_any_length_makes_a_key(void **state)
{
    static const struct {
        size_t bytes;
        const char *key;
    } cases[] = {
        {1020, "3e379b10dfb92ebc137e7a7fb72392d424a8c9bab8683fae2f3bb1f6e08d10db"},
        {1021, "76d7c8875c7277aa1dbdd2e316483ab499b5f0f0c1170c3aa8ef6729baf4d927"},
        {3000, "fe7000573b4f422e2773059438f36bb5889393beb9e3bfcc07a83ed37f295d27"},
    };
    struct sigv4_scope scope = {SPAN_LIT("20260102"), SPAN_LIT("us-east-1"), SPAN_LIT("s3")};
    char secret[3000];
    char hex[DIGEST_HEX_BYTES_MAX];
    memset(secret, 'k', sizeof(secret));
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct digest_value key =
            sigv4_signing_key(*state, span_from(secret, cases[i].bytes), &scope);
        digest_hex(&key, hex);
        assert_string_equal(hex, cases[i].key);
    }
}

static void the_canonical_request_of_kinesis_hashes_as_botocores(void **state)
{
    struct parsed_request parsed;
    struct buf canonical;
    char hex[DIGEST_HEX_BYTES_MAX];
    buf_init(&canonical, 4096);
    signed_request_parse(&vectors[0].request, &parsed);
    sigv4_canonical_request(&parsed.request, SPAN_LIT("content-type;host;x-amz-date;x-amz-target"),
                            SPAN_EMPTY, &canonical);
    struct digest_value digest = digest_of(*state, DIGEST_SHA256, buf_span(&canonical));
    digest_hex(&digest, hex);
    assert_string_equal(hex, "8c0064b8672cd57102754b1e39245543d2db17283ab50c6d7b59f913d9da5d2f");
    buf_release(&canonical);
}

static void urls_are_presigned_as_others_presign_them(void **state)
{
    static const struct {
        struct signed_request request;
        const char *date;
        int64_t expires_s;
        const char *secret;
        const char *access_key;
        const char *signature;
    } cases[] = {
        {{"s3 get", "s3", "GET", "/bkt/a%20b", "", SIGV4_UNSIGNED_PAYLOAD, "",
          "host:127.0.0.1:9000\n"},
         "20260102T030405Z",
         60,
         TEST_SECRET,
         "AKIDEXAMPLE",
         "d0acb65bded5c5a07e1b9d71d7a476f5e1098bb12c1e691e968226063b641200"},
        {{"kafka-cluster", "kafka-cluster", "GET", "/", "Action=kafka-cluster%3AConnect",
          EMPTY_SHA256, "", "host:b-1.pinpipe.kafka.us-east-1.amazonaws.com\n"},
         "20260102T030405Z",
         900,
         TEST_SECRET,
         "AKIDEXAMPLE",
         "47a2f45d6f30962cc4fa24fb2a4ccb784f97746d1e9b8150c62afd951be7284c"},
        {{"examplebucket", "s3", "GET", "/test.txt", "", SIGV4_UNSIGNED_PAYLOAD, "",
          "host:examplebucket.s3.amazonaws.com\n"},
         "20130524T000000Z",
         86400,
         AWS_SECRET,
         "AKIAIOSFODNN7EXAMPLE",
         "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct sigv4_signer signer = signer_of(*state, cases[i].request.service, cases[i].secret);
        struct sigv4_presign presign = {span_from_cstr(cases[i].date), cases[i].expires_s};
        struct parsed_request parsed;
        struct buf query;
        buf_init(&query, 4096);
        signer.credentials.access_key = span_from_cstr(cases[i].access_key);
        signed_request_parse(&cases[i].request, &parsed);
        sigv4_presign(&signer, &parsed.request, &presign, &query);
        if (!buf_ok(&query) ||
            !span_ends_with(buf_span(&query), span_from_cstr(cases[i].signature))) {
            fail_msg("%s: %s", cases[i].request.label, buf_cstr(&query));
        }
        parsed.request.query = buf_span(&query);
        assert_true(signed_request_fits(*state, &parsed.request, SPAN_EMPTY,
                                        span_from_cstr(cases[i].secret)));
        buf_release(&query);
    }
}

static void a_presigned_query_keeps_the_requests_own_and_carries_the_token(void **state)
{
    struct signed_request texts = {.service = "s3",
                                   .method = "GET",
                                   .path = "/bkt/k",
                                   .query = "versionId=1&response-expires=0",
                                   .payload_hash = SIGV4_UNSIGNED_PAYLOAD,
                                   .headers = "host:h\n"};
    struct sigv4_signer signer = signer_of(*state, "s3", TEST_SECRET);
    struct sigv4_presign presign = {SPAN_LIT("20260102T030405Z"), 60};
    struct parsed_request parsed;
    struct buf query;
    buf_init(&query, 4096);
    signer.credentials.session_token = SPAN_LIT("to/k+n=");
    signed_request_parse(&texts, &parsed);
    sigv4_presign(&signer, &parsed.request, &presign, &query);
    static const char expected[] =
        "versionId=1&response-expires=0&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential="
        "AKIDEXAMPLE%2F20260102%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20260102T030405Z"
        "&X-Amz-Expires=60&X-Amz-SignedHeaders=host&X-Amz-Security-Token=to%2Fk%2Bn%3D"
        "&X-Amz-Signature=";
    assert_true(span_starts_with(buf_span(&query), span_from_cstr(expected)));
    assert_int_equal(query.len, strlen(expected) + 64);
    parsed.request.query = buf_span(&query);
    assert_true(signed_request_fits(*state, &parsed.request, SPAN_EMPTY, SPAN_LIT(TEST_SECRET)));
    buf_release(&query);
}

static void signing_into_a_full_buffer_fails_the_buffer(void **state)
{
    struct sigv4_signer signer = signer_of(*state, "s3", TEST_SECRET);
    struct sigv4_presign presign = {SPAN_LIT("20260102T030405Z"), 60};
    struct parsed_request parsed;
    signed_request_parse(&vectors[1].request, &parsed);
    for (size_t max = 0; max < 200; max += 13) {
        struct buf out;
        buf_init(&out, max);
        sigv4_authorization(&signer, &parsed.request, presign.date_time, &out);
        assert_false(buf_ok(&out));
        buf_reset(&out);
        sigv4_presign(&signer, &parsed.request, &presign, &out);
        assert_false(buf_ok(&out));
        buf_release(&out);
    }
}

static void sign_or_presign(const struct sigv4_signer *signer, const struct sigv4_request *request,
                            bool presigned, struct buf *out)
{
    const struct sigv4_presign presign = {SPAN_LIT("20260102T030405Z"), 60};
    if (presigned) {
        sigv4_presign(signer, request, &presign, out);
    } else {
        sigv4_authorization(signer, request, presign.date_time, out);
    }
}

/* Each allocation of a signature fails: there is the signature, or there was no memory. */
static void a_signature_without_memory_is_none(void **state)
{
    struct sigv4_signer signer = signer_of(*state, "s3", TEST_SECRET);
    struct parsed_request parsed;
    signed_request_parse(&vectors[1].request, &parsed);
    for (int presigned = 0; presigned < 2; presigned++) {
        struct buf right;
        buf_init(&right, 4096);
        sign_or_presign(&signer, &parsed.request, presigned, &right);
        for (long n = 1; alloc_fault_goes_on(n); n++) {
            struct buf out;
            buf_init(&out, 4096);
            alloc_fault_begin(n, ALLOC_FAILS_ONCE);
            sign_or_presign(&signer, &parsed.request, presigned, &out);
            bool failed = alloc_fault_end();
            assert_true(buf_ok(&out) || (failed && out.no_memory));
            if (buf_ok(&out)) {
                assert_string_equal(buf_cstr(&out), buf_cstr(&right));
            }
            buf_release(&out);
        }
        buf_release(&right);
    }
}

static void moments_are_printed_for_signing(void **state)
{
    (void)state;
    char text[SIGV4_DATE_BYTES];
    sigv4_date(INT64_C(1767323045999999), text);
    assert_string_equal(text, "20260102T030405Z");
    sigv4_date(0, text);
    assert_string_equal(text, "19700101T000000Z");
    sigv4_date(INT64_C(951782400000000), text);
    assert_string_equal(text, "20000229T000000Z");
    sigv4_date(INT64_C(253402300799000000), text);
    assert_string_equal(text, "99991231T235959Z");
    sigv4_date(INT64_C(253402300800000000), text); /* has no such text */
    assert_string_equal(text, "");
}

/* --- chunks --- */

static void assert_chunk(struct sigv4_chunks *chunks, struct span data, const char *signature)
{
    char text[SIGV4_SIGNATURE_BYTES];
    struct digest_value digest = digest_of(chunks->crypto, DIGEST_SHA256, data);
    sigv4_chunk_sign(chunks, &digest, text);
    assert_string_equal(text, signature);
}

static void chunks_init(struct sigv4_chunks *chunks, struct crypto *crypto, const char *date_time,
                        const char *secret, const char *seed)
{
    struct sigv4_claim claim = {
        .scope = {span_first(span_from_cstr(date_time), 8), SPAN_LIT("us-east-1"), SPAN_LIT("s3")},
        .signature = span_from_cstr(seed),
        .date_time = span_from_cstr(date_time),
    };
    sigv4_chunks_init(chunks, crypto, &claim, span_from_cstr(secret));
}

static void chunks_are_signed_one_upon_the_other(void **state)
{
    struct sigv4_chunks chunks;
    chunks_init(&chunks, *state, "20260102T030405Z", TEST_SECRET,
                "39d3d6c6a601c0d8ee25e0c7ce7e25f4e23936937e878874fdedd785c997ef73");
    assert_chunk(&chunks, SPAN_LIT("hello"),
                 "f1dd53fe72972c2afb9e5a49f2d3f5b07d4156c17589096f94b45eabb7d251ff");
    assert_chunk(&chunks, SPAN_EMPTY,
                 "177260cb9fcf172e6316f3e67d70e147319faf484d9f0279e2200d3f735786fe");
}

/* Amazon's documented upload: 65 KiB of 'a' in chunks of 64 KiB. */
static void the_documented_streaming_upload_has_its_signatures(void **state)
{
    static char bytes[65536];
    struct sigv4_chunks chunks;
    memset(bytes, 'a', sizeof(bytes));
    chunks_init(&chunks, *state, "20130524T000000Z", AWS_SECRET,
                "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9");
    assert_chunk(&chunks, span_from(bytes, 65536),
                 "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648");
    assert_chunk(&chunks, span_from(bytes, 1024),
                 "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497");
    assert_chunk(&chunks, SPAN_EMPTY,
                 "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9");
}

static void the_documented_upload_with_a_trailer_has_its_signatures(void **state)
{
    static char bytes[65536];
    struct sigv4_chunks chunks;
    struct checksum checksum;
    struct buf trailer;
    char signature[SIGV4_SIGNATURE_BYTES];
    memset(bytes, 'a', sizeof(bytes));
    chunks_init(&chunks, *state, "20130524T000000Z", AWS_SECRET,
                "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e");
    assert_chunk(&chunks, span_from(bytes, 65536),
                 "b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2");
    assert_chunk(&chunks, span_from(bytes, 1024),
                 "1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7");
    assert_chunk(&chunks, SPAN_EMPTY,
                 "2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992");
    buf_init(&trailer, 256);
    assert_int_equal(checksum_init(&checksum, CHECKSUM_CRC32C, NULL, NULL), STATUS_OK);
    checksum_update(&checksum, span_from(bytes, 65536));
    checksum_update(&checksum, span_from(bytes, 1024));
    BUF_APPEND_LIT(&trailer, "x-amz-checksum-crc32c:");
    checksum_finish(&checksum, &trailer);
    assert_string_equal(buf_cstr(&trailer), "x-amz-checksum-crc32c:sOO8/Q==");
    buf_append_byte(&trailer, '\n');
    struct digest_value digest = digest_of(*state, DIGEST_SHA256, buf_span(&trailer));
    sigv4_trailer_sign(&chunks, &digest, signature);
    assert_string_equal(signature,
                        "d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435");
    buf_release(&trailer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(queries_are_decoded_encoded_and_sorted),
        cmocka_unit_test(paths_follow_the_style_of_their_service),
        cmocka_unit_test(header_values_are_trimmed_folded_and_joined),
        cmocka_unit_test(the_canonical_request_stands_as_documented),
        cmocka_unit_test(a_canonical_request_beyond_the_ceiling_fails_its_buffer),
        cmocka_unit_test(headers_are_signed_as_others_sign_them),
        cmocka_unit_test(what_the_signer_writes_the_verifier_takes),
        cmocka_unit_test(the_authorization_header_is_written_as_documented),
        cmocka_unit_test(repeated_headers_are_named_once),
        cmocka_unit_test(the_signing_key_is_that_of_the_specification),
        cmocka_unit_test(a_secret_of_any_length_makes_a_key),
        cmocka_unit_test(the_canonical_request_of_kinesis_hashes_as_botocores),
        cmocka_unit_test(urls_are_presigned_as_others_presign_them),
        cmocka_unit_test(a_presigned_query_keeps_the_requests_own_and_carries_the_token),
        cmocka_unit_test(signing_into_a_full_buffer_fails_the_buffer),
        cmocka_unit_test(a_signature_without_memory_is_none),
        cmocka_unit_test(moments_are_printed_for_signing),
        cmocka_unit_test(chunks_are_signed_one_upon_the_other),
        cmocka_unit_test(the_documented_streaming_upload_has_its_signatures),
        cmocka_unit_test(the_documented_upload_with_a_trailer_has_its_signatures),
    };
    return cmocka_run_group_tests(tests, open_crypto, close_crypto);
}
