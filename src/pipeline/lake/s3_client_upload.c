/* Files into the bucket: a small one in one request, a large one in parts that a ring of slots
 * sends side by side; then the upload is completed, or aborted when anything failed. */
#include "s3_client_internal.h"

#include "url.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- what kind of content -------------------------------------------------------------------- */

static const char *content_type_of(const char *path)
{
    static const struct {
        const char *suffix;
        const char *type;
    } types[] = {
        {".json", "application/json"}, {".csv", "text/csv"},         {".txt", "text/plain"},
        {".md", "text/markdown"},      {".html", "text/html"},       {".xml", "application/xml"},
        {".zip", "application/zip"},   {".gz", "application/gzip"},  {".py", "text/x-python"},
        {".png", "image/png"},         {".jpg", "image/jpeg"},       {".pdf", "application/pdf"},
        {".yaml", "application/yaml"}, {".yml", "application/yaml"},
    };
    struct span name = span_from_cstr(path);
    for (size_t i = 0; i < ARRAY_COUNT(types); i++) {
        if (span_ends_with(name, span_from_cstr(types[i].suffix))) {
            return types[i].type;
        }
    }
    return "binary/octet-stream";
}

/* --- uploading in parts ---------------------------------------------------------------------- */

/* Each byte of an id may become three. */
enum { upload_query_bytes = sizeof("uploadId=") + 3 * S3_UPLOAD_ID_BYTES };

struct uploading {
    struct s3_client *client;
    struct span bucket;
    struct span key;
    const char *path;
    int fd;
    uint64_t size;
    uint64_t read;  /* bytes taken from the file */
    uint64_t moved; /* bytes that S3 has acknowledged */
    size_t part_bytes;
    /* "uploadId=...", which names the upload in each request for it: without it, the same requests
     * would replace or delete the object itself. */
    struct buf id_query;
    struct s3_slot *slots[S3_PIECES_IN_FLIGHT_MAX];
    size_t slot_count;
    struct buf parts; /* the document that completes the upload */
    const struct s3_transfer_progress *progress;
};

static enum status changed_file(const struct uploading *up, struct error *err)
{
    return error_set(err, STATUS_FAILED, "%s changed while it was uploaded", up->path);
}

/* The next part of the file (all of a small one) into `into`. */
static enum status upload_part_read(struct uploading *up, struct buf *into, struct error *err)
{
    uint64_t left = up->size - up->read;
    size_t wanted = left < up->part_bytes ? (size_t)left : up->part_bytes;
    buf_reset(into);
    if (!buf_reserve(into, wanted)) {
        return error_set(err, STATUS_NO_MEMORY, "no memory for a part of %zu bytes", wanted);
    }
    while (into->len < wanted) {
        ssize_t got = read(up->fd, into->ptr + into->len, wanted - into->len);
        if (got < 0 && errno != EINTR) {
            return error_set_errno(err, errno, "%s", up->path);
        }
        if (got == 0) {
            return changed_file(up, err);
        }
        into->len += got > 0 ? (size_t)got : 0;
    }
    up->read += wanted;
    return STATUS_OK;
}

static void upload_moved(struct uploading *up, uint64_t bytes)
{
    up->moved += bytes;
    if (up->progress != NULL) {
        up->progress->moved(up->progress->ctx, up->moved, up->size);
    }
}

static enum status upload_begin(struct uploading *up, struct error *err)
{
    struct s3_slot *slot = NULL;
    const struct s3_request request = {
        .method = "POST",
        .bucket = up->bucket,
        .key = up->key,
        .query = SPAN_LIT("uploads="),
        .content_type = content_type_of(up->path),
    };
    char id[S3_UPLOAD_ID_BYTES];
    /* Room before there is an upload, so that one that was begun can be aborted. */
    if (!buf_reserve(&up->id_query, upload_query_bytes)) {
        return error_no_memory(err);
    }
    enum status status = s3_client_call(up->client, &request, &slot, err);
    if (status == STATUS_OK) {
        status = s3_answer_upload_id(buf_span(&slot->response->body), id, err);
    }
    if (status == STATUS_OK) {
        BUF_APPEND_LIT(&up->id_query, "uploadId=");
        url_encode(span_from_cstr(id), false, &up->id_query);
        PP_ASSERT(buf_ok(&up->id_query));
    }
    s3_slot_give(slot);
    return status;
}

