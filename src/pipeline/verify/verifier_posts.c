/* The ledger from beginning to end, in the order of intent: counts, rows posted more than once,
 * triples that are not whole in the ledger itself, and the posts that the merge by place will not
 * meet (never acknowledged, or acknowledged for a partition that is not there). */
#include "array.h"
#include "verifier_internal.h"

#include <string.h>

enum {
    /* An emulator that was killed wrote down no attempts: any number of copies may be there. */
    copies_of_an_intent = 1000,
};

/* A triple's three posts follow each other in the ledger. */
struct triple_watch {
    struct ledger_post post; /* the latest of the triple */
    int topic;
    int64_t count;
    unsigned tables; /* a bit a table */
};

static enum status seen_reserve(struct verifier_rows_seen *seen, size_t row)
{
    size_t before = seen->count;
    enum status status = ARRAY_RESERVE(seen->runs, seen->count, row + 1, VERIFIER_ROWS_TRACKED_MAX);
    if (seen->count > before) {
        memset(seen->runs + before, 0, (seen->count - before) * sizeof(*seen->runs));
    }
    return status;
}

static enum status watch_row(struct verifier *v, const struct ledger_post *post, int topic,
                             uint32_t now, struct error *err)
{
    struct verifier_rows_seen *seen = &v->seen[post->table];
    if (post->row_number < 0 || post->row_number >= VERIFIER_ROWS_TRACKED_MAX) {
        return STATUS_OK;
    }
    size_t row = (size_t)post->row_number;
    if (seen_reserve(seen, row) != STATUS_OK) {
        return error_set(err, STATUS_NO_MEMORY, "no memory to verify");
    }
    uint32_t before = seen->runs[row];
    seen->runs[row] = now;
    if (before != 0) {
        enum verdict_kind kind = before == now ? VERDICT_REPEATED_IN_RUN : VERDICT_RESENT_BY_RERUN;
        struct verdict_offender offender;
        bool first = v->verdict->counts[kind] == 0;
        if (first) {
            offender = verifier_offender_of_post(v, post, topic);
        }
        verifier_find(v, kind, first ? &offender : NULL);
    }
    return STATUS_OK;
}

static void end_triple(struct verifier *v, const struct triple_watch *watch)
{
    const unsigned whole = (1u << TABLE_COUNT) - 1;
    if (watch->count == 0 || (watch->count == TABLE_COUNT && watch->tables == whole)) {
        return;
    }
    struct verdict_offender offender = verifier_offender_of_post(v, &watch->post, watch->topic);
    if (watch->count == TABLE_COUNT) {
        snprintf(offender.detail, sizeof(offender.detail),
                 "the ledger has two posts of one table in this triple");
    } else {
        snprintf(offender.detail, sizeof(offender.detail),
                 "the ledger has %lld posts of this triple instead of %d", (long long)watch->count,
                 (int)TABLE_COUNT);
    }
    verifier_find(v, VERDICT_TORN_TRIPLE, &offender);
}

static void watch_triple(struct verifier *v, struct triple_watch *watch,
                         const struct ledger_post *post, int topic)
{
    if (watch->count > 0 &&
        (watch->post.run_id != post->run_id || watch->post.triple != post->triple)) {
        end_triple(v, watch);
        watch->count = 0;
        watch->tables = 0;
    }
    watch->post = *post;
    watch->topic = topic;
    watch->count++;
    watch->tables |= 1u << post->table;
}

static int64_t copies_allowed(const struct ledger_post *post)
{
    switch (post->state) {
    case LEDGER_INTENT:
        return copies_of_an_intent;
    case LEDGER_ACKED:
        return post->maybe_kept;
    case LEDGER_FAILED:
    case LEDGER_IN_DOUBT:
        break;
    }
    return post->maybe_kept - 1; /* the first one found is the post itself */
}

static bool meets_the_merge(const struct verifier *v, const struct ledger_post *post, int topic)
{
    return post->state == LEDGER_ACKED && post->has_place && post->partition >= 0 &&
           post->partition < v->topics[topic].partitions;
}

