/* utf8mb4_0900_ai_ci, nearly: case and accents make no difference, punctuation stands before
 * symbols, those before digits, those before letters. DIFFERS: letters of other scripts than Latin
 * are compared by their code points (case folded for Greek and Cyrillic), symbols too, where MySQL
 * has the weights of Unicode 9. */
#include "mysql_sql.h"

#include "utf8.h"

/* Below a weight's block stand those of the blocks before it. */
enum {
    block_blank = 0x100,
    block_symbol = 0x1000,
    block_digit = 0x400000,
    block_letter = 0x410000,
    block_other = 0x500000
};

/* ASCII's punctuation and symbols in the order of the Unicode collation. */
static const char ascii_order[] = "_-,;:!?.'\"()[]{}@*/\\&#%`^+<=>|~$";

/* U+00C0 to U+017F without their accents; a dot where it is no letter with an accent. */
static const char latin_bases[] =
    "aaaaaa.ceeeeiiiidnooooo.ouuuuy..aaaaaa.ceeeeiiiidnooooo.ouuuuy.y"
    "aaaaaaccccccccddddeeeeeeeeeegggggggghhhhiiiiiiiiii..jjkk.lllllll"
    "lllnnnnnn...oooooo..rrrrrrssssssssttttttuuuuuuuuuuuuwwyyyzzzzzzs";

static uint32_t weight_ascii(uint32_t c)
{
    if (c >= 'A' && c <= 'Z') {
        return block_letter + (c | 0x20);
    }
    if (c >= 'a' && c <= 'z') {
        return block_letter + c;
    }
    if (c >= '0' && c <= '9') {
        return block_digit + c;
    }
    for (uint32_t i = 0; i + 1 < sizeof(ascii_order); i++) {
        if (ascii_order[i] == (char)c) {
            return block_symbol + i;
        }
    }
    return c == ' ' ? block_blank + 0x80 : block_blank + c;
}

static uint32_t weight_of(uint32_t c)
{
    if (c < 0x80) {
        return weight_ascii(c);
    }
    if (c >= 0xc0 && c < 0xc0 + sizeof(latin_bases) - 1 && latin_bases[c - 0xc0] != '.') {
        return block_letter + (unsigned char)latin_bases[c - 0xc0];
    }
    if (c == 0xa0) {
        return block_blank + 0x80;
    }
    if ((c >= 0x391 && c <= 0x3a9) || (c >= 0x410 && c <= 0x42f)) {
        return block_other + c + 0x20;
    }
    if (c >= 0x400 && c <= 0x40f) {
        return block_other + c + 0x50;
    }
    bool symbol = (c >= 0xa1 && c <= 0xbf) || c == 0xd7 || c == 0xf7 ||
                  (c >= 0x2000 && c <= 0x2bff) || (c >= 0x3000 && c <= 0x303f) ||
                  (c >= 0x1f000 && c <= 0x1faff);
    return (symbol ? (uint32_t)block_symbol + 0x80 : (uint32_t)block_other) + c;
}

/* Accents that follow their letter, joiners and selectors count for nothing. */
static bool is_ignored(uint32_t c)
{
    return (c >= 0x300 && c <= 0x36f) || (c >= 0xfe00 && c <= 0xfe0f) || c == 0x200d ||
           c == 0x200b || c == 0xfeff || c == 0xad;
}

uint32_t mysql_take_weight(struct span *rest)
{
    while (rest->len > 0) {
        uint32_t c = (unsigned char)rest->ptr[0];
        size_t len = 1;
        if (c >= 0x80) {
            size_t whole = utf8_read(*rest, &c);
            len = whole > 0 ? whole : 1;
        }
        *rest = span_skip(*rest, len);
        if (!is_ignored(c)) {
            return weight_of(c);
        }
    }
    return 0;
}

int mysql_compare_ci(struct span a, struct span b)
{
    for (;;) {
        uint32_t left = mysql_take_weight(&a);
        uint32_t right = mysql_take_weight(&b);
        if (left != right || left == 0) {
            return left < right ? -1 : left > right ? 1 : 0;
        }
    }
}
