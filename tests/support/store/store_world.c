#include "store_world.h"

#include "sqlite_db.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

void kept_open(struct store_world *f, const char *directory)
{
    struct store_options options = {
        .directory = directory, .env = &f->env, .durability = f->durability};
    f->err = ERROR_NONE;
    enum status status = store_open(&options, &f->store, &f->err);
    if (status != STATUS_OK) {
        fail_msg("store_open: %s", f->err.message);
    }
}

void kept_reopen(struct store_world *f)
{
    store_close(f->store);
    kept_open(f, f->dir.path);
}

int kept_setup_file(void **state)
{
    struct store_world *f = calloc(1, sizeof(*f));
    temp_dir_make(&f->dir);
    env_init_virtual(&f->env, 7, INT64_C(1700000000000000));
    kept_open(f, f->dir.path);
    *state = f;
    return 0;
}

void kept_close(struct store_world *f)
{
    store_close(f->store);
    f->store = NULL;
}

int kept_setup_memory(void **state)
{
    struct store_world *f = calloc(1, sizeof(*f));
    temp_dir_make(&f->dir);
    env_init_virtual(&f->env, 7, INT64_C(1700000000000000));
    kept_open(f, NULL);
    *state = f;
    return 0;
}

int kept_teardown(void **state)
{
    struct store_world *f = *state;
    store_close(f->store);
    temp_dir_remove(&f->dir);
    free(f);
    return 0;
}

void kept_commit(struct store_world *f)
{
    assert_int_equal(store_turn_commit(f->store, &f->err), STATUS_OK);
}

const struct store_topic *kept_make_topic(struct store_world *f, const char *name,
                                          int32_t partitions)
{
    assert_int_equal(store_topic_create(f->store,
                                        &(struct store_topic_spec){.name = span_from_cstr(name),
                                                                   .partition_count = partitions},
                                        &f->err),
                     STATUS_OK);
    return store_topic_find(f->store, span_from_cstr(name));
}

int64_t kept_append_at(struct store_world *f, const struct store_topic *topic, int32_t partition,
                       const char *value, int64_t timestamp_ms)
{
    int64_t offset = -1;
    struct store_record record = {
        .timestamp_ms = timestamp_ms, .has_value = true, .value = span_from_cstr(value)};
    assert_int_equal(store_record_append(f->store, (struct store_place){topic, partition}, &record,
                                         &offset, &f->err),
                     STATUS_OK);
    return offset;
}

int64_t kept_append(struct store_world *f, const struct store_topic *topic, int32_t partition,
                    const char *value)
{
    return kept_append_at(f, topic, partition, value, 1000);
}

bool kept_see(void *ctx, const struct store_record *record)
{
    struct kept_seen *seen = ctx;
    size_t used = strlen(seen->text);
    seen->last = *record;
    seen->count++;
    snprintf(seen->text + used, sizeof(seen->text) - used, "%lld:%.*s ", (long long)record->offset,
             SPAN_ARG(record->value));
    return seen->count != seen->stop_after;
}

const char *kept_read_all(struct store_world *f, const char *name, int32_t partition, int64_t from,
                          int64_t limit)
{
    static struct kept_seen seen;
    seen = (struct kept_seen){0};
    const struct store_topic *topic = store_topic_find(f->store, span_from_cstr(name));
    assert_non_null(topic);
    assert_int_equal(store_records_read(f->store,
                                        (struct store_range){topic, partition, from, limit},
                                        kept_see, &seen, &f->err),
                     STATUS_OK);
    return seen.text;
}

int64_t kept_query(struct store_world *f, const char *sql)
{
    struct sqlite_db db;
    char path[512];
    int64_t value = -1;
    temp_dir_path(&f->dir, "state.db", path, sizeof(path));
    struct sqlite_db_options options = {.path = path, .env = &f->env, .read_only = true};
    if (sqlite_db_open(&db, &options, &f->err) != STATUS_OK ||
        sqlite_db_query_i64(&db, sql, &value, &f->err) != STATUS_OK) {
        fail_msg("%s: %s", sql, f->err.message);
    }
    sqlite_db_close(&db);
    return value;
}
