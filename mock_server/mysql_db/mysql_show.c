#include "mysql_show.h"

#include "buf.h"
#include "mysql_catalog.h"
#include "mysql_resolver.h"
#include "mysql_variables.h"

#include <stdio.h>
#include <string.h>

#define TEXT(name)                                                                                 \
    {                                                                                              \
        name, MYSQL_CLASS_TEXT, 64                                                                 \
    }
#define LONG(name)                                                                                 \
    {                                                                                              \
        name, MYSQL_CLASS_TEXT, 4096                                                               \
    }
#define NUMBER(name)                                                                               \
    {                                                                                              \
        name, MYSQL_CLASS_INT, 0                                                                   \
    }

static const char *show_database(const struct mysql_rows *rows)
{
    return rows->session->db->database;
}

static void show_databases(struct mysql_rows *rows)
{
    mysql_rows_text(rows, "information_schema");
    mysql_rows_text(rows, show_database(rows));
}
static const struct mysql_virtual_column database_columns[] = {TEXT("Database")};
static const struct mysql_virtual databases = {"SCHEMATA", database_columns, 1, show_databases};

static void show_tables(struct mysql_rows *rows)
{
    static const enum table_id by_name[] = {TABLE_GEO, TABLE_PIN, TABLE_USER};
    for (size_t i = 0; i < ARRAY_COUNT(by_name); i++) {
        mysql_rows_text(rows, table_get(by_name[i])->name);
        if (rows->columns > 1) {
            mysql_rows_text(rows, "BASE TABLE");
        }
    }
}
static const struct mysql_virtual_column table_columns[] = {TEXT("Name"), TEXT("Table_type")};
static const struct mysql_virtual tables_short = {"TABLES", table_columns, 1, show_tables};
static const struct mysql_virtual tables_full = {"TABLES", table_columns, 2, show_tables};

static void show_columns_of(struct mysql_rows *rows, bool full)
{
    const struct table *table = table_find(rows->subject);
    for (size_t i = 0; table != NULL && i < table->column_count; i++) {
        enum column_type type = table->columns[i].type;
        mysql_rows_text(rows, table->columns[i].name);
        mysql_rows_text(rows, mysql_catalog_type(type));
        if (full && type == COLUMN_TEXT) {
            mysql_rows_text(rows, "utf8mb4_0900_ai_ci");
        } else if (full) {
            mysql_rows_null(rows);
        }
        mysql_rows_text(rows, i == 0 ? "NO" : "YES");
        mysql_rows_text(rows, i == 0 ? "PRI" : "");
        mysql_rows_null(rows);
        mysql_rows_text(rows, "");
        if (full) {
            mysql_rows_text(rows, "select");
            mysql_rows_text(rows, "");
        }
    }
}
static void show_columns(struct mysql_rows *rows)
{
    show_columns_of(rows, false);
}
static void show_full_columns(struct mysql_rows *rows)
{
    show_columns_of(rows, true);
}
static const struct mysql_virtual_column column_columns[] = {
    TEXT("Field"), TEXT("Type"), TEXT("Null"), TEXT("Key"), TEXT("Default"), TEXT("Extra")};
static const struct mysql_virtual_column column_full_columns[] = {
    TEXT("Field"),   TEXT("Type"),  TEXT("Collation"),  TEXT("Null"),   TEXT("Key"),
    TEXT("Default"), TEXT("Extra"), TEXT("Privileges"), TEXT("Comment")};
static const struct mysql_virtual columns_short = {"COLUMNS", column_columns, 6, show_columns};
static const struct mysql_virtual columns_full = {"COLUMNS", column_full_columns, 9,
                                                  show_full_columns};

