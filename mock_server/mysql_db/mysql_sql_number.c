/* Numbers: arithmetic with MySQL's overflows, rounding, texts of numbers, mathematics. */
#include "mysql_sql.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    out_of_range = 1690,
    real_digits = 17,
    float_digits = 6,
    exponent_max = 15, /* beyond it a DOUBLE is shown as 1e15 */
    decimals_max = 30,
};

#define PI 3.14159265358979323846

/* --- texts and numbers --- */

double mysql_text_number(struct span text)
{
    char digits[64];
    size_t at = 0;
    size_t len = 0;
    while (at < text.len &&
           (text.ptr[at] == ' ' || (text.ptr[at] >= '\t' && text.ptr[at] <= '\r'))) {
        at++;
    }
    bool point = false;
    bool exponent = false;
    bool any = false;
    for (; at < text.len && len + 1 < sizeof(digits); at++) {
        char c = text.ptr[at];
        bool digit = c >= '0' && c <= '9';
        bool sign =
            (c == '-' || c == '+') && (len == 0 || (exponent && (digits[len - 1] | 0x20) == 'e'));
        bool dot = c == '.' && !point && !exponent;
        bool e = (c == 'e' || c == 'E') && any && !exponent;
        if (!digit && !sign && !dot && !e) {
            break;
        }
        any = any || digit;
        point = point || dot;
        exponent = exponent || e;
        digits[len++] = c;
    }
    digits[len] = '\0';
    return any ? strtod(digits, NULL) : 0;
}

/* The shortest text that reads as the same number, in digits and an exponent. */
static void shortest(double value, bool is_float, char out[40])
{
    int most = is_float ? float_digits : real_digits;
    for (int digits = is_float ? float_digits : 15; digits <= most; digits++) {
        snprintf(out, 40, "%.*e", digits - 1, value);
        if (strtod(out, NULL) == value) {
            return;
        }
    }
}

/* As MySQL shows a DOUBLE or a FLOAT; how many bytes. */
static size_t real_as_text(double value, bool is_float, char out[MYSQL_REAL_TEXT_BYTES])
{
    char text[40];
    char digits[40];
    size_t count = 0;
    if (value == 0 || !isfinite(value)) {
        return (size_t)snprintf(out, MYSQL_REAL_TEXT_BYTES, "0");
    }
    shortest(value, is_float, text);
    char *e = strchr(text, 'e');
    int exponent = (int)strtol(e + 1, NULL, 10);
    for (const char *c = text; c < e; c++) {
        if (*c >= '0' && *c <= '9') {
            digits[count++] = *c;
        }
    }
    while (count > 1 && digits[count - 1] == '0') {
        count--;
    }
    digits[count] = '\0';
    const char *minus = value < 0 ? "-" : "";
    static const char zeros[] = "0000000000000000";
    if (exponent < -exponent_max || (exponent >= exponent_max && count <= (size_t)exponent + 1)) {
        return (size_t)snprintf(out, MYSQL_REAL_TEXT_BYTES, "%s%c%s%se%d", minus, digits[0],
                                count > 1 ? "." : "", digits + 1, exponent);
    }
    if (exponent < 0) {
        return (size_t)snprintf(out, MYSQL_REAL_TEXT_BYTES, "%s0.%.*s%s", minus, -exponent - 1,
                                zeros, digits);
    }
    if ((size_t)exponent + 1 >= count) {
        return (size_t)snprintf(out, MYSQL_REAL_TEXT_BYTES, "%s%s%.*s", minus, digits,
                                exponent + 1 - (int)count, zeros);
    }
    return (size_t)snprintf(out, MYSQL_REAL_TEXT_BYTES, "%s%.*s.%s", minus, exponent + 1, digits,
                            digits + exponent + 1);
}

static double rounded_half(double value, int64_t decimals)
{
    if (decimals > decimals_max || !isfinite(value)) {
        return value;
    }
    if (decimals < -decimals_max) {
        return 0;
    }
    double scale = pow(10, (double)(decimals < 0 ? -decimals : decimals));
    double scaled = decimals < 0 ? value / scale : value * scale;
    if (!isfinite(scaled) || fabs(scaled) > 9e15) {
        return value;
    }
    /* A value within a few last bits of a half is one: 1.005 * 100 is 100.49999999999999. */
    double nudged = scaled + copysign(fabs(scaled) * 4e-16, scaled);
    double rounded = round(nudged);
    return decimals < 0 ? rounded * scale : rounded / scale;
}

