/* app/lint.h - use that works here and hurts on AWS, found while it happens. This is the collector:
 * others tell it what they saw, it keeps counters in tables of fixed size and says what it makes of
 * them. It knows no engine and no request, so a test can tell it anything; what only the engines'
 * present state can show is judged in lint_state.c.
 *
 * A finding must never be wrong: where the signs allow another reading, there is no finding
 * (docs/lint.md says which). */
#ifndef HEADRACE_APP_LINT_H
#define HEADRACE_APP_LINT_H

#include "base/buf.h"
#include "base/ctx.h"

/* (row, code, severity, why, fix). Info is a note: it is shown, and counts neither as a finding nor
 * for the exit code. */
#define LINT_CODES(X)                                                                              \
    X(EVENT_NOT_PERMITTED, "s3-event-not-permitted", ERROR,                                        \
      "S3 refuses a notification to a queue whose policy does not let it send.",                   \
      "Give the queue a policy that allows s3.amazonaws.com sqs:SendMessage with aws:SourceArn "   \
      "of the bucket.")                                                                            \
    X(NO_DEAD_LETTER_QUEUE, "no-dead-letter-queue", WARNING,                                       \
      "A message that cannot be processed comes back until its retention ends.",                   \
      "Create a dead-letter queue and name it in the queue's RedrivePolicy.")                      \
    X(DEAD_LETTER_RETENTION, "dead-letter-retention", WARNING,                                     \
      "A message keeps its age when it moves to a standard dead-letter queue, and may expire "     \
      "there before anybody looked.",                                                              \
      "Set MessageRetentionPeriod of the dead-letter queue longer than that of its sources, for "  \
      "example to 14 days.")                                                                       \
    X(VISIBILITY_TOO_SHORT, "visibility-too-short", WARNING,                                       \
      "The message was visible again while it was still being processed: others process it too.",  \
      "Set VisibilityTimeout well above the longest processing time, or extend it with "           \
      "ChangeMessageVisibility.")                                                                  \
    X(TRIGGER_LOOP, "trigger-loop", ERROR,                                                         \
      "Processing an event writes an object that makes the next event: it runs, and costs, "       \
      "without end.",                                                                              \
      "Write to another bucket, or under a prefix that the notification's filter leaves out.")     \
    X(SHORT_POLLING, "short-polling", WARNING,                                                     \
      "Each empty receive is billed, and short polls ask only some of SQS's servers.",             \
      "Set WaitTimeSeconds, or the queue's ReceiveMessageWaitTimeSeconds, to 20.")                 \
    X(ACL_DISABLED, "acl-with-default-ownership", ERROR,                                           \
      "New buckets have ACLs disabled (BucketOwnerEnforced): AWS answers "                         \
      "AccessControlListNotSupported.",                                                            \
      "Use a bucket policy, or set the bucket's ownership to BucketOwnerPreferred first.")         \
    X(QUEUE_RECREATED, "queue-recreated-within-60s", ERROR,                                        \
      "For 60 seconds after its deletion SQS refuses a queue's name with QueueDeletedRecently.",   \
      "Wait, use another name, or purge the queue.")                                               \
    X(PURGE_TOO_SOON, "purge-within-60s", ERROR,                                                   \
      "SQS allows one PurgeQueue in 60 seconds, and answers PurgeQueueInProgress to the next.",    \
      "Wait, or receive and delete the messages.")                                                 \
    X(NEVER_DELETED, "message-never-deleted", WARNING,                                             \
      "A message that is received and not deleted comes back after every visibility timeout.",     \
      "Delete each message once it is processed.")                                                 \
    X(DELETED_EARLY, "message-deleted-early", WARNING,                                             \
      "A consumer that dies after the delete and before it has finished loses the work: the "      \
      "message does not come back.",                                                               \
      "Delete the message when everything that it asks for is done.")                              \
    X(NOT_IDEMPOTENT, "redelivery-changes-output", WARNING,                                        \
      "Standard queues deliver a message at least once; a second delivery changed what the first " \
      "one had written.",                                                                          \
      "Derive output from the message alone, or write only when nothing is there (If-None-Match: " \
      "*).")                                                                                       \
    X(UNKNOWN_REGION, "unknown-region", WARNING,                                                   \
      "AWS has no region of this name: its endpoints do not resolve.",                             \
      "Use a region of AWS, for example us-east-1.")                                               \
    X(OTHER_REGION, "bucket-of-another-region", WARNING,                                           \
      "S3 answers PermanentRedirect or AuthorizationHeaderMalformed to a request that is signed "  \
      "for another region than the bucket's; few SDKs ask again by themselves.",                   \
      "Make the client for the bucket's region.")                                                  \
    X(PUBLIC_BUCKET, "public-bucket", WARNING,                                                     \
      "Everybody on the internet could use it; AWS blocks public access of new buckets and "       \
      "refuses this.",                                                                             \
      "Name the principals that need it, or serve the objects through CloudFront or presigned "    \
      "URLs.")                                                                                     \
    X(TEST_CREDENTIALS, "test-credentials", INFO,                                                  \
      "AWS access key ids begin with AKIA or ASIA; fine here, refused there.",                     \
      "Take credentials from the environment, so that the same code runs on AWS.")

