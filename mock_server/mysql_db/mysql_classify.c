#include "mysql_classify.h"

#include "mysql_show.h"
#include "mysql_variables.h"

#include <stdio.h>
#include <string.h>

/* --- refusals --- */

static bool refuse_code(struct mysql_parser *p, const struct mysql_session *session,
                        enum mysql_error_code code, const char *name)
{
    p->failed = true;
    return mysql_error_set(p->error, code, session->user, session->host, name);
}

static bool refuse_verb(struct mysql_parser *p, const struct mysql_session *session,
                        const char *verb, const char *table)
{
    p->failed = true;
    return mysql_error_set(p->error, MYSQL_ER_TABLEACCESS_DENIED, verb, session->user,
                           session->host, table);
}

static bool refuse_privilege(struct mysql_parser *p, const char *privilege)
{
    p->failed = true;
    return mysql_error_set(p->error, MYSQL_ER_SPECIFIC_ACCESS_DENIED, privilege);
}

/* The table that a statement would change: the first name behind words that are none. */
static void target_name(struct mysql_parser *p, char out[MYSQL_NAME_BYTES])
{
    static const char *const words[] = {"INTO",
                                        "IGNORE",
                                        "LOW_PRIORITY",
                                        "DELAYED",
                                        "QUICK",
                                        "FROM",
                                        "HIGH_PRIORITY",
                                        "TABLE",
                                        "TABLES",
                                        "IF",
                                        "NOT",
                                        "EXISTS",
                                        "VIEW",
                                        "TEMPORARY",
                                        "OR",
                                        "REPLACE",
                                        "ONLINE",
                                        "UNIQUE",
                                        "FULLTEXT",
                                        "INDEX",
                                        "ON",
                                        "LOCAL",
                                        "NO_WRITE_TO_BINLOG"};
    struct span name = SPAN_EMPTY;
    for (bool skipped = true; skipped;) {
        skipped = false;
        for (size_t i = 0; i < ARRAY_COUNT(words) && !skipped; i++) {
            skipped = mysql_parser_word(p, words[i]);
        }
    }
    if (mysql_parser_at_name(p) && mysql_parser_name(p, &name) && mysql_parser_op(p, ".") &&
        mysql_parser_at_name(p)) {
        (void)mysql_parser_name(p, &name);
    }
    snprintf(out, MYSQL_NAME_BYTES, "%.*s", SPAN_ARG(name));
}

struct denied_row {
    const char *first;
    const char *second; /* NULL: whatever follows */
    const char *verb;   /* of 1142; NULL: what `privilege` says */
    const char *privilege;
};

static const struct denied_row denied_rows[] = {
    {"INSERT", NULL, "INSERT", NULL},
    {"REPLACE", NULL, "INSERT, DELETE", NULL},
    {"UPDATE", NULL, "UPDATE", NULL},
    {"DELETE", NULL, "DELETE", NULL},
    {"TRUNCATE", NULL, "DROP", NULL},
    {"CREATE", "DATABASE", NULL, ""},
    {"CREATE", "SCHEMA", NULL, ""},
    {"CREATE", "USER", NULL, "CREATE USER"},
    {"CREATE", "ROLE", NULL, "CREATE ROLE"},
    {"CREATE", "SERVER", NULL, "SUPER"},
    {"CREATE", "FUNCTION", NULL, ""},
    {"CREATE", "PROCEDURE", NULL, ""},
    {"CREATE", "EVENT", NULL, ""},
    {"CREATE", "TRIGGER", "TRIGGER", NULL},
    {"CREATE", "TEMPORARY", NULL, ""},
    {"CREATE", "VIEW", "CREATE VIEW", NULL},
    {"CREATE", "INDEX", "INDEX", NULL},
    {"CREATE", "UNIQUE", "INDEX", NULL},
    {"CREATE", "FULLTEXT", "INDEX", NULL},
    {"CREATE", "OR", "CREATE VIEW", NULL},
    {"CREATE", "TABLE", "CREATE", NULL},
    {"DROP", "DATABASE", NULL, ""},
    {"DROP", "SCHEMA", NULL, ""},
    {"DROP", "USER", NULL, "CREATE USER"},
    {"DROP", "INDEX", "INDEX", NULL},
    {"DROP", "VIEW", "DROP", NULL},
    {"DROP", "TABLE", "DROP", NULL},
    {"DROP", "TABLES", "DROP", NULL},
    {"DROP", "TEMPORARY", "DROP", NULL},
    {"ALTER", "DATABASE", NULL, ""},
    {"ALTER", "SCHEMA", NULL, ""},
    {"ALTER", "USER", NULL, "CREATE USER"},
    {"ALTER", "TABLE", "ALTER", NULL},
    {"RENAME", "TABLE", "DROP, ALTER", NULL},
    {"RENAME", "USER", NULL, "CREATE USER"},
    {"ANALYZE", NULL, "SELECT, INSERT", NULL},
    {"OPTIMIZE", NULL, "SELECT, INSERT", NULL},
    {"REPAIR", NULL, "SELECT, INSERT", NULL},
    {"LOCK", NULL, NULL, ""},
    {"FLUSH", NULL, NULL, "RELOAD"},
    {"RESET", NULL, NULL, "RELOAD"},
    {"PURGE", NULL, NULL, "SUPER"},
    {"CHANGE", NULL, NULL, "SUPER"},
    {"SHUTDOWN", NULL, NULL, "SHUTDOWN"},
    {"GRANT", NULL, NULL, "GRANT OPTION"},
    {"REVOKE", NULL, NULL, "CREATE USER"},
    {"INSTALL", NULL, NULL, "INSERT"},
    {"UNINSTALL", NULL, NULL, "DELETE"},
    {"IMPORT", NULL, NULL, "FILE"},
};

