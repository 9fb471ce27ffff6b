# Names functions over 70 lines, parameter lists over 5 (the trailing error aside), files over 900 lines. Relies on the house's
# layout (clang-format): a function's brace stands alone in column 1, its end too.
function report(what) { printf "%s\n", what; bad = 1 }
FNR == 1 { if (file != "" && lines > 900) report(file ": " lines " lines; split it by noun (900 at most)"); file = FILENAME; open = 0 }
{ lines = FNR }
/^{$/ && previous !~ /[;=]$/ { open = FNR; name = signature }
/^}$/ && open {
    length_ = FNR - open + 1
    if (length_ > 70) report(FILENAME ":" open ": " name " has " length_ " lines (70 at most)")
    open = 0
}
# A signature may span lines; it begins in column 1 with a letter and is not a directive.
/^[a-zA-Z_].*\(/ && !/^(enum|struct|union|typedef|#)[^(]*$/ { signature = $0; if ($0 !~ /\)/) { joining = 1; previous = $0; next } else { joining = 0; check_parameters() } }
joining && /\)/ { signature = signature " " $0; joining = 0; check_parameters() }
joining { signature = signature " " $0 }
{ previous = $0 }
function check_parameters(   text, commas) {
    text = signature
    if (text ~ /;$/ || text !~ /\)[ ]*(PP_[A-Z_]+.*)?$/) { sub(/\(.*/, "", signature); sub(/^.*[ *]/, "", signature); return }
    sub(/^[^(]*\(/, "", text)
    if (text !~ /\(/) {
        commas = gsub(/,/, ",", text)
        if (text ~ /struct error \*err\)/) commas-- # the error idiom is no parameter of the matter
        # SQLite fixes the authorizer's own list.
        if (commas > 4 && signature !~ / (handle_)?authorize\(/ && FILENAME !~ /(^|\/)tests\//) report(FILENAME ":" FNR ": " commas + 1 " parameters (5 at most): " signature)
    }
    sub(/\(.*/, "", signature); sub(/^.*[ *]/, "", signature)
}
END { if (lines > 900) report(file ": " lines " lines; split it by noun (900 at most)"); exit bad }
