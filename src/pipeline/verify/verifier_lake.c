/* Findings are counted when everything is read: a line that looks like an alteration may turn out
 * to stand before the line that it seemed to be. */
#include "verifier_lake.h"

#include "hash.h"
#include "table.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* --- the notes ------------------------------------------------------------------------------- */

static const char schema_sql[] =
    "CREATE TABLE record (topic, partition, offset, h1, h2, state, tbl, row, post, run, triple,"
    " detail, field, PRIMARY KEY (topic, partition, offset)) WITHOUT ROWID;"
    "CREATE TABLE object (topic, partition, start, next, key,"
    " PRIMARY KEY (topic, partition, start)) WITHOUT ROWID;"
    "CREATE TABLE stray (id INTEGER PRIMARY KEY, topic, partition, offset, kind, detail);"
    "CREATE INDEX beyond ON stray (topic, partition) WHERE kind = -1;"
    "BEGIN";

#define PLACE "topic = ?1 AND partition = ?2 AND offset"

static const char *const sql[LAKE_SQL_COUNT] = {
    [LAKE_SQL_ADD] = "INSERT OR IGNORE INTO record (topic, partition, offset, h1, h2, state, tbl,"
                     " row, post, run, triple) VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11)",
    [LAKE_SQL_AT] =
        "SELECT offset, h1, h2, state, tbl, row, run, detail FROM record WHERE " PLACE " = ?3",
    [LAKE_SQL_NEXT] = "SELECT offset, h1, h2, state, tbl, row, run, detail FROM record WHERE " PLACE
                      " >= ?3 AND state <> 3 ORDER BY offset LIMIT 1",
    [LAKE_SQL_AHEAD] = "SELECT offset, state, detail FROM record WHERE " PLACE " > ?3 AND offset <="
                       " ?4 AND h1 = ?5 AND h2 = ?6 AND state IN (0, 2) ORDER BY offset LIMIT 1",
    [LAKE_SQL_BEHIND] =
        "SELECT offset, state, detail FROM record WHERE " PLACE " < ?3 AND offset >= ?4"
        " AND h1 = ?5 AND h2 = ?6 AND state IN (0, 2) ORDER BY offset LIMIT 1",
    [LAKE_SQL_MARK] = "UPDATE record SET state = ?4, detail = ?5, field = ?6 WHERE " PLACE " = ?3",
    [LAKE_SQL_STRAY] = "INSERT INTO stray (topic, partition, offset, kind, detail)"
                       " VALUES (?1,?2,?3,?4,?5)",
    [LAKE_SQL_BEYOND] = "SELECT topic, partition FROM stray WHERE kind = -1"
                        " ORDER BY topic, partition LIMIT 1",
    [LAKE_SQL_SETTLE] = "UPDATE stray SET kind = CASE WHEN offset < ?3 THEN NULL ELSE ?4 END"
                        " WHERE kind = -1 AND topic = ?1 AND partition = ?2",
    [LAKE_SQL_OBJECT] = "INSERT INTO object VALUES (?1,?2,?3,?4,?5) ON CONFLICT DO UPDATE SET"
                        " next = max(next, excluded.next)",
    [LAKE_SQL_COUNT_STATE] = "SELECT count(*) FROM record WHERE state IN (?4, ?5)",
    [LAKE_SQL_FIRST_STATE] =
        "SELECT topic, partition, offset, tbl, row, post, run, triple, detail, field, state"
        " FROM record WHERE state IN (?4, ?5) ORDER BY topic, partition, offset LIMIT 1",
    [LAKE_SQL_COUNT_STRAY] = "SELECT count(*) FROM stray WHERE kind = ?4",
    [LAKE_SQL_FIRST_STRAY] = "SELECT topic, partition, offset, detail FROM stray WHERE kind = ?4"
                             " ORDER BY topic, partition, offset, id LIMIT 1",
    /* The records behind the last one that landed, where fewer wait than a file takes. */
    [LAKE_SQL_WAITING] =
        "UPDATE record SET state = 5 WHERE state = 0 AND topic = ?1 AND partition IN"
        " (SELECT partition FROM record WHERE topic = ?1 GROUP BY partition"
        "  HAVING sum(state = 0) < ?4"
        "  AND min(CASE WHEN state = 0 THEN offset END) >"
        "      ifnull(max(CASE WHEN state IN (1, 2) THEN offset END), -1))",
    [LAKE_SQL_HOLDER] = "SELECT key, next FROM object WHERE topic = ?1 AND partition = ?2"
                        " AND start <= ?3 ORDER BY start DESC LIMIT 1",
};

