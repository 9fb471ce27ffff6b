/* `pinpipe sql`: any question about the state, read-only, while the server runs. Each statement is
 * a read transaction of its own and ends after --timeout, so that it cannot hold the WAL for long.
 */
#include "commands.h"
#include "csv.h"
#include "file.h"
#include "json_text.h"
#include "json_write.h"
#include "printable.h"
#include "record_headers.h"
#include "sqlite_db.h"

#include <string.h>
#include <unistd.h>

enum {
    path_bytes_max = 1024,
    progress_steps = 10000,
    sample_rows_max = 200, /* rows that decide the widths of the columns */
    column_chars_max = 60,
    column_gap = 2,
    table_columns_max = 64,
    cut_chars_min = 16, /* of a value that a terminal's width cuts */
    output_bytes_max = 64 * 1024 * 1024,
    value_bytes_max = 16 * 1024 * 1024, /* one value; a record's is below 1 MiB */
    sample_bytes_max = 8 * 1024 * 1024, /* of a table's rows before they are written */
};

enum sql_format { FORMAT_TABLE, FORMAT_JSON, FORMAT_CSV };

struct sql_session {
    struct cli *cli;
    struct sqlite_db db;
    int64_t deadline_us;
    enum sql_format format;
    size_t line_chars; /* cut a table's values to fit into this; 0: whole values */
    struct buf out;    /* what is not yet written to stdout */
    bool no_memory;    /* for a part of it */
};

static const char *const schemas[] = {"state", "rds", "ledger", "journal"};

/* --- values as text -----------------------------------------------------------------------------
 */

static bool value_is_text(sqlite3_stmt *stmt, int column, struct span *text)
{
    *text = sqlite_column_span(stmt, column);
    return span_is_utf8(*text) && span_find_byte(*text, '\0') == text->len;
}

static void append_hex(struct buf *out, struct span bytes)
{
    for (size_t i = 0; i < bytes.len; i++) {
        buf_printf(out, "%02x", (unsigned)(unsigned char)bytes.ptr[i]);
    }
}

/* Text, or x'hex' for bytes that are none. */
static void sql_value_append(struct buf *out, sqlite3_stmt *stmt, int column)
{
    struct span text;
    if (sqlite3_column_type(stmt, column) == SQLITE_NULL) {
        return;
    }
    if (value_is_text(stmt, column, &text)) {
        buf_append_span(out, text);
    } else {
        BUF_APPEND_LIT(out, "x'");
        append_hex(out, text);
        BUF_APPEND_LIT(out, "'");
    }
}

static void value_append_json(struct buf *out, sqlite3_stmt *stmt, int column)
{
    switch (sqlite3_column_type(stmt, column)) {
    case SQLITE_NULL:
        BUF_APPEND_LIT(out, "null");
        break;
    case SQLITE_INTEGER:
        buf_append_i64(out, sqlite3_column_int64(stmt, column));
        break;
    case SQLITE_FLOAT:
        json_double_append(out, sqlite3_column_double(stmt, column));
        break;
    default: { /* text and blobs */
        struct buf text;
        buf_init(&text, output_bytes_max);
        sql_value_append(&text, stmt, column);
        json_string_append(out, buf_span(&text));
        buf_inherit(out, &text);
        buf_release(&text);
    }
    }
}

static bool flush_out(struct sql_session *s)
{
    size_t put = fwrite(buf_cstr(&s->out), 1, s->out.len, s->cli->out);
    bool ok = put == s->out.len && buf_ok(&s->out);
    s->no_memory = s->no_memory || s->out.no_memory;
    buf_reset(&s->out);
    return ok;
}

/* --- tables -------------------------------------------------------------------------------------
 */

struct table_text {
    struct buf cells; /* the sample's cells, back to back, as they are shown */
    struct buf value;
    size_t ends[sample_rows_max * table_columns_max];
    size_t cell_count;
    size_t widths[table_columns_max]; /* characters of the longest value so far */
    int columns;
};

