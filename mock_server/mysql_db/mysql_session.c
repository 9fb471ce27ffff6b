#include "mysql_session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { execution_ms_default = 300000 };
enum { STATUS_IN_TRANSACTION = 1, STATUS_AUTOCOMMIT = 2 };

enum status mysql_db_new(const struct mysql_db_options *options, struct mysql_db **out,
                         struct error *err)
{
    struct mysql_db *db = calloc(1, sizeof(*db));
    if (db == NULL) {
        return error_no_memory(err);
    }
    enum status status =
        mysql_handles_init(&db->handles, options->data_dir, options->env, options->log, err);
    if (status != STATUS_OK) {
        free(db);
        return status;
    }
    snprintf(db->database, sizeof(db->database), "%s", options->database);
    db->env = options->env;
    db->log = options->log;
    db->budget = options->budget;
    db->execution_ms_max =
        options->execution_ms_max > 0 ? options->execution_ms_max : execution_ms_default;
    *out = db;
    return STATUS_OK;
}

void mysql_db_free(struct mysql_db *db)
{
    if (db == NULL) {
        return;
    }
    PP_ASSERT(db->sessions == 0);
    mysql_handles_release(&db->handles);
    free(db);
}

const char *mysql_db_version(const struct mysql_db *db)
{
    (void)db;
    return "8.0.36-pinpipe";
}

struct mysql_session *mysql_session_new(struct mysql_db *db, const struct mysql_login *login,
                                        struct mysql_error *error)
{
    struct mysql_session *session = calloc(1, sizeof(*session));
    if (session == NULL) {
        mysql_error_set(error, MYSQL_ER_OUT_OF_RESOURCES);
        return NULL;
    }
    session->db = db;
    session->connection_id = login->connection_id;
    session->charset = login->charset;
    snprintf(session->user, sizeof(session->user), "%.*s", SPAN_ARG(login->user));
    snprintf(session->host, sizeof(session->host), "%s", login->host);
    mysql_session_reset(session);
    if ((login->database.len > 0 && !mysql_session_use(session, login->database, error)) ||
        !mysql_handles_ready(&db->handles, error)) {
        free(session);
        return NULL;
    }
    db->sessions++;
    return session;
}

void mysql_session_free(struct mysql_session *session)
{
    session->db->sessions--;
    free(session);
}

bool mysql_session_use(struct mysql_session *session, struct span database,
                       struct mysql_error *error)
{
    char name[MYSQL_NAME_BYTES];
    snprintf(name, sizeof(name), "%.*s", SPAN_ARG(database));
    if (span_equal_cstr(database, session->db->database)) {
        memcpy(session->database, name, sizeof(name));
    } else if (span_equal_nocase(database, SPAN_LIT("information_schema"))) {
        snprintf(session->database, sizeof(session->database), "information_schema");
    } else {
        return mysql_error_set(error, MYSQL_ER_BAD_DB, name);
    }
    return true;
}

void mysql_session_modes(struct mysql_session *session)
{
    snprintf(session->sql_mode, sizeof(session->sql_mode), "%s",
             "ONLY_FULL_GROUP_BY,STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,"
             "ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION");
}

void mysql_session_reset(struct mysql_session *session)
{
    mysql_session_modes(session);
    snprintf(session->isolation, sizeof(session->isolation), "REPEATABLE-READ");
    session->execution_ms_max = 0;
    session->variable_count = 0;
    session->autocommit = true;
    session->in_transaction = false;
}

uint16_t mysql_session_status(const struct mysql_session *session)
{
    return (uint16_t)((session->autocommit ? STATUS_AUTOCOMMIT : 0) |
                      (session->in_transaction ? STATUS_IN_TRANSACTION : 0));
}
