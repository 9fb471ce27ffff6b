/* The facade (include/pinpipe/mock.h) and the composition of the server: options in, then data
 * directory, store, topics, services, listeners, in that order; freed in the opposite one.
 *
 * Nothing is done at start that the first answer does not need: no journal file, no housekeeping,
 * no upstream connection, no library that a hash would need. */
#include "mock_internal.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { gateway_timeout_ms = 29000 };

static const char default_stage[] = "test"; /* in URLs, when any stage is accepted */
static const char *const topic_suffixes[] = {".pin", ".geo", ".user"};

/* --- the parts --- */

static enum status store_set_up(struct pinpipe_mock *mock, struct error *err)
{
    static const enum store_durability durabilities[] = {
        [PINPIPE_FULL] = STORE_FULL, [PINPIPE_NORMAL] = STORE_NORMAL, [PINPIPE_OFF] = STORE_OFF};
    const char *topics[ARRAY_COUNT(topic_suffixes)]; /* as after the workshop's milestone 3 */
    for (size_t i = 0; i < ARRAY_COUNT(topic_suffixes); i++) {
        topics[i] = arena_printf(&mock->texts, "%s%s", mock->options.user_id, topic_suffixes[i]);
        if (topics[i] == NULL) {
            return mock_no_memory(err);
        }
    }
    mock->bucket = arena_printf(&mock->texts, "user-%s-bucket", mock->options.user_id);
    if (mock->bucket == NULL) {
        return mock_no_memory(err);
    }
    if (!s3_bucket_name_is_legal(span_from_cstr(mock->bucket))) {
        LOG_WARNF(&mock->log, "s3",
                  "\"%s\" is not a bucket's name, so there is none from the start", mock->bucket);
        mock->bucket = NULL;
    }
    const struct store_options options = {
        .directory = mock->options.data_dir,
        .env = &mock->env,
        .log = &mock->log,
        .durability = durabilities[mock->options.durability],
        .topics = topics,
        .topic_count = ARRAY_COUNT(topics),
        .buckets = &mock->bucket,
        .bucket_count = mock->bucket != NULL ? 1 : 0,
        .region = mock->options.region,
    };
    enum status status = store_open(&options, &mock->store, err);
    if (status != STATUS_OK || mock->options.journal_rows == 0) {
        return status;
    }
    const struct journal_options journal = {
        .directory = mock->options.data_dir,
        .env = &mock->env,
        .log = &mock->log,
        .rows_max = mock->options.journal_rows,
    };
    return journal_open(&journal, &mock->journal, err);
}

static enum status rest_set_up(struct pinpipe_mock *mock, struct error *err)
{
    const struct pinpipe_mock_options *o = &mock->options;
    mock->policy = (struct topic_policy){.enforced = o->permissions == PINPIPE_PERMISSIONS_WORKSHOP,
                                         .user_id = o->user_id};
    const struct broker_store_options broker = {
        .store = mock->store,
        .env = &mock->env,
        .log = &mock->log,
        .auto_create = o->auto_create,
        .policy = &mock->policy,
    };
    if (broker_store_new(&broker, &mock->broker) != STATUS_OK) {
        return mock_no_memory(err);
    }
    const struct kafka_rest_options rest = {
        .store = mock->store,
        .broker = mock->broker,
        .timers = &mock->server->timers,
        .env = &mock->env,
        .log = &mock->log,
        .lenient = o->lenient,
        .first_poll =
            o->first_poll == PINPIPE_FIRST_POLL_EAGER ? FIRST_POLL_EAGER : FIRST_POLL_EMPTY,
        .policy = &mock->policy,
        .advertised_url = o->advertised_url,
        .missing_topic_delay_ms = o->missing_topic_delay_ms,
    };
    return kafka_rest_new(&rest, &mock->rest, err);
}

static enum status gateway_set_up(struct pinpipe_mock *mock, struct error *err)
{
    const struct pinpipe_mock_options *o = &mock->options;
    const struct gateway_options gateway = {
        .backend = kafka_rest_service(mock->rest),
        .timers = &mock->server->timers,
        .env = &mock->env,
        .log = &mock->log,
        .loop = &mock->server->loop,
        .stage = o->stage,
        .api_key = o->api_key,
        .throttle_rate = o->throttle_rate,
        .throttle_burst = o->throttle_burst,
        .upstream_url = o->gateway_upstream,
        .refused_status = o->gateway_refused_status,
        .timeout_ms = gateway_timeout_ms,
    };
    return gateway_new(&gateway, &mock->gateway, err);
}

/* What a client on this machine connects to. */
static const char *url_host(const char *bind_addr)
{
    if (strcmp(bind_addr, "0.0.0.0") == 0 || strcmp(bind_addr, "localhost") == 0) {
        return "127.0.0.1";
    }
    return strcmp(bind_addr, "::") == 0 ? "::1" : bind_addr;
}

