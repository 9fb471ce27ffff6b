/* S3 as a service: takes a request's head (address, signature, operation), lets its body in piece
 * by piece, calls the operation's handler. What the operations do is in the other s3_*.c files.
 *
 * Everything that can be refused is refused before the body is taken in. */
#include "s3_internal.h"

#include "base64.h"
#include "url.h"

#include <stdlib.h>
#include <string.h>

/* The framing of aws-chunked: its signed lines come to 1% even with chunks of 8 KiB, the smallest
 * that S3 allows. */
#define STREAM_BYTES_MAX (((uint64_t)S3_OBJECT_BYTES_MAX_GIB << 30) / 16 * 17)

/* --- what the operations share --- */

struct span s3_header(const struct s3_call *call, const char *name)
{
    return http_request_header(&call->exchange->request, name);
}

bool s3_has_header(const struct s3_call *call, const char *name)
{
    return http_request_has_header(&call->exchange->request, name);
}

bool s3_query(const struct s3_call *call, const char *name, struct span *value)
{
    struct span raw;
    if (!url_query_find(call->exchange->request.query, name, &raw)) {
        return false;
    }
    struct buf decoded;
    buf_init(&decoded, raw.len);
    char *copy = NULL;
    /* s3_address has looked at the escapes. */
    if (url_decode(raw, true, &decoded) && buf_ok(&decoded)) {
        copy = arena_copy_cstr(&call->exchange->arena, buf_span(&decoded));
    }
    *value = copy != NULL ? span_from(copy, decoded.len) : SPAN_EMPTY;
    buf_release(&decoded);
    return true;
}

bool s3_query_number(struct s3_call *call, const char *name, int64_t max, int64_t *out)
{
    struct span text;
    int64_t number;
    if (!s3_query(call, name, &text) || text.len == 0) { /* S3 does not mind an empty one */
        return true;
    }
    bool read = span_parse_i64(text, &number) && number <= max;
    if (read && number >= 0) {
        *out = number;
        return true;
    }
    struct arena *arena = &call->exchange->arena;
    if (read) {
        name = strcmp(name, "max-keys") == 0 ? "maxKeys" : name; /* as recorded: only this one */
        s3_invalid_argument(call,
                            arena_printf(arena, "Argument %s must be an integer between 0 and %lld",
                                         name, (long long)max),
                            name, text);
        return false;
    }
    s3_invalid_argument(
        call, arena_printf(arena, "Provided %s not an integer or within integer range", name), name,
        text);
    return false;
}

int64_t s3_now_ms(const struct s3_call *call)
{
    struct env *env = call->s3->options.env;
    return env->wall_us(env) / 1000;
}

bool s3_call_bucket(struct s3_call *call)
{
    struct error err = ERROR_NONE;
    enum status status = store_bucket_find(call->s3->options.store, call->bucket_name,
                                           &call->exchange->arena, &call->bucket, &err);
    if (status == STATUS_OK) {
        return true;
    }
    if (status != STATUS_NOT_FOUND) {
        s3_error_store(call, &err);
        return false;
    }
    struct aws_error_detail details[] = {{"BucketName", call->bucket_name}, {NULL, SPAN_EMPTY}};
    s3_error_with(call, S3_ERROR_NO_SUCH_BUCKET, details);
    return false;
}

enum s3_level s3_level(const struct s3_call *call)
{
    if (call->bucket_name.len == 0) {
        return S3_SERVICE;
    }
    return call->key.len == 0 ? S3_BUCKET : S3_OBJECT;
}

/* --- who answered --- */

static void identity_make(struct s3_call *call)
{
    static const char hex[] = "0123456789ABCDEF";
    enum { host_words = 7 };
    struct env *env = call->s3->options.env;
    uint64_t word = env->random_u64(env);
    for (size_t i = 0; i < S3_REQUEST_ID_BYTES - 1; i++, word >>= 4) {
        call->request_id[i] = hex[word & 15];
    }
    uint64_t words[host_words];
    for (size_t i = 0; i < host_words; i++) {
        words[i] = env->random_u64(env);
    }
    struct buf text;
    buf_init(&text, S3_HOST_ID_BYTES);
    base64_encode(span_from((const char *)words, sizeof(words)), &text);
    if (buf_ok(&text)) {
        PP_ASSERT(text.len == S3_HOST_ID_BYTES - 1);
        memcpy(call->host_id, text.ptr, text.len);
    }
    buf_release(&text);
}

void s3_identity_headers(struct s3_call *call)
{
    struct reply *reply = &call->exchange->reply;
    reply_add_header_cstr(reply, "x-amz-id-2", call->host_id);
    reply_add_header_cstr(reply, "x-amz-request-id", call->request_id);
    reply_add_header_cstr(reply, "Server", "AmazonS3");
}

/* --- the operation --- */

static bool row_fits(const struct s3_call *call, const struct s3_operation *row)
{
    struct span ignored;
    return row->method == call->exchange->request.method && row->level == s3_level(call) &&
           (row->subresource == NULL ||
            url_query_find(call->exchange->request.query, row->subresource, &ignored)) &&
           (row->header == NULL || s3_has_header(call, row->header));
}

