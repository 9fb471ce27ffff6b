#include "config.h"

#include "dotenv.h"
#include "env.h"
#include "file.h"

#include <string.h>

/* The workshop's own names are the keys; the last are ours. */
const struct config_key config_keys[] = {
    {"pinpipe_data", "data", "./.pinpipe", false, "DIR",
     "where state.db, rds.db and ledger.db live"},
    {"pinpipe_timeout", "timeout", NULL, false, "S",
     "longest wait for a server: for a connection, an answer's begin, all of it (default: 10, 60 "
     "and "
     "60 s; 300 s for all of an answer of S3)"},
    {"iam_username", "iam-username", "workshop", false, "ID",
     "user id: names topics <id>.pin|geo|user"},
    {"creds_path", "creds-path", NULL, false, "FILE",
     "creds.yaml with HOST USER PASSWORD DATABASE PORT, and SSL_CA: the MySQL server whose rows "
     "are "
     "read; without HOST rds.db is"},
    {"invoke_URL", "invoke-url", NULL, false, "URL", "the gateway's invoke URL, with the stage"},
    {"deployment_stage", "deployment-stage", "test", false, "NAME",
     "stage, when the invoke URL has none; the one that `serve` deploys"},
    {"consumer_group", "consumer-group", "students", false, "GROUP", "group of `pinpipe consume`"},
    {"bootstrap_servers", "bootstrap-servers", NULL, false, "LIST",
     "Kafka brokers (for a real cluster)"},
#define NOT_CONFIGURED(KEY, FLAG, HELP)
#define CONFIGURED(KEY, FLAG, HELP) {#KEY, FLAG "-url", NULL, false, "URL", HELP},
#define PINPIPE_SERVICE(ID, VALUE, KEY, FLAG, TITLE, LABEL, PORT, SETTING, HELP)                   \
    SETTING(KEY, FLAG, HELP)
#define PINPIPE_SERVICE_LATER(KEY, FLAG, SETTING, HELP) SETTING(KEY, FLAG, HELP)
#include "pinpipe/services.def"
    {"aws_access_key_id", "aws-access-key-id", NULL, false, "ID",
     "signs requests to S3; without it they are anonymous"},
    {"aws_secret_access_key", "aws-secret-access-key", NULL, true, "KEY",
     "goes with aws_access_key_id"},
    {"aws_session_token", "aws-session-token", NULL, true, "TOKEN",
     "goes with temporary credentials"},
    {"aws_region", "aws-region", "us-east-1", false, "NAME", "region of the bucket"},
    {"api_key", "api-key", NULL, true, "KEY", "sent to the gateway as x-api-key"},
};
const size_t config_key_count = ARRAY_COUNT(config_keys);

_Static_assert(ARRAY_COUNT(config_keys) <= CONFIG_KEYS_MAX, "struct config is too small");

enum { key_name_bytes_max = 64 };

struct dotenv_target {
    struct config *config;
    struct arena *arena;
    bool out_of_memory;
};

static void upper_case(const char *name, char out[key_name_bytes_max])
{
    size_t i = 0;
    for (; i < key_name_bytes_max - 1 && name[i] != '\0'; i++) {
        out[i] = name[i] >= 'a' && name[i] <= 'z' ? (char)(name[i] - 32) : name[i];
    }
    out[i] = '\0';
}

bool config_is_key(const struct config_key *key, struct span name)
{
    char upper[key_name_bytes_max];
    upper_case(key->name, upper);
    return span_equal_cstr(name, key->name) || span_equal_cstr(name, upper);
}

static void take_dotenv_line(void *ctx, struct span name, struct span value)
{
    struct dotenv_target *target = ctx;
    for (size_t i = 0; i < config_key_count; i++) {
        /* An empty value is none, as an empty variable of the environment is. */
        if (value.len > 0 && config_is_key(&config_keys[i], name)) {
            char *copy = arena_copy_cstr(target->arena, value);
            target->out_of_memory = target->out_of_memory || copy == NULL;
            target->config->values[i] = (struct config_value){copy, ORIGIN_DOTENV};
        }
    }
}

static enum status load_dotenv(struct config *config, struct arena *arena, const char *path,
                               struct error *err)
{
    struct buf text;
    struct dotenv_target target = {config, arena, false};
    buf_init(&text, DOTENV_BYTES_MAX);
    enum status status = file_read(path, &text, err);
    if (status == STATUS_NOT_FOUND) {
        status = STATUS_OK;
    } else if (status == STATUS_OK) {
        status = dotenv_parse(buf_span(&text), take_dotenv_line, &target, err);
        if (status != STATUS_OK) {
            error_prefix(err, "%s", path);
            status = err->code = STATUS_CONFIG;
        } else if (target.out_of_memory) {
            status = error_no_memory(err);
        }
    }
    buf_release(&text);
    return status;
}

enum status config_load(struct config *config, struct arena *arena, const char *dotenv_path,
                        struct error *err)
{
    char upper[key_name_bytes_max];
    *config = (struct config){0};
    for (size_t i = 0; i < config_key_count; i++) {
        if (config_keys[i].fallback != NULL) {
            config->values[i] = (struct config_value){config_keys[i].fallback, ORIGIN_DEFAULT};
        }
    }
    enum status status = load_dotenv(config, arena, dotenv_path, err);
    for (size_t i = 0; i < config_key_count && status == STATUS_OK; i++) {
        upper_case(config_keys[i].name, upper);
        const char *text = env_variable(config_keys[i].name);
        text = text != NULL ? text : env_variable(upper);
        if (text != NULL && text[0] != '\0') {
            config->values[i] = (struct config_value){text, ORIGIN_ENVIRONMENT};
        }
    }
    return status;
}

size_t config_find_flag(struct span flag)
{
    for (size_t i = 0; i < config_key_count; i++) {
        if (span_equal_cstr(flag, config_keys[i].flag)) {
            return i;
        }
    }
    return SIZE_MAX;
}

void config_set_flag(struct config *config, size_t key, const char *text)
{
    config->values[key] = (struct config_value){text, ORIGIN_FLAG};
}

static size_t key_position(const char *name)
{
    for (size_t i = 0; i < config_key_count; i++) {
        if (strcmp(config_keys[i].name, name) == 0) {
            return i;
        }
    }
    BUG("a configuration key that is not in the table");
}

const char *config_get(const struct config *config, const char *name)
{
    return config->values[key_position(name)].text;
}

enum config_origin config_get_origin(const struct config *config, const char *name)
{
    return config->values[key_position(name)].origin;
}

const char *config_origin_name(enum config_origin origin)
{
    static const char *const names[] = {
        [ORIGIN_UNSET] = "unset", [ORIGIN_DEFAULT] = "default",
        [ORIGIN_DOTENV] = ".env", [ORIGIN_ENVIRONMENT] = "environment",
        [ORIGIN_FLAG] = "flag",
    };
    return names[origin];
}
