/* Every kind of resource can be created, listed, described and deleted here. What a kind is, its
 * tables say (struct msk_kind). A resource is kept in the store as the JSON that describes it; a
 * connector that runs is kept by the worker, with the description beside it. */
#include "aws_arn.h"
#include "base64.h"
#include "msk_internal.h"
#include "query.h"
#include "sigv4.h"
#include "store_connectors.h"

#include <stdlib.h>

enum {
    document_bytes_max = 4 * MSK_BODY_BYTES_MAX,
    token_bytes_max = 4 * MSK_NAME_BYTES_MAX,
};

/* --- finding ---------------------------------------------------------------------------------- */

static struct span items_copy(struct msk_items *items, struct span text)
{
    const char *kept = arena_copy_cstr(items->arena, text);
    items->failed |= kept == NULL;
    return kept != NULL ? span_from(kept, text.len) : SPAN_EMPTY;
}

struct msk_resource *msk_items_add(struct msk_items *items, struct span name, struct span document)
{
    if (!ARENA_GROW(items->arena, items->items, items->cap, items->count + 1)) {
        items->failed = true;
        return NULL;
    }
    struct msk_resource *r = &items->items[items->count++];
    r->values[MSK_NAME] = items_copy(items, name);
    r->document = items_copy(items, document);
    return r;
}

static bool items_add_stored(void *ctx, const struct store_resource *resource)
{
    struct msk_items *items = ctx;
    struct msk_resource *r = msk_items_add(items, resource->name, resource->document);
    if (r == NULL) {
        return false;
    }
    r->values[MSK_ARN] = items_copy(items, resource->arn);
    r->values[MSK_STATE] = span_from_cstr(items->kind->stored_state);
    return !items->failed;
}

bool msk_items_load(const struct msk_call *call, const struct msk_kind *kind, struct msk_items *out)
{
    const struct msk_connect_options *options = &call->msk->options;
    struct error err;
    *out = (struct msk_items){.kind = kind, .arena = &call->exchange->arena};
    if (store_resources_visit(options->store, span_from_cstr(kind->name), items_add_stored, out,
                              &err) != STATUS_OK) {
        return msk_refuse_store(call, &err);
    }
    if (kind->add_running != NULL && !out->failed) {
        kind->add_running(options->worker, out);
    }
    return !out->failed || msk_refuse_memory(call);
}

/* Is it arn:aws:kafkaconnect:<region>:<account>:<kind>/<name>/<uuid>-2? No resource of MSK Connect
 * has a colon in its name: what follows one is none of its ARN. */
static bool arn_is_of(struct span text, const struct msk_kind *kind)
{
    struct aws_arn arn;
    struct span part;
    if (!aws_arn_parse(text, &arn) || !span_equal_cstr(arn.service, MSK_SERVICE)) {
        return false;
    }
    struct span rest = span_first(arn.resource, span_find_byte(arn.resource, ':'));
    return span_next_part(&rest, '/', &part) && span_equal_cstr(part, kind->name) &&
           span_next_part(&rest, '/', &part) && rest.len > 0;
}

bool msk_find(const struct msk_call *call, const struct msk_kind *kind, struct span arn,
              struct msk_resource *out)
{
    struct msk_items items;
    if (!arn_is_of(arn, kind)) {
        return msk_refuse(call->exchange, MSK_BAD_REQUEST, "Invalid ARN: %.*s is not that of a %s",
                          SPAN_ARG(arn), kind->name);
    }
    if (!msk_items_load(call, kind, &items)) {
        return false;
    }
    for (size_t i = 0; i < items.count; i++) {
        if (span_equal(items.items[i].values[MSK_ARN], arn)) {
            *out = items.items[i];
            return true;
        }
    }
    return msk_refuse(call->exchange, MSK_NOT_FOUND, "The %s %.*s does not exist", kind->name,
                      SPAN_ARG(arn));
}

static bool query_text(const struct msk_call *call, const char *name, struct span *out)
{
    return query_value(call->exchange, name, out) != QUERY_ABSENT;
}

/* A version that the query names must be the resource's. */
static bool resource_version_fits(const struct msk_call *call, const struct msk_resource *r)
{
    const char *kind = call->kind->name;
    struct arena *arena = &call->exchange->arena;
    struct span version;
    if (!call->kind->versioned || !query_text(call, "currentVersion", &version) ||
        span_equal(version, msk_member_text(arena, r->document, "currentVersion"))) {
        return true;
    }
    answer_hint(call->exchange, "describe the %s for its currentVersion: each update changes it",
                kind);
    return msk_refuse(call->exchange, MSK_BAD_REQUEST,
                      "The current version %.*s is not that of the %s", SPAN_ARG(version), kind);
}

