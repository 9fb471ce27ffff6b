/* Command lines and settings that cannot be meant so, each in each of its ways: what the user is
 * told, and with which exit code. No server is asked, and nothing is written. */
#include "run_tool.h"

#include "base.h"
#include "config.h"
#include "temp_dir.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { USAGE = 2, CONFIG = 4, text_bytes = 8192 };

struct bench {
    struct temp_dir dir;
    char home[1024];
};

static int set_up(void **state)
{
    struct bench *b = calloc(1, sizeof(*b));
    assert_non_null(b);
    assert_non_null(getcwd(b->home, sizeof(b->home)));
    temp_dir_make(&b->dir);
    assert_int_equal(chdir(b->dir.path), 0);
    for (size_t i = 0; i < config_key_count; i++) { /* whoever runs the tests may have some */
        unsetenv(config_keys[i].name);
    }
    *state = b;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *b = *state;
    assert_int_equal(chdir(b->home), 0);
    temp_dir_remove(&b->dir);
    free(b);
    return 0;
}

static void assert_told(const char *line, int code, const char *words)
{
    struct tool_said said;
    tool_run_well(line, &said);
    if (said.code != code || strstr(said.err, words) == NULL) {
        fail_msg("%s: exit %d, not %d with: %s\n%s", line, said.code, code, words, said.err);
    }
    tool_said_release(&said);
}

static const char *const usage_errors[][2] = {
    {"serve --throttle 5", "--throttle \"5\""},
    {"serve --throttle x:5", "--throttle \"x:5\""},
    {"serve --throttle 5:x", "--throttle \"5:x\""},
    {"serve --throttle 0:5", "--throttle \"0:5\""},
    {"serve --throttle 5:0", "--throttle \"5:0\""},
    {"serve --throttle nan:5", "--throttle \"nan:5\""},
    {"serve --throttle \"", "--throttle \"\""},
    {"serve --credentials AKID", "ID:SECRET"},
    {"serve --credentials AKID:", "ID:SECRET"},
    {"serve --credentials :hidden", "ID:SECRET"},
    {"serve --credentials \"", "ID:SECRET"},
    {"serve --gateway-refused-status 499", "from 500 to 599"},
    {"serve --gateway-refused-status 600", "from 500 to 599"},
    {"serve --port 65536", "--port"},
    {"serve --port -1", "--port"},
    {"serve --port x", "--port"},
    {"serve --journal -1", "--journal"},
    {"serve --journal 9223372036854775808", "--journal"},
    {"serve --permissions none", "open"},
    {"serve --durability sometimes", "full"},
    {"serve there", "there"},
    {"emulate batch --rows 0", "--rows 0"},
    {"emulate batch --rows 5 --forever", "exclude each other"},
    {"emulate batch --concurrency 0", "--concurrency 0"},
    {"emulate batch --concurrency 1000000", "--concurrency 1000000"},
    {"emulate batch --attempts 0", "--attempts 0"},
    {"emulate batch --attempts 1000000000", "--attempts 1000000000"},
    {"emulate batch --rate 0", "--rate 0"},
    {"emulate batch --rate -1", "--rate"},
    {"emulate batch --rate 1e16", "--rate"},
    {"emulate batch --rate nan", "--rate"},
    {"emulate batch --rate x", "--rate"},
    {"emulate batch --rate 5 --pace workshop", "exclude each other"},
    {"emulate batch --order sideways", "python"},
    {"emulate batch --forevr", "did you mean --forever"},
    {"emulate batch --zzzzzzzzzzzz", "--zzzzzzzzzzzz"},
    {"emulate batch --rows", "--rows"},
    {"emulate batch --json=yes", "--json"},
    {"data generate --rows 0", "--rows"},
    {"data generate --rows 2000000000", "--rows"},
    {"data export", "TABLE"},
    {"data export pin a b", "pin"},
    {"data export nothing", "nothing"},
    {"data import pin", "FILE"},
    {"demo --rows 0", "--rows wants 1 to"},
    {"demo --rows 2000000000", "--rows wants 1 to"},
    {"consume", "TOPIC"},
    {"consume t --timeout 0", "--timeout"},
    {"consume t --group \"", "--group"},
    {"sql", "SELECT"},
    {"sql SELECT_1 --json --csv", "not both"},
    {"verify --json --tap", "choose one"},
    {"verify --through sideways", "topics"},
    {"topics create", "NAME"},
    {"s3 ls bucket", "is not s3://bucket or s3://bucket/prefix"},
    {"s3 ls s3:///key", "is not s3://bucket or s3://bucket/prefix"},
    {"s3 cat s3://bucket", "is not s3://bucket/key"},
    {"s3 cat s3://bucket/", "is not s3://bucket/key"},
    {"s3 get bucket/key", "is not s3://bucket/key"},
    {"s3 get s3://bucket/key -", "pinpipe s3 cat"},
    {"s3 get s3://bucket/folder/", "is no file's name"},
    {"s3 get s3://bucket/..", "is no file's name"},
    {"s3 get s3://bucket/.", "is no file's name"},
    {"s3 put file bucket/key", "is not s3://bucket/key"},
    {"s3 put folder/ s3://bucket", "is not a file"},
    {"s3 put folder/ s3://bucket/key/", "is not a file"},
    {"s3 sync a b", "one of the two is a directory"},
    {"s3 sync s3://a s3://b", "one of the two is a directory"},
    {"s3 sync a s3://", "one of the two is a directory"},
};

