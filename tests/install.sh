#!/bin/sh
# `make install` into an empty root, then a sample program against what was installed: by pkg-config,
# with the installed header and archive only.
set -eu
cd "$(dirname "$0")/.."
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
make -s install DESTDIR="$root" PREFIX=/usr >/dev/null
for file in usr/bin/pinpipe usr/lib/libpinpipe.a usr/lib/pkgconfig/pinpipe.pc usr/include/pinpipe/mock.h usr/include/pinpipe/services.def usr/share/man/man1/pinpipe.1; do
    [ -s "$root/$file" ] || { echo "not ok - install forgot $file"; exit 1; }
done
"$root/usr/bin/pinpipe" --version | grep -q "$(cat VERSION)"
export PKG_CONFIG_PATH="$root/usr/lib/pkgconfig"
cat >"$root/sample.c" <<'C'
#include <pinpipe/mock.h>
#include <stdio.h>

int main(void)
{
    struct pinpipe_mock_options options;
    struct pinpipe_mock *mock;
    char why[PINPIPE_MESSAGE_BYTES];
    pinpipe_mock_options_init(&options);
    if (pinpipe_mock_start(&options, &mock, why) != PINPIPE_OK) {
        fprintf(stderr, "%s\n", why);
        return 1;
    }
    puts(pinpipe_mock_url(mock, PINPIPE_GATEWAY));
    return pinpipe_mock_stop(mock) == PINPIPE_OK ? 0 : 1;
}
C
cc -std=c11 -Wall -Wextra -Werror --sysroot=/ -I"$root/usr/include" -o "$root/sample" "$root/sample.c" \
    -L"$root/usr/lib" $(pkg-config --define-variable=prefix="$root/usr" --define-variable=libdir="$root/usr/lib" --libs --static pinpipe)
"$root/sample" | grep -q '^http://127.0.0.1:' && echo 'ok - a program builds and runs against the installed library'
make -s uninstall DESTDIR="$root" PREFIX=/usr >/dev/null
left=$(find "$root/usr" -type f | wc -l)
[ "$left" -eq 0 ] && echo 'ok - uninstall leaves nothing behind'
