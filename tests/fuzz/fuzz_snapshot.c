/* A hostile snapshot is refused, or loaded into a state that answers every request. The input
 * changes a good snapshot: after 'p' damage.h's edits of the file, after 's' a script of SQL that
 * is run in it; or it is the whole file. */
#include "emulator.h"

#include "damage.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

#define JSON_CALL(target, body)                                                                    \
    S("POST /\nHost: localhost\nContent-Type: application/x-amz-json-1.0\n"                        \
      "X-Amz-Target: AmazonSQS." target "\n\n" body)

enum { LARGE = 70000 };

static void ask_well(str text)
{
    int status = fuzz_status(text);
    if (status / 100 == 2)
        return;
    fprintf(stderr, "%d: %.*s\n", status, STR_ARG(text));
    abort();
}

static void put_large(void)
{
    struct arena *arena = arena_new();
    struct buf b = buf_in(arena);
    BUF_LIT(&b, "PUT /bucket/large\nHost: localhost\n\n");
    for (int i = 0; i < LARGE; i++)
        buf_char(&b, (char)('a' + i % 26));
    ask_well(buf_str(&b));
    arena_free(arena);
}

static void fill(void)
{
    ask_well(JSON_CALL("CreateQueue", "{\"QueueName\":\"dead\"}"));
    ask_well(JSON_CALL("CreateQueue",
                       "{\"QueueName\":\"q\",\"Attributes\":{\"RedrivePolicy\":"
                       "\"{\\\"deadLetterTargetArn\\\":\\\"arn:aws:sqs:us-east-1:000000000000:dead"
                       "\\\",\\\"maxReceiveCount\\\":1}\"}}"));
    ask_well(JSON_CALL("CreateQueue", "{\"QueueName\":\"q.fifo\",\"Attributes\":{"
                                      "\"FifoQueue\":\"true\"}}"));
    ask_well(JSON_CALL("SendMessage", "{\"QueueUrl\":\"q\",\"MessageBody\":\"one\","
                                      "\"MessageAttributes\":{\"a\":{\"DataType\":\"String\","
                                      "\"StringValue\":\"v\"}}}"));
    ask_well(JSON_CALL("ReceiveMessage", "{\"QueueUrl\":\"q\"}"));
    ask_well(JSON_CALL("SendMessage", "{\"QueueUrl\":\"q\",\"MessageBody\":\"two\","
                                      "\"DelaySeconds\":5}"));
    ask_well(JSON_CALL("SendMessage",
                       "{\"QueueUrl\":\"q.fifo\",\"MessageBody\":\"x\","
                       "\"MessageGroupId\":\"g\",\"MessageDeduplicationId\":\"d\"}"));
    ask_well(S("PUT /bucket\nHost: localhost\n"));
    ask_well(S("PUT /bucket?versioning\nHost: localhost\n\n<VersioningConfiguration><Status>"
               "Enabled</Status></VersioningConfiguration>"));
    ask_well(S("PUT /bucket?lifecycle\nHost: localhost\n\n<LifecycleConfiguration><Rule><ID>i</ID>"
               "<Filter/><Status>Enabled</Status><Expiration><Days>1</Days></Expiration></Rule>"
               "</LifecycleConfiguration>"));
    ask_well(S("PUT /bucket/small\nHost: localhost\nx-amz-tagging: a=b\nx-amz-meta-m: v\n\nhello"));
    ask_well(S("PUT /bucket/small\nHost: localhost\n\nhello again"));
    ask_well(S("POST /bucket/parts?uploads\nHost: localhost\n"));
    ask_well(S("PUT /bucket/copy\nHost: localhost\nx-amz-copy-source: /bucket/small\n"));
    put_large();
}

static const char *folder(void)
{
    static char path[512];
    if (!*path)
        snprintf(path, sizeof path, "%s/../snapshots", blobs_root(fuzz_emulator()->blobs));
    return path;
}

