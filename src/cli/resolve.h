/* From configuration to endpoints: the invoke URL and its stage, what a running server left in
 * server.json, the default ports; and creds.yaml. */
#ifndef PINPIPE_RESOLVE_H
#define PINPIPE_RESOLVE_H

#include "cli.h"
#include "endpoints.h"

enum { DEFAULT_GATEWAY_PORT = 8080, DEFAULT_REST_PORT = 8082 };

/* CONFIG when the stage is given twice and differently, when a URL is none, when creds.yaml names a
 * MySQL host (not in this build). The texts live in cli->arena. */
enum status resolve_endpoints(struct cli *cli, struct endpoints *out,
                              struct error *err) PP_MUST_USE;

#endif