static void show_index(struct mysql_rows *rows)
{
    const struct table *table = table_find(rows->subject);
    mysql_rows_text(rows, table->name);
    mysql_rows_integer(rows, 0);
    mysql_rows_text(rows, "PRIMARY");
    mysql_rows_integer(rows, 1);
    mysql_rows_text(rows, table->columns[0].name);
    mysql_rows_text(rows, "A");
    mysql_rows_integer(rows, 11154);
    mysql_rows_null(rows);
    mysql_rows_null(rows);
    mysql_rows_text(rows, "");
    mysql_rows_text(rows, "BTREE");
    mysql_rows_text(rows, "");
    mysql_rows_text(rows, "");
    mysql_rows_text(rows, "YES");
    mysql_rows_null(rows);
}
static const struct mysql_virtual_column index_columns[] = {
    TEXT("Table"),         NUMBER("Non_unique"), TEXT("Key_name"),      NUMBER("Seq_in_index"),
    TEXT("Column_name"),   TEXT("Collation"),    NUMBER("Cardinality"), NUMBER("Sub_part"),
    TEXT("Packed"),        TEXT("Null"),         TEXT("Index_type"),    TEXT("Comment"),
    TEXT("Index_comment"), TEXT("Visible"),      TEXT("Expression")};
static const struct mysql_virtual indexes = {"STATISTICS", index_columns, 15, show_index};

/* Line by line, as SQLAlchemy reads it. */
static void show_create_table(struct mysql_rows *rows)
{
    const struct table *table = table_find(rows->subject);
    struct buf text;
    buf_init(&text, 4096);
    buf_printf(&text, "CREATE TABLE `%s` (\n", table->name);
    for (size_t i = 0; i < table->column_count; i++) {
        enum column_type type = table->columns[i].type;
        buf_printf(&text, "  `%s` %s%s,\n", table->columns[i].name, mysql_catalog_type(type),
                   i == 0                ? " NOT NULL"
                   : type == COLUMN_TEXT ? ""
                                         : " DEFAULT NULL");
    }
    buf_printf(&text,
               "  PRIMARY KEY (`%s`)\n"
               ") ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci",
               table->columns[0].name);
    rows->no_memory = rows->no_memory || !buf_ok(&text);
    mysql_rows_text(rows, table->name);
    mysql_rows_span(rows, buf_span(&text));
    buf_release(&text);
}
static const struct mysql_virtual_column create_table_columns[] = {TEXT("Table"),
                                                                   LONG("Create Table")};
static const struct mysql_virtual create_table = {"CREATE", create_table_columns, 2,
                                                  show_create_table};

static void show_create_database(struct mysql_rows *rows)
{
    char text[MYSQL_NAME_BYTES + 160];
    snprintf(text, sizeof(text),
             "CREATE DATABASE `%s` /*!40100 DEFAULT CHARACTER SET utf8mb4 COLLATE "
             "utf8mb4_0900_ai_ci */ /*!80016 DEFAULT ENCRYPTION='N' */",
             show_database(rows));
    mysql_rows_text(rows, show_database(rows));
    mysql_rows_text(rows, text);
}
static const struct mysql_virtual_column create_database_columns[] = {TEXT("Database"),
                                                                      LONG("Create Database")};
static const struct mysql_virtual create_database = {"CREATE", create_database_columns, 2,
                                                     show_create_database};

static const struct mysql_virtual_column variable_columns[] = {TEXT("Variable_name"),
                                                               {"Value", MYSQL_CLASS_TEXT, 1024}};
static const struct mysql_virtual variables = {"VARIABLES", variable_columns, 2,
                                               mysql_variables_fill};

static void show_status(struct mysql_rows *rows)
{
    static const char *const names[][2] = {
        {"Aborted_connects", "0"},  {"Connections", "1"},     {"Queries", "1"},
        {"Questions", "1"},         {"Ssl_cipher", ""},       {"Ssl_version", ""},
        {"Threads_connected", "1"}, {"Threads_running", "1"}, {"Uptime", "1"}};
    for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
        mysql_rows_text(rows, names[i][0]);
        mysql_rows_text(rows, names[i][1]);
    }
}
static const struct mysql_virtual status_variables = {"STATUS", variable_columns, 2, show_status};

static const struct mysql_virtual_column warning_columns[] = {
    TEXT("Level"), NUMBER("Code"), {"Message", MYSQL_CLASS_TEXT, 512}};
static const struct mysql_virtual warnings = {"WARNINGS", warning_columns, 3, NULL};

static void show_zero(struct mysql_rows *rows)
{
    mysql_rows_integer(rows, 0);
}
static const struct mysql_virtual_column warning_count_columns[] = {
    NUMBER("@@session.warning_count")};
