/* Connectors: what the worker runs under the description that MSK Connect was given, kept beside it
 * (struct connect_spec.msk). A connector whose configuration is invalid is FAILED and has nothing
 * that could run: it is kept as a resource of its own.
 *
 * DIFFERS: a connector is there at once (5 to 10 minutes on AWS): CREATING, UPDATING and DELETING
 * are what the answer to the call says, not what is described afterwards. Networks, roles, capacity
 * and log delivery are kept and described, and mean nothing. Operations of connectors, tags and
 * connectorOperationArn are not served. */
#include "connect_hints.h"
#include "msk_internal.h"

#define AUTHENTICATION "kafkaClusterClientAuthentication"
#define ENCRYPTION     "kafkaClusterEncryptionInTransit"

static const struct msk_rule create_rules[] = {
    {"connectorName", MSK_TEXT, MSK_REQUIRED, 1, MSK_NAME_BYTES_MAX, NULL},
    {"connectorConfiguration", MSK_OBJECT, MSK_REQUIRED, 0, 0, NULL},
    {"capacity", MSK_OBJECT, MSK_REQUIRED, 0, 0, NULL},
    {"kafkaCluster", MSK_OBJECT, MSK_REQUIRED, 0, 0, NULL},
    {"kafkaCluster.apacheKafkaCluster", MSK_OBJECT, MSK_REQUIRED, 0, 0, NULL},
    {"kafkaCluster.apacheKafkaCluster.bootstrapServers", MSK_TEXT, MSK_REQUIRED, 0, 0, NULL},
    {"kafkaCluster.apacheKafkaCluster.vpc", MSK_OBJECT, MSK_REQUIRED, 0, 0, NULL},
    {"kafkaCluster.apacheKafkaCluster.vpc.subnets", MSK_LIST, MSK_REQUIRED, 0, 0, NULL},
    {AUTHENTICATION, MSK_OBJECT, MSK_REQUIRED, 0, 0, NULL},
    {AUTHENTICATION ".authenticationType", MSK_TEXT, MSK_REQUIRED, 0, 0, "NONE,IAM"},
    {ENCRYPTION, MSK_OBJECT, MSK_REQUIRED, 0, 0, NULL},
    {ENCRYPTION ".encryptionType", MSK_TEXT, MSK_REQUIRED, 0, 0, "PLAINTEXT,TLS"},
    {"kafkaConnectVersion", MSK_TEXT, MSK_REQUIRED, 0, 0, "2.7.1,3.7.x"},
    {"plugins", MSK_LIST, MSK_REQUIRED, 1, 1, NULL},
    {"serviceExecutionRoleArn", MSK_TEXT, MSK_REQUIRED, 0, 0, NULL},
    {"connectorDescription", MSK_TEXT, MSK_OPTIONAL, 0, 1024, NULL},
    {"logDelivery", MSK_OBJECT, MSK_OPTIONAL, 0, 0, NULL},
    {"networkType", MSK_TEXT, MSK_OPTIONAL, 0, 0, "IPV4,DUAL"},
    {"tags", MSK_OBJECT, MSK_OPTIONAL, 0, 0, NULL},
};

static const struct msk_rule change_rules[] = {
    {"connectorConfiguration", MSK_OBJECT, MSK_OPTIONAL, 0, 0, NULL},
    {"capacity", MSK_OBJECT, MSK_OPTIONAL, 0, 0, NULL},
    {"capacity.provisionedCapacity", MSK_OBJECT, MSK_OPTIONAL, 0, 0, NULL},
    {"capacity.provisionedCapacity.mcuCount", MSK_NUMBER, MSK_REQUIRED, 1, 8, NULL},
    {"capacity.provisionedCapacity.workerCount", MSK_NUMBER, MSK_REQUIRED, 1, 10, NULL},
    {"capacity.autoScaling", MSK_OBJECT, MSK_OPTIONAL, 0, 0, NULL},
    {"capacity.autoScaling.mcuCount", MSK_NUMBER, MSK_REQUIRED, 1, 8, NULL},
    {"capacity.autoScaling.minWorkerCount", MSK_NUMBER, MSK_REQUIRED, 1, 10, NULL},
    {"capacity.autoScaling.maxWorkerCount", MSK_NUMBER, MSK_REQUIRED, 1, 10, NULL},
    {"plugins", MSK_LIST, MSK_OPTIONAL, 1, 1, NULL},
    {"plugins[].customPlugin", MSK_OBJECT, MSK_REQUIRED, 0, 0, NULL},
    {"plugins[].customPlugin.customPluginArn", MSK_TEXT, MSK_REQUIRED, 0, 0, NULL},
    {"plugins[].customPlugin.revision", MSK_NUMBER, MSK_REQUIRED, 1, 1, NULL},
    {"workerConfiguration", MSK_OBJECT, MSK_OPTIONAL, 0, 0, NULL},
    {"workerConfiguration.workerConfigurationArn", MSK_TEXT, MSK_REQUIRED, 0, 0, NULL},
    {"workerConfiguration.revision", MSK_NUMBER, MSK_REQUIRED, 1, 1, NULL},
};

