#include "mysql_functions.h"

#include <string.h>

static const struct mysql_function functions[] = {
#define X(name, least, most, arguments, result, sqlite)                                            \
    {#name, least, most, arguments, MYSQL_RESULT_##result, sqlite},
#include "mysql_functions.def"
#undef X
};

static const char *const unsupported_functions[] = {
#define X(name) #name,
#include "mysql_unsupported.def"
#undef X
};

const struct mysql_function *mysql_function_find(struct span name, bool *unsupported)
{
    for (size_t i = 0; i < ARRAY_COUNT(functions); i++) {
        if (span_equal_nocase(name, span_from_cstr(functions[i].name))) {
            return &functions[i];
        }
    }
    *unsupported = false;
    for (size_t i = 0; i < ARRAY_COUNT(unsupported_functions) && !*unsupported; i++) {
        *unsupported = span_equal_nocase(name, span_from_cstr(unsupported_functions[i]));
    }
    return NULL;
}

bool mysql_function_is_aggregate(const struct mysql_function *function)
{
    return function->result >= MYSQL_RESULT_COUNT && function->result <= MYSQL_RESULT_DEVIATION;
}

bool mysql_function_is_window(const struct mysql_function *function)
{
    return function->result >= MYSQL_RESULT_WINDOW_INT;
}

char mysql_function_argument(const struct mysql_function *function, size_t index)
{
    size_t count = strlen(function->arguments);
    return function->arguments[index < count ? index : count - 1];
}
