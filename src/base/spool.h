/* Bytes that are too many for memory: they wait in a file without a name, which is gone with the
 * process, and are mapped when all are there. */
#ifndef PINPIPE_SPOOL_H
#define PINPIPE_SPOOL_H

#include "error.h"
#include "span.h"

struct spool;

/* `directory` is where the file lies. */
enum status spool_open(const char *directory, struct spool **out, struct error *err) PP_MUST_USE;
enum status spool_append(struct spool *spool, struct span bytes, struct error *err) PP_MUST_USE;
/* All that was appended, with a NUL behind it, until spool_free; nothing is appended any more. */
enum status spool_map(struct spool *spool, struct span *out, struct error *err) PP_MUST_USE;
void spool_free(struct spool *spool);

#endif
