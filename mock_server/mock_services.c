/* The table of services at work: their ports are bound, rows opened, their URLs told, and all
 * closed. No service is known here by name. */
#include "mock_internal.h"

#include <stdio.h>
#include <string.h>

/* --- open and close --- */

static bool service_is_wanted(const struct pinpipe_mock *mock, const struct service_row *row)
{
    return row->open != NULL && (!row->on_request || mock_port(&mock->options, row->id) >= 0);
}

/* The service behind a row that shares its `open` with this one; NULL: this one is the first. */
static void *service_shared(const struct pinpipe_mock *mock, const struct service_row *row)
{
    for (size_t i = 0; i < mock->table->count; i++) {
        const struct service_row *other = &mock->table->rows[i];
        if (other->open == row->open && mock->services[other->id] != NULL) {
            return mock->services[other->id];
        }
    }
    return NULL;
}

static enum status service_open(struct pinpipe_mock *mock, const struct service_row *row,
                                struct error *err)
{
    mock->addresses[row->id] = arena_alloc(&mock->texts, MOCK_ADDRESS_BYTES);
    if (mock->addresses[row->id] == NULL) {
        return mock_no_memory(err);
    }
    mock->services[row->id] = service_shared(mock, row);
    enum status status = mock->services[row->id] == NULL
                             ? row->open(&mock->host, &mock->services[row->id], err)
                             : STATUS_OK;
    if (status == STATUS_OK) {
        mock->faces[row->id] = row->face(mock->services[row->id]);
    }
    return status;
}

/* Services that call others open in a second round, because they take the others' faces. */
static enum status services_open_some(struct pinpipe_mock *mock, bool in_front, struct error *err)
{
    enum status status = STATUS_OK;
    for (size_t i = 0; i < mock->table->count && status == STATUS_OK; i++) {
        const struct service_row *row = &mock->table->rows[i];
        if (service_is_wanted(mock, row) && row->in_front == in_front) {
            status = service_open(mock, row, err);
        }
    }
    return status;
}

enum status mock_services_open(struct pinpipe_mock *mock, struct error *err)
{
    enum status status = services_open_some(mock, false, err);
    return status == STATUS_OK ? services_open_some(mock, true, err) : status;
}

/* Closed once, however many rows share it. */
static void service_close(struct pinpipe_mock *mock, const struct service_row *row)
{
    void *service = mock->services[row->id];
    for (size_t i = 0; i < PINPIPE_SERVICES_MAX; i++) {
        mock->services[i] = mock->services[i] != service ? mock->services[i] : NULL;
    }
    row->close(service);
}

static void services_close_some(struct pinpipe_mock *mock, bool in_front)
{
    for (size_t i = mock->table->count; i > 0; i--) {
        const struct service_row *row = &mock->table->rows[i - 1];
        if (row->open != NULL && row->in_front == in_front && mock->services[row->id] != NULL) {
            service_close(mock, row);
        }
    }
}

void mock_services_close(struct pinpipe_mock *mock)
{
    services_close_some(mock, true);
    services_close_some(mock, false);
}

/* --- listeners --- */

/* The host that a client on this machine connects to. */
static const char *url_host(const char *bind_addr)
{
    if (strcmp(bind_addr, "0.0.0.0") == 0 || strcmp(bind_addr, "localhost") == 0) {
        return "127.0.0.1";
    }
    return strcmp(bind_addr, "::") == 0 ? "::1" : bind_addr;
}

static enum status service_bind(struct pinpipe_mock *mock, const struct service_row *row,
                                struct error *err)
{
    const struct listener_options listen = {.address = mock->options.bind_addr,
                                            .port = mock_port(&mock->options, row->id),
                                            .flag = row->flag};
    if (listen.port < 0) {
        return STATUS_OK;
    }
    enum status status = server_bind(mock->server, &listen, &mock->listeners[row->id], err);
    if (status != STATUS_CONFIG || listen.port == 0 || !mock->options.port_may_move[row->id]) {
        return status;
    }
    const struct listener_options anywhere = {
        .address = listen.address, .port = 0, .flag = listen.flag};
    if (server_bind(mock->server, &anywhere, &mock->listeners[row->id], err) != STATUS_OK) {
        return STATUS_CONFIG;
    }
    LOG_INFOF(&mock->log, "server", "port %d is another program's: %s is on %d", listen.port,
              row->title, listener_port(mock->listeners[row->id]));
    *err = ERROR_NONE;
    return STATUS_OK;
}

static enum status service_listen(struct pinpipe_mock *mock, const struct service_row *row,
                                  struct error *err)
{
    struct server_listener *listener = mock->listeners[row->id];
    struct conn_kind kind;
    if (listener == NULL) {
        return STATUS_OK;
    }
    if (row->protocol->kind(&mock->host, mock->faces[row->id], &kind) != STATUS_OK) {
        return mock_no_memory(err);
    }
    listener_speak(listener, kind);
    int port = listener_port(listener);
    const char *host = url_host(mock->options.bind_addr);
    const char *path = row->url_path != NULL ? row->url_path(&mock->host) : NULL;
    bool is_v6 = strchr(host, ':') != NULL;
    snprintf(mock->addresses[row->id], MOCK_ADDRESS_BYTES, "%s:%d", host, port);
    mock->urls[row->id] =
        arena_printf(&mock->texts, "%s%s%s%s:%d%s%s", row->protocol->scheme, is_v6 ? "[" : "", host,
                     is_v6 ? "]" : "", port, path != NULL ? "/" : "", path != NULL ? path : "");
    return mock->urls[row->id] != NULL ? STATUS_OK : mock_no_memory(err);
}

static enum status services_each(struct pinpipe_mock *mock,
                                 enum status (*step)(struct pinpipe_mock *,
                                                     const struct service_row *, struct error *),
                                 struct error *err)
{
    enum status status = STATUS_OK;
    for (size_t i = 0; i < mock->table->count && status == STATUS_OK; i++) {
        const struct service_row *row = &mock->table->rows[i];
        if (service_is_wanted(mock, row)) {
            status = step(mock, row, err);
        }
    }
    return status;
}

enum status mock_services_bind(struct pinpipe_mock *mock, struct error *err)
{
    return services_each(mock, service_bind, err);
}

enum status mock_services_listen(struct pinpipe_mock *mock, struct error *err)
{
    return services_each(mock, service_listen, err);
}

/* --- URLs --- */

const char *pinpipe_mock_url(const struct pinpipe_mock *mock, enum pinpipe_service service)
{
    return (size_t)service < PINPIPE_SERVICES_MAX ? mock->urls[service] : NULL;
}

const char *pinpipe_mock_url_by_key(const struct pinpipe_mock *mock, const char *key)
{
    for (size_t i = 0; i < mock->table->count; i++) {
        const struct service_row *row = &mock->table->rows[i];
        if (row->open != NULL && strcmp(row->key, key) == 0) {
            return mock->urls[row->id];
        }
    }
    return NULL;
}

size_t mock_services_tell(const struct pinpipe_mock *mock,
                          struct server_url out[PINPIPE_SERVICES_MAX])
{
    size_t count = 0;
    for (size_t i = 0; i < mock->table->count; i++) {
        const struct service_row *row = &mock->table->rows[i];
        const char *url = row->open != NULL ? mock->urls[row->id] : NULL;
        if (url != NULL || !row->on_request) {
            out[count++] = (struct server_url){row->key, url};
        }
    }
    return count;
}
