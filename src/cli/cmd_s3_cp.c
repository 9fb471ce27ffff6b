/* `pinpipe s3 cp`, `rm`, `mb` and `rb`, with the aws CLI's words: what was done stands on stdout, a
 * line each, or is one JSON document. With --recursive a name is a folder, as there: "s3://b/top"
 * is what lies below "top/". */
#include "cmd_s3.h"
#include "json_write.h"
#include "s3_session.h"
#include "s3_sync.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { object_name_bytes_max = 4 * 1024, moved_json_bytes_max = 64 * 1024 };

/* A command at work, and what it has told. */
struct s3_doing {
    struct s3_session session;
    bool dry_run;
    bool json;
    struct buf line;
    struct json_writer writer; /* into `line` */
    uint64_t failed;
    enum status told; /* not OK: what was done could not be told */
    /* Of a run over a listing. */
    struct s3_listing *listing;
    struct s3_name from;
    struct s3_name to; /* of copies */
    bool copies;       /* else deletes */
    struct buf from_text;
    struct buf to_key;
};

/* --- what is told ---------------------------------------------------------------------------- */

static void doing_flush(struct s3_doing *doing)
{
    struct cli *cli = doing->session.cli;
    if (!buf_ok(&doing->line)) {
        doing->told = STATUS_NO_MEMORY;
    } else {
        fwrite(doing->line.ptr, 1, doing->line.len, cli->out);
    }
    buf_reset(&doing->line);
}

static void doing_tell(struct s3_doing *doing, const char *what, const char *source,
                       const char *target)
{
    struct cli *cli = doing->session.cli;
    char word[64];
    cli_progress_end(&doing->session.progress);
    if (!doing->json) {
        snprintf(word, sizeof(word), "%s%s", doing->dry_run ? "(dryrun) " : "", what);
        s3_print_move(cli, word, source, target);
        return;
    }
    json_write_object(&doing->writer);
    json_member_cstr(&doing->writer, "operation", what);
    json_member_cstr(&doing->writer, "source", source);
    if (target != NULL) {
        json_member_cstr(&doing->writer, "target", target);
    }
    json_write_end(&doing->writer);
    doing_flush(doing);
}

static void doing_note(void *ctx, const char *text)
{
    struct s3_doing *doing = ctx;
    struct cli *cli = doing->session.cli;
    cli_progress_end(&doing->session.progress);
    fprintf(cli->err, "pinpipe %s: ", cli->command_path);
    cli_put_text(cli, cli->err, span_from_cstr(text));
    fputc('\n', cli->err);
}

static enum status doing_begin(struct s3_doing *doing, struct cli *cli, struct error *err)
{
    *doing = (struct s3_doing){.json = cli_switch(cli, "json"), .told = STATUS_OK};
    buf_init(&doing->line, moved_json_bytes_max);
    buf_init(&doing->from_text, object_name_bytes_max);
    buf_init(&doing->to_key, object_name_bytes_max);
    doing->writer = json_writer_to(&doing->line);
    enum status status = s3_session_open(&doing->session, cli, err);
    if (status == STATUS_OK && doing->json) {
        json_write_object(&doing->writer);
        json_member_array(&doing->writer, "operations");
        doing_flush(doing);
    }
    return status;
}

static int doing_end(struct s3_doing *doing, enum status status, struct error *err)
{
    struct cli *cli = doing->session.cli;
    if (doing->json && doing->session.client != NULL) {
        json_write_end(&doing->writer);
        json_member_u64(&doing->writer, "failed", doing->failed + (status != STATUS_OK ? 1 : 0));
        json_member_bool(&doing->writer, "dry_run", doing->dry_run);
        json_write_end(&doing->writer);
        buf_append_byte(&doing->line, '\n');
        doing_flush(doing);
    }
    if (status == STATUS_OK && doing->told != STATUS_OK) {
        status = error_set(err, doing->told, "no memory to say all that was done");
    }
    if (status == STATUS_OK && fflush(cli->out) != 0) {
        status = error_set_errno(err, errno, "cannot write to stdout");
    }
    buf_release(&doing->line);
    buf_release(&doing->from_text);
    buf_release(&doing->to_key);
    int code = s3_session_close(&doing->session, status, err);
    return code == 0 && doing->failed > 0 ? EXIT_CODE_WORK : code;
}

