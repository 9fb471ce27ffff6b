#!/bin/sh
# Prints docs/fidelity.md from the DIFFERS: comments of the sources (`make docs`).
cd "$(dirname "$0")/.." || exit 1
cat <<'T'
# Where pinpipe differs from the real thing

Made by `make docs` from the `DIFFERS:` comments in the sources; each stands beside the code it is about.
Everything that is not listed here is meant to be as the real service has it; a difference that is not
listed is a bug.

| where | difference |
|---|---|
T
git ls-files 'src/*.[ch]' 'mock_server/*.[ch]' 'include/*.h' | LC_ALL=C sort | while read -r file; do
    awk -v file="$file" '
        function flush_() { if (text != "") { gsub(/\|/, "\\|", text); printf "| `%s` | %s |\n", file, text; text = "" } }
        { line = $0; closes = index(line, "*/") > 0 }
        line ~ /DIFFERS:/ { flush_(); sub(/^.*DIFFERS:[ ]*/, "", line); sub(/[ ]*\*\/.*$/, "", line); text = line; taking = !closes; next }
        taking {
            sub(/^[ \t]*\*?[ ]?/, "", line); sub(/[ ]*\*?\/[ ]*$/, "", line)
            if (line == "") { taking = 0; next }
            text = text " " line
            if (closes) taking = 0
        }
        END { flush_() }' "$file"
done

cat <<'T'

## S3 operations that are not served

Made from `mock_server/s3/s3_unserved.def`. Each is answered `NotImplemented` with a hint, and never taken for the request
without its parameter. ACLs can be read, and setting them is refused as S3 refuses it where the bucket's owner owns everything.

T
sed -n 's/^X(\([A-Za-z]*\), [A-Z]*, \([A-Z]*\), .*/\1/p' mock_server/s3/s3_unserved.def | LC_ALL=C sort | awk '
    { line = line (line == "" ? "" : ", ") "`" $1 "`" }
    length(line) > 90 { print line ","; line = "" }
    END { sub(/,$/, "", line); print line "." }'
