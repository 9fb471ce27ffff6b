#include "rows_place.h"

#include "creds.h"
#include "file.h"
#include "rds_copy.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { port_max = 65535, copy_dir_bytes_max = 600 };

static enum status creds_lack(const char *path, const char *key, const char *example,
                              struct error *err)
{
    return error_set(err, STATUS_CONFIG, "%s: HOST is there, %s is not: add a line like %s: %s",
                     path, key, key, example);
}

static enum status port_take(const char *path, const struct creds *creds,
                             struct mysql_account *account, struct error *err)
{
    uint64_t port = MYSQL_USUAL_PORT;
    if (creds->port[0] != '\0' &&
        (!span_parse_u64(span_from_cstr(creds->port), &port) || port == 0 || port > port_max)) {
        return error_set(err, STATUS_CONFIG, "%s: PORT \"%s\" is no port: write PORT: %d", path,
                         creds->port, MYSQL_USUAL_PORT);
    }
    account->port = (int)port;
    return STATUS_OK;
}

static enum status account_take(struct cli *cli, const char *path, const struct creds *creds,
                                struct mysql_account *account, struct error *err)
{
    *account = (struct mysql_account){
        .host = creds->host,
        .user = creds->user,
        .password = creds->password,
        .database = creds->database,
        .tls_ca = creds->ssl_ca[0] != '\0' ? creds->ssl_ca : NULL,
        .env = &cli->env,
        .should_stop = cli_should_stop,
    };
    if (strpbrk(creds->host, ":/@ ") != NULL && strstr(creds->host, "::") == NULL) {
        return error_set(err, STATUS_CONFIG,
                         "%s: HOST \"%s\" is no host's name: write the name alone, and the port as "
                         "PORT",
                         path, creds->host);
    }
    if (creds->user[0] == '\0') {
        return creds_lack(path, "USER", "project_user", err);
    }
    if (creds->database[0] == '\0') {
        return creds_lack(path, "DATABASE", "pinterest_data", err);
    }
    if (account->tls_ca != NULL && !file_exists(account->tls_ca)) {
        return error_set(err, STATUS_CONFIG, "%s: SSL_CA: there is no file %s", path,
                         account->tls_ca);
    }
    enum status status = port_take(path, creds, account, err);
    return status == STATUS_OK ? cli_timeout_ms(cli, &account->timeout_ms, err) : status;
}

enum status rows_place_find(struct cli *cli, const struct mysql_account **out, struct error *err)
{
    const char *path = cli_config(cli, "creds_path");
    *out = NULL;
    if (path == NULL) {
        return STATUS_OK;
    }
    struct creds *creds = ARENA_NEW(&cli->arena, struct creds);
    struct mysql_account *account = ARENA_NEW(&cli->arena, struct mysql_account);
    if (creds == NULL || account == NULL) {
        return error_no_memory(err);
    }
    enum status status = creds_read(path, creds, err);
    if (status == STATUS_OK && creds->host[0] != '\0') {
        status = account_take(cli, path, creds, account, err);
        *out = status == STATUS_OK ? account : NULL;
    }
    return status;
}

static void place_tell(const struct cli *cli, const struct mysql_account *account)
{
    fprintf(cli->err, "pinpipe %s: the rows come from MySQL at ", cli->command_path);
    cli_put_text(cli, cli->err, span_from_cstr(account->host));
    fprintf(cli->err, ":%d, as creds.yaml says\n", account->port);
}

/* An unreachable server may be known to be gone for good: the account has expired. */
static enum status place_advise(enum status status, struct error *err)
{
    size_t used = strlen(err->message);
    if (status == STATUS_UNREACHABLE || status == STATUS_TIMED_OUT) {
        snprintf(err->message + used, sizeof(err->message) - used,
                 "; without HOST the rows are read from rds.db");
    }
    return status;
}

enum status rows_place_open(struct cli *cli, struct row_source **source, struct error *err)
{
    const struct mysql_account *account;
    *source = NULL;
    enum status status = rows_place_find(cli, &account, err);
    if (status != STATUS_OK || account == NULL) {
        return status;
    }
    cli_watch_signals();
    place_tell(cli, account);
    return place_advise(row_source_mysql_open(account, source, err), err);
}

/* --- a copy ---------------------------------------------------------------------------------- */

static void copy_remove(const char *dir)
{
    static const char *const names[] = {"rds.db", "rds.lock"};
    char path[copy_dir_bytes_max + 16];
    for (size_t i = 0; i < ARRAY_COUNT(names); i++) {
        snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
        (void)unlink(path);
    }
    (void)rmdir(dir);
}

static enum status copy_directory_make(const struct cli *cli, char dir[copy_dir_bytes_max],
                                       struct error *err)
{
    enum status status = file_make_directory(cli_data_dir(cli), err);
    int used = snprintf(dir, copy_dir_bytes_max, "%s/rows.XXXXXX", cli_data_dir(cli));
    if (status == STATUS_OK && (used < 0 || used >= copy_dir_bytes_max)) {
        status = error_set(err, STATUS_CONFIG, "data directory: the path is too long");
    }
    if (status == STATUS_OK && mkdtemp(dir) == NULL) {
        status = error_set_errno(err, errno, "%s", dir);
    }
    return status;
}

enum status rows_place_open_copy(struct cli *cli, const struct progress *progress,
                                 struct row_source **source, struct error *err)
{
    const struct mysql_account *account;
    struct rds_import_result results[TABLE_COUNT];
    char dir[copy_dir_bytes_max];
    *source = NULL;
    enum status status = rows_place_find(cli, &account, err);
    if (status != STATUS_OK || account == NULL) {
        return status;
    }
    place_tell(cli, account);
    status = copy_directory_make(cli, dir, err);
    if (status != STATUS_OK) {
        return status;
    }
    const struct rds_copy_options options = {
        .data_dir = dir, .account = account, .progress = progress};
    status = place_advise(rds_copy(&options, results, err), err);
    if (status == STATUS_OK) {
        status = row_source_sqlite_open(dir, &cli->env, source, err);
    }
    copy_remove(dir);
    return status;
}

void rows_place_close(struct row_source *source)
{
    if (source != NULL) {
        source->ops->free(source);
    }
}
