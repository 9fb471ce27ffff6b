/* The public API (include/pinpipe/mock.h): a mock's life. Options first, then the parts that all
 * services share (mock_parts.c), then the services (mock_services.c), last their listeners; closed
 * in the opposite order. */
#include "mock_internal.h"

#include "store.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static enum status mock_set_up(struct pinpipe_mock *mock,
                               const struct pinpipe_mock_options *options, struct error *err)
{
    static enum status (*const steps[])(struct pinpipe_mock *, struct error *) = {
        mock_parts_open, mock_services_open, mock_services_listen};
    enum status status = mock_options_take(mock, options, err);
    if (mock->options.has_seed) {
        env_init_seeded(&mock->env, mock->options.seed);
    } else {
        env_init_system(&mock->env);
    }
    mock->started_ms = mock->env.wall_us(&mock->env) / 1000;
    log_init(&mock->log, &mock->env,
             mock->options.log_file != NULL ? mock->options.log_file : stderr, LOG_OFF);
    if (status == STATUS_OK &&
        log_configure(&mock->log, mock->options.log_spec, err) != STATUS_OK) {
        status = STATUS_USAGE;
    }
    for (size_t i = 0; i < ARRAY_COUNT(steps) && status == STATUS_OK; i++) {
        status = steps[i](mock, err);
    }
    return status;
}

enum pinpipe_result mock_result(enum status status, const struct error *err, char *why)
{
    static const enum pinpipe_result results[] = {
#define X(name, text, exit, result) PINPIPE_##result,
#include "errors.def"
#undef X
    };
    if (status != STATUS_OK && why != NULL) {
        snprintf(why, PINPIPE_MESSAGE_BYTES, "%s",
                 err->message[0] != '\0' ? err->message : status_text(status));
    }
    return results[status];
}

enum pinpipe_result mock_new(const struct service_table *table,
                             const struct pinpipe_mock_options *options, struct pinpipe_mock **out,
                             char *why)
{
    struct error err = ERROR_NONE;
    struct pinpipe_mock *mock = calloc(1, sizeof(*mock));
    if (mock == NULL) {
        return mock_result(mock_no_memory(&err), &err, why);
    }
    mock->table = table;
    arena_init(&mock->texts, MOCK_TEXTS_BYTES_MAX);
    buf_init(&mock->watched_path, MOCK_WATCHED_PATH_BYTES_MAX);
    enum status status = mock_set_up(mock, options, &err);
    if (status != STATUS_OK) {
        pinpipe_mock_free(mock);
        return mock_result(status, &err, why);
    }
    *out = mock;
    return PINPIPE_OK;
}

enum pinpipe_result pinpipe_mock_new(const struct pinpipe_mock_options *options,
                                     struct pinpipe_mock **out, char *why)
{
    return mock_new(&service_table, options, out, why);
}

enum pinpipe_result pinpipe_mock_close(struct pinpipe_mock *mock, char *why)
{
    struct error err = ERROR_NONE;
    /* First: whoever finds it may ask. */
    ready_file_remove(mock->options.ready_file, &mock->ready);
    mock_services_close(mock);
    enum status status = mock_parts_close(mock, &err);
    arena_release(&mock->texts);
    free(mock);
    return mock_result(status, &err, why);
}

void pinpipe_mock_free(struct pinpipe_mock *mock)
{
    if (mock != NULL) {
        (void)pinpipe_mock_close(mock, NULL);
    }
}

static enum status announce(struct pinpipe_mock *mock, struct error *err)
{
    /* The directory is named from the root: whoever reads this may stand in another one. */
    char *absolute = mock->options.data_dir != NULL ? realpath(mock->options.data_dir, NULL) : NULL;
    struct server_url urls[PINPIPE_SERVICES_MAX];
    const struct server_facts facts = {
        .urls = urls,
        .url_count = mock_services_tell(mock, urls),
        .user_id = mock->options.user_id,
        .stage = mock->host.stage,
        .data_dir = absolute != NULL ? absolute : mock->options.data_dir,
        .version = mock->options.version,
        .started_ms = mock->started_ms,
    };
    enum status status = STATUS_OK;
    if (mock->dir != NULL) {
        status = data_dir_announce(mock->dir, &facts, err);
    }
    if (status == STATUS_OK && mock->options.ready_file != NULL) {
        status = ready_file_write(mock->options.ready_file, &facts, &mock->ready, err);
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
        status = store_has_stopped(mock->store, &err) ? err.code : STATUS_OK;
    }
    return mock_result(status, &err, why);
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

/* Signals are for the threads of the program around the mock: its handlers run there. */
int mock_thread_start(struct pinpipe_mock *mock)
{
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int code = pthread_create(&mock->thread, NULL, thread_main, mock);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    mock->has_thread = code == 0;
    return code;
}

enum pinpipe_result mock_start(const struct service_table *table,
                               const struct pinpipe_mock_options *options,
                               struct pinpipe_mock **out, char *why)
{
    struct pinpipe_mock *mock;
    enum pinpipe_result result = mock_new(table, options, &mock, why);
    if (result != PINPIPE_OK) {
        return result;
    }
    struct error err = ERROR_NONE;
    enum status status = announce(mock, &err);
    int code = status == STATUS_OK ? mock_thread_start(mock) : 0;
    if (code != 0) {
        status = error_set_errno(&err, code, "cannot start a thread");
    }
    if (status != STATUS_OK) {
        pinpipe_mock_free(mock);
        return mock_result(status, &err, why);
    }
    *out = mock;
    return PINPIPE_OK;
}

enum pinpipe_result pinpipe_mock_start(const struct pinpipe_mock_options *options,
                                       struct pinpipe_mock **out, char *why)
{
    return mock_start(&service_table, options, out, why);
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
    return pinpipe_mock_close(mock, NULL);
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
