-- Statements that are asked of pinpipe and of a MariaDB with the same rows, one a line; answers are compared cell by cell, with
-- their columns' names and types, and refusals by number. A line `-- differs: words` before one says that MySQL 8 and MariaDB
-- differ there and how; then only that ours answers is looked at. `-- order` : rows may come in any order.
SELECT 1
SELECT 1, 'a', NULL, 1.5, -2
SELECT 1 AS one, 'a' AS `two words`, 3 three
SELECT * FROM pinterest_data LIMIT 7528, 1
SELECT * FROM geolocation_data LIMIT 7528, 1
SELECT * FROM user_data LIMIT 7528, 1
SELECT * FROM geolocation_data LIMIT 50 OFFSET 100
SELECT * FROM user_data WHERE ind = 2863
SELECT * FROM user_data WHERE ind = '2863'
SELECT * FROM user_data WHERE ind = 20000
SELECT * FROM pinterest_data WHERE `index` IN (1, 5, 9)
SELECT `index`, title FROM pinterest_data WHERE `index` BETWEEN 3 AND 6
SELECT pinterest_data.`index` FROM pinterest_data LIMIT 2
SELECT p.`index` AS i, p.category FROM pinterest_data AS p WHERE p.category = 'art' LIMIT 3
SELECT p.`index` FROM pinterest_data.pinterest_data p LIMIT 1
SELECT COUNT(*) FROM pinterest_data
SELECT COUNT(*), COUNT(1), COUNT(age), COUNT(NULL) FROM user_data
SELECT MIN(ind), MAX(ind), SUM(ind), AVG(ind) FROM user_data
SELECT MIN(age), MAX(age), SUM(age), AVG(age) FROM user_data WHERE ind > 100000
SELECT AVG(age), AVG(age) + 1, AVG(age) * 2 FROM user_data
SELECT MIN(date_joined), MAX(date_joined) FROM user_data
SELECT MIN(first_name), MAX(first_name) FROM user_data
SELECT MIN(latitude), MAX(latitude) FROM geolocation_data
SELECT ROUND(AVG(latitude), 6), ROUND(SUM(longitude), 2) FROM geolocation_data
SELECT latitude FROM geolocation_data WHERE ind = 5
SELECT latitude + 0, latitude * 2 FROM geolocation_data WHERE ind = 5
SELECT ind FROM geolocation_data WHERE latitude = 12.5
SELECT COUNT(*) FROM geolocation_data WHERE latitude > 0 AND longitude < 0
SELECT CONCAT(latitude, ',', longitude) FROM geolocation_data LIMIT 5
SELECT category, COUNT(*) FROM pinterest_data GROUP BY category ORDER BY category
SELECT category, COUNT(*) AS n FROM pinterest_data GROUP BY category ORDER BY n DESC, category LIMIT 5
SELECT category, COUNT(*) FROM pinterest_data GROUP BY 1 ORDER BY 1
SELECT category AS c, COUNT(*) FROM pinterest_data GROUP BY c HAVING COUNT(*) > 900 ORDER BY c
SELECT category, COUNT(*) AS n FROM pinterest_data GROUP BY category HAVING n > 900 ORDER BY 1
SELECT UPPER(category), COUNT(*) FROM pinterest_data GROUP BY UPPER(category) ORDER BY 1
SELECT LEFT(category, 1) AS l, COUNT(*) FROM pinterest_data GROUP BY LEFT(category, 1) ORDER BY l
SELECT YEAR(date_joined) AS y, COUNT(*) FROM user_data GROUP BY y ORDER BY y
SELECT YEAR(timestamp), MONTH(timestamp), COUNT(*) FROM geolocation_data GROUP BY YEAR(timestamp), MONTH(timestamp) ORDER BY 1, 2
SELECT DATE(timestamp) d, COUNT(*) FROM geolocation_data GROUP BY DATE(timestamp) ORDER BY 2 DESC, 1 LIMIT 5
SELECT DATE_FORMAT(date_joined, '%Y-%m') m, COUNT(*) FROM user_data GROUP BY m ORDER BY m
SELECT DISTINCT category FROM pinterest_data ORDER BY category
SELECT DISTINCT is_image_or_video, downloaded FROM pinterest_data ORDER BY 1, 2
SELECT COUNT(DISTINCT category) FROM pinterest_data
SELECT COUNT(DISTINCT first_name, last_name) FROM user_data
SELECT COUNT(DISTINCT age, YEAR(date_joined)) FROM user_data
SELECT GROUP_CONCAT(DISTINCT category ORDER BY category SEPARATOR '; ') FROM pinterest_data
SELECT GROUP_CONCAT(ind ORDER BY ind DESC) FROM user_data WHERE ind < 10
SELECT age, GROUP_CONCAT(ind ORDER BY ind SEPARATOR '-') FROM user_data WHERE ind < 30 GROUP BY age ORDER BY age
-- differs: MariaDB shows four decimals
SELECT STD(age), STDDEV_SAMP(age), VARIANCE(age), VAR_SAMP(age) FROM user_data WHERE ind < 5
SELECT SUM(age > 30), SUM(IF(age > 30, 1, 0)) FROM user_data
SELECT SUM(CASE WHEN age < 25 THEN 1 ELSE 0 END) AS young, COUNT(*) AS n FROM user_data
SELECT age DIV 10 * 10 AS decade, COUNT(*) FROM user_data GROUP BY decade ORDER BY decade
SELECT p.category, g.country, u.age FROM pinterest_data p JOIN geolocation_data g ON p.`index` = g.ind JOIN user_data u ON u.ind = g.ind WHERE p.`index` < 5 ORDER BY p.`index`
SELECT g.country, COUNT(*) c FROM geolocation_data g INNER JOIN user_data u ON g.ind = u.ind WHERE u.age > 50 GROUP BY g.country ORDER BY c DESC, g.country LIMIT 5
SELECT COUNT(*) FROM geolocation_data JOIN user_data USING (ind)
SELECT * FROM geolocation_data JOIN user_data USING (ind) LIMIT 2
SELECT * FROM geolocation_data NATURAL JOIN user_data LIMIT 2
SELECT a.ind, b.ind FROM user_data a LEFT JOIN user_data b ON b.ind = a.ind + 11150 WHERE a.ind < 6 ORDER BY a.ind
SELECT a.ind, b.ind FROM user_data a RIGHT JOIN user_data b ON a.ind = b.ind + 1 AND a.ind < 3 WHERE b.ind < 4 ORDER BY b.ind
SELECT COUNT(*) FROM user_data a, user_data b WHERE a.ind = b.ind
SELECT COUNT(*) FROM user_data a CROSS JOIN (SELECT 1 AS one UNION SELECT 2) b WHERE a.ind < 10
SELECT ind FROM user_data WHERE ind IN (SELECT `index` FROM pinterest_data WHERE category = 'art') ORDER BY ind LIMIT 3
SELECT COUNT(*) FROM user_data u WHERE EXISTS (SELECT 1 FROM geolocation_data g WHERE g.ind = u.ind AND g.country = 'Albania')
SELECT COUNT(*) FROM user_data u WHERE NOT EXISTS (SELECT 1 FROM geolocation_data g WHERE g.ind = u.ind AND g.ind < 11000)
SELECT ind, (SELECT country FROM geolocation_data g WHERE g.ind = u.ind) AS country FROM user_data u WHERE ind < 3
SELECT * FROM (SELECT category, COUNT(*) AS n FROM pinterest_data GROUP BY category) t WHERE t.n > 900 ORDER BY t.category
SELECT t.a, t.b FROM (SELECT 1 AS a, 'x' AS b) AS t
WITH t AS (SELECT age, COUNT(*) AS n FROM user_data GROUP BY age) SELECT * FROM t WHERE n > 300 ORDER BY age
WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5) SELECT i FROM n
SELECT ind FROM user_data WHERE age = (SELECT MAX(age) FROM user_data) ORDER BY ind LIMIT 3
SELECT 1 UNION SELECT 2 UNION ALL SELECT 2
SELECT ind FROM user_data WHERE ind < 2 UNION SELECT ind FROM geolocation_data WHERE ind < 3 ORDER BY ind DESC
(SELECT ind FROM user_data ORDER BY ind DESC LIMIT 2) UNION ALL (SELECT ind FROM user_data ORDER BY ind LIMIT 2)
SELECT 1 UNION SELECT 2.5
SELECT 'a' UNION SELECT 'b' ORDER BY 1 DESC
SELECT ind, ROW_NUMBER() OVER (ORDER BY ind DESC) AS rn FROM user_data WHERE ind < 5 ORDER BY ind
SELECT ind, age, RANK() OVER (ORDER BY age) r, DENSE_RANK() OVER (ORDER BY age) d FROM user_data WHERE ind < 10 ORDER BY ind
SELECT ind, SUM(age) OVER (ORDER BY ind ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING) s FROM user_data WHERE ind < 5 ORDER BY ind
SELECT ind, LAG(age) OVER (ORDER BY ind) p, LEAD(age, 2) OVER (ORDER BY ind) n FROM user_data WHERE ind < 5 ORDER BY ind
SELECT 1 || 0, 0 || 0, 1 && 1, NOT 1, ! 0
SELECT 1 XOR 1, 1 XOR 0, NULL XOR 1
SELECT 7 / 2, 7 DIV 2, 7 % 2, 7 MOD 2, -7 DIV 2, -7 % 3
SELECT 1 / 3, 2 / 3, 10 / 4, 1.5 / 3, 1e0 / 3
SELECT 1 / 0, 1 DIV 0, 1 % 0
SELECT 5 & 3, 5 | 3, 5 ^ 3, ~5, 1 << 4, 256 >> 4
SELECT 0.1 + 0.2, 0.1 * 0.2, 1.10 - 1.1, 3 * 1.5
SELECT 1 + '1', '3' * '4', 'abc' + 1, '2.5x' + 0
SELECT 'abc' = 0, '1abc' = 1, '1' = 1, 'a' = 'A', 'a' < 'B'
SELECT NULL = NULL, NULL <=> NULL, 1 <=> 1, 1 <=> NULL, NULL IS NULL, 1 IS NOT NULL
SELECT 1 IS TRUE, 0 IS FALSE, NULL IS UNKNOWN, 2 IS NOT TRUE
SELECT 2 BETWEEN 1 AND 3, 2 NOT BETWEEN 1 AND 3, 'b' BETWEEN 'A' AND 'C'
SELECT 1 IN (1, 2), 3 IN (1, 2), NULL IN (1), 3 IN (1, NULL), 'A' IN ('a', 'b')
SELECT 'abc' LIKE 'A%', 'abc' LIKE 'a_c', 'abc' NOT LIKE 'b%', 'a%c' LIKE 'a\%c', 'abc' LIKE 'a\%c'
SELECT 'a_c' LIKE 'a|_c' ESCAPE '|', 'abc' LIKE 'a|_c' ESCAPE '|', '' LIKE '', '' LIKE '%'
SELECT 'abc' REGEXP '^a', 'abc' REGEXP 'C$', 'abc' RLIKE '^b', 'abc' NOT REGEXP 'x'
SELECT BINARY 'a' = 'A', 'a' COLLATE utf8mb4_bin = 'A'
SELECT CASE 1 WHEN 1 THEN 'one' WHEN 2 THEN 'two' ELSE 'more' END, CASE WHEN 1 > 2 THEN 'x' END
SELECT IF(1 > 2, 'yes', 'no'), IFNULL(NULL, 'x'), NULLIF(1, 1), NULLIF(1, 2), COALESCE(NULL, NULL, 3)
-- differs: NULL beside a whole number: MySQL keeps BIGINT
SELECT GREATEST(1, 5, 3), LEAST(1, 5, 3), GREATEST('a', 'B'), LEAST(1.5, 2), GREATEST(1, NULL)
SELECT -9223372036854775808, 9223372036854775807, 18446744073709551615
SELECT 9223372036854775807 + 1
SELECT 9223372036854775807 * 2
SELECT CONCAT('a', 'b', 'c'), CONCAT('a', NULL), CONCAT(1, '-', 2.50), CONCAT_WS(',', 'a', NULL, 'b')
SELECT LENGTH('héllo'), CHAR_LENGTH('héllo'), BIT_LENGTH('a'), OCTET_LENGTH('ab')
SELECT UPPER('abc'), LOWER('ABC'), UCASE('é'), LCASE('É')
SELECT LEFT('hello', 2), RIGHT('hello', 2), SUBSTRING('hello', 2), SUBSTRING('hello', 2, 2), SUBSTRING('hello', -3, 2)
SELECT SUBSTRING('hello' FROM 2 FOR 3), MID('hello', 1, 1), SUBSTR('hello', 0), SUBSTRING('hello', 10)
SELECT TRIM('  x  '), LTRIM('  x'), RTRIM('x  '), TRIM(BOTH 'x' FROM 'xxyxx'), TRIM(LEADING 'x' FROM 'xxy'), TRIM(TRAILING 'y' FROM 'xy')
SELECT REPLACE('www.mysql.com', 'w', 'Ww'), REVERSE('abc'), REPEAT('ab', 2), SPACE(3)
SELECT LPAD('hi', 4, '??'), RPAD('hi', 5, '?'), LPAD('hi', 1, '?'), INSERT('Quadratic', 3, 4, 'What')
SELECT INSTR('foobarbar', 'bar'), LOCATE('bar', 'foobarbar'), LOCATE('bar', 'foobarbar', 5), POSITION('x' IN 'abc')
SELECT SUBSTRING_INDEX('www.mysql.com', '.', 2), SUBSTRING_INDEX('www.mysql.com', '.', -2), SUBSTRING_INDEX('abc', '.', 1)
SELECT ASCII('a'), ORD('a'), HEX('abc'), HEX(255), BIN(12), OCT(12)
SELECT FIELD('b', 'a', 'b'), FIND_IN_SET('b', 'a,b,c'), ELT(2, 'a', 'b'), STRCMP('a', 'b'), STRCMP('a', 'A')
SELECT FORMAT(12332.123456, 4), FORMAT(12332.2, 0), FORMAT(-1234567, 1)
SELECT CRC32('MariaDB'), QUOTE("Don't!")
SELECT ABS(-5), ABS(-1.5), SIGN(-3), CEIL(1.5), CEILING(-1.5), FLOOR(1.5), FLOOR(-1.5)
SELECT ROUND(1.5), ROUND(2.5), ROUND(-1.5), ROUND(1.298, 1), ROUND(1.298, 0), ROUND(23.298, -1), ROUND(1234, -2)
SELECT TRUNCATE(1.223, 1), TRUNCATE(1.999, 0), TRUNCATE(-1.999, 1), TRUNCATE(122, -2)
SELECT MOD(10, 3), MOD(10.5, 3), POW(2, 3), POWER(2, -1), SQRT(16), SQRT(-1)
SELECT EXP(0), LN(1), LOG(2, 8), LOG2(8), LOG10(1000), LN(0)
SELECT SIN(0), COS(0), TAN(0), ASIN(0), ACOS(1), ATAN(0), RADIANS(180), DEGREES(0)
SELECT PI(), BIT_COUNT(29)
SELECT RAND(5) FROM user_data WHERE ind < 3
SELECT CAST('12' AS SIGNED), CAST('12abc' AS SIGNED), CAST(12.7 AS SIGNED), CAST(-1 AS UNSIGNED), CAST('x' AS SIGNED)
SELECT CAST(12.345 AS DECIMAL(5,2)), CAST('1.5' AS DECIMAL(4,1)), CAST(1 AS DECIMAL), CAST(5 AS CHAR), CAST('abc' AS CHAR(2))
SELECT CAST('2021-02-05' AS DATE), CAST('2021-02-05 10:11:12' AS DATETIME), CAST('2021-02-05 10:11:12' AS DATE), CAST('10:11:12' AS TIME)
SELECT CONVERT('12', SIGNED), CONVERT('abc' USING utf8mb4)
SELECT YEAR(date_joined), MONTH(date_joined), DAY(date_joined), HOUR(date_joined), MINUTE(date_joined), SECOND(date_joined) FROM user_data WHERE ind = 3
SELECT DAYOFWEEK(date_joined), WEEKDAY(date_joined), DAYOFYEAR(date_joined), DAYOFMONTH(date_joined), QUARTER(date_joined) FROM user_data WHERE ind < 5
SELECT WEEK(date_joined), WEEK(date_joined, 1), WEEK(date_joined, 3), WEEKOFYEAR(date_joined), YEARWEEK(date_joined) FROM user_data WHERE ind < 40
SELECT WEEK('2008-02-20', 0), WEEK('2008-12-31', 1), WEEK('2000-01-01', 2), YEARWEEK('1987-01-01'), WEEK('2021-01-01', 7), WEEK('2022-01-01', 6)
SELECT DATE(date_joined), TIME(date_joined), DATE_FORMAT(date_joined, '%d.%m.%Y %H:%i:%s'), MONTHNAME(date_joined), DAYNAME(date_joined) FROM user_data WHERE ind < 5
SELECT DATE_FORMAT('2009-10-04 22:23:00', '%W %M %Y'), DATE_FORMAT('2007-10-04 22:23:00', '%H:%i:%s'), DATE_FORMAT('1900-10-04 22:23:00', '%D %y %a %d %m %b %j'), DATE_FORMAT('1997-10-04 22:23:00', '%H %k %I %r %T %S %w'), DATE_FORMAT('1999-01-01', '%X %V'), DATE_FORMAT('2006-06-01', '%d')
SELECT date_joined + INTERVAL 1 DAY, date_joined - INTERVAL 2 HOUR FROM user_data WHERE ind = 3
SELECT DATE_ADD(date_joined, INTERVAL 1 MONTH), DATE_SUB(date_joined, INTERVAL 1 YEAR), DATE_ADD(date_joined, INTERVAL 1 WEEK) FROM user_data WHERE ind < 4
SELECT DATE_ADD('2018-05-01', INTERVAL 1 DAY), DATE_SUB('2018-05-01', INTERVAL 1 YEAR), DATE_ADD('2020-12-31 23:59:59', INTERVAL 1 SECOND), DATE_ADD('2018-12-31 23:59:59', INTERVAL 1 DAY), DATE_ADD('2100-12-31 23:59:59', INTERVAL '1:1' MINUTE_SECOND)
SELECT DATE_SUB('2025-01-01 00:00:00', INTERVAL '1 1:1:1' DAY_SECOND), DATE_ADD('1900-01-01 00:00:00', INTERVAL '-1 10' DAY_HOUR), DATE_SUB('1998-01-02', INTERVAL 31 DAY)
SELECT '2018-12-31' + INTERVAL 1 DAY, '2024-01-31' + INTERVAL 1 MONTH, INTERVAL 1 DAY + '2018-12-31'
SELECT DATEDIFF('2007-12-31 23:59:59', '2007-12-30'), DATEDIFF('2010-11-30 23:59:59', '2010-12-31')
SELECT TIMESTAMPDIFF(MONTH, '2003-02-01', '2003-05-01'), TIMESTAMPDIFF(YEAR, '2002-05-01', '2001-01-01'), TIMESTAMPDIFF(MINUTE, '2003-02-01', '2003-05-01 12:05:55'), TIMESTAMPDIFF(DAY, '2020-01-01 12:00:00', '2020-01-02 11:00:00')
SELECT TIMESTAMPADD(MINUTE, 1, '2003-01-02'), TIMESTAMPADD(WEEK, 1, '2003-01-02')
SELECT EXTRACT(YEAR FROM '2019-07-02'), EXTRACT(YEAR_MONTH FROM '2019-07-02 01:02:03'), EXTRACT(DAY_MINUTE FROM '2019-07-02 01:02:03'), EXTRACT(HOUR FROM date_joined) FROM user_data WHERE ind = 1
SELECT UNIX_TIMESTAMP('2015-11-13 10:20:19'), FROM_UNIXTIME(1447430881), FROM_UNIXTIME(1447430881, '%Y %D %M %h:%i:%s %x')
SELECT UNIX_TIMESTAMP(date_joined) FROM user_data WHERE ind < 3
SELECT STR_TO_DATE('01,5,2013', '%d,%m,%Y'), STR_TO_DATE('May 1, 2013', '%M %d,%Y'), STR_TO_DATE('2013-05-01 10:20:30', '%Y-%m-%d %H:%i:%s'), STR_TO_DATE('abc', '%Y')
SELECT LAST_DAY('2003-02-05'), LAST_DAY('2004-02-05'), TO_DAYS('2007-10-07'), FROM_DAYS(730669), MAKEDATE(2011, 31), MAKEDATE(2011, 365)
SELECT TIME_TO_SEC('22:23:00'), SEC_TO_TIME(2378), HOUR('10:05:03'), MINUTE('2008-02-03 10:05:03'), SECOND('10:05:03'), MICROSECOND('12:00:00.123456')
SELECT COUNT(*) FROM user_data WHERE date_joined > '2017-01-01'
SELECT COUNT(*) FROM user_data WHERE date_joined >= '2016-01-01' AND date_joined < '2016-07-01 12:00:00'
SELECT COUNT(*) FROM user_data WHERE date_joined BETWEEN '2016-1-1' AND '2016-12-31'
SELECT COUNT(*) FROM user_data WHERE DATE(date_joined) = '2016-05-05'
SELECT COUNT(*) FROM user_data WHERE date_joined > 20160101
SELECT COUNT(*) FROM user_data WHERE date_joined > DATE '2017-01-01'
SELECT COUNT(*) FROM user_data WHERE date_joined > DATE_SUB('2017-06-01', INTERVAL 6 MONTH)
SELECT COUNT(*) FROM user_data WHERE YEAR(date_joined) = '2016'
SELECT date_joined + 0 FROM user_data WHERE ind = 1
SELECT ind FROM user_data ORDER BY date_joined DESC, ind LIMIT 5
SELECT ind, age FROM user_data ORDER BY age, ind DESC LIMIT 5
SELECT ind FROM user_data ORDER BY age DESC, 1 LIMIT 5
SELECT first_name FROM user_data GROUP BY first_name ORDER BY first_name LIMIT 10
SELECT first_name, last_name FROM user_data WHERE first_name LIKE 'an%' ORDER BY ind LIMIT 5
SELECT COUNT(*) FROM user_data WHERE first_name = 'brittany'
SELECT COUNT(*) FROM pinterest_data WHERE title LIKE '%art%'
SELECT COUNT(*) FROM pinterest_data WHERE description LIKE 'No description available%'
SELECT COUNT(*) FROM pinterest_data WHERE follower_count = 'User Info Error'
SELECT COUNT(*) FROM pinterest_data WHERE follower_count LIKE '%M'
SELECT follower_count + 0, COUNT(*) FROM pinterest_data WHERE follower_count LIKE '%M' GROUP BY follower_count + 0 ORDER BY 1
SELECT COUNT(*) FROM pinterest_data WHERE poster_name REGEXP '^[A-C]'
SELECT MAX(CHAR_LENGTH(title)), MAX(LENGTH(title)) FROM pinterest_data
SELECT category, MAX(CAST(REPLACE(follower_count, 'k', '000') AS SIGNED)) m FROM pinterest_data WHERE follower_count LIKE '%k' GROUP BY category ORDER BY category
SELECT country, COUNT(*) FROM geolocation_data WHERE country LIKE 'A%' GROUP BY country ORDER BY 2 DESC, 1 LIMIT 4
SELECT IF(age < 25, '18-24', IF(age < 36, '25-35', IF(age < 51, '36-50', '50+'))) AS age_group, COUNT(*) FROM user_data GROUP BY age_group ORDER BY age_group
-- differs: MySQL knows what depends on a key, MariaDB does not
SELECT u.ind, u.first_name, COUNT(*) FROM user_data u JOIN geolocation_data g ON g.ind = u.ind WHERE u.ind < 3 GROUP BY u.ind ORDER BY u.ind
SELECT ind FROM user_data LIMIT 0
SELECT ind FROM user_data ORDER BY ind LIMIT 18446744073709551615 OFFSET 11150
SELECT x'41', 0x42, b'01000001', X'43'
-- differs: MySQL names the column by the first of the strings
SELECT 'it''s', "it's", 'a\'b', 'tab\there', 'a' 'b' 'c'
SELECT _utf8mb4'abc', N'abc'
SELECT /* a */ 1 + /* b */ 1
SELECT TRUE, FALSE, true + true
-- differs: MySQL names the column +5
SELECT -(-5), - 5, +5, 5 - -5
SELECT (1 + 2) * 3, 2 + 3 * 4, 10 - 2 - 3, 100 / 10 / 2
SELECT 1 = 1 = 1, 2 > 1 > 0, NOT 1 = 2, NOT (1 = 1) OR 1
SELECT 1 AND NULL, 0 AND NULL, 1 OR NULL, 0 OR NULL, NOT NULL
SELECT DATABASE(), SCHEMA()
SELECT LAST_INSERT_ID(), FOUND_ROWS() >= 0
SELECT /* c */ 1 -- end
SELECT 1 # end
SELECT /*!50000 2 */ + 1
SELECT 1;
SHOW TABLES
SHOW TABLES LIKE 'user%'
SHOW FULL TABLES
SHOW TABLES FROM pinterest_data
-- differs: MySQL 8 says int, MariaDB int(11)
DESCRIBE user_data
-- differs: MySQL 8 says int, MariaDB int(11)
DESC geolocation_data
-- differs: MySQL 8 says int, MariaDB int(11)
SHOW COLUMNS FROM pinterest_data
-- differs: MySQL 8 says int, MariaDB int(11)
SHOW FIELDS FROM user_data LIKE 'a%'
-- differs: MySQL 8 says int, MariaDB int(11)
SHOW FULL COLUMNS FROM user_data WHERE Field = 'ind'
SHOW VARIABLES LIKE 'lower_case_table_names'
SHOW WARNINGS
SELECT table_name, table_type FROM information_schema.tables WHERE table_schema = 'pinterest_data' ORDER BY table_name
SELECT column_name, data_type, is_nullable, column_key FROM information_schema.columns WHERE table_schema = 'pinterest_data' AND table_name = 'user_data' ORDER BY ordinal_position
SELECT column_name FROM information_schema.key_column_usage WHERE table_schema = 'pinterest_data' ORDER BY table_name
SET NAMES utf8mb4
SET autocommit = 1
SET @a = 5
-- differs: the type of nothing
SELECT @a, @missing
SET SESSION sql_mode = DEFAULT
START TRANSACTION
COMMIT
ROLLBACK
USE pinterest_data
DO 1 + 1
SELECT @@autocommit, @@lower_case_table_names
-- differs: MariaDB 10.11 calls it tx_isolation
SELECT @@transaction_isolation
SELEC 1
SELECT
SELECT FROM user_data
SELECT index FROM pinterest_data
SELECT * FROM pinterest_data WHERE
SELECT * FROM pinterest_data LIMIT
SELECT * FROM
SELECT 'unfinished
SELECT (1
SELECT 1)
SELECT nope FROM user_data
SELECT user_data.nope FROM user_data
SELECT x.ind FROM user_data
SELECT ind FROM user_data WHERE nope = 1
SELECT ind FROM user_data ORDER BY nope
SELECT ind FROM user_data GROUP BY nope
SELECT ind FROM user_data HAVING nope > 1
SELECT a.ind FROM user_data a JOIN geolocation_data b ON a.nope = b.ind
SELECT ind FROM user_data, geolocation_data
SELECT * FROM nope
SELECT * FROM pinterest_data.nope
-- differs: MySQL says that there is none, MariaDB that it is denied
SELECT nope(1)
SELECT ROUND()
SELECT ind FROM user_data WHERE COUNT(*) > 1
SELECT MAX(COUNT(*)) FROM user_data
SELECT (SELECT ind FROM user_data)
SELECT (SELECT 1, 2)
SELECT 1 UNION SELECT 1, 2
-- differs: MySQL has a number of its own for it
SELECT * FROM (SELECT 1)
SELECT * FROM user_data u, geolocation_data u
SELECT * FROM (SELECT 1 AS a, 2 AS a) t
SELECT @@nope
USE nope
SELECT category, title FROM pinterest_data GROUP BY category
SELECT ind FROM user_data ORDER BY 99
SELECT ind FROM user_data GROUP BY 99
DESCRIBE nope
INSERT INTO user_data (ind) VALUES (1)
UPDATE user_data SET age = 1
DELETE FROM user_data WHERE ind = 1
DROP TABLE user_data
ALTER TABLE user_data ADD COLUMN x INT
TRUNCATE TABLE user_data
CREATE TABLE t (a INT)
CREATE DATABASE other
SELECT * FROM mysql.user
