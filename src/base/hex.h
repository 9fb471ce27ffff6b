/* Hexadecimal digits, read and written. */
#ifndef PINPIPE_HEX_H
#define PINPIPE_HEX_H

#include "span.h"

/* Indexed by the digit's value. */
#define HEX_LOWER "0123456789abcdef"
#define HEX_UPPER "0123456789ABCDEF"

/* 0 to 15, of either case; -1 when it is no digit. */
int hex_value(char digit);
/* The number in the first `digits` (1 to 8) bytes; false when there are fewer, or others. */
bool hex_read(struct span text, size_t digits, uint32_t *out);
/* Writes the lowest `digits` digits of the value in lower case, the highest first and without a
 * NUL; gives the place behind them. */
char *hex_write(char *out, uint64_t value, size_t digits);

#endif
