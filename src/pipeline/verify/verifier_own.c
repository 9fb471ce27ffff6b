/* How often a row was posted is not known: it is what the middle one of its three topics has, and
 * once at least. A topic with fewer lacks some, a topic with more has copies (a retry, a script
 * that was started again). The last row of all may be on its way.
 *
 * An offset without a record is what a lost record leaves behind, and tells where it stood. */
#include "verifier_own.h"

#include "table.h"
#include "verifier_spelling.h"

#include <stdio.h>

static const char *const short_names[TABLE_COUNT] = {"pin", "geo", "user"};

/* Three steps: rows that left two or three records; the first record of a script that begins with
 * the row with which the emulator ended, so that it looks like a double; the last record of a
 * script that was stopped within a row, or is still posting. */
#define IS_LEFT "kind IS NULL AND is_row AND NOT repeats AND tbl = topic_tbl"
static const char triples_sql[] =
    "UPDATE extra SET kind = 'own' WHERE " IS_LEFT " AND row IN (SELECT row FROM extra"
    " WHERE " IS_LEFT " GROUP BY row HAVING count(DISTINCT tbl) > 1);"
    "UPDATE extra SET kind = 'own' WHERE kind IS NULL AND is_row AND repeats AND tbl = topic_tbl"
    " AND id IN (SELECT min(id) FROM extra WHERE is_row GROUP BY topic, partition)"
    " AND EXISTS (SELECT 1 FROM extra o WHERE o.topic = extra.topic AND o.kind = 'own');"
    "UPDATE extra SET kind = 'own' WHERE " IS_LEFT
    " AND id IN (SELECT max(id) FROM extra WHERE is_row GROUP BY topic, partition)"
    " AND EXISTS (SELECT 1 FROM extra o WHERE o.topic = extra.topic AND o.kind = 'own')";

static const char rest_sql[] =
    "UPDATE extra SET kind = CASE WHEN is_row THEN 'own' ELSE 'altered' END"
    " WHERE kind IS NULL AND (is_row OR is_like) AND tbl = topic_tbl";

/* Records that the ledger explains too may be the script's: they fill gaps, but are no evidence of
 * a row. */
static const char rows_sql[] =
    "INSERT INTO own_row (row, first, pin, geo, user, pin_more, geo_more, user_more)"
    " SELECT row, min(CASE WHEN mine THEN offset END), sum(mine AND tbl = 0),"
    " sum(mine AND tbl = 1), sum(mine AND tbl = 2), sum(NOT mine AND tbl = 0),"
    " sum(NOT mine AND tbl = 1), sum(NOT mine AND tbl = 2) FROM"
    " (SELECT row, tbl, offset, kind = 'own' OR kind = 'altered' AS mine FROM extra"
    "  WHERE row >= 0 AND (kind IN ('own', 'in_doubt_kept', 'resent_by_retry')"
    "  OR (kind IN ('altered', 'misrouted') AND twin IS NULL)))"
    " GROUP BY row HAVING sum(mine) > 0;"
    "UPDATE own_row SET wanted ="
    " max(1, pin + geo + user - max(pin, geo, user) - min(pin, geo, user));"
    "UPDATE own_row SET no_pin = max(0, wanted - pin - pin_more),"
    " no_geo = max(0, wanted - geo - geo_more), no_user = max(0, wanted - user - user_more);"
    "DELETE FROM hole WHERE (topic, partition, offset) IN"
    " (SELECT topic, partition, offset FROM open_post);"
    "CREATE INDEX extra_row ON extra (row, tbl);";

#define IS_SHORT "no_pin + no_geo + no_user > 0"
static const char kinds_sql[] =
    "UPDATE own_row SET kind = 'unfinished' WHERE " IS_SHORT " AND NOT EXISTS"
    " (SELECT 1 FROM (SELECT tbl, max(id) AS latest FROM extra e WHERE e.row = own_row.row"
    "   AND e.kind = 'own' GROUP BY tbl)"
    "  WHERE (SELECT CASE tbl WHEN 0 THEN no_pin WHEN 1 THEN no_geo ELSE no_user END) = 0"
    "  AND latest NOT IN (SELECT max(id) FROM extra WHERE kind = 'own' GROUP BY topic, partition))"
    " AND NOT EXISTS (SELECT 1 FROM hole WHERE (topic = 0 AND no_pin > 0)"
    "  OR (topic = 1 AND no_geo > 0) OR (topic = 2 AND no_user > 0));"
    "UPDATE own_row SET kind = 'incomplete' WHERE kind IS NULL AND " IS_SHORT;

