/* Objects: put, got in ranges, streamed, deleted, copied (specs/aws-s3.md section 4). */
#include "s3_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define HELLO_ETAG "\"5d41402abc4b2a76b9719d911017c592\""

enum { large_bytes = 300 * 1000 };

static struct span large_body(void)
{
    static char bytes[large_bytes];
    for (size_t i = 0; i < sizeof(bytes); i++) {
        bytes[i] = (char)(i * 131 + i / 256);
    }
    return span_from(bytes, sizeof(bytes));
}

static void put_large(struct s3_fixture *f, const char *target)
{
    struct s3_ask ask = {.method = "PUT", .target = target, .body = large_body()};
    s3_ask(f, &ask);
    s3_assert_status(f, 200);
}

static void ask_with(struct s3_fixture *f, const char *method, const char *target,
                     const char *header)
{
    struct s3_ask ask = {
        .method = method, .target = target, .headers = {header}, .body = SPAN_EMPTY};
    s3_ask(f, &ask);
}

/* --- put and got --- */

static void put_answers_the_md5_as_entity_tag_and_nothing_else(void **state)
{
    struct s3_fixture *f = *state;
    s3_put(f, "/bkt/k", "hello");
    s3_assert_status(f, 200);
    s3_assert_header(f, "ETag", HELLO_ETAG);
    s3_assert_body(f, "");
    s3_assert_header(f, "Content-Type", "");
    s3_assert_header(f, "x-amz-checksum-type", "");
}

static void get_gives_the_bytes_and_what_describes_them(void **state)
{
    struct s3_fixture *f = *state;
    s3_put(f, "/bkt/k", "hello");
    s3_get(f, "/bkt/k");
    s3_assert_status(f, 200);
    s3_assert_body(f, "hello");
    s3_assert_header(f, "ETag", HELLO_ETAG);
    s3_assert_header(f, "Last-Modified", "Fri, 02 Jan 2026 03:04:05 GMT");
    s3_assert_header(f, "Content-Type", "binary/octet-stream");
    s3_assert_header(f, "Accept-Ranges", "bytes");
    s3_assert_header(f, "Content-Range", "");
}

static void every_answer_says_who_gave_it(void **state)
{
    static const char *const targets[] = {"/", "/bkt/k", "/bkt/none", "/none/none", "/B/", "/bkt"};
    struct s3_fixture *f = *state;
    char before[17] = "";
    s3_put(f, "/bkt/k", "hello");
    for (size_t i = 0; i < ARRAY_COUNT(targets); i++) {
        s3_get(f, targets[i]);
        struct span id = s3_reply_header(f, "x-amz-request-id");
        assert_int_equal(id.len, 16);
        assert_int_equal(strspn(id.ptr, "0123456789ABCDEF"), 16);
        assert_memory_not_equal(id.ptr, before, 16);
        memcpy(before, id.ptr, 16);
        struct span host = s3_reply_header(f, "x-amz-id-2");
        assert_int_equal(host.len, 76);
        s3_assert_header(f, "Server", "AmazonS3");
        if (f->status >= 400) {
            assert_true(span_equal(s3_reply_element(f, "RequestId"), id));
            assert_true(span_equal(s3_reply_element(f, "HostId"), host));
        }
    }
}

static void head_says_the_length_and_gives_no_byte(void **state)
{
    struct s3_fixture *f = *state;
    s3_put(f, "/bkt/k", "hello");
    s3_do(f, "HEAD", "/bkt/k");
    s3_assert_status(f, 200);
    assert_int_equal(f->exchange.reply.stream_bytes, 5);
    s3_assert_header(f, "ETag", HELLO_ETAG);
    assert_int_equal(f->exchange.reply.body.len, 0);
    ask_with(f, "HEAD", "/bkt/k", "Range: bytes=1-2");
    s3_assert_status(f, 206);
    s3_assert_header(f, "Content-Range", "bytes 1-2/5");
    assert_int_equal(f->exchange.reply.stream_bytes, 2);
}

