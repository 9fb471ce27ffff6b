#!/bin/sh
# Holds the house to rooms.mk, by includes and by objects, because a declaration written by hand goes round an include:
# every symbol that a room takes from another must be of a room that it sees (tests/lint/rooms_test.sh tries to get round). Circles between files are found the same way; one may stay only where the room's README names it in a line
# `Circle: a.c b.c`, which says that these files are one state machine. BUILD is a variant that has been built.
set -u
cd "$(dirname "$0")/../.." || exit 1
variant=${BUILD:-build/release}
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT INT TERM
bad=0
complain() { printf '%s\n' "$*"; bad=1; }

# One line a room: its name, then those it sees.
sed -e :a -e '/\\$/N; s/\\\n//; ta' rooms.mk | sed -n 's/^SEES_\([^ ]*\) *:= */\1 /p' >"$work/sees"

# `# Still to cut: A B` in rooms.mk is a debt that is known: A sees B against the order. It is told as such, and is wrong all
# the same; a new one is told otherwise.
sed -n 's/^# Still to cut: //p' rooms.mk >"$work/debts"
awk 'FILENAME == ARGV[1] { debt[$1, $2] = 1; next }
     { for (i = 2; i <= NF; i++) if ($i != "include" && $i != "llhttp" && !($i in known)) {
           print "rooms.mk: " $1 " sees " $i (($1, $i) in debt ? ": still to cut" : ", which does not stand above it"); bad = 1 }
       known[$1] = 1 } END { exit bad }' "$work/debts" "$work/sees" || bad=1

sed '/^mock_server\/mysql_db /s| src/pipeline/rows||' "$work/sees" | # MySQL shows the rows of rds.db, as the pipeline reads them
    grep -E '^mock_server.* src/(pipeline|cli)|^src/(base|aws|pipeline).* mock_server|^src/cli.* mock_server' &&
    complain 'rooms.mk: the pipeline and the mock meet over sockets only; cli sees the mock through include/'

for room in $(cut -d' ' -f1 "$work/sees"); do
    [ -f "$room/README.md" ] || complain "$room has no README.md"
done
git ls-files 'src/*.[ch]' 'mock_server/*.[ch]' | sed 's|/[^/]*$||' | sort -u | while read -r folder; do
    grep -q "^$folder " "$work/sees" || echo "$folder is no room of rooms.mk"
done >"$work/strays"
[ -s "$work/strays" ] && { cat "$work/strays"; bad=1; }

git ls-files 'src/*.[ch]' 'src/*.def' 'mock_server/*.[ch]' 'mock_server/*.def' 'include/*' 'tests/*.[ch]' | grep -v README | sed 's|.*/||' |
    sort | uniq -d | while read -r name; do echo "$name: two files of this name"; done >"$work/twice"
[ -s "$work/twice" ] && { cat "$work/twice"; bad=1; }

# Includes. -I reaches by name what stands in a room; a path or brackets would reach further (-Imock_server alone finds every
# room below it), so the only path is `pinpipe/...`, and brackets are for what is not ours. A room's internals are for the
# room, and for the tests that stand beside it.
git ls-files 'src/*.h' 'src/*.def' 'mock_server/*.h' 'mock_server/*.def' 'include/*.h' 'include/*.def' 'tests/support/*.h' >"$work/ours"
git grep -E '^[[:space:]]*#[[:space:]]*include' -- 'src/*.[ch]' 'src/*.def' 'mock_server/*.[ch]' 'mock_server/*.def' 'include/*.h' 'include/*.def' \
    'tests/*.[ch]' >"$work/includes"
