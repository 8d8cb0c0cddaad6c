/* remote/queue.c - receiving, and what concerns visibility. */
#include "remote/queue.h"

#include "base/log.h"
#include "base/text.h"
#include "remote/queue_inside.h"

#include <stdlib.h>

#define ANSWER_TIME 15000   /* ms beyond the long poll */
#define ANSWER_MAX 33554432 /* bytes: ten messages of 1 MiB, every byte escaped, and room */

str queue_origin(str url)
{
    ptrdiff_t mark = str_find(url, S("://"), 0);
    if (mark < 0)
        return STR_NONE;
    ptrdiff_t slash = str_find(url, S("/"), (size_t)mark + 3);
    return slash < 0 ? url : str_slice(url, 0, (size_t)slash);
}

struct remote_call *queue_call(struct remote *remote, struct arena *arena, const char *operation,
                               str url, str body, int64_t wait, remote_done *done, void *user)
{
    struct http_header *headers = arena_array(arena, 2, sizeof *headers);
    headers[0] = (struct http_header){S("Content-Type"), S("application/x-amz-json-1.0")};
    headers[1] =
        (struct http_header){S("X-Amz-Target"), arena_printf(arena, "AmazonSQS.%s", operation)};
    struct remote_request request = {
        .arena = arena,
        .service = S("sqs"),
        .method = S("POST"),
        .endpoint = queue_origin(url),
        .headers = headers,
        .nheaders = 2,
        .body = body,
        .timeout = ANSWER_TIME + 1000 * wait,
        .body_max = ANSWER_MAX,
        .done = done,
        .user = user,
    };
    return remote_start(remote, &request);
}

struct buf queue_body(struct arena *arena, str url)
{
    struct buf b = buf_in(arena);
    BUF_LIT(&b, "{\"QueueUrl\":");
    buf_json(&b, url);
    return b;
}

str queue_text(struct arena *arena, const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);
    if (!json_is_string(value))
        return STR_NONE;
    return arena_copy(arena, (str){json_string_value(value), json_string_length(value)});
}

struct receive {
    struct arena *arena;
    queue_received *done;
    void *user;
};

static struct received read_message(struct arena *arena, const json_t *value)
{
    struct received message = {
        .id = queue_text(arena, value, "MessageId"),
        .receipt = queue_text(arena, value, "ReceiptHandle"),
        .body = queue_text(arena, value, "Body"),
        .receive_count = 1,
    };
    str count = queue_text(arena, json_object_get(value, "Attributes"), "ApproximateReceiveCount");
    str_to_int(count, &message.receive_count);
    return message;
}

static void receive_answered(void *user, const struct remote_answer *answer)
{
    struct receive *receive = user;
    if (!remote_ok(answer)) {
        receive->done(receive->user, answer, NULL, 0);
        return;
    }
    json_t *root = json_loadb(answer->http.body.p, answer->http.body.n, JSON_ALLOW_NUL, NULL);
    const json_t *list = json_object_get(root, "Messages");
    size_t n = json_array_size(list);
    struct received *messages = arena_array(receive->arena, n, sizeof *messages);
    for (size_t i = 0; i < n; i++)
        messages[i] = read_message(receive->arena, json_array_get(list, i));
    json_decref(root);
    receive->done(receive->user, answer, messages, n);
}

struct remote_call *queue_receive(struct remote *remote, struct arena *arena, str url, int64_t max,
                                  int64_t wait, int64_t visibility, queue_received *done,
                                  void *user)
{
    struct receive *receive = ARENA_NEW(arena, struct receive);
    struct buf body = queue_body(arena, url);
    *receive = (struct receive){arena, done, user};
    buf_printf(&body,
               ",\"MaxNumberOfMessages\":%lld,\"WaitTimeSeconds\":%lld,"
               "\"MessageSystemAttributeNames\":[\"ApproximateReceiveCount\"],"
               "\"AttributeNames\":[\"ApproximateReceiveCount\"],"
               "\"MessageAttributeNames\":[\"All\"]",
               (long long)max, (long long)wait);
    if (visibility)
        buf_printf(&body, ",\"VisibilityTimeout\":%lld", (long long)visibility);
    buf_char(&body, '}');
    return queue_call(remote, arena, "ReceiveMessage", url, buf_str(&body), wait, receive_answered,
                      receive);
}

struct visibility {
    struct arena *arena;
    queue_visibility_read *done;
    void *user;
};

static void visibility_answered(void *user, const struct remote_answer *answer)
{
    struct visibility *read = user;
    int64_t seconds = 0;
    if (remote_ok(answer)) {
        json_t *root = json_loadb(answer->http.body.p, answer->http.body.n, 0, NULL);
        str text =
            queue_text(read->arena, json_object_get(root, "Attributes"), "VisibilityTimeout");
        str_to_int(text, &seconds);
        json_decref(root);
    } else {
        log_warn("GetQueueAttributes: %.*s: %.*s", STR_ARG(answer->code), STR_ARG(answer->message));
    }
    queue_visibility_read *done = read->done;
    void *who = read->user;
    arena_free(read->arena);
    done(who, seconds);
}

void queue_visibility(struct remote *remote, str url, queue_visibility_read *done, void *user)
{
    struct arena *arena = arena_new();
    struct visibility *read = ARENA_NEW(arena, struct visibility);
    struct buf body = queue_body(arena, url);
    *read = (struct visibility){arena, done, user};
    BUF_LIT(&body, ",\"AttributeNames\":[\"VisibilityTimeout\"]}");
    queue_call(remote, arena, "GetQueueAttributes", url, buf_str(&body), 0, visibility_answered,
               read);
}

static void hidden(void *user, const struct remote_answer *answer)
{
    struct arena *arena = user;
    if (!remote_ok(answer))
        log_warn("ChangeMessageVisibility: %.*s: %.*s", STR_ARG(answer->code),
                 STR_ARG(answer->message));
    arena_free(arena);
}

void queue_hide(struct remote *remote, str url, const str *receipts, size_t n, int64_t seconds)
{
    struct arena *arena = arena_new();
    struct buf body = queue_body(arena, url);
    BUF_LIT(&body, ",\"Entries\":[");
    for (size_t i = 0; i < n; i++) {
        buf_printf(&body, "%s{\"Id\":\"%zu\",\"ReceiptHandle\":", i ? "," : "", i);
        buf_json(&body, receipts[i]);
        buf_printf(&body, ",\"VisibilityTimeout\":%lld}", (long long)seconds);
    }
    BUF_LIT(&body, "]}");
    queue_call(remote, arena, "ChangeMessageVisibilityBatch", url, buf_str(&body), 0, hidden,
               arena);
}
