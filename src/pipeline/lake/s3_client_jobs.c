/* Many files: the small ones side by side, one slot each; a large one waits until they have ended
 * and then has the client to itself. */
#include "s3_client_internal.h"

#include <stdlib.h>

/* A job with its own copy of the texts. */
struct job_place {
    struct s3_job job;
    struct buf key;
    struct buf path;
    struct s3_slot *slot;
    bool busy;
};

struct job_run {
    struct s3_client *client;
    const struct s3_jobs *jobs;
    struct job_place *places;
    size_t place_count;
    size_t busy;
    struct job_place large; /* waits for the others to end */
    bool has_large;
    bool exhausted;
};

static bool ends_the_run(enum status status)
{
    return status == STATUS_INTERRUPTED || status == STATUS_UNREACHABLE ||
           status == STATUS_TIMED_OUT || status == STATUS_ENDLESS || status == STATUS_CONFIG ||
           status == STATUS_NO_MEMORY || status == STATUS_DISK_FULL;
}

static void place_init(struct job_place *place)
{
    *place = (struct job_place){.busy = false};
    buf_init(&place->key, S3_KEY_BYTES_MAX);
    buf_init(&place->path, S3_PATH_BYTES_MAX);
}

static enum status place_take(struct job_place *place, const struct s3_job *job, struct error *err)
{
    buf_reset(&place->key);
    buf_reset(&place->path);
    buf_append_span(&place->key, job->key);
    buf_append_cstr(&place->path, job->path != NULL ? job->path : "");
    place->job = *job;
    place->job.key = buf_span(&place->key);
    place->job.path = buf_cstr(&place->path);
    if (job->key.len == 0 || !buf_ok(&place->key) || !buf_ok(&place->path)) {
        return buf_error(buf_ok(&place->key) ? &place->path : &place->key, err, STATUS_INVALID,
                         "a key has 1 to %d bytes, a path at most %d: \"%.*s\"", S3_KEY_BYTES_MAX,
                         S3_PATH_BYTES_MAX, SPAN_ARG(span_first(job->key, 60)));
    }
    return STATUS_OK;
}

/* --- one job --------------------------------------------------------------------------------- */

static enum status job_start(const struct job_run *run, struct job_place *place, struct error *err)
{
    const struct s3_job *job = &place->job;
    struct s3_request request = {.bucket = run->jobs->bucket, .key = job->key};
    switch (job->kind) {
    case S3_JOB_UPLOAD:
        return s3_client_upload_start(place->slot, run->jobs->bucket, job->key, job->path, err);
    case S3_JOB_DOWNLOAD:
        request.method = "GET";
        break;
    case S3_JOB_DELETE:
        request.method = "DELETE";
        break;
    case S3_JOB_COPY:
        request.method = "PUT";
        request.copy_key = span_from_cstr(job->path);
        (void)span_next_part(&request.copy_key, '/', &request.copy_bucket);
        break;
    }
    return s3_slot_send(place->slot, &request, err);
}

static enum status download_finish(const struct job_place *place, struct error *err)
{
    struct s3_new_file file;
    struct s3_head head;
    s3_client_head_read(place->slot->response, &head);
    enum status status = s3_new_file_open(&file, place->job.path, err);
    if (status == STATUS_OK) {
        status = s3_new_file_write(&file, buf_span(&place->slot->response->body), err);
    }
    if (status == STATUS_OK) {
        status = s3_new_file_finish(&file, head.modified_ms, err);
    }
    s3_new_file_abandon(&file);
    return status;
}

static enum status s3_job_finish(const struct job_place *place, struct error *err)
{
    enum status status = s3_slot_verdict(place->slot, err);
    if (status == STATUS_OK && place->job.kind == S3_JOB_DOWNLOAD) {
        status = download_finish(place, err);
    } else if (status == STATUS_OK && place->job.kind == S3_JOB_COPY) {
        status = s3_copy_verdict(place->slot, err);
    }
    return status;
}

static enum status large_run(const struct job_run *run, struct error *err)
{
    const struct s3_job *job = &run->large.job;
    return job->kind == S3_JOB_UPLOAD
               ? s3_client_upload(run->client, run->jobs->bucket, job->key, job->path, NULL, err)
               : s3_client_download(run->client, run->jobs->bucket, job->key, job->path, NULL, err);
}