static size_t count_chars(struct span text)
{
    size_t count = 0;
    for (size_t i = 0; i < text.len; i++) {
        count += ((unsigned char)text.ptr[i] & 0xc0) != 0x80 ? 1 : 0;
    }
    return count;
}

/* The bytes of the first `chars` characters. */
static size_t count_bytes(struct span text, size_t chars)
{
    size_t i = 0;
    while (i < text.len && (chars > 0 || ((unsigned char)text.ptr[i] & 0xc0) == 0x80)) {
        chars -= ((unsigned char)text.ptr[i] & 0xc0) != 0x80 ? 1 : 0;
        i++;
    }
    return i;
}

/* Writes a cell cut to `cut` characters and padded to `pad` (0: not). */
static void append_cell(struct buf *out, struct span text, size_t cut, size_t pad)
{
    size_t chars = count_chars(text);
    if (chars > cut) {
        buf_append_span(out, span_first(text, count_bytes(text, cut - 1)));
        buf_append_cstr(out, "\xe2\x80\xa6"); /* an ellipsis */
        chars = cut;
    } else {
        buf_append_span(out, text);
    }
    size_t wanted = pad == 0 || pad >= chars + column_gap ? pad : chars + column_gap;
    for (; chars < wanted; chars++) {
        buf_append_byte(out, ' ');
    }
}

static bool breaks_line(char byte)
{
    return byte == '\t' || byte == '\n' || byte == '\r';
}

/* Line breaks are shown as blanks, and on a terminal what else could break the columns is escaped,
 * before the characters are counted. */
static void table_add_text(const struct sql_session *s, struct table_text *table, struct span text)
{
    char escape[PRINTABLE_ESCAPE_BYTES];
    bool escaped = s->cli->out_is_terminal && !s->cli->raw;
    while (text.len > 0) {
        size_t run = 0;
        while (run < text.len && !breaks_line(text.ptr[run])) {
            run++;
        }
        bool is_broken = run < text.len;
        struct span line = span_first(text, run);
        text = span_skip(text, run + 1);
        while (escaped && line.len > 0) {
            buf_append_span(&table->cells, printable_next(&line, PRINTABLE_LINE, escape));
        }
        buf_append_span(&table->cells, line);
        buf_append_cstr(&table->cells, is_broken ? " " : "");
    }
}

static void table_add_cell(struct table_text *table, int column)
{
    size_t start = table->cell_count > 0 ? table->ends[table->cell_count - 1] : 0;
    size_t chars =
        count_chars(span_from(buf_cstr(&table->cells) + start, table->cells.len - start));
    table->widths[column] = chars > table->widths[column] ? chars : table->widths[column];
    table->ends[table->cell_count++] = table->cells.len;
}

static size_t line_chars(const struct table_text *table, size_t cut)
{
    size_t chars = 0;
    for (int i = 0; i < table->columns; i++) {
        chars += (table->widths[i] < cut ? table->widths[i] : cut) + (i > 0 ? column_gap : 0);
    }
    return chars;
}

/* The most characters a value may have so that a row fits into a terminal's line: long values are
 * cut, short columns stay whole. */
static size_t find_cut(const struct sql_session *s, const struct table_text *table)
{
    size_t cut = 0;
    if (s->line_chars == 0 || line_chars(table, SIZE_MAX) <= s->line_chars) {
        return SIZE_MAX;
    }
    for (int i = 0; i < table->columns; i++) {
        cut = table->widths[i] > cut ? table->widths[i] : cut;
    }
    while (cut > cut_chars_min && line_chars(table, cut) > s->line_chars) {
        cut--;
    }
    return cut;
}

