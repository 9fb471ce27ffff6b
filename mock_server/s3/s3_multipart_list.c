/* ListParts and ListMultipartUploads. */
#include "s3_checksum.h"
#include "s3_errors.h"
#include "s3_operations.h"
#include "s3_page.h"
#include "s3_upload.h"
#include "s3_xml.h"

/* --- ListParts --- */

struct part_list {
    struct arena *arena;
    struct store_part *parts;
    size_t count;
    size_t max;
    bool truncated;
    bool no_memory;
};

static bool part_visit(void *ctx, const struct store_part *part)
{
    struct part_list *list = ctx;
    if (list->count == list->max) {
        list->truncated = true;
        return false;
    }
    struct store_part *copy = &list->parts[list->count];
    *copy = *part;
    if (!s3_span_copy(list->arena, part->etag, &copy->etag) ||
        !s3_span_copy(list->arena, part->checksum, &copy->checksum)) {
        list->no_memory = true;
        return false;
    }
    list->count++;
    return true;
}

static void listed_part_write(struct s3_call *call, const struct store_part *part)
{
    s3_xml_open(call, "Part");
    s3_xml_number(call, "PartNumber", part->number);
    s3_xml_time(call, "LastModified", part->modified_ms);
    s3_xml_etag(call, part->etag);
    s3_xml_number(call, "Size", (int64_t)part->size);
    s3_checksum_element(call, part->checksum);
    s3_xml_close(call, "Part");
}

static void encode_parts(struct s3_call *call, const struct store_upload *upload, int64_t marker,
                         const struct part_list *list)
{
    int64_t next = list->count > 0 ? list->parts[list->count - 1].number : 0;
    s3_xml_begin(call, "ListPartsResult");
    s3_xml_text(call, "Bucket", call->bucket_name);
    s3_xml_text(call, "Key", call->key);
    s3_xml_text(call, "UploadId", upload->id);
    s3_xml_owner(call, "Initiator");
    s3_xml_owner(call, "Owner");
    s3_xml_text(call, "StorageClass", SPAN_LIT("STANDARD"));
    s3_xml_number(call, "PartNumberMarker", marker);
    s3_xml_number(call, "NextPartNumberMarker", next);
    s3_xml_number(call, "MaxParts", (int64_t)list->max);
    s3_xml_bool(call, "IsTruncated", list->truncated);
    for (size_t i = 0; i < list->count; i++) {
        listed_part_write(call, &list->parts[i]);
    }
    s3_checksum_algorithm_elements(call, s3_upload_checksum_of(upload));
    s3_xml_end(call, "ListPartsResult");
}

enum handled s3_list_parts(struct s3_call *call)
{
    struct store_upload upload;
    struct part_list list = {.arena = &call->exchange->arena};
    struct error err = ERROR_NONE;
    int64_t max = S3_PAGE_ENTRIES_MAX;
    int64_t marker = 0;
    if (!s3_upload_find(call, &upload) || !s3_query_number(call, "max-parts", INT32_MAX, &max) ||
        !s3_query_number(call, "part-number-marker", INT32_MAX, &marker)) {
        return HANDLED;
    }
    list.max = (size_t)(max > S3_PAGE_ENTRIES_MAX ? S3_PAGE_ENTRIES_MAX : max);
    if (list.max > 0) {
        list.parts = arena_alloc_array(list.arena, list.max, sizeof(*list.parts));
        list.no_memory = list.parts == NULL;
    }
    if (list.parts != NULL && store_parts_visit(call->s3->options.store, upload.id, (int32_t)marker,
                                                part_visit, &list, &err) != STATUS_OK) {
        return s3_error_store(call, &err);
    }
    if (list.no_memory) {
        return s3_error(call, S3_ERROR_INTERNAL_ERROR);
    }
    encode_parts(call, &upload, marker, &list);
    return HANDLED;
}

/* --- ListMultipartUploads --- */

struct upload_query {
    struct s3_page page; /* marker: the key-marker */
    struct span id_marker;
};

struct upload_item {
    struct store_upload upload; /* of a common prefix only the key */
    bool is_prefix;
};

struct upload_list {
    const struct upload_query *query;
    struct arena *arena;
    struct upload_item *items;
    size_t count;
    struct span covered; /* as in s3_list.c */
    bool truncated;
    bool no_memory;
};

static bool decode_uploads(struct s3_call *call, struct upload_query *out)
{
    *out = (struct upload_query){.id_marker = SPAN_EMPTY};
    if (!s3_page_read(call, "max-uploads", &out->page)) {
        return false;
    }
    (void)s3_query(call, "key-marker", &out->page.marker);
    if (out->page.marker.len > 0) { /* without it the other one is not looked at */
        (void)s3_query(call, "upload-id-marker", &out->id_marker);
    }
    return true;
}

static bool upload_copy(struct arena *arena, const struct store_upload *upload, struct span name,
                        struct upload_item *out)
{
    out->upload = *upload;
    return s3_span_copy(arena, name, &out->upload.key) &&
           s3_span_copy(arena, upload->id, &out->upload.id) &&
           s3_span_copy(arena, upload->checksum_algorithm, &out->upload.checksum_algorithm);
}

