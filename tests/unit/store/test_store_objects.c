/* Buckets and objects in the store: what goes in comes out, whole and by ranges, in byte order. */
#include "lake_fixture.h"
#include "store_internal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { CHUNK = STORE_CHUNK_BYTES };

/* --- buckets --- */

static void bucket_names_follow_the_rules(void **state)
{
    static const struct {
        const char *name;
        bool legal;
    } rows[] = {
        {"user-0ab336d6fcf7-bucket", true},
        {"abc", true},
        {"a.b.c", true},
        {"3com", true},
        {"a-b", true},
        {"012345678901234567890123456789012345678901234567890123456789012", true},
        {"0123456789012345678901234567890123456789012345678901234567890123", false},
        {"ab", false},
        {"", false},
        {"Abc", false},
        {"a_c", false},
        {"-abc", false},
        {"abc-", false},
        {".abc", false},
        {"abc.", false},
        {"a..c", false},
        {"127.0.0.1", false},
        {"127.0.0.1.5", true},
        {"bucket # the workshop's", false},
        {"b\xc3\xbc"
         "cher",
         false},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        if (store_bucket_name_is_legal(span_from_cstr(rows[i].name)) != rows[i].legal) {
            fail_msg("\"%s\" should be %s", rows[i].name, rows[i].legal ? "legal" : "illegal");
        }
    }
}

static bool join_names(void *ctx, const struct store_bucket *bucket)
{
    char *text = ctx;
    size_t used = strlen(text);
    snprintf(text + used, 256 - used, "%.*s/%.*s ", SPAN_ARG(bucket->name),
             SPAN_ARG(bucket->region));
    return strstr(text, "stop") == NULL;
}

static const char *bucket_names(struct lake_fixture *f)
{
    char *text = arena_alloc(&f->arena, 256);
    assert_int_equal(store_buckets_visit(f->store, join_names, text, &f->err), STATUS_OK);
    return text;
}

static enum status make_bucket(struct lake_fixture *f, const char *name)
{
    return store_bucket_create(f->store, span_from_cstr(name), SPAN_LIT("eu-west-1"), &f->err);
}

static void buckets_are_listed_by_name_until_the_visitor_has_enough(void **state)
{
    struct lake_fixture *f = *state;
    assert_int_equal(make_bucket(f, "zoo"), STATUS_OK);
    assert_int_equal(make_bucket(f, "a.b-c"), STATUS_OK);
    assert_string_equal(bucket_names(f), "a.b-c/eu-west-1 lake/us-east-1 zoo/eu-west-1 ");
    assert_int_equal(make_bucket(f, "stop"), STATUS_OK);
    assert_string_equal(bucket_names(f), "a.b-c/eu-west-1 lake/us-east-1 stop/eu-west-1 ");
}

static void a_bucket_is_found_with_its_region_and_time(void **state)
{
    struct lake_fixture *f = *state;
    struct store_bucket bucket;
    assert_int_equal(make_bucket(f, "b"), STATUS_OK);
    lake_commit(f);
    assert_int_equal(store_bucket_find(f->store, SPAN_LIT("b"), &f->arena, &bucket, &f->err),
                     STATUS_OK);
    assert_true(span_equal_cstr(bucket.region, "eu-west-1"));
    assert_int_equal(bucket.created_ms, 1700000000000);
    assert_int_not_equal(bucket.id, f->bucket);
    assert_int_equal(store_bucket_find(f->store, SPAN_LIT("B"), &f->arena, &bucket, &f->err),
                     STATUS_NOT_FOUND);
}

static void a_bucket_exists_once(void **state)
{
    struct lake_fixture *f = *state;
    assert_int_equal(make_bucket(f, "lake"), STATUS_EXISTS);
    assert_false(store_turn_has_writes(f->store));
    assert_int_equal(make_bucket(f, "b"), STATUS_OK);
    assert_int_equal(make_bucket(f, "b"), STATUS_EXISTS);
    lake_commit(f);
}

static void only_a_bucket_without_objects_is_deleted(void **state)
{
    struct lake_fixture *f = *state;
    lake_put_text(f, "k", "v");
    assert_int_equal(store_bucket_delete(f->store, f->bucket, &f->err), STATUS_BUSY);
    lake_delete(f, "k");
    assert_int_equal(store_bucket_delete(f->store, f->bucket, &f->err), STATUS_OK);
    assert_int_equal(store_bucket_delete(f->store, f->bucket, &f->err), STATUS_NOT_FOUND);
    lake_commit(f);
    assert_string_equal(bucket_names(f), "");
}

