/* Undoing Content-Encoding a bounded piece at a time, for many at once. */
#include "alloc_fault.h"
#include "budget.h"
#include "gateway_unpack.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include <cmocka.h>

enum { BOMB_BYTES = 10 * GATEWAY_UNPACK_SLICE_BYTES + 7, PACKED_MAX = 64 * 1024 };

struct one {
    struct gateway_unpacking unpacking;
    enum gateway_unpack_outcome outcome;
    bool over;
    size_t plain_bytes;
    char last;
};

struct fixture {
    struct env env;
    struct timer_heap timers;
    struct budget budget;
    struct gateway_unpacker unpacker;
    char packed[PACKED_MAX];
    char *bomb;
};

static void on_done(struct gateway_unpacking *unpacking, enum gateway_unpack_outcome outcome)
{
    struct one *one = PP_CONTAINER_OF(unpacking, struct one, unpacking);
    one->outcome = outcome;
    one->over = true;
    one->plain_bytes = unpacking->plain.len;
    one->last = unpacking->plain.len > 0 ? unpacking->plain.ptr[unpacking->plain.len - 1] : '\0';
    gateway_unpack_end(unpacking);
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    env_init_virtual(&f->env, 1, 1000000);
    timer_heap_init(&f->timers, &f->env);
    budget_init(&f->budget, 48 * 1024 * 1024);
    assert_int_equal(gateway_unpacker_init(&f->unpacker, &f->timers, &f->budget), STATUS_OK);
    f->bomb = malloc(BOMB_BYTES);
    memset(f->bomb, 'a', BOMB_BYTES);
    f->bomb[BOMB_BYTES - 1] = 'z';
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    gateway_unpacker_release(&f->unpacker);
    assert_int_equal(f->budget.used_bytes, 0);
    timer_heap_release(&f->timers);
    free(f->bomb);
    free(f);
    return 0;
}

static struct span pack(struct fixture *f, size_t bytes, int window_bits)
{
    z_stream stream = {.next_in = (unsigned char *)f->bomb + BOMB_BYTES - bytes,
                       .avail_in = (unsigned)bytes,
                       .next_out = (unsigned char *)f->packed,
                       .avail_out = PACKED_MAX};
    assert_int_equal(deflateInit2(&stream, 9, Z_DEFLATED, window_bits, 8, Z_DEFAULT_STRATEGY),
                     Z_OK);
    assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
    size_t len = PACKED_MAX - stream.avail_out;
    deflateEnd(&stream);
    return span_from(f->packed, len);
}

static void begin(struct fixture *f, struct one *one, struct span packed, size_t max)
{
    *one = (struct one){
        .unpacking = {.done = on_done, .packed = packed, .plain_bytes_max = max},
    };
    gateway_unpack_begin(&f->unpacker, &one->unpacking);
    assert_false(one->over);
}

static size_t run(struct fixture *f, struct one *one)
{
    size_t turns = 0;
    while (!one->over) {
        size_t before = one->unpacking.plain.len;
        timer_heap_run(&f->timers);
        turns++;
        assert_true(turns < 1000);
        size_t now = one->over ? one->plain_bytes : one->unpacking.plain.len;
        assert_true(now <= before + GATEWAY_UNPACK_SLICE_BYTES);
    }
    return turns;
}

static void a_bomb_takes_a_slice_a_turn(void **state)
{
    struct fixture *f = *state;
    struct one bomb;
    begin(f, &bomb, pack(f, BOMB_BYTES, 31), BOMB_BYTES);
    assert_true(run(f, &bomb) >= BOMB_BYTES / GATEWAY_UNPACK_SLICE_BYTES);
    assert_int_equal(bomb.outcome, UNPACK_DONE);
    assert_int_equal(bomb.plain_bytes, BOMB_BYTES);
    assert_int_equal(bomb.last, 'z');
}

