/* `pinpipe data generate|import|export|info`: the three RDS tables in rds.db of the data directory.
 */
#include "cli_progress.h"
#include "commands.h"
#include "generator.h"
#include "json_write.h"
#include "rds_copy.h"
#include "rows_place.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { info_json_bytes_max = 64 * 1024, export_path_bytes_max = 1024 };

/* NULL after a complaint that lists the names. */
static const struct table *table_argument(const struct cli *cli)
{
    const struct table *table = table_find(span_from_cstr(cli->args[0]));
    if (table == NULL) {
        cli_usage(cli,
                  "there is no table \"%s\": say pinterest_data (or pin), geolocation_data (geo) "
                  "or user_data (user)",
                  cli->args[0]);
    }
    return table;
}

/* --- generate -------------------------------------------------------------------------------- */

static int run_generate(struct cli *cli)
{
    struct error err = ERROR_NONE;
    struct cli_progress progress;
    cli_progress_init(&progress, cli);
    struct rds_generate_options options = {
        .data_dir = cli_data_dir(cli),
        .env = &cli->env,
        .rows = cli_count(cli, "rows"),
        .seed = cli_count(cli, "seed"),
        .progress = &progress.progress,
    };
    if (options.rows < 1 || options.rows > GENERATOR_ROWS_MAX) {
        return cli_usage(cli, "--rows %lld: say a number from 1 to %d", (long long)options.rows,
                         GENERATOR_ROWS_MAX);
    }
    enum status status = rds_generate(&options, &err);
    cli_progress_end(&progress);
    if (status != STATUS_OK) {
        return cli_report(cli, &err);
    }
    fprintf(cli->out, "%s/rds.db: %lld rows in each of the three tables (seed %lld)\n",
            options.data_dir, (long long)options.rows, (long long)options.seed);
    return 0;
}

/* --- import ---------------------------------------------------------------------------------- */

static int64_t file_read_chunk(void *ctx, char *into, size_t cap)
{
    FILE *file = ctx;
    size_t got = fread(into, 1, cap, file);
    return got == 0 && ferror(file) ? -1 : (int64_t)got;
}

static void import_tell(const struct cli *cli, const struct table *table,
                        const struct rds_import_result *result)
{
    if (result->rows == 0) {
        fprintf(cli->out, "%s: empty now (the file has no rows)\n", table->name);
        return;
    }
    fprintf(cli->out, "%s: %lld row%s, keys %lld..%lld\n", table->name, (long long)result->rows,
            result->rows == 1 ? "" : "s", (long long)result->key_min, (long long)result->key_max);
    if (!result->dense) {
        fprintf(cli->err,
                "pinpipe data import: note: the keys of %s are not 0..%lld without gaps, as the "
                "real table's are: row number n is then the n-th key in order\n",
                table->name, (long long)result->rows - 1);
    }
}

/* All three tables of the server that creds.yaml names. */
static int run_import_from_creds(struct cli *cli)
{
    const struct mysql_account *account = NULL;
    struct rds_import_result results[TABLE_COUNT];
    struct cli_progress progress;
    struct error err = ERROR_NONE;
    cli_progress_init(&progress, cli);
    enum status status = rows_place_find(cli, &account, &err);
    if (status == STATUS_OK && account == NULL) {
        status = error_set(&err, STATUS_CONFIG,
                           "--from-creds copies the tables of the MySQL server that creds.yaml "
                           "names, and none is named: set creds_path to the file, and HOST in it");
    }
    if (status == STATUS_OK) {
        const struct rds_copy_options options = {
            .data_dir = cli_data_dir(cli), .account = account, .progress = &progress.progress};
        status = rds_copy(&options, results, &err);
    }
    cli_progress_end(&progress);
    if (status != STATUS_OK) {
        return cli_report(cli, &err);
    }
    for (size_t i = 0; i < TABLE_COUNT; i++) {
        import_tell(cli, table_get((enum table_id)i), &results[i]);
    }
    return 0;
}

