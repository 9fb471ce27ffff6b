/* Topics and their partitions: a table in memory, sorted by name, that mirrors the file.
 *
 * Deleting marks the topic; readers lose sight of it at once, and its rows go slice by slice behind
 * the turns, so that no request waits for a million deletions. A topic created again under the name
 * is another one, with offsets from 0. */
#include "store_internal.h"

#include "array.h"
#include "search.h"

#include <stdlib.h>
#include <string.h>

bool store_topic_name_is_legal(struct span name)
{
    if (name.len == 0 || name.len > STORE_TOPIC_NAME_MAX || span_equal_cstr(name, ".") ||
        span_equal_cstr(name, "..")) {
        return false;
    }
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              c == '.' || c == '_' || c == '-')) {
            return false;
        }
    }
    return true;
}

/* --- the table in memory --- */

static int table_order(const void *item, const void *key)
{
    const struct topic_entry *entry = *(struct topic_entry *const *)item;
    return span_compare(entry->topic.name, *(const struct span *)key);
}

/* The place where the name is, or where it belongs. */
static size_t table_place(const struct store *store, struct span name, bool *found)
{
    return SEARCH_PLACE(store->topics, store->topic_count, &name, table_order, found);
}

static bool table_reserve(struct store *store)
{
    return ARRAY_RESERVE(store->topics, store->topic_cap, store->topic_count + 1, ARRAY_NO_MAX) ==
           STATUS_OK;
}

static void topic_table_insert(struct store *store, struct topic_entry *entry)
{
    bool found;
    size_t place = table_place(store, entry->topic.name, &found);
    /* Undoing a deletion finds the room that the deletion left. */
    PP_ASSERT(!found && store->topic_count < store->topic_cap);
    PP_ASSERT(place == 0 ||
              span_compare(store->topics[place - 1]->topic.name, entry->topic.name) < 0);
    ARRAY_OPEN(store->topics, store->topic_count, place);
    store->topics[place] = entry;
    store->topic_count++;
}

static void topic_table_remove(struct store *store, struct topic_entry *entry)
{
    bool found;
    size_t place = table_place(store, entry->topic.name, &found);
    PP_ASSERT(found && store->topics[place] == entry);
    ARRAY_CLOSE(store->topics, store->topic_count, place);
    store->topic_count--;
}

static void topic_entry_free(struct topic_entry *entry)
{
    if (entry != NULL) {
        free(entry->topic.partitions);
        free(entry->states);
        free((void *)(uintptr_t)entry->topic.name.ptr);
        free(entry);
    }
}

/* NULL: out of memory. */
static struct topic_entry *entry_new(int64_t id, struct span name, int32_t partition_count)
{
    PP_ASSERT(partition_count > 0 && partition_count <= STORE_PARTITIONS_MAX);
    PP_ASSERT(name.len > 0 && name.len <= STORE_TOPIC_NAME_MAX);
    struct topic_entry *entry = calloc(1, sizeof(*entry));
    char *name_copy = malloc(name.len + 1);
    if (entry == NULL || name_copy == NULL) {
        free(entry);
        free(name_copy);
        return NULL;
    }
    memcpy(name_copy, name.ptr, name.len);
    name_copy[name.len] = '\0';
    entry->topic.id = id;
    entry->topic.name = span_from(name_copy, name.len);
    entry->topic.partition_count = partition_count;
    entry->topic.partitions = calloc((size_t)partition_count, sizeof(struct store_partition));
    entry->states = calloc((size_t)partition_count, sizeof(struct partition_state));
    if (entry->topic.partitions == NULL || entry->states == NULL) {
        topic_entry_free(entry);
        return NULL;
    }
    return entry;
}

void store_topics_release(struct store *store)
{
    for (size_t i = 0; i < store->topic_count; i++) {
        topic_entry_free(store->topics[i]);
    }
    free(store->topics);
    store->topics = NULL;
    store->topic_count = 0;
    store->topic_cap = 0;
}

const struct store_topic *store_topic_find(struct store *store, struct span name)
{
    bool found;
    size_t place = table_place(store, name, &found);
    return found ? &store->topics[place]->topic : NULL;
}

size_t store_topic_count(const struct store *store)
{
    return store->topic_count;
}

const struct store_topic *store_topic_at(const struct store *store, size_t index)
{
    PP_ASSERT(index < store->topic_count);
    return &store->topics[index]->topic;
}

/* --- loading --- */

static enum status topic_damaged(struct store *store, struct span name, const char *what,
                                 struct error *err)
{
    return error_set(err, STATUS_CORRUPT, "%s: topic %.*s: %s", store->db.path, SPAN_ARG(name),
                     what);
}

struct partition_row {
    int64_t tp;
    bool time_ordered;
};

