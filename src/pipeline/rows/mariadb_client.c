/* Every call of libmariadb that may wait is begun (_start) and continued (_cont) as its descriptor
 * becomes ready, so that limits and Ctrl-C are ours. A call that is given up is not left half-way:
 * its socket is shut down and it is continued to its end, which then comes at once.
 *
 * Server and network are not trusted: no local file is ever sent (LOAD DATA LOCAL), no plugin is
 * accepted that would send the password as it is, and no file of options is read. */
#include "mariadb_client.h"

#include "mariadb_errors.h"
#include "mariadb_library.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum {
    login_ms = 10 * 1000,
    answer_begin_ms = 60 * 1000,
    stop_slice_ms = 100,              /* how long an interruption may go unnoticed */
    library_stack_bytes = 512 * 1024, /* of the library's calls; TLS needs more than its default */
    given_up_turns_max = 100,
};

enum client_call { CALL_CONNECT, CALL_QUERY, CALL_FETCH };

struct mariadb_client {
    const struct mysql_account *account;
    struct mariadb_library library;
    struct mariadb_handle *mysql;
    struct mariadb_result *result;
    int64_t whole_until_us; /* of the answer that is being read */
    bool lost;              /* the connection is of no use any more */
    char **row;
    const unsigned long *lengths;
    struct mariadb_handle *connected; /* what the calls answered */
    int query_answer;
    char **row_answer;
};

static int64_t client_now_us(const struct mariadb_client *client)
{
    return client->account->env->monotonic_us(client->account->env);
}

static int64_t client_limit_us(const struct mariadb_client *client, int64_t default_ms)
{
    const int64_t ms = client->account->timeout_ms;
    return client_now_us(client) + (ms > 0 ? ms : default_ms) * 1000;
}

/* --- waiting --------------------------------------------------------------------------------- */

static int call_continue(struct mariadb_client *client, enum client_call call, int events)
{
    const struct mariadb_library *library = &client->library;
    switch (call) {
    case CALL_CONNECT:
        return library->real_connect_cont(&client->connected, client->mysql, events);
    case CALL_QUERY:
        return library->real_query_cont(&client->query_answer, client->mysql, events);
    case CALL_FETCH:
        break;
    }
    return library->fetch_row_cont(&client->row_answer, client->result, events);
}

/* Nobody waits for this connection any more. */
static void client_shut_down(struct mariadb_client *client)
{
    int fd = client->library.get_socket(client->mysql);
    client->lost = true;
    if (fd >= 0) {
        (void)shutdown(fd, SHUT_RDWR);
    }
}

static void call_give_up(struct mariadb_client *client, enum client_call call, int events)
{
    client_shut_down(client);
    for (int i = 0; events != 0 && i < given_up_turns_max; i++) {
        events = call_continue(client, call, MARIADB_WAIT_TIMEOUT);
    }
}

/* The part of `wanted` that has happened; 0: nothing within a slice of time. */
static int client_poll(const struct mariadb_client *client, int wanted, int64_t until_us)
{
    struct pollfd socket = {.fd = client->library.get_socket(client->mysql)};
    int64_t left_ms = (until_us - client_now_us(client) + 999) / 1000;
    left_ms = left_ms < 0 ? 0 : left_ms > stop_slice_ms ? (int64_t)stop_slice_ms : left_ms;
    socket.events = (short)(((wanted & MARIADB_WAIT_READ) != 0 ? POLLIN : 0) |
                            ((wanted & MARIADB_WAIT_WRITE) != 0 ? POLLOUT : 0) |
                            ((wanted & MARIADB_WAIT_EXCEPT) != 0 ? POLLPRI : 0));
    if (poll(&socket, 1, (int)left_ms) <= 0) {
        return 0;
    }
    int happened =
        ((socket.revents & (POLLIN | POLLHUP | POLLERR)) != 0 ? MARIADB_WAIT_READ : 0) |
        ((socket.revents & (POLLOUT | POLLHUP | POLLERR)) != 0 ? MARIADB_WAIT_WRITE : 0) |
        ((socket.revents & POLLPRI) != 0 ? MARIADB_WAIT_EXCEPT : 0);
    return happened & wanted;
}

/* Runs a call to its end; `events` is what its _start waits for. Only *whether* it came to its end
 * is told here, not what it answered. */
static enum status call_finish(struct mariadb_client *client, enum client_call call, int events,
                               int64_t until_us, const char *doing, struct error *err)
{
    const struct mysql_account *account = client->account;
    while (events != 0) {
        if (account->should_stop != NULL && account->should_stop(account->stop_ctx)) {
            call_give_up(client, call, events);
            return error_set(err, STATUS_INTERRUPTED, "%s:%d: stopped while it was to %s",
                             account->host, account->port, doing);
        }
        int happened = client_poll(client, events, until_us);
        if (happened == 0 && client_now_us(client) >= until_us) {
            call_give_up(client, call, events);
            return mariadb_timed_out(account, doing, err);
        }
        if (happened != 0) {
            events = call_continue(client, call, happened);
        }
    }
    return STATUS_OK;
}

static enum status client_error(struct mariadb_client *client, struct error *err)
{
    unsigned number = client->library.error_number(client->mysql);
    client->lost = client->lost || mariadb_error_is_loss(number);
    return mariadb_error_set(client->account, number, client->library.error_text(client->mysql),
                             err);
}

/* --- the connection -------------------------------------------------------------------------- */

