#include "mysql_variables.h"

#include "mysql_catalog.h"
#include "mysql_resolver.h"

#include <stdio.h>
#include <string.h>

enum variable_kind { KIND_N, KIND_T, KIND_B, KIND_R, KIND_Q };

struct variable_row {
    const char *name;
    const char *value;
    enum variable_kind kind;
};

static const struct variable_row variable_rows[] = {
#define X(name, value, kind) {#name, value, KIND_##kind},
#include "mysql_variables.def"
#undef X
};

static const struct variable_row *variable_row_of(struct span name)
{
    for (size_t i = 0; i < ARRAY_COUNT(variable_rows); i++) {
        if (span_equal_nocase(name, span_from_cstr(variable_rows[i].name))) {
            return &variable_rows[i];
        }
    }
    return NULL;
}

/* As SHOW VARIABLES shows it. */
static const char *variable_value(const struct mysql_session *session,
                                  const struct variable_row *row, char digits[24])
{
    if (strcmp(row->value, "SESSION") != 0) {
        return row->value;
    }
    if (strcmp(row->name, "autocommit") == 0) {
        return session->autocommit ? "ON" : "OFF";
    }
    if (strcmp(row->name, "sql_mode") == 0) {
        return session->sql_mode;
    }
    if (strcmp(row->name, "version") == 0) {
        return mysql_db_version(session->db);
    }
    if (strcmp(row->name, "max_execution_time") == 0) {
        snprintf(digits, 24, "%lld", (long long)session->execution_ms_max);
        return digits;
    }
    return session->isolation;
}

bool mysql_variable_node(struct mysql_session *session, struct mysql_node *node,
                         struct arena *arena, struct mysql_error *error)
{
    char digits[24];
    char name[64];
    const struct variable_row *row = variable_row_of(node->name);
    if (row == NULL) {
        snprintf(name, sizeof(name), "%.*s", SPAN_ARG(node->name));
        return mysql_error_set(error, MYSQL_ER_UNKNOWN_SYSTEM_VARIABLE, name);
    }
    const char *value = variable_value(session, row, digits);
    struct span text = span_from_cstr(value);
    bool number = row->kind == KIND_N || row->kind == KIND_Q;
    if (row->kind == KIND_B) {
        node->kind = MYSQL_NODE_INTEGER;
        node->integer = strcmp(value, "ON") == 0 ? 1 : 0;
        node->shape = mysql_shape_int(1);
    } else if (number && span_parse_i64(text, &node->integer)) {
        node->kind = MYSQL_NODE_INTEGER;
        node->shape = mysql_shape_int(0);
        node->shape.is_unsigned = true;
    } else {
        node->kind = MYSQL_NODE_STRING;
        node->text = span_from_cstr(arena_copy_cstr(arena, text));
        node->shape = mysql_shape_of(MYSQL_CLASS_TEXT, (uint32_t)text.len);
    }
    node->name = node->source;
    return true;
}

static size_t user_variable_index(const struct mysql_session *session, struct span name)
{
    size_t i = 0;
    while (i < session->variable_count &&
           !span_equal_nocase(name, span_from_cstr(session->variables[i].name))) {
        i++;
    }
    return i;
}

void mysql_user_variable(const struct mysql_session *session, struct span name,
                         struct mysql_node *node)
{
    size_t i = user_variable_index(session, name);
    node->kind = MYSQL_NODE_NULL;
    node->shape = (struct mysql_shape){.class = MYSQL_CLASS_NULL};
    if (i == session->variable_count) {
        return;
    }
    const struct mysql_user_value *value = &session->variables[i];
    if (value->is_integer) {
        node->kind = MYSQL_NODE_INTEGER;
        node->integer = value->integer;
        node->shape = mysql_shape_int(0);
    } else {
        node->kind = MYSQL_NODE_STRING;
        node->text = span_from_cstr(value->text);
        node->shape = mysql_shape_of(MYSQL_CLASS_TEXT, MYSQL_NAME_BYTES);
    }
    node->name = node->source;
}