/* Read into a growing array first: how many there are is known only at the end. */
struct partition_rows {
    struct partition_row *items;
    size_t count;
    size_t cap;
};

static enum status partition_rows_add(struct store *store, sqlite3_stmt *stmt, struct span name,
                                      struct partition_rows *rows, struct error *err)
{
    if (sqlite3_column_int64(stmt, 1) != (int64_t)rows->count ||
        rows->count == STORE_PARTITIONS_MAX) {
        return topic_damaged(store, name, "its partitions are not numbered 0, 1, 2", err);
    }
    if (ARRAY_RESERVE(rows->items, rows->cap, rows->count + 1, ARRAY_NO_MAX) != STATUS_OK) {
        return error_set(err, STATUS_NO_MEMORY, "out of memory");
    }
    rows->items[rows->count++] = (struct partition_row){
        .tp = sqlite3_column_int64(stmt, 0), .time_ordered = sqlite3_column_int(stmt, 2) != 0};
    return STATUS_OK;
}

static enum status partition_rows_read(struct store *store, int64_t topic_id, struct span name,
                                       struct partition_rows *rows, struct error *err)
{
    sqlite3_stmt *stmt = sqlite_db_statement(&store->db, STMT_PARTITION_LIST);
    if (stmt == NULL) {
        return store_read_failed(store, "list the partitions", err);
    }
    sqlite3_bind_int64(stmt, 1, topic_id);
    enum status status = STATUS_OK;
    int step = SQLITE_DONE;
    while (status == STATUS_OK && (step = sqlite3_step(stmt)) == SQLITE_ROW) {
        status = partition_rows_add(store, stmt, name, rows, err);
    }
    if (status == STATUS_OK && step != SQLITE_DONE) {
        status = store_read_failed(store, "list the partitions", err);
    }
    sqlite3_reset(stmt);
    if (status == STATUS_OK && rows->count == 0) {
        status = topic_damaged(store, name, "it has no partitions", err);
    }
    return status;
}

/* A row as no pinpipe writes it: memory is not built on it. */
static enum status check_topic_row(struct store *store, int64_t id, struct span name,
                                   struct error *err)
{
    if (!store_topic_name_is_legal(name)) {
        return topic_damaged(store, name, "its name is impossible", err);
    }
    if (id <= 0) {
        return topic_damaged(store, name, "its id is impossible", err);
    }
    if (store_topic_find(store, name) != NULL) {
        return topic_damaged(store, name, "it is there twice", err);
    }
    return STATUS_OK;
}

static enum status load_topic(struct store *store, int64_t id, struct span name, struct error *err)
{
    struct partition_rows rows = {0};
    struct topic_entry *entry = NULL;
    enum status status = check_topic_row(store, id, name, err);
    if (status == STATUS_OK) {
        status = partition_rows_read(store, id, name, &rows, err);
    }
    if (status == STATUS_OK) {
        entry = entry_new(id, name, (int32_t)rows.count);
        if (entry == NULL || !table_reserve(store)) {
            topic_entry_free(entry);
            entry = NULL;
            status = error_set(err, STATUS_NO_MEMORY, "out of memory");
        }
    }
    for (size_t i = 0; status == STATUS_OK && i < rows.count; i++) {
        entry->topic.partitions[i].tp = rows.items[i].tp;
        entry->states[i].time_ordered = rows.items[i].time_ordered;
        status = store_partition_load(store, &entry->topic.partitions[i], &entry->states[i], err);
    }
    if (status == STATUS_OK) {
        /* The list comes in name order, so this is an append. */
        topic_table_insert(store, entry);
    } else {
        topic_entry_free(entry);
    }
    free(rows.items);
    return status;
}

/* Half of all numbers is left to count up. */
static enum status load_next_id(struct store *store, enum store_statement statement, int64_t *next,
                                struct error *err)
{
    enum status status = store_query(store, statement, next, err);
    if (status == STATUS_OK && (*next <= 0 || *next > INT64_MAX / 2)) {
        status = error_set(err, STATUS_CORRUPT, "%s: an id is impossible", store->db.path);
    }
    return status;
}

enum status store_topics_load(struct store *store, struct error *err)
{
    PP_ASSERT(store->topic_count == 0 && store->turn == STORE_TURN_IDLE);
    enum status status = load_next_id(store, STMT_TOPIC_NEXT_ID, &store->next_topic_id, err);
    if (status == STATUS_OK) {
        status = load_next_id(store, STMT_PARTITION_NEXT_TP, &store->next_tp, err);
    }
    sqlite3_stmt *stmt =
        status == STATUS_OK ? sqlite_db_statement(&store->db, STMT_TOPIC_LIST) : NULL;
    int step = SQLITE_DONE;
    if (status == STATUS_OK && stmt == NULL) {
        status = store_read_failed(store, "list the topics", err);
    }
    while (status == STATUS_OK && (step = sqlite3_step(stmt)) == SQLITE_ROW) {
        status = load_topic(store, sqlite3_column_int64(stmt, 0), sqlite_column_span(stmt, 1), err);
    }
    if (status == STATUS_OK && step != SQLITE_DONE) {
        status = store_read_failed(store, "list the topics", err);
    }
    sqlite3_reset(stmt);
    return status;
}

