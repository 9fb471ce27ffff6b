/* The small helpers under everything: buffers, arenas, errors, logs, files, control documents. */
#include "arena.h"
#include "buf.h"
#include "error.h"
#include "file.h"
#include "json.h"
#include "log.h"
#include "temp_dir.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

static void a_buffer_stops_at_its_ceiling_and_says_so(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 10);
    buf_append_cstr(&b, "12345");
    buf_append_cstr(&b, "67890");
    assert_true(buf_ok(&b));
    buf_append_byte(&b, 'x');
    assert_false(buf_ok(&b));
    buf_append_cstr(&b, "");
    assert_int_equal(b.len, 10);
    assert_string_equal(buf_cstr(&b), "1234567890");
    buf_reset(&b);
    assert_true(buf_ok(&b));
    buf_printf(&b, "%d-%s", 12, "abc");
    buf_consume(&b, 3);
    assert_string_equal(buf_cstr(&b), "abc");
    buf_printf(&b, "%s", "too long for the rest");
    assert_false(buf_ok(&b));
    buf_release(&b);
    assert_string_equal(buf_cstr(&b), "");
}

static void a_buffer_tells_a_lack_of_memory_from_its_ceiling(void **state)
{
    (void)state;
    struct buf full;
    struct buf poor;
    struct error err;
    buf_init(&full, 2);
    buf_init(&poor, 100);
    buf_append_cstr(&full, "xyz");
    assert_int_equal(buf_error(&full, &err, STATUS_LIMIT, "more than %d", 2), STATUS_LIMIT);
    assert_string_equal(err.message, "more than 2");
    buf_no_memory(&poor);
    assert_false(buf_ok(&poor));
    assert_int_equal(buf_error(&poor, &err, STATUS_LIMIT, "more than %d", 2), STATUS_NO_MEMORY);
    assert_string_equal(err.message, "out of memory");
    buf_reset(&full);
    buf_inherit(&full, &poor);
    assert_int_equal(buf_error(&full, &err, STATUS_LIMIT, "more"), STATUS_NO_MEMORY);
    buf_reset(&full);
    assert_true(buf_ok(&full) && !full.no_memory);
    buf_release(&full);
    buf_release(&poor);
}

/* Room that is asked for at once is no more than that; what grows bit by bit grows by halves. */
static void a_buffer_takes_what_it_is_asked_for_and_gives_it_back(void **state)
{
    struct buf b;
    (void)state;
    buf_init(&b, 1 << 20);
    assert_true(buf_reserve(&b, 100000));
    assert_int_equal(b.cap, 100001);
    buf_append(&b, "some bytes", 10);
    buf_shrink(&b, 200000);
    assert_int_equal(b.cap, 100001);
    buf_shrink(&b, 4096);
    assert_int_equal(b.cap, 4096);
    buf_shrink(&b, 5); /* what is in it stays */
    assert_int_equal(b.cap, 11);
    assert_string_equal(buf_cstr(&b), "some bytes");
    buf_append(&b, "!", 1);
    assert_string_equal(buf_cstr(&b), "some bytes!");
    buf_release(&b);
    buf_shrink(&b, 0);
    assert_null(b.ptr);
}

static void numbers_are_appended_to_their_last_digit(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 100);
    buf_append_i64(&b, INT64_MIN);
    buf_append_byte(&b, ' ');
    buf_append_u64(&b, UINT64_MAX);
    buf_append_byte(&b, ' ');
    buf_append_i64(&b, 0);
    assert_string_equal(buf_cstr(&b), "-9223372036854775808 18446744073709551615 0");
    buf_release(&b);
}

