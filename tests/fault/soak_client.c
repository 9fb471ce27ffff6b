/* The real server under half of the load that it can take, for as long as one likes: records
 * through the gateway and the REST proxy, a consumer, objects put, read and deleted, a sink, the
 * control APIs. Every answer is checked; memory, descriptors and latency are sampled into a CSV. At
 * the end each record must be there once and each object of the sink whole. Growth of memory and of
 * descriptors fails, latency does not.
 *
 *   soak_client PROGRAM WORK_DIR SECONDS CSV */
#include "outside.h"
#include "state_query.h"

#include <dirent.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>

#define ACCEPT "\r\nAccept: " /* behind a content type */

enum {
    LANES = 4,
    PORTS = 5,
    OBJECTS = 50, /* a lane's, again and again */
    OBJECT_BYTES = 4000,
    FLUSH_SIZE = 1000,
    WARM_BYTES = 24 * 1024 * 1024,
    BUCKETS = 400, /* of latencies, each a tenth longer than the one before */
    SAMPLES_MAX = 24 * 60 * 2,
    SHORT_S = 600, /* a run up to this is sampled more often */
    GROWTH_KIB_MAX = 8 * 1024,
};

enum port { GATEWAY, REST, CONNECT, S3, MSK };

static const char *const port_keys[PORTS] = {"gateway_url", "rest_url", "connect_url", "s3_url",
                                             "msk_connect_url"};

struct sample {
    double seconds;
    long ops;
    double p50_ms;
    double p99_ms;
    long rss_kib;
    long descriptors;
};

struct soak {
    struct server server;
    int ports[PORTS];
    atomic_long ops;
    atomic_long next_id; /* of records; all are acknowledged when the lanes have ended */
    atomic_long latencies[BUCKETS];
    atomic_long pause_us; /* of a lane, from the start of an operation to the next one's; 0: none */
    atomic_bool stop;
    struct sample samples[SAMPLES_MAX];
    int sample_count;
};

struct lane {
    struct soak *soak;
    int number;
    int fds[PORTS];
    struct reply reply;
    long turn;
    char object[OBJECT_BYTES + 1];
};

/* --- one operation --- */

static void lane_ask(struct lane *lane, enum port port, const char *method, const char *path,
                     const char *type, const char *body, int status)
{
    struct reply *reply = &lane->reply;
    if (!http_send(lane->fds[port], method, path, type, body)) {
        die("%s %s: the connection is gone", method, path);
    }
    reply_receive(lane->fds[port], reply);
    if (reply->status != status) {
        die("%s %s was answered %d: %.300s", method, path, reply->status,
            reply->status != 0 ? reply->body : "nothing");
    }
}

static void lane_produce(struct lane *lane, enum port port, int count)
{
    char body[1024];
    size_t used = (size_t)snprintf(body, sizeof(body), "{\"records\":[");
    for (int i = 0; i < count; i++) {
        used += (size_t)snprintf(body + used, sizeof(body) - used,
                                 "%s{\"value\":{\"id\":%ld,\"pad\":\"%0100d\"}}", i > 0 ? "," : "",
                                 atomic_fetch_add(&lane->soak->next_id, 1), 0);
    }
    snprintf(body + used, sizeof(body) - used, "]}");
    lane_ask(lane, port, "POST",
             port == GATEWAY ? "/test/topics/workshop.soak" : "/topics/workshop.soak",
             JSON_TYPE ACCEPT "*/*", body, 200);
}

static void lane_object(struct lane *lane, const char *method)
{
    char path[128];
    long k = lane->turn % OBJECTS;
    snprintf(path, sizeof(path), "/user-workshop-bucket/soak/%d-%ld", lane->number, k);
    if (strcmp(method, "PUT") == 0) {
        memset(lane->object, 'a' + (int)(lane->turn % 26), OBJECT_BYTES);
    }
    lane_ask(lane, S3, method, path, "text/plain", strcmp(method, "PUT") == 0 ? lane->object : NULL,
             strcmp(method, "DELETE") == 0 ? 204 : 200);
    if (strcmp(method, "GET") == 0 && strcmp(lane->reply.body, lane->object) != 0) {
        die("%s came back as something else", path);
    }
}

