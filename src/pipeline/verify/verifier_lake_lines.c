/* A line is matched with a record. The first line of an object is the record that its name says. A
 * later line is the next record of the partition, or one behind it: an object of a time or field
 * partition holds only some of the partition's records, in order. What means no record at all
 * stands in the place of the next one, altered; should that one come after all, it was a stray. */
#include "verifier_lake.h"

#include "hash.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { unpack_bytes = 256 * 1024, gzip_window_bits = 15 + 16 };

/* --- names ----------------------------------------------------------------------------------- */

static bool lake_take_number(struct span *rest, char end, int64_t *out)
{
    size_t at = span_find_byte(*rest, end);
    bool taken = at < rest->len && at > 0 && span_parse_i64(span_first(*rest, at), out) &&
                 rest->ptr[0] != '-';
    *rest = span_skip(*rest, at + 1);
    return taken;
}

/* Takes a key apart: "topics/<topic>/partition=<p>/<topic>+<p>+<offset>.json[.gz]", and every other
 * path above such a name. False: the key is none; *side is then true for a file of keys or headers.
 */
static bool lake_name_parse(struct span key, struct span topic, int32_t *partition, int64_t *start,
                            bool *side)
{
    int64_t number;
    size_t slash = key.len;
    while (slash > 0 && key.ptr[slash - 1] != '/') {
        slash--;
    }
    struct span name = span_skip(key, slash);
    *side = span_ends_with(name, SPAN_LIT(".keys.json")) ||
            span_ends_with(name, SPAN_LIT(".headers.json")) ||
            span_ends_with(name, SPAN_LIT(".keys.json.gz")) ||
            span_ends_with(name, SPAN_LIT(".headers.json.gz"));
    if (*side || !span_starts_with(name, topic) || name.len == topic.len ||
        name.ptr[topic.len] != '+') {
        return false;
    }
    struct span rest = span_skip(name, topic.len + 1);
    if (!lake_take_number(&rest, '+', &number) || number > INT32_MAX) {
        return false;
    }
    *partition = (int32_t)number;
    return lake_take_number(&rest, '.', start) &&
           (span_equal_cstr(rest, "json") || span_equal_cstr(rest, "json.gz"));
}

/* --- records --------------------------------------------------------------------------------- */

struct place {
    bool found;
    int64_t offset;
    struct hash128 hash;
    int state;
    int table;
    int64_t row;
    int64_t run;
    char detail[LAKE_TEXT_BYTES];
};

static enum status lake_find_place(struct verifier_lake *lake, enum lake_sql id, int64_t offset,
                                   struct place *out, struct error *err)
{
    const struct lake_object *object = &lake->object;
    sqlite3_stmt *statement = lake_statement(lake, id, object->topic, object->partition, offset);
    int step = statement != NULL ? sqlite3_step(statement) : SQLITE_ERROR;
    *out = (struct place){.found = step == SQLITE_ROW};
    if (step == SQLITE_ROW) {
        out->offset = sqlite3_column_int64(statement, 0);
        out->hash.high = (uint64_t)sqlite3_column_int64(statement, 1);
        out->hash.low = (uint64_t)sqlite3_column_int64(statement, 2);
        out->state = sqlite3_column_int(statement, 3);
        out->table = sqlite3_column_int(statement, 4);
        out->row = sqlite3_column_int64(statement, 5);
        out->run = sqlite3_column_int64(statement, 6);
        snprintf(out->detail, sizeof(out->detail), "%.*s",
                 SPAN_ARG(sqlite_column_span(statement, 7)));
    } else if (step != SQLITE_DONE) {
        return sqlite_db_error(&lake->db, "find a record", err);
    }
    sqlite3_reset(statement);
    return STATUS_OK;
}

