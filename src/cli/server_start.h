/* A server of --data in the background: started by `pinpipe up`, looked for by up, wait, status and
 * stop. */
#ifndef PINPIPE_SERVER_START_H
#define PINPIPE_SERVER_START_H

#include "server_file.h"

enum { SERVER_WAIT_MS = 60 * 1000 }; /* unless --timeout says otherwise */

/* How the server, in a process of its own, takes leave of the terminal once it is sure to run. */
struct serve_background {
    void (*leave)(void *ctx);
    void *ctx;
};
/* As `pinpipe serve` with the command's options (cmd_serve.c); until the terminal is left,
 * complaints go where the user sees them. NULL: it never is. The exit code. */
typedef int serve_function(struct cli *cli, const struct serve_background *background);

/* `pinpipe up`. Of several at once one starts the server, and the others find it. */
int server_up(struct cli *cli, serve_function *serve);

/* Looks again and again until one of these is so; TIMED_OUT at the deadline, INTERRUPTED. */
struct server_wait {
    bool for_running;
    bool for_absent;     /* nobody holds the directory */
    int64_t deadline_us; /* of the monotonic clock */
};
enum status server_await(struct cli *cli, const struct server_wait *until, struct server_view *out,
                         struct error *err) PP_MUST_USE;
/* --timeout, or SERVER_WAIT_MS, from now on. CONFIG when it is no time. */
enum status server_deadline(struct cli *cli, int64_t *out, struct error *err) PP_MUST_USE;

/* A line a service of the server, "gateway     http://127.0.0.1:8080/test". */
void server_print_urls(struct cli *cli, const struct server_view *view);

#endif
