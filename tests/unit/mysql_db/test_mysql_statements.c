/* Statements and what MySQL 8 answers to them: values and errors as its manual and a server have
 * them. Where SQLite means something else by the same words, both are in the table. */
#include "mysql_db_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct asked {
    const char *sql;
    const char *answer;
};

static void check(void **state, const struct asked *cases, size_t count)
{
    struct mysql_db_world *world = *state;
    bool bad = false;
    for (size_t i = 0; i < count; i++) {
        const char *answer = mysql_db_world_ask(world, cases[i].sql);
        if (strcmp(answer, cases[i].answer) != 0) {
            print_error("%s\n  is      %s\n  must be %s\n", cases[i].sql, answer, cases[i].answer);
            bad = true;
        }
    }
    assert_false(bad);
}
#define CHECK(state, cases) check((state), (cases), ARRAY_COUNT(cases))

#define SYNTAX                                                                                     \
    "1064 42000 You have an error in your SQL syntax; check the manual that corresponds to your "  \
    "MySQL server version for the right syntax to use near "

static void operators_mean_what_they_mean_in_mysql(void **state)
{
    static const struct asked cases[] = {
        {"SELECT 1 || 0", "1"},
        {"SELECT 0 || 0, 1 && 0, NOT 0, !1", "0|0|1|0"},
        {"SELECT 1 XOR 1, 1 XOR 0, 1 XOR 1 XOR 1, NULL XOR 1", "0|1|1|NULL"},
        {"SELECT 7/2, 7 DIV 2, -7 DIV 2, 7 % 4, 7 MOD 4, -7 % 4, 1/0, 1 DIV 0", //
         "3.5000|3|-3|3|3|-3|NULL|NULL"},
        {"SELECT 5 ^ 3, 5 | 3, 5 & 3, ~0, 1 << 3, 8 >> 1", "6|7|1|18446744073709551615|8|4"},
        {"SELECT 'abc' = 0, 'abc' = 'ABC', 'a' = 'a ', 'caf\xc3\xa9' = 'cafe', '1a' = 1",
         "1|1|0|1|1"},
        {"SELECT NULL <=> NULL, NULL = NULL, 1 <=> NULL", "1|NULL|0"},
        {"SELECT '1' + '2', 'abc' + 1, '3.5x' * 2, 1 + NULL", "3|1|7|NULL"},
        {"SELECT 'Abc' LIKE 'a%', 'a_c' LIKE 'a\\_c', 'abc' LIKE 'a\\_c', 'a%' LIKE 'a|%' ESCAPE "
         "'|'",
         "1|1|0|1"},
        {"SELECT 'Abc' REGEXP '^a', 'abc' RLIKE 'z', BINARY 'a' = 'A'", "1|0|0"},
        {"SELECT 2 BETWEEN 1 AND 3, 'B' BETWEEN 'a' AND 'c', 2 NOT IN (1, 3), 'A' IN ('a')",
         "1|1|1|1"},
        {"SELECT 1 IS TRUE, NULL IS UNKNOWN, 0 IS NOT FALSE, NULL IS NULL", "1|1|0|1"},
        {"SELECT CASE 'A' WHEN 'a' THEN 1 ELSE 2 END, CASE WHEN 0 THEN 'x' END", "1|NULL"},
        {"SELECT 9223372036854775807 + 1",
         "1690 22003 BIGINT value is out of range in '(9223372036854775807 + 1)'"},
        {"SELECT -9223372036854775808, 18446744073709551615",
         "-9223372036854775808|18446744073709551615"},
        {"SELECT 0.1 + 0.2, 1.10 * 2.0, 1.5 / 3, 10 / 4 * 4, -1.5", //
         "0.3|2.200|0.50000|10.0000|-1.5"},
        {"SELECT x'41', 0x41 + 0, b'01000001', _utf8mb4'x', N'y', 'a' 'b', \"q\"",
         "A|65|A|x|y|ab|q"},
    };
    CHECK(state, cases);
}

