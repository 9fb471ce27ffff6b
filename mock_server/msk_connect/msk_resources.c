/* Every kind of resource can be created, listed, described and deleted here. What a kind is, its
 * table says (struct msk_kind). A resource is kept in the store as the JSON that describes it; a
 * connector that runs is kept by the worker, with the description beside it. */
#include "json_write.h"
#include "msk_internal.h"
#include "store_connectors.h"

enum { document_bytes_max = 4 * MSK_BODY_BYTES_MAX };

/* --- finding ---------------------------------------------------------------------------------- */

static struct span item_copy(struct arena *arena, struct span text, bool *failed)
{
    const char *kept = arena_copy_cstr(arena, text);
    *failed |= kept == NULL;
    return kept != NULL ? span_from(kept, text.len) : SPAN_EMPTY;
}

struct items_loader {
    const struct msk_kind *kind;
    struct arena *arena;
    struct msk_items *items;
    bool failed;
};

static bool items_load_resource(void *ctx, const struct store_resource *resource)
{
    struct items_loader *loader = ctx;
    struct msk_items *items = loader->items;
    if (items->count == items->cap) {
        return false;
    }
    items->items[items->count++] = (struct msk_item){
        .name = item_copy(loader->arena, resource->name, &loader->failed),
        .arn = item_copy(loader->arena, resource->arn, &loader->failed),
        .document = item_copy(loader->arena, resource->document, &loader->failed),
        /* A connector that is no more than a resource could not be made. */
        .state = loader->kind->state_of != NULL ? loader->kind->state_of(CONNECT_FAILED) : NULL,
    };
    return !loader->failed;
}

/* Connectors that the worker runs under a description are items too. */
static void items_load_running(const struct msk_call *call, struct items_loader *loader)
{
    struct connect_worker *worker = call->msk->options.worker;
    for (size_t i = 0; i < connect_worker_count(worker) && !loader->failed; i++) {
        struct connect_connector_view view = connect_worker_at(worker, i);
        if (view.msk.len == 0) {
            continue;
        }
        struct span document = item_copy(loader->arena, view.msk, &loader->failed);
        loader->items->items[loader->items->count++] = (struct msk_item){
            .name = item_copy(loader->arena, view.name, &loader->failed),
            .arn = msk_member_text(loader->arena, document, loader->kind->arn_member),
            .document = document,
            .state = loader->kind->state_of(view.state),
            .trace = item_copy(loader->arena, view.trace, &loader->failed),
            .runs = true,
        };
    }
}

bool msk_items_load(const struct msk_call *call, const struct msk_kind *kind, struct msk_items *out)
{
    struct arena *arena = &call->exchange->arena;
    struct items_loader loader = {.kind = kind, .arena = arena, .items = out};
    bool runs = kind->state_of != NULL;
    struct error err;
    *out = (struct msk_items){.cap = MSK_RESOURCES_MAX +
                                     (runs ? connect_worker_count(call->msk->options.worker) : 0)};
    out->items = arena_alloc_array(arena, out->cap, sizeof(*out->items));
    if (out->items == NULL) {
        exchange_fail(call->exchange, EXCHANGE_NO_MEMORY);
        return false;
    }
    if (store_resources_visit(call->msk->options.store, span_from_cstr(kind->name),
                              items_load_resource, &loader, &err) != STATUS_OK) {
        msk_error_store(call, &err);
        return false;
    }
    if (runs) {
        items_load_running(call, &loader);
    }
    if (loader.failed) {
        exchange_fail(call->exchange, EXCHANGE_NO_MEMORY);
    }
    return !loader.failed;
}

bool msk_item_find(const struct msk_call *call, const struct msk_kind *kind, struct span arn,
                   struct msk_item *out)
{
    struct msk_items items;
    struct span name;
    if (!msk_arn_name(arn, kind->name, &name)) {
        msk_error(call->exchange, MSK_BAD_REQUEST, "Invalid ARN: %.*s is not that of a %s",
                  SPAN_ARG(arn), kind->name);
        return false;
    }
    if (!msk_items_load(call, kind, &items)) {
        return false;
    }
    for (size_t i = 0; i < items.count; i++) {
        if (span_equal(items.items[i].arn, arn)) {
            *out = items.items[i];
            return true;
        }
    }
    msk_error(call->exchange, MSK_NOT_FOUND, "The %s %.*s does not exist", kind->name,
              SPAN_ARG(arn));
    return false;
}

static bool resource_permits(const struct msk_call *call, struct span name)
{
    const struct msk_kind *kind = call->kind;
    return kind->suffix == NULL || msk_permits_name(call, kind->name, name, kind->suffix);
}

bool msk_item_take(const struct msk_call *call, struct msk_item *out)
{
    return msk_item_find(call, call->kind, call->match.captures[0], out) &&
           resource_permits(call, out->name);
}

/* --- creating --------------------------------------------------------------------------------- */

/* K and 13 of [A-Z2-7], as AWS's look. */
struct span msk_version_new(const struct msk_call *call)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    char text[15] = "K";
    for (size_t i = 1; i < 14; i++) {
        text[i] = digits[env_random_below(call->msk->options.env, sizeof(digits) - 1)];
    }
    return span_from_cstr(arena_copy_cstr(&call->exchange->arena, span_from_cstr(text)));
}

