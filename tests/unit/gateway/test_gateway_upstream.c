/* The gateway in front of a server of another kind, over real sockets: the loop in a thread, a raw
 * client before it, an answering server behind it. */
#include "alloc_fault.h"
#include "answer_server.h"
#include "call_fault.h"
#include "gateway.h"
#include "http_conn.h"
#include "raw_socket.h"
#include "server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zlib.h>

#include <cmocka.h>

struct fixture {
    struct answer_server behind;
    struct env env;
    struct log log;
    struct server *server;
    struct gateway *gateway;
    struct budget budget;
    pthread_t thread;
    int port;
    int client;
    struct raw_reply reply;
};

static const struct answer answers[] = {
    {"/topics",
     SPAN_INIT("HTTP/1.1 200 OK\r\nDate: Fri, 05 Feb 2021 19:14:42 GMT\r\nServer: Jetty(9.4)\r\n"
               "Connection: keep-alive\r\nContent-Type: application/vnd.kafka.v2+json\r\n"
               "X-Custom: kept\r\nVia: 1.1 x\r\nx-amzn-RequestId: theirs\r\nContent-Length: 2\r\n"
               "\r\n[]"),
     false},
    {"/hops",
     SPAN_INIT("HTTP/1.1 200 OK\r\nConnection: x-hop, keep-alive\r\nX-Hop: 1\r\nX-Kept: 2\r\n"
               "Content-Length: 0\r\n\r\n"),
     false},
    {"/plain", SPAN_INIT("HTTP/1.1 404 Not Found\r\nContent-Length: 3\r\n\r\nno\xff"), false},
    {"/chunked",
     SPAN_INIT("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"),
     false},
    {"/gzip",
     SPAN_INIT("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 26\r\n\r\n"
               "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff\xcb\x48\xcd\xc9\xc9\xe7\x02\x00\x20\x30"
               "\x3a\x36\x06\x00\x00\x00"),
     true},
    {"/wrapped",
     SPAN_INIT("HTTP/1.1 200 OK\r\nContent-Encoding: gzip, gzip\r\nContent-Length: 1\r\n\r\n-"),
     false},
    {"/wrapped-lines",
     SPAN_INIT("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\ncontent-encoding:gzip\r\n"
               "Content-Length: 1\r\n\r\n-"),
     false},
    {"/br", SPAN_INIT("HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nContent-Length: 1\r\n\r\n-"),
     false},
    {"/no-gzip",
     SPAN_INIT("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 5\r\n\r\nplain"),
     false},
    {"/identity",
     SPAN_INIT("HTTP/1.1 200 OK\r\nContent-Encoding: identity\r\nContent-Length: 5\r\n\r\n"
               "plain"),
     false},
    {"/empty-encodings",
     SPAN_INIT("HTTP/1.1 200 OK\r\nContent-Encoding: , identity,,\r\nContent-Length: 5\r\n\r\n"
               "plain"),
     false},
    {"/a;b=1", SPAN_INIT("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"), false},
    {"/a%2fb", SPAN_INIT("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"), false},
    {"/a..b", SPAN_INIT("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"), false},
    {"/...", SPAN_INIT("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"), false},
    {"/deleted", SPAN_INIT("HTTP/1.1 204 No Content\r\n\r\n"), false},
    {"/hinted", SPAN_INIT("HTTP/1.1 415 x\r\nX-Pinpipe-Hint: theirs\r\nContent-Length: 0\r\n\r\n"),
     false},
    {"/moved", SPAN_INIT("HTTP/1.1 302 Found\r\nLocation: /topics\r\nContent-Length: 0\r\n\r\n"),
     false},
    {"/drop", SPAN_INIT(""), true},
    {"/half", SPAN_INIT("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"), true},
    {"/huge", SPAN_INIT("HTTP/1.1 200 OK\r\nContent-Length: 10485761\r\n\r\n"), true},
};

static void *run_server(void *ctx)
{
    struct fixture *f = ctx;
    server_run(f->server, false);
    return NULL;
}

