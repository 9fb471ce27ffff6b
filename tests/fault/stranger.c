/* stranger PORT_FILE MODE: a server on loopback that means no good, for tests of the tools. It
 * plays the REST proxy, Kafka Connect and S3 on one port. PORT_FILE.asked is there once it was
 * asked.
 *
 *   hostile   answers well-formed documents whose texts would steer a terminal
 *   refuses   answers 500 with such a text
 *   nonsense  answers 200 with JSON that is none of these services'
 *   deaf      takes no connection
 *   silent    takes connections and requests, and never answers
 *   halts     begins an answer and never goes on
 *   trickles  sends an answer's body for ever, a byte at a time
 *   endless   sends an answer's body for ever, as fast as it is taken
 *   interim   sends `100 Continue` for ever
 *   repeats   answers with the same page for ever, and says each time that there is another
 *   empties   the same with pages that have a new token each and nothing in them
 *   keeps     answers as hostile does, but never a POST of records; only that counts as asked */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    connections_max = 64,
    request_bytes_max = 256 * 1024,
    answer_bytes_max = 16 * 1024,
    deaf_fillers = 8,
    tick_ms = 20,
};

/* ESC [ 2 J, an OSC, CSI as C1, a bidi override and isolate, a zero-width space, a line of its own.
 */
#define HOSTILE                                                                                    \
    "a\\u001b[2J\\u001b]0;t\\u0007\\u009b2J\\u202eb\\u2066\\u200b\\u007f\\u0008\\r\\nPASS "
#define HOSTILE_RAW                                                                                \
    "a\x1b[2J\x1b]0;t\x07\xc2\x9b"                                                                 \
    "2J\xe2\x80\xae"                                                                               \
    "b\x9b\xff\x7f\x08"
#define HOSTILE_URL "a%1B%5B2J%1B%5D0%3Bt%07%C2%9B2J%E2%80%AEb%E2%80%8B%7F%08%0D%0APASS"
#define HOSTILE_XML "a&#x9b;2J&#x202e;b&#x2066;&#x200b;"

#define STATUS_OF                                                                                  \
    "{\"name\":\"" HOSTILE "\",\"type\":\"sink\",\"connector\":{\"state\":\"" HOSTILE              \
    "\",\"worker_id\":\"" HOSTILE "\"},\"tasks\":[{\"id\":0,\"state\":\"FAILED\",\"worker_id\":"   \
    "\"" HOSTILE "\",\"trace\":\"" HOSTILE "\\n\\tat " HOSTILE "\"}]}"
#define TOPIC_OF "{\"topic_name\":\"" HOSTILE "\",\"partitions_count\":1}"
#define PAGE_OF(truncated, token, contents)                                                        \
    "<ListBucketResult><Name>b</Name><EncodingType>url</EncodingType><IsTruncated>" truncated      \
    "</IsTruncated>" token contents "</ListBucketResult>"
#define CONTENTS_OF(key)                                                                           \
    "<Contents><Key>" key "</Key><LastModified>2026-01-02T03:04:05.000Z</LastModified><ETag>"      \
    "&quot;0123456789abcdef0123456789abcdef&quot;</ETag><Size>3</Size></Contents>"

/* The first row whose method and part are in the request line. */
struct document {
    const char *method;
    const char *part;
    const char *body;
};

static const struct document documents[] = {
    {"GET", "/configs",
     "{\"data\":[{\"name\":\"" HOSTILE "\",\"value\":\"" HOSTILE "\",\"is_default\":false}]}"},
    {"GET", "/v3/clusters/c/topics/", TOPIC_OF},
    {"POST", "/v3/clusters/c/topics", TOPIC_OF},
    {"GET", "/v3/clusters/c/topics", "{\"data\":[" TOPIC_OF "]}"},
    {"GET", "/v3/clusters", "{\"data\":[{\"cluster_id\":\"c\"}]}"},
    {"GET", "/partitions/0/offsets", "{\"beginning_offset\":0,\"end_offset\":1}"},
    {"GET", "/partitions", "[{\"partition\":0}]"},
    {"GET", "/records",
     "[{\"topic\":\"workshop.pin\",\"key\":\"" HOSTILE "\",\"value\":\"\xe2\x80\xae\xc2\x9b" HOSTILE
     "\",\"partition\":0,\"offset\":0}]"},
    {"POST", "/consumers/", "{\"instance_id\":\"i\",\"base_uri\":\"http://x/" HOSTILE "\"}"},
    {"GET", "/test/topics", "[\"" HOSTILE "\"]"},
    {"GET", "/connectors?",
     "{\"" HOSTILE "\":{\"status\":" STATUS_OF ",\"info\":{\"config\":{}}}}"},
    {"GET", "/status", STATUS_OF},
    {"PUT", "/validate",
     "{\"error_count\":1,\"configs\":[{\"value\":{\"name\":\"" HOSTILE "\",\"errors\":[\"" HOSTILE
     "\"]}}]}"},
    {"GET", "/connector-plugins",
     "[{\"class\":\"" HOSTILE "\",\"type\":\"" HOSTILE "\",\"version\":\"" HOSTILE "\"}]"},
    {"POST", "/connectors", "{\"name\":\"" HOSTILE "\",\"config\":{}}"},
    {"GET", "list-type=2", PAGE_OF("false", "", CONTENTS_OF(HOSTILE_URL))},
    {"GET", "GET / ",
     "<ListAllMyBucketsResult><Buckets><Bucket><Name>" HOSTILE_XML
     "</Name><CreationDate>2026-01-02T03:04:05.000Z</CreationDate></Bucket>"
     "</Buckets></ListAllMyBucketsResult>"},
    {"GET", "/b/", HOSTILE_RAW},
};

