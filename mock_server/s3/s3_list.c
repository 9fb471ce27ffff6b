/* ListObjects, both versions, and ListObjectVersions: decode, walk, encode.
 *
 * The walk goes over the bucket's keys in byte order. At a common prefix it stops, and begins anew
 * behind everything that the prefix covers, so a page costs one seek for each prefix it shows,
 * however many keys are below it. */
#include "base64.h"
#include "hash.h"
#include "s3_checksum.h"
#include "s3_errors.h"
#include "s3_operations.h"
#include "s3_page.h"
#include "s3_xml.h"

#include <string.h>

struct list_query {
    struct s3_page page;
    bool has_token;
    struct span token;       /* as sent */
    struct span start_after; /* V2 */
    struct span marker;      /* V1's marker, a version listing's key-marker, as sent */
    struct span version_marker;
    bool fetch_owner;
};

struct list_item {
    struct span name;
    bool is_prefix;
    uint64_t size; /* and the rest: of objects */
    struct span etag;
    struct s3_upload_checksum checksum;
    int64_t modified_ms;
};

struct listing {
    struct list_item *items;
    size_t count;
    bool truncated;
};

/* --- continuation tokens --- */

/* A token holds the last name that was listed, behind a version and a check that catches tokens of
 * others. */
enum {
    token_version = 1,
    token_head_bytes = 5,
    token_bytes_max = 2048, /* of the token's own bytes; a key has at most 1024 */
};

static void list_token_head(struct span name, char head[token_head_bytes])
{
    uint32_t check = (uint32_t)hash_murmur2(name);
    head[0] = token_version;
    for (int i = 0; i < 4; i++) {
        head[1 + i] = (char)(check >> (8 * i));
    }
}

static void list_token_write(struct s3_call *call, struct span name)
{
    struct buf raw;
    char head[token_head_bytes];
    list_token_head(name, head);
    buf_init(&raw, token_bytes_max);
    buf_append(&raw, head, sizeof(head));
    buf_append_span(&raw, name);
    s3_xml_open(call, "NextContinuationToken");
    base64_encode(buf_span(&raw), &call->exchange->reply.body);
    s3_xml_close(call, "NextContinuationToken");
    if (!buf_ok(&raw)) {
        call->exchange->reply.body.failed = true;
    }
    buf_release(&raw);
}

static bool list_token_read(struct s3_call *call, struct span token, struct span *name)
{
    struct buf raw;
    char head[token_head_bytes];
    buf_init(&raw, token_bytes_max);
    bool good = base64_decode(token, &raw) && buf_ok(&raw) && raw.len > token_head_bytes;
    if (good) {
        struct span rest = span_skip(buf_span(&raw), token_head_bytes);
        list_token_head(rest, head);
        good = memcmp(raw.ptr, head, sizeof(head)) == 0 &&
               s3_span_copy(&call->exchange->arena, rest, name);
    }
    buf_release(&raw);
    if (!good) {
        const struct aws_error_detail details[] = {{"ArgumentName", SPAN_LIT("continuation-token")},
                                                   {NULL, SPAN_EMPTY}};
        (void)s3_error_text(call, S3_ERROR_INVALID_ARGUMENT,
                            SPAN_LIT("The continuation token provided is incorrect"), details);
    }
    return good;
}

/* --- decoding --- */

static bool list_decode_v1(struct s3_call *call, struct list_query *query)
{
    if (!s3_page_read(call, "max-keys", &query->page)) {
        return false;
    }
    (void)s3_query(call, "marker", &query->marker);
    query->page.marker = query->marker;
    return true;
}

static bool list_decode_v2(struct s3_call *call, struct list_query *query)
{
    struct span owner = SPAN_EMPTY;
    if (!s3_page_read(call, "max-keys", &query->page)) {
        return false;
    }
    (void)s3_query(call, "start-after", &query->start_after);
    query->page.marker = query->start_after;
    query->fetch_owner =
        s3_query(call, "fetch-owner", &owner) && span_equal_nocase(owner, SPAN_LIT("true"));
    query->has_token = s3_query(call, "continuation-token", &query->token);
    return !query->has_token || list_token_read(call, query->token, &query->page.marker);
}

