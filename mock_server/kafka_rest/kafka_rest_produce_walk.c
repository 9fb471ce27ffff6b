#include "kafka_rest_produce_walk.h"

/* A text that ends where the cursor's sight does is told as broken a few bytes before it: a cut
 * word, escape or character. */
enum { cut_bytes = 64 };

void produce_walk_init(struct produce_walk *walk, struct exchange *exchange, int arg_index)
{
    *walk = (struct produce_walk){
        .decoder = {.exchange = exchange, .cursor = json_document(exchange->request.body)},
        .body = exchange->request.body,
        .arg_index = arg_index,
    };
    arena_init(&walk->texts, PRODUCE_WALK_TEXTS_BYTES_MAX);
}

void produce_walk_release(struct produce_walk *walk)
{
    arena_release(&walk->texts);
}

/* --- the limit of a part --- */

/* No part is looked at for longer than a record may be, so that no part takes long. */
static void walk_look(struct produce_walk *walk)
{
    walk->decoder.texts = &walk->texts;
    walk->hides =
        json_cursor_look(&walk->decoder.cursor, walk->body, PRODUCE_RECORD_TEXT_BYTES_MAX);
}

static enum produce_walked walk_refuse_long(struct produce_walk *walk)
{
    struct exchange *exchange = walk->decoder.exchange;
    exchange->reply.hint = NULL;
    answer_hint(exchange, "a record may have %d MiB of text here, and 1 MiB once it is encoded",
                PRODUCE_RECORD_TEXT_BYTES_MAX / (1024 * 1024));
    kafka_rest_error(exchange, 413, 413, "HTTP 413 Request Entity Too Large");
    return WALK_REFUSED;
}

/* A part has been decoded as if the text ended where the cursor's sight does. */
static enum produce_walked walk_part_over(struct produce_walk *walk, bool good)
{
    const struct json_cursor *cursor = &walk->decoder.cursor;
    size_t end = cursor->text.len;
    bool is_cut = cursor->position == end || (!good && walk->decoder.fault + cut_bytes >= end);
    if (walk->hides && is_cut) {
        return walk_refuse_long(walk);
    }
    return good ? WALK_MORE : WALK_REFUSED;
}

/* --- checking --- */

static enum produce_walked walk_open(struct produce_walk *walk, struct produce_request *request)
{
    bool is_null = true;
    bool good =
        json_at_end(&walk->decoder.cursor) ||
        kafka_rest_object_open(&walk->decoder, &produce_request_class, &walk->fields, &is_null);
    walk->at = AT_FIELD;
    enum produce_walked walked = walk_part_over(walk, good);
    if (walked == WALK_MORE && is_null) {
        produce_refuse_absent(request, walk->decoder.exchange, walk->arg_index);
        return WALK_REFUSED;
    }
    return walked;
}

/* A repeated list: the last one counts. */
static bool walk_open_records(struct produce_walk *walk)
{
    bool is_null;
    walk->count = 0;
    walk->null_record = 0;
    walk->has_unsound = false;
    if (!kafka_rest_list_open(&walk->decoder, PRODUCE_RECORD_LIST_TYPE, &walk->records, &is_null)) {
        return false;
    }
    walk->records_at = walk->decoder.cursor.position;
    walk->at = is_null ? AT_FIELD : AT_RECORD;
    return true;
}

/* The name of an unknown field outlives its step. */
static bool walk_keep_unknown(struct produce_walk *walk)
{
    struct span *unknown = &walk->fields.unknown;
    if (walk->unknown_kept || unknown->ptr == NULL) {
        return true;
    }
    struct exchange *exchange = walk->decoder.exchange;
    const char *copy = arena_copy_cstr(&exchange->arena, *unknown);
    if (copy == NULL) {
        exchange_fail(exchange, EXCHANGE_NO_MEMORY);
        return false;
    }
    *unknown = span_from(copy, unknown->len);
    walk->unknown_kept = true;
    return true;
}

static enum produce_walked walk_field(struct produce_walk *walk, struct produce_request *request)
{
    const struct kafka_rest_field *field = NULL;
    bool good = true;
    switch (kafka_rest_object_next(&walk->decoder, &produce_request_class, &walk->fields, &field)) {
    case NEXT_REFUSED:
        good = false;
        break;
    case NEXT_END:
        walk->at = AT_END;
        return WALK_MORE;
    case NEXT_PART:
        good = field == NULL                     ? walk_keep_unknown(walk)
               : produce_field_is_records(field) ? walk_open_records(walk)
                                                 : field->decode(&walk->decoder, request);
        break;
    }
    return walk_part_over(walk, good);
}

