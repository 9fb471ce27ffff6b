#include "sink_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum {
    small_bytes_max = STORE_INLINE_BYTES_MAX,
    small_keep_bytes = 16 * 1024,
    encoded_bytes_max = 4096,
    deflate_bytes = 16 * 1024,
    deflate_state_bytes = 268 * 1024, /* zlib's, with its largest window */
    etag_bytes = DIGEST_HEX_BYTES_MAX + 16,
};

/* java.util.zip.GZIPOutputStream's: deflate, no flags, no time, no system (before Java 16). */
static const char gzip_header[] = {0x1f, (char)0x8b, 8, 0, 0, 0, 0, 0, 0, 0};

struct gzip {
    z_stream deflate;
    int level;
    unsigned long crc;
    uint32_t raw_bytes; /* modulo 2^32, as the trailer has it */
    char out[deflate_bytes];
};

struct sink_stream {
    bool open;
    struct buf small;        /* all of it, until it outgrows that */
    struct store_body *body; /* then here */
    struct digest *part;     /* MD5 of the part that is being filled */
    struct digest *parts;    /* MD5 of the MD5s of the parts before it */
    uint64_t part_bytes;
    uint64_t part_bytes_max;
    unsigned part_count; /* filled ones */
    struct gzip *gzip;   /* NULL: plain */
};

/* --- the pieces of a stream ------------------------------------------------------------------- */

static void stream_reset(struct sink_stream *stream)
{
    buf_trim(&stream->small, small_keep_bytes);
    store_body_free(stream->body);
    stream->body = NULL;
    digest_free(stream->part);
    digest_free(stream->parts);
    stream->part = NULL;
    stream->parts = NULL;
    stream->part_bytes = 0;
    stream->part_count = 0;
    stream->open = false;
}

static void gzip_free(struct gzip *gzip)
{
    if (gzip != NULL) {
        deflateEnd(&gzip->deflate);
        free(gzip);
    }
}

static void stream_free(struct sink_stream *stream)
{
    if (stream == NULL) {
        return;
    }
    stream_reset(stream);
    buf_release(&stream->small);
    gzip_free(stream->gzip);
    free(stream);
}

static struct gzip *gzip_new(int level)
{
    enum { raw_window_bits = -15, memory_level = 8 }; /* java.util.zip.Deflater's */
    struct gzip *gzip = calloc(1, sizeof(*gzip));
    if (gzip != NULL && deflateInit2(&gzip->deflate, level, Z_DEFLATED, raw_window_bits,
                                     memory_level, Z_DEFAULT_STRATEGY) != Z_OK) {
        free(gzip);
        gzip = NULL;
    }
    if (gzip != NULL) {
        gzip->level = level;
    }
    return gzip;
}

static struct sink_stream *stream_new(void)
{
    struct sink_stream *stream = calloc(1, sizeof(*stream));
    if (stream != NULL) {
        buf_init(&stream->small, small_bytes_max);
    }
    return stream;
}

/* A stream that another connector has used may compress in another way, or be the first to. False:
 * no memory. */
static bool stream_fit_gzip(const struct sink_files *files, struct sink_stream *stream)
{
    if (stream->gzip != NULL && (!files->gzip || stream->gzip->level != files->gzip_level)) {
        gzip_free(stream->gzip);
        stream->gzip = NULL;
    }
    if (files->gzip && stream->gzip == NULL) {
        stream->gzip = gzip_new(files->gzip_level);
    }
    return !files->gzip || stream->gzip != NULL;
}

static size_t stream_bytes(const struct sink_stream *stream)
{
    return stream == NULL
               ? 0
               : sizeof(*stream) + stream->small.cap +
                     (stream->body != NULL ? STORE_CHUNK_BYTES : 0) +
                     (stream->gzip != NULL ? sizeof(*stream->gzip) + deflate_state_bytes : 0);
}

