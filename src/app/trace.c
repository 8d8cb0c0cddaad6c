/* app/trace.c - the memory of events: a list of chunks, each a run of packed records {struct
 * record, bytes of its texts}. Adding is a bump and a copy; the oldest chunk goes when the budget
 * is spent. Readers get views and must not keep them over an add. */
#include "app/trace.h"

#include "app/idset.h"

#include <stdlib.h>
#include <string.h>

#define CHUNK_BYTES ((size_t)256 * 1024)
#define TEXTS 7
#define TEXT_MAX ((size_t)4096)

struct record {
    int64_t seq;
    msec at, until;
    int64_t number, place;
    uint16_t lengths[TEXTS]; /* in the order of texts_of */
    uint8_t present;         /* bit i: text i is there */
    uint8_t kind;
};

struct chunk {
    struct chunk *newer;
    int64_t first, last; /* seqs */
    size_t used;
    uint32_t at[CHUNK_BYTES / sizeof(struct record)]; /* where the record first + i begins */
    _Alignas(16) char bytes[CHUNK_BYTES];
};

struct trace {
    struct chunk *oldest, *newest;
    size_t chunks, max_chunks;
    int64_t last;
};

str trace_kind_name(enum trace_kind kind)
{
#define TRACE_NAME(kind_, name, birth) [kind_] = {name, sizeof name - 1},
    static const str names[] = {TRACE_KINDS(TRACE_NAME)};
#undef TRACE_NAME
    return names[kind];
}

bool trace_is_birth(enum trace_kind kind)
{
#define TRACE_BIRTH(kind_, name, birth) [kind_] = birth,
    static const bool births[] = {TRACE_KINDS(TRACE_BIRTH)};
#undef TRACE_BIRTH
    return births[kind];
}

struct trace *trace_new(size_t max_bytes)
{
    struct trace *trace = xalloc(sizeof *trace);
    trace->max_chunks = max_bytes / CHUNK_BYTES < 2 ? 2 : max_bytes / CHUNK_BYTES;
    return trace;
}

void trace_clear(struct trace *trace)
{
    if (!trace)
        return;
    while (trace->oldest) {
        struct chunk *chunk = trace->oldest;
        trace->oldest = chunk->newer;
        free(chunk);
    }
    trace->newest = NULL;
    trace->chunks = 0;
}

void trace_free(struct trace *trace)
{
    trace_clear(trace);
    free(trace);
}

static void drop_oldest(struct trace *trace)
{
    struct chunk *chunk = trace->oldest;
    trace->oldest = chunk->newer;
    trace->chunks--;
    free(chunk);
}

static struct chunk *chunk_add(struct trace *trace)
{
    if (trace->chunks == trace->max_chunks)
        drop_oldest(trace);
    struct chunk *chunk = malloc(sizeof *chunk);
    if (!chunk)
        abort();
    chunk->newer = NULL;
    chunk->used = 0;
    chunk->first = trace->last + 1;
    if (trace->newest)
        trace->newest->newer = chunk;
    else
        trace->oldest = chunk;
    trace->newest = chunk;
    trace->chunks++;
    return chunk;
}

/* The texts of an event in their stored order. */
static void texts_of(const struct trace_event *event, str texts[TEXTS])
{
    str all[TEXTS] = {event->id,    event->because, event->root, event->subject,
                      event->actor, event->reason,  event->note};
    memcpy(texts, all, sizeof all);
}

static size_t record_size(const struct record *record)
{
    size_t size = sizeof *record;
    for (size_t i = 0; i < TEXTS; i++)
        size += record->lengths[i];
    return (size + 15) & ~(size_t)15;
}

