/* The order of explanations, from the most to the least specific. A record that stands where no
 * post of its content was acknowledged is, in this order:
 *   1. a post of the same content and topic that is not where the ledger says, and was not refused:
 *      in doubt (kept), or displaced (out of order when the order of posting is broken, else acked
 *      elsewhere);
 *   2. a post of the same content meant for another topic, and not refused: misrouted;
 *   3. a copy of a post with attempts that ended without an answer: re-sent by a retry;
 *   4. one of two or three extras that are pin, geo and user of one row: somebody's own script
 *      posted it (verifier_own.c), be it into a topic that was emptied since the ledger's posts;
 *   5. in the place of a post that nothing else explains: that post's record, altered (or, when it
 *      looks like another table's row, misrouted);
 *   6. a post of the same content and topic that was refused: refused but kept;
 *   7. a copy of a post that has its record already: doubled;
 *   8. a row of the topic's table: of an own script; another table's row: misrouted; nearly a row:
 *      altered; else unexplained.
 * With --strict steps 4 and the own script's part of 8 are left out.
 * A post that no record explains is missing, refused, or in doubt and not kept. Equal contents (the
 * same row posted by several runs) are paired in the order of posting and of offsets, acknowledged
 * posts first and refused ones last: what one in doubt explains is no failure.
 *
 * `kind` holds the verdict's JSON key. */
#include "verifier_notes.h"

#include "table.h"
#include "verifier_own.h"

#include <stdio.h>
#include <string.h>

enum { holes_told_max = 100000 };

enum note_sql {
    SQL_ADD_EXTRA,
    SQL_FOLLOW,
    SQL_ADD_POST,
    SQL_ADD_COPIES,
    SQL_MARK_COPY,
    SQL_ADD_HOLE,
    SQL_LEFTOVERS,
    SQL_COUNTS,
    SQL_FIRST_EXTRA,
    SQL_FIRST_POST,
    SQL_FIRST_TRIPLE,
    SQL_NOTES_COUNT,
};

static const char schema_sql[] =
    "CREATE TABLE extra (id INTEGER PRIMARY KEY, topic, partition, offset, h1, h2, topic_tbl, tbl,"
    " row, place_post, field, detail, before_run, before_post, after_run, after_post,"
    " twin, twin_run, twin_triple, kind, is_row, is_like, repeats, spelling);"
    "CREATE TABLE open_post (id INTEGER PRIMARY KEY, run, triple, in_order, tbl, row, topic, h1, "
    "h2,"
    " state, maybe_kept, partition, offset, extra, kind);"
    "CREATE TABLE copies (topic, h1, h2, allowed, post, run, triple,"
    " PRIMARY KEY (topic, h1, h2)) WITHOUT ROWID;"
    "CREATE TABLE pair (extra INTEGER PRIMARY KEY, post UNIQUE);"
    "CREATE TABLE triple (run, triple, post, kind);" VERIFIER_OWN_SCHEMA "BEGIN";