static void an_arena_gives_zeroed_aligned_memory_up_to_its_ceiling(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a, 64 * 1024);
    char *small = arena_alloc(&a, 3);
    char *large = arena_alloc(&a, 20000);
    assert_non_null(small);
    assert_non_null(large);
    assert_int_equal((uintptr_t)large % 16, 0);
    for (size_t i = 0; i < 20000; i++) {
        assert_int_equal(large[i], 0);
    }
    assert_null(arena_alloc(&a, 64 * 1024));
    assert_null(arena_alloc_array(&a, SIZE_MAX / 2, 4));
    assert_null(arena_alloc(&a, SIZE_MAX));
    assert_string_equal(arena_printf(&a, "%s %d", "row", 7), "row 7");
    memset(small, 'x', 3);
    assert_in_range(a.held_bytes, 20000 + 4096, 20000 + 4096 + 4096 + 200);
    arena_reset(&a);
    assert_int_equal(a.used_bytes, 0);
    assert_in_range(a.held_bytes, 0, 4096 + 100);
    char *again = arena_alloc(&a, 64);
    for (size_t i = 0; i < 64; i++) {
        assert_int_equal(again[i], 0);
    }
    arena_release(&a);
}

static void an_array_grows_in_an_arena_and_stays_as_it_was_at_the_ceiling(void **state)
{
    enum { count = 1000 };
    struct arena a;
    int *items = NULL;
    size_t capacity = 0;
    (void)state;
    arena_init(&a, 64 * 1024);
    for (size_t i = 0; i < count; i++) {
        assert_true(ARENA_GROW(&a, items, capacity, i + 1));
        assert_true(capacity > i);
        items[i] = (int)i;
    }
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(items[i], i);
    }
    for (size_t i = count; i < capacity; i++) {
        assert_int_equal(items[i], 0);
    }
    const int *before = items;
    size_t held = capacity;
    assert_false(ARENA_GROW(&a, items, capacity, 64 * 1024));
    assert_false(ARENA_GROW(&a, items, capacity, SIZE_MAX));
    assert_ptr_equal(items, before);
    assert_int_equal(capacity, held);
    arena_release(&a);
}

static void errors_gain_context_in_front_and_never_overflow(void **state)
{
    (void)state;
    struct error err;
    assert_int_equal(error_set(&err, STATUS_CONFIG, "port %d", 80), STATUS_CONFIG);
    assert_int_equal(error_prefix(&err, "serve"), STATUS_CONFIG);
    assert_string_equal(err.message, "serve: port 80");
    for (int i = 0; i < 200; i++) {
        error_prefix(&err, "context %d", i);
    }
    assert_true(strlen(err.message) < sizeof(err.message));
    assert_int_equal(error_set_errno(&err, ENOSPC, "write"), STATUS_DISK_FULL);
    assert_int_equal(error_set_errno(NULL, ENOMEM, "write"), STATUS_NO_MEMORY);
    assert_int_equal(error_set_errno(&err, EIO, "%s", "f"), STATUS_IO);
    assert_int_equal(status_exit_code(STATUS_UNREACHABLE), 3);
    assert_string_equal(status_name(STATUS_DISK_FULL), "DISK_FULL");
}

static void logs_are_filtered_by_area_and_escape_control_characters(void **state)
{
    (void)state;
    struct env env;
    struct log log;
    struct error err;
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    env_init_virtual(&env, 1, INT64_C(1700000000123456));
    log_init(&log, &env, out, LOG_INFO);
    assert_int_equal(log_configure(&log, "warn,http:debug", &err), STATUS_OK);
    LOG_INFOF(&log, "store", "not wanted");
    LOG_DEBUGF(&log, "http", "a\x1b[31mb\n%s", "c");
    LOG_ERRORF(&log, "store", "bad");
    fclose(out);
    assert_string_equal(text, "2023-11-14T22:13:20.123Z debug http    a\\x1b[31mb\\x0ac\n"
                              "2023-11-14T22:13:20.123Z error store   bad\n");
    free(text);
    assert_int_equal(log_configure(&log, "http:loud", &err), STATUS_INVALID);
    assert_int_equal(log_configure(&log, "an-area-with-a-long-name:info", &err), STATUS_INVALID);
}

