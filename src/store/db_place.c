/* store/db_place.c - where the database lies, and whether it still lies there.
 *
 * Files that are open go on when their names are gone: after somebody's rm -rf or mv all would seem
 * well, and what is acknowledged from there on would be lost with the process. Worse, large bodies
 * go by name: in a directory that was made anew they would be another server's. So every turn looks
 * before its commit, and every large body before its file is touched. Two stats cost less than the
 * write that follows. */
#include "store/db_internal.h"

#include "base/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

char *db_absolute(const char *path)
{
    char *here = path[0] == '/' ? NULL : getcwd(NULL, 0), *whole = NULL;
    if (!here)
        return xstrdup(str_of(path));
    if (asprintf(&whole, "%s/%s", here, path) < 0)
        abort();
    free(here);
    return whole;
}

static struct db_file_id look(const char *path)
{
    struct stat st;
    if (stat(path, &st))
        return (struct db_file_id){0};
    return (struct db_file_id){st.st_dev, st.st_ino};
}

void db_place_remember(struct db *db)
{
    db->file_id = look(db->file);
    db->log_id = look(db->log_file);
}

static bool same(struct db_file_id was, struct db_file_id is)
{
    return !was.inode || (was.device == is.device && was.inode == is.inode);
}

bool db_in_place(struct db *db)
{
    if (!db->file)
        return true;
    bool there = same(db->file_id, look(db->file)) && same(db->log_id, look(db->log_file));
    bool told = atomic_exchange_explicit(&db->displaced, !there, memory_order_relaxed);
    if (!there && !told)
        log_error("the files in %s were removed, moved or replaced while they are in use: nothing "
                  "is written until they are back. If they are gone for good, start again",
                  db->dir);
    if (there && told)
        log_warn("the files in %s are back", db->dir);
    return there;
}
