#!/bin/sh
# Line and branch coverage of our own code after a run of `make VARIANT=cov check`: a file a line, then a room a line, then the
# sum. Fails where a room's branches fall below its floor in tests/cover_floors.txt.
#
#   cover.sh BUILD          the figures
#   cover.sh BUILD PREFIX   the lines with a branch that nobody took, in the files whose names begin so
#
# Counted is each branch that gcov knows in a .c file of src and mock_server, compiled with -O0. Not counted are those of an
# assertion: its failing side is never taken, so it would be a hole that no test can fill, and more assertions would look
# like fewer tests. gcov ascribes what a macro expands to to the line where its name stands, so that these are the branches of
# the lines that begin with PP_ASSERT. C has no exceptions, so gcov adds no branches that the source has not; nothing else is
# left out.
set -eu
build=$1
floors=${COVER_FLOORS:-tests/cover_floors.txt}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM

find "$build/obj/src" "$build/obj/mock_server" -name '*.gcda' 2>/dev/null | sort >"$work/data"
[ -s "$work/data" ] || { echo "cover.sh: $build has no counters: make cover" >&2; exit 2; }
xargs "${GCOV:-gcov}" -b -c -t <"$work/data" >"$work/annotated" 2>"$work/said" || { cat "$work/said" >&2; exit 2; }

# A line of it: COUNT:NUMBER:TEXT, with NUMBER 0 for what is told about a file; the branches of a line follow it.
read_annotated='
    function line_end() {
        if (kept && branches > 0 && text !~ /^[ \t]*PP_ASSERT\(/) line_branches(file, number, branches, taken, text)
        branches = taken = 0
    }
    /^ *-: +0:Source:/ { line_end(); file = $0; sub(/.*0:Source:/, "", file); kept = file ~ /^(src|mock_server)\/.*\.c$/; next }
    !kept { next }
    /^branch / { branches++; if ($3 == "taken" && $4 > 0) taken++; next }
    /^ *[-0-9#=][0-9*#=]*: *[0-9]+:/ {
        line_end()
        split($0, field, ":"); number = field[2] + 0; text = $0; sub(/^[^:]*:[^:]*:/, "", text)
        if (field[1] !~ /-/) line_run(file, field[1] !~ /[#=]/)
    }
    END { line_end() }'

if [ $# -gt 1 ]; then
    awk -v prefix="$2" "$read_annotated"'
        function line_run(file, ran) { }
        function line_branches(file, number, branches, taken, text) {
            if (taken < branches && index(file, prefix) == 1) printf "%s:%d: %d of %d: %s\n", file, number, branches - taken, branches, text
        }' "$work/annotated"
    exit
fi

awk "$read_annotated"'
    function line_run(file, ran) { lines[file]++; run[file] += ran }
    function line_branches(file, number, branches, taken, text) { all[file] += branches; took[file] += taken }
    END { for (file in lines) print file, run[file] + 0, lines[file], took[file] + 0, all[file] + 0 }' "$work/annotated" | sort |
    awk -v floors="$floors" '
        function percent(part, whole) { return whole > 0 ? 100 * part / whole : 100 }
        function row(name, run, lines, took, all) {
            printf "%-48s lines %6.1f%% of %5d   branches %6.1f%% of %5d", name, percent(run, lines), lines, percent(took, all), all
        }
        function judged(name) {
            row(name, run[name], lines[name], took[name], all[name])
            if (name in floor) {
                printf "   floor %s%%", floor[name]
                if (percent(took[name], all[name]) < floor[name]) { printf "  <- fell below it"; bad = 1 }
                delete floor[name]
            } else { printf "   has no floor in %s", floors; bad = 1 }
            printf "\n"
        }
        function add(name) { run[name] += $2; lines[name] += $3; took[name] += $4; all[name] += $5 }
        BEGIN { while ((getline line < floors) > 0) if (line !~ /^#/ && split(line, f, " ") == 2) floor[f[1]] = f[2] }
        {
            row($1, $2, $3, $4, $5); printf "\n"
            room = $1; sub(/\/[^\/]*$/, "", room)
            if (!(room in lines)) order[++rooms] = room
            add(room); add("all")
        }
        END {
            printf "\n"
            for (i = 1; i <= rooms; i++) judged(order[i])
            judged("all")
            for (name in floor) { printf "%s has a floor in %s, but nothing of it ran\n", name, floors; bad = 1 }
            exit bad
        }'
