#include "watch_print.h"

#include "printable.h"

#include <string.h>
#include <unistd.h>

enum { hint_columns_min = 20, label_pieces = 1 };

static const struct span hint_label = {"              hint: ", 20};

void watch_print_begin(struct cli *cli)
{
    if (cli->out_terminal != NULL) {
        terminal_set_colours(cli->out_terminal, cli_wants_colours() && !cli->raw);
    }
}

static void print_escaped(FILE *out, struct span text)
{
    char escape[PRINTABLE_ESCAPE_BYTES];
    struct span piece;
    while ((piece = printable_next(&text, PRINTABLE_LINE, escape)).len > 0) {
        fwrite(piece.ptr, 1, piece.len, out);
    }
}

void watch_print_line(struct cli *cli, const struct terminal_piece *pieces, size_t count)
{
    if (cli->out_terminal != NULL) {
        terminal_put_line(cli->out_terminal, pieces, count);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        print_escaped(cli->out, pieces[i].text);
    }
    fputc('\n', cli->out);
}

static size_t print_columns(const struct cli *cli)
{
    return cli->out_terminal != NULL ? cli_terminal_columns(STDOUT_FILENO) : 0;
}

void watch_print_request(struct cli *cli, const char *label, const struct watched_request *request)
{
    struct request_line line;
    struct terminal_piece pieces[label_pieces + REQUEST_LINE_PIECES] = {
        {TERMINAL_CYAN, span_from_cstr(label)}};
    size_t columns = print_columns(cli);
    size_t taken = strlen(label);
    request_line_make(&line, request, columns > taken ? columns - taken : columns);
    memcpy(pieces + label_pieces, line.pieces, line.count * sizeof(line.pieces[0]));
    watch_print_line(cli, pieces, label_pieces + line.count);
}

void watch_print_hint(struct cli *cli, struct span hint)
{
    size_t columns = print_columns(cli);
    size_t room = columns > hint_label.len + hint_columns_min ? columns - hint_label.len - 1 : 0;
    for (bool first = true; hint.len > 0; first = false) {
        const struct terminal_piece pieces[] = {
            {TERMINAL_CYAN, first ? hint_label : SPAN_LIT("                    ")},
            {TERMINAL_CYAN, text_line_next(&hint, room)}};
        watch_print_line(cli, pieces, ARRAY_COUNT(pieces));
    }
}

static void json_member_text(struct json_writer *w, const char *name, struct span text)
{
    if (text.len > 0) {
        json_member_string(w, name, text);
    } else {
        json_member_null(w, name);
    }
}

void watch_json_request(struct json_writer *w, const struct watched_request *request)
{
    char stamp[REQUEST_STAMP_BYTES];
    request_stamp(request->received_us, stamp);
    json_member_cstr(w, "time", stamp);
    json_member_string(w, "service", request->service);
    json_member_string(w, "method", request->method);
    json_member_string(w, "path", request->path);
    json_member_i64(w, "status", request->status);
    json_member_text(w, "error_code", request->error_code);
    json_member_i64(w, "latency_us", request->latency_us);
    json_member_i64(w, "request_bytes", request->request_bytes);
    json_member_i64(w, "response_bytes", request->response_bytes);
    json_member_text(w, "hint", request->hint);
}
