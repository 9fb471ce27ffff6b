/* Options of the facade: defaults, taken over by copy, checked before anything is opened. */
#include "mock_internal.h"

#include "store.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { stage_len_max = 128, port_max = 65535 };

void mock_options_init(const struct service_table *table, struct pinpipe_mock_options *options)
{
    *options = (struct pinpipe_mock_options){
        .struct_size = sizeof(*options),
        .bind_addr = "127.0.0.1",
        .user_id = "workshop",
        .durability = PINPIPE_FULL,
        .journal_rows = 100000,
        .first_poll = PINPIPE_FIRST_POLL_EMPTY,
        .permissions = PINPIPE_PERMISSIONS_OPEN,
        .gateway_refused_status = 504,
        .log_spec = "off",
        .region = "us-east-1",
    };
    for (size_t i = 0; i < table->count; i++) {
        if (table->rows[i].on_request) {
            options->ports[table->rows[i].id] = -1;
        }
    }
}

void pinpipe_mock_options_init(struct pinpipe_mock_options *options)
{
    mock_options_init(&service_table, options);
}

/* --- options: taken over, checked --- */

enum status mock_no_memory(struct error *err)
{
    return error_set(err, STATUS_NO_MEMORY, "out of memory");
}

static enum status texts_copy(struct pinpipe_mock *mock, struct error *err)
{
    struct pinpipe_mock_options *o = &mock->options;
    const char **texts[] = {&o->data_dir,   &o->bind_addr,        &o->user_id,        &o->stage,
                            &o->api_key,    &o->gateway_upstream, &o->advertised_url, &o->log_spec,
                            &o->ready_file, &o->version,          &o->access_key,     &o->secret,
                            &o->region,     &o->mysql_user,       &o->mysql_password};
    for (size_t i = 0; i < ARRAY_COUNT(texts); i++) {
        if (*texts[i] != NULL) {
            *texts[i] = arena_copy_cstr(&mock->texts, span_from_cstr(*texts[i]));
            if (*texts[i] == NULL) {
                return error_set(err, STATUS_USAGE, "an option is longer than %d bytes",
                                 MOCK_TEXTS_BYTES_MAX);
            }
        }
    }
    return STATUS_OK;
}

/* The struct of a program built against an older header is shorter; what it lacks is the default.
 */
static enum status options_copy(struct pinpipe_mock *mock, const struct pinpipe_mock_options *given,
                                struct error *err)
{
    mock_options_init(mock->table, &mock->options);
    if (given == NULL) {
        return STATUS_OK;
    }
    if (given->struct_size < sizeof(given->struct_size) || given->struct_size > sizeof(*given)) {
        return error_set(err, STATUS_USAGE,
                         "options: call pinpipe_mock_options_init first (struct_size is %zu)",
                         given->struct_size);
    }
    memcpy(&mock->options, given, given->struct_size);
    if (mock->options.bind_addr == NULL) {
        mock->options.bind_addr = "127.0.0.1";
    }
    if (mock->options.region == NULL) {
        mock->options.region = "us-east-1";
    }
    if (mock->options.log_spec == NULL) {
        mock->options.log_spec = "off";
    }
    return texts_copy(mock, err);
}

static bool stage_is_legal(struct span stage)
{
    for (size_t i = 0; i < stage.len; i++) {
        char c = stage.ptr[i];
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
              c == '_' || c == '-')) {
            return false;
        }
    }
    return stage.len >= 1 && stage.len <= stage_len_max;
}

static enum status names_check(const struct pinpipe_mock *mock, struct error *err)
{
    const struct pinpipe_mock_options *o = &mock->options;
    char topic[STORE_TOPIC_NAME_MAX + 8];
    int len = snprintf(topic, sizeof(topic), "%s.user", o->user_id != NULL ? o->user_id : "");
    if (o->user_id == NULL || o->user_id[0] == '\0' || len < 0 || (size_t)len >= sizeof(topic) ||
        !store_topic_name_is_legal(span_from(topic, (size_t)len))) {
        return error_set(err, STATUS_CONFIG,
                         "user id \"%s\": it begins the topics' names, so it is letters, digits, "
                         "'.', '_' and '-' only, at most %d of them; set iam_username",
                         o->user_id != NULL ? o->user_id : "", STORE_TOPIC_NAME_MAX - 5);
    }
    if (o->stage != NULL && !stage_is_legal(span_from_cstr(o->stage))) {
        return error_set(err, STATUS_CONFIG,
                         "stage \"%s\": a stage is 1 to %d letters, digits, '_' and '-'", o->stage,
                         stage_len_max);
    }
    return STATUS_OK;
}

