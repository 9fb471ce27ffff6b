/* The verifier without memory. Pipelines that are whole, or wrong in every way at once, are judged
 * again and again, each time with another allocation failing. Whatever it is: the verifier says
 * that there is no memory, or its verdict is the one that it reaches with memory, word for word;
 * never another, least of all a pass. Nothing is left behind.
 *
 * Every ninth point by default; PINPIPE_FAULT_STRIDE=1 tries each. */
#include "alloc_fault.h"
#include "fault_points.h"
#include "lake_world.h"
#include "verdict_report.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define PIN(offset)  "topics/u1.pin/partition=0/u1.pin+0+00000000" offset ".json"
#define GEO(offset)  "topics/u1.geo/partition=0/u1.geo+0+00000000" offset ".json"
#define USER(offset) "topics/u1.user/partition=0/u1.user+0+00000000" offset ".json"

enum { SLACK_ALLOCATIONS = 32 }; /* what SQLite keeps for the next time */

struct bench {
    struct world world;
    struct lake_world lake;
};

/* Ten triples, rows 0..9, in objects of five lines. */
static int set_up(void **state)
{
    struct bench *b = calloc(1, sizeof(*b));
    assert_non_null(b);
    world_open(&b->world);
    lake_world_open(&b->lake);
    b->world.lake = &b->lake.reader;
    world_begin_run(&b->world, 1, DATETIME_ISO);
    for (int64_t row = 0; row < 10; row++) {
        world_post_triple(&b->world, row);
    }
    world_end_run(&b->world);
    lake_world_land(&b->lake, &b->world, 5);
    *state = b;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *b = *state;
    alloc_fault_end(); /* a test that failed in the midst */
    lake_world_close(&b->lake);
    world_close(&b->world);
    free(b);
    return 0;
}

/* The verdict as a document; the caller frees it. */
static char *document(const struct bench *b)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    assert_non_null(out);
    assert_true(verdict_write_json(&b->world.verdict, out));
    fclose(out);
    return text;
}

static char *judge_with_memory(struct bench *b)
{
    if (world_verify(&b->world) != STATUS_OK) {
        fail_msg("%s", b->world.err.message);
    }
    return document(b);
}

static void judge_without(struct bench *b, enum alloc_fault_mode mode, const char *good)
{
    long stride = (long)fault_points_stride(9);
    bool failed = true;
    long alive = alloc_fault_alive_here();
    for (long n = 1; failed; n += stride) {
        alloc_fault_begin_own(n, mode);
        enum status status = world_verify(&b->world);
        failed = alloc_fault_end();
        if (status == STATUS_OK) {
            char *verdict = document(b);
            assert_string_equal(verdict, good);
            free(verdict);
        } else if (!failed || status != STATUS_NO_MEMORY) {
            fail_msg("allocation %ld: %s: %s", n, status_name(status), b->world.err.message);
        }
    }
    assert_true(alloc_fault_alive_here() - alive <= SLACK_ALLOCATIONS);
}

static void judge_everywhere(struct bench *b)
{
    char *good = judge_with_memory(b);
    judge_without(b, ALLOC_FAILS_ONCE, good);
    judge_without(b, ALLOC_FAILS_FROM_THERE_ON, good);
    free(good);
}

static void a_whole_pipeline_is_never_said_to_be_broken(void **state)
{
    struct bench *b = *state;
    for (size_t i = 0; i < b->lake.count; i += 2) {
        lake_object_pack(&b->lake.objects[i]);
    }
    b->lake.piece_bytes = 100; /* so that lines are joined */
    judge_everywhere(b);
    assert_true(verdict_passed(&b->world.verdict));
}

