/* Multipart uploads in the store: parts put, copied, replaced, listed, completed, aborted; and the
 * references they hold. */
#include "lake_fixture.h"
#include "store_internal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { CHUNK = STORE_CHUNK_BYTES };

static void settle(struct lake_fixture *f)
{
    lake_commit(f);
    lake_assert_whole(f);
    lake_sweep(f);
    lake_assert_whole(f);
}

/* --- uploads --- */

static enum status find_upload(struct lake_fixture *f, const char *key, const char *id,
                               struct store_upload *out)
{
    struct store_upload_place place = {f->bucket, span_from_cstr(key), span_from_cstr(id)};
    return store_upload_find(f->store, place, &f->arena, out, &f->err);
}

static void an_upload_comes_back_with_all_that_was_given(void **state)
{
    struct lake_fixture *f = *state;
    struct store_upload upload = {
        .id = SPAN_LIT("id-1"),
        .bucket_id = f->bucket,
        .key = SPAN_LIT("a/b"),
        .created_ms = 1700000000123,
        .headers = SPAN_LIT("content-type: text/csv\n"),
        .checksum_algorithm = SPAN_LIT("crc32 FULL_OBJECT"),
    };
    struct store_upload found;
    assert_int_equal(store_upload_create(f->store, &upload, &f->err), STATUS_OK);
    lake_commit(f);
    lake_reopen(f);
    assert_int_equal(find_upload(f, "a/b", "id-1", &found), STATUS_OK);
    assert_true(span_equal(found.id, upload.id));
    assert_true(span_equal(found.key, upload.key));
    assert_true(span_equal(found.headers, upload.headers));
    assert_true(span_equal(found.checksum_algorithm, upload.checksum_algorithm));
    assert_int_equal(found.created_ms, upload.created_ms);
    assert_int_equal(found.bucket_id, f->bucket);
    assert_int_equal(find_upload(f, "a", "id-1", &found), STATUS_NOT_FOUND);
    assert_int_equal(find_upload(f, "a/b", "id-2", &found), STATUS_NOT_FOUND);
    f->bucket++;
    assert_int_equal(find_upload(f, "a/b", "id-1", &found), STATUS_NOT_FOUND);
}

static void an_upload_is_found_whole_or_not_at_all(void **state)
{
    struct lake_fixture *f = *state;
    const struct store_upload upload = {
        .id = SPAN_LIT("id-1"),
        .bucket_id = f->bucket,
        .key = SPAN_LIT("a/b"),
        .created_ms = 1700000000123,
        .headers = SPAN_LIT("content-type: text/csv\n"),
        .checksum_algorithm = SPAN_LIT("crc32 FULL_OBJECT"),
    };
    const struct store_upload_place place = {f->bucket, upload.key, upload.id};
    size_t failures = 0;
    enum status status = STATUS_NO_MEMORY;
    assert_int_equal(store_upload_create(f->store, &upload, &f->err), STATUS_OK);
    for (size_t bytes = 0; status == STATUS_NO_MEMORY; bytes += 8) {
        struct store_upload found;
        struct arena arena;
        arena_init(&arena, bytes);
        status = store_upload_find(f->store, place, &arena, &found, &f->err);
        failures += status == STATUS_NO_MEMORY;
        if (status == STATUS_OK) {
            assert_true(span_equal(found.headers, upload.headers));
            assert_true(span_equal(found.checksum_algorithm, upload.checksum_algorithm));
        }
        arena_release(&arena);
    }
    assert_int_equal(status, STATUS_OK);
    assert_true(failures > 3);
}

static bool join_uploads(void *ctx, const struct store_upload *upload)
{
    char *text = ctx;
    size_t used = strlen(text);
    snprintf(text + used, 256 - used, "%.*s:%.*s ", SPAN_ARG(upload->key), SPAN_ARG(upload->id));
    return strstr(text, "stop") == NULL;
}

