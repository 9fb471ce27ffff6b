/* The S3 client: where requests go, what is tried again, what answers mean; and against a server of
 * canned answers, one request at a time. */
#include "answer_server.h"
#include "s3_client_internal.h"
#include "temp_dir.h"

#include "file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

enum { text_max = 64 * 1024 };

#define OK(length, body)                                                                           \
    SPAN_INIT(                                                                                     \
        "HTTP/1.1 200 OK\r\nETag: \"e1\"\r\nLast-Modified: Fri, 02 Jan 2026 03:04:05 GMT\r\n"      \
        "Content-Length: " length "\r\n\r\n" body)

static struct s3_client *client_new(struct env *env, const struct s3_client_options *given)
{
    struct s3_client_options options = *given;
    struct s3_client *client = NULL;
    struct error err;
    options.env = env;
    options.region = options.region != NULL ? options.region : "us-east-1";
    options.concurrency = 1; /* the server takes one connection at a time */
    if (s3_client_new(&options, &client, &err) != STATUS_OK) {
        fail_msg("%s", err.message);
    }
    return client;
}

/* --- where to, and how to judge -------------------------------------------------------------- */

static void the_address_is_virtual_on_aws_and_a_path_elsewhere(void **state)
{
    static const struct {
        const char *url;
        const char *bucket;
        const char *key;
        const char *expected;
    } cases[] = {
        {"http://127.0.0.1:9000", "", "", "127.0.0.1:9000 /"},
        {"http://127.0.0.1:9000/", "b-1", "", "127.0.0.1:9000 /b-1"},
        {"http://127.0.0.1:9000", "b-1", "topics/u.pin/partition=0/u.pin+0+0000000000.json",
         "127.0.0.1:9000 /b-1/topics/u.pin/partition%3D0/u.pin%2B0%2B0000000000.json"},
        {"http://127.0.0.1:9000", "b-1", "/a//../\xc3\xa9 ~",
         "127.0.0.1:9000 /b-1//a//../%C3%A9%20~"},
        {"http://[::1]:9000", "b-1", "k", "[::1]:9000 /b-1/k"},
        {"http://localhost:80", "b-1", "k", "localhost /b-1/k"},
        {"https://s3.us-east-1.amazonaws.com", "b-1", "k", "b-1.s3.us-east-1.amazonaws.com /k"},
        {"https://s3.us-east-1.amazonaws.com", "b-1", "", "b-1.s3.us-east-1.amazonaws.com /"},
        {"https://s3.us-east-1.amazonaws.com", "", "", "s3.us-east-1.amazonaws.com /"},
        {"https://s3.us-east-1.amazonaws.com:443", "b.dots", "k",
         "s3.us-east-1.amazonaws.com /b.dots/k"},
        {"https://s3.us-east-1.amazonaws.com", "Upper", "k", "s3.us-east-1.amazonaws.com /Upper/k"},
        {"https://s3.us-east-1.amazonaws.com", "-b1", "k", "s3.us-east-1.amazonaws.com /-b1/k"},
        {"https://notamazonaws.com", "b-1", "k", "notamazonaws.com /b-1/k"},
    };
    struct env env;
    (void)state;
    env_init_virtual(&env, 1, 0);
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct s3_client *client =
            client_new(&env, &(struct s3_client_options){.url = cases[i].url});
        const struct s3_request request = {.bucket = span_from_cstr(cases[i].bucket),
                                           .key = span_from_cstr(cases[i].key)};
        char line[512];
        struct buf host;
        struct buf path;
        buf_init(&host, text_max);
        buf_init(&path, text_max);
        s3_client_address(client, &request, &host, &path);
        snprintf(line, sizeof(line), "%s %s", buf_cstr(&host), buf_cstr(&path));
        assert_string_equal(line, cases[i].expected);
        buf_release(&host);
        buf_release(&path);
        s3_client_free(client);
    }
}

