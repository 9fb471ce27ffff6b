/* Who is asking: signatures in the header and in the query, end to end, and everything that can be
 * wrong with them. The signatures are the spec's vectors (specs/aws-s3.md sections 6 and 7) and
 * others made with Python's hmac; none was made with the code under test. */
#include "s3_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define KEY_ID "AKIDEXAMPLE"
#define SECRET "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
#define SCOPE  "20260102/us-east-1/s3/aws4_request"
#define DATE   "x-amz-date: 20260102T030405Z"

#define SHA256_EMPTY "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define EMPTY        "x-amz-content-sha256: " SHA256_EMPTY
#define USUAL        "host;x-amz-content-sha256;x-amz-date"

#define AUTHORIZATION(signed_headers, signature)                                                   \
    "Authorization: AWS4-HMAC-SHA256 Credential=" KEY_ID "/" SCOPE                                 \
    ", SignedHeaders=" signed_headers ", Signature=" signature

#define SIGNED_GET "77dd21bc65a84d5b3269cee7c16095367d29aff76026d4ef1d1c76f0bb24100f"
#define PRESIGNED_QUERY                                                                            \
    "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=" KEY_ID                                    \
    "%2F20260102%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20260102T030405Z&X-Amz-Expires=60"     \
    "&X-Amz-SignedHeaders=host"
#define PRESIGNED_GET                                                                              \
    "/bkt/a%20b?" PRESIGNED_QUERY                                                                  \
    "&X-Amz-Signature=d0acb65bded5c5a07e1b9d71d7a476f5e1098bb12c1e691e968226063b641200"
#define PRESIGNED_V2                                                                               \
    "/bkt/a%20b?AWSAccessKeyId=" KEY_ID                                                            \
    "&Signature=1pGEL6%2Bk%2F3rh4HgZKg0jwCD%2FCDM%3D&Expires=1767323105"

/* "bkt" with the object "a b" is there from before. */
static int setup(void **state)
{
    s3_fixture_setup(state);
    struct s3_fixture *f = *state;
    s3_put(f, "/bkt/a%20b", "hello");
    f->identity.access_key = KEY_ID;
    f->identity.secret = SECRET;
    s3_fixture_reopen(f);
    return 0;
}

static void get_signed(struct s3_fixture *f, const char *target, const char *authorization,
                       const char *more)
{
    struct s3_ask ask = {.method = "GET",
                         .target = target,
                         .headers = {EMPTY, DATE, authorization, more},
                         .body = SPAN_EMPTY};
    s3_ask(f, &ask);
}

/* --- what fits --- */

static void signed_header_opens_the_door(void **state)
{
    get_signed(*state, "/bkt/a%20b", AUTHORIZATION(USUAL, SIGNED_GET), NULL);
    s3_assert_body(*state, "hello");
}

static void commas_may_stand_without_blanks(void **state)
{
    get_signed(*state, "/bkt/a%20b",
               "Authorization: AWS4-HMAC-SHA256 Credential=" KEY_ID "/" SCOPE
               ",SignedHeaders=" USUAL ",Signature=" SIGNED_GET,
               NULL);
    s3_assert_body(*state, "hello");
}

static void listing_signed_by_botocore_is_let_in(void **state)
{
    get_signed(
        *state, "/bkt?list-type=2&prefix=topics%2Fa%20b&delimiter=%2F",
        AUTHORIZATION(USUAL, "d539cb4593493289c74dccc69c95a1b57161057023ac400ea81b930a5b05a12b"),
        NULL);
    s3_assert_status(*state, 200);
}

static void put_sink_object(struct s3_fixture *f, const char *target, const char *authorization)
{
    struct s3_ask ask = {
        .method = "PUT",
        .target = target,
        .headers = {"x-amz-content-sha256: "
                    "e346432021b04179518d9614f3560ccd71354a4ee101ddcb893d6959a9d6301c",
                    DATE, authorization},
        .body = SPAN_LIT("{\"a\":1}\n")};
    s3_ask(f, &ask);
}

