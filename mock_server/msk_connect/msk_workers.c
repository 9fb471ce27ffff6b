/* Worker configurations: kept as they were sent. Of what is in them, only the converters matter
 * here; a connector that sets none of its own gets them. */
#include "base64.h"
#include "msk_internal.h"
#include "properties.h"

#define DEFAULT_CONVERTER "org.apache.kafka.connect.storage.StringConverter"

static const struct msk_rule create_rules[] = {
    {"name", MSK_TEXT, MSK_REQUIRED, 1, MSK_NAME_BYTES_MAX, NULL},
    {"description", MSK_TEXT, MSK_OPTIONAL, 0, 1024, NULL},
    {"propertiesFileContent", MSK_TEXT, MSK_REQUIRED, 0, 0, NULL},
    {"tags", MSK_OBJECT, MSK_OPTIONAL, 0, 0, NULL},
};

static const struct msk_field document[] = {
    {"creationTime", MSK_FROM_FACT, MSK_FACT_CREATED, NULL},
    {"description", MSK_FROM_BODY, 0, "description"},
    {"latestRevision.creationTime", MSK_FROM_FACT, MSK_FACT_CREATED, NULL},
    {"latestRevision.description", MSK_FROM_BODY, 0, "description"},
    {"latestRevision.revision", MSK_FROM_NUMBER, 0, "1"},
    {"name", MSK_FROM_BODY, 0, NULL},
    {"workerConfigurationArn", MSK_FROM_FACT, MSK_FACT_ARN, NULL},
    {"workerConfigurationState", MSK_FROM_WORD, 0, "ACTIVE"},
    {"propertiesFileContent", MSK_FROM_BODY, 0, NULL},
};

static const struct msk_field created[] = {
    {"creationTime", MSK_FROM_FACT, MSK_FACT_CREATED, NULL},
    {"latestRevision.creationTime", MSK_FROM_FACT, MSK_FACT_CREATED, NULL},
    {"latestRevision.description", MSK_FROM_BODY, 0, "description"},
    {"latestRevision.revision", MSK_FROM_NUMBER, 0, "1"},
    {"name", MSK_FROM_BODY, 0, NULL},
    {"workerConfigurationArn", MSK_FROM_FACT, MSK_FACT_ARN, NULL},
    {"workerConfigurationState", MSK_FROM_WORD, 0, "ACTIVE"},
};

static enum status msk_worker_no_visit(void *ctx, const struct property *property,
                                       struct error *err)
{
    (void)ctx;
    (void)property;
    (void)err;
    return STATUS_OK;
}

/* Base64 of .properties text? */
static bool msk_worker_check_content(const struct msk_call *call, struct span content)
{
    struct buf text;
    struct error err;
    buf_init(&text, MSK_BODY_BYTES_MAX);
    bool good = base64_decode(content, &text);
    if (!good) {
        answer_hint(call->exchange,
                    "propertiesFileContent is the file in Base64: with the aws CLI, "
                    "--properties-file-content \"$(base64 -w0 worker.properties)\"");
        msk_error(call->exchange, MSK_BAD_REQUEST,
                  "Invalid request body: propertiesFileContent must be Base64");
    } else if (properties_read(buf_span(&text), msk_worker_no_visit, NULL, &err) != STATUS_OK) {
        good = false;
        msk_error(call->exchange, MSK_BAD_REQUEST,
                  "Invalid request body: propertiesFileContent: %s", err.message);
    }
    buf_release(&text);
    return good;
}

static bool msk_worker_look(const struct msk_call *call, struct msk_making *making)
{
    return msk_worker_check_content(call, msk_text(making->doc, "propertiesFileContent"));
}

const struct msk_kind msk_workers = {
    .name = "worker-configuration",
    .list = "workerConfigurations",
    .prefix = "namePrefix",
    .name_member = "name",
    .arn_member = "workerConfigurationArn",
    .state_member = "workerConfigurationState",
    .create_rules = MSK_RULES(create_rules),
    .document = MSK_FIELDS(document),
    .created = MSK_FIELDS(created),
    .listed_without = "propertiesFileContent",
    .described_without = "latestRevision,propertiesFileContent",
    .described_with = "propertiesFileContent",
    .look = msk_worker_look,
    .keep = msk_resource_keep,
};

/* --- a connector's converters --- */

struct converters {
    const struct msk_call *call;
    struct connect_entries *entries;
    bool wanted[2]; /* key.converter, value.converter: not set by the connector */
    bool found[2];
    bool failed;
};

static const char *const sides[] = {"key.converter", "value.converter"};

static enum status converters_take_property(void *ctx, const struct property *property,
                                            struct error *err)
{
    struct converters *c = ctx;
    struct arena *arena = &c->call->exchange->arena;
    (void)err;
    for (size_t i = 0; i < ARRAY_COUNT(sides); i++) {
        struct span side = span_from_cstr(sides[i]);
        bool whole = span_equal(property->key, side);
        bool setting = span_starts_with(property->key, side) && property->key.len > side.len &&
                       property->key.ptr[side.len] == '.';
        if (!c->wanted[i] || (!whole && !setting)) {
            continue;
        }
        const char *key = arena_copy_cstr(arena, property->key);
        const char *value = arena_copy_cstr(arena, property->value);
        c->failed |= key == NULL || value == NULL;
        c->found[i] |= whole;
        c->failed = c->failed ||
                    !connect_entries_set(c->entries, span_from_cstr(key), span_from_cstr(value));
    }
    return STATUS_OK;
}

bool msk_worker_converters(const struct msk_call *call, struct span worker_document,
                           struct connect_entries *entries)
{
    struct converters c = {.call = call, .entries = entries};
    struct buf text;
    struct error err;
    for (size_t i = 0; i < ARRAY_COUNT(sides); i++) {
        c.wanted[i] = connect_entries_find(entries, sides[i]) == NULL;
    }
    buf_init(&text, MSK_BODY_BYTES_MAX);
    base64_decode(msk_member_text(&call->exchange->arena, worker_document, "propertiesFileContent"),
                  &text);
    c.failed |= properties_read(buf_span(&text), converters_take_property, &c, &err) != STATUS_OK;
    buf_release(&text);
    for (size_t i = 0; i < ARRAY_COUNT(sides) && !c.failed; i++) {
        if (c.wanted[i] && !c.found[i]) {
            c.failed = !connect_entries_set(entries, span_from_cstr(sides[i]),
                                            SPAN_LIT(DEFAULT_CONVERTER));
        }
    }
    if (c.failed) {
        exchange_fail(call->exchange, EXCHANGE_NO_MEMORY);
    }
    return !c.failed;
}
