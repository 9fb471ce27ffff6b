/* The order of things decides what may be concluded while an emulator is still posting: first the
 * end offsets, then a snapshot of the ledger. Intents are committed before their requests leave, so
 * every record below the ends has a row in the snapshot; a post beyond the end is not judged if it
 * is also beyond all that the ledger knew as acknowledged before that end was taken (no clock is
 * asked: clocks are set back). The snapshot is one read transaction for all cursors: SQLite keeps
 * it as long as one statement of the connection is open, which is what `holder` is for. */
#include "verifier.h"

#include "verifier_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- what is there to read ------------------------------------------------------------------- */

static enum status check_cluster(struct verifier *v, struct error *err)
{
    struct verdict *verdict = v->verdict;
    enum status status = v->reader->ops->cluster_id(v->reader, verdict->cluster_id,
                                                    sizeof(verdict->cluster_id), err);
    if (status == STATUS_NOT_FOUND) { /* a proxy without v3: nothing to compare */
        verdict->cluster_id[0] = '\0';
        return STATUS_OK;
    }
    return status == STATUS_OK ? ledger_check_cluster(v->ledger, verdict->cluster_id, err) : status;
}

static enum status ask_topic(struct verifier *v, struct verifier_topic *topic, struct error *err)
{
    struct topic_reader *reader = v->reader;
    int32_t partitions = 0;
    enum status status = reader->ops->partitions(reader, topic->name, &partitions, err);
    if (status == STATUS_NOT_FOUND) { /* then all that was acknowledged for it is missing */
        topic->asked = true;
        return STATUS_OK;
    }
    if (status != STATUS_OK) {
        return status;
    }
    if (partitions > VERIFIER_PARTITIONS_MAX) {
        return error_set(err, STATUS_LIMIT, "topic %s has %d partitions; verify reads up to %d",
                         topic->name, (int)partitions, VERIFIER_PARTITIONS_MAX);
    }
    topic->ranges = calloc((size_t)partitions + 1, sizeof(*topic->ranges));
    topic->acked_ends = calloc((size_t)partitions + 1, sizeof(*topic->acked_ends));
    topic->since = calloc((size_t)partitions + 1, sizeof(*topic->since));
    if (topic->ranges == NULL || topic->since == NULL || topic->acked_ends == NULL) {
        return error_set(err, STATUS_NO_MEMORY, "no memory for the partitions of %s", topic->name);
    }
    for (int32_t p = 0; status == STATUS_OK && p < partitions; p++) {
        status =
            ledger_acked_end(v->ledger, span_from_cstr(topic->name), p, &topic->acked_ends[p], err);
        if (status == STATUS_OK) {
            status = reader->ops->range(reader, topic->name, p, &topic->ranges[p], err);
        }
        if (status == STATUS_OK && v->options->since_ms > 0) {
            status = reader->ops->since(reader, topic->name, p, v->options->since_ms,
                                        &topic->ranges[p], err);
            topic->since[p] = topic->ranges[p].begin;
        }
        v->total += (uint64_t)(topic->ranges[p].end - topic->ranges[p].begin);
    }
    topic->partitions = partitions;
    topic->asked = true;
    return status;
}

static enum status ask_topics(struct verifier *v, struct error *err)
{
    enum status status = STATUS_OK;
    for (int i = 0; status == STATUS_OK && i < v->topic_count; i++) {
        if (!v->topics[i].asked) {
            status = ask_topic(v, &v->topics[i], err);
        }
    }
    return status;
}

static enum status name_own_topics(struct verifier *v, struct error *err)
{
    char name[VERIFIER_TOPIC_NAME_BYTES];
    for (size_t t = 0; t < TABLE_COUNT; t++) {
        int used = snprintf(name, sizeof(name), "%s.%s", v->options->endpoints.user_id,
                            table_get((enum table_id)t)->topic_suffix);
        if (used < 0 || (size_t)used >= sizeof(name)) {
            return error_set(err, STATUS_CONFIG, "iam_username is too long for a topic's name");
        }
        if (verifier_topic_position(v, span_from_cstr(name), err) < 0) {
            return err->code;
        }
    }
    return STATUS_OK;
}

