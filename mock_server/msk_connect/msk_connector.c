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

#define NEEDED (MSK_REQUIRED | MSK_PARENTS | MSK_FIXED)

static const struct msk_rule rules[] = {
    {"connectorName", MSK_TEXT, NEEDED, 1, MSK_NAME_BYTES_MAX, NULL, MSK_NONE},
    {"connectorConfiguration", MSK_OBJECT, NEEDED, 0, 0, NULL, MSK_NONE},
    {"capacity", MSK_OBJECT, NEEDED, 0, 0, NULL, MSK_NONE},
    {CLUSTER ".bootstrapServers", MSK_TEXT, NEEDED, 0, 0, NULL, MSK_NONE},
    {CLUSTER ".vpc.subnets", MSK_LIST, NEEDED, 0, 0, NULL, MSK_NONE},
    {AUTHENTICATION ".authenticationType", MSK_TEXT, NEEDED, 0, 0, "NONE,IAM", MSK_NONE},
    {ENCRYPTION ".encryptionType", MSK_TEXT, NEEDED, 0, 0, "PLAINTEXT,TLS", MSK_NONE},
    {"kafkaConnectVersion", MSK_TEXT, NEEDED, 0, 0, "2.7.1,3.7.x", MSK_NONE},
    {"plugins", MSK_LIST, NEEDED, 1, 1, NULL, MSK_NONE},
    {"serviceExecutionRoleArn", MSK_TEXT, NEEDED, 0, 0, NULL, MSK_NONE},
    {"connectorDescription", MSK_TEXT, MSK_FIXED, 0, 1024, NULL, MSK_NONE},
    {"logDelivery", MSK_OBJECT, MSK_FIXED, 0, 0, NULL, MSK_NONE},
    {"networkType", MSK_TEXT, MSK_FIXED, 0, 0, "IPV4,DUAL", MSK_NONE},
    {"tags", MSK_OBJECT, MSK_FIXED, 0, 0, NULL, MSK_NONE},
    {"connectorConfiguration", MSK_OBJECT, MSK_OPTIONAL, 0, 0, NULL, MSK_NONE},
    {"capacity", MSK_OBJECT, MSK_OPTIONAL, 0, 0, NULL, MSK_NONE},
    {PROVISIONED ".mcuCount", MSK_NUMBER, MSK_REQUIRED, 1, 8, NULL, MSK_NONE},
    {PROVISIONED ".workerCount", MSK_NUMBER, MSK_REQUIRED, 1, 10, NULL, MSK_NONE},
    {SCALING ".mcuCount", MSK_NUMBER, MSK_REQUIRED, 1, 8, NULL, MSK_NONE},
    {SCALING ".minWorkerCount", MSK_NUMBER, MSK_REQUIRED, 1, 10, NULL, MSK_NONE},
    {SCALING ".maxWorkerCount", MSK_NUMBER, MSK_REQUIRED, 1, 10, NULL, MSK_NONE},
    {"plugins", MSK_LIST, MSK_OPTIONAL, 1, 1, NULL, MSK_NONE},
    {PLUGIN ".customPluginArn", MSK_TEXT, MSK_REQUIRED | MSK_PARENTS, 0, 0, NULL, MSK_PLUGIN_ARN},
    {PLUGIN ".revision", MSK_NUMBER, MSK_REQUIRED, 1, 1, NULL, MSK_NONE},
    {WORKER_ARN, MSK_TEXT, MSK_REQUIRED, 0, 0, NULL, MSK_NONE},
    {"workerConfiguration.revision", MSK_NUMBER, MSK_REQUIRED, 1, 1, NULL, MSK_NONE},
    {"connectorName", MSK_IDENTIFIER, NEEDED, 0, 0, NULL, MSK_NAME},
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
        if (r == NULL) {
            return;
        }
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

/* Finds the plugin that the request names, if it does. *no_sink: the plugin is there, but without
 * the S3 sink. */
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

/* Checks the configuration in a connector's JSON, and sets what it runs with. Where r->config stays
 * NULL, *findings (in the arena) says what is wrong with it. */
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

/* --- creating and updating -------------------------------------------------------------------- */

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

/* DIFFERS: AWS takes an update whose configuration is invalid and fails it minutes later, keeping
 * the old one. */
static bool connector_keep(const struct msk_call *call, struct msk_resource *r,
                           struct span document)
{
    bool created = r->document.len == 0;
    const char *findings;
    if (created && r->config == NULL) {
        return msk_resource_keep(call, r, document);
    }
    if (!created && !connector_check(call, document, r, &findings)) {
        return false;
    }
    return r->config != NULL ? connector_run(call, r, document, created)
                             : msk_refuse(call->exchange, MSK_BAD_REQUEST, "%s", findings);
}

static bool connector_may_update(const struct msk_call *call, const struct msk_resource *r)
{
    bool no_sink;
    if (!connector_find_plugin(call, r, &no_sink)) {
        return false;
    }
    const char *why = no_sink    ? "The custom plugin has no class that the connector could run"
                      : !r->runs ? "A connector in the state FAILED cannot be updated"
                                 : NULL;
    return why == NULL || msk_refuse(call->exchange, MSK_BAD_REQUEST, "%s", why);
}

/* --- pausing, resuming, restarting ------------------------------------------------------------ */

/* A restart is for the tasks too, because a FAILED one goes on by that here. */
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

enum steering { PAUSE, RESUME, RESTART };

static void connector_steer(const struct msk_call *call, enum steering to)
{
    struct connect_worker *worker = call->msk->options.worker;
    struct msk_resource r;
    struct error err;
    if (!msk_take(call, &r)) {
        return;
    }
    if (!r.runs) {
        msk_refuse(call->exchange, MSK_BAD_REQUEST,
                   "A connector in the state FAILED cannot be paused, resumed or restarted");
        return;
    }
    struct span name = r.values[MSK_NAME];
    enum status status = to == RESTART ? connector_restart(worker, name, &err)
                                       : connect_worker_pause(worker, name, to == PAUSE, &err);
    if (status != STATUS_OK) {
        msk_refuse_store(call, &err);
        return;
    }
    r.values[MSK_STATE] = SPAN_EMPTY; /* the answer has none */
    msk_answer(call, MSK_CHANGED, &r);
}

void msk_pause_connector(const struct msk_call *call)
{
    connector_steer(call, PAUSE);
}

void msk_resume_connector(const struct msk_call *call)
{
    connector_steer(call, RESUME);
}

void msk_restart_connector(const struct msk_call *call)
{
    connector_steer(call, RESTART);
}

const struct msk_kind msk_connectors = {
    .name = "connector",
    .list = "connectors",
    .prefix = "connectorNamePrefix",
    .suffix = "-connector",
    .created_state = "CREATING",
    .stored_state = "FAILED",
    .versioned = true,
    .rules = rules,
    .rule_count = ARRAY_COUNT(rules),
    .fields = fields,
    .field_count = ARRAY_COUNT(fields),
    .look = connector_look,
    .keep = connector_keep,
    .may_update = connector_may_update,
    .add_running = connector_add_running,
};