static const struct image *good_one(void)
{
    static struct image image;
    char path[600];
    if (image.at)
        return &image;
    fill();
    ask_well(S("POST /_headrace/snapshots/good\nHost: localhost\n"));
    snprintf(path, sizeof path, "%s/good", folder());
    image = image_read(path);
    memset(image.at + 60, 0, 4); /* its sum, which who makes a file can leave out */
    fuzz_empty(fuzz_emulator());
    return &image;
}

static void make_hostile(const uint8_t *data, size_t n)
{
    char path[600];
    struct image image = image_copy(good_one());
    str script = {n > 1 ? (const char *)data + 1 : "", n > 1 ? n - 1 : 0};
    snprintf(path, sizeof path, "%s/hostile", folder());
    unlink(path);
    if (n && data[0] == 'p')
        image_damage(&image, data + 1, n - 1);
    if (n && data[0] != 'p' && data[0] != 's') {
        free(image.at);
        image = image_copy(&(struct image){(uint8_t *)(uintptr_t)data, n});
    }
    image_write(&image, path);
    if (n && data[0] == 's')
        script_run(path, script);
    free(image.at);
}

static void use(void)
{
    static const char *const requests[] = {
        "GET /\nHost: localhost\n",
        "GET /bucket?list-type=2\nHost: localhost\n",
        "GET /bucket?versions\nHost: localhost\n",
        "GET /bucket?uploads\nHost: localhost\n",
        "GET /bucket/small\nHost: localhost\n",
        "GET /bucket/small?tagging\nHost: localhost\n",
        "GET /bucket/small?acl\nHost: localhost\n",
        ("GET /bucket/small?attributes\nHost: localhost\n"
         "x-amz-object-attributes: ETag,Checksum,ObjectParts,ObjectSize\n"),
        "GET /bucket/large\nHost: localhost\nRange: bytes=5-69999\n",
        "GET /bucket/copy\nHost: localhost\n",
        "PUT /bucket/copy\nHost: localhost\nx-amz-copy-source: /bucket/large\n",
        "DELETE /bucket/small\nHost: localhost\n",
        "GET /bucket?lifecycle\nHost: localhost\n",
        "GET /bucket?policy\nHost: localhost\n",
        "GET /_headrace/status\nHost: localhost\n",
        "GET /_headrace/metrics\nHost: localhost\n",
        "GET /_headrace/leaks?account=000000000000\nHost: localhost\n",
        "POST /_headrace/clock\nHost: localhost\n\n{\"advance\":\"2d\"}",
        "POST /_headrace/snapshots/again\nHost: localhost\n",
    };
    static const char *const calls[] = {
        "ListQueues\n\n{}",
        "GetQueueAttributes\n\n{\"QueueUrl\":\"q\",\"AttributeNames\":[\"All\"]}",
        ("ReceiveMessage\n\n{\"QueueUrl\":\"q\",\"MaxNumberOfMessages\":10,"
         "\"MessageAttributeNames\":[\"All\"],\"AttributeNames\":[\"All\"]}"),
        "ReceiveMessage\n\n{\"QueueUrl\":\"q.fifo\",\"MaxNumberOfMessages\":10}",
        "SendMessage\n\n{\"QueueUrl\":\"q\",\"MessageBody\":\"x\"}",
        "PurgeQueue\n\n{\"QueueUrl\":\"q\"}",
        "DeleteQueue\n\n{\"QueueUrl\":\"q.fifo\"}",
    };
    struct arena *arena = arena_new();
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
        fuzz_status(
            arena_printf(arena, "POST /\nHost: localhost\nX-Amz-Target: AmazonSQS.%s", calls[i]));
    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++)
        fuzz_status(str_of(requests[i]));
    arena_free(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct app *app = fuzz_emulator();
    make_hostile(data, n);
    int status = fuzz_status(S("POST /_headrace/snapshots/hostile/load\nHost: localhost\n"));
    if (status == 200)
        use();
    else if (n == 1 && data[0] == 's')
        abort(); /* that is the good one */
    clock_real(&app->clock);
    fuzz_empty(app);
    return 0;
}