/* --- creating and deleting --- */

static bool insert_topic(struct store *store, const struct topic_entry *entry)
{
    sqlite3_stmt *stmt = sqlite_db_statement(&store->db, STMT_TOPIC_INSERT);
    if (stmt == NULL) {
        return false;
    }
    sqlite3_bind_int64(stmt, 1, entry->topic.id);
    sqlite_bind_span_text(stmt, 2, entry->topic.name);
    sqlite3_bind_int64(stmt, 3, store->env->wall_us(store->env) / 1000);
    return store_step_done(stmt);
}

static bool insert_partitions(struct store *store, const struct topic_entry *entry)
{
    for (int32_t i = 0; i < entry->topic.partition_count; i++) {
        sqlite3_stmt *stmt = sqlite_db_statement(&store->db, STMT_PARTITION_INSERT);
        if (stmt == NULL) {
            return false;
        }
        sqlite3_bind_int64(stmt, 1, entry->topic.partitions[i].tp);
        sqlite3_bind_int64(stmt, 2, entry->topic.id);
        sqlite3_bind_int(stmt, 3, i);
        if (!store_step_done(stmt)) {
            return false;
        }
    }
    return true;
}

static bool insert_configs(struct store *store, const struct topic_entry *entry,
                           const struct store_topic_spec *spec)
{
    for (size_t i = 0; i < spec->config_count; i++) {
        sqlite3_stmt *stmt = sqlite_db_statement(&store->db, STMT_CONFIG_INSERT);
        if (stmt == NULL) {
            return false;
        }
        sqlite3_bind_int64(stmt, 1, entry->topic.id);
        sqlite_bind_span_text(stmt, 2, span_from_cstr(spec->configs[i].name));
        sqlite_bind_span_text(stmt, 3, span_from_cstr(spec->configs[i].value));
        if (!store_step_done(stmt)) {
            return false;
        }
    }
    return true;
}

static int64_t partitions_in_all(const struct store *store)
{
    int64_t total = 0;
    for (size_t i = 0; i < store_topic_count(store); i++) {
        total += store_topic_at(store, i)->partition_count;
    }
    return total;
}

static enum status check_new_topic(struct store *store, struct span name, int32_t partition_count,
                                   struct error *err)
{
    if (!store_topic_name_is_legal(name)) {
        return error_set(err, STATUS_INVALID,
                         "topic name \"%.*s\" is not 1 to %d of [a-zA-Z0-9._-], nor \".\" or "
                         "\"..\"",
                         SPAN_ARG(span_first(name, STORE_TOPIC_NAME_MAX)), STORE_TOPIC_NAME_MAX);
    }
    if (partition_count < 1 || partition_count > STORE_PARTITIONS_MAX) {
        return error_set(err, STATUS_INVALID, "a topic has 1 to %d partitions, not %d",
                         STORE_PARTITIONS_MAX, (int)partition_count);
    }
    if (store_topic_find(store, name) != NULL) {
        return error_set(err, STATUS_EXISTS, "Topic '%.*s' already exists.", SPAN_ARG(name));
    }
    if (store_topic_count(store) >= STORE_TOPICS_MAX) {
        return error_set(err, STATUS_INVALID, "there are at most %d topics here: delete some first",
                         STORE_TOPICS_MAX);
    }
    if (partitions_in_all(store) + partition_count > STORE_PARTITIONS_TOTAL_MAX) {
        return error_set(err, STATUS_INVALID,
                         "all topics together have at most %d partitions here: delete some first",
                         STORE_PARTITIONS_TOTAL_MAX);
    }
    return STATUS_OK;
}

static struct topic_entry *entry_for_new_topic(struct store *store, struct span name,
                                               int32_t partition_count)
{
    PP_ASSERT(store->turn == STORE_TURN_WRITING && store->next_topic_id > 0 && store->next_tp > 0);
    struct topic_entry *entry = entry_new(store->next_topic_id, name, partition_count);
    if (entry == NULL || !table_reserve(store)) {
        topic_entry_free(entry);
        return NULL;
    }
    store->next_topic_id++;
    for (int32_t i = 0; i < partition_count; i++) {
        entry->topic.partitions[i].tp = store->next_tp++;
        entry->states[i].last_timestamp_ms = INT64_MIN;
        entry->states[i].time_ordered = true;
    }
    return entry;
}

