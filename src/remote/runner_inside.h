/* remote/runner_inside.h - private to remote/runner*.c: one message on its way, and what all of
 * them share. */
#ifndef HEADRACE_REMOTE_RUNNER_INSIDE_H
#define HEADRACE_REMOTE_RUNNER_INSIDE_H

#include "remote/queue.h"
#include "remote/runner.h"

#define POLLERS 4 /* receives that may be open at once */

struct lane {
    struct runner *runner;
    struct arena *arena; /* of the message; reset when the next comes */
    struct task *task;   /* NULL: free */
    struct ask ask;      /* being performed */
    struct answer answer;
    struct count count;
    msec extended; /* when its invisibility last began */
};

struct poller {
    struct runner *runner;
    struct arena *arena;
    struct remote_call *call; /* NULL: idle */
};

struct runner {
    struct remote *remote;
    struct runner_options options;
    struct lane *lanes;
    size_t nlanes, active;
    struct poller pollers[POLLERS];
    struct batcher *sends, *deletes;
    int64_t visibility; /* seconds, once known */
    uv_timer_t heart, pause;
    msec pause_length; /* ms; grows while receives fail */
    int64_t empties;   /* receives in a row that gave nothing */
    bool stopping, taking, over;
    bool plain_put; /* this S3 refuses If-None-Match */
    int closing;
    int code;
    void (*ended)(void *user, int code);
    void *user;

    int64_t received, finished, failed, bytes, extensions;
};

/* Performs the ask, which is no ASK_LOG; lane_resume follows, later. */
void lane_perform(struct lane *lane, const struct ask *ask);
void lane_resume(struct lane *lane);
str error_text(struct arena *arena, str code, str message);

#endif
