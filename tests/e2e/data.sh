#!/bin/sh
# pinpipe data generate, import, export, info: the real binary, files and pipes.
set -u
PINPIPE=${PINPIPE:-$PWD/build/release/pinpipe}
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT INT TERM
cd "$work" || exit 1

ok() { printf 'ok - %s\n' "$*"; }
fail() { printf 'not ok - %s\n' "$*"; exit 1; }
# expect CODE COMMAND...: its output goes to out and err
expect() {
    wanted=$1
    shift
    "$@" >out 2>err
    code=$?
    [ "$code" -eq "$wanted" ] || { cat out err; fail "exit $code, not $wanted: $*"; }
}
says() { grep -qF -- "$1" err || { cat err; fail "stderr does not say: $1"; }; }
tells() { grep -qF -- "$1" out || { cat out; fail "stdout does not say: $1"; }; }

expect 5 "$PINPIPE" data info
says 'run `pinpipe data generate`'
ok 'without tables, info says how to get them'

expect 0 "$PINPIPE" data generate
tells '11154 rows in each of the three tables (seed 100)'
expect 0 "$PINPIPE" data info --json
tells '"table":"pinterest_data","topic_suffix":"pin","rows":11154,"key_min":0,"key_max":11153,"dense":true,"from":"generated","seed":100'
expect 0 "$PINPIPE" data info
tells 'generated, seed 100'
ok 'generate fills .pinpipe with the default rows, info describes them'

for table in pinterest_data geolocation_data user_data; do
    "$PINPIPE" data export $table >$table.csv || fail "export $table"
    "$PINPIPE" data export $table other.csv 2>err || fail "export $table to a file"
    cmp $table.csv other.csv || fail "export to a file differs"
    "$PINPIPE" data import $table --data copy - <$table.csv >out || fail "import $table"
    "$PINPIPE" data export $table --data copy | cmp - $table.csv || fail "$table is not the same after a round trip"
done
ok 'export, import from standard input and export again give the same bytes'

expect 0 "$PINPIPE" data generate --data again --seed 100
"$PINPIPE" data export pin --data again | cmp - pinterest_data.csv || fail 'another pin.csv for the same seed'
expect 0 "$PINPIPE" data generate --data again --seed 101
"$PINPIPE" data export pin --data again | cmp -s - pinterest_data.csv && fail 'the same pin.csv for another seed'
ok 'the same seed gives the same rows, another one others'

printf 'ind,first_name,last_name,age,date_joined\n3,A,B,20,2015-10-21 00:00:00\n' >gaps.csv
expect 0 "$PINPIPE" data import user gaps.csv
tells 'user_data: 1 row, keys 3..3'
says 'are not 0..0 without gaps'
ok 'keys with gaps are taken and told'

printf 'ind,first_name,last_name,age,date_joined\n0,A,B,twenty,2015-10-21 00:00:00\n' >bad.csv
expect 5 "$PINPIPE" data import user bad.csv
says 'bad.csv: line 2, field "age": expected a whole number such as 7528, found "twenty"'
"$PINPIPE" data export user | cmp - gaps.csv || fail 'a failed import changed the table'
expect 5 "$PINPIPE" data import user nowhere.csv
says 'nowhere.csv: No such file or directory'
expect 5 "$PINPIPE" data import user .
ok 'a fault names file, line and field and changes nothing'

expect 2 "$PINPIPE" data import users gaps.csv
says 'there is no table "users"'
expect 2 "$PINPIPE" data import user
expect 2 "$PINPIPE" data generate --rows 0
expect 2 "$PINPIPE" data generate --rows -5
expect 2 "$PINPIPE" data generate --rows many
ok 'wrong usage exits 2'

mkdir foreign
printf 'not a database, but something that somebody may need' >foreign/rds.db
expect 4 "$PINPIPE" data info --data foreign
says 'not a SQLite database'
expect 4 "$PINPIPE" data generate --data foreign
says 'move it away'
[ "$(cat foreign/rds.db)" = 'not a database, but something that somebody may need' ] || fail 'a foreign file was changed'
: >file
expect 4 "$PINPIPE" data generate --data file
says 'file'
ok 'what is not ours is refused with exit 4 and left alone'

if [ -c /dev/full ]; then
    "$PINPIPE" data export pin >/dev/full 2>err
    [ $? -eq 5 ] || fail 'an export to a full disk does not exit 5'
    says 'No space left on device'
    expect 5 "$PINPIPE" data export pin nowhere/pin.csv
    ok 'an export that cannot be written exits 5 and says why'
fi
"$PINPIPE" data export pin 2>err | head -n 1 >out
tells 'index,unique_id,title'
[ -s err ] && fail 'a reader that goes away early is complained about'
ok 'a reader may go away early'
[ -z "$(ls -- *.part .pinpipe/*.new 2>/dev/null)" ] || fail 'files were left over'
ok 'no temporary files are left'
