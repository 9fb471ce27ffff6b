/* S3's nouns in the store: buckets, objects, multipart uploads, and bodies on their way in and out
 * (store_buckets.c, store_objects.c, store_uploads.c, store_contents.c, store_sweep.c).
 *
 * Small bodies (STORE_INLINE_BYTES_MAX) live in their object's row. Larger ones are contents: rows
 * of STORE_CHUNK_BYTES each, staged while they arrive, linked (never copied) by objects, copies and
 * completed uploads. Objects are immutable; a download pins the one it reads, so that overwriting
 * or deleting the key does not disturb it. What nobody links, pins or stages any more goes slice by
 * slice in store_housekeep, and after the next start if the process was killed.
 *
 * As everywhere in the store nothing is kept before store_turn_commit. A struct store_body of which
 * a rolled-back turn or savepoint took some bytes fails from then on; others are not touched. */
#ifndef PINPIPE_STORE_OBJECTS_H
#define PINPIPE_STORE_OBJECTS_H

#include "arena.h"
#include "store.h"

enum {
    STORE_CHUNK_BYTES = 64 * 1024,
    STORE_INLINE_BYTES_MAX = 64 * 1024,
    STORE_KEY_BYTES_MAX = 1024,
    STORE_BUCKET_NAME_MIN = 3,
    STORE_BUCKET_NAME_MAX = 63,
};

/* --- buckets --- */
struct store_bucket {
    int64_t id;
    struct span name;
    struct span region;
    int64_t created_ms;
};
/* S3's rule (specs/aws-s3.md 2): 3 to 63 of [a-z0-9.-], letters or digits at both ends, no two dots
 * in a row, no IP address. */
bool store_bucket_name_is_legal(struct span name);
/* EXISTS. The name is checked by the caller. */
enum status store_bucket_create(struct store *store, struct span name, struct span region,
                                struct error *err) PP_MUST_USE;
/* NOT_FOUND. The region is copied to the arena; the name is the caller's. */
enum status store_bucket_find(struct store *store, struct span name, struct arena *arena,
                              struct store_bucket *out, struct error *err) PP_MUST_USE;
/* BUSY: it has objects. Unfinished uploads go with it, as in S3. NOT_FOUND. */
enum status store_bucket_delete(struct store *store, int64_t bucket_id,
                                struct error *err) PP_MUST_USE;
/* In name order, while visit returns true. */
enum status store_buckets_visit(struct store *store,
                                bool (*visit)(void *ctx, const struct store_bucket *bucket),
                                void *ctx, struct error *err) PP_MUST_USE;

/* --- bodies on their way in --- */
struct store_body;
/* Nothing is written before it outgrows STORE_INLINE_BYTES_MAX. `small`: stays in memory up to that
 * size; otherwise (a part of an upload) it becomes a content however small it is. */
enum status store_body_new(struct store *store, bool small, struct store_body **out) PP_MUST_USE;
/* Memory held: at most one chunk; whole chunks go straight from `bytes` to the file. After a
 * failure the body is of no use any more. LIMIT: 1 TiB. FAILED: see above. */
enum status store_body_append(struct store_body *body, struct span bytes,
                              struct error *err) PP_MUST_USE;
uint64_t store_body_size(const struct store_body *body);
/* The process's memory that the body takes. */
size_t store_body_memory(const struct store_body *body);
/* Lets go of it, used or not; never fails. NULL is fine; so is a store that has been closed. */
void store_body_free(struct store_body *body);

/* --- objects --- */
struct store_object {
    int64_t id;
    int64_t bucket_id;
    uint64_t size;
    int64_t modified_ms;
    struct span key;
    struct span etag;      /* without quotes */
    struct span headers;   /* "name: value\n" lines; empty: none */
    struct span checksum;  /* "crc32 NhCmhg== FULL_OBJECT"; empty: none */
    struct span upload_id; /* empty: not from a multipart upload */
};
struct store_object_put {
    int64_t bucket_id;
    struct span key;
    struct span etag;
    struct span headers;
    struct span checksum;
    int64_t modified_ms;
    /* The bytes: a body (used up: its bytes are linked, free it afterwards) or, when NULL, at
     * most STORE_INLINE_BYTES_MAX bytes. */
    struct store_body *body;
    struct span bytes;
};
/* Replaces what is under the key. The object and what it links move in the turn's transaction.
 * NOT_FOUND: the bucket is gone meanwhile (nothing was written). */
enum status store_object_put(struct store *store, const struct store_object_put *put,
                             struct error *err) PP_MUST_USE;
/* NOT_FOUND. The spans are copied to the arena. */
enum status store_object_find(struct store *store, int64_t bucket_id, struct span key,
                              struct arena *arena, struct store_object *out,
                              struct error *err) PP_MUST_USE;
/* Deleting what is not there is OK and writes nothing; *existed may be NULL. */
enum status store_object_delete(struct store *store, int64_t bucket_id, struct span key,
                                bool *existed, struct error *err) PP_MUST_USE;
