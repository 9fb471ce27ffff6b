/* libyaml, loaded when there is a creds.yaml to read: most runs have none, and a server's idle
 * memory would be 2 % more. The functions are members named as libyaml's own without "yaml_". */
#ifndef PINPIPE_YAML_LIBRARY_H
#define PINPIPE_YAML_LIBRARY_H

#include "error.h"

#include <yaml.h>

struct yaml_library {
    void *handle;

    int (*parser_initialize)(yaml_parser_t *parser);
    void (*parser_set_input_string)(yaml_parser_t *parser, const unsigned char *text, size_t len);
    int (*parser_load)(yaml_parser_t *parser, yaml_document_t *document);
    void (*parser_delete)(yaml_parser_t *parser);
    yaml_node_t *(*document_get_node)(yaml_document_t *document, int index);
    yaml_node_t *(*document_get_root_node)(yaml_document_t *document);
    void (*document_delete)(yaml_document_t *document);
};

/* CONFIG when the library is missing: the message says what to install. close is safe after a
 * failed open. */
enum status yaml_library_open(struct yaml_library *library, struct error *err) PP_MUST_USE;
void yaml_library_close(struct yaml_library *library);

#endif
