/* Lack of memory is an answer, not an end. A session of requests over every service runs again and
 * again against one real server; each time another of its allocations fails, alone or with all that
 * follow it (malloc_interpose.c). Each answer is what it is with memory, or a 5xx; the server
 * lives; with memory again every listener hears and answers as before, and what the failures left
 * behind does not add up.
 *
 *   malloc_client PROGRAM INTERPOSE_SO WORK_DIR STRIDE */
#define _GNU_SOURCE /* strcasestr */
#include "fault_driver.h"
#include "raw_http.h"

enum {
    POINTS_MAX = 1000000,
    SLACK_ALLOCATIONS = 400, /* what caches and pools may have grown by */
};

enum port_of { REST, GATEWAY, CONNECT, S3, MSK, PORTS };
static const char *const port_keys[PORTS] = {
    "\"rest_url\": \"http://", "\"gateway_url\": \"http://", "\"connect_url\": \"http://",
    "\"s3_url\": \"http://", "\"msk_connect_url\": \"http://"};

#define V3_TYPE "application/json"
#define SINK_JSON                                                                                  \
    "{\"connector.class\":\"io.confluent.connect.s3.S3SinkConnector\",\"tasks.max\":\"1\","        \
    "\"topics\":\"oom\",\"s3.region\":\"us-east-1\",\"flush.size\":\"1\",\"schema."                \
    "compatibility\":"                                                                             \
    "\"NONE\",\"format.class\":\"io.confluent.connect.s3.format.json.JsonFormat\","                \
    "\"partitioner.class\":\"io.confluent.connect.storage.partitioner.DefaultPartitioner\","       \
    "\"storage.class\":\"io.confluent.connect.s3.storage.S3Storage\",\"s3.bucket.name\":"          \
    "\"user-workshop-bucket\",\"key.converter\":\"org.apache.kafka.connect.storage."               \
    "StringConverter\",\"value.converter\":\"org.apache.kafka.connect.json.JsonConverter\","       \
    "\"value.converter.schemas.enable\":\"false\"}"

static const struct step {
    enum port_of port;
    const char *method;
    const char *path;
    const char *type;
    const char *body;
} session[] = {
    {REST, "GET", "/topics", V2_TYPE, NULL},
    {REST, "POST", "/topics/workshop.pin", JSON_TYPE,
     "{\"records\":[{\"key\":\"k\",\"value\":{\"n\":1}},{\"value\":\"\\u00e9\"}]}"},
    {REST, "POST", "/topics/workshop.pin", "application/vnd.kafka.binary.v2+json",
     "{\"records\":[{\"value\":\"aGVsbG8=\"}]}"},
    {REST, "GET", "/topics/workshop.pin", V2_TYPE, NULL},
    {REST, "GET", "/topics/workshop.pin/partitions/0/offsets", V2_TYPE, NULL},
    {REST, "POST", "/consumers/g", V2_TYPE,
     "{\"name\":\"i\",\"format\":\"json\",\"auto.offset.reset\":\"earliest\"}"},
    {REST, "POST", "/consumers/g/instances/i/subscription", V2_TYPE,
     "{\"topics\":[\"workshop.pin\"]}"},
    {REST, "GET", "/consumers/g/instances/i/records?timeout=1", JSON_TYPE, NULL},
    {REST, "GET", "/consumers/g/instances/i/records?timeout=1", JSON_TYPE, NULL},
    {REST, "POST", "/consumers/g/instances/i/offsets", V2_TYPE, NULL},
    {REST, "DELETE", "/consumers/g/instances/i", V2_TYPE, NULL},
    {REST, "GET", "/v3/clusters", V3_TYPE, NULL},
    {REST, "GET", "/v3/clusters/none/topics", V3_TYPE, NULL},
    {GATEWAY, "GET", "/test/topics", V2_TYPE, NULL},
    {GATEWAY, "POST", "/test/topics/workshop.geo", JSON_TYPE, "{\"records\":[{\"value\":{}}]}"},
    {GATEWAY, "GET", "/nowhere", V2_TYPE, NULL},
    {CONNECT, "GET", "/connectors", V3_TYPE, NULL},
    {CONNECT, "PUT", "/connectors/oom/config", V3_TYPE, SINK_JSON},
    {CONNECT, "GET", "/connectors/oom/status", V3_TYPE, NULL},
    {REST, "POST", "/topics/workshop.user", JSON_TYPE, "{\"records\":[{\"value\":{\"n\":2}}]}"},
    {CONNECT, "DELETE", "/connectors/oom", V3_TYPE, NULL},
    {S3, "GET", "/", "text/plain", NULL},
    {S3, "PUT", "/oom-bucket", "text/plain", NULL},
    {S3, "PUT", "/oom-bucket/key", "text/plain", "the object's bytes"},
    {S3, "GET", "/oom-bucket/key", "text/plain", NULL},
    {S3, "GET", "/oom-bucket?list-type=2", "text/plain", NULL},
    {S3, "POST", "/oom-bucket/parts?uploads", "text/plain", NULL},
    {S3, "DELETE", "/oom-bucket/key", "text/plain", NULL},
    {S3, "DELETE", "/oom-bucket", "text/plain", NULL},
    {MSK, "GET", "/v1/connectors", V3_TYPE, NULL},
};
enum { STEPS = sizeof(session) / sizeof(session[0]) };

