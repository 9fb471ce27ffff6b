/* Connectors: what the worker runs under the description that MSK Connect was given, kept beside it
 * (struct connect_spec.msk). One whose configuration is invalid is FAILED and has nothing that
 * could run: it is kept as a resource of its own.
 *
 * DIFFERS: a connector is there at once (5 to 10 minutes on AWS): CREATING, UPDATING and DELETING
 * are what the answer to the call says, not what is described afterwards. Networks, roles, capacity
 * and log delivery are kept and described, and mean nothing. Operations of connectors, tags and
 * connectorOperationArn are not served. */
#include "connect_hints.h"
#include "msk_connect_internal.h"

#include <string.h>

static const struct msk_rule create_rules[] = {
    {.path = "connectorName",
     .type = MSK_TEXT,
     .required = true,
     .min = 1,
     .max = MSK_NAME_BYTES_MAX},
    {.path = "connectorConfiguration", .type = MSK_OBJECT, .required = true},
    {.path = "capacity", .type = MSK_OBJECT, .required = true},
    {.path = "kafkaCluster", .type = MSK_OBJECT, .required = true},
    {.path = "kafkaCluster.apacheKafkaCluster", .type = MSK_OBJECT, .required = true},
    {.path = "kafkaCluster.apacheKafkaCluster.bootstrapServers",
     .type = MSK_TEXT,
     .required = true},
    {.path = "kafkaCluster.apacheKafkaCluster.vpc", .type = MSK_OBJECT, .required = true},
    {.path = "kafkaCluster.apacheKafkaCluster.vpc.subnets", .type = MSK_LIST, .required = true},
    {.path = "kafkaClusterClientAuthentication", .type = MSK_OBJECT, .required = true},
    {.path = "kafkaClusterClientAuthentication.authenticationType",
     .type = MSK_TEXT,
     .required = true,
     .words = "NONE,IAM"},
    {.path = "kafkaClusterEncryptionInTransit", .type = MSK_OBJECT, .required = true},
    {.path = "kafkaClusterEncryptionInTransit.encryptionType",
     .type = MSK_TEXT,
     .required = true,
     .words = "PLAINTEXT,TLS"},
    {.path = "kafkaConnectVersion", .type = MSK_TEXT, .required = true, .words = "2.7.1,3.7.x"},
    {.path = "plugins", .type = MSK_LIST, .required = true, .min = 1, .max = 1},
    {.path = "serviceExecutionRoleArn", .type = MSK_TEXT, .required = true},
    {.path = "connectorDescription", .type = MSK_TEXT, .min = 0, .max = 1024},
    {.path = "logDelivery", .type = MSK_OBJECT},
    {.path = "networkType", .type = MSK_TEXT, .words = "IPV4,DUAL"},
    {.path = "tags", .type = MSK_OBJECT},
};

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

struct connector {
    struct span name;
    struct span arn;
    struct span document;
    const char *state;
    bool failed_to_start; /* a resource: there is nothing to run */
    struct span trace;    /* of a connector that the worker has, FAILED */
};

static const char *state_of(enum connect_state state)
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
static bool connector_find(const struct msk_call *call, struct span arn, struct connector *out)
{
    struct arena *arena = &call->exchange->arena;
    struct connect_connector_view view;
    struct msk_item item;
    struct span name;
    *out = (struct connector){.arn = arn};
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
        out->state = state_of(view.state);
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

struct identity {
    struct span arn;
    struct span name;
    int64_t created_ms;
    struct span created; /* as it was described; empty: created_ms says it */
};

static void write_kept(struct span request, struct span before, bool update, struct buf *out)
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

static void write_identity(const struct msk_call *call, const struct identity *identity,
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
static bool find_plugin(const struct msk_call *call, const struct json_doc *doc, bool *no_sink)
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

/* What the connector is to run with. */
struct checked {
    struct connect_entries entries;
    struct sink_config config;
    bool sound;
    struct buf findings; /* what is wrong with it; released by whoever made the struct */
};

/* False: an error is in the reply. */
static bool check_config(const struct msk_call *call, struct span object, struct span name,
                         struct checked *out)
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
            msk_hint(call->exchange, "%s", hint);
        }
    }
    return true;
}

