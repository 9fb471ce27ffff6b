/* MySQL as a row of mock_server/services.c. */
#include "host.h"
#include "mysql_db.h"
#include "mysql_service.h"
#include "pinpipe/mock.h"

/* The name of the workshop's database, under which the three tables are. */
static const char database_name[] = "pinterest_data";

enum status mysql_wire_open(const struct host *host, void **out, struct error *err)
{
    const struct pinpipe_mock_options *o = host->options;
    struct mysql_db *db = NULL;
    struct mysql_service *service = NULL;
    const struct mysql_db_options options = {
        .data_dir = o->data_dir != NULL ? o->data_dir : ":memory:",
        .database = database_name,
        .env = host->env,
        .log = host->log,
        .budget = host->budget,
    };
    enum status status = mysql_db_new(&options, &db, err);
    if (status != STATUS_OK) {
        return status;
    }
    const struct mysql_service_options service_options = {
        .db = db,
        .crypto = host->crypto,
        .env = host->env,
        .log = host->log,
        .user = o->mysql_user,
        .password = o->mysql_password,
    };
    status = mysql_service_new(&service_options, &service, err);
    *out = service;
    return status;
}

const void *mysql_wire_face(void *service)
{
    return service;
}

void mysql_wire_close(void *service)
{
    mysql_service_free(service);
}

const char *mysql_wire_url_path(const struct host *host)
{
    (void)host;
    return database_name;
}

enum status mysql_wire_kind(const struct host *host, const void *face, struct conn_kind *out)
{
    (void)host;
    *out = mysql_service_kind((struct mysql_service *)(uintptr_t)face);
    return STATUS_OK;
}
