/* UploadPartCopy: what is copied, from where, and that a large copy lets others have their turn. */
#include "s3_uploads.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* pattern(5 MiB, 1) and its bytes 100000 to 3245727, by Python's hashlib and zlib. */
#define MD5_WHOLE   "667fbd52beac8931e83b9c6b30e1c98f"
#define CRC32_WHOLE "1JR6qg=="
#define RANGE       "x-amz-copy-source-range: bytes=100000-3245727"
#define RANGE_START 100000
#define RANGE_BYTES (3 * s3_mib)
#define MD5_HELLO   "5d41402abc4b2a76b9719d911017c592"
#define MD5_ELL     "3123059c1c816471780539f6b6b738dc"

static void put_pattern(struct s3_fixture *f, const char *target, const char *header)
{
    struct span bytes = s3_pattern(5 * s3_mib, 1);
    struct s3_ask ask = {.method = "PUT", .target = target, .headers = {header}, .body = bytes};
    s3_ask(f, &ask);
    s3_assert_status(f, 200);
    free((void *)(uintptr_t)bytes.ptr);
}

struct copy {
    char target[256];
    struct s3_ask ask;
};

static const struct s3_ask *copy_of(struct copy *copy, const char *id, int number,
                                    const char *range)
{
    snprintf(copy->target, sizeof(copy->target), "/bkt/k?partNumber=%d&uploadId=%s", number, id);
    copy->ask = (struct s3_ask){.method = "PUT",
                                .target = copy->target,
                                .headers = {"x-amz-copy-source: /bkt/source", range},
                                .body = SPAN_EMPTY};
    return &copy->ask;
}

static void copy_part(struct s3_fixture *f, const char *id, int number, const char *range)
{
    struct copy copy;
    s3_ask(f, copy_of(&copy, id, number, range));
}

static void finish_one(struct s3_fixture *f, const char *id, const char *etag)
{
    char parts[256];
    snprintf(parts, sizeof(parts), "<Part><PartNumber>1</PartNumber><ETag>%s</ETag></Part>", etag);
    s3_upload_finish(f, "k", id, parts);
}

/* /bkt/k is bytes [start, start + len) of pattern(5 MiB, 1). */
static void assert_object_is(struct s3_fixture *f, size_t start, size_t len)
{
    struct span bytes = s3_pattern(5 * s3_mib, 1);
    s3_get(f, "/bkt/k");
    s3_assert_status(f, 200);
    assert_int_equal(f->body.len, len);
    assert_memory_equal(f->body.ptr, bytes.ptr + start, len);
    free((void *)(uintptr_t)bytes.ptr);
}

/* --- what is copied --- */

static void a_whole_object_becomes_a_part(void **state)
{
    struct s3_fixture *f = *state;
    char id[s3_upload_id_bytes];
    put_pattern(f, "/bkt/source", NULL);
    s3_upload_begin(f, "k", NULL, id);
    env_advance(&f->env, 1000000);
    copy_part(f, id, 1, NULL);
    s3_assert_status(f, 200);
    s3_assert_body(f, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                      "<CopyPartResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
                      "<LastModified>2026-01-02T03:04:06.000Z</LastModified>"
                      "<ETag>&quot;" MD5_WHOLE "&quot;</ETag></CopyPartResult>");
    finish_one(f, id, MD5_WHOLE);
    s3_assert_status(f, 200);
    s3_do(f, "DELETE", "/bkt/source");
    assert_object_is(f, 0, 5 * s3_mib);
}

static void a_range_of_a_small_object_becomes_a_part(void **state)
{
    struct s3_fixture *f = *state;
    char id[s3_upload_id_bytes];
    s3_put(f, "/bkt/source", "hello");
    s3_upload_begin(f, "k", NULL, id);
    copy_part(f, id, 1, "x-amz-copy-source-range: bytes=1-3");
    s3_assert_element(f, "ETag", "&quot;" MD5_ELL "&quot;");
    finish_one(f, id, MD5_ELL);
    s3_assert_status(f, 200);
    s3_get(f, "/bkt/k");
    s3_assert_body(f, "ell");
    s3_upload_begin(f, "k", NULL, id);
    copy_part(f, id, 1, "x-amz-copy-source-range: bytes=1-4");
    s3_assert_element(f, "ETag", "&quot;9ecb0b2f7994a8a3a2919212f764b81a&quot;");
    copy_part(f, id, 1, "x-amz-copy-source-range: bytes=0-4");
    s3_assert_element(f, "ETag", "&quot;" MD5_HELLO "&quot;");
}

