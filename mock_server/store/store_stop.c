/* A store that has stopped. After a sync that failed nobody can know what of the last turn is on
 * the disk, so nothing is accepted until a restart; and so that the next start can say what became
 * of it, a note beside the file tells how much had been acknowledged. */
#include "store_internal.h"

#include "buf.h"
#include "file.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { note_bytes_max = 4096 };

/* Totals of what there is, as far as it can be counted at once. */
struct totals {
    int64_t records;
    int64_t objects;
};

/* False: the objects cannot be counted. */
static bool totals_take(struct store *store, struct totals *out)
{
    *out = (struct totals){0};
    for (size_t i = 0; i < store->topic_count; i++) {
        const struct store_topic *topic = &store->topics[i]->topic;
        for (int32_t p = 0; p < topic->partition_count; p++) {
            out->records += topic->partitions[p].next_offset;
        }
    }
    sqlite3_stmt *stmt = sqlite_db_statement(&store->db, STMT_OBJECT_COUNT);
    bool counted = stmt != NULL && sqlite3_step(stmt) == SQLITE_ROW;
    if (counted) {
        out->objects = sqlite3_column_int64(stmt, 0);
    }
    sqlite3_reset(stmt);
    return counted;
}

static bool stop_note_path(const struct store *store, char *out, size_t out_bytes)
{
    int len = snprintf(out, out_bytes, "%s/state.db.stopped", store->directory);
    PP_ASSERT(len > 0 && (size_t)len < out_bytes);
    return !store->in_memory;
}

static void stop_note_write(struct store *store)
{
    char path[SQLITE_DB_PATH_BYTES_MAX + 16];
    char text[note_bytes_max];
    struct totals totals;
    struct error err = ERROR_NONE;
    if (!stop_note_path(store, path, sizeof(path)) || !totals_take(store, &totals)) {
        return;
    }
    int len = snprintf(text, sizeof(text), "%" PRId64 " records, %" PRId64 " objects\n%s\n",
                       totals.records, totals.objects, store->stop_error.message);
    PP_ASSERT(len > 0 && (size_t)len < sizeof(text));
    if (file_replace(path, span_from(text, (size_t)len), 0600, &err) != STATUS_OK) {
        LOG_WARNF(store->log, "store", "%s; the next start cannot say what was found", err.message);
    }
}

void store_stop(struct store *store, const struct error *why)
{
    PP_ASSERT(store->turn != STORE_TURN_WRITING && why->code != STATUS_OK);
    if (store->sync_failed) {
        return;
    }
    store->sync_failed = true;
    store->stop_error = *why;
    LOG_ERRORF(store->log, "store",
               "%s; nothing is accepted any more, and what was just refused may or may not be "
               "there later: check the disk, then restart",
               why->message);
    stop_note_write(store);
}

bool store_has_stopped(const struct store *store, struct error *why)
{
    PP_ASSERT(!store->sync_failed || store->stop_error.code != STATUS_OK);
    if (store->sync_failed && why != NULL) {
        error_set(why, STATUS_STOPPED,
                  "%.380s: what was acknowledged before is kept, what was refused since may or may "
                  "not be there; check the disk, then start again",
                  store->stop_error.message);
    }
    return store->sync_failed;
}

static void found_tell(struct store *store, const struct totals *then, struct span why)
{
    struct totals now;
    if (!totals_take(store, &now)) {
        return;
    }
    LOG_WARNF(store->log, "store",
              "the last run stopped: %.*s. %" PRId64 " records and %" PRId64
              " objects had been acknowledged by then, %" PRId64 " and %" PRId64
              " are there: a difference is what was refused and kept or removed all the same",
              SPAN_ARG(why), then->records, then->objects, now.records, now.objects);
}

void store_stop_tell(struct store *store)
{
    PP_ASSERT(store->turn == STORE_TURN_IDLE);
    char path[SQLITE_DB_PATH_BYTES_MAX + 16];
    struct totals then;
    struct buf text;
    if (!stop_note_path(store, path, sizeof(path)) || !file_exists(path)) {
        return;
    }
    buf_init(&text, note_bytes_max);
    if (file_read(path, &text, NULL) == STATUS_OK &&
        sscanf(buf_cstr(&text), "%" SCNd64 " records, %" SCNd64 " objects", &then.records,
               &then.objects) == 2) {
        struct span rest = buf_span(&text);
        struct span line;
        (void)span_next_part(&rest, '\n', &line);
        (void)span_next_part(&rest, '\n', &line);
        found_tell(store, &then, line);
    }
    buf_release(&text);
    unlink(path);
}
