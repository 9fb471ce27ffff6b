/* Changing a connector: update, delete, pause, resume, restart. */
#include "msk_connector.h"

/* The connector that a change is meant for. False: an error is in the reply. */
static bool connector_take(const struct msk_call *call, bool needs_version,
                           struct msk_connector *out)
{
    struct arena *arena = &call->exchange->arena;
    struct span version;
    if (!msk_connector_find(call, call->match.captures[0], out) ||
        !msk_permits_name(call, MSK_KIND_CONNECTOR, out->name, "-connector")) {
        return false;
    }
    bool given = msk_query_text(call, "currentVersion", &version);
    if (needs_version && !given) {
        msk_error(call->exchange, MSK_BAD_REQUEST, "Missing parameter: currentVersion");
        return false;
    }
    if (given && !span_equal(version, msk_member_text(arena, out->document, "currentVersion"))) {
        answer_hint(call->exchange, "describe the connector for its currentVersion: each update "
                                    "changes it");
        msk_error(call->exchange, MSK_BAD_REQUEST,
                  "The current version %.*s is not that of the connector", SPAN_ARG(version));
        return false;
    }
    return true;
}

/* The new document is the old one with what the request says. */
static void update(const struct msk_call *call, const struct msk_connector *connector)
{
    struct msk_identity identity = {
        .arn = connector->arn,
        .name = connector->name,
        .created = msk_member_text(&call->exchange->arena, connector->document, "creationTime")};
    struct msk_checked checked = {.sound = false};
    struct buf document;
    buf_init(&checked.findings, MSK_BODY_BYTES_MAX);
    buf_init(&document, 4 * MSK_BODY_BYTES_MAX);
    msk_connector_write_identity(call, &identity, &document);
    msk_connector_write_kept(call->exchange->request.body, connector->document, true, &document);
    size_t open_len = document.len;
    BUF_APPEND_LIT(&document, "}");
    bool checks = msk_connector_check(call, buf_span(&document), identity.name, &checked);
    document.len = open_len;
    if (checks && !checked.sound) {
        /* DIFFERS: AWS takes the update and fails it minutes later, keeping the old one. */
        msk_error(call->exchange, MSK_BAD_REQUEST,
                  "The connector configuration is invalid. Message: %s",
                  buf_cstr(&checked.findings));
    } else if (checks) {
        msk_connector_hint(call, checked.config, false);
        if (msk_connector_run(call, identity.name, &document, &checked.entries)) {
            identity.name = SPAN_EMPTY; /* not part of this answer */
            msk_connector_answer(call, &identity, "UPDATING");
        }
    }
    buf_release(&checked.findings);
    buf_release(&document);
}

enum handled msk_update_connector(const struct msk_call *call)
{
    struct msk_connector connector;
    struct json_doc *doc = NULL;
    bool no_sink;
    if (!connector_take(call, true, &connector) || !msk_connector_decode(call, NULL, 0, &doc)) {
        return HANDLED;
    }
    if (msk_connector_plugin(call, doc, &no_sink)) {
        if (no_sink || connector.failed_to_start) {
            msk_error(call->exchange, MSK_BAD_REQUEST, "%s",
                      no_sink ? "The custom plugin has no class that the connector could run"
                              : "A connector in the state FAILED cannot be updated");
        } else {
            update(call, &connector);
        }
    }
    json_doc_free(doc);
    return HANDLED;
}

enum handled msk_delete_connector(const struct msk_call *call)
{
    struct msk_connector connector;
    struct error err;
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
    struct msk_identity identity = {.arn = connector.arn, .name = SPAN_EMPTY};
    msk_connector_answer(call, &identity, "DELETING");
    return HANDLED;
}

/* What Connect's REST API can do to a connector that runs. */
enum action { ACTION_PAUSE, ACTION_RESUME, ACTION_RESTART };

static enum handled act(const struct msk_call *call, enum action action)
{
    struct connect_worker *worker = call->msk->options.worker;
    struct msk_connector connector;
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
    struct msk_identity identity = {.arn = connector.arn, .name = SPAN_EMPTY};
    msk_connector_answer(call, &identity, NULL);
    return HANDLED;
}

enum handled msk_pause_connector(const struct msk_call *call)
{
    return act(call, ACTION_PAUSE);
}

enum handled msk_resume_connector(const struct msk_call *call)
{
    return act(call, ACTION_RESUME);
}

/* The tasks too: that is how a FAILED one goes on here. */
enum handled msk_restart_connector(const struct msk_call *call)
{
    struct connect_connector_view view;
    struct span name;
    struct error err;
    enum handled handled = act(call, ACTION_RESTART);
    if (call->exchange->reply.status != 200 ||
        !msk_arn_name(call->match.captures[0], MSK_KIND_CONNECTOR, &name) ||
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
