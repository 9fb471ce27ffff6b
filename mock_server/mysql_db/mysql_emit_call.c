/* Calls, as SQLite's. */
#include "mysql_emitter.h"

#include "civil.h"

#include <stdio.h>

enum { second_us = 1000000, day_s = 86400 };

/* A date, datetime or NULL of whatever it is. */
void mysql_emit_date(struct mysql_emitter *e, const struct mysql_node *node)
{
    if (mysql_class_is_date(node->shape.class) || node->shape.class == MYSQL_CLASS_NULL) {
        mysql_emit(e, node);
        return;
    }
    buf_append_cstr(e->out, node->shape.class == MYSQL_CLASS_TIME ? "my_today_at(" : "my_to_date(");
    mysql_emit(e, node);
    BUF_APPEND_LIT(e->out, ")");
}

void mysql_emit_time(struct mysql_emitter *e, const struct mysql_node *node)
{
    if (mysql_class_is_date(node->shape.class) || node->shape.class == MYSQL_CLASS_NULL ||
        node->shape.class == MYSQL_CLASS_TIME) {
        mysql_emit(e, node);
        return;
    }
    BUF_APPEND_LIT(e->out, "my_to_time(");
    mysql_emit(e, node);
    BUF_APPEND_LIT(e->out, ")");
}

static void emit_argument(struct mysql_emitter *e, const struct mysql_node *node, char kind)
{
    switch (kind) {
    case 's':
        mysql_emit_text(e, node);
        break;
    case 'n':
        mysql_emit_number(e, node);
        break;
    case 'i':
        BUF_APPEND_LIT(e->out, "my_int(");
        mysql_emit_number(e, node);
        BUF_APPEND_LIT(e->out, ")");
        break;
    case 'd':
        mysql_emit_date(e, node);
        break;
    case 't':
        mysql_emit_time(e, node);
        break;
    default:
        mysql_emit(e, node);
        break;
    }
}

static void emit_list(struct mysql_emitter *e, const struct mysql_node *call)
{
    size_t i = 0;
    for (const struct mysql_node *a = call->arguments; a != NULL; a = a->next) {
        buf_append_cstr(e->out, i > 0 ? "," : "");
        emit_argument(e, a, mysql_function_argument(call->function, i));
        i++;
    }
}

static void emit_plain(struct mysql_emitter *e, const struct mysql_node *call)
{
    buf_printf(e->out, "%s(", call->function->sqlite);
    emit_list(e, call);
    BUF_APPEND_LIT(e->out, ")");
}

static void emit_now(struct mysql_emitter *e, const struct mysql_node *call)
{
    int64_t seconds = civil_floor_div(e->now_us, second_us);
    int64_t days = civil_floor_div(seconds, day_s);
    int64_t left = seconds - days * day_s;
    int64_t year = 0;
    unsigned month = 0;
    unsigned day = 0;
    char text[64];
    civil_date(days, &year, &month, &day);
    int used = 0;
    if (call->shape.class != MYSQL_CLASS_TIME) {
        used = snprintf(text, sizeof(text), "%04lld-%02u-%02u", (long long)year, month, day);
    }
    if (call->shape.class != MYSQL_CLASS_DATE) {
        used += snprintf(text + used, sizeof(text) - (size_t)used, "%s%02lld:%02lld:%02lld",
                         used > 0 ? " " : "", (long long)(left / 3600), (long long)(left / 60 % 60),
                         (long long)(left % 60));
        if (call->shape.decimals > 0) {
            char digits[8];
            snprintf(digits, sizeof(digits), "%06lld",
                     (long long)(e->now_us - seconds * second_us));
            snprintf(text + used, sizeof(text) - (size_t)used, ".%.*s", call->shape.decimals,
                     digits);
        }
    }
    mysql_emit_constant_text(e, span_from_cstr(text));
}

