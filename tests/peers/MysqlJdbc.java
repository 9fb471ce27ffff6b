import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.sql.Timestamp;
import java.util.ArrayList;
import java.util.List;

/** MySQL Connector/J: statements as text and prepared by the server, metadata, rows one by one. */
public class MysqlJdbc {
    static void check(boolean good, String what) {
        if (!good) {
            System.out.println("not ok - JDBC: " + what);
            System.exit(1);
        }
    }

    static Connection connect(String port, String password, String more) throws SQLException {
        return DriverManager.getConnection(
            "jdbc:mysql://127.0.0.1:" + port + "/pinterest_data?tcpKeepAlive=true" + more, "pin", password);
    }

    static void read(Connection connection, String what) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery("SELECT * FROM geolocation_data LIMIT 17, 1")) {
            check(row.next() && row.getInt("ind") == 17, what + ": ind");
            check(row.getObject("timestamp") instanceof java.time.LocalDateTime || row.getObject("timestamp") instanceof Timestamp,
                what + ": timestamp is " + row.getObject("timestamp").getClass());
            check(row.getObject("latitude") instanceof Number, what + ": latitude is " + row.getObject("latitude").getClass());
            check(row.getString("country").length() > 0 && !row.next(), what + ": country");
        }
        try (PreparedStatement statement = connection.prepareStatement("SELECT ind, age, date_joined FROM user_data WHERE ind = ?")) {
            for (int ind = 0; ind < 20; ind++) {
                statement.setInt(1, ind);
                try (ResultSet row = statement.executeQuery()) {
                    check(row.next() && row.getInt(1) == ind && row.getTimestamp(3) != null, what + ": a bound value");
                }
            }
        }
        try (PreparedStatement statement = connection.prepareStatement("SELECT * FROM pinterest_data",
                 ResultSet.TYPE_FORWARD_ONLY, ResultSet.CONCUR_READ_ONLY)) {
            statement.setFetchSize(Integer.MIN_VALUE);
            int rows = 0;
            try (ResultSet row = statement.executeQuery()) {
                while (row.next()) {
                    rows++;
                }
            }
            check(rows == 11154, what + ": the whole table has " + rows);
        }
    }

    public static void main(String[] args) throws Exception {
        String port = args[0];
        if (args[1].equals("strict")) {
            try {
                connect(port, "wrong", "").close();
                check(false, "a wrong password is refused");
            } catch (SQLException error) {
                check(error.getErrorCode() == 1045, "a wrong password: " + error);
            }
        }
        for (String more : new String[] {"", "&useServerPrepStmts=true&cachePrepStmts=true", "&useServerPrepStmts=true&useCursorFetch=true"}) {
            try (Connection connection = connect(port, "secret", more)) {
                read(connection, more);
                check(connection.isValid(5), "ping");
                List<String> tables = new ArrayList<>();
                try (ResultSet names = connection.getMetaData().getTables("pinterest_data", null, "%", new String[] {"TABLE"})) {
                    while (names.next()) {
                        tables.add(names.getString("TABLE_NAME"));
                    }
                }
                check(tables.equals(List.of("geolocation_data", "pinterest_data", "user_data")), "tables: " + tables);
                List<String> columns = new ArrayList<>();
                try (ResultSet names = connection.getMetaData().getColumns("pinterest_data", null, "user_data", "%")) {
                    while (names.next()) {
                        columns.add(names.getString("COLUMN_NAME") + " " + names.getString("TYPE_NAME"));
                    }
                }
                check(columns.size() == 5 && columns.contains("date_joined DATETIME"), "columns: " + columns);
            }
        }
        System.out.println("ok - MySQL Connector/J (" + args[1] + ")");
    }
}
