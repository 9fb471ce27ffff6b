/* Connectors: what the worker runs under the description that MSK Connect was given, kept beside it
 * (struct connect_spec.msk). One whose configuration is invalid is FAILED and has nothing that
 * could run: it is kept as a resource of its own.
 *
 * DIFFERS: a connector is there at once (5 to 10 minutes on AWS): CREATING, UPDATING and DELETING
 * are what the answer to the call says, not what is described afterwards. Networks, roles, capacity
 * and log delivery are kept and described, and mean nothing. Operations of connectors, tags and
 * connectorOperationArn are not served. */
#include "msk_connector.h"

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
static bool keep_failed(const struct msk_call *call, const struct msk_identity *identity,
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

/* Everything is checked; what becomes of it depends on plugin and configuration. */
static bool keep_new(const struct msk_call *call, const struct msk_identity *identity, bool no_sink,
                     struct msk_checked *checked, struct buf *document)
{
    const char *message;
    if (!no_sink && checked->sound) {
        msk_connector_hint(call, checked->config, true);
        return msk_connector_run(call, identity->name, document, &checked->entries);
    }
    if (no_sink) {
        const struct connect_entry *word =
            connect_entries_find(&checked->entries, "connector.class");
        answer_hint(call->exchange, "the plugin's zip has no kafka-connect-s3-<version>.jar in it");
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
    struct msk_identity identity = {.name = msk_text(doc, "connectorName"),
                                    .created_ms = env->wall_us(env) / 1000};
    struct msk_checked checked = {.sound = false};
    struct buf document;
    bool no_sink;
    if (!msk_check_name(call, "connectorName", identity.name) ||
        !msk_permits_name(call, MSK_KIND_CONNECTOR, identity.name, "-connector") ||
        !msk_connector_plugin(call, doc, &no_sink) || !name_is_free(call, identity.name)) {
        return;
    }
    buf_init(&checked.findings, MSK_BODY_BYTES_MAX);
    buf_init(&document, 4 * MSK_BODY_BYTES_MAX);
    identity.arn = span_from_cstr(msk_arn_new(call, MSK_KIND_CONNECTOR, identity.name));
    if (msk_connector_check(call, body, identity.name, &checked)) {
        msk_connector_write_identity(call, &identity, &document);
        msk_connector_write_kept(body, SPAN_EMPTY, false, &document);
        if (keep_new(call, &identity, no_sink, &checked, &document)) {
            msk_connector_answer(call, &identity, "CREATING");
        }
    }
    buf_release(&checked.findings);
    buf_release(&document);
}

enum handled msk_create_connector(const struct msk_call *call)
{
    struct json_doc *doc = NULL;
    if (msk_connector_decode(call, create_rules, ARRAY_COUNT(create_rules), &doc)) {
        create(call, doc);
        json_doc_free(doc);
    }
    return HANDLED;
}

/* --- reading --- */

enum handled msk_list_connectors(const struct msk_call *call)
{
    static const struct msk_listing listing = {"connectors", "connectorNamePrefix",
                                               "connectorConfiguration,stateDescription"};
    struct connect_worker *worker = call->msk->options.worker;
    struct msk_items items;
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
                .name = view.name, .document = view.msk, .state = msk_connector_state(view.state)};
        }
    }
    return msk_items_answer(call, &items, &listing);
}

enum handled msk_describe_connector(const struct msk_call *call)
{
    struct msk_connector connector;
    if (!msk_connector_find(call, call->match.captures[0], &connector)) {
        return HANDLED;
    }
    struct buf *out = msk_reply(call->exchange);
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
