/* MySQL's packets: the fields they are made of, read from bytes that nobody vouches for, and
 * written into a buffer behind each packet's head of length and sequence number. */
#ifndef PINPIPE_MYSQL_PACKET_H
#define PINPIPE_MYSQL_PACKET_H

#include "buf.h"

enum {
    MYSQL_HEAD_BYTES = 4,              /* of a packet: three of length, one of sequence */
    MYSQL_PACKET_BYTES_MAX = 0xffffff, /* a payload of these goes on in the next packet */
    MYSQL_LENENC_BYTES_MAX = 9,
};

/* --- reading --- */

/* Whatever is read beyond the end is zero or empty, and `failed` stays set. */
struct mysql_reader {
    struct span rest;
    bool failed;
};

struct mysql_reader mysql_reader_of(struct span payload);
/* Little-endian, of one to eight bytes. */
uint64_t mysql_read_int(struct mysql_reader *r, size_t bytes);
/* A length-encoded integer; NULL's mark (FB) and FF fail. */
uint64_t mysql_read_lenenc(struct mysql_reader *r);
struct span mysql_read_bytes(struct mysql_reader *r, uint64_t len);
/* A length-encoded integer and so many bytes. */
struct span mysql_read_text(struct mysql_reader *r);
/* The bytes before the next NUL, which is read too; without one all that is left. */
struct span mysql_read_cstr(struct mysql_reader *r);

/* --- writing --- */

void mysql_put_int(struct buf *out, uint64_t value, size_t bytes);
void mysql_put_lenenc(struct buf *out, uint64_t value);
/* Into a buffer of one's own; returns how many bytes. */
size_t mysql_lenenc_write(unsigned char out[MYSQL_LENENC_BYTES_MAX], uint64_t value);
void mysql_put_text(struct buf *out, struct span text);
void mysql_put_cstr(struct buf *out, struct span text); /* with a NUL behind it */
void mysql_put_zeros(struct buf *out, size_t count);

/* Packets behind each other in a buffer, numbered on. */
struct mysql_writer {
    struct buf *out;
    uint8_t sequence; /* of the next packet */
};
void mysql_put_head(struct buf *out, size_t payload_bytes, uint8_t sequence);
/* A packet begins; what is appended until its end is its payload. Returns where it began. */
size_t mysql_packet_begin(struct mysql_writer *w);
/* The packet that began there ends; its payload is shorter than MYSQL_PACKET_BYTES_MAX. */
void mysql_packet_end(struct mysql_writer *w, size_t start);

#endif
