/* Consumers that do not read their answers beside one that does, over sockets: they cost it
 * nothing, and it is never told that there are no records while there are. */
#include "pinpipe/mock.h"
#include "raw_socket.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define V2_TYPE   "application/vnd.kafka.v2+json"
#define JSON_TYPE "application/vnd.kafka.json.v2+json"

enum {
    readers = 40,
    polls_each = 8, /* in a pipeline, so that the kernel's buffers are full as well */
    record_bytes = 250 * 1000,
    records = 40,
};

struct fixture {
    struct pinpipe_mock *mock;
    int port;
    int readers[readers];
    struct raw_reply reply;
    char text[record_bytes + 1024];
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    struct pinpipe_mock_options options;
    char why[PINPIPE_MESSAGE_BYTES];
    pinpipe_mock_options_init(&options);
    options.first_poll = PINPIPE_FIRST_POLL_EAGER;
    if (pinpipe_mock_start(&options, &f->mock, why) != PINPIPE_OK) {
        fail_msg("%s", why);
    }
    f->port = atoi(strrchr(pinpipe_mock_url(f->mock, PINPIPE_REST), ':') + 1);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    pinpipe_mock_stop(f->mock);
    free(f);
    return 0;
}

static void post(struct fixture *f, int fd, const char *path, const char *type, const char *body)
{
    char head[512];
    snprintf(head, sizeof(head),
             "POST %s HTTP/1.1\r\nHost: a\r\nContent-Type: %s\r\nContent-Length: %zu\r\n\r\n", path,
             type, strlen(body));
    raw_send_text(fd, head);
    raw_send(fd, body, strlen(body));
    raw_receive(fd, false, &f->reply);
    assert_in_range(f->reply.status, 200, 204);
}

static void instance_subscribe(struct fixture *f, int fd, int group, const char *topic)
{
    char path[128];
    char body[128];
    snprintf(path, sizeof(path), "/consumers/g%d", group);
    post(f, fd, path, V2_TYPE,
         "{\"name\":\"c\",\"format\":\"json\",\"auto.offset.reset\":\"earliest\","
         "\"fetch.min.bytes\":\"0\"}");
    snprintf(path, sizeof(path), "/consumers/g%d/instances/c/subscription", group);
    snprintf(body, sizeof(body), "{\"topics\":[\"%s\"]}", topic);
    post(f, fd, path, V2_TYPE, body);
}

static void poll_send(int fd, int group)
{
    char text[256];
    snprintf(text, sizeof(text),
             "GET /consumers/g%d/instances/c/records HTTP/1.1\r\nHost: a\r\nAccept: " JSON_TYPE
             "\r\n\r\n",
             group);
    raw_send_text(fd, text);
}

static void large_records_produce(struct fixture *f, int fd)
{
    int start = snprintf(f->text, sizeof(f->text), "{\"records\":[{\"value\":\"");
    memset(f->text + start, 'x', record_bytes);
    snprintf(f->text + start + record_bytes, 16, "\"}]}");
    for (int i = 0; i < records; i++) {
        post(f, fd, "/topics/workshop.pin", JSON_TYPE, f->text);
    }
}

static void slow_readers_starve_no_poll(void **state)
{
    struct fixture *f = *state;
    int honest = raw_connect(f->port);
    large_records_produce(f, honest);
    for (int i = 0; i < readers; i++) {
        f->readers[i] = raw_connect(f->port);
        instance_subscribe(f, f->readers[i], i, "workshop.pin");
        for (int poll = 0; poll < polls_each; poll++) {
            poll_send(f->readers[i], i);
        }
    }
    for (int i = 0; i < readers; i++) {
        assert_true(raw_is_readable_within(f->readers[i], RAW_WAIT_MS)); /* its answer is made */
    }
    instance_subscribe(f, honest, readers, "workshop.geo");
    for (int i = 0; i < 10; i++) {
        post(f, honest, "/topics/workshop.geo", JSON_TYPE, "{\"records\":[{\"value\":1}]}");
        poll_send(honest, readers);
        raw_receive(honest, false, &f->reply);
        assert_int_equal(f->reply.status, 200);
        assert_non_null(strstr(raw_body(&f->reply), "\"value\":1"));
    }
    for (int i = 0; i < readers; i++) {
        raw_close(f->readers[i]);
    }
    raw_close(honest);
}

#define OWN(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        OWN(slow_readers_starve_no_poll),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
