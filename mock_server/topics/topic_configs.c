#include "topic_configs.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define LONG_MAX_TEXT "9223372036854775807"

/* Kafka 3.2's LogConfig. A synonym in another unit (hours) has its own value. */
const struct topic_config topic_configs[TOPIC_CONFIG_COUNT] = {
    {"cleanup.policy", "delete", "log.cleanup.policy", NULL, "LIST", "compact, delete", 0},
    {"compression.type", "producer", "compression.type", NULL, "STRING",
     "uncompressed, zstd, lz4, snappy, gzip, producer", 0},
    {"delete.retention.ms", "86400000", "log.cleaner.delete.retention.ms", NULL, "LONG", NULL, 0},
    {"file.delete.delay.ms", "60000", "log.segment.delete.delay.ms", NULL, "LONG", NULL, 0},
    {"flush.messages", LONG_MAX_TEXT, "log.flush.interval.messages", NULL, "LONG", NULL, 1},
    {"flush.ms", LONG_MAX_TEXT, "log.flush.scheduler.interval.ms", NULL, "LONG", NULL, 0},
    {"follower.replication.throttled.replicas", "", NULL, NULL, "LIST", NULL, 0},
    {"index.interval.bytes", "4096", "log.index.interval.bytes", NULL, "INT", NULL, 0},
    {"leader.replication.throttled.replicas", "", NULL, NULL, "LIST", NULL, 0},
    {"max.compaction.lag.ms", LONG_MAX_TEXT, "log.cleaner.max.compaction.lag.ms", NULL, "LONG",
     NULL, 1},
    {"max.message.bytes", "1048588", "message.max.bytes", NULL, "INT", NULL, 0},
    {"message.downconversion.enable", "true", "log.message.downconversion.enable", NULL, "BOOLEAN",
     NULL, 0},
    {"message.format.version", "3.0-IV1", "log.message.format.version", NULL, "STRING", NULL, 0},
    {"message.timestamp.difference.max.ms", LONG_MAX_TEXT,
     "log.message.timestamp.difference.max.ms", NULL, "LONG", NULL, 0},
    {"message.timestamp.type", "CreateTime", "log.message.timestamp.type", NULL, "STRING",
     "CreateTime, LogAppendTime", 0},
    {"min.cleanable.dirty.ratio", "0.5", "log.cleaner.min.cleanable.ratio", NULL, "DOUBLE", NULL,
     0},
    {"min.compaction.lag.ms", "0", "log.cleaner.min.compaction.lag.ms", NULL, "LONG", NULL, 0},
    {"min.insync.replicas", "1", "min.insync.replicas", NULL, "INT", NULL, 1},
    {"preallocate", "false", "log.preallocate", NULL, "BOOLEAN", NULL, 0},
    {"retention.bytes", "-1", "log.retention.bytes", NULL, "LONG", NULL, -1},
    {"retention.ms", "604800000", "log.retention.hours", "168", "LONG", NULL, -1},
    {"segment.bytes", "1073741824", "log.segment.bytes", NULL, "INT", NULL, 14},
    {"segment.index.bytes", "10485760", "log.index.size.max.bytes", NULL, "INT", NULL, 4},
    {"segment.ms", "604800000", "log.roll.hours", "168", "LONG", NULL, 1},
    {"unclean.leader.election.enable", "false", "unclean.leader.election.enable", NULL, "BOOLEAN",
     NULL, 0},
};

const struct topic_config *topic_config_find(struct span name)
{
    for (size_t i = 0; i < TOPIC_CONFIG_COUNT; i++) {
        if (span_equal_cstr(name, topic_configs[i].name)) {
            return &topic_configs[i];
        }
    }
    return NULL;
}

void topic_config_values_init(struct topic_config_values *values)
{
    for (size_t i = 0; i < TOPIC_CONFIG_COUNT; i++) {
        values->values[i] = topic_configs[i].value;
        values->overridden[i] = false;
    }
}

