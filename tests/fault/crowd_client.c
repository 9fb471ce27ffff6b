/* Crowds in turn before the real server: idle connections, heads and bodies that dribble, readers
 * that do not read. While each stands, somebody honest asks every port a number of times, on new
 * connections, produces a record of 1 KiB and puts an object of 1 MiB. A wrong answer, a refusal, a
 * crash, memory above that of --memory and (by the server's own assertion at its end) memory that
 * stays counted fail; latencies are printed only, because they are the machine's.
 *
 *   crowd_client PROGRAM WORK_DIR CONNECTIONS ASKS MEMORY_MIB judged|unjudged */
#include "raw_http.h"

#include <poll.h>
#include <pthread.h>
#include <sys/resource.h>

enum {
    PORTS_MAX = 5,
    REST = 1, /* among the questions */
    S3 = 3,
    OBJECT_BYTES = 16 * 1024 * 1024,
    HONEST_RECORD_BYTES = 1024,
    HONEST_OBJECT_BYTES = 1024 * 1024,
    HOSTAGE_BYTES = 8 * 1024 * 1024, /* that a hostage body promises */
    HOSTAGE_FIRST_BYTES = 128 * 1024,
    STRAY_FDS = 64, /* left of the descriptors for what is no crowd */
    ROUND_US = 100 * 1000,
    RETURNS_MAX = 100, /* of those whom the server has closed, in a round */
};

enum crowd_kind { NOBODY, IDLE, SLOW_HEADS, HOSTAGE_BODIES, READERS, CROWD_KINDS };

static const char *const crowd_names[] = {"nobody", "idle", "slow heads", "hostage bodies",
                                          "readers that do not read"};

/* What somebody honest asks a port, and a word of the right answer. */
struct question {
    const char *key; /* in the ready file */
    const char *path;
    const char *word;
    const char *upload; /* what takes a body there */
    int port;
};

struct crowd {
    enum crowd_kind kind;
    struct question *questions;
    int *fds; /* -1: not connected */
    int count;
    int peak_count;
    volatile bool leaves;
};

struct asked {
    int64_t *us;
    int count;
    int refused;
};

struct trial {
    struct server server;
    struct question questions[PORTS_MAX];
    int connections;
    int asks;
    long memory_kib; /* 0: not judged */
    int produced;
    char record[HONEST_RECORD_BYTES + 64]; /* what somebody honest sends: a produce, an object */
    char object[HONEST_OBJECT_BYTES + 1];
};

/* --- the crowd --- */

static void crowd_say(struct crowd *crowd, int i, const char *bytes, size_t len)
{
    ssize_t sent = send(crowd->fds[i], bytes, len, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && errno != EAGAIN) {
        close(crowd->fds[i]);
        crowd->fds[i] = -1;
    }
}

/* Its first words, when it has connected. */
static void crowd_begin(struct crowd *crowd, int i)
{
    static const char zeros[HOSTAGE_FIRST_BYTES];
    const struct question *question = &crowd->questions[i % PORTS_MAX];
    bool is_s3 = strcmp(question->key, "s3_url") == 0;
    char head[512];
    int len = 0;
    switch (crowd->kind) {
    case SLOW_HEADS:
        len = snprintf(head, sizeof(head), "GET %s HTTP/1.1\r\nHost: a\r\nX-A: ", question->path);
        break;
    case HOSTAGE_BODIES:
        len = snprintf(head, sizeof(head),
                       "%s HTTP/1.1\r\nHost: a\r\nContent-Type: " JSON_TYPE
                       "\r\nContent-Length: %d\r\n\r\n",
                       question->upload, HOSTAGE_BYTES);
        break;
    case READERS:
        len = snprintf(head, sizeof(head), "GET %s HTTP/1.1\r\nHost: a\r\n\r\n",
                       is_s3 ? "/user-workshop-bucket/large" : question->path);
        break;
    default:
        return;
    }
    crowd_say(crowd, i, head, (size_t)len);
    if (crowd->kind == HOSTAGE_BODIES && crowd->fds[i] >= 0) {
        crowd_say(crowd, i, zeros, sizeof(zeros));
    }
}