#define LINT_ENUM(row, ...) LINT_##row,
enum lint_code { LINT_CODES(LINT_ENUM) LINT_NCODES };
enum lint_severity { LINT_INFO, LINT_WARNING, LINT_ERROR };

struct lint;

struct lint *lint_new(void);
void lint_free(struct lint *lint);
void lint_clear(struct lint *lint); /* NULL: nothing */

/* What was seen is kept until lint_settle says how its turn ended; lint_rewind takes back what a
 * failed request made of it. NULL: nothing. */
struct lint_mark {
    size_t undo, found;
};
struct lint_mark lint_mark(const struct lint *lint);
void lint_rewind(struct lint *lint, struct lint_mark mark);
void lint_settle(struct lint *lint, bool committed);

/* Whose queue; strings are borrowed for the call. */
struct lint_name {
    str account, region, queue;
};
struct lint_message {
    struct lint_name name;
    str id; /* MessageId */
    msec at;
    int64_t attempt;
    msec until; /* hidden until; 0: not hidden */
    str client; /* whose access key; absent: a stage of the built-in pipeline did it */
};
void lint_saw_received(struct lint *lint, const struct lint_message *seen);
/* ChangeMessageVisibility. */
void lint_saw_hidden(struct lint *lint, const struct lint_message *seen);
/* It returned to the queue. Before its instant: a receive whose answer reached nobody was taken
 * back, it never was. */
void lint_saw_returned(struct lint *lint, const struct lint_message *seen);
void lint_saw_deleted(struct lint *lint, const struct lint_message *seen);

/* A ReceiveMessage was answered; `polled_short`: it asked not to wait. */
void lint_saw_receive(struct lint *lint, const struct lint_name *name, bool polled_short,
                      bool empty);
void lint_saw_queue_deleted(struct lint *lint, const struct lint_name *name, msec now);
void lint_saw_queue_created(struct lint *lint, const struct lint_name *name, msec now);
void lint_saw_purge(struct lint *lint, const struct lint_name *name, msec now);

/* What a client is working on: the one message that it received and neither deleted nor lost since;
 * absent when there is none, or more than one. `client` tells clients apart: their access key. */
str lint_working_on(const struct lint *lint, str client, msec now);
/* An event of s3://bucket/key became the message `id`. `cause` is the message whose processing
 * wrote the object; absent: unknown. A guessed cause (lint_working_on) counts only when the key is
 * made from that of the event, as in thumb/a.jpg from a.jpg. */
void lint_saw_event(struct lint *lint, str bucket, str key, str id, str cause, bool guessed);
/* The processing of message `cause` wrote bytes of this fingerprint to `subject`. */
void lint_saw_write(struct lint *lint, str cause, str subject, uint64_t fingerprint);
/* A client wrote an object. */
void lint_saw_put(struct lint *lint, str client, str bucket, str key, msec now);
/* `known` tells whether AWS has a region; it is asked for a region other than the last one. */
void lint_saw_caller(struct lint *lint, str access_key, str region, bool (*known)(str region));
/* Anything else, with the words for it; the same code and subject count up. */
void lint_found(struct lint *lint, enum lint_code code, str subject, str seen);

/* ---- the report ---- */

struct lint_finding {
    enum lint_code code;
    str subject, seen;
    int64_t count;
};
struct lint_report {
    struct arena *arena;
    struct lint_finding *at;
    size_t n, cap;
};
void lint_report_add(struct lint_report *report, enum lint_code code, str subject, str seen,
                     int64_t count);
/* What was observed so far. */
void lint_report_observed(struct lint_report *report, const struct lint *lint);
/* A queue as it is now, judged together with what was seen of it. */
struct lint_queue_state {
    struct lint_name name;
    bool redrive;     /* has a RedrivePolicy */
    bool dead_letter; /* is the dead-letter queue of another */
    bool fifo;
    str target; /* its dead-letter queue's ARN; absent: none, or it is gone */
    int64_t retention, target_retention; /* seconds */
};
void lint_report_queue(struct lint_report *report, const struct lint *lint,
                       const struct lint_queue_state *queue);
/* Findings without the notes. */
size_t lint_report_count(const struct lint_report *report);
/* {"findings":[{code, severity, subject, seen, why, fix, count}],"notes":[the same]} */
void lint_report_json(const struct lint_report *report, struct buf *b);
void lint_report_text(const struct lint_report *report, struct buf *b);

#endif
