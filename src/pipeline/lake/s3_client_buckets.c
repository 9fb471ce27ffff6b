/* Copies within S3, buckets made and deleted. */
#include "s3_client_internal.h"

#include <string.h>

enum status s3_copy_verdict(const struct s3_slot *slot, struct error *err)
{
    struct s3_error_answer answer;
    enum status status = s3_slot_verdict(slot, err);
    if (status != STATUS_OK) {
        return status;
    }
    switch ((int)s3_answer_error(buf_span(&slot->response->body), &answer)) {
    case STATUS_OK:
        return error_set(err, STATUS_FAILED, "%s: it was not copied: %s (%s)", slot->what,
                         answer.code, answer.message);
    case STATUS_NO_MEMORY:
        return error_no_memory(err);
    default:
        return STATUS_OK;
    }
}

enum status s3_client_copy(struct s3_client *client, const struct s3_copy *copy, struct error *err)
{
    struct s3_slot *slot = NULL;
    const struct s3_request request = {
        .method = "PUT",
        .bucket = copy->to_bucket,
        .key = copy->to_key,
        .copy_bucket = copy->from_bucket,
        .copy_key = copy->from_key,
    };
    enum status status = s3_client_call(client, &request, &slot, err);
    if (status == STATUS_OK) {
        status = s3_copy_verdict(slot, err);
    }
    s3_slot_give(slot);
    return status;
}

enum status s3_client_bucket_create(struct s3_client *client, struct span bucket, struct error *err)
{
    struct s3_slot *slot = NULL;
    struct buf body;
    const char *region = client->options.region;
    buf_init(&body, 1024);
    /* us-east-1 is named by no constraint, and refuses its own. */
    if (strcmp(region, "us-east-1") != 0) {
        buf_printf(&body,
                   "<CreateBucketConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
                   "<LocationConstraint>%s</LocationConstraint></CreateBucketConfiguration>",
                   region);
    }
    const struct s3_request request = {
        .method = "PUT", .bucket = bucket, .body = buf_span(&body), .has_body = true};
    enum status status = buf_ok(&body)
                             ? s3_client_call(client, &request, &slot, err)
                             : buf_error(&body, err, STATUS_INVALID, "a region's name is too long");
    if (status != STATUS_OK && slot != NULL && slot->response != NULL &&
        slot->response->failure == HTTP_FAILURE_NONE && slot->response->status == 409) {
        status = err->code = STATUS_EXISTS;
    }
    s3_slot_give(slot);
    buf_release(&body);
    return status;
}

enum status s3_client_bucket_delete(struct s3_client *client, struct span bucket, struct error *err)
{
    struct s3_slot *slot = NULL;
    const struct s3_request request = {.method = "DELETE", .bucket = bucket};
    enum status status = s3_client_call(client, &request, &slot, err);
    s3_slot_give(slot);
    return status;
}
