/* The bytes of an object that a read asks for: all, a Range, or a part of the upload that made
 * it. */
#include "s3_range.h"

#include "answer.h"
#include "s3_errors.h"
#include "s3_upload.h"

/* --- Range --- */

enum range_kind { RANGE_WHOLE, RANGE_PART, RANGE_UNSATISFIABLE };

/* A range is "bytes=a-b", "bytes=a-" or "bytes=-n". Another text, and several ranges at once, count
 * as none: then the whole object is the answer. */
static enum range_kind range_parse(struct span text, uint64_t size, struct s3_range *out)
{
    uint64_t first = 0;
    uint64_t last = 0;
    if (!span_starts_with(text, SPAN_LIT("bytes="))) {
        return RANGE_WHOLE;
    }
    text = span_trim(span_skip(text, 6));
    size_t dash = span_find_byte(text, '-');
    struct span from = span_first(text, dash);
    struct span to = span_skip(text, dash + 1);
    if (dash == text.len || (from.len == 0 && to.len == 0) ||
        (from.len > 0 && !span_parse_u64(from, &first)) ||
        (to.len > 0 && !span_parse_u64(to, &last))) {
        return RANGE_WHOLE;
    }
    if (from.len == 0) {
        out->len = last < size ? last : size;
        out->start = size - out->len;
        /* The last bytes of an empty object are all of it, as recorded. */
        enum range_kind satisfied = size > 0 ? RANGE_PART : RANGE_WHOLE;
        return last > 0 ? satisfied : RANGE_UNSATISFIABLE;
    }
    if (to.len > 0 && last < first) {
        return RANGE_WHOLE;
    }
    if (first >= size) {
        return RANGE_UNSATISFIABLE;
    }
    uint64_t end = to.len > 0 && last < size ? last + 1 : size;
    out->start = first;
    out->len = end - first;
    return RANGE_PART;
}

static bool range_header_take(struct s3_call *call, uint64_t size, struct s3_range *out)
{
    enum range_kind kind = range_parse(s3_header(call, "range"), size, out);
    out->partial = kind == RANGE_PART;
    if (kind != RANGE_UNSATISFIABLE) {
        return true;
    }
    struct aws_error_detail details[] = {{"ActualObjectSize", s3_number_text(call, size)},
                                         {"RangeRequested", s3_header(call, "range")},
                                         {NULL, SPAN_EMPTY}};
    s3_error_with(call, S3_ERROR_INVALID_RANGE, details);
    return false;
}

/* --- partNumber --- */

/* The number of parts that an entity tag "...-3" tells; 0: the object came in one. */
static int64_t range_part_count(struct span etag)
{
    int64_t count = 0;
    struct span text = span_skip(etag, span_find_byte(etag, '-') + 1);
    return span_parse_i64(text, &count) && count > 0 ? count : 0;
}

static bool range_refuse_number(struct s3_call *call, int32_t number, int64_t count)
{
    struct aws_error_detail details[] = {
        {"ActualPartCount", s3_number_text(call, (uint64_t)count)},
        {"PartNumberRequested", s3_number_text(call, (uint64_t)number)},
        {NULL, SPAN_EMPTY}};
    s3_error_with(call, S3_ERROR_INVALID_PART_NUMBER, details);
    return false;
}

/* DIFFERS: of an object whose parts were copied from objects that were uploaded in parts
 * themselves, or whose last part is empty, the boundaries of the parts are not known; reading such
 * an object by partNumber is not implemented. */
static bool range_refuse_unknown(struct s3_call *call)
{
    struct aws_error_detail details[] = {{"Header", SPAN_LIT("partNumber")}, {NULL, SPAN_EMPTY}};
    answer_hint(call->exchange,
                "where the parts of this object begin is not known here: use a Range");
    s3_error_with(call, S3_ERROR_NOT_IMPLEMENTED, details);
    return false;
}

static bool range_part_find(struct s3_call *call, const struct store_object *object, int32_t number,
                            struct s3_range *out)
{
    struct store_object_piece piece;
    struct error err = ERROR_NONE;
    enum status status =
        store_object_piece(call->s3->options.store, object->id, number - 1, &piece, &err);
    if (status == STATUS_NOT_FOUND || (status == STATUS_OK && piece.count != out->parts)) {
        return range_refuse_unknown(call);
    }
    if (status != STATUS_OK) {
        s3_error_store(call, &err);
        return false;
    }
    out->start = piece.start;
    out->len = piece.size;
    return true;
}

static bool range_part_take(struct s3_call *call, const struct store_object *object,
                            struct s3_range *out)
{
    int32_t number;
    if (s3_has_header(call, "range")) {
        s3_error_text(call, S3_ERROR_INVALID_REQUEST,
                      SPAN_LIT("Cannot specify both Range header and partNumber query parameter"),
                      NULL);
        return false;
    }
    if (!s3_part_number(call, &number)) {
        return false;
    }
    out->parts = range_part_count(object->etag);
    int64_t count = out->parts > 0 ? out->parts : 1;
    if (number > count) {
        return range_refuse_number(call, number, count);
    }
    out->partial = object->size > 0;
    return count == 1 || range_part_find(call, object, number, out);
}

/* --- both --- */

bool s3_range_take(struct s3_call *call, const struct store_object *object, struct s3_range *out)
{
    struct span ignored;
    *out = (struct s3_range){.len = object->size};
    return s3_query(call, "partNumber", &ignored) ? range_part_take(call, object, out)
                                                  : range_header_take(call, object->size, out);
}

void s3_range_headers(struct s3_call *call, const struct store_object *object,
                      const struct s3_range *range)
{
    struct reply *reply = &call->exchange->reply;
    if (range->partial) {
        char *text = arena_printf(
            &call->exchange->arena, "bytes %llu-%llu/%llu", (unsigned long long)range->start,
            (unsigned long long)(range->start + range->len - 1), (unsigned long long)object->size);
        reply_add_header(reply, "Content-Range", span_from_cstr(text));
    }
    if (range->parts > 0) {
        reply_add_header(reply, "x-amz-mp-parts-count",
                         s3_number_text(call, (uint64_t)range->parts));
    }
}
