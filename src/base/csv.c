/* CSV as RFC 4180 says, with what it leaves open decided on the strict side: a quote inside an
 * unquoted field, text behind a closing quote, a carriage return without a line feed, a NUL and
 * bytes that are not UTF-8 are faults with a place, not guesses. Blank lines are skipped (a table
 * of one column would need them; none of ours has only one).
 *
 *   FIELD_START --"--> QUOTED --"--> QUOTE --,--> FIELD_START
 *        |               ^            | "
 *        other           +------------+            CR from FIELD_START, PLAIN and QUOTE leads to
 *        v                                         AFTER_CR, LF from those and AFTER_CR ends the
 *      PLAIN --,--> FIELD_START                    record.
 */
#include "csv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { csv_chunk_bytes = 64 * 1024 };

enum csv_state {
    CSV_FIELD_START, /* nothing of the field read */
    CSV_PLAIN,       /* in an unquoted field */
    CSV_QUOTED,      /* behind an opening quote */
    CSV_QUOTE,       /* behind a quote in a quoted field: its end, or half of a doubled one */
    CSV_AFTER_CR,    /* waits for the LF */
};

enum csv_step { CSV_STEP_MORE, CSV_STEP_RECORD, CSV_STEP_BAD };

struct csv_place {
    uint64_t line;
    uint64_t column; /* in characters, from 1 */
};

struct csv_reader {
    csv_read_fn read;
    void *ctx;
    bool ended; /* the source has no more bytes */
    enum status failure;
    enum csv_state state;
    struct csv_place here;        /* of the next byte */
    struct csv_place field_begin; /* of the field in work */
    uint64_t record_line;
    struct buf text; /* the record's fields, unquoted, end to end */
    size_t count;
    size_t ends[CSV_FIELDS_MAX];
    struct csv_field fields[CSV_FIELDS_MAX];
    size_t at;
    size_t have;
    char chunk[csv_chunk_bytes];
};

enum status csv_reader_new(csv_read_fn read, void *ctx, struct csv_reader **out)
{
    struct csv_reader *r = calloc(1, sizeof(*r));
    if (r == NULL) {
        return STATUS_NO_MEMORY;
    }
    r->read = read;
    r->ctx = ctx;
    r->here = (struct csv_place){1, 1};
    buf_init(&r->text, CSV_RECORD_BYTES_MAX);
    *out = r;
    return STATUS_OK;
}

void csv_reader_free(struct csv_reader *reader)
{
    if (reader != NULL) {
        buf_release(&reader->text);
        free(reader);
    }
}

uint64_t csv_reader_line(const struct csv_reader *reader)
{
    return reader->record_line;
}

static enum csv_step fault(struct error *err, struct csv_place place, const char *what)
{
    error_set(err, STATUS_INVALID, "line %llu, column %llu: %s", (unsigned long long)place.line,
              (unsigned long long)place.column, what);
    return CSV_STEP_BAD;
}

/* Makes sure a byte is there; *more is false at the end of the source. */
static enum status refill(struct csv_reader *r, bool *more, struct error *err)
{
    if (r->at == r->have && !r->ended) {
        errno = 0;
        int64_t got = r->read(r->ctx, r->chunk, sizeof(r->chunk));
        if (got < 0) {
            return error_set_errno(err, errno, "line %llu: the input cannot be read",
                                   (unsigned long long)r->here.line);
        }
        r->at = 0;
        r->have = (size_t)got;
        r->ended = got == 0;
    }
    *more = r->at < r->have;
    return STATUS_OK;
}

static enum csv_step field_begin(struct csv_reader *r, struct error *err)
{
    r->field_begin = r->here;
    if (r->count == CSV_FIELDS_MAX) {
        error_set(err, STATUS_LIMIT, "line %llu: more than %d fields",
                  (unsigned long long)r->record_line, CSV_FIELDS_MAX);
        return CSV_STEP_BAD;
    }
    r->fields[r->count].quoted = false;
    return CSV_STEP_MORE;
}

