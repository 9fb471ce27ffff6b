#include "rest_properties.h"

#include "file.h"
#include "pinpipe/mock.h"
#include "properties.h"
#include "url.h"

#include <string.h>

enum { port_max = 65535 };

struct loading {
    const char *path;
    struct arena *arena;
    FILE *notes;
    struct rest_properties *out;
    int port;              /* of the deprecated `port`; -1: not given */
    const char *host_name; /* of the deprecated `host.name` */
};

typedef enum status (*take_fn)(struct loading *loading, struct span value, struct error *err);

struct known_key {
    const char *key;    /* a trailing '*' stands for any rest */
    take_fn take;       /* NULL: not used */
    const char *reason; /* why it is not used, or only in part; NULL: used as it is */
};

/* --- what is used --- */

/* The first entry of a list of URLs that has this scheme. */
static bool list_find_http(struct span list, struct url *out, struct span *entry, bool *saw_https)
{
    struct span part;
    while (span_next_part(&list, ',', &part)) {
        part = span_trim(part);
        if (!url_parse(part, out)) {
            continue;
        }
        if (span_equal_nocase(out->scheme, SPAN_LIT("http"))) {
            *entry = part;
            return true;
        }
        *saw_https = true;
    }
    return false;
}

static enum status take_listeners(struct loading *loading, struct span value, struct error *err)
{
    struct url url;
    struct span entry;
    bool saw_https = false;
    if (!list_find_http(value, &url, &entry, &saw_https)) {
        return error_set(err, STATUS_CONFIG,
                         saw_https ? "listeners: TLS is not in this build; write "
                                     "http://0.0.0.0:8082"
                                   : "listeners: not a list of URLs such as http://0.0.0.0:8082");
    }
    loading->out->rest_port = url.port;
    return STATUS_OK;
}

static enum status take_advertised(struct loading *loading, struct span value, struct error *err)
{
    struct url url;
    struct span entry;
    bool saw_https = false;
    if (!list_find_http(value, &url, &entry, &saw_https)) {
        return error_set(err, STATUS_CONFIG,
                         "advertised.listeners: not a list with a URL such as "
                         "http://my-laptop:8082");
    }
    while (entry.len > 0 && entry.ptr[entry.len - 1] == '/') {
        entry.len--;
    }
    loading->out->advertised_url = arena_copy_cstr(loading->arena, entry);
    return loading->out->advertised_url != NULL ? STATUS_OK : error_no_memory(err);
}

static enum status rest_take_port(struct loading *loading, struct span value, struct error *err)
{
    int64_t port;
    if (!span_parse_i64(value, &port) || port < 0 || port > port_max) {
        return error_set(err, STATUS_CONFIG, "port: not a number from 0 to %d", port_max);
    }
    loading->port = (int)port;
    return STATUS_OK;
}

static enum status take_host_name(struct loading *loading, struct span value, struct error *err)
{
    if (value.len == 0) {
        return STATUS_OK;
    }
    loading->host_name = arena_copy_cstr(loading->arena, value);
    return loading->host_name != NULL ? STATUS_OK : error_no_memory(err);
}

/* --- the table --- */

static const char no_cluster[] = "topics live in this server's own log, no Kafka cluster is used";
static const char no_sign_in[] = "there is no cluster to sign in to";
static const char no_registry[] =
    "there is no schema registry: the json and binary formats are served";
static const char as_default[] = "kept at the real proxy's default";
static const char plain_http[] = "TLS is not in this build: http only";

