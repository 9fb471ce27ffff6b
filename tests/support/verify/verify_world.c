#include "verify_world.h"

#include "base64.h"
#include "hash.h"
#include "sqlite_db.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char *const topic_names[TABLE_COUNT] = {"u1.pin", "u1.geo", "u1.user"};

/* --- tables ---------------------------------------------------------------------------------- */

static enum status rows_fetch(struct row_source *source, enum table_id table, int64_t row_number,
                              struct row *row, struct error *err)
{
    struct world *w = PP_CONTAINER_OF(source, struct world, rows);
    /* Long-lived per column: the verifier reads them before the next fetch. */
    static char texts[TABLE_COLUMNS_MAX][64];
    if (row_number < 0 || row_number >= WORLD_ROWS) {
        return error_set(err, STATUS_NOT_FOUND, "no such row");
    }
    *row = (struct row){.table = table_get(table)};
    for (size_t i = 0; i < row->table->column_count; i++) {
        struct row_value *value = &row->values[i];
        snprintf(texts[i], sizeof(texts[i]), "%s \"%lld\"", row->table->columns[i].name,
                 (long long)row_number);
        if (table == TABLE_PIN && row_number == 3 &&
            strcmp(row->table->columns[i].name, "title") == 0) {
            snprintf(texts[i], sizeof(texts[i]), "%s", w->title_of_row_3);
        }
        value->integer = i == 0 ? row_number : 40 + row_number;
        value->real = (double)row_number + 0.25;
        value->text = span_from_cstr(
            row->table->columns[i].type == COLUMN_DATETIME ? "2021-02-05 19:14:42" : texts[i]);
    }
    return STATUS_OK;
}

static enum status rows_count(struct row_source *source, enum table_id table, int64_t *rows,
                              struct error *err)
{
    (void)source;
    (void)table;
    (void)err;
    *rows = WORLD_ROWS;
    return STATUS_OK;
}

static void no_free_rows(struct row_source *source)
{
    (void)source;
}

static const struct row_source_ops rows_ops = {
    .fetch = rows_fetch, .count = rows_count, .free = no_free_rows};

/* --- topics ---------------------------------------------------------------------------------- */

static struct world *of_reader(struct topic_reader *reader)
{
    return PP_CONTAINER_OF(reader, struct world, reader);
}

static const struct world_topic *topic_find(const struct world *w, const char *name)
{
    for (size_t i = 0; i < WORLD_TOPICS; i++) {
        if (w->topics[i].name != NULL && strcmp(w->topics[i].name, name) == 0) {
            return &w->topics[i];
        }
    }
    return NULL;
}

static enum status reader_cluster_id(struct topic_reader *reader, char *out, size_t out_bytes,
                                     struct error *err)
{
    struct world *w = of_reader(reader);
    if (w->cluster_id == NULL) {
        return error_set(err, STATUS_NOT_FOUND, "no v3 here");
    }
    snprintf(out, out_bytes, "%s", w->cluster_id);
    return STATUS_OK;
}

static enum status reader_partitions(struct topic_reader *reader, const char *topic, int32_t *count,
                                     struct error *err)
{
    const struct world_topic *found = topic_find(of_reader(reader), topic);
    if (found == NULL) {
        return error_set(err, STATUS_NOT_FOUND, "no topic %s", topic);
    }
    *count = found->partitions;
    return STATUS_OK;
}

static enum status reader_range(struct topic_reader *reader, const char *topic, int32_t partition,
                                struct topic_range *range, struct error *err)
{
    struct world *w = of_reader(reader);
    const struct world_partition *p = &topic_find(w, topic)->partition[partition];
    (void)err;
    *range = (struct topic_range){p->begin, p->count};
    if (w->meanwhile != NULL && strcmp(topic, w->meanwhile_topic) == 0) {
        void (*meanwhile)(struct world *) = w->meanwhile;
        w->meanwhile = NULL;
        meanwhile(w);
    }
    return STATUS_OK;
}

static enum status reader_since(struct topic_reader *reader, const char *topic, int32_t partition,
                                int64_t time_ms, struct topic_range *range, struct error *err)
{
    const struct world_partition *p = &topic_find(of_reader(reader), topic)->partition[partition];
    (void)err;
    while (range->begin < range->end && p->records[range->begin].time_ms < time_ms) {
        range->begin++;
    }
    return STATUS_OK;
}

