/* Each call of the server to one of its files fails once, in a directory that it makes and in one
 * that is there (file_interpose.c), with EIO and where room is wanted with ENOSPC. It does not
 * start, and says which file and why, or it answers every request; what it acknowledged is there
 * when it is started again, and its end is told by its exit code.
 *
 *   file_fault_client PROGRAM INTERPOSE_SO WORK_DIR STRIDE */
#define _GNU_SOURCE /* strcasestr */
#include "fault_driver.h"

enum { POINTS_MAX = 100000, BODY_BYTES = 64, START_S = 20 };

static struct fault_control *control;

/* What a session was told. */
struct told {
    int records;    /* acknowledged */
    bool put;       /* the object is there */
    bool put_asked; /* and if not, it may be */
    bool deleted;   /* the other one is not */
    bool refused;   /* something was answered with 5xx */
};

static int ask(int port, const char *method, const char *path, const char *type, const char *body)
{
    struct reply reply = {0};
    int status = http_once(port, method, path, type, body, &reply);
    free(reply.text);
    return status;
}

static int ask_s3(const struct server *server, const char *method, const char *key,
                  const char *body)
{
    char path[128];
    snprintf(path, sizeof(path), "/user-workshop-bucket/%s", key);
    return ask(server->s3_port, method, path, "text/plain", body);
}

static int answered(int status, const char *what, const char *request)
{
    if (status == 0) {
        die("%s: %s was not answered", what, request);
    }
    return status;
}

static void session(const struct server *server, struct told *told, const char *what)
{
    int refused = 0;
    for (int i = 0; i < 3; i++) {
        int status = answered(ask(server->port, "POST", "/topics/workshop.pin", JSON_TYPE,
                                  "{\"records\":[{\"value\":{\"n\":1}}]}"),
                              what, "a produce");
        told->records += status == 200;
        refused += status >= 500;
    }
    int put = answered(ask_s3(server, "PUT", "kept", "bytes"), what, "a PUT");
    int gone = answered(ask_s3(server, "DELETE", "gone", NULL), what, "a DELETE");
    int get = answered(ask_s3(server, "GET", "kept", NULL), what, "a GET");
    refused += answered(ask(server->port, "GET", "/topics", V2_TYPE, NULL), what, "a GET") >= 500;
    told->put = put == 200;
    told->put_asked = true;
    told->deleted = gone == 204;
    told->refused = refused + (put >= 500) + (gone >= 500) + (get >= 500) > 0;
    if (told->put && get != 200 && get < 500) {
        die("%s: an object that was put is answered %d", what, get);
    }
}

static int64_t end_offset(int port)
{
    struct reply reply = {0};
    http_once(port, "GET", "/topics/workshop.pin/partitions/0/offsets", V2_TYPE, NULL, &reply);
    const char *end = reply.status == 200 ? strstr(reply.body, "\"end_offset\":") : NULL;
    int64_t offset = end != NULL ? strtoll(end + 13, NULL, 10) : -1;
    free(reply.text);
    return offset;
}

static const char *server_log(const struct server *server)
{
    static char text[65536];
    FILE *file = fopen(server->log_path, "r");
    size_t got = file != NULL ? fread(text, 1, sizeof(text) - 1, file) : 0;
    text[got] = '\0';
    if (file != NULL) {
        fclose(file);
    }
    return text;
}

static bool log_has(const struct server *server, const char *words)
{
    return strstr(server_log(server), words) != NULL;
}

static void the_start_is_explained(const struct server *server, int status, const char *what)
{
    char name[256];
    fault_file_told(control->what, name, sizeof(name));
    int code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    if (code != 4 && code != 5) {
        die("%s (%s): the start ended with %d, see %s", what, control->what, code,
            server->log_path);
    }
    if (!log_has(server, name)) {
        die("%s (%s): the start does not name %s", what, control->what, name);
    }
    if (!fault_cause_in(server_log(server))) {
        die("%s (%s): the start does not name the cause", what, control->what);
    }
}

/* False: it ended, and said why. */
static bool start_under_fault(struct server *server, const char *what)
{
    int status;
    unlink(server->log_path);
    server_spawn(server);
    for (int64_t start = now_us(); now_us() - start < INT64_C(1000000) * START_S;) {
        if (server_read_ready(server)) {
            return true;
        }
        if (waitpid(server->pid, &status, WNOHANG) == server->pid) {
            the_start_is_explained(server, status, what);
            return false;
        }
        pause_us(500);
    }
    die("%s: neither ready nor ended after %d s", what, START_S);
}

