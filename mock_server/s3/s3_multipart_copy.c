/* UploadPartCopy: a part from bytes that are here already, and that are linked, not written again.
 *
 * But a part's ETag is the MD5 of its bytes, so the bytes must be read, unless the part is a whole
 * object whose ETag and checksum are known. An object is read and hashed slice by slice, with other
 * clients' turns in between, and pinned so long. */
#include "s3_checksum.h"
#include "s3_copy.h"
#include "s3_customer_keys.h"
#include "s3_errors.h"
#include "s3_headers.h"
#include "s3_operations.h"
#include "s3_upload.h"
#include "s3_xml.h"

enum {
    slice_bytes_min = 16 * 1024,
    turn_bytes_max = 4 * 1024 * 1024, /* all that are under way, in one turn */
    md5_hex_bytes = 32,
    checksum_text_bytes_max = 256,
};
static const uint64_t source_bytes_max = UINT64_C(5) << 30; /* what one copy may take */

struct range {
    uint64_t start;
    uint64_t end; /* behind the last byte */
};

/* A copy under way; in the exchange's arena. */
struct part_copy {
    struct s3_call *call;
    struct span upload_id;
    struct store_part part;
    struct range range;
    struct s3_upload_checksum wanted;
    int64_t source_id;
    /* While the source is read: */
    bool reading;
    uint64_t read_offset;
    struct digest *md5;
    struct checksum checksum;
};

/* --- decoding --- */

static bool range_refuse(struct s3_call *call, struct span text)
{
    (void)s3_invalid_argument(call,
                              "The x-amz-copy-source-range value must be of the form "
                              "bytes=first-last where first and last are the zero-based offsets of "
                              "the first and last bytes to copy",
                              "x-amz-copy-source-range", text);
    return false;
}

static bool range_beyond(struct s3_call *call, uint64_t start, uint64_t size, struct span text)
{
    if (start >= size) {
        (void)s3_error_text(
            call, S3_ERROR_INVALID_REQUEST,
            SPAN_LIT("The specified copy range is invalid for the source object size"), NULL);
        return false;
    }
    (void)s3_invalid_argument(
        call,
        arena_printf(&call->exchange->arena,
                     "Range specified is not valid for source object of size: %llu",
                     (unsigned long long)size),
        "x-amz-copy-source-range", text);
    return false;
}

/* Reads bytes=first-last; both must be there, and lie in the object. False: an error is in the
 * reply. */
static bool range_decode(struct s3_call *call, uint64_t size, struct range *out)
{
    struct span text = s3_header(call, "x-amz-copy-source-range");
    struct span first;
    uint64_t start;
    uint64_t last;
    *out = (struct range){.start = 0, .end = size};
    if (text.len == 0) {
        return true;
    }
    if (!span_starts_with(text, SPAN_LIT("bytes="))) {
        return range_refuse(call, text);
    }
    struct span rest = span_skip(text, sizeof("bytes=") - 1);
    first = span_first(rest, span_find_byte(rest, '-'));
    if (!span_parse_u64(first, &start) || !span_parse_u64(span_skip(rest, first.len + 1), &last) ||
        start > last) {
        return range_refuse(call, text);
    }
    if (last >= size) {
        return range_beyond(call, start, size, text);
    }
    *out = (struct range){.start = start, .end = last + 1};
    return true;
}

/* --- linking and answering --- */

static void copied_part_encode(struct s3_call *call, const struct store_part *part)
{
    s3_xml_begin(call, "CopyPartResult");
    s3_xml_time(call, "LastModified", part->modified_ms);
    s3_xml_etag(call, part->etag);
    s3_checksum_element(call, part->checksum);
    s3_xml_end(call, "CopyPartResult");
    s3_encryption_header(call);
}

