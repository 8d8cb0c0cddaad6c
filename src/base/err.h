/* base/err.h - an error is a small value: a static fault row and, optionally, a detail in the
 * request's arena. The zero value is success. Engines declare their rows; only aws/fault knows how
 * one looks on a wire.
 *
 * Broken invariants and out-of-memory are not errors: log and abort. Input is never asserted, it is
 * refused. */
#ifndef HEADRACE_BASE_ERR_H
#define HEADRACE_BASE_ERR_H

#include "base/arena.h"

/* One thing that can go wrong, as AWS names it. */
struct fault {
    const char
        *type; /* shape name after `__type ...#` in JSON ("QueueDoesNotExist"); S3: same as code */
    const char *code;  /* Query/XML code ("AWS.SimpleQueueService.NonExistentQueue", "NoSuchKey") */
    int status;        /* HTTP status */
    const char *text;  /* default message */
    const char *space; /* JSON namespace; NULL means the service's own ("com.amazonaws.sqs") */
};

/* An extra element of an S3 error document (BucketName, Key, ...), in the order they were added. */
struct fault_extra {
    str name, value;
    struct fault_extra *next;
};

struct fault_detail {
    str text; /* replaces the row's text when present */
    struct fault_extra *extras;
};

typedef struct {
    const struct fault *fault;
    struct fault_detail *detail;
} err;

#define OK ((err){0})
/* A fault with its default text. */
#define FAIL(row) ((err){.fault = &(row)})
#define TRY(expression)                                                                            \
    do {                                                                                           \
        err try_error_ = (expression);                                                             \
        if (try_error_.fault)                                                                      \
            return try_error_;                                                                     \
    } while (0)

static inline bool failed(err e)
{
    return e.fault != NULL;
}

/* A fault with a text of its own, printf-style, in `arena`. */
err err_text(struct arena *arena, const struct fault *fault, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* `e` with one more extra element; `value` is borrowed for the life of the arena. */
err err_with(struct arena *arena, err e, const char *name, str value);
/* The text that a client will see. */
str err_message(err e);

/* Faults that any layer may raise. */
extern const struct fault FAULT_INTERNAL; /* InternalError 500: I/O failed, disk full, ... */
extern const struct fault
    FAULT_UNAVAILABLE; /* ServiceUnavailable 503: shutting down, commit failed */

#endif
