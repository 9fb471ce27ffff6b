/* The commands without memory. Each runs in this process against a server beside it, again and
 * again: each time another of its allocations fails, or its arena ends a little later. Whatever it
 * is, the command ends with a documented exit code and names the lack; with exit 0 its result is
 * the one that it has with memory. It works as soon as there is memory again, and leaves none
 * behind. In the end the pipeline is whole: what was posted is accounted for.
 *
 * Not every allocation is tried of commands that have many; PINPIPE_FAULT_STRIDE=1 does. */
#include "alloc_fault.h"
#include "commands.h"
#include "fault_points.h"
#include "options.h"
#include "temp_dir.h"

#include <pinpipe/mock.h>

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum {
    WORDS_MAX = 16,
    WORDS_BYTES = 256,
    ARENA_BYTES = 16 << 20,
    ARENA_STEP = 16, /* what an arena rounds to */
    CODES_DOCUMENTED = 5,
    SLACK_ALLOCATIONS = 64, /* of the libraries, which keep some for the next time */
};

enum judged_by { BY_BYTES, BY_EXIT };

struct tool {
    const char *words;  /* _ is a blank within one */
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
    {"s3 sync s3://user-workshop-bucket/tree down --dry-run", NULL, BY_EXIT},
    {"s3 sync tree s3://user-workshop-bucket/tree --delete",
     "s3 put tree/b s3://user-workshop-bucket/tree/old\n"
     "s3 put tree/a s3://user-workshop-bucket/tree/b",
     BY_EXIT},
    {"consume workshop.pin --from-beginning --max-messages 2 --group \x1e", NULL, BY_BYTES},
    {"verify", NULL, BY_BYTES},
    {"verify --through s3 --json", NULL, BY_EXIT},
    {"verify --junit verdict.xml", NULL, BY_BYTES},
    {"emulate batch --rows 1 --order random --seed \x1e", NULL, BY_EXIT},
    {"emulate batch --rows 1 --json --order random --seed \x1e", NULL, BY_EXIT},
    {"sql SELECT_topic,partitions_FROM_topics", NULL, BY_BYTES},
    {"sql --json SELECT_*_FROM_records", NULL, BY_BYTES},
    {"sql --csv SELECT_*_FROM_records", NULL, BY_BYTES},
};

/* What came of a command. */
struct said {
    int code;
    char *out;
    char *err;
    size_t arena_bytes;
};

struct bench {
    struct temp_dir dir;
    char home[1024];
    struct pinpipe_mock *mock;
    int number; /* of the run */
    char number_text[16];
    int complaints;
};

static void said_release(struct said *said)
{
    free(said->out);
    free(said->err);
    *said = (struct said){0};
}

/* Takes the line apart as a shell would; the words lie in `text`. */
static size_t words_split(struct bench *b, const char *line, char text[WORDS_BYTES],
                          const char *words[WORDS_MAX])
{
    size_t count = 0;
    char *rest = text;
    char *word;
    snprintf(text, WORDS_BYTES, "%s", line);
    while ((word = strsep(&rest, " ")) != NULL && count < WORDS_MAX) {
        for (char *p = word; *p != '\0'; p++) {
            *p = *p == '_' && strncmp(word, "SELECT", 6) == 0 ? ' ' : *p;
        }
        if (strcmp(word, "\x1e") == 0) { /* one of its own each time */
            snprintf(b->number_text, sizeof(b->number_text), "%d", ++b->number);
            word = b->number_text;
        }
        words[count++] = word;
    }
    return count;
}

static int run(struct cli *cli, const char *const *words, size_t count)
{
    struct error err = ERROR_NONE;
    bool wants_help;
    enum status status = config_load(cli->config, &cli->arena, ".env", &err);
    if (status == STATUS_OK) {
        status = options_parse(cli, words, count, &wants_help, &err);
    }
    return status == STATUS_OK ? cli->command->run(cli) : cli_report(cli, &err);
}

struct lack {
    long allocation; /* the number of the one that fails; 0: none */
    enum alloc_fault_mode mode;
    size_t arena_bytes;
};

static const struct lack nothing_lacks = {0, ALLOC_FAILS_ONCE, ARENA_BYTES};