bool msk_resource_keep(const struct msk_call *call, const struct msk_making *making,
                       struct span document)
{
    const char *kind = call->kind->name;
    struct msk_items items;
    struct error err;
    if (!msk_items_load(call, call->kind, &items)) {
        return false;
    }
    size_t kept = 0;
    for (size_t i = 0; i < items.count; i++) {
        kept += !items.items[i].runs;
    }
    if (kept >= MSK_RESOURCES_MAX) {
        msk_error(call->exchange, MSK_TOO_MANY, "There may be %d resources of the kind %s",
                  MSK_RESOURCES_MAX, kind);
        return false;
    }
    struct store_resource resource = {
        .arn = making->facts[MSK_FACT_ARN],
        .kind = span_from_cstr(kind),
        .name = making->name,
        .document = document,
        .created_ms = making->created_ms,
    };
    switch (store_resource_put(call->msk->options.store, &resource, &err)) {
    case STATUS_OK:
        if (making->hint != NULL) {
            answer_hint(call->exchange, "%s", making->hint);
        }
        return true;
    case STATUS_EXISTS:
        msk_error(call->exchange, MSK_CONFLICT, "A resource with this name already exists.");
        return false;
    default:
        msk_error_store(call, &err);
        return false;
    }
}

static void resource_create(const struct msk_call *call, struct msk_making *making)
{
    const struct msk_kind *kind = call->kind;
    struct arena *arena = &call->exchange->arena;
    struct span *facts = making->facts;
    struct buf document;
    if (!msk_check_name(call, kind->name_member, making->name) ||
        !resource_permits(call, making->name) || !kind->look(call, making)) {
        return;
    }
    facts[MSK_FACT_ARN] = span_from_cstr(msk_arn_new(call, kind->name, making->name));
    facts[MSK_FACT_CREATED] = msk_time_text(arena, making->created_ms);
    facts[MSK_FACT_VERSION] = kind->state_of != NULL ? msk_version_new(call) : SPAN_EMPTY;
    buf_init(&document, document_bytes_max);
    msk_fields_write(&kind->document, making, &document);
    if (!buf_ok(&document) || facts[MSK_FACT_ARN].len == 0 || facts[MSK_FACT_CREATED].len == 0) {
        exchange_fail(call->exchange, EXCHANGE_NO_MEMORY);
    } else if (kind->keep(call, making, buf_span(&document))) {
        msk_fields_write(&kind->created, making, msk_reply(call->exchange));
    }
    buf_release(&document);
}

enum handled msk_create(const struct msk_call *call)
{
    struct env *env = call->msk->options.env;
    struct json_doc *doc = NULL;
    if (msk_decode(call, true, &doc)) {
        struct msk_making making = {
            .name = msk_text(doc, call->kind->name_member),
            .body = call->exchange->request.body,
            .before = SPAN_EMPTY,
            .created_ms = env->wall_us(env) / 1000,
            .doc = doc,
        };
        resource_create(call, &making);
        json_doc_free(doc);
    }
    return HANDLED;
}

/* --- reading ---------------------------------------------------------------------------------- */

enum handled msk_list(const struct msk_call *call)
{
    struct msk_items items;
    return msk_items_load(call, call->kind, &items) ? msk_items_answer(call, &items) : HANDLED;
}

/* A member that lies beside the latest revision in the document is described inside it. */
static void describe_revision(const struct msk_item *item, const char *with, struct json_writer *w)
{
    json_member_object(w, "latestRevision");
    msk_members_write(msk_member(item->document, "latestRevision"), "", w);
    json_member_raw(w, with, msk_member(item->document, with));
    json_write_end(w);
}

enum handled msk_describe(const struct msk_call *call)
{
    const struct msk_kind *kind = call->kind;
    struct msk_item item;
    if (!msk_item_find(call, kind, call->match.captures[0], &item)) {
        return HANDLED;
    }
    struct json_writer w = json_writer_to(msk_reply(call->exchange));
    json_write_object(&w);
    msk_item_write(&item, kind->described_without, &w);
    if (kind->described_with != NULL) {
        describe_revision(&item, kind->described_with, &w);
    }
    if (item.trace.len > 0) {
        json_member_object(&w, "stateDescription");
        json_member_cstr(&w, "code", "UnknownError.Unknown");
        json_member_string(&w, "message", item.trace);
        json_write_end(&w);
    }
    json_write_end(&w);
    return HANDLED;
}

/* --- deleting --------------------------------------------------------------------------------- */

enum handled msk_delete(const struct msk_call *call)
{
    const struct msk_kind *kind = call->kind;
    struct msk_item item;
    struct error err;
    if (!msk_item_take(call, &item) ||
        (kind->may_delete != NULL && !kind->may_delete(call, &item))) {
        return HANDLED;
    }
    enum status status = item.runs
                             ? connect_worker_delete(call->msk->options.worker, item.name, &err)
                             : store_resource_delete(call->msk->options.store, item.arn, &err);
    if (status != STATUS_OK) {
        return msk_error_store(call, &err);
    }
    struct json_writer w = json_writer_to(msk_reply(call->exchange));
    json_write_object(&w);
    json_member_string(&w, kind->arn_member, item.arn);
    json_member_cstr(&w, kind->state_member, "DELETING");
    json_write_end(&w);
    return HANDLED;
}
