/* The commands without memory. Each runs in this process against a server beside it, again and
 * again: each time another of its allocations fails, or its arena ends a little later. Whatever it
 * is, the command ends with a documented exit code and names the lack; with exit 0 its result is
 * the one that it has with memory. It works as soon as there is memory again, and leaves none
 * behind. In the end the pipeline is whole: what was posted is accounted for. And the same commands
 * while a call to a file is interrupted or does less than it was asked for: it goes on.
 *
 * Not every allocation is tried of commands that have many; PINPIPE_FAULT_STRIDE=1 does. */
#include "alloc_fault.h"
#include "call_fault.h"
#include "fault_points.h"
#include "run_tool.h"
#include "span.h"
#include "temp_dir.h"

#include <pinpipe/mock.h>

#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum {
    WORDS_BYTES = 256,
    ARENA_STEP = 32, /* twice what an arena rounds to */
    CODES_DOCUMENTED = 5,
    SLACK_ALLOCATIONS = 64, /* of the libraries, which keep some for the next time */
};

enum judged_by { BY_BYTES, BY_EXIT };

struct tool {
    const char *words;  /* run_tool.h */
    const char *before; /* commands, one a line, that bring the state it begins with */
    enum judged_by judged;
};

static const struct tool tools[] = {
    {"config show --origin", NULL, BY_BYTES},
    {"config show --json", NULL, BY_BYTES},
    {"doctor", NULL, BY_BYTES},
    {"doctor --json", NULL, BY_BYTES},
    {"data info", NULL, BY_BYTES},
    {"data info --json", NULL, BY_BYTES},
    {"data export pin", NULL, BY_BYTES},
    {"data import pin exported.csv --data other", "data export pin exported.csv", BY_BYTES},
    {"data generate --rows 3 --data other", NULL, BY_EXIT},
    {"data export pin exported.csv", NULL, BY_EXIT},
    {"topics list", NULL, BY_BYTES},
    {"topics describe workshop.pin", NULL, BY_BYTES},
    {"topics create made", "topics delete made", BY_BYTES},
    {"topics delete made", "topics create made", BY_BYTES},
    {"connect list", NULL, BY_BYTES},
    {"connect status there", NULL, BY_BYTES},
    {"connect status there --json", NULL, BY_BYTES},
    {"connect plugins", NULL, BY_BYTES},
    {"connect validate", NULL, BY_BYTES},
    {"connect validate --json --config made.properties", NULL, BY_BYTES},
    {"connect create made --config made.properties", "connect delete made", BY_BYTES},
    {"connect pause there", NULL, BY_BYTES},
    {"connect resume there", NULL, BY_BYTES},
    {"connect restart there", NULL, BY_BYTES},
    {"connect delete made", "connect create made", BY_BYTES},
    {"s3 ls", NULL, BY_BYTES},
    {"s3 ls --json", NULL, BY_BYTES},
    {"s3 ls s3://user-workshop-bucket/tree/", NULL, BY_BYTES},
    {"s3 ls s3://user-workshop-bucket/ --recursive --json", NULL, BY_EXIT},
    {"s3 cat s3://user-workshop-bucket/tree/a", NULL, BY_BYTES},
    {"s3 get s3://user-workshop-bucket/tree/a got", NULL, BY_BYTES},
    {"s3 put tree/b s3://user-workshop-bucket/put/", NULL, BY_BYTES},
    {"s3 put big s3://user-workshop-bucket/big", NULL, BY_BYTES},
    {"s3 get s3://user-workshop-bucket/big got", NULL, BY_BYTES},
    {"s3 cat s3://user-workshop-bucket/big", NULL, BY_EXIT},
    {"s3 sync s3://user-workshop-bucket/tree down --dry-run", NULL, BY_EXIT},
    {"s3 sync s3://user-workshop-bucket/tree down --delete", NULL, BY_EXIT},
    {"s3 sync tree s3://user-workshop-bucket/tree --delete",
     "s3 put tree/b s3://user-workshop-bucket/tree/old\n"
     "s3 put tree/a s3://user-workshop-bucket/tree/b",
     BY_EXIT},
    {"consume workshop.pin --from-beginning --max-messages 2 --group \x1e", NULL, BY_BYTES},
    {"verify", NULL, BY_BYTES},
    {"verify --through s3 --json", NULL, BY_EXIT},
    {"verify --junit verdict.xml", NULL, BY_BYTES},
    {"verify --tap", NULL, BY_BYTES},
    {"emulate batch --rows 1 --order random --seed \x1e", NULL, BY_EXIT},
    {"emulate batch --rows 1 --json --order random --seed \x1e", NULL, BY_EXIT},
    {"sql SELECT_topic,partitions_FROM_topics", NULL, BY_BYTES},
    {"sql --json SELECT_*_FROM_records", NULL, BY_BYTES},
    {"sql --csv SELECT_*_FROM_records", NULL, BY_BYTES},
};

