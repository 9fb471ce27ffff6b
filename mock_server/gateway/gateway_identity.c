/* What every answer of the gateway carries, its errors too: ids and its own Date. */
#include "gateway_internal.h"

#include <stdio.h>
#include <time.h>

enum { apigw_id_characters = 15 };

const char *gateway_date(struct gateway *gateway)
{
    static const char days[] = "SunMonTueWedThuFriSat";
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    struct env *env = gateway->options.env;
    int64_t now_s = env->wall_us(env) / 1000000;
    if (now_s != gateway->date_s || gateway->date[0] == '\0') {
        time_t seconds = (time_t)now_s;
        struct tm t;
        gmtime_r(&seconds, &t);
        snprintf(gateway->date, sizeof(gateway->date), "%.3s, %02u %.3s %04u %02u:%02u:%02u GMT",
                 days + 3 * (t.tm_wday % 7), (unsigned)t.tm_mday % 100,
                 months + 3 * (t.tm_mon % 12), (unsigned)(t.tm_year + 1900) % 10000,
                 (unsigned)t.tm_hour % 100, (unsigned)t.tm_min % 100, (unsigned)t.tm_sec % 100);
        gateway->date_s = now_s;
    }
    return gateway->date;
}

void gateway_add_identity(struct gateway *gateway, struct reply *reply)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    struct env *env = gateway->options.env;
    char uuid[ENV_UUID_BYTES];
    char apigw_id[apigw_id_characters];
    env_uuid(env, uuid);
    uint64_t bits[2] = {env->random_u64(env), env->random_u64(env)};
    for (size_t i = 0; i < apigw_id_characters; i++) {
        apigw_id[i] = alphabet[(bits[i / 10] >> (6 * (i % 10))) & 63];
    }
    BUF_APPEND_LIT(&reply->headers, "Date: ");
    buf_append(&reply->headers, gateway_date(gateway), GATEWAY_DATE_BYTES - 1);
    BUF_APPEND_LIT(&reply->headers, "\r\nx-amzn-RequestId: ");
    buf_append(&reply->headers, uuid, ENV_UUID_BYTES - 1);
    BUF_APPEND_LIT(&reply->headers, "\r\nx-amz-apigw-id: ");
    buf_append(&reply->headers, apigw_id, sizeof(apigw_id));
    BUF_APPEND_LIT(&reply->headers, "=\r\n");
}