static void options_that_cannot_be_meant_are_usage_errors(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(usage_errors); i++) {
        assert_told(usage_errors[i][0], USAGE, usage_errors[i][1]);
    }
}

static void settings_that_cannot_be_meant_are_configuration_errors(void **state)
{
    static const char *const cases[][2] = {
        {"topics list --invoke-url \"", "invoke_URL \"\" is not a URL"},
        {"topics list --invoke-url ///", "is not a URL"},
        {"topics list --invoke-url ftp://h/test", "is not a URL"},
        {"topics list --invoke-url http://h/test?a=b", "is not a URL"},
        {"topics list --invoke-url http://h/test/topics/t", "cut it before /topics"},
        {"topics list --invoke-url http://h/test/v3", "cut it before /v3"},
        {"topics list --invoke-url http://h/streams", "cut it before /streams"},
        {"topics list --invoke-url http://h/test --deployment-stage prod", "remove one of them"},
        {"topics list --deployment-stage \"", "is not a stage's name"},
        {"topics list --deployment-stage a/b", "is not a stage's name"},
        {"topics list --iam-username \"", "cannot begin a topic's name"},
        {"topics list --iam-username a/b", "cannot begin a topic's name"},
        {"topics list --rest-url nowhere", "rest_url \"nowhere\" is not a URL"},
        {"connect list --connect-url nowhere", "connect_url \"nowhere\" is not a URL"},
        {"s3 ls --s3-url nowhere", "s3_url \"nowhere\" is not a"},
        {"s3 ls --s3-url http://h --aws-access-key-id A", "go together"},
        {"topics list --timeout 0", "is no time"},
        {"topics list --timeout 86401", "is no time"},
        {"emulate batch --creds-path missing.yaml", "creds_path"},
        {"connect create --config missing.properties", "missing.properties"},
        {"serve --kafka-rest-properties missing.properties", "--kafka-rest-properties"},
        {"verify --through streams", "not in this build yet"},
        {"verify --junit no/such/dir.xml --invoke-url http://127.0.0.1:1/test", "--junit"},
        {"emulate stream", "not in this build yet"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        assert_told(cases[i][0], CONFIG, cases[i][1]);
    }
}

static void file_put(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void a_creds_file_that_is_none_names_its_line(void **state)
{
    static const char *const cases[][2] = {
        {"HOST: [a, b]\n", "line 1: write it flat"},
        {"USER: u\n? [a]\n: b\n", "line 2: write it flat"},
        {"USER:\n  NAME: u\n", "line 1: write it flat"},
        {"- HOST\n", "not a mapping"},
        {"just words\n", "not a mapping"},
        {"USER: u\nHOTS: h\n", "line 2: unknown key \"HOTS\""},
        {"RDS_: h\n", "line 1: unknown key \"RDS_\""},
        {"USER: 'u\n", "not YAML"},
        {"USER: \x01\n", "not YAML"},
        {"HOST: h\n", "USER is not: add a line like USER: project_user"},
        {"RDS_HOST: h\nUSER: u\n", "DATABASE is not: add a line like"},
    };
    char text[text_bytes];
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        file_put("creds.yaml", cases[i][0]);
        assert_told("emulate batch --creds-path creds.yaml", CONFIG, cases[i][1]);
    }
    snprintf(text, sizeof(text), "PASSWORD: %04000d\n", 1);
    file_put("creds.yaml", text);
    assert_told("emulate batch --creds-path creds.yaml", CONFIG, "line 1: PASSWORD is longer than");
    for (size_t i = 0; i < 3; i++) { /* nothing in it is nothing wrong */
        static const char *const empty[] = {"", "# nothing\n", "USER: u\nRDS_PORT: 3306\n"};
        struct tool_said said;
        file_put("creds.yaml", empty[i]);
        tool_run_well("config show --creds-path creds.yaml", &said);
        assert_int_equal(said.code, 0);
        tool_said_release(&said);
    }
}

static void a_dotenv_file_that_is_none_names_its_line(void **state)
{
    static const char *const cases[][2] = {
        {"iam_username = u\nnonsense\n", ".env"},
        {"9key = v\n", ".env"},
        {"= v\n", ".env"},
        {"ke y = v\n", ".env"},
        {"key = 'v\n", ".env"},
        {"key = \"v\n", ".env"},
        {"key = 'v' w\n", ".env"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        file_put(".env", cases[i][0]);
        assert_told("config show", CONFIG, cases[i][1]);
    }
    unlink(".env");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(options_that_cannot_be_meant_are_usage_errors),
        TEST(settings_that_cannot_be_meant_are_configuration_errors),
        TEST(a_creds_file_that_is_none_names_its_line),
        TEST(a_dotenv_file_that_is_none_names_its_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
