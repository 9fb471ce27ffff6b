/* The objects of a bucket as the verifier walks them, while the bucket changes under it: large
 * ones, ones that grow, shrink, go or change between two requests, and a visitor that has seen
 * enough. */
#include "answer_server.h"
#include "lake_access.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { BIG = S3_PART_BYTES + 1000, RULES_MAX = 5 };

#define LISTED(key, size) "<Contents><Key>" key "</Key><Size>" size "</Size></Contents>"
#define SMALL             LISTED("small", "3")
#define LARGE             LISTED("large", "8389608")
#define WHOLE             "Content-Range: bytes 0-8388607/8389608\r\nETag: \"e\"\r\n"
#define FIRST             "GET /user-u-bucket/large ", "bytes=0-8388607\r\n"
#define SECOND            "GET /user-u-bucket/large ", "bytes=8388608-"
#define FETCH             "GET /user-u-bucket/small ", "bytes=0-8388608\r\n"

/* The first rule whose parts a request has answers it; none: 404. */
struct rule {
    const char *line;
    const char *part;
    int status;
    const char *headers;
    size_t body_bytes;
};

struct scene {
    const char *name;
    const char *listing;
    struct rule rules[RULES_MAX];
    enum status status;
    const char *said;  /* in the message; NULL: there is none */
    const char *trace; /* "key(bytes) " of each object, "?" behind one that was gone */
};

struct bench {
    struct answer_server server;
    struct env env;
    struct lake_access access;
    const struct scene *scene;
    char body[BIG + 1];
    char trace[256];
    size_t bytes; /* of the open object */
    const char *stops_at;
    struct error err;
};

static struct bench *served; /* the server's callback has no context */

static void answer_list(int fd)
{
    char answer[1024];
    int len = snprintf(answer, sizeof(answer),
                       "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n<ListBucketResult>%s"
                       "</ListBucketResult>",
                       strlen(served->scene->listing) + 37, served->scene->listing);
    answer_send(fd, span_from(answer, (size_t)len));
}

static bool answers(int fd, const char *path)
{
    const char *request = answer_server_last(&served->server);
    char head[512];
    if (strcmp(path, "/user-u-bucket") == 0) {
        answer_list(fd);
        return true;
    }
    for (size_t i = 0; i < RULES_MAX && served->scene->rules[i].line != NULL; i++) {
        const struct rule *rule = &served->scene->rules[i];
        if (strncmp(request, rule->line, strlen(rule->line)) == 0 &&
            strstr(request, rule->part) != NULL) {
            bool no_body = strncmp(request, "HEAD", 4) == 0;
            int len = snprintf(head, sizeof(head), "HTTP/1.1 %d X\r\n%sContent-Length: %zu\r\n\r\n",
                               rule->status, rule->headers, rule->body_bytes);
            answer_send(fd, span_from(head, (size_t)len));
            answer_send(fd, span_from(served->body, no_body ? 0 : rule->body_bytes));
            return true;
        }
    }
    answer_send(fd, SPAN_LIT("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"));
    return true;
}

static int set_up(void **state)
{
    struct bench *b = calloc(1, sizeof(*b));
    char url[64];
    assert_non_null(b);
    served = b;
    memset(b->body, 'x', sizeof(b->body));
    env_init_system(&b->env);
    answer_server_start(&b->server, NULL, 0, answers);
    snprintf(url, sizeof(url), "http://127.0.0.1:%d", b->server.port);
    const struct s3_client_options options = {
        .env = &b->env, .url = url, .region = "us-east-1", .concurrency = 1};
    assert_int_equal(lake_access_open(&b->access, &options, "u", NULL, NULL, &b->err), STATUS_OK);
    *state = b;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *b = *state;
    lake_access_close(&b->access);
    answer_server_stop(&b->server);
    free(b);
    return 0;
}

static void trace(struct bench *b, const char *format, ...)
{
    size_t used = strlen(b->trace);
    va_list args;
    va_start(args, format);
    vsnprintf(b->trace + used, sizeof(b->trace) - used, format, args);
    va_end(args);
}

