/* store/image.h - a database that has all tables and no rows, as the build made it (the program is
 * src/packaging/image.c). Making the tables takes SQLite six million instructions; a new data
 * directory starts as a copy instead. The migrations stay what decides: they find their steps
 * recorded in the copy, and whoever opens no image (n is 0 when cross-compiling) runs them all. */
#ifndef HEADRACE_STORE_IMAGE_H
#define HEADRACE_STORE_IMAGE_H

#include <stddef.h>

struct db_image {
    const unsigned char *bytes; /* a whole SQLite file, without a log */
    size_t n;                   /* 0: there is none */
};
extern const struct db_image db_image;

#endif