static void hint_config(const struct msk_call *call, const struct sink_config *config, bool created)
{
    struct connect_hint_world world = {
        .arena = &call->exchange->arena,
        .store = call->msk->options.store,
        .user_id = call->msk->options.user_id,
    };
    const char *hint = connect_hint_config(&world, config, created);
    if (hint != NULL) {
        msk_hint(call->exchange, "%s", hint);
    }
}

/* --- creating --- */

static bool name_is_free(const struct msk_call *call, struct span name)
{
    struct connect_connector_view view;
    struct msk_items items;
    bool taken = connect_worker_find(call->msk->options.worker, name, &view);
    if (!taken && !msk_items_load(call, MSK_KIND_CONNECTOR, 0, &items)) {
        return false;
    }
    for (size_t i = 0; !taken && i < items.count; i++) {
        taken = span_equal(items.items[i].name, name);
    }
    if (taken) {
        msk_error(call->exchange, MSK_CONFLICT, "A resource with this name already exists.");
    }
    return !taken;
}

/* Kept, but nothing of it runs; `message` says why. */
static bool keep_failed(const struct msk_call *call, const struct identity *identity,
                        struct buf *document, struct span message)
{
    BUF_APPEND_LIT(document, ",\"stateDescription\":{");
    msk_text_write(document, "code",
                   SPAN_LIT("InvalidInput.InvalidConnectorConfigurationProvided"));
    msk_text_write(document, "message", message);
    BUF_APPEND_LIT(document, "}}");
    struct store_resource resource = {
        .arn = identity->arn,
        .kind = SPAN_LIT(MSK_KIND_CONNECTOR),
        .name = identity->name,
        .document = buf_span(document),
        .created_ms = identity->created_ms,
    };
    if (!buf_ok(document)) {
        exchange_fail(call->exchange, EXCHANGE_NO_MEMORY);
        return false;
    }
    return msk_resource_keep(call, &resource);
}