static void options_that_cannot_work_are_named_without_secrets(void **state)
{
    static const struct {
        struct s3_client_options options;
        enum status status;
        const char *expected;
    } cases[] = {
        {{.url = "127.0.0.1:9000"}, STATUS_CONFIG, "s3_url \"127.0.0.1:9000\" is not an endpoint"},
        {{.url = "http://h/bucket"}, STATUS_CONFIG, "not an endpoint"},
        {{.url = "http://h", .access_key = "AKID"}, STATUS_CONFIG, "go together"},
        {{.url = "http://h", .secret = "hidden"}, STATUS_CONFIG, "go together"},
        {{.url = "http://h", .access_key = "A\nB", .secret = "hidden"},
         STATUS_CONFIG,
         "aws_access_key_id has a blank"},
        {{.url = "http://h", .access_key = "A", .secret = "hidden "},
         STATUS_CONFIG,
         "aws_secret_access_key has a blank"},
        {{.url = "http://h", .access_key = "A", .secret = "s", .session_token = "hidden\r"},
         STATUS_CONFIG,
         "aws_session_token has a blank"},
        {{.url = "http://h", .concurrency = S3_CONCURRENCY_MAX + 1}, STATUS_USAGE, "at most 64"},
    };
    struct env env;
    (void)state;
    env_init_virtual(&env, 1, 0);
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct s3_client_options options = cases[i].options;
        struct s3_client *client = NULL;
        struct error err = ERROR_NONE;
        options.env = &env;
        options.region = "us-east-1";
        assert_int_equal(s3_client_new(&options, &client, &err), cases[i].status);
        assert_non_null(strstr(err.message, cases[i].expected));
        assert_null(strstr(err.message, "hidden"));
    }
}

static void response_make(struct http_response *response, int status, enum http_failure failure,
                          const char *headers, const char *body)
{
    http_response_init(response, text_max);
    response->status = status;
    response->failure = failure;
    buf_append_cstr(&response->headers, headers);
    buf_append_cstr(&response->body, body);
    snprintf(response->message, sizeof(response->message), "libcurl's words");
}

#define ERROR_BODY(code) "<Error><Code>" code "</Code><Message>m</Message></Error>"

static void what_may_pass_is_tried_again(void **state)
{
    static const struct {
        int status;
        enum http_failure failure;
        const char *body;
        bool reached;
        bool again;
    } cases[] = {
        {200, HTTP_FAILURE_NONE, "", true, false},
        {200, HTTP_FAILURE_NONE, "{\"a\":1}", true, false},
        {200, HTTP_FAILURE_NONE, ERROR_BODY("InternalError"), true, true},
        {200, HTTP_FAILURE_NONE, ERROR_BODY("InvalidPart"), true, false},
        {301, HTTP_FAILURE_NONE, ERROR_BODY("PermanentRedirect"), true, false},
        {400, HTTP_FAILURE_NONE, ERROR_BODY("BadDigest"), true, false},
        {400, HTTP_FAILURE_NONE, ERROR_BODY("RequestTimeout"), true, true},
        {403, HTTP_FAILURE_NONE, ERROR_BODY("AccessDenied"), true, false},
        {404, HTTP_FAILURE_NONE, ERROR_BODY("NoSuchKey"), true, false},
        {412, HTTP_FAILURE_NONE, "", true, false},
        {416, HTTP_FAILURE_NONE, "", true, false},
        {429, HTTP_FAILURE_NONE, "", true, true},
        {500, HTTP_FAILURE_NONE, ERROR_BODY("InternalError"), true, true},
        {501, HTTP_FAILURE_NONE, ERROR_BODY("NotImplemented"), true, false},
        {502, HTTP_FAILURE_NONE, "", true, true},
        {503, HTTP_FAILURE_NONE, ERROR_BODY("SlowDown"), true, true},
        {504, HTTP_FAILURE_NONE, "", true, true},
        {0, HTTP_FAILURE_BROKEN, "", true, true},
        {0, HTTP_FAILURE_TIMEOUT, "", false, false},
        {0, HTTP_FAILURE_REFUSED, "", true, true},
        {0, HTTP_FAILURE_REFUSED, "", false, false}, /* nothing listens there at all */
        {0, HTTP_FAILURE_RESOLVE, "", true, false},
        {0, HTTP_FAILURE_TLS, "", true, false},
        {0, HTTP_FAILURE_TOO_LARGE, "", true, false},
        {0, HTTP_FAILURE_LOCAL, "", true, false},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct http_response response;
        response_make(&response, cases[i].status, cases[i].failure, "", cases[i].body);
        if (s3_client_should_retry(&response, cases[i].reached) != cases[i].again) {
            fail_msg("case %zu: %d", i, cases[i].status);
        }
        http_response_release(&response);
    }
}

