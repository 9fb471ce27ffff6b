/* The operations of S3: the table that names them, and their handlers. */
#ifndef PINPIPE_S3_OPERATIONS_H
#define PINPIPE_S3_OPERATIONS_H

#include "s3_call.h"

/* The row that fits method, level, parameters and headers; never NULL: requests that nothing serves
 * have rows whose handlers say so. */
const struct s3_operation *s3_operation_find(const struct s3_call *call);

/* --- s3_bucket.c --- */
enum handled s3_list_buckets(struct s3_call *call);
enum handled s3_create_bucket(struct s3_call *call);
enum handled s3_delete_bucket(struct s3_call *call);
enum handled s3_head_bucket(struct s3_call *call);
enum handled s3_post_object(struct s3_call *call);
/* --- s3_list.c --- */
enum handled s3_list_objects_v1(struct s3_call *call);
enum handled s3_list_objects_v2(struct s3_call *call);
enum handled s3_list_object_versions(struct s3_call *call);
/* --- s3_object.c --- */
enum handled s3_put_object(struct s3_call *call);
enum handled s3_get_object(struct s3_call *call); /* and HeadObject */
enum handled s3_delete_object(struct s3_call *call);
/* --- s3_delete_objects.c --- */
enum handled s3_delete_objects(struct s3_call *call);
/* --- s3_copy.c --- */
enum handled s3_copy_object(struct s3_call *call);
/* --- s3_multipart.c --- */
enum handled s3_create_upload(struct s3_call *call);
enum handled s3_upload_part(struct s3_call *call);
enum handled s3_abort_upload(struct s3_call *call);
/* --- s3_multipart_copy.c --- */
enum handled s3_upload_part_copy(struct s3_call *call);
/* --- s3_multipart_complete.c --- */
enum handled s3_complete_upload(struct s3_call *call);
/* --- s3_multipart_list.c --- */
enum handled s3_list_parts(struct s3_call *call);
enum handled s3_list_uploads(struct s3_call *call);
/* --- s3_subresource.c --- */
/* Answers ?location, ?acl, ?versioning and others of buckets and objects that were never set or are
 * not implemented. */
enum handled s3_subresource(struct s3_call *call);
/* Has the request's query a parameter that names a sub-resource of this level? */
bool s3_subresource_is_named(const struct s3_call *call);
enum handled s3_options_request(struct s3_call *call);

#endif
