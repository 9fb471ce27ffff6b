/* Help beside the answers to requests that miss the API; of configurations: connect_hints.c. */
#include "connect_hints.h"
#include "connect_rest_internal.h"

void connect_rest_hint_path(struct exchange *exchange)
{
    struct span path = exchange->request.path;
    if (span_starts_with(path, SPAN_LIT("/v1/"))) {
        answer_hint(exchange, "that is MSK Connect's API; this is Kafka Connect's own: "
                              "/connectors, /connector-plugins");
    } else if (span_starts_with(path, SPAN_LIT("/connector/"))) {
        answer_hint(exchange, "the path is /connectors/<name>, in the plural");
    } else {
        answer_hint(exchange, "no such path: Connect has /connectors, /connectors/<name>/"
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
        answer_hint(exchange, "that looks like .properties text; the REST API takes JSON: "
                              "\"pinpipe connect create <file>\" turns the one into the "
                              "other");
    } else if (creates) {
        answer_hint(exchange, "POST /connectors takes {\"name\": \"<id>-connector\", "
                              "\"config\": {\"connector.class\": \"...\", ...}}");
    } else {
        answer_hint(exchange, "this call takes the flat configuration: "
                              "{\"connector.class\": \"...\", \"flush.size\": \"1\", ...}");
    }
}

void connect_rest_hint_findings(struct exchange *exchange, const struct connect_entries *config,
                                const struct connect_findings *findings)
{
    const char *hint = connect_hint_findings(&exchange->arena, config, findings);
    if (hint != NULL) {
        answer_hint(exchange, "%s", hint);
    }
}

void connect_rest_hint_config(const struct connect_rest_call *call,
                              const struct sink_config *config, bool created)
{
    struct connect_hint_world world = {
        .arena = &call->exchange->arena,
        .worker = call->rest->options.worker,
        .user_id = call->rest->options.user_id,
    };
    const char *hint = connect_hint_config(&world, config, created);
    if (hint != NULL) {
        answer_hint(call->exchange, "%s", hint);
    }
}
