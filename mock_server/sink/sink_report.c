/* Records that a sink could not take: the dead-letter topic with its context headers, and the log
 * (specs/s3-sink-connector.md 7). As in Connect they are told whether or not errors are tolerated.
 */
#include "sink.h"

#include "record_headers.h"
#include "store.h"
#include "topic_policy.h"

#include <stdio.h>
#include <string.h>

#define HEADER_PREFIX "__connect.errors."

static const char sink_task_class[] = "org.apache.kafka.connect.sink.SinkTask";

static const char *report_class(const struct sink *sink, enum sink_stage stage)
{
    switch (stage) {
    case SINK_STAGE_KEY_CONVERTER:
        return sink_converter_class(sink->key_how.converter);
    case SINK_STAGE_VALUE_CONVERTER:
        return sink_converter_class(sink->value_how.converter);
    case SINK_STAGE_TASK_PUT:
        return sink_task_class;
    }
    BUG("a stage without its class");
}

/* --- headers ---------------------------------------------------------------------------------- */

struct report_headers {
    struct span original; /* a name that is there already stays alone */
    struct buf entries;
    size_t count;
};

static bool report_has_header(struct span headers, struct span name)
{
    struct record_headers walk;
    struct record_header header;
    bool found = false;
    bool opened = record_headers_open(&walk, headers);
    while (opened && !found && record_headers_next(&walk, &header)) {
        found = span_equal(header.name, name);
    }
    return found;
}

static void report_add_header(struct report_headers *headers, const char *name, struct span value)
{
    char whole[96];
    snprintf(whole, sizeof(whole), HEADER_PREFIX "%s", name);
    struct span whole_name = span_from_cstr(whole);
    if (report_has_header(headers->original, whole_name)) {
        return;
    }
    record_header_append(
        &headers->entries,
        &(struct record_header){.name = whole_name, .has_value = true, .value = value});
    headers->count++;
}

static void report_add_number(struct report_headers *headers, const char *name, int64_t value)
{
    char text[24];
    snprintf(text, sizeof(text), "%lld", (long long)value);
    report_add_header(headers, name, span_from_cstr(text));
}

static void report_add_context(const struct sink *sink, const struct sink_report *report,
                               struct report_headers *headers)
{
    const struct sink_exception *thrown = &report->failure->chain[0];
    enum sink_stage stage = report->failure->stage;
    struct buf trace;
    report_add_header(headers, "topic", report->record->topic);
    report_add_number(headers, "partition", report->record->partition);
    report_add_number(headers, "offset", report->record->offset);
    report_add_header(headers, "connector.name", sink->options.config->name);
    report_add_number(headers, "task.id", report->task);
    report_add_header(headers, "stage", span_from_cstr(sink_stage_name(stage)));
    report_add_header(headers, "class.name", span_from_cstr(report_class(sink, stage)));
    report_add_header(headers, "exception.class.name", span_from_cstr(thrown->class_name));
    report_add_header(headers, "exception.message", span_from_cstr(thrown->message));
    buf_init(&trace, SINK_TRACE_BYTES_MAX);
    sink_failure_trace(report->failure, &trace);
    report_add_header(headers, "exception.stacktrace", buf_span(&trace));
    buf_release(&trace);
}

/* --- the dead-letter topic -------------------------------------------------------------------- */

static bool report_is_permitted(const struct sink *sink, struct span topic)
{
    const struct topic_policy *policy = sink->options.policy;
    return policy == NULL || topic_policy_topic(policy, topic) != TOPIC_REFUSED;
}

/* Precondition: sink->options.broker is the embedded one, or another that answers produce at once.
 * The request lives here only, and the letter has to be in the turn that leaves its record out. */