size_t mysql_decimal_text(sqlite3_value *value, unsigned decimals, char out[MYSQL_REAL_TEXT_BYTES])
{
    size_t len;
    if (sqlite3_value_type(value) == SQLITE_INTEGER) {
        len = (size_t)snprintf(out, MYSQL_REAL_TEXT_BYTES, "%lld",
                               (long long)sqlite3_value_int64(value));
        if (decimals > 0) {
            len +=
                (size_t)snprintf(out + len, MYSQL_REAL_TEXT_BYTES - len, ".%0*d", (int)decimals, 0);
        }
        return len;
    }
    double rounded = rounded_half(sqlite3_value_double(value), decimals);
    if (rounded == 0) {
        rounded = 0; /* and not -0 */
    }
    len = (size_t)snprintf(out, MYSQL_REAL_TEXT_BYTES, "%.*f", (int)decimals, rounded);
    return len < MYSQL_REAL_TEXT_BYTES ? len : MYSQL_REAL_TEXT_BYTES - 1;
}

static void number_of_text(sqlite3_context *context, int count, sqlite3_value **values)
{
    if (!mysql_sql_any_null(context, count, values)) {
        sqlite3_result_double(context, mysql_text_number(mysql_sql_text(values[0])));
    }
}

/* x'41' in arithmetic is 65. */
static void number_of_bytes(sqlite3_context *context, int count, sqlite3_value **values)
{
    uint64_t value = 0;
    struct span bytes = mysql_sql_text(values[0]);
    (void)count;
    for (size_t i = 0; i < bytes.len; i++) {
        value = value << 8 | (unsigned char)bytes.ptr[i];
    }
    if (bytes.len > 8 || value > INT64_MAX) {
        mysql_sql_fail(context, out_of_range, "BIGINT UNSIGNED value is out of range in 'x''");
    } else {
        sqlite3_result_int64(context, (int64_t)value);
    }
}

/* The digits of "2023-11-14 22:13:20". */
static void number_of_date(sqlite3_context *context, int count, sqlite3_value **values)
{
    struct span text = mysql_sql_text(values[0]);
    char digits[40];
    size_t len = 0;
    bool fraction = false;
    if (mysql_sql_any_null(context, count, values)) {
        return;
    }
    for (size_t i = 0; i < text.len && len + 1 < sizeof(digits); i++) {
        bool digit = text.ptr[i] >= '0' && text.ptr[i] <= '9';
        fraction = fraction || text.ptr[i] == '.';
        if (digit || text.ptr[i] == '.' || (i == 0 && text.ptr[i] == '-')) {
            digits[len++] = text.ptr[i];
        }
    }
    digits[len] = '\0';
    if (fraction) {
        sqlite3_result_double(context, strtod(digits, NULL));
    } else {
        sqlite3_result_int64(context, strtoll(digits, NULL, 10));
    }
}

static void number_int_text(sqlite3_context *context, int count, sqlite3_value **values)
{
    char text[32];
    if (mysql_sql_any_null(context, count, values)) {
        return;
    }
    int used = snprintf(text, sizeof(text), "%lld", (long long)sqlite3_value_int64(values[0]));
    mysql_sql_give_text(context, span_from(text, (size_t)used));
}

static void unsigned_text(sqlite3_context *context, int count, sqlite3_value **values)
{
    char text[32];
    if (mysql_sql_any_null(context, count, values)) {
        return;
    }
    int used =
        snprintf(text, sizeof(text), "%llu", (unsigned long long)sqlite3_value_int64(values[0]));
    mysql_sql_give_text(context, span_from(text, (size_t)used));
}

static void decimal_text(sqlite3_context *context, int count, sqlite3_value **values)
{
    char text[MYSQL_REAL_TEXT_BYTES];
    if (!mysql_sql_any_null(context, count, values)) {
        size_t len = mysql_decimal_text(values[0], (unsigned)sqlite3_value_int(values[1]), text);
        mysql_sql_give_text(context, span_from(text, len));
    }
}

