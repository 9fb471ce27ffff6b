/* Operations that only connectors have: update, pause, resume, restart. */
#include "msk_internal.h"

static const struct msk_field changed[] = {
    {"connectorArn", MSK_FROM_FACT, MSK_FACT_ARN, NULL},
    {"connectorState", MSK_FROM_FACT, MSK_FACT_STATE, NULL},
};
static const struct msk_fields changed_fields = MSK_FIELDS(changed);

/* An empty state stays out. */
static enum handled changed_answer(const struct msk_call *call, struct span arn, struct span state)
{
    struct msk_making making = {.facts = {[MSK_FACT_ARN] = arn, [MSK_FACT_STATE] = state}};
    msk_fields_write(&changed_fields, &making, msk_reply(call->exchange));
    return HANDLED;
}

/* --- updating --------------------------------------------------------------------------------- */

/* The new document is the old one with what the request says. */
static bool change_update_run(const struct msk_call *call, struct msk_making *making,
                              struct buf *document)
{
    const char *findings;
    msk_fields_write(&call->kind->document, making, document);
    if (!buf_ok(document)) {
        exchange_fail(call->exchange, EXCHANGE_NO_MEMORY);
        return false;
    }
    if (!msk_connector_check(call, buf_span(document), making, &findings)) {
        return false;
    }
    if (making->config == NULL) {
        /* DIFFERS: AWS takes the update and fails it minutes later, keeping the old one. */
        msk_error(call->exchange, MSK_BAD_REQUEST, "%s", findings);
        return false;
    }
    msk_connector_hint(call, making->config, false);
    return msk_connector_run(call, making, buf_span(document));
}

static void change_update(const struct msk_call *call, const struct msk_item *item)
{
    struct arena *arena = &call->exchange->arena;
    struct msk_making making = {
        .name = item->name,
        .body = call->exchange->request.body,
        .before = item->document,
        .facts = {[MSK_FACT_ARN] = item->arn,
                  [MSK_FACT_CREATED] = msk_member_text(arena, item->document, "creationTime"),
                  [MSK_FACT_VERSION] = msk_version_new(call)},
    };
    struct buf document;
    buf_init(&document, 4 * MSK_BODY_BYTES_MAX);
    if (change_update_run(call, &making, &document)) {
        changed_answer(call, item->arn, SPAN_LIT("UPDATING"));
    }
    buf_release(&document);
}

enum handled msk_update_connector(const struct msk_call *call)
{
    struct msk_item item;
    struct span version;
    struct json_doc *doc = NULL;
    bool no_sink;
    if (!msk_item_take(call, &item)) {
        return HANDLED;
    }
    if (!msk_query_text(call, "currentVersion", &version)) {
        return msk_error(call->exchange, MSK_BAD_REQUEST, "Missing parameter: currentVersion");
    }
    if (!msk_version_fits(call, &item) || !msk_decode(call, false, &doc)) {
        return HANDLED;
    }
    if (msk_connector_plugin(call, doc, &no_sink)) {
        if (no_sink || !item.runs) {
            msk_error(call->exchange, MSK_BAD_REQUEST, "%s",
                      no_sink ? "The custom plugin has no class that the connector could run"
                              : "A connector in the state FAILED cannot be updated");
        } else {
            change_update(call, &item);
        }
    }
    json_doc_free(doc);
    return HANDLED;
}

/* --- pausing, resuming, restarting ------------------------------------------------------------ */

/* The connector of the path, which runs. False: an error is in the reply. */
static bool change_take(const struct msk_call *call, struct msk_item *item)
{
    if (!msk_item_take(call, item) || !msk_version_fits(call, item)) {
        return false;
    }
    if (!item->runs) {
        msk_error(call->exchange, MSK_BAD_REQUEST,
                  "A connector in the state FAILED cannot be paused, resumed or restarted");
    }
    return item->runs;
}

static enum handled change_pause(const struct msk_call *call, bool paused)
{
    struct msk_item item;
    struct error err;
    if (!change_take(call, &item)) {
        return HANDLED;
    }
    if (connect_worker_pause(call->msk->options.worker, item.name, paused, &err) != STATUS_OK) {
        return msk_error_store(call, &err);
    }
    return changed_answer(call, item.arn, SPAN_EMPTY);
}

enum handled msk_pause_connector(const struct msk_call *call)
{
    return change_pause(call, true);
}

enum handled msk_resume_connector(const struct msk_call *call)
{
    return change_pause(call, false);
}

/* The tasks too: that is how a FAILED one goes on here. */
enum handled msk_restart_connector(const struct msk_call *call)
{
    struct connect_worker *worker = call->msk->options.worker;
    struct connect_connector_view view = {.task_count = 0};
    struct msk_item item;
    struct error err;
    if (!change_take(call, &item)) {
        return HANDLED;
    }
    enum status status = connect_worker_restart(worker, item.name, &err);
    size_t count = connect_worker_find(worker, item.name, &view) ? view.task_count : 0;
    for (size_t i = 0; i < count && status == STATUS_OK; i++) {
        status = connect_worker_restart_task(worker, item.name, (int)i, &err);
    }
    return status == STATUS_OK ? changed_answer(call, item.arn, SPAN_EMPTY)
                               : msk_error_store(call, &err);
}
