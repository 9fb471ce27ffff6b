/* `pinpipe up`: a child of its own session serves, the parent waits until the child's server.json
 * is there and then ends.
 *
 * Two at once: whoever is about to start a server holds a lock on the directory itself, so that the
 * second finds the first one's server. `serve`, which does not ask for that lock, may still be
 * faster: then the child is refused the server's own lock, and the parent sees who has it.
 *
 * The log of the one before is kept as server.log.1, so that what ended it can still be read. */
#include "server_start.h"

#include "file.h"
#include "pinpipe/mock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

enum { look_us = 5 * 1000 };

static const char log_file_name[] = "server.log";

/* --- waiting --- */

enum status server_deadline(struct cli *cli, int64_t *out, struct error *err)
{
    int64_t timeout_ms;
    enum status status = cli_timeout_ms(cli, &timeout_ms, err);
    timeout_ms = timeout_ms > 0 ? timeout_ms : SERVER_WAIT_MS;
    *out = cli->env.monotonic_us(&cli->env) + timeout_ms * 1000;
    return status;
}

/* True: there is time left, and some of it has passed. */
static bool wait_goes_on(struct cli *cli, int64_t deadline_us)
{
    if (cli_interrupted() || cli->env.monotonic_us(&cli->env) >= deadline_us) {
        return false;
    }
    cli->env.sleep_us(&cli->env, look_us);
    return true;
}

static enum status wait_ended(struct error *err, const char *words)
{
    return cli_interrupted() ? error_set(err, STATUS_INTERRUPTED, "stopped")
                             : error_set(err, STATUS_TIMED_OUT, "%s", words);
}

enum status server_await(struct cli *cli, const struct server_wait *until, struct server_view *out,
                         struct error *err)
{
    char words[sizeof(out->why.message)];
    const char *dir = cli_data_dir(cli);
    do {
        enum status status = server_look(dir, out, err);
        if (status != STATUS_OK || (until->for_running && out->state == SERVER_RUNNING) ||
            (until->for_absent && out->state == SERVER_ABSENT)) {
            return status;
        }
        server_view_release(out);
    } while (wait_goes_on(cli, until->deadline_us));
    switch (out->state) {
    case SERVER_ABSENT:
        return wait_ended(err, "no server runs; start one with `pinpipe up`");
    case SERVER_BUSY:
        snprintf(words, sizeof(words),
                 "a server is starting or ending, and does not come to it: %.400s",
                 out->why.message);
        return wait_ended(err, words);
    case SERVER_RUNNING:
        snprintf(words, sizeof(words), "the server (pid %lld) is still running",
                 (long long)out->pid);
        return wait_ended(err, words);
    }
    BUG("a server without a state");
}

/* --- what is printed --- */

void server_print_urls(struct cli *cli, const struct server_view *view)
{
    static const struct {
        const char *key;
        const char *label;
    } services[] = {
#define PINPIPE_SERVICE(ID, VALUE, KEY, FLAG, TITLE, LABEL, PORT, SETTING, HELP) {#KEY, LABEL},
#include "pinpipe/services.def"
    };
    const struct json_node *root = json_doc_root(view->facts);
    for (size_t i = 0; i < ARRAY_COUNT(services); i++) {
        const char *url;
        if (json_node_string(json_node_get(root, services[i].key), &url)) {
            fprintf(cli->out, "%-11s ", services[i].label);
            cli_put_text(cli, cli->out, span_from_cstr(url));
            fputc('\n', cli->out);
        }
    }
}

static int up_is_there(struct cli *cli, struct server_view *view, const char *words)
{
    fprintf(cli->err, "pinpipe up: %s (pid %lld); `pinpipe stop` ends it\n", words,
            (long long)view->pid);
    server_print_urls(cli, view);
    server_view_release(view);
    return 0;
}

/* --- the child --- */

struct leaving {
    struct cli *cli;
    int log_fd;
};

/* From here on the server is alone: nothing of the caller's is held open, so that whoever reads its
 * output through a pipe sees the end. */
static void leave_terminal(void *ctx)
{
    struct leaving *leaving = ctx;
    struct cli *cli = leaving->cli;
    int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
    fflush(cli->err);
    if (nothing >= 0) {
        dup2(nothing, STDIN_FILENO);
        close(nothing);
    }
    dup2(leaving->log_fd, STDOUT_FILENO);
    dup2(leaving->log_fd, STDERR_FILENO);
    close(leaving->log_fd);
    cli->err = cli->err_plain;
    cli->err_terminal = NULL;
    cli->err_is_terminal = false;
}

static int child_serve(struct cli *cli, serve_function *serve, int log_fd)
{
    struct leaving leaving = {cli, log_fd};
    const struct serve_background background = {leave_terminal, &leaving};
    setsid();
    return serve(cli, &background);
}

/* --- the parent --- */

/* Ends what was started and did not come to it. */
static void child_end(pid_t child)
{
    kill(child, SIGTERM);
    while (waitpid(child, NULL, 0) < 0 && errno == EINTR) {
    }
}

