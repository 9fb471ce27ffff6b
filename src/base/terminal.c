/* The FILE is one of functions: fopencookie of glibc and musl (the Makefile compiles this file with
 * _GNU_SOURCE for it), funopen of macOS and the BSDs. */
#include "terminal.h"

#include "buf.h"
#include "printable.h"
#include "utf8.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { shown_bytes_max = 1024 * 1024, written_at_once = 16 * 1024 };

struct terminal {
    int fd;
    FILE *stream;
    bool raw;
    bool coloured;
    bool dropping;
    bool moving; /* the cursor is in a line that is drawn in place */
    size_t dropped;
    bool failed;
    /* The beginning of a character (or a CR) whose end has not been written yet. */
    char held[UTF8_BYTES_MAX];
    size_t held_count;
    struct buf shown;
};

static bool terminal_put(struct terminal *terminal, struct span bytes)
{
    while (bytes.len > 0) {
        ssize_t put = write(terminal->fd, bytes.ptr, bytes.len);
        if (put <= 0 && terminal->dropping) {
            terminal->dropped++;
            return true;
        }
        if (put <= 0) {
            terminal->failed = true; /* EINTR too: a terminal that is held up must not hold us */
            return false;
        }
        bytes = span_skip(bytes, (size_t)put);
    }
    return true;
}

static void terminal_escape(struct buf *out, struct span text, enum printable_form form)
{
    char escape[PRINTABLE_ESCAPE_BYTES];
    struct span piece;
    while ((piece = printable_next(&text, form, escape)).len > 0) {
        buf_append_span(out, piece);
    }
}

/* How many bytes at the end may be the beginning of something that the next write completes. */
static size_t unfinished_len(struct span text)
{
    if (text.len > 0 && text.ptr[text.len - 1] == '\r') {
        return 1;
    }
    for (size_t back = 1; back < UTF8_BYTES_MAX && back <= text.len; back++) {
        unsigned char byte = (unsigned char)text.ptr[text.len - back];
        if ((byte & 0xc0) == 0x80) {
            continue;
        }
        size_t wanted = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc2 ? 2 : 1;
        return wanted > back ? back : 0;
    }
    return 0;
}

/* At most written_at_once bytes, with what was held of the last ones. */
static bool terminal_take(struct terminal *terminal, struct span bytes, bool is_last)
{
    char text[UTF8_BYTES_MAX + written_at_once];
    PP_ASSERT(bytes.len <= written_at_once);
    memcpy(text, terminal->held, terminal->held_count);
    if (bytes.len > 0) {
        memcpy(text + terminal->held_count, bytes.ptr, bytes.len);
    }
    struct span all = span_from(text, terminal->held_count + bytes.len);
    size_t keep = is_last ? 0 : unfinished_len(all);
    memcpy(terminal->held, all.ptr + all.len - keep, keep);
    terminal->held_count = keep;
    buf_reset(&terminal->shown);
    terminal_escape(&terminal->shown, span_first(all, all.len - keep), PRINTABLE_TEXT);
    if (!buf_ok(&terminal->shown)) {
        terminal->failed = true;
        return false;
    }
    return terminal_put(terminal, buf_span(&terminal->shown));
}

static bool terminal_write(struct terminal *terminal, struct span bytes)
{
    if (terminal->moving && bytes.len > 0) {
        terminal->moving = false;
        if (!terminal_put(terminal, SPAN_LIT("\n"))) {
            return false;
        }
    }
    if (terminal->raw) {
        return terminal_put(terminal, bytes);
    }
    while (bytes.len > 0) {
        struct span part = span_first(bytes, written_at_once);
        if (!terminal_take(terminal, part, false)) {
            return false;
        }
        bytes = span_skip(bytes, part.len);
    }
    return true;
}

#if defined(__APPLE__) || defined(__FreeBSD__) || defined(__NetBSD__) || defined(__OpenBSD__)
static int on_terminal_write(void *ctx, const char *bytes, int len)
{
    return terminal_write(ctx, span_from(bytes, (size_t)len)) ? len : -1;
}

static FILE *terminal_stream_new(struct terminal *terminal)
{
    return funopen(terminal, NULL, on_terminal_write, NULL, NULL);
}
#else
static ssize_t on_terminal_write(void *ctx, const char *bytes, size_t len)
{
    return terminal_write(ctx, span_from(bytes, len)) ? (ssize_t)len : 0;
}

static FILE *terminal_stream_new(struct terminal *terminal)
{
    return fopencookie(terminal, "w", (cookie_io_functions_t){.write = on_terminal_write});
}
#endif