static const struct mysql_virtual warning_count = {"WARNINGS", warning_count_columns, 1, show_zero};

static void show_grants(struct mysql_rows *rows)
{
    char text[3 * MYSQL_NAME_BYTES];
    snprintf(text, sizeof(text), "GRANT USAGE ON *.* TO `%s`@`%%`", rows->session->user);
    mysql_rows_text(rows, text);
    snprintf(text, sizeof(text), "GRANT SELECT ON `%s`.* TO `%s`@`%%`", show_database(rows),
             rows->session->user);
    mysql_rows_text(rows, text);
}
static const struct mysql_virtual_column grant_columns[] = {{"Grants", MYSQL_CLASS_TEXT, 1024}};
static const struct mysql_virtual grants = {"GRANTS", grant_columns, 1, show_grants};

static const struct mysql_virtual_column trigger_columns[] = {TEXT("Trigger"),
                                                              TEXT("Event"),
                                                              TEXT("Table"),
                                                              TEXT("Statement"),
                                                              TEXT("Timing"),
                                                              TEXT("Created"),
                                                              TEXT("sql_mode"),
                                                              TEXT("Definer"),
                                                              TEXT("character_set_client"),
                                                              TEXT("collation_connection"),
                                                              TEXT("Database Collation")};
static const struct mysql_virtual triggers = {"TRIGGERS", trigger_columns, 11, NULL};
static const struct mysql_virtual_column routine_columns[] = {TEXT("Db"),
                                                              TEXT("Name"),
                                                              TEXT("Type"),
                                                              TEXT("Definer"),
                                                              TEXT("Modified"),
                                                              TEXT("Created"),
                                                              TEXT("Security_type"),
                                                              TEXT("Comment"),
                                                              TEXT("character_set_client"),
                                                              TEXT("collation_connection"),
                                                              TEXT("Database Collation")};
static const struct mysql_virtual routines = {"ROUTINES", routine_columns, 11, NULL};
static const struct mysql_virtual_column event_columns[] = {TEXT("Db"), TEXT("Name"),
                                                            TEXT("Definer"), TEXT("Status")};
static const struct mysql_virtual events = {"EVENTS", event_columns, 4, NULL};

/* --- the grammar --- */

/* SELECT * FROM table. */
static struct mysql_query_expr *query_of(struct mysql_parser *p, const struct mysql_virtual *table,
                                         struct span subject)
{
    struct mysql_query_expr *query = ARENA_NEW(p->arena, struct mysql_query_expr);
    struct mysql_select *select = ARENA_NEW(p->arena, struct mysql_select);
    struct mysql_source *source = ARENA_NEW(p->arena, struct mysql_source);
    struct mysql_item *item = ARENA_NEW(p->arena, struct mysql_item);
    struct mysql_node *star = mysql_node_new(p, MYSQL_NODE_STAR);
    if (query == NULL || select == NULL || source == NULL || item == NULL || star == NULL) {
        mysql_parser_no_memory(p);
        return NULL;
    }
    item->node = star;
    source->is_virtual = table;
    source->name = subject;
    source->alias = span_from_cstr(table->name);
    source->schema = SPAN_LIT("information_schema");
    select->items = item;
    select->from = source;
    query->selects = select;
    return query;
}

static struct mysql_node *first_column(struct mysql_parser *p, const struct mysql_virtual *table)
{
    struct mysql_node *node = mysql_node_new(p, MYSQL_NODE_COLUMN);
    if (node != NULL) {
        node->name = span_from_cstr(table->columns[0].name);
        node->source = node->name;
    }
    return node;
}

/* [LIKE 'pattern' | WHERE expr] */
static struct mysql_query_expr *
show_filtered(struct mysql_parser *p, const struct mysql_virtual *table, struct span subject)
{
    struct mysql_query_expr *query = query_of(p, table, subject);
    if (query == NULL) {
        return NULL;
    }
    if (mysql_parser_word(p, "LIKE")) {
        struct mysql_node *like = mysql_node_new(p, MYSQL_NODE_LIKE);
        struct mysql_node *column = first_column(p, table);
        struct mysql_node *pattern =
            p->token.kind == MYSQL_TOKEN_STRING ? mysql_parse_simple(p) : NULL;
        if (pattern == NULL || like == NULL || column == NULL) {
            mysql_parser_fail(p);
            return NULL;
        }
        mysql_node_add(like, column);
        mysql_node_add(like, pattern);
        query->selects->where = like;
    } else if (mysql_parser_word(p, "WHERE")) {
        query->selects->where = mysql_parse_expr(p);
    }
    return p->failed ? NULL : query;
}

