/* The settings of topics: Kafka's table with its defaults, and what a topic has set over them
 * (specs/kafka-rest-v2.md sections 1.1 and 5). */
#ifndef PINPIPE_TOPIC_CONFIGS_H
#define PINPIPE_TOPIC_CONFIGS_H

#include "error.h"
#include "span.h"

struct topic_config {
    const char *name;
    const char *value;         /* Kafka's default */
    const char *synonym;       /* the broker's setting behind it; NULL: none */
    const char *synonym_value; /* NULL: the same value */
    const char *type;          /* LONG, INT, DOUBLE, BOOLEAN, LIST, STRING */
    const char *choices;       /* "compact, delete"; NULL: any */
    double min;                /* of numbers */
};

enum { TOPIC_CONFIG_COUNT = 25, TOPIC_CONFIG_VALUE_MAX = 1024 };

/* By name. */
extern const struct topic_config topic_configs[TOPIC_CONFIG_COUNT];

/* NULL when Kafka has no such setting. */
const struct topic_config *topic_config_find(struct span name);

/* Every setting of a topic: values[i] belongs to topic_configs[i]; overridden[i] tells a stored
 * one.
 */
struct topic_config_values {
    char texts[TOPIC_CONFIG_COUNT][TOPIC_CONFIG_VALUE_MAX];
    const char *values[TOPIC_CONFIG_COUNT];
    bool overridden[TOPIC_CONFIG_COUNT];
};
/* Every setting at Kafka's default. */
void topic_config_values_init(struct topic_config_values *values);
/* Notes a setting that is stored over its default; ctx is the struct topic_config_values. Unknown
 * names are passed over. */
void topic_config_values_note(void *ctx, struct span name, struct span value);

/* INVALID with Kafka's words when the setting is unknown or the value does not fit it. */
enum status topic_config_check(struct span name, struct span value, struct error *err) PP_MUST_USE;

#endif
