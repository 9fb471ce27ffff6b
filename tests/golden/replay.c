/* Replays golden transcripts against the real program over raw sockets. README.md beside this file
 * is the manual of the format. Nothing of src/ or mock_server/ is used here, on purpose: a mistake
 * in the product's HTTP must not be able to hide in the test.
 *
 *     replay [-v] [--have WORD] [--starve LIBRARY ONE_IN:SEED] PROGRAM FILE-OR-DIRECTORY...
 *
 * Each file gets a fresh server. Exit 0 when every exchange went as written; with --starve, which
 * lets one in so many of the server's allocations fail (tests/fault/starve_interpose.c), when every
 * request got an answer or saw its connection close, and the server ended by itself when told to.
 */
#include "replay_wire.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    files_max = 4096,
    lines_shown_max = 4000,
    told_code_max = 5, /* of a server that says what it could not do; beyond it are bugs */
};

/* --- requests as they go --- */

struct request {
    const struct target *target;
    char connection[48];
    bool defer;
    bool raw;
    bool is_head;
    struct text bytes;
};

static bool has_header(const char *head, size_t head_len, const char *name)
{
    size_t name_len = strlen(name);
    const char *line = memchr(head, '\n', head_len);
    while (line != NULL) {
        line++;
        size_t left = head_len - (size_t)(line - head);
        if (left > name_len && strncasecmp(line, name, name_len) == 0 && line[name_len] == ':') {
            return true;
        }
        line = memchr(line, '\n', left);
    }
    return false;
}

/* Head lines as CRLF, those that say {absent} left out. */
static void add_head_lines(struct captures *captures, const char *head, size_t len,
                           struct text *out)
{
    const char *line = head;
    while (line < head + len) {
        const char *end = memchr(line, '\n', (size_t)(head + len - line));
        size_t line_len = end != NULL ? (size_t)(end - line) : (size_t)(head + len - line);
        bool absent = line_len > 8 && memcmp(line + line_len - 8, "{absent}", 8) == 0;
        if (!absent) {
            substitute(captures, line, line_len, out);
            text_puts(out, "\r\n");
        }
        line += line_len + 1;
    }
}

/* tests/golden/s3/put.http goes to S3; what is in no target's folder goes to the REST proxy. */
static const struct target *target_of_path(const struct server *server, const char *path)
{
    for (size_t i = 0; i < server->target_count; i++) {
        char folder[32];
        snprintf(folder, sizeof(folder), "/%s/", server->targets[i].name);
        if (strstr(path, folder) != NULL) {
            return &server->targets[i];
        }
    }
    const struct target *rest = server_target(server, "rest", 4);
    if (rest == NULL) {
        die("%s: the REST proxy does not listen", path);
    }
    return rest;
}

static const char *read_directives(const struct server *server, const struct transcript *t,
                                   struct request *r, const char *p)
{
    r->target = target_of_path(server, t->path);
    while (*p == '@') {
        size_t len = strcspn(p, "\n");
        const struct target *named = server_target(server, p + 1, len - 1);
        if (named != NULL) {
            r->target = named;
        } else if (len == 6 && starts_with(p, "@defer")) {
            r->defer = true;
        } else if (len == 4 && starts_with(p, "@raw")) {
            r->raw = true;
        } else if (starts_with(p, "@connection ")) {
            snprintf(r->connection, sizeof(r->connection), "%.*s", (int)(len - 12), p + 12);
        } else {
            die("%s: an unknown directive: %.*s", t->path, (int)len, p);
        }
        p += len + 1;
    }
    return p;
}