/* [FROM | IN database]; false: 1049. */
static bool show_from_database(struct mysql_parser *p, struct mysql_session *session,
                               bool *information)
{
    struct span name = span_from_cstr(session->database);
    if ((mysql_parser_word(p, "FROM") || mysql_parser_word(p, "IN")) &&
        !mysql_parser_name(p, &name)) {
        return false;
    }
    char shown[MYSQL_NAME_BYTES];
    snprintf(shown, sizeof(shown), "%.*s", SPAN_ARG(name));
    *information = span_equal_nocase(name, SPAN_LIT("information_schema"));
    if (span_equal_cstr(name, session->db->database) || *information) {
        return true;
    }
    p->failed = true;
    return name.len == 0 ? mysql_error_set(p->error, MYSQL_ER_NO_DB)
                         : mysql_error_set(p->error, MYSQL_ER_BAD_DB, shown);
}

/* [db.]table [FROM db]; false: 1146 and the others. */
static bool show_table_name(struct mysql_parser *p, struct mysql_session *session,
                            struct span *table)
{
    char shown[MYSQL_NAME_BYTES];
    char schema[MYSQL_NAME_BYTES];
    struct span database = span_from_cstr(session->database);
    if (!mysql_parser_name(p, table)) {
        return false;
    }
    if (mysql_parser_op(p, ".")) {
        database = *table;
        if (!mysql_parser_name(p, table)) {
            return false;
        }
    }
    if ((mysql_parser_word(p, "FROM") || mysql_parser_word(p, "IN")) &&
        !mysql_parser_name(p, &database)) {
        return false;
    }
    const struct table *found = table_find(*table);
    snprintf(shown, sizeof(shown), "%.*s", SPAN_ARG(*table));
    snprintf(schema, sizeof(schema), "%.*s", SPAN_ARG(database));
    bool here = span_equal_cstr(database, session->db->database);
    if (here && found != NULL && span_equal_cstr(*table, found->name)) {
        return true;
    }
    p->failed = true;
    if (database.len == 0) {
        return mysql_error_set(p->error, MYSQL_ER_NO_DB);
    }
    if (!here && !span_equal_nocase(database, SPAN_LIT("information_schema"))) {
        return mysql_error_set(p->error, MYSQL_ER_BAD_DB, schema);
    }
    return mysql_error_set(p->error, MYSQL_ER_NO_SUCH_TABLE, schema, shown);
}

/* Tables_in_db (pattern), of the table's own name for it. */
static struct mysql_query_expr *show_tables_query(struct mysql_parser *p,
                                                  struct mysql_session *session, bool full)
{
    bool information = false;
    if (!show_from_database(p, session, &information)) {
        return NULL;
    }
    if (information) {
        mysql_parser_unsupported(p, "SHOW TABLES FROM information_schema");
        return NULL;
    }
    bool like = mysql_parser_at_word(p, "LIKE");
    struct mysql_token pattern = mysql_parser_peek(p);
    const struct mysql_virtual *table = full ? &tables_full : &tables_short;
    struct mysql_query_expr *query = show_filtered(p, table, SPAN_EMPTY);
    if (query == NULL) {
        return NULL;
    }
    struct span bytes = like ? mysql_token_bytes(p->arena, &pattern) : SPAN_EMPTY;
    char *name = arena_printf(p->arena, like ? "Tables_in_%s (%.*s)" : "Tables_in_%s%.*s",
                              session->db->database, SPAN_ARG(bytes));
    struct mysql_item *item = query->selects->items;
    item->node = first_column(p, table);
    item->alias = span_from_cstr(name);
    if (full && item->node != NULL) {
        item->next = ARENA_NEW(p->arena, struct mysql_item);
        struct mysql_node *type = mysql_node_new(p, MYSQL_NODE_COLUMN);
        if (item->next == NULL || type == NULL) {
            return NULL;
        }
        type->name = SPAN_LIT("Table_type");
        type->source = type->name;
        item->next->node = type;
    }
    return item->node != NULL && name != NULL ? query : NULL;
}

