/* The check of a request's signature, verdict by verdict. The signatures are the spec's vectors
 * (specs/aws-s3.md section 7), made with botocore. */
#include "alloc_fault.h"
#include "aws_auth.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define KEY_ID      "AKIDEXAMPLE"
#define SECRET      "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
#define SIGNED_AT_S INT64_C(1767323045) /* 20260102T030405Z */

#define DATE         "X-Amz-Date:20260102T030405Z\n"
#define KINESIS_HOST "Host:127.0.0.1:4567\n"
#define KINESIS_TYPE "Content-Type:application/x-amz-json-1.1\n"
#define KINESIS_CALL "X-Amz-Target:Kinesis_20131202.ListStreams\n"
#define AUTHORIZATION(key, region, service, names, signature)                                      \
    "Authorization:AWS4-HMAC-SHA256 Credential=" key "/20260102/" region "/" service               \
    "/aws4_request, SignedHeaders=" names ", Signature=" signature "\n"
#define KINESIS_NAMES "content-type;host;x-amz-date;x-amz-target"
#define KINESIS_FITS  "4ef8d505056a94774c83ead8e79ac9210e0e8c468c9e0eb100bab7b7f1e15e8c"
#define KINESIS(key, region, service)                                                              \
    KINESIS_HOST KINESIS_TYPE KINESIS_CALL DATE AUTHORIZATION(key, region, service, KINESIS_NAMES, \
                                                              KINESIS_FITS)

#define S3_HOST "Host:127.0.0.1:9000\n"
#define S3_EMPTY                                                                                   \
    "X-Amz-Content-Sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\n"
#define S3_NAMES  "host;x-amz-content-sha256;x-amz-date"
#define S3_FITS   "d539cb4593493289c74dccc69c95a1b57161057023ac400ea81b930a5b05a12b"
#define S3_SIGNED AUTHORIZATION(KEY_ID, "us-east-1", "s3", S3_NAMES, S3_FITS)
#define S3_LIST   "list-type=2&prefix=topics%2Fa%20b&delimiter=%2F"
#define PRESIGNED                                                                                  \
    "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=" KEY_ID                                    \
    "%2F20260102%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20260102T030405Z&X-Amz-Expires=60"     \
    "&X-Amz-SignedHeaders=host&X-Amz-Signature="                                                   \
    "d0acb65bded5c5a07e1b9d71d7a476f5e1098bb12c1e691e968226063b641200"
#define PRESIGNED_V2                                                                               \
    "AWSAccessKeyId=" KEY_ID "&Signature=1pGEL6%2Bk%2F3rh4HgZKg0jwCD%2FCDM%3D&Expires=1767323105"

struct fixture {
    struct env env;
    struct arena arena;
    struct crypto *crypto;
    struct aws_identity identity;
    struct http_header headers[16];
    struct aws_auth_result result;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    env_init_virtual(&f->env, 1, SIGNED_AT_S * 1000000);
    arena_init(&f->arena, 1 << 20);
    assert_int_equal(crypto_new(&f->crypto), STATUS_OK);
    aws_identity_init(&f->identity, "u1", "us-east-1");
    f->identity.access_key = KEY_ID;
    f->identity.secret = SECRET;
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    crypto_free(f->crypto);
    arena_release(&f->arena);
    free(f);
    return 0;
}

struct sent {
    const char *service;
    const char *method;
    const char *path;
    const char *query;
    const char *headers; /* "Name:value\n" each */
    const char *body;
};

static const struct sent kinesis = {.service = "kinesis",
                                    .method = "POST",
                                    .path = "/",
                                    .query = "",
                                    .headers = KINESIS(KEY_ID, "us-east-1", "kinesis"),
                                    .body = "{}"};
static const struct sent s3_list = {.service = "s3",
                                    .method = "GET",
                                    .path = "/bkt",
                                    .query = S3_LIST,
                                    .headers = S3_HOST S3_EMPTY DATE S3_SIGNED,
                                    .body = ""};
static const struct sent s3_presigned = {.service = "s3",
                                         .method = "GET",
                                         .path = "/bkt/a%20b",
                                         .query = PRESIGNED,
                                         .headers = S3_HOST,
                                         .body = ""};
static const struct sent s3_presigned_v2 = {.service = "s3",
                                            .method = "GET",
                                            .path = "/bkt/a%20b",
                                            .query = PRESIGNED_V2,
                                            .headers = S3_HOST,
                                            .body = ""};

