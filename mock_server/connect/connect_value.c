/* A key's value and what is wrong with it, as ConfigDef.parseType and its validators say it.
 * Facts: measured on Connect 2.8.1 with a connector of these definitions. A value that cannot be
 * parsed becomes null, and a validator that minds null complains too. */
#include "connect_check_internal.h"

#include "java_regex.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { text_bytes_max = 256 * 1024 };

/* --- Java's habits --- */

bool connect_has_word(const char *words, struct span word, bool any_case)
{
    struct span rest = span_from_cstr(words);
    struct span part;
    if (word.len == 0) {
        return rest.len > 0 && rest.ptr[0] == ',';
    }
    while (span_next_part(&rest, ',', &part)) {
        if (any_case ? span_equal_nocase(part, word) : span_equal(part, word)) {
            return true;
        }
    }
    return false;
}

/* "a,b" as Java prints a list in a message: "a, b". */
const char *connect_words_listed(struct connect_check *check, const char *words)
{
    struct buf out;
    buf_init(&out, 2 * text_bytes_max);
    for (const char *p = words; *p != '\0'; p++) {
        buf_append_byte(&out, *p);
        if (*p == ',') {
            buf_append_byte(&out, ' ');
        }
    }
    const char *text = buf_ok(&out) ? arena_copy_cstr(check->arena, buf_span(&out)) : NULL;
    buf_release(&out);
    check->no_memory |= text == NULL;
    return text != NULL ? text : "";
}

/* --- noting what is wrong --- */

const char *connect_text(struct connect_check *check, const char *format, va_list args)
{
    va_list again;
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, format, again);
    va_end(again);
    char *text = len < 0 ? NULL : arena_alloc(check->arena, (size_t)len + 1);
    if (text == NULL) {
        check->no_memory = true;
        return NULL;
    }
    vsnprintf(text, (size_t)len + 1, format, args);
    return text;
}

void connect_fault(struct connect_check *check, struct connect_value *value, const char *format,
                   ...)
{
    va_list args;
    va_start(args, format);
    const char *text = connect_text(check, format, args);
    va_end(args);
    if (text != NULL && value->error_count < CONNECT_VALUE_ERRORS_MAX) {
        value->errors[value->error_count++] = text;
    }
}

void connect_fault_value(struct connect_check *check, struct connect_value *value,
                         struct span given, const char *why)
{
    connect_fault(check, value, "Invalid value %.*s for configuration %s: %s", SPAN_ARG(given),
                  value->name, why);
}

/* --- parsing --- */

static bool value_parse_number(struct span text, enum connect_type type, int64_t *out)
{
    int64_t most = type == CONNECT_INT ? INT32_MAX : type == CONNECT_SHORT ? INT16_MAX : INT64_MAX;
    if (text.len > 1 && text.ptr[0] == '+' && text.ptr[1] >= '0' && text.ptr[1] <= '9') {
        text = span_skip(text, 1);
    }
    return span_parse_i64(text, out) && *out <= most && *out >= -most - 1;
}

static void value_take_number(struct connect_check *check, struct connect_value *value,
                              struct span given)
{
    static const char *const names[] = {
        [CONNECT_INT] = "INT", [CONNECT_LONG] = "LONG", [CONNECT_SHORT] = "SHORT"};
    enum connect_type type = value->definition->type;
    if (!value_parse_number(given, type, &value->number)) {
        value->number = 0;
        connect_fault(check, value,
                      "Invalid value %.*s for configuration %s: Not a number of type %s",
                      SPAN_ARG(given), value->name, names[type]);
        return;
    }
    const char *text = arena_printf(check->arena, "%lld", (long long)value->number);
    check->no_memory |= text == NULL;
    value->present = true;
    value->text = span_from_cstr(text);
}

static void value_take_boolean(struct connect_check *check, struct connect_value *value,
                               struct span given)
{
    bool yes = span_equal_nocase(given, SPAN_LIT("true"));
    if (!yes && !span_equal_nocase(given, SPAN_LIT("false"))) {
        connect_fault_value(check, value, given, "Expected value to be either true or false");
        return;
    }
    value->present = true;
    value->number = yes ? 1 : 0;
    value->text = yes ? SPAN_LIT("true") : SPAN_LIT("false");
}

