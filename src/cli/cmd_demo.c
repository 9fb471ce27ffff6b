/* `pinpipe demo`: the whole pipeline in one process. Generates the tables, starts the server on
 * free ports, creates the workshop's connector, posts every row through the gateway, reads every
 * topic and every object back, prints the verdict. */
#include "cli_junit.h"
#include "cli_progress.h"
#include "commands.h"
#include "emulator.h"
#include "file.h"
#include "generator.h"
#include "lake_access.h"
#include "pinpipe/mock.h"
#include "verdict_report.h"
#include "verifier.h"
#include "version.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { path_bytes_max = 1024 };

struct demo {
    struct cli *cli;
    const char *dir;
    bool in_memory; /* topics in memory; tables and ledger in a temporary directory */
    struct pinpipe_mock *mock;
    struct lake_access lake;
    struct cli_progress progress;
    struct emulator_summary summary;
    struct verdict verdict;
    int64_t rows;
};

/* The files that pinpipe itself writes into a data directory; nothing else is ever removed. */
static const char *const owned_files[] = {
    "state.db",   "state.db-wal",   "state.db-shm",   "state.db.new",
    "rds.db",     "ledger.db",      "ledger.db-wal",  "ledger.db-shm",
    "journal.db", "journal.db-wal", "journal.db-shm", "server.json",
};

static enum status remove_owned_files(const char *dir, struct error *err)
{
    char path[path_bytes_max];
    for (size_t i = 0; i < ARRAY_COUNT(owned_files); i++) {
        snprintf(path, sizeof(path), "%s/%s", dir, owned_files[i]);
        if (unlink(path) != 0 && errno != ENOENT) {
            return error_set_errno(err, errno, "%s: cannot be removed", path);
        }
    }
    return STATUS_OK;
}

static enum status prepare_directory(struct demo *demo, struct error *err)
{
    const char *data = cli_data_dir(demo->cli);
    demo->in_memory = strcmp(data, ":memory:") == 0;
    if (demo->in_memory) {
        const char *tmp = env_variable("TMPDIR");
        char *dir =
            arena_printf(&demo->cli->arena, "%s/pinpipe-demo.XXXXXX", tmp != NULL ? tmp : "/tmp");
        demo->dir = dir;
        return dir != NULL && mkdtemp(dir) != NULL
                   ? STATUS_OK
                   : error_set_errno(err, errno, "a temporary directory");
    }
    demo->dir = arena_printf(&demo->cli->arena, "%s/demo", data);
    if (demo->dir == NULL) {
        return error_no_memory(err);
    }
    enum status status = file_make_directory(demo->dir, err);
    if (status != STATUS_OK) {
        return err->code = STATUS_CONFIG;
    }
    if (!pinpipe_mock_directory_is_free(demo->dir)) {
        return error_set(err, STATUS_CONFIG,
                         "%s: a server is running on the last demo's data; stop it first, or use "
                         "another place with --data",
                         demo->dir);
    }
    return remove_owned_files(demo->dir, err);
}

static void leave_directory(struct demo *demo)
{
    struct error ignored;
    if (demo->in_memory && demo->dir != NULL &&
        remove_owned_files(demo->dir, &ignored) == STATUS_OK) {
        char lock[path_bytes_max];
        snprintf(lock, sizeof(lock), "%s/rds.lock", demo->dir);
        unlink(lock);
        rmdir(demo->dir);
    }
}

static enum status generate(struct demo *demo, struct error *err)
{
    const struct rds_generate_options options = {
        .data_dir = demo->dir,
        .env = &demo->cli->env,
        .rows = demo->rows,
        .seed = cli_count(demo->cli, "seed"),
        .progress = &demo->progress.progress,
    };
    return rds_generate(&options, err);
}

static enum status start_server(struct demo *demo, struct error *err)
{
    struct pinpipe_mock_options options;
    char why[PINPIPE_MESSAGE_BYTES];
    pinpipe_mock_options_init(&options);
    options.data_dir = demo->in_memory ? NULL : demo->dir;
    options.user_id = cli_config(demo->cli, "iam_username");
    options.has_seed = true;
    options.seed = (uint64_t)cli_count(demo->cli, "seed");
    options.version = pinpipe_version;
    enum pinpipe_result result = pinpipe_mock_start(&options, &demo->mock, why);
    if (result == PINPIPE_OK) {
        return STATUS_OK;
    }
    return error_set(err, result == PINPIPE_CONFIG ? STATUS_CONFIG : STATUS_FAILED, "%s", why);
}