static int run_import(struct cli *cli)
{
    if (cli_switch(cli, "from-creds")) {
        return cli->arg_count == 0 ? run_import_from_creds(cli)
                                   : cli_usage(cli, "--from-creds copies all three tables: leave "
                                                    "out the table and the file");
    }
    if (cli->arg_count < 2) {
        return cli_usage(cli, "say TABLE FILE.csv, or --from-creds");
    }
    const struct table *table = table_argument(cli);
    const char *path = cli->args[1];
    bool is_stdin = strcmp(path, "-") == 0;
    struct error err = ERROR_NONE;
    if (table == NULL) {
        return status_exit_code(STATUS_USAGE);
    }
    FILE *file = is_stdin ? stdin : fopen(path, "rb");
    if (file == NULL) {
        error_set_errno(&err, errno, "%s", path);
        return cli_report(cli, &err);
    }
    struct cli_progress progress;
    struct rds_import_result result = {0};
    cli_progress_init(&progress, cli);
    struct rds_import_options options = {
        .data_dir = cli_data_dir(cli),
        .env = &cli->env,
        .table = table->id,
        .read = file_read_chunk,
        .read_ctx = file,
        .progress = &progress.progress,
    };
    enum status status = rds_import(&options, &result, &err);
    cli_progress_end(&progress);
    if (!is_stdin) {
        fclose(file);
    }
    if (status != STATUS_OK) {
        /* A fault of the file is told as file: line; a fault elsewhere names its place itself.
         */
        if (status == STATUS_INVALID || status == STATUS_EXISTS || status == STATUS_LIMIT) {
            (void)error_prefix(&err, "%s", is_stdin ? "standard input" : path);
        }
        return cli_report(cli, &err);
    }
    import_tell(cli, table, &result);
    return 0;
}

/* --- export ---------------------------------------------------------------------------------- */

static int data_stream_write(void *ctx, struct span bytes)
{
    return fwrite(bytes.ptr, 1, bytes.len, ctx) == bytes.len ? 0 : -1;
}

static enum status table_write(struct cli *cli, const struct table *table, FILE *file,
                               struct error *err)
{
    struct sqlite_db db;
    struct cli_progress progress;
    enum status status = rds_open(cli_data_dir(cli), &cli->env, &db, err);
    if (status != STATUS_OK) {
        return status;
    }
    cli_progress_init(&progress, cli);
    /* A bar between the rows on one terminal would help nobody. */
    bool silent = file == cli->out && cli->out_is_terminal;
    struct rds_export_options options = {
        .db = &db,
        .table = table->id,
        .write = data_stream_write,
        .write_ctx = file,
        .progress = silent ? NULL : &progress.progress,
    };
    status = rds_export(&options, err);
    cli_progress_end(&progress);
    sqlite_db_close(&db);
    if (status == STATUS_OK && fflush(file) != 0) {
        status = error_set_errno(err, errno, "write");
    }
    return status;
}

/* Beside the target, then renamed: a failed export leaves the file that was there. */
static enum status table_write_file(struct cli *cli, const struct table *table, const char *path,
                                    struct error *err)
{
    char part[export_path_bytes_max];
    int used = snprintf(part, sizeof(part), "%s.part", path);
    if (used < 0 || (size_t)used >= sizeof(part)) {
        return error_set(err, STATUS_USAGE, "%s: the path is longer than %d bytes", path,
                         export_path_bytes_max - 6);
    }
    FILE *file = fopen(part, "wb");
    if (file == NULL) {
        return error_set_errno(err, errno, "%s", part);
    }
    enum status status = table_write(cli, table, file, err);
    if (fclose(file) != 0 && status == STATUS_OK) {
        status = error_set_errno(err, errno, "%s", part);
    }
    if (status == STATUS_OK && rename(part, path) != 0) {
        status = error_set_errno(err, errno, "%s", path);
    }
    if (status != STATUS_OK) {
        (void)unlink(part);
    }
    return status;
}

static int run_export(struct cli *cli)
{
    const struct table *table = table_argument(cli);
    struct error err = ERROR_NONE;
    if (table == NULL) {
        return status_exit_code(STATUS_USAGE);
    }
    bool to_file = cli->arg_count > 1 && strcmp(cli->args[1], "-") != 0;
    enum status status = to_file ? table_write_file(cli, table, cli->args[1], &err)
                                 : table_write(cli, table, cli->out, &err);
    return status == STATUS_OK ? 0 : cli_report(cli, &err);
}

/* --- info ------------------------------------------------------------------------------------ */

static void info_text(const struct cli *cli, const struct rds_table_info *info)
{
    fprintf(cli->out, "%-17s %9s  %-20s %s\n", "table", "rows", "keys", "from");
    for (size_t i = 0; i < TABLE_COUNT; i++) {
        char keys[64] = "-";
        char from[64] = "(empty)";
        if (info[i].rows > 0) {
            snprintf(keys, sizeof(keys), "%lld..%lld%s", (long long)info[i].key_min,
                     (long long)info[i].key_max, info[i].dense ? "" : ", with gaps");
        }
        if (info[i].has_seed) {
            snprintf(from, sizeof(from), "%s, seed %lld", info[i].how, (long long)info[i].seed);
        } else if (info[i].how[0] != '\0') {
            snprintf(from, sizeof(from), "%s", info[i].how);
        }
        fprintf(cli->out, "%-17s %9lld  %-20s %s\n", table_get((enum table_id)i)->name,
                (long long)info[i].rows, keys, from);
    }
}