static void give_real_text(sqlite3_context *context, sqlite3_value *value, bool is_float)
{
    char text[MYSQL_REAL_TEXT_BYTES];
    if (mysql_sql_is_null(value)) {
        sqlite3_result_null(context);
        return;
    }
    size_t len = real_as_text(sqlite3_value_double(value), is_float, text);
    mysql_sql_give_text(context, span_from(text, len));
}
static void real_text(sqlite3_context *context, int count, sqlite3_value **values)
{
    (void)count;
    give_real_text(context, values[0], false);
}
static void float_text(sqlite3_context *context, int count, sqlite3_value **values)
{
    (void)count;
    give_real_text(context, values[0], true);
}

static void as_float(sqlite3_context *context, int count, sqlite3_value **values)
{
    if (!mysql_sql_any_null(context, count, values)) {
        sqlite3_result_double(context, (double)(float)sqlite3_value_double(values[0]));
    }
}

static bool both_integers(sqlite3_value **values)
{
    return sqlite3_value_type(values[0]) == SQLITE_INTEGER &&
           sqlite3_value_type(values[1]) == SQLITE_INTEGER;
}

/* --- arithmetic: two numbers and how the expression is written --- */

static void give_real(sqlite3_context *context, double value, sqlite3_value *source)
{
    if (isfinite(value)) {
        sqlite3_result_double(context, value);
    } else {
        mysql_sql_fail(context, out_of_range, "DOUBLE value is out of range in '%.*s'",
                       SPAN_ARG(mysql_sql_text(source)));
    }
}

static void bigint_overflow(sqlite3_context *context, sqlite3_value *source)
{
    mysql_sql_fail(context, out_of_range, "BIGINT value is out of range in '(%.*s)'",
                   SPAN_ARG(mysql_sql_text(source)));
}

static bool add_fits(int64_t a, int64_t b)
{
    return b > 0 ? a <= INT64_MAX - b : a >= INT64_MIN - b;
}

static void add(sqlite3_context *context, int count, sqlite3_value **values)
{
    if (mysql_sql_any_null(context, count, values)) {
        return;
    }
    if (!both_integers(values)) {
        give_real(context, sqlite3_value_double(values[0]) + sqlite3_value_double(values[1]),
                  values[2]);
        return;
    }
    int64_t a = sqlite3_value_int64(values[0]);
    int64_t b = sqlite3_value_int64(values[1]);
    if (add_fits(a, b)) {
        sqlite3_result_int64(context, a + b);
    } else {
        bigint_overflow(context, values[2]);
    }
}

static void sub(sqlite3_context *context, int count, sqlite3_value **values)
{
    if (mysql_sql_any_null(context, count, values)) {
        return;
    }
    if (!both_integers(values)) {
        give_real(context, sqlite3_value_double(values[0]) - sqlite3_value_double(values[1]),
                  values[2]);
        return;
    }
    int64_t a = sqlite3_value_int64(values[0]);
    int64_t b = sqlite3_value_int64(values[1]);
    bool fits = b < 0 ? a <= INT64_MAX + b : a >= INT64_MIN + b;
    if (fits) {
        sqlite3_result_int64(context, a - b);
    } else {
        bigint_overflow(context, values[2]);
    }
}

static bool mul_fits(int64_t a, int64_t b)
{
    if (a == 0 || b == 0) {
        return true;
    }
    if (a == -1 || b == -1) {
        return (a == -1 ? b : a) != INT64_MIN;
    }
    int64_t limit = (a > 0) == (b > 0) ? INT64_MAX : INT64_MIN;
    return a > 0 ? (b > 0 ? b <= limit / a : b >= limit / a)
                 : (b > 0 ? a >= limit / b : a >= limit / b);
}

static void mul(sqlite3_context *context, int count, sqlite3_value **values)
{
    if (mysql_sql_any_null(context, count, values)) {
        return;
    }
    if (!both_integers(values)) {
        give_real(context, sqlite3_value_double(values[0]) * sqlite3_value_double(values[1]),
                  values[2]);
        return;
    }
    int64_t a = sqlite3_value_int64(values[0]);
    int64_t b = sqlite3_value_int64(values[1]);
    if (mul_fits(a, b)) {
        sqlite3_result_int64(context, a * b);
    } else {
        bigint_overflow(context, values[2]);
    }
}