static struct endpoints demo_endpoints(const struct demo *demo)
{
    return (struct endpoints){
        .invoke_url = pinpipe_mock_url(demo->mock, PINPIPE_GATEWAY),
        .rest_url = pinpipe_mock_url(demo->mock, PINPIPE_REST),
        .user_id = cli_config(demo->cli, "iam_username"),
        .consumer_group = cli_config(demo->cli, "consumer_group"),
    };
}

static enum status post_rows(struct demo *demo, struct error *err)
{
    const struct endpoints endpoints = demo_endpoints(demo);
    struct emulator_options options;
    emulator_options_init(&options);
    options.env = &demo->cli->env;
    options.data_dir = demo->dir;
    options.endpoints = &endpoints;
    options.order = ROW_ORDER_SEQUENTIAL;
    options.rows = demo->rows;
    options.progress = &demo->progress.progress;
    enum status status = emulator_run(&options, &demo->summary, err);
    if (status == STATUS_OK && demo->summary.end == EMULATOR_END_INTERRUPTED) {
        status = error_set(err, STATUS_INTERRUPTED, "stopped after %lld posts",
                           (long long)demo->summary.posts_acked);
    }
    return status;
}

static enum status demo_judge(struct demo *demo, struct error *err)
{
    const struct verifier_options options = {
        .env = &demo->cli->env,
        .endpoints = demo_endpoints(demo),
        .data_dir = demo->dir,
        .progress = &demo->progress.progress,
        .lake = demo->lake.reader,
        .connect = demo->lake.connect,
        .strict = true,
    };
    return verifier_run(&options, &demo->verdict, err);
}

/* The workshop's milestone 4: the connector that lands what is posted. */
static enum status create_connector(struct demo *demo, struct error *err)
{
    enum { body_bytes_max = 64 * 1024 };
    const char *user_id = cli_config(demo->cli, "iam_username");
    const struct s3_client_options s3 = {
        .env = &demo->cli->env,
        .url = pinpipe_mock_url(demo->mock, PINPIPE_S3),
        .region = "us-east-1",
        .should_stop = cli_should_stop,
    };
    struct buf config;
    struct buf body;
    struct buf answer;
    char name[LAKE_BUCKET_BYTES];
    snprintf(name, sizeof(name), "%s-connector", user_id);
    buf_init(&config, body_bytes_max);
    buf_init(&body, body_bytes_max);
    buf_init(&answer, body_bytes_max);
    connect_workshop_config(user_id, &config);
    connect_create_body(&body, span_from_cstr(name), buf_span(&config));
    enum status status = lake_access_open(&demo->lake, &s3, user_id, NULL,
                                          pinpipe_mock_url(demo->mock, PINPIPE_CONNECT), err);
    if (status == STATUS_OK) {
        const struct span bytes = buf_span(&body);
        status =
            connect_client_call(demo->lake.connect, "POST", "/connectors", &bytes, &answer, err);
    }
    buf_release(&config);
    buf_release(&body);
    buf_release(&answer);
    return status;
}

static enum status run_pipeline(struct demo *demo, struct error *err)
{
    enum status status = prepare_directory(demo, err);
    if (status == STATUS_OK) {
        status = generate(demo, err);
    }
    if (status == STATUS_OK) {
        status = start_server(demo, err);
    }
    if (status == STATUS_OK) {
        cli_progress_end(&demo->progress);
        fprintf(demo->cli->err, "server: gateway %s, REST proxy %s, Connect %s, S3 %s\n",
                pinpipe_mock_url(demo->mock, PINPIPE_GATEWAY),
                pinpipe_mock_url(demo->mock, PINPIPE_REST),
                pinpipe_mock_url(demo->mock, PINPIPE_CONNECT),
                pinpipe_mock_url(demo->mock, PINPIPE_S3));
        status = create_connector(demo, err);
    }
    if (status == STATUS_OK) {
        status = post_rows(demo, err);
    }
    if (status == STATUS_OK) {
        status = demo_judge(demo, err);
    }
    cli_progress_end(&demo->progress);
    lake_access_close(&demo->lake);
    if (demo->mock != NULL && pinpipe_mock_stop(demo->mock) != PINPIPE_OK && status == STATUS_OK) {
        status = error_set(err, STATUS_FAILED, "the server did not end cleanly");
    }
    return status;
}

