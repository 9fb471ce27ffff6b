/* libcurl, loaded when somebody first speaks HTTP: linked in, it doubles every start and the idle
 * memory, and most commands never need it. The functions are members named as libcurl's own. */
#ifndef PINPIPE_CURL_LIBRARY_H
#define PINPIPE_CURL_LIBRARY_H

#include "error.h"

#include <stdbool.h>

#include <curl/curl.h>

struct curl_library {
    void *handle;
    bool initialised;

    CURLcode (*global_init)(long flags);
    void (*global_cleanup)(void);
    curl_version_info_data *(*version_info)(CURLversion age);
    CURL *(*easy_init)(void);
    void (*easy_cleanup)(CURL *easy);
    CURLcode (*easy_setopt)(CURL *easy, CURLoption option, ...);
    CURLcode (*easy_getinfo)(CURL *easy, CURLINFO info, ...);
    const char *(*easy_strerror)(CURLcode code);
    CURLM *(*multi_init)(void);
    CURLMcode (*multi_cleanup)(CURLM *multi);
    CURLMcode (*multi_setopt)(CURLM *multi, CURLMoption option, ...);
    CURLMcode (*multi_add_handle)(CURLM *multi, CURL *easy);
    CURLMcode (*multi_remove_handle)(CURLM *multi, CURL *easy);
    CURLMcode (*multi_socket_action)(CURLM *multi, curl_socket_t fd, int events, int *running);
    CURLMsg *(*multi_info_read)(CURLM *multi, int *left);
    const char *(*multi_strerror)(CURLMcode code);
};

/* CONFIG when the library or one of its functions is missing or too old: the message says what to
 * install. close is safe after a failed open. */
enum status curl_library_open(struct curl_library *library, struct error *err) PP_MUST_USE;
void curl_library_close(struct curl_library *library);

#endif