static enum status part_send(struct uploading *up, struct s3_slot *slot, int64_t number,
                             struct error *err)
{
    struct buf query;
    enum status status = upload_part_read(up, &slot->bytes, err);
    if (status != STATUS_OK) {
        return status;
    }
    buf_init(&query, S3_URL_BYTES_MAX);
    buf_printf(&query, "partNumber=%lld&%s", (long long)number, buf_cstr(&up->id_query));
    if (!buf_ok(&query)) {
        return error_no_memory(err);
    }
    const struct s3_request request = {
        .method = "PUT",
        .bucket = up->bucket,
        .key = up->key,
        .query = buf_span(&query),
        .body = buf_span(&slot->bytes),
        .has_body = true,
    };
    status = s3_slot_send(slot, &request, err);
    buf_release(&query);
    return status;
}

static enum status upload_part_take(struct uploading *up, struct s3_slot *slot, int64_t number,
                                    struct error *err)
{
    enum status status = s3_slot_wait(slot, err);
    if (status == STATUS_OK) {
        status = s3_slot_verdict(slot, err);
    }
    if (status != STATUS_OK) {
        return status;
    }
    struct span etag = http_response_header(slot->response, "ETag");
    if (etag.len == 0 || etag.len > S3_HEADER_TEXT_BYTES || span_find_byte(etag, '<') < etag.len ||
        span_find_byte(etag, '&') < etag.len) {
        return error_set(err, STATUS_FAILED, "%s: a part was taken, but without an ETag",
                         slot->what);
    }
    buf_printf(&up->parts, "<Part><PartNumber>%lld</PartNumber><ETag>%.*s</ETag></Part>",
               (long long)number, SPAN_ARG(etag));
    upload_moved(up, slot->body.len);
    return STATUS_OK;
}