enum status terminal_open(int fd, struct terminal **out, struct error *err)
{
    struct terminal *terminal = calloc(1, sizeof(*terminal));
    if (terminal == NULL) {
        return error_no_memory(err);
    }
    terminal->fd = fd;
    buf_init(&terminal->shown, shown_bytes_max);
    terminal->stream = terminal_stream_new(terminal);
    if (terminal->stream == NULL) {
        free(terminal);
        return error_no_memory(err);
    }
    setvbuf(terminal->stream, NULL, _IOLBF, BUFSIZ);
    *out = terminal;
    return STATUS_OK;
}

bool terminal_close(struct terminal *terminal)
{
    if (terminal == NULL) {
        return true;
    }
    bool good = fclose(terminal->stream) == 0;
    if (terminal->held_count > 0) {
        good = terminal_take(terminal, SPAN_EMPTY, true) && good;
    }
    good = good && !terminal->failed;
    buf_release(&terminal->shown);
    free(terminal);
    return good;
}

FILE *terminal_stream(struct terminal *terminal)
{
    return terminal->stream;
}

void terminal_set_raw(struct terminal *terminal)
{
    terminal->raw = true;
}

void terminal_draw_line(struct terminal *terminal, struct span text)
{
    struct buf line;
    buf_init(&line, shown_bytes_max);
    BUF_APPEND_LIT(&line, "\r");
    terminal_escape(&line, text, PRINTABLE_LINE);
    BUF_APPEND_LIT(&line, "\x1b[K");
    fflush(terminal->stream);
    if (buf_ok(&line)) {
        terminal_put(terminal, buf_span(&line));
    }
    buf_release(&line);
}

void terminal_set_colours(struct terminal *terminal, bool on)
{
    terminal->coloured = on;
}

void terminal_set_dropping(struct terminal *terminal)
{
    terminal->dropping = true;
}

size_t terminal_dropped(struct terminal *terminal)
{
    size_t dropped = terminal->dropped;
    terminal->dropped = 0;
    return dropped;
}

bool terminal_is_ready(const struct terminal *terminal)
{
    struct pollfd ready = {.fd = terminal->fd, .events = POLLOUT};
    return poll(&ready, 1, 0) == 1 && (ready.revents & POLLOUT) != 0;
}

static void pieces_append(const struct terminal *terminal, struct buf *out,
                          const struct terminal_piece *pieces, size_t count)
{
    static const char *const codes[] = {
        [TERMINAL_PLAIN] = "",         [TERMINAL_FAINT] = "\x1b[2m",   [TERMINAL_RED] = "\x1b[31m",
        [TERMINAL_GREEN] = "\x1b[32m", [TERMINAL_YELLOW] = "\x1b[33m", [TERMINAL_CYAN] = "\x1b[36m",
    };
    for (size_t i = 0; i < count; i++) {
        bool coloured =
            terminal->coloured && pieces[i].colour != TERMINAL_PLAIN && pieces[i].text.len > 0;
        buf_append_cstr(out, coloured ? codes[pieces[i].colour] : "");
        terminal_escape(out, pieces[i].text, PRINTABLE_LINE);
        buf_append_cstr(out, coloured ? "\x1b[0m" : "");
    }
}

/* One write for the whole line: half of one would be dropped as easily as all of it. */
static void pieces_put(struct terminal *terminal, const struct terminal_piece *pieces, size_t count,
                       const char *end)
{
    struct buf line;
    buf_init(&line, shown_bytes_max);
    fflush(terminal->stream);
    buf_append_cstr(&line, terminal->moving ? "\r" : "");
    pieces_append(terminal, &line, pieces, count);
    buf_append_cstr(&line, terminal->moving ? "\x1b[K" : "");
    buf_append_cstr(&line, end);
    if (buf_ok(&line)) {
        terminal_put(terminal, buf_span(&line));
    }
    buf_release(&line);
}

void terminal_put_line(struct terminal *terminal, const struct terminal_piece *pieces, size_t count)
{
    pieces_put(terminal, pieces, count, "\n");
    terminal->moving = false;
}

void terminal_move_line(struct terminal *terminal, const struct terminal_piece *pieces,
                        size_t count)
{
    pieces_put(terminal, pieces, count, "");
    terminal->moving = true;
}

void terminal_settle_line(struct terminal *terminal)
{
    if (terminal->moving) {
        terminal->moving = false;
        terminal_put(terminal, SPAN_LIT("\n"));
    }
}
