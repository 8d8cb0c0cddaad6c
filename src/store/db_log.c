/* store/db_log.c - whose log is it? SQLite takes any log that is whole in itself: one of another
 * directory, or of another time, would be laid over the database without a word, and the first
 * sweep would remove the bodies of what was there.
 *
 * So a database has a mark in its header (user_version): 20 bits that it was given when it was
 * made, and 12 that count. The first turn after an open, and the one after a log began anew, writes
 * the mark with the count one higher. SQLite writes the header's page into the log with it and,
 * when that is copied back, into the file. Hence among the marks in a log is always the file's own
 * or the one after it: a log begins where all of the one before it is in the file, and when its
 * pages were copied back the file's mark came out of it. Logs without a mark (of older versions, or
 * of one turn) are taken as they are. */
#include "store/db_internal.h"

#include "base/log.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    HEADER = 32,
    FRAME = 24,
    MARK_AT = 60, /* in the first page */
    COUNT_BITS = 12,
};
#define COUNT ((1U << COUNT_BITS) - 1)

static uint32_t number_at(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static bool follows(uint32_t mark, uint32_t logged)
{
    return mark >> COUNT_BITS == logged >> COUNT_BITS && ((logged - mark) & COUNT) <= 1;
}

/* Frames of the log before have other salts (8 bytes), and end what is read. */
static bool scan(int fd, const uint8_t *header, uint32_t mark)
{
    uint8_t frame[FRAME], logged[4];
    bool strange = false;
    int64_t page = number_at(header + 8);
    for (int64_t at = HEADER; pread(fd, frame, FRAME, at) == FRAME; at += FRAME + page) {
        if (memcmp(frame + 8, header + 16, 8) != 0)
            break;
        if (number_at(frame) != 1 || pread(fd, logged, 4, at + FRAME + MARK_AT) != 4)
            continue;
        if (follows(mark, number_at(logged)))
            return true;
        strange = true;
    }
    return !strange;
}

bool db_log_belongs(const char *file, uint32_t mark, char **message)
{
    char *log = NULL;
    uint8_t header[HEADER];
    if (asprintf(&log, "%s-wal", file) < 0)
        abort();
    int fd = mark ? open(log, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC) : -1;
    bool good = fd < 0 || pread(fd, header, HEADER, 0) != HEADER || !number_at(header + 8) ||
                scan(fd, header, mark);
    if (fd >= 0)
        close(fd);
    if (!good)
        db_say(message,
               "%s is not the log of this database, or of another time. Restore both from one "
               "copy, or move it away: "
               "what is in it is lost then",
               log);
    free(log);
    return good;
}

int db_log_mark(struct db *db)
{
    char sql[64];
    uint32_t mark = (uint32_t)db_ask_number(db->handle, "PRAGMA user_version"), made = 0;
    while (!(mark >> COUNT_BITS)) {
        sqlite3_randomness(sizeof made, &made);
        mark = made & ~COUNT;
    }
    mark = (mark & ~COUNT) | ((mark + 1) & COUNT);
    snprintf(sql, sizeof sql, "PRAGMA user_version=%d", (int)mark);
    return sqlite3_exec(db->handle, sql, NULL, NULL, NULL);
}
