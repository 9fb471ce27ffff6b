/* Headers that are stored with an object and go back with it: those that describe its content, and
 * the client's own x-amz-meta-*. The store keeps them as "name: value\n" lines, names in lower
 * case. */
#include "s3_headers.h"

#include "s3_checksum.h"
#include "s3_errors.h"
#include "s3_time.h"

#include <ctype.h>
#include <string.h>

#define META_PREFIX "x-amz-meta-"

enum { metadata_bytes_max = 2048, lines_bytes_max = HTTP_HEAD_BYTES_MAX + 64 };

/* The headers of S3's own that are stored; `override` is the query parameter of a read that puts
 * another value in its place. */
struct stored_header {
    const char *name;
    const char *shown;
    const char *override;
};

static const struct stored_header stored_headers[] = {
    {"content-type", "Content-Type", "response-content-type"},
    {"content-encoding", "Content-Encoding", "response-content-encoding"},
    {"content-language", "Content-Language", "response-content-language"},
    {"content-disposition", "Content-Disposition", "response-content-disposition"},
    {"cache-control", "Cache-Control", "response-cache-control"},
    {"expires", "Expires", "response-expires"},
};

/* --- taking them in --- */

static void line_append(struct buf *lines, struct span name, struct span value)
{
    for (size_t i = 0; i < name.len; i++) {
        buf_append_byte(lines, (char)tolower((unsigned char)name.ptr[i]));
    }
    BUF_APPEND_LIT(lines, ": ");
    buf_append_span(lines, value);
    buf_append_byte(lines, '\n');
}

static bool is_chunk_coding(struct span coding)
{
    return span_equal_nocase(span_trim(coding), SPAN_LIT("aws-chunked"));
}

/* aws-chunked is left out: the body travels so, but is not stored so. The rest stays as it was
 * sent. */
static void content_encoding_take(struct buf *lines, struct span value)
{
    struct buf kept;
    struct span part;
    bool first = true;
    buf_init(&kept, lines_bytes_max);
    while (span_next_part(&value, ',', &part)) {
        if (is_chunk_coding(part)) {
            continue;
        }
        buf_append_cstr(&kept, first ? "" : ",");
        buf_append_span(&kept, part);
        first = false;
    }
    struct span rest = span_trim(buf_span(&kept));
    if (rest.len > 0) {
        line_append(lines, SPAN_LIT("content-encoding"), rest);
    }
    lines->failed = lines->failed || !buf_ok(&kept);
    buf_release(&kept);
}

static void own_headers_take(struct s3_call *call, struct buf *lines)
{
    for (size_t i = 0; i < ARRAY_COUNT(stored_headers); i++) {
        const char *name = stored_headers[i].name;
        struct span value = s3_header(call, name);
        if (strcmp(name, "content-type") == 0 && value.len == 0) {
            value = SPAN_LIT("binary/octet-stream");
        }
        if (strcmp(name, "content-encoding") == 0) {
            content_encoding_take(lines, value);
        } else if (value.len > 0) {
            line_append(lines, span_from_cstr(name), value);
        }
    }
}

static bool is_meta(struct span name)
{
    struct span prefix = SPAN_LIT(META_PREFIX);
    return name.len > prefix.len && span_equal_nocase(span_first(name, prefix.len), prefix);
}

static bool came_before(const struct http_request *request, size_t index)
{
    for (size_t i = 0; i < index; i++) {
        if (span_equal_nocase(request->headers[i].name, request->headers[index].name)) {
            return true;
        }
    }
    return false;
}

/* Repeated headers become one, with commas between their values. Returns the bytes that count
 * against the limit. */
static size_t meta_take(const struct http_request *request, size_t index, struct buf *lines)
{
    struct span name = request->headers[index].name;
    struct buf value;
    buf_init(&value, lines_bytes_max);
    buf_append_span(&value, request->headers[index].value);
    for (size_t i = index + 1; i < request->header_count; i++) {
        if (span_equal_nocase(request->headers[i].name, name)) {
            buf_append_byte(&value, ',');
            buf_append_span(&value, request->headers[i].value);
        }
    }
    line_append(lines, name, buf_span(&value));
    size_t counted = name.len - (sizeof(META_PREFIX) - 1) + value.len;
    lines->failed = lines->failed || !buf_ok(&value);
    buf_release(&value);
    return counted;
}

