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

#define CLUSTER        "kafkaCluster.apacheKafkaCluster"
#define AUTHENTICATION "kafkaClusterClientAuthentication"
#define ENCRYPTION     "kafkaClusterEncryptionInTransit"
#define PROVISIONED    "capacity.provisionedCapacity"
#define SCALING        "capacity.autoScaling"
#define PLUGIN         "plugins[].customPlugin"
#define WORKER_ARN     "workerConfiguration.workerConfigurationArn"

static const struct msk_rule create_rules[] = {
    {"connectorName", MSK_TEXT, MSK_REQUIRED, 1, MSK_NAME_BYTES_MAX, NULL, MSK_NAME},
    {"connectorConfiguration", MSK_OBJECT, MSK_REQUIRED, 0, 0, NULL, MSK_NONE},
    {"capacity", MSK_OBJECT, MSK_REQUIRED, 0, 0, NULL, MSK_NONE},
    {"kafkaCluster", MSK_OBJECT, MSK_REQUIRED, 0, 0, NULL, MSK_NONE},
    {CLUSTER, MSK_OBJECT, MSK_REQUIRED, 0, 0, NULL, MSK_NONE},
    {CLUSTER ".bootstrapServers", MSK_TEXT, MSK_REQUIRED, 0, 0, NULL, MSK_NONE},
    {CLUSTER ".vpc", MSK_OBJECT, MSK_REQUIRED, 0, 0, NULL, MSK_NONE},
    {CLUSTER ".vpc.subnets", MSK_LIST, MSK_REQUIRED, 0, 0, NULL, MSK_NONE},
    {AUTHENTICATION, MSK_OBJECT, MSK_REQUIRED, 0, 0, NULL, MSK_NONE},
    {AUTHENTICATION ".authenticationType", MSK_TEXT, MSK_REQUIRED, 0, 0, "NONE,IAM", MSK_NONE},
    {ENCRYPTION, MSK_OBJECT, MSK_REQUIRED, 0, 0, NULL, MSK_NONE},
    {ENCRYPTION ".encryptionType", MSK_TEXT, MSK_REQUIRED, 0, 0, "PLAINTEXT,TLS", MSK_NONE},
    {"kafkaConnectVersion", MSK_TEXT, MSK_REQUIRED, 0, 0, "2.7.1,3.7.x", MSK_NONE},
    {"plugins", MSK_LIST, MSK_REQUIRED, 1, 1, NULL, MSK_NONE},
    {"serviceExecutionRoleArn", MSK_TEXT, MSK_REQUIRED, 0, 0, NULL, MSK_NONE},
    {"connectorDescription", MSK_TEXT, MSK_OPTIONAL, 0, 1024, NULL, MSK_NONE},
    {"logDelivery", MSK_OBJECT, MSK_OPTIONAL, 0, 0, NULL, MSK_NONE},
    {"networkType", MSK_TEXT, MSK_OPTIONAL, 0, 0, "IPV4,DUAL", MSK_NONE},
    {"tags", MSK_OBJECT, MSK_OPTIONAL, 0, 0, NULL, MSK_NONE},
};

static const struct msk_rule update_rules[] = {
    {"connectorConfiguration", MSK_OBJECT, MSK_OPTIONAL, 0, 0, NULL, MSK_NONE},
    {"capacity", MSK_OBJECT, MSK_OPTIONAL, 0, 0, NULL, MSK_NONE},
    {PROVISIONED, MSK_OBJECT, MSK_OPTIONAL, 0, 0, NULL, MSK_NONE},
    {PROVISIONED ".mcuCount", MSK_NUMBER, MSK_REQUIRED, 1, 8, NULL, MSK_NONE},
    {PROVISIONED ".workerCount", MSK_NUMBER, MSK_REQUIRED, 1, 10, NULL, MSK_NONE},
    {SCALING, MSK_OBJECT, MSK_OPTIONAL, 0, 0, NULL, MSK_NONE},
    {SCALING ".mcuCount", MSK_NUMBER, MSK_REQUIRED, 1, 8, NULL, MSK_NONE},
    {SCALING ".minWorkerCount", MSK_NUMBER, MSK_REQUIRED, 1, 10, NULL, MSK_NONE},
    {SCALING ".maxWorkerCount", MSK_NUMBER, MSK_REQUIRED, 1, 10, NULL, MSK_NONE},
    {"plugins", MSK_LIST, MSK_OPTIONAL, 1, 1, NULL, MSK_NONE},
    {PLUGIN, MSK_OBJECT, MSK_REQUIRED, 0, 0, NULL, MSK_NONE},
    {PLUGIN ".customPluginArn", MSK_TEXT, MSK_REQUIRED, 0, 0, NULL, MSK_PLUGIN_ARN},
    {PLUGIN ".revision", MSK_NUMBER, MSK_REQUIRED, 1, 1, NULL, MSK_NONE},
    {"workerConfiguration", MSK_OBJECT, MSK_OPTIONAL, 0, 0, NULL, MSK_NONE},
    {WORKER_ARN, MSK_TEXT, MSK_REQUIRED, 0, 0, NULL, MSK_NONE},
    {"workerConfiguration.revision", MSK_NUMBER, MSK_REQUIRED, 1, 1, NULL, MSK_NONE},
};

