/* pipeline/result.c - the lab's ResultLambda: one line for each result message, whatever is in it.
 * The line is made from the message as it enters the results queue; nothing is consumed, so the
 * messages stay for whoever else wants them. */
#include "pipeline/job.h"
#include "pipeline/json.h"

static str place(struct arena *arena, const struct value *root, const char *bucket, const char *key)
{
    struct buf b = buf_in(arena);
    buf_char(&b, '{');
    member_raw(&b, "bucket", value_json(arena, value_member(root, bucket)));
    member_raw(&b, "key", value_json(arena, value_member(root, key)));
    buf_char(&b, '}');
    return buf_str(&b);
}

str result_log(struct arena *arena, str body)
{
    const struct value *root = value_read(arena, body);
    struct buf b = buf_in(arena);
    buf_char(&b, '{');
    member_str(&b, "action", S("RESULT"));
    member_raw(&b, "jobId", value_json(arena, value_member(root, "jobId")));
    member_raw(&b, "status", value_json(arena, value_member(root, "status")));
    member_raw(&b, "input", place(arena, root, "bucket", "key"));
    member_raw(&b, "output", place(arena, root, "outputBucket", "outputKey"));
    member_raw(&b, "durationMs", value_json(arena, value_member(root, "durationMs")));
    member_raw(&b, "traceId", value_json(arena, value_member(root, "traceId")));
    buf_char(&b, '}');
    return buf_str(&b);
}
