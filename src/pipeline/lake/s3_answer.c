/* S3's documents, read by a single walk: expat's events keep the names of the open elements, and at
 * the end of an element its text is given to whoever the table names for (parent, element). An
 * element that no entry names is passed over, so that S3 may add some. */
#include "s3_answer.h"

#include "array.h"
#include "printable.h"
#include "url.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <expat.h>

enum { name_bytes_max = 48 };

struct walk;

struct walk_field {
    const char *parent;
    const char *name;
    void (*take)(struct walk *walk, struct span text);
};

struct walk {
    XML_Parser parser;
    const struct walk_field *fields;
    size_t field_count;
    char names[S3_ANSWER_DEPTH_MAX][name_bytes_max];
    size_t depth;
    struct buf text;
    bool bad;
    bool no_memory;

    struct s3_error_answer *error;
    struct s3_page *page;
    struct s3_listed item;
    bool url_encoded;
    char *upload_id;
};

/* --- times ----------------------------------------------------------------------------------- */

/* Takes `count` digits off the front of *rest, and `behind` after them. */
static bool take_digits(struct span *rest, size_t count, const char *behind, int *out)
{
    uint64_t number;
    struct span after = span_from_cstr(behind);
    if (rest->len < count || !span_parse_u64(span_first(*rest, count), &number) ||
        !span_starts_with(span_skip(*rest, count), after)) {
        return false;
    }
    *out = (int)number;
    *rest = span_skip(*rest, count + after.len);
    return true;
}

static bool unix_ms_of(const struct tm *fields, int milliseconds, int64_t *out)
{
    struct tm copy = *fields;
    if (fields->tm_mon < 0 || fields->tm_mon > 11 || fields->tm_mday < 1 || fields->tm_mday > 31 ||
        fields->tm_hour > 23 || fields->tm_min > 59 || fields->tm_sec > 60) {
        return false;
    }
    *out = (int64_t)timegm(&copy) * 1000 + milliseconds;
    return true;
}

bool s3_time_iso(struct span text, int64_t *unix_ms)
{
    struct tm t = {0};
    int milliseconds = 0;
    if (!take_digits(&text, 4, "-", &t.tm_year) || !take_digits(&text, 2, "-", &t.tm_mon) ||
        !take_digits(&text, 2, "T", &t.tm_mday) || !take_digits(&text, 2, ":", &t.tm_hour) ||
        !take_digits(&text, 2, ":", &t.tm_min) || !take_digits(&text, 2, "", &t.tm_sec)) {
        return false;
    }
    if (text.len > 0 && text.ptr[0] == '.') {
        text = span_skip(text, 1);
        if (!take_digits(&text, 3, "", &milliseconds)) {
            return false;
        }
    }
    t.tm_year -= 1900;
    t.tm_mon -= 1;
    return span_equal_cstr(text, "Z") && unix_ms_of(&t, milliseconds, unix_ms);
}

/* --- the walk -------------------------------------------------------------------------------- */

static void walk_fail(struct walk *walk)
{
    walk->bad = true;
    XML_StopParser(walk->parser, XML_FALSE);
}

static void s3_answer_on_doctype(void *ctx, const XML_Char *name, const XML_Char *system_id,
                                 const XML_Char *public_id, int has_internal_subset)
{
    (void)name;
    (void)system_id;
    (void)public_id;
    (void)has_internal_subset;
    walk_fail(ctx);
}

static void s3_answer_on_start(void *ctx, const XML_Char *name, const XML_Char **attributes)
{
    struct walk *walk = ctx;
    (void)attributes;
    size_t len = strlen(name);
    if (walk->depth == S3_ANSWER_DEPTH_MAX || len >= name_bytes_max) {
        walk_fail(walk);
        return;
    }
    memcpy(walk->names[walk->depth++], name, len + 1);
    buf_reset(&walk->text);
}

static void s3_answer_on_text(void *ctx, const XML_Char *text, int len)
{
    struct walk *walk = ctx;
    buf_append(&walk->text, text, (size_t)len);
    if (!buf_ok(&walk->text)) {
        walk->no_memory = walk->text.no_memory;
        walk_fail(walk);
    }
}

static void s3_answer_on_end(void *ctx, const XML_Char *name)
{
    struct walk *walk = ctx;
    if (walk->bad || walk->no_memory) {
        return; /* expat still ends the empty element whose start stopped it */
    }
    walk->depth--;
    const char *parent = walk->depth > 0 ? walk->names[walk->depth - 1] : "";
    for (size_t i = 0; i < walk->field_count; i++) {
        const struct walk_field *field = &walk->fields[i];
        if (strcmp(field->name, name) == 0 && strcmp(field->parent, parent) == 0) {
            field->take(walk, buf_span(&walk->text));
            break;
        }
    }
    buf_reset(&walk->text); /* an element with children has no text of its own */
    if (walk->bad || walk->no_memory) {
        XML_StopParser(walk->parser, XML_FALSE);
    }
}