static bool denied(struct mysql_parser *p, const struct mysql_session *session)
{
    char table[MYSQL_NAME_BYTES];
    for (size_t i = 0; i < ARRAY_COUNT(denied_rows); i++) {
        const struct denied_row *row = &denied_rows[i];
        struct mysql_token next = mysql_parser_peek(p);
        if (!mysql_parser_at_word(p, row->first) ||
            (row->second != NULL && !span_equal_nocase(next.text, span_from_cstr(row->second)))) {
            continue;
        }
        mysql_parser_advance(p);
        if (row->verb == NULL && row->privilege[0] != '\0') {
            return refuse_privilege(p, row->privilege);
        }
        if (row->verb == NULL) { /* of the whole database */
            mysql_parser_advance(p);
            target_name(p, table);
            bool named = row->second != NULL && (strcmp(row->second, "DATABASE") == 0 ||
                                                 strcmp(row->second, "SCHEMA") == 0);
            return refuse_code(p, session, MYSQL_ER_DBACCESS_DENIED,
                               named ? table : session->db->database);
        }
        bool index = strcmp(row->verb, "INDEX") == 0;
        if (index) { /* CREATE INDEX name ON table */
            while (!mysql_parser_at_word(p, "ON") && p->token.kind != MYSQL_TOKEN_END) {
                mysql_parser_advance(p);
            }
        }
        target_name(p, table);
        return refuse_verb(p, session, row->verb, table);
    }
    return mysql_parser_fail(p);
}

/* --- SET --- */

static bool set_names(struct mysql_parser *p)
{
    struct span name;
    char shown[64];
    if (mysql_parser_word(p, "DEFAULT")) {
        return true;
    }
    if (mysql_parser_word(p, "BINARY")) {
        return true;
    }
    if (!mysql_parser_alias_name(p, &name)) {
        return false;
    }
    static const char *const sets[] = {"utf8", "utf8mb3", "utf8mb4", "latin1", "ascii", "binary"};
    for (size_t i = 0; i < ARRAY_COUNT(sets); i++) {
        if (span_equal_nocase(name, span_from_cstr(sets[i]))) {
            return !mysql_parser_word(p, "COLLATE") || mysql_parser_alias_name(p, &name);
        }
    }
    snprintf(shown, sizeof(shown), "%.*s", SPAN_ARG(name));
    p->failed = true;
    return mysql_error_set(p->error, MYSQL_ER_UNKNOWN_CHARACTER_SET, shown);
}

/* SET [SESSION] TRANSACTION ISOLATION LEVEL ..., READ ONLY */
static bool set_transaction(struct mysql_parser *p)
{
    while (p->token.kind == MYSQL_TOKEN_NAME || mysql_parser_at_op(p, ",")) {
        mysql_parser_advance(p);
    }
    return true;
}

static bool set_value(struct mysql_parser *p, struct mysql_assignment *assignment)
{
    if (!mysql_parser_op(p, "=") && !mysql_parser_need_op(p, ":=")) {
        return false;
    }
    /* ON, DEFAULT, utf8mb4, BINARY: words stand for themselves. */
    bool word = p->token.kind == MYSQL_TOKEN_NAME && !mysql_parse_is_call(p) &&
                !mysql_parser_at_word(p, "NULL");
    if (word) {
        assignment->value = mysql_node_new(p, MYSQL_NODE_STRING);
        if (assignment->value == NULL) {
            return false;
        }
        assignment->value->text = p->token.text;
        assignment->value->source = p->token.text;
        mysql_parser_advance(p);
        return true;
    }
    assignment->value = mysql_parse_expr(p);
    return assignment->value != NULL;
}

