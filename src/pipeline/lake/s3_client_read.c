/* Objects read in pieces: a ring of slots asks for them side by side and gives them on in order. A
 * file is written beside its place and renamed when it is whole. */
#include "s3_client_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { file_mode = 0666 };

/* --- reading in pieces ----------------------------------------------------------------------- */

struct reading {
    struct s3_client *client;
    struct span bucket;
    struct span key;
    struct s3_slot *slots[S3_PIECES_IN_FLIGHT_MAX];
    size_t slot_count;
    uint64_t size;
    uint64_t asked; /* bytes that were asked for */
    uint64_t given; /* bytes that were written */
    char etag[sizeof(((struct s3_head *)NULL)->etag)];
};

static enum status piece_ask(struct reading *reading, struct s3_slot *slot, struct error *err)
{
    char range[S3_HEADER_TEXT_BYTES];
    snprintf(range, sizeof(range), "bytes=%llu-%llu", (unsigned long long)reading->asked,
             (unsigned long long)(reading->asked + S3_PART_BYTES - 1));
    const struct s3_request request = {
        .method = "GET",
        .bucket = reading->bucket,
        .key = reading->key,
        .range = range,
        .if_match = reading->etag[0] != '\0' ? reading->etag : NULL,
    };
    reading->asked += S3_PART_BYTES;
    return s3_slot_send(slot, &request, err);
}

static enum status changed_meanwhile(const struct s3_slot *slot, struct error *err)
{
    return error_set(err, STATUS_FAILED, "%s: the object changed while it was read", slot->what);
}

static enum status piece_take(struct reading *reading, struct s3_slot *slot,
                              const struct s3_sink *sink, struct error *err)
{
    enum status status = s3_slot_wait(slot, err);
    if (status != STATUS_OK) {
        return status;
    }
    if (slot->response->failure == HTTP_FAILURE_NONE && slot->response->status == 412) {
        return changed_meanwhile(slot, err);
    }
    status = s3_slot_verdict(slot, err);
    if (status != STATUS_OK) {
        return status;
    }
    struct span bytes = buf_span(&slot->response->body);
    uint64_t left = reading->size - reading->given;
    if (bytes.len != (left < S3_PART_BYTES ? left : S3_PART_BYTES)) {
        return changed_meanwhile(slot, err);
    }
    reading->given += bytes.len;
    return sink->write(sink->ctx, bytes, err);
}

/* The first piece tells size and ETag; S3 answers 416 for the first byte of an empty object. */
static enum status first_piece(struct reading *reading, struct s3_head *head, struct error *err)
{
    struct s3_slot *slot = reading->slots[0];
    enum status status = piece_ask(reading, slot, err);
    if (status == STATUS_OK) {
        status = s3_slot_wait(slot, err);
    }
    if (status != STATUS_OK) {
        return status;
    }
    if (slot->response->failure == HTTP_FAILURE_NONE && slot->response->status == 416) {
        reading->asked = 0;
        status = s3_client_head(reading->client, reading->bucket, reading->key, head, err);
        return status == STATUS_OK && head->size != 0 ? changed_meanwhile(slot, err) : status;
    }
    status = s3_slot_verdict(slot, err);
    if (status == STATUS_OK) {
        s3_client_head_read(slot->response, head);
        reading->size = head->size;
        snprintf(reading->etag, sizeof(reading->etag), "%s", head->etag);
    }
    return status;
}

static enum status read_pieces(struct reading *reading, const struct s3_sink *sink,
                               struct error *err)
{
    enum status status = STATUS_OK;
    size_t next = 1; /* the slot of the next piece to ask for */
    size_t front = 0;
    while (status == STATUS_OK && reading->given < reading->size) {
        while (status == STATUS_OK && reading->asked < reading->size &&
               next - front < reading->slot_count) {
            status = piece_ask(reading, reading->slots[next % reading->slot_count], err);
            next++;
        }
        if (status == STATUS_OK) {
            status = piece_take(reading, reading->slots[front % reading->slot_count], sink, err);
            front++;
        }
    }
    return status;
}

enum status s3_client_read(struct s3_client *client, struct span bucket, struct span key,
                           const struct s3_sink *sink, struct s3_head *head, struct error *err)
{
    struct reading reading = {.client = client, .bucket = bucket, .key = key};
    enum status status =
        key.len > 0 ? STATUS_OK : error_set(err, STATUS_INVALID, "a key cannot be empty");
    while (status == STATUS_OK && reading.slot_count < S3_PIECES_IN_FLIGHT_MAX &&
           reading.slot_count < client->concurrency) {
        struct s3_slot *slot = s3_slot_take(client, err);
        reading.slots[reading.slot_count] = slot;
        status = slot != NULL ? STATUS_OK : STATUS_NO_MEMORY;
        reading.slot_count += slot != NULL ? 1 : 0;
    }
    if (status == STATUS_OK) {
        status = first_piece(&reading, head, err);
    }
    if (status == STATUS_OK) {
        status = read_pieces(&reading, sink, err);
    }
    for (size_t i = 0; i < reading.slot_count; i++) {
        s3_slot_give(reading.slots[i]);
    }
    return status;
}