/* The part is full, or the file ends with it. */
static void part_end(struct sink_stream *stream)
{
    struct digest_value md5 = digest_finish(stream->part);
    digest_update(stream->parts, digest_span(&md5));
    stream->part_count++;
    stream->part_bytes = 0;
}

static void hash(struct sink_stream *stream, struct span bytes)
{
    while (bytes.len > 0) {
        if (stream->part_bytes == stream->part_bytes_max) {
            part_end(stream);
        }
        struct span fits = span_first(bytes, (size_t)(stream->part_bytes_max - stream->part_bytes));
        digest_update(stream->part, fits);
        stream->part_bytes += fits.len;
        bytes = span_skip(bytes, fits.len);
    }
}

/* A stream that has outgrown memory goes to the store from here on. */
static enum status stream_spill(struct sink_files *files, struct sink_stream *stream,
                                struct error *err)
{
    enum status status = store_body_new(files->store, true, &stream->body);
    status = status == STATUS_OK ? digest_new(files->crypto, DIGEST_MD5, &stream->part) : status;
    status = status == STATUS_OK ? digest_new(files->crypto, DIGEST_MD5, &stream->parts) : status;
    if (status != STATUS_OK) {
        return error_set(err, STATUS_NO_MEMORY, "out of memory");
    }
    hash(stream, buf_span(&stream->small));
    status = store_body_append(stream->body, buf_span(&stream->small), err);
    buf_release(&stream->small);
    buf_init(&stream->small, small_bytes_max);
    return status;
}

static enum status sink_stream_write(struct sink_files *files, struct sink_stream *stream,
                                     struct span bytes, struct error *err)
{
    if (stream->body == NULL && stream->small.len + bytes.len <= small_bytes_max) {
        buf_append_span(&stream->small, bytes);
        return buf_ok(&stream->small) ? STATUS_OK
                                      : error_set(err, STATUS_NO_MEMORY, "out of memory");
    }
    enum status status = STATUS_OK;
    if (stream->body == NULL) {
        status = stream_spill(files, stream, err);
    }
    if (status == STATUS_OK) {
        hash(stream, bytes);
        status = store_body_append(stream->body, bytes, err);
    }
    return status;
}

/* --- gzip ------------------------------------------------------------------------------------- */

static enum status gzip_run(struct sink_files *files, struct sink_stream *stream, int flush,
                            struct error *err)
{
    struct gzip *gzip = stream->gzip;
    enum status status = STATUS_OK;
    do {
        gzip->deflate.next_out = (Bytef *)gzip->out;
        gzip->deflate.avail_out = sizeof(gzip->out);
        (void)deflate(&gzip->deflate, flush); /* fails only on a broken stream */
        status = sink_stream_write(
            files, stream, span_from(gzip->out, sizeof(gzip->out) - gzip->deflate.avail_out), err);
    } while (status == STATUS_OK && gzip->deflate.avail_out == 0);
    return status;
}

static enum status gzip_write(struct sink_files *files, struct sink_stream *stream,
                              struct span bytes, struct error *err)
{
    struct gzip *gzip = stream->gzip;
    gzip->crc = crc32(gzip->crc, (const Bytef *)bytes.ptr, (uInt)bytes.len);
    gzip->raw_bytes += (uint32_t)bytes.len;
    /* zlib's member is not const, though it only reads. */
    memcpy(&gzip->deflate.next_in, &bytes.ptr, sizeof(bytes.ptr));
    gzip->deflate.avail_in = (uInt)bytes.len;
    return gzip_run(files, stream, Z_NO_FLUSH, err);
}

static enum status gzip_end(struct sink_files *files, struct sink_stream *stream, struct error *err)
{
    struct gzip *gzip = stream->gzip;
    char trailer[8];
    gzip->deflate.avail_in = 0;
    enum status status = gzip_run(files, stream, Z_FINISH, err);
    for (size_t i = 0; i < 4; i++) {
        trailer[i] = (char)(gzip->crc >> (8 * i));
        trailer[4 + i] = (char)(gzip->raw_bytes >> (8 * i));
    }
    return status == STATUS_OK
               ? sink_stream_write(files, stream, span_from(trailer, sizeof(trailer)), err)
               : status;
}

