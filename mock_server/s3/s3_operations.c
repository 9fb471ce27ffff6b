/* The table of operations: what is served, and by whom. Sub-resources that are only known for what
 * was never set are in s3_subresource.c. */
#include "s3_internal.h"

const struct s3_operation s3_operations[] = {
    {"ListBuckets", METHOD_GET, S3_SERVICE, NULL, NULL, S3_BODY_NONE, s3_list_buckets},

    {"CreateBucket", METHOD_PUT, S3_BUCKET, NULL, NULL, S3_BODY_XML, s3_create_bucket},
    {"DeleteBucket", METHOD_DELETE, S3_BUCKET, NULL, NULL, S3_BODY_NONE, s3_delete_bucket},
    {"PostObject", METHOD_POST, S3_BUCKET, NULL, NULL, S3_BODY_NONE, s3_post_object},
    {"HeadBucket", METHOD_HEAD, S3_BUCKET, NULL, NULL, S3_BODY_NONE, s3_head_bucket},

    {"ListMultipartUploads", METHOD_GET, S3_BUCKET, "uploads", NULL, S3_BODY_NONE, s3_list_uploads},
    {"DeleteObjects", METHOD_POST, S3_BUCKET, "delete", NULL, S3_BODY_XML, s3_delete_objects},
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

    /* A part of the upload that made it. */
    {"GetObject", METHOD_GET, S3_OBJECT, "partNumber", NULL, S3_BODY_NONE, s3_get_object},
    {"HeadObject", METHOD_HEAD, S3_OBJECT, "partNumber", NULL, S3_BODY_NONE, s3_get_object},

    {"CopyObject", METHOD_PUT, S3_OBJECT, NULL, "x-amz-copy-source", S3_BODY_NONE, s3_copy_object},
    {"PutObject", METHOD_PUT, S3_OBJECT, NULL, NULL, S3_BODY_OBJECT, s3_put_object},
    {"GetObject", METHOD_GET, S3_OBJECT, NULL, NULL, S3_BODY_NONE, s3_get_object},
    {"HeadObject", METHOD_HEAD, S3_OBJECT, NULL, NULL, S3_BODY_NONE, s3_get_object},
    {"DeleteObject", METHOD_DELETE, S3_OBJECT, NULL, NULL, S3_BODY_NONE, s3_delete_object},
};
const size_t s3_operation_count = ARRAY_COUNT(s3_operations);
