/* Replays saved inputs through one fuzz target without libFuzzer: every file of the folders named,
 * and an empty input. Part of `make test`. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { path_bytes_max = 4096 };

static int replay_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL || fseek(file, 0, SEEK_END) != 0) {
        fprintf(stderr, "cannot read %s\n", path);
        return 1;
    }
    long size = ftell(file);
    rewind(file);
    /* Its own allocation of exactly this size, so that an over-read shows under ASan. */
    uint8_t *bytes = malloc(size > 0 ? (size_t)size : 1);
    int bad = bytes == NULL || size < 0 || fread(bytes, 1, (size_t)size, file) != (size_t)size;
    fclose(file);
    if (!bad) {
        LLVMFuzzerTestOneInput(bytes, (size_t)size);
    }
    free(bytes);
    return bad;
}

int main(int argc, char **argv)
{
    int bad = 0;
    int count = 0;
    LLVMFuzzerTestOneInput((const uint8_t *)"", 0);
    for (int i = 1; i < argc; i++) {
        DIR *folder = opendir(argv[i]);
        struct dirent *entry;
        if (folder == NULL) {
            fprintf(stderr, "there is no corpus %s\n", argv[i]);
            return 1;
        }
        while ((entry = readdir(folder)) != NULL) {
            char path[path_bytes_max];
            if (entry->d_name[0] == '.') {
                continue;
            }
            snprintf(path, sizeof(path), "%s/%s", argv[i], entry->d_name);
            bad |= replay_file(path);
            count++;
        }
        closedir(folder);
    }
    if (count == 0) {
        fprintf(stderr, "the corpus is empty\n");
        return 1;
    }
    printf("ok - %d saved inputs\n", count);
    return bad;
}
