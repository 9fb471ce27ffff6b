#!/bin/sh
# Tries to get round rooms.sh: a small house that it accepts, then the same house with one rule broken at a time, each of
# which it must refuse with the words given here.
set -u
cd "$(dirname "$0")/../.." || exit 1
unset GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE
rules=$PWD/tests/lint/rooms.sh
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT INT TERM
bad=0

write() { mkdir -p "$(dirname "$1")" && cat >"$1"; }

in_order() {
    mkdir "$work/in_order" && cd "$work/in_order" && git init -q . || exit 1
    mkdir -p tests/lint && cp "$rules" tests/lint/
    write rooms.mk <<'END'
SEES_src/base          := include
SEES_mock_server/store := src/base
SEES_mock_server/net   := src/base
SEES_mock_server       := include src/base mock_server/store
SEES_src/cli           := include src/base
END
    for room in src/base mock_server/store mock_server/net mock_server src/cli; do
        echo 'A room.' | write "$room/README.md"
    done
    echo 'int pinpipe_mock_new(void);' | write include/pinpipe/mock.h
    echo 'int span_trim(void);' | write src/base/span.h
    printf '%s\n' '#include "span.h"' 'int span_trim(void) { return 1; }' | write src/base/span.c
    echo 'int store_open(void);' | write mock_server/store/store.h
    echo 'int store_page(void);' | write mock_server/store/store_internal.h
    printf '%s\n' '#include "store_internal.h"' '#include "store.h"' 'int store_open(void) { return store_page(); }' | write mock_server/store/store.c
    printf '%s\n' '#include "store_internal.h"' '#include "span.h"' 'int store_page(void) { return span_trim(); }' | write mock_server/store/store_page.c
    echo 'int turn_end(void);' | write mock_server/net/turn.h
    printf '%s\n' '#include "turn.h"' '#include "span.h"' 'int turn_end(void) { return span_trim(); }' | write mock_server/net/turn.c
    printf '%s\n' '#include "pinpipe/mock.h"' '#include "store.h"' 'int pinpipe_mock_new(void) { return store_open(); }' | write mock_server/mock.c
    printf '%s\n' '#include <stdio.h>' '#include "pinpipe/mock.h"' 'int main(void) { return pinpipe_mock_new(); }' | write src/cli/main.c
    printf '%s\n' '#include "store_internal.h"' 'int main(void) { return store_page(); }' | write tests/unit/store/test_store.c
}

house() {
    rm -rf "$work/house" && cp -Rp "$work/in_order" "$work/house" && cd "$work/house" || exit 1
}

# What the compiler would let through, with the -I that a room has and those that it might find a way to.
judge() {
    git add -A || exit 1
    for source in $(git ls-files 'src/*.c' 'mock_server/*.c'); do
        object=build/release/obj/${source%.c}.o
        mkdir -p "${object%/*}"
        # shellcheck disable=SC3013
        [ "$object" -nt "$source" ] ||
            cc -w -Iinclude -Isrc/base -Imock_server -Imock_server/store -Imock_server/net -c "$source" -o "$object" || exit 1
    done
    BUILD=build/release sh tests/lint/rooms.sh >"$work/said" 2>&1
}

refused() { # refused WHAT WORDS
    if judge; then
        echo "rooms.sh lets pass: $1"
        bad=1
    elif ! grep -qF "$2" "$work/said"; then
        echo "rooms.sh refuses $1, but does not say \"$2\":"
        cat "$work/said"
        bad=1
    fi
}

in_order
judge || { echo 'rooms.sh refuses a house in order:'; cat "$work/said"; exit 1; }

house; echo '#include "turn.h"' >>mock_server/store/store.c
refused 'an include of a room that is not seen' 'mock_server/store/store.c includes "turn.h" of mock_server/net'

house; echo '#include "pinpipe/mock.h"' >>mock_server/net/turn.c
refused 'the public header in a room that does not see it' 'mock_server/net/turn.c includes "pinpipe/mock.h" of include'

house; echo '#include <pinpipe/mock.h>' >>mock_server/net/turn.c
refused 'the same in brackets' 'mock_server/net/turn.c includes <pinpipe/mock.h> of include'

house; echo '#include "store_internal.h"' >>mock_server/mock.c
refused 'the internals of another room in quotes' 'mock_server/mock.c includes "store_internal.h", which belongs to'

house; echo '#include <store_internal.h>' >>mock_server/mock.c
refused 'the internals of another room in brackets' 'includes <store_internal.h> in brackets'

house; echo '#  include "store/store_internal.h"' >>mock_server/mock.c
refused 'the internals of another room by a path' 'includes "store/store_internal.h" by a path'

house; echo '#include "net/turn.h"' >>mock_server/mock.c
refused 'a room that is not seen, by a path' 'includes "net/turn.h" by a path'

house; echo '#include <net/turn.h>' >>mock_server/mock.c
refused 'a room that is not seen, by a path in brackets' 'includes <net/turn.h> in brackets'

house; printf '%s\n' '#define OTHERS "turn.h"' '#include OTHERS' >>mock_server/store/store.c
refused 'an include through a macro' 'which is no name in quotes or brackets'

house; mkdir -p tests/unit/net && echo '#include "store_internal.h"' >tests/unit/net/test_turn.c
refused 'internals in the tests of another room' 'tests/unit/net/test_turn.c includes "store_internal.h"'

house; mkdir -p tests/unit/store && echo '#include "mock_server/store/store.h"' >>tests/unit/store/test_store.c
refused 'a path in a test' 'by a path'

house; printf '%s\n' 'int store_open(void);' 'int turn_early(void) { return store_open(); }' >>mock_server/net/turn.c
refused 'a call declared by hand' 'mock_server/net/turn.c calls store_open of mock_server/store'

house; printf '%s\n' 'int pinpipe_mock_new(void);' 'int span_mock(void) { return pinpipe_mock_new(); }' >>src/base/span.c
refused 'a public call of a room that sees include' 'src/base/span.c calls pinpipe_mock_new of mock_server'

house; cp mock_server/store/store.h mock_server/net/store.h
refused 'a base name twice' 'store.h: two files of this name'

house; echo 'int store_again(void) { return store_open(); }' >>mock_server/store/store_page.c
refused 'a circle of files' 'does not name: store.c store_page.c'

echo 'Circle: store.c store_page.c' >>mock_server/store/README.md
judge || { echo 'rooms.sh refuses a circle that the README names:'; cat "$work/said"; bad=1; }

house; sed 's|^SEES_mock_server/store .*|SEES_mock_server/store := src/base mock_server/net|' rooms.mk >new && mv new rooms.mk
refused 'an arrow to a room below' 'mock_server/store sees mock_server/net, which does not stand above it'

house; rm mock_server/net/README.md
refused 'a room without a README' 'mock_server/net has no README.md'

house; mkdir src/attic && echo 'int attic;' >src/attic/attic.c
refused 'a folder that is no room' 'src/attic is no room of rooms.mk'

exit $bad
