/* Checksums' names in one table, and their stored texts taken apart and shown. */
#include "s3_checksum.h"

#include "s3_xml.h"

#include <ctype.h>
#include <string.h>

#define CHECKSUM_PREFIX "x-amz-checksum-"

static const struct checksum_words {
    const char *algorithm; /* as headers and XML name it */
    const char *element;
    bool composite;
    bool full_object;
    bool full_by_default;
} words[CHECKSUM_KIND_COUNT] = {
    [CHECKSUM_CRC32] = {"CRC32", "ChecksumCRC32", true, true, false},
    [CHECKSUM_CRC32C] = {"CRC32C", "ChecksumCRC32C", true, true, false},
    [CHECKSUM_CRC64NVME] = {"CRC64NVME", "ChecksumCRC64NVME", false, true, true},
    [CHECKSUM_SHA1] = {"SHA1", "ChecksumSHA1", true, false, false},
    [CHECKSUM_SHA256] = {"SHA256", "ChecksumSHA256", true, false, false},
};

const char *s3_checksum_type(bool full_object)
{
    return full_object ? "FULL_OBJECT" : "COMPOSITE";
}

const char *s3_checksum_algorithm(enum checksum_kind kind)
{
    return words[kind].algorithm;
}

bool s3_checksum_type_fits(enum checksum_kind kind, bool full_object)
{
    return full_object ? words[kind].full_object : words[kind].composite;
}

bool s3_checksum_is_full_by_default(enum checksum_kind kind)
{
    return words[kind].full_by_default;
}

const char *s3_checksum_element_name(enum checksum_kind kind)
{
    return words[kind].element;
}

bool s3_checksum_text_read(struct span text, struct s3_checksum_text *out)
{
    struct span name;
    struct s3_checksum_text read = {.value = SPAN_EMPTY, .type = SPAN_EMPTY};
    if (!span_next_part(&text, ' ', &name) || !checksum_from_name(name, &read.kind)) {
        return false;
    }
    (void)span_next_part(&text, ' ', &read.value);
    (void)span_next_part(&text, ' ', &read.type);
    *out = read;
    return true;
}

struct s3_upload_checksum s3_upload_checksum_of(const struct store_upload *upload)
{
    struct s3_checksum_text text; /* with the type where an object's has its value */
    if (!s3_checksum_text_read(upload->checksum_algorithm, &text)) {
        return (struct s3_upload_checksum){.has = false};
    }
    return (struct s3_upload_checksum){
        .has = true, .kind = text.kind, .full_object = span_equal_cstr(text.value, "FULL_OBJECT")};
}

void s3_checksum_element(struct s3_call *call, struct span text)
{
    struct s3_checksum_text checksum;
    if (s3_checksum_text_read(text, &checksum)) {
        s3_xml_text(call, words[checksum.kind].element, checksum.value);
    }
}

void s3_checksum_algorithm_elements(struct s3_call *call, struct s3_upload_checksum checksum)
{
    if (checksum.has) {
        s3_xml_text(call, "ChecksumAlgorithm", span_from_cstr(words[checksum.kind].algorithm));
        s3_xml_text(call, "ChecksumType", span_from_cstr(s3_checksum_type(checksum.full_object)));
    }
}

/* --- of an object --- */

/* Cuts "crc32 NhCmhg== FULL_OBJECT" into its three parts; false: the text is empty. */
static bool checksum_split(struct span text, struct span parts[3])
{
    for (size_t i = 0; i < 3; i++) {
        if (!span_next_part(&text, ' ', &parts[i])) {
            return false;
        }
    }
    return true;
}

void s3_checksum_headers(struct s3_call *call, struct span checksum)
{
    struct reply *reply = &call->exchange->reply;
    struct span parts[3];
    char name[64] = CHECKSUM_PREFIX;
    size_t prefix_len = sizeof(CHECKSUM_PREFIX) - 1;
    if (!checksum_split(checksum, parts) || parts[0].len >= sizeof(name) - prefix_len) {
        return;
    }
    memcpy(name + prefix_len, parts[0].ptr, parts[0].len);
    reply_add_header(reply, name, parts[1]);
    reply_add_header(reply, CHECKSUM_PREFIX "type", parts[2]);
}

void s3_checksum_xml(struct s3_call *call, struct span checksum)
{
    struct span parts[3];
    char name[64] = "Checksum";
    size_t prefix_len = strlen(name);
    if (!checksum_split(checksum, parts) || parts[0].len >= sizeof(name) - prefix_len) {
        return;
    }
    for (size_t i = 0; i < parts[0].len; i++) {
        name[prefix_len + i] = (char)toupper((unsigned char)parts[0].ptr[i]);
    }
    s3_xml_text(call, name, parts[1]);
    s3_xml_text(call, "ChecksumType", parts[2]);
}
