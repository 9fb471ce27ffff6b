/* Features that S3 has and the mock has not: a request that asks for one is refused with S3's own
 * code, rather than served without it. Values that ask for what every object has anyway pass. */
#include "s3_features.h"

#include "answer.h"
#include "s3_errors.h"

#include <string.h>

struct feature {
    const char *header;
    const char *harmless; /* values that ask for nothing, with commas; NULL: none */
    enum s3_error_id error;
};

static const struct feature features[] = {
    {"x-amz-server-side-encryption", "AES256", S3_ERROR_NOT_IMPLEMENTED},
    {"x-amz-server-side-encryption-customer-algorithm", NULL, S3_ERROR_NOT_IMPLEMENTED},
    {"x-amz-copy-source-server-side-encryption-customer-algorithm", NULL, S3_ERROR_NOT_IMPLEMENTED},
    {"x-amz-storage-class", "STANDARD", S3_ERROR_NOT_IMPLEMENTED},
    {"x-amz-tagging", "", S3_ERROR_NOT_IMPLEMENTED},
    {"x-amz-website-redirect-location", NULL, S3_ERROR_NOT_IMPLEMENTED},
    {"x-amz-object-lock-mode", NULL, S3_ERROR_NOT_IMPLEMENTED},
    {"x-amz-object-lock-retain-until-date", NULL, S3_ERROR_NOT_IMPLEMENTED},
    {"x-amz-object-lock-legal-hold", "OFF", S3_ERROR_NOT_IMPLEMENTED},
    {"x-amz-bucket-object-lock-enabled", "false,False", S3_ERROR_NOT_IMPLEMENTED},
    {"x-amz-write-offset-bytes", NULL, S3_ERROR_NOT_IMPLEMENTED},
    {"x-amz-acl", "private,bucket-owner-full-control", S3_ERROR_ACL_NOT_SUPPORTED},
    {"x-amz-grant-full-control", NULL, S3_ERROR_ACL_NOT_SUPPORTED},
    {"x-amz-grant-read", NULL, S3_ERROR_ACL_NOT_SUPPORTED},
    {"x-amz-grant-read-acp", NULL, S3_ERROR_ACL_NOT_SUPPORTED},
    {"x-amz-grant-write", NULL, S3_ERROR_ACL_NOT_SUPPORTED},
    {"x-amz-grant-write-acp", NULL, S3_ERROR_ACL_NOT_SUPPORTED},
};

static const char known_classes[] =
    "STANDARD,REDUCED_REDUNDANCY,STANDARD_IA,ONEZONE_IA,INTELLIGENT_TIERING,GLACIER,DEEP_ARCHIVE,"
    "OUTPOSTS,GLACIER_IR,SNOW,EXPRESS_ONEZONE";

static bool word_is_listed(const char *list, struct span value)
{
    struct span rest = span_from_cstr(list);
    struct span part;
    while (span_next_part(&rest, ',', &part)) {
        if (span_equal(part, value)) {
            return true;
        }
    }
    return value.len == 0 && list[0] == '\0';
}

static bool feature_refuse(struct s3_call *call, const struct feature *feature, struct span value)
{
    enum s3_error_id error = feature->error;
    answer_hint(call->exchange, "%s: %.*s is not implemented here: nothing was stored",
                feature->header, SPAN_ARG(value));
    if (strcmp(feature->header, "x-amz-storage-class") == 0 &&
        !word_is_listed(known_classes, value)) {
        struct aws_error_detail details[] = {{"StorageClassRequested", value}, {NULL, SPAN_EMPTY}};
        s3_error_with(call, S3_ERROR_INVALID_STORAGE_CLASS, details);
        return false;
    }
    struct aws_error_detail details[] = {{"Header", span_from_cstr(feature->header)},
                                         {NULL, SPAN_EMPTY}};
    s3_error_with(call, error, error == S3_ERROR_NOT_IMPLEMENTED ? details : NULL);
    return false;
}

bool s3_requested_features_exist(struct s3_call *call)
{
    for (size_t i = 0; i < ARRAY_COUNT(features); i++) {
        const struct feature *feature = &features[i];
        if (!s3_has_header(call, feature->header)) {
            continue;
        }
        struct span value = s3_header(call, feature->header);
        if (feature->harmless == NULL || !word_is_listed(feature->harmless, value)) {
            return feature_refuse(call, feature, value);
        }
    }
    return true;
}
