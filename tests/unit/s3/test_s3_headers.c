/* What is stored with an object and goes back with it, and the conditions of reads, writes and
 * copies (specs/aws-s3.md section 4). */
#include "s3_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define TAG    "\"5d41402abc4b2a76b9719d911017c592\"" /* of "hello" */
#define NO_TAG "\"00000000000000000000000000000000\""
#define BEFORE "Fri, 02 Jan 2026 03:04:04 GMT"
#define SAME   "Fri, 02 Jan 2026 03:04:05 GMT" /* when the object was put */
#define AFTER  "Fri, 02 Jan 2026 03:04:06 GMT"
#define FUTURE "Sat, 03 Jan 2026 03:04:05 GMT" /* the fixture's clock is before it */

static void ask_with(struct s3_fixture *f, const char *method, const char *target,
                     const char *first, const char *second)
{
    struct s3_ask ask = {.method = method, .target = target, .body = SPAN_EMPTY};
    size_t count = 0;
    if (first != NULL) {
        ask.headers[count++] = first;
    }
    ask.headers[count] = second;
    s3_ask(f, &ask);
}

/* --- stored headers --- */

static void headers_of_the_put_come_back(void **state)
{
    static const struct {
        const char *sent;
        const char *name;
        const char *value;
    } rows[] = {
        {"Content-Type: text/html; charset=utf-8", "Content-Type", "text/html; charset=utf-8"},
        {"content-encoding: gzip", "Content-Encoding", "gzip"},
        {"Content-Encoding: aws-chunked,gzip", "Content-Encoding", "gzip"},
        {"Content-Encoding: gzip, aws-chunked", "Content-Encoding", "gzip"},
        {"Content-Encoding: gzip, br", "Content-Encoding", "gzip, br"},
        {"Content-Encoding: aws-chunked, gzip , br", "Content-Encoding", "gzip , br"},
        {"Content-Encoding: a,aws-chunked, b", "Content-Encoding", "a, b"},
        {"Content-Encoding: aws-chunked", "Content-Encoding", ""},
        {"Content-Language: de", "Content-Language", "de"},
        {"Content-Disposition: attachment; filename=\"a\"", "Content-Disposition",
         "attachment; filename=\"a\""},
        {"Cache-Control: no-cache", "Cache-Control", "no-cache"},
        {"Expires: Thu, 01 Dec 1994 16:00:00 GMT", "Expires", "Thu, 01 Dec 1994 16:00:00 GMT"},
        {"X-Amz-Meta-Mixed-Case: Value: 1", "x-amz-meta-mixed-case", "Value: 1"},
        {"x-amz-meta-empty:", "x-amz-meta-empty", ""},
        {"x-amz-server-side-encryption: AES256", "x-amz-server-side-encryption", "AES256"},
        {"x-amz-storage-class: STANDARD", "x-amz-storage-class", ""},
        {"x-amz-acl: private", "x-amz-acl", ""},
        {"User-Agent: test", "User-Agent", ""},
        {"Content-Type:", "Content-Type", "binary/octet-stream"},
    };
    struct s3_fixture *f = *state;
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct s3_ask ask = {.method = "PUT",
                             .target = "/bkt/k",
                             .headers = {rows[i].sent},
                             .body = SPAN_LIT("hello")};
        s3_ask(f, &ask);
        s3_assert_status(f, 200);
        s3_get(f, "/bkt/k");
        s3_assert_header(f, rows[i].name, rows[i].value);
        s3_do(f, "HEAD", "/bkt/k");
        s3_assert_header(f, rows[i].name, rows[i].value);
    }
}

static void every_object_is_said_to_be_encrypted(void **state)
{
    static const struct {
        const char *method;
        const char *target;
        const char *header;
    } rows[] = {
        {"PUT", "/bkt/k", NULL},
        {"PUT", "/bkt/copy", "x-amz-copy-source: /bkt/k"},
        {"GET", "/bkt/k", NULL},
        {"HEAD", "/bkt/k", NULL},
        {"GET", "/bkt/k", "Range: bytes=0-0"},
        {"POST", "/bkt/k?uploads", NULL},
    };
    struct s3_fixture *f = *state;
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct s3_ask ask = {.method = rows[i].method,
                             .target = rows[i].target,
                             .headers = {rows[i].header},
                             .body = rows[i].method[1] == 'U' ? SPAN_LIT("hello") : SPAN_EMPTY};
        s3_ask(f, &ask);
        s3_assert_header(f, "x-amz-server-side-encryption", "AES256");
    }
    s3_do(f, "DELETE", "/bkt/k");
    s3_assert_header(f, "x-amz-server-side-encryption", "");
}