static const char *const note_sql[SQL_NOTES_COUNT] = {
    [SQL_ADD_EXTRA] =
        "INSERT INTO extra (topic, partition, offset, h1, h2, topic_tbl, tbl, row,"
        " place_post, field, detail, before_run, before_post, is_row, is_like, repeats,"
        " spelling)"
        " VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16,?17)",
    [SQL_FOLLOW] = "UPDATE extra SET after_run = ?1, after_post = ?2 WHERE id > ?3",
    [SQL_ADD_POST] = "INSERT OR IGNORE INTO open_post (id, run, triple, in_order, tbl, row, topic,"
                     " h1, h2, state, maybe_kept, partition, offset)"
                     " VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13)",
    [SQL_ADD_COPIES] = "INSERT INTO copies VALUES (?1,?2,?3,?4,?5,?6,?7)"
                       " ON CONFLICT DO UPDATE SET allowed = allowed + excluded.allowed",
    [SQL_MARK_COPY] =
        "UPDATE extra SET kind = 'doubled', twin = ?4, twin_run = ?5, twin_triple = ?6"
        " WHERE topic = ?1 AND h1 = ?2 AND h2 = ?3 AND kind IS NULL",
    [SQL_ADD_HOLE] = "INSERT OR IGNORE INTO hole VALUES (?1, ?2, ?3, ?4)",
    [SQL_LEFTOVERS] = "SELECT EXISTS (SELECT 1 FROM extra WHERE kind IS NULL)",
    [SQL_COUNTS] = "SELECT kind, count(*) FROM (SELECT kind FROM extra UNION ALL"
                   " SELECT kind FROM open_post UNION ALL SELECT kind FROM triple)"
                   " WHERE kind IS NOT NULL AND kind <> 'own' GROUP BY kind",
    [SQL_FIRST_EXTRA] =
        "SELECT e.topic, e.partition, e.offset, e.field, e.detail, e.tbl, e.row, e.twin,"
        " coalesce(p.run, e.twin_run), coalesce(p.triple, e.twin_triple), p.tbl, p.row,"
        " p.partition, p.offset, p.topic, e.is_row"
        " FROM extra e LEFT JOIN open_post p ON p.id = e.twin WHERE e.kind = ?1"
        " ORDER BY e.topic, e.partition, e.offset LIMIT 1",
    [SQL_FIRST_POST] = "SELECT topic, partition, offset, tbl, row, id, run, triple FROM open_post"
                       " WHERE kind = ?1 ORDER BY topic, partition, offset, id LIMIT 1",
    [SQL_FIRST_TRIPLE] = "SELECT t.run, t.triple, p.topic, p.tbl, p.row, p.id FROM triple t"
                         " JOIN open_post p ON p.id = t.post WHERE t.kind = ?1"
                         " ORDER BY t.run, t.triple LIMIT 1",
};

/* A pass of pairing: the n-th record of a content with the n-th post of that content. */
#define NOT_REFUSED "NOT (state = 2 AND maybe_kept = 0)"
#define PAIR(same_topic, extra_group, post_group, posts)                                           \
    "DELETE FROM pair;"                                                                            \
    "INSERT INTO pair SELECT e.id, p.id FROM"                                                      \
    " (SELECT id, topic, h1, h2, row_number() OVER (PARTITION BY " extra_group                     \
    " ORDER BY topic, partition, offset) AS n FROM extra WHERE twin IS NULL AND kind IS NULL) e "  \
    "JOIN"                                                                                         \
    " (SELECT id, topic, h1, h2, row_number() OVER (PARTITION BY " post_group                      \
    " ORDER BY state <> 1, id) AS n FROM open_post WHERE extra IS NULL AND " posts ") p"           \
    " ON " same_topic " e.h1 = p.h1 AND e.h2 = p.h2 AND e.n = p.n;"                                \
    "UPDATE extra SET twin = (SELECT post FROM pair WHERE pair.extra = extra.id)"                  \
    " WHERE id IN (SELECT extra FROM pair);"                                                       \
    "UPDATE open_post SET extra = (SELECT pair.extra FROM pair WHERE pair.post = open_post.id)"    \
    " WHERE id IN (SELECT post FROM pair);"

static const char *const classify_scripts[] = {
    PAIR("e.topic = p.topic AND", "topic, h1, h2", "topic, h1, h2", NOT_REFUSED),

    "UPDATE extra SET kind = (SELECT CASE WHEN p.state = 1 THEN 'acked_elsewhere'"
    " ELSE 'in_doubt_kept' END"
    " FROM open_post p WHERE p.id = extra.twin) WHERE twin IS NOT NULL",

    /* Displaced records of a run with one lane: out of order when a later post stands before it or
     * an earlier one behind it, be it another displaced one or its neighbour in its own place. */
    "UPDATE extra SET kind = 'out_of_order' WHERE id IN (SELECT id FROM (SELECT e.id, e.twin, "
    "p.run,"
    " p.in_order, e.before_run, e.before_post, e.after_run, e.after_post,"
    " max(e.twin) OVER (PARTITION BY e.topic, e.partition, p.run ORDER BY e.offset"
    "  ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS highest_before,"
    " min(e.twin) OVER (PARTITION BY e.topic, e.partition, p.run ORDER BY e.offset DESC"
    "  ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS lowest_behind"
    " FROM extra e JOIN open_post p ON p.id = e.twin WHERE e.kind = 'acked_elsewhere')"
    " WHERE in_order AND (highest_before > twin OR lowest_behind < twin"
    " OR (before_run = run AND before_post > twin) OR (after_run = run AND after_post < twin)))",

    PAIR("", "h1, h2", "h1, h2",
         NOT_REFUSED) "UPDATE extra SET kind = 'misrouted' WHERE id IN (SELECT extra FROM pair)",

    "DELETE FROM pair;"
    "INSERT INTO pair SELECT e.id, NULL FROM (SELECT id, topic, h1, h2, row_number() OVER"
    " (PARTITION BY topic, h1, h2 ORDER BY partition, offset) AS n FROM extra WHERE kind IS NULL) e"
    " JOIN copies c ON c.topic = e.topic AND c.h1 = e.h1 AND c.h2 = e.h2 WHERE e.n <= c.allowed;"
    "UPDATE extra SET kind = 'resent_by_retry', (twin, twin_run, twin_triple) ="
    " (SELECT post, run, triple FROM copies c WHERE c.topic = extra.topic AND c.h1 = extra.h1"
    " AND c.h2 = extra.h2) WHERE id IN (SELECT extra FROM pair)",

    "CREATE INDEX extra_content ON extra (topic, h1, h2)",
};

