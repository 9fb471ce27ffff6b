/* libyaml, as shared_library.h loads it. */
#include "yaml_library.h"

#include "shared_library.h"

#if defined(__APPLE__)
#define YAML_FILE_NAME "libyaml-0.2.dylib"
#else
#define YAML_FILE_NAME "libyaml-0.so.2"
#endif

static const char *const yaml_file_names[] = {
    YAML_FILE_NAME,
#if defined(__APPLE__)
    "/opt/homebrew/opt/libyaml/lib/" YAML_FILE_NAME,
    "/usr/local/opt/libyaml/lib/" YAML_FILE_NAME,
#else
    "libyaml.so",
#endif
    NULL,
};

#define FUNCTION(name)                                                                             \
    {                                                                                              \
        "yaml_" #name, offsetof(struct yaml_library, name)                                         \
    }

static const struct shared_function yaml_functions[] = {
    FUNCTION(parser_initialize), FUNCTION(parser_set_input_string),
    FUNCTION(parser_load),       FUNCTION(parser_delete),
    FUNCTION(document_get_node), FUNCTION(document_get_root_node),
    FUNCTION(document_delete),
};

enum status yaml_library_open(struct yaml_library *library, struct error *err)
{
    static const struct shared_library spec = {
        .title = "libyaml",
        .file_names = yaml_file_names,
        .missing = "libyaml is not installed (" YAML_FILE_NAME
                   " is missing): apt-get install libyaml-0-2, dnf install libyaml or brew install "
                   "libyaml",
        .too_old = "install libyaml 0.1.4 or newer",
        .functions = yaml_functions,
        .function_count = ARRAY_COUNT(yaml_functions),
    };
    *library = (struct yaml_library){.handle = NULL};
    library->handle = shared_library_open(&spec, library, err);
    return library->handle != NULL ? STATUS_OK : STATUS_CONFIG;
}

void yaml_library_close(struct yaml_library *library)
{
    shared_library_close(library->handle);
    *library = (struct yaml_library){.handle = NULL};
}
