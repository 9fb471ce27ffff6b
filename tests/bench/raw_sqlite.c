/* What SQLite alone does on this disk: `raw_sqlite append FILE BATCH SECONDS` commits BATCH records
 * a transaction (WAL, synchronous FULL, the store's record table, 3 partitions) and prints records
 * a second; `raw_sqlite scan FILE` reads every record's value in log order and prints the same;
 * `raw_sqlite fill FILE N` puts N records into a stopped server's file. */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { value_bytes = 656, partitions = 3 };

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void must(sqlite3 *db, int code)
{
    if (code != SQLITE_OK && code != SQLITE_DONE && code != SQLITE_ROW) {
        fprintf(stderr, "raw_sqlite: %s\n", sqlite3_errmsg(db));
        exit(1);
    }
}

static void append(sqlite3 *db, long batch, double seconds)
{
    static char value[value_bytes];
    sqlite3_stmt *begin;
    sqlite3_stmt *commit;
    sqlite3_stmt *insert;
    long long offsets[partitions] = {0};
    long long records = 0;
    memset(value, 'v', sizeof(value));
    must(db,
         sqlite3_exec(db,
                      "PRAGMA page_size=4096; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
                      "CREATE TABLE record (id INTEGER PRIMARY KEY, tp INTEGER NOT NULL, offset "
                      "INTEGER NOT NULL, timestamp INTEGER NOT NULL, key BLOB, value BLOB, "
                      "headers BLOB);"
                      "CREATE UNIQUE INDEX record_tp_offset ON record (tp, offset);",
                      NULL, NULL, NULL));
    must(db, sqlite3_prepare_v2(db, "BEGIN IMMEDIATE", -1, &begin, NULL));
    must(db, sqlite3_prepare_v2(db, "COMMIT", -1, &commit, NULL));
    must(db, sqlite3_prepare_v2(
                 db, "INSERT INTO record (tp, offset, timestamp, value) VALUES (?1, ?2, ?3, ?4)",
                 -1, &insert, NULL));
    double start = now_s();
    double end = start;
    while (end - start < seconds) {
        must(db, sqlite3_step(begin));
        sqlite3_reset(begin);
        for (long i = 0; i < batch; i++) {
            int tp = (int)(records % partitions);
            sqlite3_bind_int(insert, 1, tp);
            sqlite3_bind_int64(insert, 2, offsets[tp]++);
            sqlite3_bind_int64(insert, 3, 1700000000000LL + records);
            sqlite3_bind_blob(insert, 4, value, value_bytes, SQLITE_STATIC);
            must(db, sqlite3_step(insert));
            sqlite3_reset(insert);
            records++;
        }
        must(db, sqlite3_step(commit));
        sqlite3_reset(commit);
        end = now_s();
    }
    printf("%.0f\n", (double)records / (end - start));
    sqlite3_finalize(begin);
    sqlite3_finalize(commit);
    sqlite3_finalize(insert);
}

/* Fills the first three partitions of a stopped server's state.db with that many records. */
static void fill(sqlite3 *db, long long records)
{
    sqlite3_stmt *insert;
    /* Like a pin: an object of a dozen members, so that whoever converts it has work to do. */
    static const char head[] =
        "{\"index\":7528,\"unique_id\":\"fbe53c66-3442-4773-b19e-d3ec6f54dddf\",\"title\":\"No "
        "Title\","
        "\"poster_name\":\"User Info Error\",\"follower_count\":\"12k\",\"tag_list\":\"a,b,c\","
        "\"is_image_or_video\":\"image\",\"image_src\":\"Image src error.\",\"downloaded\":1,"
        "\"save_location\":\"Local save in /data/mens-fashion\",\"category\":\"mens-fashion\","
        "\"description\":\"";
    static char value[value_bytes];
    memset(value, 'v', sizeof(value));
    memcpy(value, head, sizeof(head) - 1);
    memcpy(value + value_bytes - 2, "\"}", 2);
    must(db, sqlite3_exec(db, "PRAGMA synchronous=OFF", NULL, NULL, NULL));
    must(db, sqlite3_prepare_v2(db,
                                "INSERT INTO record (tp, offset, timestamp, value) SELECT tp, ?2, "
                                "?3, ?4 FROM partition ORDER BY tp LIMIT 1 OFFSET ?1",
                                -1, &insert, NULL));
    must(db, sqlite3_exec(db, "BEGIN", NULL, NULL, NULL));
    for (long long i = 0; i < records; i++) {
        sqlite3_bind_int64(insert, 1, i % partitions);
        sqlite3_bind_int64(insert, 2, i / partitions);
        sqlite3_bind_int64(insert, 3, 1700000000000LL + i);
        sqlite3_bind_blob(insert, 4, value, value_bytes, SQLITE_STATIC);
        must(db, sqlite3_step(insert));
        sqlite3_reset(insert);
        if (i % 100000 == 99999) {
            must(db, sqlite3_exec(db, "COMMIT; BEGIN", NULL, NULL, NULL));
        }
    }
    must(db, sqlite3_exec(db, "COMMIT; PRAGMA wal_checkpoint(TRUNCATE)", NULL, NULL, NULL));
    sqlite3_finalize(insert);
    printf("%lld\n", records);
}

static void scan(sqlite3 *db)
{
    sqlite3_stmt *select;
    long long records = 0;
    long long bytes = 0;
    must(db, sqlite3_prepare_v2(db, "SELECT offset, value FROM record ORDER BY tp, offset", -1,
                                &select, NULL));
    double start = now_s();
    while (sqlite3_step(select) == SQLITE_ROW) {
        bytes += sqlite3_column_bytes(select, 1);
        records++;
    }
    double seconds = now_s() - start;
    printf("%.0f %lld %.4f\n", (double)records / seconds, records, seconds);
    sqlite3_finalize(select);
    if (bytes == 0) {
        exit(1);
    }
}

int main(int argc, char **argv)
{
    sqlite3 *db = NULL;
    if (argc < 3) {
        fprintf(stderr, "usage: raw_sqlite append FILE BATCH SECONDS | scan FILE | fill FILE N\n");
        return 2;
    }
    must(db, sqlite3_open(argv[2], &db));
    if (strcmp(argv[1], "scan") == 0) {
        scan(db);
    } else if (strcmp(argv[1], "fill") == 0 && argc == 4) {
        fill(db, strtoll(argv[3], NULL, 10));
    } else if (argc == 5) {
        append(db, strtol(argv[3], NULL, 10), strtod(argv[4], NULL));
    }
    sqlite3_close(db);
    return 0;
}
