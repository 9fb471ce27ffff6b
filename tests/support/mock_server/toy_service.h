/* A service that exists in tests only: it keeps the body of each POST as a record of workshop.pin,
 * and fails an assertion when it is asked for /bug.
 * Its row is all that the mock needs to serve it (tests/unit/mock_server/test_services.c). */
#ifndef PINPIPE_TESTS_TOY_SERVICE_H
#define PINPIPE_TESTS_TOY_SERVICE_H

#include "pinpipe/mock.h"
#include "services.h"

/* An enumerator that no service of services.def has. */
#define TOY ((enum pinpipe_service)30)

extern const struct service_row toy_row;
extern int toy_services_open; /* opened and not closed yet */

#endif
