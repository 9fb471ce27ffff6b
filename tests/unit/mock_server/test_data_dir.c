/* The data directory: made, locked, announced; every way it cannot be used names cause and fix. */
#include "buf.h"
#include "data_dir.h"
#include "file.h"
#include "json.h"
#include "temp_dir.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { file_bytes_max = 64 * 1024, path_bytes = 512 };

static int setup(void **state)
{
    static struct temp_dir dir;
    temp_dir_make(&dir);
    *state = &dir;
    return 0;
}

static int teardown(void **state)
{
    temp_dir_remove(*state);
    return 0;
}

static void a_missing_directory_is_made_for_its_owner_only(void **state)
{
    char path[path_bytes];
    struct stat info;
    struct data_dir *dir;
    struct error err;
    temp_dir_path(*state, "a/b/c", path, sizeof(path));
    assert_int_equal(data_dir_open(path, &dir, &err), STATUS_OK);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0700);
    data_dir_close(dir);
}

static void a_tool_that_looks_for_a_server_keeps_none_from_starting(void **state)
{
    char path[path_bytes];
    char lock[path_bytes];
    struct data_dir *dir;
    struct error err;
    int told[2];
    char byte = 0;
    temp_dir_path(*state, "data", path, sizeof(path));
    temp_dir_path(*state, "data/server.lock", lock, sizeof(lock));
    assert_int_equal(data_dir_open(path, &dir, &err), STATUS_OK);
    data_dir_close(dir);
    assert_int_equal(pipe(told), 0);
    pid_t tool = fork();
    if (tool == 0) {
        int fd = open(lock, O_RDONLY);
        byte = flock(fd, LOCK_SH | LOCK_NB) == 0 ? 'y' : 'n';
        usleep(write(told[1], &byte, 1) == 1 ? 50 * 1000 : 0);
        _exit(0);
    }
    assert_int_equal(read(told[0], &byte, 1), 1);
    assert_int_equal(byte, 'y');
    assert_int_equal(data_dir_open(path, &dir, &err), STATUS_OK);
    data_dir_close(dir);
    assert_int_equal(waitpid(tool, NULL, 0), tool);
    close(told[0]);
    close(told[1]);
}

static void a_second_server_is_refused_with_the_pid_of_the_first(void **state)
{
    char path[path_bytes];
    char pid[32];
    struct data_dir *first;
    struct data_dir *second;
    struct error err;
    temp_dir_path(*state, "data", path, sizeof(path));
    assert_int_equal(data_dir_open(path, &first, &err), STATUS_OK);
    assert_int_equal(data_dir_open(path, &second, &err), STATUS_BUSY);
    assert_int_equal(status_exit_code(err.code), 4);
    snprintf(pid, sizeof(pid), "pid %ld", (long)getpid());
    assert_non_null(strstr(err.message, pid));
    data_dir_close(first);
    assert_int_equal(data_dir_open(path, &second, &err), STATUS_OK);
    data_dir_close(second);
}