static void lane_operation(struct lane *lane, int what)
{
    char path[128];
    switch (what) {
    case 0:
        lane_produce(lane, REST, 3);
        break;
    case 1:
        lane_produce(lane, GATEWAY, 1);
        break;
    case 2:
        lane_object(lane, "PUT");
        break;
    case 3:
        lane_object(lane, "GET");
        break;
    case 4:
        lane_object(lane, "DELETE");
        break;
    case 5:
        lane_ask(lane, CONNECT, "GET", "/connectors/soak/status", "application/json", NULL, 200);
        break;
    case 6:
        lane_ask(lane, MSK, "GET", "/v1/connectors", "application/json", NULL, 200);
        break;
    default:
        snprintf(path, sizeof(path),
                 "/consumers/soak%d/instances/c/records?timeout=1&max_bytes=65536", lane->number);
        lane_ask(lane, REST, "GET", path, V2_TYPE ACCEPT JSON_TYPE, NULL, 200);
        lane->turn++;
        break;
    }
}

/* --- lanes --- */

static void latency_note(struct soak *soak, int64_t us)
{
    int bucket = 0;
    for (double bound = 10; bound < (double)us && bucket < BUCKETS - 1; bound *= 1.1) {
        bucket++;
    }
    atomic_fetch_add(&soak->latencies[bucket], 1);
}

/* In ms: the bound of the bucket in which so many of all latencies lie; then begins anew. */
static void latencies_take(struct soak *soak, struct sample *sample)
{
    long counts[BUCKETS];
    long total = 0;
    long below = 0;
    double bound = 10;
    for (int i = 0; i < BUCKETS; i++) {
        counts[i] = atomic_exchange(&soak->latencies[i], 0);
        total += counts[i];
    }
    for (int i = 0; i < BUCKETS; i++, bound *= 1.1) {
        sample->p50_ms = below * 2 < total ? bound / 1000 : sample->p50_ms;
        sample->p99_ms = below * 100 < total * 99 ? bound / 1000 : sample->p99_ms;
        below += counts[i];
    }
}

static void consumer_make(struct lane *lane)
{
    char path[128];
    snprintf(path, sizeof(path), "/consumers/soak%d", lane->number);
    lane_ask(lane, REST, "POST", path, V2_TYPE,
             "{\"name\":\"c\",\"format\":\"json\",\"auto.offset.reset\":\"earliest\"}", 200);
    snprintf(path, sizeof(path), "/consumers/soak%d/instances/c/subscription", lane->number);
    lane_ask(lane, REST, "POST", path, V2_TYPE, "{\"topics\":[\"workshop.soak\"]}", 204);
}

static void *lane_live(void *arg)
{
    struct lane *lane = arg;
    struct soak *soak = lane->soak;
    int64_t due = now_us();
    for (int i = 0; !atomic_load(&soak->stop); i = (i + 1) % 8) {
        int64_t start = now_us();
        lane_operation(lane, i);
        latency_note(soak, now_us() - start);
        atomic_fetch_add(&soak->ops, 1);
        long pause = atomic_load(&soak->pause_us);
        due = pause == 0 ? now_us() : due + pause;
        if (due > now_us()) {
            pause_us(due - now_us());
        }
    }
    return NULL;
}

/* --- the server, seen from outside --- */

static long descriptors(pid_t pid)
{
    char path[64];
    long count = 0;
    snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
    DIR *dir = opendir(path);
    while (dir != NULL && readdir(dir) != NULL) {
        count++;
    }
    if (dir != NULL) {
        closedir(dir);
    }
    return count - 2; /* . and .. */
}

static void sample_take(struct soak *soak, int64_t start_us, long ops_before, FILE *csv)
{
    struct sample *sample = &soak->samples[soak->sample_count++];
    sample->seconds = (double)(now_us() - start_us) / 1e6;
    sample->ops = atomic_load(&soak->ops) - ops_before;
    latencies_take(soak, sample);
    sample->rss_kib = outside_rss_kib(soak->server.pid);
    sample->descriptors = descriptors(soak->server.pid);
    fprintf(csv, "%.0f,%ld,%.2f,%.2f,%ld,%ld\n", sample->seconds, sample->ops, sample->p50_ms,
            sample->p99_ms, sample->rss_kib, sample->descriptors);
    fflush(csv);
}

/* --- the run --- */

