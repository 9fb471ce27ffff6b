/* The tools under faults. Each command runs again and again against one real server; each time
 * another of its calls fails, alone or with all that follow it: an allocation (malloc_interpose.c)
 * or a call to a file (file_interpose.c). It ends, by no signal and no sanitizer, with a documented
 * exit code; with 0 only when its result is the one without the fault; else it names the cause.
 *
 *   tool_fault_client PROGRAM INTERPOSE_SO WORK_DIR memory|files STRIDE */
#define _GNU_SOURCE /* strcasestr */
#include "fault_driver.h"

#include <limits.h>

enum {
    POINTS_MAX = 1000000,
    POINTS_LEAST = 4, /* of a command, in each mode */
    WORDS_MAX = 24,
    LINES_MAX = 4096,
    RUN_S = 60, /* then it hangs */
};

/* Where an answer of the good run and that of another may differ and both be right. */
enum compare {
    COMPARE_BYTES,
    COMPARE_LINES,  /* in any order */
    COMPARE_SHAPE,  /* digits may differ */
    COMPARE_NOTHING /* the words are made anew each time */
};

/* Two requests, of which one is a mistake, and a log. */
#define WATCHED                                                                                    \
    "[ -d watched ] || { $P topics list; $P topics describe nosuch.topic; sleep 0.3; "             \
    "mkdir -m 700 watched; cp data/journal.db data/journal.db-wal watched; "                       \
    "echo '2020-01-01T00:00:00.000Z warn  store   a line' >watched/server.log; }"