static bool table_flush(struct sql_session *s, struct table_text *table)
{
    size_t start = 0;
    size_t cut = find_cut(s, table);
    size_t widest = s->line_chars > 0 ? cut : column_chars_max;
    for (size_t i = 0; i < table->cell_count; i++) {
        int column = (int)(i % (size_t)table->columns);
        struct span text = span_from(buf_cstr(&table->cells) + start, table->ends[i] - start);
        bool last = column == table->columns - 1;
        size_t width = table->widths[column] < widest ? table->widths[column] : widest;
        append_cell(&s->out, text, cut, last ? 0 : width + column_gap);
        if (last) {
            buf_append_byte(&s->out, '\n');
        }
        start = table->ends[i];
    }
    table->cell_count = 0;
    buf_reset(&table->cells);
    return flush_out(s);
}

static int run_table(struct sql_session *s, sqlite3_stmt *stmt, int columns)
{
    struct table_text *table = arena_alloc(&s->cli->arena, sizeof(*table));
    if (table == NULL) {
        s->no_memory = true;
        return SQLITE_NOMEM;
    }
    buf_init(&table->cells, output_bytes_max);
    buf_init(&table->value, output_bytes_max);
    table->columns = columns;
    for (int i = 0; i < columns; i++) {
        table_add_text(s, table, span_from_cstr(sqlite3_column_name(stmt, i)));
        table_add_cell(table, i);
    }
    int step;
    bool written = true;
    while ((step = sqlite3_step(stmt)) == SQLITE_ROW) {
        for (int i = 0; i < columns; i++) {
            buf_reset(&table->value);
            sql_value_append(&table->value, stmt, i);
            buf_inherit(&table->cells, &table->value);
            table_add_text(s, table, buf_span(&table->value));
            table_add_cell(table, i);
        }
        if (table->cell_count + (size_t)columns > ARRAY_COUNT(table->ends) ||
            table->cell_count >= (size_t)columns * sample_rows_max ||
            table->cells.len >= sample_bytes_max || !buf_ok(&table->cells)) {
            written = buf_ok(&table->cells) && table_flush(s, table);
        }
        if (!written) {
            break;
        }
    }
    s->no_memory = s->no_memory || table->cells.no_memory;
    if (!written || !buf_ok(&table->cells) || !table_flush(s, table)) {
        step = SQLITE_FULL;
    }
    buf_release(&table->cells);
    buf_release(&table->value);
    return step;
}

/* --- JSON and CSV
 * --------------------------------------------------------------------------------- */

static int run_json(struct sql_session *s, sqlite3_stmt *stmt, int columns)
{
    int step;
    bool first = true;
    BUF_APPEND_LIT(&s->out, "[");
    while ((step = sqlite3_step(stmt)) == SQLITE_ROW) {
        buf_append_cstr(&s->out, first ? "\n" : ",\n");
        first = false;
        struct json_writer w = json_writer_to(&s->out);
        json_write_object(&w);
        for (int i = 0; i < columns; i++) {
            json_write_name_span(&w, span_from_cstr(sqlite3_column_name(stmt, i)));
            value_append_json(json_write_value(&w), stmt, i);
        }
        json_write_end(&w);
        if (!flush_out(s)) {
            return SQLITE_FULL;
        }
    }
    buf_append_cstr(&s->out, first ? "]\n" : "\n]\n");
    return flush_out(s) ? step : SQLITE_FULL;
}

static int run_csv(struct sql_session *s, sqlite3_stmt *stmt, int columns)
{
    struct buf cell;
    int step = SQLITE_ROW;
    buf_init(&cell, output_bytes_max);
    for (int i = 0; i < columns; i++) {
        buf_append_cstr(&s->out, i > 0 ? "," : "");
        csv_append_field(&s->out, span_from_cstr(sqlite3_column_name(stmt, i)), false);
    }
    BUF_APPEND_LIT(&s->out, "\r\n");
    while (flush_out(s) && (step = sqlite3_step(stmt)) == SQLITE_ROW) {
        for (int i = 0; i < columns; i++) {
            buf_reset(&cell);
            sql_value_append(&cell, stmt, i);
            buf_append_cstr(&s->out, i > 0 ? "," : "");
            csv_append_field(&s->out, buf_span(&cell), sqlite3_column_type(stmt, i) == SQLITE_NULL);
            buf_inherit(&s->out, &cell);
        }
        BUF_APPEND_LIT(&s->out, "\r\n");
    }
    buf_release(&cell);
    return step == SQLITE_ROW ? SQLITE_FULL : step;
}

