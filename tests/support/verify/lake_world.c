#include "lake_world.h"

#include "json_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include <cmocka.h>

enum { object_bytes_max = 1 << 20, members_max = 16 };

static int compare_keys(const void *a, const void *b)
{
    return strcmp(((const struct lake_object_file *)a)->key,
                  ((const struct lake_object_file *)b)->key);
}

static enum status give(const struct lake_world *lake, const struct lake_object_file *object,
                        const struct lake_visitor *visitor, struct error *err)
{
    struct span rest = buf_span(&object->bytes);
    enum status status = visitor->open(visitor->ctx, span_from_cstr(object->key), err);
    while (status == STATUS_OK && rest.len > 0) {
        size_t len = lake->piece_bytes > 0 ? lake->piece_bytes : rest.len;
        struct span piece = span_first(rest, len);
        rest = span_skip(rest, piece.len);
        status = visitor->bytes(visitor->ctx, piece, err);
    }
    return status == STATUS_OK ? visitor->close(visitor->ctx, true, err) : status;
}

static enum status walk(struct lake_reader *reader, struct span prefix,
                        const struct lake_visitor *visitor, struct error *err)
{
    struct lake_world *lake = PP_CONTAINER_OF(reader, struct lake_world, reader);
    if (lake->no_bucket) {
        return error_set(err, STATUS_NOT_FOUND, "no bucket");
    }
    qsort(lake->objects, lake->count, sizeof(lake->objects[0]), compare_keys);
    for (size_t i = 0; i < lake->count; i++) {
        const struct lake_object_file *object = &lake->objects[i];
        struct span key = span_from_cstr(object->key);
        bool wanted = false;
        if (object->removed || !span_starts_with(key, prefix)) {
            continue;
        }
        enum status status = visitor->look(visitor->ctx, key, object->bytes.len, &wanted, err);
        if (status == STATUS_OK && wanted) {
            status = give(lake, object, visitor, err);
        }
        if (status != STATUS_OK) {
            return status;
        }
    }
    return STATUS_OK;
}

static void no_free(struct lake_reader *reader)
{
    (void)reader;
}

static const struct lake_reader_ops ops = {walk, no_free};

void lake_world_open(struct lake_world *lake)
{
    *lake = (struct lake_world){.reader = {&ops, "user-u1-bucket"}};
}

void lake_world_close(struct lake_world *lake)
{
    for (size_t i = 0; i < lake->count; i++) {
        buf_release(&lake->objects[i].bytes);
    }
}

struct lake_object_file *lake_world_put(struct lake_world *lake, const char *key, struct span bytes)
{
    assert_true(lake->count < LAKE_OBJECTS_MAX);
    struct lake_object_file *object = &lake->objects[lake->count++];
    object->removed = false;
    snprintf(object->key, sizeof(object->key), "%s", key);
    buf_init(&object->bytes, object_bytes_max);
    buf_append_span(&object->bytes, bytes);
    return object;
}

struct lake_object_file *lake_world_find(struct lake_world *lake, const char *key)
{
    for (size_t i = 0; i < lake->count; i++) {
        if (strcmp(lake->objects[i].key, key) == 0) {
            return &lake->objects[i];
        }
    }
    fail_msg("no object %s", key);
    return NULL;
}

void lake_object_set(struct lake_object_file *object, const char *text)
{
    buf_reset(&object->bytes);
    buf_append_cstr(&object->bytes, text);
}

/* {"a":1,"b":2} as {"b":2,"a":1}; anything else as it is. */
static void append_reversed(struct buf *out, struct span value)
{
    struct json_cursor cursor = json_cursor_at(value);
    struct json_error err = {0};
    struct span names[members_max];
    struct span values[members_max];
    size_t count = 0;
    bool first = true;
    if (value.len == 0 || value.ptr[0] != '{' || !json_enter(&cursor, JSON_OBJECT, &err)) {
        buf_append_span(out, value);
        return;
    }
    while (count < members_max && json_next_member(&cursor, &first, &names[count], &err) &&
           json_skip(&cursor, &values[count], &err)) {
        count++;
    }
    buf_append_byte(out, '{');
    for (size_t i = count; i > 0; i--) {
        buf_append_cstr(out, i < count ? "," : "");
        buf_append_span(out, names[i - 1]);
        buf_append_byte(out, ':');
        buf_append_span(out, values[i - 1]);
    }
    buf_append_byte(out, '}');
}

static void land_partition(struct lake_world *lake, const struct world_topic *topic, int32_t p,
                           int64_t flush_size)
{
    const struct world_partition *partition = &topic->partition[p];
    struct buf bytes;
    char key[256];
    int64_t start = 0;
    buf_init(&bytes, object_bytes_max);
    for (int64_t offset = 0; offset < partition->count; offset++) {
        append_reversed(&bytes, span_from_cstr(partition->records[offset].value));
        buf_append_byte(&bytes, '\n');
        if (offset + 1 - start == flush_size) {
            snprintf(key, sizeof(key), "topics/%s/partition=%d/%s+%d+%010lld.json", topic->name,
                     (int)p, topic->name, (int)p, (long long)start);
            lake_world_put(lake, key, buf_span(&bytes));
            buf_reset(&bytes);
            start = offset + 1;
        }
    }
    buf_release(&bytes);
}

void lake_world_land(struct lake_world *lake, const struct world *w, int64_t flush_size)
{
    for (size_t t = 0; t < TABLE_COUNT; t++) {
        for (int32_t p = 0; p < w->topics[t].partitions; p++) {
            land_partition(lake, &w->topics[t], p, flush_size);
        }
    }
}

void lake_object_pack(struct lake_object_file *object)
{
    enum { gzip_window_bits = 15 + 16, packed_bytes = 1 << 16 };
    unsigned char packed[packed_bytes];
    z_stream z;
    memset(&z, 0, sizeof(z));
    assert_int_equal(deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, gzip_window_bits, 8,
                                  Z_DEFAULT_STRATEGY),
                     Z_OK);
    z.next_in = (Bytef *)object->bytes.ptr;
    z.avail_in = (uInt)object->bytes.len;
    z.next_out = packed;
    z.avail_out = packed_bytes;
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    buf_reset(&object->bytes);
    buf_append(&object->bytes, packed, packed_bytes - z.avail_out);
    deflateEnd(&z);
    size_t len = strlen(object->key);
    snprintf(object->key + len, sizeof(object->key) - len, ".gz");
}