void trace_add(struct trace *trace, const struct trace_event *event)
{
    str texts[TEXTS];
    texts_of(event, texts);
    struct record record = {.at = event->at,
                            .until = event->until,
                            .number = event->number,
                            .place = event->place,
                            .kind = (uint8_t)event->kind};
    for (size_t i = 0; i < TEXTS; i++) {
        record.lengths[i] = (uint16_t)(texts[i].n > TEXT_MAX ? TEXT_MAX : texts[i].n);
        record.present |= (uint8_t)((texts[i].p != NULL) << i);
    }
    size_t size = record_size(&record);
    struct chunk *chunk = trace->newest;
    if (!chunk || CHUNK_BYTES - chunk->used < size)
        chunk = chunk_add(trace);
    record.seq = chunk->last = ++trace->last;
    chunk->at[record.seq - chunk->first] = (uint32_t)chunk->used;
    char *at = chunk->bytes + chunk->used;
    memcpy(at, &record, sizeof record);
    at += sizeof record;
    for (size_t i = 0; i < TEXTS; at += record.lengths[i], i++)
        if (record.lengths[i])
            memcpy(at, texts[i].p, record.lengths[i]);
    chunk->used += size;
}

/* Unpacks the record at `bytes`; returns its size. */
static size_t unpack(const char *bytes, struct trace_event *out)
{
    struct record record;
    str texts[TEXTS];
    memcpy(&record, bytes, sizeof record);
    const char *at = bytes + sizeof record;
    for (size_t i = 0; i < TEXTS; at += record.lengths[i], i++)
        texts[i] = record.present >> i & 1 ? (str){at, record.lengths[i]} : STR_NONE;
    *out = (struct trace_event){
        .seq = record.seq,
        .at = record.at,
        .kind = (enum trace_kind)record.kind,
        .number = record.number,
        .place = record.place,
        .until = record.until,
        .id = texts[0],
        .because = texts[1],
        .root = texts[2],
        .subject = texts[3],
        .actor = texts[4],
        .reason = texts[5],
        .note = texts[6],
    };
    return record_size(&record);
}

static void drop_newest(struct trace *trace)
{
    struct chunk **at = &trace->oldest, *before = NULL;
    while (*at != trace->newest) {
        before = *at;
        at = &(*at)->newer;
    }
    free(*at);
    *at = NULL;
    trace->newest = before;
    trace->chunks--;
}

void trace_rewind(struct trace *trace, int64_t seq)
{
    if (!trace)
        return;
    while (trace->newest && trace->newest->first > seq)
        drop_newest(trace);
    struct chunk *chunk = trace->newest;
    if (chunk && chunk->last > seq) {
        chunk->used = chunk->at[seq + 1 - chunk->first];
        chunk->last = seq;
    }
    if (trace->last > seq)
        trace->last = seq;
}

int64_t trace_last(const struct trace *trace)
{
    return trace ? trace->last : 0;
}

int64_t trace_first(const struct trace *trace)
{
    return trace->oldest ? trace->oldest->first : trace->last + 1;
}

bool trace_next(const struct trace *trace, int64_t seq, struct trace_event *out)
{
    struct chunk *chunk = trace->newest;
    /* Whoever follows asks for the newest; the list is walked for those who come late. */
    if (!chunk || chunk->first > seq + 1)
        chunk = trace->oldest;
    while (chunk && chunk->last <= seq)
        chunk = chunk->newer;
    if (!chunk)
        return false;
    int64_t wanted = seq + 1 > chunk->first ? seq + 1 : chunk->first;
    unpack(chunk->bytes + chunk->at[wanted - chunk->first], out);
    return true;
}

/* ---- questions ---- */

static bool is_asked_for(const struct trace_event *event, str target)
{
    return str_eq(event->id, target) || str_eq(event->subject, target) ||
           (event->root.n && str_eq(event->root, target)) ||
           (event->note.n && target.n >= 4 && str_find(event->note, target, 0) >= 0);
}

/* Takes in what `event` is tied to; what belongs together by client-made trace roots belongs
 * together too. */
static void tie(struct idset *ids, struct idset *roots, const struct trace_event *event)
{
    idset_add(ids, event->id, 0);
    idset_add(roots, event->root, 0);
}

/* The next record of a walk over the whole memory, oldest first. */
struct walk {
    const struct chunk *chunk;
    size_t at;
};

static bool walk_next(struct walk *walk, struct trace_event *event)
{
    while (walk->chunk && walk->at >= walk->chunk->used)
        *walk = (struct walk){.chunk = walk->chunk->newer};
    if (!walk->chunk)
        return false;
    walk->at += unpack(walk->chunk->bytes + walk->at, event);
    return true;
}

