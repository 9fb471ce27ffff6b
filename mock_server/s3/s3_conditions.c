/* Conditional requests: If-(None-)Match and If-(Un)Modified-Since for reads and copies, If-Match
 * and If-None-Match for writes. Where both kinds are there the entity tag decides (RFC 9110 section
 * 13.2.2), as S3 documents it. */
#include "s3_conditions.h"

#include "s3_errors.h"
#include "s3_headers.h"
#include "s3_time.h"

#include <string.h>

/* Is the tag in the list ("a", W/"b", c or *)? */
static bool etag_is_listed(struct span list, struct span etag)
{
    struct span part;
    while (span_next_part(&list, ',', &part)) {
        part = span_trim(part);
        if (span_equal_cstr(part, "*")) {
            return true;
        }
        if (span_starts_with(part, SPAN_LIT("W/"))) {
            part = span_skip(part, 2);
        }
        if (span_equal(s3_etag_bare(part), etag)) {
            return true;
        }
    }
    return false;
}

static bool precondition_refuse(struct s3_call *call, const char *condition)
{
    struct aws_error_detail details[] = {{"Condition", span_from_cstr(condition)},
                                         {NULL, SPAN_EMPTY}};
    s3_error_with(call, S3_ERROR_PRECONDITION_FAILED, details);
    return false;
}

/* --- reads and copies --- */

struct conditions {
    struct span match;
    struct span none_match;
    struct span modified_since;
    struct span unmodified_since;
};

static struct span prefixed_header(struct s3_call *call, const char *prefix, const char *name)
{
    char whole[64];
    size_t len = strlen(prefix);
    PP_ASSERT(len + strlen(name) < sizeof(whole));
    memcpy(whole, prefix, len);
    memcpy(whole + len, name, strlen(name) + 1);
    return s3_header(call, whole);
}

static bool precondition_refuse_read(struct s3_call *call, const char *prefix, const char *name)
{
    return precondition_refuse(call, arena_printf(&call->exchange->arena, "%s%s", prefix, name));
}

/* A read is answered 304, because the client has the object already; a copy has no such answer. */
static bool answer_unchanged(struct s3_call *call, const struct store_object *object,
                             const char *prefix, const char *name)
{
    if (prefix[0] != '\0') {
        return precondition_refuse_read(call, prefix, name);
    }
    s3_headers_give(call, object, false);
    call->exchange->reply.content_type = NULL;
    call->exchange->reply.status = 304;
    return false;
}

/* A date that cannot be read is no condition; nor is one that has not come yet (RFC 2616 section
 * 14.25, which S3 keeps to). */
static bool is_unmodified_since(struct s3_call *call, const struct store_object *object,
                                struct span date)
{
    int64_t seconds;
    return s3_time_parse(date, &seconds) && object->modified_ms / 1000 <= seconds &&
           seconds <= s3_now_ms(call) / 1000;
}

static bool is_modified_since(const struct store_object *object, struct span date)
{
    int64_t seconds;
    return s3_time_parse(date, &seconds) && object->modified_ms / 1000 > seconds;
}

bool s3_conditions_hold(struct s3_call *call, const struct store_object *object, const char *prefix)
{
    struct conditions when = {
        .match = prefixed_header(call, prefix, "if-match"),
        .none_match = prefixed_header(call, prefix, "if-none-match"),
        .modified_since = prefixed_header(call, prefix, "if-modified-since"),
        .unmodified_since = prefixed_header(call, prefix, "if-unmodified-since"),
    };
    if (when.match.len > 0) {
        if (!etag_is_listed(when.match, object->etag)) {
            return precondition_refuse_read(call, prefix, "If-Match");
        }
    } else if (is_modified_since(object, when.unmodified_since)) {
        return precondition_refuse_read(call, prefix, "If-Unmodified-Since");
    }
    if (when.none_match.len > 0) {
        if (etag_is_listed(when.none_match, object->etag)) {
            return answer_unchanged(call, object, prefix, "If-None-Match");
        }
    } else if (is_unmodified_since(call, object, when.modified_since)) {
        return answer_unchanged(call, object, prefix, "If-Modified-Since");
    }
    return true;
}

/* --- writes --- */

static bool condition_refuse(struct s3_call *call, const char *header, const char *more)
{
    struct aws_error_detail details[] = {{"Header", span_from_cstr(header)},
                                         {"additionalMessage", span_from_cstr(more)},
                                         {NULL, SPAN_EMPTY}};
    s3_error_with(call, S3_ERROR_NOT_IMPLEMENTED, details);
    return false;
}

static bool missing_key_refuse(struct s3_call *call)
{
    struct aws_error_detail details[] = {{"Key", call->key}, {NULL, SPAN_EMPTY}};
    s3_error_with(call, S3_ERROR_NO_SUCH_KEY, details);
    return false;
}

bool s3_write_conditions_hold(struct s3_call *call, const struct store_object *object)
{
    struct span match = s3_header(call, "if-match");
    struct span none_match = s3_header(call, "if-none-match");
    if (match.len > 0 && none_match.len > 0) {
        return condition_refuse(call, "If-Match,If-None-Match",
                                "Multiple conditional request headers present in the request");
    }
    if (none_match.len > 0) {
        if (!span_equal_cstr(none_match, "*")) {
            return condition_refuse(
                call, "If-None-Match",
                "We don't accept the provided value of If-None-Match header for this API");
        }
        return object == NULL || precondition_refuse(call, "If-None-Match");
    }
    if (match.len == 0) {
        return true;
    }
    if (span_equal_cstr(match, "*")) {
        return condition_refuse(
            call, "If-Match", "We don't accept the provided value of If-Match header for this API");
    }
    if (object == NULL) {
        return missing_key_refuse(call);
    }
    return etag_is_listed(match, object->etag) || precondition_refuse(call, "If-Match");
}

bool s3_key_may_be_written(struct s3_call *call)
{
    struct store_object present;
    bool found;
    if (!s3_has_header(call, "if-match") && !s3_has_header(call, "if-none-match")) {
        return true;
    }
    return s3_call_look_up(call, &present, &found) &&
           s3_write_conditions_hold(call, found ? &present : NULL);
}

/* Conditions that only directory buckets know; ignored, they would delete what they guard. */
static bool directory_conditions_are_absent(struct s3_call *call)
{
    static const char *const headers[] = {"x-amz-if-match-last-modified-time",
                                          "x-amz-if-match-size"};
    for (size_t i = 0; i < ARRAY_COUNT(headers); i++) {
        if (s3_has_header(call, headers[i])) {
            struct aws_error_detail details[] = {{"Header", span_from_cstr(headers[i])},
                                                 {NULL, SPAN_EMPTY}};
            s3_error_with(call, S3_ERROR_NOT_IMPLEMENTED, details);
            return false;
        }
    }
    return true;
}

bool s3_key_may_be_deleted(struct s3_call *call)
{
    struct store_object present;
    bool found;
    if (!directory_conditions_are_absent(call)) {
        return false;
    }
    if (!span_equal_cstr(s3_header(call, "if-match"), "*") ||
        s3_header(call, "if-none-match").len > 0) {
        return s3_key_may_be_written(call);
    }
    return s3_call_look_up(call, &present, &found) && (found || missing_key_refuse(call));
}
