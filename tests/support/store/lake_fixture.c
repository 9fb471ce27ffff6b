#include "lake_fixture.h"

#include "store_internal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { READ_BYTES = 100000, ARENA_BYTES = 64 * 1024 * 1024 };

#define MUST(call)                                                                                 \
    do {                                                                                           \
        if ((call) != STATUS_OK) {                                                                 \
            fail_msg("%s: %s", #call, f->err.message);                                             \
        }                                                                                          \
    } while (0)

static void open_store(struct lake_fixture *f)
{
    const char *const buckets[] = {"lake"};
    struct store_options options = {
        .directory = f->in_memory ? NULL : f->dir.path,
        .env = &f->env,
        .buckets = buckets,
        .bucket_count = 1,
        .region = "us-east-1",
    };
    struct store_bucket bucket;
    MUST(store_open(&options, &f->store, &f->err));
    MUST(store_bucket_find(f->store, SPAN_LIT("lake"), &f->arena, &bucket, &f->err));
    f->bucket = bucket.id;
}

static int setup(void **state, bool in_memory)
{
    struct lake_fixture *f = calloc(1, sizeof(*f));
    temp_dir_make(&f->dir);
    env_init_virtual(&f->env, 7, INT64_C(1700000000000000));
    arena_init(&f->arena, ARENA_BYTES);
    f->in_memory = in_memory;
    open_store(f);
    *state = f;
    return 0;
}

int lake_setup_file(void **state)
{
    return setup(state, false);
}

int lake_setup_memory(void **state)
{
    return setup(state, true);
}

int lake_teardown(void **state)
{
    struct lake_fixture *f = *state;
    store_close(f->store);
    arena_release(&f->arena);
    temp_dir_remove(&f->dir);
    free(f);
    return 0;
}

void lake_reopen(struct lake_fixture *f)
{
    store_close(f->store);
    open_store(f);
}

void lake_commit(struct lake_fixture *f)
{
    MUST(store_turn_commit(f->store, &f->err));
}

void lake_fail_turn(struct lake_fixture *f)
{
    struct error why;
    error_set(&why, STATUS_DISK_FULL, "the disk is full, says the test");
    store_turn_fail(f->store, &why);
    assert_int_equal(store_turn_commit(f->store, &f->err), STATUS_DISK_FULL);
}

int lake_sweep(struct lake_fixture *f)
{
    int slices = 0;
    while (store_housekeep(f->store)) {
        slices++;
        assert_true(slices < 100000);
    }
    return slices;
}

int64_t lake_query(struct lake_fixture *f, const char *sql)
{
    int64_t value = 0;
    MUST(sqlite_db_query_i64(&f->store->db, sql, &value, &f->err));
    return value;
}

void lake_assert_whole(struct lake_fixture *f)
{
    const char *broken = lake_check(f->store->db.handle);
    if (broken != NULL) {
        fail_msg("not so: %s", broken);
    }
}

/* --- bytes --- */

static char byte_at(unsigned seed, uint64_t position)
{
    return (char)(seed + position * 7 + (position >> 8) * 13 + (position >> 16) * 31);
}

void lake_fill(char *bytes, size_t len, unsigned seed, uint64_t start)
{
    for (size_t i = 0; i < len; i++) {
        bytes[i] = byte_at(seed, start + i);
    }
}

struct store_body *lake_body(struct lake_fixture *f, bool small, unsigned seed, uint64_t size,
                             size_t step)
{
    struct store_body *body = NULL;
    char *bytes = malloc(step);
    assert_non_null(bytes);
    assert_int_equal(store_body_new(f->store, small, &body), STATUS_OK);
    for (uint64_t at = 0; at < size; at += step) {
        size_t len = size - at < step ? (size_t)(size - at) : step;
        lake_fill(bytes, len, seed, at);
        MUST(store_body_append(body, span_from(bytes, len), &f->err));
    }
    free(bytes);
    assert_int_equal(store_body_size(body), size);
    return body;
}

/* --- objects --- */

struct store_object_put lake_put_of(struct lake_fixture *f, const char *key)
{
    return (struct store_object_put){
        .bucket_id = f->bucket,
        .key = span_from_cstr(key),
        .etag = SPAN_LIT("0123456789abcdef0123456789abcdef"),
        .headers = SPAN_LIT("content-type: text/plain\n"),
        .modified_ms = 1700000000000,
    };
}

void lake_put(struct lake_fixture *f, const char *key, unsigned seed, uint64_t size)
{
    struct store_object_put put = lake_put_of(f, key);
    put.body = lake_body(f, true, seed, size, 40000);
    MUST(store_object_put(f->store, &put, &f->err));
    store_body_free(put.body);
}

void lake_put_text(struct lake_fixture *f, const char *key, const char *text)
{
    struct store_object_put put = lake_put_of(f, key);
    put.bytes = span_from_cstr(text);
    MUST(store_object_put(f->store, &put, &f->err));
}

enum status lake_find(struct lake_fixture *f, const char *key, struct store_object *out)
{
    return store_object_find(f->store, f->bucket, span_from_cstr(key), &f->arena, out, &f->err);
}

struct store_object lake_object(struct lake_fixture *f, const char *key)
{
    struct store_object object;
    MUST(lake_find(f, key, &object));
    return object;
}

void lake_delete(struct lake_fixture *f, const char *key)
{
    bool existed = false;
    MUST(store_object_delete(f->store, f->bucket, span_from_cstr(key), &existed, &f->err));
    assert_true(existed);
}

void lake_copy(struct lake_fixture *f, const char *from, const char *to)
{
    struct store_object source = lake_object(f, from);
    struct store_object_put put = lake_put_of(f, to);
    MUST(store_object_copy(f->store, &source, &put, &f->err));
}

const char *lake_text(struct lake_fixture *f, const char *key)
{
    struct store_object object;
    struct buf out;
    if (lake_find(f, key, &object) != STATUS_OK) {
        return "(none)";
    }
    buf_init(&out, READ_BYTES);
    MUST(store_object_read(f->store, object.id, 0, READ_BYTES, &out, &f->err));
    char *text = arena_copy_cstr(&f->arena, span_from(buf_cstr(&out), out.len));
    buf_release(&out);
    assert_non_null(text);
    return text;
}

void lake_assert_bytes(struct lake_fixture *f, int64_t object_id, uint64_t from, uint64_t len,
                       unsigned seed, uint64_t start)
{
    struct buf out;
    buf_init(&out, READ_BYTES);
    for (uint64_t at = 0; at < len; at += out.len) {
        buf_reset(&out);
        uint64_t want = len - at < READ_BYTES ? len - at : READ_BYTES;
        MUST(store_object_read(f->store, object_id, from + at, (size_t)want, &out, &f->err));
        assert_int_equal(out.len, want);
        for (size_t i = 0; i < out.len; i++) {
            if (out.ptr[i] != byte_at(seed, start + at + i)) {
                fail_msg("byte %llu of the object is not byte %llu of seed %u",
                         (unsigned long long)(from + at + i), (unsigned long long)(start + at + i),
                         seed);
            }
        }
    }
    buf_release(&out);
}

void lake_assert_object(struct lake_fixture *f, const char *key, unsigned seed, uint64_t size)
{
    struct store_object object = lake_object(f, key);
    assert_int_equal(object.size, size);
    lake_assert_bytes(f, object.id, 0, size, seed, 0);
}

/* --- uploads --- */

void lake_upload(struct lake_fixture *f, const char *id, const char *key)
{
    struct store_upload upload = {.id = span_from_cstr(id),
                                  .bucket_id = f->bucket,
                                  .key = span_from_cstr(key),
                                  .created_ms = 1700000000000};
    MUST(store_upload_create(f->store, &upload, &f->err));
}

void lake_part(struct lake_fixture *f, const char *id, int32_t number, unsigned seed, uint64_t size)
{
    struct store_part part = {.number = number,
                              .size = size,
                              .etag = SPAN_LIT("0123456789abcdef0123456789abcdef"),
                              .modified_ms = 1700000000000};
    struct store_body *body = lake_body(f, false, seed, size, 50000);
    MUST(store_part_put(f->store, span_from_cstr(id), &part, body, &f->err));
    store_body_free(body);
}

enum status lake_part_copy(struct lake_fixture *f, const char *id, int32_t number,
                           const char *source, uint64_t start, uint64_t size)
{
    struct store_part part = {
        .number = number, .size = size, .etag = SPAN_LIT("e"), .modified_ms = 1};
    return store_part_copy(f->store, span_from_cstr(id), &part, lake_object(f, source).id, start,
                           &f->err);
}

enum status lake_complete(struct lake_fixture *f, const char *id, const char *key,
                          const int32_t *numbers, size_t count)
{
    struct store_object_put put = lake_put_of(f, key);
    return store_upload_complete(f->store, span_from_cstr(id), numbers, count, &put, &f->err);
}
