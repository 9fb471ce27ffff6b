/* tests/support/echo_server.c with bodies and replies that come and go in pieces. Byte i of every
 * streamed body, in both directions, is stream_byte(i); the service counts those that are not.
 *
 *   PUT /sum            streamed; 200 with the number of its bytes
 *   PUT /gather         planned, but gathered; 200, the body
 *   PUT /refuse         refused before its body, 403 "refused"
 *   PUT /refuse/N       streamed, refused by the piece that reaches byte N
 *   GET /stream/N       200, N bytes, streamed
 *   GET /stream-fail/N, /stream-empty/N, /stream-long/N
 *                       the same, but the second piece cannot be had, has no bytes, has too many
 *   GET /stream-never/N the first piece cannot be had
 *   GET /stream-crowd/N as if the unsent replies of others took nearly all of the room
 *   anything else       as echo_server; bodies are planned as gathered */
#ifndef PINPIPE_TESTS_STREAM_SERVER_H
#define PINPIPE_TESTS_STREAM_SERVER_H

#include "echo_server.h"

struct stream_server {
    struct echo_server echo;
    struct service base;
    atomic_int begun;    /* bodies */
    atomic_int pieces;   /* of bodies */
    atomic_int handled;  /* requests whose body was planned */
    atomic_int refused;  /* by a plan, before the body or in it */
    atomic_int asked;    /* pieces of replies */
    atomic_int states;   /* of exchanges */
    atomic_int released; /* of them */
    atomic_int wrong;    /* bytes and promises */
    atomic_int turns;
    atomic_size_t largest_piece; /* of bodies */
    atomic_size_t largest_asked; /* of replies, what was asked for */
    atomic_size_t largest_turn;  /* bytes of bodies in one turn */
    atomic_size_t most_asked;    /* pieces of replies in one turn */
    atomic_size_t turn_bytes;    /* since the last turn ended */
    atomic_size_t turn_asked;
    atomic_ullong body_bytes;
};

char stream_byte(uint64_t position);
/* `len` bytes of a body from `position` on. */
void stream_fill(char *out, size_t len, uint64_t position);
/* As echo_server_init; started and stopped as ->echo. */
void stream_server_init(struct stream_server *stream);

#endif
