/* Pages of S3's listings (objects by V1 and V2, versions, uploads): names in byte order, below a
 * prefix, rolled up at a delimiter, from a place to go on from, and at most 1000. */
#ifndef PINPIPE_S3_PAGE_H
#define PINPIPE_S3_PAGE_H

#include "s3_call.h"

enum { S3_PAGE_ENTRIES_MAX = 1000 };

struct s3_page {
    struct span prefix;
    struct span delimiter;
    /* Keys and common prefixes that are greater are listed. */
    struct span marker;
    int64_t max; /* already cut to S3_PAGE_ENTRIES_MAX */
    bool url;    /* encoding-type=url */
};

/* Reads prefix, delimiter, encoding-type and the number under `max_name`; marker stays empty.
 * False: InvalidArgument is in the reply. */
bool s3_page_read(struct s3_call *call, const char *max_name, struct s3_page *out);

/* The common prefix that the key (which begins with page->prefix) is part of; empty: it stands for
 * itself. The span lies in the key. */
struct span s3_page_roll_up(const struct s3_page *page, struct span key);
/* The least text that is greater than all that begin with `prefix`. *found is false when there is
 * none. False: out of memory. */
bool s3_page_successor(struct arena *arena, struct span prefix, struct span *out, bool *found);
/* An element whose text is a key or part of one, encoded when the page is. */
void s3_page_text(struct s3_call *call, const struct s3_page *page, const char *name,
                  struct span text);
/* <CommonPrefixes><Prefix>...</Prefix></CommonPrefixes> */
void s3_page_common_prefix(struct s3_call *call, const struct s3_page *page, struct span prefix);

#endif
