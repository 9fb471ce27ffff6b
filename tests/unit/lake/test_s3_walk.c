/* A directory in the order of keys, and which keys are paths. */
#include "file.h"
#include "s3_sync.h"
#include "s3_walk.h"
#include "temp_dir.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum { text_max = 64 * 1024, path_max = 512 };

static void write_file(const struct temp_dir *dir, const char *name)
{
    char path[path_max];
    struct error err;
    temp_dir_path(dir, name, path, sizeof(path));
    assert_int_equal(file_replace(path, span_from_cstr(name), 0600, &err), STATUS_OK);
}

static void make_directory(const struct temp_dir *dir, const char *name)
{
    char path[path_max];
    temp_dir_path(dir, name, path, sizeof(path));
    assert_int_equal(mkdir(path, 0700), 0);
}

static void make_link(const struct temp_dir *dir, const char *target, const char *name)
{
    char path[path_max];
    temp_dir_path(dir, name, path, sizeof(path));
    assert_int_equal(symlink(target, path), 0);
}

static void gather_note(void *ctx, const char *text)
{
    struct buf *notes = ctx;
    const char *name = strrchr(text, '/');
    buf_printf(notes, "%s|", name != NULL ? name + 1 : text);
}

static void files_come_in_the_order_of_keys(void **state)
{
    struct temp_dir dir;
    struct s3_walk *walk = NULL;
    struct s3_walk_file file;
    struct buf seen;
    struct buf notes;
    struct error err;
    bool more = true;
    (void)state;
    temp_dir_make(&dir);
    make_directory(&dir, "a");
    make_directory(&dir, "a/deep");
    make_directory(&dir, "empty");
    static const char *const names[] = {"a/z", "a-b", "a.b", "a/deep/x", "B", "a0", "\xc3\xa9"};
    for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
        write_file(&dir, names[i]);
    }
    make_link(&dir, "B", "linked");
    make_link(&dir, "a", "loop");
    make_link(&dir, "nowhere", "dangling");
    buf_init(&seen, text_max);
    buf_init(&notes, text_max);
    assert_int_equal(s3_walk_open(dir.path, gather_note, &notes, &walk, &err), STATUS_OK);
    while (more) {
        assert_int_equal(s3_walk_next(walk, &file, &more, &err), STATUS_OK);
        if (more) {
            buf_printf(&seen, "%.*s:%d ", SPAN_ARG(file.path), (int)file.size);
        }
    }
    s3_walk_close(walk);
    assert_string_equal(buf_cstr(&seen),
                        "B:1 a-b:3 a.b:3 a/deep/x:8 a/z:3 a0:2 linked:1 \xc3\xa9:2 ");
    assert_non_null(strstr(buf_cstr(&notes), "loop: a link that does not lead to a file"));
    assert_non_null(strstr(buf_cstr(&notes), "dangling: a link that does not lead to a file"));
    buf_release(&seen);
    buf_release(&notes);
    temp_dir_remove(&dir);
}

static void a_directory_that_is_not_there_is_empty_and_a_file_is_none(void **state)
{
    struct temp_dir dir;
    struct s3_walk *walk = NULL;
    struct s3_walk_file found;
    struct error err;
    char path[path_max];
    bool more = true;
    (void)state;
    temp_dir_make(&dir);
    temp_dir_path(&dir, "missing", path, sizeof(path));
    assert_int_equal(s3_walk_open(path, NULL, NULL, &walk, &err), STATUS_OK);
    assert_int_equal(s3_walk_next(walk, &found, &more, &err), STATUS_OK);
    assert_false(more);
    s3_walk_close(walk);
    write_file(&dir, "file");
    temp_dir_path(&dir, "file", path, sizeof(path));
    assert_int_not_equal(s3_walk_open(path, NULL, NULL, &walk, &err), STATUS_OK);
    assert_int_equal(s3_walk_open("", NULL, NULL, &walk, &err), STATUS_USAGE);
    temp_dir_remove(&dir);
}

static void only_keys_that_stay_below_a_directory_are_paths(void **state)
{
    static const struct {
        struct span key;
        bool is_path;
    } cases[] = {
        {SPAN_LIT("a"), true},
        {SPAN_LIT("a/b.c/d"), true},
        {SPAN_LIT("..a/b.."), true},
        {SPAN_LIT("a b+=\\"), true},
        {SPAN_LIT(""), false},
        {SPAN_LIT("/a"), false},
        {SPAN_LIT("a/"), false},
        {SPAN_LIT("a//b"), false},
        {SPAN_LIT("."), false},
        {SPAN_LIT(".."), false},
        {SPAN_LIT("../a"), false},
        {SPAN_LIT("a/../b"), false},
        {SPAN_LIT("a/./b"), false},
        {SPAN_LIT("a/.."), false},
        {SPAN_LIT("a\0b"), false},
        {SPAN_LIT("...."), true},
        {SPAN_LIT("a\xff"), false},
        {SPAN_LIT("a\xc3\xa9"), true},
        {SPAN_LIT("a.pinpipe-part"), false},
        {SPAN_LIT("a.pinpipe-part/b"), false},
        {SPAN_LIT("a.pinpipe-part.b"), true},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        if (s3_sync_key_is_path(cases[i].key) != cases[i].is_path) {
            fail_msg("%.*s", SPAN_ARG(cases[i].key));
        }
    }
}

/* As deep as a download may make them, and no deeper. */
static void directories_that_are_made_for_a_key_can_be_walked(void **state)
{
    (void)state;
    struct temp_dir dir;
    struct error err;
    struct s3_walk *walk = NULL;
    struct s3_walk_file found;
    bool more = false;
    char path[1024];
    struct buf key;
    buf_init(&key, 1024);
    temp_dir_make(&dir);
    for (int i = 0; i + 1 < S3_WALK_DEPTH_MAX; i++) {
        BUF_APPEND_LIT(&key, "d/");
        temp_dir_path(&dir, buf_cstr(&key), path, sizeof(path));
        assert_int_equal(mkdir(path, 0700), 0);
    }
    BUF_APPEND_LIT(&key, "f");
    write_file(&dir, buf_cstr(&key));
    assert_true(s3_sync_key_is_path(buf_span(&key)));
    temp_dir_path(&dir, ".", path, sizeof(path));
    assert_int_equal(s3_walk_open(path, NULL, NULL, &walk, &err), STATUS_OK);
    assert_int_equal(s3_walk_next(walk, &found, &more, &err), STATUS_OK);
    assert_true(more && span_equal(found.path, buf_span(&key)));
    s3_walk_close(walk);
    BUF_APPEND_LIT(&key, "/f");
    assert_false(s3_sync_key_is_path(buf_span(&key)));
    buf_release(&key);
    temp_dir_remove(&dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_come_in_the_order_of_keys),
        cmocka_unit_test(a_directory_that_is_not_there_is_empty_and_a_file_is_none),
        cmocka_unit_test(only_keys_that_stay_below_a_directory_are_paths),
        cmocka_unit_test(directories_that_are_made_for_a_key_can_be_walked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