static const char *const later_scripts[] = {
    "DELETE FROM pair;"
    "INSERT INTO pair SELECT e.id, p.id FROM extra e JOIN open_post p ON p.id = e.place_post"
    " WHERE e.kind IS NULL AND p.extra IS NULL;"
    "UPDATE extra SET twin = place_post, kind = CASE WHEN tbl >= 0 AND topic_tbl >= 0"
    " AND tbl <> topic_tbl THEN 'misrouted' ELSE 'altered' END"
    " WHERE id IN (SELECT extra FROM pair);"
    "UPDATE open_post SET extra = (SELECT pair.extra FROM pair WHERE pair.post = open_post.id)"
    " WHERE id IN (SELECT post FROM pair)",

    PAIR("e.topic = p.topic AND", "topic, h1, h2", "topic, h1, h2",
         "state = 2 AND maybe_kept = 0") "UPDATE extra SET kind = 'refused_but_kept'"
                                         " WHERE id IN (SELECT extra FROM pair)",
};

static const char *const conclude_scripts[] = {
    "UPDATE extra SET kind = CASE WHEN tbl >= 0 AND topic_tbl >= 0 AND tbl <> topic_tbl"
    " THEN 'misrouted' ELSE 'unexplained' END WHERE kind IS NULL",

    "UPDATE open_post SET kind = CASE WHEN state = 1 THEN 'missing'"
    " WHEN state = 2 AND maybe_kept = 0 THEN 'refused' ELSE 'in_doubt_not_kept' END"
    " WHERE extra IS NULL",

    /* A triple is partial when one or two of its three posts were not kept, none of them because it
     * was lost. */
    "INSERT INTO triple SELECT run, triple, min(id), 'partial_triple' FROM open_post"
    " WHERE kind IS NOT NULL GROUP BY run, triple HAVING count(*) < 3 AND sum(kind = 'missing') = "
    "0",
};

/* --- writing --------------------------------------------------------------------------------- */

enum status notes_open(struct verifier_notes *notes, const struct env *env, struct error *err)
{
    /* An empty path is SQLite's private temporary file: in memory while small, gone when closed. */
    const struct sqlite_db_options options = {
        .path = "", .env = env, .create = true, .sync = DB_SYNC_OFF, .cache_kib = 4096};
    *notes = (struct verifier_notes){0};
    enum status status = sqlite_db_open(&notes->db, &options, err);
    if (status != STATUS_OK) {
        return error_prefix(err, "temporary file for the verification");
    }
    snprintf(notes->db.path, sizeof(notes->db.path), "temporary file for the verification");
    status = sqlite_db_exec(&notes->db, schema_sql, err);
    if (status == STATUS_OK) {
        status = sqlite_db_set_statements(&notes->db, note_sql, SQL_NOTES_COUNT, err);
    }
    if (status != STATUS_OK) {
        notes_close(notes);
    }
    return status;
}

void notes_close(struct verifier_notes *notes)
{
    sqlite_db_close(&notes->db);
}

static enum status notes_failed(struct verifier_notes *notes, struct error *err)
{
    return sqlite_db_error(&notes->db, "note a finding", err);
}

