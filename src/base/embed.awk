# Turns text files into one C file of string constants: embedded_<name>[] and embedded_<name>_len.
# A name is the path below data/ with / . - as underscores. Used by the Makefile only.
function flush_line(text) {
    gsub(/\\/, "&&", text); gsub(/"/, "\\\"", text); gsub(/\t/, "\\t", text)
    gsub(/\?/, "\\?", text)
    printf "    \"%s\\n\"\n", text
}
function finish() {
    if (name == "") return
    if (lines == 0) print "    \"\""
    printf "    ;\nconst size_t embedded_%s_len = sizeof(embedded_%s) - 1;\n\n", name, name
}
BEGIN { print "/* Made by src/base/embed.awk from data/. */\n#include \"embedded.h\"\n" }
FNR == 1 {
    finish()
    name = FILENAME; sub(/^.*data\//, "", name); gsub(/[^A-Za-z0-9_]/, "_", name)
    lines = 0
    printf "const char embedded_%s[] =\n", name
}
{ flush_line($0); lines++ }
END { finish() }