static bool keep_running(const struct msk_call *call, struct span name, struct buf *document,
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

static void answer_state(const struct msk_call *call, const struct identity *identity,
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

/* Everything is checked; what becomes of it depends on plugin and configuration. */
static bool keep_new(const struct msk_call *call, const struct identity *identity, bool no_sink,
                     struct checked *checked, struct buf *document)
{
    const char *message;
    if (!no_sink && checked->sound) {
        hint_config(call, &checked->config, true);
        return keep_running(call, identity->name, document, &checked->entries);
    }
    if (no_sink) {
        const struct connect_entry *word =
            connect_entries_find(&checked->entries, "connector.class");
        msk_hint(call->exchange, "the plugin's zip has no kafka-connect-s3-<version>.jar in it");
        message = arena_printf(&call->exchange->arena,
                               "The connector configuration is invalid. Message: Failed to find "
                               "any class that implements Connector and which name matches %.*s",
                               SPAN_ARG(word != NULL ? word->value : SPAN_EMPTY));
    } else {
        message = arena_printf(&call->exchange->arena,
                               "The connector configuration is invalid. Message: %s",
                               buf_cstr(&checked->findings));
    }
    return keep_failed(call, identity, document, span_from_cstr(message));
}

static void create(const struct msk_call *call, const struct json_doc *doc)
{
    struct env *env = call->msk->options.env;
    struct span body = call->exchange->request.body;
    struct identity identity = {.name = msk_text(doc, "connectorName"),
                                .created_ms = env->wall_us(env) / 1000};
    struct checked checked = {.sound = false};
    struct buf document;
    bool no_sink;
    if (!msk_check_name(call, "connectorName", identity.name) ||
        !msk_permits_name(call, MSK_KIND_CONNECTOR, identity.name, "-connector") ||
        !find_plugin(call, doc, &no_sink) || !name_is_free(call, identity.name)) {
        return;
    }
    buf_init(&checked.findings, MSK_BODY_BYTES_MAX);
    buf_init(&document, 4 * MSK_BODY_BYTES_MAX);
    identity.arn = span_from_cstr(msk_arn_new(call, MSK_KIND_CONNECTOR, identity.name));
    if (check_config(call, body, identity.name, &checked)) {
        write_identity(call, &identity, &document);
        write_kept(body, SPAN_EMPTY, false, &document);
        if (keep_new(call, &identity, no_sink, &checked, &document)) {
            answer_state(call, &identity, "CREATING");
        }
    }
    buf_release(&checked.findings);
    buf_release(&document);
}

static bool decode(const struct msk_call *call, const struct msk_rule *rules, size_t count,
                   struct json_doc **doc)
{
    if (!msk_decode(call, rules, count, doc)) {
        return false;
    }
    json_doc_free(*doc);
    return msk_decode(call, common_rules, ARRAY_COUNT(common_rules), doc);
}

enum handled msk_create_connector(void *ctx, struct exchange *exchange,
                                  const struct route_match *match)
{
    const struct msk_call *call = ctx;
    struct json_doc *doc = NULL;
    (void)exchange;
    (void)match;
    if (decode(call, create_rules, ARRAY_COUNT(create_rules), &doc)) {
        create(call, doc);
        json_doc_free(doc);
    }
    return HANDLED;
}

/* --- reading --- */

enum handled msk_list_connectors(void *ctx, struct exchange *exchange,
                                 const struct route_match *match)
{
    static const struct msk_listing listing = {"connectors", "connectorNamePrefix",
                                               "connectorConfiguration,stateDescription"};
    const struct msk_call *call = ctx;
    struct connect_worker *worker = call->msk->options.worker;
    struct msk_items items;
    (void)exchange;
    (void)match;
    if (!msk_items_load(call, MSK_KIND_CONNECTOR, connect_worker_count(worker), &items)) {
        return HANDLED;
    }
    for (size_t i = 0; i < items.count; i++) {
        items.items[i].state = "FAILED";
    }
    for (size_t i = 0; i < connect_worker_count(worker); i++) {
        struct connect_connector_view view = connect_worker_at(worker, i);
        if (view.msk.len > 0) {
            items.items[items.count++] = (struct msk_item){
                .name = view.name, .document = view.msk, .state = state_of(view.state)};
        }
    }
    return msk_items_answer(call, &items, &listing);
}

enum handled msk_describe_connector(void *ctx, struct exchange *exchange,
                                    const struct route_match *match)
{
    const struct msk_call *call = ctx;
    struct connector connector;
    if (!connector_find(call, match->captures[0], &connector)) {
        return HANDLED;
    }
    struct buf *out = msk_reply(exchange);
    BUF_APPEND_LIT(out, "{");
    msk_members_write(connector.document, "", out);
    msk_text_write(out, "connectorState", span_from_cstr(connector.state));
    if (connector.trace.len > 0) {
        BUF_APPEND_LIT(out, ",\"stateDescription\":{");
        msk_text_write(out, "code", SPAN_LIT("UnknownError.Unknown"));
        msk_text_write(out, "message", connector.trace);
        BUF_APPEND_LIT(out, "}");
    }
    BUF_APPEND_LIT(out, "}");
    return HANDLED;
}

/* --- changing --- */

/* The connector that a change is meant for. False: an error is in the reply. */
static bool connector_take(const struct msk_call *call, bool needs_version, struct connector *out)
{
    struct arena *arena = &call->exchange->arena;
    struct span version;
    if (!connector_find(call, call->match.captures[0], out) ||
        !msk_permits_name(call, MSK_KIND_CONNECTOR, out->name, "-connector")) {
        return false;
    }
    bool given = msk_query_text(call, "currentVersion", &version);
    if (needs_version && !given) {
        msk_error(call->exchange, MSK_BAD_REQUEST, "Missing parameter: currentVersion");
        return false;
    }
    if (given && !span_equal(version, msk_member_text(arena, out->document, "currentVersion"))) {
        msk_hint(call->exchange, "describe the connector for its currentVersion: each update "
                                 "changes it");
        msk_error(call->exchange, MSK_BAD_REQUEST,
                  "The current version %.*s is not that of the connector", SPAN_ARG(version));
        return false;
    }
    return true;
}

/* The new document is the old one with what the request says. */
static void update(const struct msk_call *call, const struct connector *connector)
{
    struct identity identity = {
        .arn = connector->arn,
        .name = connector->name,
        .created = msk_member_text(&call->exchange->arena, connector->document, "creationTime")};
    struct checked checked = {.sound = false};
    struct buf document;
    buf_init(&checked.findings, MSK_BODY_BYTES_MAX);
    buf_init(&document, 4 * MSK_BODY_BYTES_MAX);
    write_identity(call, &identity, &document);
    write_kept(call->exchange->request.body, connector->document, true, &document);
    size_t open_len = document.len;
    BUF_APPEND_LIT(&document, "}");
    bool checks = check_config(call, buf_span(&document), identity.name, &checked);
    document.len = open_len;
    if (checks && !checked.sound) {
        /* DIFFERS: AWS takes the update and fails it minutes later, keeping the old one. */
        msk_error(call->exchange, MSK_BAD_REQUEST,
                  "The connector configuration is invalid. Message: %s",
                  buf_cstr(&checked.findings));
    } else if (checks) {
        hint_config(call, &checked.config, false);
        if (keep_running(call, identity.name, &document, &checked.entries)) {
            identity.name = SPAN_EMPTY; /* not part of this answer */
            answer_state(call, &identity, "UPDATING");
        }
    }
    buf_release(&checked.findings);
    buf_release(&document);
}

enum handled msk_update_connector(void *ctx, struct exchange *exchange,
                                  const struct route_match *match)
{
    const struct msk_call *call = ctx;
    struct connector connector;
    struct json_doc *doc = NULL;
    bool no_sink;
    (void)match;
    if (!connector_take(call, true, &connector) || !decode(call, NULL, 0, &doc)) {
        return HANDLED;
    }
    if (find_plugin(call, doc, &no_sink)) {
        if (no_sink || connector.failed_to_start) {
            msk_error(exchange, MSK_BAD_REQUEST, "%s",
                      no_sink ? "The custom plugin has no class that the connector could run"
                              : "A connector in the state FAILED cannot be updated");
        } else {
            update(call, &connector);
        }
    }
    json_doc_free(doc);
    return HANDLED;
}

enum handled msk_delete_connector(void *ctx, struct exchange *exchange,
                                  const struct route_match *match)
{
    const struct msk_call *call = ctx;
    struct connector connector;
    struct error err;
    (void)exchange;
    (void)match;
    if (!connector_take(call, false, &connector)) {
        return HANDLED;
    }
    enum status status =
        connector.failed_to_start
            ? store_resource_delete(call->msk->options.store, connector.arn, &err)
            : connect_worker_delete(call->msk->options.worker, connector.name, &err);
    if (status != STATUS_OK) {
        return msk_error_store(call, &err);
    }
    struct identity identity = {.arn = connector.arn, .name = SPAN_EMPTY};
    answer_state(call, &identity, "DELETING");
    return HANDLED;
}

/* What Connect's REST API can do to a connector that runs. */
enum action { ACTION_PAUSE, ACTION_RESUME, ACTION_RESTART };

static enum handled act(const struct msk_call *call, enum action action)
{
    struct connect_worker *worker = call->msk->options.worker;
    struct connector connector;
    struct error err;
    if (!connector_take(call, false, &connector)) {
        return HANDLED;
    }
    if (connector.failed_to_start) {
        return msk_error(call->exchange, MSK_BAD_REQUEST,
                         "A connector in the state FAILED cannot be paused, resumed or restarted");
    }
    enum status status =
        action == ACTION_RESTART
            ? connect_worker_restart(worker, connector.name, &err)
            : connect_worker_pause(worker, connector.name, action == ACTION_PAUSE, &err);
    if (status != STATUS_OK) {
        return msk_error_store(call, &err);
    }
    struct identity identity = {.arn = connector.arn, .name = SPAN_EMPTY};
    answer_state(call, &identity, NULL);
    return HANDLED;
}

enum handled msk_pause_connector(void *ctx, struct exchange *exchange,
                                 const struct route_match *match)
{
    (void)exchange;
    (void)match;
    return act(ctx, ACTION_PAUSE);
}

enum handled msk_resume_connector(void *ctx, struct exchange *exchange,
                                  const struct route_match *match)
{
    (void)exchange;
    (void)match;
    return act(ctx, ACTION_RESUME);
}

/* The tasks too: that is how a FAILED one goes on here. */
enum handled msk_restart_connector(void *ctx, struct exchange *exchange,
                                   const struct route_match *match)
{
    const struct msk_call *call = ctx;
    struct connect_connector_view view;
    struct span name;
    struct error err;
    enum handled handled = act(call, ACTION_RESTART);
    if (exchange->reply.status != 200 ||
        !msk_arn_name(match->captures[0], MSK_KIND_CONNECTOR, &name) ||
        !connect_worker_find(call->msk->options.worker, name, &view)) {
        return handled;
    }
    for (size_t i = 0; i < view.task_count; i++) {
        if (connect_worker_restart_task(call->msk->options.worker, name, (int)i, &err) !=
            STATUS_OK) {
            return msk_error_store(call, &err);
        }
    }
    return handled;
}