/* Links the bytes and answers, when the part's ETag and checksum are known. */
static void copy_finish(struct part_copy *copy)
{
    struct error err = ERROR_NONE;
    copy->part.size = copy->range.end - copy->range.start;
    switch (store_part_copy(copy->call->s3->options.store, copy->upload_id, &copy->part,
                            copy->source_id, copy->range.start, &err)) {
    case STATUS_OK:
        copied_part_encode(copy->call, &copy->part);
        return;
    case STATUS_NOT_FOUND: /* ended by another client while the bytes were read */
        (void)s3_no_such_upload(copy->call);
        return;
    default:
        (void)s3_error_store(copy->call, &err);
    }
}

/* Takes ETag and checksum from the source where the part is all of it and they are known; false:
 * the bytes must be read. */
static bool whole_is_known(struct part_copy *copy, const struct store_object *source)
{
    struct s3_checksum_text checksum;
    if (copy->range.start != 0 || copy->range.end != source->size ||
        source->etag.len != md5_hex_bytes) { /* longer: it came from a multipart upload itself */
        return false;
    }
    copy->part.etag = source->etag;
    if (!copy->wanted.has) {
        return true;
    }
    if (!s3_checksum_text_read(source->checksum, &checksum) || checksum.kind != copy->wanted.kind ||
        !span_equal_cstr(checksum.type, "FULL_OBJECT")) {
        return false;
    }
    copy->part.checksum =
        span_from_cstr(arena_printf(&copy->call->exchange->arena, "%s %.*s",
                                    checksum_name(checksum.kind), SPAN_ARG(checksum.value)));
    return copy->part.checksum.len > 0;
}

/* --- reading, slice by slice --- */

static void reading_release(struct part_copy *copy)
{
    struct s3 *s3 = copy->call->s3;
    if (copy->reading) {
        store_object_unpin(s3->options.store, copy->source_id);
        s3->copies.reading--;
        copy->reading = false;
    }
    if (s3->copies.reading == 0) {
        buf_trim(&s3->copies.slice, 0);
    }
    digest_free(copy->md5);
    copy->md5 = NULL;
    checksum_release(&copy->checksum);
}

/* Begins to read the source; reading_release is due after a failure too. */
static enum status reading_open(struct part_copy *copy, struct error *err)
{
    const struct s3_options *options = &copy->call->s3->options;
    copy->read_offset = copy->range.start;
    enum status status = crypto_ready(options->crypto, err);
    if (status == STATUS_OK) {
        status = store_object_pin(options->store, copy->source_id);
        copy->reading = status == STATUS_OK;
        copy->call->s3->copies.reading += copy->reading;
    }
    if (status == STATUS_OK) {
        status = digest_new(options->crypto, DIGEST_MD5, &copy->md5);
    }
    if (status == STATUS_OK && copy->wanted.has) {
        status = checksum_init(&copy->checksum, copy->wanted.kind, options->crypto, err);
    }
    return status == STATUS_NO_MEMORY ? error_set(err, status, "no memory for a copy") : status;
}

/* Each copy reads a slice in every turn; many copies read smaller slices, so that others are
 * answered. */
static size_t slice_bytes(const struct s3 *s3)
{
    size_t share = turn_bytes_max / s3->copies.reading;
    if (share > S3_COPY_SLICE_BYTES_MAX) {
        return S3_COPY_SLICE_BYTES_MAX;
    }
    return share > slice_bytes_min ? share : slice_bytes_min;
}

static enum status reading_step(struct part_copy *copy, struct error *err)
{
    struct s3 *s3 = copy->call->s3;
    struct buf *slice = &s3->copies.slice;
    uint64_t left = copy->range.end - copy->read_offset;
    size_t max = slice_bytes(s3);
    buf_reset(slice);
    enum status status = store_object_read(s3->options.store, copy->source_id, copy->read_offset,
                                           left < max ? (size_t)left : max, slice, err);
    if (status != STATUS_OK) {
        return status;
    }
    if (slice->len == 0) {
        return error_set(err, STATUS_CORRUPT, "an object's bytes end before its size");
    }
    digest_update(copy->md5, buf_span(slice));
    if (copy->wanted.has) {
        checksum_update(&copy->checksum, buf_span(slice));
    }
    copy->read_offset += slice->len;
    return STATUS_OK;
}

