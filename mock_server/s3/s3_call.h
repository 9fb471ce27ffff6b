/* A request to S3 while it is served, and what handlers read from it. Where the request is wrong
 * the reply is filled here already, so that a handler only has to return. */
#ifndef PINPIPE_S3_CALL_H
#define PINPIPE_S3_CALL_H

#include "aws_identity.h"
#include "exchange.h"
#include "s3.h"
#include "s3_identity.h"
#include "sigv4_claim.h"
#include "store_objects.h"

struct s3_body; /* a body on its way in (s3_body.h) */
struct s3_call;

/* An UploadPartCopy reads so much of its source in a turn. */
enum { S3_COPY_SLICE_BYTES_MAX = 1024 * 1024 };

/* Parts that UploadPartCopy is reading, all requests together. */
struct s3_copies {
    size_t reading;
    struct buf slice; /* the bytes that one of them has just read */
};

struct s3 {
    struct s3_options options;
    struct service service;
    struct s3_copies copies;
};

/* A request's address names the service, a bucket, or an object. */
enum s3_level { S3_SERVICE, S3_BUCKET, S3_OBJECT };

enum s3_body_kind {
    S3_BODY_NONE,   /* what comes is read over */
    S3_BODY_XML,    /* gathered: s3_body_gathered gives it, decoded and checked */
    S3_BODY_OBJECT, /* streamed into call->body, whole and checked before the handler runs */
    S3_BODY_PART,   /* streamed too, but never kept inline (store_body_new) */
};

struct s3_operation {
    const char *name; /* "PutObject": journal, hints */
    enum http_method method;
    enum s3_level level;
    /* The query parameter that selects the operation ("uploads", "partNumber"); NULL: the query has
     * none that selects another. Rows with one stand before those without. */
    const char *subresource;
    /* The header that must be there too ("x-amz-copy-source"); NULL: none. Rows with one stand
     * before those without. */
    const char *header;
    enum s3_body_kind body;
    enum handled (*handle)(struct s3_call *call);
};

/* A call lies in the exchange's arena. */
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
    struct s3_body *body; /* a streamed one, finished; a gathered one after it was asked for */
    struct s3_identity identity;
    /* The object and the bytes of a streamed reply. */
    int64_t pinned_object; /* 0: none */
    uint64_t read_offset;
    uint64_t read_end;
};

/* --- what the request says --- */
enum s3_level s3_level(const struct s3_call *call);
/* The header's value; empty (len 0) when absent. */
struct span s3_header(const struct s3_call *call, const char *name);
/* Is the header there, be it empty? */
bool s3_has_header(const struct s3_call *call, const char *name);
/* A query parameter, decoded (plus is a space), in the arena. False when absent; "" when it has no
 * value. */
bool s3_query(const struct s3_call *call, const char *name, struct span *value);
/* A query parameter that is a number of 0..max; absent or empty: *out stays. False: InvalidArgument
 * is in the reply. */
bool s3_query_number(struct s3_call *call, const char *name, int64_t max, int64_t *out);
int64_t s3_now_ms(const struct s3_call *call);

/* --- what the request is about --- */
/* The bucket of the request, which has the owner that the request expects; false: NoSuchBucket (or
 * another) is in the reply. */
bool s3_call_bucket(struct s3_call *call);
/* Is the one account that owns every bucket the one that the header names, or the header absent?
 * False: AccessDenied (or another) is in the reply. */
bool s3_owner_is_expected(struct s3_call *call, const char *header);
/* The object of bucket and key, and of ?versionId=null; false: NoSuchKey (or another) is in the
 * reply. */
bool s3_call_object(struct s3_call *call, struct store_object *out);
/* The object of bucket and key; *found: there is one. False: 500 is in the reply. */
bool s3_call_look_up(struct s3_call *call, struct store_object *out, bool *found);
/* Is ?versionId absent or "null", the one version there is? False: InvalidArgument is in the reply.
 */
bool s3_version_fits(struct s3_call *call);

/* --- texts --- */
/* An ETag without the quotes that a client may have put round it. */
struct span s3_etag_bare(struct span text);
/* Copies the text into the arena; false: out of memory. */
bool s3_span_copy(struct arena *arena, struct span text, struct span *out);
/* A number in decimal digits, in the call's arena; empty when that is full. */
struct span s3_number_text(struct s3_call *call, uint64_t number);

#endif
