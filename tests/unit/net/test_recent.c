/* A failed assertion leaves a report beside the data: each test forks, and the child has a bug. */
#include "recent.h"

#include "alloc_fault.h"
#include "call_fault.h"
#include "temp_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

struct fixture {
    struct temp_dir dir;
    struct recent_options options;
    char text[64 * 1024];
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    temp_dir_make(&f->dir);
    f->options = (struct recent_options){
        .directory = f->dir.path, .version = "1.2.3", .has_seed = true, .seed = 42};
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    temp_dir_remove(&f->dir);
    free(f);
    return 0;
}

static void read_into(struct fixture *f, int fd)
{
    size_t used = 0;
    ssize_t count;
    while ((count = read(fd, f->text + used, sizeof(f->text) - 1 - used)) > 0) {
        used += (size_t)count;
    }
    f->text[used] = '\0';
    close(fd);
}

static void read_report(struct fixture *f, const char *name)
{
    char path[512];
    temp_dir_path(&f->dir, name, path, sizeof(path));
    int fd = open(path, O_RDONLY);
    assert_true(fd >= 0);
    read_into(f, fd);
}

typedef void (*life)(const struct recent_options *options);

/* How the child ended; what it said on stderr is in f->text. */
static int child_runs(struct fixture *f, life live)
{
    int pipe_ends[2];
    int status = 0;
    assert_int_equal(pipe(pipe_ends), 0);
    pid_t child = fork();
    if (child == 0) {
        dup2(pipe_ends[1], STDERR_FILENO);
        close(pipe_ends[0]);
        live(&f->options);
        _exit(0);
    }
    close(pipe_ends[1]);
    read_into(f, pipe_ends[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static uint64_t ask(struct recent *recent, const char *target, int status)
{
    uint64_t number = recent_begin(recent, "s3", SPAN_LIT("GET"), span_from_cstr(target));
    if (status != 0) {
        recent_answered(recent, number, status);
    }
    return number;
}

static void live_with_three_requests(const struct recent_options *options)
{
    struct recent *recent = recent_new(options);
    int pins = 1;
    ask(recent, "/bucket/pin?X-Amz-Signature=a1b2c3&uploads&AKIA0123", 200);
    ask(recent, "/bucket/\x1b[2J", 404);
    ask(recent, "/topics/met.a.bug", 0);
    PP_ASSERT(pins == 2);
}

static void a_failed_assertion_leaves_a_report_and_ends_with_its_own_code(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(child_runs(f, live_with_three_requests), BUG_EXIT_CODE);
    assert_non_null(strstr(f->text, "assertion failed: pins == 2"));
    assert_non_null(strstr(f->text, "/bug-1.txt"));
    read_report(f, "bug-1.txt");
    assert_non_null(strstr(f->text, "pinpipe 1.2.3\n"));
    assert_non_null(strstr(f->text, "test_recent.c:"));
    assert_non_null(strstr(f->text, "assertion failed: pins == 2\n"));
    assert_non_null(strstr(f->text, "seed 42\n"));
    assert_non_null(strstr(f->text, "\n3 s3 GET /topics/met.a.bug -\n"));
}

static void a_report_holds_no_value_of_a_query_and_no_control_byte(void **state)
{
    struct fixture *f = *state;
    child_runs(f, live_with_three_requests);
    read_report(f, "bug-1.txt");
    assert_non_null(strstr(f->text, "\n1 s3 GET /bucket/pin?X-Amz-Signature=*&uploads&* 200\n"));
    assert_non_null(strstr(f->text, "\n2 s3 GET /bucket/.[2J 404\n"));
}

static void live_long(const struct recent_options *options)
{
    struct recent *recent = recent_new(options);
    char target[400];
    uint64_t first = ask(recent, "/first", 0);
    for (int i = 2; i <= RECENT_REQUESTS_MAX + 7; i++) {
        snprintf(target, sizeof(target), "/request/%0300d", i);
        ask(recent, target, 200);
    }
    recent_answered(recent, first, 299); /* a long poll; its slot is another's now */
    BUG("on purpose");
}

static void a_report_holds_the_latest_requests_only(void **state)
{
    struct fixture *f = *state;
    size_t lines = 0;
    assert_int_equal(child_runs(f, live_long), BUG_EXIT_CODE);
    read_report(f, "bug-1.txt");
    for (const char *at = f->text; (at = strstr(at, " s3 GET /")) != NULL; at++) {
        lines++;
    }
    assert_int_equal(lines, RECENT_REQUESTS_MAX);
    assert_null(strstr(f->text, "\n7 s3 "));
    assert_non_null(strstr(f->text, "\n8 s3 GET /request/000"));
    assert_non_null(strstr(f->text, "\n207 s3 GET /request/000"));
    assert_non_null(strstr(f->text, "... 200\n"));
    assert_null(strstr(f->text, " 299\n"));
}

static void a_second_report_leaves_the_first_one(void **state)
{
    struct fixture *f = *state;
    child_runs(f, live_with_three_requests);
    child_runs(f, live_long);
    read_report(f, "bug-1.txt");
    assert_non_null(strstr(f->text, "met.a.bug"));
    read_report(f, "bug-2.txt");
    assert_non_null(strstr(f->text, "on purpose"));
}

static void without_a_directory_the_report_goes_to_stderr(void **state)
{
    struct fixture *f = *state;
    f->options.directory = NULL;
    f->options.has_seed = false;
    assert_int_equal(child_runs(f, live_with_three_requests), BUG_EXIT_CODE);
    assert_non_null(strstr(f->text, "\nseed none was given\n"));
    assert_non_null(strstr(f->text, "\n3 s3 GET /topics/met.a.bug -\n"));
}

/* --- a report that meets trouble itself --- */

static void live_with_words(const struct recent_options *options)
{
    struct recent *recent = recent_new(options);
    ask(recent, "/b?list-type&uploads&Z&{&[&`&@&9&a.b&-", 200);
    ask(recent, "/b?abcdefghijklmnopqrstuvwx&abcdefghijklmnopqrstuvwxy", 200);
    ask(recent, "/pin\x7f\xc3\xa9 x", 200);
    BUG("on purpose");
}

static void only_plain_words_of_a_query_are_told(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(child_runs(f, live_with_words), BUG_EXIT_CODE);
    read_report(f, "bug-1.txt");
    assert_non_null(strstr(f->text, "GET /b?list-type&uploads&Z&*&*&*&*&*&*&- 200\n"));
    assert_non_null(strstr(f->text, "GET /b?abcdefghijklmnopqrstuvwx&* 200\n"));
    assert_non_null(strstr(f->text, "GET /pin....x 200\n"));
}

static void live_with_interrupted_writes(const struct recent_options *options)
{
    struct recent *recent = recent_new(options);
    ask(recent, "/first", 200);
    call_fault_begin((struct call_fault){CALL_WRITE, .times = 3, .code = EINTR, .here = true});
    BUG("on purpose");
}

static void live_with_short_writes(const struct recent_options *options)
{
    struct recent *recent = recent_new(options);
    ask(recent, "/first", 200);
    call_fault_begin((struct call_fault){CALL_WRITE, .times = 100, .code = 0, .here = true});
    BUG("on purpose");
}

static void live_on_a_full_disk(const struct recent_options *options)
{
    struct recent *recent = recent_new(options);
    ask(recent, "/first", 200);
    /* stderr has the bug itself. */
    call_fault_begin(
        (struct call_fault){CALL_WRITE, .skip = 1, .times = 1, .code = ENOSPC, .here = true});
    BUG("on purpose");
}

static void a_report_is_whole_however_its_writes_go(void **state)
{
    static const life lives[] = {live_with_interrupted_writes, live_with_short_writes};
    struct fixture *f = *state;
    for (size_t i = 0; i < ARRAY_COUNT(lives); i++) {
        char name[32];
        snprintf(name, sizeof(name), "bug-%zu.txt", i + 1);
        assert_int_equal(child_runs(f, lives[i]), BUG_EXIT_CODE);
        assert_non_null(strstr(f->text, name));
        read_report(f, name);
        assert_non_null(strstr(f->text, "pinpipe 1.2.3\n"));
        assert_non_null(strstr(f->text, "\n1 s3 GET /first 200\n"));
    }
}

static void a_report_for_which_there_is_no_room_keeps_nobody(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(child_runs(f, live_on_a_full_disk), BUG_EXIT_CODE);
    assert_non_null(strstr(f->text, "on purpose"));
}

/* Where no file can be made stderr has the report. */
static void assert_told_on_stderr(struct fixture *f)
{
    assert_int_equal(child_runs(f, live_with_three_requests), BUG_EXIT_CODE);
    assert_non_null(strstr(f->text, "\nseed 42\n"));
    assert_non_null(strstr(f->text, "\n3 s3 GET /topics/met.a.bug -\n"));
}

static void a_report_that_finds_no_file_goes_to_stderr(void **state)
{
    static char endless[4096];
    struct fixture *f = *state;
    char path[512];
    f->options.directory = "/nowhere/at/all";
    assert_told_on_stderr(f);
    memset(endless, 'd', sizeof(endless) - 1);
    f->options.directory = endless;
    assert_told_on_stderr(f);
    f->options.directory = f->dir.path;
    for (int i = 1; i <= RECENT_REPORTS_MAX; i++) {
        char name[32];
        snprintf(name, sizeof(name), "bug-%d.txt", i);
        temp_dir_path(&f->dir, name, path, sizeof(path));
        close(open(path, O_WRONLY | O_CREAT, 0600));
    }
    assert_told_on_stderr(f);
    assert_int_equal(access(path, R_OK), 0); /* and the older reports stay */
    read_report(f, "bug-1.txt");
    assert_string_equal(f->text, "");
}

static void without_memory_nobody_witnesses(void **state)
{
    struct fixture *f = *state;
    for (long n = 1; alloc_fault_goes_on(n); n++) {
        alloc_fault_begin(n, ALLOC_FAILS_ONCE);
        struct recent *recent = recent_new(&f->options);
        bool failed = alloc_fault_end();
        assert_true(failed == (recent == NULL));
        recent_free(recent);
    }
}

static void live_after_the_end(const struct recent_options *options)
{
    recent_free(recent_new(options));
    BUG("nobody is there to tell");
}

static void after_its_end_nobody_is_asked(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(child_runs(f, live_after_the_end), BUG_EXIT_CODE);
    assert_non_null(strstr(f->text, "nobody is there to tell"));
    assert_null(strstr(f->text, "bug-1.txt"));
}

static void live_with_two(const struct recent_options *options)
{
    struct recent *older = recent_new(options);
    struct recent *newer = recent_new(options);
    ask(newer, "/newer", 200);
    recent_free(older); /* does not dismiss the newer one */
    BUG("on purpose");
}

static void the_newest_witness_tells(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(child_runs(f, live_with_two), BUG_EXIT_CODE);
    read_report(f, "bug-1.txt");
    assert_non_null(strstr(f->text, "\n1 s3 GET /newer 200\n"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(only_plain_words_of_a_query_are_told),
        TEST(a_report_is_whole_however_its_writes_go),
        TEST(a_report_for_which_there_is_no_room_keeps_nobody),
        TEST(a_report_that_finds_no_file_goes_to_stderr),
        TEST(without_memory_nobody_witnesses),
        cmocka_unit_test_setup_teardown(
            a_failed_assertion_leaves_a_report_and_ends_with_its_own_code, setup, teardown),
        cmocka_unit_test_setup_teardown(a_report_holds_no_value_of_a_query_and_no_control_byte,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(a_report_holds_the_latest_requests_only, setup, teardown),
        cmocka_unit_test_setup_teardown(a_second_report_leaves_the_first_one, setup, teardown),
        cmocka_unit_test_setup_teardown(without_a_directory_the_report_goes_to_stderr, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(after_its_end_nobody_is_asked, setup, teardown),
        cmocka_unit_test_setup_teardown(the_newest_witness_tells, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