static const struct command {
    const char *words;
    enum compare compare;
    const char *before; /* for the shell, without a fault: brings the state it begins with */
    const char *after;  /* what it made, as text: compared as the output is */
} commands[] = {
    {"--help", COMPARE_BYTES, NULL, NULL},
    {"config show --origin", COMPARE_BYTES, NULL, NULL},
    {"config init", COMPARE_BYTES, "rm -f .env creds.yaml .gitignore",
     "cat .env creds.yaml .gitignore; rm -f .env creds.yaml .gitignore"},
    {"doctor", COMPARE_BYTES, NULL, NULL},
    {"status", COMPARE_BYTES, NULL, NULL},
    {"status --json", COMPARE_BYTES, NULL, NULL},
    {"wait --timeout 1", COMPARE_BYTES, NULL, NULL},
    {"stop --data nowhere", COMPARE_BYTES, NULL, NULL},
    {"up", COMPARE_BYTES, NULL, NULL},
    {"reset --yes --data emptied", COMPARE_BYTES,
     "rm -rf emptied; $P up --ephemeral --data emptied && $P stop --data emptied",
     "ls emptied | grep -v new$"},
    {"reset --yes --topics --data emptied", COMPARE_BYTES,
     "rm -rf emptied; $P up --ephemeral --data emptied && $P stop --data emptied",
     "$P sql --data emptied SELECT\\ count\\(topic\\)\\ FROM\\ topics"},
    {"data info", COMPARE_BYTES, NULL, NULL},
    {"data export pin", COMPARE_BYTES, NULL, NULL},
    {"data export pin exported.csv", COMPARE_BYTES, "rm -f exported.csv", "cat exported.csv"},
    {"data import pin rows.csv --data other", COMPARE_BYTES,
     "rm -rf other; $P data generate --rows 5 --seed 7 --data other",
     "$P data export pin --data other"},
    {"data generate --rows 5 --data made", COMPARE_BYTES, "rm -rf made",
     "$P data export pin --data made; $P data export user --data made"},
    {"topics list", COMPARE_BYTES, NULL, NULL},
    {"topics describe workshop.pin", COMPARE_BYTES, NULL, NULL},
    {"topics create made", COMPARE_BYTES, "$P topics delete made", "$P topics describe made"},
    {"topics delete made", COMPARE_BYTES, "$P topics create made", "$P topics list"},
    {"connect list", COMPARE_BYTES, NULL, NULL},
    {"connect status there", COMPARE_BYTES, NULL, NULL},
    {"connect plugins", COMPARE_BYTES, NULL, NULL},
    {"connect validate --config made.properties", COMPARE_BYTES, NULL, NULL},
    {"connect create made --config made.properties", COMPARE_BYTES, "$P connect delete made",
     "$P connect list"},
    {"connect pause there", COMPARE_BYTES, NULL, NULL},
    {"connect resume there", COMPARE_BYTES, NULL, NULL},
    {"connect delete made", COMPARE_BYTES, "$P connect create made --config made.properties",
     "$P connect list"},
    {"s3 ls", COMPARE_BYTES, NULL, NULL},
    {"s3 ls s3://user-workshop-bucket/tree/", COMPARE_BYTES, NULL, NULL},
    {"s3 ls s3://user-workshop-bucket/tree/ --aws-access-key-id A --aws-secret-access-key B",
     COMPARE_BYTES, NULL, NULL},
    {"s3 cat s3://user-workshop-bucket/tree/a", COMPARE_BYTES, NULL, NULL},
    {"s3 get s3://user-workshop-bucket/tree/a got", COMPARE_BYTES, "rm -f got", "cat got"},
    {"s3 put tree/b s3://user-workshop-bucket/put", COMPARE_BYTES, NULL,
     "$P s3 cat s3://user-workshop-bucket/put"},
    {"s3 cp s3://user-workshop-bucket/tree/a s3://user-workshop-bucket/copied", COMPARE_BYTES, NULL,
     "$P s3 cat s3://user-workshop-bucket/copied"},
    {"s3 cp s3://user-workshop-bucket/tree s3://user-workshop-bucket/wood --recursive --json",
     COMPARE_NOTHING, "$P s3 rm s3://user-workshop-bucket/wood --recursive",
     "$P s3 ls s3://user-workshop-bucket/wood/ --recursive --json | tr , '\\n' | grep key"},
    {"s3 cp tree s3://user-workshop-bucket/wood --recursive", COMPARE_LINES,
     "$P s3 rm s3://user-workshop-bucket/wood --recursive",
     "$P s3 ls s3://user-workshop-bucket/wood/ --recursive --json | tr , '\\n' | grep key"},
    {"s3 rm s3://user-workshop-bucket/wood --recursive", COMPARE_LINES,
     "$P s3 cp tree s3://user-workshop-bucket/wood --recursive",
     "$P s3 ls s3://user-workshop-bucket/wood/; echo $?"},
    {"s3 mb s3://made", COMPARE_BYTES, "$P s3 rb s3://made", "$P s3 ls s3://made"},
    {"s3 rb s3://made", COMPARE_BYTES, "$P s3 mb s3://made", "$P s3 ls s3://made"},
    {"s3 sync s3://user-workshop-bucket/tree down", COMPARE_LINES, "rm -rf down",
     "cat down/a down/b down/c/d"},
    {"s3 sync tree s3://user-workshop-bucket/up --delete", COMPARE_LINES,
     "$P s3 sync tree s3://user-workshop-bucket/up; "
     "$P s3 put rows.csv s3://user-workshop-bucket/up/old; "
     "$P s3 put rows.csv s3://user-workshop-bucket/up/a",
     "$P s3 ls s3://user-workshop-bucket/up/ | sed 's/.* //'"},
    {"sql --json SELECT\x1ftopic,partitions\x1f"
     "FROM\x1ftopics",
     COMPARE_BYTES, NULL, NULL},
    {"sql SELECT\x1fvalue\x1f"
     "FROM\x1frecords",
     COMPARE_BYTES, NULL, NULL},
    /* A group each: in one, what a lost consumer holds waits for its time to be up. */
    {"consume workshop.pin --from-beginning --max-messages 2 --group \x1e", COMPARE_BYTES, NULL,
     NULL},
    {"verify", COMPARE_BYTES, NULL, NULL},
    {"verify --through s3 --json", COMPARE_SHAPE, NULL, NULL},
    {"verify --junit verdict.xml --tap", COMPARE_BYTES, "rm -f verdict.xml",
     "sed 's/time=\"[^\"]*\"//g;s/timestamp=\"[^\"]*\"//g' verdict.xml"},
    /* Another row each time, so that what is kept of it can be told from what others left. */
    {"emulate batch --rows 1 --order random --seed \x1e", COMPARE_NOTHING, NULL, NULL},
    /* Of a directory whose server has gone, as it was when the first of these came. */
    {"tail --once --data watched", COMPARE_BYTES, WATCHED, NULL},
    {"tail --once --json --last 3 --data watched", COMPARE_BYTES, WATCHED, NULL},
    {"hints --data watched", COMPARE_BYTES, WATCHED, NULL},
    {"hints --json --data watched", COMPARE_BYTES, WATCHED, NULL},
};
enum { COMMANDS = sizeof(commands) / sizeof(commands[0]) };

