#include "echo_bench.h"

#include <stdlib.h>
#include <string.h>

int echo_bench_setup(void **state)
{
    struct echo_bench *f = calloc(1, sizeof(*f));
    if (f == NULL) {
        return 1;
    }
    echo_server_init(&f->echo);
    *state = f;
    return 0;
}

int echo_bench_setup_started(void **state)
{
    if (echo_bench_setup(state) != 0) {
        return 1;
    }
    echo_server_start(&((struct echo_bench *)*state)->echo);
    return 0;
}

int echo_bench_teardown(void **state)
{
    struct echo_bench *f = *state;
    if (f->echo.server != NULL) {
        echo_server_stop(&f->echo);
    }
    free(f);
    return 0;
}

void echo_bench_ask(struct echo_bench *f, const char *text)
{
    int fd = raw_connect(f->echo.port);
    raw_send_text(fd, text);
    raw_receive(fd, strncmp(text, "HEAD ", 5) == 0, &f->reply);
    raw_close(fd);
}

bool echo_bench_has_header(const struct echo_bench *f, const char *name, const char *value)
{
    char got[256];
    return raw_header(&f->reply, name, got, sizeof(got)) &&
           (value == NULL || strcmp(got, value) == 0);
}
