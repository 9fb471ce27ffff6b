/* The ARNs of MSK Connect's resources: <kind>/<name>/<uuid>-2. */
#include "aws_arn.h"
#include "msk_internal.h"

const char *msk_arn_new(const struct msk_call *call, const char *kind, struct span name)
{
    struct arena *arena = &call->exchange->arena;
    char uuid[ENV_UUID_BYTES];
    env_uuid(call->msk->options.env, uuid);
    char *resource = arena_printf(arena, "%s/%.*s/%s-2", kind, SPAN_ARG(name), uuid);
    return resource != NULL ? aws_arn_new(arena, call->msk->options.identity, MSK_SERVICE,
                                          span_from_cstr(resource))
                            : NULL;
}

bool msk_arn_name(struct span text, const char *kind, struct span *name)
{
    struct aws_arn arn;
    struct span part;
    if (!aws_arn_parse(text, &arn) || !span_equal_cstr(arn.service, MSK_SERVICE)) {
        return false;
    }
    /* No resource of MSK Connect has a colon in its name: what follows one is none of its ARN. */
    struct span rest = span_first(arn.resource, span_find_byte(arn.resource, ':'));
    return span_next_part(&rest, '/', &part) && span_equal_cstr(part, kind) &&
           span_next_part(&rest, '/', name) && rest.len > 0;
}