static void repeated_metadata_is_one_with_commas(void **state)
{
    struct s3_fixture *f = *state;
    struct s3_ask ask = {.method = "PUT",
                         .target = "/bkt/k",
                         .headers = {"x-amz-meta-a: 1", "x-amz-meta-b: 2", "X-Amz-Meta-A: 3"},
                         .body = SPAN_EMPTY};
    s3_ask(f, &ask);
    s3_get(f, "/bkt/k");
    s3_assert_header(f, "x-amz-meta-a", "1,3");
    s3_assert_header(f, "x-amz-meta-b", "2");
}

static void put_metadata(struct s3_fixture *f, size_t value_bytes)
{
    static char line[4096] = "x-amz-meta-n: ";
    size_t start = sizeof("x-amz-meta-n: ") - 1;
    memset(line + start, 'v', value_bytes);
    line[start + value_bytes] = '\0';
    ask_with(f, "PUT", "/bkt/k", line, NULL);
}

static void metadata_may_have_2_kb_with_its_names(void **state)
{
    struct s3_fixture *f = *state;
    put_metadata(f, 2047);
    s3_assert_status(f, 200);
    put_metadata(f, 2048);
    s3_assert_error(f, 400, "MetadataTooLarge");
    s3_assert_element(f, "Size", "2049");
    s3_assert_element(f, "MaxSizeAllowed", "2048");
}

static void query_puts_other_headers_in_the_place_of_the_stored(void **state)
{
    struct s3_fixture *f = *state;
    ask_with(f, "PUT", "/bkt/k", "Content-Type: text/plain", "Cache-Control: no-cache");
    s3_get(f, "/bkt/k?response-content-type=text%2Fcsv&response-cache-control=max-age%3D5"
              "&response-content-disposition=attachment%3B%20filename%3Da+b"
              "&response-content-encoding=br&response-content-language=fr&response-expires=now");
    s3_assert_status(f, 200);
    s3_assert_header(f, "Content-Type", "text/csv");
    s3_assert_header(f, "Cache-Control", "max-age=5");
    s3_assert_header(f, "Content-Disposition", "attachment; filename=a b");
    s3_assert_header(f, "Content-Encoding", "br");
    s3_assert_header(f, "Content-Language", "fr");
    s3_assert_header(f, "Expires", "now");
    s3_get(f, "/bkt/k");
    s3_assert_header(f, "Content-Type", "text/plain");
    s3_assert_header(f, "Cache-Control", "no-cache");
}

/* A peer's bytes must not be able to end a header. */
static void line_break_in_a_query_cannot_split_the_answer(void **state)
{
    struct s3_fixture *f = *state;
    s3_put(f, "/bkt/k", "hello");
    s3_get(f, "/bkt/k?response-cache-control=a%0d%0aX-Evil:%201");
    s3_assert_header(f, "X-Evil", "");
    s3_assert_header(f, "Cache-Control", "a  X-Evil: 1");
}

static void what_is_not_implemented_is_refused_and_not_ignored(void **state)
{
    static const struct {
        const char *header;
        int status;
        const char *code;
    } rows[] = {
        {"x-amz-server-side-encryption: aws:kms", 501, "NotImplemented"},
        {"x-amz-server-side-encryption: rot13", 400, "InvalidArgument"},
        {"x-amz-server-side-encryption-aws-kms-key-id: k", 501, "NotImplemented"},
        {"x-amz-storage-class: GLACIER", 501, "NotImplemented"},
        {"x-amz-storage-class: CHEAP", 400, "InvalidStorageClass"},
        {"x-amz-tagging: a=b", 501, "NotImplemented"},
        {"x-amz-object-lock-mode: GOVERNANCE", 501, "NotImplemented"},
        {"x-amz-object-lock-legal-hold: ON", 501, "NotImplemented"},
        {"x-amz-website-redirect-location: /x", 501, "NotImplemented"},
        {"x-amz-acl: public-read", 400, "AccessControlListNotSupported"},
        {"x-amz-grant-read: id=1", 400, "AccessControlListNotSupported"},
    };
    struct s3_fixture *f = *state;
    s3_put(f, "/bkt/source", "hello");
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        ask_with(f, "PUT", "/bkt/k", rows[i].header, NULL);
        s3_assert_error(f, rows[i].status, rows[i].code);
        ask_with(f, "PUT", "/bkt/k", rows[i].header, "x-amz-copy-source: /bkt/source");
        s3_assert_error(f, rows[i].status, rows[i].code);
        ask_with(f, "POST", "/bkt/k?uploads", rows[i].header, NULL);
        s3_assert_error(f, rows[i].status, rows[i].code);
        assert_true(rows[i].status == 400 || f->exchange.reply.hint != NULL);
    }
    s3_get(f, "/bkt/k");
    s3_assert_error(f, 404, "NoSuchKey");
}