/* Started again without a fault; how many records there are then, with those of which nobody was
 * told. */
static int64_t what_was_told_is_true(struct server *server, const struct told *told, int64_t before,
                                     const char *what)
{
    const char *preload = server->preload;
    server->preload = NULL;
    server_start(server);
    int64_t end = end_offset(server->port);
    int kept = ask_s3(server, "GET", "kept", NULL);
    int gone = ask_s3(server, "GET", "gone", NULL);
    if (end < before + told->records) {
        die("%s: %lld records were there and %d acknowledged, %lld are there", what,
            (long long)before, told->records, (long long)end);
    }
    if ((told->put && kept != 200) || (!told->put_asked && kept != 404)) {
        die("%s: the object is answered %d", what, kept);
    }
    if (told->deleted && gone != 404) {
        die("%s: a deletion was acknowledged, and GET is %d", what, gone);
    }
    if (ask_s3(server, "PUT", "gone", "bytes") != 200 ||
        ask_s3(server, "DELETE", "kept", NULL) != 204) {
        die("%s: started again it takes no writes", what);
    }
    if (server_stop(server) != 0) {
        die("%s: started again it does not end cleanly", what);
    }
    server->preload = preload;
    return end;
}

static int64_t records_there(struct server *server)
{
    const char *preload = server->preload;
    server->preload = NULL;
    server_start(server);
    int64_t end = end_offset(server->port);
    if (server_stop(server) != 0) {
        die("without a fault it does not end cleanly");
    }
    server->preload = preload;
    return end;
}

/* False: fewer calls than that were made. */
static bool point(struct server *server, int64_t *there, int error_number, long n)
{
    char what[700];
    struct told told = {0};
    atomic_store(&control->error_number, error_number);
    fault_begin(control, FAULT_ONCE, n);
    snprintf(what, sizeof(what), "call %ld fails with %s", n, strerror(error_number));
    if (start_under_fault(server, what)) {
        session(server, &told, what);
        int code = server_stop(server);
        snprintf(what, sizeof(what), "call %ld (%s) fails with %s", n, control->what,
                 strerror(error_number));
        if (code != 0 && code != 5) {
            die("%s: the end is %d, see %s", what, code, server->log_path);
        }
        if (code == 0 && log_has(server, "may or may not be there")) {
            die("%s: what may not be there ends with 0", what);
        }
    }
    bool failed = fault_end(control);
    snprintf(what, sizeof(what), "call %ld (%s) fails with %s", n, control->what,
             strerror(error_number));
    *there = what_was_told_is_true(server, &told, *there, what);
    return failed;
}

static long points(const char *const args[4], bool fresh, int error_number, long stride)
{
    struct server server;
    char dir[512];
    int64_t there = 0;
    long count = 0;
    bool failed = true;
    for (long n = 1; failed && n < POINTS_MAX; n += stride) {
        snprintf(dir, sizeof(dir), "%s/data-%d-%d-%ld", args[3], fresh, error_number,
                 fresh ? n : 0);
        server_init(&server, args[1], args[3], dir);
        server.preload = args[2];
        if (!fresh && n == 1) {
            there = records_there(&server);
        }
        there = fresh ? 0 : there;
        failed = point(&server, &there, error_number, n);
        count += failed;
    }
    return count;
}

int main(int argc, char **argv)
{
    if (argc != 5) {
        fprintf(stderr, "usage: file_fault_client PROGRAM INTERPOSE_SO WORK_DIR STRIDE\n");
        return 2;
    }
    const char *const args[4] = {argv[0], argv[1], argv[2], argv[3]};
    long stride = strtol(argv[4], NULL, 10);
    control = fault_control_make(argv[3]);
    setenv("PP_WATCH_DIR", argv[3], 1);
    for (int fresh = 1; fresh >= 0; fresh--) {
        long eio = points(args, fresh != 0, EIO, stride);
        long enospc = points(args, fresh != 0, ENOSPC, stride);
        printf("ok - %s: %ld calls to files failed with EIO, %ld with ENOSPC: nothing "
               "acknowledged was lost\n",
               fresh != 0 ? "a new directory" : "one that is there", eio, enospc);
    }
    return 0;
}