static void ports_read(struct soak *soak)
{
    char text[4096] = "";
    FILE *file = fopen(soak->server.ready_path, "r");
    size_t got = file != NULL ? fread(text, 1, sizeof(text) - 1, file) : 0;
    text[got] = '\0';
    if (file != NULL) {
        fclose(file);
    }
    for (int i = 0; i < PORTS; i++) {
        char key[64];
        snprintf(key, sizeof(key), "\"%s\": \"http://127.0.0.1:", port_keys[i]);
        const char *url = strstr(text, key);
        soak->ports[i] = url != NULL ? atoi(url + strlen(key)) : 0;
        if (soak->ports[i] == 0) {
            die("no %s in the ready file: %s", port_keys[i], text);
        }
    }
}

/* SQLite's page cache fills up to its limit, which is no growth to be found. */
static void caches_fill(struct lane *lane)
{
    char *body = malloc(WARM_BYTES + 1);
    if (body == NULL) {
        die("out of memory");
    }
    memset(body, 'w', WARM_BYTES);
    body[WARM_BYTES] = '\0';
    lane_ask(lane, S3, "PUT", "/user-workshop-bucket/warm", "text/plain", body, 200);
    free(body);
}

static void world_make(struct lane *lane)
{
    char path[256];
    caches_fill(lane);
    lane_ask(lane, REST, "GET", "/v3/clusters", "application/json", NULL, 200);
    const char *id = strstr(lane->reply.body, "\"cluster_id\":\"");
    if (id == NULL) {
        die("no cluster id: %s", lane->reply.body);
    }
    snprintf(path, sizeof(path), "/v3/clusters/%.22s/topics", id + 14);
    lane_ask(lane, REST, "POST", path, "application/json",
             "{\"topic_name\":\"workshop.soak\",\"partitions_count\":1}", 201);
    lane_ask(lane, CONNECT, "POST", "/connectors", "application/json",
             "{\"name\":\"soak\",\"config\":{"
             "\"connector.class\":\"io.confluent.connect.s3.S3SinkConnector\","
             "\"s3.region\":\"us-east-1\",\"flush.size\":\"1000\",\"topics.dir\":\"sink\","
             "\"tasks.max\":\"1\",\"topics\":\"workshop.soak\","
             "\"format.class\":\"io.confluent.connect.s3.format.json.JsonFormat\","
             "\"value.converter.schemas.enable\":\"false\","
             "\"value.converter\":\"org.apache.kafka.connect.json.JsonConverter\","
             "\"storage.class\":\"io.confluent.connect.s3.storage.S3Storage\","
             "\"key.converter\":\"org.apache.kafka.connect.storage.StringConverter\","
             "\"s3.bucket.name\":\"user-workshop-bucket\"}}",
             201);
}

static void lanes_open(struct soak *soak, struct lane *lanes)
{
    for (int i = 0; i < LANES; i++) {
        lanes[i].soak = soak;
        lanes[i].number = i;
        for (int port = 0; port < PORTS; port++) {
            lanes[i].fds[port] = http_connect(soak->ports[port]);
        }
        if (i == 0) {
            world_make(&lanes[i]);
        }
        consumer_make(&lanes[i]);
    }
}

/* A tenth of the time without pauses says what the server can take; then half of it. */
static void peak_find(struct soak *soak, int64_t seconds)
{
    int64_t measured_s = seconds / 10 < 10 ? seconds / 10 + 1 : 10;
    long before = atomic_load(&soak->ops);
    pause_us(measured_s * 1000000);
    long ops = atomic_load(&soak->ops) - before;
    if (ops == 0) {
        die("nothing was answered in %ld s", (long)measured_s);
    }
    long pause = (long)(LANES * 2 * measured_s * 1000000 / ops);
    atomic_store(&soak->pause_us, pause > 0 ? pause : 1);
    printf("# peak %ld operations a second; from now on half of them\n", ops / (long)measured_s);
    fflush(stdout);
    struct sample dropped = {0};
    latencies_take(soak, &dropped);
}

static void soak_run(struct soak *soak, int64_t seconds, FILE *csv)
{
    int64_t start = now_us();
    int64_t every = seconds <= SHORT_S ? 10 : 60;
    int64_t count = seconds / every < 6 ? 6 : seconds / every;
    fprintf(csv, "seconds,operations,p50_ms,p99_ms,rss_kib,descriptors\n");
    for (int64_t i = 1; i <= count && i <= SAMPLES_MAX; i++) {
        long before = atomic_load(&soak->ops);
        int64_t wait = start + i * seconds * 1000000 / count - now_us();
        pause_us(wait > 0 ? wait : 0);
        sample_take(soak, start, before, csv);
    }
}

