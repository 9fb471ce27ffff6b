/* The S3 service over a store in memory, on a clock that stands still. No sockets: requests go in
 * as values, piece by piece where the service wants them so, replies come out of the turn whole. */
#ifndef PINPIPE_S3_FIXTURE_H
#define PINPIPE_S3_FIXTURE_H

#include "aws_identity.h"
#include "digest.h"
#include "exchange.h"
#include "s3.h"
#include "store_objects.h"
#include "turn.h"

/* 2026-01-02 03:04:05 UTC: the moment of the spec's signatures. */
#define S3_FIXTURE_START_US (INT64_C(1767323045) * 1000000)
#define S3_FIXTURE_HOST     "127.0.0.1:9000"

enum { s3_fixture_headers_max = 32 };

struct s3_fixture {
    struct env env;
    struct timer_heap timers;
    struct log log;
    struct turn turn;
    struct store *store;
    struct crypto *crypto;
    struct aws_identity identity; /* change it or the options, then s3_fixture_reopen */
    struct s3_options options;
    struct s3 *s3;
    struct exchange exchange;
    struct http_header headers[s3_fixture_headers_max];
    char content_length[32];
    bool commits_fail; /* from now on: every turn's commit */
    /* The last reply; its headers are in exchange.reply until the next request. */
    int status;
    struct buf body;
};

/* cmocka's; *state is the struct s3_fixture. "bkt" is a bucket. */
int s3_fixture_setup(void **state);
int s3_fixture_teardown(void **state);
/* Another service with the options as they are now, over the same store. */
void s3_fixture_reopen(struct s3_fixture *f);

struct s3_ask {
    const char *method;
    const char *target;
    /* "Name: value". Host and, where a body can be, Content-Length are added; "Host: {absent}"
     * keeps one out. */
    const char *headers[s3_fixture_headers_max - 2];
    struct span body;
    size_t piece_bytes; /* 0: as large as they may be */
};
/* One request, its turn's commit, its whole reply. */
void s3_ask(struct s3_fixture *f, const struct s3_ask *ask);
/* The same for one that may be parked: begin ends the first turn, wait runs further ones until the
 * reply has come, and says how many there were. */
void s3_ask_begin(struct s3_fixture *f, const struct s3_ask *ask);
int s3_ask_wait(struct s3_fixture *f);
/* The same in its simplest forms. */
void s3_get(struct s3_fixture *f, const char *target);
void s3_do(struct s3_fixture *f, const char *method, const char *target);
void s3_put(struct s3_fixture *f, const char *target, const char *body);

/* Of the last reply; empty when absent. */
struct span s3_reply_header(const struct s3_fixture *f, const char *name);
/* The text of the first element of that name in the last reply's body; empty when absent. */
struct span s3_reply_element(const struct s3_fixture *f, const char *name);
void s3_assert_status(const struct s3_fixture *f, int status);
void s3_assert_error(const struct s3_fixture *f, int status, const char *code);
void s3_assert_header(const struct s3_fixture *f, const char *name, const char *value);
void s3_assert_element(const struct s3_fixture *f, const char *name, const char *text);
void s3_assert_body(const struct s3_fixture *f, const char *text);
bool s3_hint_says(const struct s3_fixture *f, const char *words);

#endif