static void functions_answer_as_mysqls(void **state)
{
    static const struct asked cases[] = {
        {"SELECT CONCAT('a', 1, 2.50, NULL), CONCAT('a', 1, 2.50), CONCAT_WS('-', 'a', NULL, 'b')",
         "NULL|a12.50|a-b"},
        {"SELECT LEFT('h\xc3\xa9llo', 2), RIGHT('hello', 2), SUBSTRING('hello', 2, 3), "
         "SUBSTRING('hello' FROM -3), MID('hello', 2, 1)",
         "h\xc3\xa9|lo|ell|llo|e"},
        {"SELECT CHAR_LENGTH('h\xc3\xa9'), LENGTH('h\xc3\xa9'), UPPER('h\xc3\xa9'), LOWER('ABC')",
         "2|3|H\xc3\x89|abc"},
        {"SELECT TRIM('  a '), TRIM(LEADING 'x' FROM 'xxa'), TRIM('x' FROM 'xax'), LTRIM(' a')",
         "a|a|a|a"},
        {"SELECT REPLACE('aXbX', 'X', '-'), REVERSE('abc'), REPEAT('ab', 3), LPAD('5', 3, '0'), "
         "RPAD('a', 3, 'xy')",
         "a-b-|cba|ababab|005|axy"},
        {"SELECT INSTR('foobar', 'BAR'), LOCATE('o', 'foobar', 3), POSITION('b' IN 'abc')",
         "4|3|2"},
        {"SELECT SUBSTRING_INDEX('a,b,c', ',', 2), SUBSTRING_INDEX('a,b,c', ',', -1)", "a,b|c"},
        {"SELECT FIELD('b', 'a', 'B'), FIND_IN_SET('b', 'a,b'), ELT(2, 'x', 'y'), STRCMP('a', 'B')",
         "2|2|y|-1"},
        {"SELECT FORMAT(1234567.891, 2), HEX('AB'), HEX(255), ASCII('A'), BIN(5)",
         "1,234,567.89|4142|FF|65|101"},
        {"SELECT ROUND(2.5), ROUND(-2.5), ROUND(1.005, 2), ROUND(1234, -2), TRUNCATE(1.999, 1)",
         "3|-3|1.01|1200|1.9"},
        {"SELECT CEIL(1.2), FLOOR(-1.2), ABS(-3), SIGN(-2), MOD(10, 3), POW(2, 10), SQRT(-1)",
         "2|-2|3|-1|1|1024|NULL"},
        {"SELECT GREATEST(1, 3, 2), LEAST('b', 'a'), COALESCE(NULL, 2), IFNULL(NULL, 'x'), "
         "NULLIF(1, 1), IF(NULL, 1, 2), ISNULL(NULL)",
         "3|a|2|x|NULL|2|1"},
        {"SELECT CAST('12abc' AS SIGNED), CAST(1.6 AS SIGNED), CAST('1.567' AS DECIMAL(5,2)), "
         "CAST(5 AS CHAR), CONVERT('abc', CHAR(2))",
         "12|2|1.57|5|ab"},
        {"SELECT DATABASE(), CONNECTION_ID(), USER(), CURRENT_USER()",
         "pinterest_data|7|project_user@127.0.0.1|project_user@%"},
        {"SELECT CRC32('MySQL'), QUOTE('a\\'b'), CHARSET('a'), SPACE(2)",
         "3259397556|'a\\'b'|utf8mb4|  "},
    };
    CHECK(state, cases);
}

