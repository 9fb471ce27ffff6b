/* Listening: an address and a port, the error that names the fix, and accepting. What a listener's
 * connections speak is its kind's. */
#include "server_internal.h"

#include <stdlib.h>
#include <string.h>

struct server_listener {
    uv_tcp_t tcp; /* first: handles are freed through it */
    struct server *server;
    struct conn_kind kind;
    struct server_listener *next;
    bool accept_failed; /* a connection waits for memory */
};

static void listener_accept(uv_stream_t *stream, int status)
{
    struct server_listener *listener = stream->data;
    struct server *server = listener->server;
    PP_ASSERT(listener->kind.protocol != NULL && stream == (uv_stream_t *)&listener->tcp);
    if (status != 0) {
        LOG_WARNF(server->log, listener->kind.protocol->name, "cannot accept a connection: %s",
                  uv_strerror(status));
        return;
    }
    listener->accept_failed = !conn_accept(server, stream, &listener->kind);
    if (listener->accept_failed && !timer_is_set(&server->accept_timer)) {
        loop_timer_after_ms(server, &server->accept_timer, SERVER_ACCEPT_RETRY_MS);
    }
}

void listeners_accept_again(struct server *server)
{
    for (struct server_listener *l = server->listeners; l != NULL; l = l->next) {
        PP_ASSERT(l->server == server && !server->stopping); /* which closes all listeners */
        if (l->accept_failed) {
            listener_accept((uv_stream_t *)&l->tcp, 0);
        }
    }
}

static enum status listen_error(const struct listener_options *options, int code, struct error *err)
{
    const char *open = strchr(options->address, ':') != NULL ? "[" : "";
    const char *close = *open != '\0' ? "]" : "";
    if (code == UV_EADDRINUSE) {
        return error_set(err, STATUS_CONFIG,
                         "address already in use: another server is on %s%s%s:%d; choose another "
                         "with %s PORT, or 0 for any free one",
                         open, options->address, close, options->port, options->flag);
    }
    if (code == UV_EACCES) {
        return error_set(err, STATUS_CONFIG,
                         "not allowed to listen on port %d: ports below 1024 are the "
                         "administrator's; choose another with %s PORT",
                         options->port, options->flag);
    }
    if (code == UV_EADDRNOTAVAIL) {
        return error_set(err, STATUS_CONFIG,
                         "%s is not an address of this machine; choose another with --bind "
                         "(127.0.0.1 for this machine only, 0.0.0.0 for all networks)",
                         options->address);
    }
    return error_set(err, STATUS_CONFIG, "cannot listen on %s%s%s:%d: %s", open, options->address,
                     close, options->port, uv_strerror(code));
}

static bool address_parse(const struct listener_options *options, struct sockaddr_storage *out)
{
    const char *text = strcmp(options->address, "localhost") == 0 ? "127.0.0.1" : options->address;
    memset(out, 0, sizeof(*out));
    return uv_ip4_addr(text, options->port, (struct sockaddr_in *)out) == 0 ||
           uv_ip6_addr(text, options->port, (struct sockaddr_in6 *)out) == 0;
}

/* The port that the kernel has chosen; libuv's code. */
static int port_learn(struct server_listener *listener)
{
    struct sockaddr_storage address;
    int len = (int)sizeof(address);
    int code = uv_tcp_getsockname(&listener->tcp, (struct sockaddr *)&address, &len);
    if (code == 0) {
        listener->kind.port =
            ntohs(address.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&address)->sin6_port
                                                : ((struct sockaddr_in *)&address)->sin_port);
    }
    return code;
}

static void listener_closed(uv_handle_t *handle)
{
    free(handle->data);
}

enum status server_bind(struct server *server, const struct listener_options *options,
                        struct server_listener **out, struct error *err)
{
    struct sockaddr_storage address;
    if (!address_parse(options, &address)) {
        return error_set(err, STATUS_CONFIG,
                         "--bind: \"%s\" is not an IPv4 or IPv6 address, such as 127.0.0.1 or ::1",
                         options->address);
    }
    struct server_listener *listener = calloc(1, sizeof(*listener));
    if (listener == NULL) {
        return error_set(err, STATUS_NO_MEMORY, "out of memory");
    }
    listener->server = server;
    listener->kind = options->kind;
    uv_tcp_init(&server->loop, &listener->tcp);
    listener->tcp.data = listener;
    int code = uv_tcp_bind(&listener->tcp, (struct sockaddr *)&address, 0);
    if (code == 0) {
        code = uv_listen((uv_stream_t *)&listener->tcp, SERVER_BACKLOG, listener_accept);
    }
    if (code == 0) {
        code = port_learn(listener);
    }
    if (code != 0) {
        uv_close((uv_handle_t *)&listener->tcp, listener_closed);
        return listen_error(options, code, err);
    }
    PP_ASSERT(!server->stopping); /* nobody would close it */
    listener->next = server->listeners;
    server->listeners = listener;
    *out = listener;
    return STATUS_OK;
}

int listener_port(const struct server_listener *listener)
{
    return listener->kind.port;
}

void listener_speak(struct server_listener *listener, struct conn_kind kind)
{
    PP_ASSERT(kind.protocol != NULL);
    kind.port = listener->kind.port;
    listener->kind = kind;
}

enum status server_listen(struct server *server, const struct listener_options *options,
                          int *bound_port, struct error *err)
{
    struct server_listener *listener;
    enum status status = server_bind(server, options, &listener, err);
    if (status == STATUS_OK) {
        *bound_port = listener_port(listener);
    }
    return status;
}

void listeners_close(struct server *server)
{
    while (server->listeners != NULL) {
        struct server_listener *listener = server->listeners;
        server->listeners = listener->next;
        uv_close((uv_handle_t *)&listener->tcp, listener_closed);
    }
}
