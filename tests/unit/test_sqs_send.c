/* Rules of SendMessage: digests, sizes, characters, attributes. Numbers are those of
 * docs/sqs-behaviour.md. */
#include "sqs_world.h"

static struct sqs_send plain(const char *body)
{
    return (struct sqs_send){.body = str_of(body), .delay = -1};
}

static err send_attribute(struct world *w, int64_t queue, const char *name, const char *type,
                          const char *value)
{
    struct sqs_attribute attribute = {str_of(name), str_of(type), str_of(value)};
    struct sqs_send message = plain("body");
    message.attributes = &attribute;
    message.nattributes = 1;
    return try_send(w, queue, &message);
}

TEST(r1_a_send_and_a_receive_answer_the_md5_of_the_body)
{
    struct world *w = world_open(false);
    int64_t q = make_queue(w, "q", "");
    send(w, q, "message");
    CHECK_STR(w->sent.md5_body, S("78e731027d8fd50ed642340b7c9a63b3"));
    CHECK_INT(receive(w, q, 1), 1);
    CHECK_STR(w->got[0].md5_body, S("78e731027d8fd50ed642340b7c9a63b3"));
    CHECK_STR(w->got[0].id, w->sent.id);
    world_close(w);
}

TEST(r2_the_md5_of_attributes_follows_the_sorted_names)
{
    struct world *w = world_open(false);
    int64_t q = make_queue(w, "q", "");
    CHECK_OK(send_attribute(w, q, "timestamp", "Number", "1493147359900"));
    CHECK_STR(w->sent.md5_attributes, S("235c5c510d26fb653d073faed50ae77c"));
    CHECK_OK(send_attribute(w, q, "k", "String", "x"));
    CHECK_STR(w->sent.md5_attributes, S("a45daa70926828a2f0a1db3418e6feb4"));
    struct sqs_attribute forth[] = {{S("a"), S("String"), S("1")},
                                    {S("b"), S("Binary"), S("\0\1")}};
    struct sqs_attribute back[] = {forth[1], forth[0]};
    CHECK_STR(sqs_attributes_md5(w->ctx.arena, forth, 2),
              sqs_attributes_md5(w->ctx.arena, back, 2));
    world_close(w);
}

TEST(r3_a_system_attribute_has_its_own_md5)
{
    struct world *w = world_open(false);
    int64_t q = make_queue(w, "q", "");
    struct sqs_send message = plain("body");
    message.trace_header =
        S("Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1");
    CHECK_OK(try_send(w, q, &message));
    CHECK_STR(w->sent.md5_system, S("5ae4d5d7636402d80f4eb6d213245a88"));
    CHECK_STR(w->sent.md5_attributes, STR_NONE);
    send(w, q, "without");
    CHECK_STR(w->sent.md5_system, STR_NONE);
    world_close(w);
}

TEST(r8_the_trace_header_of_the_request_becomes_the_messages)
{
    struct world *w = world_open(false);
    int64_t q = make_queue(w, "q", "");
    w->ctx.trace_header = S("Root=1-3152b799-8954dae64eda91bc9a23a7e8");
    send(w, q, "m");
    CHECK_STR(w->sent.md5_system, STR_NONE);
    CHECK_INT(receive(w, q, 1), 1);
    CHECK_STR(w->got[0].trace_header, w->ctx.trace_header);
    world_close(w);
}

TEST(r9_sequence_numbers_have_twenty_digits_and_rise)
{
    struct world *w = world_open(false);
    int64_t q = make_queue(w, "q.fifo", "FifoQueue=true"), s = make_queue(w, "q", "");
    send_group(w, q, "g", "1");
    str first = w->sent.sequence;
    send_group(w, q, "g", "2");
    CHECK_INT(first.n, 20);
    CHECK(str_cmp(first, w->sent.sequence) < 0);
    send(w, s, "m");
    CHECK_STR(w->sent.sequence, STR_NONE);
    world_close(w);
}

