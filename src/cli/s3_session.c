#include "s3_session.h"

#include "resolve.h"

#include <sys/stat.h>

#define S3_SCHEME "s3://"

bool s3_name_is_one(const char *text)
{
    return span_starts_with(span_from_cstr(text), SPAN_LIT(S3_SCHEME));
}

bool s3_name_parse(const char *text, struct s3_name *out)
{
    struct span rest = span_skip(span_from_cstr(text), sizeof(S3_SCHEME) - 1);
    if (!s3_name_is_one(text)) {
        return false;
    }
    size_t slash = span_find_byte(rest, '/');
    *out = (struct s3_name){span_first(rest, slash), span_skip(rest, slash + 1)};
    return out->bucket.len > 0;
}

bool s3_object_parse(const char *text, struct s3_name *out)
{
    return s3_name_parse(text, out) && out->key.len > 0;
}

/* The last part of a path or a key: what follows the last slash. */
static struct span last_part(struct span path)
{
    size_t start = path.len;
    while (start > 0 && path.ptr[start - 1] != '/') {
        start--;
    }
    return span_skip(path, start);
}

enum status s3_target_object(struct cli *cli, const char *target, struct span source,
                             const char **out, struct error *err)
{
    struct s3_name name;
    struct span file = last_part(source);
    if (!s3_name_parse(target, &name)) {
        return error_set(err, STATUS_USAGE, "\"%s\" is not s3://bucket/key", target);
    }
    if (name.key.len > 0 && name.key.ptr[name.key.len - 1] != '/') {
        *out = target;
        return STATUS_OK;
    }
    if (file.len == 0) {
        return error_set(err, STATUS_USAGE, "\"%.*s\" is not a file", SPAN_ARG(source));
    }
    *out = arena_printf(&cli->arena, S3_SCHEME "%.*s/%.*s%.*s", SPAN_ARG(name.bucket),
                        SPAN_ARG(name.key), SPAN_ARG(file));
    return *out != NULL ? STATUS_OK : error_no_memory(err);
}

/* The last part of a key that becomes a file's name here, whatever the key is. */
static bool is_file_name(struct span name)
{
    return name.len > 0 && !span_equal_cstr(name, ".") && !span_equal_cstr(name, "..");
}

enum status s3_target_file(struct cli *cli, const char *path, const struct s3_name *name,
                           const char **out, struct error *err)
{
    struct stat info;
    struct span file = last_part(name->key);
    *out = path;
    if (stat(path, &info) != 0 || !S_ISDIR(info.st_mode)) {
        return STATUS_OK;
    }
    if (!is_file_name(file)) {
        return error_set(err, STATUS_USAGE, "name the file: the key's end is no file's name");
    }
    *out = arena_printf(&cli->arena, "%s/%.*s", path, SPAN_ARG(file));
    return *out != NULL ? STATUS_OK : error_no_memory(err);
}

int s3_target_refused(const struct cli *cli, const struct error *err)
{
    return err->code == STATUS_USAGE ? cli_usage(cli, "%s", err->message) : cli_report(cli, err);
}

enum status s3_session_open(struct s3_session *session, struct cli *cli, struct error *err)
{
    struct s3_client_options options;
    *session = (struct s3_session){.cli = cli};
    cli_progress_init(&session->progress, cli);
    enum status status = resolve_s3(cli, &options, err);
    options.should_stop = cli_should_stop;
    return status == STATUS_OK ? s3_client_new(&options, &session->client, err) : status;
}

int s3_session_close(struct s3_session *session, enum status status, const struct error *err)
{
    cli_progress_end(&session->progress);
    s3_client_free(session->client);
    session->client = NULL;
    return status == STATUS_OK ? 0 : cli_report(session->cli, err);
}

static void moved(void *ctx, uint64_t done, uint64_t total)
{
    struct s3_session *session = ctx;
    struct progress *progress = &session->progress.progress;
    progress->update(progress->ctx, session->moving, done, total);
}

struct s3_transfer_progress s3_session_transfer(struct s3_session *session, const char *what)
{
    session->moving = what;
    return (struct s3_transfer_progress){moved, session};
}

void s3_print_move(struct cli *cli, const char *what, const char *from, const char *to)
{
    fprintf(cli->out, "%s: ", what);
    cli_put_text(cli, cli->out, span_from_cstr(from));
    if (to != NULL) {
        fputs(" to ", cli->out);
        cli_put_text(cli, cli->out, span_from_cstr(to));
    }
    fputc('\n', cli->out);
}