static const char *upload_list(struct lake_fixture *f, const char *after_key, const char *after_id)
{
    char *text = arena_alloc(&f->arena, 256);
    struct store_upload_range range = {f->bucket, span_from_cstr(after_key),
                                       span_from_cstr(after_id)};
    assert_int_equal(store_uploads_visit(f->store, range, join_uploads, text, &f->err), STATUS_OK);
    return text;
}

static void uploads_are_listed_by_key_and_id_behind_a_marker(void **state)
{
    struct lake_fixture *f = *state;
    lake_upload(f, "2", "b");
    lake_upload(f, "3", "a");
    lake_upload(f, "1", "b");
    lake_upload(f, "4", "c");
    lake_upload(f, "5", "b");
    assert_string_equal(upload_list(f, "", ""), "a:3 b:1 b:2 b:5 c:4 ");
    assert_string_equal(upload_list(f, "b", "1"), "b:2 b:5 c:4 ");
    assert_string_equal(upload_list(f, "b", ""), "c:4 ");
    assert_string_equal(upload_list(f, "aa", ""), "b:1 b:2 b:5 c:4 ");
    assert_string_equal(upload_list(f, "c", "4"), "");
    lake_upload(f, "stop", "aaa");
    assert_string_equal(upload_list(f, "", ""), "a:3 aaa:stop ");
    assert_int_equal(store_upload_abort(f->store, SPAN_LIT("stop"), &f->err), STATUS_OK);
    assert_string_equal(upload_list(f, "", ""), "a:3 b:1 b:2 b:5 c:4 ");
    settle(f);
}

/* --- parts --- */

static bool join_parts(void *ctx, const struct store_part *part)
{
    char *text = ctx;
    size_t used = strlen(text);
    snprintf(text + used, 256 - used, "%d:%llu ", (int)part->number,
             (unsigned long long)part->size);
    return part->number != 99;
}

static const char *part_list(struct lake_fixture *f, const char *id, int32_t after)
{
    char *text = arena_alloc(&f->arena, 256);
    assert_int_equal(
        store_parts_visit(f->store, span_from_cstr(id), after, join_parts, text, &f->err),
        STATUS_OK);
    return text;
}

static bool check_part(void *ctx, const struct store_part *part)
{
    struct lake_fixture *f = ctx;
    (void)f;
    assert_true(span_equal_cstr(part->etag, "tag"));
    assert_true(span_equal_cstr(part->checksum, "crc32 NhCmhg=="));
    assert_int_equal(part->modified_ms, 1700000000777);
    return true;
}

static void parts_are_listed_by_number(void **state)
{
    struct lake_fixture *f = *state;
    lake_upload(f, "u", "k");
    lake_part(f, "u", 10000, 1, 5);
    lake_part(f, "u", 2, 1, CHUNK);
    lake_part(f, "u", 1, 1, 0);
    lake_part(f, "u", 99, 1, 2 * CHUNK + 1);
    assert_string_equal(part_list(f, "u", 0), "1:0 2:65536 99:131073 ");
    assert_string_equal(part_list(f, "u", 99), "10000:5 ");
    assert_string_equal(part_list(f, "u", 10000), "");
    assert_string_equal(part_list(f, "other", 0), "");
    settle(f);
}

static void a_part_comes_back_with_all_that_was_given(void **state)
{
    struct lake_fixture *f = *state;
    struct store_part part = {.number = 7,
                              .etag = SPAN_LIT("tag"),
                              .checksum = SPAN_LIT("crc32 NhCmhg=="),
                              .modified_ms = 1700000000777};
    lake_upload(f, "u", "k");
    struct store_body *body = lake_body(f, false, 1, 3, 3);
    assert_int_equal(store_part_put(f->store, SPAN_LIT("u"), &part, body, &f->err), STATUS_OK);
    store_body_free(body);
    lake_commit(f);
    assert_int_equal(store_parts_visit(f->store, SPAN_LIT("u"), 0, check_part, f, &f->err),
                     STATUS_OK);
    assert_string_equal(part_list(f, "u", 0), "7:3 "); /* the body's size counts */
}

