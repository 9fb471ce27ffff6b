#include "store_sql.h"

#include "store_internal.h"

struct sqlite_db *store_sql(struct store *store)
{
    return &store->db;
}
