/* Finding and listing what is kept: plugins, worker configurations, connectors that could not be
 * made. */
#include "base64.h"
#include "msk_internal.h"
#include "query.h"

#include <stdlib.h>
#include <string.h>

enum { token_bytes_max = 4 * MSK_NAME_BYTES_MAX };

static struct span copy(struct arena *arena, struct span text, bool *failed)
{
    const char *kept = arena_copy_cstr(arena, text);
    *failed |= kept == NULL;
    return kept != NULL ? span_from(kept, text.len) : SPAN_EMPTY;
}

struct loader {
    struct arena *arena;
    struct msk_items *items;
    bool failed;
};

static bool load(void *ctx, const struct store_resource *resource)
{
    struct loader *loader = ctx;
    struct msk_items *items = loader->items;
    if (items->count == items->cap) {
        return false;
    }
    items->items[items->count++] = (struct msk_item){
        .name = copy(loader->arena, resource->name, &loader->failed),
        .arn = copy(loader->arena, resource->arn, &loader->failed),
        .document = copy(loader->arena, resource->document, &loader->failed),
        .created_ms = resource->created_ms,
    };
    return !loader->failed;
}

bool msk_items_load(const struct msk_call *call, const char *kind, size_t room,
                    struct msk_items *out)
{
    struct arena *arena = &call->exchange->arena;
    struct loader loader = {.arena = arena, .items = out};
    struct error err;
    *out = (struct msk_items){.cap = MSK_RESOURCES_MAX + room};
    out->items = arena_alloc_array(arena, out->cap, sizeof(*out->items));
    if (out->items == NULL) {
        exchange_fail(call->exchange, EXCHANGE_NO_MEMORY);
        return false;
    }
    if (store_resources_visit(call->msk->options.store, span_from_cstr(kind), load, &loader,
                              &err) != STATUS_OK) {
        msk_error_store(call, &err);
        return false;
    }
    if (loader.failed) {
        exchange_fail(call->exchange, EXCHANGE_NO_MEMORY);
    }
    return !loader.failed;
}

bool msk_item_find(const struct msk_call *call, const char *kind, struct span arn,
                   struct msk_item *out)
{
    struct msk_items items;
    struct span name;
    if (!msk_arn_name(arn, kind, &name)) {
        msk_error(call->exchange, MSK_BAD_REQUEST, "Invalid ARN: %.*s is not that of a %s",
                  SPAN_ARG(arn), kind);
        return false;
    }
    if (!msk_items_load(call, kind, 0, &items)) {
        return false;
    }
    for (size_t i = 0; i < items.count; i++) {
        if (span_equal(items.items[i].arn, arn)) {
            *out = items.items[i];
            return true;
        }
    }
    msk_error(call->exchange, MSK_NOT_FOUND, "The %s %.*s does not exist", kind, SPAN_ARG(arn));
    return false;
}

/* --- paging --- */

struct page {
    struct span prefix;
    struct span after; /* the last name of the page before; empty: the first page */
    size_t max;
};

bool msk_query_text(const struct msk_call *call, const char *name, struct span *out)
{
    return query_value(call->exchange, name, out) != QUERY_ABSENT;
}

static bool page_parse(const struct msk_call *call, const char *prefix, struct page *out)
{
    struct span text = SPAN_EMPTY;
    int64_t number;
    *out = (struct page){.prefix = SPAN_EMPTY, .after = SPAN_EMPTY, .max = MSK_PAGE_MAX};
    msk_query_text(call, prefix, &out->prefix);
    if (msk_query_text(call, "maxResults", &text)) {
        if (!span_parse_i64(text, &number) || number < 1 || number > MSK_PAGE_MAX) {
            msk_error(call->exchange, MSK_BAD_REQUEST,
                      "Invalid parameter: maxResults must be 1 to %d", MSK_PAGE_MAX);
            return false;
        }
        out->max = (size_t)number;
    }
    if (msk_query_text(call, "nextToken", &text) && text.len > 0) {
        struct buf name;
        buf_init(&name, token_bytes_max);
        const char *kept = base64_decode(text, &name) && buf_ok(&name) && name.len > 0
                               ? arena_copy_cstr(&call->exchange->arena, buf_span(&name))
                               : NULL;
        out->after = kept != NULL ? span_from(kept, name.len) : SPAN_EMPTY;
        buf_release(&name);
        if (kept == NULL) {
            msk_error(call->exchange, MSK_BAD_REQUEST, "Invalid parameter: nextToken");
            return false;
        }
    }
    return true;
}

static int compare_items(const void *a, const void *b)
{
    return span_compare(((const struct msk_item *)a)->name, ((const struct msk_item *)b)->name);
}

static void write_item(const struct msk_item *item, const struct msk_listing *listing,
                       struct buf *out)
{
    BUF_APPEND_LIT(out, "{");
    msk_members_write(item->document, listing->left_out, out);
    if (item->state != NULL) {
        msk_text_write(out, "connectorState", span_from_cstr(item->state));
    }
    BUF_APPEND_LIT(out, "}");
}

static void write_token(struct span name, struct buf *out)
{
    struct buf token;
    buf_init(&token, token_bytes_max);
    base64_encode(name, &token);
    msk_text_write(out, "nextToken", buf_span(&token));
    buf_release(&token);
}

enum handled msk_items_answer(const struct msk_call *call, struct msk_items *items,
                              const struct msk_listing *listing)
{
    struct page page;
    if (!page_parse(call, listing->prefix, &page)) {
        return HANDLED;
    }
    qsort(items->items, items->count, sizeof(items->items[0]), compare_items);
    struct buf *out = msk_reply(call->exchange);
    size_t written = 0;
    struct span last = SPAN_EMPTY;
    bool more = false;
    buf_printf(out, "{\"%s\":[", listing->member);
    for (size_t i = 0; i < items->count && !more; i++) {
        const struct msk_item *item = &items->items[i];
        bool wanted = span_starts_with(item->name, page.prefix) &&
                      (page.after.len == 0 || span_compare(item->name, page.after) > 0);
        if (!wanted) {
            continue;
        }
        if (written == page.max) {
            more = true;
            continue;
        }
        buf_append_cstr(out, written++ > 0 ? "," : "");
        write_item(item, listing, out);
        last = item->name;
    }
    BUF_APPEND_LIT(out, "]");
    if (more) {
        write_token(last, out);
    }
    BUF_APPEND_LIT(out, "}");
    return HANDLED;
}

bool msk_resource_keep(const struct msk_call *call, const struct store_resource *resource)
{
    struct msk_items items;
    struct error err;
    char kind[32];
    snprintf(kind, sizeof(kind), "%.*s", SPAN_ARG(resource->kind));
    if (!msk_items_load(call, kind, 0, &items)) {
        return false;
    }
    if (items.count >= MSK_RESOURCES_MAX) {
        msk_error(call->exchange, MSK_TOO_MANY, "There may be %d resources of the kind %s",
                  MSK_RESOURCES_MAX, kind);
        return false;
    }
    switch (store_resource_put(call->msk->options.store, resource, &err)) {
    case STATUS_OK:
        return true;
    case STATUS_EXISTS:
        msk_error(call->exchange, MSK_CONFLICT, "A resource with this name already exists.");
        return false;
    default:
        msk_error_store(call, &err);
        return false;
    }
}