/* --- a file that appears whole or not at all ------------------------------------------------- */

/* The lock ends with its process, however that ends. False: somebody holds it. */
static bool part_sweep(const char *beside)
{
    int fd = open(beside, O_WRONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    bool free_now = fd < 0 || flock(fd, LOCK_EX | LOCK_NB) == 0;
    if (free_now) {
        unlink(beside);
    }
    if (fd >= 0) {
        close(fd);
    }
    return free_now;
}

static enum status part_make(struct s3_new_file *file, struct error *err)
{
    enum { flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW };
    file->fd = open(file->beside, flags, file_mode);
    if (file->fd < 0 && errno == EEXIST && part_sweep(file->beside)) {
        file->fd = open(file->beside, flags, file_mode);
    }
    if (file->fd < 0 && errno != EEXIST && errno != EWOULDBLOCK) {
        return error_set_errno(err, errno, "%s", file->path);
    }
    if (file->fd < 0 || (flock(file->fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK)) {
        return error_set(err, STATUS_BUSY, "%s: another process is writing it", file->path);
    }
    return STATUS_OK;
}

enum status s3_new_file_open(struct s3_new_file *file, const char *path, struct error *err)
{
    struct stat info;
    file->path = path;
    file->written = 0;
    file->fd = -1;
    /* The new file is renamed over the old one; a device or a pipe would be gone for everybody. */
    if (stat(path, &info) == 0 && !S_ISREG(info.st_mode)) {
        return S_ISDIR(info.st_mode) ? error_set(err, STATUS_INVALID, "%s is a directory", path)
                                     : error_set(err, STATUS_INVALID,
                                                 "%s is not a file; `pinpipe s3 cat` writes "
                                                 "an object to stdout",
                                                 path);
    }
    int len = snprintf(file->beside, sizeof(file->beside), "%s" S3_PART_SUFFIX, path);
    if (len < 0 || (size_t)len >= sizeof(file->beside)) {
        return error_set(err, STATUS_LIMIT, "a path is longer than %d bytes", S3_PATH_BYTES_MAX);
    }
    return part_make(file, err);
}

enum status s3_new_file_write(struct s3_new_file *file, struct span bytes, struct error *err)
{
    while (bytes.len > 0) {
        ssize_t written = write(file->fd, bytes.ptr, bytes.len);
        if (written < 0 && errno != EINTR) {
            return error_set_errno(err, errno, "%s", file->path);
        }
        size_t taken = written > 0 ? (size_t)written : 0;
        file->written += taken;
        bytes = span_skip(bytes, taken);
    }
    return STATUS_OK;
}

/* The file gets the object's time, which a later sync compares. */
enum status s3_new_file_finish(struct s3_new_file *file, int64_t modified_ms, struct error *err)
{
    struct timespec times[2] = {
        {.tv_nsec = UTIME_OMIT},
        {.tv_sec = (time_t)(modified_ms / 1000), .tv_nsec = (long)(modified_ms % 1000) * 1000000}};
    bool done = modified_ms <= 0 || futimens(file->fd, times) == 0;
    done = close(file->fd) == 0 && done;
    file->fd = -1;
    if (done && rename(file->beside, file->path) == 0) {
        return STATUS_OK;
    }
    error_set_errno(err, errno, "%s", file->path);
    unlink(file->beside);
    return err != NULL ? err->code : STATUS_IO;
}

void s3_new_file_abandon(struct s3_new_file *file)
{
    if (file->fd >= 0) {
        close(file->fd);
        unlink(file->beside);
        file->fd = -1;
    }
}

struct file_sink {
    struct s3_new_file file;
    const struct s3_transfer_progress *progress;
    const struct s3_head *head;
};

static enum status file_sink_write(void *ctx, struct span bytes, struct error *err)
{
    struct file_sink *sink = ctx;
    enum status status = s3_new_file_write(&sink->file, bytes, err);
    if (status == STATUS_OK && sink->progress != NULL) {
        sink->progress->moved(sink->progress->ctx, sink->file.written, sink->head->size);
    }
    return status;
}

enum status s3_client_download(struct s3_client *client, struct span bucket, struct span key,
                               const char *path, const struct s3_transfer_progress *progress,
                               struct error *err)
{
    struct s3_head head;
    struct file_sink sink = {.progress = progress, .head = &head};
    const struct s3_sink to = {file_sink_write, &sink};
    enum status status = s3_new_file_open(&sink.file, path, err);
    if (status == STATUS_OK) {
        status = s3_client_read(client, bucket, key, &to, &head, err);
    }
    if (status == STATUS_OK) {
        status = s3_new_file_finish(&sink.file, head.modified_ms, err);
    }
    s3_new_file_abandon(&sink.file);
    return status;
}