/* Clients differ on '+' and '=' in paths: signed as written, or escaped. */
static void sink_key_may_be_signed_raw_or_escaped(void **state)
{
    put_sink_object(*state, "/bkt/topics/u.pin/partition=0/u.pin+0+0000000000.json",
                    AUTHORIZATION(USUAL, "519001d2a4e32323aea8e04523a475d474bc47754f843e3d2ad2e159"
                                         "a943fb13"));
    s3_assert_status(*state, 200);
    put_sink_object(*state, "/bkt/topics/u.pin/partition%3D0/u.pin%2B0%2B0000000000.json",
                    AUTHORIZATION(USUAL, "0fdba4810c852ea1e5b8d9728258dd5c9b1c47e36a6a9051c79c3197"
                                         "404eaaa2"));
    s3_assert_status(*state, 200);
}

static void virtual_host_is_signed_as_sent(void **state)
{
    struct s3_ask ask = {
        .method = "GET",
        .target = "/a%20b",
        .headers = {"Host: bkt.localhost:9000", EMPTY, DATE,
                    AUTHORIZATION(USUAL, "576b16b021fec70685561003b19bd6d70ffd501b956deb30a8956c0b"
                                         "97254768")},
        .body = SPAN_EMPTY};
    s3_ask(*state, &ask);
    s3_assert_body(*state, "hello");
}

static void presigned_urls_open_the_door_until_they_expire(void **state)
{
    static const char *const targets[] = {PRESIGNED_GET, PRESIGNED_V2,
                                          "/bkt/a%20b?AWSAccessKeyId=" KEY_ID
                                          "&response-content-type=text%2Fcsv&Signature="
                                          "u36DX3F%2FQ0vIhdVyPqVq5tbPj%2FU%3D&Expires=1767323105"};
    struct s3_fixture *f = *state;
    for (size_t i = 0; i < ARRAY_COUNT(targets); i++) {
        s3_get(f, targets[i]);
        s3_assert_status(f, 200);
        s3_assert_body(f, "hello");
    }
    s3_assert_header(f, "Content-Type", "text/csv");
    env_advance(&f->env, 60 * INT64_C(1000000));
    for (size_t i = 0; i < ARRAY_COUNT(targets); i++) {
        s3_get(f, targets[i]);
        s3_assert_status(f, 200);
    }
    env_advance(&f->env, 1000000);
    for (size_t i = 0; i < ARRAY_COUNT(targets); i++) {
        s3_get(f, targets[i]);
        s3_assert_error(f, 403, "AccessDenied");
        s3_assert_element(f, "Message", "Request has expired");
        s3_assert_element(f, "Expires", "2026-01-02T03:05:05Z");
        s3_assert_element(f, "ServerTime", "2026-01-02T03:05:06Z");
        s3_assert_element(f, "X-Amz-Expires", i == 0 ? "60" : "");
    }
}

static void version_2_in_the_header_is_taken_as_in_us_east_1(void **state)
{
    struct s3_ask ask = {.method = "GET",
                         .target = "/bkt/a%20b",
                         .headers = {"Date: Fri, 02 Jan 2026 03:04:05 GMT",
                                     "Authorization: AWS " KEY_ID ":VZ+RaTLYFswCVOW70k4GAMVY3yA="},
                         .body = SPAN_EMPTY};
    s3_ask(*state, &ask);
    s3_assert_body(*state, "hello");
}

/* Python's email.utils.formatdate, which clients without x-amz-date use, writes UTC so. */
static void date_may_write_utc_as_minus_nothing(void **state)
{
    static const char date[] = "Date: Fri, 02 Jan 2026 03:04:05 -0000";
    struct s3_ask version_2 = {
        .method = "GET",
        .target = "/bkt/a%20b",
        .headers = {date, "Authorization: AWS " KEY_ID ":4CylJlMWoo6hZ+wTJKrTCl8GpUc="},
        .body = SPAN_EMPTY};
    struct s3_ask version_4 = {
        .method = "GET",
        .target = "/bkt/a%20b",
        .headers = {date,
                    "x-amz-content-sha256: "
                    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
                    AUTHORIZATION(
                        "date;host;x-amz-content-sha256",
                        "ad5eee0f62cf606af92f89743a389fdec7b3efcec1c9a617ed38d30ef35d6897")},
        .body = SPAN_EMPTY};
    s3_ask(*state, &version_2);
    s3_assert_body(*state, "hello");
    s3_ask(*state, &version_4);
    s3_assert_body(*state, "hello");
}

static void presigned_request_may_say_its_payload_unsigned(void **state)
{
    struct s3_ask ask = {.method = "GET",
                         .target = PRESIGNED_GET,
                         .headers = {"x-amz-content-sha256: UNSIGNED-PAYLOAD"},
                         .body = SPAN_EMPTY};
    s3_ask(*state, &ask);
    s3_assert_body(*state, "hello");
}

