/* What every answer of the gateway carries, its errors too: ids and its own Date. */
#include "gateway_internal.h"

enum { apigw_id_characters = 15 };

const char *gateway_date(struct gateway *gateway)
{
    struct env *env = gateway->options.env;
    int64_t now_s = env->wall_us(env) / 1000000;
    if (now_s != gateway->date_s || gateway->date[0] == '\0') {
        http_date_write(now_s, gateway->date);
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
    buf_append(&reply->headers, gateway_date(gateway), HTTP_DATE_BYTES - 1);
    BUF_APPEND_LIT(&reply->headers, "\r\nx-amzn-RequestId: ");
    buf_append(&reply->headers, uuid, ENV_UUID_BYTES - 1);
    BUF_APPEND_LIT(&reply->headers, "\r\nx-amz-apigw-id: ");
    buf_append(&reply->headers, apigw_id, sizeof(apigw_id));
    BUF_APPEND_LIT(&reply->headers, "=\r\n");
}
