/* A partition is read from beginning to end and merged with the ledger's posts for it, which come
 * in the same order. The common case, a record whose fingerprint is that of the post acknowledged
 * for its offset, costs one hash and one comparison; everything else goes to the notes. */
#include "verifier_internal.h"

#include "base64.h"
#include "record_page.h"

#include <stdio.h>
#include <string.h>

enum {
    empty_pages_max = 3, /* in a row, before the end: nothing more comes */
    poll_every_records = 64,
    decoded_bytes_max = 16 << 20,
};

struct match {
    struct verifier *v;
    int topic;
    int32_t partition;
    struct topic_range range;
    struct ledger_cursor *cursor;
    struct ledger_post post; /* the next one of the ledger */
    bool has_post;
    int64_t next_offset;
    int64_t before_run; /* the latest post found in its place */
    int64_t before_post;
    struct hash128 before_hash; /* of the record before, when it is in its place */
    bool before_is_settled;
    struct buf decoded; /* a value that came in base64 */
};

/* A record as it was read, with what is needed to judge it. */
struct sighting {
    int64_t offset;
    struct span value;
    struct hash128 hash;
    bool is_json; /* the page says so; still unchecked */
    bool has_key;
    struct ledger_post claimant; /* acknowledged for this place, but not this content */
    bool has_claimant;
    char field[64];
    const char *detail;
    struct content_identity identity; /* of a record that is no post's */
};

static enum status advance(struct match *m, struct error *err)
{
    const int64_t since = m->v->topics[m->topic].since[m->partition];
    enum status status;
    do {
        status = ledger_cursor_next(m->cursor, &m->post, &m->has_post, err);
    } while (PP_UNLIKELY(status == STATUS_OK && m->has_post && m->post.offset < since));
    return status;
}

/* A post whose place does not hold it. */
static enum status open_post(struct match *m, const struct ledger_post *post, struct error *err)
{
    struct note_post note;
    enum status status = verifier_note_of_post(m->v, post, m->topic, &note, err);
    return status == STATUS_OK ? notes_add_post(&m->v->notes, &note, err) : status;
}

/* --- a record in its place ------------------------------------------------------------------- */

static void check_order(struct match *m, const struct ledger_post *post,
                        struct verifier_run_info *run)
{
    if (!run->in_order) {
        return;
    }
    if (run->pass != m->v->pass) {
        run->pass = m->v->pass;
        run->last_post = 0;
    }
    if (post->id > run->last_post) {
        run->last_post = post->id;
        return;
    }
    struct verdict_offender offender = verifier_offender_of_post(m->v, post, m->topic);
    snprintf(offender.detail, sizeof(offender.detail), "it stands behind ledger %lld",
             (long long)run->last_post);
    verifier_find(m->v, VERDICT_OUT_OF_ORDER, &offender);
}

static enum status match_settle(struct match *m, const struct ledger_post *post, struct error *err)
{
    struct verifier_run_info *run = verifier_run_find(m->v, post->run_id, err);
    if (run == NULL) {
        return err->code;
    }
    check_order(m, post, run);
    m->v->verdict->matched++;
    m->before_run = post->run_id;
    m->before_post = post->id;
    if (PP_UNLIKELY(m->v->notes.has_followers_pending)) {
        return notes_set_follower(&m->v->notes, post->run_id, post->id, err);
    }
    return STATUS_OK;
}

static void report_altered_table(struct match *m, const struct content_answer *answer)
{
    struct verdict_offender offender = verifier_offender_of_post(m->v, &m->post, m->topic);
    verdict_set_text(offender.field, sizeof(offender.field), span_from_cstr(answer->field));
    snprintf(offender.detail, sizeof(offender.detail), "kept as posted, but %s",
             answer->detail[0] != '\0' ? answer->detail : "the table has another value now");
    verifier_find(m->v, VERDICT_ALTERED, &offender);
}