static void without_credentials_nothing_is_looked_at(void **state)
{
    static const char *const authorizations[] = {
        AUTHORIZATION(USUAL, "0000"),
        "Authorization: Basic dXNlcjpwYXNz",
        "Authorization: AWS4-HMAC-SHA256 nonsense",
    };
    struct s3_fixture *f = *state;
    f->identity.access_key = NULL;
    f->identity.secret = NULL;
    s3_fixture_reopen(f);
    env_advance(&f->env, 3600 * INT64_C(1000000));
    for (size_t i = 0; i < ARRAY_COUNT(authorizations); i++) {
        get_signed(f, "/bkt/a%20b", authorizations[i], NULL);
        s3_assert_body(f, "hello");
    }
    s3_get(f, PRESIGNED_GET);
    s3_assert_body(f, "hello");
    s3_get(f, "/bkt/a%20b");
    s3_assert_body(f, "hello");
}

/* --- what does not --- */

static void mismatch_shows_what_was_calculated(void **state)
{
    static const char canonical[] =
        "GET\n/bkt/a%20b\n\nhost:127.0.0.1:9000\nx-amz-content-sha256:" SHA256_EMPTY
        "\nx-amz-date:20260102T030405Z\n\n" USUAL "\n" SHA256_EMPTY;
    struct s3_fixture *f = *state;
    get_signed(f, "/bkt/a%20b", AUTHORIZATION(USUAL, "00"), NULL);
    s3_assert_error(f, 403, "SignatureDoesNotMatch");
    s3_assert_element(f, "Message",
                      "The request signature we calculated does not match the signature you "
                      "provided. Check your key and signing method.");
    s3_assert_element(f, "AWSAccessKeyId", KEY_ID);
    s3_assert_element(f, "SignatureProvided", "00");
    s3_assert_element(f, "CanonicalRequest", canonical);
    assert_true(s3_reply_element(f, "StringToSign").len > 0);
    assert_true(span_starts_with(s3_reply_element(f, "StringToSignBytes"),
                                 SPAN_LIT("41 57 53 34 2d 48 4d 41 43 2d 53 48 41 32 35 36 0a")));
    assert_true(span_starts_with(s3_reply_element(f, "CanonicalRequestBytes"),
                                 SPAN_LIT("47 45 54 0a 2f 62 6b 74")));
}

struct refusal {
    const char *target;
    const char *headers[5];
    int status;
    const char *code;
    const char *message; /* NULL: any */
};

