/* Whole S3 requests: "METHOD target", header lines, an empty line, the body. The first byte chooses
 * whether the server has credentials and how large the pieces of the body are. Every request gets
 * an answer whose headers are lines and whose XML can be read, a streamed answer has the length it
 * promised, and the service is as good as before: what is put next is got back. */
#include "aws_identity.h"
#include "digest.h"
#include "exchange.h"
#include "log.h"
#include "s3.h"
#include "s3_xml_read.h"
#include "store_objects.h"
#include "turn.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { input_max = 64 * 1024, body_max = 1024 * 1024, arena_max = 16 * 1024 * 1024 };

struct world {
    struct env env;
    struct timer_heap timers;
    struct log log;
    struct turn turn;
    struct store *store;
    struct crypto *crypto;
    struct aws_identity identity;
    struct s3 *s3;
    struct exchange exchange;
    struct buf body; /* of the last reply */
    struct buf name; /* the key that take_first_key found */
    bool name_taken;
    int64_t bucket_id; /* which take_first_bucket found */
    bool changed;      /* a request wrote something */
    struct http_header headers[HTTP_HEADERS_MAX];
};

static void must(bool holds)
{
    if (!holds) {
        abort();
    }
}

/* --- the reply --- */

static void take_body(struct exchange *exchange)
{
    struct world *w = PP_CONTAINER_OF(exchange, struct world, exchange);
    struct reply *reply = &exchange->reply;
    buf_reset(&w->body);
    if (reply->stream == NULL) {
        buf_append_span(&w->body, buf_span(&reply->body));
        return;
    }
    must(reply->body.len == 0);
    while (exchange->request.method != METHOD_HEAD && w->body.len < reply->stream_bytes) {
        size_t before = w->body.len;
        must(reply->stream(exchange, &w->body, (size_t)reply->stream_bytes - before));
        must(w->body.len > before);
    }
}

static void forget(struct exchange *exchange)
{
    (void)exchange;
}

static const struct exchange_owner owner = {.send = take_body, .finished = forget};

static void must_be_lines(struct span headers)
{
    struct span line;
    while (span_next_part(&headers, '\n', &line)) {
        must(line.len > 3 && line.ptr[line.len - 1] == '\r');
        must(span_find_byte(line, ':') < line.len);
        for (size_t i = 0; i + 1 < line.len; i++) {
            must((unsigned char)line.ptr[i] >= 0x20 || line.ptr[i] == '\t');
        }
    }
}

/* Control characters of keys are written as the real S3 does, which no strict parser reads. */
static bool has_control_references(struct span xml)
{
    for (size_t i = 0; i + 2 < xml.len; i++) {
        if (memcmp(xml.ptr + i, "&#x", 3) == 0) {
            return true;
        }
    }
    return false;
}

static void must_be_an_answer(struct world *w)
{
    const struct reply *reply = &w->exchange.reply;
    must(reply->status >= 200 && reply->status < 600);
    must((reply->error_code != NULL) == (reply->status >= 400));
    must_be_lines(buf_span(&reply->headers));
    struct span body = buf_span(&w->body);
    if (reply->status < 400 || w->exchange.request.method == METHOD_HEAD ||
        has_control_references(body)) {
        return;
    }
    struct arena arena;
    arena_init(&arena, arena_max);
    const struct s3_xml_node *root = s3_xml_read(&arena, body, &(bool){false});
    must(root != NULL && span_equal_cstr(root->name, "Error"));
    must(s3_xml_child(root, "Code") != NULL && s3_xml_child(root, "RequestId") != NULL);
    arena_release(&arena);
}

/* --- the request --- */

static enum http_method method_from(struct span name)
{
    static const char *const names[] = {"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"};
    for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
        if (span_equal_cstr(name, names[i])) {
            return (enum http_method)(METHOD_GET + i);
        }
    }
    return METHOD_OTHER;
}

static bool is_head_text(struct span text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char byte = (unsigned char)text.ptr[i];
        if ((byte < 0x20 && byte != '\t') || byte == 0x7f) {
            return false;
        }
    }
    return true;
}

/* False: the HTTP parser would have stopped it. */
static bool take_head(struct world *w, struct span *rest)
{
    struct http_request *request = &w->exchange.request;
    struct span line;
    if (!span_next_part(rest, '\n', &line) || !is_head_text(line)) {
        return false;
    }
    size_t blank = span_find_byte(line, ' ');
    request->method_name = span_first(line, blank);
    request->method = method_from(request->method_name);
    request->target = span_skip(line, blank + 1);
    if (request->target.len > HTTP_TARGET_BYTES_MAX) {
        return false;
    }
    size_t question = span_find_byte(request->target, '?');
    request->path = span_first(request->target, question);
    request->query = span_skip(request->target, question + 1);
    request->headers = w->headers;
    while (span_next_part(rest, '\n', &line) && line.len > 0) {
        size_t colon = span_find_byte(line, ':');
        if (!is_head_text(line) || colon == 0 || request->header_count == HTTP_HEADERS_MAX) {
            return false;
        }
        w->headers[request->header_count++] =
            (struct http_header){span_first(line, colon), span_trim(span_skip(line, colon + 1))};
    }
    request->host = http_request_header(request, "host");
    return true;
}

static bool give_body(struct world *w, struct span body, size_t piece)
{
    struct exchange *e = &w->exchange;
    const struct service *service = s3_service(w->s3);
    if (body.len == 0) {
        return true;
    }
    enum body_plan plan = service->body_begin(service->ctx, e);
    if (plan == BODY_GATHER) {
        e->request.body = body;
        return true;
    }
    for (; plan == BODY_STREAM && body.len > 0; body = span_skip(body, piece)) {
        plan = service->body_piece(service->ctx, e, span_first(body, piece));
    }
    return plan == BODY_STREAM;
}