static int child_is_gone(struct cli *cli, int wait_status)
{
    struct error err = ERROR_NONE;
    struct server_view view;
    int code = WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : EXIT_CODE_WORK;
    if (WIFSIGNALED(wait_status)) {
        error_set(&err, STATUS_FAILED, "the server was ended by signal %d as it started; %s/%s",
                  WTERMSIG(wait_status), cli_data_dir(cli), log_file_name);
        return cli_report(cli, &err);
    }
    if (code == EXIT_CODE_CONFIG && server_look(cli_data_dir(cli), &view, &err) == STATUS_OK) {
        if (view.state == SERVER_RUNNING) {
            return up_is_there(cli, &view, "a server runs already");
        }
        server_view_release(&view);
    }
    return code; /* it has said why */
}

static int child_await(struct cli *cli, pid_t child, int64_t deadline_us)
{
    struct error err = ERROR_NONE;
    struct server_view view;
    int wait_status;
    do {
        if (waitpid(child, &wait_status, WNOHANG) == child) {
            return child_is_gone(cli, wait_status);
        }
        if (server_look(cli_data_dir(cli), &view, &err) != STATUS_OK) {
            child_end(child);
            return cli_report(cli, &err);
        }
        if (view.state == SERVER_RUNNING && view.pid == child) {
            fputs("pinpipe up: its log is ", cli->err);
            cli_put_text(cli, cli->err, span_from_cstr(cli_data_dir(cli)));
            fprintf(cli->err, "/%s\n", log_file_name);
            return up_is_there(cli, &view, "serves in the background");
        }
        server_view_release(&view);
    } while (wait_goes_on(cli, deadline_us));
    child_end(child);
    (void)wait_ended(&err,
                     "the server was not ready in time, and was ended; --timeout S waits longer");
    return cli_report(cli, &err);
}

static enum status log_open(struct cli *cli, int *out, struct error *err)
{
    char *path = arena_printf(&cli->arena, "%s/%s", cli_data_dir(cli), log_file_name);
    char *before = arena_printf(&cli->arena, "%s/%s.1", cli_data_dir(cli), log_file_name);
    if (path == NULL || before == NULL) {
        return error_no_memory(err);
    }
    if (rename(path, before) != 0 && errno != ENOENT) {
        return error_set_errno(err, errno, "%s: cannot be put aside", path);
    }
    *out = open(path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0600);
    return *out >= 0 ? STATUS_OK : error_set_errno(err, errno, "%s: cannot be made", path);
}

static int start_child(struct cli *cli, serve_function *serve, int dir_fd, int64_t deadline_us)
{
    struct error err = ERROR_NONE;
    int log_fd = -1;
    enum status status = log_open(cli, &log_fd, &err);
    if (status != STATUS_OK) {
        return cli_report(cli, &err);
    }
    fflush(cli->out);
    fflush(cli->err);
    pid_t child = fork();
    if (child == 0) {
        close(dir_fd); /* and so the starter's lock ends with the parent */
        return child_serve(cli, serve, log_fd);
    }
    close(log_fd);
    if (child < 0) {
        error_set_errno(&err, errno, "cannot start a process");
        return cli_report(cli, &err);
    }
    cli_watch_signals(); /* behind the fork: the server has its own */
    return child_await(cli, child, deadline_us);
}

static enum status starter_lock(struct cli *cli, int64_t deadline_us, int *dir_fd,
                                struct error *err)
{
    const char *dir = cli_data_dir(cli);
    struct error why = ERROR_NONE;
    if (file_make_directory(dir, &why) != STATUS_OK) {
        return why.code == STATUS_NO_MEMORY || why.code == STATUS_DISK_FULL
                   ? error_set(err, why.code, "%s", why.message)
                   : error_set(err, STATUS_CONFIG,
                               "%s: cannot be the data directory: %s; choose another with --data",
                               dir, why.message);
    }
    *dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (*dir_fd < 0) {
        return error_set(err, STATUS_CONFIG,
                         "%s: cannot be the data directory: %s; choose another with --data", dir,
                         strerror(errno));
    }
    while (flock(*dir_fd, LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK) {
            return error_set_errno(err, errno, "%s: cannot be locked", dir);
        }
        if (!wait_goes_on(cli, deadline_us)) {
            return wait_ended(err,
                              "another `pinpipe up` is starting a server, and does not come to it");
        }
    }
    return STATUS_OK;
}

int server_up(struct cli *cli, serve_function *serve)
{
    struct error err = ERROR_NONE;
    struct server_wait until = {.for_running = true, .for_absent = true};
    struct server_view view;
    int dir_fd = -1;
    int code = 0;
    if (strcmp(cli_data_dir(cli), ":memory:") == 0) {
        return cli_usage(cli,
                         "a server in memory is found by nobody: name a directory, or `serve`");
    }
    enum status status = server_deadline(cli, &until.deadline_us, &err);
    if (status == STATUS_OK) {
        status = starter_lock(cli, until.deadline_us, &dir_fd, &err);
    }
    if (status == STATUS_OK) {
        status = server_await(cli, &until, &view, &err);
    }
    if (status != STATUS_OK) {
        code = cli_report(cli, &err);
    } else if (view.state == SERVER_RUNNING) {
        code = up_is_there(cli, &view, "a server runs already");
    } else {
        code = start_child(cli, serve, dir_fd, until.deadline_us);
    }
    if (dir_fd >= 0) {
        close(dir_fd);
    }
    return code;
}
