/* The records of somebody's own script, judged without a ledger: which left-over records are its,
 * and whether pin, geo and user of each of its rows are there. Part of the notes, whose tables it
 * works on. */
#ifndef PINPIPE_VERIFIER_OWN_H
#define PINPIPE_VERIFIER_OWN_H

#include "sqlite_db.h"
#include "verdict.h"

/* The tables that it needs beside those of the notes. own_row: of each row how often each of the
 * three topics has it, how often it may have been posted (`wanted`), and how many records that
 * makes too few. */
#define VERIFIER_OWN_SCHEMA                                                                        \
    "CREATE TABLE hole (topic, partition, offset, count,"                                          \
    " PRIMARY KEY (topic, partition, offset)) WITHOUT ROWID;"                                      \
    "CREATE TABLE own_row (row INTEGER PRIMARY KEY, first, pin, geo, user, pin_more, geo_more,"    \
    " user_more, wanted, no_pin, no_geo, no_user, kind);"

/* Takes the left-over records whose row left another one in another of the three topics: a server
 * that doubles a record does not double its siblings. */
enum status own_find_triples(struct sqlite_db *db, struct error *err) PP_MUST_USE;
/* Takes what nothing else explained: rows, and what is nearly one (altered). */
enum status own_take_rest(struct sqlite_db *db, struct error *err) PP_MUST_USE;
/* Counts and first offenders of the kinds that are of own records go to the verdict. The first
 * three topics are those of the tables. */
enum status own_conclude(struct sqlite_db *db, const char *const *topic_names,
                         struct verdict *verdict, struct error *err) PP_MUST_USE;

#endif
