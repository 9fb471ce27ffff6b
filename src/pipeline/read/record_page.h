/* An answer of GET .../records taken apart in one pass, without a copy: topic, key, value,
 * partition and offset as spans into the page. */
#ifndef PINPIPE_RECORD_PAGE_H
#define PINPIPE_RECORD_PAGE_H

#include "json_text.h"

enum record_page_mode {
    /* Every value is valid JSON in full: for whoever shows or stores it. */
    RECORD_PAGE_STRICT,
    /* QUICK checks only the page around the values, and that each value is balanced: for whoever
     * compares the bytes with a known fingerprint (a value that matches is valid, one that does
     * not must pass record_page_check_value before anything else is believed about it). */
    RECORD_PAGE_QUICK,
};

struct record_page {
    struct span text;
    size_t position;
    size_t record_index;
    enum record_page_mode mode;
};

struct page_record {
    struct span topic;
    struct span key;   /* source text; ptr NULL: JSON null */
    struct span value; /* source text; ptr NULL: JSON null, a tombstone */
    int32_t partition;
    int64_t offset;
};

enum page_step { PAGE_RECORD, PAGE_END, PAGE_BAD };

/* `body` is borrowed until the page has been read. */
void record_page_open(struct record_page *page, struct span body, enum record_page_mode mode);
/* PAGE_RECORD fills *out; PAGE_END: the array closed and only white space followed; PAGE_BAD: *err
 * names the record (counted from 1) and what is wrong with it. After END or BAD call it no more. */
enum page_step record_page_next(struct record_page *page, struct page_record *out,
                                struct json_error *err);
/* Is a value that a quick pass gave valid JSON? */
bool record_page_check_value(struct span value, struct json_error *err);

#endif