static bool version_marker_refuse(struct s3_call *call, const char *message, struct span marker)
{
    (void)s3_invalid_argument(call, message, "version-id-marker", marker);
    return false;
}

/* A version names a place only together with its key, and here each key has the one version
 * "null". */
static bool list_decode_version_marker(struct s3_call *call, struct list_query *query)
{
    struct span marker;
    bool has_key = s3_query(call, "key-marker", &query->marker);
    query->page.marker = query->marker;
    if (!s3_query(call, "version-id-marker", &marker)) {
        return true;
    }
    if (!has_key) {
        return version_marker_refuse(
            call, "A version-id marker cannot be specified without a key marker.", marker);
    }
    if (marker.len == 0) {
        return version_marker_refuse(call, "A version-id marker cannot be empty.", marker);
    }
    query->version_marker = marker;
    return span_equal_cstr(marker, "null") ||
           version_marker_refuse(call, "Invalid version id specified", marker);
}

/* The checks in the order that was recorded: the number, the markers, the encoding. */
static bool list_decode_versions(struct s3_call *call, struct list_query *query)
{
    struct span max = SPAN_EMPTY;
    int64_t number = 0;
    (void)s3_query(call, "max-keys", &max);
    if (span_parse_i64(max, &number) && number < 0 && number >= INT32_MIN) {
        const struct aws_error_detail details[] = {{"ArgumentName", SPAN_LIT("max-keys")},
                                                   {NULL, SPAN_EMPTY}};
        (void)s3_error_text(call, S3_ERROR_INVALID_ARGUMENT,
                            SPAN_LIT("max-keys cannot be negative"), details);
        return false;
    }
    if (!s3_query_number(call, "max-keys", INT32_MAX, &number) ||
        !list_decode_version_marker(call, query)) {
        return false;
    }
    struct span marker = query->page.marker;
    if (!s3_page_read(call, "max-keys", &query->page)) {
        return false;
    }
    query->page.marker = marker;
    return true;
}

/* --- the walk --- */

struct walk {
    const struct s3_page *page;
    struct arena *arena;
    struct listing *listing;
    struct span covered; /* everything that begins with it is passed over; empty: nothing is */
    bool no_memory;
};

static struct s3_upload_checksum object_checksum_of(const struct store_object *object)
{
    struct s3_checksum_text text;
    if (!s3_checksum_text_read(object->checksum, &text)) {
        return (struct s3_upload_checksum){.has = false};
    }
    return (struct s3_upload_checksum){
        .has = true, .kind = text.kind, .full_object = span_equal_cstr(text.type, "FULL_OBJECT")};
}

/* Adds a key (or, object NULL, a common prefix) to the page; false: the page is full, or memory is
 * out. */
static bool walk_add(struct walk *walk, struct span name, const struct store_object *object)
{
    struct listing *listing = walk->listing;
    if ((int64_t)listing->count == walk->page->max) {
        listing->truncated = true;
        return false;
    }
    struct list_item *item = &listing->items[listing->count];
    *item = (struct list_item){.is_prefix = object == NULL, .etag = SPAN_EMPTY};
    bool good = s3_span_copy(walk->arena, name, &item->name);
    if (good && object != NULL) {
        item->size = object->size;
        item->modified_ms = object->modified_ms;
        item->checksum = object_checksum_of(object);
        good = s3_span_copy(walk->arena, object->etag, &item->etag);
    }
    walk->no_memory = !good;
    listing->count += good ? 1 : 0;
    return good;
}

static bool walk_visit(void *ctx, const struct store_object *object)
{
    struct walk *walk = ctx;
    if (!span_starts_with(object->key, walk->page->prefix)) {
        return false; /* behind all that begin with it */
    }
    struct span common = s3_page_roll_up(walk->page, object->key);
    if (common.len == 0) {
        return walk_add(walk, object->key, object);
    }
    if ((span_compare(common, walk->page->marker) <= 0 || walk_add(walk, common, NULL)) &&
        !s3_span_copy(walk->arena, common, &walk->covered)) {
        walk->no_memory = true;
    }
    return false;
}