static void all_bombs_together_have_one_slice_a_turn(void **state)
{
    struct fixture *f = *state;
    enum { bombs = 5 };
    struct one all[bombs];
    struct one small;
    char packed_small[64];
    struct span packed = pack(f, 5, 31);
    memcpy(packed_small, packed.ptr, packed.len);
    size_t small_len = packed.len;
    packed = pack(f, BOMB_BYTES, 31);
    for (int i = 0; i < bombs; i++) {
        begin(f, &all[i], packed, BOMB_BYTES);
    }
    begin(f, &small, span_from(packed_small, small_len), 100);
    for (int turn = 0; turn < 2 * (bombs + 1); turn++) {
        timer_heap_run(&f->timers);
        size_t held = 0;
        for (int i = 0; i < bombs; i++) {
            held += all[i].unpacking.plain.len;
        }
        assert_true(held <= (size_t)(turn + 1) * GATEWAY_UNPACK_SLICE_BYTES);
        /* Only the first holds what it has become. */
        assert_int_equal(held, all[0].unpacking.plain.len);
    }
    assert_true(small.over); /* it did not wait for the end of those before it */
    assert_false(all[0].over);
    assert_true(f->budget.shares[BUDGET_REPLIES].used_bytes >=
                all[0].unpacking.plain.len + (size_t)GATEWAY_UNPACK_STATE_BYTES);
    gateway_unpack_end(&all[2].unpacking); /* its client leaves */
    for (int i = 0; i < bombs; i++) {
        if (i != 2) {
            (void)run(f, &all[i]);
            assert_int_equal(all[i].plain_bytes, BOMB_BYTES);
        }
    }
    assert_false(all[2].over);
}

static void each_kind_of_packing_is_undone(void **state)
{
    struct fixture *f = *state;
    static const int window_bits[] = {31, 15, -15};
    struct one one;
    for (size_t i = 0; i < ARRAY_COUNT(window_bits); i++) {
        begin(f, &one, pack(f, 70000, window_bits[i]), 70000);
        (void)run(f, &one);
        assert_int_equal(one.outcome, UNPACK_DONE);
        assert_int_equal(one.plain_bytes, 70000);
    }
    assert_true(gateway_unpack_knows(SPAN_LIT("GZip")));
    assert_true(gateway_unpack_knows(SPAN_LIT("x-gzip")));
    assert_true(gateway_unpack_knows(SPAN_LIT("deflate")));
    assert_false(gateway_unpack_knows(SPAN_LIT("br")));
}

static void what_is_not_whole_or_too_large_is_told(void **state)
{
    struct fixture *f = *state;
    struct one one;
    struct span packed = pack(f, 70000, 31);
    begin(f, &one, packed, 69999);
    (void)run(f, &one);
    assert_int_equal(one.outcome, UNPACK_TOO_LARGE);
    for (size_t cut = 0; cut < packed.len; cut += 7) {
        begin(f, &one, span_first(packed, cut), 70000);
        (void)run(f, &one);
        assert_int_equal(one.outcome, UNPACK_BROKEN);
    }
    f->packed[packed.len / 2] ^= 0x55;
    begin(f, &one, packed, 70000);
    (void)run(f, &one);
    assert_int_equal(one.outcome, UNPACK_BROKEN);
}

static void what_is_unpacked_counts(void **state)
{
    struct fixture *f = *state;
    struct one one;
    size_t others = 0;
    size_t room = budget_room(&f->budget, BUDGET_REPLIES);
    budget_note(&f->budget, BUDGET_REPLIES, &others, room - 1024 * 1024);
    begin(f, &one, pack(f, BOMB_BYTES, 31), BOMB_BYTES);
    (void)run(f, &one);
    assert_int_equal(one.outcome, UNPACK_CROWDED);
    assert_in_range(one.plain_bytes, 1, 1024 * 1024);
    budget_note(&f->budget, BUDGET_REPLIES, &others, 0);
}

/* RFC 1952 section 2.2: "A gzip file consists of a series of members". */
static void every_member_of_a_gzip_is_unpacked(void **state)
{
    struct fixture *f = *state;
    struct one one;
    char members[PACKED_MAX];
    struct span packed = pack(f, 1000, 31);
    size_t len = packed.len;
    memcpy(members, packed.ptr, len);
    packed = pack(f, 5, 31);
    memcpy(members + len, packed.ptr, packed.len);
    begin(f, &one, span_from(members, len + packed.len), 1005);
    (void)run(f, &one);
    assert_int_equal(one.outcome, UNPACK_DONE);
    assert_int_equal(one.plain_bytes, 1005);
    begin(f, &one, span_from(members, len + packed.len), 1004);
    (void)run(f, &one);
    assert_int_equal(one.outcome, UNPACK_TOO_LARGE);
    for (size_t cut = 1; cut < packed.len; cut++) {
        begin(f, &one, span_from(members, len + cut), 1005);
        (void)run(f, &one);
        assert_int_equal(one.outcome, UNPACK_BROKEN);
    }
    memcpy(members + len, "JUNK", 4);
    begin(f, &one, span_from(members, len + 4), 1005);
    (void)run(f, &one);
    assert_int_equal(one.outcome, UNPACK_BROKEN);
}

