/* journal.db read while a server writes it, or after: who follows it opens it for a look, takes the
 * rows behind the place where it was, and closes it. No row is handed out while a transaction is
 * open, so that whoever prints slowly keeps SQLite from nothing. */
#ifndef PINPIPE_JOURNAL_READER_H
#define PINPIPE_JOURNAL_READER_H

#include "env.h"
#include "error.h"
#include "request_line.h"

struct journal_reader;

/* Where a follower is. All zero: before the first row of whatever file there is. */
struct journal_place {
    int64_t last_id;
    uint64_t file;   /* which one: a journal that is begun anew is read from its beginning */
    uint64_t missed; /* rows that the ring had dropped before they were seen */
};

/* The requests that are wanted; a member that is not set asks nothing. */
struct request_filter {
    bool errors;
    bool hints;
    struct span topic;
};

/* Stays as long as the call; false: enough, no more are told. */
typedef bool (*request_visit_fn)(void *ctx, const struct watched_request *request);

/* NOT_FOUND: there is no journal in the directory, or nothing is in it yet. */
enum status journal_reader_open(const char *directory, const struct env *env,
                                struct journal_reader **out, struct error *err) PP_MUST_USE;
void journal_reader_close(struct journal_reader *reader);
/* The place before the last `count` requests that are wanted. */
enum status journal_reader_seek(struct journal_reader *reader, const struct request_filter *filter,
                                uint64_t count, struct journal_place *place,
                                struct error *err) PP_MUST_USE;
/* Tells what is wanted of the rows behind the place, and moves it. */
enum status journal_reader_next(struct journal_reader *reader, const struct request_filter *filter,
                                struct journal_place *place, request_visit_fn visit, void *ctx,
                                struct error *err) PP_MUST_USE;

/* Requests with the same hint, but for names and numbers in it. */
struct mistake {
    uint64_t count;
    int64_t first_us; /* when the first was received */
    struct watched_request latest;
};

/* The most frequent first. */
enum status journal_reader_mistakes(struct journal_reader *reader,
                                    bool (*visit)(void *ctx, const struct mistake *mistake),
                                    void *ctx, struct error *err) PP_MUST_USE;
/* How many requests the journal has, and how many of them are errors without a hint. */
enum status journal_reader_count(struct journal_reader *reader, int64_t *requests,
                                 int64_t *unexplained, struct error *err) PP_MUST_USE;

#endif
