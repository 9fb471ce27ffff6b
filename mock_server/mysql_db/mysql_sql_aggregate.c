/* Aggregates that SQLite has not: the only row of a subquery, deviations, GROUP_CONCAT in order. */
#include "mysql_sql.h"

#include "array.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    group_concat_bytes_max = 1024, /* group_concat_max_len */
    group_concat_items_max = 1000000,
    subquery_rows = 1242,
    keys_from = 3
};

/* --- my_only: a subquery as a value has one row --- */

struct only {
    sqlite3_value *value;
    bool has_value;
};

static void only_step(sqlite3_context *context, int count, sqlite3_value **values)
{
    struct only *only = sqlite3_aggregate_context(context, (int)sizeof(*only));
    (void)count;
    if (only == NULL) {
        sqlite3_result_error_nomem(context);
    } else if (only->has_value) {
        mysql_sql_fail(context, subquery_rows, "Subquery returns more than 1 row");
    } else {
        only->value = sqlite3_value_dup(values[0]);
        only->has_value = true;
        if (only->value == NULL) {
            sqlite3_result_error_nomem(context);
        }
    }
}

static void only_final(sqlite3_context *context)
{
    struct only *only = sqlite3_aggregate_context(context, 0);
    if (only != NULL && only->value != NULL) {
        sqlite3_result_value(context, only->value);
        sqlite3_value_free(only->value);
    }
}

/* --- deviations: Welford's --- */

struct deviation {
    int64_t count;
    double mean;
    double squares;
};

static void deviation_step(sqlite3_context *context, int count, sqlite3_value **values)
{
    struct deviation *d = sqlite3_aggregate_context(context, (int)sizeof(*d));
    (void)count;
    if (d == NULL) {
        sqlite3_result_error_nomem(context);
        return;
    }
    if (mysql_sql_is_null(values[0])) {
        return;
    }
    double value = sqlite3_value_double(values[0]);
    double delta = value - d->mean;
    d->count++;
    d->mean += delta / (double)d->count;
    d->squares += delta * (value - d->mean);
}

static void deviation_give(sqlite3_context *context, bool sample, bool root)
{
    const struct deviation *d = sqlite3_aggregate_context(context, 0);
    int64_t by = d != NULL ? d->count - (sample ? 1 : 0) : 0;
    if (by <= 0) {
        sqlite3_result_null(context);
        return;
    }
    double variance = d->squares / (double)by;
    sqlite3_result_double(context, root ? sqrt(variance) : variance);
}
static void stddev_pop_final(sqlite3_context *context)
{
    deviation_give(context, false, true);
}
static void stddev_samp_final(sqlite3_context *context)
{
    deviation_give(context, true, true);
}
static void var_pop_final(sqlite3_context *context)
{
    deviation_give(context, false, false);
}
static void var_samp_final(sqlite3_context *context)
{
    deviation_give(context, true, false);
}

/* --- my_group_concat(distinct, separator, text, [descending, key]...) --- */

struct concat_item {
    sqlite3_value *text;
    sqlite3_value **keys;
    const struct concat_group *group;
    size_t number; /* as they came */
};
struct concat_group {
    struct concat_item *items;
    size_t count;
    size_t capacity;
    size_t keys;
    bool *descending;
    char *separator;
    size_t separator_len;
    bool distinct;
    bool no_memory;
};

static bool concat_begin(struct concat_group *group, int count, sqlite3_value **values)
{
    struct span separator = mysql_sql_text(values[1]);
    group->keys = (size_t)(count - keys_from) / 2;
    group->distinct = sqlite3_value_int(values[0]) != 0;
    group->separator = malloc(separator.len + 1);
    group->descending = calloc(group->keys + 1, sizeof(*group->descending));
    if (group->separator == NULL || group->descending == NULL) {
        group->no_memory = true;
        return false;
    }
    memcpy(group->separator, separator.ptr, separator.len);
    group->separator_len = separator.len;
    for (size_t i = 0; i < group->keys; i++) {
        group->descending[i] = sqlite3_value_int(values[keys_from + 2 * i]) != 0;
    }
    return true;
}

static void concat_step(sqlite3_context *context, int count, sqlite3_value **values)
{
    struct concat_group *group = sqlite3_aggregate_context(context, (int)sizeof(*group));
    if (group == NULL) {
        sqlite3_result_error_nomem(context);
        return;
    }
    if (mysql_sql_is_null(values[2]) || group->no_memory) {
        return;
    }
    if (group->separator == NULL && !concat_begin(group, count, values)) {
        return;
    }
    struct concat_item item = {.text = sqlite3_value_dup(values[2]), .number = group->count};
    item.keys = calloc(group->keys + 1, sizeof(*item.keys));
    if (item.text == NULL || item.keys == NULL ||
        ARRAY_RESERVE(group->items, group->capacity, group->count + 1, group_concat_items_max) !=
            STATUS_OK) {
        sqlite3_value_free(item.text);
        free(item.keys);
        group->no_memory = true;
        return;
    }
    for (size_t i = 0; i < group->keys; i++) {
        item.keys[i] = sqlite3_value_dup(values[keys_from + 1 + 2 * i]);
        group->no_memory = group->no_memory || item.keys[i] == NULL;
    }
    group->items[group->count++] = item;
}

