#include "emulator_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* --- rows ---------------------------------------------------------------------------------- */

static enum status rows_fetch(struct row_source *source, enum table_id table, int64_t row_number,
                              struct row *row, struct error *err)
{
    struct fake_rows *rows = PP_CONTAINER_OF(source, struct fake_rows, base);
    if (row_number >= rows->counts[table]) {
        return error_set(err, STATUS_NOT_FOUND, "no such row");
    }
    *row = (struct row){.table = table_get(table)};
    for (size_t i = 0; i < row->table->column_count; i++) {
        row->values[i].integer = row_number;
        row->values[i].text = SPAN_LIT("2020-01-02 03:04:05");
    }
    return STATUS_OK;
}

static enum status rows_count(struct row_source *source, enum table_id table, int64_t *count,
                              struct error *err)
{
    (void)err;
    *count = PP_CONTAINER_OF(source, struct fake_rows, base)->counts[table];
    return STATUS_OK;
}

static const struct row_source_ops fake_rows_ops = {.fetch = rows_fetch, .count = rows_count};

/* --- poster -------------------------------------------------------------------------------- */

static struct emulator_world *world_of(struct poster *poster)
{
    return PP_CONTAINER_OF(poster, struct emulator_world, poster);
}

static const char *fake_target(const struct poster *poster, enum table_id table)
{
    static const char *const names[] = {"u.pin", "u.geo", "u.user"};
    (void)poster;
    return names[table];
}

static enum status fake_identify(struct poster *poster, char out[POSTER_CLUSTER_ID_BYTES_MAX],
                                 struct error *err)
{
    struct emulator_world *f = world_of(poster);
    if (f->identify_busy-- > 0) {
        return error_set(err, STATUS_BUSY, "HTTP 502");
    }
    if (f->identify_status != STATUS_OK) {
        return error_set(err, f->identify_status, "nobody is there");
    }
    snprintf(out, POSTER_CLUSTER_ID_BYTES_MAX, "%s", f->cluster_id);
    return STATUS_OK;
}