static const struct known_key known_keys[] = {
    {"listeners", take_listeners, NULL},
    {"advertised.listeners", take_advertised, NULL},
    {"port", rest_take_port, NULL},
    {"host.name", take_host_name, NULL},
    {"bootstrap.servers", NULL, no_cluster},
    {"zookeeper.connect", NULL, no_cluster},
    {"client.*", NULL, no_sign_in},
    {"schema.registry.*", NULL, no_registry},
    {"id", NULL, "it only names a proxy among several"},
    {"consumer.request.timeout.ms", NULL, as_default},
    {"consumer.request.max.bytes", NULL, as_default},
    {"consumer.instance.timeout.ms", NULL, as_default},
    {"fetch.min.bytes", NULL, as_default},
    {"producer.*", NULL, as_default},
    {"consumer.*", NULL, as_default},
    {"ssl.*", NULL, plain_http},
    {"access.control.*", NULL, "the gateway answers CORS, as in the workshop"},
    {"authentication.*", NULL, "the proxy asks for no authentication, as in the workshop"},
    {"interceptor.classes", NULL, "Java classes cannot be loaded here"},
    {"producer.interceptor.classes", NULL, "Java classes cannot be loaded here"},
    {"kafka.rest.resource.extension.class", NULL, "Java classes cannot be loaded here"},
};

static bool rest_property_fits(const char *pattern, struct span key)
{
    size_t len = strlen(pattern);
    if (pattern[len - 1] == '*') {
        return span_starts_with(key, span_from(pattern, len - 1));
    }
    return span_equal(key, span_from(pattern, len));
}

static const struct known_key *key_find(struct span key)
{
    for (size_t i = 0; i < ARRAY_COUNT(known_keys); i++) {
        if (rest_property_fits(known_keys[i].key, key)) {
            return &known_keys[i];
        }
    }
    return NULL;
}

static enum status visit(void *ctx, const struct property *property, struct error *err)
{
    struct loading *loading = ctx;
    const struct known_key *known = key_find(property->key);
    if (known == NULL || known->take == NULL) {
        fprintf(loading->notes, "%s:%d: %.*s is not used: %s\n", loading->path, property->line,
                SPAN_ARG(property->key),
                known != NULL ? known->reason : "this build does not know it");
        return STATUS_OK;
    }
    enum status status = known->take(loading, span_trim(property->value), err);
    return status == STATUS_OK ? status : error_prefix(err, "line %d", property->line);
}

/* `host.name` and `port` count only where the newer keys are missing, as in the real proxy. */
static enum status deprecated_apply(struct loading *loading, struct error *err)
{
    struct rest_properties *out = loading->out;
    if (out->rest_port < 0) {
        out->rest_port = loading->port;
    }
    if (out->advertised_url == NULL && loading->host_name != NULL) {
        struct url url;
        out->advertised_url =
            arena_printf(loading->arena, "http://%s:%d", loading->host_name,
                         out->rest_port > 0 ? out->rest_port : PINPIPE_REST_USUAL_PORT);
        if (out->advertised_url == NULL) {
            return error_no_memory(err);
        }
        if (!url_parse(span_from_cstr(out->advertised_url), &url)) {
            return error_set(err, STATUS_CONFIG, "host.name: not a host's name");
        }
    }
    return STATUS_OK;
}

enum status rest_properties_load(const char *path, struct arena *arena, FILE *notes,
                                 struct rest_properties *out, struct error *err)
{
    struct buf text;
    struct loading loading = {.path = path, .arena = arena, .notes = notes, .out = out, .port = -1};
    *out = (struct rest_properties){.rest_port = -1};
    buf_init(&text, PROPERTIES_BYTES_MAX);
    enum status status = file_read(path, &text, err);
    if (status != STATUS_OK) {
        buf_release(&text);
        error_prefix(err, "--kafka-rest-properties");
        return err->code = STATUS_CONFIG;
    }
    status = properties_read(buf_span(&text), visit, &loading, err);
    if (status == STATUS_OK) {
        status = deprecated_apply(&loading, err);
    }
    buf_release(&text);
    if (status != STATUS_OK && status != STATUS_NO_MEMORY) {
        error_prefix(err, "%s", path);
        status = err->code = STATUS_CONFIG;
    }
    return status;
}