static const struct refusal refusals[] = {
    {"/bkt/a%20b", {NULL}, 403, "AccessDenied", "Access Denied"},
    {"/bkt/a%20b",
     {EMPTY, DATE,
      "Authorization: AWS4-HMAC-SHA256 Credential=AKIDOTHER/" SCOPE ", SignedHeaders=" USUAL
      ", Signature=" SIGNED_GET},
     403,
     "InvalidAccessKeyId",
     "The AWS Access Key Id you provided does not exist in our records."},
    {"/bkt/a%20b",
     {EMPTY, DATE,
      "Authorization: AWS4-HMAC-SHA256 Credential=" KEY_ID
      "/20260102/eu-west-1/s3/aws4_request, SignedHeaders=" USUAL ", Signature=" SIGNED_GET},
     400,
     "AuthorizationHeaderMalformed",
     "The authorization header is malformed; the region 'eu-west-1' is wrong; expecting "
     "'us-east-1'"},
    {"/bkt/a%20b",
     {EMPTY, DATE,
      "Authorization: AWS4-HMAC-SHA256 Credential=" KEY_ID
      "/20260102/us-east-1/kinesis/aws4_request, SignedHeaders=" USUAL ", Signature=" SIGNED_GET},
     400,
     "AuthorizationHeaderMalformed",
     NULL},
    {"/bkt/a%20b",
     {EMPTY, DATE,
      "Authorization: AWS4-HMAC-SHA256 Credential=" KEY_ID
      "/20260103/us-east-1/s3/aws4_request, SignedHeaders=" USUAL ", Signature=" SIGNED_GET},
     400,
     "AuthorizationHeaderMalformed",
     NULL},
    {"/bkt/a%20b",
     {EMPTY, DATE,
      "Authorization: AWS4-HMAC-SHA256 Credential=" KEY_ID ", SignedHeaders=" USUAL
      ", Signature=" SIGNED_GET},
     400,
     "AuthorizationHeaderMalformed",
     NULL},
    {"/bkt/a%20b",
     {EMPTY, DATE,
      "Authorization: AWS4-HMAC-SHA256 Credential=" KEY_ID "/" SCOPE ", Signature=" SIGNED_GET},
     400,
     "AuthorizationHeaderMalformed",
     NULL},
    {"/bkt/a%20b",
     {EMPTY, DATE,
      "Authorization: AWS4-HMAC-SHA256 Credential=" KEY_ID "/" SCOPE ", SignedHeaders=" USUAL},
     400,
     "AuthorizationHeaderMalformed",
     NULL},
    {"/bkt/a%20b", {EMPTY, DATE, "Authorization: Basic dTpw"}, 400, "InvalidRequest", NULL},
    {"/bkt/a%20b", {EMPTY, AUTHORIZATION(USUAL, SIGNED_GET)}, 403, "AccessDenied", NULL},
    {"/bkt/a%20b",
     {DATE, AUTHORIZATION(USUAL, SIGNED_GET)},
     400,
     "InvalidRequest",
     "Missing required header for this request: x-amz-content-sha256"},
    {"/bkt/a%20b",
     {EMPTY, DATE, AUTHORIZATION(USUAL, SIGNED_GET), "x-amz-checksum-mode: ENABLED"},
     403,
     "AccessDenied",
     "There were headers present in the request which were not signed"},
    {"/bkt/a%20b",
     {EMPTY, DATE, AUTHORIZATION(USUAL, SIGNED_GET), "x-amz-security-token: abc"},
     400,
     "InvalidToken",
     NULL},
    {"/bkt/a%20c",
     {EMPTY, DATE, AUTHORIZATION(USUAL, SIGNED_GET)},
     403,
     "SignatureDoesNotMatch",
     NULL},
    {"/bkt/a%20b?x=1",
     {EMPTY, DATE, AUTHORIZATION(USUAL, SIGNED_GET)},
     403,
     "SignatureDoesNotMatch",
     NULL},
    {PRESIGNED_GET, {AUTHORIZATION(USUAL, SIGNED_GET)}, 400, "InvalidArgument", NULL},
    {PRESIGNED_GET,
     {"x-amz-meta-a: 1"},
     403,
     "AccessDenied",
     "There were headers present in the request which were not signed"},
    {PRESIGNED_GET, {"Host: example.com"}, 403, "SignatureDoesNotMatch", NULL},
    {"/bkt/other"
     "?" PRESIGNED_QUERY "&X-Amz-Signature=d0acb65bded5c5a07e1b9d71d7a476f5e1098bb12c1"
     "e691e968226063b641200",
     {NULL},
     403,
     "SignatureDoesNotMatch",
     NULL},
    {"/bkt/a%20b?" PRESIGNED_QUERY,
     {NULL},
     400,
     "AuthorizationQueryParametersError",
     "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, "
     "X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters."},
    {"/bkt/a%20b?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=" KEY_ID
     "%2F20260102%2Feu-west-1%2Fs3%2Faws4_request&X-Amz-Date=20260102T030405Z&X-Amz-Expires=60"
     "&X-Amz-SignedHeaders=host&X-Amz-Signature=00",
     {NULL},
     400,
     "AuthorizationQueryParametersError",
     "Error parsing the X-Amz-Credential parameter; the region 'eu-west-1' is wrong; expecting "
     "'us-east-1'"},
    {"/bkt/a%20b?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=" KEY_ID
     "%2F20260102%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20260102T030405Z"
     "&X-Amz-Expires=604801&X-Amz-SignedHeaders=host&X-Amz-Signature=00",
     {NULL},
     400,
     "AuthorizationQueryParametersError",
     "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must "
     "be less than 604800 seconds"},
    {"/bkt/a%20b?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=" KEY_ID
     "%2F20260102%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20260102T030405Z"
     "&X-Amz-Expires=-1&X-Amz-SignedHeaders=host&X-Amz-Signature=00",
     {NULL},
     400,
     "AuthorizationQueryParametersError",
     "X-Amz-Expires must be non-negative"},
    {"/bkt/a%20b?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=" KEY_ID
     "%2F20260102%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20260102T030405Z"
     "&X-Amz-Expires=soon&X-Amz-SignedHeaders=host&X-Amz-Signature=00",
     {NULL},
     400,
     "AuthorizationQueryParametersError",
     "X-Amz-Expires should be a number"},
    {"/bkt/a%20b?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=" KEY_ID
     "%2F20260102%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=yesterday&X-Amz-Expires=60"
     "&X-Amz-SignedHeaders=host&X-Amz-Signature=00",
     {NULL},
     400,
     "AuthorizationQueryParametersError",
     NULL},
    {"/bkt/a%20b?X-Amz-Algorithm=AWS4-HMAC-SHA1&X-Amz-Credential=x&X-Amz-Signature=00",
     {NULL},
     400,
     "AuthorizationQueryParametersError",
     NULL},
    {"/bkt/a%20b?AWSAccessKeyId=" KEY_ID "&Signature=AAAA&Expires=1767323105",
     {NULL},
     403,
     "SignatureDoesNotMatch",
     NULL},
    {"/bkt/a%20b?AWSAccessKeyId=AKIDOTHER&Signature=AAAA&Expires=1767323105",
     {NULL},
     403,
     "InvalidAccessKeyId",
     NULL},
    {"/bkt/a%20b?AWSAccessKeyId=" KEY_ID "&Signature=AAAA&Expires=tomorrow",
     {NULL},
     403,
     "AccessDenied",
     "Invalid date (should be seconds since epoch)"},
    {"/bkt/a%20b?AWSAccessKeyId=" KEY_ID "&Expires=1767323105", {NULL}, 403, "AccessDenied", NULL},
};