/* --- is it the post's record? ---------------------------------------------------------------- */

static enum status check_json(const struct sighting *s, struct error *err)
{
    struct json_error json;
    if (s->is_json && !record_page_check_value(s->value, &json)) {
        return error_set(err, STATUS_FAILED,
                         "offset %lld: the server sent a value that is not JSON (%s)",
                         (long long)s->offset, json.message);
    }
    return STATUS_OK;
}

/* Another spelling of the same row (another proxy's numbers, another key order) is no alteration.
 */
static enum status compare_by_field(struct match *m, struct sighting *s, struct content_row row,
                                    bool *same, struct error *err)
{
    struct content_answer answer = {false, "", ""};
    struct hash128 hash = {0, 0};
    enum status status = check_json(s, err);
    if (status == STATUS_OK) {
        status = content_compare(&m->v->content, row, s->value, &hash, &answer, err);
    }
    *same = answer.same && (!m->post.has_hash || hash128_equal(hash, m->post.value_hash));
    if (status == STATUS_OK && !*same && !s->has_claimant) {
        s->claimant = m->post;
        s->has_claimant = true;
        s->detail = answer.detail;
        verdict_set_text(s->field, sizeof(s->field), span_from_cstr(answer.field));
    }
    return status;
}

static enum status is_the_content(struct match *m, struct sighting *s, bool *same,
                                  struct error *err)
{
    struct verifier_run_info *run = verifier_run_find(m->v, m->post.run_id, err);
    if (run == NULL) {
        return err->code;
    }
    struct content_row row = {m->post.table, m->post.row_number, run->style};
    if (!m->post.has_hash || !hash128_equal(s->hash, m->post.value_hash)) {
        return compare_by_field(m, s, row, same, err);
    }
    struct content_answer answer;
    *same = true;
    enum status status = content_check_posted(&m->v->content, row, s->hash, s->value, &answer, err);
    if (status == STATUS_OK && !answer.same) {
        report_altered_table(m, &answer);
    }
    return status;
}

static void report_key(struct match *m)
{
    struct verdict_offender offender = verifier_offender_of_post(m->v, &m->post, m->topic);
    verdict_set_text(offender.field, sizeof(offender.field), SPAN_LIT("key"));
    snprintf(offender.detail, sizeof(offender.detail),
             "the value is as posted, but the record has a key, and the emulator posts none");
    verifier_find(m->v, VERDICT_ALTERED, &offender);
}

static enum status is_the_posts(struct match *m, struct sighting *s, bool *same, struct error *err)
{
    enum status status = is_the_content(m, s, same, err);
    if (status == STATUS_OK && *same && s->has_key) {
        report_key(m);
    }
    return status;
}

static enum status note_stray(struct match *m, struct sighting *s, struct error *err)
{
    const struct content_identity *identity = &s->identity;
    struct note_extra extra = {
        .topic = m->topic,
        .partition = m->partition,
        .offset = s->offset,
        .hash = identity->hash,
        .topic_table = m->v->topics[m->topic].table,
        .table = identity->table,
        .row_number = identity->row_number,
        .place_post = s->has_claimant ? s->claimant.id : 0,
        .field = s->has_claimant ? s->field : identity->field,
        .detail = s->detail,
        .before_run = m->before_run,
        .before_post = m->before_post,
        .is_row = identity->is_row,
        .is_like_row = identity->is_like_row,
        .repeats = m->before_is_settled && hash128_equal(m->before_hash, s->hash),
        .spelling = identity->flags,
    };
    return notes_add_extra(&m->v->notes, &extra, err);
}

static enum status identify(struct match *m, struct sighting *s, struct error *err)
{
    enum status status = check_json(s, err);
    return status == STATUS_OK ? content_identify(&m->v->content, s->value, &s->identity, err)
                               : status;
}