static int ports[PORTS];
static struct fault_control *control;

/* As http_once, with an Accept header. */
static int step_run(const struct step *step, struct reply *reply)
{
    char head[1024];
    size_t body_len = step->body != NULL ? strlen(step->body) : 0;
    int fd = http_connect(ports[step->port]);
    int len = snprintf(head, sizeof(head),
                       "%s %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: %s\r\nAccept: %s\r\n"
                       "Content-Length: %zu\r\n\r\n",
                       step->method, step->path, step->type, step->port == S3 ? "*/*" : step->type,
                       body_len);
    reply->status = 0;
    if (fd >= 0 && send_all(fd, head, (size_t)len) &&
        (body_len == 0 || send_all(fd, step->body, body_len))) {
        reply_receive(fd, reply);
    }
    if (fd >= 0) {
        close(fd);
    }
    return reply->status;
}

static void ports_read(const struct server *server)
{
    char text[4096] = "";
    FILE *file = fopen(server->ready_path, "r");
    size_t got = file != NULL ? fread(text, 1, sizeof(text) - 1, file) : 0;
    text[got] = '\0';
    if (file != NULL) {
        fclose(file);
    }
    for (int i = 0; i < PORTS; i++) {
        ports[i] = ready_port(text, port_keys[i]);
        if (ports[i] == 0) {
            die("the ready file has no %s", port_keys[i]);
        }
    }
}

/* The session; `expected` is filled at the first time (learn), then each answer is that or a 5xx,
 * or, when something before it was refused, another refusal. How many were as expected. */
static int session_run(int expected[STEPS], bool learn, const char *what)
{
    struct reply reply = {0};
    int as_expected = 0;
    for (int i = 0; i < STEPS; i++) {
        const struct step *step = &session[i];
        int status = step_run(step, &reply);
        if (learn) {
            expected[i] = status;
        }
        if (status == 0) {
            die("%s: %s %s was not answered", what, step->method, step->path);
        }
        as_expected += status == expected[i];
    }
    free(reply.text);
    return as_expected;
}

/* Takes away what a session that was cut short has left. */
static void clean_up(void)
{
    static const struct step left[] = {
        {REST, "DELETE", "/consumers/g/instances/i", V2_TYPE, NULL},
        {CONNECT, "DELETE", "/connectors/oom", V3_TYPE, NULL},
        {S3, "DELETE", "/oom-bucket/key", "text/plain", NULL},
        {S3, "DELETE", "/oom-bucket", "text/plain", NULL},
    };
    struct reply reply = {0};
    for (size_t i = 0; i < sizeof(left) / sizeof(left[0]); i++) {
        http_once(ports[left[i].port], left[i].method, left[i].path, left[i].type, NULL, &reply);
    }
    free(reply.text);
}