enum { state_waiting = 5 }; /* set by LAKE_SQL_WAITING alone */

enum status lake_open(struct verifier_lake *lake, const struct env *env, struct error *err)
{
    const struct sqlite_db_options options = {
        .path = "", .env = env, .create = true, .sync = DB_SYNC_OFF, .cache_kib = 4096};
    *lake = (struct verifier_lake){.topic_count = 0};
    json_canonical_init(&lake->canonical, LAKE_LINE_BYTES_MAX);
    buf_init(&lake->line, LAKE_LINE_BYTES_MAX);
    buf_init(&lake->unpacked, LAKE_LINE_BYTES_MAX);
    buf_init(&lake->object.key, LAKE_TEXT_BYTES);
    enum status status = sqlite_db_open(&lake->db, &options, err);
    if (status == STATUS_OK) {
        status = sqlite_db_exec(&lake->db, schema_sql, err);
    }
    if (status == STATUS_OK) {
        status = sqlite_db_set_statements(&lake->db, sql, LAKE_SQL_COUNT, err);
    }
    return status;
}

void lake_close(struct verifier_lake *lake)
{
    if (lake->object.inflating) {
        inflateEnd(&lake->object.inflate);
        lake->object.inflating = false;
    }
    sqlite_db_close(&lake->db);
    json_canonical_release(&lake->canonical);
    buf_release(&lake->line);
    buf_release(&lake->unpacked);
    buf_release(&lake->object.key);
}

sqlite3_stmt *lake_statement(struct verifier_lake *lake, enum lake_sql id, int topic,
                             int32_t partition, int64_t offset)
{
    sqlite3_stmt *statement = sqlite_db_statement(&lake->db, id);
    if (statement != NULL) {
        sqlite3_bind_int(statement, 1, topic);
        sqlite3_bind_int(statement, 2, partition);
        sqlite3_bind_int64(statement, 3, offset);
    }
    return statement;
}

enum status lake_step(struct verifier_lake *lake, sqlite3_stmt *statement, struct error *err)
{
    if (statement == NULL || sqlite3_step(statement) != SQLITE_DONE) {
        return sqlite_db_error(&lake->db, "note what landed", err);
    }
    sqlite3_reset(statement);
    return STATUS_OK;
}

enum status lake_fingerprint(struct verifier_lake *lake, struct span value, struct hash128 *hash,
                             bool *is_json, struct error *err)
{
    *is_json = json_canonical_make(&lake->canonical, value);
    *hash = hash_content(*is_json ? buf_span(&lake->canonical.text) : value);
    return lake->canonical.text.no_memory ? error_no_memory(err) : STATUS_OK;
}