/* --- cp: one --------------------------------------------------------------------------------- */

static int copy_upload(struct cli *cli, const char *path, const char *target)
{
    struct error err = ERROR_NONE;
    struct s3_doing doing;
    struct s3_name to;
    const char *object;
    if (s3_target_object(cli, target, span_from_cstr(path), &object, &err) != STATUS_OK) {
        return s3_target_refused(cli, &err);
    }
    bool named = s3_object_parse(object, &to);
    PP_ASSERT(named);
    enum status status = doing_begin(&doing, cli, &err);
    doing.dry_run = cli_switch(cli, "dryrun");
    if (status == STATUS_OK && !doing.dry_run) {
        const struct s3_transfer_progress moving = s3_session_transfer(&doing.session, "upload");
        status = s3_client_upload(doing.session.client, to.bucket, to.key, path, &moving, &err);
    }
    if (status == STATUS_OK) {
        doing_tell(&doing, "upload", path, object);
    }
    return doing_end(&doing, status, &err);
}

static enum status write_stdout(void *ctx, struct span bytes, struct error *err)
{
    struct cli *cli = ctx;
    return fwrite(bytes.ptr, 1, bytes.len, cli->out) == bytes.len
               ? STATUS_OK
               : error_set_errno(err, errno, "cannot write to stdout");
}

static int copy_to_stdout(struct cli *cli, const struct s3_name *from)
{
    struct error err = ERROR_NONE;
    struct s3_session session;
    struct s3_head head;
    const struct s3_sink sink = {write_stdout, cli};
    if (cli_switch(cli, "json") || cli_switch(cli, "dryrun")) {
        return cli_usage(cli,
                         "\"-\" is the output, and the object's alone: no --json, no --dryrun");
    }
    enum status status = s3_session_open(&session, cli, &err);
    if (status == STATUS_OK) {
        status = s3_client_read(session.client, from->bucket, from->key, &sink, &head, &err);
    }
    if (status == STATUS_OK && fflush(cli->out) != 0) {
        status = error_set_errno(&err, errno, "cannot write to stdout");
    }
    return s3_session_close(&session, status, &err);
}

static int copy_download(struct cli *cli, const char *source, const char *target)
{
    struct error err = ERROR_NONE;
    struct s3_doing doing;
    struct s3_name from;
    struct s3_head head;
    if (!s3_object_parse(source, &from)) {
        return cli_usage(cli, "\"%s\" is not s3://bucket/key; --recursive copies what is below it",
                         source);
    }
    if (strcmp(target, "-") == 0) {
        return copy_to_stdout(cli, &from);
    }
    const char *path;
    if (s3_target_file(cli, target, &from, &path, &err) != STATUS_OK) {
        return s3_target_refused(cli, &err);
    }
    enum status status = doing_begin(&doing, cli, &err);
    doing.dry_run = cli_switch(cli, "dryrun");
    if (status == STATUS_OK && doing.dry_run) {
        status = s3_client_head(doing.session.client, from.bucket, from.key, &head, &err);
    } else if (status == STATUS_OK) {
        const struct s3_transfer_progress moving = s3_session_transfer(&doing.session, "download");
        status =
            s3_client_download(doing.session.client, from.bucket, from.key, path, &moving, &err);
    }
    if (status == STATUS_OK) {
        doing_tell(&doing, "download", source, path);
    }
    return doing_end(&doing, status, &err);
}

