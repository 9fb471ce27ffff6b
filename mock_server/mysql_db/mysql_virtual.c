/* information_schema, from the catalog. Tables of it that are always empty here have columns only
 * as far as somebody asks for them. */
#include "mysql_virtual.h"

#include "mysql_catalog.h"
#include "mysql_session.h"

#include <string.h>

static struct mysql_cell *rows_cell(struct mysql_rows *rows)
{
    if (rows->no_memory ||
        !ARENA_GROW(rows->arena, rows->cells, rows->cell_capacity, rows->cell_count + 1)) {
        rows->no_memory = true;
        return NULL;
    }
    struct mysql_cell *cell = &rows->cells[rows->cell_count++];
    *cell = (struct mysql_cell){.kind = MYSQL_NULL, .text = SPAN_EMPTY};
    return cell;
}

void mysql_rows_span(struct mysql_rows *rows, struct span text)
{
    struct mysql_cell *cell = rows_cell(rows);
    const char *copy = cell != NULL ? arena_copy_cstr(rows->arena, text) : NULL;
    if (copy == NULL) {
        rows->no_memory = true;
        return;
    }
    cell->kind = MYSQL_TEXT;
    cell->text = span_from(copy, text.len);
}

void mysql_rows_text(struct mysql_rows *rows, const char *text)
{
    mysql_rows_span(rows, span_from_cstr(text));
}

void mysql_rows_integer(struct mysql_rows *rows, int64_t value)
{
    struct mysql_cell *cell = rows_cell(rows);
    if (cell != NULL) {
        cell->kind = MYSQL_INT;
        cell->integer = value;
    }
}

void mysql_rows_null(struct mysql_rows *rows)
{
    (void)rows_cell(rows);
}

/* --- the tables that are there --- */

#define TEXT(name)                                                                                 \
    {                                                                                              \
        name, MYSQL_CLASS_TEXT, 64                                                                 \
    }
#define NUMBER(name)                                                                               \
    {                                                                                              \
        name, MYSQL_CLASS_INT, 0                                                                   \
    }
#define INSTANT(name)                                                                              \
    {                                                                                              \
        name, MYSQL_CLASS_DATETIME, 0                                                              \
    }

static const char *database_of(const struct mysql_rows *rows)
{
    return rows->session->db->database;
}

static void fill_schemata(struct mysql_rows *rows)
{
    const char *const names[] = {"information_schema", database_of(rows)};
    for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
        mysql_rows_text(rows, "def");
        mysql_rows_text(rows, names[i]);
        mysql_rows_text(rows, i == 0 ? "utf8mb3" : "utf8mb4");
        mysql_rows_text(rows, i == 0 ? "utf8mb3_general_ci" : "utf8mb4_0900_ai_ci");
        mysql_rows_null(rows);
        mysql_rows_text(rows, "NO");
    }
}
static const struct mysql_virtual_column schemata_columns[] = {
    TEXT("CATALOG_NAME"),           TEXT("SCHEMA_NAME"), TEXT("DEFAULT_CHARACTER_SET_NAME"),
    TEXT("DEFAULT_COLLATION_NAME"), TEXT("SQL_PATH"),    TEXT("DEFAULT_ENCRYPTION")};

static const struct mysql_virtual_column tables_columns[] = {TEXT("TABLE_CATALOG"),
                                                             TEXT("TABLE_SCHEMA"),
                                                             TEXT("TABLE_NAME"),
                                                             TEXT("TABLE_TYPE"),
                                                             TEXT("ENGINE"),
                                                             NUMBER("VERSION"),
                                                             TEXT("ROW_FORMAT"),
                                                             NUMBER("TABLE_ROWS"),
                                                             NUMBER("AVG_ROW_LENGTH"),
                                                             NUMBER("DATA_LENGTH"),
                                                             NUMBER("MAX_DATA_LENGTH"),
                                                             NUMBER("INDEX_LENGTH"),
                                                             NUMBER("DATA_FREE"),
                                                             NUMBER("AUTO_INCREMENT"),
                                                             INSTANT("CREATE_TIME"),
                                                             INSTANT("UPDATE_TIME"),
                                                             INSTANT("CHECK_TIME"),
                                                             TEXT("TABLE_COLLATION"),
                                                             NUMBER("CHECKSUM"),
                                                             TEXT("CREATE_OPTIONS"),
                                                             TEXT("TABLE_COMMENT")};

