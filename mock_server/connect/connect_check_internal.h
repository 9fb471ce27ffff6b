/* A configuration held against the table of definitions: each key's value and what is wrong with
 * it, in ConfigDef's words. Private to connect_config.c and connect_validate.c. */
#ifndef PINPIPE_CONNECT_CHECK_INTERNAL_H
#define PINPIPE_CONNECT_CHECK_INTERNAL_H

#include "connect_config.h"
#include "connect_definitions_internal.h"

#include <stdarg.h>

enum {
    CONNECT_VALUE_ERRORS_MAX = 4,
    CONNECT_ALIASES_MAX = 64, /* of transforms and of predicates; no more are looked at */
    CONNECT_UNDEFINED_MAX = 4,
};

#define CONNECT_CONFIG_EXCEPTION "org.apache.kafka.common.config.ConfigException"

struct connect_value {
    const struct connect_definition *definition; /* NULL: the key has none */
    const char *name;
    bool present;     /* not null */
    struct span text; /* as Java prints it: blanks cut off, "+5" is 5, "TRUE" is true */
    int64_t number;   /* of a number; of a BOOLEAN 0 or 1 */
    const char *errors[CONNECT_VALUE_ERRORS_MAX];
    size_t error_count;
    bool visible;
};

struct connect_check {
    struct arena *arena;
    const struct connect_entries *entries;
    bool no_memory;
    /* Why nothing was checked at all; NULL: it was. */
    const char *refusal;
    int refusal_status;            /* of POST /connectors */
    const char *refusal_exception; /* its Java class */
    /* Values stand in the order of validate's answer. */
    struct connect_value undefined[CONNECT_UNDEFINED_MAX];
    size_t undefined_count;
    struct connect_value framework[CONNECT_KEYS_FRAMEWORK];
    struct connect_value *aliases; /* transforms.<alias>.type, predicates.<alias>.type */
    size_t alias_count;
    struct connect_value connector[CONNECT_KEY_COUNT - CONNECT_KEYS_FRAMEWORK];
};

/* The check is in `arena`, the texts of its values and findings, which outlive it, in `texts`.
 * NULL: NO_MEMORY. */
struct connect_check *connect_check_new(struct arena *arena, struct arena *texts,
                                        const struct connect_entries *entries);
const struct connect_value *connect_check_value(const struct connect_check *check,
                                                enum connect_key key);
/* Calls visit for each value in the order of validate's answer. */
void connect_check_visit(const struct connect_check *check,
                         void (*visit)(void *ctx, const struct connect_value *value), void *ctx);
/* --- connect_value.c --- */
/* Value, default and findings of one definition. */
void connect_value_fill(struct connect_check *check, struct connect_value *value,
                        const struct connect_definition *definition);
/* Parses `given` (trimmed) by the definition's type; null and a finding when it does not fit. */
void connect_value_take(struct connect_check *check, struct connect_value *value,
                        struct span given);
void connect_fault(struct connect_check *check, struct connect_value *value, const char *format,
                   ...) PP_PRINTF(3, 4);
/* "Invalid value <given> for configuration <name>: <why>" */
void connect_fault_value(struct connect_check *check, struct connect_value *value,
                         struct span given, const char *why);
/* The text is in the arena; NULL and no_memory where there is no room. */
const char *connect_text(struct connect_check *check, const char *format, va_list args)
    PP_PRINTF(2, 0);
/* Is the word one of the comma-separated ones? The empty one is when `words` begins with a comma.
 */
bool connect_has_word(const char *words, struct span word, bool any_case);
/* "a,b" as Java prints a list: "a, b". Never NULL. */
const char *connect_words_listed(struct connect_check *check, const char *words);
/* "org.apache...JsonConverter" is "JsonConverter": what stands behind the last dot. */
struct span connect_simple_name(struct span class_name);

#endif