static void what_becomes_nothing_takes_turns_too(void **state)
{
    struct fixture *f = *state;
    struct one one;
    enum { slices = 4, room = slices * GATEWAY_UNPACK_PACKED_BYTES };
    struct span empty = pack(f, 0, 31);
    char *members = malloc(room);
    size_t len = 0;
    while (len + empty.len <= room) {
        memcpy(members + len, empty.ptr, empty.len);
        len += empty.len;
    }
    begin(f, &one, span_from(members, len), 0);
    assert_true(run(f, &one) >= slices);
    assert_int_equal(one.outcome, UNPACK_DONE);
    assert_int_equal(one.plain_bytes, 0);
    free(members);
}

static void what_lies_behind_a_deflate_is_no_part_of_it(void **state)
{
    struct fixture *f = *state;
    struct one one;
    struct span packed = pack(f, 1000, 15);
    f->packed[packed.len] = '\0';
    begin(f, &one, span_from(packed.ptr, packed.len + 1), 1000);
    (void)run(f, &one);
    assert_int_equal(one.outcome, UNPACK_BROKEN);
}

/* What the first bytes announce decides, and what follows must keep to it. */
static void what_begins_like_another_packing_is_broken(void **state)
{
    static const struct {
        const char *bytes;
        size_t len;
    } rows[] = {
        {"\x1f", 1}, {"\x1f\x00\x08", 3}, {"\x78", 1}, {"\x78\x00\x01", 3}, {"\x78\x9d\x01", 3},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        struct one one;
        begin(f, &one, span_from(rows[i].bytes, rows[i].len), 100);
        (void)run(f, &one);
        assert_int_equal(one.outcome, UNPACK_BROKEN);
    }
}

/* The first member fills the room, or what is read in one turn, to its last byte. */
static void a_member_may_end_where_a_slice_does(void **state)
{
    struct fixture *f = *state;
    struct one one;
    char empty[64];
    char *name = calloc(1, GATEWAY_UNPACK_PACKED_BYTES);
    char *members = malloc(2 * GATEWAY_UNPACK_PACKED_BYTES);
    struct span packed = pack(f, 0, 31);
    size_t empty_len = packed.len;
    memcpy(empty, packed.ptr, empty_len);
    packed = pack(f, 1000, 31);
    memcpy(members, packed.ptr, packed.len);
    memcpy(members + packed.len, empty, empty_len);
    begin(f, &one, span_from(members, packed.len + empty_len), 1000);
    (void)run(f, &one);
    assert_int_equal(one.outcome, UNPACK_DONE);
    assert_int_equal(one.plain_bytes, 1000);
    /* RFC 1952 section 2.3: FLG.FNAME is set, and a name follows the ten bytes of the head. */
    size_t name_len = GATEWAY_UNPACK_PACKED_BYTES - packed.len;
    memset(name, 'n', name_len - 1);
    memcpy(members, packed.ptr, 10);
    members[3] |= 8;
    memcpy(members + 10, name, name_len);
    memcpy(members + 10 + name_len, packed.ptr + 10, packed.len - 10);
    memcpy(members + GATEWAY_UNPACK_PACKED_BYTES, packed.ptr, packed.len);
    begin(f, &one, span_from(members, GATEWAY_UNPACK_PACKED_BYTES + packed.len), 5000);
    (void)run(f, &one);
    assert_int_equal(one.outcome, UNPACK_DONE);
    assert_int_equal(one.plain_bytes, 2000);
    free(members);
    free(name);
}

static void each_allocation_of_unpacking_may_fail(void **state)
{
    struct fixture *f = *state;
    struct span packed = pack(f, 70000, 31);
    bool failed = true;
    for (long n = 1; failed; n++) {
        struct one one;
        begin(f, &one, packed, 70000);
        alloc_fault_begin(n, ALLOC_FAILS_ONCE);
        (void)run(f, &one);
        failed = alloc_fault_end();
        assert_int_equal(one.outcome, failed ? UNPACK_NO_MEMORY : UNPACK_DONE);
        assert_int_equal(f->budget.used_bytes, 0);
    }
}

