/* A connector's configuration as people have it: .properties text as the workshop pastes it into
 * MSK Connect's console, or JSON as Connect's REST API takes it. */
#ifndef PINPIPE_CONNECT_PROPERTIES_H
#define PINPIPE_CONNECT_PROPERTIES_H

#include "buf.h"
#include "error.h"

enum {
    CONNECT_CONFIG_BYTES_MAX = 1024 * 1024,
    CONNECT_CONFIG_KEYS_MAX = 1024,
};

/* Told what is taken as it is but is hardly meant so: a comment behind a value, a key set twice. */
typedef void (*connect_note_fn)(void *ctx, const char *text);

/* Appends the properties as a JSON object of strings, in order; of a key that is set twice the last
 * value counts, as in Java. INVALID names the line. */
enum status connect_properties_to_json(struct span text, connect_note_fn note, void *ctx,
                                       struct buf *out, struct error *err) PP_MUST_USE;

/* The document of a file, in either form: JSON when it begins with '{', either the configuration
 * alone or
 * {"name":...,"config":{...}}. */
struct connect_document {
    struct buf config; /* a JSON object without "name" */
    struct buf name;   /* empty: there is none */
    struct buf class;  /* connector.class, empty: it has none */
};
void connect_document_init(struct connect_document *document);
void connect_document_release(struct connect_document *document);
enum status connect_document_read(struct span text, connect_note_fn note, void *ctx,
                                  struct connect_document *out, struct error *err) PP_MUST_USE;

#endif