static int copy_within(struct cli *cli, const char *source, const char *target)
{
    struct error err = ERROR_NONE;
    struct s3_doing doing;
    struct s3_name from;
    struct s3_name to;
    if (!s3_object_parse(source, &from)) {
        return cli_usage(cli, "\"%s\" is not s3://bucket/key; --recursive copies what is below it",
                         source);
    }
    const char *object;
    if (s3_target_object(cli, target, from.key, &object, &err) != STATUS_OK) {
        return s3_target_refused(cli, &err);
    }
    bool named = s3_object_parse(object, &to);
    PP_ASSERT(named);
    enum status status = doing_begin(&doing, cli, &err);
    doing.dry_run = cli_switch(cli, "dryrun");
    const struct s3_copy copy = {from.bucket, from.key, to.bucket, to.key};
    if (status == STATUS_OK && !doing.dry_run) {
        status = s3_client_copy(doing.session.client, &copy, &err);
    }
    if (status == STATUS_OK) {
        doing_tell(&doing, "copy", source, object);
    }
    return doing_end(&doing, status, &err);
}

/* --- cp: a folder and a directory ------------------------------------------------------------ */

static void tree_did(void *ctx, enum s3_job_kind kind, struct span key, const char *path)
{
    struct s3_doing *doing = ctx;
    buf_reset(&doing->to_key);
    buf_printf(&doing->to_key, "s3://%.*s/%.*s", SPAN_ARG(doing->from.bucket), SPAN_ARG(key));
    if (!buf_ok(&doing->to_key)) {
        doing->told = STATUS_NO_MEMORY;
    } else if (kind == S3_JOB_UPLOAD) {
        doing_tell(doing, "upload", path, buf_cstr(&doing->to_key));
    } else {
        doing_tell(doing, "download", buf_cstr(&doing->to_key), path);
    }
}

static int copy_tree(struct cli *cli, const char *remote, const char *dir, bool upload)
{
    struct error err = ERROR_NONE;
    struct s3_doing doing;
    struct s3_sync_summary summary = {0};
    enum status status = doing_begin(&doing, cli, &err);
    doing.dry_run = cli_switch(cli, "dryrun");
    if (status == STATUS_OK && !s3_name_parse(remote, &doing.from)) {
        status = error_set(&err, STATUS_USAGE, "\"%s\" is not s3://bucket[/prefix]", remote);
    }
    const struct s3_sync_options options = {
        .env = &cli->env,
        .client = doing.session.client,
        .bucket = doing.from.bucket,
        .prefix = doing.from.key,
        .dir = dir,
        .upload = upload,
        .copy_alike = true,
        .dry_run = doing.dry_run,
        .did = tree_did,
        .note = doing_note,
        .ctx = &doing,
        .progress = &doing.session.progress.progress,
    };
    if (status == STATUS_OK) {
        status = s3_sync_run(&options, &summary, &err);
    }
    doing.failed += summary.failed + summary.skipped;
    return doing_end(&doing, status, &err);
}

/* --- over a listing: copies within S3, deletes ------------------------------------------------ */

/* A folder's prefix, "top/" for "top"; in the cli's arena, NULL: no memory. */
static const char *folder_prefix(struct cli *cli, struct span key)
{
    bool whole = key.len == 0 || key.ptr[key.len - 1] == '/';
    return arena_printf(&cli->arena, "%.*s%s", SPAN_ARG(key), whole ? "" : "/");
}

static enum status listed_job(struct s3_doing *doing, struct span key, struct s3_job *job,
                              struct error *err)
{
    buf_reset(&doing->to_key);
    buf_reset(&doing->from_text);
    buf_printf(&doing->from_text, "%.*s/%.*s", SPAN_ARG(doing->from.bucket), SPAN_ARG(key));
    if (doing->copies) {
        buf_append_span(&doing->to_key, doing->to.key);
        buf_append_span(&doing->to_key, span_skip(key, doing->from.key.len));
    } else {
        buf_append_span(&doing->to_key, key);
    }
    if (!buf_ok(&doing->to_key) || !buf_ok(&doing->from_text)) {
        return error_no_memory(err);
    }
    *job = (struct s3_job){
        .kind = doing->copies ? S3_JOB_COPY : S3_JOB_DELETE,
        .key = buf_span(&doing->to_key),
        .path = doing->copies ? buf_cstr(&doing->from_text) : NULL,
    };
    return STATUS_OK;
}

