/* store/examine.h - how engines tell the doctor what is wrong with what they keep in their tables:
 * s3/examine.h and sqs/examine.h give such functions, app calls them between doctor_open and
 * doctor_close. */
#ifndef HEADRACE_STORE_EXAMINE_H
#define HEADRACE_STORE_EXAMINE_H

#include "base/str.h"

struct examine_finding {
    str what;            /* "s3://BUCKET/KEY, version ID": borrowed for the call */
    const char *trouble; /* "its body is not what was stored" */
    int64_t row;         /* for the engine's function that takes it away; 0: what is kept can still
                            be read as it was stored */
    bool known;          /* because of a body that the store has told of already */
};

struct examine_ask {
    void *user;
    bool (*lost)(void *user, int64_t blob); /* the store has told that it cannot be read */
    void (*found)(void *user, const struct examine_finding *finding);
    void (*progress)(void *user, int64_t bytes); /* more of them were compared */
};

struct examine_sum {
    int64_t compared;   /* things that have a digest */
    int64_t uncompared; /* those that have none */
};

#endif