static void an_unpacker_without_memory_for_its_timer_is_none(void **state)
{
    struct fixture *f = *state;
    struct timer_heap timers;
    struct gateway_unpacker unpacker;
    timer_heap_init(&timers, &f->env);
    alloc_fault_begin(1, ALLOC_FAILS_ONCE);
    enum status status = gateway_unpacker_init(&unpacker, &timers, NULL);
    assert_int_equal(status, alloc_fault_end() ? STATUS_NO_MEMORY : STATUS_OK);
    gateway_unpacker_release(&unpacker);
    assert_int_equal(timers.reserved, 0);
    timer_heap_release(&timers);
}

/* Its turn comes again behind those that wait already. */
static void what_finds_no_room_at_first_is_unpacked_when_there_is_some(void **state)
{
    struct fixture *f = *state;
    struct one one;
    size_t others = 0;
    budget_note(&f->budget, BUDGET_REPLIES, &others, budget_room(&f->budget, BUDGET_REPLIES));
    begin(f, &one, pack(f, 1000, 31), 1000);
    timer_heap_run(&f->timers);
    assert_false(one.over);
    budget_note(&f->budget, BUDGET_REPLIES, &others, 0);
    (void)run(f, &one);
    assert_int_equal(one.outcome, UNPACK_DONE);
    assert_int_equal(one.plain_bytes, 1000);
}

static void who_leaves_before_his_turn_is_not_unpacked(void **state)
{
    struct fixture *f = *state;
    struct one one;
    begin(f, &one, pack(f, 1000, 31), 1000);
    gateway_unpack_end(&one.unpacking);
    timer_heap_run(&f->timers);
    assert_false(one.over);
    assert_int_equal(timer_heap_next_us(&f->timers), INT64_MAX);
}

/* As large as API Gateway passes, as it is or beside what it was packed in, with the budget of a
 * server that has the least memory (22 of 48 MiB). */
static void the_largest_answer_fits_an_idle_server(void **state)
{
    struct fixture *f = *state;
    enum { largest = 10 * 1024 * 1024 };
    struct one one;
    size_t packed_counts = 0;
    char *plain = calloc(1, largest + 1);
    uLongf packed_len = compressBound(largest + 1);
    unsigned char *packed = malloc(packed_len);
    budget_init(&f->budget, 22 * 1024 * 1024);
    assert_true(budget_room(&f->budget, BUDGET_UPSTREAM) >= largest);
    for (size_t more = 0; more <= 1; more++) {
        packed_len = compressBound(largest + 1);
        assert_int_equal(compress(packed, &packed_len, (const Bytef *)plain, largest + more), Z_OK);
        budget_note(&f->budget, BUDGET_UPSTREAM, &packed_counts, packed_len);
        begin(f, &one, span_from((const char *)packed, packed_len), largest);
        (void)run(f, &one);
        assert_int_equal(one.outcome, more == 0 ? UNPACK_DONE : UNPACK_TOO_LARGE);
        assert_int_equal(one.plain_bytes, largest);
        budget_note(&f->budget, BUDGET_UPSTREAM, &packed_counts, 0);
    }
    free(packed);
    free(plain);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_bomb_takes_a_slice_a_turn),
        CASE(all_bombs_together_have_one_slice_a_turn),
        CASE(each_kind_of_packing_is_undone),
        CASE(what_is_not_whole_or_too_large_is_told),
        CASE(what_is_unpacked_counts),
        CASE(every_member_of_a_gzip_is_unpacked),
        CASE(what_becomes_nothing_takes_turns_too),
        CASE(what_lies_behind_a_deflate_is_no_part_of_it),
        CASE(what_begins_like_another_packing_is_broken),
        CASE(a_member_may_end_where_a_slice_does),
        CASE(each_allocation_of_unpacking_may_fail),
        CASE(an_unpacker_without_memory_for_its_timer_is_none),
        CASE(what_finds_no_room_at_first_is_unpacked_when_there_is_some),
        CASE(who_leaves_before_his_turn_is_not_unpacked),
        CASE(the_largest_answer_fits_an_idle_server),
    };
    return cmocka_run_group_tests_name("gateway unpack", tests, NULL, NULL);
}
