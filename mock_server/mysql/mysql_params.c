#include "mysql_params.h"

#include "mysql_answer.h"

#include <string.h>

enum {
    type_is_unsigned = 0x8000,
    flags_and_iterations_bytes = 5,
    micros_per_second = 1000000,
};

static bool params_malformed(struct mysql_error *error)
{
    mysql_refuse(error, 1835, "HY000", "Malformed communication packet.");
    return false;
}

static bool params_no_memory(struct mysql_error *error)
{
    mysql_refuse(error, 1041, "HY000", "Out of memory");
    return false;
}

static int64_t sign_extend(uint64_t number, size_t bytes)
{
    uint64_t sign = (uint64_t)1 << (8 * bytes - 1);
    return (int64_t)((number ^ sign) - sign);
}

static void param_read_int(struct mysql_reader *r, size_t bytes, bool is_unsigned,
                           struct mysql_value *out)
{
    uint64_t number = mysql_read_int(r, bytes);
    out->kind = MYSQL_INT;
    out->is_unsigned = is_unsigned && bytes == 8;
    out->integer = is_unsigned ? (int64_t)number : sign_extend(number, bytes);
}

static void param_read_double(struct mysql_reader *r, struct mysql_value *out)
{
    uint64_t bits = mysql_read_int(r, sizeof(bits));
    out->kind = MYSQL_DOUBLE;
    memcpy(&out->real, &bits, sizeof(bits));
}

static void param_read_float(struct mysql_reader *r, struct mysql_value *out)
{
    uint32_t bits = (uint32_t)mysql_read_int(r, sizeof(bits));
    float number;
    memcpy(&number, &bits, sizeof(bits));
    out->kind = MYSQL_DOUBLE;
    out->real = (double)number;
}

static void text_set(struct mysql_value *out, const char *text)
{
    out->kind = MYSQL_TEXT;
    out->text = span_from_cstr(text);
}

static void fraction_put(struct arena *arena, char **text, uint32_t micros)
{
    if (micros != 0 && *text != NULL) {
        *text = arena_printf(arena, "%s.%06u", *text, micros % micros_per_second);
    }
}

/* False: no memory. Fields that are left out are zero. */
static bool param_read_datetime(struct mysql_reader *r, bool date_only, struct arena *arena,
                                struct mysql_value *out)
{
    struct mysql_reader f = mysql_reader_of(mysql_read_text(r));
    size_t len = f.rest.len;
    unsigned year = len >= 4 ? (unsigned)mysql_read_int(&f, 2) : 0;
    unsigned month = len >= 4 ? (unsigned)mysql_read_int(&f, 1) : 0;
    unsigned day = len >= 4 ? (unsigned)mysql_read_int(&f, 1) : 0;
    unsigned hour = len >= 7 ? (unsigned)mysql_read_int(&f, 1) : 0;
    unsigned minute = len >= 7 ? (unsigned)mysql_read_int(&f, 1) : 0;
    unsigned second = len >= 7 ? (unsigned)mysql_read_int(&f, 1) : 0;
    uint32_t micros = len >= 11 ? (uint32_t)mysql_read_int(&f, 4) : 0;
    char *text = date_only ? arena_printf(arena, "%04u-%02u-%02u", year, month, day)
                           : arena_printf(arena, "%04u-%02u-%02u %02u:%02u:%02u", year, month, day,
                                          hour, minute, second);
    if (!date_only) {
        fraction_put(arena, &text, micros);
    }
    text_set(out, text);
    return text != NULL;
}

static bool param_read_time(struct mysql_reader *r, struct arena *arena, struct mysql_value *out)
{
    struct mysql_reader f = mysql_reader_of(mysql_read_text(r));
    size_t len = f.rest.len;
    bool negative = len >= 8 && mysql_read_int(&f, 1) != 0;
    uint64_t days = len >= 8 ? mysql_read_int(&f, 4) : 0;
    uint64_t hours = len >= 8 ? mysql_read_int(&f, 1) : 0;
    unsigned minutes = len >= 8 ? (unsigned)mysql_read_int(&f, 1) : 0;
    unsigned seconds = len >= 8 ? (unsigned)mysql_read_int(&f, 1) : 0;
    uint32_t micros = len >= 12 ? (uint32_t)mysql_read_int(&f, 4) : 0;
    char *text = arena_printf(arena, "%s%02llu:%02u:%02u", negative ? "-" : "",
                              (unsigned long long)(days * 24 + hours), minutes, seconds);
    fraction_put(arena, &text, micros);
    text_set(out, text);
    return text != NULL;
}

/* False: no memory. A value that is cut fails the reader. */
static bool param_read(struct mysql_reader *r, uint16_t type, struct arena *arena,
                       struct mysql_value *out)
{
    bool is_unsigned = (type & type_is_unsigned) != 0;
    switch (type & 0xff) {
    case MYSQL_TYPE_NULL:
        return true;
    case MYSQL_TYPE_TINY:
        param_read_int(r, 1, is_unsigned, out);
        return true;
    case MYSQL_TYPE_SHORT:
    case MYSQL_TYPE_YEAR:
        param_read_int(r, 2, is_unsigned, out);
        return true;
    case MYSQL_TYPE_LONG:
    case MYSQL_TYPE_INT24:
        param_read_int(r, 4, is_unsigned, out);
        return true;
    case MYSQL_TYPE_LONGLONG:
        param_read_int(r, 8, is_unsigned, out);
        return true;
    case MYSQL_TYPE_FLOAT:
        param_read_float(r, out);
        return true;
    case MYSQL_TYPE_DOUBLE:
        param_read_double(r, out);
        return true;
    case MYSQL_TYPE_DATE:
    case MYSQL_TYPE_DATETIME:
    case MYSQL_TYPE_TIMESTAMP:
        return param_read_datetime(r, (type & 0xff) == MYSQL_TYPE_DATE, arena, out);
    case MYSQL_TYPE_TIME:
        return param_read_time(r, arena, out);
    default:
        out->kind = MYSQL_TEXT;
        out->text = mysql_read_text(r);
        return true;
    }
}

static bool types_read(struct mysql_params *params, struct mysql_reader *r)
{
    if (mysql_read_int(r, 1) != 0) {
        for (size_t i = 0; i < params->count; i++) {
            params->types[i] = (uint16_t)mysql_read_int(r, 2);
        }
        params->typed = true;
    }
    return params->typed && !r->failed;
}

bool mysql_params_read(struct mysql_params *params, struct mysql_reader *r, struct arena *arena,
                       struct mysql_value **out, struct mysql_error *error)
{
    *out = NULL;
    (void)mysql_read_bytes(r, flags_and_iterations_bytes); /* a cursor that is asked for is none */
    if (r->failed || params->count == 0) {
        return !r->failed || params_malformed(error);
    }
    struct span nulls = mysql_read_bytes(r, (params->count + 7) / 8);
    if (!types_read(params, r)) {
        mysql_refuse(error, 1210, "HY000", "Incorrect arguments to mysqld_stmt_execute");
        return false;
    }
    struct mysql_value *values = arena_alloc_array(arena, params->count, sizeof(*values));
    for (size_t i = 0; values != NULL && i < params->count; i++) {
        values[i] = (struct mysql_value){.text = SPAN_EMPTY};
        bool is_null = ((unsigned char)nulls.ptr[i / 8] >> (i % 8) & 1) != 0;
        if (!is_null && !param_read(r, params->types[i], arena, &values[i])) {
            return params_no_memory(error);
        }
    }
    if (values == NULL) {
        return params_no_memory(error);
    }
    *out = values;
    return !r->failed || params_malformed(error);
}
