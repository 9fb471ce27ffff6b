/* What the files of the S3 service share. A request's way:
 *
 *   address, signature, operation                      s3.c, s3_address.c, s3_auth.c
 *   -> body: taken in piece by piece, checked          s3_body.c
 *   -> operation handler                               s3_object_*.c, s3_bucket.c, s3_list.c, ...
 *   -> XML or headers                                  s3_xml.c, s3_errors.c
 *
 * The table of operations in s3_operations.c drives all of it. */
#ifndef PINPIPE_S3_INTERNAL_H
#define PINPIPE_S3_INTERNAL_H

#include "aws_error.h"
#include "aws_identity.h"
#include "log.h"
#include "s3.h"
#include "sigv4.h"

struct s3 {
    struct s3_options options;
    struct service service;
    size_t copies_reading; /* s3_multipart_copy.c's: how many parts are being copied, and ... */
    struct buf copy_slice; /* ... the bytes that one of them has just read */
};

/* The one account there is. */
#define S3_OWNER_ID "b5f2c7a0d94e4f4a8b1e6d3c9a7f5e2b1c8d0e6f4a3b2c1d9e8f7a6b5c4d3e2f"

struct s3_body; /* a body on its way in (s3_body.h) */
struct s3_call;

enum s3_level { S3_SERVICE, S3_BUCKET, S3_OBJECT };

enum s3_body_kind {
    S3_BODY_NONE,   /* what comes is read over */
    S3_BODY_XML,    /* gathered: s3_body_gathered gives it, decoded and checked */
    S3_BODY_OBJECT, /* streamed into call->body, whole and checked before the handler runs */
    S3_BODY_PART,   /* the same, never kept inline (store_body_new) */
};

struct s3_operation {
    const char *name; /* "PutObject": journal, hints */
    enum http_method method;
    enum s3_level level;
    /* The query parameter that selects it ("uploads", "partNumber"); NULL: none of those that
     * select another one is there. Rows with one stand before those without. */
    const char *subresource;
    /* A header that must be there besides ("x-amz-copy-source"); NULL: none. Rows with one stand
     * before those without. */
    const char *header;
    enum s3_body_kind body;
    enum handled (*handle)(struct s3_call *call);
};
extern const struct s3_operation s3_operations[];
extern const size_t s3_operation_count;

/* Of an object (or the asked part) that is read into the reply at once; more is streamed. */
enum { S3_REPLY_INLINE_BYTES_MAX = STORE_INLINE_BYTES_MAX };
/* Of a source that UploadPartCopy reads in one turn: one copy, and all that are under way. */
enum { S3_COPY_SLICE_BYTES_MAX = 1024 * 1024, S3_COPY_TURN_BYTES_MAX = 4 * 1024 * 1024 };
enum { S3_REQUEST_ID_BYTES = 17, S3_HOST_ID_BYTES = 77 };

/* One request; in the exchange's arena. */
struct s3_call {
    struct s3 *s3;
    struct exchange *exchange;
    const struct s3_operation *operation;
    struct span bucket_name; /* decoded; empty: none */
    struct span key;         /* decoded; empty: none */
    bool virtual_host;
    struct store_bucket bucket; /* filled by s3_call_bucket */
    bool failed;                /* an error stands in the reply already */
    struct sigv4_claim claim;
    struct s3_body
        *body; /* of a streamed one, finished; of a gathered one after it was asked for */
    char request_id[S3_REQUEST_ID_BYTES];
    char host_id[S3_HOST_ID_BYTES]; /* x-amz-id-2 */
    /* Of a streamed reply. */
    int64_t pinned_object; /* 0: none */
    uint64_t read_offset;
    uint64_t read_end;
};

/* --- s3_errors.c --- */
enum s3_error_id {
#define X(name, code, status, message) S3_ERROR_##name,
#include "s3_errors.def"
#undef X
    S3_ERROR_COUNT
};
/* Each returns HANDLED and marks the call failed. NULL-terminated details (name NULL) or NULL. */
enum handled s3_error(struct s3_call *call, enum s3_error_id id);
enum handled s3_error_with(struct s3_call *call, enum s3_error_id id,
                           const struct aws_error_detail *details);
/* The same with other words than the table's. */
enum handled s3_error_text(struct s3_call *call, enum s3_error_id id, struct span message,
                           const struct aws_error_detail *details);
/* The words of the table, for a list of errors inside another answer. */
const char *s3_error_code(enum s3_error_id id);
const char *s3_error_message(enum s3_error_id id);
/* EntityTooLarge, with the size that was proposed. */
enum handled s3_error_too_large(struct s3_call *call, struct span proposed);
/* A store failure: 500 InternalError (503 SlowDown for BUSY), and a log line. */
enum handled s3_error_store(struct s3_call *call, const struct error *err);
/* Help beside the answer (X-Pinpipe-Hint); the first one stays. */
void s3_hint(struct s3_call *call, const char *format, ...) PP_PRINTF(2, 3);