static void refusals_say_what_is_wrong(void **state)
{
    struct s3_fixture *f = *state;
    for (size_t i = 0; i < ARRAY_COUNT(refusals); i++) {
        const struct refusal *row = &refusals[i];
        struct s3_ask ask = {.method = "GET", .target = row->target, .body = SPAN_EMPTY};
        for (size_t h = 0; h < ARRAY_COUNT(row->headers) && row->headers[h] != NULL; h++) {
            ask.headers[h] = row->headers[h];
        }
        s3_ask(f, &ask);
        if (f->status != row->status) {
            fail_msg("row %zu: %d %s", i, f->status, buf_cstr(&f->body));
        }
        s3_assert_error(f, row->status, row->code);
        if (row->message != NULL) {
            s3_assert_element(f, "Message", row->message);
        }
    }
}

static void unsigned_headers_are_named(void **state)
{
    struct s3_fixture *f = *state;
    get_signed(f, "/bkt/a%20b", AUTHORIZATION(USUAL, SIGNED_GET), "X-Amz-Meta-A: 1");
    s3_assert_element(f, "HeadersNotSigned", "x-amz-meta-a");
}

static void wrong_region_says_the_right_one(void **state)
{
    struct s3_fixture *f = *state;
    f->identity.region = "eu-central-1";
    s3_fixture_reopen(f);
    get_signed(f, "/bkt/a%20b", AUTHORIZATION(USUAL, SIGNED_GET), NULL);
    s3_assert_error(f, 400, "AuthorizationHeaderMalformed");
    s3_assert_element(f, "Region", "eu-central-1");
}

static void clocks_may_differ_by_a_quarter_of_an_hour(void **state)
{
    static const struct {
        int64_t seconds;
        int status;
    } rows[] = {{-901, 403}, {-900, 200}, {900, 200}, {901, 403}};
    struct s3_fixture *f = *state;
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        env_advance(&f->env, rows[i].seconds * 1000000);
        get_signed(f, "/bkt/a%20b", AUTHORIZATION(USUAL, SIGNED_GET), NULL);
        s3_assert_status(f, rows[i].status);
        if (rows[i].status == 403) {
            s3_assert_error(f, 403, "RequestTimeTooSkewed");
            s3_assert_element(f, "RequestTime", "20260102T030405Z");
            s3_assert_element(f, "MaxAllowedSkewMilliseconds", "900000");
        }
        env_advance(&f->env, -rows[i].seconds * 1000000);
    }
}

static void presigned_url_of_the_future_is_not_yet_valid(void **state)
{
    struct s3_fixture *f = *state;
    env_advance(&f->env, -901 * INT64_C(1000000));
    s3_get(f, PRESIGNED_GET);
    s3_assert_error(f, 403, "AccessDenied");
    s3_assert_element(f, "Message", "Request is not yet valid");
}