/* --- the passes ------------------------------------------------------------------------------ */

static enum status hold_snapshot(struct verifier *v, struct ledger_cursor **holder,
                                 struct error *err)
{
    struct ledger_post post;
    bool more = false;
    enum status status = ledger_cursor_open(v->ledger, LEDGER_BY_ID, holder, err);
    if (status == STATUS_OK) {
        status = ledger_cursor_next(*holder, &post, &more, err);
    }
    if (status == STATUS_OK && !more && v->options->strict) {
        status = error_set(err, STATUS_CONFIG,
                           "the ledger in %s holds no posts: run `pinpipe emulate batch` first",
                           v->options->data_dir);
    }
    return status;
}

/* Topics that only the ledger knows get their end offsets after the first scan; their posts are
 * then looked at again. */
static enum status scan_until_complete(struct verifier *v, struct error *err)
{
    int asked = 0;
    enum status status = STATUS_OK;
    while (status == STATUS_OK && asked < v->topic_count) {
        asked = v->topic_count;
        status = ask_topics(v, err);
        if (status == STATUS_OK) {
            status = verifier_scan_posts(v, err);
        }
    }
    return status;
}

static enum status match_topics(struct verifier *v, struct error *err)
{
    enum status status = STATUS_OK;
    for (int i = 0; status == STATUS_OK && i < v->topic_count; i++) {
        v->verdict->topics += v->topics[i].partitions > 0 ? 1 : 0;
        for (int32_t p = 0; status == STATUS_OK && p < v->topics[i].partitions; p++) {
            status = verifier_match_partition(v, i, p, err);
        }
    }
    return status;
}

/* Neither posts nor records: PASS would be a joke. */
static enum status check_something_there(const struct verifier *v, struct error *err)
{
    const char *id = v->options->endpoints.user_id;
    if (v->verdict->posts > 0 || v->verdict->records > 0) {
        return STATUS_OK;
    }
    if (v->options->since_ms > 0) {
        return error_set(err, STATUS_CONFIG,
                         "nothing to judge: no record of %s is younger than --since", id);
    }
    if (v->foreign[0] != '\0') {
        return error_set(err, STATUS_CONFIG,
                         "nothing to judge: the topics of %s hold no records, and the ledger has "
                         "posts of another user only (%s): --iam-username says whose verdict it is",
                         id, v->foreign);
    }
    return error_set(err, STATUS_CONFIG,
                     "nothing to judge: %s, %s and %s hold no records yet: run your script (its "
                     "user id is --iam-username) or `pinpipe emulate batch`",
                     v->topic_names[TABLE_PIN], v->topic_names[TABLE_GEO],
                     v->topic_names[TABLE_USER]);
}

static enum status verifier_judge(struct verifier *v, struct error *err)
{
    enum status status = notes_classify(&v->notes, err);
    if (status == STATUS_OK) {
        status = verifier_find_copies(v, err);
    }
    return status == STATUS_OK ? notes_conclude(&v->notes, v->topic_names, v->verdict, err)
                               : status;
}

/* --- the lake -------------------------------------------------------------------------------- */

/* Finds the column that an altered line differs in. */
static void field_of_line(void *ctx, const struct lake_alteration *alteration, char *out,
                          size_t out_bytes)
{
    struct verifier *v = ctx;
    struct error ignored;
    struct hash128 hash;
    struct content_answer answer;
    if (alteration->run < 0) {
        struct content_identity identity;
        if (content_identify(&v->content, alteration->line, &identity, &ignored) == STATUS_OK) {
            verdict_set_text(out, out_bytes, span_from_cstr(identity.field));
        }
        return;
    }
    const struct verifier_run_info *info = verifier_run_find(v, alteration->run, &ignored);
    if (info == NULL) {
        return;
    }
    const struct content_row row = {alteration->table, alteration->row, info->style};
    if (content_compare(&v->content, row, alteration->line, &hash, &answer, &ignored) ==
            STATUS_OK &&
        !answer.same) {
        verdict_set_text(out, out_bytes, span_from_cstr(answer.field));
    }
}

