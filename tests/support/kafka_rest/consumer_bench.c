#include "consumer_bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

void consumer_assert_answer(const struct bench_call *call, int status, const char *body)
{
    if (call->status != status || strcmp(call->body, body) != 0) {
        print_error("expected %d %s\n     got %d %s\n", status, body, call->status, call->body);
    }
    assert_int_equal(call->status, status);
    assert_string_equal(call->body, body);
}

void consumer_expect(struct bench *b, const char *method_target, const char *body, int status,
                     const char *answer)
{
    consumer_assert_answer(bench_call(b, method_target, NULL, body), status, answer);
}

void consumer_create(struct bench *b, const char *name, const char *settings)
{
    char body[256];
    snprintf(body, sizeof(body), "{\"name\":\"%s\"%s%s}", name, settings[0] != '\0' ? "," : "",
             settings);
    assert_int_equal(bench_call(b, "POST /consumers/g", NULL, body)->status, 200);
}

const char consumer_eager_json[] =
    "\"format\":\"json\",\"auto.offset.reset\":\"earliest\",\"fetch.min.bytes\":0";

void consumer_subscribe(struct bench *b, const char *name, const char *topic)
{
    char target[128];
    char body[64];
    snprintf(target, sizeof(target), "POST /consumers/g/instances/%s/subscription", name);
    snprintf(body, sizeof(body), "{\"topics\":[\"%s\"]}", topic);
    consumer_expect(b, target, body, 204, "");
}

/* The offsets of a records answer, "0,1,2"; its status instead when that is not 200. */
const char *consumer_offsets_in(const struct bench_call *call)
{
    static char text[512];
    size_t used = 0;
    text[0] = '\0';
    if (call->status != 200) {
        snprintf(text, sizeof(text), "%d", call->status);
        return text;
    }
    for (const char *p = strstr(call->body, "\"offset\":"); p != NULL;
         p = strstr(p + 1, "\"offset\":")) {
        used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%d", used > 0 ? "," : "",
                                 (int)strtol(p + strlen("\"offset\":"), NULL, 10));
    }
    return text;
}

const char *consumer_read_query(struct bench *b, const char *name, const char *query)
{
    char target[160];
    snprintf(target, sizeof(target), "GET /consumers/g/instances/%s/records%s", name, query);
    return consumer_offsets_in(bench_call(b, target, JSON_TYPE, NULL));
}

const char *consumer_read(struct bench *b, const char *name)
{
    return consumer_read_query(b, name, "");
}

int64_t consumer_committed(struct bench *b, const char *topic, int32_t partition)
{
    int64_t offset = -1;
    enum status status = store_group_committed(
        b->store, (struct store_group_place){SPAN_LIT("g"), span_from_cstr(topic), partition},
        &offset, NULL, NULL);
    return status == STATUS_OK ? offset : -1;
}

int64_t bench_now_ms(struct bench *b)
{
    return b->env.monotonic_us(&b->env) / 1000;
}

/* An instance that reads u1.pin as JSON from the start, without a first empty poll. */
void consumer_open(struct bench *b, const char *settings)
{
    b->options.first_poll = FIRST_POLL_EAGER;
    bench_open(b);
    consumer_create(b, "c", settings);
    consumer_subscribe(b, "c", "u1.pin");
}

int consumer_setup(void **state)
{
    struct bench *b = malloc(sizeof(*b));
    bench_init(b);
    *state = b;
    return 0;
}

int consumer_teardown(void **state)
{
    bench_close(*state);
    free(*state);
    return 0;
}
