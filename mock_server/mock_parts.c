/* The parts that all services share, in the order in which they stand on each other: data
 * directory, the loop with the services' ports, store and journal, the topics, the Connect worker;
 * and the host, through which services see them.
 *
 * A start that can be refused (a taken port, a ready file that cannot be written) is refused before
 * the store is opened, because that may bring an older pinpipe's file to a format which the older
 * one does not read any more.
 *
 * Nothing is done at start that the first answer does not need: no journal file, no housekeeping,
 * no upstream connection, no library that a hash would need. */
#include "mock_internal.h"

#include "connect_worker.h"
#include "http_conn.h"
#include "recent.h"
#include "s3.h"
#include "store.h"
#include "store_objects.h"
#include "version.h"

#include <sys/stat.h>
#include <unistd.h>

static const char default_stage[] = "test"; /* in URLs, when any stage is accepted */
static const char *const topic_suffixes[] = {".pin", ".geo", ".user"};

static void directory_judge(struct pinpipe_mock *mock)
{
    const char *path = mock->options.data_dir;
    unsigned mode = data_dir_mode(mock->dir);
    if ((mode & (S_IRWXG | S_IRWXO)) != 0) {
        LOG_WARNF(&mock->log, "store", "others can %s %s (mode %03o): chmod 700 %s",
                  (mode & (S_IWGRP | S_IWOTH)) != 0 ? "change" : "read", path, mode, path);
    }
}

static enum status directory_set_up(struct pinpipe_mock *mock, struct error *err)
{
    enum status status = mock->options.data_dir != NULL
                             ? data_dir_open(mock->options.data_dir, &mock->dir, err)
                             : STATUS_OK;
    if (mock->dir != NULL) {
        directory_judge(mock);
    }
    /* A ready file of an earlier server: whoever waits for it must wait for ours. Of a server that
     * still has the directory it stays. */
    if (mock->options.ready_file != NULL && status != STATUS_BUSY) {
        unlink(mock->options.ready_file);
    }
    if (status == STATUS_OK && mock->options.ready_file != NULL) {
        status = ready_file_check(mock->options.ready_file, err);
    }
    return status;
}

/* "user-<id>-bucket", in mock->bucket; NULL where that is no bucket's name. */
static enum status bucket_name(struct pinpipe_mock *mock, struct error *err)
{
    mock->bucket = arena_printf(&mock->texts, "user-%s-bucket", mock->options.user_id);
    if (mock->bucket == NULL) {
        return mock_no_memory(err);
    }
    if (!store_bucket_name_is_legal(span_from_cstr(mock->bucket))) {
        LOG_WARNF(&mock->log, "s3",
                  "\"%s\" is not a bucket's name, so there is none from the start", mock->bucket);
        mock->bucket = NULL;
    }
    return STATUS_OK;
}

static int64_t memory_mib(const struct pinpipe_mock *mock)
{
    return mock->options.memory_mib > 0 ? mock->options.memory_mib : MOCK_MEMORY_MIB;
}

static int store_cache_kib(const struct pinpipe_mock *mock)
{
    int64_t part_kib = memory_mib(mock) * 1024 / MOCK_MEMORY_CACHE_PART;
    return part_kib < STORE_CACHE_KIB ? (int)part_kib : STORE_CACHE_KIB;
}

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
    enum status status = bucket_name(mock, err);
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
        .cache_kib = store_cache_kib(mock),
    };
    return status == STATUS_OK ? store_open(&options, &mock->store, err) : status;
}

static enum status journal_set_up(struct pinpipe_mock *mock, struct error *err)
{
    const struct journal_options journal = {
        .directory = mock->options.data_dir,
        .env = &mock->env,
        .log = &mock->log,
        .rows_max = mock->options.journal_rows,
    };
    enum status status =
        journal.rows_max > 0 ? journal_open(&journal, &mock->journal, err) : STATUS_OK;
    server_set_store(mock->server, mock->store, mock->journal);
    return status;
}

/* A path as the journal would keep it. Without memory for that its query is left out. */
static struct span watched_path(struct pinpipe_mock *mock, struct span path)
{
    size_t question = span_find_byte(path, '?');
    if (question == path.len) {
        return path;
    }
    buf_reset(&mock->watched_path);
    journal_append_path(&mock->watched_path, path);
    return buf_ok(&mock->watched_path) ? buf_span(&mock->watched_path) : span_first(path, question);
}

static void watcher_saw(void *ctx, const struct journal_entry *entry)
{
    struct pinpipe_mock *mock = ctx;
    struct span path = watched_path(mock, entry->path);
    const struct pinpipe_request request = {
        .service = entry->service,
        .method = entry->method.ptr,
        .method_len = entry->method.len,
        .path = path.ptr,
        .path_len = path.len,
        .status = entry->status,
        .error_code = entry->error_code.ptr,
        .error_code_len = entry->error_code.len,
        .hint = entry->hint.ptr,
        .hint_len = entry->hint.len,
        .received_us = entry->received_us,
        .latency_us = entry->latency_us,
    };
    mock->options.on_request(mock->options.observer, &request);
}

static bool watcher_tick(void *ctx)
{
    struct pinpipe_mock *mock = ctx;
    return mock->options.on_pause(mock->options.observer);
}

static void watcher_set_up(struct pinpipe_mock *mock)
{
    if (mock->options.on_request != NULL) {
        server_set_watcher(mock->server, (struct turn_watcher){watcher_saw, watcher_tick, mock});
    }
}

