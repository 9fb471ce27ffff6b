#include "s3_session.h"

#include "resolve.h"

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
