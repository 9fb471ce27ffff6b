/* Undoing the upstream's Content-Encoding, slice by slice: 10 KB may become 10 MB, and many such
 * answers may come at once. A turn has one slice, of an answer that has had none yet or of the
 * first of those that are longer than one, in turns. A long answer that waits holds nothing: it
 * begins again when it is the first. */
#ifndef PINPIPE_GATEWAY_UNPACK_H
#define PINPIPE_GATEWAY_UNPACK_H

#include "buf.h"
#include "error.h"
#include "timer.h"

struct budget;
struct z_stream_s;

enum {
    GATEWAY_UNPACK_SLICE_BYTES = 256 * 1024, /* unpacked in one turn, of all answers */
    GATEWAY_UNPACK_PACKED_BYTES = 64 * 1024, /* read in one turn: they may become nothing */
    GATEWAY_UNPACK_STATE_BYTES = 48 * 1024,  /* zlib's, while an answer is unpacked */
};

enum gateway_unpack_outcome {
    UNPACK_DONE,
    UNPACK_BROKEN,    /* not what its encoding says, or cut short */
    UNPACK_TOO_LARGE, /* for `plain` */
    UNPACK_CROWDED,   /* replies take too much memory together */
    UNPACK_NO_MEMORY,
};

struct gateway_unpacker;
struct gateway_unpacking;

struct gateway_unpack_line {
    struct gateway_unpacking *first;
    struct gateway_unpacking *last;
};

/* One answer; embedded in its owner's struct, all zero at first. */
struct gateway_unpacking {
    struct gateway_unpacker *unpacker; /* NULL: nothing is being unpacked */
    struct gateway_unpack_line *in;
    struct gateway_unpacking *next;
    struct span packed;
    size_t plain_bytes_max;
    struct z_stream_s *stream; /* NULL: it waits, and has nothing */
    struct buf plain;
    size_t counted; /* in the budget's share of the replies */
    void (*done)(struct gateway_unpacking *unpacking, enum gateway_unpack_outcome outcome);
};

struct gateway_unpacker {
    struct timer_heap *timers; /* with a slot for `timer` */
    struct budget *budget;     /* NULL: nothing is counted */
    struct gateway_unpack_line fresh;
    struct gateway_unpack_line longer; /* than a slice */
    bool fresh_was_served;
    struct timer timer;
};

enum status gateway_unpacker_init(struct gateway_unpacker *unpacker, struct timer_heap *timers,
                                  struct budget *budget) PP_MUST_USE;
void gateway_unpacker_release(struct gateway_unpacker *unpacker);

/* Can it be undone? gzip and deflate can. */
bool gateway_unpack_knows(struct span encoding);
/* Calls unpacking->done in a later turn; unpacking->packed stays where it is until then. */
void gateway_unpack_begin(struct gateway_unpacker *unpacker, struct gateway_unpacking *unpacking);
/* Ends it without `done`, and lets go of what was unpacked; allowed in `done` and when nothing is.
 */
void gateway_unpack_end(struct gateway_unpacking *unpacking);

#endif
