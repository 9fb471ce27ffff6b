-- The three tables as on RDS, and as people's own dumps have them, with what may be wrong. Loaded by mysql_rows.sh
-- where the exported CSV files are.
SET NAMES utf8mb4;
SET sql_mode = '';
CREATE DATABASE pinterest_data CHARACTER SET utf8mb4;
USE pinterest_data;
CREATE TABLE pinterest_data (`index` INT PRIMARY KEY, unique_id TEXT, title TEXT, description TEXT, poster_name TEXT,
    follower_count TEXT, tag_list TEXT, is_image_or_video TEXT, image_src TEXT, downloaded INT, save_location TEXT, category TEXT);
CREATE TABLE geolocation_data (ind INT PRIMARY KEY, timestamp DATETIME, latitude FLOAT, longitude FLOAT, country TEXT);
CREATE TABLE user_data (ind INT PRIMARY KEY, first_name TEXT, last_name TEXT, age INT, date_joined DATETIME);
LOAD DATA LOCAL INFILE 'pinterest_data.csv' INTO TABLE pinterest_data CHARACTER SET utf8mb4
    FIELDS TERMINATED BY ',' OPTIONALLY ENCLOSED BY '"' ESCAPED BY '' IGNORE 1 LINES;
LOAD DATA LOCAL INFILE 'geolocation_data.csv' INTO TABLE geolocation_data CHARACTER SET utf8mb4
    FIELDS TERMINATED BY ',' OPTIONALLY ENCLOSED BY '"' ESCAPED BY '' IGNORE 1 LINES;
LOAD DATA LOCAL INFILE 'user_data.csv' INTO TABLE user_data CHARACTER SET utf8mb4
    FIELDS TERMINATED BY ',' OPTIONALLY ENCLOSED BY '"' ESCAPED BY '' IGNORE 1 LINES;

CREATE DATABASE own_dump;
USE own_dump;
CREATE TABLE pinterest_data (category VARCHAR(30) CHARACTER SET latin1, idx BIGINT PRIMARY KEY, unique_id CHAR(36),
    title TEXT CHARACTER SET utf8mb4, Description LONGTEXT CHARACTER SET utf8mb4, poster_name TEXT CHARACTER SET utf8mb4,
    follower_count VARCHAR(20), tag_list TEXT CHARACTER SET utf8mb4, is_image_or_video TEXT, image_src TEXT, downloaded TINYINT,
    save_location TEXT);
INSERT INTO pinterest_data SELECT category, `index`, unique_id, title, description, poster_name, follower_count, tag_list,
    is_image_or_video, image_src, downloaded, save_location FROM pinterest_data.pinterest_data;
CREATE TABLE geolocation_data (ind VARCHAR(10), `timestamp` DATETIME(6), latitude DOUBLE, longitude DECIMAL(12, 6), country TEXT);
INSERT INTO geolocation_data SELECT ind, timestamp, CONCAT(latitude), CONCAT(longitude), country
    FROM pinterest_data.geolocation_data ORDER BY ind;
CREATE TABLE user_data (ind INT PRIMARY KEY, first_name TEXT, last_name TEXT, age VARCHAR(3), date_joined TIMESTAMP(3));
INSERT INTO user_data SELECT * FROM pinterest_data.user_data;

CREATE DATABASE no_tables;
CREATE DATABASE other_columns;
CREATE TABLE other_columns.pinterest_data AS SELECT `index`, unique_id, title FROM pinterest_data.pinterest_data;
CREATE TABLE other_columns.geolocation_data AS SELECT * FROM pinterest_data.geolocation_data LIMIT 9;
CREATE TABLE other_columns.user_data AS SELECT * FROM pinterest_data.user_data LIMIT 9;
CREATE DATABASE one_too_many;
CREATE TABLE one_too_many.pinterest_data AS SELECT * FROM pinterest_data.pinterest_data;
CREATE TABLE one_too_many.geolocation_data AS SELECT ind AS level_0, g.* FROM pinterest_data.geolocation_data AS g;
CREATE TABLE one_too_many.user_data AS SELECT * FROM pinterest_data.user_data;
CREATE DATABASE empty_tables;
CREATE TABLE empty_tables.pinterest_data LIKE pinterest_data.pinterest_data;
CREATE TABLE empty_tables.geolocation_data LIKE pinterest_data.geolocation_data;
CREATE TABLE empty_tables.user_data LIKE pinterest_data.user_data;
CREATE DATABASE bad_value;
CREATE TABLE bad_value.pinterest_data AS SELECT * FROM pinterest_data.pinterest_data;
CREATE TABLE bad_value.geolocation_data AS SELECT * FROM pinterest_data.geolocation_data;
CREATE TABLE bad_value.user_data AS SELECT * FROM pinterest_data.user_data;
UPDATE bad_value.user_data SET date_joined = '0000-00-00 00:00:00' WHERE ind = 7000;
CREATE DATABASE no_key;
CREATE TABLE no_key.pinterest_data AS SELECT * FROM pinterest_data.pinterest_data;
CREATE TABLE no_key.geolocation_data AS SELECT * FROM pinterest_data.geolocation_data;
CREATE TABLE no_key.user_data AS SELECT * FROM pinterest_data.user_data;
INSERT INTO no_key.user_data SELECT * FROM pinterest_data.user_data WHERE ind = 7;

CREATE USER project_user IDENTIFIED BY 'pass: #word';
GRANT SELECT ON *.* TO project_user;
CREATE USER blind_user IDENTIFIED BY 'pass: #word';
GRANT SELECT ON no_tables.* TO blind_user;