void mysql_user_variable_set(struct mysql_session *session, struct span name,
                             const struct mysql_node *value)
{
    size_t i = user_variable_index(session, name);
    bool kept = value->kind == MYSQL_NODE_INTEGER || value->kind == MYSQL_NODE_STRING;
    if (i == ARRAY_COUNT(session->variables)) {
        return;
    }
    struct mysql_user_value *to = &session->variables[i];
    if (!kept) { /* NULL: forgotten, which is the same */
        if (i < session->variable_count) {
            *to = session->variables[--session->variable_count];
        }
        return;
    }
    session->variable_count += i == session->variable_count ? 1 : 0;
    snprintf(to->name, sizeof(to->name), "%.*s", SPAN_ARG(name));
    to->is_integer = value->kind == MYSQL_NODE_INTEGER;
    to->integer = value->integer;
    snprintf(to->text, sizeof(to->text), "%.*s", SPAN_ARG(value->text));
}

static bool value_is_on(const struct mysql_node *value)
{
    struct span word = value->kind == MYSQL_NODE_STRING ? value->text : value->source;
    return (value->kind == MYSQL_NODE_INTEGER && value->integer != 0) ||
           span_equal_nocase(word, SPAN_LIT("ON")) || span_equal_nocase(word, SPAN_LIT("TRUE"));
}

static struct span value_word(const struct mysql_node *value)
{
    return value->kind == MYSQL_NODE_STRING ? value->text : value->source;
}

static bool switch_is_known(const struct mysql_node *value)
{
    struct span word = value_word(value);
    static const char *const words[] = {"0", "1", "ON", "OFF", "TRUE", "FALSE", "DEFAULT"};
    for (size_t i = 0; i < ARRAY_COUNT(words); i++) {
        if (span_equal_nocase(word, span_from_cstr(words[i]))) {
            return true;
        }
    }
    return false;
}

static void sql_mode_set(struct mysql_session *session, const struct mysql_node *value)
{
    struct span word = value_word(value);
    if (span_equal_nocase(word, SPAN_LIT("DEFAULT"))) {
        mysql_session_modes(session);
    } else if (value->kind == MYSQL_NODE_STRING) {
        snprintf(session->sql_mode, sizeof(session->sql_mode), "%.*s", SPAN_ARG(word));
    }
}

bool mysql_variable_set(struct mysql_session *session, struct span name,
                        const struct mysql_node *value, struct mysql_error *error)
{
    char shown[64];
    char word[64];
    const struct variable_row *row = variable_row_of(name);
    snprintf(shown, sizeof(shown), "%.*s", SPAN_ARG(name));
    snprintf(word, sizeof(word), "%.*s", SPAN_ARG(value_word(value)));
    if (row == NULL) {
        return mysql_error_set(error, MYSQL_ER_UNKNOWN_SYSTEM_VARIABLE, shown);
    }
    if (row->kind == KIND_R) {
        return mysql_error_set(error, MYSQL_ER_INCORRECT_GLOBAL_LOCAL_VAR, row->name, "read only");
    }
    if (row->kind == KIND_B && !switch_is_known(value)) {
        return mysql_error_set(error, MYSQL_ER_WRONG_VALUE_FOR_VAR, row->name, word);
    }
    if (strcmp(row->name, "autocommit") == 0) {
        session->autocommit = value_is_on(value);
        session->in_transaction = false;
    } else if (strcmp(row->name, "sql_mode") == 0) {
        sql_mode_set(session, value);
    } else if (strcmp(row->name, "max_execution_time") == 0 && value->kind == MYSQL_NODE_INTEGER) {
        session->execution_ms_max = value->integer > 0 ? value->integer : 0;
    } else if (strstr(row->name, "isolation") != NULL && value->kind == MYSQL_NODE_STRING) {
        snprintf(session->isolation, sizeof(session->isolation), "%s", word);
    }
    return true;
}

void mysql_variables_fill(struct mysql_rows *rows)
{
    char digits[24];
    for (size_t i = 0; i < ARRAY_COUNT(variable_rows); i++) {
        mysql_rows_text(rows, variable_rows[i].name);
        mysql_rows_text(rows, variable_value(rows->session, &variable_rows[i], digits));
    }
}
