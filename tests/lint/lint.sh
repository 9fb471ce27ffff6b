#!/bin/sh
# The house rules a machine can check. Run by `make lint`; prints what is wrong, exits 1 if anything is.
set -u
cd "$(dirname "$0")/../.." || exit 1
bad=0
complain() { printf '%s\n' "$*"; bad=1; }
need() { command -v "$1" >/dev/null 2>&1 || { complain "lint needs $1: run .ci/deps lint"; exit 1; }; }
step() { printf 'lint: %s\n' "$*" >&2; }
need clang-format; need clang; need objdump; need awk; need cppcheck

work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT INT TERM
cores=$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)
sources=$(git ls-files 'src/*.[ch]' 'mock_server/*.[ch]' 'include/*.h' 'tests/*.[ch]' 'src/*.def')
program=$(printf '%s\n' "$sources" | grep -v '^tests/')

step 'formatting'
# shellcheck disable=SC2086
clang-format --dry-run -Werror $(printf '%s\n' "$sources" | grep '\.[ch]$') >"$work/format" 2>&1 ||
    { grep -m 20 'error:' "$work/format"; complain 'formatting: run clang-format -i on these files'; }

step 'functions of at most 70 lines and 5 parameters, files of at most 900'
# shellcheck disable=SC2086
awk -f tests/lint/functions.awk $(printf '%s\n' "$sources" | grep '\.[ch]$') || bad=1

