/* A merge of two sorted walks. Jobs run beside it, so a download may add files to a directory that
 * is still to be read; such a file has a key that the merge has passed, and is taken for one that
 * only the directory has. That is why a download deletes in a pass of its own, at the end. */
#include "s3_sync.h"

#include "digest.h"
#include "s3_client_internal.h"
#include "s3_walk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    path_bytes_max = 4096,
    key_bytes_max = 1024,
    read_bytes = 256 * 1024,
    md5_hex = 32,
    note_bytes_max = 1024,
    directory_mode = 0777,
};

struct sync {
    const struct s3_sync_options *options;
    struct s3_sync_summary *summary;
    struct crypto *crypto;
    bool can_digest;
    bool delete_pass; /* of a download: nothing is copied */

    struct s3_walk *walk;
    struct s3_walk_file file;
    bool has_file;
    struct s3_listing *listing;
    struct s3_listed item;
    struct span item_path; /* the key behind the prefix */
    bool has_item;

    struct buf prefix; /* "" or with a '/' at its end */
    struct buf key;    /* of the job that is given out */
    struct buf path;
    struct buf parent; /* the directory that was made last */
};

/* --- names ----------------------------------------------------------------------------------- */

bool s3_sync_key_is_path(struct span key)
{
    struct span rest = key;
    struct span part;
    size_t depth = 0; /* DIR, and a directory for each part but the last */
    if (key.len == 0 || key.len > key_bytes_max || key.ptr[key.len - 1] == '/' ||
        memchr(key.ptr, '\0', key.len) != NULL || !span_is_utf8(key)) {
        return false;
    }
    while (span_next_part(&rest, '/', &part)) {
        if (part.len == 0 || span_equal_cstr(part, ".") || span_equal_cstr(part, "..") ||
            span_ends_with(part, SPAN_LIT(S3_PART_SUFFIX))) {
            return false;
        }
        depth++;
    }
    return depth <= S3_WALK_DEPTH_MAX;
}

static void sync_tell(const struct sync *sync, struct span what, const char *why)
{
    char text[note_bytes_max];
    if (sync->options->note != NULL) {
        snprintf(text, sizeof(text), "%.*s: %s", SPAN_ARG(span_first(what, note_bytes_max / 2)),
                 why);
        sync->options->note(sync->options->ctx, text);
    }
}

/* Counts a file that the walk of an upload passes over: it was not synchronised. */
static void walk_note(void *ctx, const char *text)
{
    const struct sync *sync = ctx;
    sync->summary->skipped++;
    if (sync->options->note != NULL) {
        sync->options->note(sync->options->ctx, text);
    }
}

/* Fills key and path for what lies at `relative` on either side. */
static void name_both(struct sync *sync, struct span relative)
{
    const char *dir = sync->options->dir;
    size_t len = strlen(dir);
    buf_reset(&sync->key);
    buf_append_span(&sync->key, buf_span(&sync->prefix));
    buf_append_span(&sync->key, relative);
    buf_reset(&sync->path);
    buf_append_cstr(&sync->path, dir);
    if (len > 0 && dir[len - 1] != '/') {
        buf_append_byte(&sync->path, '/');
    }
    buf_append_span(&sync->path, relative);
}

/* --- is it the same? ------------------------------------------------------------------------- */

static bool md5_of_file(struct sync *sync, const char *path, char hex[DIGEST_HEX_BYTES_MAX])
{
    struct digest *digest = NULL;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    char *bytes = malloc(read_bytes);
    ssize_t got = -1;
    if (fd >= 0 && bytes != NULL && digest_new(sync->crypto, DIGEST_MD5, &digest) == STATUS_OK) {
        while ((got = read(fd, bytes, read_bytes)) > 0 || (got < 0 && errno == EINTR)) {
            digest_update(digest, span_from(bytes, got > 0 ? (size_t)got : 0));
        }
    }
    if (got == 0) {
        const struct digest_value value = digest_finish(digest);
        digest_hex(&value, hex);
    }
    digest_free(digest);
    free(bytes);
    if (fd >= 0) {
        close(fd);
    }
    return got == 0;
}

