/* Buckets: listed, made, deleted, asked for. */
#include "answer.h"
#include "s3_body.h"
#include "s3_errors.h"
#include "s3_features.h"
#include "s3_operations.h"
#include "s3_xml.h"
#include "s3_xml_read.h"

#include <stdio.h>

/* A region is letters and hyphens with a digit at the end, like "eu-west-1". */
static bool is_region(struct span text)
{
    if (text.len < 9 || text.len > 32) {
        return false;
    }
    for (size_t i = 0; i + 1 < text.len; i++) {
        char ch = text.ptr[i];
        if (!(ch >= 'a' && ch <= 'z') && ch != '-') {
            return false;
        }
    }
    return text.ptr[text.len - 1] >= '1' && text.ptr[text.len - 1] <= '9' &&
           text.ptr[text.len - 2] == '-';
}

/* --- ListBuckets --- */

enum { buckets_max = 10000 };

struct bucket_listing {
    struct s3_call *call;
    struct span prefix;
    struct span region; /* only those in it; empty: in any */
    struct span after;  /* the last name of the page before; empty: from the start */
    bool with_region;   /* says so of each: when the request asks for anything at all */
    int64_t left;
    char last[64];
    bool truncated;
};

static bool list_bucket(void *ctx, const struct store_bucket *bucket)
{
    struct bucket_listing *listing = ctx;
    struct s3_call *call = listing->call;
    if (!span_starts_with(bucket->name, listing->prefix) ||
        (listing->region.len > 0 && !span_equal(bucket->region, listing->region)) ||
        (listing->after.len > 0 && span_compare(bucket->name, listing->after) <= 0)) {
        return true;
    }
    if (listing->left == 0) {
        listing->truncated = true;
        return false;
    }
    listing->left--;
    snprintf(listing->last, sizeof(listing->last), "%.*s", SPAN_ARG(bucket->name));
    s3_xml_open(call, "Bucket");
    s3_xml_text(call, "Name", bucket->name);
    s3_xml_time(call, "CreationDate", bucket->created_ms);
    if (listing->with_region) {
        s3_xml_text(call, "BucketRegion", bucket->region);
    }
    s3_xml_close(call, "Bucket");
    return true;
}

static bool refuse_listing(struct s3_call *call, const char *message, const char *name,
                           struct span value)
{
    (void)s3_invalid_argument(call, message, name, value);
    return false;
}

static bool listing_decode(struct s3_call *call, struct bucket_listing *out)
{
    struct span max = SPAN_EMPTY;
    bool has_prefix = s3_query(call, "prefix", &out->prefix);
    bool has_token = s3_query(call, "continuation-token", &out->after);
    bool has_max = s3_query(call, "max-buckets", &max);
    bool has_region = s3_query(call, "bucket-region", &out->region);
    out->with_region = has_prefix || has_token || has_max || has_region;
    if (max.len > 0 &&
        (!span_parse_i64(max, &out->left) || out->left < 1 || out->left > buckets_max)) {
        return refuse_listing(call, "Argument max-buckets must be an integer between 1 and 10000",
                              "max-buckets", max);
    }
    if (out->region.len > 0 && !is_region(out->region)) {
        return refuse_listing(call,
                              arena_printf(&call->exchange->arena,
                                           "Argument value %.*s is not a valid AWS Region",
                                           SPAN_ARG(out->region)),
                              "bucket-region", out->region);
    }
    return true;
}

/* The token of a page is the last name on it. */
enum handled s3_list_buckets(struct s3_call *call)
{
    struct error err = ERROR_NONE;
    struct bucket_listing listing = {.call = call,
                                     .prefix = SPAN_EMPTY,
                                     .region = SPAN_EMPTY,
                                     .after = SPAN_EMPTY,
                                     .left = buckets_max};
    if (!listing_decode(call, &listing)) {
        return HANDLED;
    }
    s3_xml_begin(call, "ListAllMyBucketsResult");
    s3_xml_owner(call, "Owner");
    s3_xml_open(call, "Buckets");
    if (store_buckets_visit(call->s3->options.store, list_bucket, &listing, &err) != STATUS_OK) {
        return s3_error_store(call, &err);
    }
    s3_xml_close(call, "Buckets");
    if (listing.prefix.len > 0) {
        s3_xml_text(call, "Prefix", listing.prefix);
    }
    if (listing.truncated && listing.last[0] != '\0') {
        s3_xml_text(call, "ContinuationToken", span_from_cstr(listing.last));
    }
    s3_xml_end(call, "ListAllMyBucketsResult");
    return HANDLED;
}

/* --- CreateBucket --- */