struct wanted {
    int upstream_port;
    int refused_status;
    int64_t timeout_ms;
    const char *scheme;
    const char *host;    /* NULL: 127.0.0.1 */
    const char *path;    /* of the integration's URL */
    size_t budget_bytes; /* 0: answers count in none */
};

static void server_begin(struct fixture *f, struct wanted wanted)
{
    static char url[128 * 1024];
    struct error err = ERROR_NONE;
    struct server_options server = {.env = &f->env, .log = &f->log};
    snprintf(url, sizeof(url), "%s://%s:%d/%s", wanted.scheme,
             wanted.host != NULL ? wanted.host : "127.0.0.1", wanted.upstream_port,
             wanted.path != NULL ? wanted.path : "");
    budget_init(&f->budget, wanted.budget_bytes);
    assert_int_equal(server_new(&server, &f->server, &err), STATUS_OK);
    struct gateway_options gateway = {.timers = &f->server->timers,
                                      .env = &f->env,
                                      .log = &f->log,
                                      .loop = &f->server->loop,
                                      .budget = wanted.budget_bytes > 0 ? &f->budget : NULL,
                                      .upstream_url = url,
                                      .refused_status = wanted.refused_status,
                                      .timeout_ms = wanted.timeout_ms};
    if (gateway_new(&gateway, &f->gateway, &err) != STATUS_OK) {
        fail_msg("%s", err.message);
    }
    struct listener_options at = {.address = "127.0.0.1", .flag = "--gateway"};
    struct http_pool *http;
    assert_int_equal(http_pool_new(f->server, NULL, &http), STATUS_OK);
    assert_int_equal(http_kind(http, gateway_service(f->gateway), &at.kind), STATUS_OK);
    assert_int_equal(server_listen(f->server, &at, &f->port, &err), STATUS_OK);
    assert_int_equal(pthread_create(&f->thread, NULL, run_server, f), 0);
    f->client = raw_connect(f->port);
}

static void server_end(struct fixture *f)
{
    raw_close(f->client);
    server_interrupt(f->server);
    pthread_join(f->thread, NULL);
    gateway_free(f->gateway);
    server_free(f->server);
    assert_int_equal(f->budget.used_bytes, 0);
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    env_init_system(&f->env);
    log_init(&f->log, &f->env, stderr, LOG_OFF);
    answer_server_start(&f->behind, answers, ARRAY_COUNT(answers), NULL);
    server_begin(f, (struct wanted){.upstream_port = f->behind.port, .scheme = "http"});
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    call_fault_end();
    alloc_fault_end();
    server_end(f);
    answer_server_stop(&f->behind);
    free(f);
    return 0;
}

/* In place of the one that setup made. */
static void server_again(struct fixture *f, struct wanted wanted)
{
    server_end(f);
    server_begin(f, wanted);
}

static void ask(struct fixture *f, const char *request)
{
    raw_send_text(f->client, request);
    raw_receive(f->client, strncmp(request, "HEAD", 4) == 0, &f->reply);
}

static void get(struct fixture *f, const char *path)
{
    char request[256];
    snprintf(request, sizeof(request), "GET /test%s HTTP/1.1\r\nHost: x\r\n\r\n", path);
    ask(f, request);
}

static void assert_header(const struct fixture *f, const char *name, const char *value)
{
    char seen[256];
    raw_header(&f->reply, name, seen, sizeof(seen));
    assert_string_equal(seen, value);
}

static void assert_answer(const struct fixture *f, int status, const char *body)
{
    assert_int_equal(f->reply.status, status);
    assert_string_equal(raw_body(&f->reply), body);
}

static bool upstream_saw(const struct fixture *f, const char *text)
{
    return strstr(f->behind.last, text) != NULL;
}