enum status own_find_triples(struct sqlite_db *db, struct error *err)
{
    return sqlite_db_exec(db, triples_sql, err);
}

enum status own_take_rest(struct sqlite_db *db, struct error *err)
{
    return sqlite_db_exec(db, rest_sql, err);
}

/* --- asking ---------------------------------------------------------------------------------- */

/* A query of some rows; step it, then finalize. */
static sqlite3_stmt *own_query(struct sqlite_db *db, const char *sql, int64_t parameter)
{
    sqlite3_stmt *stmt = NULL;
    if (sqlite3_prepare_v2(db->handle, sql, -1, &stmt, NULL) == SQLITE_OK) {
        sqlite3_bind_int64(stmt, 1, parameter);
    }
    return stmt;
}

static enum status own_count(struct sqlite_db *db, const char *sql, uint64_t *out,
                             struct error *err)
{
    int64_t count = 0;
    enum status status = sqlite_db_query_i64(db, sql, &count, err);
    *out = (uint64_t)count;
    return status;
}

static enum status own_end(struct sqlite_db *db, sqlite3_stmt *stmt, int code, struct error *err)
{
    sqlite3_finalize(stmt);
    return code == SQLITE_ROW || code == SQLITE_DONE
               ? STATUS_OK
               : sqlite_db_error(db, "judge the records of an own script", err);
}

/* --- first offenders ------------------------------------------------------------------------- */

static void own_offender(struct verdict_offender *out, const char *const *topic_names, int table,
                         int64_t row)
{
    *out = verdict_offender_none();
    verdict_set_text(out->topic, sizeof(out->topic), span_from_cstr(topic_names[table]));
    snprintf(out->table, sizeof(out->table), "%s", table_get((enum table_id)table)->name);
    out->row = row;
}

/* "its pin is at offset 7, its user at offset 7" */
static enum status append_siblings(struct sqlite_db *db, int64_t row, int without, struct buf *out,
                                   struct error *err)
{
    sqlite3_stmt *stmt = own_query(db,
                                   "SELECT tbl, max(offset) FROM extra WHERE row = ?1 AND kind IN"
                                   " ('own', 'altered', 'misrouted') GROUP BY tbl ORDER BY tbl",
                                   row);
    const char *before = "its ";
    const char *verb = "is ";
    int code = SQLITE_ERROR;
    while (stmt != NULL && (code = sqlite3_step(stmt)) == SQLITE_ROW) {
        int table = sqlite3_column_int(stmt, 0);
        if (table == without) {
            continue;
        }
        buf_printf(out, "%s%s %sat offset %lld", before, short_names[table], verb,
                   (long long)sqlite3_column_int64(stmt, 1));
        before = ", its ";
        verb = "";
    }
    return own_end(db, stmt, code, err);
}

/* The place of the lost record, when the topic has as many holes as it lacks records: the first
 * hole is then the first row's. */
static enum status find_place(struct sqlite_db *db, int table, struct verdict_offender *out,
                              bool *has_rows, struct error *err)
{
    static const char *const lacking[TABLE_COUNT] = {"SELECT sum(no_pin) FROM own_row",
                                                     "SELECT sum(no_geo) FROM own_row",
                                                     "SELECT sum(no_user) FROM own_row"};
    uint64_t lacks = 0;
    enum status status = own_count(db, lacking[table], &lacks, err);
    if (status != STATUS_OK) {
        return status;
    }
    sqlite3_stmt *stmt =
        own_query(db,
                  "SELECT (SELECT sum(count) FROM hole WHERE topic = ?1), partition, offset,"
                  " EXISTS (SELECT 1 FROM extra WHERE topic = ?1 AND tbl = ?1) FROM"
                  " (SELECT 1) LEFT JOIN hole ON topic = ?1 ORDER BY partition, offset LIMIT 1",
                  table);
    int code = stmt != NULL ? sqlite3_step(stmt) : SQLITE_ERROR;
    if (code == SQLITE_ROW) {
        if (lacks > 0 && (uint64_t)sqlite3_column_int64(stmt, 0) == lacks) {
            out->partition = sqlite3_column_int(stmt, 1);
            out->offset = sqlite3_column_int64(stmt, 2);
        }
        *has_rows = sqlite3_column_int(stmt, 3) != 0;
    }
    return own_end(db, stmt, code, err);
}