#define SSE_C        "x-amz-server-side-encryption-customer-"
#define SOURCE_SSE_C "x-amz-copy-source-server-side-encryption-customer-"

static void customers_keys_are_whole_and_nobodys(void **state)
{
    static const struct {
        const char *method;
        const char *target;
        const char *headers[4];
        int status;
        const char *code;
    } rows[] = {
        {"PUT", "/bkt/k", {SSE_C "key: a2V5"}, 400, "InvalidArgument"},
        {"PUT", "/bkt/k", {SSE_C "key-MD5: bWQ1"}, 400, "InvalidArgument"},
        {"GET", "/bkt/k", {SSE_C "key: a2V5", SSE_C "key-MD5: bWQ1"}, 400, "InvalidArgument"},
        {"GET",
         "/bkt/k",
         {SSE_C "algorithm: AES256", SSE_C "key: a2V5", SSE_C "key-MD5: bWQ1"},
         400,
         "InvalidRequest"},
        {"PUT",
         "/bkt/k?partNumber=1&uploadId=u",
         {SSE_C "algorithm: AES256", SSE_C "key: a2V5", SSE_C "key-MD5: bWQ1"},
         404,
         "NoSuchUpload"},
        {"PUT",
         "/bkt/copy",
         {"x-amz-copy-source: /bkt/k", SOURCE_SSE_C "key: a2V5"},
         400,
         "InvalidArgument"},
        {"PUT",
         "/bkt/copy",
         {"x-amz-copy-source: /bkt/k", SOURCE_SSE_C "algorithm: AES256", SOURCE_SSE_C "key: a2V5",
          SOURCE_SSE_C "key-MD5: bWQ1"},
         400,
         "InvalidRequest"},
    };
    struct s3_fixture *f = *state;
    s3_put(f, "/bkt/k", "hello");
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct s3_ask ask = {.method = rows[i].method,
                             .target = rows[i].target,
                             .headers = {rows[i].headers[0], rows[i].headers[1], rows[i].headers[2],
                                         rows[i].headers[3]},
                             .body = rows[i].method[0] == 'P' ? SPAN_LIT("hullo") : SPAN_EMPTY};
        s3_ask(f, &ask);
        s3_assert_error(f, rows[i].status, rows[i].code);
    }
    s3_get(f, "/bkt/k");
    s3_assert_body(f, "hello");
}

static void another_owner_is_denied_whatever_is_asked(void **state)
{
    static const char *const requests[][2] = {
        {"HEAD", "/bkt"},         {"GET", "/bkt"},
        {"GET", "/bkt?versions"}, {"GET", "/bkt?acl"},
        {"GET", "/bkt/k"},        {"PUT", "/bkt/k"},
        {"DELETE", "/bkt/k"},     {"POST", "/bkt/k?uploads"},
        {"GET", "/bkt?uploads"},  {"POST", "/bkt?delete"},
        {"DELETE", "/bkt"},
    };
    struct s3_fixture *f = *state;
    s3_put(f, "/bkt/k", "hello");
    for (size_t i = 0; i < ARRAY_COUNT(requests); i++) {
        ask_with(f, requests[i][0], requests[i][1], "x-amz-expected-bucket-owner: 210987654321",
                 NULL);
        s3_assert_status(f, 403);
    }
    ask_with(f, "GET", "/nobucket", "x-amz-expected-bucket-owner: 210987654321", NULL);
    s3_assert_error(f, 404, "NoSuchBucket");
    ask_with(f, "GET", "/bkt/k", "x-amz-expected-bucket-owner:", NULL);
    s3_assert_error(f, 400, "InvalidBucketOwnerAWSAccountID");
    ask_with(f, "PUT", "/bkt/copy", "x-amz-copy-source: /bkt/k",
             "x-amz-source-expected-bucket-owner: 123456789012");
    s3_assert_status(f, 200);
}

/* --- conditions of reads --- */

struct condition_row {
    const char *first;
    const char *second;
    int status;
    const char *condition; /* of a 412 */
};