static enum status stops(const struct bench *b, const char *where, struct error *err)
{
    return b->stops_at != NULL && strcmp(b->stops_at, where) == 0
               ? error_set(err, STATUS_INTERRUPTED, "stopped at %s", where)
               : STATUS_OK;
}

static enum status look(void *ctx, struct span key, uint64_t size, bool *wanted, struct error *err)
{
    (void)size;
    *wanted = !span_equal_cstr(key, "not-this");
    return stops(ctx, "look", err);
}

static enum status open_key(void *ctx, struct span key, struct error *err)
{
    struct bench *b = ctx;
    b->bytes = 0;
    trace(b, "%.*s(", SPAN_ARG(key));
    return stops(b, "open", err);
}

static enum status take_bytes(void *ctx, struct span bytes, struct error *err)
{
    struct bench *b = ctx;
    b->bytes += bytes.len;
    return stops(b, "bytes", err);
}

static enum status close_key(void *ctx, bool whole, struct error *err)
{
    struct bench *b = ctx;
    trace(b, "%zu)%s ", b->bytes, whole ? "" : "?");
    return stops(b, "close", err);
}

static enum status walk(struct bench *b, const struct scene *scene)
{
    const struct lake_visitor visitor = {b, look, open_key, take_bytes, close_key};
    b->scene = scene;
    b->trace[0] = '\0';
    b->err = ERROR_NONE;
    return b->access.reader->ops->walk(b->access.reader, SPAN_EMPTY, &visitor, &b->err);
}

static const struct scene changing[] = {
    {"nothing", "", {{NULL, NULL, 0, NULL, 0}}, STATUS_OK, NULL, ""},
    {"not wanted", LISTED("not-this", "3"), {{NULL, NULL, 0, NULL, 0}}, STATUS_OK, NULL, ""},
    {"large and small",
     LARGE SMALL,
     {{FIRST, 206, WHOLE, S3_PART_BYTES}, {SECOND, 206, "", 1000}, {FETCH, 206, "", 3}},
     STATUS_OK,
     NULL,
     "large(8389608) small(3) "},
    {"gone", LARGE SMALL, {{NULL, NULL, 0, NULL, 0}}, STATUS_OK, NULL, "large(0)? small(0)? "},
    {"empty now", SMALL, {{FETCH, 416, "", 0}}, STATUS_OK, NULL, "small(0) "},
    {"grown",
     SMALL,
     {{FETCH, 206, "", S3_PART_BYTES + 1},
      {"GET /user-u-bucket/small ", "bytes=0-8388607\r\n", 206, WHOLE, S3_PART_BYTES},
      {"GET /user-u-bucket/small ", "bytes=8388608-", 206, "", 1000}},
     STATUS_OK,
     NULL,
     "small(8389608) "},
    {"grown and gone", SMALL, {{FETCH, 206, "", S3_PART_BYTES + 1}}, STATUS_OK, NULL, "small(0)? "},
    {"large and empty now",
     LARGE,
     {{FIRST, 416, "", 0}, {"HEAD /user-u-bucket/large ", "", 200, "", 0}},
     STATUS_OK,
     NULL,
     "large(0) "},
    {"large, empty and not",
     LARGE,
     {{FIRST, 416, "", 0}, {"HEAD /user-u-bucket/large ", "", 200, "", 5}},
     STATUS_FAILED,
     "changed while it was read",
     "large("},
    {"large, empty and gone", LARGE, {{FIRST, 416, "", 0}}, STATUS_OK, NULL, "large(0)? "},
    {"replaced between two pieces",
     LARGE,
     {{FIRST, 206, WHOLE, S3_PART_BYTES}, {SECOND, 412, "", 0}},
     STATUS_FAILED,
     "changed while it was read",
     "large("},
    {"a piece is short",
     LARGE,
     {{FIRST, 206, WHOLE, S3_PART_BYTES}, {SECOND, 206, "", 999}},
     STATUS_FAILED,
     "changed while it was read",
     "large("},
    {"the first piece is short",
     LARGE,
     {{FIRST, 206, WHOLE, 17}},
     STATUS_FAILED,
     "changed while it was read",
     "large("},
    {"gone between two pieces",
     LARGE,
     {{FIRST, 206, WHOLE, S3_PART_BYTES}},
     STATUS_OK,
     NULL,
     "large(8388608)? "},
    {"it is forbidden", SMALL, {{FETCH, 403, "", 0}}, STATUS_FAILED, "answered 403", ""},
    {"the large one is", LARGE, {{FIRST, 403, "", 0}}, STATUS_FAILED, "answered 403", "large("},
    {"no listing",
     "<Contents><Key></Key></Contents>",
     {{NULL, NULL, 0, NULL, 0}},
     STATUS_INVALID,
     "is s3_url right?",
     ""},
};