static void a_bucket_made_again_is_another_one(void **state)
{
    struct lake_fixture *f = *state;
    struct store_bucket bucket;
    assert_int_equal(store_bucket_delete(f->store, f->bucket, &f->err), STATUS_OK);
    assert_int_equal(make_bucket(f, "lake"), STATUS_OK);
    assert_int_equal(store_bucket_find(f->store, SPAN_LIT("lake"), &f->arena, &bucket, &f->err),
                     STATUS_OK);
    assert_int_not_equal(bucket.id, f->bucket); /* a request that began before does not mean it */
}

static void what_comes_too_late_for_its_bucket_writes_nothing(void **state)
{
    struct lake_fixture *f = *state;
    struct store_object_put put = lake_put_of(f, "k");
    struct store_upload upload = {
        .id = SPAN_LIT("u"), .bucket_id = f->bucket, .key = SPAN_LIT("k")};
    put.body = lake_body(f, true, 1, 3 * CHUNK, CHUNK);
    assert_int_equal(store_bucket_delete(f->store, f->bucket, &f->err), STATUS_OK);
    assert_int_equal(store_object_put(f->store, &put, &f->err), STATUS_NOT_FOUND);
    store_body_free(put.body);
    put.body = NULL;
    put.bytes = SPAN_LIT("v");
    assert_int_equal(store_object_put(f->store, &put, &f->err), STATUS_NOT_FOUND);
    assert_int_equal(store_upload_create(f->store, &upload, &f->err), STATUS_NOT_FOUND);
    lake_commit(f);
    lake_sweep(f);
    lake_assert_whole(f);
    assert_int_equal(lake_rows(f->store->db.handle), 0);
}

static void initial_buckets_are_made_where_they_are_missing(void **state)
{
    struct lake_fixture *f = *state;
    lake_put_text(f, "k", "v");
    assert_int_equal(make_bucket(f, "mine"), STATUS_OK);
    lake_commit(f);
    lake_reopen(f);
    assert_string_equal(lake_text(f, "k"), "v");
    lake_delete(f, "k");
    assert_int_equal(store_bucket_delete(f->store, f->bucket, &f->err), STATUS_OK);
    lake_commit(f);
    lake_reopen(f);
    assert_string_equal(bucket_names(f), "lake/us-east-1 mine/eu-west-1 ");
}

/* --- objects --- */

static void an_object_comes_back_with_all_that_was_given(void **state)
{
    struct lake_fixture *f = *state;
    struct store_object_put put = {
        .bucket_id = f->bucket,
        .key = SPAN_LIT("topics/t/partition=0/t+0+0000000000.json"),
        .etag = SPAN_LIT("5d41402abc4b2a76b9719d911017c592"),
        .headers = SPAN_LIT("content-type: application/json\nx-amz-meta-a: \xc3\xa9\n"),
        .checksum = SPAN_LIT("crc32 NhCmhg== FULL_OBJECT"),
        .modified_ms = 1700000000123,
        .bytes = SPAN_LIT("hel\0lo"),
    };
    assert_int_equal(store_object_put(f->store, &put, &f->err), STATUS_OK);
    lake_commit(f);
    if (!f->in_memory) {
        lake_reopen(f);
    }
    struct store_object object = lake_object(f, "topics/t/partition=0/t+0+0000000000.json");
    assert_true(span_equal(object.key, put.key));
    assert_true(span_equal(object.etag, put.etag));
    assert_true(span_equal(object.headers, put.headers));
    assert_true(span_equal(object.checksum, put.checksum));
    assert_int_equal(object.upload_id.len, 0);
    assert_int_equal(object.modified_ms, put.modified_ms);
    assert_int_equal(object.size, 6);
    assert_int_equal(object.bucket_id, f->bucket);
    struct buf out;
    buf_init(&out, 100);
    assert_int_equal(store_object_read(f->store, object.id, 0, 100, &out, &f->err), STATUS_OK);
    assert_true(span_equal(buf_span(&out), put.bytes));
    buf_release(&out);
}

static void an_object_is_found_whole_or_not_at_all(void **state)
{
    struct lake_fixture *f = *state;
    struct store_object_put put = lake_put_of(f, "a/key");
    struct store_object object;
    size_t failures = 0;
    enum status status = STATUS_NO_MEMORY;
    put.headers = SPAN_LIT("content-type: text/csv\nx-amz-meta-a: 1\n");
    put.checksum = SPAN_LIT("crc32 NhCmhg== FULL_OBJECT");
    put.bytes = SPAN_LIT("text");
    assert_int_equal(store_object_put(f->store, &put, &f->err), STATUS_OK);
    for (size_t bytes = 0; status == STATUS_NO_MEMORY; bytes += 8) {
        struct arena arena;
        arena_init(&arena, bytes);
        status = store_object_find(f->store, f->bucket, put.key, &arena, &object, &f->err);
        failures += status == STATUS_NO_MEMORY;
        if (status == STATUS_OK) {
            assert_true(span_equal(object.key, put.key));
            assert_true(span_equal(object.headers, put.headers));
            assert_true(span_equal(object.checksum, put.checksum));
        }
        arena_release(&arena);
    }
    assert_int_equal(status, STATUS_OK);
    assert_true(failures > 5);
}