static void head_of_what_is_not_there_is_a_bare_404(void **state)
{
    struct s3_fixture *f = *state;
    s3_do(f, "HEAD", "/bkt/none");
    s3_assert_status(f, 404);
    assert_int_equal(f->exchange.reply.body.len, 0);
    s3_do(f, "HEAD", "/none/none");
    s3_assert_status(f, 404);
    assert_int_equal(f->exchange.reply.body.len, 0);
}

static void empty_object_is_an_object(void **state)
{
    struct s3_fixture *f = *state;
    s3_put(f, "/bkt/dir/", "");
    s3_assert_status(f, 200);
    s3_assert_header(f, "ETag", "\"d41d8cd98f00b204e9800998ecf8427e\"");
    s3_get(f, "/bkt/dir/");
    s3_assert_status(f, 200);
    s3_assert_body(f, "");
}

static void later_put_replaces_bytes_and_headers(void **state)
{
    struct s3_fixture *f = *state;
    struct s3_ask ask = {.method = "PUT",
                         .target = "/bkt/k",
                         .headers = {"x-amz-meta-a: 1"},
                         .body = SPAN_LIT("first")};
    s3_ask(f, &ask);
    s3_put(f, "/bkt/k", "second");
    s3_get(f, "/bkt/k");
    s3_assert_body(f, "second");
    s3_assert_header(f, "x-amz-meta-a", "");
}

static void large_object_comes_back_byte_for_byte_however_it_is_cut(void **state)
{
    static const size_t cuts[] = {0, 1000, 65536, 65537, 250000};
    struct s3_fixture *f = *state;
    for (size_t i = 0; i < ARRAY_COUNT(cuts); i++) {
        struct s3_ask ask = {
            .method = "PUT", .target = "/bkt/large", .body = large_body(), .piece_bytes = cuts[i]};
        s3_ask(f, &ask);
        s3_assert_status(f, 200);
        s3_get(f, "/bkt/large");
        assert_non_null(f->exchange.reply.stream);
        assert_true(span_equal(buf_span(&f->body), large_body()));
    }
}

/* A download is not disturbed by what happens to its key meanwhile: asked for, overwritten by
 * somebody else, then read. */
static void download_under_way_survives_the_death_of_its_key(void **state)
{
    struct s3_fixture *f = *state;
    struct exchange other;
    put_large(f, "/bkt/large");
    assert_int_equal(exchange_init(&other, &f->turn, f->exchange.owner), STATUS_OK);
    exchange_reset(&other, s3_service(f->s3));
    struct http_header host = {SPAN_LIT("Host"), SPAN_LIT(S3_FIXTURE_HOST)};
    other.request.method = METHOD_GET;
    other.request.method_name = SPAN_LIT("GET");
    other.request.path = SPAN_LIT("/bkt/large");
    other.request.headers = &host;
    other.request.header_count = 1;
    other.request.host = host.value;
    const struct service *service = s3_service(f->s3);
    assert_int_equal(service->handle(service->ctx, &other), HANDLED);
    s3_do(f, "DELETE", "/bkt/large");
    while (store_housekeep(f->store)) {
    }
    s3_get(f, "/bkt/large");
    s3_assert_error(f, 404, "NoSuchKey");
    struct buf read;
    buf_init(&read, large_bytes);
    while (read.len < other.reply.stream_bytes) {
        assert_true(other.reply.stream(&other, &read, 10000));
    }
    assert_true(span_equal(buf_span(&read), large_body()));
    buf_release(&read);
    exchange_sent(&other);
    exchange_release(&other);
}

static void put_into_no_bucket_is_refused_before_its_body(void **state)
{
    struct s3_fixture *f = *state;
    s3_put(f, "/nobucket/k", "hello");
    s3_assert_error(f, 404, "NoSuchBucket");
    s3_assert_element(f, "Message", "The specified bucket does not exist");
    s3_assert_element(f, "BucketName", "nobucket");
}

static void nothing_is_kept_of_a_put_whose_commit_failed(void **state)
{
    struct s3_fixture *f = *state;
    s3_put(f, "/bkt/k", "first");
    f->commits_fail = true;
    s3_put(f, "/bkt/k", "second");
    s3_assert_error(f, 500, "InternalError");
    assert_true(s3_hint_says(f, "nothing was stored"));
    f->commits_fail = false;
    s3_get(f, "/bkt/k");
    s3_assert_body(f, "first");
}