static void files_are_read_whole_or_refused_and_replaced_in_one_step(void **state)
{
    (void)state;
    struct temp_dir dir;
    struct error err;
    struct buf text;
    struct stat facts;
    char path[512];
    char folder[512];
    temp_dir_make(&dir);
    temp_dir_path(&dir, "deep/er/file", path, sizeof(path));
    temp_dir_path(&dir, "deep/er", folder, sizeof(folder));
    buf_init(&text, 8);
    assert_int_equal(file_read(path, &text, &err), STATUS_NOT_FOUND);
    assert_int_equal(file_make_directory(folder, &err), STATUS_OK);
    assert_int_equal(file_make_directory(folder, &err), STATUS_OK);
    assert_int_equal(file_replace(path, SPAN_LIT("12345678"), 0600, &err), STATUS_OK);
    assert_int_equal(file_read(path, &text, &err), STATUS_OK);
    assert_string_equal(buf_cstr(&text), "12345678");
    assert_int_equal(stat(path, &facts), 0);
    assert_int_equal(facts.st_mode & 0777, 0600);
    assert_int_equal(file_replace(path, SPAN_LIT("123456789"), 0600, &err), STATUS_OK);
    buf_reset(&text);
    assert_int_equal(file_read(path, &text, &err), STATUS_LIMIT);
    assert_int_equal(file_make_directory(path, &err), STATUS_INVALID);
    buf_release(&text);
    temp_dir_remove(&dir);
}

static void control_documents_are_read_strictly(void **state)
{
    (void)state;
    struct json_doc *doc;
    struct error err;
    const char *text;
    int64_t number;
    bool truth;
    assert_int_equal(
        json_doc_parse(SPAN_LIT("{\"a\":[1,\"x\",true],\"big\":9007199254740993}\n"), &doc, &err),
        STATUS_OK);
    const struct json_node *list = json_node_get(json_doc_root(doc), "a");
    assert_int_equal(json_node_count(list), 3);
    assert_true(json_node_i64(json_node_at(list, 0), &number) && number == 1);
    assert_true(json_node_string(json_node_at(list, 1), &text));
    assert_true(json_node_bool(json_node_at(list, 2), &truth) && truth);
    assert_false(json_node_bool(json_node_at(list, 1), &truth));
    assert_false(json_node_string(json_node_at(list, 9), &text));
    assert_null(json_node_get(list, "a"));
    assert_null(json_node_get(json_doc_root(doc), "A"));
    json_doc_free(doc);
    assert_int_equal(json_doc_parse(SPAN_LIT("{} x"), &doc, &err), STATUS_INVALID);
    assert_int_equal(json_doc_parse(SPAN_LIT("{"), &doc, &err), STATUS_INVALID);
    assert_int_equal(json_doc_parse(SPAN_LIT("\"\xff\""), &doc, &err), STATUS_INVALID);
    assert_int_equal(json_doc_parse(SPAN_LIT(""), &doc, &err), STATUS_INVALID);
}

static void uuids_and_bounded_numbers_repeat_with_the_seed(void **state)
{
    (void)state;
    struct env a;
    struct env b;
    char first[ENV_UUID_BYTES];
    char second[ENV_UUID_BYTES];
    env_init_seeded(&a, 7);
    env_init_seeded(&b, 7);
    for (int i = 0; i < 100; i++) {
        env_uuid(&a, first);
        env_uuid(&b, second);
        assert_string_equal(first, second);
        assert_int_equal(first[14], '4');
        assert_non_null(strchr("89ab", first[19]));
        assert_true(env_random_below(&a, 10) < 10);
        env_random_below(&b, 10);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_buffer_stops_at_its_ceiling_and_says_so),
        cmocka_unit_test(a_buffer_tells_a_lack_of_memory_from_its_ceiling),
        cmocka_unit_test(a_buffer_takes_what_it_is_asked_for_and_gives_it_back),
        cmocka_unit_test(numbers_are_appended_to_their_last_digit),
        cmocka_unit_test(an_arena_gives_zeroed_aligned_memory_up_to_its_ceiling),
        cmocka_unit_test(an_array_grows_in_an_arena_and_stays_as_it_was_at_the_ceiling),
        cmocka_unit_test(errors_gain_context_in_front_and_never_overflow),
        cmocka_unit_test(logs_are_filtered_by_area_and_escape_control_characters),
        cmocka_unit_test(files_are_read_whole_or_refused_and_replaced_in_one_step),
        cmocka_unit_test(control_documents_are_read_strictly),
        cmocka_unit_test(uuids_and_bounded_numbers_repeat_with_the_seed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