static enum status listen_on(struct pinpipe_mock *mock, const struct service *service,
                             const struct mock_port *port, struct error *err)
{
    const struct server_listen listen = {.service = service,
                                         .address = mock->options.bind_addr,
                                         .port = port->port,
                                         .flag = port->flag};
    int bound = 0;
    if (port->port < 0) {
        return STATUS_OK;
    }
    enum status status = server_listen(mock->server, &listen, &bound, err);
    if (status != STATUS_OK) {
        return status;
    }
    const char *host = url_host(listen.address);
    bool is_v6 = strchr(host, ':') != NULL;
    bool is_gateway = port->service == PINPIPE_GATEWAY;
    const char *stage = mock->options.stage != NULL ? mock->options.stage : default_stage;
    mock->urls[port->service] =
        arena_printf(&mock->texts, "http://%s%s%s:%d%s%s", is_v6 ? "[" : "", host, is_v6 ? "]" : "",
                     bound, is_gateway ? "/" : "", is_gateway ? stage : "");
    if (port->service == PINPIPE_CONNECT) {
        snprintf(mock->worker_id, sizeof(mock->worker_id), "%s:%d", host, bound);
    }
    return mock->urls[port->service] != NULL ? STATUS_OK : mock_no_memory(err);
}

static enum status listeners_set_up(struct pinpipe_mock *mock, struct error *err)
{
    const struct service *services[MOCK_SERVICES] = {
        [PINPIPE_GATEWAY] = gateway_service(mock->gateway),
        [PINPIPE_REST] = kafka_rest_service(mock->rest),
        [PINPIPE_CONNECT] = connect_rest_service(mock->connect),
        [PINPIPE_S3] = s3_service(mock->s3),
        [PINPIPE_MSK_CONNECT] = msk_connect_service(mock->msk),
    };
    struct mock_port ports[MOCK_SERVICES];
    enum status status = STATUS_OK;
    mock_ports(&mock->options, ports);
    for (size_t i = 0; i < MOCK_SERVICES && status == STATUS_OK; i++) {
        status = listen_on(mock, services[ports[i].service], &ports[i], err);
    }
    return status;
}

static enum status directory_set_up(struct pinpipe_mock *mock, struct error *err)
{
    /* Of an earlier server: whoever waits for it must wait for ours. */
    if (mock->options.ready_file != NULL) {
        unlink(mock->options.ready_file);
    }
    return mock->options.data_dir != NULL ? data_dir_open(mock->options.data_dir, &mock->dir, err)
                                          : STATUS_OK;
}

static enum status server_set_up(struct pinpipe_mock *mock, struct error *err)
{
    const struct server_options options = {.env = &mock->env, .log = &mock->log};
    enum status status = server_new(&options, &mock->server, err);
    if (status == STATUS_OK) {
        server_set_store(mock->server, mock->store, mock->journal);
    }
    return status;
}

static enum status mock_set_up(struct pinpipe_mock *mock,
                               const struct pinpipe_mock_options *options, struct error *err)
{
    static enum status (*const steps[])(struct pinpipe_mock *, struct error *) = {
        directory_set_up, store_set_up,     server_set_up,   rest_set_up,
        gateway_set_up,   mock_lake_set_up, listeners_set_up};
    enum status status = mock_options_take(mock, options, err);
    if (mock->options.has_seed) {
        env_init_seeded(&mock->env, mock->options.seed);
    } else {
        env_init_system(&mock->env);
    }
    log_init(&mock->log, &mock->env, stderr, LOG_OFF);
    if (status == STATUS_OK &&
        log_configure(&mock->log, mock->options.log_spec, err) != STATUS_OK) {
        status = STATUS_USAGE;
    }
    for (size_t i = 0; i < ARRAY_COUNT(steps) && status == STATUS_OK; i++) {
        status = steps[i](mock, err);
    }
    return status;
}

/* --- life --- */

static enum pinpipe_result result_from(enum status status, const struct error *err, char *why)
{
    if (status != STATUS_OK && why != NULL) {
        snprintf(why, PINPIPE_MESSAGE_BYTES, "%s",
                 err->message[0] != '\0' ? err->message : status_text(status));
    }
    return (enum pinpipe_result)status_exit_code(status);
}

enum pinpipe_result pinpipe_mock_new(const struct pinpipe_mock_options *options,
                                     struct pinpipe_mock **out, char *why)
{
    struct error err = ERROR_NONE;
    struct pinpipe_mock *mock = calloc(1, sizeof(*mock));
    if (mock == NULL) {
        return result_from(mock_no_memory(&err), &err, why);
    }
    arena_init(&mock->texts, MOCK_TEXTS_BYTES_MAX);
    enum status status = mock_set_up(mock, options, &err);
    if (status != STATUS_OK) {
        pinpipe_mock_free(mock);
        return result_from(status, &err, why);
    }
    *out = mock;
    return PINPIPE_OK;
}

