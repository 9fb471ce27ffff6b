/* Texts: their functions count characters, not bytes, and compare without case. */
#include "mysql_sql.h"

#include "checksum.h"

#include <stdio.h>
#include <string.h>

/* How many bytes the first `characters` of the text take. */
static size_t bytes_of_characters(struct span text, int64_t characters)
{
    size_t at = 0;
    while (characters > 0 && at < text.len) {
        at++;
        while (at < text.len && ((unsigned char)text.ptr[at] & 0xc0) == 0x80) {
            at++;
        }
        characters--;
    }
    return at;
}

static int64_t characters_in(struct span text)
{
    int64_t count = 0;
    for (size_t i = 0; i < text.len; i++) {
        count += ((unsigned char)text.ptr[i] & 0xc0) != 0x80 ? 1 : 0;
    }
    return count;
}

static void text_concat(sqlite3_context *context, int count, sqlite3_value **values)
{
    struct buf out;
    if (mysql_sql_any_null(context, count, values)) {
        return;
    }
    buf_init(&out, MYSQL_TEXT_BYTES_MAX);
    for (int i = 0; i < count; i++) {
        buf_append_span(&out, mysql_sql_text(values[i]));
    }
    mysql_sql_give_buf(context, &out);
}

static void text_concat_ws(sqlite3_context *context, int count, sqlite3_value **values)
{
    struct buf out;
    bool any = false;
    if (mysql_sql_any_null(context, 1, values)) {
        return;
    }
    buf_init(&out, MYSQL_TEXT_BYTES_MAX);
    for (int i = 1; i < count; i++) {
        if (!mysql_sql_is_null(values[i])) {
            buf_append_span(&out, any ? mysql_sql_text(values[0]) : SPAN_EMPTY);
            buf_append_span(&out, mysql_sql_text(values[i]));
            any = true;
        }
    }
    mysql_sql_give_buf(context, &out);
}

static void text_length(sqlite3_context *context, int count, sqlite3_value **values)
{
    if (!mysql_sql_any_null(context, count, values)) {
        sqlite3_result_int64(context, (int64_t)mysql_sql_text(values[0]).len);
    }
}
static void text_bit_length(sqlite3_context *context, int count, sqlite3_value **values)
{
    if (!mysql_sql_any_null(context, count, values)) {
        sqlite3_result_int64(context, (int64_t)mysql_sql_text(values[0]).len * 8);
    }
}
static void text_char_length(sqlite3_context *context, int count, sqlite3_value **values)
{
    if (!mysql_sql_any_null(context, count, values)) {
        sqlite3_result_int64(context, characters_in(mysql_sql_text(values[0])));
    }
}

/* Of ASCII and of Latin's, Greek's and Cyrillic's two-byte letters whose cases lie 32 or 1 apart.
 */
static uint32_t case_of(uint32_t c, bool upper)
{
    uint32_t plain = upper ? c - 32 : c + 32;
    uint32_t low = upper ? 32 : 0;
    bool ascii = c >= 'A' + low && c <= 'Z' + low;
    bool latin = c >= 0xc0 + low && c <= 0xde + low && c != 0xd7 + low;
    bool greek = c >= 0x391 + low && c <= 0x3a9 + low && c != 0x3a2 + low;
    bool cyrillic = c >= 0x410 + low && c <= 0x42f + low;
    if (ascii || latin || greek || cyrillic) {
        return plain;
    }
    if (c >= 0x100 && c <= 0x137) {
        return upper ? c & ~1U : c | 1U;
    }
    return c;
}

static void text_cased(sqlite3_context *context, sqlite3_value *value, bool upper)
{
    struct buf out;
    struct span text = mysql_sql_text(value);
    if (mysql_sql_any_null(context, 1, &value)) {
        return;
    }
    buf_init(&out, MYSQL_TEXT_BYTES_MAX);
    for (size_t i = 0; i < text.len; i++) {
        unsigned char byte = (unsigned char)text.ptr[i];
        bool two = (byte & 0xe0) == 0xc0 && i + 1 < text.len;
        if (byte >= 0x80 && !two) {
            buf_append_byte(&out, (char)byte);
            continue;
        }
        uint32_t c = two ? (byte & 0x1fU) << 6 | ((unsigned char)text.ptr[i + 1] & 0x3fU) : byte;
        c = case_of(c, upper);
        if (two) {
            buf_append_byte(&out, (char)(0xc0 | c >> 6));
            buf_append_byte(&out, (char)(0x80 | (c & 0x3f)));
            i++;
        } else {
            buf_append_byte(&out, (char)c);
        }
    }
    mysql_sql_give_buf(context, &out);
}
static void text_upper(sqlite3_context *context, int count, sqlite3_value **values)
{
    (void)count;
    text_cased(context, values[0], true);
}
static void text_lower(sqlite3_context *context, int count, sqlite3_value **values)
{
    (void)count;
    text_cased(context, values[0], false);
}

