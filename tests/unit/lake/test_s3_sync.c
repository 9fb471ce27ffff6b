/* Two sides made alike, where one of them is wrong: what is asked for, and what is never touched.
 * That it copies, deletes and skips what it should: tests/e2e/s3_tool.sh. */
#include "s3_sync.h"

#include "answer_server.h"
#include "temp_dir.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { prefix_bytes_most = 1024 };

#define STRANGERS_LISTING                                                                          \
    "<ListBucketResult><IsTruncated>false</IsTruncated><Contents><Key>somebody-elses</Key>"        \
    "<LastModified>2026-01-02T03:04:05.000Z</LastModified><ETag>&quot;e&quot;</ETag>"              \
    "<Size>1</Size></Contents></ListBucketResult>"

static bool lists_what_is_somebody_elses(int fd, const char *path)
{
    char answer[1024];
    (void)path;
    int len = snprintf(answer, sizeof(answer), "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n%s",
                       sizeof(STRANGERS_LISTING) - 1, STRANGERS_LISTING);
    answer_send(fd, span_from(answer, (size_t)len));
    return true;
}

struct bench {
    struct answer_server server;
    struct temp_dir dir;
    struct env env;
    struct s3_client *client;
    struct s3_sync_summary summary;
    struct error err;
};

static int set_up(void **state)
{
    struct bench *b = calloc(1, sizeof(*b));
    char url[64];
    assert_non_null(b);
    temp_dir_make(&b->dir);
    env_init_system(&b->env);
    answer_server_start(&b->server, NULL, 0, lists_what_is_somebody_elses);
    snprintf(url, sizeof(url), "http://127.0.0.1:%d", b->server.port);
    const struct s3_client_options options = {
        .env = &b->env, .url = url, .region = "us-east-1", .concurrency = 1};
    assert_int_equal(s3_client_new(&options, &b->client, &b->err), STATUS_OK);
    *state = b;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *b = *state;
    s3_client_free(b->client);
    answer_server_stop(&b->server);
    temp_dir_remove(&b->dir);
    free(b);
    return 0;
}

static enum status sync_up(struct bench *b, struct span prefix)
{
    const struct s3_sync_options options = {
        .env = &b->env,
        .client = b->client,
        .bucket = SPAN_LIT("bucket"),
        .prefix = prefix,
        .dir = b->dir.path,
        .upload = true,
        .delete_extra = true,
    };
    b->err = ERROR_NONE;
    return s3_sync_run(&options, &b->summary, &b->err);
}

/* Shorter, it would be another one; without it everything in the bucket would be too much. */
static void a_prefix_that_is_too_long_is_refused_before_anything_is_asked(void **state)
{
    struct bench *b = *state;
    char prefix[prefix_bytes_most + 1];
    memset(prefix, 'p', sizeof(prefix));
    for (size_t len = prefix_bytes_most; len <= sizeof(prefix); len++) { /* the slash counts too */
        assert_int_equal(sync_up(b, span_from(prefix, len)), STATUS_INVALID);
        assert_non_null(strstr(b->err.message, "a prefix is longer than 1024 bytes"));
        assert_int_equal(b->server.requests, 0);
        assert_int_equal(b->summary.deleted, 0);
    }
}

static void a_key_of_another_prefix_is_not_deleted(void **state)
{
    struct bench *b = *state;
    assert_int_not_equal(sync_up(b, SPAN_LIT("mine")), STATUS_OK);
    assert_non_null(strstr(b->err.message, "\"somebody-elses\", which is not below \"mine/\""));
    assert_int_equal(b->server.requests, 1); /* and no DELETE */
    assert_int_equal(b->summary.deleted, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            a_prefix_that_is_too_long_is_refused_before_anything_is_asked, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_key_of_another_prefix_is_not_deleted, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
