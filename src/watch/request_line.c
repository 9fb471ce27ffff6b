#include "request_line.h"

#include "civil.h"
#include "printable.h"
#include "utf8.h"

#include <stdio.h>

enum {
    path_columns_min =
        24, /* on a narrow terminal the line wraps rather than hides all of its path */
    second_us = 1000000,
    day_s = 24 * 60 * 60,
    service_columns = 7,
    method_columns = 4,
    wide_columns = 2, /* of a character beyond ASCII: some take two, and none takes more */
};

void request_time(int64_t wall_us, char out[REQUEST_TIME_BYTES])
{
    int64_t ms = wall_us >= 0 ? wall_us / 1000 : 0;
    int seconds = (int)(ms / 1000 % day_s);
    snprintf(out, REQUEST_TIME_BYTES, "%02d:%02d:%02d.%03dZ", seconds / 3600, seconds / 60 % 60,
             seconds % 60, (int)(ms % 1000));
}

void request_stamp(int64_t wall_us, char out[REQUEST_STAMP_BYTES])
{
    int64_t year;
    unsigned month;
    unsigned day;
    char time[REQUEST_TIME_BYTES];
    request_time(wall_us, time);
    civil_date(civil_floor_div(wall_us / 1000, CIVIL_DAY_MS), &year, &month, &day);
    snprintf(out, REQUEST_STAMP_BYTES, "%04lld-%02u-%02uT%s", (long long)year, month, day, time);
}

bool request_is_error(const struct watched_request *request)
{
    return request->status >= 400;
}

static size_t shown_character_bytes(struct span text)
{
    uint32_t point;
    size_t len = utf8_read(text, &point);
    return len > 0 ? len : 1;
}

/* How many bytes at the front of the text take at most `columns` once they are shown. */
static size_t bytes_of_columns(struct span text, size_t columns)
{
    char escape[PRINTABLE_ESCAPE_BYTES];
    size_t bytes = 0;
    while (bytes < text.len) {
        size_t len = shown_character_bytes(span_skip(text, bytes));
        struct span character = span_first(span_skip(text, bytes), len);
        struct span rest = character;
        struct span shown = printable_next(&rest, PRINTABLE_LINE, escape);
        size_t takes = shown.ptr == escape ? shown.len : len == 1 ? 1 : wide_columns;
        if (takes > columns) {
            break;
        }
        columns -= takes;
        bytes += len;
    }
    return bytes;
}

static void request_line_add(struct request_line *line, enum terminal_colour colour,
                             struct span text)
{
    PP_ASSERT(line->count < REQUEST_LINE_PIECES);
    line->pieces[line->count++] = (struct terminal_piece){colour, text};
}

static enum terminal_colour status_colour(int status)
{
    if (status >= 500) {
        return TERMINAL_RED;
    }
    if (status >= 400) {
        return TERMINAL_YELLOW;
    }
    return status >= 300 ? TERMINAL_CYAN : TERMINAL_GREEN;
}

/* A malformed request has neither method nor path. */
static struct span text_or_dash(struct span text)
{
    return text.len > 0 ? text : SPAN_LIT("-");
}

void request_line_make(struct request_line *line, const struct watched_request *request,
                       size_t columns)
{
    char time[REQUEST_TIME_BYTES];
    request_time(request->received_us, time);
    line->count = 0;
    int front = snprintf(line->front, sizeof(line->front), "%s ", time);
    int method = snprintf(line->method, sizeof(line->method), "%-*.*s %-*.*s ", service_columns,
                          SPAN_ARG(span_first(request->service, 16)), method_columns,
                          SPAN_ARG(text_or_dash(span_first(request->method, 20))));
    /* MySQL's answers have an error's number or 0. */
    int status = request->status == 0
                     ? snprintf(line->status, sizeof(line->status), " ok")
                     : snprintf(line->status, sizeof(line->status), " %d", request->status);
    /* Where the code says no more than the status it is left out. */
    struct span error_code = span_first(request->error_code, 128);
    error_code = span_equal_cstr(error_code, line->status + 1) ? SPAN_EMPTY : error_code;
    int code = snprintf(line->code, sizeof(line->code), "%s%.*s", error_code.len > 0 ? " " : "",
                        SPAN_ARG(error_code));
    int latency =
        snprintf(line->latency, sizeof(line->latency), "  %lld us", (long long)request->latency_us);
    size_t others = (size_t)(front + method + status + code + latency);
    struct span path = text_or_dash(request->path);
    size_t room = columns > others + path_columns_min ? columns - others : path_columns_min;
    bool is_cut = columns > 0 && bytes_of_columns(path, room) < path.len;
    request_line_add(line, TERMINAL_FAINT, span_from(line->front, (size_t)front));
    request_line_add(line, TERMINAL_PLAIN, span_from(line->method, (size_t)method));
    request_line_add(line, TERMINAL_PLAIN,
                     is_cut ? span_first(path, bytes_of_columns(path, room - 3)) : path);
    request_line_add(line, TERMINAL_PLAIN, is_cut ? SPAN_LIT("...") : SPAN_EMPTY);
    request_line_add(line, status_colour(request->status), span_from(line->status, (size_t)status));
    request_line_add(line, status_colour(request->status), span_from(line->code, (size_t)code));
    request_line_add(line, TERMINAL_FAINT, span_from(line->latency, (size_t)latency));
}

struct span text_line_next(struct span *rest, size_t columns)
{
    size_t fits = columns > 0 ? bytes_of_columns(*rest, columns) : rest->len;
    if (fits == 0 && rest->len > 0) {
        fits = shown_character_bytes(*rest);
    }
    size_t end = fits;
    if (fits < rest->len) {
        while (end > 0 && rest->ptr[end] != ' ') {
            end--;
        }
        end = end > 0 ? end : fits;
    }
    struct span line = span_first(*rest, end);
    *rest = span_skip(*rest, end);
    if (rest->len > 0 && rest->ptr[0] == ' ') {
        *rest = span_skip(*rest, 1);
    }
    return line;
}
