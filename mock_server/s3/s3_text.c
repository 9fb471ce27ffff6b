/* Small things that several operations of S3 need. */
#include "s3_internal.h"

enum handled s3_invalid_argument(struct s3_call *call, const char *message, const char *name,
                                 struct span value)
{
    const struct aws_error_detail details[] = {
        {"ArgumentName", span_from_cstr(name)}, {"ArgumentValue", value}, {NULL, SPAN_EMPTY}};
    return s3_error_text(call, S3_ERROR_INVALID_ARGUMENT, span_from_cstr(message), details);
}

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