/* The order is that of the description; what may change is what an update may say. */
static const struct msk_field document[] = {
    {"connectorArn", MSK_FROM_FACT, MSK_FACT_ARN, NULL},
    {"connectorName", MSK_FROM_BODY, 0, NULL},
    {"creationTime", MSK_FROM_FACT, MSK_FACT_CREATED, NULL},
    {"currentVersion", MSK_FROM_FACT, MSK_FACT_VERSION, NULL},
    {"capacity", MSK_FROM_CHANGE, 0, NULL},
    {"connectorDescription", MSK_FROM_BODY, 0, NULL},
    {"kafkaCluster", MSK_FROM_BODY, 0, NULL},
    {AUTHENTICATION, MSK_FROM_BODY, 0, NULL},
    {ENCRYPTION, MSK_FROM_BODY, 0, NULL},
    {"kafkaConnectVersion", MSK_FROM_BODY, 0, NULL},
    {"logDelivery", MSK_FROM_BODY, 0, NULL},
    {"networkType", MSK_FROM_BODY, 0, NULL},
    {"plugins", MSK_FROM_CHANGE, 0, NULL},
    {"serviceExecutionRoleArn", MSK_FROM_BODY, 0, NULL},
    {"workerConfiguration", MSK_FROM_CHANGE, 0, NULL},
    {"connectorConfiguration", MSK_FROM_CHANGE, 0, NULL},
    {"stateDescription.code", MSK_FROM_FACT, MSK_FACT_CODE, NULL},
    {"stateDescription.message", MSK_FROM_FACT, MSK_FACT_MESSAGE, NULL},
};

static const struct msk_field created[] = {
    {"connectorArn", MSK_FROM_FACT, MSK_FACT_ARN, NULL},
    {"connectorName", MSK_FROM_BODY, 0, NULL},
    {"connectorState", MSK_FROM_WORD, 0, "CREATING"},
};

static const char *connector_state_of(enum connect_state state)
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