int64_t emulator_world_ask(struct emulator_world *f, const char *sql)
{
    sqlite3_stmt *stmt = NULL;
    char path[128];
    snprintf(path, sizeof(path), "%s/ledger.db", f->dir);
    if (f->watcher == NULL) {
        assert_int_equal(sqlite3_open_v2(path, &f->watcher, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    }
    assert_int_equal(sqlite3_prepare_v2(f->watcher, sql, -1, &stmt, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
    int64_t value = sqlite3_column_int64(stmt, 0);
    sqlite3_finalize(stmt);
    return value;
}

static int64_t row_of_value(struct span value)
{
    const char *colon = memchr(value.ptr, ':', value.len);
    assert_non_null(colon);
    return strtoll(colon + 1, NULL, 10);
}

static bool intent_is_durable(struct emulator_world *f, enum table_id table, int64_t row)
{
    char sql[160];
    if (f->do_not_watch) {
        return true;
    }
    snprintf(sql, sizeof(sql),
             "SELECT count(*) FROM post WHERE tbl = %d AND row_number = %lld AND state = 0",
             (int)table, (long long)row);
    return emulator_world_ask(f, sql) > 0;
}

enum status emulator_world_send(struct poster *poster, size_t slot, enum table_id table,
                                struct span value, struct error *err)
{
    struct emulator_world *f = world_of(poster);
    (void)err;
    assert_true(slot < WORLD_SLOTS_MAX && !f->slots[slot].busy);
    assert_true(f->post_count < WORLD_POSTS_MAX);
    int64_t row = row_of_value(value);
    f->slots[slot] = (struct fake_slot){true, table, row, f->env.virtual_us + f->latency_us};
    f->posts[f->post_count++] =
        (struct fake_post){table, row, f->env.virtual_us, intent_is_durable(f, table, row)};
    f->in_flight++;
    f->in_flight_most = f->in_flight > f->in_flight_most ? f->in_flight : f->in_flight_most;
    return STATUS_OK;
}

static int64_t sends_before(const struct emulator_world *f, enum table_id table, int64_t row)
{
    int64_t n = -1;
    for (size_t i = 0; i < f->post_count; i++) {
        n += f->posts[i].table == table && f->posts[i].row == row;
    }
    return n;
}

static enum status fake_run(struct poster *poster, int timeout_ms, struct error *err)
{
    struct emulator_world *f = world_of(poster);
    int64_t until_us = f->env.virtual_us + (int64_t)timeout_ms * 1000;
    int64_t next_us = until_us;
    (void)err;
    for (size_t i = 0; i < WORLD_SLOTS_MAX && !f->never_answers; i++) {
        if (f->slots[i].busy && f->slots[i].answer_us < next_us) {
            next_us = f->slots[i].answer_us;
        }
    }
    if (next_us > f->env.virtual_us) {
        env_advance(&f->env, next_us - f->env.virtual_us);
    }
    for (size_t i = 0; i < WORLD_SLOTS_MAX && !f->never_answers; i++) {
        struct fake_slot *slot = &f->slots[i];
        if (slot->busy && slot->answer_us <= f->env.virtual_us) {
            struct post_outcome outcome = {.result = POST_ACKED};
            slot->busy = false;
            f->in_flight--;
            if (f->script != NULL) {
                f->script(f, slot->table, slot->row, sends_before(f, slot->table, slot->row),
                          &outcome);
            }
            outcome.offset = outcome.result == POST_ACKED ? f->offsets[slot->table]++ : 0;
            poster->done(poster->ctx, i, &outcome);
        }
    }
    return STATUS_OK;
}

static void fake_cancel(struct poster *poster, size_t slot)
{
    struct emulator_world *f = world_of(poster);
    assert_true(f->slots[slot].busy);
    f->slots[slot].busy = false;
    f->in_flight--;
}

static void fake_free(struct poster *poster)
{
    (void)poster;
    fail_msg("a borrowed poster was freed");
}

static const struct poster_ops fake_poster_ops = {
    .target = fake_target,
    .identify = fake_identify,
    .send = emulator_world_send,
    .run = fake_run,
    .cancel = fake_cancel,
    .free = fake_free,
};

/* --- fixture ------------------------------------------------------------------------------- */

static void keep_note(void *ctx, const char *text)
{
    struct emulator_world *f = ctx;
    size_t used = strlen(f->notes);
    snprintf(f->notes + used, sizeof(f->notes) - used, "%s\n", text);
}

static bool stop_when_told(void *ctx)
{
    struct emulator_world *f = ctx;
    return f->stop_after_posts > 0 && f->post_count >= f->stop_after_posts;
}

static void no_update(void *ctx, const char *what, uint64_t done, uint64_t total)
{
    (void)ctx;
    (void)what;
    assert_true(total == 0 || done <= total);
}

int emulator_world_set_up(void **state)
{
    struct emulator_world *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    env_init_virtual(&f->env, 1, INT64_C(1700000000000000));
    snprintf(f->dir, sizeof(f->dir), "/tmp/pinpipe-emulator-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    f->endpoints = (struct endpoints){.invoke_url = "http://127.0.0.1:1/test", .user_id = "u"};
    f->rows.base.ops = &fake_rows_ops;
    f->poster.ops = &fake_poster_ops;
    f->cluster_id = "cluster-one";
    f->latency_us = WORLD_LATENCY_US;
    for (size_t t = 0; t < TABLE_COUNT; t++) {
        f->rows.counts[t] = 20000;
    }
    f->progress = (struct progress){no_update, stop_when_told, f};
    emulator_options_init(&f->options);
    f->options.env = &f->env;
    f->options.data_dir = f->dir;
    f->options.endpoints = &f->endpoints;
    f->options.order = ROW_ORDER_SEQUENTIAL;
    f->options.rows = 10;
    f->options.rows_from = &f->rows.base;
    f->options.poster = &f->poster;
    f->options.progress = &f->progress;
    f->options.note = keep_note;
    f->options.note_ctx = f;
    *state = f;
    return 0;
}

void emulator_world_forget_ledger(struct emulator_world *f)
{
    static const char *const suffixes[] = {"", "-wal", "-shm", "-journal"};
    char path[128];
    sqlite3_close(f->watcher);
    f->watcher = NULL;
    for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
        snprintf(path, sizeof(path), "%s/ledger.db%s", f->dir, suffixes[i]);
        unlink(path);
    }
}

int emulator_world_tear_down(void **state)
{
    struct emulator_world *f = *state;
    emulator_world_forget_ledger(f);
    rmdir(f->dir);
    free(f);
    return 0;
}

void emulator_world_run(struct emulator_world *f)
{
    if (emulator_run(&f->options, &f->summary, &f->err) != STATUS_OK) {
        fail_msg("%s", f->err.message);
    }
}

const struct poster_ops *emulator_world_poster_ops(void)
{
    return &fake_poster_ops;
}