TEST(r10_every_legal_character_survives)
{
    struct world *w = world_open(false);
    int64_t q = make_queue(w, "q", "");
    const char *body = "\t\r\n \"'<&>\x7f \xc3\xa4 \xed\x9f\xbf \xee\x80\x80 \xef\xbf\xbd "
                       "\xf0\x9f\x98\x80 padding padding";
    send(w, q, body);
    CHECK_STR(bodies(w, q, 1, -1), str_of(body));
    world_close(w);
}

TEST(r11_an_empty_body_is_a_missing_parameter)
{
    struct world *w = world_open(false);
    int64_t q = make_queue(w, "q", "");
    struct sqs_send message = plain("");
    CHECK_SAYS(try_send(w, q, &message), SQS_MISSING_PARAMETER,
               "The request must contain the parameter MessageBody.");
    world_close(w);
}

TEST(r12_the_size_counts_body_and_attributes)
{
    struct world *w = world_open(false);
    int64_t q = make_queue(w, "q", "MaximumMessageSize=1024");
    char body[1025];
    memset(body, 'a', sizeof body);
    struct sqs_send message = {.body = {body, 1024}, .delay = -1};
    CHECK_OK(try_send(w, q, &message));
    message.body.n = 1025;
    CHECK_SAYS(
        try_send(w, q, &message), SQS_INVALID_PARAMETER,
        "One or more parameters are invalid. Reason: Message must be shorter than 1024 bytes.");
    struct sqs_attribute attribute = {S("n"), S("String"), S("v")};
    message.body.n = 1024 - 8;
    message.attributes = &attribute;
    message.nattributes = 1;
    CHECK_OK(try_send(w, q, &message));
    message.body.n++;
    CHECK_FAULT(try_send(w, q, &message), SQS_INVALID_PARAMETER);
    world_close(w);
}

TEST(r12_a_message_of_one_mebibyte_is_the_largest)
{
    struct world *w = world_open(false);
    int64_t q = make_queue(w, "q", "");
    char *body = malloc(SQS_MESSAGE_MAX + 1);
    memset(body, 'b', SQS_MESSAGE_MAX + 1);
    struct sqs_send message = {.body = {body, SQS_MESSAGE_MAX}, .delay = -1};
    CHECK_OK(try_send(w, q, &message));
    message.body.n++;
    CHECK_SAYS(
        try_send(w, q, &message), SQS_INVALID_PARAMETER,
        "One or more parameters are invalid. Reason: Message must be shorter than 1048576 bytes.");
    CHECK_INT(receive(w, q, 1), 1);
    CHECK(str_eq(w->got[0].body, (str){body, SQS_MESSAGE_MAX}));
    CHECK_OK(delete (w, q, w->got[0].receipt));
    free(body);
    world_close(w);
}

TEST(r13_characters_outside_xml_are_refused_each_in_its_way)
{
    struct world *w = world_open(false);
    int64_t q = make_queue(w, "q", "");
    static const char *const bad[] = {"a\x01",        "padding padding \x0b",
                                      "\xef\xbf\xbe", "\xed\xa0\x80",
                                      "\xff",         "long enough \xc3"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct sqs_send message = plain(bad[i]);
        CHECK_FAULT(try_send(w, q, &message), SQS_INVALID_CONTENTS);
        CHECK_FAULT(send_attribute(w, q, "a", "String", bad[i]), SQS_INVALID_PARAMETER);
    }
    world_close(w);
}

TEST(r14_an_empty_attribute_value_is_refused)
{
    struct world *w = world_open(false);
    int64_t q = make_queue(w, "q", "");
    CHECK_SAYS(
        send_attribute(w, q, "ErrorDetails", "String", ""), SQS_INVALID_PARAMETER,
        "Message (user) attribute 'ErrorDetails' must contain a non-empty value of type 'String'.");
    world_close(w);
}