bool msk_take(const struct msk_call *call, struct msk_resource *out)
{
    return msk_find(call, call->kind, call->match.captures[0], out) &&
           msk_permits(call, out->values[MSK_NAME]) && resource_version_fits(call, out);
}

/* --- answering -------------------------------------------------------------------------------- */

void msk_answer(const struct msk_call *call, unsigned flag, const struct msk_resource *r)
{
    struct json_writer w = json_writer_to(answer_begin(call->exchange, 200, "application/json"));
    msk_write(call->kind, flag, r, &w);
}

void msk_describe(const struct msk_call *call)
{
    struct msk_resource r;
    if (msk_find(call, call->kind, call->match.captures[0], &r)) {
        msk_answer(call, MSK_DESCRIBED, &r);
    }
}

/* --- listing ---------------------------------------------------------------------------------- */

struct page {
    struct span prefix;
    struct buf after; /* the last name of the page before, from the token; empty: the first page */
    int64_t max;
};

static bool page_parse(const struct msk_call *call, struct page *page)
{
    struct span text;
    page->max = MSK_PAGE_MAX;
    query_text(call, call->kind->prefix, &page->prefix);
    if (query_text(call, "maxResults", &text) &&
        (!span_parse_i64(text, &page->max) || page->max < 1 || page->max > MSK_PAGE_MAX)) {
        return msk_refuse(call->exchange, MSK_BAD_REQUEST,
                          "Invalid parameter: maxResults must be 1 to %d", MSK_PAGE_MAX);
    }
    query_text(call, "nextToken", &text);
    bool good = text.len == 0 ||
                (base64_decode(text, &page->after) && buf_ok(&page->after) && page->after.len > 0);
    return good || msk_refuse(call->exchange, MSK_BAD_REQUEST, "Invalid parameter: nextToken");
}

static int item_order(const void *a, const void *b)
{
    return span_compare(((const struct msk_resource *)a)->values[MSK_NAME],
                        ((const struct msk_resource *)b)->values[MSK_NAME]);
}

/* Leaves the page's items, sorted by name; *more: others follow. */
static void page_cut(const struct page *page, struct msk_items *items, bool *more)
{
    size_t wanted = 0;
    if (items->count > 0) {
        qsort(items->items, items->count, sizeof(items->items[0]), item_order);
    }
    for (size_t i = 0; i < items->count; i++) {
        struct span name = items->items[i].values[MSK_NAME];
        if (span_starts_with(name, page->prefix) &&
            (page->after.len == 0 || span_compare(name, buf_span(&page->after)) > 0)) {
            items->items[wanted++] = items->items[i];
        }
    }
    *more = wanted > (size_t)page->max;
    items->count = *more ? (size_t)page->max : wanted;
}

static void page_answer(const struct msk_call *call, const struct msk_items *items, bool more)
{
    struct json_writer w = json_writer_to(answer_begin(call->exchange, 200, "application/json"));
    json_write_object(&w);
    json_member_array(&w, call->kind->list);
    for (size_t i = 0; i < items->count; i++) {
        msk_write(call->kind, MSK_LISTED, &items->items[i], &w);
    }
    json_write_end(&w);
    if (more) {
        struct buf token;
        buf_init(&token, token_bytes_max);
        base64_encode(items->items[items->count - 1].values[MSK_NAME], &token);
        json_member_string(&w, "nextToken", buf_span(&token));
        buf_release(&token);
    }
    json_write_end(&w);
}

void msk_list(const struct msk_call *call)
{
    struct page page;
    struct msk_items items;
    bool more;
    buf_init(&page.after, token_bytes_max);
    if (msk_items_load(call, call->kind, &items) && page_parse(call, &page)) {
        page_cut(&page, &items, &more);
        page_answer(call, &items, more);
    }
    buf_release(&page.after);
}

/* --- creating --------------------------------------------------------------------------------- */

static struct span version_new(const struct msk_call *call)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    char text[15] = "K"; /* and 13 digits, as AWS's look */
    for (size_t i = 1; i < 14; i++) {
        text[i] = digits[env_random_below(call->msk->options.env, sizeof(digits) - 1)];
    }
    return span_from_cstr(arena_copy_cstr(&call->exchange->arena, span_from_cstr(text)));
}