static enum status upload_parts(struct uploading *up, struct error *err)
{
    enum status status = STATUS_OK;
    size_t next = 0;
    size_t front = 0;
    BUF_APPEND_LIT(&up->parts, "<CompleteMultipartUpload "
                               "xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">");
    while (status == STATUS_OK && up->moved < up->size) {
        while (status == STATUS_OK && up->read < up->size && next - front < up->slot_count) {
            status = part_send(up, up->slots[next % up->slot_count], (int64_t)next + 1, err);
            next++;
        }
        if (status == STATUS_OK) {
            status =
                upload_part_take(up, up->slots[front % up->slot_count], (int64_t)front + 1, err);
            front++;
        }
    }
    BUF_APPEND_LIT(&up->parts, "</CompleteMultipartUpload>");
    char one_more;
    if (status == STATUS_OK && read(up->fd, &one_more, 1) > 0) {
        status = changed_file(up, err);
    }
    return status;
}

static enum status upload_complete(struct uploading *up, struct error *err)
{
    struct s3_error_answer answer;
    struct s3_slot *slot = NULL;
    const struct s3_request request = {
        .method = "POST",
        .bucket = up->bucket,
        .key = up->key,
        .query = buf_span(&up->id_query),
        .content_type = "application/xml",
        .body = buf_span(&up->parts),
        .has_body = true,
    };
    enum status status = s3_client_call(up->client, &request, &slot, err);
    enum status failure = status == STATUS_OK
                              ? s3_answer_error(buf_span(&slot->response->body), &answer)
                              : STATUS_INVALID;
    if (failure == STATUS_OK) {
        status = error_set(err, STATUS_FAILED, "%s: the upload was not completed: %s (%s)",
                           slot->what, answer.code, answer.message);
    } else if (failure == STATUS_NO_MEMORY) {
        status = error_no_memory(err);
    }
    s3_slot_give(slot);
    return status;
}

/* Parts that nobody completes would be kept, and paid for; so this runs after an interruption too.
 */
static void upload_abort(struct uploading *up)
{
    struct s3_client *client = up->client;
    bool (*should_stop)(void *ctx) = client->options.should_stop;
    struct s3_slot *slot = NULL;
    struct error ignored;
    const struct s3_request request = {
        .method = "DELETE", .bucket = up->bucket, .key = up->key, .query = buf_span(&up->id_query)};
    client->options.should_stop = NULL;
    client->cleaning = true;
    if (s3_client_call(client, &request, &slot, &ignored) != STATUS_OK) {
        client->was_reached = false; /* whoever comes next learns it at once */
    }
    client->options.should_stop = should_stop;
    client->cleaning = false;
    s3_slot_give(slot);
}

static enum status upload_slots(struct uploading *up, struct error *err)
{
    size_t wanted = (size_t)S3_PIECES_IN_FLIGHT_MAX * S3_PART_BYTES / up->part_bytes;
    wanted = wanted < up->client->concurrency ? wanted : up->client->concurrency;
    do {
        struct s3_slot *slot = s3_slot_take(up->client, err);
        if (slot == NULL) {
            return STATUS_NO_MEMORY;
        }
        up->slots[up->slot_count++] = slot;
    } while (up->slot_count < wanted);
    return STATUS_OK;
}

static enum status upload_multipart(struct uploading *up, struct error *err)
{
    enum { part_document_bytes = 400 };
    uint64_t least = (up->size + S3_PARTS_MAX - 1) / S3_PARTS_MAX;
    if (least > S3_PART_BYTES_MAX) {
        return error_set(err, STATUS_LIMIT, "%s: a file has at most %d parts of %d bytes", up->path,
                         S3_PARTS_MAX, S3_PART_BYTES_MAX);
    }
    up->part_bytes = least > S3_PART_BYTES ? (size_t)least : S3_PART_BYTES;
    buf_init(&up->parts, (size_t)S3_PARTS_MAX * part_document_bytes);
    buf_init(&up->id_query, S3_URL_BYTES_MAX);
    enum status status = upload_slots(up, err);
    bool begun = false;
    if (status == STATUS_OK) {
        status = upload_begin(up, err);
        begun = status == STATUS_OK;
    }
    if (status == STATUS_OK) {
        status = upload_parts(up, err);
    }
    if (status == STATUS_OK && !buf_ok(&up->parts)) {
        status = error_set(err, STATUS_NO_MEMORY, "no memory for the list of parts");
    }
    if (status == STATUS_OK) {
        status = upload_complete(up, err);
    }
    for (size_t i = 0; i < up->slot_count; i++) {
        s3_slot_give(up->slots[i]);
    }
    if (status != STATUS_OK && begun) {
        upload_abort(up);
    }
    buf_release(&up->parts);
    buf_release(&up->id_query);
    return status;
}

static enum status upload_open(struct uploading *up, struct error *err)
{
    struct stat info;
    if (up->key.len == 0) {
        return error_set(err, STATUS_INVALID, "an object's key cannot be empty");
    }
    up->fd = open(up->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (up->fd < 0 || fstat(up->fd, &info) != 0) {
        return error_set_errno(err, errno, "%s", up->path);
    }
    if (!S_ISREG(info.st_mode)) {
        return error_set(err, STATUS_INVALID, "%s is not a file", up->path);
    }
    up->size = (uint64_t)info.st_size;
    return STATUS_OK;
}

static void upload_close(struct uploading *up)
{
    if (up->fd >= 0) {
        close(up->fd);
        up->fd = -1;
    }
}

/* A small file in one request: read into the slot and sent. */
static enum status whole_send(struct uploading *up, struct s3_slot *slot, struct error *err)
{
    up->part_bytes = S3_PART_BYTES;
    enum status status = upload_part_read(up, &slot->bytes, err);
    if (status != STATUS_OK) {
        return status;
    }
    const struct s3_request request = {
        .method = "PUT",
        .bucket = up->bucket,
        .key = up->key,
        .content_type = content_type_of(up->path),
        .body = buf_span(&slot->bytes),
        .has_body = true,
    };
    return s3_slot_send(slot, &request, err);
}

enum status s3_client_upload_start(struct s3_slot *slot, struct span bucket, struct span key,
                                   const char *path, struct error *err)
{
    struct uploading up = {
        .client = slot->client, .bucket = bucket, .key = key, .path = path, .fd = -1};
    enum status status = upload_open(&up, err);
    if (status == STATUS_OK && up.size > S3_PART_BYTES) {
        status = changed_file(&up, err);
    }
    if (status == STATUS_OK) {
        status = whole_send(&up, slot, err);
    }
    upload_close(&up);
    return status;
}

static enum status upload_whole(struct uploading *up, struct error *err)
{
    struct s3_slot *slot = s3_slot_take(up->client, err);
    enum status status = slot != NULL ? whole_send(up, slot, err) : STATUS_NO_MEMORY;
    if (status == STATUS_OK) {
        status = s3_slot_wait(slot, err);
    }
    if (status == STATUS_OK) {
        status = s3_slot_verdict(slot, err);
    }
    if (status == STATUS_OK) {
        upload_moved(up, up->size);
    }
    s3_slot_give(slot);
    return status;
}

enum status s3_client_upload(struct s3_client *client, struct span bucket, struct span key,
                             const char *path, const struct s3_transfer_progress *progress,
                             struct error *err)
{
    struct uploading up = {.client = client,
                           .bucket = bucket,
                           .key = key,
                           .path = path,
                           .fd = -1,
                           .progress = progress};
    enum status status = upload_open(&up, err);
    if (status == STATUS_OK) {
        status = up.size > S3_PART_BYTES ? upload_multipart(&up, err) : upload_whole(&up, err);
    }
    upload_close(&up);
    return status;
}
