/* S3 without memory: each request again and again, each time with less of the memory that its
 * answer is made in, or with another allocation failing. What is answered then is what is answered
 * with memory, whole, or that the server could not: never that the request was wrong, never a part
 * of a list, and what a request that failed has written is written whole or not at all.
 *
 * Every third allocation by default; PINPIPE_FAULT_STRIDE=1 tests each. */
#include "alloc_fault.h"
#include "fault_points.h"
#include "lake_check.h"
#include "s3_uploads.h"
#include "store_sql.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum {
    ARENA_STEP = 16 /* and more the more it is */,
    ARENA_BYTES_MAX = 512 * 1024,
    LARGE_BYTES = 100000
};

#define XML_HEAD   "<?xml version=\"1.0\" encoding=\"UTF-8\"?>"
#define MD5_HELLO  "Content-MD5: XUFAKrxLKna5cZ2REBfFkg=="
#define COPY_SMALL "x-amz-copy-source: /bkt/d%2Fsmall"
#define IF_ETAG    "\"5d41402abc4b2a76b9719d911017c592\""

struct request {
    const char *label;
    const char *method;
    const char *target; /* {id}: the upload's */
    const char *headers[6];
    const char *body;
    bool is_streamed; /* its answer is read while it is sent */
};

static const struct request requests[] = {
    {"buckets", "GET", "/", {NULL}, "", false},
    {"a new bucket",
     "PUT",
     "/newb",
     {NULL},
     "<CreateBucketConfiguration><LocationConstraint>eu-west-1</LocationConstraint>"
     "</CreateBucketConfiguration>",
     false},
    {"a bucket that goes", "DELETE", "/oldb", {NULL}, "", false},
    {"a bucket's head", "HEAD", "/bkt", {NULL}, "", false},
    {"a location", "GET", "/bkt?location", {NULL}, "", false},
    {"an acl", "GET", "/bkt?acl", {NULL}, "", false},
    {"versioning", "GET", "/bkt?versioning", {NULL}, "", false},
    {"a list",
     "GET",
     "/bkt?list-type=2&prefix=d%2F&delimiter=%2F&fetch-owner=true",
     {NULL},
     "",
     false},
    {"a list's page", "GET", "/bkt?list-type=2&max-keys=1&encoding-type=url", {NULL}, "", false},
    {"an old list", "GET", "/bkt?delimiter=%2F&max-keys=2&marker=a", {NULL}, "", false},
    {"versions", "GET", "/bkt?versions&prefix=d", {NULL}, "", false},
    {"uploads", "GET", "/bkt?uploads&delimiter=%2F&max-uploads=1", {NULL}, "", false},
    {"many deletions",
     "POST",
     "/bkt?delete",
     {"Content-MD5: 2nd9vFtABfij8UtSheGAvg=="},
     XML_HEAD "<Delete><Object><Key>d/small</Key></Object><Object><Key>none</Key></Object>"
              "</Delete>",
     false},
    {"an object",
     "PUT",
     "/bkt/new%20one",
     {"Content-Type: text/plain", MD5_HELLO, "x-amz-meta-a: 1",
      "x-amz-checksum-crc32: NhCmhg==", "Cache-Control: no-cache"},
     "hello",
     false},
    {"an object in chunks",
     "PUT",
     "/bkt/chunks",
     {"x-amz-content-sha256: STREAMING-UNSIGNED-PAYLOAD-TRAILER", "x-amz-decoded-content-length: 5",
      "x-amz-trailer: x-amz-checksum-crc32", "Content-Encoding: aws-chunked"},
     "5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n",
     false},
    {"only where none is", "PUT", "/bkt/d%2Fother", {"If-None-Match: *"}, "hello", false},
    {"a small object",
     "GET",
     "/bkt/d%2Fsmall?response-content-type=text%2Fcsv",
     {"x-amz-checksum-mode: ENABLED"},
     "",
     true},
    {"a range", "GET", "/bkt/large", {"Range: bytes=10-99"}, "", true},
    {"a large object", "GET", "/bkt/large", {NULL}, "", true},
    {"a head", "HEAD", "/bkt/d%2Fsmall", {"If-Match: " IF_ETAG}, "", true},
    {"what has not changed", "GET", "/bkt/d%2Fsmall", {"If-None-Match: " IF_ETAG}, "", true},
    {"on another host", "GET", "/d%2Fsmall", {"Host: bkt.localhost:9000"}, "", true},
    {"a copy",
     "PUT",
     "/bkt/copy",
     {COPY_SMALL, "x-amz-meta-b: 2", "x-amz-metadata-directive: REPLACE"},
     "",
     false},
    {"a deletion", "DELETE", "/bkt/d%2Fsmall", {NULL}, "", false},
    {"a new upload",
     "POST",
     "/bkt/more?uploads",
     {"Content-Type: text/plain", "x-amz-checksum-algorithm: CRC32"},
     "",
     false},
    {"a part", "PUT", "/bkt/up?partNumber=3&uploadId={id}", {MD5_HELLO}, "hello", false},
    {"a copied part",
     "PUT",
     "/bkt/up?partNumber=4&uploadId={id}",
     {"x-amz-copy-source: /bkt/large", "x-amz-copy-source-range: bytes=0-70000"},
     "",
     false},
    {"a copied small part", "PUT", "/bkt/up?partNumber=5&uploadId={id}", {COPY_SMALL}, "", false},
    {"parts", "GET", "/bkt/up?uploadId={id}&max-parts=5", {NULL}, "", false},
    {"a completed upload",
     "POST",
     "/bkt/up?uploadId={id}",
     {NULL},
     "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>" IF_ETAG
     "</ETag></Part></CompleteMultipartUpload>",
     false},
    {"an upload that goes", "DELETE", "/bkt/up?uploadId={id}", {NULL}, "", false},
};

