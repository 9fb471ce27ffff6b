/* Whatever is sent as a connector's configuration: what is read is written back to the same, and
 * validate's answer is JSON that counts as many errors as the check found. */
#include "connect_config.h"
#include "json.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { arena_bytes_max = 64 * 1024 * 1024, text_bytes_max = 16 * 1024 * 1024 };

static void require(bool condition)
{
    if (!condition) {
        abort();
    }
}

static void check_round_trip(struct arena *arena, const struct connect_entries *entries)
{
    struct connect_entries again;
    struct error err;
    struct buf text;
    buf_init(&text, text_bytes_max);
    connect_entries_write(entries, &text);
    require(!buf_ok(&text) ||
            (connect_entries_parse(arena, buf_span(&text), &again, &err) == STATUS_OK &&
             again.count == entries->count));
    buf_release(&text);
}

static void check_validate(struct arena *arena, const struct connect_entries *entries)
{
    struct connect_findings findings;
    const struct sink_config *config;
    struct json_doc *doc = NULL;
    struct error err;
    struct buf answer;
    int64_t count = -1;
    buf_init(&answer, text_bytes_max);
    if (connect_config_parse(arena, entries, &config, &findings, &err) == STATUS_OK &&
        connect_config_validate(arena, entries, &answer, &err) == STATUS_OK) {
        require(findings.exception == NULL);
        require(json_doc_parse(buf_span(&answer), &doc, &err) == STATUS_OK);
        require(json_node_i64(json_node_get(json_doc_root(doc), "error_count"), &count));
        require((size_t)count == findings.count);
        json_doc_free(doc);
    }
    buf_release(&answer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct connect_entries entries;
    struct error err = ERROR_NONE;
    struct arena arena;
    arena_init(&arena, arena_bytes_max);
    enum status status =
        connect_entries_parse(&arena, span_from((const char *)data, size), &entries, &err);
    if (status == STATUS_OK) {
        check_round_trip(&arena, &entries);
        check_validate(&arena, &entries);
    } else {
        require(err.message[0] != '\0' || status == STATUS_NO_MEMORY);
    }
    arena_release(&arena);
    return 0;
}
