#include "mysql_world.h"

#include "mysql_db.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

void mysql_world_init(struct mysql_world *world)
{
    *world = (struct mysql_world){.port = 0};
    env_init_system(&world->env);
    log_init(&world->log, &world->env, stderr, LOG_OFF);
    server_limits_init(&world->server_limits);
    mysql_limits_init(&world->limits);
}

static void *world_thread_main(void *ctx)
{
    struct mysql_world *world = ctx;
    server_run(world->server, false);
    return NULL;
}

void mysql_world_start(struct mysql_world *world)
{
    struct error err = ERROR_NONE;
    struct mysql_db *db = NULL;
    const struct server_options server = {
        .env = &world->env, .log = &world->log, .limits = &world->server_limits};
    assert_int_equal(server_new(&server, &world->server, &err), STATUS_OK);
    assert_int_equal(crypto_new(&world->crypto), STATUS_OK);
    const struct mysql_db_options tables = {.data_dir = ":memory:",
                                            .database = "pinterest_data",
                                            .env = &world->env,
                                            .log = &world->log,
                                            .budget = &world->server->turn.budget};
    assert_int_equal(mysql_db_new(&tables, &db, &err), STATUS_OK);
    const struct mysql_service_options options = {.db = db,
                                                  .crypto = world->crypto,
                                                  .env = &world->env,
                                                  .log = &world->log,
                                                  .user = world->user,
                                                  .password = world->password,
                                                  .limits = &world->limits};
    assert_int_equal(mysql_service_new(&options, &world->service, &err), STATUS_OK);
    const struct listener_options listen = {
        .kind = mysql_service_kind(world->service), .address = "127.0.0.1", .flag = "--mysql"};
    assert_int_equal(server_listen(world->server, &listen, &world->port, &err), STATUS_OK);
    server_set_store(world->server, NULL, world->journal);
    assert_int_equal(pthread_create(&world->thread, NULL, world_thread_main, world), 0);
}

void mysql_world_stop(struct mysql_world *world)
{
    server_interrupt(world->server);
    pthread_join(world->thread, NULL);
    world->replies_peak_bytes = world->server->turn.budget.shares[BUDGET_REPLIES].peak_bytes;
    mysql_service_free(world->service);
    server_free(world->server);
    crypto_free(world->crypto);
}