/* "a , b" is the list a, b. */
static void value_take_list(struct connect_check *check, struct connect_value *value,
                            struct span given)
{
    struct buf out;
    struct span part;
    bool first = true;
    buf_init(&out, text_bytes_max);
    while (span_next_part(&given, ',', &part)) {
        if (!first) {
            BUF_APPEND_LIT(&out, ",");
        }
        first = false;
        buf_append_span(&out, connect_trim(part));
    }
    const char *text = buf_ok(&out) ? arena_copy_cstr(check->arena, buf_span(&out)) : NULL;
    buf_release(&out);
    check->no_memory |= text == NULL;
    value->present = true;
    value->text = span_from_cstr(text);
}

static void value_take_class(struct connect_check *check, struct connect_value *value,
                             struct span given)
{
    if (!connect_has_word(value->definition->words, given, false)) {
        connect_fault(check, value,
                      "Invalid value %.*s for configuration %s: Class %.*s could not be found.",
                      SPAN_ARG(given), value->name, SPAN_ARG(given));
        return;
    }
    value->present = true;
    value->text = given;
}

void connect_value_take(struct connect_check *check, struct connect_value *value, struct span given)
{
    switch (value->definition->type) {
    case CONNECT_INT:
    case CONNECT_LONG:
    case CONNECT_SHORT:
        value_take_number(check, value, given);
        break;
    case CONNECT_BOOLEAN:
        value_take_boolean(check, value, given);
        break;
    case CONNECT_LIST:
        value_take_list(check, value, given);
        break;
    case CONNECT_CLASS:
        value_take_class(check, value, given);
        break;
    case CONNECT_STRING:
    case CONNECT_PASSWORD:
        value->present = true;
        value->text = given;
        break;
    }
}

/* --- validators --- */

static bool is_control(struct span s, size_t i, unsigned *code)
{
    unsigned char c = (unsigned char)s.ptr[i];
    if (c < ' ' || c == 0x7f) {
        *code = c;
        return true;
    }
    if (c == 0xc2 && i + 1 < s.len && (unsigned char)s.ptr[i + 1] < 0xa0) {
        *code = (unsigned char)s.ptr[i + 1];
        return true;
    }
    return false;
}

static void value_validate_name(struct connect_check *check, struct connect_value *value)
{
    char codes[1024];
    size_t len = 0;
    unsigned code;
    if (!value->present) {
        return;
    }
    if (value->text.len == 0) {
        connect_fault_value(check, value, value->text, "String may not be empty");
        return;
    }
    for (size_t i = 0; i < value->text.len && len < sizeof(codes) - 8; i++) {
        if (is_control(value->text, i, &code)) {
            len +=
                (size_t)snprintf(codes + len, sizeof(codes) - len, len > 0 ? ", %u" : "%u", code);
        }
    }
    if (len > 0) {
        connect_fault(
            check, value,
            "Invalid value %.*s for configuration %s: String may not contain control sequences "
            "but had the following ASCII chars: %s",
            SPAN_ARG(value->text), value->name, codes);
    }
}

static void value_validate_range(struct connect_check *check, struct connect_value *value)
{
    const struct connect_definition *d = value->definition;
    if (!value->present) {
        connect_fault_value(check, value, SPAN_LIT("null"), "Value must be non-null");
    } else if (value->number < d->min) {
        connect_fault(check, value,
                      "Invalid value %.*s for configuration %s: Value must be at least %lld",
                      SPAN_ARG(value->text), value->name, (long long)d->min);
    } else if (value->number > d->max) {
        connect_fault(check, value,
                      "Invalid value %.*s for configuration %s: Value must be no more than %lld",
                      SPAN_ARG(value->text), value->name, (long long)d->max);
    }
}

static void value_validate_part_size(struct connect_check *check, struct connect_value *value)
{
    enum { part_bytes_min = 5 * 1024 * 1024 };
    if (!value->present) {
        connect_fault_value(check, value, SPAN_LIT("null"), "Part size must be non-null");
    } else if (value->number < part_bytes_min) {
        connect_fault_value(check, value, value->text,
                            "Part size must be at least: 5242880 bytes (5MB)");
    }
}