TEST(r15_attribute_names_and_types_follow_awss_rules)
{
    struct world *w = world_open(false);
    int64_t q = make_queue(w, "q", "");
    static const char *const bad[] = {"aws.x", "AWS.x",     "Amazon.y", ".a", "a.",  "a..b", "a!",
                                      "a\"",   "a\xc2\xa7", "a(",       "a?", "a b", ""};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        CHECK_FAULT(send_attribute(w, q, bad[i], "String", "v"), SQS_INVALID_PARAMETER);
    char name[258];
    memset(name, 'n', sizeof name);
    name[257] = 0;
    CHECK_FAULT(send_attribute(w, q, name, "String", "v"), SQS_INVALID_PARAMETER);
    CHECK_OK(send_attribute(w, q, "attr.1\xc3\xb8\xc3\x9f\xc3\xa4", "String", "v"));
    CHECK_OK(send_attribute(w, q, "aws", "String.json", "v"));
    CHECK_OK(send_attribute(w, q, "n", "Number.int", "-1.5e3"));
    CHECK_FAULT(send_attribute(w, q, "n", "Number", "five"), SQS_INVALID_PARAMETER);
    CHECK_FAULT(send_attribute(w, q, "n", "Text", "v"), SQS_INVALID_PARAMETER);
    CHECK_FAULT(send_attribute(w, q, "n", "", "v"), SQS_INVALID_PARAMETER);
    world_close(w);
}

TEST(r15_ten_attributes_are_the_most)
{
    struct world *w = world_open(false);
    int64_t q = make_queue(w, "q", "");
    struct sqs_attribute attributes[11];
    char names[11][3];
    for (int i = 0; i < 11; i++) {
        snprintf(names[i], 3, "a%c", 'a' + i);
        attributes[i] = (struct sqs_attribute){str_of(names[i]), S("String"), S("v")};
    }
    struct sqs_send message = {
        .body = S("b"), .delay = -1, .attributes = attributes, .nattributes = 10};
    CHECK_OK(try_send(w, q, &message));
    CHECK_INT(receive(w, q, 1), 1);
    CHECK_INT(w->got[0].nattributes, 10);
    CHECK_STR(w->got[0].attributes[9].name, S("aj"));
    message.nattributes = 11;
    CHECK_FAULT(try_send(w, q, &message), SQS_INVALID_PARAMETER);
    world_close(w);
}

TEST(r16_group_ids_are_1_to_128_printable_characters_on_every_queue)
{
    struct world *w = world_open(false);
    int64_t f = make_queue(w, "q.fifo", "FifoQueue=true"), s = make_queue(w, "q", "");
    struct sqs_send message = {
        .body = S("b"), .delay = -1, .group = S("group 123"), .dedup = S("d")};
    CHECK_SAYS(try_send(w, f, &message), SQS_INVALID_PARAMETER,
               "Value group 123 for parameter MessageGroupId is invalid. Reason: MessageGroupId "
               "can only include alphanumeric and "
               "punctuation characters. 1 to 128 in length.");
    message.dedup = STR_NONE;
    CHECK_FAULT(try_send(w, s, &message), SQS_INVALID_PARAMETER);
    message.group = S("");
    CHECK_FAULT(try_send(w, s, &message), SQS_INVALID_PARAMETER);
    char text[129];
    memset(text, '~', sizeof text);
    message.group = (str){text, 129};
    CHECK_FAULT(try_send(w, s, &message), SQS_INVALID_PARAMETER);
    message.group.n = 128;
    CHECK_OK(try_send(w, s, &message));
    message.group = S("g");
    message.dedup = S("a b");
    CHECK_FAULT(try_send(w, f, &message), SQS_INVALID_PARAMETER);
    world_close(w);
}

