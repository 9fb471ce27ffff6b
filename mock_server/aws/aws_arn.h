/* Amazon resource names: arn:aws:<service>:<region>:<account>:<resource>. */
#ifndef PINPIPE_AWS_ARN_H
#define PINPIPE_AWS_ARN_H

#include "arena.h"
#include "aws_identity.h"

/* Spans into the text that was parsed. A part may be empty, as region and account are in an ARN of
 * S3. */
struct aws_arn {
    struct span service;
    struct span region;
    struct span account;
    struct span resource; /* all behind the fifth colon: "custom-plugin/u1-plugin/..." */
};

/* False: not an ARN of the partition "aws". */
bool aws_arn_parse(struct span text, struct aws_arn *out);
/* An ARN of the identity's account and region, in the arena; NULL: the arena is full. */
char *aws_arn_new(struct arena *arena, const struct aws_identity *identity, const char *service,
                  struct span resource);
/* arn:aws:iam::<account>:user/<user id>, in the arena; NULL: the arena is full. */
char *aws_arn_user(struct arena *arena, const struct aws_identity *identity);

#endif
