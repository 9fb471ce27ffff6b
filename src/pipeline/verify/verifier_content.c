/* Rows of the tables are fetched only when a fingerprint is not known yet: the slots remember, by
 * (table, row), which fingerprint was found to be the row, so that a million records of eleven
 * thousand rows cost eleven thousand look-ups. A slot that was replaced costs another one, never an
 * answer. */
#include "verifier_content.h"

#include "verifier_spelling.h"

#include <stdlib.h>
#include <string.h>

enum {
    slot_count = 1 << 16, /* above three tables of the workshop's size */
    row_text_bytes_max = 16 << 20,
    unknown_bytes_max = 256,
    inner_bytes_max = 16 << 20,
};

/* Row, spelling and fingerprint folded into eight bytes, so that all slots stay in the processor's
 * second cache; 0 is empty. */
struct content_slot {
    uint64_t tag;
};

enum status content_init(struct verifier_content *content, struct row_source *rows,
                         struct error *err)
{
    *content = (struct verifier_content){.rows = rows};
    buf_init(&content->text, row_text_bytes_max);
    buf_init(&content->unknown, unknown_bytes_max);
    buf_init(&content->inner, inner_bytes_max);
    content->slots = calloc(slot_count, sizeof(*content->slots));
    return content->slots != NULL ? STATUS_OK
                                  : error_set(err, STATUS_NO_MEMORY, "no memory to verify");
}

void content_release(struct verifier_content *content)
{
    free(content->slots);
    content->slots = NULL;
    buf_release(&content->text);
    buf_release(&content->unknown);
    buf_release(&content->inner);
}

static uint64_t slot_tag(struct content_row row, struct hash128 hash)
{
    uint64_t key =
        ((uint64_t)row.row_number * TABLE_COUNT + (uint64_t)row.table) * 2 + (uint64_t)row.style;
    uint64_t tag = (hash.high ^ hash.low) + key * UINT64_C(0x9e3779b97f4a7c15);
    return tag != 0 ? tag : 1;
}

static struct content_slot *slot_of(struct verifier_content *content, struct content_row row)
{
    uint64_t place = (uint64_t)row.row_number * TABLE_COUNT + (uint64_t)row.table;
    return &content->slots[place % slot_count];
}

/* The row and, in content->text, its usual text; *found false when there is no such row. */
static enum status fetch_text(struct verifier_content *content, struct content_row wanted,
                              struct row *row, bool *found, struct error *err)
{
    struct row_source *rows = content->rows;
    enum status status = rows->ops->fetch(rows, wanted.table, wanted.row_number, row, err);
    *found = status == STATUS_OK;
    if (status == STATUS_NOT_FOUND) {
        return STATUS_OK;
    }
    if (status != STATUS_OK) {
        return status;
    }
    buf_reset(&content->text);
    row_json_append(&content->text, row, wanted.style);
    return buf_ok(&content->text) ? STATUS_OK
                                  : buf_error(&content->text, err, STATUS_LIMIT,
                                              "a row of %s is too large", row->table->name);
}

static void answer_from_match(struct verifier_content *content, enum row_json_match match,
                              struct content_answer *answer)
{
    answer->same = match == ROW_JSON_SAME;
    answer->detail = "";
    if (match == ROW_JSON_NOT_AN_OBJECT) {
        answer->field = "";
        answer->detail = "the value is not a JSON object";
    } else if (match == ROW_JSON_DIFFERS && answer->field[0] == '\0') {
        answer->field = buf_cstr(&content->unknown);
        answer->detail = "the table has no such column";
    }
}

static void answer_no_row(struct content_answer *answer)
{
    *answer = (struct content_answer){false, "", "the table has no such row"};
}

static void compare_with(struct verifier_content *content, struct span value, const struct row *row,
                         enum datetime_style style, struct content_answer *answer)
{
    buf_reset(&content->unknown);
    enum row_json_match match =
        row_json_compare(value, row, style, &answer->field, &content->unknown);
    answer_from_match(content, match, answer);
}

enum status content_check_posted(struct verifier_content *content, struct content_row row,
                                 struct hash128 posted, struct span value,
                                 struct content_answer *answer, struct error *err)
{
    struct content_slot *slot = slot_of(content, row);
    uint64_t tag = slot_tag(row, posted);
    struct row fetched;
    bool found;
    if (PP_LIKELY(slot->tag == tag)) {
        *answer = (struct content_answer){true, "", ""};
        return STATUS_OK;
    }
    enum status status = fetch_text(content, row, &fetched, &found, err);
    if (status != STATUS_OK) {
        return status;
    }
    if (!found) {
        answer_no_row(answer);
        return STATUS_OK;
    }
    if (hash128_equal(hash_content(buf_span(&content->text)), posted)) {
        slot->tag = tag;
        *answer = (struct content_answer){true, "", ""};
        return STATUS_OK;
    }
    compare_with(content, value, &fetched, row.style, answer);
    return STATUS_OK;
}