static enum status reader_start(struct topic_reader *reader, const char *topic, int32_t partition,
                                struct topic_range range, struct error *err)
{
    struct world *w = of_reader(reader);
    (void)err;
    w->reading_topic = topic_find(w, topic);
    w->reading = &w->reading_topic->partition[partition];
    w->reading_partition = partition;
    w->next_offset = range.begin;
    return STATUS_OK;
}

static void append_record(struct world *w, int64_t offset)
{
    const char *value = w->reading->records[offset].value;
    buf_printf(&w->page, "%s{\"topic\":\"%s\",\"key\":%s,\"value\":", w->page.len > 1 ? "," : "",
               w->reading_topic->name, w->reading->records[offset].keyed ? "\"k\"" : "null");
    if (w->encoded) {
        buf_append_byte(&w->page, '"');
        base64_encode(span_from_cstr(value), &w->page);
        buf_append_byte(&w->page, '"');
    } else {
        buf_append_cstr(&w->page, value);
    }
    buf_printf(&w->page, ",\"partition\":%d,\"offset\":%lld}", (int)w->reading_partition,
               (long long)offset);
}

static enum status reader_page(struct topic_reader *reader, struct topic_page *page,
                               struct error *err)
{
    struct world *w = of_reader(reader);
    int64_t taken = 0;
    (void)err;
    buf_reset(&w->page);
    buf_append_byte(&w->page, '[');
    while (w->next_offset < w->reading->count && taken < w->page_records) {
        if (!w->reading->records[w->next_offset].gone) {
            append_record(w, w->next_offset);
            taken++;
        }
        w->next_offset++;
    }
    buf_append_byte(&w->page, ']');
    assert_true(buf_ok(&w->page));
    *page = (struct topic_page){w->page_override != NULL ? span_from_cstr(w->page_override)
                                                         : buf_span(&w->page),
                                w->encoded};
    return STATUS_OK;
}

static void reader_poll(struct topic_reader *reader)
{
    of_reader(reader)->polls++;
}

static void no_free_reader(struct topic_reader *reader)
{
    (void)reader;
}

static const struct topic_reader_ops reader_ops = {
    reader_cluster_id, reader_partitions, reader_range, reader_since,
    reader_start,      reader_page,       reader_poll,  no_free_reader};

/* --- the world ------------------------------------------------------------------------------- */

static void must(const struct world *w, enum status status)
{
    if (status != STATUS_OK) {
        fail_msg("%s", w->err.message);
    }
}

void world_open(struct world *w)
{
    *w = (struct world){.page_records = 7, .cluster_id = "cluster-a"};
    env_init_virtual(&w->env, 1, INT64_C(1700000000000000));
    temp_dir_make(&w->dir);
    w->reader.ops = &reader_ops;
    w->rows.ops = &rows_ops;
    snprintf(w->title_of_row_3, sizeof(w->title_of_row_3), "A title, \xc3\xa9");
    buf_init(&w->page, 1 << 20);
    for (size_t t = 0; t < WORLD_TOPICS; t++) {
        w->topics[t].name = t < TABLE_COUNT ? topic_names[t] : NULL;
        w->topics[t].partitions = 1;
        for (size_t p = 0; p < WORLD_PARTITIONS_MAX; p++) {
            w->topics[t].partition[p].records =
                calloc(WORLD_RECORDS_MAX, sizeof(struct world_record));
            assert_non_null(w->topics[t].partition[p].records);
        }
    }
    must(w, ledger_open(w->dir.path, &w->env, &w->ledger, &w->err));
    must(w, ledger_bind_cluster(w->ledger, "cluster-a", &w->err));
}

void world_close(struct world *w)
{
    ledger_close(w->ledger);
    for (size_t t = 0; t < WORLD_TOPICS; t++) {
        for (size_t p = 0; p < WORLD_PARTITIONS_MAX; p++) {
            free(w->topics[t].partition[p].records);
        }
    }
    buf_release(&w->page);
    temp_dir_remove(&w->dir);
}