/* --- the verdict --- */

static int long_compare(const void *a, const void *b)
{
    long left = *(const long *)a;
    long right = *(const long *)b;
    return (left > right) - (left < right);
}

/* Of three samples, the one in the middle. */
static long middle(const struct sample *samples, size_t field)
{
    long values[3];
    for (int i = 0; i < 3; i++) {
        memcpy(&values[i], (const char *)&samples[i] + field, sizeof(values[i]));
    }
    qsort(values, 3, sizeof(values[0]), long_compare);
    return values[1];
}

static void growth_judge(const struct soak *soak)
{
    /* A fifth of the time warms caches and the sink's first file. */
    int warm = soak->sample_count / 5 < soak->sample_count - 3 ? soak->sample_count / 5 : 0;
    const struct sample *first = &soak->samples[warm];
    const struct sample *last = &soak->samples[soak->sample_count - 3];
    long rss = middle(last, offsetof(struct sample, rss_kib)) -
               middle(first, offsetof(struct sample, rss_kib));
    long fds = middle(last, offsetof(struct sample, descriptors)) -
               middle(first, offsetof(struct sample, descriptors));
    printf("# after warm-up: memory %+ld KiB, descriptors %+ld, p50 %.2f to %.2f ms, p99 %.2f to "
           "%.2f ms\n",
           rss, fds, first->p50_ms, last[2].p50_ms, first->p99_ms, last[2].p99_ms);
    if (rss > GROWTH_KIB_MAX) {
        die("memory has grown by %ld KiB", rss);
    }
    if (fds > 0) {
        die("there are %ld more descriptors", fds);
    }
}

static void records_check(const struct soak *soak)
{
    char path[600];
    sqlite3 *db = NULL;
    long acked = atomic_load(&soak->next_id);
    snprintf(path, sizeof(path), "%s/state.db", soak->server.dir);
    if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK) {
        die("%s cannot be opened", path);
    }
    int64_t kept = state_query(db, "SELECT count(*) FROM records WHERE topic = 'workshop.soak'");
    int64_t different = state_query(db, "SELECT count(DISTINCT json_extract(value, '$.id')) "
                                        "FROM records WHERE topic = 'workshop.soak'");
    int64_t objects = state_query(db, "SELECT count(*) FROM objects WHERE key LIKE 'sink/%'");
    sqlite3_close(db);
    if (kept != acked || different != acked) {
        die("%ld records were acknowledged, %lld are there, %lld different ones", acked,
            (long long)kept, (long long)different);
    }
    if (objects != acked / FLUSH_SIZE) {
        die("the sink made %lld objects of %ld records", (long long)objects, acked);
    }
    printf(
        "ok - %ld operations, %ld records acknowledged, all there once, %lld objects of the sink\n",
        atomic_load(&soak->ops), acked, (long long)objects);
}

int main(int argc, char **argv)
{
    static struct soak soak;
    static struct lane lanes[LANES];
    pthread_t threads[LANES];
    char data_dir[512];
    FILE *csv = argc == 5 ? fopen(argv[4], "w") : NULL;
    if (csv == NULL) {
        fprintf(stderr, "usage: soak_client PROGRAM WORK_DIR SECONDS CSV\n");
        return 2;
    }
    int64_t seconds = atoll(argv[3]);
    snprintf(data_dir, sizeof(data_dir), "%s/data", argv[2]);
    server_init(&soak.server, argv[1], argv[2], data_dir);
    server_start(&soak.server);
    ports_read(&soak);
    lanes_open(&soak, lanes);
    for (int i = 0; i < LANES; i++) {
        if (pthread_create(&threads[i], NULL, lane_live, &lanes[i]) != 0) {
            die("cannot start a thread");
        }
    }
    peak_find(&soak, seconds);
    soak_run(&soak, seconds, csv);
    atomic_store(&soak.stop, true);
    for (int i = 0; i < LANES; i++) {
        pthread_join(threads[i], NULL);
        free(lanes[i].reply.text);
    }
    fclose(csv);
    int code = server_stop(&soak.server);
    if (code != 0) {
        die("the server ended with %d after SIGTERM", code);
    }
    records_check(&soak);
    growth_judge(&soak);
    printf("ok - neither memory nor descriptors have grown\n");
    return 0;
}
