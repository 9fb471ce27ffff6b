/* How to test your own C program against AWS without AWS: the mock runs inside the test, on free
 * ports, in memory, and is gone afterwards. Nothing but <pinpipe/mock.h> is needed from pinpipe;
 * build with the flags of `pkg-config pinpipe`. The "program under test" here is the function
 * post_pin below: any code that speaks HTTP to a URL will do. */
#include <pinpipe/mock.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

enum { answer_bytes = 4096, request_bytes = 2048 };

/* --- the program under test: a small HTTP client --- */

/* "http://127.0.0.1:34567/test" + "/topics/x" -> a connected socket and the request's path. */
static int connect_to(const char *base_url, const char *path, char *full_path, size_t size)
{
    unsigned port = 0;
    char prefix[256] = "";
    if (sscanf(base_url, "http://127.0.0.1:%u%255s", &port, prefix) < 1) {
        return -1;
    }
    snprintf(full_path, size, "%s%s", prefix, path);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((unsigned short)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0) {
        close(fd);
        fd = -1;
    }
    return fd;
}

/* Posts JSON; returns the HTTP status, the whole answer is in `answer`. -1: no connection. */
static int post_json(const char *base_url, const char *path, const char *json, char *answer)
{
    char full_path[512];
    char request[request_bytes];
    int fd = connect_to(base_url, path, full_path, sizeof(full_path));
    if (fd < 0) {
        return -1;
    }
    int len = snprintf(request, sizeof(request),
                       "POST %s HTTP/1.1\r\nHost: localhost\r\nAccept: */*\r\nConnection: close\r\n"
                       "Content-Type: application/vnd.kafka.json.v2+json\r\n"
                       "Content-Length: %zu\r\n\r\n%s",
                       full_path, strlen(json), json);
    size_t used = 0;
    ssize_t got = write(fd, request, (size_t)len) == len ? 1 : -1;
    while (got > 0 && used < answer_bytes - 1) {
        got = read(fd, answer + used, answer_bytes - 1 - used);
        used += got > 0 ? (size_t)got : 0;
    }
    answer[used] = '\0';
    close(fd);
    return strncmp(answer, "HTTP/1.1 ", 9) == 0 ? atoi(answer + 9) : -1;
}

/* What we want to test: posts one pin, true when the row was taken. */
static bool post_pin(const char *invoke_url, int index)
{
    char json[128];
    char answer[answer_bytes];
    snprintf(json, sizeof(json), "{\"records\":[{\"value\":{\"index\":%d}}]}", index);
    return post_json(invoke_url, "/topics/workshop.pin", json, answer) == 200 &&
           strstr(answer, "\"error_code\":null") != NULL;
}

/* --- the tests --- */

static struct pinpipe_mock *start_mock(const struct pinpipe_mock_options *options)
{
    struct pinpipe_mock *mock = NULL;
    char why[PINPIPE_MESSAGE_BYTES] = "";
    if (pinpipe_mock_start(options, &mock, why) != PINPIPE_OK) {
        fail_msg("the mock does not start: %s", why);
    }
    return mock;
}

static void a_pin_is_posted_through_the_gateway(void **state)
{
    struct pinpipe_mock_options options;
    (void)state;
    pinpipe_mock_options_init(&options); /* in memory, loopback, free ports, user "workshop" */
    struct pinpipe_mock *mock = start_mock(&options);

    assert_true(post_pin(pinpipe_mock_url(mock, PINPIPE_GATEWAY), 7528));

    assert_int_equal(pinpipe_mock_stop(mock), PINPIPE_OK);
}

static void mistakes_are_answered_as_aws_answers_them(void **state)
{
    struct pinpipe_mock_options options;
    char answer[answer_bytes];
    (void)state;
    pinpipe_mock_options_init(&options);
    options.stage = "prod";
    options.permissions = PINPIPE_PERMISSIONS_WORKSHOP;
    struct pinpipe_mock *mock = start_mock(&options);
    const char *gateway = pinpipe_mock_url(mock, PINPIPE_GATEWAY);
    const char *rest = pinpipe_mock_url(mock, PINPIPE_REST);

    /* A body that is not wrapped in "records" is the mistake nearly everybody makes once. */
    assert_int_equal(post_json(gateway, "/topics/workshop.pin", "{\"index\":1}", answer), 422);
    assert_non_null(strstr(answer, "X-Pinpipe-Hint: "));
    /* Somebody else's topic: 200, with the refusal inside, as the real proxy has it; or 403. */
    assert_int_not_equal(post_json(rest, "/topics/other.pin", "{\"records\":[{}]}", answer), -1);
    assert_non_null(strstr(answer, "Not authorized"));

    assert_int_equal(pinpipe_mock_stop(mock), PINPIPE_OK);
}

static void two_mocks_know_nothing_of_each_other(void **state)
{
    struct pinpipe_mock_options options;
    char answer[answer_bytes];
    (void)state;
    pinpipe_mock_options_init(&options);
    options.gateway_port = -1; /* the REST proxy alone */
    struct pinpipe_mock *first = start_mock(&options);
    options.user_id = "other";
    struct pinpipe_mock *second = start_mock(&options);
    assert_null(pinpipe_mock_url(first, PINPIPE_GATEWAY));

    static const char record[] = "{\"records\":[{\"value\":1}]}";
    const char *url = pinpipe_mock_url(second, PINPIPE_REST);
    assert_int_equal(post_json(url, "/topics/other.pin", record, answer), 200);
    assert_non_null(strstr(answer, "\"offset\":0"));
    assert_int_equal(post_json(url, "/topics/workshop.pin", record, answer), 200);
    assert_null(strstr(answer, "\"offset\":0"));

    assert_int_equal(pinpipe_mock_stop(first), PINPIPE_OK);
    assert_int_equal(pinpipe_mock_stop(second), PINPIPE_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pin_is_posted_through_the_gateway),
        cmocka_unit_test(mistakes_are_answered_as_aws_answers_them),
        cmocka_unit_test(two_mocks_know_nothing_of_each_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