/* A record of this content in a range of offsets that has no line yet. */
static enum status find_content(struct verifier_lake *lake, enum lake_sql id,
                                const int64_t offsets[2], struct hash128 hash, struct place *out,
                                struct error *err)
{
    const struct lake_object *object = &lake->object;
    sqlite3_stmt *statement =
        lake_statement(lake, id, object->topic, object->partition, offsets[0]);
    if (statement != NULL) {
        sqlite3_bind_int64(statement, 4, offsets[1]);
        sqlite3_bind_int64(statement, 5, (int64_t)hash.high);
        sqlite3_bind_int64(statement, 6, (int64_t)hash.low);
    }
    int step = statement != NULL ? sqlite3_step(statement) : SQLITE_ERROR;
    *out = (struct place){.found = step == SQLITE_ROW};
    if (step == SQLITE_ROW) {
        out->offset = sqlite3_column_int64(statement, 0);
        out->state = sqlite3_column_int(statement, 1);
        snprintf(out->detail, sizeof(out->detail), "%.*s",
                 SPAN_ARG(sqlite_column_span(statement, 2)));
    } else if (step != SQLITE_DONE) {
        return sqlite_db_error(&lake->db, "find a record", err);
    }
    sqlite3_reset(statement);
    return STATUS_OK;
}

static enum status mark(struct verifier_lake *lake, int64_t offset, enum lake_state state,
                        const char *detail, const char *field, struct error *err)
{
    const struct lake_object *object = &lake->object;
    sqlite3_stmt *statement =
        lake_statement(lake, LAKE_SQL_MARK, object->topic, object->partition, offset);
    if (statement != NULL) {
        sqlite3_bind_int(statement, 4, state);
        sqlite_bind_span_text(statement, 5, span_from_cstr(detail));
        sqlite_bind_span_text(statement, 6, span_from_cstr(field));
    }
    return lake_step(lake, statement, err);
}

static enum status stray(struct verifier_lake *lake, int kind, int64_t offset, const char *detail,
                         struct error *err)
{
    const struct lake_object *object = &lake->object;
    sqlite3_stmt *statement =
        lake_statement(lake, LAKE_SQL_STRAY, object->topic, object->partition, offset);
    if (statement != NULL) {
        sqlite3_bind_int(statement, 4, kind);
        sqlite_bind_span_text(statement, 5, span_from_cstr(detail));
    }
    return lake_step(lake, statement, err);
}

/* "line 3 of topics/...": what */
static void line_words(const struct verifier_lake *lake, const char *what,
                       char out[LAKE_TEXT_BYTES])
{
    const struct lake_object *object = &lake->object;
    snprintf(out, LAKE_TEXT_BYTES, "line %" PRId64 " of %s%s%s", object->line,
             buf_cstr(&object->key), what[0] != '\0' ? " " : "", what);
}

/* --- lines ----------------------------------------------------------------------------------- */

/* The line holds this record: if an earlier line seemed an altered copy of it, that was another. */
static enum status line_is(struct verifier_lake *lake, const struct place *place, struct error *err)
{
    enum status status = STATUS_OK;
    if (place->state == LAKE_ALTERED) {
        status = stray(lake, VERDICT_UNEXPECTED_IN_S3, place->offset, place->detail, err);
    }
    return status == STATUS_OK ? mark(lake, place->offset, LAKE_FOUND, "", "", err) : status;
}

static enum status line_alters(struct verifier_lake *lake, const struct place *place,
                               struct span line, bool is_json, struct error *err)
{
    char words[LAKE_TEXT_BYTES];
    char field[sizeof(((struct verdict_offender *)NULL)->field)] = "";
    if (is_json && place->table >= 0 && lake->field_of != NULL) {
        const struct lake_alteration alteration = {place->run, (enum table_id)place->table,
                                                   place->row, line};
        lake->field_of(lake->ctx, &alteration, field, sizeof(field));
    }
    line_words(lake, is_json ? "" : "is not JSON", words);
    return mark(lake, place->offset, LAKE_ALTERED, words, field, err);
}

static enum status line_is_stray(struct verifier_lake *lake, int kind, int64_t offset,
                                 const char *what, struct error *err)
{
    char words[LAKE_TEXT_BYTES];
    line_words(lake, what, words);
    return stray(lake, kind, offset, words, err);
}

/* A line of a record that is passed already. */
static enum status line_is_behind(struct verifier_lake *lake, const struct place *place,
                                  struct error *err)
{
    enum status status = line_is(lake, place, err);
    return status == STATUS_OK && place->state == LAKE_EXPECTED
               ? line_is_stray(lake, VERDICT_OUT_OF_ORDER_IN_S3, place->offset,
                               "stands behind later ones", err)
               : status;
}

