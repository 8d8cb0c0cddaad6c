/* damage.h - what a fuzzer's bytes do to a file's image: each edit is a place (3 bytes), a count (1
 * byte, low 5 bits) and so many bytes to put there; bit 7 of the count: cut the file off instead. A
 * place beyond the end wraps. And a script of SQL that is run in a database. */
#ifndef HEADRACE_FUZZ_DAMAGE_H
#define HEADRACE_FUZZ_DAMAGE_H

#include "base/arena.h"

#include <sqlite3.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct image {
    uint8_t *at;
    size_t n;
};

static inline struct image image_read(const char *path)
{
    struct image image = {0};
    FILE *file = fopen(path, "rb");
    if (!file)
        abort();
    fseek(file, 0, SEEK_END);
    image.n = (size_t)ftell(file);
    rewind(file);
    image.at = malloc(image.n ? image.n : 1);
    if (!image.at || fread(image.at, 1, image.n, file) != image.n)
        abort();
    fclose(file);
    return image;
}

static inline void image_write(const struct image *image, const char *path)
{
    FILE *file = fopen(path, "wb");
    if (!file || fwrite(image->at, 1, image->n, file) != image->n || fclose(file))
        abort();
}

static inline void image_damage(struct image *image, const uint8_t *data, size_t n)
{
    while (n >= 4 && image->n) {
        size_t place = ((size_t)data[0] << 16 | (size_t)data[1] << 8 | data[2]) % image->n;
        size_t count = data[3] & 31, left = image->n - place;
        if (data[3] & 128)
            image->n = place;
        count = count < n - 4 ? count : n - 4;
        if (!(data[3] & 128))
            memcpy(image->at + place, data + 4, count < left ? count : left);
        data += 4 + count;
        n -= 4 + count;
    }
}

static inline struct image image_copy(const struct image *image)
{
    struct image copy = {malloc(image->n ? image->n : 1), image->n};
    if (!copy.at)
        abort();
    memcpy(copy.at, image->at, image->n);
    return copy;
}

/* A script may not leave its file, nor take for ever. */
static inline int script_may(void *user, int action, const char *a, const char *b, const char *c,
                             const char *d)
{
    (void)user, (void)a, (void)b, (void)c, (void)d;
    return action == SQLITE_ATTACH || action == SQLITE_PRAGMA || action == SQLITE_RECURSIVE
               ? SQLITE_DENY
               : SQLITE_OK;
}

static inline int script_ends(void *user)
{
    (void)user;
    return 1;
}

static inline void script_run(const char *path, str script)
{
    sqlite3 *handle;
    char *text = xstrdup(script);
    if (sqlite3_open_v2(path, &handle, SQLITE_OPEN_READWRITE, NULL) == SQLITE_OK) {
        sqlite3_limit(handle, SQLITE_LIMIT_LENGTH, 1 << 20);
        sqlite3_limit(handle, SQLITE_LIMIT_EXPR_DEPTH, 20);
        sqlite3_exec(handle, "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF", NULL, NULL, NULL);
        sqlite3_set_authorizer(handle, script_may, NULL);
        sqlite3_progress_handler(handle, 100000, script_ends, NULL);
        sqlite3_exec(handle, text, NULL, NULL, NULL);
    }
    sqlite3_close(handle);
    free(text);
}

#endif
