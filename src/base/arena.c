#include "arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_POISON 1
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define ARENA_POISON 1
#endif
#ifdef ARENA_POISON
#include <sanitizer/asan_interface.h>
#define POISON(p, n)   __asan_poison_memory_region((p), (n))
#define UNPOISON(p, n) __asan_unpoison_memory_region((p), (n))
#else
#define POISON(p, n)   ((void)(p), (void)(n))
#define UNPOISON(p, n) ((void)(p), (void)(n))
#endif

enum { arena_block_bytes = 4096, arena_align_bytes = 16, arena_first_items = 8 };

struct arena_block {
    struct arena_block *next;
    size_t used;
    size_t cap;
    _Alignas(16) char bytes[];
};

void arena_init(struct arena *a, size_t max_bytes)
{
    *a = (struct arena){.max_bytes = max_bytes};
}

static void block_list_free(struct arena_block *block)
{
    while (block != NULL) {
        struct arena_block *next = block->next;
        UNPOISON(block->bytes, block->cap);
        free(block);
        block = next;
    }
}

void arena_release(struct arena *a)
{
    block_list_free(a->blocks);
    a->blocks = NULL;
    a->used_bytes = 0;
    a->held_bytes = 0;
}

void arena_reset(struct arena *a)
{
    struct arena_block *last = a->blocks;
    if (last == NULL) {
        return;
    }
    /* Keep one block of the usual size; a request that needed a huge one must not pin it. */
    block_list_free(last->next);
    last->next = NULL;
    if (last->cap > arena_block_bytes) {
        block_list_free(last);
        a->blocks = NULL;
        a->held_bytes = 0;
    } else {
        last->used = 0;
        a->held_bytes = sizeof(*last) + last->cap;
        POISON(last->bytes, last->cap);
    }
    a->used_bytes = 0;
}

static struct arena_block *block_add(struct arena *a, size_t size)
{
    size_t cap = size > arena_block_bytes ? size : arena_block_bytes;
    struct arena_block *block = calloc(1, sizeof(*block) + cap);
    if (block == NULL) {
        return NULL;
    }
    *block = (struct arena_block){.next = a->blocks, .cap = cap};
    POISON(block->bytes, cap);
    a->blocks = block;
    a->held_bytes += sizeof(*block) + cap;
    return block;
}

bool arena_reserve(struct arena *a, size_t size)
{
    return (a->blocks != NULL && size <= a->blocks->cap - a->blocks->used) ||
           block_add(a, size) != NULL;
}

void *arena_alloc(struct arena *a, size_t size)
{
    if (size > SIZE_MAX - arena_align_bytes) {
        return NULL;
    }
    size_t rounded = (size + arena_align_bytes - 1) & ~(size_t)(arena_align_bytes - 1);
    if (rounded > a->max_bytes - a->used_bytes) {
        return NULL;
    }
    struct arena_block *block = a->blocks;
    if (block == NULL || rounded > block->cap - block->used) {
        block = block_add(a, rounded);
        if (block == NULL) {
            return NULL;
        }
    }
    void *result = block->bytes + block->used;
    block->used += rounded;
    a->used_bytes += rounded;
    UNPOISON(result, size);
    memset(result, 0, size);
    return result;
}

void *arena_alloc_array(struct arena *a, size_t count, size_t size)
{
    if (size != 0 && count > SIZE_MAX / size) {
        return NULL;
    }
    return arena_alloc(a, count * size);
}

bool arena_grow(struct arena *a, void *items, size_t *capacity, size_t count, size_t item_bytes)
{
    if (count <= *capacity) {
        return true;
    }
    size_t wanted = *capacity > 0 ? *capacity * 2 : arena_first_items;
    wanted = wanted < count ? count : wanted;
    void *grown = arena_alloc_array(a, wanted, item_bytes);
    if (grown == NULL) {
        return false;
    }
    /* By its bytes: a void ** would be an alias that C does not allow. */
    void *old;
    memcpy(&old, items, sizeof(old));
    if (*capacity > 0) {
        memcpy(grown, old, *capacity * item_bytes);
    }
    memcpy(items, &grown, sizeof(grown));
    *capacity = wanted;
    return true;
}

char *arena_copy_cstr(struct arena *a, struct span s)
{
    char *copy = arena_alloc(a, s.len + 1);
    if (copy != NULL && s.len > 0) {
        memcpy(copy, s.ptr, s.len);
    }
    return copy;
}

char *arena_printf(struct arena *a, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    va_list again;
    va_copy(again, args);
    int need = vsnprintf(NULL, 0, format, args);
    va_end(args);
    char *text = need < 0 ? NULL : arena_alloc(a, (size_t)need + 1);
    if (text != NULL) {
        vsnprintf(text, (size_t)need + 1, format, again);
    }
    va_end(again);
    return text;
}
