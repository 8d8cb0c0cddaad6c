/* bench_store.c - what db and blob cost by themselves: microseconds of an operation, by turn size
 * and durability. Usage: bench_store [DIRECTORY]   (default: a new one under /tmp; it is left
 * behind when it was given) Prints the processor time of one operation in microseconds and, in
 * brackets, the time that passed; medians of three. */
#include "store/blob.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define ROUNDS 3

static const char *const tables[] = {
    "CREATE TABLE message(id INTEGER PRIMARY KEY, queue INTEGER, visible INTEGER, body TEXT);"
    "CREATE TABLE object(id INTEGER PRIMARY KEY, bucket INTEGER, key TEXT, blob INTEGER, "
    "UNIQUE(bucket, key));",
};

struct bench {
    struct db *db;
    struct blobs *blobs;
    struct arena *arena;
    char *body; /* 64 KiB of noise */
    int64_t next;
    size_t size; /* of bodies */
};

static double read_clock(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static double now(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

/* Elapsed time, and time on a processor, which a busy neighbour does not change. */
struct cost {
    double wall, cpu;
};

static struct cost cost_now(void)
{
    return (struct cost){now(), read_clock(CLOCK_PROCESS_CPUTIME_ID)};
}

static void insert(struct bench *b, int64_t i)
{
    struct stmt *stmt =
        db_sql(b->db, "INSERT INTO message(id, queue, visible, body) VALUES(?, 1, ?, ?)");
    bind_int(stmt, 1, b->next + i);
    bind_int(stmt, 2, i);
    bind_str(stmt, 3, (str){b->body, 300});
    (void)stmt_run(stmt);
}

static void hide(struct bench *b, int64_t i)
{
    struct stmt *stmt = db_sql(b->db, "UPDATE message SET visible = ? WHERE id = ?");
    bind_int(stmt, 1, i + 30000);
    bind_int(stmt, 2, b->next + i);
    (void)stmt_run(stmt);
}

static void erase(struct bench *b, int64_t i)
{
    struct stmt *stmt = db_sql(b->db, "DELETE FROM message WHERE id = ?");
    bind_int(stmt, 1, b->next + i);
    (void)stmt_run(stmt);
}

static void nothing(struct bench *b, int64_t i)
{
    (void)b, (void)i;
}

static void object_put(struct bench *b, int64_t i)
{
    char key[32];
    int64_t blob = 0;
    int n = snprintf(key, sizeof key, "key/%012lld", (long long)(b->next + i));
    if (blob_put(b->blobs, (str){b->body, b->size}, &blob).fault)
        abort();
    struct stmt *stmt = db_sql(b->db, "INSERT INTO object(bucket, key, blob) VALUES(1, ?, ?)");
    bind_str(stmt, 1, (str){key, (size_t)n});
    bind_int(stmt, 2, blob);
    (void)stmt_run(stmt);
}

static void object_get(struct bench *b, int64_t i)
{
    char key[32];
    int n = snprintf(key, sizeof key, "key/%012lld", (long long)(b->next + i));
    struct stmt *stmt = db_sql(b->db, "SELECT blob FROM object WHERE bucket = 1 AND key = ?");
    bind_str(stmt, 1, (str){key, (size_t)n});
    int64_t blob = stmt_row(stmt) ? col_int(stmt, 0) : 0;
    str bytes;
    stmt_done(stmt);
    if (blob_read(b->blobs, b->arena, blob, 0, b->size, &bytes).fault || bytes.n != b->size)
        abort();
    arena_reset(b->arena);
}

/* Microseconds of one operation, `batch` of them to a turn, each in its savepoint. */
static struct cost run(struct bench *b, void (*op)(struct bench *, int64_t), int total, int batch)
{
    struct cost start = cost_now();
    for (int i = 0; i < total;) {
        for (int k = 0; k < batch && i < total; k++, i++) {
            db_savepoint(b->db);
            op(b, i);
            db_release(b->db);
        }
        if (db_turn_commit(b->db).fault)
            abort();
        blobs_turn_ended(b->blobs);
    }
    struct cost end = cost_now();
    if (db_checkpoint_due(b->db))
        db_checkpoint(b->db, true);
    return (struct cost){(end.wall - start.wall) / total, (end.cpu - start.cpu) / total};
}

static int by_cpu(const void *a, const void *b)
{
    double x = ((const struct cost *)a)->cpu, y = ((const struct cost *)b)->cpu;
    return x < y ? -1 : x > y;
}

static void print_median(const char *name, struct cost *costs)
{
    qsort(costs, ROUNDS, sizeof *costs, by_cpu);
    printf("  %s %7.2f (%7.2f)", name, costs[ROUNDS / 2].cpu, costs[ROUNDS / 2].wall);
}

static void queue_rows(struct bench *b, int total, int batch)
{
    struct cost ins[ROUNDS], upd[ROUNDS], del[ROUNDS];
    for (int round = 0; round < ROUNDS; round++) {
        ins[round] = run(b, insert, total, batch);
        upd[round] = run(b, hide, total, batch);
        del[round] = run(b, erase, total, batch);
        b->next += total;
    }
    printf("  queue, turns of %4d:", batch);
    print_median("insert", ins);
    print_median("update", upd);
    print_median("delete", del);
    printf("\n");
}

static void object_rows(struct bench *b, size_t size, int total, int batch)
{
    struct cost put[ROUNDS], get[ROUNDS];
    b->size = size;
    for (int round = 0; round < ROUNDS; round++) {
        put[round] = run(b, object_put, total, batch);
        get[round] = run(b, object_get, total, batch);
        b->next += total;
    }
    printf("  object of %6zu B, turns of %3d:", size, batch);
    print_median("put", put);
    print_median("get", get);
    printf("\n");
}

/* dir NULL: in memory. */
static void measure(const char *dir, enum durability durability)
{
    char *message = NULL, room[4096], *path = dir ? room : NULL;
    struct bench b = {.next = 1, .arena = arena_new(), .body = xalloc(65536)};
    for (int i = 0; i < 65536; i++)
        b.body[i] = (char)('a' + i * 7 % 26);
    snprintf(room, sizeof room, "%s/%d", dir ? dir : "", (int)durability);
    double start = now();
    b.db = db_open(path, durability, &message);
    b.blobs = b.db ? blobs_open(b.db, path, durability, &message) : NULL;
    if (!b.blobs)
        printf("%s\n", message), exit(1);
    db_migrate(b.db, "bench", tables, 1);
    printf("%s: created in %.1f ms\n",
           !dir                          ? "in memory"
           : durability == DURABLE_POWER ? "power"
                                         : "process",
           (now() - start) / 1e3);
    int scale = durability == DURABLE_POWER ? 1 : 4;
    printf("  empty savepoint: %.3f us\n", run(&b, nothing, 100000, 32).cpu);
    queue_rows(&b, 500 * scale, 1);
    queue_rows(&b, 5000 * scale, 32);
    queue_rows(&b, 20000, 1000);
    object_rows(&b, 4096, 500 * scale, 1);
    static const size_t sizes[] = {1024, 4096, 16384, 65536};
    for (int i = 0; i < 4; i++)
        object_rows(&b, sizes[i], i < 2 ? 6400 : 1600, 32);
    start = now();
    blobs_close(b.blobs);
    db_close(b.db);
    printf("  closed in %.1f ms\n", (now() - start) / 1e3);
    start = now();
    b.db = db_open(path, durability, &message);
    printf("  opened again in %.1f ms\n", (now() - start) / 1e3);
    db_close(b.db);
    arena_free(b.arena);
    free(b.body);
}

static int unlink_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st, (void)type, (void)ftw;
    return remove(path);
}

int main(int argc, char **argv)
{
    char fresh[] = "/tmp/bench-store-XXXXXX";
    const char *dir = argc > 1 ? argv[1] : mkdtemp(fresh);
    if (!dir)
        return 1;
    setvbuf(stdout, NULL, _IOLBF, 0);
    measure(NULL, DURABLE_PROCESS);
    measure(dir, DURABLE_PROCESS);
    measure(dir, DURABLE_POWER);
    if (argc < 2)
        nftw(dir, unlink_one, 16, FTW_DEPTH | FTW_PHYS);
    return 0;
}
