/* The configuration: one table of keys drives flags, environment, .env, defaults, `config show` and
 * the docs. Precedence: flag, environment, .env in the working directory, default. */
#ifndef PINPIPE_CONFIG_H
#define PINPIPE_CONFIG_H

#include "error.h"
#include "span.h"

struct config;

enum config_origin { ORIGIN_UNSET, ORIGIN_DEFAULT, ORIGIN_DOTENV, ORIGIN_ENVIRONMENT, ORIGIN_FLAG };

struct config_key {
    const char *name;     /* as the workshop writes it: "invoke_URL" */
    const char *flag;     /* "invoke-url" */
    const char *fallback; /* NULL: unset */
    bool secret;          /* printed as *** */
    const char *argument; /* "URL" */
    const char *help;
};

extern const struct config_key config_keys[];
extern const size_t config_key_count;

/* The value and where it came from; the name must be in the table. NULL when unset. */
const char *config_get(const struct config *config, const char *name);
enum config_origin config_get_origin(const struct config *config, const char *name);

#endif