/* A line that is not the expected record: another one of this object? The same row may have been
 * posted again and again. Where an object holds every record, one that it passed over is nearer
 * than a later one with the same content; where it holds some of them, it is the other way round.
 */
static enum status line_elsewhere(struct verifier_lake *lake, const struct place *expected,
                                  struct hash128 hash, bool *settled, struct error *err)
{
    struct lake_object *object = &lake->object;
    struct place ahead;
    struct place behind;
    int64_t from = expected->found ? expected->offset : object->cursor - 1;
    const int64_t range_ahead[2] = {from, from + LAKE_WINDOW_RECORDS};
    const int64_t range_behind[2] = {object->cursor, object->start};
    enum status status = find_content(lake, LAKE_SQL_AHEAD, range_ahead, hash, &ahead, err);
    if (status == STATUS_OK) {
        status = find_content(lake, LAKE_SQL_BEHIND, range_behind, hash, &behind, err);
    }
    *settled = status == STATUS_OK && (ahead.found || behind.found);
    if (!*settled) {
        return status;
    }
    if (behind.found && (object->contiguous || !ahead.found)) {
        return line_is_behind(lake, &behind, err);
    }
    object->cursor = ahead.offset + 1;
    return line_is(lake, &ahead, err);
}

static enum status line_judge(struct verifier_lake *lake, struct span line, struct error *err)
{
    struct lake_object *object = &lake->object;
    struct place expected;
    bool is_json = true;
    bool is_first = object->line == 1;
    bool settled = false;
    struct hash128 hash;
    enum status status = lake_fingerprint(lake, line, &hash, &is_json, err);
    if (status == STATUS_OK) {
        status = lake_find_place(lake, is_first ? LAKE_SQL_AT : LAKE_SQL_NEXT, object->cursor,
                                 &expected, err);
    }
    if (status != STATUS_OK) {
        return status;
    }
    if (expected.found && hash128_equal(expected.hash, hash)) {
        object->cursor = expected.offset + 1;
        return expected.state == LAKE_FOUND
                   ? line_is_stray(lake, VERDICT_DUPLICATE_IN_S3, expected.offset, "", err)
                   : line_is(lake, &expected, err);
    }
    if (!is_first) {
        status = line_elsewhere(lake, &expected, hash, &settled, err);
        if (status != STATUS_OK || settled) {
            return status;
        }
    }
    bool in_its_place =
        expected.found && (expected.state == LAKE_EXPECTED || expected.state == LAKE_NOT_JSON);
    int64_t offset = object->cursor;
    object->cursor = (in_its_place ? expected.offset : offset) + 1;
    return in_its_place ? line_alters(lake, &expected, line, is_json, err)
                        : line_is_stray(lake, VERDICT_UNEXPECTED_IN_S3, offset,
                                        "holds no record of the topic", err);
}

/* Lines of records that were deleted before the topic was read are not judged; those that came
 * after wait for the topic's new end. */
static enum status take_line(struct verifier_lake *lake, struct span line, struct error *err)
{
    struct lake_object *object = &lake->object;
    object->line++;
    if (object->cursor < object->range.begin) {
        object->cursor++;
        return STATUS_OK;
    }
    lake->lines++;
    object->judged = true;
    if (object->cursor >= object->range.end) {
        return line_is_stray(lake, LAKE_BEYOND, object->cursor++, "is beyond the topic's end", err);
    }
    return line_judge(lake, line, err);
}

static enum status object_breaks(struct verifier_lake *lake, const char *why, struct error *err)
{
    char words[LAKE_TEXT_BYTES];
    lake->object.broken = true;
    snprintf(words, sizeof(words), "%s %s", buf_cstr(&lake->object.key), why);
    return stray(lake, VERDICT_UNEXPECTED_IN_S3, lake->object.start, words, err);
}

