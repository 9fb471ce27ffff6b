/* The headers of one call, kept between requests because they seldom change. */
#ifndef PINPIPE_HTTP_HEADER_LIST_H
#define PINPIPE_HTTP_HEADER_LIST_H

#include "error.h"

#include <stdbool.h>

#include <curl/curl.h>

struct http_header_list {
    struct curl_slist *nodes; /* linked in order; their data points into text */
    char *text;
    size_t count;  /* the caller's; those that silence libcurl come behind */
    bool for_body; /* the request has a Content-Length */
};

/* Is it what a build with these would give? */
bool http_header_list_matches(const struct http_header_list *list, const char *const *headers,
                              bool for_body);
/* Replaces *list by a copy of the headers plus those that silence libcurl's own. INVALID names a
 * line that is no header, LIMIT too many of them; *list is then as before. */
enum status http_header_list_build(struct http_header_list *list, const char *const *headers,
                                   bool for_body, struct error *err) PP_MUST_USE;
void http_header_list_release(struct http_header_list *list);

#endif