static enum status walk_bucket(struct s3_call *call, const struct s3_page *page,
                               struct listing *listing, struct error *err)
{
    struct walk walk = {.page = page, .arena = &call->exchange->arena, .listing = listing};
    struct store_object_range range = {.bucket_id = call->bucket.id, .from = page->prefix};
    if (span_compare(page->marker, page->prefix) >= 0) {
        range.from = page->marker;
        range.after = true;
    }
    *listing = (struct listing){0};
    if (page->max == 0) {
        return STATUS_OK;
    }
    listing->items = arena_alloc_array(walk.arena, (size_t)page->max, sizeof(*listing->items));
    bool more = listing->items != NULL;
    walk.no_memory = !more;
    while (more) {
        walk.covered = SPAN_EMPTY;
        enum status status =
            store_objects_visit(call->s3->options.store, range, walk_visit, &walk, err);
        if (status != STATUS_OK) {
            return status;
        }
        range.after = false;
        more = walk.covered.len > 0;
        if (more && !s3_page_successor(walk.arena, walk.covered, &range.from, &more)) {
            walk.no_memory = true;
        }
    }
    return walk.no_memory ? error_set(err, STATUS_NO_MEMORY, "no memory for a listing") : STATUS_OK;
}

/* --- encoding --- */

static void list_head_write(struct s3_call *call, const struct s3_page *page)
{
    s3_xml_text(call, "Name", call->bucket_name);
    s3_page_text(call, page, "Prefix", page->prefix);
}

static void list_limits_write(struct s3_call *call, const struct s3_page *page,
                              const struct listing *listing)
{
    s3_xml_number(call, "MaxKeys", page->max);
    if (page->delimiter.len > 0) {
        s3_page_text(call, page, "Delimiter", page->delimiter);
    }
    if (page->url) {
        s3_xml_text(call, "EncodingType", SPAN_LIT("url"));
    }
    s3_xml_bool(call, "IsTruncated", listing->truncated);
}

/* How objects stand in a listing. */
struct list_form {
    const char *element;
    bool with_version;
    bool with_owner;
};

static void list_object_write(struct s3_call *call, const struct s3_page *page,
                              const struct list_item *item, struct list_form form)
{
    s3_xml_open(call, form.element);
    s3_page_text(call, page, "Key", item->name);
    if (form.with_version) {
        s3_xml_text(call, "VersionId", SPAN_LIT("null"));
        s3_xml_bool(call, "IsLatest", true);
    }
    s3_xml_time(call, "LastModified", item->modified_ms);
    s3_xml_etag(call, item->etag);
    s3_checksum_algorithm_elements(call, item->checksum);
    s3_xml_number(call, "Size", (int64_t)item->size);
    if (form.with_owner) {
        s3_xml_owner(call, "Owner");
    }
    s3_xml_text(call, "StorageClass", SPAN_LIT("STANDARD"));
    s3_xml_close(call, form.element);
}

static void list_items_write(struct s3_call *call, const struct s3_page *page,
                             const struct listing *listing, struct list_form form)
{
    for (size_t i = 0; i < listing->count; i++) {
        if (!listing->items[i].is_prefix) {
            list_object_write(call, page, &listing->items[i], form);
        }
    }
    for (size_t i = 0; i < listing->count; i++) {
        if (listing->items[i].is_prefix) {
            s3_page_common_prefix(call, page, listing->items[i].name);
        }
    }
}

static struct span list_last_name(const struct listing *listing)
{
    return listing->items[listing->count - 1].name;
}

static void list_encode_v1(struct s3_call *call, const struct list_query *query,
                           const struct listing *listing)
{
    const struct s3_page *page = &query->page;
    s3_xml_begin(call, "ListBucketResult");
    list_head_write(call, page);
    s3_page_text(call, page, "Marker", query->marker);
    if (listing->truncated && page->delimiter.len > 0) {
        s3_page_text(call, page, "NextMarker", list_last_name(listing));
    }
    list_limits_write(call, page, listing);
    list_items_write(call, page, listing,
                     (struct list_form){.element = "Contents", .with_owner = true});
    s3_xml_end(call, "ListBucketResult");
}