static void server_lives(const struct server *server, const char *what)
{
    int status;
    if (waitpid(server->pid, &status, WNOHANG) == server->pid) {
        die("%s: the server ended, %s %d", what, WIFSIGNALED(status) ? "signal" : "exit",
            WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
    }
}

/* False: the session asks for fewer allocations than that. */
static bool point_run(const struct server *server, int expected[STEPS], enum fault_mode mode,
                      long n)
{
    char what[128];
    fault_begin(control, mode, n);
    snprintf(what, sizeof(what), "allocation %ld fails %s", n, fault_word(mode));
    int ignored[STEPS];
    memcpy(ignored, expected, sizeof(ignored));
    session_run(ignored, false, what);
    bool failed = fault_end(control);
    server_lives(server, what);
    clean_up();
    if (session_run(expected, false, what) != STEPS) {
        die("%s: with memory again not every request is answered as before", what);
    }
    return failed;
}

/* One server for all points: what a busy one allocates. */
static long points_warm(const struct server *server, int expected[STEPS], enum fault_mode mode,
                        long stride)
{
    long n = 1;
    while (n < POINTS_MAX && point_run(server, expected, mode, n)) {
        n += stride;
    }
    return n / stride;
}

/* A server for each: what first uses allocate as well, such as libraries and statements. */
static long points_cold(struct server *server, int expected[STEPS], enum fault_mode mode,
                        long stride)
{
    long n = 1;
    bool failed = true;
    while (n < POINTS_MAX && failed) {
        server_start(server);
        ports_read(server);
        failed = point_run(server, expected, mode, n);
        clean_up();
        if (server_stop(server) != 0) {
            die("after allocation %ld failed the server did not end cleanly", n);
        }
        n += stride;
    }
    return n / stride;
}

static void warm(struct server *server, int expected[STEPS], long stride)
{
    server_start(server);
    ports_read(server);
    session_run(expected, true, "with memory");
    for (int i = 0; i < STEPS; i++) {
        if (expected[i] >= 500) {
            die("with memory %s %s is %d", session[i].method, session[i].path, expected[i]);
        }
    }
    for (int i = 0; i < 20; i++) {
        session_run(expected, false, "with memory");
    }
    long before = atomic_load(&control->alive);
    long once = points_warm(server, expected, FAULT_ONCE, stride);
    long on = points_warm(server, expected, FAULT_FROM_THERE_ON, stride);
    long left = atomic_load(&control->alive) - before;
    if (left > SLACK_ALLOCATIONS) {
        die("%ld allocations more are alive after %ld failures", left, once + on);
    }
    if (server_stop(server) != 0) {
        die("the server did not end cleanly");
    }
    printf("ok - a busy server: %ld allocations failed once, %ld with all that followed; each was "
           "answered, nothing is left behind\n",
           once, on);
}

int main(int argc, char **argv)
{
    struct server server;
    char dir[512];
    int expected[STEPS];
    if (argc != 5) {
        fprintf(stderr, "usage: malloc_client PROGRAM INTERPOSE_SO WORK_DIR STRIDE\n");
        return 2;
    }
    long stride = strtol(argv[4], NULL, 10);
    control = fault_control_make(argv[3]);
    snprintf(dir, sizeof(dir), "%s/data", argv[3]);
    server_init(&server, argv[1], argv[3], dir);
    server.preload = argv[2];
    server.durability = "off";
    warm(&server, expected, stride);
    long once = points_cold(&server, expected, FAULT_ONCE, 4 * stride);
    long on = points_cold(&server, expected, FAULT_FROM_THERE_ON, 4 * stride);
    printf("ok - a server just started: %ld allocations failed once, %ld with all that followed\n",
           once, on);
    return 0;
}
