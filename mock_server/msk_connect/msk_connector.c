/* What creating, describing and changing a connector have in common: the rules of a request, the
 * document that is kept, its configuration as the worker is given it. */
#include "msk_connector.h"

#include "connect_hints.h"

#include <string.h>

/* Of creating and updating alike. */
static const struct msk_rule common_rules[] = {
    {.path = "connectorConfiguration", .type = MSK_OBJECT},
    {.path = "capacity", .type = MSK_OBJECT},
    {.path = "capacity.provisionedCapacity", .type = MSK_OBJECT},
    {.path = "capacity.provisionedCapacity.mcuCount",
     .type = MSK_NUMBER,
     .required = true,
     .min = 1,
     .max = 8},
    {.path = "capacity.provisionedCapacity.workerCount",
     .type = MSK_NUMBER,
     .required = true,
     .min = 1,
     .max = 10},
    {.path = "capacity.autoScaling", .type = MSK_OBJECT},
    {.path = "capacity.autoScaling.mcuCount",
     .type = MSK_NUMBER,
     .required = true,
     .min = 1,
     .max = 8},
    {.path = "capacity.autoScaling.minWorkerCount",
     .type = MSK_NUMBER,
     .required = true,
     .min = 1,
     .max = 10},
    {.path = "capacity.autoScaling.maxWorkerCount",
     .type = MSK_NUMBER,
     .required = true,
     .min = 1,
     .max = 10},
    {.path = "plugins", .type = MSK_LIST, .min = 1, .max = 1},
    {.path = "plugins[].customPlugin", .type = MSK_OBJECT, .required = true},
    {.path = "plugins[].customPlugin.customPluginArn", .type = MSK_TEXT, .required = true},
    {.path = "plugins[].customPlugin.revision",
     .type = MSK_NUMBER,
     .required = true,
     .min = 1,
     .max = 1},
    {.path = "workerConfiguration", .type = MSK_OBJECT},
    {.path = "workerConfiguration.workerConfigurationArn", .type = MSK_TEXT, .required = true},
    {.path = "workerConfiguration.revision",
     .type = MSK_NUMBER,
     .required = true,
     .min = 1,
     .max = 1},
};

/* What of a request is kept, in the order of the description; and may it be updated? */
static const struct {
    const char *name;
    bool updatable;
} kept[] = {
    {"capacity", true},
    {"connectorDescription", false},
    {"kafkaCluster", false},
    {"kafkaClusterClientAuthentication", false},
    {"kafkaClusterEncryptionInTransit", false},
    {"kafkaConnectVersion", false},
    {"logDelivery", false},
    {"networkType", false},
    {"plugins", true},
    {"serviceExecutionRoleArn", false},
    {"workerConfiguration", true},
    {"connectorConfiguration", true},
};

/* --- one connector --- */

const char *msk_connector_state(enum connect_state state)
{
    switch (state) {
    case CONNECT_UNASSIGNED:
        return "CREATING";
    case CONNECT_RUNNING:
        return "RUNNING";
    case CONNECT_PAUSED:
        return "PAUSED";
    case CONNECT_FAILED:
        return "FAILED";
    }
    return "RUNNING";
}

/* Copied: the worker's view is gone with the next change. False: an error is in the reply. */
bool msk_connector_find(const struct msk_call *call, struct span arn, struct msk_connector *out)
{
    struct arena *arena = &call->exchange->arena;
    struct connect_connector_view view;
    struct msk_item item;
    struct span name;
    *out = (struct msk_connector){.arn = arn};
    if (msk_arn_name(arn, MSK_KIND_CONNECTOR, &name) &&
        connect_worker_find(call->msk->options.worker, name, &view) &&
        span_equal(msk_member_text(arena, view.msk, "connectorArn"), arn)) {
        const char *document = arena_copy_cstr(arena, view.msk);
        const char *trace = arena_copy_cstr(arena, view.trace);
        if (document == NULL || trace == NULL) {
            exchange_fail(call->exchange, EXCHANGE_NO_MEMORY);
            return false;
        }
        out->name = name;
        out->document = span_from(document, view.msk.len);
        out->state = msk_connector_state(view.state);
        out->trace = span_from(trace, view.trace.len);
        return true;
    }
    if (!msk_item_find(call, MSK_KIND_CONNECTOR, arn, &item)) {
        return false;
    }
    out->name = item.name;
    out->document = item.document;
    out->state = "FAILED";
    out->failed_to_start = true;
    return true;
}

/* K and 13 of [A-Z2-7], as AWS's look. */
static void version_new(struct env *env, char out[16])
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    out[0] = 'K';
    for (size_t i = 1; i < 14; i++) {
        out[i] = digits[env_random_below(env, sizeof(digits) - 1)];
    }
    out[14] = '\0';
}

/* --- the document --- */

void msk_connector_write_kept(struct span request, struct span before, bool update, struct buf *out)
{
    for (size_t i = 0; i < ARRAY_COUNT(kept); i++) {
        size_t start = out->len;
        buf_printf(out, ",\"%s\":", kept[i].name);
        bool taken = (!update || kept[i].updatable) && msk_member_copy(request, kept[i].name, out);
        if (!taken && !msk_member_copy(before, kept[i].name, out)) {
            out->len = start; /* neither has it */
        }
    }
}

void msk_connector_write_identity(const struct msk_call *call, const struct msk_identity *identity,
                                  struct buf *out)
{
    char version[16];
    version_new(call->msk->options.env, version);
    BUF_APPEND_LIT(out, "{");
    msk_text_write(out, "connectorArn", identity->arn);
    msk_text_write(out, "connectorName", identity->name);
    if (identity->created.len > 0) {
        msk_text_write(out, "creationTime", identity->created);
    } else {
        msk_time_write(out, "creationTime", identity->created_ms);
    }
    msk_text_write(out, "currentVersion", span_from_cstr(version));
}