static enum status server_set_up(struct pinpipe_mock *mock, struct error *err)
{
    struct server_limits limits;
    server_limits_init(&limits);
    int64_t budget_kib = (memory_mib(mock) - MOCK_MEMORY_BASE_MIB) * 1024 - store_cache_kib(mock);
    limits.budget_bytes_max = (size_t)budget_kib * 1024;
    const struct server_options options = {.env = &mock->env, .log = &mock->log, .limits = &limits};
    enum status status = server_new(&options, &mock->server, err);
    if (status != STATUS_OK) {
        return status;
    }
    const struct recent_options recent = {
        .directory = mock->options.data_dir,
        .version = pinpipe_version,
        .has_seed = mock->options.has_seed,
        .seed = mock->options.seed,
    };
    mock->recent = recent_new(&recent);
    if (mock->recent == NULL) {
        return mock_no_memory(err);
    }
    server_set_recent(mock->server, mock->recent);
    watcher_set_up(mock);
    struct http_limits http;
    http_limits_init(&http);
    if (mock->options.data_dir != NULL) {
        http.spool_directory = mock->options.data_dir;
    }
    return http_pool_new(mock->server, &http, &mock->http) == STATUS_OK ? STATUS_OK
                                                                        : mock_no_memory(err);
}

/* Who may do what, and the topics that this is about. */
static enum status broker_set_up(struct pinpipe_mock *mock, struct error *err)
{
    const struct pinpipe_mock_options *o = &mock->options;
    aws_identity_init(&mock->identity, o->user_id, o->region);
    mock->identity.access_key = o->access_key;
    mock->identity.secret = o->secret;
    mock->policy = (struct topic_policy){.enforced = o->permissions == PINPIPE_PERMISSIONS_WORKSHOP,
                                         .user_id = o->user_id};
    const struct broker_store_options broker = {
        .store = mock->store,
        .env = &mock->env,
        .log = &mock->log,
        .auto_create = o->auto_create,
    };
    return broker_store_new(&broker, &mock->broker) == STATUS_OK ? STATUS_OK : mock_no_memory(err);
}

static enum status worker_set_up(struct pinpipe_mock *mock, struct error *err)
{
    if (crypto_new(&mock->crypto) != STATUS_OK) {
        return mock_no_memory(err);
    }
    const struct connect_worker_options options = {
        .store = mock->store,
        .crypto = mock->crypto,
        .broker = mock->broker,
        .policy = &mock->policy,
        .timers = &mock->server->timers,
        .budget = &mock->server->turn.budget,
        .env = &mock->env,
        .log = &mock->log,
    };
    enum status status = connect_worker_new(&options, &mock->worker, err);
    if (status == STATUS_OK) {
        server_set_work(mock->server, connect_worker_work(mock->worker));
    }
    return status;
}

static enum status host_set_up(struct pinpipe_mock *mock, struct error *err)
{
    (void)err;
    mock->host = (struct host){
        .options = &mock->options,
        .stage = mock->options.stage != NULL ? mock->options.stage : default_stage,
        .identity = &mock->identity,
        .env = &mock->env,
        .log = &mock->log,
        .loop = &mock->server->loop,
        .timers = &mock->server->timers,
        .budget = &mock->server->turn.budget,
        .http = mock->http,
        .store = mock->store,
        .undo = store_undo_log(mock->store),
        .crypto = mock->crypto,
        .policy = &mock->policy,
        .broker = mock->broker,
        .worker = mock->worker,
        .faces = mock->faces,
        .addresses = mock->addresses,
    };
    return STATUS_OK;
}

enum status mock_parts_open(struct pinpipe_mock *mock, struct error *err)
{
    static enum status (*const steps[])(struct pinpipe_mock *, struct error *) = {
        directory_set_up, server_set_up, mock_services_bind, store_set_up,
        journal_set_up,   broker_set_up, worker_set_up,      host_set_up};
    enum status status = STATUS_OK;
    for (size_t i = 0; i < ARRAY_COUNT(steps) && status == STATUS_OK; i++) {
        status = steps[i](mock, err);
    }
    return status;
}

/* Consumer instances close as on DELETE: what they commit is one more turn. */
static enum status last_turn_commit(struct pinpipe_mock *mock, struct error *err)
{
    if (mock->store == NULL) {
        return STATUS_OK;
    }
    if (store_turn_has_writes(mock->store) && store_turn_commit(mock->store, err) != STATUS_OK) {
        LOG_WARNF(&mock->log, "rest", "the last commits were lost: %s", err->message);
        error_prefix(err, "the consumers' last commits were lost");
    }
    return store_has_stopped(mock->store, err) ? STATUS_STOPPED : err->code;
}

enum status mock_parts_close(struct pinpipe_mock *mock, struct error *err)
{
    connect_worker_free(mock->worker);
    enum status status = last_turn_commit(mock, err);
    if (mock->broker != NULL) {
        mock->broker->ops->free(mock->broker);
    }
    server_free(mock->server);
    recent_free(mock->recent);
    buf_release(&mock->watched_path);
    if (mock->journal != NULL) {
        journal_close(mock->journal);
    }
    if (mock->store != NULL) {
        store_close(mock->store);
    }
    crypto_free(mock->crypto);
    data_dir_close(mock->dir);
    return status;
}