/* --- the session
 * ---------------------------------------------------------------------------------- */

static int past_deadline(void *ctx)
{
    struct sql_session *s = ctx;
    return cli_interrupted() || s->cli->env.monotonic_us(&s->cli->env) > s->deadline_us;
}

/* Statements only read: none may attach another file or change anything. */
static int authorize(void *ctx, int action, const char *a, const char *b, const char *c,
                     const char *d)
{
    (void)ctx;
    (void)a;
    (void)b;
    (void)c;
    (void)d;
    return action == SQLITE_ATTACH || action == SQLITE_DETACH ? SQLITE_DENY : SQLITE_OK;
}

static enum status attach_schema(struct sql_session *s, const char *schema, struct error *err)
{
    char path[path_bytes_max];
    struct buf uri;
    sqlite3_stmt *stmt = NULL;
    snprintf(path, sizeof(path), "%s/%s.db", cli_data_dir(s->cli), schema);
    if (!file_exists(path)) {
        return STATUS_OK;
    }
    buf_init(&uri, path_bytes_max * 4);
    BUF_APPEND_LIT(&uri, "file:");
    for (const char *p = path; *p != '\0'; p++) {
        if (*p == '%' || *p == '?' || *p == '#') {
            buf_printf(&uri, "%%%02X", (unsigned)(unsigned char)*p);
        } else {
            buf_append_byte(&uri, *p);
        }
    }
    BUF_APPEND_LIT(&uri, "?mode=ro");
    enum status status = STATUS_OK;
    if (!buf_ok(&uri)) {
        status = buf_error(&uri, err, STATUS_LIMIT, "%s: the path is too long", path);
    } else if (sqlite3_prepare_v2(s->db.handle, "ATTACH ?1 AS ?2", -1, &stmt, NULL) != SQLITE_OK ||
               sqlite3_bind_text(stmt, 1, buf_cstr(&uri), -1, SQLITE_STATIC) != SQLITE_OK ||
               sqlite3_bind_text(stmt, 2, schema, -1, SQLITE_STATIC) != SQLITE_OK ||
               sqlite3_step(stmt) != SQLITE_DONE) {
        status = sqlite_db_error(&s->db, "open it to read", err);
        error_prefix(err, "%s", path);
    }
    sqlite3_finalize(stmt);
    buf_release(&uri);
    return status;
}

/* record_headers_text(headers): Kafka's bytes as the JSON that the REST proxy's v3 API takes. Other
 * values stay as they are: a file of 0.2.0 that no server has opened since has the JSON itself. */
static void sql_headers_text(sqlite3_context *context, int count, sqlite3_value **values)
{
    struct buf text;
    const char *bytes = sqlite3_value_blob(values[0]);
    size_t len = bytes != NULL ? (size_t)sqlite3_value_bytes(values[0]) : 0;
    (void)count;
    buf_init(&text, value_bytes_max);
    if (len > 0 && record_headers_to_text(span_from(bytes, len), &text)) {
        sqlite3_result_text64(context, text.ptr, text.len, SQLITE_TRANSIENT, SQLITE_UTF8);
    } else if (text.no_memory) {
        sqlite3_result_error_nomem(context);
    } else {
        sqlite3_result_value(context, values[0]);
    }
    buf_release(&text);
}

