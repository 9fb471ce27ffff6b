/* A disk that fills under the real server and gets room again: while it is full nothing is
 * acknowledged that is not kept, reads go on, the server stays up; with room it goes on by itself.
 *
 *   disk_client PROGRAM INTERPOSE_SO WORK_DIR       the interposer says ENOSPC
 *   disk_client PROGRAM -            WORK_DIR       WORK_DIR is on a small file system of its own
 */
#include "raw_http.h"

enum {
    VALUE_BYTES = 20000,
    POSTS = 30,
    POSTS_UNTIL_FULL_MAX = 20000,
    POSTS_UNTIL_ROOM_MAX = 50,
};

struct disk {
    struct server server;
    const char *work_dir;
    bool interposed;
    char flag[512]; /* the file that makes it full */
    int acked;
};

static void make_full(struct disk *disk)
{
    static char block[1 << 16];
    size_t size = disk->interposed ? 0 : sizeof(block);
    int fd = open(disk->flag, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    if (fd < 0) {
        die("cannot write %s", disk->flag);
    }
    /* To the last byte: smaller and smaller pieces. */
    while (size > 0) {
        if (write(fd, block, size) != (ssize_t)size) {
            size /= 2;
        }
    }
    close(fd);
}

static int post(struct disk *disk)
{
    struct reply reply = {0};
    char body[VALUE_BYTES + 100];
    snprintf(body, sizeof(body), "{\"records\":[{\"value\":\"%0*d\"}]}", VALUE_BYTES, 0);
    int status =
        http_once(disk->server.port, "POST", "/topics/workshop.pin", JSON_TYPE, body, &reply);
    if (status != 200 && status < 500) {
        die("a post was answered %d: %s", status, status != 0 ? reply.body : "nothing");
    }
    disk->acked += status == 200;
    free(reply.text);
    return status;
}

static int end_offset(struct disk *disk)
{
    struct reply reply = {0};
    http_once(disk->server.port, "GET", "/topics/workshop.pin/partitions/0/offsets", V2_TYPE, NULL,
              &reply);
    const char *end = reply.status == 200 ? strstr(reply.body, "\"end_offset\":") : NULL;
    if (end == NULL) {
        die("a read was answered %d", reply.status);
    }
    int offset = atoi(end + 13);
    free(reply.text);
    return offset;
}

static void expect_end(struct disk *disk, const char *when)
{
    int end = end_offset(disk);
    if (end != disk->acked) {
        die("%s: %d records acknowledged, %d there", when, disk->acked, end);
    }
}

static void fill_and_free(struct disk *disk)
{
    int posts = 0;
    make_full(disk);
    while (post(disk) == 200) {
        if (++posts > POSTS_UNTIL_FULL_MAX) {
            die("the disk is full and nobody notices");
        }
    }
    for (int i = 0; i < POSTS; i++) {
        post(disk);
    }
    expect_end(disk, "while the disk was full");
    unlink(disk->flag);
    for (posts = 0; post(disk) != 200;) {
        if (++posts > POSTS_UNTIL_ROOM_MAX) {
            die("there is room again, and nothing is acknowledged");
        }
    }
    expect_end(disk, "with room again");
}

int main(int argc, char **argv)
{
    struct disk disk = {0};
    char data_dir[512];
    if (argc != 4) {
        fprintf(stderr, "usage: disk_client PROGRAM INTERPOSE_SO|- WORK_DIR\n");
        return 2;
    }
    disk.interposed = strcmp(argv[2], "-") != 0;
    snprintf(data_dir, sizeof(data_dir), "%s/data", argv[3]);
    snprintf(disk.flag, sizeof(disk.flag), "%s/full", argv[3]);
    server_init(&disk.server, argv[1], argv[3], data_dir);
    mkdir(data_dir, 0755);
    if (disk.interposed) {
        disk.server.preload = argv[2];
        setenv("PP_WATCH_DIR", data_dir, 1);
        setenv("PP_FULL_WHILE", disk.flag, 1);
    }
    server_start(&disk.server);
    for (int i = 0; i < POSTS; i++) {
        if (post(&disk) != 200) {
            die("a post failed before the disk was full");
        }
    }
    for (int round = 0; round < 3; round++) {
        fill_and_free(&disk);
    }
    if (server_stop(&disk.server) != 0) {
        die("the server did not end cleanly");
    }
    server_start(&disk.server);
    expect_end(&disk, "after a restart");
    if (server_stop(&disk.server) != 0) {
        die("the server did not end cleanly");
    }
    printf("ok - full disk (%s): 5xx while it is full, %d records acknowledged and kept, then on\n",
           disk.interposed ? "interposed" : "a small file system", disk.acked);
    return 0;
}