static void a_request_arrives_rewritten(void **state)
{
    struct fixture *f = *state;
    char host[64];
    ask(f, "POST /test/topics?a=1;b=+ HTTP/1.1\r\nHost: x\r\nContent-Type: a/b\r\nX-Empty:\r\n"
           "Connection: keep-alive\r\nX-Custom: 1\r\nTransfer-Encoding: chunked\r\n\r\n"
           "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n");
    assert_answer(f, 200, "[]");
    assert_true(upstream_saw(f, "POST /topics?a=1&b=%20 HTTP/1.1\r\n"));
    snprintf(host, sizeof(host), "\r\nHost: 127.0.0.1:%d\r\n", f->behind.port);
    assert_true(upstream_saw(f, host));
    assert_true(upstream_saw(f, "\r\nContent-Length: 5\r\n"));
    assert_true(upstream_saw(f, "\r\n\r\nabcde"));
    assert_true(upstream_saw(f, "\r\nContent-Type: a/b\r\n"));
    assert_true(upstream_saw(f, "\r\nX-Custom: 1\r\n"));
    assert_true(upstream_saw(f, "\r\nX-Empty:\r\n"));
    assert_true(upstream_saw(f, "\r\nX-Amzn-Trace-Id: Root=1-"));
    assert_true(upstream_saw(f, "\r\nX-Amzn-Apigateway-Api-Id: "));
    assert_true(upstream_saw(f, "\r\nUser-Agent: AmazonAPIGateway_"));
    assert_true(upstream_saw(f, "\r\nAccept: application/json\r\n"));
    assert_false(upstream_saw(f, "Connection"));
    assert_false(upstream_saw(f, "Transfer-Encoding"));
    assert_false(upstream_saw(f, "Accept-Encoding"));
    assert_false(upstream_saw(f, "Expect"));
}

static void a_path_that_leads_out_is_not_passed_on(void **state)
{
    static const char *const paths[] = {"/%2e%2e/admin", "/a/../b", "/a/%2E",
                                        "/.%2e",         "/a/..",   "/./topics"};
    struct fixture *f = *state;
    get(f, "/topics");
    for (size_t i = 0; i < ARRAY_COUNT(paths); i++) {
        get(f, paths[i]);
        assert_int_equal(f->reply.status, 400);
        assert_true(upstream_saw(f, "GET /topics HTTP/1.1\r\n"));
    }
    get(f, "/topics?a=/../b");
    assert_int_equal(f->reply.status, 200);
}

static void an_answer_is_mapped(void **state)
{
    struct fixture *f = *state;
    get(f, "/topics");
    assert_answer(f, 200, "[]");
    assert_header(f, "Content-Type", "application/vnd.kafka.v2+json");
    assert_header(f, "x-amzn-Remapped-Date", "Fri, 05 Feb 2021 19:14:42 GMT");
    assert_header(f, "x-amzn-Remapped-Server", "Jetty(9.4)");
    assert_header(f, "x-amzn-Remapped-Connection", "keep-alive");
    assert_header(f, "x-amzn-Remapped-Content-Length", "2");
    assert_header(f, "x-amzn-Remapped-x-amzn-RequestId", "theirs");
    assert_header(f, "X-Custom", "kept");
    assert_header(f, "Content-Length", "2");
    assert_header(f, "Connection", "keep-alive");
    char seen[256];
    assert_true(raw_header(&f->reply, "x-amzn-RequestId", seen, sizeof(seen)));
    assert_int_equal(strlen(seen), 36);
    assert_true(raw_header(&f->reply, "x-amz-apigw-id", seen, sizeof(seen)));
    assert_false(raw_header(&f->reply, "Via", seen, sizeof(seen)));
    assert_false(raw_header(&f->reply, "Server", seen, sizeof(seen)));
}

static void every_kind_of_answer_comes_through(void **state)
{
    static const struct {
        const char *path;
        int status;
        const char *body;
    } rows[] = {
        {"/plain", 404, "no\xef\xbf\xbd"},
        {"/chunked", 200, "abc"},
        {"/deleted", 204, ""},
        {"/moved", 302, ""},
        {"/hinted", 415, ""},
        {"/drop", 504, "{\"message\":\"Network error communicating with endpoint\"}"},
        {"/half", 504, "{\"message\":\"Network error communicating with endpoint\"}"},
        {"/huge", 500, "{\"message\": \"Internal server error\"}"},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        get(f, rows[i].path);
        assert_answer(f, rows[i].status, rows[i].body);
        if (rows[i].status >= 500) {
            assert_header(f, "x-amzn-ErrorType", "InternalServerErrorException");
            assert_header(f, "x-amzn-Remapped-Date", "");
        }
    }
    get(f, "/hinted");
    assert_header(f, "X-Pinpipe-Hint", "theirs");
    get(f, "/moved");
    assert_header(f, "Location", "/topics");
    assert_header(f, "Content-Type", "application/json");
}