static enum status note_for_lake(struct match *m, const struct sighting *s,
                                 const struct ledger_post *found, struct error *err)
{
    const struct lake_record record = {
        .topic = m->topic,
        .partition = m->partition,
        .offset = s->offset,
        .value = s->value,
        .table = found->id != 0 ? (int)found->table : s->identity.table,
        .row_number = found->id != 0 ? found->row_number : s->identity.row_number,
        .post = *found,
    };
    return lake_add_record(m->v->lake, &record, err);
}

/* Merges one record with the ledger's posts up to its offset. Of several posts acknowledged for
 * this place and content the latest is the record's: the topic was emptied in between. */
static enum status match_record(struct match *m, struct sighting *s, struct error *err)
{
    enum status status = STATUS_OK;
    struct ledger_post found = {.id = 0};
    while (status == STATUS_OK && m->has_post && m->post.offset <= s->offset) {
        bool same = false;
        if (m->post.offset == s->offset) {
            status = is_the_posts(m, s, &same, err);
        }
        const struct ledger_post *open = same ? &found : &m->post;
        if (status == STATUS_OK && open->id != 0) {
            status = open_post(m, open, err);
        }
        if (same) {
            found = m->post;
        }
        if (status == STATUS_OK) {
            status = advance(m, err);
        }
    }
    if (status == STATUS_OK && found.id == 0) {
        status = identify(m, s, err);
    }
    if (status == STATUS_OK && m->v->lake != NULL) {
        status = note_for_lake(m, s, &found, err);
    }
    if (status != STATUS_OK) {
        return status;
    }
    status = found.id != 0 ? match_settle(m, &found, err) : note_stray(m, s, err);
    m->before_is_settled = found.id != 0;
    m->before_hash = s->hash;
    return status;
}

/* --- pages ----------------------------------------------------------------------------------- */

static enum status wrong_page(const struct match *m, const char *why, struct error *err)
{
    return error_set(err, STATUS_FAILED, "%s partition %d from offset %lld: %s",
                     m->v->topics[m->topic].name, (int)m->partition, (long long)m->next_offset,
                     why);
}

static enum status match_decode_value(struct match *m, struct sighting *s, struct error *err)
{
    struct span text = s->value;
    buf_reset(&m->decoded);
    s->is_json = false;
    if (text.ptr == NULL) {
        return STATUS_OK;
    }
    if (text.len < 2 || text.ptr[0] != '"' ||
        !base64_decode(span_from(text.ptr + 1, text.len - 2), &m->decoded)) {
        return wrong_page(m, "a binary value is not in base64", err);
    }
    s->value = buf_span(&m->decoded);
    return STATUS_OK;
}

/* From the next offset to this one there is nothing. */
static enum status note_hole(struct match *m, int64_t offset, struct error *err)
{
    int64_t end = offset < m->range.end ? offset : m->range.end;
    return PP_LIKELY(end <= m->next_offset)
               ? STATUS_OK
               : notes_add_hole(&m->v->notes, m->topic, m->partition, m->next_offset,
                                end - m->next_offset, err);
}

static enum status digest_record(struct match *m, const struct page_record *record, bool encoded,
                                 struct error *err)
{
    if (!span_equal_cstr(record->topic, m->v->topics[m->topic].name) ||
        record->partition != m->partition) {
        return wrong_page(m, "the server sent a record of another partition", err);
    }
    if (record->offset < m->next_offset) {
        wrong_page(m, "the server sent offsets that do not ascend, or a page again", err);
        return err->code = STATUS_ENDLESS;
    }
    enum status status = note_hole(m, record->offset, err);
    m->next_offset = record->offset + 1;
    if (status != STATUS_OK || record->offset >= m->range.end) {
        return status; /* it came after the end was taken */
    }
    struct sighting s = {.offset = record->offset,
                         .value = record->value,
                         .is_json = true,
                         .has_key = record->key.ptr != NULL,
                         .detail = ""};
    status = encoded ? match_decode_value(m, &s, err) : STATUS_OK;
    if (status != STATUS_OK) {
        return status;
    }
    s.hash = hash_content(s.value);
    m->v->verdict->records++;
    return match_record(m, &s, err);
}

