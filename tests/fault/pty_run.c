/* posix_openpt and its kin are of X/Open. */
#define _XOPEN_SOURCE 700
/* pty_run [-c MARK] [-o] COMMAND...: runs the command on a terminal of its own and copies to stdout
 * what the terminal is given, byte for byte; exits as the command does (128 + N for a signal).
 * -c MARK types Ctrl-C once MARK has been seen; -o puts only stderr on the terminal. */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

enum { seen_bytes_max = 1 << 20, columns = 200, rows = 50 };

struct sitting {
    const char *mark;
    bool only_stderr;
    int master;
    char seen[seen_bytes_max];
    size_t seen_count;
};

static void pty_give_up(const char *what)
{
    fprintf(stderr, "pty_run: %s: %s\n", what, strerror(errno));
    exit(125);
}

/* The terminal is the child's, so that Ctrl-C reaches it; what it prints is not rewritten. */
static void pty_child(const struct sitting *sitting, const char *name, char **command)
{
    struct termios modes;
    struct winsize size = {.ws_row = rows, .ws_col = columns};
    setsid();
    int fd = open(name, O_RDWR);
    if (fd < 0 || ioctl(fd, TIOCSCTTY, 0) != 0 || tcgetattr(fd, &modes) != 0) {
        pty_give_up(name);
    }
    modes.c_oflag &= ~(tcflag_t)OPOST;
    modes.c_lflag &= ~(tcflag_t)ECHO;
    tcsetattr(fd, TCSANOW, &modes);
    ioctl(fd, TIOCSWINSZ, &size);
    dup2(fd, STDIN_FILENO);
    if (!sitting->only_stderr) {
        dup2(fd, STDOUT_FILENO);
    }
    dup2(fd, STDERR_FILENO);
    close(fd);
    signal(SIGINT, SIG_DFL); /* a shell's job in the background was born deaf to it */
    execvp(command[0], command);
    pty_give_up(command[0]);
}

static void look_for_mark(struct sitting *sitting)
{
    sitting->seen[sitting->seen_count] = '\0';
    if (sitting->mark != NULL && strstr(sitting->seen, sitting->mark) != NULL) {
        static const char ctrl_c = 3;
        sitting->mark = NULL;
        if (write(sitting->master, &ctrl_c, 1) != 1) {
            pty_give_up("the terminal");
        }
    }
}

static void pty_copy(struct sitting *sitting)
{
    char piece[4096];
    ssize_t got;
    /* Linux says EIO when the last descriptor of the other side is closed. */
    while ((got = read(sitting->master, piece, sizeof(piece))) > 0) {
        if (!sitting->only_stderr) {
            fwrite(piece, 1, (size_t)got, stdout);
        } else {
            fwrite(piece, 1, (size_t)got, stderr);
        }
        fflush(NULL);
        size_t room = sizeof(sitting->seen) - 1 - sitting->seen_count;
        size_t kept = (size_t)got < room ? (size_t)got : room;
        memcpy(sitting->seen + sitting->seen_count, piece, kept);
        sitting->seen_count += kept;
        look_for_mark(sitting);
    }
}

int main(int argc, char **argv)
{
    static struct sitting sitting;
    int option;
    int status = 0;
    while ((option = getopt(argc, argv, "+c:o")) != -1) {
        sitting.mark = option == 'c' ? optarg : sitting.mark;
        sitting.only_stderr = sitting.only_stderr || option == 'o';
        if (option == '?') {
            return 125;
        }
    }
    sitting.master = posix_openpt(O_RDWR | O_NOCTTY);
    if (optind >= argc || sitting.master < 0 || grantpt(sitting.master) != 0 ||
        unlockpt(sitting.master) != 0) {
        pty_give_up("no terminal");
    }
    const char *name = ptsname(sitting.master);
    pid_t child = fork();
    if (child == 0) {
        pty_child(&sitting, name, argv + optind);
    }
    if (child < 0) {
        pty_give_up("fork");
    }
    pty_copy(&sitting);
    if (waitpid(child, &status, 0) < 0) {
        pty_give_up("waitpid");
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