static void create_back(void *owner, const void *payload)
{
    struct store *const *store = payload;
    topic_table_remove(*store, owner);
    topic_entry_free(owner);
}

static const struct undo_ops create_undo = {.back = create_back};

enum status store_topic_create(struct store *store, const struct store_topic_spec *spec,
                               struct error *err)
{
    enum status status = check_new_topic(store, spec->name, spec->partition_count, err);
    if (status == STATUS_OK) {
        status = store_write_begin(store, err);
    }
    if (status == STATUS_OK) {
        status = store_undo_reserve(store, err);
    }
    if (status != STATUS_OK) {
        return status;
    }
    struct topic_entry *entry = entry_for_new_topic(store, spec->name, spec->partition_count);
    if (entry == NULL) {
        return error_set(err, STATUS_NO_MEMORY, "out of memory");
    }
    /* No savepoint: a statement that fails here costs the whole turn. */
    if (!insert_topic(store, entry) || !insert_partitions(store, entry) ||
        !insert_configs(store, entry, spec)) {
        topic_entry_free(entry);
        return store_write_failed(store, "create a topic", err);
    }
    topic_table_insert(store, entry);
    undo_push(&store->undo, &create_undo, entry, &store, sizeof(store));
    return STATUS_OK;
}

enum status store_topics_ensure(struct store *store, struct error *err)
{
    PP_ASSERT(store->initial != NULL); /* only while the store opens */
    for (size_t i = 0; i < store->initial->topic_count; i++) {
        struct span name = span_from_cstr(store->initial->topics[i]);
        if (store_topic_find(store, name) != NULL) {
            continue;
        }
        enum status status = store_topic_create(
            store, &(struct store_topic_spec){.name = name, .partition_count = 1}, err);
        if (status != STATUS_OK) {
            return status;
        }
    }
    return STATUS_OK;
}

static bool mark_deleted(struct store *store, const struct topic_entry *entry)
{
    sqlite3_stmt *stmt = sqlite_db_statement(&store->db, STMT_TOPIC_MARK_DELETED);
    if (stmt == NULL) {
        return false;
    }
    sqlite3_bind_int64(stmt, 1, entry->topic.id);
    return store_step_done(stmt);
}

/* As Kafka's group coordinator does when partitions go. */
static bool forget_commits(struct store *store, const struct topic_entry *entry)
{
    sqlite3_stmt *stmt = sqlite_db_statement(&store->db, STMT_GROUP_FORGET_TOPIC);
    if (stmt == NULL) {
        return false;
    }
    sqlite_bind_span_text(stmt, 1, entry->topic.name);
    return store_step_done(stmt);
}

static void delete_back(void *owner, const void *payload)
{
    struct store *const *store = payload;
    topic_table_insert(*store, owner);
}

static void delete_kept(void *owner, const void *payload)
{
    (void)payload;
    topic_entry_free(owner);
}

static const struct undo_ops delete_undo = {.back = delete_back, .kept = delete_kept};

enum status store_topic_delete(struct store *store, struct span name, struct error *err)
{
    bool found;
    size_t place = table_place(store, name, &found);
    if (!found) {
        return error_set(err, STATUS_NOT_FOUND, "there is no topic %.*s", SPAN_ARG(name));
    }
    struct topic_entry *entry = store->topics[place];
    enum status status = store_write_begin(store, err);
    if (status == STATUS_OK) {
        status = store_undo_reserve(store, err);
    }
    if (status != STATUS_OK) {
        return status;
    }
    if (!mark_deleted(store, entry) || !forget_commits(store, entry)) {
        return store_write_failed(store, "delete a topic", err);
    }
    topic_table_remove(store, entry);
    undo_push(&store->undo, &delete_undo, entry, &store, sizeof(store));
    store->sweep_pending = true;
    return STATUS_OK;
}

enum status store_topic_configs(struct store *store, const struct store_topic *topic,
                                void (*visit)(void *ctx, struct span name, struct span value),
                                void *ctx, struct error *err)
{
    PP_ASSERT(topic->id > 0);
    sqlite3_stmt *stmt = sqlite_db_statement(&store->db, STMT_CONFIG_LIST);
    if (stmt == NULL) {
        return store_read_failed(store, "list a topic's configuration", err);
    }
    sqlite3_bind_int64(stmt, 1, topic->id);
    enum status status = STATUS_OK;
    int step;
    while ((step = sqlite3_step(stmt)) == SQLITE_ROW) {
        visit(ctx, sqlite_column_span(stmt, 0), sqlite_column_span(stmt, 1));
    }
    if (step != SQLITE_DONE) {
        status = store_read_failed(store, "list a topic's configuration", err);
    }
    sqlite3_reset(stmt);
    return status;
}