static bool crowd_joins(struct crowd *crowd, int i)
{
    int small = 4096;
    struct timeval wait = {.tv_usec = 200 * 1000};
    struct sockaddr_in to = {.sin_family = AF_INET};
    to.sin_port = htons((uint16_t)crowd->questions[i % PORTS_MAX].port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0) {
        return false;
    }
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait));
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
    if (connect(fd, (struct sockaddr *)&to, sizeof(to)) != 0) {
        close(fd);
        return false;
    }
    crowd->fds[i] = fd;
    crowd_begin(crowd, i);
    return true;
}

/* One goes on being a nuisance, and finds out whether the server has closed it. */
static void crowd_stays(struct crowd *crowd, int i)
{
    char scratch[4096];
    if (crowd->kind == READERS) {
        crowd_begin(crowd, i);
        return;
    }
    ssize_t got = recv(crowd->fds[i], scratch, sizeof(scratch), MSG_DONTWAIT);
    if (got == 0 || (got < 0 && errno != EAGAIN)) {
        close(crowd->fds[i]);
        crowd->fds[i] = -1;
    } else if (crowd->kind != IDLE) {
        crowd_say(crowd, i, "x", 1);
    }
}

static void *crowd_live(void *arg)
{
    struct crowd *crowd = arg;
    while (!crowd->leaves) {
        int returned = 0;
        for (int i = 0; i < crowd->count && !crowd->leaves; i++) {
            if (crowd->fds[i] >= 0) {
                crowd_stays(crowd, i);
            } else if (returned < RETURNS_MAX) {
                returned += crowd_joins(crowd, i);
            }
        }
        pause_us(ROUND_US);
    }
    return NULL;
}

static void crowd_comes(struct crowd *crowd)
{
    for (int i = 0; i < crowd->count; i++) {
        crowd->fds[i] = -1;
        crowd->peak_count += crowd_joins(crowd, i);
    }
}

static void crowd_goes(struct crowd *crowd)
{
    for (int i = 0; i < crowd->count; i++) {
        if (crowd->fds[i] >= 0) {
            close(crowd->fds[i]);
        }
    }
}

/* --- somebody honest --- */

/* Among idle ones from the crowd's own address, among the others from one of its own: whoever has
 * just come and sends something is owed his place for a while, and one address's crowd of those may
 * fill what one address may have. */
static int honest_once(const struct question *question, enum crowd_kind kind, const char *method,
                       const char *path, const char *body, struct reply *reply)
{
    struct sockaddr_in from = {.sin_family = AF_INET};
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)question->port)};
    struct timeval wait = {.tv_sec = REPLY_WAIT_S};
    from.sin_addr.s_addr = htonl(kind == IDLE ? INADDR_LOOPBACK : INADDR_LOOPBACK + 1);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&from, sizeof(from)) != 0) {
        die("no socket at an address of its own: %s", strerror(errno));
    }
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
    reply->status = 0;
    if (connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0 &&
        http_send(fd, method, path, body != NULL ? JSON_TYPE : "application/json", body)) {
        reply_receive(fd, reply);
    }
    close(fd);
    return reply->status;
}

static void note(struct asked *asked, int64_t start_us)
{
    asked->us[asked->count++] = now_us() - start_us;
}

static void ask(const struct question *question, enum crowd_kind kind, struct asked *asked)
{
    struct reply reply = {0};
    int64_t start = now_us();
    int status = honest_once(question, kind, "GET", question->path, NULL, &reply);
    note(asked, start);
    if (status == 0 || status >= 500) {
        printf("# %s %s was answered %d: %.200s\n", question->key, question->path, status,
               status != 0 ? reply.body : "nothing");
        asked->refused++;
    } else if (status != 200 || strstr(reply.body, question->word) == NULL) {
        die("%s %s was answered %d: %.200s", question->key, question->path, status, reply.body);
    }
    free(reply.text);
}

static void produce(struct trial *trial, enum crowd_kind kind, struct asked *asked)
{
    struct reply reply = {0};
    char expected[64];
    int64_t start = now_us();
    int status = honest_once(&trial->questions[REST], kind, "POST", "/topics/workshop.pin",
                             trial->record, &reply);
    note(asked, start);
    snprintf(expected, sizeof(expected), "\"offset\":%d,", trial->produced);
    if (status == 0 || status >= 500) {
        printf("# a record was answered %d: %.200s\n", status,
               status != 0 ? reply.body : "nothing");
        asked->refused++;
    } else if (status != 200 || strstr(reply.body, expected) == NULL) {
        die("record %d was answered %d: %.200s", trial->produced, status, reply.body);
    } else {
        trial->produced++;
    }
    free(reply.text);
}