static enum status walk_run(struct walk *walk, struct span body)
{
    enum { piece_bytes_max = 1 << 20 };
    walk->parser = XML_ParserCreate(NULL);
    if (walk->parser == NULL) {
        return STATUS_NO_MEMORY;
    }
    buf_init(&walk->text, S3_ANSWER_TEXT_BYTES_MAX);
    XML_SetUserData(walk->parser, walk);
    XML_SetElementHandler(walk->parser, s3_answer_on_start, s3_answer_on_end);
    XML_SetCharacterDataHandler(walk->parser, s3_answer_on_text);
    XML_SetStartDoctypeDeclHandler(walk->parser, s3_answer_on_doctype);
    enum XML_Status status = XML_STATUS_OK;
    bool last = false;
    while (status == XML_STATUS_OK && !last) {
        struct span piece = span_first(body, piece_bytes_max);
        body = span_skip(body, piece.len);
        last = body.len == 0;
        status = XML_Parse(walk->parser, piece.ptr, (int)piece.len, last);
    }
    if (status != XML_STATUS_OK && XML_GetErrorCode(walk->parser) == XML_ERROR_NO_MEMORY) {
        walk->no_memory = true;
    }
    XML_ParserFree(walk->parser);
    buf_release(&walk->text);
    if (walk->no_memory) {
        return STATUS_NO_MEMORY;
    }
    return status == XML_STATUS_OK && !walk->bad ? STATUS_OK : STATUS_INVALID;
}

/* After a walk that went well. */
static bool root_is(const struct walk *walk, const char *name)
{
    return strcmp(walk->names[0], name) == 0;
}

/* --- errors ---------------------------------------------------------------------------------- */

static void set_text(char *out, size_t out_bytes, struct span text)
{
    size_t len = text.len < out_bytes ? text.len : out_bytes - 1;
    if (len > 0) {
        memcpy(out, text.ptr, len);
    }
    out[len] = '\0';
    printable_make(out, out_bytes);
}

static void take_code(struct walk *walk, struct span text)
{
    set_text(walk->error->code, sizeof(walk->error->code), text);
}

static void take_message(struct walk *walk, struct span text)
{
    set_text(walk->error->message, sizeof(walk->error->message), text);
}

static void take_region(struct walk *walk, struct span text)
{
    set_text(walk->error->region, sizeof(walk->error->region), text);
}

enum status s3_answer_error(struct span body, struct s3_error_answer *out)
{
    static const struct walk_field fields[] = {
        {"Error", "Code", take_code},
        {"Error", "Message", take_message},
        {"Error", "Region", take_region},
    };
    struct walk walk = {.fields = fields, .field_count = ARRAY_COUNT(fields), .error = out};
    *out = (struct s3_error_answer){.code = ""};
    enum status status = walk_run(&walk, body);
    if (status == STATUS_OK && root_is(&walk, "Error")) {
        return STATUS_OK;
    }
    *out = (struct s3_error_answer){.code = ""};
    return status == STATUS_NO_MEMORY ? status : STATUS_INVALID;
}

/* --- listings -------------------------------------------------------------------------------- */

void s3_page_init(struct s3_page *page)
{
    *page = (struct s3_page){.items = NULL};
    arena_init(&page->arena, S3_PAGE_BYTES_MAX);
}

void s3_page_release(struct s3_page *page)
{
    arena_release(&page->arena);
    free(page->items);
    *page = (struct s3_page){.items = NULL};
}

static struct span keep(struct walk *walk, struct span text)
{
    const char *copy = arena_copy_cstr(&walk->page->arena, text);
    walk->no_memory = walk->no_memory || copy == NULL;
    return copy != NULL ? span_from(copy, text.len) : SPAN_EMPTY;
}

static void add_item(struct walk *walk, bool is_prefix)
{
    struct s3_page *page = walk->page;
    if (ARRAY_RESERVE(page->items, page->cap, page->count + 1, ARRAY_NO_MAX) != STATUS_OK) {
        walk->no_memory = true;
        return;
    }
    /* An item has a key; a prefix without one would stand for all there is. */
    walk->bad = walk->bad || walk->item.key.len == 0;
    walk->item.is_prefix = is_prefix;
    page->items[page->count++] = walk->item;
    walk->item = (struct s3_listed){.key = SPAN_EMPTY, .etag = SPAN_EMPTY};
}

static void take_key(struct walk *walk, struct span text)
{
    walk->item.key = keep(walk, text);
}

static void take_size(struct walk *walk, struct span text)
{
    walk->bad = walk->bad || !span_parse_u64(span_trim(text), &walk->item.size);
}

static void take_etag(struct walk *walk, struct span text)
{
    if (text.len >= 2 && text.ptr[0] == '"' && text.ptr[text.len - 1] == '"') {
        text = span_from(text.ptr + 1, text.len - 2);
    }
    walk->item.etag = keep(walk, text);
}