static enum status step_note(struct verifier_notes *notes, sqlite3_stmt *stmt, struct error *err)
{
    int code = sqlite3_step(stmt);
    sqlite3_reset(stmt);
    return code == SQLITE_DONE ? STATUS_OK : notes_failed(notes, err);
}

static void bind_numbers(sqlite3_stmt *stmt, const int64_t *numbers, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        sqlite3_bind_int64(stmt, (int)i + 1, numbers[i]);
    }
}

enum status notes_add_extra(struct verifier_notes *notes, const struct note_extra *extra,
                            struct error *err)
{
    sqlite3_stmt *stmt = sqlite_db_statement(&notes->db, SQL_ADD_EXTRA);
    if (stmt == NULL) {
        return notes_failed(notes, err);
    }
    const int64_t numbers[] = {
        extra->topic,
        extra->partition,
        extra->offset,
        (int64_t)extra->hash.high,
        (int64_t)extra->hash.low,
        extra->topic_table,
        extra->table,
        extra->row_number,
    };
    bind_numbers(stmt, numbers, ARRAY_COUNT(numbers));
    if (extra->place_post > 0) {
        sqlite3_bind_int64(stmt, 9, extra->place_post);
    }
    sqlite_bind_span_text(stmt, 10, span_from_cstr(extra->field));
    sqlite_bind_span_text(stmt, 11, span_from_cstr(extra->detail));
    sqlite3_bind_int64(stmt, 12, extra->before_run);
    sqlite3_bind_int64(stmt, 13, extra->before_post);
    sqlite3_bind_int(stmt, 14, extra->is_row);
    sqlite3_bind_int(stmt, 15, extra->is_like_row);
    sqlite3_bind_int(stmt, 16, extra->repeats);
    sqlite3_bind_int64(stmt, 17, extra->spelling);
    enum status status = step_note(notes, stmt, err);
    notes->last_extra++;
    notes->has_followers_pending = true;
    return status;
}

enum status notes_set_follower(struct verifier_notes *notes, int64_t run, int64_t post,
                               struct error *err)
{
    sqlite3_stmt *stmt = sqlite_db_statement(&notes->db, SQL_FOLLOW);
    if (stmt == NULL) {
        return notes_failed(notes, err);
    }
    const int64_t numbers[] = {run, post, notes->followers_known_to};
    bind_numbers(stmt, numbers, ARRAY_COUNT(numbers));
    notes_end_partition(notes);
    return step_note(notes, stmt, err);
}

enum status notes_add_hole(struct verifier_notes *notes, int topic, int32_t partition,
                           int64_t first, int64_t count, struct error *err)
{
    enum status status = STATUS_OK;
    while (status == STATUS_OK && count > 0) {
        sqlite3_stmt *stmt = sqlite_db_statement(&notes->db, SQL_ADD_HOLE);
        if (stmt == NULL) {
            return notes_failed(notes, err);
        }
        /* Holes are noted one by one, so that each can be a post's; a compacted topic has more of
         * them than matter. */
        int64_t taken = notes->holes < holes_told_max ? 1 : count;
        const int64_t numbers[] = {topic, partition, first, taken};
        bind_numbers(stmt, numbers, ARRAY_COUNT(numbers));
        status = step_note(notes, stmt, err);
        notes->holes++;
        first += taken;
        count -= taken;
    }
    return status;
}

void notes_end_partition(struct verifier_notes *notes)
{
    notes->followers_known_to = notes->last_extra;
    notes->has_followers_pending = false;
}

enum status notes_add_post(struct verifier_notes *notes, const struct note_post *post,
                           struct error *err)
{
    sqlite3_stmt *stmt = sqlite_db_statement(&notes->db, SQL_ADD_POST);
    if (stmt == NULL) {
        return notes_failed(notes, err);
    }
    const int64_t numbers[] = {
        post->id,
        post->run,
        post->triple,
        post->in_order,
        post->table,
        post->row_number,
        post->topic,
        (int64_t)post->hash.high,
        (int64_t)post->hash.low,
        post->state,
        post->maybe_kept,
        post->partition,
        post->offset,
    };
    bind_numbers(stmt, numbers, ARRAY_COUNT(numbers));
    return step_note(notes, stmt, err);
}

