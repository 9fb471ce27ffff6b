/* kill -9 under load. Several connections post numbered records and remember each acknowledgement;
 * the server is killed at a random moment (now and then while it starts), started again, and must
 * give back, through the consumer API, each acknowledged record exactly once, at the offset that
 * was told, in partitions without a gap. Records without an answer may be there once or not at all.
 *
 *   crash_client PROGRAM WORK_DIR ROUNDS SEED full|normal|off PAIRS
 *
 * PAIRS times the server is killed again while it recovers, before it says that it is ready. */
#include "state_query.h"

#include <pthread.h>

enum {
    CONNECTIONS = 4,
    PARTITIONS = 3,
    BATCH_MAX = 5,
    LOAD_US_MIN = 3000,
    LOAD_US_MAX = 120000,
    RECOVERY_US_MAX = 12000,
};

enum record_fate { FATE_SENT, FATE_ACKED };

struct record {
    unsigned char fate;
    bool seen;
    int partition;
    int64_t offset;
};

struct run {
    struct server server;
    uint64_t random;
    pthread_mutex_t mutex;
    struct record *records; /* by number */
    size_t count;
    size_t cap;
    int64_t checked[PARTITIONS]; /* offsets below are verified */
    size_t checked_count;        /* so are the records with these numbers */
    int consumers;
    size_t acked;
    size_t in_doubt_kept;
    int round;
    int pairs; /* of kills, the second one while it recovered from the first */
};

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/* --- posting --- */

static size_t take_numbers(struct run *run, size_t count)
{
    pthread_mutex_lock(&run->mutex);
    if (run->count + count > run->cap) {
        run->cap = run->cap == 0 ? 65536 : run->cap * 2;
        run->records = realloc(run->records, run->cap * sizeof(*run->records));
        if (run->records == NULL) {
            die("out of memory");
        }
    }
    size_t first = run->count;
    memset(&run->records[first], 0, count * sizeof(*run->records));
    run->count += count;
    pthread_mutex_unlock(&run->mutex);
    return first;
}

/* {"offsets":[{"partition":0,"offset":7,"error_code":null,...},...]} */
static void note_acknowledged(struct run *run, const char *body, size_t first, size_t count)
{
    const char *at = body;
    pthread_mutex_lock(&run->mutex);
    for (size_t i = 0; i < count; i++) {
        struct record *record = &run->records[first + i];
        at = strstr(at, "\"partition\":");
        const char *offset = at != NULL ? strstr(at, "\"offset\":") : NULL;
        if (offset == NULL || strncmp(at + 12, "null", 4) == 0) {
            die("round %d: a record in a 200 has no offset: %s", run->round, body);
        }
        record->partition = atoi(at + 12);
        record->offset = strtoll(offset + 9, NULL, 10);
        record->fate = FATE_ACKED;
        run->acked++;
        at = offset;
    }
    pthread_mutex_unlock(&run->mutex);
}

static void build_body(char *body, size_t body_bytes, size_t first, size_t count, uint64_t *random)
{
    size_t used = (size_t)snprintf(body, body_bytes, "{\"records\":[");
    for (size_t i = 0; i < count; i++) {
        used += (size_t)snprintf(body + used, body_bytes - used,
                                 "%s{\"partition\":%d,\"value\":{\"id\":%zu,\"pad\":\"%0*d\"}}",
                                 i == 0 ? "" : ",", (int)(next_random(random) % PARTITIONS),
                                 first + i, (int)(next_random(random) % 600) + 1, 0);
    }
    snprintf(body + used, body_bytes - used, "]}");
}

struct lane {
    struct run *run;
    uint64_t random;
};

/* Posts until the server is gone. */
static void *post_lane(void *arg)
{
    struct lane *lane = arg;
    struct reply reply = {0};
    char body[8192];
    int fd = http_connect(lane->run->server.port);
    while (fd >= 0) {
        size_t count = next_random(&lane->random) % BATCH_MAX + 1;
        size_t first = take_numbers(lane->run, count);
        build_body(body, sizeof(body), first, count, &lane->random);
        if (!http_send(fd, "POST", "/topics/crash", JSON_TYPE, body)) {
            break;
        }
        reply_receive(fd, &reply);
        if (reply.status == 0) {
            break;
        }
        if (reply.status != 200) {
            die("round %d: a post was answered %d: %s", lane->run->round, reply.status, reply.body);
        }
        note_acknowledged(lane->run, reply.body, first, count);
    }
    if (fd >= 0) {
        close(fd);
    }
    free(reply.text);
    return NULL;
}

static void load_and_kill(struct run *run)
{
    pthread_t threads[CONNECTIONS];
    struct lane lanes[CONNECTIONS];
    for (int i = 0; i < CONNECTIONS; i++) {
        lanes[i] = (struct lane){.run = run, .random = next_random(&run->random) | 1};
        if (pthread_create(&threads[i], NULL, post_lane, &lanes[i]) != 0) {
            die("cannot start a thread");
        }
    }
    pause_us(LOAD_US_MIN + (int64_t)(next_random(&run->random) % (LOAD_US_MAX - LOAD_US_MIN)));
    server_kill(&run->server);
    for (int i = 0; i < CONNECTIONS; i++) {
        pthread_join(threads[i], NULL);
    }
}