static enum aws_verdict judge(struct fixture *f, const struct sent *sent,
                              enum aws_auth_dialect dialect)
{
    struct http_request http = {
        .method_name = span_from_cstr(sent->method),
        .path = span_from_cstr(sent->path),
        .query = span_from_cstr(sent->query),
        .headers = f->headers,
        .body = span_from_cstr(sent->body),
    };
    struct span rest = span_from_cstr(sent->headers);
    struct span line;
    while (rest.len > 0 && span_next_part(&rest, '\n', &line)) {
        size_t colon = span_find_byte(line, ':');
        f->headers[http.header_count++] =
            (struct http_header){span_first(line, colon), span_skip(line, colon + 1)};
    }
    const struct aws_auth auth = {.identity = &f->identity,
                                  .service = sent->service,
                                  .dialect = dialect,
                                  .crypto = f->crypto,
                                  .env = &f->env};
    const struct aws_auth_request request = {
        .http = &http, .host_bucket = SPAN_EMPTY, .arena = &f->arena};
    return aws_authorize(&auth, &request, &f->result);
}

static struct sent with_headers(const struct sent *sent, const char *headers)
{
    struct sent other = *sent;
    other.headers = headers;
    return other;
}

/* --- what is granted --- */

static void signed_requests_are_granted(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(judge(f, &kinesis, AWS_AUTH_COMMON), AWS_GRANTED);
    assert_int_equal(f->result.claim.kind, SIGV4_HEADER);
    assert_int_equal(judge(f, &s3_list, AWS_AUTH_S3), AWS_GRANTED);
    assert_int_equal(judge(f, &s3_presigned, AWS_AUTH_S3), AWS_GRANTED);
    assert_int_equal(judge(f, &s3_presigned_v2, AWS_AUTH_S3), AWS_GRANTED);
    assert_int_equal(f->result.claim.kind, SIGV2_QUERY);
}

static void without_a_key_everybody_may_do_everything(void **state)
{
    struct fixture *f = *state;
    struct sent unsigned_request = with_headers(&kinesis, KINESIS_HOST);
    f->identity.access_key = NULL;
    f->identity.secret = NULL;
    assert_int_equal(judge(f, &unsigned_request, AWS_AUTH_COMMON), AWS_GRANTED);
    assert_int_equal(f->result.claim.kind, SIGV4_NONE);
}

/* --- what is refused, and in which order --- */

static void claims_that_do_not_hold_have_a_verdict_each(void **state)
{
    static const struct {
        const char *label;
        const struct sent *sent;
        const char *headers; /* instead of the request's */
        enum aws_verdict verdict;
    } cases[] = {
        {"no signature", &kinesis, KINESIS_HOST, AWS_ANONYMOUS},
        {"not readable", &kinesis, KINESIS_HOST "Authorization:AWS4-HMAC-SHA256 x\n",
         AWS_MALFORMED},
        {"another key and another region", &kinesis, KINESIS("OTHER", "eu-west-1", "kinesis"),
         AWS_UNKNOWN_KEY},
        {"another region", &kinesis, KINESIS(KEY_ID, "eu-west-1", "kinesis"), AWS_WRONG_SCOPE},
        {"another service", &kinesis, KINESIS(KEY_ID, "us-east-1", "sqs"), AWS_WRONG_SCOPE},
        {"another header than was signed", &kinesis,
         KINESIS_HOST KINESIS_TYPE "X-Amz-Target:Kinesis_20131202.PutRecord\n" DATE AUTHORIZATION(
             KEY_ID, "us-east-1", "kinesis", KINESIS_NAMES, KINESIS_FITS),
         AWS_MISMATCH},
        {"S3 without a payload's hash", &s3_list, S3_HOST DATE S3_SIGNED, AWS_PAYLOAD_UNNAMED},
        {"S3 with an unsigned header", &s3_list, S3_HOST S3_EMPTY DATE "X-Amz-Meta-A:1\n" S3_SIGNED,
         AWS_HEADERS_UNSIGNED},
        {"S3 with a session token", &s3_list,
         S3_HOST S3_EMPTY DATE "X-Amz-Security-Token:t\n" S3_SIGNED, AWS_FOREIGN_TOKEN},
        {"S3 with another payload", &s3_list,
         S3_HOST "X-Amz-Content-Sha256:UNSIGNED-PAYLOAD\n" DATE S3_SIGNED, AWS_MISMATCH},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct sent sent = with_headers(cases[i].sent, cases[i].headers);
        enum aws_auth_dialect dialect = cases[i].sent == &s3_list ? AWS_AUTH_S3 : AWS_AUTH_COMMON;
        if (judge(f, &sent, dialect) != cases[i].verdict) {
            fail_msg("%s: not the verdict", cases[i].label);
        }
    }
}

