#include "kafka_rest_produce_receipts.h"

#include "varint.h"

enum {
    /* Of the worst record: an error and five numbers. */
    receipt_bytes_max = 6 * VARINT_BYTES_MAX,
    head_bytes = sizeof(PRODUCE_RECEIPTS_HEAD) - 1,
    tail_bytes = sizeof(PRODUCE_RECEIPTS_TAIL) - 1,
};

void produce_receipts_init(struct produce_receipts *receipts, struct span topic,
                           size_t record_count)
{
    *receipts = (struct produce_receipts){
        .topic = topic, .record_count = record_count, .body_bytes = head_bytes + tail_bytes};
    buf_init(&receipts->kept, record_count * receipt_bytes_max + 1);
    buf_init(&receipts->text, (size_t)PRODUCE_WORDS_BYTES_MAX * 8);
    buf_init(&receipts->words, PRODUCE_WORDS_BYTES_MAX);
}

void produce_receipts_release(struct produce_receipts *receipts)
{
    buf_release(&receipts->kept);
    buf_release(&receipts->text);
    buf_release(&receipts->words);
}

bool produce_receipts_ok(const struct produce_receipts *receipts)
{
    return buf_ok(&receipts->kept) && buf_ok(&receipts->text);
}

size_t produce_receipts_bytes(const struct produce_receipts *receipts)
{
    return receipts->kept.cap + receipts->text.cap + receipts->words.cap;
}

/* A kept record is its partition and how far its offset is from the next of the record before. A
 * failed one begins with a negative number. */
static void receipt_keep(struct produce_receipts *receipts, const struct broker_record *record,
                         const struct broker_result *result)
{
    struct buf *kept = &receipts->kept;
    if (PP_LIKELY(result->error == KAFKA_ERROR_NONE)) {
        varint_append(kept, result->partition);
        varint_append(kept, result->offset - receipts->offset - 1);
        receipts->offset = result->offset;
        return;
    }
    varint_append(kept, -1 - (int64_t)result->error);
    varint_append(kept, result->partition);
    varint_append(kept, result->partition_count);
    varint_append(kept, record->has_key ? (int64_t)record->key.len : -1);
    varint_append(kept, record->has_value ? (int64_t)record->value.len : -1);
}

static struct span length_only(int64_t len)
{
    return (struct span){"", len > 0 ? (size_t)len : 0}; /* nobody looks into it */
}

static bool receipt_take(struct produce_receipts *receipts, struct broker_record *record,
                         struct broker_result *result)
{
    struct span in = span_skip(buf_span(&receipts->kept), receipts->read_at);
    size_t before = in.len;
    int64_t first;
    int64_t numbers[4] = {0, 0, 0, 0};
    if (!varint_read(&in, &first)) {
        return false;
    }
    for (size_t i = 0; i < (first < 0 ? 4 : 1); i++) {
        if (!varint_read(&in, &numbers[i])) {
            return false;
        }
    }
    receipts->read_at += before - in.len;
    *record = (struct broker_record){.headers = SPAN_EMPTY};
    *result = (struct broker_result){.error = KAFKA_ERROR_NONE};
    if (first >= 0) {
        receipts->offset += 1 + numbers[0];
        result->partition = (int32_t)first;
        result->offset = receipts->offset;
        return true;
    }
    result->error = (enum kafka_error)(-1 - first);
    result->partition = (int32_t)numbers[0];
    result->partition_count = (int32_t)numbers[1];
    record->has_key = numbers[2] >= 0;
    record->key = length_only(numbers[2]);
    record->has_value = numbers[3] >= 0;
    record->value = length_only(numbers[3]);
    return true;
}

/* As JSON, behind what `text` holds. */
static int receipt_write(struct produce_receipts *receipts, const struct broker_record *record,
                         const struct broker_result *result)
{
    const struct produce_outcome outcome = {
        .topic = receipts->topic,
        .records = record,
        .results = result,
        .count = receipts->record_count,
    };
    return produce_receipt_append(&outcome, 0, &receipts->text, &receipts->words);
}

static void receipt_note_failure(struct produce_receipts *receipts, int code,
                                 const struct broker_result *result)
{
    bool security = code == PRODUCE_CODE_NOT_AUTHENTICATED || code == PRODUCE_CODE_NOT_AUTHORIZED;
    if (receipts->first_code == 0) {
        receipts->first_code = code;
        receipts->first_failure = *result;
    }
    if (security && receipts->security_code == 0) {
        receipts->security_code = code;
    }
}

void produce_receipts_add(struct produce_receipts *receipts, const struct produce_outcome *outcome,
                          size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct broker_result *result = &outcome->results[i];
        receipt_keep(receipts, &outcome->records[i], result);
        buf_reset(&receipts->text);
        int code = receipt_write(receipts, &outcome->records[i], result);
        receipts->body_bytes += receipts->text.len + (receipts->count > 0 ? 1 : 0);
        receipts->count++;
        if (code != 0) {
            receipt_note_failure(receipts, code, result);
        }
    }
}

void produce_receipts_rewind(struct produce_receipts *receipts)
{
    receipts->offset = 0;
    receipts->read_at = 0;
    receipts->read_count = 0;
    buf_reset(&receipts->text);
    BUF_APPEND_LIT(&receipts->text, PRODUCE_RECEIPTS_HEAD);
    receipts->text_left = receipts->text.len;
}

/* The next part of the answer into `text`; false: all has been written. */
static bool receipts_load(struct produce_receipts *receipts)
{
    struct broker_record record;
    struct broker_result result;
    if (receipts->read_count > receipts->count) {
        return false;
    }
    buf_reset(&receipts->text);
    if (receipts->read_count == receipts->count) {
        BUF_APPEND_LIT(&receipts->text, PRODUCE_RECEIPTS_TAIL);
    } else {
        if (receipts->read_count > 0) {
            buf_append_byte(&receipts->text, ',');
        }
        if (!receipt_take(receipts, &record, &result)) {
            return false;
        }
        (void)receipt_write(receipts, &record, &result);
    }
    receipts->read_count++;
    receipts->text_left = receipts->text.len;
    return true;
}

bool produce_receipts_write(struct produce_receipts *receipts, struct buf *out, size_t max)
{
    while (max > 0 && (receipts->text_left > 0 || receipts_load(receipts))) {
        struct span left =
            span_skip(buf_span(&receipts->text), receipts->text.len - receipts->text_left);
        struct span part = span_first(left, left.len < max ? left.len : max);
        buf_append_span(out, part);
        receipts->text_left -= part.len;
        max -= part.len;
    }
    return produce_receipts_ok(receipts) && buf_ok(out);
}