static enum csv_step field_end(struct csv_reader *r, char separator, struct error *err)
{
    r->ends[r->count++] = r->text.len;
    r->state = CSV_FIELD_START;
    if (separator == ',') {
        struct csv_place comma = r->here;
        r->here.column++;
        enum csv_step step = field_begin(r, err);
        r->here = comma;
        return step;
    }
    if (separator == '\r') {
        r->state = CSV_AFTER_CR;
        return CSV_STEP_MORE;
    }
    return CSV_STEP_RECORD;
}

static bool is_separator(char byte)
{
    return byte == ',' || byte == '\n' || byte == '\r';
}

static enum csv_step step_plain(struct csv_reader *r, char byte, struct error *err)
{
    if (is_separator(byte)) {
        return field_end(r, byte, err);
    }
    if (byte == '"' && r->state == CSV_FIELD_START) {
        r->fields[r->count].quoted = true;
        r->state = CSV_QUOTED;
        return CSV_STEP_MORE;
    }
    if (byte == '"') {
        return fault(err, r->here,
                     "a quote inside an unquoted field: put the field in quotes and double this "
                     "one");
    }
    r->state = CSV_PLAIN;
    buf_append_byte(&r->text, byte);
    return CSV_STEP_MORE;
}

static enum csv_step step_byte(struct csv_reader *r, char byte, struct error *err)
{
    if (byte == '\0') {
        return fault(err, r->here, "a NUL byte: this is not a text file");
    }
    switch (r->state) {
    case CSV_FIELD_START:
    case CSV_PLAIN:
        return step_plain(r, byte, err);
    case CSV_QUOTED:
        if (byte == '"') {
            r->state = CSV_QUOTE;
        } else {
            buf_append_byte(&r->text, byte);
        }
        return CSV_STEP_MORE;
    case CSV_QUOTE:
        if (byte == '"') {
            r->state = CSV_QUOTED;
            buf_append_byte(&r->text, byte);
            return CSV_STEP_MORE;
        }
        if (is_separator(byte)) {
            return field_end(r, byte, err);
        }
        return fault(err, r->here,
                     "text behind a closing quote: a quote inside a field must be doubled");
    case CSV_AFTER_CR:
        if (byte == '\n') {
            r->state = CSV_FIELD_START;
            return CSV_STEP_RECORD;
        }
        return fault(err, r->here, "a carriage return without a line feed");
    }
    BUG("no such state");
}

static void place_advance(struct csv_place *place, char byte)
{
    if (byte == '\n') {
        place->line++;
        place->column = 1;
    } else if (((unsigned char)byte & 0xc0) != 0x80) {
        place->column++;
    }
}

/* Ordinary bytes of a field at once; the rest goes byte by byte through the state machine. */
static void run_append(struct csv_reader *r)
{
    if (r->state != CSV_PLAIN && r->state != CSV_QUOTED) {
        return;
    }
    size_t end = r->at;
    while (end < r->have) {
        char byte = r->chunk[end];
        if (byte == '"' || byte == '\0' || (r->state == CSV_PLAIN && is_separator(byte))) {
            break;
        }
        place_advance(&r->here, byte);
        end++;
    }
    buf_append(&r->text, r->chunk + r->at, end - r->at);
    r->at = end;
}

/* The end of the input ends a record too, if it holds anything. */
static enum csv_step step_end(struct csv_reader *r, struct error *err)
{
    switch (r->state) {
    case CSV_QUOTED:
        return fault(err, r->field_begin, "this quoted field never ends: a quote is missing");
    case CSV_AFTER_CR:
        return fault(err, r->here, "a carriage return without a line feed");
    case CSV_FIELD_START:
    case CSV_PLAIN:
    case CSV_QUOTE:
        break;
    }
    r->ends[r->count++] = r->text.len;
    r->state = CSV_FIELD_START;
    return CSV_STEP_RECORD;
}