/* The turns that took in the first pieces may be lost while the others are still on their way. */
static void upload_whose_first_pieces_were_lost_is_refused(void **state)
{
    struct s3_fixture *f = *state;
    struct exchange *e = &f->exchange;
    const struct service *service = s3_service(f->s3);
    struct http_header headers[] = {{SPAN_LIT("Host"), SPAN_LIT(S3_FIXTURE_HOST)},
                                    {SPAN_LIT("Content-Length"), SPAN_LIT("300000")}};
    exchange_sent(e);
    exchange_reset(e, service);
    e->request.method = METHOD_PUT;
    e->request.method_name = SPAN_LIT("PUT");
    e->request.path = SPAN_LIT("/bkt/large");
    e->request.headers = headers;
    e->request.header_count = 2;
    assert_int_equal(service->body_begin(service->ctx, e), BODY_STREAM);
    assert_int_equal(service->body_piece(service->ctx, e, span_first(large_body(), 200000)),
                     BODY_STREAM);
    f->commits_fail = true;
    assert_int_not_equal(store_turn_commit(f->store, NULL), STATUS_OK);
    f->commits_fail = false;
    if (service->body_piece(service->ctx, e, span_skip(large_body(), 200000)) == BODY_STREAM) {
        exchange_handle(e);
    } else {
        exchange_answer(e);
    }
    turn_end(&f->turn);
    s3_assert_error(f, 500, "InternalError");
    s3_get(f, "/bkt/large");
    s3_assert_error(f, 404, "NoSuchKey");
}

/* --- ranges --- */

static void ranges_follow_the_rules(void **state)
{
    static const struct {
        const char *range;
        int status;
        const char *body;
        const char *content_range;
    } rows[] = {
        {"bytes=0-3", 206, "0123", "bytes 0-3/10"},
        {"bytes=3-3", 206, "3", "bytes 3-3/10"},
        {"bytes=7-", 206, "789", "bytes 7-9/10"},
        {"bytes=0-", 206, "0123456789", "bytes 0-9/10"},
        {"bytes=5-99", 206, "56789", "bytes 5-9/10"},
        {"bytes=-3", 206, "789", "bytes 7-9/10"},
        {"bytes=-99", 206, "0123456789", "bytes 0-9/10"},
        {"bytes=0-18446744073709551615", 206, "0123456789", "bytes 0-9/10"},
        {"bytes=10-", 416, NULL, NULL},
        {"bytes=99-100", 416, NULL, NULL},
        {"bytes=-0", 416, NULL, NULL},
        /* No range, or more than one: the whole. */
        {"bytes=3-1", 200, "0123456789", ""},
        {"bytes=0-1,3-4", 200, "0123456789", ""},
        {"bytes=", 200, "0123456789", ""},
        {"bytes=-", 200, "0123456789", ""},
        {"bytes=a-b", 200, "0123456789", ""},
        {"bytes=1-2x", 200, "0123456789", ""},
        {"bytes=99999999999999999999-", 200, "0123456789", ""},
        {"items=0-3", 200, "0123456789", ""},
        {"0-3", 200, "0123456789", ""},
    };
    struct s3_fixture *f = *state;
    s3_put(f, "/bkt/digits", "0123456789");
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        char header[64];
        snprintf(header, sizeof(header), "Range: %s", rows[i].range);
        ask_with(f, "GET", "/bkt/digits", header);
        s3_assert_status(f, rows[i].status);
        if (rows[i].status == 416) {
            s3_assert_error(f, 416, "InvalidRange");
            s3_assert_element(f, "Message", "The requested range is not satisfiable");
            s3_assert_element(f, "ActualObjectSize", "10");
            s3_assert_element(f, "RangeRequested", rows[i].range);
            continue;
        }
        s3_assert_body(f, rows[i].body);
        s3_assert_header(f, "Content-Range", rows[i].content_range);
    }
}

