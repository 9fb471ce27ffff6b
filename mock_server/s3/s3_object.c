/* One object: put, got (also as HEAD), deleted. Copies are in s3_copy.c. */
#include "log.h"
#include "s3_body.h"
#include "s3_checksum.h"
#include "s3_conditions.h"
#include "s3_customer_keys.h"
#include "s3_errors.h"
#include "s3_features.h"
#include "s3_headers.h"
#include "s3_operations.h"
#include "s3_range.h"

/* An object (or the asked part of it) up to this is read into the reply at once; more is
 * streamed. */
enum { reply_inline_bytes_max = STORE_INLINE_BYTES_MAX };

/* --- PutObject --- */

enum handled s3_put_object(struct s3_call *call)
{
    struct error err = ERROR_NONE;
    if (!s3_call_bucket(call) || !s3_object_features_exist(call) || !s3_key_may_be_written(call)) {
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

/* Gives the next piece of a large object, which is pinned, so that nobody takes it away
 * meanwhile. */
static bool object_stream(struct exchange *exchange, struct buf *out, size_t max)
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

static enum handled object_give(struct s3_call *call, const struct store_object *object,
                                const struct s3_range *range)
{
    struct reply *reply = &call->exchange->reply;
    struct store *store = call->s3->options.store;
    struct error err = ERROR_NONE;
    if (call->exchange->request.method == METHOD_HEAD) {
        reply->stream = object_stream; /* for the length alone */
        reply->stream_bytes = range->len;
        return HANDLED;
    }
    if (range->len <= reply_inline_bytes_max) {
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
    reply->stream = object_stream;
    reply->stream_bytes = range->len;
    return HANDLED;
}

enum handled s3_get_object(struct s3_call *call)
{
    struct store_object object;
    struct s3_range range;
    if (!s3_call_bucket(call) || !s3_call_object(call, &object) ||
        !s3_customer_key_is_absent(call, S3_KEY_OF_OBJECT) ||
        !s3_conditions_hold(call, &object, "") || !s3_range_take(call, &object, &range)) {
        return HANDLED;
    }
    struct reply *reply = &call->exchange->reply;
    /* A checksum is that of the whole object: a range that asks for all of it has it too. */
    bool with_checksum =
        range.len == object.size &&
        span_equal_nocase(s3_header(call, "x-amz-checksum-mode"), SPAN_LIT("ENABLED"));
    s3_headers_give(call, &object, with_checksum);
    s3_encryption_header(call);
    s3_range_headers(call, &object, &range);
    reply->status = range.partial ? 206 : 200;
    return object_give(call, &object, &range);
}

/* --- DeleteObject --- */

enum handled s3_delete_object(struct s3_call *call)
{
    struct error err = ERROR_NONE;
    if (!s3_call_bucket(call) || !s3_version_fits(call) || !s3_key_may_be_deleted(call)) {
        return HANDLED;
    }
    if (store_object_delete(call->s3->options.store, call->bucket.id, call->key, NULL, &err) !=
        STATUS_OK) {
        return s3_error_store(call, &err);
    }
    call->exchange->reply.status = 204;
    return HANDLED;
}
