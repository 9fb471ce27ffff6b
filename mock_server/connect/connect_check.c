/* All of a configuration: what comes before the definitions, each of them, what depends on several.
 * What a sink connector must have (a class, topics) is looked at first and ends the check by an
 * exception, as in AbstractHerder.validateConnectorConfig. */
#include "connect_check_internal.h"

#include "java_regex.h"

#include <stdarg.h>
#include <string.h>

enum { text_bytes_max = 256 * 1024 };

/* --- transforms and predicates --- */

/* There are none of either here, so that each alias is an error; see connect_definitions.c. */
static void check_alias_fill(struct connect_check *check, const char *kind, struct span alias)
{
    bool transforms = strcmp(kind, "transforms") == 0;
    struct connect_definition *d = ARENA_NEW(check->arena, struct connect_definition);
    struct connect_value *value = &check->aliases[check->alias_count];
    if (d == NULL) {
        check->no_memory = true;
        return;
    }
    const char *noun = transforms ? "Transformation" : "Predicate";
    *d = (struct connect_definition){
        .name = arena_printf(check->arena, "%s.%.*s.type", kind, SPAN_ARG(alias)),
        .type = CONNECT_CLASS,
        .required = true,
        .importance = "HIGH",
        .group = arena_printf(check->arena, "%s: %.*s", transforms ? "Transforms" : "Predicates",
                              SPAN_ARG(alias)),
        .width = "LONG",
        .display_name = arena_printf(check->arena, "%s type for %.*s", noun, SPAN_ARG(alias)),
        .documentation = "The class behind the alias.",
        .words = "",
    };
    if (d->name == NULL || d->group == NULL || d->display_name == NULL) {
        check->no_memory = true;
        return;
    }
    check->alias_count++;
    connect_value_fill(check, value, d);
    connect_fault(check, value, "Invalid value null for configuration %s: Not a %s", d->name, noun);
}

static void check_aliases_fill(struct connect_check *check, enum connect_key key)
{
    const struct connect_value *list = connect_check_value(check, key);
    struct span rest = list->text;
    struct span alias;
    while (span_next_part(&rest, ',', &alias)) {
        bool seen = false;
        const char *name = arena_printf(check->arena, "%s.%.*s.type", list->name, SPAN_ARG(alias));
        check->no_memory |= name == NULL;
        for (size_t i = 0; name != NULL && i < check->alias_count; i++) {
            seen |= strcmp(check->aliases[i].name, name) == 0;
        }
        if (!seen && check->alias_count < CONNECT_ALIASES_MAX) {
            check_alias_fill(check, list->name, alias);
        }
    }
}

/* --- keys without a definition --- */

static void check_undefined_fault(struct connect_check *check, const struct connect_entry *entry,
                                  const char *why)
{
    struct connect_value *value = &check->undefined[check->undefined_count++];
    *value = (struct connect_value){.name = arena_copy_cstr(check->arena, entry->key),
                                    .present = true,
                                    .text = entry->value,
                                    .visible = true};
    check->no_memory |= value->name == NULL;
    if (value->name != NULL) {
        connect_fault_value(check, value, entry->value, why);
    }
}

/* DIFFERS: a converter's own settings are looked at when its task starts; a wrong one gives a
 * FAILED task there and a 400 here. */
static void check_undefined_fill(struct connect_check *check)
{
    static const struct {
        const char *name;
        const char *words;
        const char *why;
    } known[] = {
        {"key.converter.schemas.enable", "true,false", "Expected value to be either true or false"},
        {"value.converter.schemas.enable", "true,false",
         "Expected value to be either true or false"},
        {"sink.key_order", "hashmap,input", "String must be one of: hashmap, input"},
    };
    for (size_t i = 0; i < ARRAY_COUNT(known); i++) {
        const struct connect_entry *entry = connect_entries_find(check->entries, known[i].name);
        if (entry != NULL && !connect_has_word(known[i].words, connect_trim(entry->value), true)) {
            check_undefined_fault(check, entry, known[i].why);
        }
    }
}

/* --- what depends on several --- */

struct span connect_simple_name(struct span class_name)
{
    size_t start = class_name.len;
    while (start > 0 && class_name.ptr[start - 1] != '.') {
        start--;
    }
    return span_skip(class_name, start);
}

static bool check_is_on(const struct connect_check *check, enum connect_key key)
{
    return connect_check_value(check, key)->number != 0;
}

static struct connect_value *check_connector_value(struct connect_check *check,
                                                   enum connect_key key)
{
    return &check->connector[key - CONNECT_KEYS_FRAMEWORK];
}

