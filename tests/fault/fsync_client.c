/* The order of syncs and replies of the real server, watched from outside (fsync_interpose.c):
 *
 *   - in full, no 2xx leaves while anything it stands for is unsynced, and the main file and its
 *     directory have been synced before the first;
 *   - whichever sync fails, no 2xx leaves after it, and what was acknowledged before is there after
 *     a restart.
 *
 *   fsync_client PROGRAM INTERPOSE_SO WORK_DIR */
#include "raw_http.h"

#include <pthread.h>

enum { LANES = 8, POSTS_A_LANE = 40, FAULT_POSTS = 12, SYNCS_MAX = 40 };

struct lane {
    int port;
    int acked;
};

static const char small_body[] = "{\"records\":[{\"value\":{\"n\":1}},{\"value\":{\"n\":2}}]}";
/* Large enough that the log moves into the main file while the load goes on. */
enum { BIG_VALUE_BYTES = 20000 };

static void *post_lane(void *arg)
{
    struct lane *lane = arg;
    struct reply reply = {0};
    char big_body[BIG_VALUE_BYTES + 100];
    snprintf(big_body, sizeof(big_body), "{\"records\":[{\"value\":\"%0*d\"}]}", BIG_VALUE_BYTES,
             0);
    int fd = http_connect(lane->port);
    for (int i = 0; i < POSTS_A_LANE && fd >= 0; i++) {
        if (!http_send(fd, "POST", "/topics/workshop.pin", JSON_TYPE, big_body)) {
            break;
        }
        reply_receive(fd, &reply);
        lane->acked += reply.status == 200;
    }
    close(fd);
    free(reply.text);
    return NULL;
}

static void server_begin(struct server *server, const char *dir, const char *log, long fail_sync)
{
    char number[32];
    snprintf(number, sizeof(number), "%ld", fail_sync);
    mkdir(dir, 0755);
    unlink(log);
    setenv("PP_WATCH_DIR", dir, 1);
    setenv("PP_WATCH_LOG", log, 1);
    setenv("PP_FAIL_SYNC", number, 1);
    server_start(server);
}

struct seen {
    int replies_2xx;
    int replies_5xx;
    int syncs;
    int failed_syncs;
    int redundant_failures; /* see read_log */
    bool dir_synced;
    int acked_after_failure;
    int acked_unsynced;
};

/* SQLite syncs the directory once more, after its log's first sync, and does not look at the
 * result. The names of both files are on the disk since the server's own sync of the directory
 * before it (the log's file is made when the database is opened), so that failure takes nothing
 * away. */
static void read_sync(struct seen *seen, const char *line)
{
    bool is_dir = strncmp(line, "sync . ", 7) == 0;
    seen->syncs++;
    if (strstr(line, " failed") == NULL) {
        seen->dir_synced = seen->dir_synced || is_dir;
    } else if (is_dir && seen->dir_synced) {
        seen->redundant_failures++;
    } else {
        seen->failed_syncs++;
    }
}

static struct seen read_log(const char *path)
{
    struct seen seen = {0};
    char line[512];
    FILE *file = fopen(path, "r");
    while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
        if (strncmp(line, "sync ", 5) == 0) {
            read_sync(&seen, line);
        } else if (strncmp(line, "reply 2", 7) == 0) {
            seen.replies_2xx++;
            seen.acked_after_failure += seen.failed_syncs > 0;
            seen.acked_unsynced += strstr(line, "log=clean file=synced dir=synced") == NULL;
        } else if (strncmp(line, "reply 5", 7) == 0) {
            seen.replies_5xx++;
        }
    }
    if (file != NULL) {
        fclose(file);
    }
    return seen;
}

static void order_under_load(struct server *server, const char *dir, const char *log)
{
    pthread_t threads[LANES];
    struct lane lanes[LANES];
    int acked = 0;
    server_begin(server, dir, log, 0);
    for (int i = 0; i < LANES; i++) {
        lanes[i] = (struct lane){.port = server->port};
        if (pthread_create(&threads[i], NULL, post_lane, &lanes[i]) != 0) {
            die("cannot start a thread");
        }
    }
    for (int i = 0; i < LANES; i++) {
        pthread_join(threads[i], NULL);
        acked += lanes[i].acked;
    }
    if (server_stop(server) != 0) {
        die("the server did not end cleanly");
    }
    struct seen seen = read_log(log);
    if (acked != LANES * POSTS_A_LANE || seen.replies_2xx < acked) {
        die("%d of %d posts were acknowledged, %d replies seen", acked, LANES * POSTS_A_LANE,
            seen.replies_2xx);
    }
    if (seen.syncs < 3 || seen.acked_unsynced != 0) {
        die("%d of %d replies left before their sync (%d syncs)", seen.acked_unsynced,
            seen.replies_2xx, seen.syncs);
    }
    printf("ok - %d replies behind %d syncs, none before its own\n", seen.replies_2xx, seen.syncs);
}

static int64_t end_offset(int port)
{
    struct reply reply = {0};
    http_once(port, "GET", "/topics/workshop.pin/partitions/0/offsets", V2_TYPE, NULL, &reply);
    const char *end = reply.status == 200 ? strstr(reply.body, "\"end_offset\":") : NULL;
    if (end == NULL) {
        die("cannot ask for the end of the topic: %d", reply.status);
    }
    int64_t offset = strtoll(end + 13, NULL, 10);
    free(reply.text);
    return offset;
}