struct run {
    int status; /* as waitpid has it */
    char *out;
    char *err;
    char *after;
};

static struct fault_control *control;
static const char *preload;
static bool files; /* else memory */

static char *file_text(const char *path)
{
    FILE *file = fopen(path, "r");
    size_t cap = 1 << 20;
    char *text = calloc(1, cap);
    if (text == NULL) {
        die("no memory for %s", path);
    }
    if (file != NULL) {
        size_t got = fread(text, 1, cap - 1, file);
        text[got] = '\0';
        fclose(file);
    }
    return text;
}

static void run_free(struct run *run)
{
    free(run->out);
    free(run->err);
    free(run->after);
    *run = (struct run){0};
}

static int seed;

/* Words part at blanks; \x1f is a blank within one, \x1e a number of its own each time. */
static void command_exec(const char *program, const char *words)
{
    char text[512];
    char number[16];
    snprintf(number, sizeof(number), "%d", seed);
    const char *args[WORDS_MAX] = {program};
    int count = 1;
    snprintf(text, sizeof(text), "%s", words);
    for (char *word = strtok(text, " "); word != NULL && count < WORDS_MAX - 1;
         word = strtok(NULL, " ")) {
        for (char *p = word; *p != '\0'; p++) {
            *p = *p == '\x1f' ? ' ' : *p;
        }
        args[count++] = strcmp(word, "\x1e") == 0 ? number : word;
    }
    dup2(open("run.out", O_WRONLY | O_CREAT | O_TRUNC, 0600), 1);
    dup2(open("run.err", O_WRONLY | O_CREAT | O_TRUNC, 0600), 2);
    dup2(open("/dev/null", O_RDONLY), 0);
    setenv("LD_PRELOAD", preload, 1);
    setenv("PP_WATCH_DIR", ".", 1);
    alarm(RUN_S);
    execv(program, (char *const *)(uintptr_t)args);
    _exit(127);
}

static void shell(const char *text)
{
    char line[1024];
    snprintf(line, sizeof(line), "{ %s; } >shell.out 2>&1", text);
    int ignored = system(line); /* what is not there cannot be removed */
    (void)ignored;
}

static struct run command_run(const char *program, const struct command *command,
                              enum fault_mode mode, long n)
{
    struct run run = {0};
    if (command->before != NULL) {
        shell(command->before);
    }
    fflush(stdout);
    seed++;
    fault_begin(control, mode, n);
    pid_t pid = fork();
    if (pid == 0) {
        command_exec(program, command->words);
    }
    waitpid(pid, &run.status, 0);
    fault_end(control);
    run.out = file_text("run.out");
    run.err = file_text("run.err");
    if (command->after != NULL) {
        shell(command->after);
        run.after = file_text("shell.out");
    }
    return run;
}

