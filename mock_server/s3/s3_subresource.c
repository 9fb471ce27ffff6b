/* Sub-resources of buckets and objects that are not operations of their own (?acl, ?policy, ...):
 * S3's answer about those that were never set, and NotImplemented for the rest, which
 * s3_unserved.def lists. Nothing can be set here, so nothing ever was. */
#include "answer.h"
#include "aws_xml.h"
#include "query.h"
#include "s3_errors.h"
#include "s3_operations.h"
#include "s3_xml.h"

#define NO_ERROR S3_ERROR_COUNT

struct subresource {
    const char *name;
    enum s3_level level;
    /* The answer to GET: this error, or (NO_ERROR) what `get` writes; with neither GET is not
     * implemented. */
    enum s3_error_id unset;
    void (*get)(struct s3_call *call);
    bool delete_is_done; /* DELETE of what is not there: 204 */
};

/* --- the answers that are not errors --- */

static void get_acl(struct s3_call *call)
{
    s3_xml_begin(call, "AccessControlPolicy");
    s3_xml_owner(call, "Owner");
    s3_xml_open(call, "AccessControlList");
    s3_xml_open(call, "Grant");
    buf_append_cstr(&call->exchange->reply.body,
                    "<Grantee xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" "
                    "xsi:type=\"CanonicalUser\">");
    s3_xml_text(call, "ID", SPAN_LIT(S3_OWNER_ID));
    s3_xml_close(call, "Grantee");
    s3_xml_text(call, "Permission", SPAN_LIT("FULL_CONTROL"));
    s3_xml_close(call, "Grant");
    s3_xml_close(call, "AccessControlList");
    s3_xml_end(call, "AccessControlPolicy");
}

static void get_location(struct s3_call *call)
{
    struct span region = call->bucket.region;
    s3_xml_begin(call, "LocationConstraint");
    if (!span_equal_cstr(region, "us-east-1")) {
        aws_xml_escape(&call->exchange->reply.body, region);
    }
    s3_xml_end(call, "LocationConstraint");
}

static void get_empty(struct s3_call *call, const char *root)
{
    s3_xml_begin(call, root);
    s3_xml_end(call, root);
}

static void get_versioning(struct s3_call *call)
{
    get_empty(call, "VersioningConfiguration");
}

/* BucketLoggingStatus has a namespace of its own. */
static void get_logging(struct s3_call *call)
{
    buf_append_cstr(&call->exchange->reply.body,
                    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<BucketLoggingStatus "
                    "xmlns=\"http://doc.s3.amazonaws.com/2006-03-01\">");
    s3_xml_end(call, "BucketLoggingStatus");
}

static void get_notification(struct s3_call *call)
{
    get_empty(call, "NotificationConfiguration");
}

static void get_accelerate(struct s3_call *call)
{
    get_empty(call, "AccelerateConfiguration");
}

static void get_payment(struct s3_call *call)
{
    s3_xml_begin(call, "RequestPaymentConfiguration");
    s3_xml_text(call, "Payer", SPAN_LIT("BucketOwner"));
    s3_xml_end(call, "RequestPaymentConfiguration");
}

/* Every new bucket since 2023 has everything encrypted with S3's own keys, nothing public, and its
 * owner as the owner of everything in it (so that ACLs are refused). */
static void get_encryption(struct s3_call *call)
{
    s3_xml_begin(call, "ServerSideEncryptionConfiguration");
    s3_xml_open(call, "Rule");
    s3_xml_open(call, "ApplyServerSideEncryptionByDefault");
    s3_xml_text(call, "SSEAlgorithm", SPAN_LIT("AES256"));
    s3_xml_close(call, "ApplyServerSideEncryptionByDefault");
    s3_xml_text(call, "BucketKeyEnabled", SPAN_LIT("false"));
    s3_xml_close(call, "Rule");
    s3_xml_end(call, "ServerSideEncryptionConfiguration");
}

static void get_public_access_block(struct s3_call *call)
{
    static const char *const guards[] = {"BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy",
                                         "RestrictPublicBuckets"};
    s3_xml_begin(call, "PublicAccessBlockConfiguration");
    for (size_t i = 0; i < ARRAY_COUNT(guards); i++) {
        s3_xml_text(call, guards[i], SPAN_LIT("true"));
    }
    s3_xml_end(call, "PublicAccessBlockConfiguration");
}

static void get_ownership(struct s3_call *call)
{
    s3_xml_begin(call, "OwnershipControls");
    s3_xml_open(call, "Rule");
    s3_xml_text(call, "ObjectOwnership", SPAN_LIT("BucketOwnerEnforced"));
    s3_xml_close(call, "Rule");
    s3_xml_end(call, "OwnershipControls");
}

static void get_object_tags(struct s3_call *call)
{
    s3_xml_begin(call, "Tagging");
    s3_xml_text(call, "TagSet", SPAN_EMPTY);
    s3_xml_end(call, "Tagging");
}