/* --- s3_address.c --- */
/* bucket_name, key, virtual_host from Host and path. False: an error is in the reply. */
bool s3_address(struct s3_call *call);

/* --- s3_auth.c --- */
/* Checks the signature, when credentials are configured. False: an error is in the reply. */
bool s3_authorize(struct s3_call *call);

/* --- s3.c --- */
/* x-amz-request-id, x-amz-id-2, Server. */
void s3_identity_headers(struct s3_call *call);
enum s3_level s3_level(const struct s3_call *call);
/* The bucket of the request; false: NoSuchBucket (or 500) is in the reply. */
bool s3_call_bucket(struct s3_call *call);
/* The object of bucket and key, and of ?versionId=null; false: NoSuchKey (or another) is in the
 * reply. */
bool s3_call_object(struct s3_call *call, struct store_object *out);
/* The header's value; empty (len 0) when absent. */
struct span s3_header(const struct s3_call *call, const char *name);
/* Do If-Match and If-None-Match let the key be written (or deleted)? False: answered. */
bool s3_key_may_be_written(struct s3_call *call);
/* Is the header there, be it empty? */
bool s3_has_header(const struct s3_call *call, const char *name);
/* A query parameter, decoded (plus is a space), in the arena. False when absent; "" when it has no
 * value. */
bool s3_query(const struct s3_call *call, const char *name, struct span *value);
/* As above for a number of 0..max; absent or empty: *out stays. False: InvalidArgument is in the
 * reply. */
bool s3_query_number(struct s3_call *call, const char *name, int64_t max, int64_t *out);
int64_t s3_now_ms(const struct s3_call *call);

/* --- s3_headers.c: what is stored with an object and goes back with it --- */
/* The "name: value\n" lines of the request's own headers (content-type by default
 * binary/octet-stream); empty with the call failed: MetadataTooLarge. In the arena. */
struct span s3_headers_take(struct s3_call *call);
/* Writes them (or what the query's response-* puts in their place), ETag, Last-Modified and the
 * rest to the reply. */
void s3_headers_give(struct s3_call *call, const struct store_object *object, bool with_checksum);
/* Do the headers ask only for what there is (no KMS, no ACLs, no tags, ...)? False: answered. */
bool s3_requested_features_exist(struct s3_call *call);
/* x-amz-server-side-encryption, which S3 gives with every object and part. */
void s3_encryption_header(struct s3_call *call);
/* "etag" in quotes. */
void s3_etag_header(struct s3_call *call, struct span etag);
/* x-amz-checksum-crc32: NhCmhg== and x-amz-checksum-type of a stored checksum text. */
void s3_checksum_headers(struct s3_call *call, struct span checksum);
/* The same as elements: <ChecksumCRC32>NhCmhg==</ChecksumCRC32><ChecksumType>... */
void s3_checksum_xml(struct s3_call *call, struct span checksum);

/* --- s3_range.c --- */
struct s3_range {
    uint64_t start;
    uint64_t len;
    bool partial;  /* 206 */
    int64_t parts; /* asked for by partNumber: how many the upload had; 0: none */
};
/* The bytes that Range or partNumber ask for. False: answered. */
bool s3_range_take(struct s3_call *call, const struct store_object *object, struct s3_range *out);
/* Content-Range, x-amz-mp-parts-count. */
void s3_range_headers(struct s3_call *call, const struct store_object *object,
                      const struct s3_range *range);

/* --- s3_conditions.c --- */
/* If-Match, If-None-Match, If-(Un)Modified-Since for reads (304, 412); `prefix`
 * "x-amz-copy-source-" for copies. False: answered. */
bool s3_conditions_hold(struct s3_call *call, const struct store_object *object,
                        const char *prefix);
/* The same for writes (If-Match, If-None-Match: *); object NULL: the key is free. */
bool s3_write_conditions_hold(struct s3_call *call, const struct store_object *object);

/* --- s3_body.c: a body on its way in --- */
/* begin, piece and finish are called by s3.c; handlers of S3_BODY_OBJECT and S3_BODY_PART find
 * call->body finished, also for a request without a body. */
/* Reads the integrity headers, makes call->body. False: an error is in the reply. */
bool s3_body_begin(struct s3_call *call);
bool s3_body_piece(struct s3_call *call, struct span bytes);
/* All has come: checks lengths, digests, chunk signatures, trailers. False: error in the reply. */
bool s3_body_finish(struct s3_call *call);
void s3_body_free(struct s3_body *body); /* NULL is fine */
struct store_body *s3_body_store(struct s3_body *body);
/* After finish: 32 hex digits. */
const char *s3_body_md5(const struct s3_body *body);
/* After finish: "crc32 NhCmhg== FULL_OBJECT", or empty. */
struct span s3_body_checksum(const struct s3_body *body);
/* The decoded bytes of a gathered (S3_BODY_XML) request body, checked. False: error in the reply.
 * *had_digest: Content-MD5 or x-amz-checksum-* was there. NULL: the x-amz-checksum-* headers are
 * not about this body (CompleteMultipartUpload: they are about the object) and are not looked at.
 */
