/* Functions that cut, overrun, share hidden state or bypass struct env; using one fails to compile.
 * Included on the compiler's command line for our own sources only, after the system's headers. */
#ifndef PINPIPE_BANNED_H
#define PINPIPE_BANNED_H

/* The system's headers declare these names, so they must come first. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PP_BANNED(name) name##_is_banned_see_src_base_banned_h

#undef strcpy
#define strcpy PP_BANNED(strcpy)
#undef strcat
#define strcat PP_BANNED(strcat)
#undef strncpy
#define strncpy PP_BANNED(strncpy)
#undef strncat
#define strncat PP_BANNED(strncat)
#undef sprintf
#define sprintf PP_BANNED(sprintf)
#undef vsprintf
#define vsprintf PP_BANNED(vsprintf)
#undef strtok
#define strtok PP_BANNED(strtok)
#undef atoi
#define atoi PP_BANNED(atoi)
#undef atol
#define atol PP_BANNED(atol)
#undef gets
#define gets PP_BANNED(gets)
#undef gmtime
#define gmtime PP_BANNED(gmtime)
#undef localtime
#define localtime PP_BANNED(localtime)
#undef rand
#define rand PP_BANNED(rand)
#undef alloca
#define alloca PP_BANNED(alloca)

#endif
