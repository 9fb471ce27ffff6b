/* Help beside the answers, for what the workshop's participants trip over (specs/workshop.md,
 * section 7). One hint an answer: the one that matters most comes first. */
#include "connect_rest_internal.h"

#include "java_regex.h"

#include <string.h>

void connect_rest_hint_path(struct exchange *exchange)
{
    struct span path = exchange->request.path;
    if (span_starts_with(path, SPAN_LIT("/v1/"))) {
        connect_rest_hint(exchange, "that is MSK Connect's API; this is Kafka Connect's own: "
                                    "/connectors, /connector-plugins");
    } else if (span_starts_with(path, SPAN_LIT("/connector/"))) {
        connect_rest_hint(exchange, "the path is /connectors/<name>, in the plural");
    } else {
        connect_rest_hint(exchange, "no such path: Connect has /connectors, /connectors/<name>/"
                                    "{config,status,tasks,topics,pause,resume,restart} and "
                                    "/connector-plugins");
    }
}

void connect_rest_hint_body(struct exchange *exchange)
{
    struct span body = span_trim(exchange->request.body);
    bool creates = exchange->request.method == METHOD_POST;
    if (body.len > 0 && body.ptr[0] != '{' && body.ptr[0] != '[' && body.ptr[0] != '"' &&
        span_find_byte(body, '=') < body.len) {
        connect_rest_hint(exchange, "that looks like .properties text; the REST API takes JSON: "
                                    "\"pinpipe connect create <file>\" turns the one into the "
                                    "other");
    } else if (creates) {
        connect_rest_hint(exchange, "POST /connectors takes {\"name\": \"<id>-connector\", "
                                    "\"config\": {\"connector.class\": \"...\", ...}}");
    } else {
        connect_rest_hint(exchange, "this call takes the flat configuration: "
                                    "{\"connector.class\": \"...\", \"flush.size\": \"1\", ...}");
    }
}

static bool hint_comment(struct exchange *exchange, const struct connect_entries *config)
{
    const struct connect_entry *entry = connect_entries_comment(config);
    if (entry == NULL) {
        return false;
    }
    connect_rest_hint(exchange,
                      "the comment behind the value of %.*s is part of the value: in .properties "
                      "a comment stands on a line of its own",
                      SPAN_ARG(entry->key));
    return true;
}

void connect_rest_hint_findings(struct exchange *exchange, const struct connect_entries *config,
                                const struct connect_findings *findings)
{
    if (hint_comment(exchange, config)) {
        return;
    }
    const char *first = findings->errors[0];
    if (strstr(first, "AvroFormat") != NULL || strstr(first, "ParquetFormat") != NULL) {
        connect_rest_hint(exchange, "this server writes JsonFormat and ByteArrayFormat (keys and "
                                    "headers: JsonFormat) only");
    } else if (strstr(first, "topics.regex are mutually exclusive") != NULL) {
        connect_rest_hint(exchange, "leave topics out, or topics.regex");
    } else if (strstr(first, "The DLQ topic") != NULL) {
        connect_rest_hint(exchange, "the sink would read its own rejects: give the dead-letter "
                                    "topic a name that topics.regex does not match");
    } else if (strstr(first, "Failed to find any class") != NULL) {
        connect_rest_hint(exchange, "the class here is io.confluent.connect.s3.S3SinkConnector");
    } else if (strstr(first, "format.class") != NULL && strstr(first, "could not be") != NULL) {
        connect_rest_hint(exchange, "classes are named in full: "
                                    "io.confluent.connect.s3.format.json.JsonFormat");
    }
}

/* --- taken, but --- */

static bool matches_any_topic(struct store *store, struct span pattern)
{
    struct java_regex *regex = NULL;
    struct java_regex_flaw flaw;
    bool found = false;
    if (java_regex_new(pattern, &regex, &flaw) != STATUS_OK) {
        return true;
    }
    for (size_t i = 0; i < store_topic_count(store) && !found; i++) {
        found = java_regex_match(regex, store_topic_at(store, i)->name) == JAVA_REGEX_YES;
    }
    java_regex_free(regex);
    return found;
}

static void note_commit(void *ctx, struct span group, const struct store_commit *commit)
{
    bool *any = ctx;
    (void)group;
    (void)commit;
    *any = true;
}

static bool has_committed(const struct connect_rest_call *call, struct span name)
{
    const char *group = arena_printf(&call->exchange->arena, "connect-%.*s", SPAN_ARG(name));
    bool any = false;
    struct error err;
    if (group == NULL || store_group_visit(call->rest->options.store, span_from_cstr(group),
                                           note_commit, &any, &err) != STATUS_OK) {
        return false;
    }
    return any;
}

static bool has_bucket(const struct connect_rest_call *call, struct span name)
{
    struct store_bucket bucket;
    struct error err;
    return store_bucket_find(call->rest->options.store, name, &call->exchange->arena, &bucket,
                             &err) != STATUS_NOT_FOUND;
}

void connect_rest_hint_config(const struct connect_rest_call *call,
                              const struct sink_config *config, bool created)
{
    struct exchange *exchange = call->exchange;
    const char *user = call->rest->options.user_id;
    struct span suffix = SPAN_LIT("-connector");
    if (!has_bucket(call, config->bucket)) {
        connect_rest_hint(exchange,
                          "there is no bucket %.*s: the tasks will fail until it is created and "
                          "they are restarted (a comment or blank behind the name is part of it)",
                          SPAN_ARG(config->bucket));
    } else if (config->value_converter == SINK_CONVERTER_JSON && config->value_schemas_enable) {
        connect_rest_hint(exchange, "JsonConverter expects {\"schema\", \"payload\"} unless "
                                    "value.converter and value.converter.schemas.enable=false are "
                                    "both set: rows as the workshop posts them will fail the task");
    } else if (config->topics_regex.len > 0 &&
               !matches_any_topic(call->rest->options.store, config->topics_regex)) {
        connect_rest_hint(exchange,
                          "topics.regex=%.*s matches no topic yet: it must match the whole name, "
                          "e.g. %s.*",
                          SPAN_ARG(config->topics_regex), user);
    } else if (created && has_committed(call, config->name)) {
        connect_rest_hint(
            exchange,
            "a connector of this name has read before: this one goes on where it "
            "stopped (consumer group connect-%.*s); another name reads from the start",
            SPAN_ARG(config->name));
    } else if (!span_starts_with(config->name, span_from_cstr(user)) ||
               config->name.len != strlen(user) + suffix.len ||
               !span_ends_with(config->name, suffix)) {
        connect_rest_hint(exchange,
                          "allowed here, but the workshop's AWS takes only the name %s-connector",
                          user);
    }
}