enum status lake_add_record(struct verifier_lake *lake, const struct lake_record *record,
                            struct error *err)
{
    bool is_json = true;
    bool is_null = record->value.ptr == NULL || span_equal_cstr(record->value, "null") ||
                   record->value.len == 0;
    const struct ledger_post *post = &record->post;
    struct hash128 hash = {0, 0};
    if (!is_null && lake_fingerprint(lake, record->value, &hash, &is_json, err) != STATUS_OK) {
        return STATUS_NO_MEMORY;
    }
    sqlite3_stmt *statement =
        lake_statement(lake, LAKE_SQL_ADD, record->topic, record->partition, record->offset);
    if (statement != NULL) {
        sqlite3_bind_int64(statement, 4, (int64_t)hash.high);
        sqlite3_bind_int64(statement, 5, (int64_t)hash.low);
        sqlite3_bind_int(statement, 6,
                         is_null   ? LAKE_NOT_WRITTEN
                         : is_json ? LAKE_EXPECTED
                                   : LAKE_NOT_JSON);
        sqlite3_bind_int(statement, 7, record->row_number >= 0 ? record->table : -1);
        sqlite3_bind_int64(statement, 8, record->row_number);
        sqlite3_bind_int64(statement, 9, post->id != 0 ? post->id : -1);
        sqlite3_bind_int64(statement, 10, post->id != 0 ? post->run_id : -1);
        sqlite3_bind_int64(statement, 11, post->id != 0 ? post->triple : -1);
    }
    return lake_step(lake, statement, err);
}

/* --- conclusions ----------------------------------------------------------------------------- */

static enum status count_by(struct verifier_lake *lake, enum lake_sql id, const int keys[2],
                            uint64_t *count, struct error *err)
{
    sqlite3_stmt *statement = lake_statement(lake, id, 0, 0, 0);
    if (statement == NULL) {
        return sqlite_db_error(&lake->db, "count what landed", err);
    }
    sqlite3_bind_int(statement, 4, keys[0]);
    if (sqlite3_bind_parameter_count(statement) >= 5) {
        sqlite3_bind_int(statement, 5, keys[1]);
    }
    if (sqlite3_step(statement) != SQLITE_ROW) {
        return sqlite_db_error(&lake->db, "count what landed", err);
    }
    *count = (uint64_t)sqlite3_column_int64(statement, 0);
    sqlite3_reset(statement);
    return STATUS_OK;
}

static void name_place(const struct verifier_lake *lake, sqlite3_stmt *statement,
                       struct verdict_offender *offender)
{
    *offender = verdict_offender_none();
    verdict_set_text(offender->topic, sizeof(offender->topic),
                     span_from_cstr(lake->topic_names[sqlite3_column_int(statement, 0)]));
    offender->partition = sqlite3_column_int(statement, 1);
    offender->offset = sqlite3_column_int64(statement, 2);
}

static enum status first_record(struct verifier_lake *lake, const int states[2],
                                struct verdict_offender *offender, int *topic, struct error *err)
{
    sqlite3_stmt *statement = lake_statement(lake, LAKE_SQL_FIRST_STATE, 0, 0, 0);
    if (statement != NULL) {
        sqlite3_bind_int(statement, 4, states[0]);
        sqlite3_bind_int(statement, 5, states[1]);
    }
    if (statement == NULL || sqlite3_step(statement) != SQLITE_ROW) {
        return sqlite_db_error(&lake->db, "find what is missing", err);
    }
    name_place(lake, statement, offender);
    *topic = sqlite3_column_int(statement, 0);
    int table = sqlite3_column_int(statement, 3);
    if (table >= 0) {
        snprintf(offender->table, sizeof(offender->table), "%s",
                 table_get((enum table_id)table)->name);
        offender->row = sqlite3_column_int64(statement, 4);
        offender->ledger_id = sqlite3_column_int64(statement, 5);
        offender->run = sqlite3_column_int64(statement, 6);
        offender->triple = sqlite3_column_int64(statement, 7);
    }
    verdict_set_text(offender->detail, sizeof(offender->detail), sqlite_column_span(statement, 8));
    verdict_set_text(offender->field, sizeof(offender->field), sqlite_column_span(statement, 9));
    if (sqlite3_column_int(statement, 10) == LAKE_NOT_JSON) {
        snprintf(offender->detail, sizeof(offender->detail),
                 "the record is not JSON, which a JSON sink cannot write");
    }
    sqlite3_reset(statement);
    return STATUS_OK;
}

