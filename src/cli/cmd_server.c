/* `pinpipe wait`, `status` and `stop`: the server of --data as scripts see it. What a killed server
 * left behind is no server, whatever it says (server_file.h). */
#include "commands.h"
#include "json_write.h"
#include "pinpipe/mock.h"
#include "server_start.h"
#include "url.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

enum { status_json_bytes_max = 64 * 1024, second_look_us = 20 * 1000 };

/* --- status --- */

static void json_services(struct json_writer *w, const struct json_node *root)
{
    static const struct {
        const char *key;
        const char *name;
    } services[] = {
#define PINPIPE_SERVICE(ID, VALUE, KEY, FLAG, TITLE, LABEL, PORT, SETTING, HELP) {#KEY, FLAG},
#include "pinpipe/services.def"
    };
    json_member_array(w, "services");
    for (size_t i = 0; i < ARRAY_COUNT(services); i++) {
        const char *text;
        struct url url;
        if (json_node_string(json_node_get(root, services[i].key), &text) &&
            url_parse(span_from_cstr(text), &url)) {
            json_write_object(w);
            json_member_cstr(w, "name", services[i].name);
            json_member_cstr(w, "url", text);
            json_member_i64(w, "port", url.port);
            json_write_end(w);
        }
    }
    json_write_end(w);
}

static void json_text_of(struct json_writer *w, const struct json_node *root, const char *name)
{
    const char *text = NULL;
    (void)json_node_string(json_node_get(root, name), &text);
    json_member_cstr(w, name, text);
}

static const char *const state_words[] = {
    [SERVER_ABSENT] = "stopped", [SERVER_BUSY] = "starting", [SERVER_RUNNING] = "running"};

static enum status status_print_json(struct cli *cli, const struct server_view *view,
                                     struct error *err)
{
    struct buf out;
    buf_init(&out, status_json_bytes_max);
    struct json_writer w = json_writer_to(&out);
    json_write_object(&w);
    json_member_cstr(&w, "state", state_words[view->state]);
    if (view->state == SERVER_RUNNING) {
        const struct json_node *root = json_doc_root(view->facts);
        json_member_i64(&w, "pid", view->pid);
        json_text_of(&w, root, "version");
        json_text_of(&w, root, "data_dir");
        json_text_of(&w, root, "user_id");
        json_text_of(&w, root, "stage");
        json_services(&w, root);
    } else {
        json_member_cstr(&w, "data_dir", cli_data_dir(cli));
    }
    json_write_end(&w);
    enum status status = buf_ok(&out) ? STATUS_OK : error_no_memory(err);
    if (status == STATUS_OK) {
        fprintf(cli->out, "%s\n", buf_cstr(&out));
    }
    buf_release(&out);
    return status;
}

static void status_print_text(struct cli *cli, const struct server_view *view)
{
    fputs(state_words[view->state], cli->out);
    if (view->state == SERVER_RUNNING) {
        fprintf(cli->out, " (pid %lld)", (long long)view->pid);
    }
    fputs(", data ", cli->out);
    cli_put_text(cli, cli->out, span_from_cstr(cli_data_dir(cli)));
    fputc('\n', cli->out);
    if (view->state == SERVER_RUNNING) {
        server_print_urls(cli, view);
    }
}

static int status_run(struct cli *cli)
{
    struct error err = ERROR_NONE;
    struct server_view view;
    enum status status = server_look(cli_data_dir(cli), &view, &err);
    if (status == STATUS_OK && cli_switch(cli, "json")) {
        status = status_print_json(cli, &view, &err);
    } else if (status == STATUS_OK) {
        status_print_text(cli, &view);
    }
    if (status == STATUS_OK && view.state == SERVER_BUSY) {
        fprintf(cli->err, "pinpipe status: somebody holds the directory, but is not ready: ");
        cli_put_text(cli, cli->err, span_from_cstr(view.why.message));
        fputc('\n', cli->err);
    }
    server_view_release(&view);
    if (status != STATUS_OK) {
        return cli_report(cli, &err);
    }
    return view.state == SERVER_RUNNING ? EXIT_CODE_DONE : EXIT_CODE_UNREACHABLE;
}

