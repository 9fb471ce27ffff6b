/* The program's version, from the file VERSION; compiled into one object only. */
#ifndef PINPIPE_VERSION_H
#define PINPIPE_VERSION_H

extern const char pinpipe_version[];

#endif
