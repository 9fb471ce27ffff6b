#!/bin/sh
# Prints docs/services.md from include/pinpipe/services.def (`make docs`).
cd "$(dirname "$0")/.." || exit 1
cat <<'T'
# The services

Made by `make docs` from `include/pinpipe/services.def`. `pinpipe serve` listens for each on its usual port; with
`--ephemeral`, and in a program that starts the mock by itself, on a free one. The URLs stand in the ready file and in
`server.json` under the service's key; a tool finds a service elsewhere by its setting (a flag, a variable of the
environment or a line of `.env`), the gateway by `invoke_URL`.

A tool without such a setting believes `server.json` only where nobody else can have written it: the directory and the file are
the user's own and not writable by others, the process in it runs and holds the directory's lock, and the addresses are loopback.
Otherwise it says why and asks the usual ports. `api_key` and AWS credentials go where a setting or that server leads, never to
a port that is only usual.

| service | usual port | flag of `serve` | in the ready file | setting |
|---|---|---|---|---|
T
cc -E -P -Iinclude/pinpipe - <<'C' | sed -n 's/" "//g; s/^ROW "\(.*\)"$/\1/p' | sed 's/^the //; s/| the /| /'
#define TEXT(x) #x
#define CONFIGURED(KEY) "`" #KEY "`"
#define NOT_CONFIGURED(KEY) ""
#define PINPIPE_SERVICE(ID, VALUE, KEY, FLAG, TITLE, LABEL, PORT, SETTING, HELP) \
ROW "| " TITLE " | " TEXT(PORT) " | `--" FLAG " PORT` | `" #KEY "` | " SETTING(KEY) " |"
#define PINPIPE_SERVICE_ON_REQUEST(ID, VALUE, KEY, FLAG, TITLE, LABEL, PORT, SETTING, HELP) \
ROW "| " TITLE " | " TEXT(PORT) ", opens only when asked for | `--" FLAG " PORT` | `" #KEY "` when open | " SETTING(KEY) " |"
#define PINPIPE_SERVICE_LATER(KEY, FLAG, SETTING, HELP) \
ROW "| " HELP " (in a later release) | | | `" #KEY "`, null | " SETTING(KEY) " |"
#include "services.def"
C