/* The object that should hold the record: the one whose lines reach over it, else the one that the
 * workshop's layout would make. */
static enum status name_holder(struct verifier_lake *lake, int topic,
                               const struct verdict_offender *offender, char out[LAKE_TEXT_BYTES],
                               struct error *err)
{
    sqlite3_stmt *statement =
        lake_statement(lake, LAKE_SQL_HOLDER, topic, offender->partition, offender->offset);
    int step = statement != NULL ? sqlite3_step(statement) : SQLITE_ERROR;
    if (step != SQLITE_ROW && step != SQLITE_DONE) {
        return sqlite_db_error(&lake->db, "find an object", err);
    }
    if (step == SQLITE_ROW && sqlite3_column_int64(statement, 1) > offender->offset) {
        snprintf(out, LAKE_TEXT_BYTES, "%.*s has no line of it",
                 SPAN_ARG(sqlite_column_span(statement, 0)));
    } else {
        const char *name = lake->topic_names[topic];
        snprintf(out, LAKE_TEXT_BYTES,
                 "no topics/%s/partition=%" PRId32 "/%s+%" PRId32 "+%010" PRId64 ".json", name,
                 offender->partition, name, offender->partition, offender->offset);
    }
    sqlite3_reset(statement);
    return STATUS_OK;
}

static enum status conclude_missing(struct verifier_lake *lake, const char *bucket,
                                    const struct lake_cause *cause, struct verdict *verdict,
                                    struct error *err)
{
    static const int states[2] = {LAKE_EXPECTED, LAKE_NOT_JSON};
    struct verdict_offender *first = &verdict->first[VERDICT_MISSING_IN_S3];
    uint64_t *count = &verdict->counts[VERDICT_MISSING_IN_S3];
    char holder[LAKE_TEXT_BYTES];
    char text[LAKE_TEXT_BYTES + 512];
    int topic;
    enum status status = count_by(lake, LAKE_SQL_COUNT_STATE, states, count, err);
    if (status != STATUS_OK || *count == 0) {
        return status;
    }
    status = first_record(lake, states, first, &topic, err);
    if (status == STATUS_OK && first->detail[0] == '\0') {
        status = name_holder(lake, topic, first, holder, err);
        if (status != STATUS_OK) {
            return status;
        }
        if (lake->no_bucket) {
            snprintf(text, sizeof(text), "there is no bucket %s", bucket);
        } else {
            snprintf(text, sizeof(text), "%s%s%s", holder, cause->text[0] != '\0' ? "; " : "",
                     cause->text);
        }
        verdict_set_text(first->detail, sizeof(first->detail), span_from_cstr(text));
    }
    return status;
}

static enum status conclude_states(struct verifier_lake *lake, enum verdict_kind kind, int state,
                                   struct verdict *verdict, struct error *err)
{
    const int states[2] = {state, state};
    int topic;
    enum status status = count_by(lake, LAKE_SQL_COUNT_STATE, states, &verdict->counts[kind], err);
    return status == STATUS_OK && verdict->counts[kind] > 0
               ? first_record(lake, states, &verdict->first[kind], &topic, err)
               : status;
}

static enum status conclude_strays(struct verifier_lake *lake, enum verdict_kind kind,
                                   struct verdict *verdict, struct error *err)
{
    const int keys[2] = {(int)kind, 0};
    enum status status = count_by(lake, LAKE_SQL_COUNT_STRAY, keys, &verdict->counts[kind], err);
    if (status != STATUS_OK || verdict->counts[kind] == 0) {
        return status;
    }
    struct verdict_offender *offender = &verdict->first[kind];
    sqlite3_stmt *statement = lake_statement(lake, LAKE_SQL_FIRST_STRAY, 0, 0, 0);
    if (statement == NULL || sqlite3_bind_int(statement, 4, (int)kind) != SQLITE_OK ||
        sqlite3_step(statement) != SQLITE_ROW) {
        return sqlite_db_error(&lake->db, "find a stray line", err);
    }
    name_place(lake, statement, offender);
    verdict_set_text(offender->detail, sizeof(offender->detail), sqlite_column_span(statement, 3));
    sqlite3_reset(statement);
    return STATUS_OK;
}

