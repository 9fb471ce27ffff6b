/* From flags, environment, .env, creds.yaml and server.json to what a command works with. */
#include "cli.h"
#include "creds.h"
#include "file.h"
#include "options.h"
#include "resolve.h"
#include "temp_dir.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include <cmocka.h>

static const struct option_spec specs[] = {
    {"rows", OPTION_COUNT, "N", "1000", NULL, "rows"},
    {"rate", OPTION_NUMBER, "R", NULL, NULL, "rate"},
    {"port", OPTION_PORT, "PORT", NULL, NULL, "port"},
    {"order", OPTION_CHOICE, NULL, "python", "python|random", "order"},
    {"json", OPTION_SWITCH, NULL, NULL, NULL, "json"},
    {"file", OPTION_TEXT, "FILE", NULL, NULL, "file"},
};

static const struct command probe = {
    .name = "probe",
    .arguments = "TOPIC",
    .options = specs,
    .option_count = ARRAY_COUNT(specs),
    .args_max = 1,
};

/* A command line in a directory of its own, where .env and server.json may lie. */
struct bench {
    struct temp_dir dir;
    struct config config;
    struct cli cli;
    struct error err;
    char dotenv[512];
};

static void bench_start(struct bench *b)
{
    memset(b, 0, sizeof(*b));
    temp_dir_make(&b->dir);
    temp_dir_path(&b->dir, ".env", b->dotenv, sizeof(b->dotenv));
    env_init_seeded(&b->cli.env, 1);
    arena_init(&b->cli.arena, 1 << 20);
    b->cli.config = &b->config;
    b->cli.command = &probe;
    b->cli.command_path = "probe";
    b->cli.err = stderr;
    for (size_t i = 0; i < config_key_count; i++) {
        unsetenv(config_keys[i].name);
    }
    unsetenv("AWS_ACCESS_KEY_ID"); /* whoever runs the tests may have some */
    unsetenv("AWS_SECRET_ACCESS_KEY");
    unsetenv("AWS_SESSION_TOKEN");
    unsetenv("AWS_REGION");
}

static void bench_end(struct bench *b)
{
    arena_release(&b->cli.arena);
    temp_dir_remove(&b->dir);
}

static enum status take(struct bench *b, const char *const *words, size_t count)
{
    bool wants_help;
    b->cli.arg_count = 0;
    enum status status = config_load(&b->config, &b->cli.arena, b->dotenv, &b->err);
    config_set_flag(&b->config, config_find_flag(SPAN_LIT("data")), b->dir.path);
    return status == STATUS_OK ? options_parse(&b->cli, words, count, &wants_help, &b->err)
                               : status;
}

static void write_file(struct bench *b, const char *name, const char *text)
{
    char path[512];
    temp_dir_path(&b->dir, name, path, sizeof(path));
    assert_int_equal(file_replace(path, span_from_cstr(text), 0600, &b->err), STATUS_OK);
}

/* This process as the server of the directory: it holds the lock until the descriptor is closed. */
static int server_begin(struct bench *b)
{
    char path[512];
    char pid[32];
    snprintf(pid, sizeof(pid), "%ld\n", (long)getpid());
    write_file(b, "server.lock", pid);
    temp_dir_path(&b->dir, "server.lock", path, sizeof(path));
    int fd = open(path, O_RDWR | O_CLOEXEC);
    assert_int_equal(flock(fd, LOCK_EX | LOCK_NB), 0);
    return fd;
}

static void server_announce(struct bench *b, const char *members)
{
    char text[512];
    snprintf(text, sizeof(text), "{\"pid\":%ld%s}", (long)getpid(), members);
    write_file(b, "server.json", text);
}

#define TAKE(b, ...)                                                                               \
    take((b), (const char *const[]){__VA_ARGS__}, ARRAY_COUNT(((const char *const[]){__VA_ARGS__})))

static void a_flag_beats_the_environment_beats_dotenv_beats_the_default(void **state)
{
    (void)state;
    struct bench b;
    bench_start(&b);
    assert_int_equal(TAKE(&b, "t"), STATUS_OK);
    assert_string_equal(cli_config(&b.cli, "iam_username"), "workshop");
    write_file(&b, ".env", "IAM_USERNAME = from-file\nsomething_else = 1\n");
    assert_int_equal(TAKE(&b, "t"), STATUS_OK);
    assert_string_equal(cli_config(&b.cli, "iam_username"), "from-file");
    setenv("iam_username", "from-environment", 1);
    assert_int_equal(TAKE(&b, "t"), STATUS_OK);
    assert_string_equal(cli_config(&b.cli, "iam_username"), "from-environment");
    assert_int_equal(config_get_origin(&b.config, "iam_username"), ORIGIN_ENVIRONMENT);
    assert_int_equal(TAKE(&b, "--iam-username", "from-flag"), STATUS_OK);
    assert_string_equal(cli_config(&b.cli, "iam_username"), "from-flag");
    unsetenv("iam_username");
    write_file(&b, ".env", "no equals sign\n");
    assert_int_equal(TAKE(&b, "t"), STATUS_CONFIG);
    assert_non_null(strstr(b.err.message, ".env: line 1"));
    bench_end(&b);
}