struct connection {
    int fd; /* -1: free */
    char *request;
    size_t used;
    char out[answer_bytes_max];
    size_t out_len;
    size_t out_put;
    bool goes_on; /* and on */
};

struct stranger {
    const char *mode;
    const char *port_file;
    int listener;
    struct connection connections[connections_max];
    unsigned long long pages;
};

static bool mode_is(const struct stranger *s, const char *mode)
{
    return strcmp(s->mode, mode) == 0;
}

static void out_write(struct connection *c, const char *text)
{
    size_t len = strlen(text);
    if (len < sizeof(c->out) - c->out_len) {
        memcpy(c->out + c->out_len, text, len);
        c->out_len += len;
    }
}

static void answer_with(struct connection *c, const char *status, const char *body)
{
    char head[256];
    snprintf(head, sizeof(head),
             "HTTP/1.1 %s\r\nContent-Type: application/json\r\nX-Pinpipe-Hint: see " HOSTILE_RAW
             "\r\nContent-Length: %zu\r\n\r\n",
             status, strlen(body));
    out_write(c, head);
    out_write(c, body);
}

static void answer_hostile(struct connection *c)
{
    char line[2048];
    size_t len = strcspn(c->request, "\r");
    len = len < sizeof(line) ? len : sizeof(line) - 1;
    memcpy(line, c->request, len);
    line[len] = '\0';
    for (size_t i = 0; i < sizeof(documents) / sizeof(documents[0]); i++) {
        const struct document *document = &documents[i];
        if (strncmp(line, document->method, strlen(document->method)) == 0 &&
            strstr(line, document->part) != NULL) {
            answer_with(c, "200 OK", document->body);
            return;
        }
    }
    answer_with(c, "200 OK", "");
}

static void answer_page(struct stranger *s, struct connection *c)
{
    char body[1024];
    snprintf(body, sizeof(body),
             mode_is(s, "repeats")
                 ? PAGE_OF("true", "<NextContinuationToken>again</NextContinuationToken>",
                           CONTENTS_OF("k"))
                 : PAGE_OF("true", "<NextContinuationToken>t%llu</NextContinuationToken>", ""),
             s->pages++);
    if (strstr(c->request, "list-type=2") != NULL) {
        answer_with(c, "200 OK", body);
    } else {
        answer_hostile(c);
    }
}