void world_begin_run(struct world *w, int64_t lanes, enum datetime_style style)
{
    struct ledger_run run = {
        .user_id = "u1", .datetime = style, .lanes_per_topic = lanes, .rows_wanted = -1};
    must(w, ledger_begin_run(w->ledger, &run, &w->err));
    w->run = run.id;
    w->triples = 0;
    w->style = style;
}

void world_end_run(struct world *w)
{
    must(w, ledger_end_run(w->ledger, w->run, &w->err));
}

void world_value(struct world *w, enum table_id table, int64_t row, char out[WORLD_VALUE_BYTES])
{
    struct row fetched;
    struct buf text;
    buf_init(&text, WORLD_VALUE_BYTES - 1);
    must(w, rows_fetch(&w->rows, table, row, &fetched, &w->err));
    row_json_append(&text, &fetched, w->style);
    assert_true(buf_ok(&text));
    snprintf(out, WORLD_VALUE_BYTES, "%s", buf_cstr(&text));
    buf_release(&text);
}

int64_t world_append(struct world *w, enum table_id table, int32_t partition, const char *value)
{
    struct world_partition *p = &w->topics[table].partition[partition];
    assert_true(p->count < WORLD_RECORDS_MAX);
    snprintf(p->records[p->count].value, WORLD_VALUE_BYTES, "%s", value);
    p->records[p->count].time_ms = w->now_ms;
    return p->count++;
}

int64_t world_intend(struct world *w, enum table_id table, int64_t row)
{
    char value[WORLD_VALUE_BYTES];
    int64_t id = 0;
    world_value(w, table, row, value);
    struct ledger_intent intent = {
        .run_id = w->run,
        .triple = w->triples,
        .table = table,
        .row_number = row,
        .topic = span_from_cstr(topic_names[table]),
        .value_hash = hash_content(span_from_cstr(value)),
    };
    must(w, ledger_begin(w->ledger, &w->err));
    must(w, ledger_add_intent(w->ledger, &intent, &id, &w->err));
    must(w, ledger_commit(w->ledger, &w->err));
    return id;
}

void world_settle(struct world *w, const struct ledger_outcome *outcome)
{
    must(w, ledger_begin(w->ledger, &w->err));
    must(w, ledger_put_outcome(w->ledger, outcome, &w->err));
    must(w, ledger_commit(w->ledger, &w->err));
}

int64_t world_post(struct world *w, enum table_id table, int64_t row)
{
    char value[WORLD_VALUE_BYTES];
    int64_t id = world_intend(w, table, row);
    world_value(w, table, row, value);
    struct ledger_outcome outcome = {
        .post_id = id, .state = LEDGER_ACKED, .attempts = 1, .acked_ms = 1};
    outcome.partition = (int32_t)(row % w->topics[table].partitions);
    outcome.offset = world_append(w, table, outcome.partition, value);
    world_settle(w, &outcome);
    return id;
}

void world_post_triple(struct world *w, int64_t row)
{
    for (size_t t = 0; t < TABLE_COUNT; t++) {
        (void)world_post(w, (enum table_id)t, row);
    }
    w->triples++;
}

void world_ledger_sql(struct world *w, const char *sql)
{
    char path[300];
    sqlite3 *db = NULL;
    char *message = NULL;
    temp_dir_path(&w->dir, "ledger.db", path, sizeof(path));
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    if (sqlite3_exec(db, sql, NULL, NULL, &message) != SQLITE_OK) {
        fail_msg("%s: %s", sql, message);
    }
    sqlite3_close(db);
}

struct world_record *world_at(struct world *w, enum table_id table, int64_t offset)
{
    return &w->topics[table].partition[0].records[offset];
}

enum status world_verify(struct world *w)
{
    const struct verifier_options options = {
        .env = &w->env,
        .endpoints = {.invoke_url = "http://127.0.0.1:1/test",
                      .user_id = "u1",
                      .consumer_group = "students"},
        .data_dir = w->dir.path,
        .reader = &w->reader,
        .rows = &w->rows,
        .lake = w->lake,
        .strict = w->strict,
        .since_ms = w->since_ms,
    };
    w->err = ERROR_NONE;
    return verifier_run(&options, &w->verdict, &w->err);
}
