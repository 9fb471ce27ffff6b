/* Open files and their streams by themselves: how many there may be, what they may take of memory,
 * and what becomes of one for which there is none. */
#include "sink_file.h"

#include "alloc_fault.h"
#include "sink_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { LINE_BYTES = 40000, PART_BYTES = 50000, BUDGET_BYTES = 64 << 20 };

struct fixture {
    struct sink_world *world; /* a store with a bucket, digests */
    struct sink_pool pool;
    struct sink_files files;
    int64_t bucket_id;
    struct error err;
    char line[LINE_BYTES];
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    void *world;
    uint32_t seed = 1;
    sink_world_setup(&world);
    f->world = world;
    sink_files_init(&f->files, f->world->store, f->world->crypto);
    f->files.pool = &f->pool;
    f->bucket_id = sink_world_bucket_id(f->world);
    f->files.part_bytes = PART_BYTES;
    f->files.gzip_level = -1;
    assert_int_equal(crypto_ready(f->world->crypto, &f->err), STATUS_OK);
    for (size_t i = 0; i < sizeof(f->line); i++) { /* which nothing makes shorter */
        seed = seed * 1664525 + 1013904223;
        f->line[i] = (char)(seed >> 24);
    }
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    void *world = f->world;
    sink_pool_release(&f->pool);
    sink_world_teardown(&world);
    free(f);
    return 0;
}

static struct sink_file *open_file(struct fixture *f)
{
    struct sink_file *file = NULL;
    assert_int_equal(sink_file_open(&f->files, SPAN_LIT("partition=0"), 0, &file), STATUS_OK);
    return file;
}

static enum status append_line(struct fixture *f, struct sink_file *file)
{
    return sink_file_append(&f->files, file, SINK_STREAM_VALUE, span_from(f->line, sizeof(f->line)),
                            &f->err);
}

static enum status put(struct fixture *f, struct sink_file *file, enum sink_stream_kind kind,
                       const char *key)
{
    const struct sink_object object = {
        .bucket_id = f->bucket_id, .key = span_from_cstr(key), .modified_ms = 1};
    return sink_file_put(&f->files, file, kind, &object, &f->err);
}

/* --- how many --- */

static void so_many_streams_are_open_at_most(void **state)
{
    static const struct {
        size_t own;
        size_t streams;
        size_t gzip_streams;
        bool gzip;
        bool opens;
    } cases[] = {
        {0, SINK_OPEN_STREAMS_MAX, SINK_OPEN_GZIP_MAX, true, true},
        {SINK_OPEN_STREAMS_OWN - 1, SINK_OPEN_STREAMS_MAX, 0, false, true},
        {SINK_OPEN_STREAMS_OWN, SINK_OPEN_STREAMS_MAX - 1, 0, false, true},
        {SINK_OPEN_STREAMS_OWN, SINK_OPEN_STREAMS_MAX, 0, false, false},
        {SINK_OPEN_STREAMS_OWN, SINK_OPEN_STREAMS_MAX - 1, SINK_OPEN_GZIP_MAX, false, true},
        {SINK_OPEN_STREAMS_OWN, SINK_OPEN_STREAMS_MAX - 1, SINK_OPEN_GZIP_MAX - 1, true, true},
        {SINK_OPEN_STREAMS_OWN, SINK_OPEN_STREAMS_MAX - 1, SINK_OPEN_GZIP_MAX, true, false},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct sink_file *file = open_file(f);
        f->files.gzip = cases[i].gzip;
        f->files.open_own = cases[i].own;
        f->pool.open_streams = cases[i].streams;
        f->pool.open_gzip = cases[i].gzip_streams;
        enum status status = append_line(f, file);
        if (status != (cases[i].opens ? STATUS_OK : STATUS_LIMIT)) {
            fail_msg("case %zu: %s", i, status_name(status));
        }
        if (!cases[i].opens) {
            assert_string_equal(f->err.message, "512 files are open");
        }
        sink_file_close(&f->files, file);
        assert_int_equal(f->pool.open_streams, cases[i].streams);
        assert_int_equal(f->pool.open_gzip, cases[i].gzip_streams);
        assert_int_equal(f->files.open_own, cases[i].own);
    }
}

/* What the file was used for before is no object of the next one. */
static void a_stream_that_was_not_opened_again_is_no_object(void **state)
{
    struct fixture *f = *state;
    struct sink_file *file = open_file(f);
    assert_int_equal(append_line(f, file), STATUS_OK);
    assert_int_equal(
        sink_file_append(&f->files, file, SINK_STREAM_KEYS, SPAN_LIT("key\n"), &f->err), STATUS_OK);
    assert_int_equal(put(f, file, SINK_STREAM_KEYS, "first-keys"), STATUS_OK);
    sink_file_close(&f->files, file);
    file = open_file(f);
    assert_int_equal(append_line(f, file), STATUS_OK);
    assert_int_equal(put(f, file, SINK_STREAM_VALUE, "second"), STATUS_OK);
    assert_int_equal(put(f, file, SINK_STREAM_KEYS, "second-keys"), STATUS_OK);
    assert_int_equal(put(f, file, SINK_STREAM_HEADERS, "second-headers"), STATUS_OK);
    sink_file_close(&f->files, file);
    assert_string_equal(sink_world_keys(f->world), "first-keys\nsecond\n");
}