static bool check_is_visible(const struct connect_check *check, const struct connect_definition *d)
{
    struct span partitioner =
        connect_simple_name(connect_check_value(check, CONNECT_KEY_PARTITIONER_CLASS)->text);
    bool time = span_equal_cstr(partitioner, "TimeBasedPartitioner");
    switch (d->visibility) {
    case VISIBLE_ALWAYS:
        return true;
    case VISIBLE_NEVER:
        return false;
    case VISIBLE_KMS:
        return span_equal_cstr(connect_check_value(check, CONNECT_KEY_S3_SSEA_NAME)->text,
                               "aws:kms");
    case VISIBLE_KEYS:
        return check_is_on(check, CONNECT_KEY_STORE_KAFKA_KEYS);
    case VISIBLE_HEADERS:
        return check_is_on(check, CONNECT_KEY_STORE_KAFKA_HEADERS);
    case VISIBLE_FIELD_PARTITIONER:
        return span_equal_cstr(partitioner, "FieldPartitioner");
    case VISIBLE_TIME_PARTITIONER:
        return time;
    case VISIBLE_ANY_TIME_PARTITIONER:
        return time || span_equal_cstr(partitioner, "DailyPartitioner") ||
               span_equal_cstr(partitioner, "HourlyPartitioner");
    }
    return true;
}

/* The default formats of keys and headers are Avro's. */
static void check_side_format(struct connect_check *check, enum connect_key flag,
                              enum connect_key format)
{
    struct connect_value *value = check_connector_value(check, format);
    if (check_is_on(check, flag) && value->error_count == 0 &&
        !connect_has_word(value->definition->words, value->text, false)) {
        connect_value_take(check, value, value->text);
        value->present = false;
    }
}

static void check_across(struct connect_check *check)
{
    static const char mandatory[] = "Writing Kafka record keys to storage is mandatory when "
                                    "tombstone writing is enabled.";
    bool sound = true;
    check_side_format(check, CONNECT_KEY_STORE_KAFKA_KEYS, CONNECT_KEY_KEYS_FORMAT_CLASS);
    check_side_format(check, CONNECT_KEY_STORE_KAFKA_HEADERS, CONNECT_KEY_HEADERS_FORMAT_CLASS);
    for (size_t i = 0; i < ARRAY_COUNT(check->connector); i++) {
        check->connector[i].visible = check_is_visible(check, check->connector[i].definition);
        sound &= check->connector[i].error_count == 0;
    }
    /* The connector looks at several keys together only when each is sound by itself. */
    struct connect_value *on_null =
        check_connector_value(check, CONNECT_KEY_BEHAVIOR_ON_NULL_VALUES);
    if (sound && span_equal_nocase(on_null->text, SPAN_LIT("write")) &&
        !check_is_on(check, CONNECT_KEY_STORE_KAFKA_KEYS)) {
        connect_fault(check, on_null, "%s", mandatory);
        connect_fault(check, check_connector_value(check, CONNECT_KEY_STORE_KAFKA_KEYS), "%s",
                      mandatory);
    }
}

/* --- what comes before all definitions --- */

PP_PRINTF(4, 5)
static void check_refuse(struct connect_check *check, int status, const char *exception,
                         const char *format, ...)
{
    va_list args;
    va_start(args, format);
    check->refusal = connect_text(check, format, args);
    va_end(args);
    check->refusal_status = status;
    check->refusal_exception = exception;
}

/* As Java prints a map. */
static void check_refuse_without_class(struct connect_check *check)
{
    struct buf text;
    buf_init(&text, text_bytes_max);
    for (size_t i = 0; i < check->entries->count; i++) {
        buf_append_cstr(&text, i > 0 ? ", " : "");
        buf_append_span(&text, check->entries->items[i].key);
        BUF_APPEND_LIT(&text, "=");
        buf_append_span(&text, check->entries->items[i].value);
    }
    check->refusal =
        buf_ok(&text)
            ? arena_printf(check->arena, "Connector config {%s} contains no connector type",
                           buf_cstr(&text))
            : "Connector config contains no connector type";
    check->no_memory |= check->refusal == NULL;
    check->refusal_status = 400;
    check->refusal_exception = "org.apache.kafka.connect.runtime.rest.errors.BadRequestException";
    buf_release(&text);
}

static struct span check_entry_trimmed(const struct connect_check *check, const char *key)
{
    const struct connect_entry *entry = connect_entries_find(check->entries, key);
    return entry != NULL ? connect_trim(entry->value) : SPAN_EMPTY;
}

static bool check_list_contains(struct span list, struct span item)
{
    struct span part;
    while (span_next_part(&list, ',', &part)) {
        if (span_equal(connect_trim(part), item)) {
            return true;
        }
    }
    return false;
}

static bool check_regex_takes(struct span pattern, struct span topic)
{
    struct java_regex *regex = NULL;
    struct java_regex_flaw flaw;
    if (java_regex_new(pattern, &regex, &flaw) != STATUS_OK) {
        return false; /* a finding of its own */
    }
    bool yes = java_regex_match(regex, topic) == JAVA_REGEX_YES;
    java_regex_free(regex);
    return yes;
}