static void divide(sqlite3_context *context, int count, sqlite3_value **values)
{
    if (mysql_sql_any_null(context, count, values)) {
        return;
    }
    double by = sqlite3_value_double(values[1]);
    if (by == 0) {
        sqlite3_result_null(context);
    } else {
        give_real(context, sqlite3_value_double(values[0]) / by, values[2]);
    }
}

static void int_divide(sqlite3_context *context, int count, sqlite3_value **values)
{
    if (mysql_sql_any_null(context, count, values)) {
        return;
    }
    double by = sqlite3_value_double(values[1]);
    if (by == 0) {
        sqlite3_result_null(context);
    } else if (both_integers(values)) {
        int64_t a = sqlite3_value_int64(values[0]);
        int64_t b = sqlite3_value_int64(values[1]);
        if (a == INT64_MIN && b == -1) {
            bigint_overflow(context, values[2]);
        } else {
            sqlite3_result_int64(context, a / b);
        }
    } else {
        double result = trunc(sqlite3_value_double(values[0]) / by);
        if (fabs(result) < 9.2e18) {
            sqlite3_result_int64(context, (int64_t)result);
        } else {
            bigint_overflow(context, values[2]);
        }
    }
}

static void modulo(sqlite3_context *context, int count, sqlite3_value **values)
{
    if (mysql_sql_any_null(context, count, values)) {
        return;
    }
    double by = sqlite3_value_double(values[1]);
    if (by == 0) {
        sqlite3_result_null(context);
    } else if (both_integers(values)) {
        int64_t b = sqlite3_value_int64(values[1]);
        sqlite3_result_int64(context, b == -1 ? 0 : sqlite3_value_int64(values[0]) % b);
    } else {
        sqlite3_result_double(context, fmod(sqlite3_value_double(values[0]), by));
    }
}

/* As a whole number, rounded half away from zero; above 2^63 as an unsigned one. */
static uint64_t whole(sqlite3_value *value)
{
    if (sqlite3_value_type(value) == SQLITE_INTEGER) {
        return (uint64_t)sqlite3_value_int64(value);
    }
    double rounded = round(sqlite3_value_double(value));
    if (rounded >= 18446744073709551615.0) {
        return UINT64_MAX;
    }
    if (rounded >= 9223372036854775807.0) {
        return (uint64_t)rounded;
    }
    return rounded <= -9223372036854775808.0 ? (uint64_t)INT64_MIN : (uint64_t)(int64_t)rounded;
}

static void bit_or(sqlite3_context *context, int count, sqlite3_value **values)
{
    if (!mysql_sql_any_null(context, count, values)) {
        sqlite3_result_int64(context, (int64_t)(whole(values[0]) | whole(values[1])));
    }
}
static void bit_and(sqlite3_context *context, int count, sqlite3_value **values)
{
    if (!mysql_sql_any_null(context, count, values)) {
        sqlite3_result_int64(context, (int64_t)(whole(values[0]) & whole(values[1])));
    }
}
static void bit_xor(sqlite3_context *context, int count, sqlite3_value **values)
{
    if (!mysql_sql_any_null(context, count, values)) {
        sqlite3_result_int64(context, (int64_t)(whole(values[0]) ^ whole(values[1])));
    }
}
static void bit_not(sqlite3_context *context, int count, sqlite3_value **values)
{
    if (!mysql_sql_any_null(context, count, values)) {
        sqlite3_result_int64(context, (int64_t)~whole(values[0]));
    }
}
static void shift_left(sqlite3_context *context, int count, sqlite3_value **values)
{
    if (!mysql_sql_any_null(context, count, values)) {
        uint64_t by = whole(values[1]);
        sqlite3_result_int64(context, by < 64 ? (int64_t)(whole(values[0]) << by) : 0);
    }
}
static void shift_right(sqlite3_context *context, int count, sqlite3_value **values)
{
    if (!mysql_sql_any_null(context, count, values)) {
        uint64_t by = whole(values[1]);
        sqlite3_result_int64(context, by < 64 ? (int64_t)(whole(values[0]) >> by) : 0);
    }
}