static void value_validate_words(struct connect_check *check, struct connect_value *value)
{
    const struct connect_definition *d = value->definition;
    bool any_case = d->validator != VALID_WORDS && d->validator != VALID_VALUES;
    const char *saying =
        d->validator == VALID_WORDS_NOCASE ? "String must be one of (case insensitive): "
        : d->validator == VALID_VALUES || d->validator == VALID_REGION ? "Value must be one of: "
                                                                       : "String must be one of: ";
    if (value->present && !connect_has_word(d->words, value->text, any_case)) {
        connect_fault(check, value, "Invalid value %.*s for configuration %s: %s%s",
                      SPAN_ARG(value->text), value->name, saying,
                      connect_words_listed(check, d->words));
    }
}

static void value_validate_regex(struct connect_check *check, struct connect_value *value)
{
    struct java_regex *regex = NULL;
    struct java_regex_flaw flaw;
    struct buf why;
    switch (java_regex_new(value->text, &regex, &flaw)) {
    case STATUS_OK:
        java_regex_free(regex);
        return;
    case STATUS_LIMIT:
        /* DIFFERS: Java sets a pattern no limit. */
        connect_fault(check, value, "Invalid value for configuration %s: it may have %d bytes",
                      value->name, JAVA_REGEX_BYTES_MAX);
        return;
    case STATUS_INVALID:
        buf_init(&why, 4 * JAVA_REGEX_BYTES_MAX);
        BUF_APPEND_LIT(&why, "Invalid regex: ");
        java_regex_flaw_describe(&flaw, value->text, &why);
        connect_fault_value(check, value, value->text, buf_cstr(&why));
        buf_release(&why);
        return;
    default:
        check->no_memory = true;
    }
}

static void value_validate_aliases(struct connect_check *check, struct connect_value *value)
{
    struct span rest = value->text;
    struct span part;
    while (span_next_part(&rest, ',', &part)) {
        struct span behind = rest;
        struct span other;
        while (span_next_part(&behind, ',', &other)) {
            if (span_equal(part, other)) {
                connect_fault(check, value,
                              "Invalid value [%s] for configuration %s: Duplicate alias provided.",
                              connect_words_listed(check, value->text.ptr), value->name);
                return;
            }
        }
    }
}

static void value_validate(struct connect_check *check, struct connect_value *value)
{
    switch (value->definition->validator) {
    case VALID_ANY:
        break;
    case VALID_NAME:
        value_validate_name(check, value);
        break;
    case VALID_RANGE:
        value_validate_range(check, value);
        break;
    case VALID_PART_SIZE:
        value_validate_part_size(check, value);
        break;
    case VALID_WORDS:
    case VALID_WORDS_LOWER:
    case VALID_WORDS_NOCASE:
    case VALID_VALUES:
    case VALID_REGION:
        value_validate_words(check, value);
        break;
    case VALID_REGEX:
        value_validate_regex(check, value);
        break;
    case VALID_ALIASES:
        value_validate_aliases(check, value);
        break;
    }
}

/* --- one definition --- */

void connect_value_fill(struct connect_check *check, struct connect_value *value,
                        const struct connect_definition *definition)
{
    const struct connect_entry *entry = connect_entries_find(check->entries, definition->name);
    *value = (struct connect_value){
        .definition = definition, .name = definition->name, .visible = true, .text = SPAN_EMPTY};
    if (entry != NULL) {
        connect_value_take(check, value, connect_trim(entry->value));
    } else if (definition->required) {
        connect_fault(check, value,
                      "Missing required configuration \"%s\" which has no default value.",
                      definition->name);
        return;
    } else if (definition->default_value != NULL) {
        struct span text = span_from_cstr(definition->default_value);
        /* A default class need not be among those that we have: it is used only if it is asked
         * for (cross_check). */
        if (definition->type == CONNECT_CLASS) {
            value->present = true;
            value->text = text;
        } else {
            connect_value_take(check, value, text);
        }
    }
    if (value->present || entry != NULL) {
        value_validate(check, value);
    }
}