static struct mysql_query_expr *show_columns_query(struct mysql_parser *p,
                                                   struct mysql_session *session, bool full)
{
    struct span table;
    if ((!mysql_parser_word(p, "FROM") && !mysql_parser_need_word(p, "IN")) ||
        !show_table_name(p, session, &table)) {
        return NULL;
    }
    return show_filtered(p, full ? &columns_full : &columns_short, table);
}

static struct mysql_query_expr *show_index_query(struct mysql_parser *p,
                                                 struct mysql_session *session)
{
    struct span table;
    if ((!mysql_parser_word(p, "FROM") && !mysql_parser_need_word(p, "IN")) ||
        !show_table_name(p, session, &table)) {
        return NULL;
    }
    return show_filtered(p, &indexes, table);
}

static struct mysql_query_expr *show_create_query(struct mysql_parser *p,
                                                  struct mysql_session *session)
{
    struct span name;
    if (mysql_parser_word(p, "TABLE")) {
        return show_table_name(p, session, &name) ? query_of(p, &create_table, name) : NULL;
    }
    if (mysql_parser_word(p, "DATABASE") || mysql_parser_word(p, "SCHEMA")) {
        struct mysql_error unread;
        if (!mysql_parser_name(p, &name)) {
            return NULL;
        }
        struct mysql_session probe = *session;
        if (!mysql_session_use(&probe, name, &unread)) {
            p->failed = true;
            *p->error = unread;
            return NULL;
        }
        return query_of(p, &create_database, name);
    }
    mysql_parser_unsupported(p, "SHOW CREATE of that");
    return NULL;
}

struct show_row {
    const char *first;
    const char *second; /* NULL: one word */
    const struct mysql_virtual *table;
};

/* Statements that take LIKE or WHERE and nothing else. */
static const struct show_row show_rows[] = {
    {"DATABASES", NULL, &databases},    {"SCHEMAS", NULL, &databases},
    {"VARIABLES", NULL, &variables},    {"STATUS", NULL, &status_variables},
    {"WARNINGS", NULL, &warnings},      {"ERRORS", NULL, &warnings},
    {"TRIGGERS", NULL, &triggers},      {"EVENTS", NULL, &events},
    {"PROCEDURE", "STATUS", &routines}, {"FUNCTION", "STATUS", &routines},
};

struct show_schema_row {
    const char *first;
    const char *second;
    const char *table; /* of information_schema */
};
static const struct show_schema_row show_schema_rows[] = {
    {"ENGINES", NULL, "ENGINES"},        {"STORAGE", "ENGINES", "ENGINES"},
    {"COLLATION", NULL, "COLLATIONS"},   {"CHARACTER", "SET", "CHARACTER_SETS"},
    {"CHARSET", NULL, "CHARACTER_SETS"}, {"PROCESSLIST", NULL, "PROCESSLIST"},
    {"PLUGINS", NULL, "PLUGINS"},
};