static void dates_are_read_compared_and_moved_as_mysqls(void **state)
{
    static const struct asked cases[] = {
        {"SELECT DATE_FORMAT('2021-02-05 19:14:42', '%Y-%m-%d %H:%i:%s %M %b %W %a %j %D %p %y "
         "%e')",
         "2021-02-05 19:14:42 February Feb Friday Fri 036 5th PM 21 5"},
        {"SELECT YEAR('2021-02-05'), MONTH('2021-02-05'), DAY('2021-02-05'), HOUR('10:11:12'), "
         "QUARTER('2021-05-01'), DAYOFWEEK('2021-02-05'), WEEKDAY('2021-02-05')",
         "2021|2|5|10|2|6|4"},
        {"SELECT '2021-01-31' + INTERVAL 1 MONTH, DATE_SUB('2021-03-01', INTERVAL 1 DAY), "
         "DATE_ADD('2021-01-01', INTERVAL 90 MINUTE), ADDDATE('2021-01-01', 2)",
         "2021-02-28|2021-02-28|2021-01-01 01:30:00|2021-01-03"},
        {"SELECT DATE_ADD('2021-01-01', INTERVAL '1-2' YEAR_MONTH), "
         "DATE_ADD('2021-01-01 00:00:00', INTERVAL '1 02:03:04' DAY_SECOND)",
         "2022-03-01|2021-01-02 02:03:04"},
        {"SELECT DATEDIFF('2021-03-01', '2021-02-01'), TIMESTAMPDIFF(MONTH, '2021-01-15', "
         "'2021-03-14'), TIMESTAMPDIFF(HOUR, '2021-01-01', '2021-01-02')",
         "28|1|24"},
        {"SELECT UNIX_TIMESTAMP('1970-01-02'), FROM_UNIXTIME(86400), LAST_DAY('2020-02-01')",
         "86400|1970-01-02 00:00:00|2020-02-29"},
        {"SELECT STR_TO_DATE('05/02/2021', '%d/%m/%Y'), STR_TO_DATE('x', '%Y'), "
         "EXTRACT(YEAR_MONTH FROM '2021-02-05'), WEEK('2021-01-03'), WEEK('2021-01-03', 3)",
         "2021-02-05|NULL|202102|1|53"},
        {"SELECT CAST('2021-2-5' AS DATE), CAST('2021-02-30' AS DATE), DATE('2021-02-05 "
         "10:00:00'), "
         "TIME('2021-02-05 10:00:00'), CAST(20210205 AS DATE)",
         "2021-02-05|NULL|2021-02-05|10:00:00|2021-02-05"},
        {"SELECT COUNT(*) FROM user_data WHERE date_joined >= '2015-01-01' AND date_joined < NOW()",
         "100"},
        {"SELECT COUNT(*) FROM user_data WHERE date_joined BETWEEN '2015-1-1' AND '2099-12-31'",
         "100"},
        {"SELECT ind FROM user_data WHERE date_joined > 'yesterday'",
         "1525 HY000 Incorrect DATETIME value: 'yesterday'"},
        {"SELECT DATE '2021-02-05' = '2021-02-05', CAST('2021-02-05' AS DATETIME) = 20210205",
         "1|0"},
    };
    CHECK(state, cases);
}