/* Takes what belongs until a walk adds no identity. */
static void close_over(const struct trace *trace, struct idset *ids, struct idset *roots,
                       bool (*belongs)(const struct idset *, const struct idset *,
                                       const struct trace_event *),
                       void (*take)(struct idset *, struct idset *, const struct trace_event *))
{
    size_t before;
    do {
        struct walk walk = {.chunk = trace->oldest};
        struct trace_event event;
        before = ids->n + roots->n;
        while (walk_next(&walk, &event))
            if (belongs(ids, roots, &event))
                take(ids, roots, &event);
    } while (ids->n + roots->n > before);
}

static bool is_known(const struct idset *ids, const struct idset *roots,
                     const struct trace_event *event)
{
    return idset_has(ids, event->id) || idset_has(roots, event->root);
}

static bool is_known_or_child(const struct idset *ids, const struct idset *roots,
                              const struct trace_event *event)
{
    return is_known(ids, roots, event) || idset_has(ids, event->because);
}

static void take_with_cause(struct idset *ids, struct idset *roots, const struct trace_event *event)
{
    tie(ids, roots, event);
    idset_add(ids, event->because, 0);
}

/* What hangs together with `target`: up to the first causes, and down again. */
static void find_all(const struct trace *trace, str target, struct idset *ids, struct idset *roots)
{
    struct walk walk = {.chunk = trace->oldest};
    struct trace_event event;
    while (target.n && walk_next(&walk, &event))
        if (is_asked_for(&event, target))
            tie(ids, roots, &event);
    close_over(trace, ids, roots, is_known, take_with_cause);
    close_over(trace, ids, roots, is_known_or_child, tie);
}

void trace_find(const struct trace *trace, struct arena *arena, str target,
                struct trace_event **events, size_t *n)
{
    struct idset ids = {.arena = arena}, roots = {.arena = arena};
    struct walk walk = {.chunk = trace->oldest};
    struct trace_event event;
    size_t cap = 0;
    *events = NULL;
    *n = 0;
    find_all(trace, target, &ids, &roots);
    while (walk_next(&walk, &event)) {
        if (!is_known(&ids, &roots, &event))
            continue;
        if (*n == cap) {
            size_t grown = cap ? cap * 2 : 64;
            *events = arena_grow(arena, *events, cap * sizeof event, grown * sizeof event);
            cap = grown;
        }
        (*events)[(*n)++] = event;
    }
}

/* ---- following ---- */

#define WATCHED_MAX 65536

struct trace_watch {
    struct arena *arena;
    char *target;
    struct idset ids, roots; /* what belongs */
    struct idset depths;     /* of what was seen */
};

static void watch_nothing(struct trace_watch *watch)
{
    arena_reset(watch->arena);
    watch->ids = (struct idset){.arena = watch->arena, .copies = true};
    watch->roots = watch->depths = watch->ids;
}

struct trace_watch *trace_watch_begin(const struct trace *trace, str target)
{
    struct trace_watch *watch = xalloc(sizeof *watch);
    watch->arena = arena_new();
    watch->target = xstrdup(target);
    watch_nothing(watch);
    find_all(trace, target, &watch->ids, &watch->roots);
    return watch;
}

void trace_watch_end(struct trace_watch *watch)
{
    arena_free(watch->arena);
    free(watch->target);
    free(watch);
}

static int depth_of(struct trace_watch *watch, const struct trace_event *event)
{
    int own = idset_number(&watch->depths, event->id);
    if (own >= 0)
        return own + !trace_is_birth(event->kind);
    own = idset_number(&watch->depths, event->because) + 1;
    idset_add(&watch->depths, event->id, own);
    return own;
}

bool trace_watch_takes(struct trace_watch *watch, const struct trace_event *event, int *depth)
{
    if (!is_asked_for(event, str_of(watch->target)) &&
        !is_known_or_child(&watch->ids, &watch->roots, event))
        return false;
    if (watch->ids.n + watch->roots.n > WATCHED_MAX)
        watch_nothing(watch);
    tie(&watch->ids, &watch->roots, event);
    *depth = depth_of(watch, event);
    return true;
}