static void text_left(sqlite3_context *context, int count, sqlite3_value **values)
{
    if (!mysql_sql_any_null(context, count, values)) {
        struct span text = mysql_sql_text(values[0]);
        size_t len = bytes_of_characters(text, sqlite3_value_int64(values[1]));
        mysql_sql_give_text(context, span_first(text, len));
    }
}

static void text_right(sqlite3_context *context, int count, sqlite3_value **values)
{
    if (mysql_sql_any_null(context, count, values)) {
        return;
    }
    struct span text = mysql_sql_text(values[0]);
    int64_t wanted = sqlite3_value_int64(values[1]);
    int64_t skipped = characters_in(text) - (wanted > 0 ? wanted : 0);
    mysql_sql_give_text(context, span_skip(text, bytes_of_characters(text, skipped)));
}

/* From the position, or from that many before the end; so many characters, or all. */
static void text_substring(sqlite3_context *context, int count, sqlite3_value **values)
{
    if (mysql_sql_any_null(context, count, values)) {
        return;
    }
    struct span text = mysql_sql_text(values[0]);
    int64_t length = characters_in(text);
    int64_t from = sqlite3_value_int64(values[1]);
    int64_t wanted = count > 2 ? sqlite3_value_int64(values[2]) : length;
    int64_t start = from > 0 ? from - 1 : from < 0 ? length + from : length;
    if (start < 0 || start >= length || wanted <= 0) {
        mysql_sql_give_text(context, SPAN_EMPTY);
        return;
    }
    struct span rest = span_skip(text, bytes_of_characters(text, start));
    mysql_sql_give_text(context, span_first(rest, bytes_of_characters(rest, wanted)));
}

/* Position of `what` in `text` at or behind `from`, byte by byte; text.len: none. */
static size_t find_bytes(struct span text, struct span what, size_t from)
{
    for (size_t at = from; what.len > 0 && at + what.len <= text.len; at++) {
        if (memcmp(text.ptr + at, what.ptr, what.len) == 0) {
            return at;
        }
    }
    return text.len;
}

static void text_substring_index(sqlite3_context *context, int count, sqlite3_value **values)
{
    if (mysql_sql_any_null(context, count, values)) {
        return;
    }
    struct span text = mysql_sql_text(values[0]);
    struct span what = mysql_sql_text(values[1]);
    int64_t wanted = sqlite3_value_int64(values[2]);
    int64_t there = 0;
    for (size_t at = find_bytes(text, what, 0); at < text.len;
         at = find_bytes(text, what, at + what.len)) {
        there++;
    }
    int64_t nth = wanted > 0 ? wanted : there + wanted + 1;
    if (wanted == 0 || what.len == 0) {
        mysql_sql_give_text(context, SPAN_EMPTY);
        return;
    }
    if (nth <= 0 || nth > there) {
        mysql_sql_give_text(context, text);
        return;
    }
    size_t at = find_bytes(text, what, 0);
    for (int64_t i = 1; i < nth; i++) {
        at = find_bytes(text, what, at + what.len);
    }
    mysql_sql_give_text(context,
                        wanted > 0 ? span_first(text, at) : span_skip(text, at + what.len));
}

static void text_trimmed(sqlite3_context *context, int count, sqlite3_value **values, int sides)
{
    if (mysql_sql_any_null(context, count, values)) {
        return;
    }
    struct span text = mysql_sql_text(values[0]);
    struct span what = count > 1 ? mysql_sql_text(values[1]) : SPAN_LIT(" ");
    while ((sides & 1) != 0 && what.len > 0 && span_starts_with(text, what)) {
        text = span_skip(text, what.len);
    }
    while ((sides & 2) != 0 && what.len > 0 && span_ends_with(text, what)) {
        text = span_first(text, text.len - what.len);
    }
    mysql_sql_give_text(context, text);
}
static void text_trim(sqlite3_context *context, int count, sqlite3_value **values)
{
    text_trimmed(context, count, values, 3);
}
static void text_ltrim(sqlite3_context *context, int count, sqlite3_value **values)
{
    text_trimmed(context, count, values, 1);
}
static void text_rtrim(sqlite3_context *context, int count, sqlite3_value **values)
{
    text_trimmed(context, count, values, 2);
}

