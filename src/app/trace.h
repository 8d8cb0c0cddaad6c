/* app/trace.h - why something happened, and why nothing did: a bounded memory of events, linked by
 * what caused what.
 *
 * Every event is about one thing with an identity (`id`): an S3 write has its request id, a message
 * its MessageId. `because` is the id of the thing that caused it. Nothing is indexed while
 * recording; a question walks the memory, collects the events of the thing asked for, climbs to its
 * first cause and comes down again. When the memory is full the oldest events go. */
#ifndef HEADRACE_APP_TRACE_H
#define HEADRACE_APP_TRACE_H

#include "base/buf.h"
#include "base/ctx.h"

/* X(kind, name in JSON, is it the birth of `id`?) */
#define TRACE_KINDS(X)                                                                             \
    X(TRACE_OBJECT, "object", true)      /* an S3 write: put, copy, complete, delete, ... */       \
    X(TRACE_MATCHED, "matched", false)   /* a notification rule took the event */                  \
    X(TRACE_PASSED, "passed", false)     /* a notification rule did not; reason says why */        \
    X(TRACE_NOTHING, "nothing", false)   /* nothing at all will come of it; reason says why */     \
    X(TRACE_SENT, "sent", true)          /* a message entered a queue */                           \
    X(TRACE_RECEIVED, "received", false) /* handed out: number = attempt, until = hidden until */  \
    X(TRACE_HIDDEN, "hidden", false)     /* visibility timeout changed */                          \
    X(TRACE_RETURNED, "returned", false) /* visible again without having been deleted */           \
    X(TRACE_DELETED, "deleted", false)                                                             \
    X(TRACE_EXPIRED, "expired", false) /* retention ended it */                                    \
    X(TRACE_DEAD, "dead", false)       /* moved to the dead-letter queue */                        \
    X(TRACE_STEP, "step", false)       /* a pipeline stage's decision: note is its log action */   \
    X(TRACE_FAILED, "failed", false)   /* a stage failed; note is the error */                     \
    X(TRACE_REFUSED, "refused", false) /* a request was refused; reason is the error code */       \
    X(TRACE_FAULT, "fault", false)     /* a fault rule fired; reason is its effect */              \
    X(TRACE_UPLOAD, "upload", true)    /* a multipart upload was begun: no object yet */           \
    X(TRACE_WAITING, "waiting", false) /* never stored: why it goes no further now (trace_wait) */

enum trace_kind {
#define TRACE_ENUM(kind, name, birth) kind,
    TRACE_KINDS(TRACE_ENUM)
#undef TRACE_ENUM
        TRACE_KIND_COUNT
};

struct trace_event {
    int64_t seq; /* given by trace_add, from 1 */
    msec at;     /* virtual time */
    enum trace_kind kind;
    int64_t number; /* attempt, bytes, ...; 0: none */
    msec until;     /* 0: none */
    int64_t place;  /* of a message: its row, to ask the engine for it; 0: none; not shown */
    str id;         /* of the thing this event is about */
    str because;    /* id of what caused it; absent at the edge */
    str root;       /* X-Amzn-Trace-Id's Root, where the client sent one */
    str subject;    /* "s3://bucket/key" or a queue's name */
    str actor;      /* who did it: access key, "ingest", "worker-3" */
    str reason;     /* one machine-readable word: "prefix", "suffix", "too_large", an error code */
    str note; /* a phrase for people; also job ids and trace ids, so that a search finds them */
};

/* NULL is a trace that is switched off: it takes nothing and knows nothing. */
struct trace;

struct trace *trace_new(size_t max_bytes);
void trace_free(struct trace *trace);
/* Forgets everything. */
void trace_clear(struct trace *trace);
/* Copies the event in; seq is ignored. */
void trace_add(struct trace *trace, const struct trace_event *event);
/* Forgets every event after `seq`: what they told of was rolled back. */
void trace_rewind(struct trace *trace, int64_t seq);
int64_t trace_last(const struct trace *trace);  /* seq of the newest event; 0: none */
int64_t trace_first(const struct trace *trace); /* seq of the oldest event still known */
/* The event after `seq`, views into the memory (valid until the next add); false when there is none
 * yet. */
bool trace_next(const struct trace *trace, int64_t seq, struct trace_event *out);

/* The life of `target`: an s3:// URL, a message id, a request id, a trace root, or a text that a
 * note holds (job id, traceId). All events of all things it hangs together with, by seq, copied
 * into the arena. n = 0: nothing known. */
void trace_find(const struct trace *trace, struct arena *arena, str target,
                struct trace_event **events, size_t *n);
/* Following a life while it goes on: from trace_watch_begin on, the watch takes what belongs to
 * `target` or is caused by anything that did. Memory is bounded: when very much belonged, older
 * things are forgotten and only `target` itself counts again. */
struct trace_watch;
struct trace_watch *trace_watch_begin(const struct trace *trace, str target);
void trace_watch_end(struct trace_watch *watch);
/* Does this event belong? *depth: how many causes are above it. Give it every event once, in order.
 */
bool trace_watch_takes(struct trace_watch *watch, const struct trace_event *event, int *depth);

/* One event as a line for people, without its instant. */
void trace_line(struct buf *b, const struct trace_event *event);
/* One event as a JSON object. */
void trace_event_json(struct buf *b, const struct trace_event *event);
/* {"target":...,"events":[...]} */
void trace_json(struct buf *b, str target, const struct trace_event *events, size_t n);
/* The tree for a terminal, with the time since the first event; `color`: ANSI colours. */
void trace_tree(struct buf *b, struct arena *arena, const struct trace_event *events, size_t n,
                bool color);
str trace_kind_name(enum trace_kind kind);
/* The thing with the event's id begins with it. */
bool trace_is_birth(enum trace_kind kind);

#endif
