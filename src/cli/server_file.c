/* Invariant: nothing is looked at by its path twice. The directory is opened once and the files in
 * it through that, so what was checked is what is read. */
#include "server_file.h"

#include "file.h"
#include "url.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    server_json_bytes_max = 64 * 1024,
    lock_text_bytes_max = 32,
    host_bytes_max = 64,
    path_bytes_shown = 256
};

static const char facts_name[] = "server.json";
static const char lock_name[] = "server.lock"; /* the server holds an flock on it */

/* --- whose it is --- */

/* `name`: how a person would write it. */
static enum status check_owner(int fd, const char *name, struct error *why)
{
    struct stat info;
    if (fstat(fd, &info) != 0) {
        return error_set_errno(why, errno, "%s", name);
    }
    if (info.st_uid != geteuid()) {
        return error_set(why, STATUS_CONFIG,
                         "%s belongs to another user (uid %lu): choose a directory of your own "
                         "with --data",
                         name, (unsigned long)info.st_uid);
    }
    if ((info.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
        return error_set(why, STATUS_CONFIG, "others may write to %s: chmod go-w %s", name, name);
    }
    return STATUS_OK;
}

/* A file of the directory, neither through a link nor waiting for a pipe's writer. NOT_FOUND: there
 * is none. */
static enum status file_open_own(int dir_fd, const char *dir, const char *name, int *out,
                                 struct error *why)
{
    struct stat info;
    char path[path_bytes_shown];
    int fd = openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT) {
        return error_set(why, STATUS_NOT_FOUND, "there is no %s", name);
    }
    if (fd < 0) {
        return errno == ELOOP ? error_set(why, STATUS_CONFIG, "it is a link: remove it")
                              : error_set_errno(why, errno, "%s", name);
    }
    snprintf(path, sizeof(path), "%s/%s", dir, name);
    enum status status = check_owner(fd, path, why);
    if (status == STATUS_OK && fstat(fd, &info) != 0) {
        status = error_set_errno(why, errno, "%s", path);
    } else if (status == STATUS_OK && !S_ISREG(info.st_mode)) {
        status = error_set(why, STATUS_CONFIG, "it is not a file: remove it");
    }
    if (status != STATUS_OK) {
        close(fd);
        return status;
    }
    *out = fd;
    return STATUS_OK;
}

/* --- whether its server runs --- */

static bool lock_is_held(int fd)
{
    /* Tools do not hinder each other with a shared lock, and this one lasts for two calls. */
    if (flock(fd, LOCK_SH | LOCK_NB) == 0) {
        flock(fd, LOCK_UN);
        return false;
    }
    return errno == EWOULDBLOCK;
}

static enum status lock_check_held_by(int fd, int64_t pid, bool *held, struct error *why)
{
    char text[lock_text_bytes_max];
    int64_t holder;
    ssize_t len = pread(fd, text, sizeof(text), 0);
    if (len < 0) {
        return error_set_errno(why, errno, "%s", lock_name);
    }
    *held = span_parse_i64(span_trim(span_from(text, (size_t)len)), &holder) && holder == pid &&
            lock_is_held(fd);
    return STATUS_OK;
}

static enum status check_running(int dir_fd, const char *dir, const struct json_node *root,
                                 struct error *why)
{
    int64_t pid;
    int fd;
    if (!json_node_i64(json_node_get(root, "pid"), &pid) || pid <= 0 || (pid_t)pid != pid) {
        return error_set(why, STATUS_CONFIG, "it names no server's process: remove it");
    }
    if (kill((pid_t)pid, 0) != 0 && errno == ESRCH) {
        return error_set(why, STATUS_CONFIG,
                         "its server (pid %lld) has ended: start one with `pinpipe serve`",
                         (long long)pid);
    }
    enum status status = file_open_own(dir_fd, dir, lock_name, &fd, why);
    bool held = false;
    if (status == STATUS_OK) {
        status = lock_check_held_by(fd, pid, &held, why);
        close(fd);
    }
    if (held || (status != STATUS_OK && status != STATUS_NOT_FOUND)) {
        return status;
    }
    return error_set(why, STATUS_CONFIG,
                     "pid %lld does not hold the directory's lock, so its server has ended: start "
                     "one with `pinpipe serve`",
                     (long long)pid);
}

/* --- where it leads --- */