/* --- reading back --- */

static void must(struct run *run, const char *method, const char *path, const char *type,
                 const char *body, int status, struct reply *reply)
{
    if (http_once(run->server.port, method, path, type, body, reply) != status) {
        die("round %d: %s %s was answered %d: %s", run->round, method, path, reply->status,
            reply->status != 0 ? reply->body : "");
    }
}

static int64_t end_offset(struct run *run, int partition, struct reply *reply)
{
    char path[128];
    snprintf(path, sizeof(path), "/topics/crash/partitions/%d/offsets", partition);
    must(run, "GET", path, V2_TYPE, NULL, 200, reply);
    const char *end = strstr(reply->body, "\"end_offset\":");
    if (end == NULL) {
        die("no end_offset: %s", reply->body);
    }
    return strtoll(end + 13, NULL, 10);
}

static void check_record(struct run *run, size_t number, int partition, int64_t offset)
{
    if (number >= run->count) {
        die("round %d: record %zu was never sent", run->round, number);
    }
    struct record *record = &run->records[number];
    if (offset != run->checked[partition]) {
        die("round %d: partition %d has offset %lld where %lld should be", run->round, partition,
            (long long)offset, (long long)run->checked[partition]);
    }
    if (record->seen) {
        die("round %d: record %zu is there twice", run->round, number);
    }
    if (record->fate == FATE_ACKED &&
        (record->partition != partition || record->offset != offset)) {
        die("round %d: record %zu was acknowledged at %d/%lld and is at %d/%lld", run->round,
            number, record->partition, (long long)record->offset, partition, (long long)offset);
    }
    run->in_doubt_kept += record->fate == FATE_SENT;
    record->seen = true;
    record->partition = partition;
    record->offset = offset;
    run->checked[partition]++;
}

/* [{"topic":"crash","key":null,"value":{"id":7,...},"partition":0,"offset":3},...] */
static size_t check_page(struct run *run, const char *body)
{
    size_t count = 0;
    const char *at = body;
    while ((at = strstr(at, "\"value\":{\"id\":")) != NULL) {
        size_t number = strtoull(at + 14, NULL, 10);
        const char *partition = strstr(at, "\"partition\":");
        const char *offset = partition != NULL ? strstr(partition, "\"offset\":") : NULL;
        if (offset == NULL) {
            die("cannot read %.200s", at);
        }
        check_record(run, number, atoi(partition + 12), strtoll(offset + 9, NULL, 10));
        at = offset;
        count++;
    }
    return count;
}

static void consume_partition(struct run *run, int partition, int64_t end, struct reply *reply)
{
    char base[128];
    char path[256];
    char body[256];
    int empty = 0;
    snprintf(body, sizeof(body),
             "{\"name\":\"c%d\",\"format\":\"json\",\"auto.offset.reset\":\"earliest\","
             "\"auto.commit.enable\":\"false\",\"fetch.min.bytes\":1}",
             run->consumers);
    must(run, "POST", "/consumers/checkers", V2_TYPE, body, 200, reply);
    snprintf(base, sizeof(base), "/consumers/checkers/instances/c%d", run->consumers++);
    snprintf(path, sizeof(path), "%s/assignments", base);
    snprintf(body, sizeof(body), "{\"partitions\":[{\"topic\":\"crash\",\"partition\":%d}]}",
             partition);
    must(run, "POST", path, V2_TYPE, body, 204, reply);
    snprintf(path, sizeof(path), "%s/positions", base);
    snprintf(body, sizeof(body),
             "{\"offsets\":[{\"topic\":\"crash\",\"partition\":%d,\"offset\":%lld}]}", partition,
             (long long)run->checked[partition]);
    must(run, "POST", path, V2_TYPE, body, 204, reply);
    snprintf(path, sizeof(path), "%s/records?timeout=200", base);
    while (run->checked[partition] < end && empty < 20) {
        int fd = http_connect(run->server.port);
        char head[512];
        int len =
            snprintf(head, sizeof(head),
                     "GET %s HTTP/1.1\r\nHost: localhost\r\nAccept: " JSON_TYPE "\r\n\r\n", path);
        if (fd < 0 || !send_all(fd, head, (size_t)len)) {
            die("round %d: cannot read", run->round);
        }
        reply_receive(fd, reply);
        close(fd);
        if (reply->status != 200) {
            die("round %d: records: %d %s", run->round, reply->status,
                reply->status != 0 ? reply->body : "");
        }
        empty = check_page(run, reply->body) == 0 ? empty + 1 : 0;
    }
    must(run, "DELETE", base, V2_TYPE, NULL, 204, reply);
    if (run->checked[partition] != end) {
        die("round %d: partition %d can be read up to %lld, its end is %lld", run->round, partition,
            (long long)run->checked[partition], (long long)end);
    }
}