static void what_an_answers_connection_names_stays_behind(void **state)
{
    struct fixture *f = *state;
    char seen[64];
    get(f, "/hops");
    assert_header(f, "X-Kept", "2");
    assert_false(raw_header(&f->reply, "X-Hop", seen, sizeof(seen)));
}

static void a_compressed_answer_is_unpacked(void **state)
{
    struct fixture *f = *state;
    ask(f, "GET /test/gzip HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip\r\n\r\n");
    assert_true(upstream_saw(f, "\r\nAccept-Encoding: gzip\r\n"));
    assert_answer(f, 200, "hello\n");
    char seen[64];
    assert_false(raw_header(&f->reply, "Content-Encoding", seen, sizeof(seen)));
}

static void only_what_is_undone_is_asked_of_the_upstream(void **state)
{
    static const struct {
        const char *wished;
        const char *line;
    } rows[] = {
        {"gzip, deflate, br, zstd", "\r\nAccept-Encoding: gzip, deflate\r\n"},
        {"BR;q=1.0,gzip;q=0.8 , *;q=0.1", "\r\nAccept-Encoding: gzip;q=0.8\r\n"},
        {"identity", "\r\nAccept-Encoding: identity\r\n"},
        {", gzip ,, deflate,", "\r\nAccept-Encoding: gzip, deflate\r\n"},
        {"br", "\r\nAccept-Encoding: identity\r\n"},
        {"", "\r\nAccept-Encoding:\r\n"},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        char request[256];
        snprintf(request, sizeof(request),
                 "GET /test/topics HTTP/1.1\r\nHost: x\r\nAccept-Encoding: %s\r\n\r\n",
                 rows[i].wished);
        ask(f, request);
        assert_answer(f, 200, "[]");
        assert_true(upstream_saw(f, rows[i].line));
    }
}

/* Five gzips around each other keep a processor busy for seconds and bring nothing. */
static void an_encoding_that_is_not_undone_is_a_network_error(void **state)
{
    struct fixture *f = *state;
    static const char *const paths[] = {"/wrapped", "/wrapped-lines", "/br", "/no-gzip"};
    for (size_t i = 0; i < ARRAY_COUNT(paths); i++) {
        get(f, paths[i]);
        assert_int_equal(f->reply.status, 504);
        char hint[256];
        assert_true(raw_header(&f->reply, "X-Pinpipe-Hint", hint, sizeof(hint)));
        assert_non_null(strstr(hint, "Content-Encoding"));
    }
    get(f, "/identity");
    assert_answer(f, 200, "plain");
    get(f, "/empty-encodings");
    assert_answer(f, 200, "plain");
}

/* --- answers that grow when they are unpacked --- */

enum { bomb_bytes = 10485761 };

/* What the answering server sends for any path that it has no answer for. */
static bool answer_bomb(int fd, const char *path)
{
    static unsigned char packed[64 * 1024];
    char head[128];
    z_stream stream = {.next_out = packed, .avail_out = sizeof(packed)};
    char *plain = calloc(1, bomb_bytes);
    stream.next_in = (unsigned char *)plain;
    stream.avail_in = strcmp(path, "/bomb") == 0 ? bomb_bytes : bomb_bytes - 1;
    assert_int_equal(deflateInit2(&stream, 9, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY), Z_OK);
    assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
    size_t len = sizeof(packed) - stream.avail_out;
    deflateEnd(&stream);
    free(plain);
    int head_len = snprintf(head, sizeof(head),
                            "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n"
                            "Content-Length: %zu\r\n\r\n",
                            len);
    answer_send(fd, span_from(head, (size_t)head_len));
    answer_send(fd, span_from((const char *)packed, len));
    return true;
}