/* The topics lack, repeat, alter and mix up records; posts are in doubt, refused and partial. */
static void whatever_is_wrong_in_the_topics_is_found_or_memory_is_out(void **state)
{
    struct bench *b = *state;
    struct world *w = &b->world;
    char value[WORLD_VALUE_BYTES];
    w->lake = NULL;
    world_at(w, TABLE_PIN, 2)->gone = true;
    strcpy(world_at(w, TABLE_GEO, 3)->value, "{\"ind\":3}");
    strcpy(world_at(w, TABLE_USER, 4)->value, "null");
    world_value(w, TABLE_PIN, 7, value);
    world_append(w, TABLE_PIN, 0, value);
    world_append(w, TABLE_GEO, 0, value);
    world_append(w, TABLE_USER, 0, "{\"of\":\"nobody\"}");
    world_begin_run(w, 2, DATETIME_ISO);
    for (size_t t = 0; t < TABLE_COUNT; t++) {
        static const enum ledger_state states[] = {LEDGER_IN_DOUBT, LEDGER_FAILED, LEDGER_IN_DOUBT};
        struct ledger_outcome outcome = {.post_id = world_intend(w, (enum table_id)t, 10),
                                         .state = states[t],
                                         .attempts = 2,
                                         .maybe_kept = states[t] == LEDGER_IN_DOUBT,
                                         .reason = SPAN_LIT("no answer")};
        world_settle(w, &outcome);
    }
    world_value(w, TABLE_PIN, 10, value);
    world_append(w, TABLE_PIN, 0, value);
    judge_everywhere(b);
    assert_false(verdict_passed(&w->verdict));
}

static void object_edit(struct bench *b, const char *key, const char *from, const char *to)
{
    struct lake_object_file *object = lake_world_find(&b->lake, key);
    char text[8192];
    snprintf(text, sizeof(text), "%s", buf_cstr(&object->bytes));
    char *at = strstr(text, from);
    assert_non_null(at);
    *at = '\0';
    buf_reset(&object->bytes);
    buf_printf(&object->bytes, "%s%s%s", text, to, at + strlen(from));
}

/* Cuts the n-th line of an object out. */
static void line_cut(struct bench *b, const char *key, int n)
{
    struct lake_object_file *object = lake_world_find(&b->lake, key);
    char text[8192];
    char *from = text;
    snprintf(text, sizeof(text), "%s", buf_cstr(&object->bytes));
    for (int i = 0; i < n; i++) {
        from = strchr(from, '\n') + 1;
    }
    char *behind = strchr(from, '\n') + 1;
    *from = '\0';
    char rest[8192];
    snprintf(rest, sizeof(rest), "%s", behind);
    buf_reset(&object->bytes);
    buf_printf(&object->bytes, "%s%s", text, behind == from ? "" : rest);
}

static void whatever_is_wrong_in_the_lake_is_found_or_memory_is_out(void **state)
{
    struct bench *b = *state;
    line_cut(b, PIN("00"), 3);
    object_edit(b, GEO("00"), "\"ind\":1", "\"ind\":9");
    lake_world_find(&b->lake, USER("05"))->removed = true;
    lake_world_put(&b->lake, "topics/u1.user/partition=0/else.json", SPAN_LIT("{}\n"));
    lake_world_put(&b->lake, "topics/u1.user/partition=0/u1.user+0+0000000040.json",
                   SPAN_LIT("{}\n"));
    struct lake_object_file *broken = lake_world_find(&b->lake, GEO("05"));
    lake_object_pack(broken);
    broken->bytes.len -= 8;
    judge_everywhere(b);
    assert_false(verdict_passed(&b->world.verdict));
}

static void assert_missing_is(struct bench *b, const char *expected)
{
    const struct verdict_offender *first = &b->world.verdict.first[VERDICT_MISSING_IN_S3];
    char *good = judge_with_memory(b);
    assert_string_equal(first->detail, expected);
    judge_without(b, ALLOC_FAILS_ONCE, good);
    free(good);
}

/* The object that should hold a record is named by what was read of it, or by no words at all. */
static void the_holder_of_a_missing_record_is_named_or_memory_is_out(void **state)
{
    struct bench *b = *state;
    line_cut(b, PIN("05"), 1);
    assert_missing_is(b, PIN("05") " has no line of it");
    lake_world_find(&b->lake, PIN("05"))->removed = true;
    assert_missing_is(b, "no " PIN("05"));
    lake_world_find(&b->lake, PIN("00"))->removed = true;
    assert_missing_is(b, "no " PIN("00"));
    b->lake.no_bucket = true;
    assert_missing_is(b, "there is no bucket user-u1-bucket");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_whole_pipeline_is_never_said_to_be_broken),
        TEST(whatever_is_wrong_in_the_topics_is_found_or_memory_is_out),
        TEST(whatever_is_wrong_in_the_lake_is_found_or_memory_is_out),
        TEST(the_holder_of_a_missing_record_is_named_or_memory_is_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
