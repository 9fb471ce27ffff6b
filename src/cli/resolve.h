/* From configuration to endpoints: the invoke URL and its stage, what a running server left in
 * server.json, the default ports. */
#ifndef PINPIPE_RESOLVE_H
#define PINPIPE_RESOLVE_H

#include "cli.h"
#include "endpoints.h"
#include "s3_client.h"

/* CONFIG when the stage is given twice and differently, when a URL is none. The texts live in
 * cli->arena. Secrets go where a setting or the running server leads, never to a port that is only
 * usual: api_key is then NULL, and S3 has no credentials, which is told. */
enum status resolve_endpoints(struct cli *cli, struct endpoints *out,
                              struct error *err) PP_MUST_USE;

/* The user id that names topics, bucket and connector: iam_username, else the running server's,
 * else "workshop". */
enum status resolve_user_id(struct cli *cli, const char **user_id, struct error *err) PP_MUST_USE;

/* A service's own URL: configured, else the running server's (server_file.h), else the usual port
 * on loopback. */
enum status resolve_connect(struct cli *cli, const char **url, struct error *err) PP_MUST_USE;
/* As resolve_connect, but *url is NULL where neither a setting nor a running server leads. */
enum status resolve_connect_known(struct cli *cli, const char **url, struct error *err) PP_MUST_USE;
/* S3's URL, found in the same way, with region and credentials; the rest of the options is the
 * caller's. */
enum status resolve_s3(struct cli *cli, struct s3_client_options *out,
                       struct error *err) PP_MUST_USE;

#endif