static void text_replace(sqlite3_context *context, int count, sqlite3_value **values)
{
    struct buf out;
    if (mysql_sql_any_null(context, count, values)) {
        return;
    }
    struct span text = mysql_sql_text(values[0]);
    struct span what = mysql_sql_text(values[1]);
    struct span with = mysql_sql_text(values[2]);
    size_t from = 0;
    buf_init(&out, MYSQL_TEXT_BYTES_MAX);
    for (size_t at = find_bytes(text, what, 0); at < text.len; at = find_bytes(text, what, from)) {
        buf_append(&out, text.ptr + from, at - from);
        buf_append_span(&out, with);
        from = at + what.len;
    }
    buf_append_span(&out, span_skip(text, from));
    mysql_sql_give_buf(context, &out);
}

static void text_reverse(sqlite3_context *context, int count, sqlite3_value **values)
{
    struct buf out;
    if (mysql_sql_any_null(context, count, values)) {
        return;
    }
    struct span text = mysql_sql_text(values[0]);
    buf_init(&out, MYSQL_TEXT_BYTES_MAX);
    for (size_t end = text.len; end > 0;) {
        size_t begin = end - 1;
        while (begin > 0 && ((unsigned char)text.ptr[begin] & 0xc0) == 0x80) {
            begin--;
        }
        buf_append(&out, text.ptr + begin, end - begin);
        end = begin;
    }
    mysql_sql_give_buf(context, &out);
}

static void give_repeated(sqlite3_context *context, struct span text, int64_t times)
{
    struct buf out;
    buf_init(&out, MYSQL_TEXT_BYTES_MAX);
    for (int64_t i = 0; i < times && text.len > 0 && buf_ok(&out); i++) {
        buf_append_span(&out, text);
    }
    mysql_sql_give_buf(context, &out);
}
static void text_repeat(sqlite3_context *context, int count, sqlite3_value **values)
{
    if (!mysql_sql_any_null(context, count, values)) {
        give_repeated(context, mysql_sql_text(values[0]), sqlite3_value_int64(values[1]));
    }
}
static void text_space(sqlite3_context *context, int count, sqlite3_value **values)
{
    if (!mysql_sql_any_null(context, count, values)) {
        give_repeated(context, SPAN_LIT(" "), sqlite3_value_int64(values[0]));
    }
}

static void text_padded(sqlite3_context *context, sqlite3_value **values, bool left)
{
    struct buf out;
    if (mysql_sql_any_null(context, 3, values)) {
        return;
    }
    struct span text = mysql_sql_text(values[0]);
    struct span pad = mysql_sql_text(values[2]);
    int64_t wanted = sqlite3_value_int64(values[1]);
    int64_t missing = wanted - characters_in(text);
    if (wanted < 0 || wanted > MYSQL_TEXT_BYTES_MAX || (missing > 0 && pad.len == 0)) {
        sqlite3_result_null(context);
        return;
    }
    if (missing <= 0) {
        mysql_sql_give_text(context, span_first(text, bytes_of_characters(text, wanted)));
        return;
    }
    buf_init(&out, MYSQL_TEXT_BYTES_MAX);
    buf_append_span(&out, left ? SPAN_EMPTY : text);
    int64_t per = characters_in(pad);
    for (; missing > 0 && buf_ok(&out); missing -= per) {
        buf_append_span(&out, span_first(pad, bytes_of_characters(pad, missing)));
    }
    buf_append_span(&out, left ? text : SPAN_EMPTY);
    mysql_sql_give_buf(context, &out);
}
static void text_lpad(sqlite3_context *context, int count, sqlite3_value **values)
{
    (void)count;
    text_padded(context, values, true);
}
static void text_rpad(sqlite3_context *context, int count, sqlite3_value **values)
{
    (void)count;
    text_padded(context, values, false);
}

static void text_insert(sqlite3_context *context, int count, sqlite3_value **values)
{
    struct buf out;
    if (mysql_sql_any_null(context, count, values)) {
        return;
    }
    struct span text = mysql_sql_text(values[0]);
    int64_t at = sqlite3_value_int64(values[1]);
    int64_t length = sqlite3_value_int64(values[2]);
    if (at < 1 || at > characters_in(text)) {
        mysql_sql_give_text(context, text);
        return;
    }
    size_t begin = bytes_of_characters(text, at - 1);
    struct span rest = span_skip(text, begin);
    size_t skipped = length < 0 ? rest.len : bytes_of_characters(rest, length);
    buf_init(&out, MYSQL_TEXT_BYTES_MAX);
    buf_append_span(&out, span_first(text, begin));
    buf_append_span(&out, mysql_sql_text(values[3]));
    buf_append_span(&out, span_skip(rest, skipped));
    mysql_sql_give_buf(context, &out);
}

