/* The account behind every ARN. The workshop's newest edition gives its participants their own
 * account's number as user id, so such an id is the account. */
#include "aws_identity.h"

#include <stdbool.h>
#include <string.h>

#define EXAMPLE_ACCOUNT "123456789012" /* of AWS's own documentation */

void aws_identity_init(struct aws_identity *identity, const char *user_id, const char *region)
{
    enum { digits = AWS_ACCOUNT_BYTES - 1 };
    bool is_account = strlen(user_id) == digits && strspn(user_id, "0123456789") == digits;
    *identity = (struct aws_identity){.user_id = user_id, .region = region};
    memcpy(identity->account, is_account ? user_id : EXAMPLE_ACCOUNT, AWS_ACCOUNT_BYTES);
}
