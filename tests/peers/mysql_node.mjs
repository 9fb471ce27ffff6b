// mysql2: queries, prepared statements, a pool, a change of the user, a stream.
import mysql from "mysql2/promise";
import callbacks from "mysql2";

const [port, mode] = process.argv.slice(2);
const login = { host: "127.0.0.1", port: Number(port), user: "pin", password: "secret", database: "pinterest_data" };
const check = (good, what) => {
    if (!good) {
        console.log(`not ok - mysql2: ${what}`);
        process.exit(1);
    }
};

if (mode === "strict") {
    const denied = await mysql.createConnection({ ...login, password: "wrong" }).catch((error) => error);
    check(denied.errno === 1045 && denied.sqlState === "28000", `a wrong password: ${denied}`);
}
const connection = await mysql.createConnection(login);
for (const call of ["query", "execute"]) {
    const [[geo]] = await connection[call]("SELECT * FROM geolocation_data LIMIT 17, 1");
    check(geo.ind === 17 && geo.timestamp instanceof Date && typeof geo.latitude === "number", `${call}: ${JSON.stringify(geo)}`);
    const [rows] = await connection[call]("SELECT * FROM pinterest_data");
    check(rows.length === 11154, `${call}: the whole table: ${rows.length}`);
    const [[user]] = await connection[call]("SELECT ind, age FROM user_data WHERE ind = ?", [9]);
    check(user.ind === 9 && Number.isInteger(user.age), `${call}: a bound value`);
}
const [[other]] = await connection.execute("SELECT ind FROM user_data WHERE ind = ? AND country_name IS NULL OR ind = ?", [3, 4]).catch(() => [[null]]);
check(other === null, "a column that is not there is an error");
await connection.ping();
await connection.changeUser({ user: "pin", password: "secret", database: "pinterest_data" });
await connection.end();

const pool = mysql.createPool({ ...login, connectionLimit: 4 });
const many = await Promise.all(Array.from({ length: 40 }, (_, i) => pool.query(`SELECT ind FROM user_data LIMIT ${i}, 1`)));
check(many.every(([[row]], i) => row.ind === i), "forty queries over four connections");
await pool.end();

const streaming = callbacks.createConnection(login);
let count = 0;
for await (const _ of streaming.query("SELECT * FROM pinterest_data").stream({ highWaterMark: 5 })) {
    count++;
}
check(count === 11154, `a stream: ${count}`);
streaming.end();
console.log(`ok - mysql2 (${mode})`);
