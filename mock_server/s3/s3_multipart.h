/* What the files of multipart uploads share. */
#ifndef PINPIPE_S3_MULTIPART_H
#define PINPIPE_S3_MULTIPART_H

#include "checksum.h"
#include "s3_internal.h"

enum { S3_PART_BYTES_MIN = 5 * 1024 * 1024 }; /* of all parts but the last */

/* How an upload's parts and its object are checked: chosen when it is created. */
struct s3_upload_checksum {
    bool has; /* false: it was created without */
    enum checksum_kind kind;
    bool full_object; /* false: COMPOSITE, of the parts' checksums */
};
/* Of struct store_upload's checksum_algorithm: "crc32 FULL_OBJECT". */
struct s3_upload_checksum s3_upload_checksum_of(const struct store_upload *upload);

/* A stored checksum text "crc32 NhCmhg== FULL_OBJECT", taken apart. False: it is empty. */
struct s3_checksum_text {
    enum checksum_kind kind;
    struct span value;
    struct span type; /* empty: none (parts) */
};
bool s3_checksum_text_read(struct span text, struct s3_checksum_text *out);

/* The bucket, then the upload that uploadId names. False: NoSuchBucket, NoSuchUpload (or 500) is in
 * the reply. */
bool s3_upload_find(struct s3_call *call, struct store_upload *out);
/* NoSuchUpload with the request's id. */
enum handled s3_no_such_upload(struct s3_call *call);
/* partNumber, 1 to 10000. False: InvalidArgument is in the reply. */
bool s3_part_number(struct s3_call *call, int32_t *out);

/* <ChecksumCRC32>; nothing when the text is empty. */
void s3_checksum_element(struct s3_call *call, struct span text);
/* Its name for a kind: "ChecksumCRC32". */
const char *s3_checksum_element_name(enum checksum_kind kind);
/* <ChecksumAlgorithm>CRC32</ChecksumAlgorithm><ChecksumType>...; nothing when there is none. */
void s3_checksum_algorithm_elements(struct s3_call *call, struct s3_upload_checksum checksum);

#endif
