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

enum server_state {
    SERVER_ABSENT,  /* nobody holds the directory's lock, or there is no directory */
    SERVER_BUSY,    /* somebody holds it and is not to be found: a server that starts or ends */
    SERVER_RUNNING, /* it answers where its server.json says */
};
struct server_view {
    enum server_state state;
    int64_t pid;            /* of RUNNING */
    struct json_doc *facts; /* of RUNNING: server.json, to be believed */
    struct error why;       /* of BUSY: what is wrong with server.json */
};
/* Looks at a directory once; the lock decides, so what a killed server has left is ABSENT. CONFIG,
 * with the fix: the directory is another user's, or others may write to it. */
enum status server_look(const char *dir, struct server_view *out, struct error *err) PP_MUST_USE;
void server_view_release(struct server_view *view);

#endif
