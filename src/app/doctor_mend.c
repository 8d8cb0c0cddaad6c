/* app/doctor_mend.c - see doctor_mend.h. What is taken away goes by the engines' own functions, so
 * that copies keep the bodies they share. */
#include "app/doctor_mend.h"

#include "app/command.h"
#include "base/text.h"
#include "s3/lost.h"
#include "sqs/examine.h"

#include <stdio.h>
#include <stdlib.h>

void doctor_numbers_add(struct doctor_numbers *numbers, int64_t number)
{
    numbers->at = xrealloc(numbers->at, (numbers->n + 1) * sizeof *numbers->at);
    numbers->at[numbers->n++] = number;
}

void doctor_damage_free(struct doctor_damage *damage)
{
    free(damage->bodies.at);
    free(damage->s3.at);
    free(damage->sqs.at);
    *damage = (struct doctor_damage){0};
}

void doctor_print(str what, const char *text)
{
    struct arena *arena = arena_new();
    struct buf b = buf_in(arena);
    buf_visible(&b, what);
    printf("%.*s: %s\n", (int)b.n, b.p, text);
    arena_free(arena);
}

static void on_lost(void *user, str what)
{
    (void)user;
    doctor_print(what, "its body is lost: removed");
}

static void on_damaged(void *user, str what)
{
    (void)user;
    doctor_print(what, "its body is damaged: removed");
}

static err drop_s3(struct s3 *s3, struct ctx *ctx, const struct doctor_damage *damage)
{
    size_t n;
    for (size_t i = 0; i < damage->bodies.n; i++)
        TRY(s3_lost_drop(s3, ctx, damage->bodies.at[i], on_lost, NULL, &n));
    for (size_t i = 0; i < damage->s3.n; i++)
        TRY(s3_lost_drop_row(s3, ctx, damage->s3.at[i], on_damaged, NULL));
    return OK;
}

static err drop_sqs(struct db *db, const struct doctor_damage *damage)
{
    for (size_t i = 0; i < damage->sqs.n; i++)
        TRY(sqs_examine_drop(db, damage->sqs.at[i]));
    if (damage->sqs.n)
        printf("%zu damaged messages: removed\n", damage->sqs.n);
    return OK;
}

static bool drop(struct db *db, struct blobs *blobs, const struct doctor_damage *damage)
{
    struct s3_hooks none = {0};
    struct s3 *s3 = s3_open(db, blobs, &none);
    struct arena *arena = arena_new();
    struct ctx ctx = {.arena = arena};
    db_savepoint(db);
    err e = drop_s3(s3, &ctx, damage);
    if (!failed(e))
        e = drop_sqs(db, damage);
    if (!failed(e))
        e = blobs_give_up_sums(blobs);
    db_release(db);
    if (failed(db_turn_commit(db)))
        e = FAIL(FAULT_INTERNAL);
    blobs_turn_ended(blobs);
    arena_free(arena);
    s3_close(s3);
    return !failed(e);
}

bool doctor_mend(const char *dir, const struct doctor_damage *damage)
{
    char *message = NULL;
    struct db *db = db_open(dir, DURABLE_POWER, &message);
    struct blobs *blobs = db ? blobs_open(db, dir, DURABLE_POWER, &message) : NULL;
    bool good = blobs && drop(db, blobs, damage);
    if (!good)
        command_fail("%s", message ? message : "the directory cannot be written");
    free(message);
    blobs_close(blobs);
    db_close(db);
    return good;
}