static void options_are_taken_by_their_kind(void **state)
{
    (void)state;
    struct bench b;
    bench_start(&b);
    assert_int_equal(TAKE(&b, "topic", "--rows=7", "--rate", "2.5", "--json", "--order", "random"),
                     STATUS_OK);
    assert_int_equal(cli_count(&b.cli, "rows"), 7);
    assert_true(cli_number(&b.cli, "rate") > 2.4 && cli_number(&b.cli, "rate") < 2.6);
    assert_true(cli_switch(&b.cli, "json"));
    assert_string_equal(cli_text(&b.cli, "order"), "random");
    assert_false(cli_is_set(&b.cli, "file"));
    assert_string_equal(b.cli.args[0], "topic");
    assert_int_equal(TAKE(&b, "--", "--rows"), STATUS_OK);
    assert_string_equal(b.cli.args[0], "--rows");
    assert_int_equal(cli_count(&b.cli, "rows"), 1000);
    bench_end(&b);
}

static void wrong_usage_names_the_word_and_the_nearest_flag(void **state)
{
    (void)state;
    static const struct {
        const char *words[3];
        const char *complaint;
    } cases[] = {
        {{"--rowz", "1", "t"}, "did you mean --rows?"},
        {{"--rows", "-1", "t"}, "whole number from 0"},
        {{"--rows", "1.5", "t"}, "whole number from 0"},
        {{"--rows", "99999999999999999999", "t"}, "whole number from 0"},
        {{"--rate", "fast", "t"}, "a number from 0"},
        {{"--rate", "nan", "t"}, "a number from 0"},
        {{"--port", "65536", "t"}, "a port"},
        {{"--order", "sorted", "t"}, "one of python|random"},
        {{"--json=yes", "t", "--json"}, "takes no value"},
        {{"t", "--json", "--rows"}, "wants a value"},
        {{"t", "u", "--json"}, "one word too many"},
        {{"-r", "t", "--json"}, "written --name"},
        {{"--zzzzzzzzz", "t", "--json"}, "there is no --zzzzzzzzz"},
    };
    struct bench b;
    bench_start(&b);
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        assert_int_equal(take(&b, cases[i].words, 3), STATUS_USAGE);
        if (strstr(b.err.message, cases[i].complaint) == NULL) {
            fail_msg("%s: %s", cases[i].words[0], b.err.message);
        }
    }
    bench_end(&b);
}

static void assert_invoke_url(struct bench *b, const char *expected)
{
    struct endpoints endpoints;
    enum status status = resolve_endpoints(&b->cli, &endpoints, &b->err);
    if (status != STATUS_OK) {
        fail_msg("%s", b->err.message);
    }
    assert_string_equal(endpoints.invoke_url, expected);
}

static void the_stage_is_in_the_url_or_appended_never_both(void **state)
{
    (void)state;
    struct bench b;
    struct endpoints endpoints;
    bench_start(&b);
    assert_int_equal(TAKE(&b, "--invoke-url", "https://a.example/dev/"), STATUS_OK);
    assert_invoke_url(&b, "https://a.example/dev");
    assert_int_equal(TAKE(&b, "--invoke-url", "https://a.example/"), STATUS_OK);
    assert_invoke_url(&b, "https://a.example/test");
    assert_int_equal(TAKE(&b, "--invoke-url", "https://a.example", "--deployment-stage", "prod"),
                     STATUS_OK);
    assert_invoke_url(&b, "https://a.example/prod");
    assert_int_equal(TAKE(&b, "--invoke-url", "https://a.example/dev", "--deployment-stage", "dev"),
                     STATUS_OK);
    assert_invoke_url(&b, "https://a.example/dev");
    assert_int_equal(
        TAKE(&b, "--invoke-url", "https://a.example/dev", "--deployment-stage", "prod"), STATUS_OK);
    assert_int_equal(resolve_endpoints(&b.cli, &endpoints, &b.err), STATUS_CONFIG);
    assert_non_null(strstr(b.err.message, "\"dev\""));
    assert_non_null(strstr(b.err.message, "\"prod\""));
    assert_int_equal(TAKE(&b, "--invoke-url", "a.example/dev"), STATUS_OK);
    assert_int_equal(resolve_endpoints(&b.cli, &endpoints, &b.err), STATUS_CONFIG);
    assert_int_equal(TAKE(&b, "--iam-username", "a/b"), STATUS_OK);
    assert_int_equal(resolve_endpoints(&b.cli, &endpoints, &b.err), STATUS_CONFIG);
    bench_end(&b);
}

