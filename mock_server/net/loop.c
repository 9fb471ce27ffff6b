/* Time on the loop: the server's clock, its named limits, and the one uv timer behind the heap. */
#include "server_internal.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

void server_limits_init(struct server_limits *limits)
{
    *limits = (struct server_limits){
        .connections_max = SERVER_CONNECTIONS_MAX,
        .port_connections_max = SERVER_PORT_CONNECTIONS_MAX,
        .address_connections_max = SERVER_ADDRESS_CONNECTIONS_MAX,
        .budget_bytes_max = TURN_BUDGET_BYTES_MAX,
        .stop_ms = SERVER_STOP_MS,
        .work_retry_ms = SERVER_WORK_RETRY_MS,
    };
}

int64_t server_now_us(const struct server *server)
{
    return server->env->monotonic_us(server->env);
}

static void loop_woken(uv_timer_t *timer)
{
    struct server *server = timer->data;
    server->wake_due_us = INT64_MAX; /* the loop runs the heap after each uv_run */
    /* UV_RUN_ONCE looks at timers before it waits for sockets: with no timer left it would then
     * wait for a socket only, and what is due in the heap would never run. */
    uv_stop(&server->loop);
}

void loop_wake_arm(struct server *server)
{
    int64_t due_us = timer_heap_next_us(&server->timers);
    if (due_us >= server->wake_due_us) {
        return;
    }
    int64_t delay_us = due_us - server_now_us(server);
    uint64_t delay_ms = delay_us > 0 ? (uint64_t)(delay_us + 999) / 1000 : 0;
    uv_update_time(&server->loop);
    uv_timer_start(&server->wake, loop_woken, delay_ms, 0);
    server->wake_due_us = due_us;
}

void loop_timer_after_ms(struct server *server, struct timer *timer, int64_t delay_ms)
{
    PP_ASSERT(timer->fire != NULL && delay_ms >= 0);
    if (timer_set(&server->timers, timer, server_now_us(server) + delay_ms * 1000) != STATUS_OK) {
        timer->fire(timer); /* too early is better than never */
    }
}

static void loop_descriptor_ignored(uv_poll_t *poll, int status, int events)
{
    (void)poll;
    (void)status;
    (void)events;
}

static void descriptor_closed(uv_handle_t *handle)
{
    handle->data = NULL;
}

void loop_descriptors_reserve(struct server *server)
{
    int socket_fd = socket(AF_INET, SOCK_DGRAM, 0);
    int wanted = (int)(server->limits.connections_max + SERVER_FILES_SPARE);
    int fd = socket_fd >= 0 ? fcntl(socket_fd, F_DUPFD_CLOEXEC, wanted) : -1;
    uv_poll_t poll;
    if (fd >= 0 && uv_poll_init(&server->loop, &poll, fd) == 0) {
        poll.data = server;
        uv_poll_start(&poll, UV_READABLE, loop_descriptor_ignored);
        uv_close((uv_handle_t *)&poll, descriptor_closed);
        while (poll.data != NULL) {
            uv_run(&server->loop, UV_RUN_NOWAIT);
        }
    }
    if (fd >= 0) {
        close(fd);
    }
    if (socket_fd >= 0) {
        close(socket_fd);
    }
}