static enum status mark_waiting(struct verifier_lake *lake, const int64_t *flush_sizes,
                                struct error *err)
{
    enum status status = STATUS_OK;
    for (int i = 0; status == STATUS_OK && i < lake->topic_count; i++) {
        if (flush_sizes[i] > 1) {
            sqlite3_stmt *statement = lake_statement(lake, LAKE_SQL_WAITING, i, 0, 0);
            if (statement != NULL) {
                sqlite3_bind_int64(statement, 4, flush_sizes[i]);
            }
            status = lake_step(lake, statement, err);
        }
    }
    return status;
}

/* A partition with something beyond the end that was taken. */
static enum status next_beyond(struct verifier_lake *lake, int *topic, int32_t *partition,
                               bool *found, struct error *err)
{
    sqlite3_stmt *statement = sqlite_db_statement(&lake->db, LAKE_SQL_BEYOND);
    int step = statement != NULL ? sqlite3_step(statement) : SQLITE_ERROR;
    *found = step == SQLITE_ROW;
    if (step == SQLITE_ROW) {
        *topic = sqlite3_column_int(statement, 0);
        *partition = sqlite3_column_int(statement, 1);
    } else if (step != SQLITE_DONE) {
        return sqlite_db_error(&lake->db, "find what is beyond the end", err);
    }
    sqlite3_reset(statement);
    return STATUS_OK;
}

/* A sink writes what is in the topic already: what is beyond its end even now is no record's. */
static enum status settle_beyond(struct verifier_lake *lake, struct error *err)
{
    int topic;
    int32_t partition;
    int64_t end;
    bool found = false;
    enum status status = next_beyond(lake, &topic, &partition, &found, err);
    while (status == STATUS_OK && found) {
        status = lake->end_of(lake->ctx, topic, partition, &end, err);
        if (status != STATUS_OK) {
            break;
        }
        sqlite3_stmt *statement = lake_statement(lake, LAKE_SQL_SETTLE, topic, partition, end);
        if (statement != NULL) {
            sqlite3_bind_int(statement, 4, VERDICT_UNEXPECTED_IN_S3);
        }
        status = lake_step(lake, statement, err);
        if (status == STATUS_OK) {
            status = next_beyond(lake, &topic, &partition, &found, err);
        }
    }
    return status;
}

enum status lake_conclude(struct verifier_lake *lake, const char *bucket,
                          const struct lake_cause *cause, struct verdict *verdict,
                          struct error *err)
{
    static const enum verdict_kind strays[] = {VERDICT_UNEXPECTED_IN_S3, VERDICT_DUPLICATE_IN_S3,
                                               VERDICT_OUT_OF_ORDER_IN_S3};
    enum status status = mark_waiting(lake, cause->flush_sizes, err);
    if (status == STATUS_OK) {
        status = settle_beyond(lake, err);
    }
    if (status == STATUS_OK) {
        status = conclude_missing(lake, bucket, cause, verdict, err);
    }
    if (status == STATUS_OK) {
        status = conclude_states(lake, VERDICT_ALTERED_IN_S3, LAKE_ALTERED, verdict, err);
    }
    if (status == STATUS_OK) {
        status = conclude_states(lake, VERDICT_WAITING_FOR_S3, state_waiting, verdict, err);
    }
    for (size_t i = 0; status == STATUS_OK && i < ARRAY_COUNT(strays); i++) {
        status = conclude_strays(lake, strays[i], verdict, err);
    }
    verdict->objects = lake->objects;
    verdict->lines = lake->lines;
    return status;
}
