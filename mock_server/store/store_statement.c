/* The prepared statements: their texts in one table, by noun (store_statements.def), and the few
 * ways to run one that say nothing about the turn. */
#include "store_internal.h"

static const char *const statement_sql[STMT_COUNT] = {
#define X(name, sql) [STMT_##name] = sql,
#include "store_statements.def"
#undef X
};

bool store_step_done(sqlite3_stmt *stmt)
{
    if (stmt == NULL) {
        return false;
    }
    int step = sqlite3_step(stmt);
    PP_ASSERT(step != SQLITE_ROW);
    /* reset repeats the step's error code, so sqlite_db_error still finds it. */
    return sqlite3_reset(stmt) == SQLITE_OK;
}

bool store_run(struct store *store, enum store_statement id, const int64_t *values, size_t count)
{
    sqlite3_stmt *stmt = sqlite_db_statement(&store->db, id);
    PP_ASSERT(stmt == NULL || (size_t)sqlite3_bind_parameter_count(stmt) == count);
    for (size_t i = 0; stmt != NULL && i < count; i++) {
        sqlite3_bind_int64(stmt, (int)i + 1, values[i]);
    }
    return store_step_done(stmt);
}

enum status store_statements_attach(struct store *store, struct error *err)
{
    return sqlite_db_set_statements(&store->db, statement_sql, STMT_COUNT, err);
}

const char *store_statement_sql(enum store_statement id)
{
    return statement_sql[id];
}

void store_bind_optional(sqlite3_stmt *stmt, int index, struct span text)
{
    if (text.len > 0) {
        sqlite_bind_span_text(stmt, index, text);
    } else {
        sqlite3_bind_null(stmt, index);
    }
}

bool store_span_keep(struct arena *arena, struct span text, struct span *out)
{
    char *copy = arena_copy_cstr(arena, text);
    *out = copy != NULL ? span_from(copy, text.len) : SPAN_EMPTY;
    return copy != NULL;
}
