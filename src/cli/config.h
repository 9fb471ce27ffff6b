/* The configuration: one table of keys drives flags, environment, .env, defaults, `config show` and
 * the docs. Precedence: flag, environment, .env in the working directory, default. */
#ifndef PINPIPE_CONFIG_H
#define PINPIPE_CONFIG_H

#include "arena.h"
#include "error.h"

enum config_origin { ORIGIN_UNSET, ORIGIN_DEFAULT, ORIGIN_DOTENV, ORIGIN_ENVIRONMENT, ORIGIN_FLAG };

struct config_key {
    const char *name;     /* as the workshop writes it: "invoke_URL" */
    const char *flag;     /* "invoke-url" */
    const char *fallback; /* NULL: unset */
    bool secret;          /* printed as *** */
    const char *argument; /* "URL" */
    const char *help;
};

enum { CONFIG_KEYS_MAX = 24 };

extern const struct config_key config_keys[];
extern const size_t config_key_count;

struct config_value {
    const char *text;
    enum config_origin origin;
};

struct config {
    struct config_value values[CONFIG_KEYS_MAX];
};

/* Defaults, then .env (when there is one), then the environment. INVALID names file and line. */
enum status config_load(struct config *config, struct arena *arena, const char *dotenv_path,
                        struct error *err) PP_MUST_USE;
/* True for the key's name, as written or in upper case. */
bool config_is_key(const struct config_key *key, struct span name);
/* Position of the key with this flag, or SIZE_MAX. */
size_t config_find_flag(struct span flag);
void config_set_flag(struct config *config, size_t key, const char *text);

/* The value and where it came from; the name must be in the table. NULL when unset. */
const char *config_get(const struct config *config, const char *name);
enum config_origin config_get_origin(const struct config *config, const char *name);
const char *config_origin_name(enum config_origin origin);

#endif