static bool has_same_md5(struct sync *sync)
{
    char hex[DIGEST_HEX_BYTES_MAX];
    name_both(sync, sync->file.path);
    return sync->can_digest && sync->item.etag.len == md5_hex && buf_ok(&sync->path) &&
           md5_of_file(sync, buf_cstr(&sync->path), hex) && span_equal_cstr(sync->item.etag, hex);
}

/* A file that is older than its object was uploaded as it is, as in the aws CLI; S3's times are
 * whole seconds, so of one second the content decides where it can. A download has given its file
 * the object's time, to the millisecond. */
static bool is_alike(struct sync *sync)
{
    bool has_md5 = sync->can_digest && sync->item.etag.len == md5_hex;
    int64_t item_s = sync->item.modified_ms / 1000;
    int64_t file_s = sync->file.modified_ms / 1000;
    if (sync->file.size != sync->item.size) {
        return false;
    }
    bool by_time = sync->options->upload ? file_s < item_s || (file_s == item_s && !has_md5)
                                         : sync->file.modified_ms == item_s * 1000;
    return by_time || (has_md5 && has_same_md5(sync));
}

/* --- the two walks --------------------------------------------------------------------------- */

static enum status next_file(struct sync *sync, struct error *err)
{
    return s3_walk_next(sync->walk, &sync->file, &sync->has_file, err);
}

/* A key that ends in '/' stands for a folder; files make those by themselves. */
static bool is_folder_marker(const struct sync *sync)
{
    return sync->item_path.len == 0 || sync->item_path.ptr[sync->item_path.len - 1] == '/';
}

static enum status next_item(struct sync *sync, struct error *err)
{
    enum status status;
    for (;;) {
        status = s3_listing_next(sync->listing, &sync->item, &sync->has_item, err);
        if (status != STATUS_OK || !sync->has_item) {
            return status;
        }
        PP_ASSERT(span_starts_with(sync->item.key, buf_span(&sync->prefix))); /* or it is refused */
        sync->item_path = span_skip(sync->item.key, sync->prefix.len);
        if (!is_folder_marker(sync)) {
            break;
        }
    }
    return STATUS_OK;
}

static enum status walks_open(struct sync *sync, struct error *err)
{
    const struct s3_sync_options *options = sync->options;
    const struct s3_list list = {.bucket = options->bucket,
                                 .prefix = buf_span(&sync->prefix),
                                 .delimiter = SPAN_EMPTY,
                                 .start_after = SPAN_EMPTY};
    enum status status = s3_listing_open(options->client, &list, &sync->listing, err);
    if (status == STATUS_OK) {
        status = next_item(sync, err);
    }
    if (status == STATUS_OK) {
        status =
            s3_walk_open(options->dir, options->upload ? walk_note : NULL, sync, &sync->walk, err);
    }
    return status == STATUS_OK ? next_file(sync, err) : status;
}

static void walks_close(struct sync *sync)
{
    s3_listing_close(sync->listing);
    s3_walk_close(sync->walk);
    sync->listing = NULL;
    sync->walk = NULL;
}

/* --- directories for downloads --------------------------------------------------------------- */

