/* A protocol that is not HTTP: every line is answered with itself, when the turn that it came in
 * has been committed. A line "+name" makes a topic of that name first; after a failed commit it is
 * answered with "-name". One line at a time and at most LINE_BYTES_MAX bytes a line. */
#ifndef PINPIPE_TESTS_LINE_ECHO_H
#define PINPIPE_TESTS_LINE_ECHO_H

#include "conn.h"
#include "turn.h"

enum { LINE_BYTES_MAX = 256 };

/* An answer on its way through the turn: the way of every protocol. */
struct line_answer {
    struct held held;
    struct turn *turn;
    struct conn *conn; /* NULL: nobody reads it any more, or (in tests of the turn alone) ever */
    bool wrote;
    int64_t received_us;
    size_t len;
    char text[LINE_BYTES_MAX];
    /* For tests of the turn alone; may be NULL. In place of conn_send; then in place of free. */
    void (*on_send)(struct line_answer *answer, void *ctx);
    void (*on_finished)(struct line_answer *answer, void *ctx);
    void *ctx;
};

/* Does what the line asks for and holds the answer. */
void line_answer_begin(struct line_answer *answer, struct turn *turn, struct span line);
/* What a listener of this protocol's connections are. */
struct conn_kind line_echo_kind(void);

#endif
