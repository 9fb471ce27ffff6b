/* The table of operations: which handler serves which request. Sub-resources that nothing can set
 * here have a table of their own in s3_subresource.c. */
#include "s3_operations.h"

#include "query.h"
#include "s3_errors.h"

static const struct s3_operation operations[] = {
    {"ListBuckets", METHOD_GET, S3_SERVICE, NULL, NULL, S3_BODY_NONE, s3_list_buckets},

    {"CreateBucket", METHOD_PUT, S3_BUCKET, NULL, NULL, S3_BODY_XML, s3_create_bucket},
    {"DeleteBucket", METHOD_DELETE, S3_BUCKET, NULL, NULL, S3_BODY_NONE, s3_delete_bucket},
    {"PostObject", METHOD_POST, S3_BUCKET, NULL, NULL, S3_BODY_NONE, s3_post_object},
    {"HeadBucket", METHOD_HEAD, S3_BUCKET, NULL, NULL, S3_BODY_NONE, s3_head_bucket},

    {"ListMultipartUploads", METHOD_GET, S3_BUCKET, "uploads", NULL, S3_BODY_NONE, s3_list_uploads},
    {"DeleteObjects", METHOD_POST, S3_BUCKET, "delete", NULL, S3_BODY_XML, s3_delete_objects},
    {"ListObjectVersions", METHOD_GET, S3_BUCKET, "versions", NULL, S3_BODY_NONE,
     s3_list_object_versions},
    {"ListObjectsV2", METHOD_GET, S3_BUCKET, "list-type", NULL, S3_BODY_NONE, s3_list_objects_v2},
    {"ListObjects", METHOD_GET, S3_BUCKET, NULL, NULL, S3_BODY_NONE, s3_list_objects_v1},

    {"CreateMultipartUpload", METHOD_POST, S3_OBJECT, "uploads", NULL, S3_BODY_NONE,
     s3_create_upload},
    {"UploadPartCopy", METHOD_PUT, S3_OBJECT, "partNumber", "x-amz-copy-source", S3_BODY_NONE,
     s3_upload_part_copy},
    {"UploadPart", METHOD_PUT, S3_OBJECT, "partNumber", NULL, S3_BODY_PART, s3_upload_part},
    {"CompleteMultipartUpload", METHOD_POST, S3_OBJECT, "uploadId", NULL, S3_BODY_XML,
     s3_complete_upload},
    {"AbortMultipartUpload", METHOD_DELETE, S3_OBJECT, "uploadId", NULL, S3_BODY_NONE,
     s3_abort_upload},
    {"ListParts", METHOD_GET, S3_OBJECT, "uploadId", NULL, S3_BODY_NONE, s3_list_parts},

    /* One part of an object that came in parts. */
    {"GetObject", METHOD_GET, S3_OBJECT, "partNumber", NULL, S3_BODY_NONE, s3_get_object},
    {"HeadObject", METHOD_HEAD, S3_OBJECT, "partNumber", NULL, S3_BODY_NONE, s3_get_object},

    {"CopyObject", METHOD_PUT, S3_OBJECT, NULL, "x-amz-copy-source", S3_BODY_NONE, s3_copy_object},
    {"PutObject", METHOD_PUT, S3_OBJECT, NULL, NULL, S3_BODY_OBJECT, s3_put_object},
    {"GetObject", METHOD_GET, S3_OBJECT, NULL, NULL, S3_BODY_NONE, s3_get_object},
    {"HeadObject", METHOD_HEAD, S3_OBJECT, NULL, NULL, S3_BODY_NONE, s3_get_object},
    {"DeleteObject", METHOD_DELETE, S3_OBJECT, NULL, NULL, S3_BODY_NONE, s3_delete_object},
};

/* --- which one? --- */

static bool operation_fits(const struct s3_call *call, const struct s3_operation *row)
{
    return row->method == call->exchange->request.method && row->level == s3_level(call) &&
           (row->subresource == NULL || query_has(call->exchange, row->subresource)) &&
           (row->header == NULL || s3_has_header(call, row->header));
}

static enum handled wrong_method_refuse(struct s3_call *call)
{
    static const char *const level_names[] = {"SERVICE", "BUCKET", "OBJECT"};
    static const char *const allowed[] = {"GET", "GET, PUT, POST, DELETE, HEAD",
                                          "GET, PUT, POST, DELETE, HEAD"};
    enum s3_level level = s3_level(call);
    struct aws_error_detail details[] = {
        {"Method", call->exchange->request.method_name},
        {"ResourceType", span_from_cstr(level_names[level])},
        {NULL, SPAN_EMPTY},
    };
    s3_error_with(call, S3_ERROR_METHOD_NOT_ALLOWED, details);
    reply_add_header_cstr(&call->exchange->reply, "Allow", allowed[level]);
    return HANDLED;
}

static const struct s3_operation subresource_operation = {.name = "Subresource",
                                                          .handle = s3_subresource};
static const struct s3_operation options_operation = {.name = "Options",
                                                      .handle = s3_options_request};
static const struct s3_operation wrong_method_operation = {.name = "MethodNotAllowed",
                                                           .handle = wrong_method_refuse};

const struct s3_operation *s3_operation_find(const struct s3_call *call)
{
    bool named = s3_subresource_is_named(call);
    for (size_t i = 0; i < ARRAY_COUNT(operations); i++) {
        const struct s3_operation *row = &operations[i];
        if ((row->subresource != NULL || !named) && operation_fits(call, row)) {
            return row;
        }
    }
    if (named) {
        return &subresource_operation;
    }
    return call->exchange->request.method == METHOD_OPTIONS ? &options_operation
                                                            : &wrong_method_operation;
}