static enum status client_set_options(struct mariadb_client *client, struct error *err)
{
    static const size_t stack_bytes = library_stack_bytes;
    static const unsigned long packet_bytes_max = MARIADB_ROW_BYTES_MAX;
    static const unsigned tcp = MARIADB_PROTOCOL_TCP;
    static const unsigned no_files = 0;
    static const char yes = 1;
    const struct mysql_account *account = client->account;
    const char verify = account->tls_ca != NULL;
    const struct {
        int option;
        const void *value;
    } options[] = {
        {MARIADB_NONBLOCK, &stack_bytes},
        {MARIADB_CHARSET_NAME, "utf8mb4"},
        {MARIADB_LOCAL_INFILE, &no_files},
        {MARIADB_PROTOCOL, &tcp}, /* also to "localhost", as the drivers of Python */
        {MARIADB_PACKET_BYTES_MAX, &packet_bytes_max},
        {MARIADB_TLS_ENFORCE, &yes},
        {MARIADB_TLS_VERIFY, &verify},
    };
    for (size_t i = 0; i < ARRAY_COUNT(options); i++) {
        if (client->library.options(client->mysql, options[i].option, options[i].value) != 0) {
            return error_set(err, STATUS_CONFIG,
                             "this libmariadb does not know its option %d: install libmariadb 3.1 "
                             "or newer",
                             options[i].option);
        }
    }
    if (account->tls_ca != NULL &&
        client->library.options(client->mysql, MARIADB_TLS_CA, account->tls_ca) != 0) {
        return error_no_memory(err);
    }
    /* Older libraries do not know it, and ask before they send a password as it is. */
    (void)client->library.options(
        client->mysql, MARIADB_RESTRICTED_AUTH,
        "mysql_native_password,caching_sha2_password,sha256_password,client_ed25519");
    return STATUS_OK;
}

static enum status client_login(struct mariadb_client *client, struct error *err)
{
    const struct mysql_account *account = client->account;
    int64_t until_us = client_limit_us(client, login_ms);
    int events = client->library.real_connect_start(
        &client->connected, client->mysql, account->host, account->user, account->password,
        account->database, (unsigned)account->port, NULL, 0);
    enum status status = call_finish(client, CALL_CONNECT, events, until_us, "log in", err);
    if (status == STATUS_OK && client->connected == NULL) {
        status = client_error(client, err);
    }
    return status;
}

enum status mariadb_client_open(const struct mysql_account *account, struct mariadb_client **out,
                                struct error *err)
{
    struct mariadb_client *client = calloc(1, sizeof(*client));
    if (client == NULL) {
        return error_no_memory(err);
    }
    client->account = account;
    enum status status = mariadb_library_open(&client->library, err);
    if (status == STATUS_OK) {
        client->mysql = client->library.init(NULL);
        status = client->mysql != NULL ? client_set_options(client, err) : error_no_memory(err);
    }
    if (status == STATUS_OK) {
        status = client_login(client, err);
    }
    if (status != STATUS_OK) {
        mariadb_client_close(client);
        return status;
    }
    *out = client;
    return STATUS_OK;
}

/* A result that was not read to its end would be read now: unless the connection is closed. */
static void client_end_result(struct mariadb_client *client)
{
    if (client->result != NULL) {
        client->library.free_result(client->result);
    }
    client->result = NULL;
    client->row = NULL;
}

void mariadb_client_close(struct mariadb_client *client)
{
    if (client == NULL) {
        return;
    }
    if (client->mysql != NULL) {
        if (client->result != NULL) {
            client_shut_down(client);
        }
        client_end_result(client);
        client->library.close(client->mysql);
    }
    mariadb_library_close(&client->library);
    free(client);
}

const char *mariadb_client_cipher(const struct mariadb_client *client)
{
    return client->library.get_ssl_cipher(client->mysql);
}

bool mariadb_client_is_lost(const struct mariadb_client *client)
{
    return client->lost;
}

/* --- statements ------------------------------------------------------------------------------ */

enum status mariadb_client_query(struct mariadb_client *client, const char *sql, int64_t whole_ms,
                                 struct error *err)
{
    client_end_result(client);
    int64_t begin_us = client_limit_us(client, answer_begin_ms);
    client->whole_until_us = client_limit_us(client, whole_ms);
    int events = client->library.real_query_start(&client->query_answer, client->mysql, sql,
                                                  (unsigned long)strlen(sql));
    enum status status =
        call_finish(client, CALL_QUERY, events, begin_us, "answer a statement", err);
    if (status != STATUS_OK) {
        return status;
    }
    client->result = client->query_answer == 0 ? client->library.use_result(client->mysql) : NULL;
    if (client->result == NULL && client->library.error_number(client->mysql) == 0) {
        return error_set(err, STATUS_FAILED, "%s:%d: it answered a SELECT without rows or columns",
                         client->account->host, client->account->port);
    }
    return client->result != NULL ? STATUS_OK : client_error(client, err);
}

size_t mariadb_client_columns(const struct mariadb_client *client)
{
    return client->library.num_fields(client->result);
}

struct span mariadb_client_column_name(const struct mariadb_client *client, size_t column)
{
    return span_from_cstr(
        client->library.fetch_field_direct(client->result, (unsigned)column)->name);
}

enum status mariadb_client_next(struct mariadb_client *client, bool *got, struct error *err)
{
    int events = client->library.fetch_row_start(&client->row_answer, client->result);
    enum status status =
        call_finish(client, CALL_FETCH, events, client->whole_until_us, "send its rows", err);
    if (status != STATUS_OK) {
        return status;
    }
    client->row = client->row_answer;
    *got = client->row != NULL;
    if (!*got && client->library.error_number(client->mysql) != 0) {
        return client_error(client, err);
    }
    if (*got) {
        client->lengths = client->library.fetch_lengths(client->result);
    }
    return STATUS_OK;
}

bool mariadb_client_value(const struct mariadb_client *client, size_t column, struct span *out)
{
    *out =
        span_from(client->row[column], client->row[column] != NULL ? client->lengths[column] : 0);
    return client->row[column] != NULL;
}