enum status content_compare(struct verifier_content *content, struct content_row row,
                            struct span value, struct hash128 *hash, struct content_answer *answer,
                            struct error *err)
{
    struct row fetched;
    bool found;
    enum status status = fetch_text(content, row, &fetched, &found, err);
    if (status != STATUS_OK) {
        return status;
    }
    if (!found) {
        answer_no_row(answer);
        return STATUS_OK;
    }
    *hash = hash_content(buf_span(&content->text));
    compare_with(content, value, &fetched, row.style, answer);
    return STATUS_OK;
}

/* --- stray values ---------------------------------------------------------------------------- */

static const enum datetime_style usual_styles[] = {DATETIME_ISO, DATETIME_SPACE};

/* Keys are dense as a rule, so that row n has key n; with gaps the row is searched. */
static enum status row_of_key(struct row_source *rows, enum table_id table, int64_t key,
                              int64_t *row_number, struct error *err)
{
    struct row row;
    int64_t low = 0;
    int64_t high = 0;
    *row_number = -1;
    enum status status = rows->ops->fetch(rows, table, key, &row, err);
    if (status == STATUS_OK && row.values[0].integer == key) {
        *row_number = key;
        return STATUS_OK;
    }
    if (status == STATUS_OK || status == STATUS_NOT_FOUND) {
        status = rows->ops->count(rows, table, &high, err);
    }
    while (status == STATUS_OK && low < high) {
        int64_t probe = low + (high - low) / 2;
        status = rows->ops->fetch(rows, table, probe, &row, err);
        if (status != STATUS_OK) {
            break;
        }
        if (row.values[0].integer == key) {
            *row_number = probe;
            return STATUS_OK;
        }
        if (row.values[0].integer < key) {
            low = probe + 1;
        } else {
            high = probe;
        }
    }
    return status;
}

/* In the emulator's own spellings the hash is that of the row's usual text. */
static enum status identify_usual(struct verifier_content *content, enum table_id table,
                                  struct span value, struct content_identity *out,
                                  struct error *err)
{
    const struct hash128 bytes = out->hash;
    struct content_answer answer = {false, "", ""};
    struct hash128 hash;
    enum status status = STATUS_OK;
    for (size_t i = 0; status == STATUS_OK && !out->is_row && i < ARRAY_COUNT(usual_styles); i++) {
        struct content_row row = {table, out->row_number, usual_styles[i]};
        status = content_compare(content, row, value, &hash, &answer, err);
        if (status == STATUS_OK && answer.same) {
            out->hash = hash;
            out->is_row = true;
            if (hash128_equal(hash, bytes)) {
                slot_of(content, row)->tag = slot_tag(row, hash);
            }
        }
    }
    return status;
}

/* The same text as before. Its key stands in it, so that no other row has this fingerprint, even
 * where rows are not numbered by their keys. */
static bool identify_again(struct verifier_content *content, struct spelling_guess guess,
                           struct content_identity *out)
{
    for (size_t i = 0; i < ARRAY_COUNT(usual_styles); i++) {
        struct content_row row = {(enum table_id)guess.table, guess.key, usual_styles[i]};
        if (guess.key >= 0 && slot_of(content, row)->tag == slot_tag(row, out->hash)) {
            out->row_number = guess.key;
            out->is_row = true;
            return true;
        }
    }
    return false;
}

static enum status identify_spelled(struct verifier_content *content, enum table_id table,
                                    struct span object, struct content_identity *out,
                                    struct error *err)
{
    struct row_source *rows = content->rows;
    struct row row;
    enum status status = rows->ops->fetch(rows, table, out->row_number, &row, err);
    if (status != STATUS_OK) {
        return status;
    }
    struct spelling_answer answer = spelling_compare(object, &row, &content->unknown);
    out->is_row = answer.same;
    out->is_like_row = !answer.same && answer.equal_columns * 2 >= row.table->column_count;
    out->flags |= answer.flags;
    out->field = answer.field[0] != '\0' ? answer.field : buf_cstr(&content->unknown);
    return STATUS_OK;
}

enum status content_identify(struct verifier_content *content, struct span value,
                             struct content_identity *out, struct error *err)
{
    struct span object;
    *out = (struct content_identity){
        .table = -1, .row_number = -1, .hash = hash_content(value), .field = ""};
    if (!spelling_unwrap(value, &content->inner, &object, &out->flags)) {
        return STATUS_OK;
    }
    struct spelling_guess guess = spelling_guess(object);
    out->table = guess.table;
    if (guess.table < 0 || !guess.has_key) {
        return STATUS_OK;
    }
    enum table_id table = (enum table_id)guess.table;
    if (out->flags == 0 && identify_again(content, guess, out)) {
        return STATUS_OK;
    }
    enum status status = row_of_key(content->rows, table, guess.key, &out->row_number, err);
    if (status != STATUS_OK || out->row_number < 0) {
        return status;
    }
    if (out->flags == 0) {
        status = identify_usual(content, table, value, out, err);
    }
    return status == STATUS_OK && !out->is_row ? identify_spelled(content, table, object, out, err)
                                               : status;
}