static void ask(struct world *w, struct span text, size_t piece)
{
    struct exchange *e = &w->exchange;
    exchange_sent(e);
    exchange_reset(e, s3_service(w->s3));
    if (!take_head(w, &text)) {
        return;
    }
    if (give_body(w, text, piece)) {
        exchange_handle(e);
    } else {
        exchange_answer(e);
    }
    w->changed = w->changed || store_turn_has_writes(w->store);
    turn_end(&w->turn);
    must_be_an_answer(w);
}

/* --- the world --- */

static void open_service(struct world *w, bool credentials)
{
    static const char *const domains[] = {"localhost", NULL};
    exchange_sent(&w->exchange);
    s3_free(w->s3);
    aws_identity_init(&w->identity, "u1", "us-east-1");
    w->identity.access_key = credentials ? "AKIDEXAMPLE" : NULL;
    w->identity.secret = credentials ? "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY" : NULL;
    struct s3_options options = {
        .store = w->store,
        .crypto = w->crypto,
        .env = &w->env,
        .log = &w->log,
        .identity = &w->identity,
        .base_domains = domains,
    };
    must(s3_new(&options, &w->s3, NULL) == STATUS_OK);
}

static struct world *world_new(void)
{
    struct world *w = calloc(1, sizeof(*w));
    must(w != NULL);
    struct store_options options = {.env = &w->env, .log = &w->log};
    env_init_virtual(&w->env, 7, INT64_C(1767323045) * 1000000);
    log_init(&w->log, &w->env, stderr, LOG_OFF);
    timer_heap_init(&w->timers, &w->env);
    must(store_open(&options, &w->store, NULL) == STATUS_OK);
    must(crypto_new(&w->crypto) == STATUS_OK);
    turn_init(&w->turn, w->store, &w->timers, &w->env, &w->log);
    must(exchange_init(&w->exchange, &w->turn, &owner) == STATUS_OK);
    buf_init(&w->body, body_max);
    buf_init(&w->name, STORE_KEY_BYTES_MAX);
    return w;
}

static bool take_first_bucket(void *ctx, const struct store_bucket *bucket)
{
    struct world *w = ctx;
    w->bucket_id = bucket->id;
    return false;
}

static bool take_first_key(void *ctx, const struct store_object *object)
{
    struct world *w = ctx;
    w->name_taken = true;
    buf_reset(&w->name);
    buf_append_span(&w->name, object->key);
    return false;
}

/* Deletes the first bucket with all that is in it; false: there is none. */
static bool delete_bucket(struct world *w)
{
    struct error err = ERROR_NONE;
    w->bucket_id = 0;
    must(store_buckets_visit(w->store, take_first_bucket, w, &err) == STATUS_OK);
    if (w->bucket_id == 0) {
        return false;
    }
    for (;;) {
        struct store_object_range all = {.bucket_id = w->bucket_id, .from = SPAN_EMPTY};
        w->name_taken = false;
        must(store_objects_visit(w->store, all, take_first_key, w, &err) == STATUS_OK);
        if (!w->name_taken) {
            break;
        }
        must(store_object_delete(w->store, w->bucket_id, buf_span(&w->name), NULL, &err) ==
             STATUS_OK);
    }
    must(store_bucket_delete(w->store, w->bucket_id, &err) == STATUS_OK);
    return true;
}

/* What each input finds: a bucket with one object, and another for must_still_serve, whatever the
 * input before it made. A store of its own for each input takes longer than all else. */
static void world_restore(struct world *w)
{
    while (delete_bucket(w)) {
    }
    if (store_turn_has_writes(w->store)) {
        must(store_turn_commit(w->store, NULL) == STATUS_OK);
    }
    while (store_housekeep(w->store)) {
    }
    open_service(w, false);
    ask(w, SPAN_LIT("PUT /bkt\nContent-Length: 0\n\n"), 1);
    must(w->exchange.reply.status == 200);
    ask(w, SPAN_LIT("PUT /bkt/k\nContent-Length: 5\n\nhello"), 5);
    must(w->exchange.reply.status == 200);
    ask(w, SPAN_LIT("PUT /sentinel-bucket\nContent-Length: 0\n\n"), 1);
    must(w->exchange.reply.status == 200);
    ask(w, SPAN_LIT("PUT /sentinel-bucket/k\nContent-Length: 5\n\nhello"), 5);
    must(w->exchange.reply.status == 200);
}

static void must_still_serve(struct world *w)
{
    open_service(w, false);
    if (w->changed) {
        ask(w, SPAN_LIT("PUT /sentinel-bucket/k\nContent-Length: 5\n\nhello"), 2);
        must(w->exchange.reply.status == 200);
    }
    ask(w, SPAN_LIT("GET /sentinel-bucket/k\n\n"), 1);
    must(w->exchange.reply.status == 200 && span_equal_cstr(buf_span(&w->body), "hello"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct world *world; /* of all inputs */
    if (size < 1 || size > input_max) {
        return 0;
    }
    if (world == NULL) {
        world = world_new();
        world_restore(world);
    }
    env_init_virtual(&world->env, 7, INT64_C(1767323045) * 1000000);
    world->changed = false;
    open_service(world, (data[0] & 1) != 0);
    ask(world, span_from((const char *)data + 1, size - 1), (size_t)(data[0] >> 1) + 1);
    must_still_serve(world);
    if (world->changed) {
        world_restore(world);
    }
    return 0;
}