static void answer(struct stranger *s, struct connection *c)
{
    if (mode_is(s, "hostile") || mode_is(s, "keeps")) {
        answer_hostile(c);
    } else if (mode_is(s, "refuses")) {
        answer_with(c, "500 " HOSTILE_RAW,
                    strstr(c->request, "list-type=2") != NULL || strstr(c->request, "/b/") != NULL
                        ? "<Error><Code>a&#x9b;2J</Code><Message>" HOSTILE_XML "</Message></Error>"
                        : "{\"error_code\":50002,\"message\":\"" HOSTILE "\"}");
    } else if (mode_is(s, "nonsense")) {
        answer_with(c, "200 OK", "{\"ok\":true,\"items\":[1,2],\"name\":\"x\"}");
    } else if (mode_is(s, "halts")) {
        out_write(c, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{");
    } else if (mode_is(s, "trickles") || mode_is(s, "endless")) {
        out_write(c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
        c->goes_on = true;
    } else if (mode_is(s, "interim")) {
        c->goes_on = true;
    } else if (mode_is(s, "repeats") || mode_is(s, "empties")) {
        answer_page(s, c);
    }
}

static void go_on(const struct stranger *s, struct connection *c)
{
    static const char block[] = "1000\r\n%4096d\r\n";
    char text[4200];
    if (mode_is(s, "interim")) {
        out_write(c, "HTTP/1.1 100 Continue\r\n\r\n");
    } else if (mode_is(s, "trickles")) {
        out_write(c, "1\r\n \r\n");
    } else {
        snprintf(text, sizeof(text), block, 1);
        out_write(c, text);
    }
}

static void connection_close(struct connection *c)
{
    close(c->fd);
    free(c->request);
    memset(c, 0, sizeof(*c));
    c->fd = -1;
}

static void connection_write(struct connection *c)
{
    ssize_t put = send(c->fd, c->out + c->out_put, c->out_len - c->out_put, MSG_DONTWAIT);
    if (put < 0 && errno != EAGAIN && errno != EINTR) {
        connection_close(c);
        return;
    }
    c->out_put += put > 0 ? (size_t)put : 0;
    if (c->out_put == c->out_len) {
        c->out_put = 0;
        c->out_len = 0;
    }
}

static bool request_is_whole(const struct connection *c)
{
    const char *end = strstr(c->request, "\r\n\r\n");
    const char *length = strstr(c->request, "ontent-Length: ");
    size_t body = length != NULL ? strtoul(length + 15, NULL, 10) : 0;
    return end != NULL && c->used >= (size_t)(end + 4 - c->request) + body;
}

static void note_asked(const struct stranger *s)
{
    char path[4096];
    snprintf(path, sizeof(path), "%s.asked", s->port_file);
    int fd = open(path, O_WRONLY | O_CREAT, 0600);
    if (fd >= 0) {
        close(fd);
    }
}

static void connection_read(struct stranger *s, struct connection *c)
{
    ssize_t got = recv(c->fd, c->request + c->used, request_bytes_max - 1 - c->used, MSG_DONTWAIT);
    if (got <= 0) {
        connection_close(c);
        return;
    }
    c->used += (size_t)got;
    c->request[c->used] = '\0';
    if (request_is_whole(c)) {
        bool kept = mode_is(s, "keeps") && strncmp(c->request, "POST /test/topics/", 18) == 0;
        if (kept || !mode_is(s, "keeps")) {
            note_asked(s);
        }
        if (!kept) {
            answer(s, c);
        }
        c->used = 0;
    }
}

static void connection_take(struct stranger *s)
{
    int fd = accept(s->listener, NULL, NULL);
    for (size_t i = 0; fd >= 0 && i < connections_max; i++) {
        struct connection *c = &s->connections[i];
        if (c->fd < 0) {
            c->fd = fd;
            c->request = malloc(request_bytes_max);
            return;
        }
    }
    close(fd);
}

/* The queue of a listener that nobody accepts from is filled, so that the next one waits. */
static void fill_queue(const struct sockaddr_in *address)
{
    for (int i = 0; i < deaf_fillers; i++) {
        int fd = socket(AF_INET, SOCK_STREAM, 0);
        fcntl(fd, F_SETFL, O_NONBLOCK);
        (void)!connect(fd, (const struct sockaddr *)address, sizeof(*address));
    }
}

static void stranger_listen(struct stranger *s, const char *port_file)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(address);
    char beside[4096];
    s->listener = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(s->listener, (struct sockaddr *)&address, len) != 0 ||
        listen(s->listener, mode_is(s, "deaf") ? 0 : 64) != 0 ||
        getsockname(s->listener, (struct sockaddr *)&address, &len) != 0) {
        perror("stranger");
        exit(1);
    }
    if (mode_is(s, "deaf")) {
        fill_queue(&address);
    }
    snprintf(beside, sizeof(beside), "%s.new", port_file);
    FILE *file = fopen(beside, "w");
    if (file == NULL || fprintf(file, "%d\n", ntohs(address.sin_port)) < 0 || fclose(file) != 0 ||
        rename(beside, port_file) != 0) {
        perror(port_file);
        exit(1);
    }
}

static void stranger_turn(struct stranger *s)
{
    struct pollfd fds[connections_max + 1];
    bool deaf = mode_is(s, "deaf");
    fds[0] = (struct pollfd){.fd = deaf ? -1 : s->listener, .events = POLLIN};
    for (size_t i = 0; i < connections_max; i++) {
        struct connection *c = &s->connections[i];
        if (c->fd >= 0 && c->goes_on && c->out_len == 0) {
            go_on(s, c);
        }
        fds[i + 1] = (struct pollfd){.fd = c->fd, .events = POLLIN};
        if (c->out_len > 0) {
            fds[i + 1].events |= POLLOUT;
        }
    }
    if (poll(fds, connections_max + 1, -1) < 0) {
        return;
    }
    for (size_t i = 0; i < connections_max; i++) {
        struct connection *c = &s->connections[i];
        if ((fds[i + 1].revents & (POLLIN | POLLHUP | POLLERR)) != 0) {
            connection_read(s, c);
        }
        if (c->fd >= 0 && (fds[i + 1].revents & POLLOUT) != 0) {
            connection_write(c);
        }
    }
    if ((fds[0].revents & POLLIN) != 0) {
        connection_take(s);
    }
    if (!mode_is(s, "endless")) {
        poll(NULL, 0, mode_is(s, "trickles") || mode_is(s, "interim") ? tick_ms : 0);
    }
}

int main(int argc, char **argv)
{
    static struct stranger s;
    if (argc != 3) {
        fprintf(stderr, "usage: stranger PORT_FILE MODE\n");
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    s.mode = argv[2];
    s.port_file = argv[1];
    for (size_t i = 0; i < connections_max; i++) {
        s.connections[i].fd = -1;
    }
    stranger_listen(&s, argv[1]);
    for (;;) {
        stranger_turn(&s);
    }
}
