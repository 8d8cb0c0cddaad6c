/* replay.c - a main() for a fuzz driver built without libFuzzer: runs it once on every kept input,
 * and on none at all. The corpus is a folder (or files); what a fuzzer once found stays there, so a
 * bug that comes back fails this test. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (!file) {
        perror(path);
        return 1;
    }
    size_t size = 0, cap = 0, got;
    uint8_t *data = NULL;
    do {
        cap = cap ? cap * 2 : 4096;
        data = realloc(data, cap);
        if (!data)
            abort();
        got = fread(data + size, 1, cap - size, file);
        size += got;
    } while (got);
    fclose(file);
    /* An exact copy, so that a sanitizer sees a read past the end. */
    uint8_t *exact = malloc(size ? size : 1);
    if (!exact)
        abort();
    for (size_t i = 0; i < size; i++)
        exact[i] = data[i];
    free(data);
    LLVMFuzzerTestOneInput(exact, size);
    free(exact);
    return 0;
}

static int replay_folder(const char *path, int *count)
{
    DIR *folder = opendir(path);
    int failed = 0;
    if (!folder)
        return 0;
    for (struct dirent *entry; (entry = readdir(folder));) {
        char name[4096];
        struct stat info;
        snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
        if (stat(name, &info) || !S_ISREG(info.st_mode))
            continue;
        failed |= replay_file(name);
        ++*count;
    }
    closedir(folder);
    return failed;
}

int main(int argc, char **argv)
{
    int count = 1, failed = 0;
    LLVMFuzzerTestOneInput((const uint8_t *)"", 0);
    for (int i = 1; i < argc; i++)
        failed |= replay_folder(argv[i], &count);
    printf("%d inputs replayed\n", count);
    return failed;
}