/* An unsigned value where a signed one is taken. */
static void as_signed(sqlite3_context *context, int count, sqlite3_value **values)
{
    (void)count;
    if (sqlite3_value_type(values[0]) == SQLITE_INTEGER && sqlite3_value_int64(values[0]) < 0) {
        mysql_sql_fail(context, out_of_range, "BIGINT UNSIGNED value is out of range in '%llu'",
                       (unsigned long long)sqlite3_value_int64(values[0]));
    } else {
        sqlite3_result_value(context, values[0]);
    }
}

static void as_int(sqlite3_context *context, int count, sqlite3_value **values)
{
    if (mysql_sql_any_null(context, count, values)) {
        return;
    }
    double real = sqlite3_value_double(values[0]);
    if (sqlite3_value_type(values[0]) == SQLITE_INTEGER) {
        sqlite3_result_value(context, values[0]);
    } else if (real >= 9223372036854775807.0) {
        sqlite3_result_int64(context, INT64_MAX);
    } else {
        sqlite3_result_int64(context, (int64_t)whole(values[0]));
    }
}

static void cast_unsigned(sqlite3_context *context, int count, sqlite3_value **values)
{
    if (!mysql_sql_any_null(context, count, values)) {
        sqlite3_result_int64(context, (int64_t)whole(values[0]));
    }
}

/* CAST('12.9abc' AS SIGNED) is 12: the digits in front. */
static void text_int(sqlite3_context *context, int count, sqlite3_value **values)
{
    if (!mysql_sql_any_null(context, count, values)) {
        char digits[32];
        struct span text = span_first(span_trim(mysql_sql_text(values[0])), sizeof(digits) - 1);
        memcpy(digits, text.ptr, text.len);
        digits[text.len] = '\0';
        sqlite3_result_int64(context, strtoll(digits, NULL, 10));
    }
}

/* DECIMAL(length, decimals): what does not fit is the largest that does. */
static void cast_decimal(sqlite3_context *context, int count, sqlite3_value **values)
{
    if (mysql_sql_any_null(context, count, values)) {
        return;
    }
    int decimals = sqlite3_value_int(values[2]);
    int digits = sqlite3_value_int(values[1]) - decimals;
    double value = rounded_half(sqlite3_value_double(values[0]), decimals);
    double limit = pow(10, digits) - pow(10, -decimals);
    if (fabs(value) > limit) {
        value = copysign(limit, value);
    }
    if (decimals == 0 && fabs(value) < 9e15) {
        sqlite3_result_int64(context, (int64_t)value);
    } else {
        sqlite3_result_double(context, value);
    }
}

/* --- mathematics --- */

static void absolute(sqlite3_context *context, int count, sqlite3_value **values)
{
    if (mysql_sql_any_null(context, count, values)) {
        return;
    }
    if (sqlite3_value_type(values[0]) != SQLITE_INTEGER) {
        sqlite3_result_double(context, fabs(sqlite3_value_double(values[0])));
        return;
    }
    int64_t value = sqlite3_value_int64(values[0]);
    if (value == INT64_MIN) {
        mysql_sql_fail(context, out_of_range,
                       "BIGINT value is out of range in 'abs(-(9223372036854775808))'");
    } else {
        sqlite3_result_int64(context, value < 0 ? -value : value);
    }
}

static void give_whole(sqlite3_context *context, double value)
{
    if (fabs(value) < 9.2e18) {
        sqlite3_result_int64(context, (int64_t)value);
    } else {
        sqlite3_result_double(context, value);
    }
}

static void ceiling(sqlite3_context *context, int count, sqlite3_value **values)
{
    if (mysql_sql_any_null(context, count, values)) {
        return;
    }
    if (sqlite3_value_type(values[0]) == SQLITE_INTEGER) {
        sqlite3_result_value(context, values[0]);
    } else {
        give_whole(context, ceil(sqlite3_value_double(values[0])));
    }
}

static void floored(sqlite3_context *context, int count, sqlite3_value **values)
{
    if (mysql_sql_any_null(context, count, values)) {
        return;
    }
    if (sqlite3_value_type(values[0]) == SQLITE_INTEGER) {
        sqlite3_result_value(context, values[0]);
    } else {
        give_whole(context, floor(sqlite3_value_double(values[0])));
    }
}

static double rounded_down(double value, int64_t decimals)
{
    double scale = pow(10, (double)(decimals < 0 ? -decimals : decimals));
    double scaled = decimals < 0 ? value / scale : value * scale;
    if (decimals > decimals_max || fabs(scaled) > 9e15) {
        return value;
    }
    double cut = trunc(scaled + copysign(fabs(scaled) * 4e-16, scaled));
    return decimals < 0 ? cut * scale : cut / scale;
}