static void a_part_put_again_replaces_the_first(void **state)
{
    struct lake_fixture *f = *state;
    static const int32_t numbers[] = {1};
    lake_upload(f, "u", "k");
    lake_part(f, "u", 1, 1, 3 * CHUNK);
    lake_part(f, "u", 1, 2, 2 * CHUNK);
    settle(f);
    assert_int_equal(lake_query(f, "SELECT count(*) FROM chunk"), 2);
    assert_int_equal(lake_complete(f, "u", "k", numbers, 1), STATUS_OK);
    settle(f);
    lake_assert_object(f, "k", 2, 2 * CHUNK);
    assert_int_equal(lake_query(f, "SELECT count(*) FROM content"), 1); /* the part itself */
}

static void what_comes_too_late_for_its_upload_writes_nothing(void **state)
{
    struct lake_fixture *f = *state;
    struct store_part part = {.number = 1, .etag = SPAN_LIT("e")};
    static const int32_t numbers[] = {1};
    lake_put(f, "source", 1, 2 * CHUNK);
    lake_upload(f, "u", "k");
    lake_part(f, "u", 1, 1, CHUNK);
    struct store_body *body = lake_body(f, false, 1, 2 * CHUNK, CHUNK);
    assert_int_equal(store_upload_abort(f->store, SPAN_LIT("u"), &f->err), STATUS_OK);
    assert_int_equal(store_part_put(f->store, SPAN_LIT("u"), &part, body, &f->err),
                     STATUS_NOT_FOUND);
    store_body_free(body);
    assert_int_equal(lake_part_copy(f, "u", 2, "source", 0, 10), STATUS_NOT_FOUND);
    assert_int_equal(lake_complete(f, "u", "k", numbers, 1), STATUS_NOT_FOUND);
    assert_int_equal(store_upload_abort(f->store, SPAN_LIT("u"), &f->err), STATUS_NOT_FOUND);
    assert_string_equal(part_list(f, "u", 0), "");
    lake_delete(f, "source");
    settle(f);
    assert_int_equal(lake_rows(f->store->db.handle), 0);
}

/* --- completing --- */

static void completing_joins_the_parts_in_order(void **state)
{
    struct lake_fixture *f = *state;
    static const int32_t numbers[] = {2, 5, 9};
    lake_upload(f, "u", "k");
    lake_part(f, "u", 9, 3, 100);
    lake_part(f, "u", 2, 1, 2 * CHUNK + 10);
    lake_part(f, "u", 5, 2, CHUNK - 3);
    lake_commit(f);
    assert_int_equal(lake_complete(f, "u", "k", numbers, 3), STATUS_OK);
    settle(f);
    struct store_object object = lake_object(f, "k");
    assert_true(span_equal_cstr(object.upload_id, "u"));
    assert_int_equal(object.size, 3 * CHUNK + 107);
    lake_assert_bytes(f, object.id, 0, 2 * CHUNK + 10, 1, 0);
    lake_assert_bytes(f, object.id, 2 * CHUNK + 10, CHUNK - 3, 2, 0);
    lake_assert_bytes(f, object.id, 3 * CHUNK + 7, 100, 3, 0);
    lake_assert_bytes(f, object.id, 2 * CHUNK + 5, 5, 1, 2 * CHUNK + 5);
    lake_assert_bytes(f, object.id, 3 * CHUNK + 7, 1, 3, 0);
    assert_int_equal(lake_query(f, "SELECT count(*) FROM upload"), 0);
    assert_int_equal(lake_query(f, "SELECT count(*) FROM upload_part"), 0);
    assert_int_equal(lake_query(f, "SELECT count(*) FROM chunk"), 5); /* none was copied */
    lake_delete(f, "k");
    settle(f);
    assert_int_equal(lake_rows(f->store->db.handle), 0);
}