static int line_order(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void lines_sort(char *text)
{
    char *lines[LINES_MAX];
    size_t count = 0;
    char *copy = strdup(text);
    for (char *line = strtok(copy, "\n"); line != NULL && count < LINES_MAX;
         line = strtok(NULL, "\n")) {
        lines[count++] = line;
    }
    qsort(lines, count, sizeof(*lines), line_order);
    char *to = text;
    for (size_t i = 0; i < count; i++) {
        to = stpcpy(to, lines[i]);
        *to++ = '\n';
    }
    free(copy);
}

/* Each run of digits becomes one 0. */
static void digits_mask(char *text)
{
    char *to = text;
    for (char *p = text; *p != '\0'; p++) {
        bool digit = *p >= '0' && *p <= '9';
        if (!digit || to == text || to[-1] != '0') {
            *to++ = digit ? '0' : *p;
        }
    }
    *to = '\0';
}

static bool same(enum compare compare, const char *a, const char *b)
{
    if (a == NULL || b == NULL || compare == COMPARE_NOTHING) {
        return true;
    }
    char *left = strdup(a);
    char *right = strdup(b);
    char *texts[] = {left, right};
    for (int i = 0; i < 2 && compare != COMPARE_BYTES; i++) {
        compare == COMPARE_LINES ? lines_sort(texts[i]) : digits_mask(texts[i]);
    }
    bool equal = strcmp(left, right) == 0;
    free(left);
    free(right);
    return equal;
}

static bool names(const struct run *run, const char *word)
{
    return strcasestr(run->err, word) != NULL || strcasestr(run->out, word) != NULL;
}

/* Who asked for the memory that was not there is a library that may have words, or even an end, of
 * its own: libcurl 7.88 divides by zero, and says of a lack of memory that a name cannot be
 * resolved. */
static bool asked_by_library(const char *name)
{
    return !files && strncmp(control->what, name, strlen(name)) == 0;
}

static bool cause_named(const struct run *run)
{
    if (!files) {
        return names(run, "memory") ||
               (strncmp(control->what, "lib", 3) == 0 && !asked_by_library("libsqlite"));
    }
    return fault_cause_in(run->err) || fault_cause_in(run->out);
}

static bool file_named(const struct run *run)
{
    char name[256];
    fault_file_told(control->what, name, sizeof(name));
    return names(run, name);
}

static int of_libraries; /* ends that no program can prevent */

/* NULL: as it should be. */
static const char *judge(const struct command *command, const struct run *good,
                         const struct run *run)
{
    if (WIFSIGNALED(run->status)) {
        if (WTERMSIG(run->status) == SIGFPE && asked_by_library("libcurl")) {
            of_libraries++;
            return NULL;
        }
        return WTERMSIG(run->status) == SIGALRM ? "it does not end" : "it ended by a signal";
    }
    int code = WEXITSTATUS(run->status);
    if (code == 127 && names(run, "cannot allocate memory for thread-local data")) {
        of_libraries++;
        return NULL; /* the loader's own end, within a library's first or last steps */
    }
    if (strstr(run->err, "ERROR: ") != NULL && strstr(run->err, "Sanitizer") != NULL) {
        if (strncmp(control->what, "lib", 3) == 0 && !asked_by_library("libsqlite") &&
            strstr(run->err, "LeakSanitizer") != NULL) {
            of_libraries++; /* libcrypto's and libcurl's own leaks, where they stop half-way */
            return NULL;
        }
        return "a sanitizer has something to say";
    }
    if (code > 5) {
        return "it ended with no documented exit code";
    }
    if (code == 1 && WEXITSTATUS(good->status) != 1) {
        return "a fault ended as a verdict's FAIL";
    }
    if (code == 0 && !same(command->compare, run->out, good->out)) {
        return "exit 0, and another output";
    }
    if (code == 0 && !same(command->compare, run->after, good->after)) {
        return "exit 0, and another result";
    }
    if (code != 0 && !cause_named(run)) {
        return "the cause is not named";
    }
    if (code != 0 && files && !file_named(run)) {
        return "the file is not named";
    }
    return NULL;
}

static int complaints;

/* False: the command makes fewer calls than that. */
static bool point(const char *program, const struct command *command, const struct run *good,
                  enum fault_mode mode, long n)
{
    struct run run = command_run(program, command, mode, n);
    bool failed = atomic_load(&control->failed) > 0;
    const char *wrong = failed ? judge(command, good, &run) : NULL;
    if (wrong != NULL) {
        complaints++;
        fflush(stdout);
        printf("not ok - %s, call %ld fails %s with %s (%s): %s\n  status %d %d, stdout: %.3000s\n "
               " stderr: "
               "%.1500s\n",
               command->words, n, fault_word(mode),
               files ? strerror(atomic_load(&control->error_number)) : "ENOMEM", control->what,
               wrong, WIFEXITED(run.status) ? WEXITSTATUS(run.status) : -1,
               WIFSIGNALED(run.status) ? WTERMSIG(run.status) : 0, run.out, run.err);
    }
    run_free(&run);
    return failed;
}

/* Places of its own for each command (`salt`) in what they all do, and a few at least in each. */
static long command_points(const char *program, const struct command *command, long stride,
                           long salt)
{
    long points = 0;
    const char *from = getenv("FAULT_FROM"); /* to look at one place */
    struct run good = command_run(program, command, FAULT_ONCE, LONG_MAX);
    if (good.status != 0) {
        die("%s without a fault: status %d: %s%s", command->words, good.status, good.out, good.err);
    }
    long least = 1 + atomic_load(&control->asked) / POINTS_LEAST;
    long step = stride < least ? stride : least;
    long first = from != NULL ? strtol(from, NULL, 10) : 1 + salt % step;
    /* A file fails once, with one errno or the other; memory once, or from there on. */
    for (int round = 0; round < 2; round++) {
        enum fault_mode mode = files || round == 0 ? FAULT_ONCE : FAULT_FROM_THERE_ON;
        atomic_store(&control->error_number, round == 0 ? EIO : ENOSPC);
        for (long n = first; n < POINTS_MAX && point(program, command, &good, mode, n); n += step) {
            points++;
        }
    }
    run_free(&good);
    return points;
}

static void settings(const struct server *server, const char *program)
{
    static const char *const urls[][2] = {{"\"gateway_url\": \"", "invoke_URL"},
                                          {"\"rest_url\": \"", "rest_url"},
                                          {"\"connect_url\": \"", "connect_url"},
                                          {"\"s3_url\": \"", "s3_url"}};
    char *ready = file_text(server->ready_path);
    for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
        const char *url = strstr(ready, urls[i][0]);
        char value[128] = "";
        sscanf(url != NULL ? url + strlen(urls[i][0]) : "", "%127[^\"]", value);
        setenv(urls[i][1], value, 1);
    }
    free(ready);
    setenv("pinpipe_data", "data", 1);
    setenv("P", program, 1);
    setenv("pinpipe_timeout", "10", 1);
}

