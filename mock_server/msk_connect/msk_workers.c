/* Worker configurations: kept as they were sent. Of what is in them, only the converters matter
 * here; a connector that sets none of its own gets them. */
#include "base64.h"
#include "msk_internal.h"
#include "properties.h"

#define DEFAULT_CONVERTER "org.apache.kafka.connect.storage.StringConverter"

static const struct msk_rule create_rules[] = {
    {.path = "name", .type = MSK_TEXT, .required = true, .min = 1, .max = MSK_NAME_BYTES_MAX},
    {.path = "description", .type = MSK_TEXT, .min = 0, .max = 1024},
    {.path = "propertiesFileContent", .type = MSK_TEXT, .required = true},
    {.path = "tags", .type = MSK_OBJECT},
};

static enum status no_visit(void *ctx, const struct property *property, struct error *err)
{
    (void)ctx;
    (void)property;
    (void)err;
    return STATUS_OK;
}

/* Base64 of .properties text? */
static bool check_content(const struct msk_call *call, struct span content)
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
    } else if (properties_read(buf_span(&text), no_visit, NULL, &err) != STATUS_OK) {
        good = false;
        msk_error(call->exchange, MSK_BAD_REQUEST,
                  "Invalid request body: propertiesFileContent: %s", err.message);
    }
    buf_release(&text);
    return good;
}

static void write_document(const struct msk_call *call, const struct json_doc *doc, const char *arn,
                           struct buf *out)
{
    int64_t now_ms = call->msk->options.env->wall_us(call->msk->options.env) / 1000;
    struct span description = msk_text(doc, "description");
    BUF_APPEND_LIT(out, "{");
    msk_time_write(out, "creationTime", now_ms);
    if (description.len > 0) {
        msk_text_write(out, "description", description);
    }
    BUF_APPEND_LIT(out, ",\"latestRevision\":{");
    msk_time_write(out, "creationTime", now_ms);
    if (description.len > 0) {
        msk_text_write(out, "description", description);
    }
    BUF_APPEND_LIT(out, ",\"revision\":1}");
    msk_text_write(out, "name", msk_text(doc, "name"));
    msk_text_write(out, "workerConfigurationArn", span_from_cstr(arn));
    msk_text_write(out, "workerConfigurationState", SPAN_LIT("ACTIVE"));
    msk_text_write(out, "propertiesFileContent", msk_text(doc, "propertiesFileContent"));
    BUF_APPEND_LIT(out, "}");
}

static void create(const struct msk_call *call, const struct json_doc *doc)
{
    struct span name = msk_text(doc, "name");
    struct buf document;
    if (!msk_check_name(call, "name", name) ||
        !check_content(call, msk_text(doc, "propertiesFileContent"))) {
        return;
    }
    const char *arn = msk_arn_new(call, MSK_KIND_WORKER, name);
    buf_init(&document, 2 * MSK_BODY_BYTES_MAX);
    write_document(call, doc, arn != NULL ? arn : "", &document);
    if (arn == NULL || !buf_ok(&document)) {
        exchange_fail(call->exchange, EXCHANGE_NO_MEMORY);
    } else {
        struct store_resource resource = {
            .arn = span_from_cstr(arn),
            .kind = SPAN_LIT(MSK_KIND_WORKER),
            .name = name,
            .document = buf_span(&document),
            .created_ms = call->msk->options.env->wall_us(call->msk->options.env) / 1000,
        };
        if (msk_resource_keep(call, &resource)) {
            struct buf *out = msk_reply(call->exchange);
            BUF_APPEND_LIT(out, "{");
            msk_members_write(buf_span(&document), "description,propertiesFileContent", out);
            BUF_APPEND_LIT(out, "}");
        }
    }
    buf_release(&document);
}

enum handled msk_create_worker(const struct msk_call *call)
{
    struct json_doc *doc = NULL;
    if (msk_decode(call, create_rules, ARRAY_COUNT(create_rules), &doc)) {
        create(call, doc);
        json_doc_free(doc);
    }
    return HANDLED;
}

enum handled msk_list_workers(const struct msk_call *call)
{
    static const struct msk_listing listing = {"workerConfigurations", "namePrefix",
                                               "propertiesFileContent"};
    struct msk_items items;
    return msk_items_load(call, MSK_KIND_WORKER, 0, &items)
               ? msk_items_answer(call, &items, &listing)
               : HANDLED;
}

/* The properties are part of the latest revision there. */
enum handled msk_describe_worker(const struct msk_call *call)
{
    struct msk_item item;
    struct buf revision;
    if (!msk_item_find(call, MSK_KIND_WORKER, call->match.captures[0], &item)) {
        return HANDLED;
    }
    struct buf *out = msk_reply(call->exchange);
    buf_init(&revision, MSK_REPLY_BYTES_MAX);
    msk_member_copy(item.document, "latestRevision", &revision);
    BUF_APPEND_LIT(out, "{");
    msk_members_write(item.document, "latestRevision,propertiesFileContent", out);
    BUF_APPEND_LIT(out, ",\"latestRevision\":{");
    msk_members_write(buf_span(&revision), "", out);
    BUF_APPEND_LIT(out, ",\"propertiesFileContent\":");
    msk_member_copy(item.document, "propertiesFileContent", out);
    BUF_APPEND_LIT(out, "}}");
    buf_release(&revision);
    return HANDLED;
}

enum handled msk_delete_worker(const struct msk_call *call)
{
    struct msk_item item;
    struct error err;
    if (!msk_item_find(call, MSK_KIND_WORKER, call->match.captures[0], &item)) {
        return HANDLED;
    }
    if (store_resource_delete(call->msk->options.store, item.arn, &err) != STATUS_OK) {
        return msk_error_store(call, &err);
    }
    struct buf *out = msk_reply(call->exchange);
    BUF_APPEND_LIT(out, "{");
    msk_text_write(out, "workerConfigurationArn", item.arn);
    msk_text_write(out, "workerConfigurationState", SPAN_LIT("DELETING"));
    BUF_APPEND_LIT(out, "}");
    return HANDLED;
}

/* --- a connector's converters --- */

struct converters {
    const struct msk_call *call;
    struct connect_entries *entries;
    bool wanted[2]; /* key.converter, value.converter: not set by the connector */
    bool found[2];
    bool failed;
};

static const char *const sides[] = {"key.converter", "value.converter"};

static void entry_set(struct converters *c, struct span key, struct span value)
{
    for (size_t i = 0; i < c->entries->count; i++) {
        if (span_equal(c->entries->items[i].key, key)) {
            c->entries->items[i].value = value;
            return;
        }
    }
    if (c->entries->count == CONNECT_ENTRIES_MAX) {
        c->failed = true;
        return;
    }
    c->entries->items[c->entries->count++] = (struct connect_entry){key, value};
}

static enum status take_property(void *ctx, const struct property *property, struct error *err)
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
        if (!c->failed) {
            entry_set(c, span_from_cstr(key), span_from_cstr(value));
        }
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
    c.failed |= properties_read(buf_span(&text), take_property, &c, &err) != STATUS_OK;
    buf_release(&text);
    for (size_t i = 0; i < ARRAY_COUNT(sides) && !c.failed; i++) {
        if (c.wanted[i] && !c.found[i]) {
            entry_set(&c, span_from_cstr(sides[i]), SPAN_LIT(DEFAULT_CONVERTER));
        }
    }
    if (c.failed) {
        exchange_fail(call->exchange, EXCHANGE_NO_MEMORY);
    }
    return !c.failed;
}
