/* The parts that all commands which speak S3 share: s3:// names, a client from the configuration.
 */
#ifndef PINPIPE_S3_SESSION_H
#define PINPIPE_S3_SESSION_H

#include "cli.h"
#include "cli_progress.h"
#include "s3_client.h"

struct s3_name {
    struct span bucket;
    struct span key; /* may be empty, or a prefix */
};
/* "s3://bucket[/key]"; false for anything else. Borrows the text. */
bool s3_name_parse(const char *text, struct s3_name *out);
bool s3_name_is_one(const char *text);

/* "s3://bucket/key". */
bool s3_object_parse(const char *text, struct s3_name *out);
/* Where an object goes that is copied to `target`, "s3://bucket[/key]": a bucket and a folder
 * ("dir/") take the source's own name. In the cli's arena. USAGE: that name is none. */
enum status s3_target_object(struct cli *cli, const char *target, struct span source,
                             const char **out, struct error *err) PP_MUST_USE;
/* The same for a file: a directory takes the end of the key. */
enum status s3_target_file(struct cli *cli, const char *path, const struct s3_name *name,
                           const char **out, struct error *err) PP_MUST_USE;
/* Tells what one of these refused; the exit code. */
int s3_target_refused(const struct cli *cli, const struct error *err);

struct s3_session {
    struct cli *cli;
    struct s3_client *client;
    struct cli_progress progress;
    const char *moving; /* what s3_session_transfer calls the bytes */
};
/* Makes a client from the configuration; installs the signal handlers too. */
enum status s3_session_open(struct s3_session *session, struct cli *cli,
                            struct error *err) PP_MUST_USE;
/* Reports what went wrong, if anything; the exit code. */
int s3_session_close(struct s3_session *session, enum status status, const struct error *err);
/* The progress of a transfer, drawn as bytes moved. */
struct s3_transfer_progress s3_session_transfer(struct s3_session *session, const char *what);

/* Prints "upload: FROM to TO" on stdout; without `to` "delete: FROM". */
void s3_print_move(struct cli *cli, const char *what, const char *from, const char *to);

#endif