struct answer {
    int status;
    uint32_t sum; /* of the body, where that is the same each time */
};

/* What every request finds. */
static void prepare(struct s3_fixture *f, char id[s3_upload_id_bytes])
{
    static char large[LARGE_BYTES + 1];
    memset(large, 'x', LARGE_BYTES);
    s3_do(f, "DELETE", "/newb");
    s3_do(f, "PUT", "/oldb");
    s3_do(f, "DELETE", "/bkt/d%2Fother");
    s3_put(f, "/bkt/d%2Fsmall", "hello");
    s3_put(f, "/bkt/large", large);
    s3_upload_begin(f, "up", NULL, id);
    s3_upload_part_put(f, "up", id, 1, SPAN_LIT("hello"), NULL);
    s3_assert_status(f, 200);
}

/* Ends the upload, so that a list of them is the same each time. */
static void clear_away(struct s3_fixture *f, const char *id)
{
    static const char *const keys[] = {"/bkt/new%20one", "/bkt/chunks", "/bkt/copy", "/bkt/up"};
    s3_upload_do(f, "DELETE", "up", id);
    for (size_t i = 0; i < ARRAY_COUNT(keys); i++) {
        s3_do(f, "DELETE", keys[i]);
    }
}

static uint32_t sum_of(struct span text, const char *id)
{
    uint32_t sum = 0;
    size_t id_len = strlen(id);
    for (size_t i = 0; i < text.len;) {
        if (span_starts_with(span_skip(text, i), span_from(id, id_len))) {
            i += id_len;
            continue;
        }
        sum = sum * 31 + (unsigned char)text.ptr[i++];
    }
    return sum;
}

static struct answer ask(struct s3_fixture *f, const struct request *request, const char *id)
{
    char target[512];
    const char *mark = strstr(request->target, "{id}");
    struct s3_ask ask = {
        .method = request->method, .target = target, .body = span_from_cstr(request->body)};
    snprintf(target, sizeof(target), "%.*s%s%s",
             (int)(mark != NULL ? (size_t)(mark - request->target) : strlen(request->target)),
             request->target, mark != NULL ? id : "", mark != NULL ? mark + 4 : "");
    for (size_t i = 0; i < ARRAY_COUNT(request->headers) && request->headers[i] != NULL; i++) {
        ask.headers[i] = request->headers[i];
    }
    s3_ask(f, &ask);
    bool same = strcmp(request->method, "GET") == 0;
    return (struct answer){f->status, same ? sum_of(buf_span(&f->body), id) : 0};
}

