/* The names in a zip, by its directory alone: as zip tools write it, and broken. The zips are
 * written byte by byte. */
#include "zip_directory.h"
#include "zip_writer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { file_max = 32 * 1024 * 1024, names_max = 64 * 1024 };

struct fixture {
    struct buf file;
    struct buf names; /* visited, each with a '|' behind it */
    size_t visited;
    size_t stop_after; /* 0: never */
    uint64_t bytes_read;
    size_t largest_read;
    bool fail_reads;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    buf_init(&f->file, file_max);
    buf_init(&f->names, names_max);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    buf_release(&f->file);
    buf_release(&f->names);
    free(f);
    return 0;
}

static void write_zip(struct fixture *f, const char *names, const char *comment)
{
    buf_reset(&f->file);
    zip_append(&f->file, names, comment);
}

/* --- reading --- */

static bool read_file(void *ctx, uint64_t offset, size_t len, struct buf *out)
{
    struct fixture *f = ctx;
    assert_true(offset <= f->file.len && len <= f->file.len - offset);
    f->bytes_read += len;
    f->largest_read = len > f->largest_read ? len : f->largest_read;
    buf_append(out, f->file.ptr + offset, len);
    return !f->fail_reads;
}

static bool take_name(void *ctx, struct span name)
{
    struct fixture *f = ctx;
    buf_append_span(&f->names, name);
    buf_append_byte(&f->names, '|');
    return ++f->visited != f->stop_after;
}

static enum zip_outcome visit(struct fixture *f)
{
    struct zip_source source = {.size = f->file.len, .read = read_file, .ctx = f};
    buf_reset(&f->names);
    f->visited = 0;
    return zip_directory_visit(&source, take_name, f);
}

static void every_name_is_visited_in_order(void **state)
{
    struct fixture *f = *state;
    write_zip(f, "a/|a/b.jar|\xc3\xa9", "");
    assert_int_equal(visit(f), ZIP_READ);
    assert_string_equal(buf_cstr(&f->names), "a/|a/b.jar|\xc3\xa9|");
    write_zip(f, "", "");
    assert_int_equal(visit(f), ZIP_READ);
    assert_string_equal(buf_cstr(&f->names), "");
}

static void the_visit_ends_when_it_has_seen_enough(void **state)
{
    struct fixture *f = *state;
    write_zip(f, "a|b|c", "");
    f->stop_after = 2;
    assert_int_equal(visit(f), ZIP_READ);
    assert_string_equal(buf_cstr(&f->names), "a|b|");
}

static void a_comment_may_look_like_an_end(void **state)
{
    struct fixture *f = *state;
    write_zip(f, "a", "PK\005\006 and so on, long enough for a record of its own");
    assert_int_equal(visit(f), ZIP_READ);
    assert_string_equal(buf_cstr(&f->names), "a|");
}

static void zip64_stands_before_the_end(void **state)
{
    struct fixture *f = *state;
    zip_entry_append(&f->file, SPAN_LIT("big"), 0);
    uint64_t size = f->file.len;
    uint64_t end64 = f->file.len;
    zip_number_append(&f->file, 0x06064b50, 4);
    zip_number_append(&f->file, 0, 36);
    zip_number_append(&f->file, size, 8);
    zip_number_append(&f->file, 0, 8);
    zip_number_append(&f->file, 0x07064b50, 4);
    zip_number_append(&f->file, 0, 4);
    zip_number_append(&f->file, end64, 8);
    zip_number_append(&f->file, 1, 4);
    zip_end_append(&f->file, UINT32_MAX, UINT32_MAX, "");
    assert_int_equal(visit(f), ZIP_READ);
    assert_string_equal(buf_cstr(&f->names), "big|");
    f->file.ptr[end64 + 60 + 7] = 1; /* the locator now points far beyond the end */
    assert_int_equal(visit(f), ZIP_BROKEN);
}

static void what_is_no_zip_is_said_to_be_broken(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(visit(f), ZIP_BROKEN);
    buf_append_cstr(&f->file, "just some text that is longer than an end record would be");
    assert_int_equal(visit(f), ZIP_BROKEN);
    buf_reset(&f->file);
    zip_end_append(&f->file, 10, 0, ""); /* a directory that is not there */
    assert_int_equal(visit(f), ZIP_BROKEN);
    buf_reset(&f->file);
    zip_end_append(&f->file, UINT32_MAX, 0, ""); /* zip64 that is not there */
    assert_int_equal(visit(f), ZIP_BROKEN);
    buf_reset(&f->file);
    buf_append_cstr(&f->file, "a directory of something else, which is long enough");
    zip_end_append(&f->file, 50, 0, "");
    assert_int_equal(visit(f), ZIP_BROKEN);
}

static void a_zip_cut_at_any_byte_is_broken(void **state)
{
    struct fixture *f = *state;
    write_zip(f, "a|b", "");
    size_t whole = f->file.len;
    for (size_t len = 0; len < whole; len++) {
        f->file.len = len;
        assert_int_equal(visit(f), ZIP_BROKEN);
    }
}

static void a_name_that_claims_too_much_is_broken(void **state)
{
    struct fixture *f = *state;
    write_zip(f, "a", "");
    f->file.ptr[sizeof("the files themselves") - 1 + 29] = 0x7f;
    assert_int_equal(visit(f), ZIP_BROKEN);
    assert_int_equal(f->visited, 0);
}

static void a_large_directory_is_read_in_windows(void **state)
{
    enum { entries = 3000, extra = 4000 };
    struct fixture *f = *state;
    for (int i = 0; i < entries; i++) {
        zip_entry_append(&f->file, SPAN_LIT("n"), extra);
    }
    uint64_t size = f->file.len;
    zip_end_append(&f->file, size, 0, "");
    assert_int_equal(visit(f), ZIP_READ);
    assert_int_equal(f->visited, entries);
    assert_true(f->largest_read <= 128 * 1024);
    assert_true(f->bytes_read < size + 256 * 1024);
}

static void a_directory_beyond_the_limit_is_not_read(void **state)
{
    struct fixture *f = *state;
    while (f->file.len <= ZIP_DIRECTORY_BYTES_MAX) {
        zip_entry_append(&f->file, SPAN_LIT("n"), 60000);
    }
    zip_end_append(&f->file, f->file.len, 0, "");
    assert_int_equal(visit(f), ZIP_TOO_LARGE);
    assert_true(f->bytes_read < 128 * 1024);
}

static void a_read_that_fails_is_told_apart(void **state)
{
    struct fixture *f = *state;
    write_zip(f, "a", "");
    f->fail_reads = true;
    assert_int_equal(visit(f), ZIP_FAILED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        T(every_name_is_visited_in_order),           T(the_visit_ends_when_it_has_seen_enough),
        T(a_comment_may_look_like_an_end),           T(zip64_stands_before_the_end),
        T(what_is_no_zip_is_said_to_be_broken),      T(a_zip_cut_at_any_byte_is_broken),
        T(a_name_that_claims_too_much_is_broken),    T(a_large_directory_is_read_in_windows),
        T(a_directory_beyond_the_limit_is_not_read), T(a_read_that_fails_is_told_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