static void answers_become_statuses_with_s3s_own_words(void **state)
{
    static const struct {
        int status;
        enum http_failure failure;
        const char *headers;
        const char *body;
        enum status expected;
        const char *words;
    } cases[] = {
        {404, HTTP_FAILURE_NONE, "", ERROR_BODY("NoSuchKey"), STATUS_NOT_FOUND,
         "GET s3://b/k answered 404 NoSuchKey (m)"},
        {404, HTTP_FAILURE_NONE, "", "", STATUS_NOT_FOUND, "answered 404"},
        {403, HTTP_FAILURE_NONE, "", ERROR_BODY("AccessDenied"), STATUS_CONFIG,
         "no credentials are configured (aws_access_key_id, aws_secret_access_key)"},
        {503, HTTP_FAILURE_NONE, "", ERROR_BODY("SlowDown"), STATUS_BUSY, "503 SlowDown"},
        {500, HTTP_FAILURE_NONE, "X-Pinpipe-Hint: buy a disk\r\n", ERROR_BODY("InternalError"),
         STATUS_FAILED, "(m); buy a disk"},
        {400, HTTP_FAILURE_NONE, "", ERROR_BODY("InvalidRequest"), STATUS_INVALID, "400 Invalid"},
        {200, HTTP_FAILURE_NONE, "", "", STATUS_OK, ""},
        {206, HTTP_FAILURE_NONE, "", "x", STATUS_OK, ""},
        {502, HTTP_FAILURE_NONE, "", "<html>\x1b[2J", STATUS_FAILED,
         "502 and not as S3 does (is s3_url right?): <html>\\x1b[2J"},
        {301, HTTP_FAILURE_NONE, "x-amz-bucket-region: eu-west-1\r\n",
         ERROR_BODY("PermanentRedirect"), STATUS_CONFIG,
         "the bucket is in the region eu-west-1, not in us-east-1: set aws_region to eu-west-1"},
        {400, HTTP_FAILURE_NONE, "",
         "<Error><Code>AuthorizationHeaderMalformed</Code><Region>eu-west-1</Region></Error>",
         STATUS_CONFIG, "set aws_region to eu-west-1"},
        {400, HTTP_FAILURE_NONE, "x-amz-bucket-region: us-east-1\r\n", ERROR_BODY("BadDigest"),
         STATUS_INVALID, "400 BadDigest"},
        {0, HTTP_FAILURE_REFUSED, "", "", STATUS_UNREACHABLE,
         "http://127.0.0.1:9 cannot be reached: libcurl's words; start a server with `pinpipe "
         "serve`, or set s3_url"},
        {0, HTTP_FAILURE_TLS, "", "", STATUS_UNREACHABLE, "libcurl's words"},
        {0, HTTP_FAILURE_TOO_LARGE, "", "", STATUS_ENDLESS, "libcurl's words"},
        {0, HTTP_FAILURE_TIMEOUT, "", "", STATUS_TIMED_OUT, "libcurl's words"},
    };
    struct env env;
    (void)state;
    env_init_virtual(&env, 1, 0);
    struct s3_client *client =
        client_new(&env, &(struct s3_client_options){.url = "http://127.0.0.1:9"});
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct http_response response;
        struct error err = ERROR_NONE;
        response_make(&response, cases[i].status, cases[i].failure, cases[i].headers,
                      cases[i].body);
        assert_int_equal(s3_client_judge(client, "GET s3://b/k", &response, &err),
                         cases[i].expected);
        if (strstr(err.message, cases[i].words) == NULL) {
            fail_msg("case %zu: %s", i, err.message);
        }
        http_response_release(&response);
    }
    s3_client_free(client);
}

/* --- against canned answers ------------------------------------------------------------------ */