struct bench {
    struct temp_dir dir;
    char home[1024];
    struct pinpipe_mock *mock;
    long turn; /* moves where the next command's first point lies */
    int complaints;
};

static void prepare(const struct tool *tool)
{
    char line[WORDS_BYTES];
    struct span rest = span_from_cstr(tool->before != NULL ? tool->before : "");
    struct span one;
    while (span_next_part(&rest, '\n', &one)) {
        struct tool_said said = {0};
        snprintf(line, sizeof(line), "%.*s", SPAN_ARG(one));
        tool_run_well(line, &said); /* what is not there cannot be deleted */
        tool_said_release(&said);
    }
}

/* An object that was to be replaced is there, the old one or the new one, and whole: with a query
 * that was lost, a part of an upload would be the object, and the end of an upload its deletion. */
static void judge_object(struct bench *b, const struct tool *tool, const char *what)
{
    struct tool_said said;
    tool_run_well("s3 ls s3://user-workshop-bucket/big --json", &said);
    if (strstr(said.out, "\"size\":9000000,") == NULL) {
        print_error("%s, %s: %s%s\n", tool->words, what, said.err, said.out);
        b->complaints++;
    }
    tool_said_release(&said);
}

static void judge(struct bench *b, const struct tool *tool, const struct tool_said *good,
                  const struct tool_said *said, const char *what)
{
    bool same = tool->judged != BY_BYTES || strcmp(good->out, said->out) == 0;
    bool named = strstr(said->err, "memory") != NULL || strstr(said->out, "memory") != NULL;
    if (said->code < 0 || said->code > CODES_DOCUMENTED || (said->code == 0 && !same) ||
        (said->code != 0 && !named)) {
        print_error("%s, %s: exit %d: %s\n%s\n", tool->words, what, said->code, said->err,
                    said->out);
        b->complaints++;
    }
}

static struct tool_said good_run(const struct tool *tool)
{
    struct tool_said good = {0};
    prepare(tool);
    tool_run_well(tool->words, &good);
    if (good.code != 0) {
        fail_msg("%s: exit %d: %s\n%s", tool->words, good.code, good.err, good.out);
    }
    return good;
}

/* Every how many-th allocation: each one of most commands, some of those that use SQLite much. */
static long step_of(long asked, long points)
{
    return fault_points_stride(0) > 0 ? (long)fault_points_stride(0) : 1 + asked / points;
}

static void tool_fails(struct bench *b, const struct tool *tool, enum alloc_fault_mode mode,
                       long points)
{
    struct tool_said good = good_run(tool);
    prepare(tool);
    struct tool_said again = {0};
    (void)tool_run(tool->words, (struct tool_lack){LONG_MAX, mode, 0}, &again);
    tool_said_release(&again);
    long step = step_of(alloc_fault_asked(), points);
    long alive = alloc_fault_alive_here();
    bool failed = true;
    for (long n = 1 + b->turn++ % step; failed; n += step) {
        char what[64];
        struct tool_said said = {0};
        prepare(tool);
        failed = tool_run(tool->words, (struct tool_lack){n, mode, 0}, &said);
        snprintf(what, sizeof(what), "allocation %ld", n);
        judge(b, tool, &good, &said, what);
        judge_object(b, tool, what);
        tool_said_release(&said);
    }
    again = good_run(tool);
    judge(b, tool, &good, &again, "with memory again");
    tool_said_release(&again);
    tool_said_release(&good);
    if (alloc_fault_alive_here() - alive > SLACK_ALLOCATIONS) {
        print_error("%s: %ld allocations are left behind\n", tool->words,
                    alloc_fault_alive_here() - alive);
        b->complaints++;
    }
}

