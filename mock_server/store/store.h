/* The server's state in one SQLite file: topics, records, committed offsets. The only SQL of the
 * mock (store.c: the turn; store_file.c; store_topics.c, store_records.c, store_groups.c; S3's
 * nouns are in store_objects.h, Connect's in store_connectors.h; the statements in
 * store_statements.def).
 *
 * Invariant: what a function here has written becomes durable only with store_turn_commit, and no
 * reply leaves before that. The first write of a turn opens the transaction by itself; a turn that
 * only read opens none. Topic and offset counters live in memory and are reloaded from the file
 * after a failed commit. */
#ifndef PINPIPE_STORE_H
#define PINPIPE_STORE_H

#include "buf.h"
#include "env.h"
#include "error.h"
#include "log.h"

struct store;
struct undo_log;

enum { STORE_CACHE_KIB = 16 * 1024 }; /* SQLite's, unless the options say less */

enum store_durability { STORE_FULL, STORE_NORMAL, STORE_OFF };

struct store_options {
    const char *directory; /* NULL: in memory, gone at close */
    struct env *env;
    struct log *log;
    enum store_durability durability;
    /* Topics that exist from the start, one partition each; borrowed for the call. A new file is
     * built with them, so that starting syncs nothing; in an older one missing ones are created. */
    const char *const *topics;
    size_t topic_count;
    const char *const *buckets; /* the same for S3; legal names */
    size_t bucket_count;
    const char *region; /* of these buckets */
    int cache_kib;      /* 0: STORE_CACHE_KIB */
};

/* Creates state.db in `directory` when it is not there (under another name, without syncs, then
 * renamed), else checks that it is ours, of a version we know, whole enough to use. CONFIG/CORRUPT
 * messages name the path, the cause and the fix. */
enum status store_open(const struct store_options *options, struct store **out,
                       struct error *err) PP_MUST_USE;
/* Checkpoints and closes; a transaction still open is rolled back. */
void store_close(struct store *store);

/* Parts of the file that store_reset makes as they are in a new one; for a store that is opened for
 * that alone (its options name no topics and no buckets) and closed at once. */
enum store_reset {
    STORE_RESET_TOPICS = 1, /* topics, records, all commits */
    STORE_RESET_LAKE = 2,   /* buckets, objects, uploads, connectors with their commits */
};
enum status store_reset(struct store *store, unsigned what, struct error *err) PP_MUST_USE;
/* Takes state.db away, a damaged one too, with all that stands beside it. CONFIG: it is another
 * program's. IO names the file. */
enum status store_remove_files(const char *directory, struct error *err) PP_MUST_USE;

/* 22 characters, made when the file was created; the Kafka cluster id. */
const char *store_cluster_id(const struct store *store);

/* --- the turn (called by turn.c only) --- */
bool store_turn_has_writes(const struct store *store);
/* Records and bytes written in this turn, for the caps. */
size_t store_turn_records(const struct store *store);
/* Ends a turn, also one that only read. OK: everything written since the last commit is kept (in
 * FULL: fsynced). Any other status: none of it is, what was noted in store_undo_log has been taken
 * back. */
enum status store_turn_commit(struct store *store, struct error *err) PP_MUST_USE;
/* Has a sync failed? Then every write is refused until a restart, and `why` (may be NULL) says what
 * is to be believed and done: STOPPED. */
bool store_has_stopped(const struct store *store, struct error *why);
/* After a turn: one bounded slice of background work (rows of deleted topics, bytes of deleted
 * objects). True: more is left. */
bool store_housekeep(struct store *store);
/* How memory is taken back with this store's turns and savepoints (base/undo.h). The store's own
 * notes are among the others', so a way back does not look into the store, and it writes nothing.
 * Valid until store_close. */
struct undo_log *store_undo_log(struct store *store);
/* A savepoint round a handler's several statements; rollback undoes this handler's writes only. */
enum status store_savepoint(struct store *store, struct error *err) PP_MUST_USE;
enum status store_savepoint_release(struct store *store, struct error *err) PP_MUST_USE;
void store_savepoint_rollback(struct store *store);

/* --- topics (store_topics.c) --- */
/* DIFFERS: Kafka has no such numbers of topics and partitions; here they bound the memory that
 * topics take, and how long a request that is about all of them holds the others up. */
enum {
    STORE_TOPICS_MAX = 10000,
    STORE_TOPIC_NAME_MAX = 249,
    STORE_PARTITIONS_MAX = 10000,       /* of one topic */
    STORE_PARTITIONS_TOTAL_MAX = 40000, /* of all together */
};

struct store_partition {
    int64_t tp; /* key in the record table */
    int64_t first_offset;
    int64_t next_offset;
};
/* Borrowed from the store until the topic is deleted or a commit fails. */
struct store_topic {
    int64_t id;
    struct span name;
    int32_t partition_count;
    struct store_partition *partitions;
};
struct store_config_entry {
    const char *name;
    const char *value;
};

