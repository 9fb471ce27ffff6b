/* The shape of the three RDS tables (specs: workshop, "RDS source"): column order is what
 * `SELECT *` gives and so the member order of every posted record. */
#include "table.h"

static const struct table_column pin_columns[] = {
    {"index", COLUMN_INT},          {"unique_id", COLUMN_TEXT},
    {"title", COLUMN_TEXT},         {"description", COLUMN_TEXT},
    {"poster_name", COLUMN_TEXT},   {"follower_count", COLUMN_TEXT},
    {"tag_list", COLUMN_TEXT},      {"is_image_or_video", COLUMN_TEXT},
    {"image_src", COLUMN_TEXT},     {"downloaded", COLUMN_INT},
    {"save_location", COLUMN_TEXT}, {"category", COLUMN_TEXT},
};

static const struct table_column geo_columns[] = {
    {"ind", COLUMN_INT},         {"timestamp", COLUMN_DATETIME}, {"latitude", COLUMN_FLOAT},
    {"longitude", COLUMN_FLOAT}, {"country", COLUMN_TEXT},
};

static const struct table_column user_columns[] = {
    {"ind", COLUMN_INT}, {"first_name", COLUMN_TEXT},      {"last_name", COLUMN_TEXT},
    {"age", COLUMN_INT}, {"date_joined", COLUMN_DATETIME},
};

static const struct table tables[TABLE_COUNT] = {
    [TABLE_PIN] = {TABLE_PIN, "pinterest_data", "pin", pin_columns, ARRAY_COUNT(pin_columns)},
    [TABLE_GEO] = {TABLE_GEO, "geolocation_data", "geo", geo_columns, ARRAY_COUNT(geo_columns)},
    [TABLE_USER] = {TABLE_USER, "user_data", "user", user_columns, ARRAY_COUNT(user_columns)},
};

const struct table *table_get(enum table_id id)
{
    PP_ASSERT(id < TABLE_COUNT);
    return &tables[id];
}

const struct table *table_find(struct span name)
{
    for (size_t i = 0; i < TABLE_COUNT; i++) {
        if (span_equal_cstr(name, tables[i].name) ||
            span_equal_cstr(name, tables[i].topic_suffix)) {
            return &tables[i];
        }
    }
    return NULL;
}
