/* Where a request points: path style, virtual hosts, keys as bytes (specs/aws-s3.md section 2). */
#include "s3_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void illegal_bucket_name_is_named_in_the_error(void **state)
{
    struct s3_fixture *f = *state;
    s3_get(f, "/No_Such/key");
    s3_assert_error(f, 400, "InvalidBucketName");
    s3_assert_element(f, "BucketName", "No_Such");
}

/* The same object under each of its spellings; what is put under one is got under the other. */
static void path_is_decoded_once_and_never_normalised(void **state)
{
    static const struct {
        const char *put;
        const char *get;
        const char *key; /* as ListObjects would show it: the Key of NoSuchKey */
    } rows[] = {
        {"/bkt/a%20b", "/bkt/a%20b", "a b"},
        {"/bkt/a+b", "/bkt/a%2Bb", "a+b"},
        {"/bkt/a%2fb", "/bkt/a/b", "a/b"},
        {"/bkt/x=1", "/bkt/x%3D1", "x=1"},
        {"/bkt/%25%32%30", "/bkt/%2520", "%20"},
        {"/bkt//leading", "/bkt/%2Fleading", "/leading"},
        {"/bkt/a//b", "/bkt/a%2F/b", "a//b"},
        {"/bkt/../up", "/bkt/%2E%2E/up", "../up"},
        {"/bkt/a/./b", "/bkt/a/%2e/b", "a/./b"},
        {"/bkt/dir/", "/bkt/dir%2F", "dir/"},
        {"/bkt/%F0%9F%98%80", "/bkt/%f0%9f%98%80", "\xf0\x9f\x98\x80"},
        {"/bkt/%3C%26%3E", "/bkt/<&>", "&lt;&amp;&gt;"},
    };
    struct s3_fixture *f = *state;
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        s3_put(f, rows[i].put, rows[i].key);
        s3_assert_status(f, 200);
        s3_get(f, rows[i].get);
        s3_assert_status(f, 200);
        s3_assert_body(f, rows[i].key);
        s3_do(f, "DELETE", rows[i].get);
        s3_assert_status(f, 204);
        s3_get(f, rows[i].put);
        s3_assert_error(f, 404, "NoSuchKey");
        s3_assert_element(f, "Key", rows[i].key);
    }
}

static void malformed_paths_and_queries_are_invalid_uris(void **state)
{
    static const char *const targets[] = {
        "/bkt/a%00b",       "/bkt/a%2", "/bkt/a%zz", "/bkt/%ff%fe", "/bkt/%C0%AF",
        "/bkt/%ED%A0%80",   "/%",       "/b%00t/k",  "*",           "/bkt?prefix=%0",
        "/bkt?prefix=a%00",
    };
    struct s3_fixture *f = *state;
    for (size_t i = 0; i < ARRAY_COUNT(targets); i++) {
        s3_get(f, targets[i]);
        s3_assert_error(f, 400, "InvalidURI");
    }
}

static void key_may_have_1024_bytes_and_not_one_more(void **state)
{
    struct s3_fixture *f = *state;
    char target[8000] = "/bkt/";
    memset(target + 5, 'k', 1024);
    target[5 + 1024] = '\0';
    s3_put(f, target, "x");
    s3_assert_status(f, 200);
    target[5 + 1024] = 'k';
    target[5 + 1025] = '\0';
    s3_put(f, target, "x");
    s3_assert_error(f, 400, "KeyTooLongError");
    s3_assert_element(f, "Message", "Your key is too long");
    s3_assert_element(f, "Size", "1025");
    s3_assert_element(f, "MaxSizeAllowed", "1024");
    /* Bytes count, not characters, and not how they are escaped. */
    size_t len = 5;
    for (size_t i = 0; i < 512; i++) {
        memcpy(target + len, "%C3%A9", 6);
        len += 6;
    }
    target[len] = '\0';
    s3_put(f, target, "x");
    s3_assert_status(f, 200);
    memcpy(target + len, "%C3%A9", 7);
    s3_put(f, target, "x");
    s3_assert_error(f, 400, "KeyTooLongError");
    s3_assert_element(f, "Size", "1026");
}