/* Kafka's rule: 1..249 of [A-Za-z0-9._-], not "." or "..". */
bool store_topic_name_is_legal(struct span name);
/* NULL when there is none. */
const struct store_topic *store_topic_find(struct store *store, struct span name);
size_t store_topic_count(const struct store *store);
/* In name order, 0 <= index < count. */
const struct store_topic *store_topic_at(const struct store *store, size_t index);
struct store_topic_spec {
    struct span name;
    int32_t partition_count;
    const struct store_config_entry *configs;
    size_t config_count;
};
/* EXISTS, INVALID (name, partition count). */
enum status store_topic_create(struct store *store, const struct store_topic_spec *spec,
                               struct error *err) PP_MUST_USE;
/* NOT_FOUND. The records vanish at once for readers; their rows go slice by slice. */
enum status store_topic_delete(struct store *store, struct span name,
                               struct error *err) PP_MUST_USE;
/* Calls visit for each stored config of the topic, in name order. */
enum status store_topic_configs(struct store *store, const struct store_topic *topic,
                                void (*visit)(void *ctx, struct span name, struct span value),
                                void *ctx, struct error *err) PP_MUST_USE;

/* --- records (store_records.c) --- */
struct store_record {
    int64_t offset;
    int64_t timestamp_ms;
    bool has_key;
    bool has_value;
    struct span key;
    struct span value;
    struct span headers; /* encoded by the caller; empty: none */
};

struct store_place {
    const struct store_topic *topic;
    int32_t partition; /* 0 <= partition < topic->partition_count */
};
struct store_range {
    const struct store_topic *topic;
    int32_t partition;
    int64_t offset; /* the first wanted */
    int64_t limit;  /* records at most */
};

/* Appends at the partition's next offset, which is written to *offset. record->offset is ignored.
 */
enum status store_record_append(struct store *store, struct store_place place,
                                const struct store_record *record, int64_t *offset,
                                struct error *err) PP_MUST_USE;

/* Visits the records of the range in order, until visit returns false, the limit is reached or the
 * log ends. The record's spans are valid during the visit, which may not write nor read. */
typedef bool (*store_record_visit_fn)(void *ctx, const struct store_record *record);
enum status store_records_read(struct store *store, struct store_range range,
                               store_record_visit_fn visit, void *ctx,
                               struct error *err) PP_MUST_USE;
/* Offset of the first record with timestamp >= timestamp_ms; NOT_FOUND when there is none. */
enum status store_offset_for_time(struct store *store, struct store_place place,
                                  int64_t timestamp_ms, int64_t *offset,
                                  struct error *err) PP_MUST_USE;

/* --- record batches as they came (store_batches.c) --- */
enum { STORE_BATCH_BYTES_MAX = 16 * 1024 * 1024 };

struct store_batch {
    int64_t first_offset;
    int64_t last_offset;
    struct span bytes; /* as they came: the offset that a batch begins with is the producer's */
};
struct store_batch_put {
    struct span bytes;
    const struct store_record *records; /* all that are in it, in order */
    size_t count;
};
/* Appends the records as store_record_append does, and keeps the batch's bytes beside them, in the
 * same turn. INVALID (nothing was written): no records, no bytes or too many. Any other failure has
 * taken the turn back. */
enum status store_batch_append(struct store *store, struct store_place place,
                               const struct store_batch_put *put, int64_t *first_offset,
                               struct error *err) PP_MUST_USE;
/* The first kept batch that ends at this offset or behind it, its bytes appended to `bytes`, where
 * out->bytes points. When it begins behind the offset, the records before it came one by one.
 * NOT_FOUND: so did all from the offset on. LIMIT: bytes is at its ceiling. */
enum status store_batch_find(struct store *store, struct store_place place, int64_t offset,
                             struct store_batch *out, struct buf *bytes,
                             struct error *err) PP_MUST_USE;

/* --- consumer groups (store_groups.c): what Kafka keeps in __consumer_offsets --- */
struct store_commit {
    struct span topic; /* by name: Kafka keeps commits of topics it does not know */
    int32_t partition;
    int64_t offset;
    struct span metadata;
};
enum status store_group_commit(struct store *store, struct span group,
                               const struct store_commit *commit, struct error *err) PP_MUST_USE;
struct store_group_place {
    struct span group;
    struct span topic;
    int32_t partition;
};
/* NOT_FOUND when there is no commit. metadata (may be NULL) is appended to. */
enum status store_group_committed(struct store *store, struct store_group_place place,
                                  int64_t *offset, struct buf *metadata,
                                  struct error *err) PP_MUST_USE;
/* Every committed partition of one group (or of all: group.len == 0), ordered. */
enum status store_group_visit(struct store *store, struct span group,
                              void (*visit)(void *ctx, struct span group,
                                            const struct store_commit *commit),
                              void *ctx, struct error *err) PP_MUST_USE;
/* The group's commits in order, from the place on, until visit returns false; it may not write nor
 * read. */
enum status store_group_visit_from(struct store *store, struct store_group_place place,
                                   bool (*visit)(void *ctx, const struct store_commit *commit),
                                   void *ctx, struct error *err) PP_MUST_USE;

#endif