static enum status reading_end(struct part_copy *copy, struct error *err)
{
    struct arena *arena = &copy->call->exchange->arena;
    struct digest_value md5 = digest_finish(copy->md5);
    char hex[DIGEST_HEX_BYTES_MAX];
    struct buf checksum;
    digest_hex(&md5, hex);
    buf_init(&checksum, checksum_text_bytes_max);
    if (copy->wanted.has) {
        buf_printf(&checksum, "%s ", checksum_name(copy->wanted.kind));
        checksum_finish(&copy->checksum, &checksum);
    }
    bool good = s3_span_copy(arena, span_from_cstr(hex), &copy->part.etag) && buf_ok(&checksum) &&
                s3_span_copy(arena, buf_span(&checksum), &copy->part.checksum);
    buf_release(&checksum);
    return good ? STATUS_OK : error_set(err, STATUS_NO_MEMORY, "no memory for a part");
}

/* Reads the next slice. True: that was the last, the reply is filled and nothing is held any
 * more. */
static bool copy_go_on(struct part_copy *copy)
{
    struct error err = ERROR_NONE;
    enum status status = STATUS_OK;
    if (copy->read_offset < copy->range.end) {
        status = reading_step(copy, &err);
    }
    if (status == STATUS_OK && copy->read_offset < copy->range.end) {
        return false;
    }
    if (status == STATUS_OK) {
        status = reading_end(copy, &err);
    }
    if (status == STATUS_OK) {
        copy_finish(copy);
    } else {
        (void)s3_error_store(copy->call, &err);
    }
    reading_release(copy);
    return true;
}

static void copy_on_cancel(struct exchange *exchange, void *state)
{
    (void)exchange;
    reading_release(state);
}

static void copy_on_turn(struct exchange *exchange, void *state);

static const struct park_ops park_ops = {.deadline = copy_on_turn, .cancel = copy_on_cancel};

/* Waits until the others have had their turn. */
static void copy_park(struct part_copy *copy)
{
    struct env *env = copy->call->s3->options.env;
    exchange_park(copy->call->exchange, env->monotonic_us(env), &park_ops, copy);
}

static void copy_on_turn(struct exchange *exchange, void *state)
{
    if (copy_go_on(state)) {
        exchange_answer(exchange);
    } else {
        copy_park(state);
    }
}

static enum handled copy_begin(struct part_copy *copy)
{
    struct error err = ERROR_NONE;
    if (reading_open(copy, &err) != STATUS_OK) {
        (void)s3_error_store(copy->call, &err);
        reading_release(copy);
        return HANDLED;
    }
    if (copy_go_on(copy)) {
        return HANDLED;
    }
    copy_park(copy);
    return PARKED;
}

enum handled s3_upload_part_copy(struct s3_call *call)
{
    struct store_upload upload;
    struct store_object source;
    struct part_copy *copy = ARENA_NEW(&call->exchange->arena, struct part_copy);
    if (copy == NULL) {
        return s3_error(call, S3_ERROR_INTERNAL_ERROR);
    }
    *copy = (struct part_copy){.call = call, .part = {.checksum = SPAN_EMPTY}};
    if (!s3_upload_find(call, &upload) || !s3_part_number(call, &copy->part.number) ||
        !s3_customer_key_is_absent(call, S3_KEY_OF_OBJECT) || !s3_copy_source(call, &source) ||
        !range_decode(call, source.size, &copy->range)) {
        return HANDLED;
    }
    if (copy->range.end - copy->range.start > source_bytes_max) {
        return s3_error_text(call, S3_ERROR_INVALID_REQUEST,
                             SPAN_LIT("The specified copy source is larger than the maximum "
                                      "allowable size for a copy source: 5368709120"),
                             NULL);
    }
    copy->upload_id = upload.id;
    copy->source_id = source.id;
    copy->wanted = s3_upload_checksum_of(&upload);
    copy->part.modified_ms = s3_now_ms(call);
    if (whole_is_known(copy, &source)) {
        copy_finish(copy);
        return HANDLED;
    }
    return copy_begin(copy);
}
