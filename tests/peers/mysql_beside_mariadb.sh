#!/bin/sh
# A MariaDB with the rows of our export beside pinpipe's MySQL: statements of every kind, cell by cell.
set -eu
cd "$(dirname "$0")/../.."
PINPIPE=${PINPIPE:-$PWD/build/release/pinpipe}
work=$(mktemp -d)
stop() {
    for pid in "$work/pid" "$work/mariadb.pid"; do
        [ ! -f "$pid" ] || kill "$(cat "$pid")" 2>/dev/null || true
    done
    wait 2>/dev/null || true
    rm -rf "$work"
}
trap stop EXIT

python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check PyMySQL

"$PINPIPE" data generate --data "$work/data" >/dev/null
for table in pinterest_data geolocation_data user_data; do
    "$PINPIPE" data export "$table" "$work/$table.csv" --data "$work/data" >/dev/null
done

mariadb-install-db --no-defaults --datadir="$work/mariadb" --auth-root-authentication-method=normal \
    ${USER:+--user="$(id -un)"} >"$work/install.log" 2>&1 || { cat "$work/install.log"; exit 1; }
PATH="$PATH:/usr/sbin" mariadbd --no-defaults --user="$(id -un)" --datadir="$work/mariadb" --socket="$work/socket" --skip-networking \
    --pid-file="$work/mariadb.pid" --character-set-server=utf8mb4 --collation-server=utf8mb4_general_ci --default-time-zone=+00:00 \
    --sql-mode=ONLY_FULL_GROUP_BY,STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION \
    >"$work/mariadb.log" 2>&1 &
for _ in $(seq 300); do [ -S "$work/socket" ] && break; sleep 0.1; done

"$PINPIPE" serve --ephemeral --data "$work/data" --ready-file "$work/ready" --log error 2>"$work/serve.log" &
echo $! >"$work/pid"
until [ -f "$work/ready" ]; do sleep 0.05; done
port=$(sed -n 's|.*"mysql_url": "[a-z]*://[^"]*:\([0-9]*\)[^0-9"]*.*|\1|p' "$work/ready")

"$work/venv/bin/python" tests/peers/mysql_beside_mariadb.py tests/peers/mysql_statements.sql "$port" "$work/socket" "$work"