static void what_is_not_there_is_not_found(void **state)
{
    struct lake_fixture *f = *state;
    struct store_object object;
    struct buf out;
    bool existed = true;
    buf_init(&out, 100);
    assert_int_equal(lake_find(f, "nothing", &object), STATUS_NOT_FOUND);
    assert_int_equal(store_object_read(f->store, 12345, 0, 1, &out, &f->err), STATUS_NOT_FOUND);
    assert_int_equal(store_object_delete(f->store, f->bucket, SPAN_LIT("k"), &existed, &f->err),
                     STATUS_OK);
    assert_false(existed);
    assert_int_equal(store_object_delete(f->store, f->bucket, SPAN_LIT("k"), NULL, &f->err),
                     STATUS_OK);
    assert_false(store_turn_has_writes(f->store));
    buf_release(&out);
}

static void bodies_of_all_sizes_come_back(void **state)
{
    struct lake_fixture *f = *state;
    static const struct {
        uint64_t size;
        size_t step;
        int64_t contents; /* 0: in the row */
    } cases[] = {
        {0, 1, 0},
        {1, 1, 0},
        {CHUNK - 1, CHUNK, 0},
        {CHUNK, CHUNK, 0},
        {CHUNK, 1000, 0},
        {CHUNK + 1, CHUNK + 1, 1},
        {CHUNK + 1, CHUNK, 1},
        {CHUNK + 1, 1, 1},
        {2 * CHUNK, CHUNK, 1},
        {2 * CHUNK, 2 * CHUNK, 1},
        {5 * CHUNK + 17, 3 * CHUNK - 5, 1},
        {5 * CHUNK, 7, 1},
        {20 * CHUNK + 1, 20 * CHUNK + 1, 1},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct store_object_put put = lake_put_of(f, "k");
        int64_t before = lake_query(f, "SELECT count(*) FROM content WHERE refs > 0");
        put.key = span_from_cstr(arena_printf(&f->arena, "k%d", (int)i));
        put.body = lake_body(f, true, (unsigned)i, cases[i].size, cases[i].step);
        assert_int_equal(store_object_put(f->store, &put, &f->err), STATUS_OK);
        store_body_free(put.body);
        lake_commit(f);
        assert_int_equal(lake_query(f, "SELECT count(*) FROM content WHERE refs > 0") - before,
                         cases[i].contents);
        lake_assert_object(f, put.key.ptr, (unsigned)i, cases[i].size);
    }
    lake_assert_whole(f);
}

static void nothing_is_written_before_a_body_outgrows_a_row(void **state)
{
    struct lake_fixture *f = *state;
    struct store_body *body = lake_body(f, true, 1, CHUNK, 999);
    assert_false(store_turn_has_writes(f->store));
    assert_int_equal(store_body_append(body, SPAN_LIT("x"), &f->err), STATUS_OK);
    assert_true(store_turn_has_writes(f->store));
    store_body_free(body);
    lake_commit(f);
}

static void chunks_count_in_the_turns_cap(void **state)
{
    struct lake_fixture *f = *state;
    struct store_body *body = lake_body(f, true, 1, 64 * CHUNK, 64 * CHUNK);
    assert_true(store_turn_records(f->store) >= 1000); /* 4 MiB fill a turn */
    lake_commit(f);
    assert_int_equal(store_turn_records(f->store), 0);
    lake_put_text(f, "k", "v");
    assert_int_equal(store_turn_records(f->store), 1);
    store_body_free(body);
    lake_commit(f);
}

static void ranges_are_read_across_chunk_edges(void **state)
{
    struct lake_fixture *f = *state;
    const uint64_t size = 4 * CHUNK + 100;
    lake_put(f, "large", 3, size);
    lake_put(f, "small", 4, 1000);
    lake_commit(f);
    static const struct {
        uint64_t start;
        uint64_t len;
    } cases[] = {
        {0, 1},
        {0, CHUNK},
        {1, CHUNK},
        {CHUNK - 1, 2},
        {CHUNK, CHUNK},
        {CHUNK - 1, CHUNK + 2},
        {2 * CHUNK - 1, 1},
        {2 * CHUNK, 1},
        {3 * CHUNK + 1, CHUNK + 99},
        {4 * CHUNK, 100},
        {4 * CHUNK + 99, 1},
        {10, 3 * CHUNK},
    };
    int64_t large = lake_object(f, "large").id;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        lake_assert_bytes(f, large, cases[i].start, cases[i].len, 3, cases[i].start);
    }
    int64_t small = lake_object(f, "small").id;
    lake_assert_bytes(f, small, 999, 1, 4, 999);
    lake_assert_bytes(f, small, 1, 500, 4, 1);
}