step 'headers compile alone'
# With the very -I that rooms.mk gives their room.
make -s --no-print-directory room-flags | while read -r room flags; do
    for header in "$room"/*.h; do
        [ ! -f "$header" ] || printf '%s %s\n' "$header" "$flags"
    done
done >"$work/headers"
# shellcheck disable=SC2016
xargs -P "$cores" -L 1 sh -c 'header=$1; shift
    cc -std=c11 -D_POSIX_C_SOURCE=200809L -D_DEFAULT_SOURCE -Wall -Wextra -Werror -fsyntax-only -x c "$@" "$header" ||
        { echo "$header does not compile alone"; exit 1; }' header <"$work/headers" || bad=1
[ "$(wc -l <"$work/headers")" -eq "$(printf '%s\n' "$program" | grep -c '\.h$')" ] ||
    complain 'a header lies in no room of rooms.mk'

step 'the house: rooms.mk, room by room'
BUILD=${BUILD:-build/release} sh tests/lint/rooms.sh || bad=1
sh tests/lint/rooms_test.sh || bad=1
git grep -nE '#include "pinpipe/mock.h"' -- src/base src/pipeline && complain 'only cli starts the mock'

step 'the outside world only through its doors'
git grep -nwE 'getenv|secure_getenv' -- 'src/*.c' 'mock_server/*.c' ':!src/base/env.c' && complain 'getenv outside env.c'
git grep -nE '[^_a-z](time|clock_gettime|gettimeofday)\(' -- 'src/*.c' 'mock_server/*.c' ':!src/base/env.c' | grep -v '/\*' && complain 'a clock outside env.c'
git grep -nE 'cJSON' -- 'src/*.[ch]' 'mock_server/*.[ch]' ':!src/base/json.[ch]' | grep -vE ':[ ]*(/?\*|//)|/\*.*cJSON' && complain 'cJSON outside json.c'
git grep -nE '"(SELECT|INSERT|UPDATE|DELETE FROM|CREATE TABLE)' -- 'mock_server/*.c' ':!mock_server/store/*.c' ':!mock_server/net/journal.c' ':!mock_server/mysql_db/*.c' && complain 'SQL outside the store'
git grep -nE '[(, =](stdout|stderr)[,;)]|[^a-z_](printf|puts|putchar|perror)\(' -- 'src/cli/*.c' 'src/pipeline/**.c' ':!src/cli/main.c' |
    grep -v ':[0-9]*:/\*' && complain 'what is printed goes through cli->out and cli->err, which know what a terminal may be shown'
git grep -nE '\b(TODO|FIXME|XXX)\b' -- 'src' 'mock_server' 'include' 'tests/*.[ch]' && complain 'unfinished marks'

git grep -nE '\buv_(try_)?write2?\(' -- 'mock_server/*.c' 'src/*.c' ':!mock_server/net/conn.c' && complain 'bytes leave through conn_send only'

step 'names that can be told apart, comments that begin with their subject'
sh tests/lint/names.sh || bad=1

step 'nothing that nobody uses'
BUILD=${BUILD:-build/release} sh tests/lint/dead.sh >"$work/dead" || { grep -v '^tests only' "$work/dead"; bad=1; }

step 'the floors of make cover'
sh tests/lint/cover_test.sh || bad=1

step 'cppcheck'
mkdir -p build/cppcheck
# __GNUC__ makes it see which functions do not return. Of what is only information, a suppression that nothing needs counts.
# shellcheck disable=SC2046
cppcheck -q -j "$cores" --std=c11 --enable=warning,performance,portability,information --library=posix --cppcheck-build-dir=build/cppcheck \
    --suppress-xml=tests/lint/cppcheck.xml --template='{severity}|{file}:{line}: {id}: {message}' -D__GNUC__=12 -D_POSIX_C_SOURCE=200809L \
    $(make -s --no-print-directory room-flags | tr ' ' '\n' | grep '^-I[a-z]' | sort -u) src mock_server 2>&1 |
    awk -F'|' '!/^information\|/ || /: unmatchedSuppression: / { sub(/^[a-z]+\|/, ""); print }' >"$work/cppcheck"
[ -s "$work/cppcheck" ] && { cat "$work/cppcheck"; complain 'cppcheck: mend it, or give the reason in tests/lint/cppcheck.xml'; }

step 'no writable globals'
variant=${BUILD:-build/release}
for object in $(find "$variant/obj/src" "$variant/obj/mock_server" -name '*.o' 2>/dev/null); do
    objdump -t "$object" | awk -v object="$object" '
        $0 ~ / O (\.data|\.bss)(\t| )/ && $NF !~ /^signal_seen$|^bug_witness_now$|^__gcov/ { print object ": " $NF; bad = 1 } END { exit bad }' ||
        complain "$object has writable globals"
done

step 'the program is hardened'
BUILD=${BUILD:-build/release} sh tests/lint/hardened.sh || bad=1

step 'folders explain themselves'
# Rooms are looked at by rooms.sh; here those of the first level, and what stands in src, mock_server and tests.
git ls-files | awk -F/ '/^\./ { next } NF > 1 { print $1 } NF > 2 && $1 ~ /^(src|mock_server|tests)$/ { print $1 "/" $2 }' | sort -u |
    while read -r folder; do [ -f "$folder/README.md" ] || echo "$folder has no README.md"; done >"$work/folders"
[ -s "$work/folders" ] && { cat "$work/folders"; bad=1; }
sh tests/lint/paths.sh || bad=1

step 'generated pages are up to date'
if [ -x "$variant/pinpipe" ]; then
    "$variant/pinpipe" --man | cmp -s - docs/pinpipe.1 || complain 'docs/pinpipe.1 is stale: make docs'
fi
sh docs/fidelity.sh | cmp -s - docs/fidelity.md || complain 'docs/fidelity.md is stale: make docs'
sh docs/services.sh | cmp -s - docs/services.md || complain 'docs/services.md is stale: make docs'
sh docs/rooms.sh --check || complain 'the rooms in docs/architecture.md are stale: make docs'

step 'shell scripts parse'
for script in $(git ls-files '*.sh' .ci/run .ci/deps); do
    [ ! -f "$script" ] || sh -n "$script" || bash -n "$script" || complain "$script does not parse"
done

[ $bad -eq 0 ] && echo 'lint: clean'
exit $bad
