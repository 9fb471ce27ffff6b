/* `pinpipe s3`: ls, cat, get, put here; cp, rm, mb, rb in cmd_s3_cp.c, sync in cmd_s3_sync.c. The
 * output of ls is the aws CLI's.
 */
#include "cmd_s3.h"
#include "commands.h"
#include "json_write.h"
#include "s3_session.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

enum { time_columns = 19, size_columns = 10, line_bytes_max = 64 * 1024, date_bytes = 32 };

/* --- ls -------------------------------------------------------------------------------------- */

struct listing {
    struct cli *cli;
    struct span prefix;
    bool json;
    bool whole_keys; /* --recursive shows them, else what follows the last '/' of the prefix */
    uint64_t count;
    bool no_memory; /* for a line, which ends the listing */
    struct buf line;
    struct json_writer writer; /* into `line` */
};

/* Text shows the time of this place, as the aws CLI does; JSON has UTC. */
static void append_local_time(struct buf *out, int64_t unix_ms)
{
    struct tm parts;
    char text[date_bytes];
    time_t seconds = (time_t)(unix_ms / 1000);
    tzset();
    localtime_r(&seconds, &parts);
    strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &parts);
    buf_append_cstr(out, text);
}

static void member_utc(struct json_writer *w, const char *name, int64_t unix_ms)
{
    struct tm parts;
    char text[date_bytes];
    time_t seconds = (time_t)(unix_ms / 1000);
    gmtime_r(&seconds, &parts);
    strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &parts);
    json_write_name(w, name);
    buf_printf(json_write_value(w), "\"%s.%03dZ\"", text, (int)(unix_ms % 1000));
}

/* Gives what `line` holds to stdout and empties it. */
static bool put_line(struct listing *listing)
{
    FILE *out = listing->cli->out;
    if (!buf_ok(&listing->line)) { /* the longest key fits, so it is this */
        listing->no_memory = true;
        return false;
    }
    if (listing->json) {
        fwrite(listing->line.ptr, 1, listing->line.len, out);
    } else {
        cli_put_text(listing->cli, out, buf_span(&listing->line));
        fputc('\n', out);
    }
    buf_reset(&listing->line);
    return ferror(out) == 0;
}

static void json_item(struct listing *listing, const struct s3_listed *item)
{
    struct json_writer *w = &listing->writer;
    json_write_object(w);
    json_member_string(w, item->is_prefix ? "prefix" : "key", item->key);
    if (!item->is_prefix) {
        json_member_u64(w, "size", item->size);
        json_member_string(w, "etag", item->etag);
        member_utc(w, "modified", item->modified_ms);
    }
    json_write_end(w);
}

static void text_item(struct listing *listing, const struct s3_listed *item)
{
    struct buf *line = &listing->line;
    struct span shown = item->key;
    size_t cut = listing->prefix.len;
    while (cut > 0 && listing->prefix.ptr[cut - 1] != '/') {
        cut--;
    }
    if (!listing->whole_keys) {
        shown = span_skip(shown, cut);
    }
    if (item->is_prefix) {
        buf_printf(line, "%*sPRE ", time_columns + size_columns - 2, "");
    } else {
        append_local_time(line, item->modified_ms);
        buf_printf(line, " %*llu ", size_columns, (unsigned long long)item->size);
    }
    buf_append_span(line, shown);
}

static bool put_item(void *ctx, const struct s3_listed *item)
{
    struct listing *listing = ctx;
    listing->count++;
    if (listing->json) {
        json_item(listing, item);
    } else {
        text_item(listing, item);
    }
    return put_line(listing);
}

static bool put_bucket(void *ctx, struct span name, int64_t created_ms)
{
    struct listing *listing = ctx;
    listing->count++;
    if (listing->json) {
        json_write_object(&listing->writer);
        json_member_string(&listing->writer, "bucket", name);
        member_utc(&listing->writer, "created", created_ms);
        json_write_end(&listing->writer);
    } else {
        append_local_time(&listing->line, created_ms);
        buf_append_byte(&listing->line, ' ');
        buf_append_span(&listing->line, name);
    }
    return put_line(listing);
}

static enum status list(struct s3_session *session, struct listing *listing,
                        const struct s3_name *name, struct error *err)
{
    FILE *out = listing->cli->out;
    const struct s3_list what = {
        .bucket = name->bucket,
        .prefix = name->key,
        .delimiter = listing->whole_keys ? SPAN_EMPTY : SPAN_LIT("/"),
        .start_after = SPAN_EMPTY,
    };
    if (listing->json) {
        json_write_object(&listing->writer);
        json_member_array(&listing->writer, name->bucket.len > 0 ? "entries" : "buckets");
        put_line(listing);
    }
    enum status status = name->bucket.len > 0
                             ? s3_client_list(session->client, &what, put_item, listing, err)
                             : s3_client_buckets(session->client, put_bucket, listing, err);
    if (listing->json && status == STATUS_OK) {
        json_write_end(&listing->writer);
        json_write_end(&listing->writer);
        buf_append_byte(&listing->line, '\n');
        put_line(listing);
    }
    if (status == STATUS_OK && listing->no_memory) {
        return error_no_memory(err);
    }
    if (status == STATUS_OK && fflush(out) != 0) {
        status = error_set_errno(err, errno, "cannot write to stdout");
    }
    return status;
}