static void listed_tell(struct s3_doing *doing, const struct s3_job *job)
{
    struct cli *cli = doing->session.cli;
    char source[object_name_bytes_max];
    char target[object_name_bytes_max];
    if (job->kind == S3_JOB_COPY) {
        snprintf(source, sizeof(source), "s3://%s", job->path);
        snprintf(target, sizeof(target), "s3://%.*s/%.*s", SPAN_ARG(doing->to.bucket),
                 SPAN_ARG(job->key));
        doing_tell(doing, "copy", source, target);
    } else {
        snprintf(source, sizeof(source), "s3://%.*s/%.*s", SPAN_ARG(doing->from.bucket),
                 SPAN_ARG(job->key));
        doing_tell(doing, "delete", source, NULL);
    }
    if (ferror(cli->out) != 0) {
        doing->told = STATUS_IO;
    }
}

static enum status listed_next(void *ctx, struct s3_job *job, bool *more, struct error *err)
{
    struct s3_doing *doing = ctx;
    for (;;) {
        struct s3_listed item;
        enum status status = s3_listing_next(doing->listing, &item, more, err);
        if (status == STATUS_OK && *more) {
            status = listed_job(doing, item.key, job, err);
        }
        if (status != STATUS_OK || !*more || !doing->dry_run) {
            return status;
        }
        listed_tell(doing, job);
    }
}

static void listed_done(void *ctx, const struct s3_job *job, enum status status,
                        const struct error *err)
{
    struct s3_doing *doing = ctx;
    if (status == STATUS_OK) {
        listed_tell(doing, job);
    } else {
        doing->failed++;
        doing_note(doing, err->message);
    }
}

static enum status listed_run(struct s3_doing *doing, struct error *err)
{
    const struct s3_list list = {.bucket = doing->from.bucket, .prefix = doing->from.key};
    const struct s3_jobs jobs = {
        .bucket = doing->copies ? doing->to.bucket : doing->from.bucket,
        .next = listed_next,
        .done = listed_done,
        .ctx = doing,
    };
    enum status status = s3_listing_open(doing->session.client, &list, &doing->listing, err);
    if (status == STATUS_OK) {
        status = s3_client_run_jobs(doing->session.client, &jobs, err);
    }
    s3_listing_close(doing->listing);
    doing->listing = NULL;
    return status;
}

static int copy_folder(struct cli *cli, const char *source, const char *target)
{
    struct error err = ERROR_NONE;
    struct s3_doing doing;
    struct s3_name from;
    struct s3_name to;
    if (!s3_name_parse(source, &from) || !s3_name_parse(target, &to)) {
        return cli_usage(cli, "s3://bucket[/prefix] is wanted on both sides");
    }
    const char *from_prefix = folder_prefix(cli, from.key);
    const char *to_prefix = folder_prefix(cli, to.key);
    if (from_prefix == NULL || to_prefix == NULL) {
        return cli_report(cli,
                          &(struct error){.code = STATUS_NO_MEMORY, .message = "out of memory"});
    }
    from.key = span_from_cstr(from_prefix);
    to.key = span_from_cstr(to_prefix);
    if (span_equal(from.bucket, to.bucket) && span_starts_with(to.key, from.key)) {
        return cli_usage(cli, "%s lies within %s: the copies would be copied again", target,
                         source);
    }
    enum status status = doing_begin(&doing, cli, &err);
    doing.dry_run = cli_switch(cli, "dryrun");
    doing.from = from;
    doing.to = to;
    doing.copies = true;
    if (status == STATUS_OK) {
        status = listed_run(&doing, &err);
    }
    return doing_end(&doing, status, &err);
}

/* --- the commands ---------------------------------------------------------------------------- */