static void an_answer_that_unpacks_to_too_much_is_an_internal_error(void **state)
{
    struct fixture *f = *state;
    f->behind.otherwise = answer_bomb;
    get(f, "/bomb");
    assert_answer(f, 500, "{\"message\": \"Internal server error\"}");
    char hint[256];
    assert_true(raw_header(&f->reply, "X-Pinpipe-Hint", hint, sizeof(hint)));
    assert_non_null(strstr(hint, "10485760 bytes"));
    get(f, "/topics");
    assert_answer(f, 200, "[]");
}

static void an_answer_that_there_is_no_room_to_unpack_is_503(void **state)
{
    struct fixture *f = *state;
    char hint[256];
    f->behind.otherwise = answer_bomb;
    server_again(f, (struct wanted){.upstream_port = f->behind.port,
                                    .scheme = "http",
                                    .budget_bytes = 4 * 1024 * 1024});
    get(f, "/large");
    assert_answer(f, 503, "{\"message\":\"Service Unavailable\"}");
    assert_true(raw_header(&f->reply, "X-Pinpipe-Hint", hint, sizeof(hint)));
    assert_non_null(strstr(hint, "too much memory together"));
    get(f, "/gzip");
    assert_answer(f, 200, "hello\n");
}

static void a_head_request_has_no_body(void **state)
{
    struct fixture *f = *state;
    ask(f, "HEAD /test/topics HTTP/1.1\r\nHost: x\r\nAccept: */*\r\n\r\n");
    assert_true(upstream_saw(f, "HEAD /topics HTTP/1.1\r\n"));
    assert_int_equal(f->reply.status, 200);
    assert_header(f, "x-amzn-Remapped-Content-Length", "2");
}

static void the_connection_to_the_upstream_is_kept(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < 5; i++) {
        get(f, "/topics");
        assert_int_equal(f->reply.status, 200);
    }
    assert_int_equal(f->behind.connections, 1);
    assert_int_equal(f->behind.requests, 5);
}

static int port_nobody_listens_on(int *out_fd)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(address);
    *out_fd = socket(AF_INET, SOCK_STREAM, 0); /* bound, never listening */
    assert_int_equal(bind(*out_fd, (struct sockaddr *)&address, len), 0);
    assert_int_equal(getsockname(*out_fd, (struct sockaddr *)&address, &len), 0);
    return ntohs(address.sin_port);
}

static void a_refused_upstream_is_504_or_the_configured_status(void **state)
{
    static const int configured[] = {0, 504, 500};
    static const int seen[] = {504, 504, 500};
    struct fixture *f = *state;
    int fd;
    int port = port_nobody_listens_on(&fd);
    for (size_t i = 0; i < ARRAY_COUNT(configured); i++) {
        server_again(f, (struct wanted){.upstream_port = port,
                                        .refused_status = configured[i],
                                        .scheme = "http"});
        get(f, "/topics");
        assert_answer(f, seen[i], "{\"message\":\"Network error communicating with endpoint\"}");
        assert_header(f, "x-amzn-ErrorType", "InternalServerErrorException");
        char hint[256];
        assert_true(raw_header(&f->reply, "X-Pinpipe-Hint", hint, sizeof(hint)));
        assert_non_null(strstr(hint, "is the REST proxy started"));
    }
    close(fd);
}

static void https_to_a_plain_upstream_is_a_network_error(void **state)
{
    struct fixture *f = *state;
    char hint[512];
    server_again(f, (struct wanted){.upstream_port = f->behind.port, .scheme = "https"});
    get(f, "/topics");
    assert_answer(f, 504, "{\"message\":\"Network error communicating with endpoint\"}");
    assert_true(raw_header(&f->reply, "X-Pinpipe-Hint", hint, sizeof(hint)));
    assert_non_null(strstr(hint, "write http:// in the integration URL"));
}

/* A label of 64 letters is none, so that nobody is asked for it. */
static void an_upstream_whose_host_is_not_known_is_a_network_error(void **state)
{
    struct fixture *f = *state;
    char hint[512];
    server_again(f,
                 (struct wanted){.upstream_port = 8082,
                                 .scheme = "http",
                                 .host = "ec2aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
                                         "aaaaaaaaaaaaaaaaaaaaaaaaa"});
    get(f, "/topics");
    assert_answer(f, 504, "{\"message\":\"Network error communicating with endpoint\"}");
    assert_true(raw_header(&f->reply, "X-Pinpipe-Hint", hint, sizeof(hint)));
    assert_non_null(strstr(hint, "another name after each start"));
}