static void fill_tables(struct mysql_rows *rows)
{
    for (size_t i = 0; i < TABLE_COUNT; i++) {
        mysql_rows_text(rows, "def");
        mysql_rows_text(rows, database_of(rows));
        mysql_rows_text(rows, table_get((enum table_id)i)->name);
        mysql_rows_text(rows, "BASE TABLE");
        mysql_rows_text(rows, "InnoDB");
        mysql_rows_integer(rows, 10);
        mysql_rows_text(rows, "Dynamic");
        mysql_rows_integer(rows, 11154);
        mysql_rows_integer(rows, i == 0 ? 700 : 140);
        mysql_rows_integer(rows, i == 0 ? 7880704 : 1589248);
        mysql_rows_integer(rows, 0);
        mysql_rows_integer(rows, 0);
        mysql_rows_integer(rows, 4194304);
        mysql_rows_null(rows);
        mysql_rows_text(rows, "2022-10-18 00:00:00");
        mysql_rows_null(rows);
        mysql_rows_null(rows);
        mysql_rows_text(rows, "utf8mb4_0900_ai_ci");
        mysql_rows_null(rows);
        mysql_rows_text(rows, "");
        mysql_rows_text(rows, "");
    }
}

static const struct mysql_virtual_column columns_columns[] = {TEXT("TABLE_CATALOG"),
                                                              TEXT("TABLE_SCHEMA"),
                                                              TEXT("TABLE_NAME"),
                                                              TEXT("COLUMN_NAME"),
                                                              NUMBER("ORDINAL_POSITION"),
                                                              TEXT("COLUMN_DEFAULT"),
                                                              TEXT("IS_NULLABLE"),
                                                              TEXT("DATA_TYPE"),
                                                              NUMBER("CHARACTER_MAXIMUM_LENGTH"),
                                                              NUMBER("CHARACTER_OCTET_LENGTH"),
                                                              NUMBER("NUMERIC_PRECISION"),
                                                              NUMBER("NUMERIC_SCALE"),
                                                              NUMBER("DATETIME_PRECISION"),
                                                              TEXT("CHARACTER_SET_NAME"),
                                                              TEXT("COLLATION_NAME"),
                                                              TEXT("COLUMN_TYPE"),
                                                              TEXT("COLUMN_KEY"),
                                                              TEXT("EXTRA"),
                                                              TEXT("PRIVILEGES"),
                                                              TEXT("COLUMN_COMMENT"),
                                                              TEXT("GENERATION_EXPRESSION"),
                                                              NUMBER("SRS_ID")};

static void integer_or_null(struct mysql_rows *rows, bool there, int64_t value)
{
    if (there) {
        mysql_rows_integer(rows, value);
    } else {
        mysql_rows_null(rows);
    }
}

static void text_or_null(struct mysql_rows *rows, bool there, const char *text)
{
    if (there) {
        mysql_rows_text(rows, text);
    } else {
        mysql_rows_null(rows);
    }
}

static void fill_column(struct mysql_rows *rows, const struct table *table, size_t column)
{
    enum column_type type = table->columns[column].type;
    bool text = type == COLUMN_TEXT;
    mysql_rows_text(rows, "def");
    mysql_rows_text(rows, database_of(rows));
    mysql_rows_text(rows, table->name);
    mysql_rows_text(rows, table->columns[column].name);
    mysql_rows_integer(rows, (int64_t)column + 1);
    mysql_rows_null(rows);
    mysql_rows_text(rows, column == 0 ? "NO" : "YES");
    mysql_rows_text(rows, mysql_catalog_type(type));
    integer_or_null(rows, text, 65535);
    integer_or_null(rows, text, 65535);
    integer_or_null(rows, type == COLUMN_INT || type == COLUMN_FLOAT, type == COLUMN_INT ? 10 : 12);
    integer_or_null(rows, type == COLUMN_INT, 0);
    integer_or_null(rows, type == COLUMN_DATETIME, 0);
    text_or_null(rows, text, "utf8mb4");
    text_or_null(rows, text, "utf8mb4_0900_ai_ci");
    mysql_rows_text(rows, mysql_catalog_type(type));
    mysql_rows_text(rows, column == 0 ? "PRI" : "");
    mysql_rows_text(rows, "");
    mysql_rows_text(rows, "select");
    mysql_rows_text(rows, "");
    mysql_rows_text(rows, "");
    mysql_rows_null(rows);
}

static void fill_columns(struct mysql_rows *rows)
{
    for (size_t i = 0; i < TABLE_COUNT; i++) {
        const struct table *table = table_get((enum table_id)i);
        for (size_t k = 0; k < table->column_count; k++) {
            fill_column(rows, table, k);
        }
    }
}