enum status notes_add_copies(struct verifier_notes *notes, const struct note_post *post,
                             int64_t copies, struct error *err)
{
    sqlite3_stmt *stmt = sqlite_db_statement(&notes->db, SQL_ADD_COPIES);
    if (stmt == NULL) {
        return notes_failed(notes, err);
    }
    const int64_t numbers[] = {
        post->topic, (int64_t)post->hash.high, (int64_t)post->hash.low, copies, post->id, post->run,
        post->triple};
    bind_numbers(stmt, numbers, ARRAY_COUNT(numbers));
    return step_note(notes, stmt, err);
}

/* --- classifying ----------------------------------------------------------------------------- */

static enum status run_scripts(struct verifier_notes *notes, const char *const *scripts,
                               size_t count, struct error *err)
{
    enum status status = STATUS_OK;
    for (size_t i = 0; status == STATUS_OK && i < count; i++) {
        status = sqlite_db_exec(&notes->db, scripts[i], err);
    }
    return status;
}

enum status notes_classify(struct verifier_notes *notes, struct error *err)
{
    enum status status = STATUS_OK;
    if (!notes->without_posts) {
        status = run_scripts(notes, classify_scripts, ARRAY_COUNT(classify_scripts), err);
    }
    if (status == STATUS_OK && !notes->strict) {
        status = own_find_triples(&notes->db, err);
    }
    if (status == STATUS_OK && !notes->without_posts) {
        status = run_scripts(notes, later_scripts, ARRAY_COUNT(later_scripts), err);
    }
    return status;
}

enum status notes_has_leftovers(struct verifier_notes *notes, bool *out, struct error *err)
{
    sqlite3_stmt *stmt = sqlite_db_statement(&notes->db, SQL_LEFTOVERS);
    if (stmt == NULL || sqlite3_step(stmt) != SQLITE_ROW) {
        return notes_failed(notes, err);
    }
    *out = sqlite3_column_int(stmt, 0) != 0;
    sqlite3_reset(stmt);
    return STATUS_OK;
}

enum status notes_mark_copy(struct verifier_notes *notes, const struct note_post *post,
                            struct error *err)
{
    sqlite3_stmt *stmt = sqlite_db_statement(&notes->db, SQL_MARK_COPY);
    if (stmt == NULL) {
        return notes_failed(notes, err);
    }
    const int64_t numbers[] = {
        post->topic, (int64_t)post->hash.high, (int64_t)post->hash.low, post->id, post->run,
        post->triple};
    bind_numbers(stmt, numbers, ARRAY_COUNT(numbers));
    return step_note(notes, stmt, err);
}

/* --- first offenders ------------------------------------------------------------------------- */

static void copy_column(sqlite3_stmt *stmt, int column, char *out, size_t out_bytes)
{
    verdict_set_text(out, out_bytes, sqlite_column_span(stmt, column));
}

static void set_topic(struct verdict_offender *out, const char *const *topic_names, int topic)
{
    verdict_set_text(out->topic, sizeof(out->topic), span_from_cstr(topic_names[topic]));
}

static void set_row(struct verdict_offender *out, sqlite3_stmt *stmt, int table_column,
                    int row_column)
{
    if (sqlite3_column_type(stmt, table_column) == SQLITE_NULL) {
        return;
    }
    int table = sqlite3_column_int(stmt, table_column);
    if (table >= 0 && table < TABLE_COUNT) {
        snprintf(out->table, sizeof(out->table), "%s", table_get((enum table_id)table)->name);
        out->row = sqlite3_column_int64(stmt, row_column);
    }
}

static int64_t number_or(sqlite3_stmt *stmt, int column, int64_t otherwise)
{
    return sqlite3_column_type(stmt, column) == SQLITE_NULL ? otherwise
                                                            : sqlite3_column_int64(stmt, column);
}

enum extra_column {
    X_TOPIC,
    X_PARTITION,
    X_OFFSET,
    X_FIELD,
    X_DETAIL,
    X_TABLE,
    X_ROW,
    X_TWIN,
    X_RUN,
    X_TRIPLE,
    X_POST_TABLE,
    X_POST_ROW,
    X_POST_PARTITION,
    X_POST_OFFSET,
    X_POST_TOPIC,
    X_IS_ROW,
};