static void parts_that_are_not_listed_go(void **state)
{
    struct lake_fixture *f = *state;
    static const int32_t numbers[] = {2};
    lake_upload(f, "u", "k");
    for (int32_t i = 1; i <= 4; i++) {
        lake_part(f, "u", i, (unsigned)i, 2 * CHUNK);
    }
    lake_commit(f);
    assert_int_equal(lake_complete(f, "u", "k", numbers, 1), STATUS_OK);
    settle(f);
    lake_assert_object(f, "k", 2, 2 * CHUNK);
    assert_int_equal(lake_query(f, "SELECT count(*) FROM chunk"), 2);
}

static void a_missing_part_changes_nothing(void **state)
{
    struct lake_fixture *f = *state;
    static const int32_t missing[] = {1, 2};
    static const int32_t numbers[] = {1};
    lake_put_text(f, "k", "old");
    lake_upload(f, "u", "k");
    lake_part(f, "u", 1, 1, 2 * CHUNK);
    lake_commit(f);
    assert_int_equal(lake_complete(f, "u", "k", missing, 2), STATUS_NOT_FOUND);
    assert_false(store_turn_has_writes(f->store));
    assert_string_equal(lake_text(f, "k"), "old");
    assert_int_equal(lake_complete(f, "u", "k", numbers, 1), STATUS_OK);
    settle(f);
    lake_assert_object(f, "k", 1, 2 * CHUNK);
}

static void an_upload_of_one_empty_part_is_an_empty_object(void **state)
{
    struct lake_fixture *f = *state;
    static const int32_t numbers[] = {1, 2};
    lake_upload(f, "u", "k");
    lake_part(f, "u", 1, 1, 0);
    lake_part(f, "u", 2, 1, 0);
    assert_int_equal(lake_complete(f, "u", "k", numbers, 2), STATUS_OK);
    settle(f);
    assert_int_equal(lake_object(f, "k").size, 0);
    assert_string_equal(lake_text(f, "k"), "");
    lake_delete(f, "k");
    settle(f);
    assert_int_equal(lake_rows(f->store->db.handle), 0);
}

static void ten_thousand_parts_are_one_object(void **state)
{
    struct lake_fixture *f = *state;
    int32_t *numbers = calloc(STORE_PART_NUMBER_MAX, sizeof(*numbers));
    assert_non_null(numbers);
    lake_upload(f, "u", "k");
    for (int32_t i = 0; i < STORE_PART_NUMBER_MAX; i++) {
        numbers[i] = i + 1;
        lake_part(f, "u", i + 1, (unsigned)i, 100 + (uint64_t)i % 3);
    }
    lake_commit(f);
    assert_int_equal(lake_complete(f, "u", "k", numbers, STORE_PART_NUMBER_MAX), STATUS_OK);
    lake_copy(f, "k", "copy");
    free(numbers);
    settle(f);
    struct store_object object = lake_object(f, "copy");
    uint64_t at = 0;
    for (int32_t i = 0; i < STORE_PART_NUMBER_MAX; i++) {
        uint64_t size = 100 + (uint64_t)i % 3;
        if (i % 97 == 0 || i == STORE_PART_NUMBER_MAX - 1) {
            lake_assert_bytes(f, object.id, at, size, (unsigned)i, 0);
        }
        at += size;
    }
    assert_int_equal(object.size, at);
    lake_delete(f, "k");
    lake_delete(f, "copy");
    settle(f);
    assert_int_equal(lake_rows(f->store->db.handle), 0);
}

/* --- parts copied from ranges --- */

/* k: bytes of seed 1, of seed 2, of seed 3, two and a half chunks each. */
enum { THIRD = 2 * CHUNK + CHUNK / 2 };

static void put_in_three_parts(struct lake_fixture *f, const char *key)
{
    static const int32_t numbers[] = {1, 2, 3};
    lake_upload(f, "three", key);
    for (int32_t i = 1; i <= 3; i++) {
        lake_part(f, "three", i, (unsigned)i, THIRD);
    }
    assert_int_equal(lake_complete(f, "three", key, numbers, 3), STATUS_OK);
    settle(f);
}