/* Plain text, cut anywhere: whole lines are taken, the rest waits in lake->line. */
static enum status lake_take_text(struct verifier_lake *lake, struct span text, struct error *err)
{
    enum status status = STATUS_OK;
    while (status == STATUS_OK && text.len > 0 && !lake->object.broken) {
        size_t end = span_find_byte(text, '\n');
        if (end < text.len && lake->line.len == 0) {
            status = take_line(lake, span_first(text, end), err);
        } else {
            buf_append_span(&lake->line, span_first(text, end));
            if (!buf_ok(&lake->line)) {
                return lake->line.no_memory
                           ? error_no_memory(err)
                           : object_breaks(lake, "has a line that is too long", err);
            }
            if (end < text.len) {
                status = take_line(lake, buf_span(&lake->line), err);
                buf_reset(&lake->line);
            }
        }
        text = span_skip(text, end + 1);
    }
    return status;
}

/* --- objects --------------------------------------------------------------------------------- */

static enum status take_packed(struct verifier_lake *lake, struct span bytes, struct error *err)
{
    struct lake_object *object = &lake->object;
    z_stream *z = &object->inflate;
    enum status status = STATUS_OK;
    if (!buf_reserve(&lake->unpacked, unpack_bytes)) {
        return error_set(err, STATUS_NO_MEMORY, "no memory to unpack an object");
    }
    z->next_in = (Bytef *)(uintptr_t)bytes.ptr;
    z->avail_in = (uInt)bytes.len;
    while (status == STATUS_OK && !object->broken && object->inflating &&
           (z->avail_in > 0 || z->avail_out == 0)) {
        z->next_out = (Bytef *)lake->unpacked.ptr;
        z->avail_out = unpack_bytes;
        int code = inflate(z, Z_NO_FLUSH);
        size_t made = unpack_bytes - z->avail_out;
        if (code == Z_STREAM_END) {
            inflateEnd(z);
            object->inflating = false;
        } else if (code == Z_BUF_ERROR && made == 0) {
            break; /* it wants more */
        } else if (code == Z_MEM_ERROR) {
            return error_no_memory(err);
        } else if (code != Z_OK) {
            return object_breaks(lake, "cannot be unpacked", err);
        }
        status = lake_take_text(lake, span_from(lake->unpacked.ptr, made), err);
    }
    return status;
}

static int topic_of_prefix(const struct verifier_lake *lake, struct span key)
{
    struct span rest = span_skip(key, sizeof("topics/") - 1);
    struct span name = span_first(rest, span_find_byte(rest, '/'));
    for (int i = 0; i < lake->topic_count; i++) {
        if (span_equal_cstr(name, lake->topic_names[i])) {
            return i;
        }
    }
    BUG("an object of a topic that was not asked for");
}

static enum status lake_line_look(void *ctx, struct span key, uint64_t size, bool *wanted,
                                  struct error *err)
{
    struct verifier_lake *lake = ctx;
    struct lake_object *object = &lake->object;
    int topic = topic_of_prefix(lake, key);
    int32_t partition = -1;
    int64_t start = -1;
    bool side;
    *wanted =
        lake_name_parse(key, span_from_cstr(lake->topic_names[topic]), &partition, &start, &side);
    bool folder = key.len > 0 && key.ptr[key.len - 1] == '/' && size == 0;
    bool placed = *wanted && partition < lake->partitions[topic];
    if (placed && start < lake->ranges[topic][partition].end) {
        return STATUS_OK;
    }
    if (!*wanted && (side || folder)) {
        return STATUS_OK;
    }
    char words[LAKE_TEXT_BYTES];
    snprintf(words, sizeof(words), "%.*s %s", SPAN_ARG(span_first(key, LAKE_TEXT_BYTES - 100)),
             placed    ? "begins beyond the topic's end"
             : *wanted ? "is of a partition that the topic does not have"
                       : "is no name that the sink gives to a JSON object");
    *wanted = false;
    object->topic = topic;
    object->partition = partition;
    return stray(lake, placed ? LAKE_BEYOND : VERDICT_UNEXPECTED_IN_S3, start, words, err);
}