static void a_url_that_is_too_long_for_the_upstream_is_an_internal_error(void **state)
{
    static char path[70 * 1000];
    struct fixture *f = *state;
    struct error err = ERROR_NONE;
    memset(path, 'a', 65400);
    server_again(f,
                 (struct wanted){.upstream_port = f->behind.port, .scheme = "http", .path = path});
    get(f, "/topics/which-does-not-fit-behind-it/which-does-not-fit-behind-it/"
           "which-does-not-fit-behind-it/which-does-not-fit-behind-it");
    assert_answer(f, 500, "{\"message\": \"Internal server error\"}");
    memcpy(path, "http://127.0.0.1/", 17);
    memset(path + 65400, 'a', 1000);
    struct gateway_options options = {.timers = &f->server->timers,
                                      .env = &f->env,
                                      .log = &f->log,
                                      .loop = &f->server->loop,
                                      .upstream_url = path};
    struct gateway *gateway = NULL;
    assert_int_equal(gateway_new(&options, &gateway, &err), STATUS_CONFIG);
    assert_non_null(strstr(err.message, "too long"));
    assert_null(gateway);
}

/* It is watched when libcurl wants something else of it, or its request times out. */
static void a_socket_that_cannot_be_watched_costs_no_more_than_its_request(void **state)
{
    struct fixture *f = *state;
    server_again(
        f, (struct wanted){.upstream_port = f->behind.port, .timeout_ms = 2000, .scheme = "http"});
    get(f, "/drop"); /* the next one needs a socket, and the client's own is watched by now */
    assert_int_equal(f->reply.status, 504);
    call_fault_begin((struct call_fault){CALL_EPOLL_CTL, .times = 1, .code = ENOSPC});
    get(f, "/topics");
    (void)call_fault_end();
    assert_true(f->reply.status == 200 || f->reply.status == 504);
    get(f, "/topics");
    assert_answer(f, 200, "[]");
}

/* --- without memory --- */

enum { allocations_max = 5000 };

static void each_allocation_of_a_request_to_the_upstream_may_fail(void **state)
{
    static const char *const asked[] = {
        "GET /test/gzip HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip\r\n\r\n",
        "POST /test/plain?a=%20 HTTP/1.1\r\nHost: x\r\nX-Empty:\r\nContent-Length: 2\r\n\r\n{}",
    };
    static const char *const bodies[] = {"hello\n", "no\xef\xbf\xbd"};
    static const int statuses[] = {200, 404};
    struct fixture *f = *state;
    for (size_t i = 0; i < ARRAY_COUNT(asked); i++) {
        bool right = false;
        for (long n = 1; !right; n++) {
            assert_true(n < allocations_max);
            server_again(f, (struct wanted){.upstream_port = f->behind.port,
                                            .timeout_ms = 200,
                                            .scheme = "http",
                                            .budget_bytes = 48 * 1024 * 1024});
            int fd = raw_connect(f->port);
            alloc_fault_begin_elsewhere(n, ALLOC_FAILS_ONCE);
            raw_send_text(fd, asked[i]);
            raw_receive(fd, false, &f->reply);
            bool failed = alloc_fault_end();
            if (f->reply.status == statuses[i]) {
                assert_string_equal(raw_body(&f->reply), bodies[i]);
            } else { /* a machine that is busy for so long is no failure of ours */
                assert_true((failed && f->reply.status == 0) || f->reply.status >= 500);
            }
            right = f->reply.status == statuses[i] && !failed;
            raw_close(fd);
            f->reply.status = 504;
            for (int again = 0; f->reply.status == 504 && again < 50; again++) {
                get(f, "/topics");
            }
            assert_answer(f, 200, "[]");
        }
    }
}