static void any_range_of_any_object_can_be_a_part(void **state)
{
    struct lake_fixture *f = *state;
    static const int32_t numbers[] = {1};
    static const struct {
        uint64_t start;
        uint64_t size;
    } cases[] = {
        {0, 3 * THIRD},         {0, THIRD},     {THIRD, THIRD},     {THIRD, 2 * THIRD},
        {1, 3 * THIRD - 1},     {0, 1},         {3 * THIRD - 1, 1}, {THIRD - 1, 2},
        {THIRD - 1, THIRD + 2}, {CHUNK, CHUNK}, {THIRD + 7, 100},   {5, 0},
    };
    put_in_three_parts(f, "three");
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        uint64_t start = cases[i].start;
        uint64_t end = start + cases[i].size;
        lake_upload(f, "u", "k");
        assert_int_equal(lake_part_copy(f, "u", 1, "three", start, cases[i].size), STATUS_OK);
        lake_commit(f);
        lake_assert_whole(f);
        assert_int_equal(lake_complete(f, "u", "k", numbers, 1), STATUS_OK);
        settle(f);
        struct store_object object = lake_object(f, "k");
        assert_int_equal(object.size, cases[i].size);
        for (uint64_t at = start; at < end;) {
            uint64_t third = at / THIRD;
            uint64_t stop = (third + 1) * THIRD < end ? (third + 1) * THIRD : end;
            lake_assert_bytes(f, object.id, at - start, stop - at, (unsigned)third + 1,
                              at - third * THIRD);
            at = stop;
        }
    }
    assert_int_equal(lake_query(f, "SELECT count(*) FROM chunk"), 9); /* none was copied */
    lake_delete(f, "three");
    lake_delete(f, "k");
    settle(f);
    assert_int_equal(lake_rows(f->store->db.handle), 0);
}

static void ranges_of_small_objects_can_be_parts_too(void **state)
{
    struct lake_fixture *f = *state;
    static const int32_t numbers[] = {1, 2, 3};
    lake_put(f, "small", 1, 1000);
    lake_put(f, "plain", 2, 3 * CHUNK);
    lake_upload(f, "u", "k");
    assert_int_equal(lake_part_copy(f, "u", 1, "small", 0, 1000), STATUS_OK);
    assert_int_equal(lake_part_copy(f, "u", 2, "small", 10, 7), STATUS_OK);
    assert_int_equal(lake_part_copy(f, "u", 3, "plain", CHUNK - 1, 2), STATUS_OK);
    assert_int_equal(lake_complete(f, "u", "k", numbers, 3), STATUS_OK);
    lake_delete(f, "small");
    lake_delete(f, "plain");
    settle(f);
    int64_t id = lake_object(f, "k").id;
    lake_assert_bytes(f, id, 0, 1000, 1, 0);
    lake_assert_bytes(f, id, 1000, 7, 1, 10);
    lake_assert_bytes(f, id, 1007, 2, 2, CHUNK - 1);
}

static void a_range_beyond_the_object_is_invalid(void **state)
{
    struct lake_fixture *f = *state;
    struct store_part part = {.number = 1, .size = 1, .etag = SPAN_LIT("e")};
    static const char *const keys[] = {"small", "large"};
    static const uint64_t sizes[] = {100, 2 * CHUNK};
    lake_upload(f, "u", "k");
    for (size_t i = 0; i < ARRAY_COUNT(keys); i++) {
        lake_put(f, keys[i], 1, sizes[i]);
        assert_int_equal(lake_part_copy(f, "u", 1, keys[i], 0, sizes[i] + 1), STATUS_INVALID);
        assert_int_equal(lake_part_copy(f, "u", 1, keys[i], sizes[i] + 1, 0), STATUS_INVALID);
        assert_int_equal(lake_part_copy(f, "u", 1, keys[i], UINT64_MAX, 2), STATUS_INVALID);
        assert_int_equal(lake_part_copy(f, "u", 1, keys[i], 2, UINT64_MAX), STATUS_INVALID);
    }
    assert_int_equal(store_part_copy(f->store, SPAN_LIT("u"), &part, 999, 0, &f->err),
                     STATUS_NOT_FOUND);
    assert_string_equal(part_list(f, "u", 0), "");
    settle(f);
}

