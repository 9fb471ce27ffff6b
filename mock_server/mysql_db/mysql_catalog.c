#include "mysql_catalog.h"

struct mysql_column mysql_catalog_column(const struct table *table, size_t column)
{
    const struct table_column *of = &table->columns[column];
    struct mysql_column out = {
        .schema = SPAN_EMPTY,
        .table = span_from_cstr(table->name),
        .org_table = span_from_cstr(table->name),
        .name = span_from_cstr(of->name),
        .org_name = span_from_cstr(of->name),
        .charset = MYSQL_CHARSET_BINARY,
    };
    switch (of->type) {
    case COLUMN_INT:
        out.type = MYSQL_TYPE_LONG;
        out.length = 11;
        break;
    case COLUMN_TEXT:
        out.type = MYSQL_TYPE_BLOB;
        out.charset = MYSQL_CHARSET_UTF8MB4;
        out.length = 65535U * 4;
        out.flags = MYSQL_FLAG_BLOB;
        break;
    case COLUMN_FLOAT:
        out.type = MYSQL_TYPE_FLOAT;
        out.length = 12;
        out.decimals = MYSQL_DECIMALS_OF_FLOATS;
        break;
    case COLUMN_DATETIME:
        out.type = MYSQL_TYPE_DATETIME;
        out.length = 19;
        out.flags = MYSQL_FLAG_BINARY;
        break;
    }
    if (column == 0) {
        out.flags |=
            MYSQL_FLAG_NOT_NULL | MYSQL_FLAG_PRI_KEY | MYSQL_FLAG_NO_DEFAULT | MYSQL_FLAG_PART_KEY;
    }
    return out;
}

const char *mysql_catalog_type(enum column_type type)
{
    static const char *const names[] = {
        [COLUMN_INT] = "int",
        [COLUMN_TEXT] = "text",
        [COLUMN_FLOAT] = "float",
        [COLUMN_DATETIME] = "datetime",
    };
    return names[type];
}