static void objects_that_change_are_read_whole_or_told(void **state)
{
    struct bench *b = *state;
    for (size_t i = 0; i < ARRAY_COUNT(changing); i++) {
        const struct scene *scene = &changing[i];
        enum status status = walk(b, scene);
        bool said = scene->said == NULL || strstr(b->err.message, scene->said) != NULL;
        bool failed = scene->status == STATUS_OK ? status != STATUS_OK : status == STATUS_OK;
        if (failed || !said || strcmp(b->trace, scene->trace) != 0) {
            fail_msg("%s: %s: %s: %s", scene->name, status_name(status), b->err.message, b->trace);
        }
    }
}

static void a_visitor_ends_the_walk_wherever_it_is(void **state)
{
    static const struct scene small = {"", SMALL, {{FETCH, 206, "", 3}}, STATUS_OK, NULL, NULL};
    static const struct scene large = {
        "",
        LARGE SMALL,
        {{FIRST, 206, WHOLE, S3_PART_BYTES}, {SECOND, 206, "", 1000}, {FETCH, 206, "", 3}},
        STATUS_OK,
        NULL,
        NULL};
    static const struct scene grown = {
        "",
        SMALL,
        {{FETCH, 206, "", S3_PART_BYTES + 1},
         {"GET /user-u-bucket/small ", "bytes=0-8388607\r\n", 206, WHOLE, S3_PART_BYTES},
         {"GET /user-u-bucket/small ", "bytes=8388608-", 206, "", 1000}},
        STATUS_OK,
        NULL,
        NULL};
    static const struct scene *const scenes[] = {&small, &large, &grown};
    static const char *const places[] = {"look", "open", "bytes", "close"};
    struct bench *b = *state;
    for (size_t i = 0; i < ARRAY_COUNT(scenes); i++) {
        for (size_t k = 0; k < ARRAY_COUNT(places); k++) {
            char expected[64];
            b->stops_at = places[k];
            assert_int_equal(walk(b, scenes[i]), STATUS_INTERRUPTED);
            snprintf(expected, sizeof(expected), "stopped at %s", places[k]);
            assert_string_equal(b->err.message, expected);
        }
    }
}

static void a_user_whose_bucket_has_no_name_is_refused(void **state)
{
    struct bench *b = *state;
    struct lake_access access;
    char id[LAKE_BUCKET_BYTES];
    const struct s3_client_options options = {
        .env = &b->env, .url = "http://127.0.0.1:1", .region = "us-east-1"};
    memset(id, 'u', sizeof(id) - 1);
    id[sizeof(id) - 1] = '\0';
    assert_int_equal(lake_access_open(&access, &options, id, NULL, NULL, &b->err), STATUS_CONFIG);
    assert_non_null(strstr(b->err.message, "too long for a bucket's name"));
    lake_access_close(&access);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(objects_that_change_are_read_whole_or_told),
        TEST(a_visitor_ends_the_walk_wherever_it_is),
        TEST(a_user_whose_bucket_has_no_name_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
