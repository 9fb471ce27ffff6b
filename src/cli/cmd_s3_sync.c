/* `pinpipe s3 sync`: what was copied on stdout, what was not on stderr. */
#include "cmd_s3.h"
#include "s3_session.h"
#include "s3_sync.h"

struct syncing {
    struct s3_session session;
    struct s3_name name;
    bool dry_run;
    bool upload;
    bool no_memory; /* to say what was done */
};

static void print_done(void *ctx, enum s3_job_kind kind, struct span key, const char *path)
{
    static const char *const words[2][3] = {
        {[S3_JOB_UPLOAD] = "upload", [S3_JOB_DOWNLOAD] = "download", [S3_JOB_DELETE] = "delete"},
        {[S3_JOB_UPLOAD] = "(dryrun) upload",
         [S3_JOB_DOWNLOAD] = "(dryrun) download",
         [S3_JOB_DELETE] = "(dryrun) delete"},
    };
    PP_ASSERT(kind != S3_JOB_COPY); /* one side is a directory */
    struct syncing *syncing = ctx;
    struct cli *cli = syncing->session.cli;
    const char *word = words[syncing->dry_run ? 1 : 0][kind];
    struct buf object;
    buf_init(&object, 8 * 1024);
    buf_printf(&object, "s3://%.*s/%.*s", SPAN_ARG(syncing->name.bucket), SPAN_ARG(key));
    cli_progress_end(&syncing->session.progress);
    if (!buf_ok(&object)) {
        syncing->no_memory = true;
    } else if (kind == S3_JOB_DELETE) {
        s3_print_move(cli, word, syncing->upload ? buf_cstr(&object) : path, NULL);
    } else if (kind == S3_JOB_UPLOAD) {
        s3_print_move(cli, word, path, buf_cstr(&object));
    } else {
        s3_print_move(cli, word, buf_cstr(&object), path);
    }
    buf_release(&object);
}

static void sync_print_note(void *ctx, const char *text)
{
    struct syncing *syncing = ctx;
    struct cli *cli = syncing->session.cli;
    cli_progress_end(&syncing->session.progress);
    fputs("s3 sync: ", cli->err);
    cli_put_text(cli, cli->err, span_from_cstr(text));
    fputc('\n', cli->err);
}

static void sync_print_summary(struct cli *cli, const struct s3_sync_summary *summary)
{
    fprintf(cli->err, "s3 sync: %llu copied, %llu deleted, %llu alike, %llu failed, %llu skipped\n",
            (unsigned long long)summary->copied, (unsigned long long)summary->deleted,
            (unsigned long long)summary->alike, (unsigned long long)summary->failed,
            (unsigned long long)summary->skipped);
}

int s3_run_sync(struct cli *cli)
{
    struct error err = ERROR_NONE;
    struct syncing syncing = {.dry_run = cli_switch(cli, "dry-run"),
                              .upload = s3_name_is_one(cli->args[1])};
    struct s3_sync_summary summary;
    const char *remote = cli->args[syncing.upload ? 1 : 0];
    if (s3_name_is_one(cli->args[0]) == syncing.upload || !s3_name_parse(remote, &syncing.name)) {
        return cli_usage(cli, "one of the two is a directory, the other s3://bucket[/prefix]");
    }
    enum status status = s3_session_open(&syncing.session, cli, &err);
    if (status != STATUS_OK) {
        return s3_session_close(&syncing.session, status, &err);
    }
    const struct s3_sync_options options = {
        .env = &cli->env,
        .client = syncing.session.client,
        .bucket = syncing.name.bucket,
        .prefix = syncing.name.key,
        .dir = cli->args[syncing.upload ? 0 : 1],
        .upload = syncing.upload,
        .delete_extra = cli_switch(cli, "delete"),
        .dry_run = syncing.dry_run,
        .did = print_done,
        .note = sync_print_note,
        .ctx = &syncing,
        .progress = &syncing.session.progress.progress,
    };
    status = s3_sync_run(&options, &summary, &err);
    if (status == STATUS_OK && syncing.no_memory) {
        status = error_set(&err, STATUS_NO_MEMORY, "no memory to say all that was done");
    }
    cli_progress_end(&syncing.session.progress);
    sync_print_summary(cli, &summary);
    int code = s3_session_close(&syncing.session, status, &err);
    return code == 0 && summary.failed + summary.skipped > 0 ? status_exit_code(STATUS_FAILED)
                                                             : code;
}