/* The whole request as it goes out. */
static void request_build(struct server *server, const struct transcript *t,
                          const struct pair *pair, struct request *r)
{
    struct captures *captures = &server->captures;
    *r = (struct request){.raw = false};
    const char *head = read_directives(server, t, r, pair->request);
    const char *blank = strstr(head, "\n\n");
    size_t head_len = blank != NULL ? (size_t)(blank - head) : strlen(head);
    while (head_len > 0 && head[head_len - 1] == '\n') {
        head_len--;
    }
    struct text body = {.len = 0};
    if (blank != NULL) {
        substitute(captures, blank + 2, strlen(blank + 2), &body);
    }
    r->is_head = starts_with(head, "HEAD ");
    add_head_lines(captures, head, head_len, &r->bytes);
    if (!r->raw) {
        char line[96];
        if (!has_header(head, head_len, "host")) {
            snprintf(line, sizeof(line), "Host: 127.0.0.1:%d\r\n", r->target->port);
            text_puts(&r->bytes, line);
        }
        bool takes_body = body.len > 0 || starts_with(head, "POST ") || starts_with(head, "PUT ");
        if (takes_body && !has_header(head, head_len, "content-length") &&
            !has_header(head, head_len, "transfer-encoding")) {
            snprintf(line, sizeof(line), "Content-Length: %zu\r\n", body.len);
            text_puts(&r->bytes, line);
        }
    }
    text_puts(&r->bytes, "\r\n");
    text_add(&r->bytes, text_str(&body), body.len);
    text_free(&body);
}

/* --- judging --- */

struct judge {
    struct server *server;
    const struct transcript *transcript;
    const struct pair *pair;
    bool verbose;
    bool failed;
};

static void complain(struct judge *j, const char *what, const char *expected, const char *actual)
{
    if (j->transcript->starving[0] != NULL && strcmp(what, "silence") != 0) {
        return; /* any answer is good */
    }
    j->failed = true;
    fprintf(stderr, "not ok - %s: %s: %s\n", j->transcript->path, j->pair->title, what);
    fprintf(stderr, "    expected: %.*s\n    actual:   %.*s\n", lines_shown_max, expected,
            lines_shown_max, actual);
}

static void judge_status(struct judge *j, const char *line, const struct response *r)
{
    int status = 0;
    char reason[64] = "";
    char actual[384];
    if (sscanf(line, "HTTP/1.1 %d %63[^\n]", &status, reason) < 1) {
        die("%s: %s: the response has no status line", j->transcript->path, j->pair->title);
    }
    if (status != r->status || (reason[0] != '\0' && strcmp(reason, r->reason) != 0)) {
        snprintf(actual, sizeof(actual), "%d %s; body %.200s", r->status, r->reason,
                 text_str(&r->body));
        complain(j, "status", line, actual);
    }
}

static void judge_header(struct judge *j, char *line, const struct response *r)
{
    char *colon = strchr(line, ':');
    if (colon == NULL) {
        die("%s: %s: not a header: %s", j->transcript->path, j->pair->title, line);
    }
    *colon = '\0';
    const char *pattern = colon + 1 + strspn(colon + 1, " ");
    const char *value = response_header(r, line);
    bool absent = strcmp(pattern, "{absent}") == 0 || strcmp(pattern, "{header absent}") == 0;
    bool good = absent ? value == NULL
                       : value != NULL && matches(&j->server->captures, pattern,
                                                  (struct bytes){value, strlen(value)});
    if (!good) {
        complain(j, line, pattern, value != NULL ? value : "(no such header)");
    }
}

/* Head lines up to the blank one, then the body. */
static void judge_response(struct judge *j, const char *expected, const struct response *r)
{
    const char *blank = strstr(expected, "\n\n");
    size_t head_len = blank != NULL ? (size_t)(blank - expected) : strlen(expected);
    char *head = copy_bytes(expected, head_len);
    char *save = NULL;
    char *line = strtok_r(head, "\n", &save);
    judge_status(j, line != NULL ? line : "", r);
    while ((line = strtok_r(NULL, "\n", &save)) != NULL) {
        judge_header(j, line, r);
    }
    free(head);
    const char *body = blank != NULL ? blank + 2 : "";
    if (!matches(&j->server->captures, body, (struct bytes){text_str(&r->body), r->body.len})) {
        complain(j, "body", body, text_str(&r->body));
    }
}