/* The state is the worker's, and so is the reason why a connector runs no more. */
static const struct msk_field fields[] = {
    {"connectorArn", MSK_SHOWN | MSK_CREATED | MSK_CHANGED, MSK_ARN, NULL},
    {"connectorName", MSK_SHOWN | MSK_CREATED, MSK_NONE, NULL},
    {"creationTime", MSK_SHOWN, MSK_TIME, NULL},
    {"currentVersion", MSK_SHOWN, MSK_VERSION, NULL},
    {"capacity", MSK_SHOWN | MSK_UPDATED, MSK_NONE, NULL},
    {"connectorDescription", MSK_SHOWN, MSK_NONE, NULL},
    {"kafkaCluster", MSK_SHOWN, MSK_NONE, NULL},
    {AUTHENTICATION, MSK_SHOWN, MSK_NONE, NULL},
    {ENCRYPTION, MSK_SHOWN, MSK_NONE, NULL},
    {"kafkaConnectVersion", MSK_SHOWN, MSK_NONE, NULL},
    {"logDelivery", MSK_SHOWN, MSK_NONE, NULL},
    {"networkType", MSK_SHOWN, MSK_NONE, NULL},
    {"plugins", MSK_SHOWN | MSK_UPDATED, MSK_NONE, NULL},
    {"serviceExecutionRoleArn", MSK_SHOWN, MSK_NONE, NULL},
    {"workerConfiguration", MSK_SHOWN | MSK_UPDATED, MSK_NONE, NULL},
    {"connectorConfiguration", MSK_KEPT | MSK_DESCRIBED | MSK_UPDATED, MSK_NONE, NULL},
    {"stateDescription.code", MSK_KEPT | MSK_DESCRIBED, MSK_CODE, NULL},
    {"stateDescription.message", MSK_KEPT | MSK_DESCRIBED, MSK_MESSAGE, NULL},
    {"connectorState", MSK_LISTED | MSK_DESCRIBED | MSK_CREATED | MSK_CHANGED, MSK_STATE, NULL},
    {"stateDescription.code", MSK_DESCRIBED, MSK_TRACE_CODE, NULL},
    {"stateDescription.message", MSK_DESCRIBED, MSK_TRACE, NULL},
};

/* --- those that the worker runs --------------------------------------------------------------- */

/* Connectors without a description were made by Connect's REST API and are not MSK Connect's. */
static void connector_add_running(struct connect_worker *worker, struct msk_items *items)
{
    static const char *const states[] = {
        [CONNECT_UNASSIGNED] = "CREATING",
        [CONNECT_RUNNING] = "RUNNING",
        [CONNECT_PAUSED] = "PAUSED",
        [CONNECT_FAILED] = "FAILED",
    };
    for (size_t i = 0; i < connect_worker_count(worker) && !items->failed; i++) {
        struct connect_connector_view view = connect_worker_at(worker, i);
        if (view.msk.len == 0) {
            continue;
        }
        struct msk_resource *r = msk_items_add(items, view.name, view.msk);
        r->values[MSK_ARN] = msk_member_text(items->arena, r->document, "connectorArn");
        r->values[MSK_STATE] = span_from_cstr(states[view.state]);
        r->runs = true;
        if (view.trace.len > 0) {
            r->values[MSK_TRACE_CODE] = SPAN_LIT("UnknownError.Unknown");
            r->values[MSK_TRACE] = view.trace;
        }
    }
}

/* --- plugin and configuration ----------------------------------------------------------------- */

/* Finds the plugin that the request names, if it does. False: an error is in the reply. *no_sink:
 * the plugin is there, but without the S3 sink. */
static bool connector_find_plugin(const struct msk_call *call, const struct msk_resource *r,
                                  bool *no_sink)
{
    struct span arn = r->values[MSK_PLUGIN_ARN];
    struct msk_resource plugin;
    *no_sink = false;
    if (arn.ptr == NULL) {
        return true;
    }
    if (!msk_find(call, &msk_plugins, arn, &plugin)) {
        return false;
    }
    *no_sink = !span_equal_cstr(msk_member(plugin.document, "s3Sink"), "true");
    return span_equal_cstr(msk_member(plugin.document, "customPluginState"), "\"ACTIVE\"") ||
           msk_refuse(call->exchange, MSK_BAD_REQUEST, "The custom plugin %.*s is not active",
                      SPAN_ARG(arn));
}