static void check_back(struct run *run)
{
    struct reply reply = {0};
    for (int p = 0; p < PARTITIONS; p++) {
        int64_t end = end_offset(run, p, &reply);
        if (end < run->checked[p]) {
            die("round %d: partition %d ends at %lld and once ended at %lld", run->round, p,
                (long long)end, (long long)run->checked[p]);
        }
        if (end > run->checked[p]) {
            consume_partition(run, p, end, &reply);
        }
    }
    for (size_t i = run->checked_count; i < run->count; i++) {
        if (run->records[i].fate == FATE_ACKED && !run->records[i].seen) {
            die("round %d: record %zu was acknowledged at %d/%lld and is gone", run->round, i,
                run->records[i].partition, (long long)run->records[i].offset);
        }
    }
    run->checked_count = run->count;
    free(reply.text);
}

/* --- the file, at the very end --- */

static void check_file(struct run *run)
{
    char path[600];
    sqlite3 *db = NULL;
    sqlite3_stmt *stmt = NULL;
    size_t seen = 0;
    for (size_t i = 0; i < run->count; i++) {
        seen += run->records[i].seen;
    }
    snprintf(path, sizeof(path), "%s/state.db", run->server.dir);
    if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK ||
        sqlite3_prepare_v2(db, "PRAGMA integrity_check", -1, &stmt, NULL) != SQLITE_OK ||
        sqlite3_step(stmt) != SQLITE_ROW ||
        strcmp((const char *)sqlite3_column_text(stmt, 0), "ok") != 0) {
        die("integrity_check: %s", sqlite3_errmsg(db));
    }
    sqlite3_finalize(stmt);
    if (state_query(db, "SELECT count(*) FROM records WHERE topic = 'crash'") != (int64_t)seen ||
        state_query(db, "SELECT count(DISTINCT json_extract(value, '$.id')) FROM records "
                        "WHERE topic = 'crash'") != (int64_t)seen) {
        die("the file does not hold the %zu records that were read", seen);
    }
    if (state_query(db, "SELECT count(*) FROM (SELECT tp FROM record GROUP BY tp "
                        "HAVING count(*) <> max(offset) + 1)") != 0) {
        die("a partition has a gap");
    }
    sqlite3_close(db);
}

/* --- rounds --- */

static void create_topic(struct run *run)
{
    struct reply reply = {0};
    char path[256];
    must(run, "GET", "/v3/clusters", "application/json", NULL, 200, &reply);
    const char *id = strstr(reply.body, "\"cluster_id\":\"");
    if (id == NULL) {
        die("no cluster id: %s", reply.body);
    }
    snprintf(path, sizeof(path), "/v3/clusters/%.22s/topics", id + 14);
    must(run, "POST", path, "application/json", "{\"topic_name\":\"crash\",\"partitions_count\":3}",
         201, &reply);
    free(reply.text);
}

/* Killed again while it starts and recovers; tried until that was before it said that it is ready.
 */
static void kill_a_start(struct run *run)
{
    do {
        server_spawn(&run->server);
        pause_us(1000 + (int64_t)(next_random(&run->random) % RECOVERY_US_MAX));
        server_kill(&run->server);
    } while (access(run->server.ready_path, F_OK) == 0);
    run->pairs++;
}

int main(int argc, char **argv)
{
    struct run run = {.mutex = PTHREAD_MUTEX_INITIALIZER};
    char data_dir[512];
    if (argc != 7) {
        fprintf(stderr, "usage: crash_client PROGRAM WORK_DIR ROUNDS SEED full|normal|off PAIRS\n");
        return 2;
    }
    int rounds = atoi(argv[3]);
    int pairs = atoi(argv[6]);
    snprintf(data_dir, sizeof(data_dir), "%s/data-%s", argv[2], argv[5]);
    server_init(&run.server, argv[1], argv[2], data_dir);
    run.server.durability = argv[5];
    run.random = strtoull(argv[4], NULL, 10) * 2654435761U + 88172645463325252U;
    for (run.round = 1; run.round <= rounds; run.round++) {
        while (run.pairs < pairs * run.round / (rounds + 1)) {
            kill_a_start(&run);
        }
        server_start(&run.server);
        if (run.round == 1) {
            create_topic(&run);
        }
        check_back(&run);
        load_and_kill(&run);
    }
    while (run.pairs < pairs) {
        kill_a_start(&run);
    }
    server_start(&run.server);
    check_back(&run);
    int code = server_stop(&run.server);
    if (code != 0) {
        die("the server ended with %d after SIGTERM", code);
    }
    check_file(&run);
    printf("ok - %s: %d kills under load, %d while recovering, %zu records acknowledged, all there "
           "once; of %zu without "
           "an answer %zu were kept\n",
           argv[5], rounds, run.pairs, run.acked, run.count - run.acked, run.in_doubt_kept);
    free(run.records);
    return 0;
}