TEST(r16_a_standard_queue_gives_the_group_back_and_keeps_no_order_by_it)
{
    struct world *w = world_open(false);
    int64_t q = make_queue(w, "q", "");
    struct sqs_send message = {.body = S("a"), .delay = -1, .group = S("tenant")};
    CHECK_OK(try_send(w, q, &message));
    message.body = S("b");
    CHECK_OK(try_send(w, q, &message));
    CHECK_STR(w->sent.sequence, STR_NONE);
    CHECK_INT(receive(w, q, 1), 1);
    CHECK_STR(w->got[0].group, S("tenant"));
    CHECK_INT(receive(w, q, 1), 1); /* no lock */
    world_close(w);
}

TEST(r17_a_fifo_send_needs_a_group)
{
    struct world *w = world_open(false);
    int64_t q = make_queue(w, "q.fifo", "FifoQueue=true");
    struct sqs_send message = {.body = S("b"), .delay = -1, .dedup = S("d")};
    CHECK_SAYS(try_send(w, q, &message), SQS_MISSING_PARAMETER,
               "The request must contain the parameter MessageGroupId.");
    CHECK_SAYS(sqs_batch_check_sends(w->sqs, &w->ctx, q, &message, 1), SQS_INVALID_PARAMETER,
               "The request must contain the parameter MessageGroupId.");
    world_close(w);
}

TEST(r18_a_fifo_send_needs_a_deduplication_id_one_way_or_the_other)
{
    struct world *w = world_open(false);
    int64_t q = make_queue(w, "q.fifo", "FifoQueue=true");
    struct sqs_send message = {.body = S("b"), .delay = -1, .group = S("g")};
    CHECK_SAYS(try_send(w, q, &message), SQS_INVALID_PARAMETER,
               "The queue should either have ContentBasedDeduplication enabled or "
               "MessageDeduplicationId provided explicitly");
    CHECK_FAULT(sqs_batch_check_sends(w->sqs, &w->ctx, q, &message, 1), SQS_INVALID_PARAMETER);
    CHECK_OK(try_set(w, q, "ContentBasedDeduplication=true"));
    CHECK_OK(try_send(w, q, &message));
    world_close(w);
}

TEST(r19_a_fifo_message_has_no_delay_of_its_own_but_has_the_queues)
{
    struct world *w = world_open(false);
    int64_t q = make_queue(w, "q.fifo", "FifoQueue=true;DelaySeconds=5");
    struct sqs_send message = {.body = S("b"), .delay = 2, .group = S("g"), .dedup = S("d")};
    CHECK_SAYS(try_send(w, q, &message), SQS_INVALID_PARAMETER,
               "Value 2 for parameter DelaySeconds is invalid. Reason: The request include "
               "parameter that is not valid for this "
               "queue type.");
    message.delay = 0;
    CHECK_OK(try_send(w, q, &message));
    CHECK_STR(counts(w, q), S("0/0/1"));
    at(w, 5000);
    CHECK_INT(receive(w, q, 1), 1);
    world_close(w);
}

TEST(r20_standard_queues_refuse_deduplication_ids_and_long_delays)
{
    struct world *w = world_open(false);
    int64_t q = make_queue(w, "q", "");
    struct sqs_send message = {.body = S("b"), .delay = -1, .dedup = S("d")};
    CHECK_SAYS(try_send(w, q, &message), SQS_INVALID_PARAMETER,
               "Value d for parameter MessageDeduplicationId is invalid. Reason: The request "
               "include parameter that is not valid for this queue type.");
    message = (struct sqs_send){.body = S("b"), .delay = 901};
    CHECK_SAYS(try_send(w, q, &message), SQS_INVALID_PARAMETER,
               "Value 901 for parameter DelaySeconds is invalid. Reason: DelaySeconds must be >= 0 "
               "and <= 900.");
    message.delay = 900;
    CHECK_OK(try_send(w, q, &message));
    world_close(w);
}

TEST(a_send_to_no_queue_is_refused_before_anything_else)
{
    struct world *w = world_open(false);
    struct sqs_send message = plain("");
    CHECK_FAULT(try_send(w, 77, &message), SQS_QUEUE_DOES_NOT_EXIST);
    world_close(w);
}

/* --- batches --- */