/* --- checks --- */

/* The plugin that the request names, if it does. False: an error is in the reply. *no_sink: it is
 * there, but without the S3 sink. */
bool msk_connector_plugin(const struct msk_call *call, const struct json_doc *doc, bool *no_sink)
{
    const struct json_node *plugin = json_node_get(
        json_node_at(json_node_get(json_doc_root(doc), "plugins"), 0), "customPlugin");
    const char *arn = "";
    struct msk_item item;
    *no_sink = false;
    if (!json_node_string(json_node_get(plugin, "customPluginArn"), &arn)) {
        return true;
    }
    if (!msk_item_find(call, MSK_KIND_PLUGIN, span_from_cstr(arn), &item)) {
        return false;
    }
    *no_sink = !msk_member_is_true(item.document, "s3Sink");
    struct span state = msk_member_text(&call->exchange->arena, item.document, "customPluginState");
    if (!span_equal_cstr(state, "ACTIVE")) {
        msk_error(call->exchange, MSK_BAD_REQUEST, "The custom plugin %s is not active", arn);
        return false;
    }
    return true;
}

/* The worker configuration that an object of a connector names; empty: none. */
static bool find_worker(const struct msk_call *call, struct span object, struct span *document)
{
    struct msk_item item = {.document = SPAN_EMPTY};
    struct buf reference;
    buf_init(&reference, MSK_BODY_BYTES_MAX * 2);
    bool named = msk_member_copy(object, "workerConfiguration", &reference);
    struct span arn =
        msk_member_text(&call->exchange->arena, buf_span(&reference), "workerConfigurationArn");
    buf_release(&reference);
    bool found = !named || msk_item_find(call, MSK_KIND_WORKER, arn, &item);
    *document = item.document;
    return found;
}

/* False: an error is in the reply. */
bool msk_connector_check(const struct msk_call *call, struct span object, struct span name,
                         struct msk_checked *out)
{
    struct span worker_document;
    struct arena *arena = &call->exchange->arena;
    struct connect_findings findings;
    struct error err;
    struct buf config;
    buf_init(&config, MSK_BODY_BYTES_MAX * 2);
    bool has = msk_member_copy(object, "connectorConfiguration", &config);
    const char *text = has ? arena_copy_cstr(arena, buf_span(&config)) : NULL;
    buf_release(&config);
    enum status status = connect_entries_parse(arena, span_from_cstr(text), &out->entries, &err);
    if (status == STATUS_INVALID) {
        msk_error(call->exchange, MSK_BAD_REQUEST,
                  "Invalid request body: connectorConfiguration: %s", err.message);
        return false;
    }
    if (status != STATUS_OK) {
        exchange_fail(call->exchange, EXCHANGE_NO_MEMORY);
        return false;
    }
    if (!find_worker(call, object, &worker_document) ||
        !msk_worker_converters(call, worker_document, &out->entries)) {
        return false;
    }
    connect_entries_name(&out->entries, name);
    if (connect_config_parse(arena, &out->entries, &out->config, &findings, &err) != STATUS_OK) {
        exchange_fail(call->exchange, EXCHANGE_NO_MEMORY);
        return false;
    }
    out->sound = findings.count == 0;
    if (findings.exception != NULL) {
        buf_append_cstr(&out->findings, findings.errors[0]);
    } else if (!out->sound) {
        connect_findings_write(&findings, &out->findings);
    }
    if (!out->sound) {
        const char *hint = connect_hint_findings(arena, &out->entries, &findings);
        if (hint != NULL) {
            answer_hint(call->exchange, "%s", hint);
        }
    }
    return true;
}

void msk_connector_hint(const struct msk_call *call, const struct sink_config *config, bool created)
{
    struct connect_hint_world world = {
        .arena = &call->exchange->arena,
        .store = call->msk->options.store,
        .user_id = call->msk->options.identity->user_id,
    };
    const char *hint = connect_hint_config(&world, config, created);
    if (hint != NULL) {
        answer_hint(call->exchange, "%s", hint);
    }
}

/* --- handing it over --- */

bool msk_connector_run(const struct msk_call *call, struct span name, struct buf *document,
                       const struct connect_entries *entries)
{
    struct connect_spec spec = {.name = name, .config = entries};
    struct error err;
    BUF_APPEND_LIT(document, "}");
    spec.msk = buf_span(document);
    if (!buf_ok(document)) {
        exchange_fail(call->exchange, EXCHANGE_NO_MEMORY);
        return false;
    }
    switch (connect_worker_put(call->msk->options.worker, &spec, &err)) {
    case STATUS_OK:
        return true;
    case STATUS_LIMIT:
        msk_error(call->exchange, MSK_TOO_MANY, "On this server %s", err.message);
        return false;
    default:
        msk_error_store(call, &err);
        return false;
    }
}

void msk_connector_answer(const struct msk_call *call, const struct msk_identity *identity,
                          const char *state)
{
    struct buf *out = msk_reply(call->exchange);
    BUF_APPEND_LIT(out, "{");
    msk_text_write(out, "connectorArn", identity->arn);
    if (identity->name.len > 0) {
        msk_text_write(out, "connectorName", identity->name);
    }
    if (state != NULL) {
        msk_text_write(out, "connectorState", span_from_cstr(state));
    }
    BUF_APPEND_LIT(out, "}");
}

bool msk_connector_decode(const struct msk_call *call, const struct msk_rule *rules, size_t count,
                          struct json_doc **doc)
{
    if (!msk_decode(call, rules, count, doc)) {
        return false;
    }
    json_doc_free(*doc);
    return msk_decode(call, common_rules, ARRAY_COUNT(common_rules), doc);
}