/* The table of records with its headers as text, in front of the table itself. */
static enum status sql_show_headers(struct sql_session *s, struct error *err)
{
    int flags = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS;
    if (sqlite3_create_function_v2(s->db.handle, "record_headers_text", 1, flags, NULL,
                                   sql_headers_text, NULL, NULL, NULL) != SQLITE_OK) {
        return sqlite_db_error(&s->db, "prepare the headers", err);
    }
    return sqlite_db_exec(&s->db,
                          "CREATE TEMP VIEW record AS SELECT id, tp, offset, timestamp, key, "
                          "value, record_headers_text(headers) AS headers FROM state.record",
                          err);
}

static enum status sql_session_open(struct sql_session *s, struct error *err)
{
    const struct sqlite_db_options options = {
        .path = ":memory:", .create = true, .busy_timeout_ms = 2000, .uri = true};
    enum status status = sqlite_db_open(&s->db, &options, err);
    for (size_t i = 0; i < ARRAY_COUNT(schemas) && status == STATUS_OK; i++) {
        status = attach_schema(s, schemas[i], err);
    }
    if (status == STATUS_OK && sqlite3_db_filename(s->db.handle, "state") != NULL) {
        status = sql_show_headers(s, err);
    }
    if (status == STATUS_OK) {
        sqlite3_limit(s->db.handle, SQLITE_LIMIT_LENGTH, value_bytes_max);
        sqlite3_set_authorizer(s->db.handle, authorize, NULL);
        sqlite3_progress_handler(s->db.handle, progress_steps, past_deadline, s);
    }
    return status;
}

static enum status explain_failure(struct sql_session *s, struct error *err)
{
    const char *words = sqlite3_errmsg(s->db.handle);
    if (sqlite3_errcode(s->db.handle) == SQLITE_INTERRUPT) {
        return cli_interrupted()
                   ? error_set(err, STATUS_INTERRUPTED, "stopped")
                   : error_set(err, STATUS_LIMIT, "the statement took longer than --timeout %s ms",
                               cli_text(s->cli, "timeout"));
    }
    if (sqlite3_errcode(s->db.handle) == SQLITE_NOMEM) {
        return error_no_memory(err);
    }
    if (strncmp(words, "no such table", 13) == 0) {
        return error_set(
            err, STATUS_INVALID,
            "%s in %s. Views: topics, records, group_offsets, objects, connectors (a server has "
            "run there), rows_posted (an emulator has), requests (the journal); tables of "
            "rds.db: pinterest_data, geolocation_data, user_data",
            words, cli_data_dir(s->cli));
    }
    if (sqlite3_errcode(s->db.handle) == SQLITE_CORRUPT ||
        sqlite3_errcode(s->db.handle) == SQLITE_IOERR) {
        return error_set(err, STATUS_CORRUPT,
                         "%s: state.db, rds.db, ledger.db or journal.db in %s cannot be read",
                         words, cli_data_dir(s->cli));
    }
    if (sqlite3_errcode(s->db.handle) == SQLITE_AUTH) {
        return error_set(err, STATUS_USAGE, "%s: only the files of --data can be read here", words);
    }
    return error_set(err, STATUS_INVALID, "%s", words);
}

static enum status run_statement(struct sql_session *s, sqlite3_stmt *stmt, struct error *err)
{
    int columns = sqlite3_column_count(stmt);
    if (!sqlite3_stmt_readonly(stmt) || columns == 0) {
        return error_set(err, STATUS_USAGE,
                         "only reading is possible here: write a SELECT (the files are SQLite; "
                         "stop the server to change them with a tool of your own)");
    }
    if (s->format == FORMAT_TABLE && columns > table_columns_max) {
        return error_set(err, STATUS_LIMIT, "more than %d columns: use --json or --csv",
                         table_columns_max);
    }
    int step = s->format == FORMAT_JSON  ? run_json(s, stmt, columns)
               : s->format == FORMAT_CSV ? run_csv(s, stmt, columns)
                                         : run_table(s, stmt, columns);
    if (step == SQLITE_DONE) {
        return STATUS_OK;
    }
    if (s->no_memory) {
        return error_no_memory(err);
    }
    return step == SQLITE_FULL ? error_set(err, STATUS_IO, "the result could not be written")
                               : explain_failure(s, err);
}