/* Does the text begin with what, as the collation has it? */
static bool begins_ci(struct span text, struct span what)
{
    while (what.len > 0) {
        uint32_t weight = mysql_take_weight(&what);
        if (weight == 0) {
            return true;
        }
        if (mysql_take_weight(&text) != weight) {
            return false;
        }
    }
    return true;
}

/* 1 and on; 0: not there. */
static int64_t position_of(struct span text, struct span what, int64_t from)
{
    int64_t length = characters_in(text);
    for (int64_t at = from; at >= 1 && at <= length + 1; at++) {
        if (begins_ci(span_skip(text, bytes_of_characters(text, at - 1)), what)) {
            return at <= length || what.len == 0 ? at : 0;
        }
    }
    return 0;
}
static void text_instr(sqlite3_context *context, int count, sqlite3_value **values)
{
    if (!mysql_sql_any_null(context, count, values)) {
        sqlite3_result_int64(context,
                             position_of(mysql_sql_text(values[0]), mysql_sql_text(values[1]), 1));
    }
}
static void text_locate(sqlite3_context *context, int count, sqlite3_value **values)
{
    if (!mysql_sql_any_null(context, count, values)) {
        int64_t from = count > 2 ? sqlite3_value_int64(values[2]) : 1;
        sqlite3_result_int64(
            context, position_of(mysql_sql_text(values[1]), mysql_sql_text(values[0]), from));
    }
}

static void text_ascii(sqlite3_context *context, int count, sqlite3_value **values)
{
    if (!mysql_sql_any_null(context, count, values)) {
        struct span text = mysql_sql_text(values[0]);
        sqlite3_result_int(context, text.len > 0 ? (unsigned char)text.ptr[0] : 0);
    }
}

static void text_ord(sqlite3_context *context, int count, sqlite3_value **values)
{
    if (mysql_sql_any_null(context, count, values)) {
        return;
    }
    struct span text = mysql_sql_text(values[0]);
    int64_t value = 0;
    size_t len = bytes_of_characters(text, 1);
    for (size_t i = 0; i < len; i++) {
        value = value << 8 | (unsigned char)text.ptr[i];
    }
    sqlite3_result_int64(context, value);
}

static void text_char(sqlite3_context *context, int count, sqlite3_value **values)
{
    char bytes[4];
    struct buf out;
    buf_init(&out, MYSQL_TEXT_BYTES_MAX);
    for (int i = 0; i < count; i++) {
        uint32_t value = (uint32_t)sqlite3_value_int64(values[i]);
        size_t len = 0;
        for (int shift = 24; shift >= 0 && !mysql_sql_is_null(values[i]); shift -= 8) {
            if (value >> shift != 0 || shift == 0) {
                bytes[len++] = (char)(value >> shift & 0xff);
            }
        }
        buf_append(&out, bytes, len);
    }
    mysql_sql_give_buf(context, &out);
}

static void text_hex(sqlite3_context *context, int count, sqlite3_value **values)
{
    static const char digits[] = "0123456789ABCDEF";
    struct buf out;
    if (mysql_sql_any_null(context, count, values)) {
        return;
    }
    buf_init(&out, MYSQL_TEXT_BYTES_MAX);
    if (sqlite3_value_type(values[0]) == SQLITE_TEXT) {
        struct span text = mysql_sql_text(values[0]);
        for (size_t i = 0; i < text.len; i++) {
            buf_append_byte(&out, digits[(unsigned char)text.ptr[i] >> 4]);
            buf_append_byte(&out, digits[(unsigned char)text.ptr[i] & 15]);
        }
    } else {
        buf_printf(&out, "%llX", (unsigned long long)sqlite3_value_int64(values[0]));
    }
    mysql_sql_give_buf(context, &out);
}