/* As the program does it, but for the way to the streams. True: something failed. */
static bool tool_run(struct bench *b, const char *line, struct lack lack, struct said *said)
{
    char text[WORDS_BYTES];
    const char *words[WORDS_MAX];
    const char *nearest;
    size_t used;
    size_t out_bytes;
    size_t err_bytes;
    struct config config;
    struct cli cli = {.config = &config, .program = "pinpipe"};
    size_t count = words_split(b, line, text, words);
    cli.command = command_find(words, count, &used, &nearest);
    assert_non_null(cli.command);
    assert_non_null(cli.command->run);
    cli.command_path = cli.command->name;
    cli.out = open_memstream(&said->out, &out_bytes);
    cli.err = open_memstream(&said->err, &err_bytes);
    env_init_system(&cli.env);
    log_init(&cli.log, &cli.env, cli.err, LOG_INFO);
    arena_init(&cli.arena, lack.arena_bytes);
    if (lack.allocation > 0) {
        alloc_fault_begin_own(lack.allocation, lack.mode);
    }
    said->code = run(&cli, words + used, count - used);
    bool failed = lack.allocation > 0 && alloc_fault_end();
    said->arena_bytes = cli.arena.used_bytes;
    arena_release(&cli.arena);
    fclose(cli.out);
    fclose(cli.err);
    return failed;
}

static void prepare(struct bench *b, const struct tool *tool)
{
    char line[WORDS_BYTES];
    struct span rest = span_from_cstr(tool->before != NULL ? tool->before : "");
    struct span one;
    while (span_next_part(&rest, '\n', &one)) {
        struct said said = {0};
        snprintf(line, sizeof(line), "%.*s", SPAN_ARG(one));
        (void)tool_run(b, line, nothing_lacks, &said); /* what is not there cannot be deleted */
        said_release(&said);
    }
}

static void judge(struct bench *b, const struct tool *tool, const struct said *good,
                  const struct said *said, const char *what)
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

static struct said good_run(struct bench *b, const struct tool *tool)
{
    struct said good = {0};
    prepare(b, tool);
    (void)tool_run(b, tool->words, nothing_lacks, &good);
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
    struct said good = good_run(b, tool);
    prepare(b, tool);
    struct said again = {0};
    (void)tool_run(b, tool->words, (struct lack){LONG_MAX, mode, ARENA_BYTES}, &again);
    said_release(&again);
    long step = step_of(alloc_fault_asked(), points);
    long alive = alloc_fault_alive_here();
    bool failed = true;
    for (long n = 1 + b->number++ % step; failed; n += step) {
        char what[64];
        struct said said = {0};
        prepare(b, tool);
        failed = tool_run(b, tool->words, (struct lack){n, mode, ARENA_BYTES}, &said);
        snprintf(what, sizeof(what), "allocation %ld", n);
        judge(b, tool, &good, &said, what);
        said_release(&said);
    }
    again = good_run(b, tool);
    judge(b, tool, &good, &again, "with memory again");
    said_release(&again);
    said_release(&good);
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
        tool_fails(b, &tools[i], ALLOC_FAILS_ONCE, 100);
    }
    assert_int_equal(b->complaints, 0);
}

static void a_command_that_lacks_memory_from_somewhere_on_says_so(void **state)
{
    struct bench *b = *state;
    for (size_t i = 0; i < ARRAY_COUNT(tools); i++) {
        tool_fails(b, &tools[i], ALLOC_FAILS_FROM_THERE_ON, 25);
    }
    assert_int_equal(b->complaints, 0);
}

static void a_command_whose_arena_ends_says_so(void **state)
{
    struct bench *b = *state;
    for (size_t i = 0; i < ARRAY_COUNT(tools); i++) {
        struct said good = good_run(b, &tools[i]);
        for (size_t bytes = 0; bytes <= good.arena_bytes; bytes += ARENA_STEP) {
            char what[64];
            struct said said = {0};
            prepare(b, &tools[i]);
            (void)tool_run(b, tools[i].words, (struct lack){0, ALLOC_FAILS_ONCE, bytes}, &said);
            snprintf(what, sizeof(what), "an arena of %zu bytes", bytes);
            judge(b, &tools[i], &good, &said, what);
            said_release(&said);
        }
        said_release(&good);
    }
    assert_int_equal(b->complaints, 0);
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

static void must_run(struct bench *b, const char *line)
{
    struct said said = {0};
    (void)tool_run(b, line, nothing_lacks, &said);
    if (said.code != 0) {
        fail_msg("%s: exit %d: %s\n%s", line, said.code, said.err, said.out);
    }
    said_release(&said);
}

static void server_start(struct bench *b)
{
    static const struct {
        enum pinpipe_service service;
        const char *setting;
    } urls[] = {{PINPIPE_GATEWAY, "invoke_URL"},
                {PINPIPE_REST, "rest_url"},
                {PINPIPE_CONNECT, "connect_url"},
                {PINPIPE_S3, "s3_url"}};
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
    for (size_t i = 0; i < ARRAY_COUNT(urls); i++) {
        setenv(urls[i].setting, pinpipe_mock_url(b->mock, urls[i].service), 1);
    }
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
                            "echo three >tree/c/d"),
                     0);
    server_start(b);
    must_run(b, "data generate --rows 200");
    must_run(b, "connect create there");
    must_run(b, "emulate batch --rows 3");
    must_run(b, "s3 sync tree s3://user-workshop-bucket/tree");
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
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