static const struct mysql_virtual_column statistics_columns[] = {
    TEXT("TABLE_CATALOG"), TEXT("TABLE_SCHEMA"),  TEXT("TABLE_NAME"),     NUMBER("NON_UNIQUE"),
    TEXT("INDEX_SCHEMA"),  TEXT("INDEX_NAME"),    NUMBER("SEQ_IN_INDEX"), TEXT("COLUMN_NAME"),
    TEXT("COLLATION"),     NUMBER("CARDINALITY"), NUMBER("SUB_PART"),     TEXT("PACKED"),
    TEXT("NULLABLE"),      TEXT("INDEX_TYPE"),    TEXT("COMMENT"),        TEXT("INDEX_COMMENT"),
    TEXT("IS_VISIBLE"),    TEXT("EXPRESSION")};

static void fill_statistics(struct mysql_rows *rows)
{
    for (size_t i = 0; i < TABLE_COUNT; i++) {
        const struct table *table = table_get((enum table_id)i);
        mysql_rows_text(rows, "def");
        mysql_rows_text(rows, database_of(rows));
        mysql_rows_text(rows, table->name);
        mysql_rows_integer(rows, 0);
        mysql_rows_text(rows, database_of(rows));
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
}

static const struct mysql_virtual_column usage_columns[] = {TEXT("CONSTRAINT_CATALOG"),
                                                            TEXT("CONSTRAINT_SCHEMA"),
                                                            TEXT("CONSTRAINT_NAME"),
                                                            TEXT("TABLE_CATALOG"),
                                                            TEXT("TABLE_SCHEMA"),
                                                            TEXT("TABLE_NAME"),
                                                            TEXT("COLUMN_NAME"),
                                                            NUMBER("ORDINAL_POSITION"),
                                                            NUMBER("POSITION_IN_UNIQUE_CONSTRAINT"),
                                                            TEXT("REFERENCED_TABLE_SCHEMA"),
                                                            TEXT("REFERENCED_TABLE_NAME"),
                                                            TEXT("REFERENCED_COLUMN_NAME")};

static void fill_usage(struct mysql_rows *rows)
{
    for (size_t i = 0; i < TABLE_COUNT; i++) {
        const struct table *table = table_get((enum table_id)i);
        mysql_rows_text(rows, "def");
        mysql_rows_text(rows, database_of(rows));
        mysql_rows_text(rows, "PRIMARY");
        mysql_rows_text(rows, "def");
        mysql_rows_text(rows, database_of(rows));
        mysql_rows_text(rows, table->name);
        mysql_rows_text(rows, table->columns[0].name);
        mysql_rows_integer(rows, 1);
        mysql_rows_null(rows);
        mysql_rows_null(rows);
        mysql_rows_null(rows);
        mysql_rows_null(rows);
    }
}

static const struct mysql_virtual_column constraints_columns[] = {TEXT("CONSTRAINT_CATALOG"),
                                                                  TEXT("CONSTRAINT_SCHEMA"),
                                                                  TEXT("CONSTRAINT_NAME"),
                                                                  TEXT("TABLE_SCHEMA"),
                                                                  TEXT("TABLE_NAME"),
                                                                  TEXT("CONSTRAINT_TYPE"),
                                                                  TEXT("ENFORCED")};

static void fill_constraints(struct mysql_rows *rows)
{
    for (size_t i = 0; i < TABLE_COUNT; i++) {
        mysql_rows_text(rows, "def");
        mysql_rows_text(rows, database_of(rows));
        mysql_rows_text(rows, "PRIMARY");
        mysql_rows_text(rows, database_of(rows));
        mysql_rows_text(rows, table_get((enum table_id)i)->name);
        mysql_rows_text(rows, "PRIMARY KEY");
        mysql_rows_text(rows, "YES");
    }
}

static const struct mysql_virtual_column charset_columns[] = {
    TEXT("CHARACTER_SET_NAME"), TEXT("DEFAULT_COLLATE_NAME"), TEXT("DESCRIPTION"),
    NUMBER("MAXLEN")};
static void fill_charsets(struct mysql_rows *rows)
{
    static const char *const sets[][3] = {{"binary", "binary", "Binary pseudo charset"},
                                          {"utf8mb3", "utf8mb3_general_ci", "UTF-8 Unicode"},
                                          {"utf8mb4", "utf8mb4_0900_ai_ci", "UTF-8 Unicode"}};
    for (size_t i = 0; i < ARRAY_COUNT(sets); i++) {
        mysql_rows_text(rows, sets[i][0]);
        mysql_rows_text(rows, sets[i][1]);
        mysql_rows_text(rows, sets[i][2]);
        mysql_rows_integer(rows, i == 0 ? 1 : (int64_t)i + 2);
    }
}

static const struct mysql_virtual_column collation_columns[] = {
    TEXT("COLLATION_NAME"), TEXT("CHARACTER_SET_NAME"), NUMBER("ID"),         TEXT("IS_DEFAULT"),
    TEXT("IS_COMPILED"),    NUMBER("SORTLEN"),          TEXT("PAD_ATTRIBUTE")};
static void fill_collations(struct mysql_rows *rows)
{
    static const struct {
        const char *name;
        int id;
        bool is_default;
    } collations[] = {{"utf8mb4_general_ci", 45, false},
                      {"utf8mb4_bin", 46, false},
                      {"utf8mb4_unicode_ci", 224, false},
                      {"utf8mb4_0900_ai_ci", 255, true}};
    for (size_t i = 0; i < ARRAY_COUNT(collations); i++) {
        mysql_rows_text(rows, collations[i].name);
        mysql_rows_text(rows, "utf8mb4");
        mysql_rows_integer(rows, collations[i].id);
        mysql_rows_text(rows, collations[i].is_default ? "Yes" : "");
        mysql_rows_text(rows, "Yes");
        mysql_rows_integer(rows, collations[i].is_default ? 0 : 1);
        mysql_rows_text(rows, collations[i].is_default ? "NO PAD" : "PAD SPACE");
    }
}

static const struct mysql_virtual_column engines_columns[] = {TEXT("ENGINE"),  TEXT("SUPPORT"),
                                                              TEXT("COMMENT"), TEXT("TRANSACTIONS"),
                                                              TEXT("XA"),      TEXT("SAVEPOINTS")};
static void fill_engines(struct mysql_rows *rows)
{
    mysql_rows_text(rows, "InnoDB");
    mysql_rows_text(rows, "DEFAULT");
    mysql_rows_text(rows, "Supports transactions, row-level locking, and foreign keys");
    mysql_rows_text(rows, "YES");
    mysql_rows_text(rows, "YES");
    mysql_rows_text(rows, "YES");
}

static const struct mysql_virtual_column processlist_columns[] = {
    NUMBER("ID"),    TEXT("USER"),   TEXT("HOST"),  TEXT("DB"),
    TEXT("COMMAND"), NUMBER("TIME"), TEXT("STATE"), TEXT("INFO")};
static void fill_processlist(struct mysql_rows *rows)
{
    const struct mysql_session *session = rows->session;
    mysql_rows_integer(rows, session->connection_id);
    mysql_rows_text(rows, session->user);
    mysql_rows_text(rows, session->host);
    text_or_null(rows, session->database[0] != '\0', session->database);
    mysql_rows_text(rows, "Query");
    mysql_rows_integer(rows, 0);
    mysql_rows_text(rows, "executing");
    mysql_rows_null(rows);
}

static const struct mysql_virtual_column references_columns[] = {TEXT("CONSTRAINT_CATALOG"),
                                                                 TEXT("CONSTRAINT_SCHEMA"),
                                                                 TEXT("CONSTRAINT_NAME"),
                                                                 TEXT("UNIQUE_CONSTRAINT_CATALOG"),
                                                                 TEXT("UNIQUE_CONSTRAINT_SCHEMA"),
                                                                 TEXT("UNIQUE_CONSTRAINT_NAME"),
                                                                 TEXT("MATCH_OPTION"),
                                                                 TEXT("UPDATE_RULE"),
                                                                 TEXT("DELETE_RULE"),
                                                                 TEXT("TABLE_NAME"),
                                                                 TEXT("REFERENCED_TABLE_NAME")};
static const struct mysql_virtual_column views_columns[] = {TEXT("TABLE_CATALOG"),
                                                            TEXT("TABLE_SCHEMA"),
                                                            TEXT("TABLE_NAME"),
                                                            TEXT("VIEW_DEFINITION"),
                                                            TEXT("CHECK_OPTION"),
                                                            TEXT("IS_UPDATABLE"),
                                                            TEXT("DEFINER"),
                                                            TEXT("SECURITY_TYPE"),
                                                            TEXT("CHARACTER_SET_CLIENT"),
                                                            TEXT("COLLATION_CONNECTION")};
static const struct mysql_virtual_column routines_columns[] = {
    TEXT("SPECIFIC_NAME"),  TEXT("ROUTINE_CATALOG"),    TEXT("ROUTINE_SCHEMA"),
    TEXT("ROUTINE_NAME"),   TEXT("ROUTINE_TYPE"),       TEXT("DATA_TYPE"),
    TEXT("DTD_IDENTIFIER"), TEXT("ROUTINE_DEFINITION"), TEXT("ROUTINE_COMMENT"),
    TEXT("DEFINER")};
static const struct mysql_virtual_column parameters_columns[] = {
    TEXT("SPECIFIC_CATALOG"),   TEXT("SPECIFIC_SCHEMA"), TEXT("SPECIFIC_NAME"),
    NUMBER("ORDINAL_POSITION"), TEXT("PARAMETER_MODE"),  TEXT("PARAMETER_NAME"),
    TEXT("DATA_TYPE"),          TEXT("DTD_IDENTIFIER")};
static const struct mysql_virtual_column triggers_columns[] = {
    TEXT("TRIGGER_CATALOG"),    TEXT("TRIGGER_SCHEMA"),      TEXT("TRIGGER_NAME"),
    TEXT("EVENT_MANIPULATION"), TEXT("EVENT_OBJECT_SCHEMA"), TEXT("EVENT_OBJECT_TABLE"),
    TEXT("ACTION_STATEMENT"),   TEXT("ACTION_TIMING")};
static const struct mysql_virtual_column events_columns[] = {
    TEXT("EVENT_CATALOG"), TEXT("EVENT_SCHEMA"),     TEXT("EVENT_NAME"),
    TEXT("DEFINER"),       TEXT("EVENT_DEFINITION"), TEXT("STATUS")};
static const struct mysql_virtual_column partitions_columns[] = {
    TEXT("TABLE_CATALOG"),
    TEXT("TABLE_SCHEMA"),
    TEXT("TABLE_NAME"),
    TEXT("PARTITION_NAME"),
    NUMBER("PARTITION_ORDINAL_POSITION"),
    TEXT("PARTITION_METHOD"),
    NUMBER("TABLE_ROWS")};
static const struct mysql_virtual_column plugins_columns[] = {
    TEXT("PLUGIN_NAME"), TEXT("PLUGIN_VERSION"), TEXT("PLUGIN_STATUS"), TEXT("PLUGIN_TYPE")};
static const struct mysql_virtual_column check_columns[] = {
    TEXT("CONSTRAINT_CATALOG"), TEXT("CONSTRAINT_SCHEMA"), TEXT("CONSTRAINT_NAME"),
    TEXT("CHECK_CLAUSE")};

static const struct mysql_virtual information_schema[] = {
    {"SCHEMATA", schemata_columns, ARRAY_COUNT(schemata_columns), fill_schemata},
    {"TABLES", tables_columns, ARRAY_COUNT(tables_columns), fill_tables},
    {"COLUMNS", columns_columns, ARRAY_COUNT(columns_columns), fill_columns},
    {"STATISTICS", statistics_columns, ARRAY_COUNT(statistics_columns), fill_statistics},
    {"KEY_COLUMN_USAGE", usage_columns, ARRAY_COUNT(usage_columns), fill_usage},
    {"TABLE_CONSTRAINTS", constraints_columns, ARRAY_COUNT(constraints_columns), fill_constraints},
    {"CHARACTER_SETS", charset_columns, ARRAY_COUNT(charset_columns), fill_charsets},
    {"COLLATIONS", collation_columns, ARRAY_COUNT(collation_columns), fill_collations},
    {"ENGINES", engines_columns, ARRAY_COUNT(engines_columns), fill_engines},
    {"PROCESSLIST", processlist_columns, ARRAY_COUNT(processlist_columns), fill_processlist},
    {"REFERENTIAL_CONSTRAINTS", references_columns, ARRAY_COUNT(references_columns), NULL},
    {"VIEWS", views_columns, ARRAY_COUNT(views_columns), NULL},
    {"ROUTINES", routines_columns, ARRAY_COUNT(routines_columns), NULL},
    {"PARAMETERS", parameters_columns, ARRAY_COUNT(parameters_columns), NULL},
    {"TRIGGERS", triggers_columns, ARRAY_COUNT(triggers_columns), NULL},
    {"EVENTS", events_columns, ARRAY_COUNT(events_columns), NULL},
    {"PARTITIONS", partitions_columns, ARRAY_COUNT(partitions_columns), NULL},
    {"PLUGINS", plugins_columns, ARRAY_COUNT(plugins_columns), NULL},
    {"CHECK_CONSTRAINTS", check_columns, ARRAY_COUNT(check_columns), NULL},
};

const struct mysql_virtual *mysql_virtual_find(struct span name)
{
    for (size_t i = 0; i < ARRAY_COUNT(information_schema); i++) {
        if (span_equal_nocase(name, span_from_cstr(information_schema[i].name))) {
            return &information_schema[i];
        }
    }
    return NULL;
}