/* Takes the entries of a connector's JSON, named and with the worker's converters. */
static bool connector_entries(const struct msk_call *call, struct span object,
                              struct msk_resource *r)
{
    struct arena *arena = &call->exchange->arena;
    struct msk_resource worker = {.document = SPAN_EMPTY};
    struct error err;
    enum status status = connect_entries_parse(arena, msk_member(object, "connectorConfiguration"),
                                               &r->entries, &err);
    if (status == STATUS_INVALID) {
        return msk_refuse(call->exchange, MSK_BAD_REQUEST,
                          "Invalid request body: connectorConfiguration: %s", err.message);
    }
    if (status != STATUS_OK) {
        return msk_refuse_memory(call);
    }
    if ((msk_member(object, "workerConfiguration").len > 0 &&
         !msk_find(call, &msk_workers, msk_member_text(arena, object, WORKER_ARN), &worker)) ||
        !msk_worker_converters(call, worker.document, &r->entries)) {
        return false;
    }
    connect_entries_name(&r->entries, r->values[MSK_NAME]);
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

/* Checks the configuration in a connector's JSON, and sets what it runs with. False: an error is in
 * the reply. Where r->config stays NULL, *findings (in the arena) says what is wrong with it. */
static bool connector_check(const struct msk_call *call, struct span object, struct msk_resource *r,
                            const char **findings)
{
    struct arena *arena = &call->exchange->arena;
    struct connect_findings found;
    struct error err;
    *findings = NULL;
    if (!connector_entries(call, object, r)) {
        return false;
    }
    if (connect_config_parse(arena, &r->entries, &r->config, &found, &err) != STATUS_OK) {
        return msk_refuse_memory(call);
    }
    if (r->config != NULL) {
        return true;
    }
    const char *hint = connect_hint_findings(arena, &r->entries, &found);
    if (hint != NULL) {
        answer_hint(call->exchange, "%s", hint);
    }
    const char *text = findings_text(arena, &found);
    *findings = arena_printf(arena, "The connector configuration is invalid. Message: %s",
                             text != NULL ? text : "");
    return *findings != NULL || msk_refuse_memory(call);
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
        taken = span_equal(items.items[i].values[MSK_NAME], name);
    }
    return !taken ||
           msk_refuse(call->exchange, MSK_CONFLICT, "A resource with this name already exists.");
}

/* Whether the connector can run depends on its plugin and its configuration. */
static bool connector_look(const struct msk_call *call, struct msk_resource *r)
{
    const char *message;
    bool no_sink;
    if (!connector_find_plugin(call, r, &no_sink) ||
        !connector_name_is_free(call, r->values[MSK_NAME]) ||
        !connector_check(call, r->body, r, &message)) {
        return false;
    }
    if (no_sink) {
        const struct connect_entry *word = connect_entries_find(&r->entries, "connector.class");
        answer_hint(call->exchange, "the plugin's zip has no kafka-connect-s3-<version>.jar in it");
        message = arena_printf(&call->exchange->arena,
                               "The connector configuration is invalid. Message: Failed to find "
                               "any class that implements Connector and which name matches %.*s",
                               SPAN_ARG(word != NULL ? word->value : SPAN_EMPTY));
        r->config = NULL;
    }
    if (r->config == NULL) {
        r->values[MSK_CODE] = SPAN_LIT("InvalidInput.InvalidConnectorConfigurationProvided");
        r->values[MSK_MESSAGE] = span_from_cstr(message);
    }
    return true;
}

/* Gives the document and what it runs with to the worker. */
static bool connector_run(const struct msk_call *call, const struct msk_resource *r,
                          struct span document, bool created)
{
    struct connect_worker *worker = call->msk->options.worker;
    struct connect_hint_world world = {
        .arena = &call->exchange->arena,
        .worker = worker,
        .user_id = call->msk->options.identity->user_id,
    };
    struct connect_spec spec = {
        .name = r->values[MSK_NAME], .config = &r->entries, .msk = document};
    struct error err;
    const char *hint = connect_hint_config(&world, r->config, created);
    if (hint != NULL) {
        answer_hint(call->exchange, "%s", hint);
    }
    enum status status = connect_worker_put(worker, &spec, &err);
    if (status == STATUS_LIMIT) {
        return msk_refuse(call->exchange, MSK_TOO_MANY, "On this server %s", err.message);
    }
    return status == STATUS_OK || msk_refuse_store(call, &err);
}

static bool connector_keep(const struct msk_call *call, struct msk_resource *r,
                           struct span document)
{
    return r->config != NULL ? connector_run(call, r, document, true)
                             : msk_resource_keep(call, r, document);
}

/* --- updating --------------------------------------------------------------------------------- */