/* One post after the other, so that each is a turn. How many were acknowledged. */
static int post_in_turn(int port)
{
    struct reply reply = {0};
    int acked = 0;
    bool refused = false;
    for (int i = 0; i < FAULT_POSTS; i++) {
        int status = http_once(port, "POST", "/topics/workshop.pin", JSON_TYPE, small_body, &reply);
        if (status == 200) {
            acked++;
            if (refused) {
                die("a post was acknowledged after one was refused");
            }
        } else if (status >= 500) {
            refused = true;
        } else {
            die("a post was answered %d", status);
        }
    }
    free(reply.text);
    return acked;
}

static bool log_has(const struct server *server, const char *words)
{
    char line[2048];
    bool found = false;
    FILE *file = fopen(server->log_path, "r");
    while (file != NULL && !found && fgets(line, sizeof(line), file) != NULL) {
        found = strstr(line, words) != NULL;
    }
    if (file != NULL) {
        fclose(file);
    }
    return found;
}

/* A deletion that seems to have nothing to do would be acknowledged without a word to the disk, and
 * what it was to delete be there after a restart. */
static void nothing_is_claimed(const struct server *server, long n)
{
    static const struct {
        const char *method;
        const char *path;
        bool s3;
        bool refused;
    } asked[] = {{"DELETE", "/user-workshop-bucket/refused", true, true},
                 {"DELETE", "/no-such-bucket", true, true},
                 {"POST", "/user-workshop-bucket?delete", true, true},
                 {"POST", "/consumers/group", false, true},
                 {"POST", "/consumers/group/instances/early/subscription", false, true},
                 {"GET", "/topics", false, false},
                 {"GET", "/user-workshop-bucket", true, false}};
    struct reply reply = {0};
    for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++) {
        int port = asked[i].s3 ? server->s3_port : server->port;
        int status = http_once(port, asked[i].method, asked[i].path, V2_TYPE,
                               asked[i].method[0] == 'P' ? "{}" : NULL, &reply);
        if (asked[i].refused ? status < 500 : status != 200) {
            die("sync %ld failed: %s %s was answered %d", n, asked[i].method, asked[i].path,
                status);
        }
    }
    /* What lives in memory alone is taken back with its refusal. */
    http_once(server->port, "POST", "/consumers/group", V2_TYPE, "{\"name\":\"ghost\"}", &reply);
    int status = http_once(server->port, "GET", "/consumers/group/instances/ghost/subscription",
                           V2_TYPE, NULL, &reply);
    if (status != 404) {
        die("sync %ld failed: a consumer that was refused is answered %d", n, status);
    }
    free(reply.text);
}

/* The end of a server whose sync failed says so, and so does the next one's start. */
static void the_end_is_true(struct server *server, long n)
{
    int code = server_stop(server);
    if (code != 5 || log_has(server, "everything is committed") ||
        !log_has(server, "may or may not be there")) {
        die("sync %ld failed: the server ended with %d, see %s", n, code, server->log_path);
    }
}

/* false: the n-th sync did not happen, every one has been tried. */
static bool one_failed_sync(struct server *server, const char *dir, const char *log, long n)
{
    unlink(server->log_path);
    server_begin(server, dir, log, n);
    int acked = post_in_turn(server->port);
    struct seen during = read_log(log);
    if (during.failed_syncs > 0) {
        nothing_is_claimed(server, n);
        the_end_is_true(server, n);
    } else if (server_stop(server) != 0) {
        die("sync %ld: the server did not end cleanly", n);
    }
    if (during.failed_syncs + during.redundant_failures == 0) {
        return false;
    }
    if (during.acked_after_failure != 0) {
        die("sync %ld failed: %d acknowledgements after it", n, during.acked_after_failure);
    }
    if (during.failed_syncs > 0 && acked == FAULT_POSTS) {
        die("sync %ld failed: nobody was told", n);
    }
    server_begin(server, dir, log, 0);
    if (during.failed_syncs > 0 && !log_has(server, "the last run stopped: ")) {
        die("sync %ld failed: the next start does not say so, see %s", n, server->log_path);
    }
    int64_t end = end_offset(server->port);
    int again = post_in_turn(server->port);
    if (server_stop(server) != 0 || end < 2 * (int64_t)acked || again != FAULT_POSTS) {
        die("sync %ld failed: %d posts acknowledged, %lld records after a restart, then %d", n,
            acked, (long long)end, again);
    }
    return true;
}

int main(int argc, char **argv)
{
    struct server server;
    char dir[512];
    char log[512];
    int failures = 0;
    if (argc != 4) {
        fprintf(stderr, "usage: fsync_client PROGRAM INTERPOSE_SO WORK_DIR\n");
        return 2;
    }
    snprintf(dir, sizeof(dir), "%s/data", argv[3]);
    snprintf(log, sizeof(log), "%s/watch.log", argv[3]);
    server_init(&server, argv[1], argv[3], dir);
    server.preload = argv[2];
    order_under_load(&server, dir, log);
    for (long n = 1; n <= SYNCS_MAX; n++) {
        snprintf(dir, sizeof(dir), "%s/data-%ld", argv[3], n);
        if (!one_failed_sync(&server, dir, log, n)) {
            break;
        }
        failures++;
    }
    if (failures < FAULT_POSTS) {
        die("only %d syncs could be made to fail", failures);
    }
    printf("ok - each of %d syncs failed once: no 2xx after it, nothing acknowledged lost\n",
           failures);
    return 0;
}