static void give_in_base(sqlite3_context *context, sqlite3_value *value, unsigned bits)
{
    char text[72];
    size_t at = sizeof(text);
    uint64_t rest = (uint64_t)sqlite3_value_int64(value);
    if (mysql_sql_any_null(context, 1, &value)) {
        return;
    }
    do {
        text[--at] = (char)('0' + (rest & ((1U << bits) - 1)));
        rest >>= bits;
    } while (rest != 0);
    mysql_sql_give_text(context, span_from(text + at, sizeof(text) - at));
}
static void text_bin(sqlite3_context *context, int count, sqlite3_value **values)
{
    (void)count;
    give_in_base(context, values[0], 1);
}
static void text_oct(sqlite3_context *context, int count, sqlite3_value **values)
{
    (void)count;
    give_in_base(context, values[0], 3);
}

static void text_find_in_set(sqlite3_context *context, int count, sqlite3_value **values)
{
    if (mysql_sql_any_null(context, count, values)) {
        return;
    }
    struct span what = mysql_sql_text(values[0]);
    struct span rest = mysql_sql_text(values[1]);
    struct span part;
    int number = 0;
    while (span_next_part(&rest, ',', &part)) {
        number++;
        if (mysql_compare_ci(what, part) == 0) {
            sqlite3_result_int(context, number);
            return;
        }
    }
    sqlite3_result_int(context, 0);
}

static void text_elt(sqlite3_context *context, int count, sqlite3_value **values)
{
    int64_t number = sqlite3_value_int64(values[0]);
    if (mysql_sql_is_null(values[0]) || number < 1 || number >= count) {
        sqlite3_result_null(context);
    } else {
        sqlite3_result_value(context, values[number]);
    }
}

static void text_strcmp(sqlite3_context *context, int count, sqlite3_value **values)
{
    if (!mysql_sql_any_null(context, count, values)) {
        sqlite3_result_int(context,
                           mysql_compare_ci(mysql_sql_text(values[0]), mysql_sql_text(values[1])));
    }
}

/* 12,345.68 */
static void text_format(sqlite3_context *context, int count, sqlite3_value **values)
{
    char text[MYSQL_REAL_TEXT_BYTES];
    struct buf out;
    (void)count;
    if (mysql_sql_any_null(context, 2, values)) {
        return;
    }
    int64_t decimals = sqlite3_value_int64(values[1]);
    decimals = decimals < 0 ? 0 : decimals > 30 ? 30 : decimals;
    struct span digits = span_from(text, mysql_decimal_text(values[0], (unsigned)decimals, text));
    size_t point = span_find_byte(digits, '.');
    size_t first = digits.len > 0 && digits.ptr[0] == '-' ? 1 : 0;
    buf_init(&out, MYSQL_TEXT_BYTES_MAX);
    for (size_t i = 0; i < digits.len; i++) {
        if (i > first && i < point && (point - i) % 3 == 0) {
            buf_append_byte(&out, ',');
        }
        buf_append_byte(&out, digits.ptr[i]);
    }
    mysql_sql_give_buf(context, &out);
}

static void text_quote(sqlite3_context *context, int count, sqlite3_value **values)
{
    struct buf out;
    (void)count;
    if (mysql_sql_is_null(values[0])) {
        mysql_sql_give_text(context, SPAN_LIT("NULL"));
        return;
    }
    struct span text = mysql_sql_text(values[0]);
    buf_init(&out, MYSQL_TEXT_BYTES_MAX);
    buf_append_byte(&out, '\'');
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '\'' || text.ptr[i] == '\\') {
            buf_append_byte(&out, '\\');
        }
        buf_append_byte(&out, text.ptr[i]);
    }
    buf_append_byte(&out, '\'');
    mysql_sql_give_buf(context, &out);
}

/* CAST(x AS CHAR(length)); -1: whole. */
static void text_cut(sqlite3_context *context, int count, sqlite3_value **values)
{
    (void)count;
    if (mysql_sql_is_null(values[0])) {
        sqlite3_result_null(context);
        return;
    }
    struct span text = mysql_sql_text(values[0]);
    int64_t length = sqlite3_value_int64(values[1]);
    mysql_sql_give_text(context,
                        length < 0 ? text : span_first(text, bytes_of_characters(text, length)));
}

/* Texts that are equal to the collation have one key, which sorts as they do. */
static void text_sort_key(sqlite3_context *context, int count, sqlite3_value **values)
{
    struct buf out;
    if (mysql_sql_any_null(context, count, values)) {
        return;
    }
    struct span text = mysql_sql_text(values[0]);
    buf_init(&out, MYSQL_TEXT_BYTES_MAX);
    for (uint32_t weight = mysql_take_weight(&text); weight != 0;
         weight = mysql_take_weight(&text)) {
        char bytes[3] = {(char)(weight >> 16), (char)(weight >> 8), (char)weight};
        buf_append(&out, bytes, sizeof(bytes));
    }
    if (buf_ok(&out)) {
        sqlite3_result_blob64(context, out.ptr, out.len, SQLITE_TRANSIENT);
    } else {
        sqlite3_result_error_nomem(context);
    }
    buf_release(&out);
}