static void one_content_may_be_linked_by_many_parts_of_one_upload(void **state)
{
    struct lake_fixture *f = *state;
    static const int32_t numbers[] = {1, 2, 3};
    lake_put(f, "a", 1, 2 * CHUNK);
    lake_upload(f, "u", "k");
    for (int32_t i = 1; i <= 4; i++) {
        assert_int_equal(lake_part_copy(f, "u", i, "a", 0, 2 * CHUNK), STATUS_OK);
    }
    assert_int_equal(lake_query(f, "SELECT refs FROM content"), 5);
    lake_delete(f, "a");
    lake_commit(f);
    assert_int_equal(lake_complete(f, "u", "k", numbers, 3), STATUS_OK);
    settle(f);
    int64_t id = lake_object(f, "k").id;
    for (uint64_t i = 0; i < 3; i++) {
        lake_assert_bytes(f, id, i * 2 * CHUNK, 2 * CHUNK, 1, 0);
    }
    assert_int_equal(lake_query(f, "SELECT count(*) FROM chunk"), 2);
}

/* Each round the object is itself and one byte more, in one piece more. */
static void bytes_in_too_many_pieces_are_refused(void **state)
{
    struct lake_fixture *f = *state;
    static const int32_t numbers[] = {1, 2};
    char id[32];
    lake_put(f, "k", 1, 2 * CHUNK);
    int round = 0;
    enum status status = STATUS_OK;
    while (status == STATUS_OK && round < 20) {
        struct store_object object = lake_object(f, "k");
        snprintf(id, sizeof(id), "u%d", round++);
        lake_upload(f, id, "k");
        assert_int_equal(lake_part_copy(f, id, 1, "k", 1, object.size - 1), STATUS_OK);
        assert_int_equal(lake_part_copy(f, id, 2, "k", 0, object.size - 1), STATUS_OK);
        status = lake_complete(f, id, "k", numbers, 2);
        lake_commit(f);
    }
    assert_int_equal(status, STATUS_LIMIT);
    assert_int_equal(round, 17); /* 2^16 pieces fit, 2^17 do not */
    lake_assert_bytes(f, lake_object(f, "k").id, 0, 10, 1, 16);
    lake_assert_whole(f);
    assert_int_equal(store_upload_abort(f->store, span_from_cstr(id), &f->err), STATUS_OK);
    lake_delete(f, "k");
    settle(f);
    assert_int_equal(lake_rows(f->store->db.handle), 0);
}

/* --- the end of uploads --- */

static void an_aborted_upload_leaves_nothing(void **state)
{
    struct lake_fixture *f = *state;
    struct store_upload found;
    lake_upload(f, "u", "k");
    lake_upload(f, "v", "k");
    lake_part(f, "u", 1, 1, 2 * CHUNK);
    lake_part(f, "v", 1, 2, 2 * CHUNK);
    lake_part(f, "u", 2, 3, 10);
    lake_commit(f);
    assert_int_equal(store_upload_abort(f->store, SPAN_LIT("u"), &f->err), STATUS_OK);
    assert_int_equal(find_upload(f, "k", "u", &found), STATUS_NOT_FOUND);
    settle(f);
    assert_int_equal(lake_query(f, "SELECT count(*) FROM upload"), 1);
    assert_int_equal(lake_query(f, "SELECT count(*) FROM content"), 1);
    assert_string_equal(part_list(f, "v", 0), "1:131072 ");
}

static void a_bucket_takes_its_unfinished_uploads_with_it(void **state)
{
    struct lake_fixture *f = *state;
    struct store_upload found;
    lake_upload(f, "u", "k");
    lake_upload(f, "v", "l");
    lake_part(f, "u", 1, 1, 2 * CHUNK);
    lake_commit(f);
    assert_int_equal(store_bucket_delete(f->store, f->bucket, &f->err), STATUS_OK);
    assert_int_equal(find_upload(f, "k", "u", &found), STATUS_NOT_FOUND);
    assert_string_equal(upload_list(f, "", ""), "");
    settle(f);
    assert_int_equal(lake_query(f, "SELECT count(*) FROM upload"), 0);
    assert_int_equal(lake_rows(f->store->db.handle), 0);
}