static void reading_ends_with_the_object_and_with_the_buffer(void **state)
{
    struct lake_fixture *f = *state;
    static const struct {
        const char *key;
        uint64_t size;
    } objects[] = {{"large", 2 * CHUNK + 10}, {"small", 1000}};
    for (size_t i = 0; i < ARRAY_COUNT(objects); i++) {
        struct buf out;
        uint64_t size = objects[i].size;
        lake_put(f, objects[i].key, 5, size);
        int64_t id = lake_object(f, objects[i].key).id;
        buf_init(&out, 100);
        assert_int_equal(store_object_read(f->store, id, size - 7, 100, &out, &f->err), STATUS_OK);
        assert_int_equal(out.len, 7);
        assert_int_equal(store_object_read(f->store, id, size, 100, &out, &f->err), STATUS_OK);
        assert_int_equal(store_object_read(f->store, id, UINT64_MAX, 100, &out, &f->err),
                         STATUS_OK);
        assert_int_equal(out.len, 7);
        assert_int_equal(store_object_read(f->store, id, 0, 500, &out, &f->err), STATUS_OK);
        assert_int_equal(out.len, 100); /* its ceiling, and it has not failed */
        assert_true(buf_ok(&out));
        buf_release(&out);
    }
}

static void writing_a_key_again_replaces_it(void **state)
{
    struct lake_fixture *f = *state;
    static const uint64_t sizes[] = {10, 3 * CHUNK, 20, 2 * CHUNK + 1, 4 * CHUNK, 30, 0};
    int64_t last_id = 0;
    for (size_t i = 0; i < ARRAY_COUNT(sizes); i++) {
        lake_put(f, "k", (unsigned)i, sizes[i]);
        lake_assert_object(f, "k", (unsigned)i, sizes[i]);
        assert_true(lake_object(f, "k").id > last_id); /* never changed in place */
        last_id = lake_object(f, "k").id;
        lake_assert_whole(f);
        if (i % 2 == 0) {
            lake_commit(f);
        }
    }
    lake_commit(f);
    assert_int_equal(lake_query(f, "SELECT count(*) FROM object"), 1);
    lake_sweep(f);
    assert_int_equal(lake_rows(f->store->db.handle), 0);
}

static void an_uncommitted_object_is_gone_with_its_turn(void **state)
{
    struct lake_fixture *f = *state;
    lake_put_text(f, "old", "old");
    lake_commit(f);
    lake_put_text(f, "old", "new");
    lake_put(f, "large", 1, 3 * CHUNK);
    int64_t lost_id = lake_object(f, "large").id;
    lake_fail_turn(f);
    assert_string_equal(lake_text(f, "old"), "old");
    assert_string_equal(lake_text(f, "large"), "(none)");
    lake_put_text(f, "other", "other");
    assert_true(lake_object(f, "other").id > lost_id); /* nobody takes it for the lost one */
    lake_commit(f);
    lake_sweep(f);
    lake_assert_whole(f);
    assert_int_equal(lake_rows(f->store->db.handle), 0);
}

/* --- copies --- */

static void a_copy_shares_the_bytes_and_outlives_its_source(void **state)
{
    struct lake_fixture *f = *state;
    lake_put(f, "a", 1, 3 * CHUNK + 5);
    lake_put(f, "s", 2, 500);
    lake_copy(f, "a", "b");
    lake_copy(f, "b", "c");
    lake_copy(f, "s", "t");
    lake_commit(f);
    lake_assert_whole(f);
    assert_int_equal(lake_query(f, "SELECT count(*) FROM chunk"), 4);
    assert_int_equal(lake_query(f, "SELECT refs FROM content"), 3);
    lake_delete(f, "a");
    lake_delete(f, "b");
    lake_delete(f, "s");
    lake_commit(f);
    lake_sweep(f);
    lake_assert_object(f, "c", 1, 3 * CHUNK + 5);
    lake_assert_object(f, "t", 2, 500);
    lake_delete(f, "c");
    lake_commit(f);
    lake_sweep(f);
    lake_assert_whole(f);
    assert_int_equal(lake_rows(f->store->db.handle), 0);
}

