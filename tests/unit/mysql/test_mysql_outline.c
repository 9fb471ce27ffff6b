/* What the journal keeps of a statement says what was asked for and nothing of what it was about.
 */
#include "mysql_outline.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void assert_outline(const char *sql, const char *expected)
{
    char out[256];
    size_t len = mysql_outline(span_from_cstr(sql), out, sizeof(out) - 1);
    out[len] = '\0';
    assert_string_equal(out, expected);
}

static void literals_become_question_marks(void **state)
{
    static const char *const cases[][2] = {
        {"SELECT * FROM pinterest_data LIMIT 7528, 1", "SELECT * FROM pinterest_data LIMIT ?, ?"},
        {"select 'it''s', \"a \\\" b\" , 'c\\'d' from t", "select ?, ? , ? from t"},
        {"SELECT 1.5e-3, .5, 0xFF, 1e10+2, -7", "SELECT ?, ?, ?, ?+?, -?"},
        {"SELECT a1, `b 2`, t.c3 FROM t1", "SELECT a1, `b 2`, t.c3 FROM t1"},
        {"SELECT x'41', b'01', N'x', _utf8mb4'y', @@version, @v1",
         "SELECT ?, ?, ?, ?, @@version, @v1"},
        {"/* secret */ SELECT -- 'x'\n  1 # tail", "SELECT ?"},
        {"SELECT 5--1", "SELECT ?--?"},
        {"SELECT a/*'*/+ /* open", "SELECT a +"},
        {"SELECT 'not closed", "SELECT ?"},
        {"SELECT `not closed", "SELECT `not closed"},
        {"SELECT '\xc3\xa4' AS \xc3\xa4", "SELECT ? AS \xc3\xa4"},
        {"", ""},
        {" ;", ";"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        assert_outline(cases[i][0], cases[i][1]);
    }
}

static void a_long_one_is_cut_between_characters(void **state)
{
    char out[8];
    (void)state;
    assert_int_equal(mysql_outline(SPAN_LIT("SELECT \xc3\xa4"), out, sizeof(out)), 7);
    assert_int_equal(mysql_outline(SPAN_LIT("SELECT abc FROM t"), out, sizeof(out)), 8);
    assert_memory_equal(out, "SELECT a", 8);
}

static void what_is_no_text_becomes_one(void **state)
{
    (void)state;
    assert_outline("SELECT \xff\xfe", "SELECT ??");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(literals_become_question_marks),
        cmocka_unit_test(a_long_one_is_cut_between_characters),
        cmocka_unit_test(what_is_no_text_becomes_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
