/* The door to a terminal. A stream that is opened here is an ordinary FILE, and whatever is written
 * to it is shown escaped (printable.h): whoever prints cannot forget it. The few bytes that do move
 * the cursor leave through terminal_draw_line, which escapes the line that it draws. */
#ifndef PINPIPE_TERMINAL_H
#define PINPIPE_TERMINAL_H

#include "error.h"
#include "span.h"

#include <stdio.h>

struct terminal;

/* The descriptor is borrowed, and must outlive the terminal. */
enum status terminal_open(int fd, struct terminal **out, struct error *err) PP_MUST_USE;
/* Flushes; false when something could not be written, ever. NULL is fine. */
bool terminal_close(struct terminal *terminal);
FILE *terminal_stream(struct terminal *terminal);
/* From here on bytes go out as they are (--raw). */
void terminal_set_raw(struct terminal *terminal);
/* Puts the text in place of the line that the cursor is in, and stays in it. */
void terminal_draw_line(struct terminal *terminal, struct span text);

#endif