/* --- wait --- */

static int wait_run(struct cli *cli)
{
    struct error err = ERROR_NONE;
    struct server_wait until = {.for_running = true};
    struct server_view view;
    enum status status = server_deadline(cli, &until.deadline_us, &err);
    cli_watch_signals();
    if (status == STATUS_OK) {
        status = server_await(cli, &until, &view, &err);
    }
    if (status != STATUS_OK) {
        return cli_report(cli, &err);
    }
    server_print_urls(cli, &view);
    server_view_release(&view);
    return 0;
}

/* --- stop --- */

/* The same server at two moments: between a server's lock and its pid in the file there is a moment
 * in which the file has the pid of the one before, which may be anybody's by now. */
static enum status stop_find(struct cli *cli, struct server_wait until, struct server_view *out,
                             struct error *err)
{
    int64_t pid = 0;
    for (;;) {
        enum status status = server_await(cli, &until, out, err);
        if (status != STATUS_OK || out->state == SERVER_ABSENT || out->pid == pid) {
            return status;
        }
        pid = out->pid;
        server_view_release(out);
        cli->env.sleep_us(&cli->env, second_look_us);
    }
}

static enum status stop_server(struct cli *cli, int64_t *pid, struct error *err)
{
    struct server_wait until = {.for_running = true, .for_absent = true};
    struct server_view view = {.state = SERVER_ABSENT};
    *pid = 0;
    enum status status = server_deadline(cli, &until.deadline_us, err);
    if (status == STATUS_OK) {
        status = stop_find(cli, until, &view, err);
    }
    if (status != STATUS_OK || view.state == SERVER_ABSENT) {
        return status;
    }
    *pid = view.pid;
    server_view_release(&view);
    if (kill((pid_t)*pid, SIGTERM) != 0 && errno != ESRCH) {
        return error_set_errno(err, errno, "the server (pid %lld) cannot be told to stop",
                               (long long)*pid);
    }
    until.for_running = false;
    status = server_await(cli, &until, &view, err);
    return status == STATUS_TIMED_OUT
               ? error_set(err, status,
                           "the server (pid %lld) was told to stop, and has not in time",
                           (long long)*pid)
               : status;
}

static int stop_run(struct cli *cli)
{
    struct error err = ERROR_NONE;
    int64_t pid;
    cli_watch_signals();
    if (stop_server(cli, &pid, &err) != STATUS_OK) {
        return cli_report(cli, &err);
    }
    if (pid == 0) {
        fputs("pinpipe stop: no server runs on ", cli->err);
    } else {
        fprintf(cli->err, "pinpipe stop: the server (pid %lld) has ended, everything is in ",
                (long long)pid);
    }
    cli_put_text(cli, cli->err, span_from_cstr(cli_data_dir(cli)));
    fputc('\n', cli->err);
    return 0;
}

/* --- the commands --- */

static const struct option_spec status_options[] = {
    {"json", OPTION_SWITCH, NULL, NULL, NULL,
     "one JSON document, with name, URL and port of each service"},
};

const struct command cmd_status = {
    .name = "status",
    .summary = "Does a server run on --data, and where? Exit 0 when it does, 3 when not",
    .arguments = "",
    .options = status_options,
    .option_count = ARRAY_COUNT(status_options),
    .example = "pinpipe status --json",
    .run = status_run,
};

const struct command cmd_wait = {
    .name = "wait",
    .summary = "Wait until a server of --data answers (60 s, or --timeout), print its URLs",
    .arguments = "",
    .example = "pinpipe wait --timeout 10",
    .run = wait_run,
};

const struct command cmd_stop = {
    .name = "stop",
    .summary = "Stop the server of --data and wait until everything is committed",
    .arguments = "",
    .example = "pinpipe stop",
    .run = stop_run,
};
