/* The texts of a fetched row, copied out of what fetched it. */
#ifndef PINPIPE_ROW_TEXTS_H
#define PINPIPE_ROW_TEXTS_H

#include "buf.h"
#include "error.h"
#include "table.h"

enum { ROW_BYTES_MAX = 16 * 1024 * 1024 };

/* Copies the row's texts into `texts` (from buf_init with ROW_BYTES_MAX; what it held is gone) and
 * points the row there. LIMIT, NO_MEMORY. */
enum status row_texts_copy(struct row *row, struct buf *texts, struct error *err) PP_MUST_USE;

#endif
