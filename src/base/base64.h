/* Base64 as RFC 4648 section 4 (+ and /), written with padding. */
#ifndef PINPIPE_BASE64_H
#define PINPIPE_BASE64_H

#include "buf.h"

void base64_encode(struct span bytes, struct buf *out);
/* Strict as the REST proxy's decoder: padding may be missing, a length of 4k+1, a foreign byte or a
 * pad in the middle is false. Appends to out. */
bool base64_decode(struct span text, struct buf *out);

#endif