static void take_modified(struct walk *walk, struct span text)
{
    walk->bad = walk->bad || !s3_time_iso(span_trim(text), &walk->item.modified_ms);
}

static void take_contents(struct walk *walk, struct span text)
{
    (void)text;
    add_item(walk, false);
}

static void take_common_prefix(struct walk *walk, struct span text)
{
    (void)text;
    add_item(walk, true);
}

static void take_truncated(struct walk *walk, struct span text)
{
    walk->page->truncated = span_equal_cstr(span_trim(text), "true");
}

static void take_token(struct walk *walk, struct span text)
{
    walk->page->next_token = keep(walk, text);
}

static void take_encoding(struct walk *walk, struct span text)
{
    walk->url_encoded = span_equal_cstr(span_trim(text), "url");
}

static int s3_items_compare(const void *a, const void *b)
{
    const struct s3_listed *left = a;
    const struct s3_listed *right = b;
    return span_compare(left->key, right->key);
}

/* EncodingType may stand behind the keys that it speaks of. */
static void decode_keys(struct walk *walk)
{
    struct buf plain;
    buf_init(&plain, S3_ANSWER_TEXT_BYTES_MAX);
    for (size_t i = 0; i < walk->page->count && !walk->bad && !walk->no_memory; i++) {
        struct s3_listed *item = &walk->page->items[i];
        buf_reset(&plain);
        bool decoded = url_decode(item->key, true, &plain);
        if (plain.no_memory) {
            walk->no_memory = true;
        } else if (!decoded || !buf_ok(&plain) || !span_is_utf8(buf_span(&plain))) {
            walk->bad = true;
        } else {
            item->key = keep(walk, buf_span(&plain));
        }
    }
    buf_release(&plain);
}

enum status s3_answer_list(struct span body, struct s3_page *page, struct error *err)
{
    static const struct walk_field fields[] = {
        {"Contents", "Key", take_key},
        {"Contents", "Size", take_size},
        {"Contents", "ETag", take_etag},
        {"Contents", "LastModified", take_modified},
        {"ListBucketResult", "Contents", take_contents},
        {"CommonPrefixes", "Prefix", take_key},
        {"ListBucketResult", "CommonPrefixes", take_common_prefix},
        {"ListBucketResult", "IsTruncated", take_truncated},
        {"ListBucketResult", "NextContinuationToken", take_token},
        {"ListBucketResult", "EncodingType", take_encoding},
        {"Bucket", "Name", take_key},
        {"Bucket", "CreationDate", take_modified},
        {"Buckets", "Bucket", take_contents},
    };
    struct walk walk = {.fields = fields, .field_count = ARRAY_COUNT(fields), .page = page};
    walk.item = (struct s3_listed){.key = SPAN_EMPTY, .etag = SPAN_EMPTY};
    arena_reset(&page->arena);
    page->count = 0;
    page->truncated = false;
    page->next_token = SPAN_EMPTY;
    enum status status = walk_run(&walk, body);
    if (status == STATUS_OK && walk.url_encoded) {
        decode_keys(&walk);
        status = walk.no_memory ? STATUS_NO_MEMORY : walk.bad ? STATUS_INVALID : STATUS_OK;
    }
    if (status == STATUS_OK &&
        ((!root_is(&walk, "ListBucketResult") && !root_is(&walk, "ListAllMyBucketsResult")) ||
         (page->truncated && page->next_token.len == 0))) {
        status = STATUS_INVALID;
    }
    if (status != STATUS_OK) {
        page->count = 0;
        return error_set(err, status,
                         status == STATUS_INVALID ? "the answer is not S3's list: is s3_url right?"
                                                  : "no memory for a page of a listing");
    }
    if (page->count > 0) {
        qsort(page->items, page->count, sizeof(*page->items), s3_items_compare);
    }
    return STATUS_OK;
}

/* --- multipart uploads ----------------------------------------------------------------------- */

static void take_upload_id(struct walk *walk, struct span text)
{
    walk->bad = walk->bad || text.len == 0 || text.len >= S3_UPLOAD_ID_BYTES;
    if (!walk->bad) {
        memcpy(walk->upload_id, text.ptr, text.len);
        walk->upload_id[text.len] = '\0';
    }
}

enum status s3_answer_upload_id(struct span body, char out[S3_UPLOAD_ID_BYTES], struct error *err)
{
    static const struct walk_field fields[] = {
        {"InitiateMultipartUploadResult", "UploadId", take_upload_id},
    };
    struct walk walk = {.fields = fields, .field_count = ARRAY_COUNT(fields), .upload_id = out};
    out[0] = '\0';
    enum status status = walk_run(&walk, body);
    if (status == STATUS_OK && out[0] != '\0') {
        return STATUS_OK;
    }
    return status == STATUS_NO_MEMORY
               ? error_no_memory(err)
               : error_set(err, STATUS_INVALID, "the answer names no upload");
}
