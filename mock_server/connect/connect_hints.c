#include "connect_hints.h"

#include "connect_worker_internal.h"
#include "group_pattern.h"
#include "sink_config.h"
#include "store_objects.h"

#include <string.h>

/* --- refused --- */

static const struct {
    const char *words[2]; /* both in the first finding */
    const char *hint;
} finding_hints[] = {
    {{"AvroFormat", ""},
     "this server writes JsonFormat and ByteArrayFormat (keys and headers: JsonFormat) only"},
    {{"ParquetFormat", ""},
     "this server writes JsonFormat and ByteArrayFormat (keys and headers: JsonFormat) only"},
    {{"topics.regex are mutually exclusive", ""}, "leave topics out, or topics.regex"},
    {{"The DLQ topic", ""},
     "the sink would read its own rejects: give the dead-letter topic a name that it does not "
     "read"},
    {{"Failed to find any class", ""}, "the class here is io.confluent.connect.s3.S3SinkConnector"},
    {{"format.class", "could not be found"},
     "classes are named in full: io.confluent.connect.s3.format.json.JsonFormat"},
};

const char *connect_hint_findings(struct arena *arena, const struct connect_entries *entries,
                                  const struct connect_findings *findings)
{
    const struct connect_entry *comment = connect_entries_comment(entries);
    if (comment != NULL) {
        return arena_printf(arena,
                            "the comment behind the value of %.*s is part of the value: in "
                            ".properties a comment stands on a line of its own",
                            SPAN_ARG(comment->key));
    }
    for (size_t i = 0; i < ARRAY_COUNT(finding_hints); i++) {
        if (strstr(findings->errors[0], finding_hints[i].words[0]) != NULL &&
            strstr(findings->errors[0], finding_hints[i].words[1]) != NULL) {
            return finding_hints[i].hint;
        }
    }
    return NULL;
}

/* --- taken, but --- */

/* A pattern that gives up is told of elsewhere. */
static bool hint_matches_any_topic(struct store *store, struct span source)
{
    struct group_pattern *pattern = group_pattern_new(source, NULL);
    bool found = pattern == NULL;
    group_pattern_look_begin(pattern);
    for (size_t i = 0; i < store_topic_count(store) && !found; i++) {
        found = group_pattern_matches(pattern, store_topic_at(store, i)->name) ||
                group_pattern_gave_up(pattern);
    }
    group_pattern_free(pattern);
    return found;
}

static void hint_note_commit(void *ctx, struct span group, const struct store_commit *commit)
{
    bool *any = ctx;
    (void)group;
    (void)commit;
    *any = true;
}

static bool hint_has_committed(const struct connect_hint_world *world, struct span name)
{
    const char *group = arena_printf(world->arena, "connect-%.*s", SPAN_ARG(name));
    bool any = false;
    return group != NULL &&
           store_group_visit(world->worker->options.store, span_from_cstr(group), hint_note_commit,
                             &any, NULL) == STATUS_OK &&
           any;
}

static bool hint_has_bucket(const struct connect_hint_world *world, struct span name)
{
    struct store_bucket bucket;
    return store_bucket_find(world->worker->options.store, name, world->arena, &bucket, NULL) !=
           STATUS_NOT_FOUND;
}

static bool hint_is_workshops_name(const char *user_id, struct span name)
{
    struct span suffix = SPAN_LIT("-connector");
    return name.len == strlen(user_id) + suffix.len &&
           span_starts_with(name, span_from_cstr(user_id)) && span_ends_with(name, suffix);
}

const char *connect_hint_config(const struct connect_hint_world *world,
                                const struct sink_config *config, bool created)
{
    if (!hint_has_bucket(world, config->bucket)) {
        return arena_printf(world->arena,
                            "there is no bucket %.*s: the tasks will fail until it is created and "
                            "they are restarted (a comment behind the name is part of it)",
                            SPAN_ARG(config->bucket));
    }
    /* DIFFERS: store.url is accepted and not followed: the sink writes into this server's own S3,
     * in the transaction that moves its offsets. */
    if (config->store_url.len > 0) {
        return "store.url is not followed: the objects go to this server's own S3";
    }
    if (config->value_converter == SINK_CONVERTER_JSON && config->value_schemas_enable) {
        return "JsonConverter expects {\"schema\", \"payload\"} unless value.converter and "
               "value.converter.schemas.enable=false are both set: rows as the workshop posts them "
               "will fail the task";
    }
    if (config->topics_regex.len > 0 &&
        !hint_matches_any_topic(world->worker->options.store, config->topics_regex)) {
        return arena_printf(world->arena,
                            "topics.regex=%.*s matches no topic yet: it must match the whole name, "
                            "e.g. %s.*",
                            SPAN_ARG(config->topics_regex), world->user_id);
    }
    if (created && hint_has_committed(world, config->name)) {
        return arena_printf(world->arena,
                            "a connector of this name has read before: this one goes on where it "
                            "stopped (consumer group connect-%.*s); another name reads from the "
                            "start",
                            SPAN_ARG(config->name));
    }
    if (!hint_is_workshops_name(world->user_id, config->name)) {
        return arena_printf(world->arena,
                            "allowed here, but the workshop's AWS takes only the name %s-connector",
                            world->user_id);
    }
    return NULL;
}
