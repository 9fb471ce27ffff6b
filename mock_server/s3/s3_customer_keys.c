/* The three headers of SSE-C: algorithm, key and the key's MD5. Their faults have sentences of
 * their own, all about one argument. */
#include "s3_customer_keys.h"

#include "s3_errors.h"

#include <stdio.h>

static bool customer_key_has(struct s3_call *call, const char *prefix, const char *name)
{
    char header[96];
    snprintf(header, sizeof(header), "%sserver-side-encryption-customer-%s", prefix, name);
    return s3_has_header(call, header);
}

static struct span customer_key_algorithm(struct s3_call *call, const char *prefix)
{
    char header[96];
    snprintf(header, sizeof(header), "%sserver-side-encryption-customer-algorithm", prefix);
    return s3_header(call, header);
}

static bool customer_key_refuse(struct s3_call *call, const char *lacks)
{
    (void)s3_invalid_argument(call,
                              arena_printf(&call->exchange->arena,
                                           "Requests specifying Server Side Encryption with "
                                           "Customer provided keys must provide %s.",
                                           lacks),
                              "x-amz-server-side-encryption", SPAN_LIT("null"));
    return false;
}

bool s3_customer_key_is_whole(struct s3_call *call, const char *prefix, bool *given)
{
    bool algorithm = customer_key_has(call, prefix, "algorithm");
    bool key = customer_key_has(call, prefix, "key");
    bool digest = customer_key_has(call, prefix, "key-MD5");
    *given = algorithm || key || digest;
    if (!*given) {
        return true;
    }
    if (!algorithm) {
        return customer_key_refuse(call, "a valid encryption algorithm");
    }
    if (!key) {
        return customer_key_refuse(call, "an appropriate secret key");
    }
    if (!digest) {
        return customer_key_refuse(call, "the client calculated MD5 of the secret key");
    }
    struct span name = customer_key_algorithm(call, prefix);
    if (!span_equal_cstr(name, "AES256")) {
        const struct aws_error_detail details[] = {
            {"ArgumentName", SPAN_LIT("x-amz-server-side-encryption")},
            {"ArgumentValue", name},
            {NULL, SPAN_EMPTY}};
        s3_error_with(call, S3_ERROR_INVALID_ENCRYPTION_ALGORITHM, details);
        return false;
    }
    return true;
}

bool s3_customer_key_is_absent(struct s3_call *call, const char *prefix)
{
    bool given;
    if (!s3_customer_key_is_whole(call, prefix, &given)) {
        return false;
    }
    if (given) {
        s3_error_text(call, S3_ERROR_INVALID_REQUEST,
                      SPAN_LIT("The encryption parameters are not applicable to this object."),
                      NULL);
    }
    return !given;
}
