/* packaging/image.c - makes the image of store/image.h at build time: a database in memory, all
 * migrations, and its bytes as C. Rows must not get in: what engines keep in a new database (the
 * key of receipt handles) is each directory's own.
 *
 * Usage: image FILE.c */
#include "store/image.h"

#include "s3/schema.h"
#include "sqs/engine.h"
#include "store/blob_internal.h"
#include "store/db_internal.h"

#include <stdio.h>
#include <stdlib.h>

const struct db_image db_image; /* the maker's own database begins with nothing */

/* Most bytes of an empty database are zero, and need not be said. */
static void print_bytes(FILE *out, const unsigned char *bytes, sqlite3_int64 n)
{
    int column = 0;
    fprintf(out, "/* Made by src/packaging/image.c. */\n#include \"store/image.h\"\n");
    fprintf(out, "static const unsigned char bytes[%lld] = {", (long long)n);
    for (sqlite3_int64 at = 0; at < n; at++) {
        if (!bytes[at])
            continue;
        fputs(column++ % 20 ? "" : "\n", out);
        if (at && !bytes[at - 1])
            fprintf(out, "[%lld]=", (long long)at);
        fprintf(out, "%d,", bytes[at]);
    }
    fprintf(out, "\n};\nconst struct db_image db_image = {bytes, sizeof bytes};\n");
}

int main(int argc, char **argv)
{
    char *message = NULL;
    struct db *db = db_open(NULL, DURABLE_PROCESS, &message);
    FILE *out = argc == 2 ? fopen(argv[1], "w") : NULL;
    sqlite3_int64 n = 0;
    if (!db || !out)
        return EXIT_FAILURE;
    blobs_schema_make(db);
    sqs_schema_make(db);
    s3_schema_make(db);
    unsigned char *bytes = sqlite3_serialize(db->handle, "main", &n, 0);
    if (bytes)
        print_bytes(out, bytes, n);
    sqlite3_free(bytes);
    db_close(db);
    return bytes && !(ferror(out) | fclose(out)) ? EXIT_SUCCESS : EXIT_FAILURE;
}