static const char *lack_words(const struct verdict_offender *offender, bool has_rows, int table,
                              bool unfinished)
{
    if (unfinished) {
        return "not there yet; ";
    }
    if (offender->offset >= 0) {
        return "lost here; ";
    }
    if (has_rows) {
        return "not there, lost or never posted; ";
    }
    return table == TABLE_PIN ? "the topic holds no row at all; "
                              : "the topic holds no row at all (a date must be made text to be "
                                "posted); ";
}

static enum status first_short(struct sqlite_db *db, enum verdict_kind kind,
                               const char *const *topic_names, struct verdict *verdict,
                               struct error *err)
{
    struct verdict_offender *out = &verdict->first[kind];
    bool unfinished = kind == VERDICT_UNFINISHED;
    bool has_rows = false;
    int table = -1;
    int64_t row = -1;
    struct buf words;
    sqlite3_stmt *stmt = own_query(
        db,
        "SELECT row, CASE WHEN no_pin > 0 THEN 0 WHEN no_geo > 0 THEN 1 ELSE 2 END FROM own_row"
        " WHERE kind = CASE ?1 WHEN 1 THEN 'unfinished' ELSE 'incomplete' END"
        " ORDER BY first, row LIMIT 1",
        unfinished);
    int code = stmt != NULL ? sqlite3_step(stmt) : SQLITE_ERROR;
    if (code == SQLITE_ROW) {
        row = sqlite3_column_int64(stmt, 0);
        table = sqlite3_column_int(stmt, 1);
    }
    enum status status = own_end(db, stmt, code, err);
    if (status != STATUS_OK || table < 0) {
        return status;
    }
    own_offender(out, topic_names, table, row);
    buf_init(&words, sizeof(out->detail) - 1);
    status = find_place(db, table, out, &has_rows, err);
    if (status == STATUS_OK) {
        buf_append_cstr(&words, lack_words(out, has_rows, table, unfinished));
        status = append_siblings(db, row, table, &words, err);
    }
    verdict_set_text(out->detail, sizeof(out->detail), buf_span(&words));
    buf_release(&words);
    return status;
}

static enum status first_again(struct sqlite_db *db, const char *const *topic_names,
                               struct verdict *verdict, struct error *err)
{
    struct verdict_offender *out = &verdict->first[VERDICT_POSTED_AGAIN];
    sqlite3_stmt *stmt = own_query(
        db,
        "SELECT row, pin, geo, user, CASE WHEN pin > 1 THEN 0 WHEN geo > 1 THEN 1 ELSE 2 END"
        " FROM own_row WHERE max(pin, geo, user) > 1 ORDER BY first, row LIMIT 1",
        0);
    int code = stmt != NULL ? sqlite3_step(stmt) : SQLITE_ERROR;
    if (code == SQLITE_ROW) {
        own_offender(out, topic_names, sqlite3_column_int(stmt, 4), sqlite3_column_int64(stmt, 0));
        snprintf(out->detail, sizeof(out->detail),
                 "%lld times in pin, %lld times in geo, %lld times in user",
                 (long long)sqlite3_column_int64(stmt, 1), (long long)sqlite3_column_int64(stmt, 2),
                 (long long)sqlite3_column_int64(stmt, 3));
    }
    return own_end(db, stmt, code, err);
}

static enum status first_spelling(struct sqlite_db *db, const char *const *topic_names,
                                  struct verdict *verdict, struct error *err)
{
    struct verdict_offender *out = &verdict->first[VERDICT_OTHER_SPELLING];
    sqlite3_stmt *stmt = own_query(db,
                                   "SELECT tbl, row, partition, offset, spelling FROM extra WHERE"
                                   " kind = 'own' AND spelling > 0 ORDER BY id LIMIT 1",
                                   0);
    int code = stmt != NULL ? sqlite3_step(stmt) : SQLITE_ERROR;
    if (code == SQLITE_ROW) {
        own_offender(out, topic_names, sqlite3_column_int(stmt, 0), sqlite3_column_int64(stmt, 1));
        out->partition = sqlite3_column_int(stmt, 2);
        out->offset = sqlite3_column_int64(stmt, 3);
        snprintf(out->detail, sizeof(out->detail), "%s",
                 spelling_words((unsigned)sqlite3_column_int(stmt, 4)));
    }
    return own_end(db, stmt, code, err);
}

