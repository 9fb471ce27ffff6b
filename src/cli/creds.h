/* creds.yaml: where the RDS tables are. Keys HOST USER PASSWORD DATABASE PORT, and SSL_CA where the
 * server's certificate is to be checked, or with RDS_ before them. Read with libyaml; the password
 * is never printed. */
#ifndef PINPIPE_CREDS_H
#define PINPIPE_CREDS_H

#include "error.h"

enum { CREDS_VALUE_BYTES_MAX = 256, CREDS_FILE_BYTES_MAX = 16 * 1024 };

struct creds {
    char host[CREDS_VALUE_BYTES_MAX];
    char user[CREDS_VALUE_BYTES_MAX];
    char password[CREDS_VALUE_BYTES_MAX];
    char database[CREDS_VALUE_BYTES_MAX];
    char port[CREDS_VALUE_BYTES_MAX];
    char ssl_ca[CREDS_VALUE_BYTES_MAX]; /* a file of certificates */
};

/* CONFIG: no such file, not YAML, not a flat mapping, an unknown key; the message names file, line
 * and key. */
enum status creds_read(const char *path, struct creds *out, struct error *err) PP_MUST_USE;

#endif