static void info_table_json(struct json_writer *w, const struct table *table,
                            const struct rds_table_info *info)
{
    json_write_object(w);
    json_member_cstr(w, "table", table->name);
    json_member_cstr(w, "topic_suffix", table->topic_suffix);
    json_member_i64(w, "rows", info->rows);
    if (info->rows > 0) {
        json_member_i64(w, "key_min", info->key_min);
        json_member_i64(w, "key_max", info->key_max);
    } else {
        json_member_null(w, "key_min");
        json_member_null(w, "key_max");
    }
    json_member_bool(w, "dense", info->dense);
    json_member_cstr(w, "from", info->how[0] != '\0' ? info->how : NULL);
    if (info->has_seed) {
        json_member_i64(w, "seed", info->seed);
    } else {
        json_member_null(w, "seed");
    }
    json_write_end(w);
}

static int info_json(const struct cli *cli, const char *path, const struct rds_table_info *info)
{
    struct buf out;
    buf_init(&out, info_json_bytes_max);
    struct json_writer w = json_writer_to(&out);
    json_write_object(&w);
    json_member_cstr(&w, "path", path);
    json_member_array(&w, "tables");
    for (size_t i = 0; i < TABLE_COUNT; i++) {
        info_table_json(&w, table_get((enum table_id)i), &info[i]);
    }
    json_write_end(&w);
    json_write_end(&w);
    int code = cli_put_document(cli, &out);
    buf_release(&out);
    return code;
}

static int run_info(struct cli *cli)
{
    struct rds_table_info info[TABLE_COUNT];
    struct sqlite_db db;
    struct error err = ERROR_NONE;
    enum status status = rds_open(cli_data_dir(cli), &cli->env, &db, &err);
    for (size_t i = 0; status == STATUS_OK && i < TABLE_COUNT; i++) {
        status = rds_table_info(&db, (enum table_id)i, &info[i], &err);
    }
    int code = 0;
    if (status == STATUS_OK && cli_switch(cli, "json")) {
        code = info_json(cli, db.path, info);
    } else if (status == STATUS_OK) {
        info_text(cli, info);
    }
    sqlite_db_close(&db);
    return status == STATUS_OK ? code : cli_report(cli, &err);
}

/* --- the table of subcommands ---------------------------------------------------------------- */

static const struct option_spec generate_options[] = {
    {"rows", OPTION_COUNT, "N", "11154", NULL, "rows in each table, keys 0..N-1"},
    {"seed", OPTION_COUNT, "S", "100", NULL, "the same seed gives the same rows"},
};

static const struct option_spec import_options[] = {
    {"from-creds", OPTION_SWITCH, NULL, NULL, NULL,
     "copy all three tables from the MySQL server that creds.yaml names"},
};

static const struct option_spec info_options[] = {
    {"json", OPTION_SWITCH, NULL, NULL, NULL, "one JSON document"},
};

static const struct command subcommands[] = {
    {
        .name = "generate",
        .summary =
            "Fill the three tables with rows of the real ones' shape; replaces what is there",
        .arguments = "",
        .options = generate_options,
        .option_count = ARRAY_COUNT(generate_options),
        .example = "pinpipe data generate --rows 1000 --seed 7",
        .run = run_generate,
    },
    {
        .name = "import",
        .summary =
            "Replace a table's rows by those of a CSV file (- for standard input), or all three by "
            "a MySQL server's; all or none",
        .arguments = "[TABLE FILE.csv]",
        .options = import_options,
        .option_count = ARRAY_COUNT(import_options),
        .example = "pinpipe data import pinterest_data pins.csv",
        .args_max = 2,
        .run = run_import,
    },
    {
        .name = "export",
        .summary = "Write a table as CSV to standard output or to a file",
        .arguments = "TABLE [FILE.csv]",
        .example = "pinpipe data export user_data > users.csv",
        .args_min = 1,
        .args_max = 2,
        .run = run_export,
    },
    {
        .name = "info",
        .summary = "Rows, keys and origin of each table",
        .arguments = "",
        .options = info_options,
        .option_count = ARRAY_COUNT(info_options),
        .example = "pinpipe data info --json",
        .run = run_info,
    },
};

const struct command cmd_data = {
    .name = "data",
    .summary = "The RDS tables: generate, import, export, look",
    .example = "pinpipe data generate",
    .subcommands = subcommands,
    .subcommand_count = ARRAY_COUNT(subcommands),
};