struct bench {
    struct answer_server server;
    struct env env;
    struct temp_dir dir;
    char url[64];
    struct s3_client *client;
    struct error err;
};

static void bench_open(struct bench *bench, const struct answer *answers, size_t count,
                       answer_fn otherwise)
{
    memset(bench, 0, sizeof(*bench));
    env_init_virtual(&bench->env, 1, INT64_C(1767323045000000));
    temp_dir_make(&bench->dir);
    answer_server_start(&bench->server, answers, count, otherwise);
    snprintf(bench->url, sizeof(bench->url), "http://127.0.0.1:%d", bench->server.port);
    bench->client = client_new(&bench->env, &(struct s3_client_options){.url = bench->url});
}

static void bench_close(struct bench *bench)
{
    s3_client_free(bench->client);
    answer_server_stop(&bench->server);
    temp_dir_remove(&bench->dir);
}

static bool note_item(void *ctx, const struct s3_listed *item)
{
    struct buf *seen = ctx;
    buf_printf(seen, "%.*s ", SPAN_ARG(item->key));
    return true;
}

static int flaky_left; /* of this server's bad answers; set before it starts */
static const char *flaky_answer;

static bool answer_flaky(int fd, const char *path)
{
    (void)path;
    if (flaky_left-- > 0) {
        if (flaky_answer == NULL) {
            return false; /* closed without a word */
        }
        answer_send(fd, span_from_cstr(flaky_answer));
        return true;
    }
    answer_send(fd, SPAN_LIT("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody"));
    return true;
}

static void transient_failures_are_tried_again_up_to_a_limit(void **state)
{
    static const struct {
        const char *answer;
        int times;
        enum status expected;
    } cases[] = {
        {"HTTP/1.1 503 Slow Down\r\nContent-Length: 0\r\n\r\n", S3_RETRY_ATTEMPTS - 1, STATUS_OK},
        {"HTTP/1.1 503 Slow Down\r\nContent-Length: 0\r\n\r\n", S3_RETRY_ATTEMPTS, STATUS_BUSY},
        {"HTTP/1.1 500 x\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n", 1, STATUS_OK},
        {"HTTP/1.1 404 x\r\nContent-Length: 0\r\n\r\n", 1, STATUS_NOT_FOUND},
        {NULL, 2, STATUS_OK},
        {NULL, S3_RETRY_ATTEMPTS, STATUS_UNREACHABLE},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct bench bench;
        struct buf body;
        flaky_left = cases[i].times;
        flaky_answer = cases[i].answer;
        buf_init(&body, text_max);
        bench_open(&bench, NULL, 0, answer_flaky);
        int64_t before_us = bench.env.virtual_us;
        enum status status = s3_client_get(bench.client, SPAN_LIT("bucket"), SPAN_LIT("k"),
                                           (struct s3_range){.len = 0}, &body, &bench.err);
        if (status != cases[i].expected) {
            fail_msg("case %zu: %s", i, bench.err.message);
        }
        int64_t waited_us = bench.env.virtual_us - before_us;
        assert_true(waited_us <= INT64_C(10000000));
        if (i == 2) {
            assert_true(waited_us >= INT64_C(7000000)); /* what the server asked for */
        }
        assert_string_equal(buf_cstr(&body), status == STATUS_OK ? "body" : "");
        buf_release(&body);
        bench_close(&bench);
    }
}

static bool answer_pages(int fd, const char *path)
{
    static const char *const pages[] = {
        "<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>t+/"
        "</NextContinuationToken><Contents><Key>topics/a b1</Key></Contents></ListBucketResult>",
        "<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>u"
        "</NextContinuationToken></ListBucketResult>",
        "<ListBucketResult><Contents><Key>topics/a b2</Key></Contents><Contents><Key>topics/a "
        "b3</Key>"
        "</Contents>"
        "</ListBucketResult>",
    };
    static char head[128];
    const char *page = pages[flaky_left < 2 ? flaky_left : 2];
    flaky_left++;
    snprintf(head, sizeof(head), "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n", strlen(page));
    answer_send(fd, span_from_cstr(head));
    answer_send(fd, span_from_cstr(page));
    return strcmp(path, "/bucket") == 0;
}