static enum handled answer_wrong_method(struct s3_call *call)
{
    static const char *const level_names[] = {"SERVICE", "BUCKET", "OBJECT"};
    static const char *const allowed[] = {"GET", "GET, PUT, POST, DELETE, HEAD",
                                          "GET, PUT, POST, DELETE, HEAD"};
    enum s3_level level = s3_level(call);
    struct aws_error_detail details[] = {
        {"Method", call->exchange->request.method_name},
        {"ResourceType", span_from_cstr(level_names[level])},
        {NULL, SPAN_EMPTY},
    };
    s3_error_with(call, S3_ERROR_METHOD_NOT_ALLOWED, details);
    reply_add_header_cstr(&call->exchange->reply, "Allow", allowed[level]);
    return HANDLED;
}

static const struct s3_operation subresource_operation = {.name = "Subresource",
                                                          .handle = s3_subresource};
static const struct s3_operation options_operation = {.name = "Options",
                                                      .handle = s3_options_request};
static const struct s3_operation wrong_method_operation = {.name = "MethodNotAllowed",
                                                           .handle = answer_wrong_method};

static const struct s3_operation *operation_find(const struct s3_call *call)
{
    bool named = s3_subresource_is_named(call);
    for (size_t i = 0; i < s3_operation_count; i++) {
        const struct s3_operation *row = &s3_operations[i];
        if ((row->subresource != NULL || !named) && row_fits(call, row)) {
            return row;
        }
    }
    if (named) {
        return &subresource_operation;
    }
    return call->exchange->request.method == METHOD_OPTIONS ? &options_operation
                                                            : &wrong_method_operation;
}

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
    identity_make(call);
    s3_identity_headers(call);
    return call;
}

/* NULL: answered. */
static struct s3_call *call_begin(struct s3 *s3, struct exchange *exchange)
{
    struct s3_call *call = call_new(s3, exchange);
    if (call == NULL || !s3_address(call) || !s3_authorize(call)) {
        return NULL;
    }
    call->operation = operation_find(call);
    return call;
}

static bool is_streamed(const struct s3_call *call)
{
    enum s3_body_kind body = call->operation->body;
    return body == S3_BODY_OBJECT || body == S3_BODY_PART;
}

/* Refused now rather than after five gigabytes. */
static bool streamed_begin(struct s3_call *call)
{
    return s3_call_bucket(call) &&
           (call->operation->body != S3_BODY_PART || s3_upload_is_open(call)) &&
           s3_body_begin(call);
}

static enum body_plan body_begin(void *ctx, struct exchange *exchange)
{
    struct s3_call *call = call_begin(ctx, exchange);
    if (call == NULL) {
        return BODY_REFUSE;
    }
    if (!is_streamed(call)) {
        return BODY_GATHER;
    }
    return streamed_begin(call) ? BODY_STREAM : BODY_REFUSE;
}

static enum body_plan body_piece(void *ctx, struct exchange *exchange, struct span bytes)
{
    (void)ctx;
    return s3_body_piece(exchange->state, bytes) ? BODY_STREAM : BODY_REFUSE;
}

static enum handled handle(void *ctx, struct exchange *exchange)
{
    struct s3_call *call = exchange->state;
    if (call == NULL) {
        call = call_begin(ctx, exchange);
        if (call == NULL || (is_streamed(call) && !streamed_begin(call))) {
            return HANDLED;
        }
    }
    if (is_streamed(call) && !s3_body_finish(call)) {
        return HANDLED;
    }
    return call->operation->handle(call);
}

static void release(void *ctx, struct exchange *exchange)
{
    struct s3 *s3 = ctx;
    struct s3_call *call = exchange->state;
    s3_body_free(call->body);
    if (call->pinned_object != 0) {
        store_object_unpin(s3->options.store, call->pinned_object);
    }
}

/* --- what the server ends by itself --- */

static void answer_too_large(struct s3_call *call)
{
    /* Without an operation it was larger than anything is: nobody had to look at it. */
    if (call->operation != NULL && !is_streamed(call)) {
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

static void fail(void *ctx, struct exchange *exchange, enum exchange_failure failure)
{
    struct s3_call *call = exchange->state;
    /* Without an understood head there is no call; its ids are needed all the same. */
    struct s3_call stranger = {.s3 = ctx, .exchange = exchange};
    if (call == NULL) {
        call = &stranger;
        identity_make(call);
    }
    if (failure == EXCHANGE_BODY_TOO_LARGE) {
        answer_too_large(call);
        return;
    }
    if (failure == EXCHANGE_COMMIT_FAILED) {
        s3_hint(call, "nothing was stored: the state could not be written to the disk");
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
    buf_init(&s3->copy_slice, S3_COPY_SLICE_BYTES_MAX);
    s3->service = (struct service){
        .name = "s3",
        .body_bytes_max = S3_BODY_BYTES_MAX,
        .stream_bytes_max = STREAM_BYTES_MAX,
        .reply_bytes_max = S3_REPLY_BYTES_MAX,
        .ctx = s3,
        .handle = handle,
        .fail = fail,
        .body_begin = body_begin,
        .body_piece = body_piece,
        .release = release,
    };
    *out = s3;
    return STATUS_OK;
}

void s3_free(struct s3 *s3)
{
    if (s3 != NULL) {
        buf_release(&s3->copy_slice);
    }
    free(s3);
}

const struct service *s3_service(struct s3 *s3)
{
    return &s3->service;
}