/* As recorded: the checksum is the whole object's, and comes where all of it does. */
static void a_range_of_everything_has_the_checksum_and_no_other(void **state)
{
    static const struct {
        const char *range;
        const char *checksum;
    } rows[] = {{"Range: bytes=0-4", "NhCmhg=="},
                {"Range: bytes=-9", "NhCmhg=="},
                {"Range: bytes=0-3", ""},
                {"Range: bytes=1-", ""}};
    struct s3_fixture *f = *state;
    struct s3_ask put = {.method = "PUT",
                         .target = "/bkt/k",
                         .headers = {"x-amz-checksum-crc32: NhCmhg=="},
                         .body = SPAN_LIT("hello")};
    s3_ask(f, &put);
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct s3_ask get = {.method = "GET",
                             .target = "/bkt/k",
                             .headers = {rows[i].range, "x-amz-checksum-mode: ENABLED"},
                             .body = SPAN_EMPTY};
        s3_ask(f, &get);
        s3_assert_status(f, 206);
        s3_assert_header(f, "x-amz-checksum-crc32", rows[i].checksum);
    }
}

static void an_object_in_one_has_one_part(void **state)
{
    static const struct {
        const char *target;
        const char *range; /* header; NULL: none */
        int status;
        const char *code;
    } rows[] = {
        {"/bkt/k?partNumber=1", NULL, 206, NULL},
        {"/bkt/empty?partNumber=1", NULL, 200, NULL},
        {"/bkt/k?partNumber=2", NULL, 416, "InvalidPartNumber"},
        {"/bkt/k?partNumber=0", NULL, 400, "InvalidArgument"},
        {"/bkt/k?partNumber=10001", NULL, 400, "InvalidArgument"},
        {"/bkt/k?partNumber=", NULL, 400, "InvalidArgument"},
        {"/bkt/k?partNumber=1", "Range: bytes=0-1", 400, "InvalidRequest"},
    };
    struct s3_fixture *f = *state;
    s3_put(f, "/bkt/k", "hello");
    s3_put(f, "/bkt/empty", "");
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        ask_with(f, "GET", rows[i].target, rows[i].range);
        s3_assert_status(f, rows[i].status);
        if (rows[i].code != NULL) {
            s3_assert_error(f, rows[i].status, rows[i].code);
        }
        s3_assert_header(f, "x-amz-mp-parts-count", "");
    }
    s3_do(f, "HEAD", "/bkt/k?partNumber=1");
    s3_assert_status(f, 206);
    s3_assert_header(f, "Content-Range", "bytes 0-4/5");
    s3_get(f, "/bkt/k?partNumber=2");
    s3_assert_element(f, "Message", "The requested partnumber is not satisfiable");
    s3_assert_element(f, "ActualPartCount", "1");
    s3_assert_element(f, "PartNumberRequested", "2");
}

static void no_range_of_an_empty_object_can_be_satisfied(void **state)
{
    static const char *const ranges[] = {"Range: bytes=0-", "Range: bytes=0-0", "Range: bytes=-0"};
    struct s3_fixture *f = *state;
    s3_put(f, "/bkt/empty", "");
    for (size_t i = 0; i < ARRAY_COUNT(ranges); i++) {
        ask_with(f, "GET", "/bkt/empty", ranges[i]);
        s3_assert_error(f, 416, "InvalidRange");
        s3_assert_element(f, "ActualObjectSize", "0");
    }
    ask_with(f, "GET", "/bkt/empty", "Range: bytes=-3"); /* its last bytes: there are none */
    s3_assert_status(f, 200);
    s3_assert_header(f, "Content-Range", "");
    s3_assert_body(f, "");
}

static void range_of_a_large_object_is_streamed_from_its_start(void **state)
{
    struct s3_fixture *f = *state;
    put_large(f, "/bkt/large");
    ask_with(f, "GET", "/bkt/large", "Range: bytes=65530-265539");
    s3_assert_status(f, 206);
    assert_int_equal(f->exchange.reply.stream_bytes, 200010);
    struct span wanted = span_first(span_skip(large_body(), 65530), 200010);
    assert_true(span_equal(buf_span(&f->body), wanted));
    ask_with(f, "GET", "/bkt/large", "Range: bytes=131070-131075");
    assert_null(f->exchange.reply.stream);
    assert_true(span_equal(buf_span(&f->body), span_first(span_skip(large_body(), 131070), 6)));
}

/* --- deletion and versions --- */