static enum status end_by_now(void *ctx, int topic, int32_t partition, int64_t *end,
                              struct error *err)
{
    struct verifier *v = ctx;
    struct topic_range range;
    enum status status =
        v->reader->ops->range(v->reader, v->topics[topic].name, partition, &range, err);
    if (status == STATUS_OK) {
        *end = range.end;
    }
    return status;
}

static void ask_cause(struct verifier *v, int64_t *flush_sizes, struct lake_cause *cause)
{
    struct connect_client *connect = v->options->connect;
    struct connect_census census;
    struct error err;
    *cause = (struct lake_cause){.flush_sizes = flush_sizes};
    if (connect == NULL) {
        return;
    }
    if (connect_client_census(connect, &census, &err) != STATUS_OK ||
        connect_client_flush_sizes(connect, v->topic_names, flush_sizes, &err) != STATUS_OK) {
        snprintf(cause->text, sizeof(cause->text), "the Connect API does not answer");
        return;
    }
    if (census.failed[0] != '\0') {
        snprintf(cause->text, sizeof(cause->text), "connector failed: %.*s",
                 (int)sizeof(cause->text) - 32, census.failed);
    } else if (census.connectors == 0) {
        snprintf(cause->text, sizeof(cause->text),
                 "no connector is running: pinpipe connect create");
    } else if (census.running == 0) {
        snprintf(cause->text, sizeof(cause->text),
                 "no connector is running: pinpipe connect status");
    }
}

static enum status match_lake(struct verifier *v, struct error *err)
{
    const struct topic_range *ranges[VERIFIER_TOPICS_MAX];
    int32_t partitions[VERIFIER_TOPICS_MAX];
    int64_t flush_sizes[VERIFIER_TOPICS_MAX];
    struct lake_cause cause;
    for (int i = 0; i < v->topic_count; i++) {
        flush_sizes[i] = 1;
        ranges[i] = v->topics[i].ranges;
        partitions[i] = v->topics[i].partitions;
    }
    v->lake->topic_names = v->topic_names;
    v->lake->topic_count = v->topic_count;
    v->lake->ranges = ranges;
    v->lake->partitions = partitions;
    v->lake->field_of = field_of_line;
    v->lake->end_of = end_by_now;
    v->lake->ctx = v;
    v->lake->progress = v->options->progress;
    enum status status = lake_read(v->lake, v->options->lake, err);
    if (status == STATUS_OK) {
        ask_cause(v, flush_sizes, &cause);
        status = lake_conclude(v->lake, v->options->lake->bucket, &cause, v->verdict, err);
    }
    return status;
}

static enum status verifier_run_passes(struct verifier *v, struct error *err)
{
    struct ledger_cursor *holder = NULL;
    enum status status = check_cluster(v, err);
    if (status == STATUS_OK) {
        status = name_own_topics(v, err);
    }
    if (status == STATUS_OK) {
        status = ask_topics(v, err);
    }
    if (status == STATUS_OK) {
        status = hold_snapshot(v, &holder, err);
    }
    if (status == STATUS_OK) {
        status = scan_until_complete(v, err);
    }
    if (status == STATUS_OK) {
        status = match_topics(v, err);
    }
    if (status == STATUS_OK) {
        status = check_something_there(v, err);
    }
    if (status == STATUS_OK) {
        v->verdict->without_ledger = v->verdict->posts == 0;
        v->notes.without_posts = v->verdict->without_ledger;
        status = verifier_judge(v, err);
    }
    if (status == STATUS_OK && v->lake != NULL) {
        status = match_lake(v, err);
    }
    ledger_cursor_close(holder);
    return status;
}