/* The region that the body asks for, or the server's. */
static bool region_take(struct s3_call *call, struct span *region)
{
    struct span bytes;
    bool had_digest; /* allowed, not asked for */
    *region = span_from_cstr(call->s3->options.identity->region);
    if (!s3_body_gathered(call, &bytes, &had_digest)) {
        return false;
    }
    if (span_trim(bytes).len == 0) {
        return true;
    }
    bool no_memory;
    const struct s3_xml_node *root = s3_xml_read(&call->exchange->arena, bytes, &no_memory);
    if (no_memory) {
        s3_error(call, S3_ERROR_INTERNAL_ERROR);
        return false;
    }
    if (root == NULL || !span_equal_cstr(root->name, "CreateBucketConfiguration")) {
        s3_error(call, S3_ERROR_MALFORMED_XML);
        return false;
    }
    const struct s3_xml_node *constraint = s3_xml_child(root, "LocationConstraint");
    if (constraint == NULL || constraint->text.len == 0) {
        return true;
    }
    *region = span_equal_cstr(constraint->text, "EU") ? SPAN_LIT("eu-west-1") : constraint->text;
    /* A bucket without a constraint is in us-east-1, and no constraint may say so. */
    if (is_region(*region) && !span_equal_cstr(*region, "us-east-1")) {
        return true;
    }
    struct aws_error_detail details[] = {{"LocationConstraint", constraint->text},
                                         {NULL, SPAN_EMPTY}};
    s3_error_with(call, S3_ERROR_INVALID_LOCATION_CONSTRAINT, details);
    return false;
}

static enum handled answer_owned(struct s3_call *call)
{
    struct aws_error_detail details[] = {{"BucketName", call->bucket_name}, {NULL, SPAN_EMPTY}};
    return s3_error_with(call, S3_ERROR_BUCKET_ALREADY_OWNED_BY_YOU, details);
}

/* Location is a path, but of a bucket made with a location constraint the bucket's whole
 * address. */
static enum handled answer_created(struct s3_call *call, bool constrained)
{
    struct arena *arena = &call->exchange->arena;
    struct span host = call->exchange->request.host;
    char *location = NULL;
    if (!constrained) {
        location = arena_printf(arena, "/%.*s", SPAN_ARG(call->bucket_name));
    } else if (call->virtual_host) {
        location = arena_printf(arena, "http://%.*s/", SPAN_ARG(host));
    } else {
        location =
            arena_printf(arena, "http://%.*s.%.*s/", SPAN_ARG(call->bucket_name), SPAN_ARG(host));
    }
    reply_add_header(&call->exchange->reply, "Location", span_from_cstr(location));
    call->exchange->reply.status = 200;
    return HANDLED;
}

enum handled s3_create_bucket(struct s3_call *call)
{
    struct error err = ERROR_NONE;
    struct span region;
    if (!region_take(call, &region) || !s3_bucket_features_exist(call)) {
        return HANDLED;
    }
    enum status status =
        store_bucket_create(call->s3->options.store, call->bucket_name, region, &err);
    bool constrained = !span_equal_cstr(region, call->s3->options.identity->region);
    if (status == STATUS_OK) {
        return answer_created(call, constrained);
    }
    if (status != STATUS_EXISTS) {
        return s3_error_store(call, &err);
    }
    if (!s3_call_bucket(call)) {
        return HANDLED;
    }
    /* Only us-east-1 forgives making one's own bucket again. */
    bool forgiven =
        span_equal_cstr(region, "us-east-1") && span_equal_cstr(call->bucket.region, "us-east-1");
    return forgiven ? answer_created(call, false) : answer_owned(call);
}

/* --- the others --- */

enum handled s3_delete_bucket(struct s3_call *call)
{
    struct error err = ERROR_NONE;
    if (!s3_call_bucket(call)) {
        return HANDLED;
    }
    enum status status = store_bucket_delete(call->s3->options.store, call->bucket.id, &err);
    if (status == STATUS_BUSY) {
        struct aws_error_detail details[] = {{"BucketName", call->bucket_name}, {NULL, SPAN_EMPTY}};
        return s3_error_with(call, S3_ERROR_BUCKET_NOT_EMPTY, details);
    }
    if (status != STATUS_OK) {
        return s3_error_store(call, &err);
    }
    call->exchange->reply.status = 204;
    return HANDLED;
}

/* POST to a bucket is a browser's form. */
enum handled s3_post_object(struct s3_call *call)
{
    static const struct span form = {"multipart/form-data", sizeof("multipart/form-data") - 1};
    if (!s3_call_bucket(call)) {
        return HANDLED;
    }
    if (span_equal_nocase(span_first(s3_header(call, "content-type"), form.len), form)) {
        answer_hint(call->exchange,
                    "uploads by a browser's form are not implemented here: nothing was stored");
        return s3_error(call, S3_ERROR_NOT_IMPLEMENTED);
    }
    struct aws_error_detail details[] = {
        {"Condition", SPAN_LIT("Bucket POST must be of the enclosure-type multipart/form-data")},
        {NULL, SPAN_EMPTY}};
    return s3_error_with(call, S3_ERROR_PRECONDITION_FAILED, details);
}

enum handled s3_head_bucket(struct s3_call *call)
{
    if (!s3_call_bucket(call)) {
        return HANDLED;
    }
    struct reply *reply = &call->exchange->reply;
    reply_add_header(reply, "x-amz-bucket-region", call->bucket.region);
    reply_add_header_cstr(reply, "x-amz-access-point-alias", "false");
    reply->content_type = "application/xml";
    reply->status = 200;
    return HANDLED;
}