static const struct condition_row read_rows[] = {
    {"If-Match: " TAG, NULL, 200, NULL},
    {"If-Match: 5d41402abc4b2a76b9719d911017c592", NULL, 200, NULL},
    {"If-Match: *", NULL, 200, NULL},
    {"If-Match: " NO_TAG ", " TAG, NULL, 200, NULL},
    {"If-Match: " NO_TAG, NULL, 412, "If-Match"},
    {"If-None-Match: " NO_TAG, NULL, 200, NULL},
    {"If-None-Match: " TAG, NULL, 304, "If-None-Match"},
    {"If-None-Match: W/" TAG, NULL, 304, "If-None-Match"},
    {"If-None-Match: *", NULL, 304, "If-None-Match"},
    {"If-Modified-Since: " BEFORE, NULL, 200, NULL},
    {"If-Modified-Since: " SAME, NULL, 304, "If-Modified-Since"},
    {"If-Modified-Since: " AFTER, NULL, 304, "If-Modified-Since"},
    {"If-Modified-Since: Friday, 02-Jan-26 03:04:05 GMT", NULL, 304, "If-Modified-Since"},
    {"If-Modified-Since: Fri Jan  2 03:04:05 2026", NULL, 304, "If-Modified-Since"},
    {"If-Modified-Since: " FUTURE, NULL, 200, NULL},
    {"If-Modified-Since: yesterday", NULL, 200, NULL},
    {"If-Unmodified-Since: " BEFORE, NULL, 412, "If-Unmodified-Since"},
    {"If-Unmodified-Since: " SAME, NULL, 200, NULL},
    {"If-Unmodified-Since: " FUTURE, NULL, 200, NULL},
    {"If-Unmodified-Since: yesterday", NULL, 200, NULL},
    /* The tag decides where both are there. */
    {"If-Match: " TAG, "If-Unmodified-Since: " BEFORE, 200, NULL},
    {"If-Match: " NO_TAG, "If-Unmodified-Since: " AFTER, 412, "If-Match"},
    {"If-None-Match: " NO_TAG, "If-Modified-Since: " AFTER, 200, NULL},
    {"If-None-Match: " TAG, "If-Modified-Since: " BEFORE, 304, "If-None-Match"},
    /* What forbids wins over what makes it needless. */
    {"If-Match: " NO_TAG, "If-None-Match: " TAG, 412, "If-Match"},
    {"If-Match: " TAG, "If-None-Match: " TAG, 304, "If-None-Match"},
};

static void reads_keep_to_their_conditions(void **state)
{
    struct s3_fixture *f = *state;
    s3_put(f, "/bkt/k", "hello");
    env_advance(&f->env, 3600 * INT64_C(1000000));
    for (size_t i = 0; i < ARRAY_COUNT(read_rows); i++) {
        const struct condition_row *row = &read_rows[i];
        ask_with(f, "HEAD", "/bkt/k", row->first, row->second);
        s3_assert_status(f, row->status);
        ask_with(f, "GET", "/bkt/k", row->first, row->second);
        if (f->status != row->status) {
            fail_msg("%s gives %d", row->first, f->status);
        }
        switch (row->status) {
        case 200:
            s3_assert_body(f, "hello");
            break;
        case 304:
            s3_assert_body(f, "");
            s3_assert_header(f, "ETag", TAG);
            s3_assert_header(f, "Last-Modified", SAME);
            s3_assert_header(f, "Content-Type", "");
            break;
        default:
            s3_assert_error(f, 412, "PreconditionFailed");
            s3_assert_element(f, "Message",
                              "At least one of the pre-conditions you specified did not hold");
            s3_assert_element(f, "Condition", row->condition);
        }
    }
}

/* A copy has no 304: what would be one is 412 too. */
static void copies_keep_to_the_conditions_on_their_source(void **state)
{
    struct s3_fixture *f = *state;
    s3_put(f, "/bkt/k", "hello");
    env_advance(&f->env, 3600 * INT64_C(1000000));
    for (size_t i = 0; i < ARRAY_COUNT(read_rows); i++) {
        const struct condition_row *row = &read_rows[i];
        char first[256];
        char second[256];
        snprintf(first, sizeof(first), "x-amz-copy-source-%s", row->first);
        snprintf(second, sizeof(second), "x-amz-copy-source-%s",
                 row->second != NULL ? row->second : "if-match:");
        struct s3_ask ask = {.method = "PUT",
                             .target = "/bkt/copy",
                             .headers = {"x-amz-copy-source: bkt/k", first, second},
                             .body = SPAN_EMPTY};
        s3_ask(f, &ask);
        if (row->status == 200) {
            s3_assert_status(f, 200);
            continue;
        }
        char condition[64];
        snprintf(condition, sizeof(condition), "x-amz-copy-source-%s", row->condition);
        s3_assert_error(f, 412, "PreconditionFailed");
        s3_assert_element(f, "Condition", condition);
    }
}