/* The bytes of `source` under another key (or the same one), linked. put->body and put->bytes are
 * not used. NOT_FOUND: the source or the bucket is gone. */
enum status store_object_copy(struct store *store, const struct store_object *source,
                              const struct store_object_put *put, struct error *err) PP_MUST_USE;
/* Appends at most `max` bytes from `offset` to out; fewer only at the end of the object or when
 * out is at its ceiling. */
enum status store_object_read(struct store *store, int64_t object_id, uint64_t offset, size_t max,
                              struct buf *out, struct error *err) PP_MUST_USE;
/* A piece (from 0, in order) of those that an object was joined from: one a part of its upload,
 * but several for a part copied from a joined object, and none for an empty one. NOT_FOUND: it has
 * no such piece; one of a single part, or not from an upload, has none at all. */
struct store_object_piece {
    uint64_t start;
    uint64_t size;
    int64_t count; /* of the pieces */
};
enum status store_object_piece(struct store *store, int64_t object_id, int64_t number,
                               struct store_object_piece *out, struct error *err) PP_MUST_USE;
/* A pinned object can be read although its key has been deleted or overwritten. Memory only.
 * NO_MEMORY. */
enum status store_object_pin(struct store *store, int64_t object_id) PP_MUST_USE;
void store_object_unpin(struct store *store, int64_t object_id);

/* Visits the objects of a bucket with key >= `from` (key > `from` when after) in byte order, while
 * visit returns true. The spans are valid during the visit, which may neither read nor write. Of
 * headers and upload_id nothing: they are empty. */
struct store_object_range {
    int64_t bucket_id;
    struct span from;
    bool after;
};
enum status store_objects_visit(struct store *store, struct store_object_range range,
                                bool (*visit)(void *ctx, const struct store_object *object),
                                void *ctx, struct error *err) PP_MUST_USE;

/* --- multipart uploads --- */
enum { STORE_PART_NUMBER_MAX = 10000 };
struct store_upload {
    struct span id;
    int64_t bucket_id;
    struct span key;
    int64_t created_ms;
    struct span headers;
    struct span checksum_algorithm; /* "crc32 FULL_OBJECT"; empty: none */
};
/* Begins an upload, whose id is a new one. NOT_FOUND: the bucket is gone. */
enum status store_upload_create(struct store *store, const struct store_upload *upload,
                                struct error *err) PP_MUST_USE;
struct store_upload_place {
    int64_t bucket_id;
    struct span key;
    struct span id;
};
/* NOT_FOUND, also when bucket or key are others. Spans are copied to the arena. */
enum status store_upload_find(struct store *store, struct store_upload_place place,
                              struct arena *arena, struct store_upload *out,
                              struct error *err) PP_MUST_USE;
struct store_part {
    int32_t number;
    uint64_t size;
    struct span etag; /* without quotes */
    struct span checksum;
    int64_t modified_ms;
};
/* Replaces the part of that number. body was made with small = false; its size counts, not
 * part->size. NOT_FOUND: the upload has ended. */
enum status store_part_put(struct store *store, struct span upload_id,
                           const struct store_part *part, struct store_body *body,
                           struct error *err) PP_MUST_USE;
/* UploadPartCopy: bytes [start, start + part->size) of the object, linked whatever the range is.
 * NOT_FOUND: the upload or the object is gone; INVALID: the object is shorter; LIMIT: the bytes
 * are in more than 100000 pieces (copies of copies of parts). */
enum status store_part_copy(struct store *store, struct span upload_id,
                            const struct store_part *part, int64_t object_id, uint64_t start,
                            struct error *err) PP_MUST_USE;
/* Parts with number > after, in order, while visit returns true. */
enum status store_parts_visit(struct store *store, struct span upload_id, int32_t after,
                              bool (*visit)(void *ctx, const struct store_part *part), void *ctx,
                              struct error *err) PP_MUST_USE;
/* The listed parts, in this order, become the object; the upload and its other parts are gone.
 * NOT_FOUND: the upload has ended or a listed part is not there, nothing was written (etags are
 * the caller's to compare). LIMIT: as above. put->body and put->bytes are not used. */
enum status store_upload_complete(struct store *store, struct span upload_id,
                                  const int32_t *numbers, size_t count,
                                  const struct store_object_put *put,
                                  struct error *err) PP_MUST_USE;
/* NOT_FOUND. */
enum status store_upload_abort(struct store *store, struct span upload_id,
                               struct error *err) PP_MUST_USE;
/* The unfinished uploads of a bucket in order of (key, id), those behind (key, id) `after`. */
struct store_upload_range {
    int64_t bucket_id;
    struct span after_key;
    struct span after_id; /* empty: all of after_key are skipped */
};
enum status store_uploads_visit(struct store *store, struct store_upload_range range,
                                bool (*visit)(void *ctx, const struct store_upload *upload),
                                void *ctx, struct error *err) PP_MUST_USE;

#endif