static void a_rolled_back_completion_leaves_the_upload_as_it_was(void **state)
{
    struct lake_fixture *f = *state;
    static const int32_t numbers[] = {1, 2};
    lake_put(f, "k", 9, 3 * CHUNK);
    lake_upload(f, "u", "k");
    lake_part(f, "u", 1, 1, 2 * CHUNK);
    lake_part(f, "u", 2, 2, 2 * CHUNK);
    lake_commit(f);
    assert_int_equal(lake_complete(f, "u", "k", numbers, 2), STATUS_OK);
    lake_fail_turn(f);
    lake_sweep(f);
    lake_assert_whole(f);
    lake_assert_object(f, "k", 9, 3 * CHUNK);
    assert_string_equal(part_list(f, "u", 0), "1:131072 2:131072 ");
    assert_int_equal(lake_complete(f, "u", "k", numbers, 2), STATUS_OK);
    settle(f);
    lake_assert_bytes(f, lake_object(f, "k").id, 2 * CHUNK, 2 * CHUNK, 2, 0);
    assert_int_equal(lake_query(f, "SELECT count(*) FROM chunk"), 4);
}

static void the_first_write_of_a_run_may_copy_a_part_from_a_small_object(void **state)
{
    struct lake_fixture *f = *state;
    lake_put_text(f, "small", "text");
    lake_upload(f, "u", "k");
    lake_commit(f);
    lake_reopen(f);
    struct store_object small = lake_object(f, "small");
    struct store_part part = {.number = 1, .size = 4, .etag = SPAN_LIT("e"), .modified_ms = 1};
    assert_int_equal(store_part_copy(f->store, SPAN_LIT("u"), &part, small.id, 0, &f->err),
                     STATUS_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LAKE_FILE_TEST(an_upload_comes_back_with_all_that_was_given),
        LAKE_FILE_TEST(an_upload_is_found_whole_or_not_at_all),
        LAKE_FILE_TEST(uploads_are_listed_by_key_and_id_behind_a_marker),
        LAKE_FILE_TEST(parts_are_listed_by_number),
        LAKE_FILE_TEST(a_part_comes_back_with_all_that_was_given),
        LAKE_FILE_TEST(a_part_put_again_replaces_the_first),
        LAKE_MEMORY_TEST(a_part_put_again_replaces_the_first),
        LAKE_FILE_TEST(what_comes_too_late_for_its_upload_writes_nothing),
        LAKE_FILE_TEST(completing_joins_the_parts_in_order),
        LAKE_MEMORY_TEST(completing_joins_the_parts_in_order),
        LAKE_FILE_TEST(parts_that_are_not_listed_go),
        LAKE_FILE_TEST(a_missing_part_changes_nothing),
        LAKE_FILE_TEST(an_upload_of_one_empty_part_is_an_empty_object),
        LAKE_FILE_TEST(ten_thousand_parts_are_one_object),
        LAKE_FILE_TEST(any_range_of_any_object_can_be_a_part),
        LAKE_FILE_TEST(ranges_of_small_objects_can_be_parts_too),
        LAKE_FILE_TEST(the_first_write_of_a_run_may_copy_a_part_from_a_small_object),
        LAKE_FILE_TEST(a_range_beyond_the_object_is_invalid),
        LAKE_FILE_TEST(one_content_may_be_linked_by_many_parts_of_one_upload),
        LAKE_MEMORY_TEST(bytes_in_too_many_pieces_are_refused),
        LAKE_FILE_TEST(an_aborted_upload_leaves_nothing),
        LAKE_FILE_TEST(a_bucket_takes_its_unfinished_uploads_with_it),
        LAKE_FILE_TEST(a_rolled_back_completion_leaves_the_upload_as_it_was),
    };
    return cmocka_run_group_tests_name("store_uploads", tests, NULL, NULL);
}