/* That of an object for which one was sent. */
static bool has_lost_a_checksum(struct s3_fixture *f)
{
    int64_t lost = 0;
    assert_int_equal(sqlite_db_query_i64(store_sql(f->store),
                                         "SELECT count(*) FROM object WHERE dead = 0 AND checksum "
                                         "IS NULL AND key IN ('new one', 'chunks')",
                                         &lost, NULL),
                     STATUS_OK);
    return lost > 0;
}

static void judge(struct s3_fixture *f, const struct request *request, const char *how,
                  struct answer got, struct answer expected)
{
    bool could_not = got.status == 500 || got.status == 503;
    bool same = got.status == expected.status && got.sum == expected.sum;
    if (!could_not && !same) {
        fail_msg("%s, %s: %d instead of %d: %.*s", request->label, how, got.status, expected.status,
                 SPAN_ARG(span_first(buf_span(&f->body), 1000)));
    }
    const char *broken = lake_check(store_sql(f->store)->handle);
    if (broken != NULL) {
        fail_msg("%s, %s: not so: %s", request->label, how, broken);
    }
    if (has_lost_a_checksum(f)) {
        fail_msg("%s, %s: without its checksum", request->label, how);
    }
}

static struct answer with_memory(struct s3_fixture *f, const struct request *request)
{
    char id[s3_upload_id_bytes];
    prepare(f, id);
    struct answer answer = ask(f, request, id);
    if (answer.status >= 400) {
        fail_msg("%s: %d: %s", request->label, answer.status, buf_cstr(&f->body));
    }
    clear_away(f, id);
    return answer;
}

static void a_request_that_an_arena_does_not_hold_is_not_told_to_be_wrong(void **state)
{
    struct s3_fixture *f = *state;
    size_t usual = f->exchange.arena.max_bytes;
    for (size_t i = 0; i < ARRAY_COUNT(requests); i++) {
        struct answer expected = with_memory(f, &requests[i]);
        struct answer got = {.status = 500};
        for (size_t bytes = 0; got.status >= 500; bytes += ARENA_STEP + bytes / 16) {
            char id[s3_upload_id_bytes];
            char how[40];
            assert_true(bytes < ARENA_BYTES_MAX);
            prepare(f, id);
            snprintf(how, sizeof(how), "%zu bytes", bytes);
            f->exchange.arena.max_bytes = bytes;
            got = ask(f, &requests[i], id);
            f->exchange.arena.max_bytes = usual;
            judge(f, &requests[i], how, got, expected);
            clear_away(f, id);
        }
    }
}

static void a_request_without_memory_is_not_told_to_be_wrong(void **state)
{
    struct s3_fixture *f = *state;
    long stride = (long)fault_points_stride(3);
    for (size_t i = 0; i < ARRAY_COUNT(requests); i++) {
        if (requests[i].is_streamed) {
            continue; /* nobody can be told any more */
        }
        struct answer expected = with_memory(f, &requests[i]);
        bool failed = true;
        for (long n = 1 + (long)i % stride; failed; n += stride) {
            char id[s3_upload_id_bytes];
            char how[40];
            prepare(f, id);
            snprintf(how, sizeof(how), "allocation %ld", n);
            alloc_fault_begin(n, ALLOC_FAILS_ONCE);
            struct answer got = ask(f, &requests[i], id);
            failed = alloc_fault_end();
            judge(f, &requests[i], how, got, expected);
            clear_away(f, id);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            a_request_that_an_arena_does_not_hold_is_not_told_to_be_wrong, s3_fixture_setup,
            s3_fixture_teardown),
        cmocka_unit_test_setup_teardown(a_request_without_memory_is_not_told_to_be_wrong,
                                        s3_fixture_setup, s3_fixture_teardown),
    };
    return cmocka_run_group_tests_name("s3_memory", tests, NULL, NULL);
}