static bool server_host_is_loopback(struct span host)
{
    char text[host_bytes_max];
    struct in_addr v4;
    struct in6_addr v6;
    if (host.len >= sizeof(text)) {
        return false;
    }
    memcpy(text, host.ptr, host.len);
    text[host.len] = '\0';
    /* Numbers alone: a name is what its resolver says. */
    if (inet_pton(AF_INET, text, &v4) == 1) {
        return (ntohl(v4.s_addr) >> 24) == IN_LOOPBACKNET;
    }
    return inet_pton(AF_INET6, text, &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

/* `setting`: how the user names such a service himself. */
static enum status check_url(const struct json_node *root, const char *key, const char *setting,
                             struct error *why)
{
    const struct json_node *node = json_node_get(root, key);
    const char *text;
    struct url url;
    if (node == NULL || json_node_is_null(node)) { /* no such listener */
        return STATUS_OK;
    }
    if (!json_node_string(node, &text) ||
        (!url_parse(span_from_cstr(text), &url) && !url_parse_mysql(span_from_cstr(text), &url)) ||
        !server_host_is_loopback(url.host)) {
        return error_set(why, STATUS_CONFIG,
                         "its %s is not on this machine: if it is to be believed, set %s yourself",
                         key, setting);
    }
    return STATUS_OK;
}

static enum status check_urls(const struct json_node *root, struct error *why)
{
    static const struct {
        const char *key;
        const char *setting;
    } services[] = {
#define CONFIGURED(KEY)     #KEY
#define NOT_CONFIGURED(KEY) "invoke_URL"
#define PINPIPE_SERVICE(ID, VALUE, KEY, FLAG, TITLE, LABEL, PORT, SETTING, HELP)                   \
    {#KEY, SETTING(KEY)},
#define PINPIPE_SERVICE_LATER(KEY, FLAG, SETTING, HELP) {#KEY, SETTING(KEY)},
#include "pinpipe/services.def"
    };
    enum status status = STATUS_OK;
    for (size_t i = 0; i < ARRAY_COUNT(services) && status == STATUS_OK; i++) {
        status = check_url(root, services[i].key, services[i].setting, why);
    }
    return status;
}

/* --- the file --- */

static enum status facts_parse(int fd, struct json_doc **doc, struct error *why)
{
    struct buf text;
    buf_init(&text, server_json_bytes_max);
    enum status status = file_read_open(fd, facts_name, &text, why);
    if (status == STATUS_OK) {
        status = json_doc_parse(buf_span(&text), doc, why);
        if (status == STATUS_INVALID) {
            error_prefix(why, "it is not a server's: remove it");
        }
    }
    buf_release(&text);
    return status;
}

static enum status facts_load(int dir_fd, const char *dir, struct json_doc **doc, struct error *why)
{
    int fd;
    enum status status = file_open_own(dir_fd, dir, facts_name, &fd, why);
    if (status != STATUS_OK) {
        return status;
    }
    /* Where there is no file there is nothing to say of the directory. */
    status = check_owner(dir_fd, dir, why);
    if (status == STATUS_OK) {
        status = facts_parse(fd, doc, why);
    }
    close(fd);
    if (status == STATUS_OK) {
        status = check_running(dir_fd, dir, json_doc_root(*doc), why);
    }
    if (status == STATUS_OK) {
        status = check_urls(json_doc_root(*doc), why);
    }
    return status;
}

static void tell(struct cli *cli, const struct error *why)
{
    if (cli->told_of_server_file) {
        return;
    }
    cli->told_of_server_file = true;
    fprintf(cli->err, "pinpipe %s: ", cli->command_path);
    cli_put_text(cli, cli->err, span_from_cstr(cli_data_dir(cli)));
    fprintf(cli->err, "/%s is not read: ", facts_name);
    cli_put_text(cli, cli->err, span_from_cstr(why->message));
    fputs("; asking the usual ports\n", cli->err);
}

enum status server_file_load(struct cli *cli, struct json_doc **doc, struct error *err)
{
    const char *dir = cli_data_dir(cli);
    struct error why = ERROR_NONE;
    *doc = NULL;
    int dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    enum status status = STATUS_NOT_FOUND;
    if (dir_fd >= 0) {
        status = facts_load(dir_fd, dir, doc, &why);
        close(dir_fd);
    } else if (errno == EACCES) {
        status = error_set(&why, STATUS_CONFIG,
                           "the directory is another's: choose one of your own with --data");
    }
    if (status == STATUS_OK || status == STATUS_NOT_FOUND) {
        return STATUS_OK;
    }
    json_doc_free(*doc);
    *doc = NULL;
    if (status == STATUS_NO_MEMORY) {
        return error_set(err, status, "%s", why.message);
    }
    tell(cli, &why);
    return STATUS_OK;
}

/* --- looking at a directory --- */

static enum status view_fill(int dir_fd, const char *dir, struct server_view *out,
                             struct error *err)
{
    int fd;
    enum status status = check_owner(dir_fd, dir, err);
    if (status != STATUS_OK) {
        return status;
    }
    status = file_open_own(dir_fd, dir, lock_name, &fd, err);
    if (status != STATUS_OK) {
        return status == STATUS_NOT_FOUND ? STATUS_OK : error_prefix(err, "%s/%s", dir, lock_name);
    }
    bool held = lock_is_held(fd);
    close(fd);
    if (!held) {
        return STATUS_OK;
    }
    out->state = SERVER_BUSY;
    status = facts_load(dir_fd, dir, &out->facts, &out->why);
    if (status == STATUS_OK) {
        bool found = json_node_i64(json_node_get(json_doc_root(out->facts), "pid"), &out->pid);
        PP_ASSERT(found); /* check_running has seen it */
        out->state = SERVER_RUNNING;
        return STATUS_OK;
    }
    json_doc_free(out->facts);
    out->facts = NULL;
    return status == STATUS_NO_MEMORY ? error_no_memory(err) : STATUS_OK;
}

enum status server_look(const char *dir, struct server_view *out, struct error *err)
{
    *out = (struct server_view){.state = SERVER_ABSENT};
    int dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir_fd < 0 && errno == ENOENT) {
        return STATUS_OK;
    }
    if (dir_fd < 0) {
        return error_set(err, STATUS_CONFIG,
                         "%s: cannot be the data directory: %s; choose another with --data", dir,
                         strerror(errno));
    }
    enum status status = view_fill(dir_fd, dir, out, err);
    close(dir_fd);
    return status;
}

void server_view_release(struct server_view *view)
{
    json_doc_free(view->facts);
    view->facts = NULL;
}