static void extra_detail(enum verdict_kind kind, sqlite3_stmt *stmt, const char *const *topic_names,
                         struct verdict_offender *out)
{
    bool has_post = sqlite3_column_type(stmt, X_POST_TOPIC) != SQLITE_NULL;
    switch (kind) {
    case VERDICT_ALTERED:
        copy_column(stmt, X_FIELD, out->field, sizeof(out->field));
        copy_column(stmt, X_DETAIL, out->detail, sizeof(out->detail));
        if (!has_post) {
            snprintf(out->detail, sizeof(out->detail), "the table has another value there");
        }
        break;
    case VERDICT_ELSEWHERE:
    case VERDICT_OUT_OF_ORDER:
        snprintf(out->detail, sizeof(out->detail), "acknowledged at partition %d offset %lld",
                 sqlite3_column_int(stmt, X_POST_PARTITION),
                 (long long)sqlite3_column_int64(stmt, X_POST_OFFSET));
        break;
    case VERDICT_MISROUTED:
        if (has_post &&
            sqlite3_column_int(stmt, X_POST_TOPIC) != sqlite3_column_int(stmt, X_TOPIC)) {
            snprintf(out->detail, sizeof(out->detail), "it was posted to %.150s",
                     topic_names[sqlite3_column_int(stmt, X_POST_TOPIC)]);
        } else {
            snprintf(out->detail, sizeof(out->detail), "the value has the columns of %s",
                     table_get((enum table_id)sqlite3_column_int(stmt, X_TABLE))->name);
        }
        break;
    case VERDICT_UNEXPLAINED:
        snprintf(out->detail, sizeof(out->detail), "%s",
                 sqlite3_column_int(stmt, X_IS_ROW)
                     ? "it looks like this row, but nobody noted down posting it"
                 : out->row >= 0 ? "it has the key of this row, but is not the row"
                                 : "it is no row of a table, and nobody noted down posting it");
        break;
    default: /* the kind says all */
        break;
    }
}

static void extra_fill(enum verdict_kind kind, sqlite3_stmt *stmt, const char *const *topic_names,
                       struct verdict_offender *out)
{
    set_topic(out, topic_names, sqlite3_column_int(stmt, X_TOPIC));
    out->partition = sqlite3_column_int(stmt, X_PARTITION);
    out->offset = sqlite3_column_int64(stmt, X_OFFSET);
    out->ledger_id = number_or(stmt, X_TWIN, -1);
    out->run = number_or(stmt, X_RUN, -1);
    out->triple = number_or(stmt, X_TRIPLE, -1);
    set_row(out, stmt, X_TABLE, X_ROW);
    set_row(out, stmt, X_POST_TABLE, X_POST_ROW);
    extra_detail(kind, stmt, topic_names, out);
}

static void post_fill(enum verdict_kind kind, sqlite3_stmt *stmt, const char *const *topic_names,
                      struct verdict_offender *out)
{
    set_topic(out, topic_names, sqlite3_column_int(stmt, 0));
    out->partition = sqlite3_column_int(stmt, 1);
    out->offset = sqlite3_column_int64(stmt, 2);
    set_row(out, stmt, 3, 4);
    out->ledger_id = sqlite3_column_int64(stmt, 5);
    out->run = sqlite3_column_int64(stmt, 6);
    out->triple = sqlite3_column_int64(stmt, 7);
    if (kind == VERDICT_MISSING) {
        snprintf(out->detail, sizeof(out->detail), "acknowledged for this place");
    }
}

static void triple_fill(sqlite3_stmt *stmt, const char *const *topic_names,
                        struct verdict_offender *out)
{
    out->run = sqlite3_column_int64(stmt, 0);
    out->triple = sqlite3_column_int64(stmt, 1);
    set_topic(out, topic_names, sqlite3_column_int(stmt, 2));
    set_row(out, stmt, 3, 4);
    out->ledger_id = sqlite3_column_int64(stmt, 5);
    snprintf(out->detail, sizeof(out->detail), "this one of the three was not kept");
}

static bool is_post_kind(enum verdict_kind kind)
{
    return kind == VERDICT_MISSING || kind == VERDICT_REFUSED || kind == VERDICT_IN_DOUBT_NOT_KEPT;
}

static size_t topic_position(const char *const *topic_names, const char *name)
{
    size_t position = 0;
    while (topic_names[position] != NULL && strcmp(topic_names[position], name) != 0) {
        position++;
    }
    return position;
}

