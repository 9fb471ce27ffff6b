/* One object: put, got (also as HEAD), deleted. Copies are in s3_copy.c. */
#include "s3_internal.h"

#include <string.h>

/* --- finding it --- */

/* S3 tells its own version ids from made-up ones, and no bucket here was ever given one. */
static bool version_fits(struct s3_call *call)
{
    struct span version;
    if (!s3_query(call, "versionId", &version) || span_equal_cstr(version, "null")) {
        return true;
    }
    s3_invalid_argument(call,
                        version.len > 0 ? "Invalid version id specified"
                                        : "Version id cannot be the empty string",
                        "versionId", version);
    return false;
}

/* False: answered. *found says whether the key is taken. */
static bool object_look_up(struct s3_call *call, struct store_object *out, bool *found)
{
    struct error err = ERROR_NONE;
    enum status status = store_object_find(call->s3->options.store, call->bucket.id, call->key,
                                           &call->exchange->arena, out, &err);
    *found = status == STATUS_OK;
    if (status == STATUS_OK || status == STATUS_NOT_FOUND) {
        return true;
    }
    s3_error_store(call, &err);
    return false;
}

bool s3_call_object(struct s3_call *call, struct store_object *out)
{
    bool found;
    if (!version_fits(call) || !object_look_up(call, out, &found)) {
        return false;
    }
    if (!found) {
        struct aws_error_detail details[] = {{"Key", call->key}, {NULL, SPAN_EMPTY}};
        s3_error_with(call, S3_ERROR_NO_SUCH_KEY, details);
    }
    return found;
}

bool s3_key_may_be_written(struct s3_call *call)
{
    struct store_object present;
    bool found;
    if (!s3_has_header(call, "if-match") && !s3_has_header(call, "if-none-match")) {
        return true;
    }
    return object_look_up(call, &present, &found) &&
           s3_write_conditions_hold(call, found ? &present : NULL);
}

/* --- PutObject --- */

enum handled s3_put_object(struct s3_call *call)
{
    struct error err = ERROR_NONE;
    if (!s3_call_bucket(call) || !s3_requested_features_exist(call) ||
        !s3_key_may_be_written(call)) {
        return HANDLED;
    }
    struct span headers = s3_headers_take(call);
    if (call->failed) {
        return HANDLED;
    }
    struct store_object_put put = {
        .bucket_id = call->bucket.id,
        .key = call->key,
        .etag = span_from_cstr(s3_body_md5(call->body)),
        .headers = headers,
        .checksum = s3_body_checksum(call->body),
        .modified_ms = s3_now_ms(call),
        .body = s3_body_store(call->body),
        .bytes = SPAN_EMPTY,
    };
    if (store_object_put(call->s3->options.store, &put, &err) != STATUS_OK) {
        return s3_error_store(call, &err);
    }
    s3_etag_header(call, put.etag);
    s3_checksum_headers(call, put.checksum);
    s3_encryption_header(call);
    call->exchange->reply.status = 200;
    return HANDLED;
}

/* --- GetObject, HeadObject --- */

/* The next piece of a large object; pinned, so that nobody takes it away meanwhile. */
static bool give_piece(struct exchange *exchange, struct buf *out, size_t max)
{
    struct s3_call *call = exchange->state;
    struct error err = ERROR_NONE;
    uint64_t left = call->read_end - call->read_offset;
    size_t wanted = left < max ? (size_t)left : max;
    size_t before = out->len;
    if (store_object_read(call->s3->options.store, call->pinned_object, call->read_offset, wanted,
                          out, &err) != STATUS_OK) {
        LOG_ERRORF(call->s3->options.log, "s3", "a download ends early: %s", err.message);
        return false;
    }
    call->read_offset += out->len - before;
    return out->len > before;
}

static enum handled give_bytes(struct s3_call *call, const struct store_object *object,
                               const struct s3_range *range)
{
    struct reply *reply = &call->exchange->reply;
    struct store *store = call->s3->options.store;
    struct error err = ERROR_NONE;
    if (call->exchange->request.method == METHOD_HEAD) {
        reply->stream = give_piece; /* for the length alone */
        reply->stream_bytes = range->len;
        return HANDLED;
    }
    if (range->len <= S3_REPLY_INLINE_BYTES_MAX) {
        if (range->len > 0 && store_object_read(store, object->id, range->start, (size_t)range->len,
                                                &reply->body, &err) != STATUS_OK) {
            return s3_error_store(call, &err);
        }
        return HANDLED;
    }
    if (store_object_pin(store, object->id) != STATUS_OK) {
        return s3_error(call, S3_ERROR_INTERNAL_ERROR);
    }
    call->pinned_object = object->id;
    call->read_offset = range->start;
    call->read_end = range->start + range->len;
    reply->stream = give_piece;
    reply->stream_bytes = range->len;
    return HANDLED;
}

enum handled s3_get_object(struct s3_call *call)
{
    struct store_object object;
    struct s3_range range;
    if (!s3_call_bucket(call) || !s3_call_object(call, &object) ||
        !s3_conditions_hold(call, &object, "") || !s3_range_take(call, &object, &range)) {
        return HANDLED;
    }
    struct reply *reply = &call->exchange->reply;
    /* Of the whole, also where a range asked for it. */
    bool with_checksum =
        range.len == object.size &&
        span_equal_nocase(s3_header(call, "x-amz-checksum-mode"), SPAN_LIT("ENABLED"));
    s3_headers_give(call, &object, with_checksum);
    s3_encryption_header(call);
    s3_range_headers(call, &object, &range);
    reply->status = range.partial ? 206 : 200;
    return give_bytes(call, &object, &range);
}

/* --- DeleteObject --- */

enum handled s3_delete_object(struct s3_call *call)
{
    struct error err = ERROR_NONE;
    if (!s3_call_bucket(call) || !version_fits(call) || !s3_key_may_be_written(call)) {
        return HANDLED;
    }
    if (store_object_delete(call->s3->options.store, call->bucket.id, call->key, NULL, &err) !=
        STATUS_OK) {
        return s3_error_store(call, &err);
    }
    call->exchange->reply.status = 204;
    return HANDLED;
}