static void delete_is_204_whether_the_key_is_there_or_not(void **state)
{
    struct s3_fixture *f = *state;
    s3_put(f, "/bkt/k", "hello");
    for (int i = 0; i < 2; i++) {
        s3_do(f, "DELETE", "/bkt/k");
        s3_assert_status(f, 204);
        s3_assert_body(f, "");
    }
    s3_get(f, "/bkt/k");
    s3_assert_error(f, 404, "NoSuchKey");
    s3_do(f, "DELETE", "/nobucket/k");
    s3_assert_error(f, 404, "NoSuchBucket");
}

static void only_the_null_version_exists(void **state)
{
    struct s3_fixture *f = *state;
    s3_put(f, "/bkt/k", "hello");
    s3_get(f, "/bkt/k?versionId=null");
    s3_assert_body(f, "hello");
    s3_get(f, "/bkt/k?versionId=abc");
    s3_assert_error(f, 400, "InvalidArgument");
    s3_assert_element(f, "ArgumentName", "versionId");
    s3_do(f, "DELETE", "/bkt/k?versionId=abcdefghijklmnopqrstuvwxyz012345");
    s3_assert_error(f, 400, "InvalidArgument"); /* no id that S3 has given */
    s3_assert_element(f, "Message", "Invalid version id specified");
    s3_get(f, "/bkt/k?versionId=");
    s3_assert_error(f, 400, "InvalidArgument");
    s3_assert_element(f, "Message", "Version id cannot be the empty string");
    s3_do(f, "DELETE", "/bkt/k?versionId=null");
    s3_assert_status(f, 204);
}

/* --- copies --- */

static void copy(struct s3_fixture *f, const char *target, const char *source, const char *more)
{
    char header[600];
    snprintf(header, sizeof(header), "x-amz-copy-source: %s", source);
    struct s3_ask ask = {
        .method = "PUT", .target = target, .headers = {header, more}, .body = SPAN_EMPTY};
    s3_ask(f, &ask);
}

static void copy_has_the_bytes_the_tag_and_the_headers(void **state)
{
    struct s3_fixture *f = *state;
    struct s3_ask put = {.method = "PUT",
                         .target = "/bkt/a%20b",
                         .headers = {"Content-Type: text/plain", "x-amz-meta-who: me"},
                         .body = SPAN_LIT("hello")};
    s3_ask(f, &put);
    env_advance(&f->env, 10000000);
    copy(f, "/bkt/copy", "/bkt/a%20b", NULL);
    s3_assert_status(f, 200);
    s3_assert_element(f, "ETag", "&quot;5d41402abc4b2a76b9719d911017c592&quot;");
    s3_assert_element(f, "LastModified", "2026-01-02T03:04:15.000Z");
    s3_do(f, "DELETE", "/bkt/a%20b");
    s3_get(f, "/bkt/copy");
    s3_assert_body(f, "hello");
    s3_assert_header(f, "Content-Type", "text/plain");
    s3_assert_header(f, "x-amz-meta-who", "me");
    s3_assert_header(f, "Last-Modified", "Fri, 02 Jan 2026 03:04:15 GMT");
}

static void copy_with_replace_takes_the_headers_of_its_request(void **state)
{
    struct s3_fixture *f = *state;
    struct s3_ask put = {.method = "PUT",
                         .target = "/bkt/a",
                         .headers = {"x-amz-meta-who: me"},
                         .body = SPAN_LIT("hello")};
    s3_ask(f, &put);
    copy(f, "/bkt/a", "bkt/a", "x-amz-metadata-directive: REPLACE");
    s3_assert_status(f, 200);
    s3_get(f, "/bkt/a");
    s3_assert_body(f, "hello");
    s3_assert_header(f, "x-amz-meta-who", "");
    s3_assert_header(f, "Content-Type", "binary/octet-stream");
}

static void copy_reaches_other_buckets_and_large_objects(void **state)
{
    struct s3_fixture *f = *state;
    s3_do(f, "PUT", "/other");
    put_large(f, "/bkt/large");
    copy(f, "/other/copy", "bkt/large?versionId=null", NULL);
    s3_assert_status(f, 200);
    s3_do(f, "DELETE", "/bkt/large");
    while (store_housekeep(f->store)) {
    }
    s3_get(f, "/other/copy");
    assert_true(span_equal(buf_span(&f->body), large_body()));
}