static void a_command_that_lacks_an_allocation_says_so(void **state)
{
    struct bench *b = *state;
    for (size_t i = 0; i < ARRAY_COUNT(tools); i++) {
        tool_fails(b, &tools[i], ALLOC_FAILS_ONCE, 80);
    }
    assert_int_equal(b->complaints, 0);
}

static void a_command_that_lacks_memory_from_somewhere_on_says_so(void **state)
{
    struct bench *b = *state;
    for (size_t i = 0; i < ARRAY_COUNT(tools); i++) {
        tool_fails(b, &tools[i], ALLOC_FAILS_FROM_THERE_ON, 20);
    }
    assert_int_equal(b->complaints, 0);
}

static void must_run(const char *line)
{
    struct tool_said said = {0};
    tool_run_well(line, &said);
    if (said.code != 0) {
        fail_msg("%s: exit %d: %s\n%s", line, said.code, said.err, said.out);
    }
    tool_said_release(&said);
}

/* The server's URLs as settings, or none of them. */
static void settings_take(const struct bench *b, bool set)
{
    static const struct {
        enum pinpipe_service service;
        const char *setting;
    } urls[] = {{PINPIPE_GATEWAY, "invoke_URL"},
                {PINPIPE_REST, "rest_url"},
                {PINPIPE_CONNECT, "connect_url"},
                {PINPIPE_S3, "s3_url"}};
    for (size_t i = 0; i < ARRAY_COUNT(urls); i++) {
        if (set) {
            setenv(urls[i].setting, pinpipe_mock_url(b->mock, urls[i].service), 1);
        } else {
            unsetenv(urls[i].setting);
        }
    }
}

static void arena_ends(struct bench *b, const struct tool *tool)
{
    struct tool_said good = good_run(tool);
    for (size_t bytes = 1; bytes <= good.arena_bytes; bytes += ARENA_STEP) {
        char what[64];
        struct tool_said said = {0};
        prepare(tool);
        (void)tool_run(tool->words, (struct tool_lack){0, ALLOC_FAILS_ONCE, bytes}, &said);
        snprintf(what, sizeof(what), "an arena of %zu bytes", bytes);
        judge(b, tool, &good, &said, what);
        tool_said_release(&said);
    }
    tool_said_release(&good);
}

static void a_command_whose_arena_ends_says_so(void **state)
{
    struct bench *b = *state;
    for (size_t i = 0; i < ARRAY_COUNT(tools); i++) {
        arena_ends(b, &tools[i]);
    }
    assert_int_equal(b->complaints, 0);
}

/* Where no setting leads, the running server's file does; without memory for what it says, the
 * usual ports would be asked instead, which may be anybody's. */
static void a_command_that_finds_its_server_without_memory_says_so(void **state)
{
    static const struct tool found[] = {{"topics list", NULL, BY_BYTES},
                                        {"topics list --deployment-stage other", NULL, BY_BYTES},
                                        {"connect list", NULL, BY_BYTES},
                                        {"s3 ls", NULL, BY_BYTES}};
    struct bench *b = *state;
    settings_take(b, false);
    for (size_t i = 0; i < ARRAY_COUNT(found); i++) {
        arena_ends(b, &found[i]);
        tool_fails(b, &found[i], ALLOC_FAILS_ONCE, 80);
    }
    settings_take(b, true);
    assert_int_equal(b->complaints, 0);
}

/* --- files ----------------------------------------------------------------------------------- */