/* Several values as one that tells them apart; NULL where one of them is. */
static void text_tuple(sqlite3_context *context, int count, sqlite3_value **values)
{
    struct buf out;
    if (mysql_sql_any_null(context, count, values)) {
        return;
    }
    buf_init(&out, MYSQL_TEXT_BYTES_MAX);
    for (int i = 0; i < count; i++) {
        int len = sqlite3_value_bytes(values[i]);
        const void *bytes = sqlite3_value_blob(values[i]);
        buf_printf(&out, "%d:%d:", sqlite3_value_type(values[i]), len);
        buf_append(&out, len > 0 ? bytes : "", (size_t)len);
    }
    if (buf_ok(&out)) {
        sqlite3_result_blob64(context, out.ptr, out.len, SQLITE_TRANSIENT);
    } else {
        sqlite3_result_error_nomem(context);
    }
    buf_release(&out);
}

static void text_uuid(sqlite3_context *context, int count, sqlite3_value **values)
{
    unsigned char bytes[16];
    char text[40];
    (void)count;
    (void)values;
    sqlite3_randomness((int)sizeof(bytes), bytes);
    int used =
        snprintf(text, sizeof(text), "%02x%02x%02x%02x-%02x%02x-11ee-%02x%02x-%02x%02x%02x",
                 bytes[0], bytes[1], bytes[2], bytes[3], bytes[4], bytes[5],
                 (unsigned)(bytes[6] & 0x3f) | 0x80U, bytes[7], bytes[8], bytes[9], bytes[10]);
    used += snprintf(text + used, sizeof(text) - (size_t)used, "%02x%02x%02x", bytes[11], bytes[12],
                     bytes[13]);
    mysql_sql_give_text(context, span_from(text, (size_t)used));
}

static void text_crc32(sqlite3_context *context, int count, sqlite3_value **values)
{
    struct checksum checksum;
    if (mysql_sql_any_null(context, count, values) ||
        checksum_init(&checksum, CHECKSUM_CRC32, NULL, NULL) != STATUS_OK) {
        return;
    }
    checksum_update(&checksum, mysql_sql_text(values[0]));
    sqlite3_result_int64(context, (int64_t)checksum.crc);
    checksum_release(&checksum);
}

const struct mysql_sql_function mysql_sql_texts[] = {
    {"my_concat", -1, text_concat},
    {"my_concat_ws", -1, text_concat_ws},
    {"my_length", 1, text_length},
    {"my_bit_length", 1, text_bit_length},
    {"my_char_length", 1, text_char_length},
    {"my_upper", 1, text_upper},
    {"my_lower", 1, text_lower},
    {"my_left", 2, text_left},
    {"my_right", 2, text_right},
    {"my_substring", -1, text_substring},
    {"my_substring_index", 3, text_substring_index},
    {"my_trim", -1, text_trim},
    {"my_ltrim", -1, text_ltrim},
    {"my_rtrim", -1, text_rtrim},
    {"my_replace", 3, text_replace},
    {"my_reverse", 1, text_reverse},
    {"my_repeat", 2, text_repeat},
    {"my_space", 1, text_space},
    {"my_lpad", 3, text_lpad},
    {"my_rpad", 3, text_rpad},
    {"my_insert", 4, text_insert},
    {"my_instr", 2, text_instr},
    {"my_locate", -1, text_locate},
    {"my_ascii", 1, text_ascii},
    {"my_ord", 1, text_ord},
    {"my_char", -1, text_char},
    {"my_hex", 1, text_hex},
    {"my_bin", 1, text_bin},
    {"my_oct", 1, text_oct},
    {"my_crc32", 1, text_crc32},
    {"my_find_in_set", 2, text_find_in_set},
    {"my_elt", -1, text_elt},
    {"my_strcmp", 2, text_strcmp},
    {"my_format", -1, text_format},
    {"my_quote", 1, text_quote},
    {"my_cast_text", 2, text_cut},
    {"my_sort_key", 1, text_sort_key},
    {"my_tuple", -1, text_tuple},
    {"my_uuid", 0, text_uuid},
};
const size_t mysql_sql_texts_count = ARRAY_COUNT(mysql_sql_texts);