/* Reads the next record into text, ends and count, without its line break. */
static enum csv_step record_scan(struct csv_reader *r, struct error *err)
{
    r->count = 0;
    r->record_line = r->here.line;
    buf_reset(&r->text);
    enum csv_step step = field_begin(r, err);
    while (step == CSV_STEP_MORE) {
        bool more;
        if (refill(r, &more, err) != STATUS_OK) {
            return CSV_STEP_BAD;
        }
        if (!more) {
            return step_end(r, err);
        }
        run_append(r);
        if (r->at < r->have) {
            char byte = r->chunk[r->at++];
            step = step_byte(r, byte, err);
            place_advance(&r->here, byte);
        }
        if (!buf_ok(&r->text)) {
            buf_error(&r->text, err, STATUS_LIMIT,
                      "line %llu: a record of more than %d bytes (is a closing quote missing?)",
                      (unsigned long long)r->record_line, CSV_RECORD_BYTES_MAX);
            return CSV_STEP_BAD;
        }
    }
    return step;
}

static bool record_is_blank(const struct csv_reader *r)
{
    return r->count == 1 && r->text.len == 0 && !r->fields[0].quoted;
}

static enum status fields_resolve(struct csv_reader *r, struct error *err)
{
    size_t start = 0;
    for (size_t i = 0; i < r->count; i++) {
        r->fields[i].text =
            span_from(r->text.ptr != NULL ? r->text.ptr + start : NULL, r->ends[i] - start);
        start = r->ends[i];
        if (!span_is_utf8(r->fields[i].text)) {
            return error_set(err, STATUS_INVALID,
                             "line %llu, field %zu: not UTF-8: save the file as UTF-8",
                             (unsigned long long)r->record_line, i + 1);
        }
    }
    return STATUS_OK;
}

/* The byte order mark may arrive in pieces. */
static enum status skip_mark(struct csv_reader *r, struct error *err)
{
    static const char mark[] = "\xef\xbb\xbf";
    bool more = true;
    while (r->have < sizeof(mark) - 1 && !r->ended) {
        errno = 0;
        int64_t got = r->read(r->ctx, r->chunk + r->have, sizeof(r->chunk) - r->have);
        if (got < 0) {
            return error_set_errno(err, errno, "line 1: the input cannot be read");
        }
        r->have += (size_t)got;
        r->ended = got == 0;
    }
    if (r->have >= sizeof(mark) - 1 && memcmp(r->chunk, mark, sizeof(mark) - 1) == 0) {
        r->at = sizeof(mark) - 1;
    }
    return refill(r, &more, err);
}

static enum status next_record(struct csv_reader *r, struct error *err)
{
    if (r->record_line == 0) {
        enum status status = skip_mark(r, err);
        if (status != STATUS_OK) {
            return status;
        }
    }
    do {
        bool more;
        enum status status = refill(r, &more, err);
        if (status != STATUS_OK) {
            return status;
        }
        if (!more) {
            r->count = 0;
            return STATUS_OK;
        }
        if (record_scan(r, err) == CSV_STEP_BAD) {
            return err->code;
        }
    } while (record_is_blank(r));
    return fields_resolve(r, err);
}

enum status csv_reader_next(struct csv_reader *reader, const struct csv_field **fields,
                            size_t *count, struct error *err)
{
    struct error own = ERROR_NONE;
    *count = 0;
    *fields = reader->fields;
    if (reader->failure != STATUS_OK) {
        return error_set(err, reader->failure, "the input was given up after a fault");
    }
    reader->failure = next_record(reader, &own);
    if (reader->failure != STATUS_OK) {
        if (err != NULL) {
            *err = own;
        }
        return reader->failure;
    }
    *count = reader->count;
    return STATUS_OK;
}

void csv_append_field(struct buf *out, struct span text, bool is_null)
{
    if (is_null) {
        return;
    }
    bool quote = text.len == 0;
    for (size_t i = 0; i < text.len && !quote; i++) {
        quote = is_separator(text.ptr[i]) || text.ptr[i] == '"';
    }
    if (!quote) {
        buf_append_span(out, text);
        return;
    }
    buf_append_byte(out, '"');
    while (text.len > 0) {
        size_t plain = span_find_byte(text, '"');
        buf_append(out, text.ptr, plain);
        if (plain < text.len) {
            BUF_APPEND_LIT(out, "\"\"");
        }
        text = span_skip(text, plain + 1);
    }
    buf_append_byte(out, '"');
}