static void a_copy_onto_itself_changes_the_headers_only(void **state)
{
    struct lake_fixture *f = *state;
    static const uint64_t sizes[] = {500, 2 * CHUNK};
    for (size_t i = 0; i < ARRAY_COUNT(sizes); i++) {
        lake_put(f, "k", 1, sizes[i]);
        struct store_object before = lake_object(f, "k");
        struct store_object_put put = lake_put_of(f, "k");
        put.headers = SPAN_LIT("content-type: image/png\n");
        assert_int_equal(store_object_copy(f->store, &before, &put, &f->err), STATUS_OK);
        lake_commit(f);
        lake_sweep(f);
        assert_true(span_equal_cstr(lake_object(f, "k").headers, "content-type: image/png\n"));
        lake_assert_object(f, "k", 1, sizes[i]);
        lake_assert_whole(f);
    }
    assert_int_equal(lake_query(f, "SELECT refs FROM content"), 1);
}

static void a_copy_replaces_what_is_under_its_key(void **state)
{
    struct lake_fixture *f = *state;
    lake_put(f, "a", 1, 2 * CHUNK);
    lake_put(f, "b", 2, 3 * CHUNK);
    lake_put_text(f, "s", "s");
    lake_copy(f, "a", "b");
    lake_copy(f, "a", "s");
    lake_commit(f);
    lake_sweep(f);
    lake_assert_object(f, "b", 1, 2 * CHUNK);
    lake_assert_object(f, "s", 1, 2 * CHUNK);
    assert_int_equal(lake_query(f, "SELECT count(*) FROM chunk"), 2);
    lake_assert_whole(f);
}

static void copying_what_has_gone_is_not_found(void **state)
{
    struct lake_fixture *f = *state;
    lake_put_text(f, "a", "a");
    lake_put_text(f, "b", "b");
    struct store_object source = lake_object(f, "a");
    struct store_object_put put = lake_put_of(f, "b");
    lake_delete(f, "a");
    assert_int_equal(store_object_copy(f->store, &source, &put, &f->err), STATUS_NOT_FOUND);
    assert_string_equal(lake_text(f, "b"), "b");
    lake_commit(f);
}

/* --- bodies that fail --- */

static void a_body_that_lost_bytes_with_its_turn_fails_from_then_on(void **state)
{
    struct lake_fixture *f = *state;
    struct store_object_put put = lake_put_of(f, "k");
    struct store_body *kept = lake_body(f, true, 1, 2 * CHUNK, CHUNK);
    lake_commit(f);
    struct store_body *lost = lake_body(f, true, 2, 2 * CHUNK, CHUNK);
    struct store_body *small = lake_body(f, true, 3, 100, 100);
    lake_fail_turn(f);
    assert_int_equal(store_body_append(lost, SPAN_LIT("x"), &f->err), STATUS_FAILED);
    put.body = lost;
    assert_int_equal(store_object_put(f->store, &put, &f->err), STATUS_FAILED);
    /* The others had nothing in that turn. */
    put.body = kept;
    assert_int_equal(store_object_put(f->store, &put, &f->err), STATUS_OK);
    lake_assert_object(f, "k", 1, 2 * CHUNK);
    put.key = SPAN_LIT("small");
    put.body = small;
    assert_int_equal(store_object_put(f->store, &put, &f->err), STATUS_OK);
    lake_assert_object(f, "small", 3, 100);
    lake_commit(f);
    store_body_free(kept);
    store_body_free(lost);
    store_body_free(small);
    lake_sweep(f);
    lake_assert_whole(f);
    assert_int_equal(lake_query(f, "SELECT count(*) FROM chunk"), 2);
}

static void a_body_fails_in_the_middle_of_a_failed_turn_too(void **state)
{
    struct lake_fixture *f = *state;
    struct store_body *body = lake_body(f, true, 1, 2 * CHUNK, CHUNK);
    struct error why;
    char bytes[1000] = {0};
    lake_commit(f);
    error_set(&why, STATUS_DISK_FULL, "full");
    store_turn_fail(f->store, &why);
    enum status status = STATUS_OK;
    for (int i = 0; i < 100 && status == STATUS_OK; i++) {
        status = store_body_append(body, span_from(bytes, sizeof(bytes)), &f->err);
    }
    assert_int_equal(status, STATUS_DISK_FULL);
    assert_int_equal(store_turn_commit(f->store, NULL), STATUS_DISK_FULL);
    assert_int_equal(store_body_append(body, SPAN_LIT("x"), &f->err), STATUS_FAILED);
    store_body_free(body);
}

