/* Worker configurations: kept as they were sent. Of what is in them, only the converters matter
 * here; a connector that sets none of its own gets them. */
#include "base64.h"
#include "msk_internal.h"
#include "properties.h"

#define DEFAULT_CONVERTER "org.apache.kafka.connect.storage.StringConverter"

static const struct msk_rule rules[] = {
    {"name", MSK_TEXT, MSK_REQUIRED, 1, MSK_NAME_BYTES_MAX, NULL, MSK_NONE},
    {"description", MSK_TEXT, MSK_OPTIONAL, 0, 1024, NULL, MSK_NONE},
    {"propertiesFileContent", MSK_TEXT, MSK_REQUIRED, 0, 0, NULL, MSK_PROPERTIES},
    {"tags", MSK_OBJECT, MSK_OPTIONAL, 0, 0, NULL, MSK_NONE},
    {"name", MSK_IDENTIFIER, MSK_REQUIRED, 0, 0, NULL, MSK_NAME},
};

#define BRIEFLY (MSK_KEPT | MSK_LISTED | MSK_CREATED)

/* The revision is described at the end, together with the file that is kept beside it. */
static const struct msk_field fields[] = {
    {"creationTime", MSK_SHOWN | MSK_CREATED, MSK_TIME, NULL},
    {"description", MSK_SHOWN | MSK_NOT_EMPTY, MSK_NONE, NULL},
    {"latestRevision.creationTime", BRIEFLY, MSK_TIME, NULL},
    {"latestRevision.description", BRIEFLY | MSK_NOT_EMPTY, MSK_NONE, "description"},
    {"latestRevision.revision", BRIEFLY, MSK_REVISION, NULL},
    {"name", MSK_SHOWN | MSK_CREATED, MSK_NONE, NULL},
    {"workerConfigurationArn", MSK_SHOWN | MSK_CREATED | MSK_CHANGED, MSK_ARN, NULL},
    {"workerConfigurationState", MSK_SHOWN | MSK_CREATED | MSK_CHANGED, MSK_STATE, NULL},
    {"propertiesFileContent", MSK_KEPT, MSK_NONE, NULL},
    {"latestRevision.creationTime", MSK_DESCRIBED, MSK_NONE, NULL},
    {"latestRevision.description", MSK_DESCRIBED, MSK_NONE, NULL},
    {"latestRevision.revision", MSK_DESCRIBED, MSK_NONE, NULL},
    {"latestRevision.propertiesFileContent", MSK_DESCRIBED, MSK_NONE, "propertiesFileContent"},
};

/* --- converters --- */

static const char *const sides[] = {"key.converter", "value.converter"};

struct converters {
    struct arena *arena;
    struct connect_entries *entries;
    bool wanted[ARRAY_COUNT(sides)]; /* not set by the connector */
    bool found[ARRAY_COUNT(sides)];
};

static enum status converters_take(void *ctx, const struct property *property, struct error *err)
{
    struct converters *c = ctx;
    for (size_t i = 0; i < ARRAY_COUNT(sides); i++) {
        struct span side = span_from_cstr(sides[i]);
        struct span setting = span_skip(property->key, side.len); /* ".schemas.enable" */
        if (!c->wanted[i] || !span_starts_with(property->key, side) ||
            (setting.len > 0 && setting.ptr[0] != '.')) {
            continue;
        }
        const char *key = arena_copy_cstr(c->arena, property->key);
        const char *value = arena_copy_cstr(c->arena, property->value);
        c->found[i] |= setting.len == 0;
        if (key == NULL || value == NULL ||
            !connect_entries_set(c->entries, span_from_cstr(key), span_from_cstr(value))) {
            return error_no_memory(err);
        }
    }
    return STATUS_OK;
}

bool msk_worker_converters(const struct msk_call *call, struct span worker_document,
                           struct connect_entries *entries)
{
    struct arena *arena = &call->exchange->arena;
    struct converters c = {.arena = arena, .entries = entries};
    struct buf text;
    struct error err;
    for (size_t i = 0; i < ARRAY_COUNT(sides); i++) {
        c.wanted[i] = connect_entries_find(entries, sides[i]) == NULL;
    }
    buf_init(&text, MSK_BODY_BYTES_MAX);
    base64_decode(msk_member_text(arena, worker_document, "propertiesFileContent"), &text);
    bool good = properties_read(buf_span(&text), converters_take, &c, &err) == STATUS_OK;
    buf_release(&text);
    for (size_t i = 0; i < ARRAY_COUNT(sides) && good; i++) {
        good = !c.wanted[i] || c.found[i] ||
               connect_entries_set(entries, span_from_cstr(sides[i]), SPAN_LIT(DEFAULT_CONVERTER));
    }
    return good || msk_refuse_memory(call);
}

/* --- creating --- */

/* The content must be Base64 of .properties text. */
static bool worker_content_look(const struct msk_call *call, struct msk_resource *r)
{
    struct converters none = {.arena = NULL};
    struct buf text;
    struct error err;
    buf_init(&text, MSK_BODY_BYTES_MAX);
    bool good = base64_decode(r->values[MSK_PROPERTIES], &text);
    if (!good) {
        answer_hint(call->exchange,
                    "propertiesFileContent is the file in Base64: with the aws CLI, "
                    "--properties-file-content \"$(base64 -w0 worker.properties)\"");
        msk_refuse(call->exchange, MSK_BAD_REQUEST,
                   "Invalid request body: propertiesFileContent must be Base64");
    } else if (properties_read(buf_span(&text), converters_take, &none, &err) != STATUS_OK) {
        good = msk_refuse(call->exchange, MSK_BAD_REQUEST,
                          "Invalid request body: propertiesFileContent: %s", err.message);
    }
    buf_release(&text);
    r->values[MSK_STATE] = SPAN_LIT("ACTIVE");
    return good;
}

const struct msk_kind msk_workers = {
    .name = "worker-configuration",
    .list = "workerConfigurations",
    .prefix = "namePrefix",
    .created_state = "ACTIVE",
    .rules = rules,
    .rule_count = ARRAY_COUNT(rules),
    .fields = fields,
    .field_count = ARRAY_COUNT(fields),
    .look = worker_content_look,
    .keep = msk_resource_keep,
};
