/* Features that S3 has and the mock has not: a request that asks for one is refused with S3's own
 * code, rather than served without it. Values that ask for what every object and every bucket has
 * anyway pass. The rows hold for an object in one piece, a copy and the beginning of an upload
 * alike.
 *
 * DIFFERS: storage classes but STANDARD, encryption by KMS or with a customer's key, tags, website
 * redirects, object locks, appending and object ownership but BucketOwnerEnforced (so no ACLs) are
 * refused with NotImplemented when a request asks for them by a header. */
#include "s3_features.h"

#include "answer.h"
#include "s3_customer_keys.h"
#include "s3_errors.h"

#include <string.h>

struct feature {
    const char *header;
    const char *harmless; /* values that ask for nothing, with commas; NULL: none */
    enum s3_error_id error;
    /* The values that S3 knows, and what it says of others; NULL: it takes any. */
    const char *known;
    void (*refuse_unknown)(struct s3_call *call, struct span value);
};

static void storage_class_refuse(struct s3_call *call, struct span value)
{
    struct aws_error_detail details[] = {{"StorageClassRequested", value}, {NULL, SPAN_EMPTY}};
    s3_error_with(call, S3_ERROR_INVALID_STORAGE_CLASS, details);
}

static void encryption_refuse(struct s3_call *call, struct span value)
{
    s3_invalid_argument(call, "The encryption method specified is not supported",
                        "x-amz-server-side-encryption", value);
}

static void ownership_refuse(struct s3_call *call, struct span value)
{
    struct aws_error_detail details[] = {{"ArgumentName", SPAN_LIT("x-amz-object-ownership")},
                                         {NULL, SPAN_EMPTY}};
    const char *message = arena_printf(
        &call->exchange->arena, "Invalid x-amz-object-ownership header: %.*s", SPAN_ARG(value));
    s3_error_text(call, S3_ERROR_INVALID_ARGUMENT, span_from_cstr(message), details);
}

static const char known_classes[] =
    "STANDARD,REDUCED_REDUNDANCY,STANDARD_IA,ONEZONE_IA,INTELLIGENT_TIERING,GLACIER,DEEP_ARCHIVE,"
    "OUTPOSTS,GLACIER_IR,SNOW,EXPRESS_ONEZONE";

static const struct feature object_features[] = {
    {"x-amz-server-side-encryption", "AES256", S3_ERROR_NOT_IMPLEMENTED,
     "AES256,aws:kms,aws:kms:dsse,aws:fsx", encryption_refuse},
    {"x-amz-server-side-encryption-aws-kms-key-id", NULL, S3_ERROR_NOT_IMPLEMENTED, NULL, NULL},
    {"x-amz-storage-class", "STANDARD", S3_ERROR_NOT_IMPLEMENTED, known_classes,
     storage_class_refuse},
    {"x-amz-tagging", "", S3_ERROR_NOT_IMPLEMENTED, NULL, NULL},
    {"x-amz-website-redirect-location", NULL, S3_ERROR_NOT_IMPLEMENTED, NULL, NULL},
    {"x-amz-object-lock-mode", NULL, S3_ERROR_NOT_IMPLEMENTED, NULL, NULL},
    {"x-amz-object-lock-retain-until-date", NULL, S3_ERROR_NOT_IMPLEMENTED, NULL, NULL},
    {"x-amz-object-lock-legal-hold", "OFF", S3_ERROR_NOT_IMPLEMENTED, NULL, NULL},
    {"x-amz-write-offset-bytes", NULL, S3_ERROR_NOT_IMPLEMENTED, NULL, NULL},
    {"x-amz-acl", "private,bucket-owner-full-control", S3_ERROR_ACL_NOT_SUPPORTED, NULL, NULL},
    {"x-amz-grant-full-control", NULL, S3_ERROR_ACL_NOT_SUPPORTED, NULL, NULL},
    {"x-amz-grant-read", NULL, S3_ERROR_ACL_NOT_SUPPORTED, NULL, NULL},
    {"x-amz-grant-read-acp", NULL, S3_ERROR_ACL_NOT_SUPPORTED, NULL, NULL},
    {"x-amz-grant-write", NULL, S3_ERROR_ACL_NOT_SUPPORTED, NULL, NULL},
    {"x-amz-grant-write-acp", NULL, S3_ERROR_ACL_NOT_SUPPORTED, NULL, NULL},
};

static const struct feature bucket_features[] = {
    {"x-amz-object-ownership", "BucketOwnerEnforced", S3_ERROR_NOT_IMPLEMENTED,
     "BucketOwnerEnforced,BucketOwnerPreferred,ObjectWriter", ownership_refuse},
    {"x-amz-bucket-object-lock-enabled", "false,False", S3_ERROR_NOT_IMPLEMENTED, NULL, NULL},
    {"x-amz-acl", "private", S3_ERROR_BUCKET_ACL_WITH_OWNERSHIP, NULL, NULL},
    {"x-amz-grant-full-control", NULL, S3_ERROR_BUCKET_ACL_WITH_OWNERSHIP, NULL, NULL},
    {"x-amz-grant-read", NULL, S3_ERROR_BUCKET_ACL_WITH_OWNERSHIP, NULL, NULL},
    {"x-amz-grant-read-acp", NULL, S3_ERROR_BUCKET_ACL_WITH_OWNERSHIP, NULL, NULL},
    {"x-amz-grant-write", NULL, S3_ERROR_BUCKET_ACL_WITH_OWNERSHIP, NULL, NULL},
    {"x-amz-grant-write-acp", NULL, S3_ERROR_BUCKET_ACL_WITH_OWNERSHIP, NULL, NULL},
};

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

static void answer_feature(struct s3_call *call, const char *header, enum s3_error_id error,
                           struct span value)
{
    struct aws_error_detail details[] = {{"Header", span_from_cstr(header)}, {NULL, SPAN_EMPTY}};
    answer_hint(call->exchange, "%s: %.*s is not implemented here: nothing was stored", header,
                SPAN_ARG(value));
    s3_error_with(call, error, error == S3_ERROR_NOT_IMPLEMENTED ? details : NULL);
}

static bool features_exist(struct s3_call *call, const struct feature *features, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct feature *feature = &features[i];
        struct span value = s3_header(call, feature->header);
        if (!s3_has_header(call, feature->header) ||
            (feature->harmless != NULL && word_is_listed(feature->harmless, value))) {
            continue;
        }
        if (feature->known != NULL && !word_is_listed(feature->known, value)) {
            feature->refuse_unknown(call, value);
        } else {
            answer_feature(call, feature->header, feature->error, value);
        }
        return false;
    }
    return true;
}

bool s3_object_features_exist(struct s3_call *call)
{
    bool customer_key;
    if (!s3_customer_key_is_whole(call, S3_KEY_OF_OBJECT, &customer_key)) {
        return false;
    }
    if (customer_key) {
        answer_feature(call, "x-amz-server-side-encryption-customer-algorithm",
                       S3_ERROR_NOT_IMPLEMENTED, SPAN_LIT("AES256"));
        return false;
    }
    return features_exist(call, object_features, ARRAY_COUNT(object_features));
}

bool s3_bucket_features_exist(struct s3_call *call)
{
    return features_exist(call, bucket_features, ARRAY_COUNT(bucket_features));
}