static void a_secret_stays_out_of_every_answer(void **state)
{
    struct s3_fixture *f = *state;
    for (size_t i = 0; i < ARRAY_COUNT(refusals); i++) {
        struct s3_ask ask = {.method = "GET", .target = refusals[i].target, .body = SPAN_EMPTY};
        for (size_t h = 0; h < 5 && refusals[i].headers[h] != NULL; h++) {
            ask.headers[h] = refusals[i].headers[h];
        }
        s3_ask(f, &ask);
        assert_null(strstr(buf_cstr(&f->body), SECRET));
    }
}

/* --- signed bodies --- */

static void body_must_have_the_signed_hash(void **state)
{
    struct s3_fixture *f = *state;
    struct s3_ask ask = {
        .method = "PUT",
        .target = "/bkt/topics/u.pin/partition=0/u.pin+0+0000000000.json",
        .headers = {"x-amz-content-sha256: "
                    "e346432021b04179518d9614f3560ccd71354a4ee101ddcb893d6959a9d6301c",
                    DATE,
                    AUTHORIZATION(USUAL, "519001d2a4e32323aea8e04523a475d474bc47754f843e3d2ad2e159"
                                         "a943fb13")},
        .body = SPAN_LIT("{\"a\":2}\n")};
    s3_ask(f, &ask);
    s3_assert_error(f, 400, "XAmzContentSHA256Mismatch");
}

/* The URL's own hash, which a header beside it, unsigned, does not take back. */
static void body_must_have_the_hash_of_its_url(void **state)
{
    struct s3_fixture *f = *state;
    struct s3_ask ask = {
        .method = "PUT",
        .target =
            "/bkt/k?" PRESIGNED_QUERY "&X-Amz-Content-Sha256="
            "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
            "&X-Amz-Signature=1bcfe549111dac8b06cd5dce282330d078b423c95a46177bfcb1abf547ad3582",
        .body = SPAN_LIT("hello")};
    s3_ask(f, &ask);
    s3_assert_status(f, 200);
    ask.body = SPAN_LIT("hullo");
    s3_ask(f, &ask);
    s3_assert_error(f, 400, "XAmzContentSHA256Mismatch");
    ask.headers[0] = "x-amz-content-sha256: UNSIGNED-PAYLOAD";
    s3_ask(f, &ask);
    s3_assert_error(f, 400, "XAmzContentSHA256Mismatch");
}

#define CHUNK_SIGNED                                                                               \
    "content-encoding;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length"
#define CHUNK_SEED  "39d3d6c6a601c0d8ee25e0c7ce7e25f4e23936937e878874fdedd785c997ef73"
#define CHUNK_HELLO "f1dd53fe72972c2afb9e5a49f2d3f5b07d4156c17589096f94b45eabb7d251ff"
#define CHUNK_LAST  "177260cb9fcf172e6316f3e67d70e147319faf484d9f0279e2200d3f735786fe"

static void put_chunks(struct s3_fixture *f, const char *body, size_t piece_bytes)
{
    struct s3_ask ask = {.method = "PUT",
                         .target = "/bkt/k",
                         .headers = {"Content-Encoding: aws-chunked",
                                     "x-amz-content-sha256: STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
                                     DATE, "x-amz-decoded-content-length: 5",
                                     AUTHORIZATION(CHUNK_SIGNED, CHUNK_SEED)},
                         .body = span_from_cstr(body),
                         .piece_bytes = piece_bytes};
    s3_ask(f, &ask);
}

static void forget_credentials(struct s3_fixture *f)
{
    f->identity.access_key = NULL;
    s3_fixture_reopen(f);
}

static void signed_chunks_are_taken(void **state)
{
    struct s3_fixture *f = *state;
    put_chunks(
        f, "5;chunk-signature=" CHUNK_HELLO "\r\nhello\r\n0;chunk-signature=" CHUNK_LAST "\r\n\r\n",
        7);
    s3_assert_status(f, 200);
    s3_assert_header(f, "ETag", "\"5d41402abc4b2a76b9719d911017c592\"");
    forget_credentials(f);
    s3_get(f, "/bkt/k");
    s3_assert_body(f, "hello");
    s3_assert_header(f, "Content-Encoding", "");
}