/* --- what of memory --- */

/* Beyond its share a connector has a few files of its own, beyond the whole it has none; and what
 * waits for its next use goes first. */
static void the_share_and_the_whole_bound_what_files_take(void **state)
{
    struct fixture *f = *state;
    struct budget budget;
    size_t held = 0;
    budget_init(&budget, BUDGET_BYTES);
    f->pool.budget = &budget;

    struct sink_file *files[2] = {open_file(f), open_file(f)};
    assert_int_equal(append_line(f, files[0]), STATUS_OK);
    assert_int_equal(append_line(f, files[1]), STATUS_OK);
    sink_file_close(&f->files, files[0]);
    size_t kept = budget.shares[BUDGET_PAIRS].used_bytes;
    budget.shares[BUDGET_PAIRS].max_bytes = kept;
    assert_int_equal(append_line(f, files[1]), STATUS_OK);
    assert_int_equal(f->pool.kept_count, 0); /* gave way */

    budget.shares[BUDGET_PAIRS].max_bytes = 1000;
    assert_int_equal(append_line(f, files[1]), STATUS_OK); /* its own */
    f->files.open_own += SINK_OPEN_STREAMS_OWN;
    struct sink_file *more = open_file(f);
    assert_int_equal(append_line(f, more), STATUS_BUSY);
    assert_non_null(strstr(f->err.message, "`pinpipe serve --memory` gives more"));
    sink_file_close(&f->files, more);
    f->files.open_own -= SINK_OPEN_STREAMS_OWN;

    budget_note(&budget, BUDGET_REPLIES, &held, BUDGET_BYTES);
    more = open_file(f);
    assert_int_equal(append_line(f, more), STATUS_BUSY);
    sink_file_close(&f->files, more);
    budget_note(&budget, BUDGET_REPLIES, &held, 0);
    sink_file_close(&f->files, files[1]);
    sink_pool_release(&f->pool);
    assert_int_equal(budget.used_bytes, 0);
}

/* A file of three lines, which outgrows memory with the second, as an object or as none. */
static enum status write_file(struct fixture *f, const char *key)
{
    struct sink_file *file = NULL;
    enum status status = sink_file_open(&f->files, SPAN_LIT("partition=0"), 0, &file);
    if (status != STATUS_OK) {
        return status;
    }
    for (int i = 0; i < 3 && status == STATUS_OK; i++) {
        status = append_line(f, file);
    }
    if (status == STATUS_OK) {
        status = put(f, file, SINK_STREAM_VALUE, key);
    }
    sink_file_close(&f->files, file);
    return status;
}

static void a_file_without_memory_is_whole_or_none(void **state)
{
    struct fixture *f = *state;
    struct store_object right;
    struct store_object object;
    for (int gzip = 0; gzip < 2; gzip++) {
        bool failed = true;
        const char *key = gzip ? "right.gz" : "right";
        f->files.gzip = gzip;
        assert_int_equal(write_file(f, key), STATUS_OK);
        assert_int_equal(store_turn_commit(f->world->store, NULL), STATUS_OK);
        struct span expected = sink_world_object_bytes(f->world, key, &right);
        char *bytes = malloc(expected.len);
        assert_non_null(bytes);
        memcpy(bytes, expected.ptr, expected.len);
        for (long n = 1; failed; n++) {
            sink_pool_release(&f->pool);
            alloc_fault_begin(n, ALLOC_FAILS_ONCE);
            enum status status = write_file(f, "tried");
            failed = alloc_fault_end();
            if (status != STATUS_OK && (status != STATUS_NO_MEMORY || !failed)) {
                fail_msg("allocation %ld: %s: %s", n, status_name(status), f->err.message);
            }
            enum status kept = store_turn_commit(f->world->store, NULL);
            if (status == STATUS_OK && kept == STATUS_OK) {
                struct span got = sink_world_object_bytes(f->world, "tried", &object);
                assert_int_equal(got.len, right.size);
                assert_memory_equal(got.ptr, bytes, got.len);
                assert_true(span_equal(object.etag, right.etag));
            }
            assert_int_equal(f->pool.open_streams, 0);
            assert_int_equal(f->files.open_own, 0);
        }
        free(bytes);
    }
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(so_many_streams_are_open_at_most),
        T(a_stream_that_was_not_opened_again_is_no_object),
        T(the_share_and_the_whole_bound_what_files_take),
        T(a_file_without_memory_is_whole_or_none),
    };
#undef T
    return cmocka_run_group_tests_name("sink_file", tests, NULL, NULL);
}