static void an_empty_object_becomes_an_empty_part(void **state)
{
    struct s3_fixture *f = *state;
    char id[s3_upload_id_bytes];
    s3_put(f, "/bkt/source", "");
    s3_upload_begin(f, "k", NULL, id);
    copy_part(f, id, 1, NULL);
    s3_assert_element(f, "ETag", "&quot;d41d8cd98f00b204e9800998ecf8427e&quot;");
}

static void a_part_of_an_uploaded_object_has_the_md5_of_its_bytes(void **state)
{
    struct s3_fixture *f = *state;
    char id[s3_upload_id_bytes];
    /* An object that came from parts itself: its ETag is no MD5. */
    s3_upload_begin(f, "source", NULL, id);
    s3_upload_part_put(f, "source", id, 1, SPAN_LIT("hello"), NULL);
    s3_upload_finish(f, "source", id,
                     "<Part><PartNumber>1</PartNumber><ETag>" MD5_HELLO "</ETag></Part>");
    s3_assert_status(f, 200);
    s3_upload_begin(f, "k", NULL, id);
    copy_part(f, id, 1, NULL);
    s3_assert_element(f, "ETag", "&quot;" MD5_HELLO "&quot;");
}

static void ranges_must_be_whole_and_within_the_object(void **state)
{
    static const char form[] =
        "The x-amz-copy-source-range value must be of the form bytes=first-last where first and "
        "last are the zero-based offsets of the first and last bytes to copy";
    static const char size[] = "Range specified is not valid for source object of size: 5";
    static const char beyond[] = "The specified copy range is invalid for the source object size";
    static const struct {
        const char *range;
        const char *message; /* NULL: 200 */
    } cases[] = {
        {"bytes=0-4", NULL},     {"bytes=4-4", NULL}, {"bytes=0-5", size},
        {"bytes=5-5", beyond},   {"bytes=1-", form},  {"bytes=-3", form},
        {"bytes=3-1", form},     {"0-4", form},       {"bytes=a-b", form},
        {"bytes=0-1,3-4", form}, {"bytes=", form},    {"bytes=0-18446744073709551616", form},
    };
    struct s3_fixture *f = *state;
    char id[s3_upload_id_bytes];
    s3_put(f, "/bkt/source", "hello");
    s3_upload_begin(f, "k", NULL, id);
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        char line[128];
        snprintf(line, sizeof(line), "x-amz-copy-source-range: %s", cases[i].range);
        copy_part(f, id, 1, line);
        if (cases[i].message == NULL) {
            s3_assert_status(f, 200);
        } else {
            bool names_it = cases[i].message != beyond;
            s3_assert_error(f, 400, names_it ? "InvalidArgument" : "InvalidRequest");
            s3_assert_element(f, "Message", cases[i].message);
            s3_assert_element(f, "ArgumentName", names_it ? "x-amz-copy-source-range" : "");
        }
    }
}

static void what_is_missing_is_named(void **state)
{
    struct s3_fixture *f = *state;
    char id[s3_upload_id_bytes];
    struct copy copy;
    s3_upload_begin(f, "k", NULL, id);
    copy_part(f, id, 1, NULL);
    s3_assert_error(f, 404, "NoSuchKey");
    (void)copy_of(&copy, id, 1, NULL);
    copy.ask.headers[0] = "x-amz-copy-source: none/source";
    s3_ask(f, &copy.ask);
    s3_assert_error(f, 404, "NoSuchBucket");
    s3_put(f, "/bkt/source", "hello");
    copy_part(f, "none", 1, NULL);
    s3_assert_error(f, 404, "NoSuchUpload");
    copy_part(f, id, 10001, NULL);
    s3_assert_error(f, 400, "InvalidArgument");
    (void)copy_of(&copy, id, 1, "x-amz-copy-source-if-match: \"0000\"");
    s3_ask(f, &copy.ask);
    s3_assert_error(f, 412, "PreconditionFailed");
}

static void a_copied_part_has_its_uploads_kind_of_checksum(void **state)
{
    static const char *const headers[] = {"x-amz-checksum-algorithm: CRC32", NULL};
    struct s3_fixture *f = *state;
    char id[s3_upload_id_bytes];
    s3_put(f, "/bkt/source", "hello"); /* without a checksum of its own */
    s3_upload_begin(f, "k", headers, id);
    copy_part(f, id, 1, NULL);
    s3_assert_element(f, "ChecksumCRC32", "NhCmhg==");
    copy_part(f, id, 1, "x-amz-copy-source-range: bytes=1-3");
    s3_assert_element(f, "ChecksumCRC32", "PBHZAQ==");
    put_pattern(f, "/bkt/source", "x-amz-checksum-crc32: " CRC32_WHOLE);
    copy_part(f, id, 1, NULL);
    s3_assert_element(f, "ChecksumCRC32", CRC32_WHOLE);
    s3_upload_finish(f, "k", id,
                     "<Part><PartNumber>1</PartNumber><ETag>" MD5_WHOLE "</ETag>"
                     "<ChecksumCRC32>" CRC32_WHOLE "</ChecksumCRC32></Part>");
    s3_assert_status(f, 200);
}