static bool sync_directory_make(const char *path)
{
    struct stat info;
    if (mkdir(path, directory_mode) == 0) {
        return true;
    }
    return errno == EEXIST && lstat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

/* Makes the directories between DIR and the file. A link among them could lead out of DIR. */
static bool parents_make(struct sync *sync)
{
    struct buf *path = &sync->path;
    size_t end = path->len;
    while (end > 0 && path->ptr[end - 1] != '/') {
        end--;
    }
    struct span parent = span_first(buf_span(path), end);
    if (span_equal(parent, buf_span(&sync->parent))) {
        return true;
    }
    for (size_t i = strlen(sync->options->dir) + 1; i < end; i++) {
        if (path->ptr[i] == '/') {
            path->ptr[i] = '\0';
            bool made = sync_directory_make(path->ptr);
            path->ptr[i] = '/';
            if (!made) {
                return false;
            }
        }
    }
    buf_reset(&sync->parent);
    buf_append_span(&sync->parent, parent);
    return true;
}

static bool path_is_ready(struct sync *sync)
{
    if (!s3_sync_key_is_path(sync->item_path)) {
        sync_tell(sync, sync->item.key, "this key is no path that could be read back: skipped");
    } else if (sync->path.no_memory) {
        return false; /* merge_step says so */
    } else if (!buf_ok(&sync->path)) {
        sync_tell(sync, sync->item.key, "the path is too long: skipped");
    } else if (!sync->options->dry_run && !parents_make(sync)) {
        char text[128];
        snprintf(text, sizeof(text),
                 "its directory is a link or a file, or cannot be made: skipped: %s",
                 strerror(errno));
        sync_tell(sync, sync->item.key, text);
    } else {
        return true;
    }
    sync->summary->skipped++;
    return false;
}

/* --- what to do ------------------------------------------------------------------------------ */

static void did(const struct sync *sync, enum s3_job_kind kind)
{
    *(kind == S3_JOB_DELETE ? &sync->summary->deleted : &sync->summary->copied) += 1;
    if (sync->options->did != NULL) {
        sync->options->did(sync->options->ctx, kind, buf_span(&sync->key), buf_cstr(&sync->path));
    }
}

static void remove_file(struct sync *sync)
{
    if (sync->options->dry_run || unlink(buf_cstr(&sync->path)) == 0) {
        did(sync, S3_JOB_DELETE);
    } else {
        sync->summary->failed++;
        sync_tell(sync, buf_span(&sync->path), strerror(errno));
    }
}

/* Is there a job for the file that only the directory has? */
static bool only_file(struct sync *sync, struct s3_job *job)
{
    name_both(sync, sync->file.path);
    if (sync->options->upload) {
        *job = (struct s3_job){.kind = S3_JOB_UPLOAD, .size = sync->file.size};
        return true;
    }
    if (sync->delete_pass && buf_ok(&sync->path)) {
        remove_file(sync);
    }
    return false;
}

static bool only_item(struct sync *sync, struct s3_job *job)
{
    name_both(sync, sync->item_path);
    if (sync->delete_pass) {
        return false;
    }
    if (sync->options->upload) {
        *job = (struct s3_job){.kind = S3_JOB_DELETE};
        return sync->options->delete_extra;
    }
    *job = (struct s3_job){.kind = S3_JOB_DOWNLOAD, .size = sync->item.size};
    return path_is_ready(sync);
}

static bool on_both(struct sync *sync, struct s3_job *job)
{
    if (sync->delete_pass) {
        return false;
    }
    if (!sync->options->copy_alike && is_alike(sync)) {
        sync->summary->alike++;
        return false;
    }
    if (sync->options->upload) {
        return only_file(sync, job);
    }
    return only_item(sync, job);
}

/* Looks at what comes next on either side. */
static enum status merge_step(struct sync *sync, struct s3_job *job, bool *found, struct error *err)
{
    int order = !sync->has_item   ? -1
                : !sync->has_file ? 1
                                  : span_compare(sync->file.path, sync->item_path);
    *found = order == 0  ? on_both(sync, job)
             : order < 0 ? only_file(sync, job)
                         : only_item(sync, job);
    if (sync->path.no_memory || sync->key.no_memory) {
        *found = false;
        return error_no_memory(err);
    }
    enum status status = order <= 0 ? next_file(sync, err) : STATUS_OK;
    return status == STATUS_OK && order >= 0 ? next_item(sync, err) : status;
}

static enum status next_job(void *ctx, struct s3_job *job, bool *more, struct error *err)
{
    struct sync *sync = ctx;
    bool found = false;
    enum status status = STATUS_OK;
    const struct progress *progress = sync->options->progress;
    while (status == STATUS_OK && (sync->has_file || sync->has_item)) {
        status = merge_step(sync, job, &found, err);
        if (found && sync->options->dry_run) {
            did(sync, job->kind);
        } else if (found) {
            break;
        }
        if (progress != NULL && progress->should_stop != NULL &&
            progress->should_stop(progress->ctx)) {
            return error_set(err, STATUS_INTERRUPTED, "stopped");
        }
        found = false;
    }
    job->key = buf_span(&sync->key);
    job->path = buf_cstr(&sync->path);
    *more = found;
    return status;
}

static void job_done(void *ctx, const struct s3_job *job, enum status status,
                     const struct error *err)
{
    struct sync *sync = ctx;
    const struct s3_sync_options *options = sync->options;
    if (status != STATUS_OK) {
        sync->summary->failed++;
        if (options->note != NULL) {
            options->note(options->ctx, err->message);
        }
    } else {
        *(job->kind == S3_JOB_DELETE ? &sync->summary->deleted : &sync->summary->copied) += 1;
        if (options->did != NULL) {
            options->did(options->ctx, job->kind, job->key, job->path);
        }
    }
    if (options->progress != NULL && options->progress->update != NULL) {
        options->progress->update(
            options->progress->ctx, "sync",
            sync->summary->copied + sync->summary->deleted + sync->summary->failed, 0);
    }
}

/* --- the run --------------------------------------------------------------------------------- */

static enum status run_pass(struct sync *sync, struct error *err)
{
    const struct s3_jobs jobs = {
        .bucket = sync->options->bucket, .next = next_job, .done = job_done, .ctx = sync};
    enum status status = walks_open(sync, err);
    if (status == STATUS_OK) {
        status = s3_client_run_jobs(sync->options->client, &jobs, err);
    }
    walks_close(sync);
    return status;
}

static enum status sync_check_directory(const struct s3_sync_options *options, struct error *err)
{
    struct stat info;
    if (stat(options->dir, &info) == 0) {
        return S_ISDIR(info.st_mode)
                   ? STATUS_OK
                   : error_set(err, STATUS_USAGE, "%s is not a directory", options->dir);
    }
    if (options->upload || errno != ENOENT) {
        return error_set_errno(err, errno, "%s", options->dir);
    }
    return options->dry_run || mkdir(options->dir, directory_mode) == 0
               ? STATUS_OK
               : error_set_errno(err, errno, "%s", options->dir);
}

static enum status sync_run_passes(struct sync *sync, struct error *err)
{
    const struct s3_sync_options *options = sync->options;
    struct error ignored;
    enum status status = sync_check_directory(options, err);
    if (status == STATUS_OK && crypto_new(&sync->crypto) != STATUS_OK) {
        status = error_set(err, STATUS_NO_MEMORY, "no memory to synchronise");
    }
    if (status != STATUS_OK) {
        return status;
    }
    /* Without a digest, what may differ is copied. */
    sync->can_digest = crypto_ready(sync->crypto, &ignored) == STATUS_OK;
    status = run_pass(sync, err);
    if (status == STATUS_OK && !options->upload && options->delete_extra) {
        sync->delete_pass = true;
        status = run_pass(sync, err);
    }
    return status;
}

enum status s3_sync_run(const struct s3_sync_options *options, struct s3_sync_summary *summary,
                        struct error *err)
{
    struct sync sync = {.options = options, .summary = summary};
    *summary = (struct s3_sync_summary){.copied = 0};
    buf_init(&sync.prefix, key_bytes_max);
    buf_init(&sync.key, key_bytes_max * 2);
    buf_init(&sync.path, path_bytes_max);
    buf_init(&sync.parent, path_bytes_max);
    buf_append_span(&sync.prefix, options->prefix);
    if (options->prefix.len > 0 && options->prefix.ptr[options->prefix.len - 1] != '/') {
        buf_append_byte(&sync.prefix, '/');
    }
    /* A prefix that is lost would be the whole bucket, whose other objects --delete would take. */
    enum status status = buf_ok(&sync.prefix)
                             ? sync_run_passes(&sync, err)
                             : buf_error(&sync.prefix, err, STATUS_INVALID,
                                         "a prefix is longer than %d bytes", key_bytes_max);
    crypto_free(sync.crypto);
    buf_release(&sync.prefix);
    buf_release(&sync.key);
    buf_release(&sync.path);
    buf_release(&sync.parent);
    return status;
}