TEST(r21_a_batch_needs_an_entry)
{
    struct world *w = world_open(false);
    CHECK_SAYS(sqs_batch_check(&w->ctx, "SendMessageBatchRequestEntry", NULL, 0), SQS_EMPTY_BATCH,
               "There should be at least one SendMessageBatchRequestEntry in the request.");
    world_close(w);
}

TEST(r22_a_batch_has_ten_entries_at_most)
{
    struct world *w = world_open(false);
    str ids[20];
    for (int i = 0; i < 20; i++)
        ids[i] = arena_printf(w->ctx.arena, "id_%d", i);
    CHECK_OK(sqs_batch_check(&w->ctx, "E", ids, 10));
    CHECK_SAYS(sqs_batch_check(&w->ctx, "E", ids, 20), SQS_TOO_MANY_ENTRIES,
               "Maximum number of entries per request are 10. You have sent 20.");
    world_close(w);
}

TEST(r23_entry_ids_are_1_to_80_letters_digits_hyphens_underscores)
{
    struct world *w = world_open(false);
    char text[81];
    memset(text, 'x', sizeof text);
    str long_enough = {text, 80}, too_long = {text, 81}, empty = S(""), colon = S("invalid:id"),
        fine = S("A-z_09");
    CHECK_OK(sqs_batch_check(&w->ctx, "E", &long_enough, 1));
    CHECK_OK(sqs_batch_check(&w->ctx, "E", &fine, 1));
    CHECK_FAULT(sqs_batch_check(&w->ctx, "E", &too_long, 1), SQS_INVALID_BATCH_ID);
    CHECK_FAULT(sqs_batch_check(&w->ctx, "E", &empty, 1), SQS_INVALID_BATCH_ID);
    CHECK_SAYS(sqs_batch_check(&w->ctx, "E", &colon, 1), SQS_INVALID_BATCH_ID,
               "A batch entry id can only contain alphanumeric characters, hyphens and "
               "underscores. It can be at most 80 letters "
               "long.");
    world_close(w);
}

TEST(r24_the_first_repeated_id_is_named)
{
    struct world *w = world_open(false);
    str ids[] = {S("id_1"), S("id_2"), S("id_2"), S("id_1")};
    CHECK_SAYS(sqs_batch_check(&w->ctx, "E", ids, 4), SQS_IDS_NOT_DISTINCT, "Id id_2 repeated.");
    world_close(w);
}

TEST(r25_the_sum_of_a_batch_has_a_limit_of_its_own)
{
    struct world *w = world_open(false);
    int64_t q = make_queue(w, "q", "MaximumMessageSize=1024");
    char *body = malloc(SQS_MESSAGE_MAX);
    memset(body, 'a', SQS_MESSAGE_MAX);
    struct sqs_send sends[] = {{.body = {body, SQS_MESSAGE_MAX - 10}, .delay = -1},
                               {.body = {body, 10}, .delay = -1}};
    CHECK_OK(sqs_batch_check_sends(w->sqs, &w->ctx, q, sends, 2));
    sends[1].body.n = 11;
    CHECK_SAYS(sqs_batch_check_sends(w->sqs, &w->ctx, q, sends, 2), SQS_BATCH_TOO_LONG,
               "Batch requests cannot be longer than 1048576 bytes. You have sent 1048577 bytes.");
    free(body);
    world_close(w);
}

TEST(r26_an_entry_that_is_too_long_is_refused_in_other_words)
{
    struct world *w = world_open(false);
    int64_t q = make_queue(w, "q", "MaximumMessageSize=1024");
    char body[1025];
    memset(body, 'a', sizeof body);
    struct sqs_send message = {.body = {body, 1025}, .delay = -1, .entry = 1};
    CHECK_SAYS(try_send(w, q, &message), SQS_INVALID_PARAMETER,
               "One or more parameters cannot be validated. Reason: Message must be shorter than "
               "1024 bytes.");
    world_close(w);
}

UNIT_MAIN