static bool stands_before(const struct verdict_offender *a, const struct verdict_offender *b,
                          const char *const *topic_names)
{
    size_t a_topic = topic_position(topic_names, a->topic);
    size_t b_topic = topic_position(topic_names, b->topic);
    if (a_topic != b_topic) {
        return a_topic < b_topic;
    }
    return a->partition != b->partition ? a->partition < b->partition : a->offset < b->offset;
}

/* The first offender of a kind among the notes; stays as it is when there is none. */
static enum status first_find(struct verifier_notes *notes, enum verdict_kind kind,
                              const char *const *topic_names, struct verdict_offender *out,
                              struct error *err)
{
    bool is_triple = kind == VERDICT_PARTIAL_TRIPLE;
    size_t query = is_post_kind(kind) ? SQL_FIRST_POST
                   : is_triple        ? SQL_FIRST_TRIPLE
                                      : SQL_FIRST_EXTRA;
    sqlite3_stmt *stmt = sqlite_db_statement(&notes->db, query);
    if (stmt == NULL) {
        return notes_failed(notes, err);
    }
    sqlite_bind_span_text(stmt, 1, span_from_cstr(verdict_kind_info(kind)->key));
    int code = sqlite3_step(stmt);
    if (code == SQLITE_ROW && is_post_kind(kind)) {
        post_fill(kind, stmt, topic_names, out);
    } else if (code == SQLITE_ROW && is_triple) {
        triple_fill(stmt, topic_names, out);
    } else if (code == SQLITE_ROW) {
        extra_fill(kind, stmt, topic_names, out);
    }
    sqlite3_reset(stmt);
    return code == SQLITE_ROW || code == SQLITE_DONE ? STATUS_OK : notes_failed(notes, err);
}

/* Takes the first offender of the kind for the verdict, unless one that stands before it was found
 * while the records streamed by. */
static enum status conclude_kind(struct verifier_notes *notes, enum verdict_kind kind,
                                 const char *const *topic_names, struct verdict *verdict,
                                 struct error *err)
{
    struct verdict_offender found = verdict_offender_none();
    enum status status = first_find(notes, kind, topic_names, &found, err);
    if (status == STATUS_OK &&
        (verdict->counts[kind] == 0 || stands_before(&found, &verdict->first[kind], topic_names))) {
        verdict->first[kind] = found;
    }
    return status;
}

static enum verdict_kind kind_by_key(struct span key)
{
    size_t kind = 0;
    while (kind < VERDICT_KIND_COUNT &&
           !span_equal_cstr(key, verdict_kind_info((enum verdict_kind)kind)->key)) {
        kind++;
    }
    PP_ASSERT(kind < VERDICT_KIND_COUNT);
    return (enum verdict_kind)kind;
}

enum status notes_conclude(struct verifier_notes *notes, const char *const *topic_names,
                           struct verdict *verdict, struct error *err)
{
    uint64_t counts[VERDICT_KIND_COUNT] = {0};
    enum status status = notes->strict ? STATUS_OK : own_take_rest(&notes->db, err);
    if (status == STATUS_OK) {
        status = run_scripts(notes, conclude_scripts, ARRAY_COUNT(conclude_scripts), err);
    }
    if (status == STATUS_OK && !notes->strict) {
        status = own_conclude(&notes->db, topic_names, verdict, err);
    }
    if (status != STATUS_OK) {
        return status;
    }
    sqlite3_stmt *stmt = sqlite_db_statement(&notes->db, SQL_COUNTS);
    int code = SQLITE_ERROR;
    while (stmt != NULL && (code = sqlite3_step(stmt)) == SQLITE_ROW) {
        counts[kind_by_key(sqlite_column_span(stmt, 0))] = (uint64_t)sqlite3_column_int64(stmt, 1);
    }
    if (code != SQLITE_DONE) {
        return notes_failed(notes, err);
    }
    sqlite3_reset(stmt);
    for (size_t kind = 0; status == STATUS_OK && kind < VERDICT_KIND_COUNT; kind++) {
        if (counts[kind] > 0) {
            status = conclude_kind(notes, (enum verdict_kind)kind, topic_names, verdict, err);
            verdict->counts[kind] += counts[kind];
        }
    }
    return status;
}
