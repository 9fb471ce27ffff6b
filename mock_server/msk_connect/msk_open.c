/* MSK Connect as a row of mock_server/services.c: the mock's options made into its own. */
#include "host.h"
#include "msk_connect.h"

#include "pinpipe/mock.h"

enum status msk_connect_open(const struct host *host, void **out, struct error *err)
{
    const struct pinpipe_mock_options *o = host->options;
    struct msk_connect *msk = NULL;
    const struct msk_connect_options options = {
        .worker = host->worker,
        .store = host->store,
        .crypto = host->crypto,
        .env = host->env,
        .log = host->log,
        .identity = host->identity,
        .workshop_permissions = o->permissions == PINPIPE_PERMISSIONS_WORKSHOP,
    };
    enum status status = msk_connect_new(&options, &msk, err);
    *out = msk;
    return status;
}

const void *msk_connect_face(void *msk)
{
    return msk_connect_service(msk);
}

void msk_connect_close(void *msk)
{
    msk_connect_free(msk);
}