/* "topics/<topic>/partition=<p>/<name>": the default partitioner's. */
static bool is_default_folder(struct span key, int32_t partition)
{
    char folder[32];
    struct span part;
    snprintf(folder, sizeof(folder), "partition=%" PRId32, partition);
    return span_next_part(&key, '/', &part) && span_next_part(&key, '/', &part) &&
           span_next_part(&key, '/', &part) && span_equal_cstr(part, folder) &&
           span_find_byte(key, '/') == key.len;
}

static enum status open_object(void *ctx, struct span key, struct error *err)
{
    struct verifier_lake *lake = ctx;
    struct lake_object *object = &lake->object;
    bool side;
    object->topic = topic_of_prefix(lake, key);
    buf_reset(&object->key);
    buf_append_span(&object->key, key);
    buf_reset(&lake->line);
    bool named = lake_name_parse(key, span_from_cstr(lake->topic_names[object->topic]),
                                 &object->partition, &object->start, &side);
    PP_ASSERT(named);
    if (!buf_ok(&object->key)) {
        return buf_error(&object->key, err, STATUS_LIMIT, "%.*s: the key is too long",
                         SPAN_ARG(key));
    }
    object->range = lake->ranges[object->topic][object->partition];
    object->cursor = object->start;
    object->line = 0;
    object->broken = false;
    object->judged = false;
    object->contiguous = is_default_folder(key, object->partition);
    object->packed = span_ends_with(key, SPAN_LIT(".gz"));
    if (object->packed) {
        memset(&object->inflate, 0, sizeof(object->inflate));
        if (inflateInit2(&object->inflate, gzip_window_bits) != Z_OK) {
            return error_set(err, STATUS_NO_MEMORY, "no memory to unpack an object");
        }
        object->inflating = true;
    }
    lake->objects++;
    return STATUS_OK;
}

static enum status object_bytes(void *ctx, struct span bytes, struct error *err)
{
    struct verifier_lake *lake = ctx;
    return lake->object.packed ? take_packed(lake, bytes, err) : lake_take_text(lake, bytes, err);
}

static enum status close_object(void *ctx, bool whole, struct error *err)
{
    struct verifier_lake *lake = ctx;
    struct lake_object *object = &lake->object;
    enum status status = STATUS_OK;
    if (object->inflating) {
        inflateEnd(&object->inflate);
        object->inflating = false;
        if (whole && !object->broken) {
            status = object_breaks(lake, "ends in the middle of its gzip stream", err);
        }
    }
    if (status == STATUS_OK && lake->line.len > 0 && !object->broken) {
        status = take_line(lake, buf_span(&lake->line), err);
    }
    buf_reset(&lake->line);
    lake->objects -= object->line > 0 && !object->judged ? 1 : 0;
    sqlite3_stmt *statement =
        status == STATUS_OK
            ? lake_statement(lake, LAKE_SQL_OBJECT, object->topic, object->partition, object->start)
            : NULL;
    if (statement != NULL) {
        sqlite3_bind_int64(statement, 4, object->cursor);
        sqlite_bind_span_text(statement, 5, buf_span(&object->key));
    }
    status = status == STATUS_OK ? lake_step(lake, statement, err) : status;
    const struct progress *progress = lake->progress;
    if (progress != NULL && progress->update != NULL) {
        progress->update(progress->ctx, "verify s3", lake->objects, 0);
    }
    return status == STATUS_OK && progress != NULL && progress->should_stop != NULL &&
                   progress->should_stop(progress->ctx)
               ? error_set(err, STATUS_INTERRUPTED, "stopped before a verdict was reached")
               : status;
}

enum status lake_read(struct verifier_lake *lake, struct lake_reader *reader, struct error *err)
{
    const struct lake_visitor visitor = {lake, lake_line_look, open_object, object_bytes,
                                         close_object};
    enum status status = STATUS_OK;
    for (int i = 0; status == STATUS_OK && i < lake->topic_count; i++) {
        char prefix[LAKE_TEXT_BYTES];
        snprintf(prefix, sizeof(prefix), "topics/%s/", lake->topic_names[i]);
        status = reader->ops->walk(reader, span_from_cstr(prefix), &visitor, err);
        if (status == STATUS_NOT_FOUND) {
            lake->no_bucket = true;
            return STATUS_OK;
        }
    }
    return status;
}