static void a_savepoint_takes_bytes_back_too(void **state)
{
    struct lake_fixture *f = *state;
    struct store_body *outside = lake_body(f, true, 1, 2 * CHUNK, CHUNK);
    assert_int_equal(store_savepoint(f->store, &f->err), STATUS_OK);
    struct store_body *inside = lake_body(f, true, 2, 2 * CHUNK, CHUNK);
    store_savepoint_rollback(f->store);
    assert_int_equal(store_body_append(inside, SPAN_LIT("x"), &f->err), STATUS_FAILED);
    assert_int_equal(store_body_append(outside, SPAN_LIT("x"), &f->err), STATUS_OK);
    assert_int_equal(store_savepoint(f->store, &f->err), STATUS_OK);
    char chunk[CHUNK] = {0};
    assert_int_equal(store_body_append(outside, span_from(chunk, sizeof(chunk)), &f->err),
                     STATUS_OK);
    store_savepoint_rollback(f->store);
    assert_int_equal(store_body_append(outside, SPAN_LIT("x"), &f->err), STATUS_FAILED);
    store_body_free(inside);
    store_body_free(outside);
    lake_commit(f);
    lake_sweep(f);
    lake_assert_whole(f);
    assert_int_equal(lake_rows(f->store->db.handle), 0);
}

static void a_body_beyond_a_tebibyte_is_refused(void **state)
{
    struct lake_fixture *f = *state;
    struct store_body *body = lake_body(f, true, 1, 10, 10);
    struct span too_many = span_from("", ((size_t)1 << 40) - 9); /* not looked at */
    assert_int_equal(store_body_append(body, too_many, &f->err), STATUS_LIMIT);
    assert_string_equal(f->err.message, "a body has at most 1099511627776 bytes");
    struct store_object_put put = lake_put_of(f, "k");
    put.body = body; /* nobody knows any more what it has */
    assert_int_equal(store_object_put(f->store, &put, &f->err), STATUS_FAILED);
    store_body_free(body);
}

/* What was promised to be small stays in its row, however it came. */
static void a_body_is_inline_up_to_what_a_row_takes(void **state)
{
    static const struct {
        uint64_t size;
        bool small;
        bool is_inline;
    } cases[] = {{0, true, true},          {1, true, true},       {CHUNK, true, true},
                 {CHUNK + 1, true, false}, {CHUNK, false, false}, {0, false, false}};
    struct lake_fixture *f = *state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct store_body *body = lake_body(f, cases[i].small, 1, cases[i].size, 1000);
        struct span bytes;
        assert_int_equal(store_body_inline(body, &bytes), cases[i].is_inline);
        struct store_object_put put = lake_put_of(f, "k");
        put.body = body;
        assert_int_equal(store_object_put(f->store, &put, &f->err), STATUS_OK);
        lake_commit(f);
        assert_int_equal(lake_query(f, "SELECT content_id IS NULL FROM object WHERE dead = 0"),
                         cases[i].is_inline);
        lake_assert_object(f, "k", 1, cases[i].size);
        store_body_free(body);
    }
}

static void a_body_may_outlive_the_store(void **state)
{
    struct lake_fixture *f = *state;
    struct store_body *body = lake_body(f, true, 1, 2 * CHUNK, CHUNK);
    store_close(f->store);
    f->store = NULL;
    assert_int_equal(store_body_append(body, SPAN_LIT("x"), &f->err), STATUS_FAILED);
    store_body_free(body);
    store_body_free(NULL);
}

/* --- keys and listing --- */

struct listing {
    struct span keys[64];
    size_t count;
    size_t stop_at;
    struct arena *arena;
};

static bool list_key(void *ctx, const struct store_object *object)
{
    struct listing *listing = ctx;
    assert_true(listing->count < ARRAY_COUNT(listing->keys));
    assert_true(store_span_keep(listing->arena, object->key, &listing->keys[listing->count]));
    assert_int_equal(object->etag.len, 32);
    assert_int_equal(object->modified_ms, 1700000000000);
    assert_int_equal(object->headers.len + object->checksum.len + object->upload_id.len, 0);
    listing->count++;
    return listing->count != listing->stop_at;
}

static struct listing list(struct lake_fixture *f, struct span from, bool after, size_t stop_at)
{
    struct listing listing = {.arena = &f->arena, .stop_at = stop_at};
    struct store_object_range range = {f->bucket, from, after};
    assert_int_equal(store_objects_visit(f->store, range, list_key, &listing, &f->err), STATUS_OK);
    return listing;
}

/* In the order of their bytes. */
static const struct span odd_keys[] = {
    SPAN_LIT("\x01"),
    SPAN_LIT(" "),
    SPAN_LIT("' OR 1=1 --"),
    SPAN_LIT("../../etc/passwd"),
    SPAN_LIT("A"),
    SPAN_LIT("\"quoted\""),
    SPAN_LIT("a"),
    SPAN_LIT("a\0b"),
    SPAN_LIT("a/"),
    SPAN_LIT("a/b"),
    SPAN_LIT("a0"),
    SPAN_LIT("\x7f"),
    SPAN_LIT("\xc3\xa9"),             /* e acute */
    SPAN_LIT("\xef\xbf\xbd"),         /* U+FFFD: above the next one in UTF-16, below in UTF-8 */
    SPAN_LIT("\xf0\x9f\x93\x8c pin"), /* U+1F4CC */
};