static size_t all_meta_take(const struct http_request *request, struct buf *lines)
{
    size_t counted = 0;
    for (size_t i = 0; i < request->header_count; i++) {
        if (is_meta(request->headers[i].name) && !came_before(request, i)) {
            counted += meta_take(request, i, lines);
        }
    }
    return counted;
}

static void answer_too_much_metadata(struct s3_call *call, size_t size)
{
    struct arena *arena = &call->exchange->arena;
    struct aws_error_detail details[] = {
        {"Size", span_from_cstr(arena_printf(arena, "%zu", size))},
        {"MaxSizeAllowed", span_from_cstr(arena_printf(arena, "%d", metadata_bytes_max))},
        {NULL, SPAN_EMPTY},
    };
    s3_error_with(call, S3_ERROR_METADATA_TOO_LARGE, details);
}

struct span s3_headers_take(struct s3_call *call)
{
    struct buf lines;
    buf_init(&lines, lines_bytes_max);
    own_headers_take(call, &lines);
    size_t meta_bytes = all_meta_take(&call->exchange->request, &lines);
    char *copy = buf_ok(&lines) ? arena_copy_cstr(&call->exchange->arena, buf_span(&lines)) : NULL;
    struct span taken = copy != NULL ? span_from(copy, lines.len) : SPAN_EMPTY;
    buf_release(&lines);
    if (meta_bytes > metadata_bytes_max) {
        answer_too_much_metadata(call, meta_bytes);
        return SPAN_EMPTY;
    }
    if (copy == NULL) {
        s3_error(call, S3_ERROR_INTERNAL_ERROR);
    }
    return taken;
}

/* --- giving them back --- */

static struct span stored_value(struct span lines, const char *name)
{
    struct span line;
    while (span_next_part(&lines, '\n', &line)) {
        size_t colon = span_find_byte(line, ':');
        if (span_equal_cstr(span_first(line, colon), name)) {
            return span_skip(line, colon + 2);
        }
    }
    return SPAN_EMPTY;
}

static void give_own(struct s3_call *call, const struct stored_header *header, struct span lines)
{
    struct reply *reply = &call->exchange->reply;
    struct span value = stored_value(lines, header->name);
    struct span wanted;
    if (header->override != NULL && s3_query(call, header->override, &wanted) && wanted.len > 0) {
        value = wanted;
    }
    if (value.len == 0) {
        return;
    }
    if (strcmp(header->name, "content-type") == 0) {
        reply->content_type = arena_copy_cstr(&call->exchange->arena, value);
    } else {
        reply_add_header(reply, header->shown, value);
    }
}

static void give_meta(struct s3_call *call, struct span lines)
{
    struct span line;
    while (span_next_part(&lines, '\n', &line)) {
        size_t colon = span_find_byte(line, ':');
        if (!is_meta(span_first(line, colon))) {
            continue;
        }
        char *name = arena_copy_cstr(&call->exchange->arena, span_first(line, colon));
        if (name != NULL) {
            reply_add_header(&call->exchange->reply, name, span_skip(line, colon + 2));
        }
    }
}

void s3_encryption_header(struct s3_call *call)
{
    /* DIFFERS: AES256 is said of every object, as S3 does since 2023; nothing is encrypted on the
     * disk. */
    reply_add_header_cstr(&call->exchange->reply, "x-amz-server-side-encryption", "AES256");
}

void s3_etag_header(struct s3_call *call, struct span etag)
{
    char text[128];
    struct reply *reply = &call->exchange->reply;
    PP_ASSERT(etag.len < sizeof(text) - 3);
    text[0] = '"';
    memcpy(text + 1, etag.ptr, etag.len);
    text[etag.len + 1] = '"';
    reply_add_header(reply, "ETag", span_from(text, etag.len + 2));
}

void s3_headers_give(struct s3_call *call, const struct store_object *object, bool with_checksum)
{
    struct reply *reply = &call->exchange->reply;
    struct buf modified;
    buf_init(&modified, 64);
    s3_time_append(&modified, S3_TIME_HTTP, object->modified_ms);
    reply_add_header(reply, "Last-Modified", buf_span(&modified));
    buf_release(&modified);
    s3_etag_header(call, object->etag);
    reply_add_header_cstr(reply, "Accept-Ranges", "bytes");
    for (size_t i = 0; i < ARRAY_COUNT(stored_headers); i++) {
        give_own(call, &stored_headers[i], object->headers);
    }
    give_meta(call, object->headers);
    if (with_checksum) {
        s3_checksum_headers(call, object->checksum);
    }
}
