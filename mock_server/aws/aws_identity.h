/* The one account of this cloud, its user, its region and its key, for every service that makes
 * ARNs or checks signatures. */
#ifndef PINPIPE_AWS_IDENTITY_H
#define PINPIPE_AWS_IDENTITY_H

#include "base.h"

enum { AWS_ACCOUNT_BYTES = 13 }; /* twelve digits and the NUL */

/* The texts are the caller's and outlive the identity. */
struct aws_identity {
    char account[AWS_ACCOUNT_BYTES];
    const char *user_id; /* the workshop participant's: the IAM user's name */
    const char *region;  /* "us-east-1" */
    /* Where both are NULL nobody has to sign. */
    const char *access_key;
    const char *secret;
};

/* Makes an identity without a key; a caller that wants one sets it afterwards. The account's number
 * is the user id where that is one, and otherwise 123456789012. */
void aws_identity_init(struct aws_identity *identity, const char *user_id, const char *region);

#endif