static void what_cannot_be_a_directory_is_said_with_the_fix(void **state)
{
    char file[path_bytes];
    char below[path_bytes + 8];
    char longest[2000];
    struct data_dir *dir;
    struct error err;
    temp_dir_path(*state, "file", file, sizeof(file));
    assert_int_equal(file_replace(file, SPAN_LIT("x"), 0600, &err), STATUS_OK);
    snprintf(below, sizeof(below), "%s/below", file);
    memset(longest, 'x', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    const char *const paths[] = {file, below, "", longest};
    for (size_t i = 0; i < ARRAY_COUNT(paths); i++) {
        assert_int_equal(data_dir_open(paths[i], &dir, &err), STATUS_CONFIG);
        assert_non_null(strstr(err.message, "--data"));
    }
}

static void a_directory_that_is_not_writable_is_said_so(void **state)
{
    char path[path_bytes];
    struct data_dir *dir;
    struct error err;
    if (geteuid() == 0) {
        skip(); /* the administrator may write anywhere */
    }
    temp_dir_path(*state, "readonly", path, sizeof(path));
    assert_int_equal(mkdir(path, 0500), 0);
    assert_int_equal(data_dir_open(path, &dir, &err), STATUS_CONFIG);
    assert_non_null(strstr(err.message, "not writable"));
}

static const char *text_of(const struct json_node *root, const char *name)
{
    const char *text = NULL;
    json_node_string(json_node_get(root, name), &text);
    return text;
}

static void a_running_server_announces_itself_until_it_closes(void **state)
{
    char path[path_bytes];
    char name[path_bytes + 16];
    const struct server_url urls[] = {{"gateway_url", "http://127.0.0.1:1/test"},
                                      {"rest_url", NULL}};
    const struct server_facts facts = {.urls = urls,
                                       .url_count = ARRAY_COUNT(urls),
                                       .user_id = "u\"1",
                                       .stage = "test",
                                       .data_dir = "d",
                                       .version = "1.2.3"};
    struct data_dir *dir;
    struct json_doc *doc;
    struct buf text;
    struct error err;
    temp_dir_path(*state, "data", path, sizeof(path));
    snprintf(name, sizeof(name), "%s/server.json", path);
    assert_int_equal(data_dir_open(path, &dir, &err), STATUS_OK);
    assert_false(file_exists(name));
    assert_int_equal(data_dir_announce(dir, &facts, &err), STATUS_OK);
    buf_init(&text, file_bytes_max);
    assert_int_equal(file_read(name, &text, &err), STATUS_OK);
    assert_int_equal(json_doc_parse(buf_span(&text), &doc, &err), STATUS_OK);
    const struct json_node *root = json_doc_root(doc);
    assert_string_equal(text_of(root, "gateway_url"), "http://127.0.0.1:1/test");
    assert_string_equal(text_of(root, "user_id"), "u\"1");
    assert_non_null(json_node_get(root, "rest_url"));
    assert_null(text_of(root, "rest_url"));
    json_doc_free(doc);
    buf_release(&text);
    data_dir_close(dir);
    assert_false(file_exists(name));
}

static void a_server_json_left_by_a_killed_server_is_no_obstacle(void **state)
{
    char path[path_bytes];
    char name[path_bytes + 16];
    const struct server_facts facts = {.user_id = "u"};
    struct data_dir *dir;
    struct error err;
    temp_dir_path(*state, "data", path, sizeof(path));
    snprintf(name, sizeof(name), "%s/server.json", path);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(file_replace(name, SPAN_LIT("{\"pid\": 1}"), 0600, &err), STATUS_OK);
    assert_int_equal(data_dir_open(path, &dir, &err), STATUS_OK);
    assert_int_equal(data_dir_announce(dir, &facts, &err), STATUS_OK);
    data_dir_close(dir);
    assert_false(file_exists(name));
}

static void a_ready_file_that_cannot_be_written_is_bad_configuration(void **state)
{
    char path[path_bytes];
    const struct server_facts facts = {.user_id = "u"};
    struct ready_file ready;
    struct error err;
    temp_dir_path(*state, "no/such/directory/ready.json", path, sizeof(path));
    assert_int_equal(ready_file_write(path, &facts, &ready, &err), STATUS_CONFIG);
    assert_non_null(strstr(err.message, "ready.json"));
    ready_file_remove(path, &ready);
}

static void a_ready_file_goes_with_its_own_server_alone(void **state)
{
    char path[path_bytes];
    const struct server_facts facts = {.user_id = "u"};
    struct ready_file first;
    struct ready_file second;
    struct error err;
    temp_dir_path(*state, "ready.json", path, sizeof(path));
    assert_int_equal(ready_file_write(path, &facts, &first, &err), STATUS_OK);
    assert_int_equal(ready_file_write(path, &facts, &second, &err), STATUS_OK);
    ready_file_remove(path, &first);
    assert_true(file_exists(path));
    ready_file_remove(path, &second);
    assert_false(file_exists(path));
    ready_file_remove(path, &second);
}

static void links_that_somebody_left_are_not_written_through(void **state)
{
    char path[path_bytes];
    char victim[path_bytes];
    char link[path_bytes + 64];
    char text[16] = "";
    struct data_dir *dir;
    struct ready_file ready;
    struct error err;
    const struct server_facts facts = {.user_id = "u"};
    temp_dir_path(*state, "data", path, sizeof(path));
    temp_dir_path(*state, "victim", victim, sizeof(victim));
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(file_replace(victim, SPAN_LIT("precious"), 0600, &err), STATUS_OK);
    snprintf(link, sizeof(link), "%s/server.lock", path);
    assert_int_equal(symlink(victim, link), 0);
    assert_int_equal(data_dir_open(path, &dir, &err), STATUS_CONFIG);
    assert_non_null(strstr(err.message, "server.lock"));
    assert_int_equal(unlink(link), 0);
    assert_int_equal(mkfifo(link, 0600), 0);
    assert_int_equal(data_dir_open(path, &dir, &err), STATUS_CONFIG);
    snprintf(link, sizeof(link), "%s/ready.json.%ld.new", path, (long)getpid());
    assert_int_equal(symlink(victim, link), 0);
    snprintf(link, sizeof(link), "%s/ready.json", path);
    assert_int_equal(ready_file_write(link, &facts, &ready, &err), STATUS_OK);
    FILE *file = fopen(victim, "r");
    assert_non_null(file);
    assert_non_null(fgets(text, sizeof(text), file));
    fclose(file);
    assert_string_equal(text, "precious");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_missing_directory_is_made_for_its_owner_only),
        TEST(a_tool_that_looks_for_a_server_keeps_none_from_starting),
        TEST(a_second_server_is_refused_with_the_pid_of_the_first),
        TEST(what_cannot_be_a_directory_is_said_with_the_fix),
        TEST(a_directory_that_is_not_writable_is_said_so),
        TEST(a_running_server_announces_itself_until_it_closes),
        TEST(a_server_json_left_by_a_killed_server_is_no_obstacle),
        TEST(links_that_somebody_left_are_not_written_through),
        TEST(a_ready_file_that_cannot_be_written_is_bad_configuration),
        TEST(a_ready_file_goes_with_its_own_server_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
