#include "creds.h"

#include "file.h"
#include "yaml_library.h"

#include <stdio.h>
#include <string.h>

struct creds_field {
    const char *name;
    size_t place; /* of the char[CREDS_VALUE_BYTES_MAX] in struct creds */
};

static const struct creds_field fields[] = {
    {"HOST", offsetof(struct creds, host)},         {"USER", offsetof(struct creds, user)},
    {"PASSWORD", offsetof(struct creds, password)}, {"DATABASE", offsetof(struct creds, database)},
    {"PORT", offsetof(struct creds, port)},         {"SSL_CA", offsetof(struct creds, ssl_ca)},
};

static char *field_find(struct creds *creds, struct span key)
{
    if (span_starts_with(key, SPAN_LIT("RDS_"))) {
        key = span_skip(key, 4);
    }
    for (size_t i = 0; i < ARRAY_COUNT(fields); i++) {
        if (span_equal_cstr(key, fields[i].name)) {
            return (char *)creds + fields[i].place;
        }
    }
    return NULL;
}

/* One file that is being read. */
struct creds_text {
    struct yaml_library yaml;
    yaml_document_t document;
};

static enum status take_pair(struct creds_text *text, const yaml_node_pair_t *pair,
                             struct creds *out, struct error *err)
{
    const yaml_node_t *key = text->yaml.document_get_node(&text->document, pair->key);
    const yaml_node_t *value = text->yaml.document_get_node(&text->document, pair->value);
    unsigned line = key != NULL ? (unsigned)key->start_mark.line + 1 : 0;
    if (key == NULL || value == NULL || key->type != YAML_SCALAR_NODE ||
        value->type != YAML_SCALAR_NODE) {
        return error_set(err, STATUS_CONFIG, "line %u: write it flat: KEY: value", line);
    }
    struct span name = span_from((const char *)key->data.scalar.value, key->data.scalar.length);
    char *place = field_find(out, name);
    if (place == NULL) {
        return error_set(err, STATUS_CONFIG,
                         "line %u: unknown key \"%.*s\"; HOST, USER, PASSWORD, DATABASE, PORT "
                         "and SSL_CA are known (or RDS_HOST ...)",
                         line, SPAN_ARG(name));
    }
    if (value->data.scalar.length >= CREDS_VALUE_BYTES_MAX) {
        return error_set(err, STATUS_CONFIG, "line %u: %.*s is longer than %d bytes", line,
                         SPAN_ARG(name), CREDS_VALUE_BYTES_MAX - 1);
    }
    memcpy(place, value->data.scalar.value, value->data.scalar.length);
    place[value->data.scalar.length] = '\0';
    return STATUS_OK;
}

static enum status take_document(struct creds_text *text, struct creds *out, struct error *err)
{
    const yaml_node_t *root = text->yaml.document_get_root_node(&text->document);
    enum status status = STATUS_OK;
    if (root == NULL) {
        return STATUS_OK; /* an empty file, or comments only */
    }
    if (root->type != YAML_MAPPING_NODE) {
        return error_set(err, STATUS_CONFIG, "not a mapping: write lines like HOST: name");
    }
    for (const yaml_node_pair_t *pair = root->data.mapping.pairs.start;
         pair < root->data.mapping.pairs.top && status == STATUS_OK; pair++) {
        status = take_pair(text, pair, out, err);
    }
    return status;
}

static enum status parse_text(struct creds_text *text, struct span bytes, struct creds *out,
                              struct error *err)
{
    const struct yaml_library *yaml = &text->yaml;
    yaml_parser_t parser;
    if (!yaml->parser_initialize(&parser)) {
        return error_no_memory(err);
    }
    yaml->parser_set_input_string(&parser, (const unsigned char *)bytes.ptr, bytes.len);
    enum status status;
    if (!yaml->parser_load(&parser, &text->document)) {
        status = error_set(err, STATUS_CONFIG,
                           "line %u: not YAML: %s (write KEY: value, and a value with special "
                           "characters in 'quotes')",
                           (unsigned)parser.problem_mark.line + 1,
                           parser.problem != NULL ? parser.problem : "unknown");
    } else {
        status = take_document(text, out, err);
        yaml->document_delete(&text->document);
    }
    yaml->parser_delete(&parser);
    return status;
}

static enum status parse(struct span bytes, struct creds *out, struct error *err)
{
    struct creds_text text;
    enum status status = yaml_library_open(&text.yaml, err);
    if (status == STATUS_OK) {
        status = parse_text(&text, bytes, out, err);
    }
    yaml_library_close(&text.yaml);
    return status;
}

enum status creds_read(const char *path, struct creds *out, struct error *err)
{
    struct buf text;
    buf_init(&text, CREDS_FILE_BYTES_MAX);
    *out = (struct creds){0};
    enum status status = file_read(path, &text, err);
    if (status != STATUS_OK) {
        error_prefix(err, "creds_path");
        status = err->code = STATUS_CONFIG;
    } else {
        status = parse(buf_span(&text), out, err);
        if (status != STATUS_OK) {
            error_prefix(err, "%s", path);
        }
    }
    buf_release(&text);
    return status;
}