static void a_running_server_is_found_in_the_data_directory(void **state)
{
    (void)state;
    struct bench b;
    struct endpoints endpoints;
    bench_start(&b);
    assert_int_equal(TAKE(&b, "t"), STATUS_OK);
    assert_invoke_url(&b, "http://127.0.0.1:8080/test");
    int lock = server_begin(&b);
    server_announce(&b, ",\"gateway_url\":\"http://127.0.0.1:1234/dev\",\"rest_url\":\"http://"
                        "[::1]:1\"");
    assert_invoke_url(&b, "http://127.0.0.1:1234/dev");
    assert_int_equal(TAKE(&b, "--deployment-stage", "prod"), STATUS_OK);
    assert_invoke_url(&b, "http://127.0.0.1:1234/prod");
    /* With an invoke URL of one's own the laptop's server has no say. */
    assert_int_equal(TAKE(&b, "--invoke-url", "https://a.example/dev"), STATUS_OK);
    assert_int_equal(resolve_endpoints(&b.cli, &endpoints, &b.err), STATUS_OK);
    assert_null(endpoints.rest_url);
    assert_int_equal(TAKE(&b, "t"), STATUS_OK);
    assert_int_equal(resolve_endpoints(&b.cli, &endpoints, &b.err), STATUS_OK);
    assert_string_equal(endpoints.rest_url, "http://[::1]:1");
    assert_false(b.cli.told_of_server_file);
    /* tests/e2e/server_file.sh has every way in which a file is not to be believed. */
    close(lock);
    assert_invoke_url(&b, "http://127.0.0.1:8080/test");
    assert_true(b.cli.told_of_server_file);
    bench_end(&b);
}

static void secrets_go_where_a_setting_or_the_running_server_leads(void **state)
{
    (void)state;
    struct bench b;
    struct endpoints endpoints;
    struct s3_client_options s3;
    bench_start(&b);
    setenv("AWS_ACCESS_KEY_ID", "AKID", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "hidden", 1);
    setenv("AWS_SESSION_TOKEN", "token", 1);
    assert_int_equal(TAKE(&b, "--api-key", "key"), STATUS_OK);
    assert_int_equal(resolve_endpoints(&b.cli, &endpoints, &b.err), STATUS_OK);
    assert_null(endpoints.api_key);
    assert_int_equal(resolve_s3(&b.cli, &s3, &b.err), STATUS_OK);
    assert_null(s3.access_key);
    assert_null(s3.secret);
    assert_null(s3.session_token);

    assert_int_equal(TAKE(&b, "--api-key", "key", "--invoke-url", "https://a.example/dev",
                          "--s3-url", "https://s3.example"),
                     STATUS_OK);
    assert_int_equal(resolve_endpoints(&b.cli, &endpoints, &b.err), STATUS_OK);
    assert_string_equal(endpoints.api_key, "key");
    assert_int_equal(resolve_s3(&b.cli, &s3, &b.err), STATUS_OK);
    assert_string_equal(s3.session_token, "token");

    int lock = server_begin(&b);
    server_announce(&b, ",\"gateway_url\":\"http://127.0.0.1:1/t\",\"s3_url\":null");
    assert_int_equal(TAKE(&b, "--api-key", "key"), STATUS_OK);
    assert_int_equal(resolve_endpoints(&b.cli, &endpoints, &b.err), STATUS_OK);
    assert_string_equal(endpoints.api_key, "key");
    assert_int_equal(resolve_s3(&b.cli, &s3, &b.err), STATUS_OK);
    assert_null(s3.access_key); /* that server has no S3 */
    close(lock);
    unsetenv("AWS_ACCESS_KEY_ID");
    unsetenv("AWS_SECRET_ACCESS_KEY");
    unsetenv("AWS_SESSION_TOKEN");
    bench_end(&b);
}

