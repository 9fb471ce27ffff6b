/* From exec to the first good answer: `first_answer PORT PATH PROGRAM ARGS...` starts the program,
 * asks GET PATH on 127.0.0.1:PORT until a 200 comes back, prints microseconds and the program's
 * resident memory in KiB (its children's included), then ends it. */
#include "outside.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { give_up_us = 10 * 1000 * 1000 };

static long long now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (long long)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static int ask(int port, const char *path)
{
    char text[512];
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((unsigned short)port)};
    inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0) {
        close(fd);
        return 0;
    }
    int len = snprintf(text, sizeof(text),
                       "GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", path);
    ssize_t got = write(fd, text, (size_t)len) == len ? read(fd, text, sizeof(text) - 1) : 0;
    close(fd);
    return got > 12 && memcmp(text + 9, "200", 3) == 0;
}

int main(int argc, char **argv)
{
    if (argc < 4) {
        fprintf(stderr, "usage: first_answer PORT PATH PROGRAM ARGS...\n");
        return 2;
    }
    int port = (int)strtol(argv[1], NULL, 10);
    long long start = now_us();
    pid_t child = fork();
    if (child == 0) {
        execv(argv[3], argv + 3);
        _exit(127);
    }
    while (!ask(port, argv[2]) && now_us() - start < give_up_us) {
        usleep(50);
    }
    long long took = now_us() - start;
    usleep(200 * 1000); /* idle now */
    printf("%lld %ld\n", took, outside_rss_kib(child));
    kill(child, SIGTERM);
    waitpid(child, NULL, 0);
    return took < give_up_us ? 0 : 1;
}
