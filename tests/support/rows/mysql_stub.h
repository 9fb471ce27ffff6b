/* A MySQL server for tests of what reads rows: blocking sockets in a thread, one connection at a
 * time, answers chosen by how the statement begins. It shares no code with the product but spans.
 */
#ifndef PINPIPE_TESTS_MYSQL_STUB_H
#define PINPIPE_TESTS_MYSQL_STUB_H

#include "mysql_account.h"
#include "span.h"

#include <pthread.h>
#include <stdatomic.h>

enum mysql_stub_deed {
    STUB_ANSWERS,
    STUB_ERROR,         /* `number` and `text` */
    STUB_HANGS_UP,      /* instead of an answer */
    STUB_HANGS_UP_AMID, /* behind the rows, before their end */
    STUB_IS_SILENT,
    STUB_IS_SILENT_AMID,
    STUB_SAYS,         /* `text` as it stands, no packet */
    STUB_WANTS_FILE,   /* LOAD DATA LOCAL: the file that `text` names */
    STUB_WANTS_PLUGIN, /* at a login: the password by the plugin `text` */
};

struct mysql_stub_answer {
    const char *statement; /* how it begins; "login" stands for one, NULL ends the table */
    enum mysql_stub_deed deed;
    int times; /* then the next answer that fits; 0: always */
    unsigned number;
    const char *text;
    const char *columns;     /* "ind|age" */
    const char *const *rows; /* "1|20", "2|NULL"; NULL ends them */
    int repeats;             /* so many more of the last row, for an answer that is long */
};

enum { MYSQL_STUB_ANSWERS_MAX = 16, MYSQL_STUB_HEARD_BYTES_MAX = 256 * 1024 };

struct mysql_stub {
    const struct mysql_stub_answer *answers;
    int used[MYSQL_STUB_ANSWERS_MAX];
    int listener;
    int port;
    pthread_t thread;
    atomic_bool stopping;
    atomic_int logins;
    atomic_int statements;
    pthread_mutex_t lock;
    char heard[MYSQL_STUB_HEARD_BYTES_MAX]; /* under the lock: all that clients sent */
    size_t heard_len;
};

void mysql_stub_start(struct mysql_stub *stub, const struct mysql_stub_answer *answers);
/* Every client must have closed its connection. */
void mysql_stub_stop(struct mysql_stub *stub);
/* Did a client send this, in the clear? */
bool mysql_stub_heard(struct mysql_stub *stub, const char *text);

/* Where it is; the password is "S3cret-word". */
struct mysql_account mysql_stub_account(const struct mysql_stub *stub, struct env *env);

#endif
