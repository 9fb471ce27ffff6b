/* The three headers of SSE-C: algorithm, key and the key's MD5. Their faults have sentences of
 * their own, all about one argument. */
#include "s3_customer_keys.h"

#include "s3_errors.h"

struct customer_key_headers {
    const char *algorithm;
    const char *key;
    const char *digest;
};

static const struct customer_key_headers headers_of[] = {
    [S3_KEY_OF_OBJECT] = {"x-amz-server-side-encryption-customer-algorithm",
                          "x-amz-server-side-encryption-customer-key",
                          "x-amz-server-side-encryption-customer-key-MD5"},
    [S3_KEY_OF_SOURCE] = {"x-amz-copy-source-server-side-encryption-customer-algorithm",
                          "x-amz-copy-source-server-side-encryption-customer-key",
                          "x-amz-copy-source-server-side-encryption-customer-key-MD5"},
};

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

bool s3_customer_key_is_whole(struct s3_call *call, enum s3_key_of of, bool *given)
{
    const struct customer_key_headers *headers = &headers_of[of];
    bool algorithm = s3_has_header(call, headers->algorithm);
    bool key = s3_has_header(call, headers->key);
    bool digest = s3_has_header(call, headers->digest);
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
    struct span name = s3_header(call, headers->algorithm);
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

bool s3_customer_key_is_absent(struct s3_call *call, enum s3_key_of of)
{
    bool given;
    if (!s3_customer_key_is_whole(call, of, &given)) {
        return false;
    }
    if (given) {
        s3_error_text(call, S3_ERROR_INVALID_REQUEST,
                      SPAN_LIT("The encryption parameters are not applicable to this object."),
                      NULL);
    }
    return !given;
}