static void rounding(sqlite3_context *context, sqlite3_value **values,
                     double (*to)(double value, int64_t decimals))
{
    if (mysql_sql_any_null(context, 2, values)) {
        return;
    }
    int64_t decimals = sqlite3_value_int64(values[1]);
    if (sqlite3_value_type(values[0]) != SQLITE_INTEGER) {
        sqlite3_result_double(context, to(sqlite3_value_double(values[0]), decimals));
    } else if (decimals >= 0) {
        sqlite3_result_value(context, values[0]);
    } else {
        give_whole(context, to((double)sqlite3_value_int64(values[0]), decimals));
    }
}
static void round_half(sqlite3_context *context, int count, sqlite3_value **values)
{
    (void)count;
    rounding(context, values, rounded_half);
}
static void truncated(sqlite3_context *context, int count, sqlite3_value **values)
{
    (void)count;
    rounding(context, values, rounded_down);
}

static void sign_of(sqlite3_context *context, int count, sqlite3_value **values)
{
    if (!mysql_sql_any_null(context, count, values)) {
        double value = sqlite3_value_double(values[0]);
        sqlite3_result_int(context, value > 0 ? 1 : value < 0 ? -1 : 0);
    }
}

/* Of what is not defined: NULL, as of LN(0). */
static void give_defined(sqlite3_context *context, double value)
{
    if (isfinite(value)) {
        sqlite3_result_double(context, value);
    } else {
        sqlite3_result_null(context);
    }
}

static void power(sqlite3_context *context, int count, sqlite3_value **values)
{
    if (mysql_sql_any_null(context, count, values)) {
        return;
    }
    double value = pow(sqlite3_value_double(values[0]), sqlite3_value_double(values[1]));
    if (isfinite(value)) {
        sqlite3_result_double(context, value);
    } else {
        mysql_sql_fail(context, out_of_range, "DOUBLE value is out of range in 'pow(%.17g,%.17g)'",
                       sqlite3_value_double(values[0]), sqlite3_value_double(values[1]));
    }
}

#define ONE_NUMBER(name, expression)                                                               \
    static void name(sqlite3_context *context, int count, sqlite3_value **values)                  \
    {                                                                                              \
        if (!mysql_sql_any_null(context, count, values)) {                                         \
            double x = sqlite3_value_double(values[0]);                                            \
            give_defined(context, (expression));                                                   \
        }                                                                                          \
    }
ONE_NUMBER(square_root, sqrt(x))
ONE_NUMBER(exponential, exp(x))
ONE_NUMBER(natural_logarithm, x > 0 ? log(x) : NAN)
ONE_NUMBER(binary_logarithm, x > 0 ? log2(x) : NAN)
ONE_NUMBER(decimal_logarithm, x > 0 ? log10(x) : NAN)
ONE_NUMBER(sine, sin(x))
ONE_NUMBER(cosine, cos(x))
ONE_NUMBER(tangent, tan(x))
ONE_NUMBER(arc_sine, asin(x))
ONE_NUMBER(arc_cosine, acos(x))
ONE_NUMBER(to_radians, x *PI / 180)
ONE_NUMBER(to_degrees, x * 180 / PI)

static void logarithm(sqlite3_context *context, int count, sqlite3_value **values)
{
    if (mysql_sql_any_null(context, count, values)) {
        return;
    }
    double first = sqlite3_value_double(values[0]);
    double last = sqlite3_value_double(values[count - 1]);
    if (last <= 0 || first <= 0 || (count == 2 && first == 1)) {
        sqlite3_result_null(context);
    } else {
        give_defined(context, count == 2 ? log(last) / log(first) : log(last));
    }
}

static void arc_tangent(sqlite3_context *context, int count, sqlite3_value **values)
{
    if (!mysql_sql_any_null(context, count, values)) {
        double first = sqlite3_value_double(values[0]);
        sqlite3_result_double(context, count == 2 ? atan2(first, sqlite3_value_double(values[1]))
                                                  : atan(first));
    }
}