static void queries_of_the_tables_are_answered(void **state)
{
    static const struct asked cases[] = {
        {"SELECT `index` FROM pinterest_data LIMIT 5, 1", "5"},
        {"SELECT ind FROM geolocation_data LIMIT 2 OFFSET 3", "3\n4"},
        {"SELECT COUNT(*), MIN(ind), MAX(ind), SUM(ind), AVG(ind) FROM user_data",
         "100|0|99|4950|49.5000"},
        {"SELECT COUNT(*), SUM(ind), MAX(ind) FROM user_data WHERE ind > 1000", "0|NULL|NULL"},
        {"SELECT p.`index`, g.ind, u.ind FROM pinterest_data p JOIN geolocation_data g ON "
         "p.`index` = g.ind INNER JOIN user_data AS u ON u.ind = g.ind WHERE g.ind = 7",
         "7|7|7"},
        {"SELECT COUNT(*) FROM geolocation_data JOIN user_data USING (ind)", "100"},
        {"SELECT COUNT(*) FROM geolocation_data NATURAL JOIN user_data", "100"},
        {"SELECT a.ind, b.ind FROM user_data a LEFT JOIN user_data b ON b.ind = a.ind + 1 WHERE "
         "a.ind > 97",
         "98|99\n99|NULL"},
        {"SELECT ind FROM user_data WHERE ind IN (3, 1, '2') ORDER BY ind DESC", "3\n2\n1"},
        {"SELECT COUNT(*) FROM user_data WHERE ind IN (SELECT ind FROM geolocation_data WHERE ind "
         "< 4)",
         "4"},
        {"SELECT COUNT(*) FROM user_data u WHERE EXISTS (SELECT 1 FROM geolocation_data g WHERE "
         "g.ind = u.ind AND g.ind < 3)",
         "3"},
        {"SELECT (SELECT MAX(ind) FROM user_data), (SELECT ind FROM user_data WHERE ind = 5)",
         "99|5"},
        {"SELECT (SELECT ind FROM user_data)", "1242 21000 Subquery returns more than 1 row"},
        {"SELECT x.n FROM (SELECT COUNT(*) AS n FROM user_data) AS x", "100"},
        {"WITH RECURSIVE c (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 3) SELECT n "
         "FROM c",
         "1\n2\n3"},
        {"SELECT 1 UNION SELECT 1 UNION ALL SELECT 2", "1\n2"},
        {"SELECT COUNT(*) FROM (SELECT 'a' AS x UNION SELECT 'A') t", "1"},
        {"(SELECT ind FROM user_data ORDER BY ind DESC LIMIT 1) UNION ALL (SELECT ind FROM "
         "user_data ORDER BY ind LIMIT 1) ORDER BY ind LIMIT 2",
         "0\n99"},
        {"SELECT ind % 2 AS odd, COUNT(*) FROM user_data GROUP BY odd HAVING COUNT(*) > 1 ORDER BY "
         "2 DESC, odd",
         "0|50\n1|50"},
        {"SELECT ind AS k FROM user_data HAVING k > 97", "98\n99"},
        {"SELECT DISTINCT age > 0 FROM user_data", "1"},
        {"SELECT GROUP_CONCAT(ind ORDER BY ind DESC SEPARATOR '/') FROM user_data WHERE ind < 4",
         "3/2/1/0"},
        {"SELECT COUNT(DISTINCT ind % 3), COUNT(DISTINCT ind % 2, ind % 3) FROM user_data", "3|6"},
        {"SELECT ind, ROW_NUMBER() OVER (ORDER BY ind DESC), SUM(ind) OVER (ORDER BY ind ROWS "
         "BETWEEN 1 PRECEDING AND CURRENT ROW) FROM user_data ORDER BY ind LIMIT 2",
         "0|100|0\n1|99|1"},
        {"SELECT u.ind, u.first_name = MIN(u.first_name) FROM user_data u WHERE ind = 1 GROUP BY "
         "u.ind",
         "1|1"},
        {"SELECT COUNT(*) FROM geolocation_data WHERE latitude = (SELECT latitude FROM "
         "geolocation_data WHERE ind = 1) AND ind = 1",
         "1"},
        {"SELECT ind FROM user_data ORDER BY RAND() LIMIT 0", ""},
    };
    CHECK(state, cases);
}