static void put(struct trial *trial, enum crowd_kind kind, struct asked *asked)
{
    struct reply reply = {0};
    int64_t start = now_us();
    int status = honest_once(&trial->questions[S3], kind, "PUT", "/user-workshop-bucket/honest",
                             trial->object, &reply);
    note(asked, start);
    if (status == 0 || status >= 500) {
        printf("# an object was answered %d: %.200s\n", status,
               status != 0 ? reply.body : "nothing");
        asked->refused++;
    } else if (status != 200) {
        die("an object was answered %d: %.200s", status, reply.body);
    }
    free(reply.text);
}

/* --- the server's memory --- */

static void peak_reset(const struct trial *trial)
{
    char path[64];
    snprintf(path, sizeof(path), "/proc/%d/clear_refs", (int)trial->server.pid);
    FILE *file = fopen(path, "w");
    if (file == NULL || fputs("5", file) < 0 || fclose(file) != 0) {
        printf("# the peak cannot be reset here: it is that of all crowds so far\n");
    }
}

static long peak_kib(const struct trial *trial)
{
    char path[64];
    char line[256];
    long kib = 0;
    snprintf(path, sizeof(path), "/proc/%d/status", (int)trial->server.pid);
    FILE *file = fopen(path, "r");
    while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
        if (sscanf(line, "VmHWM: %ld", &kib) == 1) {
            break;
        }
    }
    if (file != NULL) {
        fclose(file);
    }
    return kib;
}

/* --- trials --- */

static int us_compare(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a;
    int64_t right = *(const int64_t *)b;
    return (left > right) - (left < right);
}

static bool judge(const struct trial *trial, const struct crowd *crowd, struct asked *asked)
{
    long peak = peak_kib(trial);
    bool fits = trial->memory_kib == 0 || peak <= trial->memory_kib;
    bool good = fits && asked->refused == 0;
    qsort(asked->us, (size_t)asked->count, sizeof(asked->us[0]), us_compare);
    printf(
        "%s - %-24s %5d connections, peak %5.1f MiB; others: %d answers, %d refused, median %.1f, "
        "p99 %.1f, max %.1f ms\n",
        good ? "ok" : "not ok", crowd_names[crowd->kind], crowd->peak_count, (double)peak / 1024,
        asked->count, asked->refused, (double)asked->us[asked->count / 2] / 1000,
        (double)asked->us[asked->count * 99 / 100] / 1000,
        (double)asked->us[asked->count - 1] / 1000);
    fflush(stdout);
    return good;
}

static bool try_crowd(struct trial *trial, enum crowd_kind kind)
{
    struct crowd crowd = {.kind = kind, .questions = trial->questions};
    struct asked asked = {0};
    pthread_t thread;
    crowd.count = kind == NOBODY ? 0 : trial->connections;
    crowd.fds = calloc((size_t)crowd.count + 1, sizeof(crowd.fds[0]));
    asked.us = calloc((size_t)trial->asks * (PORTS_MAX + 2), sizeof(asked.us[0]));
    if (crowd.fds == NULL || asked.us == NULL) {
        die("out of memory");
    }
    peak_reset(trial);
    crowd_comes(&crowd);
    if (pthread_create(&thread, NULL, crowd_live, &crowd) != 0) {
        die("cannot start a thread");
    }
    for (int i = 0; i < trial->asks; i++) {
        for (int q = 0; q < PORTS_MAX; q++) {
            ask(&trial->questions[q], kind, &asked);
        }
        produce(trial, kind, &asked);
        put(trial, kind, &asked);
    }
    bool good = judge(trial, &crowd, &asked);
    crowd.leaves = true;
    pthread_join(thread, NULL);
    crowd_goes(&crowd);
    free(crowd.fds);
    free(asked.us);
    return good;
}

/* --- before and after --- */

static void read_ports(struct trial *trial)
{
    char text[4096] = "";
    FILE *file = fopen(trial->server.ready_path, "r");
    size_t got = file != NULL ? fread(text, 1, sizeof(text) - 1, file) : 0;
    text[got] = '\0';
    if (file != NULL) {
        fclose(file);
    }
    for (int i = 0; i < PORTS_MAX; i++) {
        char key[64];
        snprintf(key, sizeof(key), "\"%s\": \"http://127.0.0.1:", trial->questions[i].key);
        const char *url = strstr(text, key);
        trial->questions[i].port = url != NULL ? atoi(url + strlen(key)) : 0;
        if (trial->questions[i].port == 0) {
            die("no %s in the ready file: %s", trial->questions[i].key, text);
        }
    }
}