static void a_body_is_part_of_what_common_services_verify(void **state)
{
    struct sent other = kinesis;
    other.body = "{ }";
    assert_int_equal(judge(*state, &other, AWS_AUTH_COMMON), AWS_MISMATCH);
}

static void a_mismatch_shows_what_was_expected(void **state)
{
    struct fixture *f = *state;
    struct sent other = s3_list;
    other.query = "list-type=2";
    assert_int_equal(judge(f, &other, AWS_AUTH_S3), AWS_MISMATCH);
    assert_true(span_starts_with(f->result.canonical, SPAN_LIT("GET\n/bkt\nlist-type=2\n")));
    assert_true(span_starts_with(f->result.string_to_sign,
                                 SPAN_LIT("AWS4-HMAC-SHA256\n20260102T030405Z\n")));
}

static void unsigned_headers_are_named(void **state)
{
    struct fixture *f = *state;
    struct sent more =
        with_headers(&s3_list, S3_HOST S3_EMPTY DATE "X-Amz-Meta-B:1\n"
                                                     "X-Amz-Acl:private\n" S3_SIGNED);
    assert_int_equal(judge(f, &more, AWS_AUTH_S3), AWS_HEADERS_UNSIGNED);
    assert_true(span_equal_cstr(f->result.unsigned_headers, "x-amz-meta-b, x-amz-acl"));
}

/* --- time --- */

static void signatures_hold_for_minutes(void **state)
{
    static const struct {
        const struct sent *sent;
        enum aws_auth_dialect dialect;
        int64_t shift_s;
        enum aws_verdict verdict;
    } cases[] = {
        {&kinesis, AWS_AUTH_COMMON, 300, AWS_GRANTED},
        {&kinesis, AWS_AUTH_COMMON, 301, AWS_SKEWED},
        {&kinesis, AWS_AUTH_COMMON, -300, AWS_GRANTED},
        {&kinesis, AWS_AUTH_COMMON, -301, AWS_SKEWED},
        {&s3_list, AWS_AUTH_S3, 900, AWS_GRANTED},
        {&s3_list, AWS_AUTH_S3, 901, AWS_SKEWED},
        {&s3_presigned, AWS_AUTH_S3, 60, AWS_GRANTED},
        {&s3_presigned, AWS_AUTH_S3, 61, AWS_EXPIRED},
        {&s3_presigned, AWS_AUTH_S3, -901, AWS_NOT_YET_VALID},
        {&s3_presigned_v2, AWS_AUTH_S3, 60, AWS_GRANTED},
        {&s3_presigned_v2, AWS_AUTH_S3, 61, AWS_EXPIRED},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        env_init_virtual(&f->env, 1, (SIGNED_AT_S + cases[i].shift_s) * 1000000);
        if (judge(f, cases[i].sent, cases[i].dialect) != cases[i].verdict) {
            fail_msg("case %zu: not the verdict", i);
        }
        assert_int_equal(f->result.now_s, SIGNED_AT_S + cases[i].shift_s);
    }
    assert_int_equal(f->result.end_s, SIGNED_AT_S + 60);
}

static void only_s3_takes_the_older_signature(void **state)
{
    struct sent other = s3_presigned_v2;
    other.service = "sts";
    assert_int_equal(judge(*state, &other, AWS_AUTH_COMMON), AWS_ANONYMOUS);
}

static void a_full_arena_is_no_answer(void **state)
{
    struct fixture *f = *state;
    arena_release(&f->arena);
    arena_init(&f->arena, 16);
    assert_int_equal(judge(f, &kinesis, AWS_AUTH_COMMON), AWS_AUTH_FAILED);
    assert_int_equal(f->result.error.code, STATUS_NO_MEMORY);
}