int mock_port(const struct pinpipe_mock_options *o, int id)
{
    /* The options had a field a service before they had `ports`. */
    const int named[] = {[PINPIPE_GATEWAY] = o->gateway_port,
                         [PINPIPE_REST] = o->rest_port,
                         [PINPIPE_CONNECT] = o->connect_port,
                         [PINPIPE_S3] = o->s3_port,
                         [PINPIPE_MSK_CONNECT] = o->msk_connect_port};
    return o->ports[id] == 0 && (size_t)id < ARRAY_COUNT(named) ? named[id] : o->ports[id];
}

static bool port_is_legal(int port)
{
    return port >= -1 && port <= port_max;
}

/* No two listeners on one port, one listener at least. */
static enum status ports_check(const struct pinpipe_mock *mock, struct error *err)
{
    const struct service_row *taken[PINPIPE_SERVICES_MAX];
    size_t taken_count = 0;
    bool any = false;
    for (size_t i = 0; i < mock->table->count; i++) {
        const struct service_row *row = &mock->table->rows[i];
        int port = row->open != NULL ? mock_port(&mock->options, row->id) : -1;
        if (!port_is_legal(port)) {
            return error_set(err, STATUS_USAGE, "a port is 0 to %d (0: any free one), -1 for none",
                             port_max);
        }
        for (size_t other = 0; other < taken_count && port > 0; other++) {
            if (mock_port(&mock->options, taken[other]->id) == port) {
                return error_set(err, STATUS_CONFIG,
                                 "%s and %s cannot both be on port %d; choose another with %s or "
                                 "%s",
                                 taken[other]->title, row->title, port, taken[other]->flag,
                                 row->flag);
            }
        }
        if (port >= 0) {
            any = true;
            taken[taken_count++] = row;
        }
    }
    return any ? STATUS_OK : error_set(err, STATUS_USAGE, "no service has a port");
}

static enum status credentials_check(const struct pinpipe_mock *mock, struct error *err)
{
    const struct pinpipe_mock_options *o = &mock->options;
    bool has_key = o->access_key != NULL && o->access_key[0] != '\0';
    bool has_secret = o->secret != NULL && o->secret[0] != '\0';
    if ((o->access_key != NULL || o->secret != NULL) && !(has_key && has_secret)) {
        return error_set(
            err, STATUS_USAGE,
            "credentials are an access key id and a secret, such as AKIDEXAMPLE:secret");
    }
    if ((o->mysql_user == NULL) != (o->mysql_password == NULL)) {
        return error_set(err, STATUS_USAGE, "MySQL's credentials are a user and a password");
    }
    return STATUS_OK;
}

static enum status numbers_check(const struct pinpipe_mock *mock, struct error *err)
{
    const struct pinpipe_mock_options *o = &mock->options;
    if (!isfinite(o->throttle_rate) || o->throttle_rate < 0 || !isfinite(o->throttle_burst) ||
        (o->throttle_rate > 0 && o->throttle_burst < 1)) {
        return error_set(err, STATUS_USAGE,
                         "throttle: the rate is requests a second, the burst at least 1, such as "
                         "10:5");
    }
    if (o->gateway_refused_status < 500 || o->gateway_refused_status > 599) {
        return error_set(err, STATUS_USAGE, "the status of a refused upstream is 500 to 599");
    }
    if (o->memory_mib != 0 &&
        (o->memory_mib < MOCK_MEMORY_MIB_MIN || o->memory_mib > MOCK_MEMORY_MIB_MAX)) {
        return error_set(
            err, STATUS_USAGE, "memory: %lld MiB; write %d to %d, or leave it out for %d",
            (long long)o->memory_mib, MOCK_MEMORY_MIB_MIN, MOCK_MEMORY_MIB_MAX, MOCK_MEMORY_MIB);
    }
    if (o->on_request != NULL && o->on_pause == NULL) {
        return error_set(err, STATUS_USAGE, "on_request is given, so on_pause is needed too");
    }
    if (o->journal_rows < 0 || o->missing_topic_delay_ms < 0) {
        return error_set(err, STATUS_USAGE, "journal rows and delays are not negative");
    }
    return STATUS_OK;
}

static enum status services_check(const struct pinpipe_mock *mock, struct error *err)
{
    enum status status = STATUS_OK;
    for (size_t i = 0; i < mock->table->count && status == STATUS_OK; i++) {
        const struct service_row *row = &mock->table->rows[i];
        status = row->check != NULL ? row->check(&mock->options, err) : STATUS_OK;
    }
    return status;
}

enum status mock_options_take(struct pinpipe_mock *mock, const struct pinpipe_mock_options *given,
                              struct error *err)
{
    static enum status (*const checks[])(const struct pinpipe_mock *, struct error *) = {
        names_check, ports_check, credentials_check, numbers_check, services_check};
    enum status status = options_copy(mock, given, err);
    for (size_t i = 0; i < ARRAY_COUNT(checks) && status == STATUS_OK; i++) {
        status = checks[i](mock, err);
    }
    return status;
}