void topic_config_values_note(void *ctx, struct span name, struct span value)
{
    struct topic_config_values *values = ctx;
    const struct topic_config *config = topic_config_find(name);
    if (config == NULL || value.len >= TOPIC_CONFIG_VALUE_MAX) {
        return;
    }
    size_t index = (size_t)(config - topic_configs);
    memcpy(values->texts[index], value.ptr, value.len);
    values->texts[index][value.len] = '\0';
    values->values[index] = values->texts[index];
    values->overridden[index] = true;
}

/* --- checking --- */

static bool is_chosen(struct span word, const char *choices)
{
    struct span rest = span_from_cstr(choices);
    struct span choice;
    while (span_next_part(&rest, ',', &choice)) {
        if (span_equal(word, span_trim(choice))) {
            return true;
        }
    }
    return false;
}

static enum status check_choices(const struct topic_config *config, struct span value,
                                 struct error *err)
{
    struct span rest = value;
    struct span word;
    PP_ASSERT(config->choices != NULL);
    while (span_next_part(&rest, ',', &word)) {
        if (!is_chosen(span_trim(word), config->choices)) {
            return error_set(err, STATUS_INVALID,
                             "Invalid value %.*s for configuration %s: String must be one of: %s",
                             SPAN_ARG(span_trim(word)), config->name, config->choices);
        }
    }
    return STATUS_OK;
}

static enum status check_integer(const struct topic_config *config, struct span value,
                                 struct error *err)
{
    int64_t number;
    bool is_int = strcmp(config->type, "INT") == 0;
    if (!span_parse_i64(value, &number) || (is_int && (number > INT32_MAX || number < INT32_MIN))) {
        return error_set(err, STATUS_INVALID,
                         "Invalid value %.*s for configuration %s: Not a number of type %s",
                         SPAN_ARG(value), config->name, config->type);
    }
    if ((double)number < config->min) {
        return error_set(err, STATUS_INVALID,
                         "Invalid value %lld for configuration %s: Value must be at least %.0f",
                         (long long)number, config->name, config->min);
    }
    return STATUS_OK;
}

static enum status check_double(const struct topic_config *config, struct span value,
                                struct error *err)
{
    double number;
    if (!span_parse_double(value, &number) || !isfinite(number)) {
        return error_set(err, STATUS_INVALID,
                         "Invalid value %.*s for configuration %s: Not a number of type DOUBLE",
                         SPAN_ARG(value), config->name);
    }
    if (number < 0 || number > 1) { /* the only setting of this type is a ratio */
        return error_set(
            err, STATUS_INVALID, "Invalid value %.*s for configuration %s: Value must be %s",
            SPAN_ARG(value), config->name, number < 0 ? "at least 0" : "no more than 1");
    }
    return STATUS_OK;
}

enum status topic_config_check(struct span name, struct span value, struct error *err)
{
    const struct topic_config *config = topic_config_find(name);
    if (config == NULL) {
        return error_set(err, STATUS_INVALID, "Unknown topic config name: %.*s", SPAN_ARG(name));
    }
    if (value.len >= TOPIC_CONFIG_VALUE_MAX) {
        return error_set(err, STATUS_INVALID,
                         "Invalid value for configuration %s: longer than %d bytes", config->name,
                         TOPIC_CONFIG_VALUE_MAX - 1);
    }
    if (strcmp(config->type, "LONG") == 0 || strcmp(config->type, "INT") == 0) {
        return check_integer(config, value, err);
    }
    if (strcmp(config->type, "DOUBLE") == 0) {
        return check_double(config, value, err);
    }
    if (strcmp(config->type, "BOOLEAN") == 0 && !span_equal_nocase(value, SPAN_LIT("true")) &&
        !span_equal_nocase(value, SPAN_LIT("false"))) {
        return error_set(err, STATUS_INVALID,
                         "Invalid value %.*s for configuration %s: Expected value to be either "
                         "true or false",
                         SPAN_ARG(value), config->name);
    }
    return config->choices != NULL ? check_choices(config, value, err) : STATUS_OK;
}
