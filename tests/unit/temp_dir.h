/* temp_dir.h - a directory for one test, removed with everything in it when the process ends. */
#ifndef HEADRACE_TESTS_TEMP_DIR_H
#define HEADRACE_TESTS_TEMP_DIR_H

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char temp_parent[] = "/tmp/hr-test-XXXXXX";
static pid_t temp_owner;
static int temp_count;

static int temp_unlink(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st, (void)type, (void)ftw;
    return remove(path);
}

__attribute__((destructor)) static void temp_remove_all(void)
{
    if (temp_owner == getpid())
        nftw(temp_parent, temp_unlink, 16, FTW_DEPTH | FTW_PHYS);
}

/* A path that does not exist yet; free() it. */
static inline char *temp_dir(void)
{
    char *path = NULL;
    if (!temp_owner && !mkdtemp(temp_parent))
        abort();
    temp_owner = temp_owner ? temp_owner : getpid();
    if (asprintf(&path, "%s/%d", temp_parent, temp_count++) < 0)
        abort();
    return path;
}

#endif
