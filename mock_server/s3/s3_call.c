/* A call's accessors. S3 is case-insensitive about headers and exact about parameters; of both only
 * the first of a name counts. */
#include "s3_call.h"

#include "answer.h"
#include "query.h"
#include "s3_errors.h"

#include <string.h>

/* --- what the request says --- */

enum s3_level s3_level(const struct s3_call *call)
{
    if (call->bucket_name.len == 0) {
        return S3_SERVICE;
    }
    return call->key.len == 0 ? S3_BUCKET : S3_OBJECT;
}

struct span s3_header(const struct s3_call *call, const char *name)
{
    return http_request_header(&call->exchange->request, name);
}

bool s3_has_header(const struct s3_call *call, const char *name)
{
    return http_request_has_header(&call->exchange->request, name);
}

bool s3_query(const struct s3_call *call, const char *name, struct span *value)
{
    /* The escapes are sound: s3_address has looked at them. */
    return query_value(call->exchange, name, value) != QUERY_ABSENT;
}

bool s3_query_number(struct s3_call *call, const char *name, int64_t max, int64_t *out)
{
    struct span text;
    int64_t number;
    if (!s3_query(call, name, &text) || text.len == 0) { /* S3 does not mind an empty one */
        return true;
    }
    bool read = span_parse_i64(text, &number) && number <= max;
    if (read && number >= 0) {
        *out = number;
        return true;
    }
    struct arena *arena = &call->exchange->arena;
    if (read) {
        name = strcmp(name, "max-keys") == 0 ? "maxKeys" : name; /* as recorded: only this one */
        s3_invalid_argument(call,
                            arena_printf(arena, "Argument %s must be an integer between 0 and %lld",
                                         name, (long long)max),
                            name, text);
        return false;
    }
    s3_invalid_argument(
        call, arena_printf(arena, "Provided %s not an integer or within integer range", name), name,
        text);
    return false;
}

int64_t s3_now_ms(const struct s3_call *call)
{
    struct env *env = call->s3->options.env;
    return env->wall_us(env) / 1000;
}

/* --- what the request is about --- */

static bool is_account(struct span text)
{
    size_t digits = 0;
    while (digits < text.len && text.ptr[digits] >= '0' && text.ptr[digits] <= '9') {
        digits++;
    }
    return digits == text.len && text.len == AWS_ACCOUNT_BYTES - 1;
}

bool s3_owner_is_expected(struct s3_call *call, const char *header)
{
    const char *account = call->s3->options.identity->account;
    struct span expected = s3_header(call, header);
    if (!s3_has_header(call, header) || span_equal_cstr(expected, account)) {
        return true;
    }
    if (is_account(expected)) {
        answer_hint(call->exchange, "%s: the account here is %s", header, account);
        s3_error(call, S3_ERROR_ACCESS_DENIED);
        return false;
    }
    const char *message = arena_printf(&call->exchange->arena,
                                       "The value of the expected bucket owner parameter must be "
                                       "an AWS Account ID... [%.*s]",
                                       SPAN_ARG(expected));
    s3_error_text(call, S3_ERROR_INVALID_BUCKET_OWNER, span_from_cstr(message), NULL);
    return false;
}

bool s3_call_bucket(struct s3_call *call)
{
    struct error err = ERROR_NONE;
    enum status status = store_bucket_find(call->s3->options.store, call->bucket_name,
                                           &call->exchange->arena, &call->bucket, &err);
    if (status == STATUS_OK) {
        return s3_owner_is_expected(call, "x-amz-expected-bucket-owner");
    }
    if (status != STATUS_NOT_FOUND) {
        s3_error_store(call, &err);
        return false;
    }
    struct aws_error_detail details[] = {{"BucketName", call->bucket_name}, {NULL, SPAN_EMPTY}};
    s3_error_with(call, S3_ERROR_NO_SUCH_BUCKET, details);
    return false;
}

/* S3 tells its own version ids from made-up ones, and no bucket here was ever given one. */
bool s3_version_fits(struct s3_call *call)
{
    struct span version;
    if (!s3_query(call, "versionId", &version) || span_equal_cstr(version, "null")) {
        return true;
    }
    s3_invalid_argument(call,
                        version.len > 0 ? "Invalid version id specified"
                                        : "Version id cannot be the empty string",
                        "versionId", version);
    return false;
}

bool s3_call_look_up(struct s3_call *call, struct store_object *out, bool *found)
{
    struct error err = ERROR_NONE;
    enum status status = store_object_find(call->s3->options.store, call->bucket.id, call->key,
                                           &call->exchange->arena, out, &err);
    *found = status == STATUS_OK;
    if (status == STATUS_OK || status == STATUS_NOT_FOUND) {
        return true;
    }
    s3_error_store(call, &err);
    return false;
}

bool s3_call_object(struct s3_call *call, struct store_object *out)
{
    bool found;
    if (!s3_version_fits(call) || !s3_call_look_up(call, out, &found)) {
        return false;
    }
    if (!found) {
        struct aws_error_detail details[] = {{"Key", call->key}, {NULL, SPAN_EMPTY}};
        s3_error_with(call, S3_ERROR_NO_SUCH_KEY, details);
    }
    return found;
}

/* --- texts --- */

struct span s3_etag_bare(struct span text)
{
    text = span_trim(text);
    if (text.len >= 2 && text.ptr[0] == '"' && text.ptr[text.len - 1] == '"') {
        return span_from(text.ptr + 1, text.len - 2);
    }
    return text;
}

bool s3_span_copy(struct arena *arena, struct span text, struct span *out)
{
    char *copy = arena_copy_cstr(arena, text);
    if (copy == NULL) {
        return false;
    }
    *out = span_from(copy, text.len);
    return true;
}

struct span s3_number_text(struct s3_call *call, uint64_t number)
{
    return span_from_cstr(arena_printf(&call->exchange->arena, "%llu", (unsigned long long)number));
}