static void mistakes_are_told_in_mysqls_words(void **state)
{
    static const struct asked cases[] = {
        {"SELECT index FROM pinterest_data", SYNTAX "'index FROM pinterest_data' at line 1"},
        {"SELEC 1", SYNTAX "'SELEC 1' at line 1"},
        {"SELECT 1\nFROM", SYNTAX "'' at line 2"},
        {"SELECT 'abc", SYNTAX "''abc' at line 1"},
        {"SELECT 1; SELECT 2", SYNTAX "'SELECT 2' at line 1"},
        {"", "1065 42000 Query was empty"},
        {"/* only this */", "1065 42000 Query was empty"},
        {"SELECT nope FROM user_data", "1054 42S22 Unknown column 'nope' in 'field list'"},
        {"SELECT u.nope FROM user_data u", "1054 42S22 Unknown column 'u.nope' in 'field list'"},
        {"SELECT ind FROM user_data WHERE x = 1",
         "1054 42S22 Unknown column 'x' in 'where clause'"},
        {"SELECT ind FROM user_data ORDER BY x", "1054 42S22 Unknown column 'x' in 'order clause'"},
        {"SELECT COUNT(*) FROM user_data GROUP BY x",
         "1054 42S22 Unknown column 'x' in 'group statement'"},
        {"SELECT ind FROM user_data HAVING age > 1",
         "1054 42S22 Unknown column 'age' in 'having clause'"},
        {"SELECT ind FROM user_data JOIN geolocation_data",
         "1052 23000 Column 'ind' in field list is ambiguous"},
        {"SELECT 1 FROM user_data, user_data", "1066 42000 Not unique table/alias: 'user_data'"},
        {"SELECT * FROM nope", "1146 42S02 Table 'pinterest_data.nope' doesn't exist"},
        {"SELECT * FROM User_Data", "1146 42S02 Table 'pinterest_data.User_Data' doesn't exist"},
        {"SELECT * FROM other.t", "1049 42000 Unknown database 'other'"},
        {"SELECT x.* FROM user_data", "1051 42S02 Unknown table 'x'"},
        {"SELECT *", "1096 HY000 No tables used"},
        {"SELECT nope(1)", "1305 42000 FUNCTION pinterest_data.nope does not exist"},
        {"SELECT ROUND()",
         "1582 42000 Incorrect parameter count in the call to native function 'ROUND'"},
        {"SELECT ind FROM user_data WHERE COUNT(*) > 1",
         "1111 HY000 Invalid use of group function"},
        {"SELECT age, first_name FROM user_data GROUP BY age",
         "1055 42000 Expression #2 of SELECT list is not in GROUP BY clause and contains "
         "nonaggregated column 'pinterest_data.user_data.first_name' which is not functionally "
         "dependent on columns in GROUP BY clause; this is incompatible with "
         "sql_mode=only_full_group_by"},
        {"SELECT ind, COUNT(*) FROM user_data",
         "1140 42000 In aggregated query without GROUP BY, expression #1 of SELECT list contains "
         "nonaggregated column 'pinterest_data.user_data.ind'; this is incompatible with "
         "sql_mode=only_full_group_by"},
        {"SELECT 1 UNION SELECT 1, 2",
         "1222 21000 The used SELECT statements have a different number of columns"},
        {"SELECT (SELECT 1, 2)", "1241 21000 Operand should contain 1 column(s)"},
        {"SELECT * FROM (SELECT 1)", "1248 42000 Every derived table must have its own alias"},
        {"SELECT * FROM (SELECT 1 AS a, 2 AS a) t", "1060 42S21 Duplicate column name 'a'"},
        {"SELECT @@nope", "1193 HY000 Unknown system variable 'nope'"},
        {"USE nope", "1049 42000 Unknown database 'nope'"},
        {"KILL 1234", "1094 HY000 Unknown thread id: 1234"},
        {"SELECT * FROM information_schema.nope",
         "1109 42S02 Unknown table 'nope' in information_schema"},
    };
    CHECK(state, cases);
}