static void show(const struct judge *j, const struct request *request, const struct response *r)
{
    if (!j->verbose) {
        return;
    }
    printf("=== %s\n%.*s\n--- %d %s\n", j->pair->title, (int)request->bytes.len, request->bytes.ptr,
           r->status, r->reason);
    for (size_t i = 0; i < r->header_count; i++) {
        printf("%s: %s\n", r->headers[i].name, r->headers[i].value);
    }
    printf("\n%s\n", text_str(&r->body));
}

/* Reads and judges the response to a request that was sent. */
static void take_response(struct judge *j, struct connection *c, const struct request *request)
{
    struct response r;
    const char *expected = j->pair->response;
    bool closed = starts_with(expected, "@closed\n");
    expected += closed ? strlen("@closed\n") : 0;
    if (!response_read(c, &r, request->is_head)) {
        complain(j, r.silent ? "silence" : "framing", "a response", r.problem);
        connection_close(c);
    } else if (r.none || starts_with(expected, "@reset")) {
        if (!r.none || !starts_with(expected, "@reset")) {
            complain(j, "connection", expected, r.none ? r.problem : "a response");
        }
        connection_close(c);
    } else {
        show(j, request, &r);
        judge_response(j, expected, &r);
        const char *connection = response_header(&r, "connection");
        if (closed && connection_read(c) != 0) {
            complain(j, "connection", "closed", "still open");
        }
        if (c->in.len > 0) {
            complain(j, "framing", "nothing behind the body", c->in.ptr);
        }
        if (closed || (connection != NULL && strcasecmp(connection, "close") == 0)) {
            connection_close(c);
        }
    }
    response_free(&r);
}

/* --- one file --- */

struct deferred {
    const struct pair *pair;
    struct connection *connection;
    struct request request;
};

static struct connection *send_request(struct judge *j, struct connections *all,
                                       struct request *request)
{
    char name[16 + sizeof(request->connection) + 1];
    snprintf(name, sizeof(name), "%.15s/%s", request->target->name, request->connection);
    struct connection *c = connection_get(all, name, request->target->port);
    if (c == NULL) {
        complain(j, "silence", "an open port", strerror(errno));
        return NULL;
    }
    connection_send(c, &request->bytes);
    return c;
}

static void take_deferred(struct judge *j, struct deferred *deferred)
{
    if (deferred->connection != NULL) {
        const struct pair *now = j->pair;
        j->pair = deferred->pair;
        take_response(j, deferred->connection, &deferred->request);
        j->pair = now;
        text_free(&deferred->request.bytes);
        deferred->connection = NULL;
    }
}

static size_t replay_pairs(struct judge *j)
{
    struct connections all = {.count = 0};
    struct deferred deferred = {.connection = NULL};
    size_t count = 0;
    for (const struct pair *pair = j->transcript->pairs; pair != NULL; pair = pair->next) {
        struct request request;
        j->pair = pair;
        count++;
        request_build(j->server, j->transcript, pair, &request);
        struct connection *c = send_request(j, &all, &request);
        if (c != NULL && request.defer) {
            take_deferred(j, &deferred);
            deferred = (struct deferred){pair, c, request};
            continue;
        }
        if (c != NULL) {
            take_response(j, c, &request);
        }
        take_deferred(j, &deferred);
        text_free(&request.bytes);
    }
    take_deferred(j, &deferred);
    connections_close(&all);
    return count;
}

struct tally {
    const char *program;
    const char *have;
    const char *starving[2];
    bool verbose;
    size_t files;
    size_t exchanges;
    size_t failed;
    size_t skipped;
};

/* A starving server may end with what it could not do, if it says so. Beyond that are bugs, but for
 * one that is not ours: glibc gives up when a library's thread-local data need memory while the
 * process exits, when all is done and told. */
static bool ended_well(const struct transcript *t, int code, const char *log)
{
    if (t->starving[0] == NULL || code == 0) {
        return code == 0;
    }
    return code <= told_code_max || (strstr(log, "everything is committed") != NULL &&
                                     strstr(log, "thread-local data: ABORT") != NULL);
}