static void s3_and_connect_are_configured_or_found_or_at_their_ports(void **state)
{
    (void)state;
    struct bench b;
    struct s3_client_options s3;
    const char *connect;
    bench_start(&b);
    assert_int_equal(TAKE(&b, "t"), STATUS_OK);
    assert_int_equal(resolve_s3(&b.cli, &s3, &b.err), STATUS_OK);
    assert_string_equal(s3.url, "http://127.0.0.1:9000");
    assert_string_equal(s3.region, "us-east-1");
    assert_null(s3.access_key);
    assert_int_equal(resolve_connect(&b.cli, &connect, &b.err), STATUS_OK);
    assert_string_equal(connect, "http://127.0.0.1:8083");
    /* A server without such a listener says null. */
    int lock = server_begin(&b);
    server_announce(&b, ",\"s3_url\":\"http://127.0.0.1:1234\",\"connect_url\":null");
    assert_int_equal(resolve_s3(&b.cli, &s3, &b.err), STATUS_OK);
    assert_string_equal(s3.url, "http://127.0.0.1:1234");
    assert_int_equal(resolve_connect(&b.cli, &connect, &b.err), STATUS_OK);
    assert_string_equal(connect, "http://127.0.0.1:8083");
    close(lock);
    setenv("AWS_ACCESS_KEY_ID", "AKID", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "hidden", 1);
    setenv("AWS_REGION", "eu-west-1", 1);
    assert_int_equal(TAKE(&b, "--s3-url", "https://s3.eu-west-1.amazonaws.com/", "--connect-url",
                          "http://h:1//"),
                     STATUS_OK);
    assert_int_equal(resolve_s3(&b.cli, &s3, &b.err), STATUS_OK);
    assert_string_equal(s3.url, "https://s3.eu-west-1.amazonaws.com");
    assert_string_equal(s3.access_key, "AKID");
    assert_string_equal(s3.secret, "hidden");
    assert_string_equal(s3.region, "eu-west-1");
    assert_int_equal(resolve_connect(&b.cli, &connect, &b.err), STATUS_OK);
    assert_string_equal(connect, "http://h:1");
    assert_int_equal(TAKE(&b, "--s3-url", "s3.amazonaws.com"), STATUS_OK);
    assert_int_equal(resolve_s3(&b.cli, &s3, &b.err), STATUS_CONFIG);
    assert_non_null(strstr(b.err.message, "http://127.0.0.1:9000"));
    unsetenv("AWS_ACCESS_KEY_ID");
    unsetenv("AWS_SECRET_ACCESS_KEY");
    unsetenv("AWS_REGION");
    bench_end(&b);
}

static void creds_are_read_in_both_spellings_and_faults_name_their_line(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *complaint; /* NULL: fine */
    } cases[] = {
        {"HOST: h\nUSER: u\nPASSWORD: 'p: #1'\nDATABASE: d\nPORT: 3306\n", NULL},
        {"RDS_HOST: h\nRDS_USER: u\nRDS_PASSWORD: 'p: #1'\nRDS_DATABASE: d\nRDS_PORT: 3306\n"
         "RDS_SSL_CA: ca.pem",
         NULL},
        {"HOST h\nUSER u\n", "not a mapping"},
        {"HOST: h\nUSERNAME: u\n", "line 2: unknown key \"USERNAME\""},
        {"HOST:\n  - h\n", "write it flat"},
        {"HOST: \"h\n", "not YAML"},
        {"- a\n", "not a mapping"},
    };
    struct bench b;
    struct creds creds;
    char path[512];
    bench_start(&b);
    temp_dir_path(&b.dir, "creds.yaml", path, sizeof(path));
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        write_file(&b, "creds.yaml", cases[i].text);
        enum status status = creds_read(path, &creds, &b.err);
        if (cases[i].complaint == NULL) {
            assert_int_equal(status, STATUS_OK);
            assert_string_equal(creds.host, "h");
            assert_string_equal(creds.password, "p: #1");
            assert_string_equal(creds.port, "3306");
            assert_string_equal(creds.ssl_ca, i == 0 ? "" : "ca.pem");
        } else if (status != STATUS_CONFIG || strstr(b.err.message, cases[i].complaint) == NULL) {
            fail_msg("%s: %s", cases[i].text, b.err.message);
        }
    }
    write_file(&b, "creds.yaml", "# HOST: commented out\n");
    assert_int_equal(creds_read(path, &creds, &b.err), STATUS_OK);
    assert_string_equal(creds.host, "");
    assert_int_equal(creds_read("/nowhere/creds.yaml", &creds, &b.err), STATUS_CONFIG);
    bench_end(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_flag_beats_the_environment_beats_dotenv_beats_the_default),
        cmocka_unit_test(options_are_taken_by_their_kind),
        cmocka_unit_test(wrong_usage_names_the_word_and_the_nearest_flag),
        cmocka_unit_test(the_stage_is_in_the_url_or_appended_never_both),
        cmocka_unit_test(a_running_server_is_found_in_the_data_directory),
        cmocka_unit_test(secrets_go_where_a_setting_or_the_running_server_leads),
        cmocka_unit_test(s3_and_connect_are_configured_or_found_or_at_their_ports),
        cmocka_unit_test(creds_are_read_in_both_spellings_and_faults_name_their_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
