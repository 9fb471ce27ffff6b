/* Listings, single objects, many objects in order. */
#include "s3_client_internal.h"

#include "hash.h"
#include "http_date.h"
#include "printable.h"
#include "url.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- listings -------------------------------------------------------------------------------- */

enum { empty_pages_max = 1000 }; /* in a row; AWS sends one now and then */

/* Finds a circle in a sequence of which only one element is kept (Brent): the kept one is replaced
 * at distances that double, so sooner or later it lies in the circle and is met again. */
struct circle {
    uint64_t kept;
    uint64_t steps;
    uint64_t distance; /* 0: nothing is kept yet */
};

static bool circle_closes(struct circle *circle, uint64_t element)
{
    if (circle->distance > 0 && element == circle->kept) {
        return true;
    }
    if (++circle->steps > circle->distance) {
        circle->kept = element;
        circle->distance = circle->distance > 0 ? circle->distance * 2 : 1;
        circle->steps = 0;
    }
    return false;
}

static uint64_t circle_element(uint64_t of, struct span text)
{
    uint32_t low = hash_bytes((uint32_t)of ^ HASH_START, text);
    uint32_t high = hash_bytes((uint32_t)(of >> 32) ^ low, text);
    return (uint64_t)high << 32 | low;
}

struct s3_listing {
    struct s3_client *client;
    struct s3_slot *slot; /* the next page, under way; NULL: there is none */
    struct s3_page page;
    size_t position; /* of the next item in page */
    struct buf bucket;
    struct buf prefix;
    struct buf query; /* without the token */
    struct circle tokens;
    struct circle pages;
    int empty_pages; /* in a row */
};

/* A server that sends a token or a page again, or nothing but empty pages, would be listed for
 * ever.
 */
static enum status page_check_goes_on(struct s3_listing *listing, struct error *err)
{
    const struct s3_page *page = &listing->page;
    uint64_t content = 0;
    for (size_t i = 0; i < page->count; i++) {
        content = circle_element(content, page->items[i].key);
    }
    listing->empty_pages = page->count == 0 ? listing->empty_pages + 1 : 0;
    const char *why = NULL;
    if (circle_closes(&listing->tokens, circle_element(0, page->next_token))) {
        why = "a continuation token came again";
    } else if (page->count > 0 && circle_closes(&listing->pages, content)) {
        why = "a page came again";
    } else if (listing->empty_pages > empty_pages_max) {
        why = "page after page is empty";
    }
    return why == NULL ? STATUS_OK
                       : error_set(err, STATUS_ENDLESS, "%s: the listing does not end: %s",
                                   listing->slot->what, why);
}

static void s3_query_append(struct buf *query, const char *name, struct span value)
{
    if (value.len > 0) {
        buf_printf(query, "%s=", name);
        url_encode(value, false, query);
        buf_append_byte(query, '&');
    }
}

/* The parameters in the order that they are signed in; the token comes before all of them. */
static void s3_list_query_write(const struct s3_list *list, struct buf *query)
{
    s3_query_append(query, "delimiter", list->delimiter);
    BUF_APPEND_LIT(query, "encoding-type=url&list-type=2&");
    s3_query_append(query, "prefix", list->prefix);
    s3_query_append(query, "start-after", list->start_after);
    if (query->len > 0 && query->ptr[query->len - 1] == '&') {
        query->ptr[--query->len] = '\0';
    }
}

static enum status page_ask(struct s3_listing *listing, struct span token, struct error *err)
{
    struct buf query;
    buf_init(&query, S3_URL_BYTES_MAX);
    s3_query_append(&query, "continuation-token", token);
    buf_append_span(&query, buf_span(&listing->query));
    const struct s3_request request = {
        .method = "GET",
        .bucket = buf_span(&listing->bucket),
        .key = SPAN_EMPTY,
        .query = buf_span(&query),
    };
    enum status status =
        buf_ok(&query) ? s3_slot_send(listing->slot, &request, err)
                       : buf_error(&query, err, STATUS_LIMIT, "a continuation token is too long");
    buf_release(&query);
    return status;
}

