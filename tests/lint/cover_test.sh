#!/bin/sh
# Tries cover.sh with two rooms of a few lines: it must count the branches that are there and no assertion's, and fail where a
# room fell below its floor, has none, or has one and did not run.
set -u
cd "$(dirname "$0")/../.." || exit 1
script=$PWD/tests/cover.sh
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT INT TERM
cd "$work" || exit 1
bad=0

mkdir -p src/base mock_server/net
printf '%s\n' '#include <stdlib.h>' '#define PP_ASSERT(c) do { if (!(c)) abort(); } while (0)' 'int twice(int n);' >src/base/base.h
cat >src/base/twice.c <<'END'
#include "base.h"
int twice(int n)
{
    PP_ASSERT(n > 0 &&
              n < 100);
    if (n == 1) {
        return 2;
    }
    if (n > 50) {
        return n;
    }
    return 0;
}
END
cat >mock_server/net/main.c <<'END'
#include "base.h"
int main(int argc, char **argv)
{
    (void)argv;
    if (twice(argc) != 2) {
        return 1;
    }
    return 0;
}
END
for source in src/base/twice.c mock_server/net/main.c; do
    mkdir -p "build/obj/${source%/*}"
    gcc -O0 --coverage -Isrc/base -c "$source" -o "build/obj/${source%.c}.o" || exit 1
done
gcc --coverage build/obj/src/base/twice.o build/obj/mock_server/net/main.o -o main && ./main || exit 1
# What one argument takes: of twice.c's branches one of four, of main.c's one of two.

judge() { COVER_FLOORS=floors sh "$script" build >said 2>&1; }
said() { # said WHAT WORDS
    grep -q "$2" said && return
    echo "cover.sh: $1: it does not say \"$2\":"
    cat said
    bad=1
}
refused() { # refused WHAT WORDS
    if judge; then
        echo "cover.sh lets pass: $1"
        bad=1
    fi
    said "$1" "$2"
}

printf '%s\n' '# A comment.' 'src/base 25' 'mock_server/net 50' 'all 33.3' >floors
judge || { echo 'cover.sh refuses rooms that stand on their floors'; cat said; bad=1; }
said 'branches, without those of the assertion' '^src/base  .* branches   25.0% of     4   floor 25%$'
said 'the sum' '^all  .* branches   33.3% of     6'

printf '%s\n' 'src/base 25.1' 'mock_server/net 50' 'all 33.3' >floors
refused 'a room below its floor' '^src/base  .*floor 25.1%  <- fell below it'

printf '%s\n' 'src/base 25' 'all 33.3' >floors
refused 'a room without a floor' '^mock_server/net  .*has no floor in floors'

printf '%s\n' 'src/base 25' 'mock_server/net 50' 'all 33.3' 'mock_server/gone 1' >floors
refused 'a floor without a room' '^mock_server/gone has a floor in floors, but nothing of it ran'

rm -f floors
refused 'no floors at all' 'has no floor in floors'

sh "$script" build src/base >said
said 'the lines with a hole' '^src/base/twice.c:6: 1 of 2:     if (n == 1) {$'
grep -q PP_ASSERT said && { echo 'cover.sh shows an assertion as a hole'; bad=1; }

exit $bad