static bool set_name(struct mysql_parser *p, struct mysql_assignment *assignment, bool *global)
{
    assignment->of_user = p->token.kind == MYSQL_TOKEN_VARIABLE;
    if (assignment->of_user) {
        assignment->name = span_skip(p->token.text, 1);
        mysql_parser_advance(p);
        return true;
    }
    bool system = p->token.kind == MYSQL_TOKEN_SYSTEM;
    if (system) {
        mysql_parser_advance(p);
    }
    static const char *const scopes[] = {"GLOBAL", "PERSIST", "PERSIST_ONLY", "SESSION", "LOCAL"};
    for (size_t i = 0; i < ARRAY_COUNT(scopes); i++) {
        if (mysql_parser_word(p, scopes[i])) {
            *global = i < 3;
            if (system && !mysql_parser_need_op(p, ".")) {
                return false;
            }
            break;
        }
    }
    return mysql_parser_name(p, &assignment->name);
}

static bool set_one(struct mysql_parser *p, struct mysql_assignment *assignment)
{
    bool global = false;
    if (mysql_parser_word(p, "NAMES")) {
        return set_names(p);
    }
    if (mysql_parser_at_word(p, "CHARACTER") || mysql_parser_at_word(p, "CHARSET")) {
        bool two = mysql_parser_word(p, "CHARACTER");
        if (!two) {
            mysql_parser_advance(p);
        }
        return (!two || mysql_parser_need_word(p, "SET")) && set_names(p);
    }
    if (mysql_parser_at_word(p, "TRANSACTION") ||
        (mysql_parser_at_word(p, "SESSION") &&
         span_equal_nocase(mysql_parser_peek(p).text, SPAN_LIT("TRANSACTION")))) {
        return set_transaction(p);
    }
    if (mysql_parser_at_word(p, "PASSWORD") || mysql_parser_at_word(p, "ROLE")) {
        return mysql_parser_unsupported(p, "SET PASSWORD and SET ROLE");
    }
    if (!set_name(p, assignment, &global) || !set_value(p, assignment)) {
        return false;
    }
    return !global || refuse_privilege(p, "SUPER or SYSTEM_VARIABLES_ADMIN");
}

static bool classify_set(struct mysql_parser *p, struct mysql_parsed *parsed)
{
    struct mysql_assignment **end = &parsed->assignments;
    parsed->action = MYSQL_ACTION_SET;
    do {
        struct mysql_assignment *assignment = ARENA_NEW(p->arena, struct mysql_assignment);
        if (assignment == NULL) {
            return mysql_parser_no_memory(p);
        }
        if (!set_one(p, assignment)) {
            return false;
        }
        *end = assignment;
        end = &assignment->next;
    } while (mysql_parser_op(p, ","));
    return true;
}

/* --- the rest --- */

static bool skip_rest(struct mysql_parser *p)
{
    while (p->token.kind != MYSQL_TOKEN_END && !mysql_parser_at_op(p, ";")) {
        if (p->token.kind == MYSQL_TOKEN_BAD) {
            return mysql_parser_fail(p);
        }
        mysql_parser_advance(p);
    }
    return true;
}

static bool classify_transaction(struct mysql_parser *p, struct mysql_parsed *parsed)
{
    if (mysql_parser_word(p, "BEGIN")) {
        parsed->action = MYSQL_ACTION_BEGIN;
        mysql_parser_word(p, "WORK");
        return true;
    }
    if (mysql_parser_word(p, "START")) {
        parsed->action = MYSQL_ACTION_BEGIN;
        return mysql_parser_need_word(p, "TRANSACTION") && skip_rest(p);
    }
    bool rollback = mysql_parser_at_word(p, "ROLLBACK");
    mysql_parser_advance(p);
    mysql_parser_word(p, "WORK");
    bool to = rollback && mysql_parser_word(p, "TO");
    parsed->action = to ? MYSQL_ACTION_NONE : MYSQL_ACTION_END;
    return skip_rest(p);
}

static bool classify_kill(struct mysql_parser *p)
{
    uint64_t id = 0;
    if (!mysql_parser_word(p, "QUERY")) {
        mysql_parser_word(p, "CONNECTION");
    }
    if (p->token.kind != MYSQL_TOKEN_INTEGER || !span_parse_u64(p->token.text, &id)) {
        return mysql_parser_fail(p);
    }
    p->failed = true;
    return mysql_error_set(p->error, MYSQL_ER_NO_SUCH_THREAD, (unsigned long)id);
}

