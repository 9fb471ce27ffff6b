/* Who may use what, and which names a topic may have. */
#include "topic_name.h"
#include "topic_policy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void the_workshop_allows_topics_of_the_user_and_one_group(void **state)
{
    static const struct {
        const char *name;
        bool permitted;
    } topics[] = {
        {"u1.pin", true},   {"u1.", true}, {"u1", false},  {"u1pin", false},
        {"u12.pin", false}, {"", false},   {"pin", false},
    };
    struct topic_policy open = {.enforced = false, .user_id = "u1"};
    struct topic_policy workshop = {.enforced = true, .user_id = "u1"};
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(topics); i++) {
        struct span name = span_from_cstr(topics[i].name);
        bool permitted = topics[i].permitted;
        assert_int_equal(topic_policy_topic(&open, name),
                         permitted ? TOPIC_PERMITTED : TOPIC_PERMITTED_HERE);
        assert_int_equal(topic_policy_topic(&workshop, name),
                         permitted ? TOPIC_PERMITTED : TOPIC_REFUSED);
    }
    assert_int_equal(topic_policy_group(&workshop, SPAN_LIT("students")), TOPIC_PERMITTED);
    assert_int_equal(topic_policy_group(&workshop, SPAN_LIT("student")), TOPIC_REFUSED);
    assert_int_equal(topic_policy_group(&open, SPAN_LIT("g")), TOPIC_PERMITTED_HERE);
}

static void the_cluster_is_everybodys_unless_a_policy_takes_an_action_away(void **state)
{
    struct topic_policy open = {.enforced = false, .user_id = "u1"};
    struct topic_policy workshop = {.enforced = true, .user_id = "u1"};
    (void)state;
    for (int action = TOPIC_CLUSTER_DESCRIBE; action <= TOPIC_CLUSTER_DELETE; action++) {
        assert_int_equal(topic_policy_cluster(&open, action), TOPIC_PERMITTED);
        assert_int_equal(topic_policy_cluster(&workshop, action), TOPIC_PERMITTED);
    }
    open.cluster_refused = workshop.cluster_refused = 1U << TOPIC_CLUSTER_CREATE;
    assert_int_equal(topic_policy_cluster(&open, TOPIC_CLUSTER_CREATE), TOPIC_PERMITTED_HERE);
    assert_int_equal(topic_policy_cluster(&workshop, TOPIC_CLUSTER_CREATE), TOPIC_REFUSED);
    assert_int_equal(topic_policy_cluster(&workshop, TOPIC_CLUSTER_DELETE), TOPIC_PERMITTED);
}

static void an_illegal_name_is_told_in_kafkas_words(void **state)
{
    char name[TOPIC_NAME_BYTES_MAX + 2];
    struct arena arena;
    (void)state;
    arena_init(&arena, 1 << 16);
    memset(name, 'a', sizeof(name));
    assert_null(topic_name_flaw(span_from(name, TOPIC_NAME_BYTES_MAX), &arena));
    assert_non_null(strstr(topic_name_flaw(span_from(name, TOPIC_NAME_BYTES_MAX + 1), &arena),
                           "longer than 249 characters"));
    assert_null(topic_name_flaw(SPAN_LIT("A-z.0_9"), &arena));
    assert_string_equal(topic_name_flaw(SPAN_EMPTY, &arena),
                        "Topic name is illegal, it can't be empty");
    assert_string_equal(topic_name_flaw(SPAN_LIT(".."), &arena),
                        "Topic name cannot be \".\" or \"..\"");
    assert_string_equal(topic_name_flaw(SPAN_LIT("."), &arena),
                        "Topic name cannot be \".\" or \"..\"");
    assert_string_equal(topic_name_flaw(SPAN_LIT("a b"), &arena),
                        "Topic name \"a b\" is illegal, it contains a character other than ASCII "
                        "alphanumerics, '.', '_' and '-'");
    arena_release(&arena);
    arena_init(&arena, 0); /* there is no memory for the words, and the name is no better */
    assert_string_equal(topic_name_flaw(SPAN_LIT("a b"), &arena), "Topic name is illegal");
    arena_release(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_workshop_allows_topics_of_the_user_and_one_group),
        cmocka_unit_test(the_cluster_is_everybodys_unless_a_policy_takes_an_action_away),
        cmocka_unit_test(an_illegal_name_is_told_in_kafkas_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