static void ask_host(struct s3_fixture *f, const char *host, const char *target)
{
    char line[128];
    snprintf(line, sizeof(line), "Host: %s", host);
    struct s3_ask ask = {.method = "GET", .target = target, .headers = {line}, .body = SPAN_EMPTY};
    s3_ask(f, &ask);
}

static void host_below_a_base_domain_names_the_bucket(void **state)
{
    static const struct {
        const char *host;
        const char *target;
        const char *body; /* NULL: it is not the object */
    } rows[] = {
        {"bkt.localhost", "/dir/key", "hello"},
        {"bkt.localhost:9000", "/dir/key", "hello"},
        {"BKT.LocalHost:9000", "/dir/key", "hello"},
        {"bkt.s3.localhost.localstack.cloud:9000", "/dir/key", "hello"},
        {"localhost:9000", "/bkt/dir/key", "hello"},
        {"s3.localhost.localstack.cloud", "/bkt/dir/key", "hello"},
        {"127.0.0.1:9000", "/bkt/dir/key", "hello"},
        {"[::1]:9000", "/bkt/dir/key", "hello"},
        {"notlocalhost", "/bkt/dir/key", "hello"},
        {"example.com", "/bkt/dir/key", "hello"},
        {"bkt.localhost", "/bkt/dir/key", NULL},
        {"other.localhost", "/dir/key", NULL},
    };
    struct s3_fixture *f = *state;
    s3_put(f, "/bkt/dir/key", "hello");
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        ask_host(f, rows[i].host, rows[i].target);
        if (rows[i].body != NULL) {
            s3_assert_status(f, 200);
            s3_assert_body(f, rows[i].body);
        } else {
            s3_assert_status(f, 404);
        }
    }
}

static void bucket_of_a_host_may_have_dots(void **state)
{
    struct s3_fixture *f = *state;
    s3_do(f, "PUT", "/my.bucket");
    s3_put(f, "/my.bucket/k", "dotted");
    ask_host(f, "my.bucket.localhost:9000", "/k");
    s3_assert_body(f, "dotted");
    ask_host(f, "No_Such.localhost", "/k");
    s3_assert_error(f, 400, "InvalidBucketName");
}

static void level_follows_from_the_path(void **state)
{
    struct s3_fixture *f = *state;
    s3_get(f, "/");
    s3_assert_status(f, 200);
    s3_assert_element(f, "Name", "bkt");
    s3_do(f, "HEAD", "/bkt");
    s3_assert_status(f, 200);
    s3_do(f, "HEAD", "/bkt/");
    s3_assert_status(f, 200);
    s3_do(f, "HEAD", "/bkt/none");
    s3_assert_status(f, 404);
    s3_get(f, "//");
    s3_assert_error(f, 400, "InvalidBucketName");
}

static void unknown_method_is_not_allowed_and_names_the_resource(void **state)
{
    static const struct {
        const char *method;
        const char *target;
        const char *resource;
    } rows[] = {
        {"PUT", "/", "SERVICE"},       {"DELETE", "/", "SERVICE"},     {"POST", "/", "SERVICE"},
        {"PATCH", "/bkt", "BUCKET"},   {"PROPFIND", "/bkt", "BUCKET"}, {"POST", "/bkt/k", "OBJECT"},
        {"PATCH", "/bkt/k", "OBJECT"},
    };
    struct s3_fixture *f = *state;
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        s3_do(f, rows[i].method, rows[i].target);
        s3_assert_error(f, 405, "MethodNotAllowed");
        s3_assert_element(f, "Method", rows[i].method);
        s3_assert_element(f, "ResourceType", rows[i].resource);
        assert_true(s3_reply_header(f, "Allow").len > 0);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, s3_fixture_setup, s3_fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(illegal_bucket_name_is_named_in_the_error),
        TEST(path_is_decoded_once_and_never_normalised),
        TEST(malformed_paths_and_queries_are_invalid_uris),
        TEST(key_may_have_1024_bytes_and_not_one_more),
        TEST(host_below_a_base_domain_names_the_bucket),
        TEST(bucket_of_a_host_may_have_dots),
        TEST(level_follows_from_the_path),
        TEST(unknown_method_is_not_allowed_and_names_the_resource),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