/* Waits for the page under way, and sends for the one behind it. */
static enum status page_turn(struct s3_listing *listing, struct error *err)
{
    enum status status = s3_slot_wait(listing->slot, err);
    if (status == STATUS_OK) {
        status = s3_slot_verdict(listing->slot, err);
    }
    if (status == STATUS_OK) {
        status = s3_answer_list(buf_span(&listing->slot->response->body), &listing->page, err);
        if (status != STATUS_OK) {
            error_prefix(err, "%s", listing->slot->what);
        }
    }
    listing->position = 0;
    if (status == STATUS_OK && listing->page.truncated) {
        status = page_check_goes_on(listing, err);
    }
    if (status == STATUS_OK && listing->page.truncated) {
        return page_ask(listing, listing->page.next_token, err);
    }
    s3_slot_give(listing->slot);
    listing->slot = NULL;
    return status;
}

enum status s3_listing_open(struct s3_client *client, const struct s3_list *list,
                            struct s3_listing **out, struct error *err)
{
    struct s3_listing *listing = calloc(1, sizeof(*listing));
    if (listing == NULL) {
        return error_set(err, STATUS_NO_MEMORY, "no memory for a listing");
    }
    listing->client = client;
    s3_page_init(&listing->page);
    buf_init(&listing->bucket, S3_URL_BYTES_MAX);
    buf_init(&listing->query, S3_URL_BYTES_MAX);
    buf_init(&listing->prefix, S3_URL_BYTES_MAX);
    buf_append_span(&listing->bucket, list->bucket);
    buf_append_span(&listing->prefix, list->prefix);
    buf_inherit(&listing->bucket, &listing->prefix);
    s3_list_query_write(list, &listing->query);
    listing->slot = s3_slot_take(client, err);
    enum status status = listing->slot != NULL ? STATUS_OK : STATUS_NO_MEMORY;
    if (status == STATUS_OK && (!buf_ok(&listing->query) || !buf_ok(&listing->bucket))) {
        status = buf_error(buf_ok(&listing->query) ? &listing->bucket : &listing->query, err,
                           STATUS_LIMIT, "a prefix is longer than a URL may be");
    }
    if (status == STATUS_OK) {
        status = page_ask(listing, SPAN_EMPTY, err);
    }
    if (status != STATUS_OK) {
        s3_listing_close(listing);
        return status;
    }
    *out = listing;
    return STATUS_OK;
}

enum status s3_listing_next(struct s3_listing *listing, struct s3_listed *item, bool *more,
                            struct error *err)
{
    /* A page may be empty and yet not the last. */
    while (listing->position == listing->page.count && listing->slot != NULL) {
        enum status status = page_turn(listing, err);
        if (status != STATUS_OK) {
            return status;
        }
    }
    *more = listing->position < listing->page.count;
    if (*more) {
        *item = listing->page.items[listing->position++];
    }
    /* A key that is not below the prefix would be cut as if it were. */
    if (*more && !span_starts_with(item->key, buf_span(&listing->prefix))) {
        return error_set(err, STATUS_INVALID,
                         "the answer lists \"%.*s\", which is not below \"%.*s\": is s3_url right?",
                         SPAN_ARG(span_first(item->key, 100)),
                         SPAN_ARG(span_first(buf_span(&listing->prefix), 100)));
    }
    return STATUS_OK;
}

void s3_listing_close(struct s3_listing *listing)
{
    if (listing != NULL) {
        s3_slot_give(listing->slot);
        s3_page_release(&listing->page);
        buf_release(&listing->bucket);
        buf_release(&listing->prefix);
        buf_release(&listing->query);
        free(listing);
    }
}

enum status s3_client_list(struct s3_client *client, const struct s3_list *list,
                           bool (*visit)(void *ctx, const struct s3_listed *item), void *ctx,
                           struct error *err)
{
    struct s3_listing *listing = NULL;
    struct s3_listed item;
    bool more = true;
    enum status status = s3_listing_open(client, list, &listing, err);
    while (status == STATUS_OK && more) {
        status = s3_listing_next(listing, &item, &more, err);
        if (status == STATUS_OK && more) {
            more = visit(ctx, &item);
        }
    }
    s3_listing_close(listing);
    return status;
}

enum status s3_client_buckets(struct s3_client *client,
                              bool (*visit)(void *ctx, struct span name, int64_t created_ms),
                              void *ctx, struct error *err)
{
    struct s3_page page;
    struct s3_slot *slot = NULL;
    const struct s3_request request = {.method = "GET", .bucket = SPAN_EMPTY, .key = SPAN_EMPTY};
    s3_page_init(&page);
    enum status status = s3_client_call(client, &request, &slot, err);
    if (status == STATUS_OK) {
        status = s3_answer_list(buf_span(&slot->response->body), &page, err);
        if (status != STATUS_OK) {
            error_prefix(err, "%s", slot->what);
        }
    }
    for (size_t i = 0; status == STATUS_OK && i < page.count; i++) {
        if (!visit(ctx, page.items[i].key, page.items[i].modified_ms)) {
            break;
        }
    }
    s3_slot_give(slot);
    s3_page_release(&page);
    return status;
}