/* Holes that no incomplete row accounts for: all three records of a row may be gone. */
static enum status judge_holes(struct sqlite_db *db, const char *const *topic_names,
                               struct verdict *verdict, struct error *err)
{
    struct verdict_offender *out = &verdict->first[VERDICT_LOST];
    uint64_t *count = &verdict->counts[VERDICT_LOST];
    sqlite3_stmt *stmt = own_query(
        db,
        "SELECT topic, sum(count) - CASE topic WHEN 0 THEN (SELECT sum(no_pin) FROM own_row)"
        "  WHEN 1 THEN (SELECT sum(no_geo) FROM own_row)"
        "  WHEN 2 THEN (SELECT sum(no_user) FROM own_row) ELSE 0 END AS more,"
        " partition, min(offset) FROM hole WHERE (topic, partition) IN"
        " (SELECT topic, partition FROM extra WHERE kind = 'own') GROUP BY topic ORDER BY topic",
        0);
    int code = SQLITE_ERROR;
    while (stmt != NULL && (code = sqlite3_step(stmt)) == SQLITE_ROW) {
        int64_t more = sqlite3_column_int64(stmt, 1);
        if (more <= 0) {
            continue;
        }
        if (*count == 0) {
            *out = verdict_offender_none();
            verdict_set_text(out->topic, sizeof(out->topic),
                             span_from_cstr(topic_names[sqlite3_column_int(stmt, 0)]));
            out->partition = sqlite3_column_int(stmt, 2);
            out->offset = sqlite3_column_int64(stmt, 3);
            snprintf(out->detail, sizeof(out->detail), "whatever stood here is gone");
        }
        *count += (uint64_t)more;
    }
    return own_end(db, stmt, code, err);
}

/* --- the end --------------------------------------------------------------------------------- */

static enum status own_counts(struct sqlite_db *db, struct verdict *verdict, struct error *err)
{
    static const struct {
        enum verdict_kind kind;
        const char *sql;
    } queries[] = {
        {VERDICT_INCOMPLETE, "SELECT count(*) FROM own_row WHERE kind = 'incomplete'"},
        {VERDICT_UNFINISHED, "SELECT count(*) FROM own_row WHERE kind = 'unfinished'"},
        {VERDICT_POSTED_AGAIN, "SELECT coalesce(sum(max(0, pin - 1) + max(0, geo - 1) +"
                               " max(0, user - 1)), 0) FROM own_row"},
        {VERDICT_OTHER_SPELLING, "SELECT count(*) FROM extra WHERE kind = 'own' AND spelling > 0"},
    };
    enum status status = STATUS_OK;
    for (size_t i = 0; status == STATUS_OK && i < ARRAY_COUNT(queries); i++) {
        status = own_count(db, queries[i].sql, &verdict->counts[queries[i].kind], err);
    }
    return status;
}

enum status own_conclude(struct sqlite_db *db, const char *const *topic_names,
                         struct verdict *verdict, struct error *err)
{
    enum status status =
        own_count(db, "SELECT count(*) FROM extra WHERE kind = 'own'", &verdict->own, err);
    if (status != STATUS_OK || verdict->own == 0) {
        return status;
    }
    status = sqlite_db_exec(db, rows_sql, err);
    if (status == STATUS_OK) {
        status = sqlite_db_exec(db, kinds_sql, err);
    }
    if (status == STATUS_OK) {
        status = own_counts(db, verdict, err);
    }
    if (status == STATUS_OK) {
        status = first_short(db, VERDICT_INCOMPLETE, topic_names, verdict, err);
    }
    if (status == STATUS_OK) {
        status = first_short(db, VERDICT_UNFINISHED, topic_names, verdict, err);
    }
    if (status == STATUS_OK) {
        status = first_again(db, topic_names, verdict, err);
    }
    if (status == STATUS_OK) {
        status = first_spelling(db, topic_names, verdict, err);
    }
    return status == STATUS_OK ? judge_holes(db, topic_names, verdict, err) : status;
}
