/* Hashes that a wire or a verdict needs. None of them is for secrets. */
#ifndef PINPIPE_HASH_H
#define PINPIPE_HASH_H

#include "span.h"

/* Kafka's default partitioner: murmur2 with seed 0x9747b28c. The partition of a key is
 * (hash & 0x7fffffff) % partition count. */
int32_t hash_murmur2(struct span bytes);

struct hash128 {
    uint64_t high;
    uint64_t low;
};
/* Content fingerprint for comparing rows (MurmurHash3 x64 128): wide enough that a collision
 * between two of a billion rows is out of the question; not against an adversary. */
struct hash128 hash_content(struct span bytes);
bool hash128_equal(struct hash128 a, struct hash128 b);

/* FNV-1a, for tables in memory: goes on from `start`, so that several parts make one hash. */
#define HASH_START 2166136261U
uint32_t hash_bytes(uint32_t start, struct span bytes);
/* FNV-1a of 64 bits: for telling whether something has changed, without keeping what it was. */
#define HASH64_START UINT64_C(0xcbf29ce484222325)
uint64_t hash64_bytes(uint64_t start, struct span bytes);
/* A start that a peer cannot know, or the peer could send thousands of keys with one hash: made
 * from an address, which differs from process to process. What is printed must not depend on it. */
uint32_t hash_start_hidden(const void *address);

#endif