static enum status gzip_begin(struct sink_files *files, struct sink_stream *stream,
                              struct error *err)
{
    deflateReset(&stream->gzip->deflate);
    stream->gzip->crc = crc32(0, NULL, 0);
    stream->gzip->raw_bytes = 0;
    return sink_stream_write(files, stream, span_from(gzip_header, sizeof(gzip_header)), err);
}

/* --- files ------------------------------------------------------------------------------------ */

void sink_files_init(struct sink_files *files, struct store *store, struct crypto *crypto)
{
    *files = (struct sink_files){.store = store, .crypto = crypto};
}

static size_t file_bytes(const struct sink_file *file)
{
    size_t bytes = sizeof(*file) + file->encoded.cap;
    for (size_t i = 0; i < SINK_STREAMS; i++) {
        bytes += stream_bytes(file->streams[i]);
    }
    return bytes;
}

static void file_note(struct sink_pool *pool, struct sink_file *file, size_t bytes)
{
    if (pool->budget != NULL) {
        budget_note(pool->budget, BUDGET_PAIRS, &file->counted, bytes);
    }
}

static void file_free(struct sink_pool *pool, struct sink_file *file)
{
    file_note(pool, file, 0);
    for (size_t i = 0; i < SINK_STREAMS; i++) {
        stream_free(file->streams[i]);
    }
    buf_release(&file->encoded);
    free(file);
}

void sink_pool_release(struct sink_pool *pool)
{
    while (pool->kept != NULL) {
        struct sink_file *file = pool->kept;
        pool->kept = file->next;
        file_free(pool, file);
    }
    pool->kept_count = 0;
}

/* Counts what the file has grown to. */
static enum status file_count(struct sink_files *files, struct sink_file *file, struct error *err)
{
    struct sink_pool *pool = files->pool;
    struct budget *budget = pool->budget;
    size_t bytes = file_bytes(file);
    if (budget == NULL || budget_take(budget, BUDGET_PAIRS, &file->counted, bytes)) {
        return STATUS_OK;
    }
    sink_pool_release(pool);
    if (budget_take(budget, BUDGET_PAIRS, &file->counted, bytes)) {
        return STATUS_OK;
    }
    if (files->open_own <= SINK_OPEN_STREAMS_OWN &&
        budget->used_bytes - file->counted + bytes <= budget->max_bytes) {
        budget_note(budget, BUDGET_PAIRS, &file->counted, bytes);
        return STATUS_OK;
    }
    return error_set(err, STATUS_BUSY,
                     "open files, connectors and consumers may keep %zu KiB in memory and have "
                     "used them up; `pinpipe serve --memory` gives more",
                     budget->shares[BUDGET_PAIRS].max_bytes / 1024);
}

enum status sink_file_open(struct sink_files *files, struct span encoded, int64_t start_offset,
                           struct sink_file **out)
{
    struct sink_pool *pool = files->pool;
    struct sink_file *file = pool->kept;
    if (file != NULL) {
        pool->kept = file->next;
        pool->kept_count--;
    } else {
        file = calloc(1, sizeof(*file));
        if (file == NULL) {
            return STATUS_NO_MEMORY;
        }
        buf_init(&file->encoded, encoded_bytes_max);
    }
    file->next = NULL;
    file->start_offset = start_offset;
    buf_append_span(&file->encoded, encoded);
    if (!buf_ok(&file->encoded)) {
        file_free(pool, file);
        return STATUS_NO_MEMORY;
    }
    *out = file;
    return STATUS_OK;
}

