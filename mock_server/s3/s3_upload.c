/* The lookup that every operation on an upload begins with. An upload that was completed or aborted
 * is not there any more, whatever its id. */
#include "s3_upload.h"

#include "s3_errors.h"

enum handled s3_no_such_upload(struct s3_call *call)
{
    struct span id = SPAN_EMPTY;
    (void)s3_query(call, "uploadId", &id);
    const struct aws_error_detail details[] = {{"UploadId", id}, {NULL, SPAN_EMPTY}};
    return s3_error_with(call, S3_ERROR_NO_SUCH_UPLOAD, details);
}

bool s3_upload_find(struct s3_call *call, struct store_upload *out)
{
    struct span id = SPAN_EMPTY;
    struct error err = ERROR_NONE;
    if (!s3_call_bucket(call)) {
        return false;
    }
    (void)s3_query(call, "uploadId", &id);
    struct store_upload_place place = {.bucket_id = call->bucket.id, .key = call->key, .id = id};
    enum status status =
        store_upload_find(call->s3->options.store, place, &call->exchange->arena, out, &err);
    if (status == STATUS_NOT_FOUND) {
        (void)s3_no_such_upload(call);
    } else if (status != STATUS_OK) {
        (void)s3_error_store(call, &err);
    }
    return status == STATUS_OK;
}

bool s3_upload_is_open(struct s3_call *call)
{
    struct store_upload upload;
    return s3_upload_find(call, &upload);
}

bool s3_part_number(struct s3_call *call, int32_t *out)
{
    struct span text = SPAN_EMPTY;
    int64_t number = 0;
    (void)s3_query(call, "partNumber", &text);
    if (!span_parse_i64(text, &number) || number < 1 || number > STORE_PART_NUMBER_MAX) {
        (void)s3_invalid_argument(call,
                                  "Part number must be an integer between 1 and 10000, inclusive",
                                  "partNumber", text);
        return false;
    }
    *out = (int32_t)number;
    return true;
}