/* --- conditions of writes --- */

static void writes_keep_to_their_conditions(void **state)
{
    static const struct {
        const char *target;
        const char *first;
        const char *second;
        int status;
        const char *code;
    } rows[] = {
        {"/bkt/free", "If-None-Match: *", NULL, 200, NULL},
        {"/bkt/free", "If-Match: " TAG, NULL, 404, "NoSuchKey"},
        {"/bkt/free", "If-Match: *", NULL, 501, "NotImplemented"},
        {"/bkt/taken", "If-None-Match: *", NULL, 412, "PreconditionFailed"},
        {"/bkt/taken", "If-None-Match: " TAG, NULL, 501, "NotImplemented"},
        {"/bkt/taken", "If-Match: " TAG, NULL, 200, NULL},
        {"/bkt/taken", "If-Match: 5d41402abc4b2a76b9719d911017c592", NULL, 200, NULL},
        {"/bkt/taken", "If-Match: " NO_TAG, NULL, 412, "PreconditionFailed"},
        {"/bkt/taken", "If-Match: " TAG, "If-None-Match: *", 501, "NotImplemented"},
    };
    struct s3_fixture *f = *state;
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        s3_put(f, "/bkt/taken", "hello");
        s3_do(f, "DELETE", "/bkt/free");
        struct s3_ask ask = {.method = "PUT",
                             .target = rows[i].target,
                             .headers = {rows[i].first, rows[i].second},
                             .body = SPAN_LIT("hullo")};
        s3_ask(f, &ask);
        if (rows[i].code != NULL) {
            s3_assert_error(f, rows[i].status, rows[i].code);
        }
        s3_assert_status(f, rows[i].status);
        s3_get(f, rows[i].target);
        bool was_there = strcmp(rows[i].target, "/bkt/taken") == 0;
        if (rows[i].status == 200 || was_there) {
            s3_assert_body(f, rows[i].status == 200 ? "hullo" : "hello");
        } else {
            s3_assert_error(f, 404, "NoSuchKey");
        }
    }
}

static void conditional_delete_leaves_another_version_alone(void **state)
{
    struct s3_fixture *f = *state;
    s3_put(f, "/bkt/k", "hello");
    ask_with(f, "DELETE", "/bkt/k", "If-Match: " NO_TAG, NULL);
    s3_assert_error(f, 412, "PreconditionFailed");
    ask_with(f, "DELETE", "/bkt/k", "If-Match: " TAG, NULL);
    s3_assert_status(f, 204);
}

static void conditions_of_directory_buckets_delete_nothing(void **state)
{
    struct s3_fixture *f = *state;
    s3_put(f, "/bkt/k", "hello");
    ask_with(f, "DELETE", "/bkt/k", "x-amz-if-match-size: 5", NULL);
    s3_assert_error(f, 501, "NotImplemented");
    ask_with(f, "DELETE", "/bkt/k",
             "x-amz-if-match-last-modified-time: Fri, 02 Jan 2026 03:04:05 GMT", NULL);
    s3_assert_error(f, 501, "NotImplemented");
    s3_get(f, "/bkt/k");
    s3_assert_body(f, "hello");
}

static void deletion_may_ask_for_any_object(void **state)
{
    struct s3_fixture *f = *state;
    ask_with(f, "DELETE", "/bkt/k", "If-Match: *", NULL);
    s3_assert_error(f, 404, "NoSuchKey");
    s3_put(f, "/bkt/k", "hello");
    ask_with(f, "DELETE", "/bkt/k", "If-Match: *", NULL);
    s3_assert_status(f, 204);
    s3_get(f, "/bkt/k");
    s3_assert_error(f, 404, "NoSuchKey");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, s3_fixture_setup, s3_fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(headers_of_the_put_come_back),
        TEST(every_object_is_said_to_be_encrypted),
        TEST(repeated_metadata_is_one_with_commas),
        TEST(metadata_may_have_2_kb_with_its_names),
        TEST(query_puts_other_headers_in_the_place_of_the_stored),
        TEST(line_break_in_a_query_cannot_split_the_answer),
        TEST(what_is_not_implemented_is_refused_and_not_ignored),
        TEST(customers_keys_are_whole_and_nobodys),
        TEST(another_owner_is_denied_whatever_is_asked),
        TEST(deletion_may_ask_for_any_object),
        TEST(conditions_of_directory_buckets_delete_nothing),
        TEST(reads_keep_to_their_conditions),
        TEST(copies_keep_to_the_conditions_on_their_source),
        TEST(writes_keep_to_their_conditions),
        TEST(conditional_delete_leaves_another_version_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
