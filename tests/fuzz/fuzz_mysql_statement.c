/* Statements of MySQL's dialect, whatever they are: each is answered or refused with a number and
 * words. */
#include "env.h"
#include "mysql_db.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { steps_max = 20 };

struct fuzzed {
    struct env env;
    struct mysql_db *db;
    struct mysql_session *session;
};

static void fuzzed_open(struct fuzzed *f)
{
    struct mysql_db_options options = {
        .data_dir = ":memory:", .database = "pinterest_data", .env = &f->env};
    struct mysql_login login = {.user = SPAN_LIT("fuzz"),
                                .host = "127.0.0.1",
                                .connection_id = 1,
                                .database = SPAN_LIT("pinterest_data")};
    struct mysql_error error;
    struct error err;
    env_init_system(&f->env);
    if (mysql_db_new(&options, &f->db, &err) != STATUS_OK) {
        abort();
    }
    f->session = mysql_session_new(f->db, &login, &error);
    if (f->session == NULL) {
        abort();
    }
}

static void check_error(const struct mysql_error *error)
{
    if (error->code == 0 || error->message[0] == '\0' || strlen(error->sqlstate) != 5) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct fuzzed fuzzed;
    struct mysql_error error = {0};
    if (fuzzed.session == NULL) {
        fuzzed_open(&fuzzed);
    }
    mysql_session_reset(fuzzed.session);
    (void)mysql_session_use(fuzzed.session, SPAN_LIT("pinterest_data"), &error);
    struct mysql_statement *statement =
        mysql_prepare(fuzzed.session, span_from((const char *)data, size), &error);
    if (statement == NULL) {
        check_error(&error);
        return 0;
    }
    size_t count = mysql_statement_params(statement);
    struct mysql_value *params = calloc(count + 1, sizeof(*params));
    struct mysql_query *query =
        params != NULL ? mysql_execute(statement, params, count, &error) : NULL;
    if (query == NULL) {
        check_error(&error);
    }
    for (int i = 0; query != NULL && i < steps_max; i++) {
        enum mysql_stepped stepped = mysql_query_step(query, &error);
        if (stepped == MYSQL_STEP_FAILED) {
            check_error(&error);
        }
        if (stepped == MYSQL_STEP_FAILED || stepped == MYSQL_STEP_DONE) {
            break;
        }
    }
    if (query != NULL) {
        mysql_query_free(query);
    }
    free(params);
    mysql_statement_free(statement);
    return 0;
}