/* As far as it fits: nothing, what was expected, or that there was no room for it. */
static void a_refusal_needs_no_memory(void **state)
{
    struct fixture *f = *state;
    struct sent other = kinesis;
    struct error err;
    size_t shown = 0;
    other.body = "{ }";
    assert_int_equal(crypto_ready(f->crypto, &err), STATUS_OK);
    for (size_t bytes = 16; shown == 0; bytes += 16) {
        arena_release(&f->arena);
        arena_init(&f->arena, bytes);
        enum aws_verdict verdict = judge(f, &other, AWS_AUTH_COMMON);
        assert_true(verdict == AWS_AUTH_FAILED || verdict == AWS_MISMATCH);
        assert_int_equal(f->result.error.code,
                         verdict == AWS_MISMATCH ? STATUS_OK : STATUS_NO_MEMORY);
        if (verdict == AWS_MISMATCH && f->result.canonical.len > 0) {
            assert_true(span_starts_with(f->result.canonical, SPAN_LIT("POST\n/\n\n")));
            shown = f->result.string_to_sign.len;
        }
    }
}

/* The signature of a presigned request that is no S3's holds as long as that of a header. */
static void a_presigned_request_of_a_common_service_holds_for_minutes(void **state)
{
    static const struct {
        int64_t shift_s;
        enum aws_verdict verdict;
    } cases[] = {{0, AWS_MISMATCH}, {300, AWS_MISMATCH}, {301, AWS_SKEWED}, {-301, AWS_SKEWED}};
    struct fixture *f = *state;
    const struct sent sent = {"s3",      "GET",   "/bkt/a",
                              PRESIGNED, S3_HOST, ""}; /* S3's signature, whose path is another */
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        env_init_virtual(&f->env, 1, (SIGNED_AT_S + cases[i].shift_s) * 1000000);
        assert_int_equal(judge(f, &sent, AWS_AUTH_COMMON), cases[i].verdict);
    }
}

/* What a client makes of a query: the presigned one, with the headers that it signs. */
static void presign(struct fixture *f, const char *query, const struct sigv4_header *headers,
                    size_t count, struct span payload_hash, struct buf *out)
{
    const struct sigv4_signer signer = {
        f->crypto,
        {SPAN_LIT(KEY_ID), SPAN_LIT(SECRET), SPAN_EMPTY},
        SPAN_LIT("us-east-1"),
        SPAN_LIT("s3"),
    };
    const struct sigv4_request request = {
        .method = SPAN_LIT("GET"),
        .path = SPAN_LIT("/bkt/a"),
        .query = span_from_cstr(query),
        .headers = headers,
        .header_count = count,
        .payload_hash = payload_hash,
        .path_style = SIGV4_PATH_S3,
    };
    const struct sigv4_presign presign = {SPAN_LIT("20260102T030405Z"), 60};
    struct error err;
    buf_init(out, 4096);
    assert_int_equal(crypto_ready(f->crypto, &err), STATUS_OK);
    sigv4_presign(&signer, &request, &presign, out);
    assert_true(buf_ok(out));
}

/* A presigned URL says what is known of the payload in a header that it signs, in a parameter, or
 * not at all. */
static void a_presigned_payload_is_the_one_that_was_named(void **state)
{
#define HASH "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
    static const struct {
        const char *query;
        bool header; /* signed */
        struct span hash;
        const char *sent_headers;
        enum aws_verdict verdict;
    } cases[] = {
        {"a=1", true, {HASH, 64}, S3_HOST "X-Amz-Content-Sha256:" HASH "\n", AWS_GRANTED},
        {"a=1", true, {HASH, 64}, S3_HOST S3_EMPTY, AWS_MISMATCH},
        {"X-Amz-Content-Sha256=" HASH, false, {HASH, 64}, S3_HOST, AWS_GRANTED},
        {"X-Amz-Content-Sha256=" HASH, false, {"UNSIGNED-PAYLOAD", 16}, S3_HOST, AWS_MISMATCH},
        {"X-Amz-Content-Sha256=%zz", false, {"UNSIGNED-PAYLOAD", 16}, S3_HOST, AWS_MISMATCH},
        {"a=1", false, {"UNSIGNED-PAYLOAD", 16}, S3_HOST, AWS_GRANTED},
        {"a=1", false, {HASH, 64}, S3_HOST, AWS_MISMATCH},
    };
    const struct sigv4_header headers[] = {
        {SPAN_LIT("Host"), SPAN_LIT("127.0.0.1:9000")},
        {SPAN_LIT("X-Amz-Content-Sha256"), SPAN_LIT(HASH)},
    };
#undef HASH
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct buf query;
        presign(*state, cases[i].query, headers, cases[i].header ? 2 : 1, cases[i].hash, &query);
        const struct sent sent = {"s3", "GET", "/bkt/a", buf_cstr(&query), cases[i].sent_headers,
                                  ""};
        if (judge(*state, &sent, AWS_AUTH_S3) != cases[i].verdict) {
            fail_msg("case %zu: not the verdict", i);
        }
        buf_release(&query);
    }
}

