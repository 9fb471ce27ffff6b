/* The kinds' table and the judgement: PASS is "every failing kind counts nothing". */
#include "verdict.h"

static const struct verdict_kind_info kind_infos[VERDICT_KIND_COUNT] = {
#define X(name, key, fails, title, meaning) [VERDICT_##name] = {key, fails, title, meaning},
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

void verdict_init(struct verdict *verdict)
{
    *verdict = (struct verdict){0};
    for (size_t kind = 0; kind < VERDICT_KIND_COUNT; kind++) {
        verdict->first[kind] = verdict_offender_none();
    }
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
