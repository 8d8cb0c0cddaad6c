/* remote/runner_perform.c - what a task asks for, done over HTTP. A body is counted as it arrives
 * and never held; a report is written only where none is (If-None-Match: *), so of two racing
 * workers one leaves its report and the other learns of it. */
#include "remote/runner_inside.h"

#include "base/digest.h"
#include "base/log.h"

str error_text(struct arena *arena, str code, str message)
{
    struct buf b = buf_in(arena);
    buf_put(&b, code);
    BUF_LIT(&b, ": ");
    buf_put(&b, message);
    return buf_str(&b);
}

static void failed_answer(struct lane *lane, const struct remote_answer *answer)
{
    lane->answer = (struct answer){.error = error_text(lane->arena, answer->code, answer->message)};
}

static struct remote_request s3_request(struct lane *lane, str method, const struct ask *ask,
                                        remote_done *done)
{
    return (struct remote_request){
        .arena = lane->arena,
        .service = S("s3"),
        .method = method,
        .bucket = ask->bucket,
        .key = ask->key,
        .body = STR_NONE,
        .done = done,
        .user = lane,
    };
}

static void stat_done(void *user, const struct remote_answer *answer)
{
    struct lane *lane = user;
    if (remote_ok(answer))
        lane->answer =
            (struct answer){.ok = true, .etag = http_fetched_header(&answer->http, S("ETag"))};
    else
        failed_answer(lane, answer);
    lane_resume(lane);
}

static void perform_stat(struct lane *lane, const struct ask *ask)
{
    struct remote_request request = s3_request(lane, S("HEAD"), ask, stat_done);
    request.timeout = 30000;
    remote_start(lane->runner->remote, &request);
}

static bool count_piece(void *user, str piece)
{
    struct lane *lane = user;
    lane->runner->bytes += (int64_t)piece.n;
    count_feed(&lane->count, piece);
    return true;
}

static void count_restart(void *user)
{
    struct lane *lane = user;
    lane->count = (struct count){0};
}

static void count_done(void *user, const struct remote_answer *answer)
{
    struct lane *lane = user;
    if (remote_ok(answer))
        lane->answer = (struct answer){.ok = true, .report = count_end(&lane->count)};
    else
        failed_answer(lane, answer);
    lane_resume(lane);
}

static void perform_count(struct lane *lane, const struct ask *ask)
{
    struct remote_request request = s3_request(lane, S("GET"), ask, count_done);
    request.piece = count_piece;
    request.restart = count_restart;
    remote_start(lane->runner->remote, &request);
}

static void fetch_done(void *user, const struct remote_answer *answer)
{
    struct lane *lane = user;
    if (remote_ok(answer))
        lane->answer = (struct answer){.ok = true, .body = answer->http.body};
    else
        failed_answer(lane, answer);
    lane_resume(lane);
}

static void perform_fetch(struct lane *lane, const struct ask *ask)
{
    struct remote_request request = s3_request(lane, S("GET"), ask, fetch_done);
    request.timeout = 30000;
    remote_start(lane->runner->remote, &request);
}

static void put(struct lane *lane, const struct ask *ask);

static void put_done(void *user, const struct remote_answer *answer)
{
    struct lane *lane = user;
    if (answer->status == 501 && !lane->runner->plain_put) {
        log_warn("this S3 knows no conditional writes: two racing workers may both write");
        lane->runner->plain_put = true;
        put(lane, &lane->ask);
        return;
    }
    if (remote_ok(answer))
        lane->answer = (struct answer){.ok = true};
    else
        failed_answer(lane, answer);
    lane->answer.taken = answer->status == 412;
    lane_resume(lane);
}

static void put(struct lane *lane, const struct ask *ask)
{
    struct arena *arena = lane->arena;
    struct http_header *headers = arena_array(arena, 3, sizeof *headers);
    headers[0] = (struct http_header){S("Content-Type"), S("application/json")};
    headers[1] = (struct http_header){S("Content-MD5"),
                                      digest_base64(arena, digest_of(DIGEST_MD5, ask->body))};
    headers[2] = (struct http_header){S("If-None-Match"), S("*")};
    struct remote_request request = s3_request(lane, S("PUT"), ask, put_done);
    request.headers = headers;
    request.nheaders = lane->runner->plain_put ? 2 : 3;
    request.body = ask->body;
    request.timeout = 30000;
    remote_start(lane->runner->remote, &request);
}

static void batched(void *user, str code, str message, str id)
{
    struct lane *lane = user;
    if (code.p)
        lane->answer = (struct answer){.error = error_text(lane->arena, code, message)};
    else
        lane->answer = (struct answer){.ok = true, .message_id = arena_copy(lane->arena, id)};
    lane_resume(lane);
}

static void perform_send(struct lane *lane, const struct ask *ask)
{
    batcher_send(lane->runner->sends, ask->body, ask->trace_id, batched, lane);
}

static void perform_delete(struct lane *lane, const struct ask *ask)
{
    (void)ask;
    batcher_delete(lane->runner->deletes, lane->task->message.receipt, batched, lane);
}

typedef void performer(struct lane *lane, const struct ask *ask);
static performer *const performers[] = {
    [ASK_STAT] = perform_stat, [ASK_COUNT] = perform_count, [ASK_FETCH] = perform_fetch,
    [ASK_PUT] = put,           [ASK_SEND] = perform_send,   [ASK_DELETE] = perform_delete,
};

void lane_perform(struct lane *lane, const struct ask *ask)
{
    performers[ask->kind](lane, ask);
}