static const struct subresource subresources[] = {
    {"acl", S3_BUCKET, NO_ERROR, get_acl, false},
    {"location", S3_BUCKET, NO_ERROR, get_location, false},
    {"versioning", S3_BUCKET, NO_ERROR, get_versioning, false},
    {"logging", S3_BUCKET, NO_ERROR, get_logging, false},
    {"notification", S3_BUCKET, NO_ERROR, get_notification, false},
    {"accelerate", S3_BUCKET, NO_ERROR, get_accelerate, false},
    {"requestPayment", S3_BUCKET, NO_ERROR, get_payment, false},
    {"policy", S3_BUCKET, S3_ERROR_NO_SUCH_BUCKET_POLICY, NULL, true},
    {"policyStatus", S3_BUCKET, S3_ERROR_NO_SUCH_BUCKET_POLICY, NULL, false},
    {"tagging", S3_BUCKET, S3_ERROR_NO_SUCH_TAG_SET, NULL, true},
    {"lifecycle", S3_BUCKET, S3_ERROR_NO_SUCH_LIFECYCLE, NULL, true},
    {"cors", S3_BUCKET, S3_ERROR_NO_SUCH_CORS, NULL, true},
    {"website", S3_BUCKET, S3_ERROR_NO_SUCH_WEBSITE, NULL, true},
    {"encryption", S3_BUCKET, NO_ERROR, get_encryption, true},
    {"replication", S3_BUCKET, S3_ERROR_NO_REPLICATION, NULL, true},
    {"object-lock", S3_BUCKET, S3_ERROR_NO_OBJECT_LOCK, NULL, false},
    {"publicAccessBlock", S3_BUCKET, NO_ERROR, get_public_access_block, false},
    {"ownershipControls", S3_BUCKET, NO_ERROR, get_ownership, false},
    {"versions", S3_BUCKET, NO_ERROR, NULL, false},
    /* Parameters that select an operation with one method: with another method the request must not
     * be taken for the plain one (DELETE /bucket?delete). */
    {"delete", S3_BUCKET, NO_ERROR, NULL, false},
    {"uploads", S3_BUCKET, NO_ERROR, NULL, false},
    {"acl", S3_OBJECT, NO_ERROR, get_acl, false},
    {"tagging", S3_OBJECT, NO_ERROR, get_object_tags, true},
    {"partNumber", S3_OBJECT, NO_ERROR, NULL, false},
    {"uploadId", S3_OBJECT, NO_ERROR, NULL, false},
    {"uploads", S3_OBJECT, NO_ERROR, NULL, false},
};

/* Sub-resources of operations that are not served; many have a row above all the same. */
static const struct subresource unserved[] = {
#define X(operation, method, level, subresource) {subresource, S3_##level, NO_ERROR, NULL, false},
#include "s3_unserved.def"
#undef X
};

static const struct subresource *subresource_row(const struct subresource *rows, size_t count,
                                                 enum s3_level level, struct span name)
{
    for (size_t i = 0; i < count && name.len > 0; i++) {
        if (rows[i].level == level && span_equal_cstr(name, rows[i].name)) {
            return &rows[i];
        }
    }
    return NULL;
}

static const struct subresource *subresource_find(const struct s3_call *call)
{
    const struct subresource *row = NULL;
    struct span query = call->exchange->request.query;
    struct query_parameter parameter;
    while (row == NULL && query_next(&query, &parameter)) {
        enum s3_level level = s3_level(call);
        row = subresource_row(subresources, ARRAY_COUNT(subresources), level, parameter.name);
        if (row == NULL) {
            row = subresource_row(unserved, ARRAY_COUNT(unserved), level, parameter.name);
        }
    }
    return row;
}

bool s3_subresource_is_named(const struct s3_call *call)
{
    return subresource_find(call) != NULL;
}

static enum handled answer_not_implemented(struct s3_call *call, const struct subresource *row)
{
    struct aws_error_detail details[] = {{"Header", span_from_cstr(row->name)}, {NULL, SPAN_EMPTY}};
    answer_hint(call->exchange, "%.*s ?%s is not implemented here: nothing was changed",
                SPAN_ARG(call->exchange->request.method_name), row->name);
    return s3_error_with(call, S3_ERROR_NOT_IMPLEMENTED, details);
}

static bool object_is_there(struct s3_call *call)
{
    struct store_object object;
    return s3_level(call) == S3_BUCKET || s3_call_object(call, &object);
}

enum handled s3_subresource(struct s3_call *call)
{
    const struct subresource *row = subresource_find(call);
    enum http_method method = call->exchange->request.method;
    if (!s3_call_bucket(call)) {
        return HANDLED;
    }
    if (method == METHOD_DELETE && row->delete_is_done) {
        if (object_is_there(call)) {
            call->exchange->reply.status = 204;
        }
        return HANDLED;
    }
    /* Of a bucket whose owner owns everything in it no ACL can be set. */
    if (method == METHOD_PUT && row->get == get_acl) {
        return s3_error(call, S3_ERROR_ACL_NOT_SUPPORTED);
    }
    if (method == METHOD_GET && row->unset != NO_ERROR) {
        struct aws_error_detail details[] = {{"BucketName", call->bucket_name}, {NULL, SPAN_EMPTY}};
        return s3_error_with(call, row->unset, details);
    }
    if (method == METHOD_GET && row->get != NULL) {
        if (object_is_there(call)) {
            row->get(call);
        }
        return HANDLED;
    }
    return answer_not_implemented(call, row);
}

enum handled s3_options_request(struct s3_call *call)
{
    if (s3_header(call, "origin").len == 0) {
        return s3_error_text(call, S3_ERROR_BAD_REQUEST,
                             SPAN_LIT("Insufficient information. Origin request header needed."),
                             NULL);
    }
    return s3_error(call, S3_ERROR_CORS_NOT_ENABLED);
}