static void copy_refuses_what_makes_no_sense(void **state)
{
    static const struct {
        const char *source;
        const char *more;
        int status;
        const char *code;
        const char *message; /* NULL: any */
    } rows[] = {
        {"bkt/a", NULL, 400, "InvalidRequest", NULL}, /* onto itself, with nothing new */
        {"/bkt/a", "x-amz-metadata-directive: COPY", 400, "InvalidRequest", NULL},
        {"bkt/a", "x-amz-metadata-directive: OTHER", 400, "InvalidArgument", NULL},
        {"bkt", NULL, 400, "InvalidArgument", "Invalid copy source object key"},
        {"/bkt/", NULL, 400, "InvalidArgument", "Invalid copy source object key"},
        {"", NULL, 400, "InvalidArgument", "Invalid copy source object key"},
        {"bkt/%zz", NULL, 400, "InvalidArgument", "Invalid copy source encoding"},
        {"bkt/a?versionId=7", NULL, 400, "InvalidArgument", "Invalid version id specified"},
        {"bkt/a?versionId=", NULL, 400, "InvalidArgument", "Version id cannot be the empty string"},
        {"bkt/none", NULL, 404, "NoSuchKey", NULL},
        {"nobucket/a", NULL, 404, "NoSuchBucket", NULL},
    };
    struct s3_fixture *f = *state;
    s3_put(f, "/bkt/a", "hello");
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        copy(f, "/bkt/a", rows[i].source, rows[i].more);
        s3_assert_error(f, rows[i].status, rows[i].code);
        if (rows[i].message != NULL) {
            s3_assert_element(f, "Message", rows[i].message);
            s3_assert_element(f, "ArgumentName", "x-amz-copy-source");
        }
    }
    s3_get(f, "/bkt/a");
    s3_assert_body(f, "hello");
}

/* --- buckets --- */

static void bucket_is_made_once_and_deleted_when_empty(void **state)
{
    struct s3_fixture *f = *state;
    s3_do(f, "PUT", "/fresh");
    s3_assert_status(f, 200);
    s3_assert_header(f, "Location", "/fresh");
    s3_do(f, "PUT", "/fresh"); /* us-east-1 forgives */
    s3_assert_status(f, 200);
    s3_do(f, "HEAD", "/fresh");
    s3_assert_status(f, 200);
    s3_assert_header(f, "x-amz-bucket-region", "us-east-1");
    s3_put(f, "/fresh/k", "x");
    s3_do(f, "DELETE", "/fresh");
    s3_assert_error(f, 409, "BucketNotEmpty");
    s3_assert_element(f, "BucketName", "fresh");
    s3_do(f, "DELETE", "/fresh/k");
    s3_do(f, "DELETE", "/fresh");
    s3_assert_status(f, 204);
    s3_do(f, "HEAD", "/fresh");
    s3_assert_status(f, 404);
    s3_do(f, "DELETE", "/fresh");
    s3_assert_error(f, 404, "NoSuchBucket");
}

static void make_in(struct s3_fixture *f, const char *target, const char *constraint)
{
    char body[512];
    snprintf(body, sizeof(body),
             "<CreateBucketConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
             "<LocationConstraint>%s</LocationConstraint></CreateBucketConfiguration>",
             constraint);
    s3_put(f, target, body);
}

static void bucket_of_another_region_says_so(void **state)
{
    struct s3_fixture *f = *state;
    make_in(f, "/irish", "eu-west-1");
    s3_assert_status(f, 200);
    s3_assert_header(f, "Location", "http://irish." S3_FIXTURE_HOST "/");
    s3_get(f, "/irish?location");
    s3_assert_body(f, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<LocationConstraint "
                      "xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">eu-west-1"
                      "</LocationConstraint>");
    make_in(f, "/irish", "eu-west-1");
    s3_assert_error(f, 409, "BucketAlreadyOwnedByYou");
    s3_assert_element(f, "Message",
                      "Your previous request to create the named bucket succeeded "
                      "and you already own it.");
    s3_get(f, "/bkt?location");
    s3_assert_element(f, "LocationConstraint", "");
    make_in(f, "/wrong", "us-east-1");
    s3_assert_error(f, 400, "InvalidLocationConstraint");
    make_in(f, "/wrong", "Mars");
    s3_assert_error(f, 400, "InvalidLocationConstraint");
    s3_put(f, "/wrong", "<CreateBucketConfiguration>");
    s3_assert_error(f, 400, "MalformedXML");
    s3_do(f, "HEAD", "/wrong");
    s3_assert_status(f, 404);
}

