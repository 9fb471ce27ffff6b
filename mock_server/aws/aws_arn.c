/* ARNs of the one account: a service says its name and what the resource is called. */
#include "aws_arn.h"

bool aws_arn_parse(struct span text, struct aws_arn *out)
{
    struct span prefix = SPAN_LIT("arn:aws:");
    struct span rest = span_skip(text, prefix.len);
    struct aws_arn arn;
    if (!span_starts_with(text, prefix) || !span_next_part(&rest, ':', &arn.service) ||
        !span_next_part(&rest, ':', &arn.region) || !span_next_part(&rest, ':', &arn.account) ||
        arn.service.len == 0 || rest.len == 0) {
        return false;
    }
    arn.resource = rest;
    *out = arn;
    return true;
}

char *aws_arn_new(struct arena *arena, const struct aws_identity *identity, const char *service,
                  struct span resource)
{
    return arena_printf(arena, "arn:aws:%s:%s:%s:%.*s", service, identity->region,
                        identity->account, SPAN_ARG(resource));
}

char *aws_arn_user(struct arena *arena, const struct aws_identity *identity)
{
    return arena_printf(arena, "arn:aws:iam::%s:user/%s", identity->account, identity->user_id);
}
