/* A terminal that is held up (Ctrl-S, a lost ssh) must not hold up the server. So the view writes
 * to the terminal through a descriptor of its own, whose non-blocking mode nobody else shares, asks
 * first whether anything can be written, and drops what no longer can. */
#include "serve_live.h"

#include "live.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The area of --log that the lines of requests are; each also belongs to its service's. */
static const char requests_area[] = "requests";

enum { tty_name_bytes_max = 256, behind_bytes_max = 512 };

struct serve_live {
    struct log log; /* only asked what it wants */
    struct live *live;
    struct terminal *terminal;
    int fd; /* -1: standard error itself, where it cannot be opened anew */
    /* The moving line of a job in the background, for when it is settled. */
    char behind[behind_bytes_max];
    size_t behind_len;
};

static void view_put(void *ctx, const struct terminal_piece *pieces, size_t count)
{
    struct serve_live *view = ctx;
    terminal_put_line(view->terminal, pieces, count);
}

/* A job in the background shares its terminal with a prompt, and must not draw in its line. */
static bool view_is_in_front(void)
{
    pid_t front = tcgetpgrp(STDERR_FILENO);
    return front < 0 || front == getpgrp();
}

static void view_move(void *ctx, const struct terminal_piece *pieces, size_t count)
{
    struct serve_live *view = ctx;
    if (view_is_in_front()) {
        terminal_move_line(view->terminal, pieces, count);
        view->behind_len = 0;
        return;
    }
    view->behind_len = 0;
    for (size_t i = 0; i < count; i++) {
        struct span text = span_first(pieces[i].text, sizeof(view->behind) - view->behind_len);
        memcpy(view->behind + view->behind_len, text.ptr, text.len);
        view->behind_len += text.len;
    }
}

static void view_settle(void *ctx)
{
    struct serve_live *view = ctx;
    if (view->behind_len > 0) {
        const struct terminal_piece piece = {TERMINAL_CYAN,
                                             span_from(view->behind, view->behind_len)};
        terminal_put_line(view->terminal, &piece, 1);
    }
    view->behind_len = 0;
    terminal_settle_line(view->terminal);
}

static size_t view_columns(void *ctx)
{
    (void)ctx;
    return cli_terminal_columns(STDERR_FILENO);
}

static bool view_is_ready(void *ctx)
{
    struct serve_live *view = ctx;
    if (!terminal_is_ready(view->terminal)) {
        return false;
    }
    size_t dropped = terminal_dropped(view->terminal);
    if (dropped > 0) {
        fprintf(terminal_stream(view->terminal),
                "(the terminal was held up: %zu lines are not shown; see pinpipe tail)\n", dropped);
    }
    return true;
}

static void view_on_request(void *observer, const struct pinpipe_request *request)
{
    struct serve_live *view = observer;
    if (!log_wants(&view->log, LOG_INFO, request->service)) {
        return;
    }
    const struct watched_request watched = {
        .service = span_from_cstr(request->service),
        .method = span_from(request->method, request->method_len),
        .path = span_from(request->path, request->path_len),
        .status = request->status,
        .error_code = span_from(request->error_code, request->error_code_len),
        .hint = span_from(request->hint, request->hint_len),
        .received_us = request->received_us,
        .latency_us = request->latency_us,
    };
    live_add(view->live, &watched);
}

static bool view_on_pause(void *observer)
{
    struct serve_live *view = observer;
    return live_tick(view->live);
}

static int terminal_open_anew(void)
{
    char name[tty_name_bytes_max] = "";
    return ttyname_r(STDERR_FILENO, name, sizeof(name)) == 0
               ? open(name, O_WRONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC)
               : -1;
}

static enum status view_open(struct cli *cli, struct serve_live *view, struct error *err)
{
    const struct live_screen screen = {view_put,      view_move,    view_settle,
                                       view_is_ready, view_columns, view};
    view->fd = terminal_open_anew();
    enum status status =
        terminal_open(view->fd >= 0 ? view->fd : STDERR_FILENO, &view->terminal, err);
    if (status != STATUS_OK) {
        return status;
    }
    terminal_set_dropping(view->terminal);
    terminal_set_colours(view->terminal, cli_wants_colours());
    return live_new(&cli->env, &screen, &view->live) == STATUS_OK ? STATUS_OK
                                                                  : error_no_memory(err);
}

static void view_free(struct serve_live *view)
{
    live_free(view->live);
    terminal_close(view->terminal);
    if (view->fd >= 0) {
        close(view->fd);
    }
    free(view);
}

enum status serve_live_open(struct cli *cli, struct pinpipe_mock_options *options,
                            struct serve_live **out, struct error *err)
{
    *out = NULL;
    if (!cli->err_is_terminal) {
        return STATUS_OK;
    }
    struct serve_live *view = calloc(1, sizeof(*view));
    if (view == NULL) {
        return error_no_memory(err);
    }
    view->fd = -1;
    log_init(&view->log, &cli->env, cli->err, LOG_OFF); /* as the mock does: what --log names */
    /* A bad --log is the mock's to tell. */
    if (log_configure(&view->log, options->log_spec, NULL) != STATUS_OK ||
        !log_wants(&view->log, LOG_INFO, requests_area)) {
        free(view);
        return STATUS_OK;
    }
    enum status status = view_open(cli, view, err);
    if (status != STATUS_OK) {
        view_free(view);
        return status;
    }
    options->on_request = view_on_request;
    options->on_pause = view_on_pause;
    options->observer = view;
    options->log_file = terminal_stream(view->terminal);
    *out = view;
    return STATUS_OK;
}

void serve_live_close(struct serve_live *view)
{
    if (view != NULL) {
        live_end(view->live);
        view_free(view);
    }
}