/* --- life ------------------------------------------------------------------------------------ */

/* Without tables (strict: or a ledger) there is nothing to verify against: the user's setup,
 * exit 4. */
static enum status as_config(enum status status, struct error *err)
{
    if (status == STATUS_NOT_FOUND) {
        err->code = STATUS_CONFIG;
        return STATUS_CONFIG;
    }
    return status;
}

static enum status open_all(struct verifier *v, struct row_source **rows, struct error *err)
{
    const struct verifier_options *options = v->options;
    struct env *env = options->env;
    enum status status = ledger_open_read_only(options->data_dir, env, &v->ledger, err);
    if (status == STATUS_NOT_FOUND && !options->strict) { /* the tables alone */
        status = ledger_open(":memory:", env, &v->ledger, err);
    }
    status = as_config(status, err);
    *rows = options->rows;
    if (status == STATUS_OK && *rows == NULL) {
        status = as_config(row_source_sqlite_open(options->data_dir, env, rows, err), err);
    }
    if (status == STATUS_OK && (*rows)->ops->hold != NULL) {
        (*rows)->ops->hold(*rows, true); /* rds.db is only ever replaced, never changed in place */
    }
    if (status == STATUS_OK) {
        status = content_init(&v->content, *rows, err);
    }
    v->reader = options->reader;
    if (status == STATUS_OK && v->reader == NULL) {
        status =
            topic_reader_rest_new(env, &options->endpoints, options->progress, &v->reader, err);
    }
    return status;
}

static enum status open_lake(struct verifier *v, struct error *err)
{
    v->lake = calloc(1, sizeof(*v->lake));
    return v->lake != NULL ? lake_open(v->lake, v->options->env, err)
                           : error_set(err, STATUS_NO_MEMORY, "no memory to verify");
}

static void verifier_release(struct verifier *v, struct row_source *rows)
{
    if (v->reader != NULL && v->options->reader == NULL) {
        v->reader->ops->free(v->reader);
    }
    for (int i = 0; i < v->topic_count; i++) {
        free(v->topics[i].ranges);
        free(v->topics[i].acked_ends);
        free(v->topics[i].since);
    }
    for (size_t t = 0; t < TABLE_COUNT; t++) {
        free(v->seen[t].runs);
    }
    free(v->runs);
    notes_close(&v->notes);
    if (v->lake != NULL) {
        lake_close(v->lake);
        free(v->lake);
    }
    content_release(&v->content);
    if (rows != NULL && rows->ops->hold != NULL) {
        rows->ops->hold(rows, false);
    }
    if (rows != NULL && v->options->rows == NULL) {
        rows->ops->free(rows);
    }
    ledger_close(v->ledger);
    free(v);
}

enum status verifier_run(const struct verifier_options *options, struct verdict *verdict,
                         struct error *err)
{
    struct row_source *rows = NULL;
    struct env *env = options->env;
    int64_t started_us = env->monotonic_us(env);
    struct verifier *v = calloc(1, sizeof(*v));
    verdict_init(verdict);
    if (v == NULL) {
        return error_set(err, STATUS_NO_MEMORY, "no memory to verify");
    }
    v->options = options;
    v->verdict = verdict;
    enum status status = open_all(v, &rows, err);
    if (status == STATUS_OK && options->lake != NULL) {
        status = open_lake(v, err);
    }
    if (status == STATUS_OK) {
        status = verifier_run_passes(v, err);
    }
    verifier_release(v, rows);
    verdict->since_ms = options->since_ms;
    verdict->through = options->lake != NULL ? VERDICT_STAGE_S3 : VERDICT_STAGE_TOPICS;
    verdict->elapsed_ms = (env->monotonic_us(env) - started_us) / 1000;
    return status;
}
