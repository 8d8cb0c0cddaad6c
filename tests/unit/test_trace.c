/* The causal memory: what hangs together is found whole, from whichever end one asks. */
#include "unit.h"

#include "app/trace.h"

static void add(struct trace *trace, enum trace_kind kind, const char *id, const char *because,
                const char *subject, const char *note)
{
    struct trace_event event = {.at = 1000 + trace_last(trace),
                                .kind = kind,
                                .id = str_of(id),
                                .because = str_of(because),
                                .subject = str_of(subject),
                                .note = str_of(note)};
    trace_add(trace, &event);
}

/* Two uploads: one whose message is processed, one that comes to nothing. */
static struct trace *two_lives(void)
{
    struct trace *trace = trace_new((size_t)1 << 25);
    add(trace, TRACE_OBJECT, "REQ1", NULL, "s3://drop/incoming/a.txt", "PutObject");
    add(trace, TRACE_MATCHED, "REQ1", NULL, "rule-1", NULL);
    add(trace, TRACE_SENT, "MSG1", "REQ1", "events", NULL);
    add(trace, TRACE_OBJECT, "REQ2", NULL, "s3://drop/b.bin", "PutObject");
    add(trace, TRACE_NOTHING, "REQ2", NULL, NULL, "no rule matched");
    add(trace, TRACE_RECEIVED, "MSG1", NULL, "events", NULL);
    add(trace, TRACE_SENT, "MSG2", "MSG1", "jobs", "job drop:incoming/a.txt:etag");
    add(trace, TRACE_DELETED, "MSG1", NULL, "events", NULL);
    add(trace, TRACE_OBJECT, "REQ3", "MSG2", "s3://processed/a.report.json", "PutObject");
    return trace;
}

static size_t found(const char *target)
{
    struct trace *trace = two_lives();
    struct arena *arena = arena_new();
    struct trace_event *events;
    size_t n;
    trace_find(trace, arena, str_of(target), &events, &n);
    arena_free(arena);
    trace_free(trace);
    return n;
}

TEST(a_life_is_found_whole_from_its_object_its_message_its_report_and_its_job)
{
    CHECK_INT(found("s3://drop/incoming/a.txt"), 7);
    CHECK_INT(found("MSG1"), 7);
    CHECK_INT(found("MSG2"), 7);
    CHECK_INT(found("s3://processed/a.report.json"), 7);
    CHECK_INT(found("drop:incoming/a.txt:etag"), 7);
}

TEST(another_life_is_left_out)
{
    CHECK_INT(found("s3://drop/b.bin"), 2);
    CHECK_INT(found("s3://drop/unknown"), 0);
    CHECK_INT(found(""), 0);
}

TEST(a_clients_trace_root_ties_what_nothing_else_ties)
{
    struct trace *trace = trace_new(0);
    struct arena *arena = arena_new();
    struct trace_event *events, event = {.kind = TRACE_SENT,
                                         .id = S("A"),
                                         .root = S("1-5759e988-bd862e3fe1be46a994272793")};
    size_t n;
    trace_add(trace, &event);
    event.id = S("B");
    trace_add(trace, &event);
    trace_find(trace, arena, S("A"), &events, &n);
    CHECK_INT(n, 2);
    arena_free(arena);
    trace_free(trace);
}

TEST(the_oldest_events_go_when_the_memory_is_full)
{
    struct trace *trace = trace_new(0);
    char text[1000];
    memset(text, 'x', sizeof text);
    for (int i = 0; i < 2000; i++)
        trace_add(trace, &(struct trace_event){.id = {text, sizeof text}});
    struct trace_event event;
    CHECK_INT(trace_last(trace), 2000);
    CHECK(trace_first(trace) > 1000);
    CHECK(trace_next(trace, 0, &event));
    CHECK_INT(event.seq, trace_first(trace));
    CHECK(!trace_next(trace, 2000, &event));
    trace_free(trace);
}

TEST(the_tree_shows_causes_as_branches)
{
    struct trace *trace = two_lives();
    struct arena *arena = arena_new();
    struct trace_event *events;
    struct buf b = buf_in(arena);
    size_t n;
    trace_find(trace, arena, S("MSG2"), &events, &n);
    trace_tree(&b, arena, events, n, false);
    CHECK_STR(buf_str(&b), S("s3://drop/incoming/a.txt  PutObject  +0 ms\n"
                             "├─ matched rule-1  +1 ms\n"
                             "└─ message MSG1 in events  +2 ms\n"
                             "   ├─ received events, attempt 0  +5 ms\n"
                             "   ├─ message MSG2 in jobs  job drop:incoming/a.txt:etag  +6 ms\n"
                             "   │  └─ s3://processed/a.report.json  PutObject  +8 ms\n"
                             "   └─ deleted events  +7 ms\n"));
    arena_free(arena);
    trace_free(trace);
}

TEST(what_was_rolled_back_is_forgotten)
{
    struct trace *trace = trace_new(0);
    struct trace_event event;
    for (int i = 0; i < 1000; i++)
        trace_add(trace,
                  &(struct trace_event){
                      .id = S("id"),
                      .note = S("a note that takes some room, a note that takes some room")});
    trace_rewind(trace, 900);
    CHECK_INT(trace_last(trace), 900);
    CHECK(!trace_next(trace, 900, &event));
    trace_add(trace, &(struct trace_event){.id = S("after")});
    CHECK(trace_next(trace, 900, &event));
    CHECK_STR(event.id, S("after"));
    CHECK_INT(event.seq, 901);
    trace_rewind(trace, 0);
    CHECK(!trace_next(trace, 0, &event));
    trace_free(trace);
}

TEST(a_watch_takes_what_belongs_with_its_depth_and_nothing_else)
{
    struct trace *trace = two_lives();
    struct trace_watch *watch = trace_watch_begin(trace, S("s3://drop/incoming/a.txt"));
    struct trace_event event;
    char seen[16] = "";
    int depth;
    add(trace, TRACE_SENT, "MSG3", "REQ3", "reports", NULL);
    add(trace, TRACE_SENT, "MSG4", "REQ2", "others", NULL);
    for (int64_t seq = 0; trace_next(trace, seq, &event); seq = event.seq)
        strcat(seen,
               trace_watch_takes(watch, &event, &depth) ? (char[]){(char)('0' + depth), 0} : ".");
    CHECK_STR(str_of(seen), S("011..22234."));
    trace_watch_end(watch);
    trace_free(trace);
}

TEST(a_watch_that_saw_very_much_goes_on_with_its_target)
{
    struct trace *trace = trace_new(0);
    struct trace_watch *watch = trace_watch_begin(trace, S("s3://drop/a"));
    char id[16];
    int depth;
    for (int i = 0; i < 70000; i++) {
        snprintf(id, sizeof id, "%d", i);
        struct trace_event event = {
            .kind = TRACE_OBJECT, .id = str_of(id), .subject = S("s3://drop/a")};
        CHECK(trace_watch_takes(watch, &event, &depth));
    }
    CHECK(!trace_watch_takes(watch, &(struct trace_event){.id = S("1")}, &depth));
    CHECK(trace_watch_takes(watch, &(struct trace_event){.id = S("69999")}, &depth));
    trace_watch_end(watch);
    trace_free(trace);
}

TEST(a_trace_that_is_off_takes_nothing_and_knows_nothing)
{
    trace_clear(NULL);
    trace_rewind(NULL, 7);
    CHECK_INT(trace_last(NULL), 0);
    trace_free(NULL);
}

UNIT_MAIN