static int run_ls(struct cli *cli)
{
    struct error err = ERROR_NONE;
    struct s3_session session;
    struct s3_name name = {SPAN_EMPTY, SPAN_EMPTY};
    if (cli->arg_count > 0 && strcmp(cli->args[0], "s3://") != 0 &&
        !s3_name_parse(cli->args[0], &name)) {
        return cli_usage(cli, "\"%s\" is not s3://bucket or s3://bucket/prefix", cli->args[0]);
    }
    struct listing listing = {
        .cli = cli,
        .prefix = name.key,
        .json = cli_switch(cli, "json"),
        .whole_keys = cli_switch(cli, "recursive"),
    };
    buf_init(&listing.line, line_bytes_max);
    listing.writer = json_writer_to(&listing.line);
    enum status status = s3_session_open(&session, cli, &err);
    if (status == STATUS_OK) {
        status = list(&session, &listing, &name, &err);
    }
    /* A prefix that nothing begins with is a failure, an empty bucket is none, as for the aws CLI.
     */
    if (status == STATUS_OK && listing.count == 0 && name.key.len > 0) {
        status = error_set(&err, STATUS_NOT_FOUND, "no object's key begins with %s", cli->args[0]);
    }
    buf_release(&listing.line);
    return s3_session_close(&session, status, &err);
}

/* --- cat ------------------------------------------------------------------------------------- */

static enum status write_out(void *ctx, struct span bytes, struct error *err)
{
    struct cli *cli = ctx;
    return fwrite(bytes.ptr, 1, bytes.len, cli->out) == bytes.len
               ? STATUS_OK
               : error_set_errno(err, errno, "cannot write to stdout");
}

static int run_cat(struct cli *cli)
{
    struct error err = ERROR_NONE;
    struct s3_session session;
    struct s3_name name;
    struct s3_head head;
    if (!s3_object_parse(cli->args[0], &name)) {
        return cli_usage(cli, "\"%s\" is not s3://bucket/key", cli->args[0]);
    }
    const struct s3_sink sink = {write_out, cli};
    enum status status = s3_session_open(&session, cli, &err);
    if (status == STATUS_OK) {
        status = s3_client_read(session.client, name.bucket, name.key, &sink, &head, &err);
    }
    if (status == STATUS_OK && fflush(cli->out) != 0) {
        status = error_set_errno(&err, errno, "cannot write to stdout");
    }
    return s3_session_close(&session, status, &err);
}

/* --- get and put ----------------------------------------------------------------------------- */

static int run_get(struct cli *cli)
{
    struct error err = ERROR_NONE;
    struct s3_session session;
    struct s3_name name;
    if (!s3_object_parse(cli->args[0], &name)) {
        return cli_usage(cli, "\"%s\" is not s3://bucket/key", cli->args[0]);
    }
    if (cli->arg_count > 1 && strcmp(cli->args[1], "-") == 0) {
        return cli_usage(cli, "to write an object to stdout: pinpipe s3 cat");
    }
    const char *path;
    if (s3_target_file(cli, cli->arg_count > 1 ? cli->args[1] : ".", &name, &path, &err) !=
        STATUS_OK) {
        return s3_target_refused(cli, &err);
    }
    enum status status = s3_session_open(&session, cli, &err);
    if (status == STATUS_OK) {
        const struct s3_transfer_progress moving = s3_session_transfer(&session, "download");
        status = s3_client_download(session.client, name.bucket, name.key, path, &moving, &err);
    }
    if (status == STATUS_OK) {
        cli_progress_end(&session.progress);
        s3_print_move(cli, "download", cli->args[0], path);
    }
    return s3_session_close(&session, status, &err);
}

static int run_put(struct cli *cli)
{
    struct error err = ERROR_NONE;
    struct s3_session session;
    struct s3_name name;
    const char *target;
    if (s3_target_object(cli, cli->args[1], span_from_cstr(cli->args[0]), &target, &err) !=
        STATUS_OK) {
        return s3_target_refused(cli, &err);
    }
    bool named = s3_object_parse(target, &name);
    PP_ASSERT(named);
    enum status status = s3_session_open(&session, cli, &err);
    if (status == STATUS_OK) {
        const struct s3_transfer_progress moving = s3_session_transfer(&session, "upload");
        status =
            s3_client_upload(session.client, name.bucket, name.key, cli->args[0], &moving, &err);
    }
    if (status == STATUS_OK) {
        cli_progress_end(&session.progress);
        s3_print_move(cli, "upload", cli->args[0], target);
    }
    return s3_session_close(&session, status, &err);
}

/* --- the table ------------------------------------------------------------------------------- */