bool msk_resource_keep(const struct msk_call *call, struct msk_resource *r, struct span document)
{
    const char *kind = call->kind->name;
    struct msk_items items;
    struct error err;
    size_t kept = 0;
    if (!msk_items_load(call, call->kind, &items)) {
        return false;
    }
    for (size_t i = 0; i < items.count; i++) {
        kept += !items.items[i].runs;
    }
    if (kept >= MSK_RESOURCES_MAX) {
        return msk_refuse(call->exchange, MSK_TOO_MANY, "There may be %d resources of the kind %s",
                          MSK_RESOURCES_MAX, kind);
    }
    struct store_resource resource = {
        .arn = r->values[MSK_ARN],
        .kind = span_from_cstr(kind),
        .name = r->values[MSK_NAME],
        .document = document,
        .created_ms = r->created_ms,
    };
    enum status status = store_resource_put(call->msk->options.store, &resource, &err);
    if (status == STATUS_EXISTS) {
        return msk_refuse(call->exchange, MSK_CONFLICT,
                          "A resource with this name already exists.");
    }
    if (status == STATUS_OK && r->hint != NULL) {
        answer_hint(call->exchange, "%s", r->hint);
    }
    return status == STATUS_OK || msk_refuse_store(call, &err);
}

static bool document_keep(const struct msk_call *call, struct msk_resource *r)
{
    struct buf document;
    buf_init(&document, document_bytes_max);
    struct json_writer w = json_writer_to(&document);
    msk_write(call->kind, MSK_KEPT, r, &w);
    bool kept = buf_ok(&document) ? call->kind->keep(call, r, buf_span(&document))
                                  : msk_refuse_memory(call);
    buf_release(&document);
    return kept;
}

/* Gives the resource what every resource has from the beginning. */
static bool resource_identify(const struct msk_call *call, struct msk_resource *r)
{
    const struct msk_connect_options *options = &call->msk->options;
    struct arena *arena = &call->exchange->arena;
    char uuid[ENV_UUID_BYTES];
    char date[SIGV4_DATE_BYTES];
    env_uuid(options->env, uuid);
    sigv4_date(r->created_ms * 1000, date);
    const char *name =
        arena_printf(arena, "%s/%.*s/%s-2", call->kind->name, SPAN_ARG(r->values[MSK_NAME]), uuid);
    const char *arn = aws_arn_new(arena, options->identity, MSK_SERVICE, span_from_cstr(name));
    const char *time = arena_printf(arena, "%.4s-%.2s-%.5s:%.2s:%.2s.%03dZ", date, date + 4,
                                    date + 6, date + 11, date + 13, (int)(r->created_ms % 1000));
    r->values[MSK_ARN] = span_from_cstr(arn);
    r->values[MSK_TIME] = span_from_cstr(time);
    r->values[MSK_VERSION] = call->kind->versioned ? version_new(call) : SPAN_EMPTY;
    r->values[MSK_REVISION] = SPAN_LIT("1");
    return (name != NULL && arn != NULL && time != NULL) || msk_refuse_memory(call);
}

void msk_create(const struct msk_call *call)
{
    const struct msk_kind *kind = call->kind;
    struct env *env = call->msk->options.env;
    struct msk_resource r = {.created_ms = env->wall_us(env) / 1000};
    if (msk_decode(call, true, &r) && msk_permits(call, r.values[MSK_NAME]) &&
        kind->look(call, &r) && resource_identify(call, &r) && document_keep(call, &r)) {
        r.values[MSK_STATE] = span_from_cstr(kind->created_state);
        msk_answer(call, MSK_CREATED, &r);
    }
}

/* --- changing --------------------------------------------------------------------------------- */

void msk_update(const struct msk_call *call)
{
    struct msk_resource r;
    if (!msk_take(call, &r)) {
        return;
    }
    if (!query_has(call->exchange, "currentVersion")) {
        msk_refuse(call->exchange, MSK_BAD_REQUEST, "Missing parameter: currentVersion");
        return;
    }
    if (!msk_decode(call, false, &r) || !call->kind->may_update(call, &r)) {
        return;
    }
    r.values[MSK_VERSION] = version_new(call);
    r.values[MSK_STATE] = SPAN_LIT("UPDATING");
    if (document_keep(call, &r)) {
        msk_answer(call, MSK_CHANGED, &r);
    }
}

void msk_delete(const struct msk_call *call)
{
    const struct msk_connect_options *options = &call->msk->options;
    const struct msk_kind *kind = call->kind;
    struct msk_resource r;
    struct error err;
    if (!msk_take(call, &r) || (kind->may_delete != NULL && !kind->may_delete(call, &r))) {
        return;
    }
    enum status status = r.runs ? connect_worker_delete(options->worker, r.values[MSK_NAME], &err)
                                : store_resource_delete(options->store, r.values[MSK_ARN], &err);
    if (status != STATUS_OK) {
        msk_refuse_store(call, &err);
        return;
    }
    r.values[MSK_STATE] = SPAN_LIT("DELETING");
    msk_answer(call, MSK_CHANGED, &r);
}