/* --- single objects -------------------------------------------------------------------------- */

/* The number behind the '/' of "bytes 0-7/1234". */
static bool whole_size(struct span content_range, uint64_t *out)
{
    size_t slash = span_find_byte(content_range, '/');
    return span_parse_u64(span_skip(content_range, slash + 1), out);
}

static void copy_header(const struct http_response *response, const char *name, char *out,
                        size_t out_bytes)
{
    struct span value = http_response_header(response, name);
    snprintf(out, out_bytes, "%.*s", SPAN_ARG(value));
    printable_make(out, out_bytes);
}

void s3_client_head_read(const struct http_response *response, struct s3_head *out)
{
    *out = (struct s3_head){.size = 0};
    if (!whole_size(http_response_header(response, "Content-Range"), &out->size) &&
        !span_parse_u64(http_response_header(response, "Content-Length"), &out->size)) {
        out->size = response->body.len;
    }
    int64_t modified_s;
    bool dated = http_date_parse(http_response_header(response, "Last-Modified"), &modified_s);
    out->modified_ms = dated ? modified_s * 1000 : 0;
    copy_header(response, "ETag", out->etag, sizeof(out->etag));
    copy_header(response, "Content-Type", out->content_type, sizeof(out->content_type));
}

static enum status check_key(struct span key, struct error *err)
{
    return key.len > 0 ? STATUS_OK
                       : error_set(err, STATUS_INVALID, "an object's key cannot be empty");
}

enum status s3_client_head(struct s3_client *client, struct span bucket, struct span key,
                           struct s3_head *out, struct error *err)
{
    struct s3_slot *slot = NULL;
    const struct s3_request request = {.method = "HEAD", .bucket = bucket, .key = key};
    enum status status = check_key(key, err);
    if (status == STATUS_OK) {
        status = s3_client_call(client, &request, &slot, err);
    }
    if (status == STATUS_OK) {
        s3_client_head_read(slot->response, out);
    }
    s3_slot_give(slot);
    return status;
}

enum status s3_client_get(struct s3_client *client, struct span bucket, struct span key,
                          struct s3_range range, struct buf *out, struct error *err)
{
    char text[S3_HEADER_TEXT_BYTES];
    struct s3_slot *slot = NULL;
    struct s3_request request = {
        .method = "GET", .bucket = bucket, .key = key, .if_match = range.if_match};
    if (range.len > 0) {
        snprintf(text, sizeof(text), "bytes=%llu-%llu", (unsigned long long)range.offset,
                 (unsigned long long)(range.offset + range.len - 1));
        request.range = text;
    } else if (range.offset > 0) {
        snprintf(text, sizeof(text), "bytes=%llu-", (unsigned long long)range.offset);
        request.range = text;
    }
    enum status status = check_key(key, err);
    if (status == STATUS_OK) {
        status = s3_client_call(client, &request, &slot, err);
    }
    if (status == STATUS_OK) {
        buf_append_span(out, buf_span(&slot->response->body));
        if (!buf_ok(out)) {
            status =
                buf_error(out, err, STATUS_LIMIT, "%s: more than %zu bytes", slot->what, out->max);
        }
    }
    s3_slot_give(slot);
    return status;
}

/* Sends a request for an object whose answer says nothing that anybody needs. */
static enum status s3_object_call(struct s3_client *client, const struct s3_request *request,
                                  struct error *err)
{
    struct s3_slot *slot = NULL;
    enum status status = check_key(request->key, err);
    if (status == STATUS_OK) {
        status = s3_client_call(client, request, &slot, err);
    }
    s3_slot_give(slot);
    return status;
}

enum status s3_client_put(struct s3_client *client, struct span bucket, struct span key,
                          struct span bytes, const char *content_type, struct error *err)
{
    const struct s3_request request = {
        .method = "PUT",
        .bucket = bucket,
        .key = key,
        .content_type = content_type,
        .body = bytes,
        .has_body = true,
    };
    return s3_object_call(client, &request, err);
}