static void replay_file(struct tally *tally, const char *path)
{
    struct transcript *t = transcript_read(path);
    struct server server;
    memcpy(t->starving, tally->starving, sizeof(t->starving));
    struct judge judge = {.server = &server, .transcript = t, .verbose = tally->verbose};
    if (t->needs != NULL && (tally->have == NULL || strcmp(tally->have, t->needs) != 0)) {
        printf("skipped - %s needs %s\n", path, t->needs);
        tally->skipped++;
        transcript_free(t);
        return;
    }
    tally->files++;
    bool started = server_start(&server, tally->program, t);
    if (started) {
        tally->exchanges += replay_pairs(&judge);
    }
    char *log;
    int code = server_stop(&server, &log);
    if (!started || !ended_well(t, code, log)) {
        fprintf(stderr, "not ok - %s: the server did not %s: exit %d\n", path,
                started ? "end cleanly" : "start", code);
        judge.failed = true;
    }
    if (judge.failed) {
        tally->failed++;
        fprintf(stderr, "%s", log);
    } else {
        printf("ok - golden %s\n", path);
    }
    free(log);
    transcript_free(t);
}

/* --- all files --- */

struct file_list {
    char *paths[files_max];
    size_t count;
};

static void collect(struct file_list *list, const char *path)
{
    struct stat st;
    if (stat(path, &st) != 0) {
        die("%s: %s", path, strerror(errno));
    }
    if (!S_ISDIR(st.st_mode)) {
        if (list->count == files_max) {
            die("replay: more than %d transcripts", files_max);
        }
        list->paths[list->count++] = copy_bytes(path, strlen(path));
        return;
    }
    DIR *directory = opendir(path);
    if (directory == NULL) {
        die("%s: %s", path, strerror(errno));
    }
    for (struct dirent *entry = readdir(directory); entry != NULL; entry = readdir(directory)) {
        size_t len = strlen(entry->d_name);
        bool transcript = len > 5 && strcmp(entry->d_name + len - 5, ".http") == 0;
        bool folder = strchr(entry->d_name, '.') == NULL;
        char child[4096];
        snprintf(child, sizeof(child), "%s/%s", path, entry->d_name);
        if (transcript || (folder && stat(child, &st) == 0 && S_ISDIR(st.st_mode))) {
            collect(list, child);
        }
    }
    closedir(directory);
}

static int compare_paths(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static char *absolute(const char *path)
{
    char *full = realpath(path, NULL);
    if (full == NULL) {
        die("%s: %s", path, strerror(errno));
    }
    return full;
}

int main(int argc, char **argv)
{
    static struct file_list list;
    struct tally tally = {.files = 0};
    int i = 1;
    for (; i < argc && argv[i][0] == '-'; i++) {
        if (strcmp(argv[i], "-v") == 0) {
            tally.verbose = true;
        } else if (strcmp(argv[i], "--have") == 0 && i + 1 < argc) {
            tally.have = argv[++i];
        } else if (strcmp(argv[i], "--starve") == 0 && i + 2 < argc) {
            tally.starving[0] = argv[++i];
            tally.starving[1] = argv[++i];
        } else {
            die("replay: unknown option %s", argv[i]);
        }
    }
    if (argc - i < 2) {
        die("usage: replay [-v] [--have WORD] [--starve LIBRARY ONE_IN:SEED] PROGRAM "
            "FILE-OR-DIRECTORY...");
    }
    signal(SIGPIPE, SIG_IGN);
    char *program = absolute(argv[i]);
    tally.program = program;
    for (i++; i < argc; i++) {
        collect(&list, argv[i]);
    }
    qsort(list.paths, list.count, sizeof(list.paths[0]), compare_paths);
    for (size_t k = 0; k < list.count; k++) {
        replay_file(&tally, list.paths[k]);
        free(list.paths[k]);
    }
    free(program);
    printf("golden: %zu transcripts, %zu exchanges, %zu not as written, %zu skipped\n", tally.files,
           tally.exchanges, tally.failed, tally.skipped);
    return tally.failed == 0 && tally.files > 0 ? 0 : 1;
}