/* Whatever of it does not fit into memory, a good request is not told to be a bad one. */
static void a_presigned_query_without_memory_is_no_answer(void **state)
{
    struct fixture *f = *state;
    struct buf query;
    const struct sigv4_header host = {SPAN_LIT("Host"), SPAN_LIT("127.0.0.1:9000")};
    presign(f, "X-Amz-Content-Sha256=UNSIGNED%2DPAYLOAD", &host, 1,
            SPAN_LIT(SIGV4_UNSIGNED_PAYLOAD), &query);
    const struct sent sent = {"s3", "GET", "/bkt/a", buf_cstr(&query), S3_HOST, ""};
    enum aws_verdict verdict = AWS_AUTH_FAILED;
    size_t failures = 0;
    for (size_t bytes = 16; verdict == AWS_AUTH_FAILED && bytes < 65536; bytes += 16) {
        arena_release(&f->arena);
        arena_init(&f->arena, bytes);
        verdict = judge(f, &sent, AWS_AUTH_S3);
        failures += verdict == AWS_AUTH_FAILED;
    }
    assert_int_equal(verdict, AWS_GRANTED);
    assert_true(failures > 4);
    buf_release(&query);
}

/* Each allocation of a check fails: the verdict is what it is with memory, or none. */
static void a_lack_of_memory_changes_no_verdict(void **state)
{
    struct sent changed = kinesis;
    changed.body = "{ }";
    struct sent unsigned_header = with_headers(&s3_list, S3_HOST S3_EMPTY DATE
                                               "X-Amz-Meta-B:1\nX-Amz-Acl:private\n" S3_SIGNED);
    const struct {
        const struct sent *sent;
        enum aws_auth_dialect dialect;
        enum aws_verdict verdict;
    } cases[] = {
        {&kinesis, AWS_AUTH_COMMON, AWS_GRANTED},
        {&changed, AWS_AUTH_COMMON, AWS_MISMATCH},
        {&s3_list, AWS_AUTH_S3, AWS_GRANTED},
        {&unsigned_header, AWS_AUTH_S3, AWS_HEADERS_UNSIGNED},
        {&s3_presigned, AWS_AUTH_S3, AWS_GRANTED},
        {&s3_presigned_v2, AWS_AUTH_S3, AWS_GRANTED},
    };
    struct fixture *f = *state;
    struct error err;
    assert_int_equal(crypto_ready(f->crypto, &err), STATUS_OK);
    for (size_t i = 0; i < 2 * ARRAY_COUNT(cases); i++) {
        size_t c = i / 2;
        enum alloc_fault_mode mode = i % 2 == 0 ? ALLOC_FAILS_ONCE : ALLOC_FAILS_FROM_THERE_ON;
        for (long n = 1; alloc_fault_goes_on(n); n++) {
            arena_release(&f->arena);
            arena_init(&f->arena, 1 << 20);
            alloc_fault_begin(n, mode);
            enum aws_verdict verdict = judge(f, cases[c].sent, cases[c].dialect);
            bool failed = alloc_fault_end();
            bool is_none = verdict == AWS_AUTH_FAILED && failed;
            if (verdict != cases[c].verdict && !is_none) {
                fail_msg("case %zu, allocation %ld: verdict %d", c, n, (int)verdict);
            }
            if (is_none) {
                assert_int_equal(f->result.error.code, STATUS_NO_MEMORY);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        T(signed_requests_are_granted),
        T(without_a_key_everybody_may_do_everything),
        T(claims_that_do_not_hold_have_a_verdict_each),
        T(a_body_is_part_of_what_common_services_verify),
        T(a_mismatch_shows_what_was_expected),
        T(unsigned_headers_are_named),
        T(signatures_hold_for_minutes),
        T(only_s3_takes_the_older_signature),
        T(a_full_arena_is_no_answer),
        T(a_presigned_payload_is_the_one_that_was_named),
        T(a_refusal_needs_no_memory),
        T(a_presigned_request_of_a_common_service_holds_for_minutes),
        T(a_lack_of_memory_changes_no_verdict),
        T(a_presigned_query_without_memory_is_no_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
