#include "mysql_internal.h"

#include "digest.h"

#include <stdlib.h>

void mysql_limits_init(struct mysql_limits *limits)
{
    *limits = (struct mysql_limits){
        .login_ms = MYSQL_LOGIN_MS,
        .idle_ms = MYSQL_IDLE_MS,
        .command_ms = MYSQL_COMMAND_MS,
        .send_ms = MYSQL_SEND_MS,
        .crowded_send_ms = MYSQL_CROWDED_SEND_MS,
        .linger_ms = MYSQL_LINGER_MS,
    };
}

enum status mysql_service_new(const struct mysql_service_options *options,
                              struct mysql_service **out, struct error *err)
{
    struct mysql_service *service = calloc(1, sizeof(*service));
    enum status status = STATUS_OK;
    if (service == NULL) {
        status = error_set(err, STATUS_NO_MEMORY, "out of memory");
    } else if (options->user != NULL) {
        status = crypto_ready(options->crypto, err);
    }
    if (status != STATUS_OK) {
        free(service);
        mysql_db_free(options->db);
        return status;
    }
    service->db = options->db;
    service->crypto = options->crypto;
    service->env = options->env;
    service->log = options->log;
    service->user = options->user;
    service->password = options->password;
    service->start_us = options->env->monotonic_us(options->env);
    if (options->limits != NULL) {
        service->limits = *options->limits;
    } else {
        mysql_limits_init(&service->limits);
    }
    *out = service;
    return STATUS_OK;
}

void mysql_service_free(struct mysql_service *service)
{
    PP_ASSERT(service->threads == 0);
    mysql_db_free(service->db);
    free(service);
}