static void emit_session(struct mysql_emitter *e, const struct mysql_node *call)
{
    const struct mysql_session *session = e->session;
    char text[2 * MYSQL_NAME_BYTES + 2];
    struct span name = call->name;
    if (call->shape.class == MYSQL_CLASS_INT) {
        bool id = span_equal_nocase(name, SPAN_LIT("CONNECTION_ID"));
        bool rows = span_equal_nocase(name, SPAN_LIT("ROW_COUNT"));
        buf_printf(e->out, "%lld", id ? (long long)session->connection_id : rows ? -1LL : 0LL);
    } else if (span_equal_nocase(name, SPAN_LIT("VERSION"))) {
        mysql_emit_constant_text(e, span_from_cstr(mysql_db_version(session->db)));
    } else if (span_equal_nocase(name, SPAN_LIT("DATABASE")) ||
               span_equal_nocase(name, SPAN_LIT("SCHEMA"))) {
        if (session->database[0] == '\0') {
            BUF_APPEND_LIT(e->out, "NULL");
        } else {
            mysql_emit_constant_text(e, span_from_cstr(session->database));
        }
    } else if (span_equal_nocase(name, SPAN_LIT("CURRENT_ROLE"))) {
        BUF_APPEND_LIT(e->out, "'NONE'");
    } else {
        bool current = span_equal_nocase(name, SPAN_LIT("CURRENT_USER"));
        snprintf(text, sizeof(text), "%s@%s", session->user, current ? "%" : session->host);
        mysql_emit_constant_text(e, span_from_cstr(text));
    }
}

static void emit_charset(struct mysql_emitter *e, const struct mysql_node *call)
{
    const struct mysql_shape *shape = &call->arguments->shape;
    bool text = shape->class == MYSQL_CLASS_TEXT && !shape->is_bytes;
    bool set = span_equal_nocase(call->name, SPAN_LIT("CHARSET"));
    buf_append_cstr(e->out, !text ? "'binary'" : set ? "'utf8mb4'" : "'utf8mb4_0900_ai_ci'");
}

/* --- those that take their arguments as one class --- */

static void emit_unified(struct mysql_emitter *e, const struct mysql_node *call)
{
    bool greatest = span_equal_nocase(call->name, SPAN_LIT("GREATEST"));
    bool least = span_equal_nocase(call->name, SPAN_LIT("LEAST"));
    if (call->argument_count == 1) {
        mysql_emit(e, call->arguments);
        return;
    }
    buf_append_cstr(e->out, greatest ? "max(" : least ? "min(" : "coalesce(");
    for (const struct mysql_node *a = call->arguments; a != NULL; a = a->next) {
        buf_append_cstr(e->out, a != call->arguments ? "," : "");
        mysql_emit_as(e, a, call->shape.class);
        if (a == call->arguments && call->shape.class == MYSQL_CLASS_TEXT) {
            buf_append_cstr(e->out, mysql_collation(&call->shape));
        }
    }
    BUF_APPEND_LIT(e->out, ")");
}

static void emit_if(struct mysql_emitter *e, const struct mysql_node *call)
{
    const struct mysql_node *condition = call->arguments;
    BUF_APPEND_LIT(e->out, "CASE WHEN ");
    mysql_emit_truth(e, condition);
    BUF_APPEND_LIT(e->out, " THEN ");
    mysql_emit_as(e, condition->next, call->shape.class);
    BUF_APPEND_LIT(e->out, " ELSE ");
    mysql_emit_as(e, condition->next->next, call->shape.class);
    BUF_APPEND_LIT(e->out, " END");
}

static void emit_nullif(struct mysql_emitter *e, const struct mysql_node *call)
{
    BUF_APPEND_LIT(e->out, "CASE WHEN ");
    mysql_emit_compared(e, MYSQL_OP_EQ, call->arguments, call->arguments->next);
    BUF_APPEND_LIT(e->out, " THEN NULL ELSE ");
    mysql_emit(e, call->arguments);
    BUF_APPEND_LIT(e->out, " END");
}

