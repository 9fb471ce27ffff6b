/* Topics, runs, posts and findings, as the verifier's parts look them up and note them. */
#include "verifier_internal.h"

#include "array.h"
#include "search.h"

#include <stdio.h>

/* The table of a topic, by what follows the last dot of its name: "u1.pin". */
static int table_of_topic(struct span name)
{
    size_t dot = name.len;
    while (dot > 0 && name.ptr[dot - 1] != '.') {
        dot--;
    }
    const struct table *table = table_find(span_skip(name, dot));
    return table != NULL ? (int)table->id : -1;
}

int verifier_topic_position(struct verifier *v, struct span name, struct error *err)
{
    for (int i = 0; i < v->topic_count; i++) {
        if (span_equal_cstr(name, v->topics[i].name)) {
            return i;
        }
    }
    if (v->topic_count == VERIFIER_TOPICS_MAX || name.len >= VERIFIER_TOPIC_NAME_BYTES) {
        (void)error_set(err, STATUS_LIMIT,
                        "the ledger names more than %d topics, or one longer than %d bytes",
                        VERIFIER_TOPICS_MAX, VERIFIER_TOPIC_NAME_BYTES - 1);
        return -1;
    }
    struct verifier_topic *topic = &v->topics[v->topic_count];
    *topic = (struct verifier_topic){.table = table_of_topic(name)};
    snprintf(topic->name, sizeof(topic->name), "%.*s", SPAN_ARG(name));
    v->topic_names[v->topic_count] = topic->name;
    return v->topic_count++;
}

bool verifier_is_foreign(const struct verifier *v, struct span topic)
{
    struct span id = span_from_cstr(v->options->endpoints.user_id);
    return !(topic.len > id.len && topic.ptr[id.len] == '.' && span_starts_with(topic, id));
}

bool verifier_is_old(const struct verifier *v, const struct ledger_post *post, int topic,
                     const struct verifier_run_info *run)
{
    const struct verifier_topic *t = &v->topics[topic];
    if (post->has_place && post->partition >= 0 && post->partition < t->partitions) {
        return post->offset < t->since[post->partition];
    }
    return run->is_over;
}

static int run_order(const void *run, const void *id)
{
    int64_t here = ((const struct verifier_run_info *)run)->id;
    int64_t wanted = *(const int64_t *)id;
    return here < wanted ? -1 : here > wanted;
}

static enum status run_enter(struct verifier *v, size_t place, int64_t id, struct error *err)
{
    struct ledger_run run = {.lanes_per_topic = 0};
    enum status status = ledger_get_run(v->ledger, id, &run, err);
    if (status != STATUS_OK && status != STATUS_NOT_FOUND) {
        return status;
    }
    if (ARRAY_RESERVE(v->runs, v->run_cap, v->run_count + 1, VERIFIER_RUNS_MAX) != STATUS_OK) {
        return error_set(err, STATUS_NO_MEMORY, "no memory for the ledger's runs");
    }
    ARRAY_OPEN(v->runs, v->run_count, place);
    v->runs[place] =
        (struct verifier_run_info){.id = id,
                                   .style = run.datetime,
                                   .in_order = run.lanes_per_topic == 1,
                                   .is_over = run.ended && run.ended_ms < v->options->since_ms};
    v->run_count++;
    return STATUS_OK;
}

struct verifier_run_info *verifier_run_find(struct verifier *v, int64_t id, struct error *err)
{
    if (PP_LIKELY(v->run_last < v->run_count && v->runs[v->run_last].id == id)) {
        return &v->runs[v->run_last];
    }
    bool found;
    size_t place = SEARCH_PLACE(v->runs, v->run_count, &id, run_order, &found);
    if (!found && run_enter(v, place, id, err) != STATUS_OK) {
        return NULL;
    }
    v->run_last = place;
    return &v->runs[place];
}

enum status verifier_note_of_post(struct verifier *v, const struct ledger_post *post, int topic,
                                  struct note_post *out, struct error *err)
{
    struct verifier_run_info *run = verifier_run_find(v, post->run_id, err);
    if (run == NULL) {
        return err->code;
    }
    *out = (struct note_post){
        .id = post->id,
        .run = post->run_id,
        .triple = post->triple,
        .in_order = run->in_order,
        .table = (int)post->table,
        .row_number = post->row_number,
        .topic = topic,
        .hash = post->value_hash,
        .state = (int)post->state,
        .maybe_kept = post->maybe_kept,
        .partition = post->has_place ? post->partition : -1,
        .offset = post->has_place ? post->offset : -1,
    };
    if (post->has_hash) {
        return STATUS_OK;
    }
    struct content_row row = {post->table, post->row_number, run->style};
    struct content_answer answer;
    return content_compare(&v->content, row, SPAN_LIT("null"), &out->hash, &answer, err);
}

void verifier_find(struct verifier *v, enum verdict_kind kind,
                   const struct verdict_offender *offender)
{
    if (v->verdict->counts[kind]++ == 0 && offender != NULL) {
        v->verdict->first[kind] = *offender;
    }
}

struct verdict_offender verifier_offender_of_post(const struct verifier *v,
                                                  const struct ledger_post *post, int topic)
{
    struct verdict_offender offender = verdict_offender_none();
    verdict_set_text(offender.topic, sizeof(offender.topic), span_from_cstr(v->topic_names[topic]));
    snprintf(offender.table, sizeof(offender.table), "%s", table_get(post->table)->name);
    offender.row = post->row_number;
    offender.ledger_id = post->id;
    offender.run = post->run_id;
    offender.triple = post->triple;
    if (post->has_place) {
        offender.partition = post->partition;
        offender.offset = post->offset;
    }
    return offender;
}