static void buckets_are_listed_in_order_and_in_pages(void **state)
{
    struct s3_fixture *f = *state;
    s3_do(f, "PUT", "/aaa");
    s3_do(f, "PUT", "/zzz");
    s3_get(f, "/");
    s3_assert_status(f, 200);
    s3_assert_element(f, "Buckets",
                      "<Bucket><Name>aaa</Name>"
                      "<CreationDate>2026-01-02T03:04:05.000Z</CreationDate></Bucket>"
                      "<Bucket><Name>bkt</Name>"
                      "<CreationDate>2026-01-02T03:04:05.000Z</CreationDate></Bucket>"
                      "<Bucket><Name>zzz</Name>"
                      "<CreationDate>2026-01-02T03:04:05.000Z</CreationDate></Bucket>");
    assert_int_equal(s3_reply_element(f, "ID").len, 64);
    s3_assert_element(f, "DisplayName", ""); /* not since November 2025 */
    s3_get(f, "/?max-buckets=2");
    s3_assert_element(f, "ContinuationToken", "bkt");
    s3_get(f, "/?max-buckets=2&continuation-token=bkt");
    s3_assert_element(f, "Name", "zzz");
    s3_assert_element(f, "ContinuationToken", "");
    s3_get(f, "/?prefix=z");
    s3_assert_element(f, "Name", "zzz");
}

static void a_list_of_buckets_that_asks_for_something_names_their_regions(void **state)
{
    static const char *const asks[] = {"/?prefix=b", "/?max-buckets=1",
                                       "/?continuation-token=", "/?bucket-region=us-east-1"};
    static const char *const bad[] = {"/?max-buckets=x", "/?max-buckets=0", "/?max-buckets=10001",
                                      "/?bucket-region=mars"};
    struct s3_fixture *f = *state;
    s3_get(f, "/");
    s3_assert_element(f, "BucketRegion", "");
    for (size_t i = 0; i < ARRAY_COUNT(asks); i++) {
        s3_get(f, asks[i]);
        s3_assert_element(f, "Bucket",
                          "<Name>bkt</Name><CreationDate>2026-01-02T03:04:05.000Z</CreationDate>"
                          "<BucketRegion>us-east-1</BucketRegion>");
    }
    s3_get(f, "/?bucket-region=eu-west-1");
    s3_assert_element(f, "Buckets", "");
    for (size_t i = 0; i < ARRAY_COUNT(bad); i++) {
        s3_get(f, bad[i]);
        s3_assert_error(f, 400, "InvalidArgument");
    }
    s3_assert_element(f, "Message", "Argument value mars is not a valid AWS Region");
}

static void a_post_to_a_bucket_must_be_a_form(void **state)
{
    struct s3_fixture *f = *state;
    s3_do(f, "POST", "/bkt");
    s3_assert_error(f, 412, "PreconditionFailed");
    s3_assert_element(f, "Condition",
                      "Bucket POST must be of the enclosure-type multipart/form-data");
    ask_with(f, "POST", "/bkt", "Content-Type: multipart/form-data; boundary=x");
    s3_assert_error(f, 501, "NotImplemented");
    s3_do(f, "POST", "/none");
    s3_assert_error(f, 404, "NoSuchBucket");
}

static void browsers_are_told_that_there_is_no_cors(void **state)
{
    struct s3_fixture *f = *state;
    ask_with(f, "OPTIONS", "/bkt/k", "Origin: http://example.com");
    s3_assert_error(f, 403, "AccessForbidden");
    s3_do(f, "OPTIONS", "/bkt/k");
    s3_assert_error(f, 400, "BadRequest");
}

/* --- what the server ends by itself --- */