static void a_listing_goes_through_all_pages(void **state)
{
    struct bench bench;
    struct buf seen;
    const struct s3_list list = {.bucket = SPAN_LIT("bucket"),
                                 .prefix = SPAN_LIT("topics/a b"),
                                 .delimiter = SPAN_LIT("/"),
                                 .start_after = SPAN_LIT("topics/a")};
    (void)state;
    flaky_left = 0;
    buf_init(&seen, text_max);
    bench_open(&bench, NULL, 0, answer_pages);
    assert_int_equal(s3_client_list(bench.client, &list, note_item, &seen, &bench.err), STATUS_OK);
    assert_string_equal(buf_cstr(&seen), "topics/a b1 topics/a b2 topics/a b3 ");
    assert_int_equal(bench.server.requests, 3);
    assert_non_null(strstr(answer_server_last(&bench.server),
                           "GET /bucket?continuation-token=u&delimiter=%2F&encoding-type=url&"
                           "list-type=2&prefix=topics%2Fa%20b&start-after=topics%2Fa HTTP/1.1"));
    buf_release(&seen);
    bench_close(&bench);
}

static void a_listing_of_what_was_not_asked_for_is_refused(void **state)
{
    struct bench bench;
    struct buf seen;
    const struct s3_list list = {.bucket = SPAN_LIT("bucket"),
                                 .prefix = SPAN_LIT("topics/other"),
                                 .delimiter = SPAN_EMPTY,
                                 .start_after = SPAN_EMPTY};
    (void)state;
    flaky_left = 0;
    buf_init(&seen, text_max);
    bench_open(&bench, NULL, 0, answer_pages);
    assert_int_equal(s3_client_list(bench.client, &list, note_item, &seen, &bench.err),
                     STATUS_INVALID);
    assert_non_null(strstr(bench.err.message, "is not below \"topics/other\""));
    assert_string_equal(buf_cstr(&seen), "");
    buf_release(&seen);
    bench_close(&bench);
}

struct fetched {
    size_t asked;
    struct buf seen;
    size_t stop_after;
};

static bool next_key(void *ctx, struct buf *key)
{
    static const char *const keys[] = {"one", "two", "empty", "missing", "large", "one"};
    struct fetched *fetched = ctx;
    if (fetched->asked == ARRAY_COUNT(keys)) {
        return false;
    }
    buf_append_cstr(key, keys[fetched->asked++]);
    return true;
}

static bool visit_object(void *ctx, struct span key, enum status status, struct span bytes)
{
    struct fetched *fetched = ctx;
    buf_printf(&fetched->seen, "%.*s:%s:%.*s ", SPAN_ARG(key), status_name(status),
               SPAN_ARG(bytes));
    return --fetched->stop_after > 0;
}

static const struct answer objects[] = {
    {"/bucket/one", OK("1", "1"), false},
    {"/bucket/two", OK("2", "22"), false},
    {"/bucket/empty", SPAN_INIT("HTTP/1.1 416 x\r\nContent-Length: 0\r\n\r\n"), false},
    {"/bucket/missing", SPAN_INIT("HTTP/1.1 404 x\r\nContent-Length: 0\r\n\r\n"), false},
    {"/bucket/large", OK("9", "123456789"), false},
    {"/bucket/forbidden", SPAN_INIT("HTTP/1.1 403 x\r\nContent-Length: 0\r\n\r\n"), false},
};

static void objects_are_fetched_in_the_order_asked_for(void **state)
{
    struct bench bench;
    struct fetched fetched = {.stop_after = 100};
    const struct s3_fetch fetch = {.bucket = SPAN_LIT("bucket"),
                                   .next = next_key,
                                   .visit = visit_object,
                                   .ctx = &fetched,
                                   .bytes_max = 8};
    (void)state;
    buf_init(&fetched.seen, text_max);
    bench_open(&bench, objects, ARRAY_COUNT(objects), NULL);
    assert_int_equal(s3_client_fetch(bench.client, &fetch, &bench.err), STATUS_OK);
    assert_string_equal(buf_cstr(&fetched.seen), "one:OK:1 two:OK:22 empty:OK: missing:NOT_FOUND: "
                                                 "large:LIMIT:123456789 one:OK:1 ");
    buf_reset(&fetched.seen);
    fetched.asked = 0;
    fetched.stop_after = 2;
    assert_int_equal(s3_client_fetch(bench.client, &fetch, &bench.err), STATUS_OK);
    assert_string_equal(buf_cstr(&fetched.seen), "one:OK:1 two:OK:22 ");
    buf_release(&fetched.seen);
    bench_close(&bench);
}