static const struct option_spec ls_options[] = {
    {"recursive", OPTION_SWITCH, NULL, NULL, NULL, "every object, not only the next level"},
    {"json", OPTION_SWITCH, NULL, NULL, NULL, "one JSON document"},
};

static const struct option_spec sync_options[] = {
    {"delete", OPTION_SWITCH, NULL, NULL, NULL, "also delete what the source does not have"},
    {"dry-run", OPTION_SWITCH, NULL, NULL, NULL, "only say what would be done"},
};

static const struct option_spec cp_options[] = {
    {"recursive", OPTION_SWITCH, NULL, NULL, NULL, "everything below a directory or a prefix"},
    {"dryrun", OPTION_SWITCH, NULL, NULL, NULL, "only say what would be done"},
    {"json", OPTION_SWITCH, NULL, NULL, NULL, "what was done as one JSON document"},
};

static const struct option_spec mb_options[] = {
    {"json", OPTION_SWITCH, NULL, NULL, NULL, "what was done as one JSON document"},
};

static const struct option_spec rb_options[] = {
    {"force", OPTION_SWITCH, NULL, NULL, NULL, "delete its objects first"},
    {"json", OPTION_SWITCH, NULL, NULL, NULL, "what was done as one JSON document"},
};

static const struct command subcommands[] = {
    {
        .name = "ls",
        .summary = "List buckets, or the objects under a prefix",
        .arguments = "[s3://BUCKET[/PREFIX]]",
        .options = ls_options,
        .option_count = ARRAY_COUNT(ls_options),
        .example = "pinpipe s3 ls s3://user-workshop-bucket/topics/ --recursive",
        .args_max = 1,
        .run = run_ls,
    },
    {
        .name = "cat",
        .summary = "Write an object to stdout",
        .arguments = "s3://BUCKET/KEY",
        .example = "pinpipe s3 cat s3://user-workshop-bucket/topics/workshop.pin/partition=0/"
                   "workshop.pin+0+0000000000.json",
        .args_min = 1,
        .args_max = 1,
        .run = run_cat,
    },
    {
        .name = "get",
        .summary = "Copy an object to a file",
        .arguments = "s3://BUCKET/KEY [FILE|DIR]",
        .example = "pinpipe s3 get s3://user-workshop-bucket/plugin.zip",
        .args_min = 1,
        .args_max = 2,
        .run = run_get,
    },
    {
        .name = "put",
        .summary = "Copy a file to an object",
        .arguments = "FILE s3://BUCKET/KEY",
        .example = "pinpipe s3 put plugin.zip s3://user-workshop-bucket/kafka-connect-s3/",
        .args_min = 2,
        .args_max = 2,
        .run = run_put,
    },
    {
        .name = "cp",
        .summary = "Copy a file or an object, s3:// on either side or on both, as the aws CLI does",
        .arguments = "FILE|s3://BUCKET/KEY FILE|DIR|s3://BUCKET[/KEY]",
        .options = cp_options,
        .option_count = ARRAY_COUNT(cp_options),
        .example = "pinpipe s3 cp s3://user-workshop-bucket/topics topics --recursive",
        .args_min = 2,
        .args_max = 2,
        .run = s3_run_cp,
    },
    {
        .name = "rm",
        .summary = "Delete an object, or everything below a prefix",
        .arguments = "s3://BUCKET/KEY",
        .options = cp_options,
        .option_count = ARRAY_COUNT(cp_options),
        .example = "pinpipe s3 rm s3://user-workshop-bucket/topics --recursive",
        .args_min = 1,
        .args_max = 1,
        .run = s3_run_rm,
    },
    {
        .name = "mb",
        .summary = "Make a bucket",
        .arguments = "s3://BUCKET",
        .options = mb_options,
        .option_count = ARRAY_COUNT(mb_options),
        .example = "pinpipe s3 mb s3://my-bucket",
        .args_min = 1,
        .args_max = 1,
        .run = s3_run_mb,
    },
    {
        .name = "rb",
        .summary = "Remove a bucket that is empty",
        .arguments = "s3://BUCKET",
        .options = rb_options,
        .option_count = ARRAY_COUNT(rb_options),
        .example = "pinpipe s3 rb s3://my-bucket --force",
        .args_min = 1,
        .args_max = 1,
        .run = s3_run_rb,
    },
    {
        .name = "sync",
        .summary = "Make a directory and a prefix alike, in the direction written",
        .arguments = "DIR s3://BUCKET[/PREFIX] | s3://BUCKET[/PREFIX] DIR",
        .options = sync_options,
        .option_count = ARRAY_COUNT(sync_options),
        .example = "pinpipe s3 sync s3://user-workshop-bucket/topics topics",
        .args_min = 2,
        .args_max = 2,
        .run = s3_run_sync,
    },
};

const struct command cmd_s3 = {
    .name = "s3",
    .summary = "Buckets and objects in S3: list, read, copy, delete, synchronise",
    .example = "pinpipe s3 ls",
    .subcommands = subcommands,
    .subcommand_count = ARRAY_COUNT(subcommands),
};