/* The record that was decoded last, which began at `start`. */
static bool walk_note_record(struct produce_walk *walk, struct produce_request *request,
                             size_t start)
{
    walk->count++;
    if (request->null_record != 0 && walk->null_record == 0) {
        walk->null_record = walk->count;
    }
    if (request->format == MEDIA_BINARY && !walk->has_unsound &&
        !produce_record_is_sound(request, &walk->texts, 0)) {
        walk->has_unsound = true;
        walk->unsound_at = start;
    }
    if (!buf_ok(&request->bytes)) {
        exchange_fail(walk->decoder.exchange, EXCHANGE_NO_MEMORY);
        return false;
    }
    return true;
}

static enum produce_walked walk_record(struct produce_walk *walk, struct produce_request *request)
{
    bool good = true;
    size_t start;
    switch (kafka_rest_list_next(&walk->decoder, &walk->records)) {
    case NEXT_REFUSED:
        good = false;
        break;
    case NEXT_END:
        walk->at = AT_FIELD;
        break;
    case NEXT_PART:
        if (walk->count == PRODUCE_RECORDS_MAX) {
            produce_too_many_records(walk->decoder.exchange, PRODUCE_RECORDS_MAX);
            return WALK_REFUSED;
        }
        start = walk->decoder.cursor.position;
        produce_request_clear(request);
        request->null_record = 0;
        good = produce_record_decode(&walk->decoder, request) &&
               walk_note_record(walk, request, start);
        if (request->is_too_long) {
            return walk_refuse_long(walk);
        }
        break;
    }
    return walk_part_over(walk, good);
}

/* The body is JSON and has the right types. */
static enum produce_walked walk_check_whole(struct produce_walk *walk,
                                            struct produce_request *request)
{
    struct exchange *exchange = walk->decoder.exchange;
    produce_request_clear(request);
    request->count = walk->count;
    request->null_record = walk->null_record;
    bool good = produce_request_check(request, exchange, walk->arg_index);
    produce_request_clear(request);
    request->only_checked = false;
    if (good && walk->has_unsound) {
        walk->decoder.cursor.position = walk->unsound_at;
        walk_look(walk);
        if (produce_record_decode(&walk->decoder, request) &&
            produce_record_encode(request, exchange, 0)) {
            exchange_fail(exchange, EXCHANGE_NO_MEMORY);
        }
        good = false;
    }
    walk->decoder.cursor.position = walk->records_at;
    walk->records.first = true;
    return good ? WALK_DONE : WALK_REFUSED;
}

static enum produce_walked walk_part(struct produce_walk *walk, struct produce_request *request)
{
    walk_look(walk);
    switch (walk->at) {
    case AT_BODY:
        return walk_open(walk, request);
    case AT_FIELD:
        return walk_field(walk, request);
    case AT_RECORD:
        return walk_record(walk, request);
    case AT_END:
        return walk_check_whole(walk, request);
    }
    BUG("a walk that is nowhere");
}

enum produce_walked produce_walk_check(struct produce_walk *walk, struct produce_request *request)
{
    enum produce_walked walked = WALK_MORE;
    size_t work = 0;
    request->only_checked = true;
    while (walked == WALK_MORE && work < PRODUCE_WALK_CHECK_WORK) {
        size_t before = walk->decoder.cursor.position;
        walked = walk_part(walk, request);
        if (walked == WALK_MORE) {
            work += walk->decoder.cursor.position - before + PRODUCE_WALK_ITEM_WORK;
        }
    }
    arena_reset(&walk->texts);
    return walked;
}

/* --- taking --- */

/* False: no memory. All else has been checked. */
static bool walk_take_record(struct produce_walk *walk, struct produce_request *request)
{
    walk_look(walk);
    if (kafka_rest_list_next(&walk->decoder, &walk->records) != NEXT_PART ||
        !produce_record_decode(&walk->decoder, request)) {
        return false;
    }
    walk->taken++;
    return request->format != MEDIA_BINARY ||
           produce_record_encode(request, walk->decoder.exchange, request->count - 1);
}

enum produce_walked produce_walk_take(struct produce_walk *walk, struct produce_request *request)
{
    size_t start = walk->decoder.cursor.position;
    bool good = true;
    walk->decoder.cursor.long_decimals = 0; /* a step is what is bounded */
    buf_trim(&request->bytes, PRODUCE_SCRATCH_KEEP_BYTES);
    produce_request_clear(request);
    while (good && walk->taken < walk->count && request->count < PRODUCE_WALK_RECORDS &&
           walk->decoder.cursor.position - start < PRODUCE_WALK_BYTES) {
        good = walk_take_record(walk, request);
    }
    arena_reset(&walk->texts);
    if (!good || !buf_ok(&request->bytes) || !buf_ok(&request->records)) {
        return WALK_REFUSED;
    }
    produce_request_settle(request);
    return walk->taken == walk->count ? WALK_DONE : WALK_MORE;
}
