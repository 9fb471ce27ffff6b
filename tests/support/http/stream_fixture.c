#include "stream_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

int stream_setup(void **state)
{
    struct stream_fixture *f = calloc(1, sizeof(*f));
    if (f == NULL) {
        return 1;
    }
    stream_server_init(&f->stream);
    *state = f;
    return 0;
}

int stream_setup_started(void **state)
{
    if (stream_setup(state) != 0) {
        return 1;
    }
    echo_server_start(&((struct stream_fixture *)*state)->stream.echo);
    return 0;
}

int stream_teardown(void **state)
{
    struct stream_fixture *f = *state;
    if (f->stream.echo.server != NULL) {
        echo_server_stop(&f->stream.echo);
    }
    assert_int_equal(atomic_load(&f->stream.wrong), 0);
    assert_int_equal(atomic_load(&f->stream.released), atomic_load(&f->stream.begun) + f->replies);
    free(f);
    return 0;
}

int stream_connect(struct stream_fixture *f)
{
    return raw_connect(f->stream.echo.port);
}