static void a_download_appears_whole_with_the_objects_time_or_not_at_all(void **state)
{
    struct bench bench;
    struct buf text;
    struct stat info;
    char path[512];
    (void)state;
    bench_open(&bench, objects, ARRAY_COUNT(objects), NULL);
    temp_dir_path(&bench.dir, "file", path, sizeof(path));
    assert_int_equal(s3_client_download(bench.client, SPAN_LIT("bucket"), SPAN_LIT("two"), path,
                                        NULL, &bench.err),
                     STATUS_OK);
    buf_init(&text, text_max);
    assert_int_equal(file_read(path, &text, &bench.err), STATUS_OK);
    assert_string_equal(buf_cstr(&text), "22");
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mtime, 1767323045);
    static const char *const keys[] = {"missing", "forbidden"};
    for (size_t i = 0; i < ARRAY_COUNT(keys); i++) {
        temp_dir_path(&bench.dir, keys[i], path, sizeof(path));
        assert_int_not_equal(s3_client_download(bench.client, SPAN_LIT("bucket"),
                                                span_from_cstr(keys[i]), path, NULL, &bench.err),
                             STATUS_OK);
        assert_false(file_exists(path));
    }
    buf_release(&text);
    bench_close(&bench);
}

static void a_signed_request_carries_the_token_and_never_the_secret(void **state)
{
    struct bench bench;
    (void)state;
    bench_open(&bench, objects, ARRAY_COUNT(objects), NULL);
    s3_client_free(bench.client);
    bench.client = client_new(&bench.env, &(struct s3_client_options){.url = bench.url,
                                                                      .access_key = "AKIDEXAMPLE",
                                                                      .secret = "wJalrXUtnFEMI",
                                                                      .session_token = "a+token="});
    assert_int_equal(s3_client_put(bench.client, SPAN_LIT("bucket"), SPAN_LIT("one"),
                                   SPAN_LIT("hello"), "text/plain", &bench.err),
                     STATUS_OK);
    static const char *const parts[] = {
        "PUT /bucket/one HTTP/1.1\r\n",
        "x-amz-date: 20260102T030405Z\r\n",
        "x-amz-security-token: a+token=\r\n",
        /* of "hello" */
        "x-amz-content-sha256: "
        "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824\r\n",
        "Authorization: AWS4-HMAC-SHA256 "
        "Credential=AKIDEXAMPLE/20260102/us-east-1/s3/aws4_request",
        "content-type;host;x-amz-content-sha256;x-amz-date;x-amz-security-token",
        "\r\n\r\nhello",
    };
    for (size_t i = 0; i < ARRAY_COUNT(parts); i++) {
        if (strstr(answer_server_last(&bench.server), parts[i]) == NULL) {
            fail_msg("no \"%s\" in\n%s", parts[i], answer_server_last(&bench.server));
        }
    }
    assert_null(strstr(answer_server_last(&bench.server), "wJalr"));
    bench_close(&bench);
}

static void keys_that_cannot_be_sent_are_refused_here(void **state)
{
    struct bench bench;
    char longest[S3_KEY_BYTES_MAX + 1];
    (void)state;
    memset(longest, 'k', sizeof(longest));
    bench_open(&bench, objects, ARRAY_COUNT(objects), NULL);
    const struct span keys[] = {SPAN_EMPTY, span_from(longest, sizeof(longest))};
    for (size_t i = 0; i < ARRAY_COUNT(keys); i++) {
        assert_int_equal(s3_client_put(bench.client, SPAN_LIT("bucket"), keys[i], SPAN_LIT("x"),
                                       NULL, &bench.err),
                         STATUS_INVALID);
        assert_int_equal(s3_client_delete(bench.client, SPAN_LIT("bucket"), keys[i], &bench.err),
                         STATUS_INVALID);
    }
    assert_int_equal(bench.server.requests, 0);
    bench_close(&bench);
}

