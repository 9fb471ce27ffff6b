/* Answers to List...: sorted by name, filtered by a prefix, paged by a token that is the last name
 * of the page before. */
#include "base64.h"
#include "json_write.h"
#include "msk_internal.h"
#include "query.h"

#include <stdlib.h>

enum { token_bytes_max = 4 * MSK_NAME_BYTES_MAX };

struct page {
    struct span prefix;
    struct span after; /* the last name of the page before; empty: the first page */
    size_t max;
};

bool msk_query_text(const struct msk_call *call, const char *name, struct span *out)
{
    return query_value(call->exchange, name, out) != QUERY_ABSENT;
}

static bool page_parse(const struct msk_call *call, struct page *out)
{
    struct span text = SPAN_EMPTY;
    int64_t number;
    *out = (struct page){.prefix = SPAN_EMPTY, .after = SPAN_EMPTY, .max = MSK_PAGE_MAX};
    msk_query_text(call, call->kind->prefix, &out->prefix);
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

static int item_order(const void *a, const void *b)
{
    return span_compare(((const struct msk_item *)a)->name, ((const struct msk_item *)b)->name);
}

void msk_item_write(const struct msk_item *item, const char *without, struct json_writer *w)
{
    msk_members_write(item->document, without, w);
    if (item->state != NULL) {
        json_member_cstr(w, "connectorState", item->state);
    }
}

static bool page_takes(const struct page *page, const struct msk_item *item)
{
    return span_starts_with(item->name, page->prefix) &&
           (page->after.len == 0 || span_compare(item->name, page->after) > 0);
}

static void page_write_token(struct json_writer *w, struct span last)
{
    struct buf token;
    buf_init(&token, token_bytes_max);
    base64_encode(last, &token);
    json_member_string(w, "nextToken", buf_span(&token));
    buf_release(&token);
}

enum handled msk_items_answer(const struct msk_call *call, struct msk_items *items)
{
    struct page page;
    if (!page_parse(call, &page)) {
        return HANDLED;
    }
    qsort(items->items, items->count, sizeof(items->items[0]), item_order);
    struct json_writer w = json_writer_to(msk_reply(call->exchange));
    size_t written = 0;
    struct span last = SPAN_EMPTY;
    bool more = false;
    json_write_object(&w);
    json_member_array(&w, call->kind->list);
    for (size_t i = 0; i < items->count && !more; i++) {
        const struct msk_item *item = &items->items[i];
        bool wanted = page_takes(&page, item);
        more = wanted && written == page.max;
        if (wanted && !more) {
            json_write_object(&w);
            msk_item_write(item, call->kind->listed_without, &w);
            json_write_end(&w);
            last = item->name;
            written++;
        }
    }
    json_write_end(&w);
    if (more) {
        page_write_token(&w, last);
    }
    json_write_end(&w);
    return HANDLED;
}