static void report_produce(struct sink *sink, const struct sink_report *report, struct span headers)
{
    const struct store_record *raw = report->raw;
    struct broker_record record = {
        .partition = -1,
        .has_key = raw->has_key,
        .has_value = raw->has_value,
        .key = raw->key,
        .value = raw->value,
        .headers = headers,
        .timestamp_ms = raw->timestamp_ms,
    };
    struct broker_result result = {.error = KAFKA_ERROR_NONE};
    struct broker_produce request = {.topic = sink->options.config->dlq_topic,
                                     .records = &record,
                                     .results = &result,
                                     .count = 1,
                                     .base = {.arena = &sink->scratch->texts}};
    if (!report_is_permitted(sink, request.topic)) {
        LOG_ERRORF(sink->options.log, "sink",
                   "could not produce message to dead letter queue. topic=%.*s: Not authorized to "
                   "access topics: [%.*s]",
                   SPAN_ARG(request.topic), SPAN_ARG(request.topic));
        return;
    }
    arena_reset(&sink->scratch->texts);
    enum broker_outcome outcome =
        sink->options.broker->ops->produce(sink->options.broker, &request);
    PP_ASSERT(outcome == BROKER_DONE);
    if (result.error != KAFKA_ERROR_NONE) {
        LOG_ERRORF(sink->options.log, "sink",
                   "could not produce message to dead letter queue. topic=%.*s: %s",
                   SPAN_ARG(request.topic), kafka_error_words(result.error));
    }
}

static void report_send(struct sink *sink, const struct sink_report *report)
{
    struct span original = report->raw->headers;
    if (!sink->options.config->dlq_headers) {
        report_produce(sink, report, original);
        return;
    }
    struct report_headers headers = {.original = original};
    struct span entries = SPAN_EMPTY;
    struct buf bytes;
    buf_init(&headers.entries, SINK_REPORT_BYTES_MAX);
    buf_init(&bytes, SINK_REPORT_BYTES_MAX);
    if (record_headers_split(original, &headers.count, &entries)) {
        buf_append_span(&headers.entries, entries);
    } else { /* none, or damaged ones, which are no part of a letter */
        headers = (struct report_headers){.original = SPAN_EMPTY, .entries = headers.entries};
    }
    report_add_context(sink, report, &headers);
    record_headers_write(&bytes, headers.count, buf_span(&headers.entries));
    if (buf_ok(&headers.entries) && buf_ok(&bytes)) {
        report_produce(sink, report, buf_span(&bytes));
    } else {
        LOG_ERRORF(sink->options.log, "sink", "no memory for a dead letter's headers");
    }
    buf_release(&headers.entries);
    buf_release(&bytes);
}

/* --- the log ---------------------------------------------------------------------------------- */

static void report_log(const struct sink *sink, const struct sink_report *report)
{
    const struct sink_record *record = report->record;
    enum sink_stage stage = report->failure->stage;
    char where[160] = "";
    if (sink->options.config->log_messages) {
        snprintf(where, sizeof(where),
                 ", where consumed record is {topic='%.*s', partition=%d, offset=%lld, "
                 "timestamp=%lld}",
                 SPAN_ARG(span_first(record->topic, 64)), (int)record->partition,
                 (long long)record->offset, (long long)record->timestamp_ms);
    }
    LOG_ERRORF(sink->options.log, "sink",
               "Error encountered in task %.*s-%d. Executing stage '%s' with class '%s'%s: %s: %s",
               SPAN_ARG(sink->options.config->name), report->task, sink_stage_name(stage),
               report_class(sink, stage), where, report->failure->chain[0].class_name,
               report->failure->chain[0].message);
}

bool sink_reports_puts(const struct sink *sink)
{
    return sink->options.config->dlq_topic.len > 0 || sink->options.config->log_errors;
}

bool sink_report(struct sink *sink, const struct sink_report *report)
{
    if (sink->options.config->log_errors) {
        report_log(sink, report);
    }
    if (sink->options.config->dlq_topic.len > 0) {
        report_send(sink, report);
    }
    return sink->options.config->tolerate_all;
}