void pinpipe_mock_free(struct pinpipe_mock *mock)
{
    if (mock == NULL) {
        return;
    }
    if (mock->gateway != NULL) {
        gateway_free(mock->gateway);
    }
    mock_lake_free(mock);
    kafka_rest_free(mock->rest);
    if (mock->store != NULL && store_turn_has_writes(mock->store)) {
        /* Consumer instances close as on DELETE: what they commit is one more turn. */
        struct error err = ERROR_NONE;
        if (store_turn_commit(mock->store, &err) != STATUS_OK) {
            LOG_WARNF(&mock->log, "rest", "the last commits were lost: %s", err.message);
        }
    }
    if (mock->broker != NULL) {
        broker_free(mock->broker);
    }
    server_free(mock->server);
    if (mock->journal != NULL) {
        journal_close(mock->journal);
    }
    if (mock->store != NULL) {
        store_close(mock->store);
    }
    crypto_free(mock->crypto);
    data_dir_close(mock->dir);
    arena_release(&mock->texts);
    free(mock);
}

static enum status announce(struct pinpipe_mock *mock, struct error *err)
{
    /* Whoever reads it may stand in another directory. */
    char *absolute = mock->options.data_dir != NULL ? realpath(mock->options.data_dir, NULL) : NULL;
    const struct server_facts facts = {
        .gateway_url = mock->urls[PINPIPE_GATEWAY],
        .rest_url = mock->urls[PINPIPE_REST],
        .connect_url = mock->urls[PINPIPE_CONNECT],
        .s3_url = mock->urls[PINPIPE_S3],
        .msk_connect_url = mock->urls[PINPIPE_MSK_CONNECT],
        .user_id = mock->options.user_id,
        .stage = mock->options.stage != NULL ? mock->options.stage : default_stage,
        .data_dir = absolute != NULL ? absolute : mock->options.data_dir,
        .version = mock->options.version,
    };
    enum status status = STATUS_OK;
    if (mock->dir != NULL) {
        status = data_dir_announce(mock->dir, &facts, err);
    }
    if (status == STATUS_OK && mock->options.ready_file != NULL) {
        status = ready_file_write(mock->options.ready_file, &facts, err);
        if (status != STATUS_OK) {
            error_prefix(err, "--ready-file");
        }
    }
    free(absolute);
    return status;
}

static void serve(struct pinpipe_mock *mock, bool handle_signals)
{
    server_run(mock->server, handle_signals);
    if (mock->journal != NULL) {
        journal_flush(mock->journal);
    }
}

enum pinpipe_result pinpipe_mock_run(struct pinpipe_mock *mock, bool handle_signals, char *why)
{
    struct error err = ERROR_NONE;
    enum status status = announce(mock, &err);
    if (status == STATUS_OK) {
        serve(mock, handle_signals);
    }
    return result_from(status, &err, why);
}

void pinpipe_mock_interrupt(struct pinpipe_mock *mock)
{
    server_interrupt(mock->server);
}

static void *thread_main(void *ctx)
{
    serve(ctx, false);
    return NULL;
}

/* The host's signal handlers run in the host's threads. */
static int thread_start(struct pinpipe_mock *mock)
{
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int code = pthread_create(&mock->thread, NULL, thread_main, mock);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return code;
}

enum pinpipe_result pinpipe_mock_start(const struct pinpipe_mock_options *options,
                                       struct pinpipe_mock **out, char *why)
{
    struct pinpipe_mock *mock;
    enum pinpipe_result result = pinpipe_mock_new(options, &mock, why);
    if (result != PINPIPE_OK) {
        return result;
    }
    struct error err = ERROR_NONE;
    enum status status = announce(mock, &err);
    int code = status == STATUS_OK ? thread_start(mock) : 0;
    if (code != 0) {
        status = error_set_errno(&err, code, "cannot start a thread");
    }
    if (status != STATUS_OK) {
        pinpipe_mock_free(mock);
        return result_from(status, &err, why);
    }
    mock->has_thread = true;
    *out = mock;
    return PINPIPE_OK;
}

enum pinpipe_result pinpipe_mock_stop(struct pinpipe_mock *mock)
{
    if (mock == NULL) {
        return PINPIPE_OK;
    }
    if (mock->has_thread) {
        pinpipe_mock_interrupt(mock);
        pthread_join(mock->thread, NULL);
    }
    pinpipe_mock_free(mock);
    return PINPIPE_OK;
}

const char *pinpipe_mock_url(const struct pinpipe_mock *mock, enum pinpipe_service service)
{
    return (size_t)service < MOCK_SERVICES ? mock->urls[service] : NULL;
}

bool pinpipe_mock_directory_is_free(const char *directory)
{
    struct data_dir *dir = NULL;
    if (access(directory, F_OK) != 0) {
        return true;
    }
    enum status status = data_dir_open(directory, &dir, NULL);
    data_dir_close(dir);
    return status != STATUS_BUSY;
}