static void a_gateway_without_memory_for_its_upstream_is_none(void **state)
{
    struct fixture *f = *state;
    bool failed = true;
    enum status status = STATUS_NO_MEMORY;
    server_end(f); /* its loop and timers are used from here */
    for (long n = 1; failed; n++) {
        struct server *server;
        struct gateway *gateway = NULL;
        struct error err = ERROR_NONE;
        const struct server_options of_server = {.env = &f->env, .log = &f->log};
        assert_int_equal(server_new(&of_server, &server, &err), STATUS_OK);
        struct gateway_options options = {.timers = &server->timers,
                                          .env = &f->env,
                                          .log = &f->log,
                                          .loop = &server->loop,
                                          .upstream_url = "http://127.0.0.1:8082"};
        alloc_fault_begin(n, ALLOC_FAILS_ONCE);
        status = gateway_new(&options, &gateway, &err);
        failed = alloc_fault_end();
        assert_true(status == STATUS_OK || failed);
        assert_int_equal(gateway != NULL, status == STATUS_OK);
        assert_true(status == STATUS_OK || err.message[0] != '\0');
        gateway_free(gateway);
        server_free(server);
    }
    server_begin(f, (struct wanted){.upstream_port = f->behind.port, .scheme = "http"});
}

static void a_silent_upstream_is_504_when_the_time_is_up(void **state)
{
    struct fixture *f = *state;
    server_again(
        f, (struct wanted){.upstream_port = f->behind.port, .timeout_ms = 50, .scheme = "http"});
    get(f, "/silence");
    assert_answer(f, 504, "{\"message\":\"Endpoint request timed out\"}");
    while (f->behind.ended == 0) { /* its connection is given up */
        usleep(1000);
    }
}

static void when_the_client_leaves_the_upstreams_request_is_given_up(void **state)
{
    struct fixture *f = *state;
    int fd = raw_connect(f->port);
    raw_send_text(fd, "GET /test/silence HTTP/1.1\r\nHost: x\r\n\r\n");
    while (f->behind.requests == 0) {
        usleep(1000);
    }
    raw_reset(fd);
    while (f->behind.ended == 0) {
        usleep(1000);
    }
    get(f, "/topics");
    assert_answer(f, 200, "[]");
}

static void a_stopping_gateway_answers_what_waits(void **state)
{
    struct fixture *f = *state;
    raw_send_text(f->client, "GET /test/silence HTTP/1.1\r\nHost: x\r\n\r\n");
    while (f->behind.requests == 0) {
        usleep(1000);
    }
    server_interrupt(f->server);
    raw_receive(f->client, false, &f->reply);
    assert_answer(f, 503, "{\"message\":\"Service Unavailable\"}");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_request_arrives_rewritten),
        CASE(a_path_that_leads_out_is_not_passed_on),
        CASE(an_answer_is_mapped),
        CASE(every_kind_of_answer_comes_through),
        CASE(what_an_answers_connection_names_stays_behind),
        CASE(a_compressed_answer_is_unpacked),
        CASE(only_what_is_undone_is_asked_of_the_upstream),
        CASE(an_encoding_that_is_not_undone_is_a_network_error),
        CASE(an_answer_that_unpacks_to_too_much_is_an_internal_error),
        CASE(an_answer_that_there_is_no_room_to_unpack_is_503),
        CASE(a_head_request_has_no_body),
        CASE(the_connection_to_the_upstream_is_kept),
        CASE(a_refused_upstream_is_504_or_the_configured_status),
        CASE(https_to_a_plain_upstream_is_a_network_error),
        CASE(an_upstream_whose_host_is_not_known_is_a_network_error),
        CASE(a_url_that_is_too_long_for_the_upstream_is_an_internal_error),
        CASE(a_socket_that_cannot_be_watched_costs_no_more_than_its_request),
        CASE(each_allocation_of_a_request_to_the_upstream_may_fail),
        CASE(a_gateway_without_memory_for_its_upstream_is_none),
        CASE(a_silent_upstream_is_504_when_the_time_is_up),
        CASE(when_the_client_leaves_the_upstreams_request_is_given_up),
        CASE(a_stopping_gateway_answers_what_waits),
    };
    return cmocka_run_group_tests_name("gateway upstream", tests, NULL, NULL);
}