awk '
    function folder(path) { sub(/\/[^\/]*$/, "", path); return path }
    function last(path) { sub(/.*\//, "", path); return path }
    function wrong(words) { print file " includes " target words; bad = 1 }
    FILENAME == ARGV[1] { for (i = 2; i <= NF; i++) sees[$1, $i] = 1; next }
    FILENAME == ARGV[2] { home[last($0)] = folder($0); next }
    {
        file = $0; sub(/:.*/, "", file); room = folder(file)
        target = substr($0, length(file) + 2); sub(/^[ \t]*#[ \t]*include[ \t]*/, "", target)
        if (!match(target, /^("[^"]*"|<[^>]*>)/)) { wrong(", which is no name in quotes or brackets"); next }
        target = substr(target, 1, RLENGTH)
        path = substr(target, 2, RLENGTH - 2); name = last(path); public = path ~ /^pinpipe\/[^\/]*$/
        if (target ~ /^</ && !public) { # <sys/file.h> is not ours, though there is a file.h
            whole = "/" (name in home ? home[name] : "") "/" name; tail = "/" path
            if (name in home && substr(whole, length(whole) - length(tail) + 1) == tail) wrong(" in brackets, but it is ours")
            next
        }
        if (path ~ /\// && !public) { wrong(" by a path"); next }
        if (!(name in home)) next
        owner = public ? "include" : home[name]
        if (file !~ /^tests\// && owner != room && !((room, owner) in sees)) wrong(" of " owner ", which " room " does not see")
        beside = file ~ ("^tests/(unit|support)/" last(owner) "/") || file ~ /^tests\/fuzz\//
        if (name ~ /_internal\.h$/ && owner != room && !beside) wrong(", which belongs to " owner)
    }
    END { exit bad }' "$work/sees" "$work/ours" "$work/includes" || bad=1

# Symbols: D room file name, U room file name.
for object in $(find "$variant/obj/src" "$variant/obj/mock_server" -name '*.o'); do
    source=${object#"$variant/obj/"}
    [ -f "${source%.o}.c" ] || continue # of a file that has moved since
    nm -g "$object" | awk -v room="${source%/*}" -v file="${source##*/}" '
        { sub(/\.o$/, ".c", file) } NF == 3 && $2 ~ /[TDRBV]/ { print "D", room, file, $3 } $1 == "U" { print "U", room, file, $2 }'
done >"$work/symbols"
: >"$work/arrows"
awk -v ARROWS="$work/arrows" '
    FILENAME == ARGV[1] { for (i = 2; i <= NF; i++) sees[$1, $i] = 1; next }
    $1 == "D" { room[$4] = $2; file[$4] = $3; next }
    { from_room[++n] = $2; from_file[n] = $3; name[n] = $4 }
    END {
        for (i = 1; i <= n; i++) {
            if (!(name[i] in room)) continue
            to = room[name[i]]
            # The public calls are for the command line, wherever they are defined; a room that sees include sees types.
            public_call = name[i] ~ /^pinpipe_/ && from_room[i] == "src/cli"
            if (to != from_room[i] && !((from_room[i], to) in sees) && !public_call) {
                print from_room[i] "/" from_file[i] " calls " name[i] " of " to ", which it does not see"; bad = 1
            }
            if (file[name[i]] != from_file[i]) print from_room[i] "/" from_file[i], to "/" file[name[i]] > ARROWS
        }
        exit bad
    }' "$work/sees" "$work/symbols" || bad=1

# Circles: files that reach each other. Printed as one sorted line each.
sort -u "$work/arrows" | awk '
    { if (!($1 in id)) { id[$1] = ++n; path[n] = $1 } if (!($2 in id)) { id[$2] = ++n; path[n] = $2 }
      a = id[$1]; out[a, ++deg[a]] = id[$2] }
    # Tarjan, with a stack of its own: awk has no locals to recurse on.
    function visit(start,   top, v, w, i) {
        top = 1; call[1] = start
        while (top > 0) {
            v = call[top]
            if (!(v in num)) { num[v] = low[v] = ++clock; stack[++depth] = v; on[v] = 1; next_arrow[v] = 1 }
            if (next_arrow[v] <= deg[v]) {
                w = out[v, next_arrow[v]++]
                if (!(w in num)) call[++top] = w
                else if (on[w] && num[w] < low[v]) low[v] = num[w]
                continue
            }
            if (low[v] == num[v]) {
                size = 0
                do { w = stack[depth--]; on[w] = 0; member[++size] = path[w] } while (w != v)
                if (size > 1) { for (i = 1; i <= size; i++) print ++circle_line "\t" v "\t" member[i] }
            }
            top--
            if (top > 0 && low[v] < low[call[top]]) low[call[top]] = low[v]
        }
    }
    END { for (v = 1; v <= n; v++) if (!(v in num)) visit(v) }' | sort -k2,2n -k3,3 |
    awk -F'\t' '$2 != last { if (NR > 1) print line; line = $3; last = $2; next } { line = line " " $3 } END { if (NR) print line }' >"$work/circles"
while read -r circle; do
    room=${circle%% *}
    room=${room%/*}
    names=$(printf '%s\n' $circle | sed 's|.*/||' | tr '\n' ' ' | sed 's/ $//')
    grep -qxF "Circle: $names" "$room/README.md" 2>/dev/null || complain "a circle of files that $room/README.md does not name: $names"
done <"$work/circles"

[ $bad -eq 0 ] && echo "rooms: $(wc -l <"$work/sees" | tr -d ' ') rooms, $(awk '{ n += NF - 1 } END { print n }' "$work/sees") arrows, $(wc -l <"$work/circles" | tr -d ' ') circles of files"
exit $bad
