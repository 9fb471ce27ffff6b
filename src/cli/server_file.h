/* server.json, by which a running server says where it is: read only when nobody but this user can
 * have written it and the server that did is running, because keys and signed requests follow it.
 */
#ifndef PINPIPE_SERVER_FILE_H
#define PINPIPE_SERVER_FILE_H

#include "cli.h"
#include "json.h"

/* The file of --data. *doc is NULL when there is none, and when it is not to be believed; that is
 * told on stderr, once a command, with the reason and the fix. Each service's URL in it is one of
 * this machine's, or null. Fails for lack of memory alone. */
enum status server_file_load(struct cli *cli, struct json_doc **doc, struct error *err) PP_MUST_USE;

#endif
