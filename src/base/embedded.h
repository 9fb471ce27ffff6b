/* The text files of data/ that are part of the program, as constants made at build time by
 * embed.awk. One declaration a file; a missing file fails at link time. */
#ifndef PINPIPE_EMBEDDED_H
#define PINPIPE_EMBEDDED_H

#include <stddef.h>

#define EMBEDDED_FILE(name)                                                                        \
    extern const char embedded_##name[];                                                           \
    extern const size_t embedded_##name##_len

EMBEDDED_FILE(schema_state_sql);
EMBEDDED_FILE(schema_lake_sql);
EMBEDDED_FILE(schema_batch_sql);
EMBEDDED_FILE(schema_rds_sql);
EMBEDDED_FILE(schema_ledger_sql);
EMBEDDED_FILE(schema_journal_sql);
EMBEDDED_FILE(schema_journal_views_sql);
EMBEDDED_FILE(vocab_categories_txt);
EMBEDDED_FILE(vocab_countries_txt);
EMBEDDED_FILE(vocab_people_txt);
EMBEDDED_FILE(vocab_phrases_txt);
EMBEDDED_FILE(vocab_posters_txt);

#endif
