#include "connect_definitions_internal.h"

#include "connect_config.h"

const struct connect_plugin connect_plugin = {SINK_CLASS, SINK_TASK_CLASS, SINK_VERSION};

struct span connect_class_resolve(struct span word)
{
    static const char *const names[] = {SINK_CLASS, "S3SinkConnector", "S3Sink"};
    for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
        if (span_equal_cstr(word, names[i])) {
            return SPAN_LIT(SINK_CLASS);
        }
    }
    return SPAN_EMPTY;
}

const char *const connect_groups_framework[] = {"Common", "Transforms", "Predicates",
                                                "Error Handling", NULL};
const char *const connect_groups_connector[] = {
    "Connector", "Schema", "S3", "Keys and Headers", "Storage", "Partitioner", NULL};

/* --- how a row's rules are said --- */
#define REQUIRED              .required = true,
#define NO_DEFAULT            .default_value = NULL,
#define DEFAULT(text)         .default_value = text,
#define ANY                   .validator = VALID_ANY,
#define IS(kind)              .validator = VALID_##kind,
#define AT_LEAST(lowest)      .validator = VALID_RANGE, .min = lowest, .max = INT64_MAX,
#define BETWEEN(low, high)    .validator = VALID_RANGE, .min = low, .max = high,
#define ONE_OF(kind, allowed) .validator = VALID_##kind, .words = allowed,
#define CLASSES(allowed)      .words = allowed,
#define RECOMMENDS(texts)     .recommended = texts,
#define DEPENDENTS(names)     .dependents = names,
#define SHOWN(condition)      .visibility = VISIBLE_##condition,

#define X(key, text, kind, fallback, weight, section, place, columns, title, words_of_ours, rules) \
    [CONNECT_KEY_##key] = {.name = text,                                                           \
                           .type = CONNECT_##kind,                                                 \
                           fallback.importance = #weight,                                          \
                           .group = section,                                                       \
                           .order = place,                                                         \
                           .width = #columns,                                                      \
                           .display_name = title,                                                  \
                           .documentation = words_of_ours,                                         \
                           rules},
const struct connect_definition connect_definitions[CONNECT_KEY_COUNT] = {
#include "connect_definitions.def"
};
#undef X
