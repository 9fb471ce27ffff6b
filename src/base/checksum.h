/* The checksums that S3's clients send (x-amz-checksum-*): CRC32 (zlib's), CRC32C, CRC64NVME,
 * SHA-1, SHA-256, piece by piece, printed as S3 prints them (base64 of the big-endian value). */
#ifndef PINPIPE_CHECKSUM_H
#define PINPIPE_CHECKSUM_H

#include "buf.h"
#include "digest.h"

enum checksum_kind {
    CHECKSUM_CRC32,
    CHECKSUM_CRC32C,
    CHECKSUM_CRC64NVME,
    CHECKSUM_SHA1,
    CHECKSUM_SHA256,
    CHECKSUM_KIND_COUNT
};

/* "crc32", "crc32c", "crc64nvme", "sha1", "sha256". */
const char *checksum_name(enum checksum_kind kind);
/* The kind of a name in any case, with or without "x-amz-checksum-" before it. */
bool checksum_from_name(struct span name, enum checksum_kind *out);
/* The length of the raw value: 4, 4, 8, 20, 32. */
size_t checksum_bytes(enum checksum_kind kind);

struct checksum {
    enum checksum_kind kind;
    uint64_t crc;          /* of the bytes so far, as printed and combined */
    struct digest *digest; /* SHA only */
};
/* CONFIG, NO_MEMORY: SHA without libcrypto. */
enum status checksum_init(struct checksum *checksum, enum checksum_kind kind, struct crypto *crypto,
                          struct error *err) PP_MUST_USE;
void checksum_release(struct checksum *checksum);
void checksum_update(struct checksum *checksum, struct span bytes);
/* Appends the base64 text. */
void checksum_finish(struct checksum *checksum, struct buf *out);
/* The CRC of two texts one behind the other, from their CRCs (FULL_OBJECT of a multipart upload).
 * This and the next two: only the three CRCs. */
uint64_t checksum_crc_combine(enum checksum_kind kind, uint64_t first, uint64_t second,
                              uint64_t second_len);
/* Appends the base64 text of a CRC; reads it back (false: no base64, or of another length). */
void checksum_crc_append(enum checksum_kind kind, uint64_t crc, struct buf *out);
bool checksum_crc_parse(enum checksum_kind kind, struct span text, uint64_t *out);

#endif
