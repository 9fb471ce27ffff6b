/* posix_openpt and its kin are of X/Open. */
#define _XOPEN_SOURCE 700
/* pty_run [-c FILE | -C FILE] [-i LINE] COMMAND...: runs the command on a terminal of its own and
 * copies to stdout what the terminal is given, byte for byte; exits as the command does (128 + N
 * for a signal). -c FILE types Ctrl-C once FILE is there, -C FILE again and again from then on, -i
 * LINE types that line once something is asked. A command that hangs is killed after a minute. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

enum { columns = 200, rows = 50, slice_ms = 10, minute_ms = 60 * 1000 };

struct sitting {
    const char *file; /* Ctrl-C when it is there; NULL: not, or not any more */
    bool again;       /* and again */
    const char *line; /* typed behind the first thing that is printed; NULL as above */
    int master;
};

static void pty_give_up(const char *what)
{
    fprintf(stderr, "pty_run: %s: %s\n", what, strerror(errno));
    exit(125);
}

/* The terminal is the child's, so that Ctrl-C reaches it; what it prints is not rewritten. */
static void pty_child(const char *name, char **command)
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
    dup2(fd, STDOUT_FILENO);
    dup2(fd, STDERR_FILENO);
    close(fd);
    signal(SIGINT, SIG_DFL); /* a shell's job in the background was born deaf to it */
    execvp(command[0], command);
    pty_give_up(command[0]);
}

static void look_for_file(struct sitting *sitting)
{
    if (sitting->file != NULL && access(sitting->file, F_OK) == 0) {
        static const char ctrl_c = 3;
        sitting->file = sitting->again ? sitting->file : NULL;
        if (write(sitting->master, &ctrl_c, 1) != 1 && !sitting->again) {
            pty_give_up("the terminal");
        }
    }
}

static void type_line(struct sitting *sitting)
{
    if (sitting->line != NULL && dprintf(sitting->master, "%s\n", sitting->line) < 0) {
        pty_give_up("the terminal");
    }
    sitting->line = NULL;
}

/* False: the command hangs. */
static bool pty_copy(struct sitting *sitting)
{
    char piece[4096];
    struct pollfd ready = {.fd = sitting->master, .events = POLLIN};
    for (int quiet_ms = 0; quiet_ms < minute_ms; quiet_ms += slice_ms) {
        look_for_file(sitting);
        if (poll(&ready, 1, slice_ms) <= 0) {
            continue;
        }
        ssize_t got = read(sitting->master, piece, sizeof(piece));
        if (got <= 0) { /* Linux says EIO when the other side is closed */
            return true;
        }
        fwrite(piece, 1, (size_t)got, stdout);
        fflush(stdout);
        type_line(sitting);
    }
    return false;
}

int main(int argc, char **argv)
{
    struct sitting sitting = {.file = NULL};
    int option;
    int status = 0;
    while ((option = getopt(argc, argv, "+c:C:i:")) != -1) {
        if (option == '?') {
            return 125;
        }
        *(option == 'i' ? &sitting.line : &sitting.file) = optarg;
        sitting.again = sitting.again || option == 'C';
    }
    sitting.master = posix_openpt(O_RDWR | O_NOCTTY);
    if (optind >= argc || sitting.master < 0 || grantpt(sitting.master) != 0 ||
        unlockpt(sitting.master) != 0) {
        pty_give_up("no terminal");
    }
    const char *name = ptsname(sitting.master);
    pid_t child = fork();
    if (child == 0) {
        pty_child(name, argv + optind);
    }
    if (child < 0) {
        pty_give_up("fork");
    }
    if (!pty_copy(&sitting)) {
        fprintf(stderr, "pty_run: %s does not end\n", argv[optind]);
        kill(child, SIGKILL);
    }
    if (waitpid(child, &status, 0) < 0) {
        pty_give_up("waitpid");
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