/* --- its plugin and worker configuration ------------------------------------------------------ */

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
    if (!msk_item_find(call, &msk_plugins, span_from_cstr(arn), &item)) {
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
static bool connector_find_worker(const struct msk_call *call, struct span object,
                                  struct span *worker_document)
{
    struct msk_item item = {.document = SPAN_EMPTY};
    struct span arn = msk_member_text(&call->exchange->arena, object,
                                      "workerConfiguration.workerConfigurationArn");
    bool found = msk_member(object, "workerConfiguration").len == 0 ||
                 msk_item_find(call, &msk_workers, arn, &item);
    *worker_document = item.document;
    return found;
}

/* --- its configuration ------------------------------------------------------------------------ */

/* The entries of an object of a connector, named and with the worker's converters. */
static bool connector_entries(const struct msk_call *call, struct span object,
                              struct msk_making *making)
{
    struct span worker_document;
    struct error err;
    struct span config = msk_member(object, "connectorConfiguration");
    switch (connect_entries_parse(&call->exchange->arena, config, &making->entries, &err)) {
    case STATUS_OK:
        break;
    case STATUS_INVALID:
        msk_error(call->exchange, MSK_BAD_REQUEST,
                  "Invalid request body: connectorConfiguration: %s", err.message);
        return false;
    default:
        exchange_fail(call->exchange, EXCHANGE_NO_MEMORY);
        return false;
    }
    if (!connector_find_worker(call, object, &worker_document) ||
        !msk_worker_converters(call, worker_document, &making->entries)) {
        return false;
    }
    connect_entries_name(&making->entries, making->name);
    return true;
}

static const char *findings_text(struct arena *arena, const struct connect_findings *findings)
{
    struct buf text;
    if (findings->exception != NULL) {
        return findings->errors[0];
    }
    buf_init(&text, MSK_BODY_BYTES_MAX);
    connect_findings_write(findings, &text);
    const char *kept = arena_copy_cstr(arena, buf_span(&text));
    buf_release(&text);
    return kept;
}

bool msk_connector_check(const struct msk_call *call, struct span object, struct msk_making *making,
                         const char **findings)
{
    struct arena *arena = &call->exchange->arena;
    struct connect_findings found;
    struct error err;
    *findings = NULL;
    if (!connector_entries(call, object, making)) {
        return false;
    }
    if (connect_config_parse(arena, &making->entries, &making->config, &found, &err) != STATUS_OK) {
        exchange_fail(call->exchange, EXCHANGE_NO_MEMORY);
        return false;
    }
    if (making->config != NULL) {
        return true;
    }
    const char *hint = connect_hint_findings(arena, &making->entries, &found);
    if (hint != NULL) {
        answer_hint(call->exchange, "%s", hint);
    }
    const char *text = findings_text(arena, &found);
    *findings = arena_printf(arena, "The connector configuration is invalid. Message: %s",
                             text != NULL ? text : "");
    if (*findings == NULL) {
        exchange_fail(call->exchange, EXCHANGE_NO_MEMORY);
    }
    return *findings != NULL;
}

/* --- creating --------------------------------------------------------------------------------- */

static bool connector_name_is_free(const struct msk_call *call, struct span name)
{
    struct connect_connector_view view;
    struct msk_items items;
    bool taken = connect_worker_find(call->msk->options.worker, name, &view);
    if (!taken && !msk_items_load(call, call->kind, &items)) {
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

/* Whether the connector can run depends on its plugin and its configuration. */
static bool connector_look(const struct msk_call *call, struct msk_making *making)
{
    const char *message;
    bool no_sink;
    if (!msk_connector_plugin(call, making->doc, &no_sink) ||
        !connector_name_is_free(call, making->name) ||
        !msk_connector_check(call, making->body, making, &message)) {
        return false;
    }
    if (no_sink) {
        const struct connect_entry *word =
            connect_entries_find(&making->entries, "connector.class");
        answer_hint(call->exchange, "the plugin's zip has no kafka-connect-s3-<version>.jar in it");
        message = arena_printf(&call->exchange->arena,
                               "The connector configuration is invalid. Message: Failed to find "
                               "any class that implements Connector and which name matches %.*s",
                               SPAN_ARG(word != NULL ? word->value : SPAN_EMPTY));
        making->config = NULL;
    }
    if (making->config == NULL) {
        making->facts[MSK_FACT_CODE] =
            SPAN_LIT("InvalidInput.InvalidConnectorConfigurationProvided");
        making->facts[MSK_FACT_MESSAGE] = span_from_cstr(message);
    }
    return true;
}

static bool connector_keep(const struct msk_call *call, const struct msk_making *making,
                           struct span text)
{
    if (making->config == NULL) {
        return msk_resource_keep(call, making, text);
    }
    msk_connector_hint(call, making->config, true);
    return msk_connector_run(call, making, text);
}

void msk_connector_hint(const struct msk_call *call, const struct sink_config *config, bool is_new)
{
    struct connect_hint_world world = {
        .arena = &call->exchange->arena,
        .worker = call->msk->options.worker,
        .user_id = call->msk->options.identity->user_id,
    };
    const char *hint = connect_hint_config(&world, config, is_new);
    if (hint != NULL) {
        answer_hint(call->exchange, "%s", hint);
    }
}

bool msk_connector_run(const struct msk_call *call, const struct msk_making *making,
                       struct span text)
{
    struct connect_spec spec = {.name = making->name, .config = &making->entries, .msk = text};
    struct error err;
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

/* --- changing --------------------------------------------------------------------------------- */

bool msk_version_fits(const struct msk_call *call, const struct msk_item *item)
{
    struct arena *arena = &call->exchange->arena;
    struct span version;
    if (!msk_query_text(call, "currentVersion", &version) ||
        span_equal(version, msk_member_text(arena, item->document, "currentVersion"))) {
        return true;
    }
    answer_hint(call->exchange, "describe the connector for its currentVersion: each update "
                                "changes it");
    msk_error(call->exchange, MSK_BAD_REQUEST,
              "The current version %.*s is not that of the connector", SPAN_ARG(version));
    return false;
}

const struct msk_kind msk_connectors = {
    .name = "connector",
    .list = "connectors",
    .prefix = "connectorNamePrefix",
    .name_member = "connectorName",
    .arn_member = "connectorArn",
    .state_member = "connectorState",
    .suffix = "-connector",
    .create_rules = MSK_RULES(create_rules),
    .change_rules = MSK_RULES(change_rules),
    .document = MSK_FIELDS(document),
    .created = MSK_FIELDS(created),
    .listed_without = "connectorConfiguration,stateDescription",
    .described_without = "",
    .state_of = connector_state_of,
    .look = connector_look,
    .keep = connector_keep,
    .may_delete = msk_version_fits,
};
