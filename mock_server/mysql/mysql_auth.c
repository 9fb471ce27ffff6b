#include "mysql_auth.h"

#include "digest.h"
#include "env.h"

#include <string.h>

static const char *const plugin_names[] = {
    [MYSQL_PLUGIN_SHA2] = "caching_sha2_password",
    [MYSQL_PLUGIN_NATIVE] = "mysql_native_password",
};

const char *mysql_plugin_name(enum mysql_plugin plugin)
{
    PP_ASSERT((size_t)plugin < ARRAY_COUNT(plugin_names));
    return plugin_names[plugin];
}

enum mysql_plugin mysql_plugin_find(struct span name)
{
    for (size_t i = 0; i < ARRAY_COUNT(plugin_names); i++) {
        if (span_equal_cstr(name, plugin_names[i])) {
            return (enum mysql_plugin)i;
        }
    }
    return MYSQL_PLUGIN_OTHER;
}

void mysql_salt_make(struct env *env, char out[MYSQL_SALT_BYTES])
{
    for (size_t i = 0; i < MYSQL_SALT_BYTES; i++) {
        /* 7 bits, as MySQL's own: some clients take the salt for a text. */
        char byte = (char)(1 + env_random_below(env, 126));
        out[i] = byte >= '$' ? (char)(byte + 1) : byte;
    }
}

/* Native: SHA1(pw) XOR SHA1(salt + SHA1(SHA1(pw))); sha2: SHA256(pw) XOR SHA256(SHA256(SHA256(pw))
 * + salt). */
size_t mysql_proof(struct crypto *crypto, enum mysql_plugin plugin, struct span password,
                   const char salt[MYSQL_SALT_BYTES], unsigned char *out)
{
    bool native = plugin == MYSQL_PLUGIN_NATIVE;
    enum digest_kind kind = native ? DIGEST_SHA1 : DIGEST_SHA256;
    char joined[MYSQL_SALT_BYTES + DIGEST_BYTES_MAX];
    if (password.len == 0) {
        return 0;
    }
    struct digest_value once = digest_of(crypto, kind, password);
    struct digest_value twice = digest_of(crypto, kind, digest_span(&once));
    memcpy(joined, native ? salt : (const char *)twice.bytes,
           native ? MYSQL_SALT_BYTES : twice.len);
    memcpy(joined + (native ? MYSQL_SALT_BYTES : twice.len),
           native ? (const char *)twice.bytes : salt, native ? twice.len : MYSQL_SALT_BYTES);
    struct digest_value mask =
        digest_of(crypto, kind, span_from(joined, MYSQL_SALT_BYTES + twice.len));
    for (size_t i = 0; i < once.len; i++) {
        out[i] = once.bytes[i] ^ mask.bytes[i];
    }
    return once.len;
}

bool mysql_proof_is_empty(struct span proof)
{
    return proof.len == 0 || (proof.len == 1 && proof.ptr[0] == '\0');
}

bool mysql_proof_is_right(struct crypto *crypto, enum mysql_plugin plugin, struct span password,
                          const char salt[MYSQL_SALT_BYTES], struct span proof)
{
    unsigned char expected[MYSQL_SHA2_BYTES];
    size_t len = mysql_proof(crypto, plugin, password, salt, expected);
    if (len == 0) {
        return mysql_proof_is_empty(proof);
    }
    return digest_text_equal(span_from((const char *)expected, len), proof);
}
