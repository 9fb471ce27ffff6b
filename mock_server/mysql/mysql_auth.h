/* Proofs of a password against the server's salt: mysql_native_password and caching_sha2_password.
 * The server knows the password, so that both are settled with the client's first answer. */
#ifndef PINPIPE_MYSQL_AUTH_H
#define PINPIPE_MYSQL_AUTH_H

#include "span.h"

struct crypto;
struct env;

enum { MYSQL_SALT_BYTES = 20, MYSQL_NATIVE_BYTES = 20, MYSQL_SHA2_BYTES = 32 };

enum mysql_plugin {
    MYSQL_PLUGIN_SHA2,
    MYSQL_PLUGIN_NATIVE,
    MYSQL_PLUGIN_OTHER, /* none that is spoken here: the client is asked for the native one */
};

const char *mysql_plugin_name(enum mysql_plugin plugin); /* not OTHER's */
enum mysql_plugin mysql_plugin_find(struct span name);

/* Random bytes, none of them NUL or '$'. */
void mysql_salt_make(struct env *env, char out[MYSQL_SALT_BYTES]);
/* What a client sends that knows the password; empty for an empty one. `out` has room for
 * MYSQL_SHA2_BYTES. Asserts that crypto_ready has succeeded. */
size_t mysql_proof(struct crypto *crypto, enum mysql_plugin plugin, struct span password,
                   const char salt[MYSQL_SALT_BYTES], unsigned char *out);
/* Does the client's answer say that it sent no password? A lone NUL is how some write it. */
bool mysql_proof_is_empty(struct span proof);
bool mysql_proof_is_right(struct crypto *crypto, enum mysql_plugin plugin, struct span password,
                          const char salt[MYSQL_SALT_BYTES], struct span proof);

#endif