/* --- all of them ----------------------------------------------------------------------------- */

/* Tells of the end of a job; not OK ends the run, and is the run's to tell. */
static enum status job_told(const struct job_run *run, const struct s3_job *job, enum status status,
                            const struct error *err)
{
    if (ends_the_run(status)) {
        return status;
    }
    run->jobs->done(run->jobs->ctx, job, status, err);
    return STATUS_OK;
}

static struct job_place *place_free(struct job_run *run)
{
    for (size_t i = 0; i < run->place_count; i++) {
        if (!run->places[i].busy) {
            return &run->places[i];
        }
    }
    return NULL;
}

static enum status fill(struct job_run *run, struct error *err)
{
    struct job_place *place;
    enum status status = STATUS_OK;
    while (status == STATUS_OK && !run->exhausted && !run->has_large &&
           (place = place_free(run)) != NULL) {
        struct s3_job job = {.key = SPAN_EMPTY};
        bool more = false;
        status = run->jobs->next(run->jobs->ctx, &job, &more, err);
        run->exhausted = !more;
        if (status != STATUS_OK || !more) {
            break;
        }
        run->has_large =
            (job.kind == S3_JOB_UPLOAD || job.kind == S3_JOB_DOWNLOAD) && job.size > S3_PART_BYTES;
        place = run->has_large ? &run->large : place;
        enum status begun = place_take(place, &job, err);
        if (begun == STATUS_OK && !run->has_large) {
            begun = job_start(run, place, err);
            place->busy = begun == STATUS_OK;
            run->busy += place->busy ? 1 : 0;
        }
        if (begun != STATUS_OK) {
            run->has_large = false;
            status = job_told(run, &place->job, begun, err);
        }
    }
    return status;
}

static enum status settle_one(struct job_run *run, struct error *err)
{
    struct s3_slot *slots[S3_CONCURRENCY_MAX];
    struct job_place *owners[S3_CONCURRENCY_MAX];
    size_t count = 0;
    size_t settled = 0;
    for (size_t i = 0; i < run->place_count; i++) {
        if (run->places[i].busy) {
            owners[count] = &run->places[i];
            slots[count++] = run->places[i].slot;
        }
    }
    enum status status = s3_slots_wait_any(run->client, slots, count, &settled, err);
    if (status != STATUS_OK) {
        return status;
    }
    struct job_place *place = owners[settled];
    enum status ended = s3_job_finish(place, err);
    place->busy = false;
    run->busy--;
    return job_told(run, &place->job, ended, err);
}

static enum status run_all(struct job_run *run, struct error *err)
{
    enum status status = fill(run, err);
    while (status == STATUS_OK && (run->busy > 0 || run->has_large)) {
        if (run->busy > 0) {
            status = settle_one(run, err);
        } else {
            enum status ended = large_run(run, err);
            run->has_large = false;
            status = job_told(run, &run->large.job, ended, err);
        }
        if (status == STATUS_OK) {
            status = fill(run, err);
        }
    }
    return status;
}

enum status s3_client_run_jobs(struct s3_client *client, const struct s3_jobs *jobs,
                               struct error *err)
{
    struct job_run run = {.client = client, .jobs = jobs};
    place_init(&run.large);
    run.places = calloc(client->concurrency, sizeof(*run.places));
    enum status status =
        run.places != NULL ? STATUS_OK : error_set(err, STATUS_NO_MEMORY, "no memory for jobs");
    while (status == STATUS_OK && run.place_count < client->concurrency) {
        struct job_place *place = &run.places[run.place_count++];
        place_init(place);
        place->slot = s3_slot_take(client, err);
        status = place->slot != NULL ? STATUS_OK : STATUS_NO_MEMORY;
    }
    if (status == STATUS_OK) {
        status = run_all(&run, err);
    }
    for (size_t i = 0; i < run.place_count; i++) {
        s3_slot_give(run.places[i].slot);
        buf_release(&run.places[i].key);
        buf_release(&run.places[i].path);
    }
    buf_release(&run.large.key);
    buf_release(&run.large.path);
    free(run.places);
    return status;
}
