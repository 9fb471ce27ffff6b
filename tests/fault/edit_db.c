/* `edit_db FILE SQL`: runs statements on a stopped program's SQLite file and prints the number of
 * rows they changed: how the damage tests break one thing at a time without the sqlite3 program. */
#include <sqlite3.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    sqlite3 *db = NULL;
    char *message = NULL;
    if (argc != 3) {
        fprintf(stderr, "usage: edit_db FILE SQL\n");
        return 2;
    }
    if (sqlite3_open_v2(argv[1], &db, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK ||
        sqlite3_exec(db, argv[2], NULL, NULL, &message) != SQLITE_OK) {
        fprintf(stderr, "edit_db: %s: %s\n", argv[1],
                message != NULL ? message : sqlite3_errmsg(db));
        return 1;
    }
    printf("%d\n", sqlite3_total_changes(db));
    return sqlite3_close(db) == SQLITE_OK ? 0 : 1;
}