bool s3_body_gathered(struct s3_call *call, struct span *bytes, bool *had_digest);

/* --- s3_time.c --- */
enum s3_time {
    S3_TIME_ISO,       /* 2026-01-02T03:04:05.000Z */
    S3_TIME_ISO_SHORT, /* 2026-01-02T03:04:05Z */
    S3_TIME_HTTP,      /* Fri, 02 Jan 2026 03:04:05 GMT */
};
void s3_time_append(struct buf *out, enum s3_time form, int64_t ms);
/* The three forms of HTTP's dates, and ISO 8601's, to seconds since 1970; false: none of them. */
bool s3_time_parse(struct span text, int64_t *seconds);

/* --- s3_copy.c --- */
/* The object that x-amz-copy-source names, when it is there and the x-amz-copy-source-if-* hold.
 * False: answered. */
bool s3_copy_source(struct s3_call *call, struct store_object *out);

/* --- s3_xml.c: writing --- */
void s3_xml_begin(struct s3_call *call, const char *root); /* declaration, root with xmlns */
void s3_xml_end(struct s3_call *call, const char *root);   /* and Content-Type, status 200 */
void s3_xml_open(struct s3_call *call, const char *name);
void s3_xml_close(struct s3_call *call, const char *name);
void s3_xml_text(struct s3_call *call, const char *name, struct span text); /* escaped */
void s3_xml_number(struct s3_call *call, const char *name, int64_t number);
void s3_xml_etag(struct s3_call *call, struct span etag); /* in &quot; */
void s3_xml_time(struct s3_call *call, const char *name, int64_t ms);
void s3_xml_owner(struct s3_call *call, const char *name); /* Owner, Initiator: its ID */

/* --- s3_xml_read.c: reading, by expat, entities off --- */
enum {
    S3_XML_DEPTH_MAX = 16,
    S3_XML_NODES_MAX = 100000, /* 10000 parts with number, ETag and checksums */
    S3_XML_TEXT_BYTES_MAX = 64 * 1024,
};
/* A small tree in the arena; namespaces are dropped. */
struct s3_xml_node {
    struct span name;
    /* All character data of an element without children, as it stands: a key may begin with a
     * blank. Elsewhere empty. */
    struct span text;
    struct s3_xml_node *children;
    struct s3_xml_node *next;
};
/* NULL: malformed, with a document type, or over a limit (the caller answers MalformedXML). */
struct s3_xml_node *s3_xml_read(struct arena *arena, struct span text);
/* The first child of that name; NULL: none. */
const struct s3_xml_node *s3_xml_child(const struct s3_xml_node *node, const char *name);
/* Its text without blanks at the ends; empty: it is not there, or is empty. */
struct span s3_xml_child_word(const struct s3_xml_node *node, const char *name);

/* --- s3_multipart.c --- */
/* The upload that uploadId names takes parts; false: NoSuchUpload (or 500) is in the reply. */
bool s3_upload_is_open(struct s3_call *call);

/* --- s3_text.c --- */
/* InvalidArgument with ArgumentName and ArgumentValue. */
enum handled s3_invalid_argument(struct s3_call *call, const char *message, const char *name,
                                 struct span value);
/* An ETag as a client names it, with or without quotes; without them. */
struct span s3_etag_bare(struct span text);
/* A copy in the arena; false: out of memory. */
bool s3_span_copy(struct arena *arena, struct span text, struct span *out);

/* --- the operations --- */
enum handled s3_list_buckets(struct s3_call *call);
enum handled s3_create_bucket(struct s3_call *call);
enum handled s3_delete_bucket(struct s3_call *call);
enum handled s3_head_bucket(struct s3_call *call);
enum handled s3_post_object(struct s3_call *call);
enum handled s3_options_request(struct s3_call *call);
/* ?location ?acl ?versioning ... of buckets and objects: what was never set, and what is not
 * implemented (s3_subresource.c). */
enum handled s3_subresource(struct s3_call *call);
/* Has the request's query a parameter that names a sub-resource of this level? */
bool s3_subresource_is_named(const struct s3_call *call);
enum handled s3_list_objects_v1(struct s3_call *call);
enum handled s3_list_objects_v2(struct s3_call *call);
enum handled s3_delete_objects(struct s3_call *call);
enum handled s3_put_object(struct s3_call *call);
enum handled s3_get_object(struct s3_call *call); /* and HeadObject */
enum handled s3_delete_object(struct s3_call *call);
enum handled s3_copy_object(struct s3_call *call);
enum handled s3_create_upload(struct s3_call *call);
enum handled s3_upload_part(struct s3_call *call);
enum handled s3_upload_part_copy(struct s3_call *call);
enum handled s3_complete_upload(struct s3_call *call);
enum handled s3_abort_upload(struct s3_call *call);
enum handled s3_list_parts(struct s3_call *call);
enum handled s3_list_uploads(struct s3_call *call);

#endif
