/* The values of an execution: each type's, and packets that lie about them. */
#include "mysql_params.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { values_bytes_max = 64 * 1024 };

/* Behind the id: no cursor, one iteration. */
#define BEGIN "\x00\x01\x00\x00\x00"

struct fixture {
    struct arena arena;
    struct mysql_params params;
    uint16_t types[4];
    struct mysql_value *values;
    struct mysql_error error;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    arena_init(&f->arena, values_bytes_max);
    f->params.types = f->types;
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    arena_release(&f->arena);
    free(f);
    return 0;
}

static bool read_params(struct fixture *f, size_t count, const char *bytes, size_t len)
{
    struct mysql_reader r = mysql_reader_of(span_from(bytes, len));
    f->params.count = count;
    return mysql_params_read(&f->params, &r, &f->arena, &f->values, &f->error);
}

#define READ(f, count, literal) read_params(f, count, literal, sizeof(literal) - 1)

static void numbers_keep_their_signs(void **state)
{
    struct fixture *f = *state;
    assert_true(READ(f, 4,
                     BEGIN "\x00\x01"
                           "\x01\x00\x01\x80\x03\x00\x08\x80"
                           "\xfe"
                           "\xfe"
                           "\xfe\xff\xff\xff"
                           "\xff\xff\xff\xff\xff\xff\xff\xff"));
    assert_true(f->values[0].kind == MYSQL_INT && f->values[0].integer == -2);
    assert_true(f->values[1].integer == 254);
    assert_true(f->values[2].integer == -2);
    assert_true(f->values[3].integer == -1 && f->values[3].is_unsigned);
}

static void texts_floats_and_nulls_are_read(void **state)
{
    struct fixture *f = *state;
    assert_true(READ(f, 4,
                     BEGIN "\x02\x01"
                           "\xfd\x00\x03\x00\x05\x00\x04\x00"
                           "\x02"
                           "ab"
                           "\x00\x00\x00\x00\x00\x00\xf8\x3f"
                           "\x00\x00\x00\x3f"));
    assert_true(span_equal_cstr(f->values[0].text, "ab"));
    assert_int_equal(f->values[1].kind, MYSQL_NULL);
    assert_true(f->values[2].real > 1.49 && f->values[2].real < 1.51);
    assert_true(f->values[3].real > 0.49 && f->values[3].real < 0.51);
}

static void dates_become_texts_in_mysqls_spelling(void **state)
{
    struct fixture *f = *state;
    assert_true(READ(f, 4,
                     BEGIN "\x00\x01"
                           "\x0c\x00\x0a\x00\x0b\x00\x07\x00"
                           "\x0b\xe7\x07\x0b\x0e\x16\x0d\x14\x20\xa1\x07\x00"
                           "\x04\xe7\x07\x0b\x0e"
                           "\x08\x01\x01\x00\x00\x00\x02\x01\x02"
                           "\x00"));
    assert_true(span_equal_cstr(f->values[0].text, "2023-11-14 22:13:20.500000"));
    assert_true(span_equal_cstr(f->values[1].text, "2023-11-14"));
    assert_true(span_equal_cstr(f->values[2].text, "-26:01:02"));
    assert_true(span_equal_cstr(f->values[3].text, "0000-00-00 00:00:00"));
}

static void types_are_those_of_the_execution_before(void **state)
{
    struct fixture *f = *state;
    assert_true(READ(f, 1, BEGIN "\x00\x01\x03\x00\x05\x00\x00\x00"));
    assert_true(READ(f, 1, BEGIN "\x00\x00\x06\x00\x00\x00"));
    assert_true(f->values[0].integer == 6);
}

static void the_first_execution_must_give_them(void **state)
{
    struct fixture *f = *state;
    assert_false(READ(f, 1, BEGIN "\x00\x00\x06\x00\x00\x00"));
    assert_int_equal(f->error.code, 1210);
    assert_string_equal(f->error.sqlstate, "HY000");
    assert_string_equal(f->error.message, "Incorrect arguments to mysqld_stmt_execute");
}

static void an_execution_that_is_cut_is_refused(void **state)
{
    static const char bytes[] = BEGIN "\x00\x01"
                                      "\xfd\x00\x0c\x00"
                                      "\x02"
                                      "ab"
                                      "\x07\xe7\x07\x0b\x0e\x16\x0d\x14";
    struct fixture *f = *state;
    assert_true(read_params(f, 2, bytes, sizeof(bytes) - 1));
    for (size_t cut = 0; cut + 1 < sizeof(bytes); cut++) {
        char *copy = malloc(cut + 1);
        memcpy(copy, bytes, cut);
        f->params.typed = false;
        assert_false(read_params(f, 2, copy, cut));
        assert_true(f->error.code == 1210 || f->error.code == 1835);
        free(copy);
    }
    assert_true(read_params(f, 0, BEGIN, 5));
    assert_false(read_params(f, 0, BEGIN, 4));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(numbers_keep_their_signs, setup, teardown),
        cmocka_unit_test_setup_teardown(texts_floats_and_nulls_are_read, setup, teardown),
        cmocka_unit_test_setup_teardown(dates_become_texts_in_mysqls_spelling, setup, teardown),
        cmocka_unit_test_setup_teardown(types_are_those_of_the_execution_before, setup, teardown),
        cmocka_unit_test_setup_teardown(the_first_execution_must_give_them, setup, teardown),
        cmocka_unit_test_setup_teardown(an_execution_that_is_cut_is_refused, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