void sink_file_close(struct sink_files *files, struct sink_file *file)
{
    struct sink_pool *pool = files->pool;
    for (size_t i = 0; i < SINK_STREAMS; i++) {
        if (file->streams[i] != NULL && file->streams[i]->open) {
            pool->open_streams--;
            files->open_own--;
            pool->open_gzip -= files->gzip ? 1 : 0;
            stream_reset(file->streams[i]);
        }
    }
    buf_reset(&file->encoded);
    if (pool->kept_count == SINK_FILES_KEPT) {
        file_free(pool, file);
        return;
    }
    file_note(pool, file, file_bytes(file));
    file->next = pool->kept;
    pool->kept = file;
    pool->kept_count++;
}

static bool may_open(const struct sink_files *files)
{
    const struct sink_pool *pool = files->pool;
    return files->open_own < SINK_OPEN_STREAMS_OWN ||
           (pool->open_streams < SINK_OPEN_STREAMS_MAX &&
            (!files->gzip || pool->open_gzip < SINK_OPEN_GZIP_MAX));
}

static enum status stream_open(struct sink_files *files, struct sink_file *file,
                               enum sink_stream_kind kind, struct error *err)
{
    if (!may_open(files)) {
        return error_set(err, STATUS_LIMIT, "%d files are open", SINK_OPEN_STREAMS_MAX);
    }
    if ((file->streams[kind] == NULL && (file->streams[kind] = stream_new()) == NULL) ||
        !stream_fit_gzip(files, file->streams[kind])) {
        return error_set(err, STATUS_NO_MEMORY, "out of memory");
    }
    file->streams[kind]->open = true;
    file->streams[kind]->part_bytes_max = files->part_bytes;
    files->pool->open_streams++;
    files->open_own++;
    files->pool->open_gzip += files->gzip ? 1 : 0;
    return files->gzip ? gzip_begin(files, file->streams[kind], err) : STATUS_OK;
}

enum status sink_file_append(struct sink_files *files, struct sink_file *file,
                             enum sink_stream_kind kind, struct span bytes, struct error *err)
{
    enum status status = STATUS_OK;
    if (file->streams[kind] == NULL || !file->streams[kind]->open) {
        status = stream_open(files, file, kind, err);
    }
    if (status != STATUS_OK) {
        return status;
    }
    status = files->gzip ? gzip_write(files, file->streams[kind], bytes, err)
                         : sink_stream_write(files, file->streams[kind], bytes, err);
    return status == STATUS_OK ? file_count(files, file, err) : status;
}

/* The ETag is that of a multipart upload: the MD5 of the parts' MD5s, and how many there are. */
static void write_etag(struct sink_files *files, struct sink_stream *stream, char out[etag_bytes])
{
    struct digest_value etag;
    char hex[DIGEST_HEX_BYTES_MAX];
    unsigned parts = 1;
    if (stream->body == NULL) {
        struct digest_value md5 = digest_of(files->crypto, DIGEST_MD5, buf_span(&stream->small));
        etag = digest_of(files->crypto, DIGEST_MD5, digest_span(&md5));
    } else {
        part_end(stream);
        parts = stream->part_count;
        etag = digest_finish(stream->parts);
    }
    digest_hex(&etag, hex);
    snprintf(out, etag_bytes, "%s-%u", hex, parts);
}

enum status sink_file_put(struct sink_files *files, struct sink_file *file,
                          enum sink_stream_kind kind, const struct sink_object *object,
                          struct error *err)
{
    struct sink_stream *stream = file->streams[kind];
    char etag[etag_bytes];
    if (stream == NULL || !stream->open) {
        return STATUS_OK;
    }
    enum status status = files->gzip ? gzip_end(files, stream, err) : STATUS_OK;
    if (status != STATUS_OK) {
        return status;
    }
    write_etag(files, stream, etag);
    struct store_object_put put = {
        .bucket_id = object->bucket_id,
        .key = object->key,
        .etag = span_from_cstr(etag),
        .headers = SPAN_LIT("content-type: application/octet-stream\n"),
        .checksum = SPAN_EMPTY,
        .modified_ms = object->modified_ms,
        .body = stream->body,
        .bytes = buf_span(&stream->small),
    };
    return store_object_put(files->store, &put, err);
}
