/* Places for connections. A port may have only so many, an address as well, so that whoever crowds
 * one leaves some to the others; and of those that wait for their peers the one that has waited
 * longest makes room for a newcomer. So strangers who only hold connections lock nobody out.
 *
 * Counting looks at every connection, but only when there are so many that a limit may be reached.
 */
#include "server_internal.h"

#include <string.h>

/* --- those that wait for their peers, oldest first --- */

static void waits_remove(struct conn *conn)
{
    struct server *server = conn->server;
    struct conn_place *place = &conn->place;
    PP_ASSERT(place->waits);
    PP_ASSERT(place->older != NULL ? place->older->place.newer == conn
                                   : server->waits_oldest == conn);
    PP_ASSERT(place->newer != NULL ? place->newer->place.older == conn
                                   : server->waits_newest == conn);
    if (place->older != NULL) {
        place->older->place.newer = place->newer;
    } else {
        server->waits_oldest = place->newer;
    }
    if (place->newer != NULL) {
        place->newer->place.older = place->older;
    } else {
        server->waits_newest = place->older;
    }
    place->waits = false;
}

void conn_wait_begin(struct conn *conn, int64_t grace_ms)
{
    struct server *server = conn->server;
    struct conn_place *place = &conn->place;
    if (conn->closing) {
        return;
    }
    if (place->waits) {
        waits_remove(conn);
    }
    PP_ASSERT((server->waits_oldest == NULL) == (server->waits_newest == NULL));
    place->waits = true;
    place->since_us = server_now_us(server);
    place->grace_us = grace_ms * 1000;
    place->older = server->waits_newest;
    place->newer = NULL;
    if (server->waits_newest != NULL) {
        server->waits_newest->place.newer = conn;
    } else {
        server->waits_oldest = conn;
    }
    server->waits_newest = conn;
}

void conn_wait_end(struct conn *conn)
{
    if (conn->place.waits) {
        waits_remove(conn);
    }
}

/* --- whose place --- */

/* An IPv4 address, also where it comes as an IPv6 one; of any other IPv6 address the /64, of which
 * one guest can have all the rest. */
static void peer_learn(struct conn *conn)
{
    static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};
    struct sockaddr_storage address;
    int len = (int)sizeof(address);
    if (uv_tcp_getpeername(&conn->tcp, (struct sockaddr *)&address, &len) != 0) {
        return; /* gone already: nobody's */
    }
    const unsigned char *bytes = (const unsigned char *)&((struct sockaddr_in *)&address)->sin_addr;
    if (address.ss_family == AF_INET) {
        memcpy(conn->place.peer, bytes, 4);
        return;
    }
    bytes = ((struct sockaddr_in6 *)&address)->sin6_addr.s6_addr;
    if (memcmp(bytes, mapped, sizeof(mapped)) == 0) {
        memcpy(conn->place.peer, bytes + sizeof(mapped), 4);
    } else {
        memcpy(conn->place.peer, bytes, sizeof(conn->place.peer));
    }
}

typedef bool place_like(const struct conn *a, const struct conn *b);

static bool port_alike(const struct conn *a, const struct conn *b)
{
    return a->place.port == b->place.port;
}

static bool peer_alike(const struct conn *a, const struct conn *b)
{
    return memcmp(a->place.peer, b->place.peer, sizeof(a->place.peer)) == 0;
}

static bool all_alike(const struct conn *a, const struct conn *b)
{
    (void)a;
    (void)b;
    return true;
}

/* What a newcomer finds: those that will yield to him are as good as gone. */
struct claim {
    const struct conn *conn;
    struct conn **yields;
    size_t yield_count;
};

static bool is_yielding(const struct claim *claim, const struct conn *conn)
{
    for (size_t i = 0; i < claim->yield_count; i++) {
        if (claim->yields[i] == conn) {
            return true;
        }
    }
    return false;
}

/* How many others are open and like it: exact from `max` on. */
static size_t alike_count(const struct claim *claim, place_like *alike, size_t max)
{
    const struct server *server = claim->conn->server;
    if (server->open_count - 1 < max) {
        return 0; /* those alike are no more than all */
    }
    size_t count = 0;
    for (const struct conn *c = server->conns; c != NULL; c = c->next) {
        count += c != claim->conn && !c->closing && alike(c, claim->conn) && !is_yielding(claim, c);
    }
    return count;
}

/* Takes note of the one like it that has waited longest; false: each is still owed something. */
static bool somebody_yields(struct claim *claim, place_like *alike)
{
    const struct server *server = claim->conn->server;
    int64_t now_us = server_now_us(server);
    for (struct conn *c = server->waits_oldest; c != NULL; c = c->place.newer) {
        if (alike(c, claim->conn) && now_us - c->place.since_us >= c->place.grace_us &&
            !is_yielding(claim, c)) {
            PP_ASSERT(claim->yield_count < PLACE_YIELDS_MAX && !c->closing && c != claim->conn);
            claim->yields[claim->yield_count++] = c;
            return true;
        }
    }
    return false;
}

static void crowded_log(const struct conn *conn, const char *whose, size_t max)
{
    struct server *server = conn->server;
    int64_t now_us = server_now_us(server);
    bool logged_before = server->crowded_logged_us != 0;
    if (logged_before && now_us - server->crowded_logged_us < SERVER_CROWDED_LOG_MS * 1000) {
        return;
    }
    server->crowded_logged_us = now_us;
    LOG_WARNF(server->log, "server",
              "port %d: %s %zu connections are taken; "
              "the longest-silent ones are closed for new ones",
              conn->place.port, whose, max);
}

enum place place_claim(struct conn *conn, struct conn *yields[PLACE_YIELDS_MAX])
{
    const struct server_limits *limits = &conn->server->limits;
    const struct {
        place_like *alike;
        size_t max;
        const char *whose;
    } rules[] = {
        {port_alike, limits->port_connections_max, "its"},
        {peer_alike, limits->address_connections_max, "its client's"},
        {all_alike, limits->connections_max, "all"},
    };
    struct claim claim = {.conn = conn, .yields = yields};
    enum place place = PLACE_TAKEN;
    PP_ASSERT(conn->server->open_count > 0 && !conn->place.waits);
    memset(yields, 0, PLACE_YIELDS_MAX * sizeof(yields[0]));
    peer_learn(conn);
    for (size_t i = 0; i < ARRAY_COUNT(rules); i++) {
        size_t max = rules[i].max;
        size_t count = alike_count(&claim, rules[i].alike, max);
        if (count < max) {
            continue;
        }
        crowded_log(conn, rules[i].whose, max);
        if (somebody_yields(&claim, rules[i].alike)) {
            continue;
        }
        if (count >= max + SERVER_CONNECTIONS_REFUSED_MAX) {
            return PLACE_NONE;
        }
        place = PLACE_TO_REFUSE;
    }
    return place;
}