static void whoever_would_write_is_refused_as_a_reader(void **state)
{
#define DENIED(verb)                                                                               \
    "1142 42000 " verb " command denied to user 'project_user'@'127.0.0.1' for table 'user_data'"
    static const struct asked cases[] = {
        {"INSERT INTO user_data VALUES (1)", DENIED("INSERT")},
        {"insert ignore into pinterest_data.user_data (ind) select 1", DENIED("INSERT")},
        {"UPDATE user_data SET age = 1", DENIED("UPDATE")},
        {"DELETE FROM user_data", DENIED("DELETE")},
        {"TRUNCATE TABLE user_data", DENIED("DROP")},
        {"DROP TABLE IF EXISTS `user_data`", DENIED("DROP")},
        {"CREATE TABLE user_data (a INT)", DENIED("CREATE")},
        {"ALTER TABLE user_data ADD b INT", DENIED("ALTER")},
        {"CREATE INDEX i ON user_data (age)", DENIED("INDEX")},
        {"CREATE DATABASE x",
         "1044 42000 Access denied for user 'project_user'@'127.0.0.1' to database 'x'"},
        {"LOAD DATA INFILE '/etc/passwd' INTO TABLE user_data",
         "1045 28000 Access denied for user 'project_user'@'127.0.0.1' (using password: YES)"},
        {"SELECT * FROM user_data INTO OUTFILE '/tmp/x'",
         "1045 28000 Access denied for user 'project_user'@'127.0.0.1' (using password: YES)"},
        {"SELECT 1 INTO OUTFILE '/tmp/x' FROM user_data",
         "1045 28000 Access denied for user 'project_user'@'127.0.0.1' (using password: YES)"},
        {"SET GLOBAL max_connections = 1",
         "1227 42000 Access denied; you need (at least one of) the SUPER or SYSTEM_VARIABLES_ADMIN "
         "privilege(s) for this operation"},
        {"SELECT * FROM mysql.user",
         "1142 42000 SELECT command denied to user 'project_user'@'127.0.0.1' for table 'user'"},
    };
    CHECK(state, cases);
}

static void nothing_of_sqlites_own_is_there(void **state)
{
    static const struct asked cases[] = {
        {"SELECT * FROM sqlite_master",
         "1146 42S02 Table 'pinterest_data.sqlite_master' doesn't exist"},
        {"SELECT * FROM table_origin",
         "1146 42S02 Table 'pinterest_data.table_origin' doesn't exist"},
        {"SELECT * FROM main.user_data", "1049 42000 Unknown database 'main'"},
        {"SELECT * FROM pragma_table_info('user_data')", SYNTAX "'('user_data')' at line 1"},
        {"PRAGMA table_info(user_data)", SYNTAX "'PRAGMA table_info(user_data)' at line 1"},
        {"ATTACH 'x' AS y", SYNTAX "'ATTACH 'x' AS y' at line 1"},
        {"VACUUM", SYNTAX "'VACUUM' at line 1"},
        {"SELECT sqlite_version()",
         "1305 42000 FUNCTION pinterest_data.sqlite_version does not exist"},
        {"SELECT load_extension('x')",
         "1305 42000 FUNCTION pinterest_data.load_extension does not exist"},
        {"SELECT rowid FROM user_data", "1054 42S22 Unknown column 'rowid' in 'field list'"},
        {"SELECT ind FROM user_data WHERE ind GLOB '1'", SYNTAX "'GLOB '1'' at line 1"},
        {"SELECT my_only(1)", "1305 42000 FUNCTION pinterest_data.my_only does not exist"},
        {"SELECT 'a' ISNULL", "a"},
    };
    CHECK(state, cases);
}

