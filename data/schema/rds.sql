-- rds.db: the three RDS tables, columns in the order of the real ones. Version 1.
CREATE TABLE pinterest_data (
    "index" INTEGER PRIMARY KEY,
    unique_id TEXT,
    title TEXT,
    description TEXT,
    poster_name TEXT,
    follower_count TEXT,
    tag_list TEXT,
    is_image_or_video TEXT,
    image_src TEXT,
    downloaded INTEGER,
    save_location TEXT,
    category TEXT
);
CREATE TABLE geolocation_data (
    ind INTEGER PRIMARY KEY,
    timestamp TEXT, -- DATETIME: YYYY-MM-DD HH:MM:SS
    latitude REAL,  -- FLOAT: six significant digits
    longitude REAL,
    country TEXT
);
CREATE TABLE user_data (
    ind INTEGER PRIMARY KEY,
    first_name TEXT,
    last_name TEXT,
    age INTEGER,
    date_joined TEXT -- DATETIME
);
-- Where each table's rows came from: generated (and from which seed) or imported.
CREATE TABLE table_origin (
    tbl TEXT PRIMARY KEY,
    how TEXT NOT NULL,
    seed INTEGER
) WITHOUT ROWID;