static bool uploads_add(struct upload_list *list, const struct store_upload *upload,
                        struct span common)
{
    bool is_prefix = common.len > 0;
    if ((int64_t)list->count == list->query->page.max) {
        list->truncated = true;
        return false;
    }
    struct upload_item *item = &list->items[list->count];
    item->is_prefix = is_prefix;
    list->no_memory = !upload_copy(list->arena, upload, is_prefix ? common : upload->key, item);
    list->count += list->no_memory ? 0 : 1;
    return !list->no_memory;
}

static bool upload_visit(void *ctx, const struct store_upload *upload)
{
    struct upload_list *list = ctx;
    const struct s3_page *page = &list->query->page;
    if (!span_starts_with(upload->key, page->prefix)) {
        return false;
    }
    struct span common = s3_page_roll_up(page, upload->key);
    if (common.len == 0) {
        return uploads_add(list, upload, common);
    }
    if ((span_compare(common, page->marker) <= 0 || uploads_add(list, upload, common)) &&
        !s3_span_copy(list->arena, common, &list->covered)) {
        list->no_memory = true;
    }
    return false;
}

/* An id that is less than any: the uploads of after_key itself are visited too. */
static const struct span least_id = {" ", 1};

static enum status walk_uploads(struct s3_call *call, struct upload_list *list, struct error *err)
{
    const struct s3_page *page = &list->query->page;
    struct store_upload_range range = {
        .bucket_id = call->bucket.id, .after_key = page->prefix, .after_id = least_id};
    if (page->marker.len > 0 && span_compare(page->marker, page->prefix) >= 0) {
        range.after_key = page->marker;
        range.after_id = list->query->id_marker;
    }
    if (page->max == 0) {
        return STATUS_OK;
    }
    list->items = arena_alloc_array(list->arena, (size_t)page->max, sizeof(*list->items));
    bool more = list->items != NULL;
    list->no_memory = !more;
    while (more) {
        list->covered = SPAN_EMPTY;
        enum status status =
            store_uploads_visit(call->s3->options.store, range, upload_visit, list, err);
        if (status != STATUS_OK) {
            return status;
        }
        range.after_id = least_id;
        more = list->covered.len > 0;
        if (more && !s3_page_successor(list->arena, list->covered, &range.after_key, &more)) {
            list->no_memory = true;
        }
    }
    return list->no_memory ? error_set(err, STATUS_NO_MEMORY, "no memory for a listing")
                           : STATUS_OK;
}

static void listed_upload_write(struct s3_call *call, const struct s3_page *page,
                                const struct store_upload *upload)
{
    s3_xml_open(call, "Upload");
    s3_page_text(call, page, "Key", upload->key);
    s3_xml_text(call, "UploadId", upload->id);
    s3_xml_owner(call, "Initiator");
    s3_xml_owner(call, "Owner");
    s3_xml_text(call, "StorageClass", SPAN_LIT("STANDARD"));
    s3_xml_time(call, "Initiated", upload->created_ms);
    s3_checksum_algorithm_elements(call, s3_upload_checksum_of(upload));
    s3_xml_close(call, "Upload");
}

static void next_markers_write(struct s3_call *call, const struct upload_list *list)
{
    if (list->truncated) {
        const struct upload_item *last = &list->items[list->count - 1];
        s3_page_text(call, &list->query->page, "NextKeyMarker", last->upload.key);
        s3_xml_text(call, "NextUploadIdMarker", last->is_prefix ? SPAN_EMPTY : last->upload.id);
    }
}

static void encode_uploads(struct s3_call *call, const struct upload_list *list)
{
    const struct s3_page *page = &list->query->page;
    s3_xml_begin(call, "ListMultipartUploadsResult");
    s3_xml_text(call, "Bucket", call->bucket_name);
    s3_page_text(call, page, "KeyMarker", page->marker);
    s3_xml_text(call, "UploadIdMarker", list->query->id_marker);
    next_markers_write(call, list);
    if (page->delimiter.len > 0) {
        s3_page_text(call, page, "Delimiter", page->delimiter);
    }
    s3_page_text(call, page, "Prefix", page->prefix);
    if (page->url) {
        s3_xml_text(call, "EncodingType", SPAN_LIT("url"));
    }
    s3_xml_number(call, "MaxUploads", page->max);
    s3_xml_bool(call, "IsTruncated", list->truncated);
    for (size_t i = 0; i < list->count; i++) {
        if (!list->items[i].is_prefix) {
            listed_upload_write(call, page, &list->items[i].upload);
        }
    }
    for (size_t i = 0; i < list->count; i++) {
        if (list->items[i].is_prefix) {
            s3_page_common_prefix(call, page, list->items[i].upload.key);
        }
    }
    s3_xml_end(call, "ListMultipartUploadsResult");
}

enum handled s3_list_uploads(struct s3_call *call)
{
    struct upload_query query;
    struct upload_list list = {.query = &query, .arena = &call->exchange->arena};
    struct error err = ERROR_NONE;
    if (!s3_call_bucket(call) || !decode_uploads(call, &query)) {
        return HANDLED;
    }
    if (walk_uploads(call, &list, &err) != STATUS_OK) {
        return s3_error_store(call, &err);
    }
    encode_uploads(call, &list);
    return HANDLED;
}