static enum status note_unusual(struct verifier *v, const struct ledger_post *post, int topic,
                                struct error *err)
{
    bool meets = meets_the_merge(v, post, topic);
    int64_t copies = copies_allowed(post);
    struct note_post note;
    if (PP_LIKELY(meets && copies <= 0)) {
        return STATUS_OK;
    }
    enum status status = verifier_note_of_post(v, post, topic, &note, err);
    if (status == STATUS_OK && !meets) {
        status = notes_add_post(&v->notes, &note, err);
    }
    if (status == STATUS_OK && copies > 0) {
        status = notes_add_copies(&v->notes, &note, copies, err);
    }
    return status;
}

static enum status scan_post(struct verifier *v, struct triple_watch *watch,
                             const struct ledger_post *post, struct error *err)
{
    if (PP_UNLIKELY(verifier_is_foreign(v, post->topic))) {
        verdict_set_text(v->foreign, sizeof(v->foreign), post->topic);
        return STATUS_OK;
    }
    int topic = verifier_topic_position(v, post->topic, err);
    if (topic < 0) {
        return err->code;
    }
    struct verifier_run_info *run = verifier_run_find(v, post->run_id, err);
    if (run == NULL) {
        return err->code;
    }
    if (verifier_is_old(v, post, topic, run)) {
        return STATUS_OK;
    }
    v->verdict->posts++;
    watch_triple(v, watch, post, topic);
    enum status status = STATUS_OK;
    if (post->state == LEDGER_ACKED) {
        v->verdict->acked++;
        status = watch_row(v, post, topic, (uint32_t)run->id, err);
    }
    return status == STATUS_OK ? note_unusual(v, post, topic, err) : status;
}

static enum status scan_reset(struct verifier *v, struct error *err)
{
    char cluster_id[sizeof(v->verdict->cluster_id)];
    snprintf(cluster_id, sizeof(cluster_id), "%s", v->verdict->cluster_id);
    verdict_init(v->verdict);
    snprintf(v->verdict->cluster_id, sizeof(v->verdict->cluster_id), "%s", cluster_id);
    for (size_t t = 0; t < TABLE_COUNT; t++) {
        if (v->seen[t].runs != NULL) {
            memset(v->seen[t].runs, 0, v->seen[t].count * sizeof(*v->seen[t].runs));
        }
    }
    notes_close(&v->notes);
    enum status status = notes_open(&v->notes, v->options->env, err);
    v->notes.strict = v->options->strict;
    return status;
}

enum status verifier_scan_posts(struct verifier *v, struct error *err)
{
    struct ledger_cursor *cursor = NULL;
    struct triple_watch watch = {.count = 0};
    struct ledger_post post;
    bool more = true;
    enum status status = scan_reset(v, err);
    if (status == STATUS_OK) {
        status = ledger_cursor_open(v->ledger, LEDGER_BY_ID, &cursor, err);
    }
    if (status != STATUS_OK) {
        return status;
    }
    while (status == STATUS_OK) {
        status = ledger_cursor_next(cursor, &post, &more, err);
        if (status != STATUS_OK || !more) {
            break;
        }
        status = scan_post(v, &watch, &post, err);
    }
    end_triple(v, &watch);
    ledger_cursor_close(cursor);
    v->verdict->runs = v->run_count;
    return status;
}

enum status verifier_find_copies(struct verifier *v, struct error *err)
{
    struct ledger_cursor *cursor = NULL;
    struct ledger_post post;
    struct note_post note;
    bool more = true;
    enum status status = notes_has_leftovers(&v->notes, &more, err);
    if (status != STATUS_OK || !more) {
        return status;
    }
    status = ledger_cursor_open(v->ledger, LEDGER_BY_ID, &cursor, err);
    while (status == STATUS_OK) {
        status = ledger_cursor_next(cursor, &post, &more, err);
        if (status != STATUS_OK || !more) {
            break;
        }
        if (verifier_is_foreign(v, post.topic)) {
            continue;
        }
        int topic = verifier_topic_position(v, post.topic, err);
        if (topic < 0) {
            status = err->code;
            break;
        }
        const struct verifier_run_info *run = verifier_run_find(v, post.run_id, err);
        if (run == NULL) {
            status = err->code;
            break;
        }
        if (verifier_is_old(v, &post, topic, run)) {
            continue;
        }
        status = verifier_note_of_post(v, &post, topic, &note, err);
        if (status == STATUS_OK) {
            status = notes_mark_copy(&v->notes, &note, err);
        }
    }
    ledger_cursor_close(cursor);
    return status;
}