static void what_clients_ask_on_their_own_is_answered(void **state)
{
    static const struct asked cases[] = {
        {"SET NAMES utf8mb4", "OK"},
        {"SET AUTOCOMMIT = 0", "OK"},
        {"SELECT @@autocommit", "0"},
        {"ROLLBACK", "OK"},
        {"SELECT VERSION()", "8.0.36-pinpipe"},
        {"SELECT @@transaction_isolation", "REPEATABLE-READ"},
        {"SELECT @@tx_isolation", "REPEATABLE-READ"},
        {"SELECT @@lower_case_table_names", "0"},
        {"SHOW VARIABLES LIKE 'lower_case_table_names'", "lower_case_table_names|0"},
        {"SHOW VARIABLES WHERE Variable_name = 'autocommit' OR Variable_name = 'net_buffer_length'",
         "autocommit|OFF\nnet_buffer_length|16384"},
        {"SELECT CAST('test plain returns' AS CHAR(60)) AS anon_1", "test plain returns"},
        {"SELECT CAST('test collated returns' AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_bin "
         "AS anon_1",
         "test collated returns"},
        {"/* mysql-connector-j */SELECT @@session.auto_increment_increment AS a, "
         "@@character_set_client AS b",
         "1|utf8mb4"},
        {"select DATABASE(), USER() limit 1", "pinterest_data|project_user@127.0.0.1"},
        {"SHOW DATABASES", "information_schema\npinterest_data"},
        {"SHOW TABLES", "geolocation_data\npinterest_data\nuser_data"},
        {"SHOW FULL TABLES FROM `pinterest_data` LIKE 'user%'", "user_data|BASE TABLE"},
        {"DESCRIBE `pinterest_data`.`user_data`",
         "ind|int|NO|PRI|NULL|\nfirst_name|text|YES||NULL|\nlast_name|text|YES||NULL|\n"
         "age|int|YES||NULL|\ndate_joined|datetime|YES||NULL|"},
        {"DESCRIBE nope", "1146 42S02 Table 'pinterest_data.nope' doesn't exist"},
        {"SHOW WARNINGS", ""},
        {"SET character_set_results = NULL", "OK"},
        {"SET SESSION TRANSACTION READ ONLY", "OK"},
        {"SET @x = 5, @y = 'z'", "OK"},
        {"SELECT @x, @y, @nope", "5|z|NULL"},
        {"SELECT COUNT(*) FROM information_schema.columns WHERE table_name = 'user_data'", "5"},
        {"SELECT table_name FROM information_schema.tables WHERE table_schema = 'pinterest_data' "
         "ORDER BY 1",
         "geolocation_data\npinterest_data\nuser_data"},
        {"SELECT schema_name FROM information_schema.schemata",
         "information_schema\npinterest_data"},
        {"SELECT /*!40001 SQL_NO_CACHE */ 1 -- end", "1"},
        {"SELECT 1 # end", "1"},
        {"DO 1", "OK"},
    };
    CHECK(state, cases);
}

static void types_follow_from_the_expression(void **state)
{
    struct mysql_db_world *world = *state;
    static const struct asked cases[] = {
        {"SELECT * FROM user_data", "ind:3|first_name:252|last_name:252|age:3|date_joined:12"},
        {"SELECT * FROM geolocation_data", "ind:3|timestamp:12|latitude:4|longitude:4|country:252"},
        {"SELECT COUNT(*), AVG(age) a, MAX(date_joined), SUM(age) s, MIN(age) FROM user_data",
         "COUNT(*):8|a:246|MAX(date_joined):12|s:246|MIN(age):3"},
        {"SELECT 1, 'a', 1.5, 1e0, NULL, NOW(), CURDATE()",
         "1:8|a:253|1.5:246|1e0:5|NULL:6|NOW():12|CURDATE():10"},
        {"SELECT AVG(latitude), 1 + MAX(latitude) m FROM geolocation_data", "AVG(latitude):5|m:5"},
        {"SELECT  COUNT( * ) FROM user_data", "COUNT( * ):8"},
        {"SELECT IF(1, 1, 'a') x, IFNULL(1, 2.5) y, date_joined + INTERVAL 1 DAY z FROM user_data",
         "x:253|y:246|z:12"},
        {"SET @a = 1", ""},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        assert_string_equal(mysql_db_world_columns(world, cases[i].sql), cases[i].answer);
    }
}

#define TEST(name)                                                                                 \
    cmocka_unit_test_setup_teardown(name, mysql_db_world_setup, mysql_db_world_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(operators_mean_what_they_mean_in_mysql),
        TEST(functions_answer_as_mysqls),
        TEST(dates_are_read_compared_and_moved_as_mysqls),
        TEST(queries_of_the_tables_are_answered),
        TEST(mistakes_are_told_in_mysqls_words),
        TEST(whoever_would_write_is_refused_as_a_reader),
        TEST(nothing_of_sqlites_own_is_there),
        TEST(what_clients_ask_on_their_own_is_answered),
        TEST(types_follow_from_the_expression),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
