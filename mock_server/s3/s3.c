/* S3 as a service: takes a request's head (address, signature, operation), lets its body in piece
 * by piece, calls the operation's handler. Everything that can be refused is refused before the
 * body is taken in. */
#include "s3.h"

#include "answer.h"
#include "s3_address.h"
#include "s3_auth.h"
#include "s3_body.h"
#include "s3_errors.h"
#include "s3_operations.h"
#include "s3_upload.h"

#include <stdlib.h>

/* An aws-chunked body is longer than its object: signed lines come to 1% even with chunks of 8 KiB,
 * the smallest that S3 allows. */
#define STREAM_BYTES_MAX (((uint64_t)S3_OBJECT_BYTES_MAX_GIB << 30) / 16 * 17)

/* --- a request --- */

static struct s3_call *call_new(struct s3 *s3, struct exchange *exchange)
{
    struct s3_call *call = ARENA_NEW(&exchange->arena, struct s3_call);
    if (call == NULL) {
        exchange_fail(exchange, EXCHANGE_NO_MEMORY);
        return NULL;
    }
    call->s3 = s3;
    call->exchange = exchange;
    call->bucket_name = SPAN_EMPTY;
    call->key = SPAN_EMPTY;
    exchange->state = call;
    s3_identity_make(s3->options.env, &call->identity);
    s3_identity_headers(&call->identity, &exchange->reply);
    return call;
}

/* Address, signature and operation of a new call; NULL: an error is in the reply. */
static struct s3_call *call_begin(struct s3 *s3, struct exchange *exchange)
{
    struct s3_call *call = call_new(s3, exchange);
    if (call == NULL || !s3_address(call) || !s3_authorize(call)) {
        return NULL;
    }
    call->operation = s3_operation_find(call);
    return call;
}

static bool s3_is_streamed(const struct s3_call *call)
{
    enum s3_body_kind body = call->operation->body;
    return body == S3_BODY_OBJECT || body == S3_BODY_PART;
}

/* A bucket or an upload that is not there is refused now rather than after five gigabytes. */
static bool streamed_begin(struct s3_call *call)
{
    return s3_call_bucket(call) &&
           (call->operation->body != S3_BODY_PART || s3_upload_is_open(call)) &&
           s3_body_begin(call);
}

static enum body_plan s3_on_body_begin(void *ctx, struct exchange *exchange)
{
    struct s3_call *call = call_begin(ctx, exchange);
    if (call == NULL) {
        return BODY_REFUSE;
    }
    if (!s3_is_streamed(call)) {
        return BODY_GATHER;
    }
    return streamed_begin(call) ? BODY_STREAM : BODY_REFUSE;
}

static enum body_plan s3_on_body_piece(void *ctx, struct exchange *exchange, struct span bytes)
{
    (void)ctx;
    return s3_body_piece(exchange->state, bytes) ? BODY_STREAM : BODY_REFUSE;
}

static enum handled s3_handle(void *ctx, struct exchange *exchange)
{
    struct s3_call *call = exchange->state;
    if (call == NULL) {
        call = call_begin(ctx, exchange);
        if (call == NULL || (s3_is_streamed(call) && !streamed_begin(call))) {
            return HANDLED;
        }
    }
    if (s3_is_streamed(call) && !s3_body_finish(call)) {
        return HANDLED;
    }
    return call->operation->handle(call);
}

static void s3_release(void *ctx, struct exchange *exchange)
{
    struct s3 *s3 = ctx;
    struct s3_call *call = exchange->state;
    s3_body_drop(call);
    if (call->pinned_object != 0) {
        store_object_unpin(s3->options.store, call->pinned_object);
    }
}

/* --- what the server ends by itself --- */

static void answer_too_large(struct s3_call *call)
{
    /* A body without an operation was larger than any body may be: nobody had to look at its
     * head. */
    if (call->operation != NULL && !s3_is_streamed(call)) {
        s3_error(call, S3_ERROR_MESSAGE_TOO_LARGE);
        return;
    }
    s3_error_too_large(call, s3_header(call, "content-length"));
}

static const enum s3_error_id failures[] = {
    [EXCHANGE_COMMIT_FAILED] = S3_ERROR_INTERNAL_ERROR,
    [EXCHANGE_BODY_TOO_LARGE] = S3_ERROR_ENTITY_TOO_LARGE,
    [EXCHANGE_HEAD_TOO_LARGE] = S3_ERROR_HEADERS_TOO_LARGE,
    [EXCHANGE_URI_TOO_LONG] = S3_ERROR_INVALID_URI,
    [EXCHANGE_MALFORMED] = S3_ERROR_BAD_REQUEST,
    [EXCHANGE_TIMED_OUT] = S3_ERROR_REQUEST_TIMEOUT,
    [EXCHANGE_OVERLOADED] = S3_ERROR_SLOW_DOWN,
    [EXCHANGE_STOPPING] = S3_ERROR_SERVICE_UNAVAILABLE,
    [EXCHANGE_NO_MEMORY] = S3_ERROR_INTERNAL_ERROR,
};

static void s3_fail(void *ctx, struct exchange *exchange, enum exchange_failure failure)
{
    struct s3_call *call = exchange->state;
    /* A head that was not understood has no call, and its answer needs ids all the same. */
    struct s3_call stranger = {.s3 = ctx, .exchange = exchange};
    if (call == NULL) {
        call = &stranger;
        s3_identity_make(call->s3->options.env, &call->identity);
    }
    s3_body_drop(call); /* the answer that it was for is lost, its memory is others' at once */
    if (failure == EXCHANGE_BODY_TOO_LARGE) {
        answer_too_large(call);
        return;
    }
    if (failure == EXCHANGE_COMMIT_FAILED) {
        answer_hint(call->exchange,
                    "nothing was stored: the state could not be written to the disk");
    }
    s3_error(call, failures[failure]);
}

/* --- life --- */

enum status s3_new(const struct s3_options *options, struct s3 **out, struct error *err)
{
    struct s3 *s3 = calloc(1, sizeof(*s3));
    if (s3 == NULL) {
        return error_set(err, STATUS_NO_MEMORY, "S3: out of memory");
    }
    s3->options = *options;
    buf_init(&s3->copies.slice, S3_COPY_SLICE_BYTES_MAX);
    s3->service = (struct service){
        .name = "s3",
        .body_bytes_max = S3_BODY_BYTES_MAX,
        .stream_bytes_max = STREAM_BYTES_MAX,
        .reply_bytes_max = S3_REPLY_BYTES_MAX,
        .ctx = s3,
        .handle = s3_handle,
        .fail = s3_fail,
        .body_begin = s3_on_body_begin,
        .body_piece = s3_on_body_piece,
        .release = s3_release,
    };
    *out = s3;
    return STATUS_OK;
}

void s3_free(struct s3 *s3)
{
    if (s3 != NULL) {
        buf_release(&s3->copies.slice);
    }
    free(s3);
}

const struct service *s3_service(struct s3 *s3)
{
    return &s3->service;
}