static int compare_spans(const void *a, const void *b)
{
    const struct span *left = a;
    const struct span *right = b;
    size_t len = left->len < right->len ? left->len : right->len;
    int order = memcmp(left->ptr, right->ptr, len);
    return order != 0 ? order : (left->len > right->len) - (left->len < right->len);
}

static void keys_of_all_kinds_are_kept_and_listed_in_byte_order(void **state)
{
    struct lake_fixture *f = *state;
    struct span sorted[ARRAY_COUNT(odd_keys)];
    memcpy(sorted, odd_keys, sizeof(sorted));
    for (size_t i = ARRAY_COUNT(odd_keys); i-- > 0;) {
        struct store_object_put put = lake_put_of(f, "");
        put.key = odd_keys[i];
        put.bytes = odd_keys[i];
        assert_int_equal(store_object_put(f->store, &put, &f->err), STATUS_OK);
    }
    lake_commit(f);
    qsort(sorted, ARRAY_COUNT(sorted), sizeof(sorted[0]), compare_spans);
    struct listing all = list(f, SPAN_EMPTY, false, 0);
    assert_int_equal(all.count, ARRAY_COUNT(sorted));
    for (size_t i = 0; i < all.count; i++) {
        struct store_object object;
        assert_true(span_equal(all.keys[i], sorted[i]));
        assert_int_equal(
            store_object_find(f->store, f->bucket, sorted[i], &f->arena, &object, &f->err),
            STATUS_OK);
        assert_true(span_equal(object.key, sorted[i]));
        assert_int_equal(object.size, sorted[i].len);
    }
}

static void keys_of_1024_bytes_that_differ_at_the_end_are_two(void **state)
{
    struct lake_fixture *f = *state;
    char key[STORE_KEY_BYTES_MAX + 1];
    memset(key, 'k', STORE_KEY_BYTES_MAX);
    key[STORE_KEY_BYTES_MAX] = '\0';
    lake_put_text(f, key, "k");
    key[STORE_KEY_BYTES_MAX - 1] = 'l';
    lake_put_text(f, key, "l");
    lake_commit(f);
    assert_string_equal(lake_text(f, key), "l");
    key[STORE_KEY_BYTES_MAX - 1] = 'k';
    assert_string_equal(lake_text(f, key), "k");
    assert_int_equal(list(f, SPAN_EMPTY, false, 0).count, 2);
}