static int compare_numbers(double a, double b)
{
    return a < b ? -1 : a > b ? 1 : 0;
}

/* NULL first, then numbers, then bytes (a sort key is such). */
static int compare_values(sqlite3_value *a, sqlite3_value *b)
{
    bool a_null = mysql_sql_is_null(a);
    bool b_null = mysql_sql_is_null(b);
    if (a_null || b_null) {
        return a_null == b_null ? 0 : a_null ? -1 : 1;
    }
    bool bytes = sqlite3_value_type(a) == SQLITE_TEXT || sqlite3_value_type(a) == SQLITE_BLOB;
    if (!bytes) {
        return compare_numbers(sqlite3_value_double(a), sqlite3_value_double(b));
    }
    const void *left = sqlite3_value_blob(a);
    const void *right = sqlite3_value_blob(b);
    return span_compare(span_from(left, (size_t)sqlite3_value_bytes(a)),
                        span_from(right, (size_t)sqlite3_value_bytes(b)));
}

static int compare_items(const void *left, const void *right)
{
    const struct concat_item *a = left;
    const struct concat_item *b = right;
    for (size_t i = 0; i < a->group->keys; i++) {
        int order = compare_values(a->keys[i], b->keys[i]);
        if (order != 0) {
            return a->group->descending[i] ? -order : order;
        }
    }
    return a->number < b->number ? -1 : 1;
}

static bool concat_came_before(const struct concat_group *group, size_t index)
{
    struct span text = mysql_sql_text(group->items[index].text);
    for (size_t i = 0; i < index; i++) {
        if (mysql_compare_ci(mysql_sql_text(group->items[i].text), text) == 0) {
            return true;
        }
    }
    return false;
}

static void concat_release(struct concat_group *group)
{
    for (size_t i = 0; i < group->count; i++) {
        sqlite3_value_free(group->items[i].text);
        for (size_t k = 0; k < group->keys; k++) {
            sqlite3_value_free(group->items[i].keys[k]);
        }
        free(group->items[i].keys);
    }
    free(group->items);
    free(group->separator);
    free(group->descending);
}

/* Cut at a whole character. */
static struct span cut_whole(struct span text, size_t max)
{
    size_t len = text.len < max ? text.len : max;
    while (len > 0 && len < text.len && ((unsigned char)text.ptr[len] & 0xc0) == 0x80) {
        len--;
    }
    return span_first(text, len);
}

static void concat_write(struct concat_group *group, struct buf *out)
{
    for (size_t i = 0; i < group->count; i++) {
        group->items[i].group = group;
    }
    if (group->keys > 0) {
        qsort(group->items, group->count, sizeof(*group->items), compare_items);
    }
    bool any = false;
    for (size_t i = 0; i < group->count && out->len < group_concat_bytes_max; i++) {
        if (group->distinct && concat_came_before(group, i)) {
            continue;
        }
        if (any) {
            buf_append(out, group->separator, group->separator_len);
        }
        buf_append_span(out, mysql_sql_text(group->items[i].text));
        any = true;
    }
}

static void concat_final(sqlite3_context *context)
{
    struct concat_group *group = sqlite3_aggregate_context(context, 0);
    struct buf out;
    if (group == NULL || (group->count == 0 && !group->no_memory)) {
        sqlite3_result_null(context);
        if (group != NULL) {
            concat_release(group);
        }
        return;
    }
    buf_init(&out, MYSQL_TEXT_BYTES_MAX);
    if (!group->no_memory) {
        concat_write(group, &out);
    }
    if (group->no_memory || out.no_memory) {
        sqlite3_result_error_nomem(context);
    } else {
        mysql_sql_give_text(context, cut_whole(buf_span(&out), group_concat_bytes_max));
    }
    buf_release(&out);
    concat_release(group);
}

struct aggregate_row {
    const char *name;
    int arguments;
    void (*step)(sqlite3_context *context, int count, sqlite3_value **values);
    void (*final)(sqlite3_context *context);
};

static const struct aggregate_row aggregates[] = {
    {"my_only", 1, only_step, only_final},
    {"my_stddev_pop", 1, deviation_step, stddev_pop_final},
    {"my_stddev_samp", 1, deviation_step, stddev_samp_final},
    {"my_var_pop", 1, deviation_step, var_pop_final},
    {"my_var_samp", 1, deviation_step, var_samp_final},
    {"my_group_concat", -1, concat_step, concat_final},
};

int mysql_sql_register_aggregates(sqlite3 *db)
{
    int code = SQLITE_OK;
    for (size_t i = 0; i < ARRAY_COUNT(aggregates) && code == SQLITE_OK; i++) {
        code =
            sqlite3_create_function_v2(db, aggregates[i].name, aggregates[i].arguments, SQLITE_UTF8,
                                       NULL, NULL, aggregates[i].step, aggregates[i].final, NULL);
    }
    return code;
}
