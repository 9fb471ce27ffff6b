/* All three CRCs are of the bit-reversed kind with ones before and behind. zlib's is the fastest
 * CRC32 at hand; the two that it lacks take eight bytes a step by tables of 64-bit entries, which
 * serve a 32-bit register too. Nothing here depends on the machine's byte order. */
#include "checksum.h"

#include "base64.h"
#include "byte_order.h"
#include "crc_tables.h"

#include <string.h>

#include <zlib.h>

struct checksum_traits {
    const char *name;
    size_t bytes;
    /* The polynomial of a CRC, bit-reversed, in the low bits. */
    uint64_t polynomial;
    enum digest_kind digest; /* of the others */
};

static const struct checksum_traits traits[CHECKSUM_KIND_COUNT] = {
    [CHECKSUM_CRC32] = {.name = "crc32", .bytes = 4, .polynomial = 0xedb88320},
    [CHECKSUM_CRC32C] = {.name = "crc32c", .bytes = 4, .polynomial = 0x82f63b78},
    [CHECKSUM_CRC64NVME] = {.name = "crc64nvme",
                            .bytes = 8,
                            .polynomial = UINT64_C(0x9a6c9329ac4bc9b5)},
    [CHECKSUM_SHA1] = {.name = "sha1", .bytes = 20, .digest = DIGEST_SHA1},
    [CHECKSUM_SHA256] = {.name = "sha256", .bytes = 32, .digest = DIGEST_SHA256},
};

static bool is_crc(enum checksum_kind kind)
{
    return traits[kind].polynomial != 0;
}

/* --- names --- */

const char *checksum_name(enum checksum_kind kind)
{
    return traits[kind].name;
}

bool checksum_from_name(struct span name, enum checksum_kind *out)
{
    static const struct span prefix = {"x-amz-checksum-", sizeof("x-amz-checksum-") - 1};
    if (span_equal_nocase(span_first(name, prefix.len), prefix)) {
        name = span_skip(name, prefix.len);
    }
    for (size_t i = 0; i < CHECKSUM_KIND_COUNT; i++) {
        if (span_equal_nocase(name, span_from_cstr(traits[i].name))) {
            *out = (enum checksum_kind)i;
            return true;
        }
    }
    return false;
}

size_t checksum_bytes(enum checksum_kind kind)
{
    return traits[kind].bytes;
}

/* --- CRCs --- */

static uint64_t crc_ones(enum checksum_kind kind)
{
    return UINT64_MAX >> (64 - 8 * traits[kind].bytes);
}

static uint64_t crc_by_table(const uint64_t table[8][256], uint64_t crc, struct span bytes)
{
    const unsigned char *p = (const unsigned char *)bytes.ptr;
    size_t left = bytes.len;
    for (; left >= 8; left -= 8, p += 8) {
        uint64_t x = crc ^ le64_read(p);
        crc = table[7][x & 0xff] ^ table[6][x >> 8 & 0xff] ^ table[5][x >> 16 & 0xff] ^
              table[4][x >> 24 & 0xff] ^ table[3][x >> 32 & 0xff] ^ table[2][x >> 40 & 0xff] ^
              table[1][x >> 48 & 0xff] ^ table[0][x >> 56];
    }
    for (; left > 0; left--, p++) {
        crc = table[0][(crc ^ *p) & 0xff] ^ crc >> 8;
    }
    return crc;
}

static uint64_t crc_add(enum checksum_kind kind, uint64_t crc, struct span bytes)
{
    if (kind == CHECKSUM_CRC32) {
        return crc32_z((uLong)crc, (const Bytef *)bytes.ptr, bytes.len);
    }
    uint64_t ones = crc_ones(kind);
    return crc_by_table(kind == CHECKSUM_CRC32C ? crc_table_crc32c : crc_table_crc64nvme,
                        crc ^ ones, bytes) ^
           ones;
}

/* Product of two polynomials modulo the CRC's; bit-reversed, so the highest bit is x^0. */
static uint64_t crc_multiply(enum checksum_kind kind, uint64_t a, uint64_t b)
{
    uint64_t product = 0;
    for (uint64_t bit = (crc_ones(kind) >> 1) + 1; bit != 0; bit >>= 1) {
        if ((a & bit) != 0) {
            product ^= b;
        }
        b = b >> 1 ^ ((b & 1) != 0 ? traits[kind].polynomial : 0);
    }
    return product;
}

/* Putting a text behind another means to shift the first's CRC by the second's bits: to multiply it
 * by x^(8 n). The ones before and behind cancel out. */
uint64_t checksum_crc_combine(enum checksum_kind kind, uint64_t first, uint64_t second,
                              uint64_t second_len)
{
    PP_ASSERT(is_crc(kind));
    uint64_t one = (crc_ones(kind) >> 1) + 1;
    uint64_t square = one >> 8; /* x^8, then x^16, x^32, ... */
    uint64_t shift = one;
    for (uint64_t n = second_len; n != 0; n >>= 1) {
        if ((n & 1) != 0) {
            shift = crc_multiply(kind, shift, square);
        }
        square = crc_multiply(kind, square, square);
    }
    return crc_multiply(kind, shift, first) ^ second;
}

void checksum_crc_append(enum checksum_kind kind, uint64_t crc, struct buf *out)
{
    PP_ASSERT(is_crc(kind));
    char bytes[8];
    size_t count = traits[kind].bytes;
    for (size_t i = 0; i < count; i++) {
        bytes[i] = (char)(crc >> (8 * (count - 1 - i)));
    }
    base64_encode(span_from(bytes, count), out);
}

bool checksum_crc_parse(enum checksum_kind kind, struct span text, uint64_t *out)
{
    PP_ASSERT(is_crc(kind));
    struct buf bytes;
    uint64_t crc = 0;
    buf_init(&bytes, DIGEST_BYTES_MAX);
    bool good = base64_decode(text, &bytes) && buf_ok(&bytes) && bytes.len == traits[kind].bytes;
    for (size_t i = 0; good && i < bytes.len; i++) {
        crc = crc << 8 | (unsigned char)bytes.ptr[i];
    }
    if (good) {
        *out = crc;
    }
    buf_release(&bytes);
    return good;
}

/* --- any kind, piece by piece --- */

enum status checksum_init(struct checksum *checksum, enum checksum_kind kind, struct crypto *crypto,
                          struct error *err)
{
    *checksum = (struct checksum){.kind = kind};
    if (is_crc(kind)) {
        return STATUS_OK;
    }
    enum status status = crypto_ready(crypto, err);
    if (status == STATUS_OK &&
        digest_new(crypto, traits[kind].digest, &checksum->digest) != STATUS_OK) {
        status = error_set(err, STATUS_NO_MEMORY, "no memory for a checksum");
    }
    return status;
}

void checksum_release(struct checksum *checksum)
{
    digest_free(checksum->digest);
    checksum->digest = NULL;
}

void checksum_update(struct checksum *checksum, struct span bytes)
{
    if (checksum->digest != NULL) {
        digest_update(checksum->digest, bytes);
    } else if (bytes.len > 0) { /* zlib takes a NULL for a wish to begin anew */
        checksum->crc = crc_add(checksum->kind, checksum->crc, bytes);
    }
}

void checksum_finish(struct checksum *checksum, struct buf *out)
{
    if (checksum->digest != NULL) {
        struct digest_value value = digest_finish(checksum->digest);
        base64_encode(digest_span(&value), out);
    } else {
        checksum_crc_append(checksum->kind, checksum->crc, out);
    }
}