static void list_encode_v2(struct s3_call *call, const struct list_query *query,
                           const struct listing *listing)
{
    const struct s3_page *page = &query->page;
    s3_xml_begin(call, "ListBucketResult");
    list_head_write(call, page);
    if (query->has_token) { /* which start-after then gives way to, also here */
        s3_xml_text(call, "ContinuationToken", query->token);
    } else if (query->start_after.len > 0) {
        s3_page_text(call, page, "StartAfter", query->start_after);
    }
    if (listing->truncated) {
        list_token_write(call, list_last_name(listing));
    }
    s3_xml_number(call, "KeyCount", (int64_t)listing->count);
    list_limits_write(call, page, listing);
    list_items_write(call, page, listing,
                     (struct list_form){.element = "Contents", .with_owner = query->fetch_owner});
    s3_xml_end(call, "ListBucketResult");
}

/* A page that ends in a common prefix goes on behind the prefix, which has no version. */
static void next_version_write(struct s3_call *call, const struct s3_page *page,
                               const struct list_item *last)
{
    s3_page_text(call, page, "NextKeyMarker", last->name);
    if (!last->is_prefix) {
        s3_xml_text(call, "NextVersionIdMarker", SPAN_LIT("null"));
    }
}

/* The elements of the head stand in another order than in the other listings, as recorded; so an
 * empty delimiter is said here. */
static void list_encode_versions(struct s3_call *call, const struct list_query *query,
                                 const struct listing *listing)
{
    const struct s3_page *page = &query->page;
    struct span delimiter;
    s3_xml_begin(call, "ListVersionsResult");
    list_head_write(call, page);
    s3_page_text(call, page, "KeyMarker", query->marker);
    s3_xml_text(call, "VersionIdMarker", query->version_marker);
    if (listing->truncated) {
        next_version_write(call, page, &listing->items[listing->count - 1]);
    }
    s3_xml_number(call, "MaxKeys", page->max);
    if (s3_query(call, "delimiter", &delimiter)) {
        s3_page_text(call, page, "Delimiter", delimiter);
    }
    if (page->url) {
        s3_xml_text(call, "EncodingType", SPAN_LIT("url"));
    }
    s3_xml_bool(call, "IsTruncated", listing->truncated);
    list_items_write(
        call, page, listing,
        (struct list_form){.element = "Version", .with_version = true, .with_owner = true});
    s3_xml_end(call, "ListVersionsResult");
}

static enum handled
list_objects(struct s3_call *call, bool (*decode)(struct s3_call *call, struct list_query *query),
             void (*encode)(struct s3_call *call, const struct list_query *query,
                            const struct listing *listing))
{
    struct list_query query = {.token = SPAN_EMPTY,
                               .start_after = SPAN_EMPTY,
                               .marker = SPAN_EMPTY,
                               .version_marker = SPAN_EMPTY};
    struct listing listing;
    struct error err = ERROR_NONE;
    if (!s3_call_bucket(call) || !decode(call, &query)) {
        return HANDLED;
    }
    if (walk_bucket(call, &query.page, &listing, &err) != STATUS_OK) {
        return s3_error_store(call, &err);
    }
    reply_add_header(&call->exchange->reply, "x-amz-bucket-region", call->bucket.region);
    encode(call, &query, &listing);
    return HANDLED;
}

enum handled s3_list_objects_v1(struct s3_call *call)
{
    return list_objects(call, list_decode_v1, list_encode_v1);
}

enum handled s3_list_objects_v2(struct s3_call *call)
{
    return list_objects(call, list_decode_v2, list_encode_v2);
}

enum handled s3_list_object_versions(struct s3_call *call)
{
    return list_objects(call, list_decode_versions, list_encode_versions);
}