int s3_run_cp(struct cli *cli)
{
    const char *source = cli->args[0];
    const char *target = cli->args[1];
    bool recursive = cli_switch(cli, "recursive");
    bool from_s3 = s3_name_is_one(source);
    bool to_s3 = s3_name_is_one(target);
    if (!from_s3 && !to_s3) {
        return cli_usage(cli, "neither side is s3://bucket/key");
    }
    if (strcmp(source, "-") == 0) {
        return cli_usage(cli, "stdin has no size and no name: copy a file");
    }
    if (from_s3 && to_s3) {
        return recursive ? copy_folder(cli, source, target) : copy_within(cli, source, target);
    }
    if (from_s3) {
        return recursive ? copy_tree(cli, source, target, false)
                         : copy_download(cli, source, target);
    }
    return recursive ? copy_tree(cli, target, source, true) : copy_upload(cli, source, target);
}

int s3_run_rm(struct cli *cli)
{
    struct error err = ERROR_NONE;
    struct s3_doing doing;
    struct s3_name name;
    bool recursive = cli_switch(cli, "recursive");
    if (!s3_name_parse(cli->args[0], &name) || (name.key.len == 0 && !recursive)) {
        return cli_usage(cli, "\"%s\" is not s3://bucket/key; --recursive deletes what is below it",
                         cli->args[0]);
    }
    const char *prefix = folder_prefix(cli, name.key);
    enum status status = doing_begin(&doing, cli, &err);
    doing.dry_run = cli_switch(cli, "dryrun");
    doing.from = name;
    if (status == STATUS_OK && prefix == NULL) {
        status = error_no_memory(&err);
    } else if (status == STATUS_OK && recursive) {
        doing.from.key = span_from_cstr(prefix);
        status = listed_run(&doing, &err);
    } else if (status == STATUS_OK) {
        status = doing.dry_run
                     ? STATUS_OK
                     : s3_client_delete(doing.session.client, name.bucket, name.key, &err);
        if (status == STATUS_OK) {
            doing_tell(&doing, "delete", cli->args[0], NULL);
        }
    }
    return doing_end(&doing, status, &err);
}

/* The name alone, which stands last. */
static const char *s3_bucket_text(const char *text)
{
    return text + sizeof("s3://") - 1;
}

static bool bucket_parse(const char *text, struct s3_name *out)
{
    return s3_name_parse(text, out) && out->key.len == 0 &&
           strchr(s3_bucket_text(text), '/') == NULL;
}

int s3_run_mb(struct cli *cli)
{
    struct error err = ERROR_NONE;
    struct s3_doing doing;
    struct s3_name name;
    if (!bucket_parse(cli->args[0], &name)) {
        return cli_usage(cli, "\"%s\" is not s3://bucket", cli->args[0]);
    }
    enum status status = doing_begin(&doing, cli, &err);
    if (status == STATUS_OK) {
        status = s3_client_bucket_create(doing.session.client, name.bucket, &err);
    }
    if (status == STATUS_OK) {
        doing_tell(&doing, "make_bucket", s3_bucket_text(cli->args[0]), NULL);
    }
    return doing_end(&doing, status, &err);
}

int s3_run_rb(struct cli *cli)
{
    struct error err = ERROR_NONE;
    struct s3_doing doing;
    struct s3_name name;
    if (!bucket_parse(cli->args[0], &name)) {
        return cli_usage(cli, "\"%s\" is not s3://bucket", cli->args[0]);
    }
    enum status status = doing_begin(&doing, cli, &err);
    doing.from = name;
    if (status == STATUS_OK && cli_switch(cli, "force")) {
        status = listed_run(&doing, &err);
    }
    if (status == STATUS_OK && doing.failed == 0) {
        status = s3_client_bucket_delete(doing.session.client, name.bucket, &err);
        if (status == STATUS_OK) {
            doing_tell(&doing, "remove_bucket", s3_bucket_text(cli->args[0]), NULL);
        }
    }
    return doing_end(&doing, status, &err);
}