/* A seed makes it repeatable: MySQL's own generator. */
static void random_real(sqlite3_context *context, int count, sqlite3_value **values)
{
    enum { modulus = 0x3FFFFFFF };
    if (count == 0) {
        uint64_t bits = 0;
        sqlite3_randomness((int)sizeof(bits), &bits);
        sqlite3_result_double(context, (double)(bits >> 11) * 0x1.0p-53);
        return;
    }
    struct rand_state {
        uint64_t seed1;
        uint64_t seed2;
        bool begun;
    } *state = sqlite3_get_auxdata(context, 0);
    struct rand_state fresh = {0};
    if (state == NULL) {
        state = sqlite3_malloc((int)sizeof(*state));
        if (state == NULL) {
            sqlite3_result_error_nomem(context);
            return;
        }
        uint32_t seed = (uint32_t)sqlite3_value_int64(values[0]);
        *state = (struct rand_state){.seed1 = (seed * UINT32_C(0x10001) + 55555555) % modulus,
                                     .seed2 = (seed * UINT32_C(0x10000001)) % modulus};
        fresh = *state;
        fresh.seed1 = (fresh.seed1 * 3 + fresh.seed2) % modulus;
        fresh.seed2 = (fresh.seed1 + fresh.seed2 + 33) % modulus;
        *state = fresh;
        sqlite3_set_auxdata(context, 0, state, sqlite3_free);
    } else {
        state->seed1 = (state->seed1 * 3 + state->seed2) % modulus;
        state->seed2 = (state->seed1 + state->seed2 + 33) % modulus;
        fresh = *state;
    }
    sqlite3_result_double(context, (double)fresh.seed1 / (double)modulus);
}

static void bit_count(sqlite3_context *context, int count, sqlite3_value **values)
{
    if (mysql_sql_any_null(context, count, values)) {
        return;
    }
    int bits = 0;
    for (uint64_t value = whole(values[0]); value != 0; value &= value - 1) {
        bits++;
    }
    sqlite3_result_int(context, bits);
}

const struct mysql_sql_function mysql_sql_numbers[] = {
    {"my_number", 1, number_of_text},
    {"my_bytes_number", 1, number_of_bytes},
    {"my_date_number", 1, number_of_date},
    {"my_int_text", 1, number_int_text},
    {"my_unsigned_text", 1, unsigned_text},
    {"my_decimal_text", 2, decimal_text},
    {"my_real_text", 1, real_text},
    {"my_float_text", 1, float_text},
    {"my_float", 1, as_float},
    {"my_add", 3, add},
    {"my_sub", 3, sub},
    {"my_mul", 3, mul},
    {"my_div", 3, divide},
    {"my_int_div", 3, int_divide},
    {"my_mod", -1, modulo},
    {"my_bit_or", 3, bit_or},
    {"my_bit_and", 3, bit_and},
    {"my_bit_xor", 3, bit_xor},
    {"my_bit_not", 1, bit_not},
    {"my_shift_left", 3, shift_left},
    {"my_shift_right", 3, shift_right},
    {"my_unsigned", 1, as_signed},
    {"my_int", 1, as_int},
    {"my_cast_unsigned", 1, cast_unsigned},
    {"my_text_int", 1, text_int},
    {"my_cast_decimal", 3, cast_decimal},
    {"my_abs", 1, absolute},
    {"my_ceil", 1, ceiling},
    {"my_floor", 1, floored},
    {"my_round", 2, round_half},
    {"my_truncate", 2, truncated},
    {"my_sign", 1, sign_of},
    {"my_pow", 2, power},
    {"my_sqrt", 1, square_root},
    {"my_exp", 1, exponential},
    {"my_ln", 1, natural_logarithm},
    {"my_log", -1, logarithm},
    {"my_log2", 1, binary_logarithm},
    {"my_log10", 1, decimal_logarithm},
    {"my_sin", 1, sine},
    {"my_cos", 1, cosine},
    {"my_tan", 1, tangent},
    {"my_asin", 1, arc_sine},
    {"my_acos", 1, arc_cosine},
    {"my_atan", -1, arc_tangent},
    {"my_radians", 1, to_radians},
    {"my_degrees", 1, to_degrees},
    {"my_rand", -1, random_real},
    {"my_bit_count", 1, bit_count},
};
const size_t mysql_sql_numbers_count = ARRAY_COUNT(mysql_sql_numbers);