static enum status run_script(struct sql_session *s, const char *sql, struct error *err)
{
    enum status status = STATUS_OK;
    size_t statements = 0;
    while (status == STATUS_OK && *sql != '\0') {
        sqlite3_stmt *stmt = NULL;
        if (sqlite3_prepare_v2(s->db.handle, sql, -1, &stmt, &sql) != SQLITE_OK) {
            return explain_failure(s, err);
        }
        if (stmt == NULL) { /* only a comment or blanks were left */
            break;
        }
        /* A second result would be a second document, or a second header. */
        status = statements++ > 0 && s->format != FORMAT_TABLE
                     ? error_set(err, STATUS_USAGE, "one statement at a time with --json or --csv")
                     : run_statement(s, stmt, err);
        sqlite3_finalize(stmt);
    }
    return status == STATUS_OK && statements == 0
               ? error_set(err, STATUS_USAGE, "there is no statement in that text")
               : status;
}

/* A statement that looks as if it was about the requests waits for the latest of them. */
static void await_journal(struct sql_session *s, const char *sql)
{
    if (strstr(sql, "request") != NULL || strstr(sql, "journal") != NULL) {
        cli_await_journal(s->cli);
    }
}

static int sql_run(struct cli *cli)
{
    struct error err = ERROR_NONE;
    struct sql_session s = {.cli = cli};
    if (cli_switch(cli, "json") && cli_switch(cli, "csv")) {
        return cli_usage(cli, "--json or --csv, not both");
    }
    if (!file_exists(cli_data_dir(cli))) {
        error_set(&err, STATUS_CONFIG,
                  "%s: there is no such directory; run `pinpipe demo` or `pinpipe serve` first, or "
                  "name another with --data",
                  cli_data_dir(cli));
        return cli_report(cli, &err);
    }
    s.format = cli_switch(cli, "json")  ? FORMAT_JSON
               : cli_switch(cli, "csv") ? FORMAT_CSV
                                        : FORMAT_TABLE;
    s.line_chars =
        cli->out_is_terminal && !cli_switch(cli, "full") ? cli_terminal_columns(STDOUT_FILENO) : 0;
    s.deadline_us = cli->env.monotonic_us(&cli->env) + cli_count(cli, "timeout") * 1000;
    buf_init(&s.out, output_bytes_max);
    cli_watch_signals();
    await_journal(&s, cli->args[0]);
    enum status status = sql_session_open(&s, &err);
    if (status == STATUS_OK) {
        status = run_script(&s, cli->args[0], &err);
    }
    sqlite_db_close(&s.db);
    buf_release(&s.out);
    return status == STATUS_OK ? 0 : cli_report(cli, &err);
}

static const struct option_spec options[] = {
    {"json", OPTION_SWITCH, NULL, NULL, NULL, "one JSON array of objects"},
    {"csv", OPTION_SWITCH, NULL, NULL, NULL, "CSV (RFC 4180) with a header"},
    {"full", OPTION_SWITCH, NULL, NULL, NULL,
     "whole values on a terminal too (a pipe or a file always gets them)"},
    {"timeout", OPTION_COUNT, "MS", "30000", NULL, "give up after this long"},
};

const struct command cmd_sql = {
    .name = "sql",
    .summary = "Ask the state anything, read-only, while the server runs",
    .arguments = "\"SELECT ...\"",
    .options = options,
    .option_count = ARRAY_COUNT(options),
    .example = "pinpipe sql \"SELECT topic, count(*) FROM records GROUP BY topic\"",
    .args_min = 1,
    .args_max = 1,
    .run = sql_run,
};