static void chunk_that_does_not_fit_its_signature_is_refused(void **state)
{
    static const char *const bodies[] = {
        "5;chunk-signature=" CHUNK_HELLO "\r\nhullo\r\n0;chunk-signature=" CHUNK_LAST "\r\n\r\n",
        "5;chunk-signature=" CHUNK_LAST "\r\nhello\r\n0;chunk-signature=" CHUNK_LAST "\r\n\r\n",
        "5;chunk-signature=" CHUNK_HELLO "\r\nhello\r\n0;chunk-signature=" CHUNK_HELLO "\r\n\r\n",
        "5\r\nhello\r\n0\r\n\r\n",
        "2;chunk-signature=" CHUNK_HELLO "\r\nhe\r\n3;chunk-signature=" CHUNK_HELLO
        "\r\nllo\r\n0;chunk-signature=" CHUNK_LAST "\r\n\r\n",
    };
    struct s3_fixture *f = *state;
    for (size_t i = 0; i < ARRAY_COUNT(bodies); i++) {
        put_chunks(f, bodies[i], 0);
        s3_assert_error(f, 403, "SignatureDoesNotMatch");
    }
    forget_credentials(f);
    s3_get(f, "/bkt/k");
    s3_assert_error(f, 404, "NoSuchKey");
}

#define TRAILER_CHUNKS                                                                             \
    "5;chunk-signature=8dd66ffdde40d6f01d0966b9e5ec1b0ac52792a2a0713cee6a23bcf40da1df62\r\n"       \
    "hello\r\n"                                                                                    \
    "0;chunk-signature=b38b37bf2ac1aaea076c15f52efc0647f3910773cb76cdf46ec4c4bf2798d850\r\n"       \
    "x-amz-checksum-crc32:NhCmhg==\r\n"
#define TRAILER_SIGNATURE "bfc8ec2712b29e7bb35958fce6ea52598b63dc521c9623573cfa9d18526cc5b9"

static void put_trailer(struct s3_fixture *f, const char *body)
{
    struct s3_ask ask = {
        .method = "PUT",
        .target = "/bkt/k",
        .headers = {"x-amz-content-sha256: STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER", DATE,
                    "x-amz-decoded-content-length: 5", "x-amz-trailer: x-amz-checksum-crc32",
                    AUTHORIZATION(
                        "host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;"
                        "x-amz-trailer",
                        "3f8a8aef6ccfad88c9f5ae23ba89389ee5b60a1e5d24811327ba1c60d9bac72d")},
        .body = span_from_cstr(body)};
    s3_ask(f, &ask);
}

static void trailer_is_signed_too(void **state)
{
    struct s3_fixture *f = *state;
    put_trailer(f, TRAILER_CHUNKS "x-amz-trailer-signature:" TRAILER_SIGNATURE "\r\n\r\n");
    s3_assert_status(f, 200);
    s3_assert_header(f, "x-amz-checksum-crc32", "NhCmhg==");
    put_trailer(f, TRAILER_CHUNKS "x-amz-trailer-signature:" CHUNK_SEED "\r\n\r\n");
    s3_assert_error(f, 403, "SignatureDoesNotMatch");
    put_trailer(f, TRAILER_CHUNKS "\r\n");
    s3_assert_error(f, 403, "SignatureDoesNotMatch");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, s3_fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(signed_header_opens_the_door),
        TEST(commas_may_stand_without_blanks),
        TEST(listing_signed_by_botocore_is_let_in),
        TEST(sink_key_may_be_signed_raw_or_escaped),
        TEST(virtual_host_is_signed_as_sent),
        TEST(presigned_urls_open_the_door_until_they_expire),
        TEST(version_2_in_the_header_is_taken_as_in_us_east_1),
        TEST(date_may_write_utc_as_minus_nothing),
        TEST(presigned_request_may_say_its_payload_unsigned),
        TEST(without_credentials_nothing_is_looked_at),
        TEST(mismatch_shows_what_was_calculated),
        TEST(refusals_say_what_is_wrong),
        TEST(unsigned_headers_are_named),
        TEST(wrong_region_says_the_right_one),
        TEST(clocks_may_differ_by_a_quarter_of_an_hour),
        TEST(presigned_url_of_the_future_is_not_yet_valid),
        TEST(a_secret_stays_out_of_every_answer),
        TEST(body_must_have_the_signed_hash),
        TEST(body_must_have_the_hash_of_its_url),
        TEST(signed_chunks_are_taken),
        TEST(chunk_that_does_not_fit_its_signature_is_refused),
        TEST(trailer_is_signed_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