enum status s3_client_delete(struct s3_client *client, struct span bucket, struct span key,
                             struct error *err)
{
    const struct s3_request request = {.method = "DELETE", .bucket = bucket, .key = key};
    return s3_object_call(client, &request, err);
}

/* --- many objects, in order ------------------------------------------------------------------ */

/* A ring: the slot at `first` holds the object that is visited next. */
struct fetch_ring {
    struct s3_slot *slots[S3_CONCURRENCY_MAX];
    struct buf keys[S3_CONCURRENCY_MAX];
    size_t size;
    size_t first;
    size_t count;
    bool exhausted;
};

static enum status ring_open(struct s3_client *client, struct fetch_ring *ring, struct error *err)
{
    *ring = (struct fetch_ring){.size = 0};
    while (ring->size < client->concurrency) {
        ring->slots[ring->size] = s3_slot_take(client, err);
        if (ring->slots[ring->size] == NULL) {
            return STATUS_NO_MEMORY;
        }
        buf_init(&ring->keys[ring->size], S3_KEY_BYTES_MAX);
        ring->size++;
    }
    return STATUS_OK;
}

static void ring_close(struct fetch_ring *ring)
{
    for (size_t i = 0; i < ring->size; i++) {
        s3_slot_give(ring->slots[i]);
        buf_release(&ring->keys[i]);
    }
}

static enum status ring_fill(const struct s3_fetch *fetch, struct fetch_ring *ring,
                             struct error *err)
{
    char range[S3_HEADER_TEXT_BYTES];
    /* The range ends a byte behind the limit, so that too large an object shows without being read
     * whole. */
    snprintf(range, sizeof(range), "bytes=0-%zu", fetch->bytes_max);
    enum status status = STATUS_OK;
    while (status == STATUS_OK && !ring->exhausted && ring->count < ring->size) {
        size_t place = (ring->first + ring->count) % ring->size;
        struct buf *key = &ring->keys[place];
        buf_reset(key);
        ring->exhausted = !fetch->next(fetch->ctx, key);
        if (ring->exhausted) {
            break;
        }
        const struct s3_request request = {
            .method = "GET", .bucket = fetch->bucket, .key = buf_span(key), .range = range};
        status = buf_ok(key) ? check_key(buf_span(key), err)
                             : buf_error(key, err, STATUS_INVALID, "a key is longer than %d bytes",
                                         S3_KEY_BYTES_MAX);
        if (status == STATUS_OK) {
            status = s3_slot_send(ring->slots[place], &request, err);
        }
        ring->count++;
    }
    return status;
}

/* Judges the object at the front: `visit` is told of one that is gone or too large; any other
 * failure ends the fetch. */
static enum status ring_front(const struct s3_fetch *fetch, const struct s3_slot *slot,
                              struct span *bytes, struct error *err)
{
    *bytes = SPAN_EMPTY;
    if (slot->status == STATUS_OK) {
        *bytes = buf_span(&slot->response->body);
        return bytes->len <= fetch->bytes_max ? STATUS_OK : STATUS_LIMIT;
    }
    if (slot->response->failure == HTTP_FAILURE_NONE && slot->response->status == 416) {
        return STATUS_OK; /* no byte 0: an empty object */
    }
    return s3_slot_verdict(slot, err);
}

enum status s3_client_fetch(struct s3_client *client, const struct s3_fetch *fetch,
                            struct error *err)
{
    struct fetch_ring ring;
    PP_ASSERT(fetch->bytes_max > 0 && fetch->bytes_max < S3_ANSWER_BYTES_MAX);
    enum status status = ring_open(client, &ring, err);
    bool go_on = true;
    while (status == STATUS_OK && go_on) {
        status = ring_fill(fetch, &ring, err);
        if (status != STATUS_OK || ring.count == 0) {
            break;
        }
        struct s3_slot *slot = ring.slots[ring.first];
        status = s3_slot_wait(slot, err);
        if (status != STATUS_OK) {
            break;
        }
        struct span bytes;
        enum status found = ring_front(fetch, slot, &bytes, err);
        if (found != STATUS_OK && found != STATUS_NOT_FOUND && found != STATUS_LIMIT) {
            status = found;
            break;
        }
        go_on = fetch->visit(fetch->ctx, buf_span(&ring.keys[ring.first]), found, bytes);
        slot->state = S3_SLOT_IDLE;
        ring.first = (ring.first + 1) % ring.size;
        ring.count--;
    }
    ring_close(&ring);
    return status;
}
