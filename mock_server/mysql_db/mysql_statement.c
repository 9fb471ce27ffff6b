#include "mysql_statement.h"

#include "budget.h"
#include "log.h"
#include "mysql_catalog.h"
#include "mysql_emitter.h"

#include <stdlib.h>
#include <string.h>

/* The columns of a table keep its names and flags; all others are known by their shape. */
static void column_describe(struct mysql_column *column, const struct mysql_field *field,
                            const struct mysql_node *node)
{
    *column = mysql_shape_column(&field->shape);
    column->name = field->name;
    if (node == NULL || node->kind != MYSQL_NODE_COLUMN) {
        return;
    }
    const struct mysql_source *source = node->table;
    const struct mysql_field *of = &source->fields[node->column];
    if (source->table != NULL) {
        struct mysql_column known = mysql_catalog_column(source->table, node->column);
        known.name = field->name;
        known.flags =
            (uint16_t)(field->shape.not_null ? known.flags
                                             : known.flags & ~(unsigned)MYSQL_FLAG_NOT_NULL);
        *column = known;
        column->org_table = span_from_cstr(source->table->name);
    }
    column->schema = source->schema;
    column->table = source->alias;
    column->org_name = of->org_name;
}

static bool columns_describe(struct mysql_plan *plan, struct mysql_error *error)
{
    const struct mysql_query_expr *query = plan->parsed.query;
    const struct mysql_select *select = query->selects;
    bool alone = select->next == NULL && select->parenthesized == NULL;
    const struct mysql_item *item = alone ? select->items : NULL;
    plan->column_count = query->field_count;
    plan->columns = arena_alloc_array(&plan->arena, query->field_count, sizeof(*plan->columns));
    plan->shapes = arena_alloc_array(&plan->arena, query->field_count, sizeof(*plan->shapes));
    if (plan->columns == NULL || plan->shapes == NULL) {
        return mysql_error_set(error, MYSQL_ER_OUT_OF_RESOURCES);
    }
    for (size_t i = 0; i < query->field_count; i++) {
        column_describe(&plan->columns[i], &query->fields[i], item != NULL ? item->node : NULL);
        plan->shapes[i] = query->fields[i].shape;
        item = item != NULL ? item->next : NULL;
    }
    return true;
}

static bool query_plan(struct mysql_plan *plan, struct mysql_session *session,
                       const struct mysql_value *params, struct mysql_error *error)
{
    struct mysql_resolver r = {.arena = &plan->arena,
                               .session = session,
                               .error = error,
                               .params = params,
                               .param_count = plan->params,
                               .full_group_by =
                                   strstr(session->sql_mode, "ONLY_FULL_GROUP_BY") != NULL};
    struct env *env = session->db->env;
    struct mysql_emitter e = {
        .out = &plan->sql, .r = &r, .session = session, .now_us = env->wall_us(env)};
    return mysql_resolve_query(&r, plan->parsed.query, NULL) && columns_describe(plan, error) &&
           mysql_emit_statement(&e, plan->parsed.query);
}

/* Modes that make the lexer or the operators mean something else. */
static bool modes_are_known(const struct mysql_session *session, struct mysql_error *error)
{
    static const char *const changing[] = {"ANSI", "PIPES_AS_CONCAT", "NO_BACKSLASH_ESCAPES",
                                           "HIGH_NOT_PRECEDENCE", "NO_UNSIGNED_SUBTRACTION"};
    for (size_t i = 0; i < ARRAY_COUNT(changing); i++) {
        if (strstr(session->sql_mode, changing[i]) != NULL) {
            return mysql_error_set(error, MYSQL_ER_NOT_SUPPORTED_YET, changing[i]);
        }
    }
    return true;
}

bool mysql_plan_make(struct mysql_plan *plan, struct mysql_session *session, struct span sql,
                     const struct mysql_value *params, struct mysql_error *error)
{
    struct mysql_parser p;
    *plan = (struct mysql_plan){.column_count = 0};
    arena_init(&plan->arena, MYSQL_ARENA_BYTES_MAX);
    buf_init(&plan->sql, MYSQL_SQL_BYTES_MAX);
    mysql_parser_init(&p, &plan->arena, sql, error);
    p.user = session->user;
    p.host = session->host;
    bool ok = mysql_classify(&p, session, &plan->parsed);
    plan->params = p.params;
    if (ok && p.params > MYSQL_PARAMS_MAX) {
        ok = mysql_error_set(error, MYSQL_ER_NOT_SUPPORTED_YET, "more than 1000 parameters");
    }
    if (ok && plan->parsed.query != NULL) {
        ok = modes_are_known(session, error) && query_plan(plan, session, params, error);
    }
    if (!ok) {
        mysql_plan_release(plan);
    }
    return ok;
}

void mysql_plan_release(struct mysql_plan *plan)
{
    arena_release(&plan->arena);
    buf_release(&plan->sql);
}

static bool statement_charge(struct mysql_statement *statement, struct mysql_error *error)
{
    struct budget *budget = statement->session->db->budget;
    size_t bytes = statement->text.cap + statement->plan.arena.held_bytes + statement->plan.sql.cap;
    return budget == NULL || budget_take(budget, BUDGET_REQUESTS, &statement->held_bytes, bytes) ||
           mysql_error_set(error, MYSQL_ER_OUT_OF_RESOURCES);
}

/* Refusals of what this server alone has not are told in the log, too. */
static void tell_refused(const struct mysql_session *session, struct span sql,
                         const struct mysql_error *error)
{
    if (error->code == MYSQL_ER_NOT_SUPPORTED_YET && session->db->log != NULL) {
        LOG_WARNF(session->db->log, "mysql",
                  "a statement that real MySQL answers is refused connection=%u why=\"%s\" "
                  "statement=\"%.*s\"",
                  (unsigned)session->connection_id, error->message, SPAN_ARG(span_first(sql, 200)));
    }
}

struct mysql_statement *mysql_prepare(struct mysql_session *session, struct span sql,
                                      struct mysql_error *error)
{
    struct mysql_statement *statement = calloc(1, sizeof(*statement));
    if (statement == NULL) {
        mysql_error_set(error, MYSQL_ER_OUT_OF_RESOURCES);
        return NULL;
    }
    statement->session = session;
    buf_init(&statement->text, MYSQL_STATEMENT_BYTES_MAX);
    buf_append_span(&statement->text, sql);
    bool ok = buf_ok(&statement->text) || mysql_error_set(error, MYSQL_ER_OUT_OF_RESOURCES);
    ok = ok && mysql_plan_make(&statement->plan, session, buf_span(&statement->text), NULL, error);
    if (ok && !statement_charge(statement, error)) {
        mysql_plan_release(&statement->plan);
        ok = false;
    }
    if (!ok) {
        tell_refused(session, sql, error);
        buf_release(&statement->text);
        free(statement);
        return NULL;
    }
    return statement;
}

void mysql_statement_free(struct mysql_statement *statement)
{
    struct budget *budget = statement->session->db->budget;
    if (budget != NULL) {
        (void)budget_take(budget, BUDGET_REQUESTS, &statement->held_bytes, 0);
    }
    mysql_plan_release(&statement->plan);
    buf_release(&statement->text);
    free(statement);
}

size_t mysql_statement_params(const struct mysql_statement *statement)
{
    return statement->plan.params;
}

size_t mysql_statement_columns(const struct mysql_statement *statement,
                               const struct mysql_column **out)
{
    bool rows = statement->plan.parsed.action == MYSQL_ACTION_QUERY;
    *out = statement->plan.columns;
    return rows ? statement->plan.column_count : 0;
}