static void emit_field(struct mysql_emitter *e, const struct mysql_node *call)
{
    size_t number = 1;
    BUF_APPEND_LIT(e->out, "CASE");
    for (const struct mysql_node *a = call->arguments->next; a != NULL; a = a->next) {
        BUF_APPEND_LIT(e->out, " WHEN ");
        mysql_emit_compared(e, MYSQL_OP_EQ, call->arguments, a);
        buf_printf(e->out, " THEN %zu", number++);
    }
    BUF_APPEND_LIT(e->out, " ELSE 0 END");
}

static void emit_unix_timestamp(struct mysql_emitter *e, const struct mysql_node *call)
{
    if (call->arguments == NULL) {
        buf_append_i64(e->out, civil_floor_div(e->now_us, second_us));
    } else {
        emit_plain(e, call);
    }
}

static void emit_timestampadd(struct mysql_emitter *e, const struct mysql_node *call)
{
    const struct mysql_node *unit = call->arguments;
    BUF_APPEND_LIT(e->out, "my_date_add(");
    mysql_emit_date(e, unit->next->next);
    BUF_APPEND_LIT(e->out, ",");
    mysql_emit_text(e, unit->next);
    BUF_APPEND_LIT(e->out, ",");
    mysql_emit(e, unit);
    BUF_APPEND_LIT(e->out, ")");
}

static void emit_rounded(struct mysql_emitter *e, const struct mysql_node *call)
{
    buf_printf(e->out, "%s(", call->function->sqlite);
    emit_list(e, call);
    buf_append_cstr(e->out, call->argument_count == 1 ? ",0" : "");
    BUF_APPEND_LIT(e->out, ")");
}

/* --- aggregates and windows --- */

static void emit_count(struct mysql_emitter *e, const struct mysql_node *call)
{
    const struct mysql_node *first = call->arguments;
    if (first == NULL) {
        BUF_APPEND_LIT(e->out, "count(*)");
        return;
    }
    buf_append_cstr(e->out, call->distinct ? "count(DISTINCT " : "count(");
    if (call->argument_count == 1) {
        mysql_emit_collated(e, first);
    } else { /* of several at once: of what tells them apart */
        BUF_APPEND_LIT(e->out, "my_tuple(");
        for (const struct mysql_node *a = first; a != NULL; a = a->next) {
            buf_append_cstr(e->out, a != first ? "," : "");
            bool ci = a->shape.class == MYSQL_CLASS_TEXT && !a->shape.is_binary;
            buf_append_cstr(e->out, ci ? "my_sort_key(" : "");
            mysql_emit(e, a);
            buf_append_cstr(e->out, ci ? ")" : "");
        }
        BUF_APPEND_LIT(e->out, ")");
    }
    BUF_APPEND_LIT(e->out, ")");
}

static void emit_group_concat(struct mysql_emitter *e, const struct mysql_node *call)
{
    BUF_APPEND_LIT(e->out, "my_group_concat(");
    buf_append_cstr(e->out, call->distinct ? "1," : "0,");
    mysql_emit_constant_text(e, call->text);
    BUF_APPEND_LIT(e->out, ",");
    if (call->argument_count > 1) {
        BUF_APPEND_LIT(e->out, "my_concat(");
        emit_list(e, call);
        BUF_APPEND_LIT(e->out, ")");
    } else {
        mysql_emit_text(e, call->arguments);
    }
    for (const struct mysql_order *order = call->order; order != NULL; order = order->next) {
        bool ci = order->node->shape.class == MYSQL_CLASS_TEXT && !order->node->shape.is_binary;
        buf_append_cstr(e->out, order->descending ? ",1," : ",0,");
        buf_append_cstr(e->out, ci ? "my_sort_key(" : "");
        mysql_emit(e, order->node);
        buf_append_cstr(e->out, ci ? ")" : "");
    }
    BUF_APPEND_LIT(e->out, ")");
}

