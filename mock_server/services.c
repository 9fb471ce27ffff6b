/* The services of this build. A row is pinpipe/services.def's (who it is) and its room's (what
 * answers), joined here; a row of the .def without its other half does not compile. */
#include "services.h"

#include "base.h"
#include "connect_rest.h"
#include "gateway.h"
#include "host.h"
#include "http_conn.h"
#include "kafka_rest.h"
#include "msk_connect.h"
#include "mysql_service.h"
#include "pinpipe/mock.h"
#include "s3.h"

static enum status service_http_kind(const struct host *host, const void *face,
                                     struct conn_kind *out)
{
    return http_kind(host->http, face, out);
}

const struct service_protocol service_http = {"http://", service_http_kind};
static const struct service_protocol service_mysql = {"mysql://", mysql_wire_kind};

#define HTTP(room)                                                                                 \
    .protocol = &service_http, .open = room##_open, .face = room##_face, .close = room##_close
#define ROOM_OF_GATEWAY                                                                            \
    HTTP(gateway), .check = gateway_check, .url_path = gateway_url_path, .in_front = true
#define ROOM_OF_REST        HTTP(kafka_rest)
#define ROOM_OF_CONNECT     HTTP(connect_rest)
#define ROOM_OF_S3          HTTP(s3)
#define ROOM_OF_MSK_CONNECT HTTP(msk_connect)
#define ROOM_OF_MYSQL                                                                              \
    .protocol = &service_mysql, .open = mysql_wire_open, .face = mysql_wire_face,                  \
    .close = mysql_wire_close, .url_path = mysql_wire_url_path

static const struct service_row rows[] = {
#define PINPIPE_SERVICE(ID, VALUE, KEY, FLAG, TITLE, LABEL, PORT, SETTING, HELP)                   \
    {.id = PINPIPE_##ID, .key = #KEY, .title = TITLE, .flag = "--" FLAG, ROOM_OF_##ID},
#define PINPIPE_SERVICE_ON_REQUEST(ID, VALUE, KEY, FLAG, TITLE, LABEL, PORT, SETTING, HELP)        \
    {.id = PINPIPE_##ID,                                                                           \
     .key = #KEY,                                                                                  \
     .title = TITLE,                                                                               \
     .flag = "--" FLAG,                                                                            \
     .on_request = true,                                                                           \
     ROOM_OF_##ID},
#define PINPIPE_SERVICE_LATER(KEY, FLAG, SETTING, HELP) {.id = -1, .key = #KEY},
#include "pinpipe/services.def"
};

const struct service_table service_table = {rows, ARRAY_COUNT(rows)};
