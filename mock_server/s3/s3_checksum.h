/* Checksums of objects and parts as S3 names and shows them. The store keeps one as a text:
 * "crc32 NhCmhg== FULL_OBJECT". */
#ifndef PINPIPE_S3_CHECKSUM_H
#define PINPIPE_S3_CHECKSUM_H

#include "checksum.h"
#include "s3_call.h"

/* A stored text, taken apart. */
struct s3_checksum_text {
    enum checksum_kind kind;
    struct span value;
    struct span type; /* empty: none (parts) */
};
/* False: the text is empty. */
bool s3_checksum_text_read(struct span text, struct s3_checksum_text *out);

/* How an upload's parts and its object are checked: chosen when it is created. */
struct s3_upload_checksum {
    bool has; /* false: it was created without */
    enum checksum_kind kind;
    bool full_object; /* false: COMPOSITE, of the parts' checksums */
};
/* Reads struct store_upload's checksum_algorithm, "crc32 FULL_OBJECT". */
struct s3_upload_checksum s3_upload_checksum_of(const struct store_upload *upload);
/* S3 does not allow both types with every kind, and has a default for each. */
bool s3_checksum_type_fits(enum checksum_kind kind, bool full_object);
bool s3_checksum_is_full_by_default(enum checksum_kind kind);

/* "CRC32", as headers and XML name a kind; "ChecksumCRC32"; "FULL_OBJECT" or "COMPOSITE". */
const char *s3_checksum_algorithm(enum checksum_kind kind);
const char *s3_checksum_element_name(enum checksum_kind kind);
const char *s3_checksum_type(bool full_object);

/* x-amz-checksum-crc32: NhCmhg== and x-amz-checksum-type of an object's stored text. */
void s3_checksum_headers(struct s3_call *call, struct span text);
/* <ChecksumCRC32>NhCmhg==</ChecksumCRC32><ChecksumType>... of an object's stored text. */
void s3_checksum_xml(struct s3_call *call, struct span text);
/* <ChecksumCRC32> alone, of a part's stored text; nothing when the text is empty. */
void s3_checksum_element(struct s3_call *call, struct span text);
/* <ChecksumAlgorithm>CRC32</ChecksumAlgorithm><ChecksumType>...; nothing when there is none. */
void s3_checksum_algorithm_elements(struct s3_call *call, struct s3_upload_checksum checksum);

#endif