/* SinkConnectorConfig.validate. */
static void check_topics(struct connect_check *check)
{
    struct span topics = check_entry_trimmed(check, "topics");
    struct span regex = check_entry_trimmed(check, "topics.regex");
    struct span dlq = check_entry_trimmed(check, "errors.deadletterqueue.topic.name");
    if (topics.len > 0 && regex.len > 0) {
        check_refuse(check, 500, CONNECT_CONFIG_EXCEPTION,
                     "topics and topics.regex are mutually exclusive options, but both are set.");
    } else if (topics.len == 0 && regex.len == 0) {
        check_refuse(check, 500, CONNECT_CONFIG_EXCEPTION,
                     "Must configure one of topics or topics.regex");
    } else if (dlq.len > 0 && check_list_contains(topics, dlq)) {
        struct connect_value list = {.definition = &connect_definitions[CONNECT_KEY_TOPICS]};
        connect_value_take(check, &list, topics);
        check_refuse(check, 500, CONNECT_CONFIG_EXCEPTION,
                     "The DLQ topic '%.*s' may not be included in the list of topics "
                     "('topics.regex=[%s]') consumed by the connector",
                     SPAN_ARG(dlq),
                     check->no_memory ? "" : connect_words_listed(check, list.text.ptr));
    } else if (dlq.len > 0 && regex.len > 0 && check_regex_takes(regex, dlq)) {
        check_refuse(check, 500, CONNECT_CONFIG_EXCEPTION,
                     "The DLQ topic '%.*s' may not be included in the regex matching the topics "
                     "('topics.regex=%.*s') consumed by the connector",
                     SPAN_ARG(dlq), SPAN_ARG(regex));
    }
}

static void check_before_all(struct connect_check *check)
{
    const struct connect_entry *word = connect_entries_find(check->entries, "connector.class");
    if (word == NULL) {
        check_refuse_without_class(check);
    } else if (connect_class_resolve(word->value).len == 0) {
        check_refuse(
            check, 500, "org.apache.kafka.connect.errors.ConnectException",
            "Failed to find any class that implements Connector and which name matches %.*s, "
            "available connectors are: PluginDesc{klass=class " SINK_CLASS ", name='" SINK_CLASS
            "', version='" SINK_VERSION "', encodedVersion=" SINK_VERSION
            ", type=sink, typeName='sink', location='classpath'}",
            SPAN_ARG(word->value));
    } else {
        check_topics(check);
    }
}

/* --- all of it --- */

const struct connect_value *connect_check_value(const struct connect_check *check,
                                                enum connect_key key)
{
    return (int)key < (int)CONNECT_KEYS_FRAMEWORK ? &check->framework[key]
                                                  : &check->connector[key - CONNECT_KEYS_FRAMEWORK];
}

struct connect_check *connect_check_new(struct arena *arena, struct arena *texts,
                                        const struct connect_entries *entries)
{
    struct connect_check *check = ARENA_NEW(arena, struct connect_check);
    if (check == NULL) {
        return NULL;
    }
    check->arena = texts;
    check->entries = entries;
    check->aliases = arena_alloc_array(arena, CONNECT_ALIASES_MAX, sizeof(*check->aliases));
    if (check->aliases == NULL) {
        return NULL;
    }
    check_before_all(check);
    if (check->refusal != NULL || check->no_memory) {
        return check->no_memory ? NULL : check;
    }
    for (size_t i = 0; i < CONNECT_KEY_COUNT; i++) {
        connect_value_fill(check,
                           i < CONNECT_KEYS_FRAMEWORK
                               ? &check->framework[i]
                               : &check->connector[i - CONNECT_KEYS_FRAMEWORK],
                           &connect_definitions[i]);
    }
    if (!check->no_memory) {
        check_undefined_fill(check);
        check_aliases_fill(check, CONNECT_KEY_TRANSFORMS);
        check_aliases_fill(check, CONNECT_KEY_PREDICATES);
        check_across(check);
    }
    return check->no_memory ? NULL : check;
}

void connect_check_visit(const struct connect_check *check,
                         void (*visit)(void *ctx, const struct connect_value *value), void *ctx)
{
    for (size_t i = 0; i < check->undefined_count; i++) {
        visit(ctx, &check->undefined[i]);
    }
    for (size_t i = 0; i < ARRAY_COUNT(check->framework); i++) {
        visit(ctx, &check->framework[i]);
    }
    for (size_t i = 0; i < check->alias_count; i++) {
        visit(ctx, &check->aliases[i]);
    }
    for (size_t i = 0; i < ARRAY_COUNT(check->connector); i++) {
        visit(ctx, &check->connector[i]);
    }
}
