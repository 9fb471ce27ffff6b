#include "shared_library.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

static enum status shared_functions_find(const struct shared_library *library, void *handle,
                                         void *table, struct error *err)
{
    for (size_t i = 0; i < library->function_count; i++) {
        const struct shared_function *function = &library->functions[i];
        void *address = dlsym(handle, function->name);
        if (address == NULL) {
            return error_set(err, STATUS_CONFIG, "this %s has no %s: %s", library->title,
                             function->name, library->too_old);
        }
        /* POSIX promises that a function's address survives the trip through void *. */
        memcpy((char *)table + function->member, &address, sizeof(address));
    }
    return STATUS_OK;
}

void *shared_library_open(const struct shared_library *library, void *table, struct error *err)
{
    void *handle = NULL;
    char lack[128] = "";
    for (size_t i = 0; library->file_names[i] != NULL && handle == NULL; i++) {
        handle = dlopen(library->file_names[i], RTLD_LAZY | RTLD_LOCAL | RTLD_NODELETE);
        const char *why = handle == NULL ? dlerror() : NULL;
        if (why != NULL && strstr(why, "emory") != NULL) { /* else it is not installed */
            snprintf(lack, sizeof(lack), "%s", why);
        }
    }
    if (handle == NULL && lack[0] != '\0') {
        (void)error_set(err, STATUS_NO_MEMORY, "%s cannot be loaded: %s", library->title, lack);
    } else if (handle == NULL) {
        (void)error_set(err, STATUS_CONFIG, "%s", library->missing);
    } else if (shared_functions_find(library, handle, table, err) != STATUS_OK) {
        shared_library_close(handle);
        handle = NULL;
    }
    return handle;
}

void shared_library_close(void *handle)
{
    if (handle != NULL) {
        dlclose(handle);
    }
}
