#include "lake_check.h"

#include "base.h"

/* Each asks for rows that must not exist. */
static const struct {
    const char *rule;
    const char *sql;
} rules[] = {
    {"refs equal the rows that refer",
     "SELECT 1 FROM content c LEFT JOIN (SELECT id, count(*) AS n FROM"
     " (SELECT content_id AS id FROM object UNION ALL SELECT content_id FROM upload_part"
     " UNION ALL SELECT plain_id FROM piece) GROUP BY id) r ON r.id = c.id"
     " WHERE c.refs <> coalesce(r.n, 0)"},
    {"an object's content is there, of its size",
     "SELECT 1 FROM object o LEFT JOIN content c ON c.id = o.content_id"
     " WHERE o.content_id IS NOT NULL AND (c.id IS NULL OR c.size <> o.size)"},
    {"an object has its bytes in one place",
     "SELECT 1 FROM object WHERE (body IS NULL) = (content_id IS NULL)"},
    {"an object's own bytes are as many as it says",
     "SELECT 1 FROM object WHERE body IS NOT NULL AND length(body) <> size"},
    {"a part's content is there, of its size",
     "SELECT 1 FROM upload_part p LEFT JOIN content c ON c.id = p.content_id"
     " WHERE c.id IS NULL OR c.size <> p.size"},
    {"a part has its upload", "SELECT 1 FROM upload_part p LEFT JOIN upload u ON u.number = "
                              "p.upload WHERE u.number IS NULL"},
    {"what is alive has its bucket",
     "SELECT 1 FROM object o LEFT JOIN bucket b ON b.id = o.bucket_id"
     " WHERE b.id IS NULL AND o.dead = 0"
     " UNION ALL SELECT 1 FROM upload u LEFT JOIN bucket b ON b.id = u.bucket_id"
     " WHERE b.id IS NULL AND u.dead = 0"},
    {"a chunk has its content",
     "SELECT 1 FROM chunk k LEFT JOIN content c ON c.id = k.id >> 24 WHERE c.id IS NULL"},
    {"a piece has its two contents",
     "SELECT 1 FROM piece p LEFT JOIN content j ON j.id = p.content_id"
     " LEFT JOIN content c ON c.id = p.plain_id WHERE j.id IS NULL OR c.id IS NULL"},
    {"pieces are of plain contents, within their size",
     "SELECT 1 FROM piece p JOIN content c ON c.id = p.plain_id"
     " WHERE p.size <= 0 OR p.plain_start < 0 OR p.plain_start + p.size > c.size"
     " OR EXISTS (SELECT 1 FROM piece q WHERE q.content_id = p.plain_id)"},
    {"pieces follow each other",
     "SELECT 1 FROM (SELECT content_id, start, lag(start + size, 1, 0)"
     " OVER (PARTITION BY content_id ORDER BY start) AS expected FROM piece)"
     " WHERE start <> expected AND content_id IN (SELECT id FROM content WHERE refs > 0)"},
    {"the bytes of a linked content are as many as it says",
     "SELECT 1 FROM content c WHERE c.refs > 0 AND c.size <>"
     " (SELECT coalesce(sum(length(k.bytes)), 0) FROM chunk k"
     " WHERE k.id BETWEEN c.id << 24 AND (c.id << 24) + 16777215)"
     " + (SELECT coalesce(sum(p.size), 0) FROM piece p WHERE p.content_id = c.id)"},
    {"all chunks of a linked content but its last are whole",
     "SELECT 1 FROM content c JOIN chunk k"
     " ON k.id BETWEEN c.id << 24 AND (c.id << 24) + 16777215"
     " WHERE c.refs > 0 AND length(k.bytes) <>"
     " min(65536, c.size - (k.id & 16777215) * 65536)"},
};

const char *lake_check(sqlite3 *db)
{
    for (size_t i = 0; i < ARRAY_COUNT(rules); i++) {
        sqlite3_stmt *stmt = NULL;
        int step = SQLITE_ERROR;
        if (sqlite3_prepare_v2(db, rules[i].sql, -1, &stmt, NULL) == SQLITE_OK) {
            step = sqlite3_step(stmt);
        }
        sqlite3_finalize(stmt);
        if (step != SQLITE_DONE) {
            return rules[i].rule;
        }
    }
    return NULL;
}

long long lake_rows(sqlite3 *db)
{
    sqlite3_stmt *stmt = NULL;
    long long rows = -1;
    if (sqlite3_prepare_v2(db,
                           "SELECT (SELECT count(*) FROM content) + (SELECT count(*) FROM chunk)"
                           " + (SELECT count(*) FROM piece)"
                           " + (SELECT count(*) FROM object WHERE dead = 1)"
                           " + (SELECT count(*) FROM upload WHERE dead = 1)",
                           -1, &stmt, NULL) == SQLITE_OK &&
        sqlite3_step(stmt) == SQLITE_ROW) {
        rows = sqlite3_column_int64(stmt, 0);
    }
    sqlite3_finalize(stmt);
    return rows;
}