/* --- a large copy and the others --- */

static void a_large_range_is_read_in_several_turns(void **state)
{
    struct s3_fixture *f = *state;
    char id[s3_upload_id_bytes];
    struct copy copy;
    put_pattern(f, "/bkt/source", NULL);
    s3_upload_begin(f, "k", NULL, id);
    s3_ask_begin(f, copy_of(&copy, id, 1, RANGE));
    assert_true(exchange_is_parked(&f->exchange));
    assert_true(s3_ask_wait(f) >= 2);
    s3_assert_status(f, 200);
    s3_assert_element(f, "ETag", "&quot;74b0a55173c81d6227f24c6fa4a96fb6&quot;");
    finish_one(f, id, "74b0a55173c81d6227f24c6fa4a96fb6");
    s3_assert_status(f, 200);
    assert_object_is(f, RANGE_START, RANGE_BYTES);
}

static void ignore(struct exchange *exchange)
{
    (void)exchange;
}

/* Each reads less in a turn, so that nobody else waits longer for many copies than for a few. */
static void many_copies_share_a_turn(void **state)
{
    static const struct exchange_owner owner = {.send = ignore, .finished = ignore};
    enum { others_count = 31, turns_min = 15 }; /* 96 MiB, of which 12 before the first turn */
    static struct exchange others[others_count];
    struct s3_fixture *f = *state;
    char id[s3_upload_id_bytes];
    struct copy copy;
    put_pattern(f, "/bkt/source", NULL);
    s3_upload_begin(f, "k", NULL, id);
    s3_ask_begin(f, copy_of(&copy, id, 1, RANGE));
    for (size_t i = 0; i < others_count; i++) {
        assert_int_equal(exchange_init(&others[i], &f->turn, &owner), STATUS_OK);
        exchange_reset(&others[i], s3_service(f->s3));
        others[i].request = f->exchange.request;
        exchange_handle(&others[i]);
        assert_true(exchange_is_parked(&others[i]));
    }
    int turns = s3_ask_wait(f);
    s3_assert_status(f, 200);
    s3_assert_element(f, "ETag", "&quot;74b0a55173c81d6227f24c6fa4a96fb6&quot;");
    for (; timer_heap_next_us(&f->timers) != INT64_MAX; turns++) {
        timer_heap_run(&f->timers);
        turn_end(&f->turn);
    }
    assert_in_range(turns, turns_min, 1000);
    for (size_t i = 0; i < others_count; i++) {
        assert_int_equal(others[i].reply.status, 200);
        exchange_sent(&others[i]);
        exchange_release(&others[i]);
    }
}

static int64_t bucket_id(struct s3_fixture *f)
{
    struct arena arena;
    struct store_bucket bucket;
    arena_init(&arena, 4096);
    assert_int_equal(store_bucket_find(f->store, SPAN_LIT("bkt"), &arena, &bucket, NULL),
                     STATUS_OK);
    arena_release(&arena);
    return bucket.id;
}

static void overwriting_the_source_meanwhile_does_not_mix_the_bytes(void **state)
{
    struct s3_fixture *f = *state;
    char id[s3_upload_id_bytes];
    struct copy copy;
    struct store_object_put put = {.bucket_id = bucket_id(f),
                                   .key = SPAN_LIT("source"),
                                   .etag = SPAN_LIT(MD5_HELLO),
                                   .headers = SPAN_EMPTY,
                                   .checksum = SPAN_EMPTY,
                                   .bytes = SPAN_LIT("hello")};
    put_pattern(f, "/bkt/source", NULL);
    s3_upload_begin(f, "k", NULL, id);
    s3_ask_begin(f, copy_of(&copy, id, 1, RANGE));
    assert_int_equal(store_object_put(f->store, &put, NULL), STATUS_OK);
    turn_end(&f->turn);
    (void)s3_ask_wait(f);
    s3_assert_status(f, 200);
    s3_assert_element(f, "ETag", "&quot;74b0a55173c81d6227f24c6fa4a96fb6&quot;");
    finish_one(f, id, "74b0a55173c81d6227f24c6fa4a96fb6");
    s3_assert_status(f, 200);
    assert_object_is(f, RANGE_START, RANGE_BYTES);
}