static void emit_aggregate(struct mysql_emitter *e, const struct mysql_node *call)
{
    enum mysql_result result = call->function->result;
    if (result == MYSQL_RESULT_COUNT) {
        emit_count(e, call);
    } else if (result == MYSQL_RESULT_GROUP_CONCAT) {
        emit_group_concat(e, call);
    } else if (result == MYSQL_RESULT_ANY_VALUE) {
        mysql_emit(e, call->arguments);
    } else {
        buf_printf(e->out, "%s(%s", call->function->sqlite, call->distinct ? "DISTINCT " : "");
        if (result == MYSQL_RESULT_EXTREME) {
            mysql_emit_collated(e, call->arguments);
        } else {
            emit_list(e, call);
        }
        BUF_APPEND_LIT(e->out, ")");
    }
}

static void emit_window(struct mysql_emitter *e, const struct mysql_node *call)
{
    const struct mysql_window *window = call->window;
    BUF_APPEND_LIT(e->out, " OVER (");
    for (const struct mysql_node *node = window->partition; node != NULL; node = node->next) {
        buf_append_cstr(e->out, node == window->partition ? "PARTITION BY " : ",");
        mysql_emit_collated(e, node);
    }
    for (const struct mysql_order *order = window->order; order != NULL; order = order->next) {
        buf_append_cstr(e->out, order == window->order ? " ORDER BY " : ",");
        mysql_emit_collated(e, order->node);
        buf_append_cstr(e->out, order->descending ? " DESC" : "");
    }
    BUF_APPEND_LIT(e->out, " ");
    buf_append_span(e->out, window->frame);
    BUF_APPEND_LIT(e->out, ")");
}

void mysql_emit_call(struct mysql_emitter *e, const struct mysql_node *call)
{
    if (mysql_function_is_window(call->function)) {
        emit_plain(e, call);
        emit_window(e, call);
        return;
    }
    switch (call->function->result) {
    case MYSQL_RESULT_UNIFIED:
        emit_unified(e, call);
        break;
    case MYSQL_RESULT_IF:
        emit_if(e, call);
        break;
    case MYSQL_RESULT_NULLIF:
        emit_nullif(e, call);
        break;
    case MYSQL_RESULT_ISNULL:
        BUF_APPEND_LIT(e->out, "(");
        mysql_emit(e, call->arguments);
        BUF_APPEND_LIT(e->out, " IS NULL)");
        break;
    case MYSQL_RESULT_FIELD:
        emit_field(e, call);
        break;
    case MYSQL_RESULT_PI:
        BUF_APPEND_LIT(e->out, "3.141592653589793");
        break;
    case MYSQL_RESULT_ROUND:
        emit_rounded(e, call);
        break;
    case MYSQL_RESULT_NOW:
    case MYSQL_RESULT_TODAY:
    case MYSQL_RESULT_TIME_NOW:
        emit_now(e, call);
        break;
    case MYSQL_RESULT_UNIX_TIMESTAMP:
        emit_unix_timestamp(e, call);
        break;
    case MYSQL_RESULT_TIMESTAMPADD:
        emit_timestampadd(e, call);
        break;
    case MYSQL_RESULT_SESSION:
        emit_session(e, call);
        break;
    case MYSQL_RESULT_CHARSET:
        emit_charset(e, call);
        break;
    case MYSQL_RESULT_COUNT:
    case MYSQL_RESULT_SUM:
    case MYSQL_RESULT_AVG:
    case MYSQL_RESULT_EXTREME:
    case MYSQL_RESULT_ANY_VALUE:
    case MYSQL_RESULT_GROUP_CONCAT:
    case MYSQL_RESULT_DEVIATION:
        emit_aggregate(e, call);
        if (call->window != NULL) {
            emit_window(e, call);
        }
        break;
    default:
        emit_plain(e, call);
        break;
    }
}