static struct mysql_query_expr *show_plain(struct mysql_parser *p, struct mysql_session *session)
{
    bool information;
    for (size_t i = 0; i < ARRAY_COUNT(show_rows); i++) {
        if (mysql_parser_word(p, show_rows[i].first)) {
            bool ok = show_rows[i].second == NULL || mysql_parser_need_word(p, show_rows[i].second);
            if (ok && (mysql_parser_at_word(p, "FROM") || mysql_parser_at_word(p, "IN"))) {
                ok = show_from_database(p, session, &information);
            }
            return ok ? show_filtered(p, show_rows[i].table, SPAN_EMPTY) : NULL;
        }
    }
    for (size_t i = 0; i < ARRAY_COUNT(show_schema_rows); i++) {
        if (mysql_parser_word(p, show_schema_rows[i].first)) {
            bool ok = show_schema_rows[i].second == NULL ||
                      mysql_parser_need_word(p, show_schema_rows[i].second);
            const char *name = show_schema_rows[i].table;
            return ok ? show_filtered(p, mysql_virtual_find(span_from_cstr(name)), SPAN_EMPTY)
                      : NULL;
        }
    }
    if (mysql_parser_word(p, "GRANTS")) {
        while (!mysql_parser_at_op(p, ";") && p->token.kind != MYSQL_TOKEN_END) {
            mysql_parser_advance(p); /* FOR CURRENT_USER() */
        }
        return query_of(p, &grants, SPAN_EMPTY);
    }
    if (mysql_parser_word(p, "COUNT")) {
        bool ok = mysql_parser_need_op(p, "(") && mysql_parser_need_op(p, "*") &&
                  mysql_parser_need_op(p, ")") &&
                  (mysql_parser_word(p, "WARNINGS") || mysql_parser_need_word(p, "ERRORS"));
        return ok ? query_of(p, &warning_count, SPAN_EMPTY) : NULL;
    }
    if (mysql_parser_at_word(p, "MASTER") || mysql_parser_at_word(p, "SLAVE") ||
        mysql_parser_at_word(p, "REPLICA") || mysql_parser_at_word(p, "BINARY")) {
        p->failed = true;
        mysql_error_set(p->error, MYSQL_ER_SPECIFIC_ACCESS_DENIED, "SUPER, REPLICATION CLIENT");
        return NULL;
    }
    mysql_parser_fail(p);
    return NULL;
}

struct mysql_query_expr *mysql_parse_show(struct mysql_parser *p, struct mysql_session *session)
{
    bool full = mysql_parser_word(p, "FULL");
    bool information = false;
    mysql_parser_word(p, "EXTENDED");
    if (mysql_parser_word(p, "GLOBAL") || mysql_parser_word(p, "SESSION") ||
        mysql_parser_word(p, "LOCAL")) {
        full = false;
    }
    if (mysql_parser_word(p, "TABLES")) {
        return show_tables_query(p, session, full);
    }
    if (mysql_parser_word(p, "TABLE")) {
        return mysql_parser_need_word(p, "STATUS") && show_from_database(p, session, &information)
                   ? show_filtered(p, mysql_virtual_find(SPAN_LIT("TABLES")), SPAN_EMPTY)
                   : NULL;
    }
    if (mysql_parser_word(p, "COLUMNS") || mysql_parser_word(p, "FIELDS")) {
        return show_columns_query(p, session, full);
    }
    if (mysql_parser_word(p, "INDEX") || mysql_parser_word(p, "INDEXES") ||
        mysql_parser_word(p, "KEYS")) {
        return show_index_query(p, session);
    }
    if (mysql_parser_word(p, "CREATE")) {
        return show_create_query(p, session);
    }
    return show_plain(p, session);
}

struct mysql_query_expr *mysql_parse_describe(struct mysql_parser *p, struct mysql_session *session)
{
    struct span table;
    if (mysql_parse_at_query(p) || mysql_parser_at_word(p, "ANALYZE") ||
        mysql_parser_at_word(p, "FORMAT") || mysql_parser_at_word(p, "EXTENDED")) {
        mysql_parser_unsupported(p, "EXPLAIN of a query");
        return NULL;
    }
    if (!show_table_name(p, session, &table)) {
        return NULL;
    }
    struct mysql_query_expr *query = query_of(p, &columns_short, table);
    struct span column = SPAN_EMPTY;
    if (query != NULL && (mysql_parser_at_name(p) || p->token.kind == MYSQL_TOKEN_STRING) &&
        mysql_parser_alias_name(p, &column)) { /* DESCRIBE table column */
        struct mysql_node *like = mysql_node_new(p, MYSQL_NODE_LIKE);
        struct mysql_node *field = first_column(p, &columns_short);
        struct mysql_node *pattern = mysql_node_new(p, MYSQL_NODE_STRING);
        if (like == NULL || field == NULL || pattern == NULL) {
            return NULL;
        }
        pattern->text = column;
        pattern->source = column;
        mysql_node_add(like, field);
        mysql_node_add(like, pattern);
        query->selects->where = like;
    }
    return query;
}