/* DO a, b is SELECT a, b without rows. */
static bool classify_do(struct mysql_parser *p, struct mysql_parsed *parsed)
{
    struct mysql_query_expr *query = ARENA_NEW(p->arena, struct mysql_query_expr);
    struct mysql_select *select = ARENA_NEW(p->arena, struct mysql_select);
    if (query == NULL || select == NULL) {
        return mysql_parser_no_memory(p);
    }
    struct mysql_item **end = &select->items;
    do {
        struct mysql_item *item = ARENA_NEW(p->arena, struct mysql_item);
        if (item == NULL || (item->node = mysql_parse_expr(p)) == NULL) {
            return mysql_parser_no_memory(p);
        }
        *end = item;
        end = &item->next;
    } while (mysql_parser_op(p, ","));
    query->selects = select;
    parsed->query = query;
    parsed->action = MYSQL_ACTION_DISCARD;
    return true;
}

/* CALL: there are no procedures. */
static bool classify_call(struct mysql_parser *p, const struct mysql_session *session)
{
    char name[2 * MYSQL_NAME_BYTES];
    char routine[MYSQL_NAME_BYTES];
    target_name(p, routine);
    if (p->failed || routine[0] == '\0') {
        return mysql_parser_fail(p);
    }
    snprintf(name, sizeof(name), "%s.%s", session->db->database, routine);
    p->failed = true;
    return mysql_error_set(p->error, MYSQL_ER_SP_DOES_NOT_EXIST, "PROCEDURE", name);
}

static bool classify_query(struct mysql_parsed *parsed, struct mysql_query_expr *query)
{
    parsed->action = MYSQL_ACTION_QUERY;
    parsed->query = query;
    return query != NULL;
}

static bool classify_other(struct mysql_parser *p, struct mysql_session *session,
                           struct mysql_parsed *parsed)
{
    if (mysql_parser_word(p, "USE")) {
        parsed->action = MYSQL_ACTION_USE;
        return mysql_parser_name(p, &parsed->database);
    }
    if (mysql_parser_word(p, "DO")) {
        return classify_do(p, parsed);
    }
    if (mysql_parser_word(p, "KILL")) {
        return classify_kill(p);
    }
    if (mysql_parser_word(p, "CALL")) {
        return classify_call(p, session);
    }
    if (mysql_parser_at_word(p, "LOAD")) {
        return refuse_code(p, session, MYSQL_ER_ACCESS_DENIED, "");
    }
    if (mysql_parser_at_word(p, "UNLOCK") || mysql_parser_at_word(p, "SAVEPOINT") ||
        mysql_parser_at_word(p, "RELEASE")) {
        return skip_rest(p);
    }
    if (mysql_parser_at_word(p, "PREPARE") || mysql_parser_at_word(p, "EXECUTE") ||
        mysql_parser_at_word(p, "DEALLOCATE") || mysql_parser_at_word(p, "HANDLER") ||
        mysql_parser_at_word(p, "TABLE") || mysql_parser_at_word(p, "VALUES") ||
        mysql_parser_at_word(p, "XA") || mysql_parser_at_word(p, "CHECK")) {
        return mysql_parser_unsupported(p, "that statement");
    }
    return denied(p, session);
}

bool mysql_classify(struct mysql_parser *p, struct mysql_session *session,
                    struct mysql_parsed *parsed)
{
    bool ok;
    if (p->token.kind == MYSQL_TOKEN_END || mysql_parser_at_op(p, ";")) {
        return mysql_error_set(p->error, MYSQL_ER_EMPTY_QUERY);
    }
    if (mysql_parse_at_query(p)) {
        ok = classify_query(parsed, mysql_parse_query(p));
    } else if (mysql_parser_word(p, "SHOW")) {
        ok = classify_query(parsed, mysql_parse_show(p, session));
    } else if (mysql_parser_word(p, "DESCRIBE") || mysql_parser_word(p, "DESC") ||
               mysql_parser_word(p, "EXPLAIN")) {
        ok = classify_query(parsed, mysql_parse_describe(p, session));
    } else if (mysql_parser_word(p, "SET")) {
        ok = classify_set(p, parsed);
    } else if (mysql_parser_at_word(p, "BEGIN") || mysql_parser_at_word(p, "COMMIT") ||
               mysql_parser_at_word(p, "ROLLBACK") || mysql_parser_at_word(p, "START")) {
        ok = classify_transaction(p, parsed);
    } else {
        ok = classify_other(p, session, parsed);
    }
    return ok && mysql_parser_need_end(p);
}