static void aborting_the_upload_meanwhile_ends_the_copy(void **state)
{
    struct s3_fixture *f = *state;
    char id[s3_upload_id_bytes];
    struct copy copy;
    put_pattern(f, "/bkt/source", NULL);
    s3_upload_begin(f, "k", NULL, id);
    s3_ask_begin(f, copy_of(&copy, id, 1, RANGE));
    assert_int_equal(store_upload_abort(f->store, span_from_cstr(id), NULL), STATUS_OK);
    (void)s3_ask_wait(f);
    s3_assert_error(f, 404, "NoSuchUpload");
}

static void a_client_that_leaves_leaves_nothing_behind(void **state)
{
    struct s3_fixture *f = *state;
    char id[s3_upload_id_bytes];
    struct copy copy;
    put_pattern(f, "/bkt/source", NULL);
    s3_upload_begin(f, "k", NULL, id);
    s3_ask_begin(f, copy_of(&copy, id, 1, RANGE));
    assert_true(exchange_is_parked(&f->exchange));
    exchange_cancel(&f->exchange);
    assert_int_equal(timer_heap_next_us(&f->timers), INT64_MAX);
    s3_upload_do(f, "GET", "k", id);
    s3_assert_element(f, "Part", "");
    s3_assert_element(f, "NextPartNumberMarker", "0");
}

static void a_failed_commit_keeps_no_part(void **state)
{
    struct s3_fixture *f = *state;
    char id[s3_upload_id_bytes];
    put_pattern(f, "/bkt/source", NULL);
    s3_upload_begin(f, "k", NULL, id);
    f->commits_fail = true;
    copy_part(f, id, 1, RANGE);
    s3_assert_error(f, 500, "InternalError");
    f->commits_fail = false;
    s3_upload_do(f, "GET", "k", id);
    s3_assert_element(f, "NextPartNumberMarker", "0");
}

/* --- ten thousand parts --- */

/* 50 GB that cost nothing: each part is the same 5 MiB, linked. */
static void an_object_may_have_ten_thousand_parts(void **state)
{
    struct s3_fixture *f = *state;
    char id[s3_upload_id_bytes];
    struct buf parts;
    buf_init(&parts, 4 * s3_mib);
    put_pattern(f, "/bkt/source", NULL);
    s3_upload_begin(f, "k", NULL, id);
    for (int number = 1; number <= STORE_PART_NUMBER_MAX; number++) {
        copy_part(f, id, number, NULL);
        assert_int_equal(f->status, 200);
        buf_printf(&parts, "<Part><PartNumber>%d</PartNumber><ETag>\"" MD5_WHOLE "\"</ETag></Part>",
                   number);
    }
    s3_upload_finish(f, "k", id, buf_cstr(&parts));
    s3_assert_status(f, 200);
    struct span etag = s3_reply_element(f, "ETag");
    assert_true(span_ends_with(etag, SPAN_LIT("-10000&quot;")));
    struct s3_ask ask = {.method = "GET",
                         .target = "/bkt/k",
                         .headers = {"Range: bytes=52428799995-52428799999"},
                         .body = SPAN_EMPTY};
    s3_ask(f, &ask);
    s3_assert_status(f, 206);
    s3_assert_header(f, "Content-Range", "bytes 52428799995-52428799999/52428800000");
    struct span bytes = s3_pattern(5 * s3_mib, 1);
    assert_memory_equal(f->body.ptr, bytes.ptr + 5 * s3_mib - 5, 5);
    free((void *)(uintptr_t)bytes.ptr);
    BUF_APPEND_LIT(&parts, "<Part><PartNumber>10001</PartNumber><ETag>x</ETag></Part>");
    s3_upload_finish(f, "k", id, buf_cstr(&parts));
    s3_assert_error(f, 400, "MalformedXML");
    buf_release(&parts);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, s3_fixture_setup, s3_fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_whole_object_becomes_a_part),
        TEST(a_range_of_a_small_object_becomes_a_part),
        TEST(an_empty_object_becomes_an_empty_part),
        TEST(a_part_of_an_uploaded_object_has_the_md5_of_its_bytes),
        TEST(ranges_must_be_whole_and_within_the_object),
        TEST(what_is_missing_is_named),
        TEST(a_copied_part_has_its_uploads_kind_of_checksum),
        TEST(a_large_range_is_read_in_several_turns),
        TEST(many_copies_share_a_turn),
        TEST(overwriting_the_source_meanwhile_does_not_mix_the_bytes),
        TEST(aborting_the_upload_meanwhile_ends_the_copy),
        TEST(a_client_that_leaves_leaves_nothing_behind),
        TEST(a_failed_commit_keeps_no_part),
        TEST(an_object_may_have_ten_thousand_parts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