static enum status digest_page(struct match *m, const struct topic_page *body, uint64_t *records,
                               struct error *err)
{
    struct topic_reader *reader = m->v->reader;
    struct record_page page;
    struct page_record record;
    struct json_error json;
    enum page_step step;
    *records = 0;
    record_page_open(&page, body->body, RECORD_PAGE_QUICK);
    while ((step = record_page_next(&page, &record, &json)) == PAGE_RECORD) {
        enum status status = digest_record(m, &record, body->encoded, err);
        if (status != STATUS_OK) {
            return status;
        }
        if (++*records % poll_every_records == 0) {
            reader->ops->poll(reader);
        }
    }
    return step == PAGE_END ? STATUS_OK : wrong_page(m, json.message, err);
}

static enum status match_report_progress(const struct match *m, struct error *err)
{
    const struct progress *progress = m->v->options->progress;
    if (progress == NULL) {
        return STATUS_OK;
    }
    if (progress->update != NULL) {
        progress->update(progress->ctx, "verify", m->v->verdict->records, m->v->total);
    }
    return progress->should_stop != NULL && progress->should_stop(progress->ctx)
               ? error_set(err, STATUS_INTERRUPTED, "stopped before a verdict was reached")
               : STATUS_OK;
}

static enum status read_partition(struct match *m, struct error *err)
{
    struct topic_reader *reader = m->v->reader;
    struct topic_page page;
    uint64_t records = 0;
    int empty_pages = 0;
    enum status status =
        reader->ops->start(reader, m->v->topics[m->topic].name, m->partition, m->range, err);
    while (status == STATUS_OK && m->next_offset < m->range.end && empty_pages < empty_pages_max) {
        status = reader->ops->page(reader, &page, err);
        if (status == STATUS_OK) {
            status = digest_page(m, &page, &records, err);
        }
        if (status == STATUS_OK) {
            status = match_report_progress(m, err);
        }
        empty_pages = records == 0 ? empty_pages + 1 : 0;
    }
    return status == STATUS_OK ? note_hole(m, m->range.end, err) : status;
}

/* Posts beyond what was read: lost, unless acknowledged after the end was taken. */
static enum status drain_posts(struct match *m, struct error *err)
{
    const int64_t acked_end = m->v->topics[m->topic].acked_ends[m->partition];
    enum status status = STATUS_OK;
    while (status == STATUS_OK && m->has_post) {
        if (m->post.offset >= m->range.end && m->post.offset >= acked_end) {
            m->v->verdict->later++;
        } else {
            status = open_post(m, &m->post, err);
        }
        if (status == STATUS_OK) {
            status = advance(m, err);
        }
    }
    return status;
}

enum status verifier_match_partition(struct verifier *v, int topic, int32_t partition,
                                     struct error *err)
{
    struct match m = {
        .v = v,
        .topic = topic,
        .partition = partition,
        .range = v->topics[topic].ranges[partition],
    };
    struct span name = span_from_cstr(v->topics[topic].name);
    m.next_offset = m.range.begin;
    v->pass++;
    buf_init(&m.decoded, decoded_bytes_max);
    enum status status = ledger_cursor_open_partition(v->ledger, name, partition, &m.cursor, err);
    if (status != STATUS_OK) {
        return status;
    }
    status = advance(&m, err);
    if (status == STATUS_OK && m.range.begin < m.range.end) {
        status = read_partition(&m, err);
    }
    if (status == STATUS_OK) {
        status = drain_posts(&m, err);
    }
    notes_end_partition(&v->notes);
    ledger_cursor_close(m.cursor);
    buf_release(&m.decoded);
    return status;
}