static void a_listing_begins_where_it_is_told_and_ends_when_it_is_told(void **state)
{
    struct lake_fixture *f = *state;
    static const char *const keys[] = {"a", "b", "b/1", "b/2", "c"};
    for (size_t i = 0; i < ARRAY_COUNT(keys); i++) {
        lake_put_text(f, keys[i], keys[i]);
    }
    assert_int_equal(make_bucket(f, "other"), STATUS_OK);
    struct store_bucket other;
    assert_int_equal(store_bucket_find(f->store, SPAN_LIT("other"), &f->arena, &other, &f->err),
                     STATUS_OK);
    struct store_object_put put = lake_put_of(f, "bb");
    put.bucket_id = other.id;
    assert_int_equal(store_object_put(f->store, &put, &f->err), STATUS_OK);
    static const struct {
        const char *from;
        bool after;
        size_t stop_at;
        size_t count;
        const char *first;
    } cases[] = {
        {"", false, 0, 5, "a"},    {"b", false, 0, 4, "b"},    {"b", true, 0, 3, "b/1"},
        {"b/", true, 0, 3, "b/1"}, {"b/", false, 2, 2, "b/1"}, {"c", true, 0, 0, NULL},
        {"aa", false, 1, 1, "b"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct listing got =
            list(f, span_from_cstr(cases[i].from), cases[i].after, cases[i].stop_at);
        assert_int_equal(got.count, cases[i].count);
        assert_true(got.count == 0 || span_equal_cstr(got.keys[0], cases[i].first));
    }
}

static void paging_through_many_keys_meets_each_once(void **state)
{
    struct lake_fixture *f = *state;
    enum { KEYS = 1003, PAGE = 50 };
    char key[32];
    for (int i = 0; i < KEYS; i++) {
        snprintf(key, sizeof(key), "k%06d", (i * 7919) % KEYS);
        lake_put_text(f, key, "v");
    }
    lake_commit(f);
    struct span last = SPAN_EMPTY;
    int seen = 0;
    for (;;) {
        struct listing page = list(f, last, true, PAGE);
        for (size_t i = 0; i < page.count; i++) {
            snprintf(key, sizeof(key), "k%06d", seen++);
            assert_true(span_equal_cstr(page.keys[i], key));
        }
        if (page.count < PAGE) {
            break;
        }
        last = page.keys[page.count - 1];
    }
    assert_int_equal(seen, KEYS);
}

/* --- views --- */

static void the_view_shows_what_is_alive(void **state)
{
    struct lake_fixture *f = *state;
    lake_put_text(f, "a", "text");
    lake_put(f, "large", 1, 2 * CHUNK);
    lake_put_text(f, "gone", "x");
    assert_int_equal(store_object_pin(f->store, lake_object(f, "gone").id), STATUS_OK);
    lake_delete(f, "gone");
    lake_commit(f);
    assert_int_equal(lake_query(f, "SELECT count(*) FROM objects"), 2);
    assert_int_equal(lake_query(f, "SELECT count(*) FROM objects WHERE bucket = 'lake' AND "
                                   "key = 'a' AND size = 4 AND body = 'text' AND "
                                   "etag = '0123456789abcdef0123456789abcdef' AND "
                                   "modified = '2023-11-14T22:13:20Z'"),
                     1);
    assert_int_equal(lake_query(f, "SELECT size FROM objects WHERE body IS NULL"), 2 * CHUNK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bucket_names_follow_the_rules),
        LAKE_FILE_TEST(buckets_are_listed_by_name_until_the_visitor_has_enough),
        LAKE_MEMORY_TEST(buckets_are_listed_by_name_until_the_visitor_has_enough),
        LAKE_FILE_TEST(a_bucket_is_found_with_its_region_and_time),
        LAKE_FILE_TEST(a_bucket_exists_once),
        LAKE_FILE_TEST(only_a_bucket_without_objects_is_deleted),
        LAKE_FILE_TEST(a_bucket_made_again_is_another_one),
        LAKE_FILE_TEST(what_comes_too_late_for_its_bucket_writes_nothing),
        LAKE_FILE_TEST(initial_buckets_are_made_where_they_are_missing),
        LAKE_FILE_TEST(an_object_comes_back_with_all_that_was_given),
        LAKE_MEMORY_TEST(an_object_comes_back_with_all_that_was_given),
        LAKE_FILE_TEST(an_object_is_found_whole_or_not_at_all),
        LAKE_FILE_TEST(what_is_not_there_is_not_found),
        LAKE_FILE_TEST(bodies_of_all_sizes_come_back),
        LAKE_MEMORY_TEST(bodies_of_all_sizes_come_back),
        LAKE_FILE_TEST(nothing_is_written_before_a_body_outgrows_a_row),
        LAKE_FILE_TEST(chunks_count_in_the_turns_cap),
        LAKE_FILE_TEST(ranges_are_read_across_chunk_edges),
        LAKE_FILE_TEST(reading_ends_with_the_object_and_with_the_buffer),
        LAKE_FILE_TEST(writing_a_key_again_replaces_it),
        LAKE_MEMORY_TEST(writing_a_key_again_replaces_it),
        LAKE_FILE_TEST(an_uncommitted_object_is_gone_with_its_turn),
        LAKE_MEMORY_TEST(an_uncommitted_object_is_gone_with_its_turn),
        LAKE_FILE_TEST(a_copy_shares_the_bytes_and_outlives_its_source),
        LAKE_FILE_TEST(a_copy_onto_itself_changes_the_headers_only),
        LAKE_FILE_TEST(a_copy_replaces_what_is_under_its_key),
        LAKE_FILE_TEST(copying_what_has_gone_is_not_found),
        LAKE_FILE_TEST(a_body_that_lost_bytes_with_its_turn_fails_from_then_on),
        LAKE_MEMORY_TEST(a_body_that_lost_bytes_with_its_turn_fails_from_then_on),
        LAKE_FILE_TEST(a_body_fails_in_the_middle_of_a_failed_turn_too),
        LAKE_FILE_TEST(a_savepoint_takes_bytes_back_too),
        LAKE_FILE_TEST(a_body_beyond_a_tebibyte_is_refused),
        LAKE_FILE_TEST(a_body_is_inline_up_to_what_a_row_takes),
        LAKE_FILE_TEST(a_body_may_outlive_the_store),
        LAKE_FILE_TEST(keys_of_all_kinds_are_kept_and_listed_in_byte_order),
        LAKE_FILE_TEST(keys_of_1024_bytes_that_differ_at_the_end_are_two),
        LAKE_FILE_TEST(a_listing_begins_where_it_is_told_and_ends_when_it_is_told),
        LAKE_FILE_TEST(paging_through_many_keys_meets_each_once),
        LAKE_FILE_TEST(the_view_shows_what_is_alive),
    };
    return cmocka_run_group_tests_name("store_objects", tests, NULL, NULL);
}