static void too_much_xml_is_no_object_too_large(void **state)
{
    struct s3_fixture *f = *state;
    struct exchange *e = &f->exchange;
    exchange_sent(e);
    exchange_reset(e, s3_service(f->s3));
    e->request.method = METHOD_PUT;
    e->request.method_name = SPAN_LIT("PUT");
    e->request.path = SPAN_LIT("/fresh");
    const struct service *service = s3_service(f->s3);
    assert_int_equal(service->body_begin(service->ctx, e), BODY_GATHER);
    exchange_fail(e, EXCHANGE_BODY_TOO_LARGE);
    exchange_answer(e);
    turn_end(&f->turn);
    s3_assert_error(f, 400, "MaxMessageLengthExceeded");
}

static void each_failure_of_the_server_has_an_answer_of_s3(void **state)
{
    static const struct {
        enum exchange_failure failure;
        int status;
        const char *code;
    } rows[] = {
        {EXCHANGE_COMMIT_FAILED, 500, "InternalError"},
        {EXCHANGE_BODY_TOO_LARGE, 400, "EntityTooLarge"},
        {EXCHANGE_HEAD_TOO_LARGE, 400, "RequestHeaderSectionTooLarge"},
        {EXCHANGE_URI_TOO_LONG, 400, "InvalidURI"},
        {EXCHANGE_MALFORMED, 400, "BadRequest"},
        {EXCHANGE_TIMED_OUT, 400, "RequestTimeout"},
        {EXCHANGE_OVERLOADED, 503, "SlowDown"},
        {EXCHANGE_STOPPING, 503, "ServiceUnavailable"},
        {EXCHANGE_NO_MEMORY, 500, "InternalError"},
    };
    struct s3_fixture *f = *state;
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        exchange_sent(&f->exchange);
        exchange_reset(&f->exchange, s3_service(f->s3));
        exchange_fail(&f->exchange, rows[i].failure);
        exchange_answer(&f->exchange);
        turn_end(&f->turn);
        s3_assert_error(f, rows[i].status, rows[i].code);
        assert_int_equal(s3_reply_element(f, "RequestId").len, 16);
        s3_assert_header(f, "Server", "AmazonS3");
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, s3_fixture_setup, s3_fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(put_answers_the_md5_as_entity_tag_and_nothing_else),
        TEST(get_gives_the_bytes_and_what_describes_them),
        TEST(every_answer_says_who_gave_it),
        TEST(head_says_the_length_and_gives_no_byte),
        TEST(head_of_what_is_not_there_is_a_bare_404),
        TEST(empty_object_is_an_object),
        TEST(later_put_replaces_bytes_and_headers),
        TEST(large_object_comes_back_byte_for_byte_however_it_is_cut),
        TEST(download_under_way_survives_the_death_of_its_key),
        TEST(put_into_no_bucket_is_refused_before_its_body),
        TEST(nothing_is_kept_of_a_put_whose_commit_failed),
        TEST(upload_whose_first_pieces_were_lost_is_refused),
        TEST(ranges_follow_the_rules),
        TEST(a_range_of_everything_has_the_checksum_and_no_other),
        TEST(an_object_in_one_has_one_part),
        TEST(no_range_of_an_empty_object_can_be_satisfied),
        TEST(range_of_a_large_object_is_streamed_from_its_start),
        TEST(delete_is_204_whether_the_key_is_there_or_not),
        TEST(only_the_null_version_exists),
        TEST(copy_has_the_bytes_the_tag_and_the_headers),
        TEST(copy_with_replace_takes_the_headers_of_its_request),
        TEST(copy_reaches_other_buckets_and_large_objects),
        TEST(copy_refuses_what_makes_no_sense),
        TEST(bucket_is_made_once_and_deleted_when_empty),
        TEST(bucket_of_another_region_says_so),
        TEST(buckets_are_listed_in_order_and_in_pages),
        TEST(a_list_of_buckets_that_asks_for_something_names_their_regions),
        TEST(a_post_to_a_bucket_must_be_a_form),
        TEST(browsers_are_told_that_there_is_no_cors),
        TEST(too_much_xml_is_no_object_too_large),
        TEST(each_failure_of_the_server_has_an_answer_of_s3),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
