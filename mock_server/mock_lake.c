/* The data lake's part of the composition: S3, the Connect worker and its two faces. */
#include "mock_internal.h"

/* Hosts below which a name is a bucket: what clients on a laptop resolve without a DNS of their
 * own, and AWS's own, for those that are told to connect here. */
static const char *const base_domains[] = {
    "localhost",
    "s3.localhost",
    "127.0.0.1.nip.io",
    "s3.amazonaws.com",
    "s3.us-east-1.amazonaws.com",
    NULL,
};

static enum status s3_set_up(struct pinpipe_mock *mock, struct error *err)
{
    const struct s3_options options = {
        .store = mock->store,
        .crypto = mock->crypto,
        .env = &mock->env,
        .log = &mock->log,
        .identity = &mock->identity,
        .base_domains = base_domains,
    };
    return s3_new(&options, &mock->s3, err);
}

static enum status worker_set_up(struct pinpipe_mock *mock, struct error *err)
{
    const struct connect_worker_options options = {
        .store = mock->store,
        .crypto = mock->crypto,
        .broker = mock->broker,
        .timers = &mock->server->timers,
        .env = &mock->env,
        .log = &mock->log,
    };
    enum status status = connect_worker_new(&options, &mock->worker, err);
    if (status == STATUS_OK) {
        server_set_work(mock->server, connect_worker_work(mock->worker));
    }
    return status;
}

static enum status connect_set_up(struct pinpipe_mock *mock, struct error *err)
{
    const struct connect_rest_options options = {
        .worker = mock->worker,
        .store = mock->store,
        .env = &mock->env,
        .log = &mock->log,
        .user_id = mock->options.user_id,
        .worker_id = mock->worker_id,
    };
    return connect_rest_new(&options, &mock->connect, err);
}

static enum status msk_set_up(struct pinpipe_mock *mock, struct error *err)
{
    const struct msk_connect_options options = {
        .worker = mock->worker,
        .store = mock->store,
        .crypto = mock->crypto,
        .env = &mock->env,
        .log = &mock->log,
        .identity = &mock->identity,
        .workshop_permissions = mock->options.permissions == PINPIPE_PERMISSIONS_WORKSHOP,
    };
    return msk_connect_new(&options, &mock->msk, err);
}

enum status mock_lake_set_up(struct pinpipe_mock *mock, struct error *err)
{
    static enum status (*const steps[])(struct pinpipe_mock *, struct error *) = {
        s3_set_up, worker_set_up, connect_set_up, msk_set_up};
    if (crypto_new(&mock->crypto) != STATUS_OK) {
        return mock_no_memory(err);
    }
    aws_identity_init(&mock->identity, mock->options.user_id, mock->options.region);
    mock->identity.access_key = mock->options.access_key;
    mock->identity.secret = mock->options.secret;
    enum status status = STATUS_OK;
    for (size_t i = 0; i < ARRAY_COUNT(steps) && status == STATUS_OK; i++) {
        status = steps[i](mock, err);
    }
    return status;
}

void mock_lake_free(struct pinpipe_mock *mock)
{
    msk_connect_free(mock->msk);
    connect_rest_free(mock->connect);
    connect_worker_free(mock->worker);
    s3_free(mock->s3);
}
