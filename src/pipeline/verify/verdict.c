/* The kinds' table and the judgement: PASS is "every failing kind counts nothing". */
#include "verdict.h"

static const struct verdict_kind_info kind_infos[VERDICT_KIND_COUNT] = {
#define X(name, key, fails, stage, whose, title, meaning)                                          \
    [VERDICT_##name] = {key, fails, VERDICT_STAGE_##stage, VERDICT_OF_##whose, title, meaning},
#include "verdict_kinds.def"
#undef X
};

const struct verdict_kind_info *verdict_kind_info(enum verdict_kind kind)
{
    PP_ASSERT(kind < VERDICT_KIND_COUNT);
    return &kind_infos[kind];
}

struct verdict_offender verdict_offender_none(void)
{
    return (struct verdict_offender){
        .partition = -1, .offset = -1, .row = -1, .ledger_id = -1, .run = -1, .triple = -1};
}

static size_t utf8_len(unsigned char lead)
{
    return lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
}

void verdict_set_text(char *out, size_t out_bytes, struct span text)
{
    size_t used = 0;
    size_t i = 0;
    while (i < text.len) {
        unsigned char lead = (unsigned char)text.ptr[i];
        size_t len = utf8_len(lead);
        bool good = lead >= 0x20 && lead != 0x7f && i + len <= text.len &&
                    span_is_utf8(span_from(text.ptr + i, len));
        len = good ? len : 1;
        if (used + len >= out_bytes) {
            break;
        }
        for (size_t byte = 0; byte < len; byte++) {
            out[used++] = good ? text.ptr[i + byte] : '?';
        }
        i += len;
    }
    out[used] = '\0';
}

void verdict_init(struct verdict *verdict)
{
    *verdict = (struct verdict){0};
    for (size_t kind = 0; kind < VERDICT_KIND_COUNT; kind++) {
        verdict->first[kind] = verdict_offender_none();
    }
}

bool verdict_judges(const struct verdict *verdict, enum verdict_kind kind)
{
    const struct verdict_kind_info *info = verdict_kind_info(kind);
    bool met = true;
    switch (info->whose) {
    case VERDICT_OF_ALL:
        break;
    case VERDICT_OF_LEDGER:
        met = !verdict->without_ledger;
        break;
    case VERDICT_OF_OWN:
        met = verdict->own > 0 || verdict->without_ledger;
        break;
    }
    return met && info->stage <= verdict->through;
}

uint64_t verdict_failures(const struct verdict *verdict)
{
    uint64_t failures = 0;
    for (size_t kind = 0; kind < VERDICT_KIND_COUNT; kind++) {
        failures += kind_infos[kind].fails ? verdict->counts[kind] : 0;
    }
    return failures;
}

bool verdict_passed(const struct verdict *verdict)
{
    return verdict_failures(verdict) == 0;
}