static bool stop_at_once(void *ctx)
{
    (void)ctx;
    return true;
}

static void an_interruption_ends_a_request(void **state)
{
    struct bench bench;
    struct buf body;
    (void)state;
    buf_init(&body, text_max);
    bench_open(&bench, objects, ARRAY_COUNT(objects), NULL);
    bench.client->options.should_stop = stop_at_once;
    assert_int_equal(s3_client_get(bench.client, SPAN_LIT("bucket"), SPAN_LIT("one"),
                                   (struct s3_range){.len = 0}, &body, &bench.err),
                     STATUS_INTERRUPTED);
    buf_release(&body);
    bench_close(&bench);
}

struct job_log {
    size_t given;
    struct buf ended;
    const struct temp_dir *dir;
    char path[512];
};

static enum status next_job(void *ctx, struct s3_job *job, bool *more, struct error *err)
{
    static const char *const keys[] = {"one", "missing", "two"};
    struct job_log *log = ctx;
    (void)err;
    *more = log->given < ARRAY_COUNT(keys) + 1;
    if (log->given < ARRAY_COUNT(keys)) {
        temp_dir_path(log->dir, keys[log->given], log->path, sizeof(log->path));
        *job = (struct s3_job){
            .kind = S3_JOB_DOWNLOAD, .key = span_from_cstr(keys[log->given]), .path = log->path};
    } else if (*more) {
        *job = (struct s3_job){.kind = S3_JOB_DELETE, .key = SPAN_LIT("two")};
    }
    log->given++;
    return STATUS_OK;
}

static void job_ended(void *ctx, const struct s3_job *job, enum status status,
                      const struct error *err)
{
    struct job_log *log = ctx;
    buf_printf(&log->ended, "%.*s:%s ", SPAN_ARG(job->key), status_name(status));
    assert_true(status == STATUS_OK || err->message[0] != '\0');
}

static void a_job_that_fails_does_not_end_the_others(void **state)
{
    struct bench bench;
    struct job_log log = {.given = 0};
    const struct s3_jobs jobs = {
        .bucket = SPAN_LIT("bucket"), .next = next_job, .done = job_ended, .ctx = &log};
    (void)state;
    bench_open(&bench, objects, ARRAY_COUNT(objects), NULL);
    log.dir = &bench.dir;
    buf_init(&log.ended, text_max);
    assert_int_equal(s3_client_run_jobs(bench.client, &jobs, &bench.err), STATUS_OK);
    assert_string_equal(buf_cstr(&log.ended), "one:OK missing:NOT_FOUND two:OK two:OK ");
    temp_dir_path(&bench.dir, "two", log.path, sizeof(log.path));
    assert_true(file_exists(log.path));
    temp_dir_path(&bench.dir, "missing", log.path, sizeof(log.path));
    assert_false(file_exists(log.path));
    buf_release(&log.ended);
    bench_close(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_address_is_virtual_on_aws_and_a_path_elsewhere),
        cmocka_unit_test(options_that_cannot_work_are_named_without_secrets),
        cmocka_unit_test(what_may_pass_is_tried_again),
        cmocka_unit_test(answers_become_statuses_with_s3s_own_words),
        cmocka_unit_test(transient_failures_are_tried_again_up_to_a_limit),
        cmocka_unit_test(a_listing_goes_through_all_pages),
        cmocka_unit_test(a_listing_of_what_was_not_asked_for_is_refused),
        cmocka_unit_test(objects_are_fetched_in_the_order_asked_for),
        cmocka_unit_test(a_download_appears_whole_with_the_objects_time_or_not_at_all),
        cmocka_unit_test(a_signed_request_carries_the_token_and_never_the_secret),
        cmocka_unit_test(keys_that_cannot_be_sent_are_refused_here),
        cmocka_unit_test(an_interruption_ends_a_request),
        cmocka_unit_test(a_job_that_fails_does_not_end_the_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
