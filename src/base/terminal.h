/* The door to a terminal. A stream that is opened here is an ordinary FILE, and whatever is written
 * to it is shown escaped (printable.h): whoever prints cannot forget it. The few bytes that do move
 * the cursor leave through terminal_draw_line, which escapes the line that it draws. */
#ifndef PINPIPE_TERMINAL_H
#define PINPIPE_TERMINAL_H

#include "error.h"
#include "span.h"

#include <stdio.h>

struct terminal;

enum terminal_colour {
    TERMINAL_PLAIN,
    TERMINAL_FAINT,
    TERMINAL_RED,
    TERMINAL_GREEN,
    TERMINAL_YELLOW,
    TERMINAL_CYAN,
};

/* A part of a line, in a colour where the terminal shows colours. */
struct terminal_piece {
    enum terminal_colour colour;
    struct span text;
};

/* The descriptor is borrowed, and must outlive the terminal. */
enum status terminal_open(int fd, struct terminal **out, struct error *err) PP_MUST_USE;
/* Flushes; false when something could not be written, ever. NULL is fine. */
bool terminal_close(struct terminal *terminal);
FILE *terminal_stream(struct terminal *terminal);
/* From here on bytes go out as they are (--raw). */
void terminal_set_raw(struct terminal *terminal);
/* Puts the text in place of the line that the cursor is in, and stays in it. */
void terminal_draw_line(struct terminal *terminal, struct span text);

/* Whether pieces are coloured; not until this says so. */
void terminal_set_colours(struct terminal *terminal, bool on);
/* From here on what the terminal does not take at once (its descriptor is non-blocking) is dropped
 * and counted, and never an error. */
void terminal_set_dropping(struct terminal *terminal);
/* How many writes were dropped, since the last call. */
size_t terminal_dropped(struct terminal *terminal);
/* Does the terminal take bytes now? Not while its user holds it up. */
bool terminal_is_ready(const struct terminal *terminal);
/* A line of its own. */
void terminal_put_line(struct terminal *terminal, const struct terminal_piece *pieces,
                       size_t count);
/* The moving line: drawn in place of the one before, until it is settled, or the stream is written
 * to. A line of pieces that is put meanwhile takes its place, and it is drawn anew below that. The
 * pieces must fit into the width, because a line that wraps cannot be redrawn. */
void terminal_move_line(struct terminal *terminal, const struct terminal_piece *pieces,
                        size_t count);
/* The moving line, if there is one, stays as it is. */
void terminal_settle_line(struct terminal *terminal);

#endif