/* A version that the query names must be the connector's. */
static bool connector_version_fits(const struct msk_call *call, const struct msk_resource *r)
{
    struct arena *arena = &call->exchange->arena;
    struct span version;
    if (!msk_query_text(call, "currentVersion", &version) ||
        span_equal(version, msk_member_text(arena, r->document, "currentVersion"))) {
        return true;
    }
    answer_hint(call->exchange, "describe the connector for its currentVersion: each update "
                                "changes it");
    return msk_refuse(call->exchange, MSK_BAD_REQUEST,
                      "The current version %.*s is not that of the connector", SPAN_ARG(version));
}

/* DIFFERS: AWS takes an update whose configuration is invalid and fails it minutes later, keeping
 * the old one. */
static bool connector_keep_update(const struct msk_call *call, struct msk_resource *r,
                                  struct span document)
{
    const char *findings;
    if (!connector_check(call, document, r, &findings)) {
        return false;
    }
    return r->config != NULL ? connector_run(call, r, document, false)
                             : msk_refuse(call->exchange, MSK_BAD_REQUEST, "%s", findings);
}

void msk_update_connector(const struct msk_call *call)
{
    struct msk_resource r;
    struct span version;
    bool no_sink;
    if (!msk_take(call, &r)) {
        return;
    }
    if (!msk_query_text(call, "currentVersion", &version)) {
        msk_refuse(call->exchange, MSK_BAD_REQUEST, "Missing parameter: currentVersion");
        return;
    }
    if (!connector_version_fits(call, &r) || !msk_decode(call, false, &r) ||
        !connector_find_plugin(call, &r, &no_sink)) {
        return;
    }
    if (no_sink || !r.runs) {
        msk_refuse(call->exchange, MSK_BAD_REQUEST, "%s",
                   no_sink ? "The custom plugin has no class that the connector could run"
                           : "A connector in the state FAILED cannot be updated");
        return;
    }
    r.values[MSK_VERSION] = msk_version_new(call);
    r.values[MSK_STATE] = SPAN_LIT("UPDATING");
    if (msk_document_keep(call, &r, connector_keep_update)) {
        msk_answer(call, MSK_CHANGED, &r);
    }
}

/* --- pausing, resuming, restarting ------------------------------------------------------------ */

static enum status connector_pause(struct connect_worker *worker, struct span name,
                                   struct error *err)
{
    return connect_worker_pause(worker, name, true, err);
}

static enum status connector_resume(struct connect_worker *worker, struct span name,
                                    struct error *err)
{
    return connect_worker_pause(worker, name, false, err);
}

/* The tasks too: that is how a FAILED one goes on here. */
static enum status connector_restart(struct connect_worker *worker, struct span name,
                                     struct error *err)
{
    struct connect_connector_view view = {.task_count = 0};
    enum status status = connect_worker_restart(worker, name, err);
    size_t count = connect_worker_find(worker, name, &view) ? view.task_count : 0;
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        status = connect_worker_restart_task(worker, name, (int)i, err);
    }
    return status;
}

static void connector_steer(const struct msk_call *call,
                            enum status (*steer)(struct connect_worker *worker, struct span name,
                                                 struct error *err))
{
    struct msk_resource r;
    struct error err;
    if (!msk_take(call, &r) || !connector_version_fits(call, &r)) {
        return;
    }
    if (!r.runs) {
        msk_refuse(call->exchange, MSK_BAD_REQUEST,
                   "A connector in the state FAILED cannot be paused, resumed or restarted");
    } else if (steer(call->msk->options.worker, r.values[MSK_NAME], &err) != STATUS_OK) {
        msk_refuse_store(call, &err);
    } else {
        r.values[MSK_STATE] = SPAN_EMPTY; /* the answer has none */
        msk_answer(call, MSK_CHANGED, &r);
    }
}

void msk_pause_connector(const struct msk_call *call)
{
    connector_steer(call, connector_pause);
}

void msk_resume_connector(const struct msk_call *call)
{
    connector_steer(call, connector_resume);
}

void msk_restart_connector(const struct msk_call *call)
{
    connector_steer(call, connector_restart);
}

const struct msk_kind msk_connectors = {
    .name = "connector",
    .list = "connectors",
    .prefix = "connectorNamePrefix",
    .name_member = "connectorName",
    .suffix = "-connector",
    .created_state = "CREATING",
    .stored_state = "FAILED",
    .versioned = true,
    .create_rules = create_rules,
    .create_rule_count = ARRAY_COUNT(create_rules),
    .update_rules = update_rules,
    .update_rule_count = ARRAY_COUNT(update_rules),
    .fields = fields,
    .field_count = ARRAY_COUNT(fields),
    .look = connector_look,
    .keep = connector_keep,
    .may_delete = connector_version_fits,
    .add_running = connector_add_running,
};