static void print_posted(const struct demo *demo)
{
    const struct emulator_summary *s = &demo->summary;
    double seconds = (double)s->elapsed_us / 1e6;
    fprintf(demo->cli->err, "posted: %lld posts acknowledged in %.1f s (%.0f a second)\n",
            (long long)s->posts_acked, seconds,
            seconds > 0 ? (double)s->posts_acked / seconds : 0.0);
    fprintf(demo->cli->err, "landed: %llu objects in s3://user-%s-bucket/topics/\n",
            (unsigned long long)demo->verdict.objects, cli_config(demo->cli, "iam_username"));
}

/* Prints the text as a word of a shell's command line. */
static void print_word(FILE *out, const char *word)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "._-/:@%+=,";
    if (word[0] != '\0' && strspn(word, plain) == strlen(word)) {
        fputs(word, out);
        return;
    }
    fputc('\'', out);
    for (; *word != '\0'; word++) {
        fputs(*word == '\'' ? "'\\''" : (const char[]){*word, '\0'}, out);
    }
    fputc('\'', out);
}

static void print_next_step(const struct demo *demo, const char *command, const char *rest)
{
    FILE *err = demo->cli->err;
    fputs("  ", err);
    print_word(err, demo->cli->program);
    fprintf(err, " %s --data ", command);
    print_word(err, demo->dir);
    if (config_get_origin(demo->cli->config, "iam_username") == ORIGIN_FLAG) {
        fputs(" --iam-username ", err);
        print_word(err, cli_config(demo->cli, "iam_username"));
    }
    fprintf(err, "%s\n", rest);
}

/* Behind the verdict, as they would be typed from here. */
static void print_next_steps(const struct demo *demo)
{
    FILE *err = demo->cli->err;
    fputs("\nNext, ask what is stored:\n", err);
    print_next_step(demo, "sql", " \"SELECT topic, count(*) FROM records GROUP BY topic\"");
    fputs("serve it:\n", err);
    print_next_step(demo, "serve", "");
    fputs("and, in another terminal while that runs, have it judged again:\n", err);
    print_next_step(demo, "verify", " --through s3");
    fputs("or look into the lake:\n", err);
    const char *topics = arena_printf(&demo->cli->arena, " s3://user-%s-bucket/topics/",
                                      cli_config(demo->cli, "iam_username"));
    print_next_step(demo, "s3 ls", topics != NULL ? topics : "");
}

static int demo_run(struct cli *cli)
{
    struct error err = ERROR_NONE;
    struct demo *demo = ARENA_NEW(&cli->arena, struct demo);
    if (demo == NULL) {
        return status_exit_code(STATUS_NO_MEMORY);
    }
    demo->cli = cli;
    demo->rows = cli_count(cli, "rows");
    /* Told before the last demo's data is removed. */
    if (demo->rows < 1 || demo->rows > GENERATOR_ROWS_MAX) {
        return cli_usage(cli, "--rows wants 1 to %d", GENERATOR_ROWS_MAX);
    }
    const char *junit = cli_text(cli, "junit");
    if (junit != NULL && cli_junit_check(junit, &err) != STATUS_OK) {
        return cli_report(cli, &err);
    }
    cli_progress_init(&demo->progress, cli);
    enum status status = run_pipeline(demo, &err);
    if (status == STATUS_OK && junit != NULL) {
        status = cli_junit_write(junit, &demo->verdict, &err);
    }
    leave_directory(demo);
    if (status != STATUS_OK) {
        return cli_report(cli, &err);
    }
    print_posted(demo);
    if (cli_switch(cli, "json")) {
        verdict_write_json(&demo->verdict, cli->out);
    } else {
        verdict_write_text(&demo->verdict, cli->out);
    }
    fflush(cli->out);
    if (!demo->in_memory) {
        print_next_steps(demo);
    }
    return verdict_passed(&demo->verdict) ? EXIT_CODE_DONE : EXIT_CODE_VERDICT;
}

static const struct option_spec options[] = {
    {"rows", OPTION_COUNT, "N", "11154", NULL, "rows a table; each is posted once"},
    {"seed", OPTION_COUNT, "S", "100", NULL, "the same seed gives the same rows and ids"},
    {"junit", OPTION_TEXT, "FILE", NULL, NULL, "write the verdict as JUnit XML too"},
    {"json", OPTION_SWITCH, NULL, NULL, NULL, "the verdict as one JSON document"},
};

const struct command cmd_demo = {
    .name = "demo",
    .summary = "Run the whole pipeline in one process and print a verdict",
    .arguments = "",
    .options = options,
    .option_count = ARRAY_COUNT(options),
    .example = "pinpipe demo --rows 1000",
    .run = demo_run,
};