/* A signal interrupts a read or a write, or the kernel does less than it was asked for. */
static void a_call_that_is_cut_short_goes_on(void **state)
{
    static const char *const moves[][2] = {
        {"s3 put tree/c/d s3://user-workshop-bucket/moved",
         "s3 cat s3://user-workshop-bucket/moved"},
        {"s3 get s3://user-workshop-bucket/tree/c/d moved",
         "s3 put moved s3://user-workshop-bucket/m"},
        {"s3 put big s3://user-workshop-bucket/big",
         "s3 ls s3://user-workshop-bucket/big --recursive"},
        {"s3 get s3://user-workshop-bucket/big moved", "data info"},
        {"s3 sync tree s3://user-workshop-bucket/tree --dry-run", "data info"},
        {"connect validate --config made.properties", "data info"},
    };
    static const enum call calls[] = {CALL_READ, CALL_WRITE};
    static const int codes[] = {EINTR, 0};
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(moves) * ARRAY_COUNT(calls) * ARRAY_COUNT(codes); i++) {
        const char *const *move = moves[i / 4];
        int struck = 1;
        for (int skip = 0; struck > 0; skip++) {
            struct tool_said said;
            call_fault_begin((struct call_fault){calls[i / 2 % 2], .skip = skip, .times = 1,
                                                 .code = codes[i % 2], .here = true});
            tool_run_well(move[0], &said);
            struck = call_fault_end();
            if (said.code != 0) {
                fail_msg("%s, call %d: exit %d: %s", move[0], skip, said.code, said.err);
            }
            tool_said_release(&said);
            must_run(move[1]);
        }
    }
}

/* --- the scene ------------------------------------------------------------------------------- */

#define CONFIGURATION                                                                              \
    "connector.class=io.confluent.connect.s3.S3SinkConnector\ntasks.max=1\ntopics=workshop.pin\n"  \
    "topics.dir=made\ns3.region=us-east-1\nflush.size=1\nschema.compatibility=NONE\n"              \
    "format.class=io.confluent.connect.s3.format.json.JsonFormat\n"                                \
    "storage.class=io.confluent.connect.s3.storage.S3Storage\n"                                    \
    "s3.bucket.name=user-workshop-bucket\n"                                                        \
    "key.converter=org.apache.kafka.connect.storage.StringConverter\n"                             \
    "value.converter=org.apache.kafka.connect.json.JsonConverter\n"                                \
    "value.converter.schemas.enable=false\n"

static void file_put(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void server_start(struct bench *b)
{
    struct pinpipe_mock_options options;
    char why[PINPIPE_MESSAGE_BYTES] = "";
    pinpipe_mock_options_init(&options);
    options.data_dir = "data";
    options.durability = PINPIPE_OFF;
    options.has_seed = true;
    options.first_poll = PINPIPE_FIRST_POLL_EAGER;
    if (pinpipe_mock_start(&options, &b->mock, why) != PINPIPE_OK) {
        fail_msg("%s", why);
    }
    settings_take(b, true);
}

static int set_up(void **state)
{
    struct bench *b = calloc(1, sizeof(*b));
    assert_non_null(b);
    assert_non_null(getcwd(b->home, sizeof(b->home)));
    temp_dir_make(&b->dir);
    assert_int_equal(chdir(b->dir.path), 0);
    setenv("pinpipe_data", "data", 1);
    setenv("pinpipe_timeout", "20", 1);
    file_put("made.properties", CONFIGURATION);
    file_put("there.json", "{\"name\":\"there\",\"config\":{\"connector.class\":\"io.confluent."
                           "connect.s3.S3SinkConnector\"}}");
    assert_int_equal(system("mkdir -p tree/c && echo one >tree/a && echo two >tree/b && "
                            "echo three >tree/c/d && head -c 9000000 /dev/zero >big"),
                     0);
    server_start(b);
    must_run("data generate --rows 200");
    must_run("connect create there");
    must_run("emulate batch --rows 3");
    must_run("s3 sync tree s3://user-workshop-bucket/tree");
    must_run("s3 put big s3://user-workshop-bucket/big");
    *state = b;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *b = *state;
    alloc_fault_end(); /* a test that failed in the midst */
    assert_int_equal(pinpipe_mock_stop(b->mock), PINPIPE_OK);
    assert_int_equal(chdir(b->home), 0);
    temp_dir_remove(&b->dir);
    free(b);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_command_that_lacks_an_allocation_says_so),
        cmocka_unit_test(a_command_that_lacks_memory_from_somewhere_on_says_so),
        cmocka_unit_test(a_command_whose_arena_ends_says_so),
        cmocka_unit_test(a_command_that_finds_its_server_without_memory_says_so),
        cmocka_unit_test(a_call_that_is_cut_short_goes_on),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