static void put_large_object(const struct trial *trial)
{
    struct reply reply = {0};
    char *body = malloc(OBJECT_BYTES + 1);
    if (body == NULL) {
        die("out of memory");
    }
    memset(body, 'o', OBJECT_BYTES);
    body[OBJECT_BYTES] = '\0';
    if (http_once(trial->questions[S3].port, "PUT", "/user-workshop-bucket/large", "text/plain",
                  body, &reply) != 200) {
        die("the large object was answered %d", reply.status);
    }
    free(body);
    free(reply.text);
}

static void fill_bodies(struct trial *trial)
{
    char value[HONEST_RECORD_BYTES + 1];
    memset(value, 'r', HONEST_RECORD_BYTES);
    value[HONEST_RECORD_BYTES] = '\0';
    snprintf(trial->record, sizeof(trial->record), "{\"records\":[{\"value\":\"%s\"}]}", value);
    memset(trial->object, 'p', HONEST_OBJECT_BYTES);
}

/* As many as descriptors allow; the server has the same limit. */
static int connections_allowed(int wanted)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) {
        die("no limit of descriptors is known");
    }
    if (limit.rlim_cur < (rlim_t)wanted + STRAY_FDS) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
        getrlimit(RLIMIT_NOFILE, &limit);
    }
    if (limit.rlim_cur < (rlim_t)wanted + STRAY_FDS) {
        int allowed = (int)limit.rlim_cur - STRAY_FDS;
        printf("# %d connections instead of %d: ulimit -n is %ld\n", allowed, wanted,
               (long)limit.rlim_cur);
        return allowed;
    }
    return wanted;
}

static void check_end(struct trial *trial)
{
    struct reply reply = {0};
    char expected[64];
    http_once(trial->server.port, "GET", "/topics/workshop.pin/partitions/0/offsets", V2_TYPE, NULL,
              &reply);
    snprintf(expected, sizeof(expected), "\"end_offset\":%d}", trial->produced);
    if (reply.status != 200 || strstr(reply.body, expected) == NULL) {
        die("%d records were acknowledged, but: %s", trial->produced, reply.body);
    }
    free(reply.text);
    int code = server_stop(&trial->server);
    if (code != 0) {
        die("the server ended with %d after SIGTERM", code);
    }
    printf("ok - the server has outlived all crowds and holds the %d records\n", trial->produced);
}

int main(int argc, char **argv)
{
    static struct trial trial = {
        .questions = {{"gateway_url", "/test/v3/clusters", "\"cluster_id\"",
                       "POST /test/topics/workshop.geo", 0},
                      {"rest_url", "/v3/clusters", "\"cluster_id\"", "POST /topics/workshop.geo",
                       0},
                      {"connect_url", "/connectors", "[]", "POST /connectors", 0},
                      {"s3_url", "/", "<Name>user-workshop-bucket</Name>",
                       "PUT /user-workshop-bucket/hostage", 0},
                      {"msk_connect_url", "/v1/connectors", "\"connectors\":[]",
                       "POST /v1/connectors", 0}},
    };
    char data_dir[512];
    bool good = true;
    if (argc != 7) {
        fprintf(stderr, "usage: crowd_client PROGRAM WORK_DIR CONNECTIONS ASKS MEMORY_MIB "
                        "judged|unjudged\n");
        return 2;
    }
    trial.connections = connections_allowed(atoi(argv[3]));
    trial.asks = atoi(argv[4]);
    trial.memory_kib = strcmp(argv[6], "judged") == 0 ? atol(argv[5]) * 1024 : 0;
    fill_bodies(&trial);
    snprintf(data_dir, sizeof(data_dir), "%s/data", argv[2]);
    server_init(&trial.server, argv[1], argv[2], data_dir);
    trial.server.memory_mib = argv[5];
    server_start(&trial.server);
    read_ports(&trial);
    put_large_object(&trial);
    for (int kind = 0; kind < CROWD_KINDS; kind++) {
        good = try_crowd(&trial, (enum crowd_kind)kind) && good;
    }
    check_end(&trial);
    return good ? 0 : 1;
}