#define MADE_PROPERTIES                                                                            \
    "connector.class=io.confluent.connect.s3.S3SinkConnector\ntasks.max=1\ntopics=workshop.pin\n"  \
    "topics.dir=made\ns3.region=us-east-1\nflush.size=1\nschema.compatibility=NONE\n"              \
    "format.class=io.confluent.connect.s3.format.json.JsonFormat\n"                                \
    "partitioner.class=io.confluent.connect.storage.partitioner.DefaultPartitioner\n"              \
    "storage.class=io.confluent.connect.s3.storage.S3Storage\n"                                    \
    "s3.bucket.name=user-workshop-bucket\n"                                                        \
    "key.converter=org.apache.kafka.connect.storage.StringConverter\n"                             \
    "value.converter=org.apache.kafka.connect.json.JsonConverter\n"                                \
    "value.converter.schemas.enable=false\n"

/* What the commands find: rows, posts, objects, a connector. */
static void scene_make(void)
{
    FILE *made = fopen("made.properties", "w");
    if (made == NULL || fputs(MADE_PROPERTIES, made) < 0 || fclose(made) != 0) {
        die("cannot write made.properties");
    }
    shell("mkdir -p tree/c; echo one >tree/a; echo two >tree/b; seq 9999 >tree/c/d;"
          "$P data generate --rows 500 && $P data export pin >rows.csv &&"
          "$P connect create there &&"
          "$P emulate batch --rows 3 && $P s3 sync tree s3://user-workshop-bucket/tree");
    for (int tries = 0; tries < 200; tries++) {
        if (system("$P verify --through s3 >shell.out 2>&1") == 0) {
            return;
        }
        pause_us(50000);
    }
    char *said = file_text("shell.out");
    die("the lake is not complete: %s", said);
}

int main(int argc, char **argv)
{
    struct server server;
    long points = 0;
    if (argc < 6 || chdir(argv[3]) != 0) {
        fprintf(stderr, "usage: tool_fault_client PROGRAM INTERPOSE_SO WORK_DIR memory|files "
                        "STRIDE [COMMAND]\n");
        return 2;
    }
    preload = argv[2];
    files = strcmp(argv[4], "files") == 0;
    long stride = strtol(argv[5], NULL, 10);
    control = fault_control_make(argv[3]);
    server_init(&server, argv[1], argv[3], "data");
    server.durability = "off";
    server_start(&server);
    settings(&server, argv[1]);
    scene_make();
    for (int i = 0; i < COMMANDS; i++) {
        if (argc < 7 || strstr(commands[i].words, argv[6]) != NULL) {
            long of_this = command_points(argv[1], &commands[i], stride, 37L * i);
            if (getenv("VERBOSE") != NULL) {
                printf("  %ld points: %s\n", of_this, commands[i].words);
            }
            points += of_this;
        }
    }
    if (system("$P verify >shell.out 2>&1") != 0) {
        char *said = file_text("shell.out");
        die("what the emulator posted under faults is not accounted for: %s", said);
    }
    if (server_stop(&server) != 0) {
        die("the server did not end cleanly");
    }
    if (complaints == 0) {
        printf("ok - %d commands, %ld %s failed; %d times a library failed in its own way\n",
               (int)COMMANDS, points, files ? "calls to files" : "allocations", of_libraries);
    }
    return complaints == 0 ? 0 : 1;
}
